package backtest

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
// memory is left to instant, which reads on and knows whether it is the last.
func (e *engine) glide() error {
	f := e.feeds[0]
	in := f.symbol
	first := e.rules.PointFirst
	for n := 0; n < glideMost && f.done+1 < len(f.bars); n++ {
		at := f.end
		if len(e.adjusting) > 0 && e.adjusting[0] <= at {
			return nil
		}
		b := f.take()
		in.mark, in.markAt = b.Close, at
		e.bars++
		e.now, e.unsynced = at, true
		if err := f.look(); err != nil {
			return err
		}
		if first {
			e.points()
		}
		for _, d := range f.readers {
			if err := d.giveBar(f, b); err != nil {
				return err
			}
		}
		if !first {
			e.points()
		}
		if !e.still() {
			return nil
		}
	}
	return nil
}
