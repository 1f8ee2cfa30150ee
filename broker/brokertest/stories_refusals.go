package brokertest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// refusalStories are what is not done, and leaves nothing behind.
func refusalStories() []scenario {
	return []scenario{
		{
			name: "more than the buying power is refused", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				ticket := broker.NewTicket(b.limit("big", broker.BuyToOpen, 1_000_000, "-100"))
				preview, err := b.Broker.Preview(b.ctx, b.Account, ticket)
				require.NoError(b, err, "what would be rejected is no error of a preview")
				assert.NotEmpty(b, preview.Refusals)
				_, err = b.try(ticket)
				assert.ErrorIs(b, err, broker.ErrRejected)
				var rejected *broker.RejectedError
				if assert.ErrorAs(b, err, &rejected) {
					assert.NotEmpty(b, rejected.Notices)
				}
			},
			want: `big: absent`,
		},
		{
			name: "a price between ticks is refused", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				_, err := b.try(broker.NewTicket(b.limit("odd", broker.BuyToOpen, 10, "-99.005")))
				assert.True(b, refused(err), "%v", err)
			},
			want: `odd: absent`,
		},
		{
			name: "an instrument that takes no orders is refused", needs: []need{orderType(broker.Limit), closed},
			run: func(b *bench) {
				o := b.limit("closed", broker.BuyToOpen, 1, "-1")
				o.Legs[0].Symbol = b.Closed
				_, err := b.try(broker.NewTicket(o))
				assert.True(b, refused(err), "%v", err)
			},
			want: `closed: absent`,
		},
		{
			name: "a ticket that makes no sense is not sent", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				wrong := b.limit("wrong", broker.BuyToOpen, 10, "99") // a credit to buy
				none := b.limit("none", broker.BuyToOpen, 0, "-99")
				for _, o := range []broker.Order{wrong, none, {Tag: tag("empty")}} {
					_, err := b.Broker.Preview(b.ctx, b.Account, broker.NewTicket(o))
					var field *broker.FieldError
					assert.ErrorAs(b, err, &field, o.Tag)
					_, err = b.try(broker.NewTicket(o))
					assert.ErrorAs(b, err, &field, o.Tag)
				}
			},
			want: `wrong: absent
				none: absent
				empty: absent`,
		},
		{
			name: "what the broker lacks is not supported and not sent",
			run: func(b *bench) {
				for name, ticket := range b.lacking() {
					_, err := b.try(ticket)
					assert.ErrorIs(b, err, broker.ErrUnsupported, name)
					_, err = b.Broker.Preview(b.ctx, b.Account, ticket)
					assert.ErrorIs(b, err, broker.ErrUnsupported, name)
				}
				list, err := b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{})
				require.NoError(b, err)
				assert.Empty(b, list)
				if !b.can.Replace {
					_, err := b.Broker.Replace(b.ctx, b.Account, "1", b.limit("second", broker.BuyToOpen, 10, "-99"))
					assert.ErrorIs(b, err, broker.ErrUnsupported)
				}
				b.forget()
			},
			want: `nothing`,
		},
		{
			name: "a tag is used once", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				o := b.limit("entry", broker.BuyToOpen, 10, "-99")
				b.place(o)
				_, err := b.Broker.Place(b.ctx, b.Account, broker.NewTicket(o))
				assert.True(b, refused(err), "%v", err)
				list, err := b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{})
				require.NoError(b, err)
				assert.Len(b, list, 1)
			},
			want: `entry: working`,
		},
		{
			name: "of many that send one tag at once, one is taken", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				o := b.limit("entry", broker.BuyToOpen, 10, "-99")
				b.remember(o.Tag)
				taken := make(chan bool, 8)
				for range cap(taken) {
					go func() {
						_, err := b.Broker.Place(b.ctx, b.Account, broker.NewTicket(o))
						taken <- err == nil
					}()
				}
				n := 0
				for range cap(taken) {
					if <-taken {
						n++
					}
				}
				assert.Equal(b, 1, n)
			},
			want: `entry: working`,
		},
		{
			name: "many callers at once do not disturb each other", needs: []need{orderType(broker.Limit)},
			run:  func(b *bench) { b.crowd() },
			want: `nothing`,
		},
		{
			name: "a call whose context has ended does nothing", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				ctx, cancel := context.WithCancel(b.ctx)
				cancel()
				o := b.limit("late", broker.BuyToOpen, 10, "-99")
				b.remember(o.Tag)
				_, err := b.Broker.Place(ctx, b.Account, broker.NewTicket(o))
				assert.True(b, errors.Is(err, context.Canceled) || errors.Is(err, broker.ErrUnavailable), "%v", err)
				assert.NotErrorIs(b, err, broker.ErrUncertain, "nothing was sent")
				for name, call := range map[string]func() error{
					"Preview": func() error {
						_, err := b.Broker.Preview(ctx, b.Account, broker.NewTicket(b.limit("x", broker.BuyToOpen, 10, "-99")))
						return err
					},
					"Orders":    func() error { _, err := b.Broker.Orders(ctx, b.Account, broker.OrdersQuery{}); return err },
					"Balances":  func() error { _, err := b.Broker.Balances(ctx, b.Account); return err },
					"Positions": func() error { _, err := b.Broker.Positions(ctx, b.Account); return err },
				} {
					assert.Error(b, call(), name)
				}
			},
			want: `late: absent`,
		},
	}
}

