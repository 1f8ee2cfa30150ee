package levels

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// Trend lines, Fibonacci levels and round numbers as the comments say them,
// made anew from all bars for every bar.

// plainKnown is the swings known after bar now.
func plainKnown(all []plainLevel, now int) []plainLevel {
	return slices.DeleteFunc(slices.Clone(all), func(w plainLevel) bool { return w.confirmed > now })
}

func plainMedian(x []float64) float64 {
	x = slices.Sorted(slices.Values(x))
	return x[(len(x)-1)/2]/2 + x[len(x)/2]/2
}

// plainLine is a line with the bar that confirms it.
type plainLine struct {
	kind             Kind
	at, slope        float64
	point, confirmed int
	bornAt           int
}

func (x plainLine) value(i int) float64 { return x.at + x.slope*float64(i-x.point) }

// plainLines fits the lines known after bar now.
func plainLines(swings []plainLevel, now, most int) []plainLine {
	var sides [2][]plainLevel
	for _, w := range plainKnown(swings, now) {
		k := 0
		if w.Kind == KindSwingLow {
			k = 1
		}
		if sides[k] = append(sides[k], w); len(sides[k]) > most {
			sides[k] = sides[k][1:]
		}
	}
	slopes := func(sides ...[]plainLevel) (all []float64) {
		for _, side := range sides {
			for _, a := range side {
				for _, b := range side {
					if a.born < b.born {
						all = append(all, (b.Price-a.Price)/float64(b.born-a.born))
					}
				}
			}
		}
		return all
	}
	heights := func(side []plainLevel, slope float64) (all []float64) {
		for _, w := range side {
			all = append(all, w.Price+slope*float64(side[len(side)-1].born-w.born))
		}
		return all
	}
	var lines []plainLine
	for _, side := range sides {
		if len(side) >= 3 {
			last, slope := side[len(side)-1], plainMedian(slopes(side))
			lines = append(lines, plainLine{KindTrendLine, plainMedian(heights(side, slope)), slope, last.born, last.confirmed, side[0].born})
		}
	}
	if len(sides[0]) >= 2 && len(sides[1]) >= 2 {
		slope := plainMedian(slopes(sides[0], sides[1]))
		confirmed := max(sides[0][len(sides[0])-1].confirmed, sides[1][len(sides[1])-1].confirmed)
		high, low := sides[0], sides[1]
		lines = append(lines,
			plainLine{KindChannelHigh, slices.Max(heights(high, slope)), slope, high[len(high)-1].born, confirmed, high[0].born},
			plainLine{KindChannelLow, slices.Min(heights(low, slope)), slope, low[len(low)-1].born, confirmed, low[0].born})
	}
	return lines
}

// plainLineHistory tells what happens to a line after its confirmation: every
// bar is compared with its value there.
func plainLineHistory(s market.Series, x plainLine, now int, atr []float64) Level {
	price := x.value(now)
	out := Level{Price: price, Low: price, High: price, Kind: x.kind, Slope: x.slope, Born: s.Time[x.bornAt], Confirmed: s.Time[x.confirmed], State: StateFresh}
	places, sides := make([]int, now+1), make([]int, now+1) // of the range and of the close
	for i := x.confirmed; i <= now; i++ {
		tolerance := 0.1 * atr[i]
		switch {
		case s.Low[i] > x.value(i)+tolerance:
			places[i] = 1
		case s.High[i] < x.value(i)-tolerance:
			places[i] = -1
		}
		sides[i] = cmp.Compare(s.Close[i], x.value(i))
	}
	home, counted, from := 0, false, 0
	for i := x.confirmed; i <= now; i++ {
		first := i == x.confirmed
		entered := places[i] == 0 && !first && places[i-1] != 0
		if entered {
			counted, from = true, places[i-1]
			out.Touches++
			switch out.State {
			case StateFresh:
				out.State = StateTested
			case StateFlipped:
				out.State = StateRetested
			}
		}
		if places[i] == 0 && !first {
			out.LastTouch = s.Time[i]
		}
		if places[i] != 0 && counted {
			counted = false
			out.Visits++
			if places[i] == from {
				out.Held++
			}
		}
		if sides[i] != 0 && sides[i] != home {
			if home != 0 {
				if !out.Broken {
					out.Broken, out.BrokenAt = true, s.Time[i]
				}
				out.State = StateBroken
			}
			home = sides[i]
		}
		if !first && out.State == StateBroken && places[i] == home {
			out.State = StateFlipped
		}
	}
	out.Side = home
	return out
}

