package strategy

import (
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// What gamma scalping buys: see [GammaScalpParams.Structure].
const (
	ScalpStraddle = "straddle"
	ScalpStrangle = "strangle"
	ScalpCalls    = "calls"
)

// What a hedge goes to, and what it does with a leg that has no quote: see
// [GammaScalpParams].
const (
	HedgeToZero = "zero"
	HedgeToBand = "band"
	MissingSkip = "skip"
	MissingLast = "last"
)

// GammaScalpParams are those of gamma scalping.
type GammaScalpParams struct {
	OptionParams
	Structure     string  `json:"structure" choices:"straddle,strangle,calls" doc:"what is bought: a straddle at the price, a strangle, or calls above the price"`
	Delta         float64 `json:"delta" min:"0.01" max:"0.5" doc:"delta of the strangle's options, without sign"`
	PutMoneyness  float64 `json:"put_moneyness" min:"0" max:"10" doc:"instead of the delta: strike of the strangle's put, the highest at or below this part of the price; 0: by delta"`
	CallMoneyness float64 `json:"call_moneyness" min:"0" max:"10" doc:"strike of the first call, or of the strangle's, the lowest at or above this part of the price; 0: by delta"`
	Calls         int     `json:"calls" min:"1" max:"4" doc:"how many strikes of calls are bought"`

	Band           float64       `json:"band" min:"0" doc:"dollars of delta, without sign, that are left unhedged: it hedges above it"`
	HedgeTo        string        `json:"hedge_to" choices:"zero,band" doc:"whether a hedge takes the delta to zero, or to the edge of the band"`
	HedgeEvery     time.Duration `json:"hedge_every" min:"0" doc:"least time between two looks at the delta; 0: each chain"`
	HedgeLast      time.Duration `json:"hedge_last" min:"0" doc:"hedges only in this last part of the session; 0: all of it"`
	HedgeExpiryDay bool          `json:"hedge_expiry_day" doc:"hedges on the day of the first expiry, too"`
	Missing        string        `json:"missing" choices:"skip,last" doc:"when an option has no quote: no hedge this time, or the last volatility that was known"`

	Clear       bool    `json:"clear" doc:"closes at the start whatever the account holds in the underlying and its options"`
	ThetaBudget float64 `json:"theta_budget" min:"0" doc:"most dollars of time decay a day at entry: fewer contracts are bought for it; 0: no limit"`
	StopTheta   float64 `json:"stop_theta" min:"0" max:"1" doc:"closes when a day of time decay is this part of what the options are worth; 0: never"`
	StopVolFall float64 `json:"stop_vol_fall" min:"0" max:"1" doc:"closes when the mean volatility has fallen by this part of that at entry; 0: never"`
	TakeVolRise float64 `json:"take_vol_rise" min:"0" max:"100" doc:"closes when the mean volatility has risen by this part of that at entry; 0: never"`
	Management
}

// gammaDefaults buy a straddle and hedge it by the notebook's band and time.
func gammaDefaults() GammaScalpParams {
	p := GammaScalpParams{
		OptionParams: defaultOptionParams(), Management: defaultManagement(),
		Structure: ScalpStraddle, Delta: 0.30, CallMoneyness: 0, Calls: 3,
		Band: 500, HedgeTo: HedgeToZero, HedgeEvery: 2 * time.Minute, Missing: MissingSkip, HedgeExpiryDay: true,
		StopTheta: 0.10, StopVolFall: 0.35,
	}
	p.DTE, p.MinDTE, p.MaxDTE, p.OpenInterest, p.Contracts = 45, 14, 60, 100, 1
	p.Rate, p.RateFrom = 0.045, RateFixed
	p.Every = 2 * time.Minute
	p.StopLoss, p.CloseDTE, p.RollCredit = 0.50, 7, false
	return p
}

// NotebookGammaScalp returns the parameters of Alpaca's notebook on gamma
// scalping: three calls from 1 % above the price, 14 to 60 days, by market
// orders, a band of 500 dollars looked at every two minutes, and no end.
func NotebookGammaScalp(symbol market.Symbol) GammaScalpParams {
	p := gammaDefaults()
	p.Symbol, p.Structure, p.CallMoneyness, p.Calls, p.Clear = symbol, ScalpCalls, 1.01, 3, true
	p.DTE, p.OpenInterest, p.Pricing, p.Years = 14, 0, PriceAtMarket, YearsToDate
	p.StopTheta, p.StopVolFall, p.StopLoss, p.CloseDTE = 0, 0, 0, -1
	return p
}

// NewGammaScalp returns a strategy that is long options and trades shares against
// their delta: it buys what has fallen and sells what has risen, and pays time
// decay for it. The error is a *FieldError.
//
// The delta is that of Black, Scholes and Merton at each option's volatility. An
// option whose middle price has no volatility of its own (below intrinsic value)
// takes the one quoted with it, then that of the nearest strike, then the last
// that was known. Orders that are pending count as held, nothing is sent while
// the market is closed, and after a restart it goes on with the options and
// shares that it finds.
func NewGammaScalp(p GammaScalpParams) (Strategy, error) {
	switch {
	case p.Structure == ScalpCalls && p.CallMoneyness == 0:
		return nil, invalid.Field("call_moneyness", p.CallMoneyness, "a part of the price above 0, for calls")
	case p.Structure == ScalpStrangle && p.PutMoneyness > 0 && p.CallMoneyness > 0 && p.PutMoneyness >= p.CallMoneyness:
		return nil, invalid.Fieldf("put_moneyness", p.PutMoneyness, "below call_moneyness, %g", p.CallMoneyness)
	}
	return newOptionStrategy(&p.OptionParams, &p.Management, plan{
		name: "gamma scalp", own: allLong, shares: true, unwinds: true, clears: p.Clear, approval: LongOptions, margin: true,
		open:  func(v *view, _ *holding, after market.Date) ([]pick, string) { return v.scalp(&p, after) },
		size:  func(v *view, _ *holding, picks []pick) int { return v.thetaUnits(&p, picks) },
		hedge: func(o *optionStrategy, v *view, h *holding) (float64, string, bool) { return o.scalpHedge(&p, v, h) },
		stops: []policy{
			{"decay", false, func(s *situation) (verdict, string) { return s.decay(&p) }},
			{"volatility", false, func(s *situation) (verdict, string) { return s.volMoved(&p) }},
		},
	})
}

// allLong: whatever options were bought can be scalped.
func allLong(h *holding) bool { return len(h.legs) > 0 && len(h.short(0)) == 0 }

// scalp returns what is bought.
func (v *view) scalp(p *GammaScalpParams, after market.Date) ([]pick, string) {
	for _, expiry := range v.expiries(p.DTE, p.MinDTE, p.MaxDTE, after) {
		switch p.Structure {
		case ScalpStraddle:
			if call, put, ok := v.atMoney(expiry, false); ok {
				return []pick{bought(call), bought(put)}, ""
			}
		case ScalpStrangle:
			put, ok := v.choose(expiry, strikeRule{kind: options.Put, moneyness: p.PutMoneyness, delta: p.Delta})
			call, also := v.choose(expiry, strikeRule{kind: options.Call, moneyness: p.CallMoneyness, delta: p.Delta})
			if ok && also && put.Strike < call.Strike {
				return []pick{bought(put), bought(call)}, ""
			}
		default:
			var picks []pick
			for _, q := range expiry { // by strike
				if q.Kind == options.Call && q.Strike >= p.CallMoneyness*v.spot*(1-1e-9) && v.tradable(q, false) && len(picks) < p.Calls {
					picks = append(picks, bought(q))
				}
			}
			if len(picks) == p.Calls {
				return picks, ""
			}
		}
	}
	return nil, "nothing to buy qualifies"
}

// thetaUnits is how many units are bought: fewer when their time decay is more
// than the budget.
func (v *view) thetaUnits(p *GammaScalpParams, picks []pick) int {
	n := v.units(picks)
	if p.ThetaBudget == 0 {
		return n
	}
	decay := 0.0
	for _, leg := range picks {
		g, ok := v.greeks(leg.quote)
		if !ok {
			return 0
		}
		decay -= float64(leg.ratio) * 100 * g.Theta / 365
	}
	if decay <= 0 {
		return n
	}
	return min(n, int(p.ThetaBudget/decay+1e-9))
}

// scalpHedge returns the shares that neutralise the options' delta, when it is
// outside of the band.
func (o *optionStrategy) scalpHedge(p *GammaScalpParams, v *view, h *holding) (target float64, why string, ok bool) {
	st := &o.state
	switch {
	case len(h.legs) == 0,
		p.HedgeEvery > 0 && !st.Hedged.IsZero() && v.now.Sub(st.Hedged) < p.HedgeEvery,
		p.HedgeLast > 0 && v.s.UntilClose() > p.HedgeLast,
		!p.HedgeExpiryDay && v.days(h.expiry()) <= 0:
		return 0, "", false
	}
	delta := 0.0
	for _, l := range h.legs {
		d := math.NaN()
		switch {
		case l.quoted && v.sound(l.quote):
			d = v.delta(l.quote)
		case p.Missing == MissingLast:
			if !l.quoted {
				l.quote = market.OptionQuote{Symbol: l.symbol, Root: l.contract.Root, Kind: l.contract.Kind, Strike: l.contract.Strike,
					Expiration: l.contract.Expiration, Bid: math.NaN(), Ask: math.NaN(), IV: math.NaN()}
			}
			d = v.delta(l.quote)
		}
		if math.IsNaN(d) {
			o.say(v.s, "no hedge: no sound quote of "+string(l.symbol))
			return 0, "", false
		}
		delta += l.quantity * l.size * d
	}
	st.Hedged = v.now
	held := h.shares + v.s.Pending(p.Symbol)
	net := delta + held
	if !(math.Abs(net*v.spot) > p.Band) {
		return 0, "", false
	}
	by := -net
	if p.HedgeTo == HedgeToBand {
		by = -math.Copysign(math.Abs(net)-p.Band/v.spot, net)
	}
	by = math.RoundToEven(by)
	return held + by, fmt.Sprintf("a delta of %.2f shares at %.2f", net, v.spot), by != 0
}

// decay: time decay that has become too large a part of what is left.
func (s *situation) decay(p *GammaScalpParams) (verdict, string) {
	if p.StopTheta == 0 {
		return leaveIt, ""
	}
	g, ok := s.exposure(s.h)
	worth := s.h.worth()
	if ok && worth > 0 && -g.Theta/365 >= p.StopTheta*worth {
		return closeIt, fmt.Sprintf("%.2f of decay a day on %.2f", -g.Theta/365, worth)
	}
	return leaveIt, ""
}

// volMoved: the volatility that was bought has fallen too far, or risen enough.
func (s *situation) volMoved(p *GammaScalpParams) (verdict, string) {
	if p.StopVolFall == 0 && p.TakeVolRise == 0 {
		return leaveIt, ""
	}
	sum := 0.0
	for _, l := range s.h.legs {
		if !l.quoted || !s.sound(l.quote) {
			return leaveIt, ""
		}
		sum += s.view.vol(l.quote)
	}
	switch moved := sum/float64(len(s.h.legs))/s.vol - 1; {
	case p.StopVolFall > 0 && moved <= -p.StopVolFall:
		return closeIt, fmt.Sprintf("the volatility has fallen by %.0f %%", -100*moved)
	case p.TakeVolRise > 0 && moved >= p.TakeVolRise:
		return closeIt, fmt.Sprintf("the volatility has risen by %.0f %%", 100*moved)
	}
	return leaveIt, ""
}
