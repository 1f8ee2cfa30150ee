package alpacatest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

func (s *Server) orderRoutes(r *http.Request, rest []string, body []byte) answer {
	switch {
	case len(rest) == 0 && r.Method == http.MethodGet:
		return s.listOrders(r)
	case len(rest) == 0 && r.Method == http.MethodPost:
		var request map[string]any
		if json.Unmarshal(body, &request) != nil {
			return refuse(http.StatusBadRequest, 40010000, "request body format is invalid")
		}
		return s.place(request)
	case len(rest) == 0:
		out := []any{}
		for _, o := range slices.Clone(s.list) {
			if o.working() {
				s.end(o, "canceled")
				out = append(out, map[string]any{"id": o.id, "status": http.StatusOK})
			}
		}
		return answer{http.StatusMultiStatus, out}
	}
	o := s.byID[rest[0]]
	if o == nil {
		return refuse(http.StatusNotFound, 40410000, "order not found for "+rest[0])
	}
	switch r.Method {
	case http.MethodPatch:
		var request map[string]any
		if json.Unmarshal(body, &request) != nil {
			return refuse(http.StatusBadRequest, 40010000, "request body format is invalid")
		}
		return s.replace(o, request)
	case http.MethodDelete:
		if !o.working() {
			return refuse(http.StatusUnprocessableEntity, 42210000, fmt.Sprintf("order is already in %q state", o.status))
		}
		s.end(o, "canceled")
		return answer{http.StatusNoContent, nil}
	}
	return ok(s.render(o))
}

func (s *Server) byClient(client string) answer {
	for _, o := range s.list {
		if o.client == client {
			return ok(s.render(o))
		}
		for _, leg := range o.legs {
			if leg.client == client && client != "" {
				return ok(s.render(leg))
			}
		}
	}
	return refuse(http.StatusNotFound, 40410000, "order not found for "+client)
}

func (s *Server) listOrders(r *http.Request) answer {
	q := r.URL.Query()
	after, until := parseTime(q.Get("after")), parseTime(q.Get("until"))
	limit, err := strconv.Atoi(q.Get("limit"))
	if err != nil {
		limit = 50
	}
	list := slices.Clone(s.list)
	if q.Get("direction") != "asc" {
		slices.Reverse(list)
	}
	out := []any{}
	for _, o := range list {
		open := o.working() || slices.ContainsFunc(o.legs, func(leg *order) bool { return leg.working() })
		switch status := q.Get("status"); {
		case (status == "open" || status == "") && !open, status == "closed" && open:
			continue
		case !after.IsZero() && !o.created.After(after), !until.IsZero() && !o.created.Before(until):
			continue
		}
		if len(out) < limit {
			out = append(out, s.render(o))
		}
	}
	return ok(out)
}

// figure reads a number, which may come as a text.
func figure(request map[string]any, name string) (*decimal.Decimal, bool) {
	value, present := request[name]
	if !present || value == nil {
		return nil, true
	}
	d, err := decimal.NewFromString(fmt.Sprint(value))
	return &d, err == nil
}

func word(request map[string]any, name string) string {
	s, _ := request[name].(string)
	return s
}

// build makes an order of a request without judging it.
func (s *Server) build(request map[string]any) (*order, *answer) {
	o := &order{
		id: s.id(), client: word(request, "client_order_id"), class: word(request, "order_class"), symbol: word(request, "symbol"), side: word(request, "side"),
		kind: word(request, "type"), tif: word(request, "time_in_force"), intent: word(request, "position_intent"), status: "new", created: s.now, updated: s.now,
	}
	o.extended, _ = request["extended_hours"].(bool)
	if o.client == "" {
		o.client = s.id()
	}
	for name, into := range map[string]**decimal.Decimal{
		"qty": &o.qty, "notional": &o.notional, "limit_price": &o.limit, "stop_price": &o.stop, "trail_price": &o.trail, "trail_percent": &o.percent,
	} {
		d, fine := figure(request, name)
		if !fine {
			a := refuse(http.StatusUnprocessableEntity, 42210000, "invalid "+name)
			return nil, &a
		}
		*into = d
	}
	return o, nil
}

func invalid(message string) *answer {
	a := refuse(http.StatusUnprocessableEntity, 42210000, message)
	return &a
}

// place takes an order or says why not.
func (s *Server) place(request map[string]any) answer {
	o, bad := s.build(request)
	if bad != nil {
		return *bad
	}
	switch {
	case o.qty != nil && o.notional != nil:
		return refuse(http.StatusUnprocessableEntity, 40010001, "only one of qty or notional is accepted")
	case o.qty == nil && o.notional == nil:
		return refuse(http.StatusUnprocessableEntity, 40010001, "qty or notional is required")
	case o.qty != nil && !o.qty.IsPositive():
		return *invalid("qty must be > 0")
	case s.byClient(o.client).status == http.StatusOK:
		return refuse(http.StatusUnprocessableEntity, 40010001, "client_order_id must be unique")
	}
	if o.class == "mleg" {
		bad = s.buildLegs(o, request)
	} else {
		if bad = s.judge(o); bad == nil && o.class != "" && o.class != "simple" {
			bad = s.buildExits(o, request)
		}
	}
	if bad == nil {
		bad = s.afford(o)
	}
	if bad != nil {
		return *bad
	}
	s.take(o)
	return ok(s.render(o))
}

