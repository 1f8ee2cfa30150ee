package tools

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A leg is so many contracts of a structure's unit.
type leg struct {
	*pick
	n float64
}

// A found structure has been judged: per share of the multiplier where nothing else
// is said, and Inf where there is no bound.
type found struct {
	name       string
	legs       []leg
	multiplier float64
	shares     bool
	width      float64 // 0: none
	premium    float64 // credit positive, at mid
	natural    float64 // at bid and ask
	fees       float64
	gain, loss float64 // the largest, both positive
	breakevens []float64
	pop        float64
	meanGain   float64 // E[max(profit, 0)], at mid
	expected   float64 // less costs
	capital    float64
	undefined  bool
	days       int
	score      float64
	key        float64 // that is sorted by
	order      int
}

func (t *found) costs() float64     { return t.premium - t.natural + t.fees }
func (t *found) liquidity() float64 { return max(0, 1-(t.premium-t.natural)/t.meanGain) }

// consider judges one structure and keeps it when it meets the criteria and is
// among the best.
func (f *finder) consider(name string, legs ...leg) {
	if !f.wants(name) || f.full() {
		return
	}
	f.scanned++
	t, ok := f.judge(name, legs)
	if !ok || !f.meets(&t) {
		return
	}
	f.met++
	t.order = f.met
	f.rank(&t)
	if math.IsNaN(t.key) {
		return
	}
	// The list is short: inserting is cheaper than a heap, and it stays in order.
	i, _ := slices.BinarySearchFunc(f.kept, t, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.key, a.key), cmp.Compare(a.order, b.order))
	})
	if i >= f.args.Limit {
		return
	}
	t.legs = slices.Clone(legs)
	if f.kept = slices.Insert(f.kept, i, t); len(f.kept) > f.args.Limit {
		f.kept = f.kept[:f.args.Limit]
	}
}

func (f *finder) best() []found { return f.kept }

// judge counts what there is to know of a structure. False: it is no trade, such as
// one that cannot lose, because a quote is wrong.
func (f *finder) judge(name string, legs []leg) (found, bool) {
	t := found{name: name, legs: legs, multiplier: legs[0].shares, shares: name == "covered call", undefined: slices.Contains(undefinedRisk(), name)}
	for _, l := range legs {
		t.premium -= l.n * l.Mid
		if l.n > 0 {
			t.natural -= l.n * l.Ask
		} else {
			if !l.sellable() {
				return t, false
			}
			t.natural -= l.n * l.Bid
		}
		t.fees += math.Abs(l.n) * f.fee(l) / t.multiplier
	}
	t.width = widthOf(legs)
	e := legs[0].expiry
	t.days = f.today.DaysUntil(e.Date)
	if slices.ContainsFunc(legs, func(l leg) bool { return l.expiry != e }) {
		f.judgeAcross(&t)
	} else {
		f.judgeAtExpiry(&t, e)
	}
	if !(t.gain > 0) || !(t.loss > 0) || !(t.meanGain > 0) {
		return t, false
	}
	t.capital = t.loss
	if t.undefined {
		t.capital = f.margin(&t)/t.multiplier - t.premium
	}
	return t, t.capital > 0
}

// widthOf is the distance between the strikes of the spread in a structure.
func widthOf(legs []leg) float64 {
	for i := len(legs) - 1; i > 0; i-- {
		if a, b := legs[i-1], legs[i]; a.Kind == b.Kind && a.n*b.n < 0 {
			return math.Abs(a.Strike - b.Strike)
		}
	}
	return 0
}

func (f *finder) meets(t *found) bool {
	switch {
	case t.width > 0 && f.args.MinCredit > 0 && !(t.premium >= f.args.MinCredit*t.width),
		!(t.gain/t.capital >= f.args.MinReturn),
		f.args.MaxCapital > 0 && !(t.capital*t.multiplier <= f.args.MaxCapital),
		!(t.pop >= f.args.MinPOP):
		return false
	}
	return true
}

// rank gives a structure its score and the key that is sorted by. The score's parts
// all lie between 0 and 1 and none needs a largest gain, so that kinds compare.
func (f *finder) rank(t *found) {
	years := float64(max(t.days, 1)) / 365
	size := 2*t.meanGain - (t.expected + t.costs()) // E|profit|
	yearly := t.meanGain / t.capital / years
	t.score = (t.pop + yearly/(1+yearly) + min(1, max(0, (1+t.expected/size)/2)) + t.liquidity()) / 4
	switch f.args.Sort {
	case "pop":
		t.key = t.pop
	case "return":
		t.key = bounded(t.gain / t.capital)
	case "annual":
		t.key = bounded(t.gain / t.capital / years)
	case "expected":
		t.key = t.expected / t.capital
	case "liquidity":
		t.key = t.liquidity()
	default:
		t.key = t.score
	}
}

