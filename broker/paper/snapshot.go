package paper

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// snapshotVersion is the form of snapshots. Others are refused.
const snapshotVersion = 1

// state is what an exchange is, as JSON.
type state struct {
	Version                                     int
	Now                                         int64
	Random                                      []byte
	Sequence, GroupSeq, FillSeq, TransactionSeq uint64
	Venues                                      []venueState
	Books                                       []bookState
	Accounts                                    []accountState
	Orders                                      []orderState
	Groups                                      []groupState
	Events                                      []event
	Life                                        lifecycle
	Working, Waiting, Held                      []uint64
}

type venueState struct {
	Name   string
	Epoch  uint64
	Symbol market.Symbol // one that trades there
	// At is an instant of the segment that the venue is in.
	At int64
}

type bookState struct {
	Symbol                      market.Symbol
	Bid, Ask, BidSize, AskSize  market.Float
	Last, Mark, PrevClose, Pool market.Float
	High, Low, Volume           market.Float
	LastAt, DataAt              int64
	Epoch                       uint64
	Quoted                      bool     `json:",omitempty"`
	Fresh                       []uint64 `json:",omitempty"`
}

type accountState struct {
	Info           broker.Account
	Cash           decimal.Decimal
	Realized, Fees decimal.Decimal
	Positions      []positionState
	Transactions   []broker.Transaction
	Orders         []uint64
	Working        []uint64
}

type positionState struct {
	Symbol         market.Symbol
	Quantity, Cost decimal.Decimal
	Realized       decimal.Decimal
	Day            string
	Opened         int64
}

type orderState struct {
	Seq                             uint64
	Account                         AccountID
	Group                           uint64 `json:",omitempty"`
	Spec                            specState
	Status                          broker.Status
	Reason                          string `json:",omitempty"`
	Legs                            []legState
	Fills                           []broker.Fill `json:",omitempty"`
	Total, Done, Allowed            decimal.Decimal
	Stop, Extreme                   market.Float
	Triggered, Waiting, Live, Gated bool `json:",omitempty"`
	Held, Tried, Recheck, Placed    bool `json:",omitempty"`
	Rank                            uint64
	Replaces, ReplacedBy            uint64 `json:",omitempty"`
	AtReplace, Reserve              decimal.Decimal
	Received, Updated, Ended, End   int64
}

type legState struct{ Filled, Value decimal.Decimal }

type groupState struct {
	Seq    uint64
	Kind   broker.GroupKind
	Orders []uint64
}

// specState is a broker.Order whose date may be absent.
type specState struct {
	broker.Order
	GoodTill string `json:",omitempty"`
}

// Snapshot returns the whole state as JSON: the same state gives the same bytes.
// Streams of events, the observer and the options are no part of it. The error is a
// *FieldError when the exchange forgets (Options.Remember).
func (x *Exchange) Snapshot() ([]byte, error) {
	x.lock()
	defer x.unlock()
	if x.opts.Remember > 0 {
		return nil, invalid.Field("Options.Remember", x.opts.Remember, "0 for an exchange that is snapshotted")
	}
	random, err := x.source.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	s := state{
		Version: snapshotVersion, Now: x.now, Random: random,
		Sequence: x.sequence, GroupSeq: x.groupSeq, FillSeq: x.fillSeq, TransactionSeq: x.transactionSeq,
		Working: numbers(x.working), Waiting: numbers(x.waiting), Held: numbers(x.held),
		Life: x.life,
	}
	for _, name := range sortedKeys(x.venues) {
		v := x.venues[name]
		s.Venues = append(s.Venues, venueState{Name: name, Epoch: v.epoch, Symbol: v.symbol, At: v.at})
	}
	for _, symbol := range sortedKeys(x.books) {
		s.Books = append(s.Books, x.books[symbol].state())
	}
	for _, a := range x.accountList {
		s.Accounts = append(s.Accounts, a.state())
	}
	for _, o := range x.orders {
		s.Orders = append(s.Orders, o.state())
	}
	for _, g := range x.groups {
		s.Groups = append(s.Groups, groupState{g.seq, g.kind, numbers(g.orders)})
	}
	s.Events = slices.Clone(x.events)
	slices.SortFunc(s.Events, func(a, b event) int {
		if a.before(&b) {
			return -1
		}
		return 1
	})
	data, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("paper: %w", err)
	}
	return data, nil
}

