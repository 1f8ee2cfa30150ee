package simulator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A complexRecord is a group of orders.
type complexRecord struct {
	ID         int64            `json:"id"`
	Account    string           `json:"account"`
	Type       string           `json:"type"`
	Trigger    int64            `json:"trigger,omitempty"` // the order that sends the others
	Orders     []int64          `json:"orders"`
	Related    []int64          `json:"related"` // every order that ever belonged to it
	Comparator string           `json:"comparator,omitempty"`
	Threshold  *decimal.Decimal `json:"threshold,omitempty"`
	Notional   bool             `json:"notional,omitempty"`
	Received   time.Time        `json:"received"`
	Updated    time.Time        `json:"updated"`
	Ended      time.Time        `json:"ended,omitzero"`
}

func (c *complexRecord) members() []int64 {
	if c.Trigger == 0 {
		return c.Orders
	}
	return append([]int64{c.Trigger}, c.Orders...)
}

// shownComplex is the group as the API shows it.
func (t *trade) shownComplex(c *complexRecord) wireComplex {
	w := wireComplex{ID: c.ID, AccountNumber: c.Account, Type: c.Type, TerminalAt: wireTime(c.Ended), Orders: []wireOrder{}, RatioComparator: c.Comparator}
	if c.Type == "PAIRS" {
		w.RatioNotional = &c.Notional
		if c.Threshold != nil {
			w.RatioThreshold = decimalText(*c.Threshold)
		}
	}
	for _, id := range c.Orders {
		w.Orders = append(w.Orders, t.orders[id].shown())
	}
	if c.Trigger != 0 {
		trigger := t.orders[c.Trigger].shown()
		w.TriggerOrder = &trigger
	}
	for _, id := range c.Related {
		o := &t.orders[id].Wire
		w.RelatedOrders = append(w.RelatedOrders, wireRelated{ID: id, ComplexOrderID: c.ID, ComplexOrderTag: o.ComplexOrderTag,
			ReplacesOrderID: o.ReplacesOrderID, ReplacingOrderID: o.ReplacingOrderID, Status: o.Status})
	}
	return w
}

// settleComplex ends a group when all its orders have ended.
func (t *trade) settleComplex(c *complexRecord, at time.Time) {
	c.Updated = at
	for _, id := range c.members() {
		if o := t.orders[id]; o == nil || !o.ended() {
			return
		}
	}
	if c.Ended.IsZero() {
		c.Ended = at
	}
}

// joinComplex puts the order that replaces another into its group.
func (t *trade) joinComplex(old, next *orderRecord) {
	c := t.complex[old.Complex]
	if c == nil {
		return
	}
	if c.Trigger == old.Wire.ID {
		c.Trigger = next.Wire.ID
	}
	for i, id := range c.Orders {
		if id == old.Wire.ID {
			c.Orders[i] = next.Wire.ID
		}
	}
	c.Related = append(c.Related, next.Wire.ID)
	c.Ended = time.Time{}
}

// A parsedComplex is a group that was understood.
type parsedComplex struct {
	sent   complexRequest
	orders []*parsedOrder // the trigger first, when there is one
	kind   broker.GroupKind
}

