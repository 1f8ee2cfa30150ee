package alpaca

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/wsconn"
	"github.com/ttai-go/ttai/market"
)

// A quoteHub shares one connection among the quote streams of an adapter. There is
// one per family of market data.
type quoteHub struct {
	adapter *Adapter
	kind    StreamKind
	// turn has room for one: who puts something in may open and close the
	// connection, and ask it for symbols.
	turn chan struct{}

	mu   sync.Mutex
	line *quoteLine // nil while nobody streams
}

// A quoteLine is a connection while it lasts, reconnections included.
type quoteLine struct {
	stream  *MarketStream
	cancel  context.CancelFunc
	running sync.WaitGroup
	began   time.Time
	stale   chan struct{} // room for one: there is something in unseeded

	asked map[string]bool // what is subscribed, for whose turn it is

	// The hub's mutex guards these.
	feeds    map[string]*liveQuote // by Alpaca's symbol
	unseeded map[string]bool       // whose snapshot is to be read
	err      error                 // why it ended
}

func newHubs(a *Adapter) [3]*quoteHub {
	var hubs [3]*quoteHub
	for m, kind := range map[Market]StreamKind{StockMarket: StockStream, OptionMarket: OptionStream, CryptoMarket: CryptoStream} {
		hubs[m] = &quoteHub{adapter: a, kind: kind, turn: make(chan struct{}, 1)}
	}
	return hubs
}

// channels are what quotes are made of.
func (h *quoteHub) channels(names []string) map[Channel][]string {
	out := map[Channel][]string{ChannelQuotes: names, ChannelTrades: names}
	if h.kind != OptionStream {
		out[ChannelDailyBars] = names
	}
	return out
}

