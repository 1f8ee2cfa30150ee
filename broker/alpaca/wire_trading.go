package alpaca

// An OrderStatus is Alpaca's state of an order. It is an open set.
type OrderStatus string

// The states of orders.
const (
	StatusNew                OrderStatus = "new"
	StatusPartiallyFilled    OrderStatus = "partially_filled"
	StatusFilled             OrderStatus = "filled"
	StatusDoneForDay         OrderStatus = "done_for_day"
	StatusCanceled           OrderStatus = "canceled"
	StatusExpired            OrderStatus = "expired"
	StatusReplaced           OrderStatus = "replaced"
	StatusPendingCancel      OrderStatus = "pending_cancel"
	StatusPendingReplace     OrderStatus = "pending_replace"
	StatusPendingReview      OrderStatus = "pending_review"
	StatusAccepted           OrderStatus = "accepted"
	StatusPendingNew         OrderStatus = "pending_new"
	StatusAcceptedForBidding OrderStatus = "accepted_for_bidding"
	StatusStopped            OrderStatus = "stopped"
	StatusRejected           OrderStatus = "rejected"
	StatusSuspended          OrderStatus = "suspended"
	StatusCalculated         OrderStatus = "calculated"
	StatusHeld               OrderStatus = "held"
)

// A ClosedBody is either the order that closes a position or a failure.
type ClosedBody struct {
	Order   Order
	Failure APIBody
}

// UnmarshalJSON reads both.
func (b *ClosedBody) UnmarshalJSON(data []byte) error {
	if err := b.Order.UnmarshalJSON(data); err != nil {
		return err
	}
	return b.Failure.UnmarshalJSON(data)
}

// An Account is the money and the permissions of an account: GET /v2/account.
// Past figures start with Last.
type Account struct {
	Object
	ID                        string `json:"id"`
	Number                    string `json:"account_number"`
	Status                    string `json:"status"` // ACTIVE when it may trade
	CryptoStatus              string `json:"crypto_status"`
	Currency                  string `json:"currency"`
	Cash                      Number `json:"cash"`
	CashWithdrawable          Number `json:"cash_withdrawable"`
	CashTransferable          Number `json:"cash_transferable"`
	PortfolioValue            Number `json:"portfolio_value"` // the same as Equity
	Equity                    Number `json:"equity"`
	BuyingPower               Number `json:"buying_power"`
	RegTBuyingPower           Number `json:"regt_buying_power"`
	DayTradingBuyingPower     Number `json:"daytrading_buying_power"`
	NonMarginableBuyingPower  Number `json:"non_marginable_buying_power"`
	OptionsBuyingPower        Number `json:"options_buying_power"`
	LongMarketValue           Number `json:"long_market_value"`
	ShortMarketValue          Number `json:"short_market_value"` // negative
	InitialMargin             Number `json:"initial_margin"`
	MaintenanceMargin         Number `json:"maintenance_margin"`
	SMA                       Number `json:"sma"`
	Multiplier                Number `json:"multiplier"` // 1 cash, 2 margin, 4 pattern day trader
	AccruedFees               Number `json:"accrued_fees"`
	PendingTransferIn         Number `json:"pending_transfer_in"`
	PendingTransferOut        Number `json:"pending_transfer_out"`
	PatternDayTrader          bool   `json:"pattern_day_trader"`
	DayTradeCount             Number `json:"daytrade_count"`
	TradeSuspendedByUser      bool   `json:"trade_suspended_by_user"`
	TradingBlocked            bool   `json:"trading_blocked"`
	TransfersBlocked          bool   `json:"transfers_blocked"`
	AccountBlocked            bool   `json:"account_blocked"`
	ShortingEnabled           bool   `json:"shorting_enabled"`
	OptionsApprovedLevel      Number `json:"options_approved_level"` // 0 to 3
	OptionsTradingLevel       Number `json:"options_trading_level"`
	CreatedAt                 Time   `json:"created_at"`
	ClearingBroker            string `json:"clearing_broker"`
	PreviousClose             Time   `json:"previous_close"`
	LastEquity                Number `json:"last_equity"`
	LastCash                  Number `json:"last_cash"`
	LastBuyingPower           Number `json:"last_buying_power"`
	LastRegTBuyingPower       Number `json:"last_regt_buying_power"`
	LastDayTradingBuyingPower Number `json:"last_daytrading_buying_power"`
	LastDayTradeCount         Number `json:"last_daytrade_count"`
	LastInitialMargin         Number `json:"last_initial_margin"`
	LastMaintenanceMargin     Number `json:"last_maintenance_margin"`
	LastLongMarketValue       Number `json:"last_long_market_value"`
	LastShortMarketValue      Number `json:"last_short_market_value"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Account) UnmarshalJSON(data []byte) error {
	type plain Account
	return decode(data, (*plain)(v), &v.raw)
}

// Configurations are the settings of an account: GET /v2/account/configurations.
type Configurations struct {
	Object
	DTBPCheck              string `json:"dtbp_check"` // day-trading margin call check: both, entry, exit
	PDTCheck               string `json:"pdt_check"`  // pattern day trader check
	FractionalTrading      bool   `json:"fractional_trading"`
	MaxMarginMultiplier    Number `json:"max_margin_multiplier"`
	MaxOptionsTradingLevel Number `json:"max_options_trading_level"`
	NoShorting             bool   `json:"no_shorting"`
	SuspendTrade           bool   `json:"suspend_trade"`
	TradeConfirmEmail      string `json:"trade_confirm_email"`
	PTPNoExceptionEntry    bool   `json:"ptp_no_exception_entry"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Configurations) UnmarshalJSON(data []byte) error {
	type plain Configurations
	return decode(data, (*plain)(v), &v.raw)
}

