package alpaca

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A liveQuote is what is known of a streamed symbol: its snapshot, and what the
// stream told since.
type liveQuote struct {
	symbol  market.Symbol
	zone    *time.Location
	q       market.Quote
	readers map[*quoteStream]bool
	ready   bool // the snapshot has been read, or cannot be

	quoted, traded       time.Time   // when what q has of them was
	newQuoted, newTraded bool        // they came after the snapshot was asked for
	day                  market.Date // of the day's figures
}

func newLiveQuote(symbol market.Symbol, zone *time.Location) *liveQuote {
	return &liveQuote{symbol: symbol, zone: zone, q: market.NewQuote(symbol), readers: map[*quoteStream]bool{}}
}

// aging notes that a snapshot is being asked for.
func (l *liveQuote) aging() { l.newQuoted, l.newTraded = false, false }

// shown tells whether there is something to show.
func (l *liveQuote) shown() bool {
	return l.ready && !(math.IsNaN(l.q.Bid) && math.IsNaN(l.q.Ask) && math.IsNaN(l.q.Last))
}

// show hands the quote to all readers.
func (l *liveQuote) show() {
	if l.shown() {
		for s := range l.readers {
			s.put(l.q)
		}
	}
}

// take puts in what the stream tells. Stale is that the day's figures are to be read
// anew.
func (l *liveQuote) take(u *Update) (changed, stale bool) {
	option := l.symbol.Kind() == market.KindOption
	switch {
	case u.Quote != nil && !u.Quote.Time.Before(l.quoted):
		l.quoted, l.newQuoted = u.Quote.Time.Time, true
		l.q.Bid, l.q.Ask, l.q.BidSize, l.q.AskSize = twoSided(u.Quote, option)
	case u.Trade != nil && u.Trade.Price.Known() && !u.Trade.Time.Before(l.traded):
		l.traded, l.newTraded = u.Trade.Time.Time, true
		l.q.Last = u.Trade.Price.Float()
		if option {
			followed := l.day != market.Date{} // then this is the day's first trade
			if stale = l.turn(l.traded); stale && followed {
				l.q.Open, l.q.High, l.q.Low, l.q.Volume = l.q.Last, l.q.Last, l.q.Last, 0
			}
			l.q.High, l.q.Low = max(l.q.High, l.q.Last), min(l.q.Low, l.q.Last) // what is not known stays so
			l.q.Volume += u.Trade.Size.Float()
		}
	case u.Bar != nil && u.Kind == "d":
		stale = l.turn(u.Bar.Time.Time)
		l.q.Open, l.q.High, l.q.Low, l.q.Volume = u.Bar.Open.Float(), u.Bar.High.Float(), u.Bar.Low.Float(), u.Bar.Volume.Float()
	default:
		return false, false
	}
	l.q.Time = latest(l.quoted, l.traded)
	return true, stale
}

// turn drops the day's figures when another day has begun.
func (l *liveQuote) turn(t time.Time) bool {
	day := market.DateOf(t.In(l.zone))
	if day == l.day {
		return false
	}
	l.day = day
	none := market.NewQuote(l.symbol)
	l.q.Open, l.q.High, l.q.Low, l.q.Volume, l.q.PrevClose = none.Open, none.High, none.Low, none.Volume, none.PrevClose
	return true
}

// seed puts in a snapshot. Of a quote and a trade the stream's stay when they are as
// new and came while the snapshot was read.
func (l *liveQuote) seed(s *Snapshot) {
	old := l.q
	l.q = quoteOf(l.symbol, s)
	if keeps(l.quoted, l.newQuoted, s.LatestQuote != nil, func() time.Time { return s.LatestQuote.Time.Time }) {
		l.q.Bid, l.q.Ask, l.q.BidSize, l.q.AskSize = old.Bid, old.Ask, old.BidSize, old.AskSize
	} else if s.LatestQuote != nil {
		l.quoted = s.LatestQuote.Time.Time
	}
	if keeps(l.traded, l.newTraded, s.LatestTrade != nil, func() time.Time { return s.LatestTrade.Time.Time }) {
		l.q.Last = old.Last
	} else if s.LatestTrade != nil {
		l.traded = s.LatestTrade.Time.Time
	}
	l.q.Time = latest(l.quoted, l.traded)
	if s.DailyBar == nil {
		return
	}
	if day := market.DateOf(s.DailyBar.Time.In(l.zone)); !day.Before(l.day) {
		l.day = day
	} else { // the stream is in the next day already
		l.q.Open, l.q.High, l.q.Low, l.q.Volume, l.q.PrevClose = old.Open, old.High, old.Low, old.Volume, s.DailyBar.Close.Float()
	}
}

// keeps tells whether what the stream told at a time is to stay.
func keeps(told time.Time, fresh, other bool, at func() time.Time) bool {
	switch {
	case told.IsZero():
		return false
	case !other:
		return true
	case fresh:
		return !told.Before(at())
	}
	return told.After(at())
}
