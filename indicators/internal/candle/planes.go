package candle

import (
	"math"
	"math/bits"
	"slices"
)

// A plane says one thing about 64 bars, a bit each, the first lowest. What all
// patterns ask is answered for 64 bars by a handful of operations on words.
type plane int

const (
	isBlack plane = iota
	isLong
	isShort
	isBig
	overDoji // the body is more than a doji's
	upperNone
	upperSome
	upperBrief
	upperLong
	upperDouble // longer than twice the body
	lowerNone
	lowerSome
	lowerBrief
	lowerLong
	lowerDouble
	topHigher // than that of the bar before, as below
	topLower
	bottomHigher
	bottomLower
	bodyAbove
	bodyBelow
	closeHigher
	closeLower
	highHigher
	highLower
	lowHigher
	lowLower
	closeAtLow  // within near of the low
	closeAtHigh // and of the high
	offMiddle   // no part of the body within near of the middle of the range
	bottomOff   // above the low before by more than near
	bottomDeep  // below the high before by more than near
	openApart   // farther than equal from the open before
	closeApart  // farther than equal from the close before
	openUnder   // the low before
	openOver    // the high before
	lowOver     // the close before
	hasRange
	planeCount
)

const word = 64

// Patterns fit in a word.
const _ = uint(word - Count)

// A board has the planes of a word of bars and of the word before.
type board struct {
	now, before [planeCount]uint64
	// What each pattern finds in the word; who asks for more is in asks.
	rows, negative, weak, strong [word]uint64

	unordered [word * word]Found
	wait      [2][word]uint8 // of a confirmed Hikkake, and of a modified one

	tops, bottoms, bodies, uppers, lowers [word + 1]float64 // the bar before first
}

// ago is the plane as of so many bars before each.
func (b *board) ago(p plane, bars int) uint64 {
	return b.now[p]<<bars | b.before[p]>>(word-bars)
}

// bit is 1 for a negative number and else 0. Colours and comparisons of
// neighbours are as good as random: differences tell them without a branch.
func bit(x float64) uint64 { return math.Float64bits(x) >> 63 }

// fill takes the bars from one on, at most a word, and the one before them.
func (b *board) fill(c *columns, from, n int) {
	b.before = b.now
	n = min(n, word)
	open, high := c.open[from-1:from+n], c.high[from-1:from+n]
	low, close := c.low[from-1:from+n], c.close[from-1:from+n]
	n = len(open)
	high, low, close = high[:n], low[:n], close[:n]
	tops, bottoms, bodies, uppers, lowers := b.tops[:n], b.bottoms[:n], b.bodies[:n], b.uppers[:n], b.lowers[:n]
	for i, o := range open {
		top, bottom := ends(o, close[i])
		tops[i], bottoms[i], bodies[i], uppers[i], lowers[i] = top, bottom, top-bottom, high[i]-top, bottom-low[i]
	}
	b.fillBodies(c.b10[from:from+n-1], c.p10[from:from+n-1], open[1:], close[1:])
	b.fillShadows(c.p10[from:from+n-1], c.s10[from:from+n-1])
	b.fillNeighbours(n)
	b.fillPrices(high, low, close)
	b.fillMiddles(high, low, close, c.p5[from-1:from+n-1])
	b.fillNears(high, low, c.p5[from-1:from+n-1])
	b.fillOthers(open, high, low, close, c.p5[from-1:from+n-1])
}

// The loops below go back, so that the first bar is the last to come in: a word
// is doubled for each.

func (b *board) fillBodies(body10, span10, open, close []float64) {
	n := len(open)
	bodies := b.bodies[1:][:n]
	body10, span10, close = body10[:n], span10[:n], close[:n]
	var black, long, short, big, over uint64
	for i := n - 1; i >= 0; i-- {
		body, average := bodies[i], body10[i]
		black = black*2 + bit(close[i]-open[i])
		long = long*2 + bit(average-body)
		short = short*2 + bit(body-average)
		big = big*2 + bit(bigFactor*average-body)
		over = over*2 + bit(dojiFactor*span10[i]-body)
	}
	b.now[isBlack], b.now[isLong], b.now[isShort], b.now[isBig], b.now[overDoji] = black, long, short, big, over
}

