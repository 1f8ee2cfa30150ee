package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
	"github.com/ttai-go/ttai/workflow/schedule"
)

func (k *keeper) jobs(t *testing.T) []schedule.Entry {
	t.Helper()
	out, problems, code := k.run(t, "jobs", "list", "--json")
	require.Zero(t, code, problems)
	var all []schedule.Entry
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	return all
}

func TestJobsAreAddedChangedPausedAndRemovedThroughTheStore(t *testing.T) {
	k := newKeeper(t)
	out, problems, code := k.run(t, "jobs", "list")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "no jobs yet")
	assert.Empty(t, k.jobs(t))

	out, problems, code = k.run(t, "jobs", "add", "friday", "30m before close on the last session of the week", "--workflow", "daily-pnl", "--missed", "skip", "--grace", "10m", "--jitter", "1m")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "friday runs daily-pnl: 30m before close on the last session of the week")
	all := k.jobs(t)
	require.Len(t, all, 1)
	trigger := schedule.AtClose(-30 * time.Minute).Only(schedule.LastOfWeek)
	assert.Equal(t, schedule.Job{Name: "friday", Workflow: "daily-pnl", Trigger: trigger, Missed: schedule.Skip, Grace: 10 * time.Minute, Within: 168 * time.Hour, Jitter: time.Minute}, all[0].Job)
	assert.True(t, all[0].Own)
	assert.True(t, all[0].Next.After(time.Now()))

	out, problems, code = k.run(t, "jobs", "next", "friday", "-n", "4", "--json")
	require.Zero(t, code, problems)
	var next []schedule.Occurrence
	require.NoError(t, json.Unmarshal([]byte(out), &next))
	require.Len(t, next, 4)
	for _, o := range next {
		s, open := market.NYSE().Session(o.Date)
		require.True(t, open)
		assert.WithinDuration(t, s.Close.Add(-30*time.Minute), o.At, time.Minute)
	}

	for _, c := range [][2]string{{"pause", "friday is paused"}, {"resume", "friday is resumed"}} {
		out, problems, code = k.run(t, "jobs", c[0], "friday")
		require.Zero(t, code, problems)
		assert.Contains(t, out, c[1])
		assert.Equal(t, c[0] == "pause", k.jobs(t)[0].Paused)
	}
	out, problems, code = k.run(t, "jobs", "run", "friday", "--key", "mine")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "schedule/friday/now-mine")
	out, problems, code = k.run(t, "jobs", "remove", "friday")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "removed")
	assert.Empty(t, k.jobs(t))
}

// A run that was asked for at the command line is started by a scheduler in another
// process, and its history is read at the command line.
func TestARunIsAskedForHereAndHappensInTheScheduler(t *testing.T) {
	k := newKeeper(t)
	store := func() *sqlite.Store {
		s, err := sqlite.Open(t.Context(), k.file(), nil)
		require.NoError(t, err)
		return s
	}
	_, problems, code := k.run(t, "jobs", "add", "mine", "open", "--workflow", "portfolio-sync")
	require.Zero(t, code, problems)
	_, problems, code = k.run(t, "jobs", "run", "mine", "--key", "one")
	require.Zero(t, code, problems)
	out, problems, code := k.run(t, "jobs", "history", "mine")
	require.Zero(t, code, problems)
	assert.Contains(t, out, "not run yet")

	s := store()
	defer s.Close()
	tenant, err := s.For(storage.Local)
	require.NoError(t, err)
	work := schedule.Workflow("portfolio-sync", 1, func(_ *workflow.Ctx, in schedule.Input) (bool, error) { return in.Manual, nil })
	engine, err := journal.New(t.Context(), tenant, []workflow.Workflow{work}, nil)
	require.NoError(t, err)
	defer engine.Close()
	scheduler, err := schedule.New(t.Context(), tenant, engine, nil, &schedule.Options{Name: "the scheduler"})
	require.NoError(t, err)
	_, err = scheduler.Tick(t.Context())
	require.NoError(t, err)
	manual, err := workflow.Result[bool](t.Context(), engine, "schedule/mine/now-one")
	require.NoError(t, err)
	assert.True(t, manual)
	_, err = scheduler.Tick(t.Context())
	require.NoError(t, err)

	out, problems, code = k.run(t, "jobs", "history", "mine")
	require.Zero(t, code, problems)
	assert.Regexp(t, `completed  now-one  the scheduler`, out)
	out, _, _ = k.run(t, "jobs", "list")
	assert.Regexp(t, `mine +(Mon|Tue|Wed|Thu|Fri) .* open +completed now-one +1 +0 +0`, out)
}

func TestATriggerIsTriedWithoutAddingAnything(t *testing.T) {
	k := newKeeper(t)
	out, problems, code := k.run(t, "jobs", "test", "15m after close", "--at", "2026-11-26 12:00", "-n", "2")
	require.Zero(t, code, problems)
	assert.Equal(t, "Fri 2026-11-27 13:15 EST  2026-11-27\nMon 2026-11-30 16:15 EST  2026-11-30\n", out)
	assert.Empty(t, k.jobs(t))
}

func TestWhatIsWrongWithAJobIsSaid(t *testing.T) {
	k := newKeeper(t)
	for says, args := range map[string][]string{
		"soon":                   {"add", "a", "soon"},
		"one of analyze":         {"add", "a", "open", "--workflow", "nothing"},
		"name":                   {"add", "A B", "open", "--workflow", "daily-pnl"},
		"data":                   {"add", "a", "open", "--workflow", "analyze", "--data", "{"},
		"missed":                 {"add", "a", "open", "--workflow", "daily-pnl", "--missed", "never"},
		"jitter":                 {"add", "a", "every 5m", "--workflow", "daily-pnl", "--jitter", "1h"},
		`no such job: "nothing"`: {"run", "nothing"},
		"no such job":            {"remove", "nothing"},
		"n: 0":                   {"test", "open", "-n", "0"},
		"at:":                    {"test", "open", "--at", "later"},
		"cron":                   {"test", "cron 61 * * * * in UTC"},
	} {
		_, problems, code := k.run(t, append([]string{"jobs"}, args...)...)
		assert.Equal(t, 2, code, "%v: %s", args, problems)
		assert.Contains(t, problems, says, args)
	}
}
