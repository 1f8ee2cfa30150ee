package candle

import (
	"math/bits"
	"sync"
)

// A flag says something about one candle, or about it and the one before.
type flag uint64

const (
	white flag = 1 << iota
	black
	long
	short
	noLonger
	doji
	noUpper
	noLower
	gapUp // of the bodies, from the candle before
	gapDown
	within   // the range of the candle before
	around   // the body of the candle before
	flagBits = iota
)

// Flags of five candles share a word, the newest candle's lowest.
const fiveCandles = 1<<(5*flagBits) - 1

// A gate is a necessary condition of a pattern, as flags that all must be set;
// few bars pass it, so that few patterns are judged in full.
type gate struct {
	flags flag
	id    ID
}

func one(yes bool, f flag) flag {
	if yes {
		return f
	}
	return 0
}

// flags are those of the newest candle.
func (s *Scanner) flags() flag { return flagsOf(s.back(0), s.back(1)) }

func flagsOf(b, before *bar) flag {
	return one(b.white, white) | one(!b.white, black) | one(b.isLong(), long) | one(b.isShort(), short) |
		one(b.noLonger(), noLonger) | one(b.isDoji(), doji) | one(b.upperNone(), noUpper) | one(b.lowerNone(), noLower) |
		one(b.bodyAbove(before), gapUp) | one(b.bodyBelow(before), gapDown) |
		one(b.high < before.high, within)&one(b.low > before.low, within) |
		one(b.top >= before.top, around)&one(b.bottom <= before.bottom, around)
}

// rekey makes the key of the bars in the ring. Bars that never were are zeros
// there; no pattern is judged that has them.
func (s *Scanner) rekey() {
	s.key = 0
	for back := most - 1; back >= 0; back-- {
		s.key = s.key<<flagBits | flagsOf(s.back(back), s.back(back+1))
	}
}

// scan judges the newest bar by every pattern whose gate it passes.
func (s *Scanner) scan() {
	t, key := s.passes, s.key
	const mask = 1<<flagBits - 1
	a, b := &t[0][key&mask], &t[1][key>>flagBits&mask]
	c, d, e := &t[2][key>>(2*flagBits)&mask], &t[3][key>>(3*flagBits)&mask], &t[4][key>>(4*flagBits)&mask]
	var open [2]uint64
	for half := range a {
		open[half] = a[half] & b[half] & c[half] & d[half] & e[half]
	}
	// A trap that is set goes on whatever the bars are.
	if s.hikkake.age >= 0 {
		open[hikkakeGate/64] |= 1 << (hikkakeGate % 64)
	}
	if s.modified.age >= 0 {
		open[modifiedGate/64] |= 1 << (modifiedGate % 64)
	}
	for half, open := range open {
		for ; open != 0; open &= open - 1 {
			id := gates[64*half+bits.TrailingZeros64(open)].id
			s.hit(id, patterns[id].match(s))
		}
	}
	if s.back(0).high == s.back(0).low {
		s.hit(FourPriceDoji, matchFourPriceDoji(s))
	}
}

// A passage tells, for each flags of the candle so many bars ago, which gates
// they satisfy, a bit each.
type passage [1 << flagBits][2]uint64

// passes is made of the gates once and never written to.
var passes = sync.OnceValue(func() *[5]passage {
	var t [5]passage
	for ago := range t {
		for f := range t[ago] {
			for i, g := range gates {
				if g.id == FourPriceDoji {
					continue // half of all bars would pass: scan asks at once
				}
				if wanted := g.flags >> (ago * flagBits) & (1<<flagBits - 1); flag(f)&wanted == wanted {
					t[ago][f][i/64] |= 1 << (i % 64)
				}
			}
		}
	}
	return &t
})

// The places of the gates of patterns that may go on without theirs.
const hikkakeGate, modifiedGate = 39, 40

