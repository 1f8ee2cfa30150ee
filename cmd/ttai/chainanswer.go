package main

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// chainAnswer is a chain in JSON. Volatilities and yields are decimals per year.
type chainAnswer struct {
	Underlying  market.Symbol      `json:"underlying"`
	At          time.Time          `json:"at"`
	Spot        market.Float       `json:"spot"`
	Expiries    []expiryAnswer     `json:"expiries"`
	Surface     *surfaceAnswer     `json:"surface,omitempty"`
	Positioning *positioningAnswer `json:"positioning,omitempty"`
	Skipped     map[string]int     `json:"skipped,omitempty"` // reason → quotes
}

type expiryAnswer struct {
	Date        market.Date      `json:"date"`
	Root        string           `json:"root"`
	Days        market.Float     `json:"days"`
	Listed      int              `json:"contracts"`
	Forward     market.Float     `json:"forward"`
	ForwardFrom string           `json:"forward_from"`
	Yield       market.Float     `json:"implied_yield"` // of dividends and borrow
	ATMVol      market.Float     `json:"atm_vol"`
	Sigma       market.Float     `json:"one_sigma_move"`
	Straddle    market.Float     `json:"straddle_move"`
	MaxPain     market.Float     `json:"max_pain"`
	Contracts   []contractAnswer `json:"quotes,omitempty"`
}

type contractAnswer struct {
	Symbol       market.Symbol `json:"symbol,omitempty"`
	Kind         options.Kind  `json:"kind"`
	Strike       market.Float  `json:"strike"`
	Bid          market.Float  `json:"bid"`
	Ask          market.Float  `json:"ask"`
	IV           market.Float  `json:"iv"`
	Delta        market.Float  `json:"delta"`
	Gamma        market.Float  `json:"gamma"`
	Theta        market.Float  `json:"theta_per_day"`
	Vega         market.Float  `json:"vega_per_point"`
	ProbITM      market.Float  `json:"probability_in_the_money"`
	Volume       market.Float  `json:"volume"`
	OpenInterest market.Float  `json:"open_interest"`
}

type surfaceAnswer struct {
	Slices []sliceAnswer `json:"expiries"`
	SSVI   options.SSVI  `json:"ssvi"`
	Month  market.Float  `json:"atm_vol_30_days"`
	Skew   market.Float  `json:"skew_25_delta_30_days"`
	VIX    market.Float  `json:"model_free_vol_30_days"` // null when no two expiries bracket 30 days
}

type sliceAnswer struct {
	Date      market.Date  `json:"date"`
	Root      string       `json:"root"`
	SVI       options.SVI  `json:"svi"`
	ATMVol    market.Float `json:"atm_vol"`
	Skew      market.Float `json:"skew_25_delta"`
	Move      market.Float `json:"density_move"`
	Quotes    int          `json:"quotes"`
	Median    market.Float `json:"median_error"`
	RMS       market.Float `json:"rms_error"`
	Inside    market.Float `json:"inside_bid_ask"`
	Repaired  bool         `json:"repaired"`
	Butterfly market.Float `json:"least_butterfly"`
	Calendar  market.Float `json:"calendar_crossing"`
}

type positioningAnswer struct {
	NetGamma        market.Float    `json:"net_gamma_per_percent"`
	ZeroGamma       market.Float    `json:"zero_gamma"`
	CallWall        market.Float    `json:"call_wall"`
	PutWall         market.Float    `json:"put_wall"`
	PutCallVolume   market.Float    `json:"put_call_volume"`
	PutCallInterest market.Float    `json:"put_call_open_interest"`
	Strikes         []strikeAnswer  `json:"strikes"`
	Unusual         []unusualAnswer `json:"unusual"`
}

type strikeAnswer struct {
	Strike       market.Float `json:"strike"`
	NetGamma     market.Float `json:"net_gamma_per_percent"`
	CallInterest market.Float `json:"call_open_interest"`
	PutInterest  market.Float `json:"put_open_interest"`
	CallVolume   market.Float `json:"call_volume"`
	PutVolume    market.Float `json:"put_volume"`
}

type unusualAnswer struct {
	Symbol   market.Symbol `json:"symbol"`
	Volume   market.Float  `json:"volume"`
	Interest market.Float  `json:"open_interest"`
	Premium  market.Float  `json:"premium"`
}

