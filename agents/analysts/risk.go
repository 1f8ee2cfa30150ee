package analysts

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

const (
	correlated   = 60 // sessions
	heldMost     = 5  // other underlyings that are looked at
	gapBars      = 252
	fewestLosses = 60 // daily changes that a tail needs
)

// exposures adds up what is held by underlying, without sign of the whole; marked is
// false when a price is missing.
func exposures(holdings []holding) (by map[market.Symbol]decimal.Decimal, marked bool) {
	by, marked = map[market.Symbol]decimal.Decimal{}, true
	for _, h := range holdings {
		for _, p := range h.positions {
			v := p.Value()
			if v == nil {
				marked = false
				continue
			}
			of := cmp.Or(p.Underlying, p.Symbol)
			by[of] = by[of].Add(*v)
		}
	}
	return by, marked
}

// heldBars reads the bars of the largest other underlyings held.
func (a *Analyst) heldBars(ctx context.Context, req *Request, in *inputs) (p part[[]heldBars]) {
	if in.portfolio.absent != "" {
		p.absent = in.portfolio.absent
		return p
	}
	by, _ := exposures(in.portfolio.value)
	for symbol, amount := range by {
		if symbol != req.Symbol && symbol.Kind() == market.KindEquity && !amount.IsZero() {
			p.value = append(p.value, heldBars{symbol: symbol, exposure: amount.Abs().InexactFloat64()})
		}
	}
	slices.SortFunc(p.value, func(a, b heldBars) int {
		return cmp.Or(cmp.Compare(b.exposure, a.exposure), cmp.Compare(a.symbol, b.symbol))
	})
	p.value = p.value[:min(len(p.value), heldMost)]
	var all sync.WaitGroup
	for i := range p.value {
		all.Go(func() {
			h := &p.value[i]
			h.bars, _, _ = a.dailyBars(ctx, h.symbol, in) // what has no bars has no correlation
		})
	}
	all.Wait()
	p.value = slices.DeleteFunc(p.value, func(h heldBars) bool { return len(h.bars) == 0 })
	if len(p.value) == 0 {
		p.absent = "nothing else is held that has bars"
	}
	return p
}

// addRisk records the tail of the symbol's own changes, and what it is to the
// portfolio.
func (f *findings) addRisk() {
	f.addTail()
	f.addCorrelations()
	f.addConcentration()
	f.addStress()
}

func (f *findings) addTail() {
	bars := f.in.bars
	changes := make([]float64, 0, len(bars))
	for i := 1; i < len(bars); i++ {
		changes = append(changes, bars[i].Close/bars[i-1].Close-1)
	}
	if len(changes) < fewestLosses {
		for _, id := range []string{"risk.var95", "risk.cvar95", "risk.worst_month", "risk.drawdown", "risk.gap"} {
			f.lack(id, fewBars)
		}
		return
	}
	sorted := slices.Clone(changes)
	slices.Sort(sorted)
	// The loss that as good as 5 % of the days exceed: the order statistic at ⌊5 %⌋.
	worst := max(1, len(sorted)/20)
	sum := 0.0
	for _, x := range sorted[:worst] {
		sum -= x
	}
	lossOf := func(x float64) float64 { return max(-x, 0) }
	loss, mean := lossOf(sorted[worst-1]), sum/float64(worst)
	f.put("risk.var95", loss, f.end, share(loss)+" in a day", "")
	f.put("risk.cvar95", mean, f.end, share(mean)+" in a day", "")

	month, peak, fall := 0.0, 0.0, 0.0
	for i, b := range bars {
		if i >= 21 {
			month = max(month, 1-b.Close/bars[i-21].Close)
		}
		peak = max(peak, b.Close)
		fall = max(fall, 1-b.Close/peak)
	}
	f.put("risk.worst_month", month, f.end, share(month), "")
	f.put("risk.drawdown", fall, f.end, share(fall), "")
	gap := 0.0
	for i := max(1, len(bars)-gapBars); i < len(bars); i++ {
		gap = max(gap, math.Abs(bars[i].Open/bars[i-1].Close-1))
	}
	f.put("risk.gap", gap, f.end, share(gap), "")
}

