package simulator

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// A trade holds what is traded: the matching engine, and the orders as the API
// shows them. It belongs to the heart, whose lock guards it, but for the events
// that the engine hands over.
type trade struct {
	sim      *Simulator
	exchange *paper.Exchange
	broker   broker.Broker
	lastID   int64
	orders   map[int64]*orderRecord
	byEngine map[broker.OrderID]int64
	complex  map[int64]*complexRecord
	working  map[int64]struct{} // orders that have not ended
	gains    gainBook
	told     map[market.Symbol]market.Date // until when the engine knows the dividends of shares
	fed      map[market.Symbol]paper.Quote // what the engine was given last, without its time

	mu     sync.Mutex
	events []broker.Event // from the engine, not yet looked at
}

// An orderRecord is an order and what the simulator knows of it beyond what it
// shows.
type orderRecord struct {
	Wire     wireOrder      `json:"wire"`
	Sent     orderRequest   `json:"sent"`
	Engine   broker.OrderID `json:"engine,omitempty"` // empty while the order is held here
	Held     bool           `json:"held,omitempty"`   // waits for its conditions or its time
	Complex  int64          `json:"complex,omitempty"`
	Received time.Time      `json:"received"`
	Updated  time.Time      `json:"updated"`
	Ended    time.Time      `json:"ended,omitzero"`
	Flight   time.Time      `json:"flight,omitzero"`  // when a routed order will be in flight
	Expires  time.Time      `json:"expires,omitzero"` // of an order that is held
}

func (o *orderRecord) ended() bool { return !o.Ended.IsZero() }

// usualLatency is how long orders take, in the market's time.
var usualLatency = paper.Latency{Route: 30 * time.Millisecond, Live: 60 * time.Millisecond, Cancel: 50 * time.Millisecond,
	Replace: 80 * time.Millisecond, Jitter: 20 * time.Millisecond}

// ready makes the engine when it is first needed, with the heart locked.
func (s *Simulator) ready(ctx context.Context) error {
	t := &s.trade
	if t.exchange != nil {
		return nil
	}
	accounts, err := s.accounts(ctx)
	if err != nil {
		return err
	}
	opts := s.engineOptions()
	opts.Start = s.start
	for i := range accounts {
		a := &accounts[i]
		opened := paper.Account{Account: broker.Account{ID: broker.AccountID(a.Number), Nickname: a.Nickname, Type: a.Type, Margin: a.Margin,
			OptionsLevel: a.OptionsLevel, OpenedAt: a.OpenedAt, Futures: a.Margin}, Cash: a.Cash}
		for _, p := range a.Positions {
			opened.Positions = append(opened.Positions, paper.Position{Symbol: p.Symbol, Quantity: p.Quantity,
				AverageOpenPrice: p.AverageOpenPrice, OpenedAt: p.OpenedAt})
		}
		opts.Accounts = append(opts.Accounts, opened)
	}
	exchange, err := paper.New(opts)
	if err != nil {
		return fmt.Errorf("simulator: opening the accounts: %w", err)
	}
	t.use(exchange)
	t.announce(ctx, s.start, t.symbols())
	// What happened since the clock began: options that expired.
	for at := s.start; at.Before(s.heart.at); {
		next := s.heart.at
		if due, ok := t.due(at); ok && due.After(at) && due.Before(next) {
			next = due
		}
		quotes := s.quotesFor(ctx, next, t.symbols())
		t.moment(ctx, next, quotes)
		at = next
	}
	s.live()
	return nil
}

// engineOptions are those of a new engine and of one that is restored.
func (s *Simulator) engineOptions() *paper.Options {
	latency := s.latency
	if latency == (paper.Latency{}) {
		latency = usualLatency
	}
	return &paper.Options{
		Environment: broker.Simulator, Seed: s.seed, Latency: latency, Fees: s.fees, Margin: engineMargin{}, Observer: s.trade.observe,
		Instrument: func(symbol market.Symbol) (market.Instrument, bool) { return s.instrument(s.ctx, symbol) },
	}
}

func (t *trade) use(x *paper.Exchange) {
	t.exchange, t.broker, t.fed = x, x.Broker(), map[market.Symbol]paper.Quote{}
}

func (t *trade) observe(e broker.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.events = append(t.events, e)
}

func (t *trade) take() []broker.Event {
	t.mu.Lock()
	defer t.mu.Unlock()
	events := t.events
	t.events = nil
	return events
}

