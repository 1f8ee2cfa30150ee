package brokertest

import (
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

// groupStories are orders that depend on each other.
func groupStories() []scenario {
	return []scenario{
		{
			name: "of one-cancels-other the target fills and the stop is cancelled", needs: []need{group(broker.OCO), orderType(broker.Stop), orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				b.placeTicket(b.exits(broker.OCO))
				b.trade(105.00, 105.10, 105.00)
				b.awaitFilled("target", 10)
				b.awaitStatus("stop", broker.Cancelled)
				b.trade(94.90, 95.00, 94.90)
			},
			want: `in: filled 10 at 100.1
				target: filled 10 at 105
				stop: cancelled
				cash: 49`,
		},
		{
			name: "of one-cancels-other the stop fills and the target is cancelled", needs: []need{group(broker.OCO), orderType(broker.Stop), orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				b.placeTicket(b.exits(broker.OCO))
				b.trade(94.90, 95.00, 94.90)
				b.awaitFilled("stop", 10)
				b.awaitStatus("target", broker.Cancelled)
				b.trade(105.00, 105.10, 105.00)
			},
			want: `in: filled 10 at 100.1
				target: cancelled
				stop: filled 10 at 94.9
				cash: -52`,
		},
		{
			name: "one-triggers-other waits for the first", needs: []need{group(broker.OTO), orderType(broker.Limit)},
			run: func(b *bench) {
				b.placeTicket(broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{
					b.limit("entry", broker.BuyToOpen, 10, "-99"), b.limit("exit", broker.SellToClose, 10, "105"),
				}})
				b.trade(105.00, 105.10, 105.00) // the exit's price, without anything to sell
			},
			want: `entry: working
				exit: working`,
		},
		{
			name: "one-triggers-other sends the second when the first has filled", needs: []need{group(broker.OTO), orderType(broker.Limit)},
			run: func(b *bench) {
				b.placeTicket(broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{
					b.limit("entry", broker.BuyToOpen, 10, "-99"), b.limit("exit", broker.SellToClose, 10, "105"),
				}})
				b.trade(98.90, 99.00, 99.00)
				b.awaitFilled("entry", 10)
				b.awaitStatus("exit", broker.Live)
				b.trade(105.00, 105.10, 105.00)
				b.awaitFilled("exit", 10)
			},
			want: `entry: filled 10 at 99
				exit: filled 10 at 105
				cash: 60`,
		},
		{
			name: "a bracket's target fills and its stop is cancelled", needs: []need{group(broker.Bracket), orderType(broker.Limit), orderType(broker.Stop)},
			run: func(b *bench) {
				states := b.placeTicket(b.bracket())
				require.NotEmpty(b, states[0].Group)
				for _, s := range states[1:] {
					assert.Equal(b, states[0].Group, s.Group, "the orders of a group name it")
				}
				b.trade(98.90, 99.00, 99.00)
				b.awaitFilled("entry", 10)
				b.awaitStatus("target", broker.Live)
				b.trade(105.00, 105.10, 105.00)
				b.awaitFilled("target", 10)
				b.awaitStatus("stop", broker.Cancelled)
			},
			want: `entry: filled 10 at 99
				target: filled 10 at 105
				stop: cancelled
				cash: 60`,
		},
		{
			name: "a bracket's stop fills and its target is cancelled", needs: []need{group(broker.Bracket), orderType(broker.Limit), orderType(broker.Stop)},
			run: func(b *bench) {
				b.placeTicket(b.bracket())
				b.trade(98.90, 99.00, 99.00)
				b.awaitFilled("entry", 10)
				b.awaitStatus("target", broker.Live)
				b.trade(94.90, 95.00, 94.90)
				b.awaitFilled("stop", 10)
				b.awaitStatus("target", broker.Cancelled)
			},
			want: `entry: filled 10 at 99
				target: cancelled
				stop: filled 10 at 94.9
				cash: -41`,
		},
		{
			name: "a bracket's exits wait for its entry", needs: []need{group(broker.Bracket), orderType(broker.Limit), orderType(broker.Stop)},
			run: func(b *bench) {
				b.placeTicket(b.bracket())
				b.trade(105.00, 105.10, 105.00)
			},
			want: `entry: working
				target: working
				stop: working`,
		},
		{
			name: "a bracket whose entry is cancelled ends whole", needs: []need{group(broker.Bracket), orderType(broker.Limit), orderType(broker.Stop)},
			run: func(b *bench) {
				b.placeTicket(b.bracket())
				b.cancel("entry")
				b.awaitStatus("target", broker.Cancelled)
				b.awaitStatus("stop", broker.Cancelled)
			},
			want: `entry: cancelled
				target: cancelled
				stop: cancelled`,
		},
		{
			name: "a group that is refused leaves nothing", needs: []need{group(broker.Bracket), orderType(broker.Limit), orderType(broker.Stop)},
			run: func(b *bench) {
				ticket := b.bracket()
				for i := range ticket.Orders {
					ticket.Orders[i].Legs[0].Quantity = ticket.Orders[i].Legs[0].Quantity.Shift(5)
				}
				_, err := b.try(ticket)
				assert.ErrorIs(b, err, broker.ErrRejected)
			},
			want: `entry: absent
				target: absent
				stop: absent`,
		},
	}
}

// exits are a target of 105 and a stop of 95 for ten shares.
func (b *bench) exits(kind broker.GroupKind) broker.Ticket {
	return broker.Ticket{Kind: kind, Orders: []broker.Order{
		b.limit("target", broker.SellToClose, 10, "105"), b.stop("stop", broker.SellToClose, 10, "95"),
	}}
}

// bracket is an entry at 99 with these exits.
func (b *bench) bracket() broker.Ticket {
	ticket := b.exits(broker.Bracket)
	ticket.Orders = append([]broker.Order{b.limit("entry", broker.BuyToOpen, 10, "-99")}, ticket.Orders...)
	return ticket
}
