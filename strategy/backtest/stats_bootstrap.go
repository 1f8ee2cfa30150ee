package backtest

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Resampling says how a bootstrap draws series from a series.
type Resampling string

// The ways to draw.
const (
	// Stationary draws blocks of a geometric length around the series, so that
	// what is drawn is stationary (Politis and Romano 1994). It is the default.
	Stationary Resampling = "stationary"
	// Circular draws blocks of one length around the series (Politis and Romano 1992).
	Circular Resampling = "circular"
	// Moving draws blocks of one length that lie within the series (Künsch 1989).
	Moving Resampling = "moving"
	// Independent draws single values: for what has no memory.
	Independent Resampling = "independent"
)

// BootstrapOptions set a bootstrap. The zero value works.
type BootstrapOptions struct {
	Method  Resampling // default Stationary
	Samples int        // how many series are drawn; default 2,000
	// Block is the length of blocks, the mean length for Stationary. 0: chosen from
	// the autocorrelations by the rule of Politis and White (2004, corrected 2009).
	Block float64
	// Confidence is that of the interval; default 0.95.
	Confidence float64
	Seed       uint64
	Workers    int // 0: one for each processor. They do not change the result.
}

// An Interval is an estimate with the range in which the true value lies with the
// stated confidence.
type Interval struct {
	Estimate   float64 `json:"estimate"` // of the series itself
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Confidence float64 `json:"confidence"`
	// StandardError is the deviation of the statistic over what was drawn.
	StandardError float64 `json:"standard_error"`
	Block         float64 `json:"block"`
	Samples       int     `json:"samples"`
}

// Bootstrap says how sure a statistic of a series is: it draws series of the same
// length, takes the statistic of each, and returns the percentiles (Efron 1979).
// Statistic must be safe for concurrent use and must not keep its argument. What is
// NaN for a drawn series is left out. The same seed gives the same interval however
// many workers there are.
//
// The error is a *[FieldError], or that of ctx.
func Bootstrap(ctx context.Context, series []float64, statistic func([]float64) float64, opts *BootstrapOptions) (Interval, error) {
	var o BootstrapOptions
	if opts != nil {
		o = *opts
	}
	if err := o.complete(series); err != nil {
		return Interval{}, err
	}
	out := Interval{Estimate: statistic(series), Confidence: o.Confidence, Block: o.Block}
	drawn := make([]float64, o.Samples)
	err := spread(ctx, o.Workers, o.Samples, func() func(int) {
		buffer := make([]float64, len(series))
		return func(i int) {
			drawn[i] = statistic(o.draw(buffer, series, rand.New(rand.NewPCG(o.Seed, uint64(i)))))
		}
	})
	if err != nil {
		return Interval{}, err
	}
	drawn = slices.DeleteFunc(drawn, math.IsNaN)
	out.Samples = len(drawn)
	slices.Sort(drawn)
	tail := (1 - o.Confidence) / 2
	out.Low, out.High = quantile(drawn, tail), quantile(drawn, 1-tail)
	out.StandardError = deviation(drawn, 1)
	return out, nil
}

func (o *BootstrapOptions) complete(series []float64) error {
	if len(series) < 2 {
		return invalid.Field("series", len(series), "at least two values")
	}
	for _, v := range series {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return invalid.Field("series", v, "finite values")
		}
	}
	if o.Method == "" {
		o.Method = Stationary
	}
	if !slices.Contains([]Resampling{Stationary, Circular, Moving, Independent}, o.Method) {
		return invalid.Field("Method", o.Method, "stationary, circular, moving or independent")
	}
	if o.Samples == 0 {
		o.Samples = 2000
	}
	if o.Samples < 2 || o.Samples > 1_000_000 {
		return invalid.Field("Samples", o.Samples, "2 to 1,000,000")
	}
	if o.Confidence == 0 {
		o.Confidence = 0.95
	}
	if !(o.Confidence > 0 && o.Confidence < 1) {
		return invalid.Field("Confidence", o.Confidence, "above 0 and below 1, such as 0.95")
	}
	switch {
	case o.Method == Independent:
		o.Block = 1
	case o.Block == 0:
		o.Block = BlockLength(series, o.Method)
	}
	if !(o.Block >= 1 && o.Block <= float64(len(series))) {
		return invalid.Fieldf("Block", o.Block, "1 to the length of the series, %d", len(series))
	}
	if o.Method != Stationary {
		o.Block = math.Round(o.Block)
	}
	return nil
}

