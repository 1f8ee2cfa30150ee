package backtest_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// A script is a strategy that is a function.
type script struct {
	needs strategy.Needs
	begin func(*strategy.Session) error
	on    func(*strategy.Session, *strategy.Event) error
}

func (s *script) Needs() strategy.Needs { return s.needs }
func (s *script) Begin(x *strategy.Session) error {
	if s.begin == nil {
		return nil
	}
	return s.begin(x)
}
func (s *script) Handle(x *strategy.Session, e *strategy.Event) error { return s.on(x, e) }
func (s *script) Snapshot() (json.RawMessage, error)                  { return json.RawMessage("{}"), nil }
func (s *script) Restore(json.RawMessage) error                       { return nil }

// best returns the quote of a kind and expiry with the strike that better prefers.
func best(chain []market.OptionQuote, expiry market.Date, kind market.OptionKind, better func(a, b float64) bool, allowed func(*market.OptionQuote) bool) *market.OptionQuote {
	var found *market.OptionQuote
	for i := range chain {
		q := &chain[i]
		if q.Expiration == expiry && q.Kind == kind && allowed(q) && (found == nil || better(q.Strike, found.Strike)) {
			found = q
		}
	}
	return found
}

var oracleExpiry = market.Date{Year: 2025, Month: 12, Day: 5}

// oracle is one of the strategies that the plain arithmetic was done for.
type oracle struct {
	script
	name    string
	ticker  market.Symbol
	entered bool
	strike  float64
	t       testing.TB
}

func newOracle(t testing.TB, name string, ticker market.Symbol) *oracle {
	o := &oracle{name: name, ticker: ticker, t: t}
	o.needs = strategy.Needs{Symbols: []market.Symbol{ticker}, Chains: []market.Symbol{ticker}}
	o.on = o.handle
	return o
}

func (o *oracle) handle(s *strategy.Session, e *strategy.Event) error {
	if e.Kind != strategy.ChainEvent {
		return nil
	}
	if s.Date() == (market.Date{Year: 2025, Month: 11, Day: 25}) && !o.entered {
		o.entered = true
		o.enter(s, e.Chain)
	}
	if strings.HasPrefix(o.name, "gamma") && o.entered && s.Date().Before(oracleExpiry) {
		o.hedge(s, e.Chain)
	}
	return nil
}

func (o *oracle) enter(s *strategy.Session, chain []market.OptionQuote) {
	spot := s.Price(o.ticker)
	highest := func(a, b float64) bool { return a > b }
	lowest := func(a, b float64) bool { return a < b }
	nearest := func(a, b float64) bool { return math.Abs(a-spot) < math.Abs(b-spot) }
	shortPut := best(chain, oracleExpiry, market.Put, highest, func(q *market.OptionQuote) bool { return q.Strike <= .97*spot })
	longPut := best(chain, oracleExpiry, market.Put, highest, func(q *market.OptionQuote) bool { return q.Strike <= .93*spot })
	shortCall := best(chain, oracleExpiry, market.Call, lowest, func(q *market.OptionQuote) bool { return q.Strike >= 1.03*spot })
	longCall := best(chain, oracleExpiry, market.Call, lowest, func(q *market.OptionQuote) bool { return q.Strike >= 1.07*spot })
	both := func(q *market.OptionQuote) bool {
		n := 0
		for i := range chain {
			if chain[i].Expiration == oracleExpiry && chain[i].Strike == q.Strike && chain[i].Bid > 0 {
				n++
			}
		}
		return n == 2
	}
	call := best(chain, oracleExpiry, market.Call, nearest, both)
	o.strike = call.Strike
	put := best(chain, oracleExpiry, market.Put, nearest, both)
	sell, buy := broker.SellToOpen, broker.BuyToOpen
	trade := func(action broker.Action, symbol market.Symbol, n float64) {
		_, err := s.Submit(strategy.MarketOrder(action, symbol, n))
		require.NoError(o.t, err)
	}
	switch o.name {
	case "short_put":
		trade(sell, shortPut.Symbol, 1)
	case "covered_call":
		trade(buy, o.ticker, 100)
		trade(sell, shortCall.Symbol, 1)
	case "bull_put_vertical":
		trade(buy, longPut.Symbol, 1)
		trade(sell, shortPut.Symbol, 1)
	case "iron_condor":
		trade(buy, longPut.Symbol, 1)
		trade(buy, longCall.Symbol, 1)
		trade(sell, shortPut.Symbol, 1)
		trade(sell, shortCall.Symbol, 1)
	default:
		trade(buy, call.Symbol, 1)
		trade(buy, put.Symbol, 1)
	}
}

