package backtest

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// An AttributionPart says what a part of the trading earned.
type AttributionPart struct {
	// By is what the parts are sorted by: symbol (underlying), side, kind (of
	// instrument), ended, month, greek or cost. The parts of one By add up to the
	// same.
	By   string `json:"by"`
	Name string `json:"name"`
	// Profit in money after fees, but for By greek: before. Open positions count with
	// what they have earned so far.
	Profit market.Float `json:"profit"`
	Trades int          `json:"trades,omitempty"`
}

// Attribution says where the profit came from: by underlying, side, kind of
// instrument, how trades ended, the month in which they ended; by fees and other
// costs; and for options by the Greeks of the positions, when the run was asked for
// them.
//
// By Greeks it is, summed over the spans between two points of the Greeks of an
// underlying, with dS the change of its price, dt that of time in days:
//
//	delta   Δ·dS
//	gamma   ½·Γ·dS²
//	theta   Θ·dt
//	vega    the mark at the end less the value there by the volatility of the beginning
//	higher  what time and price brought beyond the first three
//	rest    the change of the accounts' worth less these and less fees
//
// The first five add up to the change of the marks of what was held at both points. A
// span goes on over points at which an option had no quote. The rest is what trades
// were better or worse than the marks, what was bought or sold between two points, the
// difference of a settlement to the last mark, dividends and interest. It is large when
// points are far apart beside the trading, when spreads are wide, and when options were
// held of which no volatility was ever known.
func (r *Result) Attribution() []AttributionPart {
	out := []AttributionPart{}
	sums := map[[2]string]*AttributionPart{}
	add := func(by, name string, profit float64, trades int) {
		key := [2]string{by, name}
		p := sums[key]
		if p == nil {
			p = &AttributionPart{By: by, Name: name}
			sums[key] = p
		}
		p.Profit += market.Float(profit)
		p.Trades += trades
	}
	zone := market.NYSE().Location()
	fees, gross := 0.0, 0.0
	for _, t := range r.Trades() {
		profit := t.Profit.InexactFloat64()
		fees += t.Fees.InexactFloat64()
		gross += profit - t.Fees.InexactFloat64()
		underlying, kind := t.Symbol, string(t.Symbol.Kind())
		if c, ok := t.Symbol.Contract(); ok {
			underlying, kind = market.Symbol(c.Root), c.Kind.String()
		}
		add("symbol", string(underlying), profit, 1)
		add("kind", kind, profit, 1)
		side := "long"
		if t.Quantity.Sign() < 0 {
			side = "short"
		}
		add("side", side, profit, 1)
		ended := string(t.Ended)
		if t.Open {
			ended = "open"
		}
		add("ended", ended, profit, 1)
		add("month", t.ExitTime.In(zone).Format("2006-01"), profit, 1)
	}
	if len(sums) > 0 {
		add("cost", "before costs", gross, 0)
		add("cost", "fees", fees, 0)
		for i := range r.Record.Accounts {
			for _, t := range r.Record.Accounts[i].Transactions {
				if name := otherCost(t.Kind); name != "" {
					add("cost", name, t.Amount.InexactFloat64(), 0)
				}
			}
		}
	}
	r.byGreeks(add)
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(slices.Index(attributionOrder(), a[0]), slices.Index(attributionOrder(), b[0])), cmp.Compare(a[1], b[1]))
	})
	for _, k := range keys {
		out = append(out, *sums[k])
	}
	return out
}

func attributionOrder() []string {
	return []string{"symbol", "kind", "side", "ended", "month", "cost", "greek"}
}

// otherCost names what changes the cash without a trade.
func otherCost(kind broker.TransactionKind) string {
	switch kind {
	case broker.Dividend, broker.Interest, broker.FeeCharge:
		return string(kind)
	}
	return ""
}

func (r *Result) byGreeks(add func(by, name string, profit float64, trades int)) {
	var explained, whole float64
	any := false
	for i := range r.Record.Accounts {
		a := &r.Record.Accounts[i]
		last := map[market.Symbol]GreeksPoint{}
		for _, g := range a.Greeks {
			before, ok := last[g.Underlying]
			last[g.Underlying] = g
			var parts GreekGains
			switch {
			case g.Gains != nil:
				parts = *g.Gains
			case ok && (before.Options != 0 || before.Gamma != 0 || before.Vega != 0): // a spread has as many long as short
				ds, days := g.Price-before.Price, g.Time.Sub(before.Time).Hours()/24
				parts = GreekGains{Delta: before.Delta * ds, Gamma: before.Gamma * ds * ds / 2, Theta: before.Theta * days, Vega: g.VegaGain}
			default:
				continue
			}
			for _, part := range []struct {
				name   string
				profit float64
			}{{"delta", parts.Delta}, {"gamma", parts.Gamma}, {"theta", parts.Theta}, {"vega", parts.Vega}, {"higher", parts.Higher}} {
				if math.IsNaN(part.profit) || part.name == "higher" && g.Gains == nil {
					continue // unknown: it stays in the rest
				}
				any = true
				add("greek", part.name, part.profit, 0)
				explained += part.profit
			}
		}
		if n := a.Curve.Len(); n > 0 {
			if _, settled := a.settled(); settled {
				whole += a.Value.InexactFloat64() - r.Record.start(i)
				n = 0
			}
			for k := n - 1; k >= 0; k-- {
				if v := a.Curve.Value[k]; !math.IsNaN(v) {
					whole += v - r.Record.start(i)
					break
				}
			}
			whole -= a.Fees.InexactFloat64()
		}
	}
	if any {
		add("greek", "rest", whole-explained, 0)
	}
}

// byMonth are the returns of months: the year's months in a row.
func (s Series) byMonth() (years []int, returns map[int][12]float64) {
	returns = map[int][12]float64{}
	before := s.Start
	if before == 0 && len(s.Equity) > 0 {
		before = s.Equity[0]
	}
	for i, t := range s.Times {
		if i+1 < len(s.Times) && sameMonth(t, s.Times[i+1]) {
			continue
		}
		row, ok := returns[t.Year()]
		if !ok {
			years = append(years, t.Year())
			for m := range row {
				row[m] = math.NaN()
			}
		}
		row[t.Month()-1] = s.Equity[i]/before - 1
		returns[t.Year()] = row
		before = s.Equity[i]
	}
	return years, returns
}

func sameMonth(a, b time.Time) bool { return a.Year() == b.Year() && a.Month() == b.Month() }
