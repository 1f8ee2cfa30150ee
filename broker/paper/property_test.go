package paper_test

import (
	"context"
	"slices"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
)

func contextOf() context.Context { return context.Background() }

func everyOrder(t require.TestingT, x *paper.Exchange) map[broker.OrderID]broker.OrderState {
	all, err := x.Broker().Orders(contextOf(), account, broker.OrdersQuery{Since: x.Now().AddDate(-1, 0, 0)})
	require.NoError(t, err)
	out := map[broker.OrderID]broker.OrderState{}
	for _, o := range all {
		out[o.ID] = o
	}
	return out
}

// Cash is what the transactions say, and what was won, lost, paid and is still
// bound.
func TestMoneyIsConserved(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		x := newProgram(r, t)
		for _, o := range drawProgram(r, 5, 40) {
			o.run(r, x)
		}
		l := paper.LedgerOf(x, account)
		change := l.Cash.Sub(decimal.NewFromInt(100_000))
		require.True(r, change.Equal(l.Transactions), "cash changed by %s, transactions say %s", change, l.Transactions)
		sum := l.Realized.Add(l.Fees).Sub(l.Cost)
		require.True(r, change.Equal(sum), "cash changed by %s, won %s, fees %s, bound %s", change, l.Realized, l.Fees, l.Cost)
	})
}

// No step takes an order where none can go, fills more than was asked for or at a
// worse price than the limit, or changes what has ended.
func TestOrdersKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		x := newProgram(r, t)
		known := map[broker.OrderID]broker.OrderState{}
		for _, o := range drawProgram(r, 5, 40) {
			o.run(r, x)
			now := everyOrder(r, x)
			for id, s := range now {
				if before, ok := known[id]; ok {
					_, err := before.Become(s)
					require.NoError(r, err)
					if before.Status.Terminal() {
						require.Equal(r, before, s, "what ended stays as it is")
					}
				}
				checkFills(r, s)
			}
			known = now
		}
	})
}

func checkFills(t require.TestingT, s broker.OrderState) {
	sums := make([]decimal.Decimal, len(s.Order.Legs))
	for i, l := range s.Legs {
		require.False(t, l.Filled.GreaterThan(s.Order.Legs[i].Quantity), "order %s fills %s of %s", s.ID, l.Filled, s.Order.Legs[i].Quantity)
		for _, f := range s.Fills {
			if f.Symbol == l.Symbol {
				sums[i] = sums[i].Add(f.Quantity)
			}
		}
		require.True(t, sums[i].Equal(l.Filled))
	}
	require.Equal(t, s.Status == broker.Filled, s.Legs[0].Filled.Equal(s.Order.Legs[0].Quantity), "order %s is %s", s.ID, s.Status)
	if s.Order.Limit == nil {
		return
	}
	if len(s.Legs) == 1 {
		for _, f := range s.Fills {
			if f.Action.Sign() > 0 {
				require.False(t, f.Price.GreaterThan(s.Order.Limit.Abs()))
			} else {
				require.False(t, f.Price.LessThan(s.Order.Limit.Abs()))
			}
		}
		return
	}
	for i := 0; i+1 < len(s.Fills); i += 2 { // two legs of equal quantity fill together
		net := decimal.Zero
		most := decimal.NewFromInt(1)
		for _, f := range s.Fills[i : i+2] {
			multiplier := decimal.NewFromInt(1)
			if f.Symbol == option {
				multiplier = decimal.NewFromInt(100)
			}
			most = decimal.Max(most, multiplier)
			net = net.Sub(f.Price.Mul(multiplier).Mul(decimal.NewFromInt(int64(f.Action.Sign()))))
		}
		require.False(t, net.LessThan(s.Order.Limit.Mul(most)), "order %s fills at a net of %s/%s", s.ID, net, most)
	}
}