// quotesFor asks the market about symbols as of a time.
func (s *Simulator) quotesFor(ctx context.Context, at time.Time, symbols []market.Symbol) map[market.Symbol]market.Quote {
	quotes := map[market.Symbol]market.Quote{}
	if len(symbols) == 0 {
		return quotes
	}
	slices.Sort(symbols)
	list, err := s.quotesOn(ctx, at, slices.Compact(symbols))
	if absence(err) != nil {
		s.log("quotes failed", "error", err)
	}
	for _, q := range list {
		quotes[q.Symbol] = q
	}
	return quotes
}

// watches reports whether any order may fill or be triggered by a quote.
func (t *trade) watches() bool { return len(t.working) > 0 }

// futures reports whether any order is in what trades around the clock.
func (t *trade) futures() bool {
	for id := range t.working {
		if kind := t.orders[id].Wire.UnderlyingType; kind == "Future" {
			return true
		}
	}
	return false
}

// symbols are those whose quotes the engine needs: what is held in some accounts,
// what is ordered, what conditions are about, and their underlyings. No account
// named means all.
func (t *trade) symbols(accounts ...string) []market.Symbol {
	if t.exchange == nil {
		return nil
	}
	wanted := map[market.Symbol]bool{}
	add := func(symbol market.Symbol) {
		if wanted[symbol] {
			return
		}
		wanted[symbol] = true
		if kind := symbol.Kind(); kind == market.KindOption || kind == market.KindFutureOption {
			wanted[t.sim.underlyingSymbol(symbol)] = true
		}
	}
	if len(accounts) == 0 {
		for _, c := range t.sim.customers {
			accounts = append(accounts, c.credentials.Accounts...)
		}
	}
	for _, account := range accounts {
		positions, err := t.broker.Positions(t.sim.ctx, broker.AccountID(account))
		if err != nil {
			continue
		}
		for i := range positions {
			add(positions[i].Symbol)
		}
	}
	for _, symbol := range t.ordered() {
		add(symbol)
	}
	out := make([]market.Symbol, 0, len(wanted))
	for symbol := range wanted {
		if symbol != "" {
			out = append(out, symbol)
		}
	}
	slices.Sort(out)
	return out
}

