package options_test

import (
	"math"

	"github.com/ttai-go/ttai/options"
)

// byQuadrature values an option on a share that pays cash dividends in the spot
// model without a grid in time: from one date to the one before, the value is the
// mean over the lognormal spot, by the trapezoidal rule on even points of its
// logarithm, which is exact to rounding for a smooth value. The last interval is
// Black and Scholes's formula. With perQuarter above 0 the option can be exercised
// on that many evenly spaced dates a quarter; those are extrapolated to
// exercise at all times. It shares nothing with the engines it is a witness for.
func byQuadrature(p options.BSM, k options.Kind, dividends []options.Dividend, points, perQuarter int) float64 {
	if perQuarter > 0 {
		// The error is a series in the time between two dates.
		a, b, c := quadrature(p, k, dividends, points, perQuarter, 1), quadrature(p, k, dividends, points, perQuarter, 2), quadrature(p, k, dividends, points, perQuarter, 4)
		return (8*c - 6*b + a) / 3
	}
	return quadrature(p, k, dividends, points, 0, 1)
}

func quadrature(p options.BSM, k options.Kind, dividends []options.Dividend, points, perQuarter, finer int) float64 {
	half := 8*p.Vol*math.Sqrt(p.Years) + 0.5
	h := 2 * half / float64(points)
	spots, v := make([]float64, points+1), make([]float64, points+1)
	for i := range spots {
		spots[i] = p.Spot * math.Exp(-half+float64(i)*h)
	}
	exercise := func() {
		if perQuarter > 0 {
			for i, s := range spots {
				v[i] = max(v[i], float64(k)*(s-p.Strike))
			}
		}
	}
	first := true
	back := func(years float64) {
		n := finer * max(1, int(math.Round(4*float64(perQuarter)*years)))
		for range n {
			if first {
				for i, s := range spots {
					last := p
					last.Spot, last.Years = s, years/float64(n)
					v[i] = last.Price(k)
				}
				first = false
			} else {
				v = meanBefore(p, spots, v, h, years/float64(n))
			}
			exercise()
		}
	}
	now := p.Years
	for i := len(dividends) - 1; i >= 0; i-- {
		d := dividends[i]
		back(now - d.Years)
		now = d.Years
		after := v
		v = make([]float64, len(after))
		for j, s := range spots {
			if left := s - d.Cash; left > spots[0] {
				v[j] = sixPoint(after, (math.Log(left/spots[0]))/h)
			} else {
				v[j] = after[0] + (after[1]-after[0])/(spots[1]-spots[0])*(max(left, 0)-spots[0])
			}
		}
		exercise()
	}
	back(now)
	return v[points/2]
}

// meanBefore is the discounted mean of v after a time, at every spot; beyond the
// ends v is linear in the spot.
func meanBefore(p options.BSM, spots, v []float64, h, years float64) []float64 {
	dev, drift := p.Vol*math.Sqrt(years), (p.Rate-p.Yield-0.5*p.Vol*p.Vol)*years
	from, to := int(math.Floor((drift-8.5*dev)/h)), int(math.Ceil((drift+8.5*dev)/h))
	n := len(v)
	wide := make([]float64, n+to-from)
	for i := range wide {
		j := i + from
		switch {
		case j < 0:
			wide[i] = v[0] + (v[1]-v[0])/(spots[1]-spots[0])*(spots[0]*math.Exp(h*float64(j))-spots[0])
		case j >= n:
			wide[i] = v[n-1] + (v[n-1]-v[n-2])/(spots[n-1]-spots[n-2])*(spots[n-1]*math.Exp(h*float64(j-n+1))-spots[n-1])
		default:
			wide[i] = v[j]
		}
	}
	weights := make([]float64, to-from+1)
	for i := range weights {
		z := (float64(from+i)*h - drift) / dev
		weights[i] = math.Exp(-0.5*z*z-p.Rate*years) * h / (dev * math.Sqrt(2*math.Pi))
	}
	out := make([]float64, n)
	for i := range out {
		sum := 0.0
		for j, w := range weights[:min(len(weights), len(wide)-i)] {
			sum += w * wide[i+j]
		}
		out[i] = sum
	}
	return out
}

// sixPoint is Lagrange's interpolation through six even points.
func sixPoint(v []float64, at float64) float64 {
	first := max(0, min(int(at)-2, len(v)-6))
	sum := 0.0
	for i := range 6 {
		w := v[first+i]
		for j := range 6 {
			if j != i {
				w *= (at - float64(first+j)) / float64(i-j)
			}
		}
		sum += w
	}
	return sum
}
