package options

import (
	"cmp"
	"math"
	"slices"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A VarianceStrip is the variance that an expiry's options replicate, whatever
// the model.
type VarianceStrip struct {
	Years    float64
	Forward  float64 // strike + e^(rT)·(call - put) where call and put cost the most alike
	Cutoff   float64 // the highest strike that is not above Forward
	Strikes  int     // how many take part
	Variance float64 // per year
}

// Vol returns the square root of the variance, a decimal per year.
func (v VarianceStrip) Vol() float64 { return math.Sqrt(v.Variance) }

// VarianceStrip returns the model-free variance of the expiry by the rules of
// Cboe's volatility indices (Cboe VIX White Paper, "The VIX Index Calculation"):
//
//	σ² = 2/T·Σ ΔK/K²·e^(rT)·Q(K) - 1/T·(F/K0 - 1)²
//
// over puts below the cutoff strike K0, calls above it and the mean of both at
// it, Q being the middle of bid and ask (less what early exercise adds to an
// American option). A quote without a bid is left out, and
// after two of them in a row, everything further out. It is a *[FieldError]
// when the expiry has no time left or fewer than three usable strikes.
func (e Expiry) VarianceStrip() (VarianceStrip, error) {
	if !(e.Years > 0) || math.Abs(e.Rate*e.Years) > maxExponent {
		return VarianceStrip{}, invalid.Field("years", e.Years, "an expiry with time left")
	}
	rows := stripRows(e.Contracts)
	grow, v := growth(e.Rate, e.Years), VarianceStrip{Years: e.Years}
	least := math.Inf(1)
	for _, r := range rows {
		if d := math.Abs(r.call - r.put); d < least {
			least, v.Forward = d, r.strike+grow*(r.call-r.put)
		}
	}
	center := -1
	for i, r := range rows {
		if r.strike <= v.Forward {
			center = i
		}
	}
	if center < 0 || math.IsInf(least, 1) {
		return VarianceStrip{}, invalid.Missing("contracts", "a call and a put of one strike, and a strike below the forward")
	}
	v.Cutoff = rows[center].strike
	used := []stripPrice{{v.Cutoff, 0.5 * (rows[center].call + rows[center].put)}}
	if math.IsNaN(used[0].price) {
		return VarianceStrip{}, invalid.Fieldf("contracts", v.Cutoff, "a call and a put with bid and offer at the strike below the forward")
	}
	out := 0
	for i := center - 1; i >= 0 && out < 2; i-- {
		used, out = rows[i].add(used, rows[i].put, rows[i].putBid, out)
	}
	out = 0
	for i := center + 1; i < len(rows) && out < 2; i++ {
		used, out = rows[i].add(used, rows[i].call, rows[i].callBid, out)
	}
	slices.SortFunc(used, func(a, b stripPrice) int { return cmp.Compare(a.strike, b.strike) })
	if v.Strikes = len(used); v.Strikes < 3 {
		return VarianceStrip{}, invalid.Field("contracts", v.Strikes, "at least three strikes with a bid")
	}
	sum := 0.0
	for i, q := range used {
		gap := 0.5 * (used[min(i+1, len(used)-1)].strike - used[max(i-1, 0)].strike)
		if i == 0 || i == len(used)-1 {
			gap *= 2
		}
		sum += gap / (q.strike * q.strike) * q.price
	}
	apart := v.Forward/v.Cutoff - 1
	v.Variance = (2*grow*sum - apart*apart) / v.Years
	return v, nil
}

type stripPrice struct{ strike, price float64 }

// A stripRow is one strike's call and put; prices are NaN when unknown.
type stripRow struct {
	strike, call, put float64
	callBid, putBid   bool
}

func stripRows(contracts []Contract) []stripRow {
	var rows []stripRow
	for i := range contracts {
		c := &contracts[i]
		if n := len(rows); n == 0 || rows[n-1].strike != c.Strike {
			rows = append(rows, stripRow{strike: c.Strike, call: math.NaN(), put: math.NaN()})
		}
		r := &rows[len(rows)-1]
		if c.Kind == Call {
			r.call, r.callBid = c.Mid-c.EarlyExercise, c.Bid > 0
		} else {
			r.put, r.putBid = c.Mid-c.EarlyExercise, c.Bid > 0
		}
	}
	return rows
}

// add appends the price when somebody bids; out counts misses in a row.
func (r stripRow) add(used []stripPrice, price float64, bid bool, out int) ([]stripPrice, int) {
	if !bid || math.IsNaN(price) {
		return used, out + 1
	}
	return append(used, stripPrice{r.strike, price}), 0
}

// VolatilityIndex returns the model-free volatility at a constant maturity, a
// decimal per year (the VIX divides into 100ths what this gives for SPX options
// and 30 days): the two expiries around it, interpolated in total variance.
// The error is a *[FieldError] when days does not lie between two expiries that
// have a [VarianceStrip].
func (c *Chain) VolatilityIndex(days float64) (float64, error) {
	var strips []VarianceStrip
	for _, e := range c.Expiries {
		if v, err := e.VarianceStrip(); err == nil && v.Variance > 0 {
			strips = append(strips, v)
		}
	}
	return InterpolateVariance(strips, days/365)
}

// InterpolateVariance returns the volatility at years between strips ascending
// by time, linear in total variance.
func InterpolateVariance(strips []VarianceStrip, years float64) (float64, error) {
	for i, next := range strips {
		switch {
		case next.Years == years:
			return next.Vol(), nil
		case i > 0 && next.Years > years && strips[i-1].Years < years:
			near := strips[i-1]
			weight := (years - near.Years) / (next.Years - near.Years)
			total := (1-weight)*near.Variance*near.Years + weight*next.Variance*next.Years
			return math.Sqrt(total / years), nil
		}
	}
	return math.NaN(), invalid.Field("days", 365*years, "a time between two expiries with enough quotes")
}
