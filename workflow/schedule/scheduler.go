package schedule

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

// A Scheduler starts a tenant's jobs when they are due. Any number of them, in one
// process or many, may share a store: each occurrence is started by one. It is safe
// for concurrent use.
type Scheduler struct {
	*Board
	engine workflow.Engine
	locks  storage.Locks
	given  map[string]Job
	kick   chan struct{}

	looked  atomic.Int64 // real time of the last whole Tick, in nanoseconds since 1970
	ticking sync.Mutex   // one Tick at a time
	mu      sync.Mutex
	watched map[string]bool
	waits   sync.WaitGroup
	telling sync.Mutex
	said    map[string]said // trouble, by job
	nexts   map[string]upcoming

	// at is called at points between writes, by tests that end the process there.
	at func(point string)
}

// New returns a scheduler of some jobs and of those that were added through a
// [Board]. The engine executes their workflows, which the caller makes, see
// [Workflow]; it may be shared. The tenant needs Records and Locks, and tells
// changes at once with PubSub. Opts may be nil.
//
// All schedulers of a store should be given the same jobs: a Board lists those
// that the last one was given. A job that is seen for the first time begins now:
// nothing before was missed.
func New(ctx context.Context, tenant storage.Tenant, engine workflow.Engine, jobs []Job, opts *Options) (*Scheduler, error) {
	if engine == nil {
		return nil, invalid.Missing("engine", "a workflow engine")
	}
	board, err := OpenBoard(tenant, opts)
	if err != nil {
		return nil, err
	}
	s := &Scheduler{Board: board, engine: engine, given: map[string]Job{}, kick: make(chan struct{}, 1), watched: map[string]bool{}, said: map[string]said{}, nexts: map[string]upcoming{}, at: func(string) {}}
	if s.locks, err = tenant.Locks(); err != nil {
		return nil, err
	}
	for i, job := range jobs {
		if err := job.Validate(); err != nil {
			return nil, fmt.Errorf("jobs[%d]: %w", i, err)
		}
		if _, twice := s.given[job.Name]; twice {
			return nil, invalid.Field(fmt.Sprintf("jobs[%d].name", i), job.Name, "each name once")
		}
		s.given[job.Name] = job
	}
	return s, s.register(ctx)
}

