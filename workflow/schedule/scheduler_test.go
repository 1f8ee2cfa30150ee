package schedule

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

// A house is a store, an engine that counts what jobs did, and a clock.
type house struct {
	t      *testing.T
	tenant storage.Tenant
	engine workflow.Engine
	clock  *market.ManualClock

	mu     sync.Mutex
	did    []string // job and session, in the order of their runs
	inputs map[string]Input
	events []Event
	fail   error
}

func newHouse(t *testing.T, now string) *house {
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For("trader")
	require.NoError(t, err)
	h := &house{t: t, tenant: tenant, clock: market.NewManualClock(at(t, now)), inputs: map[string]Input{}}
	h.engine, err = journal.New(t.Context(), tenant, []workflow.Workflow{h.work("job"), h.work("other")}, &journal.Options{Clock: workflow.ClockOf(h.clock)})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, h.engine.Close()) })
	return h
}

func (h *house) work(name string) workflow.Workflow {
	return Workflow(name, 1, func(ctx *workflow.Ctx, in Input) (string, error) {
		return workflow.Step(ctx, "work", workflow.Policy{Attempts: 1}, func(_ context.Context, call workflow.Call) (string, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.did = append(h.did, in.Job+" "+in.Session)
			h.inputs[in.Session] = in
			return call.Key, h.fail
		})
	})
}

func (h *house) scheduler(jobs ...Job) *Scheduler {
	return h.named("one", jobs...)
}

func (h *house) named(name string, jobs ...Job) *Scheduler {
	s, err := New(h.t.Context(), h.tenant, h.engine, jobs, &Options{Clock: h.clock, Name: name, Observe: func(e Event) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events = append(h.events, e)
	}})
	require.NoError(h.t, err)
	return s
}

// tick does what is due, waits for the runs and records their end.
func (h *house) tick(s *Scheduler) time.Time {
	h.t.Helper()
	_, err := s.Tick(h.t.Context())
	require.NoError(h.t, err)
	h.settle()
	next, err := s.Tick(h.t.Context())
	require.NoError(h.t, err)
	return next
}

func (h *house) settle() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 10*time.Second)
	defer cancel()
	runs, err := h.engine.List(ctx, workflow.Running, "", 1000)
	require.NoError(h.t, err)
	for _, run := range runs {
		_, err := h.engine.Wait(ctx, run.ID)
		require.NoError(h.t, err)
	}
}

func (h *house) done() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.did)
}

func (h *house) set(now string) { h.clock.Set(at(h.t, now)) }

func (h *house) told(kind EventKind) []Event {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(h.events), func(e Event) bool { return e.Kind != kind })
}

func history(t *testing.T, b *Board, job string) []string {
	t.Helper()
	runs, err := b.History(t.Context(), job, 100)
	require.NoError(t, err)
	var all []string
	for _, r := range runs {
		text := fmt.Sprint(r.Session, " ", r.Outcome)
		if r.State != "" {
			text += " " + string(r.State)
		}
		if r.Count > 0 {
			text += fmt.Sprint(" +", r.Count)
		}
		all = append(all, text)
	}
	return all
}

