package kernel

// Ordered keeps the last n values in order: ranks, quantiles and mean
// deviations in time proportional to the logarithm of n.
//
// It is a B+ tree of the window's distinct values with how often each occurs.
// Every entry of a node knows how many values lie below it and the sum of their
// deviations from an origin. What an entry knows is added up anew whenever a
// value leaves it, so that a spike leaves no trace, and the tree is packed anew
// after every n values, with the last of them as the origin: every window until
// then contains it, and no deviation exceeds the window's own range.
type Ordered struct {
	n int
	// Leaves, width places each: values, ascending, and how often they occur.
	values, times []float64
	sizes, next   []int // of a leaf: its values, and the leaf after it
	// Nodes, width entries each: the greatest value allowed there, what lies
	// below, and the leaf or node that it lies in.
	keys, counts, sums []float64
	kids               []int
	filled             []int // entries of a node
	ring               []float64
	head               []float64 // the origin
	at                 []int     // see the constants
	pack               []float64 // for packing: values and how often they occur; no state
	path               [maxHeight]int
}

const (
	width     = 32
	half      = width / 2
	maxHeight = 12
)

// Places in at.
const (
	ringPos = iota
	held    // values in the window
	leaves  // in use
	nodes   // in use
	levels  // of nodes
	root
	orderedInts
)

// NewOrdered returns the order of n ≥ 1 values. Its state lies in what floats
// and ints return, zeros of the wanted number.
func NewOrdered(n int, floats func(int) []float64, ints func(int) []int) *Ordered {
	most := 2*(n/half+1) + 2
	inner := most/4 + 2*maxHeight
	o := &Ordered{
		n: n, values: floats(most * width), times: floats(most * width), sizes: ints(most), next: ints(most),
		keys: floats(inner * width), counts: floats(inner * width), sums: floats(inner * width),
		kids: ints(inner * width), filled: ints(inner),
		ring: floats(n), head: floats(1), at: ints(orderedInts), pack: make([]float64, 2*n),
	}
	o.load(0)
	return o
}

// Push adds x and reports whether there are n values.
func (o *Ordered) Push(x float64) bool {
	x += 0 // -0 equals 0
	p := o.at[ringPos]
	if o.at[held] == o.n {
		o.remove(o.ring[p])
	} else {
		if o.at[held] == 0 {
			o.head[0] = x
		}
		o.at[held]++
	}
	o.ring[p] = x
	o.add(x)
	if p++; p == o.n {
		p = 0
		o.turn(x)
	}
	o.at[ringPos] = p
	return o.at[held] == o.n
}

// Len returns n.
func (o *Ordered) Len() int { return o.n }

// child returns the first entry of a node whose values may be x.
func (o *Ordered) child(node int, x float64) int {
	last := o.filled[node] - 1
	i := 0
	for _, key := range o.keys[node*width : node*width+last] {
		i += Negative(key - x)
	}
	return i
}

// below returns how many of a leaf's values are below x.
func (o *Ordered) below(leaf int, x float64) int {
	i := 0
	for _, v := range o.values[leaf*width : leaf*width+o.sizes[leaf]] {
		i += Negative(v - x)
	}
	return i
}

func (o *Ordered) add(x float64) {
	d, node := x-o.head[0], o.at[root]
	if o.filled[node] == width {
		node = o.grow()
	}
	for level := o.at[levels]; ; level-- {
		i := o.child(node, x)
		e := node*width + i
		if o.splits(o.kids[e], level) {
			o.split(node, i, level)
			if o.keys[e] < x {
				e++
			}
		}
		o.keys[e] = max(o.keys[e], x)
		o.counts[e]++
		o.sums[e] += d
		if level == 1 {
			o.put(o.kids[e], x)
			return
		}
		node = o.kids[e]
	}
}

func (o *Ordered) put(leaf int, x float64) {
	size := o.sizes[leaf]
	values, times := o.values[leaf*width:(leaf+1)*width], o.times[leaf*width:(leaf+1)*width]
	i := o.below(leaf, x)
	if i < size && values[i] == x {
		times[i]++
		return
	}
	for k := size; k > i; k-- {
		values[k], times[k] = values[k-1], times[k-1]
	}
	values[i], times[i] = x, 1
	o.sizes[leaf] = size + 1
}

