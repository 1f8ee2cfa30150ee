package schedule

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// Options are the settings of a Board and of a [Scheduler]. The zero value works.
type Options struct {
	// Clock is the market's; nil means the computer's. Leases and polls go by real
	// time.
	Clock market.Clock
	// Calendar has the sessions; nil means market.NYSE.
	Calendar *market.Calendar
	// Events has the dates of earnings, which are asked for once an hour; nil:
	// jobs before earnings have trouble.
	Events Events
	// Logger hears of runs, of what was missed and of trouble; nil means nobody.
	Logger *slog.Logger
	// Observe is told of each [Event], one at a time; it must not call the
	// scheduler. Nil means nobody.
	Observe func(Event)
	// Seed gives the jitter: all who share a store should give the same.
	Seed uint64
	// Name tells this scheduler from others in the history; empty means a random
	// one.
	Name string
	// Lease is after how long another scheduler takes over a job that a dead one
	// was just firing; 0 means 30 seconds. From 100 ms to an hour.
	Lease time.Duration
	// Poll is how often the store is looked at for what an event did not tell; 0
	// means 5 seconds. At least 10 ms.
	Poll time.Duration
	// Keep is how many runs of a job the history keeps; 0 means 500. At least 10.
	Keep int
}

func (o *Options) validated() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Clock == nil {
		out.Clock = market.SystemClock()
	}
	if out.Calendar == nil {
		out.Calendar = market.NYSE()
	}
	if out.Logger == nil {
		out.Logger = slog.New(slog.DiscardHandler)
	}
	if out.Observe == nil {
		out.Observe = func(Event) {}
	}
	if out.Name == "" {
		out.Name = rand.Text()[:12]
	}
	if out.Lease == 0 {
		out.Lease = 30 * time.Second
	}
	if out.Poll == 0 {
		out.Poll = 5 * time.Second
	}
	if out.Keep == 0 {
		out.Keep = 500
	}
	switch {
	case out.Lease < 100*time.Millisecond || out.Lease > time.Hour:
		return out, invalid.Field("Lease", out.Lease, "0 for 30 s, or 100 ms to an hour")
	case out.Poll < 10*time.Millisecond:
		return out, invalid.Field("Poll", out.Poll, "0 for 5 s, or at least 10 ms")
	case out.Keep < 10:
		return out, invalid.Field("Keep", out.Keep, "0 for 500, or at least 10")
	}
	return out, storage.CheckText("Name", out.Name, 128)
}

// A Board is a tenant's jobs as the store has them. It is safe for concurrent use,
// also beside schedulers in other processes.
type Board struct {
	opts    Options
	records storage.Records
	events  storage.PubSub // nil: the engine has none
	world   World
}

// OpenBoard returns the board of a tenant, which needs Records. Opts may be nil.
func OpenBoard(tenant storage.Tenant, opts *Options) (*Board, error) {
	o, err := opts.validated()
	if err != nil {
		return nil, err
	}
	b := &Board{opts: o, world: World{Calendar: o.Calendar}}
	if o.Events != nil {
		b.world.Events = newRemembered(o.Events, o.Clock)
	}
	if b.records, err = tenant.Records(); err != nil {
		return nil, err
	}
	if b.events, err = tenant.PubSub(); err != nil && !errors.Is(err, storage.ErrUnsupported) {
		return nil, err
	}
	return b, nil
}

// changedTopic has the name of a job that was changed.
const changedTopic = "schedule.changed"

// tell tells schedulers of a change; polls make good what gets lost.
func (b *Board) tell(ctx context.Context, name string) {
	if b.events == nil {
		return
	}
	if err := b.events.Publish(ctx, changedTopic, []byte(name)); err != nil {
		b.opts.Logger.Debug("schedule event not published", "job", name, "error", err)
	}
}

// Jobs returns all jobs by name, those that programs gave and those that were
// added. A row that cannot be read is an error beside the others.
func (b *Board) Jobs(ctx context.Context) ([]Entry, error) {
	rows, err := b.rows(ctx)
	var all []Entry
	for _, r := range rows {
		if _, ok := r.job(); ok {
			all = append(all, b.entry(ctx, r))
		}
	}
	slices.SortFunc(all, func(a, b Entry) int { return strings.Compare(a.Job.Name, b.Job.Name) })
	return all, err
}

// Job returns one job, or ErrNoJob.
func (b *Board) Job(ctx context.Context, name string) (Entry, error) {
	r, err := b.known(ctx, name)
	if err != nil {
		return Entry{}, err
	}
	return b.entry(ctx, r), nil
}

func (b *Board) known(ctx context.Context, name string) (*row, error) {
	if err := storage.CheckName("job", name); err != nil {
		return nil, err
	}
	r, err := b.row(ctx, name)
	if err != nil {
		return nil, err
	}
	if _, ok := r.job(); !ok {
		return nil, noJob(name)
	}
	return r, nil
}

func noJob(name string) error { return fmt.Errorf("schedule: %w: %q", ErrNoJob, name) }

func (b *Board) entry(ctx context.Context, r *row) Entry {
	job, _ := r.job()
	e := Entry{
		Job: job, Own: r.Own != nil, Paused: r.Paused, Last: r.Last, LastSuccess: r.LastSuccess, LastError: r.LastError, LastErrorAt: r.LastErrorAt,
		Running: len(r.Pending), Started: r.Started, Failed: r.Failed, Missed: r.Missed,
	}
	if r.Paused {
		return e
	}
	o, ok, err := job.Trigger.Next(ctx, b.world, b.since(r))
	if err != nil {
		e.Trouble = err.Error()
	}
	if ok {
		e.Next = b.begins(job, o)
	}
	return e
}

