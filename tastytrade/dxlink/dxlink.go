// Package dxlink is a client of the dxLink websocket protocol, over which
// dxFeed sends market data. It knows nothing of a particular broker.
//
//	conn, err := dxlink.Dial(ctx, url, token, nil)
//	quotes, err := dxlink.Subscribe[dxlink.Quote](ctx, conn, "SPY", "QQQ")
//	for q, err := range quotes.Events() { … }
//
// # What can be asked for
//
// [Subscribe] streams any kind of [Event] for a set of symbols that may change.
// [Latest] is the present state of many symbols, [Conn.Greeks] that of options,
// [Conn.Candles] a history: they return what has arrived by their deadline and
// name what has not. [Changes] puts snapshots and transactions together, for
// kinds that have an index, and says whether a snapshot is complete, snipped or
// empty; [Assembler] does so for one symbol. [SubscribeDepth] streams order
// books.
//
// Events carry everything the protocol defines. Numbers that the server did not
// send, or sent as NaN, are NaN; indices are 64-bit integers throughout. The
// order of the values in COMPACT messages is the server's latest FEED_CONFIG,
// which may change at any time. A message that cannot be read counts as a whole:
// none of its events is delivered, [Conn.LastError] says why and [Conn.Stats]
// how often.
//
// # What happens when the connection is lost
//
// A [Conn] connects again by itself: waits double from MinBackoff to MaxBackoff
// and are jittered, every attempt asks for a new token, channels and
// subscriptions are restored, and each subscription gets a [Gap] in its place
// between the events from before and after. No gap is lost when a buffer
// overflows. Histories and books are sent again by the server; candle requests
// in flight start over. A lost connection is one that fails, that says nothing
// for the keepalive timeout, or whose token has ended. A Conn ends for good when
// it is closed, when its token is refused three times in a row, or after
// MaxAttempts; then every loop over events ends with the reason.
//
// # What the server refuses
//
// An ERROR about a channel that belongs to one subscription ends it. Most kinds
// share a channel, and there the server does not say whose symbols it means:
// every subscription on it is told, by [SubscriptionOptions].OnRefusal,
// [Subscription.Refused] and the error of [Latest], and goes on.
//
// # Buffers
//
// Each subscription has a bounded buffer and a [Policy] for a consumer that is
// slower than the market. By default it conflates: the latest event of each
// symbol replaces the one that waits, so that a slow consumer sees fewer but
// current events. KeepAll keeps them in order and drops the oldest. Both count
// what they drop, see [Subscription.Dropped], and never hold up the socket.
// Block drops nothing and stops reading instead, for all subscriptions of the
// connection.
//
// Between the socket and the buffers up to 64 messages wait. Nothing else
// grows: strings that servers invent are not kept.
//
// # Concurrency
//
// A Conn and its subscriptions are safe for concurrent use; over the events of
// one subscription one loop may run at a time. A Conn has three goroutines while
// connected, a subscription none of its own. [Conn.Close] waits for them, and
// [Subscription.Close] until nothing will be delivered any more. An Assembler
// belongs to one goroutine.
package dxlink

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// What callers branch on with errors.Is.
var (
	// ErrClosed: the connection or the subscription was closed by its owner.
	ErrClosed = errors.New("dxlink: closed")
	// ErrUnauthorized: the server refused the token.
	ErrUnauthorized = errors.New("dxlink: the server refused the token")
	// ErrUnavailable: no connection could be made, or it was lost for good.
	ErrUnavailable = errors.New("dxlink: unavailable")
)

// A ProtocolError is an ERROR message of the server.
type ProtocolError struct {
	Channel int
	Code    string // "BAD_ACTION", "TIMEOUT", "UNAUTHORIZED" …
	Message string
}

// Error returns one line.
func (e *ProtocolError) Error() string {
	return fmt.Sprintf("dxlink: the server says %s: %.200q", e.Code, e.Message)
}

// Is reports ErrUnauthorized for the code of that name.
func (e *ProtocolError) Is(target error) bool {
	return target == ErrUnauthorized && e.Code == "UNAUTHORIZED"
}

// A DataFormat is how the server writes events.
type DataFormat string

// The data formats.
const (
	Compact DataFormat = "COMPACT" // arrays of values, names sent once
	Full    DataFormat = "FULL"    // objects; some servers send Compact all the same
)

// A Contract is what a channel promises about events.
type Contract string

// The contracts of the feed service.
const (
	Auto    Contract = "AUTO"
	Ticker  Contract = "TICKER"  // the latest event of a symbol matters
	History Contract = "HISTORY" // time series with snapshots: candles
	Stream  Contract = "STREAM"  // every event matters
)

// A DialFunc opens connections in place of the network, for servers in memory.
type DialFunc = rest.DialFunc

// Options configure a [Conn]. The zero value works.
type Options struct {
	UserAgent  string       // "<product>/<version>" of the handshake; empty: ttai and its version
	HTTPClient *http.Client // nil: one of its own
	Dial       DialFunc     // nil: the network
	Logger     *slog.Logger // nil: silent
	// Format is what the client asks for; what the server sends counts. Empty: Compact.
	Format DataFormat
	// Contract of the channel for all events but candles. Empty: Auto.
	Contract Contract
	// Aggregation is how long the server may gather events; 0: 100 ms,
	// negative: not at all.
	Aggregation time.Duration
	// Keepalive is how long either side may be silent; 0: 60 s.
	Keepalive time.Duration
	// Handshake is how long connecting and authorising may take; 0: 15 s.
	Handshake time.Duration
	// MinBackoff and MaxBackoff bound the waits between attempts to connect
	// again; 0: 500 ms and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// MaxAttempts ends the Conn after so many failed attempts in a row; 0: never.
	MaxAttempts int
	// Snapshot is for Latest and Candles when their context has no deadline; 0: 10 s.
	Snapshot time.Duration
	// Now is the clock that gaps are dated by; nil: time.Now. Waits are measured
	// and do not depend on it.
	Now func() time.Time
}

func (o *Options) defaults() error {
	if o.UserAgent == "" {
		o.UserAgent = "ttai/0.1"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	switch o.Format {
	case "":
		o.Format = Compact
	case Compact, Full:
	default:
		return invalid.Field("Format", string(o.Format), "COMPACT or FULL")
	}
	switch o.Contract {
	case "":
		o.Contract = Auto
	case Auto, Ticker, History, Stream:
	default:
		return invalid.Field("Contract", string(o.Contract), "AUTO, TICKER, HISTORY or STREAM")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Aggregation == 0 {
		o.Aggregation = 100 * time.Millisecond
	}
	o.Aggregation = max(o.Aggregation, 0)
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{
		{&o.Keepalive, time.Minute}, {&o.Handshake, 15 * time.Second}, {&o.MinBackoff, 500 * time.Millisecond},
		{&o.MaxBackoff, 30 * time.Second}, {&o.Snapshot, 10 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.otherwise
		}
	}
	return nil
}

// A TokenFunc returns a token for a new connection. It is called once per
// attempt to connect.
type TokenFunc = func(ctx context.Context) (string, error)