func TestAJobRunsOnceInEachSession(t *testing.T) {
	h := newHouse(t, "2026-03-05 12:00") // a Thursday; clocks go forward on the Sunday
	s := h.scheduler(Job{Name: "job", Trigger: AtOpen(-45 * time.Minute)})
	assert.Equal(t, at(t, "2026-03-06 08:45").UTC(), h.tick(s).UTC())
	assert.Empty(t, h.done(), "nothing before a job was first seen was missed")

	h.set("2026-03-06 08:44:59")
	h.tick(s)
	assert.Empty(t, h.done())
	h.set("2026-03-06 08:45")
	for range 3 {
		h.tick(s)
	}
	assert.Equal(t, []string{"job 2026-03-06"}, h.done())
	h.set("2026-03-09 08:45")
	h.tick(s)
	assert.Equal(t, []string{"job 2026-03-06", "job 2026-03-09"}, h.done())
	assert.Equal(t, []string{"2026-03-09 started completed", "2026-03-06 started completed"}, history(t, s.Board, "job"))

	e, err := s.Job(t.Context(), "job")
	require.NoError(t, err)
	assert.Equal(t, 2, e.Started)
	assert.Zero(t, e.Running)
	assert.Equal(t, "schedule/job/2026-03-09", e.Last.ID)
	assert.Equal(t, workflow.Completed, e.Last.State)
	assert.Equal(t, at(t, "2026-03-10 08:45").UTC(), e.Next.UTC())
	assert.False(t, e.LastSuccess.IsZero())
	assert.Equal(t, at(t, "2026-03-09 08:45").UTC(), h.inputs["2026-03-09"].At.UTC())
	require.Len(t, h.told(RunStarted), 2)
	require.Len(t, h.told(RunEnded), 2)
}

func TestSeveralSchedulersStartEachOccurrenceOnce(t *testing.T) {
	h := newHouse(t, "2026-03-05 12:00")
	var jobs []Job
	for i := range 6 {
		jobs = append(jobs, Job{Name: fmt.Sprint("job-", i), Workflow: "job", Trigger: Trigger{Every: 30 * time.Minute}})
	}
	var all []*Scheduler
	for i := range 4 {
		all = append(all, h.named(fmt.Sprint("scheduler-", i), jobs...))
	}
	for _, s := range all {
		h.tick(s)
	}
	for now := at(t, "2026-03-06 09:30"); now.Before(at(t, "2026-03-06 16:00")); now = now.Add(30 * time.Minute) {
		h.clock.Set(now)
		var together sync.WaitGroup
		for _, s := range all {
			together.Go(func() {
				for range 3 {
					_, err := s.Tick(t.Context())
					assert.NoError(t, err)
				}
			})
		}
		together.Wait()
	}
	h.settle()
	for _, s := range all {
		h.tick(s)
	}
	did := h.done()
	slices.Sort(did)
	assert.Len(t, did, 6*13)
	assert.Len(t, slices.Compact(did), 6*13, "none twice")
	by := map[string]int{}
	for _, j := range jobs {
		runs, err := all[0].History(t.Context(), j.Name, 100)
		require.NoError(t, err)
		require.Len(t, runs, 13)
		for i, r := range runs {
			by[r.By]++
			assert.Equal(t, workflow.Completed, r.State)
			if i > 0 {
				assert.Less(t, r.Fence, runs[i-1].Fence, "each claim has a greater token than those before")
			}
		}
	}
	assert.Greater(t, len(by), 1, "they share the work: %v", by)
}

