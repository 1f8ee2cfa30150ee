package notify

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"html/template"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"
)

type email struct {
	now     func() time.Time
	timeout time.Duration
	roots   *x509.CertPool
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (e *email) Check(c Channel, secret []byte) error {
	if (c.Settings.Login != "") != (len(secret) > 0) {
		return secretError("the password of settings.login, and none without a login")
	}
	if bytes.ContainsAny(secret, "\r\n\x00") {
		return secretError("a password of one line")
	}
	return nil
}

func (e *email) Send(ctx context.Context, x Delivery) error {
	if err := x.Channel.Settings.validateEmail(); err != nil {
		return err
	}
	message, err := e.compose(x)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, e.timeout)
	defer cancel()
	conn, err := e.dial(ctx, "tcp", x.Channel.Settings.Server)
	if err != nil {
		return &SendError{Text: "email: no connection to the mail server"}
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline) // a connection without deadlines is cut below
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	return e.talk(conn, x, message)
}

// talk hands the message over. Until its end was sent it has certainly not
// arrived.
func (e *email) talk(conn net.Conn, x Delivery, message []byte) error {
	s := x.Channel.Settings
	host, _, _ := net.SplitHostPort(s.Server) // it was checked
	settings := &tls.Config{ServerName: host, RootCAs: e.roots, MinVersion: tls.VersionTLS12, Time: e.now}
	if s.tls() == "tls" {
		conn = tls.Client(conn, settings)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return mailError("connecting", err)
	}
	defer c.Close()
	if err := c.Hello("localhost"); err != nil {
		return mailError("greeting", err)
	}
	if s.tls() == "starttls" {
		if ok, _ := c.Extension("STARTTLS"); !ok {
			return &SendError{Text: "email: the server does not offer STARTTLS, and nothing is sent in the clear", Permanent: true}
		}
		if err := c.StartTLS(settings); err != nil {
			return mailError("STARTTLS", err)
		}
	}
	if s.Login != "" {
		if err := c.Auth(e.auth(c, s.Login, string(x.Secret), host)); err != nil {
			return mailError("login", err)
		}
	}
	from, _ := mailAddress("settings.from", s.From) // it was checked
	if err := c.Mail(from.Address); err != nil {
		return mailError("MAIL", err)
	}
	for _, to := range s.To {
		a, _ := mailAddress("settings.to", to) // it was checked
		if err := c.Rcpt(a.Address); err != nil {
			return mailError("RCPT", err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return mailError("DATA", err)
	}
	if _, err := w.Write(message); err != nil {
		return mailError("sending", err)
	}
	if err := w.Close(); err != nil {
		out := mailError("sending", err)
		out.Uncertain = out.Status == 0
		return out
	}
	_ = c.Quit() // the message was taken
	return nil
}

// auth is PLAIN, or LOGIN at servers that know only that.
func (e *email) auth(c *smtp.Client, login, password, host string) smtp.Auth {
	_, offered := c.Extension("AUTH")
	methods := " " + strings.ToUpper(offered) + " "
	if !strings.Contains(methods, " PLAIN ") && strings.Contains(methods, " LOGIN ") {
		return &loginAuth{login: login, password: password}
	}
	return smtp.PlainAuth("", login, password, host)
}

// loginAuth is the LOGIN method, which asks for the name and then the password.
type loginAuth struct {
	login, password string
	asked           int
}

func (a *loginAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if !server.TLS {
		return "", nil, errors.New("the password is not sent in the clear")
	}
	return "LOGIN", nil, nil
}

func (a *loginAuth) Next(_ []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	a.asked++
	switch a.asked {
	case 1:
		return []byte(a.login), nil
	case 2:
		return []byte(a.password), nil
	}
	return nil, errors.New("the server asks for more than a login and a password")
}

// mailError tells what an SMTP reply means: 4xx is for now, 5xx for good.
func mailError(doing string, err error) *SendError {
	if reply, ok := errors.AsType[*textproto.Error](err); ok {
		out := &SendError{Text: fmt.Sprintf("email: %s: %s", doing, fit(line(reply.Msg), 160, asItIs, countRaw)), Status: reply.Code}
		out.Permanent = reply.Code >= 500
		out.Limited = reply.Code == 421 || reply.Code == 450 || reply.Code == 451 || reply.Code == 452
		return out
	}
	if cert, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return &SendError{Text: "email: " + doing + ": the server's certificate: " + cert.Err.Error(), Permanent: true}
	}
	return &SendError{Text: "email: " + doing + ": " + err.Error()}
}

// compose writes the message: text and HTML as alternatives, then the attachments.
// It is the same bytes each time but for the date.
func (e *email) compose(x Delivery) ([]byte, error) {
	m, s := x.Message, x.Channel.Settings
	from, err := mailAddress("settings.from", s.From)
	if err != nil {
		return nil, err
	}
	to := make([]string, len(s.To))
	for i, t := range s.To {
		a, err := mailAddress("settings.to", t)
		if err != nil {
			return nil, err
		}
		to[i] = a.String()
	}
	sum := sha256.Sum256([]byte(x.Key))
	name := hex.EncodeToString(sum[:16])
	_, domain, _ := strings.Cut(from.Address, "@")
	var b bytes.Buffer
	head := func(name, value string) { fmt.Fprintf(&b, "%s: %s\r\n", name, value) }
	head("From", from.String())
	head("To", strings.Join(to, ",\r\n "))
	head("Subject", mime.QEncoding.Encode("utf-8", fit(line(m.Title), 200, asItIs, countRaw)))
	head("Date", e.now().Format(time.RFC1123Z))
	head("Message-ID", "<"+name+"@"+domain+">")
	head("Auto-Submitted", "auto-generated")
	if m.Urgency == Urgent {
		head("X-Priority", "1")
		head("Importance", "high")
	}
	head("MIME-Version", "1.0")
	outer := multipart.NewWriter(&b)
	if err := outer.SetBoundary("m" + name); err != nil {
		return nil, err
	}
	head("Content-Type", `multipart/mixed; boundary="m`+name+`"`)
	b.WriteString("\r\n")
	if err := bodies(outer, m, "a"+name); err != nil {
		return nil, err
	}
	for _, a := range m.Attachments {
		if err := mailFile(outer, a); err != nil {
			return nil, err
		}
	}
	err = outer.Close()
	return b.Bytes(), err
}

func bodies(outer *multipart.Writer, m Message, boundary string) error {
	part, err := outer.CreatePart(textproto.MIMEHeader{"Content-Type": {`multipart/alternative; boundary="` + boundary + `"`}})
	if err != nil {
		return err
	}
	inner := multipart.NewWriter(part)
	if err := inner.SetBoundary(boundary); err != nil {
		return err
	}
	var page bytes.Buffer
	if err := mailPage().Execute(&page, newMailView(m)); err != nil {
		return err
	}
	for _, body := range []struct{ kind, text string }{
		{"text/plain", plain(m, MaxText*2, true) + "\n"}, {"text/html", page.String()},
	} {
		p, err := inner.CreatePart(textproto.MIMEHeader{
			"Content-Type": {body.kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
		})
		if err != nil {
			return err
		}
		q := quotedprintable.NewWriter(p)
		if _, err := io.WriteString(q, body.text); err != nil {
			return err
		}
		if err := q.Close(); err != nil {
			return err
		}
	}
	return inner.Close()
}

func mailFile(outer *multipart.Writer, a Attachment) error {
	if len(a.Data) == 0 {
		return nil
	}
	part, err := outer.CreatePart(textproto.MIMEHeader{
		"Content-Type": {a.ContentType}, "Content-Transfer-Encoding": {"base64"},
		"Content-Disposition": {fmt.Sprintf("attachment; filename=%q", a.Name)},
	})
	if err != nil {
		return err
	}
	text := base64.StdEncoding.EncodeToString(a.Data)
	for len(text) > 0 {
		n := min(76, len(text))
		if _, err := io.WriteString(part, text[:n]+"\r\n"); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

type mailView struct {
	Title      string
	Paragraphs []string
	Facts      []Fact
	Link       string
	Drawn      []string
}

func newMailView(m Message) mailView {
	v := mailView{Title: line(m.Title), Link: m.Link}
	for _, p := range strings.Split(strings.TrimSpace(clean(m.Text)), "\n\n") {
		if p != "" {
			v.Paragraphs = append(v.Paragraphs, p)
		}
	}
	for _, f := range m.Facts {
		v.Facts = append(v.Facts, Fact{line(f.Name), line(f.Value)})
	}
	for _, a := range m.Attachments {
		if s := strings.Trim(clean(a.Text), "\n"); s != "" {
			v.Drawn = append(v.Drawn, s)
		}
	}
	return v
}

// mailPage escapes everything by its place. Mail programs show no SVG and no style
// sheets of a page's head, hence the text charts and the style attributes.
func mailPage() *template.Template {
	return template.Must(template.New("mail").Parse(`<!doctype html>
<html><body style="font:15px/1.5 system-ui,sans-serif;color:#1c2430;margin:0;padding:16px">
<h2 style="font-size:18px;margin:0 0 12px">{{.Title}}</h2>
{{range .Paragraphs}}<p style="white-space:pre-line;margin:0 0 12px">{{.}}</p>
{{end}}{{if .Facts}}<table style="border-collapse:collapse;margin:0 0 12px">
{{range .Facts}}<tr><td style="color:#566172;padding:2px 14px 2px 0">{{.Name}}</td><td style="font-weight:600">{{.Value}}</td></tr>
{{end}}</table>
{{end}}{{range .Drawn}}<pre style="font:12px/1.2 monospace;overflow:auto">{{.}}</pre>
{{end}}{{with .Link}}<p><a href="{{.}}">{{.}}</a></p>
{{end}}</body></html>
`))
}
