package workflow_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow"
)

func TestMain(m *testing.M) {
	sharedtest.FixSeeds()
	goleak.VerifyTestMain(m)
}

func TestBackoffIsBetweenAHalfAndAllOfWhatDoublesUpToItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := workflow.Policy{
			MinBackoff: time.Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "least")),
			MaxBackoff: time.Duration(rapid.Int64Range(1, int64(24*time.Hour)).Draw(t, "most")),
		}.Validated()
		require.NoError(t, err)
		n, key := rapid.IntRange(1, 1000).Draw(t, "attempt"), rapid.String().Draw(t, "key")
		whole := float64(p.MinBackoff)
		for range min(n-1, 60) {
			whole *= 2
		}
		whole = min(whole, float64(p.MaxBackoff))
		got := p.Backoff(key, n)
		assert.GreaterOrEqual(t, float64(got), whole/2-1)
		assert.LessOrEqual(t, float64(got), whole)
		assert.Equal(t, got, p.Backoff(key, n))
	})
}

func TestBackoffSpreadsRunsThatFailedTogether(t *testing.T) {
	p, err := workflow.Policy{MinBackoff: time.Second}.Validated()
	require.NoError(t, err)
	var tenths [10]int
	for i := range 10000 {
		d := p.Backoff(workflow.Key("run-"+strings.Repeat("x", i%7)+string(rune('a'+i%26)), "0", strings.Repeat("s", 1+i%50)), 1)
		tenths[min(9, int(10*(d-time.Second/2)/(time.Second/2)))]++
	}
	for i, n := range tenths {
		assert.Greater(t, n, 500, "tenth %d of the span", i)
	}
}

func TestPolicyRefusesWhatMakesNoSense(t *testing.T) {
	for field, p := range map[string]workflow.Policy{
		"Attempts": {Attempts: 2, Once: true}, "MinBackoff": {MinBackoff: -1}, "MaxBackoff": {MaxBackoff: -1},
		"Timeout": {Timeout: -1}, "Deadline": {Deadline: -1},
	} {
		_, err := p.Validated()
		refused, ok := errors.AsType[*workflow.FieldError](err)
		require.True(t, ok, field)
		assert.Equal(t, field, refused.Field)
	}
}

func TestCatalogRefusesWhatItCannotTellApart(t *testing.T) {
	run := func(*workflow.Ctx, int) (int, error) { return 0, nil }
	type definition = workflow.Definition[int, int]
	for name, row := range map[string]struct {
		field       string
		definitions []definition
	}{
		"no name":    {"Name", []definition{{Version: 1, Run: run}}},
		"no version": {"Version", []definition{{Name: "a", Run: run}}},
		"no run":     {"Run", []definition{{Name: "a", Version: 1}}},
		"twice":      {"Version", []definition{{Name: "a", Version: 1, Run: run}, {Name: "a", Version: 1, Run: run}}},
	} {
		var all []workflow.Workflow
		for _, d := range row.definitions {
			all = append(all, workflow.Of(d))
		}
		_, err := workflow.NewCatalog(all...)
		refused, ok := errors.AsType[*workflow.FieldError](err)
		require.True(t, ok, name)
		assert.Equal(t, row.field, refused.Field, name)
	}
}

func TestKeysAreShortAndTellAllStepsApart(t *testing.T) {
	assert.Equal(t, "analysis-SPY/2.1.0/fetch", workflow.Key("analysis-SPY", "2.1.0", "fetch"))
	long := strings.Repeat("é", 64)
	a, b := workflow.Key(long, strings.Repeat("1.", 100), "a"), workflow.Key(long, strings.Repeat("1.", 100), "b")
	assert.NotEqual(t, a, b)
	assert.LessOrEqual(t, len(a), 256)
}

// wall is a market.Clock of real time.
type wall struct{}

func (wall) Now() time.Time                        { return time.Now() }
func (wall) NewTimer(d time.Duration) market.Timer { return wallTimer{time.NewTimer(d)} }

type wallTimer struct{ *time.Timer }

func (w wallTimer) C() <-chan time.Time { return w.Timer.C }

func TestClockOfTellsTheTimeOfAMarketClock(t *testing.T) {
	var source market.Clock = wall{}
	for name, clock := range map[string]workflow.Clock{"market": workflow.ClockOf(source), "real": workflow.RealClock{}} {
		synctest.Test(t, func(t *testing.T) {
			begun := clock.Now()
			require.NoError(t, clock.Sleep(t.Context(), time.Hour))
			assert.Equal(t, time.Hour, time.Since(begun), name)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			assert.ErrorIs(t, clock.Sleep(ctx, time.Hour), context.DeadlineExceeded)
			assert.ErrorIs(t, clock.Sleep(ctx, 0), context.DeadlineExceeded)
		})
	}
}

func TestPermanentKeepsItsCause(t *testing.T) {
	boom := errors.New("boom")
	assert.ErrorIs(t, workflow.Permanent(boom), boom)
	assert.EqualError(t, workflow.Permanent(boom), "boom")
	assert.NoError(t, workflow.Permanent(nil))
}