// bounded puts what has no bound behind everything that has one.
func bounded(x float64) float64 {
	if math.IsInf(x, 1) {
		return math.Inf(-1)
	}
	return x
}

// judgeAtExpiry judges what expires together: its profit is linear between strikes.
func (f *finder) judgeAtExpiry(t *found, e *options.Expiry) {
	spot, slope := f.chain.Spot, 0.0
	profit := func(s float64) float64 {
		x := t.premium
		for _, l := range t.legs {
			x += l.n * max(0, float64(l.Kind)*(s-l.Strike))
		}
		if t.shares {
			x += s - spot
		}
		return x
	}
	var points [5]float64
	n := 1 // the first is a price of 0
	for _, l := range t.legs {
		points[n] = l.Strike
		n++
		if l.Kind == options.Call {
			slope += l.n
		}
	}
	if t.shares {
		slope++
	}
	slices.Sort(points[:n])
	t.gain, t.loss = math.Inf(-1), math.Inf(-1)
	for _, s := range points[:n] {
		x := profit(s)
		t.gain = max(t.gain, x)
		t.loss = max(t.loss, -x)
	}
	switch {
	case slope > 0:
		t.gain = math.Inf(1)
	case slope < 0:
		t.loss = math.Inf(1)
	}
	d := f.outlook(t, e)
	// Each stretch between two points is a line: where it is above zero, it earns.
	for i := range n {
		low, x := points[i], profit(points[i])
		high, rise := math.Inf(1), slope
		if i+1 < n {
			if high = points[i+1]; high == low {
				continue
			}
			rise = (profit(high) - x) / (high - low)
		}
		if rise != 0 {
			if zero := low - x/rise; zero > low && zero < high {
				t.breakevens = append(t.breakevens, zero)
				if rise > 0 {
					low, x = zero, 0
				} else {
					high = zero
				}
			}
		}
		if x > 0 || x == 0 && rise > 0 {
			chance, mean := d.between(low, high)
			t.pop += chance
			t.meanGain += (x-rise*low)*chance + rise*mean
		}
	}
	// The mean payoff is the sum of the legs' undiscounted values.
	t.expected = t.premium - t.costs()
	for _, l := range t.legs {
		t.expected += l.n * options.BSM{Spot: e.Forward, Strike: l.Strike, Years: e.Years, Vol: d.of(l.Kind).Vol}.Price(l.Kind)
	}
	if t.shares {
		t.expected += e.Forward - spot
	}
}

// judgeAcross judges a short option and a later long one of the same kind when the
// first expires. The profit rises up to the short strike and falls beyond it, since
// the delta of the later one is between 0 and 1.
func (f *finder) judgeAcross(t *found) {
	short, long := t.legs[0], t.legs[1]
	e, far := short.expiry, long.expiry
	left := far.Years - e.Years
	carry := far.Forward / e.Forward // of the later forward over the price then
	discount := math.Exp(-far.Rate * left)
	profit := func(s float64) float64 {
		later := discount * options.BSM{Spot: s * carry, Strike: long.Strike, Years: left, Vol: long.IV}.Price(long.Kind)
		if long.Style != market.European {
			later = max(later, float64(long.Kind)*(s-long.Strike))
		}
		return t.premium + later - max(0, float64(short.Kind)*(s-short.Strike))
	}
	t.gain = profit(short.Strike)
	// The margin rules take the later one to be worth what it is in the money. One that
	// cannot be exercised early can trade below that.
	deviation := short.IV * math.Sqrt(e.Years)
	bottom, top := e.Forward*math.Exp(-8*deviation), e.Forward*math.Exp(8*deviation)
	t.loss = max(-t.premium+max(0, float64(short.Kind)*(long.Strike-short.Strike)), -profit(0), -profit(top))
	if !(t.gain > 0) || !(left > 0) || !(e.Forward > 0) {
		t.gain = math.NaN()
		return
	}
	d := f.outlook(t, e)
	low, high := 0.0, math.Inf(1)
	if bottom < short.Strike && profit(bottom) < 0 {
		low = crossing(profit, bottom, short.Strike)
		t.breakevens = append(t.breakevens, low)
	}
	if top > short.Strike && profit(top) < 0 {
		high = crossing(profit, top, short.Strike)
		t.breakevens = append(t.breakevens, high)
	}
	t.pop, _ = d.between(low, high)
	t.meanGain = meanAbove(profit, d.of(short.Kind), max(low, bottom), min(high, top), short.Strike)
	// A lognormal price at the first expiry, moved lognormally until the second, is
	// lognormal: the variances add up.
	variance := short.IV*short.IV*e.Years + long.IV*long.IV*left
	t.expected = t.premium - t.costs() - options.BSM{Spot: e.Forward, Strike: short.Strike, Years: e.Years, Vol: short.IV}.Price(short.Kind) +
		discount*options.BSM{Spot: far.Forward, Strike: long.Strike, Years: far.Years, Vol: math.Sqrt(variance / far.Years)}.Price(long.Kind)
}

