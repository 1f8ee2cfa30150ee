package levels

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A PivotMethod is a formula for pivot points.
type PivotMethod string

// The pivot methods. H, L, C are the previous period's high, low and close, O
// its open, O' the current period's open.
const (
	// PivotStandard, the floor traders' pivots:
	//
	//	P  = (H + L + C) / 3
	//	R1 = 2P - L           S1 = 2P - H
	//	R2 = P + (H - L)      S2 = P - (H - L)
	//	R3 = H + 2(P - L)     S3 = L - 2(H - P)
	PivotStandard PivotMethod = "standard"

	// PivotFibonacci has the standard P, and
	//
	//	R1..R3 = P + {0.382, 0.618, 1} (H - L)     S1..S3 = P - the same
	PivotFibonacci PivotMethod = "fibonacci"

	// PivotCamarilla has the standard P, and
	//
	//	R1..R4 = C + 1.1 (H - L) / {12, 6, 4, 2}   S1..S4 = C - the same
	PivotCamarilla PivotMethod = "camarilla"

	// PivotWoodie weighs the current open, or the previous close when the open
	// is not known:
	//
	//	P = (H + L + 2 O') / 4 or (H + L + 2C) / 4; R1..R3 and S1..S3 as standard
	PivotWoodie PivotMethod = "woodie"

	// PivotDeMark weighs by the direction of the previous period:
	//
	//	X  = H + 2L + C when C < O, 2H + L + C when C > O, H + L + 2C when equal
	//	P  = X / 4            R1 = X/2 - L         S1 = X/2 - H
	PivotDeMark PivotMethod = "demark"
)

// PivotPoints are the levels of one period, in the unit of the bar. Those that
// a method lacks are NaN: R4 and S4 exist for Camarilla alone, DeMark has only P, R1 and S1.
type PivotPoints struct {
	Method         PivotMethod
	P              float64
	R1, R2, R3, R4 float64
	S1, S2, S3, S4 float64
}

// Pivots returns the pivot points that follow from the previous period's bar.
// The current period's open matters to PivotWoodie alone; pass NaN when it is
// not known. An empty method means PivotStandard.
func Pivots(previous market.Bar, method PivotMethod, open float64) (PivotPoints, error) {
	h, l, c := previous.High, previous.Low, previous.Close
	if sum := h + l + c; math.IsNaN(sum) || math.IsInf(sum, 0) || h < l {
		return PivotPoints{}, invalid.Field("previous", []float64{h, l, c}, "a bar with a known high, low and close, the high not below the low")
	}
	n := math.NaN()
	p := PivotPoints{Method: method, P: (h + l + c) / 3, R1: n, R2: n, R3: n, R4: n, S1: n, S2: n, S3: n, S4: n}
	span := h - l
	switch method {
	case PivotStandard, "":
		p.Method = PivotStandard
		p.floor(h, l)
	case PivotWoodie:
		weight := open
		if math.IsNaN(open) {
			weight = c
		}
		p.P = (h + l + 2*weight) / 4
		p.floor(h, l)
	case PivotFibonacci:
		p.R1, p.S1 = p.P+0.382*span, p.P-0.382*span
		p.R2, p.S2 = p.P+0.618*span, p.P-0.618*span
		p.R3, p.S3 = p.P+span, p.P-span
	case PivotCamarilla:
		p.R1, p.S1 = c+1.1/12*span, c-1.1/12*span
		p.R2, p.S2 = c+1.1/6*span, c-1.1/6*span
		p.R3, p.S3 = c+1.1/4*span, c-1.1/4*span
		p.R4, p.S4 = c+1.1/2*span, c-1.1/2*span
	case PivotDeMark:
		if math.IsNaN(previous.Open) {
			return PivotPoints{}, invalid.Field("previous.Open", previous.Open, "a known open, which DeMark's pivots need")
		}
		x := h + l + 2*c
		switch {
		case c < previous.Open:
			x = h + 2*l + c
		case c > previous.Open:
			x = 2*h + l + c
		}
		p.P, p.R1, p.S1 = x/4, x/2-l, x/2-h
	default:
		return PivotPoints{}, invalid.Field("pivotMethod", string(method), "standard, fibonacci, camarilla, woodie or demark")
	}
	return p, nil
}

// floor fills three supports and resistances from P.
func (p *PivotPoints) floor(h, l float64) {
	p.R1, p.S1 = 2*p.P-l, 2*p.P-h
	p.R2, p.S2 = p.P+(h-l), p.P-(h-l)
	p.R3, p.S3 = h+2*(p.P-l), l-2*(h-p.P)
}

// A NamedPrice is a price with its short name, such as R1.
type NamedPrice struct {
	Name  string
	Kind  Kind
	Price float64
}

// Prices returns the points that exist, ascending: S4 … S1, P, R1 … R4.
func (p PivotPoints) Prices() []NamedPrice {
	all := []NamedPrice{
		{"S4", KindPivotSupport, p.S4}, {"S3", KindPivotSupport, p.S3}, {"S2", KindPivotSupport, p.S2}, {"S1", KindPivotSupport, p.S1},
		{"P", KindPivot, p.P},
		{"R1", KindPivotResistance, p.R1}, {"R2", KindPivotResistance, p.R2}, {"R3", KindPivotResistance, p.R3}, {"R4", KindPivotResistance, p.R4},
	}
	known := all[:0]
	for _, x := range all {
		if !math.IsNaN(x.Price) {
			known = append(known, x)
		}
	}
	return known
}