// Two rivals of as many units fill no more than that together, whatever comes.
func TestRivalsFillNoMoreThanOneOfThem(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		x := newProgram(r, t)
		size := decimal.NewFromInt(int64(rapid.IntRange(1, 20).Draw(r, "size")))
		ticket := broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{drawOrder(r, "a"), drawOrder(r, "b"), drawOrder(r, "c")}}
		for i := range ticket.Orders {
			for j := range ticket.Orders[i].Legs {
				ticket.Orders[i].Legs[j].Quantity = size
			}
		}
		for _, s := range []string{"AAA", "BBB"} {
			require.NoError(r, x.Quote(paper.Quote{Symbol: shares[s[0]-'A'], Bid: 10, Ask: 10.02, BidSize: 1e6, AskSize: 1e6}))
			first := broker.Order{Tag: "first" + s, Type: broker.Market, Legs: []broker.Leg{leg(shares[s[0]-'A'], buyOpen, "100")}}
			(&op{kind: "place", ticket: broker.NewTicket(first)}).run(r, x)
		}
		(&op{kind: "place", ticket: ticket}).run(r, x)
		for _, o := range drawProgram(r, 10, 40) {
			if o.kind != "place" && o.kind != "replace" {
				o.run(r, x)
			}
		}
		sum := decimal.Zero
		for _, s := range everyOrder(r, x) {
			if s.Group != "" {
				sum = sum.Add(s.Legs[0].Filled)
			}
		}
		require.False(r, sum.GreaterThan(size), "%s of %s", sum, size)
	})
}

// An exchange that is stopped and restored at any point goes on, byte for byte, as
// if it had not been.
func TestARestoredExchangeGoesOnAsIfItHadNeverStopped(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		opts := programOptions(r, clockAt(t, "2026-03-03 12:00"))
		ops := drawProgram(r, 5, 40)
		stop := rapid.IntRange(0, len(ops)).Draw(r, "stop")
		x, err := paper.New(opts)
		require.NoError(r, err)
		y, err := paper.New(opts)
		require.NoError(r, err)
		for i := range ops {
			if i == stop {
				data, err := y.Snapshot()
				require.NoError(r, err)
				y, err = paper.Restore(data, opts)
				require.NoError(r, err)
				again, err := y.Snapshot()
				require.NoError(r, err)
				require.Equal(r, string(data), string(again))
			}
			ops[i].run(r, x)
			ops[i].run(r, y)
		}
		a, err := x.Snapshot()
		require.NoError(r, err)
		b, err := y.Snapshot()
		require.NoError(r, err)
		require.True(r, string(a) == string(b), firstDifference(string(a), string(b)))
	})
}

// What happens up to a bar is the same whatever comes after it.
func TestLaterBarsChangeNothingBefore(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		path := rapid.SampledFrom([]paper.Path{paper.NearerFirst, paper.HighFirst, paper.LowFirst, paper.Pessimistic, paper.OpenOnly, paper.CloseOnly}).Draw(r, "path")
		n := rapid.IntRange(3, 12).Draw(r, "bars")
		cut := rapid.IntRange(1, n).Draw(r, "cut")
		bars := drawBars(r, t, n)
		tickets := make([]broker.Ticket, n)
		for i := range tickets {
			tickets[i] = drawTicket(r, i)
		}
		run := func(n int) map[broker.OrderID]broker.OrderState {
			x, err := paper.New(&paper.Options{
				Start: clockAt(t, "2026-03-02 00:00"), Path: path, FreePrices: true, Unchecked: true,
				Accounts: []paper.Account{{Account: broker.Account{ID: account, Margin: true}}},
			})
			require.NoError(r, err)
			var last map[broker.OrderID]broker.OrderState
			for i := range n {
				require.NoError(r, x.Bars(bars[i]))
				if i == cut-1 {
					last = everyOrder(r, x)
				}
				(&op{kind: "place", ticket: tickets[i]}).run(r, x)
			}
			return last
		}
		require.Equal(r, run(cut), run(n))
	})
}

// drawBars are daily bars of two symbols.
func drawBars(r *rapid.T, t *testing.T, n int) [][]paper.Bar {
	d := &desk{t: t}
	out := make([][]paper.Bar, n)
	day := clockAt(t, "2026-03-02 00:00")
	for i := range out {
		for i > 0 || day.Weekday() == 0 {
			if day = day.AddDate(0, 0, 1); day.Weekday() != 0 && day.Weekday() != 6 {
				break
			}
		}
		for _, s := range shares {
			p := make([]float64, 4)
			for j := range p {
				p[j] = cents(r, "price", 950, 1060)
			}
			out[i] = append(out[i], d.daily(s, day.Format("2006-01-02"), p[0], slices.Max(p), slices.Min(p), p[1]))
		}
	}
	return out
}
