package scaletest

import (
	"math"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// Witnesses look at every rule of a tenant at every quote, and count what fires.
// They know comparisons, levels and trailing rules; those on positions and moves are
// left to the monitor's own tests.
type witnesses struct {
	all map[market.Symbol][]*witness
}

type witness struct {
	id      string
	rule    monitor.Rule
	fired   int
	done    bool
	started bool
	side    int // of the value that the price is on, once it is far enough: -1 or +1
	extreme float64
}

// tells whether a witness knows the kind of a rule.
func tells(r monitor.Rule) bool {
	switch r.Kind {
	case monitor.KindPrice, monitor.KindTrailing, monitor.KindLevel:
		return true
	}
	return false
}

func newWitnesses(tenant, shares int) *witnesses {
	w := &witnesses{all: map[market.Symbol][]*witness{}}
	ids, rules := rulesOf(tenant, shares)
	for i, r := range rules {
		if tells(r) {
			w.all[r.Symbol] = append(w.all[r.Symbol], &witness{id: ids[i], rule: r})
		}
	}
	return w
}

func (w *witnesses) quote(q market.Quote) {
	price := q.Last
	if q.Symbol.Kind() == market.KindOption {
		price = (q.Bid + q.Ask) / 2
	}
	if math.IsNaN(price) {
		return
	}
	for _, one := range w.all[q.Symbol] {
		if !one.done && one.price(price) {
			one.fired++
			one.done = one.rule.Mode != monitor.Repeat
		}
	}
}

func (w *witness) price(p float64) bool {
	r := w.rule
	first := !w.started
	w.started = true
	switch {
	case r.Kind == monitor.KindTrailing && r.Side == "low":
		if first || p < w.extreme {
			w.extreme = p
		}
		return p >= w.extreme+math.Abs(w.extreme)*(r.Percent/100)
	case r.Kind == monitor.KindTrailing:
		if first || p > w.extreme {
			w.extreme = p
		}
		return p <= w.extreme-math.Abs(w.extreme)*(r.Percent/100)
	case r.Op == monitor.Above:
		return p >= *r.Value
	case r.Op == monitor.Below:
		return p <= *r.Value
	}
	low, high := *r.Value-r.Band, *r.Value+r.Band
	hit := w.side < 0 && p >= low || w.side > 0 && p <= high
	if hit {
		w.side = 0
	}
	if w.side == 0 {
		back := 0.0
		if w.fired > 0 || hit {
			back = *r.Value * r.HysteresisPercent / 100
		}
		if r.Op != monitor.CrossDown && p < low && p <= low-back {
			w.side = -1
		}
		if r.Op != monitor.CrossUp && p > high && p >= high+back {
			w.side = +1
		}
	}
	return hit
}

// counts are the firings of each rule that a witness knows.
func (w *witnesses) counts() map[string]int {
	out := map[string]int{}
	for _, list := range w.all {
		for _, one := range list {
			if one.fired > 0 {
				out[one.id] = one.fired
			}
		}
	}
	return out
}
