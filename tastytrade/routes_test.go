package tastytrade_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/tastytrade"
)

var halfPastTwo = time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)

// route is a routeCall of a method that gives a result and an error.
func route(method, want string, call func(ctx context.Context, c *tastytrade.Client) (any, error)) routeCall {
	return routeCall{method: method, want: want, call: func(ctx context.Context, c *tastytrade.Client) error {
		_, err := call(ctx, c)
		return err
	}}
}

func (rc routeCall) sends(body string) routeCall { rc.body = body; return rc }
func (rc routeCall) at(host string) routeCall    { rc.host = host; return rc }
func (rc routeCall) withoutToken() routeCall     { rc.public = true; return rc }

// first takes one item of a list.
func first[T any](list iter.Seq2[T, error]) (any, error) {
	for item, err := range list {
		return item, err
	}
	return nil, nil
}

func accountRoutes() []routeCall {
	return []routeCall{
		route("Accounts.List", "GET /customers/me/accounts", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Accounts.List(ctx) }),
		route("Accounts.Get", "GET /customers/me/accounts/5WX1", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Accounts.Get(ctx, "5WX1") }),
		route("Accounts.TradingStatus", "GET /accounts/5WX1/trading-status", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Accounts.TradingStatus(ctx, "5WX1")
		}),
		route("Balances.List", "GET /accounts/5WX1/balances", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Balances.List(ctx, "5WX1") }),
		route("Balances.Get", "GET /accounts/5WX1/balances", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Balances.Get(ctx, "5WX1") }),
		route("Balances.GetCurrency", "GET /accounts/5WX1/balances/USD", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Balances.GetCurrency(ctx, "5WX1", "USD")
		}),
		route("Positions.List", "GET /accounts/5WX1/positions?include-marks=true&instrument-type=Equity+Option&net-positions=true&underlying-symbol%5B%5D=SPY&underlying-symbol%5B%5D=BRK%2FB", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Positions.List(ctx, "5WX1", &tastytrade.PositionsOptions{
				Underlyings: []string{"SPY", "BRK/B"}, Type: tastytrade.TypeEquityOption, IncludeMarks: true, Net: true,
			})
		}),
		route("QuoteTokens.Get", "GET /api-quote-tokens", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.QuoteTokens.Get(ctx) }),
		route("Customers.Get", "GET /customers/me", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Customers.Get(ctx, "") }),
		route("Customers.Accounts", "GET /customers/17/accounts", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Customers.Accounts(ctx, "17") }),
		route("Customers.Account", "GET /customers/17/accounts/5WX1", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Customers.Account(ctx, "17", "5WX1")
		}),
		route("Balances.Snapshots", "GET /accounts/5WX1/balance-snapshots?currency=USD&end-date=2026-09-16&page-offset=1&per-page=2000&start-date=2026-09-16&time-of-day=BOD", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Balances.Snapshots(ctx, "5WX1", &tastytrade.SnapshotsOptions{TimeOfDay: tastytrade.BeginningOfDay, Currency: "USD", StartDate: september16, EndDate: september16, PerPage: 2000, PageOffset: 1})
		}),
		route("Balances.AllSnapshots", "GET /accounts/5WX1/balance-snapshots?time-of-day=EOD", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Balances.AllSnapshots(ctx, "5WX1", nil))
		}),
		route("NetLiq.History", "GET /accounts/5WX1/net-liq/history?end-time=2026-09-16T14%3A30%3A00Z&interval=1h&start-time=2026-09-16T14%3A30%3A00Z", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.NetLiq.History(ctx, "5WX1", &tastytrade.NetLiqHistoryOptions{Start: halfPastTwo, End: halfPastTwo, Interval: "1h"})
		}),
		route("NetLiq.Current", "GET /accounts/5WX1/net-liq", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.NetLiq.Current(ctx, "5WX1") }),
		route("Margin.Requirements", "GET /margin/accounts/5WX1/requirements", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Margin.Requirements(ctx, "5WX1")
		}),
		route("Risk.MarginRequirement", "GET /accounts/5WX1/margin-requirements/BRK%2FB/effective", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Risk.MarginRequirement(ctx, "5WX1", "BRK/B")
		}),
		route("Risk.PositionLimit", "GET /accounts/5WX1/position-limit", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Risk.PositionLimit(ctx, "5WX1") }),
		route("Risk.SPANRows", "GET /span/rows?date=2026-09-16&exchange=CME&per-page=50000", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Risk.SPANRows(ctx, tastytrade.SPANOptions{Date: september16, Exchange: "CME", PerPage: 50000})
		}),
		route("Risk.AllSPANRows", "GET /span/rows?date=2026-09-16&exchange=CFE&page-offset=3", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Risk.AllSPANRows(ctx, tastytrade.SPANOptions{Date: september16, Exchange: "CFE", PageOffset: 3}))
		}),
		route("Transactions.List", "GET /accounts/5WX1/transactions?action=Buy+to+Open&currency=USD&end-at=2026-09-16T14%3A30%3A00Z&end-date=2026-09-16&futures-symbol=%2FESZ6&instrument-type=Equity+Option&page-offset=2&partition-key=p&per-page=2000&sort=Asc&start-at=2026-09-16T14%3A30%3A00Z&start-date=2026-09-16&sub-type%5B%5D=Dividend&sub-type%5B%5D=Fee&symbol=SPY&type=Trade&types%5B%5D=Trade&types%5B%5D=Money+Movement&underlying-symbol=SPY", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Transactions.List(ctx, "5WX1", &tastytrade.TransactionsOptions{
				Sort: tastytrade.OldestFirst, Type: tastytrade.TransactionTrade,
				Types:    []tastytrade.TransactionType{tastytrade.TransactionTrade, tastytrade.TransactionMoneyMovement},
				SubTypes: []tastytrade.TransactionSubType{tastytrade.SubTypeDividend, tastytrade.SubTypeFee},
				Action:   tastytrade.BuyToOpen, Symbol: "SPY", UnderlyingSymbol: "SPY", FuturesSymbol: "/ESZ6",
				InstrumentType: tastytrade.TypeEquityOption, PartitionKey: "p", Currency: "USD",
				StartDate: september16, EndDate: september16, StartAt: halfPastTwo, EndAt: halfPastTwo, PerPage: 2000, PageOffset: 2,
			})
		}),
		route("Transactions.All", "GET /accounts/5WX1/transactions", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Transactions.All(ctx, "5WX1", nil))
		}),
		route("Transactions.Get", "GET /accounts/5WX1/transactions/252640963", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Transactions.Get(ctx, "5WX1", "252640963")
		}),
		route("Transactions.TotalFees", "GET /accounts/5WX1/transactions/total-fees?date=2026-09-16", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Transactions.TotalFees(ctx, "5WX1", september16)
		}),
		route("Watchlists.List", "GET /watchlists", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Watchlists.List(ctx) }),
		route("Watchlists.Get", "GET /watchlists/My%20list%2F2", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Watchlists.Get(ctx, "My list/2")
		}),
		route("Watchlists.ListPublic", "GET /public-watchlists?counts-only=true", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Watchlists.ListPublic(ctx, &tastytrade.PublicWatchlistsOptions{CountsOnly: true})
		}),
		route("Watchlists.GetPublic", "GET /public-watchlists/High%20Options%20Volume", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Watchlists.GetPublic(ctx, "High Options Volume")
		}),
		route("Watchlists.ListPairs", "GET /pairs-watchlists", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Watchlists.ListPairs(ctx) }),
		route("Watchlists.GetPairs", "GET /pairs-watchlists/Metals", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Watchlists.GetPairs(ctx, "Metals")
		}),
		route("QuoteAlerts.List", "GET /quote-alerts", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.QuoteAlerts.List(ctx) }),
	}
}

