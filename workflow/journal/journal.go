// Package journal has the embedded workflow engine: runs and their steps are
// records of a storage.Tenant, so that one SQLite file, or memory, is enough.
//
// A step is recorded before the next one begins. An engine holds one lease for
// all its runs; when it ends, because the process died or was stopped for too
// long, any other engine on the same data that has the code takes the runs over.
// Each write checks the run's record, which taking over changes: what an engine
// still writes for a run it lost is refused whole.
//
// Runs that sleep or await cost a goroutine each and no writes.
package journal

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

var (
	_ workflow.Engine = (*Engine)(nil)
	_ workflow.Log    = (*runLog)(nil)
)

// Options are the settings of an [Engine]. The zero value works.
type Options struct {
	// Clock tells the time of runs: sleeps, timeouts, backoff; nil means the
	// computer's. Leases and polls go by real time.
	Clock workflow.Clock
	// Lease is after how long the runs of a process that died are taken over; 0
	// means 30 seconds. At least 100 ms and at most a day.
	Lease time.Duration
	// Poll is how often the engine looks for runs without an owner, and for what
	// an event did not tell; 0 means 5 seconds. At least 10 ms.
	Poll time.Duration
	// Logger hears of runs taken over, refused or interrupted; nil means nobody.
	Logger *slog.Logger
}

// An Engine executes workflows over a tenant's records. It is safe for concurrent
// use. Any number may share the data, in one process or many.
type Engine struct {
	opts    Options
	catalog *workflow.Catalog
	records storage.Records
	locks   storage.Locks
	events  storage.PubSub // nil: the store has none, and polls tell
	sub     storage.Subscription

	ctx    context.Context
	stop   context.CancelCauseFunc
	loops  sync.WaitGroup
	runs   sync.WaitGroup
	closer sync.Once
	ended  error
	held   atomic.Bool // the lease is believed to be ours
	unsure atomic.Bool // a run of ours may be in the store that is not executed here

	mu      sync.Mutex
	closed  bool
	lease   storage.Lease // its name is the owner's
	active  map[string]*active
	blocked map[string]bool // runs that this engine's code cannot go on with
	waiting map[string]chan struct{}
}

// active is a run that this engine executes.
type active struct {
	ctx       context.Context
	stop      context.CancelCauseFunc
	cancelled context.Context
	cancel    context.CancelFunc
}

// New returns an engine that executes workflows over what tenant keeps, and goes
// on with the runs that no living engine has. Opts may be nil. The tenant needs
// Records and Locks, and tells changes at once with PubSub. Close must be called;
// the store is the caller's.
func New(ctx context.Context, tenant storage.Tenant, workflows []workflow.Workflow, opts *Options) (*Engine, error) {
	o, err := opts.validated()
	if err != nil {
		return nil, err
	}
	e := &Engine{opts: o, active: map[string]*active{}, blocked: map[string]bool{}, waiting: map[string]chan struct{}{}}
	if e.catalog, err = workflow.NewCatalog(workflows...); err != nil {
		return nil, err
	}
	if e.records, err = tenant.Records(); err != nil {
		return nil, err
	}
	if e.locks, err = tenant.Locks(); err != nil {
		return nil, err
	}
	if e.events, err = tenant.PubSub(); err != nil && !errors.Is(err, storage.ErrUnsupported) {
		return nil, err
	}
	if e.events != nil {
		if e.sub, err = e.events.Subscribe(ctx, changedTopic, cancelTopic); err != nil {
			return nil, err
		}
	}
	e.ctx, e.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := e.claim(ctx); err != nil {
		e.stop(nil)
		return nil, errors.Join(err, e.unsubscribe())
	}
	if e.sub != nil {
		e.loops.Go(e.listen)
	}
	e.held.Store(true)
	e.loops.Go(e.keep)
	e.loops.Go(e.look)
	return e, nil
}

func (o *Options) validated() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Clock == nil {
		out.Clock = workflow.RealClock{}
	}
	if out.Logger == nil {
		out.Logger = slog.New(slog.DiscardHandler)
	}
	if out.Lease == 0 {
		out.Lease = 30 * time.Second
	}
	if out.Poll == 0 {
		out.Poll = 5 * time.Second
	}
	if out.Lease < 100*time.Millisecond || out.Lease > 24*time.Hour {
		return out, fieldError("Lease", out.Lease, "0 for 30 s, or 100 ms to 24 h")
	}
	if out.Poll < 10*time.Millisecond {
		return out, fieldError("Poll", out.Poll, "0 for 5 s, or at least 10 ms")
	}
	return out, nil
}

func fieldError(field string, value any, allowed string) error {
	return &workflow.FieldError{Field: field, Value: value, Allowed: allowed}
}

