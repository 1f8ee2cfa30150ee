package talib

import "github.com/ttai-go/ttai/indicators/internal/kernel"

// cci is the commodity channel index.
type cci struct {
	away    deviations // of typical prices
	typical scratch
	means   scratch
}

func newCCI(n int) *cci { return &cci{away: newDeviations(n)} }

func (c *cci) next3(high, low, close float64) float64 {
	x := (high + low + close) / 3
	mean, away := c.away.push(x)
	return channel(x-mean, away)
}

func channel(x, away float64) float64 {
	if x == 0 || away == 0 {
		return 0
	}
	return x / (0.015 * away)
}

func (c *cci) bulk(dst, in [][]float64) {
	out, high, low, close := dst[0], in[0], in[1], in[2]
	typical, means := c.typical.of(len(out)), c.means.of(len(out))
	high, low, close = high[:len(typical)], low[:len(typical)], close[:len(typical)]
	for i := range typical {
		typical[i] = (high[i] + low[i] + close[i]) / 3
	}
	c.away.run(means, out, typical)
	out, means = out[:len(typical)], means[:len(typical)]
	for i, x := range typical {
		out[i] = channel(x-means[i], out[i])
	}
}

func (c *cci) visit(t *kernel.Tape) { c.away.visit(t) }

// deviations gives the mean of the last n values and their mean distance from it.
type deviations struct {
	sum  kernel.Sum
	ring []float64 // the values twice, so that the last n lie in one piece
	pos  int
	n    float64
}

func newDeviations(n int) deviations {
	d := deviations{sum: kernel.NewSum(nil, n), ring: make([]float64, 2*n), n: float64(n)}
	return d
}

func (d *deviations) push(x float64) (mean, away float64) {
	n := len(d.ring) / 2
	d.ring[d.pos], d.ring[d.pos+n] = x, x
	d.pos++
	end := d.pos
	if d.pos == n {
		d.pos = 0
	}
	mean = d.sum.Push(x) / d.n
	if mean != mean {
		return mean, mean
	}
	return mean, kernel.Distance(d.ring[end:end+n], mean) / d.n
}

// run is push of every value of in.
func (d *deviations) run(means, aways, in []float64) {
	d.sum.Run(means, in, d.n)
	n := len(d.ring) / 2
	aways, means = aways[:len(in)], means[:len(in)]
	for i, x := range in {
		d.ring[d.pos], d.ring[d.pos+n] = x, x
		d.pos++
		window := d.ring[d.pos : d.pos+n]
		if d.pos == n {
			d.pos = 0
		}
		mean := means[i]
		if mean != mean {
			aways[i] = mean
			continue
		}
		aways[i] = kernel.Distance(window, mean) / d.n
	}
}

func (d *deviations) visit(t *kernel.Tape) {
	d.sum.Visit(t)
	t.Floats(d.ring)
	t.Int(&d.pos)
}

// avgDev is the mean distance from the mean.
type avgDev struct {
	away  deviations
	means scratch
}

func newAvgDev(n int) *avgDev { return &avgDev{away: newDeviations(n)} }

func (c *avgDev) next(x float64) float64 {
	_, away := c.away.push(x)
	return away
}

func (c *avgDev) bulk1(out, in []float64) { c.away.run(c.means.of(len(in)), out, in) }

func (c *avgDev) visit(t *kernel.Tape) { c.away.visit(t) }
