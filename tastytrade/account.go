package tastytrade

import (
	"context"
	"encoding/json"
	"time"

	"github.com/shopspring/decimal"
)

// An Account is one account of the customer.
type Account struct {
	Object
	Number                AccountNumber   `json:"account-number" need:"true"`
	Nickname              string          `json:"nickname"`
	TypeName              string          `json:"account-type-name"` // "Individual", "Roth IRA" …
	MarginOrCash          string          `json:"margin-or-cash"`    // "Margin" or "Cash"
	IsClosed              bool            `json:"is-closed"`
	IsFuturesApproved     bool            `json:"is-futures-approved"`
	IsForeign             bool            `json:"is-foreign"`
	IsFirmError           bool            `json:"is-firm-error"`
	IsFirmProprietary     bool            `json:"is-firm-proprietary"`
	IsTestDrive           bool            `json:"is-test-drive"`
	DayTraderStatus       bool            `json:"day-trader-status"`
	SuitableOptionsLevel  string          `json:"suitable-options-level"`
	InvestmentObjective   string          `json:"investment-objective"`
	InvestmentTimeHorizon string          `json:"investment-time-horizon"`
	LiquidityNeeds        string          `json:"liquidity-needs"`
	RiskTolerance         string          `json:"risk-tolerance"`
	FuturesAccountPurpose string          `json:"futures-account-purpose"`
	ExternalID            string          `json:"external-id"`
	ExtAccountID          string          `json:"ext-account-id"`
	ExtCRMID              string          `json:"ext-crm-id"`
	ExternalFDID          string          `json:"external-fdid"`
	RegulatoryDomain      string          `json:"regulatory-domain"`
	ExternalAccounts      json.RawMessage `json:"external-accounts"` // as the broker sends it
	SubmittingUserID      string          `json:"submitting-user-id"`
	OpenedAt              time.Time       `json:"opened-at"`
	CreatedAt             time.Time       `json:"created-at"`
	ClosedAt              time.Time       `json:"closed-at"`
	FundingDate           Date            `json:"funding-date"`
}

var accountCodec = codecFor[Account]()

