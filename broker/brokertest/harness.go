// Package brokertest holds every broker to the same observable behaviour: [Test]
// plays the same scenarios, with the same market and the same faults, on any
// [broker.Broker] and compares what can be seen afterwards with one table.
//
//	func TestSuite(t *testing.T) {
//		brokertest.Test(t, func(t *testing.T) *brokertest.Harness {
//			exchange := … // a new one, with a clock and quotes of the test's own
//			return &brokertest.Harness{Broker: exchange, Account: "A1", Stock: "ACME", …}
//		})
//	}
//
// What a broker cannot do by its own [broker.Capabilities] is skipped, and the
// test then says so; it is held to refuse it with [broker.ErrUnsupported] and to
// send nothing. What a harness cannot do, such as losing an answer where there is
// no wire, is a nil field, and is skipped and named in the same way.
//
// # Laws
//
// Beside its own table row every scenario is held to these: an order's states
// follow each other as [broker.Status.CanBecome] allows; a fill is told once, has
// its own id, and is never worse than the limit; what the events told is what
// reading gives afterwards; positions are the sum of the fills; each fill is in
// the transactions; and cash changed by the sum of the transactions.
package brokertest

import (
	"testing"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A Fault is what goes wrong with the next request that writes an order.
type Fault int

// The faults.
const (
	// LostRequest: the request is lost on its way. The broker never has it, and
	// no answer comes.
	LostRequest Fault = iota + 1
	// LostAnswer: the broker acts on the request, and its answer is lost.
	LostAnswer
	// RateLimited: the broker refuses to look at it, because there were too many.
	RateLimited
)

// A Harness is one broker with its market in the test's hands. The functions are
// called from the test's goroutine, one at a time, but while calls of the broker
// and its event streams are in progress.
type Harness struct {
	// Broker is what is tested. Its whole customer is the test's own.
	Broker broker.Broker
	// Account is an open margin account with 100,000 of cash and nothing else: no
	// positions, no orders, no history of trades. It may trade spreads and short
	// shares. It has not been charged or paid anything, and will not be for what
	// is no trade.
	Account broker.AccountID

	// Stock is a share without a price yet, or with any: the test quotes it around
	// 100, in ticks of a cent. It is easy to borrow.
	Stock market.Symbol
	// Calls are two calls on Stock of the same expiration, at least two weeks
	// away, the lower strike first. The test quotes them at a few dollars, in
	// ticks of five cents. Empty for a broker that trades no options.
	Calls [2]market.Symbol
	// Closed is an instrument that takes no orders any more: delisted, or an option
	// that has expired. Empty skips its scenario.
	Closed market.Symbol

	// Now is the time of the broker. It begins in a regular session with at least
	// two hours to go.
	Now func() time.Time
	// Quote makes the market of one symbol what q says, sizes and last trade
	// included, until the next call, and fills what that fills. Sizes are in
	// shares or contracts; each quote's are to be had once.
	Quote func(q market.Quote)
	// Advance lets time pass for the broker: what is in progress becomes done.
	// Where things take no time, it may do nothing but move the clock.
	Advance func(d time.Duration)
	// EndDay closes the session: day orders expire. Nil skips its scenario.
	EndDay func()

	// Inject arms a fault for the next request that places, replaces or cancels.
	// Nil where there is no wire to lose anything on.
	Inject func(f Fault)
	// Patience is how long, in the computer's time, the suite waits for something
	// that is on its way; 0: 10 s.
	Patience time.Duration
	// Disconnect cuts the event streams, calls while while there is no
	// connection, and lets them connect again. Nil where there is no connection.
	Disconnect func(while func())
}

// A Factory makes a harness for one scenario and leaves its end to t.Cleanup. It
// is called once for each, so that none sees what another left.
type Factory func(t *testing.T) *Harness
