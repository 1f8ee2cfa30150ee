package tastytrade

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
	"time"

	"github.com/shopspring/decimal"
)

// A Future is one contract of a [FutureProduct].
type Future struct {
	Object
	Symbol                       string               `json:"symbol" need:"true"` // "/ESU6"
	StreamerSymbol               string               `json:"streamer-symbol"`    // "/ESU26:XCME"; may be absent
	StreamerExchangeCode         string               `json:"streamer-exchange-code"`
	ExchangeSymbol               string               `json:"exchange-symbol"`
	ProductCode                  string               `json:"product-code"` // "ES"
	ProductGroup                 string               `json:"product-group"`
	Exchange                     string               `json:"exchange"`
	SecurityID                   ID                   `json:"security-id"`
	TrueUnderlyingSymbol         string               `json:"true-underlying-symbol"`
	RollTargetSymbol             string               `json:"roll-target-symbol"` // the contract to roll into
	Active                       bool                 `json:"active"`
	ActiveMonth                  bool                 `json:"active-month"`      // the most traded month
	NextActiveMonth              bool                 `json:"next-active-month"` // the one after it
	IsTradeable                  bool                 `json:"is-tradeable"`
	IsClosingOnly                bool                 `json:"is-closing-only"`
	BackMonthFirstCalendarSymbol bool                 `json:"back-month-first-calendar-symbol"`
	ContractSize                 *decimal.Decimal     `json:"contract-size"`
	NotionalMultiplier           *decimal.Decimal     `json:"notional-multiplier"` // dollars per point
	DisplayFactor                *decimal.Decimal     `json:"display-factor"`
	MainFraction                 *decimal.Decimal     `json:"main-fraction"`
	SubFraction                  *decimal.Decimal     `json:"sub-fraction"`
	TickSize                     *decimal.Decimal     `json:"tick-size"`
	TickSizes                    []TickSize           `json:"tick-sizes"`
	OptionTickSizes              []TickSize           `json:"option-tick-sizes"`
	SpreadTickSizes              []TickSize           `json:"spread-tick-sizes"` // each with the other contract's symbol
	FirstNoticeDate              Date                 `json:"first-notice-date"` // from here on a delivery can be assigned
	LastTradeDate                Date                 `json:"last-trade-date"`
	ClosingOnlyDate              Date                 `json:"closing-only-date"`
	ExpirationDate               Date                 `json:"expiration-date"`
	StopsTradingAt               time.Time            `json:"stops-trading-at"`
	ExpiresAt                    time.Time            `json:"expires-at"`
	Product                      *FutureProduct       `json:"future-product"`
	ETFEquivalent                *FutureETFEquivalent `json:"future-etf-equivalent"`
	ExchangeData                 json.RawMessage      `json:"exchange-data"` // as the broker sends it
}

var futureCodec = codecFor[Future]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *Future) UnmarshalJSON(data []byte) error { return futureCodec.unmarshal(data, f) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f Future) MarshalJSON() ([]byte, error) { return futureCodec.marshal(f) }

// A FutureETFEquivalent is the share that moves like a future.
type FutureETFEquivalent struct {
	Object
	Symbol        string `json:"symbol"`
	ShareQuantity *int   `json:"share-quantity"` // shares per contract
}

var futureETFEquivalentCodec = codecFor[FutureETFEquivalent]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FutureETFEquivalent) UnmarshalJSON(data []byte) error {
	return futureETFEquivalentCodec.unmarshal(data, f)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FutureETFEquivalent) MarshalJSON() ([]byte, error) {
	return futureETFEquivalentCodec.marshal(f)
}

// A FutureProduct is what the futures of one root have in common.
type FutureProduct struct {
	Object
	Code                         string                `json:"code" need:"true"` // "ES"
	RootSymbol                   string                `json:"root-symbol"`      // "/ES"
	Description                  string                `json:"description"`
	Exchange                     string                `json:"exchange"` // "CME", "CFE", "SMALLS", "CBOED"
	StreamerExchangeCode         string                `json:"streamer-exchange-code"`
	ProductType                  string                `json:"product-type"` // "Financial" or "Physical"
	ProductSubtype               string                `json:"product-subtype"`
	MarketSector                 string                `json:"market-sector"`
	SecurityGroup                string                `json:"security-group"`
	SecurityExchange             string                `json:"security-exchange"`
	ClearingCode                 string                `json:"clearing-code"`
	ClearingExchangeCode         string                `json:"clearing-exchange-code"`
	ClearportCode                string                `json:"clearport-code"`
	LegacyCode                   string                `json:"legacy-code"`
	LegacyExchangeCode           string                `json:"legacy-exchange-code"`
	TrueUnderlyingCode           string                `json:"true-underlying-code"`
	UnderlyingIdentifier         string                `json:"underlying-identifier"`
	UnderlyingDescription        string                `json:"underlying-description"`
	PriceFormat                  string                `json:"price-format"`
	ListedMonths                 []string              `json:"listed-months"` // month codes, "H"
	ActiveMonths                 []string              `json:"active-months"` // month codes
	Supported                    bool                  `json:"supported"`
	SmallNotional                bool                  `json:"small-notional"`
	CashSettled                  bool                  `json:"cash-settled"`
	FirstNotice                  bool                  `json:"first-notice"`
	BackMonthFirstCalendarSymbol bool                  `json:"back-month-first-calendar-symbol"`
	ContractLimit                *int                  `json:"contract-limit"` // of one order; nil when the broker does not say
	BaseTick                     *int                  `json:"base-tick"`      // parts of a point, 32 for bonds; nil or 0: decimals
	SubTick                      *int                  `json:"sub-tick"`       // parts of a base tick
	NotionalMultiplier           *decimal.Decimal      `json:"notional-multiplier"`
	DisplayFactor                *decimal.Decimal      `json:"display-factor"`
	TickSize                     *decimal.Decimal      `json:"tick-size"`
	Roll                         *FutureRoll           `json:"roll"`
	TradingCutoffTimes           []TradingCutoffTime   `json:"futures-trading-cutoff-times"`
	OptionProducts               []FutureOptionProduct `json:"option-products"`
}

