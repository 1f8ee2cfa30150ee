package tools_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// kindsFound are the structures that find_trades knows, and whether their risk is
// defined.
func kindsFound() map[string]bool {
	out := map[string]bool{}
	for _, name := range []string{
		"short put", "covered call", "bull put spread", "bear call spread", "iron condor", "bull call spread", "bear put spread", "long straddle", "long strangle",
		"call calendar", "put calendar", "call diagonal", "put diagonal",
	} {
		out[name] = true
	}
	for _, name := range []string{"naked put", "naked call", "short straddle", "short strangle", "call ratio spread", "put ratio spread", "jade lizard"} {
		out[name] = false
	}
	return out
}

// noon is the time of the chains here, and that at which [call] expects results.
func noon() time.Time { return time.Date(2026, 9, 16, 10, 30, 0, 0, market.NYSE().Location()) }

// steepChain is a market of one underlying at 100 with a smile, three expirations and
// a step of the strikes.
type steepChain struct {
	market.Source
	now     time.Time
	step    float64
	strikes int
	spoil   func(i int, q *market.OptionQuote)
}

func (s *steepChain) dates() []market.Date {
	today := market.DateOf(s.now)
	return []market.Date{today.AddDays(25), today.AddDays(32), today.AddDays(46)}
}

func (s *steepChain) Expirations(context.Context, market.Symbol) ([]market.Expiration, error) {
	var out []market.Expiration
	for _, d := range s.dates() {
		out = append(out, market.Expiration{Date: d})
	}
	return out, nil
}

func (s *steepChain) Quotes(context.Context, []market.Symbol) ([]market.Quote, error) {
	return []market.Quote{{Symbol: "XYZ", Bid: 99.99, Ask: 100.01, Last: 100, Time: s.now}}, nil
}

func (s *steepChain) Chain(_ context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	var out []market.OptionQuote
	for _, date := range s.dates() {
		years := float64(market.DateOf(s.now).DaysUntil(date)) / 365
		for i := range s.strikes {
			strike := math.Round((100+(float64(i)-float64(s.strikes)/2)*s.step)*1000) / 1000
			for _, kind := range []options.Kind{options.Put, options.Call} {
				away := math.Log(strike / 100)
				vol := 0.25 - 0.25*away + 0.5*away*away
				mid := options.BSM{Spot: 100, Strike: strike, Years: years, Rate: 0.03, Vol: vol}.Price(kind)
				bid, ask := math.Floor(mid*97)/100, math.Ceil(mid*103+1)/100
				symbol, err := market.NewOptionSymbol(market.Contract{Root: "XYZ", Expiration: date, Kind: kind, Strike: strike})
				if err != nil {
					return nil, err
				}
				q := market.OptionQuote{
					Symbol: symbol, Underlying: "XYZ", Root: "XYZ", Kind: kind, Strike: strike, Expiration: date, Style: market.European, Multiplier: 100,
					Time: s.now, Bid: bid, Ask: ask, BidSize: 10, AskSize: 10, Last: math.NaN(), Volume: 5, OpenInterest: float64(10 + i%7),
					IV: math.NaN(), Delta: math.NaN(), Gamma: math.NaN(), Theta: math.NaN(), Vega: math.NaN(), Rho: math.NaN(), Spot: 100,
				}
				if s.spoil != nil {
					s.spoil(len(out), &q)
				}
				out = append(out, q)
			}
		}
	}
	return out, nil
}

func steep(change func(*steepChain)) tools.Deps {
	clock := market.NewManualClock(noon())
	s := &steepChain{now: clock.Now(), step: 1, strikes: 60}
	if change != nil {
		change(s)
	}
	return tools.Deps{Market: s, Clock: clock, Rate: 0.03, Environment: broker.Simulator}
}

