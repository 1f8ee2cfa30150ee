package strategy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A StopPolicy says what becomes of orders and positions when a run ends.
type StopPolicy string

// The policies.
const (
	LeaveOrders  StopPolicy = ""        // all stays as it is; the next run takes it up
	CancelOrders StopPolicy = "cancel"  // working orders are cancelled
	FlattenAll   StopPolicy = "flatten" // and positions closed at the market
)

// A StateStore keeps the state of a strategy between runs. Implementations are
// safe for concurrent use; a store of storage behind them is for the caller.
type StateStore interface {
	// Load returns what was saved under a name; nil when nothing was.
	Load(ctx context.Context, name string) (json.RawMessage, error)
	// Save replaces it, wholly or not at all.
	Save(ctx context.Context, name string, state json.RawMessage) error
}

// RunOptions say what is run. The first four are required.
type RunOptions struct {
	Strategy Strategy
	// Broker is the paper exchange, an adapter, or a *broker.Guard before one. Where
	// orders need a person's approval, [AwaitApproval] waits for it.
	Broker  broker.Broker
	Account broker.AccountID
	// Source is the market data. When it is a market.Streamer as well, quotes are
	// pushed; otherwise they are polled.
	Source market.Source
	// Streamer pushes quotes in the place of Source. Nil: Source, when it can.
	Streamer market.Streamer

	// Name tells this run from others in the account: see [SessionOptions].Name.
	// Empty: "strategy".
	Name   string
	Budget Budget
	// State keeps the run's state, so that the next run of the name goes on where
	// this one stopped. Nil: each run begins with the account as it is.
	State StateStore
	// Stop says what becomes of orders and positions when the run ends.
	Stop StopPolicy
	// StopWait is how long the end waits for cancels and closing fills; 30 seconds
	// when zero.
	StopWait time.Duration
	// Until ends the run; zero: with its context.
	Until time.Time
	// Extended hands on quotes and chains outside of the regular session too.
	Extended bool

	// PollQuotes is how often quotes are read that are not pushed; zero: 5 seconds,
	// at least 1.
	PollQuotes time.Duration
	// SyncEvery is how often positions and orders are compared with the broker's;
	// zero: 5 minutes, at least 10 seconds. A broker without events is read every 10
	// seconds when it is zero.
	SyncEvery time.Duration
	// SaveEvery is how often the state is saved beside after each order and fill;
	// zero: a minute.
	SaveEvery time.Duration
	// BarWait is how long the newest bar is asked for after it has ended; zero: 30
	// seconds. Then the strategy goes on without it, and gets it with the next one.
	BarWait time.Duration

	// Rate is the continuous risk-free rate for a time to expiry. Nil: 0.
	Rate func(years float64) float64
	// Columns is [Columns].Column at a time. Nil: no columns.
	Columns func(symbol market.Symbol, name string, at time.Time) float64
	// Multiplier is that of [SessionOptions].
	Multiplier func(market.Symbol) float64
	// Clock is the real one when nil, Calendar that of the New York Stock Exchange.
	Clock    market.Clock
	Calendar *market.Calendar
	// Unchecked starts without [Validate].
	Unchecked bool

	// Notes gets what the strategy says, Observer each event after it was handled.
	// They are called by the run's goroutine. Nil: nobody.
	Notes    func(Note)
	Observer func(*Event)
	// Logger is told about trouble with data and connections. Nil: nobody.
	Logger *slog.Logger
}

// resolvePatience is how long an order without an answer is looked for.
const resolvePatience = 10 * time.Minute

// Run runs a strategy with live data until its context ends, which is no error,
// Until comes, or the strategy returns an error.
//
// Before it starts it validates the strategy against the account: a
// *[ProblemsError] names everything that stands against it. It then takes up the
// saved state and the positions and orders of the account.
//
// Bars are read from the source when the calendar says that they have ended.
// Quotes are the latest of each symbol: a slow strategy misses those between.
// What happens to the account comes from the broker's events; after a gap in
// them, orders and positions are read anew, and the strategy is told by a
// GapEvent. An order whose outcome is not known is looked for by its tag, and
// never sent again.
func Run(ctx context.Context, opts RunOptions) error {
	if err := opts.defaults(); err != nil {
		return err
	}
	if !opts.Unchecked {
		problems := Validate(ctx, ValidateOptions{
			Strategy: opts.Strategy, Broker: opts.Broker, Account: opts.Account, Source: opts.Source, Budget: opts.Budget, Clock: opts.Clock, Calendar: opts.Calendar,
		})
		for _, p := range problems {
			opts.Logger.Info("strategy: " + p.String())
		}
		if len(problems) > 0 && problems[0].Severity == Blocking {
			return &ProblemsError{problems}
		}
	}
	r, err := newRun(&opts)
	if err != nil {
		return err
	}
	return r.run(ctx)
}