// Close stops executing, waits for the steps under way, whose contexts end, and
// gives the runs up: another engine takes them at its next poll.
func (e *Engine) Close() error {
	e.closer.Do(func() {
		e.mu.Lock()
		e.closed = true
		lease := e.lease
		e.mu.Unlock()
		e.stop(workflow.ErrStopped)
		e.ended = e.unsubscribe()
		e.loops.Wait()
		e.runs.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), e.opts.Lease)
		defer cancel()
		if err := e.locks.Release(ctx, lease); err != nil && !errors.Is(err, storage.ErrClosed) {
			e.ended = errors.Join(e.ended, err)
		}
	})
	return e.ended
}

func (e *Engine) unsubscribe() error {
	if e.sub == nil {
		return nil
	}
	return e.sub.Close()
}

// claim takes a lease under a new owner's name.
func (e *Engine) claim(ctx context.Context) error {
	lease, err := e.locks.Acquire(ctx, "workflow.owner."+rand.Text(), e.opts.Lease)
	if err != nil {
		return err
	}
	e.mu.Lock()
	e.lease = lease
	e.mu.Unlock()
	return nil
}

func (e *Engine) owner() storage.Lease {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.lease
}

// look looks for runs without an owner, and lets all who wait look, until Close.
func (e *Engine) look() {
	poll := time.NewTicker(e.opts.Poll)
	defer poll.Stop()
	for {
		if e.held.Load() {
			e.scan()
		}
		select {
		case <-e.ctx.Done():
			return
		case <-poll.C:
			e.wakeAll()
		}
	}
}

// keep renews the lease, and takes another when it is lost, until Close.
func (e *Engine) keep() {
	renew := time.NewTicker(e.opts.Lease / 3)
	defer renew.Stop()
	last := time.Now()
	for {
		select {
		case <-e.ctx.Done():
			return
		case <-renew.C:
		}
		begun := time.Now()
		if e.held.Load() {
			trying, cancel := context.WithTimeout(e.ctx, e.opts.Lease/3)
			_, err := e.locks.Renew(trying, e.owner(), e.opts.Lease)
			cancel()
			if err == nil {
				last = begun
				continue
			}
			if !errors.Is(err, storage.ErrLeaseLost) && time.Since(last) < e.opts.Lease {
				continue
			}
			e.held.Store(false)
			e.opts.Logger.Warn("workflow lease lost: its runs are given up", "error", err)
			e.stopRuns()
		}
		if e.claim(e.ctx) == nil {
			last = begun
			e.held.Store(true)
		}
	}
}

// stopRuns ends what is executed without ending the runs.
func (e *Engine) stopRuns() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, a := range e.active {
		a.stop(workflow.ErrStopped)
	}
}

// listen wakes who waits for what events tell, until Close.
func (e *Engine) listen() {
	for {
		event, err := e.sub.Receive(e.ctx)
		if errors.Is(err, storage.ErrClosed) || e.ctx.Err() != nil {
			return
		}
		if err != nil { // polls tell meanwhile
			if (workflow.RealClock{}).Sleep(e.ctx, e.opts.Poll) != nil {
				return
			}
			continue
		}
		id := string(event.Data)
		if event.Topic == cancelTopic {
			e.cancelActive(id)
		}
		if event.Missed > 0 {
			e.wakeAll()
		}
		e.wake(id)
	}
}

const (
	changedTopic = "workflow.changed"
	cancelTopic  = "workflow.cancel"
)

// tell tells everybody that something about a run changed. An event that gets
// lost is made good by polls.
func (e *Engine) tell(ctx context.Context, topic, id string) {
	e.wake(id)
	if e.events == nil {
		return
	}
	if err := e.events.Publish(ctx, topic, []byte(id)); err != nil {
		e.opts.Logger.Debug("workflow event not published", "run", id, "error", err)
	}
}

func (e *Engine) changed(id string) <-chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	c := e.waiting[id]
	if c == nil {
		c = make(chan struct{})
		e.waiting[id] = c
	}
	return c
}

func (e *Engine) wake(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if c := e.waiting[id]; c != nil {
		close(c)
		delete(e.waiting, id)
	}
}

func (e *Engine) wakeAll() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, c := range e.waiting {
		close(c)
	}
	clear(e.waiting)
}

func (e *Engine) cancelActive(id string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a := e.active[id]; a != nil {
		a.cancel()
	}
}

// reserve makes a run active unless it is or the engine is closed.
func (e *Engine) reserve(id string) (*active, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, workflow.ErrClosed
	}
	if e.active[id] != nil {
		return nil, nil
	}
	a := &active{}
	a.ctx, a.stop = context.WithCancelCause(e.ctx)
	a.cancelled, a.cancel = context.WithCancel(context.Background())
	e.active[id] = a
	e.runs.Add(1)
	return a, nil
}

func (e *Engine) leave(id string, a *active) {
	a.stop(nil)
	a.cancel()
	e.mu.Lock()
	delete(e.active, id)
	e.mu.Unlock()
	e.wake(id)
	e.runs.Done()
}
