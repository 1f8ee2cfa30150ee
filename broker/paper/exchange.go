// Package paper is a matching engine: quotes, trades or bars come in, and the
// orders of any number of accounts fill against them. It has three doors. A
// backtest drives it with replayed data and [Exchange.Advance]; a paper account
// drives it with live quotes and a Clock; a simulator puts a broker's wire
// protocol in front of it. [Exchange.Broker] is a broker.Broker for all of them.
//
// The same seed and the same inputs give the same fills, bit for bit, and an
// exchange that was stopped with [Exchange.Snapshot] and started again with
// [Restore] goes on as if it had never stopped.
//
// # How orders fill
//
// A symbol is fed by quotes (and trades beside them), by trades alone, or by bars.
//
//   - A market order fills at the ask to buy and at the bid to sell, as far as the
//     size goes; the rest waits for the next quote. Without a price it waits.
//   - A limit order fills when the quote reaches its limit, at the quote, which is
//     the limit or better.
//   - A stop is triggered when the price it watches touches it (Options.Trigger) and
//     is then a market order, or a limit order: after a gap it fills at the worse
//     price.
//   - A trailing stop follows the best price since it went live, at its distance.
//   - Orders for several legs fill whole units, all legs at once, each at its own
//     quote, when the net price is the limit or better. Their net price counts each
//     leg by its ratio and its multiplier over the greatest multiplier of the order.
//   - Sizes are used up by fills until the next quote of the symbol. Better limits
//     go first, then older orders.
//   - Orders work in the trading hours of their instruments, on quotes that came
//     since trading began; day orders end with them. Orders given while it is closed
//     wait. An order for the close fills at the last trade of the session, or else
//     at the quote; an order for the open at the first quote or the open of the
//     first bar.
//   - Inside bars, Options.Path says how the price is assumed to have moved.
//   - A fill of an order of an OCO lessens what the others may fill by as much. The
//     orders that another sends go out when it has filled, or, when it ended partly
//     filled, for the part that did.
//
// # Money
//
// Amounts are exact decimals: the change of an account's cash is the sum of its
// transactions, and that is the realised profit and the fees less the cost of what
// is open. Futures change cash by their profit alone, when it is realised.
package paper

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rooms"
	"github.com/ttai-go/ttai/market"
)

// An Exchange fills orders. Make one with [New] or [Restore]. It is safe for
// concurrent use.
type Exchange struct {
	opts            Options
	location        *time.Location
	marginRules     broker.MarginRules
	cashRules       broker.MarginRules
	retirementRules broker.MarginRules

	mu     sync.Mutex
	now    int64 // Unix nanoseconds
	due    int64 // of the first event; the greatest integer when there is none
	told   int64 // due, as Run knows it
	wake   chan struct{}
	events eventHeap
	source *rand.PCG
	random *rand.Rand

	sequence, groupSeq, fillSeq, transactionSeq uint64

	venues      map[string]*venue
	books       map[market.Symbol]*book
	recent      *book // of books, the one that was asked for last
	combos      map[string]*combo
	accounts    map[AccountID]*account
	accountList []*account // in the order of their opening
	orders      []*order   // all, the nth has number n + forgotten
	forgotten   uint64
	groups      []*group

	working []*order // live, or ended since the last look
	waiting []*order // for their venue to open
	held    []*order // live from the next input on
	dirty   []*book  // to be matched
	matched int      // how many of dirty have been

	freshRoom []*order // room for the next book's new orders
	holding   bool     // orders that go live are held
	inside    bool     // inside a bar: no two symbols' prices are of one moment

	life lifecycle

	barSeq   uint64 // of the latest call of Bars
	walkRoom []walk
	lastSpan sessionSpan

	date              market.Date // that of dayFrom to dayUntil
	dayFrom, dayUntil int64

	streams   []*stream
	unseen    *batch // for the observer
	spare     *batch // room for the next one
	observing bool

	planRoom                    plan // of the ticket that is looked at
	orderRoom                   rooms.Shelf[order]
	stateRoom                   rooms.Shelf[broker.OrderState]
	debts                       []*debt // not in use
	orderNames                  rooms.Names
	fillNames, transactionNames rooms.Names
	noFees                      broker.Fees // of all fills where there are no fees
	shown                       time.Time   // now
	shownAt                     int64
}

// New returns an exchange at its Start, or at the present of its Clock. The error
// is a *FieldError.
func New(opts *Options) (*Exchange, error) {
	x, err := newExchange(opts)
	if err != nil {
		return nil, err
	}
	for _, a := range x.opts.Accounts {
		if err := x.openAccount(a); err != nil {
			return nil, err
		}
	}
	x.scheduleDay()
	return x, nil
}

func newExchange(opts *Options) (*Exchange, error) {
	if opts == nil {
		opts = &Options{}
	}
	x := &Exchange{
		opts: *opts, location: market.NYSE().Location(), wake: make(chan struct{}, 1), due: math.MaxInt64, told: math.MaxInt64,
		venues: map[string]*venue{}, books: map[market.Symbol]*book{}, combos: map[string]*combo{}, accounts: map[AccountID]*account{},
		unseen: &batch{}, orderRoom: rooms.Shelf[order]{Piece: 10}, stateRoom: rooms.Shelf[broker.OrderState]{Piece: 8},
		fillNames: rooms.Names{Prefix: "F"}, transactionNames: rooms.Names{Prefix: "T"},
		cashRules:       broker.MarginRules{Account: broker.CashAccount},
		retirementRules: broker.MarginRules{Account: broker.RetirementAccount},
	}
	if x.opts.Environment == "" {
		x.opts.Environment = broker.Paper
	}
	if err := x.opts.validate(); err != nil {
		return nil, err
	}
	if x.opts.Clock != nil {
		x.now = x.opts.Clock.Now().UnixNano()
	} else {
		x.now = x.opts.Start.UnixNano()
	}
	x.source = rand.NewPCG(x.opts.Seed, 0x9e3779b97f4a7c15)
	x.random = rand.New(x.source)
	return x, nil
}

func (o *Options) validate() error {
	switch {
	case o.Start.IsZero() && o.Clock == nil:
		return invalid.Missing("Start", "the time before the first input, or a Clock")
	case o.Path < NearerFirst || o.Path > CloseOnly:
		return invalid.Field("Path", int(o.Path), "one of the paths")
	case o.Trigger < TriggerAny || o.Trigger > TriggerTrade:
		return invalid.Field("Trigger", int(o.Trigger), "one of the triggers")
	case o.Remember < 0:
		return invalid.Field("Remember", o.Remember, "a number of at least 0")
	case min(o.Latency.Route, o.Latency.Live, o.Latency.Cancel, o.Latency.Replace, o.Latency.Jitter) < 0:
		return invalid.Field("Latency", o.Latency, "durations of 0 or more")
	}
	return o.Lifecycle.validate()
}

func (x *Exchange) nextSeq() uint64 {
	x.sequence++
	return x.sequence
}

// Mark returns the price that positions in a symbol are valued at: the middle of
// the latest quote that was not crossed, otherwise the latest trade or close; NaN
// when there was none.
func (x *Exchange) Mark(symbol market.Symbol) float64 {
	x.lock()
	defer x.unlock()
	if b := x.books[symbol]; b != nil {
		return b.mark
	}
	return math.NaN()
}
