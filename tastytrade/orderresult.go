package tastytrade

import "github.com/shopspring/decimal"

// An OrderResult is the broker's answer to an order that was placed or tried.
type OrderResult struct {
	Object
	Order        *Order        `json:"order"`         // nil for a complex order
	ComplexOrder *ComplexOrder `json:"complex-order"` // nil for any other
	// What the order does to the account, and what it costs. Nil when the
	// broker did not say.
	BuyingPowerEffect *BuyingPowerEffect `json:"buying-power-effect"`
	Fees              *FeeCalculation    `json:"fee-calculation"`
	ClosingFees       *FeeCalculation    `json:"closing-fee-calculation"` // of closing the position later
	Warnings          []OrderMessage     `json:"warnings"`
	Errors            []OrderMessage     `json:"errors"`
	Notes             []OrderMessage     `json:"notes"`
}

var orderResultCodec = codecFor[OrderResult]()

// UnmarshalJSON keeps the JSON; see [Object].
func (r *OrderResult) UnmarshalJSON(data []byte) error { return orderResultCodec.unmarshal(data, r) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (r OrderResult) MarshalJSON() ([]byte, error) { return orderResultCodec.marshal(r) }

// An OrderMessage is a warning, error or note of the broker about an order.
type OrderMessage struct {
	Object
	Code        string `json:"code"` // "tif_next_valid_sesssion", "closing_with_no_position"
	Message     string `json:"message"`
	PreflightID string `json:"preflight-id"` // which order of a complex order
	URL         string `json:"url"`          // of a note
}

var orderMessageCodec = codecFor[OrderMessage]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *OrderMessage) UnmarshalJSON(data []byte) error { return orderMessageCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m OrderMessage) MarshalJSON() ([]byte, error) { return orderMessageCodec.marshal(m) }

// A BuyingPowerEffect says what an order does to the buying power. Amounts are
// signed: a debit, which takes buying power away, is negative.
type BuyingPowerEffect struct {
	Object
	ChangeInMarginRequirement      *decimal.Decimal `json:"change-in-margin-requirement" sign:"change-in-margin-requirement-effect"`
	ChangeInBuyingPower            *decimal.Decimal `json:"change-in-buying-power" sign:"change-in-buying-power-effect"`
	CurrentBuyingPower             *decimal.Decimal `json:"current-buying-power" sign:"current-buying-power-effect"`
	NewBuyingPower                 *decimal.Decimal `json:"new-buying-power" sign:"new-buying-power-effect"`
	IsolatedOrderMarginRequirement *decimal.Decimal `json:"isolated-order-margin-requirement" sign:"isolated-order-margin-requirement-effect"`
	Impact                         *decimal.Decimal `json:"impact" sign:"effect"`
	IsSpread                       bool             `json:"is-spread"`
}

var buyingPowerEffectCodec = codecFor[BuyingPowerEffect]()

// UnmarshalJSON keeps the JSON; see [Object].
func (b *BuyingPowerEffect) UnmarshalJSON(data []byte) error {
	return buyingPowerEffectCodec.unmarshal(data, b)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (b BuyingPowerEffect) MarshalJSON() ([]byte, error) { return buyingPowerEffectCodec.marshal(b) }

// A FeeCalculation says what an order costs beside its price. Amounts are
// signed: a fee is negative, a rebate positive.
type FeeCalculation struct {
	Object
	RegulatoryFees             *decimal.Decimal `json:"regulatory-fees" sign:"regulatory-fees-effect"`
	RegulatoryFeesBreakdown    []FeePart        `json:"regulatory-fees-breakdown"`
	ClearingFees               *decimal.Decimal `json:"clearing-fees" sign:"clearing-fees-effect"`
	ClearingFeesBreakdown      []FeePart        `json:"clearing-fees-breakdown"`
	Commission                 *decimal.Decimal `json:"commission" sign:"commission-effect"`
	CommissionBreakdown        []FeePart        `json:"commission-breakdown"`
	ProprietaryIndexOptionFees *decimal.Decimal `json:"proprietary-index-option-fees" sign:"proprietary-index-option-fees-effect"`
	ProprietaryFeesBreakdown   []FeePart        `json:"proprietary-fees-breakdown"`
	Rebates                    *decimal.Decimal `json:"rebates" sign:"rebates-effect"`
	RebatesBreakdown           []FeePart        `json:"rebates-breakdown"`
	TotalFees                  *decimal.Decimal `json:"total-fees" sign:"total-fees-effect"`
	PerQuantity                bool             `json:"per-quantity"`
}

var feeCalculationCodec = codecFor[FeeCalculation]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FeeCalculation) UnmarshalJSON(data []byte) error {
	return feeCalculationCodec.unmarshal(data, f)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FeeCalculation) MarshalJSON() ([]byte, error) { return feeCalculationCodec.marshal(f) }

// A FeePart is one line of a fee: "exchange", "nfa", "orf", "sec", "taf" …
type FeePart struct {
	Object
	Name  string           `json:"name"`
	Value *decimal.Decimal `json:"value" sign:"effect"` // signed like the fee
}

var feePartCodec = codecFor[FeePart]()

// UnmarshalJSON keeps the JSON; see [Object].
func (f *FeePart) UnmarshalJSON(data []byte) error { return feePartCodec.unmarshal(data, f) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (f FeePart) MarshalJSON() ([]byte, error) { return feePartCodec.marshal(f) }
