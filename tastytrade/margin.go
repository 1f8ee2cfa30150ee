package tastytrade

import (
	"context"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A MarginReport is what an account's positions require, in dollars and signed:
// a requirement is negative, equity and buying power are positive. Nil means
// that the broker did not say. The specification has no model of it; what is
// not among the fields is in Raw.
type MarginReport struct {
	Object
	AccountNumber          AccountNumber    `json:"account-number"`
	Description            string           `json:"description"`
	MarginCalculationType  string           `json:"margin-calculation-type"` // "Reg T", "Portfolio Margin" …
	OptionLevel            string           `json:"option-level"`
	MarginRequirement      *decimal.Decimal `json:"margin-requirement" sign:"margin-requirement-effect"`
	InitialRequirement     *decimal.Decimal `json:"initial-requirement" sign:"initial-requirement-effect"`
	MaintenanceRequirement *decimal.Decimal `json:"maintenance-requirement" sign:"maintenance-requirement-effect"`
	MaintenanceExcess      *decimal.Decimal `json:"maintenance-excess" sign:"maintenance-excess-effect"`
	MarginEquity           *decimal.Decimal `json:"margin-equity" sign:"margin-equity-effect"`
	OptionBuyingPower      *decimal.Decimal `json:"option-buying-power" sign:"option-buying-power-effect"`
	RegTMarginRequirement  *decimal.Decimal `json:"reg-t-margin-requirement" sign:"reg-t-margin-requirement-effect"`
	RegTOptionBuyingPower  *decimal.Decimal `json:"reg-t-option-buying-power" sign:"reg-t-option-buying-power-effect"`
	Groups                 []MarginGroup    `json:"groups"` // one per underlying
	LastStateTimestamp     time.Time        `json:"last-state-timestamp"`
}

var marginReportCodec = codecFor[MarginReport]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginReport) UnmarshalJSON(data []byte) error { return marginReportCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginReport) MarshalJSON() ([]byte, error) { return marginReportCodec.marshal(m) }

// A MarginGroup is what the positions of one underlying, or of one strategy
// within it, require.
type MarginGroup struct {
	Object
	Description                   string           `json:"description"`
	Code                          string           `json:"code"`
	UnderlyingSymbol              string           `json:"underlying-symbol"`
	UnderlyingType                InstrumentType   `json:"underlying-type"`
	MarginCalculationType         string           `json:"margin-calculation-type"`
	MarginRequirement             *decimal.Decimal `json:"margin-requirement" sign:"margin-requirement-effect"`
	InitialRequirement            *decimal.Decimal `json:"initial-requirement" sign:"initial-requirement-effect"`
	MaintenanceRequirement        *decimal.Decimal `json:"maintenance-requirement" sign:"maintenance-requirement-effect"`
	BuyingPower                   *decimal.Decimal `json:"buying-power" sign:"buying-power-effect"`
	IncludesWorkingOrder          bool             `json:"includes-working-order"`
	ExpectedPriceRangeUpPercent   *decimal.Decimal `json:"expected-price-range-up-percent"`
	ExpectedPriceRangeDownPercent *decimal.Decimal `json:"expected-price-range-down-percent"`
	PointOfNoReturnPercent        *decimal.Decimal `json:"point-of-no-return-percent"`
	PriceIncreasePercent          *decimal.Decimal `json:"price-increase-percent"`
	PriceDecreasePercent          *decimal.Decimal `json:"price-decrease-percent"`
	Groups                        []MarginGroup    `json:"groups"`
	PositionEntries               []MarginEntry    `json:"position-entries"`
}

var marginGroupCodec = codecFor[MarginGroup]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginGroup) UnmarshalJSON(data []byte) error { return marginGroupCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginGroup) MarshalJSON() ([]byte, error) { return marginGroupCodec.marshal(m) }

// A MarginEntry is a position as a margin calculation sees it.
type MarginEntry struct {
	Object
	InstrumentSymbol    string           `json:"instrument-symbol"`
	InstrumentType      InstrumentType   `json:"instrument-type"`
	Quantity            *decimal.Decimal `json:"quantity"`           // negative when short
	AverageOpenPrice    *decimal.Decimal `json:"average-open-price"` // some answers of margin dry runs have it
	ClosePrice          *decimal.Decimal `json:"close-price"`
	FixingPrice         *decimal.Decimal `json:"fixing-price"` // nil where the broker says "NaN"
	StrikePrice         *decimal.Decimal `json:"strike-price"`
	OptionType          OptionType       `json:"option-type"`
	DeliverableQuantity *decimal.Decimal `json:"deliverable-quantity"`
	ExpirationDate      Date             `json:"expiration-date"`
}

var marginEntryCodec = codecFor[MarginEntry]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginEntry) UnmarshalJSON(data []byte) error { return marginEntryCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginEntry) MarshalJSON() ([]byte, error) { return marginEntryCodec.marshal(m) }

