package backtest

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/rooms"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

var unknown = math.NaN()

// A desk is an account, its strategy and its broker. As a broker it is the
// exchange, which it brings up to date before it is asked anything.
type desk struct {
	e       *engine
	number  int
	id      broker.AccountID
	account *Account
	needs   strategy.Needs
	session *strategy.Session
	view    broker.Broker
	data    deskData
	feeds   []*feed // those that the strategy gets
	quoted  bool

	ledger ledger
	queue  []*heard
	told   int      // of queue
	spare  []*heard // not in use
	ended  []Trade
	event  strategy.Event
	report strategy.Event // of orders, fills and transactions
	bar    strategy.Event // of bars alone
	// skimmer is the strategy when it can take bars in passing, otherwise nil, and
	// skimmed the end of the last that it took so since it was handed an event.
	skimmer strategy.Skimmer
	skimmed int64
	curve   curve
	extra   int // orders that the desk sent by itself
	ruined  bool
	over    bool // EndEvent was told

	fills        rooms.List[Fill]
	trades       rooms.List[Trade]
	orders       rooms.List[OrderEvent]
	asked        rooms.Shelf[broker.Order] // what the first of an order's events says was asked for
	transactions []broker.Transaction
	notes        []strategy.Note
	greeks       []GreeksPoint
	seen         rooms.Index[broker.OrderID, string] // orders that still work, and were told, with their tags
}

// A heard is what the exchange told of an account, until its strategy is told: one
// of the three.
type heard struct {
	order       broker.OrderState // without an ID: it is of none
	fill        *broker.Fill
	transaction *broker.Transaction
}

func newDesk(e *engine, i int) *desk {
	a := &e.opts.Accounts[i]
	d := &desk{e: e, number: i, id: accountID(i, a.ID), account: a, needs: a.Strategy.Needs(), ledger: newLedger(a.Cash)}
	d.ledger.number = i
	d.data = deskData{e, d}
	d.curve.open(&e.opts)
	if skimmer, ok := a.Strategy.(strategy.Skimmer); ok && len(d.needs.Symbols) == 1 {
		d.skimmer = skimmer
	}
	e.byID[d.id] = d
	return d
}

// open makes the session. The strategy begins with the first instant.
func (d *desk) open() error {
	d.view = d.e.x.Broker(d.id)
	for _, p := range d.account.Positions {
		in := d.e.instrumentOf(p.Symbol)
		d.ended = d.ledger.move(&change{in: in, quantity: sums.Of(p.Quantity), price: p.AverageOpenPrice, time: time.Unix(0, d.e.clock).In(d.e.location), bar: -1}, d.ended[:0])
	}
	var err error
	d.session, err = strategy.NewSession(d.account.Strategy, strategy.SessionOptions{
		Broker: d, Account: d.id, Data: &d.data, Budget: d.account.Budget, Name: tagName(d.account.Name), Multiplier: d.e.multiplier, Notes: d.note,
	})
	return err
}

func (d *desk) note(n strategy.Note) {
	n.Values = slices.Clone(n.Values)
	d.notes = kept(d.notes, n, d.e.opts.Curve.Records)
	if d.e.opts.Observer != nil {
		d.e.tell(&Item{Time: n.Time, Account: d.number, Note: &n})
	}
}

// kept appends to a list that holds at most so many of the last; 0: all.
func kept[T any](list []T, x T, most int) []T {
	if most > 0 && len(list) >= 2*most {
		list = append(list[:0], list[len(list)-most+1:]...)
	}
	return append(list, x)
}

// keep is kept for a list in pieces. It returns where the record lies until the
// next one comes.
func keep[T any](list *rooms.List[T], x T, most int) *T {
	if most > 0 && list.Len() >= 2*most {
		list.Keep(most - 1)
	}
	return list.Add(x)
}

// The reading half of the broker.

func (d *desk) Environment() broker.Environment { return broker.Paper }

func (d *desk) Capabilities() broker.Capabilities { return d.view.Capabilities() }

func (d *desk) Accounts(ctx context.Context) ([]broker.Account, error) { return d.view.Accounts(ctx) }

func (d *desk) Balances(ctx context.Context, account broker.AccountID) (*broker.Balances, error) {
	if err := d.e.sync(); err != nil {
		return nil, err
	}
	d.e.quoteHeld()
	return d.view.Balances(ctx, account)
}

func (d *desk) Positions(ctx context.Context, account broker.AccountID) ([]broker.Position, error) {
	if err := d.e.sync(); err != nil {
		return nil, err
	}
	return d.view.Positions(ctx, account)
}

func (d *desk) Order(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	return d.view.Order(ctx, account, id)
}

