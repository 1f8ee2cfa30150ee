package simulator

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// orderRoutes are those of single orders.
func (s *Simulator) orderRoutes() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /accounts/{account}/orders":                       s.trading(s.listOrders),
		"POST /accounts/{account}/orders":                      s.trading(s.placeOrder),
		"POST /accounts/{account}/orders/dry-run":              s.trading(s.dryRun),
		"GET /accounts/{account}/orders/live":                  s.trading(s.liveOrders),
		"GET /accounts/{account}/orders/{id}":                  s.trading(s.getOrder),
		"PUT /accounts/{account}/orders/{id}":                  s.trading(s.replaceOrder),
		"PATCH /accounts/{account}/orders/{id}":                s.trading(s.replaceOrder),
		"DELETE /accounts/{account}/orders/{id}":               s.trading(s.cancelOrder),
		"POST /accounts/{account}/orders/{id}/dry-run":         s.trading(s.dryRunChange),
		"POST /accounts/{account}/orders/{id}/reconfirm":       s.trading(s.reconfirm),
		"GET /customers/{customer}/orders":                     s.customer(s.customerOrders(false)),
		"GET /customers/{customer}/orders/live":                s.customer(s.customerOrders(true)),
		"GET /accounts/{account}/complex-orders":               s.trading(s.listComplex),
		"POST /accounts/{account}/complex-orders":              s.trading(s.placeComplex),
		"POST /accounts/{account}/complex-orders/dry-run":      s.trading(s.dryRunComplex),
		"GET /accounts/{account}/complex-orders/live":          s.trading(s.liveComplex),
		"GET /accounts/{account}/complex-orders/{id}":          s.trading(s.getComplex),
		"PATCH /accounts/{account}/complex-orders/{id}":        s.trading(s.editComplex),
		"DELETE /accounts/{account}/complex-orders/{id}":       s.trading(s.cancelComplex),
		"POST /accounts/{account}/complex-orders/{id}/dry-run": s.trading(s.dryRunComplexChange),
	}
}

// A desk is where a request about an account is carried out: the heart is locked
// and everything up to now has happened.
type desk struct {
	*trade
	account string
	now     time.Time
}

// trading opens the desk for a request about one account.
func (s *Simulator) trading(next func(http.ResponseWriter, *http.Request, *desk)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		account, ok := s.knows(w, r)
		if !ok {
			return
		}
		// The answer is written when the heart is free again: a client that reads
		// slowly holds up nobody.
		held := &heldAnswer{header: w.Header()}
		s.atDesk(held, r, account, next)
		w.WriteHeader(max(held.status, http.StatusOK))
		_, _ = w.Write(held.body) // the client may be gone; there is no one to tell
	}
}

func (s *Simulator) atDesk(w http.ResponseWriter, r *http.Request, account string, next func(http.ResponseWriter, *http.Request, *desk)) {
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	if err := s.ready(r.Context()); err != nil {
		s.internalError(w, r, err)
		return
	}
	s.beatTo(s.ctx, s.clock.Now())
	next(w, r, &desk{&s.trade, account, s.heart.at})
}

func (s *Simulator) noOrder(w http.ResponseWriter) {
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find Order")
}

// order is the one that the path names, or answers.
func (d *desk) order(w http.ResponseWriter, r *http.Request) (*orderRecord, bool) {
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	o := d.orders[id]
	if err != nil || o == nil || o.Wire.AccountNumber != d.account {
		d.sim.noOrder(w)
		return nil, false
	}
	return o, true
}

// sent reads and understands an order, or answers.
func (d *desk) sent(w http.ResponseWriter, r *http.Request, body orderRequest) (*parsedOrder, bool) {
	held, err := d.held(r.Context(), d.account)
	if err != nil {
		d.sim.internalError(w, r, err)
		return nil, false
	}
	p, f := d.sim.parseOrder(r.Context(), body, held)
	if p == nil {
		d.sim.writeRefusal(w, f, nil)
		return nil, false
	}
	return p, true
}

