package monitor

import (
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A Core decides: it holds rules, takes what happens in the market and in
// accounts, and says which rules fire. It does no I/O, keeps no clock and starts
// nothing; the [Engine] feeds it. It is not safe for concurrent use. Make one with
// [NewCore].
//
// Every method that takes something returns the firings that it caused, in a slice
// that the next call overwrites.
type Core struct {
	cal  *market.Calendar
	opts CoreOptions
	now  int64 // nanoseconds since 1970
	span *span // the bar that stands for a gap; nil for what is live

	tenants  map[storage.TenantID]*tenant
	owners   []*tenant
	rules    []rule
	free     []uint32
	count    int
	watches  []watch // 0 is no watch
	series   []series
	names    map[seriesKey]uint32
	symbols  map[market.Symbol]*instrument
	subjects []string
	subject  map[string]uint32

	freeWatches []uint32
	freeValues  []uint32
	spareSeries []uint32
	saved       map[uint32]map[string]WatchState // of rules, by what is not known yet
	held        []heldEntry
	values      []*valuation
	barNodes    map[barKey]*barNode
	stories     *newsIndex
	fired       []Firing
}

// CoreOptions are the settings of a Core. The zero value works.
type CoreOptions struct {
	// Calendar tells the sessions; nil means market.NYSE().
	Calendar *market.Calendar
	// Grain is by which share the price of an underlying or option must move before
	// the positions in it are valued again; 0 means 0.0005 (5 basis points),
	// negative every change. What is smaller is seen at the next Refresh.
	Grain float64
	// Refresh is how often positions are valued without any move; 0 means 5 s.
	Refresh time.Duration
	// Rate is the risk-free rate, continuous per year, for Greeks and early exercise.
	Rate float64
	// Stories is how many stories are remembered, so that none is told twice; 0
	// means 4096.
	Stories int
}

// A tenant is whose rules and positions are kept apart from all others.
type tenant struct {
	id    storage.TenantID
	n     uint32
	rules map[string]uint32
	book  *book
}

// A rule is one rule, as small as it can be: there may be a million.
type rule struct {
	id      string
	spec    *Rule // nil for kinds that one watch says all about
	created int64
	fires   uint64
	tenant  uint32
	first   uint32 // its first watch
	symbol  uint32 // subject number of its symbol
	kind    uint8  // index in Kinds
	repeat  bool
	dirty   bool // what must survive a restart changed since it was saved
	used    bool
}

// An instrument is what the core knows of a symbol that somebody watches.
type instrument struct {
	symbol   market.Symbol
	option   bool
	fields   [priceFields]uint32 // series by field; 0: nobody asked
	last     float64             // the price; NaN until known
	prev     float64             // previous close
	open     float64
	at       int64
	high     *trail
	low      *trail
	windows  []*window
	dividend []market.Event // ex-dates to come, ascending
	watched  int            // rules and valuations that need its quotes
	minutes  [4]minute      // the latest
}

// The series of an instrument.
const (
	fieldPrice = iota
	fieldLast
	fieldMid
	fieldBid
	fieldAsk
	fieldChange // share moved since the previous close
	fieldOpen   // share moved since the open
	priceFields
)

type seriesKey struct {
	tenant uint32
	symbol market.Symbol
	name   string
}

// A span is the bar that stands for quotes that were missed.
type span struct {
	bar        market.Bar
	start, end int64
	late       bool // the present figure is known, and younger
	whole      bool // only its end is judged, so that its order says nothing
	seen       minute
}

// covers tells whether what began at since can have seen the bar.
func (s *span) covers(since int64) bool { return since < s.end }

// judges tells whether price p of the bar of a gap says something about a watch. One
// that has fired or come back within the bar's time has seen a part of the bar:
// for it a price counts only when no quote of that time went as far.
func (c *Core) judges(n uint32, p float64) bool {
	w := &c.watches[n]
	s := c.span
	if !s.covers(w.since) || w.since <= s.start || s.whole || w.mode == watchValue {
		return s.covers(w.since)
	}
	if w.phase != idle && c.rules[w.rule].fires == 0 {
		return true
	}
	return s.seen.known && (p > s.seen.high || p < s.seen.low)
}

// A minute is what live quotes showed of one.
type minute struct {
	start     int64
	low, high float64
	known     bool
}

// saw notes a live price.
func (i *instrument) saw(now int64, p float64) {
	start := now - now%int64(time.Minute)
	m := &i.minutes[start/int64(time.Minute)%int64(len(i.minutes))]
	if m.start != start || !m.known {
		*m = minute{start, p, p, true}
		return
	}
	m.low, m.high = min(m.low, p), max(m.high, p)
}

// NewCore returns a core without rules. Opts may be nil.
func NewCore(opts *CoreOptions) (*Core, error) {
	var o CoreOptions
	if opts != nil {
		o = *opts
	}
	if o.Calendar == nil {
		o.Calendar = market.NYSE()
	}
	if math.IsNaN(o.Grain) || o.Grain > 0.5 {
		return nil, invalid.Field("Grain", o.Grain, "a share below 0.5, 0 for 0.0005, or negative for every change")
	}
	switch {
	case o.Grain == 0:
		o.Grain = 0.0005
	case o.Grain < 0:
		o.Grain = 0
	}
	if o.Refresh < 0 {
		return nil, invalid.Field("Refresh", o.Refresh, "0 for 5 s, or a positive duration")
	}
	if o.Refresh == 0 {
		o.Refresh = 5 * time.Second
	}
	if math.IsNaN(o.Rate) || math.Abs(o.Rate) > 1 {
		return nil, invalid.Field("Rate", o.Rate, "a decimal per year such as 0.04")
	}
	if o.Stories < 0 || o.Stories > 1<<20 {
		return nil, invalid.Field("Stories", o.Stories, "1 to 1,048,576, or 0 for 4096")
	}
	if o.Stories == 0 {
		o.Stories = 4096
	}
	c := &Core{
		cal: o.Calendar, opts: o, tenants: map[storage.TenantID]*tenant{}, names: map[seriesKey]uint32{},
		symbols: map[market.Symbol]*instrument{}, subject: map[string]uint32{"": 0}, subjects: []string{""},
		watches: make([]watch, 1), saved: map[uint32]map[string]WatchState{}, barNodes: map[barKey]*barNode{}, stories: newNewsIndex(o.Stories),
	}
	c.series = []series{{value: math.NaN()}} // 0 is time
	return c, nil
}

// timeSeries is the series of the present, in seconds since 1970.
const timeSeries = 0

func (c *Core) intern(s string) uint32 {
	n, ok := c.subject[s]
	if !ok {
		n = uint32(len(c.subjects))
		c.subjects = append(c.subjects, s)
		c.subject[s] = n
	}
	return n
}

// freeSeries gives back a series that nothing refers to any more; 0 is none.
func (c *Core) freeSeries(n uint32) {
	if n != 0 {
		c.series[n] = series{value: math.NaN()}
		c.spareSeries = append(c.spareSeries, n)
	}
}

func (c *Core) newSeries() uint32 {
	if k := len(c.spareSeries); k > 0 {
		n := c.spareSeries[k-1]
		c.spareSeries = c.spareSeries[:k-1]
		c.series[n] = series{value: math.NaN()}
		return n
	}
	c.series = append(c.series, series{value: math.NaN()})
	return uint32(len(c.series) - 1)
}

// seriesOf returns the number of a named series.
func (c *Core) seriesOf(k seriesKey) uint32 {
	n, ok := c.names[k]
	if !ok {
		n = c.newSeries()
		c.names[k] = n
	}
	return n
}

func (c *Core) tenant(id storage.TenantID) *tenant {
	t, ok := c.tenants[id]
	if !ok {
		t = &tenant{id: id, n: uint32(len(c.owners)), rules: map[string]uint32{}}
		c.tenants[id] = t
		c.owners = append(c.owners, t)
	}
	return t
}

func (c *Core) instrument(s market.Symbol) *instrument {
	i, ok := c.symbols[s]
	if !ok {
		i = &instrument{symbol: s, option: s.Kind() == market.KindOption || s.Kind() == market.KindFutureOption, last: math.NaN(), prev: math.NaN(), open: math.NaN()}
		c.symbols[s] = i
	}
	return i
}

// field returns the series of one of an instrument's figures.
func (c *Core) field(i *instrument, f int) uint32 {
	if i.fields[f] == 0 {
		n := c.newSeries()
		i.fields[f] = n
		switch f {
		case fieldPrice:
			c.series[n].value = i.last
		case fieldChange:
			c.series[n].value = i.last/i.prev - 1
		case fieldOpen:
			c.series[n].value = i.last/i.open - 1
		}
	}
	return i.fields[f]
}

// Len returns the number of rules.
func (c *Core) Len() int { return c.count }

// begin starts a call at a time.
func (c *Core) begin(at time.Time) {
	c.fired = c.fired[:0]
	c.span = nil
	if n := at.UnixNano(); !at.IsZero() && n > c.now {
		c.now = n
		c.tick() // a rule that has ended does not fire any more
	}
}

// Advance tells the time: rules end, and options come near their expiration.
func (c *Core) Advance(at time.Time) []Firing {
	c.begin(at)
	return c.fired
}

func (c *Core) tick() { c.update(timeSeries, float64(c.now)/1e9) }

// Quote takes the latest state of an instrument as of at.
func (c *Core) Quote(q market.Quote, at time.Time) []Firing {
	c.begin(at)
	i, ok := c.symbols[q.Symbol]
	if !ok {
		return c.fired
	}
	i.at = c.now
	if !math.IsNaN(q.PrevClose) {
		i.prev = q.PrevClose
	}
	if !math.IsNaN(q.Open) {
		i.open = q.Open
	}
	if f := i.fields[fieldBid]; f != 0 {
		c.update(f, q.Bid)
	}
	if f := i.fields[fieldAsk]; f != 0 {
		c.update(f, q.Ask)
	}
	if f := i.fields[fieldMid]; f != 0 {
		c.update(f, mid(q))
	}
	if f := i.fields[fieldLast]; f != 0 {
		c.update(f, q.Last)
	}
	c.price(i, i.priceOf(q))
	return c.fired
}

// priceOf is the price that an instrument trades at: its last trade, of an option,
// which trades rarely, the middle of bid and ask. NaN: not known.
func (i *instrument) priceOf(q market.Quote) float64 {
	a, b := q.Last, mid(q)
	if i.option {
		a, b = b, a
	}
	if math.IsNaN(a) || math.IsInf(a, 0) {
		return b
	}
	return a
}

// mid is the middle of bid and ask, NaN when one is not known or they are crossed.
func mid(q market.Quote) float64 {
	if q.Bid > q.Ask {
		return math.NaN()
	}
	m := (q.Bid + q.Ask) / 2
	if math.IsInf(m, 0) {
		return math.NaN()
	}
	return m
}

// price lets everything happen that a price of an instrument can cause.
func (c *Core) price(i *instrument, p float64) {
	if math.IsNaN(p) || math.IsInf(p, 0) {
		return
	}
	if c.span == nil {
		i.saw(c.now, p)
	}
	if c.span == nil || !c.span.late {
		i.last = p
	}
	for _, w := range i.windows {
		w.update(c, p)
	}
	if f := i.fields[fieldPrice]; f != 0 {
		c.update(f, p)
	}
	if f := i.fields[fieldChange]; f != 0 && i.prev > 0 {
		c.update(f, p/i.prev-1)
	}
	if f := i.fields[fieldOpen]; f != 0 && i.open > 0 {
		c.update(f, p/i.open-1)
	}
	if i.high != nil {
		i.high.update(p)
	}
	if i.low != nil {
		i.low.update(p)
	}
}

// Gap takes the bars that cover a span in which quotes of a symbol were missed,
// ascending. Each is walked through as open, the extreme that is nearer to it, the
// other extreme, close: what it crossed fires, with the bar in the firing. Bars
// speak of trades; for rules on bid, ask and middle they stand in for them. Rules
// that came to their present state after the gap are not judged by it.
func (c *Core) Gap(symbol market.Symbol, interval market.Interval, bars []market.Bar, gap market.StreamGap, at time.Time) []Firing {
	c.begin(at)
	i, ok := c.symbols[symbol]
	if !ok {
		return c.fired
	}
	late := i.at > gap.To.UnixNano()
	live := i.last
	for _, b := range bars {
		end := c.cal.BarEnd(b.Time, interval)
		if !end.After(gap.From) || !b.Time.Before(gap.To) && !b.Time.Equal(gap.From) {
			continue
		}
		if n := b.Time.UnixNano(); n > c.now {
			c.now = n
			c.tick() // what ends before the bar ends before it is judged
		}
		until := min(end.UnixNano(), gap.To.UnixNano())
		c.span = &span{bar: b, start: b.Time.UnixNano(), end: until, late: late}
		if m := i.minutes[c.span.start/int64(time.Minute)%int64(len(i.minutes))]; m.start == c.span.start && interval == market.Minute {
			c.span.seen = m
		}
		for _, p := range walk(b) {
			for _, f := range []int{fieldLast, fieldMid, fieldBid, fieldAsk} {
				if s := i.fields[f]; s != 0 {
					c.update(s, p)
				}
			}
			c.price(i, p)
		}
	}
	c.span = nil
	if late && !math.IsNaN(live) {
		c.price(i, live)
	}
	return c.fired
}

// walk returns the prices of a bar in the order in which they are taken to have
// come.
func walk(b market.Bar) [4]float64 {
	if b.High-b.Open <= b.Open-b.Low {
		return [4]float64{b.Open, b.High, b.Low, b.Close}
	}
	return [4]float64{b.Open, b.Low, b.High, b.Close}
}

// A window knows the lowest and highest price of the last while. Prices are
// gathered in sixtieths of it, so that it stays small however many come: what it
// knows reaches back between 59/60 of the window and all of it.
type window struct {
	length, grain int64
	low, high     []extreme // ascending in time; lows rising, highs falling
	up, down      uint32    // series: share above the lowest, share below the highest
}

type extreme struct {
	at    int64
	price float64
}

func (w *window) update(c *Core, p float64) {
	now := c.now // a late bar counts as if it came now: the queue is in order of time
	if c.span != nil && !c.span.late {
		now = c.span.end
	}
	w.low = slide(w.low, now, w.length, w.grain, p, +1)
	w.high = slide(w.high, now, w.length, w.grain, p, -1)
	if low := w.low[0].price; low > 0 {
		c.update(w.up, p/low-1)
	}
	if high := w.high[0].price; high > 0 {
		c.update(w.down, p/high-1)
	}
}

// slide adds a price to a monotonic queue and drops what is too old or can never be
// the extreme again.
func slide(q []extreme, now, length, grain int64, p, sign float64) []extreme {
	bucket := now - now%grain
	for n := len(q); n > 0 && sign*q[n-1].price >= sign*p; n-- {
		q = q[:n-1]
	}
	old := 0
	for old < len(q) && q[old].at <= now-length {
		old++
	}
	q = slices.Delete(q, 0, old)
	if n := len(q); n > 0 && q[n-1].at == bucket {
		return q // the bucket's extreme is better
	}
	return append(q, extreme{bucket, p})
}
