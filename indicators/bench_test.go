package indicators_test

import (
	"math"
	"testing"

	"github.com/ttai-go/ttai/indicators"
)

const benchBars = 100_000

func perBar(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchBars, "ns/bar")
}

// BenchmarkFloor is one dependent multiply-add a bar: what no recurrence beats.
func BenchmarkFloor(b *testing.B) {
	s := readable(benchBars)
	dst := make([]float64, benchBars)
	for b.Loop() {
		m := 0.0
		for i, v := range s.Close {
			m = m*0.9 + v
			dst[i] = m
		}
	}
	perBar(b)
	if math.IsNaN(dst[5]) {
		b.Fatal("no result")
	}
}

func BenchmarkBatch(b *testing.B) {
	s := readable(benchBars)
	for _, d := range indicators.All() {
		b.Run(d.Name, func(b *testing.B) {
			in, err := indicators.Columns(s, d.Inputs)
			if err != nil {
				b.Fatal(err)
			}
			params, err := d.Parameters(nil)
			if err != nil {
				b.Fatal(err)
			}
			var dst [][]float64
			b.ReportAllocs()
			for b.Loop() {
				if dst, err = d.Batch(dst, in, params); err != nil {
					b.Fatal(err)
				}
			}
			perBar(b)
		})
	}
}

func BenchmarkStream(b *testing.B) {
	s := readable(benchBars)
	for _, d := range indicators.All() {
		b.Run(d.Name, func(b *testing.B) {
			in, err := indicators.Columns(s, d.Inputs)
			if err != nil {
				b.Fatal(err)
			}
			stream, err := d.Stream(nil)
			if err != nil {
				b.Fatal(err)
			}
			row, out := make([]float64, len(in)), make([]float64, len(d.Outputs))
			b.ReportAllocs()
			for b.Loop() {
				for i := range benchBars {
					for k := range in {
						row[k] = in[k][i]
					}
					stream.Update(row, out)
				}
			}
			perBar(b)
		})
	}
}
