package notify_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/storage/vault"
	"github.com/ttai-go/ttai/workflow/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTenant is a tenant in memory with a vault.
func newTenant(t *testing.T) (storage.Tenant, *vault.Vault) {
	t.Helper()
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	return tenant, newVault(t, tenant)
}

func newVault(t *testing.T, tenant storage.Tenant) *vault.Vault {
	t.Helper()
	keys, err := vault.NewLocalKeys(vault.NewMasterKeys())
	require.NoError(t, err)
	v, err := vault.Open(tenant, keys, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, v.Close()) })
	return v
}

// pretend is a sender without a network.
type pretend struct {
	mu   sync.Mutex
	sent []sent
	// act decides about the n-th try of a channel, from 1; nil sends all.
	act   func(ctx context.Context, channel string, n int) error
	tries map[string]int
}

type sent struct {
	channel string
	at      time.Time
	key     string
	message notify.Message
}

func (p *pretend) Check(notify.Channel, []byte) error { return nil }

func (p *pretend) Send(ctx context.Context, d notify.Delivery) error {
	p.mu.Lock()
	if p.tries == nil {
		p.tries = map[string]int{}
	}
	p.tries[d.Channel.ID]++
	n := p.tries[d.Channel.ID]
	p.mu.Unlock()
	if p.act != nil {
		if err := p.act(ctx, d.Channel.ID, n); err != nil {
			return err
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, sent{d.Channel.ID, time.Now(), d.Key, d.Message})
	return nil
}

// titles are those that a channel got, in order.
func (p *pretend) titles(channel string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []string{}
	for _, s := range p.sent {
		if s.channel == channel {
			out = append(out, s.message.Title)
		}
	}
	return out
}

func (p *pretend) tried(channel string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tries[channel]
}

func (p *pretend) last() sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.sent[len(p.sent)-1]
}

// house is a running service in a bubble of time.
type house struct {
	*notify.Service
	*pretend
	t       *testing.T
	tenant  storage.Tenant
	options notify.Options
	stop    func()

	mu       sync.Mutex
	outcomes []notify.Outcome
}

// open makes a service with the kind "pretend"; nothing is sent until run.
func open(t *testing.T, p *pretend, change ...func(*notify.Options)) *house {
	t.Helper()
	tenant, v := newTenant(t)
	h := &house{t: t, tenant: tenant, pretend: p}
	h.options = notify.Options{Vault: v, Senders: map[notify.Kind]notify.Sender{"pretend": p}, Observer: func(o notify.Outcome) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.outcomes = append(h.outcomes, o)
	}}
	for _, f := range change {
		f(&h.options)
	}
	h.again()
	return h
}

// again is another process over the same store.
func (h *house) again() {
	s, err := notify.New(h.tenant, &h.options)
	require.NoError(h.t, err)
	h.Service = s
}

func (h *house) run() {
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	h.stop = func() {
		cancel()
		require.NoError(h.t, <-done)
		h.stop = func() {}
	}
	h.t.Cleanup(func() { h.stop() })
}

func (h *house) add(id string, change ...func(*notify.Channel)) {
	h.t.Helper()
	c := notify.Channel{ID: id, User: "ann", Kind: "pretend"}
	for _, f := range change {
		f(&c)
	}
	require.NoError(h.t, h.Add(h.t.Context(), c, nil))
}

func (h *house) tell(n notify.Notification) notify.Result {
	h.t.Helper()
	if n.User == "" {
		n.User = "ann"
	}
	r, err := h.Notify(h.t.Context(), n)
	require.NoError(h.t, err)
	return r
}

func (h *house) pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (h *house) dead() []notify.Dead {
	h.t.Helper()
	d, err := h.DeadLetters(h.t.Context())
	require.NoError(h.t, err)
	return d
}

func field(t *testing.T, err error) string {
	t.Helper()
	f, ok := errors.AsType[*notify.FieldError](err)
	require.True(t, ok, "%v", err)
	return f.Field
}

var svg = notify.Attachment{Name: "spy.svg", ContentType: "image/svg+xml", Data: []byte("<svg xmlns='http://www.w3.org/2000/svg'/>"), Text: "500 ┤ ╭╮\n499 ┼─╯╰ <`>"}

var queryAll = storage.RecordQuery{Limit: 1000}
