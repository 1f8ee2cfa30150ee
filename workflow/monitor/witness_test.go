package monitor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// A witness judges one rule by looking at every price, without any index. It is
// written from docs/monitors.md.
type witness struct {
	r       monitor.Rule
	id      string
	over    bool // it will not fire again
	n       int
	started bool
	armed   bool
	side    int // of a crossing: where it comes from, -1 below, +1 above, 0 not known
	fired   bool
	ref     float64
}

func (w *witness) back(x float64) float64 {
	if w.r.HysteresisPercent > 0 {
		return math.Abs(x) * w.r.HysteresisPercent / 100
	}
	return w.r.Hysteresis
}

// price returns whether the rule fires at a price.
func (w *witness) price(p float64, at time.Time) bool {
	if w.over || !w.r.Expires.IsZero() && !at.Before(w.r.Expires) {
		w.over = true
		return false
	}
	hit := false
	switch w.r.Kind {
	case monitor.KindPrice:
		hit = w.compare(p)
	case monitor.KindLevel:
		hit = w.cross(p, *w.r.Value-w.r.Band, *w.r.Value+w.r.Band, w.r.Hysteresis, 0)
	case monitor.KindMove:
		switch {
		case !w.started:
			w.started, w.ref = true, p
		default:
			up, down := p >= w.ref+math.Abs(w.ref)*(w.r.Percent/100), p <= w.ref-math.Abs(w.ref)*(w.r.Percent/100)
			if hit = up && w.r.Side != "down" || down && w.r.Side != "up"; hit {
				w.ref = p
			}
		}
	case monitor.KindTrailing:
		sign := 1.0
		if w.r.Side == "low" {
			sign = -1
		}
		x := sign * p
		if !w.started || x > w.ref {
			w.started, w.ref = true, x
		}
		line := w.ref - math.Abs(w.ref)*(w.r.Percent/100)
		if w.r.Amount > 0 {
			line = w.ref - w.r.Amount
		}
		if hit = x <= line; hit {
			w.ref = x
		}
	}
	if hit {
		w.n++
		w.over = w.r.Mode == monitor.Once
	}
	return hit
}

func (w *witness) compare(p float64) bool {
	x := *w.r.Value
	back := w.back(x)
	switch w.r.Op {
	case monitor.Above, monitor.Below:
		sign := 1.0
		if w.r.Op == monitor.Below {
			sign = -1
		}
		if !w.started {
			w.started, w.armed = true, true
		}
		if w.armed && sign*p >= sign*x {
			w.armed = false
			return true
		}
		if !w.armed && (back == 0 && sign*p < sign*x || back > 0 && sign*p <= sign*x-back) {
			w.armed = true
		}
		return false
	case monitor.CrossUp:
		return w.cross(p, x, x, back, +1)
	case monitor.CrossDown:
		return w.cross(p, x, x, back, -1)
	}
	return w.cross(p, x, x, back, 0)
}

// cross fires when the price comes into [lo, hi] from outside, in direction dir or
// any when that is 0.
func (w *witness) cross(p, lo, hi, back float64, dir int) bool {
	hit := false
	if w.side < 0 && p >= lo || w.side > 0 && p <= hi {
		hit, w.side, w.fired = true, 0, true
	}
	if w.side == 0 {
		if !w.fired {
			back = 0
		}
		if p < lo && p <= lo-back && dir >= 0 {
			w.side = -1
		}
		if p > hi && p >= hi+back && dir <= 0 {
			w.side = +1
		}
	}
	return hit
}

func randomRule(rng *rand.Rand, symbol market.Symbol, near float64, start time.Time) monitor.Rule {
	value := math.Round((near+4*rng.NormFloat64())*100) / 100
	r := monitor.Rule{Symbol: symbol, Mode: []monitor.Mode{monitor.Once, monitor.Repeat}[rng.IntN(2)]}
	switch rng.IntN(5) {
	case 0, 1:
		r.Kind, r.Value = monitor.KindPrice, &value
		r.Op = []monitor.Op{monitor.Above, monitor.Below, monitor.Cross, monitor.CrossUp, monitor.CrossDown}[rng.IntN(5)]
		if r.Mode == monitor.Repeat {
			switch rng.IntN(3) {
			case 0:
				r.Hysteresis = float64(rng.IntN(200)) / 100
			case 1:
				r.HysteresisPercent = float64(rng.IntN(100)) / 100
			}
		}
	case 2:
		r.Kind, r.Percent, r.Side = monitor.KindMove, float64(1+rng.IntN(400))/100, []string{"", "up", "down"}[rng.IntN(3)]
	case 3:
		r.Kind, r.Side = monitor.KindTrailing, []string{"high", "low"}[rng.IntN(2)]
		if rng.IntN(2) == 0 {
			r.Percent = float64(1+rng.IntN(400)) / 100
		} else {
			r.Amount = float64(1+rng.IntN(400)) / 100
		}
	case 4:
		r.Kind, r.Value, r.Band = monitor.KindLevel, &value, float64(rng.IntN(100))/100
		if r.Mode == monitor.Repeat {
			r.Hysteresis = float64(rng.IntN(100)) / 100
		}
	}
	if rng.IntN(10) == 0 {
		r.Expires = start.Add(time.Duration(rng.IntN(3000)) * time.Second)
	}
	return r
}

