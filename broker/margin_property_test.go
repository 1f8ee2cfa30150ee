package broker_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A lot is one contract, or a hundred shares, of a witness that knows nothing of
// the package: the rules once more in floats, and every way to split lots.
type lot struct {
	right  int // +1 call, -1 put, 0 shares
	sign   float64
	strike float64
	month  int
	price  float64
}

func (l lot) text() string {
	if l.right == 0 {
		return fmt.Sprintf("%v XYZ @ 100", 100*l.sign)
	}
	return fmt.Sprintf("%v XYZ %v%c%d @ %v", l.sign, l.strike, map[int]rune{1: 'C', -1: 'P'}[l.right], l.month, l.price)
}

const witnessSpot = 100.0

func (l lot) in(spot float64) float64 { return math.Max(0, float64(l.right)*(spot-l.strike)) }

// ask is what one group of lots asks for, initially and to be kept; ok is false
// when the lots are no strategy.
func ask(g []lot) (initial, keep float64, ok bool) {
	if len(g) == 1 {
		initial, keep = askAlone(g[0])
		return initial, keep, true
	}
	var shares, calls, puts, shorts, longs []lot
	for _, l := range g {
		switch {
		case l.right == 0:
			shares = append(shares, l)
		case l.right > 0:
			calls = append(calls, l)
		default:
			puts = append(puts, l)
		}
		if l.right != 0 && l.sign < 0 {
			shorts = append(shorts, l)
		} else if l.right != 0 {
			longs = append(longs, l)
		}
	}
	switch {
	case len(shares) == 1:
		return askShares(shares[0], calls, puts)
	case len(shares) > 1:
		return 0, 0, false
	case len(g) == 2 && len(shorts) == 2 && len(calls) == 1:
		c, _ := askAlone(calls[0])
		p, _ := askAlone(puts[0])
		other := puts[0].price
		if p > c {
			c, other = p, calls[0].price
		}
		return c + 100*other, c + 100*other, true
	case len(shorts) != len(longs) || len(g) == 4 && !oneExpiry(g), len(calls)%2 != 0:
		return 0, 0, false
	}
	for _, side := range [][]lot{calls, puts} {
		net := 0.0
		for _, l := range side {
			net += l.sign
		}
		if net != 0 {
			return 0, 0, false
		}
	}
	if shorts[0].month > longs[0].month {
		return 0, 0, false
	}
	worst := 0.0
	for spot := 0.0; spot <= 300; spot += 5 {
		value := 0.0
		for _, l := range g {
			value += l.sign * l.in(spot)
		}
		worst = math.Min(worst, value)
	}
	return -100 * worst, -100 * worst, true
}

func oneExpiry(g []lot) bool {
	for _, l := range g {
		if l.month != g[0].month {
			return false
		}
	}
	return true
}

func askAlone(l lot) (initial, keep float64) {
	switch {
	case l.right == 0 && l.sign > 0:
		return 50 * witnessSpot, 25 * witnessSpot
	case l.right == 0:
		return 50 * witnessSpot, 30 * witnessSpot
	case l.sign > 0:
		return 0, 0
	}
	basis, out := witnessSpot, math.Max(0, float64(l.right)*(l.strike-witnessSpot))
	if l.right < 0 {
		basis = l.strike
	}
	x := 100 * (l.price + math.Max(0.2*witnessSpot-out, 0.1*basis))
	return x, x
}

func askShares(s lot, calls, puts []lot) (initial, keep float64, ok bool) {
	const S = witnessSpot
	if len(calls) > 1 || len(puts) > 1 {
		return 0, 0, false
	}
	switch {
	case len(calls) == 1 && len(puts) == 1:
		return askTrio(s, calls[0], puts[0])
	case len(calls) == 1:
		c := calls[0]
		switch in := c.in(S); {
		case s.sign > 0 && c.sign < 0:
			return 100 * (0.5*math.Min(S, c.strike) + in), 100 * (0.25*math.Min(S, c.strike) + in), true
		case s.sign < 0 && c.sign > 0:
			return 50 * S, 100 * math.Min(0.3*S, 0.1*c.strike+math.Max(0, c.strike-S)), true
		}
		return 0, 0, false
	}
	p := puts[0]
	switch {
	case s.sign > 0 && p.sign > 0:
		return 50 * S, 100 * math.Min(0.25*S, 0.1*p.strike+math.Max(0, S-p.strike)), true
	case s.sign < 0 && p.sign < 0:
		return 100 * (0.5*S + p.in(S)), 100 * (0.3*S + p.in(S)), true
	}
	return 0, 0, false
}