// take puts an order into the book and lets it trade.
func (s *Server) take(o *order) {
	s.serial++
	o.serial = s.serial
	s.list = append(s.list, o)
	s.byID[o.id] = o
	for _, leg := range o.legs {
		s.byID[leg.id] = leg
	}
	s.tellOrder(o, "new")
	s.try(o)
	if o.tif == "ioc" && o.working() {
		s.end(o, "canceled")
	}
}

// judge checks an order for one instrument.
func (s *Server) judge(o *order) *answer {
	a := s.assets[o.symbol]
	switch {
	case a == nil:
		return invalid(fmt.Sprintf("asset %q not found", o.symbol))
	case !a.tradable:
		return invalid(fmt.Sprintf("asset %s is not active", o.symbol))
	case o.side != "buy" && o.side != "sell":
		return invalid("side is required")
	case (o.kind == "limit" || o.kind == "stop_limit") && o.limit == nil && o.class != "oco":
		return invalid("limit orders require limit price")
	case (o.kind == "stop" || o.kind == "stop_limit") && o.stop == nil:
		return invalid("stop orders require stop price")
	}
	for name, price := range map[string]*decimal.Decimal{"limit_price": o.limit, "stop_price": o.stop} {
		most := int32(2)
		if price != nil && price.LessThan(decimal.NewFromInt(1)) && a.class == "us_equity" {
			most = 4
		}
		if price != nil && a.class != "crypto" && !price.Equal(price.Truncate(most)) {
			return invalid(fmt.Sprintf("invalid %s %s. sub-penny increment does not fulfill minimum pricing criteria", name, price))
		}
	}
	return s.judgeIntent(o)
}

// judgeIntent compares what an order says it does to the position with what it
// would do.
func (s *Server) judgeIntent(o *order) *answer {
	held := zero
	if p := s.held[o.symbol]; p != nil {
		held = p.qty
	}
	inferred := o.side + "_to_open"
	if o.side == "buy" && held.IsNegative() || o.side == "sell" && held.IsPositive() {
		inferred = o.side + "_to_close"
	}
	if o.intent == "" {
		o.intent = inferred
	}
	if o.intent != inferred {
		return invalid(fmt.Sprintf("position intent mismatch, inferred: %s, specified: %s", inferred, o.intent))
	}
	if !strings.HasSuffix(inferred, "to_close") || o.qty == nil {
		return nil
	}
	reserved := zero
	for _, other := range s.list {
		for _, each := range append([]*order{other}, other.legs...) {
			if each.working() && each.symbol == o.symbol && each.side == o.side && strings.HasSuffix(each.intent, "to_close") && (each.parent == nil || each.parent.class != "oco") {
				reserved = reserved.Add(each.left())
			}
		}
	}
	if available := held.Abs().Sub(reserved); o.qty.GreaterThan(available) {
		a := refuse(http.StatusForbidden, 40310000, fmt.Sprintf("insufficient qty available for order (requested: %s, available: %s)", o.qty, available),
			"available", available.String(), "existing_qty", held.Abs().String(), "held_for_orders", reserved.String(), "symbol", o.symbol)
		return &a
	}
	return nil
}

func (s *Server) buildLegs(o *order, request map[string]any) *answer {
	list, _ := request["legs"].([]any)
	if len(list) < 2 || len(list) > 4 {
		return invalid("mleg orders require 2 to 4 legs")
	}
	for _, item := range list {
		fields, _ := item.(map[string]any)
		leg, bad := s.build(fields)
		if bad != nil {
			return bad
		}
		ratio, fine := figure(fields, "ratio_qty")
		if !fine || ratio == nil || !ratio.IsPositive() {
			return invalid("ratio_qty is required")
		}
		qty := ratio.Mul(*o.qty)
		leg.class, leg.kind, leg.tif, leg.ratio, leg.qty = "mleg", o.kind, o.tif, *ratio, &qty
		if s.assets[leg.symbol] == nil || s.assets[leg.symbol].class != "us_option" {
			return invalid("invalid leg " + leg.symbol)
		}
		if !s.assets[leg.symbol].tradable {
			return invalid(fmt.Sprintf("asset %s is not active", leg.symbol))
		}
		if bad := s.judgeIntent(leg); bad != nil {
			return bad
		}
		o.legs = append(o.legs, leg)
	}
	return nil
}

