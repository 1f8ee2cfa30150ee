package candle

import "math"

// An ID names a pattern.
type ID uint8

// The patterns: TA-Lib's, in the order of its names, and then the others.
const (
	TwoCrows ID = iota
	ThreeBlackCrows
	ThreeInside
	ThreeLineStrike
	ThreeOutside
	ThreeStarsInSouth
	ThreeWhiteSoldiers
	AbandonedBaby
	AdvanceBlock
	BeltHold
	Breakaway
	ClosingMarubozu
	ConcealingBabySwallow
	Counterattack
	DarkCloudCover
	Doji
	DojiStar
	DragonflyDoji
	Engulfing
	EveningDojiStar
	EveningStar
	GapSideSideWhite
	GravestoneDoji
	Hammer
	HangingMan
	Harami
	HaramiCross
	HighWave
	Hikkake
	HikkakeModified
	HomingPigeon
	IdenticalThreeCrows
	InNeck
	InvertedHammer
	Kicking
	KickingByLength
	LadderBottom
	LongLeggedDoji
	LongLine
	Marubozu
	MatchingLow
	MatHold
	MorningDojiStar
	MorningStar
	OnNeck
	Piercing
	RickshawMan
	RiseFallThreeMethods
	SeparatingLines
	ShootingStar
	ShortLine
	SpinningTop
	StalledPattern
	StickSandwich
	Takuri
	TasukiGap
	Thrusting
	Tristar
	UniqueThreeRiver
	UpsideGapTwoCrows
	GapThreeMethods
	BigCandle
	Star
	FourPriceDoji
	// Count is how many there are.
	Count
)

// TALib is how many of them are TA-Lib's; they come first.
const TALib = int(BigCandle)

// bigFactor makes a body big: that many times its average, as in Tulip Indicators.
const bigFactor = 1.4

// A need is a set of averages.
type need uint8

const (
	needBody need = 1 << iota
	needSpan
	needShadow
	needSpan5
)

type pattern struct {
	name        string // TA-Lib's, without CDL
	title       string
	lookback    int // leading bars that are never judged
	bars        int
	penetration float64 // its default, 0 for none
	needs       need    // the averages that it asks for
	match       func(s *Scanner) int
}

