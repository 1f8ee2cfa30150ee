package synthetic_test

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// An answer is something that a market says, by name.
type answer struct {
	name string
	ask  func(m *synthetic.Market) (any, error)
}

func answers(t *testing.T) []answer {
	var all []answer
	now := synthetic.DefaultStart()
	for _, s := range []market.Symbol{"SPX", "SPY", "AAPL", "TLT", "WDFC"} {
		for _, interval := range []market.Interval{market.Day, market.Minute5} {
			all = append(all, answer{"bars " + string(s) + string(interval), func(m *synthetic.Market) (any, error) {
				return m.Bars(t.Context(), market.BarsRequest{Symbol: s, Interval: interval, Limit: 100, Extended: true})
			}})
		}
		for i := range 3 {
			when := now.Add(time.Duration(i-1) * 9 * time.Hour)
			all = append(all, answer{"quote " + string(s) + when.String(), func(m *synthetic.Market) (any, error) { return m.QuoteAt(s, when) }})
		}
		all = append(all,
			answer{"chain " + string(s), func(m *synthetic.Market) (any, error) {
				return m.Chain(t.Context(), market.ChainRequest{Underlying: s, Strikes: 3})
			}},
			answer{"metrics " + string(s), func(m *synthetic.Market) (any, error) {
				return m.Metrics(t.Context(), []market.Symbol{s})
			}},
			answer{"events " + string(s), func(m *synthetic.Market) (any, error) {
				return m.Events(t.Context(), s, market.Date{}, market.Date{})
			}})
	}
	return all
}

func TestTheSameSeedIsTheSameMarketWhateverIsAskedFirst(t *testing.T) {
	all := answers(t)
	want := make([]string, len(all))
	m := at(t, synthetic.DefaultStart())
	for i, a := range all {
		got, err := a.ask(m)
		require.NoError(t, err, a.name)
		want[i] = text(got)
	}
	for seed := range uint64(3) {
		m := at(t, synthetic.DefaultStart())
		order := rand.New(rand.NewPCG(seed, 0)).Perm(len(all))
		var wg sync.WaitGroup
		got := make([]string, len(all))
		for worker := range 4 {
			wg.Go(func() {
				for n := worker; n < len(order); n += 4 {
					value, err := all[order[n]].ask(m)
					if err == nil {
						got[order[n]] = text(value)
					}
				}
			})
		}
		wg.Wait()
		for i := range all {
			assert.True(t, want[i] == got[i], "%s differs", all[i].name)
		}
	}
}

