package alpaca

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// A Channel is a kind of market data in a stream.
type Channel string

// The channels. Options have trades and quotes; news is a stream of its own.
const (
	ChannelTrades      Channel = "trades"
	ChannelQuotes      Channel = "quotes"
	ChannelBars        Channel = "bars"
	ChannelDailyBars   Channel = "dailyBars"
	ChannelUpdatedBars Channel = "updatedBars"
	ChannelStatuses    Channel = "statuses"
	ChannelLULDs       Channel = "lulds"
	ChannelNews        Channel = "news"
)

// An Update is one message of a market data stream. At most one of the pointers
// is set; what this package has no type for is in Raw.
type Update struct {
	Kind   string // t, q, b (minute bar), d (day), u (corrected), s (status), l (price band), c, x, n (news)
	Symbol string
	Trade  *Trade
	Quote  *Quote
	Bar    *Bar
	News   *News
	Raw    json.RawMessage
	Gap    *broker.Gap // updates may be missing before this; nothing else is set
}

// A MarketStream yields market data. It is for one reader; Subscribe and
// Unsubscribe are safe beside it.
type MarketStream struct {
	client *Client
	url    string
	packed bool // MessagePack instead of JSON
	queue  *queue[Update]
	cancel context.CancelFunc
	done   chan struct{}

	asking sync.Mutex // one request at a time
	mu     sync.Mutex
	conn   *wsconn.Conn // nil while there is none
	wanted map[Channel]map[string]bool
	answer chan error // to the request in progress; nil when there is none
	missed string     // why updates are missing that the reader has not been told of
}

// A StreamKind is one of the market data websockets.
type StreamKind string

// The streams.
const (
	StockStream  StreamKind = "stocks"  // JSON
	OptionStream StreamKind = "options" // MessagePack
	CryptoStream StreamKind = "crypto"
	NewsStream   StreamKind = "news"
)

// MarketData opens a market data stream; most plans allow one at a time. It
// lasts until ctx ends or Close, reconnects and subscribes again by itself, and
// tells by Gap when updates may be missing.
func (c *Client) MarketData(ctx context.Context, kind StreamKind, opts StreamOptions) (*MarketStream, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, err
	}
	s := &MarketStream{client: c, done: make(chan struct{}), wanted: map[Channel]map[string]bool{}}
	switch kind {
	case StockStream:
		s.url = c.opts.StreamURL + "/v2/" + c.opts.StockFeed
	case OptionStream:
		s.url, s.packed = c.opts.StreamURL+"/v1beta1/"+c.opts.OptionFeed, true
	case CryptoStream:
		s.url = c.opts.StreamURL + "/v1beta3/crypto/us"
	case NewsStream:
		s.url = c.opts.StreamURL + "/v1beta1/news"
	default:
		return nil, invalid.Field("kind", string(kind), "stocks, options, crypto or news")
	}
	s.queue = newQueue(opts.Buffer, func(g broker.Gap) Update { return Update{Gap: &g} })
	l := &link{
		opts: opts, logger: c.opts.Logger, open: s.open, receive: s.receive,
		again: func(ctx context.Context, conn *wsconn.Conn, reason string) error {
			return s.adopt(ctx, conn, reason)
		},
	}
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.conn = conn
	go func() {
		defer close(s.done)
		err := l.run(ctx, conn)
		s.mu.Lock()
		s.conn = nil
		s.reply(err)
		s.mu.Unlock()
		s.queue.end(err)
	}()
	return s, nil
}

// Next waits for the next update. It returns why the stream ended when it has.
func (s *MarketStream) Next(ctx context.Context) (Update, error) { return s.queue.next(ctx) }

// Close ends the stream and waits for it.
func (s *MarketStream) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// Subscribe asks for channels of symbols in Alpaca's form, "*" for all, and waits
// for the server to say yes. A refusal is a *[StreamError], and nothing is
// subscribed.
func (s *MarketStream) Subscribe(ctx context.Context, channels map[Channel][]string) error {
	return s.ask(ctx, "subscribe", channels)
}

