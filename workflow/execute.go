package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// An Execution is what [Execute] needs of a run.
type Execution struct {
	Workflow Workflow
	Info     Info
	Input    json.RawMessage
	Log      Log
	Clock    Clock // nil means RealClock
	// Cancelled is over when the run was cancelled; nil means never.
	Cancelled context.Context
}

// An Outcome is how a run's function ended.
type Outcome struct {
	State    State // Completed, Failed, Cancelled or Blocked
	Result   json.RawMessage
	Error    string
	Progress *Progress // the last that was not recorded; nil when there is none
}

// Execute runs a workflow's function over what its log has, until it returns. An
// error means that the run is not over and can be executed again, here or
// elsewhere: ctx ended, or the log failed.
func Execute(ctx context.Context, e Execution) (Outcome, error) {
	if e.Clock == nil {
		e.Clock = RealClock{}
	}
	x := &execution{Execution: e, entries: map[string]*Entry{}, seen: map[string]bool{}}
	entries, err := e.Log.Entries(ctx)
	if err != nil {
		return Outcome{}, err
	}
	for i := range entries {
		x.entries[entries[i].Path] = &entries[i]
		x.seq = max(x.seq, entries[i].Seq)
	}
	base, kill := context.WithCancelCause(ctx)
	defer kill(nil)
	x.base, x.kill = base, kill
	running, cancel := context.WithCancelCause(base)
	defer cancel(nil)
	if e.Cancelled != nil {
		if e.Cancelled.Err() != nil {
			cancel(ErrCancelled)
		}
		stop := context.AfterFunc(e.Cancelled, func() { cancel(ErrCancelled) })
		defer stop()
	}
	result, err := x.call(running)
	cancelled := errors.Is(context.Cause(running), ErrCancelled)
	if err == nil && !cancelled {
		x.leftOver()
	}
	return x.outcome(ctx, result, err, cancelled)
}

// execution is one process's way through a run.
type execution struct {
	Execution
	base context.Context
	kill context.CancelCauseFunc

	mu       sync.Mutex
	entries  map[string]*Entry
	seen     map[string]bool // the paths that the function came by
	seq      int
	progress *Progress // not yet recorded
	dead     error     // why nothing may go on
}

func (x *execution) call(ctx context.Context) (result json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return x.Workflow.run(NewCtx(ctx, &place{x: x}), x.Input)
}

func (x *execution) outcome(ctx context.Context, result json.RawMessage, err error, cancelled bool) (Outcome, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	out := Outcome{State: Completed, Result: result, Progress: x.progress}
	if order, ok := errors.AsType[*OrderError](x.dead); ok {
		return Outcome{State: Blocked, Error: order.Error(), Progress: x.progress}, nil
	}
	if x.dead != nil {
		return Outcome{}, x.dead
	}
	if ctx.Err() != nil && err != nil {
		return Outcome{}, context.Cause(ctx)
	}
	if err != nil {
		out.State, out.Result, out.Error = Failed, nil, err.Error()
		if cancelled {
			out.State = Cancelled
		}
	}
	return out, nil
}

// abort ends the execution; the first cause counts.
func (x *execution) abort(err error) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.dead == nil {
		x.dead = err
		x.kill(err)
	}
	return x.dead
}

// leftOver refuses a run that recorded more than its function does now.
func (x *execution) leftOver() {
	x.mu.Lock()
	var first *Entry
	for path, e := range x.entries {
		if !x.seen[path] && (first == nil || e.Seq < first.Seq) {
			first = e
		}
	}
	x.mu.Unlock()
	if first != nil {
		_ = x.abort(&OrderError{Run: x.Info.ID, Path: first.Path, Recorded: first.what(), Asked: "the end"})
	}
}

// A place is a [Host]: one branch of a run and how far it has come.
type place struct {
	x      *execution
	prefix string
	next   int
}

func (p *place) Info() Info            { return p.x.Info }
func (p *place) Base() context.Context { return p.x.base }

func (p *place) Progress(progress Progress) {
	p.x.mu.Lock()
	defer p.x.mu.Unlock()
	p.x.progress = &progress
}

