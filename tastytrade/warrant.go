package tastytrade

import (
	"context"
	"net/url"
)

// A Warrant is a warrant of a company.
type Warrant struct {
	Object
	Symbol         string         `json:"symbol" need:"true"`
	InstrumentType InstrumentType `json:"instrument-type"`
	Description    string         `json:"description"`
	ListedMarket   string         `json:"listed-market"`
	CUSIP          string         `json:"cusip"`
	Active         bool           `json:"active"`
	IsClosingOnly  bool           `json:"is-closing-only"`
}

var warrantCodec = codecFor[Warrant]()

// UnmarshalJSON keeps the JSON; see [Object].
func (w *Warrant) UnmarshalJSON(data []byte) error { return warrantCodec.unmarshal(data, w) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (w Warrant) MarshalJSON() ([]byte, error) { return warrantCodec.marshal(w) }

// Warrants describes warrants; none named means all. The sandbox has none.
//
// GET /instruments/warrants
func (s *InstrumentsService) Warrants(ctx context.Context, symbols ...string) ([]Warrant, error) {
	q := url.Values{}
	list(q, "symbol", symbols)
	out, _, err := many[Warrant](ctx, s.client, get("/instruments/warrants").with(q), warrantCodec)
	return out, err
}

// Warrant describes one warrant.
//
// GET /instruments/warrants/{symbol}
func (s *InstrumentsService) Warrant(ctx context.Context, symbol string) (*Warrant, error) {
	return one[Warrant](ctx, s.client, get("/instruments/warrants/{symbol}", symbol), warrantCodec)
}
