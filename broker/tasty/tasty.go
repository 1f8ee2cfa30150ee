// Package tasty puts tastytrade behind the broker-neutral interfaces: an
// [Adapter] over a [tastytrade.Client] is a [market.Source], and
// through [Adapter.Broker] a [broker.Broker].
//
// Quotes come from the REST snapshot, option chains from the list of contracts
// and the stream's snapshots of each, bars from the stream's candles. The
// websocket is opened when it is first needed and kept; it reconnects by
// itself.
//
// # Orders
//
// An order's tag is the broker's external identifier. Nothing that writes is sent
// twice: when no answer comes, the account's orders are read for the tag. A leg
// that closes asks for strict validation, so that the broker rejects it when there
// is nothing to close, where it would otherwise open a position. Events come from
// the account streamer; after every break in it the orders, positions and balances
// are read, and what changed meanwhile is told.
//
// The broker does not say whether a future that is bought or sold opens a
// position: such an order is read back as opening. It replaces prices and times
// in force and keeps quantities. It does not look at tags, so that the same tag
// sent by two programs makes two orders: an adapter refuses what it has sent
// itself, and a [broker.Guard] what any of its processes has.
//
// # What it cannot know
//
// Splits are in no route, so Events has none. Non-standard (adjusted) option
// chains are left out, because their contracts deliver something else than 100
// shares. Candles reach back about 8,000 per request; older ones are left out.
// Nothing in the list of contracts says how an option may be exercised: options
// on an index are taken as European and all others as American, which holds for
// all but a few index options (OEX). In the sandbox, metrics and events are
// [market.ErrUnsupported] where production has them.
//
// # Greeks
//
// The stream's vega and rho are per percentage point and are multiplied by 100
// here, as [market.OptionQuote] wants them.
package tasty

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// Options of [New].
type Options struct {
	// Environment says whose money it is. It is required, and must be what the
	// client's BaseURL leads to: nothing can check it.
	Environment broker.Environment
	// Clock is the market's time: the simulator's, when the client talks to one.
	// Nil: market.SystemClock.
	Clock market.Clock
	// Calendar gives the sessions of daily and longer bars. Nil: market.NYSE.
	Calendar *market.Calendar
	// Timeout is for calls whose context has no deadline. 0: 15 s.
	Timeout time.Duration
	// Settle is how long, in an option chain, the stream may be silent before
	// what has arrived is taken as all there is. 0: 1.5 s.
	Settle time.Duration
	// AccountStreamer is the address of the account streamer, for the simulator,
	// which has no events without it. Empty: that of the client's environment.
	AccountStreamer string
	// Reconcile says how long an order is looked for when its placing went
	// unanswered. The zero value is 4 attempts, the first at once, the second
	// after 250 ms, each further one after twice as long. Since is set by the
	// adapter.
	Reconcile tastytrade.ReconcileOptions
	// Logger gets what is survived: a fallback, a snapshot with holes. Nil: nothing.
	Logger *slog.Logger
}

// An Adapter reads one credential's accounts and market data, and trades in those
// accounts. It is safe for concurrent use. Close it when done; the client stays
// its owner's.
type Adapter struct {
	client *tastytrade.Client
	opts   Options

	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu      sync.Mutex
	conn    *dxlink.Conn
	dialing chan struct{} // closed when the dial in progress has ended; nil when there is none

	caches caches
	names  *tastytrade.SymbolIndex // of the stream
	tags   sentTags
}