func TestAnotherSeedIsAnotherMarket(t *testing.T) {
	clock := market.NewManualClock(synthetic.DefaultStart())
	one, err := synthetic.New(1, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	two, err := synthetic.New(2, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	equal := 0
	a, b := daily(t, one, "SPY"), daily(t, two, "SPY")
	for i := range a {
		if a[i].Close == b[i].Close {
			equal++
		}
	}
	assert.Less(t, equal, len(a)/50)
}

func TestTheMarketHasThirtySymbolsAndMoreWithTenYears(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	instruments := m.Symbols()
	assert.GreaterOrEqual(t, len(instruments), 30)
	assert.Equal(t, uint64(synthetic.DefaultSeed), m.Seed())
	funds, indices := 0, 0
	for _, in := range instruments {
		assert.Contains(t, in.Description, "(synthetic)", "%s", in.Symbol)
		if in.ETF {
			funds++
		}
		if in.Index {
			indices++
		}
	}
	assert.GreaterOrEqual(t, funds, 9)
	assert.Equal(t, 1, indices)
	ten := bars(t, m, market.BarsRequest{Symbol: "KO", Interval: market.Day, From: synthetic.DefaultStart().AddDate(-10, 0, 0)})
	assert.Equal(t, len(market.NYSE().Sessions(date(2016, 9, 17), date(2026, 9, 16))), len(ten), "ten years of sessions")
}

// returns are the log returns of daily closes.
func returns(bars []market.Bar) []float64 {
	out := make([]float64, 0, len(bars))
	for i := 1; i < len(bars); i++ {
		out = append(out, math.Log(bars[i].Close/bars[i-1].Close))
	}
	return out
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// moment is the central moment of order n.
func moment(x []float64, n float64) float64 {
	m, sum := mean(x), 0.0
	for _, v := range x {
		sum += math.Pow(v-m, n)
	}
	return sum / float64(len(x))
}

// autocorrelation of x at a lag.
func autocorrelation(x []float64, lag int) float64 {
	m, sum := mean(x), 0.0
	for i := lag; i < len(x); i++ {
		sum += (x[i] - m) * (x[i-lag] - m)
	}
	return sum / float64(len(x)) / moment(x, 2)
}

// The stylised facts of returns: R. Cont, "Empirical properties of asset
// returns", Quantitative Finance 1 (2001).
func TestReturnsBehaveLikeReturns(t *testing.T) {
	sequential(t)
	for seed := range uint64(4) {
		m := atTheEnd(t)
		if seed != synthetic.DefaultSeed {
			var err error
			m, err = synthetic.New(seed, &synthetic.Options{Clock: market.NewManualClock(newYork(date(2030, 12, 30), 17, 0))})
			require.NoError(t, err)
		}
		for _, in := range m.Symbols() {
			if seed != synthetic.DefaultSeed && in.Symbol != "SPX" && in.Symbol != "AAPL" {
				continue
			}
			r := returns(daily(t, m, in.Symbol))
			require.Greater(t, len(r), 5000)
			vol := math.Sqrt(moment(r, 2) * 252)
			low, high := 0.1, 0.75
			if in.Index {
				low, high = 0.11, 0.22
			}
			assert.True(t, vol > low && vol < high, "seed %d: %s has volatility %.3f", seed, in.Symbol, vol)
			assert.Greater(t, moment(r, 4)/square(moment(r, 2)), 3.5, "seed %d: %s has fat tails", seed, in.Symbol)
			size := make([]float64, len(r))
			for i, x := range r {
				size[i] = math.Abs(x)
			}
			for lag, least := range map[int]float64{1: 0.03, 5: 0.03, 20: 0} { // the noise of an estimate is 0.014
				assert.Greater(t, autocorrelation(size, lag), least, "seed %d: volatility of %s clusters at lag %d", seed, in.Symbol, lag)
			}
			assert.Less(t, math.Abs(autocorrelation(r, 1)), 0.06, "seed %d: returns of %s are not foretold", seed, in.Symbol)
		}
	}
}

func TestImpliedVolatilityRisesWhenTheIndexFalls(t *testing.T) {
	m, clock := clocked(t, newYork(date(2026, 1, 2), 17, 0))
	var moves, changes []float64
	previous := math.NaN()
	bars := daily(t, m, "SPX")
	for i := len(bars) - 120; i < len(bars); i++ {
		clock.Set(bars[i].Time.Add(16 * time.Hour))
		metrics, err := m.Metrics(t.Context(), []market.Symbol{"SPX"})
		require.NoError(t, err)
		if !math.IsNaN(previous) {
			moves = append(moves, math.Log(bars[i].Close/bars[i-1].Close))
			changes = append(changes, metrics[0].IVIndex-previous)
		}
		previous = metrics[0].IVIndex
	}
	mx, my, xy := mean(moves), mean(changes), 0.0
	for i := range moves {
		xy += (moves[i] - mx) * (changes[i] - my)
	}
	correlation := xy / float64(len(moves)) / math.Sqrt(moment(moves, 2)*moment(changes, 2))
	assert.Less(t, correlation, -0.5)
}

func TestPricesStartFromTheirAnchor(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	q, err := m.QuoteAt("SPX", synthetic.DefaultStart())
	require.NoError(t, err)
	assert.Equal(t, 6600.0, q.PrevClose)
	assert.True(t, math.IsNaN(q.Bid) && math.IsNaN(q.Volume), "an index has no market of its own")
}

func TestQuotesTickThroughTheDay(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	quote := func(hour, minute int) market.Quote {
		q, err := m.QuoteAt("JPM", newYork(date(2026, 9, 16), hour, minute))
		require.NoError(t, err)
		require.LessOrEqual(t, q.Bid, q.Last)
		require.GreaterOrEqual(t, q.Ask, q.Last)
		require.Less(t, q.Bid, q.Ask)
		return q
	}
	night, pre, open, post, closed := quote(3, 0), quote(9, 0), quote(12, 0), quote(16, 30), quote(21, 0)
	assert.Equal(t, night.Last, quote(2, 0).Last)
	assert.Equal(t, newYork(date(2026, 9, 15), 16, 0).Unix(), night.Time.Unix(), "the last close")
	assert.True(t, math.IsNaN(pre.Open) && math.IsNaN(pre.Volume), "the session has not begun")
	assert.Equal(t, night.Last, pre.PrevClose)
	assert.True(t, open.Low <= open.Last && open.Last <= open.High && open.Volume > 0)
	assert.Greater(t, post.Volume, open.Volume)
	assert.Greater(t, closed.Ask-closed.Bid, open.Ask-open.Bid, "spreads are wider when the market is closed")
	day := daily(t, at(t, newYork(date(2026, 9, 16), 21, 0)), "JPM")
	assert.Equal(t, day[len(day)-1].Close, closed.Last)

	changes := 0
	previous := market.Quote{}
	for i := range 40 {
		q, err := m.QuoteAt("SPY", synthetic.DefaultStart().Add(time.Duration(i)*250*time.Millisecond))
		require.NoError(t, err)
		if q.Bid != previous.Bid || q.Ask != previous.Ask || q.Last != previous.Last {
			changes++
		}
		previous = q
	}
	assert.Greater(t, changes, 20, "in ten seconds")
}

func TestPartialAnswersNameWhatIsMissing(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	quotes, err := m.Quotes(t.Context(), []market.Symbol{"SPY", "NOPE", "KO", "NADA"})
	require.Len(t, quotes, 2)
	assert.Equal(t, market.Symbol("KO"), quotes[1].Symbol)
	var missing *market.MissingError
	require.ErrorAs(t, err, &missing)
	assert.Equal(t, []market.Symbol{"NOPE", "NADA"}, missing.Symbols)
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
}

func TestSearchFindsSymbolsFirst(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	found, err := m.Search(t.Context(), "xl", 3)
	require.NoError(t, err)
	require.Len(t, found, 3)
	assert.Equal(t, market.Symbol("XLE"), found[0].Symbol)
	found, err = m.Search(t.Context(), "walt disney", 0)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, market.Symbol("DIS"), found[0].Symbol)
	found, err = m.Search(t.Context(), "t", 1)
	require.NoError(t, err)
	assert.Equal(t, market.Symbol("T"), found[0].Symbol, "the exact symbol comes first")
	_, err = m.Search(t.Context(), " ", 0)
	var field *synthetic.FieldError
	assert.ErrorAs(t, err, &field)
}

func TestInstrumentsDescribeOptionsToo(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	got, err := m.Instruments(t.Context(), []market.Symbol{"SPX", "SPXW  260916P06600000"})
	require.NoError(t, err)
	assert.True(t, got[0].Index)
	assert.Equal(t, market.KindOption, got[1].Kind)
	assert.Equal(t, market.Symbol("SPX"), got[1].Underlying)
	assert.Equal(t, 100.0, got[1].Multiplier)
	assert.Equal(t, "SPX 2026-09-16 put 6600 (synthetic)", got[1].Description)
}

func TestOptionsLimitTheSymbols(t *testing.T) {
	m, err := synthetic.New(1, &synthetic.Options{Symbols: []market.Symbol{"KO", "SPX"}})
	require.NoError(t, err)
	assert.Len(t, m.Symbols(), 2)
	_, err = m.QuoteAt("SPY", synthetic.DefaultStart())
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	metrics, err := m.Metrics(t.Context(), []market.Symbol{"KO"})
	require.NoError(t, err)
	assert.False(t, math.IsNaN(metrics[0].Beta), "SPY counts although it is not listed")
	_, err = synthetic.New(1, &synthetic.Options{Symbols: []market.Symbol{"NOPE"}})
	var field *synthetic.FieldError
	assert.ErrorAs(t, err, &field)
}