// sentComplex reads and understands a group, or answers.
func (d *desk) sentComplex(w http.ResponseWriter, r *http.Request) (*parsedComplex, bool) {
	var body complexRequest
	if !d.sim.body(w, r, &body) {
		return nil, false
	}
	var f refusal
	c := &parsedComplex{sent: body}
	least, most := 2, 4
	switch body.Type {
	case "OCO":
		c.kind = broker.OCO
	case "OTO":
		c.kind, least, most = broker.OTO, 1, 3
	case "OTOCO":
		c.kind, most = broker.Bracket, 2
	case "PAIRS":
		most = 2
		if body.RatioComparator != "gte" && body.RatioComparator != "lte" {
			f.field("ratio-price-comparator", "does not have a valid value")
		}
		if body.RatioThreshold == nil || !body.RatioThreshold.IsPositive() {
			f.field("ratio-price-threshold", "is missing or not positive")
		}
	case "":
		f.field("type", "is missing")
	default:
		f.field("type", "does not have a valid value")
	}
	triggered := body.Type == "OTO" || body.Type == "OTOCO"
	switch {
	case triggered && body.TriggerOrder == nil:
		f.field("trigger-order", "is missing")
	case !triggered && body.TriggerOrder != nil:
		f.field("trigger-order", "is not for orders of this type")
	}
	if n := len(body.Orders); n < least || n > most {
		f.field("orders", fmt.Sprintf("are not %d to %d", least, most))
	}
	if !f.empty() {
		d.sim.writeRefusal(w, f, nil)
		return nil, false
	}
	held, err := d.held(r.Context(), d.account)
	if err != nil {
		d.sim.internalError(w, r, err)
		return nil, false
	}
	parts := body.Orders
	if body.TriggerOrder != nil {
		parts = append([]orderRequest{*body.TriggerOrder}, parts...)
	}
	for i, part := range parts {
		have := held
		if triggered && i > 0 {
			have = after(held, c.orders[0]) // what the trigger opens is there to be closed
		}
		p, g := d.sim.parseOrder(r.Context(), part, have)
		if p != nil && p.sent.Rules != nil && (len(p.sent.Rules.Conditions) > 0 || p.sent.Rules.RouteAfter != nil) {
			p, g = nil, refusal{notices: []wireNotice{{Code: "conditions_not_supported", Message: "The orders of a group have no conditions of their own"}}}
		}
		if p == nil {
			for j := range g.notices {
				g.notices[j].PreflightID = otherwise(part.PreflightID, strconv.Itoa(i))
			}
			d.sim.writeRefusal(w, g, nil)
			return nil, false
		}
		c.orders = append(c.orders, p)
	}
	return c, true
}

// after is what is held when an order has filled.
func after(held heldBy, p *parsedOrder) heldBy {
	return func(symbol market.Symbol) decimal.Decimal {
		quantity := held(symbol)
		for _, leg := range p.order.Legs {
			if leg.Symbol == symbol {
				quantity = quantity.Add(leg.Quantity.Mul(decimal.NewFromInt(int64(leg.Action.Sign()))))
			}
		}
		return quantity
	}
}

// ticket is the group for the engine, its orders with the names of ids.
func (c *parsedComplex) ticket(ids []int64) broker.Ticket {
	t := broker.Ticket{Kind: c.kind}
	for i, p := range c.orders {
		o := p.order
		o.Tag = tag(ids[i])
		t.Orders = append(t.Orders, o)
	}
	return t
}

// tags of the orders of a group, the trigger's first.
func (c *parsedComplex) tag(i int) string {
	switch c.sent.Type {
	case "OTO":
		if i == 0 {
			return "OTO::trigger-order"
		}
		return "OTO::order"
	case "OTOCO":
		if i == 0 {
			return "OTOCO::trigger-order"
		}
		return fmt.Sprintf("OTOCO::oco-%d-order", i)
	}
	return c.sent.Type + "::order"
}

// tryComplex previews a group; not ok when it was answered. The two orders of a
// pair are counted one after the other, as the engine knows no pairs.
func (d *desk) tryComplex(w http.ResponseWriter, r *http.Request, c *parsedComplex) (*broker.Preview, bool) {
	d.prepare(r.Context(), d.now, d.account, c.orders...)
	tickets := []broker.Ticket{}
	if c.sent.Type == "PAIRS" {
		for i, p := range c.orders {
			tickets = append(tickets, ticketOf(p.order, -int64(i)))
		}
	} else {
		ids := make([]int64, len(c.orders))
		for i := range ids {
			ids[i] = -int64(i)
		}
		tickets = append(tickets, c.ticket(ids))
	}
	var total *broker.Preview
	for _, ticket := range tickets {
		preview, f, err := d.preview(r.Context(), d.account, ticket)
		if err != nil {
			d.sim.internalError(w, r, err)
			return nil, false
		}
		if !f.empty() {
			d.sim.writeRefusal(w, f, preview)
			return nil, false
		}
		total = sumPreviews(total, preview)
	}
	return total, true
}

