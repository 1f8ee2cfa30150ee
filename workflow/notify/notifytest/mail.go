package notifytest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Mail is a fake mail server with STARTTLS and a login.
type Mail struct {
	Login, Password string

	listener net.Listener
	tls      *tls.Config
	roots    *x509.CertPool
	done     chan struct{}
	all      sync.WaitGroup
	opts     MailOptions

	mu       sync.Mutex
	faults   []Fault
	sessions int
	mails    []Letter
	clear    bool
}

// MailOptions say how the fake differs from a usual server.
type MailOptions struct {
	TLS      bool // encrypted from the first byte
	NoTLS    bool // offers no STARTTLS
	LoginOne bool // knows the LOGIN method only
}

// A Letter is one that the server took.
type Letter struct {
	From string
	To   []string
	Raw  []byte // as it came, with CRLF
	Mail *mail.Message
}

// NewMail starts a fake that stops with the test. Opts may be nil.
func NewMail(t testing.TB, opts *MailOptions) *Mail {
	t.Helper()
	f := &Mail{Login: "ann", Password: "hunter2-but-longer", done: make(chan struct{})}
	if opts != nil {
		f.opts = *opts
	}
	if err := f.certificate(); err != nil {
		t.Fatal(err)
	}
	var err error
	if f.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	f.all.Go(f.accept)
	t.Cleanup(func() {
		close(f.done)
		_ = f.listener.Close()
		f.all.Wait()
	})
	return f
}

// certificate makes one for this machine, signed by itself.
func (f *Mail) certificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "notifytest"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Unix(0, 0), NotAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return err
	}
	f.roots = x509.NewCertPool()
	f.roots.AddCert(parsed)
	f.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
	return nil
}

// Addr is for Settings.Server.
func (f *Mail) Addr() string { return f.listener.Addr().String() }

// Roots is for notify.Options.MailRoots.
func (f *Mail) Roots() *x509.CertPool { return f.roots }

// Secret is the password.
func (f *Mail) Secret() []byte { return []byte(f.Password) }

// Fail lets the next sessions meet these faults, one each, when the message is to
// be taken. Cut closes before it.
func (f *Mail) Fail(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = append(f.faults, faults...)
}

// Letters returns what came, oldest first.
func (f *Mail) Letters() []Letter {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]Letter(nil), f.mails...)
}

// Sessions returns how many connections there were.
func (f *Mail) Sessions() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sessions
}

// InClear tells whether a password or a message came without TLS.
func (f *Mail) InClear() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.clear
}

func (f *Mail) accept() {
	for {
		conn, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.all.Go(func() {
			over := make(chan struct{})
			defer close(over)
			go func() {
				select {
				case <-over:
				case <-f.done:
					_ = conn.Close()
				}
			}()
			defer conn.Close()
			f.serve(conn)
		})
	}
}

func (f *Mail) fault() Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.faults) == 0 {
		return Fault{}
	}
	x := f.faults[0]
	f.faults = f.faults[1:]
	return x
}

// session is one connection.
type session struct {
	*Mail
	conn   net.Conn
	in     *textproto.Reader
	secure bool
	known  bool // logged in
	letter Letter
}

func (f *Mail) serve(conn net.Conn) {
	f.mu.Lock()
	f.sessions++
	f.mu.Unlock()
	s := &session{Mail: f, conn: conn}
	if f.opts.TLS {
		s.conn, s.secure = tls.Server(conn, f.tls), true
	}
	s.in = textproto.NewReader(bufio.NewReader(s.conn))
	s.say("220 notifytest")
	for {
		line, err := s.in.ReadLine()
		if err != nil || !s.answer(line) {
			return
		}
	}
}

func (s *session) say(lines ...string) {
	_, _ = fmt.Fprint(s.conn, strings.Join(lines, "\r\n")+"\r\n")
}

// answer answers one command; false ends the session.
func (s *session) answer(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch strings.ToUpper(verb) {
	case "EHLO", "HELO":
		lines := []string{"250-notifytest", "250-8BITMIME"}
		if !s.secure && !s.opts.NoTLS {
			lines = append(lines, "250-STARTTLS")
		}
		if s.opts.LoginOne {
			lines = append(lines, "250 AUTH LOGIN")
		} else {
			lines = append(lines, "250 AUTH PLAIN LOGIN")
		}
		s.say(lines...)
	case "STARTTLS":
		s.say("220 go ahead")
		s.conn, s.secure = tls.Server(s.conn, s.tls), true
		s.in = textproto.NewReader(bufio.NewReader(s.conn))
	case "AUTH":
		s.auth(rest)
	case "MAIL":
		s.letter = Letter{From: address(rest)}
		s.say("250 ok")
	case "RCPT":
		s.letter.To = append(s.letter.To, address(rest))
		s.say("250 ok")
	case "DATA":
		return s.data()
	case "QUIT":
		s.say("221 bye")
		return false
	default:
		s.say("500 what")
	}
	return true
}

func address(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}

func (s *session) auth(rest string) {
	if !s.secure {
		s.mu.Lock()
		s.clear = true
		s.mu.Unlock()
	}
	login, password := "", ""
	if plain, ok := strings.CutPrefix(rest, "PLAIN "); ok {
		decoded, _ := base64.StdEncoding.DecodeString(plain) // what is no base64 is a wrong password
		if parts := strings.Split(string(decoded), "\x00"); len(parts) == 3 {
			login, password = parts[1], parts[2]
		}
	} else {
		for _, into := range []*string{&login, &password} {
			s.say("334 " + base64.StdEncoding.EncodeToString([]byte("?")))
			line, err := s.in.ReadLine()
			if err != nil {
				return
			}
			decoded, _ := base64.StdEncoding.DecodeString(line)
			*into = string(decoded)
		}
	}
	if s.known = login == s.Login && password == s.Password; s.known {
		s.say("235 welcome")
	} else {
		s.say("535 5.7.8 the login or the password is wrong")
	}
}

func (s *session) data() bool {
	if !s.known || len(s.letter.To) == 0 {
		s.say("530 5.7.0 log in first")
		return true
	}
	fault := s.fault()
	if fault.Stall > 0 {
		timer := time.NewTimer(fault.Stall)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-s.done:
			return false
		}
	}
	if fault.Cut {
		return false
	}
	if fault.Status != 0 {
		s.say(fmt.Sprintf("%d told to fail", fault.Status))
		return true
	}
	s.say("354 go ahead")
	raw, err := s.in.ReadDotBytes()
	if err != nil {
		return false
	}
	s.letter.Raw = raw
	if s.letter.Mail, err = mail.ReadMessage(strings.NewReader(string(raw))); err != nil {
		s.say("554 5.6.0 the message cannot be read")
		return true
	}
	s.mu.Lock()
	s.mails = append(s.mails, s.letter)
	s.clear = s.clear || !s.secure
	s.mu.Unlock()
	if fault.Lost {
		return false
	}
	s.say("250 ok")
	return true
}
