package strategy

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A plan is what makes one option strategy differ from the others: what it opens
// and what it takes for its own.
type plan struct {
	name string
	// shapes are the structures, by the names of options.Recognize, that are its own
	// when they are found in the account.
	shapes []string
	// own decides instead, where names do not.
	own func(*holding) bool
	// shares: it holds shares of the underlying. unwinds: they are a hedge, which
	// goes with the options.
	shares, unwinds bool
	// clears: it closes at the start whatever there is in the underlying.
	clears bool
	// approval is what an account must be approved for; margin: it goes short.
	approval OptionsNeed
	margin   bool
	// farthest are the most days to an expiry, where they are more than MaxDTE.
	farthest int
	// open returns the legs of one unit to be opened now, with expiries after a
	// date, or why there are none. The holding has no options then, or they are
	// rolled.
	open func(v *view, h *holding, after market.Date) ([]pick, string)
	// size is how many units are opened; nil: what OptionParams say.
	size func(v *view, h *holding, picks []pick) int
	// hedge returns how many shares are to be held; false leaves them as they are.
	hedge func(o *optionStrategy, v *view, h *holding) (float64, string, bool)
	// stops are policies of its own.
	stops []policy
	// bars are the days of history that it looks at.
	bars int
}

// An optionStrategy is the machinery that the strategies with options share: it
// opens what its plan says in one order, manages it by policies, hedges, closes,
// and begins anew.
type optionStrategy struct {
	plan
	p        *OptionParams
	m        *Management
	state    optionState
	restored bool

	// What was recognised last, which seldom changes.
	seen       []heldLeg
	seenShares float64
	seenOwn    bool
}

// optionState is what a snapshot holds.
type optionState struct {
	Vols    map[market.Symbol]market.Float `json:"vols,omitempty"`    // last known, of what is held
	Foreign map[market.Symbol]float64      `json:"foreign,omitempty"` // was in the account before
	Marks   map[market.Symbol]market.Float `json:"marks,omitempty"`   // what that was worth then
	Task    *task                          `json:"task,omitempty"`
	Hedge   *task                          `json:"hedge,omitempty"`
	Hedged  time.Time                      `json:"hedged,omitzero"`  // last look at the hedge
	Shares  float64                        `json:"shares,omitempty"` // at the last look
	Open    bool                           `json:"open,omitempty"`   // a position was open at the last look
	Ended   string                         `json:"ended,omitempty"`  // date on which the last position ended
	Entry   entry                          `json:"entry"`
	Before  market.Float                   `json:"before"` // profit of the run before the entry
	Entries int                            `json:"entries,omitempty"`
	Rolls   int                            `json:"rolls,omitempty"`
	Defends int                            `json:"defends,omitempty"`
	Pause   time.Time                      `json:"pause,omitzero"`
	Said    string                         `json:"said,omitempty"`
	SaidOn  string                         `json:"said_on,omitempty"`
	Told    string                         `json:"told,omitempty"` // day of the last report
	Parts   Attributor                     `json:"attribution"`
}

func newOptionStrategy(p *OptionParams, m *Management, plan plan) (Strategy, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	o := &optionStrategy{plan: plan, p: p, m: m}
	o.clear()
	return o, nil
}

func (o *optionStrategy) clear() {
	nan := market.Float(math.NaN())
	o.state = optionState{Entry: entry{nan, nan}, Before: nan, Vols: map[market.Symbol]market.Float{}}
}

// Needs asks for the underlying and its chains.
func (o *optionStrategy) Needs() Needs {
	n := Needs{
		Symbols: []market.Symbol{o.p.Symbol}, Chains: []market.Symbol{o.p.Symbol}, ChainEvery: o.p.Every,
		ChainFrom: o.p.MinDTE, ChainDays: max(1, o.p.MaxDTE, o.farthest), ChainRange: o.p.ChainRange,
	}
	if o.bars > 0 {
		n.Interval, n.History = market.Day, o.bars
	}
	return n
}

// Snapshot returns the state.
func (o *optionStrategy) Snapshot() (json.RawMessage, error) { return json.Marshal(o.state) }

// Restore takes it up.
func (o *optionStrategy) Restore(state json.RawMessage) error {
	o.clear()
	if err := json.Unmarshal(state, &o.state); err != nil {
		o.clear()
		return invalid.Fieldf("state", string(state), "a snapshot of %s (%v)", o.name, err)
	}
	if o.state.Vols == nil {
		o.state.Vols = map[market.Symbol]market.Float{}
	}
	o.restored = true
	return nil
}

