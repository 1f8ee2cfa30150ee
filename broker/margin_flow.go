package broker

import (
	"cmp"
	"slices"
)

// large groups a book that is too large to try everything. Short options are first
// paired with what covers them, so that the pairs save the most: a flow of least
// cost. Pairs are then joined to condors, butterflies and collars, and what is left
// to strangles and protected shares, the greatest gain first.
func (b *marginBook) large(units []int64) ([]marginShape, grouping) {
	var pairs, loose []marginShape
	keep := func(list *[]marginShape) addShape {
		return b.keeper(func(s marginShape) { *list = append(*list, s) })
	}
	var covers []marginShape
	b.withShares(keep(&covers))
	for _, s := range covers {
		if b.isCover(s) {
			pairs = append(pairs, s)
		} else {
			loose = append(loose, s)
		}
	}
	if b.rules.Account != CashAccount {
		b.pairs(keep(&pairs))
	}
	if b.rules.Account == RegTAccount {
		b.strangles(keep(&loose))
	}
	counts := b.flow(pairs, units)

	shapes := slices.Clone(pairs)
	rest := slices.Clone(units)
	var verticals [][2]int
	for k, n := range counts {
		for j, i := range shapes[k].items {
			rest[i] -= shapes[k].uses[j] * n
		}
		if x, y := shapes[k].items[0], shapes[k].items[1]; n > 0 && b.items[x].option() && b.items[x].expiration == b.items[y].expiration {
			if b.items[x].long() {
				x, y = y, x
			}
			verticals = append(verticals, [2]int{x, y})
		}
	}
	b.fours(verticals, keep(&loose))
	joins := b.joins(shapes, counts, loose)
	for _, j := range joins {
		n := int64(1) << 62
		for _, p := range j.parts {
			n = min(n, counts[p])
		}
		for k, i := range j.items {
			n = min(n, rest[i]/j.uses[k])
		}
		if n <= 0 {
			continue
		}
		for _, p := range j.parts {
			counts[p] -= n
		}
		for k, i := range j.items {
			rest[i] -= n * j.uses[k]
		}
		shapes, counts = append(shapes, j.shape), append(counts, n)
	}
	return shapes, grouping{counts: counts}
}

// isCover: a short option with what covers it.
func (b *marginBook) isCover(s marginShape) bool {
	if len(s.items) != 2 || s.uses[0] != 1 || s.uses[1] != 1 {
		return false
	}
	x, y := &b.items[s.items[0]], &b.items[s.items[1]]
	return x.option() != y.option() && (x.option() && !x.long() || y.option() && !y.long())
}

// A join is a shape made of chosen pairs and of items that are alone.
type join struct {
	shape marginShape
	parts []int
	items []int
	uses  []int64
	gain  saving
}

// joins lists how chosen pairs and single items can form larger shapes, the
// greatest gain first.
func (b *marginBook) joins(shapes []marginShape, counts []int64, larger []marginShape) []join {
	var all []join
	for _, s := range larger {
		for _, parts := range partsOf(s, shapes, counts) {
			j := join{shape: s, parts: parts, gain: s.saving}
			left := slices.Clone(s.uses)
			for _, p := range parts {
				j.gain = j.gain.plus(shapes[p].saving, -1)
				for k, i := range shapes[p].items {
					left[slices.Index(s.items, i)] -= shapes[p].uses[k]
				}
			}
			for k, n := range left {
				if n > 0 {
					j.items, j.uses = append(j.items, s.items[k]), append(j.uses, n)
				}
			}
			if j.gain.compare(saving{}) > 0 {
				all = append(all, j)
			}
		}
	}
	slices.SortStableFunc(all, func(x, y join) int {
		return cmp.Or(y.gain.compare(x.gain), slices.Compare(x.shape.items, y.shape.items), slices.Compare(x.parts, y.parts))
	})
	return all
}

// partsOf lists the ways to take a shape apart into no pair, one or two of those
// chosen.
func partsOf(s marginShape, shapes []marginShape, counts []int64) [][]int {
	inside := []int{}
	for p, n := range counts {
		if n > 0 && within(s, shapes[p:p+1]) {
			inside = append(inside, p)
		}
	}
	ways := [][]int{nil}
	for k, p := range inside {
		ways = append(ways, []int{p})
		for _, q := range inside[k+1:] {
			if within(s, []marginShape{shapes[p], shapes[q]}) {
				ways = append(ways, []int{p, q})
			}
		}
	}
	return ways
}

// within tells whether a shape has room for some others at once.
func within(s marginShape, parts []marginShape) bool {
	left := slices.Clone(s.uses)
	for _, p := range parts {
		for k, i := range p.items {
			at := slices.Index(s.items, i)
			if at < 0 || left[at] < p.uses[k] {
				return false
			}
			left[at] -= p.uses[k]
		}
	}
	return true
}

// flow pairs short options with covers so that the initial requirement saved is
// the most: successive longest paths in the residual network.
func (b *marginBook) flow(pairs []marginShape, units []int64) []int64 {
	counts := make([]int64, len(pairs))
	from, to := make([]int, len(pairs)), make([]int, len(pairs))
	for k, s := range pairs {
		x, y := s.items[0], s.items[1]
		if it := &b.items[x]; !it.option() || it.long() {
			x, y = y, x
		}
		from[k], to[k] = x, y
	}
	rest := slices.Clone(units)
	for {
		path, gain := b.longest(pairs, from, to, counts, rest)
		if gain <= 0 {
			return counts
		}
		// The path alternates: a new pair, an old one undone, a new pair.
		n := min(rest[from[path[0]]], rest[to[path[len(path)-1]]])
		for k := 1; k < len(path); k += 2 {
			n = min(n, counts[path[k]])
		}
		for k, p := range path {
			if k%2 == 0 {
				counts[p] += n
			} else {
				counts[p] -= n
			}
		}
		rest[from[path[0]]] -= n
		rest[to[path[len(path)-1]]] -= n
	}
}

// longest is the alternating path that gains the most, from a short option that is
// left to a cover that is left.
func (b *marginBook) longest(pairs []marginShape, from, to []int, counts, rest []int64) (path []int, gain int64) {
	const none = int64(-1) << 62
	best, via := make([]int64, len(b.items)), make([]int, len(b.items))
	for i := range best {
		best[i], via[i] = none, -1
	}
	for _, x := range from {
		if rest[x] > 0 {
			best[x] = 0
		}
	}
	for changed := true; changed; {
		changed = false
		for k := range pairs {
			x, y, w := from[k], to[k], pairs[k].saving.initial
			if best[x] != none && best[x]+w > best[y] {
				best[y], via[y], changed = best[x]+w, k, true
			}
			if counts[k] > 0 && best[y] != none && best[y]-w > best[x] {
				best[x], via[x], changed = best[y]-w, k, true
			}
		}
	}
	end := -1
	for _, y := range to {
		if rest[y] > 0 && best[y] > gain {
			gain, end = best[y], y
		}
	}
	if end < 0 {
		return nil, 0
	}
	for at := end; via[at] >= 0; {
		k := via[at]
		path = append(path, k)
		if at == to[k] {
			at = from[k]
		} else {
			at = to[k]
		}
	}
	slices.Reverse(path)
	return path, gain
}
