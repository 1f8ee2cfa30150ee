package brokertest

import (
	"slices"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// orderStories are how single orders fill.
func orderStories() []scenario {
	return []scenario{
		{
			name: "a limit order rests", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				state := b.place(b.limit("entry", broker.BuyToOpen, 100, "-99"))
				assert.False(b, state.Received.IsZero())
			},
			want: `entry: working`,
		},
		{
			name: "a limit order rests and fills when the quote comes to it", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.limit("entry", broker.BuyToOpen, 100, "-99"))
				b.stock(98.90, 99.00, 10_000)
				b.awaitFilled("entry", 100)
			},
			want: `entry: filled 100 at 99
				stock: 100
				cash: -9900`,
		},
		{
			name: "a limit order beyond the quote fills at the quote", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				b.place(b.limit("entry", broker.BuyToOpen, 10, "-101"))
				b.awaitFilled("entry", 10)
			},
			want: `entry: filled 10 at 100.1
				stock: 10
				cash: -1001`,
		},
		{
			name: "market orders buy at the ask and sell at the bid", needs: []need{orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				b.place(b.market("out", broker.SellToClose, 4))
				b.awaitFilled("out", 4)
			},
			want: `in: filled 10 at 100.1
				out: filled 4 at 99.9
				stock: 6
				cash: -601.4`,
		},
		{
			name: "shares are sold short and bought back", needs: []need{orderType(broker.Market), orderType(broker.Limit)},
			run: func(b *bench) {
				b.hold("short", broker.SellToOpen, 10)
				b.place(b.limit("cover", broker.BuyToClose, 4, "-100.10"))
				b.awaitFilled("cover", 4)
			},
			want: `short: filled 10 at 99.9
				cover: filled 4 at 100.1
				stock: -6
				cash: 598.6`,
		},
		{
			name: "a position that is closed is gone", needs: []need{orderType(broker.Market)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				b.place(b.market("out", broker.SellToClose, 10))
				b.awaitFilled("out", 10)
			},
			want: `in: filled 10 at 100.1
				out: filled 10 at 99.9
				cash: -2`,
		},
		{
			name: "an order fills in parts as there is size", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				b.stock(99.90, 100.10, 40)
				b.place(b.limit("entry", broker.BuyToOpen, 100, "-100.10"))
				part := b.awaitFilled("entry", 40)
				assert.Equal(b, broker.Live, part.Status, "partly filled is no state of its own")
				b.stock(99.90, 100.10, 60)
				b.awaitFilled("entry", 100)
			},
			want: `entry: filled 100 at 100.1
				stock: 100
				cash: -10010`,
		},
		{
			name: "the rest of a partly filled order works on", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				b.stock(99.90, 100.10, 40)
				b.place(b.limit("entry", broker.BuyToOpen, 100, "-100.10"))
				b.awaitFilled("entry", 40)
				b.stock(101.00, 101.20, 10_000)
			},
			want: `entry: working 40 at 100.1
				stock: 40
				cash: -4004`,
		},
		{
			name: "immediate or cancel takes what there is", needs: []need{orderType(broker.Limit), inForce(broker.IOC)},
			run: func(b *bench) {
				b.stock(99.90, 100.10, 40)
				o := b.limit("entry", broker.BuyToOpen, 100, "-100.10")
				o.TimeInForce = broker.IOC
				b.place(o)
				b.awaitStatus("entry", broker.Cancelled)
			},
			want: `entry: cancelled 40 at 100.1
				stock: 40
				cash: -4004`,
		},
		{
			name: "immediate or cancel ends when there is nothing", needs: []need{orderType(broker.Limit), inForce(broker.IOC)},
			run: func(b *bench) {
				o := b.limit("entry", broker.BuyToOpen, 100, "-99")
				o.TimeInForce = broker.IOC
				b.place(o)
				b.awaitStatus("entry", broker.Cancelled)
			},
			want: `entry: cancelled`,
		},
		{
			name: "a day order expires and one until cancelled stays", needs: []need{orderType(broker.Limit), inForce(broker.Day), inForce(broker.GTC), dayEnds},
			run: func(b *bench) {
				b.place(b.limit("day", broker.BuyToOpen, 10, "-90"))
				o := b.limit("gtc", broker.BuyToOpen, 10, "-90")
				o.TimeInForce = broker.GTC
				b.place(o)
				b.EndDay()
				b.awaitStatus("day", broker.Expired)
			},
			want: `day: expired
				gtc: working`,
		},
		{
			name: "a stop waits for its trigger", needs: []need{orderType(broker.Market), orderType(broker.Stop)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				b.place(b.stop("stop", broker.SellToClose, 10, "95"))
				b.trade(96.00, 96.10, 96.00)
			},
			want: `in: filled 10 at 100.1
				stop: working
				stock: 10
				cash: -1001`,
		},
		{
			name: "a stop triggers and sells at the bid", needs: []need{orderType(broker.Market), orderType(broker.Stop)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				b.place(b.stop("stop", broker.SellToClose, 10, "95"))
				b.trade(94.90, 95.00, 94.90)
				b.awaitFilled("stop", 10)
			},
			want: `in: filled 10 at 100.1
				stop: filled 10 at 94.9
				cash: -52`,
		},
		{
			name: "a stop to buy triggers above", needs: []need{orderType(broker.Market), orderType(broker.Stop)},
			run: func(b *bench) {
				b.hold("short", broker.SellToOpen, 10)
				b.place(b.stop("stop", broker.BuyToClose, 10, "105"))
				b.trade(105.00, 105.10, 105.10)
				b.awaitFilled("stop", 10)
			},
			want: `short: filled 10 at 99.9
				stop: filled 10 at 105.1
				cash: -52`,
		},
		{
			name: "a stop limit triggers and then rests at its limit", needs: []need{orderType(broker.Market), orderType(broker.StopLimit)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				o := b.order("stop", broker.StopLimit, b.leg(broker.SellToClose, 10))
				o.Stop, o.Limit = money("95"), money("94.95")
				b.place(o)
				b.trade(94.50, 94.60, 94.55)
				b.awaitStatus("stop", broker.Live)
				b.trade(94.95, 95.05, 94.95)
				b.awaitFilled("stop", 10)
			},
			want: `in: filled 10 at 100.1
				stop: filled 10 at 94.95
				cash: -51.5`,
		},
		{
			name: "a trailing stop follows the price", needs: []need{orderType(broker.Market), orderType(broker.TrailingStop)},
			run: func(b *bench) {
				b.hold("in", broker.BuyToOpen, 10)
				o := b.order("stop", broker.TrailingStop, b.leg(broker.SellToClose, 10))
				o.Trail = &broker.Trail{Amount: money("2")}
				b.place(o)
				b.trade(110.00, 110.10, 110.00)
				b.trade(109.00, 109.10, 109.00)
				require.True(b, b.find(tag("stop")).Status.CanFill(), "a fall of less than the distance")
				b.trade(107.90, 108.00, 107.90)
				b.awaitFilled("stop", 10)
			},
			want: `in: filled 10 at 100.1
				stop: filled 10 at 107.9
				cash: 78`,
		},
		{
			name: "what was asked for is read back", needs: []need{orderType(broker.Limit)},
			run: func(b *bench) {
				for _, o := range b.everyKind() {
					b.place(o)
					state := b.find(o.Tag)
					require.NotNil(b, state, o.Tag)
					assertSameOrder(b, o, state.Order)
				}
				b.closeAll()
			},
			want: `nothing`,
		},
	}
}