// register stores the definitions that this scheduler was given.
func (s *Scheduler) register(ctx context.Context) error {
	rows, err := s.rows(ctx)
	if rows == nil {
		return err
	}
	if err != nil {
		s.trouble("", err)
	}
	names := maps.Clone(s.given)
	for name := range rows {
		if _, ok := names[name]; !ok {
			names[name] = Job{}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		var now *Job
		if job, ok := s.given[name]; ok {
			now = &job
		}
		if r := rows[name]; r != nil && sameJob(r.Given, now) {
			continue
		}
		err := s.change(ctx, name, func(r *row) (bool, error) {
			if r.version == storage.NoVersion {
				if now == nil {
					return false, nil
				}
				r.Paused = now.Paused
			}
			before, had := r.job()
			if !had || r.Own == nil && now != nil && before.Trigger.String() != now.Trigger.String() {
				r.Fresh = true
			}
			r.Given = now
			return true, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Run starts jobs when they are due until ctx ends, which is no error; it waits
// for what it is doing then. The engine is the caller's to close. Trouble, such as
// a store that cannot be reached, is logged and tried again; a closed store ends
// it with storage.ErrClosed.
func (s *Scheduler) Run(ctx context.Context) error {
	defer s.waits.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if s.events != nil {
		sub, err := s.events.Subscribe(ctx, changedTopic)
		if err != nil {
			return err
		}
		defer sub.Close()
		s.waits.Go(func() { s.listen(ctx, sub) })
		defer cancel()
	}
	poll := time.NewTicker(s.opts.Poll)
	defer poll.Stop()
	for {
		next, err := s.tick(ctx, true)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, storage.ErrClosed), errors.Is(err, workflow.ErrClosed):
			return err
		}
		if err := s.wait(ctx, next, poll.C); err != nil {
			return nil
		}
	}
}

// longestWait is after how much of the clock's time a look is taken at the latest,
// so that a jump of the clock is noticed.
const longestWait = time.Minute

// jumped is how much further, or back, a clock must be than was waited for it to
// be told.
const jumped = time.Minute

// wait waits until next, a poll, a change or a jump of the clock.
func (s *Scheduler) wait(ctx context.Context, next time.Time, poll <-chan time.Time) error {
	armed := s.now()
	d := longestWait
	if scaled, ok := s.opts.Clock.(interface{ Speed() float64 }); ok && scaled.Speed() > 1 {
		d = time.Duration(min(float64(d)*scaled.Speed(), float64(24*time.Hour)))
	}
	if !next.IsZero() {
		d = min(d, max(next.Sub(armed), 0))
	}
	timer := s.opts.Clock.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C():
	case <-poll:
	case <-s.kick:
	}
	now := s.now()
	switch by := now.Sub(armed); {
	case by > d+jumped:
		by -= d
		s.opts.Logger.Warn("the clock went forward further than was waited: the computer slept, or the clock was set", "by", by.Round(time.Second), "from", armed, "to", now)
		s.observe(Event{Kind: ClockForward, Time: now, By: by})
	case by < -jumped:
		s.opts.Logger.Warn("the clock was set back: what has run does not run again", "by", (-by).Round(time.Second), "from", armed, "to", now)
		s.observe(Event{Kind: ClockBack, Time: now, By: -by})
	}
	return nil
}

// now is the clock's time without the reading by which Go subtracts times: that
// one stands still while a computer sleeps.
func (s *Scheduler) now() time.Time { return s.opts.Clock.Now().Round(0) }

func (s *Scheduler) listen(ctx context.Context, sub storage.Subscription) {
	for {
		_, err := sub.Receive(ctx)
		if ctx.Err() != nil || errors.Is(err, storage.ErrClosed) {
			return
		}
		if err != nil && (workflow.RealClock{}).Sleep(ctx, s.opts.Poll) != nil {
			return
		}
		s.wake()
	}
}

// wake has Run look now.
func (s *Scheduler) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Tick does what is due now, once, and returns when the next run is to begin;
// zero when none is known. Run calls it again and again. It does not wait for the
// workflow runs that it starts. Its error joins those of all jobs; the others were
// dealt with.
func (s *Scheduler) Tick(ctx context.Context) (next time.Time, err error) { return s.tick(ctx, false) }

func (s *Scheduler) tick(ctx context.Context, watch bool) (time.Time, error) {
	s.ticking.Lock()
	defer s.ticking.Unlock()
	rows, err := s.rows(ctx)
	if rows == nil {
		s.trouble("", err)
		return time.Time{}, err
	}
	failed := []error{err}
	if err != nil {
		s.trouble("", err)
	}
	for name := range s.given {
		if rows[name] == nil {
			rows[name] = &row{Name: name}
		}
	}
	var next time.Time
	for _, name := range s.order(rows) {
		at, err := s.look(ctx, rows[name])
		if err != nil && ctx.Err() == nil {
			failed = append(failed, fmt.Errorf("job %q: %w", name, err))
			s.trouble(name, err)
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
		if watch {
			s.watch(ctx, rows[name])
		}
	}
	s.looked.Store(time.Now().UnixNano())
	return next, errors.Join(failed...)
}

// Looked returns when, in real time, the scheduler last read the store and dealt
// with all jobs; zero before the first time. It is for health checks: while Run
// works it is never much older than Options.Poll.
func (s *Scheduler) Looked() time.Time {
	if at := s.looked.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}

// order returns the jobs' names, in an order of this scheduler's own, so that
// several share what is due at the same time.
func (s *Scheduler) order(rows map[string]*row) []string {
	rank := func(name string) uint64 {
		h := fnv.New64a()
		h.Write([]byte(s.opts.Name + "/" + name))
		return h.Sum64()
	}
	names := slices.Collect(maps.Keys(rows))
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return names
}

// definition is the job that holds for this scheduler.
func (s *Scheduler) definition(r *row) (Job, bool) {
	if r.Own != nil {
		return *r.Own, true
	}
	job, ok := s.given[r.Name]
	return job, ok
}

// look finds out without a lease whether there is anything to do for a job, and
// does it with one. It returns when the next occurrence begins. The row becomes
// what is stored.
func (s *Scheduler) look(ctx context.Context, r *row) (time.Time, error) {
	needed, next, err := s.needed(ctx, r)
	if err != nil || !needed {
		return next, err
	}
	lease, err := s.locks.Acquire(ctx, "schedule/"+r.Name, s.opts.Lease)
	if errors.Is(err, storage.ErrHeld) {
		return time.Time{}, nil // another is at it, or dead: the next poll tells
	}
	if err != nil {
		return time.Time{}, err
	}
	begun := time.Now()
	defer func() {
		freeing, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.opts.Lease)
		defer cancel()
		if err := s.locks.Release(freeing, lease); err != nil {
			s.opts.Logger.Debug("schedule lease not released", "job", r.Name, "error", err)
		}
	}()
	held, cancel := context.WithDeadlineCause(ctx, begun.Add(s.opts.Lease), storage.ErrLeaseLost)
	defer cancel()
	return s.perform(held, lease, r)
}

// needed tells whether a job has something due, asked for or ended.
func (s *Scheduler) needed(ctx context.Context, r *row) (bool, time.Time, error) {
	job, ok := s.definition(r)
	if ok && (len(r.Asked) > 0 || r.Fresh || r.Through.IsZero()) {
		return true, time.Time{}, nil
	}
	for _, session := range r.Pending {
		status, err := s.engine.Status(ctx, runID(r.Name, session))
		if errors.Is(err, workflow.ErrNoRun) || err == nil && status.State.Final() {
			return true, time.Time{}, nil
		}
		if err != nil {
			return false, time.Time{}, err
		}
	}
	if !ok || r.Paused {
		return false, time.Time{}, nil
	}
	now := s.now()
	if r.Through.Sub(now) > setBack {
		return true, time.Time{}, nil
	}
	begin, err := s.upcoming(ctx, job, r)
	if begin.IsZero() || err != nil {
		return false, time.Time{}, err
	}
	return !begin.After(now), begin, nil
}

// An upcoming is when a job begins next, as long as its row stays what it is.
type upcoming struct {
	version storage.Version
	begin   time.Time // zero: never, or not known
}

// upcoming returns when a job begins next after what was dealt with. It is reckoned
// anew when the row changes; before earnings, whose dates move, each time.
func (s *Scheduler) upcoming(ctx context.Context, job Job, r *row) (time.Time, error) {
	if known, ok := s.nexts[r.Name]; ok && known.version == r.version && job.Trigger.On != BeforeEarnings {
		return known.begin, nil
	}
	o, ok, err := job.Trigger.Next(ctx, s.world, r.Through)
	if err != nil {
		return time.Time{}, err
	}
	u := upcoming{version: r.version}
	if ok {
		u.begin = s.begins(job, o)
	}
	s.nexts[r.Name] = u
	return u.begin, nil
}

// said is trouble that was told.
type said struct {
	text string
	when time.Time
}

// trouble tells what failed and is tried again; the same once a minute.
func (s *Scheduler) trouble(job string, err error) {
	s.mu.Lock()
	last, now := s.said[job], time.Now()
	again := last.text == err.Error() && now.Sub(last.when) < time.Minute
	if !again {
		s.said[job] = said{err.Error(), now}
	}
	s.mu.Unlock()
	if again {
		return
	}
	s.opts.Logger.Warn("schedule: tried again later", "job", job, "error", err)
	s.observe(Event{Kind: Problem, Time: s.now(), Job: job, Error: err.Error()})
}

// observe tells the observer.
func (s *Scheduler) observe(e Event) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.opts.Observe(e)
}

// watch waits in the background for the runs of a job, so that their end is
// recorded at once.
func (s *Scheduler) watch(ctx context.Context, r *row) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, session := range r.Pending {
		id := runID(r.Name, session)
		if s.watched[id] {
			continue
		}
		s.watched[id] = true
		s.waits.Go(func() {
			defer func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.watched, id)
			}()
			if _, err := s.engine.Wait(ctx, id); err == nil {
				s.wake()
			}
		})
	}
}

// RunNow starts a run at once; see [Board.RunNow]. When another scheduler has the
// job's lease just now, that one starts it.
func (s *Scheduler) RunNow(ctx context.Context, name, key string) (string, error) {
	id, err := s.Board.RunNow(ctx, name, key)
	if err != nil {
		return "", err
	}
	s.ticking.Lock()
	defer s.ticking.Unlock()
	r, err := s.row(ctx, name)
	if err != nil {
		return id, err
	}
	_, err = s.look(ctx, r)
	return id, err
}
