package monitor

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/levels"
	"github.com/ttai-go/ttai/market"
)

// A BarNeed is a series of bars that rules need: its history once, with [Core.Warm],
// and each bar when it is complete, with [Core.Bar].
type BarNeed struct {
	Symbol   market.Symbol
	Interval market.Interval
	History  int  // how many bars of history are enough
	Warm     bool // the history is there
	Last     time.Time
}

type barKey struct {
	symbol   market.Symbol
	interval market.Interval
}

// A barNode computes what rules want to know of one series of bars, each thing
// once however many rules want it.
type barNode struct {
	key     barKey
	warm    bool
	last    time.Time
	close   uint32 // series
	figures map[string]*figure
	pairs   map[string]*pair
	levels  *levels.Engine
	found   []levels.Level
	rules   []uint32
	history int
	current float64 // the latest close
}

// A figure is one output of an indicator.
type figure struct {
	set   *indicators.Set
	out   int
	value float64
}

// A pair is a figure less another one, or less nothing.
type pair struct {
	a, b   *figure
	series uint32
}

// stream returns the figure that an Indicator names; a nil set is the close.
func (i *Indicator) stream() (*figure, error) {
	if i.Name == "close" {
		return &figure{value: math.NaN()}, nil
	}
	set, err := indicators.NewSet(indicators.SetEntry{Name: i.Name, Params: i.Params, As: "x"})
	if err != nil {
		return nil, err
	}
	names := set.Names()
	if i.Output == "" {
		return &figure{set: set, value: math.NaN()}, nil
	}
	for n, name := range names {
		_, output, _ := strings.Cut(name, ".")
		if strings.EqualFold(output, i.Output) {
			return &figure{set: set, out: n, value: math.NaN()}, nil
		}
	}
	for n := range names {
		_, names[n], _ = strings.Cut(names[n], ".")
	}
	return nil, invalid.Field("output", i.Output, "one of "+strings.Join(names, ", "))
}

// barsOf returns the node of a series of bars.
func (c *Core) barsOf(r *Rule) *barNode {
	k := barKey{r.Symbol, r.Interval}
	b, ok := c.barNodes[k]
	if !ok {
		b = &barNode{key: k, figures: map[string]*figure{}, pairs: map[string]*pair{}, current: math.NaN(), history: 2}
		b.close = c.newSeries()
		c.barNodes[k] = b
	}
	return b
}

// levelHistory is how many bars levels are found from.
const levelHistory = 500

func (c *Core) compileBars(n uint32, r *Rule) error {
	b := c.barsOf(r)
	b.rules = append(b.rules, n)
	switch {
	case r.Kind == KindIndicator:
		p, err := c.pairOf(b, r)
		if err != nil {
			return err
		}
		x := 0.0
		if r.Value != nil {
			x = *r.Value
		}
		c.start(n, c.compare(r, p.series, x, ""))
	case r.Value != nil:
		w := watch{series: b.close, lo: *r.Value - r.Band, hi: *r.Value + r.Band, mode: watchThrough, back: r.back(*r.Value)}
		c.start(n, w)
	default:
		if r.Event == "touched" {
			c.instrument(r.Symbol).watched++
		}
		if b.levels == nil {
			e, err := levels.NewEngine(&levels.Options{Symbol: r.Symbol, Interval: r.Interval, Calendar: c.cal})
			if err != nil {
				return err
			}
			b.levels, b.history = e, max(b.history, levelHistory)
			b.warm = false // the history is needed for the levels too
			b.reset()
		}
		c.replaceLevels(b, n)
	}
	return nil
}

// reset forgets the bars, so that the history can be given again.
func (b *barNode) reset() {
	b.last = time.Time{}
	for _, f := range b.figures {
		if f.set != nil {
			f.set.Reset()
		}
	}
}