func bare(found []Level) []Level {
	for i := range found {
		found[i].Source, found[i].Strength = "", 0 // have tests of their own
	}
	slices.SortStableFunc(found, func(a, b Level) int {
		return cmp.Or(cmp.Compare(a.Price, b.Price), cmp.Compare(a.Kind, b.Kind), a.Born.Compare(b.Born))
	})
	return found
}

func TestTrendLinesEqualTheRulesBarByBar(t *testing.T) {
	compared, states := 0, map[State]int{}
	for seed := range uint64(9) {
		s := walk(seed+40, 260, []float64{0.25, 0.5, 0.01}[seed%3])
		atr := plainTrueRanges(s, 14)
		o := TrendOptions{Swing: SwingOptions{Left: 2, Right: 2}, Swings: []int{0, 3, 9}[seed/3]}
		most := []int{6, 3, 9}[seed/3]
		swing, err := o.Swing.resolve()
		require.NoError(t, err)
		swings := plainSwings(s, swing)
		e, err := NewEngine(&Options{Interval: market.Day, Kinds: []Kind{KindTrendLine, KindChannelHigh, KindChannelLow}, Trend: o})
		require.NoError(t, err)
		for now := range s.Time {
			require.NoError(t, e.Update(s.Bar(now)))
			if now%(1+int(seed)/2) != 0 {
				continue
			}
			want := []Level{}
			for _, x := range plainLines(swings, now, most) {
				want = append(want, plainLineHistory(s, x, now, atr))
			}
			got := bare(e.Levels(nil))
			require.Equal(t, len(want), len(got), "seed %d bar %d", seed, now)
			for i, l := range bare(want) {
				require.Equal(t, l, got[i], "seed %d bar %d", seed, now)
				states[l.State]++
			}
			compared += len(want)
		}
	}
	assert.Greater(t, compared, 1000)
	for _, state := range []State{StateFresh, StateTested, StateBroken, StateFlipped, StateRetested} {
		assert.Greater(t, states[state], 10, state)
	}
}

// Wild swings in the minority do not bend a line, and a channel holds its swings.
func TestALineIsThatOfTheMajorityAndAChannelHoldsAll(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for range 400 {
		slope, wild := r.NormFloat64(), 1+r.IntN(2)
		var side []swing
		for k := range 7 {
			side = append(side, swing{price: 100 + slope*float64(5*k), born: 5 * k, high: true})
		}
		for _, k := range r.Perm(7)[:wild] {
			side[k].price += 40 * r.NormFloat64()
		}
		f := &trendFamily{highs: side}
		e := &Engine{}
		f.set(e, 0, KindTrendLine, "", side, 0, false)
		if wild == 1 { // 15 of the 21 slopes are right
			require.InDelta(t, slope, f.fits[0].slope, 1e-9)
			require.InDelta(t, 100+slope*30, f.fits[0].at, 1e-9)
		}
		f.set(e, 2, KindChannelHigh, "", side, slope, true)
		touched := false
		for _, w := range side {
			line := f.fits[2].value(w.born)
			require.LessOrEqual(t, w.price, line+1e-9)
			touched = touched || math.Abs(w.price-line) < 1e-9
		}
		require.True(t, touched)
	}
}

