package tastytrade_test

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// firstOf runs a loop over a list once.
func firstOf[T any](list iter.Seq2[T, error]) error {
	for _, err := range list {
		return err
	}
	return nil
}

func d(s string) decimal.Decimal { return decimal.RequireFromString(s) }

// limitOrder buys 100 AAPL at 187.50.
func limitOrder() *tastytrade.NewOrder {
	o, err := tastytrade.Legs(tastytrade.BuyToOpen.Of("AAPL", 100)).Limit(tastytrade.Pay(d("187.50"))).
		Day(&tastytrade.OrderDetails{ExternalIdentifier: "x-1"})
	if err != nil {
		panic(err) // the order is written down here
	}
	return o
}

func closing(price string) *tastytrade.NewOrder {
	o, err := tastytrade.Legs(tastytrade.SellToClose.Of("AAPL", 100)).Limit(tastytrade.Receive(d(price))).
		GTC(&tastytrade.OrderDetails{ExternalIdentifier: "x-" + price})
	if err != nil {
		panic(err)
	}
	return o
}

func change() *tastytrade.OrderChange {
	return &tastytrade.OrderChange{Type: tastytrade.Limit, TimeInForce: tastytrade.Day, Price: dec("-188"), ExternalIdentifier: "x-2"}
}

const (
	limitJSON  = `{"order-type":"Limit","time-in-force":"Day","price":"187.5","price-effect":"Debit","external-identifier":"x-1","legs":[{"instrument-type":"Equity","symbol":"AAPL","action":"Buy to Open","quantity":"100"}]}`
	changeJSON = `{"order-type":"Limit","time-in-force":"Day","price":"188","price-effect":"Debit","external-identifier":"x-2"}`
	// The group names its orders for errors, in a dry run as the caller did.
	ocoJSON = `{"type":"OCO","orders":[
		{"order-type":"Limit","time-in-force":"GTC","price":"200","price-effect":"Credit","external-identifier":"x-200","legs":[{"instrument-type":"Equity","symbol":"AAPL","action":"Sell to Close","quantity":"100"}]PREFLIGHT0},
		{"order-type":"Limit","time-in-force":"GTC","price":"210","price-effect":"Credit","external-identifier":"x-210","legs":[{"instrument-type":"Equity","symbol":"AAPL","action":"Sell to Close","quantity":"100"}]PREFLIGHT1}]}`
)

func oco(t testing.TB) *tastytrade.NewComplexOrder {
	c, err := tastytrade.OneCancelsOther(closing("200"), closing("210"))
	if t != nil {
		require.NoError(t, err)
	}
	return c
}

