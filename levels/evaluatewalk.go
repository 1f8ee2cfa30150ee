package levels

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/ttai-go/ttai/market"
)

// A walk goes through one series with an engine and tries the levels it meets.
type evaluationWalk struct {
	o         *EvaluateOptions
	t         *tally
	s         market.Series // those bars that were read
	e         *Engine
	tolerance float64
	daily     bool
	atr       []float64 // after each bar

	before, now []Level // as they stood after the last bar but one, and after the last
	watched     map[levelID]*watch
	armed       []*watch
	areas       []Area
	ready       []arming // lines and areas, for one bar
	armings     []arming
	distances   map[place][]float64
	thin        *rand.Rand
}

// place is what the distance of a random level is drawn by.
type place struct {
	bucket int
	side   int8
}

// levelID is what a level keeps while it lives.
type levelID struct {
	kind             Kind
	source           string
	price, low, high float64
	born, confirmed  int64
}

func idOf(l *Level) levelID {
	return levelID{l.Kind, l.Source, l.Price, l.Low, l.High, l.Born.Unix(), l.Confirmed.Unix()}
}

// A watch is a level that does not move.
type watch struct {
	at      int // place among the levels as they stood before the bar
	seen    int // the last bar that it was among them
	visits  int
	reached int // the last bar that reached it while it was armed
	waiting bool
	now     arming
	open    []int // armings whose end is not known yet
}

// An arming is the chance for price to come to a level: it begins with a bar
// wholly on one side of it.
type arming struct {
	bucket    int
	at        int // for lines and areas: place among the levels or areas
	from, to  int // the level may be reached after from, until to
	side      int8
	low, high float64
	distance  float64 // from the bar's near end to the widened band, in average true ranges
}

func newWalk(o *EvaluateOptions, t *tally, s market.Series) (*evaluationWalk, error) {
	f := o.Find
	f.Symbol, f.Interval = s.Symbol, s.Interval
	e, err := NewEngine(&f)
	if err != nil {
		return nil, err
	}
	return &evaluationWalk{
		o: o, t: t, s: s, e: e, tolerance: e.o.Touch.Tolerance, daily: e.daily,
		watched: map[levelID]*watch{}, distances: map[place][]float64{}, thin: rand.New(rand.NewPCG(o.Seed, 1)),
	}, nil
}

// everyBars is how often Progress is asked.
const everyBars = 256

func (w *evaluationWalk) run(progress func(done int) bool) (read int, err error) {
	atr := newTrueRange(w.e.o.Touch.ATR)
	n := w.s.Len()
	w.atr = make([]float64, 0, n)
	for i := range n {
		if i%everyBars == 0 && !progress(i) {
			n = i
			break
		}
		bar := w.s.Bar(i)
		w.touches(i, &bar)
		if err := w.e.Update(bar); err != nil {
			return i, err
		}
		if knownBar(&bar) {
			atr.update(bar.High, bar.Low, bar.Close)
		}
		w.atr = append(w.atr, atr.mean)
		w.before, w.now = w.now, w.e.Levels(w.before)
		w.arm(i, &bar)
	}
	w.s = w.s.Slice(0, n)
	for _, x := range w.watched {
		w.end(x, n-1)
	}
	return n, nil
}

// touches looks which levels, as they stood before it, bar i reaches.
func (w *evaluationWalk) touches(i int, bar *market.Bar) {
	if i == 0 {
		return
	}
	tolerance := w.tolerance * w.atr[i-1]
	kept := w.armed[:0]
	for _, x := range w.armed {
		switch {
		case x.now.reaches(bar, tolerance):
			x.waiting, x.reached = false, i
			x.visits++
			w.touch(i, &x.now, x.visits, w.now[x.at])
		case i >= x.now.from+w.o.Wait:
			x.waiting = false
		default:
			kept = append(kept, x)
		}
	}
	w.armed = kept
	for k := range w.ready {
		if a := &w.ready[k]; a.reaches(bar, tolerance) {
			if w.o.Confluence != nil {
				w.touch(i, a, 0, w.areas[a.at].level())
			} else {
				w.touch(i, a, 0, w.now[a.at])
			}
		}
	}
}