// A MarginOrder is an order whose requirement is estimated. It is never placed.
type MarginOrder struct {
	UnderlyingSymbol string
	OrderType        OrderType
	TimeInForce      TimeInForce // GTD needs GTCDate
	GTCDate          Date
	// Price is signed: credit positive, debit negative. Nil for market orders.
	Price           *decimal.Decimal
	StopTrigger     *decimal.Decimal
	ReplacesOrderID ID // of the order that it would replace
	Legs            []MarginOrderLeg
}

// A MarginOrderLeg is one instrument of a [MarginOrder].
type MarginOrderLeg struct {
	Symbol            string
	InstrumentType    InstrumentType
	Action            OrderAction
	Quantity          decimal.Decimal
	RemainingQuantity *decimal.Decimal
}

// wire is the body of the request.
func (o MarginOrder) wire(account AccountNumber) map[string]any {
	body := map[string]any{
		"account-number": account, "underlying-symbol": o.UnderlyingSymbol,
		"order-type": o.OrderType, "time-in-force": o.TimeInForce,
	}
	if !o.GTCDate.IsZero() {
		body["gtc-date"] = o.GTCDate
	}
	if o.Price != nil {
		body["price"], body["price-effect"] = o.Price.Abs().String(), Credit
		if o.Price.IsNegative() {
			body["price-effect"] = Debit
		}
	}
	if o.StopTrigger != nil {
		body["stop-trigger"] = o.StopTrigger.String()
	}
	if o.ReplacesOrderID != "" {
		body["replaces-order-id"] = o.ReplacesOrderID
	}
	legs := make([]map[string]any, len(o.Legs))
	for i, leg := range o.Legs {
		legs[i] = map[string]any{
			"symbol": leg.Symbol, "instrument-type": leg.InstrumentType, "action": leg.Action, "quantity": leg.Quantity.String(),
		}
		if leg.RemainingQuantity != nil {
			legs[i]["remaining-quantity"] = leg.RemainingQuantity.String()
		}
	}
	body["legs"] = legs
	return body
}

func (o MarginOrder) check() error {
	for field, value := range map[string]string{"UnderlyingSymbol": o.UnderlyingSymbol, "OrderType": string(o.OrderType), "TimeInForce": string(o.TimeInForce)} {
		if value == "" {
			return invalid.Missing(field, "a value: the broker requires it")
		}
	}
	if n := len(o.Legs); n < 1 || n > 4 {
		return invalid.Field("Legs", n, "1 to 4 legs")
	}
	return nil
}

// A MarginEstimate is what an order would do to an account's margin and buying
// power. Amounts are dollars and signed.
type MarginEstimate struct {
	Object
	ChangeInMarginRequirement      *decimal.Decimal `json:"change-in-margin-requirement" sign:"change-in-margin-requirement-effect"`
	ChangeInBuyingPower            *decimal.Decimal `json:"change-in-buying-power" sign:"change-in-buying-power-effect"`
	CurrentBuyingPower             *decimal.Decimal `json:"current-buying-power" sign:"current-buying-power-effect"`
	NewBuyingPower                 *decimal.Decimal `json:"new-buying-power" sign:"new-buying-power-effect"`
	IsolatedOrderMarginRequirement *decimal.Decimal `json:"isolated-order-margin-requirement" sign:"isolated-order-margin-requirement-effect"`
	IsolatedOrderBuyingPower       *decimal.Decimal `json:"isolated-order-buying-power-effect" sign:"isolated-order-buying-power-effect-effect"`
	IsSpread                       bool             `json:"is-spread"`
	OrderIDs                       []ID             `json:"order-ids"`
	Orders                         []Order          `json:"orders"`
	LastResults                    *MarginResult    `json:"last-results"`
	BaseResults                    *MarginResult    `json:"base-results"`
	NewOrderResults                *MarginResult    `json:"new-order-results"`
}

var marginEstimateCodec = codecFor[MarginEstimate]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginEstimate) UnmarshalJSON(data []byte) error {
	return marginEstimateCodec.unmarshal(data, m)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginEstimate) MarshalJSON() ([]byte, error) { return marginEstimateCodec.marshal(m) }