// tryOrder previews an order; not ok when it was answered.
func (d *desk) tryOrder(w http.ResponseWriter, r *http.Request, p *parsedOrder) (*broker.Preview, bool) {
	d.prepare(r.Context(), d.now, d.account, p)
	preview, f, err := d.preview(r.Context(), d.account, ticketOf(p.order, 0))
	if err != nil {
		d.sim.internalError(w, r, err)
		return nil, false
	}
	if !f.empty() {
		d.sim.writeRefusal(w, f, preview)
		return nil, false
	}
	return preview, true
}

// tryChange previews the order that is to replace another. The engine counts a new
// order beside all that work: where that refuses what the replacement of the other
// makes room for, there are no numbers.
func (d *desk) tryChange(w http.ResponseWriter, r *http.Request, o *orderRecord, p *parsedOrder) (*broker.Preview, bool) {
	d.prepare(r.Context(), d.now, d.account, p)
	preview, f, err := d.preview(r.Context(), d.account, ticketOf(p.order, 0))
	if err != nil {
		d.sim.internalError(w, r, err)
		return nil, false
	}
	freed := func(n wireNotice) bool {
		return o.Engine != "" && (n.Code == "closes_more_than_held" || n.Code == "margin_check_failed")
	}
	if f.notices = slices.DeleteFunc(f.notices, freed); !f.empty() {
		d.sim.writeRefusal(w, f, preview)
		return nil, false
	}
	return preview, true
}

func created(w http.ResponseWriter, r *http.Request, data any) {
	writeJSON(w, http.StatusCreated, envelope{Data: data, Context: r.URL.EscapedPath()})
}

// dryRun serves POST /accounts/{account}/orders/dry-run: what the order would do,
// by the engine's count. Nothing is kept.
func (s *Simulator) dryRun(w http.ResponseWriter, r *http.Request, d *desk) {
	var body orderRequest
	if !s.body(w, r, &body) {
		return
	}
	p, ok := d.sent(w, r, body)
	if !ok {
		return
	}
	preview, ok := d.tryOrder(w, r, p)
	if !ok {
		return
	}
	a := d.answerOf(r.Context(), preview, p.warnings)
	a.Order = dryOrder(d.account, p, d.now)
	created(w, r, a)
}

// dryOrder is an order as a dry run shows it: without a number and a time.
func dryOrder(account string, p *parsedOrder, now time.Time) *wireOrder {
	w := wireOrderOf(account, p)
	if p.waits(now) {
		w.Status, w.ContingentStatus = "Contingent", "Pending Condition"
	}
	return &w
}

// placeOrder serves POST /accounts/{account}/orders.
func (s *Simulator) placeOrder(w http.ResponseWriter, r *http.Request, d *desk) {
	var body orderRequest
	if !s.body(w, r, &body) {
		return
	}
	p, ok := d.sent(w, r, body)
	if !ok {
		return
	}
	preview, ok := d.tryOrder(w, r, p)
	if !ok {
		return
	}
	o := d.record(d.account, p, d.now)
	if err := d.send(r.Context(), o, p, d.now); err != nil {
		d.unrecord(o)
		s.writeEngineError(w, r, err)
		return
	}
	a := d.answerOf(r.Context(), preview, p.warnings)
	shown := o.shown()
	a.Order = &shown
	created(w, r, a)
}

// writeEngineError answers what the engine refused.
func (s *Simulator) writeEngineError(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, broker.ErrTooLate) {
		s.refuse(w, http.StatusUnprocessableEntity, "cannot_update_order", "You cannot update this order")
		return
	}
	if f, ok := refused(err); ok {
		s.writeRefusal(w, f, nil)
		return
	}
	s.internalError(w, r, err)
}