// hedge brings the delta to zero with whole shares when it is worth more than 500.
func (o *oracle) hedge(s *strategy.Session, chain []market.OptionQuote) {
	if _, session := s.Calendar().Session(s.Date()); !session {
		return // the file has a copy of the day before for Thanksgiving
	}
	spot := s.Price(o.ticker)
	delta := s.Position(o.ticker).Quantity
	legs := 0
	for i := range chain {
		q := &chain[i]
		if q.Expiration == oracleExpiry && q.Strike == o.strike {
			legs++
			years := float64(s.Date().DaysUntil(oracleExpiry)) / 365
			delta += 100 * options.BSM{Spot: spot, Strike: q.Strike, Years: years, Rate: 0.04, Vol: q.IV}.Greeks(options.Kind(q.Kind)).Delta
		}
	}
	if legs == 2 && math.Abs(delta*spot) > 500 {
		_, err := s.Trade(o.ticker, math.Round(-delta))
		require.NoError(o.t, err)
	}
}

// TestTheOptionOracleIsReproduced trades six strategies in five recorded chains and
// compares the profits at expiry and every daily value at the middle of the quotes.
func TestTheOptionOracleIsReproduced(t *testing.T) {
	for _, ticker := range []string{"AAPL", "NVDA", "META", "JPM", "TSM"} {
		stores := []*backtest.ChainStore{yahooChain(t, strings.ToLower(ticker))}
		var want struct {
			Results map[string]struct {
				PnL   decimal.Decimal      `json:"pnl_at_expiry"`
				Marks [][2]json.RawMessage `json:"mtm_mid"`
			}
		}
		jsonOf(t, &want, "options_py", "yahoo_"+strings.ToLower(ticker)+"_20251205.json")
		require.Len(t, want.Results, 6)
		for name, expected := range want.Results {
			t.Run(ticker+" "+name, func(t *testing.T) {
				r, err := backtest.Run(t.Context(), backtest.Options{
					Market:   &backtest.Market{Chains: stores, Rate: func(market.Date, float64) float64 { return 0.04 }},
					Accounts: []backtest.Account{{Strategy: newOracle(t, name, market.Symbol(ticker)), Cash: decimal.NewFromInt(100000)}},
					Rules:    backtest.OptionOracle(),
				})
				require.NoError(t, err)
				a := &r.Record.Accounts[0]
				require.NotNil(t, a.Value)
				assert.Equal(t, expected.PnL.String(), a.Value.Sub(decimal.NewFromInt(100000)).Round(2).String())
				for _, mark := range expected.Marks {
					var day string
					require.NoError(t, json.Unmarshal(mark[0], &day))
					i := slices.IndexFunc(a.Curve.Time, func(at int64) bool {
						return time.Unix(0, at).In(market.NYSE().Location()).Format("2006-01-02") == day
					})
					require.GreaterOrEqual(t, i, 0, day)
					got := a.Curve.Value[i] - 100000
					if string(mark[1]) == "null" {
						assert.True(t, math.IsNaN(got), "%s: a leg has no quote, got %v", day, got)
						continue
					}
					var value float64
					require.NoError(t, json.Unmarshal(mark[1], &value))
					assert.InDelta(t, value, got, 0.006, day)
				}
			})
		}
	}
}

