package tastytrade

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/shopspring/decimal"
)

// A TransactionType is the broad kind of a transaction.
type TransactionType string

// The transaction types.
const (
	TransactionTrade                  TransactionType = "Trade"
	TransactionReceiveDeliver         TransactionType = "Receive Deliver"
	TransactionMoneyMovement          TransactionType = "Money Movement"
	TransactionAdministrativeTransfer TransactionType = "Administrative Transfer"
)

// A TransactionSubType is the exact kind of a transaction: an order's action
// for a trade, else one of these and others.
type TransactionSubType string

// Some of the sub-types.
const (
	SubTypeACAT              TransactionSubType = "ACAT"
	SubTypeAssignment        TransactionSubType = "Assignment"
	SubTypeBalanceAdjustment TransactionSubType = "Balance Adjustment"
	SubTypeCashSettledAssign TransactionSubType = "Cash Settled Assignment"
	SubTypeCashSettledExer   TransactionSubType = "Cash Settled Exercise"
	SubTypeCreditInterest    TransactionSubType = "Credit Interest"
	SubTypeDebitInterest     TransactionSubType = "Debit Interest"
	SubTypeDeposit           TransactionSubType = "Deposit"
	SubTypeDividend          TransactionSubType = "Dividend"
	SubTypeExercise          TransactionSubType = "Exercise"
	SubTypeExpiration        TransactionSubType = "Expiration"
	SubTypeFee               TransactionSubType = "Fee"
	SubTypeForwardSplit      TransactionSubType = "Forward Split"
	SubTypeFuturesSettlement TransactionSubType = "Futures Settlement"
	SubTypeMarkToMarket      TransactionSubType = "Mark to Market"
	SubTypeReverseSplit      TransactionSubType = "Reverse Split"
	SubTypeSpecialDividend   TransactionSubType = "Special Dividend"
	SubTypeSymbolChange      TransactionSubType = "Symbol Change"
	SubTypeTransfer          TransactionSubType = "Transfer"
	SubTypeWithdrawal        TransactionSubType = "Withdrawal"
)

// A Transaction is one line of an account's history. Amounts are dollars and
// signed: what came in is positive, what went out, fees too, is negative. A
// movement of money has no symbol, action, quantity and price.
type Transaction struct {
	Object
	ID                            ID                 `json:"id" need:"true"`
	AccountNumber                 AccountNumber      `json:"account-number"`
	Type                          TransactionType    `json:"transaction-type"`
	SubType                       TransactionSubType `json:"transaction-sub-type"`
	Description                   string             `json:"description"`
	Symbol                        string             `json:"symbol"`
	InstrumentType                InstrumentType     `json:"instrument-type"`
	UnderlyingSymbol              string             `json:"underlying-symbol"`
	Action                        OrderAction        `json:"action"`
	Quantity                      *decimal.Decimal   `json:"quantity"` // a magnitude
	Price                         *decimal.Decimal   `json:"price"`    // per unit
	AgencyPrice                   *decimal.Decimal   `json:"agency-price"`
	PrincipalPrice                *decimal.Decimal   `json:"principal-price"`
	ExecutedAt                    time.Time          `json:"executed-at"`
	TransactionDate               Date               `json:"transaction-date"`
	Currency                      string             `json:"currency"`
	Value                         *decimal.Decimal   `json:"value" sign:"value-effect"`         // before fees
	NetValue                      *decimal.Decimal   `json:"net-value" sign:"net-value-effect"` // after fees
	RegulatoryFees                *decimal.Decimal   `json:"regulatory-fees" sign:"regulatory-fees-effect"`
	ClearingFees                  *decimal.Decimal   `json:"clearing-fees" sign:"clearing-fees-effect"`
	Commission                    *decimal.Decimal   `json:"commission" sign:"commission-effect"`
	ProprietaryIndexOptionFees    *decimal.Decimal   `json:"proprietary-index-option-fees" sign:"proprietary-index-option-fees-effect"`
	CurrencyConversionFees        *decimal.Decimal   `json:"currency-conversion-fees" sign:"currency-conversion-fees-effect"`
	OtherCharge                   *decimal.Decimal   `json:"other-charge" sign:"other-charge-effect"`
	OtherChargeDescription        string             `json:"other-charge-description"`
	IsEstimatedFee                bool               `json:"is-estimated-fee"`
	OrderID                       ID                 `json:"order-id"`
	LegCount                      *int               `json:"leg-count"`
	ReversesID                    ID                 `json:"reverses-id"` // the transaction that it undoes
	Lots                          []Lot              `json:"lots"`
	CostBasisReconciliationDate   Date               `json:"cost-basis-reconciliation-date"`
	DestinationVenue              string             `json:"destination-venue"`
	Exchange                      string             `json:"exchange"`
	ExchangeAffiliationIdentifier string             `json:"exchange-affiliation-identifier"`
	ExecID                        ID                 `json:"exec-id"`
	ExtExecID                     ID                 `json:"ext-exec-id"`
	ExtExchangeOrderNumber        ID                 `json:"ext-exchange-order-number"`
	ExtGlobalOrderNumber          ID                 `json:"ext-global-order-number"`
	ExtGroupID                    ID                 `json:"ext-group-id"`
	ExtGroupFillID                ID                 `json:"ext-group-fill-id"`
	CreatedAt                     time.Time          `json:"created-at"`
}

