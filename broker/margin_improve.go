package broker

import "slices"

// How much is tried to improve the grouping of a large book: so many pairs of
// groups, each with so many items that are alone.
const (
	improveTries = 120
	improveAlone = 4
)

// improve takes groups two at a time, with some items that are alone, and groups
// them anew when that saves more.
func (b *marginBook) improve(shapes []marginShape, g grouping, units []int64) ([]marginShape, grouping) {
	shapes = slices.Clone(shapes)
	tries := improveTries
	for better := true; better; {
		better = false
		for x := 0; x < len(shapes) && tries > 0; x++ {
			for y := x; y < len(shapes) && tries > 0 && g.counts[x] > 0; y++ {
				if g.counts[y] == 0 {
					continue
				}
				tries--
				if b.regroup(&shapes, &g, units, x, y) {
					better = true
				}
			}
		}
	}
	return shapes, g
}

// regroup groups the items of two groups anew and reports that this saves more.
func (b *marginBook) regroup(shapes *[]marginShape, g *grouping, units []int64, x, y int) bool {
	free := make([]int64, len(units))
	was := saving{}
	for _, k := range slices.Compact([]int{x, y}) {
		s := &(*shapes)[k]
		for j, i := range s.items {
			free[i] += s.uses[j] * g.counts[k]
		}
		was = was.plus(s.saving, g.counts[k])
	}
	for i, n := range b.leftAlone(*shapes, g, units) {
		free[i] += n
	}
	// A book of these items alone, and where they stand in this one.
	small := *b
	small.items = nil
	var at []int
	var amounts []int64
	for i, n := range free {
		if n > 0 {
			small.items, at, amounts = append(small.items, b.items[i]), append(at, i), append(amounts, n)
		}
	}
	list := small.shapes()
	found, ok := allocate(list, amounts)
	sum := saving{}
	for k, n := range found.counts {
		sum = sum.plus(list[k].saving, n)
	}
	if !ok || sum.compare(was) <= 0 {
		return false
	}
	g.counts[x], g.counts[y] = 0, 0
	for k, n := range found.counts {
		if n == 0 {
			continue
		}
		s := list[k]
		s.items = slices.Clone(s.items)
		for j, i := range s.items {
			s.items[j] = at[i]
		}
		*shapes, g.counts = append(*shapes, s), append(g.counts, n)
	}
	return true
}

// leftAlone is what the first few items have left, short options before others.
func (b *marginBook) leftAlone(shapes []marginShape, g *grouping, units []int64) map[int]int64 {
	rest := slices.Clone(units)
	for k, n := range g.counts {
		for j, i := range shapes[k].items {
			rest[i] -= shapes[k].uses[j] * n
		}
	}
	some := map[int]int64{}
	for _, short := range []bool{true, false} {
		for i, n := range rest {
			if n > 0 && len(some) < improveAlone && short == (b.items[i].option() && !b.items[i].long()) {
				some[i] = n
			}
		}
	}
	return some
}
