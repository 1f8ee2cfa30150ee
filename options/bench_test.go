package options_test

import (
	"fmt"
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

// perExp reports the cost of one of n in units of math.Exp, measured in the same
// run.
func perExp(b *testing.B, n int) {
	elapsed := b.Elapsed().Seconds() / float64(b.N) / float64(n)
	b.ReportMetric(1e9*elapsed, "ns/option")
	b.ReportMetric(elapsed/expCost(), "exp/option")
}

// BenchmarkAmericanChain values and inverts a chain of 20,000 contracts, on one
// processor and on all.
func BenchmarkAmericanChain(b *testing.B) {
	p, kinds := chainOf(40, 250)
	prices, dst := make([]float64, len(p)), make([]float64, len(p))
	if err := options.AmericanPriceBatch(prices, p, kinds); err != nil {
		b.Fatal(err)
	}
	for name, workers := range map[string]int{"one": 1, "all": 0} {
		b.Run("ImpliedVol/"+name, func(b *testing.B) {
			for b.Loop() {
				options.InParallel(len(p), workers, func(from, to int) {
					if err := options.AmericanImpliedVolBatch(dst[from:to], p[from:to], kinds[from:to], prices[from:to]); err != nil {
						b.Error(err)
					}
				})
			}
			perExp(b, len(p))
		})
		b.Run("Both/"+name, func(b *testing.B) {
			greeks := make([]options.AmericanGreeks, len(p))
			for b.Loop() {
				options.InParallel(len(p), workers, func(from, to int) {
					if err := options.AmericanImpliedBatch(dst[from:to], greeks[from:to], p[from:to], kinds[from:to], prices[from:to]); err != nil {
						b.Error(err)
					}
				})
			}
			perExp(b, len(p))
		})
		b.Run("Greeks/"+name, func(b *testing.B) {
			greeks := make([]options.AmericanGreeks, len(p))
			for b.Loop() {
				options.InParallel(len(p), workers, func(from, to int) {
					if err := options.AmericanGreeksBatch(greeks[from:to], p[from:to], kinds[from:to]); err != nil {
						b.Error(err)
					}
				})
			}
			perExp(b, len(p))
		})
	}
}

// BenchmarkEuropeanChain gives implied volatilities and Greeks of the same chain.
func BenchmarkEuropeanChain(b *testing.B) {
	p, kinds := chainOf(40, 250)
	prices, vols, greeks := make([]float64, len(p)), make([]float64, len(p)), make([]options.Greeks, len(p))
	if err := options.PriceBatch(prices, p, kinds); err != nil {
		b.Fatal(err)
	}
	for name, workers := range map[string]int{"one": 1, "all": 0} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				options.InParallel(len(p), workers, func(from, to int) {
					_ = options.ImpliedVolBatch(vols[from:to], p[from:to], kinds[from:to], prices[from:to])
					_ = options.GreeksBatch(greeks[from:to], p[from:to], kinds[from:to])
				})
			}
			perExp(b, len(p))
		})
	}
}

// BenchmarkAmerican is one option at each accuracy.
func BenchmarkAmerican(b *testing.B) {
	rows := americanRows(b)
	for _, a := range []options.Accuracy{options.Accuracy1e4, options.Accuracy1e6, options.Accuracy1e8, options.Accuracy1e10} {
		b.Run(fmt.Sprintf("1e%d", a), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				r := rows[i%len(rows)]
				sink += r.p.American(r.kind, a)
			}
			perExp(b, 1)
		})
	}
}
