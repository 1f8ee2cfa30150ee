package levels

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/ttai-go/ttai/market"
)

// minutes makes n one-minute bars of regular hours, with a drift-free walk.
func minutes(n int) []market.Bar {
	r := rand.New(rand.NewPCG(5, 6))
	bars := make([]market.Bar, 0, n)
	price := 400.0
	for _, session := range market.NYSE().Sessions(market.Date{Year: 2010, Month: 1, Day: 4}, market.Date{Year: 2030, Month: 12, Day: 31}) {
		for at := session.Open; at.Before(session.Close) && len(bars) < n; at = at.Add(time.Minute) {
			b := market.Bar{Time: at, Open: price, High: price, Low: price, Volume: float64(1000 + r.IntN(9000))}
			for range 4 {
				price *= 1 + 0.0003*r.NormFloat64()
				b.High, b.Low = max(b.High, price), min(b.Low, price)
			}
			b.Close = price
			bars = append(bars, b)
		}
	}
	return bars
}

// The engine over a million minutes; ns/bar is the cost of one Update.
func BenchmarkEngine(b *testing.B) {
	bars := minutes(1_000_000)
	for _, test := range []struct {
		name  string
		kinds []Kind
	}{
		{"none", []Kind{KindCallWall}}, // what a bar costs before anything is looked for
		{"swings", []Kind{KindSwingHigh, KindSwingLow}},
		{"swings, zones, profiles", append([]Kind{KindSwingHigh, KindSwingLow, KindZone}, profileKinds()...)},
		{"all kinds", nil},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.ReportAllocs()
			var found []Level
			for b.Loop() {
				e, err := NewEngine(&Options{Interval: market.Minute, Kinds: test.kinds})
				if err != nil {
					b.Fatal(err)
				}
				for i := range bars {
					if err := e.Update(bars[i]); err != nil {
						b.Fatal(err)
					}
				}
				found = e.Levels(found)
			}
			perBar := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / float64(len(bars))
			b.ReportMetric(perBar/expNanoseconds(), "×exp/bar")
			b.ReportMetric(perBar, "ns/bar")
		})
	}
}

func BenchmarkLevels(b *testing.B) {
	e, err := NewEngine(&Options{Interval: market.Minute})
	if err != nil {
		b.Fatal(err)
	}
	for _, bar := range minutes(20_000) {
		if err := e.Update(bar); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	var found []Level
	for b.Loop() {
		found = e.Levels(found)
	}
	b.ReportMetric(float64(len(found)), "levels")
}

func BenchmarkFind(b *testing.B) {
	s := walk(1, 2500, 0.25)
	for b.Loop() {
		if _, err := Find(s, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// expNanoseconds is what math.Exp costs at this moment, the best of several
// times: a loaded machine slows both alike.
func expNanoseconds() float64 {
	const n = 500_000
	sum, best := 0.0, math.Inf(1)
	for range 8 {
		begin := time.Now()
		for i := range n {
			sum += math.Exp(float64(i&1023)/1024 - 0.5)
		}
		best = min(best, float64(time.Since(begin).Nanoseconds())/n)
	}
	if sum < 0 {
		return 0
	}
	return best
}