// structureOf makes a found trade's structure anew, at the middle of its quotes.
func structureOf(t *testing.T, trade map[string]any) (options.Structure, []broker.MarginPosition) {
	t.Helper()
	var legs []options.Leg
	var positions []broker.MarginPosition
	for _, x := range list(t, trade["legs"]) {
		row := object(t, x)
		symbol := market.Symbol(row["symbol"].(string))
		mid := (row["bid"].(float64) + row["ask"].(float64)) / 2
		n := row["quantity"].(float64)
		positions = append(positions, broker.MarginPosition{Symbol: symbol, Underlying: "XYZ", Quantity: decimal.NewFromFloat(n), Price: decimal.NewFromFloat(mid)})
		contract, ok := symbol.Contract()
		if !ok {
			legs = append(legs, options.Leg{Quantity: n, Price: mid})
			continue
		}
		at := options.ExpiryTime(contract.Expiration, market.SettledPM, market.CboeOptions())
		years := options.YearsToExpiry(noon(), at)
		vol, err := options.BSM{Spot: 100, Strike: contract.Strike, Years: years, Rate: 0.03}.ImpliedVol(contract.Kind, mid)
		require.NoError(t, err)
		legs = append(legs, options.Leg{Kind: contract.Kind, Quantity: n, Strike: contract.Strike, Years: years, Price: mid, Vol: vol, Expiration: contract.Expiration})
	}
	s, err := options.NewStructure(legs...)
	require.NoError(t, err)
	return s, positions
}