func (b *board) fillShadows(span10, shadow10 []float64) {
	for _, side := range [...]struct {
		shadows []float64
		first   plane
	}{{b.uppers[1:], upperNone}, {b.lowers[1:], lowerNone}} {
		n := len(span10)
		shadows, bodies, shadow10 := side.shadows[:n], b.bodies[1:][:n], shadow10[:n]
		var none, some, brief, long, double uint64
		for i := n - 1; i >= 0; i-- {
			shadow, body, least := shadows[i], bodies[i], noneFactor*span10[i]
			none = none*2 + bit(shadow-least)
			some = some*2 + bit(least-shadow)
			brief = brief*2 + bit(shadow-shadow10[i]/2)
			long = long*2 + bit(body-shadow)
			double = double*2 + bit(2*body-shadow)
		}
		p := b.now[side.first:][:5]
		p[0], p[1], p[2], p[3], p[4] = none, some, brief, long, double
	}
}

func (b *board) fillNeighbours(n int) {
	tops, bottoms := b.tops[:n], b.bottoms[:n]
	var higher, lower, bottomUp, bottomDown, above, below uint64
	for i := n - 1; i > 0; i-- {
		top, bottom, top1, bottom1 := tops[i], bottoms[i], tops[i-1], bottoms[i-1]
		higher = higher*2 + bit(top1-top)
		lower = lower*2 + bit(top-top1)
		bottomUp = bottomUp*2 + bit(bottom1-bottom)
		bottomDown = bottomDown*2 + bit(bottom-bottom1)
		above = above*2 + bit(top1-bottom)
		below = below*2 + bit(top-bottom1)
	}
	b.now[topHigher], b.now[topLower], b.now[bottomHigher] = higher, lower, bottomUp
	b.now[bottomLower], b.now[bodyAbove], b.now[bodyBelow] = bottomDown, above, below
}

func (b *board) fillPrices(high, low, close []float64) {
	for _, side := range [...]struct {
		values []float64
		first  plane
	}{{close, closeHigher}, {high, highHigher}, {low, lowHigher}} {
		b.now[side.first], b.now[side.first+1] = moves(side.values)
	}
}

// moves tells of each value but the first whether it is above the one before,
// and whether it is below it.
func moves(values []float64) (higher, lower uint64) {
	for i := len(values) - 1; i > 0; i-- {
		higher = higher*2 + bit(values[i-1]-values[i])
		lower = lower*2 + bit(values[i]-values[i-1])
	}
	return higher, lower
}

func (b *board) fillMiddles(high, low, close, span5 []float64) {
	n := len(high)
	tops, bottoms, low, close, span5 := b.tops[:n], b.bottoms[:n], low[:n], close[:n], span5[:n]
	var off, atLow, atHigh uint64
	for i := n - 1; i > 0; i-- {
		h, l, x, near := high[i], low[i], close[i], nearFactor*span5[i]
		middle := l + (h-l)/2
		off = off*2 + (math.Float64bits(middle+near-bottoms[i])|math.Float64bits(tops[i]-(middle-near)))>>63
		atLow = atLow*2 + 1 - bit(l+near-x)
		atHigh = atHigh*2 + 1 - bit(x-(h-near))
	}
	b.now[offMiddle], b.now[closeAtLow], b.now[closeAtHigh] = off, atLow, atHigh
}

func (b *board) fillNears(high, low, span5 []float64) {
	n := len(high)
	bottoms, low, span5 := b.bottoms[:n], low[:n], span5[:n]
	var off, deep uint64
	for i := n - 1; i > 0; i-- {
		bottom, near := bottoms[i], nearFactor*span5[i-1]
		off = off*2 + bit(low[i-1]+near-bottom)
		deep = deep*2 + bit(bottom-(high[i-1]-near))
	}
	b.now[bottomOff], b.now[bottomDeep] = off, deep
}

