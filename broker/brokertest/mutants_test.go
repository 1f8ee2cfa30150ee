package brokertest_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/brokertest"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// exchange is a harness over the paper exchange, with a broker that twist has made
// something of.
func exchange(t *testing.T, twist func(broker.Broker) broker.Broker) *brokertest.Harness {
	const account = "PAPER1"
	x, err := paper.New(&paper.Options{
		Start:    market.Date{Year: 2026, Month: time.September, Day: 16}.At(11, 0, market.NYSE().Location()),
		Accounts: []paper.Account{{Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(100_000)}},
	})
	require.NoError(t, err)
	return &brokertest.Harness{
		Broker: twist(x.Broker()), Account: account, Stock: "ACME", Calls: [2]market.Symbol{"ACME  261120C00100000", "ACME  261120C00105000"},
		Now: x.Now, Patience: 200 * time.Millisecond,
		Quote: func(q market.Quote) {
			require.NoError(t, x.Quote(paper.Quote{Symbol: q.Symbol, Time: q.Time, Bid: q.Bid, Ask: q.Ask, BidSize: q.BidSize, AskSize: q.AskSize}))
		},
		Advance: func(d time.Duration) { require.NoError(t, x.Advance(x.Now().Add(d))) },
	}
}

// A twisted broker does one thing wrong.
type twisted struct {
	broker.Broker
	place     func(context.Context, broker.AccountID, broker.Ticket) ([]broker.OrderState, error)
	preview   func(context.Context, broker.AccountID, broker.Ticket) (*broker.Preview, error)
	cancel    func(context.Context, broker.AccountID, broker.OrderID) (*broker.OrderState, error)
	orders    func([]broker.OrderState) []broker.OrderState
	positions func([]broker.Position) []broker.Position
	history   func([]broker.Transaction) []broker.Transaction
	failure   func(error) error
	event     func(broker.Event) []broker.Event
	can       func(*broker.Capabilities)
}

func (b twisted) Place(ctx context.Context, account broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	if b.place != nil {
		return b.place(ctx, account, ticket)
	}
	states, err := b.Broker.Place(ctx, account, ticket)
	return states, b.wrong(err)
}

func (b twisted) Preview(ctx context.Context, account broker.AccountID, ticket broker.Ticket) (*broker.Preview, error) {
	if b.preview != nil {
		return b.preview(ctx, account, ticket)
	}
	return b.Broker.Preview(ctx, account, ticket)
}

func (b twisted) Cancel(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	if b.cancel != nil {
		return b.cancel(ctx, account, id)
	}
	state, err := b.Broker.Cancel(ctx, account, id)
	return state, b.wrong(err)
}

func (b twisted) wrong(err error) error {
	if b.failure != nil && err != nil {
		return b.failure(err)
	}
	return err
}

func (b twisted) Orders(ctx context.Context, account broker.AccountID, query broker.OrdersQuery) ([]broker.OrderState, error) {
	list, err := b.Broker.Orders(ctx, account, query)
	if b.orders != nil {
		list = b.orders(list)
	}
	return list, err
}

func (b twisted) Positions(ctx context.Context, account broker.AccountID) ([]broker.Position, error) {
	list, err := b.Broker.Positions(ctx, account)
	if b.positions != nil {
		list = b.positions(list)
	}
	return list, err
}

func (b twisted) Transactions(ctx context.Context, account broker.AccountID, from, to time.Time) ([]broker.Transaction, error) {
	list, err := b.Broker.Transactions(ctx, account, from, to)
	if b.history != nil {
		list = b.history(list)
	}
	return list, err
}

func (b twisted) Capabilities() broker.Capabilities {
	c := b.Broker.Capabilities()
	if b.can != nil {
		b.can(&c)
	}
	return c
}

func (b twisted) Events(ctx context.Context, accounts ...broker.AccountID) (broker.EventStream, error) {
	stream, err := b.Broker.Events(ctx, accounts...)
	if err != nil || b.event == nil {
		return stream, err
	}
	return &twistedStream{EventStream: stream, change: b.event}, nil
}

type twistedStream struct {
	broker.EventStream
	change  func(broker.Event) []broker.Event
	waiting []broker.Event
}

func (s *twistedStream) Next(ctx context.Context) (broker.Event, error) {
	for len(s.waiting) == 0 {
		e, err := s.EventStream.Next(ctx)
		if err != nil {
			return e, err
		}
		s.waiting = s.change(e)
	}
	e := s.waiting[0]
	s.waiting = s.waiting[1:]
	return e, nil
}

