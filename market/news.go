package market

import (
	"context"
	"time"
)

// A Story is a piece of news as a source tells it.
type Story struct {
	ID       string    `json:"id"`     // the source's own; never empty
	Source   string    `json:"source"` // who wrote it: "benzinga", the title of a feed
	Time     time.Time `json:"time"`   // of publication
	Headline string    `json:"headline"`
	Summary  string    `json:"summary,omitempty"` // plain text; may be empty
	URL      string    `json:"url,omitempty"`
	Symbols  []Symbol  `json:"symbols,omitempty"` // what it is about, as far as the source says
}

// A NewsRequest asks for stories.
type NewsRequest struct {
	Symbols []Symbol  // about at least one of these; empty: about anything
	From    time.Time // published at or after; zero: as far back as the source goes
	Limit   int       // the newest n of them; 0: the source's default
}

// A NewsSource gives news. Implementations are safe for concurrent use and respect
// the deadline of ctx.
type NewsSource interface {
	// News returns stories in ascending time. None is no error.
	News(ctx context.Context, req NewsRequest) ([]Story, error)
}

// A NewsStreamer pushes stories as they are published. Sources that can implement
// it beside [NewsSource]; what cannot is read by polling.
type NewsStreamer interface {
	// StreamNews begins a stream of stories about at least one of symbols; without
	// symbols, of all. The stream lives until it is closed, ctx ends, or it fails
	// for good; it reconnects by itself and tells of what it may have missed by a
	// [StreamGap].
	StreamNews(ctx context.Context, symbols ...Symbol) (NewsStream, error)
}

// A NewsStream yields stories in the order in which they came.
type NewsStream interface {
	// Next waits for the next update. After an error, which says why the stream
	// ended, every further call returns it again.
	Next(ctx context.Context) (NewsUpdate, error)
	// Close ends the stream and waits for its goroutines.
	Close() error
}

// A NewsUpdate is a story, or a gap whose stories are to be asked for with
// [NewsSource.News]. Exactly one is set.
type NewsUpdate struct {
	Story *Story
	Gap   *StreamGap
}