// orderRoutes are the routes of orders and complex orders.
func orderRoutes() []routeCall {
	at := time.Date(2026, 9, 16, 10, 30, 0, 0, time.FixedZone("", -4*3600))
	accounts := []tastytrade.AccountNumber{"5WX1", "5WX2"}
	ratio := tastytrade.PairChange{Comparator: tastytrade.AtLeast, Threshold: d("1.5")}
	const ratioJSON = `{"ratio-price-comparator":"gte","ratio-price-threshold":"1.5"}`
	type ctx = context.Context
	type client = *tastytrade.Client
	return []routeCall{
		{method: "Orders.List", want: "GET /accounts/5WX1/orders?end-at=2026-09-16T14%3A30%3A00Z&futures-symbol=%2FESZ6&page-offset=1&per-page=20&sort=Asc&start-date=2026-09-16&status%5B%5D=Live&status%5B%5D=Filled&underlying-instrument-type=Equity&underlying-symbol=BRK%2FB", call: func(ctx ctx, c client) error {
			_, err := c.Orders.List(ctx, "5WX1", &tastytrade.OrdersOptions{
				Statuses: []tastytrade.OrderStatus{tastytrade.StatusLive, tastytrade.StatusFilled}, Underlying: "BRK/B", UnderlyingType: tastytrade.TypeEquity,
				FuturesSymbol: "/ESZ6", StartDate: september16, EndAt: at, Sort: tastytrade.OldestFirst, PerPage: 20, PageOffset: 1,
			})
			return err
		}},
		{method: "Orders.All", want: "GET /accounts/5WX1/orders?underlying-symbol=SPY", call: func(ctx ctx, c client) error {
			return firstOf(c.Orders.All(ctx, "5WX1", &tastytrade.OrdersOptions{Underlying: "SPY"}))
		}},
		{method: "Orders.Live", want: "GET /accounts/5WX1/orders/live?per-page=5", call: func(ctx ctx, c client) error {
			_, err := c.Orders.Live(ctx, "5WX1", &tastytrade.PageOptions{PerPage: 5})
			return err
		}},
		{method: "Orders.AllLive", want: "GET /accounts/5WX1/orders/live", call: func(ctx ctx, c client) error { return firstOf(c.Orders.AllLive(ctx, "5WX1")) }},
		{method: "Orders.Get", want: "GET /accounts/5WX1/orders/17", call: func(ctx ctx, c client) error { _, err := c.Orders.Get(ctx, "5WX1", "17"); return err }},
		{method: "Orders.DryRun", want: "POST /accounts/5WX1/orders/dry-run", body: limitJSON, call: func(ctx ctx, c client) error {
			_, err := c.Orders.DryRun(ctx, "5WX1", limitOrder())
			return err
		}},
		{method: "Orders.Place", want: "POST /accounts/5WX1/orders", body: limitJSON, call: func(ctx ctx, c client) error {
			_, err := c.Orders.Place(ctx, "5WX1", limitOrder())
			return err
		}},
		{method: "Orders.DryRunChange", want: "POST /accounts/5WX1/orders/17/dry-run", body: changeJSON, call: func(ctx ctx, c client) error {
			_, err := c.Orders.DryRunChange(ctx, "5WX1", "17", change())
			return err
		}},
		{method: "Orders.Replace", want: "PUT /accounts/5WX1/orders/17", body: changeJSON, call: func(ctx ctx, c client) error {
			_, err := c.Orders.Replace(ctx, "5WX1", "17", change())
			return err
		}},
		{method: "Orders.Edit", want: "PATCH /accounts/5WX1/orders/17", body: changeJSON, call: func(ctx ctx, c client) error {
			_, err := c.Orders.Edit(ctx, "5WX1", "17", change())
			return err
		}},
		{method: "Orders.Cancel", want: "DELETE /accounts/5WX1/orders/17", call: func(ctx ctx, c client) error { _, err := c.Orders.Cancel(ctx, "5WX1", "17"); return err }},
		{method: "Orders.Reconfirm", want: "POST /accounts/5WX1/orders/17/reconfirm", call: func(ctx ctx, c client) error {
			_, err := c.Orders.Reconfirm(ctx, "5WX1", "17")
			return err
		}},
		{method: "Orders.CustomerList", want: "GET /customers/me/orders?account-numbers%5B%5D=5WX1&account-numbers%5B%5D=5WX2&underlying-symbol=SPY", call: func(ctx ctx, c client) error {
			_, err := c.Orders.CustomerList(ctx, accounts, &tastytrade.OrdersOptions{Underlying: "SPY"})
			return err
		}},
		{method: "Orders.CustomerAll", want: "GET /customers/me/orders?account-numbers%5B%5D=5WX1&account-numbers%5B%5D=5WX2", call: func(ctx ctx, c client) error {
			return firstOf(c.Orders.CustomerAll(ctx, accounts, nil))
		}},
		{method: "Orders.CustomerLive", want: "GET /customers/me/orders/live?account-numbers%5B%5D=5WX1&account-numbers%5B%5D=5WX2", call: func(ctx ctx, c client) error {
			_, err := c.Orders.CustomerLive(ctx, accounts, nil)
			return err
		}},
		{method: "Orders.Reconcile", want: "GET /accounts/5WX1/orders/live", call: func(ctx ctx, c client) error {
			_, err := c.Orders.Reconcile(ctx, "5WX1", "x-1", nil)
			return err
		}},
		{method: "ComplexOrders.List", want: "GET /accounts/5WX1/complex-orders?page-offset=2&per-page=10", call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.List(ctx, "5WX1", &tastytrade.PageOptions{PerPage: 10, PageOffset: 2})
			return err
		}},
		{method: "ComplexOrders.All", want: "GET /accounts/5WX1/complex-orders", call: func(ctx ctx, c client) error { return firstOf(c.ComplexOrders.All(ctx, "5WX1")) }},
		{method: "ComplexOrders.Live", want: "GET /accounts/5WX1/complex-orders/live", call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.Live(ctx, "5WX1")
			return err
		}},
		{method: "ComplexOrders.Get", want: "GET /accounts/5WX1/complex-orders/17", call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.Get(ctx, "5WX1", "17")
			return err
		}},
		{method: "ComplexOrders.DryRun", want: "POST /accounts/5WX1/complex-orders/dry-run", body: preflight(""), call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.DryRun(ctx, "5WX1", oco(nil))
			return err
		}},
		{method: "ComplexOrders.Place", want: "POST /accounts/5WX1/complex-orders", body: preflight(`,"preflight-id":"%"`), call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.Place(ctx, "5WX1", oco(nil))
			return err
		}},
		{method: "ComplexOrders.DryRunChange", want: "POST /accounts/5WX1/complex-orders/17/dry-run", body: ratioJSON, call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.DryRunChange(ctx, "5WX1", "17", ratio)
			return err
		}},
		{method: "ComplexOrders.Edit", want: "PATCH /accounts/5WX1/complex-orders/17", body: ratioJSON, call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.Edit(ctx, "5WX1", "17", ratio)
			return err
		}},
		{method: "ComplexOrders.Cancel", want: "DELETE /accounts/5WX1/complex-orders/17", call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.Cancel(ctx, "5WX1", "17")
			return err
		}},
		{method: "ComplexOrders.Reconcile", want: "GET /accounts/5WX1/complex-orders/live", call: func(ctx ctx, c client) error {
			_, err := c.ComplexOrders.Reconcile(ctx, "5WX1", "x-1", nil)
			return err
		}},
	}
}

func preflight(member string) string {
	out := ocoJSON
	for i, mark := range []string{"PREFLIGHT0", "PREFLIGHT1"} {
		out = strings.Replace(out, mark, strings.Replace(member, "%", strconv.Itoa(i), 1), 1)
	}
	return out
}
