package backtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Status says how far a job is.
type Status string

// The states.
const (
	StatusRunning   Status = "running"
	StatusDone      Status = "done"
	StatusCancelled Status = "cancelled" // what was done until then is kept
	StatusFailed    Status = "failed"
)

// ErrBusy: as many jobs run as may. Wait for one, or cancel one.
var ErrBusy = errors.New("too many backtests are running")

// A Job is a run or a search that goes on by itself. Its handle is its ID. It is
// safe for concurrent use.
type Job struct {
	id      string
	log     *Log
	cancel  context.CancelFunc
	done    chan struct{}
	started time.Time

	mu       sync.Mutex
	status   Status
	progress Progress
	err      error
	result   *Result
	search   *SearchResult
	ended    time.Time
}

// A JobState is what is known of a job.
type JobState struct {
	ID       string
	Status   Status
	Progress Progress
	Lines    int64 // the number of the last one
	Err      error
}

// JobsOptions limit jobs. The zero value works.
type JobsOptions struct {
	Running int           // most at a time; default 4
	Kept    int           // most that have ended; default 32, the oldest are forgotten
	Keep    time.Duration // how long they are kept; default an hour
	// LogBytes is how much of each log is kept; default 8 MiB.
	LogBytes int
	Clock    market.Clock // nil: the system's
}

// Jobs are those of one owner: a tenant of a server. Close them. They are safe for
// concurrent use.
type Jobs struct {
	opts JobsOptions

	mu     sync.Mutex
	jobs   map[string]*Job
	closed bool
	all    sync.WaitGroup
}

// NewJobs returns no jobs yet. Options may be nil.
func NewJobs(opts *JobsOptions) *Jobs {
	var o JobsOptions
	if opts != nil {
		o = *opts
	}
	if o.Running <= 0 {
		o.Running = 4
	}
	if o.Kept <= 0 {
		o.Kept = 32
	}
	if o.Keep <= 0 {
		o.Keep = time.Hour
	}
	if o.LogBytes <= 0 {
		o.LogBytes = 8 << 20
	}
	if o.Clock == nil {
		o.Clock = market.SystemClock()
	}
	return &Jobs{opts: o, jobs: map[string]*Job{}}
}

// Run begins a run. It goes on when ctx ends, whose values it has. Observer and
// Progress of the options are told as well. The error is [ErrBusy], or says that
// the jobs are closed.
func (j *Jobs) Run(ctx context.Context, opts Options) (*Job, error) {
	return j.start(ctx, func(ctx context.Context, job *Job) error {
		opts.Observer = &watched{ctx, job.log, opts.Observer}
		told := opts.Progress
		opts.Progress = func(p Progress) {
			job.advance(p)
			if told != nil {
				told(p)
			}
		}
		result, err := Run(ctx, opts)
		job.mu.Lock()
		job.result = result
		job.mu.Unlock()
		return err
	})
}

// Search begins a search. See [Jobs.Run].
func (j *Jobs) Search(ctx context.Context, space Space, objective Objective, opts SearchOptions) (*Job, error) {
	return j.start(ctx, func(ctx context.Context, job *Job) error {
		observe, told := opts.Observe, opts.Progress
		opts.Observe = func(t Trial) {
			_ = job.log.Add(Line{Kind: "trial", Trial: &t}) // a trial is numbers and text
			if observe != nil {
				observe(t)
			}
		}
		opts.Progress = func(p Progress) {
			job.advance(p)
			if told != nil {
				told(p)
			}
		}
		result, err := Search(ctx, space, objective, opts)
		job.mu.Lock()
		job.search = result
		job.mu.Unlock()
		return err
	})
}

// watched passes items to a log and to another observer, and ends the run when ctx
// has ended: at once, and not only where the engine looks.
type watched struct {
	ctx   context.Context
	log   *Log
	other Observer // nil: none
}

// Observe passes an item on.
func (w *watched) Observe(item *Item) error {
	if err := w.log.Observe(item); err != nil {
		return err
	}
	if w.other != nil {
		if err := w.other.Observe(item); err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

func (j *Jobs) start(ctx context.Context, work func(context.Context, *Job) error) (*Job, error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	job := &Job{id: rand.Text(), log: NewLog(j.opts.LogBytes), cancel: cancel, done: make(chan struct{}), status: StatusRunning, started: j.opts.Clock.Now()}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.forget()
	running := 0
	for _, other := range j.jobs {
		if other.State().Status == StatusRunning {
			running++
		}
	}
	switch {
	case j.closed:
		cancel()
		return nil, errors.New("backtest: the jobs are closed")
	case running >= j.opts.Running:
		cancel()
		return nil, fmt.Errorf("%w: at most %d at a time", ErrBusy, j.opts.Running)
	}
	j.jobs[job.id] = job
	j.all.Go(func() {
		defer cancel()
		job.finish(guarded(ctx, job, work), ctx, j.opts.Clock.Now)
	})
	return job, nil
}

// guarded runs work; a panic in a strategy ends this job alone.
func guarded(ctx context.Context, job *Job, work func(context.Context, *Job) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &panicError{v, debug.Stack()}
		}
	}()
	return work(ctx, job)
}

