package strategy

import (
	"encoding/json"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// PairsParams are those of "pairs".
type PairsParams struct {
	Symbol   market.Symbol   `json:"symbol" doc:"the one that is bought when the spread is low"`
	Against  market.Symbol   `json:"against" doc:"the one that is sold against it"`
	Interval market.Interval `json:"interval" doc:"interval of the bars"`
	Lookback int             `json:"lookback" min:"5" max:"10000" doc:"bars of the hedge ratio, the mean and the deviation"`
	Entry    float64         `json:"entry" min:"0" max:"100" doc:"deviations of the spread that open"`
	Exit     float64         `json:"exit" min:"0" max:"100" doc:"deviations at which it is closed"`
	Stop     float64         `json:"stop" min:"0" max:"100" doc:"deviations at which it is given up until the spread was back at exit; 0: never"`
	Value    float64         `json:"value" min:"0" max:"1e9" doc:"dollars of the first symbol; 0: by allocation"`
	Part     float64         `json:"allocation" min:"0" max:"10" doc:"part of the account's value that the first symbol's side is worth"`
}

func pairsDefaults() PairsParams {
	return PairsParams{Interval: "1d", Lookback: 60, Entry: 2, Exit: 0.5, Stop: 4, Part: 0.4}
}

// A pairTrader trades the spread
//
//	ln P(symbol) − β ln P(against)
//
// with the slope β of a regression of the one on the other over the last bars,
// when it is many deviations from the regression line. A position keeps the
// quantities with which it was opened.
type pairTrader struct {
	p      PairsParams
	at     time.Time // of the bars that are in
	have   [2]bool   // of that time
	price  [2]float64
	past   [2][]float64 // logarithms of the last closes, rings
	next   int
	count  int
	side   bias
	barred bool
	want   [2]float64
}

func newPairs(p PairsParams) (Strategy, error) {
	switch {
	case p.Symbol == p.Against:
		return nil, invalid.Field("against", p.Against, "another symbol than the first")
	case p.Exit >= p.Entry:
		return nil, invalid.Fieldf("exit", p.Exit, "less than entry, which is %v", p.Entry)
	case p.Stop != 0 && p.Stop <= p.Entry:
		return nil, invalid.Fieldf("stop", p.Stop, "more than entry, which is %v, or 0", p.Entry)
	case p.Value == 0 && p.Part == 0:
		return nil, invalid.Field("allocation", p.Part, "more than 0, or a value")
	}
	t := &pairTrader{p: p}
	t.past[0], t.past[1] = make([]float64, p.Lookback), make([]float64, p.Lookback)
	return t, nil
}

func (t *pairTrader) symbols() [2]market.Symbol { return [2]market.Symbol{t.p.Symbol, t.p.Against} }

func (t *pairTrader) Needs() Needs {
	return Needs{Symbols: []market.Symbol{t.p.Symbol, t.p.Against}, Interval: t.p.Interval, History: t.p.Lookback}
}

func (t *pairTrader) Begin(s *Session) error {
	a, b := s.Bars(t.p.Symbol, t.p.Lookback), s.Bars(t.p.Against, t.p.Lookback)
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i].Time.Before(b[j].Time):
			i++
		case b[j].Time.Before(a[i].Time):
			j++
		default:
			if a[i].Time.After(t.at) {
				t.at, t.have = a[i].Time, [2]bool{true, true}
				t.price = [2]float64{a[i].Close, b[j].Close}
				t.push()
			}
			i, j = i+1, j+1
		}
	}
	return nil
}

func (t *pairTrader) Handle(s *Session, e *Event) error {
	if e.Kind != BarEvent {
		return nil
	}
	i := 0
	switch e.Symbol {
	case t.p.Symbol:
	case t.p.Against:
		i = 1
	default:
		return nil
	}
	if e.Bar.Time.Before(t.at) {
		return nil
	}
	if e.Bar.Time.After(t.at) {
		t.at, t.have = e.Bar.Time, [2]bool{}
	}
	if t.have[i] {
		return nil
	}
	t.have[i], t.price[i] = true, e.Bar.Close
	if !t.have[1-i] {
		return nil
	}
	t.push()
	t.decide(s)
	t.pursue(s)
	return nil
}

