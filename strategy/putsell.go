package strategy

import (
	"math"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// How one of several options is chosen: see [SaleParams.Choose].
const (
	ChooseScore = "score"
	ChooseYield = "yield"
	ChooseDelta = "delta"
)

// SaleParams say which single option is sold.
type SaleParams struct {
	Moneyness float64 `json:"moneyness" min:"0" max:"10" doc:"part of the price at which the strike is taken: for puts the highest strike at or below it, for calls the lowest at or above; 0: by delta"`
	MinDelta  float64 `json:"min_delta" min:"0" max:"1" doc:"least delta of the option, without sign"`
	MaxDelta  float64 `json:"max_delta" min:"0" max:"1" doc:"largest delta of the option, without sign"`
	MinYield  float64 `json:"min_yield" min:"0" max:"100" doc:"least yearly yield, bid / strike × 365 / (days + 1)"`
	MaxYield  float64 `json:"max_yield" min:"0" max:"100" doc:"largest yearly yield; 0: any"`
	Choose    string  `json:"choose" choices:"score,yield,delta" doc:"which of those that qualify: the best score, (1 - delta) × 250 / (days + 5) × bid / strike, the highest yield, or of the expiry nearest to dte the delta in the middle of the range"`
	MinScore  float64 `json:"min_score" min:"0" doc:"least score, when choose is score"`

	BandDays   int     `json:"band_days" min:"0" max:"500" doc:"days of the Bollinger bands that bound the strikes, puts from the lower band and calls up to the upper; 0: no bounds"`
	BandWidths float64 `json:"band_widths" min:"0" max:"10" doc:"deviations from the average to either band"`
}

func (p *SaleParams) check() error {
	if p.MinDelta > p.MaxDelta {
		return invalid.Fieldf("min_delta", p.MinDelta, "at most max_delta, %g", p.MaxDelta)
	}
	if p.MaxYield > 0 && p.MinYield > p.MaxYield {
		return invalid.Fieldf("min_yield", p.MinYield, "at most max_yield, %g", p.MaxYield)
	}
	return nil
}

// sale returns the option to be sold, with a strike of at least floor, or why
// there is none.
func (v *view) sale(p *SaleParams, kind options.Kind, floor float64, after market.Date) (market.OptionQuote, string) {
	expiries := v.expiries(v.p.DTE, v.p.MinDTE, v.p.MaxDTE, after)
	if len(expiries) == 0 {
		return market.OptionQuote{}, "no expiry within the days asked for"
	}
	low, high := v.bands(p)
	best, most := market.OptionQuote{}, math.Inf(-1)
	for _, expiry := range expiries {
		if p.Moneyness > 0 {
			// Only calls have a floor, and theirs are the strikes above.
			q, ok := v.choose(expiry, strikeRule{kind: kind, sell: true, moneyness: max(p.Moneyness, floor/v.spot)})
			if ok {
				return q, ""
			}
			continue
		}
		for _, q := range expiry {
			if q.Kind != kind || q.Strike < floor || kind == options.Put && q.Strike < low || kind == options.Call && q.Strike > high || !v.tradable(q, true) {
				continue
			}
			if rank := v.rank(p, q); rank > most {
				best, most = q, rank
			}
		}
		if p.Choose == ChooseDelta && !math.IsInf(most, -1) {
			break // the expiry nearest to the one aimed at counts
		}
	}
	if math.IsInf(most, -1) {
		return best, "no " + kind.String() + " qualifies"
	}
	return best, ""
}

// rank is higher for what is sold rather, and -Inf for what does not qualify.
func (v *view) rank(p *SaleParams, q market.OptionQuote) float64 {
	never := math.Inf(-1)
	days := float64(v.days(q.Expiration))
	yield := q.Bid / q.Strike * 365 / (days + 1)
	if yield < p.MinYield || p.MaxYield > 0 && yield > p.MaxYield {
		return never
	}
	delta := math.Abs(v.ownDelta(q))
	if !(delta >= p.MinDelta && delta <= p.MaxDelta) {
		return never
	}
	switch p.Choose {
	case ChooseYield:
		return yield
	case ChooseDelta:
		return -math.Abs(delta - (p.MinDelta+p.MaxDelta)/2)
	}
	score := (1 - delta) * 250 / (days + 5) * q.Bid / q.Strike
	if score < p.MinScore {
		return never
	}
	return score
}

// bands returns the bounds of strikes; without enough bars there are none.
func (v *view) bands(p *SaleParams) (low, high float64) {
	low, high = 0, math.Inf(1)
	if p.BandDays == 0 {
		return low, high
	}
	bars := v.s.Bars(v.p.Symbol, p.BandDays)
	if len(bars) < p.BandDays {
		return low, high
	}
	closes := make([]float64, len(bars))
	for i, b := range bars {
		closes[i] = b.Close
	}
	b := indicators.Bollinger(indicators.BollingerValues{}, closes, p.BandDays, p.BandWidths)
	if last := len(closes) - 1; b.Lower[last] <= b.Upper[last] {
		low, high = b.Lower[last], b.Upper[last]
	}
	return low, high
}

// PutSellParams are those of the cash-secured put.
type PutSellParams struct {
	OptionParams
	SaleParams
	Management
}

func putSellDefaults() PutSellParams {
	p := PutSellParams{OptionParams: defaultOptionParams(), Management: defaultManagement()}
	p.DTE, p.MinDTE, p.MaxDTE, p.OpenInterest, p.Capital = 30, 14, 45, 200, 0.10
	p.RateFrom, p.Rate = RateFixed, 0.01
	p.SaleParams = SaleParams{MinDelta: 0.18, MaxDelta: 0.42, Choose: ChooseDelta, BandDays: 20, BandWidths: 2}
	return p
}

// NewPutSell returns a strategy that sells puts and keeps the money for the
// shares: what a put can lose counts as its capital. The error is a *FieldError.
func NewPutSell(p PutSellParams) (Strategy, error) {
	if err := p.SaleParams.check(); err != nil {
		return nil, err
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "cash-secured put", shapes: []string{"short put"}, bars: p.BandDays,
		approval: CoveredOptions,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) {
			q, why := v.sale(&p.SaleParams, options.Put, 0, after)
			if why != "" {
				return nil, why
			}
			return []pick{sold(q)}, ""
		},
	})
}