// reaches reports whether a bar comes to the band or beyond it.
func (a *arming) reaches(bar *market.Bar, tolerance float64) bool {
	if a.side > 0 {
		return bar.Low <= a.high+tolerance
	}
	return bar.High >= a.low-tolerance
}

// touch tries a level that bar i reaches.
func (w *evaluationWalk) touch(i int, a *arming, visit int, l Level) {
	at := w.s.Time[i]
	if at.Before(w.o.From) || !w.o.To.IsZero() && !at.Before(w.o.To) {
		return
	}
	x := Touch{Symbol: w.s.Symbol, Level: l, At: at, Approach: int(a.side), Visit: visit, ATR: w.atr[i-1], Families: 1}
	if w.o.Confluence != nil {
		x.Families = len(w.areas[a.at].Families)
	} else {
		x.Families = familiesAt(w.now, l.Low, l.High, confluenceWidth*x.ATR)
	}
	w.t.pending = append(w.t.pending, pending{bucket: a.bucket, bar: i, arming: *a, touch: x})
}

// arm looks which levels bar i lies wholly on one side of.
func (w *evaluationWalk) arm(i int, bar *market.Bar) {
	atr := w.atr[i]
	w.ready = w.ready[:0]
	usable := atr > 0 && knownBar(bar)
	if w.o.Confluence != nil {
		if usable {
			w.areas = confluence(w.areas[:0], w.now, w.conditions(i), *w.o.Confluence)
			for k := range w.areas {
				w.oneBar(i, k, w.t.bucket(familiesKind(len(w.areas[k].Families))), bar, w.areas[k].Low, w.areas[k].High)
			}
		}
		return
	}
	for k := range w.now {
		l := &w.now[k]
		bucket := w.t.bucket(l.Kind)
		if l.Kind.Moves() || l.State == "" {
			if usable {
				w.oneBar(i, k, bucket, bar, l.Low, l.High)
			}
			continue
		}
		id := idOf(l)
		x := w.watched[id]
		if x == nil {
			x = &watch{reached: -1}
			w.watched[id] = x
		}
		x.at, x.seen = k, i
		if x.waiting || x.visits >= w.o.Visits || !usable {
			continue
		}
		if a, ok := w.chance(i, bucket, bar, l.Low, l.High); ok {
			if x.visits == 0 && len(x.open) == 0 {
				w.t.watched[bucket]++
			}
			x.waiting, x.now = true, a
			x.open = append(x.open, len(w.armings))
			w.armings = append(w.armings, a)
			w.armed = append(w.armed, x)
		}
	}
	gone := false
	for id, x := range w.watched {
		if x.seen < i {
			w.end(x, i)
			gone = gone || x.waiting
			x.waiting = false
			delete(w.watched, id)
		}
	}
	if gone {
		w.armed = slices.DeleteFunc(w.armed, func(x *watch) bool { return !x.waiting })
	}
}

// end says until when random levels in the place of x may be reached: while it
// is there. One that ends with its first touch does not end them.
func (w *evaluationWalk) end(x *watch, i int) {
	for _, k := range x.open {
		a := &w.armings[k]
		a.to = a.from + w.o.Wait
		if x.reached < i {
			a.to = min(a.to, i)
		}
	}
	x.open = nil
}

// chance makes an arming of a level when the bar lies wholly on one side of it.
func (w *evaluationWalk) chance(i, bucket int, bar *market.Bar, low, high float64) (arming, bool) {
	atr := w.atr[i]
	tolerance := w.tolerance * atr
	a := arming{bucket: bucket, from: i, low: low, high: high}
	switch {
	case bar.Low > high+tolerance:
		a.side, a.distance = +1, (bar.Low-high-tolerance)/atr
	case bar.High < low-tolerance:
		a.side, a.distance = -1, (low-tolerance-bar.High)/atr
	default:
		return a, false
	}
	p := place{bucket, a.side}
	w.distances[p] = append(w.distances[p], a.distance)
	return a, true
}