func (b *board) fillOthers(open, high, low, close, span5 []float64) {
	n := len(open)
	high, low, close = high[:n], low[:n], close[:n]
	var apart, opens, under, over, lows, ranges uint64
	for i := n - 1; i > 0; i-- {
		o, o1, h, l, x, x1 := open[i], open[i-1], high[i], low[i], close[i], close[i-1]
		equal := equalFactor * span5[i-1]
		apart = apart*2 + (math.Float64bits(x1+equal-x)|math.Float64bits(x-(x1-equal)))>>63
		opens = opens*2 + (math.Float64bits(o1+equal-o)|math.Float64bits(o-(o1-equal)))>>63
		under = under*2 + bit(o-low[i-1])
		over = over*2 + bit(high[i-1]-o)
		lows = lows*2 + bit(x1-l)
		ranges = ranges*2 + (math.Float64bits(h-l)|math.Float64bits(l-h))>>63
	}
	b.now[closeApart], b.now[openApart], b.now[openUnder] = apart, opens, under
	b.now[openOver], b.now[lowOver], b.now[hasRange] = over, lows, ranges
}

// asks has a bit for each pattern of which the planes tell only that a bar may
// complete it.
const asks = 1<<TwoCrows | 1<<ThreeBlackCrows | 1<<ThreeInside | 1<<ThreeLineStrike | 1<<ThreeStarsInSouth |
	1<<ThreeWhiteSoldiers | 1<<AbandonedBaby | 1<<AdvanceBlock | 1<<Breakaway | 1<<ConcealingBabySwallow |
	1<<DarkCloudCover | 1<<EveningDojiStar | 1<<EveningStar | 1<<GapSideSideWhite |
	1<<IdenticalThreeCrows | 1<<InNeck | 1<<Kicking | 1<<KickingByLength | 1<<LadderBottom | 1<<MatHold |
	1<<MorningDojiStar | 1<<MorningStar | 1<<OnNeck | 1<<Piercing | 1<<RiseFallThreeMethods |
	1<<StalledPattern | 1<<StickSandwich | 1<<TasukiGap | 1<<Thrusting | 1<<Tristar |
	1<<UniqueThreeRiver | 1<<UpsideGapTwoCrows | 1<<GapThreeMethods

