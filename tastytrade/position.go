package tastytrade

import (
	"context"
	"net/url"
	"time"

	"github.com/shopspring/decimal"
)

// A Position is a holding of one instrument.
type Position struct {
	Object
	AccountNumber    AccountNumber  `json:"account-number" need:"true"`
	Symbol           string         `json:"symbol" need:"true"`
	InstrumentType   InstrumentType `json:"instrument-type"`
	UnderlyingSymbol string         `json:"underlying-symbol"`
	StreamerSymbol   string         `json:"streamer-symbol"` // empty when the broker knows none
	// Quantity is a magnitude; see SignedQuantity. It can be fractional.
	Quantity           decimal.Decimal  `json:"quantity" need:"true"`
	QuantityDirection  Direction        `json:"quantity-direction" need:"true"`
	RestrictedQuantity *decimal.Decimal `json:"restricted-quantity"`
	Multiplier         *decimal.Decimal `json:"multiplier"` // 1 for shares, 100 for standard options

	// Prices per unit, positive for short positions too.
	AverageOpenPrice              *decimal.Decimal `json:"average-open-price"`
	ClosePrice                    *decimal.Decimal `json:"close-price"` // the previous close
	AverageDailyMarketClosePrice  *decimal.Decimal `json:"average-daily-market-close-price"`
	AverageYearlyMarketClosePrice *decimal.Decimal `json:"average-yearly-market-close-price"`
	MarkPrice                     *decimal.Decimal `json:"mark-price"` // only with IncludeMarks
	FixingPrice                   *decimal.Decimal `json:"fixing-price"`
	// Mark is the value of the whole position, only with IncludeMarks.
	Mark       *decimal.Decimal `json:"mark"`
	CostEffect Effect           `json:"cost-effect"` // whether opening it paid or received

	// Realised profits, signed, and the day they belong to.
	RealizedDayGain     *decimal.Decimal `json:"realized-day-gain" sign:"realized-day-gain-effect"`
	RealizedDayGainDate Date             `json:"realized-day-gain-date"`
	RealizedToday       *decimal.Decimal `json:"realized-today" sign:"realized-today-effect"`
	RealizedTodayDate   Date             `json:"realized-today-date"`

	DeliverableType string           `json:"deliverable-type"`
	FaceValue       *decimal.Decimal `json:"face-value"`
	ParSize         *decimal.Decimal `json:"par-size"`
	IsFrozen        bool             `json:"is-frozen"`
	IsSuppressed    bool             `json:"is-suppressed"`
	OrderID         ID               `json:"order-id"`
	UpdateType      string           `json:"update-type"`
	ExpiresAt       time.Time        `json:"expires-at"` // zero for what does not expire
	CreatedAt       time.Time        `json:"created-at"`
	UpdatedAt       time.Time        `json:"updated-at"`
}

var positionCodec = codecFor[Position]()

// UnmarshalJSON keeps the JSON; see [Object].
func (p *Position) UnmarshalJSON(data []byte) error { return positionCodec.unmarshal(data, p) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (p Position) MarshalJSON() ([]byte, error) { return positionCodec.marshal(p) }

// SignedQuantity is the quantity, negative for a short position and zero for a
// closed one.
func (p Position) SignedQuantity() decimal.Decimal {
	switch p.QuantityDirection {
	case Short:
		return p.Quantity.Abs().Neg()
	case Zero:
		return decimal.Zero
	}
	return p.Quantity
}

// PositionsService reads what accounts hold.
type PositionsService struct{ client *Client }

// PositionsOptions narrow a list of positions. The zero value is all open ones.
type PositionsOptions struct {
	Symbol        string // one symbol
	Underlyings   []string
	Type          InstrumentType
	ProductCode   string   // of a future's product: "ES"
	PartitionKeys []string // of a partitioned account
	IncludeClosed bool     // also those closed today
	// IncludeMarks adds Mark and MarkPrice. The broker says that it is slower.
	IncludeMarks bool
	Net          bool // long and short of one symbol as one
}

// List returns the positions of an account.
//
// GET /accounts/{account}/positions
func (s *PositionsService) List(ctx context.Context, account AccountNumber, opts *PositionsOptions) ([]Position, error) {
	q := url.Values{}
	if opts != nil {
		set(q, "symbol", opts.Symbol)
		set(q, "instrument-type", string(opts.Type))
		set(q, "underlying-product-code", opts.ProductCode)
		flag(q, "include-closed-positions", opts.IncludeClosed)
		flag(q, "include-marks", opts.IncludeMarks)
		flag(q, "net-positions", opts.Net)
		list(q, "underlying-symbol", opts.Underlyings)
		list(q, "partition-keys", opts.PartitionKeys)
	}
	out, _, err := many[Position](ctx, s.client, get("/accounts/{account}/positions", string(account)).with(q), positionCodec)
	return out, err
}
