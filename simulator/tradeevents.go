package simulator

import (
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

var statusNames = map[broker.Status]string{
	broker.Contingent: "Contingent", broker.Received: "Received", broker.Routed: "Routed", broker.Live: "Live",
	broker.CancelRequested: "Cancel Requested", broker.ReplaceRequested: "Replace Requested", broker.Filled: "Filled",
	broker.Cancelled: "Cancelled", broker.Replaced: "Cancelled", broker.Expired: "Expired", broker.Rejected: "Rejected",
}

// drain looks at what the engine has told, and passes it on in the order in which
// the broker does: orders as they change, then the positions that came of it, then
// the balance.
func (t *trade) drain(at time.Time) {
	events := t.take()
	if len(events) == 0 {
		return
	}
	type touched struct {
		account broker.AccountID
		symbol  market.Symbol
	}
	var positions []touched
	var balances []broker.AccountID
	cause := map[touched]int64{}
	for i := range events {
		e := &events[i]
		switch {
		case e.Order != nil:
			t.orderEvent(e.Order, e.Time)
		case e.Fill != nil:
			t.fillEvent(e.Fill)
			key := touched{e.Account, e.Fill.Symbol}
			cause[key] = t.byEngine[e.Fill.Order]
			positions = append(positions, key)
			balances = append(balances, e.Account)
		case e.Position != nil:
			positions = append(positions, touched{e.Account, e.Position.Symbol})
		case e.Balances != nil, e.Transaction != nil:
			balances = append(balances, e.Account)
			if tx := e.Transaction; tx != nil {
				t.gains.add(tx)
				if tx.Symbol != "" {
					positions = append(positions, touched{e.Account, tx.Symbol})
				}
			}
		}
	}
	seen := map[touched]bool{}
	for _, key := range positions {
		if !seen[key] {
			seen[key] = true
			t.sim.tellPosition(string(key.account), key.symbol, cause[key], at)
		}
	}
	slices.Sort(balances)
	for _, account := range slices.Compact(balances) {
		t.sim.tellBalance(string(account))
		t.sim.tellStatus(string(account))
	}
	for _, key := range positions {
		if seen[key] {
			seen[key] = false
			t.sim.tellChain(string(key.account), key.symbol, at)
		}
	}
}

// orderEvent brings an order to the state that the engine reports.
func (t *trade) orderEvent(state *broker.OrderState, at time.Time) {
	o := t.orders[t.byEngine[state.ID]]
	if o == nil {
		if o = t.successor(state); o == nil {
			return // an order of the engine's own, such as one that liquidates
		}
	}
	if !state.Updated.IsZero() {
		at = state.Updated
	}
	status := statusNames[state.Status]
	if o.ended() || status == "" {
		return
	}
	before := o.Wire.Status
	for i := range state.Fills {
		t.fillEvent(&state.Fills[i])
	}
	changed := t.remaining(o, state)
	if status == before && !changed || status == "Received" && before == "Contingent" {
		return // a replacement is contingent until the order before it is gone
	}
	switch status {
	case "Routed":
		if before == "In Flight" {
			return
		}
		o.Flight = at.Add(t.sim.engineOptions().Latency.Live / 2)
		o.Wire.ContingentStatus = ""
		if o.Wire.Rules != nil {
			o.Wire.Rules.RoutedAt = wireTime(at)
		}
	case "Live", "Filled":
		// An order is seen on its whole way, however short it was.
		for _, step := range [...]string{"Routed", "In Flight"} {
			if before == "Contingent" || before == "Received" || before == "Routed" && step == "In Flight" {
				t.step(o, step, at)
			}
		}
		o.Flight = time.Time{}
		if o.Wire.LiveAt == "" {
			o.Wire.LiveAt = wireTime(at)
		}
		o.Wire.DestinationVenue = venue
		o.Wire.ExtExchangeOrderNumber = strconv.FormatInt(9_000_000_000+o.Wire.ID, 10)
		o.Wire.ExtClientOrderID = strconv.FormatInt(o.Wire.ID, 16)
		o.Wire.ExtGlobalOrderNumber = o.Wire.ID
		o.Wire.ContingentStatus = ""
	case "Contingent":
		o.Wire.ContingentStatus = otherwise(o.Wire.ContingentStatus, "Pending Order")
	case "Cancelled":
		o.Wire.CancelledAt = wireTime(at)
	case "Rejected":
		o.Wire.RejectReason = state.Reason
	}
	o.Wire.Status = status
	if state.Status.Terminal() {
		t.forget(o, at)
	}
	t.touch(o, at)
	t.tell(o)
}

// step shows an order in a state that it passed.
func (t *trade) step(o *orderRecord, status string, at time.Time) {
	if o.Wire.Status == status {
		return
	}
	o.Wire.Status, o.Wire.ContingentStatus = status, ""
	if status == "In Flight" {
		if !o.Flight.IsZero() && o.Flight.Before(at) {
			at = o.Flight
		}
		o.Wire.InFlightAt = wireTime(at)
	}
	t.touch(o, at)
	t.tell(o)
}

// venue is where simulated orders go.
const venue = "MARKET_SIMULATOR"

// remaining counts what is left of each leg, and reports whether it changed.
func (t *trade) remaining(o *orderRecord, state *broker.OrderState) bool {
	changed := false
	for i := range min(len(state.Legs), len(o.Wire.Legs)) {
		leg := &o.Wire.Legs[i]
		quantity := state.Order.Legs[i].Quantity
		if i < len(o.Sent.Legs) && o.Sent.OrderType != "Notional Market" {
			quantity = o.Sent.Legs[i].Quantity
		}
		left := quantityOf(decimal.Max(quantity.Sub(state.Legs[i].Filled), decimal.Zero))
		if text(left) != text(leg.RemainingQuantity) {
			leg.RemainingQuantity = left
			changed = true
		}
	}
	return changed
}

// text writes a quantity, however it came: what a snapshot restores is a float.
func text(quantity any) string {
	switch q := quantity.(type) {
	case int64:
		return strconv.FormatInt(q, 10)
	case float64:
		return strconv.FormatFloat(q, 'f', -1, 64)
	case string:
		return q
	}
	return ""
}

// fillEvent notes a fill, once.
func (t *trade) fillEvent(fill *broker.Fill) {
	o := t.orders[t.byEngine[fill.Order]]
	if o == nil {
		return
	}
	for i := range o.Wire.Legs {
		leg := &o.Wire.Legs[i]
		if leg.Symbol != string(fill.Symbol) {
			continue
		}
		id := venue + "::" + fill.ID
		if slices.ContainsFunc(leg.Fills, func(f wireFill) bool { return f.FillID == id }) {
			return
		}
		leg.Fills = append(leg.Fills, wireFill{
			DestinationVenue: venue, ExtExecID: fill.ID, ExtGroupFillID: "0", FillID: id,
			FillPrice: decimalText(fill.Price), FilledAt: wireTime(fill.Time), Quantity: quantityOf(fill.Quantity),
		})
		return
	}
}

// successor is the order that the engine made to replace another by itself, as the
// last part of a replacement.
func (t *trade) successor(state *broker.OrderState) *orderRecord {
	old := t.orders[t.byEngine[state.Replaces]]
	if old == nil || old.Wire.ReplacingOrderID == 0 {
		return nil
	}
	o := t.orders[old.Wire.ReplacingOrderID]
	if o != nil && o.Engine == "" {
		t.bind(o, state.ID)
	}
	return o
}

// bind says under which name the engine has an order.
func (t *trade) bind(o *orderRecord, id broker.OrderID) {
	o.Engine, o.Held = id, false
	t.byEngine[id] = o.Wire.ID
}
