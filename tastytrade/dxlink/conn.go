package dxlink

import (
	"cmp"
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

	mu       sync.Mutex
	session  *session // nil while not connected
	feeds    map[int]*feed
	blockers map[blocker]struct{}
	next     int // number of the next channel, odd
	ticks    *feed
	err      error // why the Conn ended
	last     error // the latest trouble that did not end it
	stats    Stats
}

// Stats count what a Conn has seen since Dial.
type Stats struct {
	Connections uint64 // made, the first included
	Messages    uint64 // read
	Bytes       uint64 // of those messages
	Events      uint64 // decoded
	Unclaimed   uint64 // of those, of symbols that nobody asks for any more
	Skipped     uint64 // arrays and objects of kinds that nobody asks for
	Rejected    uint64 // messages that could not be read; their events are lost as a whole
}

// Stats returns the counts until now.
func (c *Conn) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stats
}

// A Gap is a time without data, between a lost connection and its successor.
// Its length is measured, so that a clock that is set meanwhile does not change
// it.
type Gap struct {
	Since time.Time // when the loss was noticed
	Until time.Time // when the subscriptions were restored
	Err   error     // why the connection was lost
	// Losses is 1. A consumer that stands still while the connection is lost more
	// than a thousand times finds the last ones joined, and here how many.
	Losses int
}

// A feed is one channel. Its number stays the same over connections.
type feed struct {
	number   int
	service  string // FEED or DOM
	contract Contract
	opened   bool
	decoder  decoder
	setUp    map[string]bool    // the kinds whose fields the server has been asked for
	depth    *DepthSubscription // DOM
}

// tableOf returns the table of a kind on a channel; the caller holds Conn.mu.
func tableOf[T Event](f *feed) *table[T] {
	kind := kindOf[T]()
	if t, ok := f.decoder.tables[kind].(*table[T]); ok {
		return t
	}
	t := newTable[T]()
	f.decoder.tables[kind] = t
	return t
}

// A blocker may hold up the reader of the socket.
type blocker interface{ full() <-chan struct{} }

// inFlight is how many candle requests wait at a time. Servers limit the
// number of active subscriptions; about twenty are known to work.
const inFlight = 8

// Dial connects, authorises and returns a Conn that stays connected until
// Close. ctx is for this first connection, which is attempted once; an error is
// ErrUnauthorized, ErrUnavailable, a *ProtocolError or that of token.
func Dial(ctx context.Context, url string, token TokenFunc, opts *Options) (*Conn, error) {
	c := &Conn{
		url: url, token: token, feeds: map[int]*feed{}, blockers: map[blocker]struct{}{}, next: 1,
		done: make(chan struct{}), slots: make(chan struct{}, inFlight),
	}
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
		lost, since := time.Now(), c.opts.Now()
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
		c.announce(Gap{Since: since, Until: since.Add(time.Since(lost)), Err: err, Losses: 1})
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
	c.stats.Connections++
	for _, n := range slices.Sorted(maps.Keys(c.feeds)) {
		f := c.feeds[n]
		f.opened, f.setUp = false, map[string]bool{}
		for _, t := range f.decoder.tables {
			t.configure(t.wanted())
		}
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
		for _, t := range f.decoder.tables {
			t.forget()
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
	clear(c.blockers)
}

// sinks returns every sink once.
func (c *Conn) sinks() map[sink]struct{} {
	all := map[sink]struct{}{}
	for _, f := range c.feeds {
		f.collect(all)
	}
	return all
}

func (f *feed) collect(all map[sink]struct{}) {
	for _, t := range f.decoder.tables {
		t.collect(all)
	}
	if f.depth != nil {
		all[f.depth] = struct{}{}
	}
}

func (f *feed) request() channelRequest {
	r := channelRequest{Type: "CHANNEL_REQUEST", Channel: f.number, Service: f.service, Parameters: map[string]string{"contract": string(f.contract)}}
	if f.depth != nil {
		r.Parameters = depthParameters{Symbol: f.depth.symbol, Sources: f.depth.opts.Sources}
	}
	return r
}

// open makes f a channel; the caller holds mu.
func (c *Conn) open(f *feed) *feed {
	f.number, f.setUp = c.next, map[string]bool{}
	f.decoder.tables = map[string]kindTable{}
	c.next += 2 // servers refuse even numbers
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
	if f.depth != nil {
		s.send(f.depth.setup(number))
		return
	}
	var add []feedEntry
	for _, t := range f.decoder.tables {
		add = append(add, t.requests()...)
	}
	slices.SortFunc(add, func(a, b feedEntry) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Symbol, b.Symbol), strings.Compare(a.Source, b.Source))
	})
	c.ask(f, add, nil)
}