// sumPreviews adds what two orders do.
func sumPreviews(a, b *broker.Preview) *broker.Preview {
	if a == nil {
		return b
	}
	add := func(x, y *decimal.Decimal) *decimal.Decimal {
		if x == nil || y == nil {
			return nil
		}
		sum := x.Add(*y)
		return &sum
	}
	sum := *a
	sum.BuyingPower, sum.Margin, sum.Cash = add(a.BuyingPower, b.BuyingPower), add(a.Margin, b.Margin), add(a.Cash, b.Cash)
	sum.BuyingPowerAfter = add(a.BuyingPowerAfter, b.BuyingPower)
	sum.Warnings = append(slices.Clone(a.Warnings), b.Warnings...)
	if a.Fees != nil && b.Fees != nil {
		sum.Fees = &broker.Fees{Commission: a.Fees.Commission.Add(b.Fees.Commission), Clearing: a.Fees.Clearing.Add(b.Fees.Clearing),
			Regulatory: a.Fees.Regulatory.Add(b.Fees.Regulatory), Exchange: a.Fees.Exchange.Add(b.Fees.Exchange)}
	}
	return &sum
}

func (c *parsedComplex) warnings() []wireNotice {
	var all []wireNotice
	for i, p := range c.orders {
		for _, n := range p.warnings {
			n.PreflightID = otherwise(p.sent.PreflightID, strconv.Itoa(i))
			all = append(all, n)
		}
	}
	return all
}

// dryComplex is a group as a dry run shows it.
func (c *parsedComplex) dry(d *desk) *wireComplex {
	w := &wireComplex{AccountNumber: d.account, Type: c.sent.Type, Orders: []wireOrder{}, RatioComparator: c.sent.RatioComparator}
	if c.sent.Type == "PAIRS" {
		w.RatioNotional, w.RatioThreshold = &c.sent.RatioNotional, decimalText(*c.sent.RatioThreshold)
	}
	for i, p := range c.orders {
		o := wireOrderOf(d.account, p)
		o.ComplexOrderTag = c.tag(i)
		if c.sent.TriggerOrder != nil && i == 0 {
			w.TriggerOrder = &o
			continue
		}
		if c.sent.TriggerOrder != nil || c.sent.Type == "PAIRS" {
			o.Status, o.ContingentStatus = "Contingent", "Pending Order"
		}
		w.Orders = append(w.Orders, o)
	}
	return w
}

// dryRunComplex serves POST /accounts/{account}/complex-orders/dry-run.
func (s *Simulator) dryRunComplex(w http.ResponseWriter, r *http.Request, d *desk) {
	c, ok := d.sentComplex(w, r)
	if !ok {
		return
	}
	preview, ok := d.tryComplex(w, r, c)
	if !ok {
		return
	}
	a := d.answerOf(r.Context(), preview, c.warnings())
	a.ComplexOrder = c.dry(d)
	created(w, r, a)
}

