package backtest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// minutes are bars of regular sessions from 2005 on, of a random walk.
func minutes(n int) []market.Bar {
	random := rand.New(rand.NewPCG(1, 2))
	bars := make([]market.Bar, 0, n)
	price := 100.0
	for _, s := range market.NYSE().Sessions(market.Date{Year: 2005, Month: 1, Day: 1}, market.Date{Year: 2026, Month: 1, Day: 1}) {
		for at := s.Open; at.Before(s.Close); at = at.Add(time.Minute) {
			if len(bars) == n {
				return bars
			}
			open := price
			price *= math.Exp(random.NormFloat64() * 0.0005)
			bars = append(bars, market.Bar{
				Time: at, Open: open, High: max(open, price) * 1.0001, Low: min(open, price) * 0.9999, Close: price, Volume: 1000,
			})
		}
	}
	return bars
}

// silence takes bars and does nothing.
func silence() *script {
	return &script{
		needs: strategy.Needs{Symbols: []market.Symbol{"SPY"}, Interval: market.Minute},
		on:    func(*strategy.Session, *strategy.Event) error { return nil },
	}
}

// BenchmarkBars is a two-average cross on one symbol and core, at two pairs of
// lengths, beside a strategy that does nothing and a plain dependent chain of
// multiplications and additions over the same bars.
func BenchmarkBars(b *testing.B) {
	bars := minutes(500_000)
	run := func(name string, make func() strategy.Strategy, rules backtest.Rules) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			trades, best := 0, time.Duration(math.MaxInt64)
			for range b.N {
				begin := time.Now()
				r, err := backtest.Run(b.Context(), backtest.Options{
					Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
					Accounts: []backtest.Account{{Strategy: make(), Cash: decimal.NewFromInt(1_000_000)}},
					Rules:    rules,
				})
				require.NoError(b, err)
				best = min(best, time.Since(begin))
				trades = len(r.Record.Accounts[0].Trades)
			}
			b.ReportMetric(float64(len(bars))/best.Seconds()/1e6, "best-Mbars/s")
			b.ReportMetric(float64(b.N)*float64(len(bars))/b.Elapsed().Seconds()/1e6, "Mbars/s")
			b.ReportMetric(float64(trades), "trades")
		})
	}
	run("nothing", func() strategy.Strategy { return silence() }, backtest.Rules{})
	for _, p := range [][2]int{{20, 80}, {50, 200}, {200, 1000}} {
		params := fmt.Sprintf(`{"symbol":"SPY","interval":"1m","fast":%d,"slow":%d,"stake":100}`, p[0], p[1])
		run(fmt.Sprintf("cross %d over %d", p[0], p[1]), func() strategy.Strategy { return crossingOf(b, params) }, backtest.Rules{})
		own := fmt.Sprintf(`{"symbol":"SPY","interval":"1m","fast":%d,"slow":%d,"quantity":100}`, p[0], p[1])
		run(fmt.Sprintf("ma-cross %d over %d", p[0], p[1]), func() strategy.Strategy { return builtin(b, "ma-cross", own) }, backtest.Rules{})
	}
	b.Run("chain", func(b *testing.B) {
		sum, best := 0.0, time.Duration(math.MaxInt64)
		for range b.N {
			begin := time.Now()
			for i := range bars {
				sum = sum*0.99 + bars[i].Close
			}
			best = min(best, time.Since(begin))
		}
		b.ReportMetric(float64(len(bars))/best.Seconds()/1e6, "best-Mbars/s")
		if math.IsNaN(sum) {
			b.Fatal("not a number")
		}
		b.ReportMetric(float64(b.N)*float64(len(bars))/b.Elapsed().Seconds()/1e6, "Mbars/s")
	})
}

