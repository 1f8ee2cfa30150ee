package dxlink

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// A Conn is a connection that keeps itself alive. It is safe for concurrent
// use. Close it when done.
type Conn struct {
	url   string
	token TokenFunc
	opts  Options

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	slots  chan struct{} // bounds candle requests in flight

	mu      sync.Mutex
	session *session // nil while not connected
	feeds   map[int]*feed
	next    int // number of the next channel, odd
	ticks   *feed
	err     error // why the Conn ended
	last    error // the latest trouble that did not end it
}

// A Gap is a time without data, between a lost connection and its successor.
type Gap struct {
	Since time.Time // when the loss was noticed
	Until time.Time // when the subscriptions were restored
	Err   error     // why the connection was lost
}

// A feed is one channel of the feed service. Its number stays the same over
// connections. The fields are touched by the goroutine that serves the
// session only, everything else under Conn.mu.
type feed struct {
	number   int
	contract Contract
	opened   bool
	entries  map[entryKey]*entry
	fields   map[string][]string // as last announced
}

type entryKey struct{ kind, symbol string }

type entry struct {
	symbol string // as the subscriber wrote it
	from   int64  // Unix milliseconds; 0: no history
	sinks  map[sink]struct{}
	last   any // the latest event, for subscribers that come later
}

// A sink takes events. Its methods must not block.
type sink interface {
	offer(event any)
	gap(Gap)
	end(error)
}

// inFlight is how many candle requests wait at a time. Servers limit the
// number of active subscriptions; about twenty are known to work.
const inFlight = 8

// Dial connects, authorises and returns a Conn that stays connected until
// Close. ctx is for this first connection, which is attempted once; an error is
// ErrUnauthorized, ErrUnavailable, a *ProtocolError or that of token.
func Dial(ctx context.Context, url string, token TokenFunc, opts *Options) (*Conn, error) {
	c := &Conn{url: url, token: token, feeds: map[int]*feed{}, next: 1, done: make(chan struct{}), slots: make(chan struct{}, inFlight)}
	if opts != nil {
		c.opts = *opts
	}
	if err := c.opts.defaults(); err != nil {
		return nil, err
	}
	if _, err := wsconn.ParseURL(url, c.opts.Dial != nil); err != nil {
		return nil, err
	}
	if token == nil {
		return nil, invalid.Missing("token", "a function that returns a token")
	}
	c.ctx, c.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s, err := c.connect(ctx)
	if err != nil {
		c.cancel()
		return nil, err
	}
	c.attach(s)
	go c.run(s)
	return c, nil
}

// Close drops the connection, ends all subscriptions with ErrClosed and waits
// for the goroutines of the Conn.
func (c *Conn) Close() error {
	c.cancel()
	<-c.done
	return nil
}

// Done is closed when the Conn has ended: by Close, or because it gave up.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err returns why the Conn has ended, nil before.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// LastError returns the latest trouble that did not end the Conn, such as an
// ERROR message of the server; nil when there was none.
func (c *Conn) LastError() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Connected reports whether there is a connection now.
func (c *Conn) Connected() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session != nil
}

func (c *Conn) trouble(err error) {
	c.opts.Logger.Warn("dxlink", "error", err)
	c.mu.Lock()
	c.last = err
	c.mu.Unlock()
}

func (c *Conn) run(s *session) {
	defer close(c.done)
	backoff := &wsconn.Backoff{Min: c.opts.MinBackoff, Max: c.opts.MaxBackoff}
	for {
		start := time.Now()
		err := c.serve(s)
		lost := time.Now()
		c.mu.Lock()
		c.session = nil
		c.mu.Unlock()
		s.close(err)
		if c.ctx.Err() != nil {
			c.finish(ErrClosed)
			return
		}
		c.trouble(fmt.Errorf("dxlink: connection lost: %w", err))
		if lost.Sub(start) > c.opts.MaxBackoff {
			backoff.Reset()
		}
		next, giveUp := c.reconnect(backoff)
		if giveUp != nil {
			c.finish(giveUp)
			return
		}
		s = next
		c.announce(Gap{Since: lost, Until: time.Now(), Err: err})
		c.attach(s)
	}
}