func instrumentRoutes() []routeCall {
	is := true
	return []routeCall{
		route("Instruments.Equities", "GET /instruments/equities?is-etf=true&page-offset=2&per-page=50&symbol%5B%5D=SPY&symbol%5B%5D=BRK%2FB", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Equities(ctx, &tastytrade.EquitiesOptions{Symbols: []string{"SPY", "BRK/B"}, ETF: &is, PerPage: 50, PageOffset: 2})
		}),
		route("Instruments.AllEquities", "GET /instruments/equities", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Instruments.AllEquities(ctx, nil))
		}),
		route("Instruments.Equity", "GET /instruments/equities/BRK%2FB", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Equity(ctx, "BRK/B")
		}),
		route("OptionChains.Nested", "GET /option-chains/SPY/nested", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.OptionChains.Nested(ctx, "SPY") }),
		route("Symbols.Search", "GET /symbols/search/BRK%2F", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Symbols.Search(ctx, "BRK/") }),
		route("Instruments.ActiveEquities", "GET /instruments/equities/active?lendability=Easy+To+Borrow&page-offset=1&per-page=10", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.ActiveEquities(ctx, &tastytrade.ActiveEquitiesOptions{Lendability: "Easy To Borrow", PerPage: 10, PageOffset: 1})
		}),
		route("Instruments.AllActiveEquities", "GET /instruments/equities/active", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Instruments.AllActiveEquities(ctx, nil))
		}),
		route("Instruments.EquityOption", "GET /instruments/equity-options/SPY%20%20%20261218C00500000?active=true", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.EquityOption(ctx, "SPY   261218C00500000", &tastytrade.EquityOptionOptions{Active: &is})
		}),
		route("Instruments.Search", "GET /instruments/search?category=Economics%2CSports&exchange=CME&from-date=2026-09-16&limit=100&query=crude&type=Future%2CFuture+Option", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Search(ctx, tastytrade.InstrumentSearch{
				Query: "crude", Types: []tastytrade.InstrumentType{tastytrade.TypeFuture, tastytrade.TypeFutureOption},
				Categories: []string{"Economics", "Sports"}, Exchanges: []string{"CME"}, FromDate: september16, Limit: 100,
			})
		}),
		route("Instruments.Futures", "GET /instruments/futures?exchange=CME&only-active-futures=true&page-offset=1&per-page=1000&product-code%5B%5D=ES&product-code%5B%5D=6A&security-id%5B%5D=1&symbol%5B%5D=%2FESZ6", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Futures(ctx, &tastytrade.FuturesOptions{
				Symbols: []string{"/ESZ6"}, ProductCodes: []string{"ES", "6A"}, SecurityIDs: []string{"1"}, Exchange: "CME", OnlyActive: &is, PerPage: 1000, PageOffset: 1,
			})
		}),
		route("Instruments.AllFutures", "GET /instruments/futures", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Instruments.AllFutures(ctx, nil))
		}),
		route("Instruments.Future", "GET /instruments/futures/%2FESZ6", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Future(ctx, "/ESZ6")
		}),
		route("Instruments.FutureProducts", "GET /instruments/future-products?per-page=5", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.FutureProducts(ctx, &tastytrade.PageOptions{PerPage: 5})
		}),
		route("Instruments.AllFutureProducts", "GET /instruments/future-products", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Instruments.AllFutureProducts(ctx, nil))
		}),
		route("Instruments.FutureProduct", "GET /instruments/future-products/CME/ES", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.FutureProduct(ctx, "CME", "ES")
		}),
		route("Instruments.FutureOptionProducts", "GET /instruments/future-option-products?page-offset=2", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.FutureOptionProducts(ctx, &tastytrade.PageOptions{PageOffset: 2})
		}),
		route("Instruments.AllFutureOptionProducts", "GET /instruments/future-option-products", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.Instruments.AllFutureOptionProducts(ctx, nil))
		}),
		route("Instruments.FutureOptionProduct", "GET /instruments/future-option-products/EW3", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.FutureOptionProduct(ctx, "EW3")
		}),
		route("Instruments.FutureOptionProductAt", "GET /instruments/future-option-products/CME/EW3", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.FutureOptionProductAt(ctx, "CME", "EW3")
		}),
		route("Instruments.FutureOption", "GET /instruments/future-options/.%2FESZ6%20EW3U6%20260918P9100", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.FutureOption(ctx, "./ESZ6 EW3U6 260918P9100")
		}),
		route("Instruments.Cryptocurrencies", "GET /instruments/cryptocurrencies?symbol%5B%5D=BTC%2FUSD&symbol%5B%5D=ETH%2FUSD", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Cryptocurrencies(ctx, "BTC/USD", "ETH/USD")
		}),
		route("Instruments.Cryptocurrency", "GET /instruments/cryptocurrencies/BTC%2FUSD", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Cryptocurrency(ctx, "BTC/USD")
		}),
		route("Instruments.Warrants", "GET /instruments/warrants?symbol%5B%5D=SEPAW", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Warrants(ctx, "SEPAW")
		}),
		route("Instruments.Warrant", "GET /instruments/warrants/SEPAW", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.Warrant(ctx, "SEPAW")
		}),
		route("Instruments.QuantityDecimalPrecisions", "GET /instruments/quantity-decimal-precisions", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Instruments.QuantityDecimalPrecisions(ctx)
		}),
		route("OptionChains.List", "GET /option-chains/BRK%2FB", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.OptionChains.List(ctx, "BRK/B") }),
		route("OptionChains.All", "GET /option-chains/SPY", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.OptionChains.All(ctx, "SPY"))
		}),
		route("OptionChains.Compact", "GET /option-chains/SPY/compact", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.OptionChains.Compact(ctx, "SPY")
		}),
		route("OptionChains.FutureOptions", "GET /futures-option-chains/ES", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.OptionChains.FutureOptions(ctx, "ES")
		}),
		route("OptionChains.AllFutureOptions", "GET /futures-option-chains/ES", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return first(c.OptionChains.AllFutureOptions(ctx, "ES"))
		}),
		route("OptionChains.NestedFutures", "GET /futures-option-chains/ES/nested", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.OptionChains.NestedFutures(ctx, "ES")
		}),
	}
}