// A Position is an open position. The quantity is signed; Side says it too.
type Position struct {
	Object
	AssetID                string    `json:"asset_id"`
	AccountID              string    `json:"account_id"`
	Symbol                 string    `json:"symbol"`
	Exchange               string    `json:"exchange"`
	AssetClass             string    `json:"asset_class"` // us_equity, us_option, crypto
	AssetMarginable        bool      `json:"asset_marginable"`
	Qty                    Number    `json:"qty"`
	QtyAvailable           Number    `json:"qty_available"` // what no order holds
	Side                   string    `json:"side"`          // long or short
	AvgEntryPrice          Number    `json:"avg_entry_price"`
	MarketValue            Number    `json:"market_value"`
	CostBasis              Number    `json:"cost_basis"`
	UnrealizedPL           Number    `json:"unrealized_pl"`
	UnrealizedPLPC         Number    `json:"unrealized_plpc"` // decimal, of the cost
	UnrealizedIntradayPL   Number    `json:"unrealized_intraday_pl"`
	UnrealizedIntradayPLPC Number    `json:"unrealized_intraday_plpc"`
	CurrentPrice           Number    `json:"current_price"`
	LastDayPrice           Number    `json:"lastday_price"`
	ChangeToday            Number    `json:"change_today"` // decimal
	SwapRate               Number    `json:"swap_rate"`    // to dollars, of accounts in another currency
	AvgEntrySwapRate       Number    `json:"avg_entry_swap_rate"`
	USD                    *Position `json:"usd"`         // the amounts in dollars
	EntryPrice             Number    `json:"entry_price"` // early versions of the API
	LastPrice              Number    `json:"last_price"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Position) UnmarshalJSON(data []byte) error {
	type plain Position
	return decode(data, (*plain)(v), &v.raw)
}

// An Order is an order as Alpaca has it. A multi-leg order has no symbol and side
// of its own; its legs, and the exits of a bracket, are in Legs.
type Order struct {
	Object
	ID                string      `json:"id"`
	ClientOrderID     string      `json:"client_order_id"`
	AccountID         string      `json:"account_id"`
	CreatedAt         Time        `json:"created_at"`
	UpdatedAt         Time        `json:"updated_at"`
	SubmittedAt       Time        `json:"submitted_at"`
	FilledAt          Time        `json:"filled_at"`
	ExpiredAt         Time        `json:"expired_at"`
	ExpiresAt         Time        `json:"expires_at"`
	CanceledAt        Time        `json:"canceled_at"`
	CancelledAt       Time        `json:"cancelled_at"` // early versions of the API
	CancelRequestedAt Time        `json:"cancel_requested_at"`
	FailedAt          Time        `json:"failed_at"`
	FailedReason      string      `json:"failured_reason"`
	ReplacedAt        Time        `json:"replaced_at"`
	ReplacedBy        string      `json:"replaced_by"`
	Replaces          string      `json:"replaces"`
	AssetID           string      `json:"asset_id"`
	Symbol            string      `json:"symbol"`
	AssetClass        string      `json:"asset_class"`
	Notional          Number      `json:"notional"`
	Qty               Number      `json:"qty"`
	FilledQty         Number      `json:"filled_qty"`
	FilledAvgPrice    Number      `json:"filled_avg_price"`
	OrderClass        string      `json:"order_class"` // simple or empty, bracket, oco, oto, mleg
	OrderType         string      `json:"order_type"`
	Type              string      `json:"type"`
	Side              string      `json:"side"`
	TimeInForce       string      `json:"time_in_force"`
	EarlyTimeInForce  string      `json:"timeinforce"` // early versions of the API
	LimitPrice        Number      `json:"limit_price"` // mleg: debit positive, credit negative
	StopPrice         Number      `json:"stop_price"`
	Status            OrderStatus `json:"status"`
	ExtendedHours     bool        `json:"extended_hours"`
	Legs              []Order     `json:"legs"`
	TrailPercent      Number      `json:"trail_percent"`
	TrailPrice        Number      `json:"trail_price"`
	HWM               Number      `json:"hwm"` // high (sell) or low (buy) water mark of a trailing stop
	PositionIntent    string      `json:"position_intent"`
	RatioQty          Number      `json:"ratio_qty"`
	Commission        Number      `json:"commission"`
	Subtag            string      `json:"subtag"`
	Source            string      `json:"source"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Order) UnmarshalJSON(data []byte) error {
	type plain Order
	return decode(data, (*plain)(v), &v.raw)
}

