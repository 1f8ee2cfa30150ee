package backtest

import (
	"math"
	"math/rand/v2"
	"slices"
)

// tpeCandidates is how many settings are drawn for one that is tried.
const tpeCandidates = 24

// estimate chooses the next n settings by Parzen estimators: the trials so far are
// divided into a good part and the rest, settings are drawn from the density of the
// good ones, and the one is taken whose density there is largest relative to that
// of the rest. Those of the same batch, whose values are not known yet, count among
// the rest, so that a batch spreads out.
func (s *searcher) estimate(first, n int) []Params {
	tried := map[string]bool{}
	for i := range s.result.Trials {
		tried[s.result.Trials[i].Params.key()] = true
	}
	size, finiteSpace := s.space.Size()
	good, rest := s.divide()
	var out []Params
	for i := range n {
		if finiteSpace && float64(len(tried)) >= size {
			break
		}
		r := generator(s.opts.Seed, first+i)
		var next Params
		if len(good) == 0 || first+i < s.opts.Startup {
			next = s.space.draw(r)
			for k := 0; tried[next.key()] && k < 32; k++ {
				next = s.space.draw(r)
			}
		} else {
			next = s.best(r, good, rest, tried)
		}
		if finiteSpace && tried[next.key()] {
			next = s.untried(r, int(size), tried)
		}
		tried[next.key()] = true
		rest = append(rest, next)
		out = append(out, next)
	}
	return out
}

// divide sorts the trials into the best tenth or so and the others. Pruned ones
// are among the others, as are those that failed.
func (s *searcher) divide() (good, rest []Params) {
	ranked := s.result.Ranked()
	n := int(math.Ceil(0.1 * float64(len(s.result.Trials))))
	n = min(max(n, 1), 25, len(ranked))
	isGood := map[int]bool{}
	for _, t := range ranked[:n] {
		good = append(good, t.Params)
		isGood[t.Number] = true
	}
	for i := range s.result.Trials {
		if !isGood[s.result.Trials[i].Number] {
			rest = append(rest, s.result.Trials[i].Params)
		}
	}
	return good, rest
}

// best draws candidates from the good ones' density and returns the one that stands
// out most, preferring what was not tried.
func (s *searcher) best(r *rand.Rand, good, rest []Params, tried map[string]bool) Params {
	type densities struct{ good, rest density }
	all := make([]densities, len(s.space))
	for i := range s.space {
		all[i] = densities{s.space[i].density(good), s.space[i].density(rest)}
	}
	var best Params
	highest := math.Inf(-1)
	for range tpeCandidates {
		candidate, score := Params{}, 0.0
		for i := range s.space {
			d := &s.space[i]
			v := all[i].good.draw(r, d)
			candidate[d.Name] = v
			score += math.Log(all[i].good.at(v, d)) - math.Log(all[i].rest.at(v, d))
		}
		if tried[candidate.key()] {
			score -= 1e6
		}
		if score > highest {
			best, highest = candidate, score
		}
	}
	return best
}

// untried walks a finite space from a random setting on to one that was not tried.
func (s *searcher) untried(r *rand.Rand, size int, tried map[string]bool) Params {
	at := r.IntN(size)
	for range size {
		if p := s.space.at(at); !tried[p.key()] {
			return p
		}
		at = (at + 1) % size
	}
	return s.space.at(at)
}

// A density is a mixture: of bells around settings on the unit interval, or of
// weights of choices.
type density struct {
	centres, widths []float64 // the first is the prior: wide, in the middle
	weights         []float64 // of choices
}

// density estimates one dimension of settings.
func (d *Dimension) density(settings []Params) density {
	if len(d.Choices) > 0 {
		out := density{weights: make([]float64, len(d.Choices))}
		for i := range out.weights {
			out.weights[i] = 1
		}
		for _, p := range settings {
			if i := slices.Index(d.Choices, p[d.Name]); i >= 0 {
				out.weights[i]++
			}
		}
		sum := total(out.weights)
		for i := range out.weights {
			out.weights[i] /= sum
		}
		return out
	}
	out := density{centres: []float64{0.5}, widths: []float64{1}}
	var at []float64
	for _, p := range settings {
		at = append(at, d.unit(p[d.Name]))
	}
	slices.Sort(at)
	// A bell is as wide as the larger distance to its neighbours, within bounds.
	narrowest := 1 / min(100, float64(len(at))+2)
	for i, x := range at {
		left, right := x, 1-x
		if i > 0 {
			left = x - at[i-1]
		}
		if i+1 < len(at) {
			right = at[i+1] - x
		}
		out.centres = append(out.centres, x)
		out.widths = append(out.widths, min(max(left, right, narrowest), 1))
	}
	return out
}

func (e density) draw(r *rand.Rand, d *Dimension) any {
	if e.weights != nil {
		u := r.Float64()
		for i, w := range e.weights {
			if u -= w; u < 0 {
				return d.Choices[i]
			}
		}
		return d.Choices[len(d.Choices)-1]
	}
	k := r.IntN(len(e.centres))
	for range 64 {
		if x := e.centres[k] + e.widths[k]*r.NormFloat64(); x >= 0 && x <= 1 {
			return d.from(x)
		}
	}
	return d.from(e.centres[k])
}

// at is the density at a setting.
func (e density) at(v any, d *Dimension) float64 {
	if e.weights != nil {
		return e.weights[slices.Index(d.Choices, v)]
	}
	x, sum := d.unit(v), 0.0
	for k, c := range e.centres {
		z := (x - c) / e.widths[k]
		inside := normalCDF((1-c)/e.widths[k]) - normalCDF(-c/e.widths[k])
		sum += math.Exp(-z*z/2) / (e.widths[k] * inside)
	}
	return sum / float64(len(e.centres))
}
