package strategy

import (
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// StraddleParams are those of straddles: a call and a put of the strike nearest
// to the price at which both have bids.
type StraddleParams struct {
	OptionParams
	Management
}

// StrangleParams are those of strangles: a put below the price and a call above.
type StrangleParams struct {
	OptionParams
	Delta         float64 `json:"delta" min:"0.01" max:"0.5" doc:"delta of both options, without sign"`
	PutMoneyness  float64 `json:"put_moneyness" min:"0" max:"10" doc:"instead of the delta: the highest strike at or below this part of the price; 0: by delta"`
	CallMoneyness float64 `json:"call_moneyness" min:"0" max:"10" doc:"instead of the delta: the lowest strike at or above this part of the price; 0: by delta"`
	Management
}

// What is sold without wings has no bounded loss: it is closed at a loss of twice
// the credit, and three weeks before expiry.
func shortVolDefaults() (OptionParams, Management) {
	p, m := defaultOptionParams(), defaultManagement()
	p.OpenInterest, p.Capital = 100, 0.10
	m.TakeProfit, m.StopLoss, m.CloseDTE = 0.50, 2, 21
	return p, m
}

// What is bought is sold again before time eats it.
func longVolDefaults() (OptionParams, Management) {
	p, m := defaultOptionParams(), defaultManagement()
	p.OpenInterest = 100
	m.TakeProfit, m.StopLoss, m.CloseDTE, m.RollCredit = 0.50, 0.50, 14, false
	return p, m
}

func approvalOf(long bool) OptionsNeed {
	if long {
		return LongOptions
	}
	return NakedOptions
}

// NewStraddle returns a strategy that buys straddles when long, and sells them
// otherwise. The error is a *FieldError.
func NewStraddle(long bool, p StraddleParams) (Strategy, error) {
	name, leg := "short straddle", sold
	if long {
		name, leg = "long straddle", bought
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: name, shapes: []string{name}, approval: approvalOf(long), margin: !long,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) {
			for _, expiry := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
				if call, put, ok := v.atMoney(expiry, !long); ok {
					return []pick{leg(call), leg(put)}, ""
				}
			}
			return nil, "no straddle at the price qualifies"
		},
	})
}

// NewStrangle returns a strategy that buys strangles when long, and sells them
// otherwise. The error is a *FieldError.
func NewStrangle(long bool, p StrangleParams) (Strategy, error) {
	if p.PutMoneyness > 0 && p.CallMoneyness > 0 && p.PutMoneyness >= p.CallMoneyness {
		return nil, invalid.Fieldf("put_moneyness", p.PutMoneyness, "below call_moneyness, %g", p.CallMoneyness)
	}
	name, shapes, leg := "short strangle", []string{"short strangle", "short straddle"}, sold
	if long {
		name, shapes, leg = "long strangle", []string{"long strangle"}, bought
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: name, shapes: shapes, approval: approvalOf(long), margin: !long,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) {
			for _, expiry := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
				put, ok := v.choose(expiry, strikeRule{kind: options.Put, sell: !long, moneyness: p.PutMoneyness, delta: p.Delta})
				call, also := v.choose(expiry, strikeRule{kind: options.Call, sell: !long, moneyness: p.CallMoneyness, delta: p.Delta})
				if ok && also && put.Strike < call.Strike {
					return []pick{leg(put), leg(call)}, ""
				}
			}
			return nil, "no put and call qualify"
		},
	})
}
