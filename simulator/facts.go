package simulator

import (
	"context"
	"math"
	"strings"
	"sync"

	"github.com/ttai-go/ttai/market"
)

// A factCache keeps what does not change within a day and is dear to ask for.
type factCache struct {
	mu          sync.Mutex
	instruments map[market.Symbol]market.Instrument
	underlyings map[string]market.Symbol // by option root
	day         market.Date              // of years and metrics
	years       map[market.Symbol][2]float64
	metrics     map[market.Symbol]market.Metrics
	closes      map[closeKey]float64
	codes       map[string]string // of options on futures
}

type closeKey struct {
	symbol market.Symbol
	day    market.Date
}

// instrument describes one symbol.
func (s *Simulator) instrument(ctx context.Context, symbol market.Symbol) (market.Instrument, bool) {
	f := &s.facts
	f.mu.Lock()
	known, ok := f.instruments[symbol]
	f.mu.Unlock()
	if ok {
		return known, true
	}
	list, err := s.market.Instruments(ctx, []market.Symbol{symbol})
	if err != nil || len(list) == 0 {
		return market.Instrument{}, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.instruments == nil {
		f.instruments = map[market.Symbol]market.Instrument{}
	}
	f.instruments[symbol] = list[0]
	return list[0], true
}

// everything lists the market's instruments, when it can.
func (s *Simulator) everything(ctx context.Context) ([]market.Instrument, error) {
	if m, ok := s.base.(interface{ Symbols() []market.Instrument }); ok {
		return m.Symbols(), nil
	}
	list, err := s.market.Search(ctx, "", math.MaxInt32)
	return list, absence(err)
}

// underlyingOf returns what an option is on: "SPX" for a contract of root
// "SPXW". Without better knowledge it is the root.
func (s *Simulator) underlyingOf(ctx context.Context, option market.Symbol) market.Symbol {
	c, ok := option.Contract()
	if !ok {
		return option
	}
	f := &s.facts
	f.mu.Lock()
	known, ok := f.underlyings[c.Root]
	f.mu.Unlock()
	if ok {
		return known
	}
	underlying := market.Symbol(c.Root)
	if list, err := s.market.Instruments(ctx, []market.Symbol{option}); err == nil && len(list) == 1 && list[0].Underlying != "" {
		underlying = list[0].Underlying
	} else if _, ok := s.instrument(ctx, underlying); !ok {
		// A weekly root ends in W, a root of an expired contract is not listed.
		if short := market.Symbol(strings.TrimSuffix(c.Root, "W")); short != "" {
			if _, ok := s.instrument(ctx, short); ok {
				underlying = short
			}
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.underlyings == nil {
		f.underlyings = map[string]market.Symbol{}
	}
	f.underlyings[c.Root] = underlying
	return underlying
}

// dated empties what belongs to another day, with the cache locked.
func (f *factCache) dated(today market.Date) {
	if f.day != today || f.years == nil {
		f.day = today
		f.years = map[market.Symbol][2]float64{}
		f.metrics = map[market.Symbol]market.Metrics{}
		f.closes = map[closeKey]float64{}
		f.codes = nil
	}
}

// forget drops what was learnt of a day.
func (f *factCache) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.day = market.Date{}
}

// closeOn is the closing price of a session that is over, NaN when it is not known.
func (s *Simulator) closeOn(ctx context.Context, symbol market.Symbol, day market.Date) float64 {
	today := s.today()
	f := &s.facts
	f.mu.Lock()
	f.dated(today)
	known, ok := f.closes[closeKey{symbol, day}]
	f.mu.Unlock()
	if ok {
		return known
	}
	midnight := day.In(s.calendar.Location())
	bars, err := s.market.Bars(ctx, market.BarsRequest{Symbol: symbol, Interval: market.Day, From: midnight, To: midnight.AddDate(0, 0, 1)})
	if err != nil || len(bars) == 0 {
		return math.NaN()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dated(today)
	f.closes[closeKey{symbol, day}] = bars[0].Close
	return bars[0].Close
}

// yearRange is the low and high of the last year, today's included; NaN when
// there is no history.
func (s *Simulator) yearRange(ctx context.Context, q market.Quote) (low, high float64) {
	today := s.today()
	f := &s.facts
	f.mu.Lock()
	f.dated(today)
	known, ok := f.years[q.Symbol]
	f.mu.Unlock()
	if !ok {
		known = [2]float64{math.NaN(), math.NaN()}
		midnight := today.In(s.calendar.Location())
		bars, err := s.market.Bars(ctx, market.BarsRequest{
			Symbol: q.Symbol, Interval: market.Day, From: midnight.AddDate(-1, 0, 0), To: midnight})
		if absence(err) != nil {
			return known[0], known[1] // not kept: it may work next time
		}
		for _, b := range bars {
			known = [2]float64{lower(known[0], b.Low), higher(known[1], b.High)}
		}
		f.mu.Lock()
		f.dated(today)
		f.years[q.Symbol] = known
		f.mu.Unlock()
	}
	return lower(known[0], q.Low), higher(known[1], q.High)
}

// lower and higher ignore NaN on either side.
func lower(a, b float64) float64 {
	if math.IsNaN(a) || b < a {
		return b
	}
	return a
}

func higher(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}

// dailyMetrics returns the day's metrics of symbols that have any.
func (s *Simulator) dailyMetrics(ctx context.Context, symbols []market.Symbol) map[market.Symbol]market.Metrics {
	today := s.today()
	f := &s.facts
	result := map[market.Symbol]market.Metrics{}
	var lacking []market.Symbol
	f.mu.Lock()
	f.dated(today)
	for _, symbol := range symbols {
		if m, ok := f.metrics[symbol]; ok {
			result[symbol] = m
		} else {
			lacking = append(lacking, symbol)
		}
	}
	f.mu.Unlock()
	if len(lacking) == 0 {
		return result
	}
	list, err := s.market.Metrics(ctx, lacking)
	if absence(err) != nil {
		return result
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dated(today)
	for _, m := range list {
		f.metrics[m.Symbol] = m
		result[m.Symbol] = m
	}
	return result
}