// ask changes what a channel is subscribed to, once the server has opened it;
// the caller holds mu. The fields of a kind are asked for before its first
// symbol.
func (c *Conn) ask(f *feed, add, remove []feedEntry) {
	if !f.opened || c.session == nil {
		return
	}
	fresh := false
	for _, e := range add {
		fresh = fresh || !f.setUp[e.Type]
		f.setUp[e.Type] = true
	}
	if fresh {
		fields := make(map[string][]string, len(f.setUp))
		for kind := range f.setUp {
			fields[kind] = f.decoder.tables[kind].wanted()
		}
		c.session.send(feedSetup{
			Type: "FEED_SETUP", Channel: f.number, AcceptAggregationPeriod: c.opts.Aggregation.Seconds(),
			AcceptDataFormat: c.opts.Format, AcceptEventFields: fields,
		})
	}
	c.session.subscribe(f.number, add, remove)
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
	defer c.mu.Unlock()
	f := c.feeds[m.Channel]
	if f == nil {
		return
	}
	for kind, fields := range m.EventFields {
		if t := f.decoder.tables[kind]; t != nil {
			t.configure(fields)
		}
	}
}

// data reads the events of a FEED_DATA message, whose data begins at byte at,
// and hands them to those who subscribed. whole says that nothing but the end of
// the message may follow; when something does, it reports false and the message
// has had no effect.
func (c *Conn) data(channel int, b []byte, at int, whole bool) bool {
	c.mu.Lock()
	f := c.feeds[channel]
	if f == nil { // cancelled meanwhile
		c.stats.Skipped++
		c.mu.Unlock()
		return true
	}
	end, err := f.decoder.data(b, at)
	if whole && (err != nil || !ends(b, end)) {
		f.decoder.discard()
		f.decoder.skipped = 0
		c.mu.Unlock()
		return false
	}
	if err != nil {
		f.decoder.discard()
		c.stats.Rejected++
		c.mu.Unlock()
		c.trouble(fmt.Errorf("dxlink: %w", err))
		return true
	}
	events, unclaimed := f.decoder.commit()
	c.stats.Events += uint64(events)
	c.stats.Unclaimed += uint64(unclaimed)
	c.stats.Skipped += uint64(f.decoder.skipped)
	f.decoder.skipped = 0
	c.mu.Unlock()
	return true
}

// ends reports whether byte i closes the message.
func ends(b []byte, i int) bool {
	s := scanner{b: b, i: i}
	if s.next() != '}' {
		return false
	}
	s.i++
	return s.next() == 0 && s.i == len(b)
}

// book hands a DOM_SNAPSHOT to its subscriber.
func (c *Conn) book(m *inbound) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f := c.feeds[m.Channel]; f != nil && f.depth != nil {
		f.depth.deliver(&m.depthSnapshot)
	}
}

// held returns a channel that says when a full buffer of policy Block has room
// again; nil when none is full.
func (c *Conn) held() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	for b := range c.blockers {
		if room := b.full(); room != nil {
			return room
		}
	}
	return nil
}

// channelEnded ends what depends on a channel that the server refuses or
// closes. The channel of ticks is opened again with a new session when it was
// closed; an ERROR on it, which may be about one symbol of one subscription, is
// told to all of them.
func (c *Conn) channelEnded(number int, err error, closed bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := c.feeds[number]
	if f == nil {
		return nil
	}
	all := map[sink]struct{}{}
	f.collect(all)
	if f == c.ticks {
		if closed {
			return err
		}
		for s := range all {
			s.refused(err)
		}
		return nil
	}
	c.cancelFeed(f)
	for s := range all {
		s.end(err)
	}
	return nil
}
