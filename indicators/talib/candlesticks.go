package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/candle"
	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/indicators/internal/spec"
)

// candleIndicators are TA-Lib's candlestick patterns: 100 or 200 where one
// points up, -100 or -200 where one points down, 80 for a weak one, 0 elsewhere.
func candleIndicators() []Indicator {
	list := make([]Indicator, candle.TALib)
	for i := range list {
		list[i] = candleIndicator(candle.ID(i))
	}
	return list
}

func candleIndicator(id candle.ID) Indicator {
	var params []spec.Param
	if usual := id.Penetration(); usual > 0 {
		params = []spec.Param{number("Penetration", usual, 0, huge)}
	}
	open := func(p []float64) *candlestick {
		if len(p) == 0 {
			p = []float64{0}
		}
		return &candlestick{s: candle.NewSingle(id, p[0]), wait: id.Lookback()}
	}
	return Indicator{
		Name:    Prefix + "CDL" + id.Name(),
		Summary: "Candlestick pattern: " + id.Title() + "; 100 up, -100 down, 0 for none.",
		Inputs:  ohlc(),
		Params:  params,
		Outputs: pane("Integer"),
		Run:     runner(func(p []float64) (core, int) { return open(p), 0 }),
		Open:    func(p []float64) Stream { return newStream("CDL"+id.Name(), p, open(p), id.Lookback()) },
	}.WithDefaults()
}

type candlestick struct {
	s    *candle.Scanner
	wait int
}

func (c *candlestick) next4(open, high, low, close float64) float64 {
	v := float64(c.s.UpdateSingle(open, high, low, close))
	if c.wait > 0 {
		c.wait--
		return math.NaN()
	}
	return v
}

func (c *candlestick) try(dst, in [][]float64) bool {
	out := dst[0]
	if !c.s.Try(out, in[0], in[1], in[2], in[3]) {
		return false
	}
	k := min(c.wait, len(out))
	fillNaN(out[:k])
	c.wait -= k
	return true
}

func (c *candlestick) visit(t *kernel.Tape) {
	c.s.Visit(t)
	t.Int(&c.wait)
}