// A panicError keeps the inside for logs and says nothing of it to callers.
type panicError struct {
	value any
	stack []byte
}

// Error says that there is a defect.
func (e *panicError) Error() string {
	return "backtest: a defect in the strategy or the engine ended the run"
}

// forget drops what ended long ago, and the oldest when there are too many.
func (j *Jobs) forget() {
	now := j.opts.Clock.Now()
	var ended []*Job
	for id, job := range j.jobs {
		job.mu.Lock()
		over, at := job.status != StatusRunning, job.ended
		job.mu.Unlock()
		if !over {
			continue
		}
		if now.Sub(at) > j.opts.Keep {
			delete(j.jobs, id)
			continue
		}
		ended = append(ended, job)
	}
	slices.SortFunc(ended, func(a, b *Job) int { return a.ended.Compare(b.ended) })
	for ; len(ended) > j.opts.Kept; ended = ended[1:] {
		delete(j.jobs, ended[0].id)
	}
}

// Get returns a job by its handle. The error is a *[FieldError].
func (j *Jobs) Get(id string) (*Job, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	job, ok := j.jobs[strings.TrimSpace(id)]
	if !ok {
		return nil, invalid.Fieldf("handle", id, "that of a backtest of the last %v", j.opts.Keep)
	}
	return job, nil
}

// List returns the states of all jobs, the latest first.
func (j *Jobs) List() []JobState {
	j.mu.Lock()
	jobs := slices.Collect(maps.Values(j.jobs))
	j.mu.Unlock()
	slices.SortFunc(jobs, func(a, b *Job) int {
		if c := b.started.Compare(a.started); c != 0 {
			return c
		}
		return strings.Compare(a.id, b.id)
	})
	out := make([]JobState, len(jobs))
	for i, job := range jobs {
		out[i] = job.State()
	}
	return out
}

// Close cancels what runs, waits for it and takes no more.
func (j *Jobs) Close() error {
	j.mu.Lock()
	j.closed = true
	for _, job := range j.jobs {
		job.cancel()
	}
	j.mu.Unlock()
	j.all.Wait()
	return nil
}

// ID is the job's handle: random, so that nobody guesses it.
func (j *Job) ID() string { return j.id }

// Log has its lines.
func (j *Job) Log() *Log { return j.log }

// Cancel ends it soon. What it has done is kept.
func (j *Job) Cancel() { j.cancel() }

// State is what is known of it now.
func (j *Job) State() JobState {
	j.mu.Lock()
	defer j.mu.Unlock()
	return JobState{ID: j.id, Status: j.status, Progress: j.progress, Lines: j.log.Len(), Err: j.err}
}

// Wait waits for its end and returns what it has: the result of a run, or that of
// a search, also after it was cancelled. The error is that of ctx, or why it
// failed.
func (j *Job) Wait(ctx context.Context) (*Result, *SearchResult, error) {
	select {
	case <-j.done:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.result, j.search, j.err
}

func (j *Job) advance(p Progress) {
	j.mu.Lock()
	j.progress = p
	j.mu.Unlock()
	j.log.Progress(p)
}

func (j *Job) finish(err error, ctx context.Context, now func() time.Time) {
	status := StatusDone
	switch {
	case err != nil && ctx.Err() != nil && errors.Is(err, context.Canceled):
		status, err = StatusCancelled, nil
	case err != nil:
		status = StatusFailed
	}
	j.mu.Lock()
	result, search := j.result, j.search
	if status == StatusDone && ctx.Err() != nil && (result != nil && result.Record.Stopped != "" || search != nil && search.Stopped != "") {
		status = StatusCancelled
	}
	j.mu.Unlock()
	end := &EndLine{Status: status}
	if err != nil {
		end.Error = err.Error()
	}
	if result != nil {
		if summary, sumErr := result.Summary(); sumErr == nil {
			end.Result = summary
		}
	}
	if search != nil {
		summary := search.Summary()
		end.Search = &summary
	}
	_ = j.log.Add(Line{Kind: "end", End: end})
	j.mu.Lock()
	j.status, j.err, j.ended = status, err, now()
	j.mu.Unlock()
	close(j.done)
}
