package backtest

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A chain is the chain of one underlying on its way through a run.
type chain struct {
	store   *ChainStore
	under   *instrument
	done    int   // snapshots that are past or present; done is next
	at      int64 // when the next is known; the greatest integer when there is none
	closing bool  // the next is of the close of a session
	end     int   // where the run ends
	readers []*desk
	byFeed  bool // the underlying has bars or quotes of its own

	// present is the latest snapshot, written out when somebody asks.
	room    *room
	present []market.OptionQuote
	written int // the snapshot in present; -1 for none
	moment  time.Time
}

// now is the latest snapshot; -1 before there was one.
func (c *chain) now() int { return c.done - 1 }

func (e *engine) chainOf(underlying market.Symbol) *chain {
	for _, c := range e.chains {
		if c.store.underlying == underlying {
			return c
		}
	}
	return nil
}

func (e *engine) openChains() {
	for _, s := range e.opts.Market.Chains {
		c := &chain{store: s, written: -1, end: s.Snapshots()}
		for c.done < c.end && s.times[c.done] < e.from {
			c.done++
		}
		for c.end > c.done && s.times[c.end-1] >= e.to {
			c.end--
		}
		e.chains = append(e.chains, c)
		c.under = e.instrumentOf(s.underlying)
		for _, b := range e.opts.Market.Bars {
			c.byFeed = c.byFeed || b.Symbol == s.underlying
		}
		for _, q := range e.opts.Market.Quotes {
			c.byFeed = c.byFeed || q.Symbol == s.underlying
		}
		for _, d := range e.desks {
			for _, u := range d.needs.Chains {
				if u == s.underlying {
					c.readers = append(c.readers, d)
				}
			}
		}
		c.look()
	}
}

// look finds out when the next snapshot is known.
func (c *chain) look() {
	if c.done >= c.end {
		c.at, c.closing = math.MaxInt64, false
		return
	}
	c.at, c.closing = c.store.times[c.done], isClose(c.store.times[c.done])
}

// isClose tells whether an instant is the close of a regular session.
func isClose(at int64) bool {
	t := time.Unix(0, at).In(market.NYSE().Location())
	s, ok := market.NYSE().Session(market.DateOf(t))
	return ok && s.Close.UnixNano() == at
}

// snapshot returns the latest snapshot.
func (c *chain) snapshot() []market.OptionQuote {
	k := c.now()
	if k < 0 {
		return nil
	}
	if c.written != k {
		if c.room == nil {
			c.room = c.store.takeRoom()
		}
		c.present = c.room.write(c.store, k, c.moment)
		c.written = k
	}
	return c.present
}

// Quotes of single symbols on their way through a run.
type quotes struct {
	feed    *QuoteFeed
	in      *instrument
	done    int
	end     int
	at      int64
	closing bool
	readers []*desk
}

func (e *engine) openQuotes() {
	for i := range e.opts.Market.Quotes {
		f := &e.opts.Market.Quotes[i]
		q := &quotes{feed: f, in: e.instrumentOf(f.Symbol), end: len(f.Quotes)}
		q.in.quoted = true
		for q.done < q.end && f.Quotes[q.done].Time.UnixNano() < e.from {
			q.done++
		}
		for q.end > q.done && f.Quotes[q.end-1].Time.UnixNano() >= e.to {
			q.end--
		}
		for _, d := range e.desks {
			if !d.needs.Quotes {
				continue
			}
			d.quoted = true
			q.readers = append(q.readers, d)
		}
		q.look()
		e.quotes = append(e.quotes, q)
	}
}

func (q *quotes) look() {
	if q.done >= q.end {
		q.at, q.closing = math.MaxInt64, false
		return
	}
	at := q.feed.Quotes[q.done].Time.UnixNano()
	if at != q.at {
		q.at, q.closing = at, isClose(at)
	}
}
