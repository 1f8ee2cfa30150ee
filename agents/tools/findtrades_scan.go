package tools

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// undefinedRisk are the structures whose loss is not bounded by what they tie up.
func undefinedRisk() []string {
	return []string{"naked put", "naked call", "short straddle", "short strangle", "call ratio spread", "put ratio spread", "jade lizard"}
}

// What bounds the work of one call, whatever the chain: strikes of one kind and
// expiration that are sold, further strikes beside each, later expirations beside
// each, and structures in all.
const (
	mostShorts     = 60
	mostPartners   = 24
	mostLater      = 3
	mostStructures = 250_000
)

// A pick is a contract that structures are made of.
type pick struct {
	*options.Contract
	expiry *options.Expiry
	shares float64    // that one contract is for
	naked  float64    // margin of one short contract alone; NaN: not yet asked for
	fees   [2]float64 // of opening one, to buy and to sell; NaN: not yet asked for
}

// sellable tells whether somebody would buy it at a price that makes sense.
func (p *pick) sellable() bool { return p.Bid > 0 && p.Ask > p.Bid }

// A side is the usable contracts of one kind and expiration, by strike.
type side []pick

// A finder builds structures of a chain and keeps the best of those that meet the
// criteria.
type finder struct {
	args    findArgs
	chain   *options.Chain
	today   market.Date
	rules   broker.MarginRules
	fees    *broker.FeeSchedule
	ctx     context.Context
	scanned int
	met     int
	kept    []found // the best so far, best first
	thinned int     // strikes that were left out
	ended   bool    // before everything was looked at
	apart   bool    // expirations do not cover each other: no calendars
}

func newFinder(in findArgs, chain *options.Chain, today market.Date) *finder {
	return &finder{args: in, chain: chain, today: today, fees: broker.TastytradeFees()}
}

func (f *finder) wants(name string) bool {
	if !f.args.Undefined && slices.Contains(undefinedRisk(), name) {
		return false
	}
	return len(f.args.Structures) == 0 || slices.Contains(f.args.Structures, name)
}

func (f *finder) wantsAny(names ...string) bool { return slices.ContainsFunc(names, f.wants) }

// near tells whether a contract's delta is in the range, and it can be sold.
func (f *finder) near(p *pick) bool {
	d := math.Abs(p.Delta)
	return d >= f.args.MinDelta && d <= f.args.MaxDelta && p.sellable()
}

// atMoney tells whether a contract is about at the money, whatever the range says:
// straddles and calendars are made of those.
func atMoney(p *pick) bool { return math.Abs(math.Abs(p.Delta)-0.5) <= 0.15 }

// fits tells whether a spread is narrow enough: by default a tenth of the spot.
func (f *finder) fits(width float64) bool {
	most := f.args.MaxWidth
	if most == 0 {
		most = f.chain.Spot / 10
	}
	return width > 1e-9 && width <= most+1e-9
}

// sides are the contracts of an expiration that structures can be made of: with two
// prices that are not crossed, and a volatility. Contracts whose deliverable is not
// the usual one are left out where the usual ones are there.
func sides(e *options.Expiry) (puts, calls side) {
	usual := 0.0
	for i := range e.Contracts {
		if m := sharesOf(&e.Contracts[i]); m == 100 || usual == 0 && m > 0 {
			usual = m
		}
	}
	finite := func(x float64) bool { return x > 0 && !math.IsInf(x, 1) }
	for i := range e.Contracts {
		c := &e.Contracts[i]
		if !finite(c.Mid) || !finite(c.Ask) || !(c.Bid >= 0) || !finite(c.IV) || math.IsNaN(c.Delta) || sharesOf(c) != usual {
			continue
		}
		p := pick{Contract: c, expiry: e, shares: usual, naked: math.NaN(), fees: [2]float64{math.NaN(), math.NaN()}}
		if c.Kind == options.Put {
			puts = append(puts, p)
		} else {
			calls = append(calls, p)
		}
	}
	return puts, calls
}

// sharesOf is how many shares a contract is for; NaN when its deliverable is not known.
func sharesOf(c *options.Contract) float64 {
	if c.Multiplier == 0 {
		return 100
	}
	return c.Multiplier
}

// chosen are the contracts of a side that pass, thinned evenly when they are many.
func (f *finder) chosen(s side, most int, pass func(*pick) bool) []*pick {
	var all []*pick
	for i := range s {
		if pass(&s[i]) {
			all = append(all, &s[i])
		}
	}
	return f.thin(all, most)
}

func (f *finder) thin(all []*pick, most int) []*pick {
	if len(all) <= most {
		return all
	}
	f.thinned += len(all) - most
	out := make([]*pick, most)
	for i := range out {
		out[i] = all[i*(len(all)-1)/(most-1)]
	}
	return out
}

// beyond are the contracts of a side that are further out of the money than p, or
// further in it, and near enough for a spread.
func (f *finder) beyond(s side, p *pick, up bool) []*pick {
	var all []*pick
	for i := range s {
		width := s[i].Strike - p.Strike
		if !up {
			width = -width
		}
		if f.fits(width) {
			all = append(all, &s[i])
		}
	}
	return f.thin(all, mostPartners)
}

