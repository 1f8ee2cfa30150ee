package brokertest

import (
	"context"
	"slices"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// readingStories are previews, lists, histories and streams.
func readingStories() []scenario {
	return []scenario{
		{
			name: "the account is one of the customer's", needs: nil,
			run: func(b *bench) {
				first, err := b.Broker.Accounts(b.ctx)
				require.NoError(b, err)
				again, err := b.Broker.Accounts(b.ctx)
				require.NoError(b, err)
				assert.Equal(b, first, again, "in a stable order")
				i := slices.IndexFunc(first, func(a broker.Account) bool { return a.ID == b.Account })
				require.GreaterOrEqual(b, i, 0)
				assert.True(b, first[i].Margin)
				assert.False(b, first[i].Closed)
				assert.False(b, b.Broker.Environment().Real(), "a test moves no real money")
			},
			want: `nothing`,
		},
		{
			name: "a preview changes nothing and says what will happen", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				ticket := broker.NewTicket(b.limit("entry", broker.BuyToOpen, 10, "-100.10"))
				before, err := b.Broker.Balances(b.ctx, b.Account)
				require.NoError(b, err)
				preview, err := b.Broker.Preview(b.ctx, b.Account, ticket)
				require.NoError(b, err)
				assert.Empty(b, preview.Refusals)
				b.untouched(before)
				assert.Equal(b, ticket.Orders[0].Tag, preview.Ticket.Orders[0].Tag)
				assert.Equal(b, broker.Day, preview.Ticket.Orders[0].TimeInForce, "defaults are written out")
				if assert.NotNil(b, preview.Cash) {
					assert.True(b, preview.Cash.Equal(decimal.RequireFromString("-1001")), "%s", preview.Cash)
				}
				if preview.BuyingPower != nil {
					assert.True(b, preview.BuyingPower.IsNegative(), "buying takes buying power: %s", preview.BuyingPower)
				}
				b.placeTicket(preview.Ticket)
				b.awaitFilled("entry", 10)
				b.powerIs(preview)
				b.feesAre(preview)
			},
			want: `entry: filled 10 at 100.1
				stock: 10
				cash: -1001`,
		},
		{
			name: "a preview of a market order counts the side of the quote that it would trade at", needs: []need{orderType(broker.Market)},
			run: func(b *bench) {
				for action, want := range map[broker.Action]string{broker.BuyToOpen: "-1001", broker.SellToOpen: "999"} {
					preview, err := b.Broker.Preview(b.ctx, b.Account, broker.NewTicket(b.market("entry", action, 10)))
					require.NoError(b, err)
					assert.Empty(b, preview.Refusals)
					if preview.Cash != nil { // a broker may know no quotes
						assert.True(b, preview.Cash.Equal(decimal.RequireFromString(want)), "%s: %s", action, preview.Cash)
					}
				}
			},
			want: `nothing`,
		},
		{
			name: "a preview of a spread counts its credit, its risk and its fees", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				ticket := broker.NewTicket(b.spread("spread", broker.SellToOpen, broker.BuyToOpen, 2, "2.80"))
				before, err := b.Broker.Balances(b.ctx, b.Account)
				require.NoError(b, err)
				preview, err := b.Broker.Preview(b.ctx, b.Account, ticket)
				require.NoError(b, err)
				assert.Empty(b, preview.Refusals)
				b.untouched(before)
				if assert.NotNil(b, preview.Cash) {
					assert.True(b, preview.Cash.Equal(decimal.NewFromInt(560)), "%s", preview.Cash)
				}
				if preview.BuyingPower != nil {
					assert.True(b, preview.BuyingPower.IsNegative(), "a spread that is sold takes more than it brings: %s", preview.BuyingPower)
				}
				if preview.Margin != nil {
					first, _ := b.Calls[0].Contract()
					second, _ := b.Calls[1].Contract()
					width := decimal.NewFromFloat(second.Strike - first.Strike).Mul(decimal.NewFromInt(200))
					assert.True(b, preview.Margin.Equal(width), "the requirement of a spread is its width, %s: %s", width, preview.Margin)
				}
				b.placeTicket(preview.Ticket)
				b.awaitFilled("spread", 2)
				b.powerIs(preview)
				b.feesAre(preview)
			},
			want: `spread: filled 2+2 for 2.8
				call 1: -2
				call 2: 2
				cash: 560`,
		},
		{
			name: "orders are selected by state, symbol, tag and time", needs: []need{orderType(broker.Limit), orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("filled", broker.BuyToOpen, 1)
				b.place(b.limit("cancelled", broker.BuyToOpen, 1, "-98"))
				b.cancel("cancelled")
				b.place(b.limit("working", broker.BuyToOpen, 1, "-97"))
				for _, row := range []struct {
					query broker.OrdersQuery
					want  []string
				}{
					{broker.OrdersQuery{}, []string{"working", "cancelled", "filled"}},
					{broker.OrdersQuery{Working: true}, []string{"working"}},
					{broker.OrdersQuery{Symbol: b.Stock}, []string{"working", "cancelled", "filled"}},
					{broker.OrdersQuery{Symbol: "NOSUCH"}, nil},
					{broker.OrdersQuery{Tag: tag("cancelled")}, []string{"cancelled"}},
					{broker.OrdersQuery{Tag: tag("nobody")}, nil},
					{broker.OrdersQuery{Since: b.start.Add(-time.Minute)}, []string{"working", "cancelled", "filled"}},
					{broker.OrdersQuery{Since: b.Now().Add(time.Hour)}, nil},
				} {
					list, err := b.Broker.Orders(b.ctx, b.Account, row.query)
					require.NoError(b, err)
					var got []string
					for _, state := range list {
						got = append(got, state.Order.Tag[len(tag("")):])
					}
					assert.ElementsMatch(b, row.want, got, "%+v", row.query)
					assert.True(b, slices.IsSortedFunc(list, func(x, y broker.OrderState) int { return y.Received.Compare(x.Received) }), "newest first")
				}
			},
			want: `filled: filled 1 at 100.1
				cancelled: cancelled
				working: working
				stock: 1
				cash: -100.1`,
		},
		{
			name: "an option's orders are those of its underlying", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.spread("spread", broker.SellToOpen, broker.BuyToOpen, 1, "3.50"))
				for _, symbol := range []market.Symbol{b.Stock, b.Calls[1]} {
					list, err := b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{Symbol: symbol})
					require.NoError(b, err)
					assert.Len(b, list, 1, symbol)
				}
			},
			want: `spread: working`,
		},
		{
			name: "history is from the first moment up to the last", needs: []need{orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				all, err := b.Broker.Transactions(b.ctx, b.Account, b.start.Add(-time.Minute), b.Now().Add(time.Hour))
				require.NoError(b, err)
				require.NotEmpty(b, all)
				at := all[0].Time
				for _, row := range []struct {
					from, to time.Time
					there    bool
				}{
					{at, at.Add(time.Millisecond), true},
					{at.Add(-time.Hour), at, false},
					{at.Add(time.Millisecond), at.Add(time.Hour), len(all) > 1 && all[len(all)-1].Time.After(at)},
				} {
					list, err := b.Broker.Transactions(b.ctx, b.Account, row.from, row.to)
					require.NoError(b, err)
					assert.Equal(b, row.there, len(list) > 0, "from %s to %s", row.from, row.to)
				}
				for _, t := range all {
					if t.Kind == broker.Trade {
						assert.Equal(b, b.Stock, t.Symbol)
						assert.Equal(b, b.ids[tag("in")], t.Order)
					}
				}
			},
			want: `in: filled 10 at 100.1
				stock: 10
				cash: -1001`,
		},
		{
			name: "what an account is worth is its cash and its positions", needs: []need{orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				balances, err := b.Broker.Balances(b.ctx, b.Account)
				require.NoError(b, err)
				positions, err := b.Broker.Positions(b.ctx, b.Account)
				require.NoError(b, err)
				require.Len(b, positions, 1)
				assert.Equal(b, market.KindEquity, positions[0].Kind)
				assert.Equal(b, b.Stock, positions[0].Underlying)
				assert.True(b, positions[0].AverageOpenPrice.Equal(decimal.RequireFromString("100.1")), "%s", positions[0].AverageOpenPrice)
				if value := positions[0].Value(); value != nil && balances.NetLiquidatingValue != nil {
					worth := balances.Cash.Add(*value)
					assert.True(b, worth.Sub(*balances.NetLiquidatingValue).Abs().LessThanOrEqual(cent), "%s, not %s", balances.NetLiquidatingValue, worth)
				}
			},
			want: `in: filled 10 at 100.1
				stock: 10
				cash: -1001`,
		},
		{
			name: "events end with the stream and with its context", needs: nil,
			run: func(b *bench) {
				stream, err := b.Broker.Events(b.ctx, b.Account)
				require.NoError(b, err)
				require.NoError(b, stream.Close())
				_, err = stream.Next(b.ctx)
				assert.Error(b, err)
				require.NoError(b, stream.Close(), "closing twice")

				ctx, cancel := context.WithCancel(b.ctx)
				stream, err = b.Broker.Events(ctx, b.Account)
				require.NoError(b, err)
				impatient, stop := context.WithTimeout(b.ctx, time.Millisecond)
				_, err = stream.Next(impatient)
				stop()
				assert.ErrorIs(b, err, context.DeadlineExceeded, "the reader's patience ends, not the stream")
				cancel()
				_, err = stream.Next(b.ctx)
				assert.Error(b, err)
				require.NoError(b, stream.Close())
			},
			want: `nothing`,
		},
		{
			name: "events tell an order's whole life", needs: []need{
				orderType(broker.Limit), {"events that are pushed", func(_ *Harness, c broker.Capabilities) bool { return c.Events }}},
			run: func(b *bench) {
				b.stock(99.90, 100.10, 40)
				b.place(b.limit("entry", broker.BuyToOpen, 100, "-100.10"))
				b.awaitFilled("entry", 40)
				b.stock(99.90, 100.10, 60)
				b.awaitFilled("entry", 100)
				b.await("two fills are told", func() bool { return len(b.told.fills()) >= 2 })
				for _, f := range b.told.fills() {
					assert.Equal(b, b.Stock, f.Symbol)
					assert.Equal(b, broker.BuyToOpen, f.Action)
					assert.True(b, f.Price.Equal(decimal.RequireFromString("100.1")))
					assert.False(b, f.Time.IsZero())
				}
			},
			want: `entry: filled 100 at 100.1
				stock: 100
				cash: -10010`,
		},
	}
}