var transactionCodec = codecFor[Transaction]()

// UnmarshalJSON keeps the JSON; see [Object].
func (t *Transaction) UnmarshalJSON(data []byte) error { return transactionCodec.unmarshal(data, t) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (t Transaction) MarshalJSON() ([]byte, error) { return transactionCodec.marshal(t) }

// A Lot is a part of a position that a transaction opened or closed.
type Lot struct {
	Object
	ID                ID               `json:"id"`
	TransactionID     ID               `json:"transaction-id"`
	Quantity          *decimal.Decimal `json:"quantity"`
	Price             *decimal.Decimal `json:"price"`
	QuantityDirection Direction        `json:"quantity-direction"`
	ExecutedAt        time.Time        `json:"executed-at"`
	TransactionDate   Date             `json:"transaction-date"`
}

var lotCodec = codecFor[Lot]()

// UnmarshalJSON keeps the JSON; see [Object].
func (l *Lot) UnmarshalJSON(data []byte) error { return lotCodec.unmarshal(data, l) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (l Lot) MarshalJSON() ([]byte, error) { return lotCodec.marshal(l) }

// TotalFees is what an account paid in a day, in dollars, negative when paid.
type TotalFees struct {
	Object
	TotalFees *decimal.Decimal `json:"total-fees" sign:"total-fees-effect"`
}

var totalFeesCodec = codecFor[TotalFees]()

// UnmarshalJSON keeps the JSON; see [Object].
func (t *TotalFees) UnmarshalJSON(data []byte) error { return totalFeesCodec.unmarshal(data, t) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (t TotalFees) MarshalJSON() ([]byte, error) { return totalFeesCodec.marshal(t) }

// A SortOrder says which end of a list comes first.
type SortOrder string

// The sort orders.
const (
	NewestFirst SortOrder = "Desc"
	OldestFirst SortOrder = "Asc"
)

// TransactionsOptions narrow a list of transactions. The zero value is all of
// them, newest first. Days and instants are alternatives.
type TransactionsOptions struct {
	Sort             SortOrder
	Type             TransactionType
	Types            []TransactionType
	SubTypes         []TransactionSubType
	Action           OrderAction
	Symbol           string
	UnderlyingSymbol string
	FuturesSymbol    string
	InstrumentType   InstrumentType
	PartitionKey     string
	Currency         string
	StartDate        Date
	EndDate          Date
	StartAt          time.Time
	EndAt            time.Time
	PerPage          int // 0: the broker's 250; the most is 2000
	PageOffset       int // index of the page
}

func (o *TransactionsOptions) query() (url.Values, error) {
	q := url.Values{}
	if o == nil {
		return q, nil
	}
	set(q, "sort", string(o.Sort))
	set(q, "type", string(o.Type))
	list(q, "types", o.Types)
	list(q, "sub-type", o.SubTypes)
	set(q, "action", string(o.Action))
	set(q, "symbol", o.Symbol)
	set(q, "underlying-symbol", o.UnderlyingSymbol)
	set(q, "futures-symbol", o.FuturesSymbol)
	set(q, "instrument-type", string(o.InstrumentType))
	set(q, "partition-key", o.PartitionKey)
	set(q, "currency", o.Currency)
	set(q, "start-date", o.StartDate.String())
	set(q, "end-date", o.EndDate.String())
	instant(q, "start-at", o.StartAt)
	instant(q, "end-at", o.EndAt)
	return q, paging(q, o.PerPage, o.PageOffset, 2000)
}

// TransactionsService reads the history of accounts.
type TransactionsService struct{ client *Client }

// List returns one page of an account's history.
//
// GET /accounts/{account}/transactions
func (s *TransactionsService) List(ctx context.Context, account AccountNumber, opts *TransactionsOptions) (*Page[Transaction], error) {
	q, err := opts.query()
	if err != nil {
		return nil, err
	}
	return paged[Transaction](ctx, s.client, get("/accounts/{account}/transactions", string(account)).with(q), transactionCodec)
}

// All is List for as many pages as the loop needs. What happens while it runs
// shifts the pages of a list that has the newest first: name an EndAt, or sort
// by OldestFirst, where that matters.
//
// GET /accounts/{account}/transactions
func (s *TransactionsService) All(ctx context.Context, account AccountNumber, opts *TransactionsOptions) iter.Seq2[Transaction, error] {
	var o TransactionsOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[Transaction], error) {
		o := o
		o.PageOffset = offset
		return s.List(ctx, account, &o)
	}, o.PageOffset)
}

// Get returns one transaction.
//
// GET /accounts/{account}/transactions/{id}
func (s *TransactionsService) Get(ctx context.Context, account AccountNumber, id ID) (*Transaction, error) {
	return one[Transaction](ctx, s.client, get("/accounts/{account}/transactions/{id}", string(account), string(id)), transactionCodec)
}

// TotalFees returns what an account paid on a day; zero is today.
//
// GET /accounts/{account}/transactions/total-fees
func (s *TransactionsService) TotalFees(ctx context.Context, account AccountNumber, day Date) (*TotalFees, error) {
	q := url.Values{}
	set(q, "date", day.String())
	return one[TotalFees](ctx, s.client, get("/accounts/{account}/transactions/total-fees", string(account)).with(q), totalFeesCodec)
}
