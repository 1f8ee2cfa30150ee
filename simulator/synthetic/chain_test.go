package synthetic_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// moments are times of several kinds: calm, in the first minute, on an expiry
// day's last minute, at night, on a weekend, before and after earnings.
func moments() []time.Time {
	return []time.Time{
		synthetic.DefaultStart(),
		newYork(date(2020, 4, 9), 9, 30),
		newYork(date(2025, 6, 20), 15, 59),
		newYork(date(2024, 12, 24), 12, 59),
		newYork(date(2026, 9, 12), 12, 0),
		newYork(date(2026, 11, 2), 15, 0),
		newYork(date(2026, 11, 3), 8, 0),
	}
}

func chain(t testing.TB, m *synthetic.Market, req market.ChainRequest, at time.Time) []market.OptionQuote {
	t.Helper()
	got, err := m.ChainAt(req, at)
	require.NoError(t, err)
	require.NotEmpty(t, got)
	return got
}

// theory prices a quote again from what it says about itself: the implied
// volatility, the Greeks and the market's rate. Put-call parity of the deltas
// gives the yield.
func theory(t testing.TB, call, put market.OptionQuote, rate float64, at time.Time) (c, p, forward, years float64) {
	t.Helper()
	years = max(options.YearsToExpiry(at, options.ExpiryTime(call.Expiration, call.Settlement, nil)), 0.5/(365*24*60))
	yield := -math.Log(call.Delta-put.Delta) / years // delta(call) - delta(put) = e^(-q T)
	bsm := options.BSM{Spot: call.Spot, Strike: call.Strike, Years: years, Rate: rate, Yield: yield, Vol: call.IV}
	return bsm.Price(options.Call), bsm.Price(options.Put), bsm.Forward(), years
}

// quotedAt is when the options market was last open at t.
func quotedAt(t time.Time) time.Time {
	cal := market.NYSE()
	if cal.IsOpen(t) {
		return t
	}
	return cal.Previous(t).Close
}

func TestQuotesHoldTheValueAndParityHoldsInsideTheSpread(t *testing.T) {
	sequential(t)
	m := at(t, synthetic.DefaultStart())
	for _, now := range moments() {
		for _, symbol := range []market.Symbol{"SPX", "AAPL", "UPS", "WDFC"} {
			for pair := range slices.Chunk(chain(t, m, market.ChainRequest{Underlying: symbol, Strikes: 40}, now), 2) {
				call, put := pair[0], pair[1]
				if call.Kind != market.Call || put.Kind != market.Put || call.Strike != put.Strike {
					t.Fatalf("%s and %s are not a call and its put", call.Symbol, put.Symbol)
				}
				c, p, forward, years := theory(t, call, put, m.Rate(), quotedAt(now))
				const rounding = 1e-6
				holds := func(q market.OptionQuote, value float64) {
					if q.Bid > value+rounding || q.Ask < value-rounding {
						t.Fatalf("%s: %v is not between %v and %v", q.Symbol, value, q.Bid, q.Ask)
					}
					if exercise := float64(q.Kind) * (q.Spot - q.Strike); q.Style == market.American && q.Ask < exercise {
						t.Fatalf("%s: sold at %v, exercised for %v", q.Symbol, q.Ask, exercise)
					}
				}
				holds(call, c)
				holds(put, p)
				parity := math.Exp(-m.Rate()*years) * (forward - call.Strike)
				if call.Bid-put.Ask > parity+rounding || call.Ask-put.Bid < parity-rounding {
					t.Fatalf("%s: parity %v is outside %v … %v", call.Symbol, parity, call.Bid-put.Ask, call.Ask-put.Bid)
				}
			}
		}
	}
}

