package tastytrade_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// onePage is a list of anything.
const onePage = `{"data":{"items":[{"symbol":"A","id":1,"code":"ES","account-number":"5WX1"}]},"pagination":{"page-offset":0,"total-pages":1}}`

func TestOptionsAreNeverChanged(t *testing.T) {
	c := client(t, answering(200, onePage), nil)
	ctx := t.Context()

	equities := tastytrade.EquitiesOptions{Symbols: []string{"B", "A"}, PerPage: 1}
	_, err := first(c.Instruments.AllEquities(ctx, &equities))
	require.NoError(t, err)
	assert.Equal(t, tastytrade.EquitiesOptions{Symbols: []string{"B", "A"}, PerPage: 1}, equities)

	futures := tastytrade.FuturesOptions{ProductCodes: []string{"ES", "6A"}}
	_, err = first(c.Instruments.AllFutures(ctx, &futures))
	require.NoError(t, err)
	assert.Equal(t, tastytrade.FuturesOptions{ProductCodes: []string{"ES", "6A"}}, futures)

	snapshots := tastytrade.SnapshotsOptions{}
	_, err = first(c.Balances.AllSnapshots(ctx, "5WX1", &snapshots))
	require.NoError(t, err)
	assert.Zero(t, snapshots, "the time of day that is left out is filled in on a copy")

	transactions := tastytrade.TransactionsOptions{Types: []tastytrade.TransactionType{"Trade"}, StartAt: time.Unix(1, 0)}
	_, err = first(c.Transactions.All(ctx, "5WX1", &transactions))
	require.NoError(t, err)
	assert.Equal(t, tastytrade.TransactionsOptions{Types: []tastytrade.TransactionType{"Trade"}, StartAt: time.Unix(1, 0)}, transactions)
}

func TestRequestsOutsideTheLimitsOfTheirRouteAreRefused(t *testing.T) {
	server := answering(200, anything)
	c := client(t, server, nil)
	ctx := t.Context()
	day := tastytrade.Date{Year: 2026, Month: 9, Day: 16}
	for _, tt := range []struct {
		field string
		call  func() error
	}{
		{"per-page", func() error {
			_, err := c.Transactions.List(ctx, "5WX1", &tastytrade.TransactionsOptions{PerPage: 2001})
			return err
		}},
		{"per-page", func() error {
			_, err := c.Risk.SPANRows(ctx, tastytrade.SPANOptions{Date: day, Exchange: "CME", PerPage: 50001})
			return err
		}},
		{"Date", func() error { _, err := c.Risk.SPANRows(ctx, tastytrade.SPANOptions{Exchange: "CME"}); return err }},
		{"Exchange", func() error { _, err := c.Risk.SPANRows(ctx, tastytrade.SPANOptions{Date: day}); return err }},
		{"page-offset", func() error {
			_, err := c.Instruments.Futures(ctx, &tastytrade.FuturesOptions{PageOffset: -1})
			return err
		}},
		{"limit", func() error {
			_, err := c.Instruments.Search(ctx, tastytrade.InstrumentSearch{Limit: 101})
			return err
		}},
		{"Back", func() error {
			_, err := c.NetLiq.History(ctx, "5WX1", &tastytrade.NetLiqHistoryOptions{Back: tastytrade.OneDay, Start: time.Unix(1, 0)})
			return err
		}},
		{"Legs", func() error {
			_, err := c.Margin.DryRun(ctx, "5WX1", tastytrade.MarginOrder{UnderlyingSymbol: "A", OrderType: tastytrade.Limit, TimeInForce: tastytrade.Day})
			return err
		}},
		{"Name", func() error { _, err := c.Watchlists.Create(ctx, tastytrade.Watchlist{}); return err }},
		{"Entries", func() error {
			_, err := c.Watchlists.Create(ctx, tastytrade.Watchlist{Name: "x", Entries: make([]tastytrade.WatchlistEntry, 1)})
			return err
		}},
		{"Operator", func() error {
			_, err := c.QuoteAlerts.Create(ctx, tastytrade.NewQuoteAlert{Symbol: "A", Field: tastytrade.AlertBid, Operator: "=", Threshold: decimal.NewFromInt(1)})
			return err
		}},
		{"alert", func() error { return c.QuoteAlerts.Delete(ctx, "..") }},
	} {
		var field *tastytrade.FieldError
		require.ErrorAs(t, tt.call(), &field, tt.field)
		assert.Equal(t, tt.field, field.Field)
	}
	assert.Zero(t, server.count())
}

