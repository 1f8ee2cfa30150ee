// Package webpush sends notifications to browsers by Web Push (RFC 8030), encrypted
// for the browser (RFC 8291) and signed by the sender (VAPID, RFC 8292). It is a
// package of its own because of the library that it is made of.
//
// The secret of a channel of kind notify.WebPush is the subscription as the browser
// gives it (PushSubscription.toJSON): its address is a capability, and whoever has
// it could send.
package webpush

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	push "github.com/SherClockHolmes/webpush-go"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/storage/vault"
	"github.com/ttai-go/ttai/workflow/notify"
)

// Keys are the VAPID keys of a program that sends: browsers subscribe with the
// public one.
type Keys struct {
	Public  string // base64 without padding
	Private vault.Secret
}

// NewKeys makes random keys.
func NewKeys() (Keys, error) {
	private, public, err := push.GenerateVAPIDKeys()
	return Keys{Public: public, Private: vault.SecretString(private)}, err
}

// Options are the settings of [New]. Keys and Subject are required.
type Options struct {
	Keys Keys
	// Subject tells push services whom to ask about this sender: a mail address or an
	// https address.
	Subject string
	// TTL is how long the push service keeps a message for a browser that is away; 0
	// means a day.
	TTL time.Duration
	// HTTP sends; nil means notify.NewHTTP(nil).
	HTTP *notify.HTTP
	// Now is the clock of Retry-After; nil means time.Now.
	Now func() time.Time
}

// A Sender is a notify.Sender for notify.WebPush.
type Sender struct {
	o Options
}

var _ notify.Sender = (*Sender)(nil)

