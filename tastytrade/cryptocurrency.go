package tastytrade

import (
	"context"
	"net/url"

	"github.com/shopspring/decimal"
)

// A Cryptocurrency is a pair of a coin and the dollar.
type Cryptocurrency struct {
	Object
	Symbol                  string                   `json:"symbol" need:"true"` // "BTC/USD"
	StreamerSymbol          string                   `json:"streamer-symbol"`    // "BTC/USD:CXTALP"
	ID                      ID                       `json:"id"`
	InstrumentType          InstrumentType           `json:"instrument-type"`
	Description             string                   `json:"description"`
	ShortDescription        string                   `json:"short-description"`
	Active                  bool                     `json:"active"`
	IsClosingOnly           bool                     `json:"is-closing-only"`
	TickSize                *decimal.Decimal         `json:"tick-size"`
	DestinationVenueSymbols []DestinationVenueSymbol `json:"destination-venue-symbols"`
}

var cryptocurrencyCodec = codecFor[Cryptocurrency]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *Cryptocurrency) UnmarshalJSON(data []byte) error {
	return cryptocurrencyCodec.unmarshal(data, c)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c Cryptocurrency) MarshalJSON() ([]byte, error) { return cryptocurrencyCodec.marshal(c) }

// A DestinationVenueSymbol is a coin's name at a venue, and how finely it can
// be traded there.
type DestinationVenueSymbol struct {
	Object
	ID                   ID     `json:"id"`
	Symbol               string `json:"symbol"`
	DestinationVenue     string `json:"destination-venue"`
	MaxPricePrecision    *int   `json:"max-price-precision"`    // decimal places
	MaxQuantityPrecision *int   `json:"max-quantity-precision"` // decimal places
	Routable             bool   `json:"routable"`
}

var destinationVenueSymbolCodec = codecFor[DestinationVenueSymbol]()

// UnmarshalJSON keeps the JSON; see [Object].
func (d *DestinationVenueSymbol) UnmarshalJSON(data []byte) error {
	return destinationVenueSymbolCodec.unmarshal(data, d)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (d DestinationVenueSymbol) MarshalJSON() ([]byte, error) {
	return destinationVenueSymbolCodec.marshal(d)
}

// Cryptocurrencies describes coins; none named means all.
//
// GET /instruments/cryptocurrencies
func (s *InstrumentsService) Cryptocurrencies(ctx context.Context, symbols ...string) ([]Cryptocurrency, error) {
	q := url.Values{}
	list(q, "symbol", symbols)
	out, _, err := many[Cryptocurrency](ctx, s.client, get("/instruments/cryptocurrencies").with(q), cryptocurrencyCodec)
	return out, err
}

// Cryptocurrency describes one coin, such as "BTC/USD".
//
// GET /instruments/cryptocurrencies/{symbol}
func (s *InstrumentsService) Cryptocurrency(ctx context.Context, symbol string) (*Cryptocurrency, error) {
	return one[Cryptocurrency](ctx, s.client, get("/instruments/cryptocurrencies/{symbol}", symbol), cryptocurrencyCodec)
}
