package mcp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	cookieLife   = 12 * time.Hour
	longestToken = 2500 // bytes; browsers keep cookies of up to 4096
)

// cookieText is strict, so that each cookie has just one spelling.
var cookieText = base64.RawURLEncoding.Strict()

// A seal turns a token into the value of a cookie and back, with a key that
// nobody else has: a cookie that leaks to another port of the same host is not
// the token and opens no other handler.
type seal struct{ cipher.AEAD }

func newSeal() seal {
	key := make([]byte, 32)
	rand.Read(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err) // 32 bytes are a key
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return seal{aead}
}

// close seals token until now plus life.
func (s seal) close(token string, now time.Time, life time.Duration) (string, error) {
	if len(token) > longestToken {
		return "", errors.New("this token is too long for a cookie; send it as Authorization: Bearer with every request")
	}
	plain := binary.BigEndian.AppendUint64(nil, uint64(now.Add(life).Unix()))
	sealed := s.Seal(nil, nil, append(plain, token...), nil)
	return cookieText.EncodeToString(sealed), nil
}

// open returns the token of a value that close made and whose time is not over.
func (s seal) open(value string, now time.Time) (token string, ok bool) {
	sealed, err := cookieText.DecodeString(value)
	if err != nil {
		return "", false
	}
	plain, err := s.Open(nil, nil, sealed, nil)
	if err != nil || len(plain) < 8 {
		return "", false
	}
	if now.Unix() >= int64(binary.BigEndian.Uint64(plain)) {
		return "", false
	}
	return string(plain[8:]), true
}

// cookieName has the port in it: browsers keep the cookies of all ports of a
// host together, and two servers must not overwrite each other's.
func cookieName(r *http.Request) string {
	name := "ttai_page"
	if _, port, err := net.SplitHostPort(r.Host); err == nil && port != "" {
		name += "_" + port
	}
	return name
}

// cookie is the page's; a life below zero removes it.
func cookie(r *http.Request, value string, life int) *http.Cookie {
	return &http.Cookie{
		Name: cookieName(r), Value: value, Path: "/", MaxAge: life,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: scheme(r) == "https",
	}
}

// scheme is that of the address in the browser. Behind a proxy it is what the
// proxy says; who lies about it harms only its own cookie.
func scheme(r *http.Request) string {
	if r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https" {
		return "https"
	}
	return "http"
}
