package schedule

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow"
)

func TestJobsLiveInTheStore(t *testing.T) {
	h := newHouse(t, "2026-03-06 09:00")
	board, err := OpenBoard(h.tenant, &Options{Clock: h.clock})
	require.NoError(t, err)
	job := Job{Name: "mine", Workflow: "other", Trigger: AtOpen(0), Data: json.RawMessage(`{"a":1}`), Missed: CatchUp, Jitter: time.Minute, Grace: time.Hour}
	require.NoError(t, board.Add(t.Context(), job))
	s := h.scheduler(Job{Name: "job", Trigger: AtClose(0)})
	h.tick(s)
	h.set("2026-03-06 09:31")
	h.tick(s)
	assert.Equal(t, []string{"mine 2026-03-06"}, h.done(), "a job added by another process runs")
	all, err := board.Jobs(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.Equal(t, "job", all[0].Job.Name)
	assert.Equal(t, job, all[1].Job)
	assert.True(t, all[1].Own)

	// What was added goes before what a program gives, until it is removed.
	require.NoError(t, board.Add(t.Context(), Job{Name: "job", Trigger: AtOpen(time.Hour)}))
	h.tick(s)
	h.set("2026-03-06 10:30")
	h.tick(s)
	assert.Equal(t, []string{"mine 2026-03-06", "job 2026-03-06"}, h.done())
	require.NoError(t, board.Remove(t.Context(), "job"))
	require.NoError(t, board.Remove(t.Context(), "mine"))
	assert.ErrorIs(t, board.Remove(t.Context(), "mine"), ErrNoJob)
	e, err := board.Job(t.Context(), "job")
	require.NoError(t, err)
	assert.Equal(t, AtClose(0), e.Job.Trigger)
	_, err = board.Job(t.Context(), "mine")
	assert.ErrorIs(t, err, ErrNoJob)
	runs, err := board.History(t.Context(), "mine", 10)
	require.NoError(t, err)
	assert.Len(t, runs, 1, "the history stays")

	// A newer program without the job makes it go; the same one changes nothing.
	s = h.scheduler()
	h.tick(s)
	all, err = board.Jobs(t.Context())
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestANewTriggerBeginsNow(t *testing.T) {
	h := newHouse(t, "2026-03-06 18:00")
	weekly := Job{Name: "job", Trigger: AtClose(0).Only(LastOfWeek), Missed: CatchUp}
	s := h.scheduler(weekly)
	h.tick(s)
	h.set("2026-03-12 12:00")
	daily := weekly
	daily.Trigger = AtOpen(0)
	s = h.scheduler(daily)
	h.tick(s)
	assert.Empty(t, h.done(), "the new trigger was not there on the days before")
	require.NoError(t, s.Add(t.Context(), Job{Name: "job", Trigger: Trigger{Every: 15 * time.Minute}, Missed: CatchUp}))
	h.tick(s)
	assert.Empty(t, h.done())
	h.set("2026-03-12 12:15")
	h.tick(s)
	assert.Len(t, h.done(), 1)
}

func TestAFailureIsKeptUntilTheNext(t *testing.T) {
	h := newHouse(t, "2026-03-05 12:00")
	s := h.scheduler(Job{Name: "job", Trigger: AtOpen(0)}, Job{Name: "lost", Trigger: AtOpen(0)})
	h.tick(s)
	h.fail = errors.New("no quotes")
	h.set("2026-03-06 09:30")
	h.tick(s)
	e, err := s.Job(t.Context(), "job")
	require.NoError(t, err)
	assert.Equal(t, 1, e.Failed)
	assert.Contains(t, e.LastError, "no quotes")
	assert.Equal(t, workflow.Failed, e.Last.State)
	assert.Zero(t, e.LastSuccess)

	e, err = s.Job(t.Context(), "lost")
	require.NoError(t, err)
	assert.Equal(t, 1, e.Failed, "a job whose workflow no engine has fails and does not wait for ever")
	assert.Contains(t, e.LastError, "lost")
	assert.Zero(t, e.Running)

	h.fail = nil
	h.set("2026-03-09 09:30")
	h.tick(s)
	e, err = s.Job(t.Context(), "job")
	require.NoError(t, err)
	assert.Contains(t, e.LastError, "no quotes", "it stays when later runs succeed")
	assert.True(t, e.LastErrorAt.Before(e.LastSuccess))
}

func TestTheHistoryIsPruned(t *testing.T) {
	h := newHouse(t, "2026-03-06 09:00")
	job := Job{Name: "job", Trigger: CronIn("UTC", "* * * * *"), Missed: Skip}
	s, err := New(t.Context(), h.tenant, h.engine, []Job{job}, &Options{Clock: h.clock, Keep: 20})
	require.NoError(t, err)
	h.tick(s)
	for range 2 * pruneEvery {
		h.clock.Advance(time.Minute)
		h.tick(s)
	}
	runs, err := s.History(t.Context(), "job", 1000)
	require.NoError(t, err)
	assert.Len(t, runs, 20)
	old := "schedule/job/" + at(t, "2026-03-06 09:01").UTC().Format("2006-01-02T15:04Z07:00")
	_, err = h.engine.Status(t.Context(), old)
	assert.ErrorIs(t, err, workflow.ErrNoRun, "the engine forgets them too")
}

func TestJobsThatCannotBeScheduledAreRefused(t *testing.T) {
	ok := Job{Name: "job", Trigger: AtOpen(0)}
	require.NoError(t, ok.Validate())
	for name, change := range map[string]func(*Job){
		"no name":             func(j *Job) { j.Name = "" },
		"a name with space":   func(j *Job) { j.Name = "a b" },
		"no trigger":          func(j *Job) { j.Trigger = Trigger{} },
		"a bad workflow":      func(j *Job) { j.Workflow = "a/b" },
		"an unknown policy":   func(j *Job) { j.Missed = "sometimes" },
		"a negative grace":    func(j *Job) { j.Grace = -1 },
		"a long grace":        func(j *Job) { j.Grace = 25 * time.Hour },
		"a negative within":   func(j *Job) { j.Within = -1 },
		"too many at once":    func(j *Job) { j.Most = 101 },
		"a negative jitter":   func(j *Job) { j.Jitter = -1 },
		"a jitter over Every": func(j *Job) { j.Trigger, j.Jitter = Trigger{Every: time.Minute}, 2*time.Minute },
		"data that is none":   func(j *Job) { j.Data = json.RawMessage(`{`) },
	} {
		j := ok
		change(&j)
		_, field := errors.AsType[*FieldError](j.Validate())
		assert.True(t, field, name)
	}
	h := newHouse(t, "2026-03-06 09:00")
	_, err := New(t.Context(), h.tenant, h.engine, []Job{ok, ok}, nil)
	assert.ErrorContains(t, err, "each name once")
	_, err = New(t.Context(), h.tenant, nil, nil, nil)
	assert.ErrorContains(t, err, "engine")
	for _, o := range []Options{{Lease: time.Millisecond}, {Poll: time.Millisecond}, {Keep: 1}, {Name: "a\nb"}} {
		_, err := OpenBoard(h.tenant, &o)
		assert.Error(t, err)
	}
}

func TestDefaultJobsAreThoseOfATradersDay(t *testing.T) {
	var names []string
	h := newHouse(t, "2026-11-26 12:00") // Thanksgiving, before a half day
	board, err := OpenBoard(h.tenant, &Options{Clock: h.clock})
	require.NoError(t, err)
	first := map[string]string{}
	for _, j := range DefaultJobs() {
		require.NoError(t, j.Validate(), j.Name)
		names = append(names, j.Name)
		next, err := board.Preview(t.Context(), Job{Name: j.Name, Trigger: j.Trigger}, h.clock.Now(), 1)
		require.NoError(t, err)
		first[j.Name] = next[0].At.In(market.NYSE().Location()).Format("01-02 15:04")
	}
	assert.Equal(t, []string{"morning-briefing", "close-summary", "hourly-screeners", "daily-pnl", "scorecard", "weekly-summary", "portfolio-sync", "token-refresh"}, names)
	assert.Equal(t, map[string]string{
		"morning-briefing": "11-27 08:45", "close-summary": "11-27 13:15", "hourly-screeners": "11-27 09:35", "daily-pnl": "11-27 14:00",
		"scorecard": "11-27 14:15", "weekly-summary": "11-27 14:30", "portfolio-sync": "11-27 09:30", "token-refresh": "11-26 12:10",
	}, first)
}

func TestJobsReadWhatTheyWrite(t *testing.T) {
	for _, j := range DefaultJobs() {
		data, err := json.Marshal(j)
		require.NoError(t, err)
		var back Job
		require.NoError(t, json.Unmarshal(data, &back))
		assert.Equal(t, j, back, string(data))
	}
	var j Job
	require.NoError(t, json.Unmarshal([]byte(`{"name":"a","trigger":"45m before open","missed":"skip","grace":"2h","jitter":"30s"}`), &j))
	assert.Equal(t, Job{Name: "a", Trigger: AtOpen(-45 * time.Minute), Missed: Skip, Grace: 2 * time.Hour, Jitter: 30 * time.Second}, j)
	assert.Error(t, json.Unmarshal([]byte(`{"name":"a","trigger":"open","grace":"soon"}`), &j))
	assert.Error(t, json.Unmarshal([]byte(`{"name":"a","trigger":"soon"}`), &j))
}