func TestMissedRunsAreMergedCaughtUpOrSkipped(t *testing.T) {
	for _, c := range []struct {
		name    string
		job     Job
		did     []string
		history []string
	}{
		{"merged", Job{Missed: Merge}, []string{"job 2026-03-12"}, []string{"2026-03-12 started completed +3"}},
		{"by default", Job{}, []string{"job 2026-03-12"}, []string{"2026-03-12 started completed +3"}},
		{"caught up", Job{Missed: CatchUp}, []string{"job 2026-03-09", "job 2026-03-10", "job 2026-03-11", "job 2026-03-12"},
			[]string{"2026-03-12 started completed", "2026-03-11 started completed", "2026-03-10 started completed", "2026-03-09 started completed"}},
		{"caught up, two at most", Job{Missed: CatchUp, Most: 2}, []string{"job 2026-03-11", "job 2026-03-12"},
			[]string{"2026-03-12 started completed", "2026-03-11 started completed", "missed-2026-03-10 skipped +2"}},
		{"caught up, not too old", Job{Missed: CatchUp, Within: 50 * time.Hour}, []string{"job 2026-03-11", "job 2026-03-12"},
			[]string{"2026-03-12 started completed", "2026-03-11 started completed", "missed-2026-03-10 skipped +2"}},
		{"skipped", Job{Missed: Skip}, nil, []string{"missed-2026-03-12 skipped +4"}},
		{"skipped but for the one within grace", Job{Missed: Skip, Grace: 4 * time.Hour}, []string{"job 2026-03-12"},
			[]string{"2026-03-12 started completed", "missed-2026-03-11 skipped +3"}},
		{"merged, not too old", Job{Missed: Merge, Within: 50 * time.Hour}, []string{"job 2026-03-12"},
			[]string{"2026-03-12 started completed +1", "missed-2026-03-10 skipped +2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, "2026-03-06 12:00")
			c.job.Name, c.job.Trigger = "job", AtOpen(0)
			h.tick(h.scheduler(c.job))
			h.set("2026-03-12 12:00") // Thursday, two and a half hours late
			s := h.scheduler(c.job)   // as after a restart
			h.tick(s)
			did := h.done()
			slices.Sort(did)
			assert.Equal(t, c.did, did)
			assert.Equal(t, c.history, history(t, s.Board, "job"))
			h.tick(s)
			assert.Len(t, h.done(), len(c.did), "once")
			missed := h.told(RunMissed)
			require.Len(t, missed, 1, "it says what it missed")
			assert.Equal(t, at(t, "2026-03-09 09:30").UTC(), missed[0].First.UTC())
			e, err := s.Job(t.Context(), "job")
			require.NoError(t, err)
			assert.Equal(t, missed[0].Count, e.Missed)
		})
	}
}

func TestAMergedRunSaysWhatItStandsFor(t *testing.T) {
	h := newHouse(t, "2026-03-06 12:00")
	job := Job{Name: "job", Trigger: AtOpen(0), Data: json.RawMessage(`{"symbols":["SPY"]}`)}
	s := h.scheduler(job)
	h.tick(s)
	h.set("2026-03-11 09:31")
	h.tick(s)
	in := h.inputs["2026-03-11"]
	assert.Equal(t, 2, in.MergedCount)
	require.Len(t, in.Merged, 2)
	assert.Equal(t, "2026-03-09", in.Merged[0].Session)
	assert.Equal(t, "2026-03-10", in.Merged[1].Session)
	assert.False(t, in.Missed, "the newest is on time")
	assert.JSONEq(t, `{"symbols":["SPY"]}`, string(in.Data))
}

func TestALongAbsenceCostsOneRecordPerJob(t *testing.T) {
	h := newHouse(t, "2026-03-06 12:00")
	job := Job{Name: "job", Trigger: CronIn("UTC", "* * * * *"), Missed: Merge, Within: time.Hour}
	s := h.scheduler(job)
	h.tick(s)
	h.set("2026-05-06 12:00:30")
	h.tick(s)
	assert.Equal(t, []string{"job 2026-05-06T16:00Z"}, h.done())
	runs, err := s.History(t.Context(), "job", 10)
	require.NoError(t, err)
	require.Len(t, runs, 2)
	assert.Equal(t, 59, runs[0].Count, "those of the last hour but its own")
	assert.GreaterOrEqual(t, runs[1].Count, mostLooked)
	e, err := s.Job(t.Context(), "job")
	require.NoError(t, err)
	assert.Equal(t, 1, e.Started)
}