// Each kind's figures are those that package options gives for its legs, and its
// capital what the margin rules ask or what can be lost.
func TestEachKindOfTradeIsJudgedLikeItsStructure(t *testing.T) {
	for name, defined := range kindsFound() {
		t.Run(name, func(t *testing.T) {
			out := call(t, steep(nil), "find_trades", fmt.Sprintf(`{"symbol":"XYZ","structures":[%q],"undefined_risk":%t,"limit":50,"max_delta":0.45,"max_width":12}`, name, !defined))
			trades := list(t, out["trades"])
			require.NotEmpty(t, trades)
			for _, x := range trades {
				trade := object(t, x)
				s, positions := structureOf(t, trade)
				if !slices.Contains([]string{"call calendar", "put calendar", "call diagonal", "put diagonal"}, name) {
					payoff, err := s.Payoff()
					require.NoError(t, err)
					same := func(want float64, got any) {
						if math.IsInf(want, 0) {
							assert.Nil(t, got, "no number stands for what has no bound")
							return
						}
						assert.InDelta(t, want, got, 0.02)
					}
					same(payoff.Max(), trade["max_gain"])
					same(payoff.Min(), trade["max_loss"])
					require.Len(t, trade["breakevens"], len(payoff.Breakevens()))
					for i, b := range payoff.Breakevens() {
						assert.InDelta(t, b, list(t, trade["breakevens"])[i], 1e-3)
					}
					if len(s.Legs) == 1 {
						e := payoff.Expected(options.Lognormal{Forward: 100 * math.Exp(0.03*s.Legs[0].Years), Vol: s.Legs[0].Vol, Years: s.Legs[0].Years})
						assert.InDelta(t, e-trade["costs"].(float64), trade["expected"], 0.6, "at the forward of the chain")
						p := payoff.ProbProfit(options.Lognormal{Forward: 100 * math.Exp(0.03*s.Legs[0].Years), Vol: s.Legs[0].Vol, Years: s.Legs[0].Years})
						assert.InDelta(t, p, trade["pop"], 2e-3)
					}
				} else {
					near := min(s.Legs[0].Years, s.Legs[1].Years)
					d := options.Lognormal{Forward: 100 * math.Exp(0.03*near), Vol: s.Legs[0].Vol, Years: near}
					a, err := s.Analyze(options.Conditions{Spot: 100, Rate: 0.03}, d)
					require.NoError(t, err)
					assert.InDelta(t, a.ProbProfit, trade["pop"], 5e-3)
					assert.InDelta(t, a.MaxGain, trade["max_gain"], 1)
					assert.InDelta(t, a.Expected-trade["costs"].(float64), trade["expected"], 1)
					assert.GreaterOrEqual(t, a.MaxLoss, trade["max_loss"].(float64)-1, "never more than is said")
					for _, b := range list(t, trade["breakevens"]) {
						at := slices.MinFunc(a.Breakevens, func(x, y float64) int { return int(math.Copysign(1, math.Abs(x-b.(float64))-math.Abs(y-b.(float64)))) })
						assert.InDelta(t, at, b, 0.05)
					}
					assert.NotEmpty(t, trade["far_expiration"])
				}
				m, err := (&broker.MarginRules{}).Requirement(broker.MarginInput{Positions: positions, Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": decimal.NewFromInt(100)}, Date: market.DateOf(noon())})
				require.NoError(t, err)
				if !defined {
					assert.InDelta(t, m.Initial.InexactFloat64()-trade["premium"].(float64), trade["capital"], 0.02, "the margin, less the credit")
					assert.Regexp(t, "unbounded|undefined", trade["risk"])
				} else {
					assert.Contains(t, trade["risk"], "defined")
					assert.InDelta(t, -trade["max_loss"].(float64), trade["capital"], 0.02)
				}
			}
		})
	}
}

func TestTheMarginOfCalendarsIsWhatTheyCanLose(t *testing.T) {
	out := call(t, steep(nil), "find_trades", `{"symbol":"XYZ","structures":["call calendar","put diagonal","call diagonal"],"limit":50}`)
	for _, x := range list(t, out["trades"]) {
		trade := object(t, x)
		_, positions := structureOf(t, trade)
		m, err := (&broker.MarginRules{}).Requirement(broker.MarginInput{Positions: positions, Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": decimal.NewFromInt(100)}})
		require.NoError(t, err)
		margin := m.Initial.InexactFloat64() - trade["premium"].(float64)
		if trade["structure"] == "put diagonal" {
			// European: the later put is worth its strike discounted by at most 21 days.
			assert.GreaterOrEqual(t, trade["capital"], margin-0.02)
			assert.InDelta(t, margin, trade["capital"], 100*130*0.03*21/365)
			continue
		}
		assert.InDelta(t, margin, trade["capital"], 0.02)
	}
}

func TestUndefinedRiskIsFoundOnlyWhenItIsAskedFor(t *testing.T) {
	d := steep(nil)
	for name, defined := range kindsFound() {
		if !defined {
			assert.ErrorContains(t, callError(t, d, "find_trades", fmt.Sprintf(`{"symbol":"XYZ","structures":["short put",%q]}`, name)), "undefined_risk")
		}
	}
	for _, undefined := range []bool{false, true} {
		seen := map[string]bool{}
		for _, sort := range []string{"score", "pop", "return", "annual", "expected", "liquidity"} {
			out := call(t, d, "find_trades", fmt.Sprintf(`{"symbol":"XYZ","limit":50,"undefined_risk":%t,"sort":%q}`, undefined, sort))
			for _, x := range list(t, out["trades"]) {
				seen[object(t, x)["structure"].(string)] = true
			}
		}
		kinds := kindsFound()
		for name := range seen {
			assert.True(t, kinds[name] || undefined, name)
		}
		assert.GreaterOrEqual(t, len(seen), 5, "kinds compare: no sort lets one alone in")
	}
}

func TestAnUnboundedLossIsSaidInWords(t *testing.T) {
	for _, name := range []string{"naked call", "short straddle", "short strangle", "call ratio spread"} {
		out := call(t, steep(nil), "find_trades", fmt.Sprintf(`{"symbol":"XYZ","structures":[%q],"undefined_risk":true,"limit":5}`, name))
		for _, x := range list(t, out["trades"]) {
			trade := object(t, x)
			assert.Nil(t, trade["max_loss"])
			assert.Contains(t, trade["risk"], "unbounded")
			assert.Positive(t, trade["capital"])
		}
	}
	out := call(t, steep(nil), "find_trades", `{"symbol":"XYZ","structures":["long straddle","short put"],"sort":"return","limit":50}`)
	bounded := true
	for _, x := range list(t, out["trades"]) {
		trade := object(t, x)
		if trade["max_gain"] == nil {
			bounded = false
			assert.Nil(t, trade["return"])
			assert.Contains(t, trade["why"], "unbounded")
		} else {
			assert.True(t, bounded, "what has no bound cannot be sorted by it, and comes last")
		}
	}
	assert.False(t, bounded)
}

// A condor is a bull put spread and a bear call spread, and its chances are theirs.
func TestTheChancesOfACondorAreThoseOfItsSides(t *testing.T) {
	d := steep(nil)
	find := func(name string) map[string]map[string]any {
		out := map[string]map[string]any{}
		for _, x := range list(t, call(t, d, "find_trades", fmt.Sprintf(`{"symbol":"XYZ","structures":[%q],"limit":50,"min_delta":0.2,"max_delta":0.25,"max_width":3}`, name))["trades"]) {
			trade := object(t, x)
			key := ""
			for _, l := range list(t, trade["legs"]) {
				key += object(t, l)["symbol"].(string)
			}
			out[key] = trade
		}
		return out
	}
	puts, calls, condors := find("bull put spread"), find("bear call spread"), find("iron condor")
	require.NotEmpty(t, condors)
	checked := 0
	for key, condor := range condors {
		put, call := puts[key[:len(key)/2]], calls[key[len(key)/2:]]
		if put == nil || call == nil {
			continue
		}
		checked++
		for _, field := range []string{"premium", "costs", "expected"} {
			assert.InDelta(t, put[field].(float64)+call[field].(float64), condor[field], 0.02, field)
		}
	}
	assert.Positive(t, checked)
}

func TestScoresAreSharesAndTradesAreInTheirOrder(t *testing.T) {
	for sort, field := range map[string]string{"score": "score", "pop": "pop", "liquidity": "liquidity"} {
		out := call(t, steep(nil), "find_trades", fmt.Sprintf(`{"symbol":"XYZ","limit":50,"undefined_risk":true,"sort":%q}`, sort))
		last := 1.0
		for _, x := range list(t, out["trades"]) {
			trade := object(t, x)
			v := trade[field].(float64)
			assert.LessOrEqual(t, v, last)
			assert.GreaterOrEqual(t, v, 0.0)
			last = v
			assert.Positive(t, trade["costs"], "a dollar a contract, and half the spreads")
			assert.InDelta(t, trade["premium"].(float64)-trade["natural"].(float64), trade["costs"], 1.25*float64(len(list(t, trade["legs"])))*2)
			assert.NotEmpty(t, trade["why"])
		}
	}
}

// Quotes that are wrong make no trades, and none of the others go missing.
func TestWrongQuotesMakeNoTrades(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	wrong := [][2]float64{{0, 0}, {nan, 1}, {1, nan}, {nan, nan}, {5, 1}, {-3, 2}, {inf, inf}, {1, inf}, {0, 1e300}, {-1, -2}, {1e300, 1e301}, {0, nan}}
	d := steep(func(s *steepChain) {
		s.spoil = func(i int, q *market.OptionQuote) {
			if i%3 != 0 {
				return
			}
			pair := wrong[(i/3)%len(wrong)]
			q.Bid, q.Ask = pair[0], pair[1]
			if i%9 == 0 {
				q.OpenInterest, q.Multiplier = nan, 10
			}
		}
	})
	for _, sort := range []string{"score", "expected", "annual"} {
		out := call(t, d, "find_trades", fmt.Sprintf(`{"symbol":"XYZ","limit":50,"undefined_risk":true,"sort":%q}`, sort))
		require.NotEmpty(t, out["trades"])
		for _, x := range list(t, out["trades"]) {
			trade := object(t, x)
			for _, l := range list(t, trade["legs"]) {
				row := object(t, l)
				require.NotNil(t, row["bid"])
				require.NotNil(t, row["ask"])
				assert.Less(t, row["ask"], 1000.0)
				if row["quantity"].(float64) < 0 {
					assert.Positive(t, row["bid"])
				}
				assert.LessOrEqual(t, row["bid"], row["ask"])
			}
			assert.Positive(t, trade["capital"])
			assert.GreaterOrEqual(t, trade["pop"], 0.0)
			assert.LessOrEqual(t, trade["pop"], 1.0)
			require.NotNil(t, trade["score"])
			require.NotNil(t, trade["expected"])
		}
	}
	_, err := json.Marshal(call(t, d, "find_trades", `{"symbol":"XYZ"}`))
	require.NoError(t, err)
}

// A chain of twenty thousand contracts costs bounded work and memory, and a caller
// who has gone ends it.
func TestAHugeChainIsScannedWithinBounds(t *testing.T) {
	d := steep(func(s *steepChain) { s.step, s.strikes = 0.02, 3400 })
	chain, err := d.Market.Chain(t.Context(), market.ChainRequest{})
	require.NoError(t, err)
	require.Greater(t, len(chain), 20_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out := call(t, d, "find_trades", `{"symbol":"XYZ","undefined_risk":true,"max_width":20,"max_delta":0.5,"min_delta":0.01}`)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(250<<20), "the chain itself is tens of megabytes")
	assert.LessOrEqual(t, out["scanned"], 250_000.0)
	assert.Len(t, out["trades"], 10)
	assert.NotEmpty(t, out["left_out"], "what was passed over is said")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tool := range tools.New(d) {
		if tool.Name == "find_trades" {
			_, err := tool.Call(ctx, json.RawMessage(`{"symbol":"XYZ","undefined_risk":true,"max_width":20}`))
			assert.ErrorIs(t, err, context.Canceled)
		}
	}
}
