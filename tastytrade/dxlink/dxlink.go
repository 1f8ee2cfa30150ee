// Package dxlink is a client of the dxLink websocket protocol, over which
// dxFeed sends market data. It knows nothing of a particular broker.
//
//	conn, err := dxlink.Dial(ctx, url, token, nil)
//	quotes, err := dxlink.Subscribe[dxlink.Quote](ctx, conn, "SPY", "QQQ")
//	for q, err := range quotes.Events() { … }
//
// # What happens when the connection is lost
//
// A [Conn] connects again by itself: waits grow and are jittered, every
// attempt asks for a new token, channels and subscriptions are restored, and
// each subscription gets a [Gap]. Candle requests in flight start over.
//
// # Buffers
//
// The reader of the socket never waits for a consumer. Each subscription has a
// bounded buffer; by default it keeps the latest event of each symbol, so that
// a slow consumer sees fewer but current events. See [SubscriptionOptions].
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
	if o.Contract == "" {
		o.Contract = Auto
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
