package indicators

// PriceFormsValues are the outputs of [PriceForms], of equal length.
type PriceFormsValues struct{ HL2, HLC3, OHLC4, HLCC4 []float64 }

// PriceFormsPoint is one bar of [PriceFormsValues].
type PriceFormsPoint struct{ HL2, HLC3, OHLC4, HLCC4 float64 }

// PriceForms writes combinations of a bar's prices into dst and returns them:
// HL2 the median price, HLC3 the typical, OHLC4 the average, HLCC4 the weighted
// close. No value is NaN.
func PriceForms(dst PriceFormsValues, open, high, low, close []float64) PriceFormsValues {
	out := [][]float64{dst.HL2, dst.HLC3, dst.OHLC4, dst.HLCC4}
	batch(priceFormsIndicator(), out, [][]float64{open, high, low, close})
	return PriceFormsValues{HL2: out[0], HLC3: out[1], OHLC4: out[2], HLCC4: out[3]}
}

// PriceFormsStream is [PriceForms] one bar at a time. It is not safe for concurrent use; make
// it with [NewPriceForms].
type PriceFormsStream struct{ machine }

// NewPriceForms returns a stream of [PriceForms].
func NewPriceForms() (*PriceFormsStream, error) {
	m, err := open(priceFormsIndicator())
	if err != nil {
		return nil, err
	}
	return &PriceFormsStream{m}, nil
}

// Update takes the next bar and returns its result, NaN during warm-up.
func (s *PriceFormsStream) Update(open, high, low, close float64) PriceFormsPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Update(s.in, s.out)
	return PriceFormsPoint{HL2: s.out[0], HLC3: s.out[1], OHLC4: s.out[2], HLCC4: s.out[3]}
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *PriceFormsStream) Peek(open, high, low, close float64) PriceFormsPoint {
	s.in[0], s.in[1], s.in[2], s.in[3] = open, high, low, close
	s.machine.Peek(s.in, s.out)
	return PriceFormsPoint{HL2: s.out[0], HLC3: s.out[1], OHLC4: s.out[2], HLCC4: s.out[3]}
}

var priceFormsIndicator = once(func() Indicator {
	return describe(Indicator{Name: "PriceForms", Aliases: []string{"TypicalPrice", "MedianPrice", "AveragePrice", "WeightedClose", "HLC3", "HL2", "OHLC4"}, Summary: "Median, typical, average and weighted price of a bar.",
		Inputs: ohlc(), Outputs: overlay("HL2", "HLC3", "OHLC4", "HLCC4")}, warm(0), func(b *bank, p []float64) step {
		return func(in, out []float64) {
			o, h, l, c := in[0], in[1], in[2], in[3]
			out[0], out[1], out[2], out[3] = (h+l)/2, (h+l+c)/3, (o+h+l+c)/4, (h+l+c+c)/4
		}
	})
})