// An OrderResult is what became of one order of DELETE /v2/orders.
type OrderResult struct {
	Object
	ID     string   `json:"id"`
	Status int      `json:"status"` // HTTP
	Body   *APIBody `json:"body"`   // of a failure
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *OrderResult) UnmarshalJSON(data []byte) error {
	type plain OrderResult
	return decode(data, (*plain)(v), &v.raw)
}

// A ClosedPosition is what became of one position of DELETE /v2/positions: an
// order when Status is 200.
type ClosedPosition struct {
	Object
	Symbol string      `json:"symbol"`
	Status int         `json:"status"` // HTTP
	Body   *ClosedBody `json:"body"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *ClosedPosition) UnmarshalJSON(data []byte) error {
	type plain ClosedPosition
	return decode(data, (*plain)(v), &v.raw)
}

// An APIBody is a failure within a list of results.
type APIBody struct {
	Object
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *APIBody) UnmarshalJSON(data []byte) error {
	type plain APIBody
	return decode(data, (*plain)(v), &v.raw)
}

// An Asset is something that can be traded.
type Asset struct {
	Object
	ID                           string   `json:"id"`
	Class                        string   `json:"class"`       // us_equity, us_option, crypto
	EarlyClass                   string   `json:"asset_class"` // early versions of the API
	Exchange                     string   `json:"exchange"`
	Symbol                       string   `json:"symbol"`
	Name                         string   `json:"name"`
	Status                       string   `json:"status"`
	Tradable                     bool     `json:"tradable"`
	Marginable                   bool     `json:"marginable"`
	Shortable                    bool     `json:"shortable"`
	EasyToBorrow                 bool     `json:"easy_to_borrow"`
	Fractionable                 bool     `json:"fractionable"`
	MinOrderSize                 Number   `json:"min_order_size"`
	MinTradeIncrement            Number   `json:"min_trade_increment"`
	PriceIncrement               Number   `json:"price_increment"`
	MaintenanceMarginRequirement Number   `json:"maintenance_margin_requirement"` // percent
	Attributes                   []string `json:"attributes"`                     // such as options_enabled
	LastPrice                    Number   `json:"last_price"`
	LastClosePctChange           Number   `json:"last_close_pct_change"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Asset) UnmarshalJSON(data []byte) error {
	type plain Asset
	return decode(data, (*plain)(v), &v.raw)
}