// lacking is a ticket for each thing that the broker's capabilities do not name.
func (b *bench) lacking() map[string]broker.Ticket {
	list := map[string]broker.Ticket{}
	add := func(name string, o broker.Order) {
		o.Tag = tag(fmt.Sprintf("lack%d", len(list)))
		if ticket := broker.NewTicket(o); ticket.Validate() == nil && errors.Is(b.can.Check(ticket), broker.ErrUnsupported) {
			list[name] = ticket
		}
	}
	for _, kind := range []broker.OrderType{broker.Market, broker.Limit, broker.Stop, broker.StopLimit, broker.TrailingStop} {
		o := b.order("", kind, b.leg(broker.BuyToOpen, 3))
		switch kind {
		case broker.Limit:
			o.Limit = money("-91")
		case broker.Stop:
			o.Stop = money("120")
		case broker.StopLimit:
			o.Limit, o.Stop = money("-121"), money("120")
		case broker.TrailingStop:
			o.Trail = &broker.Trail{Amount: money("2")}
		}
		add("the type "+string(kind), o)
	}
	for _, tif := range []broker.TimeInForce{broker.Day, broker.GTC, broker.GTD, broker.IOC, broker.OnClose, broker.OnOpen} {
		o := b.limit("", broker.BuyToOpen, 3, "-91")
		o.TimeInForce = tif
		if tif == broker.GTD {
			o.GoodTill = market.DateOf(b.Now()).AddDays(7)
		}
		add("the time in force "+string(tif), o)
	}
	fraction := b.limit("", broker.BuyToOpen, 3, "-91")
	fraction.Legs[0].Quantity = decimal.RequireFromString("0.5")
	add("fractions", fraction)
	notional := b.market("", broker.BuyToOpen, 0)
	notional.Notional = money("500")
	add("notional", notional)
	extended := b.limit("", broker.BuyToOpen, 3, "-91")
	extended.ExtendedHours = true
	add("extended hours", extended)
	coin := b.limit("", broker.BuyToOpen, 1, "-91")
	coin.Legs[0].Symbol = "BTC/USD"
	add("coins", coin)
	for _, kind := range []broker.GroupKind{broker.OTO, broker.OCO, broker.Bracket} {
		n := len(list)
		ticket := broker.Ticket{Kind: kind}
		for i, price := range []string{"-91", "-92", "-93"}[:2+map[broker.GroupKind]int{broker.Bracket: 1}[kind]] {
			ticket.Orders = append(ticket.Orders, b.limit(fmt.Sprintf("lack%d-%d", n, i), broker.BuyToOpen, 3, price))
		}
		if errors.Is(b.can.Check(ticket), broker.ErrUnsupported) {
			list["the group "+string(kind)] = ticket
		}
	}
	return list
}

// crowd places, reads and cancels from many goroutines. Every order is one, and
// nothing works afterwards.
func (b *bench) crowd() {
	const callers = 8
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := map[broker.OrderID]string{}
	for i := range callers {
		o := b.limit(fmt.Sprintf("crowd%d", i), broker.BuyToOpen, int64(i+1), "-90")
		b.remember(o.Tag)
		wg.Go(func() {
			states, err := b.Broker.Place(b.ctx, b.Account, broker.NewTicket(o))
			if !assert.NoError(b, err) {
				return
			}
			mu.Lock()
			other, taken := ids[states[0].ID]
			ids[states[0].ID] = o.Tag
			b.ids[o.Tag] = states[0].ID
			mu.Unlock()
			assert.False(b, taken, "%s and %s are one order", other, o.Tag)
			read, err := b.Broker.Order(b.ctx, b.Account, states[0].ID)
			if assert.NoError(b, err) {
				assert.Equal(b, o.Tag, read.Order.Tag)
			}
			_, err = b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{})
			assert.NoError(b, err)
		})
	}
	wg.Wait()
	b.settle()
	for i := range callers {
		wg.Go(func() {
			_, err := b.Broker.Cancel(b.ctx, b.Account, b.ids[tag(fmt.Sprintf("crowd%d", i))])
			assert.NoError(b, err)
		})
	}
	wg.Wait()
	b.await("nothing works", func() bool {
		list, err := b.Broker.Orders(b.ctx, b.Account, broker.OrdersQuery{Working: true})
		require.NoError(b, err)
		return len(list) == 0
	})
	b.forget()
}
