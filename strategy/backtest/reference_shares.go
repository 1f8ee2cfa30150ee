package backtest

import (
	"encoding/json"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// EveryBarParams are those of "every-bar".
type EveryBarParams struct {
	Symbol   market.Symbol   `json:"symbol" doc:"what is traded"`
	Interval market.Interval `json:"interval" doc:"interval of the bars"`
	Units    float64         `json:"units" min:"0" max:"1e9" doc:"bought after each bar"`
}

// everyBar is zipline's example buyapple.
type everyBar struct{ p EveryBarParams }

func newEveryBar(p EveryBarParams) (strategy.Strategy, error) {
	if p.Units == 0 {
		return nil, invalid.Field("units", p.Units, "a positive number")
	}
	return &everyBar{p}, nil
}

func (b *everyBar) Needs() strategy.Needs {
	return strategy.Needs{Symbols: []market.Symbol{b.p.Symbol}, Interval: b.p.Interval}
}

func (b *everyBar) Begin(*strategy.Session) error { return nil }

func (b *everyBar) Handle(s *strategy.Session, e *strategy.Event) error {
	if e.Kind != strategy.BarEvent || e.Symbol != b.p.Symbol {
		return nil
	}
	if _, err := s.Submit(strategy.MarketOrder(broker.BuyToOpen, b.p.Symbol, b.p.Units)); err != nil {
		s.Log("buying: %v", err)
	}
	return nil
}

func (b *everyBar) Snapshot() (json.RawMessage, error) { return json.RawMessage("{}"), nil }
func (b *everyBar) Restore(json.RawMessage) error      { return nil }

// TwoMeansParams are those of "two-means".
type TwoMeansParams struct {
	Symbol   market.Symbol   `json:"symbol" doc:"what is traded"`
	Interval market.Interval `json:"interval" doc:"interval of the bars"`
	Fast     int             `json:"fast" min:"1" max:"100000" doc:"bars of the shorter mean of closes"`
	Slow     int             `json:"slow" min:"2" max:"100000" doc:"bars of the longer one, and how many there must be before the first order"`
	Units    float64         `json:"units" min:"0" max:"1e9" doc:"held while the shorter mean is above the longer"`
}

// twoMeans is zipline's example of a dual moving average.
type twoMeans struct{ p TwoMeansParams }

func newTwoMeans(p TwoMeansParams) (strategy.Strategy, error) {
	switch {
	case p.Fast >= p.Slow:
		return nil, invalid.Fieldf("fast", p.Fast, "less than slow, which is %d", p.Slow)
	case p.Units == 0:
		return nil, invalid.Field("units", p.Units, "a positive number")
	}
	return &twoMeans{p}, nil
}

func (m *twoMeans) Needs() strategy.Needs {
	return strategy.Needs{Symbols: []market.Symbol{m.p.Symbol}, Interval: m.p.Interval, History: m.p.Slow}
}

func (m *twoMeans) Begin(*strategy.Session) error { return nil }

func (m *twoMeans) Handle(s *strategy.Session, e *strategy.Event) error {
	if e.Kind != strategy.BarEvent || e.Symbol != m.p.Symbol {
		return nil
	}
	bars := s.Bars(m.p.Symbol, m.p.Slow)
	if len(bars) < m.p.Slow {
		return nil
	}
	fast, slow := 0.0, 0.0
	for i := range bars {
		slow += bars[i].Close
		if i >= len(bars)-m.p.Fast {
			fast += bars[i].Close
		}
	}
	target := 0.0
	if fast/float64(m.p.Fast) > slow/float64(m.p.Slow) {
		target = m.p.Units
	}
	if _, err := s.Target(m.p.Symbol, target); err != nil {
		s.Log("trading: %v", err)
	}
	return nil
}

func (m *twoMeans) Snapshot() (json.RawMessage, error) { return json.RawMessage("{}"), nil }
func (m *twoMeans) Restore(json.RawMessage) error      { return nil }
