package notifytest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Push is a fake push service with one browser behind it, which decrypts what comes
// (RFC 8291) and verifies who sent it (RFC 8292).
type Push struct {
	server
	key      *ecdh.PrivateKey
	auth     []byte
	public   string // the sender's
	messages []PushMessage
}

// A PushMessage is one that reached the browser.
type PushMessage struct {
	Payload []byte
	Topic   string
	Urgency string
	TTL     string
	Subject string // who sent it
}

// NewPush starts a fake that stops with the test. Public is the VAPID key that the
// browser subscribed with.
func NewPush(t testing.TB, public string) *Push {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	f := &Push{key: key, auth: make([]byte, 16), public: public}
	_, _ = rand.Read(f.auth) // never fails
	f.start(t, f.handle)
	return f
}

// Secret is the browser's subscription.
func (f *Push) Secret() []byte {
	type keys struct {
		P256dh string `json:"p256dh"`
		Auth   string `json:"auth"`
	}
	data, _ := json.Marshal(struct {
		Endpoint string `json:"endpoint"`
		Keys     keys   `json:"keys"`
	}{f.http.URL + "/push/abc:DEF-ghi_123", keys{
		base64.RawURLEncoding.EncodeToString(f.key.PublicKey().Bytes()), base64.RawURLEncoding.EncodeToString(f.auth),
	}}) // strings always have a JSON form
	return data
}

// Messages returns what came, oldest first.
func (f *Push) Messages() []PushMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]PushMessage(nil), f.messages...)
}

func (f *Push) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.URL.Path != "/push/abc:DEF-ghi_123" {
		f.refuse(w, 410, "path "+r.URL.Path, "")
		return
	}
	subject, err := f.sender(r.Header.Get("Authorization"))
	if err != nil {
		f.refuse(w, 403, err.Error(), "")
		return
	}
	if len(body) > 4096 || r.Header.Get("Content-Encoding") != "aes128gcm" || r.Header.Get("TTL") == "" || len(r.Header.Get("Topic")) > 32 {
		f.refuse(w, 400, "head or length", "")
		return
	}
	payload, err := f.decrypt(body)
	if err != nil {
		f.refuse(w, 400, err.Error(), "")
		return
	}
	f.mu.Lock()
	f.messages = append(f.messages, PushMessage{
		Payload: payload, Topic: r.Header.Get("Topic"), Urgency: r.Header.Get("Urgency"), TTL: r.Header.Get("TTL"), Subject: subject,
	})
	f.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
}

// sender verifies the token that says who sends.
func (f *Push) sender(header string) (string, error) {
	token, key, ok := strings.Cut(strings.TrimPrefix(header, "vapid t="), ", k=")
	parts := strings.Split(token, ".")
	if !ok || key != f.public || len(parts) != 3 {
		return "", errors.New("not signed with the key of the subscription")
	}
	public, err := base64.RawURLEncoding.DecodeString(key)
	if err != nil || len(public) != 65 {
		return "", errors.New("the key cannot be read")
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || len(signature) != 64 {
		return "", errors.New("the signature cannot be read")
	}
	verifier, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), public)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(verifier, sum[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])) {
		return "", errors.New("the signature does not hold")
	}
	claims, err := base64.RawURLEncoding.DecodeString(parts[1])
	var c struct {
		Aud, Sub string
		Exp      int64
	}
	if err != nil || json.Unmarshal(claims, &c) != nil || c.Aud != f.http.URL {
		return "", errors.New("signed for another service")
	}
	if left := time.Until(time.Unix(c.Exp, 0)); left < 0 || left > 24*time.Hour {
		return "", errors.New("the token's time is over, or too long")
	}
	return c.Sub, nil
}

// decrypt is RFC 8291, with one record.
func (f *Push) decrypt(body []byte) ([]byte, error) {
	if len(body) < 21+65+17 || body[20] != 65 || binary.BigEndian.Uint32(body[16:20]) < uint32(len(body)-86) {
		return nil, errors.New("the record's head")
	}
	salt, senderKey, sealed := body[:16], body[21:86], body[86:]
	sender, err := ecdh.P256().NewPublicKey(senderKey)
	if err != nil {
		return nil, err
	}
	shared, err := f.key.ECDH(sender)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(f.key.PublicKey().Bytes()) + string(senderKey)
	ikm, err := hkdf.Key(sha256.New, shared, f.auth, info, 32)
	if err != nil {
		return nil, err
	}
	key, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	if err != nil {
		return nil, err
	}
	nonce, err := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	plain = []byte(strings.TrimRight(string(plain), "\x00"))
	if len(plain) == 0 || plain[len(plain)-1] != 2 {
		return nil, io.ErrUnexpectedEOF
	}
	return plain[:len(plain)-1], nil
}
