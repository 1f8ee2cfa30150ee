package scaletest

import (
	"context"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ttai-go/ttai/market"
)

// lags counts durations in steps of an eighth of their power of two, from a
// microsecond on.
type lags struct{ counts [40 * 8]atomic.Int64 }

func (l *lags) add(d time.Duration) {
	us := max(float64(d)/1e3, 1)
	l.counts[min(int(8*math.Log2(us)), len(l.counts)-1)].Add(1)
}

func (l *lags) list() []int64 {
	out := make([]int64, len(l.counts))
	for i := range out {
		out[i] = l.counts[i].Load()
	}
	return out
}

// lagAt is the duration below which a share of the counts lies, at most an
// eighth of a power of two too long.
func lagAt(counts []int64, share float64) time.Duration {
	total := int64(0)
	for _, n := range counts {
		total += n
	}
	left := int64(math.Ceil(share * float64(total)))
	for i, n := range counts {
		if left -= n; left <= 0 && total > 0 {
			return time.Duration(1e3 * math.Exp2(float64(i+1)/8))
		}
	}
	return 0
}

// A meter is what one process counts.
type meter struct {
	clock    market.Clock
	factor   float64
	on       atomic.Bool   // within the time that counts
	enough   chan struct{} // closed when no quote is to come any more
	ticks    atomic.Int64
	rules    atomic.Int64 // that were watched before the first quote
	whole    lags         // from the market's change to the decision
	inside   lags         // from the quote's arrival in the process to the decision
	sockets  atomic.Int64
	most     atomic.Int64 // sockets at once
	in, out  atomic.Int64 // bytes
	handling chan struct{}
}

// A metered stream passes quotes on, and notes when whoever asks for the next one
// has decided on the last.
type metered struct {
	market.QuoteStream
	m       *meter
	witness *witnesses // nil: nobody checks
	arrived time.Time
	made    time.Time
}

func (s *metered) Next(ctx context.Context) (market.Update, error) {
	if !s.arrived.IsZero() && s.m.on.Load() {
		s.m.ticks.Add(1)
		s.m.inside.add(time.Since(s.arrived))
		s.m.whole.add(time.Duration(float64(s.m.clock.Now().Sub(s.made)) / s.m.factor))
	}
	s.arrived = time.Time{}
	u, err := s.QuoteStream.Next(ctx)
	select {
	case <-s.m.enough:
		<-ctx.Done()
		return market.Update{}, ctx.Err()
	default:
	}
	if err == nil && u.Quote != nil {
		s.arrived, s.made = time.Now(), u.Quote.Time
		if s.witness != nil {
			s.witness.quote(*u.Quote)
		}
	}
	return u, err
}

// A gated streamer begins a stream when everything that is to look at it is there,
// a few at a time.
type gated struct {
	market.Streamer
	m       *meter
	ready   func() bool
	witness *witnesses
}

func (g *gated) StreamQuotes(ctx context.Context, symbols ...market.Symbol) (market.QuoteStream, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !g.ready() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	select {
	case g.m.handling <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-g.m.handling }()
	s, err := g.Streamer.StreamQuotes(ctx, symbols...)
	if err != nil {
		return nil, err
	}
	return &metered{QuoteStream: s, m: g.m, witness: g.witness}, nil
}

// dial opens a connection whose bytes are counted.
func (m *meter) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	n := m.sockets.Add(1)
	for most := m.most.Load(); n > most && !m.most.CompareAndSwap(most, n); most = m.most.Load() {
	}
	return &counted{Conn: c, m: m}, nil
}

type counted struct {
	net.Conn
	m    *meter
	once sync.Once
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.m.in.Add(int64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.m.out.Add(int64(n))
	return n, err
}

func (c *counted) Close() error {
	c.once.Do(func() { c.m.sockets.Add(-1) })
	return c.Conn.Close()
}

// A maker makes the quotes of a walk within the process.
type maker struct{ w *walk }

func (k *maker) StreamQuotes(_ context.Context, symbols ...market.Symbol) (market.QuoteStream, error) {
	s := &made{maker: k, last: map[market.Symbol]time.Time{}}
	return s, s.Add(context.Background(), symbols...)
}

type made struct {
	*maker
	mu      sync.Mutex
	quotes  []func(time.Time) market.Quote
	last    map[market.Symbol]time.Time
	pending []market.Quote
}

// gather is how long the broker's stream gathers changes.
const gather = 100 * time.Millisecond

func (s *made) Next(ctx context.Context) (market.Update, error) {
	for {
		s.mu.Lock()
		if len(s.pending) == 0 {
			now := s.w.clock.Now()
			for _, quote := range s.quotes {
				if q := quote(now); q.Time.After(s.last[q.Symbol]) {
					s.last[q.Symbol] = q.Time
					s.pending = append(s.pending, q)
				}
			}
		}
		if len(s.pending) > 0 {
			q := s.pending[0]
			s.pending = s.pending[1:]
			s.mu.Unlock()
			return market.Update{Quote: &q}, nil
		}
		s.mu.Unlock()
		timer := time.NewTimer(gather)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return market.Update{}, ctx.Err()
		}
	}
}

func (s *made) Add(_ context.Context, symbols ...market.Symbol) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, symbol := range symbols {
		if n, ok := s.w.from[symbol]; ok {
			s.quotes = append(s.quotes, func(now time.Time) market.Quote { return s.w.quote(n, now) })
			continue
		}
		for n := range optioned {
			for k := range contracts {
				if c, _, _ := contract(n, k); c == symbol {
					s.quotes = append(s.quotes, func(now time.Time) market.Quote {
						o := s.w.option(n, k, now)
						q := market.NewQuote(symbol)
						q.Time, q.Bid, q.Ask, q.Last = o.Time, o.Bid, o.Ask, o.Last
						return q
					})
				}
			}
		}
	}
	return nil
}

func (s *made) Remove(context.Context, ...market.Symbol) error { return nil }
func (s *made) Close() error                                   { return nil }
