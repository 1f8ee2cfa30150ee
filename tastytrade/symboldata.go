package tastytrade

import (
	"context"
)

// A SymbolData is a result of a symbol search.
type SymbolData struct {
	Object
	Symbol          string         `json:"symbol" need:"true"`
	Description     string         `json:"description"`
	InstrumentType  InstrumentType `json:"instrument-type"`
	ListedMarket    string         `json:"listed-market"`
	Options         bool           `json:"options"` // has options
	PriceIncrements string         `json:"price-increments"`
	TradingHours    string         `json:"trading-hours"`
	Autocomplete    string         `json:"autocomplete"`
	ETF             bool           `json:"etf"`
}

var symbolDataCodec = codecFor[SymbolData]()

// UnmarshalJSON keeps the JSON; see [Object].
func (s *SymbolData) UnmarshalJSON(data []byte) error { return symbolDataCodec.unmarshal(data, s) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (s SymbolData) MarshalJSON() ([]byte, error) { return symbolDataCodec.marshal(s) }

// SymbolsService finds symbols.
type SymbolsService struct{ client *Client }

// Search returns instruments whose symbol starts with a text.
//
// GET /symbols/search/{prefix}
func (s *SymbolsService) Search(ctx context.Context, prefix string) ([]SymbolData, error) {
	out, _, err := many[SymbolData](ctx, s.client, get("/symbols/search/{prefix}", prefix), symbolDataCodec)
	return out, err
}
