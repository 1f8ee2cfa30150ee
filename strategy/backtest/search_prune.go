package backtest

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Pruner ends trials that look worse than others after the same part of the work.
// It is a [MedianPruner] or a [Halving].
type Pruner interface {
	validate() error
}

// A MedianPruner ends a trial whose value after a stage is below the median of
// those that trials of earlier batches had after it (Golovin et al. 2017).
type MedianPruner struct {
	// Startup is how many trials must have reported a stage before one is ended;
	// default 5.
	Startup int
	// Warmup is how many stages are never judged; default 0.
	Warmup int
}

func (p MedianPruner) validate() error {
	if p.Startup < 0 || p.Warmup < 0 {
		return invalid.Field("Pruner", p, "no negative numbers")
	}
	return nil
}

// Halving is successive halving (Jamieson and Talwalkar 2016): of the trials of a
// batch that reach stage First, then First·Factor, First·Factor², …, the best
// 1/Factor go on. Trials of a batch wait for each other at these stages.
type Halving struct {
	First  int // default 1
	Factor int // default 3
}

func (p Halving) validate() error {
	if p.First < 0 || p.Factor < 0 || p.Factor == 1 {
		return invalid.Field("Pruner", p, "a first stage of at least 1 and a factor of at least 2")
	}
	return nil
}

// isRung tells whether trials are compared after a stage.
func (p Halving) isRung(stage int) bool {
	at := max(p.First, 1)
	for at < stage {
		at *= p.factor()
	}
	return at == stage
}

func (p Halving) factor() int {
	if p.Factor == 0 {
		return 3
	}
	return p.Factor
}

// A rung judges the trials of one batch.
type rung struct {
	pruner   Pruner
	minimize bool
	earlier  [][]float64 // by stage, what trials of earlier batches reported, sorted

	mu      sync.Mutex
	stages  map[int]map[int]float64 // by stage, then trial
	decided map[int]map[int]bool    // by stage: who goes on
	left    map[int]bool            // trials that have ended
	size    int
	changed chan struct{}
}

func newRung(p Pruner, before []Trial, size int, minimize bool) *rung {
	r := &rung{
		pruner: p, minimize: minimize, size: size, changed: make(chan struct{}),
		stages: map[int]map[int]float64{}, decided: map[int]map[int]bool{}, left: map[int]bool{},
	}
	if _, ok := p.(MedianPruner); ok {
		for i := range before {
			for stage, v := range before[i].reports {
				for len(r.earlier) <= stage {
					r.earlier = append(r.earlier, nil)
				}
				if !math.IsNaN(v) {
					r.earlier[stage] = append(r.earlier[stage], v)
				}
			}
		}
		for _, values := range r.earlier {
			slices.Sort(values)
		}
	}
	return r
}

// shrink says that only the first n trials of the batch were begun.
func (r *rung) shrink(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = n
	r.decide()
}

// leave says that a trial has ended.
func (r *rung) leave(trial int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left[trial] = true
	r.decide()
}

// judge returns ErrPruned when a trial is to end. Before it waits it calls release,
// and afterwards acquire.
func (r *rung) judge(ctx context.Context, trial, stage int, value float64, release, acquire func()) error {
	switch p := r.pruner.(type) {
	case MedianPruner:
		startup := p.Startup
		if startup == 0 {
			startup = 5
		}
		if stage <= p.Warmup || stage > len(r.earlier) || len(r.earlier[stage-1]) < startup {
			return nil
		}
		if middle := quantile(r.earlier[stage-1], 0.5); math.IsNaN(value) || r.worse(value, middle) {
			return ErrPruned
		}
		return nil
	case Halving:
		if !p.isRung(stage) {
			return nil
		}
		r.mu.Lock()
		if r.stages[stage] == nil {
			r.stages[stage] = map[int]float64{}
		}
		r.stages[stage][trial] = value
		r.decide()
		if r.decided[stage] == nil {
			release()
			for r.decided[stage] == nil && ctx.Err() == nil {
				changed := r.changed
				r.mu.Unlock()
				select {
				case <-changed:
				case <-ctx.Done():
				}
				r.mu.Lock()
			}
			r.mu.Unlock()
			acquire()
			r.mu.Lock()
		}
		defer r.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return err
		}
		if !r.decided[stage][trial] {
			return ErrPruned
		}
	}
	return nil
}

func (r *rung) worse(a, b float64) bool {
	if r.minimize {
		return a > b
	}
	return a < b
}

// decide compares the trials at each stage at which every trial has arrived that has
// not ended.
func (r *rung) decide() {
	p, ok := r.pruner.(Halving)
	if !ok {
		return
	}
	for stage, values := range r.stages {
		if r.decided[stage] != nil {
			continue
		}
		waiting := 0
		for trial := range r.size {
			if _, here := values[trial]; !here && !r.left[trial] {
				waiting++
			}
		}
		if waiting > 0 {
			continue
		}
		order := make([]int, 0, len(values))
		for trial := range values {
			order = append(order, trial)
		}
		slices.SortFunc(order, func(a, b int) int {
			x, y := values[a], values[b]
			switch {
			case math.IsNaN(x) != math.IsNaN(y):
				if math.IsNaN(x) {
					return 1
				}
				return -1
			case r.worse(y, x):
				return -1
			case r.worse(x, y):
				return 1
			}
			return a - b
		})
		keep := max(len(order)/p.factor(), 1)
		on := map[int]bool{}
		for _, trial := range order[:keep] {
			on[trial] = true
		}
		r.decided[stage] = on
	}
	close(r.changed)
	r.changed = make(chan struct{})
}
