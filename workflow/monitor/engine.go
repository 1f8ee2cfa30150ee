package monitor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// NewsSource is where news come from; see [market.NewsSource]. One that also is a
// [market.NewsStreamer] is listened to, others are polled.
type NewsSource = market.NewsSource

// Options are what an [Engine] works with. Market is required.
type Options struct {
	// Market gives bars for gaps and indicators, volatility figures, dividends, and
	// quotes when there is no stream.
	Market market.Source
	// Stream pushes quotes. Nil: they are polled, and each minute's bar is looked at
	// for what happened between two polls.
	Stream market.Streamer
	// News are the sources of news; none: rules about news wait.
	News []NewsSource
	// Notify hands notices over. Nil: they go into the tenant's queue [QueueName].
	Notify   Notifier
	Clock    market.Clock     // nil: the system's
	Calendar *market.Calendar // nil: market.NYSE()
	Logger   *slog.Logger     // nil: nothing is logged
	Core     CoreOptions      // Calendar is taken from above when it is nil

	Poll       time.Duration // of quotes without a stream; 0 means 5 s
	NewsPoll   time.Duration // of news without a stream; 0 means 1 min
	Metrics    time.Duration // of volatility figures; 0 means 5 min
	Positions  time.Duration // of positions and balances, beside the account's events; 0 means 1 min
	Resync     time.Duration // how often the rules' revision is looked at; 0 means 15 s
	Checkpoint time.Duration // how often marks are saved; 0 means 10 s
}

// A Member is a tenant whose rules an engine watches.
type Member struct {
	ID    storage.TenantID
	Store storage.Tenant
	// Broker reads the tenant's accounts; when it also is a broker.EventSource, its
	// events are listened to. Nil: rules about positions wait.
	Broker broker.Reader
}

// An Engine watches the rules of tenants that share one feed of quotes: all of a
// licensed feed, or one tenant with a quote token of its own. It keeps the state
// of rules in each tenant's store, so that another engine goes on where this one
// ended. Several engines may watch the same tenant: a firing is told once.
//
// What a rule's firing writes is written before anybody is told; the notice then
// carries a key that is the same after a crash. Marks of what was seen are saved
// every Checkpoint, after all firings up to them: what happened between the marks
// and a crash, and while no engine ran, is judged by bars at the next start.
type Engine struct {
	opts Options
	log  *slog.Logger

	mu      sync.Mutex // core, members, queue, gaps, counters
	core    *Core
	members map[storage.TenantID]*member
	queue   []item
	gaps    []*gap
	polled  map[market.Symbol]bool // what the stream cannot carry
	status  Status
	running bool

	saver   signal // there is something in the queue
	kicks   signals
	courier *courier
	run     context.Context
	wait    sync.WaitGroup
}

type member struct {
	Member
	rules    *Rules
	notify   Notifier
	marks    Marks
	revision string
	known    map[string]time.Time // rules in the core, by when they were made
	loaded   bool
	stories  uint64     // of the seen set when it was last saved
	synced   sync.Mutex // one synchronisation at a time
}

// Status is how an engine stands.
type Status struct {
	Tenants   int           `json:"tenants"`
	Rules     int           `json:"rules"`
	Symbols   int           `json:"symbols"`
	Streaming bool          `json:"streaming"` // quotes come from a stream that is up
	Quotes    uint64        `json:"quotes"`    // taken since the start
	Fired     uint64        `json:"fired"`
	Delivered uint64        `json:"delivered"`
	Waiting   int           `json:"waiting"` // firings not yet written or handed over
	Gaps      int           `json:"gaps"`    // not yet judged
	LastQuote time.Time     `json:"last_quote,omitzero"`
	Slowest   time.Duration `json:"slowest"` // a quote's way to its decision, at worst
}