// begin returns the entry of the next place: the recorded one, or a new one that
// is not recorded. It returns an error when nothing may go on from there.
func (p *place) begin(ctx context.Context, want Entry) (*Entry, bool, error) {
	x := p.x
	want.Path = p.prefix + strconv.Itoa(p.next)
	p.next++
	if err := storage.CheckName("name", want.Name); err != nil {
		return nil, false, err
	}
	x.mu.Lock()
	found, dead := x.entries[want.Path], x.dead
	x.seen[want.Path] = true
	x.mu.Unlock()
	if dead != nil {
		return nil, false, dead
	}
	if found != nil {
		if found.what() != want.what() {
			return nil, false, x.abort(&OrderError{Run: x.Info.ID, Path: want.Path, Recorded: found.what(), Asked: want.what()})
		}
		e := *found
		if e.final() || e.Kind == KindParallel {
			return &e, true, nil
		}
		return &e, true, ended(ctx)
	}
	if err := ended(ctx); err != nil {
		return nil, false, err
	}
	x.mu.Lock()
	x.seq++
	want.Seq = x.seq
	x.mu.Unlock()
	want.Phase, want.Began = Begun, x.Clock.Now()
	return &want, false, nil
}

func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// record stores e with the progress that is due. What has been done is recorded
// even while the engine is being closed.
func (p *place) record(e *Entry) error {
	x := p.x
	progress := x.takeProgress()
	if err := x.Log.Record(context.WithoutCancel(x.base), *e, progress); err != nil {
		return x.abort(fmt.Errorf("recording %s of workflow run %s: %w", e.what(), x.Info.ID, err))
	}
	x.keep(e)
	return nil
}

func (x *execution) takeProgress() *Progress {
	x.mu.Lock()
	defer x.mu.Unlock()
	p := x.progress
	x.progress = nil
	return p
}

func (x *execution) keep(e *Entry) {
	c := *e
	x.mu.Lock()
	defer x.mu.Unlock()
	x.entries[e.Path] = &c
}

// end records how e ended.
func (p *place) end(e *Entry, result json.RawMessage, failure string) error {
	e.Phase, e.Result, e.Error, e.Until, e.Finished = Ended, result, failure, time.Time{}, p.x.Clock.Now()
	if failure != "" {
		e.Phase = Broken
	}
	return p.record(e)
}

func (p *place) Sleep(ctx context.Context, name string, d time.Duration) error {
	e, found, err := p.begin(ctx, Entry{Kind: KindSleep, Name: name})
	if err != nil || e.final() {
		return err
	}
	if !found {
		e.Until = e.Began.Add(max(d, 0))
		if err := p.record(e); err != nil {
			return err
		}
	}
	if err := p.until(ctx, e.Until, nil); err != nil {
		return err
	}
	return p.end(e, nil, "")
}

// until waits for a time, zero meaning forever, or for changed.
func (p *place) until(ctx context.Context, at time.Time, changed <-chan struct{}) error {
	clock := p.x.Clock
	if changed == nil {
		for d := at.Sub(clock.Now()); d > 0; d = at.Sub(clock.Now()) {
			if err := clock.Sleep(ctx, d); err != nil {
				return cause(ctx, err)
			}
		}
		return ended(ctx)
	}
	var over chan struct{}
	if !at.IsZero() {
		sleeping, stop := context.WithCancel(ctx)
		over = make(chan struct{})
		go func() {
			defer close(over)
			_ = clock.Sleep(sleeping, at.Sub(clock.Now())) // the caller looks at the time again
		}()
		defer func() { stop(); <-over }()
	}
	select {
	case <-ctx.Done():
	case <-changed:
	case <-over:
	}
	return ended(ctx)
}