func (o *RunOptions) defaults() error {
	switch {
	case o.Strategy == nil:
		return invalid.Missing("Strategy", "a strategy")
	case o.Broker == nil:
		return invalid.Missing("Broker", "a broker")
	case o.Account == "":
		return invalid.Missing("Account", "an account")
	case o.Source == nil:
		return invalid.Missing("Source", "market data")
	case o.Stop != LeaveOrders && o.Stop != CancelOrders && o.Stop != FlattenAll:
		return invalid.Field("Stop", string(o.Stop), "nothing, cancel or flatten")
	}
	if o.Name == "" {
		o.Name = "strategy"
	}
	if o.Clock == nil {
		o.Clock = market.SystemClock()
	}
	if o.Calendar == nil {
		o.Calendar = market.NYSE()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Streamer == nil {
		o.Streamer, _ = o.Source.(market.Streamer)
	}
	for _, d := range []struct {
		at           *time.Duration
		usual, least time.Duration
	}{
		{&o.StopWait, 30 * time.Second, 0}, {&o.PollQuotes, 5 * time.Second, time.Second}, {&o.SaveEvery, time.Minute, time.Second},
		{&o.BarWait, 30 * time.Second, time.Second}, {&o.SyncEvery, o.syncUsual(), 10 * time.Second},
	} {
		if *d.at == 0 {
			*d.at = d.usual
		}
		*d.at = max(*d.at, d.least)
	}
	return nil
}

func (o *RunOptions) syncUsual() time.Duration {
	if o.Broker.Capabilities().Events {
		return 5 * time.Minute
	}
	return 10 * time.Second
}

// A live is one run.
type live struct {
	opts    *RunOptions
	session *Session
	needs   Needs
	data    *liveData
	bars    barClock

	account chan accountNews
	quotes  *quoteFeed

	nextChain, nextSync, nextSave, nextResolve time.Time
	resolves                                   int
	read                                       time.Time // when the account was read last, to its end
	dirty                                      bool      // something is not saved that must not be lost
}

func newRun(opts *RunOptions) (*live, error) {
	r := &live{opts: opts, account: make(chan accountNews)}
	r.data = newLiveData(opts)
	session, err := NewSession(opts.Strategy, SessionOptions{
		Broker: opts.Broker, Account: opts.Account, Data: r.data, Budget: opts.Budget, Name: opts.Name,
		// Each start has tags of its own.
		Run:      strconv.FormatInt(opts.Clock.Now().UnixMilli(), 36),
		Calendar: opts.Calendar, Multiplier: opts.Multiplier, Notes: opts.Notes, Apart: true,
	})
	if err != nil {
		return nil, err
	}
	r.session, r.needs = session, session.needs
	r.data.session = session
	return r, nil
}

func (r *live) run(ctx context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var state json.RawMessage
	if r.opts.State != nil {
		if state, err = r.opts.State.Load(ctx, r.opts.Name); err != nil {
			return fmt.Errorf("strategy: loading the state of %s: %w", r.opts.Name, err)
		}
	}
	// The stream begins before the account is read, so that nothing falls between.
	events, err := r.opts.Broker.Events(ctx, r.opts.Account)
	if err != nil && !errors.Is(err, broker.ErrUnsupported) {
		return fmt.Errorf("strategy: subscribing to the account: %w", err)
	}
	feeds := newGroup()
	defer feeds.wait()
	defer cancel(nil)
	if events != nil {
		feeds.run(func() { r.readAccount(ctx, events) })
	}
	now := r.opts.Clock.Now()
	if err := r.data.begin(ctx, r.needs, now); err != nil {
		return err
	}
	if err := r.session.Start(ctx, now, state); err != nil {
		return err
	}
	r.session.book.synced, r.read = now, r.opts.Clock.Now()
	r.quotes = newQuoteFeed(r.opts, r.needs)
	feeds.run(func() { r.quotes.read(ctx) })
	// A bar that ended just now may not be there yet.
	r.bars = newBarClock(r.opts.Calendar, r.needs.Interval, now.Add(-r.opts.BarWait))
	r.nextSync, r.nextSave, r.nextResolve = now.Add(r.opts.SyncEvery), now.Add(r.opts.SaveEvery), now
	r.nextChain = now
	r.dirty = true
	err = r.loop(ctx)
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		err = nil // it was asked to end
	}
	return errors.Join(err, r.stop(context.WithoutCancel(ctx)))
}

