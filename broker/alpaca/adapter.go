package alpaca

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/market"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// Options of [New]. Client.Credentials are required; the zero value of the rest
// works.
type Options struct {
	Client ClientOptions
	// Clock is the market's time. Nil: market.SystemClock.
	Clock market.Clock
	// Calendar gives the sessions. Nil: market.NYSE.
	Calendar *market.Calendar
	// Stream configures the connections of [Adapter.AccountEvents] and
	// [Adapter.StreamQuotes].
	Stream StreamOptions
	// Reconcile bounds how long an order is looked for whose answer did not come.
	// 0: 5 s. Negative: it is not looked for, and its outcome is unknown.
	Reconcile time.Duration
}

// An Adapter trades the account of one credential and reads market data. It is
// safe for concurrent use. Close it when done.
type Adapter struct {
	client *Client
	opts   Options

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wait   sync.WaitGroup // streams
	hubs   [3]*quoteHub   // by Market

	mu      sync.Mutex
	account map[string]broker.AccountID // by what names the credentials
	families
	caches
}

var (
	_ broker.Broker = trading{}
	_ market.Source = (*Adapter)(nil)
)

// Broker returns the adapter as a [broker.Broker]. It is a view of the same
// adapter, needed because a source and a broker each have events of their own:
// its Events are [Adapter.AccountEvents].
func (a *Adapter) Broker() broker.Broker { return trading{a} }

// trading is an adapter whose events are those of accounts.
type trading struct{ *Adapter }

func (t trading) Events(ctx context.Context, accounts ...broker.AccountID) (broker.EventStream, error) {
	return t.AccountEvents(ctx, accounts...)
}

// New returns an adapter. It connects to nothing yet.
func New(opts *Options) (*Adapter, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	client, err := NewClient(o.Client)
	if err != nil {
		return nil, err
	}
	if o.Stream, err = o.Stream.complete(); err != nil {
		return nil, err
	}
	if o.Clock == nil {
		o.Clock = market.SystemClock()
	}
	if o.Calendar == nil {
		o.Calendar = market.NYSE()
	}
	if o.Reconcile == 0 {
		o.Reconcile = 5 * time.Second
	}
	a := &Adapter{client: client, opts: o, account: map[string]broker.AccountID{}}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	a.hubs = newHubs(a)
	return a, nil
}

// Client returns the client below, for what the adapter has no method for. It
// places orders that no guard sees.
func (a *Adapter) Client() *Client { return a.client }

// background runs functions that Close waits for. It tells that there are none when
// the adapter is closed.
func (a *Adapter) background(all ...func()) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() != nil {
		return false
	}
	for _, f := range all {
		a.wait.Go(f)
	}
	return true
}

// Close ends the streams and waits for them. Calls in flight and later ones
// fail with [broker.ErrUnavailable].
func (a *Adapter) Close() error {
	a.mu.Lock()
	a.cancel()
	a.mu.Unlock()
	a.wait.Wait()
	a.client.CloseIdle()
	return nil
}

// Environment tells whose money it is.
func (a *Adapter) Environment() broker.Environment {
	if a.client.Live() {
		return broker.Production
	}
	return broker.Paper
}

// bounded gives ctx a deadline when it has none, and ends it with the adapter.
func (a *Adapter) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if _, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		timeout := a.client.opts.Timeout
		if timeout == 0 {
			timeout = 30 * time.Second
		}
		ctx, cancel = context.WithTimeout(ctx, timeout)
	}
	stop := context.AfterFunc(a.ctx, cancel)
	if a.ctx.Err() != nil {
		cancel() // AfterFunc would do so too, a moment later
	}
	return ctx, func() {
		stop()
		cancel()
	}
}

// now is the market's time in New York.
func (a *Adapter) now() time.Time { return a.opts.Clock.Now().In(a.opts.Calendar.Location()) }

func (a *Adapter) today() market.Date { return market.DateOf(a.now()) }

// failure says what was being done and gives the error of a read, or of a write
// that certainly did nothing, the sentinel that callers branch on.
func (a *Adapter) failure(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, broker.ErrUnavailable), errors.Is(err, broker.ErrUnauthorized), errors.Is(err, broker.ErrUnknownAccount):
		return fmt.Errorf("alpaca: %s: %w", doing, err)
	case a.ctx.Err() != nil:
		return fmt.Errorf("alpaca: %s: the adapter is closed: %w", doing, broker.ErrUnavailable)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("alpaca: %s: %w: %w", doing, broker.ErrUnavailable, context.Canceled)
	case errors.Is(err, ErrUnauthorized), errors.Is(err, errNotSent):
		return fmt.Errorf("alpaca: %s: %w: %w", doing, broker.ErrUnauthorized, err)
	}
	if field, ok := errors.AsType[*FieldError](err); ok {
		return fmt.Errorf("alpaca: %s: %w", doing, field)
	}
	if api, ok := errors.AsType[*APIError](err); ok && api.Status < 500 && api.Status != 429 {
		return fmt.Errorf("alpaca: %s: %w", doing, api) // the broker's words say why
	}
	return fmt.Errorf("alpaca: %s: %w: %w", doing, broker.ErrUnavailable, err)
}

// An outcome says what became of a write.
type outcome int

const (
	refused   outcome = iota // the broker said no, by *APIError
	untouched                // the broker certainly did not act
	unknown                  // it may have acted
)

// judge tells what an error of a write means.
func judge(err error) outcome {
	if errors.Is(err, errNotSent) {
		return untouched
	}
	if transport, ok := errors.AsType[*rest.TransportError](err); ok {
		if transport.Dispatched {
			return unknown
		}
		return untouched
	}
	if api, ok := errors.AsType[*APIError](err); ok {
		switch {
		case api.Status == 429, api.Is(ErrUnauthorized):
			return untouched
		case api.Status == 408, api.Status < 400, api.Status > 499:
			return unknown // a timeout, a redirect, or a gateway that may have passed it on
		}
		return refused
	}
	if _, ok := errors.AsType[*FieldError](err); ok {
		return untouched
	}
	return unknown
}
