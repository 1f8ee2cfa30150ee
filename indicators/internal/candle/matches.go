package candle

// Conditions that are in no order of their own stand with the rarest first: a
// bar that fails one is done with, and the outcome of a rare one is no surprise.
// Where all are as good as random, they are asked together, without a branch.

func matchTwoCrows(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.bodyAbove(b2) && b2.white && b2.isLong() && !b1.white && !b0.white &&
		b0.open < b1.open && b0.open > b1.close && b0.close > b2.open && b0.close < b2.close {
		return -100
	}
	return 0
}

func matchThreeBlackCrows(s *Scanner) int {
	b0, b1, b2, b3 := s.back(0), s.back(1), s.back(2), s.back(3)
	if b2.lowerNone() && b1.lowerNone() && b0.lowerNone() && b3.white && !b2.white && !b1.white && !b0.white &&
		b1.open < b2.open && b1.open > b2.close && b0.open < b1.open && b0.open > b1.close &&
		b3.high > b2.close && b2.close > b1.close && b1.close > b0.close {
		return -100
	}
	return 0
}

func matchThreeInside(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if less(b2.body10, b2.body)&atMost(b1.body, b1.body10)&less(b1.top, b2.top)&less(b2.bottom, b1.bottom) != 0 &&
		(b2.white && !b0.white && b0.close < b2.open || !b2.white && b0.white && b0.close > b2.open) {
		return signed(-b2.sign, 100)
	}
	return 0
}

func matchThreeLineStrike(s *Scanner) int {
	b0, b1, b2, b3 := s.back(0), s.back(1), s.back(2), s.back(3)
	last := blackness(b1.open, b1.close)
	if (last^blackness(b3.open, b3.close))|(last^blackness(b2.open, b2.close)) != 0 || last == blackness(b0.open, b0.close) {
		return 0
	}
	if b2.open < b3.bottom-b3.near() || b2.open > b3.top+b3.near() || b1.open < b2.bottom-b2.near() || b1.open > b2.top+b2.near() {
		return 0
	}
	if b1.white && b1.close > b2.close && b2.close > b3.close && b0.open > b1.close && b0.close < b3.open ||
		!b1.white && b1.close < b2.close && b2.close < b3.close && b0.open < b1.close && b0.close > b3.open {
		return signed(b1.sign, 100)
	}
	return 0
}

func matchThreeOutside(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	black := blackness(b1.open, b1.close)
	around := less(b2.top, b1.top) & less(b1.bottom, b2.bottom) & (black ^ blackness(b2.open, b2.close))
	return b1.pointing(around & (less(b1.close, b0.close)&^black | less(b0.close, b1.close)&black))
}

func matchThreeStarsInSouth(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b0.lowerNone() && b0.upperNone() && !b2.white && !b1.white && !b0.white && b2.isLong() && b2.lowerLong() && b1.body < b2.body &&
		b1.open > b2.close && b1.open <= b2.high && b1.low < b2.close && b1.low >= b2.low && b1.lowerSome() &&
		b0.isShort() && b0.low > b1.low && b0.high < b1.high {
		return 100
	}
	return 0
}

func matchThreeWhiteSoldiers(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b2.upperNone() && b1.upperNone() && b0.upperNone() && b2.white && b1.white && b0.white &&
		b0.close > b1.close && b1.close > b2.close &&
		b1.open > b2.open && b1.open <= b2.close+b2.near() && b0.open > b1.open && b0.open <= b1.close+b1.near() &&
		b1.body > b2.body-b2.far() && b0.body > b1.body-b1.far() && b0.body > b0.body10 {
		return 100
	}
	return 0
}

func matchAbandonedBaby(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if !b1.isDoji() || !b2.isLong() || !b0.isLong() {
		return 0
	}
	depth := b2.body * s.share(0.3)
	if b2.white && !b0.white && b0.close < b2.close-depth && b1.above(b2) && b0.below(b1) ||
		!b2.white && b0.white && b0.close > b2.close+depth && b1.below(b2) && b0.above(b1) {
		return signed(b0.sign, 100)
	}
	return 0
}