// since is from when the next occurrence counts.
func (b *Board) since(r *row) time.Time {
	now := b.opts.Clock.Now()
	if now.Before(r.Through) && r.Through.Sub(now) <= setBack {
		return r.Through
	}
	return now
}

// Next returns the next n times of a job, 1 to 1000, with the jitter that they
// will have; fewer when the calendar ends or no more reports are known. A pause
// is not looked at.
func (b *Board) Next(ctx context.Context, name string, n int) ([]Occurrence, error) {
	r, err := b.known(ctx, name)
	if err != nil {
		return nil, err
	}
	job, _ := r.job()
	return b.Preview(ctx, job, b.since(r), n)
}

// Preview returns the first n occurrences of a job after an instant, with the
// jitter that they will have, whether or not the job is in the store.
func (b *Board) Preview(ctx context.Context, job Job, after time.Time, n int) ([]Occurrence, error) {
	if n < 1 || n > 1000 {
		return nil, invalid.Field("n", n, "1 to 1000")
	}
	if err := job.Validate(); err != nil {
		return nil, err
	}
	var all []Occurrence
	for o, err := range job.Trigger.All(ctx, b.world, after) {
		if err != nil {
			return all, err
		}
		o.At = b.begins(job, o)
		if all = append(all, o); len(all) == n {
			break
		}
	}
	return all, nil
}

// Add stores a job's definition. It goes before one of the same name that a
// program gives, until Remove. Its first occurrence is the next one.
func (b *Board) Add(ctx context.Context, job Job) error {
	if err := job.Validate(); err != nil {
		return err
	}
	err := b.change(ctx, job.Name, func(r *row) (bool, error) {
		before, had := r.job()
		if !had {
			r.Paused = job.Paused
		}
		if !had || before.Trigger.String() != job.Trigger.String() {
			r.Fresh = true // what the new trigger would have given was not missed
		}
		r.Own = &job
		return true, nil
	})
	if err == nil {
		b.tell(ctx, job.Name)
	}
	return err
}

// Remove takes back what Add stored. A job that a program gives goes on with that
// definition; to stop such a one pause it. ErrNoJob when nothing was added. The
// history stays.
func (b *Board) Remove(ctx context.Context, name string) error {
	if err := storage.CheckName("job", name); err != nil {
		return err
	}
	err := b.change(ctx, name, func(r *row) (bool, error) {
		if r.Own == nil {
			return false, noJob(name)
		}
		r.Own, r.Asked, r.Fresh = nil, nil, true
		return true, nil
	})
	if err == nil {
		b.tell(ctx, name)
	}
	return err
}

// Pause stops a job from being started by its trigger; runs under way go on. A
// paused job can still be run by RunNow.
func (b *Board) Pause(ctx context.Context, name string) error {
	return b.set(ctx, name, func(r *row) error {
		r.Paused, r.Fresh = true, false
		return nil
	})
}

// Resume lets a job be started again, from now on: what lay in the pause was not
// missed.
func (b *Board) Resume(ctx context.Context, name string) error {
	return b.set(ctx, name, func(r *row) error {
		if r.Paused {
			r.Paused, r.Fresh = false, true
		}
		return nil
	})
}

// RunNow asks for a run at once, beside those of the trigger; a scheduler with
// the store starts it, and the workflow run has the id that is returned. A key of
// the caller's, 1 to 64 of [storage.CheckName]'s form, makes it one run however
// often it is asked for; empty means a new one.
func (b *Board) RunNow(ctx context.Context, name, key string) (id string, err error) {
	if key == "" {
		key = strings.ToLower(rand.Text())
	}
	if err := storage.CheckName("key", key); err != nil {
		return "", err
	}
	if _, _, err := b.run(ctx, name, askedSession(key)); err == nil {
		return runID(name, askedSession(key)), nil
	}
	err = b.set(ctx, name, func(r *row) error {
		if slices.ContainsFunc(r.Asked, func(a ask) bool { return a.Key == key }) {
			return nil
		}
		if len(r.Asked) >= mostAsked {
			return fmt.Errorf("schedule: %d runs of %q are asked for already and no scheduler takes them: %w", mostAsked, name, storage.ErrFull)
		}
		r.Asked = append(r.Asked, ask{Key: key})
		return nil
	})
	return runID(name, askedSession(key)), err
}

// askedSession is the session of a run that was asked for.
func askedSession(key string) string { return "now-" + key }

func (b *Board) set(ctx context.Context, name string, set func(*row) error) error {
	if err := storage.CheckName("job", name); err != nil {
		return err
	}
	err := b.change(ctx, name, func(r *row) (bool, error) {
		if _, ok := r.job(); !ok {
			return false, noJob(name)
		}
		err := set(r)
		return err == nil, err
	})
	if err == nil {
		b.tell(ctx, name)
	}
	return err
}

// History returns the newest runs of a job, newest first, at most limit, 1 to
// 1000. A job that was removed still has one; one that never was has none.
func (b *Board) History(ctx context.Context, name string, limit int) ([]Run, error) {
	if err := storage.CheckName("job", name); err != nil {
		return nil, err
	}
	if limit < 1 || limit > 1000 {
		return nil, invalid.Field("limit", limit, "1 to 1000")
	}
	page, err := b.records.List(ctx, runsCollection, storage.RecordQuery{
		Where: []storage.Field{storage.Text("job", name)}, Order: "due", Kind: storage.NumberField, Desc: true, Limit: limit,
	})
	if err != nil {
		return nil, err
	}
	all := make([]Run, len(page.Records))
	for i, record := range page.Records {
		if err := json.Unmarshal(record.Data, &all[i]); err != nil {
			return nil, fmt.Errorf("schedule: run %q: %w: %w", record.ID, storage.ErrCorrupt, err)
		}
	}
	return all, nil
}
