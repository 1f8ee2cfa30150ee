package indicators

// DonchianValues are the outputs of [Donchian], of equal length.
type DonchianValues struct{ Upper, Middle, Lower, Width []float64 }

// DonchianPoint is one bar of [DonchianValues].
type DonchianPoint struct{ Upper, Middle, Lower, Width float64 }

// Donchian writes Donchian's channel into dst and returns it: the highest high
// and the lowest low of n bars, their middle, and the width in parts of it.
// shift 1 leaves the current bar out, so that a close beyond the channel is his
// breakout; shift 0 counts it, as TradingView does. The first n-1+shift values
// are NaN.
func Donchian(dst DonchianValues, high, low []float64, n, shift int) DonchianValues {
	out := [][]float64{dst.Upper, dst.Middle, dst.Lower, dst.Width}
	batch(donchianIndicator(), out, [][]float64{high, low}, float64(n), float64(shift))
	return DonchianValues{Upper: out[0], Middle: out[1], Lower: out[2], Width: out[3]}
}

// DonchianStream is [Donchian] one bar at a time. It is not safe for concurrent use; make
// it with [NewDonchian].
type DonchianStream struct{ machine }

// NewDonchian returns a stream of [Donchian], or a *[FieldError] for a parameter that is
// out of range.
func NewDonchian(n, shift int) (*DonchianStream, error) {
	m, err := open(donchianIndicator(), float64(n), float64(shift))
	if err != nil {
		return nil, err
	}
	return &DonchianStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *DonchianStream) Update(high, low float64) DonchianPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Update(s.in, s.out)
	return DonchianPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2], Width: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *DonchianStream) Peek(high, low float64) DonchianPoint {
	s.in[0], s.in[1] = high, low
	s.machine.Peek(s.in, s.out)
	return DonchianPoint{Upper: s.out[0], Middle: s.out[1], Lower: s.out[2], Width: s.out[3]}
}

var donchianIndicator = once(func() Indicator {
	return describe(Indicator{Name: "Donchian", Aliases: []string{"DC"}, Summary: "Donchian channel: the extremes of the last n bars.",
		Inputs: hl(), Params: []Param{period("n", 20, 1), whole("shift", 1, 0, 1)}, Outputs: append(overlay("Upper", "Middle", "Lower"), pane("Width")...)},
		func(p []float64) int { return int(p[0]+p[1]) - 1 }, func(b *bank, p []float64) step {
			h, l, hb, lb := b.highest(int(p[0])), b.lowest(int(p[0])), b.lag(1), b.lag(1)
			return func(in, out []float64) {
				up, down := h.push(in[0]), l.push(in[1])
				if p[1] == 1 {
					up, down = hb.push(up), lb.push(down)
				}
				m := (up + down) / 2
				out[0], out[1], out[2], out[3] = up, m, down, over(up-down, m, nan())
			}
		})
})