// placeComplex serves POST /accounts/{account}/complex-orders.
func (s *Simulator) placeComplex(w http.ResponseWriter, r *http.Request, d *desk) {
	c, ok := d.sentComplex(w, r)
	if !ok {
		return
	}
	preview, ok := d.tryComplex(w, r, c)
	if !ok {
		return
	}
	d.lastID++
	made := &complexRecord{ID: d.lastID, Account: d.account, Type: c.sent.Type, Received: d.now, Updated: d.now,
		Comparator: c.sent.RatioComparator, Threshold: c.sent.RatioThreshold, Notional: c.sent.RatioNotional}
	d.complex[made.ID] = made
	var ids []int64
	for i, p := range c.orders {
		o := d.record(d.account, p, d.now)
		o.Complex, o.Wire.ComplexOrderID, o.Wire.ComplexOrderTag = made.ID, made.ID, c.tag(i)
		ids = append(ids, o.Wire.ID)
		if c.sent.TriggerOrder != nil && i == 0 {
			made.Trigger = o.Wire.ID
			continue
		}
		made.Orders = append(made.Orders, o.Wire.ID)
		if c.sent.TriggerOrder != nil || c.sent.Type == "PAIRS" {
			o.Wire.Status, o.Wire.ContingentStatus = "Contingent", "Pending Order"
			if c.sent.Type == "PAIRS" {
				d.hold(o, "Pending Order", d.now)
			}
		}
		d.touch(o, d.now)
	}
	made.Related = slices.Clone(ids)
	if c.sent.Type != "PAIRS" {
		states, err := d.broker.Place(r.Context(), broker.AccountID(d.account), c.ticket(ids))
		if err != nil {
			for _, id := range ids {
				d.unrecord(d.orders[id])
			}
			delete(d.complex, made.ID)
			s.writeEngineError(w, r, err)
			return
		}
		for i, state := range states {
			d.bind(d.orders[ids[i]], state.ID)
		}
	}
	for _, id := range ids {
		d.tell(d.orders[id])
	}
	d.drain(d.now)
	a := d.answerOf(r.Context(), preview, c.warnings())
	shown := d.shownComplex(made)
	a.ComplexOrder = &shown
	created(w, r, a)
}

// releasePair sends both orders of a pair when the ratio of their prices has
// passed the threshold.
func (t *trade) releasePair(ctx context.Context, c *complexRecord, o *orderRecord, now time.Time, quotes map[market.Symbol]market.Quote) {
	if c.Threshold == nil || len(c.Orders) != 2 || o.Wire.ID != c.Orders[0] {
		return
	}
	var prices [2]decimal.Decimal
	for i, id := range c.Orders {
		leg := t.orders[id].Sent.Legs[0]
		q, ok := quotes[market.Symbol(leg.Symbol)]
		price := number(q.Mid())
		if !ok || !price.Valid || !price.Decimal.IsPositive() {
			return
		}
		if prices[i] = price.Decimal; c.Notional {
			prices[i] = price.Decimal.Mul(leg.Quantity)
		}
	}
	ratio := prices[0].Div(prices[1])
	if c.Comparator == "gte" && ratio.LessThan(*c.Threshold) || c.Comparator == "lte" && ratio.GreaterThan(*c.Threshold) {
		return
	}
	for _, id := range slices.Clone(c.Orders) {
		if one := t.orders[id]; one.Held && !one.ended() {
			t.letGo(ctx, one, now)
		}
	}
}

// group is the one that the path names, or answers.
func (d *desk) group(w http.ResponseWriter, r *http.Request) (*complexRecord, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	c := d.complex[id]
	if err != nil || c == nil || c.Account != d.account {
		d.sim.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find ComplexOrder")
		return nil, false
	}
	return c, true
}

func (s *Simulator) getComplex(w http.ResponseWriter, r *http.Request, d *desk) {
	if c, ok := d.group(w, r); ok {
		writeData(w, r, d.shownComplex(c))
	}
}

// groups are those of the account, newest first.
func (d *desk) groups(live bool) []wireComplex {
	list := []wireComplex{}
	for _, id := range slices.Backward(slices.Sorted(maps.Keys(d.complex))) {
		c := d.complex[id]
		if c.Account != d.account || live && !d.groupOfToday(c) {
			continue
		}
		list = append(list, d.shownComplex(c))
	}
	return list
}

func (d *desk) groupOfToday(c *complexRecord) bool {
	return slices.ContainsFunc(c.members(), func(id int64) bool { return d.ofToday(d.orders[id]) })
}

