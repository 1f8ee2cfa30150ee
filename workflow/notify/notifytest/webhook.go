package notifytest

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/ttai-go/ttai/workflow/notify"
)

// Webhook is a fake receiver of signed webhooks, which handles each id once.
type Webhook struct {
	server
	key    string
	now    func() time.Time
	byID   map[string]bool
	got    []notify.WebhookPayload
	copies int
}

// NewWebhook starts a fake that stops with the test. Now is the receiver's clock;
// nil means time.Now.
func NewWebhook(t testing.TB, now func() time.Time) *Webhook {
	if now == nil {
		now = time.Now
	}
	f := &Webhook{key: notify.NewWebhookKey(), now: now, byID: map[string]bool{}}
	f.start(t, f.handle)
	return f
}

// Secret is the secret of a channel of this receiver.
func (f *Webhook) Secret() []byte {
	secret, err := notify.WebhookSecret(f.http.URL+"/hook?from=ttai", f.key)
	if err != nil {
		panic(err) // the address and the key are its own
	}
	return secret
}

// Received returns what came and was signed, oldest first, each id once.
func (f *Webhook) Received() []notify.WebhookPayload {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]notify.WebhookPayload(nil), f.got...)
}

// Copies returns how many came again with an id that was there.
func (f *Webhook) Copies() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.copies
}

func (f *Webhook) handle(w http.ResponseWriter, r *http.Request, body []byte) {
	if r.URL.Path != "/hook" || r.URL.Query().Get("from") != "ttai" {
		f.refuse(w, 404, "path "+r.URL.Path, "")
		return
	}
	if err := notify.VerifyWebhook(f.key, r.Header, body, f.now()); err != nil {
		f.refuse(w, 401, err.Error(), "")
		return
	}
	var p notify.WebhookPayload
	if json.Unmarshal(body, &p) != nil {
		f.refuse(w, 400, "the body cannot be read", "")
		return
	}
	id := r.Header.Get(notify.WebhookID)
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byID[id] {
		f.copies++
	} else {
		f.byID[id] = true
		f.got = append(f.got, p)
	}
	w.WriteHeader(http.StatusNoContent)
}
