package tastytrade_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
)

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
func simulatedReads(ctx context.Context, c *tastytrade.Client, account tastytrade.AccountNumber, option, futureOption string, today tastytrade.Date, made walked) map[string]func() error {
	me := tastytrade.Me
	short := &tastytrade.ReconcileOptions{Attempts: 1}
	list := tastytrade.Watchlist{Name: "Mine", Entries: []tastytrade.WatchlistEntry{{Symbol: "SPY"}}}
	order, group, transaction, backtest := made.order, made.group, made.transaction, made.backtest
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
			return somePage(c.Risk.SPANRows(ctx, tastytrade.SPANOptions{Date: today, Exchange: "CME"}))
		},
		"Risk.AllSPANRows": func() error {
			return nothing(first(c.Risk.AllSPANRows(ctx, tastytrade.SPANOptions{Date: today, Exchange: "CME"})))
		},
		"Transactions.List":      func() error { return somePage(c.Transactions.List(ctx, account, nil)) },
		"Transactions.All":       func() error { return nothing(first(c.Transactions.All(ctx, account, nil))) },
		"Transactions.Get":       func() error { return nothing(c.Transactions.Get(ctx, account, transaction)) },
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
		"Instruments.Warrants":                  func() error { return something(c.Instruments.Warrants(ctx)) },
		"Instruments.Warrant":                   func() error { return nothing(c.Instruments.Warrant(ctx, "TTAIW")) },
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
		"Orders.List":                     func() error { return somePage(c.Orders.List(ctx, account, nil)) },
		"Orders.All":                      func() error { return nothing(first(c.Orders.All(ctx, account, nil))) },
		"Orders.Live":                     func() error { return somePage(c.Orders.Live(ctx, account, nil)) },
		"Orders.AllLive":                  func() error { return nothing(first(c.Orders.AllLive(ctx, account))) },
		"Orders.Get":                      func() error { return nothing(c.Orders.Get(ctx, account, order)) },
		"Orders.CustomerList":             func() error { return nothing(c.Orders.CustomerList(ctx, []tastytrade.AccountNumber{account}, nil)) },
		"Orders.CustomerAll": func() error {
			return nothing(first(c.Orders.CustomerAll(ctx, []tastytrade.AccountNumber{account}, nil)))
		},
		"Orders.CustomerLive":      func() error { return nothing(c.Orders.CustomerLive(ctx, []tastytrade.AccountNumber{account}, nil)) },
		"Orders.Reconcile":         func() error { return nothing(c.Orders.Reconcile(ctx, account, made.tag, short)) },
		"ComplexOrders.List":       func() error { return somePage(c.ComplexOrders.List(ctx, account, nil)) },
		"ComplexOrders.All":        func() error { return nothing(first(c.ComplexOrders.All(ctx, account))) },
		"ComplexOrders.Live":       func() error { return something(c.ComplexOrders.Live(ctx, account)) },
		"ComplexOrders.Get":        func() error { return nothing(c.ComplexOrders.Get(ctx, account, group)) },
		"ComplexOrders.Reconcile":  func() error { return nothing(c.ComplexOrders.Reconcile(ctx, account, made.groupTag, short)) },
		"Backtests.List":           func() error { return something(c.Backtests.List(ctx)) },
		"Backtests.Get":            func() error { return nothing(c.Backtests.Get(ctx, backtest)) },
		"Backtests.Logs":           func() error { return nothing(c.Backtests.Logs(ctx, backtest)) },
		"Backtests.AvailableDates": func() error { return something(c.Backtests.AvailableDates(ctx)) },
	}
}

// walked is what was made before the walk, for the routes that ask for one thing.
type walked struct {
	order, group tastytrade.OrderID
	transaction  tastytrade.ID
	backtest     tastytrade.ID
	tag          string // of the order
	groupTag     string // of an order of the group
}

// A walker calls every route of a simulator through the client.
type walker struct {
	*tastytrade.Client
	t       *testing.T
	ctx     context.Context
	sim     *simulator.Simulator
	server  *simulator.Server
	account tastytrade.AccountNumber
	orders  int
}

