package simulator

import (
	"context"
	"sync"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A tick is what the market says at one time. All streams that look at the market
// at about the same moment share one, so that a thousand clients of the same
// symbols cost one question.
type tick struct {
	moment
	made    time.Time // computer's time
	version int       // of the quotes set by hand

	mu      sync.Mutex
	tickers map[market.Symbol]*ticker // nil: the market has nothing
	records map[subKey]*record        // nil: there is no such event
}

// A record is an event and its encoding, by which streams see whether it changed.
// Neither may be changed.
type record struct {
	event event
	text  []byte
}

// recordOf returns the event of a series at this tick, made by the first who asks.
func (t *tick) recordOf(key subKey, make func() (event, bool)) *record {
	t.mu.Lock()
	made, known := t.records[key]
	t.mu.Unlock()
	if known {
		return made
	}
	if e, ok := make(); ok {
		made = &record{event: e}
		for _, v := range e.values {
			made.text = append(appendValue(made.text, v), ',')
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.records[key] = made
	return made
}

// tickLife is how long a tick is shared while the clock runs, in the computer's
// time.
const tickLife = 20 * time.Millisecond

// tickNow returns the tick of now.
func (s *Simulator) tickNow() *tick {
	now, wall, version := s.clock.Now(), s.wall.Now(), s.market.changes()
	_, manual := s.clock.(*market.ManualClock)
	if c, ok := s.clock.(*Clock); ok {
		manual = c.Stopped()
	}
	s.ticking.Lock()
	defer s.ticking.Unlock()
	if t := s.tick; t != nil && t.version == version {
		age := wall.Sub(t.made)
		if t.at.Equal(now) || !manual && age >= 0 && age < tickLife && t.at.Before(now) && now.Sub(t.at) < time.Hour {
			return t
		}
	}
	t := &tick{made: wall, version: version, tickers: map[market.Symbol]*ticker{}, records: map[subKey]*record{}}
	t.at = now
	t.day, t.before = s.summaryDays()
	t.over = !t.at.Before(t.day.Close)
	s.tick = t
	return t
}

// of returns what the tick has of symbols, asking the market for those that nobody
// has asked for yet.
func (t *tick) of(ctx context.Context, s *Simulator, symbols []market.Symbol) map[market.Symbol]*ticker {
	t.mu.Lock()
	defer t.mu.Unlock()
	var lacking []market.Symbol
	for _, symbol := range symbols {
		if _, known := t.tickers[symbol]; !known {
			lacking = append(lacking, symbol)
		}
	}
	if len(lacking) > 0 {
		found := s.tickers(ctx, lacking)
		if ctx.Err() != nil {
			return found // what is missing may be so because the stream has ended
		}
		for _, symbol := range lacking {
			t.tickers[symbol] = found[symbol]
		}
	}
	out := make(map[market.Symbol]*ticker, len(symbols))
	for _, symbol := range symbols {
		out[symbol] = t.tickers[symbol]
	}
	return out
}
