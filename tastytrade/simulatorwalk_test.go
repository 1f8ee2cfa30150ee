package tastytrade_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// notSimulated are the reads that the simulator does not answer. Everything
// else of endpoints.md that only reads does.
var notSimulated = []string{
	// It has no orders.
	"ComplexOrders.All", "ComplexOrders.Get", "ComplexOrders.List", "ComplexOrders.Live", "ComplexOrders.Reconcile",
	"Orders.All", "Orders.AllLive", "Orders.CustomerAll", "Orders.CustomerList", "Orders.CustomerLive",
	"Orders.Get", "Orders.List", "Orders.Live", "Orders.Reconcile",
	// Nor transactions, so that none can be found by its number, nor warrants.
	"Transactions.Get", "Instruments.Warrant",
	// Backtests are another service.
	"Backtests.AvailableDates", "Backtests.Get", "Backtests.List", "Backtests.Logs",
}

// something fails when a list has nothing in it.
func something[T any](list []T, err error) error {
	if err == nil && len(list) == 0 {
		err = errors.New("an empty list")
	}
	return err
}

func somePage[T any](page *tastytrade.Page[T], err error) error {
	if err != nil {
		return err
	}
	return something(page.Items, nil)
}

func nothing[T any](_ T, err error) error { return err }

// simulatedReads calls every method that reads with what the simulator has.
func simulatedReads(ctx context.Context, c *tastytrade.Client, account tastytrade.AccountNumber, option, futureOption string, today tastytrade.Date) map[string]func() error {
	me := tastytrade.Me
	short := &tastytrade.ReconcileOptions{Attempts: 1}
	list := tastytrade.Watchlist{Name: "Mine", Entries: []tastytrade.WatchlistEntry{{Symbol: "SPY"}}}
	return map[string]func() error{
		"Customers.Get":          func() error { return nothing(c.Customers.Get(ctx, me)) },
		"Customers.Accounts":     func() error { return something(c.Customers.Accounts(ctx, me)) },
		"Customers.Account":      func() error { return nothing(c.Customers.Account(ctx, me, account)) },
		"Accounts.List":          func() error { return something(c.Accounts.List(ctx)) },
		"Accounts.Get":           func() error { return nothing(c.Accounts.Get(ctx, account)) },
		"Accounts.TradingStatus": func() error { return nothing(c.Accounts.TradingStatus(ctx, account)) },
		"Balances.List":          func() error { return something(c.Balances.List(ctx, account)) },
		"Balances.Get":           func() error { return nothing(c.Balances.Get(ctx, account)) },
		"Balances.GetCurrency":   func() error { return nothing(c.Balances.GetCurrency(ctx, account, "USD")) },
		"Balances.Snapshots":     func() error { return somePage(c.Balances.Snapshots(ctx, account, nil)) },
		"Balances.AllSnapshots":  func() error { return nothing(first(c.Balances.AllSnapshots(ctx, account, nil))) },
		"Positions.List":         func() error { return something(c.Positions.List(ctx, account, nil)) },
		"NetLiq.History": func() error {
			return something(c.NetLiq.History(ctx, account, &tastytrade.NetLiqHistoryOptions{Back: tastytrade.OneDay}))
		},
		"NetLiq.Current":         func() error { return nothing(c.NetLiq.Current(ctx, account)) },
		"Margin.Requirements":    func() error { return nothing(c.Margin.Requirements(ctx, account)) },
		"Risk.MarginRequirement": func() error { return nothing(c.Risk.MarginRequirement(ctx, account, "SPY")) },
		"Risk.PositionLimit":     func() error { return nothing(c.Risk.PositionLimit(ctx, account)) },
		"Risk.Configuration":     func() error { return nothing(c.Risk.Configuration(ctx)) },
		"Risk.SPANRows": func() error {
			return nothing(c.Risk.SPANRows(ctx, tastytrade.SPANOptions{Date: today, Exchange: "CME"}))
		},
		"Risk.AllSPANRows": func() error {
			return nothing(first(c.Risk.AllSPANRows(ctx, tastytrade.SPANOptions{Date: today, Exchange: "CME"})))
		},
		"Transactions.List":      func() error { return nothing(c.Transactions.List(ctx, account, nil)) },
		"Transactions.All":       func() error { return nothing(first(c.Transactions.All(ctx, account, nil))) },
		"Transactions.Get":       func() error { return nothing(c.Transactions.Get(ctx, account, "1")) },
		"Transactions.TotalFees": func() error { return nothing(c.Transactions.TotalFees(ctx, account, today)) },
		"Watchlists.List":        func() error { return nothing(c.Watchlists.List(ctx)) },
		"Watchlists.Get":         func() error { _, _ = c.Watchlists.Create(ctx, list); return nothing(c.Watchlists.Get(ctx, "Mine")) },
		"Watchlists.ListPublic":  func() error { return something(c.Watchlists.ListPublic(ctx, nil)) },
		"Watchlists.GetPublic":   func() error { return nothing(c.Watchlists.GetPublic(ctx, "Funds")) },
		"Watchlists.ListPairs":   func() error { return something(c.Watchlists.ListPairs(ctx)) },
		"Watchlists.GetPairs":    func() error { return nothing(c.Watchlists.GetPairs(ctx, "Indices")) },
		"QuoteAlerts.List":       func() error { return nothing(c.QuoteAlerts.List(ctx)) },
		"QuoteTokens.Get":        func() error { return nothing(c.QuoteTokens.Get(ctx)) },
		"Symbols.Search":         func() error { return something(c.Symbols.Search(ctx, "SP")) },
		"Instruments.Equities": func() error {
			return somePage(c.Instruments.Equities(ctx, &tastytrade.EquitiesOptions{Symbols: []string{"SPY", "BRK/B"}}))
		},
		"Instruments.AllEquities":       func() error { return nothing(first(c.Instruments.AllEquities(ctx, nil))) },
		"Instruments.Equity":            func() error { return nothing(c.Instruments.Equity(ctx, "BRK/B")) },
		"Instruments.EquityOption":      func() error { return nothing(c.Instruments.EquityOption(ctx, option, nil)) },
		"Instruments.ActiveEquities":    func() error { return somePage(c.Instruments.ActiveEquities(ctx, nil)) },
		"Instruments.AllActiveEquities": func() error { return nothing(first(c.Instruments.AllActiveEquities(ctx, nil))) },
		"Instruments.Search":            func() error { return something(c.Instruments.Search(ctx, tastytrade.InstrumentSearch{Query: "/ES"})) },
		"Instruments.Futures": func() error {
			return somePage(c.Instruments.Futures(ctx, &tastytrade.FuturesOptions{ProductCodes: []string{"ES"}}))
		},
		"Instruments.AllFutures":                func() error { return nothing(first(c.Instruments.AllFutures(ctx, nil))) },
		"Instruments.Future":                    func() error { return nothing(c.Instruments.Future(ctx, "/ESZ6")) },
		"Instruments.FutureProducts":            func() error { return somePage(c.Instruments.FutureProducts(ctx, nil)) },
		"Instruments.AllFutureProducts":         func() error { return nothing(first(c.Instruments.AllFutureProducts(ctx, nil))) },
		"Instruments.FutureProduct":             func() error { return nothing(c.Instruments.FutureProduct(ctx, "CME", "ES")) },
		"Instruments.FutureOptionProducts":      func() error { return somePage(c.Instruments.FutureOptionProducts(ctx, nil)) },
		"Instruments.AllFutureOptionProducts":   func() error { return nothing(first(c.Instruments.AllFutureOptionProducts(ctx, nil))) },
		"Instruments.FutureOptionProduct":       func() error { return nothing(c.Instruments.FutureOptionProduct(ctx, "EW")) },
		"Instruments.FutureOptionProductAt":     func() error { return nothing(c.Instruments.FutureOptionProductAt(ctx, "CME", "EW")) },
		"Instruments.FutureOption":              func() error { return nothing(c.Instruments.FutureOption(ctx, futureOption)) },
		"Instruments.Cryptocurrencies":          func() error { return something(c.Instruments.Cryptocurrencies(ctx, "BTC/USD")) },
		"Instruments.Cryptocurrency":            func() error { return nothing(c.Instruments.Cryptocurrency(ctx, "BTC/USD")) },
		"Instruments.QuantityDecimalPrecisions": func() error { return something(c.Instruments.QuantityDecimalPrecisions(ctx)) },
		"Instruments.Warrants":                  func() error { return nothing(c.Instruments.Warrants(ctx)) },
		"Instruments.Warrant":                   func() error { return nothing(c.Instruments.Warrant(ctx, "NKLAW")) },
		"OptionChains.Nested":                   func() error { return something(c.OptionChains.Nested(ctx, "SPY")) },
		"OptionChains.Compact":                  func() error { return something(c.OptionChains.Compact(ctx, "KO")) },
		"OptionChains.List":                     func() error { return something(c.OptionChains.List(ctx, "KO")) },
		"OptionChains.All":                      func() error { return nothing(first(c.OptionChains.All(ctx, "KO"))) },
		"OptionChains.FutureOptions":            func() error { return something(c.OptionChains.FutureOptions(ctx, "6E")) },
		"OptionChains.AllFutureOptions":         func() error { return nothing(first(c.OptionChains.AllFutureOptions(ctx, "6E"))) },
		"OptionChains.NestedFutures":            func() error { return nothing(c.OptionChains.NestedFutures(ctx, "6E")) },
		"MarketData.ByType": func() error {
			return something(c.MarketData.ByType(ctx, tastytrade.ByTypeRequest{Futures: []string{"/ESZ6"}, Indices: []string{"SPX"}, FutureOptions: []string{futureOption}}))
		},
		"MarketData.Get":          func() error { return nothing(c.MarketData.Get(ctx, tastytrade.TypeEquityOption, option)) },
		"MarketMetrics.List":      func() error { return something(c.MarketMetrics.List(ctx, "SPY")) },
		"MarketMetrics.Dividends": func() error { return something(c.MarketMetrics.Dividends(ctx, "KO")) },
		"MarketMetrics.Earnings":  func() error { return something(c.MarketMetrics.Earnings(ctx, "AAPL", today.AddDays(-400), today)) },
		"MarketSessions.Current":  func() error { return something(c.MarketSessions.Current(ctx, tastytrade.CollectionCME)) },
		"MarketSessions.List": func() error {
			return something(c.MarketSessions.List(ctx, tastytrade.CollectionCME, today, today.AddDays(7)))
		},
		"MarketSessions.EquitiesCurrent":  func() error { return nothing(c.MarketSessions.EquitiesCurrent(ctx, time.Time{})) },
		"MarketSessions.EquitiesNext":     func() error { return nothing(c.MarketSessions.EquitiesNext(ctx, today)) },
		"MarketSessions.EquitiesPrevious": func() error { return nothing(c.MarketSessions.EquitiesPrevious(ctx, today)) },
		"MarketSessions.EquitiesHolidays": func() error { return nothing(c.MarketSessions.EquitiesHolidays(ctx)) },
		"MarketSessions.FuturesCurrent":   func() error { return something(c.MarketSessions.FuturesCurrent(ctx)) },
		"MarketSessions.FuturesCurrentOf": func() error { return nothing(c.MarketSessions.FuturesCurrentOf(ctx, tastytrade.CollectionCFE)) },
		"MarketSessions.FuturesNext":      func() error { return nothing(c.MarketSessions.FuturesNext(ctx, tastytrade.CollectionCME, today)) },
		"MarketSessions.FuturesPrevious":  func() error { return nothing(c.MarketSessions.FuturesPrevious(ctx, tastytrade.CollectionCME, today)) },
		"MarketSessions.FuturesHolidays":  func() error { return nothing(c.MarketSessions.FuturesHolidays(ctx, tastytrade.CollectionCME)) },
		"Orders.List":                     func() error { return nothing(c.Orders.List(ctx, account, nil)) },
		"Orders.All":                      func() error { return nothing(first(c.Orders.All(ctx, account, nil))) },
		"Orders.Live":                     func() error { return nothing(c.Orders.Live(ctx, account, nil)) },
		"Orders.AllLive":                  func() error { return nothing(first(c.Orders.AllLive(ctx, account))) },
		"Orders.Get":                      func() error { return nothing(c.Orders.Get(ctx, account, "1")) },
		"Orders.CustomerList":             func() error { return nothing(c.Orders.CustomerList(ctx, []tastytrade.AccountNumber{account}, nil)) },
		"Orders.CustomerAll": func() error {
			return nothing(first(c.Orders.CustomerAll(ctx, []tastytrade.AccountNumber{account}, nil)))
		},
		"Orders.CustomerLive":      func() error { return nothing(c.Orders.CustomerLive(ctx, []tastytrade.AccountNumber{account}, nil)) },
		"Orders.Reconcile":         func() error { return nothing(c.Orders.Reconcile(ctx, account, "x", short)) },
		"ComplexOrders.List":       func() error { return nothing(c.ComplexOrders.List(ctx, account, nil)) },
		"ComplexOrders.All":        func() error { return nothing(first(c.ComplexOrders.All(ctx, account))) },
		"ComplexOrders.Live":       func() error { return nothing(c.ComplexOrders.Live(ctx, account)) },
		"ComplexOrders.Get":        func() error { return nothing(c.ComplexOrders.Get(ctx, account, "1")) },
		"ComplexOrders.Reconcile":  func() error { return nothing(c.ComplexOrders.Reconcile(ctx, account, "x", short)) },
		"Backtests.List":           func() error { return nothing(c.Backtests.List(ctx)) },
		"Backtests.Get":            func() error { return nothing(c.Backtests.Get(ctx, "1")) },
		"Backtests.Logs":           func() error { return nothing(c.Backtests.Logs(ctx, "1")) },
		"Backtests.AvailableDates": func() error { return nothing(c.Backtests.AvailableDates(ctx)) },
	}
}

