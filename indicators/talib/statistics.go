package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// variance is VAR, or STDDEV times dev when root is set; both of the population.
type variance struct {
	m    kernel.Moments
	dev  float64
	root bool
	rest scratch
}

func newVariance(n int, dev float64, root bool) *variance {
	return &variance{m: kernel.NewMoments(nil, n), dev: dev, root: root}
}

func (c *variance) next(x float64) float64 {
	_, squares := c.m.Push(x)
	return c.of(squares * c.m.Inverse())
}

func (c *variance) of(v float64) float64 {
	switch {
	case !c.root || v != v:
		return v
	case v < epsilon:
		return 0
	default:
		return math.Sqrt(v) * c.dev
	}
}

func (c *variance) bulk(dst, in [][]float64) {
	out := dst[0]
	c.m.Run(c.rest.of(len(out)), out, in[0])
	inverse := c.m.Inverse()
	if !c.root {
		for i, v := range out {
			out[i] = v * inverse
		}
		return
	}
	dev := c.dev
	for i, v := range out {
		if v *= inverse; v < epsilon {
			out[i] = 0 // not -0, whatever the sign of dev
			continue
		}
		out[i] = math.Sqrt(v) * dev
	}
}

func (c *variance) visit(t *kernel.Tape) { c.m.Visit(t) }

// bands are Bollinger's around any average.
type bands struct {
	average  core1 // nil: the simple one, which the moments give
	m        kernel.Moments
	n        float64
	up, down float64
}

func newBands(n int, up, down float64, kind int, e env) *bands {
	b := &bands{m: kernel.NewMoments(nil, n), n: float64(n), up: up, down: down}
	if kind != TypeSMA {
		b.average = newMA(kind, n, e)
	}
	return b
}

func (b *bands) next13(x float64) (upper, middle, lower float64) {
	sum, squares := b.m.Push(x)
	if b.average != nil {
		middle = b.average.next(x)
	} else {
		middle = sum / b.n
	}
	if middle != middle || squares != squares {
		return math.NaN(), math.NaN(), math.NaN()
	}
	deviation := 0.0
	if v := squares * b.m.Inverse(); v >= epsilon {
		deviation = math.Sqrt(v)
	}
	return middle + float64(deviation*b.up), middle, middle - float64(deviation*b.down)
}

func (b *bands) nextN(in, out []float64) { out[0], out[1], out[2] = b.next13(in[0]) }

func (b *bands) bulk(dst, in [][]float64) {
	upper, middle, lower := dst[0], dst[1], dst[2]
	b.m.Run(middle, lower, in[0])
	scale := b.n
	if b.average != nil {
		bulk1(b.average, middle, in[0])
		scale = 1
	}
	inverse := b.m.Inverse()
	middle, upper = middle[:len(lower)], upper[:len(lower)]
	for i, squares := range lower {
		v := squares * inverse
		if v < epsilon {
			v = 0
		}
		deviation := math.Sqrt(v)
		m := middle[i] / scale
		up, down := m+float64(deviation*b.up), m-float64(deviation*b.down)
		if up != up {
			m, down = up, up
		}
		upper[i], middle[i], lower[i] = up, m, down
	}
}

func (b *bands) visit(t *kernel.Tape) {
	b.m.Visit(t)
	if b.average != nil {
		b.average.visit(t)
	}
}

// pairSums keeps the sums of the last n pairs and of their products, as
// kernel.Moments does for one series.
type pairSums struct {
	cells   []pairCell
	pos     int
	head    pairCell
	x0, y0  float64
	inverse float64 // 1/n
}

// A pairCell holds the sums of what comes after it in the block before, NaN
// while there is no such block; before pos, x and y are raw values.
type pairCell struct{ x, y, xx, yy, xy float64 }

func newPairSums(n int) pairSums {
	p := pairSums{cells: make([]pairCell, n), inverse: 1 / float64(n)}
	for i := range n - 1 {
		c := &p.cells[i]
		c.x, c.y, c.xx, c.yy, c.xy = math.NaN(), math.NaN(), math.NaN(), math.NaN(), math.NaN()
	}
	return p
}

// add adds a pair to the sums.
func (c *pairCell) add(x, y float64) {
	c.x += x
	c.y += y
	c.xx += float64(x * x)
	c.yy += float64(y * y)
	c.xy += float64(x * y)
}

// push returns the sums of squared deviations and of their products.
func (p *pairSums) push(x, y float64) (xx, yy, xy float64) {
	cell, head := &p.cells[p.pos], &p.head
	head.add(x-p.x0, y-p.y0)
	sx, sy := head.x+cell.x, head.y+cell.y
	xx = head.xx + cell.xx - float64(float64(sx*sx)*p.inverse)
	yy = head.yy + cell.yy - float64(float64(sy*sy)*p.inverse)
	xy = head.xy + cell.xy - float64(float64(sx*sy)*p.inverse)
	cell.x, cell.y = x, y
	if p.pos++; p.pos == len(p.cells) {
		return p.turn(x, y)
	}
	return xx, yy, xy
}