func (o *Ordered) splits(kid, level int) bool {
	if level == 1 {
		return o.sizes[kid] == width
	}
	return o.filled[kid] == width
}

// grow puts a root above the root.
func (o *Ordered) grow() int {
	old := o.at[root]
	top := o.node()
	e := top * width
	o.filled[top], o.kids[e] = 1, old
	o.counts[e], o.sums[e] = o.total(old)
	o.keys[e] = o.keys[old*width+o.filled[old]-1]
	o.at[root] = top
	o.at[levels]++
	return top
}

func (o *Ordered) node() int {
	o.at[nodes]++
	return o.at[nodes] - 1
}

// total adds up the entries of a node.
func (o *Ordered) total(node int) (count, sum float64) {
	counts := o.counts[node*width : node*width+o.filled[node]]
	for i, s := range o.sums[node*width : node*width+o.filled[node]] {
		sum += s
		count += counts[i]
	}
	return count, sum
}

// weigh adds up the values of a leaf.
func (o *Ordered) weigh(leaf int) (count, sum float64) {
	origin := o.head[0]
	size := o.sizes[leaf]
	values, times := o.values[leaf*width:leaf*width+size], o.times[leaf*width:leaf*width+size]
	for i, v := range values {
		sum += float64((v - origin) * times[i])
		count += times[i]
	}
	return count, sum
}

// split makes two entries of one, whose leaf or node is full.
func (o *Ordered) split(node, i, level int) {
	e := node * width
	count := o.filled[node]
	for k := e + count; k > e+i; k-- {
		o.keys[k], o.counts[k], o.sums[k], o.kids[k] = o.keys[k-1], o.counts[k-1], o.sums[k-1], o.kids[k-1]
	}
	o.filled[node]++
	e += i
	kid, to := o.kids[e], 0
	if level == 1 {
		to = o.at[leaves]
		o.at[leaves]++
		copy(o.values[to*width:to*width+half], o.values[kid*width+half:(kid+1)*width])
		copy(o.times[to*width:to*width+half], o.times[kid*width+half:(kid+1)*width])
		o.sizes[kid], o.sizes[to] = half, half
		o.next[to], o.next[kid] = o.next[kid], to
		o.keys[e] = o.values[kid*width+half-1]
		o.counts[e], o.sums[e] = o.weigh(kid)
		o.counts[e+1], o.sums[e+1] = o.weigh(to)
	} else {
		to = o.node()
		copy(o.keys[to*width:to*width+half], o.keys[kid*width+half:(kid+1)*width])
		copy(o.counts[to*width:to*width+half], o.counts[kid*width+half:(kid+1)*width])
		copy(o.sums[to*width:to*width+half], o.sums[kid*width+half:(kid+1)*width])
		copy(o.kids[to*width:to*width+half], o.kids[kid*width+half:(kid+1)*width])
		o.filled[kid], o.filled[to] = half, half
		o.keys[e] = o.keys[kid*width+half-1]
		o.counts[e], o.sums[e] = o.total(kid)
		o.counts[e+1], o.sums[e+1] = o.total(to)
	}
	o.kids[e+1] = to
}

// remove takes out one of the values that are x.
func (o *Ordered) remove(x float64) {
	node, top := o.at[root], o.at[levels]
	for level := top; ; level-- {
		e := node*width + o.child(node, x)
		o.path[level] = e
		o.counts[e]--
		node = o.kids[e]
		if level == 1 {
			break
		}
	}
	leaf := node
	i, size := o.below(leaf, x), o.sizes[leaf]
	values, times := o.values[leaf*width:leaf*width+size], o.times[leaf*width:leaf*width+size]
	if times[i]--; times[i] == 0 {
		copy(values[i:], values[i+1:])
		copy(times[i:], times[i+1:])
		o.sizes[leaf]--
	}
	_, sum := o.weigh(leaf)
	o.sums[o.path[1]] = sum
	for level := 2; level <= top; level++ {
		e := o.path[level]
		_, o.sums[e] = o.total(o.kids[e])
	}
}

