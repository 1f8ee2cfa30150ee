package indicators_test

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

// slowDivergences asks every bar and every pair as the definition does.
func slowDivergences(high, low, oscillator []float64, left, right, most int) []indicators.Divergence {
	var known []int
	for i := range high {
		if !math.IsNaN(high[i]) && !math.IsNaN(low[i]) {
			known = append(known, i)
		}
	}
	var found []indicators.Divergence
	for _, side := range []struct {
		price           []float64
		sign            float64
		regular, hidden indicators.DivergenceKind
	}{
		{low, 1, indicators.RegularBullish, indicators.HiddenBullish},
		{high, -1, indicators.RegularBearish, indicators.HiddenBearish},
	} {
		before := -1
		for k := left; k+right < len(known); k++ {
			at, swing := known[k], true
			for j := k - left; j <= k+right; j++ {
				swing = swing && (j == k || side.sign*side.price[at] < side.sign*side.price[known[j]])
			}
			if !swing {
				continue
			}
			if before >= 0 && at-before <= most {
				price, o := side.sign*(side.price[at]-side.price[before]), side.sign*(oscillator[at]-oscillator[before])
				kind := indicators.DivergenceKind("")
				if price < 0 && o > 0 {
					kind = side.regular
				} else if price > 0 && o < 0 {
					kind = side.hidden
				}
				if kind != "" {
					found = append(found, indicators.Divergence{Kind: kind, First: before, Second: at, Confirmed: known[k+right]})
				}
			}
			before = at
		}
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].Confirmed < found[j].Confirmed })
	return found
}

func TestDivergencesAreThoseOfTheDefinition(t *testing.T) {
	kinds := map[indicators.DivergenceKind]int{}
	for round := range 60 {
		r := trial{t, rand.New(rand.NewPCG(17, uint64(round)))}
		n := r.between(0, 300)
		var high, low, oscillator []float64
		price := 100.0
		for range n {
			price += float64(r.between(-3, 3)) // whole ticks: ties are common
			h, l, o := price+float64(r.between(0, 2)), price-float64(r.between(0, 2)), float64(r.between(-5, 5))
			switch r.IntN(30) {
			case 0:
				h = nan
			case 1:
				o = nan
			}
			high, low, oscillator = append(high, h), append(low, l), append(oscillator, o)
		}
		left, right, most := r.between(1, 4), r.between(1, 4), r.between(3, 80)
		got, err := indicators.Divergences(high, low, oscillator, &indicators.DivergenceOptions{Left: left, Right: right, MaxBars: most})
		require.NoError(t, err)
		require.Equal(t, slowDivergences(high, low, oscillator, left, right, most), got, "round %d", round)
		for _, d := range got {
			kinds[d.Kind]++
		}
		for cut := 0; cut < n; cut += 11 {
			part, err := indicators.Divergences(high[:cut], low[:cut], oscillator[:cut], &indicators.DivergenceOptions{Left: left, Right: right, MaxBars: most})
			require.NoError(t, err)
			for i, d := range part {
				require.Equal(t, got[i], d)
			}
			require.False(t, len(part) < len(got) && got[len(part)].Confirmed < cut, "what is confirmed before the cut is there")
		}
	}
	require.Len(t, kinds, 4)
}
