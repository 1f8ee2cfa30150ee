package alpaca

import (
	"cmp"
	"context"
	"net/url"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A Market is one of the three families of market data routes.
type Market int

// The families.
const (
	StockMarket Market = iota
	OptionMarket
	CryptoMarket // "BTC/USD", of Alpaca's own venue
)

// path is the route of a family, and the form of it that messages show.
func (m Market) path(tail string) (string, []string) {
	prefix := "v2/stocks/"
	switch m {
	case OptionMarket:
		prefix = "v1beta1/options/"
	case CryptoMarket:
		prefix = "v1beta3/crypto/us/"
	}
	return "/" + prefix + tail, at(prefix + tail)
}

// latest is the tail of the routes of newest values.
func (m Market) latest(what string) string {
	if m == CryptoMarket {
		return "latest/" + what
	}
	return what + "/latest"
}

// feed is the feed that a family is asked for; historical option data and crypto
// know none.
func (c *Client) feed(m Market, historical bool) string {
	switch {
	case m == StockMarket:
		return c.opts.StockFeed
	case m == OptionMarket && !historical:
		return c.opts.OptionFeed
	}
	return ""
}

// A DataQuery selects historical data. Symbols are required: at most 100 options,
// some hundred shares.
type DataQuery struct {
	Market     Market
	Symbols    []string
	Timeframe  string // bars: 1Min … 59Min, 1Hour … 23Hour, 1Day, 1Week, 1Month … 12Month
	Start, End time.Time
	Limit      int    // of all symbols together; at most 10000, the default is 1000
	Adjustment string // bars of shares: raw, which is the default, split, dividend, all
	AsOf       string // shares: the day on which the symbol meant the company
	Descending bool
	PageToken  string
}

func (c *Client) dataQuery(q DataQuery) url.Values {
	sort := ""
	if q.Descending {
		sort = "desc"
	}
	return query("symbols", strings.Join(q.Symbols, ","), "timeframe", q.Timeframe, "start", stamp(q.Start), "end", stamp(q.End),
		"limit", count(q.Limit), "adjustment", q.Adjustment, "asof", q.AsOf, "feed", c.feed(q.Market, true), "sort", sort, "page_token", q.PageToken)
}

// Bars returns one page of bars, by symbol, then time.
//
// GET /v2/stocks/bars, /v1beta1/options/bars, /v1beta3/crypto/us/bars
func (c *Client) Bars(ctx context.Context, q DataQuery) (*BarsPage, error) {
	op, path := q.Market.path("bars")
	return get[BarsPage](ctx, c, c.data, op, path, c.dataQuery(q))
}

// Trades returns one page of trades.
//
// GET /v2/stocks/trades, /v1beta1/options/trades, /v1beta3/crypto/us/trades
func (c *Client) Trades(ctx context.Context, q DataQuery) (*TradesPage, error) {
	op, path := q.Market.path("trades")
	return get[TradesPage](ctx, c, c.data, op, path, c.dataQuery(q))
}

// Quotes returns one page of quotes; options have none.
//
// GET /v2/stocks/quotes, /v1beta3/crypto/us/quotes
func (c *Client) Quotes(ctx context.Context, q DataQuery) (*QuotesPage, error) {
	op, path := q.Market.path("quotes")
	return get[QuotesPage](ctx, c, c.data, op, path, c.dataQuery(q))
}

// Auctions returns one page of the auctions of shares.
//
// GET /v2/stocks/auctions
func (c *Client) Auctions(ctx context.Context, q DataQuery) (*AuctionsPage, error) {
	q.Market = StockMarket
	values := c.dataQuery(q)
	values.Del("feed") // auctions are of the SIP alone
	return get[AuctionsPage](ctx, c, c.data, "/v2/stocks/auctions", at("v2/stocks/auctions"), values)
}

func (c *Client) latestQuery(m Market, symbols []string) url.Values {
	return query("symbols", strings.Join(symbols, ","), "feed", c.feed(m, false))
}

// LatestBars returns the latest minute bars of shares or crypto.
//
// GET /v2/stocks/bars/latest, /v1beta3/crypto/us/latest/bars
func (c *Client) LatestBars(ctx context.Context, m Market, symbols []string) (*LatestBars, error) {
	op, path := m.path(m.latest("bars"))
	return get[LatestBars](ctx, c, c.data, op, path, c.latestQuery(m, symbols))
}

// LatestTrades returns the latest trades.
//
// GET /v2/stocks/trades/latest, /v1beta1/options/trades/latest, /v1beta3/crypto/us/latest/trades
func (c *Client) LatestTrades(ctx context.Context, m Market, symbols []string) (*LatestTrades, error) {
	op, path := m.path(m.latest("trades"))
	return get[LatestTrades](ctx, c, c.data, op, path, c.latestQuery(m, symbols))
}

// LatestQuotes returns the latest quotes.
//
// GET /v2/stocks/quotes/latest, /v1beta1/options/quotes/latest, /v1beta3/crypto/us/latest/quotes
func (c *Client) LatestQuotes(ctx context.Context, m Market, symbols []string) (*LatestQuotes, error) {
	op, path := m.path(m.latest("quotes"))
	return get[LatestQuotes](ctx, c, c.data, op, path, c.latestQuery(m, symbols))
}

// Snapshots returns the latest of everything by symbol. A symbol that Alpaca does
// not know is absent or nil.
//
// GET /v2/stocks/snapshots, /v1beta1/options/snapshots, /v1beta3/crypto/us/snapshots
func (c *Client) Snapshots(ctx context.Context, m Market, symbols []string) (map[string]*Snapshot, error) {
	op, path := m.path("snapshots")
	if m == StockMarket { // this route alone has no envelope
		out, err := get[map[string]*Snapshot](ctx, c, c.data, op, path, c.latestQuery(m, symbols))
		if err != nil {
			return nil, err
		}
		return *out, nil
	}
	out, err := get[SnapshotsPage](ctx, c, c.data, op, path, c.latestQuery(m, symbols))
	if err != nil {
		return nil, err
	}
	return out.Snapshots, nil
}

// A ChainQuery narrows an option chain.
type ChainQuery struct {
	Type           string // call or put
	StrikeFrom     string // decimal
	StrikeTo       string
	Expiration     market.Date
	ExpirationFrom market.Date
	ExpirationTo   market.Date
	Root           string
	Limit          int // at most 1000; the default is 100
	PageToken      string
}

// Chain returns one page of the snapshots of an underlying's options.
//
// GET /v1beta1/options/snapshots/{underlying}
func (c *Client) Chain(ctx context.Context, underlying string, q ChainQuery) (*SnapshotsPage, error) {
	return get[SnapshotsPage](ctx, c, c.data, "/v1beta1/options/snapshots/{underlying}", at("v1beta1/options/snapshots", underlying), query(
		"feed", c.opts.OptionFeed, "type", q.Type, "strike_price_gte", q.StrikeFrom, "strike_price_lte", q.StrikeTo,
		"expiration_date", date(q.Expiration), "expiration_date_gte", date(q.ExpirationFrom), "expiration_date_lte", date(q.ExpirationTo),
		"root_symbol", q.Root, "limit", count(q.Limit), "page_token", q.PageToken))
}

// A NewsQuery selects articles. The zero value selects the newest of all.
type NewsQuery struct {
	Symbols    []string
	Start, End time.Time
	Limit      int // at most 50; the default is 10
	Content    bool
	PageToken  string
}

// News returns one page of articles, newest first.
//
// GET /v1beta1/news
func (c *Client) News(ctx context.Context, q NewsQuery) (*NewsPage, error) {
	content := ""
	if q.Content {
		content = "true"
	}
	return get[NewsPage](ctx, c, c.data, "/v1beta1/news", at("v1beta1/news"), query(
		"symbols", strings.Join(q.Symbols, ","), "start", stamp(q.Start), "end", stamp(q.End), "limit", count(q.Limit),
		"include_content", content, "page_token", q.PageToken))
}

// A CorporateActionsQuery selects corporate actions by their ex- or process date.
type CorporateActionsQuery struct {
	Symbols   []string
	Types     []string // forward_split, reverse_split, cash_dividend …; nil: all
	From, To  market.Date
	Limit     int // at most 1000; the default is 100
	PageToken string
}

// CorporateActions returns one page of corporate actions.
//
// GET /v1/corporate-actions
func (c *Client) CorporateActions(ctx context.Context, q CorporateActionsQuery) (*CorporateActionsPage, error) {
	return get[CorporateActionsPage](ctx, c, c.data, "/v1/corporate-actions", at("v1/corporate-actions"), query(
		"symbols", strings.Join(q.Symbols, ","), "types", strings.Join(q.Types, ","), "start", date(q.From), "end", date(q.To),
		"limit", count(q.Limit), "page_token", q.PageToken))
}

// Movers returns the largest changes of price of the day.
//
// GET /v1beta1/screener/{market}/movers
func (c *Client) Movers(ctx context.Context, crypto bool, top int) (*Movers, error) {
	kind := "stocks"
	if crypto {
		kind = "crypto"
	}
	return get[Movers](ctx, c, c.data, "/v1beta1/screener/{market}/movers", at("v1beta1/screener", kind, "movers"), query("top", count(top)))
}

// MostActives returns the shares that trade most; by is volume, which is the
// default, or trades.
//
// GET /v1beta1/screener/stocks/most-actives
func (c *Client) MostActives(ctx context.Context, by string, top int) (*MostActives, error) {
	return get[MostActives](ctx, c, c.data, "/v1beta1/screener/stocks/most-actives", at("v1beta1/screener/stocks/most-actives"),
		query("by", cmp.Or(by, "volume"), "top", count(top)))
}

// BondPrices returns the latest prices of bonds by ISIN.
//
// GET /v1beta1/fixed_income/latest/prices
func (c *Client) BondPrices(ctx context.Context, isins []string) (*BondPrices, error) {
	return get[BondPrices](ctx, c, c.data, "/v1beta1/fixed_income/latest/prices", at("v1beta1/fixed_income/latest/prices"),
		query("isins", strings.Join(isins, ",")))
}

// PerpetualPricing returns the latest pricing of perpetual futures.
//
// GET /v1beta1/crypto-perps/global/latest/pricing
func (c *Client) PerpetualPricing(ctx context.Context, symbols []string) (*PerpetualPricing, error) {
	return get[PerpetualPricing](ctx, c, c.data, "/v1beta1/crypto-perps/global/latest/pricing", at("v1beta1/crypto-perps/global/latest/pricing"),
		query("symbols", strings.Join(symbols, ",")))
}
