package paper_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// resting is an exchange with a thousand orders away from the market, of all
// kinds, on a number of symbols, and quotes that walk between them.
func resting(b testing.TB, symbols int) (*paper.Exchange, []paper.Quote) {
	d := newDesk(b, tuesday, func(o *paper.Options) {
		o.Unchecked = true
		o.Accounts[0].Cash = decimal.NewFromInt(1_000_000_000)
	})
	names := make([]market.Symbol, symbols)
	for i := range names {
		names[i] = market.Symbol("Q" + string(rune('A'+i/26)) + string(rune('A'+i%26)))
		d.quote(names[i], 100, 100.02)
		d.place(d.order(broker.Market, "", leg(names[i], buyOpen, "100000")))
	}
	for i := range 1000 {
		s := names[i%symbols]
		step := float64(i/symbols)*0.01 + 5
		price := func(x float64) string { return strconv.FormatFloat(x, 'f', 2, 64) }
		var o broker.Order
		switch i % 5 {
		case 0, 1:
			o = d.order(broker.Limit, price(100-step), leg(s, buyOpen, "10"))
		case 2:
			o = d.order(broker.Limit, price(100+step), leg(s, sellClose, "10"))
		case 3:
			o = d.order(broker.Stop, price(100-step), leg(s, sellClose, "10"))
		default:
			o = d.order(broker.Stop, price(100+step), leg(s, buyOpen, "10"))
		}
		d.place(o)
	}
	quotes := make([]paper.Quote, 4096)
	at := clockAt(b, tuesday)
	for i := range quotes {
		shift := float64((i*7919)%300) / 100
		quotes[i] = paper.Quote{Symbol: names[i%symbols], Time: at.Add(time.Duration(i)), Bid: 98.5 + shift, Ask: 98.52 + shift, BidSize: 100, AskSize: 100}
	}
	return d.Exchange, quotes
}

// BenchmarkQuotes is quotes against a thousand resting orders: all on one symbol,
// and spread over a hundred.
func BenchmarkQuotes(b *testing.B) {
	for _, symbols := range []int{1, 100} {
		b.Run(strconv.Itoa(symbols)+"symbols", func(b *testing.B) {
			x, quotes := resting(b, symbols)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				if err := x.Quote(quotes[i%len(quotes)]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mquotes/s")
		})
	}
	b.Run("batch", func(b *testing.B) {
		x, quotes := resting(b, 1)
		b.ReportAllocs()
		b.ResetTimer()
		for n := 0; n < b.N; n += len(quotes) {
			if err := x.Quotes(quotes[:min(len(quotes), b.N-n)]); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mquotes/s")
	})
}

// BenchmarkPlainScan is the plain reference: each quote compared with each of a
// thousand orders.
func BenchmarkPlainScan(b *testing.B) {
	_, quotes := resting(b, 1)
	type resting struct {
		price float64
		buy   bool
	}
	orders := make([]resting, 1000)
	for i := range orders {
		orders[i] = resting{95 - float64(i)*0.01, true}
		if i%2 == 0 {
			orders[i] = resting{105 + float64(i)*0.01, false}
		}
	}
	hits := 0
	b.ResetTimer()
	for i := range b.N {
		q := &quotes[i%len(quotes)]
		for j := range orders {
			o := &orders[j]
			if o.buy && q.Ask <= o.price || !o.buy && q.Bid >= o.price {
				hits++
			}
		}
	}
	if hits > 0 {
		b.Fatal("orders were reached")
	}
}

// BenchmarkPlaceAndFill is a market order from Place to the filled position.
func BenchmarkPlaceAndFill(b *testing.B) {
	d := newDesk(b, tuesday)
	d.quote("SPY", 500, 500.02)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		action := buyOpen
		if i%2 == 1 {
			action = sellClose
		}
		d.place(d.order(broker.Market, "", leg("SPY", action, "10")))
	}
}

// BenchmarkBars is bars of one symbol with ten resting orders: a session's minutes
// again and again, and days.
func BenchmarkBars(b *testing.B) {
	for _, c := range []struct {
		name     string
		interval market.Interval
	}{{"minutes", market.Minute}, {"days", market.Day}} {
		b.Run(c.name, func(b *testing.B) {
			start := func() *desk {
				d := newDesk(b, "1990-01-01 00:00", func(o *paper.Options) { o.Unchecked, o.FreePrices = true, true })
				d.quote("SPY", 100, 100)
				for i := range 10 {
					o := d.order(broker.Limit, strconv.Itoa(50+i), leg("SPY", buyOpen, "1"))
					o.TimeInForce = broker.GTC
					d.place(o)
				}
				return d
			}
			var bars []paper.Bar
			for _, s := range market.NYSE().Sessions(market.Date{Year: 1990, Month: 1, Day: 1}, market.Date{Year: 2026, Month: 1, Day: 1}) {
				at := s.Date.In(market.NYSE().Location())
				n := 1
				if c.interval == market.Minute {
					at, n = s.Open, int(s.Close.Sub(s.Open)/time.Minute)
				}
				for i := range n {
					bars = append(bars, paper.Bar{Symbol: "SPY", Interval: c.interval, Bar: market.Bar{
						Time: at.Add(time.Duration(i) * time.Minute), Open: 100, High: 101, Low: 99, Close: 100.5, Volume: 1000,
					}})
				}
				if len(bars) > 400_000 {
					break
				}
			}
			d := start()
			b.ResetTimer()
			for i := range b.N {
				if i%len(bars) == 0 && i > 0 {
					b.StopTimer()
					d = start()
					b.StartTimer()
				}
				if err := d.Bars(bars[i%len(bars) : i%len(bars)+1]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mbars/s")
		})
	}
}