func TestTheSurfaceHasNoArbitrage(t *testing.T) {
	sequential(t)
	m := at(t, synthetic.DefaultStart())
	for i, now := range moments() {
		for _, symbol := range []market.Symbol{"SPX", "TLT", "AAPL", "WDFC"} {
			if symbol == "SPX" && i%3 != 0 {
				continue // some forty thousand contracts each time
			}
			quotes := chain(t, m, market.ChainRequest{Underlying: symbol}, now)
			type point struct{ k, w float64 } // log moneyness and total variance
			var previous []point
			var previousYears float64
			for _, expiry := range split(quotes) {
				var strikes, calls, discounts []float64
				var points []point
				years := 0.0
				for pair := range slices.Chunk(expiry, 2) {
					c, _, forward, y := theory(t, pair[0], pair[1], m.Rate(), quotedAt(now))
					years = y
					strikes, calls = append(strikes, pair[0].Strike), append(calls, c)
					discounts = append(discounts, math.Exp(-m.Rate()*y))
					points = append(points, point{math.Log(pair[0].Strike / forward), square(pair[0].IV) * y})
				}
				// Vertical spreads cost between nothing and the discounted
				// distance; butterflies cost nothing or more.
				for i := 1; i < len(strikes); i++ {
					slope := (calls[i] - calls[i-1]) / (strikes[i] - strikes[i-1])
					if slope > 1e-9 || slope < -discounts[i]-1e-9 {
						t.Fatalf("%s %v: vertical at %v costs %v of its width", symbol, expiry[0].Expiration, strikes[i], -slope)
					}
					if i > 1 && slope < (calls[i-1]-calls[i-2])/(strikes[i-1]-strikes[i-2])-1e-9*calls[0] {
						t.Fatalf("%s %v: the butterfly at %v is paid for", symbol, expiry[0].Expiration, strikes[i-1])
					}
				}
				// Total variance at the same moneyness does not fall with time.
				for _, p := range previous {
					i, _ := slices.BinarySearchFunc(points, p.k, func(a point, k float64) int {
						if a.k < k {
							return -1
						}
						return 1
					})
					if i == 0 || i == len(points) || previousYears >= years {
						continue
					}
					// Variance is convex or nearly straight between two strikes: the
					// line between them is not below the curve by more than the slack.
					a, b := points[i-1], points[i]
					line := a.w + (b.w-a.w)*(p.k-a.k)/(b.k-a.k)
					if line < p.w*(1-1e-9) {
						t.Fatalf("%s: at %v variance falls from %v to %v by %v", symbol, p.k, p.w, line, expiry[0].Expiration)
					}
				}
				previous, previousYears = points, years
			}
		}
	}
}

func square(x float64) float64 { return x * x }

// split divides a chain into its expirations.
func split(quotes []market.OptionQuote) [][]market.OptionQuote {
	var out [][]market.OptionQuote
	for i, q := range quotes {
		if i == 0 || q.Expiration != quotes[i-1].Expiration || q.Root != quotes[i-1].Root {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], q)
	}
	return out
}

func TestTheSurfaceHasSkewTermStructureAndAnEarningsBump(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	// Puts of the index cost more volatility than calls.
	spx := chain(t, m, market.ChainRequest{Underlying: "SPX", Expirations: []market.Date{date(2026, 12, 18)}}, synthetic.DefaultStart())
	vol := func(quotes []market.OptionQuote, strike float64) float64 {
		for _, q := range quotes {
			if q.Strike == strike {
				return q.IV
			}
		}
		t.Fatalf("no strike %v", strike)
		return 0
	}
	assert.Greater(t, vol(spx, 6200), vol(spx, 6600)+0.01)
	assert.Greater(t, vol(spx, 6600), vol(spx, 7000)+0.005)

	// The last expiration before the report and the first after it.
	events, err := m.Events(t.Context(), "AAPL", date(2026, 9, 16), market.Date{})
	require.NoError(t, err)
	next := events[slices.IndexFunc(events, func(e market.Event) bool { return e.Kind == market.Earnings })]
	metrics, err := m.Metrics(t.Context(), []market.Symbol{"AAPL"})
	require.NoError(t, err)
	term := metrics[0].Term
	i := slices.IndexFunc(term, func(v market.TermVol) bool { return v.Expiration.After(next.Date) })
	require.Positive(t, i)
	assert.Greater(t, term[i].IV, term[i-1].IV, "volatility rises across the report of %v", next.Date)
	assert.Equal(t, next.Date, metrics[0].NextEarnings.Date)

	// Implied volatility falls when the report is out.
	before, after := newYork(next.Date, 15, 59), newYork(next.Date.AddDays(1), 10, 0)
	iv := func(now time.Time) float64 {
		got, err := at(t, now).Metrics(t.Context(), []market.Symbol{"AAPL"})
		require.NoError(t, err)
		return got[0].IVIndex
	}
	assert.Less(t, iv(after), iv(before))
}