// judge writes, for each pattern, the bars of the word that complete it, or
// may, and whether it points down, is a weak one, is a strong one.
func (b *board) judge() {
	now := &b.now
	k, k1, k2, k3, k4 := now[isBlack], b.ago(isBlack, 1), b.ago(isBlack, 2), b.ago(isBlack, 3), b.ago(isBlack, 4)
	w, w1, w2, w3, w4 := ^k, ^k1, ^k2, ^k3, ^k4
	l, l1, l2, l4 := now[isLong], b.ago(isLong, 1), b.ago(isLong, 2), b.ago(isLong, 4)
	s, s1, s2, s3 := now[isShort], b.ago(isShort, 1), b.ago(isShort, 2), b.ago(isShort, 3)
	d, d1, d2 := ^now[overDoji], ^b.ago(overDoji, 1), ^b.ago(overDoji, 2)
	un, un1, un2, un3 := now[upperNone], b.ago(upperNone, 1), b.ago(upperNone, 2), b.ago(upperNone, 3)
	ln, ln1, ln2, ln3 := now[lowerNone], b.ago(lowerNone, 1), b.ago(lowerNone, 2), b.ago(lowerNone, 3)
	ul, ll := now[upperLong], now[lowerLong]
	above, above1, above3 := now[bodyAbove], b.ago(bodyAbove, 1), b.ago(bodyAbove, 3)
	below, below1, below3 := now[bodyBelow], b.ago(bodyBelow, 1), b.ago(bodyBelow, 3)
	up, up1, up2 := now[closeHigher], b.ago(closeHigher, 1), b.ago(closeHigher, 2)
	down, down1, down2, down3 := now[closeLower], b.ago(closeLower, 1), b.ago(closeLower, 2), b.ago(closeLower, 3)
	opposite := k ^ k1
	r, neg := &b.rows, &b.negative

	// One candle.
	r[Doji] = d
	r[LongLeggedDoji] = d & (ul | ll)
	r[DragonflyDoji] = d & un & now[lowerSome]
	r[GravestoneDoji] = d & ln & now[upperSome]
	r[Takuri] = d & un & now[lowerDouble]
	r[RickshawMan] = d & ul & ll &^ now[offMiddle]
	r[HighWave], neg[HighWave] = s&now[upperDouble]&now[lowerDouble], k
	r[SpinningTop], neg[SpinningTop] = s&ul&ll, k
	r[LongLine], neg[LongLine] = l&now[upperBrief]&now[lowerBrief], k
	r[ShortLine], neg[ShortLine] = s&now[upperBrief]&now[lowerBrief], k
	r[Marubozu], neg[Marubozu] = l&un&ln, k
	r[BeltHold], neg[BeltHold] = l&(w&ln|k&un), k
	r[ClosingMarubozu], neg[ClosingMarubozu] = l&(w&un|k&ln), k
	r[BigCandle], neg[BigCandle] = now[isBig], k
	r[FourPriceDoji] = ^now[hasRange]

	// Two.
	higher, lower := now[topHigher], now[bottomLower]
	r[Engulfing], neg[Engulfing] = opposite&^now[topLower]&^now[bottomHigher]&(higher|lower), k
	b.weak[Engulfing] = ^(higher & lower)
	in, within := ^(higher | lower), now[topLower]&now[bottomHigher]
	r[Harami], neg[Harami], b.weak[Harami] = l1&^l&in, w1, ^within
	r[HaramiCross], neg[HaramiCross], b.weak[HaramiCross] = l1&d&in, w1, ^within
	r[HomingPigeon] = k1 & k & l1 &^ l & within
	beyond := w1&above | k1&below
	r[DojiStar], neg[DojiStar] = l1&d&beyond, w1
	r[Star], neg[Star] = l1&s&beyond, w1
	r[InvertedHammer] = s & ul & ln & below
	r[ShootingStar], neg[ShootingStar] = s&ul&ln&above, math.MaxUint64
	hammer := s & ll & un
	r[Hammer] = hammer &^ now[bottomOff]
	r[HangingMan], neg[HangingMan] = hammer&^now[bottomDeep], math.MaxUint64
	r[MatchingLow] = k1 & k &^ now[closeApart]
	r[Counterattack], neg[Counterattack] = opposite&l1&l&^now[closeApart], k
	r[SeparatingLines], neg[SeparatingLines] = opposite&r[BeltHold]&^now[openApart], k
	lowOpen := k1 & l1 & w & now[openUnder]
	r[InNeck], r[OnNeck], r[Thrusting], r[Piercing] = lowOpen, lowOpen, lowOpen, lowOpen&l
	r[DarkCloudCover] = w1 & l1 & k & now[openOver]
	r[Kicking] = opposite & l & un & ln & l1 & un1 & ln1
	r[KickingByLength] = r[Kicking]

	// Three.
	over1, under1 := b.ago(topHigher, 1), b.ago(bottomLower, 1)
	r[ThreeOutside], neg[ThreeOutside] = (k1^k2)&over1&under1&(w1&up|k1&down), k1
	r[ThreeInside] = l2 & ^l1 & b.ago(topLower, 1) & b.ago(bottomHigher, 1) & (k ^ k2)
	evening, morning := w2&l2&above1&k&l, k2&l2&below1&w&l
	r[EveningDojiStar], r[EveningStar] = evening&d1, evening&^l1
	r[MorningDojiStar], r[MorningStar] = morning&d1, morning&^l1
	r[AbandonedBaby] = l2 & d1 & l & (w2&k&above1&below | k2&w&below1&above)
	r[TwoCrows] = w2 & l2 & k1 & above1 & k
	r[UpsideGapTwoCrows] = r[TwoCrows] &^ l1
	r[GapSideSideWhite] = w1 & w & (above1 | below1)
	r[TasukiGap] = w1&above1&k | k1&below1&w
	r[GapThreeMethods] = w2&w1&above1&k | k2&k1&below1&w
	r[StickSandwich] = k2 & w1 & k & b.ago(lowOver, 1)
	r[Tristar] = d2 & (above1 | below1)
	whites, blacks := w2&w1&w&up&up1&now[bottomHigher]&b.ago(bottomHigher, 1), k2&k1&k&down&down1
	r[ThreeWhiteSoldiers] = whites & un & un1 & un2
	r[AdvanceBlock] = whites & l2 & b.ago(upperBrief, 2)
	r[StalledPattern] = whites & l2 & l1 & un1 & s
	r[IdenticalThreeCrows] = blacks & ln & ln1 & ln2
	r[ThreeStarsInSouth] = k2 & l2 & k1 & k & s & un & ln
	r[UniqueThreeRiver] = k2 & l2 & k1 & up1 & w & s

	// Four and five.
	r[ThreeBlackCrows] = w3 & blacks & ln & ln1 & ln2
	r[ThreeLineStrike] = w3&w2&w1&up1&up2&k&higher | k3&k2&k1&down1&down2&w&lower
	r[ConcealingBabySwallow] = k3 & k2 & k1 & k & un3 & ln3 & un2 & ln2 & below1
	r[Breakaway] = l4 & (w4&w3&above3&w1&k | k4&k3&below3&k1&w)
	r[LadderBottom] = k4 & k3 & k2 & k1 & w & down2 & down3 & higher
	shorts := l4 & s3 & s2 & s1
	r[MatHold] = shorts & w4 & k3 & above3 & w
	r[RiseFallThreeMethods] = shorts & l & (w4&k3&k2&k1&w | k4&w3&w2&w1&k)
}