// merged is the request of an order with the fields of another over it.
func merged(old, sent orderRequest) orderRequest {
	m := old
	m.OrderType = otherwise(sent.OrderType, old.OrderType)
	m.TimeInForce = otherwise(sent.TimeInForce, old.TimeInForce)
	if sent.TimeInForce != "" {
		m.GTCDate = sent.GTCDate
	}
	if sent.OrderType != "" && sent.OrderType != old.OrderType {
		m.Price, m.PriceEffect, m.StopTrigger, m.Value, m.ValueEffect = nil, "", nil, nil, ""
	}
	if sent.Price != nil {
		m.Price, m.PriceEffect = sent.Price, otherwise(sent.PriceEffect, m.PriceEffect)
	}
	if sent.StopTrigger != nil {
		m.StopTrigger = sent.StopTrigger
	}
	if sent.Value != nil {
		m.Value, m.ValueEffect = sent.Value, sent.ValueEffect
	}
	if sent.Rules != nil {
		m.Rules = sent.Rules
	}
	m.ExternalIdentifier = otherwise(sent.ExternalIdentifier, "")
	m.Source = otherwise(sent.Source, old.Source)
	m.PreflightID = sent.PreflightID
	return m
}

// replaceOrder serves PUT and PATCH /accounts/{account}/orders/{id}: another order
// takes the place of a working one, with its legs.
func (s *Simulator) replaceOrder(w http.ResponseWriter, r *http.Request, d *desk) {
	o, ok := d.order(w, r)
	if !ok {
		return
	}
	var body orderRequest
	if !s.body(w, r, &body) {
		return
	}
	if len(body.Legs) > 0 {
		s.invalidParameter(w, "legs", "cannot be changed")
		return
	}
	if o.ended() || o.Wire.Status == "Cancel Requested" || o.Wire.Status == "Replace Requested" {
		s.writeEngineError(w, r, broker.ErrTooLate)
		return
	}
	p, ok := d.successorOf(w, r, o, body)
	if !ok {
		return
	}
	d.prepare(r.Context(), d.now, d.account, p)
	if o.ended() {
		s.writeEngineError(w, r, broker.ErrTooLate)
		return
	}
	next := d.record(d.account, p, d.now)
	if err := d.replace(r, o, next, p); err != nil {
		d.unrecord(next)
		o.Wire.ReplacingOrderID, o.Wire.Edited = 0, false
		s.writeEngineError(w, r, err)
		return
	}
	writeData(w, r, next.shown())
}

// successorOf understands the order that is to replace another: with its legs, and
// for what of them has not been filled.
func (d *desk) successorOf(w http.ResponseWriter, r *http.Request, o *orderRecord, body orderRequest) (*parsedOrder, bool) {
	whole := merged(o.Sent, body)
	whole.Legs = slices.Clone(whole.Legs)
	var state *broker.OrderState
	if o.Engine != "" {
		var err error
		if state, err = d.broker.Order(r.Context(), broker.AccountID(d.account), o.Engine); err != nil {
			d.sim.internalError(w, r, err)
			return nil, false
		}
		for i := range whole.Legs {
			if i < len(state.Legs) && !whole.Legs[i].Quantity.IsZero() {
				whole.Legs[i].Quantity = whole.Legs[i].Quantity.Sub(state.Legs[i].Filled)
			}
		}
	}
	p, ok := d.sent(w, r, whole)
	if !ok {
		return nil, false
	}
	if state != nil { // what it opens and closes was decided when the first was placed
		for i := range p.order.Legs {
			p.order.Legs[i].Action = state.Order.Legs[i].Action
		}
		p.warnings = nil
	}
	return p, true
}