// thinning is the share of a line's bars that random levels stand beside: there
// are as many of these as bars.
const thinning = 0.2

// oneBar makes an arming that holds for the next bar alone.
func (w *evaluationWalk) oneBar(i, at, bucket int, bar *market.Bar, low, high float64) {
	a, ok := w.chance(i, bucket, bar, low, high)
	if !ok {
		return
	}
	a.at, a.to = at, i+1
	w.t.watched[bucket]++
	w.ready = append(w.ready, a)
	if w.thin.Float64() < thinning {
		w.armings = append(w.armings, a)
	}
}

// conditions are those after bar i.
func (w *evaluationWalk) conditions(i int) conditions {
	return conditions{span: spanOf(w.s.Interval), atr: w.atr[i]}
}

// decide says how the touch at bar i of a band ended and at which bar; ok is
// false when the bars end before.
func (w *evaluationWalk) decide(i int, side int8, low, high float64) (outcome Outcome, at int, ok bool) {
	atr := w.atr[i-1]
	n := w.s.Len()
	last := min(i+w.o.Horizon, n-1)
	if side > 0 {
		target, stop := high+w.o.Reaction*atr, low-w.o.Break*atr
		for k := i; k <= last; k++ {
			if w.s.Close[k] < stop {
				return OutcomeBreak, k, true
			}
			if w.s.High[k] >= target && (k > i || w.s.Close[k] >= target) {
				return OutcomeReaction, k, true
			}
		}
	} else {
		target, stop := low-w.o.Reaction*atr, high+w.o.Break*atr
		for k := i; k <= last; k++ {
			if w.s.Close[k] > stop {
				return OutcomeBreak, k, true
			}
			if w.s.Low[k] <= target && (k > i || w.s.Close[k] <= target) {
				return OutcomeReaction, k, true
			}
		}
	}
	return OutcomeTimeout, last, i+w.o.Horizon < n
}

// jitter spreads the drawn distances, in average true ranges, so that a random
// level is not the level itself where there are few to draw from.
const jitter = 0.5

// controls tries the random levels.
func (w *evaluationWalk) controls(stream uint64) {
	r := rand.New(rand.NewPCG(w.o.Seed, 2+stream))
	n := w.s.Len()
	for k := range w.armings {
		a := &w.armings[k]
		pool := w.distances[place{a.bucket, a.side}]
		atr := w.atr[a.from]
		width := a.high - a.low
		to := min(a.to, n-1)
		for range w.o.Draws {
			distance := atr*math.Abs(pool[r.IntN(len(pool))]+jitter*(2*r.Float64()-1)) + w.tolerance*atr
			b := arming{side: a.side}
			if a.side > 0 {
				b.high = w.s.Low[a.from] - distance
				b.low = b.high - width
			} else {
				b.low = w.s.High[a.from] + distance
				b.high = b.low + width
			}
			for i := a.from + 1; i <= to; i++ {
				if b.side > 0 && w.s.Low[i] <= b.high+w.tolerance*w.atr[i-1] || b.side < 0 && w.s.High[i] >= b.low-w.tolerance*w.atr[i-1] {
					w.control(a.bucket, i, &b)
					break
				}
			}
		}
	}
}

func (w *evaluationWalk) control(bucket, i int, b *arming) {
	at := w.s.Time[i]
	if at.Before(w.o.From) || !w.o.To.IsZero() && !at.Before(w.o.To) {
		return
	}
	outcome, decided, ok := w.decide(i, b.side, b.low, b.high)
	if !ok {
		return
	}
	h := hit(outcome)
	w.t.random(bucket, at, w.s.Time[decided], h)
	if w.t.control != nil {
		w.t.control(randomTouch{w.t.kinds[bucket], at, spanOf(w.s.Interval), b.side, (b.high - b.low) / w.atr[i-1], h})
	}
}