// Begin takes up what is found in the account: without a snapshot a structure of
// its own is managed as if it had been opened now, and whatever else is there is
// left alone.
func (o *optionStrategy) Begin(s *Session) error {
	if o.restored {
		o.recheck(s)
		return nil
	}
	if err := s.CancelAll(); err != nil {
		o.say(s, "orders of an earlier run could not be cancelled: "+err.Error())
	}
	h := look(s, o.p, o.state.Vols).hold(nil)
	if !o.clears {
		o.state.Foreign = o.adopt(s, h)
		return nil
	}
	if len(h.legs) > 0 || h.shares != 0 {
		t := &task{Kind: taskClose, Reason: "what was there before", Urgent: true, Target: map[market.Symbol]float64{}}
		for _, l := range h.legs {
			t.Target[l.symbol] = 0
		}
		if h.shares != 0 {
			t.Target[o.p.Symbol] = 0
		}
		o.state.Task = t
	}
	return nil
}

// adopt returns what of the account is none of the strategy's.
func (o *optionStrategy) adopt(s *Session, h *holding) map[market.Symbol]float64 {
	own := len(h.legs) > 0 && o.recognizes(h)
	foreign := map[market.Symbol]float64{}
	for _, l := range h.legs {
		if !own {
			foreign[l.symbol] = l.quantity
		}
	}
	spare := h.shares
	switch {
	case own && (o.unwinds || o.shares):
		spare = 0
	case o.shares && !o.unwinds && h.shares > 0: // whole lots are what calls are sold on
		spare = math.Mod(h.shares, 100)
	}
	if spare != 0 {
		foreign[o.p.Symbol] = spare
	}
	for symbol := range foreign {
		o.state.mark(symbol, s.Price(symbol))
	}
	if own {
		s.Log("takes up a position of %d contracts", len(h.legs))
	}
	if len(foreign) > 0 {
		s.Log("leaves alone %d positions that are not its own", len(foreign))
	}
	return foreign
}

func (o *optionStrategy) recognizes(h *holding) bool {
	if o.own != nil {
		return o.own(h)
	}
	lot := *h
	if whole := 100 * float64(h.units()); h.shares > whole { // the rest covers nothing
		lot.shares = whole
	}
	for _, shares := range []bool{o.shares, false} {
		name, ok := options.Recognize(lot.structure(o.p.Symbol, shares))
		if ok && slices.Contains(o.shapes, name) {
			return true
		}
	}
	return false
}

// Handle looks at the market when there is news of it.
func (o *optionStrategy) Handle(s *Session, e *Event) error {
	switch e.Kind {
	case ChainEvent:
		if e.Symbol == o.p.Symbol {
			o.step(s, newsOfMarket)
		}
	case OrderEvent:
		o.ended(s, e.Order)
		if e.Order.Status.Terminal() {
			o.step(s, newsOfOrder)
		}
	case FillEvent:
		o.step(s, newsOfOrder)
	case GapEvent:
		o.recheck(s)
		o.step(s, newsOfAccount)
	case AccountEvent:
		if t := e.Transaction; !t.Quantity.IsZero() {
			s.Log("%s of %s %s", t.Kind, t.Quantity, t.Symbol)
			o.drop(s)
		}
		o.step(s, newsOfAccount)
	case TimerEvent:
		if e.Timer == repriceTimer {
			o.reprice(s)
			o.step(s, newsOfOrder)
		}
	}
	return nil
}

// mark remembers what a unit of something foreign is worth when it becomes so.
func (st *optionState) mark(symbol market.Symbol, price float64) {
	if st.Marks == nil {
		st.Marks = map[market.Symbol]market.Float{}
	}
	st.Marks[symbol] = market.Float(price)
}

// profit is what the strategy has gained: that of its session without what foreign
// positions have. NaN when one of them has no price.
func (o *optionStrategy) profit(s *Session) float64 {
	profit := s.Profit()
	for _, symbol := range slices.Sorted(maps.Keys(o.state.Foreign)) {
		if now := s.Price(symbol); now != float64(o.state.Marks[symbol]) {
			profit -= o.state.Foreign[symbol] * s.multiplier(symbol) * (now - float64(o.state.Marks[symbol]))
		}
	}
	return profit
}

// recheck drops what was under way when shares came or went while nobody looked:
// something was assigned.
func (o *optionStrategy) recheck(s *Session) {
	o.prune(s)
	if t := o.state.Task; t != nil && o.state.Hedge == nil {
		if _, trades := t.Target[o.p.Symbol]; !trades && o.shareCount(s) != o.state.Shares {
			s.Log("shares have changed from %g to %g meanwhile", o.state.Shares, o.shareCount(s))
			o.drop(s)
		}
	}
}

