package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
)

// Signals are columns too: 1 where something points up or begins, -1 where it
// points down or ends, 0 where nothing happens, NaN where that is unknown. The
// functions below turn columns into signals and signals into others. Like those
// of indicators, their value at a bar depends on bars up to it alone.

// Slopes writes into dst, and returns, 1 where x has risen over the last n known
// values by more than least a bar on average, -1 where it has fallen by as much, 0
// elsewhere. Bars without a value n known ones before, and unknown ones, are NaN.
// Everything is NaN unless 1 ≤ n ≤ [MaxPeriod] and 0 ≤ least.
func Slopes(dst, x []float64, n int, least float64) []float64 {
	dst = resize(dst, len(x))
	s, err := NewSlopes(n, least)
	if err != nil {
		return fillNaN(dst)
	}
	for i, v := range x {
		dst[i] = s.Update(v)
	}
	return dst
}

// SlopesStream is [Slopes] one value at a time. It is not safe for concurrent
// use; make it with [NewSlopes].
type SlopesStream struct {
	before []float64
	next   int
	least  float64
}

// NewSlopes returns a stream of [Slopes], or a *[FieldError] for a parameter that
// is out of range.
func NewSlopes(n int, least float64) (*SlopesStream, error) {
	if err := checkPeriod("n", n); err != nil {
		return nil, err
	}
	if !(least >= 0) || math.IsInf(least, 1) {
		return nil, invalid.Field("least", least, "a number from 0")
	}
	s := &SlopesStream{before: make([]float64, n), least: least}
	s.Reset()
	return s, nil
}

// Update takes the next value and returns the signal.
func (s *SlopesStream) Update(x float64) float64 {
	if !kernel.Finite(x) {
		return nan()
	}
	signal := s.Peek(x)
	s.before[s.next] = x
	s.next = (s.next + 1) % len(s.before)
	return signal
}

// Peek returns what Update(x) would, and leaves the stream as it is.
func (s *SlopesStream) Peek(x float64) float64 {
	rise := (x - s.before[s.next]) / float64(len(s.before))
	switch {
	case !kernel.Finite(rise):
		return nan()
	case rise > s.least:
		return 1
	case rise < -s.least:
		return -1
	}
	return 0
}

// Reset forgets every value.
func (s *SlopesStream) Reset() {
	fillNaN(s.before)
	s.next = 0
}

// Warmup returns how many leading values are NaN: n.
func (s *SlopesStream) Warmup() int { return len(s.before) }

// Changes writes into dst, and returns, 1 where a state begins and -1 where it
// ends: x counts as on where it is not 0. A squeeze that lets go is -1 in the
// Changes of [Inside]. Unknown values are 0 and are stepped over; the first known
// value begins the state if it is on.
func Changes(dst, x []float64) []float64 {
	dst = resize(dst, len(x))
	on := false
	for i, v := range x {
		dst[i] = 0
		if math.IsNaN(v) {
			continue
		}
		switch now := v != 0; {
		case now && !on:
			dst[i] = 1
		case on && !now:
			dst[i] = -1
		}
		on = v != 0
	}
	return dst
}

// Both writes into dst, and returns, the direction that two signals have on the
// same bar, 0 where they differ or one is 0, NaN where one is unknown. The columns
// have equal lengths; otherwise everything is NaN.
func Both(dst, a, b []float64) []float64 {
	return combine(dst, a, b, func(a, b float64) float64 {
		switch {
		case math.IsNaN(a) || math.IsNaN(b):
			return nan()
		case a*b > 0:
			return sign(a)
		}
		return 0
	})
}

// Either writes into dst, and returns, the direction that one of two signals has,
// 0 where neither has one or they contradict each other, NaN where both are
// unknown. The columns have equal lengths; otherwise everything is NaN.
func Either(dst, a, b []float64) []float64 {
	return combine(dst, a, b, func(a, b float64) float64 {
		switch {
		case math.IsNaN(a):
			a = b
		case math.IsNaN(b):
			b = a
		}
		return sign(sign(a) + sign(b))
	})
}

// sign is 1, -1, 0 or NaN.
func sign(x float64) float64 {
	if x == 0 || math.IsNaN(x) {
		return x
	}
	return math.Copysign(1, x)
}

func combine(dst, a, b []float64, of func(a, b float64) float64) []float64 {
	dst = resize(dst, len(a))
	if len(a) != len(b) {
		return fillNaN(dst)
	}
	for i := range a {
		dst[i] = of(a[i], b[i])
	}
	return dst
}

// Within writes into dst, and returns, signal where confirm had the same direction
// on that bar or one of the n before it, 0 elsewhere: a cross soon after a
// divergence. NaN in either is 0. The columns have equal lengths and n is not
// negative; otherwise everything is NaN.
func Within(dst, signal, confirm []float64, n int) []float64 {
	dst = resize(dst, len(signal))
	if len(signal) != len(confirm) || n < 0 {
		return fillNaN(dst)
	}
	up, down := math.MinInt/2, math.MinInt/2 // bars of the last confirmations
	for i := range signal {
		s, c := signal[i], confirm[i]
		switch {
		case c > 0:
			up = i
		case c < 0:
			down = i
		}
		dst[i] = 0
		if s > 0 && i-up <= n || s < 0 && i-down <= n {
			dst[i] = sign(s)
		}
	}
	return dst
}

// Since writes into dst, and returns, how many bars ago a signal last was other
// than 0: 0 on its bar, NaN before the first. Unknown values are no signal.
func Since(dst, signal []float64) []float64 {
	dst = resize(dst, len(signal))
	age := nan()
	for i, v := range signal {
		age++
		if v != 0 && !math.IsNaN(v) {
			age = 0
		}
		dst[i] = age
	}
	return dst
}

// DivergenceSignals writes into dst, and returns, a signal of length n of
// divergences, at the bars that confirm them: 1 where bullish ones do, -1 where
// bearish ones do, 0 where none or both do. Those of the kinds given count, all
// when none is.
func DivergenceSignals(dst []float64, n int, found []Divergence, kinds ...DivergenceKind) []float64 {
	dst = resize(dst, n)
	clear(dst)
	for _, d := range found {
		counts := len(kinds) == 0
		for _, k := range kinds {
			counts = counts || d.Kind == k
		}
		if !counts || d.Confirmed < 0 || d.Confirmed >= n {
			continue
		}
		if d.Kind == RegularBullish || d.Kind == HiddenBullish {
			dst[d.Confirmed]++
		} else {
			dst[d.Confirmed]--
		}
	}
	for i, v := range dst {
		dst[i] = sign(v)
	}
	return dst
}
