package tasty

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade"
)

// ledger is what the reader of a stream has been told, so that it is told what
// changes and no more. It belongs to one goroutine.
type ledger struct {
	adapter   *Adapter
	orders    map[orderKey]broker.OrderState
	fills     map[fillKey]bool
	positions map[positionKey]broker.Position
	balances  map[broker.AccountID]broker.Balances
	last      map[broker.AccountID]time.Time // of the last event that came for certain
}

type (
	orderKey struct {
		account broker.AccountID
		id      broker.OrderID
	}
	fillKey struct {
		account broker.AccountID
		id      string
	}
	positionKey struct {
		account broker.AccountID
		symbol  market.Symbol
	}
)

func newLedger(a *Adapter) *ledger {
	return &ledger{
		adapter: a, orders: map[orderKey]broker.OrderState{}, fills: map[fillKey]bool{},
		positions: map[positionKey]broker.Position{}, balances: map[broker.AccountID]broker.Balances{}, last: map[broker.AccountID]time.Time{},
	}
}

// begin takes in what there is when the stream begins, and tells nothing of it.
func (k *ledger) begin(snapshot *tastytrade.AccountSnapshot) {
	k.compare(time.Time{}, snapshot)
}

// order takes in an order and returns its new fills and, when it has changed, its
// state. What is older than what is known, or cannot follow it, is left out.
func (k *ledger) order(at time.Time, o *tastytrade.Order) []broker.Event {
	later := stateOf(broker.AccountID(o.AccountNumber), o)
	key := orderKey{later.Account, later.ID}
	before, seen := k.orders[key]
	if seen {
		if later.Updated.Before(before.Updated) && !later.Updated.IsZero() {
			return nil
		}
		// A state that is not known here is still told.
		if _, err := before.Become(later); err != nil && before.Status.Known() && later.Status.Known() {
			k.adapter.opts.Logger.Debug("an order's step back is left out", "error", err)
			return nil
		}
	}
	k.orders[key] = later
	events := k.newFills(at, &later)
	if !seen || !sameOrder(before, later) {
		events = append(events, broker.Event{Time: at, Account: later.Account, Order: &later})
	}
	k.told(at, later.Account)
	return events
}

// newFills returns the fills that have not been told.
func (k *ledger) newFills(at time.Time, state *broker.OrderState) []broker.Event {
	var events []broker.Event
	for _, fill := range state.Fills {
		key := fillKey{fill.Account, fill.ID}
		if k.fills[key] {
			continue
		}
		k.fills[key] = true
		events = append(events, broker.Event{Time: at, Account: fill.Account, Fill: &fill})
	}
	return events
}

func sameOrder(x, y broker.OrderState) bool {
	if x.Status != y.Status || x.Reason != y.Reason || x.ReplacedBy != y.ReplacedBy || x.Replaces != y.Replaces || x.Group != y.Group ||
		len(x.Legs) != len(y.Legs) || len(x.Fills) != len(y.Fills) || !sameAmount(x.Order.Limit, y.Order.Limit) || !sameAmount(x.Order.Stop, y.Order.Stop) ||
		x.Order.TimeInForce != y.Order.TimeInForce || x.Order.GoodTill != y.Order.GoodTill {
		return false
	}
	for i := range x.Legs {
		if !x.Legs[i].Filled.Equal(y.Legs[i].Filled) {
			return false
		}
	}
	return true
}

func (k *ledger) balance(at time.Time, b *tastytrade.Balance) []broker.Event {
	account := broker.AccountID(b.AccountNumber)
	later := *balancesOf(account, b)
	before, seen := k.balances[account]
	switch {
	case seen && later.Currency != before.Currency:
		return nil // balances are those of one currency
	case seen && later.Time.Before(before.Time) && !later.Time.IsZero():
		return nil
	}
	k.balances[account] = later
	k.told(at, account)
	if seen && sameBalances(before, later) {
		return nil
	}
	return []broker.Event{{Time: at, Account: account, Balances: &later}}
}

func sameBalances(x, y broker.Balances) bool {
	return sameAmount(x.Cash, y.Cash) && sameAmount(x.NetLiquidatingValue, y.NetLiquidatingValue) &&
		sameAmount(x.EquityBuyingPower, y.EquityBuyingPower) && sameAmount(x.DerivativeBuyingPower, y.DerivativeBuyingPower) &&
		sameAmount(x.MaintenanceMargin, y.MaintenanceMargin) && sameAmount(x.MaintenanceExcess, y.MaintenanceExcess) &&
		sameAmount(x.PendingCash, y.PendingCash) && sameAmount(x.DayTradeExcess, y.DayTradeExcess)
}

func (k *ledger) position(at time.Time, p *tastytrade.Position) []broker.Event {
	account := broker.AccountID(p.AccountNumber)
	later := k.adapter.positionOf(account, *p)
	key := positionKey{account, later.Symbol}
	before, seen := k.positions[key]
	if later.Quantity.IsZero() {
		delete(k.positions, key)
	} else {
		k.positions[key] = later
	}
	k.told(at, account)
	if !seen && later.Quantity.IsZero() || seen && samePosition(before, later) {
		return nil
	}
	return []broker.Event{{Time: at, Account: account, Position: &later}}
}

func samePosition(x, y broker.Position) bool {
	return x.Quantity.Equal(y.Quantity) && sameAmount(x.AverageOpenPrice, y.AverageOpenPrice) && sameAmount(x.RealizedDay, y.RealizedDay)
}

func sameAmount(x, y *decimal.Decimal) bool {
	return x == nil && y == nil || x != nil && y != nil && x.Equal(*y)
}

// compare takes in what was read and returns what differs from what is known. A
// position that is not there any more is told with a quantity of zero.
func (k *ledger) compare(at time.Time, snapshot *tastytrade.AccountSnapshot) []broker.Event {
	var events []broker.Event
	for i := range snapshot.Orders {
		events = append(events, k.order(at, &snapshot.Orders[i])...)
	}
	gone := maps.Clone(k.positions)
	for i := range snapshot.Positions {
		p := &snapshot.Positions[i]
		delete(gone, positionKey{broker.AccountID(p.AccountNumber), normal(p.Symbol)})
		events = append(events, k.position(at, p)...)
	}
	for _, key := range slices.SortedFunc(maps.Keys(gone), func(x, y positionKey) int {
		return cmp.Or(cmp.Compare(x.account, y.account), cmp.Compare(x.symbol, y.symbol))
	}) {
		closed := gone[key]
		closed.Quantity, closed.AverageOpenPrice, closed.Mark = decimal.Zero, nil, nil
		delete(k.positions, key)
		events = append(events, broker.Event{Time: at, Account: key.account, Position: &closed})
	}
	for i := range snapshot.Balances {
		b := &snapshot.Balances[i]
		if _, seen := k.balances[broker.AccountID(b.AccountNumber)]; seen || b.Currency == "USD" || len(snapshot.Balances) == 1 {
			events = append(events, k.balance(at, b)...)
		}
	}
	return events
}

func (k *ledger) told(at time.Time, account broker.AccountID) {
	if at.After(k.last[account]) {
		k.last[account] = at
	}
}
