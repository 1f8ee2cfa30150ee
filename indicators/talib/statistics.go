package talib

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
)

// variance is VAR, or STDDEV times dev when root is set; both of the population.
type variance struct {
	m    kernel.Moments
	n    float64
	dev  float64
	root bool
}

func newVariance(n int, dev float64, root bool) *variance {
	return &variance{kernel.NewMoments(nil, n), float64(n), dev, root}
}

func (c *variance) next(x float64) float64 {
	_, squares := c.m.Push(x)
	v := squares / c.n
	switch {
	case !c.root || v != v:
		return v
	case v < epsilon:
		return 0
	default:
		return math.Sqrt(v) * c.dev
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
	middle, squares := b.m.Push(x)
	if b.average != nil {
		middle = b.average.next(x)
	}
	if middle != middle || squares != squares {
		return math.NaN(), math.NaN(), math.NaN()
	}
	deviation := 0.0
	if v := squares / b.n; v >= epsilon {
		deviation = math.Sqrt(v)
	}
	return middle + float64(deviation*b.up), middle, middle - float64(deviation*b.down)
}

func (b *bands) nextN(in, out []float64) { out[0], out[1], out[2] = b.next13(in[0]) }

func (b *bands) visit(t *kernel.Tape) {
	b.m.Visit(t)
	if b.average != nil {
		b.average.visit(t)
	}
}

// pairSums keeps the sums of the last n pairs and of their products, as
// kernel.Moments does for one series.
type pairSums struct {
	cells  []pairCell
	pos    int
	head   pairCell
	x0, y0 float64
	filled bool
}

// A pairCell holds sums; before pos, x and y are raw values.
type pairCell struct{ x, y, xx, yy, xy float64 }

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
	cell := &p.cells[p.pos]
	cell.x, cell.y = x, y
	p.pos++
	n := float64(len(p.cells))
	if p.pos == len(p.cells) {
		p.turn(x, y)
		all := &p.cells[0]
		return all.xx - float64(all.x*all.x)/n, all.yy - float64(all.y*all.y)/n, all.xy - float64(all.x*all.y)/n
	}
	head := &p.head
	head.add(x-p.x0, y-p.y0)
	if !p.filled {
		return math.NaN(), math.NaN(), math.NaN()
	}
	tail := &p.cells[p.pos]
	sx, sy := head.x+tail.x, head.y+tail.y
	return head.xx + tail.xx - float64(sx*sx)/n, head.yy + tail.yy - float64(sy*sy)/n, head.xy + tail.xy - float64(sx*sy)/n
}

// turn makes the full block's cells sums to its end, from its last pair.
func (p *pairSums) turn(x, y float64) {
	p.x0, p.y0 = x, y
	var sx, sy, xx, yy, xy float64
	for i := len(p.cells) - 1; i >= 0; i-- {
		c := &p.cells[i]
		dx, dy := c.x-x, c.y-y
		sx += dx
		sy += dy
		xx += float64(dx * dx)
		yy += float64(dy * dy)
		xy += float64(dx * dy)
		c.x, c.y, c.xx, c.yy, c.xy = sx, sy, xx, yy, xy
	}
	p.pos, p.head, p.filled = 0, pairCell{}, true
}

func (p *pairSums) visit(t *kernel.Tape) {
	for i := range p.cells {
		p.cells[i].visit(t)
	}
	t.Int(&p.pos)
	p.head.visit(t)
	t.Float(&p.x0)
	t.Float(&p.y0)
	t.Bool(&p.filled)
}

func (c *pairCell) visit(t *kernel.Tape) {
	for _, p := range []*float64{&c.x, &c.y, &c.xx, &c.yy, &c.xy} {
		t.Float(p)
	}
}

// correlation is Pearson's, of the values themselves.
type correlation struct{ pairSums }

func newCorrelation(n int) *correlation {
	return &correlation{pairSums{cells: make([]pairCell, n)}}
}

func (c *correlation) next2(x, y float64) float64 {
	xx, yy, xy := c.push(x, y)
	square := xx * yy
	switch {
	case square != square:
		return square
	case square < epsilon:
		return 0
	}
	return xy / math.Sqrt(square)
}

// beta is the slope of the second series' returns on the first's.
type beta struct {
	pairSums
	x, y  float64
	begun bool
}

func newBeta(n int) *beta { return &beta{pairSums: pairSums{cells: make([]pairCell, n)}} }

func (c *beta) next2(x, y float64) float64 {
	px, py := c.x, c.y
	c.x, c.y = x, y
	if !c.begun {
		c.begun = true
		return math.NaN()
	}
	xx, _, xy := c.push(returnFrom(px, x), returnFrom(py, y))
	if n := float64(len(c.cells)); isZero(xx * n) {
		return 0
	}
	return xy / xx
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

// map1 and map2 apply a function to each bar.
type map1 struct {
	stateless
	f func(x float64) float64
}

func (c map1) next(x float64) float64 { return c.f(x) }

type map2 struct {
	stateless
	f func(x, y float64) float64
}

func (c map2) next2(x, y float64) float64 { return c.f(x, y) }

type map3 struct {
	stateless
	f func(high, low, close float64) float64
}

func (c map3) next3(high, low, close float64) float64 { return c.f(high, low, close) }

type map4 struct {
	stateless
	f func(open, high, low, close float64) float64
}

func (c map4) next4(open, high, low, close float64) float64 { return c.f(open, high, low, close) }

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
	return trueRange(high, low, prev)
}

func (c *trange) visit(t *kernel.Tape) {
	t.Float(&c.prev)
	t.Bool(&c.begun)
}

// accBands are Headley's acceleration bands.
type accBands struct{ upper, middle, lower *sma }

func newAccBands(n int) *accBands { return &accBands{newSMA(n), newSMA(n), newSMA(n)} }

func (c *accBands) nextN(in, out []float64) {
	high, low := in[0], in[1]
	width := 0.0
	if sum := high + low; !isZero(sum) {
		width = 4 * (high - low) / sum
	}
	out[0] = c.upper.next(high * (1 + width))
	out[1] = c.middle.next(in[2])
	out[2] = c.lower.next(low * (1 - width))
}

func (c *accBands) visit(t *kernel.Tape) {
	c.upper.visit(t)
	c.middle.visit(t)
	c.lower.visit(t)
}