// everyKind is an order that rests for each type and time in force that the broker
// has and that can rest in the middle of a session.
func (b *bench) everyKind() []broker.Order {
	var list []broker.Order
	for _, kind := range []broker.OrderType{broker.Limit, broker.Stop, broker.StopLimit, broker.TrailingStop} {
		for _, tif := range []broker.TimeInForce{broker.Day, broker.GTC, broker.GTD, broker.OnClose} {
			plain := tif == broker.Day || kind == broker.Limit
			if !plain || !slices.Contains(b.can.Types, kind) || !slices.Contains(b.can.TimesInForce, tif) {
				continue
			}
			o := b.order(string(kind[:1])+string(kind[len(kind)-2:])+string(tif), kind, b.leg(broker.BuyToOpen, 3))
			o.TimeInForce = tif
			if kind == broker.Limit {
				o.Limit = money("-91.23")
			}
			if kind == broker.Stop || kind == broker.StopLimit {
				o.Stop = money("120.5")
			}
			if kind == broker.StopLimit {
				o.Limit = money("-121")
			}
			if kind == broker.TrailingStop {
				o.Trail = &broker.Trail{Percent: money("5")}
			}
			if tif == broker.GTD {
				o.GoodTill = market.DateOf(b.Now()).AddDays(7)
			}
			list = append(list, o)
			if kind == broker.Limit && tif == broker.Day && b.can.ExtendedHours {
				ext := o
				ext.Tag, ext.ExtendedHours = tag("ext"), true
				list = append(list, ext)
			}
		}
	}
	return list
}

func assertSameOrder(b *bench, want, got broker.Order) {
	b.Helper()
	assert.Equal(b, want.Tag, got.Tag)
	assert.Equal(b, want.Type, got.Type, want.Tag)
	assert.Equal(b, want.Duration(), got.Duration(), want.Tag)
	assert.Equal(b, want.GoodTill, got.GoodTill, want.Tag)
	assert.Equal(b, want.ExtendedHours, got.ExtendedHours, want.Tag)
	for _, pair := range [][2]*decimal.Decimal{{want.Limit, got.Limit}, {want.Stop, got.Stop}, {want.Notional, got.Notional}} {
		if assert.Equal(b, pair[0] == nil, pair[1] == nil, want.Tag) && pair[0] != nil {
			assert.True(b, pair[0].Equal(*pair[1]), "%s: %s, not %s", want.Tag, pair[0], pair[1])
		}
	}
	if assert.Equal(b, want.Trail == nil, got.Trail == nil, want.Tag) && want.Trail != nil {
		assert.Equal(b, want.Trail.String(), got.Trail.String())
	}
	if assert.Len(b, got.Legs, len(want.Legs)) {
		for i, leg := range want.Legs {
			assert.Equal(b, leg.Symbol, got.Legs[i].Symbol)
			assert.Equal(b, leg.Action, got.Legs[i].Action)
			assert.True(b, leg.Quantity.Equal(got.Legs[i].Quantity), "%s", got.Legs[i].Quantity)
		}
	}
}

// closeAll cancels what works, and takes it off the list of what is observed.
func (b *bench) closeAll() {
	b.Helper()
	for _, whole := range b.sent {
		short := whole[len(tag("")):]
		b.cancel(short)
	}
	b.forget()
}

// forget leaves the orders so far to the laws alone.
func (b *bench) forget() { b.quiet = append(b.quiet, b.sent...) }
