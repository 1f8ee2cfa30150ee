package broker

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/shopspring/decimal"
)

// A saving is what a grouping asks less than each position alone. The initial
// requirement counts first, then the maintenance requirement, then how many legs
// are joined. Amounts are in millionths.
type saving struct{ initial, maintenance, links int64 }

func (s saving) plus(t saving, times int64) saving {
	return saving{s.initial + t.initial*times, s.maintenance + t.maintenance*times, s.links + t.links*times}
}

func (s saving) compare(t saving) int {
	return cmp.Or(cmp.Compare(s.initial, t.initial), cmp.Compare(s.maintenance, t.maintenance), cmp.Compare(s.links, t.links))
}

func micros(d decimal.Decimal) int64 { return d.Shift(6).Round(0).IntPart() }

// A grouping says how often each shape is used.
type grouping struct {
	counts []int64
	saving saving
	exact  bool
}

// How much the search may do: so many looks at a shape, and so many possible rests
// of a book before quantities are divided by what they have in common.
const (
	wholeRests = 20_000
	unitLooks  = 400_000
	stepLooks  = 100_000
)

// allocate finds the grouping that saves the most. units is how much there is of
// each item. The answer depends on nothing but its arguments. It is not exact when
// the book is too large to try everything; ok is false when nothing was found in
// the time there is.
func allocate(shapes []marginShape, units []int64) (g grouping, ok bool) {
	if len(shapes) == 0 {
		return grouping{exact: true}, true
	}
	slices.SortStableFunc(shapes, func(a, b marginShape) int {
		return cmp.Or(b.saving.compare(a.saving), slices.Compare(a.items, b.items), slices.Compare(a.uses, b.uses))
	})
	s := &groupSearch{shapes: shapes, with: make([][]int, len(units))}
	for n, shape := range shapes {
		for _, i := range shape.items {
			s.with[i] = append(s.with[i], n)
		}
	}
	rest := slices.Clone(units)
	rests, common := int64(1), int64(0)
	for i := range rest {
		if len(s.with[i]) == 0 {
			rest[i] = 0
		}
		if rests <= wholeRests {
			rests *= rest[i] + 1
		}
		common = gcd(common, rest[i])
	}
	if rests <= wholeRests {
		common = 1
	}
	for i := range rest {
		rest[i] /= common
	}
	s.looks = unitLooks
	g = s.collect(rest, s.byUnit)
	if s.exhausted {
		s.looks, s.exhausted = stepLooks, false
		g = s.collect(rest, s.bySteps)
	}
	if s.exhausted {
		return grouping{}, false
	}
	for i := range g.counts {
		g.counts[i] *= common
	}
	g.exact = true
	return g, true
}

type groupSearch struct {
	shapes    []marginShape
	with      [][]int // the shapes that an item is in
	known     map[string]groupChoice
	looks     int // that are left
	exhausted bool
}

// A groupChoice is the best next step from a rest: a shape so many times, or, for
// shape -1, leaving so many units of an item alone.
type groupChoice struct {
	saving saving
	shape  int
	item   int
	times  int64
}

func restKey(rest []int64) string {
	key := make([]byte, 0, len(rest)*2)
	for _, n := range rest {
		key = binary.AppendUvarint(key, uint64(n))
	}
	return string(key)
}

func (s *groupSearch) take(rest []int64, c groupChoice, sign int64) {
	if c.shape < 0 {
		rest[c.item] -= sign * c.times
		return
	}
	shape := &s.shapes[c.shape]
	for k, i := range shape.items {
		rest[i] -= sign * shape.uses[k] * c.times
	}
}

// fits is how often a shape can be formed from a rest.
func (s *groupSearch) fits(shape *marginShape, rest []int64) int64 {
	n := rest[shape.items[0]] / shape.uses[0]
	for k, i := range shape.items[1:] {
		n = min(n, rest[i]/shape.uses[k+1])
	}
	return n
}

// collect runs a search and walks along its choices.
func (s *groupSearch) collect(rest []int64, search func([]int64) groupChoice) grouping {
	s.known = map[string]groupChoice{}
	rest = slices.Clone(rest)
	g := grouping{counts: make([]int64, len(s.shapes))}
	g.saving = search(rest).saving
	for !s.exhausted {
		c := search(rest)
		if c.times == 0 {
			break
		}
		if c.shape >= 0 {
			g.counts[c.shape] += c.times
		}
		s.take(rest, c, 1)
	}
	return g
}

// byUnit is exact: the first unit that is left joins one of the shapes or stays
// alone.
func (s *groupSearch) byUnit(rest []int64) groupChoice {
	first := slices.IndexFunc(rest, func(n int64) bool { return n > 0 })
	if first < 0 || s.exhausted {
		return groupChoice{}
	}
	key := restKey(rest)
	if c, ok := s.known[key]; ok {
		return c
	}
	if s.looks -= 10 + len(s.with[first]); s.looks < 0 {
		s.exhausted = true
		return groupChoice{}
	}
	best := groupChoice{shape: -1, item: first, times: 1}
	s.take(rest, best, 1)
	best.saving = s.byUnit(rest).saving
	s.take(rest, best, -1)
	for _, i := range s.with[first] {
		shape := &s.shapes[i]
		if s.fits(shape, rest) == 0 {
			continue
		}
		c := groupChoice{shape: i, times: 1}
		s.take(rest, c, 1)
		c.saving = s.byUnit(rest).saving.plus(shape.saving, 1)
		s.take(rest, c, -1)
		if c.saving.compare(best.saving) > 0 {
			best = c
		}
	}
	s.known[key] = best
	return best
}

// bySteps forms each shape as often as it fits. Every corner of the problem
// without whole numbers can be reached that way when positions join in pairs.
func (s *groupSearch) bySteps(rest []int64) groupChoice {
	if s.exhausted {
		return groupChoice{}
	}
	key := restKey(rest)
	if c, ok := s.known[key]; ok {
		return c
	}
	if s.looks -= 10 + len(s.shapes); s.looks < 0 {
		s.exhausted = true
		return groupChoice{}
	}
	var best groupChoice
	for i := range s.shapes {
		shape := &s.shapes[i]
		n := s.fits(shape, rest)
		if n == 0 {
			continue
		}
		c := groupChoice{shape: i, times: n}
		s.take(rest, c, 1)
		c.saving = s.bySteps(rest).saving.plus(shape.saving, n)
		s.take(rest, c, -1)
		if s.exhausted {
			return groupChoice{}
		}
		if c.saving.compare(best.saving) > 0 {
			best = c
		}
	}
	s.known[key] = best
	return best
}
