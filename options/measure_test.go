package options_test

import (
	"math"
	"slices"
	"time"
)

// measureParts returns what one of n calls costs, in calls of math.Exp, on a machine
// that does other things too: the calls are cut into short parts, math.Exp is timed
// before and after each, and the median of the ratios counts, over the rounds in
// which those two times agree and nothing else got between.
func measureParts(n, parts int, f func(from, to int)) float64 {
	const (
		most     = 400
		enough   = 25
		patience = 4 * time.Second
	)
	ratios := make([][]float64, parts)
	start := time.Now()
	for round := 0; round < most && (round < 5 || time.Since(start) < patience); round++ {
		short := math.MaxInt
		for part := range parts {
			from, to := n*part/parts, n*(part+1)/parts
			if from < to && len(ratios[part]) < enough {
				before := expCost()
				spent := seconds(func() { f(from, to) })
				after := expCost()
				if math.Abs(before-after) <= 0.1*min(before, after) || round == 0 {
					ratios[part] = append(ratios[part], spent/(0.5*(before+after)))
				}
			}
			short = min(short, len(ratios[part]))
		}
		if short >= enough {
			break
		}
	}
	sum := 0.0
	for _, r := range ratios {
		if slices.Sort(r); len(r) > 0 {
			sum += r[len(r)/2]
		}
	}
	return sum / float64(n)
}

// least returns what one of the n calls in f costs at best: for calls on several
// processors, that other load stretches.
func least(n int, f func()) float64 {
	best, floor := math.Inf(1), math.Inf(1)
	start := time.Now()
	for pass := 0; pass < 5 || time.Since(start) < 2*time.Second; pass++ {
		floor = min(floor, expCost())
		best = min(best, seconds(f)/float64(n))
	}
	return best / floor
}

// expCost returns the seconds of one math.Exp, the least of three times a few µs.
func expCost() float64 {
	const calls = 4096
	least := math.Inf(1)
	for range 3 {
		least = min(least, seconds(func() {
			sum := 0.0
			for i := range calls {
				sum += math.Exp(-20 * float64(i&1023) / 1024)
			}
			sink += sum
		}))
	}
	return least / calls
}

func seconds(f func()) float64 {
	start := time.Now()
	f()
	return time.Since(start).Seconds()
}

// sink keeps the compiler from leaving calls out.
var sink float64