func (d *desk) Orders(ctx context.Context, account broker.AccountID, q broker.OrdersQuery) ([]broker.OrderState, error) {
	return d.view.Orders(ctx, account, q)
}

func (d *desk) Transactions(ctx context.Context, account broker.AccountID, from, to time.Time) ([]broker.Transaction, error) {
	return d.view.Transactions(ctx, account, from, to)
}

func (d *desk) Events(ctx context.Context, accounts ...broker.AccountID) (broker.EventStream, error) {
	return d.view.Events(ctx, accounts...)
}

func (d *desk) Preview(ctx context.Context, account broker.AccountID, t broker.Ticket) (*broker.Preview, error) {
	if err := d.ready(t.Orders); err != nil {
		return nil, err
	}
	return d.view.Preview(ctx, account, t)
}

// The trading half.

func (d *desk) Place(ctx context.Context, account broker.AccountID, t broker.Ticket) ([]broker.OrderState, error) {
	if d.ruined {
		return nil, refused("ruined", "the account has nothing left")
	}
	if d.e.lastly && d.e.rules.CheatOnClose && d.e.rules.Finish == KeepOpen {
		return nil, refused("data_over", "what is ordered at the last close fills with a bar that never comes")
	}
	if err := d.ready(t.Orders); err != nil {
		return nil, err
	}
	t = d.sized(t)
	if d.e.rules.Exclusive && opens(t) {
		if err := d.clear(ctx, t.Orders[0].Legs); err != nil {
			return nil, err
		}
	}
	return d.view.Place(ctx, account, t)
}

func refused(code, message string) error {
	return &broker.RejectedError{Notices: []broker.Notice{{Code: code, Message: message}}}
}

func opens(t broker.Ticket) bool {
	return len(t.Orders) > 0 && t.Kind != broker.OCO && t.Orders[0].Opens()
}

func (d *desk) Replace(ctx context.Context, account broker.AccountID, id broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	if err := d.ready([]broker.Order{with}); err != nil {
		return nil, err
	}
	return d.view.Replace(ctx, account, id, with)
}

func (d *desk) Cancel(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	if err := d.e.sync(); err != nil {
		return nil, err
	}
	return d.view.Cancel(ctx, account, id)
}

// ready brings the exchange to the present, with the quotes of what is ordered.
func (d *desk) ready(orders []broker.Order) error {
	if err := d.e.sync(); err != nil {
		return err
	}
	for i := range orders {
		for j := range orders[i].Legs {
			if err := d.e.quoteLeg(orders[i].Legs[j].Symbol); err != nil {
				return err
			}
		}
	}
	return nil
}

// sized turns an order for a share of the account into one whose units are decided
// when it fills: see Rules.Size.
func (d *desk) sized(t broker.Ticket) broker.Ticket {
	if d.e.rules.Size == nil || len(t.Orders) == 0 || t.Kind == broker.OCO {
		return t
	}
	o := &t.Orders[0]
	if o.Type != broker.Market || len(o.Legs) != 1 || !o.Opens() || o.Legs[0].Symbol.Kind() == market.KindOption {
		return t
	}
	equity, _ := d.ledger.value()
	price := d.e.instrumentOf(o.Legs[0].Symbol).mark
	if !(equity > 0) || !(price > 0) {
		return t
	}
	share := 1.0
	if o.Notional != nil {
		share = o.Notional.InexactFloat64() / equity
		if share > 1 && share < 1+1e-9 {
			share = 1
		}
	} else {
		most := d.e.rules.Size(SizeInput{Share: 1, Price: price, Buy: o.Legs[0].Action.Sign() > 0, Cash: equity, Equity: equity})
		if !(most >= 1) || o.Legs[0].Quantity.InexactFloat64() < most {
			return t
		}
	}
	t.Orders = slices.Clone(t.Orders)
	o = &t.Orders[0]
	o.Legs = slices.Clone(o.Legs)
	amount := decimal.NewFromFloat(share * equity).Round(6)
	o.Notional = &amount
	o.Legs[0].Quantity = decimal.Zero
	d.e.shares[o.Tag] = share
	return t
}

// clear cancels what works and closes what is held.
func (d *desk) clear(ctx context.Context, legs []broker.Leg) error {
	working, err := d.view.Orders(ctx, d.id, broker.OrdersQuery{Working: true})
	if err != nil {
		return err
	}
	for i := range working {
		if working[i].Status.CanFill() && !closesMarket(&working[i].Order) {
			if _, err := d.view.Cancel(ctx, d.id, working[i].ID); err != nil {
				continue // it ended with another one
			}
		}
	}
	return d.closeAll(ctx)
}