// UnmarshalJSON keeps the JSON; see [Object].
func (a *Account) UnmarshalJSON(data []byte) error { return accountCodec.unmarshal(data, a) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (a Account) MarshalJSON() ([]byte, error) { return accountCodec.marshal(a) }

// An AuthorityLevel says what a customer may do with an account: "owner" and
// lesser ones.
type AuthorityLevel string

// A CustomerAccount is an account and what the customer may do with it.
type CustomerAccount struct {
	Object
	Account        Account        `json:"account"`
	AuthorityLevel AuthorityLevel `json:"authority-level"`
}

var customerAccountCodec = codecFor[CustomerAccount]()

// UnmarshalJSON keeps the JSON; see [Object].
func (c *CustomerAccount) UnmarshalJSON(data []byte) error {
	return customerAccountCodec.unmarshal(data, c)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (c CustomerAccount) MarshalJSON() ([]byte, error) { return customerAccountCodec.marshal(c) }

// TradingStatus says what an account may trade.
type TradingStatus struct {
	Object
	AccountNumber                            AccountNumber    `json:"account-number" need:"true"`
	ID                                       ID               `json:"id"`
	OptionsLevel                             string           `json:"options-level"`
	ShortCallsEnabled                        bool             `json:"short-calls-enabled"`
	DayTradeCount                            *int             `json:"day-trade-count"`
	PDTResetOn                               Date             `json:"pdt-reset-on"`
	EquitiesMarginCalculationType            string           `json:"equities-margin-calculation-type"`
	FeeScheduleName                          string           `json:"fee-schedule-name"`
	FuturesMarginRateMultiplier              *decimal.Decimal `json:"futures-margin-rate-multiplier"`
	SmallNotionalFuturesMarginRateMultiplier *decimal.Decimal `json:"small-notional-futures-margin-rate-multiplier"`

	// What is restricted. A closing-only account may reduce positions, a frozen one nothing.
	IsClosed                           bool `json:"is-closed"`
	IsClosingOnly                      bool `json:"is-closing-only"`
	IsRiskReducingOnly                 bool `json:"is-risk-reducing-only"`
	IsFrozen                           bool `json:"is-frozen"`
	IsInMarginCall                     bool `json:"is-in-margin-call"`
	IsInDayTradeEquityMaintenanceCall  bool `json:"is-in-day-trade-equity-maintenance-call"`
	IsPatternDayTrader                 bool `json:"is-pattern-day-trader"`
	IsCryptocurrencyClosingOnly        bool `json:"is-cryptocurrency-closing-only"`
	IsEquityOfferingClosingOnly        bool `json:"is-equity-offering-closing-only"`
	IsFuturesClosingOnly               bool `json:"is-futures-closing-only"`
	IsFullEquityMarginRequired         bool `json:"is-full-equity-margin-required"`
	AreDeepITMCarryOptionsEnabled      bool `json:"are-deep-itm-carry-options-enabled"`
	AreFarOTMNetOptionsRestricted      bool `json:"are-far-otm-net-options-restricted"`
	AreOptionsValuesRestrictedToNLV    bool `json:"are-options-values-restricted-to-nlv"`
	AreSingleTickExpiringHedgesIgnored bool `json:"are-single-tick-expiring-hedges-ignored"`

	// What is enabled.
	HasIntradayEquitiesMargin             bool `json:"has-intraday-equities-margin"`
	IsCryptocurrencyEnabled               bool `json:"is-cryptocurrency-enabled"`
	IsEquityOfferingEnabled               bool `json:"is-equity-offering-enabled"`
	IsFuturesEnabled                      bool `json:"is-futures-enabled"`
	IsFuturesIntraDayEnabled              bool `json:"is-futures-intra-day-enabled"`
	IsSmallNotionalFuturesIntraDayEnabled bool `json:"is-small-notional-futures-intra-day-enabled"`
	IsPortfolioMarginEnabled              bool `json:"is-portfolio-margin-enabled"`
	IsRollTheDayForwardEnabled            bool `json:"is-roll-the-day-forward-enabled"`
	IsAscendEventContractsEnabled         bool `json:"is-ascend-event-contracts-enabled"`
	IsNonRetail                           bool `json:"is-non-retail"`
	IsAggregatedAtClearing                bool `json:"is-aggregated-at-clearing"`

	AutotradeAccountType             string    `json:"autotrade-account-type"`
	ClearingAccountNumber            string    `json:"clearing-account-number"`
	ClearingAggregationIdentifier    string    `json:"clearing-aggregation-identifier"`
	CMTAOverride                     ID        `json:"cmta-override"`
	ExtCRMID                         string    `json:"ext-crm-id"`
	EnhancedFraudSafeguardsEnabledAt time.Time `json:"enhanced-fraud-safeguards-enabled-at"`
	UpdatedAt                        time.Time `json:"updated-at"`
}

var tradingStatusCodec = codecFor[TradingStatus]()

// UnmarshalJSON keeps the JSON; see [Object].
func (t *TradingStatus) UnmarshalJSON(data []byte) error {
	return tradingStatusCodec.unmarshal(data, t)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (t TradingStatus) MarshalJSON() ([]byte, error) { return tradingStatusCodec.marshal(t) }

// AccountsService reads the customer's accounts.
type AccountsService struct{ client *Client }

// List returns the accounts that the credential reaches, closed ones included.
//
// GET /customers/me/accounts
func (s *AccountsService) List(ctx context.Context) ([]CustomerAccount, error) {
	out, _, err := many[CustomerAccount](ctx, s.client, get("/customers/me/accounts"), customerAccountCodec)
	return out, err
}

// Get returns one account.
//
// GET /customers/me/accounts/{account}
func (s *AccountsService) Get(ctx context.Context, account AccountNumber) (*Account, error) {
	return one[Account](ctx, s.client, get("/customers/me/accounts/{account}", string(account)), accountCodec)
}

// TradingStatus returns what an account may trade.
//
// GET /accounts/{account}/trading-status
func (s *AccountsService) TradingStatus(ctx context.Context, account AccountNumber) (*TradingStatus, error) {
	return one[TradingStatus](ctx, s.client, get("/accounts/{account}/trading-status", string(account)), tradingStatusCodec)
}