func matchAdvanceBlock(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b2.white && b1.white && b0.white && b0.close > b1.close && b1.close > b2.close &&
		b1.open > b2.open && b1.open <= b2.close+b2.near() && b0.open > b1.open && b0.open <= b1.close+b1.near() &&
		b2.isLong() && b2.upperBrief() &&
		(b1.body < b2.body-b2.far() && b0.body < b1.body+b1.near() || b0.body < b1.body-b1.far() ||
			b0.body < b1.body && b1.body < b2.body && (b0.upperOverBrief() || b1.upperOverBrief()) ||
			b0.body < b1.body && b0.upperLong()) {
		return -100
	}
	return 0
}

func matchBeltHold(s *Scanner) int {
	b0 := s.back(0)
	black := blackness(b0.open, b0.close)
	bare := less(b0.lower, b0.none())&^black | less(b0.upper, b0.none())&black
	return b0.pointing(less(b0.body10, b0.body) & bare)
}

func matchBreakaway(s *Scanner) int {
	b0, b1, b2, b3, b4 := s.back(0), s.back(1), s.back(2), s.back(3), s.back(4)
	if !b3.bodyBelow(b4) && !b3.bodyAbove(b4) || !b4.isLong() || b4.white != b3.white || b3.white != b1.white || b1.white == b0.white {
		return 0
	}
	if !b4.white && b3.bodyBelow(b4) && b2.high < b3.high && b2.low < b3.low && b1.high < b2.high && b1.low < b2.low &&
		b0.close > b3.open && b0.close < b4.close ||
		b4.white && b3.bodyAbove(b4) && b2.high > b3.high && b2.low > b3.low && b1.high > b2.high && b1.low > b2.low &&
			b0.close < b3.open && b0.close > b4.close {
		return signed(b0.sign, 100)
	}
	return 0
}

func matchClosingMarubozu(s *Scanner) int {
	b0 := s.back(0)
	black := blackness(b0.open, b0.close)
	bare := less(b0.upper, b0.none())&^black | less(b0.lower, b0.none())&black
	return b0.pointing(less(b0.body10, b0.body) & bare)
}

func matchConcealingBabySwallow(s *Scanner) int {
	b0, b1, b2, b3 := s.back(0), s.back(1), s.back(2), s.back(3)
	if b3.lowerNone() && b3.upperNone() && b2.lowerNone() && b2.upperNone() && !b3.white && !b2.white && !b1.white && !b0.white &&
		b1.bodyBelow(b2) && b1.upperSome() && b1.high > b2.close && b0.high > b1.high && b0.low < b1.low {
		return 100
	}
	return 0
}

func matchCounterattack(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if atMost(b0.close, b1.close+b1.equal())&atMost(b1.close-b1.equal(), b0.close) != 0 && b1.white != b0.white && b1.isLong() && b0.isLong() {
		return signed(b0.sign, 100)
	}
	return 0
}

func matchDarkCloudCover(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.open > b1.high && b1.white && b1.isLong() && !b0.white && b0.close > b1.open && b0.close < b1.close-b1.body*s.share(0.5) {
		return -100
	}
	return 0
}

func matchDoji(s *Scanner) int {
	b0 := s.back(0)
	if b0.isDoji() {
		return 100
	}
	return 0
}

func matchDojiStar(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.isDoji() && b1.isLong() && (b1.white && b0.bodyAbove(b1) || !b1.white && b0.bodyBelow(b1)) {
		return signed(-b1.sign, 100)
	}
	return 0
}

func matchDragonflyDoji(s *Scanner) int {
	b0 := s.back(0)
	if b0.isDoji() && b0.upperNone() && b0.lowerSome() {
		return 100
	}
	return 0
}

func matchEngulfing(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	above, below := less(b1.top, b0.top), less(b0.bottom, b1.bottom)
	opposite := blackness(b0.open, b0.close) ^ blackness(b1.open, b1.close)
	if opposite&atMost(b1.top, b0.top)&atMost(b0.bottom, b1.bottom)&(above|below) == 0 {
		return 0
	}
	return signed(b0.sign, 80+20*int(above&below))
}

func matchEveningDojiStar(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.bodyAbove(b2) && b1.isDoji() && b2.isLong() && b2.white && b0.isLong() && !b0.white && b0.close < b2.close-b2.body*s.share(0.3) {
		return -100
	}
	return 0
}

func matchEveningStar(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.bodyAbove(b2) && b1.noLonger() && b2.isLong() && b2.white && b0.isLong() && !b0.white && b0.close < b2.close-b2.body*s.share(0.3) {
		return -100
	}
	return 0
}

