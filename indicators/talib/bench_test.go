package talib_test

import (
	"strings"
	"testing"
	"time"

	"github.com/ttai-go/ttai/indicators/talib"
)

const benchBars = 200_000

// benchColumns are a random walk's.
func benchColumns() map[string][]float64 {
	seed, price := uint64(1), 1000.0
	random := func() float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed>>11) / (1 << 53)
	}
	columns := map[string][]float64{}
	for i := range benchBars {
		open := price
		price += 10 * (random() - 0.5)
		price = max(price, 10)
		for name, v := range map[string]float64{"open": open, "close": price, "high": max(open, price) + 3*random(),
			"low": min(open, price) - 3*random(), "volume": 1000 * random(), "periods": float64(2 + i%29)} {
			columns[name] = append(columns[name], v)
		}
	}
	return columns
}

// chain is the floor of every recurrence: one multiplication and one addition
// that wait for each other.
func chain(x []float64) (v float64) {
	for _, a := range x {
		v = float64(v*0.999) + a
	}
	return v
}

var sink float64

// BenchmarkBatch tells the time per bar, and as a multiple of the chain's in
// the same run.
func BenchmarkBatch(b *testing.B) {
	columns := benchColumns()
	for _, d := range talib.All() {
		b.Run(strings.TrimPrefix(d.Name, talib.Prefix), func(b *testing.B) {
			in := inputsOf(columns, d, false)
			dst, err := d.Batch(nil, in, nil)
			if err != nil {
				b.Fatal(err)
			}
			least, floor := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				dst, _ = d.Batch(dst, in, nil)
				least = min(least, time.Since(start))
				start = time.Now()
				sink = chain(columns["close"])
				floor = min(floor, time.Since(start))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(least.Nanoseconds())/benchBars, "ns/bar")
			b.ReportMetric(float64(least)/float64(floor), "x-chain")
		})
	}
}

// BenchmarkStream is BenchmarkBatch of the streams.
func BenchmarkStream(b *testing.B) {
	columns := benchColumns()
	for _, d := range talib.All() {
		b.Run(strings.TrimPrefix(d.Name, talib.Prefix), func(b *testing.B) {
			in := inputsOf(columns, d, false)
			s, err := d.Stream(nil)
			if err != nil {
				b.Fatal(err)
			}
			bar, out := make([]float64, len(in)), make([]float64, len(d.Outputs))
			least, floor := time.Hour, time.Hour
			for b.Loop() {
				start := time.Now()
				for i := range benchBars {
					for k := range in {
						bar[k] = in[k][i]
					}
					s.Update(bar, out)
				}
				least = min(least, time.Since(start))
				start = time.Now()
				sink = chain(columns["close"])
				floor = min(floor, time.Since(start))
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(least.Nanoseconds())/benchBars, "ns/bar")
			b.ReportMetric(float64(least)/float64(floor), "x-chain")
		})
	}
}