// plainTurns reduces swings to turning points.
func plainTurns(swings []plainLevel) []plainLevel {
	var turns []plainLevel
	add := func(w plainLevel) {
		n := len(turns)
		switch {
		case n == 0 || turns[n-1].Kind != w.Kind:
			turns = append(turns, w)
		case w.Kind == KindSwingHigh && w.Price > turns[n-1].Price, w.Kind == KindSwingLow && w.Price < turns[n-1].Price:
			turns[n-1] = w
		}
	}
	for i := 0; i < len(swings); i++ {
		if i+1 < len(swings) && swings[i+1].born == swings[i].born {
			first, second := swings[i], swings[i+1]
			if n := len(turns); n > 0 && turns[n-1].Kind == first.Kind {
				first, second = second, first
			}
			add(first)
			add(second)
			i++
			continue
		}
		add(swings[i])
	}
	return turns
}

// plainFibonacci is the ratios of the last leg and the places where those of
// several legs meet, when the last turn was confirmed by the bar now.
func plainFibonacci(s market.Series, turns []plainLevel, now, legs int, width float64) []plainLevel {
	type ratio struct {
		price float64
		leg   int
	}
	var all []ratio
	for n := max(1, len(turns)-legs); n < len(turns); n++ {
		from, to := turns[n-1].Price, turns[n].Price
		for _, r := range []float64{0.236, 0.382, 0.5, 0.618, 0.786} {
			all = append(all, ratio{to - r*(to-from), n})
		}
		for _, r := range []float64{1.272, 1.618} {
			all = append(all, ratio{from + r*(to-from), n})
		}
	}
	all = slices.DeleteFunc(all, func(r ratio) bool { return r.price <= 0 })
	var found []plainLevel
	add := func(kind Kind, price, low, high float64, born int) {
		found = append(found, plainLevel{Level{Price: price, Low: low, High: high, Kind: kind, Born: s.Time[born], Confirmed: s.Time[now]}, born, now, 0})
	}
	for _, r := range all {
		if r.leg == len(turns)-1 {
			add(KindFibonacci, r.price, r.price, r.price, turns[r.leg].born)
		}
	}
	slices.SortStableFunc(all, func(a, b ratio) int { return cmp.Compare(a.price, b.price) })
	free := make([]bool, len(all))
	for i := range free {
		free[i] = true
	}
	for width > 0 {
		// The best of all groups that are as long as they can be and still free.
		bestFrom, bestTo, bestLegs, bestSpread := 0, 0, 0, 0.0
		for from := range all {
			to, of := from, map[int]bool{}
			for to < len(all) && all[to].price-all[from].price <= width {
				of[all[to].leg] = true
				to++
			}
			spread := all[to-1].price - all[from].price
			better := cmp.Or(cmp.Compare(len(of), bestLegs), cmp.Compare(to-from, bestTo-bestFrom), cmp.Compare(bestSpread, spread)) > 0
			if len(of) > 1 && better && !slices.Contains(free[from:to], false) {
				bestFrom, bestTo, bestLegs, bestSpread = from, to, len(of), spread
			}
		}
		if bestLegs == 0 {
			break
		}
		sum, born := 0.0, 0
		for k := bestFrom; k < bestTo; k++ {
			free[k] = false
			sum += all[k].price
			born = max(born, turns[all[k].leg].born)
		}
		low, high := all[bestFrom].price, all[bestTo-1].price
		add(KindFibonacciCluster, min(max(sum/float64(bestTo-bestFrom), low), high), low, high, born)
	}
	return found
}