// turn packs the tree, with x as the origin.
func (o *Ordered) turn(x float64) {
	o.head[0] = x
	count := 0
	// The first leaf is never moved: splitting keeps the lower half in place.
	for leaf := 0; ; leaf = o.next[leaf] {
		size := o.sizes[leaf]
		copy(o.pack[count:count+size], o.values[leaf*width:])
		copy(o.pack[o.n+count:o.n+count+size], o.times[leaf*width:])
		count += size
		if o.next[leaf] == 0 {
			break
		}
	}
	o.load(count)
}

// load builds the tree of the packed values.
func (o *Ordered) load(count int) {
	used := max((count+half-1)/half, 1)
	first := 0 // of the level in the making
	parents := (used + half - 1) / half
	for i := range parents {
		o.filled[i] = min(half, used-i*half)
	}
	for leaf := range used {
		from := leaf * half
		size := max(min(half, count-from), 0)
		copy(o.values[leaf*width:], o.pack[from:from+size])
		copy(o.times[leaf*width:], o.pack[o.n+from:o.n+from+size])
		o.sizes[leaf], o.next[leaf] = size, leaf+1
		e := leaf/half*width + leaf%half
		o.kids[e], o.keys[e] = leaf, 0
		if size > 0 {
			o.keys[e] = o.values[leaf*width+size-1]
		}
		o.counts[e], o.sums[e] = o.weigh(leaf)
	}
	o.next[used-1] = 0
	o.at[leaves], o.at[levels] = used, 1
	for level := parents; level > 1; level = parents {
		above := first + level
		parents = (level + half - 1) / half
		for i := range parents {
			o.filled[above+i] = min(half, level-i*half)
		}
		for i := range level {
			kid, e := first+i, (above+i/half)*width+i%half
			o.kids[e], o.keys[e] = kid, o.keys[kid*width+o.filled[kid]-1]
			o.counts[e], o.sums[e] = o.total(kid)
		}
		first = above
		o.at[levels]++
	}
	o.at[root] = first
	o.at[nodes] = first + 1
}

// Away returns how far the last value x is from the mean of the n values, and
// their mean distance from it.
func (o *Ordered) Away(x float64) (distance, away float64) {
	count := float64(o.n)
	node, origin := o.at[root], o.head[0]
	_, total := o.total(node)
	mean := total / count
	var below, sum float64
	for level := o.at[levels]; level >= 1; level-- {
		e, last := node*width, node*width+o.filled[node]-1
		for e < last && o.keys[e]-origin <= mean {
			below += o.counts[e]
			sum += o.sums[e]
			e++
		}
		node = o.kids[e]
	}
	times := o.times[node*width : node*width+o.sizes[node]]
	for i, v := range o.values[node*width : node*width+len(times)] {
		d := v - origin
		if d > mean {
			break
		}
		below += times[i]
		sum += float64(d * times[i])
	}
	return x - origin - mean, max((total-2*sum+float64((2*below-count)*mean))/count, 0)
}

// At returns the value that k of the n values precede, 0 ≤ k < n.
func (o *Ordered) At(k int) float64 {
	left, node := float64(k), o.at[root]
	for level := o.at[levels]; level >= 1; level-- {
		e, last := node*width, node*width+o.filled[node]-1
		for e < last && left >= o.counts[e] {
			left -= o.counts[e]
			e++
		}
		node = o.kids[e]
	}
	times := o.times[node*width : node*width+o.sizes[node]]
	i := 0
	for i < len(times)-1 && left >= times[i] {
		left -= times[i]
		i++
	}
	return o.values[node*width+i]
}

// Rank returns how many of the n values are at most x.
func (o *Ordered) Rank(x float64) int {
	rank, node := 0.0, o.at[root]
	for level := o.at[levels]; level >= 1; level-- {
		e, last := node*width, node*width+o.filled[node]-1
		for e < last && o.keys[e] <= x {
			rank += o.counts[e]
			e++
		}
		node = o.kids[e]
	}
	times := o.times[node*width : node*width+o.sizes[node]]
	for i, v := range o.values[node*width : node*width+len(times)] {
		if v > x {
			break
		}
		rank += times[i]
	}
	return int(rank)
}

// Visit visits the state of the order.
func (o *Ordered) Visit(t *Tape) {
	for _, s := range [][]float64{o.values, o.times, o.keys, o.counts, o.sums, o.ring, o.head} {
		t.Floats(s)
	}
	for _, s := range [][]int{o.sizes, o.next, o.kids, o.filled, o.at} {
		t.Ints(s)
	}
}
