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
	c.m.Each(c.rest.of(len(out)), out, in[0])
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
	up, down float64
}

func newBands(n int, up, down float64, kind int, e env) *bands {
	b := &bands{m: kernel.NewMoments(nil, n), up: up, down: down}
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
	if v := squares * b.m.Inverse(); v >= epsilon {
		deviation = math.Sqrt(v)
	}
	return middle + float64(deviation*b.up), middle, middle - float64(deviation*b.down)
}

func (b *bands) nextN(in, out []float64) { out[0], out[1], out[2] = b.next13(in[0]) }

func (b *bands) bulk(dst, in [][]float64) {
	upper, middle, lower := dst[0], dst[1], dst[2]
	b.m.Each(middle, lower, in[0])
	if b.average != nil {
		bulk1(b.average, middle, in[0])
	}
	inverse := b.m.Inverse()
	middle, upper = middle[:len(lower)], upper[:len(lower)]
	for i, squares := range lower {
		v := squares * inverse
		if v < epsilon {
			v = 0
		}
		deviation := math.Sqrt(v)
		m := middle[i]
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
	inverse float64    // 1/n
	spare   []pairCell // for the cells of the next block
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
type correlation struct{ pairSums }

func newCorrelation(n int) *correlation { return &correlation{newPairSums(n)} }

func (c *correlation) next2(x, y float64) float64 { return pearson(c.push(x, y)) }

func pearson(xx, yy, xy float64) float64 {
	square := xx * yy
	if square < epsilon {
		return 0
	}
	return xy / math.Sqrt(square)
}

func (c *correlation) bulk(dst, in [][]float64) {
	out, x, y := dst[0], in[0], in[1]
	for n := len(c.cells); len(x) > 0; {
		k := min(n-c.pos, len(x))
		if k == n {
			k = len(x) / n * n
			c.blocks(out[:k], x[:k], y[:k])
		} else {
			for i, v := range x[:k] {
				out[i] = c.next2(v, y[i])
			}
		}
		out, x, y = out[k:], x[k:], y[k:]
	}
}

// blocks is next2 of whole blocks. It goes through each from both ends at once,
// for the sums from neither need wait for those from the other.
func (c *correlation) blocks(out, xs, ys []float64) {
	n := len(c.cells)
	if c.spare == nil {
		c.spare = make([]pairCell, n)
	}
	cells, next := c.cells[:n], c.spare[:n]
	x0, y0, inverse := c.x0, c.y0, c.inverse
	for len(xs) >= n {
		x, y, results := xs[:n], ys[:n], out[:n]
		x1, y1 := x[n-1], y[n-1]
		var hx, hy, hxx, hyy, hxy, tx, ty, txx, tyy, txy float64
		j := n - 1
		for i := range x {
			dx, dy := x[i]-x0, y[i]-y0
			hx += dx
			hy += dy
			hxx += float64(dx * dx)
			hyy += float64(dy * dy)
			hxy += float64(dx * dy)
			cell := &cells[i]
			sx, sy := hx+cell.x, hy+cell.y
			xx := hxx + cell.xx - float64(float64(sx*sx)*inverse)
			yy := hyy + cell.yy - float64(float64(sy*sy)*inverse)
			xy := hxy + cell.xy - float64(float64(sx*sy)*inverse)
			results[i] = pearson(xx, yy, xy)
			cell = &next[j]
			cell.x, cell.y, cell.xx, cell.yy, cell.xy = tx, ty, txx, tyy, txy
			dx, dy = x[j]-x1, y[j]-y1
			tx += dx
			ty += dy
			txx += float64(dx * dx)
			tyy += float64(dy * dy)
			txy += float64(dx * dy)
			j--
		}
		results[n-1] = pearson(txx-float64(float64(tx*tx)*inverse), tyy-float64(float64(ty*ty)*inverse), txy-float64(float64(tx*ty)*inverse))
		cells, next, x0, y0 = next, cells, x1, y1
		xs, ys, out = xs[n:], ys[n:], out[n:]
	}
	c.cells, c.spare, c.x0, c.y0 = cells, next, x0, y0
}

// beta is the slope of the second series' returns on the first's.
type beta struct {
	pairSums
	x, y    float64
	begun   bool
	returns [2][]float64 // of a block
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
	for n := len(c.cells); len(x) > 0; {
		k := min(n-c.pos, len(x))
		if k == n && c.begun {
			k = len(x) / n * n
			if n == 5 {
				c.fives(out[:k], x[:k], y[:k])
			} else {
				c.blocks(out[:k], x[:k], y[:k])
			}
		} else {
			for i, v := range x[:k] {
				out[i] = c.next2(v, y[i])
			}
		}
		out, x, y = out[k:], x[k:], y[k:]
	}
}

// fives is blocks for the usual length, written out: the returns stay in
// registers, and a block need not wait for the one before.
func (c *beta) fives(out, xs, ys []float64) {
	cells := (*[5]pairCell)(c.cells)
	x0, y0, px, py := c.x0, c.y0, c.x, c.y
	for len(xs) >= 5 && len(ys) >= 5 && len(out) >= 5 {
		a, b := returnFrom(px, xs[0]), returnFrom(py, ys[0])
		dx, dy := a-x0, b-y0
		hx, hy, hxx, hxy := dx, dy, float64(dx*dx), float64(dx*dy)
		out[0] = slopeOfFive(hx+cells[0].x, hy+cells[0].y, hxx+cells[0].xx, hxy+cells[0].xy)
		a1, b1 := returnFrom(xs[0], xs[1]), returnFrom(ys[0], ys[1])
		dx, dy = a1-x0, b1-y0
		hx, hy, hxx, hxy = hx+dx, hy+dy, hxx+float64(dx*dx), hxy+float64(dx*dy)
		out[1] = slopeOfFive(hx+cells[1].x, hy+cells[1].y, hxx+cells[1].xx, hxy+cells[1].xy)
		a2, b2 := returnFrom(xs[1], xs[2]), returnFrom(ys[1], ys[2])
		dx, dy = a2-x0, b2-y0
		hx, hy, hxx, hxy = hx+dx, hy+dy, hxx+float64(dx*dx), hxy+float64(dx*dy)
		out[2] = slopeOfFive(hx+cells[2].x, hy+cells[2].y, hxx+cells[2].xx, hxy+cells[2].xy)
		a3, b3 := returnFrom(xs[2], xs[3]), returnFrom(ys[2], ys[3])
		dx, dy = a3-x0, b3-y0
		hx, hy, hxx, hxy = hx+dx, hy+dy, hxx+float64(dx*dx), hxy+float64(dx*dy)
		out[3] = slopeOfFive(hx+cells[3].x, hy+cells[3].y, hxx+cells[3].xx, hxy+cells[3].xy)
		px, py = xs[4], ys[4]
		x0, y0 = returnFrom(xs[3], px), returnFrom(ys[3], py)
		dx, dy = a3-x0, b3-y0
		hx, hy, hxx, hxy = dx, dy, float64(dx*dx), float64(dx*dy)
		cells[2].x, cells[2].y, cells[2].xx, cells[2].xy = hx, hy, hxx, hxy
		dx, dy = a2-x0, b2-y0
		hx, hy, hxx, hxy = hx+dx, hy+dy, hxx+float64(dx*dx), hxy+float64(dx*dy)
		cells[1].x, cells[1].y, cells[1].xx, cells[1].xy = hx, hy, hxx, hxy
		dx, dy = a1-x0, b1-y0
		hx, hy, hxx, hxy = hx+dx, hy+dy, hxx+float64(dx*dx), hxy+float64(dx*dy)
		cells[0].x, cells[0].y, cells[0].xx, cells[0].xy = hx, hy, hxx, hxy
		dx, dy = a-x0, b-y0
		out[4] = slopeOfFive(hx+dx, hy+dy, hxx+float64(dx*dx), hxy+float64(dx*dy))
		cells[3], cells[4] = pairCell{}, pairCell{}
		xs, ys, out = xs[5:], ys[5:], out[5:]
	}
	c.x0, c.y0, c.x, c.y = x0, y0, px, py
}

// slopeOfFive is the slope of five pairs with those sums.
func slopeOfFive(x, y, xx, xy float64) float64 {
	const inverse = 1.0 / 5
	xx -= float64(float64(x*x) * inverse)
	v := (xy - float64(float64(x*y)*inverse)) / xx
	if isZero(xx * 5) {
		v = 0
	}
	return v
}

// blocks is for the slope what correlation's is, but that the second series'
// squares are not needed and not kept right.
func (c *beta) blocks(out, xs, ys []float64) {
	n := len(c.cells)
	if c.spare == nil {
		c.spare = make([]pairCell, n)
		c.returns = [2][]float64{make([]float64, n), make([]float64, n)}
	}
	cells, next := c.cells[:n], c.spare[:n]
	x0, y0, inverse, size := c.x0, c.y0, c.inverse, float64(n)
	x, y := c.returns[0][:n], c.returns[1][:n]
	for len(xs) >= n {
		results, nowX, nowY, px, py := out[:n], xs[:n], ys[:n], c.x, c.y
		for i, v := range nowX {
			w := nowY[i]
			x[i], y[i] = returnFrom(px, v), returnFrom(py, w)
			px, py = v, w
		}
		c.x, c.y = px, py
		x1, y1 := x[n-1], y[n-1]
		var hx, hy, hxx, hxy, tx, ty, txx, txy float64
		j := n - 1
		for i := range x {
			dx, dy := x[i]-x0, y[i]-y0
			hx += dx
			hy += dy
			hxx += float64(dx * dx)
			hxy += float64(dx * dy)
			cell := &cells[i]
			sx, sy := hx+cell.x, hy+cell.y
			xx := hxx + cell.xx - float64(float64(sx*sx)*inverse)
			xy := hxy + cell.xy - float64(float64(sx*sy)*inverse)
			v := xy / xx
			if isZero(xx * size) {
				v = 0
			}
			results[i] = v
			cell = &next[j]
			cell.x, cell.y, cell.xx, cell.xy = tx, ty, txx, txy
			dx, dy = x[j]-x1, y[j]-y1
			tx += dx
			ty += dy
			txx += float64(dx * dx)
			txy += float64(dx * dy)
			j--
		}
		results[n-1] = c.of(txx-float64(float64(tx*tx)*inverse), txy-float64(float64(tx*ty)*inverse))
		cells, next, x0, y0 = next, cells, x1, y1
		xs, ys, out = xs[n:], ys[n:], out[n:]
	}
	c.cells, c.spare, c.x0, c.y0 = cells, next, x0, y0
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

// map1 applies a function to each bar; whole does so over columns.
type map1 struct {
	stateless
	f     func(x float64) float64
	whole func(out, x []float64)
}

func (c map1) next(x float64) float64  { return c.f(x) }
func (c map1) bulk1(out, in []float64) { c.whole(out, in) }

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
