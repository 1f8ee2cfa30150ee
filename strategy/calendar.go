package strategy

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// CalendarParams are those of the calendar spread: an option is sold, and one of
// the same strike with a later expiry bought.
type CalendarParams struct {
	OptionParams
	Kind       string  `json:"kind" choices:"call,put" doc:"calls or puts"`
	Delta      float64 `json:"delta" min:"0" max:"0.99" doc:"delta of the option that is sold, without sign; 0: the strike nearest to the price"`
	BackDTE    int     `json:"back_dte" min:"1" max:"1500" doc:"days to the expiry of the option that is bought, aimed at"`
	BackMinDTE int     `json:"back_min_dte" min:"1" max:"1500" doc:"fewest days of the option that is bought"`
	BackMaxDTE int     `json:"back_max_dte" min:"1" max:"1500" doc:"most days of the option that is bought"`
	Management
}

// calendarDefaults are those of the notebook on the calendar spread.
func calendarDefaults() CalendarParams {
	p := CalendarParams{OptionParams: defaultOptionParams(), Management: defaultManagement(), Kind: "call", BackDTE: 60, BackMinDTE: 55, BackMaxDTE: 65}
	p.DTE, p.MinDTE, p.MaxDTE, p.OpenInterest = 30, 27, 40, 100
	p.TakeProfit, p.StopLoss, p.CloseDTE, p.RollCredit = 0.60, 0.50, 1, false
	return p
}

// NewCalendar returns a strategy that buys calendar spreads. The error is a
// *FieldError.
func NewCalendar(p CalendarParams) (Strategy, error) {
	switch {
	case p.BackMinDTE > p.BackMaxDTE:
		return nil, invalid.Fieldf("back_min_dte", p.BackMinDTE, "at most back_max_dte, %d", p.BackMaxDTE)
	case p.BackMaxDTE <= p.MinDTE:
		return nil, invalid.Fieldf("back_max_dte", p.BackMaxDTE, "above min_dte, %d", p.MinDTE)
	}
	kind := options.Call
	if p.Kind == "put" {
		kind = options.Put
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: p.Kind + " calendar", shapes: []string{p.Kind + " calendar"},
		approval: SpreadOptions, margin: true, farthest: p.BackMaxDTE,
		open: func(v *view, _ *holding, after market.Date) ([]pick, string) { return v.calendar(&p, kind, after) },
	})
}

func (v *view) calendar(p *CalendarParams, kind options.Kind, after market.Date) ([]pick, string) {
	why := "no two expiries within the days asked for"
	for _, front := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
		short, ok := v.choose(front, strikeRule{kind: kind, sell: true, delta: p.Delta, atMoney: true})
		if !ok {
			why = "no option to sell qualifies"
			continue
		}
		for _, back := range v.expiries(p.BackDTE, p.BackMinDTE, p.BackMaxDTE, short.Expiration) {
			long, ok := findStrike(back, kind, short.Strike)
			if !ok || long.Root != short.Root && morning(long) != morning(short) || !v.tradable(long, false) {
				why = "the strike is not listed, or not tradable, in the later expiry"
				continue
			}
			if debit := long.Mid() - short.Mid(); debit > 0 && !math.IsInf(debit, 0) {
				return []pick{sold(short), bought(long)}, ""
			}
			why = "the later option costs no more than the nearer"
		}
	}
	return nil, why
}
