package analysts

import (
	"cmp"

	"github.com/ttai-go/ttai/internal/invalid"
)

// Rules choose candidates. A field that is zero means its default, in brackets.
type Rules struct {
	MinDelta, MaxDelta float64 // size of the contract's delta (0.15 to 0.35)
	MinDays, MaxDays   int     // calendar days to expiration (20 to 60)
	MaxSpread          float64 // (ask − bid) / mid (0.15)
	MinOpenInterest    float64 // contracts, where known (10)
	PerStrategy        int     // at most so many candidates (2)
}

// normalized returns a copy with the defaults filled in.
func (r *Rules) normalized() (Rules, error) {
	var n Rules
	if r != nil {
		n = *r
	}
	n.MinDelta, n.MaxDelta = cmp.Or(n.MinDelta, 0.15), cmp.Or(n.MaxDelta, 0.35)
	n.MinDays, n.MaxDays = cmp.Or(n.MinDays, 20), cmp.Or(n.MaxDays, 60)
	n.MaxSpread = cmp.Or(n.MaxSpread, 0.15)
	n.MinOpenInterest = cmp.Or(n.MinOpenInterest, 10)
	n.PerStrategy = cmp.Or(n.PerStrategy, 2)
	switch {
	case !(n.MinDelta >= 0) || !(n.MinDelta < n.MaxDelta) || !(n.MaxDelta <= 1):
		return n, invalid.Field("rules.delta", [2]float64{n.MinDelta, n.MaxDelta}, "a range within 0 to 1, the smaller first")
	case n.MinDays < 0 || n.MinDays > n.MaxDays || n.MaxDays > 1100:
		return n, invalid.Field("rules.days", [2]int{n.MinDays, n.MaxDays}, "a range within 0 to 1100, the smaller first")
	case !(n.MaxSpread > 0) || n.MaxSpread > 2:
		return n, invalid.Field("rules.max_spread", n.MaxSpread, "a share of the price above 0, at most 2")
	case !(n.MinOpenInterest >= 0):
		return n, invalid.Field("rules.min_open_interest", n.MinOpenInterest, "a number of contracts")
	case n.PerStrategy < 1 || n.PerStrategy > 10:
		return n, invalid.Field("rules.per_strategy", n.PerStrategy, "a whole number from 1 to 10")
	}
	return n, nil
}