var futureProductCodec = codecFor[FutureProduct]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FutureProduct) UnmarshalJSON(data []byte) error {
	return futureProductCodec.unmarshal(data, f)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FutureProduct) MarshalJSON() ([]byte, error) { return futureProductCodec.marshal(f) }

// A FutureRoll says when the active month of a product changes.
type FutureRoll struct {
	Object
	Name               string `json:"name"`
	ActiveCount        *int   `json:"active-count"`
	BusinessDaysOffset *int   `json:"business-days-offset"` // before the first notice or the expiration
	CashSettled        bool   `json:"cash-settled"`
	FirstNotice        bool   `json:"first-notice"`
}

var futureRollCodec = codecFor[FutureRoll]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FutureRoll) UnmarshalJSON(data []byte) error { return futureRollCodec.unmarshal(data, f) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FutureRoll) MarshalJSON() ([]byte, error) { return futureRollCodec.marshal(f) }

// A TradingCutoffTime is when a contract stops trading on its last day.
type TradingCutoffTime struct {
	Object
	OffsetSeconds *int   `json:"offset-seconds"` // after midnight
	Timezone      string `json:"timezone"`       // "Market Zone", "London Zone"
	Timing        string `json:"timing"`         // "Default", "Quarterly"
}

var tradingCutoffTimeCodec = codecFor[TradingCutoffTime]()

// UnmarshalJSON keeps the JSON; see [Object].
func (t *TradingCutoffTime) UnmarshalJSON(data []byte) error {
	return tradingCutoffTimeCodec.unmarshal(data, t)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (t TradingCutoffTime) MarshalJSON() ([]byte, error) { return tradingCutoffTimeCodec.marshal(t) }

// FuturesOptions narrow a list of futures. The zero value is all active ones.
type FuturesOptions struct {
	Symbols      []string
	ProductCodes []string // "ES"; ignored by the broker beside Symbols
	Exchange     string   // only to tell equal SecurityIDs apart
	SecurityIDs  []string
	OnlyActive   *bool // nil: true, as the broker has it
	PerPage      int   // 0: the broker's 1000, which is also the most
	PageOffset   int   // index of the page
}

// Futures returns one page of futures. Symbols that do not exist are left out.
//
// GET /instruments/futures
func (s *InstrumentsService) Futures(ctx context.Context, opts *FuturesOptions) (*Page[Future], error) {
	q := url.Values{}
	if opts != nil {
		list(q, "symbol", opts.Symbols)
		list(q, "product-code", opts.ProductCodes)
		list(q, "security-id", opts.SecurityIDs)
		set(q, "exchange", opts.Exchange)
		either(q, "only-active-futures", opts.OnlyActive)
		if err := paging(q, opts.PerPage, opts.PageOffset, 1000); err != nil {
			return nil, err
		}
	}
	return paged[Future](ctx, s.client, get("/instruments/futures").with(q), futureCodec)
}

// AllFutures is Futures for as many pages as the loop needs.
//
// GET /instruments/futures
func (s *InstrumentsService) AllFutures(ctx context.Context, opts *FuturesOptions) iter.Seq2[Future, error] {
	var o FuturesOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[Future], error) {
		o := o
		o.PageOffset = offset
		return s.Futures(ctx, &o)
	}, o.PageOffset)
}

// Future describes one future, such as "/ESU6".
//
// GET /instruments/futures/{symbol}
func (s *InstrumentsService) Future(ctx context.Context, symbol string) (*Future, error) {
	return one[Future](ctx, s.client, get("/instruments/futures/{symbol}", symbol), futureCodec)
}

// FutureProducts returns one page of products, with the options on them.
//
// GET /instruments/future-products
func (s *InstrumentsService) FutureProducts(ctx context.Context, opts *PageOptions) (*Page[FutureProduct], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	return paged[FutureProduct](ctx, s.client, get("/instruments/future-products").with(q), futureProductCodec)
}

// AllFutureProducts is FutureProducts for as many pages as the loop needs.
//
// GET /instruments/future-products
func (s *InstrumentsService) AllFutureProducts(ctx context.Context, opts *PageOptions) iter.Seq2[FutureProduct, error] {
	var o PageOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[FutureProduct], error) {
		return s.FutureProducts(ctx, &PageOptions{PerPage: o.PerPage, PageOffset: offset})
	}, o.PageOffset)
}

// FutureProduct describes one product by its exchange, such as "CME", and code,
// such as "ES".
//
// GET /instruments/future-products/{exchange}/{code}
func (s *InstrumentsService) FutureProduct(ctx context.Context, exchange, code string) (*FutureProduct, error) {
	return one[FutureProduct](ctx, s.client, get("/instruments/future-products/{exchange}/{code}", exchange, code), futureProductCodec)
}
