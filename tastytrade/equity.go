package tastytrade

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/shopspring/decimal"
)

// A TickSize is a price increment. It holds for prices below Threshold; the one
// without a threshold holds for the rest.
type TickSize struct {
	Object
	Value     *decimal.Decimal `json:"value"`
	Threshold *decimal.Decimal `json:"threshold"`
	Symbol    string           `json:"symbol"` // of a spread tick: the other instrument
}

var tickSizeCodec = codecFor[TickSize]()

// UnmarshalJSON keeps the JSON; see [Object].
func (t *TickSize) UnmarshalJSON(data []byte) error { return tickSizeCodec.unmarshal(data, t) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (t TickSize) MarshalJSON() ([]byte, error) { return tickSizeCodec.marshal(t) }

// An Equity is a share, an ETF or an index.
type Equity struct {
	Object
	Symbol                         string               `json:"symbol" need:"true"`
	InstrumentType                 InstrumentType       `json:"instrument-type"`
	Description                    string               `json:"description"`
	ShortDescription               string               `json:"short-description"`
	StreamerSymbol                 string               `json:"streamer-symbol"`
	ListedMarket                   string               `json:"listed-market"` // "XNAS", "ARCX" …
	ID                             ID                   `json:"id"`
	CUSIP                          string               `json:"cusip"`
	Active                         bool                 `json:"active"`
	IsETF                          bool                 `json:"is-etf"`
	IsIndex                        bool                 `json:"is-index"`
	IsClosingOnly                  bool                 `json:"is-closing-only"`
	IsOptionsClosingOnly           bool                 `json:"is-options-closing-only"`
	IsFractionalQuantityEligible   bool                 `json:"is-fractional-quantity-eligible"`
	IsIlliquid                     bool                 `json:"is-illiquid"`
	IsFraudRisk                    bool                 `json:"is-fraud-risk"`
	BypassManualReview             bool                 `json:"bypass-manual-review"`
	OvernightTradingPermitted      bool                 `json:"overnight-trading-permitted"`
	Lendability                    string               `json:"lendability"` // "Easy To Borrow", "Locate Required", "Preborrow"
	BorrowRate                     *decimal.Decimal     `json:"borrow-rate"`
	CountryOfIncorporation         string               `json:"country-of-incorporation"`
	CountryOfTaxation              string               `json:"country-of-taxation"`
	InstrumentSubType              string               `json:"instrument-sub-type"`
	UnderlyingProductType          string               `json:"underlying-product-type"`
	MarketTimeInstrumentCollection InstrumentCollection `json:"market-time-instrument-collection"`
	HaltedAt                       time.Time            `json:"halted-at"`
	StopsTradingAt                 time.Time            `json:"stops-trading-at"`
	TickSizes                      []TickSize           `json:"tick-sizes"`
	OptionTickSizes                []TickSize           `json:"option-tick-sizes"` // of its options; empty when it has none
}

var equityCodec = codecFor[Equity]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *Equity) UnmarshalJSON(data []byte) error { return equityCodec.unmarshal(data, e) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e Equity) MarshalJSON() ([]byte, error) { return equityCodec.marshal(e) }

// InstrumentsService describes instruments.
type InstrumentsService struct{ client *Client }

// EquitiesOptions narrow a list of equities. The zero value is all of them,
// about 25,000.
type EquitiesOptions struct {
	Symbols     []string
	ETF, Index  *bool  // nil: either
	Lendability string // "Easy To Borrow", "Locate Required", "Preborrow"
	PerPage     int    // 0: the broker's 1000
	PageOffset  int    // index of the page
}

// Equities returns one page of shares, ETFs and indexes. Symbols that do not
// exist are left out.
//
// GET /instruments/equities
func (s *InstrumentsService) Equities(ctx context.Context, opts *EquitiesOptions) (*Page[Equity], error) {
	q := url.Values{}
	if opts != nil {
		list(q, "symbol", opts.Symbols)
		set(q, "lendability", opts.Lendability)
		either(q, "is-etf", opts.ETF)
		either(q, "is-index", opts.Index)
		if err := paging(q, opts.PerPage, opts.PageOffset, 0); err != nil {
			return nil, err
		}
	}
	return paged[Equity](ctx, s.client, get("/instruments/equities").with(q), equityCodec)
}

// AllEquities is Equities for as many pages as the loop needs.
//
// GET /instruments/equities
func (s *InstrumentsService) AllEquities(ctx context.Context, opts *EquitiesOptions) iter.Seq2[Equity, error] {
	var o EquitiesOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[Equity], error) {
		o := o
		o.PageOffset = offset
		return s.Equities(ctx, &o)
	}, o.PageOffset)
}

// ActiveEquitiesOptions narrow a list of active equities. The zero value is all
// of them.
type ActiveEquitiesOptions struct {
	Lendability string // "Easy To Borrow", "Locate Required", "Preborrow"
	PerPage     int    // 0: the broker's 1000
	PageOffset  int    // index of the page
}

// ActiveEquities returns one page of the shares, ETFs and indexes that trade.
//
// GET /instruments/equities/active
func (s *InstrumentsService) ActiveEquities(ctx context.Context, opts *ActiveEquitiesOptions) (*Page[Equity], error) {
	q := url.Values{}
	if opts != nil {
		set(q, "lendability", opts.Lendability)
		if err := paging(q, opts.PerPage, opts.PageOffset, 0); err != nil {
			return nil, err
		}
	}
	return paged[Equity](ctx, s.client, get("/instruments/equities/active").with(q), equityCodec)
}

// AllActiveEquities is ActiveEquities for as many pages as the loop needs.
//
// GET /instruments/equities/active
func (s *InstrumentsService) AllActiveEquities(ctx context.Context, opts *ActiveEquitiesOptions) iter.Seq2[Equity, error] {
	var o ActiveEquitiesOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[Equity], error) {
		o := o
		o.PageOffset = offset
		return s.ActiveEquities(ctx, &o)
	}, o.PageOffset)
}

// Equity describes one share, ETF or index.
//
// GET /instruments/equities/{symbol}
func (s *InstrumentsService) Equity(ctx context.Context, symbol string) (*Equity, error) {
	return one[Equity](ctx, s.client, get("/instruments/equities/{symbol}", symbol), equityCodec)
}