func askTrio(s, c, p lot) (initial, keep float64, ok bool) {
	const S = witnessSpot
	in := c.in(S)
	covered := 100 * (0.5*math.Min(S, c.strike) + in)
	switch {
	case c.month != p.month || c.sign == p.sign:
	case s.sign > 0 && c.sign < 0 && c.strike == p.strike:
		return covered, 100 * (0.1*c.strike + in), true
	case s.sign > 0 && c.sign < 0 && p.strike < c.strike:
		out := math.Max(0, math.Min(S, c.strike)-p.strike)
		return covered, 100 * (math.Min(0.1*p.strike+out, 0.25*c.strike) + in), true
	case s.sign < 0 && c.sign > 0 && c.strike == p.strike:
		return 100 * (0.5*S + p.in(S)), 100 * (0.1*p.strike + p.in(S)), true
	}
	return 0, 0, false
}

// least tries every split of the lots into groups of up to four.
func least(lots []lot, known map[uint]([2]float64), rest uint) [2]float64 {
	if rest == 0 {
		return [2]float64{}
	}
	if v, ok := known[rest]; ok {
		return v
	}
	first := rest & -rest
	best := [2]float64{math.Inf(1), math.Inf(1)}
	for sub := rest; sub > 0; sub = (sub - 1) & rest {
		if sub&first == 0 {
			continue
		}
		var g []lot
		for i := range lots {
			if sub&(1<<i) != 0 {
				g = append(g, lots[i])
			}
		}
		if len(g) > 4 {
			continue
		}
		a, b, ok := ask(g)
		if !ok {
			continue
		}
		more := least(lots, known, rest&^sub)
		a, b = a+more[0], b+more[1]
		if a < best[0]-1e-7 || a < best[0]+1e-7 && b < best[1] {
			best = [2]float64{a, b}
		}
	}
	known[rest] = best
	return best
}

func someLots(r *rand.Rand, n int) []lot {
	lots := make([]lot, n)
	for i := range lots {
		l := lot{right: r.IntN(2)*2 - 1, sign: float64(r.IntN(2)*2 - 1), strike: 80 + 5*float64(r.IntN(9)), month: 6 + r.IntN(5)/4}
		if r.IntN(6) == 0 {
			l = lot{sign: l.sign}
		} else {
			l.price = math.Round(100*(l.in(witnessSpot)+float64(l.month-5)*2*math.Exp(-math.Abs(l.strike-100)/10))) / 100
		}
		lots[i] = l
	}
	return lots
}

func count(t testing.TB, lots []lot) *broker.Margin {
	t.Helper()
	var lines []string
	for _, l := range lots {
		lines = append(lines, l.text())
	}
	return requirement(t, nil, "100", lines...)
}

// cancelled: positions in one contract net out before they are grouped.
func cancelled(lots []lot) bool {
	for i, a := range lots {
		for _, b := range lots[:i] {
			if a.right == b.right && a.strike == b.strike && a.month == b.month && a.sign != b.sign {
				return true
			}
		}
	}
	return false
}

func TestTheGroupingIsTheCheapestOfAll(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	tried := 0
	for tried < 400 {
		lots := someLots(r, 2+r.IntN(6))
		if cancelled(lots) {
			continue
		}
		tried++
		want := least(lots, map[uint][2]float64{}, 1<<len(lots)-1)
		m := count(t, lots)
		require.True(t, m.Exact)
		require.InDelta(t, want[0], m.Initial.InexactFloat64(), 1e-6, "%v\n%v", lots, m.Groups)
		require.InDelta(t, want[1], m.Maintenance.InexactFloat64(), 1e-6, "%v\n%v", lots, m.Groups)
	}
}

