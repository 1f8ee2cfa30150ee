package backtest

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A curve collects the points of an account at the resolution asked for.
type curve struct {
	columns Curve
	every   int64 // the span of which the last point is kept; 0: all
	most    int
	opened  bool  // the last point may still be replaced by a later one of its span
	bucket  int64 // its span
	plain   bool  // all points are kept, and nobody is told of them
}

func (c *curve) open(o *Options) {
	c.every, c.most = int64(o.Curve.Every), o.Curve.Most
	c.plain = c.every == 0 && c.most == 0 && o.Observer == nil
}

// reserve makes room for as many points as there can be, or takes that which is
// there.
func (c *curve) reserve(points int64, given *workspace) {
	if c.most > 0 {
		points = min(points, int64(c.most)+1)
	}
	if c.every > 0 || points > 1<<26 {
		points = min(points, 1<<12)
	}
	if points <= 0 {
		return
	}
	k := &c.columns
	if given != nil {
		if columns, ok := given.columns(points); ok {
			*k = columns
			return
		}
	}
	k.Time, k.Bars = make([]int64, 0, points), make([]int64, 0, points)
	k.Price, k.Cash = make([]float64, 0, points), make([]float64, 0, points)
	k.Value, k.Exposure = make([]float64, 0, points), make([]float64, 0, points)
}

// points takes a point of every account.
func (e *engine) points() {
	bar, price := int64(-1), unknown
	if len(e.feeds) > 0 {
		f := e.feeds[0]
		bar = f.count - 1
		if price = f.symbol.mark; bar < 0 && math.IsNaN(price) {
			price = unknown
		}
	} else if len(e.chains) > 0 {
		price = e.chains[0].under.mark
	}
	e.pointsAt(e.now, bar, price)
}

// pointsAt takes a point of every account at the present, given the latest bar of
// the first symbol and its price.
func (e *engine) pointsAt(at, bar int64, price float64) {
	for _, d := range e.desks {
		if d.ruined {
			d.curve.add(e, d, at, bar, price, 0, 0, 0)
			continue
		}
		money := d.ledger.money
		value, exposure := money, 0.0
		if len(d.ledger.open) > 0 {
			value, exposure = d.ledger.value()
			if e.rules.Ruin && value <= 0 {
				e.ruin(d)
				money, value, exposure = d.ledger.money, 0, 0
			}
			if e.opts.Greeks && d.ledger.options > 0 {
				e.greeks(d)
			}
		}
		d.curve.add(e, d, at, bar, price, money, value, exposure)
	}
}

// add takes a point.
func (c *curve) add(e *engine, d *desk, at, bar int64, price, cash, value, exposure float64) {
	k := &c.columns
	n := len(k.Time)
	if c.plain && n < cap(k.Time) && (n == 0 || k.Time[n-1] != at) {
		// The columns have the same room.
		k.Time, k.Bars, k.Price = k.Time[:n+1], k.Bars[:n+1], k.Price[:n+1]
		k.Cash, k.Value, k.Exposure = k.Cash[:n+1], k.Value[:n+1], k.Exposure[:n+1]
		k.Time[n], k.Bars[n], k.Price[n], k.Cash[n], k.Value[n], k.Exposure[n] = at, bar, price, cash, value, exposure
		return
	}
	if c.every > 0 {
		bucket := floorDiv(at, c.every)
		if c.opened && bucket == c.bucket {
			k.Time[n-1], k.Bars[n-1], k.Price[n-1], k.Cash[n-1], k.Value[n-1], k.Exposure[n-1] = at, bar, price, cash, value, exposure
			return
		}
		if c.opened {
			c.tell(e, d)
		}
		c.opened, c.bucket = true, bucket
	} else if n > 0 && k.Time[n-1] == at {
		k.Time[n-1], k.Bars[n-1], k.Price[n-1], k.Cash[n-1], k.Value[n-1], k.Exposure[n-1] = at, bar, price, cash, value, exposure
		return
	}
	k.Time, k.Bars = append(k.Time, at), append(k.Bars, bar)
	k.Price, k.Cash = append(k.Price, price), append(k.Cash, cash)
	k.Value, k.Exposure = append(k.Value, value), append(k.Exposure, exposure)
	if c.every == 0 {
		if e.opts.Observer != nil {
			c.tell(e, d)
		}
		if c.most > 0 && n+1 > c.most {
			c.widen()
		}
		return
	}
	if c.most > 0 && n+1 > c.most {
		c.widen()
	}
}