func answerChain(chain *options.Chain, contracts, surface, positioning bool) (chainAnswer, error) {
	a := chainAnswer{Underlying: chain.Underlying, At: chain.At, Spot: market.Float(chain.Spot), Expiries: []expiryAnswer{}}
	for _, s := range chain.Skipped {
		if a.Skipped == nil {
			a.Skipped = map[string]int{}
		}
		a.Skipped[s.Reason]++
	}
	for _, e := range chain.Expiries {
		row := expiryAnswer{Date: e.Date, Root: e.Root, Days: market.Float(365 * e.Years), Listed: len(e.Contracts), Forward: market.Float(e.Forward), ForwardFrom: e.ForwardFrom,
			Yield: market.Float(e.ImpliedYield()), ATMVol: market.Float(e.ATMVol()), Sigma: market.Float(e.ExpectedMove()), Straddle: market.Float(e.StraddleMove()), MaxPain: market.Float(e.MaxPain())}
		for i := range e.Contracts {
			if !contracts {
				break
			}
			c := &e.Contracts[i]
			row.Contracts = append(row.Contracts, contractAnswer{Symbol: c.Symbol, Kind: c.Kind, Strike: market.Float(c.Strike), Bid: market.Float(c.Bid), Ask: market.Float(c.Ask),
				IV: market.Float(c.IV), Delta: market.Float(c.Delta), Gamma: market.Float(c.Gamma), Theta: market.Float(c.Theta), Vega: market.Float(c.Vega / 100),
				ProbITM: market.Float(c.ProbITM), Volume: market.Float(c.Volume), OpenInterest: market.Float(c.OpenInterest)})
		}
		a.Expiries = append(a.Expiries, row)
	}
	if surface {
		s, err := options.NewSurface(chain, nil)
		if err != nil {
			return a, err
		}
		a.Surface = answerSurface(chain, s)
	}
	if positioning {
		p, err := chain.Positioning(0)
		if err != nil {
			return a, err
		}
		a.Positioning = answerPositioning(chain, p)
	}
	return a, nil
}

func answerSurface(chain *options.Chain, s *options.Surface) *surfaceAnswer {
	const month = 30.0 / 365
	vix, err := chain.VolatilityIndex(30)
	if err != nil {
		vix = math.NaN()
	}
	a := &surfaceAnswer{SSVI: s.SSVI, Month: market.Float(s.ATMVol(month)), Skew: market.Float(s.Skew25(month)), VIX: market.Float(vix)}
	for _, slice := range s.Slices {
		f := slice.Fit
		a.Slices = append(a.Slices, sliceAnswer{Date: slice.Date, Root: slice.Root, SVI: slice.SVI, ATMVol: market.Float(s.ATMVol(slice.Years)), Skew: market.Float(s.Skew25(slice.Years)),
			Move: market.Float(s.Density(slice.Years).ExpectedMove()), Quotes: f.Quotes, Median: market.Float(f.Median), RMS: market.Float(f.RMS), Inside: market.Float(f.Inside),
			Repaired: f.Repaired, Butterfly: market.Float(f.Butterfly), Calendar: market.Float(f.Calendar)})
	}
	return a
}

func answerPositioning(chain *options.Chain, p *options.Positioning) *positioningAnswer {
	a := &positioningAnswer{NetGamma: market.Float(p.NetGamma), ZeroGamma: market.Float(p.ZeroGamma), CallWall: market.Float(p.CallWall), PutWall: market.Float(p.PutWall),
		PutCallVolume: market.Float(p.PutCallVolume), PutCallInterest: market.Float(p.PutCallInterest), Unusual: []unusualAnswer{}}
	for _, s := range p.Strikes {
		a.Strikes = append(a.Strikes, strikeAnswer{market.Float(s.Strike), market.Float(s.NetGamma()), market.Float(s.CallInterest), market.Float(s.PutInterest), market.Float(s.CallVolume), market.Float(s.PutVolume)})
	}
	for _, u := range chain.Unusual(nil) {
		a.Unusual = append(a.Unusual, unusualAnswer{u.Symbol, market.Float(u.Volume), market.Float(u.Interest), market.Float(u.Premium)})
	}
	return a
}

func (a surfaceAnswer) print(w io.Writer) {
	fmt.Fprintf(w, "\nSurface: 30 days at the money %s, 25-delta skew %s, model-free %s\n", inPercent(a.Month, 2), inPercent(a.Skew, 2), inPercent(a.VIX, 2))
	fmt.Fprintln(w, "EXPIRY\tROOT\tATM VOL\tSKEW 25\tMOVE\tQUOTES\tMEDIAN ERROR\tRMS\tINSIDE\tREPAIRED\tBUTTERFLY\tCALENDAR")
	for _, s := range a.Slices {
		repaired := ""
		if s.Repaired {
			repaired = "yes"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Date, s.Root, inPercent(s.ATMVol, 2), inPercent(s.Skew, 2), figure(s.Move, 2), s.Quotes,
			inPercent(s.Median, 2), inPercent(s.RMS, 2), inPercent(s.Inside, 0), repaired, figure(s.Butterfly, 3), inPercent(s.Calendar, 2))
	}
}

func (a positioningAnswer) print(w io.Writer) {
	fmt.Fprintf(w, "\nPositioning: net gamma %s million per percent, zero gamma %s, call wall %s, put wall %s, puts per call %s traded, %s open\n",
		figure(a.NetGamma/1e6, 1), figure(a.ZeroGamma, 2), figure(a.CallWall, 2), figure(a.PutWall, 2), figure(a.PutCallVolume, 2), figure(a.PutCallInterest, 2))
	if len(a.Unusual) > 0 {
		fmt.Fprintln(w, "UNUSUAL VOLUME\tTRADED\tOPEN\tPREMIUM")
	}
	for _, u := range a.Unusual {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", u.Symbol, figure(u.Volume, 0), figure(u.Interest, 0), figure(u.Premium, 0))
	}
}
