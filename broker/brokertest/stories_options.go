package brokertest

import (
	"github.com/ttai-go/ttai/broker"
)

// optionStories are orders for options, of one leg and of several. The lower call
// is 5.00 to 5.20 and the higher 2.00 to 2.20, so that the spread of both brings
// 2.80 when it is sold and costs 3.20 when it is bought, at once.
func optionStories() []scenario {
	return []scenario{
		{
			name: "a call is bought and sold", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				in := b.order("in", broker.Limit, b.call(0, broker.BuyToOpen, 3))
				in.Limit = money("-5.20")
				b.place(in)
				b.awaitFilled("in", 3)
				out := b.order("out", broker.Limit, b.call(0, broker.SellToClose, 1))
				out.Limit = money("5")
				b.place(out)
				b.awaitFilled("out", 1)
			},
			want: `in: filled 3 at 5.2
				out: filled 1 at 5
				call 1: 2
				cash: -1060`,
		},
		{
			name: "a spread is sold for a net credit", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.spread("spread", broker.SellToOpen, broker.BuyToOpen, 2, "2.80"))
				b.awaitFilled("spread", 2)
			},
			want: `spread: filled 2+2 for 2.8
				call 1: -2
				call 2: 2
				cash: 560`,
		},
		{
			name: "a spread rests until its legs together bring the credit", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.spread("spread", broker.SellToOpen, broker.BuyToOpen, 2, "2.90"))
				b.quote(b.Calls[1], 2.00, 2.15, 500)
				b.settle()
				if state := b.find(tag("spread")); state == nil || !state.Legs[0].Filled.IsZero() {
					b.Fatal("2.85 is less than 2.90")
				}
				b.quote(b.Calls[0], 5.05, 5.20, 500)
				b.awaitFilled("spread", 2)
			},
			want: `spread: filled 2+2 for 2.9
				call 1: -2
				call 2: 2
				cash: 580`,
		},
		{
			name: "a spread is bought for a net debit and sold again", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.spread("in", broker.BuyToOpen, broker.SellToOpen, 2, "-3.20"))
				b.awaitFilled("in", 2)
				b.place(b.spread("out", broker.SellToClose, broker.BuyToClose, 2, "2.80"))
				b.awaitFilled("out", 2)
			},
			want: `in: filled 2+2 for -3.2
				out: filled 2+2 for 2.8
				cash: -80`,
		},
		{
			name: "a spread that rests is cancelled whole", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.spread("spread", broker.SellToOpen, broker.BuyToOpen, 2, "3.50"))
				b.cancel("spread")
			},
			want: `spread: cancelled`,
		},
		{
			name: "a spread fills in whole units", needs: []need{options, orderType(broker.Limit)},
			run: func(b *bench) {
				b.quote(b.Calls[1], 2.00, 2.20, 3) // three to be had, of five
				b.place(b.spread("spread", broker.SellToOpen, broker.BuyToOpen, 5, "2.80"))
				b.awaitFilled("spread", 3)
			},
			want: `spread: working 3+3 for 1.68
				call 1: -3
				call 2: 3
				cash: 840`,
		},
	}
}

// spread is an order for both calls.
func (b *bench) spread(short string, first, second broker.Action, quantity int64, price string) broker.Order {
	o := b.order(short, broker.Limit, b.call(0, first, quantity), b.call(1, second, quantity))
	o.Limit = money(price)
	return o
}