func matchGapSideSideWhite(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	up := b1.bodyAbove(b2) && b0.bodyAbove(b2)
	if (up || b1.bodyBelow(b2) && b0.bodyBelow(b2)) && b1.white && b0.white &&
		b0.body >= b1.body-b1.near() && b0.body <= b1.body+b1.near() && b0.open >= b1.open-b1.equal() && b0.open <= b1.open+b1.equal() {
		if up {
			return 100
		}
		return -100
	}
	return 0
}

func matchGravestoneDoji(s *Scanner) int {
	b0 := s.back(0)
	if b0.isDoji() && b0.lowerNone() && b0.upperSome() {
		return 100
	}
	return 0
}

func matchHammer(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.upperNone() && b0.isShort() && b0.lowerLong() && b0.bottom <= b1.low+b1.near() {
		return 100
	}
	return 0
}

func matchHangingMan(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.upperNone() && b0.isShort() && b0.lowerLong() && b0.bottom >= b1.high-b1.near() {
		return -100
	}
	return 0
}

func matchHarami(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if less(b1.body10, b1.body)&atMost(b0.body, b0.body10)&atMost(b0.top, b1.top)&atMost(b1.bottom, b0.bottom) != 0 {
		return inside(b0, b1)
	}
	return 0
}

func matchHaramiCross(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.isDoji() && b1.isLong() {
		return inside(b0, b1)
	}
	return 0
}

func matchHighWave(s *Scanner) int {
	b0 := s.back(0)
	return b0.pointing(less(b0.body, b0.body10) & less(2*b0.body, b0.upper) & less(2*b0.body, b0.lower))
}

func matchHikkake(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	found := b1.high < b2.high && b1.low > b2.low && (b0.high < b1.high && b0.low < b1.low || b0.high > b1.high && b0.low > b1.low)
	return s.hikkake.update(found && s.count > 2, b0.high, b0.close, b1.high, b1.low)
}

func matchHikkakeModified(s *Scanner) int {
	b0, b1, b2, b3 := s.back(0), s.back(1), s.back(2), s.back(3)
	found := b2.high < b3.high && b2.low > b3.low && b1.high < b2.high && b1.low > b2.low &&
		(b0.high < b1.high && b0.low < b1.low && b2.close <= b2.low+b2.near() ||
			b0.high > b1.high && b0.low > b1.low && b2.close >= b2.high-b2.near())
	return s.modified.update(found, b0.high, b0.close, b1.high, b1.low)
}

func matchHomingPigeon(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if blackness(b1.open, b1.close)&blackness(b0.open, b0.close)&less(b1.body10, b1.body)&atMost(b0.body, b0.body10)&
		less(b0.open, b1.open)&less(b1.close, b0.close) != 0 {
		return 100
	}
	return 0
}

func matchIdenticalThreeCrows(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b2.lowerNone() && b1.lowerNone() && b0.lowerNone() && !b2.white && !b1.white && !b0.white &&
		b2.close > b1.close && b1.close > b0.close &&
		b1.open <= b2.close+b2.equal() && b1.open >= b2.close-b2.equal() && b0.open <= b1.close+b1.equal() && b0.open >= b1.close-b1.equal() {
		return -100
	}
	return 0
}

func matchInNeck(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.open < b1.low && !b1.white && b1.isLong() && b0.white && b0.close <= b1.close+b1.equal() && b0.close >= b1.close {
		return -100
	}
	return 0
}

func matchInvertedHammer(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.bodyBelow(b1) && b0.lowerNone() && b0.isShort() && b0.upperLong() {
		return 100
	}
	return 0
}

func matchKicking(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if kicks(b0, b1) {
		return signed(b0.sign, 100)
	}
	return 0
}

func matchKickingByLength(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if !kicks(b0, b1) {
		return 0
	}
	if b0.body > b1.body {
		return signed(b0.sign, 100)
	}
	return signed(b1.sign, 100)
}

func matchLadderBottom(s *Scanner) int {
	b0, b1, b2, b3, b4 := s.back(0), s.back(1), s.back(2), s.back(3), s.back(4)
	if b0.close > b1.high && !b4.white && !b3.white && !b2.white && b4.open > b3.open && b3.open > b2.open && b4.close > b3.close && b3.close > b2.close &&
		!b1.white && b1.upperSome() && b0.white && b0.open > b1.open {
		return 100
	}
	return 0
}

