package strategy

import (
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// ButterflyParams are those of the iron butterfly: a straddle at the price that
// is sold, with wings.
type ButterflyParams struct {
	OptionParams
	WingPutMoneyness  float64 `json:"wing_put_moneyness" min:"0" max:"1" doc:"strike of the put that is bought as a part of the price, before all other rules; 0: by delta or width"`
	WingCallMoneyness float64 `json:"wing_call_moneyness" min:"0" max:"10" doc:"strike of the call that is bought as a part of the price, before all other rules; 0: by delta or width"`
	WingDelta         float64 `json:"wing_delta" min:"0" max:"0.5" doc:"delta of the options that are bought, without sign; 0: by width"`
	Width             float64 `json:"width" min:"0" doc:"dollars from the middle strike to the wings, when nothing else says"`
	MinCredit         float64 `json:"min_credit" min:"0" max:"1" doc:"least credit as a part of the wider side's width, at middle prices"`
	Management
}

// butterflyDefaults are those of the notebook on the iron butterfly: its stops
// are a net delta of 0.50 and a volatility of 60 %.
func butterflyDefaults() ButterflyParams {
	p := ButterflyParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), WingDelta: 0.15, Width: 10}
	p.DTE, p.MinDTE, p.MaxDTE, p.StrikeRange, p.OpenInterest = 28, 14, 35, 0.15, 100
	p.RateFrom, p.Rate, p.TakeProfit, p.StopNetDelta, p.StopVol, p.CloseDTE = RateFixed, 0.01, 0.60, 0.50, 0.60, 1
	return p
}

// NewButterfly returns a strategy that sells iron butterflies. The error is a
// *FieldError.
func NewButterfly(p ButterflyParams) (Strategy, error) {
	if p.WingDelta == 0 && p.Width == 0 && (p.WingPutMoneyness == 0 || p.WingCallMoneyness == 0) {
		return nil, invalid.Field("width", p.Width, "a width above 0, or wing_delta, or both moneynesses of the wings")
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "iron butterfly", shapes: []string{"iron butterfly"},
		approval: SpreadOptions, margin: true,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) {
			why := "no expiry within the days asked for"
			for _, expiry := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
				call, put, ok := v.atMoney(expiry, true)
				if !ok {
					why = "no straddle at the price qualifies"
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
