package tastytrade

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Watchlist is a named list of symbols, one's own or a public one.
type Watchlist struct {
	Object
	Name       string           `json:"name"`
	GroupName  string           `json:"group-name"`
	OrderIndex int              `json:"order-index"` // where it is shown; 9999 when the broker is not told
	CMSID      string           `json:"cms-id"`
	Entries    []WatchlistEntry `json:"watchlist-entries"`
	// EntryCount is for lists that were asked for by their counts only; 0 otherwise.
	EntryCount int `json:"watchlist-entry-count" alt:"count"`
	ID         ID  `json:"id"`
}

var watchlistCodec = codecFor[Watchlist]()

// UnmarshalJSON keeps the JSON; see [Object].
func (w *Watchlist) UnmarshalJSON(data []byte) error { return watchlistCodec.unmarshal(data, w) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (w Watchlist) MarshalJSON() ([]byte, error) { return watchlistCodec.marshal(w) }

// A WatchlistEntry is one symbol of a [Watchlist].
type WatchlistEntry struct {
	Object
	Symbol         string         `json:"symbol"`
	InstrumentType InstrumentType `json:"instrument-type"` // empty: the broker finds out
}

var watchlistEntryCodec = codecFor[WatchlistEntry]()

// UnmarshalJSON keeps the JSON; see [Object].
func (w *WatchlistEntry) UnmarshalJSON(data []byte) error {
	return watchlistEntryCodec.unmarshal(data, w)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (w WatchlistEntry) MarshalJSON() ([]byte, error) { return watchlistEntryCodec.marshal(w) }

// A PairsWatchlist is a named list of pairs of instruments.
type PairsWatchlist struct {
	Object
	Name       string          `json:"name"`
	OrderIndex int             `json:"order-index"`
	Equations  []PairsEquation `json:"pairs-equations"`
}

var pairsWatchlistCodec = codecFor[PairsWatchlist]()

// UnmarshalJSON keeps the JSON; see [Object].
func (p *PairsWatchlist) UnmarshalJSON(data []byte) error {
	return pairsWatchlistCodec.unmarshal(data, p)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (p PairsWatchlist) MarshalJSON() ([]byte, error) { return pairsWatchlistCodec.marshal(p) }

// A PairsEquation is one pair: so much of the left against so much of the right.
type PairsEquation struct {
	Object
	LeftSymbol    string          `json:"left-symbol"`
	LeftAction    string          `json:"left-action"`
	LeftQuantity  *int            `json:"left-quantity"`
	RightSymbol   string          `json:"right-symbol"`
	RightAction   string          `json:"right-action"`
	RightQuantity *int            `json:"right-quantity"`
	Left          json.RawMessage `json:"left"`  // in versions that nest the sides; as the broker sends it
	Right         json.RawMessage `json:"right"` // in versions that nest the sides; as the broker sends it
}

var pairsEquationCodec = codecFor[PairsEquation]()

// UnmarshalJSON keeps the JSON; see [Object].
func (p *PairsEquation) UnmarshalJSON(data []byte) error {
	return pairsEquationCodec.unmarshal(data, p)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (p PairsEquation) MarshalJSON() ([]byte, error) { return pairsEquationCodec.marshal(p) }

// WatchlistsService keeps lists of symbols. The sandbox does not have them.
type WatchlistsService struct{ client *Client }

// List returns one's own watchlists.
//
// GET /watchlists
func (s *WatchlistsService) List(ctx context.Context) ([]Watchlist, error) {
	out, _, err := many[Watchlist](ctx, s.client, get("/watchlists"), watchlistCodec)
	return out, err
}

// Get returns one of one's own watchlists.
//
// GET /watchlists/{name}
func (s *WatchlistsService) Get(ctx context.Context, name string) (*Watchlist, error) {
	return one[Watchlist](ctx, s.client, get("/watchlists/{name}", name), watchlistCodec)
}

// Create makes a watchlist and returns it as the broker keeps it.
//
// POST /watchlists
func (s *WatchlistsService) Create(ctx context.Context, watchlist Watchlist) (*Watchlist, error) {
	r := post("/watchlists").sending(watchlist.wire())
	r.invalid = watchlist.check()
	return one[Watchlist](ctx, s.client, r, watchlistCodec)
}

// Replace puts watchlist in the place of the one of that name, all of it:
// entries that are not in it are gone. A Name that differs renames it.
//
// PUT /watchlists/{name}
func (s *WatchlistsService) Replace(ctx context.Context, name string, watchlist Watchlist) (*Watchlist, error) {
	r := put("/watchlists/{name}", name).sending(watchlist.wire())
	r.invalid = watchlist.check()
	return one[Watchlist](ctx, s.client, r, watchlistCodec)
}

// Delete removes a watchlist and returns what it was.
//
// DELETE /watchlists/{name}
func (s *WatchlistsService) Delete(ctx context.Context, name string) (*Watchlist, error) {
	return one[Watchlist](ctx, s.client, del("/watchlists/{name}", name), watchlistCodec)
}

// wire is the body of a request: what the route takes and nothing else.
func (w Watchlist) wire() map[string]any {
	entries := make([]map[string]string, len(w.Entries))
	for i, e := range w.Entries {
		entries[i] = map[string]string{"symbol": e.Symbol}
		if e.InstrumentType != "" {
			entries[i]["instrument-type"] = string(e.InstrumentType)
		}
	}
	body := map[string]any{"name": w.Name, "watchlist-entries": entries}
	if w.GroupName != "" {
		body["group-name"] = w.GroupName
	}
	if w.OrderIndex != 0 {
		body["order-index"] = w.OrderIndex
	}
	return body
}

func (w Watchlist) check() error {
	if w.Name == "" {
		return invalid.Missing("Name", "the name of the watchlist")
	}
	for _, e := range w.Entries {
		if e.Symbol == "" {
			return invalid.Missing("Entries", "entries that each have a symbol")
		}
	}
	return nil
}

// PublicWatchlistsOptions say what to read of the public watchlists.
type PublicWatchlistsOptions struct {
	CountsOnly bool // names and counts, without the entries
}

// ListPublic returns the watchlists that the broker keeps for everyone.
//
// GET /public-watchlists
func (s *WatchlistsService) ListPublic(ctx context.Context, opts *PublicWatchlistsOptions) ([]Watchlist, error) {
	q := url.Values{}
	if opts != nil {
		flag(q, "counts-only", opts.CountsOnly)
	}
	out, _, err := many[Watchlist](ctx, s.client, get("/public-watchlists").with(q), watchlistCodec)
	return out, err
}

// GetPublic returns one public watchlist.
//
// GET /public-watchlists/{name}
func (s *WatchlistsService) GetPublic(ctx context.Context, name string) (*Watchlist, error) {
	return one[Watchlist](ctx, s.client, get("/public-watchlists/{name}", name), watchlistCodec)
}

// ListPairs returns the broker's lists of pairs.
//
// GET /pairs-watchlists
func (s *WatchlistsService) ListPairs(ctx context.Context) ([]PairsWatchlist, error) {
	out, _, err := many[PairsWatchlist](ctx, s.client, get("/pairs-watchlists"), pairsWatchlistCodec)
	return out, err
}

// GetPairs returns one list of pairs.
//
// GET /pairs-watchlists/{name}
func (s *WatchlistsService) GetPairs(ctx context.Context, name string) (*PairsWatchlist, error) {
	return one[PairsWatchlist](ctx, s.client, get("/pairs-watchlists/{name}", name), pairsWatchlistCodec)
}
