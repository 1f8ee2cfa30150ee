package tastytrade

import (
	"context"
	"iter"
	"net/url"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Balance is the money of an account in one currency. Amounts are signed; nil
// means that the broker did not say.
type Balance struct {
	Object
	AccountNumber AccountNumber `json:"account-number" need:"true"`
	Currency      string        `json:"currency"`

	// Cash and what the whole account is worth.
	CashBalance                                 *decimal.Decimal `json:"cash-balance"`
	NetLiquidatingValue                         *decimal.Decimal `json:"net-liquidating-value"`
	CashAvailableToWithdraw                     *decimal.Decimal `json:"cash-available-to-withdraw"`
	AvailableTradingFunds                       *decimal.Decimal `json:"available-trading-funds"`
	CashSettleBalance                           *decimal.Decimal `json:"cash-settle-balance"`
	MarginSettleBalance                         *decimal.Decimal `json:"margin-settle-balance"`
	TotalSettleBalance                          *decimal.Decimal `json:"total-settle-balance"`
	ClosedLoopAvailableBalance                  *decimal.Decimal `json:"closed-loop-available-balance"`
	PendingCash                                 *decimal.Decimal `json:"pending-cash" sign:"pending-cash-effect"`
	PendingMarginInterest                       *decimal.Decimal `json:"pending-margin-interest"`
	TotalPendingLiquidityPoolRebate             *decimal.Decimal `json:"total-pending-liquidity-pool-rebate"`
	IntradayEquitiesCashAmount                  *decimal.Decimal `json:"intraday-equities-cash-amount" sign:"intraday-equities-cash-effect"`
	IntradayEquitiesCashEffectiveDate           Date             `json:"intraday-equities-cash-effective-date"`
	IntradayFuturesCashAmount                   *decimal.Decimal `json:"intraday-futures-cash-amount" sign:"intraday-futures-cash-effect"`
	IntradayFuturesCashEffectiveDate            Date             `json:"intraday-futures-cash-effective-date"`
	PreviousDayCryptocurrencyFiatAmount         *decimal.Decimal `json:"previous-day-cryptocurrency-fiat-amount" sign:"previous-day-cryptocurrency-fiat-effect"`
	PreviousDateCryptocurrencyFiatEffectiveDate Date             `json:"previous-date-cryptocurrency-fiat-effective-date"`
	UnsettledCryptocurrencyFiatAmount           *decimal.Decimal `json:"unsettled-cryptocurrency-fiat-amount" sign:"unsettled-cryptocurrency-fiat-effect"`

	// Buying power.
	EquityBuyingPower                  *decimal.Decimal `json:"equity-buying-power"`
	DerivativeBuyingPower              *decimal.Decimal `json:"derivative-buying-power"`
	UsedDerivativeBuyingPower          *decimal.Decimal `json:"used-derivative-buying-power"`
	DayTradingBuyingPower              *decimal.Decimal `json:"day-trading-buying-power"`
	EffectiveCryptocurrencyBuyingPower *decimal.Decimal `json:"effective-cryptocurrency-buying-power"`
	SMAEquityOptionBuyingPower         *decimal.Decimal `json:"sma-equity-option-buying-power"`
	BuyingPowerAdjustment              *decimal.Decimal `json:"buying-power-adjustment" sign:"buying-power-adjustment-effect"`
	DayTradeExcess                     *decimal.Decimal `json:"day-trade-excess"`

	// Margin: requirements and calls are positive.
	MarginEquity                           *decimal.Decimal `json:"margin-equity"`
	MaintenanceRequirement                 *decimal.Decimal `json:"maintenance-requirement"`
	MaintenanceExcess                      *decimal.Decimal `json:"maintenance-excess"`
	RegTMarginRequirement                  *decimal.Decimal `json:"reg-t-margin-requirement"`
	FuturesMarginRequirement               *decimal.Decimal `json:"futures-margin-requirement"`
	FuturesOvernightMarginRequirement      *decimal.Decimal `json:"futures-overnight-margin-requirement"`
	FuturesIntradayMarginRequirement       *decimal.Decimal `json:"futures-intraday-margin-requirement"`
	BondMarginRequirement                  *decimal.Decimal `json:"bond-margin-requirement"`
	CryptocurrencyMarginRequirement        *decimal.Decimal `json:"cryptocurrency-margin-requirement"`
	EquityOfferingMarginRequirement        *decimal.Decimal `json:"equity-offering-margin-requirement"`
	FixedIncomeSecurityMarginRequirement   *decimal.Decimal `json:"fixed-income-security-margin-requirement"`
	MaintenanceCallValue                   *decimal.Decimal `json:"maintenance-call-value"`
	RegTCallValue                          *decimal.Decimal `json:"reg-t-call-value"`
	DayEquityCallValue                     *decimal.Decimal `json:"day-equity-call-value"`
	DayTradingCallValue                    *decimal.Decimal `json:"day-trading-call-value"`
	SpecialMemorandumAccountValue          *decimal.Decimal `json:"special-memorandum-account-value"`
	SpecialMemorandumAccountApexAdjustment *decimal.Decimal `json:"special-memorandum-account-apex-adjustment"`

	// What is held, by kind. Short values are as the broker sends them.
	LongEquityValue              *decimal.Decimal `json:"long-equity-value"`
	ShortEquityValue             *decimal.Decimal `json:"short-equity-value"`
	LongDerivativeValue          *decimal.Decimal `json:"long-derivative-value"`
	ShortDerivativeValue         *decimal.Decimal `json:"short-derivative-value"`
	LongFuturesValue             *decimal.Decimal `json:"long-futures-value"`
	ShortFuturesValue            *decimal.Decimal `json:"short-futures-value"`
	LongFuturesDerivativeValue   *decimal.Decimal `json:"long-futures-derivative-value"`
	ShortFuturesDerivativeValue  *decimal.Decimal `json:"short-futures-derivative-value"`
	LongCryptocurrencyValue      *decimal.Decimal `json:"long-cryptocurrency-value"`
	ShortCryptocurrencyValue     *decimal.Decimal `json:"short-cryptocurrency-value"`
	LongBondValue                *decimal.Decimal `json:"long-bond-value"`
	LongFixedIncomeSecurityValue *decimal.Decimal `json:"long-fixed-income-security-value"`
	LongMargineableValue         *decimal.Decimal `json:"long-margineable-value"`
	ShortMargineableValue        *decimal.Decimal `json:"short-margineable-value"`

	ApexStartingDayMarginEquity *decimal.Decimal `json:"apex-starting-day-margin-equity"`
	LongIndexDerivativeValue    *decimal.Decimal `json:"long-index-derivative-value"`
	ShortIndexDerivativeValue   *decimal.Decimal `json:"short-index-derivative-value"`

	SnapshotDate Date      `json:"snapshot-date"`
	TimeOfDay    TimeOfDay `json:"time-of-day"` // of a snapshot
	UpdatedAt    time.Time `json:"updated-at"`
}

var balanceCodec = codecFor[Balance]()

// UnmarshalJSON keeps the JSON; see [Object].
func (b *Balance) UnmarshalJSON(data []byte) error { return balanceCodec.unmarshal(data, b) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (b Balance) MarshalJSON() ([]byte, error) { return balanceCodec.marshal(b) }

// BalancesService reads the money of accounts.
type BalancesService struct{ client *Client }

const balancesRoute = "/accounts/{account}/balances"

// List returns the balances of an account, one per currency.
//
// GET /accounts/{account}/balances
func (s *BalancesService) List(ctx context.Context, account AccountNumber) ([]Balance, error) {
	out, _, err := many[Balance](ctx, s.client, get(balancesRoute, string(account)), balanceCodec)
	return out, err
}

// Get returns the balance of an account in dollars, and in the first currency
// of an account that has no dollars.
//
// GET /accounts/{account}/balances
func (s *BalancesService) Get(ctx context.Context, account AccountNumber) (*Balance, error) {
	all, err := s.List(ctx, account)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Currency == "USD" {
			return &all[i], nil
		}
	}
	if len(all) == 0 {
		return nil, malformed(get(balancesRoute), nil)
	}
	return &all[0], nil
}

// GetCurrency returns the balance of an account in one currency, such as "USD".
//
// GET /accounts/{account}/balances/{currency}
func (s *BalancesService) GetCurrency(ctx context.Context, account AccountNumber, currency string) (*Balance, error) {
	if len(currency) != 3 {
		return nil, invalid.Field("currency", currency, "three letters, such as USD")
	}
	return one[Balance](ctx, s.client, get("/accounts/{account}/balances/{currency}", string(account), currency), balanceCodec)
}

// A TimeOfDay says when a balance was taken.
type TimeOfDay string

// The times of day of balance snapshots.
const (
	BeginningOfDay TimeOfDay = "BOD"
	EndOfDay       TimeOfDay = "EOD"
	Intraday       TimeOfDay = "Intraday"
)

// SnapshotsOptions say which past balances to read: those of a day, or those
// from one day to another.
type SnapshotsOptions struct {
	TimeOfDay  TimeOfDay // empty: EndOfDay
	Currency   string    // empty: USD
	Date       Date
	StartDate  Date
	EndDate    Date
	PerPage    int // 0: the broker's 250; the most is 2000
	PageOffset int // index of the page
}

// Snapshots returns one page of past balances. Nil options are the ends of all
// days.
//
// GET /accounts/{account}/balance-snapshots
func (s *BalancesService) Snapshots(ctx context.Context, account AccountNumber, opts *SnapshotsOptions) (*Page[Balance], error) {
	var o SnapshotsOptions
	if opts != nil {
		o = *opts
	}
	if o.TimeOfDay == "" {
		o.TimeOfDay = EndOfDay // the broker requires one
	}
	q := url.Values{"time-of-day": {string(o.TimeOfDay)}}
	set(q, "currency", o.Currency)
	set(q, "snapshot-date", o.Date.String())
	set(q, "start-date", o.StartDate.String())
	set(q, "end-date", o.EndDate.String())
	if err := paging(q, o.PerPage, o.PageOffset, 2000); err != nil {
		return nil, err
	}
	return paged[Balance](ctx, s.client, get("/accounts/{account}/balance-snapshots", string(account)).with(q), balanceCodec)
}

// AllSnapshots is Snapshots for as many pages as the loop needs.
//
// GET /accounts/{account}/balance-snapshots
func (s *BalancesService) AllSnapshots(ctx context.Context, account AccountNumber, opts *SnapshotsOptions) iter.Seq2[Balance, error] {
	var o SnapshotsOptions
	if opts != nil {
		o = *opts
	}
	return pages(func(offset int) (*Page[Balance], error) {
		o := o
		o.PageOffset = offset
		return s.Snapshots(ctx, account, &o)
	}, o.PageOffset)
}