func (s *Simulator) listComplex(w http.ResponseWriter, r *http.Request, d *desk) {
	list, p := page(r, d.groups(false), ordersPerPage)
	writeItems(w, r, list, p)
}

func (s *Simulator) liveComplex(w http.ResponseWriter, r *http.Request, d *desk) {
	list, p := page(r, d.groups(true), ordersPerPage)
	writeItems(w, r, list, p)
}

// ratio is what of a pair can be changed.
type ratio struct {
	Comparator string           `json:"ratio-price-comparator"`
	Threshold  *decimal.Decimal `json:"ratio-price-threshold"`
}

// sentRatio reads the change of a pair, or answers.
func (d *desk) sentRatio(w http.ResponseWriter, r *http.Request, c *complexRecord) (ratio, bool) {
	var sent ratio
	if !d.sim.body(w, r, &sent) {
		return sent, false
	}
	sent.Comparator = otherwise(sent.Comparator, c.Comparator)
	if sent.Threshold == nil {
		sent.Threshold = c.Threshold
	}
	switch {
	case c.Type != "PAIRS" || !c.Ended.IsZero():
		d.sim.refuse(w, http.StatusUnprocessableEntity, "cannot_update_order", "You cannot update this order")
		return sent, false
	case sent.Comparator != "gte" && sent.Comparator != "lte":
		d.sim.invalidParameter(w, "ratio-price-comparator", "does not have a valid value")
		return sent, false
	case !sent.Threshold.IsPositive():
		d.sim.invalidParameter(w, "ratio-price-threshold", "is not positive")
		return sent, false
	}
	return sent, true
}

// editComplex serves PATCH /accounts/{account}/complex-orders/{id}: the ratio of a
// pair that still waits.
func (s *Simulator) editComplex(w http.ResponseWriter, r *http.Request, d *desk) {
	c, ok := d.group(w, r)
	if !ok {
		return
	}
	sent, ok := d.sentRatio(w, r, c)
	if !ok {
		return
	}
	c.Comparator, c.Threshold, c.Updated = sent.Comparator, sent.Threshold, d.now
	shown := d.shownComplex(c)
	s.tellAccount(d.account, "ComplexOrder", shown)
	writeData(w, r, placedAnswer{ComplexOrder: &shown, Warnings: []wireNotice{}})
}

// dryRunComplexChange serves POST /accounts/{account}/complex-orders/{id}/dry-run.
func (s *Simulator) dryRunComplexChange(w http.ResponseWriter, r *http.Request, d *desk) {
	c, ok := d.group(w, r)
	if !ok {
		return
	}
	sent, ok := d.sentRatio(w, r, c)
	if !ok {
		return
	}
	shown := d.shownComplex(c)
	shown.RatioComparator, shown.RatioThreshold = sent.Comparator, decimalText(*sent.Threshold)
	created(w, r, placedAnswer{ComplexOrder: &shown, Warnings: []wireNotice{}})
}

// cancelComplex serves DELETE /accounts/{account}/complex-orders/{id}: every order
// of the group that still works is cancelled.
func (s *Simulator) cancelComplex(w http.ResponseWriter, r *http.Request, d *desk) {
	c, ok := d.group(w, r)
	if !ok {
		return
	}
	open := 0
	for _, id := range c.members() {
		o := d.orders[id]
		if o.ended() {
			continue
		}
		open++
		o.Wire.CancelUserID, o.Wire.CancelUsername = caller(r).id, "simulator"
		if o.Engine == "" {
			d.cancelHeld(o, d.now)
			continue
		}
		_, err := d.broker.Cancel(r.Context(), broker.AccountID(d.account), o.Engine)
		if err != nil && !errors.Is(err, broker.ErrTooLate) { // cancelling one may have ended another
			s.writeEngineError(w, r, err)
			return
		}
	}
	if open == 0 {
		s.writeEngineError(w, r, broker.ErrTooLate)
		return
	}
	d.drain(d.now)
	writeData(w, r, d.shownComplex(c))
}