func TestAPausedJobWaitsAndWhatLayInThePauseWasNotMissed(t *testing.T) {
	h := newHouse(t, "2026-03-06 12:00")
	s := h.scheduler(Job{Name: "job", Trigger: AtOpen(0), Missed: CatchUp})
	h.tick(s)
	require.NoError(t, s.Pause(t.Context(), "job"))
	h.set("2026-03-10 12:00")
	assert.True(t, h.tick(s).IsZero())
	e, err := s.Job(t.Context(), "job")
	require.NoError(t, err)
	assert.True(t, e.Paused)
	assert.True(t, e.Next.IsZero())

	id, err := s.RunNow(t.Context(), "job", "by-hand")
	require.NoError(t, err)
	h.tick(s)
	assert.Equal(t, []string{"job now-by-hand"}, h.done(), "a paused job runs when asked to")
	assert.True(t, h.inputs["now-by-hand"].Manual)
	again, err := s.RunNow(t.Context(), "job", "by-hand")
	require.NoError(t, err)
	h.tick(s)
	assert.Equal(t, id, again)
	assert.Len(t, h.done(), 1, "one key is one run")

	require.NoError(t, s.Resume(t.Context(), "job"))
	h.tick(s)
	assert.Len(t, h.done(), 1)
	h.set("2026-03-11 09:30")
	h.tick(s)
	assert.Equal(t, []string{"job now-by-hand", "job 2026-03-11"}, h.done())

	for _, err := range []error{s.Pause(t.Context(), "nothing"), s.Resume(t.Context(), "nothing"), s.Remove(t.Context(), "job")} {
		assert.ErrorIs(t, err, ErrNoJob)
	}
	_, err = s.RunNow(t.Context(), "nothing", "")
	assert.ErrorIs(t, err, ErrNoJob)
}

func TestNextTenTimesAreThoseAtWhichItWillRun(t *testing.T) {
	h := newHouse(t, "2026-11-24 12:00")
	s := h.scheduler(Job{Name: "job", Trigger: AtClose(15 * time.Minute), Jitter: 10 * time.Minute})
	h.tick(s)
	next, err := s.Next(t.Context(), "job", 10)
	require.NoError(t, err)
	require.Len(t, next, 10)
	assert.Equal(t, "2026-11-24", next[0].Session)
	assert.Equal(t, "2026-11-27", next[2].Session, "Thursday is Thanksgiving")
	assert.Equal(t, 13, next[2].At.Hour(), "a half day")
	for _, o := range next {
		h.clock.Set(o.At.Add(-time.Nanosecond))
		h.tick(s)
		before := len(h.done())
		h.clock.Set(o.At)
		h.tick(s)
		assert.Len(t, h.done(), before+1, o.Session)
	}
	_, err = s.Next(t.Context(), "job", 0)
	assert.Error(t, err)
}

func TestJitterIsSeededAndStaysInsideItsWindow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		jitter := time.Duration(rapid.Int64Range(1, int64(24*time.Hour)).Draw(rt, "jitter"))
		seed := rapid.Uint64().Draw(rt, "seed")
		b, other := &Board{opts: Options{Seed: seed}}, &Board{opts: Options{Seed: seed}}
		job := Job{Name: rapid.StringMatching(`[a-z]{1,8}`).Draw(rt, "name"), Jitter: jitter}
		o := Occurrence{At: time.Unix(1_772_800_000, 0), Session: rapid.StringMatching(`2026-0[1-9]-[12][0-9]`).Draw(rt, "session")}
		begin := b.begins(job, o)
		if begin.Before(o.At) || !begin.Before(o.At.Add(jitter)) {
			rt.Fatalf("%v is not in [%v, %v)", begin, o.At, o.At.Add(jitter))
		}
		if !begin.Equal(other.begins(job, o)) {
			rt.Fatal("two processes differ")
		}
	})
	b := &Board{opts: Options{Seed: 1}}
	other := &Board{opts: Options{Seed: 2}}
	var sum, differ float64
	const n = 1000
	buckets := make([]int, 10)
	for i := range n {
		o := Occurrence{Session: fmt.Sprint("2026-03-", i)}
		job := Job{Name: "job", Jitter: time.Hour}
		share := float64(b.begins(job, o).Sub(o.At)) / float64(time.Hour)
		sum += share
		buckets[int(share*10)]++
		if !b.begins(job, o).Equal(other.begins(job, o)) {
			differ++
		}
	}
	assert.InDelta(t, 0.5, sum/n, 0.04, "four standard errors of a uniform mean")
	for i, count := range buckets {
		assert.InDelta(t, n/10, count, 45, "bucket %d: a chi-square of uniform shares", i)
	}
	assert.InDelta(t, n, differ, 1, "another seed gives others")
}

