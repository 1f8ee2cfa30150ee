package paper_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A recorded chain of one expiry, by day.
type oracleQuote struct{ strike, bid, ask, vol float64 }

type oracleDay struct {
	close       float64
	calls, puts []oracleQuote
}

const oracleExpiry = "2025-12-05"

func oracleChain(t *testing.T, ticker string) map[string]*oracleDay {
	t.Helper()
	days := map[string]*oracleDay{}
	for _, r := range rows(t, sharedtest.Path(t, "data", "options", "yahoo_chain_underlying.csv"), ticker) {
		if r[0] == ticker {
			days[r[1]] = &oracleDay{close: price(r[2])}
		}
	}
	for _, r := range rows(t, sharedtest.Path(t, "data", "options", "yahoo_chain_"+strings.ToLower(ticker)+"_20251124_20251205.csv.gz"), ","+oracleExpiry+",") {
		day := days[r[0]]
		if r[3] != oracleExpiry || day == nil {
			continue
		}
		q := oracleQuote{strike: price(r[4]), bid: price(r[7]), ask: price(r[8]), vol: price(r[11])}
		if r[2] == "call" {
			day.calls = append(day.calls, q)
		} else {
			day.puts = append(day.puts, q)
		}
	}
	return days
}

func pick(quotes []oracleQuote, better func(a, b float64) bool, allowed func(oracleQuote) bool) oracleQuote {
	best := oracleQuote{strike: math.NaN()}
	for _, q := range quotes {
		if allowed(q) && (math.IsNaN(best.strike) || better(q.strike, best.strike)) {
			best = q
		}
	}
	return best
}

// oracleFees are 1.00 a contract, at most 10 a leg, and 0.10, to open.
func oracleFees() *broker.FeeSchedule {
	products := []broker.FeeProduct{broker.EquityOptionProduct}
	return &broker.FeeSchedule{Rules: []broker.FeeRule{
		{Name: "brokerage", Part: broker.CommissionPart, Products: products, Side: broker.OpenSide, PerUnit: *dec("1"), Cap: *dec("10")},
		{Name: "clearing", Part: broker.ClearingPart, Products: products, Side: broker.OpenSide, PerUnit: *dec("0.1")},
	}}
}

// TestOptionOracle trades real chains to expiry and compares the profit with that
// of plain arithmetic: one contract each, bought at the ask and sold at the bid of
// 2025-11-25.
func TestOptionOracle(t *testing.T) {
	for _, ticker := range []string{"AAPL", "NVDA", "META", "JPM", "TSM"} {
		raw, err := os.ReadFile(sharedtest.Path(t, "data", "reference", "options_py", "yahoo_"+strings.ToLower(ticker)+"_20251205.json"))
		require.NoError(t, err)
		var file struct {
			Results map[string]struct {
				PnL decimal.Decimal `json:"pnl_at_expiry"`
			}
		}
		require.NoError(t, json.Unmarshal(raw, &file))
		require.Len(t, file.Results, 6)
		days := oracleChain(t, ticker)
		entry := days["2025-11-25"]
		S := entry.close
		highest := func(a, b float64) bool { return a > b }
		lowest := func(a, b float64) bool { return a < b }
		shortPut := pick(entry.puts, highest, func(q oracleQuote) bool { return q.strike <= .97*S })
		longPut := pick(entry.puts, highest, func(q oracleQuote) bool { return q.strike <= .93*S })
		shortCall := pick(entry.calls, lowest, func(q oracleQuote) bool { return q.strike >= 1.03*S })
		longCall := pick(entry.calls, lowest, func(q oracleQuote) bool { return q.strike >= 1.07*S })
		nearest := func(a, b float64) bool { return math.Abs(a-S) < math.Abs(b-S) }
		bothBid := func(q oracleQuote) bool {
			in := func(list []oracleQuote) bool {
				return slices.ContainsFunc(list, func(o oracleQuote) bool { return o.strike == q.strike && o.bid > 0 })
			}
			return in(entry.calls) && in(entry.puts)
		}
		call := pick(entry.calls, nearest, bothBid)
		put := pick(entry.puts, nearest, bothBid)

		type trade struct {
			right  string
			q      oracleQuote
			action broker.Action
		}
		for name, legs := range map[string][]trade{
			"short_put":         {{"P", shortPut, sellOpen}},
			"covered_call":      {{"C", shortCall, sellOpen}},
			"bull_put_vertical": {{"P", shortPut, sellOpen}, {"P", longPut, buyOpen}},
			"iron_condor":       {{"P", shortPut, sellOpen}, {"P", longPut, buyOpen}, {"C", shortCall, sellOpen}, {"C", longCall, buyOpen}},
			"long_straddle":     {{"C", call, buyOpen}, {"P", put, buyOpen}},

			"gamma_scalp_straddle_close": {{"C", call, buyOpen}, {"P", put, buyOpen}},
		} {
			want, ok := file.Results[name]
			require.True(t, ok, name)
			d := newDesk(t, "2025-11-25 15:59", func(o *paper.Options) { o.Fees, o.FreePrices = oracleFees(), true })
			d.quote(market.Symbol(ticker), S, S)
			if name == "covered_call" {
				d.place(d.order(broker.Market, "", leg(market.Symbol(ticker), buyOpen, "100")))
			}
			for _, l := range legs {
				symbol := contract(t, ticker, oracleExpiry, l.right, l.q.strike)
				d.quote(symbol, l.q.bid, l.q.ask)
				s := d.place(d.order(broker.Market, "", leg(symbol, l.action, "1")))
				require.Equal(t, broker.Filled, d.now(s).Status)
			}
			if strings.HasPrefix(name, "gamma") {
				d.scalp(market.Symbol(ticker), call.strike, days)
			}
			last := days[oracleExpiry].close
			require.NoError(t, d.Quote(paper.Quote{Symbol: market.Symbol(ticker), Time: clockAt(t, oracleExpiry+" 15:59"), Bid: last, Ask: last, BidSize: math.NaN(), AskSize: math.NaN()}))
			d.to(oracleExpiry + " 16:00")
			b, err := d.Balances(t.Context(), account)
			require.NoError(t, err)
			require.NotNil(t, b.NetLiquidatingValue)
			pnl := b.NetLiquidatingValue.Sub(*dec("100000")).Round(2)
			assert.True(t, want.PnL.Equal(pnl), "%s %s: want %s, got %s", ticker, name, want.PnL, pnl)
		}
	}
}

