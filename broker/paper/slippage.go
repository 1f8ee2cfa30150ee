package paper

// A Slippage says how much worse than the quoted price an order that takes
// whatever price there is fills: market orders and triggered stops.
type Slippage interface {
	// Slip returns how far the price moves against the order, in price units.
	// Negative moves it in favour of the order.
	Slip(s SlipInput) float64
}

// A SlipInput is what a slippage is counted from.
type SlipInput struct {
	Price     float64 // the fill's price without slippage
	Buy       bool
	Quantity  float64 // of the fill
	Bid, Ask  float64 // equal inside bars
	Tick      float64
	Opens     bool    // the order opens a position
	Bar       bool    // inside a bar
	AtOpen    bool    // at the open of a bar
	High, Low float64 // of the bar; NaN for quotes
	Volume    float64 // of the bar; NaN when not known
}

// FixedTicks is a number of ticks.
type FixedTicks struct{ Ticks float64 }

// Slip returns Ticks × tick.
func (f FixedTicks) Slip(s SlipInput) float64 { return f.Ticks * s.Tick }

// SpreadFraction is a part of the quoted spread: 0.1 is a tenth of it worse, -0.5
// fills at the middle.
type SpreadFraction struct{ Fraction float64 }

// Slip returns Fraction × (ask − bid).
func (f SpreadFraction) Slip(s SlipInput) float64 { return f.Fraction * (s.Ask - s.Bid) }

// BasisPoints is a part of the price in hundredths of a percent.
type BasisPoints struct {
	Points float64
	// Within keeps fills of bars inside the bar's range.
	Within bool
	// NotAtOpen leaves out fills at a bar's open.
	NotAtOpen bool
}

// Slip returns price × Points / 10000.
func (b BasisPoints) Slip(s SlipInput) float64 {
	if b.NotAtOpen && s.AtOpen {
		return 0
	}
	slip := s.Price * b.Points / 10_000
	switch {
	case !b.Within || !s.Bar:
	case s.Buy:
		slip = min(slip, s.High-s.Price)
	default:
		slip = min(slip, s.Price-s.Low)
	}
	return slip
}

// VolumeShare lets fills inside a bar take at most Limit of the bar's volume,
// and moves the price with the square of the part that one takes:
//
//	slip = price × Impact × (quantity / volume)²
type VolumeShare struct {
	Limit  float64 // 0.025 is 2.5 % of the bar's volume; 0: no limit
	Impact float64 // 0.1
}

// Slip returns the impact.
func (v VolumeShare) Slip(s SlipInput) float64 {
	if !(s.Volume > 0) {
		return 0
	}
	share := s.Quantity / s.Volume
	return s.Price * v.Impact * share * share
}