func marketRoutes() []routeCall {
	return []routeCall{
		route("MarketData.ByType", "GET /market-data/by-type?equity=SPY&equity=BRK%2FB&equity-option=SPY+++261218C00500000&index=VIX", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketData.ByType(ctx, tastytrade.ByTypeRequest{Indices: []string{"VIX"}, Equities: []string{"SPY", "BRK/B"}, EquityOptions: []string{"SPY   261218C00500000"}})
		}),
		route("MarketMetrics.List", "GET /market-metrics?symbols=SPY%2CBRK%2FB", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketMetrics.List(ctx, "SPY", "BRK/B")
		}),
		route("MarketMetrics.Dividends", "GET /market-metrics/historic-corporate-events/dividends/AAPL", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketMetrics.Dividends(ctx, "AAPL")
		}),
		route("MarketMetrics.Earnings", "GET /market-metrics/historic-corporate-events/earnings-reports/AAPL?start-date=2026-09-16", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketMetrics.Earnings(ctx, "AAPL", september16, tastytrade.Date{})
		}),
		route("MarketSessions.List", "GET /market-time/sessions?instrument-collection=Equity&to-date=2026-09-16", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.List(ctx, tastytrade.CollectionEquity, tastytrade.Date{}, september16)
		}),
		route("MarketSessions.Current", "GET /market-time/sessions/current?instrument-collections%5B%5D=Equity&instrument-collections%5B%5D=CME", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.Current(ctx, tastytrade.CollectionEquity, tastytrade.CollectionCME)
		}),
		route("MarketSessions.EquitiesCurrent", "GET /market-time/equities/sessions/current?current-time=2026-09-16T14%3A30%3A00Z", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.EquitiesCurrent(ctx, time.Date(2026, 9, 16, 10, 30, 0, 0, time.FixedZone("", -4*3600)))
		}),
		route("MarketSessions.EquitiesNext", "GET /market-time/equities/sessions/next?date=2026-09-16", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.EquitiesNext(ctx, september16)
		}),
		route("MarketSessions.EquitiesPrevious", "GET /market-time/equities/sessions/previous", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.EquitiesPrevious(ctx, tastytrade.Date{})
		}),
		route("MarketSessions.EquitiesHolidays", "GET /market-time/equities/holidays", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.EquitiesHolidays(ctx)
		}),
		route("MarketData.Get", "GET /market-data/Equity%20Option/SPY%20%20%20261218C00500000", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketData.Get(ctx, tastytrade.TypeEquityOption, "SPY   261218C00500000")
		}),
		route("MarketSessions.FuturesCurrent", "GET /market-time/futures/sessions/current", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.FuturesCurrent(ctx)
		}),
		route("MarketSessions.FuturesCurrentOf", "GET /market-time/futures/sessions/current/CME", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.FuturesCurrentOf(ctx, tastytrade.CollectionCME)
		}),
		route("MarketSessions.FuturesNext", "GET /market-time/futures/sessions/next/CFE?date=2026-09-16", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.FuturesNext(ctx, tastytrade.CollectionCFE, september16)
		}),
		route("MarketSessions.FuturesPrevious", "GET /market-time/futures/sessions/previous/CME", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.FuturesPrevious(ctx, tastytrade.CollectionCME, tastytrade.Date{})
		}),
		route("MarketSessions.FuturesHolidays", "GET /market-time/futures/holidays/CME", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.MarketSessions.FuturesHolidays(ctx, tastytrade.CollectionCME)
		}),
	}
}

