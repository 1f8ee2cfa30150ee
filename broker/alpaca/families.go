package alpaca

import (
	"slices"

	"github.com/ttai-go/ttai/broker"
)

// families remember what Alpaca does not: the caller's tags of the exits of a
// bracket, OTO or OCO, and which group they belong to. The adapter's mutex guards
// them.
type families struct {
	exits   map[string][]exitName // by the tag that Alpaca keeps for the group
	leaders map[string]string     // tag of an exit → the tag that Alpaca keeps for its group
	sent    []string              // of exits, oldest first
	tags    map[string]string     // order id → the caller's tag
	groups  map[string]string     // order id → id of the leader
	ids     []string              // of tags and groups, oldest first
}

// An exitName is the caller's tag of an exit, of which a group has one with a
// limit and one with a stop.
type exitName struct {
	tag   string
	limit bool
}

// mostRemembered bounds what is remembered: the oldest is forgotten.
const mostRemembered = 4096

// announce notes the tags of a group before it is sent, so that its orders are
// known also when they are found later.
func (a *Adapter) announce(t *broker.Ticket) {
	if t.Kind == broker.Single {
		return
	}
	lead, rest := leader(t)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.exits == nil {
		a.exits, a.leaders = map[string][]exitName{}, map[string]string{}
		a.tags, a.groups = map[string]string{}, map[string]string{}
	}
	if _, again := a.exits[lead.Tag]; !again {
		a.sent = append(a.sent, lead.Tag)
	}
	a.exits[lead.Tag] = nil
	for _, o := range rest {
		a.exits[lead.Tag] = append(a.exits[lead.Tag], exitName{o.Tag, o.Type == broker.Limit})
		a.leaders[o.Tag] = lead.Tag
	}
	for len(a.sent) > mostRemembered {
		for _, exit := range a.exits[a.sent[0]] {
			delete(a.leaders, exit.tag)
		}
		delete(a.exits, a.sent[0])
		a.sent = a.sent[1:]
	}
}

// learn names the exits of a group that was announced.
func (a *Adapter) learn(o *Order) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, exit := range a.exits[o.ClientOrderID] {
		i := slices.IndexFunc(o.Legs, func(leg Order) bool { return (typeOf(leg.Type) == broker.Limit) == exit.limit })
		if i < 0 || o.Legs[i].Replaces != "" { // a replacement has a tag of its own
			continue
		}
		id := o.Legs[i].ID
		if _, known := a.tags[id]; !known {
			a.ids = append(a.ids, id)
		}
		a.tags[id], a.groups[id] = exit.tag, o.ID
	}
	for len(a.ids) > mostRemembered {
		delete(a.tags, a.ids[0])
		delete(a.groups, a.ids[0])
		a.ids = a.ids[1:]
	}
}

// inTicketOrder returns the states of a placed ticket in its order; false when the
// answer lacks one.
func (a *Adapter) inTicketOrder(account broker.AccountID, t *broker.Ticket, o *Order) ([]broker.OrderState, bool) {
	states := a.states(account, o)
	out := make([]broker.OrderState, 0, len(t.Orders))
	for i := range t.Orders {
		j := slices.IndexFunc(states, func(s broker.OrderState) bool { return s.Order.Tag == t.Orders[i].Tag })
		if j < 0 {
			return nil, false
		}
		out = append(out, states[j])
	}
	return out, true
}

// lookUp returns the caller's tag and the group of an order, empty when unknown.
func (a *Adapter) lookUp(id string) (tag, group string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tags[id], a.groups[id]
}

// leaderTag is the tag by which Alpaca finds the order with a tag.
func (a *Adapter) leaderTag(tag string) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if lead, ok := a.leaders[tag]; ok {
		return lead
	}
	return tag
}
