package tastytrade

import (
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"
)

// An OrderChain is a trade from its opening over its adjustments to its end, as
// the account streamer tells it. There is no route that lists them.
type OrderChain struct {
	Object
	ID               ID                  `json:"id"`
	AccountNumber    AccountNumber       `json:"account-number"`
	Description      string              `json:"description"`
	UnderlyingSymbol string              `json:"underlying-symbol"`
	ComputedData     *OrderChainComputed `json:"computed-data"`
	LiteNodesSizes   *int                `json:"lite-nodes-sizes"`
	LiteNodes        []OrderChainNode    `json:"lite-nodes"`
	CreatedAt        time.Time           `json:"created-at"`
	UpdatedAt        time.Time           `json:"updated-at"`
}

var orderChainCodec = codecFor[OrderChain]()

// UnmarshalJSON keeps the JSON; see [Object].
func (o *OrderChain) UnmarshalJSON(data []byte) error { return orderChainCodec.unmarshal(data, o) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (o OrderChain) MarshalJSON() ([]byte, error) { return orderChainCodec.marshal(o) }

// OrderChainComputed is what an order chain has cost and brought. Amounts are
// signed.
type OrderChainComputed struct {
	Object
	Open                 bool              `json:"open"`
	TotalFees            *decimal.Decimal  `json:"total-fees" sign:"total-fees-effect"`
	TotalCommissions     *decimal.Decimal  `json:"total-commissions" sign:"total-commissions-effect"`
	RealizedGain         *decimal.Decimal  `json:"realized-gain" sign:"realized-gain-effect"`
	RealizedGainWithFees *decimal.Decimal  `json:"realized-gain-with-fees" sign:"realized-gain-with-fees-effect"`
	WinnerRealized       bool              `json:"winner-realized"`
	WinnerRealizedFees   bool              `json:"winner-realized-with-fees"`
	RollCount            *int              `json:"roll-count"`
	OpenedAt             time.Time         `json:"opened-at"`
	LastOccurredAt       time.Time         `json:"last-occurred-at"`
	StartedAtDaysAgo     *decimal.Decimal  `json:"started-at-days-ago"`
	TotalOpeningCost     *decimal.Decimal  `json:"total-opening-cost" sign:"total-opening-cost-effect"`
	TotalClosingCost     *decimal.Decimal  `json:"total-closing-cost" sign:"total-closing-cost-effect"`
	TotalCost            *decimal.Decimal  `json:"total-cost" sign:"total-cost-effect"`
	GCDOpenQuantity      *decimal.Decimal  `json:"gcd-open-quantity"`
	FeesMissing          bool              `json:"fees-missing"`
	OpenEntries          []OrderChainEntry `json:"open-entries"`
}

var orderChainComputedCodec = codecFor[OrderChainComputed]()

// UnmarshalJSON keeps the JSON; see [Object].
func (o *OrderChainComputed) UnmarshalJSON(data []byte) error {
	return orderChainComputedCodec.unmarshal(data, o)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (o OrderChainComputed) MarshalJSON() ([]byte, error) { return orderChainComputedCodec.marshal(o) }

// An OrderChainNode is one event of an order chain: an order, a roll, an
// expiration.
type OrderChainNode struct {
	Object
	NodeType            string            `json:"node-type"`
	ID                  ID                `json:"id"`
	Description         string            `json:"description"`
	OccurredAt          time.Time         `json:"occurred-at"`
	TotalFees           *decimal.Decimal  `json:"total-fees" sign:"total-fees-effect"`
	TotalFillCost       *decimal.Decimal  `json:"total-fill-cost" sign:"total-fill-cost-effect"`
	GCDQuantity         *decimal.Decimal  `json:"gcd-quantity"`
	FillCostPerQuantity *decimal.Decimal  `json:"fill-cost-per-quantity" sign:"fill-cost-per-quantity-effect"`
	OrderFillCount      *int              `json:"order-fill-count"`
	Roll                bool              `json:"roll"`
	Legs                []OrderChainLeg   `json:"legs"`
	Entries             []OrderChainEntry `json:"entries"`
	MarketStateSnapshot json.RawMessage   `json:"market-state-snapshot"` // Greeks and prices of the moment, as the broker writes them
}

var orderChainNodeCodec = codecFor[OrderChainNode]()

// UnmarshalJSON keeps the JSON; see [Object].
func (o *OrderChainNode) UnmarshalJSON(data []byte) error {
	return orderChainNodeCodec.unmarshal(data, o)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (o OrderChainNode) MarshalJSON() ([]byte, error) { return orderChainNodeCodec.marshal(o) }

// An OrderChainLeg is one leg of an order in an order chain.
type OrderChainLeg struct {
	Object
	Symbol         string           `json:"symbol"`
	InstrumentType InstrumentType   `json:"instrument-type"`
	Action         OrderAction      `json:"action"`
	FillQuantity   *decimal.Decimal `json:"fill-quantity"`
	OrderQuantity  *decimal.Decimal `json:"order-quantity"`
}

var orderChainLegCodec = codecFor[OrderChainLeg]()

// UnmarshalJSON keeps the JSON; see [Object].
func (o *OrderChainLeg) UnmarshalJSON(data []byte) error {
	return orderChainLegCodec.unmarshal(data, o)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (o OrderChainLeg) MarshalJSON() ([]byte, error) { return orderChainLegCodec.marshal(o) }

// An OrderChainEntry is what an order chain holds of one instrument.
type OrderChainEntry struct {
	Object
	Symbol         string           `json:"symbol"`
	InstrumentType InstrumentType   `json:"instrument-type"`
	Quantity       *decimal.Decimal `json:"quantity"` // a magnitude
	QuantityType   Direction        `json:"quantity-type"`
	QuantityNumber *decimal.Decimal `json:"quantity-numeric"` // signed by the broker
}

var orderChainEntryCodec = codecFor[OrderChainEntry]()

// UnmarshalJSON keeps the JSON; see [Object].
func (o *OrderChainEntry) UnmarshalJSON(data []byte) error {
	return orderChainEntryCodec.unmarshal(data, o)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (o OrderChainEntry) MarshalJSON() ([]byte, error) { return orderChainEntryCodec.marshal(o) }

// An ExternalTransaction is money that moves between the account and a bank.
type ExternalTransaction struct {
	Object
	ID            ID            `json:"id"`
	AccountNumber AccountNumber `json:"account-number"`
	// Amount is a magnitude; Direction says which way it goes.
	Amount             *decimal.Decimal `json:"amount"`
	Direction          string           `json:"direction"`
	BankAccountType    string           `json:"bank-account-type"`
	BankingDate        Date             `json:"banking-date"`
	DisbursementType   string           `json:"disbursement-type"`
	ExtTransferID      ID               `json:"ext-transfer-id"`
	FundsAvailableDate Date             `json:"funds-available-date"`
	IsCancelable       bool             `json:"is-cancelable"`
	IsClearingAccepted bool             `json:"is-clearing-accepted"`
	State              string           `json:"state"`
	TransferMethod     string           `json:"transfer-method"`
	CreatedAt          time.Time        `json:"created-at"`
	UpdatedAt          time.Time        `json:"updated-at"`
}

var externalTransactionCodec = codecFor[ExternalTransaction]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *ExternalTransaction) UnmarshalJSON(data []byte) error {
	return externalTransactionCodec.unmarshal(data, e)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e ExternalTransaction) MarshalJSON() ([]byte, error) {
	return externalTransactionCodec.marshal(e)
}

// An UnderlyingYearGainSummary is what an account made of one underlying in a
// year. Amounts are signed.
type UnderlyingYearGainSummary struct {
	Object
	Year               ID               `json:"year"` // "2026"
	AccountNumber      AccountNumber    `json:"account-number"`
	Symbol             string           `json:"symbol"`
	InstrumentType     InstrumentType   `json:"instrument-type"`
	Fees               *decimal.Decimal `json:"fees" sign:"fees-effect"`
	Commissions        *decimal.Decimal `json:"commissions" sign:"commissions-effect"`
	YearlyRealizedGain *decimal.Decimal `json:"yearly-realized-gain" sign:"yearly-realized-gain-effect"`
	RealizedLotGain    *decimal.Decimal `json:"realized-lot-gain" sign:"realized-lot-gain-effect"`
}

var underlyingYearGainSummaryCodec = codecFor[UnderlyingYearGainSummary]()

// UnmarshalJSON keeps the JSON; see [Object].
func (u *UnderlyingYearGainSummary) UnmarshalJSON(data []byte) error {
	return underlyingYearGainSummaryCodec.unmarshal(data, u)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (u UnderlyingYearGainSummary) MarshalJSON() ([]byte, error) {
	return underlyingYearGainSummaryCodec.marshal(u)
}

// A UserMessage is a message to the user. The broker documents no fields of it:
// Raw has them all.
type UserMessage struct {
	Object
	ID      ID     `json:"id"`
	Title   string `json:"title"`
	Message string `json:"message"`
}

var userMessageCodec = codecFor[UserMessage]()

// UnmarshalJSON keeps the JSON; see [Object].
func (u *UserMessage) UnmarshalJSON(data []byte) error { return userMessageCodec.unmarshal(data, u) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (u UserMessage) MarshalJSON() ([]byte, error) { return userMessageCodec.marshal(u) }