// refusals is how many refused tokens in a row end a Conn.
const refusals = 3

func (c *Conn) reconnect(backoff *wsconn.Backoff) (*session, error) {
	refused := 0
	for attempt := 1; ; attempt++ {
		if !wsconn.Sleep(c.ctx, backoff.Next()) {
			return nil, ErrClosed
		}
		s, err := c.connect(c.ctx)
		if err == nil {
			return s, nil
		}
		if c.ctx.Err() != nil {
			return nil, ErrClosed
		}
		c.trouble(err)
		if refused++; !errors.Is(err, ErrUnauthorized) {
			refused = 0
		}
		if refused == refusals {
			return nil, err
		}
		if c.opts.MaxAttempts > 0 && attempt >= c.opts.MaxAttempts {
			return nil, fmt.Errorf("%w after %d attempts: %w", ErrUnavailable, attempt, err)
		}
	}
}

// attach makes s the current session and opens all channels on it.
func (c *Conn) attach(s *session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session = s
	for _, n := range slices.Sorted(maps.Keys(c.feeds)) {
		f := c.feeds[n]
		f.opened, f.fields = false, wantedFields()
		s.send(f.request())
	}
}

func (c *Conn) announce(g Gap) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := range c.sinks() {
		s.gap(g)
	}
	for _, f := range c.feeds {
		for _, e := range f.entries {
			e.last = nil
		}
	}
}

func (c *Conn) finish(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	for s := range c.sinks() {
		s.end(err)
	}
	c.feeds, c.ticks = map[int]*feed{}, nil
}

// sinks returns every sink once.
func (c *Conn) sinks() map[sink]struct{} {
	all := map[sink]struct{}{}
	for _, f := range c.feeds {
		for _, e := range f.entries {
			maps.Copy(all, e.sinks)
		}
	}
	return all
}

func (f *feed) request() channelRequest {
	return channelRequest{Type: "CHANNEL_REQUEST", Channel: f.number, Service: "FEED", Parameters: map[string]string{"contract": string(f.contract)}}
}

// open makes a channel; the caller holds mu.
func (c *Conn) open(contract Contract) *feed {
	f := &feed{number: c.next, contract: contract, entries: map[entryKey]*entry{}, fields: wantedFields()}
	c.next += 2
	c.feeds[f.number] = f
	if c.session != nil {
		c.session.send(f.request())
	}
	return f
}

// cancelFeed closes a channel; the caller holds mu.
func (c *Conn) cancelFeed(f *feed) {
	if c.feeds[f.number] != f {
		return
	}
	delete(c.feeds, f.number)
	if c.session != nil {
		c.session.send(plainMessage{Type: "CHANNEL_CANCEL", Channel: f.number})
	}
}

// opened configures a channel that the server has opened and subscribes it.
func (c *Conn) opened(s *session, number int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.feeds[number]
	if f == nil || f.opened {
		return
	}
	f.opened = true
	want := wantedFields()
	if f == c.ticks {
		delete(want, "Candle")
	} else {
		want = map[string][]string{"Candle": candleFields}
	}
	s.send(feedSetup{
		Type: "FEED_SETUP", Channel: number, AcceptAggregationPeriod: c.opts.Aggregation.Seconds(),
		AcceptDataFormat: c.opts.Format, AcceptEventFields: want,
	})
	var add []feedEntry
	for key, e := range f.entries {
		add = append(add, feedEntry{Type: key.kind, Symbol: e.symbol, FromTime: e.from})
	}
	slices.SortFunc(add, func(a, b feedEntry) int { return strings.Compare(a.Type+a.Symbol, b.Type+b.Symbol) })
	s.subscribe(number, add, nil)
}

// perMessage is how many symbols one FEED_SUBSCRIPTION names. Servers close
// connections over messages of about two thousand.
const perMessage = 250

