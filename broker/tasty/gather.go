package tasty

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// gather reads the latest events of symbols. It returns when everything has
// come, when the stream has been silent for Options.Settle after something has,
// or when ctx ends; what never came is absent. The error says that nothing
// could be asked.
func (a *Adapter) gather(ctx context.Context, names map[string]market.Symbol, withGreeks bool) (*snapshot, error) {
	conn, err := a.stream(ctx)
	if err != nil {
		return nil, err
	}
	symbols := slices.Sorted(maps.Keys(names))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g := &gathering{progress: make(chan struct{}, 1), wanted: 3 * len(symbols)}
	g.got = &snapshot{
		quotes: map[string]dxlink.Quote{}, trades: map[string]dxlink.Trade{}, summaries: map[string]dxlink.Summary{}, greeks: map[string]dxlink.Greeks{},
	}
	var readers sync.WaitGroup
	defer readers.Wait()
	defer cancel() // before waiting
	err = read(ctx, g, &readers, conn, symbols, func(q dxlink.Quote) { g.got.quotes[q.Symbol] = q })
	if err == nil {
		err = read(ctx, g, &readers, conn, symbols, func(t dxlink.Trade) { g.got.trades[t.Symbol] = t })
	}
	if err == nil {
		err = read(ctx, g, &readers, conn, symbols, func(s dxlink.Summary) { g.got.summaries[s.Symbol] = s })
	}
	if err == nil && withGreeks {
		g.wanted += len(symbols)
		err = read(ctx, g, &readers, conn, symbols, func(e dxlink.Greeks) { g.got.greeks[e.Symbol] = e })
	}
	if err != nil {
		return nil, a.failure("asking the market data stream", err)
	}
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	for {
		select {
		case <-g.progress:
			if g.complete() {
				return g.take(), nil
			}
			quiet.Reset(a.opts.Settle)
		case <-quiet.C:
			return g.take(), nil
		case <-conn.Done():
			return nil, a.failure("reading the market data stream", cmp.Or(conn.Err(), error(dxlink.ErrClosed)))
		case <-ctx.Done():
			got := g.take()
			if len(got.quotes) == 0 && !conn.Connected() {
				if last := conn.LastError(); last != nil {
					return nil, a.failure("reading the market data stream", last)
				}
			}
			return got, nil
		}
	}
}

// A gathering collects events of several kinds.
type gathering struct {
	progress chan struct{} // room for one: something has come
	mu       sync.Mutex
	got      *snapshot
	wanted   int
	taken    bool
}

func (g *gathering) complete() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.got.quotes)+len(g.got.trades)+len(g.got.summaries)+len(g.got.greeks) >= g.wanted
}

// take ends the gathering: what comes later is not put in.
func (g *gathering) take() *snapshot {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.taken = true
	return g.got
}

// read puts events of one kind into g until ctx ends.
func read[T dxlink.Event](ctx context.Context, g *gathering, readers *sync.WaitGroup, conn *dxlink.Conn, symbols []string, put func(T)) error {
	sub, err := dxlink.Subscribe[T](ctx, conn, symbols...)
	if err != nil {
		return err
	}
	readers.Go(func() {
		defer sub.Close()
		for event, err := range sub.Events() {
			if err != nil {
				return // ctx or the connection has ended; gather notices the former
			}
			g.mu.Lock()
			if !g.taken {
				put(event)
			}
			g.mu.Unlock()
			select {
			case g.progress <- struct{}{}:
			default:
			}
		}
	})
	return nil
}