// left is how many points there is room for, and last the time of the latest one.
func (c *curve) left() int { return cap(c.columns.Time) - len(c.columns.Time) }

func (c *curve) last() int64 {
	if n := len(c.columns.Time); n > 0 {
		return c.columns.Time[n-1]
	}
	return math.MinInt64
}

// follow takes the points at the ends of bars during which an account holds nothing
// but their symbol, if anything, given the number of the first. There is room for
// them, and the curve is plain.
func (c *curve) follow(l *ledger, bars []market.Bar, ends []int64, number int64) {
	k := &c.columns
	from := len(k.Time)
	to := from + len(bars)
	k.Time, k.Bars, k.Price = k.Time[:to], k.Bars[:to], k.Price[:to]
	k.Cash, k.Value, k.Exposure = k.Cash[:to], k.Value[:to], k.Exposure[:to]
	copy(k.Time[from:], ends)
	for i := range bars {
		k.Bars[from+i] = number + int64(i)
	}
	prices, cash, values, exposures := k.Price[from:to], k.Cash[from:to], k.Value[from:to], k.Exposure[from:to]
	for i := range bars {
		prices[i] = bars[i].Close
	}
	for i := range cash {
		cash[i] = l.money
	}
	if len(l.open) == 0 {
		copy(values, cash)
		clear(exposures)
		return
	}
	h := l.open[0]
	for i, price := range prices {
		worth := float64(h.units * price) // as ledger.value has it
		exposures[i] = math.Abs(worth)
		values[i] = l.money + (worth - h.basis)
	}
}

// tell hands the last point to the observer.
func (c *curve) tell(e *engine, d *desk) {
	if e.opts.Observer == nil || len(c.columns.Time) == 0 {
		return
	}
	p := c.columns.At(len(c.columns.Time) - 1)
	e.tell(&Item{Time: p.Time, Account: d.number, Point: &p})
}

// close tells of the last point.
func (c *curve) close(e *engine, d *desk) {
	if c.every > 0 && c.opened {
		c.opened = false
		c.tell(e, d)
	}
}

// widen doubles the span until at most half of the points that are allowed are
// left.
func (c *curve) widen() {
	k := &c.columns
	n := len(k.Time)
	if c.every == 0 {
		c.every = max((k.Time[n-1]-k.Time[0])/int64(c.most)*2, 1)
	} else {
		c.every *= 2
	}
	for {
		kept := 0
		for i := range n {
			if i+1 < n && floorDiv(k.Time[i], c.every) == floorDiv(k.Time[i+1], c.every) {
				continue
			}
			k.Time[kept], k.Bars[kept], k.Price[kept] = k.Time[i], k.Bars[i], k.Price[i]
			k.Cash[kept], k.Value[kept], k.Exposure[kept] = k.Cash[i], k.Value[i], k.Exposure[i]
			kept++
		}
		n = kept
		k.Time, k.Bars, k.Price = k.Time[:n], k.Bars[:n], k.Price[:n]
		k.Cash, k.Value, k.Exposure = k.Cash[:n], k.Value[:n], k.Exposure[:n]
		if 2*n <= c.most {
			break
		}
		c.every *= 2
	}
	c.opened, c.bucket = true, floorDiv(k.Time[n-1], c.every)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// A progressClock measures the real time of a run.
type progressClock struct {
	began, told time.Time
	now         func() time.Time
	every       time.Duration
}

func (p *progressClock) begin(o *Options) {
	p.now = time.Now
	if o.Clock != nil {
		p.now = o.Clock.Now
	}
	if p.every = o.ProgressEvery; p.every <= 0 {
		p.every = time.Second
	}
	if o.Progress != nil {
		p.began = p.now()
		p.told = p.began
	}
}

// progress tells how far the run is.
func (e *engine) progress(always bool) {
	if e.opts.Progress == nil {
		return
	}
	now := e.clockwork.now()
	if !always && now.Sub(e.clockwork.told) < e.clockwork.every {
		return
	}
	e.clockwork.told = now
	p := Progress{Done: unknown, Now: e.present(), Elapsed: now.Sub(e.clockwork.began), Bars: e.bars, Quotes: e.scanned}
	if e.total > 0 {
		p.Done = min(float64(e.bars+e.scanned)/float64(e.total), 1)
		if p.Done > 0 {
			p.Left = time.Duration(float64(p.Elapsed) * (1 - p.Done) / p.Done)
		}
	}
	if always {
		p.Done, p.Left = 1, 0
	}
	p.Value, _ = e.desks[0].ledger.value()
	e.opts.Progress(p)
}