// draw fills buffer with a series drawn from series.
func (o *BootstrapOptions) draw(buffer, series []float64, r *rand.Rand) []float64 {
	n := len(series)
	if o.Method == Stationary {
		at := r.IntN(n)
		for i := range buffer {
			buffer[i] = series[at]
			if at++; at == n {
				at = 0
			}
			if r.Float64()*o.Block < 1 {
				at = r.IntN(n)
			}
		}
		return buffer
	}
	block := int(o.Block)
	for i := 0; i < n; {
		from := n
		if o.Method == Moving {
			from = n - block + 1
		}
		at := r.IntN(from)
		for range min(block, n-i) {
			buffer[i] = series[at%n]
			i, at = i+1, at+1
		}
	}
	return buffer
}

// BlockLength is the length of blocks that suits the memory of a series for a
// bootstrap of its mean (Politis and White 2004, with the correction of Patton,
// Politis and White 2009): at least 1, and no more than the smaller of 3·√n and n/3.
func BlockLength(series []float64, method Resampling) float64 {
	n := len(series)
	most := math.Ceil(min(3*math.Sqrt(float64(n)), float64(n)/3))
	most = max(most, 1)
	if n < 8 {
		return 1
	}
	m := mean(series)
	covariances := func(lag int) float64 {
		var sum float64
		for t := lag; t < n; t++ {
			sum += (series[t] - m) * (series[t-lag] - m)
		}
		return sum / float64(n)
	}
	zero := covariances(0)
	if !(zero > 0) {
		return 1
	}
	// The memory ends at the first lag after which several in a row are no larger than chance.
	inRow := max(5, int(math.Ceil(math.Sqrt(math.Log10(float64(n))))))
	lags := int(math.Ceil(math.Sqrt(float64(n)))) + inRow
	lags = min(lags, n-1)
	threshold := 2 * math.Sqrt(math.Log10(float64(n))/float64(n))
	r := make([]float64, lags+1)
	for k := range r {
		r[k] = covariances(k)
	}
	memory, run := 0, 0
	for k := 1; k <= lags; k++ {
		if math.Abs(r[k]/zero) < threshold {
			if run++; run == inRow {
				break
			}
			continue
		}
		memory, run = k, 0
	}
	window := min(2*max(memory, 1), lags)
	var g, spectrum float64 = 0, r[0]
	for k := 1; k <= window; k++ {
		// A window that is flat to its half and falls to zero at its end.
		w := 1.0
		if x := float64(k) / float64(window); x > 0.5 {
			w = 2 * (1 - x)
		}
		g += 2 * w * float64(k) * r[k]
		spectrum += 2 * w * r[k]
	}
	d := 4.0 / 3 * spectrum * spectrum
	if method == Stationary || method == "" {
		d = 2 * spectrum * spectrum
	}
	if !(d > 0) {
		return 1
	}
	return min(max(math.Cbrt(2*g*g/d)*math.Cbrt(float64(n)), 1), most)
}

// quantile interpolates between the order statistics of sorted values; NaN for none.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	low := int(math.Floor(at))
	if low >= len(sorted)-1 {
		return sorted[len(sorted)-1]
	}
	return sorted[low] + (at-float64(low))*(sorted[low+1]-sorted[low])
}

// spread calls work for 0 to n-1 on several goroutines, each with what one call of
// begin made for it, and waits for them. It ends early with the error of ctx.
func spread(ctx context.Context, workers, n int, begin func() func(int)) error {
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	workers = min(workers, n)
	var next sync.Mutex
	at := 0
	take := func(chunk int) (from, to int) {
		next.Lock()
		defer next.Unlock()
		from = at
		at = min(at+chunk, n)
		return from, at
	}
	chunk := max(1, min(64, n/(8*max(workers, 1))))
	var all sync.WaitGroup
	for range workers {
		all.Go(func() {
			work := begin()
			for ctx.Err() == nil {
				from, to := take(chunk)
				if from == to {
					return
				}
				for i := from; i < to; i++ {
					work(i)
				}
			}
		})
	}
	all.Wait()
	return ctx.Err()
}