func writingRoutes() []routeCall {
	price := decimal.RequireFromString("-186.99")
	third, one := 33.0, 1
	list := tastytrade.Watchlist{Name: "New", GroupName: "g", OrderIndex: 3, CMSID: "not sent", Entries: []tastytrade.WatchlistEntry{{Symbol: "SPY", InstrumentType: tastytrade.TypeEquity}, {Symbol: "/ES"}}}
	const listBody = `{"name":"New","group-name":"g","order-index":3,"watchlist-entries":[{"symbol":"SPY","instrument-type":"Equity"},{"symbol":"/ES"}]}`
	return []routeCall{
		route("Margin.DryRun", "POST /margin/accounts/5WX1/dry-run", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Margin.DryRun(ctx, "5WX1", tastytrade.MarginOrder{
				UnderlyingSymbol: "AAPL", OrderType: tastytrade.Limit, TimeInForce: tastytrade.Day, Price: &price,
				Legs: []tastytrade.MarginOrderLeg{{Symbol: "AAPL", InstrumentType: tastytrade.TypeEquity, Action: tastytrade.BuyToOpen, Quantity: decimal.NewFromInt(1)}},
			})
		}).sends(`{"account-number":"5WX1","underlying-symbol":"AAPL","order-type":"Limit","time-in-force":"Day","price":"186.99","price-effect":"Debit",
			"legs":[{"symbol":"AAPL","instrument-type":"Equity","action":"Buy to Open","quantity":"1"}]}`),
		route("Risk.Configuration", "GET /margin-requirements-public-configuration", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Risk.Configuration(ctx) }).withoutToken(),
		route("Instruments.AISearchToken", "POST /instruments/ai-search-token", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Instruments.AISearchToken(ctx) }),
		route("Watchlists.Create", "POST /watchlists", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Watchlists.Create(ctx, list) }).sends(listBody),
		route("Watchlists.Replace", "PUT /watchlists/Old", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Watchlists.Replace(ctx, "Old", list)
		}).sends(listBody),
		route("Watchlists.Delete", "DELETE /watchlists/Old", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Watchlists.Delete(ctx, "Old") }),
		route("QuoteAlerts.Create", "POST /quote-alerts", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.QuoteAlerts.Create(ctx, tastytrade.NewQuoteAlert{
				Symbol: "AAPL", DXSymbol: "AAPL", InstrumentType: tastytrade.TypeEquity, Field: tastytrade.AlertLast, Operator: tastytrade.AlertAbove,
				Threshold: decimal.RequireFromString("200.50"), ExpiresAt: halfPastTwo,
			})
		}).sends(`{"symbol":"AAPL","dx-symbol":"AAPL","instrument-type":"Equity","field":"Last","operator":">","threshold":"200.5","threshold-numeric":"200.5","expires-at":"1789569000000"}`),
		route("QuoteAlerts.Delete", "DELETE /quote-alerts/alert-1", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return nil, c.QuoteAlerts.Delete(ctx, "alert-1")
		}),
		route("Backtests.List", "GET /backtests", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			_, err := c.Backtests.List(ctx)
			return nil, unlistable(err)
		}).at("backtests.memory"),
		route("Backtests.Create", "POST /backtests", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Backtests.Create(ctx, tastytrade.Backtest{
				Symbol: "SPY", StartDate: september16, EndDate: september16, ETA: math.NaN(), Progress: math.NaN(),
				Legs:  []tastytrade.BacktestLeg{{Type: "equity-option", Direction: "short", Side: "put", Quantity: 1, StrikeSelection: tastytrade.ByDelta, Delta: &third, DaysUntilExpiration: 45}},
				Entry: &tastytrade.EntryConditions{Frequency: "every day", SpecificDays: []int{1, 3}, MaximumActiveTrials: &one}, Exit: &tastytrade.ExitConditions{AtDaysToExpiration: &one},
			})
		}).at("backtests.memory").sends(`{"symbol":"SPY","startDate":"2026-09-16","endDate":"2026-09-16",
			"legs":[{"type":"equity-option","direction":"short","side":"put","quantity":1,"strikeSelection":"delta","delta":33,"daysUntilExpiration":45}],
			"entryConditions":{"frequency":"every day","specificDays":[1,3],"maximumActiveTrials":1},"exitConditions":{"atDaysToExpiration":1}}`),
		route("Backtests.Get", "GET /backtests/b1", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Backtests.Get(ctx, "b1") }).at("backtests.memory"),
		route("Backtests.Logs", "GET /backtests/b1/logs", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Backtests.Logs(ctx, "b1") }).at("backtests.memory"),
		route("Backtests.Cancel", "POST /backtests/b1/cancel", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return nil, c.Backtests.Cancel(ctx, "b1")
		}).at("backtests.memory"),
		route("Backtests.AvailableDates", "GET /available-dates", func(ctx context.Context, c *tastytrade.Client) (any, error) { return c.Backtests.AvailableDates(ctx) }).at("backtests.memory"),
		route("Backtests.SimulateTrade", "POST /simulate-trade", func(ctx context.Context, c *tastytrade.Client) (any, error) {
			return c.Backtests.SimulateTrade(ctx, tastytrade.TradeSimulation{Underlying: "SPY", Start: halfPastTwo, End: halfPastTwo, Legs: []tastytrade.SimulatedLeg{{Symbol: "SPY   190227C00275000", Direction: "short", Quantity: 1}}})
		}).at("backtests.memory").sends(`{"underlying":"SPY","startTime":"2026-09-16T14:30:00Z","endTime":"2026-09-16T14:30:00Z","legs":[{"symbol":"SPY   190227C00275000","direction":"short","quantity":1}]}`),
	}
}

// unlistable ignores that the server of these tests answers with objects where
// the route gives texts.
func unlistable(err error) error {
	if e, ok := errors.AsType[*tastytrade.APIError](err); ok && e.Code == "malformed" {
		return nil
	}
	return err
}