func TestFibonacciLevelsEqualTheRulesBarByBar(t *testing.T) {
	compared := map[Kind]int{}
	for seed := range uint64(8) {
		s := walk(seed+60, 220, []float64{0.25, 1}[seed%2])
		atr := plainTrueRanges(s, 14)
		legs, width := []int{4, 2, 7, 1}[seed%4], []float64{0.25, 1}[seed/4]
		o := FibonacciOptions{Swing: SwingOptions{Left: 2, Right: 2}, Legs: legs, Width: width}
		swing, err := o.Swing.resolve()
		require.NoError(t, err)
		swings := plainSwings(s, swing)
		e, err := NewEngine(&Options{Interval: market.Day, Kinds: []Kind{KindFibonacci, KindFibonacciCluster}, Fibonacci: o})
		require.NoError(t, err)
		var last []plainLevel
		var now []plainLevel // the levels since the last turn changed
		for i := range s.Time {
			require.NoError(t, e.Update(s.Bar(i)))
			turns := plainTurns(plainKnown(swings, i))
			if n := len(turns); n >= 2 && !slices.Equal(turns[n-2:], last) {
				last = turns[n-2:]
				now = plainFibonacci(s, turns, i, legs, width*atr[i])
			}
			if i%int(2+seed) != 0 {
				continue
			}
			want := []Level{}
			for _, l := range now {
				want = append(want, plainHistory(s.Slice(0, i+1), l, 0.1*atr[l.confirmed]))
				compared[l.Kind]++
			}
			require.Equal(t, bare(want), bare(append([]Level{}, e.Levels(nil)...)), "seed %d bar %d", seed, i)
		}
	}
	assert.Greater(t, compared[KindFibonacci], 2000)
	assert.Greater(t, compared[KindFibonacciCluster], 500)
}

// plainRound is the round numbers around a close, with their steps: so many
// multiples of the step on each side, and the next of ten steps.
func plainRound(closed, step float64, count int) map[float64]float64 {
	wanted := map[float64]float64{}
	nearest := func(step float64, count int) {
		m := 0.0
		for (m+1)*step <= closed+1e-9 {
			m++
		}
		for k := m - float64(count) + 1; k <= m+float64(count); k++ {
			price := math.Round(k*step*1e6) / 1e6
			if _, has := wanted[price]; !has && price > 0 {
				wanted[price] = step
			}
		}
	}
	nearest(10*step, 1)
	nearest(step, count)
	return wanted
}

func TestRoundNumbersEqualTheRulesBarByBar(t *testing.T) {
	compared, renewed := 0, 0
	for seed := range uint64(8) {
		s := walk(seed+80, 250, 0.5)
		o, count := RoundOptions{}, 2
		if seed%2 == 1 {
			o, count = RoundOptions{Step: 0.5, Count: 12}, 12
		}
		s.Close[50], s.High[120], s.Low[121] = math.NaN(), math.Inf(1), math.NaN()
		atr := plainTrueRanges(s, 14)
		e, err := NewEngine(&Options{Interval: market.Day, Kinds: []Kind{KindRound}, Round: o})
		require.NoError(t, err)
		type number struct{ price, step float64 }
		since := map[number]int{}
		ever := map[number]bool{}
		for i := range s.Time {
			require.NoError(t, e.Update(s.Bar(i)))
			if known(s, i) {
				step := o.Step
				if step == 0 {
					step = 1 // prices from 20 to 99.5
					if s.Close[i] >= 100 {
						step = 10
					}
				}
				near := map[number]int{}
				for price, step := range plainRound(s.Close[i], step, count) {
					n := number{price, step}
					from, before := since[n]
					if !before {
						from = i
						if ever[n] {
							renewed++
						}
						ever[n] = true
					}
					near[n] = from
				}
				since = near
			}
			if i%int(2+seed) != 0 {
				continue
			}
			want := []Level{}
			for n, from := range since {
				l := plainLevel{Level{Price: n.price, Low: n.price, High: n.price, Kind: KindRound, Born: s.Time[from], Confirmed: s.Time[from]}, from, from, 0}
				want = append(want, plainHistory(s.Slice(0, i+1), l, 0.1*atr[from]))
			}
			require.Equal(t, bare(want), bare(append([]Level{}, e.Levels(nil)...)), "seed %d bar %d", seed, i)
			compared += len(want)
		}
	}
	assert.Greater(t, compared, 3000)
	assert.Greater(t, renewed, 100)
}
