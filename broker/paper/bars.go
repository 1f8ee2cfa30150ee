package paper

import (
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Bars takes the bars of one interval, one for each of several symbols, and walks
// through them as Options.Path says: first all opens, then each bar's inside, then
// all closes; orders of several legs fill at opens and closes alone. The time is
// then that of the bars' end, and what was due by then has happened: an order
// placed now works from the next bar on. Bars of one time therefore belong in one
// call. The error is a *FieldError, and nothing happened.
//
// An order that was given after the bars' start, while their prices were not known
// yet, meets none of them but the close.
//
// A daily bar starts at the open of its session. Longer bars trade at their start.
func (x *Exchange) Bars(bars []Bar) error {
	x.lock()
	defer x.unlock()
	end, err := x.bars(bars)
	if err == nil && len(bars) > 0 {
		x.advance(max(end, x.now), true)
	}
	return err
}

// ClosingBars is Bars, and stops a nanosecond before the bars' end: for bars that
// end with a session of which the closing quotes of other instruments are known as
// well. Quotes and orders come then, before what the close brings, and Advance goes
// on.
func (x *Exchange) ClosingBars(bars []Bar) error {
	x.lock()
	defer x.unlock()
	_, err := x.bars(bars)
	return err
}

// bars walks through bars up to a nanosecond before their end, which it returns.
func (x *Exchange) bars(bars []Bar) (int64, error) {
	if len(bars) == 0 {
		return 0, nil
	}
	walks, err := x.walks(bars)
	if err != nil {
		return 0, err
	}
	start, end := walks[0].start, walks[0].end
	if start < x.now && end <= x.now {
		return 0, invalid.Fieldf("Time", bars[0].Time, "a bar that ends after %s", x.time().Format(time.RFC3339))
	}
	x.release()
	var late []*order
	if x.now > start {
		late = x.setAside(start)
	}
	x.advance(max(start, x.now), true)
	for i := range walks {
		walks[i].begin(x)
	}
	if len(late) == 0 && x.quiet(walks, end) {
		for i := range walks {
			walks[i].book.mark = walks[i].path[0]
		}
		x.advance(max(end-1, x.now), true)
		for i := range walks {
			walks[i].finish(x)
		}
		return end, nil
	}
	if x.opts.Path != CloseOnly {
		x.point(walks, 0)
	}
	if x.opts.Path != OpenOnly && x.opts.Path != CloseOnly {
		x.insides(walks, start, end)
	}
	if !walks[0].long {
		x.advance(max(end-1, x.now), true)
	}
	if x.opts.Path != OpenOnly {
		x.holding = false
		x.takeBack(late)
		x.point(walks, 3)
	} else {
		x.held = append(x.held, late...)
	}
	for i := range walks {
		walks[i].finish(x)
	}
	return end, nil
}

// setAside takes out of their books the orders that came after the start of the
// bars that are about to be walked through: of what happens then, only the close is
// known to be later than they are. Bars that overlap, such as months named by their
// last day, begin when the one before has ended.
func (x *Exchange) setAside(start int64) []*order {
	var late []*order
	for _, o := range x.working {
		if o.received <= start || o.held || o.status.Terminal() {
			continue
		}
		for i := range o.legs {
			if b := o.legs[i].book; b.barSeq == x.barSeq && o.received > max(start, b.barEnd) {
				x.pull(o)
				o.held = true
				late = append(late, o)
				break
			}
		}
	}
	return late
}

// takeBack puts into their books what was set aside.
func (x *Exchange) takeBack(late []*order) {
	for _, o := range late {
		o.held = false
		x.admit(o)
	}
}

// quiet tells whether no order can be reached by the bars, and none can come to be
// working while they last: then there is nothing to walk for.
func (x *Exchange) quiet(walks []walk, end int64) bool {
	for i := range walks {
		if b := walks[i].book; b.attend || b.low <= b.buyAt || b.high >= b.sellAt || b.high >= b.stopBuyAt || b.low <= b.stopSellAt {
			return false
		}
	}
	if x.due >= end {
		return true
	}
	if x.opts.Latency != (Latency{}) || len(x.waiting) > 0 {
		return false
	}
	for _, o := range x.working {
		if o.gated && !o.status.Terminal() {
			return false
		}
	}
	return true
}

// A walk is one bar and its path.
type walk struct {
	book       *book
	bar        *Bar
	path       [4]float64
	start, end int64
	long       bool // longer than a day
}

func (x *Exchange) walks(bars []Bar) ([]walk, error) {
	if cap(x.walkRoom) < len(bars) {
		x.walkRoom = make([]walk, len(bars))
	}
	walks := x.walkRoom[:len(bars)]
	x.barSeq++
	for i := range bars {
		bar := &bars[i]
		if err := checkBar(i, bar); err != nil {
			return nil, err
		}
		b, err := x.bookOf(bar.Symbol)
		if err != nil {
			return nil, err
		}
		if b.barSeq == x.barSeq {
			return nil, invalid.Field(barField(i, "Symbol"), bar.Symbol, "each symbol once")
		}
		b.barSeq = x.barSeq
		w := walk{book: b, bar: bar, path: x.pathOf(bar)}
		if w.start, w.end, w.long, err = x.span(i, bar); err != nil {
			return nil, err
		}
		if i > 0 && (w.start != walks[0].start || w.end != walks[0].end) {
			return nil, invalid.Field(barField(i, "Time"), bar.Time, "the time and interval of the first bar")
		}
		walks[i] = w
	}
	return walks, nil
}

func barField(i int, name string) string { return fmt.Sprintf("bars[%d].%s", i, name) }

func checkBar(i int, bar *Bar) error {
	if bar.Low > 0 && bar.Low <= bar.Open && bar.Low <= bar.Close && bar.High >= bar.Open && bar.High >= bar.Close && bar.High <= math.MaxFloat64 {
		return nil // whatever is NaN compares with nothing
	}
	for _, p := range []struct {
		field string
		price float64
	}{{"Open", bar.Open}, {"High", bar.High}, {"Low", bar.Low}, {"Close", bar.Close}} {
		if !(p.price > 0) || math.IsInf(p.price, 0) {
			return invalid.Field(barField(i, p.field), p.price, "a positive price")
		}
	}
	if bar.High < max(bar.Open, bar.Close, bar.Low) {
		return invalid.Field(barField(i, "High"), bar.High, "the highest of the bar's prices")
	}
	return invalid.Field(barField(i, "Low"), bar.Low, "the lowest of the bar's prices")
}

// A sessionSpan remembers the session that the latest bar lay in.
type sessionSpan struct {
	interval    market.Interval
	length      int64
	open, close int64
}

// span is when a bar trades.
func (x *Exchange) span(i int, bar *Bar) (start, end int64, long bool, err error) {
	if s := &x.lastSpan; bar.Interval == s.interval && s.length > 0 {
		if start = bar.Time.UnixNano(); start >= s.open && start < s.close {
			return start, min(start+s.length, s.close), false, nil
		}
	}
	return x.calendarSpan(i, bar)
}

func (x *Exchange) calendarSpan(i int, bar *Bar) (start, end int64, long bool, err error) {
	interval := bar.Interval
	if interval == "" {
		interval = market.Day
	}
	n, unit := interval.Parts()
	if n == 0 {
		return 0, 0, false, invalid.Field(barField(i, "Interval"), string(interval), "an interval such as 5m or 1d")
	}
	cal := market.NYSE()
	if interval.Intraday() {
		last := bar.Time.Add(interval.Duration())
		if !x.opts.Continuous {
			if e := cal.BarEnd(bar.Time, interval); e.After(bar.Time) {
				last = e
			}
			if s, ok := cal.Session(market.DateOf(bar.Time.In(x.location))); ok && !bar.Time.Before(s.Open) && bar.Time.Before(s.Close) {
				x.lastSpan = sessionSpan{bar.Interval, int64(interval.Duration()), s.Open.UnixNano(), s.Close.UnixNano()}
			}
		}
		return bar.Time.UnixNano(), last.UnixNano(), false, nil
	}
	long = n > 1 || unit != market.UnitDay
	date := market.DateOf(bar.Time.In(x.location))
	if x.opts.Continuous {
		first := date.In(x.location)
		last := date.AddDays(1)
		switch {
		case unit == market.UnitWeek:
			last = date.AddDays(7 * n)
		case unit == market.UnitMonth:
			last = market.DateOf(date.In(x.location).AddDate(0, n, 0))
		case long:
			last = date.AddDays(n)
		}
		return first.UnixNano(), last.In(x.location).UnixNano(), long, nil
	}
	session, ok := cal.Session(date)
	if !ok {
		if !long {
			return 0, 0, false, invalid.Field(barField(i, "Time"), bar.Time, "a day with a session, unless Options.Continuous is set")
		}
		session = cal.Next(date.In(x.location))
	}
	last := cal.BarEnd(bar.Time, interval)
	if !last.After(session.Open) {
		last = session.Close
	}
	return session.Open.UnixNano(), last.UnixNano(), long, nil
}

func (x *Exchange) pathOf(bar *Bar) [4]float64 {
	lowFirst := bar.Open-bar.Low <= bar.High-bar.Open
	switch x.opts.Path {
	case HighFirst:
		lowFirst = false
	case LowFirst:
		lowFirst = true
	}
	if lowFirst {
		return [4]float64{bar.Open, bar.Low, bar.High, bar.Close}
	}
	return [4]float64{bar.Open, bar.High, bar.Low, bar.Close}
}

// begin opens the bar in its book.
func (w *walk) begin(x *Exchange) {
	b := w.book
	b.inBar, b.quoted = true, false
	b.epoch = b.venue.epoch
	b.high, b.low, b.volume = w.bar.High, w.bar.Low, w.bar.Volume
	b.pool = math.NaN()
	if v, ok := x.opts.Slippage.(VolumeShare); ok && v.Limit > 0 && b.volume >= 0 {
		b.pool = v.Limit * b.volume
	}
	b.dataAt = x.now
}

func (w *walk) finish(x *Exchange) {
	b := w.book
	b.leave()
	b.last, b.mark, b.lastAt, b.dataAt = w.bar.Close, w.bar.Close, x.now, x.now
	b.barEnd = w.end
}

// point lets all bars stand at one of their four points.
func (x *Exchange) point(walks []walk, n int) {
	for i := range walks {
		w := &walks[i]
		w.book.bid, w.book.ask = w.path[n], w.path[n]
		w.book.mark = w.path[n]
		w.book.atOpen = n == 0
		w.book.epoch = w.book.venue.epoch
	}
	for i := range walks {
		if b := walks[i].book; b.touched() {
			x.match(b)
			x.drain()
		}
	}
	for i := range walks {
		walks[i].book.atOpen = false
	}
}

// insides walks from the open to the close.
func (x *Exchange) insides(walks []walk, start, end int64) {
	x.inside = true
	if x.opts.Path == Pessimistic {
		x.holding = true
		for i := range walks {
			x.worst(&walks[i])
		}
	} else {
		for step := 1; step <= 3; step++ {
			if !walks[0].long {
				x.advance(max(x.now, start+(end-start)/4*int64(step)), true)
			}
			for i := range walks {
				w := &walks[i]
				w.book.epoch = w.book.venue.epoch
				x.walk(w.book, w.path[step-1], w.path[step])
			}
		}
	}
	x.inside = false
}

// walk moves the price from one point to the next without a gap: it stops at each
// price where an order waits.
func (x *Exchange) walk(b *book, from, to float64) {
	at := from
	for range 1 << 20 { // more stops than orders can make
		next := b.nextStop(at, to)
		b.bid, b.ask, b.mark = next, next, next
		if b.touched() {
			x.match(b)
			x.drain()
		}
		if next == to {
			return
		}
		at = next
	}
}

// nextStop is the first price after at on the way to to where an order waits; to
// when there is none.
func (b *book) nextStop(at, to float64) float64 {
	next := to
	if to > at {
		consider := func(p float64) {
			if p > at && p < next {
				next = p
			}
		}
		firstAbove(&b.sellLimits, at, 1, consider)
		firstAbove(&b.buyStops, at, 1, consider)
		for _, o := range b.trails {
			if o.buys() {
				consider(o.stop)
			}
		}
		return next
	}
	consider := func(p float64) {
		if p < at && p > next {
			next = p
		}
	}
	firstAbove(&b.buyLimits, -at, -1, consider)
	firstAbove(&b.sellStops, -at, -1, consider)
	for _, o := range b.trails {
		if !o.buys() {
			consider(o.stop)
		}
	}
	return next
}

// firstAbove considers the first price of a ladder that is further than a key.
func firstAbove(l *ladder, key, sign float64, consider func(float64)) {
	i := l.find(key, math.MaxUint64)
	if i < len(l.keys) {
		consider(l.keys[i] * sign)
	}
}

// worst goes through a bar as Pessimistic says: stops before limits, each at its
// own price, and nothing new before the next bar.
func (x *Exchange) worst(w *walk) {
	b := w.book
	stops := append([]*order(nil), b.trails...)
	stops = append(append(stops, b.buyStops.orders...), b.sellStops.orders...)
	sortByRank(stops)
	for _, o := range stops {
		price := o.stop
		if o.place == nowhere || o.triggered || !(price <= b.high && price >= b.low) {
			continue
		}
		b.bid, b.ask, b.mark = price, price, price
		x.pull(o)
		o.triggered = true
		o.rank = x.nextSeq()
		b.put(o)
		if o.limited() && (o.buys() && price > o.limit || !o.buys() && price < o.limit) {
			x.pull(o)
			x.admit(o) // its limit is for the next bar
			continue
		}
		x.fillAt(o, price, &b.pool)
		x.drain()
	}
	limits := append(append([]*order(nil), b.buyLimits.orders...), b.sellLimits.orders...)
	sortByRank(limits)
	for _, o := range limits {
		if o.place != inLimits || o.limit > b.high || o.limit < b.low {
			continue
		}
		b.bid, b.ask, b.mark = o.limit, o.limit, o.limit
		x.fillAt(o, o.limit, &b.pool)
		x.drain()
	}
	for _, o := range b.trails {
		o.follow(b.low)
		o.follow(b.high)
	}
	b.bid, b.ask = math.NaN(), math.NaN()
	b.measure()
}