func TestADeletedAlertHasNoAnswer(t *testing.T) {
	server := answering(204, "")
	require.NoError(t, client(t, server, nil).QuoteAlerts.Delete(t.Context(), "alert-1"))
	assert.Equal(t, "DELETE /quote-alerts/alert-1", server.last().Method+" "+server.last().RequestURI)
}

func TestAZeroAmountKeepsItsEffect(t *testing.T) {
	const text = `{"id":1,"value":"0.0","value-effect":"Debit","net-value":"5","net-value-effect":"Debit","unknown":[1]}`
	tx := decode[tastytrade.Transaction](t, text)
	assert.JSONEq(t, text, encode(t, tx))
	tx.NetValue = dec("0")
	assert.Contains(t, encode(t, tx), `"net-value":"0","net-value-effect":"Debit"`)
	tx.NetValue = dec("3")
	assert.Contains(t, encode(t, tx), `"net-value":"3","net-value-effect":"Credit"`)
	tx.NetValue = nil
	assert.NotContains(t, encode(t, tx), `net-value`)
}

func TestEverySpellingOfANameIsRead(t *testing.T) {
	for _, text := range []string{`{"total-open":"1.5","pendingCashClose":2}`, `{"totalOpen":1.5,"pending-cash-close":"2"}`, `{"total_open":"1.5","pending_cash_close":"2.0"}`} {
		bar := decode[tastytrade.NetLiqBar](t, text)
		require.NotNil(t, bar.TotalOpen, text)
		assert.Equal(t, "1.5", bar.TotalOpen.String())
		assert.True(t, bar.PendingCashClose.Equal(decimal.NewFromInt(2)))
		assert.JSONEq(t, text, encode(t, bar))
		bar.TotalOpen = dec("7")
		assert.Len(t, value(t, []byte(encode(t, bar))), 2, "a change is written under the name that was there")
	}
}

// 0 must not stand for unknown where it would mean something: no shares in a
// contract, the last day of an option, a limit of nothing. Numbers that cannot be
// nil are those of requests, of pages and of a watchlist's place and count.
func TestWholeNumbersThatAreUnknownAreNotZero(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	plain := regexp.MustCompile("(?m)^\t(\\w+)\\s+int\\s+`json:")
	var found []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, match := range plain.FindAllSubmatch(text, -1) {
			found = append(found, file+" "+string(match[1]))
		}
	}
	assert.Equal(t, []string{
		"backtest.go Quantity", "backtest.go DaysUntilExpiration",
		"page.go PerPage", "page.go PageOffset", "page.go ItemOffset", "page.go TotalItems", "page.go TotalPages", "page.go CurrentItemCount",
		"watchlist.go OrderIndex", "watchlist.go EntryCount", "watchlist.go OrderIndex",
	}, found)

	limit := decode[tastytrade.PositionLimit](t, `{"equity-order-size":0,"future-order-size":null,"equity-position-size":"many"}`)
	require.NotNil(t, limit.EquityOrderSize)
	assert.Zero(t, *limit.EquityOrderSize)
	assert.Nil(t, limit.FutureOrderSize)
	assert.Nil(t, limit.EquityPositionSize)
	assert.Nil(t, limit.FuturePositionSize)
}

func TestTimesInEveryFormAreRead(t *testing.T) {
	want := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	for _, text := range []string{`1789569000000`, `"1789569000000"`, `1789569000`, `"2026-09-16T14:30:00.000+00:00"`, `"2026-09-16T10:30:00-0400"`, `"2026-09-16T14:30:00Z (delayed)"`,
		`"2026-09-16T16:30:00+02:00[Europe/Paris]"`, `"2026-09-16T14:30Z"`} {
		bar := decode[tastytrade.NetLiqBar](t, `{"time":`+text+`}`)
		assert.True(t, bar.Time.Equal(want), "%s: %s", text, bar.Time)
	}
	for _, text := range []string{`-1`, `"0"`, `0`, `""`, `"soon"`, `"NaN"`, `{}`, `1e300`} {
		assert.True(t, decode[tastytrade.NetLiqBar](t, `{"time":`+text+`}`).Time.IsZero(), text)
	}
}