func (c *Core) pairOf(b *barNode, r *Rule) (*pair, error) {
	name := r.Indicator.key()
	if r.Than != nil {
		name += " than " + r.Than.key()
	}
	if p, ok := b.pairs[name]; ok {
		return p, nil
	}
	figureOf := func(i *Indicator) (*figure, error) {
		if f, ok := b.figures[i.key()]; ok {
			return f, nil
		}
		f, err := i.stream()
		if err != nil {
			return nil, err
		}
		b.figures[i.key()] = f
		if f.set != nil {
			// recursive averages forget their beginning in some times the warm-up
			b.history = max(b.history, 5*f.set.Warmup()+50)
		}
		b.warm = false
		b.reset()
		return f, nil
	}
	p := &pair{}
	var err error
	if p.a, err = figureOf(r.Indicator); err != nil {
		return nil, err
	}
	if r.Than != nil {
		if p.b, err = figureOf(r.Than); err != nil {
			return nil, err
		}
	}
	p.series = c.newSeries()
	b.pairs[name] = p
	return p, nil
}

func (i *Indicator) key() string {
	data, err := json.Marshal(i)
	if err != nil {
		return fmt.Sprint(*i) // a number that JSON lacks: still the same text for the same indicator
	}
	return strings.ToLower(string(data))
}

// leaveBars takes a rule off its node, and the node away with its last rule.
func (c *Core) leaveBars(n uint32) {
	r := c.rules[n].spec
	k := barKey{r.Symbol, r.Interval}
	b, ok := c.barNodes[k]
	if !ok {
		return
	}
	if r.Kind == KindLevel && r.Value == nil && r.Event == "touched" {
		if i := slices.Index(b.rules, n); i >= 0 {
			c.instrument(r.Symbol).watched--
		}
	}
	b.rules = slices.DeleteFunc(b.rules, func(m uint32) bool { return m == n })
	if len(b.rules) == 0 {
		delete(c.barNodes, k)
	}
}

// BarNeeds returns the series of bars that rules need.
func (c *Core) BarNeeds() []BarNeed {
	out := make([]BarNeed, 0, len(c.barNodes))
	for _, b := range c.barNodes {
		out = append(out, BarNeed{b.key.symbol, b.key.interval, b.history, b.warm, b.last})
	}
	slices.SortFunc(out, func(a, b BarNeed) int {
		return strings.Compare(string(a.Symbol)+" "+string(a.Interval), string(b.Symbol)+" "+string(b.Interval))
	})
	return out
}

// Warm gives the history of a series of bars, complete ones only, up to where the
// rules were last judged. Only what holds at its end can fire.
func (c *Core) Warm(symbol market.Symbol, interval market.Interval, bars []market.Bar, at time.Time) []Firing {
	c.begin(at)
	b, ok := c.barNodes[barKey{symbol, interval}]
	if !ok || b.warm {
		return c.fired
	}
	b.warm = true
	for _, bar := range bars {
		b.take(bar)
	}
	if len(bars) > 0 {
		c.judge(b)
	}
	return c.fired
}

// Bar takes a complete bar. One that is not younger than the last is passed over.
func (c *Core) Bar(symbol market.Symbol, interval market.Interval, bar market.Bar, at time.Time) []Firing {
	c.begin(at)
	b, ok := c.barNodes[barKey{symbol, interval}]
	if !ok || !b.warm || !bar.Time.After(b.last) {
		return c.fired
	}
	b.take(bar)
	c.span = &span{bar: bar, start: bar.Time.UnixNano(), end: c.cal.BarEnd(bar.Time, interval).UnixNano(), whole: true}
	c.judge(b)
	c.span = nil
	return c.fired
}

// take computes everything of one more bar.
func (b *barNode) take(bar market.Bar) {
	if !bar.Time.After(b.last) || math.IsNaN(bar.Close) {
		return
	}
	b.last, b.current = bar.Time, bar.Close
	for _, f := range b.figures {
		if f.set == nil {
			f.value = bar.Close
		} else {
			f.value = f.set.Update(bar)[f.out]
		}
	}
	if b.levels != nil {
		if err := b.levels.Update(bar); err == nil {
			b.found = b.levels.Levels(b.found[:0])
		}
	}
}