// patterns is a constant: nothing writes to it.
var patterns = [Count]pattern{
	TwoCrows:              {"2CROWS", "Two crows", 12, 3, 0, needBody, matchTwoCrows},
	ThreeBlackCrows:       {"3BLACKCROWS", "Three black crows", 13, 4, 0, needSpan, matchThreeBlackCrows},
	ThreeInside:           {"3INSIDE", "Three inside up or down", 12, 3, 0, needBody, matchThreeInside},
	ThreeLineStrike:       {"3LINESTRIKE", "Three-line strike", 8, 4, 0, needSpan5, matchThreeLineStrike},
	ThreeOutside:          {"3OUTSIDE", "Three outside up or down", 3, 3, 0, 0, matchThreeOutside},
	ThreeStarsInSouth:     {"3STARSINSOUTH", "Three stars in the south", 12, 3, 0, needBody | needSpan, matchThreeStarsInSouth},
	ThreeWhiteSoldiers:    {"3WHITESOLDIERS", "Three white soldiers", 12, 3, 0, needBody | needSpan | needSpan5, matchThreeWhiteSoldiers},
	AbandonedBaby:         {"ABANDONEDBABY", "Abandoned baby", 12, 3, 0.3, needBody | needSpan, matchAbandonedBaby},
	AdvanceBlock:          {"ADVANCEBLOCK", "Advance block", 12, 3, 0, needBody | needShadow | needSpan5, matchAdvanceBlock},
	BeltHold:              {"BELTHOLD", "Belt-hold", 10, 1, 0, needBody | needSpan, matchBeltHold},
	Breakaway:             {"BREAKAWAY", "Breakaway", 14, 5, 0, needBody, matchBreakaway},
	ClosingMarubozu:       {"CLOSINGMARUBOZU", "Closing marubozu", 10, 1, 0, needBody | needSpan, matchClosingMarubozu},
	ConcealingBabySwallow: {"CONCEALBABYSWALL", "Concealing baby swallow", 13, 4, 0, needSpan, matchConcealingBabySwallow},
	Counterattack:         {"COUNTERATTACK", "Counterattack", 11, 2, 0, needBody | needSpan5, matchCounterattack},
	DarkCloudCover:        {"DARKCLOUDCOVER", "Dark cloud cover", 11, 2, 0.5, needBody, matchDarkCloudCover},
	Doji:                  {"DOJI", "Doji", 10, 1, 0, needSpan, matchDoji},
	DojiStar:              {"DOJISTAR", "Doji star", 11, 2, 0, needBody | needSpan, matchDojiStar},
	DragonflyDoji:         {"DRAGONFLYDOJI", "Dragonfly doji", 10, 1, 0, needSpan, matchDragonflyDoji},
	Engulfing:             {"ENGULFING", "Engulfing", 2, 2, 0, 0, matchEngulfing},
	EveningDojiStar:       {"EVENINGDOJISTAR", "Evening doji star", 12, 3, 0.3, needBody | needSpan, matchEveningDojiStar},
	EveningStar:           {"EVENINGSTAR", "Evening star", 12, 3, 0.3, needBody, matchEveningStar},
	GapSideSideWhite:      {"GAPSIDESIDEWHITE", "Side-by-side white lines after a gap", 7, 3, 0, needSpan5, matchGapSideSideWhite},
	GravestoneDoji:        {"GRAVESTONEDOJI", "Gravestone doji", 10, 1, 0, needSpan, matchGravestoneDoji},
	Hammer:                {"HAMMER", "Hammer", 11, 2, 0, needBody | needSpan | needSpan5, matchHammer},
	HangingMan:            {"HANGINGMAN", "Hanging man", 11, 2, 0, needBody | needSpan | needSpan5, matchHangingMan},
	Harami:                {"HARAMI", "Harami", 11, 2, 0, needBody, matchHarami},
	HaramiCross:           {"HARAMICROSS", "Harami cross", 11, 2, 0, needBody | needSpan, matchHaramiCross},
	HighWave:              {"HIGHWAVE", "High wave", 10, 1, 0, needBody, matchHighWave},
	Hikkake:               {"HIKKAKE", "Hikkake", 5, 3, 0, 0, matchHikkake},
	HikkakeModified:       {"HIKKAKEMOD", "Modified Hikkake", 10, 4, 0, needSpan5, matchHikkakeModified},
	HomingPigeon:          {"HOMINGPIGEON", "Homing pigeon", 11, 2, 0, needBody, matchHomingPigeon},
	IdenticalThreeCrows:   {"IDENTICAL3CROWS", "Identical three crows", 12, 3, 0, needSpan | needSpan5, matchIdenticalThreeCrows},
	InNeck:                {"INNECK", "In-neck", 11, 2, 0, needBody | needSpan5, matchInNeck},
	InvertedHammer:        {"INVERTEDHAMMER", "Inverted hammer", 11, 2, 0, needBody | needSpan, matchInvertedHammer},
	Kicking:               {"KICKING", "Kicking", 11, 2, 0, needBody | needSpan, matchKicking},
	KickingByLength:       {"KICKINGBYLENGTH", "Kicking, by the longer marubozu", 11, 2, 0, needBody | needSpan, matchKickingByLength},
	LadderBottom:          {"LADDERBOTTOM", "Ladder bottom", 14, 5, 0, needSpan, matchLadderBottom},
	LongLeggedDoji:        {"LONGLEGGEDDOJI", "Long-legged doji", 10, 1, 0, needSpan, matchLongLeggedDoji},
	LongLine:              {"LONGLINE", "Long line", 10, 1, 0, needBody | needShadow, matchLongLine},
	Marubozu:              {"MARUBOZU", "Marubozu", 10, 1, 0, needBody | needSpan, matchMarubozu},
	MatchingLow:           {"MATCHINGLOW", "Matching low", 6, 2, 0, needSpan5, matchMatchingLow},
	MatHold:               {"MATHOLD", "Mat hold", 14, 5, 0.5, needBody, matchMatHold},
	MorningDojiStar:       {"MORNINGDOJISTAR", "Morning doji star", 12, 3, 0.3, needBody | needSpan, matchMorningDojiStar},
	MorningStar:           {"MORNINGSTAR", "Morning star", 12, 3, 0.3, needBody, matchMorningStar},
	OnNeck:                {"ONNECK", "On-neck", 11, 2, 0, needBody | needSpan5, matchOnNeck},
	Piercing:              {"PIERCING", "Piercing", 11, 2, 0, needBody, matchPiercing},
	RickshawMan:           {"RICKSHAWMAN", "Rickshaw man", 10, 1, 0, needSpan | needSpan5, matchRickshawMan},
	RiseFallThreeMethods:  {"RISEFALL3METHODS", "Rising or falling three methods", 14, 5, 0, needBody, matchRiseFallThreeMethods},
	SeparatingLines:       {"SEPARATINGLINES", "Separating lines", 11, 2, 0, needBody | needSpan | needSpan5, matchSeparatingLines},
	ShootingStar:          {"SHOOTINGSTAR", "Shooting star", 11, 2, 0, needBody | needSpan, matchShootingStar},
	ShortLine:             {"SHORTLINE", "Short line", 10, 1, 0, needBody | needShadow, matchShortLine},
	SpinningTop:           {"SPINNINGTOP", "Spinning top", 10, 1, 0, needBody, matchSpinningTop},
	StalledPattern:        {"STALLEDPATTERN", "Stalled pattern", 12, 3, 0, needBody | needSpan | needSpan5, matchStalledPattern},
	StickSandwich:         {"STICKSANDWICH", "Stick sandwich", 7, 3, 0, needSpan5, matchStickSandwich},
	Takuri:                {"TAKURI", "Takuri", 10, 1, 0, needSpan, matchTakuri},
	TasukiGap:             {"TASUKIGAP", "Tasuki gap", 7, 3, 0, needSpan5, matchTasukiGap},
	Thrusting:             {"THRUSTING", "Thrusting", 11, 2, 0, needBody | needSpan5, matchThrusting},
	Tristar:               {"TRISTAR", "Tristar", 12, 3, 0, needSpan, matchTristar},
	UniqueThreeRiver:      {"UNIQUE3RIVER", "Unique three-river bottom", 12, 3, 0, needBody, matchUniqueThreeRiver},
	UpsideGapTwoCrows:     {"UPSIDEGAP2CROWS", "Upside gap two crows", 12, 3, 0, needBody, matchUpsideGapTwoCrows},
	GapThreeMethods:       {"XSIDEGAP3METHODS", "Gap three methods", 2, 3, 0, 0, matchGapThreeMethods},
	BigCandle:             {"BIGCANDLE", "Big candle", 10, 1, 0, needBody, matchBigCandle},
	Star:                  {"STAR", "Star", 11, 2, 0, needBody, matchStar},
	FourPriceDoji:         {"FOURPRICEDOJI", "Four-price doji", 0, 1, 0, 0, matchFourPriceDoji},
}

