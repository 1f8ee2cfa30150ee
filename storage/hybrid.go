package storage

import (
	"cmp"
	"context"
	"slices"
)

// Hybrid searches by words and by vector and fuses the two answers by reciprocal
// rank: a document at rank r of an answer, counted from 1, gets 1/(60+r) from it.
// The fused Score is the sum, greater is better. A nil vector, or text without a
// word, leaves the other way alone. Opts may be nil.
//
// Source: Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion outperforms Condorcet
// and individual Rank Learning Methods", SIGIR 2009; 60 is theirs.
func Hybrid(ctx context.Context, v Vectors, text string, vector []float32, opts *SearchOptions) ([]Match, error) {
	o, err := opts.Validated()
	if err != nil {
		return nil, err
	}
	// Deeper than asked for, so that what is middling in both answers is seen.
	deep := o
	deep.Limit = min(1000, max(50, 4*o.Limit))
	words, err := v.Matching(ctx, text, &deep)
	if err != nil {
		return nil, err
	}
	answers := [][]Match{words}
	if vector != nil {
		near, err := v.Nearest(ctx, vector, &deep)
		if err != nil {
			return nil, err
		}
		answers = append(answers, near)
	}
	fused := FuseRanks(answers...)
	return fused[:min(len(fused), o.Limit)], nil
}

// FuseRanks fuses answers as [Hybrid] does: each is one ranking, best first.
func FuseRanks(answers ...[]Match) []Match {
	const k = 60
	at := map[string]int{}
	var fused []Match
	for _, answer := range answers {
		for rank, m := range answer {
			i, ok := at[m.ID]
			if !ok {
				i = len(fused)
				at[m.ID] = i
				m.Score = 0
				fused = append(fused, m)
			}
			fused[i].Score += 1 / float64(k+rank+1)
		}
	}
	slices.SortFunc(fused, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(a.ID, b.ID))
	})
	return fused
}
