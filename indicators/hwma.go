package indicators

// HWMA writes the Holt-Winters moving average of x into dst and returns it: a
// level, a speed and an acceleration, each smoothed with its own constant,
//
//	F(t) = (1-a)·(F + V + A/2) + a·x
//	V(t) = (1-b)·(V + A) + b·(F(t) - F)
//	A(t) = (1-c)·A + c·(V(t) - V)
//	HWMA = F(t) + V(t) + A(t)/2
//
// with F, V, A of the bar before, from the first value and no motion. No value
// is NaN.
func HWMA(dst, x []float64, a, b, c float64) []float64 {
	return single(hwmaIndicator(), dst, [][]float64{x}, a, b, c)
}

// HWMAStream is [HWMA] one value at a time. It is not safe for concurrent use; make
// it with [NewHWMA].
type HWMAStream struct{ machine }

// NewHWMA returns a stream of [HWMA], or a *[FieldError] for a parameter that is
// out of range.
func NewHWMA(a, b, c float64) (*HWMAStream, error) {
	m, err := open(hwmaIndicator(), a, b, c)
	if err != nil {
		return nil, err
	}
	return &HWMAStream{m}, nil
}

// Update takes the next value and returns its result, NaN during warm-up.
func (s *HWMAStream) Update(x float64) float64 {
	s.in[0] = x
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *HWMAStream) Peek(x float64) float64 {
	s.in[0] = x
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var hwmaIndicator = once(func() Indicator {
	return describe(Indicator{Name: "HWMA", Summary: "Holt-Winters moving average: level, speed and acceleration.",
		Inputs: closes(), Params: []Param{number("a", 0.2, 0, 1), number("b", 0.1, 0, 1), number("c", 0.1, 0, 1)}, Outputs: overlay("HWMA")},
		warm(0), func(b *bank, p []float64) step {
			h := b.holt(p[0], p[1], p[2])
			return func(in, out []float64) { out[0] = h.push(in[0]) }
		})
})

type holt struct {
	a, b, c float64
	state   []float64
}

func (b *bank) holt(a, v, c float64) holt { return holt{a, v, c, b.cells(3)} }

func (h holt) push(x float64) float64 {
	s := h.state
	if s[0] != s[0] {
		s[0], s[1], s[2] = x, 0, 0
	}
	level := float64((1-h.a)*(s[0]+s[1]+0.5*s[2])) + float64(h.a*x)
	speed := float64((1-h.b)*(s[1]+s[2])) + float64(h.b*(level-s[0]))
	accel := float64((1-h.c)*s[2]) + float64(h.c*(speed-s[1]))
	s[0], s[1], s[2] = level, speed, accel
	return level + speed + float64(0.5*accel)
}
