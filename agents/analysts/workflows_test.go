package analysts_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

// A desk is a source whose calls are counted, and what workflows saved and told.
type desk struct {
	market.Source
	mu    sync.Mutex
	calls map[string]int
	block string // the call that hangs until its context ends
	reach func(ctx context.Context, what string) error
	saved map[string]analysts.Result
	told  map[string]analysts.Message
}

func newDesk(source market.Source) *desk {
	return &desk{Source: source, calls: map[string]int{}, saved: map[string]analysts.Result{}, told: map[string]analysts.Message{}}
}

func (d *desk) count(ctx context.Context, what string) error {
	d.mu.Lock()
	d.calls[what]++
	hangs := d.block == what
	d.mu.Unlock()
	if hangs {
		<-ctx.Done()
		return ctx.Err()
	}
	if d.reach != nil {
		return d.reach(ctx, what)
	}
	return nil
}

func (d *desk) Bars(ctx context.Context, req market.BarsRequest) ([]market.Bar, error) {
	if err := d.count(ctx, "bars "+string(req.Symbol)); err != nil {
		return nil, err
	}
	return d.Source.Bars(ctx, req)
}

func (d *desk) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	if err := d.count(ctx, "chain"); err != nil {
		return nil, err
	}
	return d.Source.Chain(ctx, req)
}

func (d *desk) Expirations(ctx context.Context, s market.Symbol) ([]market.Expiration, error) {
	if f, ok := d.Source.(*fake); ok && f.bars[s] == nil {
		return nil, market.ErrUnknownSymbol
	}
	return d.Source.Expirations(ctx, s)
}

func (d *desk) engine(t *testing.T, tenant storage.Tenant, mind *analysts.Mind) *journal.Engine {
	a, err := analysts.New(analysts.Deps{Market: d, Clock: market.NewManualClock(noon), Rate: testRate, Mind: mind})
	require.NoError(t, err)
	definitions, err := analysts.Workflows{
		Analyst: a,
		Save: func(ctx context.Context, key string, r analysts.Result) (string, error) {
			if err := d.count(ctx, "save"); err != nil {
				return "", err
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			d.saved[key] = r
			return fmt.Sprint("kept-", len(d.saved)), nil
		},
		Notify: func(ctx context.Context, key string, m analysts.Message) error {
			if err := d.count(ctx, "notify"); err != nil {
				return err
			}
			d.mu.Lock()
			defer d.mu.Unlock()
			d.told[key] = m
			return nil
		},
		Universe: func(_ context.Context, name string) ([]market.Symbol, error) {
			if name != "mine" {
				return nil, errors.Join(market.ErrNoData)
			}
			return []market.Symbol{"TEST", "GONE", "TEST", "SPY"}, nil
		},
	}.Definitions()
	require.NoError(t, err)
	e, err := journal.New(t.Context(), tenant, definitions, &journal.Options{Lease: 10 * time.Second, Poll: time.Second})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, e.Close()) })
	return e
}

func tenant(t *testing.T) storage.Tenant {
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	return tenant
}

func TestTheAnalysisRunsInStepsAndSaysWhatTheAnalystSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, mind := range []*analysts.Mind{nil, {Model: script(obedient)}} {
			d := newDesk(rising())
			e := d.engine(t, tenant(t), mind)
			_, err := e.Start(t.Context(), "r", analysts.AnalysisWorkflow, analysts.AnalysisJob{Symbol: "TEST"})
			require.NoError(t, err)
			done, err := workflow.Result[analysts.AnalysisDone](t.Context(), e, "r")
			require.NoError(t, err)
			assert.Equal(t, "kept-1", done.ID)
			assert.Empty(t, done.Early)
			want := withMind(t, rising(), mind, nil)
			want.Chart, want.Transcript = nil, nil
			assert.Equal(t, want.Verdict, done.Analysis.Verdict)
			assert.Equal(t, want.Views, done.Analysis.Views)
			assert.Equal(t, want.Summary, done.Analysis.Summary)
			assert.Equal(t, want.Model, done.Analysis.Model)
			assert.Equal(t, want.Usage, done.Analysis.Usage)
			require.Len(t, d.told, 1)
			for key, m := range d.told {
				assert.Contains(t, key, "r/")
				assert.Contains(t, m.Title, "TEST: select")
				assert.Contains(t, m.Text, "not investment advice")
			}
			history, err := e.History(t.Context(), "r")
			require.NoError(t, err)
			var steps []string
			for _, h := range history {
				steps = append(steps, h.Name)
			}
			all := "begin market-data option-chain analysts save notify"
			if mind != nil {
				all = "begin market-data chart-analyst option-chain analysts"
				assert.Subset(t, steps, []string{"options-analyst", "research-analyst", "risk-analyst", "panel", "save", "notify"})
			}
			assert.True(t, strings.HasPrefix(strings.Join(steps, " "), all), steps)
			status, err := e.Status(t.Context(), "r")
			require.NoError(t, err)
			assert.Equal(t, workflow.Progress{Done: 7, Total: 7, Text: "done"}, status.Progress)
		}
	})
}

func TestAnAnalysisThatWasKilledAsksNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, kept := newDesk(rising()), tenant(t)
		d.block = "chain"
		asked := map[string]int{}
		var mu sync.Mutex
		mind := &analysts.Mind{Model: script(func(who, input string, turn int) string {
			mu.Lock()
			defer mu.Unlock()
			asked[who]++
			return obedient(who, input, turn)
		})}
		e := d.engine(t, kept, mind)
		_, err := e.Start(t.Context(), "r", analysts.AnalysisWorkflow, analysts.AnalysisJob{Symbol: "TEST"})
		require.NoError(t, err)
		synctest.Wait()
		require.NoError(t, e.Close())
		d.mu.Lock()
		d.block = ""
		d.mu.Unlock()
		e = d.engine(t, kept, mind)
		done, err := workflow.Result[analysts.AnalysisDone](t.Context(), e, "r")
		require.NoError(t, err)
		assert.Equal(t, "test/scripted", done.Analysis.Model)
		assert.Equal(t, 1, d.calls["bars TEST"])
		assert.Equal(t, map[string]int{"chart": 1, "options": 1, "research": 1, "risk": 1, "panel": 1}, asked)
		assert.Len(t, d.saved, 1)
		assert.Len(t, d.told, 1)
	})
}

func TestAChartThatRejectsEndsTheAnalysisEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(rising())
		mind := &analysts.Mind{Model: script(func(who, input string, turn int) string {
			if who == "chart" {
				return `{"stance":"bearish","score":-0.9,"reasons":[{"text":"It looks weak.","weight":-0.9,"evidence":["trend.close"]}]}`
			}
			t.Error("nobody else is asked", who)
			return ""
		})}
		e := d.engine(t, tenant(t), mind)
		_, err := e.Start(t.Context(), "r", analysts.AnalysisWorkflow, analysts.AnalysisJob{Symbol: "TEST", Quiet: true})
		require.NoError(t, err)
		done, err := workflow.Result[analysts.AnalysisDone](t.Context(), e, "r")
		require.NoError(t, err)
		assert.Contains(t, done.Early, "The chart rejects it")
		assert.Equal(t, analysts.DecisionReject, done.Analysis.Verdict.Decision)
		assert.LessOrEqual(t, done.Analysis.Verdict.Score, 40.0)
		assert.Zero(t, d.calls["chain"])
		assert.Len(t, d.saved, 1)
		assert.Empty(t, d.told, "it was to be quiet")
	})
}

func TestTheScreenerRanksWhatItCouldLookAtAndNamesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(rising())
		e := d.engine(t, tenant(t), nil)
		_, err := e.Start(t.Context(), "s", analysts.ScreenerWorkflow, analysts.ScreenerJob{Name: "wheel", Universe: "mine", Top: 1})
		require.NoError(t, err)
		got, err := workflow.Result[analysts.Screening](t.Context(), e, "s")
		require.NoError(t, err)
		assert.Equal(t, 2, got.Looked)
		require.Len(t, got.Top, 1)
		require.Len(t, got.Failed, 1)
		assert.Equal(t, market.Symbol("GONE"), got.Failed[0].Symbol)
		assert.Contains(t, got.Failed[0].Why, "unknown symbol")
		require.Len(t, d.told, 1)
		for _, m := range d.told {
			assert.Contains(t, m.Title, "Screener wheel: 1 symbol of 3")
			assert.Contains(t, m.Text, "GONE: not analysed")
		}
		_, err = e.Start(t.Context(), "none", analysts.ScreenerWorkflow, analysts.ScreenerJob{Name: "x", Universe: "other"})
		require.NoError(t, err)
		_, err = workflow.Result[analysts.Screening](t.Context(), e, "none")
		require.ErrorContains(t, err, "no data")
	})
}

func TestAScreeningSaysWhetherAModelSpoke(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for want, mind := range map[string]*analysts.Mind{analysts.NotAdvice: nil, analysts.NotAdviceModel: {Model: script(obedient)}} {
			d := newDesk(rising())
			e := d.engine(t, tenant(t), mind)
			_, err := e.Start(t.Context(), "s", analysts.ScreenerWorkflow, analysts.ScreenerJob{Name: "one", Symbols: []market.Symbol{"TEST"}})
			require.NoError(t, err)
			got, err := workflow.Result[analysts.Screening](t.Context(), e, "s")
			require.NoError(t, err)
			assert.Equal(t, want, got.Disclaimer)
			for _, m := range d.told {
				assert.Contains(t, m.Text, want)
			}
		}
	})
}

func TestAScreenerPausesBetweenBatchesOfFive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := rising()
		var symbols []market.Symbol
		for i := range 12 {
			s := market.Symbol(fmt.Sprintf("T%c", 'A'+i))
			symbols = append(symbols, s)
			source.bars[s] = source.bars["TEST"]
		}
		d := newDesk(source)
		e := d.engine(t, tenant(t), nil)
		begun := time.Now()
		_, err := e.Start(t.Context(), "s", analysts.ScreenerWorkflow, analysts.ScreenerJob{Name: "many", Symbols: symbols})
		require.NoError(t, err)
		got, err := workflow.Result[analysts.Screening](t.Context(), e, "s")
		require.NoError(t, err)
		assert.Equal(t, 12, got.Looked)
		assert.Len(t, got.Top, 10)
		assert.Equal(t, 2*time.Second, time.Since(begun))
		status, err := e.Status(t.Context(), "s")
		require.NoError(t, err)
		assert.Equal(t, 12, status.Progress.Done)
		assert.Contains(t, status.Progress.Text, "best so far")
	})
}
