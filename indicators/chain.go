package indicators

import (
	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
)

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

func (c *chain) parts() []Stream { return c.streams }
