package paper_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// FuzzRestore: no bytes make an exchange that panics, and what is restored is
// written again as it was.
func FuzzRestore(f *testing.F) {
	d := newDesk(f, tuesday)
	d.quote("SPY", 500, 500.1, 5, 5)
	d.bracket()
	d.place(d.order(broker.Limit, "1.05", leg(put480, sellOpen, "1"), leg(put470, buyOpen, "1")))
	seed, err := d.Snapshot()
	require.NoError(f, err)
	f.Add(seed)
	f.Add([]byte(`{"Version":1}`))
	f.Add([]byte(`{`))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := paper.Restore(data, nil)
		if err != nil {
			return
		}
		first, err := x.Snapshot()
		require.NoError(t, err)
		y, err := paper.Restore(first, nil)
		require.NoError(t, err)
		second, err := y.Snapshot()
		require.NoError(t, err)
		require.Equal(t, string(first), string(second))
		_ = x.Quote(paper.Quote{Symbol: "SPY", Time: x.Now().Add(time.Second), Bid: 480, Ask: 480.1, BidSize: 9, AskSize: 9})
	})
}

// FuzzInputs: whatever quotes, prints, bars and orders come, nothing panics, and
// cash is what the transactions say.
func FuzzInputs(f *testing.F) {
	f.Add([]byte("\x00aaaaaaaa\x01bbbbbbbb\x02cccccccc\x03dddddddd\x04eeeeeeee"))
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0x24, 0x40, 0, 3, 1, 2, 3, 4, 5, 6, 7, 8, 2, 9, 9, 9, 9, 9, 9, 9, 9})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newDesk(t, tuesday)
		for i := 0; len(data) >= 9 && i < 200; i++ {
			kind, bits := data[0], data[1:9]
			a := math.Float64frombits(binary.LittleEndian.Uint64(bits))
			b := float64(binary.LittleEndian.Uint16(bits)) / 100
			data = data[9:]
			switch kind % 6 {
			case 0:
				_ = d.Quote(paper.Quote{Symbol: "SPY", Bid: b, Ask: b + float64(bits[2])/100, BidSize: float64(bits[3]), AskSize: float64(bits[4])})
			case 1:
				_ = d.Quote(paper.Quote{Symbol: "SPY", Bid: a, Ask: a, BidSize: a, AskSize: a})
			case 2:
				_ = d.Trade(paper.Trade{Symbol: "SPY", Price: a, Size: b})
			case 3:
				_ = d.Bars([]paper.Bar{{Symbol: "SPY", Interval: market.Minute, Bar: market.Bar{Time: d.Now(), Open: b, High: b + 1, Low: b - 1, Close: a}}})
			case 4:
				types := []broker.OrderType{broker.Market, broker.Limit, broker.Stop, broker.StopLimit, broker.TrailingStop}
				o := broker.Order{Tag: fmt.Sprintf("f%d", i), Type: types[bits[2]%5], Legs: []broker.Leg{{
					Symbol: "SPY", Action: []broker.Action{buyOpen, sellOpen, buyClose, sellClose}[bits[3]%4], Quantity: decimal.NewFromInt(int64(bits[4]) - 1),
				}}}
				price := decimal.NewFromFloat(b)
				o.Limit, o.Stop, o.Trail = &price, &price, &broker.Trail{Amount: &price}
				switch o.Type {
				case broker.Market:
					o.Limit, o.Stop, o.Trail = nil, nil, nil
				case broker.Limit:
					o.Stop, o.Trail = nil, nil
				case broker.Stop:
					o.Limit, o.Trail = nil, nil
				case broker.StopLimit:
					o.Trail = nil
				default:
					o.Limit, o.Stop = nil, nil
				}
				if o.Limit != nil && o.Legs[0].Action.Sign() > 0 {
					negative := price.Neg()
					o.Limit = &negative
				}
				_, _ = d.Place(t.Context(), account, broker.NewTicket(o))
			case 5:
				_ = d.Advance(d.Now().Add(time.Duration(bits[0]) * time.Minute))
			}
		}
		l := paper.LedgerOf(d.Exchange, account)
		require.True(t, l.Cash.Sub(decimal.NewFromInt(100_000)).Equal(l.Transactions))
	})
}
