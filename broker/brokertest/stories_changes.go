package brokertest

import (
	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

// changeStories are how orders are cancelled and replaced.
func changeStories() []scenario {
	return []scenario{
		{
			name: "a resting order is cancelled", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.limit("entry", broker.BuyToOpen, 100, "-99"))
				b.cancel("entry")
				b.stock(98.00, 98.10, 10_000)
			},
			want: `entry: cancelled`,
		},
		{
			name: "what was filled before a cancellation stands", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				b.stock(99.90, 100.10, 40)
				b.place(b.limit("entry", broker.BuyToOpen, 100, "-100.10"))
				b.awaitFilled("entry", 40)
				b.cancel("entry")
			},
			want: `entry: cancelled 40 at 100.1
				stock: 40
				cash: -4004`,
		},
		{
			name: "what has ended is not cancelled", needs: []need{orderType(broker.Limit), orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("filled", broker.BuyToOpen, 1)
				b.place(b.limit("cancelled", broker.BuyToOpen, 100, "-99"))
				b.cancel("cancelled")
				for _, short := range []string{"filled", "cancelled"} {
					_, err := b.Broker.Cancel(b.ctx, b.Account, b.ids[tag(short)])
					assert.ErrorIs(b, err, broker.ErrTooLate, short)
				}
			},
			want: `filled: filled 1 at 100.1
				cancelled: cancelled
				stock: 1
				cash: -100.1`,
		},
		{
			name: "a resting order is replaced by one with another price", needs: []need{orderType(broker.Limit), replacing},
			run: func(b *bench) {
				b.place(b.limit("first", broker.BuyToOpen, 100, "-98"))
				b.replace("first", b.limit("second", broker.BuyToOpen, 100, "-99"))
				b.stock(98.90, 99.00, 10_000)
				b.awaitFilled("second", 100)
			},
			want: `first: replaced
				second: filled 100 at 99
				stock: 100
				cash: -9900`,
		},
		{
			name: "a replacement may fill at once", needs: []need{orderType(broker.Limit), replacing},
			run: func(b *bench) {
				b.place(b.limit("first", broker.BuyToOpen, 10, "-98"))
				b.replace("first", b.limit("second", broker.BuyToOpen, 10, "-100.10"))
				b.awaitFilled("second", 10)
			},
			want: `first: replaced
				second: filled 10 at 100.1
				stock: 10
				cash: -1001`,
		},
		{
			name: "what has ended is not replaced", needs: []need{orderType(broker.Limit), replacing},
			run: func(b *bench) {
				b.place(b.limit("first", broker.BuyToOpen, 10, "-98"))
				b.cancel("first")
				_, err := b.Broker.Replace(b.ctx, b.Account, b.ids[tag("first")], b.limit("second", broker.BuyToOpen, 10, "-99"))
				b.remember(tag("second"))
				assert.ErrorIs(b, err, broker.ErrTooLate)
			},
			want: `first: cancelled
				second: absent`,
		},
		{
			name: "a replacement keeps the instrument and the side", needs: []need{orderType(broker.Limit), replacing},
			run: func(b *bench) {
				b.place(b.limit("first", broker.BuyToOpen, 10, "-98"))
				_, err := b.Broker.Replace(b.ctx, b.Account, b.ids[tag("first")], b.limit("second", broker.SellToOpen, 10, "105"))
				b.remember(tag("second"))
				assert.True(b, refused(err), "%v", err)
			},
			want: `first: working
				second: absent`,
		},
		{
			name: "another quantity replaces the first, or is not supported", needs: []need{orderType(broker.Limit), replacing},
			run: func(b *bench) {
				b.place(b.limit("first", broker.BuyToOpen, 100, "-98"))
				other := b.limit("second", broker.BuyToOpen, 60, "-98")
				state, err := b.Broker.Replace(b.ctx, b.Account, b.ids[tag("first")], other)
				if err != nil {
					require.ErrorIs(b, err, broker.ErrUnsupported)
					b.cancel("first")
				} else {
					require.True(b, state.Order.Legs[0].Quantity.Equal(decimal.NewFromInt(60)))
					b.adopt("first", other.Tag, state)
					b.cancel("second")
				}
				b.forget()
			},
			want: `nothing`,
		},
		{
			name: "an order of an account that is not there", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				_, err := b.Broker.Order(b.ctx, b.Account, "999999999")
				assert.ErrorIs(b, err, broker.ErrUnknownOrder)
				_, err = b.Broker.Cancel(b.ctx, b.Account, "999999999")
				assert.ErrorIs(b, err, broker.ErrUnknownOrder)
				if b.can.Replace {
					_, err = b.Broker.Replace(b.ctx, b.Account, "999999999", b.limit("second", broker.BuyToOpen, 10, "-99"))
					assert.ErrorIs(b, err, broker.ErrUnknownOrder)
				}
			},
			want: `nothing`,
		},
		{
			name: "an account that is not there", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				const nobody = "5WX99999"
				ticket := broker.NewTicket(b.limit("entry", broker.BuyToOpen, 10, "-99"))
				calls := map[string]func() error{
					"Preview":   func() error { _, err := b.Broker.Preview(b.ctx, nobody, ticket); return err },
					"Place":     func() error { _, err := b.Broker.Place(b.ctx, nobody, ticket); return err },
					"Cancel":    func() error { _, err := b.Broker.Cancel(b.ctx, nobody, "1"); return err },
					"Order":     func() error { _, err := b.Broker.Order(b.ctx, nobody, "1"); return err },
					"Orders":    func() error { _, err := b.Broker.Orders(b.ctx, nobody, broker.OrdersQuery{}); return err },
					"Balances":  func() error { _, err := b.Broker.Balances(b.ctx, nobody); return err },
					"Positions": func() error { _, err := b.Broker.Positions(b.ctx, nobody); return err },
					"Transactions": func() error {
						_, err := b.Broker.Transactions(b.ctx, nobody, b.start, b.Now().Add(1))
						return err
					},
					"Events": func() error {
						stream, err := b.Broker.Events(b.ctx, nobody)
						if err == nil {
							_ = stream.Close() // the test fails below
						}
						return err
					},
				}
				for name, call := range calls {
					assert.ErrorIs(b, call(), broker.ErrUnknownAccount, name)
				}
			},
			want: `nothing`,
		},
	}
}

// replace puts an order in the place of another and waits until the first has ended.
func (b *bench) replace(short string, with broker.Order) {
	b.Helper()
	state, err := b.Broker.Replace(b.ctx, b.Account, b.ids[tag(short)], with)
	require.NoError(b, err)
	require.Equal(b, with.Tag, state.Order.Tag)
	b.adopt(short, with.Tag, state)
}

// adopt takes a replacement among the orders of the scenario.
func (b *bench) adopt(short, whole string, state *broker.OrderState) {
	b.Helper()
	b.remember(whole)
	b.ids[whole] = state.ID
	b.gone[tag(short)] = true
	if b.ids[tag(short)] != state.ID {
		first := b.awaitStatus(short, broker.Replaced)
		assert.Equal(b, state.ID, first.ReplacedBy)
		second := b.find(whole)
		require.NotNil(b, second)
		assert.Equal(b, b.ids[tag(short)], second.Replaces)
	}
	b.settle()
}
