package tastytrade_test

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// walk makes a loop over any list: it calls each with every error until each
// wants no more.
func walk[T any](list iter.Seq2[T, error]) func(each func(error) bool) {
	return func(each func(error) bool) {
		for _, err := range list {
			if !each(err) {
				return
			}
		}
	}
}

// Every list that comes in pages, the options that it is asked with, and what
// they are when nobody has touched them.
func pagedLists(ctx context.Context, c *tastytrade.Client) map[string]struct {
	walk           func(func(error) bool)
	options, still any
} {
	type list = struct {
		walk           func(func(error) bool)
		options, still any
	}
	day := tastytrade.Date{Year: 2026, Month: 9, Day: 16}
	equities, equities2 := tastytrade.EquitiesOptions{Symbols: []string{"B", "A"}, PerPage: 1}, tastytrade.EquitiesOptions{Symbols: []string{"B", "A"}, PerPage: 1}
	active, active2 := tastytrade.ActiveEquitiesOptions{PerPage: 1}, tastytrade.ActiveEquitiesOptions{PerPage: 1}
	futures, futures2 := tastytrade.FuturesOptions{ProductCodes: []string{"ES", "6A"}}, tastytrade.FuturesOptions{ProductCodes: []string{"ES", "6A"}}
	products, products2 := tastytrade.PageOptions{PerPage: 1}, tastytrade.PageOptions{PerPage: 1}
	snapshots, snapshots2 := tastytrade.SnapshotsOptions{PerPage: 1}, tastytrade.SnapshotsOptions{PerPage: 1}
	transactions, transactions2 := tastytrade.TransactionsOptions{StartAt: time.Unix(1, 0)}, tastytrade.TransactionsOptions{StartAt: time.Unix(1, 0)}
	orders, orders2 := tastytrade.OrdersOptions{Statuses: []tastytrade.OrderStatus{"Live"}}, tastytrade.OrdersOptions{Statuses: []tastytrade.OrderStatus{"Live"}}
	span := tastytrade.SPANOptions{Date: day, Exchange: "CME"}
	return map[string]list{
		"Instruments.AllEquities":             {walk(c.Instruments.AllEquities(ctx, &equities)), &equities, &equities2},
		"Instruments.AllActiveEquities":       {walk(c.Instruments.AllActiveEquities(ctx, &active)), &active, &active2},
		"Instruments.AllFutures":              {walk(c.Instruments.AllFutures(ctx, &futures)), &futures, &futures2},
		"Instruments.AllFutureProducts":       {walk(c.Instruments.AllFutureProducts(ctx, &products)), &products, &products2},
		"Instruments.AllFutureOptionProducts": {walk(c.Instruments.AllFutureOptionProducts(ctx, &products)), &products, &products2},
		"Balances.AllSnapshots":               {walk(c.Balances.AllSnapshots(ctx, "5WX1", &snapshots)), &snapshots, &snapshots2},
		"Transactions.All":                    {walk(c.Transactions.All(ctx, "5WX1", &transactions)), &transactions, &transactions2},
		"Orders.All":                          {walk(c.Orders.All(ctx, "5WX1", &orders)), &orders, &orders2},
		"Orders.AllLive":                      {walk(c.Orders.AllLive(ctx, "5WX1")), nil, nil},
		"Orders.CustomerAll":                  {walk(c.Orders.CustomerAll(ctx, []tastytrade.AccountNumber{"5WX1"}, &orders)), &orders, &orders2},
		"ComplexOrders.All":                   {walk(c.ComplexOrders.All(ctx, "5WX1")), nil, nil},
		"Risk.AllSPANRows":                    {walk(c.Risk.AllSPANRows(ctx, span)), nil, nil},
	}
}

// pageOf writes the page that a request asks for, of 3 with two items each.
func pageOf(w http.ResponseWriter, r *http.Request) {
	offset := r.FormValue("page-offset")
	if offset == "" {
		offset = "0"
	}
	item := `{"id":1,"symbol":"A","code":"ES","account-number":"5WX1"}`
	fmt.Fprintf(w, `{"data":{"items":[%[1]s,%[1]s]},"pagination":{"page-offset":%[2]s,"total-pages":3}}`, item, offset)
}

func TestEveryListGoesThroughItsPagesAndLeavesItsOptionsAlone(t *testing.T) {
	server := &recorder{answer: pageOf}
	c := client(t, server, nil)
	for name, l := range pagedLists(t.Context(), c) {
		before, n := server.count(), 0
		l.walk(func(err error) bool {
			require.NoError(t, err, name)
			n++
			return true
		})
		assert.Equal(t, 6, n, name)
		assert.Equal(t, 3, server.count()-before, name)
		assert.Equal(t, l.still, l.options, name)

		before = server.count()
		l.walk(func(error) bool { return false })
		assert.Equal(t, 1, server.count()-before, "%s: a loop that stops fetches no further page", name)
	}
}

func TestEveryListEndsAtItsFirstError(t *testing.T) {
	server := &recorder{}
	server.answer = func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("page-offset") == "1" {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		pageOf(w, r)
	}
	for name, l := range pagedLists(t.Context(), client(t, server, nil)) {
		var errs []error
		l.walk(func(err error) bool {
			errs = append(errs, err)
			return true // a loop that does not look
		})
		require.Len(t, errs, 3, name)
		assert.NoError(t, errs[0], name)
		assert.NoError(t, errs[1], name)
		assert.ErrorIs(t, errs[2], tastytrade.ErrUnavailable, name)
	}
}

func TestEveryListEndsWhenItIsCancelled(t *testing.T) {
	server := &recorder{answer: pageOf}
	c := client(t, server, nil)
	for name := range pagedLists(t.Context(), c) {
		ctx, cancel := context.WithCancel(t.Context())
		before := server.count()
		var errs []error
		pagedLists(ctx, c)[name].walk(func(err error) bool {
			cancel()
			errs = append(errs, err)
			return true
		})
		require.Len(t, errs, 3, "%s: the page in hand, and why there is no other", name)
		assert.ErrorIs(t, errs[2], context.Canceled, name)
		assert.Equal(t, 1, server.count()-before, name)
	}
}

// A server that ignores page-offset, or does not say which page it gives.
func TestAListEndsHoweverOftenTheSamePageComes(t *testing.T) {
	server := answering(200, `{"data":{"items":[{"id":1}]},"pagination":{"total-pages":3}}`)
	n := 0
	for _, err := range client(t, server, nil).Transactions.All(t.Context(), "5WX1", nil) {
		require.NoError(t, err)
		n++
	}
	assert.Equal(t, 3, n)
}

func TestAStreamedListEndsWhenItIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	server := &recorder{answer: func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, `{"data":{"items":[{"symbol":"./ESZ6 ESZ6  261218P6300"},`)
		w.(http.Flusher).Flush()
		<-r.Context().Done() // the rest never comes
	}}
	var errs []error
	for _, err := range client(t, server, nil).OptionChains.AllFutureOptions(ctx, "ES") {
		errs = append(errs, err)
		cancel()
	}
	require.Len(t, errs, 2)
	require.NoError(t, errs[0])
	assert.ErrorIs(t, errs[1], context.Canceled)
}
