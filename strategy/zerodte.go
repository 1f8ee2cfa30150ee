package strategy

import (
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// ZeroDTEParams are those of the put spread that lives for a day.
type ZeroDTEParams struct{ VerticalParams }

func zeroDTEDefaults() ZeroDTEParams {
	p := ZeroDTEParams{VerticalParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), Delta: 0.40, Within: 0.02, FarDelta: 0.20, MinCredit: 0.33}}
	p.DTE, p.MinDTE, p.MaxDTE, p.OpenInterest = 0, 0, 0, 500
	p.StopDeltaTimes, p.StopLoss, p.CloseBefore = 2, 0.50, 15*time.Minute
	p.EnterAfter, p.EnterUntil = 5*time.Minute, 5*time.Hour
	return p
}

// NewZeroDTE returns a strategy that sells a put spread in the morning of its
// expiry. The error is a *FieldError.
func NewZeroDTE(p ZeroDTEParams) (Strategy, error) {
	if err := p.checkStrikes(options.Put); err != nil {
		return nil, err
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "zero-DTE put spread", shapes: []string{string(BullPut)},
		approval: SpreadOptions, margin: true,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) {
			return v.vertical(&p.VerticalParams, options.Put, true, after)
		},
	})
}