func (s *session) subscribe(channel int, add, remove []feedEntry) {
	for part := range slices.Chunk(add, perMessage) {
		s.send(feedSubscription{Type: "FEED_SUBSCRIPTION", Channel: channel, Add: part})
	}
	for part := range slices.Chunk(remove, perMessage) {
		s.send(feedSubscription{Type: "FEED_SUBSCRIPTION", Channel: channel, Remove: part})
	}
}

// configured takes over the server's field lists, which may be a part of what
// was asked for and in another order.
func (c *Conn) configured(m *inbound) {
	c.mu.Lock()
	f := c.feeds[m.Channel]
	c.mu.Unlock()
	if f == nil {
		return
	}
	for kind, fields := range m.EventFields {
		f.fields[kind] = fields
	}
}

// data hands events to those who subscribed.
func (c *Conn) data(m *inbound) {
	c.mu.Lock()
	f := c.feeds[m.Channel]
	c.mu.Unlock()
	if f == nil {
		return // cancelled meanwhile
	}
	type arrived struct {
		key   entryKey
		event any
	}
	var events []arrived
	err := decodeData(m.Data, f.fields, func(kind string, r record) {
		events = append(events, arrived{entryKey{kind, canonical(r.symbol())}, r.event()})
	})
	if err != nil {
		c.trouble(fmt.Errorf("dxlink: %w", err))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range events {
		e := f.entries[a.key]
		if e == nil {
			continue
		}
		if f == c.ticks {
			e.last = a.event
		}
		for s := range e.sinks {
			s.offer(a.event)
		}
	}
}

// channelEnded ends what depends on a channel that the server refuses or
// closes. The channel of ticks is opened again with a new session when it was
// closed; an ERROR on it is reported and does no more.
func (c *Conn) channelEnded(number int, err error, closed bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.feeds[number]
	if f == nil {
		return nil
	}
	if f == c.ticks {
		if closed {
			return err
		}
		return nil
	}
	c.cancelFeed(f)
	for _, e := range f.entries {
		for s := range e.sinks {
			s.end(err)
		}
	}
	return nil
}

// add subscribes a sink to symbols of a channel; the caller holds mu.
func (c *Conn) add(f *feed, kind string, symbols []string, from int64, to sink) {
	var fresh []feedEntry
	for _, symbol := range symbols {
		key := entryKey{kind, canonical(symbol)}
		e := f.entries[key]
		if e == nil {
			e = &entry{symbol: symbol, from: from, sinks: map[sink]struct{}{}}
			f.entries[key] = e
			fresh = append(fresh, feedEntry{Type: kind, Symbol: symbol, FromTime: from})
		}
		if _, again := e.sinks[to]; !again && e.last != nil {
			to.offer(e.last)
		}
		e.sinks[to] = struct{}{}
	}
	if f.opened && c.session != nil {
		c.session.subscribe(f.number, fresh, nil)
	}
}

// remove is the opposite of add.
func (c *Conn) remove(f *feed, kind string, symbols []string, from sink) {
	var unused []feedEntry
	for _, symbol := range symbols {
		key := entryKey{kind, canonical(symbol)}
		e := f.entries[key]
		if e == nil {
			continue
		}
		delete(e.sinks, from)
		if len(e.sinks) == 0 {
			delete(f.entries, key)
			unused = append(unused, feedEntry{Type: kind, Symbol: e.symbol})
		}
	}
	if f.opened && c.session != nil {
		c.session.subscribe(f.number, nil, unused)
	}
}

// canonical makes two ways of writing a candle symbol equal: {=1d} and {=d},
// and attributes in any order. Other symbols stay as they are.
func canonical(symbol string) string {
	base, attributes, found := strings.Cut(strings.TrimSuffix(symbol, "}"), "{")
	if !found {
		return symbol
	}
	parts := strings.Split(attributes, ",")
	for i, p := range parts {
		if rest, one := strings.CutPrefix(p, "=1"); one && rest != "" && (rest[0] < '0' || rest[0] > '9') {
			parts[i] = "=" + rest
		}
	}
	slices.Sort(parts)
	return base + "{" + strings.Join(parts, ",") + "}"
}

// withDeadline gives a context without a deadline that of Options.Snapshot.
func (c *Conn) withDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, c.opts.Snapshot)
}