// untouched checks that the account is as it was.
func (b *bench) untouched(before *broker.Balances) {
	b.Helper()
	after, err := b.Broker.Balances(b.ctx, b.Account)
	require.NoError(b, err)
	assert.True(b, before.Cash.Equal(*after.Cash))
	if before.DerivativeBuyingPower != nil && after.DerivativeBuyingPower != nil {
		assert.True(b, before.DerivativeBuyingPower.Equal(*after.DerivativeBuyingPower))
	}
	list, err := b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{})
	require.NoError(b, err)
	assert.Empty(b, list, "a preview is no order")
	positions, err := b.Broker.Positions(b.ctx, b.Account)
	require.NoError(b, err)
	assert.Empty(b, positions)
}

// feesAre checks that the fees of a preview are those of the trades, to the cent,
// where the broker knows both.
func (b *bench) feesAre(preview *broker.Preview) {
	b.Helper()
	list, err := b.Broker.Transactions(b.ctx, b.Account, b.start.Add(-time.Minute), b.Now().Add(time.Hour))
	require.NoError(b, err)
	charged := decimal.Zero
	for _, t := range list {
		if t.Kind == broker.Trade && t.Fees == nil {
			return
		}
		if t.Fees != nil {
			charged = charged.Add(t.Fees.Total())
		}
	}
	if preview.Fees != nil {
		tolerance := cent.Mul(decimal.NewFromInt(int64(len(list))))
		assert.True(b, preview.Fees.Total().Sub(charged).Abs().LessThanOrEqual(tolerance), "%s was previewed, %s was charged", preview.Fees.Total(), charged)
	}
}

// powerIs checks that the buying power that a preview foresaw is there once the
// order has filled at its limit, where the broker tells both. Which of an account's
// two buying powers it means is the broker's affair.
func (b *bench) powerIs(preview *broker.Preview) {
	b.Helper()
	after, err := b.Broker.Balances(b.ctx, b.Account)
	require.NoError(b, err)
	if preview.BuyingPowerAfter == nil || preview.BuyingPower == nil {
		return
	}
	tolerance := preview.BuyingPower.Abs().Div(decimal.NewFromInt(20))
	var powers []string
	for _, power := range []*decimal.Decimal{after.EquityBuyingPower, after.DerivativeBuyingPower} {
		if power == nil {
			continue
		}
		if power.Sub(*preview.BuyingPowerAfter).Abs().LessThanOrEqual(tolerance) {
			return
		}
		powers = append(powers, power.String())
	}
	if len(powers) > 0 {
		assert.Fail(b, "the buying power is not what was previewed", "%s was foreseen, there are %v", preview.BuyingPowerAfter, powers)
	}
}
