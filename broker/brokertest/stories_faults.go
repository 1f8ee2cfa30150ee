package brokertest

import (
	"errors"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

// faultStories are requests and answers that are lost, and streams that break.
func faultStories() []scenario {
	return []scenario{
		{
			name: "an order whose answer is lost is found by its tag", needs: []need{wire, orderType(broker.Limit)},
			run: func(b *bench) {
				b.Inject(LostAnswer)
				_, err := b.try(broker.NewTicket(b.limit("entry", broker.BuyToOpen, 10, "-99")))
				assert.True(b, err == nil || errors.Is(err, broker.ErrUncertain), "found, or not known: %v", err)
				b.only("entry")
			},
			want: `entry: working`,
		},
		{
			name: "an order that was lost on its way is not there, and nobody says it is", needs: []need{wire, orderType(broker.Limit)},
			run: func(b *bench) {
				b.Inject(LostRequest)
				_, err := b.try(broker.NewTicket(b.limit("lost", broker.BuyToOpen, 10, "-99")))
				assert.True(b, errors.Is(err, broker.ErrUncertain) || errors.Is(err, broker.ErrUnavailable), "%v", err)
				b.place(b.limit("entry", broker.BuyToOpen, 10, "-99"))
				b.only("entry")
			},
			want: `lost: absent
				entry: working`,
		},
		{
			name: "an order that had no turn is certainly not there", needs: []need{wire, orderType(broker.Limit)},
			run: func(b *bench) {
				b.Inject(RateLimited)
				_, err := b.try(broker.NewTicket(b.limit("early", broker.BuyToOpen, 10, "-99")))
				assert.ErrorIs(b, err, broker.ErrUnavailable)
				assert.NotErrorIs(b, err, broker.ErrUncertain)
				b.place(b.limit("entry", broker.BuyToOpen, 10, "-99"))
				b.only("entry")
			},
			want: `early: absent
				entry: working`,
		},
		{
			name: "an order that fills while its answer is lost is found filled", needs: []need{wire, orderType(broker.Limit)},
			run: func(b *bench) {
				b.Inject(LostAnswer)
				_, err := b.try(broker.NewTicket(b.limit("entry", broker.BuyToOpen, 10, "-100.10")))
				assert.True(b, err == nil || errors.Is(err, broker.ErrUncertain), "%v", err)
				b.awaitFilled("entry", 10)
			},
			want: `entry: filled 10 at 100.1
				stock: 10
				cash: -1001`,
		},
		{
			name: "a group whose answer is lost is found by its tags", needs: []need{wire, group(broker.Bracket), orderType(broker.Stop)},
			run: func(b *bench) {
				b.Inject(LostAnswer)
				_, err := b.try(b.bracket())
				assert.True(b, err == nil || errors.Is(err, broker.ErrUncertain), "%v", err)
				b.only("entry", "target", "stop")
			},
			want: `entry: working
				target: working
				stop: working`,
		},
		{
			name: "a cancellation whose answer is lost has happened", needs: []need{wire, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.limit("entry", broker.BuyToOpen, 10, "-99"))
				b.Inject(LostAnswer)
				_, err := b.Broker.Cancel(b.ctx, b.Account, b.ids[tag("entry")])
				assert.True(b, err == nil || errors.Is(err, broker.ErrUncertain), "%v", err)
				b.awaitStatus("entry", broker.Cancelled)
			},
			want: `entry: cancelled`,
		},
		{
			name: "a cancellation that was lost on its way has not happened", needs: []need{wire, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.limit("entry", broker.BuyToOpen, 10, "-99"))
				b.Inject(LostRequest)
				_, err := b.Broker.Cancel(b.ctx, b.Account, b.ids[tag("entry")])
				assert.True(b, errors.Is(err, broker.ErrUncertain) || errors.Is(err, broker.ErrUnavailable), "%v", err)
				b.only("entry")
			},
			want: `entry: working`,
		},
		{
			name: "a replacement whose answer is lost is found by its tag", needs: []need{wire, replacing, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.limit("first", broker.BuyToOpen, 10, "-98"))
				b.Inject(LostAnswer)
				with := b.limit("second", broker.BuyToOpen, 10, "-99")
				_, err := b.Broker.Replace(b.ctx, b.Account, b.ids[tag("first")], with)
				assert.True(b, err == nil || errors.Is(err, broker.ErrUncertain), "%v", err)
				var second *broker.OrderState
				b.await("the replacement is listed", func() bool { second = b.find(with.Tag); return second != nil })
				b.adopt("first", with.Tag, second)
			},
			want: `first: replaced
				second: working`,
		},
		{
			name: "a stream that breaks tells of the gap, and then goes on", needs: []need{cutting, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.limit("during", broker.BuyToOpen, 10, "-99"))
				b.Disconnect(func() {
					b.stock(98.90, 99.00, 10_000)
					b.awaitFilled("during", 10)
				})
				b.await("the gap is told", func() bool { return b.told.gaps() > 0 })
				b.stock(99.90, 100.10, 10_000)
				b.place(b.market("after", broker.SellToClose, 4))
				b.awaitFilled("after", 4)
				b.await("what came after the gap is told", func() bool {
					last := b.told.order(b.ids[tag("after")])
					return last != nil && last.Status == broker.Filled
				})
			},
			want: `during: filled 10 at 99
				after: filled 4 at 99.9
				stock: 6
				cash: -590.4`,
		},
		{
			name: "a stream that breaks while nothing happens invents nothing", needs: []need{cutting, orderType(broker.Limit)},
			run: func(b *bench) {
				b.hold("before", broker.BuyToOpen, 10)
				b.await("the fill is told", func() bool { return len(b.told.fills()) == 1 })
				b.Disconnect(func() {})
				b.await("the gap is told", func() bool { return b.told.gaps() > 0 })
			},
			want: `before: filled 10 at 100.1
				stock: 10
				cash: -1001`,
		},
	}
}

// only checks that the account has these orders and no other one that works.
func (b *bench) only(shorts ...string) {
	b.Helper()
	for _, short := range shorts {
		state := b.find(tag(short))
		require.NotNil(b, state, short)
		b.ids[state.Order.Tag] = state.ID
	}
	list, err := b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{Working: true})
	require.NoError(b, err)
	assert.Len(b, list, len(shorts))
}
