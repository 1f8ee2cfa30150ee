package strategy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/strategy"
)

// What a chain of 2,000 contracts costs a strategy that holds an iron condor, and
// one that looks for something to sell by delta in 500 of them.
func BenchmarkChain(b *testing.B) {
	m := plain()
	m.Strikes = 62
	at := ny("2026-01-06", 10, 0)
	for name, params := range map[string]map[string]any{
		"holding": condor(map[string]any{"pricing": "natural", "take_profit": 0.9, "stop_delta": 0.9}),
		"looking": {"symbol": "XYZ", "dte": 30, "min_dte": 20, "max_dte": 70, "strike_range": 0, "contracts": 1, "min_credit": 0.99},
	} {
		b.Run(name, func(b *testing.B) {
			bench := newOptionBench(b, build(b, "iron-condor", params), ny("2026-01-06", 9, 0), benchOptions{}).start()
			quotes := m.at(at, 100)
			bench.chain(at, 100, quotes)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				now := at.Add(time.Duration(1+i%1000) * time.Millisecond)
				bench.data.chainAt = now
				require.NoError(b, bench.s.Deliver(&strategy.Event{Kind: strategy.ChainEvent, Time: now, Symbol: "XYZ", Chain: quotes}))
			}
			b.ReportMetric(float64(b.N)*float64(len(quotes))/b.Elapsed().Seconds(), "quotes/s")
		})
	}
}