func sortedKeys[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b K) int { return strings.Compare(string(a), string(b)) })
	return keys
}

func numbers(orders []*order) []uint64 {
	out := make([]uint64, len(orders))
	for i, o := range orders {
		out[i] = o.seq
	}
	return out
}

func (b *book) state() bookState {
	f := func(x float64) market.Float { return market.Float(x) }
	return bookState{
		Symbol: b.symbol, Bid: f(b.bid), Ask: f(b.ask), BidSize: f(b.bidSize), AskSize: f(b.askSize),
		Last: f(b.last), Mark: f(b.mark), PrevClose: f(b.prevClose), Pool: f(b.pool), High: f(b.high), Low: f(b.low),
		Volume: f(b.volume), LastAt: b.lastAt, DataAt: b.dataAt, Epoch: b.epoch, Quoted: b.quoted, Fresh: numbers(b.fresh),
	}
}

func (a *account) state() accountState {
	s := accountState{
		Info: a.info, Cash: a.cash.Decimal(), Realized: a.realized.Decimal(), Fees: a.fees.Decimal(), Transactions: a.transactions(),
		Orders: numbers(a.orders), Working: numbers(a.working),
	}
	for _, symbol := range sortedKeys(a.positions) {
		p := a.positions[symbol]
		s.Positions = append(s.Positions, positionState{symbol, p.quantity.Decimal(), p.cost.Decimal(), p.realized.Decimal(), p.day.String(), p.opened})
	}
	return s
}

func (o *order) state() orderState {
	s := orderState{
		Seq: o.seq, Account: o.acct.info.ID, Spec: specState{Order: o.spec}, Status: o.status, Reason: o.reason, Fills: o.fills,
		Total: o.total, Done: o.done, Allowed: o.allowed, Stop: market.Float(o.stop), Extreme: market.Float(o.extreme),
		Triggered: o.triggered, Waiting: o.waiting, Live: o.live, Gated: o.gated, Held: o.held, Tried: o.tried, Recheck: o.recheck,
		Placed: o.place != nowhere, Rank: o.rank, AtReplace: o.atReplace, Reserve: o.bound(),
		Received: o.received, Updated: o.updated, Ended: o.ended, End: o.end,
	}
	if !o.spec.GoodTill.IsZero() {
		s.Spec.GoodTill = o.spec.GoodTill.String()
	}
	if o.group != nil {
		s.Group = o.group.seq
	}
	if o.replaces != nil {
		s.Replaces = o.replaces.seq
	}
	if o.replacedBy != nil {
		s.ReplacedBy = o.replacedBy.seq
	}
	for i := range o.legs {
		s.Legs = append(s.Legs, legState{o.legs[i].filled, o.legs[i].value.Decimal()})
	}
	return s
}

// Restore returns the exchange that [Exchange.Snapshot] described. The options must
// mean what they meant then; their Accounts, Start and Seed are not used. The error
// is a *FieldError about the snapshot.
func Restore(snapshot []byte, opts *Options) (*Exchange, error) {
	var s state
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return nil, invalid.Fieldf("snapshot", len(snapshot), "the bytes of a snapshot: %v", err)
	}
	if s.Version != snapshotVersion {
		return nil, invalid.Fieldf("snapshot.Version", s.Version, "%d", snapshotVersion)
	}
	o := Options{}
	if opts != nil {
		o = *opts
	}
	o.Accounts = nil
	if o.Clock == nil {
		o.Start = time.Unix(0, s.Now)
	}
	x, err := newExchange(&o)
	if err != nil {
		return nil, err
	}
	x.now, x.life = s.Now, s.Life
	if err := x.restore(&s); err != nil {
		return nil, err
	}
	return x, nil
}

