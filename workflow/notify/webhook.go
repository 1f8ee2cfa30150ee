package notify

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// The headers of a signed webhook, as the Standard Webhooks specification names
// them (https://www.standardwebhooks.com).
const (
	WebhookID        = "webhook-id"        // the same each time a message is sent
	WebhookTimestamp = "webhook-timestamp" // seconds since 1970
	WebhookSignature = "webhook-signature" // "v1," and base64; several with spaces between
)

// ErrSignature: a webhook was not signed with the key, or too long ago.
var ErrSignature = errors.New("webhook: the signature does not hold")

// NewWebhookKey makes a random key for signing, as "whsec_" and base64.
func NewWebhookKey() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

// WebhookSecret makes the secret of a Webhook channel out of the receiver's address
// and the key that it verifies with.
func WebhookSecret(address, key string) ([]byte, error) {
	if _, err := secureURL("address", address); err != nil {
		return nil, err
	}
	if _, err := webhookKey(key); err != nil {
		return nil, err
	}
	return json.Marshal(webhookParts{address, key})
}

type webhookParts struct {
	URL string `json:"url"`
	Key string `json:"key"`
}

func webhookKey(key string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
	if err != nil || len(b) < 24 || len(b) > 64 || !strings.HasPrefix(key, "whsec_") {
		return nil, secretError("a key of 24 to 64 bytes as whsec_ and base64, such as NewWebhookKey makes")
	}
	return b, nil
}

func webhookSignature(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// VerifyWebhook is for receivers: it returns nil when the body was signed with the
// key at most five minutes before or after now, and ErrSignature otherwise. The
// signature is HMAC-SHA256 under the key's bytes of
//
//	webhook-id + "." + webhook-timestamp + "." + body
//
// A receiver that remembers the ids of webhook-id for a day handles each message
// once. A key that is no key is a *FieldError.
func VerifyWebhook(key string, header http.Header, body []byte, now time.Time) error {
	k, err := webhookKey(key)
	if err != nil {
		return err
	}
	id, timestamp := header.Get(WebhookID), header.Get(WebhookTimestamp)
	sent, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || id == "" {
		return ErrSignature
	}
	if age := now.Sub(time.Unix(sent, 0)); age > 5*time.Minute || age < -5*time.Minute {
		return ErrSignature
	}
	want := []byte(webhookSignature(k, id, timestamp, body))
	for _, got := range strings.Fields(header.Get(WebhookSignature)) {
		if hmac.Equal(want, []byte(got)) {
			return nil
		}
	}
	return ErrSignature
}

// A WebhookPayload is the body of a webhook as JSON.
type WebhookPayload struct {
	Type      string      `json:"type"` // "notification"
	Timestamp time.Time   `json:"timestamp"`
	Data      WebhookData `json:"data"`
}

// WebhookData is what a webhook says. Texts are as they were given, not shortened.
type WebhookData struct {
	ID          string       `json:"id"` // as webhook-id
	User        string       `json:"user"`
	Topic       string       `json:"topic,omitempty"`
	Urgency     Urgency      `json:"urgency"`
	Title       string       `json:"title"`
	Text        string       `json:"text,omitempty"`
	Facts       []Fact       `json:"facts,omitempty"`
	Link        string       `json:"link,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"` // data in base64
}

type webhook struct {
	http *HTTP
	now  func() time.Time
}

func webhookSecret(secret []byte) (u *url.URL, key []byte, err error) {
	var p webhookParts
	if json.Unmarshal(secret, &p) != nil {
		return nil, nil, secretError("what WebhookSecret makes")
	}
	if u, err = secureURL("secret", p.URL); err != nil {
		return nil, nil, err
	}
	key, err = webhookKey(p.Key)
	return u, key, err
}

func (w *webhook) Check(_ Channel, secret []byte) error {
	_, _, err := webhookSecret(secret)
	return err
}

func (w *webhook) Send(ctx context.Context, x Delivery) error {
	u, key, err := webhookSecret(x.Secret)
	if err != nil {
		return err
	}
	m := x.Message
	urgency := m.Urgency
	if urgency == "" {
		urgency = Normal
	}
	body, err := json.Marshal(WebhookPayload{Type: "notification", Timestamp: m.Time, Data: WebhookData{
		ID: x.Key, User: m.User, Topic: m.Topic, Urgency: urgency, Title: line(m.Title), Text: clean(m.Text), Facts: m.Facts,
		Link: m.Link, Attachments: m.Attachments,
	}})
	if err != nil {
		return err
	}
	timestamp := strconv.FormatInt(w.now().Unix(), 10)
	header := http.Header{"Content-Type": {"application/json"}}
	header.Set(WebhookID, x.Key)
	header.Set(WebhookTimestamp, timestamp)
	header.Set(WebhookSignature, webhookSignature(key, x.Key, timestamp, body))
	r, err := w.http.Do(ctx, "webhook", http.MethodPost, u, header, body)
	if err != nil {
		return transport("webhook", err)
	}
	if r.Status >= 200 && r.Status < 300 {
		return nil
	}
	// The receiver's words stay out: they may be anything.
	e := refused("webhook", r, w.now(), "")
	e.Gone = r.Status == http.StatusGone
	return e
}
