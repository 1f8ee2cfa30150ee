package tastytrade

import (
	"context"
	"net/url"
	"time"

	"github.com/shopspring/decimal"
)

// An OptionType says whether an option is a call or a put.
type OptionType string

// The option types.
const (
	OptionCall OptionType = "C"
	OptionPut  OptionType = "P"
)

// An ExerciseStyle says when an option can be exercised.
type ExerciseStyle string

// The exercise styles.
const (
	American ExerciseStyle = "American" // any time
	European ExerciseStyle = "European" // at the expiration
)

// An EquityOption is one option on a share, an ETF or an index.
type EquityOption struct {
	Object
	Symbol                         string               `json:"symbol" need:"true"` // OCC symbol
	StreamerSymbol                 string               `json:"streamer-symbol"`    // may be absent
	InstrumentType                 InstrumentType       `json:"instrument-type"`
	UnderlyingSymbol               string               `json:"underlying-symbol"`
	RootSymbol                     string               `json:"root-symbol"`
	OptionType                     OptionType           `json:"option-type"`
	StrikePrice                    *decimal.Decimal     `json:"strike-price"`
	ExpirationDate                 Date                 `json:"expiration-date"`
	ExpirationType                 ExpirationType       `json:"expiration-type"`
	DaysToExpiration               *int                 `json:"days-to-expiration"`
	ExerciseStyle                  ExerciseStyle        `json:"exercise-style"`
	SettlementType                 SettlementType       `json:"settlement-type"`
	OptionChainType                string               `json:"option-chain-type"` // "Standard" or "Non-Standard"
	SharesPerContract              *int                 `json:"shares-per-contract"`
	Active                         bool                 `json:"active"`
	IsClosingOnly                  bool                 `json:"is-closing-only"`
	ListedMarket                   string               `json:"listed-market"`
	MarketTimeInstrumentCollection InstrumentCollection `json:"market-time-instrument-collection"`
	OldSecurityNumber              string               `json:"old-security-number"`
	HaltedAt                       time.Time            `json:"halted-at"` // zero: not halted
	StopsTradingAt                 time.Time            `json:"stops-trading-at"`
	ExpiresAt                      time.Time            `json:"expires-at"`
}

var equityOptionCodec = codecFor[EquityOption]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *EquityOption) UnmarshalJSON(data []byte) error { return equityOptionCodec.unmarshal(data, e) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e EquityOption) MarshalJSON() ([]byte, error) { return equityOptionCodec.marshal(e) }

// EquityOptionOptions narrow the search for one option.
type EquityOptionOptions struct {
	Active *bool // nil: either
}

// EquityOption describes one option, by its OCC symbol.
//
// GET /instruments/equity-options/{symbol}
func (s *InstrumentsService) EquityOption(ctx context.Context, symbol string, opts *EquityOptionOptions) (*EquityOption, error) {
	q := url.Values{}
	if opts != nil {
		either(q, "active", opts.Active)
	}
	return one[EquityOption](ctx, s.client, get("/instruments/equity-options/{symbol}", symbol).with(q), equityOptionCodec)
}