func matchLongLeggedDoji(s *Scanner) int {
	b0 := s.back(0)
	if b0.isDoji() && (b0.lowerLong() || b0.upperLong()) {
		return 100
	}
	return 0
}

func matchLongLine(s *Scanner) int {
	b0 := s.back(0)
	brief := b0.brief()
	return b0.pointing(less(b0.body10, b0.body) & less(b0.upper, brief) & less(b0.lower, brief))
}

func matchMarubozu(s *Scanner) int {
	b0 := s.back(0)
	if b0.upperNone() && b0.lowerNone() && b0.isLong() {
		return signed(b0.sign, 100)
	}
	return 0
}

func matchMatchingLow(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if blackness(b1.open, b1.close)&blackness(b0.open, b0.close)&atMost(b0.close, b1.close+b1.equal())&atMost(b1.close-b1.equal(), b0.close) != 0 {
		return 100
	}
	return 0
}

func matchMatHold(s *Scanner) int {
	b0, b1, b2, b3, b4 := s.back(0), s.back(1), s.back(2), s.back(3), s.back(4)
	if !b3.bodyAbove(b4) || !b4.isLong() || !b3.isShort() || !b2.isShort() || !b1.isShort() || !b4.white || b3.white || !b0.white {
		return 0
	}
	floor := b4.close - b4.body*s.share(0.5)
	if b2.bottom < b4.close && b1.bottom < b4.close && b2.bottom > floor && b1.bottom > floor &&
		b2.top < b3.open && b1.top < b2.top && b0.open > b1.close && b0.close > max(b3.high, b2.high, b1.high) {
		return 100
	}
	return 0
}

func matchMorningDojiStar(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.bodyBelow(b2) && b1.isDoji() && b2.isLong() && !b2.white && b0.isLong() && b0.white && b0.close > b2.close+b2.body*s.share(0.3) {
		return 100
	}
	return 0
}

func matchMorningStar(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.bodyBelow(b2) && b1.noLonger() && b2.isLong() && !b2.white && b0.isLong() && b0.white && b0.close > b2.close+b2.body*s.share(0.3) {
		return 100
	}
	return 0
}

func matchOnNeck(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.open < b1.low && !b1.white && b1.isLong() && b0.white && b0.close <= b1.low+b1.equal() && b0.close >= b1.low-b1.equal() {
		return -100
	}
	return 0
}

func matchPiercing(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.open < b1.low && !b1.white && b1.isLong() && b0.white && b0.isLong() && b0.close < b1.open && b0.close > b1.close+b1.body*0.5 {
		return 100
	}
	return 0
}

func matchRickshawMan(s *Scanner) int {
	b0 := s.back(0)
	middle := b0.low + (b0.high-b0.low)/2
	if b0.isDoji() && b0.lowerLong() && b0.upperLong() && b0.bottom <= middle+b0.near() && b0.top >= middle-b0.near() {
		return 100
	}
	return 0
}

func matchRiseFallThreeMethods(s *Scanner) int {
	b0, b1, b2, b3, b4 := s.back(0), s.back(1), s.back(2), s.back(3), s.back(4)
	if !b4.isLong() || !b3.isShort() || !b2.isShort() || !b1.isShort() || !b0.isLong() {
		return 0
	}
	if b4.white == b3.white || b3.white != b2.white || b2.white != b1.white || b1.white == b0.white {
		return 0
	}
	for _, b := range [...]*bar{b3, b2, b1} {
		if b.bottom >= b4.high || b.top <= b4.low {
			return 0
		}
	}
	up := b4.sign
	if b2.close*up < b3.close*up && b1.close*up < b2.close*up && b0.open*up > b1.close*up && b0.close*up > b4.close*up {
		return signed(up, 100)
	}
	return 0
}

func matchSeparatingLines(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if atMost(b0.open, b1.open+b1.equal())&atMost(b1.open-b1.equal(), b0.open) != 0 && b1.white != b0.white && b0.isLong() &&
		(b0.white && b0.lowerNone() || !b0.white && b0.upperNone()) {
		return signed(b0.sign, 100)
	}
	return 0
}

func matchShootingStar(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.bodyAbove(b1) && b0.lowerNone() && b0.isShort() && b0.upperLong() {
		return -100
	}
	return 0
}