// loop handles what comes until the run ends.
func (r *live) loop(ctx context.Context) error {
	timer := r.opts.Clock.NewTimer(0)
	defer timer.Stop()
	for {
		if err := r.due(ctx); err != nil {
			return err
		}
		if err := r.save(ctx, false); err != nil {
			return err
		}
		now := r.opts.Clock.Now()
		if !r.opts.Until.IsZero() && !now.Before(r.opts.Until) {
			return nil
		}
		r.quotes.watch(r.data.watched())
		timer.Reset(max(r.next().Sub(now), 0))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case news := <-r.account:
			if err := r.happened(ctx, news); err != nil {
				return err
			}
		case <-r.quotes.ready:
			if err := r.quoted(); err != nil {
				return err
			}
		case <-timer.C():
		}
	}
}

// next is when something is due by itself.
func (r *live) next() time.Time {
	next := r.nextSync
	earlier := func(t time.Time) {
		if !t.IsZero() && t.Before(next) {
			next = t
		}
	}
	earlier(r.bars.next)
	if len(r.needs.Chains) > 0 {
		earlier(r.nextChain)
	}
	if r.opts.State != nil {
		earlier(r.nextSave)
	}
	if len(r.session.Uncertain()) > 0 {
		earlier(r.nextResolve)
	}
	if t, ok := r.session.NextTimer(); ok {
		earlier(t)
	}
	earlier(r.opts.Until)
	return next
}

// due does what is due now, in the order of its time.
func (r *live) due(ctx context.Context) error {
	now := r.opts.Clock.Now()
	if err := r.ended(ctx, now); err != nil {
		return err
	}
	if err := r.fire(now); err != nil {
		return err
	}
	if len(r.needs.Chains) > 0 && !now.Before(r.nextChain) {
		if err := r.chains(ctx, now); err != nil {
			return err
		}
	}
	if len(r.session.Uncertain()) > 0 && !now.Before(r.nextResolve) {
		if err := r.session.Resolve(ctx, now, resolvePatience); err != nil {
			r.opts.Logger.Warn("strategy: an order's outcome is still not known", "error", err)
		}
		r.resolves = min(r.resolves+1, 5)
		r.nextResolve = now.Add(time.Duration(1<<r.resolves) * time.Second)
		r.dirty = true
	}
	if len(r.session.Uncertain()) == 0 {
		r.resolves = 0
	}
	if !now.Before(r.nextSync) {
		r.nextSync = now.Add(r.opts.SyncEvery)
		return r.sync(ctx, now, false)
	}
	return nil
}

// deliver hands an event to the strategy, in the order of time.
func (r *live) deliver(e *Event) error {
	if e.Time.Before(r.session.now) {
		e.Time = r.session.now
	}
	if err := r.fire(e.Time); err != nil {
		return err
	}
	return r.hand(e)
}

// fire delivers the timers that are due.
func (r *live) fire(to time.Time) error {
	for range mostTimers {
		e, ok := r.session.pop(to)
		if !ok {
			return nil
		}
		if err := r.hand(&e); err != nil {
			return err
		}
	}
	return nil
}

func (r *live) hand(e *Event) error {
	err := r.session.Deliver(e)
	if e.Kind == OrderEvent || e.Kind == FillEvent || e.Kind == AccountEvent || r.session.Busy() {
		r.dirty = true
	}
	if r.opts.Observer != nil {
		r.opts.Observer(e)
	}
	return err
}

// ended delivers the bars that have ended, symbol by symbol in the order of
// time.
func (r *live) ended(ctx context.Context, now time.Time) error {
	if r.bars.next.IsZero() || now.Before(r.bars.next) {
		return nil
	}
	fresh, complete, err := r.data.newBars(ctx, r.needs, now, r.bars.end)
	if err != nil {
		r.opts.Logger.Warn("strategy: reading bars", "error", err)
	}
	for _, b := range fresh {
		r.data.append(b)
		if err := r.deliver(&Event{Kind: BarEvent, Time: b.end, Symbol: b.symbol, Bar: b.bar}); err != nil {
			return err
		}
	}
	if !complete && now.Before(r.bars.end.Add(r.opts.BarWait)) {
		r.bars.next = now.Add(max(time.Second, r.opts.BarWait/15))
		return nil
	}
	r.bars.step(now)
	return nil
}