func (f *findings) addCorrelations() {
	in := f.in
	if in.benchmark.absent != "" {
		f.lack("risk.correlation", in.benchmark.absent)
	} else {
		r := correlation(in.bars, in.benchmark.value)
		f.put("risk.correlation", r, f.end, signed(r, 2), fewBars)
	}
	if in.held.absent != "" {
		f.lack("risk.held_correlation", in.held.absent)
		return
	}
	sum, weight := 0.0, 0.0
	for _, h := range in.held.value {
		if r := correlation(in.bars, h.bars); !math.IsNaN(r) {
			sum, weight = sum+h.exposure*r, weight+h.exposure
		}
	}
	r := sum / weight
	f.put("risk.held_correlation", r, f.end, signed(r, 2), fewBars)
}

// correlation is Pearson's, of the log changes over the last common sessions; NaN
// when there are too few.
func correlation(a, b []market.Bar) float64 {
	var x, y []float64 // closes of common days, latest first
	for i, j := len(a)-1, len(b)-1; i >= 0 && j >= 0 && len(x) <= correlated; {
		switch s, t := market.DateOf(a[i].Time), market.DateOf(b[j].Time); s.Compare(t) {
		case 0:
			x, y = append(x, a[i].Close), append(y, b[j].Close)
			i, j = i-1, j-1
		case 1:
			i--
		default:
			j--
		}
	}
	if len(x) <= correlated {
		return math.NaN()
	}
	var mx, my float64
	dx, dy := make([]float64, correlated), make([]float64, correlated)
	for k := range correlated {
		dx[k], dy[k] = math.Log(x[k]/x[k+1]), math.Log(y[k]/y[k+1])
		mx, my = mx+dx[k]/correlated, my+dy[k]/correlated
	}
	var xx, yy, xy float64
	for k := range correlated {
		xx, yy, xy = xx+(dx[k]-mx)*(dx[k]-mx), yy+(dy[k]-my)*(dy[k]-my), xy+(dx[k]-mx)*(dy[k]-my)
	}
	return max(-1, min(xy/math.Sqrt(xx*yy), 1))
}

func (f *findings) addConcentration() {
	p, at := f.in.portfolio, f.in.at
	if p.absent != "" {
		f.lackAll(GroupRisk, p.absent)
		return
	}
	by, marked := exposures(p.value)
	total, squares := 0.0, 0.0
	for _, amount := range by {
		total += amount.Abs().InexactFloat64()
	}
	for _, amount := range by {
		part := amount.Abs().InexactFloat64() / total
		squares += part * part
	}
	switch {
	case !marked:
		f.lack("risk.concentration", "the broker gives no price for some of what is held")
	case total == 0:
		f.lack("risk.concentration", "nothing is held")
	default:
		f.put("risk.concentration", squares, at, fmt.Sprintf("%.2f over %s", squares, plural(len(by), "underlying", "underlyings")), "")
	}
	spot := cmp.Or(f.value("options.spot"), math.NaN())
	if math.IsNaN(spot) {
		spot = f.value("trend.close")
	}
	part := 100 * spot / f.value("portfolio.net_liq")
	f.put("risk.assignment", part, at, share(part)+" of the portfolio", "needs a price and portfolio.net_liq")
}

