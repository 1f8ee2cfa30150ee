package dxlink

import (
	"context"
	"encoding/json"
	"iter"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Depth is the order book of a symbol at one time, best prices first.
type Depth struct {
	Symbol     string
	Time       time.Time
	Bids, Asks []DepthLevel
}

// A DepthLevel is one price of a book. Size is NaN when unknown.
type DepthLevel struct {
	Price, Size float64
}

// DepthOptions configure a [DepthSubscription]. The zero value works.
type DepthOptions struct {
	// Sources are the books to gather, such as "ntv"; none: the server's choice.
	Sources []string
	// Levels is how many prices of each side are wanted; 0: the server's choice.
	Levels int
	// Aggregation is how long the server may gather changes; 0: that of the Conn.
	Aggregation time.Duration
	// OnGap is as in [SubscriptionOptions].
	OnGap func(Gap)
}

// A DepthSubscription is a stream of whole order books of one symbol, by the
// service DOM. It keeps the latest one while its consumer is busy. Methods are
// safe for concurrent use, but one loop at a time may run over Events. It
// survives lost connections; see [Gap].
type DepthSubscription struct {
	conn   *Conn
	feed   *feed
	symbol string
	opts   DepthOptions
	slot   slot
	buf    buffer[Depth]
	watch  watch
}

// SubscribeDepth asks for the order book of symbol, on a channel of its own.
// ctx lives as long as the stream. A server that does not offer the service ends
// the stream with a *ProtocolError; tokens of tastytrade are not known to allow
// it.
func SubscribeDepth(ctx context.Context, conn *Conn, symbol string, opts *DepthOptions) (*DepthSubscription, error) {
	d := &DepthSubscription{conn: conn, symbol: symbol}
	if opts != nil {
		d.opts = *opts
	}
	if err := checkSymbols([]string{symbol}); err != nil {
		return nil, err
	}
	if d.opts.Levels < 0 {
		return nil, invalid.Field("Levels", d.opts.Levels, "1 or more, or 0 for the server's choice")
	}
	if d.opts.Aggregation == 0 {
		d.opts.Aggregation = conn.opts.Aggregation
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.buf.init(Conflate, 1)
	conn.mu.Lock()
	defer conn.mu.Unlock()
	if err := conn.ended(); err != nil {
		return nil, err
	}
	d.feed = conn.open(&feed{service: "DOM", depth: d})
	d.watch.start(ctx, func() {
		d.leave()
		d.end(ctx.Err())
	})
	return d, nil
}

// Events yields books as they come. It ends as the Events of a [Subscription].
func (d *DepthSubscription) Events() iter.Seq2[Depth, error] {
	return events(&d.buf, d.opts.OnGap, nil)
}

// Close ends the subscription, as that of a [Subscription].
func (d *DepthSubscription) Close() error {
	d.watch.stop()
	d.leave()
	d.buf.clear()
	d.end(nil)
	return nil
}

// Dropped returns how many books were replaced before the consumer saw them.
func (d *DepthSubscription) Dropped() uint64 {
	_, dropped, _, _ := d.buf.counts()
	return dropped
}

// Gaps returns how many times the connection was lost and found again.
func (d *DepthSubscription) Gaps() uint64 {
	_, _, _, gaps := d.buf.counts()
	return gaps
}

func (d *DepthSubscription) leave() {
	d.conn.mu.Lock()
	defer d.conn.mu.Unlock()
	d.conn.cancelFeed(d.feed)
}

func (d *DepthSubscription) gap(g Gap)     { d.buf.gap(g) }
func (d *DepthSubscription) end(err error) { d.buf.end(err) }
func (d *DepthSubscription) refused(error) {} // its channel is its own: an ERROR ends it

type depthParameters struct {
	Symbol  string   `json:"symbol"`
	Sources []string `json:"sources,omitempty"`
}

type depthSetup struct {
	Type                    string   `json:"type"`
	Channel                 int      `json:"channel"`
	AcceptAggregationPeriod float64  `json:"acceptAggregationPeriod"`
	AcceptDepthLimit        int      `json:"acceptDepthLimit,omitempty"`
	AcceptDataFormat        string   `json:"acceptDataFormat"`
	AcceptOrderFields       []string `json:"acceptOrderFields"`
}

func (d *DepthSubscription) setup(channel int) depthSetup {
	return depthSetup{
		Type: "DOM_SETUP", Channel: channel, AcceptAggregationPeriod: max(d.opts.Aggregation, 0).Seconds(), AcceptDepthLimit: d.opts.Levels,
		AcceptDataFormat: "FULL", AcceptOrderFields: []string{"price", "size"},
	}
}

type depthSnapshot struct {
	Time depthNumber  `json:"time"` // Unix milliseconds
	Bids []depthLevel `json:"bids"`
	Asks []depthLevel `json:"asks"`
}

type depthLevel struct {
	Price *depthNumber `json:"price"`
	Size  *depthNumber `json:"size"`
}

// A depthNumber is a number, or one of the strings that stand for numbers.
type depthNumber float64

// UnmarshalJSON refuses strings that are no number: a book with a price that
// cannot be read is no book.
func (n *depthNumber) UnmarshalJSON(data []byte) error {
	s := scanner{b: data}
	t, err := s.token()
	if err != nil {
		return err
	}
	word, err := t.text()
	if err != nil {
		return err
	}
	f := parseFloat(word)
	if math.IsNaN(f) && word != "NaN" {
		return invalid.Field("number", word, "a number, NaN, Infinity or -Infinity")
	}
	*n = depthNumber(f)
	return nil
}

// deliver hands a book to the subscriber; the caller holds Conn.mu.
func (d *DepthSubscription) deliver(s *depthSnapshot) {
	book := Depth{Symbol: d.symbol, Time: milliseconds(int64(s.Time)), Bids: levels(s.Bids), Asks: levels(s.Asks)}
	d.buf.mu.Lock()
	defer d.buf.mu.Unlock()
	d.buf.put(&book, &d.slot, false, place{})
	d.buf.rouse()
}

// levels leaves out levels without a price.
func levels(wire []depthLevel) []DepthLevel {
	out := make([]DepthLevel, 0, len(wire))
	for _, l := range wire {
		if l.Price == nil || math.IsNaN(float64(*l.Price)) {
			continue
		}
		size := math.NaN()
		if l.Size != nil {
			size = float64(*l.Size)
		}
		out = append(out, DepthLevel{Price: float64(*l.Price), Size: size})
	}
	return out
}

var _ json.Unmarshaler = (*depthNumber)(nil)