// judge lets the new figures speak: first those that rules already wait for, then
// the levels that the bar has made.
func (c *Core) judge(b *barNode) {
	c.update(b.close, b.current)
	for _, name := range sortedKeys(b.pairs) {
		p := b.pairs[name]
		v := p.a.value
		if p.b != nil {
			v -= p.b.value
		}
		c.update(p.series, v)
	}
	if b.levels != nil {
		for _, n := range slices.Clone(b.rules) {
			if r := c.rules[n].spec; c.rules[n].used && r.Kind == KindLevel && r.Value == nil {
				c.replaceLevels(b, n)
			}
		}
	}
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// replaceLevels brings the watches of a rule in line with the levels there are. A
// level that was watched keeps its phase.
func (c *Core) replaceLevels(b *barNode, n uint32) {
	r := c.rules[n].spec
	have := map[string]uint32{}
	for m := c.rules[n].first; m != 0; m = c.watches[m].next {
		if c.watches[m].mode != watchExpire {
			have[c.subjects[c.watches[m].subject]] = m
		}
	}
	s, mode, price := b.close, watchThrough, b.current
	if r.Event == "touched" {
		i := c.instrument(r.Symbol)
		s, mode = c.field(i, fieldPrice), watchCross
		if !math.IsNaN(i.last) {
			price = i.last
		}
	}
	wanted := map[string]bool{}
	outer := c.span
	c.span = nil // a level is watched from now on, not judged by the bar that made it
	for _, l := range r.choose(b.found, price) {
		name := levelName(l)
		if wanted[name] {
			continue
		}
		wanted[name] = true
		if m, ok := have[name]; ok {
			if w := &c.watches[m]; w.lo != l.Low || w.hi != l.High {
				w.lo, w.hi = l.Low, l.High
				c.series[w.series].dead++
				c.place(m)
				c.update(s, c.series[s].value)
			}
			continue
		}
		w := watch{series: s, lo: l.Low, hi: l.High, mode: mode, back: r.Hysteresis, subject: c.intern(name)}
		if c.startLevel(n, w); !c.rules[n].used || c.rules[n].spec != r {
			c.span = outer
			return // it fired at once, and once was enough
		}
	}
	c.span = outer
	for name, m := range have {
		if !wanted[name] {
			c.unlink(n, m)
		}
	}
}

// startLevel attaches the watch of a level; its side is told by the price there is.
func (c *Core) startLevel(n uint32, w watch) {
	if _, saved := c.saved[n][c.subjects[w.subject]]; !saved {
		w.since = max(c.now, c.rules[n].created)
	}
	c.start(n, w)
}

// unlink takes one watch off its rule.
func (c *Core) unlink(n, gone uint32) {
	at := &c.rules[n].first
	for *at != 0 {
		if *at == gone {
			*at = c.watches[gone].next
			c.spare(gone)
			return
		}
		at = &c.watches[*at].next
	}
}

// levelName says which level it is, the same as long as it lives.
func levelName(l levels.Level) string {
	name := string(l.Kind)
	if l.Source != "" {
		name = l.Source
	}
	if l.Born.IsZero() {
		return name
	}
	return name + " since " + l.Born.UTC().Format("2006-01-02 15:04")
}

// choose returns the levels that a rule watches at a price.
func (r *Rule) choose(found []levels.Level, price float64) []levels.Level {
	if math.IsNaN(price) {
		return nil
	}
	var fit []levels.Level
	for _, l := range found {
		if l.Broken || !(l.Low <= l.High) || r.Levels.Strength > 0 && !(l.Strength >= r.Levels.Strength) {
			continue
		}
		any := len(r.Levels.Kinds) == 0 && len(r.Levels.Families) == 0
		if any || slices.Contains(r.Levels.Kinds, l.Kind) || slices.Contains(r.Levels.Families, l.Kind.Family()) {
			fit = append(fit, l)
		}
	}
	below, above := levels.Around(fit, price, r.Levels.Nearest)
	for _, l := range fit {
		if l.Low <= price && price <= l.High {
			below = append(below, l)
		}
	}
	return append(below, above...)
}
