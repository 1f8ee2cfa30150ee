package options

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize"
)

// A smilePoint is one quoted volatility of an expiry.
type smilePoint struct {
	k, vol float64
	width  float64 // half the spread, in volatility
}

// A smileFit is what [fitSVI] works on.
type smileFit struct {
	points []smilePoint
	years  float64
	scale  float64   // deviation at the money, vol·√years
	grid   []float64 // where butterfly arbitrage is looked for
	after  *SVI      // the smile of the next expiry, which this one must stay below; nil: none
	cap    []float64 // where it must
	strict float64   // weight of arbitrage; 0: none
}

// Parameters of the search: every point of it is an SVI with positive variance.
//
//	u = (ln of the least variance, logit of the steeper wing's slope as a share
//	     of steepest, atanh Rho, M, ln Sigma)
const sviParams = 5

// steepest is the slope that no wing reaches, a little below the limit of 2.
const steepest = 1.95

func sviFrom(u []float64) SVI {
	rho := 0.999 * math.Tanh(u[2])
	b := steepest / (1 + math.Abs(rho)) / (1 + math.Exp(-u[1]))
	least, sigma := math.Exp(u[0]), math.Exp(u[4])
	return SVI{A: least - b*sigma*math.Sqrt(1-rho*rho), B: b, Rho: rho, M: u[3], Sigma: sigma}
}

// sviParameters is the inverse of sviFrom, as far as there is one.
func sviParameters(s SVI) []float64 {
	rho := min(max(s.Rho/0.999, -0.9999), 0.9999)
	sigma := max(s.Sigma, 1e-6)
	least := max(s.A+s.B*sigma*math.Sqrt(1-s.Rho*s.Rho), 1e-12)
	share := min(max(s.SteepestWing()/steepest, 1e-9), 1-1e-9)
	return []float64{math.Log(least), math.Log(share / (1 - share)), math.Atanh(rho), s.M, math.Log(sigma)}
}

// margin keeps repaired smiles a little inside of what is free of arbitrage.
const margin = 1e-3

// residuals writes what the fit minimises the squares of: errors in units of
// the quote's own uncertainty, softened so that a bad quote counts linearly;
// then, if asked for, the arbitrage.
func (f *smileFit) residuals(dst []float64, u []float64) []float64 {
	dst = dst[:0]
	s := sviFrom(u)
	for _, p := range f.points {
		r := (math.Sqrt(s.Variance(p.k)/f.years) - p.vol) / (p.width + 1e-3)
		soft := math.Sqrt(2 * (math.Sqrt(1+r*r) - 1))
		dst = append(dst, math.Copysign(soft, r))
	}
	// A faint pull keeps parameters that the quotes leave open in reach.
	dst = append(dst, 0.01*(u[3]/0.5), 0.01*u[2], 0.01*(u[4]-math.Log(0.1)), 0.02*s.SteepestWing()/f.scale)
	// Bends beyond the reach of prices are parabolas that many parameters make.
	dst = append(dst, 5*max(u[4]-math.Log(1.5), 0), 5*max(math.Abs(u[3])-1, 0))
	if f.strict > 0 {
		for _, k := range f.grid {
			dst = append(dst, f.strict*max(margin-s.Butterfly(k), 0))
		}
		for _, k := range f.cap {
			dst = append(dst, f.strict*10*max(s.Variance(k)/f.after.Variance(k)-1+margin, 0))
		}
	}
	return dst
}

