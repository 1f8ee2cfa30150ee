package indicators

// AlligatorValues are the outputs of [Alligator], of equal length.
type AlligatorValues struct{ Jaw, Teeth, Lips []float64 }

// AlligatorPoint is one bar of [AlligatorValues].
type AlligatorPoint struct{ Jaw, Teeth, Lips float64 }

// Alligator writes Bill Williams's three shifted smoothed averages of the
// median price (high+low)/2 into dst and returns them: Jaw SMMA 13 drawn 8 bars
// later, Teeth 8 by 5, Lips 5 by 3 (Trading Chaos, 1995). Value t is the one
// drawn at t, computed from bars of 8, 5 or 3 bars before. The first 20, 12 and
// 7 values are NaN.
func Alligator(dst AlligatorValues, high, low []float64, jaw, jawShift, teeth, teethShift, lips, lipsShift int) AlligatorValues {
	out := [][]float64{dst.Jaw, dst.Teeth, dst.Lips}
	batch(alligatorIndicator(), out, [][]float64{high, low}, float64(jaw), float64(jawShift), float64(teeth), float64(teethShift), float64(lips), float64(lipsShift))
	return AlligatorValues{Jaw: out[0], Teeth: out[1], Lips: out[2]}
}

// AlligatorStream is [Alligator] one bar at a time. It is not safe for concurrent use; make
// it with [NewAlligator].
type AlligatorStream struct{ machine }

// NewAlligator returns a stream of [Alligator], or a *[FieldError] for a parameter that is
// out of range.
func NewAlligator(jaw, jawShift, teeth, teethShift, lips, lipsShift int) (*AlligatorStream, error) {
	m, err := open(alligatorIndicator(), float64(jaw), float64(jawShift), float64(teeth), float64(teethShift), float64(lips), float64(lipsShift))
	if err != nil {
		return nil, err
	}
	return &AlligatorStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *AlligatorStream) Update(high, low float64) AlligatorPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return AlligatorPoint{Jaw: s.out[0], Teeth: s.out[1], Lips: s.out[2]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *AlligatorStream) Peek(high, low float64) AlligatorPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return AlligatorPoint{Jaw: s.out[0], Teeth: s.out[1], Lips: s.out[2]}
}

var alligatorIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Alligator", Summary: "Williams's alligator: three smoothed averages of the median price, shifted forward.",
		Inputs: hl(), Params: alligatorParams(), Outputs: overlay("Jaw", "Teeth", "Lips")},
		alligatorWarmup(0), func(b *bank, p []float64) step {
			a := b.alligator(p)
			return func(in, out []float64) { a.push((in[0]+in[1])/2, out) }
		})
})

func alligatorParams() []Param {
	return []Param{period("jaw", 13, 1), period("jawShift", 8, 1), period("teeth", 8, 1), period("teethShift", 5, 1), period("lips", 5, 1), period("lipsShift", 3, 1)}
}

func alligatorWarmup(more int) func(p []float64) int {
	return func(p []float64) int { return int(max(p[0]+p[1], p[2]+p[3], p[4]+p[5])) - 1 + more }
}

type alligator struct {
	averages [3]ema
	shifts   [3]lag
}

func (b *bank) alligator(p []float64) (a alligator) {
	for i := range 3 {
		a.averages[i], a.shifts[i] = b.wilder(int(p[2*i])), b.lag(int(p[2*i+1]))
	}
	return a
}

func (a alligator) push(x float64, out []float64) {
	for i := range 3 {
		out[i] = a.shifts[i].push(a.averages[i].push(x))
	}
}