// run is push of every pair.
func (p *pairSums) run(xx, yy, xy, xs, ys []float64) {
	for len(xs) > 0 {
		k := min(len(p.cells)-p.pos, len(xs))
		cells, head, x0, y0, inverse := p.cells[p.pos:p.pos+k], &p.head, p.x0, p.y0, p.inverse
		hx, hy, hxx, hyy, hxy := head.x, head.y, head.xx, head.yy, head.xy
		a, b, c, second := xx[:k], yy[:k], xy[:k], ys[:k]
		for i, x := range xs[:k] {
			cell, y := &cells[i], second[i]
			dx, dy := x-x0, y-y0
			hx += dx
			hy += dy
			hxx += float64(dx * dx)
			hyy += float64(dy * dy)
			hxy += float64(dx * dy)
			sx, sy := hx+cell.x, hy+cell.y
			a[i] = hxx + cell.xx - float64(float64(sx*sx)*inverse)
			b[i] = hyy + cell.yy - float64(float64(sy*sy)*inverse)
			c[i] = hxy + cell.xy - float64(float64(sx*sy)*inverse)
			cell.x, cell.y = x, y
		}
		p.head.x, p.head.y, p.head.xx, p.head.yy, p.head.xy = hx, hy, hxx, hyy, hxy
		if p.pos += k; p.pos == len(p.cells) {
			a[k-1], b[k-1], c[k-1] = p.turn(xs[k-1], ys[k-1])
		}
		xx, yy, xy, xs, ys = xx[k:], yy[k:], xy[k:], xs[k:], ys[k:]
	}
}

// turn makes the full block's cells sums to its end, from its last pair, and
// returns those of the whole block.
func (p *pairSums) turn(x, y float64) (xx, yy, xy float64) {
	p.x0, p.y0 = x, y
	var sx, sy float64
	for i := len(p.cells) - 1; i >= 0; i-- {
		c := &p.cells[i]
		dx, dy := c.x-x, c.y-y
		c.x, c.y, c.xx, c.yy, c.xy = sx, sy, xx, yy, xy
		sx += dx
		sy += dy
		xx += float64(dx * dx)
		yy += float64(dy * dy)
		xy += float64(dx * dy)
	}
	p.pos, p.head = 0, pairCell{}
	return xx - float64(float64(sx*sx)*p.inverse), yy - float64(float64(sy*sy)*p.inverse), xy - float64(float64(sx*sy)*p.inverse)
}

func (p *pairSums) visit(t *kernel.Tape) {
	for i := range p.cells {
		p.cells[i].visit(t)
	}
	t.Int(&p.pos)
	p.head.visit(t)
	t.Float(&p.x0)
	t.Float(&p.y0)
}

func (c *pairCell) visit(t *kernel.Tape) {
	t.Float(&c.x)
	t.Float(&c.y)
	t.Float(&c.xx)
	t.Float(&c.yy)
	t.Float(&c.xy)
}

// correlation is Pearson's, of the values themselves.
type correlation struct {
	pairSums
	columns [2]scratch
}

func newCorrelation(n int) *correlation { return &correlation{pairSums: newPairSums(n)} }

func (c *correlation) next2(x, y float64) float64 { return pearson(c.push(x, y)) }

func pearson(xx, yy, xy float64) float64 {
	square := xx * yy
	if square < epsilon {
		return 0
	}
	return xy / math.Sqrt(square)
}

func (c *correlation) bulk(dst, in [][]float64) {
	out := dst[0]
	xx, yy := c.columns[0].of(len(out)), c.columns[1].of(len(out))
	c.run(xx, yy, out, in[0], in[1])
	for i, x := range xx {
		out[i] = pearson(x, yy[i], out[i])
	}
}

// beta is the slope of the second series' returns on the first's.
type beta struct {
	pairSums
	x, y    float64
	begun   bool
	columns [4]scratch
}

func newBeta(n int) *beta { return &beta{pairSums: newPairSums(n)} }

func (c *beta) next2(x, y float64) float64 {
	px, py := c.x, c.y
	c.x, c.y = x, y
	if !c.begun {
		c.begun = true
		return math.NaN()
	}
	xx, _, xy := c.push(returnFrom(px, x), returnFrom(py, y))
	return c.of(xx, xy)
}

func (c *beta) of(xx, xy float64) float64 {
	v := xy / xx
	if isZero(xx * float64(len(c.cells))) {
		v = 0
	}
	return v
}

