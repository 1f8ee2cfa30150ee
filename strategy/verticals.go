package strategy

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// VerticalParams are those of the four vertical spreads. The near option is the
// one that gives the spread its direction: it is sold for a credit (bull put, bear
// call) and bought for a debit (bull call, bear put). The far one lies beyond it,
// further out of the money.
type VerticalParams struct {
	OptionParams
	Delta        float64 `json:"delta" min:"0.01" max:"0.99" doc:"delta of the near option, without sign"`
	Within       float64 `json:"within" min:"0" max:"1" doc:"how far a delta may be from the one asked for; 0: the nearest is taken"`
	Moneyness    float64 `json:"moneyness" min:"0" max:"10" doc:"strike of the near option as a part of the price, instead of its delta: the highest at or below it for puts, the lowest at or above it for calls; 0: by delta"`
	FarDelta     float64 `json:"far_delta" min:"0" max:"0.99" doc:"delta of the far option, without sign; 0: by width"`
	FarMoneyness float64 `json:"far_moneyness" min:"0" max:"10" doc:"strike of the far option as a part of the price, before all other rules; 0: by delta or width"`
	Width        float64 `json:"width" min:"0" doc:"dollars between the strikes, when neither far_delta nor far_moneyness says"`
	MinCredit    float64 `json:"min_credit" min:"0" max:"1" doc:"least credit as a part of the width, for spreads that are sold; at middle prices"`
	MaxDebit     float64 `json:"max_debit" min:"0" max:"1" doc:"most debit as a part of the width, for spreads that are bought; 0: any"`
	Management
}

// creditDefaults are those of the notebook on the bull put spread.
func creditDefaults() VerticalParams {
	p := VerticalParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), Delta: 0.30, Width: 5}
	p.DTE, p.MinDTE, p.MaxDTE, p.StrikeRange, p.OpenInterest = 30, 14, 45, 0.06, 50
	p.TakeProfit, p.StopDelta, p.StopVol = 0.60, 0.60, 0.80
	return p
}

func debitDefaults() VerticalParams {
	p := VerticalParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), Delta: 0.55, FarDelta: 0.30, Width: 5}
	p.DTE, p.MinDTE, p.MaxDTE, p.OpenInterest = 45, 30, 60, 50
	p.TakeProfit, p.StopLoss, p.CloseDTE, p.RollCredit = 0.60, 0.50, 7, false
	return p
}

// A Vertical is one of the four vertical spreads.
type Vertical string

// The vertical spreads.
const (
	BullPut  Vertical = "bull put spread"
	BearCall Vertical = "bear call spread"
	BullCall Vertical = "bull call spread"
	BearPut  Vertical = "bear put spread"
)

// NewVertical returns a strategy that trades one of the vertical spreads. The
// error is a *FieldError.
func NewVertical(which Vertical, p VerticalParams) (Strategy, error) {
	kind := options.Put
	switch which {
	case BullPut, BearPut:
	case BearCall, BullCall:
		kind = options.Call
	default:
		return nil, invalid.Field("which", string(which), "one of the four vertical spreads")
	}
	sells := which == BullPut || which == BearCall
	if err := p.checkStrikes(kind); err != nil {
		return nil, err
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: string(which), shapes: []string{string(which)},
		approval: SpreadOptions, margin: true,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) {
			return v.vertical(&p, kind, sells, after)
		},
	})
}

func (p *VerticalParams) checkStrikes(kind options.Kind) error {
	k := float64(kind)
	switch {
	case p.FarMoneyness > 0 && p.Moneyness > 0 && !(k*(p.FarMoneyness-p.Moneyness) > 0):
		return invalid.Fieldf("far_moneyness", p.FarMoneyness, "beyond moneyness, %g", p.Moneyness)
	case p.FarMoneyness == 0 && p.FarDelta == 0 && p.Width == 0:
		return invalid.Field("width", p.Width, "a width above 0, or one of far_delta and far_moneyness")
	case p.FarMoneyness == 0 && p.Moneyness == 0 && p.FarDelta >= p.Delta:
		return invalid.Fieldf("far_delta", p.FarDelta, "below delta, %g", p.Delta)
	}
	return nil
}

// vertical returns the two legs of a spread in the first expiry that has them.
func (v *view) vertical(p *VerticalParams, kind options.Kind, sells bool, after market.Date) ([]pick, string) {
	why := "no expiry within the days asked for"
	for _, expiry := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
		near, ok := v.choose(expiry, strikeRule{kind: kind, sell: sells, moneyness: p.Moneyness, delta: p.Delta, within: p.Within})
		if !ok {
			why = "no near option qualifies"
			continue
		}
		far, ok := v.choose(expiry, strikeRule{kind: kind, sell: !sells, moneyness: p.FarMoneyness, delta: p.FarDelta, within: p.Within,
			from: near.Strike, width: p.Width})
		width := float64(kind) * (far.Strike - near.Strike)
		if !ok || !(width > 0) {
			why = "no far option qualifies"
			continue
		}
		value := near.Mid() - far.Mid()
		switch {
		case sells && value < p.MinCredit*width:
			why = "the credit is too small for the width"
		case !sells && p.MaxDebit > 0 && value > p.MaxDebit*width:
			why = "the debit is too large for the width"
		case !(value > 0) || math.IsInf(value, 0):
			why = "the spread has no price"
		case sells:
			return []pick{sold(near), bought(far)}, ""
		default:
			return []pick{bought(near), sold(far)}, ""
		}
	}
	return nil, why
}
