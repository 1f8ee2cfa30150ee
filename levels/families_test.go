package levels

import (
	"math"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// The rules of the families, each written a second time: plainly, over the
// whole series, looking at every bar for every level.

// samples are random and real series, intraday and daily.
func samples(t *testing.T) []market.Series {
	return []market.Series{walk(11, 500, 0.25), walk(12, 500, 2), halfHours(13, 25), spy502(t)}
}

// brief is what a plain rule says of a level.
type brief struct {
	kind            Kind
	low, high       float64
	born, confirmed int
	side            int
	filled          float64
}

func briefs(t *testing.T, s market.Series, opts Options, kinds ...Kind) []brief {
	t.Helper()
	opts.Kinds, opts.Lookback = kinds, -1
	found, err := Find(s, &opts)
	require.NoError(t, err)
	at := func(x time.Time) int { return sort.Search(s.Len(), func(i int) bool { return !s.Time[i].Before(x) }) }
	var out []brief
	for _, l := range found {
		out = append(out, brief{l.Kind, l.Low, l.High, at(l.Born), at(l.Confirmed), l.Side, math.Round(l.Filled * 1e9)})
	}
	return sortBriefs(out)
}

func sortBriefs(all []brief) []brief {
	slices.SortFunc(all, func(a, b brief) int {
		switch {
		case a.confirmed != b.confirmed:
			return a.confirmed - b.confirmed
		case a.born != b.born:
			return a.born - b.born
		case a.kind != b.kind:
			return map[bool]int{true: -1, false: 1}[a.kind < b.kind]
		case a.low != b.low:
			return map[bool]int{true: -1, false: 1}[a.low < b.low]
		}
		return 0
	})
	return all
}

// plainSide is where the last close outside a band lay, side when none did.
func plainSide(s market.Series, low, high float64, from, side int) int {
	for i := from; i < s.Len(); i++ {
		if known(s, i) && s.Close[i] > high {
			side = 1
		} else if known(s, i) && s.Close[i] < low {
			side = -1
		}
	}
	return side
}

func plainFilled(s market.Series, low, high float64, from, side int) float64 {
	deepest := 0.0
	for i := from; i < s.Len(); i++ {
		if !known(s, i) {
			continue
		}
		back := (high - s.Low[i]) / (high - low)
		if side < 0 {
			back = (s.High[i] - low) / (high - low)
		}
		deepest = max(deepest, min(1, back))
	}
	return math.Round(deepest * 1e9)
}

func TestFairValueGapsEqualTheRule(t *testing.T) {
	total := 0
	for _, s := range samples(t) {
		var want []brief
		for i := 2; i < s.Len(); i++ {
			if !known(s, i-2) || !known(s, i-1) || !known(s, i) {
				continue
			}
			low, high, side := s.High[i-2], s.Low[i], 1
			if !(low < high && s.Close[i-1] > s.Open[i-1]) {
				low, high, side = s.High[i], s.Low[i-2], -1
				if !(low < high && s.Close[i-1] < s.Open[i-1]) {
					continue
				}
			}
			want = append(want, brief{KindFairValueGap, low, high, i - 1, i, plainSide(s, low, high, i, side), plainFilled(s, low, high, i+1, side)})
		}
		require.Equal(t, sortBriefs(want), briefs(t, s, Options{}, KindFairValueGap))
		total += len(want)
	}
	assert.Greater(t, total, 100)
}

func TestDailyGapsEqualTheRule(t *testing.T) {
	total := 0
	for _, s := range []market.Series{walk(11, 500, 0.25), spy502(t), gappy(3)} {
		for _, measure := range []GapMeasure{GapRange, GapOpen} {
			var want []brief
			for i := 1; i < s.Len(); i++ {
				a, b := [2]float64{s.Low[i-1], s.High[i-1]}, [2]float64{s.Low[i], s.High[i]}
				from := i + 1
				if measure == GapOpen {
					a, b, from = [2]float64{s.Close[i-1], s.Close[i-1]}, [2]float64{s.Open[i], s.Open[i]}, i
				}
				low, high, side := a[1], b[0], 1
				if low >= high {
					low, high, side = b[1], a[0], -1
				}
				if low < high {
					want = append(want, brief{KindGap, low, high, i, i, plainSide(s, low, high, i, side), plainFilled(s, low, high, from, side)})
				}
			}
			require.Equal(t, sortBriefs(want), briefs(t, s, Options{Gap: GapOptions{Measure: measure}}, KindGap))
			total += len(want)
		}
	}
	assert.Greater(t, total, 200)
}

// gappy is a walk that jumps overnight.
func gappy(seed uint64) market.Series {
	s := walk(seed, 300, 0.25)
	jump := 0.0
	for i := range s.Time {
		if i%7 == 3 {
			jump += []float64{5, -6, 3, -2}[i/7%4]
		}
		for _, column := range [][]float64{s.Open, s.High, s.Low, s.Close} {
			column[i] += jump
		}
	}
	return s
}

func TestIntradayGapsLieBetweenSessions(t *testing.T) {
	at := func(d, h, m int) time.Time { return time.Date(2024, 7, d, h, m, 0, 0, newYork) }
	s := market.NewSeries("SPY", market.Minute30, []market.Bar{
		flatBar(at(1, 15, 0), 100), flatBar(at(1, 15, 30), 101), // the session's range is 99.5 to 101.5
		flatBar(at(1, 17, 0), 120), // after hours do not count
		flatBar(at(2, 9, 30), 104), flatBar(at(2, 10, 0), 102.5),
	})
	gaps, err := Gaps(s.Slice(0, 4), nil)
	require.NoError(t, err)
	require.Len(t, gaps, 1)
	g := gaps[0]
	assert.Equal(t, []float64{101.5, 103.5}, []float64{g.Low, g.High})
	assert.Equal(t, at(2, 9, 30), g.Confirmed)
	assert.Zero(t, g.Filled)
	gaps, err = Gaps(s, nil)
	require.NoError(t, err)
	assert.Equal(t, 0.75, gaps[0].Filled, "the low of 102 comes back three quarters of the way")
	assert.Equal(t, StateTested, gaps[0].State)
}

func TestStructureEqualsTheRule(t *testing.T) {
	total := map[Kind]int{}
	for _, s := range samples(t) {
		swings := plainSwings(s, SwingOptions{Left: 3, Right: 3, Ties: TiesFirst})
		var want []brief
		used := map[[2]int]bool{}
		trend := 0
		for i := range s.Time {
			if !known(s, i) {
				continue
			}
			for _, side := range []int{1, -1} {
				// The last swing of the side that was confirmed before this bar.
				last := plainLevel{born: -1}
				for _, w := range swings {
					if w.confirmed < i && w.home == -side {
						last = w
					}
				}
				if last.born < 0 || used[[2]int{last.born, side}] || float64(side)*(s.Close[i]-last.Price) <= 0 {
					continue
				}
				used[[2]int{last.born, side}] = true
				if i-last.born > 500 {
					continue
				}
				kind := KindBreakOfStructure
				if trend == -side {
					kind = KindChangeOfCharacter
				}
				trend = side
				want = append(want, brief{kind, last.Price, last.Price, last.born, i, plainSide(s, last.Price, last.Price, i, side), 0})
				block := -1
				for j := last.born + 1; j < i; j++ {
					if known(s, j) && (block < 0 || side > 0 && s.Low[j] <= s.Low[block] || side < 0 && s.High[j] >= s.High[block]) {
						block = j
					}
				}
				want = append(want, brief{KindOrderBlock, s.Low[block], s.High[block], block, i, plainSide(s, s.Low[block], s.High[block], i, side), 0})
			}
		}
		opts := Options{Structure: StructureOptions{Swing: SwingOptions{Left: 3, Right: 3}}}
		require.Equal(t, sortBriefs(want), briefs(t, s, opts, KindBreakOfStructure, KindChangeOfCharacter, KindOrderBlock))
		for _, w := range want {
			total[w.kind]++
		}
	}
	for _, k := range []Kind{KindBreakOfStructure, KindChangeOfCharacter, KindOrderBlock} {
		assert.Greater(t, total[k], 20, k)
	}
}

func TestLiquidityEqualsTheRule(t *testing.T) {
	total, swept := 0, 0
	for _, s := range samples(t) {
		atr := plainTrueRanges(s, 14)
		swings := plainSwings(s, SwingOptions{Left: 2, Right: 2, Ties: TiesFirst})
		var want []brief
		for _, side := range []int{1, -1} {
			price := func(w plainLevel) float64 { return float64(side) * w.Price }
			reach := func(i int) float64 {
				if side > 0 {
					return s.High[i]
				}
				return -s.Low[i]
			}
			type pool struct {
				low, high float64
				joined    int
			}
			var loose []plainLevel
			var pools []pool
			k := 0
			for i := range s.Time {
				width := 0.25 * atr[i]
				if known(s, i) {
					loose = slices.DeleteFunc(loose, func(w plainLevel) bool { return reach(i) > price(w)+width })
					pools = slices.DeleteFunc(pools, func(p pool) bool { return reach(i) > p.high })
				}
				for ; k < len(swings) && swings[k].confirmed == i; k++ {
					w := swings[k]
					if w.home != -side {
						continue
					}
					loose = slices.DeleteFunc(loose, func(x plainLevel) bool { return i-x.born > 250 })
					pools = slices.DeleteFunc(pools, func(p pool) bool { return i-p.joined > 250 })
					if at := slices.IndexFunc(pools, func(p pool) bool { return price(w) >= p.low-width && price(w) <= p.high }); at >= 0 {
						pools[at].joined = i
						continue
					}
					loose = append(loose, w)
					var group, rest []plainLevel
					for _, x := range loose {
						if price(x) >= price(w)-width && price(x) <= price(w)+width {
							group = append(group, x)
						} else {
							rest = append(rest, x)
						}
					}
					if len(group) < 2 {
						continue
					}
					loose = rest
					p := pool{math.Inf(1), math.Inf(-1), i}
					born := i
					for _, x := range group {
						p.low, p.high, born = min(p.low, price(x)), max(p.high, price(x)), min(born, x.born)
					}
					pools = append(pools, p)
					low, high := p.low, p.high
					if side < 0 {
						low, high = -p.high, -p.low
					}
					b := brief{KindLiquidity, low, high, born, i, plainSide(s, low, high, i, -side), 0}
					for j := i + 1; j < s.Len(); j++ {
						if known(s, j) && reach(j) > p.high {
							b.filled = 1e9
							swept++
							break
						}
					}
					want = append(want, b)
				}
			}
		}
		opts := Options{Liquidity: LiquidityOptions{Swing: SwingOptions{Left: 2, Right: 2}}}
		require.Equal(t, sortBriefs(want), briefs(t, s, opts, KindLiquidity))
		total += len(want)
	}
	assert.Greater(t, total, 50)
	assert.Greater(t, swept, 20)
}

// A zigzag, looking anew at the whole leg for every bar.
func plainZigzag(s market.Series, o SwingOptions) []brief {
	atr := plainTrueRanges(s, o.Window)
	reversed := func(from, move float64, i int) bool {
		switch o.Method {
		case SwingPercent:
			return move > 0 && move >= o.Reversal/100*math.Abs(from)
		case SwingSigma:
			var changes []float64
			before := math.NaN()
			for j := i; j >= 0 && len(changes) < o.Window; j-- {
				if !known(s, j) {
					continue
				}
				if !math.IsNaN(before) {
					changes = append(changes, before-s.Close[j])
				}
				before = s.Close[j]
			}
			mean, sum := 0.0, 0.0
			for _, x := range changes {
				mean += x / float64(len(changes))
			}
			for _, x := range changes {
				sum += (x - mean) * (x - mean)
			}
			sigma := math.Sqrt(sum / float64(len(changes)-1))
			return len(changes) > 1 && sigma > 0 && move >= o.Reversal*sigma
		}
		return move > 0 && move >= o.Reversal*atr[i]
	}
	var found []brief
	from, direction := 0, 0
	for i := range s.Time {
		if !known(s, i) {
			continue
		}
		top, bottom := -1, -1
		for j := from; j <= i; j++ {
			if known(s, j) && (top < 0 || s.High[j] > s.High[top]) {
				top = j
			}
			if known(s, j) && (bottom < 0 || s.Low[j] < s.Low[bottom]) {
				bottom = j
			}
		}
		down := direction >= 0 && top < i && reversed(s.High[top], s.High[top]-s.Low[i], i)
		up := direction <= 0 && bottom < i && reversed(s.Low[bottom], s.High[i]-s.Low[bottom], i)
		if direction == 0 && down && up {
			down, up = top < bottom, bottom < top
		}
		switch {
		case down:
			found = append(found, brief{kind: KindSwingHigh, low: s.High[top], high: s.High[top], born: top, confirmed: i})
			from, direction = i, -1
		case up:
			found = append(found, brief{kind: KindSwingLow, low: s.Low[bottom], high: s.Low[bottom], born: bottom, confirmed: i})
			from, direction = i, +1
		}
	}
	return sortBriefs(found)
}

func TestZigzagsEqualTheRule(t *testing.T) {
	for _, method := range []SwingMethod{SwingPercent, SwingATR, SwingSigma} {
		total := 0
		for _, s := range samples(t) {
			o, err := SwingOptions{Method: method}.resolve()
			require.NoError(t, err)
			want := plainZigzag(s, o)
			got := briefs(t, s, Options{Swing: o}, KindSwingHigh, KindSwingLow)
			for i := range got {
				got[i].side = 0
			}
			require.Equal(t, want, got, method)
			for i := 1; i < len(got); i++ {
				require.NotEqual(t, got[i-1].kind, got[i].kind, "swings alternate")
			}
			total += len(want)
		}
		assert.Greater(t, total, 30, method)
	}
}

func TestVWAPEqualsTheSums(t *testing.T) {
	s := halfHours(14, 12)
	anchor := s.Time[40].Add(time.Minute)
	check := func(n int) {
		found, err := Find(s.Slice(0, n), &Options{
			Kinds: []Kind{KindVWAP, KindVWAPBand}, VWAP: VWAPOptions{Bands: 2, Anchors: []Anchor{{"the event", anchor}}},
		})
		require.NoError(t, err)
		last := market.DateOf(s.Time[n-1].In(newYork))
		sums := func(counts func(i int) bool) []float64 {
			var w, wx, wxx float64
			typical := func(i int) float64 { return (s.High[i] + s.Low[i] + s.Close[i]) / 3 }
			for i := range n {
				if known(s, i) && counts(i) {
					w, wx = w+s.Volume[i], wx+s.Volume[i]*typical(i)
				}
			}
			if w == 0 {
				return nil
			}
			mean := wx / w
			for i := range n {
				if known(s, i) && counts(i) {
					wxx += s.Volume[i] * (typical(i) - mean) * (typical(i) - mean)
				}
			}
			sigma := math.Sqrt(wxx / w)
			return []float64{mean - 2*sigma, mean - sigma, mean, mean + sigma, mean + 2*sigma}
		}
		want := map[string][]float64{
			"VWAP of the day " + last.String(): sums(func(i int) bool {
				return market.NYSE().IsOpen(s.Time[i]) && market.DateOf(s.Time[i].In(newYork)) == last
			}),
			"VWAP since the event": sums(func(i int) bool { return !s.Time[i].Before(anchor) }),
		}
		for name, prices := range want {
			var got []float64
			for _, l := range found {
				if l.Source == name || len(l.Source) > len(name) && l.Source[:len(name)+1] == name+"," {
					got = append(got, l.Price)
				}
			}
			require.Len(t, got, len(prices), name)
			if len(prices) > 0 {
				slices.Sort(got)
				require.InDeltaSlice(t, prices, got, 1e-9, name)
			}
		}
	}
	sessions := 0
	for n := 60; n <= s.Len(); n += 17 {
		if market.NYSE().IsOpen(s.Time[n-1]) {
			check(n)
			sessions++
		}
	}
	assert.Greater(t, sessions, 5)
}

func TestOpeningRangesAndNightsEqualTheRule(t *testing.T) {
	s := halfHours(15, 15)
	opts := &Options{
		Kinds:   []Kind{KindOpeningRangeHigh, KindOpeningRangeLow, KindOvernightHigh, KindOvernightLow},
		Opening: OpeningOptions{Minutes: []int{30, 60, 120, 45}}, // 45 minutes are no whole bars
	}
	compared := 0
	for n := 100; n <= s.Len(); n += 7 {
		last := s.Time[n-1].In(newYork)
		session, ok := market.NYSE().Session(market.DateOf(last))
		if !ok || last.Before(session.Open) || !last.Before(session.Close) {
			continue
		}
		over := last.Add(30 * time.Minute)
		extent := func(from, to time.Time) (low, high float64) {
			low, high = math.Inf(1), math.Inf(-1)
			for i := range n {
				if known(s, i) && !s.Time[i].Before(from) && s.Time[i].Before(to) {
					low, high = min(low, s.Low[i]), max(high, s.High[i])
				}
			}
			return low, high
		}
		want := map[string]float64{}
		for _, minutes := range []string{"30", "60", "120"} {
			length, err := time.ParseDuration(minutes + "m")
			require.NoError(t, err)
			low, high := extent(session.Open, session.Open.Add(length))
			if low <= high && !over.Before(session.Open.Add(length)) {
				name := " of the first " + minutes + " minutes of " + session.Date.String()
				want["low"+name], want["high"+name] = low, high
			}
		}
		// The night goes back to the close of the last session that has bars.
		from := s.Time[0]
		for i := range n {
			before, ok := market.NYSE().Session(market.DateOf(s.Time[i].In(newYork)))
			if ok && before.Date != session.Date && !s.Time[i].Before(before.Open) && s.Time[i].Before(before.Close) {
				from = before.Close
			}
		}
		if low, high := extent(from, session.Open); low <= high {
			name := " of the night before " + session.Date.String()
			want["low"+name], want["high"+name] = low, high
		}
		found, err := Find(s.Slice(0, n), opts)
		require.NoError(t, err)
		got := map[string]float64{}
		for _, l := range found {
			got[l.Source] = l.Price
		}
		require.Equal(t, want, got, "after %s", last)
		compared += len(want)
	}
	assert.Greater(t, compared, 100)
}

func TestTrendLinesIgnoreAWildSwing(t *testing.T) {
	// Highs rise by one a bar-pair, but one of them is wild.
	swings := make([]swing, 6)
	for i := range swings {
		swings[i] = swing{price: 100 + 2*float64(i), high: true, born: 10 * i}
	}
	swings[3].price = 140
	f := &trendFamily{}
	e, err := NewEngine(&Options{Interval: market.Day})
	require.NoError(t, err)
	f.set(e, 0, KindTrendLine, "", swings, 0, false)
	assert.InDelta(t, 0.2, f.fits[0].slope, 1e-12, "Theil and Sen's slope")
	assert.InDelta(t, 110, f.fits[0].value(50), 1e-9)
	f.set(e, 2, KindChannelHigh, "", swings, 0.2, true)
	assert.InDelta(t, 140, f.fits[2].value(30), 1e-9, "a channel holds every swing")
}

func TestLinesFollowSwingsOfBothSides(t *testing.T) {
	s := walk(17, 400, 0.25)
	found, err := TrendLines(s, &TrendOptions{Swings: 5})
	require.NoError(t, err)
	prices := map[Kind]float64{}
	for _, l := range found {
		prices[l.Kind] = l.Price
		assert.NotEmpty(t, l.State)
	}
	assert.Len(t, found, 4)
	assert.LessOrEqual(t, prices[KindChannelLow], prices[KindChannelHigh])
}

func TestRoundNumbersFollowThePriceScale(t *testing.T) {
	for _, test := range []struct {
		close float64
		want  []float64
	}{
		{453, []float64{400, 440, 450, 460, 470, 500}},
		{95.2, []float64{90, 94, 95, 96, 97, 100}},
		{1.1234, []float64{1, 1.1, 1.2, 1.3, 2}},
		{5230, []float64{5000, 5100, 5200, 5300, 5400, 6000}},
		{100, []float64{90, 100, 110, 120, 200}},
	} {
		s := market.NewSeries("TEST", market.Day, []market.Bar{{Time: day(3, 4), Open: test.close, High: test.close, Low: test.close, Close: test.close, Volume: 1}})
		found, err := Find(s, &Options{Kinds: []Kind{KindRound}})
		require.NoError(t, err)
		var got []float64
		for _, l := range found {
			got = append(got, l.Price)
		}
		assert.InDeltaSlice(t, test.want, got, 1e-9, "%v", test.close)
	}
}

func TestFibonacciRatiosMeet(t *testing.T) {
	s := walk(21, 400, 0.25)
	found, err := Fibonacci(s, nil)
	require.NoError(t, err)
	clusters := 0
	for _, l := range found {
		if l.Kind == KindFibonacciCluster {
			clusters++
			assert.LessOrEqual(t, l.High-l.Low, 0.25*plainTrueRanges(s, 14)[slices.IndexFunc(s.Time, l.Confirmed.Equal)]+1e-12)
		}
	}
	assert.NotZero(t, clusters)
}

func TestOptionLevelsAreFollowed(t *testing.T) {
	s := columns([4]float64{99, 101, 100, 1}, [4]float64{100, 104, 103, 1}, [4]float64{102, 106, 105.5, 1}, [4]float64{98, 103, 99, 1})
	e, err := NewEngine(&Options{Interval: market.Day, Kinds: optionKinds()})
	require.NoError(t, err)
	chain := OptionLevels{At: s.Time[0], Name: "all expiries", CallWall: 105, PutWall: 95, ZeroGamma: math.NaN(), ExpectedLow: 97, ExpectedHigh: 104}
	require.Error(t, e.Add("options", chain.Levels()), "there is no bar to follow them from")
	require.NoError(t, e.Update(s.Bar(0)))
	require.NoError(t, e.Add("options", chain.Levels()))
	for i := 1; i < s.Len(); i++ {
		require.NoError(t, e.Update(s.Bar(i)))
	}
	found := e.Levels(nil)
	require.Len(t, found, 4, "what is not known is no level")
	wall := found[3]
	assert.Equal(t, KindCallWall, wall.Kind)
	assert.Equal(t, 1, wall.Touches)
	assert.True(t, wall.Broken)
	assert.Equal(t, s.Time[2], wall.BrokenAt)
	assert.Equal(t, -1, wall.Side, "the last close is below again")
	require.NoError(t, e.Add("options", OptionLevels{At: s.Time[3], CallWall: 110}.Levels()))
	found = e.Levels(nil)
	require.Len(t, found, 1, "a new chain takes the place of the old one")
	assert.Equal(t, 110.0, found[0].Price)
	assert.Error(t, e.Add("x", []Level{{Price: math.NaN()}}))
}
