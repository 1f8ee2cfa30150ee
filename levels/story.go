package levels

import "time"

// pages are the known bars that a book has written down: the range, widened to
// the close where that lies outside it, the close, and the bar's number.
type pages struct {
	all []page

	from   int       // the first bar, known or not, since bars were forgotten
	before time.Time // start of the first bar written down, when it is before from
	bars   *history  // knows the times of the others

	// The ranges of whole leaves, of as many leaves together, and of as many of
	// these, for those that look far ahead.
	ranges [3][]extent
}

type extent struct{ low, high float64 }

// A page is a bar: lows and highs take in a close that lies outside them.
type page struct {
	low, high, close float64
	bar              int
}

// So many bars are written down before they are read up; a leaf is so many that
// one look tells whether to skip them.
const (
	mostPages = 8192
	leaf      = 8
)

func (p *pages) add(i int, lo, hi, closed float64) {
	p.all = append(p.all, page{lo, hi, closed, i})
}

// last is the number of the last known bar; -1 when there is none.
func (p *pages) last() int {
	if len(p.all) == 0 {
		return -1
	}
	return p.all[len(p.all)-1].bar
}

// time is the start of bar k of the pages.
func (p *pages) time(k int) time.Time {
	if p.all[k].bar < p.from {
		return p.before
	}
	return p.bars.s.Time[p.all[k].bar-p.bars.base]
}

// forget leaves only the last bar; the next bar's number is next.
func (p *pages) forget(next int) {
	n := len(p.all)
	if n == 0 {
		p.from = next
		return
	}
	p.before, p.from = p.time(n-1), next
	p.all[0] = p.all[n-1]
	p.all = p.all[:1]
	for k := range p.ranges {
		p.ranges[k] = p.ranges[k][:0]
	}
}

// bind sums up the whole leaves.
func (p *pages) bind() {
	for n := len(p.ranges[0]); (n+1)*leaf <= len(p.all); n++ {
		// Pair by pair: none waits for the one before, and no jump hangs on a price.
		x := (*[leaf]page)(p.all[n*leaf:])
		p.ranges[0] = append(p.ranges[0], extent{
			min(min(min(x[0].low, x[1].low), min(x[2].low, x[3].low)), min(min(x[4].low, x[5].low), min(x[6].low, x[7].low))),
			max(max(max(x[0].high, x[1].high), max(x[2].high, x[3].high)), max(max(x[4].high, x[5].high), max(x[6].high, x[7].high))),
		})
	}
	for level := 1; level < len(p.ranges); level++ {
		parts := p.ranges[level-1]
		for n := len(p.ranges[level]); (n+1)*leaf <= len(parts); n++ {
			x := parts[n*leaf]
			for _, part := range parts[n*leaf+1 : (n+1)*leaf] {
				x.add(part.low, part.high)
			}
			p.ranges[level] = append(p.ranges[level], x)
		}
	}
}

// add widens a range. Jumps cost less than min and max: most bars do not.
func (x *extent) add(low, high float64) {
	if low < x.low {
		x.low = low
	}
	if high > x.high {
		x.high = high
	}
}

// whole returns how many bars from k on the largest summed up range there
// covers, and the range; 0 when none begins there.
func (p *pages) whole(k int) (int, extent) {
	size, found := 0, extent{}
	for level, n := 0, leaf; level < len(p.ranges) && k%n == 0 && k/n < len(p.ranges[level]); level, n = level+1, n*leaf {
		size, found = n, p.ranges[level][k/n]
	}
	return size, found
}

// since is the range of the bars from k on.
func (p *pages) since(k int) extent {
	x := extent{p.all[k].low, p.all[k].high}
	for k < len(p.all) {
		if n, part := p.whole(k); n > 0 {
			x.add(part.low, part.high)
			k += n
			continue
		}
		x.add(p.all[k].low, p.all[k].high)
		k++
	}
	return x
}

// reachesDown returns the first bar from k on that trades at or below the price;
// the number of bars when none does.
func (p *pages) reachesDown(k int, price float64) int {
	for k < len(p.all) {
		if p.all[k].low <= price {
			return k
		}
		k++
		for k%leaf == 0 {
			n := p.above(k, price)
			if n == 0 {
				break
			}
			k += n
		}
	}
	return len(p.all)
}

// above returns how many bars from k on, as far as they are summed up together,
// are all above the price.
func (p *pages) above(k int, price float64) int {
	size := 0
	for level, n := 0, leaf; level < len(p.ranges) && k%n == 0 && k/n < len(p.ranges[level]) && p.ranges[level][k/n].low > price; level, n = level+1, n*leaf {
		size = n
	}
	return size
}

// reachesUp is reachesDown for trades at or above the price.
func (p *pages) reachesUp(k int, price float64) int {
	for k < len(p.all) {
		if p.all[k].high >= price {
			return k
		}
		k++
		for k%leaf == 0 {
			n := p.below(k, price)
			if n == 0 {
				break
			}
			k += n
		}
	}
	return len(p.all)
}

// below is above for bars below the price.
func (p *pages) below(k int, price float64) int {
	size := 0
	for level, n := 0, leaf; level < len(p.ranges) && k%n == 0 && k/n < len(p.ranges[level]) && p.ranges[level][k/n].high < price; level, n = level+1, n*leaf {
		size = n
	}
	return size
}

