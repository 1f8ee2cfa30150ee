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
	queue  []broker.Event
	told   int // of queue
	ended  []Trade
	event  strategy.Event
	bar    strategy.Event // of bars alone
	curve  curve
	extra  int // orders that the desk sent by itself
	ruined bool
	over   bool // EndEvent was told

	fills        []Fill
	trades       []Trade
	orders       []OrderEvent
	transactions []broker.Transaction
	notes        []strategy.Note
	greeks       []GreeksPoint
	seen         map[broker.OrderID]bool // orders that still work, and were told
}

func newDesk(e *engine, i int) *desk {
	a := &e.opts.Accounts[i]
	d := &desk{e: e, number: i, id: accountID(i, a.ID), account: a, needs: a.Strategy.Needs(), ledger: newLedger(a.Cash), seen: map[broker.OrderID]bool{}}
	d.data = deskData{e, d}
	d.curve.open(e.opts.Curve)
	e.byID[d.id] = d
	return d
}

// open makes the session. The strategy begins with the first instant.
func (d *desk) open() error {
	d.view = d.e.x.Broker(d.id)
	for _, p := range d.account.Positions {
		in := d.e.instrumentOf(p.Symbol)
		d.ended = d.ledger.move(change{in: in, quantity: p.Quantity, price: p.AverageOpenPrice, time: time.Unix(0, d.e.clock).In(d.e.location), bar: -1}, d.ended[:0])
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
		left := h.quantity.Abs()
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
	sum := decimal.Zero
	for i := range h.lots {
		if h.lots[i].bar < bar {
			sum = sum.Add(h.lots[i].quantity)
		}
	}
	return sum.Abs()
}

// hear takes what the exchange tells.
func (e *engine) hear(ev broker.Event) {
	d := e.byID[ev.Account]
	if d == nil {
		return
	}
	switch {
	case ev.Order != nil:
		d.hearOrder(&ev)
	case ev.Fill != nil:
		d.hearFill(ev.Fill)
	case ev.Transaction != nil:
		d.hearTransaction(ev.Transaction)
		if ev.Transaction.Kind == broker.Trade {
			return // the strategy is told of the fill
		}
	}
	d.queue = append(d.queue, ev)
}

func (d *desk) hearOrder(ev *broker.Event) {
	o, e := ev.Order, d.e
	item := OrderEvent{Time: ev.Time, ID: o.ID, Tag: o.Order.Tag, Status: o.Status, Reason: o.Reason}
	if !d.seen[o.ID] {
		d.seen[o.ID] = true
		e.tagOf[o.ID] = o.Order.Tag
		e.working++
		order := o.Order
		item.Order = &order
	}
	if o.Status.Terminal() {
		delete(d.seen, o.ID)
		delete(e.tagOf, o.ID)
		delete(e.shares, o.Order.Tag)
		e.working--
	}
	d.orders = kept(d.orders, item, e.opts.Curve.Records)
	if e.opts.Observer != nil {
		told := item
		e.tell(&Item{Time: told.Time, Account: d.number, Order: &told})
	}
}

func (d *desk) hearFill(f *broker.Fill) {
	in := d.e.instrumentOf(f.Symbol)
	fill := Fill{Fill: *f, Bar: in.bar(), Multiplier: multiplierOf(in), Tag: d.e.tagOf[f.Order]}
	if d.e.closingOut {
		fill.Time, fill.Bar = d.e.closedAt(in)
	}
	d.fills = kept(d.fills, fill, d.e.opts.Curve.Records)
	if d.e.opts.Observer != nil {
		told := fill
		d.e.tell(&Item{Time: told.Time, Account: d.number, Fill: &told})
	}
	fees := decimal.Zero
	if c := f.Fees; c != nil {
		fees = sums.Plus(sums.Plus(sums.Plus(c.Commission, c.Clearing), c.Regulatory), c.Exchange)
		d.ledger.fees = sums.Plus(d.ledger.fees, fees)
	}
	d.move(change{
		in: in, quantity: sums.Signed(f.Quantity, f.Action.Sign()), price: f.Price, fees: fees,
		time: fill.Time, bar: fill.Bar, tag: fill.Tag, how: broker.Trade,
	})
}

func (d *desk) move(c change) {
	d.ended = d.ledger.move(c, d.ended[:0])
	if c.in.chain != nil && !c.in.quoted {
		if k := c.in.chain.now(); k >= 0 && c.in.markAt != c.in.chain.store.times[k] {
			d.e.mark(c.in, k)
		}
	}
	for i := range d.ended {
		d.trades = kept(d.trades, d.ended[i], d.e.opts.Curve.Records)
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
	fees := decimal.Zero
	if t.Fees != nil {
		fees = t.Fees.Total()
		d.ledger.fees = d.ledger.fees.Add(fees)
	}
	if t.Kind == broker.FeeCharge {
		d.ledger.fees = d.ledger.fees.Add(t.Amount)
	}
	if t.Quantity.IsZero() || t.Symbol == "" {
		return
	}
	in := d.e.instrumentOf(t.Symbol)
	price := decimal.Zero
	if t.Price != nil {
		price = *t.Price
	}
	d.move(change{in: in, quantity: t.Quantity, price: price, fees: fees, time: t.Time, bar: in.bar(), how: t.Kind})
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
		ev := d.queue[d.told]
		d.queue[d.told] = broker.Event{}
		d.told++
		d.event = strategy.Event{Time: d.e.present()}
		switch {
		case ev.Order != nil:
			d.event.Kind, d.event.Order = strategy.OrderEvent, ev.Order
		case ev.Fill != nil:
			d.event.Kind, d.event.Fill, d.event.Symbol = strategy.FillEvent, ev.Fill, ev.Fill.Symbol
		case ev.Transaction != nil:
			d.event.Kind, d.event.Transaction, d.event.Symbol = strategy.AccountEvent, ev.Transaction, ev.Transaction.Symbol
		default:
			continue
		}
		if d.ruined || d.over {
			continue
		}
		if err := d.session.Deliver(&d.event); err != nil {
			return err
		}
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
