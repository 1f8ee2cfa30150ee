package talib

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// cci is the commodity channel index, of typical prices.
type cci struct {
	away      *kernel.Away
	typical   scratch
	distances scratch
}

func newCCI(n int) *cci { return &cci{away: kernel.NewAway(n, kernel.Floats, kernel.Ints)} }

func (c *cci) next3(high, low, close float64) float64 {
	return channel(c.away.Push((high + low + close) / 3))
}

func channel(distance, away float64) float64 {
	if distance == 0 || away == 0 {
		return 0
	}
	return distance / (0.015 * away)
}

func (c *cci) bulk(dst, in [][]float64) {
	out, high, low, close := dst[0], in[0], in[1], in[2]
	typical, distances := c.typical.of(len(out)), c.distances.of(len(out))
	high, low, close = high[:len(typical)], low[:len(typical)], close[:len(typical)]
	for i := range typical {
		typical[i] = (high[i] + low[i] + close[i]) / 3
	}
	c.away.Run(distances, out, typical)
	out = out[:len(distances)]
	for i, distance := range distances {
		out[i] = channel(distance, out[i])
	}
}

func (c *cci) visit(t *kernel.Tape) { c.away.Visit(t) }

// avgDev is the mean distance from the mean.
type avgDev struct {
	away      *kernel.Away
	distances scratch
}

func newAvgDev(n int) *avgDev { return &avgDev{away: kernel.NewAway(n, kernel.Floats, kernel.Ints)} }

func (c *avgDev) next(x float64) float64 {
	_, away := c.away.Push(x)
	return away
}

func (c *avgDev) visit(t *kernel.Tape) { c.away.Visit(t) }

func (c *avgDev) bulk1(out, in []float64) { c.away.Run(c.distances.of(len(in)), out, in) }