// replace puts next in the place of o.
func (d *desk) replace(r *http.Request, o, next *orderRecord, p *parsedOrder) error {
	next.Wire.ReplacesOrderID, o.Wire.ReplacingOrderID, o.Wire.Edited = o.Wire.ID, next.Wire.ID, true
	next.Complex, next.Wire.ComplexOrderID, next.Wire.ComplexOrderTag = o.Complex, o.Wire.ComplexOrderID, o.Wire.ComplexOrderTag
	if o.Engine == "" || p.waits(d.now) {
		if o.Engine != "" {
			if _, err := d.broker.Cancel(r.Context(), broker.AccountID(d.account), o.Engine); err != nil {
				return err
			}
		} else {
			d.cancelHeld(o, d.now)
		}
		d.joinComplex(o, next)
		if next.Complex != 0 {
			d.hold(next, "Pending Order", d.now)
			d.touch(next, d.now)
			d.tell(next)
			return nil
		}
		return d.send(r.Context(), next, p, d.now)
	}
	with := p.order
	with.Tag = tag(next.Wire.ID)
	state, err := d.broker.Replace(r.Context(), broker.AccountID(d.account), o.Engine, with)
	if err != nil {
		return err
	}
	d.joinComplex(o, next)
	// Until the first is gone, the new order waits.
	next.Wire.Status, next.Wire.ContingentStatus = "Contingent", "Pending Order"
	if state.ID != o.Engine {
		d.bind(next, state.ID)
	}
	d.touch(next, d.now)
	d.tell(next)
	d.drain(d.now)
	return nil
}

// dryRunChange serves POST /accounts/{account}/orders/{id}/dry-run.
func (s *Simulator) dryRunChange(w http.ResponseWriter, r *http.Request, d *desk) {
	o, ok := d.order(w, r)
	if !ok {
		return
	}
	var body orderRequest
	if !s.body(w, r, &body) {
		return
	}
	if o.ended() {
		s.writeEngineError(w, r, broker.ErrTooLate)
		return
	}
	p, ok := d.successorOf(w, r, o, body)
	if !ok {
		return
	}
	preview, ok := d.tryChange(w, r, o, p)
	if !ok {
		return
	}
	a := d.answerOf(r.Context(), preview, p.warnings)
	a.Order = dryOrder(d.account, p, d.now)
	created(w, r, a)
}

// cancelOrder serves DELETE /accounts/{account}/orders/{id}.
func (s *Simulator) cancelOrder(w http.ResponseWriter, r *http.Request, d *desk) {
	o, ok := d.order(w, r)
	if !ok {
		return
	}
	if o.ended() {
		s.writeEngineError(w, r, broker.ErrTooLate)
		return
	}
	o.Wire.CancelUserID, o.Wire.CancelUsername = caller(r).id, "simulator"
	if o.Engine == "" {
		d.cancelHeld(o, d.now)
	} else if _, err := d.broker.Cancel(r.Context(), broker.AccountID(d.account), o.Engine); err != nil {
		s.writeEngineError(w, r, err)
		return
	}
	d.drain(d.now)
	writeData(w, r, o.shown())
}

// reconfirm serves POST /accounts/{account}/orders/{id}/reconfirm. No order of the
// simulator's needs it, so that every one comes back as it is.
func (s *Simulator) reconfirm(w http.ResponseWriter, r *http.Request, d *desk) {
	o, ok := d.order(w, r)
	if !ok {
		return
	}
	if o.ended() {
		s.writeEngineError(w, r, broker.ErrTooLate)
		return
	}
	writeData(w, r, o.shown())
}

func (s *Simulator) getOrder(w http.ResponseWriter, r *http.Request, d *desk) {
	if o, ok := d.order(w, r); ok {
		writeData(w, r, o.shown())
	}
}

// ofToday reports whether an order was made or changed on the market's day.
func (d *desk) ofToday(o *orderRecord) bool {
	loc := d.sim.calendar.Location()
	day := market.DateOf(d.now.In(loc))
	return !o.ended() || market.DateOf(o.Updated.In(loc)) == day || market.DateOf(o.Received.In(loc)) == day
}