func (c *beta) bulk(dst, in [][]float64) {
	out, x, y := dst[0], in[0], in[1]
	if !c.begun {
		out[0] = c.next2(x[0], y[0])
		out, x, y = out[1:], x[1:], y[1:]
	}
	n := len(out)
	dx, dy, xx, yy := c.columns[0].of(n), c.columns[1].of(n), c.columns[2].of(n), c.columns[3].of(n)
	px, py := c.x, c.y
	y = y[:len(x)]
	for i, a := range x {
		b := y[i]
		dx[i], dy[i] = returnFrom(px, a), returnFrom(py, b)
		px, py = a, b
	}
	c.x, c.y = px, py
	c.run(xx, yy, out, dx, dy)
	for i, v := range xx {
		out[i] = c.of(v, out[i])
	}
}

func returnFrom(before, now float64) float64 {
	if isZero(before) {
		return 0
	}
	return (now - before) / before
}

func (c *beta) visit(t *kernel.Tape) {
	c.pairSums.visit(t)
	t.Float(&c.x)
	t.Float(&c.y)
	t.Bool(&c.begun)
}

// map1 to map4 apply a function to each bar; whole does so over columns.
type map1 struct {
	stateless
	f     func(x float64) float64
	whole func(out, x []float64)
}

func (c map1) next(x float64) float64  { return c.f(x) }
func (c map1) bulk1(out, in []float64) { c.whole(out, in) }

type map2 struct {
	stateless
	telling bool
	f       func(x, y float64) float64
	whole   func(out, x, y []float64)
}

func (c map2) next2(x, y float64) float64 { return c.f(x, y) }
func (c map2) tells() bool                { return c.telling }
func (c map2) bulk(dst, in [][]float64)   { c.whole(dst[0], in[0], in[1]) }

type map3 struct {
	stateless
	telling bool
	f       func(high, low, close float64) float64
	whole   func(out, high, low, close []float64)
}

func (c map3) next3(high, low, close float64) float64 { return c.f(high, low, close) }
func (c map3) tells() bool                            { return c.telling }
func (c map3) bulk(dst, in [][]float64)               { c.whole(dst[0], in[0], in[1], in[2]) }

type map4 struct {
	stateless
	telling bool
	f       func(open, high, low, close float64) float64
	whole   func(out, open, high, low, close []float64)
}

func (c map4) next4(open, high, low, close float64) float64 { return c.f(open, high, low, close) }
func (c map4) tells() bool                                  { return c.telling }
func (c map4) bulk(dst, in [][]float64)                     { c.whole(dst[0], in[0], in[1], in[2], in[3]) }

// trange is the true range, from the second bar on.
type trange struct {
	prev  float64
	begun bool
}

func (c *trange) next3(high, low, close float64) float64 {
	prev := c.prev
	c.prev = close
	if !c.begun {
		c.begun = true
		return math.NaN()
	}
	return kernel.TrueRange(high, low, prev)
}

func (c *trange) bulk(dst, in [][]float64) {
	out, high, low, close := dst[0], in[0], in[1], in[2]
	if !c.begun {
		out[0] = c.next3(high[0], low[0], close[0])
		out, high, low, close = out[1:], high[1:], low[1:], close[1:]
	}
	n, prev := len(out), c.prev
	high, low, close = high[:n], low[:n], close[:n]
	for i := range out {
		out[i] = kernel.TrueRange(high[i], low[i], prev)
		prev = close[i]
	}
	c.prev = prev
}

func (c *trange) visit(t *kernel.Tape) {
	t.Float(&c.prev)
	t.Bool(&c.begun)
}

// accBands are Headley's acceleration bands.
type accBands struct {
	upper, middle, lower *sma
	highs, lows          scratch
}

func newAccBands(n int) *accBands {
	return &accBands{upper: newSMA(n), middle: newSMA(n), lower: newSMA(n)}
}

// widened returns high and low moved apart by four times the bar's relative range.
func widened(high, low float64) (up, down float64) {
	width := 0.0
	if sum := high + low; !isZero(sum) {
		width = 4 * (high - low) / sum
	}
	return high * (1 + width), low * (1 - width)
}

func (c *accBands) nextN(in, out []float64) {
	up, down := widened(in[0], in[1])
	out[0], out[1], out[2] = c.upper.next(up), c.middle.next(in[2]), c.lower.next(down)
}

func (c *accBands) bulk(dst, in [][]float64) {
	ups, downs := c.highs.of(len(in[0])), c.lows.of(len(in[0]))
	lows := in[1][:len(ups)]
	for i, high := range in[0] {
		ups[i], downs[i] = widened(high, lows[i])
	}
	c.upper.bulk1(dst[0], ups)
	c.middle.bulk1(dst[1], in[2])
	c.lower.bulk1(dst[2], downs)
}

func (c *accBands) visit(t *kernel.Tape) {
	c.upper.visit(t)
	c.middle.visit(t)
	c.lower.visit(t)
}
