package alpaca

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Account returns the account that the credentials reach.
//
// GET /v2/account
func (c *Client) Account(ctx context.Context) (*Account, error) {
	return get[Account](ctx, c, c.trading, "/v2/account", at("v2/account"), nil)
}

// Configurations returns the settings of the account.
//
// GET /v2/account/configurations
func (c *Client) Configurations(ctx context.Context) (*Configurations, error) {
	return get[Configurations](ctx, c, c.trading, "/v2/account/configurations", at("v2/account/configurations"), nil)
}

// A ConfigurationsChange changes what is not nil.
type ConfigurationsChange struct {
	DTBPCheck              *string          `json:"dtbp_check,omitempty"`
	PDTCheck               *string          `json:"pdt_check,omitempty"`
	FractionalTrading      *bool            `json:"fractional_trading,omitempty"`
	MaxMarginMultiplier    *decimal.Decimal `json:"max_margin_multiplier,omitempty"`
	MaxOptionsTradingLevel *int             `json:"max_options_trading_level,omitempty"`
	NoShorting             *bool            `json:"no_shorting,omitempty"`
	SuspendTrade           *bool            `json:"suspend_trade,omitempty"`
	TradeConfirmEmail      *string          `json:"trade_confirm_email,omitempty"`
	PTPNoExceptionEntry    *bool            `json:"ptp_no_exception_entry,omitempty"`
}

