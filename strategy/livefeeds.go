package strategy

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A group waits for the goroutines of a run.
type group struct{ all sync.WaitGroup }

func newGroup() *group { return &group{} }

func (g *group) run(f func()) { g.all.Go(f) }

func (g *group) wait() { g.all.Wait() }

// accountNews are an event of the account, or that some may be missing.
type accountNews struct {
	event broker.Event
	gap   bool
}

// readAccount hands on the account's events. A stream that ends is opened again.
func (r *live) readAccount(ctx context.Context, stream broker.EventStream) {
	delay := time.Second
	for {
		e, err := stream.Next(ctx)
		if err == nil {
			delay = time.Second
			select {
			case r.account <- accountNews{event: e}:
			case <-ctx.Done():
				_ = stream.Close()
				return
			}
			continue
		}
		_ = stream.Close()
		if ctx.Err() != nil {
			return
		}
		r.opts.Logger.Warn("strategy: the account's events ended", "error", err)
		for {
			if pause(ctx, r.opts.Clock, delay) != nil {
				return
			}
			delay = min(2*delay, time.Minute)
			if stream, err = r.opts.Broker.Events(ctx, r.opts.Account); err == nil {
				break
			}
			if ctx.Err() != nil {
				return
			}
		}
		select {
		case r.account <- accountNews{gap: true}:
		case <-ctx.Done():
			_ = stream.Close()
			return
		}
	}
}

// A quoteFeed keeps the latest quotes that were not taken yet.
type quoteFeed struct {
	opts  *RunOptions
	ready chan struct{} // has room for one

	mu      sync.Mutex
	waiting []market.Quote
	place   map[market.Symbol]int // in waiting
	gap     bool
	symbols []market.Symbol        // that are asked for
	polled  map[market.Symbol]bool // those of them that the stream does not have
	changed chan struct{}          // has room for one
}

func newQuoteFeed(opts *RunOptions, needs Needs) *quoteFeed {
	return &quoteFeed{
		opts: opts, ready: make(chan struct{}, 1), changed: make(chan struct{}, 1), place: map[market.Symbol]int{}, polled: map[market.Symbol]bool{}, symbols: slices.Clone(needs.Symbols),
	}
}

// watch says which symbols are asked for.
func (f *quoteFeed) watch(symbols []market.Symbol) {
	f.mu.Lock()
	same := slices.Equal(symbols, f.symbols)
	f.symbols = symbols
	f.mu.Unlock()
	if !same {
		signalTo(f.changed)
	}
}

func (f *quoteFeed) wanted() []market.Symbol {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.symbols)
}

// split tells which of the symbols asked for are streamed, and which are polled.
func (f *quoteFeed) split() (streamed, polled []market.Symbol) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.symbols {
		if f.polled[s] {
			polled = append(polled, s)
		} else {
			streamed = append(streamed, s)
		}
	}
	return streamed, polled
}

// unstreamed takes down the symbols that a stream says it lacks, and tells whether it
// named some.
func (f *quoteFeed) unstreamed(err error) bool {
	missing, ok := errors.AsType[*market.MissingError](err)
	if !ok || len(missing.Symbols) == 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range missing.Symbols {
		f.polled[s] = true
	}
	return true
}

func (f *quoteFeed) put(quotes []market.Quote, gap bool) {
	f.mu.Lock()
	for _, q := range quotes {
		if i, ok := f.place[q.Symbol]; ok {
			f.waiting[i] = q
			continue
		}
		f.place[q.Symbol] = len(f.waiting)
		f.waiting = append(f.waiting, q)
	}
	f.gap = f.gap || gap
	f.mu.Unlock()
	signalTo(f.ready)
}

func (f *quoteFeed) take() (quotes []market.Quote, gap bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	quotes, gap = f.waiting, f.gap
	f.waiting, f.gap = nil, false
	clear(f.place)
	return quotes, gap
}

func signalTo(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// read gets quotes until ctx ends: from a stream when there is one, and by polling
// while there is none.
func (f *quoteFeed) read(ctx context.Context) {
	for ctx.Err() == nil {
		if streamed, _ := f.split(); f.opts.Streamer != nil && len(streamed) > 0 {
			err := f.stream(ctx, streamed)
			if ctx.Err() != nil {
				return
			}
			if f.unstreamed(err) {
				f.opts.Logger.Info("strategy: quotes that the stream lacks are polled", "error", err)
				continue
			}
			f.opts.Logger.Warn("strategy: the stream of quotes ended", "error", err)
			if errors.Is(err, market.ErrUnsupported) {
				f.opts.Streamer = nil
			}
			f.put(nil, true)
		}
		f.poll(ctx, f.wanted())
		if pause(ctx, f.opts.Clock, f.opts.PollQuotes) != nil {
			return
		}
	}
}

func (f *quoteFeed) poll(ctx context.Context, symbols []market.Symbol) {
	if len(symbols) == 0 {
		return
	}
	quotes, err := f.opts.Source.Quotes(ctx, symbols)
	if err != nil && ctx.Err() == nil {
		f.opts.Logger.Warn("strategy: reading quotes", "error", err)
	}
	if len(quotes) > 0 {
		f.put(quotes, false)
	}
}

// stream reads pushed quotes of symbols until the stream fails, and polls the others.
func (f *quoteFeed) stream(ctx context.Context, has []market.Symbol) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := f.opts.Streamer.StreamQuotes(ctx, has...)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Close() }()
	var changes sync.WaitGroup
	defer changes.Wait()
	defer cancel()
	changes.Go(func() {
		for {
			if _, polled := f.split(); len(polled) > 0 {
				f.poll(ctx, polled)
			}
			if pause(ctx, f.opts.Clock, f.opts.PollQuotes) != nil {
				return
			}
		}
	})
	changes.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-f.changed:
			}
			want, _ := f.split()
			for _, change := range []struct {
				from, to []market.Symbol
				do       func(context.Context, ...market.Symbol) error
			}{{has, want, stream.Add}, {want, has, stream.Remove}} {
				var symbols []market.Symbol
				for _, s := range change.to {
					if !slices.Contains(change.from, s) {
						symbols = append(symbols, s)
					}
				}
				if len(symbols) == 0 {
					continue
				}
				err := change.do(ctx, symbols...)
				if err != nil && ctx.Err() == nil {
					f.opts.Logger.Warn("strategy: changing the stream of quotes", "error", err)
				}
				if f.unstreamed(err) { // none of them was added: those it has are asked for again
					signalTo(f.changed)
					want = has
					break
				}
			}
			has = want
		}
	})
	for {
		u, err := stream.Next(ctx)
		if err != nil {
			return err
		}
		if u.Quote != nil {
			f.put([]market.Quote{*u.Quote}, false)
		}
		if u.Gap != nil {
			f.put(nil, true)
		}
	}
}
