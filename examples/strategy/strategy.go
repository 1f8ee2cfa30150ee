package main

import (
	"encoding/json"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A follower holds ten shares while the price is above its average.
type follower struct {
	symbol  market.Symbol
	average *indicators.SMAStream
}

func (f *follower) Needs() strategy.Needs {
	return strategy.Needs{Symbols: []market.Symbol{f.symbol}, Interval: "5m", History: f.average.Warmup()}
}

func (f *follower) Begin(s *strategy.Session) error {
	for _, bar := range s.Bars(f.symbol, f.average.Warmup()) {
		f.average.Update(bar.Close)
	}
	return nil
}

func (f *follower) Handle(s *strategy.Session, e *strategy.Event) (err error) {
	if e.Kind == strategy.BarEvent {
		want := 0.0
		if e.Bar.Close > f.average.Update(e.Bar.Close) {
			want = 10
		}
		_, err = s.Target(f.symbol, want)
	}
	return err // an order that is refused ends it: a small strategy takes no chances
}

func (f *follower) Snapshot() (json.RawMessage, error) { return nil, nil } // the history is enough
func (f *follower) Restore(json.RawMessage) error      { return nil }