// scan builds the structures of the chain. The error is that of the context.
func (f *finder) scan(ctx context.Context) error {
	f.ctx = ctx
	all := make([][2]side, len(f.chain.Expiries))
	for i := range f.chain.Expiries {
		all[i][0], all[i][1] = sides(&f.chain.Expiries[i])
	}
	for i := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		f.single(all[i][0], false)
		f.single(all[i][1], true)
		f.both(all[i][0], all[i][1])
		later := 0
		for j := i + 1; j < len(all) && later < mostLater; j++ {
			near, far := &f.chain.Expiries[i], &f.chain.Expiries[j]
			if near.Root != far.Root || !near.Date.Before(far.Date) {
				continue
			}
			later++
			f.across(all[i][0], all[j][0], "put")
			f.across(all[i][1], all[j][1], "call")
		}
	}
	return ctx.Err()
}

// single builds what has one kind of option.
func (f *finder) single(s side, calls bool) {
	owned, alone, credit, debit, ratio := "short put", "naked put", "bull put spread", "bear put spread", "put ratio spread"
	if calls {
		owned, alone, credit, debit, ratio = "covered call", "naked call", "bear call spread", "bull call spread", "call ratio spread"
	}
	spreads := f.wantsAny(credit, debit, ratio)
	for _, p := range f.chosen(s, mostShorts, f.near) {
		f.consider(owned, leg{p, -1})
		f.consider(alone, leg{p, -1})
		if !spreads {
			continue
		}
		for _, q := range f.beyond(s, p, calls) {
			f.consider(credit, leg{p, -1}, leg{q, 1})
			f.consider(debit, leg{p, 1}, leg{q, -1})
			f.consider(ratio, leg{p, 1}, leg{q, -2})
		}
	}
}

// both builds what has puts and calls.
func (f *finder) both(puts, calls side) {
	if f.wantsAny("long straddle", "short straddle") {
		for _, c := range f.chosen(calls, mostShorts, atMoney) {
			if p := at(puts, c.Strike); p != nil {
				f.consider("long straddle", leg{c, 1}, leg{p, 1})
				f.consider("short straddle", leg{c, -1}, leg{p, -1})
			}
		}
	}
	condors, lizards := f.wants("iron condor"), f.wants("jade lizard")
	if !condors && !lizards && !f.wantsAny("long strangle", "short strangle") {
		return
	}
	shorts := f.chosen(calls, mostShorts, f.near)
	for _, p := range f.chosen(puts, mostShorts, f.near) {
		var wings []*pick
		if condors {
			wings = f.beyond(puts, p, false)
		}
		for _, c := range shorts {
			// Shorts about as far out: others are two trades.
			if !(math.Abs(math.Abs(p.Delta)-c.Delta) <= 0.05) || p.Strike >= c.Strike {
				continue
			}
			f.consider("long strangle", leg{p, 1}, leg{c, 1})
			f.consider("short strangle", leg{p, -1}, leg{c, -1})
			for _, w := range wings { // equal on both sides
				if q := at(calls, c.Strike+p.Strike-w.Strike); q != nil {
					f.consider("iron condor", leg{p, -1}, leg{w, 1}, leg{c, -1}, leg{q, 1})
				}
			}
			if !lizards {
				continue
			}
			for _, q := range f.beyond(calls, c, true) {
				// The credit pays for the call spread: nothing is lost above.
				if p.Mid+c.Mid-q.Mid >= q.Strike-c.Strike {
					f.consider("jade lizard", leg{p, -1}, leg{c, -1}, leg{q, 1})
				}
			}
		}
	}
}

// across builds calendars and diagonals: short near, long far.
func (f *finder) across(near, far side, kind string) {
	if f.apart || !f.wantsAny(kind+" calendar", kind+" diagonal") {
		return
	}
	for _, p := range f.chosen(near, mostShorts, func(p *pick) bool { return p.sellable() && (atMoney(p) || f.near(p)) }) {
		if q := at(far, p.Strike); q != nil {
			if f.apart = !f.covered(p, q); f.apart {
				return
			}
			f.consider(kind+" calendar", leg{p, -1}, leg{q, 1})
		}
		if !f.near(p) || !f.wants(kind+" diagonal") {
			continue
		}
		for _, q := range append(f.beyond(far, p, false), f.beyond(far, p, true)...) {
			f.consider(kind+" diagonal", leg{p, -1}, leg{q, 1})
		}
	}
}

// at finds the contract of a side with a strike; nil without one.
func at(s side, strike float64) *pick {
	i, _ := slices.BinarySearchFunc(s, strike-1e-6, func(p pick, strike float64) int {
		if p.Strike < strike {
			return -1
		}
		return 1
	})
	if i < len(s) && math.Abs(s[i].Strike-strike) <= 1e-6 {
		return &s[i]
	}
	return nil
}

// full tells whether enough was looked at, or nobody waits any more.
func (f *finder) full() bool {
	if f.ended {
		return true
	}
	f.ended = f.scanned >= mostStructures || f.scanned%512 == 0 && f.ctx.Err() != nil
	return f.ended
}

// notes say what was not looked at.
func (f *finder) notes() []string {
	var out []string
	if f.thinned > 0 {
		out = append(out, fmt.Sprintf("%d pairings of strikes lie so close to others that they were passed over: narrow the deltas, the days or max_width to see them", f.thinned))
	}
	if f.ended {
		out = append(out, fmt.Sprintf("what comes after %d structures: ask for fewer structures, days or deltas", f.scanned))
	}
	if f.apart {
		out = append(out, fmt.Sprintf("calendars and diagonals: expirations of %s do not cover each other", f.chain.Underlying))
	}
	return out
}
