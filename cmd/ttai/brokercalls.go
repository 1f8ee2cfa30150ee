package main

import (
	"context"
	"time"

	"github.com/ttai-go/ttai/tastytrade"
)

// A brokerCall asks the broker for something that changes nothing. Its name is
// that of the client's method.
type brokerCall struct {
	name string
	run  func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error)
}

// callScope is what the calls are about. Calls fill in what later ones need.
type callScope struct {
	account      tastytrade.AccountNumber
	symbols      []string
	today        tastytrade.Date
	option       string // a listed option
	future       string
	futureOption string
	order        tastytrade.OrderID
}

// newCallScope is about symbols on a day, with names that every market has in
// place of what calls will find.
func newCallScope(symbols []string, now time.Time) *callScope {
	at := &callScope{account: "5WT00001", symbols: symbols, option: "SPY   261218C00500000", future: "/ESZ6", futureOption: "./ESZ6 EW4U6 260925P6500", order: "1"}
	at.today.Year, at.today.Month, at.today.Day = now.Date()
	return at
}

// brokerCalls are the reads worth comparing, in an order in which each can use
// what the ones before it found.
var brokerCalls = []brokerCall{
	{"Customers.Get", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Customers.Get(ctx, tastytrade.Me)
	}},
	{"Accounts.List", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		list, err := c.Accounts.List(ctx)
		if err == nil && len(list) > 0 {
			at.account = list[0].Account.Number
		}
		return list, err
	}},
	{"Accounts.TradingStatus", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Accounts.TradingStatus(ctx, at.account)
	}},
	{"Balances.List", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Balances.List(ctx, at.account)
	}},
	{"Balances.GetCurrency", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Balances.GetCurrency(ctx, at.account, "USD")
	}},
	{"Balances.Snapshots", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Balances.Snapshots(ctx, at.account, nil)
	}},
	{"Positions.List", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Positions.List(ctx, at.account, nil)
	}},
	{"NetLiq.History", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.NetLiq.History(ctx, at.account, &tastytrade.NetLiqHistoryOptions{Back: tastytrade.OneDay})
	}},
	{"Margin.Requirements", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Margin.Requirements(ctx, at.account)
	}},
	{"Risk.MarginRequirement", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Risk.MarginRequirement(ctx, at.account, at.symbols[0])
	}},
	{"Risk.PositionLimit", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Risk.PositionLimit(ctx, at.account)
	}},
	{"Risk.Configuration", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Risk.Configuration(ctx)
	}},
	{"Transactions.List", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Transactions.List(ctx, at.account, nil)
	}},
	{"Transactions.TotalFees", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Transactions.TotalFees(ctx, at.account, at.today)
	}},
	{"Orders.List", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		page, err := c.Orders.List(ctx, at.account, nil)
		if err == nil && len(page.Items) > 0 {
			at.order = page.Items[0].ID
		}
		return page, err
	}},
	{"Orders.Get", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Orders.Get(ctx, at.account, at.order)
	}},
	{"Orders.Live", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Orders.Live(ctx, at.account, nil)
	}},
	{"ComplexOrders.List", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.ComplexOrders.List(ctx, at.account, nil)
	}},
	{"Watchlists.List", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Watchlists.List(ctx)
	}},
	{"Watchlists.ListPublic", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Watchlists.ListPublic(ctx, nil)
	}},
	{"Watchlists.ListPairs", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Watchlists.ListPairs(ctx)
	}},
	{"QuoteAlerts.List", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.QuoteAlerts.List(ctx)
	}},
	{"QuoteTokens.Get", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.QuoteTokens.Get(ctx)
	}},
	{"Symbols.Search", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Symbols.Search(ctx, at.symbols[0])
	}},
	{"Instruments.Search", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Instruments.Search(ctx, tastytrade.InstrumentSearch{Query: at.symbols[0]})
	}},
	{"Instruments.Equities", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Instruments.Equities(ctx, &tastytrade.EquitiesOptions{Symbols: at.symbols})
	}},
	{"Instruments.Equity", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Instruments.Equity(ctx, at.symbols[0])
	}},
	{"OptionChains.Nested", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		chains, err := c.OptionChains.Nested(ctx, at.symbols[0])
		if err == nil && len(chains) > 0 && len(chains[0].Expirations) > 0 && len(chains[0].Expirations[0].Strikes) > 0 {
			strikes := chains[0].Expirations[0].Strikes
			at.option = strikes[len(strikes)/2].Call
		}
		return chains, err
	}},
	{"OptionChains.Compact", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.OptionChains.Compact(ctx, at.symbols[0])
	}},
	{"Instruments.EquityOption", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Instruments.EquityOption(ctx, at.option, nil)
	}},
	{"Instruments.Futures", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		page, err := c.Instruments.Futures(ctx, &tastytrade.FuturesOptions{ProductCodes: []string{"ES"}})
		if err == nil && len(page.Items) > 0 {
			at.future = page.Items[0].Symbol
		}
		return page, err
	}},
	{"Instruments.Future", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Instruments.Future(ctx, at.future)
	}},
	{"Instruments.FutureProducts", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Instruments.FutureProducts(ctx, nil)
	}},
	{"OptionChains.NestedFutures", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		chain, err := c.OptionChains.NestedFutures(ctx, "ES")
		if err == nil && len(chain.OptionChains) > 0 && len(chain.OptionChains[0].Expirations) > 0 && len(chain.OptionChains[0].Expirations[0].Strikes) > 0 {
			at.futureOption = chain.OptionChains[0].Expirations[0].Strikes[0].Put
		}
		return chain, err
	}},
	{"Instruments.FutureOption", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.Instruments.FutureOption(ctx, at.futureOption)
	}},
	{"Instruments.Cryptocurrencies", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Instruments.Cryptocurrencies(ctx, "BTC/USD")
	}},
	{"Instruments.QuantityDecimalPrecisions", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.Instruments.QuantityDecimalPrecisions(ctx)
	}},
	{"MarketData.ByType", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.MarketData.ByType(ctx, tastytrade.ByTypeRequest{Equities: at.symbols, EquityOptions: []string{at.option}, Futures: []string{at.future}, Indices: []string{"SPX"}})
	}},
	{"MarketMetrics.List", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.MarketMetrics.List(ctx, at.symbols...)
	}},
	{"MarketMetrics.Dividends", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.MarketMetrics.Dividends(ctx, at.symbols[0])
	}},
	{"MarketMetrics.Earnings", func(ctx context.Context, c *tastytrade.Client, at *callScope) (any, error) {
		return c.MarketMetrics.Earnings(ctx, at.symbols[len(at.symbols)-1], at.today.AddDays(-400), at.today)
	}},
	{"MarketSessions.EquitiesCurrent", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.MarketSessions.EquitiesCurrent(ctx, time.Time{})
	}},
	{"MarketSessions.EquitiesHolidays", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.MarketSessions.EquitiesHolidays(ctx)
	}},
	{"MarketSessions.FuturesCurrent", func(ctx context.Context, c *tastytrade.Client, _ *callScope) (any, error) {
		return c.MarketSessions.FuturesCurrent(ctx)
	}},
}