// fitSVI calibrates one smile: without regard to arbitrage first, and when that
// has some, again with penalties that grow until it has none. It reports
// whether it had to. Rarely some is left, for [SVI.repaired].
func fitSVI(f smileFit) (s SVI, changed bool) {
	f.scale = f.lowest().vol * math.Sqrt(f.years)
	best, least := []float64(nil), math.Inf(1)
	for _, start := range f.starts() {
		if u, cost := f.solve(start); cost < least {
			best, least = u, cost
		}
	}
	s = sviFrom(best)
	if f.clean(s) {
		return s, false
	}
	// Where penalties lead from the best fit may be a corner: with wings that are
	// nearly flat to begin with they may lead to a better one, and so may the next
	// expiry's smile, lower.
	least = math.Inf(1)
	for _, start := range f.cleanStarts(best) {
		for _, f.strict = range []float64{10, 100, 1000, 10000, 1e6} {
			start, _ = f.solve(start)
			found := sviFrom(start)
			clean := f.clean(found)
			if next, cost := f.flattened(found); cost < least {
				s, least = next, cost
			}
			if clean {
				break
			}
		}
	}
	return s, true
}

// cleanStarts are guesses of a smile without arbitrage, given the best one with some.
func (f *smileFit) cleanStarts(best []float64) [][]float64 {
	all := [][]float64{best}
	for _, share := range []float64{0.5, 0.1} {
		start := slices.Clone(best)
		start[1], start[2] = math.Log(share/(1-share))+math.Log(max(f.scale, 1e-3)), 0
		all = append(all, start)
	}
	if f.after != nil {
		lower := *f.after
		share := min(sviFrom(best).Variance(0)/lower.Variance(0), 0.99)
		lower.A, lower.B = share*lower.A, share*lower.B
		all = append(all, sviParameters(lower))
	}
	return all
}

// unclean is what arbitrage that is left counts, more than any quote's error.
const unclean = 1e9

// flattened returns s with wings as much flatter as it takes to have no arbitrage,
// turned about the forward, and how far that is from the quotes.
func (f *smileFit) flattened(s SVI) (SVI, float64) {
	flat, money := s, s.Variance(0)
	for range 60 {
		if f.clean(flat) {
			return flat, f.distance(flat)
		}
		flat.B *= 0.98
		flat.A += money - flat.Variance(0)
	}
	return s, unclean + f.distance(s)
}

// distance is the part of the residuals that is due to the quotes, squared.
func (f *smileFit) distance(s SVI) float64 {
	sum := 0.0
	for _, p := range f.points {
		r := (math.Sqrt(s.Variance(p.k)/f.years) - p.vol) / (p.width + 1e-3)
		sum += 2 * (math.Sqrt(1+r*r) - 1)
	}
	return sum
}

// clean reports whether s has no arbitrage on the grid.
func (f *smileFit) clean(s SVI) bool {
	if !s.convex(f.grid) {
		return false
	}
	for _, k := range f.cap {
		if s.Variance(k) > f.after.Variance(k) {
			return false
		}
	}
	return true
}

// starts are guesses from the quotes: the least variance and the slopes of the
// wings, for a narrow and a wide bend at and beside the money.
func (f *smileFit) starts() [][]float64 {
	first, last := f.points[0], f.points[len(f.points)-1]
	lowest := f.lowest()
	w := func(p smilePoint) float64 { return p.vol * p.vol * f.years }
	slope := func(p smilePoint) float64 {
		if d := math.Abs(p.k - lowest.k); d > 1e-6 {
			return min((w(p)-w(lowest))/d, 1.5)
		}
		return 0
	}
	left, right := max(slope(first), 1e-4), max(slope(last), 1e-4)
	b := 0.5 * (left + right)
	rho := min(max((right-left)/(right+left), -0.9), 0.9)
	share := min(b*(1+math.Abs(rho))/steepest, 0.9)
	share = math.Log(share / (1 - share))
	spread := max(last.k-first.k, 1e-3)
	var all [][]float64
	for _, sigma := range []float64{0.05 * spread, 0.3 * spread} {
		for _, m := range []float64{0, lowest.k} {
			all = append(all, []float64{math.Log(0.9 * w(lowest)), share, math.Atanh(rho), m, math.Log(sigma)})
		}
	}
	return all
}

