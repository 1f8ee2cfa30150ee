package options_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/ttai-go/ttai/options"
)

func TestPriceIsMonotoneConvexAndHomogeneous(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawBSM(t)
		k := rapid.SampledFrom([]options.Kind{options.Call, options.Put}).Draw(t, "kind")
		sign := float64(k)
		small := 1e-14 * (p.Spot + p.Strike)
		at := func(change func(*options.BSM)) float64 {
			q := p
			change(&q)
			return q.Price(k)
		}
		v := p.Price(k)
		step := rapid.Float64Range(0.001, 0.5).Draw(t, "step")
		up := at(func(q *options.BSM) { q.Spot += step * p.Spot })
		down := at(func(q *options.BSM) { q.Spot -= step * p.Spot })
		require.GreaterOrEqual(t, sign*(up-v), -small, "by the spot")
		require.GreaterOrEqual(t, up-2*v+down, -4*small, "convex in the spot")
		wide := at(func(q *options.BSM) { q.Strike *= 1 + step })
		near := at(func(q *options.BSM) { q.Strike *= 1 - step })
		require.LessOrEqual(t, sign*(wide-v), small, "by the strike")
		require.GreaterOrEqual(t, wide-2*v+near, -4*small, "convex in the strike")
		require.GreaterOrEqual(t, at(func(q *options.BSM) { q.Vol *= 1 + step })-v, -small, "by the volatility")
		require.InDelta(t, 3*v, at(func(q *options.BSM) { q.Spot, q.Strike = 3*p.Spot, 3*p.Strike }), 8*small, "homogeneous")
		mirrored := options.BSM{Spot: p.Strike, Strike: p.Spot, Years: p.Years, Rate: p.Yield, Yield: p.Rate, Vol: p.Vol}
		require.InDelta(t, v, mirrored.Price(-k), small, "symmetric")
	})
}