// span reads the dates and times between which something is asked for; zero times
// where there is no limit.
func (s *Simulator) span(w http.ResponseWriter, r *http.Request) (from, to time.Time, ok bool) {
	query, loc := r.URL.Query(), s.calendar.Location()
	for name, at := range map[string]*time.Time{"start-date": &from, "end-date": &to} {
		if query.Get(name) == "" {
			continue
		}
		day, ok := s.dateParameter(w, r, name)
		if !ok {
			return from, to, false
		}
		if *at = day.In(loc); name == "end-date" {
			*at = day.AddDays(1).In(loc).Add(-1)
		}
	}
	for name, at := range map[string]*time.Time{"start-at": &from, "end-at": &to} {
		if query.Get(name) == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, query.Get(name))
		if err != nil {
			s.invalidParameter(w, name, "is not an ISO 8601 time")
			return from, to, false
		}
		*at = t
	}
	return from, to, true
}

// found are the orders of accounts that a request asks for, newest first.
func (s *Simulator) found(w http.ResponseWriter, r *http.Request, d *desk, accounts []string, live bool) ([]wireOrder, bool) {
	query := r.URL.Query()
	from, to, ok := s.span(w, r)
	if !ok {
		return nil, false
	}
	statuses := append(query["status[]"], query["status"]...)
	var list []*orderRecord
	for _, id := range slices.Sorted(maps.Keys(d.orders)) {
		o := d.orders[id]
		switch {
		case !slices.Contains(accounts, o.Wire.AccountNumber),
			live && !d.ofToday(o),
			!from.IsZero() && o.Received.Before(from), !to.IsZero() && o.Received.After(to),
			len(statuses) > 0 && !slices.Contains(statuses, o.Wire.Status),
			query.Get("underlying-symbol") != "" && query.Get("underlying-symbol") != o.Wire.UnderlyingSymbol,
			query.Get("futures-symbol") != "" && query.Get("futures-symbol") != o.Wire.UnderlyingSymbol,
			query.Get("underlying-instrument-type") != "" && query.Get("underlying-instrument-type") != o.Wire.UnderlyingType:
			continue
		}
		list = append(list, o)
	}
	ascending := query.Get("sort") == "Asc"
	slices.SortStableFunc(list, func(a, b *orderRecord) int {
		order := cmp.Or(a.Received.Compare(b.Received), cmp.Compare(a.Wire.ID, b.Wire.ID))
		if ascending {
			return order
		}
		return -order
	})
	out := make([]wireOrder, 0, len(list))
	for _, o := range list {
		out = append(out, o.shown())
	}
	return out, true
}

func (s *Simulator) listOrders(w http.ResponseWriter, r *http.Request, d *desk) {
	if list, ok := s.found(w, r, d, []string{d.account}, false); ok {
		list, p := page(r, list, ordersPerPage)
		writeItems(w, r, list, p)
	}
}

// ordersPerPage is how many orders one page has at most.
const ordersPerPage = 250

// liveOrders serves GET /accounts/{account}/orders/live: all that were made or
// changed today, those that have ended too, and all that still work.
func (s *Simulator) liveOrders(w http.ResponseWriter, r *http.Request, d *desk) {
	if list, ok := s.found(w, r, d, []string{d.account}, true); ok {
		list, p := page(r, list, ordersPerPage)
		writeItems(w, r, list, p)
	}
}

// customerOrders serves the orders of several accounts.
func (s *Simulator) customerOrders(live bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		accounts := append(query["account-numbers[]"], query["account-numbers"]...)
		if len(accounts) == 0 {
			s.invalidParameter(w, "account-numbers", "is missing")
			return
		}
		for _, account := range accounts {
			if !slices.Contains(caller(r).credentials.Accounts, account) {
				s.refuse(w, http.StatusForbidden, "not_permitted", "User not permitted access")
				return
			}
		}
		r.SetPathValue("account", accounts[0])
		s.trading(func(w http.ResponseWriter, r *http.Request, d *desk) {
			if list, ok := s.found(w, r, d, accounts, live); ok {
				list, p := page(r, list, ordersPerPage)
				writeItems(w, r, list, p)
			}
		})(w, r)
	}
}