// An OptionContract is a listed option.
type OptionContract struct {
	Object
	ID                string `json:"id"`
	Symbol            string `json:"symbol"` // compact OCC
	Name              string `json:"name"`
	Status            string `json:"status"`
	Tradable          bool   `json:"tradable"`
	ExpirationDate    Day    `json:"expiration_date"`
	RootSymbol        string `json:"root_symbol"`
	UnderlyingSymbol  string `json:"underlying_symbol"`
	UnderlyingAssetID string `json:"underlying_asset_id"`
	Type              string `json:"type"`  // call or put
	Style             string `json:"style"` // american or european
	StrikePrice       Number `json:"strike_price"`
	Size              Number `json:"size"` // shares
	OpenInterest      Number `json:"open_interest"`
	OpenInterestDate  Day    `json:"open_interest_date"`
	ClosePrice        Number `json:"close_price"`
	ClosePriceDate    Day    `json:"close_price_date"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *OptionContract) UnmarshalJSON(data []byte) error {
	type plain OptionContract
	return decode(data, (*plain)(v), &v.raw)
}

// An OptionContractsPage is one page of contracts.
type OptionContractsPage struct {
	Object
	Contracts     []OptionContract `json:"option_contracts"`
	NextPageToken string           `json:"next_page_token"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *OptionContractsPage) UnmarshalJSON(data []byte) error {
	type plain OptionContractsPage
	return decode(data, (*plain)(v), &v.raw)
}

// An Announcement is a corporate action of the Trading API.
type Announcement struct {
	Object
	ID                      string `json:"id"`
	CorporateActionID       string `json:"corporate_action_id"`
	Type                    string `json:"ca_type"`
	SubType                 string `json:"ca_sub_type"`
	InitiatingSymbol        string `json:"initiating_symbol"`
	InitiatingOriginalCUSIP string `json:"initiating_original_cusip"`
	TargetSymbol            string `json:"target_symbol"`
	TargetOriginalCUSIP     string `json:"target_original_cusip"`
	DeclarationDate         Day    `json:"declaration_date"`
	ExDate                  Day    `json:"ex_date"`
	ExpirationDate          Day    `json:"expiration_date"`
	RecordDate              Day    `json:"record_date"`
	PayableDate             Day    `json:"payable_date"`
	Cash                    Number `json:"cash"`
	OldRate                 Number `json:"old_rate"`
	NewRate                 Number `json:"new_rate"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Announcement) UnmarshalJSON(data []byte) error {
	type plain Announcement
	return decode(data, (*plain)(v), &v.raw)
}

// A CalendarDay is a trading day. Times are New York wall-clock times.
type CalendarDay struct {
	Object
	Date           Day    `json:"date"`
	Open           string `json:"open"` // 09:30
	Close          string `json:"close"`
	SessionOpen    string `json:"session_open"` // 0400
	SessionClose   string `json:"session_close"`
	SettlementDate Day    `json:"settlement_date"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *CalendarDay) UnmarshalJSON(data []byte) error {
	type plain CalendarDay
	return decode(data, (*plain)(v), &v.raw)
}