// readUp tells the stories of all levels up to the last bar.
func (b *book) readUp() {
	p := &b.pages
	p.bind()
	if b.read < len(p.all) {
		x := p.since(b.read)
		lo, hi := x.low, x.high
		for id := range b.spots {
			x := &b.spots[id]
			if !x.live || x.begun && !x.inside && (x.side > 0 && x.top < lo || x.side < 0 && x.bottom > hi) {
				continue
			}
			b.tell(id)
		}
	} else {
		for id := range b.spots {
			if x := &b.spots[id]; x.live && !x.begun {
				b.tell(id)
			}
		}
	}
	b.read = len(p.all)
}

// forget reads everything up, and leaves only the last bar for those to come.
func (b *book) forget() {
	b.readUp()
	b.pages.forget(b.now + 1)
	b.read = len(b.pages.all)
	for id := range b.spots {
		if x := &b.spots[id]; x.live && !x.begun {
			b.records[id].start = int32(b.read) // no bar was known since
		}
	}
}

// tell tells the story of a level from where it has been told to.
func (b *book) tell(id int) {
	x, at, p := &b.records[id], &b.spots[id], &b.pages
	k := b.read
	if !at.begun {
		k = int(x.start)
		if !x.unseen {
			b.begin(x, at, k)
			k++
		}
		at.begun = k > int(x.start) || k < len(p.all)
	}
	for k < len(p.all) {
		if !at.inside {
			switch {
			case at.side > 0:
				k = p.reachesDown(k, at.top)
			case at.side < 0:
				k = p.reachesUp(k, at.bottom)
			}
			if k >= len(p.all) {
				return
			}
			switch {
			case at.top < p.all[k].low:
				b.leave(x, at, +1, k)
				k++
				continue
			case at.bottom > p.all[k].high:
				b.leave(x, at, -1, k)
				k++
				continue
			}
			at.inside, x.from = true, at.side
			x.count()
		}
		k = b.stay(x, at, k)
	}
}

// stay takes the bars from k on that reach the level, and the one after them.
func (b *book) stay(x *record, at *spot, k int) int {
	bottom, top, low, high, filling := at.bottom, at.top, x.low, x.high, x.filling != fillsNever
	all := b.pages.all
	for ; k < len(all); k++ {
		bar := &all[k]
		if top < bar.low {
			b.leave(x, at, +1, k)
			return k + 1
		}
		if bottom > bar.high {
			b.leave(x, at, -1, k)
			return k + 1
		}
		// Which side a close is on cannot be foretold, but that it is the same
		// again can.
		var above, below int8
		if bar.close > high {
			above = 1
		}
		if bar.close < low {
			below = 1
		}
		if side := above - below; side != x.home && side != 0 {
			b.closes(x, side, k)
		}
		if filling {
			b.fills(x, k)
		}
	}
	return k
}

// begin places a level by the bar that confirmed it. A visit that is under way
// then made the level or preceded it, and is not counted.
func (b *book) begin(x *record, at *spot, k int) {
	lo, hi, closed := b.pages.all[k].low, b.pages.all[k].high, b.pages.all[k].close
	switch {
	case at.top < lo:
		at.side = +1
	case at.bottom > hi:
		at.side = -1
	default:
		at.inside = true
	}
	switch {
	case closed > x.high:
		b.closes(x, +1, k)
	case closed < x.low:
		b.closes(x, -1, k)
	}
	if x.state == StateBroken && x.home == at.side {
		x.state = StateFlipped
	}
}

// count makes the visit under way one of those counted.
func (x *record) count() {
	x.counted = true
	x.touches++
	switch x.state {
	case StateFresh:
		x.state = StateTested
	case StateFlipped:
		x.state = StateRetested
	}
}

// leave takes a bar wholly on one side of the widened band.
func (b *book) leave(x *record, at *spot, side int8, k int) {
	if at.inside {
		if x.counted {
			x.visits++
			if side == x.from {
				x.held++
			}
		}
		if before := b.pages.all[k-1].bar; before > x.confirmed {
			x.touched, x.touchedAt = before, b.pages.time(k-1)
		}
		at.inside, x.counted = false, false
	}
	at.side = side
	b.closes(x, side, k)
	if x.state == StateBroken && x.home == side {
		x.state = StateFlipped
	}
	if x.filling != fillsNever {
		x.fill(b.pages.all[k].low, b.pages.all[k].high)
	}
}

// closes takes a close beyond the band.
func (b *book) closes(x *record, side int8, k int) {
	if x.home == side {
		return
	}
	if x.home != 0 {
		if !x.broken {
			x.broken, x.brokenAt = true, b.pages.time(k)
		}
		x.state = StateBroken
	}
	x.home = side
}

// fills takes a bar that reached a gap or a pool.
func (b *book) fills(x *record, k int) {
	x.fill(b.pages.all[k].low, b.pages.all[k].high)
	if !x.counted && (x.filling == fillsDown || x.filling == fillsUp) && b.pages.all[k].bar > x.confirmed && x.filled() > 0 {
		// The bar that made a gap stands at its edge: a visit begins when price
		// comes in.
		x.from = x.home
		x.count()
	}
}

func (x *record) fill(lo, hi float64) {
	switch x.filling {
	case fillsDown:
		x.reach = min(x.reach, lo)
	case fillsUp:
		x.reach = max(x.reach, hi)
	case sweptAbove:
		x.swept = x.swept || hi > x.high
	case sweptBelow:
		x.swept = x.swept || lo < x.low
	}
}

func (x *record) filled() float64 {
	switch {
	case x.filling == fillsDown:
		return min(1, max(0, (x.high-x.reach)/(x.high-x.low)))
	case x.filling == fillsUp:
		return min(1, max(0, (x.reach-x.low)/(x.high-x.low)))
	case x.swept:
		return 1
	}
	return 0
}
