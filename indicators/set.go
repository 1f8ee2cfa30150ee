package indicators

import (
	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Set updates several indicators on the same bars. It is not safe for
// concurrent use; make it with [NewSet].
type Set struct {
	members []member
	values  []float64
}

type member struct {
	stream  Stream
	inputs  []int
	in, out []float64
}

// A SetEntry is an indicator of a [Set].
type SetEntry struct {
	Name   string    // as Find takes it
	Params []float64 // missing trailing ones, or all, take their defaults
}

// NewSet returns a set of indicators by name. It returns a *[FieldError] for an
// unknown name or an impossible parameter.
func NewSet(entries ...SetEntry) (*Set, error) {
	s := &Set{}
	outputs := 0
	for _, e := range entries {
		d, err := Find(e.Name)
		if err != nil {
			return nil, err
		}
		stream, err := d.Stream(e.Params)
		if err != nil {
			return nil, err
		}
		m := member{stream: stream, in: make([]float64, len(d.Inputs)), out: make([]float64, len(d.Outputs))}
		for _, name := range d.Inputs {
			i, ok := map[string]int{"open": 0, "high": 1, "low": 2, "close": 3, "volume": 4}[name]
			if !ok {
				return nil, invalid.Field("indicator", e.Name, "an indicator of open, high, low, close and volume")
			}
			m.inputs = append(m.inputs, i)
		}
		outputs += len(d.Outputs)
		s.members = append(s.members, m)
	}
	s.values = make([]float64, outputs)
	return s, nil
}

// Update takes the next bar and returns the outputs of all members, in their
// order. The slice is the set's: the next call overwrites it.
func (s *Set) Update(b market.Bar) []float64 { return s.each(b, Stream.Update) }

// Peek returns what Update would, and leaves the set as it is.
func (s *Set) Peek(b market.Bar) []float64 { return s.each(b, Stream.Peek) }

func (s *Set) each(b market.Bar, f func(Stream, []float64, []float64)) []float64 {
	prices := [5]float64{b.Open, b.High, b.Low, b.Close, b.Volume}
	at := 0
	for _, m := range s.members {
		for k, i := range m.inputs {
			m.in[k] = prices[i]
		}
		f(m.stream, m.in, m.out)
		at += copy(s.values[at:], m.out)
	}
	return s.values
}

// Reset forgets every bar.
func (s *Set) Reset() {
	for _, m := range s.members {
		m.stream.Reset()
	}
}

// Warmup returns how many leading bars leave some output NaN.
func (s *Set) Warmup() int {
	most := 0
	for _, m := range s.members {
		most = max(most, m.stream.Warmup())
	}
	return most
}

// Chain makes a stream that passes the first output of each stream to the one
// after it: the RSI of an EMA. Every stream but the first takes one input. Its
// warm-up is the sum of theirs. It returns a *[FieldError] when there are none.
func Chain(streams ...Stream) (Stream, error) {
	if len(streams) == 0 {
		return nil, invalid.Field("streams", 0, "at least one stream")
	}
	return &chain{streams: streams, between: make([]float64, 16)}, nil
}

type chain struct {
	streams []Stream
	between []float64
	one     [1]float64
}

func (c *chain) Update(in, out []float64) { c.pass(in, out, Stream.Update) }

// Peek is right because each stream peeks with what the one before it peeked.
func (c *chain) Peek(in, out []float64) { c.pass(in, out, Stream.Peek) }

func (c *chain) pass(in, out []float64, f func(Stream, []float64, []float64)) {
	for i, s := range c.streams {
		if i == len(c.streams)-1 {
			f(s, in, out)
			return
		}
		f(s, in, c.between)
		if !kernel.Finite(c.between[0]) {
			fillNaN(out)
			return
		}
		c.one[0] = c.between[0]
		in = c.one[:]
	}
}

func (c *chain) Reset() {
	for _, s := range c.streams {
		s.Reset()
	}
}

func (c *chain) Warmup() int {
	total := 0
	for _, s := range c.streams {
		total += s.Warmup()
	}
	return total
}

func (s *Set) parts() []Stream {
	var streams []Stream
	for _, m := range s.members {
		streams = append(streams, m.stream)
	}
	return streams
}

func (c *chain) parts() []Stream { return c.streams }
