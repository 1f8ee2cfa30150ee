package analysts_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow"
)

func TestOnlyWhatCanBeASymbolIsAskedFor(t *testing.T) {
	for text, want := range map[market.Symbol]market.Symbol{
		"spy": "SPY", " brk/b ": "BRK/B", "/esz6": "/ESZ6", "btc/usd": "BTC/USD", "^vix": "^VIX", "$spx": "$SPX", "BF.B": "BF.B", "/ESZ6:XCME": "/ESZ6:XCME", "RDS-A": "RDS-A",
	} {
		got, err := analysts.Underlying("symbol", text)
		require.NoError(t, err, text)
		assert.Equal(t, want, got)
	}
	source := newDesk(rising())
	a, err := analysts.New(analysts.Deps{Market: source, Clock: market.NewManualClock(noon)})
	require.NoError(t, err)
	for _, text := range []market.Symbol{"", " ", "NOPE NO", "../../x", "..", "/", "A//B", "A/", "-A", "A\x00B", "A;B", "%2e%2e", "<SPY>", "SPY,QQQ", "ÄPFEL", "SPY   251219P00100000", "./ESZ6 EW3U6 260918P6600"} {
		_, err := a.Analyze(t.Context(), analysts.Request{Symbol: text})
		wrong, ok := errors.AsType[*analysts.FieldError](err)
		require.True(t, ok, "%q: %v", text, err)
		assert.Equal(t, "symbol", wrong.Field, text)
		if text == "" { // which means SPY for a benchmark
			continue
		}
		_, err = a.Analyze(t.Context(), analysts.Request{Symbol: "TEST", Benchmark: text})
		wrong, ok = errors.AsType[*analysts.FieldError](err)
		require.True(t, ok, "%q: %v", text, err)
		assert.Equal(t, "benchmark", wrong.Field, text)
	}
	assert.Empty(t, source.calls)
}

// FuzzUnderlying: what is taken is its own normal form.
func FuzzUnderlying(f *testing.F) {
	for _, s := range []string{"spy", "../../x", "NOPE NO", "/ESZ6", "BRK/B", "SPY   251219P00100000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := analysts.Underlying("symbol", market.Symbol(s))
		if err != nil {
			if _, ok := errors.AsType[*analysts.FieldError](err); !ok {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		again, err := analysts.Underlying("symbol", got)
		if err != nil || again != got {
			t.Fatalf("%q, then %q, then %q: %v", s, got, again, err)
		}
	})
}

func screening(t *testing.T, d *desk, job analysts.ScreenerJob) (analysts.Screening, error) {
	e := d.engine(t, tenant(t), nil)
	_, err := e.Start(t.Context(), "s", analysts.ScreenerWorkflow, job)
	require.NoError(t, err)
	return workflow.Result[analysts.Screening](t.Context(), e, "s")
}

func TestAScreeningLosesNoSymbolSilently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(rising())
		got, err := screening(t, d, analysts.ScreenerJob{Name: "odd", Symbols: []market.Symbol{"test", "NOPE NO", "TEST", " Test ", "../../x", "ZZZZZ", "", "SPY", "SPY   251219P00100000"}})
		require.NoError(t, err)
		assert.Equal(t, 2, got.Looked)
		assert.Equal(t, 2, got.Repeated)
		why := map[market.Symbol]string{}
		for _, f := range got.Failed {
			why[f.Symbol] = f.Why
		}
		require.Len(t, why, 5)
		for symbol, field := range map[market.Symbol]string{"NOPE NO": "symbols[1]", "../../x": "symbols[4]", "": "symbols[6]", "SPY   251219P00100000": "symbols[8]"} {
			assert.Contains(t, why[symbol], field)
		}
		assert.Contains(t, why["ZZZZZ"], "unknown symbol")
		assert.Equal(t, 9, got.Looked+got.Repeated+len(got.Failed))
		require.Len(t, d.told, 1)
		for _, m := range d.told {
			for _, says := range []string{"\n- \"NOPE NO\": ", "\n- ZZZZZ: not analysed, ", "2 symbols were named more than once"} {
				assert.Contains(t, m.Text, says)
			}
			assert.Contains(t, m.Title, "2 symbols of 7")
		}
		for call := range d.calls {
			assert.NotContains(t, call, "..", "no source is asked for what is no symbol")
			assert.NotContains(t, call, "NOPE")
		}
	})
}

func TestAScreeningOfNothingThatCanBeAnalysedFailsWithTheReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := screening(t, newDesk(rising()), analysts.ScreenerJob{Name: "none", Symbols: []market.Symbol{"NOPE NO", "ZZZZZ"}})
		require.ErrorContains(t, err, "none of 2 symbols")
		require.ErrorContains(t, err, "symbols[0]")
		require.ErrorContains(t, err, "ZZZZZ: ")
	})
}

func TestFiveHundredSymbolsAreAllAccountedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := rising()
		bars := source.bars["TEST"]
		source.bars["TEST"] = bars[len(bars)-60:] // enough for a verdict, and quick
		var symbols []market.Symbol
		for i := range 500 {
			s := market.Symbol(fmt.Sprintf("S%03d", i))
			symbols = append(symbols, s)
			if i%10 == 0 {
				source.bars[s] = source.bars["TEST"]
			}
		}
		d := newDesk(source)
		begun := time.Now()
		got, err := screening(t, d, analysts.ScreenerJob{Name: "many", Symbols: symbols, Top: 100})
		require.NoError(t, err)
		assert.Equal(t, 99*time.Second, time.Since(begun), "a pause of a second between batches of five")
		assert.Equal(t, 50, got.Looked)
		assert.Len(t, got.Top, 50)
		assert.Len(t, got.Failed, 450)
		for _, m := range d.told {
			assert.Less(t, len(m.Text), 15_000)
			assert.Contains(t, m.Text, "and 430 more")
		}
		_, err = screening(t, newDesk(source), analysts.ScreenerJob{Name: "more", Symbols: slices.Repeat(symbols, 3)})
		require.ErrorContains(t, err, "symbols: 1500 is not allowed; want at most 1000 symbols")
	})
}
