package levels

import (
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// An Engine finds and follows levels bar by bar. [Find] is an engine run over
// a series, so batch and streaming are the same.
//
// A bar is written down, and compared with the next prices that can end a level;
// what becomes of levels is told when someone asks, and every few thousand bars.
// So a bar costs about the same whatever number of levels lies elsewhere; asking
// for the levels costs more. Memory is bounded: the engine keeps the bars of the
// lookback, of the sessions that profiles need (at most a million), some
// thousands of the newest, and Options.Limit levels of the past.
//
// An Engine is not safe for concurrent use.
type Engine struct {
	o        Options
	wanted   map[Kind]bool // nil for all
	periods  *clock
	daily    bool // bars are named by their date
	bars     history
	book     *book
	touch    trueRange
	swingers []*swinger
	ranges   []*trueRange // of other lengths
	families []family
	quiet    int                // the first so many of them wait for a swing
	waits    []*tracker         // of each of them, the period whose end it waits for; nil for none
	lazy     []lazyFamily       // those of them that put work off
	given    map[string][]int32 // levels added from outside, by source
	needs    int                // bars from this one on are kept

	i      int // the last bar; -1 before the first
	bar    market.Bar
	second int64 // of its start, since 1970
	known  bool
}

// A family makes levels of related kinds.
type family interface {
	// update takes the engine's last bar.
	update(e *Engine)
	// lines appends the levels that the book does not follow.
	lines(e *Engine, dst []Level) []Level
	// store keeps what the family remembers, or reads it.
	store(c *codec)
}

// A datedFamily has nothing to do with bars that do not end a period.
type datedFamily interface {
	// period returns nil when the family takes every bar after all.
	period() *tracker
}

// A lazyFamily puts off levels that are often replaced before anyone asks.
type lazyFamily interface {
	// settle follows what was put off, as of the bar that confirmed it. It is
	// called before the levels are read and before bars are forgotten.
	settle(e *Engine)
}

// NewEngine returns an engine without bars. Options.Interval must be set.
func NewEngine(opts *Options) (*Engine, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	e := &Engine{o: o, daily: !o.Interval.Intraday(), touch: newTrueRange(o.Touch.ATR), i: -1, given: map[string][]int32{}, needs: math.MaxInt}
	if o.Kinds != nil {
		e.wanted = map[Kind]bool{}
		for _, k := range o.Kinds {
			e.wanted[k] = true
		}
	}
	e.bars.keep = 512
	e.book = newBook(o.Limit, &e.bars)
	e.book.forever = o.Lookback < 0
	e.periods = newClock(o.Interval, o.Calendar, o.AllHours)
	if err := e.assemble(); err != nil {
		return nil, err
	}
	e.waits = make([]*tracker, len(e.families))
	for k, f := range e.families {
		if f, ok := f.(lazyFamily); ok {
			e.lazy = append(e.lazy, f)
		}
		if f, ok := f.(datedFamily); ok {
			e.waits[k] = f.period()
		}
	}
	return e, nil
}

// assemble makes the families that the wanted kinds need.
func (e *Engine) assemble() error {
	o := e.o
	if o.wants(KindSwingHigh, KindSwingLow) {
		e.families = append(e.families, &swingFamily{e.swinger(o.Swing), e.wants(KindSwingHigh), e.wants(KindSwingLow)})
	}
	if o.wants(KindZone) {
		e.families = append(e.families, newZoneFamily(e))
	}
	if o.wants(KindFibonacci, KindFibonacciCluster) {
		e.families = append(e.families, newFibonacciFamily(e))
	}
	e.quiet = len(e.families)
	if o.wants(KindBreakOfStructure, KindChangeOfCharacter, KindOrderBlock) {
		e.families = append(e.families, newStructureFamily(e))
	}
	if o.wants(KindLiquidity) {
		e.families = append(e.families, newLiquidityFamily(e))
	}
	if o.wants(KindTrendLine, KindChannelHigh, KindChannelLow) {
		e.families = append(e.families, newTrendFamily(e))
	}
	if o.wants(KindFairValueGap) {
		e.families = append(e.families, newImbalanceFamily(e))
	}
	if o.wants(KindGap) {
		e.families = append(e.families, newGapFamily(e))
	}
	if o.wants(KindRound) {
		e.families = append(e.families, newRoundFamily(e))
	}
	if o.wants(KindPriorHigh, KindPriorLow, KindPriorClose) {
		f, err := newPriorFamily(e)
		if err != nil {
			return err
		}
		e.families = append(e.families, f)
	}
	if o.wants(KindPivot, KindPivotResistance, KindPivotSupport) {
		f, err := newPivotFamily(e)
		if err != nil {
			return err
		}
		e.families = append(e.families, f)
	}
	intraday := o.Interval.Intraday()
	if intraday && o.wants(KindOvernightHigh, KindOvernightLow, KindOpeningRangeHigh, KindOpeningRangeLow) {
		e.families = append(e.families, newOpeningFamily(e))
	}
	if o.wants(KindVWAP, KindVWAPBand) {
		f, err := newVWAPFamily(e)
		if err != nil {
			return err
		}
		e.families = append(e.families, f)
	}
	if o.wants(append(profileKinds(), KindNakedPOC)...) {
		e.families = append(e.families, newProfileFamily(e))
	}
	if intraday && o.wants(tpoKinds()...) {
		e.families = append(e.families, newTPOFamily(e))
	}
	return nil
}

// swinger returns the finder of swings of o, which families share.
func (e *Engine) swinger(o SwingOptions) *swinger {
	for _, w := range e.swingers {
		if w.o == o {
			return w
		}
	}
	w := newSwinger(o)
	if w.wide {
		e.remember(o.Left + o.Right + 2)
	}
	e.swingers = append(e.swingers, w)
	return w
}

// trueRange returns the average true range over n bars, which families share.
func (e *Engine) trueRange(n int) *trueRange {
	if n == e.touch.n {
		return &e.touch
	}
	for _, t := range e.ranges {
		if t.n == n {
			return t
		}
	}
	t := newTrueRange(n)
	e.ranges = append(e.ranges, &t)
	return &t
}

// remember asks for at least n bars to be kept.
func (e *Engine) remember(n int) { e.bars.keep = max(e.bars.keep, min(n, mostHistory)) }

// Update takes the next complete bar. It refuses, and leaves the engine as it
// was, a bar that does not begin after the last one. A bar with an unknown or
// impossible range makes and touches no level.
func (e *Engine) Update(bar market.Bar) error {
	second := bar.Time.Unix()
	if second <= e.second && e.i >= 0 && !bar.Time.After(e.bar.Time) {
		return invalid.Field("bar.Time", bar.Time.Format(time.RFC3339), "a time after the last bar's, "+e.bar.Time.Format(time.RFC3339))
	}
	if e.book.full() {
		e.settle()
		e.book.forget()
		e.bars.trim(min(e.i+1, e.periods.sessionFrom, e.needs))
	}
	e.i++
	// Field by field: a copy of the whole would wait until bar is written to memory.
	last := &e.bar
	last.Time, last.Open, last.High, last.Low, last.Close, last.Volume = bar.Time, bar.Open, bar.High, bar.Low, bar.Close, bar.Volume
	e.second, e.known = second, knownBar(last)
	if e.bars.full() {
		e.bars.room(min(e.i, e.periods.sessionFrom, e.needs, e.book.pages.from))
	}
	e.bars.push(last)
	e.periods.update(e)
	if e.known {
		e.touch.update(last.High, last.Low, last.Close)
		for _, t := range e.ranges {
			t.update(last.High, last.Low, last.Close)
		}
	}
	oldest := 0
	if e.o.Lookback > 0 {
		oldest = e.i + 1 - e.o.Lookback
	}
	e.book.step(e.i, oldest, last.Low, last.High, last.Close, e.known)
	turned := false
	for _, w := range e.swingers {
		w.update(e)
		turned = turned || len(w.fresh) > 0
	}
	if turned {
		for _, f := range e.families[:e.quiet] {
			f.update(e)
		}
	}
	for k := e.quiet; k < len(e.families); k++ {
		if wait := e.waits[k]; wait == nil || wait.done {
			e.families[k].update(e)
		}
	}
	return nil
}

// Bars returns how many bars the engine has taken.
func (e *Engine) Bars() int { return e.i + 1 }

func (e *Engine) wants(k Kind) bool { return e.wanted == nil || e.wanted[k] }

// follow puts a level that the last bar confirms under observation.
func (e *Engine) follow(x *record, ages bool) int32 {
	m := e.moment()
	return e.book.add(x, &m, ages)
}

// moment is the last bar, for levels that it confirms.
func (e *Engine) moment() moment {
	m := moment{i: e.i, at: e.bar.Time, start: int32(len(e.book.pages.all)), known: e.known, tolerance: e.o.Touch.Tolerance * e.touch.mean}
	if m.known {
		m.start--
	}
	return m
}

// settle writes down the levels that were put off.
func (e *Engine) settle() {
	for _, f := range e.lazy {
		f.settle(e)
	}
}

// replace ends the observation of the levels in ids and empties it.
func (e *Engine) replace(ids *[]int32) {
	for _, id := range *ids {
		e.book.remove(id)
	}
	*ids = (*ids)[:0]
}

// Add follows levels from outside, such as [OptionLevels], from the last bar
// on; they replace those added before under the same name. Born and Confirmed
// that are zero or later than the last bar become the last bar's time. Before
// the first bar it is refused.
func (e *Engine) Add(name string, levels []Level) error {
	if e.i < 0 {
		return invalid.Field("levels", len(levels), "levels once the engine has a bar to follow them from")
	}
	for _, l := range levels {
		if sum := l.Price + l.Low + l.High; sum-sum != 0 || l.Low > l.Price || l.Price > l.High {
			return invalid.Field("levels.Price", []float64{l.Low, l.Price, l.High}, "known numbers, Low ≤ Price ≤ High")
		}
	}
	ids := e.given[name]
	e.replace(&ids)
	for _, l := range levels {
		x := &record{
			price: l.Price, low: l.Low, high: l.High, kind: l.Kind, born: e.i, bornAt: l.Born, touched: -1,
			touches: int32(l.Touches), touchedAt: l.LastTouch, home: int8(l.Side), label: &label{name: l.Source},
		}
		if l.Born.IsZero() || l.Born.After(e.bar.Time) {
			x.bornAt = e.bar.Time
		}
		id := e.follow(x, false)
		if !l.Confirmed.IsZero() && !l.Confirmed.After(e.bar.Time) && !l.Confirmed.Before(x.bornAt) {
			e.book.records[id].confirmedAt = l.Confirmed
		}
		ids = append(ids, id)
	}
	e.given[name] = ids
	return nil
}

// Levels writes the levels as they stand after the last bar into dst,
// ascending by price, and returns it; dst is reused when it is large enough.
func (e *Engine) Levels(dst []Level) []Level {
	dst = dst[:0]
	if e.i < 0 {
		return dst
	}
	oldest := math.MinInt
	if e.o.Lookback > 0 {
		oldest = e.i + 1 - e.o.Lookback
	}
	e.settle()
	e.book.readUp()
	for id := range e.book.spots {
		if !e.book.spots[id].live {
			continue
		}
		x := &e.book.records[id]
		switch {
		case e.o.Unbroken && x.broken:
		case x.ages && !x.once && x.born < oldest && (x.broken || e.book.lastTouched(id) < oldest):
		default:
			dst = append(dst, e.book.level(id, e.daily))
		}
	}
	for _, f := range e.families {
		from := len(dst)
		dst = f.lines(e, dst)
		kept := slices.DeleteFunc(dst[from:], func(l Level) bool { return !e.wants(l.Kind) || e.o.Unbroken && l.Broken })
		dst = dst[:from+len(kept)]
	}
	e.rate(dst)
	sortByPrice(dst)
	return dst
}

// Find returns the levels of s of every kind wanted, ascending by price. Bars
// without volume have no profile: its kinds are then absent, and [ErrNoVolume]
// is returned only when nothing else was asked for. An empty series has no levels.
func Find(s market.Series, opts *Options) ([]Level, error) {
	o := options(opts)
	o.Symbol, o.Interval = s.Symbol, s.Interval
	if s.Interval == "" && s.Len() == 0 {
		o.Interval = market.Day
	}
	e, err := NewEngine(&o)
	if err != nil {
		return nil, err
	}
	if err := e.run(s); err != nil || s.Len() == 0 {
		return nil, err
	}
	found := e.Levels(nil)
	if len(found) == 0 && o.onlyProfile() && !slices.ContainsFunc(s.Volume, func(v float64) bool { return v > 0 && !math.IsInf(v, 1) }) {
		return nil, ErrNoVolume
	}
	return found, nil
}

func (e *Engine) run(s market.Series) error {
	if err := check(s); err != nil {
		return err
	}
	for i := range s.Time {
		if err := e.Update(s.Bar(i)); err != nil {
			return err
		}
	}
	return nil
}

// everyOne is Find without a lookback.
func everyOne(s market.Series, o Options) ([]Level, error) {
	o.Lookback, o.Limit = -1, max(mostLevels, min(2*s.Len(), 1<<24))
	if s.Interval == "" {
		s.Interval = market.Day // only names of bars depend on it
		if s.Len() > 0 && !midnight(s.Time[0]) {
			s.Interval = market.Minute
		}
	}
	return Find(s, &o)
}
