package strategy

import (
	"encoding/json"
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// TargetParams are those of every strategy that is long, short or out of one
// symbol.
type TargetParams struct {
	Symbol    market.Symbol   `json:"symbol" doc:"what is traded"`
	Interval  market.Interval `json:"interval" doc:"interval of the bars"`
	Direction string          `json:"direction" choices:"long,short,both" doc:"which positions it takes"`
	// Quantity and Allocation are the size: the first that is not 0.
	Quantity   float64 `json:"quantity" min:"0" max:"1e9" doc:"units of a position; 0: by allocation"`
	Allocation float64 `json:"allocation" min:"0" max:"10" doc:"part of the account's value that a position is worth when it is opened, in whole units"`
}

func targetDefaults() TargetParams {
	return TargetParams{Interval: market.Interval("1d"), Direction: "long", Allocation: 0.95}
}

func (p *TargetParams) validate() error {
	if p.Quantity == 0 && p.Allocation == 0 {
		return invalid.Field("allocation", p.Allocation, "more than 0, or a quantity")
	}
	return nil
}

// A bias says on which side a strategy wants to be.
type bias int8

// stay leaves the position as it is.
const stay bias = 2

// A chooser is a rule that chooses sides, given that on which it is.
type chooser interface {
	rule
	choose(b *market.Bar, now bias) bias
}

// A targetTrader holds a position on the side that a rule chooses. It asks for
// it again at the end of each bar until it is there, so that an order which was
// refused, or ended with its day, is no end.
type targetTrader struct {
	p TargetParams
	reader
	rule chooser
	pos  *Position

	side bias
	want float64 // signed quantity

	chosen bias // at the latest bar
	due    bool // that bar was taken, and is still to be acted on
}

var _ Skimmer = (*targetTrader)(nil)

func newTargetTrader(p TargetParams, r chooser) (Strategy, error) {
	if err := p.validate(); err != nil {
		return nil, err
	}
	return &targetTrader{p: p, rule: r, reader: reader{rule: r, symbol: p.Symbol}}, nil
}

func (t *targetTrader) Needs() Needs {
	return Needs{Symbols: []market.Symbol{t.p.Symbol}, Interval: t.p.Interval, History: t.history()}
}

func (t *targetTrader) Begin(s *Session) error {
	t.pos = s.Watch(t.p.Symbol)
	t.begin(s)
	return nil
}

func (t *targetTrader) Handle(s *Session, e *Event) error {
	if e.Kind != BarEvent || e.Symbol != t.p.Symbol || !t.due && t.Skim(&e.Bar) {
		return nil
	}
	t.due = false
	if t.chosen != t.side {
		t.side = t.chosen
		t.want = float64(t.side) * t.size(s, e.Bar.Close)
	}
	if t.pos.Quantity == t.want {
		return nil
	}
	if _, err := s.Target(t.p.Symbol, t.want); err != nil {
		s.Log("going to %v %s: %v", t.want, t.p.Symbol, err)
	}
	return nil
}

// Skim is that of [Skimmer]: nothing is to be done while the side stays and the
// position is what it should be.
func (t *targetTrader) Skim(b *market.Bar) bool {
	if !b.Time.After(t.last) {
		return true
	}
	t.last = b.Time
	t.rule.update(b, 0)
	t.chosen = t.side
	if side := t.rule.choose(b, t.side); side != stay && side != t.side {
		if side > 0 && t.p.Direction == "short" || side < 0 && t.p.Direction == "long" {
			side = 0
		}
		t.chosen = side
	}
	t.due = t.chosen != t.side || t.pos.Quantity != t.want
	return !t.due
}

// size is that of a position opened at a price.
func (t *targetTrader) size(s *Session, price float64) float64 {
	if t.side == 0 {
		return 0
	}
	if t.p.Quantity > 0 {
		return t.p.Quantity
	}
	size := math.Floor(s.Equity() * t.p.Allocation / (price * t.pos.Multiplier))
	if !(size > 0) {
		return 0
	}
	return size
}

type targetState struct {
	Reader readerState `json:"reader"`
	Side   bias        `json:"side"`
	Want   float64     `json:"want"`
}

func (t *targetTrader) Snapshot() (json.RawMessage, error) {
	state, err := t.state()
	if err != nil {
		return nil, err
	}
	return json.Marshal(targetState{state, t.side, t.want})
}

func (t *targetTrader) Restore(data json.RawMessage) error {
	var in targetState
	if err := readState(data, &in); err != nil {
		return err
	}
	if err := t.restore(in.Reader); err != nil {
		return err
	}
	t.side, t.want = in.Side, in.Want
	return nil
}
