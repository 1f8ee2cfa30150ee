package backtest

import (
	"math"
	"time"
)

// Most bars of most runs change nothing but the strategy's view: no order works,
// nothing is due at the exchange and no timer is set. Those of a market of one
// symbol are gone through here, in a loop that does what instant does and nothing
// else: it allocates nothing and counts no decimals.

// glides tells whether such bars may come.
func (e *engine) glides() bool {
	if len(e.feeds) != 1 || len(e.quotes)+len(e.chains) > 0 || e.opts.Greeks || e.slow {
		return false
	}
	return e.still()
}

// still tells that nothing but bars can happen until the next corporate action.
func (e *engine) still() bool {
	if e.working > 0 || e.busy || e.failed != nil {
		return false
	}
	for _, d := range e.desks {
		if d.ledger.options > 0 || len(d.queue) > d.told {
			return false
		}
		if _, set := d.session.NextTimer(); set {
			return false
		}
	}
	return true
}

// glideMost is how many bars are gone through before the context is looked at.
const glideMost = 8192

// glide goes through bars until something else can happen. The last bar that is in
// memory, or that the run takes, is left to instant, which reads on and knows
// whether it is the last.
func (e *engine) glide() error {
	f := e.feeds[0]
	err := e.glideOver(f)
	for _, d := range f.readers {
		if d.skimmed > 0 {
			d.session.Pass(time.Unix(0, d.skimmed).In(e.location))
			d.skimmed = 0
		}
	}
	return err
}

func (e *engine) glideOver(f *feed) error {
	until := int64(math.MaxInt64)
	if len(e.adjusting) > 0 {
		until = e.adjusting[0]
	}
	for n := 0; n < glideMost && f.done+1 < f.within && f.end < until; {
		skimmed, acted, err := 0, false, error(nil)
		if e.skims(f) {
			skimmed, acted, err = e.skim(f, until)
		}
		if n += skimmed; skimmed == 0 && err == nil {
			n++
			acted, err = e.step(f)
		}
		if err != nil || acted && !e.still() {
			return err
		}
	}
	return nil
}

// step goes through one bar and tells whether anything can have come of it.
func (e *engine) step(f *feed) (acted bool, err error) {
	// The stillness lasts while bars are only skimmed, unless taking a point of the
	// account can end it.
	acted = e.rules.Ruin || e.opts.Observer != nil
	at, b := f.end, f.take()
	e.pass(f, 1)
	if err := f.look(); err != nil {
		return acted, err
	}
	if e.rules.PointFirst {
		e.pointsAt(at, f.count-1, b.Close)
	}
	for _, d := range f.readers {
		if d.skimmer != nil && !d.ruined && d.skimmer.Skim(b) {
			d.skimmed = at
			continue
		}
		acted, d.skimmed = true, 0
		if err := d.giveBar(f, b); err != nil {
			return acted, err
		}
	}
	if !e.rules.PointFirst {
		e.pointsAt(at, f.count-1, b.Close)
	}
	return acted, nil
}

// pass makes the latest bar of n that were taken the present.
func (e *engine) pass(f *feed, n int) {
	f.symbol.mark, f.symbol.markAt = f.bars[f.done-1].Close, f.lastEnd
	e.bars += int64(n)
	e.now, e.unsynced = f.lastEnd, true
}

// stretch is how many bars are skimmed before their points are taken together.
const stretch = 256

// skims tells whether bars can be skimmed: when there is one account, which holds
// the symbol or nothing, and its points are nobody else's business.
func (e *engine) skims(f *feed) bool {
	if len(e.desks) != 1 || len(f.readers) != 1 || e.rules.Ruin {
		return false
	}
	d := e.desks[0]
	if d.skimmer == nil || d.ruined || !d.curve.plain {
		return false
	}
	open := d.ledger.open
	return len(open) == 0 || len(open) == 1 && open[0].in == f.symbol
}

// skim does what step does for several bars, up to the first on which the strategy
// acts: first it takes them all, then their points. It returns how many it went
// through, which is none where points do not simply follow each other.
func (e *engine) skim(f *feed, until int64) (n int, acted bool, err error) {
	d := e.desks[0]
	first := f.done
	most := min(stretch, f.within-1-first, d.curve.left())
	before := d.curve.last()
	var ends [stretch]int64
	for n < most && f.end > before && f.end < until && !acted && err == nil {
		before = f.end
		ends[n] = before
		b := f.take()
		n++
		if err = f.look(); err == nil {
			acted = !d.skimmer.Skim(b)
		}
	}
	if n == 0 {
		return 0, false, nil
	}
	e.pass(f, n)
	points := n
	if err != nil || acted && !e.rules.PointFirst {
		points-- // the last is not taken, or not yet
	}
	d.curve.follow(&d.ledger, f.bars[first:first+points], ends[:points], f.count-int64(n))
	if err != nil || !acted {
		if points > 0 {
			d.skimmed = ends[points-1]
		}
		return n, acted, err
	}
	d.skimmed = 0
	b := &f.bars[f.done-1]
	if err = d.giveBar(f, b); err == nil && !e.rules.PointFirst {
		e.pointsAt(f.lastEnd, f.count-1, b.Close)
	}
	return n, true, err
}
