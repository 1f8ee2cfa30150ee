package paper

import (
	"math"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// A ladder holds orders sorted by the price at which they have to be looked at,
// the first to be reached at the front; orders at one price stand by their rank.
// Prices that are reached from above are kept negated.
type ladder struct {
	keys   []float64
	orders []*order
}

func (l *ladder) find(key float64, rank uint64) int {
	lo, hi := 0, len(l.keys)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if l.keys[mid] < key || (l.keys[mid] == key && l.orders[mid].rank < rank) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

func (l *ladder) insert(key float64, o *order) {
	i := l.find(key, o.rank)
	l.keys = slices.Insert(l.keys, i, key)
	l.orders = slices.Insert(l.orders, i, o)
}

func (l *ladder) remove(key float64, o *order) {
	i := l.find(key, o.rank)
	l.keys = slices.Delete(l.keys, i, i+1)
	l.orders = slices.Delete(l.orders, i, i+1)
}

// first is the key at the front; +Inf when there is none.
func (l *ladder) first() float64 {
	if len(l.keys) == 0 {
		return math.Inf(1)
	}
	return l.keys[0]
}

// A book is one instrument's market and the orders that work in it.
type book struct {
	symbol market.Symbol
	terms  terms
	venue  *venue

	// The market. Prices are NaN when they are not there.
	bid, ask         float64
	bidSize, askSize float64 // what is left of the quote; NaN: enough
	last             float64
	lastAt           int64   // when last was traded
	mark             float64 // what positions are valued at
	prevClose        float64
	close            float64 // the mark at the latest close
	epoch            uint64  // the venue's when the quote came
	dataAt           int64   // when the latest data came
	quoted           bool    // it has had quotes

	// The bar being walked through.
	barSeq        uint64 // the call of Bars that it came with
	barEnd        int64  // of its latest bar
	inBar, atOpen bool
	high, low     float64
	volume        float64
	pool          float64 // what of the bar's volume may still be taken; NaN: enough

	// The orders, each in one of these.
	buyLimits, sellLimits ladder // buys negated
	buyStops, sellStops   ladder // sells negated
	trails                []*order
	markets               []*order // by rank
	combos                []*combo // those with a leg here
	fresh                 []*order // those that have not met a price yet

	// What the quotes are compared with: nothing happens while the ask is above
	// buyAt and below stopBuyAt, and the bid below sellAt and above stopSellAt.
	buyAt, sellAt, stopBuyAt, stopSellAt float64
	// attend says that each quote has to be looked at.
	attend bool
}

func newBook(symbol market.Symbol, t terms, v *venue) *book {
	nan := math.NaN()
	b := &book{
		symbol: symbol, terms: t, venue: v,
		bid: nan, ask: nan, bidSize: nan, askSize: nan, last: nan, mark: nan, prevClose: nan, close: nan,
		high: nan, low: nan, volume: nan, pool: nan,
	}
	b.measure()
	return b
}

// measure sets the thresholds anew after the orders changed.
func (b *book) measure() {
	b.buyAt, b.sellAt = -b.buyLimits.first(), b.sellLimits.first()
	b.stopBuyAt, b.stopSellAt = b.buyStops.first(), -b.sellStops.first()
	b.attend = len(b.markets) > 0 || len(b.combos) > 0 || len(b.fresh) > 0
	for _, o := range b.trails {
		switch {
		case math.IsNaN(o.extreme):
			b.attend = true
		case o.buys():
			b.stopBuyAt = min(b.stopBuyAt, o.stop)
			// A lower ask moves the stop.
			b.buyAt = max(b.buyAt, math.Nextafter(o.extreme, 0))
		default:
			b.stopSellAt = max(b.stopSellAt, o.stop)
			b.sellAt = min(b.sellAt, math.Nextafter(o.extreme, math.Inf(1)))
		}
	}
}

// touched tells whether the quote has to be looked at.
func (b *book) touched() bool {
	return b.ask <= b.buyAt || b.bid >= b.sellAt || b.ask >= b.stopBuyAt || b.bid <= b.stopSellAt || b.attend
}

// side returns what an order can trade against now: the price, NaN when there is
// none, and what is left of the size there.
func (b *book) side(buy bool) (price float64, left *float64) {
	if b.epoch != b.venue.epoch {
		return math.NaN(), nil
	}
	if b.inBar {
		left = &b.pool
	} else if left = &b.bidSize; buy {
		left = &b.askSize
	}
	if buy {
		return b.ask, left
	}
	return b.bid, left
}

// trades tells whether there is a market now: a quote since trading began, even one
// that is crossed or empty, or a bar or print being looked at.
func (b *book) trades() bool {
	return b.epoch == b.venue.epoch && (b.quoted || b.inBar)
}

// touch is the price that stops watch: the side that the order would trade at.
func (b *book) touch(buy bool) float64 {
	p, _ := b.side(buy)
	return p
}

// A place says which list of a book holds an order.
type place int8

const (
	nowhere place = iota
	inLimits
	inStops
	inTrails
	inMarkets
	inCombo
)

// put adds a working order to the book where it belongs.
func (b *book) put(o *order) {
	switch {
	case o.trailing() && !o.triggered:
		o.place = inTrails
		b.trails = insertByRank(b.trails, o)
	case o.stopped() && !o.triggered:
		o.place = inStops
		if o.key = o.stop; o.buys() {
			b.buyStops.insert(o.key, o)
		} else {
			o.key = -o.stop
			b.sellStops.insert(o.key, o)
		}
	case o.limited():
		o.place = inLimits
		if o.key = o.limit; o.buys() {
			o.key = -o.limit
			b.buyLimits.insert(o.key, o)
		} else {
			b.sellLimits.insert(o.key, o)
		}
	default:
		o.place = inMarkets
		b.markets = insertByRank(b.markets, o)
	}
	b.measure()
}

// take removes an order from the book.
func (b *book) take(o *order) {
	switch o.place {
	case inTrails:
		b.trails = remove(b.trails, o)
	case inMarkets:
		b.markets = remove(b.markets, o)
	case inStops:
		if o.buys() {
			b.buyStops.remove(o.key, o)
		} else {
			b.sellStops.remove(o.key, o)
		}
	case inLimits:
		if o.buys() {
			b.buyLimits.remove(o.key, o)
		} else {
			b.sellLimits.remove(o.key, o)
		}
	}
	o.place = nowhere
	b.measure()
}

func insertByRank(list []*order, o *order) []*order {
	i, _ := slices.BinarySearchFunc(list, o.rank, func(p *order, rank uint64) int {
		switch {
		case p.rank < rank:
			return -1
		case p.rank > rank:
			return 1
		}
		return 0
	})
	return slices.Insert(list, i, o)
}

func remove(list []*order, o *order) []*order {
	if i := slices.Index(list, o); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// book returns a symbol's book; nil when there is none yet.
func (x *Exchange) book(symbol market.Symbol) *book {
	if b := x.recent; b != nil && b.symbol == symbol {
		return b
	}
	b := x.books[symbol]
	if b != nil {
		x.recent = b
	}
	return b
}

// bookOf returns a symbol's book, opened when it is the first time.
func (x *Exchange) bookOf(symbol market.Symbol) (*book, error) {
	if b := x.book(symbol); b != nil {
		return b, nil
	}
	t, err := x.termsOf(symbol)
	if err != nil {
		return nil, err
	}
	b := newBook(symbol, t, x.venueOf(symbol))
	x.books[symbol] = b
	return b, nil
}

// A combo is the market of one combination, made from the markets of its legs,
// and the orders for it.
type combo struct {
	key     string
	legs    []comboLeg
	limits  ladder // by the least credit they take
	markets []*order
	books   []*book
	fresh   []*order
}

type comboLeg struct {
	book   *book
	buy    bool
	ratio  float64
	weight float64
}

// credit is what one unit brings when each leg trades at its quote, and how many
// units the sizes allow; NaN when a leg has no quote.
func (c *combo) credit() (credit, units float64) {
	units = math.Inf(1)
	for i := range c.legs {
		l := &c.legs[i]
		price, left := l.book.side(l.buy)
		if !(price > 0) {
			return math.NaN(), 0
		}
		if l.buy {
			price = -price
		}
		credit += price * l.weight
		if !math.IsNaN(*left) {
			units = min(units, math.Floor(*left/l.ratio+1e-9))
		}
	}
	return credit, units
}

func (c *combo) put(o *order) {
	o.place = inCombo
	if o.limited() {
		o.key = o.limit
		c.limits.insert(o.key, o)
	} else {
		c.markets = insertByRank(c.markets, o)
	}
	for _, b := range c.books {
		if !slices.Contains(b.combos, c) {
			b.combos = append(b.combos, c)
			slices.SortFunc(b.combos, func(a, d *combo) int {
				if a.key < d.key {
					return -1
				}
				return 1
			})
			b.measure()
		}
	}
}

func (c *combo) take(o *order) {
	o.place = nowhere
	if o.limited() {
		c.limits.remove(o.key, o)
	} else {
		c.markets = remove(c.markets, o)
	}
	if len(c.markets) > 0 || len(c.limits.keys) > 0 {
		return
	}
	for _, b := range c.books {
		if i := slices.Index(b.combos, c); i >= 0 {
			b.combos = slices.Delete(b.combos, i, i+1)
			b.measure()
		}
	}
}
