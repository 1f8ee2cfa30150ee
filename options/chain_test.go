package options_test

import (
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

func date(t testing.TB, s string) market.Date {
	t.Helper()
	d, err := market.ParseDate(s)
	require.NoError(t, err)
	return d
}

// model is a market whose options are worth exactly what BSM says, on a smile.
type model struct {
	at          time.Time
	spot        float64
	rate, yield float64
	spread      float64 // of every quote, as a share of its price
}

func (m model) vol(strike float64) float64 { return 0.25 - 0.3*math.Log(strike/m.spot) }

func (m model) option(t testing.TB, expiry market.Date, k options.Kind, strike float64) (market.OptionQuote, options.BSM) {
	t.Helper()
	symbol, err := market.NewOptionSymbol(market.Contract{Root: "XYZ", Expiration: expiry, Kind: k, Strike: strike})
	require.NoError(t, err)
	p := options.BSM{Spot: m.spot, Strike: strike, Rate: m.rate, Yield: m.yield, Vol: m.vol(strike),
		Years: options.YearsToExpiry(m.at, options.ExpiryTime(expiry, market.SettledPM, nil))}
	v := p.Price(k)
	return market.OptionQuote{Symbol: symbol, Underlying: "XYZ", Root: "XYZ", Kind: k, Strike: strike, Expiration: expiry,
		Settlement: market.SettledPM, Multiplier: 100, Time: m.at, Bid: v * (1 - m.spread/2), Ask: v * (1 + m.spread/2), Spot: m.spot, IV: 9, Delta: 9}, p
}

func (m model) quotes(t testing.TB, expiries ...market.Date) (quotes []market.OptionQuote) {
	for _, e := range expiries {
		for strike := 80.0; strike <= 120; strike += 2.5 {
			for _, k := range []options.Kind{options.Put, options.Call} {
				q, _ := m.option(t, e, k, strike)
				quotes = append(quotes, q)
			}
		}
	}
	return quotes
}

func newModel(t testing.TB) (m model, near, far market.Date) {
	near, far = date(t, "2026-10-16"), date(t, "2027-09-17")
	return model{at: date(t, "2026-09-16").At(10, 30, market.NYSE().Location()), spot: 100.7, rate: 0.04, yield: 0.015, spread: 0.02}, near, far
}

func TestChainRecoversTheModelBehindItsQuotes(t *testing.T) {
	m, near, far := newModel(t)
	c, err := options.NewChain(m.quotes(t, far, near), &options.ChainOptions{At: m.at, Rate: m.rate})
	require.NoError(t, err)
	require.Equal(t, market.Symbol("XYZ"), c.Underlying)
	require.Equal(t, m.spot, c.Spot)
	require.Empty(t, c.Skipped)
	require.Len(t, c.Expiries, 2)
	for i, e := range c.Expiries {
		require.Equal(t, []market.Date{near, far}[i], e.Date)
		require.Equal(t, "parity", e.ForwardFrom)
		require.InEpsilon(t, m.spot*math.Exp((m.rate-m.yield)*e.Years), e.Forward, 1e-9)
		require.Len(t, e.Contracts, 34)
		for j, q := range e.Contracts {
			require.Equal(t, []options.Kind{options.Call, options.Put}[j%2], q.Kind)
			_, p := m.option(t, e.Date, q.Kind, q.Strike)
			g := p.Greeks(q.Kind)
			require.InEpsilon(t, m.vol(q.Strike), q.IV, 1e-6, "%s", q.Symbol)
			// Within a quarter the spot is taken without its dividends: the
			// difference is theirs, here four thousandths.
			require.InDelta(t, g.Delta, q.Delta, 0.002, "%s", q.Symbol)
			require.InDelta(t, g.ProbITM, q.ProbITM, 1e-6)
			if i == 1 {
				require.InDelta(t, g.Theta/365, q.Theta, 1e-7)
				require.InDelta(t, g.Vega, q.Vega, 1e-5)
			}
			require.Equal(t, 9.0, q.OptionQuote.IV, "the source's own stays")
		}
	}
	e := c.Expiries[1]
	require.InDelta(t, m.yield, e.Yield, 1e-8)
	require.InDelta(t, m.vol(e.Forward), e.ATMVol(), 1e-3)
	require.InDelta(t, e.Spot*e.ATMVol()*math.Sqrt(e.Years), e.ExpectedMove(), 1e-12)
	require.InEpsilon(t, 0.8*e.ExpectedMove(), e.StraddleMove(), 0.05)
	q, ok := c.Contract(e.Contracts[3].Symbol)
	require.True(t, ok)
	require.Equal(t, e.Contracts[3], q)
	_, ok = c.Contract("SPY")
	require.False(t, ok)
}

func TestForwardIgnoresBadQuotes(t *testing.T) {
	m, near, _ := newModel(t)
	quotes := m.quotes(t, near)
	spoil := func(strike float64, k options.Kind, change func(*market.OptionQuote)) {
		for i := range quotes {
			if quotes[i].Strike == strike && quotes[i].Kind == k {
				change(&quotes[i])
			}
		}
	}
	spoil(100, options.Call, func(q *market.OptionQuote) { q.Bid, q.Ask = 30, 30.01 })           // stale and tight
	spoil(102.5, options.Put, func(q *market.OptionQuote) { q.Bid, q.Ask = 0.05, 40 })           // absurdly wide
	spoil(97.5, options.Call, func(q *market.OptionQuote) { q.Bid, q.Ask = q.Ask+1, q.Bid })     // crossed
	spoil(105, options.Put, func(q *market.OptionQuote) { q.Bid, q.Ask = 0, 0 })                 // nobody there
	spoil(95, options.Put, func(q *market.OptionQuote) { q.Bid = math.NaN() })                   // half unknown
	spoil(110, options.Put, func(q *market.OptionQuote) { q.Bid, q.Ask = q.Bid-5.2, q.Ask-5.2 }) // below intrinsic
	c, err := options.NewChain(quotes, &options.ChainOptions{At: m.at, Rate: m.rate})
	require.NoError(t, err)
	e := c.Expiries[0]
	assert.InEpsilon(t, m.spot*math.Exp((m.rate-m.yield)*e.Years), e.Forward, 1e-4)
	reasons := map[string]int{}
	for _, s := range c.Skipped {
		require.False(t, s.Excluded)
		require.NotEmpty(t, s.Symbol)
		reasons[s.Reason]++
	}
	assert.Equal(t, map[string]int{"crossed: the bid is above the ask": 1, "no offer": 1, "bid or ask is unknown": 1, "price is below intrinsic value": 1}, reasons)
	for _, q := range e.Contracts {
		if q.Strike == 105 && q.Kind == options.Put {
			assert.True(t, math.IsNaN(q.IV) && math.IsNaN(q.Delta) && math.IsNaN(q.Theta) && math.IsNaN(q.ProbITM))
		}
	}
	assert.InDelta(t, m.vol(e.Forward), e.ATMVol(), 0.01, "the spoilt strikes around the money do not count")
}

func TestChainDropsWhatIsNoLiveContract(t *testing.T) {
	m, near, _ := newModel(t)
	good, _ := m.option(t, near, options.Call, 100)
	twin, _ := m.option(t, near, options.Put, 100)
	bad := func(change func(*market.OptionQuote)) market.OptionQuote {
		q := good
		change(&q)
		return q
	}
	quotes := []market.OptionQuote{
		bad(func(q *market.OptionQuote) { q.Time = q.Time.Add(-time.Hour); q.Bid, q.Ask = 50, 51 }), // older
		good, twin,
		bad(func(q *market.OptionQuote) { q.Kind = 0 }),
		bad(func(q *market.OptionQuote) { q.Strike = math.NaN() }),
		bad(func(q *market.OptionQuote) { q.Expiration = market.Date{} }),
		bad(func(q *market.OptionQuote) { q.Expiration = date(t, "2026-09-15") }),
		bad(func(q *market.OptionQuote) { q.Time = q.Time.Add(time.Hour) }), // not known yet
		bad(func(q *market.OptionQuote) { q.Time = q.Time.Add(-2 * time.Hour) }),
	}
	c, err := options.NewChain(quotes, &options.ChainOptions{At: m.at, Rate: m.rate})
	require.NoError(t, err)
	require.Len(t, c.Expiries, 1)
	require.Len(t, c.Expiries[0].Contracts, 2)
	require.Equal(t, good.Bid, c.Expiries[0].Contracts[0].Bid)
	var reasons []string
	for _, s := range c.Skipped {
		require.True(t, s.Excluded)
		reasons = append(reasons, s.Reason)
	}
	require.Equal(t, []string{"neither call nor put", "no positive strike", "no expiration date",
		"expired", "quoted after the time of valuation", "another quote of the same contract is newer", "another quote of the same contract is newer"}, reasons)

	c, err = options.NewChain(quotes[3:5], &options.ChainOptions{At: m.at})
	require.NoError(t, err, "nothing usable is no error")
	require.Empty(t, c.Expiries)
}

func TestChainFindsSpotAndTimeInItsQuotes(t *testing.T) {
	m, near, _ := newModel(t)
	quotes := m.quotes(t, near)
	for i := range quotes {
		quotes[i].Spot = math.NaN()
	}
	c, err := options.NewChain(quotes, &options.ChainOptions{Rate: m.rate})
	require.NoError(t, err)
	require.Equal(t, m.at, c.At)
	require.InEpsilon(t, m.spot, c.Spot, 0.002, "the forward's present value, without the month's dividends")

	c, err = options.NewChain(quotes, &options.ChainOptions{Rate: m.rate, Spot: 42})
	require.NoError(t, err)
	require.Equal(t, 42.0, c.Spot)
	require.Equal(t, "spot", c.Expiries[0].ForwardFrom, "parity so far from the spot is not believed")
}

func TestChainRefusesImpossibleArguments(t *testing.T) {
	m, near, _ := newModel(t)
	quotes := m.quotes(t, near)
	other := quotes[0]
	other.Underlying = "ABC"
	timeless, spotless := quotes[0], quotes[0]
	timeless.Time, spotless.Spot = time.Time{}, math.NaN()
	for field, row := range map[string]struct {
		quotes []market.OptionQuote
		opts   *options.ChainOptions
	}{
		"quotes": {nil, nil},
		"rate":   {quotes, &options.ChainOptions{Rate: 5}},
		"spot":   {quotes, &options.ChainOptions{Spot: -1}},
		"at":     {[]market.OptionQuote{timeless}, nil},
	} {
		_, err := options.NewChain(row.quotes, row.opts)
		var refused *options.FieldError
		require.ErrorAs(t, err, &refused, field)
		assert.Equal(t, field, refused.Field)
	}
	_, err := options.NewChain(append(quotes, other), nil)
	assert.ErrorContains(t, err, "ABC")
	_, err = options.NewChain([]market.OptionQuote{spotless}, nil)
	assert.ErrorContains(t, err, "spot")
}

// Ten days of a real chain as a free source delivers it: crossed quotes, zero
// bids, a holiday, a half day, a spot that is not of the quotes' time.
func TestChainMakesSenseOfRealQuotes(t *testing.T) {
	file, err := market.OpenChain(sharedtest.Path(t, "data", "options", "yahoo_chain_aapl_20251124_20251205.csv.gz"), nil)
	require.NoError(t, err)
	days := map[string][]market.OptionQuote{}
	for _, q := range file.Quotes {
		day := q.Time.Format(time.DateOnly)
		days[day] = append(days[day], q)
	}
	const thinned = "2025-11-28" // a half day, and many contracts are missing
	implied := parityByDay(t, "AAPL")
	require.Len(t, implied, 10)
	for day, spot := range implied {
		c, err := options.NewChain(days[day], &options.ChainOptions{Rate: 0.04})
		require.NoError(t, err, day)
		require.Greater(t, len(c.Expiries), 15, day)
		contracts, valued, known := 0, 0, 0
		for _, e := range c.Expiries {
			assert.Equal(t, "parity", e.ForwardFrom, "%s %s", day, e.Date)
			// The data set's own estimate is one median of a few pairs without a rate.
			if e.Years < 0.1 {
				assert.InEpsilon(t, spot, e.Forward*math.Exp(-e.Rate*e.Years), 0.01, "%s %s", day, e.Date)
			}
			if vol := e.ATMVol(); !math.IsNaN(vol) {
				known++
				assert.InDelta(t, 0.25, vol, 0.15, "%s %s", day, e.Date)
			}
			if straddle := e.StraddleMove(); !math.IsNaN(straddle) {
				assert.InEpsilon(t, 0.8*e.ExpectedMove(), straddle, 0.25, "%s %s", day, e.Date)
			}
			last := 0.0
			for _, q := range e.Contracts {
				contracts++
				if math.IsNaN(q.IV) {
					continue
				}
				valued++
				require.Equal(t, float64(q.Kind) > 0, q.Delta > 0, "%s %s", day, q.Symbol)
				require.True(t, q.Gamma >= 0 && q.Vega >= 0 && q.ProbITM >= 0 && q.ProbITM <= 1, "%s %s", day, q.Symbol)
				if q.Kind == options.Call && q.Bid > 0 && last > 0 && math.Abs(q.Strike/e.Forward-1) < 0.05 && e.Years > 0.02 && day != thinned {
					assert.InDelta(t, last, q.IV, 0.05, "%s %s: neighbours near the money agree", day, q.Symbol)
				}
				if q.Kind == options.Call && q.Bid > 0 {
					last = q.IV
				}
			}
		}
		assert.Greater(t, float64(valued)/float64(contracts), 0.8, day) // the rest is quoted at what exercise gives
		assert.GreaterOrEqual(t, known, len(c.Expiries)-2, day)
	}
}

// parityByDay returns the spot that the data set's own parity estimate gives.
func parityByDay(t testing.TB, ticker string) map[string]float64 {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "data", "options", "yahoo_chain_underlying.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	days := map[string]float64{}
	for _, row := range rows {
		if row[0] == ticker {
			days[row[1]], err = strconv.ParseFloat(row[5], 64)
			require.NoError(t, err)
		}
	}
	return days
}

func TestYearsAreCountedToTheMinute(t *testing.T) {
	ny := market.NYSE().Location()
	at := func(s string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04:05", s, ny)
		require.NoError(t, err)
		return v
	}
	const minute = 1.0 / (365 * 24 * 60)
	assert.Equal(t, 1.0, options.YearsToExpiry(at("2026-06-01 16:00:00"), at("2027-06-01 16:00:00")))
	assert.InDelta(t, 390*minute, options.YearsToExpiry(at("2026-09-16 09:30:59"), at("2026-09-16 16:00:00")), 1e-15)
	assert.InDelta(t, 25.0/24/365, options.YearsToExpiry(at("2026-10-31 16:00:00"), at("2026-11-01 16:00:00")), 1e-15, "the night the clocks go back is an hour longer")
	assert.Zero(t, options.YearsToExpiry(at("2026-09-16 16:00:00"), at("2026-09-16 16:00:00")))
	assert.Zero(t, options.YearsToExpiry(at("2026-09-17 16:00:00"), at("2026-09-16 16:00:00")))
	assert.True(t, math.IsNaN(options.YearsToExpiry(time.Time{}, at("2026-09-16 16:00:00"))))
}

func TestExpiryTimeFollowsTheCalendar(t *testing.T) {
	ny := market.NYSE().Location()
	for _, row := range []struct {
		date       string
		settlement market.Settlement
		want       string
	}{
		{"2026-10-16", market.SettledPM, "2026-10-16 16:00"},
		{"2026-10-16", "", "2026-10-16 16:00"},
		{"2026-10-16", market.SettledAM, "2026-10-16 09:30"},
		{"2025-11-28", market.SettledPM, "2025-11-28 13:00"}, // the half day after Thanksgiving
		{"2014-06-21", market.SettledPM, "2014-06-20 16:00"}, // a Saturday, as contracts were once written
		{"2019-04-19", market.SettledPM, "2019-04-18 16:00"}, // Good Friday
	} {
		got := options.ExpiryTime(date(t, row.date), row.settlement, nil)
		assert.Equal(t, row.want, got.In(ny).Format("2006-01-02 15:04"), row.date)
	}
	assert.True(t, options.ExpiryTime(market.Date{}, market.SettledPM, market.NYSE()).IsZero())
}

// Whatever the quotes hold: no panic, and numbers that are numbers or unknown.
func TestChainSurvivesAnyQuotes(t *testing.T) {
	m, near, far := newModel(t)
	good := m.quotes(t, near, far)
	odd := []float64{nan, inf, -inf, 0, -1, 1e-300, 1e308, 42}
	rapid.Check(t, func(t *rapid.T) {
		quotes := append([]market.OptionQuote(nil), good...)
		pick := func(what string) float64 { return rapid.SampledFrom(odd).Draw(t, what) }
		for range rapid.IntRange(1, 40).Draw(t, "spoilt") {
			q := &quotes[rapid.IntRange(0, len(quotes)-1).Draw(t, "which")]
			switch rapid.IntRange(0, 4).Draw(t, "field") {
			case 0:
				q.Bid = pick("bid")
			case 1:
				q.Ask = pick("ask")
			case 2:
				q.Strike = pick("strike")
			case 3:
				q.Spot = pick("spot")
			case 4:
				q.Bid, q.Ask = pick("bid"), pick("ask")
			}
		}
		c, err := options.NewChain(quotes, &options.ChainOptions{At: m.at, Rate: m.rate})
		require.NoError(t, err)
		contracts := 0
		for _, e := range c.Expiries {
			contracts += len(e.Contracts)
			require.True(t, e.Forward > 0 && !math.IsInf(e.Forward, 0), "%v", e.Forward)
			require.False(t, e.ATMVol() < 0 || math.IsInf(e.ATMVol(), 0) || e.ExpectedMove() < 0 || e.StraddleMove() < 0)
			for _, q := range e.Contracts {
				require.False(t, q.IV <= 0 || math.IsInf(q.IV, 0) || q.ProbITM < 0 || q.ProbITM > 1, "%+v", q)
			}
		}
		for _, s := range c.Skipped {
			if s.Excluded {
				contracts++
			}
		}
		require.Equal(t, len(quotes), contracts, "every quote is in the chain or among the excluded")
	})
}
