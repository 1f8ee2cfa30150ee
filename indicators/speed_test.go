package indicators_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/indicators/candles"
	ta "github.com/ttai-go/ttai/indicators/talib"
)

// speedBars are as many as TA-Lib's figures come from, and take most functions
// less time than the slice of a busy scheduler: the least of many runs is then
// one that nothing interrupted.
const speedBars = 200_000

// speedColumns are a random walk's.
func speedColumns() map[string][]float64 {
	seed, price := uint64(1), 1000.0
	random := func() float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed>>11) / (1 << 53)
	}
	columns := map[string][]float64{}
	for i := range speedBars {
		open := price
		price = max(price+10*(random()-0.5), 10)
		high, low := max(open, price)+3*random(), min(open, price)-3*random()
		unit := min(max((price-low)/(high-low), 0.01), 0.99)
		for name, v := range map[string]float64{"open": open, "close": price, "high": high, "low": low,
			"volume": 1000 * random(), "periods": float64(2 + i%29), "unit": unit} {
			columns[name] = append(columns[name], v)
		}
	}
	return columns
}

func speedInputs(columns map[string][]float64, d indicators.Indicator) [][]float64 {
	var in [][]float64
	transforms := " ACOS ASIN ATAN CEIL COS COSH EXP FLOOR LN LOG10 SIN SINH SQRT TAN TANH "
	for _, name := range d.Inputs {
		if strings.Contains(transforms, " "+strings.TrimPrefix(d.Name, ta.Prefix)+" ") {
			name = "unit"
		}
		in = append(in, columns[name])
	}
	return in
}

// speedChain is one multiplication and one addition a bar that wait for each
// other: the floor of every recurrence.
func speedChain(x []float64) (v float64) {
	for _, a := range x {
		v = float64(v*0.999) + a
	}
	return v
}

var speedSink float64

// ratio is the least time of f over the least time of the chain, run in turns,
// so many times and as many more as that much time allows.
func ratio(close []float64, runs int, atLeast time.Duration, f func()) float64 {
	least, floor := time.Hour, time.Hour
	begin := time.Now()
	for run := 0; run < runs || time.Since(begin) < atLeast; run++ {
		start := time.Now()
		f()
		least = min(least, time.Since(start))
		start = time.Now()
		speedSink = speedChain(close)
		floor = min(floor, time.Since(start))
	}
	return float64(least) / float64(floor)
}

func speedOf(columns map[string][]float64, d indicators.Indicator, runs int, atLeast time.Duration) (batch, stream float64, err error) {
	in := speedInputs(columns, d)
	params, err := d.Parameters(nil)
	if err != nil {
		return 0, 0, err
	}
	var dst [][]float64
	batch = ratio(columns["close"], runs, atLeast, func() { dst, _ = d.Batch(dst, in, params) })
	s, err := d.Stream(params)
	if err != nil {
		return 0, 0, err
	}
	bar, out := make([]float64, len(in)), make([]float64, len(d.Outputs))
	stream = ratio(columns["close"], runs, atLeast, func() {
		for i := range speedBars {
			for k := range in {
				bar[k] = in[k][i]
			}
			s.Update(bar, out)
		}
	})
	return batch, stream, nil
}

// BenchmarkSpeed tells what a bar costs in every indicator of the registry and
// in every function of TA-Lib, as multiples of the chain in the same run.
func BenchmarkSpeed(b *testing.B) {
	columns := speedColumns()
	for _, d := range append(indicators.All(), ta.All()...) {
		b.Run(d.Name, func(b *testing.B) {
			batch, stream, err := speedOf(columns, d, b.N, 0)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(batch, "x-chain")
			b.ReportMetric(stream, "x-chain-stream")
		})
	}
}

const speedFile = "speed.md"

// TestSpeedTable checks that the table has a line for everything, and with
// UPDATE_DOCS=1 measures it anew.
func TestSpeedTable(t *testing.T) {
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(speedFile, []byte(speedTable(t)), 0o644))
	}
	data, err := os.ReadFile(speedFile)
	require.NoError(t, err)
	for _, d := range append(indicators.All(), ta.All()...) {
		require.Contains(t, string(data), "\n| "+strings.TrimPrefix(d.Name, ta.Prefix)+" |", "run UPDATE_DOCS=1 go test -run SpeedTable ./indicators")
	}
	require.Len(t, talibSpeed, len(ta.All()))
}

func speedTable(t *testing.T) string {
	const runs, atLeast = 15, 120 * time.Millisecond
	before := loadAverage()
	columns := speedColumns()
	var own, theirs strings.Builder
	faster := 0
	for _, d := range indicators.All() {
		batch, stream, err := speedOf(columns, d, runs, atLeast)
		require.NoError(t, err)
		fmt.Fprintf(&own, "| %s | %.1f | %.1f |\n", d.Name, batch, stream)
	}
	all := ta.All()
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	for _, d := range all {
		batch, stream, err := speedOf(columns, d, runs, atLeast)
		require.NoError(t, err)
		name := strings.TrimPrefix(d.Name, ta.Prefix)
		c := talibSpeed[name]
		if math.Round(100*batch/c) <= 100 { // as printed
			faster++
		}
		fmt.Fprintf(&theirs, "| %s | %.2f | %.2f | %.2f | %.2f |\n", name, batch, stream, c, batch/c)
	}
	var events []candles.Event
	scan := ratio(columns["close"], runs, atLeast, func() {
		events, _ = candles.Scan(events[:0], columns["open"], columns["high"], columns["low"], columns["close"], nil)
	})
	return fmt.Sprintf(`# Speed of the indicators

Written by UPDATE_DOCS=1 go test -run SpeedTable ./indicators; do not edit.

Figures are times per bar as multiples of the floor of every recurrence, one
multiplication and one addition that wait for each other (about 2.4 ns on a
server of 2023), measured in turns with it in the same run over %d bars, the
least of %d or more. Parameters are the defaults. Batch reuses its destination; a
stream takes one bar at a time through the registry's interface, which by itself
costs one to two floors. Neither allocates. Other work on the machine slows the
indicators down more than the floor, which only waits: these figures are upper
bounds. The %d processors had a load average of %s at the start
and of %s at the end.

TA-Lib is its C source, version 0.6.0, at gcc -O2, over as many bars of the same
series, measured once; below 1 in the last column this package
is faster.

All candlestick patterns in one pass (candles.Scan): %.0f floors a bar.

## TA-Lib's functions

%d of %d take no longer than TA-Lib C.

| function | batch | stream | TA-Lib C | batch by TA-Lib C |
|---|---|---|---|---|
%s
## Indicators by the book

| indicator | batch | stream |
|---|---|---|
%s`, speedBars, runs, runtime.NumCPU(), before, loadAverage(), scan, faster, len(all), theirs.String(), own.String())
}

// loadAverage is that of the last minute, where the system tells.
func loadAverage() string {
	data, err := os.ReadFile("/proc/loadavg")
	if fields := strings.Fields(string(data)); err == nil && len(fields) > 0 {
		return fields[0]
	}
	return "unknown"
}
