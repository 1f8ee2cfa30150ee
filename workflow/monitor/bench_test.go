package monitor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// loaded returns a core with n rules of 1,000 tenants on 500 symbols: half price
// rules of every comparison, a quarter trailing, a quarter moves, most repeating so
// that their number stays.
func loaded(tb testing.TB, n int) (*monitor.Core, []market.Symbol, []float64, time.Time) {
	tb.Helper()
	core, err := monitor.NewCore(nil)
	if err != nil {
		tb.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	now := time.Date(2026, 6, 3, 14, 0, 0, 0, time.UTC)
	symbols, prices := make([]market.Symbol, 500), make([]float64, 500)
	for i := range symbols {
		symbols[i] = market.Symbol("S" + string(rune('A'+i/26%26)) + string(rune('A'+i%26)) + string(rune('A'+i/676)))
		prices[i] = 20 + 400*rng.Float64()
	}
	for k := range n {
		i := rng.IntN(len(symbols))
		p := prices[i]
		r := monitor.Rule{Symbol: symbols[i], Mode: monitor.Repeat}
		switch k % 4 {
		case 0, 1:
			x := math.Round(p*(1+0.1*rng.NormFloat64())*100) / 100
			r.Kind, r.Value, r.HysteresisPercent = monitor.KindPrice, &x, 0.5
			r.Op = []monitor.Op{monitor.CrossUp, monitor.CrossDown, monitor.Cross, monitor.Above, monitor.Below}[rng.IntN(5)]
		case 2:
			r.Kind, r.Percent, r.Side = monitor.KindTrailing, 1+10*rng.Float64(), []string{"high", "low"}[k/4%2]
		case 3:
			r.Kind, r.Percent = monitor.KindMove, 1+10*rng.Float64()
		}
		if _, err := core.Add(storage.TenantID(fmt.Sprint("tenant", k%1000)), fmt.Sprintf("%026d", k), r, now, nil, now); err != nil {
			tb.Fatal(err)
		}
	}
	for i, s := range symbols {
		core.Quote(last(s, prices[i]), now)
	}
	return core, symbols, prices, now
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkAMillionRules is the time from a tick to the decision with a million
// live rules, on one core: the mean, and the percentiles over all ticks.
func BenchmarkAMillionRules(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
			before := heapInUse()
			core, symbols, prices, now := loaded(b, n)
			perRule := float64(heapInUse()-before) / float64(n)
			rng := rand.New(rand.NewPCG(3, 4))
			took := make([]time.Duration, 0, b.N)
			hits, most := 0, 0
			b.ResetTimer()
			for range b.N {
				i := rng.IntN(len(symbols))
				prices[i] = math.Round(prices[i]*(1+0.0005*rng.NormFloat64())*100) / 100
				now = now.Add(10 * time.Microsecond)
				q := last(symbols[i], prices[i])
				start := time.Now()
				fired := core.Quote(q, now)
				took = append(took, time.Since(start))
				hits, most = hits+len(fired), max(most, len(fired))
			}
			b.StopTimer()
			slices.Sort(took)
			at := func(p float64) float64 { return float64(took[min(len(took)-1, int(p*float64(len(took))))]) / 1e3 }
			b.ReportMetric(at(0.5), "p50-µs")
			b.ReportMetric(at(0.99), "p99-µs")
			b.ReportMetric(at(0.999), "p99.9-µs")
			b.ReportMetric(at(1), "max-µs")
			b.ReportMetric(float64(hits)/float64(b.N), "hits/op")
			b.ReportMetric(perRule, "B/rule")
			if core.Len() != n {
				b.Fatal("rules went away")
			}
		})
	}
}
