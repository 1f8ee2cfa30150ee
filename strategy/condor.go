package strategy

import (
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// CondorParams are those of the iron condor: a put spread below the price and a
// call spread above it, both sold.
type CondorParams struct {
	OptionParams
	Delta             float64 `json:"delta" min:"0.01" max:"0.5" doc:"delta of the options that are sold, without sign"`
	PutMoneyness      float64 `json:"put_moneyness" min:"0" max:"10" doc:"instead of the delta: strike of the put that is sold, the highest at or below this part of the price; 0: by delta"`
	CallMoneyness     float64 `json:"call_moneyness" min:"0" max:"10" doc:"instead of the delta: strike of the call that is sold, the lowest at or above this part of the price; 0: by delta"`
	WingDelta         float64 `json:"wing_delta" min:"0" max:"0.5" doc:"delta of the options that are bought, without sign; 0: by width"`
	WingPutMoneyness  float64 `json:"wing_put_moneyness" min:"0" max:"10" doc:"strike of the put that is bought as a part of the price, before all other rules; 0: by delta or width"`
	WingCallMoneyness float64 `json:"wing_call_moneyness" min:"0" max:"10" doc:"strike of the call that is bought as a part of the price, before all other rules; 0: by delta or width"`
	Width             float64 `json:"width" min:"0" doc:"dollars from each option that is sold to its wing, when nothing else says"`
	MinCredit         float64 `json:"min_credit" min:"0" max:"1" doc:"least credit as a part of the wider side's width, at middle prices"`
	Management
}

// condorDefaults are those of the notebook on the iron condor.
func condorDefaults() CondorParams {
	p := CondorParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), Delta: 0.20, WingDelta: 0.10, Width: 5}
	p.DTE, p.MinDTE, p.MaxDTE, p.StrikeRange, p.OpenInterest = 28, 14, 35, 0.15, 100
	p.RateFrom, p.Rate, p.TakeProfit, p.StopLoss, p.CloseDTE = RateFixed, 0.01, 0.40, 2, 1
	return p
}

// NewCondor returns a strategy that sells iron condors. The error is a *FieldError.
func NewCondor(p CondorParams) (Strategy, error) {
	if p.WingDelta == 0 && p.Width == 0 && (p.WingPutMoneyness == 0 || p.WingCallMoneyness == 0) {
		return nil, invalid.Field("width", p.Width, "a width above 0, or wing_delta, or both moneynesses of the wings")
	}
	if p.PutMoneyness > 0 && p.CallMoneyness > 0 && p.PutMoneyness >= p.CallMoneyness {
		return nil, invalid.Fieldf("put_moneyness", p.PutMoneyness, "below call_moneyness, %g", p.CallMoneyness)
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "iron condor", shapes: []string{"iron condor", "iron butterfly"},
		approval: SpreadOptions, margin: true,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) {
			why := "no expiry within the days asked for"
			for _, expiry := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
				put, ok := v.choose(expiry, strikeRule{kind: options.Put, sell: true, moneyness: p.PutMoneyness, delta: p.Delta})
				call, also := v.choose(expiry, strikeRule{kind: options.Call, sell: true, moneyness: p.CallMoneyness, delta: p.Delta})
				if !ok || !also || put.Strike >= call.Strike {
					why = "no put and call to sell qualify"
					continue
				}
				var picks []pick
				if picks, why = v.winged(expiry, put, call, wings{
					put:  strikeRule{kind: options.Put, moneyness: p.WingPutMoneyness, delta: p.WingDelta, width: p.Width},
					call: strikeRule{kind: options.Call, moneyness: p.WingCallMoneyness, delta: p.WingDelta, width: p.Width},
				}, p.MinCredit); why == "" {
					return picks, ""
				}
			}
			return nil, why
		},
	})
}

// wings are the rules of the options that protect two sold ones.
type wings struct{ put, call strikeRule }

// winged returns four legs: the put and call that are sold, and their wings.
func (v *view) winged(expiry []market.OptionQuote, put, call market.OptionQuote, w wings, minCredit float64) ([]pick, string) {
	w.put.from, w.call.from = put.Strike, call.Strike
	low, ok := v.choose(expiry, w.put)
	high, also := v.choose(expiry, w.call)
	if !ok || !also || low.Strike >= put.Strike || high.Strike <= call.Strike {
		return nil, "no wings qualify"
	}
	picks := []pick{sold(put), bought(low), sold(call), bought(high)}
	width := max(put.Strike-low.Strike, high.Strike-call.Strike)
	credit := cashOf(picks, v.spot) / 100
	if !(credit > 0) || credit < minCredit*width {
		return nil, "the credit is too small for the width"
	}
	return picks, ""
}