func last(symbol market.Symbol, p float64) market.Quote {
	q := market.NewQuote(symbol)
	q.Last = p
	return q
}

func TestTheIndexFiresExactlyWhatLookingAtEveryRuleDoes(t *testing.T) {
	symbols := []market.Symbol{"SPY", "QQQ", "/ESZ6"}
	start := time.Date(2026, 6, 3, 14, 0, 0, 0, time.UTC)
	total := 0
	for seed := range uint64(6) {
		rng := rand.New(rand.NewPCG(seed, 11))
		core, err := monitor.NewCore(nil)
		require.NoError(t, err)
		price := map[market.Symbol]float64{"SPY": 100, "QQQ": 50, "/ESZ6": 5}
		seen := map[market.Symbol]bool{}
		alive := map[string]*witness{}
		kinds := map[monitor.Kind]int{}
		now := start
		for step := range 3000 {
			now = now.Add(time.Duration(rng.IntN(1000)) * time.Millisecond)
			var got []string
			keep := func(fired []monitor.Firing) {
				for _, f := range fired {
					got = append(got, fmt.Sprint(f.Tenant, " ", f.Rule, " ", f.N, " ", f.Value))
					kinds[f.Kind]++
				}
			}
			var want []string
			keep(core.Advance(now))
			switch {
			case step < 300 || rng.IntN(20) == 0: // a new rule
				s := symbols[rng.IntN(len(symbols))]
				r := randomRule(rng, s, price[s], start)
				id := fmt.Sprintf("r%d", step)
				fired, err := core.Add(storage.TenantID(fmt.Sprint("t", step%3)), id, r, now, nil, now)
				require.NoError(t, err)
				keep(fired)
				r, err = r.Validated()
				require.NoError(t, err)
				w := &witness{r: r, id: fmt.Sprint("t", step%3, " ", id)}
				alive[w.id] = w
				if seen[s] && w.price(price[s], now) {
					want = append(want, fmt.Sprint(w.id, " ", w.n, " ", price[s]))
				}
			case rng.IntN(40) == 0 && len(alive) > 0: // one is taken away
				ids := make([]string, 0, len(alive))
				for id := range alive {
					ids = append(ids, id)
				}
				slices.Sort(ids)
				id := ids[rng.IntN(len(ids))]
				core.Remove(storage.TenantID(id[:2]), id[3:])
				delete(alive, id)
			default:
				s := symbols[rng.IntN(len(symbols))]
				jump := 0.15
				if rng.IntN(100) == 0 {
					jump = 5
				}
				price[s] = math.Round((price[s]+jump*rng.NormFloat64())*100) / 100
				seen[s] = true
				keep(core.Quote(last(s, price[s]), now))
				for _, w := range alive {
					if w.r.Symbol == s && w.price(price[s], now) {
						want = append(want, fmt.Sprint(w.id, " ", w.n, " ", price[s]))
					}
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			require.Equal(t, want, got, "seed %d step %d", seed, step)
			total += len(got)
		}
		for _, k := range []monitor.Kind{monitor.KindPrice, monitor.KindMove, monitor.KindTrailing, monitor.KindLevel} {
			require.Positive(t, kinds[k], "%s never fired", k)
		}
		for id, w := range alive { // who is done is gone
			if w.over || !w.r.Expires.IsZero() && !now.Before(w.r.Expires) {
				delete(alive, id)
			}
		}
		require.Equal(t, len(alive), core.Len())
	}
	require.Greater(t, total, 2000, "firings compared")
	t.Log(total, "firings compared")
}
