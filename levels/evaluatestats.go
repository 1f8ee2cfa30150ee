package levels

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A tally gathers what walks through series find. A bucket is a row of the result.
type tally struct {
	o       *EvaluateOptions
	kinds   []Kind // by bucket
	buckets map[Kind]int
	watched []int
	missing []int // unfinished touches, by bucket

	pending []pending // touches of the series under way
	touches []tried
	cells   []map[int64]*cell // by bucket and block of time
	daily   []map[int64]*cell // the random levels' outcomes by bucket and the day that decided
	real    []map[int64]*cell // the same of the levels
	seconds int64             // of a block

	series   int
	from, to time.Time
	stopped  bool

	// control is called for each random level that was reached; nil in use.
	control func(randomTouch)
}

type pending struct {
	bucket int
	bar    int
	arming arming
	touch  Touch
}

type tried struct {
	bucket int
	prior  float64 // base rate before anything is known
	touch  Touch
}

// A cell sums up a block of time.
type cell struct {
	n, hits          float64 // touches of the levels
	randoms, randHit float64
	err, baseErr     float64 // squared errors of the forecasts
}

func (c *cell) add(x *cell, times float64) {
	c.n += times * x.n
	c.hits += times * x.hits
	c.randoms += times * x.randoms
	c.randHit += times * x.randHit
	c.err += times * x.err
	c.baseErr += times * x.baseErr
}

func newTally(o *EvaluateOptions, series []market.Series) *tally {
	t := &tally{o: o, buckets: map[Kind]int{}}
	block := o.Block
	if block == 0 {
		block = 24 * time.Hour
		for _, s := range series {
			if n := s.Len(); n > 1 {
				block = max(block, s.Time[n-1].Sub(s.Time[0])/time.Duration(n-1)*time.Duration(4*min(o.Horizon, 100_000)))
			}
		}
	}
	t.seconds = max(1, int64(block/time.Second))
	return t
}

func (t *tally) bucket(k Kind) int {
	b, ok := t.buckets[k]
	if !ok {
		b = len(t.kinds)
		t.buckets[k] = b
		t.kinds = append(t.kinds, k)
		t.watched, t.missing = append(t.watched, 0), append(t.missing, 0)
		t.cells = append(t.cells, map[int64]*cell{})
		t.daily, t.real = append(t.daily, map[int64]*cell{}), append(t.real, map[int64]*cell{})
	}
	return b
}

