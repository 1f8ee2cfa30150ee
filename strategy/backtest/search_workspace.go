package backtest

import (
	"sync"
	"time"
)

// A workspace is the memory that one run of a search needs and its outcome does not
// keep: the points of the curve and what metrics are counted from. The next run of
// the same worker takes it over, so that a search over a long history does not give
// the collector a history's worth of garbage with each trial. The zero value is an
// empty one.
type workspace struct {
	curve Curve
	times [2][]time.Time
	// numbers are handed out from the front; what they lacked is added by the next reset.
	numbers      []float64
	bars         []int64
	used, lacked int
}

// workspaces are those that no run is using.
type workspaces struct{ free sync.Pool }

func (r *workspaces) take() *workspace {
	if w, ok := r.free.Get().(*workspace); ok {
		return w
	}
	return &workspace{}
}

// give takes one back after a run whose record nobody looks at any more.
func (r *workspaces) give(w *workspace, record *Record) {
	if len(record.Accounts) > 0 {
		w.curve = record.Accounts[0].Curve // it may have grown
	}
	if w.lacked > 0 {
		w.numbers = make([]float64, w.used+w.lacked)
	}
	w.used, w.lacked = 0, 0
	r.free.Put(w)
}

// columns returns the curve's columns, empty, when they have room for so many
// points.
func (w *workspace) columns(points int64) (Curve, bool) {
	k := &w.curve
	if int64(cap(k.Time)) < points {
		return Curve{}, false
	}
	return Curve{
		Time: k.Time[:0], Bars: k.Bars[:0], Price: k.Price[:0], Cash: k.Cash[:0], Value: k.Value[:0], Exposure: k.Exposure[:0],
	}, true
}

// floats returns room for n numbers, none of them in it yet.
func (w *workspace) floats(n int) []float64 {
	if w.used+n > len(w.numbers) {
		w.lacked += n
		return make([]float64, 0, n)
	}
	w.used += n
	return w.numbers[w.used-n : w.used-n : w.used]
}

// series returns one without points that has room for n.
func (w *workspace) series(n int) Series {
	if cap(w.bars) < n {
		w.bars = make([]int64, 0, n)
	}
	return Series{Times: w.moments(0, n)[:0], Bars: w.bars[:0], Equity: w.floats(n), Exposure: w.floats(n), Benchmark: w.floats(n)}
}

// moments returns n times to be written: of the series, 0, or of its clock, 1.
func (w *workspace) moments(which, n int) []time.Time {
	if cap(w.times[which]) < n {
		w.times[which] = make([]time.Time, n)
	}
	return w.times[which][:n]
}