// New returns a sender, or a *FieldError.
func New(o Options) (*Sender, error) {
	public, err := base64.RawURLEncoding.DecodeString(o.Keys.Public)
	if err == nil {
		_, err = ecdh.P256().NewPublicKey(public)
	}
	if err != nil {
		return nil, invalid.Field("Keys.Public", o.Keys.Public, "a P-256 key as base64url without padding")
	}
	err = o.Keys.Private.Use(func(b []byte) error {
		raw, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(b)))
		if err != nil {
			return err
		}
		defer clear(raw)
		key, err := ecdh.P256().NewPrivateKey(raw)
		if err == nil && !bytes.Equal(key.PublicKey().Bytes(), public) {
			err = errors.New("another key")
		}
		return err
	})
	if err != nil {
		return nil, invalid.Secret("Keys.Private", "the private key of Keys.Public as base64url without padding")
	}
	if !strings.HasPrefix(o.Subject, "https://") && !strings.Contains(o.Subject, "@") || strings.ContainsAny(o.Subject, " \r\n") {
		return nil, invalid.Field("Subject", o.Subject, "a mail address or an https address")
	}
	o.Subject = strings.TrimPrefix(o.Subject, "mailto:")
	if o.TTL < 0 || o.TTL > 28*24*time.Hour {
		return nil, invalid.Field("TTL", o.TTL, "0 for a day, or up to 28 days")
	}
	if o.TTL == 0 {
		o.TTL = 24 * time.Hour
	}
	if o.HTTP == nil {
		if o.HTTP, err = notify.NewHTTP(nil); err != nil {
			return nil, err
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sender{o: o}, nil
}

// subscription reads a browser's JSON. Errors show nothing of it.
func subscription(secret []byte) (*push.Subscription, *url.URL, error) {
	refused := invalid.Secret("secret", "a push subscription as the browser's JSON: endpoint, keys.p256dh and keys.auth")
	var s push.Subscription
	if json.Unmarshal(secret, &s) != nil {
		return nil, nil, refused
	}
	u, err := url.Parse(s.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || len(s.Endpoint) > 2048 || u.Scheme != "https" && !(u.Scheme == "http" && rest.Loopback(u.Hostname())) {
		return nil, nil, refused
	}
	key, err := decode(s.Keys.P256dh)
	if err != nil {
		return nil, nil, refused
	}
	if _, err := ecdh.P256().NewPublicKey(key); err != nil {
		return nil, nil, refused
	}
	if auth, err := decode(s.Keys.Auth); err != nil || len(auth) != 16 {
		return nil, nil, refused
	}
	return &s, u, nil
}

func decode(s string) ([]byte, error) {
	s = strings.TrimRight(strings.NewReplacer("+", "-", "/", "_").Replace(s), "=")
	return base64.RawURLEncoding.DecodeString(s)
}

// Check implements notify.Sender.
func (s *Sender) Check(_ notify.Channel, secret []byte) error {
	_, _, err := subscription(secret)
	return err
}

// A Payload is what the browser's service worker gets as JSON.
type Payload struct {
	Title   string    `json:"title"`
	Body    string    `json:"body,omitempty"`
	URL     string    `json:"url,omitempty"`
	Tag     string    `json:"tag"` // the same each time the same message is sent
	Urgency string    `json:"urgency"`
	Time    time.Time `json:"time"`
}

// maxPayload is what one record of 4,096 bytes holds besides its header, key and
// tag, with some left for padding.
const maxPayload = 3900

// Send implements notify.Sender. Attachments are left out: a push has no room.
func (s *Sender) Send(ctx context.Context, d notify.Delivery) error {
	sub, u, err := subscription(d.Secret)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(d.Key))
	topic := base64.RawURLEncoding.EncodeToString(sum[:24]) // 32 letters, the most there may be
	body, err := payload(d, topic)
	if err != nil {
		return err
	}
	var sealed sealed
	err = s.o.Keys.Private.Use(func(private []byte) error {
		_, err := push.SendNotificationWithContext(ctx, body, sub, &push.Options{
			HTTPClient: &sealed, Subscriber: s.o.Subject, Topic: topic, TTL: int(s.o.TTL.Seconds()), Urgency: urgency(d.Message.Urgency),
			VAPIDPublicKey: s.o.Keys.Public, VAPIDPrivateKey: strings.TrimSpace(string(private)),
		})
		return err
	})
	if err != nil {
		return &notify.SendError{Text: "webpush: the message could not be encrypted", Permanent: true}
	}
	r, err := s.o.HTTP.Do(ctx, "web push", http.MethodPost, u, sealed.header, sealed.body)
	if err != nil {
		uncertain := false
		text := "webpush: no answer"
		if t, ok := errors.AsType[*rest.TransportError](err); ok {
			uncertain, text = t.Dispatched, "webpush: "+t.Err.Error()
		}
		return &notify.SendError{Text: text, Uncertain: uncertain}
	}
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	e := &notify.SendError{Text: "webpush: the push service refused", Status: r.Status, After: rest.RetryAfter(r.Header, s.o.Now())}
	switch {
	case r.Status == 404 || r.Status == 410: // the person withdrew it, or the browser is gone
		e.Gone, e.Permanent = true, true
	case r.Status == 429:
		e.Limited = true
	case r.Status >= 500 || r.Status == 408:
		e.Uncertain = true
	default:
		e.Permanent = true
	}
	return e
}

func urgency(u notify.Urgency) push.Urgency {
	switch u {
	case notify.Low:
		return push.UrgencyLow
	case notify.High, notify.Urgent:
		return push.UrgencyHigh
	}
	return push.UrgencyNormal
}

// payload shortens the text until the JSON fits.
func payload(d notify.Delivery, tag string) ([]byte, error) {
	m := d.Message
	p := Payload{Title: notify.Shorten(m.Title, 200), URL: m.Link, Tag: tag, Urgency: string(m.Urgency), Time: m.Time}
	if p.Urgency == "" {
		p.Urgency = string(notify.Normal)
	}
	if len(p.URL) > 1000 {
		p.URL = ""
	}
	text := m.Text
	for _, f := range m.Facts {
		text += "\n" + f.Name + ": " + f.Value
	}
	text = strings.TrimSpace(text)
	for limit := 3000; ; limit = limit * 3 / 4 {
		p.Body = notify.Shorten(text, limit)
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		if err := enc.Encode(p); err != nil {
			return nil, err
		}
		if b.Len() <= maxPayload {
			return bytes.TrimSpace(b.Bytes()), nil
		}
		if limit < 8 {
			p.Title = notify.Shorten(p.Title, len(p.Title)/8)
		}
	}
}

// sealed takes the request that the library makes, so that it is sent as all
// others are.
type sealed struct {
	header http.Header
	body   []byte
}

// Do keeps the request and answers as if it had been sent.
func (s *sealed) Do(r *http.Request) (*http.Response, error) {
	var err error
	s.header = r.Header.Clone()
	s.body, err = io.ReadAll(r.Body)
	return &http.Response{StatusCode: http.StatusCreated, Status: strconv.Itoa(http.StatusCreated), Body: http.NoBody}, err
}