// A MarginResult is one calculation for the positions of an underlying.
type MarginResult struct {
	Object
	Code                     string                     `json:"code"`
	Description              string                     `json:"description"`
	UnderlyingSymbol         string                     `json:"underlying-symbol"`
	UnderlyingType           InstrumentType             `json:"underlying-type"`
	UnderlyingPrice          *decimal.Decimal           `json:"underlying-price"`
	EntityCount              *int                       `json:"entity-count"`
	MarginCalculationType    string                     `json:"margin-calculation-type"`
	MarginRequirement        *decimal.Decimal           `json:"margin-requirement" sign:"margin-requirement-effect"`
	MaintenanceRequirement   *decimal.Decimal           `json:"maintenance-requirement" sign:"maintenance-requirement-effect"`
	BaseMarginRequirement    *decimal.Decimal           `json:"base-margin-requirement" sign:"base-margin-requirement-effect"`
	BuyingPowerImpact        *decimal.Decimal           `json:"buying-power-impact" sign:"buying-power-impact-effect"`
	CashAdjustment           *decimal.Decimal           `json:"cash-adjustment" sign:"cash-adjustment-effect"`
	CashSettlementValue      *decimal.Decimal           `json:"cash-settlement-value" sign:"cash-settlement-value-effect"`
	WorkingMargin            *decimal.Decimal           `json:"working-margin" sign:"working-margin-effect"`
	PositionMargin           *decimal.Decimal           `json:"position-margin" sign:"position-margin-effect"`
	PositionEquityAdjustment *decimal.Decimal           `json:"position-equity-adjustment" sign:"position-equity-adjustment-effect"`
	LongEquityValue          *decimal.Decimal           `json:"long-equity-value" sign:"long-equity-value-effect"`
	ShortEquityValue         *decimal.Decimal           `json:"short-equity-value" sign:"short-equity-value-effect"`
	LongDerivativeValue      *decimal.Decimal           `json:"long-derivative-value" sign:"long-derivative-value-effect"`
	ShortDerivativeValue     *decimal.Decimal           `json:"short-derivative-value" sign:"short-derivative-value-effect"`
	LongCryptocurrencyValue  *decimal.Decimal           `json:"long-cryptocurrency-value" sign:"long-cryptocurrency-value-effect"`
	ShortCryptocurrencyValue *decimal.Decimal           `json:"short-cryptocurrency-value" sign:"short-cryptocurrency-value-effect"`
	GroupResults             []MarginGroupResult        `json:"group-results"`
	OrderIDs                 []ID                       `json:"order-ids"`
	Marks                    map[string]decimal.Decimal `json:"marks"` // prices used, by symbol
	CalculatedAt             time.Time                  `json:"calculated-at"`
}

var marginResultCodec = codecFor[MarginResult]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginResult) UnmarshalJSON(data []byte) error { return marginResultCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginResult) MarshalJSON() ([]byte, error) { return marginResultCodec.marshal(m) }

// A MarginGroupResult is the calculation for one strategy.
type MarginGroupResult struct {
	Object
	Group                  *MarginStrategy  `json:"group"`
	Margin                 *decimal.Decimal `json:"margin"` // a magnitude
	MaintenanceRequirement *decimal.Decimal `json:"maintenance-requirement" sign:"maintenance-requirement-effect"`
	NetLiqResult           *MarginNetLiq    `json:"net-liq-result"`
}

var marginGroupResultCodec = codecFor[MarginGroupResult]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginGroupResult) UnmarshalJSON(data []byte) error {
	return marginGroupResultCodec.unmarshal(data, m)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginGroupResult) MarshalJSON() ([]byte, error) { return marginGroupResultCodec.marshal(m) }

// A MarginStrategy is how a calculation sees a group of positions.
type MarginStrategy struct {
	Object
	MarginStrategy  string       `json:"margin-strategy"` // "LONG_UNDERLYING" …
	UnderlyingEntry *MarginEntry `json:"underlying-entry"`
}

var marginStrategyCodec = codecFor[MarginStrategy]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginStrategy) UnmarshalJSON(data []byte) error {
	return marginStrategyCodec.unmarshal(data, m)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginStrategy) MarshalJSON() ([]byte, error) { return marginStrategyCodec.marshal(m) }

// MarginNetLiq is what the positions of a group are worth, by kind.
type MarginNetLiq struct {
	Object
	LongEquityValue          *decimal.Decimal `json:"long-equity-value"`
	ShortEquityValue         *decimal.Decimal `json:"short-equity-value"`
	LongDerivativeValue      *decimal.Decimal `json:"long-derivative-value"`
	ShortDerivativeValue     *decimal.Decimal `json:"short-derivative-value"`
	LongCryptocurrencyValue  *decimal.Decimal `json:"long-cryptocurrency-value"`
	ShortCryptocurrencyValue *decimal.Decimal `json:"short-cryptocurrency-value"`
}

var marginNetLiqCodec = codecFor[MarginNetLiq]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarginNetLiq) UnmarshalJSON(data []byte) error { return marginNetLiqCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarginNetLiq) MarshalJSON() ([]byte, error) { return marginNetLiqCodec.marshal(m) }

// MarginService says what positions and orders require.
type MarginService struct{ client *Client }

// Requirements returns what the positions of an account require now.
//
// GET /margin/accounts/{account}/requirements
func (s *MarginService) Requirements(ctx context.Context, account AccountNumber) (*MarginReport, error) {
	return one[MarginReport](ctx, s.client, get("/margin/accounts/{account}/requirements", string(account)), marginReportCodec)
}

// DryRun estimates what an order would do to an account's margin. Nothing is
// placed; a dry run of the order itself also checks whether it could be.
//
// POST /margin/accounts/{account}/dry-run
func (s *MarginService) DryRun(ctx context.Context, account AccountNumber, order MarginOrder) (*MarginEstimate, error) {
	r := post("/margin/accounts/{account}/dry-run", string(account)).sending(order.wire(account))
	r.invalid = order.check()
	return one[MarginEstimate](ctx, s.client, r, marginEstimateCodec)
}