func newWalker(t *testing.T) *walker {
	sim, err := simulator.New(&simulator.Options{Stopped: true})
	require.NoError(t, err)
	t.Cleanup(func() { _ = sim.Close() })
	server, err := sim.Listen()
	require.NoError(t, err)
	w := &walker{t: t, sim: sim, server: server, account: tastytrade.AccountNumber(sim.Credentials().Accounts[0])}
	tokens, err := tastytrade.RefreshTokenSource(w.oauth())
	require.NoError(t, err)
	w.Client, err = tastytrade.NewClient(tokens, &tastytrade.ClientOptions{
		BaseURL: server.URL(), BacktestURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit()})
	require.NoError(t, err)
	t.Cleanup(w.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	w.ctx = ctx
	return w
}

func (w *walker) oauth() tastytrade.OAuthConfig {
	cred := w.sim.Credentials()
	return tastytrade.OAuthConfig{BaseURL: w.server.URL(), AuthorizePage: w.server.URL() + "/auth.html", ClientID: cred.ClientID,
		ClientSecret: cred.ClientSecret, RefreshToken: cred.RefreshToken, Dial: w.server.DialContext}
}

func (w *walker) step(d time.Duration) { require.NoError(w.t, w.sim.Step(d)) }

// details give every order a name of its own.
func (w *walker) details() *tastytrade.OrderDetails {
	w.orders++
	return &tastytrade.OrderDetails{ExternalIdentifier: fmt.Sprintf("walk-%d", w.orders)}
}

// buy is an order for a share of JPM.
func (w *walker) buy(price string) *tastytrade.NewOrder {
	o, err := tastytrade.Legs(tastytrade.BuyToOpen.Of("JPM", 1)).Limit(tastytrade.Pay(d(price))).Day(w.details())
	require.NoError(w.t, err)
	return o
}

func (w *walker) sell(price string) *tastytrade.NewOrder {
	o, err := tastytrade.Legs(tastytrade.SellToClose.Of("JPM", 1)).Limit(tastytrade.Receive(d(price))).GTC(w.details())
	require.NoError(w.t, err)
	return o
}

// working places an order that cannot fill and waits until it is live.
func (w *walker) working() (tastytrade.OrderID, error) {
	result, err := w.Orders.Place(w.ctx, w.account, w.buy("10"))
	if err != nil {
		return "", err
	}
	w.step(time.Second)
	return result.Order.ID, nil
}

func (w *walker) pair() (*tastytrade.NewComplexOrder, error) {
	other, err := tastytrade.Legs(tastytrade.SellToOpen.Of("SPY", 1)).Limit(tastytrade.Receive(d("2000"))).Day(w.details())
	if err != nil {
		return nil, err
	}
	return tastytrade.Pair(w.buy("10"), other, tastytrade.AtLeast, d("1000"), false)
}

// make makes what the reads ask for.
func (w *walker) make() (made walked) {
	filled, err := w.Orders.Place(w.ctx, w.account, w.buy("1000"))
	require.NoError(w.t, err)
	w.step(2 * time.Second)
	page, err := w.Transactions.List(w.ctx, w.account, nil)
	require.NoError(w.t, err)
	require.NotEmpty(w.t, page.Items)
	made.order, made.transaction, made.tag = filled.Order.ID, page.Items[0].ID, filled.Order.ExternalIdentifier
	first := w.sell("1000")
	made.groupTag = first.ExternalIdentifier
	oco, err := tastytrade.OneCancelsOther(first, w.sell("1001"))
	require.NoError(w.t, err)
	group, err := w.ComplexOrders.Place(w.ctx, w.account, oco)
	require.NoError(w.t, err)
	made.group = group.ComplexOrder.ID
	test, err := w.Backtests.Create(w.ctx, w.backtest())
	require.NoError(w.t, err)
	made.backtest = test.ID
	return made
}

func (w *walker) backtest() tastytrade.Backtest {
	delta := 30.0
	return tastytrade.Backtest{Symbol: "SPY", StartDate: tastytrade.Date{Year: 2026, Month: 8, Day: 3}, EndDate: tastytrade.Date{Year: 2026, Month: 8, Day: 14},
		Legs: []tastytrade.BacktestLeg{{Type: "equity-option", Direction: "short", Side: "put", Quantity: 1, StrikeSelection: tastytrade.ByDelta,
			Delta: &delta, DaysUntilExpiration: 30}},
		Entry: &tastytrade.EntryConditions{Frequency: "every day"}}
}

// writes calls every method that writes.
func (w *walker) writes(option string) map[string]func() error {
	ctx, account := w.ctx, w.account
	change := &tastytrade.OrderChange{Type: tastytrade.Limit, TimeInForce: tastytrade.Day, Price: dec("-11")}
	ratio := tastytrade.PairChange{Comparator: tastytrade.AtLeast, Threshold: d("1001")}
	onWorking := func(call func(tastytrade.OrderID) error) func() error {
		return func() error {
			id, err := w.working()
			if err != nil {
				return err
			}
			return call(id)
		}
	}
	onPair := func(call func(tastytrade.OrderID) error) func() error {
		return func() error {
			pair, err := w.pair()
			if err != nil {
				return err
			}
			placed, err := w.ComplexOrders.Place(ctx, account, pair)
			if err != nil {
				return err
			}
			return call(placed.ComplexOrder.ID)
		}
	}
	return map[string]func() error{
		"RefreshTokenSource": func() error {
			source, err := tastytrade.RefreshTokenSource(w.oauth())
			if err != nil {
				return err
			}
			return nothing(source.Token(ctx))
		},
		"OAuthConfig.Exchange":      w.exchange,
		"Instruments.AISearchToken": func() error { return nothing(w.Instruments.AISearchToken(ctx)) },
		"Orders.DryRun":             func() error { return nothing(w.Orders.DryRun(ctx, account, w.buy("10"))) },
		"Orders.Place":              func() error { return nothing(w.Orders.Place(ctx, account, w.buy("10"))) },
		"Orders.DryRunChange":       onWorking(func(id tastytrade.OrderID) error { return nothing(w.Orders.DryRunChange(ctx, account, id, change)) }),
		"Orders.Replace":            onWorking(func(id tastytrade.OrderID) error { return nothing(w.Orders.Replace(ctx, account, id, change)) }),
		"Orders.Edit":               onWorking(func(id tastytrade.OrderID) error { return nothing(w.Orders.Edit(ctx, account, id, change)) }),
		"Orders.Cancel":             onWorking(func(id tastytrade.OrderID) error { return nothing(w.Orders.Cancel(ctx, account, id)) }),
		"Orders.Reconfirm":          onWorking(func(id tastytrade.OrderID) error { return nothing(w.Orders.Reconfirm(ctx, account, id)) }),
		"ComplexOrders.DryRun": func() error {
			pair, err := w.pair()
			if err != nil {
				return err
			}
			return nothing(w.ComplexOrders.DryRun(ctx, account, pair))
		},
		"ComplexOrders.Place": onPair(func(tastytrade.OrderID) error { return nil }),
		"ComplexOrders.DryRunChange": onPair(func(id tastytrade.OrderID) error {
			return nothing(w.ComplexOrders.DryRunChange(ctx, account, id, ratio))
		}),
		"ComplexOrders.Edit":   onPair(func(id tastytrade.OrderID) error { return nothing(w.ComplexOrders.Edit(ctx, account, id, ratio)) }),
		"ComplexOrders.Cancel": onPair(func(id tastytrade.OrderID) error { return nothing(w.ComplexOrders.Cancel(ctx, account, id)) }),
		"Margin.DryRun": func() error {
			return nothing(w.Margin.DryRun(ctx, account, tastytrade.MarginOrder{UnderlyingSymbol: "KO", OrderType: tastytrade.Limit, TimeInForce: tastytrade.Day, Price: dec("1"),
				Legs: []tastytrade.MarginOrderLeg{{Symbol: option, InstrumentType: tastytrade.TypeEquityOption, Action: tastytrade.SellToOpen, Quantity: d("1")}}}))
		},
		"Watchlists.Create":  func() error { return nothing(w.Watchlists.Create(ctx, w.watchlist("Created"))) },
		"Watchlists.Replace": w.onWatchlist("Replaced", func() error { return nothing(w.Watchlists.Replace(ctx, "Replaced", w.watchlist("Replaced"))) }),
		"Watchlists.Delete":  w.onWatchlist("Deleted", func() error { return nothing(w.Watchlists.Delete(ctx, "Deleted")) }),
		"QuoteAlerts.Create": func() error { return nothing(w.QuoteAlerts.Create(ctx, w.alert())) },
		"QuoteAlerts.Delete": func() error {
			alert, err := w.QuoteAlerts.Create(ctx, w.alert())
			if err != nil {
				return err
			}
			return w.QuoteAlerts.Delete(ctx, alert.ID)
		},
		"Backtests.Create": func() error { return nothing(w.Backtests.Create(ctx, w.backtest())) },
		"Backtests.Cancel": func() error {
			test, err := w.Backtests.Create(ctx, w.backtest())
			if err != nil {
				return err
			}
			return w.Backtests.Cancel(ctx, test.ID)
		},
		"Backtests.SimulateTrade": func() error {
			return something(w.Backtests.SimulateTrade(ctx, tastytrade.TradeSimulation{Underlying: "KO", Start: w.sim.Clock().Now().AddDate(0, 0, -7),
				Legs: []tastytrade.SimulatedLeg{{Symbol: option, Direction: "long", Quantity: 1}}}))
		},
	}
}

func (w *walker) watchlist(name string) tastytrade.Watchlist {
	return tastytrade.Watchlist{Name: name, Entries: []tastytrade.WatchlistEntry{{Symbol: "SPY"}}}
}

func (w *walker) onWatchlist(name string, call func() error) func() error {
	return func() error {
		if _, err := w.Watchlists.Create(w.ctx, w.watchlist(name)); err != nil {
			return err
		}
		return call()
	}
}

func (w *walker) alert() tastytrade.NewQuoteAlert {
	return tastytrade.NewQuoteAlert{Symbol: "SPY", Field: tastytrade.AlertLast, Operator: tastytrade.AlertAbove, Threshold: d("9999")}
}

// exchange visits the page where a user grants access, and trades the code.
func (w *walker) exchange() error {
	page, err := w.oauth().AuthorizeURL("http://127.0.0.1:1/callback", "state")
	if err != nil {
		return err
	}
	client := w.server.HTTPClient()
	defer client.CloseIdleConnections()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Get(page)
	if err != nil {
		return err
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil {
		return err
	}
	token, err := w.oauth().Exchange(w.ctx, back.Query().Get("code"), "http://127.0.0.1:1/callback")
	if err == nil && (token.AccessToken == "" || token.RefreshToken == "") {
		err = errors.New("a token is missing")
	}
	return err
}

// Every row of endpoints.md is answered through the client, and every answer can
// be read.
func TestTheSimulatorAnswersEveryRoute(t *testing.T) {
	w := newWalker(t)
	today := tastytrade.Date{}
	today.Year, today.Month, today.Day = w.sim.Clock().Now().Date()
	chains, err := w.OptionChains.Nested(w.ctx, "KO")
	require.NoError(t, err)
	option := chains[0].Expirations[2].Strikes[len(chains[0].Expirations[2].Strikes)/2].Call
	futures, err := w.OptionChains.NestedFutures(w.ctx, "ES")
	require.NoError(t, err)
	futureOption := futures.OptionChains[0].Expirations[0].Strikes[0].Put

	calls := simulatedReads(w.ctx, w.Client, w.account, option, futureOption, today, w.make())
	for method, call := range w.writes(option) {
		require.NotContains(t, calls, method)
		calls[method] = call
	}
	rows := tableOfEndpoints(t)
	for method := range rows {
		call, there := calls[method]
		if assert.True(t, there, "%s is not tried", method) {
			assert.NoError(t, call(), method)
		}
	}
	assert.Len(t, calls, len(rows), "what is tried is in endpoints.md")
}