// LEAN's tests of index options that expire at the open: bought at 09:30 of the day
// before, settled in cash at 3,795.54.
func TestExpiriesOfLEANAreReproduced(t *testing.T) {
	var want struct {
		Expiry struct {
			Cases []struct {
				Pos  string
				Cash float64
				Fill float64
				End  float64
			}
		} `json:"lean_index_option_expiry_20210115"`
	}
	jsonOf(t, &want, "expected_public.json")
	require.Len(t, want.Expiry.Cases, 3)
	stores, err := backtest.OpenChains(&market.CSVOptions{Symbol: "SPX", Interval: market.Minute}, sharedtest.Path(t, "data", "options", "lean_spx_opt_1min_quotes_20210114_0930.csv"))
	require.NoError(t, err)
	chicago, err := time.LoadLocation("America/Chicago")
	require.NoError(t, err)
	index, err := market.OpenBars(sharedtest.Path(t, "data", "intraday", "lean_spx_1min_20210114.csv.gz"), &market.CSVOptions{Location: chicago})
	require.NoError(t, err)
	type test struct {
		right     market.OptionKind
		strike    float64
		action    broker.Action
		fill, end float64
	}
	var tests []test
	for _, c := range want.Expiry.Cases {
		words := strings.Fields(c.Pos)
		kind := market.Call
		if words[1] == "put" {
			kind = market.Put
		}
		tests = append(tests, test{kind, float(t, words[2]), broker.BuyToOpen, c.Fill, c.End})
	}
	expiry := market.Date{Year: 2021, Month: 1, Day: 15}
	for _, c := range tests {
		bought := false
		s := &script{needs: strategy.Needs{Chains: []market.Symbol{"SPX"}, Symbols: []market.Symbol{"SPX"}, Interval: market.Minute}}
		s.on = func(x *strategy.Session, e *strategy.Event) error {
			if e.Kind == strategy.ChainEvent && !bought {
				bought = true
				for _, q := range e.Chain {
					if q.Strike == c.strike && q.Kind == c.right && q.Expiration == expiry {
						_, err := x.Submit(strategy.MarketOrder(c.action, q.Symbol, 1))
						return err
					}
				}
				t.Error("the contract is not in the chain")
			}
			return nil
		}
		r, err := backtest.Run(t.Context(), backtest.Options{
			Market: &backtest.Market{Chains: stores, Bars: []backtest.BarFeed{
				{Symbol: "SPX", Interval: market.Minute, Bars: append(index.Bars, market.Bar{
					Time: time.Date(2021, 1, 15, 9, 30, 0, 0, market.NYSE().Location()), Open: 3795.54, High: 3795.54, Low: 3795.54, Close: 3795.54,
				}, market.Bar{
					Time: time.Date(2021, 1, 15, 9, 31, 0, 0, market.NYSE().Location()), Open: 3795.54, High: 3795.54, Low: 3795.54, Close: 3795.54,
				})},
			}},
			Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(100000)}},
			Rules:    backtest.LEAN(backtest.LEANOptions{}),
		})
		require.NoError(t, err)
		a := &r.Record.Accounts[0]
		require.NotEmpty(t, a.Fills)
		assert.Equal(t, c.fill, a.Fills[0].Price.InexactFloat64())
		assert.Equal(t, decimal.NewFromFloat(c.end).String(), a.Cash.String())
		assert.Empty(t, a.Positions)
	}
}

// TestEveryChainFileLoads reads each recorded file of option quotes.
func TestEveryChainFileLoads(t *testing.T) {
	dir := sharedtest.Path(t, "data", "options")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	loaded := 0
	for _, e := range entries {
		name := e.Name()
		if !strings.Contains(name, ".csv") || name == "yahoo_chain_underlying.csv" || strings.HasPrefix(name, "spx_atmiv") {
			continue // prices of shares, and no quotes of contracts
		}
		opts := &market.CSVOptions{BadRows: market.SkipBadRows}
		for prefix, symbol := range map[string]market.Symbol{
			"lean_aapl": "AAPL", "lean_nwsa": "NWSA", "lean_universe_aapl": "AAPL", "lean_universe_nwsa": "NWSA", "lean_spx_": "SPX", "lean_universe_spx.": "SPX",
			"lean_spxw": "SPXW", "lean_universe_spxw": "SPXW", "lean_spy": "SPY", "lean_universe_spy": "SPY", "spx_selected": "SPX",
		} {
			if strings.HasPrefix(name, prefix) {
				opts.Symbol = symbol
			}
		}
		var stores []*backtest.ChainStore
		if ticker, yahoo := strings.CutPrefix(name, "yahoo_chain_"); yahoo {
			stores = []*backtest.ChainStore{yahooChain(t, ticker[:strings.IndexByte(ticker, '_')])}
		} else if stores, err = backtest.OpenChains(opts, dir+"/"+name); !assert.NoError(t, err, name) {
			continue
		}
		for _, s := range stores {
			assert.Positive(t, s.Len(), name)
			for _, k := range []int{0, s.Snapshots() / 2, s.Snapshots() - 1} {
				chain := s.Snapshot(k, nil)
				row, ok := s.Find(k, chain[len(chain)/2].Symbol)
				require.True(t, ok)
				from, _ := s.Rows(k)
				assert.Equal(t, from+len(chain)/2, row)
			}
		}
		loaded++
	}
	assert.GreaterOrEqual(t, loaded, 20)
}