// Configure changes settings of the account and returns all of them.
//
// PATCH /v2/account/configurations
func (c *Client) Configure(ctx context.Context, change ConfigurationsChange) (*Configurations, error) {
	out := &Configurations{}
	err := c.do(ctx, c.trading, call{method: http.MethodPatch, op: "/v2/account/configurations", path: at("v2/account/configurations"), body: change}, out)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// An ActivitiesQuery selects activities. The zero value selects the newest page.
type ActivitiesQuery struct {
	Types     []string  // FILL, DIV …; nil: all
	After     time.Time // exclusive
	Until     time.Time // exclusive
	Ascending bool
	PageSize  int    // at most 100, which is the default
	PageToken string // the id of the last activity of the page before
}

// Activities returns one page of the account's history. The next page starts
// after the last one's ID.
//
// GET /v2/account/activities
func (c *Client) Activities(ctx context.Context, q ActivitiesQuery) ([]Activity, error) {
	direction := "desc"
	if q.Ascending {
		direction = "asc"
	}
	return list[Activity](ctx, c, c.trading, "/v2/account/activities", at("v2/account/activities"), query(
		"activity_types", strings.Join(q.Types, ","), "after", stamp(q.After), "until", stamp(q.Until),
		"direction", direction, "page_size", count(q.PageSize), "page_token", q.PageToken))
}

// A HistoryQuery selects a portfolio history. The zero value is a month by days.
type HistoryQuery struct {
	Period    string // 1D, 2W, 3M, 1A …
	Timeframe string // 1Min, 5Min, 15Min, 1H, 1D
	Start     time.Time
	End       time.Time
	Extended  bool // outside the regular session too
}

// PortfolioHistory returns the value of the account over time.
//
// GET /v2/account/portfolio/history
func (c *Client) PortfolioHistory(ctx context.Context, q HistoryQuery) (*PortfolioHistory, error) {
	hours := ""
	if q.Extended {
		hours = "extended_hours"
	}
	return get[PortfolioHistory](ctx, c, c.trading, "/v2/account/portfolio/history", at("v2/account/portfolio/history"), query(
		"period", q.Period, "timeframe", q.Timeframe, "start", stamp(q.Start), "end", stamp(q.End), "intraday_reporting", hours))
}

// Positions returns the open positions.
//
// GET /v2/positions
func (c *Client) Positions(ctx context.Context) ([]Position, error) {
	return list[Position](ctx, c, c.trading, "/v2/positions", at("v2/positions"), nil)
}

// Position returns one position by symbol or asset id.
//
// GET /v2/positions/{symbol}
func (c *Client) Position(ctx context.Context, symbol string) (*Position, error) {
	return get[Position](ctx, c, c.trading, "/v2/positions/{symbol}", at("v2/positions", symbol), nil)
}

// ClosePosition sends a market order that closes a position, all of it when qty
// is zero.
//
// DELETE /v2/positions/{symbol}
func (c *Client) ClosePosition(ctx context.Context, symbol string, qty decimal.Decimal) (*Order, error) {
	amount := ""
	switch {
	case qty.IsNegative():
		return nil, invalid.Field("qty", qty, "a positive quantity, or 0 for all")
	case !qty.IsZero():
		amount = qty.String()
	}
	out := &Order{}
	err := c.do(ctx, c.trading, call{method: http.MethodDelete, op: "/v2/positions/{symbol}", path: at("v2/positions", symbol), query: query("qty", amount)}, out)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// CloseAllPositions sends a market order for each position, after cancelling all
// orders when that is asked for.
//
// DELETE /v2/positions
func (c *Client) CloseAllPositions(ctx context.Context, cancelOrders bool) ([]ClosedPosition, error) {
	flag := ""
	if cancelOrders {
		flag = "true"
	}
	var out []ClosedPosition
	err := c.do(ctx, c.trading, call{method: http.MethodDelete, op: "/v2/positions", path: at("v2/positions"), query: query("cancel_orders", flag)}, &out)
	return out, err
}

// Exercise exercises all long contracts of a symbol.
//
// POST /v2/positions/{symbol}/exercise
func (c *Client) Exercise(ctx context.Context, symbol string) error {
	return c.do(ctx, c.trading, call{method: http.MethodPost, op: "/v2/positions/{symbol}/exercise", path: at("v2/positions", symbol, "exercise")}, nil)
}

// DoNotExercise lets long contracts of a symbol expire that would be exercised.
//
// POST /v2/positions/{symbol}/do-not-exercise
func (c *Client) DoNotExercise(ctx context.Context, symbol string) error {
	return c.do(ctx, c.trading, call{method: http.MethodPost, op: "/v2/positions/{symbol}/do-not-exercise", path: at("v2/positions", symbol, "do-not-exercise")}, nil)
}

// An AssetsQuery selects assets. The zero value selects all of them.
type AssetsQuery struct {
	Status     string // active or inactive
	Class      string // us_equity, us_option, crypto
	Exchange   string
	Attributes []string
}

// Assets lists what can be traded: thousands of entries.
//
// GET /v2/assets
func (c *Client) Assets(ctx context.Context, q AssetsQuery) ([]Asset, error) {
	return list[Asset](ctx, c, c.trading, "/v2/assets", at("v2/assets"), query(
		"status", q.Status, "asset_class", q.Class, "exchange", q.Exchange, "attributes", strings.Join(q.Attributes, ",")))
}

// Asset returns one asset by symbol or id.
//
// GET /v2/assets/{symbol}
func (c *Client) Asset(ctx context.Context, symbol string) (*Asset, error) {
	return get[Asset](ctx, c, c.trading, "/v2/assets/{symbol}", at("v2/assets", symbol), nil)
}

// A ContractsQuery selects option contracts. Without expirations Alpaca lists
// those until the next weekend.
type ContractsQuery struct {
	Underlyings      []string
	Status           string // active, which is the default, or inactive
	Expiration       market.Date
	ExpirationFrom   market.Date
	ExpirationTo     market.Date
	Root, Type       string // type: call or put
	Style            string
	StrikeFrom       *decimal.Decimal
	StrikeTo         *decimal.Decimal
	Limit            int // at most 10000; the default is 100
	PageToken        string
	ShowDeliverables bool // in Raw
}

// OptionContracts returns one page of contracts.
//
// GET /v2/options/contracts
func (c *Client) OptionContracts(ctx context.Context, q ContractsQuery) (*OptionContractsPage, error) {
	deliverables := ""
	if q.ShowDeliverables {
		deliverables = "true"
	}
	return get[OptionContractsPage](ctx, c, c.trading, "/v2/options/contracts", at("v2/options/contracts"), query(
		"underlying_symbols", strings.Join(q.Underlyings, ","), "status", q.Status, "expiration_date", date(q.Expiration),
		"expiration_date_gte", date(q.ExpirationFrom), "expiration_date_lte", date(q.ExpirationTo), "root_symbol", q.Root,
		"type", q.Type, "style", q.Style, "strike_price_gte", figure(q.StrikeFrom), "strike_price_lte", figure(q.StrikeTo),
		"limit", count(q.Limit), "page_token", q.PageToken, "show_deliverables", deliverables))
}

// OptionContract returns one contract by its compact OCC symbol or id.
//
// GET /v2/options/contracts/{symbol}
func (c *Client) OptionContract(ctx context.Context, symbol string) (*OptionContract, error) {
	return get[OptionContract](ctx, c, c.trading, "/v2/options/contracts/{symbol}", at("v2/options/contracts", symbol), nil)
}

// An AnnouncementsQuery selects announcements; Since and Until are required and at
// most 90 days apart.
type AnnouncementsQuery struct {
	Types        []string // dividend, merger, spinoff, split
	Since, Until market.Date
	Symbol       string
	DateType     string // declaration_date, ex_date, record_date, payable_date
}

// Announcements lists corporate actions that were announced.
//
// GET /v2/corporate_actions/announcements
func (c *Client) Announcements(ctx context.Context, q AnnouncementsQuery) ([]Announcement, error) {
	return list[Announcement](ctx, c, c.trading, "/v2/corporate_actions/announcements", at("v2/corporate_actions/announcements"), query(
		"ca_types", strings.Join(q.Types, ","), "since", date(q.Since), "until", date(q.Until), "symbol", q.Symbol, "date_type", q.DateType))
}

// Calendar lists the trading days from from to to, both included; zero dates are
// Alpaca's whole calendar.
//
// GET /v2/calendar
func (c *Client) Calendar(ctx context.Context, from, to market.Date) ([]CalendarDay, error) {
	return list[CalendarDay](ctx, c, c.trading, "/v2/calendar", at("v2/calendar"), query("start", date(from), "end", date(to)))
}

// Clock tells whether the market is open and when it opens and closes next.
//
// GET /v2/clock
func (c *Client) Clock(ctx context.Context) (*MarketClock, error) {
	return get[MarketClock](ctx, c, c.trading, "/v2/clock", at("v2/clock"), nil)
}

// Watchlists lists the watchlists without their assets.
//
// GET /v2/watchlists
func (c *Client) Watchlists(ctx context.Context) ([]Watchlist, error) {
	return list[Watchlist](ctx, c, c.trading, "/v2/watchlists", at("v2/watchlists"), nil)
}

// Watchlist returns one watchlist with its assets.
//
// GET /v2/watchlists/{id}
func (c *Client) Watchlist(ctx context.Context, id string) (*Watchlist, error) {
	return get[Watchlist](ctx, c, c.trading, "/v2/watchlists/{id}", at("v2/watchlists", id), nil)
}

// Treasuries lists government bonds.
//
// GET /v2/assets/fixed_income/us_treasuries
func (c *Client) Treasuries(ctx context.Context) (*Bonds, error) {
	return get[Bonds](ctx, c, c.trading, "/v2/assets/fixed_income/us_treasuries", at("v2/assets/fixed_income/us_treasuries"), nil)
}

// Corporates lists corporate bonds.
//
// GET /v2/assets/fixed_income/us_corporates
func (c *Client) Corporates(ctx context.Context) (*Bonds, error) {
	return get[Bonds](ctx, c, c.trading, "/v2/assets/fixed_income/us_corporates", at("v2/assets/fixed_income/us_corporates"), nil)
}

func date(d market.Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

func figure(d *decimal.Decimal) string {
	if d == nil {
		return ""
	}
	return d.String()
}
