package alpaca

// The types of this file are answers of Alpaca's Broker API, for firms that keep
// accounts for others. The client has no methods for it; a program that calls
// it reads its answers with these.

// A BrokerAccount is an end customer's account. What it says about a person, and
// the trading configurations, are in Raw.
type BrokerAccount struct {
	Object
	ID             string `json:"id"`
	Number         string `json:"account_number"`
	Status         string `json:"status"`
	CryptoStatus   string `json:"crypto_status"`
	Currency       string `json:"currency"`
	LastEquity     Number `json:"last_equity"`
	CreatedAt      Time   `json:"created_at"`
	AccountType    string `json:"account_type"`
	AccountSubType string `json:"account_sub_type"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *BrokerAccount) UnmarshalJSON(data []byte) error {
	type plain BrokerAccount
	return decode(data, (*plain)(v), &v.raw)
}

// A Document is a statement or a confirmation, or one that is uploaded, whose
// content is in Raw.
type Document struct {
	Object
	ID              string `json:"id"`
	Name            string `json:"name"`
	Type            string `json:"type"`
	SubType         string `json:"sub_type"`
	Date            Day    `json:"date"`
	DocumentType    string `json:"document_type"`
	DocumentSubType string `json:"document_sub_type"`
	MimeType        string `json:"mime_type"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Document) UnmarshalJSON(data []byte) error {
	type plain Document
	return decode(data, (*plain)(v), &v.raw)
}

// A BankRelationship is a bank or an ACH account; its numbers are in Raw.
type BankRelationship struct {
	Object
	ID            string `json:"id"`
	AccountID     string `json:"account_id"`
	Name          string `json:"name"`
	Status        string `json:"status"`
	AccountType   string `json:"bank_account_type"`
	CodeType      string `json:"bank_code_type"`
	Country       string `json:"country"`
	City          string `json:"city"`
	PostalCode    string `json:"postal_code"`
	StateProvince string `json:"state_province"`
	StreetAddress string `json:"street_address"`
	CreatedAt     Time   `json:"created_at"`
	UpdatedAt     Time   `json:"updated_at"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *BankRelationship) UnmarshalJSON(data []byte) error {
	type plain BankRelationship
	return decode(data, (*plain)(v), &v.raw)
}

// A BankTransfer is money on its way.
type BankTransfer struct {
	Object
	ID               string `json:"id"`
	RelationshipID   string `json:"relationship_id"`
	AccountID        string `json:"account_id"`
	Type             string `json:"type"` // ach or wire
	Status           string `json:"status"`
	Reason           string `json:"reason"`
	Currency         string `json:"currency"`
	Amount           Number `json:"amount"`
	InstantAmount    Number `json:"instant_amount"`
	RequestedAmount  Number `json:"requested_amount"`
	Fee              Number `json:"fee"`
	FeePaymentMethod string `json:"fee_payment_method"`
	Direction        string `json:"direction"` // INCOMING or OUTGOING
	CreatedAt        Time   `json:"created_at"`
	UpdatedAt        Time   `json:"updated_at"`
	ExpiresAt        Time   `json:"expires_at"`
	HoldUntil        Time   `json:"hold_until"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *BankTransfer) UnmarshalJSON(data []byte) error {
	type plain BankTransfer
	return decode(data, (*plain)(v), &v.raw)
}

// A Journal is a movement of money or shares between two accounts.
type Journal struct {
	Object
	ID           string `json:"id"`
	EntryType    string `json:"entry_type"` // JNLC cash, JNLS securities
	FromAccount  string `json:"from_account"`
	ToAccount    string `json:"to_account"`
	Symbol       string `json:"symbol"`
	Qty          Number `json:"qty"`
	Price        Number `json:"price"`
	Status       string `json:"status"`
	SettleDate   Day    `json:"settle_date"`
	SystemDate   Day    `json:"system_date"`
	NetAmount    Number `json:"net_amount"`
	Currency     string `json:"currency"`
	Description  string `json:"description"`
	ErrorMessage string `json:"error_message"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Journal) UnmarshalJSON(data []byte) error {
	type plain Journal
	return decode(data, (*plain)(v), &v.raw)
}

// A RebalancingPortfolio is a portfolio that accounts can follow.
type RebalancingPortfolio struct {
	Object
	ID                  string               `json:"id"`
	Name                string               `json:"name"`
	Description         string               `json:"description"`
	Status              string               `json:"status"`
	CooldownDays        Number               `json:"cooldown_days"`
	CreatedAt           Time                 `json:"created_at"`
	UpdatedAt           Time                 `json:"updated_at"`
	Weights             []Weight             `json:"weights"`
	RebalanceConditions []RebalanceCondition `json:"rebalance_conditions"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *RebalancingPortfolio) UnmarshalJSON(data []byte) error {
	type plain RebalancingPortfolio
	return decode(data, (*plain)(v), &v.raw)
}

