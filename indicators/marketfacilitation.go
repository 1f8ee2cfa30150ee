package indicators

// MarketFacilitation writes Williams's market facilitation index
// (high-low)/volume into dst and returns it; NaN without volume.
func MarketFacilitation(dst, high, low, volume []float64) []float64 {
	return single(marketFIIndicator(), dst, [][]float64{high, low, volume})
}

// MarketFacilitationStream is [MarketFacilitation] one bar at a time. It is not safe for concurrent use; make
// it with [NewMarketFacilitation].
type MarketFacilitationStream struct{ machine }

// NewMarketFacilitation returns a stream of [MarketFacilitation].
func NewMarketFacilitation() (*MarketFacilitationStream, error) {
	m, err := open(marketFIIndicator())
	if err != nil {
		return nil, err
	}
	return &MarketFacilitationStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *MarketFacilitationStream) Update(high, low, volume float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, volume
	s.machine.Update(s.in, s.out)
	return s.out[0]
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *MarketFacilitationStream) Peek(high, low, volume float64) float64 {
	s.in[0], s.in[1], s.in[2] = high, low, volume
	s.machine.Peek(s.in, s.out)
	return s.out[0]
}

var marketFIIndicator = once(func() Indicator {
	return describe(Indicator{Name: "MarketFacilitation", Aliases: []string{"MarketFI", "BWMFI"}, Summary: "Market facilitation index: range per unit of volume.",
		Inputs: []string{"high", "low", "volume"}, Outputs: pane("MFI")}, warm(0), func(b *bank, p []float64) step {
		return func(in, out []float64) { out[0] = over(in[0]-in[1], in[2], nan()) }
	})
})