// take waits for the turn, and give passes it on.
func (h *quoteHub) take(ctx context.Context) error {
	select {
	case h.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *quoteHub) give() {
	<-h.turn
	h.tidy()
}

// tidy closes a connection that nobody uses. When it is another's turn, that one
// will do it.
func (h *quoteHub) tidy() {
	for {
		h.mu.Lock()
		unused := h.line != nil && len(h.line.feeds) == 0
		h.mu.Unlock()
		if !unused {
			return
		}
		select {
		case h.turn <- struct{}{}:
		default:
			return
		}
		h.mu.Lock()
		line := h.line
		if line != nil && len(line.feeds) == 0 {
			h.line = nil
		} else {
			line = nil
		}
		h.mu.Unlock()
		if line != nil {
			line.cancel()
			line.running.Wait()
		}
		<-h.turn
	}
}

// attach has the connection carry symbols for s. It returns those that s had not.
func (h *quoteHub) attach(ctx context.Context, s *quoteStream, symbols []market.Symbol) ([]market.Symbol, error) {
	ctx, cancel := h.adapter.bounded(ctx)
	defer cancel()
	if err := h.take(ctx); err != nil {
		return nil, err
	}
	defer h.give()
	line, err := h.open(ctx)
	if refusal, ok := errors.AsType[*StreamError](err); ok && refusal.Code == 409 {
		return nil, &market.MissingError{Symbols: symbols, Err: fmt.Errorf("alpaca: the plan does not have this stream: %w: %w", market.ErrUnsupported, refusal)}
	}
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	var fresh []string
	names := map[string]market.Symbol{}
	for _, symbol := range symbols {
		name := wireSymbol(symbol)
		if names[name] = symbol; !wanted[name] && !line.asked[name] {
			fresh = append(fresh, name)
		}
		wanted[name] = true
	}
	if err := h.unsubscribe(ctx, line, wanted); err != nil {
		return nil, err
	}
	fit, err := h.subscribe(ctx, line, fresh)
	if fit < len(fresh) {
		h.prune()
		refusal, ok := errors.AsType[*StreamError](err)
		if !ok || refusal.Code != 405 {
			return nil, err
		}
		missing := &market.MissingError{Err: fmt.Errorf("alpaca: the plan streams no more symbols: %w: %w", market.ErrUnsupported, refusal)}
		for _, name := range fresh[fit:] {
			missing.Symbols = append(missing.Symbols, names[name])
		}
		return nil, missing
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if line.err != nil {
		return nil, line.err
	}
	var added []market.Symbol
	for name := range wanted {
		l := line.feeds[name]
		if l == nil {
			l = newLiveQuote(names[name], h.adapter.opts.Calendar.Location())
			line.feeds[name] = l
			line.reseed(name)
		}
		if !l.readers[s] {
			l.readers[s] = true
			added = append(added, l.symbol)
			if l.shown() {
				s.put(l.q)
			}
		}
	}
	return added, nil
}

// detach has the connection carry symbols no longer for s. It does not wait for the
// connection.
func (h *quoteHub) detach(s *quoteStream, symbols []market.Symbol) {
	h.drop(s, func(*quoteLine) []string {
		names := make([]string, len(symbols))
		for i, symbol := range symbols {
			names[i] = wireSymbol(symbol)
		}
		return names
	})
}

// leave has the connection carry nothing for s.
func (h *quoteHub) leave(s *quoteStream) {
	h.drop(s, func(line *quoteLine) []string { return slices.Collect(maps.Keys(line.feeds)) })
}

func (h *quoteHub) drop(s *quoteStream, of func(*quoteLine) []string) {
	surplus := false
	h.mu.Lock()
	if line := h.line; line != nil {
		for _, name := range of(line) {
			if l := line.feeds[name]; l != nil && l.readers[s] {
				delete(l.readers, s)
				if len(l.readers) == 0 {
					delete(line.feeds, name)
					surplus = true
				}
			}
		}
		surplus = surplus && len(line.feeds) > 0
	}
	h.mu.Unlock()
	if surplus {
		h.prune()
	}
	h.tidy()
}

// prune unsubscribes, beside the caller, from what nobody reads.
func (h *quoteHub) prune() {
	h.adapter.background(func() {
		ctx, cancel := context.WithTimeout(h.adapter.ctx, handshake)
		defer cancel()
		if h.take(ctx) != nil {
			return // whose turn comes next does it
		}
		defer h.give()
		h.mu.Lock()
		line := h.line
		unused := line == nil || len(line.feeds) == 0
		h.mu.Unlock()
		if !unused {
			_ = h.unsubscribe(ctx, line, nil) // whose turn comes next tries again
		}
	})
}

// open returns the connection, and makes one when there is none. It is the caller's
// turn.
func (h *quoteHub) open(ctx context.Context) (*quoteLine, error) {
	h.mu.Lock()
	line := h.line
	h.mu.Unlock()
	if line != nil {
		return line, nil
	}
	life, cancel := context.WithCancel(h.adapter.ctx)
	stop := context.AfterFunc(ctx, cancel)
	stream, err := h.adapter.client.MarketData(life, h.kind, h.adapter.opts.Stream)
	if !stop() {
		err = errors.Join(ctx.Err(), err)
	}
	line = &quoteLine{
		stream: stream, cancel: cancel, began: h.adapter.now(), stale: make(chan struct{}, 1),
		asked: map[string]bool{}, feeds: map[string]*liveQuote{}, unseeded: map[string]bool{},
	}
	if err == nil {
		h.mu.Lock()
		h.line = line
		h.mu.Unlock()
		line.running.Add(2)
		started := h.adapter.background(
			func() { defer line.running.Done(); h.pump(life, line) },
			func() { defer line.running.Done(); h.seed(life, line) },
		)
		if started {
			return line, nil
		}
		h.mu.Lock()
		h.line = nil
		h.mu.Unlock()
		err = ErrClosed
	}
	cancel()
	if stream != nil {
		err = errors.Join(err, stream.Close())
	}
	return nil, err
}

// subscribe asks for names, and when there are too many finds how many of the first
// fit. It is the caller's turn.
func (h *quoteHub) subscribe(ctx context.Context, line *quoteLine, names []string) (int, error) {
	if len(names) == 0 {
		return 0, nil
	}
	err := line.stream.Subscribe(ctx, h.channels(names))
	if err == nil {
		for _, name := range names {
			line.asked[name] = true
		}
		return len(names), nil
	}
	if refusal, ok := errors.AsType[*StreamError](err); !ok || refusal.Code != 405 || len(names) == 1 {
		return 0, err
	}
	half := len(names) / 2
	fit, err := h.subscribe(ctx, line, names[:half])
	if err != nil {
		return fit, err
	}
	more, err := h.subscribe(ctx, line, names[half:])
	return fit + more, err
}

// unsubscribe from what nobody reads, but for what is wanted. It is the caller's
// turn.
func (h *quoteHub) unsubscribe(ctx context.Context, line *quoteLine, wanted map[string]bool) error {
	var names []string
	h.mu.Lock()
	for name := range line.asked {
		if line.feeds[name] == nil && !wanted[name] {
			names = append(names, name)
		}
	}
	h.mu.Unlock()
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	if err := line.stream.Unsubscribe(ctx, h.channels(names)); err != nil {
		return err
	}
	for _, name := range names {
		delete(line.asked, name)
	}
	return nil
}

// pump hands what the connection brings to those who read it, until it ends.
func (h *quoteHub) pump(ctx context.Context, line *quoteLine) {
	defer func() { _ = line.stream.Close() }() // why it ended is known
	for {
		u, err := line.stream.Next(ctx)
		h.mu.Lock()
		switch l := line.feeds[u.Symbol]; {
		case err != nil:
			line.err = err
			for s := range line.everyone() {
				s.end(err)
			}
			if h.line == line {
				h.line = nil
			}
			h.mu.Unlock()
			line.cancel()
			return
		case u.Gap != nil:
			// The connection measures by the wall clock, the adapter by the market's.
			g := market.StreamGap{From: line.began, To: h.adapter.now()}
			if since := u.Gap.Since; !since.IsZero() {
				g.From = g.To.Add(-max(0, h.adapter.client.opts.Now().Sub(since)))
			}
			for s := range line.everyone() {
				s.gap(g)
			}
			line.reseed(slices.Collect(maps.Keys(line.feeds))...)
		case l != nil:
			changed, stale := l.take(&u)
			if changed {
				l.show()
			}
			if stale {
				line.reseed(u.Symbol)
			}
		}
		h.mu.Unlock()
	}
}

// everyone is who reads something of a line. The mutex is held.
func (line *quoteLine) everyone() map[*quoteStream]bool {
	all := map[*quoteStream]bool{}
	for _, l := range line.feeds {
		maps.Copy(all, l.readers)
	}
	return all
}

// reseed has the snapshots of names read. The mutex is held.
func (line *quoteLine) reseed(names ...string) {
	for _, name := range names {
		line.unseeded[name] = true
		line.feeds[name].aging()
	}
	select {
	case line.stale <- struct{}{}:
	default:
	}
}

// seed reads snapshots: what a stream does not tell, and what was before it began.
// Where they cannot be read, what the stream tells is shown without.
func (h *quoteHub) seed(ctx context.Context, line *quoteLine) {
	backoff := wsconn.Backoff{Min: h.adapter.opts.Stream.MinWait, Max: h.adapter.opts.Stream.MaxWait}
	for {
		select {
		case <-line.stale:
		case <-ctx.Done():
			return
		}
		h.mu.Lock()
		var symbols []market.Symbol
		for name := range line.unseeded {
			if l := line.feeds[name]; l != nil {
				symbols = append(symbols, l.symbol)
			}
		}
		clear(line.unseeded)
		h.mu.Unlock()
		slices.Sort(symbols)
		call, cancel := h.adapter.bounded(ctx)
		found, err := h.adapter.snapshots(call, symbols)
		cancel()
		if ctx.Err() != nil {
			return
		}
		h.mu.Lock()
		for _, symbol := range symbols {
			name := wireSymbol(symbol)
			l := line.feeds[name]
			if l == nil {
				continue
			}
			if s := found[symbol]; s != nil {
				l.seed(s)
			} else if err != nil {
				line.unseeded[name] = true
			}
			l.ready = true
			l.show()
		}
		h.mu.Unlock()
		if err == nil {
			backoff.Reset()
			continue
		}
		h.adapter.client.opts.Logger.WarnContext(ctx, "snapshots of streamed symbols not read", "error", err)
		if !wsconn.Sleep(ctx, backoff.Next()) {
			return
		}
		select {
		case line.stale <- struct{}{}:
		default:
		}
	}
}