// Name returns TA-Lib's name without its CDL.
func (id ID) Name() string { return patterns[id].name }

// Title returns the name that people use.
func (id ID) Title() string { return patterns[id].title }

// Bars returns how many bars make the pattern.
func (id ID) Bars() int { return patterns[id].bars }

// Lookback returns how many leading bars are never judged.
func (id ID) Lookback() int { return patterns[id].lookback }

// Penetration returns the default of that parameter, 0 for a pattern without.
func (id ID) Penetration() float64 { return patterns[id].penetration }

func signed(sign float64, value int) int {
	if sign < 0 {
		return -value
	}
	return value
}

// pointing is 100 where yes is 1 and 0 where it is 0, negative for a black candle.
func (b *bar) pointing(yes uint64) int {
	down := -int(math.Float64bits(b.sign) >> 63)
	return (100*int(yes) ^ down) - down
}

// inside compares bodies for the harami: 100 for one that is within the other, 80 where they touch.
func inside(b0, b1 *bar) int {
	switch {
	case b0.top < b1.top && b0.bottom > b1.bottom:
		return signed(-b1.sign, 100)
	case b0.top <= b1.top && b0.bottom >= b1.bottom:
		return signed(-b1.sign, 80)
	}
	return 0
}

func kicks(b0, b1 *bar) bool {
	return b1.upperNone() && b1.lowerNone() && b0.upperNone() && b0.lowerNone() && b1.white != b0.white && b1.isLong() && b0.isLong() &&
		(!b1.white && b0.above(b1) || b1.white && b0.below(b1))
}

// update returns the value of a bar: 100 or -100 where the trap is set, 200 or
// -200 where one of the next three bars closes beyond the inside bar.
func (h *trap) update(found bool, high, close, high1, low1 float64) int {
	switch {
	case found:
		h.age, h.value, h.high, h.low = 0, 1, high1, low1
		if high > high1 {
			h.value = -1
		}
		return signed(h.value, 100)
	case h.age < 0:
		return 0
	}
	h.age++
	if h.value > 0 && close > h.high || h.value < 0 && close < h.low {
		h.wait, h.age = h.age, -1
		return signed(h.value, 200)
	}
	if h.age == 3 {
		h.age = -1
	}
	return 0
}