func (o *optionStrategy) shareCount(s *Session) float64 {
	return s.Position(o.p.Symbol).Quantity - o.state.Foreign[o.p.Symbol]
}

// drop gives up what was under way when positions change by themselves: targets
// were set for what is no longer there.
func (o *optionStrategy) drop(s *Session) {
	for _, doing := range []*task{o.state.Task, o.state.Hedge} {
		if doing == nil {
			continue
		}
		if works, ok := o.pending(s, doing); ok {
			if err := s.Cancel(works.ID); err != nil {
				o.say(s, "cannot be cancelled: "+err.Error())
			}
		}
	}
	o.state.Task, o.state.Hedge = nil, nil
}

// news is what a step is taken for.
type news int8

const (
	newsOfOrder   news = iota // goes on with what is under way, and hedges
	newsOfAccount             // may close and adjust, too
	newsOfMarket              // may do all: only a chain is something to open by
)

// step does what is to be done now. After each thing done it looks again, but
// begins one adjustment for each piece of news at most.
func (o *optionStrategy) step(s *Session, why news) {
	o.prune(s)
	o.state.Shares = o.shareCount(s)
	if !s.Open() {
		o.rest(s)
		if v := look(s, o.p, o.state.Vols); o.state.Task == nil {
			o.follow(v, v.hold(o.state.Foreign))
		}
		return
	}
	if lost := s.Uncertain(); len(lost) > 0 {
		o.say(s, "waits until it is known what became of order "+lost[0])
		return
	}
	v := look(s, o.p, o.state.Vols)
	if o.state.Parts.Last == nil { // before the first trade, so that its costs count
		o.state.Parts.Observe(v.expose(v.hold(o.state.Foreign), o.profit(s)))
	}
	came := done
	if t := o.state.Task; t != nil {
		if came = o.work(v, t); came == waiting {
			return
		}
		o.finish(s, t, came)
	}
	if t := o.state.Hedge; t != nil && came == done {
		if came = o.work(v, t); came == waiting {
			return
		}
		o.state.Hedge, o.state.Told = nil, ""
	}
	h := v.hold(o.state.Foreign)
	o.follow(v, h)
	switch {
	case came == failed: // until there is news
	case unknownNumber(v.spot) || len(v.chain) == 0:
		o.say(s, "no chain of "+string(o.p.Symbol)+" yet")
	case o.optionsPending(s):
		o.say(s, "waits for an order of an earlier run to end")
	case why > newsOfOrder && o.decide(v, h, why), o.hedge != nil && o.rehedge(v, h):
		o.step(s, newsOfOrder)
		return
	}
	o.report(v, h, why == newsOfMarket)
}

// rest gives up entries and rolls at the end of a session; day orders end by
// themselves. What closes is decided again when trading goes on.
func (o *optionStrategy) rest(s *Session) {
	if t := o.state.Task; t != nil {
		if _, works := o.pending(s, t); !works {
			o.finish(s, t, failed)
		}
	}
	if t := o.state.Hedge; t != nil {
		if _, works := o.pending(s, t); !works {
			o.state.Hedge = nil
		}
	}
}

// optionsPending tells of orders with options that no task stands for.
func (o *optionStrategy) optionsPending(s *Session) bool {
	for _, w := range s.Working() {
		for _, l := range w.Order.Legs {
			if l.Symbol.Kind() == market.KindOption {
				return true
			}
		}
	}
	return false
}

func (o *optionStrategy) finish(s *Session, t *task, came progress) {
	s.StopTimer(repriceTimer)
	o.state.Task, o.state.Told = nil, ""
	if came == done && t.Entry != nil {
		o.state.Entry = *t.Entry
	}
	switch {
	case came != done:
	case t.Kind == taskRoll:
		o.state.Rolls++
	case t.Kind == taskDefend:
		o.state.Defends++
	}
}

// follow notices that a position has begun or ended.
func (o *optionStrategy) follow(v *view, h *holding) {
	st := &o.state
	switch open := len(h.legs) > 0; {
	case open && !st.Open:
		st.Open = true
		st.Entries++
	case !open && st.Open:
		st.Open, st.Ended = false, v.today.String()
		st.Rolls, st.Defends, st.Entry = 0, 0, entry{market.Float(math.NaN()), market.Float(math.NaN())}
	}
	for symbol := range st.Vols {
		if !slices.ContainsFunc(h.legs, func(l heldLeg) bool { return l.symbol == symbol }) {
			delete(st.Vols, symbol)
		}
	}
	for _, l := range h.legs {
		if _, ok := st.Vols[l.symbol]; !ok {
			st.Vols[l.symbol] = market.Float(math.NaN())
		}
	}
}