func TestMarginIsAsOneExpects(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	for range 300 {
		lots := someLots(r, 1+r.IntN(7))
		m := count(t, lots)
		assert.False(t, m.Initial.IsNegative())
		assert.False(t, m.Maintenance.IsNegative())
		assert.True(t, m.Maintenance.LessThanOrEqual(m.Initial))

		total, sum := decimal.Zero, map[market.Symbol]decimal.Decimal{}
		for _, g := range m.Groups {
			total = total.Add(g.Initial)
			for _, l := range g.Legs {
				sum[l.Symbol] = sum[l.Symbol].Add(l.Quantity)
			}
		}
		same(t, total.String(), m.Initial, "groups add up")
		want := map[market.Symbol]decimal.Decimal{}
		var lines []string
		for _, l := range lots {
			lines = append(lines, l.text())
		}
		for _, p := range held(t, lines...) {
			want[p.Symbol] = want[p.Symbol].Add(p.Quantity)
		}
		for symbol, q := range want {
			same(t, q.String(), sum[symbol], symbol, "every unit is in exactly one group")
		}

		// Neither the order nor the splitting into lots matters.
		shuffled := append([]lot(nil), lots...)
		r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		require.Equal(t, m, count(t, shuffled))

		// A long option never raises what is asked for.
		hedge := someLots(r, 1)[0]
		if hedge.right != 0 {
			hedge.sign = 1
			with := count(t, append(append([]lot(nil), lots...), hedge))
			require.True(t, with.Initial.LessThanOrEqual(m.Initial), "%v + %v", lots, hedge)
		}

		// Three times the positions ask for three times as much at most.
		triple := count(t, append(append(append([]lot(nil), lots...), lots...), lots...))
		require.True(t, triple.Initial.LessThanOrEqual(m.Initial.Mul(num("3"))))

		// Apart they ask for at least as much as together.
		k := r.IntN(len(lots) + 1)
		if !cancelled(lots) {
			a, b := count(t, lots[:k]), count(t, lots[k:])
			require.True(t, m.Initial.LessThanOrEqual(a.Initial.Add(b.Initial)))
		}
	}
}

func TestLargePositionsAreGroupedWell(t *testing.T) {
	// Ten iron condors a step apart, ten of each: the groups must ask for no more
	// than the condors that were traded.
	var lines []string
	for i := range 10 {
		lines = append(lines, fmt.Sprintf("+10 XYZ %dP @ 0.5", 50+2*i), fmt.Sprintf("-10 XYZ %dP @ 1", 60+2*i),
			fmt.Sprintf("-10 XYZ %dC @ 1", 121+2*i), fmt.Sprintf("+10 XYZ %dC @ 0.5", 131+2*i))
	}
	m := requirement(t, nil, "100", lines...)
	assert.LessOrEqual(t, m.Initial.InexactFloat64(), 10*10*1000.0)

	// Thousands of lots of a few contracts are exact in the sense of whole steps.
	few := requirement(t, nil, "100", "-5000 XYZ 100C @ 5", "+3000 XYZ 105C @ 3", "-4000 XYZ 95P @ 2", "+4000 XYZ 90P @ 1", "+100000 XYZ @ 100")
	assert.True(t, few.Exact)
	one := requirement(t, nil, "100", "-5 XYZ 100C @ 5", "+3 XYZ 105C @ 3", "-4 XYZ 95P @ 2", "+4 XYZ 90P @ 1", "+100 XYZ @ 100")
	same(t, one.Initial.Mul(num("1000")).String(), few.Initial)
}

func BenchmarkRequirement(b *testing.B) {
	in := broker.MarginInput{
		Positions:   held(b, "-1 XYZ 95P @ 2", "+1 XYZ 90P @ 1", "-1 XYZ 105C @ 2", "+1 XYZ 115C @ 1", "+100 XYZ @ 100", "-1 XYZ 110C @ 1"),
		Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": num("100")},
	}
	var rules broker.MarginRules
	for b.Loop() {
		if _, err := rules.Requirement(in); err != nil {
			b.Fatal(err)
		}
	}
}
