package tastytrade

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// The base URLs of the broker. Production is real money; the sandbox has users
// and OAuth applications of its own and forgets everything but those every day.
const (
	Production = "https://api.tastyworks.com"
	Sandbox    = "https://api.cert.tastyworks.com"
)

const defaultUserAgent = "ttai/0.1"

// A DialFunc opens connections in place of the network, for servers in memory.
type DialFunc = rest.DialFunc

// ClientOptions configure a [Client]. The zero value works.
type ClientOptions struct {
	// BaseURL is Production when empty. It must be https, or http to this
	// machine; with Dial any host but the broker's will do.
	BaseURL string
	// UserAgent is "<product>/<version>"; the broker refuses requests without
	// one. Empty: ttai and its version.
	UserAgent string
	// HTTPClient is copied; redirects to other hosts are refused whatever it
	// says, and its cookies are not used. Nil: one of its own.
	HTTPClient *http.Client
	// Dial opens connections in place of the network, also for the stream.
	Dial DialFunc
	// Limiter is shared by every client of a credential. Nil: NewLimiter().
	Limiter Limiter
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // debug lines: operation, status, time taken; nil: silent
	// Timeout is for calls whose context has no deadline; 0: 30 s.
	Timeout time.Duration
	// Retries is how often a failed read is repeated; 0: 3, negative: never.
	Retries int
	// RetryWait is the wait before the first of them, doubled for each
	// further one; 0: 250 ms.
	RetryWait time.Duration
	// MaxResponseBytes is the largest answer read; 0: 32 MiB.
	MaxResponseBytes int64
	// AcceptVersion pins the API to its state of a day, YYYYMMDD; empty: the
	// newest. The sandbox does not find its order routes when one is named, so
	// it is left out there.
	AcceptVersion string
	// BacktestURL is the base URL of the backtesting host. Empty: the broker's,
	// when BaseURL is Production; no other environment has one of its own, and
	// then backtests are refused here, because a credential goes to hosts that
	// the caller named only.
	BacktestURL string
}

// A Client calls the API on behalf of one credential. It is safe for
// concurrent use.
type Client struct {
	Customers      *CustomersService
	Accounts       *AccountsService
	Balances       *BalancesService
	NetLiq         *NetLiqService
	Positions      *PositionsService
	Instruments    *InstrumentsService
	OptionChains   *OptionChainsService
	MarketData     *MarketDataService
	MarketMetrics  *MarketMetricsService
	MarketSessions *MarketSessionsService
	Symbols        *SymbolsService
	QuoteTokens    *QuoteTokensService
	Margin         *MarginService
	Risk           *RiskService
	Transactions   *TransactionsService
	Watchlists     *WatchlistsService
	QuoteAlerts    *QuoteAlertsService
	Backtests      *BacktestsService
	Orders         *OrdersService
	ComplexOrders  *ComplexOrdersService

	rest      *rest.Client
	backtests *rest.Client // nil: there is none
	tokens    TokenSource
	opts      ClientOptions
}

// NewClient returns a Client that gets its access tokens from tokens. Nil
// options are the zero value; they are copied.
func NewClient(tokens TokenSource, opts *ClientOptions) (*Client, error) {
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	if tokens == nil {
		return nil, invalid.Missing("tokens", "a token source, such as that of RefreshTokenSource")
	}
	if o.BaseURL == "" {
		o.BaseURL = Production
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.Limiter == nil {
		o.Limiter = NewLimiter()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if v := o.AcceptVersion; v != "" {
		if _, err := time.Parse("20060102", v); err != nil {
			return nil, invalid.Field("AcceptVersion", v, "a day as YYYYMMDD")
		}
	}
	if err := encrypted(o.BaseURL); err != nil {
		return nil, err
	}
	if err := sameEnvironment(tokens, o.BaseURL); err != nil {
		return nil, err
	}
	options := rest.Options{
		BaseURL: o.BaseURL, UserAgent: o.UserAgent, HTTPClient: o.HTTPClient, Dial: o.Dial, Limiter: o.Limiter,
		Now: o.Now, Logger: o.Logger, Timeout: o.Timeout, Retries: o.Retries, MinWait: o.RetryWait, MaxBytes: o.MaxResponseBytes,
	}
	r, err := rest.New(options)
	if err != nil {
		return nil, err
	}
	c := &Client{rest: r, tokens: tokens, opts: o}
	if c.backtests, err = backtestClient(options, o.BacktestURL); err != nil {
		return nil, err
	}
	c.Customers = &CustomersService{c}
	c.Accounts = &AccountsService{c}
	c.Balances = &BalancesService{c}
	c.Positions = &PositionsService{c}
	c.Instruments = &InstrumentsService{c}
	c.OptionChains = &OptionChainsService{c}
	c.MarketData = &MarketDataService{c}
	c.MarketMetrics = &MarketMetricsService{c}
	c.MarketSessions = &MarketSessionsService{c}
	c.Symbols = &SymbolsService{c}
	c.QuoteTokens = &QuoteTokensService{c}
	c.Orders = &OrdersService{c}
	c.ComplexOrders = &ComplexOrdersService{c}
	c.NetLiq = &NetLiqService{c}
	c.Margin = &MarginService{c}
	c.Risk = &RiskService{c}
	c.Transactions = &TransactionsService{c}
	c.Watchlists = &WatchlistsService{c}
	c.QuoteAlerts = &QuoteAlertsService{c}
	c.Backtests = &BacktestsService{c}
	return c, nil
}

// Close closes idle connections. Calls in flight and later calls still work.
func (c *Client) Close() {
	c.rest.CloseIdle()
	if c.backtests != nil {
		c.backtests.CloseIdle()
	}
}

// DialMarketData opens the market-data stream, with a new quote token for
// every connection it makes. Dial and HTTPClient of opts are the client's own
// when nil. The address is the one that the broker gives; a broker that gives
// one without TLS is refused.
func (c *Client) DialMarketData(ctx context.Context, opts *dxlink.Options) (*dxlink.Conn, error) {
	var o dxlink.Options
	if opts != nil {
		o = *opts
	}
	if o.Dial == nil && o.HTTPClient == nil {
		o.Dial, o.HTTPClient = c.opts.Dial, c.opts.HTTPClient
	}
	if o.Logger == nil {
		o.Logger = c.opts.Logger
	}
	if o.UserAgent == "" {
		o.UserAgent = c.opts.UserAgent
	}
	first, err := c.QuoteTokens.Get(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.streamURL(first.DXLinkURL); err != nil {
		return nil, fmt.Errorf("tastytrade: the market-data address that the broker gave: %w", err)
	}
	// The token in hand is for the first connection; later ones need their own.
	unused := make(chan string, 1)
	unused <- first.Token
	return dxlink.Dial(ctx, first.DXLinkURL, func(ctx context.Context) (string, error) {
		select {
		case token := <-unused:
			return token, nil
		default:
		}
		t, err := c.QuoteTokens.Get(ctx)
		if errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) {
			return "", fmt.Errorf("%w: %w", dxlink.ErrUnauthorized, err) // asking for ever would not help
		}
		if err != nil {
			return "", err
		}
		return t.Token, nil
	}, &o)
}
