package backtest

import (
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Split is one way to divide observations into those to learn from and those to
// be tested on. Both are indices, ascending.
type Split struct {
	Train, Test []int
	// Groups are the parts of the whole that are tested.
	Groups []int
}

// CrossValidation divides observations in time so that nothing of what is tested is
// known when learning (López de Prado 2018, "Advances in Financial Machine
// Learning", chapter 7). An observation is not an instant: what it is judged by
// (the trade that it opens, say) lasts until its end.
type CrossValidation struct {
	// Begin and End of each observation, Begin ascending, End no earlier than Begin.
	Begin, End []time.Time
	// Folds is into how many parts of equal length time is divided; 2 to as many as
	// there are observations.
	Folds int
	// Embargo is how long after the end of what is tested nothing is learnt from:
	// features look back, so that they still contain what was tested.
	Embargo time.Duration
}

// Purged returns one split for each fold: the fold is tested, and what neither
// overlaps it nor falls into the embargo after it is learnt from. The error is a
// *[FieldError].
func (c CrossValidation) Purged() ([]Split, error) { return c.Combinatorial(1) }

// Combinatorial returns a split for each choice of so many folds to be tested
// together (same book, chapter 12): with N folds, N!/(k!(N-k)!) splits. The error is
// a *[FieldError].
func (c CrossValidation) Combinatorial(tested int) ([]Split, error) {
	n := len(c.Begin)
	switch {
	case n < 2:
		return nil, invalid.Field("Begin", n, "at least two observations")
	case len(c.End) != n:
		return nil, invalid.Fieldf("End", len(c.End), "as many as Begin, %d", n)
	case c.Folds < 2 || c.Folds > n:
		return nil, invalid.Fieldf("Folds", c.Folds, "2 to the number of observations, %d", n)
	case tested < 1 || tested >= c.Folds:
		return nil, invalid.Fieldf("tested", tested, "1 to %d", c.Folds-1)
	case c.Embargo < 0:
		return nil, invalid.Field("Embargo", c.Embargo, "no negative duration")
	case binomial(c.Folds, tested) > 100_000:
		return nil, invalid.Field("tested", tested, "fewer than 100,000 combinations")
	}
	for i := range n {
		if i > 0 && c.Begin[i].Before(c.Begin[i-1]) {
			return nil, invalid.Field("Begin", c.Begin[i], "ascending times")
		}
	}
	for i := range n {
		if c.End[i].Before(c.Begin[i]) {
			return nil, invalid.Field("End", c.End[i], "no time before the beginning")
		}
	}
	var out []Split
	chosen := make([]int, tested)
	for i := range chosen {
		chosen[i] = i
	}
	for {
		out = append(out, c.split(chosen))
		// The next combination in the order of the alphabet.
		i := tested - 1
		for i >= 0 && chosen[i] == c.Folds-tested+i {
			i--
		}
		if i < 0 {
			return out, nil
		}
		chosen[i]++
		for j := i + 1; j < tested; j++ {
			chosen[j] = chosen[j-1] + 1
		}
	}
}

// fold returns the observations of a fold: [from, to). The first ones are longer by
// one when the folds cannot be equal.
func (c CrossValidation) fold(k int) (from, to int) {
	n := len(c.Begin)
	size, more := n/c.Folds, n%c.Folds
	from = k*size + min(k, more)
	to = from + size
	if k < more {
		to++
	}
	return from, to
}

func (c CrossValidation) split(groups []int) Split {
	n := len(c.Begin)
	s := Split{Groups: append([]int(nil), groups...)}
	blocked := make([]bool, n)
	for _, g := range groups {
		from, to := c.fold(g)
		// The tested span in time, and the embargo after it.
		begin, end := c.Begin[from], c.End[from]
		for i := from; i < to; i++ {
			s.Test = append(s.Test, i)
			blocked[i] = true
			if c.End[i].After(end) {
				end = c.End[i]
			}
		}
		until := end.Add(c.Embargo)
		for i := range n {
			// Overlap in time of [Begin, End] with [begin, until].
			if !c.Begin[i].After(until) && !c.End[i].Before(begin) {
				blocked[i] = true
			}
		}
	}
	for i, b := range blocked {
		if !b {
			s.Train = append(s.Train, i)
		}
	}
	return s
}

func binomial(n, k int) int {
	out := 1
	for i := 1; i <= min(k, n-k); i++ {
		out = out * (n - i + 1) / i
		if out > 1<<40 {
			return 1 << 40
		}
	}
	return out
}
