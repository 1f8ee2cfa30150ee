package tools

import (
	"context"
	"errors"
	"math"
	"strings"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

type priceArgs struct {
	Kind       string   `json:"kind" schema:"enum=call|put"`
	Spot       float64  `json:"spot" jsonschema:"price of the underlying" schema:"min=0.000001,max=1e9"`
	Strike     float64  `json:"strike" schema:"min=0.000001,max=1e9"`
	Expiration string   `json:"expiration,omitempty" jsonschema:"YYYY-MM-DD, or days" schema:"maxLength=10"`
	Days       *float64 `json:"days,omitempty" jsonschema:"calendar days to expiration" schema:"min=0,max=36500"`
	Vol        *float64 `json:"vol,omitempty" jsonschema:"volatility per year as a decimal; or price, for the implied one" schema:"min=0,max=20"`
	Price      *float64 `json:"price,omitempty" jsonschema:"of the option, per share" schema:"min=0,max=1e9"`
	Rate       *float64 `json:"rate,omitempty" jsonschema:"continuous, decimal; default: the market's" schema:"min=-0.5,max=2"`
	Yield      float64  `json:"yield,omitempty" jsonschema:"dividends, continuous, decimal" schema:"min=-2,max=2"`
}

type priceResult struct {
	stamp
	Price     market.Float `json:"price"`
	Intrinsic market.Float `json:"intrinsic"`
	TimeValue market.Float `json:"time_value"`
	Vol       market.Float `json:"vol"`
	Years     market.Float `json:"years"`
	Rate      market.Float `json:"rate"`
	Delta     market.Float `json:"delta"`
	Gamma     market.Float `json:"gamma"`
	Theta     market.Float `json:"theta_per_day"`
	Vega      market.Float `json:"vega_per_point"`
	Rho       market.Float `json:"rho_per_point"`
	ProbITM   market.Float `json:"probability_itm"`
	ProbTouch market.Float `json:"probability_touch"`
	Model     string       `json:"model"`
}

func (k *kit) priceOption() agents.Tool {
	return tool(k, agents.Spec{
		Name: "price_option", Title: "Option calculator", Annotations: computes,
		Description: "Value and Greeks of an option from a volatility, or the implied volatility from its price; pure computation (Black-Scholes-Merton).",
	}, func(_ context.Context, in priceArgs) (priceResult, error) {
		kind := options.Call
		if in.Kind == "put" {
			kind = options.Put
		}
		years, err := k.years(in)
		if err != nil {
			return priceResult{}, err
		}
		p := options.BSM{Spot: in.Spot, Strike: in.Strike, Years: years, Rate: k.Rate, Yield: in.Yield}
		if in.Rate != nil {
			p.Rate = *in.Rate
		}
		switch {
		case in.Vol != nil && in.Price != nil:
			return priceResult{}, invalid.Field("price", *in.Price, "either vol or price, not both")
		case in.Vol != nil:
			p.Vol = *in.Vol
		case in.Price != nil:
			if p.Vol, err = p.ImpliedVol(kind, *in.Price); err != nil {
				return priceResult{}, noVol(*in.Price, err)
			}
		default:
			return priceResult{}, invalid.Missing("vol", "a volatility such as 0.25, or price to find the implied one")
		}
		g := p.Greeks(kind)
		value := p.Price(kind)
		intrinsic := math.Max(0, float64(kind)*(in.Spot-in.Strike))
		return priceResult{
			stamp: k.stamp(), Price: num(value, 6), Intrinsic: num(intrinsic, 6), TimeValue: num(value-intrinsic, 6),
			Vol: num(p.Vol, 6), Years: num(years, 6), Rate: known(p.Rate),
			Delta: num(g.Delta, 6), Gamma: significant(g.Gamma), Theta: num(g.ThetaPerDay(), 6), Vega: num(g.VegaPerPoint(), 6), Rho: num(g.RhoPerPoint(), 6),
			ProbITM: num(g.ProbITM, 4), ProbTouch: num(g.ProbTouch, 4),
			Model: "Black-Scholes-Merton, European exercise; American options are worth at least this",
		}, nil
	})
}

// years is the time to expiration that the arguments give.
func (k *kit) years(in priceArgs) (float64, error) {
	switch {
	case in.Days != nil && in.Expiration != "":
		return 0, invalid.Field("days", *in.Days, "either expiration or days, not both")
	case in.Days != nil:
		return *in.Days / 365, nil
	case strings.TrimSpace(in.Expiration) == "":
		return 0, invalid.Missing("expiration", "a date such as 2026-12-18, or days")
	}
	d, err := parseDate("expiration", in.Expiration)
	if err != nil {
		return 0, err
	}
	now := k.Clock.Now()
	expiry := options.ExpiryTime(d, market.SettledPM, market.CboeOptions())
	if expiry.Before(now) {
		return 0, invalid.Field("expiration", in.Expiration, "a date that has not expired by "+k.local(now).Format("2006-01-02 15:04"))
	}
	return options.YearsToExpiry(now, expiry), nil
}

// noVol explains a price that no volatility gives.
func noVol(price float64, err error) error {
	switch {
	case errors.Is(err, options.ErrBelowIntrinsic):
		return invalid.Field("price", price, "more than the discounted intrinsic value, which is worth having at any volatility")
	case errors.Is(err, options.ErrAboveMaximum):
		return invalid.Field("price", price, "less than the option can be worth: the spot for a call, the discounted strike for a put")
	case errors.Is(err, options.ErrNoTimeValue):
		return invalid.Field("price", price, "a price with time value: this one is exactly intrinsic, and any small volatility gives it")
	}
	return err
}
