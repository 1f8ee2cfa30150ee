package simulator

import (
	"context"
	"math"
	"regexp"
	"time"

	"github.com/ttai-go/ttai/market"
)

// saleEvent is the last trade as one of a sequence. Between two updates the
// market may have traded more often: only the latest is told.
func saleEvent(symbol string, t *ticker, now moment) event {
	q := t.quote
	at := millis(q.Time)
	extended := now.over || now.at.Before(now.day.Open)
	return event{"TimeAndSale", []any{"TimeAndSale", symbol, int64(0), 0, eventIndex(at), at, 0, 0, noExchange, q.Last, math.NaN(), q.Bid, q.Ask,
		"", noExchange, "UNDEFINED", false, extended, true, "NEW", "", ""}}
}

func theoEvent(symbol string, t *ticker, rate float64) event {
	o := t.greeks
	at := millis(o.Time)
	price := nan()
	if m := mark(t.quote); m.Valid {
		price = m.Decimal.InexactFloat64()
	}
	return event{"TheoPrice", []any{"TheoPrice", symbol, int64(0), 0, eventIndex(at), at, 0, price, o.Spot, o.Delta, o.Gamma, math.NaN(), rate}}
}

// underlyingEvent has the day's volatilities. The volumes of all its options
// would take a look at every one of them; they are unknown.
func underlyingEvent(symbol string, m market.Metrics, at time.Time) event {
	front, back := nan(), nan()
	if len(m.Term) > 0 {
		front = m.Term[0].IV
	}
	if len(m.Term) > 1 {
		back = m.Term[1].IV
	}
	if !m.Time.IsZero() {
		at = m.Time
	}
	ms := millis(at)
	return event{"Underlying", []any{"Underlying", symbol, int64(0), 0, eventIndex(ms), ms, 0, m.IVIndex, front, back, nan(), nan(), nan()}}
}

func (s *Simulator) profileEvent(ctx context.Context, sub *sub, t *ticker) event {
	i, _ := s.instrument(ctx, sub.market)
	m := market.NewMetrics(sub.market)
	low, high := nan(), nan()
	if t.greeks == nil {
		low, high = s.yearRange(ctx, t.quote)
	}
	if sub.market.Kind() == market.KindEquity {
		if known, ok := s.dailyMetrics(ctx, []market.Symbol{sub.market})[sub.market]; ok {
			m = known
		}
	}
	status := "ACTIVE"
	if t.quote.Halted {
		status = "HALTED"
	}
	frequency, amount := nan(), nan()
	if m.DividendPerShare > 0 {
		frequency, amount = 4, m.DividendPerShare
	}
	return event{"Profile", []any{"Profile", sub.symbol, int64(0), i.Description, "UNDEFINED", status, "", int64(0), int64(0), nan(), nan(), high, low,
		m.Beta, m.EarningsPerShare, frequency, amount, 0, nan(), nan()}}
}

// streamedFutureOption is an option on a future as the stream names it: what its
// symbol lacks is in the market's listing.
var streamedFutureOption = regexp.MustCompile(`^\./(.+[FGHJKMNQUVXZ][0-9]{2})([CP])([0-9.]+)(:[A-Z]+)?$`)

// futureOption translates "./EW3U26P9100:XCME" to the market's symbol; "" when
// no such option is listed.
func (s *Simulator) futureOption(ctx context.Context, streamer string) market.Symbol {
	parts := streamedFutureOption.FindStringSubmatch(streamer)
	if parts == nil {
		return ""
	}
	prefix := s.futureCodes(ctx)[parts[1]]
	if prefix == "" {
		return ""
	}
	return market.Symbol(prefix + parts[2] + parts[3])
}

// futureCodes lists what the symbols of options on futures begin with, by the
// name of their contract on the stream. The listing changes once a day.
func (s *Simulator) futureCodes(ctx context.Context) map[string]string {
	today := s.today()
	f := &s.facts
	f.mu.Lock()
	f.dated(today)
	codes := f.codes
	f.mu.Unlock()
	if codes != nil {
		return codes
	}
	codes = map[string]string{}
	contracts, err := s.futures("")
	if err != nil {
		return codes // not kept: it may work next time
	}
	series, err := s.series(ctx, contracts)
	if err != nil {
		return codes
	}
	for _, one := range series {
		codes[one.streamedCode()] = one.prefix
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dated(today)
	f.codes = codes
	return codes
}