// Unsubscribe ends channels of symbols.
func (s *MarketStream) Unsubscribe(ctx context.Context, channels map[Channel][]string) error {
	return s.ask(ctx, "unsubscribe", channels)
}

func (s *MarketStream) ask(ctx context.Context, action string, channels map[Channel][]string) error {
	if len(channels) == 0 || len(channels) > 8 {
		return invalid.Field("channels", len(channels), "1 to 8 channels with symbols")
	}
	for channel, symbols := range channels {
		if len(symbols) == 0 || len(symbols) > 0xffff {
			return invalid.Field(string(channel), len(symbols), "at least one symbol")
		}
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	answer := make(chan error, 1)
	s.mu.Lock()
	before := s.snapshot()
	s.apply(action, channels)
	conn := s.conn
	s.answer = answer
	s.mu.Unlock()
	restore := func() {
		s.mu.Lock()
		s.wanted, s.answer = before, nil
		s.mu.Unlock()
	}
	if conn != nil {
		// A write that fails ends the connection; the next one subscribes anew.
		_ = s.write(ctx, conn, message(action, channels))
	}
	select {
	case err := <-answer:
		if err != nil {
			restore()
		}
		return err
	case <-s.done:
		return ErrClosed
	case <-ctx.Done():
		restore()
		return ctx.Err()
	}
}

func message(action string, channels map[Channel][]string) []field {
	fields := []field{{name: "action", text: action}}
	for _, channel := range slices.Sorted(maps.Keys(channels)) {
		fields = append(fields, field{name: string(channel), list: channels[channel]})
	}
	return fields
}

func (s *MarketStream) apply(action string, channels map[Channel][]string) {
	for channel, symbols := range channels {
		for _, symbol := range symbols {
			switch {
			case action == "unsubscribe":
				delete(s.wanted[channel], symbol)
			case s.wanted[channel] == nil:
				s.wanted[channel] = map[string]bool{symbol: true}
			default:
				s.wanted[channel][symbol] = true
			}
		}
	}
}

func (s *MarketStream) snapshot() map[Channel]map[string]bool {
	out := map[Channel]map[string]bool{}
	for channel, symbols := range s.wanted {
		out[channel] = maps.Clone(symbols)
	}
	return out
}

// reply answers the request in progress. The mutex is held.
func (s *MarketStream) reply(err error) {
	if s.answer != nil {
		s.answer <- err
		s.answer = nil
	}
}

func (s *MarketStream) write(ctx context.Context, conn *wsconn.Conn, fields []field) error {
	if s.packed {
		return conn.WriteBinary(ctx, packMessage(fields))
	}
	return conn.Write(ctx, jsonMessage(fields))
}

// adopt subscribes a new connection to what is wanted. The reader is told of the gap
// when the server has said yes, which is when the gap ends.
func (s *MarketStream) adopt(ctx context.Context, conn *wsconn.Conn, reason string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missed = reason
	channels := map[Channel][]string{}
	for channel, symbols := range s.wanted {
		if len(symbols) > 0 {
			channels[channel] = slices.Sorted(maps.Keys(symbols))
		}
	}
	if len(channels) > 0 {
		if err := s.write(ctx, conn, message("subscribe", channels)); err != nil {
			return err
		}
	} else {
		s.tell()
	}
	s.conn = conn
	return nil
}

// tell the reader of a gap that has ended. The mutex is held.
func (s *MarketStream) tell() {
	if s.missed != "" {
		s.queue.miss(s.missed, s.client.opts.Now())
		s.missed = ""
	}
}

// A control is a message of the server that is no market data.
type control struct {
	Kind    string `json:"T"`
	Message string `json:"msg"`
	Code    int    `json:"code"`
	Symbol  string `json:"S"`
	// Without these, the small letters would be taken for the large ones.
	Time json.RawMessage `json:"t"`
	Size json.RawMessage `json:"s"`
}

// open connects and authenticates. What was subscribed is asked for by adopt.
func (s *MarketStream) open(ctx context.Context) (*wsconn.Conn, error) {
	s.mu.Lock()
	s.conn = nil
	s.mu.Unlock()
	creds, err := s.client.credentials(ctx)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	if s.packed {
		header.Set("Content-Type", "application/msgpack")
	}
	conn, err := s.client.dial(ctx, s.url, header)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*wsconn.Conn, error) {
		conn.Close()
		return nil, fmt.Errorf("alpaca: market data: %w", err)
	}
	if err := s.expect(ctx, conn, "connected"); err != nil {
		return fail(err)
	}
	greeting := []field{{name: "action", text: "auth"}, {name: "key", text: creds.KeyID}, {name: "secret", text: creds.Secret}}
	if creds.Token != "" {
		greeting[1].text, greeting[2].text = "oauth", creds.Token
	}
	if err := s.write(ctx, conn, greeting); err != nil {
		return fail(err)
	}
	if err := s.expect(ctx, conn, "authenticated"); err != nil {
		return fail(err)
	}
	return conn, nil
}