// addStress records what a fall of a tenth would do to what is held in the symbol.
func (f *findings) addStress() {
	p := f.in.portfolio
	if p.absent != "" {
		return // addConcentration said why
	}
	const fall = 0.9
	total, why := decimal.Zero, ""
	for _, h := range p.value {
		for _, position := range h.positions {
			if position.Symbol != f.series.Symbol && position.Underlying != f.series.Symbol {
				continue
			}
			change, reason := f.stressed(position, fall)
			if reason != "" {
				why = reason
			}
			total = total.Add(position.Quantity.Mul(position.Multiplier).Mul(decimal.NewFromFloat(change).Round(6)))
		}
	}
	if why != "" {
		f.lack("risk.stress10", why)
		f.lack("risk.stress10_share", why)
		return
	}
	total = total.Round(2)
	f.money("risk.stress10", &total, f.in.at, total.StringFixed(2), "")
	part := total.InexactFloat64() / f.value("portfolio.net_liq")
	f.put("risk.stress10_share", part, f.in.at, percent(part), "needs portfolio.net_liq")
}

// stressed is the change per unit of a position when the symbol falls to a part of its
// price, and why it is not known.
func (f *findings) stressed(p broker.Position, fall float64) (float64, string) {
	if _, option := p.Symbol.Contract(); !option {
		if p.Mark == nil {
			return 0, "the broker gives no price for " + string(p.Symbol)
		}
		return p.Mark.InexactFloat64() * (fall - 1), ""
	}
	if f.chain == nil {
		return 0, "needs option quotes"
	}
	c, ok := f.chain.Contract(p.Symbol)
	if !ok || math.IsNaN(c.IV) {
		return 0, "no volatility for " + string(p.Symbol)
	}
	e, ok := f.chain.Expiry(c.Expiration)
	if !ok {
		return 0, "no volatility for " + string(p.Symbol)
	}
	worth := func(forward float64) float64 {
		return options.Black76(c.Kind, forward, c.Strike, e.Years, e.Rate, c.IV)
	}
	return worth(fall*e.Forward) - worth(e.Forward), ""
}

// riskView judges what one more short option on the symbol would be to the portfolio.
func (f *findings) riskView() View {
	return f.look(ViewRisk, []rule{
		{weight: 2, ids: []string{"risk.var95"}, judge: func(f *findings) (float64, string) {
			return hygiene((0.025 - f.value("risk.var95")) / 0.015), f.says("risk.var95")
		}},
		{weight: 1, ids: []string{"risk.drawdown"}, judge: func(f *findings) (float64, string) {
			return hygiene((0.30 - f.value("risk.drawdown")) / 0.20), f.says("risk.drawdown")
		}},
		{weight: 0.75, ids: []string{"risk.gap"}, judge: func(f *findings) (float64, string) {
			return hygiene((0.06 - f.value("risk.gap")) / 0.05), f.says("risk.gap")
		}},
		{weight: 1, ids: []string{"risk.concentration"}, applies: (*findings).holds, judge: func(f *findings) (float64, string) {
			return hygiene((0.30 - f.value("risk.concentration")) / 0.20), f.says("risk.concentration")
		}},
		{weight: 1, ids: []string{"risk.held_correlation"}, applies: (*findings).holds, judge: func(f *findings) (float64, string) {
			return hygiene((0.60 - f.value("risk.held_correlation")) / 0.30), f.says("risk.held_correlation")
		}},
		{weight: 1.5, ids: []string{"risk.assignment"}, applies: (*findings).hasAccount, judge: func(f *findings) (float64, string) {
			return clamp((0.15 - f.value("risk.assignment")) / 0.10), f.says("risk.assignment")
		}},
		{weight: 1.5, ids: []string{"risk.stress10_share"}, applies: (*findings).holds, judge: func(f *findings) (float64, string) {
			return hygiene((0.02 + f.value("risk.stress10_share")) / 0.02), f.says("risk.stress10_share")
		}},
	}, Favourable, Unfavourable)
}

func (f *findings) hasAccount() bool { return f.in.portfolio.absent == "" }

func (f *findings) holds() bool {
	if !f.hasAccount() {
		return false
	}
	by, _ := exposures(f.in.portfolio.value)
	return len(by) > 0
}
