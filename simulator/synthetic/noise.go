package synthetic

import "math"

// A key names one random thing: the market's seed narrowed step by step to a
// stream, a symbol, a day, a minute. The same steps give the same key, so
// nothing depends on what was drawn before.
type key uint64

// The streams, which keep draws for different purposes apart.
const (
	streamOvernight uint64 = iota + 1
	streamIntraday
	streamVariance
	streamHigh
	streamLow
	streamVolume
	streamPath
	streamShared
	streamMinute
	streamTick
	streamExtended
	streamQuote
	streamDividend
	streamEarnings
	streamOption
	streamHalt
)

// mix is the finaliser of SplitMix64 (G. Steele, D. Lea and C. Flood, "Fast
// splittable pseudorandom number generators", OOPSLA 2014).
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9
	x = (x ^ (x >> 27)) * 0x94d049bb133111eb
	return x ^ (x >> 31)
}

// with narrows k by one step.
func (k key) with(step uint64) key { return key(mix(uint64(k) ^ mix(step))) }

// at is a cheaper step for dense counters such as minutes: a key needs only one
// hash per value.
func (k key) at(n int) key { return key(mix(uint64(k) + uint64(n)*0xd1342543de82ef95)) }

// name narrows k by a text (FNV-1a).
func (k key) name(s string) key {
	h := uint64(0xcbf29ce484222325)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 0x100000001b3
	}
	return k.with(h)
}

// uniform is a number strictly between 0 and 1.
func (k key) uniform() float64 { return (float64(k>>11) + 0.5) * 0x1p-53 }

// between is a uniform number from a to b.
func (k key) between(a, b float64) float64 { return a + (b-a)*k.uniform() }

// below is a whole number from 0 to n-1.
func (k key) below(n int) int { return int(k.uniform() * float64(n)) }

// normal is a standard normal number (Box and Muller).
func (k key) normal() float64 {
	return math.Sqrt(-2*math.Log(k.uniform())) * math.Cos(2*math.Pi*k.with(1).uniform())
}

// rough is a nearly normal number of variance 1 from one hash, for the dense
// noise within a day: the sum of four uniform ones, which lies within ±3.47.
func (k key) rough() float64 {
	sum := (k & 0xffff) + (k >> 16 & 0xffff) + (k >> 32 & 0xffff) + k>>48
	return (float64(sum) - 131070) * (1.7320508075688772 / 65536)
}

// student is a number of Student's t distribution with six degrees of freedom,
// scaled to variance 1: a normal one over the root of a chi-squared one, which
// for six degrees is the logarithm of a product of three uniform numbers.
func (k key) student() float64 {
	chi := -2 * math.Log(k.with(2).uniform()*k.with(3).uniform()*k.with(4).uniform())
	return k.normal() / math.Sqrt(chi/6) * math.Sqrt(4.0/6)
}