// scalp hedges a long straddle at each close with whole shares, when the deltas
// are worth more than 500.
func (d *desk) scalp(ticker market.Symbol, strike float64, days map[string]*oracleDay) {
	d.t.Helper()
	shares := 0.0
	for _, date := range []string{"2025-11-25", "2025-11-26", "2025-11-28", "2025-12-01", "2025-12-02", "2025-12-03", "2025-12-04"} {
		day := days[date]
		leg1 := pick(day.calls, func(a, b float64) bool { return false }, func(q oracleQuote) bool { return q.strike == strike })
		leg2 := pick(day.puts, func(a, b float64) bool { return false }, func(q oracleQuote) bool { return q.strike == strike })
		if math.IsNaN(leg1.strike) || math.IsNaN(leg2.strike) {
			continue
		}
		at, err := market.ParseDate(date)
		require.NoError(d.t, err)
		end, err := market.ParseDate(oracleExpiry)
		require.NoError(d.t, err)
		years := float64(at.DaysUntil(end)) / 365
		delta := shares
		for kind, q := range map[options.Kind]oracleQuote{options.Call: leg1, options.Put: leg2} {
			delta += 100 * options.BSM{Spot: day.close, Strike: strike, Years: years, Rate: 0.04, Vol: q.vol}.Greeks(kind).Delta
		}
		if math.Abs(delta*day.close) <= 500 {
			continue
		}
		n := math.Round(-delta)
		minute := " 15:59"
		if date == "2025-11-28" {
			minute = " 12:59" // a half day
		}
		require.NoError(d.t, d.Quote(paper.Quote{Symbol: ticker, Time: clockAt(d.t, date+minute), Bid: day.close, Ask: day.close, BidSize: math.NaN(), AskSize: math.NaN()}))
		for n != 0 {
			// What is open on the other side is closed first.
			part, action := math.Abs(n), buyOpen
			switch {
			case n > 0 && shares < 0:
				part, action = min(n, -shares), buyClose
			case n < 0 && shares > 0:
				part, action = min(-n, shares), sellClose
			case n < 0:
				action = sellOpen
			}
			s := d.place(d.order(broker.Market, "", leg(ticker, action, decimal.NewFromFloat(part).String())))
			require.Equal(d.t, broker.Filled, d.now(s).Status)
			part = math.Copysign(part, n)
			shares, n = shares+part, n-part
		}
	}
}
