package strategy

import (
	"math"
	"slices"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// priceDefinitions are the strategies that trade by prices alone.
func priceDefinitions() []Definition {
	return slices.Concat(fastquantDefinitions(), []Definition{
		Define("ma-cross", "Moving average cross", "Holds a long position while the faster average is above the slower, a short one while it is below.",
			CrossParams{targetDefaults(), "sma", 20, 50}, newMACross),
		Define("breakout", "Channel breakout", "Follows a close beyond the highest high or the lowest low of the bars before, and leaves on a shorter channel's other side.",
			BreakoutParams{targetDefaults(), 20, 10}, newBreakout),
		Define("mean-reversion", "Mean reversion", "Takes the other side when the close is many deviations from its mean, and leaves when it comes back.",
			ReversionParams{targetDefaults(), 20, 2, 0.5, 0, 0}, newReversion),
		Define("pairs", "Pairs", "Trades the spread of two symbols back to its mean: one against the other by their hedge ratio.",
			pairsDefaults(), newPairs),
	})
}

// CrossParams are those of "ma-cross".
type CrossParams struct {
	TargetParams
	Average string `json:"average" choices:"sma,ema,wma,dema,tema,hma,kama" doc:"kind of the averages"`
	Fast    int    `json:"fast" min:"1" max:"10000" doc:"bars of the faster average"`
	Slow    int    `json:"slow" min:"2" max:"10000" doc:"bars of the slower average"`
}

// A sideRule is on the side of the faster average since it crossed the slower.
type sideRule struct {
	crossRule
	crossed signal
}

func newMACross(p CrossParams) (Strategy, error) {
	r, err := newCrossRule("fast", p.Fast, p.Slow, p.Average)
	if err != nil {
		return nil, err
	}
	return newTargetTrader(p.TargetParams, &sideRule{crossRule: *r})
}

func (r *sideRule) update(b *market.Bar, column float64) signal {
	r.crossed = r.crossRule.update(b, column)
	return r.crossed
}

func (r *sideRule) choose(*market.Bar, bias) bias {
	if r.crossed == nothing {
		return stay
	}
	return bias(r.crossed)
}

// warmup of averages that are made of averages is longer than their period.
func (r *sideRule) warmup() int { return 3*r.slower + 1 }

// BreakoutParams are those of "breakout".
type BreakoutParams struct {
	TargetParams
	Entry int `json:"entry" min:"1" max:"10000" doc:"bars of the channel whose break opens"`
	Exit  int `json:"exit" min:"1" max:"10000" doc:"bars of the channel whose other side closes"`
}

type breakoutRule struct {
	entry, exit *indicators.DonchianStream
	in, out     indicators.DonchianPoint // before this bar
	longest     int
}

func newBreakout(p BreakoutParams) (Strategy, error) {
	entry, err := indicators.NewDonchian(p.Entry, 1)
	if err != nil {
		return nil, err
	}
	exit, err := indicators.NewDonchian(p.Exit, 1)
	if err != nil {
		return nil, err
	}
	return newTargetTrader(p.TargetParams, &breakoutRule{entry: entry, exit: exit, longest: max(p.Entry, p.Exit)})
}

func (r *breakoutRule) update(b *market.Bar, _ float64) signal {
	r.in, r.out = r.entry.Update(b.High, b.Low), r.exit.Update(b.High, b.Low)
	return nothing
}

func (r *breakoutRule) choose(b *market.Bar, now bias) bias {
	switch {
	case b.Close > r.in.Upper:
		return 1
	case b.Close < r.in.Lower:
		return -1
	case now > 0 && b.Close < r.out.Lower, now < 0 && b.Close > r.out.Upper:
		return 0
	}
	return stay
}

func (r *breakoutRule) warmup() int         { return r.longest + 1 }
func (r *breakoutRule) streams() []any      { return []any{r.entry, r.exit} }
func (r *breakoutRule) numbers() []*float64 { return nil }

// ReversionParams are those of "mean-reversion".
type ReversionParams struct {
	TargetParams
	Lookback int     `json:"lookback" min:"2" max:"10000" doc:"bars of the mean and the deviation"`
	Entry    float64 `json:"entry" min:"0" max:"100" doc:"deviations from the mean that open a position against the move"`
	Exit     float64 `json:"exit" min:"0" max:"100" doc:"deviations from the mean at which it is closed"`
	Stop     float64 `json:"stop" min:"0" max:"100" doc:"deviations from the mean at which it is given up until the price was back at exit; 0: never"`
	Hold     int     `json:"hold" min:"0" max:"100000" doc:"bars that a position is held at most; 0: no limit"`
}

type reversionRule struct {
	p      ReversionParams
	scores *indicators.ZScoreStream
	score  float64
	held   float64 // bars since the position was taken
	barred float64 // 1 after a stop, until the price was back
}

func newReversion(p ReversionParams) (Strategy, error) {
	switch {
	case p.Exit >= p.Entry:
		return nil, invalid.Fieldf("exit", p.Exit, "less than entry, which is %v", p.Entry)
	case p.Stop != 0 && p.Stop <= p.Entry:
		return nil, invalid.Fieldf("stop", p.Stop, "more than entry, which is %v, or 0", p.Entry)
	}
	scores, err := indicators.NewZScore(p.Lookback)
	if err != nil {
		return nil, err
	}
	return newTargetTrader(p.TargetParams, &reversionRule{p: p, scores: scores, score: math.NaN()})
}

func (r *reversionRule) update(b *market.Bar, _ float64) signal {
	r.score = r.scores.Update(b.Close)
	return nothing
}

func (r *reversionRule) choose(_ *market.Bar, now bias) bias {
	far := math.Abs(r.score)
	if far <= r.p.Exit {
		r.barred = 0
	}
	if now != 0 {
		r.held++
		switch {
		case far <= r.p.Exit || r.score*float64(now) > 0: // back, or past the mean
			return 0
		case r.p.Stop > 0 && far >= r.p.Stop, r.p.Hold > 0 && int(r.held) >= r.p.Hold:
			r.barred = 1
			return 0
		}
		return stay
	}
	if !(far >= r.p.Entry) || r.barred != 0 || r.p.Stop > 0 && far >= r.p.Stop {
		return stay
	}
	r.held = 0
	if r.score > 0 {
		return -1
	}
	return 1
}

func (r *reversionRule) warmup() int         { return r.p.Lookback }
func (r *reversionRule) streams() []any      { return []any{r.scores} }
func (r *reversionRule) numbers() []*float64 { return []*float64{&r.score, &r.held, &r.barred} }
