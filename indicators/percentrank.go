package indicators

// PercentRank writes the percentage of the n values of x before this one that
// are at most as large into dst and returns it. The first n values are NaN.
func PercentRank(dst, x []float64, n int) []float64 {
	return single(percentRankIndicator(), dst, [][]float64{x}, float64(n))
}

// PercentRankStream is [PercentRank] one value at a time. It is not safe for concurrent use; make
// it with [NewPercentRank].
type PercentRankStream struct{ machine }

// NewPercentRank returns a stream of [PercentRank], or a *[FieldError] for a parameter that is
// out of range.
func NewPercentRank(n int) (*PercentRankStream, error) {
	m, err := open(percentRankIndicator(), float64(n))
	if err != nil {
		return nil, err
	}
	return &PercentRankStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *PercentRankStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PercentRankStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var percentRankIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PercentRank", Summary: "Percentage of the last n values that are not above this one.",
		Inputs: closes(), Params: periods(100, 1), Outputs: pane("PercentRank")},
		first(0), func(b *bank, p []float64) step {
			r := b.ranks(int(p[0]) + 1)
			return func(in, out []float64) {
				out[0] = nan()
				if rank := r.rank(in[0]); rank > 0 {
					out[0] = 100 * float64(rank-1) / p[0] // but for this one
				}
			}
		})
})
