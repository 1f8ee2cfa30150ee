package alpaca

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// AccountEvents subscribes to what happens to the orders of the account: states, and
// fills of each leg. Alpaca pushes no balances, positions and transactions.
// Without accounts it is the one account of the credentials.
func (a *Adapter) AccountEvents(ctx context.Context, accounts ...broker.AccountID) (broker.EventStream, error) {
	opening, cancel := a.bounded(ctx)
	defer cancel()
	if len(accounts) == 0 {
		list, err := a.Accounts(opening)
		if err != nil {
			return nil, err
		}
		accounts = []broker.AccountID{list[0].ID}
	}
	for _, account := range accounts {
		if err := a.check(opening, account); err != nil {
			return nil, err
		}
	}
	s := &eventStream{adapter: a, account: accounts[0], filled: map[string]decimal.Decimal{}, worth: map[string]decimal.Decimal{}, done: make(chan struct{})}
	s.queue = newQueue(a.opts.Stream.Buffer, func(g broker.Gap) broker.Event {
		return broker.Event{Account: s.account, Time: a.now(), Gap: &g}
	})
	l := &link{
		opts: a.opts.Stream, logger: a.client.opts.Logger, open: a.client.openTradeUpdates,
		receive: s.receive,
		again: func(ctx context.Context, _ *wsconn.Conn, reason string) error {
			err := s.seed(ctx)
			if err == nil {
				s.queue.miss(reason, a.now())
			}
			return err
		},
	}
	conn, err := l.connect(opening)
	if err == nil {
		if err = s.seed(opening); err != nil {
			conn.Close()
		}
	}
	if err != nil {
		return nil, a.failure("opening the event stream", err)
	}
	ctx, s.cancel = context.WithCancel(ctx)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() != nil {
		s.cancel()
		conn.Close()
		return nil, fmt.Errorf("alpaca: opening the event stream: the adapter is closed: %w", broker.ErrUnavailable)
	}
	stop := context.AfterFunc(a.ctx, s.cancel)
	a.wait.Go(func() {
		defer close(s.done)
		defer stop()
		why := l.run(ctx, conn)
		if errors.Is(why, ErrUnauthorized) {
			why = fmt.Errorf("alpaca: event stream: %w: %w", broker.ErrUnauthorized, why)
		}
		s.queue.end(why)
	})
	return s, nil
}

// An eventStream turns trade updates into events.
type eventStream struct {
	adapter *Adapter
	account broker.AccountID
	queue   *queue[broker.Event]
	cancel  context.CancelFunc
	done    chan struct{}
	// What is known to be filled of the legs of multi-leg orders, whose updates
	// tell the net price alone: quantity, and quantity × average price, by leg id.
	filled, worth map[string]decimal.Decimal
}

// Next waits for the next event.
func (s *eventStream) Next(ctx context.Context) (broker.Event, error) { return s.queue.next(ctx) }

// Close ends the stream and waits for it.
func (s *eventStream) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// seed reads what is filled of the legs of the orders at work, so that the first
// update about one tells its own fill only.
func (s *eventStream) seed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, handshake)
	defer cancel()
	clear(s.filled)
	clear(s.worth)
	return s.adapter.eachPage(ctx, ListOrdersQuery{Status: "open", Limit: mostOrders}, func(page []Order) {
		for i := range page {
			if page[i].OrderClass != "mleg" {
				continue
			}
			for j := range page[i].Legs {
				s.note(&page[i].Legs[j])
			}
		}
	})
}

// note remembers what is filled of a leg and returns what is new of it.
func (s *eventStream) note(leg *Order) (quantity, worth decimal.Decimal) {
	now := leg.FilledQty.Decimal()
	total := now.Mul(leg.FilledAvgPrice.Decimal().Abs())
	quantity, worth = now.Sub(s.filled[leg.ID]), total.Sub(s.worth[leg.ID])
	if quantity.IsPositive() {
		s.filled[leg.ID], s.worth[leg.ID] = now, total
	}
	return quantity, worth
}

func (s *eventStream) receive(data []byte) error {
	update, ok, err := parseTradeUpdate(data)
	if !ok {
		return err
	}
	at := update.when(s.adapter.now())
	order := &update.Order
	var fills []broker.Fill
	switch {
	case order.OrderClass == "mleg" && len(order.Legs) > 0:
		fills = s.legFills(&update)
	case strings.HasSuffix(update.Event, "fill") && update.Qty.Decimal().IsPositive() && update.Price.Known():
		fills = []broker.Fill{s.fill(order, order, update.ExecutionID, update.Qty.Decimal(), update.Price.Decimal())}
	}
	for i := range fills {
		fills[i].Time = at
		s.queue.put(broker.Event{Time: at, Account: s.account, Fill: &fills[i]}, at)
	}
	for _, state := range s.adapter.states(s.account, order) {
		s.queue.put(broker.Event{Time: at, Account: s.account, Order: &state}, at)
	}
	if statusOf(order.Status).Terminal() {
		for i := range order.Legs {
			delete(s.filled, order.Legs[i].ID)
			delete(s.worth, order.Legs[i].ID)
		}
	}
	return nil
}

// legFills tells what an update of a multi-leg order filled of each leg, from what
// each has filled now and had before.
func (s *eventStream) legFills(update *TradeUpdate) []broker.Fill {
	var fills []broker.Fill
	for i := range update.Order.Legs {
		leg := &update.Order.Legs[i]
		quantity, worth := s.note(leg)
		if !quantity.IsPositive() {
			continue
		}
		id := update.ExecutionID
		if id == "" {
			id = update.Order.ID + "-" + leg.FilledQty.String()
		}
		symbol := symbolOf(leg.Symbol, leg.AssetClass)
		fills = append(fills, s.fill(&update.Order, leg, id+":"+string(symbol), quantity, worth.DivRound(quantity, 8)))
	}
	return fills
}

func (s *eventStream) fill(order, leg *Order, id string, quantity, price decimal.Decimal) broker.Fill {
	return broker.Fill{
		ID: id, Order: broker.OrderID(order.ID), Account: s.account, Symbol: symbolOf(leg.Symbol, leg.AssetClass), Action: actionOf(leg),
		Quantity: quantity, Price: price.Abs(),
	}
}