// expect reads messages until one that says what is expected, or an error.
func (s *MarketStream) expect(ctx context.Context, conn *wsconn.Conn, what string) error {
	for {
		data, err := conn.Read(ctx)
		if err != nil {
			return err
		}
		items, err := s.split(data)
		if err != nil {
			return err
		}
		for _, item := range items {
			var c control
			_ = json.Unmarshal(item, &c) // what it is not stays empty
			switch {
			case c.Kind == "error":
				return &StreamError{Code: c.Code, Message: c.Message}
			case c.Kind == "success" && c.Message == what:
				return nil
			}
		}
	}
}

// split takes a message apart: an array of objects, or one.
func (s *MarketStream) split(data []byte) ([]json.RawMessage, error) {
	if s.packed {
		var err error
		if data, err = msgpackToJSON(data); err != nil {
			return nil, err
		}
	}
	var items []json.RawMessage
	if json.Unmarshal(data, &items) == nil {
		return items, nil
	}
	if json.Valid(data) {
		return []json.RawMessage{data}, nil
	}
	return nil, fmt.Errorf("%w: a message that is no JSON", ErrAnswer)
}

// receive queues the updates of a message. A connection that is refused by the
// server, as too slow or one too many, ends; the next attempt comes by itself.
func (s *MarketStream) receive(data []byte) error {
	items, err := s.split(data)
	if err != nil {
		return err
	}
	now := s.client.opts.Now()
	for _, item := range items {
		update, c := parseUpdate(item)
		switch c.Kind {
		case "subscription":
			s.mu.Lock()
			s.tell()
			s.reply(nil)
			s.mu.Unlock()
		case "success", "":
		case "error":
			err := &StreamError{Code: c.Code, Message: c.Message}
			s.mu.Lock()
			waiting := s.answer != nil
			s.reply(err)
			s.mu.Unlock()
			if !waiting || c.Code == 406 || c.Code == 407 {
				return errors.Join(err)
			}
		default:
			s.mu.Lock()
			s.tell()
			s.mu.Unlock()
			s.queue.put(update, now)
		}
	}
	return nil
}

// parseUpdate reads one object of a message.
func parseUpdate(item json.RawMessage) (Update, control) {
	var c control
	if json.Unmarshal(item, &c) != nil && c.Kind == "" {
		return Update{}, c
	}
	u := Update{Kind: c.Kind, Symbol: c.Symbol, Raw: item}
	switch c.Kind {
	case "t":
		u.Trade = parsed[Trade](item)
	case "q":
		u.Quote = parsed[Quote](item)
	case "b", "d", "u":
		u.Bar = parsed[Bar](item)
	case "n":
		u.News = parsed[News](item)
	}
	return u, c
}

func parsed[T any](item json.RawMessage) *T {
	v := new(T)
	if json.Unmarshal(item, v) != nil {
		return nil
	}
	return v
}
