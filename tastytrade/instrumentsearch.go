package tastytrade

import (
	"context"
	"log/slog"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A SearchedInstrument is a result of an instrument search.
type SearchedInstrument struct {
	Object
	Symbol                 string         `json:"symbol" need:"true"`
	Description            string         `json:"description"`
	InstrumentType         InstrumentType `json:"instrument-type"`
	Exchange               string         `json:"exchange"`
	Category               string         `json:"category"` // of an event contract
	ExternalID             string         `json:"external-id"`
	EventProductExternalID string         `json:"event-product-external-id"`
	UnderlyingProduct      string         `json:"underlying-product"`
	UnderlyingProductType  string         `json:"underlying-product-type"`
	StopsTradingAt         time.Time      `json:"stops-trading-at"`
}

var searchedInstrumentCodec = codecFor[SearchedInstrument]()

// UnmarshalJSON keeps the JSON; see [Object].
func (s *SearchedInstrument) UnmarshalJSON(data []byte) error {
	return searchedInstrumentCodec.unmarshal(data, s)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (s SearchedInstrument) MarshalJSON() ([]byte, error) { return searchedInstrumentCodec.marshal(s) }

// InstrumentSearch says what to look for. The zero value is anything.
type InstrumentSearch struct {
	Query      string
	Types      []InstrumentType
	Categories []string
	Exchanges  []string
	FromDate   Date // also what stopped trading, from this day on
	Limit      int  // 1 to 100; 0: the broker's 25
}

// Search finds instruments by text, type and exchange.
//
// GET /instruments/search
func (s *InstrumentsService) Search(ctx context.Context, search InstrumentSearch) ([]SearchedInstrument, error) {
	if search.Limit < 0 || search.Limit > 100 {
		return nil, invalid.Field("limit", search.Limit, "0 to 100")
	}
	q := url.Values{}
	set(q, "query", search.Query)
	types := make([]string, len(search.Types))
	for i, t := range search.Types {
		types[i] = string(t)
	}
	set(q, "type", strings.Join(types, ",")) // commas here, where other routes repeat the parameter
	set(q, "category", strings.Join(search.Categories, ","))
	set(q, "exchange", strings.Join(search.Exchanges, ","))
	set(q, "from-date", search.FromDate.String())
	if search.Limit > 0 {
		q.Set("limit", strconv.Itoa(search.Limit))
	}
	out, _, err := many[SearchedInstrument](ctx, s.client, get("/instruments/search").with(q), searchedInstrumentCodec)
	return out, err
}

// A QuantityDecimalPrecision says how finely quantities can be given, for a
// type of instruments or for one of them.
type QuantityDecimalPrecision struct {
	Object
	InstrumentType            InstrumentType `json:"instrument-type"`
	Symbol                    string         `json:"symbol"` // empty: all of the type
	Value                     *int           `json:"value"`  // decimal places
	MinimumIncrementPrecision *int           `json:"minimum-increment-precision"`
}

var quantityDecimalPrecisionCodec = codecFor[QuantityDecimalPrecision]()

// UnmarshalJSON keeps the JSON; see [Object].
func (q *QuantityDecimalPrecision) UnmarshalJSON(data []byte) error {
	return quantityDecimalPrecisionCodec.unmarshal(data, q)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (q QuantityDecimalPrecision) MarshalJSON() ([]byte, error) {
	return quantityDecimalPrecisionCodec.marshal(q)
}

// QuantityDecimalPrecisions returns how finely quantities can be given.
//
// GET /instruments/quantity-decimal-precisions
func (s *InstrumentsService) QuantityDecimalPrecisions(ctx context.Context) ([]QuantityDecimalPrecision, error) {
	out, _, err := many[QuantityDecimalPrecision](ctx, s.client, get("/instruments/quantity-decimal-precisions"), quantityDecimalPrecisionCodec)
	return out, err
}

// An AISearchToken opens the broker's AI search. The token is a secret; String
// does not show it.
type AISearchToken struct {
	Object
	Token     string    `json:"token"`
	URL       string    `json:"url"`
	ExpiresAt time.Time `json:"expires-at"`
}

var aiSearchTokenCodec = codecFor[AISearchToken]()

// UnmarshalJSON keeps the JSON; see [Object].
func (a *AISearchToken) UnmarshalJSON(data []byte) error {
	return aiSearchTokenCodec.unmarshal(data, a)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (a AISearchToken) MarshalJSON() ([]byte, error) { return aiSearchTokenCodec.marshal(a) }

// String hides the token.
func (a AISearchToken) String() string { return "AISearchToken{" + redacted + "}" }

// GoString hides the token.
func (a AISearchToken) GoString() string { return a.String() }

// LogValue hides the token.
func (a AISearchToken) LogValue() slog.Value { return slog.StringValue(a.String()) }

// AISearchToken makes a token for the broker's AI search. Only the newest
// documentation has this route, and not the shape of its answer: what is not
// among the fields is in Raw.
//
// POST /instruments/ai-search-token
func (s *InstrumentsService) AISearchToken(ctx context.Context) (*AISearchToken, error) {
	return one[AISearchToken](ctx, s.client, post("/instruments/ai-search-token"), aiSearchTokenCodec)
}