// lowest returns the quote of the least volatility.
func (f *smileFit) lowest() smilePoint {
	return slices.MinFunc(f.points, func(a, b smilePoint) int { return cmp.Compare(a.vol, b.vol) })
}

// solve minimises the sum of squares from u by the method of Levenberg and
// Marquardt with numerical derivatives.
func (f *smileFit) solve(start []float64) (best []float64, cost float64) {
	u := slices.Clone(start)
	r := f.residuals(nil, u)
	cost = squares(r)
	jac := make([][]float64, sviParams)
	var trial []float64
	damp := 1e-2
	for range 150 {
		for j := range jac {
			h := 1e-6 * (1 + math.Abs(u[j]))
			moved := slices.Clone(u)
			moved[j] += h
			jac[j] = f.residuals(jac[j], moved)
			for i := range jac[j] {
				jac[j][i] = (jac[j][i] - r[i]) / h
			}
		}
		gained := false
		for range 12 {
			step, ok := dampedStep(jac, r, damp)
			if ok {
				next := slices.Clone(u)
				for j := range next {
					next[j] += min(max(step[j], -1), 1)
				}
				trial = f.residuals(trial, next)
				if c := squares(trial); c < cost {
					gained = cost-c > 1e-10*cost
					u, cost = next, c
					r, trial = trial, r
					damp = max(damp/5, 1e-12)
					break
				}
			}
			damp *= 4
		}
		if !gained {
			break
		}
	}
	return u, cost
}

func squares(r []float64) float64 {
	sum := 0.0
	for _, v := range r {
		sum += v * v
	}
	if math.IsNaN(sum) {
		return math.Inf(1)
	}
	return sum
}

// dampedStep solves (JᵀJ + damp·diag)·x = -Jᵀr.
func dampedStep(jac [][]float64, r []float64, damp float64) ([]float64, bool) {
	n := len(jac)
	a, b := mat.NewSymDense(n, nil), mat.NewVecDense(n, nil)
	for i := range n {
		dot := 0.0
		for l := range r {
			dot -= jac[i][l] * r[l]
		}
		b.SetVec(i, dot)
		for j := i; j < n; j++ {
			sum := 0.0
			for l := range r {
				sum += jac[i][l] * jac[j][l]
			}
			if i == j {
				sum += damp * (sum + 1e-12)
			}
			a.SetSym(i, j, sum)
		}
	}
	var chol mat.Cholesky
	var x mat.VecDense
	if !chol.Factorize(a) || chol.SolveVecTo(&x, b) != nil {
		return nil, false
	}
	return x.RawVector().Data, true
}

// fitSSVI calibrates the three parameters to all smiles at once by the simplex
// of Nelder and Mead, over values that are all free of arbitrage.
func fitSSVI(smiles [][]smilePoint, years, thetas []float64) SSVI {
	logistic := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	read := func(x []float64) SSVI {
		rho := 0.999 * math.Tanh(x[0])
		return SSVI{Rho: rho, Eta: 2 / (1 + math.Abs(rho)) * logistic(x[1]), Gamma: 0.5 * logistic(x[2])}
	}
	problem := optimize.Problem{Func: func(x []float64) float64 {
		s, sum := read(x), 0.0
		for i, points := range smiles {
			slice, mean := s.Slice(thetas[i]), 0.0
			for _, p := range points {
				r := (math.Sqrt(slice.Variance(p.k)/years[i]) - p.vol) / (p.width + 1e-3)
				mean += math.Sqrt(1+r*r) - 1
			}
			sum += mean / float64(len(points))
		}
		if math.IsNaN(sum) {
			return math.MaxFloat64
		}
		return sum
	}}
	start := []float64{-0.5, 0, 2}
	result, err := optimize.Minimize(problem, start, &optimize.Settings{FuncEvaluations: 600, MajorIterations: 400}, &optimize.NelderMead{})
	if err != nil && result == nil {
		return read(start)
	}
	return read(result.X)
}