func TestOptionsTradeOnTheirTicks(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	for _, symbol := range []market.Symbol{"SPX", "SPY", "KO", "WDFC"} {
		instruments, err := m.Instruments(t.Context(), []market.Symbol{symbol})
		require.NoError(t, err)
		zero := 0
		for _, q := range chain(t, m, market.ChainRequest{Underlying: symbol}, synthetic.DefaultStart()) {
			for _, x := range []float64{q.Bid, q.Ask} {
				tick := market.Increment(instruments[0].OptionTicks, x)
				if math.Abs(math.Round(x/tick)*tick-x) > 1e-9 || q.Bid >= q.Ask {
					t.Fatalf("%s: %v × %v on ticks of %v", q.Symbol, q.Bid, q.Ask, tick)
				}
			}
			if q.Bid == 0 {
				zero++
				require.Zero(t, q.BidSize)
			}
		}
		assert.Positive(t, zero, "%s has worthless contracts with no bid", symbol)
	}
}

func TestListedContractsStayListedUntilTheyExpire(t *testing.T) {
	sequential(t)
	m, clock := clocked(t, newYork(date(2026, 11, 9), 12, 0))
	type contract struct {
		root   string
		date   market.Date
		strike float64
	}
	for _, symbol := range []market.Symbol{"SPX", "QQQ", "TSLA", "CALM"} {
		listed := map[contract]time.Time{}
		for day := 0; day < 70; day += 3 {
			now := newYork(date(2026, 11, 9).AddDays(day), 12, 0)
			clock.Set(now)
			expirations, err := m.Expirations(t.Context(), symbol)
			require.NoError(t, err)
			today := map[contract]bool{}
			for _, e := range expirations {
				for _, strike := range e.Strikes {
					c := contract{e.Root, e.Date, strike}
					today[c] = true
					if _, ok := listed[c]; !ok {
						listed[c] = options.ExpiryTime(e.Date, e.Settlement, nil)
					}
				}
			}
			for c, expires := range listed {
				if expires.After(now) && !today[c] {
					t.Fatalf("%v is gone on %v", c, now)
				}
			}
		}
	}
}

func TestExpirationsFollowTheExchange(t *testing.T) {
	m, clock := clocked(t, synthetic.DefaultStart())
	dates := func(s market.Symbol) map[market.Date][]string {
		got, err := m.Expirations(t.Context(), s)
		require.NoError(t, err)
		out := map[market.Date][]string{}
		for _, e := range got {
			require.NotEmpty(t, e.Strikes)
			require.True(t, slices.IsSorted(e.Strikes))
			out[e.Date] = append(out[e.Date], e.Root+" "+string(e.Settlement)+" "+string(e.Style))
		}
		return out
	}
	spx := dates("SPX")
	assert.Equal(t, []string{"SPXW PM european"}, spx[date(2026, 9, 16)], "today's expire today")
	assert.Equal(t, []string{"SPX AM european", "SPXW PM european"}, spx[date(2026, 9, 18)], "third Friday")
	assert.Equal(t, []string{"SPXW PM european"}, spx[date(2026, 12, 31)], "quarter end")
	assert.Equal(t, []string{"AAPL PM american"}, dates("AAPL")[date(2028, 1, 21)], "January of the year after next")
	assert.NotContains(t, dates("AAPL"), date(2026, 9, 17))
	assert.Len(t, dates("WDFC"), 6, "monthly ones only")
	assert.Contains(t, dates("BRK/B"), date(2026, 9, 18))

	clock.Set(newYork(date(2026, 9, 16), 16, 0))
	assert.NotContains(t, dates("SPX"), date(2026, 9, 16), "expired at the close")
	clock.Set(newYork(date(2026, 9, 18), 9, 30))
	assert.Equal(t, []string{"SPXW PM european"}, dates("SPX")[date(2026, 9, 18)], "the morning ones are settled")
	clock.Set(newYork(date(2026, 3, 20), 12, 0))
	assert.Contains(t, dates("T"), date(2026, 4, 2), "Thursday before Good Friday")
	assert.NotContains(t, dates("T"), date(2026, 4, 3))
}