func (r *live) chains(ctx context.Context, now time.Time) error {
	every := r.needs.ChainEvery
	if every == 0 {
		every = time.Minute
	}
	r.nextChain = now.Add(max(every, time.Second))
	if !r.opts.Extended && !r.opts.Calendar.IsOpen(now) {
		return nil
	}
	for _, u := range r.needs.Chains {
		chain, err := r.data.readChain(ctx, r.needs, u, now)
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.opts.Logger.Warn("strategy: reading the option chain", "symbol", u, "error", err)
			continue
		}
		if err := r.deliver(&Event{Kind: ChainEvent, Time: now, Symbol: u, Chain: chain}); err != nil {
			return err
		}
	}
	return nil
}

// quoted takes the quotes that came.
func (r *live) quoted() error {
	now := r.opts.Clock.Now()
	quotes, gap := r.quotes.take()
	for i := range quotes {
		r.data.put(quotes[i])
	}
	if gap {
		if err := r.deliver(&Event{Kind: GapEvent, Time: now}); err != nil {
			return err
		}
	}
	if !r.needs.Quotes || !r.opts.Extended && !r.opts.Calendar.IsOpen(now) {
		return nil
	}
	for i := range quotes {
		if err := r.deliver(&Event{Kind: QuoteEvent, Time: now, Symbol: quotes[i].Symbol, Quote: quotes[i]}); err != nil {
			return err
		}
	}
	return nil
}

// happened takes what came from the account.
func (r *live) happened(ctx context.Context, news accountNews) error {
	now := r.opts.Clock.Now()
	e := news.event
	switch {
	case news.gap || e.Gap != nil:
		return r.sync(ctx, now, true)
	case e.Order != nil:
		return r.deliver(&Event{Kind: OrderEvent, Time: now, Order: e.Order})
	case e.Fill != nil:
		if at := e.Fill.Time; !at.Before(r.session.book.synced) && at.Before(r.read) {
			// Whether the positions had it when they were read is not known.
			r.nextSync = earliest(r.nextSync, now.Add(5*time.Second))
		}
		return r.deliver(&Event{Kind: FillEvent, Time: now, Fill: e.Fill})
	case e.Transaction != nil:
		return r.deliver(&Event{Kind: AccountEvent, Time: now, Transaction: e.Transaction})
	}
	return nil
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// sync reads the account anew, and tells the strategy when something may have
// been missed.
func (r *live) sync(ctx context.Context, now time.Time, gap bool) error {
	if !gap && r.session.Busy() {
		// Orders and positions may be read at different moments of a fill.
		r.nextSync = now.Add(10 * time.Second)
		return nil
	}
	before := r.session.fingerprint()
	began := r.opts.Clock.Now()
	if err := r.session.Sync(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.opts.Logger.Warn("strategy: reading the account", "error", err)
		if gap { // it must be read before the strategy goes on from it
			r.nextSync = now.Add(10 * time.Second)
		}
		return nil
	}
	r.session.book.synced, r.read = began, r.opts.Clock.Now()
	if gap {
		r.nextSync = earliest(r.nextSync, now.Add(10*time.Second))
	}
	if !gap && before == r.session.fingerprint() {
		return nil
	}
	r.dirty = true
	return r.deliver(&Event{Kind: GapEvent, Time: now})
}

// save keeps the state: at once after what must not be lost, otherwise from time
// to time.
func (r *live) save(ctx context.Context, last bool) error {
	now := r.opts.Clock.Now()
	if r.opts.State == nil || !last && !r.dirty && now.Before(r.nextSave) {
		return nil
	}
	r.nextSave, r.dirty = now.Add(r.opts.SaveEvery), false
	state, err := r.session.Snapshot()
	if err != nil {
		return fmt.Errorf("strategy: taking a snapshot: %w", err)
	}
	if err := r.opts.State.Save(ctx, r.opts.Name, state); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.opts.Logger.Warn("strategy: saving the state", "error", err)
		r.dirty, r.nextSave = false, now.Add(10*time.Second)
	}
	return nil
}
