package monitor_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// fake is a market that a test writes: quotes are pushed, bars are what they are.
type fake struct {
	market.Source // nil: what is not written panics
	mu            sync.Mutex
	bars          map[market.Symbol][]market.Bar
	barsErr       error
	quotes        map[market.Symbol]float64
	metrics       []market.Metrics
	streams       []*fakeStream
	streamErr     error
}

type fakeStream struct {
	f       *fake
	updates chan market.Update
	mu      sync.Mutex
	symbols map[market.Symbol]bool
}

func (f *fake) StreamQuotes(_ context.Context, symbols ...market.Symbol) (market.QuoteStream, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.streamErr != nil {
		return nil, f.streamErr
	}
	s := &fakeStream{f: f, updates: make(chan market.Update, 100), symbols: map[market.Symbol]bool{}}
	for _, x := range symbols {
		s.symbols[x] = true
	}
	f.streams = append(f.streams, s)
	return s, nil
}

func (s *fakeStream) Next(ctx context.Context) (market.Update, error) {
	select {
	case u, ok := <-s.updates:
		if !ok {
			return u, errors.New("the line is cut")
		}
		return u, nil
	case <-ctx.Done():
		return market.Update{}, ctx.Err()
	}
}

func (s *fakeStream) Add(_ context.Context, symbols ...market.Symbol) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range symbols {
		s.symbols[x] = true
	}
	return nil
}

func (s *fakeStream) Remove(_ context.Context, symbols ...market.Symbol) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range symbols {
		delete(s.symbols, x)
	}
	return nil
}

func (s *fakeStream) Close() error { return nil }

// push sends a price to the newest stream, when it carries the symbol.
func (f *fake) push(symbol market.Symbol, price float64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.quotes == nil {
		f.quotes = map[market.Symbol]float64{}
	}
	f.quotes[symbol] = price
	if len(f.streams) == 0 {
		return
	}
	s := f.streams[len(f.streams)-1]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.symbols[symbol] {
		q := last(symbol, price)
		s.updates <- market.Update{Quote: &q}
	}
}

func (f *fake) gap(from, to time.Time) {
	f.streams[len(f.streams)-1].updates <- market.Update{Gap: &market.StreamGap{From: from, To: to}}
}

func (f *fake) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []market.Quote
	for _, s := range symbols {
		if p, ok := f.quotes[s]; ok {
			out = append(out, last(s, p))
		}
	}
	return out, nil
}

func (f *fake) Bars(_ context.Context, r market.BarsRequest) ([]market.Bar, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.barsErr != nil {
		return nil, f.barsErr
	}
	var out []market.Bar
	for _, b := range f.bars[r.Symbol] {
		if !b.Time.Before(r.From) && (r.To.IsZero() || b.Time.Before(r.To)) {
			out = append(out, b)
		}
	}
	return out, nil
}

func (f *fake) Metrics(context.Context, []market.Symbol) ([]market.Metrics, error) {
	return f.metrics, nil
}

func (f *fake) Events(context.Context, market.Symbol, market.Date, market.Date) ([]market.Event, error) {
	return nil, market.ErrUnsupported
}

// inbox is what was told.
type inbox struct {
	mu     sync.Mutex
	got    []monitor.Notice
	owners []storage.TenantID
	refuse error
}

func (b *inbox) notify(_ context.Context, tenant storage.TenantID, n monitor.Notice) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.refuse != nil {
		return b.refuse
	}
	b.got, b.owners = append(b.got, n), append(b.owners, tenant)
	return nil
}

func (b *inbox) keys() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := []string{}
	for _, n := range b.got {
		out = append(out, n.Key)
	}
	return out
}

// bench is a store, a market and engines over them, in a bubble whose time begins
// within a session.
type bench struct {
	t      *testing.T
	store  storage.Store
	feed   *fake
	inbox  *inbox
	rules  *monitor.Rules
	tenant storage.Tenant
}

func newBench(t *testing.T) *bench {
	t.Helper()
	// a bubble begins at midnight UTC of 1 January 2000, a Saturday
	time.Sleep(time.Until(time.Date(2000, 1, 5, 15, 0, 0, 0, time.UTC)))
	store, err := memory.New(nil)
	require.NoError(t, err)
	tenant, err := store.For("anna")
	require.NoError(t, err)
	rules, err := monitor.OpenRules(tenant)
	require.NoError(t, err)
	t.Cleanup(func() { _ = store.Close() })
	return &bench{t: t, store: store, feed: &fake{bars: map[market.Symbol][]market.Bar{}}, inbox: &inbox{}, rules: rules, tenant: tenant}
}

// start runs an engine and returns what ends it.
func (b *bench) start(change func(*monitor.Options, *monitor.Member)) (engine *monitor.Engine, stop func()) {
	b.t.Helper()
	o := monitor.Options{Market: b.feed, Stream: b.feed, Notify: b.inbox.notify}
	m := monitor.Member{ID: "anna", Store: b.tenant}
	if change != nil {
		change(&o, &m)
	}
	e, err := monitor.New(&o)
	require.NoError(b.t, err)
	require.NoError(b.t, e.AddTenant(m))
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	settle(1)
	return e, func() {
		cancel()
		require.NoError(b.t, <-ended)
	}
}

// settle lets seconds pass and everything happen that they bring.
func settle(seconds int) {
	for range seconds {
		time.Sleep(time.Second)
		synctest.Wait()
	}
}

func (b *bench) add(text string) string {
	b.t.Helper()
	s, err := b.rules.Add(b.t.Context(), "u1", parse(b.t, text))
	require.NoError(b.t, err)
	settle(1)
	return s.ID
}
