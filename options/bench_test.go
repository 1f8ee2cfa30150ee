package options_test

import (
	"math"
	"testing"

	"github.com/ttai-go/ttai/options"
)

// grid is the hard grid as batches: implied volatilities and their prices.
func grid(b *testing.B) (p []options.BSM, kinds []options.Kind, prices []float64) {
	for _, row := range readTable(b, "iv_black_ref.csv") {
		p = append(p, options.BSM{Spot: number(b, row, "F"), Strike: number(b, row, "K"), Years: number(b, row, "T"), Vol: number(b, row, "iv")})
		kinds = append(kinds, sign(b, row))
		prices = append(prices, number(b, row, "price"))
	}
	return p, kinds, prices
}

// BenchmarkExp is the floor that the other figures are read against.
func BenchmarkExp(b *testing.B) {
	x := make([]float64, 1024)
	for i := range x {
		x[i] = -20 * float64(i) / 1024
	}
	sum := 0.0
	for i := 0; b.Loop(); i++ {
		sum += math.Exp(x[i&1023])
	}
	if sum == 0 {
		b.Fatal("no sum")
	}
}

func perOption(b *testing.B, options int) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(options), "ns/option")
}

func BenchmarkPriceBatch(b *testing.B) {
	p, kinds, _ := grid(b)
	dst := make([]float64, len(p))
	b.ReportAllocs()
	for b.Loop() {
		if err := options.PriceBatch(dst, p, kinds); err != nil {
			b.Fatal(err)
		}
	}
	perOption(b, len(p))
}

func BenchmarkGreeksBatch(b *testing.B) {
	p, kinds, _ := grid(b)
	dst := make([]options.Greeks, len(p))
	b.ReportAllocs()
	for b.Loop() {
		if err := options.GreeksBatch(dst, p, kinds); err != nil {
			b.Fatal(err)
		}
	}
	perOption(b, len(p))
}

func BenchmarkImpliedVolBatch(b *testing.B) {
	p, kinds, prices := grid(b)
	dst := make([]float64, len(p))
	b.ReportAllocs()
	for b.Loop() {
		if err := options.ImpliedVolBatch(dst, p, kinds, prices); err != nil {
			b.Fatal(err)
		}
	}
	perOption(b, len(p))
}
