package indicators

import "math"

// RangeVolatilityValues are the outputs of [RangeVolatility], of equal length.
type RangeVolatilityValues struct{ Parkinson, GarmanKlass, RogersSatchell, YangZhang []float64 }

// RangeVolatilityPoint is one bar of [RangeVolatilityValues].
type RangeVolatilityPoint struct{ Parkinson, GarmanKlass, RogersSatchell, YangZhang float64 }

// RangeVolatility writes estimators of volatility per year from whole bars, as
// decimals, into dst and returns them, each over the last n bars:
//
//	Parkinson      Σ ln(H/L)² / (4·ln 2·n)
//	GarmanKlass    Σ (½·ln(H/L)² - (2·ln 2 - 1)·ln(C/O)²) / n
//	RogersSatchell Σ (ln(H/C)·ln(H/O) + ln(L/C)·ln(L/O)) / n
//	YangZhang      variance of ln(O/C before) + k·variance of ln(C/O) + (1-k)·RogersSatchell,  k = 0.34/(1.34 + (n+1)/(n-1))
//
// (Parkinson 1980; Garman and Klass 1980; Rogers and Satchell 1991; Yang and
// Zhang 2000), of which the root is scaled by periodsPerYear. A bar with a price
// that is not positive has no value and is left out. The first n values are NaN.
func RangeVolatility(dst RangeVolatilityValues, open, high, low, close []float64, n int, periodsPerYear float64) RangeVolatilityValues {
	out := [][]float64{dst.Parkinson, dst.GarmanKlass, dst.RogersSatchell, dst.YangZhang}
	batch(rangeVolatilityIndicator(), out, [][]float64{open, high, low, close}, float64(n), periodsPerYear)
	return RangeVolatilityValues{Parkinson: out[0], GarmanKlass: out[1], RogersSatchell: out[2], YangZhang: out[3]}
}

// RangeVolatilityStream is [RangeVolatility] one bar at a time. It is not safe for concurrent use; make
// it with [NewRangeVolatility].
type RangeVolatilityStream struct{ machine }

// NewRangeVolatility returns a stream of [RangeVolatility], or a *[FieldError] for a parameter that is
// out of range.
func NewRangeVolatility(n int, periodsPerYear float64) (*RangeVolatilityStream, error) {
	m, err := open(rangeVolatilityIndicator(), float64(n), periodsPerYear)
	if err != nil {
		return nil, err
	}
	return &RangeVolatilityStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *RangeVolatilityStream) Update(open, high, low, close float64) RangeVolatilityPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return RangeVolatilityPoint{Parkinson: s.out[0], GarmanKlass: s.out[1], RogersSatchell: s.out[2], YangZhang: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *RangeVolatilityStream) Peek(open, high, low, close float64) RangeVolatilityPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return RangeVolatilityPoint{Parkinson: s.out[0], GarmanKlass: s.out[1], RogersSatchell: s.out[2], YangZhang: s.out[3]}
}

var rangeVolatilityIndicator = once(func() Indicator {
	return describe(Indicator{Name: "RangeVolatility", Aliases: []string{"Parkinson", "GarmanKlass", "RogersSatchell", "YangZhang"}, Summary: "Volatility per year from open, high, low and close.",
		Inputs: ohlc(), Params: []Param{period("n", 20, 2), number("periodsPerYear", 252, 1e-6, maxPeriodsPerYear)}, Outputs: pane("Parkinson", "GarmanKlass", "RogersSatchell", "YangZhang")},
		first(0), func(b *bank, p []float64) step {
			n := p[0]
			last := b.lag(1)
			pk, gk, rs := b.sum(int(n)), b.sum(int(n)), b.sum(int(n))
			night, day := b.moments(int(n)), b.moments(int(n))
			k := 0.34 / (1.34 + (n+1)/(n-1))
			return func(in, out []float64) {
				o, h, l, c := in[0], in[1], in[2], in[3]
				if !(min(o, h, l, c) > 0) {
					fillNaN(out)
					return
				}
				ho, lo, co := logReturn(o, h), logReturn(o, l), logReturn(o, c)
				hl := ho - lo
				r := rs.push(float64((ho-co)*ho) + float64((lo-co)*lo))
				_, vn := night.push(logReturn(last.push(c), o))
				_, vd := day.push(co)
				out[0] = pk.push(hl*hl) / (4 * math.Ln2 * n)
				out[1] = gk.push(float64(0.5*hl*hl)-float64((2*math.Ln2-1)*co*co)) / n
				out[2] = r / n
				out[3] = vn/(n-1) + float64(k*vd/(n-1)) + float64((1-k)*r/n)
				for i := range out {
					out[i] = math.Sqrt(max(out[i], 0) * p[1])
				}
			}
		})
})
