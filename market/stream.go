package market

import (
	"context"
	"time"
)

// A Streamer pushes quotes as they change. Adapters of brokers implement it
// beside [Source]; what has no stream is read by polling.
type Streamer interface {
	// StreamQuotes begins a stream of the quotes of symbols, options included. The
	// first update of each symbol is its present quote. The stream lives until it is
	// closed, ctx ends, or it fails for good; it reconnects by itself and tells of
	// what it may have missed by a [StreamGap]. When some symbols can never be
	// streamed it is a *[MissingError] that names them, and nothing is; so it is
	// with Add.
	StreamQuotes(ctx context.Context, symbols ...Symbol) (QuoteStream, error)
}

// A QuoteStream yields updates in the order in which they came. Its buffer is
// bounded: a reader that is slow gets the latest quote of each symbol, not every
// one between.
type QuoteStream interface {
	// Next waits for the next update. After an error, which says why the stream
	// ended, every further call returns it again.
	Next(ctx context.Context) (Update, error)
	// Add and Remove change the symbols while the stream runs. To add one that is
	// there, or remove one that is not, does nothing.
	Add(ctx context.Context, symbols ...Symbol) error
	Remove(ctx context.Context, symbols ...Symbol) error
	// Close ends the stream and waits for its goroutines.
	Close() error
}

// An Update is a quote, or a gap. Exactly one is set.
type Update struct {
	Quote *Quote
	Gap   *StreamGap
}

// A StreamGap is a span in which quotes may have been missed. What happened in it
// is told by the bars that cover it.
type StreamGap struct {
	From, To time.Time
}