// A MarketClock is the exchange's clock.
type MarketClock struct {
	Object
	Timestamp Time `json:"timestamp"`
	IsOpen    bool `json:"is_open"`
	NextOpen  Time `json:"next_open"`
	NextClose Time `json:"next_close"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *MarketClock) UnmarshalJSON(data []byte) error {
	type plain MarketClock
	return decode(data, (*plain)(v), &v.raw)
}

// An Activity is one line of an account's history. Fills have a transaction time,
// the others a date.
type Activity struct {
	Object
	ID              string      `json:"id"`
	AccountID       string      `json:"account_id"`
	ActivityType    string      `json:"activity_type"` // FILL, DIV, INT, FEE, OPASN …
	ActivitySubType string      `json:"activity_sub_type"`
	TransactionTime Time        `json:"transaction_time"`
	Date            Day         `json:"date"`
	CreatedAt       Time        `json:"created_at"`
	NetAmount       Number      `json:"net_amount"`
	Description     string      `json:"description"`
	Status          string      `json:"status"`
	Symbol          string      `json:"symbol"`
	Type            string      `json:"type"` // of a fill: fill or partial_fill
	Side            string      `json:"side"` // of a fill
	Price           Number      `json:"price"`
	Qty             Number      `json:"qty"`
	CumQty          Number      `json:"cum_qty"`
	LeavesQty       Number      `json:"leaves_qty"`
	PerShareAmount  Number      `json:"per_share_amount"`
	OrderID         string      `json:"order_id"`
	OrderStatus     OrderStatus `json:"order_status"`
	GroupID         string      `json:"group_id"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Activity) UnmarshalJSON(data []byte) error {
	type plain Activity
	return decode(data, (*plain)(v), &v.raw)
}

// A PortfolioHistory is the value of an account over time: four lists of equal
// length.
type PortfolioHistory struct {
	Object
	Timestamps    []int64  `json:"timestamp"` // Unix seconds; early answers have milliseconds
	Equity        []Number `json:"equity"`
	ProfitLoss    []Number `json:"profit_loss"`
	ProfitLossPct []Number `json:"profit_loss_pct"` // decimal
	BaseValue     Number   `json:"base_value"`
	BaseValueAsOf Day      `json:"base_value_asof"`
	Timeframe     string   `json:"timeframe"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *PortfolioHistory) UnmarshalJSON(data []byte) error {
	type plain PortfolioHistory
	return decode(data, (*plain)(v), &v.raw)
}

// A Watchlist is a list of assets.
type Watchlist struct {
	Object
	ID        string  `json:"id"`
	AccountID string  `json:"account_id"`
	Name      string  `json:"name"`
	CreatedAt Time    `json:"created_at"`
	UpdatedAt Time    `json:"updated_at"`
	Assets    []Asset `json:"assets"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Watchlist) UnmarshalJSON(data []byte) error {
	type plain Watchlist
	return decode(data, (*plain)(v), &v.raw)
}

// A Bond is a treasury or a corporate bond; the rating and liquidity figures of
// corporates are in Raw.
type Bond struct {
	Object
	CUSIP                string `json:"cusip"`
	ISIN                 string `json:"isin"`
	BondStatus           string `json:"bond_status"`
	Tradable             bool   `json:"tradable"`
	Subtype              string `json:"subtype"`
	Issuer               string `json:"issuer"`
	Ticker               string `json:"ticker"`
	Sector               string `json:"sector"`
	Description          string `json:"description"`
	IssueDate            Day    `json:"issue_date"`
	MaturityDate         Day    `json:"maturity_date"`
	Coupon               Number `json:"coupon"` // percent
	CouponType           string `json:"coupon_type"`
	CouponFrequency      string `json:"coupon_frequency"`
	ClosePrice           Number `json:"close_price"`
	ClosePriceDate       Day    `json:"close_price_date"`
	CloseYieldToMaturity Number `json:"close_yield_to_maturity"` // percent
	CloseYieldToWorst    Number `json:"close_yield_to_worst"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Bond) UnmarshalJSON(data []byte) error {
	type plain Bond
	return decode(data, (*plain)(v), &v.raw)
}

// Bonds are the bonds of one of the two lists.
type Bonds struct {
	Object
	Treasuries []Bond `json:"us_treasuries"`
	Corporates []Bond `json:"us_corporates"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *Bonds) UnmarshalJSON(data []byte) error {
	type plain Bonds
	return decode(data, (*plain)(v), &v.raw)
}