// inside is where the range is within that of the bar before.
func (b *board) inside(bars int) uint64 { return b.ago(highLower, bars) & b.ago(lowHigher, bars) }

// A Found is a pattern at a bar of some columns.
type Found struct {
	Bar     int32
	Pattern ID
	Bars    uint8 // that make it, this one the last
	Value   int16 // TA-Lib's
}

// Chunk is the most bars that Columns takes.
const Chunk = chunk

// Columns is Update of many bars, at most [Chunk]: it appends what they complete
// to found, in the order of bars and then of patterns. The values must be
// finite.
func (s *Scanner) Columns(found []Found, open, high, low, close []float64) []Found {
	c := s.take(open, high, low, close)
	n, first := len(open), s.count
	// The planes need a few bars of these columns before the bar that they
	// judge, and the averages all of theirs.
	from := min(max(most, longestLookback-first), n)
	for i := range from {
		s.count = first + i + 1
		c.gather(s, i, most)
		s.key = (s.key<<flagBits | s.flags()) & fiveCandles
		s.hits = s.hits[:0]
		s.scan()
		for _, h := range s.hits {
			found = append(found, Found{int32(i), h.Pattern, uint8(h.Bars), int16(h.Value)})
		}
	}
	if c.board == nil {
		c.board = &board{}
	}
	b := c.board
	for start := from - most + 1; start < n && from < n; start += word {
		b.fill(c, start, n-start)
		b.judge()
		usable := ^uint64(0)
		if start < from {
			usable <<= from - start
		}
		if n-start < word {
			usable &= 1<<(n-start) - 1
		}
		s.trapsOf(start, usable)
		s.refuse(first, start, usable)
		found = b.appendTo(found, start, usable)
	}
	s.give(n, first)
	s.rekey()
	return found
}