func in(cells map[int64]*cell, key int64) *cell {
	c := cells[key]
	if c == nil {
		c = &cell{}
		cells[key] = c
	}
	return c
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func (t *tally) block(at time.Time) int64 { return floorDiv(at.Unix(), t.seconds) }

func dayOf(at time.Time) int64 { return floorDiv(at.Unix(), 86400) }

// random takes the outcome of a random level.
func (t *tally) random(bucket int, at, decided time.Time, hit float64) {
	c := in(t.cells[bucket], t.block(at))
	c.randoms++
	c.randHit += hit
	c = in(t.daily[bucket], dayOf(decided))
	c.randoms++
	c.randHit += hit
}

// finishSeries decides the touches of a series that has been read.
func (t *tally) finishSeries(w *evaluationWalk) {
	for k := range t.pending {
		p := &t.pending[k]
		outcome, at, ok := w.decide(p.bar, p.arming.side, p.arming.low, p.arming.high)
		if !ok {
			t.missing[p.bucket]++
			continue
		}
		p.touch.Outcome, p.touch.Decided = outcome, w.s.Time[at]
		prior := t.o.Break / (t.o.Reaction + t.o.Break) // of a walk without drift
		if t.o.standard() {
			prior = baseRate(conditions{span: spanOf(w.s.Interval), atr: p.touch.ATR}, p.arming.high-p.arming.low)
		}
		t.touches = append(t.touches, tried{p.bucket, prior, p.touch})
		c := in(t.real[p.bucket], dayOf(p.touch.Decided))
		c.n++
		c.hits += hit(outcome)
	}
	t.pending = t.pending[:0]
	t.series++
	if n := w.s.Len(); n > 0 {
		if t.from.IsZero() || w.s.Time[0].Before(t.from) {
			t.from = w.s.Time[0]
		}
		if w.s.Time[n-1].After(t.to) {
			t.to = w.s.Time[n-1]
		}
	}
}

func hit(o Outcome) float64 {
	if o == OutcomeReaction {
		return 1
	}
	return 0
}

// A running sums up the days before one.
type running struct {
	days  []int64
	cells map[int64]*cell
	sum   cell
}

func newRunning(cells map[int64]*cell) *running {
	r := &running{cells: cells}
	for d := range cells {
		r.days = append(r.days, d)
	}
	slices.Sort(r.days)
	return r
}

func (r *running) before(d int64) *cell {
	for len(r.days) > 0 && r.days[0] < d {
		r.sum.add(r.cells[r.days[0]], 1)
		r.days = r.days[1:]
	}
	return &r.sum
}

// How many outcomes the beliefs of before outweigh.
const (
	priorWeight = 50
	ownWeight   = 100
)

// forecast gives each touch the probabilities known before it.
func (t *tally) forecast() {
	slices.SortStableFunc(t.touches, func(a, b tried) int { return a.touch.At.Compare(b.touch.At) })
	random, real := make([]*running, len(t.kinds)), make([]*running, len(t.kinds))
	for b := range t.kinds {
		random[b], real[b] = newRunning(t.daily[b]), newRunning(t.real[b])
	}
	for k := range t.touches {
		x := &t.touches[k]
		d := dayOf(x.touch.At)
		known := random[x.bucket].before(d)
		x.touch.Base = (known.randHit + priorWeight*x.prior) / (known.randoms + priorWeight)
		switch {
		case t.o.Forecast != nil:
			x.touch.Forecast = t.o.Forecast(x.touch.Level)
		case t.o.standard():
			x.touch.Forecast = x.touch.Level.Strength
		default:
			own := real[x.bucket].before(d)
			x.touch.Forecast = (own.hits + ownWeight*x.touch.Base) / (own.n + ownWeight)
		}
		h := hit(x.touch.Outcome)
		c := in(t.cells[x.bucket], t.block(x.touch.At))
		c.n++
		c.hits += h
		c.err += (x.touch.Forecast - h) * (x.touch.Forecast - h)
		c.baseErr += (x.touch.Base - h) * (x.touch.Base - h)
	}
}

func (t *tally) evaluation(bars int) *Evaluation {
	t.forecast()
	e := &Evaluation{Series: t.series, Bars: bars, From: t.from, To: t.to, Stopped: t.stopped}
	order := Kinds()
	place := func(k Kind) int {
		if i := slices.Index(order, k); i >= 0 {
			return i
		}
		return len(order)
	}
	buckets := make([]int, len(t.kinds))
	for b := range buckets {
		buckets[b] = b
	}
	slices.SortFunc(buckets, func(a, b int) int {
		return cmp.Or(cmp.Compare(place(t.kinds[a]), place(t.kinds[b])), cmp.Compare(t.kinds[a], t.kinds[b]))
	})
	for _, b := range buckets {
		if t.watched[b] > 0 {
			e.Kinds = append(e.Kinds, t.row(t.kinds[b], []int{b}))
		}
	}
	e.All = t.row("all", buckets)
	if t.o.Record {
		for _, x := range t.touches {
			e.Touches = append(e.Touches, x.touch)
		}
	}
	return e
}

// row is the record of the buckets together.
func (t *tally) row(kind Kind, buckets []int) KindEvaluation {
	r := KindEvaluation{Kind: kind}
	merged := map[int64]*cell{}
	for _, b := range buckets {
		r.Watched += t.watched[b]
		r.Unfinished += t.missing[b]
		for key, c := range t.cells[b] {
			in(merged, key).add(c, 1)
		}
	}
	bins := make([]ReliabilityBin, t.o.Bins)
	for k := range t.touches {
		x := &t.touches[k]
		if !slices.Contains(buckets, x.bucket) {
			continue
		}
		r.Touches++
		switch x.touch.Outcome {
		case OutcomeReaction:
			r.Reactions++
		case OutcomeBreak:
			r.Breaks++
		default:
			r.Timeouts++
		}
		if f := x.touch.Forecast; f >= 0 && f <= 1 {
			b := &bins[min(int(f*float64(len(bins))), len(bins)-1)]
			b.Touches++
			b.Forecast += f
			b.Rate += hit(x.touch.Outcome)
		}
	}
	for i, b := range bins {
		if b.Touches > 0 {
			b.Low, b.High = float64(i)/float64(len(bins)), float64(i+1)/float64(len(bins))
			b.Forecast /= float64(b.Touches)
			b.Rate /= float64(b.Touches)
			r.Bins = append(r.Bins, b)
		}
	}
	keys := make([]int64, 0, len(merged))
	for key := range merged {
		keys = append(keys, key)
	}
	slices.Sort(keys) // sums must not depend on the order of a map
	blocks := make([]cell, 0, len(keys))
	var sum cell
	for _, key := range keys {
		blocks = append(blocks, *merged[key])
		sum.add(merged[key], 1)
		if merged[key].n > 0 {
			r.Blocks++
		}
	}
	r.RandomTouches = int(sum.randoms)
	s := sum.figures()
	r.Rate, r.RandomRate, r.Difference, r.Skill = s.rate, s.random, s.difference, s.skill
	r.Brier, r.BaseBrier = sum.err/sum.n, sum.baseErr/sum.n
	low, high := t.intervals(blocks, r.Blocks)
	r.RateLow, r.RateHigh = low.rate, high.rate
	r.DifferenceLow, r.DifferenceHigh = low.difference, high.difference
	r.SkillLow, r.SkillHigh = low.skill, high.skill
	return r
}

type figures struct{ rate, random, difference, skill float64 }

// figures are NaN where there is nothing to divide by.
func (c *cell) figures() figures {
	f := figures{rate: c.hits / c.n, random: c.randHit / c.randoms, skill: 1 - c.err/c.baseErr}
	f.difference = f.rate - f.random
	return f
}

// intervals draws blocks with replacement: the percentiles of what comes out
// (B. Efron, "Bootstrap methods: another look at the jackknife", 1979; H. R. Künsch,
// "The jackknife and the bootstrap for general stationary observations", 1989).
func (t *tally) intervals(blocks []cell, counted int) (low, high figures) {
	nan := figures{math.NaN(), math.NaN(), math.NaN(), math.NaN()}
	if counted < 2 {
		return nan, nan
	}
	r := rand.New(rand.NewPCG(t.o.Seed, 1<<40))
	drawn := make([]figures, 0, t.o.Resamples)
	for range t.o.Resamples {
		var sum cell
		for range blocks {
			sum.add(&blocks[r.IntN(len(blocks))], 1)
		}
		if sum.n > 0 {
			drawn = append(drawn, sum.figures())
		}
	}
	tail := (1 - t.o.Confidence) / 2
	limits := func(pick func(f figures) float64) (a, b float64) {
		values := make([]float64, 0, len(drawn))
		for _, f := range drawn {
			if v := pick(f); !math.IsNaN(v) && !math.IsInf(v, 0) {
				values = append(values, v)
			}
		}
		if len(values) < 2 {
			return math.NaN(), math.NaN()
		}
		slices.Sort(values)
		at := func(p float64) float64 {
			x := p * float64(len(values)-1)
			k := min(int(x), len(values)-2)
			return values[k] + (x-float64(k))*(values[k+1]-values[k])
		}
		return at(tail), at(1 - tail)
	}
	low.rate, high.rate = limits(func(f figures) float64 { return f.rate })
	low.difference, high.difference = limits(func(f figures) float64 { return f.difference })
	low.skill, high.skill = limits(func(f figures) float64 { return f.skill })
	return low, high
}