var (
	_ broker.Reader = (*Adapter)(nil)
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

// New returns an adapter over client. It connects to nothing yet.
func New(client *tastytrade.Client, opts *Options) (*Adapter, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	known := []broker.Environment{broker.Simulator, broker.Sandbox, broker.Production}
	switch {
	case client == nil:
		return nil, invalid.Missing("client", "a client of tastytrade.NewClient")
	case !slices.Contains(known, o.Environment):
		return nil, invalid.Field("Environment", string(o.Environment), "simulator, sandbox or production")
	case o.Timeout < 0:
		return nil, invalid.Field("Timeout", o.Timeout, "a positive duration, or 0 for 15 s")
	case o.Settle < 0:
		return nil, invalid.Field("Settle", o.Settle, "a positive duration, or 0 for 1.5 s")
	case o.Reconcile.Attempts < 0:
		return nil, invalid.Field("Reconcile.Attempts", o.Reconcile.Attempts, "1 or more, or 0 for 4")
	case o.Reconcile.Wait < 0:
		return nil, invalid.Field("Reconcile.Wait", o.Reconcile.Wait, "a positive duration, or 0 for 250 ms")
	}
	if o.Reconcile.Attempts == 0 {
		o.Reconcile.Attempts = 4
	}
	if o.Reconcile.Wait == 0 {
		o.Reconcile.Wait = 250 * time.Millisecond
	}
	if o.Clock == nil {
		o.Clock = market.SystemClock()
	}
	if o.Calendar == nil {
		o.Calendar = market.NYSE()
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	if o.Settle == 0 {
		o.Settle = 1500 * time.Millisecond
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	a := &Adapter{client: client, opts: o}
	a.names = tastytrade.NewSymbolIndex(a.today())
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a, nil
}

// Close ends the stream and waits for it. Calls in flight and later ones fail
// with [broker.ErrUnavailable].
func (a *Adapter) Close() error {
	a.cancel()
	a.mu.Lock()
	conn, dialing := a.conn, a.dialing
	a.conn = nil
	a.mu.Unlock()
	if dialing != nil {
		<-dialing // it was cancelled above, and closes what it may have opened
	}
	if conn != nil {
		return conn.Close()
	}
	return nil
}

// Environment tells whose money it is.
func (a *Adapter) Environment() broker.Environment { return a.opts.Environment }

// bounded gives ctx a deadline when it has none, and ends it with the adapter.
func (a *Adapter) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	var cancel context.CancelFunc
	if _, ok := ctx.Deadline(); ok {
		ctx, cancel = context.WithCancel(ctx)
	} else {
		ctx, cancel = context.WithTimeout(ctx, a.opts.Timeout)
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

// early is ctx with a deadline a little before its own, so that there is time
// to return what has arrived.
func early(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(500*time.Millisecond, time.Until(deadline)/10)))
}

// stream returns the connection, and makes one when there is none or the old
// one has ended. One caller dials; the others wait for it.
func (a *Adapter) stream(ctx context.Context) (*dxlink.Conn, error) {
	for {
		if a.ctx.Err() != nil {
			return nil, fmt.Errorf("tasty: the adapter is closed: %w", broker.ErrUnavailable)
		}
		a.mu.Lock()
		if a.conn != nil {
			select {
			case <-a.conn.Done():
				a.conn = nil
			default:
				conn := a.conn
				a.mu.Unlock()
				return conn, nil
			}
		}
		if dialing := a.dialing; dialing != nil {
			a.mu.Unlock()
			select {
			case <-dialing:
				continue
			case <-ctx.Done():
				return nil, a.failure("opening the market data stream", ctx.Err())
			}
		}
		a.dialing = make(chan struct{})
		a.mu.Unlock()
		conn, err := a.client.DialMarketData(ctx, nil)
		a.mu.Lock()
		closed := a.ctx.Err() != nil
		if err == nil && !closed {
			a.conn = conn
		}
		dialing := a.dialing
		a.dialing = nil
		a.mu.Unlock()
		if err == nil && closed {
			err = dxlink.ErrClosed
			_ = conn.Close() // ended before anyone used it
		}
		close(dialing)
		if err != nil {
			return nil, a.failure("opening the market data stream", err)
		}
		return conn, nil
	}
}

// now is the market's time in New York.
func (a *Adapter) now() time.Time { return a.opts.Clock.Now().In(a.opts.Calendar.Location()) }

func (a *Adapter) today() market.Date { return market.DateOf(a.now()) }