func TestAnOptionHasTheSameQuoteAloneAndInTheChain(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	for _, q := range chain(t, m, market.ChainRequest{Underlying: "BRK/B", Strikes: 3}, synthetic.DefaultStart()) {
		alone, err := m.Quotes(t.Context(), []market.Symbol{q.Symbol})
		require.NoError(t, err)
		assert.Equal(t, []float64{q.Bid, q.Ask, q.BidSize, q.AskSize}, []float64{alone[0].Bid, alone[0].Ask, alone[0].BidSize, alone[0].AskSize})
		assert.False(t, math.IsNaN(alone[0].PrevClose))
	}
}

func TestChainFilters(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	now := synthetic.DefaultStart()
	quotes := chain(t, m, market.ChainRequest{Underlying: "SPY", Expirations: []market.Date{date(2026, 9, 18)}, MinStrike: 650, MaxStrike: 655}, now)
	assert.Len(t, quotes, 12, "strikes 650 to 655, call and put")
	quotes = chain(t, m, market.ChainRequest{Underlying: "SPY", Expirations: []market.Date{date(2026, 9, 18)}, Strikes: 3}, now)
	require.Len(t, quotes, 6)
	assert.InDelta(t, quotes[0].Spot, quotes[2].Strike, 1)

	for name, req := range map[string]market.ChainRequest{
		"min_strike": {Underlying: "SPY", MinStrike: math.NaN()},
		"max_strike": {Underlying: "SPY", MinStrike: 20, MaxStrike: 10},
		"strikes":    {Underlying: "SPY", Strikes: -1},
	} {
		_, err := m.Chain(t.Context(), req)
		var field *synthetic.FieldError
		if assert.ErrorAs(t, err, &field, name) {
			assert.Equal(t, name, field.Field)
		}
	}
	_, err := m.Chain(t.Context(), market.ChainRequest{Underlying: "SPY", Expirations: []market.Date{date(2026, 9, 19)}})
	assert.ErrorIs(t, err, market.ErrNoData, "a Saturday")
	_, err = m.Chain(t.Context(), market.ChainRequest{Underlying: "NOPE"})
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	for symbol, want := range map[market.Symbol]error{
		"SPY   260915C00650000": market.ErrNoData,        // expired
		"SPY   260916C00650500": market.ErrUnknownSymbol, // no such strike
		"NOPE  260916C00650000": market.ErrUnknownSymbol,
	} {
		_, err := m.QuoteAt(symbol, now)
		assert.ErrorIs(t, err, want, "%s", symbol)
	}
}

func TestTheOptionsPackageReadsTheChainBack(t *testing.T) {
	m := at(t, synthetic.DefaultStart())
	for _, symbol := range []market.Symbol{"SPX", "T"} {
		quotes := chain(t, m, market.ChainRequest{Underlying: symbol, Strikes: 21}, synthetic.DefaultStart())
		for i := range quotes {
			quotes[i].Style = market.European // as which the market prices them all
		}
		read, err := options.NewChain(quotes, &options.ChainOptions{At: synthetic.DefaultStart(), Rate: m.Rate()})
		require.NoError(t, err)
		require.Len(t, read.Expiries, len(split(quotes)))
		for _, e := range read.Expiries {
			assert.Equal(t, "parity", e.ForwardFrom)
			for _, c := range e.Contracts {
				if c.OptionQuote.Vega*0.005 < c.Ask-c.Bid {
					continue // the spread hides half a point of volatility
				}
				assert.InDelta(t, c.OptionQuote.IV, c.IV, 0.005, "%s", c.Symbol)
				assert.InDelta(t, c.OptionQuote.Delta, c.Delta, 0.02, "%s", c.Symbol)
			}
			parsed, ok := e.Contracts[0].Symbol.Contract()
			require.True(t, ok)
			assert.Equal(t, e.Contracts[0].Strike, parsed.Strike)
			assert.Equal(t, e.Root, parsed.Root)
		}
	}
}