// New returns an engine without tenants. It does no I/O.
func New(opts *Options) (*Engine, error) {
	if opts == nil || opts.Market == nil {
		return nil, invalid.Missing("Market", "a source of bars and quotes")
	}
	o := *opts
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{
		{"Poll", &o.Poll, 5 * time.Second}, {"NewsPoll", &o.NewsPoll, time.Minute}, {"Metrics", &o.Metrics, 5 * time.Minute},
		{"Positions", &o.Positions, time.Minute}, {"Resync", &o.Resync, 15 * time.Second}, {"Checkpoint", &o.Checkpoint, 10 * time.Second},
	} {
		if *d.value < 0 {
			return nil, invalid.Field(d.name, *d.value, "0 for the default, or a positive duration")
		}
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	if o.Clock == nil {
		o.Clock = market.SystemClock()
	}
	if o.Calendar == nil {
		o.Calendar = market.NYSE()
	}
	if o.Core.Calendar == nil {
		o.Core.Calendar = o.Calendar
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	core, err := NewCore(&o.Core)
	if err != nil {
		return nil, err
	}
	e := &Engine{opts: o, log: o.Logger, core: core, members: map[storage.TenantID]*member{}, polled: map[market.Symbol]bool{}, saver: newSignal()}
	e.courier = newCourier(e)
	return e, nil
}

// AddTenant has the rules of a tenant watched, from now on or from Run.
func (e *Engine) AddTenant(m Member) error {
	if err := m.ID.Validate(); err != nil {
		return err
	}
	if m.Store == nil {
		return invalid.Missing("Store", "the tenant's store")
	}
	rules, err := OpenRules(m.Store)
	if err != nil {
		return fmt.Errorf("monitor: %w", err)
	}
	member := &member{Member: m, rules: rules, notify: e.opts.Notify, known: map[string]time.Time{}}
	if member.notify == nil {
		queue, err := m.Store.Queue(QueueName, nil)
		if err != nil {
			return fmt.Errorf("monitor: %w", err)
		}
		member.notify = QueueNotifier(queue)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, ok := e.members[m.ID]; ok {
		return invalid.Field("ID", string(m.ID), "a tenant that is not there yet")
	}
	e.members[m.ID] = member
	if e.running {
		e.wait.Go(func() { e.serve(e.run, member) })
	}
	return nil
}

// Run watches until ctx ends, which is no error; then it writes what has fired and
// the marks, and waits for everything it started. It can be called once.
func (e *Engine) Run(ctx context.Context) error {
	e.mu.Lock()
	if e.running || e.run != nil {
		e.mu.Unlock()
		return errors.New("monitor: the engine has run already")
	}
	run, stop := context.WithCancel(ctx)
	defer stop()
	e.running, e.run = true, run
	members := make([]*member, 0, len(e.members))
	for _, m := range e.members {
		members = append(members, m)
	}
	e.mu.Unlock()

	saverEnds, endSaver := context.WithCancel(context.WithoutCancel(ctx))
	var saving sync.WaitGroup
	saving.Go(func() { e.save(saverEnds) })
	e.wait.Go(func() { e.courier.run(run) })
	for _, m := range members {
		e.wait.Go(func() { e.serve(run, m) })
	}
	for _, loop := range []func(context.Context){e.quotes, e.polls, e.bars, e.judgeGaps, e.metrics, e.dividends, e.news, e.time, e.checkpoints} {
		e.wait.Go(func() { loop(run) })
	}
	<-ctx.Done()
	stop()
	e.mu.Lock()
	e.running = false
	e.mu.Unlock()
	e.wait.Wait()
	e.checkpoint()
	endSaver()
	saving.Wait()
	return nil
}

// Status returns how the engine stands.
func (e *Engine) Status() Status {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.status
	s.Tenants, s.Rules, s.Symbols, s.Gaps = len(e.members), e.core.Len(), len(e.core.Symbols()), len(e.gaps)
	s.Waiting = len(e.queue) + e.courier.waiting()
	return s
}

// now is the clock's time.
func (e *Engine) now() time.Time { return e.opts.Clock.Now() }

// sleep waits for d of the clock's time, until a kick comes, or ctx ends; false
// when it has.
func (e *Engine) sleep(ctx context.Context, d time.Duration, kick <-chan struct{}) bool {
	timer := e.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C():
	case <-kick:
	}
	return ctx.Err() == nil
}

// decide lets the core take something, and queues what fires.
func (e *Engine) decide(take func(c *Core) []Firing) {
	e.mu.Lock()
	fired := take(e.core)
	for _, f := range fired {
		e.queue = append(e.queue, item{firing: f})
	}
	e.status.Fired += uint64(len(fired))
	e.mu.Unlock()
	if len(fired) > 0 {
		e.saver.send()
	}
}

// Quote takes a quote from a feed of the caller's own, beside Options.Stream.
func (e *Engine) Quote(q market.Quote) {
	start := time.Now()
	now := e.now()
	e.decide(func(c *Core) []Firing {
		e.status.Quotes++
		e.status.LastQuote = now
		return c.Quote(q, now)
	})
	if took := time.Since(start); took > 0 {
		e.mu.Lock()
		e.status.Slowest = max(e.status.Slowest, took)
		e.mu.Unlock()
	}
}

// time tells the core the time.
func (e *Engine) time(ctx context.Context) {
	for e.sleep(ctx, time.Second, nil) {
		e.decide(func(c *Core) []Firing { return c.Advance(e.now()) })
	}
}

// A signal wakes one who waits; several sends before it looks are one.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) send() {
	select {
	case s <- struct{}{}:
	default:
	}
}

// signals wake all loops whose needs may have changed.
type signals struct {
	mu  sync.Mutex
	all []signal
}

func (s *signals) listen() signal {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := newSignal()
	s.all = append(s.all, n)
	return n
}

func (s *signals) send() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.all {
		n.send()
	}
}