func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func (p *place) Await(ctx context.Context, name string, timeout time.Duration) (json.RawMessage, error) {
	e, found, err := p.begin(ctx, Entry{Kind: KindAwait, Name: name})
	switch {
	case err != nil:
		return nil, err
	case e.Phase == Broken:
		return nil, ErrTimeout
	case e.Phase == Ended:
		return e.Result, nil
	}
	if timeout < 0 {
		return nil, invalid.Field("timeout", timeout, "0 or a positive duration")
	}
	if !found {
		if timeout > 0 {
			e.Until = e.Began.Add(timeout)
		}
		if err := p.record(e); err != nil {
			return nil, err
		}
	}
	x := p.x
	for {
		changed := x.Log.Changed(x.Info.ID)
		done := *e
		done.Phase, done.Finished = Ended, x.Clock.Now()
		taken, ok, err := x.Log.Take(context.WithoutCancel(x.base), done, nil)
		if err != nil {
			return nil, x.abort(fmt.Errorf("awaiting %s in workflow run %s: %w", name, x.Info.ID, err))
		}
		if ok {
			x.keep(&taken)
			return taken.Result, nil
		}
		if !e.Until.IsZero() && !x.Clock.Now().Before(e.Until) {
			if err := p.end(e, nil, ErrTimeout.Error()); err != nil {
				return nil, err
			}
			return nil, ErrTimeout
		}
		if err := p.until(ctx, e.Until, changed); err != nil {
			return nil, err
		}
	}
}

func (p *place) Parallel(ctx context.Context, name string, n, limit int, branch func(context.Context, Host, int)) error {
	if limit < 0 {
		return invalid.Field("limit", limit, "0 for no limit, or a positive number")
	}
	e, found, err := p.begin(ctx, Entry{Kind: KindParallel, Name: name, Branches: n})
	if err != nil {
		return err
	}
	if !found {
		if err := p.record(e); err != nil {
			return err
		}
	}
	if limit == 0 || limit > n {
		limit = n
	}
	turn := make(chan struct{}, max(limit, 1))
	var all sync.WaitGroup
	for i := range n {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			branch(ctx, &place{x: p.x, prefix: e.Path + "." + strconv.Itoa(i) + "."}, i)
		})
	}
	all.Wait()
	if e.final() {
		return nil
	}
	if err := ended(ctx); err != nil {
		return err
	}
	return p.end(e, nil, "")
}

func (p *place) Child(ctx context.Context, name, workflow string, input json.RawMessage) (json.RawMessage, error) {
	x := p.x
	e, found, err := p.begin(ctx, Entry{Kind: KindChild, Name: name})
	if err != nil {
		if e != nil && e.Child != "" && errors.Is(err, ErrCancelled) {
			p.cancelChild(e.Child)
		}
		return nil, err
	}
	if !e.final() {
		if !found {
			e.Child = short(Key(x.Info.ID, e.Path, name), 128)
			if err := p.record(e); err != nil {
				return nil, err
			}
		}
		if err := p.await(ctx, e, workflow, input); err != nil {
			return nil, err
		}
	}
	if e.Phase == Broken {
		return nil, &RunError{ID: e.Child, State: e.Outcome, Text: e.Error}
	}
	return e.Result, nil
}

// await starts a child, waits for its end and records that in e.
func (p *place) await(ctx context.Context, e *Entry, workflow string, input json.RawMessage) error {
	x := p.x
	err := x.Log.Start(x.base, e.Child, workflow, input)
	if _, refused := errors.AsType[*FieldError](err); refused || errors.Is(err, ErrOtherRun) {
		e.Outcome = Failed
		return p.end(e, nil, err.Error())
	}
	for {
		if err != nil {
			return x.abort(fmt.Errorf("child %s of workflow run %s: %w", e.Name, x.Info.ID, err))
		}
		changed := x.Log.Changed(e.Child)
		var s Status
		if s, err = x.Log.Status(x.base, e.Child); err != nil {
			continue
		}
		if s.State.Final() {
			e.Outcome = s.State
			failure := s.Error
			if s.State != Completed && failure == "" {
				failure = string(s.State)
			}
			return p.end(e, s.Result, failure)
		}
		if stopped := p.until(ctx, time.Time{}, changed); stopped != nil {
			if errors.Is(stopped, ErrCancelled) {
				p.cancelChild(e.Child)
			}
			return stopped
		}
	}
}

func (p *place) cancelChild(id string) {
	if err := p.x.Log.Cancel(p.x.base, id, "its parent was cancelled"); err != nil && !errors.Is(err, ErrNoRun) {
		_ = p.x.abort(fmt.Errorf("cancelling child %s: %w", id, err))
	}
}