// ordered are the symbols of the orders that work, and of what they wait for.
func (t *trade) ordered() []market.Symbol {
	var out []market.Symbol
	for id := range t.working {
		o := t.orders[id]
		for _, leg := range o.Wire.Legs {
			out = append(out, market.Symbol(leg.Symbol))
		}
		if o.Held && o.Sent.Rules != nil {
			for _, c := range o.Sent.Rules.Conditions {
				for _, part := range c.PriceComponents {
					out = append(out, market.Symbol(part.Symbol))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// extended reports whether any order works in extended hours.
func (t *trade) extended() bool {
	for id := range t.working {
		if durations[t.orders[id].Wire.TimeInForce].extended {
			return true
		}
	}
	return false
}

// underlyingSymbol is what an option is on.
func (s *Simulator) underlyingSymbol(symbol market.Symbol) market.Symbol {
	if symbol.Kind() == market.KindFutureOption {
		underlying, _, _, _, _ := futureOptionParts(symbol)
		return underlying
	}
	return s.underlyingOf(s.ctx, symbol)
}

// announce tells the engine of the dividends and splits to come of what symbols are
// about, a year ahead.
func (t *trade) announce(ctx context.Context, at time.Time, symbols []market.Symbol) {
	today := market.DateOf(at.In(t.sim.calendar.Location()))
	for _, symbol := range symbols {
		until, known := t.told[symbol]
		if symbol.Kind() != market.KindEquity || known && today.AddDays(60).Before(until) {
			continue
		}
		from := today.AddDays(1)
		if known {
			from = until.AddDays(1)
		}
		until = today.AddDays(370)
		events, err := t.sim.market.Events(ctx, symbol, from, until)
		if absence(err) != nil {
			t.sim.log("events failed", "symbol", symbol, "error", err)
			continue
		}
		if err := t.exchange.AnnounceEvents(events); err != nil {
			t.sim.log("events refused", "symbol", symbol, "error", err)
		}
		t.told[symbol] = until
	}
}

// due is when something happens by itself next.
func (t *trade) due(after time.Time) (time.Time, bool) {
	if t.exchange == nil {
		return time.Time{}, false
	}
	next, ok := t.exchange.Next()
	consider := func(at time.Time) {
		if !at.IsZero() && at.After(after) && (!ok || at.Before(next)) {
			next, ok = at, true
		}
	}
	for id := range t.working {
		o := t.orders[id]
		consider(o.Flight)
		if o.Held {
			consider(o.Expires)
		}
		if r := o.Sent.Rules; r != nil {
			if r.RouteAfter != nil && o.Held {
				consider(*r.RouteAfter)
			}
			if r.CancelAt != nil {
				consider(*r.CancelAt)
			}
		}
	}
	return next, ok
}

// moment gives the engine the quotes of a time and looks at what came of it.
func (t *trade) moment(ctx context.Context, at time.Time, quotes map[market.Symbol]market.Quote) {
	if t.exchange == nil {
		return
	}
	// What is due at this time is decided by what was quoted before it.
	before := at
	if due, ok := t.exchange.Next(); ok && !due.After(at) {
		before = due.Add(-time.Nanosecond)
	}
	t.feed(before, quotes)
	if err := t.exchange.Advance(at); err != nil {
		t.sim.log("the engine could not advance", "error", err)
	}
	if before.Before(at) {
		t.feed(at, quotes)
	}
	t.drain(at)
	t.fly(at)
	t.release(ctx, at, quotes)
}

// feed hands quotes to the engine in the order of their symbols. A halted symbol
// has none.
func (t *trade) feed(at time.Time, quotes map[market.Symbol]market.Quote) {
	if at.Before(t.exchange.Now()) {
		return
	}
	list := make([]paper.Quote, 0, len(quotes))
	for symbol, q := range quotes {
		one := paper.Quote{Symbol: symbol, Time: at, Bid: q.Bid, Ask: q.Ask, BidSize: q.BidSize, AskSize: q.AskSize}
		if q.Halted {
			one.Bid, one.Ask = nan(), nan()
		} else if one.Bid != one.Bid && one.Ask != one.Ask && q.Last == q.Last {
			one.Bid, one.Ask = q.Last, q.Last // a market that knows trades only, or an index
		}
		same := one
		same.Time = time.Time{}
		if last, ok := t.fed[symbol]; ok && last == same {
			continue // the sizes of a quote that stands are to be had once
		}
		t.fed[symbol] = same
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b paper.Quote) int {
		if a.Symbol < b.Symbol {
			return -1
		}
		return 1
	})
	if err := t.exchange.Quotes(list); err != nil {
		t.sim.log("the engine refused quotes", "error", err)
	}
}

// fly shows routed orders as in flight when their time has come.
func (t *trade) fly(at time.Time) {
	for _, id := range t.workingIDs() {
		o := t.orders[id]
		if !o.Flight.IsZero() && !at.Before(o.Flight) {
			t.inFlight(o)
		}
	}
}

func (t *trade) inFlight(o *orderRecord) {
	when := o.Flight
	o.Flight = time.Time{}
	if o.Wire.Status != "Routed" {
		return
	}
	o.Wire.Status, o.Wire.InFlightAt = "In Flight", wireTime(when)
	t.touch(o, when)
	t.tell(o)
}

// workingIDs are the orders that have not ended, the oldest first.
func (t *trade) workingIDs() []int64 {
	ids := make([]int64, 0, len(t.working))
	for id := range t.working {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// touch notes that an order has changed.
func (t *trade) touch(o *orderRecord, at time.Time) {
	if at.After(o.Updated) {
		o.Updated = at
	}
	o.Wire.UpdatedAt = o.Updated.UnixMilli()
	switch o.Wire.Status {
	case "Received", "Contingent", "Live":
		o.Wire.Cancellable, o.Wire.Editable = true, true
	default:
		o.Wire.Cancellable, o.Wire.Editable = false, false
	}
}

// tell sends an order, and the group that it belongs to, to those who listen.
func (t *trade) tell(o *orderRecord) {
	if !t.sim.hub.listens(o.Wire.AccountNumber) {
		return
	}
	t.sim.tellAccount(o.Wire.AccountNumber, "Order", o.shown())
	if c := t.complex[o.Complex]; c != nil {
		t.sim.tellAccount(o.Wire.AccountNumber, "ComplexOrder", t.shownComplex(c))
	}
}

// shown is a copy of the order for an answer.
func (o *orderRecord) shown() wireOrder {
	w := o.Wire
	w.Legs = slices.Clone(w.Legs)
	for i := range w.Legs {
		w.Legs[i].Fills = slices.Clone(w.Legs[i].Fills)
	}
	if w.Rules != nil {
		rules := *w.Rules
		rules.Conditions = slices.Clone(rules.Conditions)
		w.Rules = &rules
	}
	return w
}

// record makes an order that was received, and numbers it.
func (t *trade) record(account string, p *parsedOrder, at time.Time) *orderRecord {
	t.lastID++
	o := &orderRecord{Sent: p.sent, Received: at, Updated: at}
	o.Wire = wireOrderOf(account, p)
	w := &o.Wire
	w.ID, w.LegCount, w.Status = t.lastID, len(w.Legs), "Received"
	w.ReceivedAt = wireTime(at)
	w.GlobalRequestID = fmt.Sprintf("%032x", uint64(identity("request-"+strconv.FormatInt(w.ID, 10))))
	w.UserID, w.Username = t.sim.holder(account).id, "simulator"
	if w.Rules != nil {
		for i := range w.Rules.Conditions {
			w.Rules.Conditions[i].ID = w.ID*10 + int64(i)
		}
	}
	t.touch(o, at)
	t.orders[w.ID] = o
	t.working[w.ID] = struct{}{}
	return o
}

// wireOrderOf is a request as the API shows it back.
func wireOrderOf(account string, p *parsedOrder) wireOrder {
	w := wireOrder{
		AccountNumber: account, OrderType: p.sent.OrderType, TimeInForce: p.sent.TimeInForce, GTCDate: p.sent.GTCDate,
		ExternalIdentifier: p.sent.ExternalIdentifier, Source: p.sent.Source, PreflightID: p.sent.PreflightID,
		UnderlyingSymbol: string(p.underlying), UnderlyingType: p.kind, Status: "Received", Cancellable: true, Editable: true,
		Size: quantityOf(p.order.Units()),
	}
	if p.sent.Price != nil {
		w.Price, w.PriceEffect = decimalText(*p.sent.Price), otherwise(p.sent.PriceEffect, "None")
	}
	if p.sent.StopTrigger != nil {
		w.StopTrigger = decimalText(*p.sent.StopTrigger)
	}
	if p.sent.Value != nil {
		w.Value, w.ValueEffect = decimalText(*p.sent.Value), p.sent.ValueEffect
	}
	for _, leg := range p.sent.Legs {
		quantity := quantityOf(leg.Quantity)
		w.Legs = append(w.Legs, wireLeg{Action: leg.Action, InstrumentType: leg.InstrumentType, Symbol: leg.Symbol,
			Quantity: quantity, RemainingQuantity: quantity, Fills: []wireFill{}})
	}
	if r := p.sent.Rules; r != nil {
		w.Rules = &wireRule{Conditions: slices.Clone(r.Conditions)}
		if w.Rules.Conditions == nil {
			w.Rules.Conditions = []wireCondition{}
		}
		if r.RouteAfter != nil {
			w.Rules.RouteAfter = wireTime(*r.RouteAfter)
		}
		if r.CancelAt != nil {
			w.Rules.CancelAt = wireTime(*r.CancelAt)
		}
	}
	return w
}

// tag is the engine's name for an order of the simulator.
func tag(id int64) string { return "sim-" + strconv.FormatInt(id, 10) }

// ticketOf is an order for the engine.
func ticketOf(o broker.Order, id int64) broker.Ticket {
	o.Tag = tag(id)
	return broker.NewTicket(o)
}

// held tells what an account holds, signed.
func (t *trade) held(ctx context.Context, account string) (heldBy, error) {
	positions, err := t.broker.Positions(ctx, broker.AccountID(account))
	if err != nil {
		return nil, err
	}
	return func(symbol market.Symbol) decimal.Decimal {
		for i := range positions {
			if positions[i].Symbol == symbol {
				return positions[i].Quantity
			}
		}
		return decimal.Zero
	}, nil
}

// hold keeps an order back until its conditions are met or its time in force is
// over.
func (t *trade) hold(o *orderRecord, why string, now time.Time) {
	o.Held = true
	o.Wire.Status, o.Wire.ContingentStatus = "Contingent", why
	o.Expires = time.Time{}
	d := durations[o.Wire.TimeInForce]
	day := market.DateOf(now.In(t.sim.calendar.Location()))
	switch d.force {
	case broker.GTC:
		return
	case broker.GTD:
		if last, err := market.ParseDate(o.Wire.GTCDate); err == nil {
			day = last
		}
	}
	for _, session := range t.sim.calendar.Sessions(day, day.AddDays(10)) {
		end := session.Close
		if d.extended {
			end = session.PostClose
		}
		if end.After(now) {
			o.Expires = end
			return
		}
	}
}

// forget takes an order out of those that work.
func (t *trade) forget(o *orderRecord, at time.Time) {
	o.Ended, o.Flight = at, time.Time{}
	o.Wire.TerminalAt = wireTime(at)
	o.Wire.ContingentStatus = ""
	delete(t.working, o.Wire.ID)
	if c := t.complex[o.Complex]; c != nil {
		t.settleComplex(c, at)
	}
}
