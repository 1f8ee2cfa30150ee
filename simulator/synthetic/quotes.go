package synthetic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// Quotes returns the quotes at the clock's time; see [Market.QuoteAt].
func (m *Market) Quotes(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	now := m.clock.Now()
	return collect(ctx, symbols, func(s market.Symbol) (market.Quote, error) { return m.QuoteAt(s, now) })
}

// collect asks for each symbol and names those that have no answer.
func collect[T any](ctx context.Context, symbols []market.Symbol, ask func(market.Symbol) (T, error)) ([]T, error) {
	out := make([]T, 0, len(symbols))
	var missing *market.MissingError
	for _, s := range symbols {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		answer, err := ask(s)
		switch {
		case err == nil:
			out = append(out, answer)
		case errors.Is(err, market.ErrUnknownSymbol) || errors.Is(err, market.ErrNoData):
			if missing == nil {
				missing = &market.MissingError{Err: err}
			}
			missing.Symbols = append(missing.Symbols, s)
		default:
			return out, err
		}
	}
	if missing != nil {
		return out, missing
	}
	return out, nil
}

// QuoteAt returns the quote of a share, fund, index, future or option as it stood at t,
// as traded. It is a function of the seed, the symbol and t alone, and can
// change every 250 ms, but stands still while trading is halted.
//
// In regular trading the quote has everything; before the open the session's
// open, high, low and volume are unknown; before and after the session spreads
// are wider, and when the market is closed the last close stays, with a wider
// spread still. An index has no bid and ask. The error wraps
// [market.ErrUnknownSymbol], or [market.ErrNoData] when t lies outside the
// symbol's history or an option has expired.
func (m *Market) QuoteAt(s market.Symbol, t time.Time) (market.Quote, error) {
	switch s.Kind() {
	case market.KindOption:
		return m.optionQuoteAt(s, t)
	case market.KindFuture:
		return m.futureQuoteAt(s, t)
	case market.KindFutureOption:
		return m.futureOptionQuoteAt(s, t)
	}
	k, err := m.track(s)
	if err != nil {
		return market.NewQuote(s), err
	}
	return k.quoteAt(t)
}

func (k *track) quoteAt(t time.Time) (market.Quote, error) {
	q := market.NewQuote(k.symbol)
	i := k.started(t)
	if i < 0 || k.market.outside(k, t) {
		return q, fmt.Errorf("synthetic: a quote of %s at %s: %w", k.symbol, t.Format(time.RFC3339), market.ErrNoData)
	}
	s := k.sessions[i]
	q.PrevClose = k.previousClose(i)
	widen := 1.0
	q.Time = t.Truncate(tickLength)
	switch {
	case t.Before(s.Open):
		widen = 4
		q.Last = q.PrevClose
		if last, ok := k.outerPrice(k.beyond(i).pre, t); ok {
			q.Last = last
		} else if i > 0 {
			widen = 8
			q.Time = k.sessions[i-1].Close
		}
	case t.Before(s.Close):
		if day, ok := k.dayAt(i, t); ok {
			q.Last, q.Open, q.High, q.Low, q.Volume = day.Close, day.Open, day.High, day.Low, day.Volume
			if start, halted := k.pauseAt(i, t); halted {
				q.Halted, q.Time, widen = true, start, 4
			}
		} else {
			q.Last, q.Time = q.PrevClose, s.PreOpen
		}
	default:
		day := k.bars[i]
		q.Last, q.Open, q.High, q.Low, q.Volume = day.Close, day.Open, day.High, day.Low, day.Volume
		widen = 8
		if t.Before(s.PostClose) {
			if last, ok := k.outerPrice(k.beyond(i).post, t); ok {
				q.Last, widen = last, 4
			}
		}
		if widen == 8 {
			q.Time = s.Close
		}
	}
	if math.IsNaN(q.Last) {
		return q, fmt.Errorf("synthetic: %s has not traded by %s: %w", k.symbol, t.Format(time.RFC3339), market.ErrNoData)
	}
	k.spreadAround(&q, widen)
	return q, nil
}

// outerPrice returns the last trade before or after the session at t.
func (k *track) outerPrice(bars []market.Bar, t time.Time) (float64, bool) {
	j := begun(bars, t)
	if j < 0 {
		return math.NaN(), false
	}
	return k.soFar(bars[j], t).Close, true
}

// spreadAround sets bid and ask about the last trade, which was on either side
// or between them.
func (k *track) spreadAround(q *market.Quote, widen float64) {
	if k.isIndex() {
		return
	}
	tick := cent
	if q.Last < 1 {
		tick = 0.0001
	}
	src := k.key.with(streamQuote).with(uint64(q.Time.UnixMilli()))
	rating := k.rating()
	relative := [...]float64{0.0015, 0.0008, 0.0003, 0.0001, 0.00003}[rating-1] // of the price
	ticks := max(1, math.Round(q.Last*relative*widen*src.between(0.6, 1.4)/tick))
	if widen > 1 {
		ticks = max(ticks, 2)
	}
	below := math.Floor(src.with(1).uniform() * (ticks + 1))
	perTick := math.Round(1 / tick)
	q.Bid = max(tick, math.Round((q.Last-below*tick)*perTick)/perTick)
	q.Ask = math.Round((q.Bid+ticks*tick)*perTick) / perTick
	lots := [...]float64{2, 4, 7, 12, 22}[rating-1]
	q.BidSize = 100 * (1 + math.Floor(lots*square(src.with(2).uniform())))
	q.AskSize = 100 * (1 + math.Floor(lots*square(src.with(3).uniform())))
}

// rating is the liquidity of a symbol, 1 to 5. A replayed symbol that the
// universe lacks counts as middling.
func (k *track) rating() int {
	if k.profile == nil {
		return 3
	}
	return k.profile.rating
}

func (k *track) isIndex() bool { return k.profile != nil && k.profile.class == index }

// A moment is a symbol as its options see it: in regular trading the present,
// otherwise the last close.
type moment struct {
	at         time.Time
	session    int
	shares     int // the session in whose shares spot and strikes are
	spot       float64
	fast, slow float64 // variances per year
	open       bool
}

// sharesAt returns the session whose shares options are in at t: from midnight
// those of the coming session, so that strikes change with the date.
func (k *track) sharesAt(t time.Time) int {
	return max(0, k.onDate(k.market.dateOf(t).AddDays(1))-1)
}

// moment returns the state at t; false before the first session has opened.
func (k *track) moment(t time.Time) (moment, bool) {
	i := k.opened(t)
	if i < 0 || k.market.outside(k, t) {
		return moment{}, false
	}
	s, shares := k.sessions[i], k.sharesAt(t)
	if !t.Before(s.Close) {
		return moment{at: s.Close, session: i, shares: shares, spot: k.adjusted(k.bars[i], i, shares).Close, fast: k.fast[i], slow: k.slow[i]}, true
	}
	if start, halted := k.pauseAt(i, t); halted {
		t = start // options wait for their underlying
	}
	day, ok := k.dayAt(i, t)
	if !ok {
		return moment{}, false
	}
	mo := moment{at: t, session: i, shares: shares, spot: day.Close, fast: k.fast[max(0, i-1)], slow: k.slow[max(0, i-1)], open: true}
	if i > 0 {
		move := math.Log(day.Close / k.previousClose(i))
		if r, ok := k.reported(i); ok {
			move -= r.jump
		}
		u := float64(t.Sub(s.Open)) / float64(s.Close.Sub(s.Open))
		mo.fast = k.joltBy(k.stepFast(mo.fast, move, u), i, math.Log(day.Close/k.previousClose(i)))
	}
	return mo, true
}