// The list of what the simulator cannot do is kept exact: a read that it learns
// must leave it.
func TestTheSimulatorAnswersEveryReadButThoseNamed(t *testing.T) {
	c, sim, account := simulated(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	today := tastytrade.Date{}
	today.Year, today.Month, today.Day = sim.Clock().Now().Date()
	chains, err := c.OptionChains.Nested(ctx, "KO")
	require.NoError(t, err)
	option := chains[0].Expirations[0].Strikes[0].Call
	futures, err := c.OptionChains.NestedFutures(ctx, "ES")
	require.NoError(t, err)
	futureOption := futures.OptionChains[0].Expirations[0].Strikes[0].Put

	calls := simulatedReads(ctx, c, account, option, futureOption, today)
	var reads, failing []string
	for method, route := range tableOfEndpoints(t) {
		if !strings.HasPrefix(route, "GET ") {
			continue
		}
		reads = append(reads, method)
		call, there := calls[method]
		if !assert.True(t, there, "%s is not tried", method) {
			continue
		}
		if err := call(); err != nil {
			failing = append(failing, method)
			if !slices.Contains(notSimulated, method) {
				t.Errorf("%s: %v", method, err)
			}
		}
	}
	assert.Len(t, calls, len(reads), "what is tried is in endpoints.md")
	assert.ElementsMatch(t, notSimulated, failing)
}