// BenchmarkOrders is what an order costs from the strategy's decision to its round
// trip in the record: a strategy that buys and sells in turn, an order a bar, with
// the bars alone taken off.
func BenchmarkOrders(b *testing.B) {
	bars := minutes(20_000)
	run := func(trader func() strategy.Strategy) (time.Duration, uint64, int) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		begin := time.Now()
		r, err := backtest.Run(b.Context(), backtest.Options{
			Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: "SPY", Interval: market.Minute, Bars: bars}}},
			Accounts: []backtest.Account{{Strategy: trader(), Cash: decimal.NewFromInt(1_000_000)}},
		})
		took := time.Since(begin)
		runtime.ReadMemStats(&after)
		require.NoError(b, err)
		return took, after.Mallocs - before.Mallocs, len(r.Record.Accounts[0].Fills)
	}
	measure := func(name string, trader func() strategy.Strategy) {
		b.Run(name, func(b *testing.B) {
			alone, best, allocs, orders := time.Duration(math.MaxInt64), time.Duration(math.MaxInt64), uint64(0), 0
			for range b.N {
				idle, few, _ := run(func() strategy.Strategy { return silence() })
				took, many, filled := run(trader)
				alone, best, allocs, orders = min(alone, idle), min(best, took), many-few, filled
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric((best-alone).Seconds()*1e6/float64(orders), "best-µs/order")
			b.ReportMetric(float64(allocs)/float64(orders), "allocs/order")
		})
	}
	inTurn := func(act func(s *strategy.Session, buy bool) error) func() strategy.Strategy {
		return func() strategy.Strategy {
			t := silence()
			buy := false
			t.on = func(s *strategy.Session, e *strategy.Event) error {
				if e.Kind != strategy.BarEvent {
					return nil
				}
				buy = !buy
				return act(s, buy)
			}
			return t
		}
	}
	measure("placed", inTurn(func(s *strategy.Session, buy bool) error {
		action := broker.SellToClose
		if buy {
			action = broker.BuyToOpen
		}
		_, err := s.Submit(strategy.MarketOrder(action, "SPY", 100))
		return err
	}))
	measure("targets", inTurn(func(s *strategy.Session, buy bool) error {
		quantity := 0.0
		if buy {
			quantity = 100
		}
		_, err := s.Target("SPY", quantity)
		return err
	}))
	measure("both sides", inTurn(func(s *strategy.Session, buy bool) error {
		quantity := -100.0
		if buy {
			quantity = 100
		}
		_, err := s.Target("SPY", quantity)
		return err
	}))
}

// BenchmarkChains is recorded option chains gone through by a strategy that looks
// at each quote, the columns of the store alone, and exponentials for comparison.
func BenchmarkChains(b *testing.B) {
	store := yahooChain(b, "meta")
	rate := func(b *testing.B) {
		b.ReportMetric(float64(b.N)*float64(store.Len())/b.Elapsed().Seconds()/1e6, "Mquotes/s")
	}
	b.Run("replay", func(b *testing.B) {
		b.ReportAllocs()
		looked := 0
		s := &script{needs: strategy.Needs{Chains: []market.Symbol{"META"}}}
		s.on = func(_ *strategy.Session, e *strategy.Event) error {
			for i := range e.Chain {
				if q := &e.Chain[i]; q.Bid > 0 && q.Ask-q.Bid < 0.05*q.Ask {
					looked++
				}
			}
			return nil
		}
		for range b.N {
			_, err := backtest.Run(b.Context(), backtest.Options{
				Market:   &backtest.Market{Chains: []*backtest.ChainStore{store}},
				Accounts: []backtest.Account{{Strategy: s, Cash: decimal.NewFromInt(1_000_000)}},
			})
			require.NoError(b, err)
		}
		require.NotZero(b, looked)
		rate(b)
	})
	b.Run("columns", func(b *testing.B) {
		looked := 0
		for range b.N {
			for k := range store.Snapshots() {
				from, to := store.Rows(k)
				for row := from; row < to; row++ {
					if bid, ask := store.Prices(row); bid > 0 && ask-bid < 0.05*ask {
						looked++
					}
				}
			}
		}
		require.NotZero(b, looked)
		rate(b)
	})
	b.Run("find", func(b *testing.B) {
		k := store.Snapshots() / 2
		chain := store.Snapshot(k, nil)
		for n := range b.N {
			q := &chain[(n*7919)%len(chain)]
			if _, ok := store.Strike(k, q.Expiration, q.Root, q.Strike, q.Kind); !ok {
				b.Fatal("not found")
			}
		}
	})
	b.Run("exponentials", func(b *testing.B) {
		sum := 0.0
		for range b.N {
			for i := range store.Len() {
				sum += math.Exp(-float64(i&1023) / 1024)
			}
		}
		require.NotZero(b, sum)
		rate(b)
	})
}