// refuse asks the patterns themselves about the bars that may complete them and
// keeps those that do.
func (s *Scanner) refuse(first, start int, usable uint64) {
	b := s.columns.board
	for ask := uint64(asks); ask != 0; ask &= ask - 1 {
		id := bits.TrailingZeros64(ask) & (word - 1)
		row := b.rows[id] & usable
		if row == 0 {
			continue
		}
		kept, negative := row, uint64(0)
		for ; row != 0; row &= row - 1 {
			j := bits.TrailingZeros64(row)
			s.count = first + start + j + 1
			s.columns.gather(s, start+j, patterns[id].bars)
			switch v := patterns[id].match(s); {
			case v == 0:
				kept &^= 1 << j
			case v < 0:
				negative |= 1 << j
			}
		}
		b.rows[id], b.negative[id] = kept, negative
	}
}

// appendTo appends what is in the rows, in the order of bars and then of
// patterns: it counts each bar's while it takes them by patterns, and puts them
// in their places then.
func (b *board) appendTo(found []Found, start int, usable uint64) []Found {
	var places [word]int32
	n := 0
	for id, row := range b.rows {
		row &= usable
		negative, weak, strong := b.negative[id], b.weak[id], b.strong[id]
		for ; row != 0; row &= row - 1 {
			j := bits.TrailingZeros64(row) & (word - 1)
			size := 100 - 20*int16(weak>>j&1) + 100*int16(strong>>j&1)
			sign := -int16(negative >> j & 1)
			b.unordered[n] = Found{int32(j), ID(id), uint8(patterns[id].bars), (size ^ sign) - sign}
			if strong>>j&1 == 1 {
				b.unordered[n].Bars += b.wait[ID(id)-Hikkake][j]
			}
			n++
			places[j]++
		}
	}
	begin := int32(0)
	for j, count := range places {
		places[j] = begin
		begin += count
	}
	found = slices.Grow(found, n)
	ordered := found[len(found) : len(found)+n]
	for _, f := range b.unordered[:n] {
		place := &places[f.Bar&(word-1)]
		f.Bar += int32(start)
		ordered[*place] = f
		*place++
	}
	return found[:len(found)+n]
}

// trapsOf judges the bars of the word where a Hikkake is set, or was.
func (s *Scanner) trapsOf(start int, usable uint64) {
	c, b := s.columns, s.columns.board
	n := &b.now
	lower, higher, inside1 := n[highLower]&n[lowLower], n[highHigher]&n[lowHigher], b.inside(1)
	for _, t := range [...]struct {
		id   ID
		trap *trap
		sets uint64
	}{
		{Hikkake, &s.hikkake, inside1 & (lower | higher)},
		{HikkakeModified, &s.modified, inside1 & b.inside(2) & (lower&b.ago(closeAtLow, 2) | higher&b.ago(closeAtHigh, 2))},
	} {
		row, negative, strong := c.watch(t.trap, start, t.sets, usable, &b.wait[t.id-Hikkake])
		b.rows[t.id], b.negative[t.id], b.strong[t.id] = row, negative, strong
	}
}

// watch takes the bars of a word in turn where a trap is set, or was: it tells
// which have a value, which point down, which confirm a trap and how many bars
// after it.
func (c *columns) watch(t *trap, start int, sets, usable uint64, wait *[word]uint8) (row, negative, strong uint64) {
	for left := usable; left != 0; {
		next := left
		if t.age < 0 {
			next &= sets // with no trap set, only a bar that sets one matters
		}
		if next == 0 {
			break
		}
		j := bits.TrailingZeros64(next)
		left &= -(2 << j)
		i := start + j
		v := t.update(sets>>j&1 == 1, c.high[i], c.close[i], c.high[i-1], c.low[i-1])
		if v != 0 {
			row |= 1 << j
		}
		if v < 0 {
			negative |= 1 << j
		}
		if v == 200 || v == -200 {
			strong |= 1 << j
			wait[j&(word-1)] = uint8(t.wait)
		}
	}
	return row, negative, strong
}