// crossing finds where f is zero between a, where it is below, and b, where it is
// not.
func crossing(f func(float64) float64, a, b float64) float64 {
	for range 60 {
		if m := (a + b) / 2; f(m) < 0 {
			a = m
		} else {
			b = m
		}
	}
	return (a + b) / 2
}

// meanAbove integrates f over a lognormal price from low to high, with a kink
// between, by Simpson's rule in the normal variable.
func meanAbove(f func(float64) float64, d options.Lognormal, low, high, kink float64) float64 {
	deviation := d.Vol * math.Sqrt(d.Years)
	z := func(s float64) float64 { return math.Log(s/d.Forward)/deviation + deviation/2 }
	const steps = 24
	sum := 0.0
	for _, part := range [2][2]float64{{z(low), z(kink)}, {z(kink), z(high)}} {
		h := (part[1] - part[0]) / steps
		if !(h > 0) {
			continue
		}
		for i := range steps + 1 {
			x := part[0] + float64(i)*h
			weight := 2.0
			switch {
			case i == 0 || i == steps:
				weight = 1
			case i%2 == 1:
				weight = 4
			}
			sum += weight * h / 3 * math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) * max(0, f(d.Forward*math.Exp(deviation*(x-deviation/2))))
		}
	}
	return sum
}

// An outlook is how likely prices are at an expiration: below the forward by the
// volatility of the put nearest the money, above by that of the call, so that what a
// structure is likely to do is the sum of what its sides are.
type outlook struct{ put, call options.Lognormal }

func (f *finder) outlook(t *found, e *options.Expiry) outlook {
	vols := [2]float64{math.NaN(), math.NaN()} // put, call
	nearest := [2]float64{math.Inf(1), math.Inf(1)}
	for _, l := range t.legs {
		i := 0
		if l.Kind == options.Call {
			i = 1
		}
		if away := math.Abs(l.Strike - e.Forward); l.expiry == e && away < nearest[i] {
			nearest[i], vols[i] = away, l.IV
		}
	}
	for i := range vols {
		if math.IsNaN(vols[i]) {
			vols[i] = vols[1-i]
		}
	}
	return outlook{options.Lognormal{Forward: e.Forward, Vol: vols[0], Years: e.Years}, options.Lognormal{Forward: e.Forward, Vol: vols[1], Years: e.Years}}
}

func (o outlook) of(k options.Kind) options.Lognormal {
	if k == options.Put {
		return o.put
	}
	return o.call
}

// between is the probability of a price between low and high, and its mean counted
// only there.
func (o outlook) between(low, high float64) (chance, mean float64) {
	upTo := func(x float64) (p, m float64) {
		switch {
		case math.IsInf(x, 1):
			return 1, o.call.Forward
		case x < o.put.Forward:
			return o.put.CDF(x), o.put.Below(x)
		}
		return o.call.CDF(x), o.call.Below(x)
	}
	p0, m0 := upTo(low)
	p1, m1 := upTo(high)
	return max(0, p1-p0), max(0, m1-m0)
}

// fee is what opening one contract costs.
func (f *finder) fee(l leg) float64 {
	i, action := 0, broker.BuyToOpen
	if l.n < 0 {
		i, action = 1, broker.SellToOpen
	}
	if math.IsNaN(l.fees[i]) {
		l.fees[i] = 0
		fees, err := f.fees.Fees(f.today, broker.FeeEvent{
			Symbol: l.Symbol, Action: action, Quantity: decimal.NewFromInt(1), Price: decimal.NewFromFloat(l.Mid), Multiplier: decimal.NewFromFloat(l.shares),
		})
		if err == nil {
			l.fees[i] = -fees.Total().InexactFloat64()
		}
	}
	return l.fees[i]
}

// margin is what the rules of Regulation T ask for a structure of undefined risk. A
// test compares it with what [broker.MarginRules] finds by trying all groupings,
// which would take too long for every candidate.
func (f *finder) margin(t *found) float64 {
	legs := t.legs
	switch t.name {
	case "short straddle", "short strangle":
		return f.strangleMargin(legs[0], legs[1])
	case "call ratio spread", "put ratio spread":
		return f.nakedMargin(legs[1].pick) // the other short is covered by the long
	case "jade lizard":
		return min(f.strangleMargin(legs[0], legs[1]), f.nakedMargin(legs[0].pick)+t.width*t.multiplier)
	}
	return f.nakedMargin(legs[0].pick)
}