// mutants are brokers that the suite has to find out, and by which scenario.
func mutants() map[string]struct {
	twist func(broker.Broker) broker.Broker
	by    string
} {
	type mutant = struct {
		twist func(broker.Broker) broker.Broker
		by    string
	}
	return map[string]mutant{
		"cancels nothing": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, cancel: func(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
				return b.Order(ctx, account, id)
			}}
		}, "a resting order is cancelled"},
		"places twice": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, place: func(ctx context.Context, account broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
				states, err := b.Place(ctx, account, ticket)
				ticket.Orders = append([]broker.Order{}, ticket.Orders...)
				for i := range ticket.Orders {
					ticket.Orders[i].Tag += "-2"
				}
				_, _ = b.Place(ctx, account, ticket) // the fault under test
				return states, err
			}}
		}, "market orders buy at the ask and sell at the bid"},
		"places what it previews": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, preview: func(ctx context.Context, account broker.AccountID, ticket broker.Ticket) (*broker.Preview, error) {
				p, err := b.Preview(ctx, account, ticket)
				again := ticket
				again.Orders = append([]broker.Order{}, ticket.Orders...)
				again.Orders[0].Tag += "-2"
				_, _ = b.Place(ctx, account, again) // the fault under test
				return p, err
			}}
		}, "a preview changes nothing and says what will happen"},
		"forgets tags": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, place: func(ctx context.Context, account broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
				states, err := b.Place(ctx, account, ticket)
				for i := range states {
					states[i].Order.Tag = ""
				}
				return states, err
			}}
		}, "a limit order rests"},
		"tells fills twice": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, event: func(e broker.Event) []broker.Event {
				if e.Fill != nil {
					return []broker.Event{e, e}
				}
				return []broker.Event{e}
			}}
		}, "a limit order beyond the quote fills at the quote"},
		"tells no fills": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, event: func(e broker.Event) []broker.Event {
				if e.Fill != nil {
					return nil
				}
				return []broker.Event{e}
			}}
		}, "events tell an order's whole life"},
		"tells the end first": {func(b broker.Broker) broker.Broker {
			held := map[broker.OrderID]broker.Event{}
			return twisted{Broker: b, event: func(e broker.Event) []broker.Event {
				if e.Order == nil {
					return []broker.Event{e}
				}
				first, seen := held[e.Order.ID]
				held[e.Order.ID] = e
				if seen && e.Order.Status.Terminal() {
					return []broker.Event{e, first}
				}
				return []broker.Event{e}
			}}
		}, "a resting order is cancelled"},
		"confuses long and short": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, positions: func(list []broker.Position) []broker.Position {
				for i := range list {
					list[i].Quantity = list[i].Quantity.Abs()
				}
				return list
			}}
		}, "shares are sold short and bought back"},
		"has no history": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, history: func([]broker.Transaction) []broker.Transaction { return nil }}
		}, "market orders buy at the ask and sell at the bid"},
		"counts history without its sign": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, history: func(list []broker.Transaction) []broker.Transaction {
				for i := range list {
					list[i].Amount = list[i].Amount.Abs()
				}
				return list
			}}
		}, "market orders buy at the ask and sell at the bid"},
		"lists the oldest first": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, orders: func(list []broker.OrderState) []broker.OrderState {
				for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
					list[i], list[j] = list[j], list[i]
				}
				for i := range list {
					list[i].Received = list[i].Received.Add(time.Duration(i) * time.Second)
				}
				return list
			}}
		}, "orders are selected by state, symbol, tag and time"},
		"calls every failure the same": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, failure: func(error) error { return broker.ErrUnavailable }}
		}, "what has ended is not cancelled"},
		"can do more than it says": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, can: func(c *broker.Capabilities) { c.TimesInForce = []broker.TimeInForce{broker.Day} }}
		}, "what the broker lacks is not supported and not sent"},
		"fills without an end": {func(b broker.Broker) broker.Broker {
			return twisted{Broker: b, orders: func(list []broker.OrderState) []broker.OrderState {
				for i := range list {
					list[i].Ended = time.Time{}
				}
				return list
			}}
		}, "a limit order beyond the quote fills at the quote"},
	}
}

const mutantVariable = "BROKERTEST_MUTANT"

// TestMutant runs the suite on one broken broker. It fails when it is asked for,
// which is what TestTheSuiteFindsBrokenBrokers wants.
func TestMutant(t *testing.T) {
	m, ok := mutants()[os.Getenv(mutantVariable)]
	if !ok {
		t.Skip("only for another test")
	}
	brokertest.Test(t, func(t *testing.T) *brokertest.Harness { return exchange(t, m.twist) })
}

func TestTheSuiteFindsBrokenBrokers(t *testing.T) {
	for name, m := range mutants() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			scenario := strings.NewReplacer(" ", "_").Replace(m.by)
			run := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestMutant$/^"+scenario+"$", "-test.v")
			run.Env = append(os.Environ(), mutantVariable+"="+name)
			output, err := run.CombinedOutput()
			assert.Error(t, err, "the suite has nothing against it")
			assert.Contains(t, string(output), "--- FAIL: TestMutant/"+scenario, "%s", output)
		})
	}
}

// The exchange itself is found sound by the scenarios that find the broken ones.
func TestTheSuiteFindsASoundBrokerSound(t *testing.T) {
	brokertest.Test(t, func(t *testing.T) *brokertest.Harness {
		return exchange(t, func(b broker.Broker) broker.Broker { return b })
	})
}