// gates is a constant, in the order of the patterns. No two gates of a pattern
// let the same bar through.
var gates = [...]gate{
	{(white|long)<<(2*flagBits) | (black|gapUp)<<(1*flagBits) | black, TwoCrows},
	{white<<(3*flagBits) | (black|noLower)<<(2*flagBits) | (black|noLower)<<(1*flagBits) | black | noLower, ThreeBlackCrows},
	{(white|long)<<(2*flagBits) | noLonger<<(1*flagBits) | black, ThreeInside},
	{(black|long)<<(2*flagBits) | noLonger<<(1*flagBits) | white, ThreeInside},
	{white<<(3*flagBits) | white<<(2*flagBits) | white<<(1*flagBits) | black, ThreeLineStrike},
	{black<<(3*flagBits) | black<<(2*flagBits) | black<<(1*flagBits) | white, ThreeLineStrike},
	{black<<(2*flagBits) | (white|around)<<(1*flagBits), ThreeOutside},
	{white<<(2*flagBits) | (black|around)<<(1*flagBits), ThreeOutside},
	{(black|long)<<(2*flagBits) | black<<(1*flagBits) | black | short | noUpper | noLower, ThreeStarsInSouth},
	{(white|noUpper)<<(2*flagBits) | (white|noUpper)<<(1*flagBits) | white | noUpper, ThreeWhiteSoldiers},
	{(white|long)<<(2*flagBits) | doji<<(1*flagBits) | black | long, AbandonedBaby},
	{(black|long)<<(2*flagBits) | doji<<(1*flagBits) | white | long, AbandonedBaby},
	{(white|long)<<(2*flagBits) | white<<(1*flagBits) | white, AdvanceBlock},
	{white | long | noLower, BeltHold},
	{black | long | noUpper, BeltHold},
	{(black|long)<<(4*flagBits) | (black|gapDown)<<(3*flagBits) | black<<(1*flagBits) | white, Breakaway},
	{(white|long)<<(4*flagBits) | (white|gapUp)<<(3*flagBits) | white<<(1*flagBits) | black, Breakaway},
	{white | long | noUpper, ClosingMarubozu},
	{black | long | noLower, ClosingMarubozu},
	{(black|noUpper|noLower)<<(3*flagBits) | (black|noUpper|noLower)<<(2*flagBits) | (black|gapDown)<<(1*flagBits) | black, ConcealingBabySwallow},
	{(white|long)<<(1*flagBits) | black | long, Counterattack},
	{(black|long)<<(1*flagBits) | white | long, Counterattack},
	{(white|long)<<(1*flagBits) | black, DarkCloudCover},
	{doji, Doji},
	{(white|long)<<(1*flagBits) | doji | gapUp, DojiStar},
	{(black|long)<<(1*flagBits) | doji | gapDown, DojiStar},
	{doji | noUpper, DragonflyDoji},
	{black<<(1*flagBits) | white | around, Engulfing},
	{white<<(1*flagBits) | black | around, Engulfing},
	{(white|long)<<(2*flagBits) | (doji|gapUp)<<(1*flagBits) | black | long, EveningDojiStar},
	{(white|long)<<(2*flagBits) | (noLonger|gapUp)<<(1*flagBits) | black | long, EveningStar},
	{(white|gapUp)<<(1*flagBits) | white, GapSideSideWhite},
	{(white|gapDown)<<(1*flagBits) | white, GapSideSideWhite},
	{doji | noLower, GravestoneDoji},
	{short | noUpper, Hammer},
	{short | noUpper, HangingMan},
	{long<<(1*flagBits) | noLonger, Harami},
	{long<<(1*flagBits) | doji, HaramiCross},
	{short, HighWave},
	{within << flagBits, Hikkake},
	{within<<(2*flagBits) | within<<flagBits, HikkakeModified},
	{(black|long)<<(1*flagBits) | black | noLonger, HomingPigeon},
	{(black|noLower)<<(2*flagBits) | (black|noLower)<<(1*flagBits) | black | noLower, IdenticalThreeCrows},
	{(black|long)<<(1*flagBits) | white, InNeck},
	{short | noLower | gapDown, InvertedHammer},
	{(black|long|noUpper|noLower)<<(1*flagBits) | white | long | noUpper | noLower, Kicking},
	{(white|long|noUpper|noLower)<<(1*flagBits) | black | long | noUpper | noLower, Kicking},
	{(black|long|noUpper|noLower)<<(1*flagBits) | white | long | noUpper | noLower, KickingByLength},
	{(white|long|noUpper|noLower)<<(1*flagBits) | black | long | noUpper | noLower, KickingByLength},
	{black<<(4*flagBits) | black<<(3*flagBits) | black<<(2*flagBits) | black<<(1*flagBits) | white, LadderBottom},
	{doji, LongLeggedDoji},
	{long, LongLine},
	{long | noUpper | noLower, Marubozu},
	{black<<(1*flagBits) | black, MatchingLow},
	{(white|long)<<(4*flagBits) | (black|short|gapUp)<<(3*flagBits) | short<<(2*flagBits) | short<<(1*flagBits) | white, MatHold},
	{(black|long)<<(2*flagBits) | (doji|gapDown)<<(1*flagBits) | white | long, MorningDojiStar},
	{(black|long)<<(2*flagBits) | (noLonger|gapDown)<<(1*flagBits) | white | long, MorningStar},
	{(black|long)<<(1*flagBits) | white, OnNeck},
	{(black|long)<<(1*flagBits) | white | long, Piercing},
	{doji, RickshawMan},
	{(white|long)<<(4*flagBits) | (black|short)<<(3*flagBits) | (black|short)<<(2*flagBits) | (black|short)<<(1*flagBits) | white | long, RiseFallThreeMethods},
	{(black|long)<<(4*flagBits) | (white|short)<<(3*flagBits) | (white|short)<<(2*flagBits) | (white|short)<<(1*flagBits) | black | long, RiseFallThreeMethods},
	{black<<(1*flagBits) | white | long | noLower, SeparatingLines},
	{white<<(1*flagBits) | black | long | noUpper, SeparatingLines},
	{short | noLower | gapUp, ShootingStar},
	{short, ShortLine},
	{short, SpinningTop},
	{(white|long)<<(2*flagBits) | (white|long|noUpper)<<(1*flagBits) | white | short, StalledPattern},
	{black<<(2*flagBits) | white<<(1*flagBits) | black, StickSandwich},
	{doji | noUpper, Takuri},
	{(white|gapUp)<<(1*flagBits) | black, TasukiGap},
	{(black|gapDown)<<(1*flagBits) | white, TasukiGap},
	{(black|long)<<(1*flagBits) | white, Thrusting},
	{doji<<(2*flagBits) | gapUp<<(1*flagBits), Tristar},
	{doji<<(2*flagBits) | gapDown<<(1*flagBits), Tristar},
	{(black|long)<<(2*flagBits) | black<<(1*flagBits) | white | short, UniqueThreeRiver},
	{(white|long)<<(2*flagBits) | (black|noLonger|gapUp)<<(1*flagBits) | black, UpsideGapTwoCrows},
	{white<<(2*flagBits) | (white|gapUp)<<(1*flagBits) | black, GapThreeMethods},
	{black<<(2*flagBits) | (black|gapDown)<<(1*flagBits) | white, GapThreeMethods},
	{long, BigCandle},
	{(white|long)<<(1*flagBits) | short | gapUp, Star},
	{(black|long)<<(1*flagBits) | short | gapDown, Star},
	{white, FourPriceDoji},
}
