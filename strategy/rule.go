package strategy

import (
	"encoding/json"
	"math"
	"time"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A signal is what a rule says at the end of a bar.
type signal int8

const (
	nothing signal = 0
	buy     signal = 1
	sell    signal = -1
)

// A rule looks at the bars of one symbol, in their order.
type rule interface {
	// update takes the next bar. The number is that of the data's column, for the
	// rules that go by one.
	update(b *market.Bar, column float64) signal
	// warmup is how many bars it takes until a signal can come.
	warmup() int
	// streams are the indicators that it keeps, and numbers what else it remembers.
	streams() []any
	numbers() []*float64
}

// A line is an indicator of one series.
type line interface{ Update(x float64) float64 }

// newAverage returns a moving average. The name is one of the choices.
func newAverage(name string, n int) (line, error) {
	switch name {
	case "ema":
		return indicators.NewEMA(n)
	case "wma":
		return indicators.NewWMA(n)
	case "dema":
		return indicators.NewDEMA(n)
	case "tema":
		return indicators.NewTEMA(n)
	case "hma":
		return indicators.NewHMA(n)
	case "kama":
		return indicators.NewKAMA(n, 2, 30)
	}
	return indicators.NewSMA(n)
}

// A crossing tells when one line passes another: when it was below the other the
// last time that they differed and is above it now, or the other way round.
type crossing struct {
	last float64 // the last difference that was not zero; zero before
}

func (c *crossing) update(difference float64) signal {
	var s signal
	switch {
	case difference > 0:
		if c.last < 0 {
			s = buy
		}
		c.last = difference
	case difference < 0:
		if c.last > 0 {
			s = sell
		}
		c.last = difference
	}
	return s
}

// A reader feeds the bars of one symbol to a rule, those of the past included:
// before its first event, and those that it missed while it was stopped.
type reader struct {
	rule   rule
	symbol market.Symbol
	column string
	last   time.Time // start of the last bar taken
}

// begin takes the bars that have ended and were not taken yet. After a pause that
// is longer than the history the indicators have forgotten what was before it.
func (r *reader) begin(s *Session) {
	past := s.Bars(r.symbol, r.history())
	for i := range past {
		if past[i].Time.After(r.last) {
			r.rule.update(&past[i], math.NaN())
			r.last = past[i].Time
		}
	}
}

// history is how many bars of the past are asked for: enough for averages without
// an end to forget how they began.
func (r *reader) history() int { return 4 * r.rule.warmup() }

// take gives a bar to the rule, once.
func (r *reader) take(s *Session, b *market.Bar) signal {
	if !b.Time.After(r.last) {
		return nothing
	}
	r.last = b.Time
	column := math.NaN()
	if r.column != "" {
		column = s.Column(r.symbol, r.column)
	}
	return r.rule.update(b, column)
}

// A readerState is what of a reader a snapshot keeps.
type readerState struct {
	Last    time.Time      `json:"last"`
	Streams [][]byte       `json:"streams,omitempty"`
	Numbers []market.Float `json:"numbers,omitempty"`
}

func (r *reader) state() (readerState, error) {
	out := readerState{Last: r.last}
	for _, stream := range r.rule.streams() {
		data, err := indicators.Snapshot(stream)
		if err != nil {
			return out, err
		}
		out.Streams = append(out.Streams, data)
	}
	for _, n := range r.rule.numbers() {
		out.Numbers = append(out.Numbers, market.Float(*n))
	}
	return out, nil
}

func (r *reader) restore(in readerState) error {
	streams, numbers := r.rule.streams(), r.rule.numbers()
	if len(in.Streams) != len(streams) || len(in.Numbers) != len(numbers) {
		return invalid.Missing("state.reader", "the state of this rule with these parameters")
	}
	for i, stream := range streams {
		if err := indicators.Restore(stream, in.Streams[i]); err != nil {
			return invalid.Fieldf("state.reader", i, "the state of this rule with these parameters (%v)", err)
		}
	}
	for i, n := range numbers {
		*n = float64(in.Numbers[i])
	}
	r.last = in.Last
	return nil
}

// readState decodes the snapshot of a strategy.
func readState(data json.RawMessage, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return invalid.Fieldf("state", string(data), "a snapshot of this strategy (%v)", err)
	}
	return nil
}
