package monitor

import (
	"fmt"
	"maps"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A State is what of a rule must survive a restart.
type State struct {
	Fires uint64    `json:"fires,omitempty"`
	Fired time.Time `json:"fired,omitzero"` // the latest time
	Done  bool      `json:"done,omitempty"` // it will not fire again
	// Watches are the parts that are not as they were at the beginning, by what
	// they are about: a position, a level, an account; "" for the rule itself.
	Watches map[string]WatchState `json:"watches,omitempty"`
}

// A WatchState is where one part of a rule stands.
type WatchState struct {
	Phase string    `json:"phase,omitempty"` // idle: fired, not yet back; rising, falls: armed again; done
	Ref   float64   `json:"ref,omitempty"`   // of a move: the price it is counted from
	Since time.Time `json:"since,omitzero"`
}

// A Firing is one time that a rule's condition came true.
type Firing struct {
	Tenant storage.TenantID
	Rule   string // id
	Kind   Kind
	// N counts the rule's firings from 1. Tenant, Rule and N name a firing; for
	// news it is Tenant, Rule and the story.
	N         uint64
	Symbol    market.Symbol
	Subject   string // which position, account or level, when the rule has several
	Time      time.Time
	Value     float64 // what the figure was; NaN for news
	Threshold float64 // what it reached; NaN when there is none
	// Bar is the bar that shows it when it happened in a gap of the stream; Time is
	// then the bar's end at the latest.
	Bar *market.Bar
	// Uncertain: the bar began before the rule did, or its order decides, so that
	// it may not have happened.
	Uncertain bool
	Story     *market.Story
	State     State // of the rule after it
}

// Key identifies the firing to whoever must act on it once only.
func (f Firing) Key() string {
	if f.Story != nil {
		return fmt.Sprintf("alert/%s/%016x", f.Rule, storyIdentity(f.Story))
	}
	return fmt.Sprintf("alert/%s/%d", f.Rule, f.N)
}

var kindNumbers = func() map[Kind]uint8 {
	m := map[Kind]uint8{}
	for i, k := range Kinds() {
		m[k] = uint8(i)
	}
	return m
}()

// Add begins to watch a rule that is valid ([Rule.Validated]), as of at, and
// returns what fires at once. Created is when the rule was made. State is what was
// saved of it; nil for a new one. A rule of that id is replaced.
func (c *Core) Add(owner storage.TenantID, id string, r Rule, created time.Time, state *State, at time.Time) ([]Firing, error) {
	c.begin(at)
	if id == "" || len(id) > 128 {
		return nil, invalid.Field("id", clip(id), "1 to 128 bytes")
	}
	if err := owner.Validate(); err != nil {
		return nil, err
	}
	r, err := r.Validated()
	if err != nil {
		return nil, err
	}
	t := c.tenant(owner)
	if n, ok := t.rules[id]; ok {
		c.drop(n)
	}
	if state != nil && state.Done || !r.Expires.IsZero() && r.Expires.UnixNano() <= c.now {
		return c.fired, nil
	}
	n := c.newRule(rule{
		id: id, created: created.UnixNano(), tenant: t.n, symbol: c.intern(string(r.Symbol)), kind: kindNumbers[r.Kind], repeat: r.Mode == Repeat, used: true,
	})
	if state != nil {
		c.rules[n].fires = state.Fires
	}
	t.rules[id] = n
	c.count++
	if !r.Expires.IsZero() {
		c.attach(n, watch{series: timeSeries, lo: float64(r.Expires.UnixNano()) / 1e9, mode: watchExpire})
	}
	if state != nil && len(state.Watches) > 0 {
		c.saved[n] = maps.Clone(state.Watches)
	}
	if err := c.compile(n, &r, state != nil); err != nil {
		c.drop(n)
		return nil, err
	}
	if c.rules[n].spec == nil {
		delete(c.saved, n)
	}
	return c.fired, nil
}

// compile makes the watches of a rule.
func (c *Core) compile(n uint32, r *Rule, known bool) error {
	if r.Symbol != "" && r.Kind != KindVolatility && r.Kind != KindIndicator && !c.aboutPositions(r.Kind) && !(r.Kind == KindLevel && r.Value == nil) {
		c.instrument(r.Symbol).watched++
	}
	switch r.Kind {
	case KindPrice:
		field := map[string]int{"": fieldPrice, "last": fieldLast, "mid": fieldMid, "bid": fieldBid, "ask": fieldAsk}[r.Field]
		c.start(n, c.compare(r, c.field(c.instrument(r.Symbol), field), *r.Value, ""))
	case KindMove:
		c.compileMove(n, r)
	case KindTrailing:
		c.compileTrailing(n, r, known)
	case KindVolatility:
		s := c.seriesOf(seriesKey{symbol: r.Symbol, name: string(r.Metric)})
		c.start(n, c.compare(r, s, *r.Value, ""))
	case KindLevel:
		if r.Value == nil || r.Event == "broken" {
			c.rules[n].spec = r
			return c.compileBars(n, r)
		}
		w := watch{series: c.field(c.instrument(r.Symbol), fieldPrice), lo: *r.Value - r.Band, hi: *r.Value + r.Band, mode: watchCross, back: r.back(*r.Value)}
		c.start(n, w)
	case KindIndicator:
		c.rules[n].spec = r
		return c.compileBars(n, r)
	case KindNews:
		c.rules[n].spec = r
		c.stories.add(n, r)
	default:
		c.rules[n].spec = r
		c.joinBook(n)
	}
	return nil
}

func (c *Core) aboutPositions(k Kind) bool {
	switch k {
	case KindPosition, KindDTE, KindExpiry, KindShortStrike, KindAssignment, KindExDividend, KindBuyingPower:
		return true
	}
	return false
}

// back returns how far a figure must go back from x.
func (r *Rule) back(x float64) float64 {
	if r.HysteresisPercent > 0 {
		return math.Abs(x) * r.HysteresisPercent / 100
	}
	return r.Hysteresis
}

// compare returns the watch for a rule's Op on a series.
func (c *Core) compare(r *Rule, s uint32, x float64, subject string) watch {
	modes := map[Op]watchMode{Above: watchAbove, Below: watchBelow, Cross: watchCross, CrossUp: watchCrossUp, CrossDown: watchCrossDown}
	return watch{series: s, lo: x, hi: x, mode: modes[r.Op], back: r.back(x), subject: c.intern(subject)}
}

// attach gives a rule one more watch and places it.
func (c *Core) attach(n uint32, w watch) uint32 {
	w.rule, w.repeat, w.next = n, c.rules[n].repeat, c.rules[n].first
	if w.since == 0 {
		w.since = c.now
	}
	m := c.newWatch(w)
	c.rules[n].first = m
	if w.phase != done && w.mode != watchTrail {
		c.place(m)
	}
	return m
}

// start attaches a watch as it was saved, and lets the present figure speak.
func (c *Core) start(n uint32, w watch) uint32 {
	if w.since == 0 {
		w.since = c.rules[n].created
	}
	name := c.subjects[w.subject]
	if saved, ok := c.saved[n][name]; ok {
		delete(c.saved[n], name)
		w.phase = phaseNamed(saved.Phase)
		if !saved.Since.IsZero() {
			w.since = saved.Since.UnixNano()
		}
		if w.mode == watchMove {
			w.hi = saved.Ref
			if saved.Ref == 0 {
				w.phase = fresh
			}
		}
	}
	m := c.attach(n, w)
	c.update(w.series, c.series[w.series].value)
	return m
}

func phaseNamed(s string) phase {
	for p := fresh; p <= done; p++ {
		if p.String() == s {
			return p
		}
	}
	return fresh
}

func (c *Core) compileMove(n uint32, r *Rule) {
	i := c.instrument(r.Symbol)
	share := r.Percent / 100
	dir := map[string]int8{"up": +1, "down": -1}[r.Side]
	if r.From == "now" {
		c.start(n, watch{series: c.field(i, fieldPrice), lo: share, mode: watchMove, dir: dir})
		return
	}
	var up, down uint32
	switch r.From {
	case "close":
		up = c.field(i, fieldChange)
		down = up
	case "open":
		up = c.field(i, fieldOpen)
		down = up
	default:
		w := i.window(c, time.Duration(r.Window))
		up, down = w.up, w.down
		// a window is not given back with its rules: there are few, and they are small
	}
	back := r.HysteresisPercent / 100
	if dir >= 0 {
		c.start(n, watch{series: up, lo: share, hi: share, mode: watchAbove, back: back, subject: c.intern("up")})
	}
	if dir <= 0 && c.rules[n].used {
		c.start(n, watch{series: down, lo: -share, hi: -share, mode: watchBelow, back: back, subject: c.intern("down")})
	}
}

func (i *instrument) window(c *Core, length time.Duration) *window {
	for _, w := range i.windows {
		if w.length == int64(length) {
			return w
		}
	}
	w := &window{length: int64(length), grain: max(1, int64(length)/60), up: c.newSeries(), down: c.newSeries()}
	i.windows = append(i.windows, w)
	if !math.IsNaN(i.last) {
		w.update(c, i.last)
	}
	return w
}

func (c *Core) compileTrailing(n uint32, r *Rule, known bool) {
	i := c.instrument(r.Symbol)
	w := watch{series: c.field(i, fieldPrice), lo: r.Amount, mode: watchTrail, byAmount: r.Amount > 0, since: c.rules[n].created}
	if !w.byAmount {
		w.lo = r.Percent / 100
	}
	t := i.trail(c, r.Side)
	if saved, ok := c.saved[n][""]; ok && !saved.Since.IsZero() {
		w.since = saved.Since.UnixNano()
	}
	m := c.attach(n, w)
	if known && t.restore(m, w.since) {
		return
	}
	// without a price it begins with the first one
	if x := t.sign * i.last; !math.IsNaN(x) {
		t.add(m, x)
		c.rules[n].dirty = true
		return
	}
	t.waiting = append(t.waiting, entry{0, m, c.watches[m].gen})
}

func (i *instrument) trail(c *Core, side string) *trail {
	if side == "low" {
		if i.low == nil {
			i.low = &trail{core: c, sign: -1}
		}
		return i.low
	}
	if i.high == nil {
		i.high = &trail{core: c, sign: +1}
	}
	return i.high
}

func (c *Core) newRule(r rule) uint32 {
	if k := len(c.free); k > 0 {
		n := c.free[k-1]
		c.free = c.free[:k-1]
		c.rules[n] = r
		return n
	}
	c.rules = append(c.rules, r)
	return uint32(len(c.rules) - 1)
}

// Remove ends a rule; that there is none is no error.
func (c *Core) Remove(owner storage.TenantID, id string) {
	if t, ok := c.tenants[owner]; ok {
		if n, ok := t.rules[id]; ok {
			c.drop(n)
		}
	}
}

// drop takes a rule out.
func (c *Core) drop(n uint32) {
	r := &c.rules[n]
	if !r.used {
		return
	}
	t := c.owners[r.tenant]
	c.spareAll(n)
	kind := Kinds()[r.kind]
	if r.spec != nil {
		switch {
		case kind == KindNews:
			c.stories.remove(n, r.spec)
		case c.aboutPositions(kind):
			c.leaveBook(t.book, n)
		default:
			c.leaveBars(n)
		}
	}
	if i, ok := c.symbols[market.Symbol(c.subjects[r.symbol])]; ok && r.spec == nil && kind != KindVolatility {
		i.watched--
	}
	delete(t.rules, r.id)
	delete(c.saved, n)
	*r = rule{}
	c.free = append(c.free, n)
	c.count--
}

// spareAll takes a rule's watches out of use.
func (c *Core) spareAll(n uint32) {
	for w := c.rules[n].first; w != 0; {
		next := c.watches[w].next
		c.spare(w)
		w = next
	}
	c.rules[n].first = 0
}

// severalSubjects tells whether a rule watches several things of which each may
// fire by itself.
func (r *rule) severalSubjects() bool {
	switch Kinds()[r.kind] {
	case KindDTE, KindExpiry, KindShortStrike, KindAssignment, KindExDividend, KindBuyingPower:
		return true
	}
	return false
}

// fire tells that watch w of a rule came true. A rule that is done is dropped at
// once, and w has the phase done then.
func (c *Core) fire(n uint32, value, threshold float64) {
	w := &c.watches[n]
	r := &c.rules[w.rule]
	r.fires++
	r.dirty = true
	f := Firing{
		Tenant: c.owners[r.tenant].id, Rule: r.id, Kind: Kinds()[r.kind], N: r.fires, Symbol: market.Symbol(c.subjects[r.symbol]),
		Subject: c.subjects[w.subject], Time: time.Unix(0, c.now).UTC(), Value: value, Threshold: threshold,
	}
	if s := c.span; s != nil {
		bar := s.bar
		f.Bar, f.Time = &bar, time.Unix(0, s.end).UTC()
		f.Uncertain = !s.whole && (w.since > s.start || w.mode == watchTrail)
	}
	switch {
	case r.repeat:
		f.State = c.state(w.rule, n)
	case r.severalSubjects():
		w.phase = done
		w.gen++
		f.State = c.state(w.rule, 0)
	default:
		f.State = State{Fires: r.fires, Done: true}
		c.drop(w.rule)
	}
	f.State.Fired = f.Time
	c.fired = append(c.fired, f)
}

// state returns what is to be saved of a rule, as if watch fired had just gone to
// its next phase.
func (c *Core) state(n, fired uint32) State {
	r := &c.rules[n]
	s := State{Fires: r.fires}
	if len(c.saved[n]) > 0 {
		s.Watches = maps.Clone(c.saved[n]) // of positions and levels that are not known yet
	}
	for m := r.first; m != 0; m = c.watches[m].next {
		w := c.watches[m]
		if w.mode == watchExpire || w.phase == fresh && m != fired {
			continue
		}
		saved := WatchState{Phase: w.phase.String(), Since: time.Unix(0, w.since).UTC()}
		if m == fired {
			saved.Since = time.Unix(0, c.now).UTC()
			saved.Phase = idle.String()
			switch w.mode {
			case watchMove:
				saved.Phase, saved.Ref = rising.String(), c.series[w.series].value
			case watchTrail:
				saved.Phase = falls.String()
			}
		} else if w.mode == watchMove {
			saved.Ref = w.hi
		}
		if s.Watches == nil {
			s.Watches = map[string]WatchState{}
		}
		s.Watches[c.subjects[w.subject]] = saved
	}
	return s
}

// State returns what is to be saved of a rule; false when there is none.
func (c *Core) State(owner storage.TenantID, id string) (State, bool) {
	t, ok := c.tenants[owner]
	if !ok {
		return State{}, false
	}
	n, ok := t.rules[id]
	if !ok {
		return State{}, false
	}
	return c.state(n, 0), true
}

// Changed returns the states of a tenant's rules that changed since the last call
// otherwise than by firing, by id.
func (c *Core) Changed(owner storage.TenantID) map[string]State {
	out := map[string]State{}
	if t, ok := c.tenants[owner]; ok {
		for id, n := range t.rules {
			if c.rules[n].dirty {
				c.rules[n].dirty = false
				out[id] = c.state(n, 0)
			}
		}
	}
	return out
}

// Marks are the latest figures of what a tenant's rules watch: with them, rules
// that are added later stand where they stood.
type Marks struct {
	Time    time.Time              `json:"time"`
	Symbols map[market.Symbol]Mark `json:"symbols,omitempty"`
	Stories []uint64               `json:"stories,omitempty"`
}

// A Mark is the latest price of a symbol and what its trailing rules go by.
type Mark struct {
	Price     float64 `json:"price"`
	PrevClose float64 `json:"prev_close,omitempty"`
	Highs     []Peak  `json:"highs,omitempty"`
	Lows      []Peak  `json:"lows,omitempty"`
}

// Marks returns the marks of some symbols; nil means all.
func (c *Core) Marks(symbols []market.Symbol) Marks {
	m := c.marks(symbols)
	m.Stories = c.stories.seen.export()
	return m
}

// marks is Marks without the stories.
func (c *Core) marks(symbols []market.Symbol) Marks {
	m := Marks{Time: time.Unix(0, c.now).UTC(), Symbols: map[market.Symbol]Mark{}}
	if symbols == nil {
		for s := range c.symbols {
			symbols = append(symbols, s)
		}
	}
	for _, s := range symbols {
		i, ok := c.symbols[s]
		if !ok || math.IsNaN(i.last) {
			continue
		}
		mark := Mark{Price: i.last}
		if !math.IsNaN(i.prev) {
			mark.PrevClose = i.prev
		}
		if i.high != nil {
			mark.Highs = i.high.peaks()
		}
		if i.low != nil {
			mark.Lows = i.low.peaks()
		}
		m.Symbols[s] = mark
	}
	return m
}

// Restore sets the marks before rules are added to a new core. Symbols that have a
// price keep it.
func (c *Core) Restore(m Marks) {
	for s, mark := range m.Symbols {
		i := c.instrument(s)
		if !math.IsNaN(i.last) {
			continue
		}
		i.last = mark.Price
		i.at = m.Time.UnixNano()
		if mark.PrevClose > 0 {
			i.prev = mark.PrevClose
		}
		for _, p := range mark.Highs {
			i.trail(c, "high").open(p.Price, p.Since.UnixNano())
		}
		for _, p := range mark.Lows {
			i.trail(c, "low").open(-p.Price, p.Since.UnixNano())
		}
	}
	c.stories.seen.load(m.Stories)
}