// A restorer resolves the numbers of a snapshot and remembers the first that
// means nothing.
type restorer struct {
	x   *Exchange
	err error
}

func (r *restorer) fail(field string, value any, allowed string) {
	if r.err == nil {
		r.err = invalid.Field("snapshot."+field, value, allowed)
	}
}

func (r *restorer) order(seq uint64) *order {
	if seq == 0 || seq > uint64(len(r.x.orders)) {
		r.fail("Orders", seq, "the number of an order")
		return nil
	}
	return r.x.orders[seq-1]
}

func (r *restorer) list(seqs []uint64) []*order {
	out := make([]*order, 0, len(seqs))
	for _, seq := range seqs {
		if o := r.order(seq); o != nil {
			out = append(out, o)
		}
	}
	return out
}

func (x *Exchange) restore(s *state) error {
	r := &restorer{x: x}
	if err := x.source.UnmarshalBinary(s.Random); err != nil {
		return invalid.Fieldf("snapshot.Random", len(s.Random), "the state of the random source: %v", err)
	}
	for _, v := range s.Venues {
		at := x.at(v.At)
		made := &venue{name: v.Name, symbol: v.Symbol, epoch: v.Epoch, at: v.At}
		if made.hours = hoursOf(v.Name, v.Symbol); made.hours == nil {
			return invalid.Field("snapshot.Venues", v.Name, "a known venue")
		}
		made.now = made.hours.segment(at)
		x.venues[v.Name] = made
	}
	for i := range s.Books {
		r.book(&s.Books[i])
	}
	for i := range s.Accounts {
		r.account(&s.Accounts[i])
	}
	if r.err != nil {
		return r.err
	}
	for i := range s.Orders {
		r.addOrder(&s.Orders[i])
	}
	if r.err != nil {
		return r.err
	}
	r.connect(s)
	x.sequence, x.groupSeq, x.fillSeq, x.transactionSeq = s.Sequence, s.GroupSeq, s.FillSeq, s.TransactionSeq
	for _, e := range s.Events {
		ofOrder := slices.Contains([]string{eventStage, eventCancel, eventReplace, eventEnd}, e.Kind)
		if e.Order > uint64(len(x.orders)) || (e.Order != 0) != ofOrder || (e.Kind == eventVenue) != (x.venues[e.Venue] != nil) {
			r.fail("Events", e.Kind, "events of known orders and venues")
		}
	}
	x.events = s.Events // sorted, and so a heap
	x.due = math.MaxInt64
	if len(x.events) > 0 {
		x.due = x.events[0].At
	}
	return r.err
}

func (r *restorer) book(s *bookState) {
	b, err := r.x.bookOf(s.Symbol)
	if err != nil {
		r.fail("Books", s.Symbol, "symbols that the options know")
		return
	}
	b.bid, b.ask, b.bidSize, b.askSize = float64(s.Bid), float64(s.Ask), float64(s.BidSize), float64(s.AskSize)
	b.last, b.mark, b.prevClose, b.pool = float64(s.Last), float64(s.Mark), float64(s.PrevClose), float64(s.Pool)
	b.high, b.low, b.volume = float64(s.High), float64(s.Low), float64(s.Volume)
	b.lastAt, b.dataAt, b.epoch, b.quoted = s.LastAt, s.DataAt, s.Epoch, s.Quoted
}

func (r *restorer) account(s *accountState) {
	x := r.x
	if s.Info.ID == "" || x.accounts[s.Info.ID] != nil {
		r.fail("Accounts", s.Info.ID, "each account once")
		return
	}
	a := &account{
		info: s.Info, cash: sums.Of(s.Cash), realized: sums.Of(s.Realized), fees: sums.Of(s.Fees), positions: map[market.Symbol]*position{},
	}
	for i := range s.Transactions {
		s.Transactions[i].Time = s.Transactions[i].Time.In(x.location)
		a.history.Add(entry{line: &s.Transactions[i]})
	}
	for _, p := range s.Positions {
		b := x.books[p.Symbol]
		if b == nil {
			r.fail("Positions", p.Symbol, "symbols with a book")
			return
		}
		made := &position{book: b, quantity: sums.Of(p.Quantity), cost: sums.Of(p.Cost), realized: sums.Of(p.Realized), opened: p.Opened}
		made.day, _ = market.ParseDate(p.Day) // none stays none
		a.hold(made)
	}
	x.accounts[a.info.ID] = a
	x.accountList = append(x.accountList, a)
}