func (t *pairTrader) push() {
	t.past[0][t.next], t.past[1][t.next] = math.Log(t.price[0]), math.Log(t.price[1])
	t.next = (t.next + 1) % t.p.Lookback
	t.count = min(t.count+1, t.p.Lookback)
}

// score is the present residual of the regression in deviations of the
// residuals, and its slope.
func (t *pairTrader) score() (z, slope float64) {
	n := float64(t.p.Lookback)
	if t.count < t.p.Lookback {
		return math.NaN(), math.NaN()
	}
	var my, mx float64
	for i := range t.p.Lookback {
		my += t.past[0][i]
		mx += t.past[1][i]
	}
	my, mx = my/n, mx/n
	var xx, xy, yy float64
	for i := range t.p.Lookback {
		y, x := t.past[0][i]-my, t.past[1][i]-mx
		xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
	}
	slope = xy / xx
	deviation := math.Sqrt(math.Max(yy-slope*xy, 0) / n)
	last := (t.next + t.p.Lookback - 1) % t.p.Lookback
	residual := (t.past[0][last] - my) - slope*(t.past[1][last]-mx)
	if !(deviation > 1e-12) {
		return math.NaN(), slope
	}
	return residual / deviation, slope
}

func (t *pairTrader) decide(s *Session) {
	z, slope := t.score()
	far := math.Abs(z)
	if far <= t.p.Exit {
		t.barred = false
	}
	if t.side != 0 {
		switch {
		case far <= t.p.Exit || z*float64(t.side) > 0:
			t.side, t.want = 0, [2]float64{}
		case t.p.Stop > 0 && far >= t.p.Stop:
			t.side, t.want, t.barred = 0, [2]float64{}, true
		}
		return
	}
	if !(far >= t.p.Entry) || t.barred || t.p.Stop > 0 && far >= t.p.Stop || !(slope > 0) {
		return
	}
	value := t.p.Value
	if value == 0 {
		value = s.Equity() * t.p.Part
	}
	first, second := math.Floor(value/t.price[0]), math.Floor(value*slope/t.price[1])
	if !(first > 0) || !(second > 0) {
		return
	}
	t.side = 1
	if z > 0 {
		t.side = -1
	}
	t.want = [2]float64{float64(t.side) * first, -float64(t.side) * second}
	s.Note("spread opened", Value{"score", z}, Value{"slope", slope})
}

func (t *pairTrader) pursue(s *Session) {
	for i, symbol := range t.symbols() {
		if _, err := s.Target(symbol, t.want[i]); err != nil {
			s.Log("going to %v %s: %v", t.want[i], symbol, err)
		}
	}
}

type pairState struct {
	At     time.Time         `json:"at"`
	Have   [2]bool           `json:"have"`
	Price  [2]market.Float   `json:"price"`
	Past   [2][]market.Float `json:"past"`
	Next   int               `json:"next"`
	Count  int               `json:"count"`
	Side   bias              `json:"side"`
	Barred bool              `json:"barred"`
	Want   [2]float64        `json:"want"`
}

func (t *pairTrader) Snapshot() (json.RawMessage, error) {
	out := pairState{At: t.at, Have: t.have, Next: t.next, Count: t.count, Side: t.side, Barred: t.barred, Want: t.want}
	for i := range t.past {
		out.Price[i] = market.Float(t.price[i])
		for _, x := range t.past[i] {
			out.Past[i] = append(out.Past[i], market.Float(x))
		}
	}
	return json.Marshal(out)
}

func (t *pairTrader) Restore(data json.RawMessage) error {
	var in pairState
	if err := readState(data, &in); err != nil {
		return err
	}
	n := t.p.Lookback
	if len(in.Past[0]) != n || len(in.Past[1]) != n || in.Next < 0 || in.Next >= n || in.Count < 0 || in.Count > n {
		return invalid.Missing("state.past", "the state of this strategy with these parameters")
	}
	t.at, t.have, t.next, t.count, t.side, t.barred, t.want = in.At, in.Have, in.Next, in.Count, in.Side, in.Barred, in.Want
	for i := range t.past {
		t.price[i] = float64(in.Price[i])
		for j, x := range in.Past[i] {
			t.past[i][j] = float64(x)
		}
	}
	return nil
}