// strangleMargin is the larger of both requirements and the price of the other side.
func (f *finder) strangleMargin(a, b leg) float64 {
	x, y := f.nakedMargin(a.pick), f.nakedMargin(b.pick)
	if x >= y {
		return x + b.Mid*b.shares
	}
	return y + a.Mid*a.shares
}

func (f *finder) nakedMargin(p *pick) float64 {
	if math.IsNaN(p.naked) {
		p.naked = f.requirement(leg{p, -1})
	}
	return p.naked
}

// requirement asks the rules; NaN when they cannot count it.
func (f *finder) requirement(legs ...leg) float64 {
	in := broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{f.chain.Underlying: decimal.NewFromFloat(f.chain.Spot)}, Date: f.today}
	for _, l := range legs {
		in.Positions = append(in.Positions, broker.MarginPosition{
			Symbol: l.Symbol, Quantity: decimal.NewFromFloat(l.n), Price: decimal.NewFromFloat(l.Mid), Underlying: f.chain.Underlying, Multiplier: decimal.NewFromFloat(l.shares),
		})
	}
	m, err := f.rules.Requirement(in)
	if err != nil {
		return math.NaN()
	}
	return m.Initial.InexactFloat64()
}

// covered tells whether a later long option covers a short one: it does not where
// each expiration has an underlying of its own, as with volatility indices.
func (f *finder) covered(short, long *pick) bool {
	return f.requirement(leg{short, -1}, leg{long, 1}) < f.nakedMargin(short)
}

// write makes a row of a judged structure.
func (f *finder) write(t found, underlying market.Symbol) foundTrade {
	m := t.multiplier
	years := float64(max(t.days, 1)) / 365
	e := t.legs[0].expiry
	out := foundTrade{
		Structure: t.name, Expiration: e.Date, Days: t.days, Premium: num(t.premium*m, 2), Natural: num(t.natural*m, 2), Costs: num(t.costs()*m, 2),
		POP: num(t.pop, 4), MaxGain: num(t.gain*m, 2), MaxLoss: num(-t.loss*m, 2), Capital: num(t.capital*m, 2), Return: num(t.gain/t.capital, 4), Annual: num(t.gain/t.capital/years, 4),
		Expected: num(t.expected*m, 2), Liquidity: num(t.liquidity(), 4), Interest: market.Float(math.NaN()), Score: num(t.score, 4), Risk: t.risk(), Why: t.why(),
		Breakevens: []market.Float{},
	}
	delta, interest := math.NaN(), math.Inf(1)
	for _, l := range t.legs {
		if l.n < 0 && !(math.Abs(l.Delta) <= delta) {
			delta = math.Abs(l.Delta)
		}
		interest = math.Min(interest, l.OpenInterest) // NaN when one is not known
		if l.expiry != e {
			out.Far = &l.expiry.Date
		}
		out.Legs = append(out.Legs, foundLeg{int(l.n), l.Symbol, known(l.Bid), known(l.Ask), num(l.Delta, 4)})
	}
	out.Delta, out.Interest = num(delta, 4), num(interest, 0)
	if t.shares {
		out.Legs = append(out.Legs, foundLeg{int(m), underlying, known(f.chain.Spot), known(f.chain.Spot), 1})
	}
	if t.width > 0 {
		w := price(t.width)
		out.Width = &w
	}
	for _, b := range t.breakevens {
		out.Breakevens = append(out.Breakevens, price(b))
	}
	return out
}

// risk says in words what can be lost.
func (t *found) risk() string {
	switch {
	case math.IsInf(t.loss, 1):
		return "unbounded: the loss grows without limit as the price rises; capital is margin, not the most that can be lost"
	case t.undefined:
		return fmt.Sprintf("undefined: at a price of 0 it loses %.2f, far more than its capital, which is margin", t.loss*t.multiplier)
	}
	return "defined: at most the capital"
}

// why says in words what the rank comes from.
func (t *found) why() string {
	gain := "gain unbounded"
	if !math.IsInf(t.gain, 1) {
		gain = fmt.Sprintf("most gain %.1f %% of capital", 100*t.gain/t.capital)
	}
	return fmt.Sprintf("%.0f %% chance of profit; %s; expected %+.2f after %.2f of costs; crossing the spreads takes %.0f %% of the mean gain",
		100*t.pop, gain, t.expected*t.multiplier, t.costs()*t.multiplier, 100*(t.premium-t.natural)/t.meanGain)
}