func (r *restorer) addOrder(s *orderState) {
	x := r.x
	a := x.accounts[s.Account]
	if a == nil || s.Seq != uint64(len(x.orders)+1) || !s.Status.Known() {
		r.fail("Orders", s.Seq, "orders of known accounts, in their order")
		return
	}
	spec := s.Spec.Order
	if s.Spec.GoodTill != "" {
		var err error
		if spec.GoodTill, err = market.ParseDate(s.Spec.GoodTill); err != nil {
			r.fail("GoodTill", s.Spec.GoodTill, "a date")
		}
	}
	if spec.Validate() != nil || len(s.Legs) != len(spec.Legs) {
		r.fail("Orders", s.Seq, "valid orders")
		return
	}
	o, err := x.newOrder(a, spec)
	if err != nil {
		r.fail("Orders", s.Seq, "symbols that the options know")
		return
	}
	o.seq, o.status, o.reason, o.fills = s.Seq, s.Status, s.Reason, s.Fills
	for i := range o.fills {
		o.fills[i].Time = o.fills[i].Time.In(x.location)
	}
	o.total, o.done, o.allowed = s.Total, s.Done, s.Allowed
	o.stop, o.extreme = float64(s.Stop), float64(s.Extreme)
	o.triggered, o.waiting, o.live, o.gated = s.Triggered, s.Waiting, s.Live, s.Gated
	o.held, o.tried, o.recheck, o.rank = s.Held, s.Tried, s.Recheck, s.Rank
	o.atReplace, o.reserve = s.AtReplace, s.Reserve
	o.received, o.updated, o.ended, o.end = s.Received, s.Updated, s.Ended, s.End
	for i := range o.legs {
		o.legs[i].filled, o.legs[i].value = s.Legs[i].Filled, sums.Of(s.Legs[i].Value)
	}
	x.orders = append(x.orders, o)
	a.tags.Add(spec.Tag)
}

// connect ties orders to each other and puts them where they were.
func (r *restorer) connect(s *state) {
	x := r.x
	groups := map[uint64]*group{}
	for _, g := range s.Groups {
		made := &group{seq: g.Seq, kind: g.Kind, orders: r.list(g.Orders)}
		groups[g.Seq] = made
		x.groups = append(x.groups, made)
	}
	for i := range s.Orders {
		o, from := x.orders[i], &s.Orders[i]
		if from.Group != 0 {
			if o.group = groups[from.Group]; o.group == nil {
				r.fail("Orders", from.Group, "the number of a group")
			}
		}
		if from.Replaces != 0 {
			o.replaces = r.order(from.Replaces)
		}
		if from.ReplacedBy != 0 {
			o.replacedBy = r.order(from.ReplacedBy)
		}
		if from.Placed && !o.status.Terminal() {
			if o.single() {
				o.legs[0].book.put(o)
			} else {
				c := x.comboOf(o)
				c.put(o)
				if !o.tried {
					c.fresh = append(c.fresh, o)
				}
			}
		}
	}
	for i := range s.Accounts {
		a := x.accountList[i]
		a.orders, a.working = r.list(s.Accounts[i].Orders), r.list(s.Accounts[i].Working)
	}
	for i := range s.Books {
		b := x.books[s.Books[i].Symbol]
		b.fresh = r.list(s.Books[i].Fresh)
		b.measure()
	}
	x.working, x.waiting, x.held = r.list(s.Working), r.list(s.Waiting), r.list(s.Held)
}