// A Weight is a share of a portfolio.
type Weight struct {
	Object
	Type    string `json:"type"` // cash or asset
	Symbol  string `json:"symbol"`
	Percent Number `json:"percent"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Weight) UnmarshalJSON(data []byte) error {
	type plain Weight
	return decode(data, (*plain)(v), &v.raw)
}

// A RebalanceCondition says when a portfolio is restored.
type RebalanceCondition struct {
	Object
	Type    string `json:"type"`
	SubType string `json:"sub_type"`
	Percent Number `json:"percent"`
	Day     string `json:"day"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *RebalanceCondition) UnmarshalJSON(data []byte) error {
	type plain RebalanceCondition
	return decode(data, (*plain)(v), &v.raw)
}

// A Subscription is an account that follows a portfolio.
type Subscription struct {
	Object
	ID               string `json:"id"`
	AccountID        string `json:"account_id"`
	PortfolioID      string `json:"portfolio_id"`
	LastRebalancedAt Time   `json:"last_rebalanced_at"`
	CreatedAt        Time   `json:"created_at"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Subscription) UnmarshalJSON(data []byte) error {
	type plain Subscription
	return decode(data, (*plain)(v), &v.raw)
}

// A SubscriptionsPage is one page of subscriptions.
type SubscriptionsPage struct {
	Object
	Subscriptions []Subscription `json:"subscriptions"`
	NextPageToken Token          `json:"next_page_token"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *SubscriptionsPage) UnmarshalJSON(data []byte) error {
	type plain SubscriptionsPage
	return decode(data, (*plain)(v), &v.raw)
}

// A RebalancingRun is one restoration of a portfolio.
type RebalancingRun struct {
	Object
	ID            string         `json:"id"`
	Type          string         `json:"type"`
	Amount        Number         `json:"amount"`
	InitiatedFrom string         `json:"initiated_from"`
	Status        string         `json:"status"`
	Reason        string         `json:"reason"`
	AccountID     string         `json:"account_id"`
	PortfolioID   string         `json:"portfolio_id"`
	Weights       []Weight       `json:"weights"`
	Orders        []Order        `json:"orders"`
	SkippedOrders []SkippedOrder `json:"skipped_orders"`
	CompletedAt   Time           `json:"completed_at"`
	CanceledAt    Time           `json:"canceled_at"`
	CreatedAt     Time           `json:"created_at"`
	UpdatedAt     Time           `json:"updated_at"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *RebalancingRun) UnmarshalJSON(data []byte) error {
	type plain RebalancingRun
	return decode(data, (*plain)(v), &v.raw)
}

// A SkippedOrder is an order that a run did not place.
type SkippedOrder struct {
	Object
	Symbol        string `json:"symbol"`
	Side          string `json:"side"`
	Notional      Number `json:"notional"`
	Currency      string `json:"currency"`
	Reason        string `json:"reason"`
	ReasonDetails string `json:"reason_details"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *SkippedOrder) UnmarshalJSON(data []byte) error {
	type plain SkippedOrder
	return decode(data, (*plain)(v), &v.raw)
}

// A RunsPage is one page of runs.
type RunsPage struct {
	Object
	Runs          []RebalancingRun `json:"runs"`
	NextPageToken Token            `json:"next_page_token"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *RunsPage) UnmarshalJSON(data []byte) error {
	type plain RunsPage
	return decode(data, (*plain)(v), &v.raw)
}

// AllPositions are the positions of all accounts by account.
type AllPositions struct {
	Object
	AsOf      Time                  `json:"as_of"`
	Positions map[string][]Position `json:"positions"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *AllPositions) UnmarshalJSON(data []byte) error {
	type plain AllPositions
	return decode(data, (*plain)(v), &v.raw)
}
