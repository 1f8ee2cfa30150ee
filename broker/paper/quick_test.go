package paper_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// What is said without counting must be what counting says, for accounts of all
// sizes, long and short, at prices of cents and of thousands.
func TestAnAccountFarFromACallIsNotCalled(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	far, called := 0, 0
	for range 2000 {
		account := paper.Account{Account: broker.Account{ID: "A", Margin: true}, Cash: decimal.New(random.Int64N(4_000_000)-500_000, -2)}
		var quotes []paper.Quote
		for i := range random.IntN(4) {
			symbol := market.Symbol(fmt.Sprintf("Q%c", 'A'+i))
			price := []float64{0.3, 2.2, 4.99, 5.01, 17, 240, 3000}[random.IntN(7)]
			account.Positions = append(account.Positions, paper.Position{
				Symbol: symbol, Quantity: decimal.NewFromInt(1 + random.Int64N(1+int64(20_000/price))).Mul(decimal.NewFromInt(int64(1 - 2*random.IntN(2)))),
				AverageOpenPrice: decimal.NewFromFloat(price),
			})
			quotes = append(quotes, paper.Quote{Symbol: symbol, Bid: price, Ask: price})
		}
		x, err := paper.New(&paper.Options{Start: time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC), Accounts: []paper.Account{account}})
		require.NoError(t, err)
		require.NoError(t, x.Quotes(quotes))
		sure, call := paper.CallOf(x, "A")
		if sure {
			far++
			require.Nil(t, call, "%+v", account)
		}
		if call != nil {
			called++
		}
	}
	assert.Greater(t, far, 200)
	assert.Greater(t, called, 200)
}

// Two exchanges with the same inputs, of which one tells briefly: what its observer
// copies is what the other tells.
func TestBriefEventsSayTheSame(t *testing.T) {
	type line struct {
		At          time.Time
		Order       *broker.OrderState
		Fill        *broker.Fill
		Transaction *broker.Transaction
	}
	run := func(brief bool) (lines []string) {
		opts := &paper.Options{
			Start: time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC), Brief: brief, FreePrices: true,
			Accounts: []paper.Account{{Account: broker.Account{ID: "A", Margin: true}, Cash: decimal.NewFromInt(1_000_000)}},
		}
		var x *paper.Exchange
		again := 0
		opts.Observer = func(e broker.Event) {
			if e.Order == nil && e.Fill == nil && e.Transaction == nil {
				return
			}
			if e.Fill != nil && again < 20 { // an order from inside an event, while others wait to be told
				again++
				_, err := x.Broker().Place(t.Context(), "A", broker.NewTicket(broker.Order{
					Tag: fmt.Sprintf("again-%d", again), Type: broker.Market, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(1)}},
				}))
				require.NoError(t, err)
			}
			lines = append(lines, jsonOf(t, line{e.Time, e.Order, e.Fill, e.Transaction}))
		}
		var err error
		x, err = paper.New(opts)
		require.NoError(t, err)
		random := rand.New(rand.NewPCG(9, 10))
		b := x.Broker()
		for i := range 300 {
			price := 100 * (1 + 0.01*random.NormFloat64())
			require.NoError(t, x.Quote(paper.Quote{Symbol: "SPY", Bid: price, Ask: price * 1.0001, BidSize: 70, AskSize: 70}))
			o := broker.Order{Tag: fmt.Sprintf("o-%d", i), Type: broker.Market, Legs: []broker.Leg{{
				Symbol: "SPY", Action: []broker.Action{broker.BuyToOpen, broker.SellToClose}[random.IntN(2)], Quantity: decimal.New(int64(1+random.IntN(200)), 0),
			}}}
			if random.IntN(3) == 0 {
				limit := decimal.NewFromFloat(-price * 0.999)
				if o.Legs[0].Action == broker.SellToClose {
					limit = decimal.NewFromFloat(price * 1.001)
				}
				o.Type, o.Limit = broker.Limit, &limit
			}
			states, err := b.Place(t.Context(), "A", broker.NewTicket(o))
			if err == nil && random.IntN(5) == 0 {
				_, _ = b.Cancel(t.Context(), "A", states[0].ID) // it may have filled
			}
		}
		history, err := b.Transactions(t.Context(), "A", time.Time{}, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC))
		require.NoError(t, err)
		return append(lines, jsonOf(t, history))
	}
	require.Equal(t, run(false), run(true))
}

// An order at the market costs an exchange whose events are brief few pieces of
// memory, from Place to the fill and what is told of it.
func TestAnOrderNeedsLittleMemory(t *testing.T) {
	x, err := paper.New(&paper.Options{
		Start: time.Date(2026, 3, 3, 15, 0, 0, 0, time.UTC), Brief: true, Observer: func(broker.Event) {},
		Accounts: []paper.Account{{Account: broker.Account{ID: "A", Margin: true}, Cash: decimal.NewFromInt(1_000_000)}},
	})
	require.NoError(t, err)
	require.NoError(t, x.Quote(paper.Quote{Symbol: "SPY", Bid: 100.25, Ask: 100.27, BidSize: 1e9, AskSize: 1e9}))
	b, n := x.Broker(), 0
	legs := [2][]broker.Leg{
		{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(100)}}, {{Symbol: "SPY", Action: broker.SellToClose, Quantity: decimal.NewFromInt(100)}},
	}
	tags := make([]string, 1100)
	for i := range tags {
		tags[i] = fmt.Sprintf("t-%d", i)
	}
	assert.LessOrEqual(t, testing.AllocsPerRun(1000, func() {
		o := broker.Order{Tag: tags[n], Type: broker.Market, Legs: legs[n%2]}
		n++
		if _, err := b.Place(t.Context(), "A", broker.NewTicket(o)); err != nil {
			t.Fatal(err)
		}
	}), 14.0)
}

func jsonOf(t *testing.T, x any) string {
	t.Helper()
	data, err := json.Marshal(x)
	require.NoError(t, err)
	return string(data)
}