func matchShortLine(s *Scanner) int {
	b0 := s.back(0)
	brief := b0.brief()
	return b0.pointing(less(b0.body, b0.body10) & less(b0.upper, brief) & less(b0.lower, brief))
}

func matchSpinningTop(s *Scanner) int {
	b0 := s.back(0)
	return b0.pointing(less(b0.body, b0.body10) & less(b0.body, b0.upper) & less(b0.body, b0.lower))
}

func matchStalledPattern(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.upperNone() && b2.white && b1.white && b0.white && b0.close > b1.close && b1.close > b2.close && b2.isLong() && b1.isLong() &&
		b1.open > b2.open && b1.open <= b2.close+b2.near() && b0.isShort() && b0.open >= b1.close-b0.body-b1.near() {
		return -100
	}
	return 0
}

func matchStickSandwich(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.low > b2.close && !b2.white && b1.white && !b0.white && b0.close <= b2.close+b2.equal() && b0.close >= b2.close-b2.equal() {
		return 100
	}
	return 0
}

func matchTakuri(s *Scanner) int {
	b0 := s.back(0)
	if b0.isDoji() && b0.upperNone() && b0.lower > 2*b0.body {
		return 100
	}
	return 0
}

func matchTasukiGap(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if !b1.bodyAbove(b2) && !b1.bodyBelow(b2) {
		return 0
	}
	if d := b1.body - b0.body; d >= b1.near() || -d >= b1.near() {
		return 0
	}
	if b1.bodyAbove(b2) && b1.white && !b0.white && b0.open < b1.close && b0.open > b1.open && b0.close < b1.open && b0.close > b2.top ||
		b1.bodyBelow(b2) && !b1.white && b0.white && b0.open < b1.open && b0.open > b1.close && b0.close > b1.open && b0.close < b2.bottom {
		return signed(b1.sign, 100)
	}
	return 0
}

func matchThrusting(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if b0.open < b1.low && !b1.white && b1.isLong() && b0.white && b0.close > b1.close+b1.equal() && b0.close <= b1.close+b1.body*0.5 {
		return -100
	}
	return 0
}

func matchTristar(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b2.body > b2.doji() || b1.body > b2.doji() || b0.body > b2.doji() || b2.doji() != b2.doji() {
		return 0
	}
	if b1.bodyBelow(b2) && b0.bottom > b1.bottom {
		return 100
	}
	if b1.bodyAbove(b2) && b0.top < b1.top {
		return -100
	}
	return 0
}

func matchUniqueThreeRiver(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b2.isLong() && !b2.white && !b1.white && b1.close > b2.close && b1.open <= b2.open && b1.low < b2.low &&
		b0.isShort() && b0.white && b0.open > b1.low {
		return 100
	}
	return 0
}

func matchUpsideGapTwoCrows(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if b1.bodyAbove(b2) && b2.white && b2.isLong() && !b1.white && b1.noLonger() && !b0.white &&
		b0.open > b1.open && b0.close < b1.close && b0.close > b2.close {
		return -100
	}
	return 0
}

func matchGapThreeMethods(s *Scanner) int {
	b0, b1, b2 := s.back(0), s.back(1), s.back(2)
	if !b1.bodyAbove(b2) && !b1.bodyBelow(b2) {
		return 0
	}
	if b2.white == b1.white && b1.white != b0.white && b0.open < b1.top && b0.open > b1.bottom && b0.close < b2.top && b0.close > b2.bottom &&
		(b2.white && b1.bodyAbove(b2) || !b2.white && b1.bodyBelow(b2)) {
		return signed(b2.sign, 100)
	}
	return 0
}

func matchBigCandle(s *Scanner) int {
	b0 := s.back(0)
	if b0.body > bigFactor*b0.body10 {
		return signed(b0.sign, 100)
	}
	return 0
}

func matchStar(s *Scanner) int {
	b0, b1 := s.back(0), s.back(1)
	if (b0.bodyAbove(b1) && b1.white || b0.bodyBelow(b1) && !b1.white) && b1.isLong() && b0.isShort() {
		return signed(-b1.sign, 100)
	}
	return 0
}

func matchFourPriceDoji(s *Scanner) int {
	b0 := s.back(0)
	if b0.high == b0.low {
		return 100
	}
	return 0
}