func closesMarket(o *broker.Order) bool { return o.Type == broker.Market && !o.Opens() }

// unprotect cancels the working orders that would close what is about to be closed
// otherwise: stops and targets.
func (d *desk) unprotect(ctx context.Context) error {
	working, err := d.view.Orders(ctx, d.id, broker.OrdersQuery{Working: true})
	if err != nil {
		return err
	}
	for i := range working {
		if o := &working[i]; !o.Order.Opens() && o.Order.Type != broker.Market {
			_, _ = d.view.Cancel(ctx, d.id, o.ID) // it may have ended with another of its group
		}
	}
	return nil
}

// closeAll sends market orders that close what is held and no order closes yet.
func (d *desk) closeAll(ctx context.Context) error {
	working, err := d.view.Orders(ctx, d.id, broker.OrdersQuery{Working: true})
	if err != nil {
		return err
	}
	for _, h := range slices.Clone(d.ledger.open) {
		left := h.quantity.Abs().Decimal()
		if d.e.closingOut && d.e.rules.CheatOnClose {
			left = h.before(h.in.bar())
		}
		action := broker.SellToClose
		if h.quantity.Sign() < 0 {
			action = broker.BuyToClose
		}
		for i := range working {
			o := &working[i]
			for j := range o.Order.Legs {
				if l := &o.Order.Legs[j]; closesMarket(&o.Order) && l.Symbol == h.in.name && l.Action == action {
					left = left.Sub(l.Quantity)
				}
			}
		}
		if left.Sign() <= 0 {
			continue
		}
		d.extra++
		_, err := d.view.Place(ctx, d.id, broker.NewTicket(broker.Order{
			Tag: d.session.Name() + "_x_" + strconv.Itoa(d.extra), Type: broker.Market,
			Legs: []broker.Leg{{Symbol: h.in.name, Action: action, Quantity: left}},
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// before is how much was opened before a bar.
func (h *holding) before(bar int64) decimal.Decimal {
	var sum sums.Number
	for i := range h.lots {
		if h.lots[i].bar < bar {
			sum = sum.Plus(h.lots[i].quantity)
		}
	}
	return sum.Abs().Decimal()
}

// hear takes what the exchange tells.
func (e *engine) hear(ev broker.Event) {
	d := e.deskOf(ev.Account)
	if d == nil {
		return
	}
	switch {
	case ev.Order != nil:
		d.hearOrder(ev.Time, ev.Order)
		d.hold().order = *ev.Order
	case ev.Fill != nil:
		d.hearFill(ev.Fill)
		d.hold().fill = ev.Fill
	case ev.Transaction != nil:
		d.hearTransaction(ev.Transaction)
		if ev.Transaction.Kind != broker.Trade { // else the strategy is told of the fill
			t := *ev.Transaction
			d.hold().transaction = &t
		}
	}
}

func (e *engine) deskOf(id broker.AccountID) *desk {
	if only := e.desks[0]; only.id == id {
		return only
	}
	return e.byID[id]
}

// hold makes room in the queue. Events are told one after the other, and so the
// same room serves for many.
func (d *desk) hold() *heard {
	var h *heard
	if n := len(d.spare); n > 0 {
		h, d.spare = d.spare[n-1], d.spare[:n-1]
		h.order.ID, h.fill, h.transaction = "", nil, nil
	} else {
		h = &heard{}
	}
	d.queue = append(d.queue, h)
	return h
}

func (d *desk) hearOrder(at time.Time, o *broker.OrderState) {
	e := d.e
	item := keep(&d.orders, OrderEvent{Time: at, ID: o.ID, Tag: o.Order.Tag, Status: o.Status, Reason: o.Reason}, e.opts.Curve.Records)
	_, known := d.seen.Get(o.ID)
	if !known {
		e.working++
		item.Order = d.asked.One()
		*item.Order = o.Order
	}
	switch over := o.Status.Terminal(); {
	case over:
		if known {
			d.seen.Delete(o.ID)
		}
		if len(e.shares) > 0 {
			delete(e.shares, o.Order.Tag)
		}
		e.working--
	case !known:
		d.seen.Set(o.ID, o.Order.Tag)
	}
	if e.opts.Observer != nil {
		told := *item
		e.tell(&Item{Time: told.Time, Account: d.number, Order: &told})
	}
}

func (d *desk) hearFill(f *broker.Fill) {
	in := d.e.instrumentOf(f.Symbol)
	tag, _ := d.seen.Get(f.Order)
	fill := keep(&d.fills, Fill{Fill: *f, Bar: in.bar(), Multiplier: in.unit, Tag: tag}, d.e.opts.Curve.Records)
	if d.e.closingOut {
		fill.Time, fill.Bar = d.e.closedAt(in)
	}
	if d.e.opts.Observer != nil {
		told := *fill
		d.e.tell(&Item{Time: told.Time, Account: d.number, Fill: &told})
	}
	var fees sums.Number
	if c := f.Fees; c != nil {
		fees = sums.Total(c.Commission, c.Clearing, c.Regulatory, c.Exchange)
		d.ledger.fees = d.ledger.fees.Plus(fees)
	}
	d.move(&change{
		in: in, quantity: sums.Of(f.Quantity).Signed(f.Action.Sign()), price: f.Price, fees: fees,
		time: fill.Time, bar: fill.Bar, tag: tag, how: broker.Trade,
	})
}

func (d *desk) move(c *change) {
	d.ended = d.ledger.move(c, d.ended[:0])
	if c.in.chain != nil && !c.in.quoted {
		if k := c.in.chain.now(); k >= 0 && c.in.markAt != c.in.chain.store.times[k] {
			d.e.mark(c.in, k)
		}
	}
	for i := range d.ended {
		keep(&d.trades, d.ended[i], d.e.opts.Curve.Records)
		if d.e.opts.Observer != nil {
			t := d.ended[i]
			d.e.tell(&Item{Time: t.ExitTime, Account: d.number, Trade: &t})
		}
	}
}

func (d *desk) hearTransaction(t *broker.Transaction) {
	d.ledger.pay(t.Amount)
	if t.Kind == broker.Trade {
		return
	}
	d.transactions = kept(d.transactions, *t, d.e.opts.Curve.Records)
	if d.e.opts.Observer != nil {
		d.e.tell(&Item{Time: t.Time, Account: d.number, Transaction: t})
	}
	var fees sums.Number
	if t.Fees != nil {
		fees = sums.Of(t.Fees.Total())
		d.ledger.fees = d.ledger.fees.Plus(fees)
	}
	if t.Kind == broker.FeeCharge {
		d.ledger.fees = d.ledger.fees.Plus(sums.Of(t.Amount))
	}
	if t.Quantity.IsZero() || t.Symbol == "" {
		return
	}
	in := d.e.instrumentOf(t.Symbol)
	price := decimal.Zero
	if t.Price != nil {
		price = *t.Price
	}
	d.move(&change{in: in, quantity: sums.Of(t.Quantity), price: price, fees: fees, time: t.Time, bar: in.bar(), how: t.Kind})
}

// mostTold is how many events one instant may bring to one strategy: one that
// answers each fill with an order that fills at once would never end.
const mostTold = 20_000

// deliver tells the strategy what happened, and what came of that.
func (d *desk) deliver() error {
	for n := 0; d.told < len(d.queue); n++ {
		if n == mostTold {
			return errEndless
		}
		h, r := d.queue[d.told], &d.report
		d.queue[d.told] = nil
		d.told++
		r.Time, r.Order, r.Fill, r.Transaction = d.e.present(), nil, h.fill, h.transaction
		switch {
		case h.fill != nil:
			r.Kind, r.Symbol = strategy.FillEvent, h.fill.Symbol
		case h.transaction != nil:
			r.Kind, r.Symbol = strategy.AccountEvent, h.transaction.Symbol
		default:
			r.Kind, r.Symbol, r.Order = strategy.OrderEvent, "", &h.order
		}
		if !d.ruined && !d.over {
			if err := d.session.Deliver(r); err != nil {
				return err
			}
		}
		d.spare = append(d.spare, h)
	}
	d.queue, d.told = d.queue[:0], 0
	return nil
}

// give hands an event to the strategy and then tells what came of it.
func (d *desk) give() error {
	if d.ruined {
		return nil
	}
	if err := d.session.Deliver(&d.event); err != nil {
		return err
	}
	if len(d.queue) > 0 {
		return d.deliver()
	}
	return nil
}

// giveBar hands the strategy a bar that has just ended.
func (d *desk) giveBar(f *feed, b *market.Bar) error {
	if d.ruined {
		return nil
	}
	d.bar.Kind, d.bar.Time, d.bar.Symbol, d.bar.Bar = strategy.BarEvent, d.e.present(), f.symbol.name, *b
	if err := d.session.Deliver(&d.bar); err != nil {
		return err
	}
	if len(d.queue) > 0 {
		return d.deliver()
	}
	return nil
}

// state is the strategy's snapshot; nil when it cannot be taken.
func (d *desk) state() json.RawMessage {
	state, err := d.session.Snapshot()
	if err != nil {
		return nil
	}
	return state
}

var _ broker.Broker = (*desk)(nil)
