package indicators

// Streak writes the length of the run of rising closes into dst, negative for
// falling ones and 0 after an unchanged one, and returns it. The first value
// is NaN.
func Streak(dst, closes []float64) []float64 {
	return single(streakIndicator(), dst, [][]float64{closes})
}

// StreakStream is [Streak] one value at a time. It is not safe for concurrent use; make
// it with [NewStreak].
type StreakStream struct{ machine }

// NewStreak returns a stream of [Streak].
func NewStreak() (*StreakStream, error) {
	m, err := open(streakIndicator())
	if err != nil {
		return nil, err
	}
	return &StreakStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *StreakStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *StreakStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var streakIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Streak", Summary: "Consecutive rises (positive) or falls (negative).",
		Inputs: closes(), Outputs: pane("Streak")},
		warm(1), func(b *bank, p []float64) step {
			s := b.streak()
			return func(in, out []float64) { out[0] = s.push(in[0]) }
		})
})

type streak struct {
	last lag
	n    []int
}

func (b *bank) streak() streak { return streak{b.lag(1), b.counters(1)} }

func (s streak) push(x float64) float64 {
	before := s.last.push(x)
	switch {
	case before != before:
		return nan()
	case x > before:
		s.n[0] = max(s.n[0], 0) + 1
	case x < before:
		s.n[0] = min(s.n[0], 0) - 1
	default:
		s.n[0] = 0
	}
	return float64(s.n[0])
}