func TestAClockThatIsSetBackRepeatsNothing(t *testing.T) {
	h := newHouse(t, "2026-03-06 09:00")
	s := h.scheduler(Job{Name: "job", Trigger: AtOpen(0), Missed: CatchUp})
	h.tick(s)
	h.set("2026-03-06 09:31")
	h.tick(s)
	h.set("2026-03-06 09:00") // by less than an hour
	h.tick(s)
	h.set("2026-03-06 09:31")
	h.tick(s)
	h.set("2026-03-05 08:00") // by a day: yesterday's session comes once more, and had no run
	h.tick(s)
	h.set("2026-03-05 09:31")
	h.tick(s)
	h.set("2026-03-06 09:32")
	h.tick(s)
	h.set("2026-03-09 09:30")
	h.tick(s)
	assert.Equal(t, []string{"job 2026-03-06", "job 2026-03-05", "job 2026-03-09"}, h.done())
}

func TestAClockThatShowedAFarFutureDoesNotStopJobsForGood(t *testing.T) {
	h := newHouse(t, "2026-03-06 09:00")
	s := h.scheduler(Job{Name: "job", Trigger: AtOpen(0), Missed: Skip})
	h.tick(s)
	h.set("2099-01-02 09:31") // a dead battery
	h.tick(s)
	h.set("2026-03-06 09:10")
	h.tick(s)
	h.set("2026-03-06 09:30")
	h.tick(s)
	assert.Contains(t, h.done(), "job 2026-03-06")
}

func TestTroubleOfOneJobDoesNotHoldOthers(t *testing.T) {
	h := newHouse(t, "2026-03-05 12:00")
	s := h.scheduler(Job{Name: "job", Trigger: AtOpen(0)}, Job{Name: "other", Trigger: AtOpen(0).BeforeEarnings(1, "AAPL")})
	_, err := s.Tick(t.Context())
	assert.ErrorContains(t, err, `job "other"`)
	h.set("2026-03-06 09:30")
	_, err = s.Tick(t.Context())
	assert.Error(t, err)
	h.settle()
	assert.Equal(t, []string{"job 2026-03-06"}, h.done())
	e, err := s.Job(t.Context(), "other")
	require.NoError(t, err)
	assert.Contains(t, e.Trouble, "Events")
	assert.Len(t, h.told(Problem), 1, "the same trouble is told once a minute")
}

// A scheduler that was stopped between taking the lease and writing, for longer
// than the lease, must not write over what another did meanwhile.
func TestAStaleHolderIsFencedOff(t *testing.T) {
	h := newHouse(t, "2026-03-05 12:00")
	job := Job{Name: "job", Trigger: AtOpen(0), Missed: Skip}
	stale, fresh := h.named("stale", job), h.named("fresh", job)
	h.tick(stale)
	h.set("2026-03-06 09:30")

	locks, err := h.tenant.Locks()
	require.NoError(t, err)
	old, err := locks.Acquire(t.Context(), "schedule/job", time.Minute)
	require.NoError(t, err)
	h.tick(fresh)
	assert.Empty(t, h.done(), "while somebody has the lease nobody else fires")
	require.NoError(t, locks.Release(t.Context(), old)) // it ran out
	h.set("2026-03-06 15:00")
	h.tick(fresh)
	assert.Empty(t, h.done(), "the fresh one skips what is too late")

	r, err := stale.row(t.Context(), "job")
	require.NoError(t, err)
	h.set("2026-03-06 09:30") // the stale one still believes it is time
	r.Through = at(t, "2026-03-05 12:00")
	_, err = stale.perform(t.Context(), old, r)
	assert.ErrorIs(t, err, storage.ErrLeaseLost)
	h.settle()
	assert.Empty(t, h.done())
}