// buildExits makes the exits of a bracket, OTO or OCO.
func (s *Server) buildExits(o *order, request map[string]any) *answer {
	target, _ := request["take_profit"].(map[string]any)
	loss, _ := request["stop_loss"].(map[string]any)
	if (o.class == "bracket" || o.class == "oco") && (target == nil || loss == nil) || o.class == "oto" && (target == nil) == (loss == nil) {
		return invalid(o.class + " orders require other take_profit and stop_loss")
	}
	exit := func(fields map[string]any) (*order, *answer) {
		leg, bad := s.build(fields)
		if bad != nil {
			return nil, bad
		}
		leg.class, leg.symbol, leg.tif, leg.qty, leg.status, leg.parent = o.class, o.symbol, o.tif, o.qty, "held", o
		leg.side, leg.intent = "sell", "sell_to_close"
		if o.side == "sell" && o.class != "oco" || o.side == "buy" && o.class == "oco" {
			leg.side, leg.intent = "buy", "buy_to_close"
		}
		leg.kind = "limit"
		if leg.stop != nil {
			leg.kind = "stop"
			if leg.limit != nil {
				leg.kind = "stop_limit"
			}
		}
		return leg, nil
	}
	for _, fields := range []map[string]any{target, loss} {
		if fields == nil {
			continue
		}
		leg, bad := exit(fields)
		if bad != nil {
			return bad
		}
		if o.class == "oco" && leg.kind == "limit" {
			o.limit = leg.limit // the parent of an OCO is its limit order
			continue
		}
		o.legs = append(o.legs, leg)
	}
	return nil
}

// afford refuses what the account cannot pay.
func (s *Server) afford(o *order) *answer {
	_, excess, _, _ := s.worth()
	if need := s.binds(o); need.GreaterThan(decimal.Max(excess, zero)) {
		power := decimal.Max(excess, zero)
		if a := s.assets[o.symbol]; a != nil && a.class == "us_equity" {
			power, need = power.Mul(two), need.Mul(two)
		}
		a := refuse(http.StatusForbidden, 40310000, "insufficient buying power", "buying_power", power.String(), "cost_basis", need.String())
		return &a
	}
	return nil
}

// replace puts a new order in the place of a working one.
func (s *Server) replace(o *order, request map[string]any) answer {
	if !o.working() || o.notional != nil {
		return refuse(http.StatusUnprocessableEntity, 42210000, "cannot replace order in "+o.status+" status")
	}
	fresh := *o
	fresh.id, fresh.client, fresh.created, fresh.updated, fresh.replaces, fresh.legs = s.id(), word(request, "client_order_id"), s.now, s.now, o.id, nil
	if fresh.client == "" {
		fresh.client = s.id()
	}
	if s.byClient(fresh.client).status == http.StatusOK {
		return refuse(http.StatusUnprocessableEntity, 40010001, "client_order_id must be unique")
	}
	for name, into := range map[string]**decimal.Decimal{"qty": &fresh.qty, "limit_price": &fresh.limit, "stop_price": &fresh.stop} {
		d, fine := figure(request, name)
		if !fine {
			return *invalid("invalid " + name)
		}
		if d != nil {
			*into = d
		}
	}
	if trail, fine := figure(request, "trail"); fine && trail != nil {
		if fresh.trail != nil {
			fresh.trail = trail
		} else {
			fresh.percent = trail
		}
	}
	if tif := word(request, "time_in_force"); tif != "" {
		fresh.tif = tif
	}
	if fresh.qty.LessThanOrEqual(o.filled) {
		return *invalid("qty must be more than what is filled")
	}
	if !o.filled.IsZero() { // what is filled stays with the old order
		left := fresh.qty.Sub(o.filled)
		fresh.qty, fresh.filled, fresh.average, fresh.status = &left, zero, zero, "new"
	}
	for _, leg := range o.legs {
		copied := *leg
		copied.id, copied.client, copied.created, copied.updated = s.id(), s.id(), s.now, s.now
		if o.class == "mleg" {
			qty := leg.ratio.Mul(*fresh.qty)
			copied.qty, copied.filled, copied.average, copied.status = &qty, zero, zero, "new"
		} else {
			copied.parent = &fresh
		}
		fresh.legs = append(fresh.legs, &copied)
	}
	o.replacedBy = fresh.id
	s.end(o, "replaced")
	for _, leg := range o.legs {
		if leg.working() {
			leg.status, leg.updated, leg.swapped = "replaced", s.now, s.now
		}
	}
	if o.parent != nil {
		i := slices.Index(o.parent.legs, o)
		o.parent.legs[i] = &fresh
		s.byID[fresh.id] = &fresh
		s.tellOrder(&fresh, "new")
		s.try(&fresh)
		return ok(s.render(&fresh))
	}
	s.take(&fresh)
	return ok(s.render(&fresh))
}
