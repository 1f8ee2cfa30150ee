package broker

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// someBook has n different contracts of one expiry or two.
func someBook(t *testing.T, r *rand.Rand, n int) ([]MarginPosition, *marginBook) {
	t.Helper()
	var in MarginInput
	for i := range n {
		kind := market.OptionKind(r.IntN(2)*2 - 1)
		strike := 60 + float64(80*i/n) + float64(r.IntN(4))
		symbol, err := market.NewOptionSymbol(market.Contract{Root: "XYZ", Expiration: market.Date{Year: 2026, Month: 7, Day: 17 + 7*(r.IntN(5)/4)}, Kind: kind, Strike: strike})
		require.NoError(t, err)
		quantity := int64(r.IntN(3) + 1)
		if r.IntN(2) == 0 {
			quantity = -quantity
		}
		in.Positions = append(in.Positions, MarginPosition{Symbol: symbol, Quantity: decimal.NewFromInt(quantity), Price: decimal.NewFromInt(int64(1 + r.IntN(5)))})
	}
	in.Underlyings = map[market.Symbol]decimal.Decimal{"XYZ": decimal.NewFromInt(100)}
	books, err := (&MarginRules{}).books(in)
	require.NoError(t, err)
	require.Len(t, books, 1)
	return in.Positions, books[0]
}

func (b *marginBook) quantities() []int64 {
	units := make([]int64, len(b.items))
	for i := range b.items {
		units[i] = b.items[i].units
	}
	return units
}

func total(shapes []marginShape, g grouping) (sum saving) {
	for k, n := range g.counts {
		sum = sum.plus(shapes[k].saving, n)
	}
	return sum
}

func TestTheWayForLargeBooksIsNearlyTheBest(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var best, found int64
	for range 60 {
		_, b := someBook(t, r, 6+r.IntN(3))
		units := b.quantities()
		all := b.shapes()
		exact, ok := allocate(all, units)
		if !ok {
			continue
		}
		shapes, g := b.large(units)
		shapes, g = b.improve(shapes, g, units)
		want, got := total(all, exact).initial, total(shapes, g).initial
		require.LessOrEqual(t, got, want, "nothing saves more than the best")
		best, found = best+want, found+got
	}
	require.Positive(t, best)
	assert.Greater(t, float64(found)/float64(best), 0.99)
}

func TestPairsOfLargeBooksSaveTheMost(t *testing.T) {
	// Two shorts and two covers: the greedy choice of the best pair leaves the worst.
	pairs := []marginShape{
		{items: []int{0, 2}, uses: []int64{1, 1}, saving: saving{initial: 10}},
		{items: []int{0, 3}, uses: []int64{1, 1}, saving: saving{initial: 9}},
		{items: []int{1, 2}, uses: []int64{1, 1}, saving: saving{initial: 8}},
	}
	b := &marginBook{items: make([]marginItem, 4)}
	for i := range b.items {
		b.items[i].right, b.items[i].quantity = market.Call, decimal.NewFromInt(int64(2*(i/2)-1))
	}
	assert.Equal(t, []int64{0, 5, 5}, b.flow(pairs, []int64{5, 5, 5, 5}))
	assert.Equal(t, []int64{2, 3, 3}, b.flow(pairs, []int64{5, 5, 5, 3}))
}

func TestLargeBooksUseEachPositionOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 2 {
		positions, b := someBook(t, r, 40)
		in := MarginInput{Positions: positions, Underlyings: map[market.Symbol]decimal.Decimal{"XYZ": b.spot}}
		m, err := (&MarginRules{}).Requirement(in)
		require.NoError(t, err)
		assert.False(t, m.Exact)
		left := map[market.Symbol]decimal.Decimal{}
		for _, p := range positions {
			left[p.Symbol] = left[p.Symbol].Add(p.Quantity)
		}
		for _, g := range m.Groups {
			for _, l := range g.Legs {
				left[l.Symbol] = left[l.Symbol].Sub(l.Quantity)
			}
		}
		for symbol, q := range left {
			assert.True(t, q.IsZero(), "%s: %s", symbol, q)
		}
		naked := decimal.Zero
		for i := range b.items {
			naked = naked.Add(b.alone(&b.items[i]).initial.Mul(decimal.NewFromInt(b.items[i].units)))
		}
		assert.True(t, m.Initial.LessThan(naked))
		r.Shuffle(len(positions), func(i, j int) { positions[i], positions[j] = positions[j], positions[i] })
		again, err := (&MarginRules{}).Requirement(in)
		require.NoError(t, err)
		assert.Equal(t, fmt.Sprint(m.Groups), fmt.Sprint(again.Groups))
	}
}
