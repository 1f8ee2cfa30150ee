package indicators

// KAMA writes Kaufman's adaptive moving average of closes into dst and returns
// it: an exponential average whose constant moves between those of the fast and
// the slow EMA with the efficiency ratio ER over n,
//
//	KAMA(t) = KAMA(t-1) + c²·(x(t) - KAMA(t-1)),  c = ER·(2/(fast+1) - 2/(slow+1)) + 2/(slow+1)
//
// (Smarter Trading, 1995). It starts at bar n-1 with the value itself; the
// values before are NaN.
func KAMA(dst, closes []float64, n, fast, slow int) []float64 {
	return single(kamaIndicator(), dst, [][]float64{closes}, float64(n), float64(fast), float64(slow))
}

// KAMAStream is [KAMA] one value at a time. It is not safe for concurrent use; make
// it with [NewKAMA].
type KAMAStream struct{ machine }

// NewKAMA returns a stream of [KAMA], or a *[FieldError] for a parameter that is
// out of range.
func NewKAMA(n, fast, slow int) (*KAMAStream, error) {
	m, err := open(kamaIndicator(), float64(n), float64(fast), float64(slow))
	if err != nil {
		return nil, err
	}
	return &KAMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *KAMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *KAMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var kamaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "KAMA", Summary: "Kaufman's adaptive moving average.",
		Inputs: closes(), Params: []Param{period("n", 10, 1), period("fast", 2, 1), period("slow", 30, 1)}, Outputs: overlay("KAMA")},
		first(-1), func(b *bank, p []float64) step {
			e, value, count := b.efficiency(int(p[0])), b.take(1), b.counters(1)
			n, fast, slow := int(p[0]), 2/(p[1]+1), 2/(p[2]+1)
			return func(in, out []float64) {
				er := e.push(in[0])
				if count[0]++; count[0] <= n {
					value[0], out[0] = in[0], nan()
					if count[0] == n {
						out[0] = in[0]
					}
					count[0] = min(count[0], n)
					if er != er {
						return
					}
				}
				c := float64(er*(fast-slow)) + slow
				value[0] += float64(c * c * (in[0] - value[0]))
				out[0] = value[0]
				count[0] = n
			}
		})
})
