package tastytrade

import (
	"context"
	"iter"
	"time"

	"github.com/shopspring/decimal"
)

// A FutureOption is one option on a future.
type FutureOption struct {
	Object
	Symbol               string               `json:"symbol" need:"true"` // "./ESZ6 EW3U6 260918P9100"
	StreamerSymbol       string               `json:"streamer-symbol"`    // "./EW3U26P9100:XCME"; may be absent
	ExchangeSymbol       string               `json:"exchange-symbol"`    // "EW3U6 P9100"
	UnderlyingSymbol     string               `json:"underlying-symbol"`  // of the future: "/ESZ6"
	RootSymbol           string               `json:"root-symbol"`        // "/ES"
	OptionRootSymbol     string               `json:"option-root-symbol"` // "EW3"
	ProductCode          string               `json:"product-code"`
	Exchange             string               `json:"exchange"`
	SecurityExchange     string               `json:"security-exchange"`
	SecurityID           ID                   `json:"security-id"`
	SXID                 ID                   `json:"sx-id"`
	OptionType           OptionType           `json:"option-type"`
	StrikePrice          *decimal.Decimal     `json:"strike-price"`
	ExerciseStyle        ExerciseStyle        `json:"exercise-style"`
	SettlementType       SettlementType       `json:"settlement-type"` // "Future": into the contract
	Multiplier           *decimal.Decimal     `json:"multiplier"`
	NotionalValue        *decimal.Decimal     `json:"notional-value"`
	DisplayFactor        *decimal.Decimal     `json:"display-factor"`
	StrikeFactor         *decimal.Decimal     `json:"strike-factor"`
	FuturePriceRatio     *decimal.Decimal     `json:"future-price-ratio"`
	UnderlyingCount      *decimal.Decimal     `json:"underlying-count"`
	Active               bool                 `json:"active"`
	IsClosingOnly        bool                 `json:"is-closing-only"`
	IsConfirmed          bool                 `json:"is-confirmed"`
	IsExercisableWeekly  bool                 `json:"is-exercisable-weekly"`
	IsPrimaryDeliverable bool                 `json:"is-primary-deliverable"`
	IsVanilla            bool                 `json:"is-vanilla"`
	DaysToExpiration     *int                 `json:"days-to-expiration"`
	ExpirationDate       Date                 `json:"expiration-date"`
	MaturityDate         Date                 `json:"maturity-date"`
	LastTradeTime        time.Time            `json:"last-trade-time"` // zero: none
	StopsTradingAt       time.Time            `json:"stops-trading-at"`
	ExpiresAt            time.Time            `json:"expires-at"`
	Product              *FutureOptionProduct `json:"future-option-product"`
}

var futureOptionCodec = codecFor[FutureOption]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FutureOption) UnmarshalJSON(data []byte) error { return futureOptionCodec.unmarshal(data, f) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FutureOption) MarshalJSON() ([]byte, error) { return futureOptionCodec.marshal(f) }

// A FutureOptionProduct is what the options of one root have in common.
type FutureOptionProduct struct {
	Object
	Code                    string              `json:"code"`
	RootSymbol              string              `json:"root-symbol"`
	Exchange                string              `json:"exchange"`
	ProductType             string              `json:"product-type"`
	ProductSubtype          string              `json:"product-subtype"`
	MarketSector            string              `json:"market-sector"`
	ExpirationType          ExpirationType      `json:"expiration-type"`
	ITMRule                 string              `json:"itm-rule"`
	ClearingCode            string              `json:"clearing-code"`
	ClearingExchangeCode    string              `json:"clearing-exchange-code"`
	ClearportCode           string              `json:"clearport-code"`
	LegacyCode              string              `json:"legacy-code"`
	LegacyExchangeCode      string              `json:"legacy-exchange-code"`
	ClearingPriceMultiplier *decimal.Decimal    `json:"clearing-price-multiplier"`
	DisplayFactor           *decimal.Decimal    `json:"display-factor"`
	SettlementDelayDays     *int                `json:"settlement-delay-days"`
	Supported               bool                `json:"supported"`
	CashSettled             bool                `json:"cash-settled"`
	IsAMSettled             bool                `json:"is-am-settled"`
	IsRollover              bool                `json:"is-rollover"`
	TradingCutoffTimes      []TradingCutoffTime `json:"futures-trading-cutoff-times"`
	FutureProduct           *FutureProduct      `json:"future-product"`
}

var futureOptionProductCodec = codecFor[FutureOptionProduct]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FutureOptionProduct) UnmarshalJSON(data []byte) error {
	return futureOptionProductCodec.unmarshal(data, f)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FutureOptionProduct) MarshalJSON() ([]byte, error) {
	return futureOptionProductCodec.marshal(f)
}

// FutureOption describes one option on a future.
//
// GET /instruments/future-options/{symbol}
func (s *InstrumentsService) FutureOption(ctx context.Context, symbol string) (*FutureOption, error) {
	return one[FutureOption](ctx, s.client, get("/instruments/future-options/{symbol}", symbol), futureOptionCodec)
}

// FutureOptionProducts returns one page of products of options on futures.
//
// GET /instruments/future-option-products
func (s *InstrumentsService) FutureOptionProducts(ctx context.Context, opts *PageOptions) (*Page[FutureOptionProduct], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	return paged[FutureOptionProduct](ctx, s.client, get("/instruments/future-option-products").with(q), futureOptionProductCodec)
}

// AllFutureOptionProducts is FutureOptionProducts for as many pages as the loop needs.
//
// GET /instruments/future-option-products
func (s *InstrumentsService) AllFutureOptionProducts(ctx context.Context, opts *PageOptions) iter.Seq2[FutureOptionProduct, error] {
	var o PageOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[FutureOptionProduct], error) {
		return s.FutureOptionProducts(ctx, &PageOptions{PerPage: o.PerPage, PageOffset: offset})
	}, o.PageOffset)
}

// FutureOptionProduct describes one product by its root, such as "EW3". Roots
// of two exchanges can be equal: FutureOptionProductAt names the exchange too.
//
// GET /instruments/future-option-products/{root}
func (s *InstrumentsService) FutureOptionProduct(ctx context.Context, root string) (*FutureOptionProduct, error) {
	return one[FutureOptionProduct](ctx, s.client, get("/instruments/future-option-products/{root}", root), futureOptionProductCodec)
}

// FutureOptionProductAt describes one product by its exchange, such as "CME",
// and root.
//
// GET /instruments/future-option-products/{exchange}/{root}
func (s *InstrumentsService) FutureOptionProductAt(ctx context.Context, exchange, root string) (*FutureOptionProduct, error) {
	return one[FutureOptionProduct](ctx, s.client, get("/instruments/future-option-products/{exchange}/{root}", exchange, root), futureOptionProductCodec)
}