func TestAClaimWhoseSchedulerDiedIsMadeGood(t *testing.T) {
	h := newHouse(t, "2026-03-05 12:00")
	job := Job{Name: "job", Trigger: AtOpen(0)}
	dying, other := h.named("dying", job), h.named("other", job)
	h.tick(dying)
	h.set("2026-03-06 09:30")
	dying.at = func(point string) {
		if point == "claimed" {
			panic("killed")
		}
	}
	func() {
		defer func() { assert.Equal(t, "killed", recover()) }()
		_, _ = dying.Tick(t.Context())
	}()
	assert.Empty(t, h.done())
	h.tick(other)
	assert.Equal(t, []string{"job 2026-03-06"}, h.done(), "under the same id, once")
	assert.Equal(t, []string{"2026-03-06 started completed"}, history(t, other.Board, "job"))
}

func TestRunFollowsTheClockAndEndsWithItsContext(t *testing.T) {
	h := newHouse(t, "2026-03-06 09:00")
	s := h.scheduler(Job{Name: "job", Trigger: AtOpen(0), Missed: CatchUp})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	until := func(what string, ok func() bool) {
		t.Helper()
		require.Eventually(t, ok, 10*time.Second, time.Millisecond, what)
	}
	until("it looks", func() bool { r, err := s.row(ctx, "job"); return err == nil && !r.Through.IsZero() })
	completed := func(n int) func() bool {
		return func() bool { return len(h.told(RunEnded)) == n }
	}
	advance := func(now string) {
		// The timer may not be armed yet: the clock is set again until something happens.
		before := len(h.told(RunEnded))
		until(now, func() bool { h.set(now); s.wake(); return len(h.told(RunEnded)) > before })
	}
	advance("2026-03-06 09:30")
	until("its end is recorded", completed(1))

	// Somebody else asks for a run: an event tells.
	board, err := OpenBoard(h.tenant, &Options{Clock: h.clock})
	require.NoError(t, err)
	id, err := board.RunNow(ctx, "job", "")
	require.NoError(t, err)
	until("the run that was asked for", completed(2))
	status, err := h.engine.Status(ctx, id)
	require.NoError(t, err)
	assert.Equal(t, workflow.Completed, status.State)

	// The computer slept over two sessions.
	advance("2026-03-10 12:00")
	until("what was missed", completed(4))
	missed := h.told(RunMissed)
	require.Len(t, missed, 1)
	assert.Equal(t, 2, missed[0].Count)

	// A jump is seen by a timer that was armed before it, and when that is cannot be
	// told from here: the clock jumps until one was.
	looks := func() {
		before := s.Looked()
		until("it looks again", func() bool { s.wake(); return s.Looked().After(before) })
	}
	noon := at(t, "2026-03-10 12:00")
	jump := func(kind EventKind, from, to time.Time) {
		for range 100 {
			h.clock.Set(from)
			looks()
			h.clock.Set(to)
			looks()
			if len(h.told(kind)) > 0 {
				return
			}
		}
		t.Fatal("it does not say that the clock jumped:", kind)
	}
	jump(ClockForward, noon, noon.Add(15*time.Minute))
	jump(ClockBack, noon.Add(15*time.Minute), noon)
	assert.Len(t, h.told(RunEnded), 4, "jumps within a session start nothing")
	cancel()
	require.NoError(t, <-ended)
}

// A report compares what an account is worth now with what it was at the report
// before: made several times at once it would say the same several times.
func TestReportsOfSeveralMissedDaysAreOne(t *testing.T) {
	for _, name := range []string{DailyPnL, WeeklySummary} {
		h := newHouse(t, "2026-03-05 12:00") // a Thursday
		job := DefaultJobs()[slices.IndexFunc(DefaultJobs(), func(j Job) bool { return j.Name == name })]
		job.Workflow = "job"
		s := h.scheduler(job)
		h.tick(s)
		h.set("2026-03-14 09:00") // two Fridays and seven sessions later
		h.tick(s)
		assert.Equal(t, []string{name + " 2026-03-13"}, h.done())
	}
}
