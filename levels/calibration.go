package levels

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A barSpan is how long bars are, as far as reactions differ by it.
type barSpan int8

const (
	spanMinute barSpan = iota // less than half an hour
	spanHour
	spanDay // a day or longer
)

func spanOf(interval market.Interval) barSpan {
	switch d := interval.Duration(); {
	case !interval.Intraday():
		return spanDay
	case d >= 30*time.Minute:
		return spanHour
	}
	return spanMinute
}

// conditions are what the probability of a reaction depends on besides the level.
type conditions struct {
	span barSpan
	atr  float64 // average true range
}

func (e *Engine) conditions() conditions {
	return conditions{span: spanOf(e.o.Interval), atr: e.touch.mean}
}

// widest is the width, in average true ranges, beyond which wider bands are taken
// to be as likely to hold: few were seen.
const widest = 3

// ranges is the width of a band in average true ranges.
func (c conditions) ranges(width float64) float64 {
	if !(width > 0) {
		return 0
	}
	if !(c.atr > 0) {
		return widest
	}
	return min(width/c.atr, widest)
}

// baseLogit is the log odds of a reaction of a random band:
//
//	log(p/(1-p)) = intercept + linear·w + square·w²
//
// with w its width in average true ranges: price must close beyond all of a wide
// band to break it.
func baseLogit(c conditions, width float64) float64 {
	w := c.ranges(width)
	intercept, linear, square := baseCoefficients(c.span)
	return intercept + linear*w + square*w*w
}

func logistic(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// baseRate is the probability of a reaction of a random band of the width.
func baseRate(c conditions, width float64) float64 { return logistic(baseLogit(c, width)) }

// strength is the calibrated probability of a reaction of a level.
func strength(l *Level, c conditions) float64 {
	return logistic(baseLogit(c, l.High-l.Low) + kindLogit(l.Kind))
}

// rate gives levels their strength.
func (e *Engine) rate(levels []Level) {
	c := e.conditions()
	for i := range levels {
		levels[i].Strength = strength(&levels[i], c)
	}
}

// areaStrength is that of an area: the base rate of its width, the largest of
// what its members' kinds add or take, and what the number of families adds.
func areaStrength(a *Area, c conditions) float64 {
	x := baseLogit(c, a.High-a.Low)
	largest := 0.0
	for i := range a.Members {
		if d := kindLogit(a.Members[i].Kind); math.Abs(d) > math.Abs(largest) {
			largest = d
		}
	}
	return logistic(x + largest + familyLogit*float64(min(len(a.Families), 5)-1))
}
