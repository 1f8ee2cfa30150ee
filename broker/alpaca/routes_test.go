package alpaca_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/market"
)

var (
	june3 = market.Date{Year: 2026, Month: time.June, Day: 3}
	noon  = time.Date(2026, 6, 3, 12, 0, 0, 0, time.UTC)
)

// routes are all methods of the client with the request that each sends. The
// routes and their parameters are those of Alpaca's API reference.
var routes = []struct {
	want   string // method, path and query
	answer string // what the server says; an empty object unless said
	call   func(context.Context, *alpaca.Client) error
}{
	{"GET /v2/account", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Account(ctx); return err }},
	{"GET /v2/account/configurations", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Configurations(ctx); return err }},
	{"PATCH /v2/account/configurations", "", func(ctx context.Context, c *alpaca.Client) error {
		yes := true
		v, err := c.Configure(ctx, alpaca.ConfigurationsChange{NoShorting: &yes})
		_ = v
		return err
	}},
	{"GET /v2/account/activities?activity_types=FILL%2CDIV&after=2026-06-03T12%3A00%3A00Z&direction=asc&page_size=50&page_token=t", "[]", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Activities(ctx, alpaca.ActivitiesQuery{Types: []string{"FILL", "DIV"}, After: noon, Ascending: true, PageSize: 50, PageToken: "t"})
		return err
	}},
	{"GET /v2/account/portfolio/history?intraday_reporting=extended_hours&period=1M&timeframe=1D", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.PortfolioHistory(ctx, alpaca.HistoryQuery{Period: "1M", Timeframe: "1D", Extended: true})
		return err
	}},
	{"GET /v2/orders?after=2026-06-03T12%3A00%3A00Z&direction=desc&limit=500&nested=true&side=buy&status=all&symbols=A%2CB", "[]", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Orders(ctx, alpaca.ListOrdersQuery{Status: "all", Limit: 500, After: noon, Symbols: []string{"A", "B"}, Side: "buy"})
		return err
	}},
	{"POST /v2/orders", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.PlaceOrder(ctx, alpaca.OrderRequest{Symbol: "A", Qty: dec("1"), Side: "buy", Type: "market", TimeInForce: "day"})
		return err
	}},
	{"GET /v2/orders/o-1?nested=true", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Order(ctx, "o-1"); return err }},
	{"GET /v2/orders:by_client_order_id?client_order_id=t-1&nested=true", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.OrderByClientID(ctx, "t-1"); return err }},
	{"PATCH /v2/orders/o-1", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.ReplaceOrder(ctx, "o-1", alpaca.ReplaceRequest{Qty: dec("2")})
		return err
	}},
	{"DELETE /v2/orders/o-1", "", func(ctx context.Context, c *alpaca.Client) error { return c.CancelOrder(ctx, "o-1") }},
	{"DELETE /v2/orders", "[]", func(ctx context.Context, c *alpaca.Client) error { _, err := c.CancelAllOrders(ctx); return err }},
	{"GET /v2/positions", "[]", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Positions(ctx); return err }},
	{"GET /v2/positions/A", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Position(ctx, "A"); return err }},
	{"DELETE /v2/positions/A?qty=0.5", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.ClosePosition(ctx, "A", *dec("0.5"))
		return err
	}},
	{"DELETE /v2/positions?cancel_orders=true", "[]", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.CloseAllPositions(ctx, true)
		return err
	}},
	{"POST /v2/positions/A260821C00100000/exercise", "", func(ctx context.Context, c *alpaca.Client) error { return c.Exercise(ctx, "A260821C00100000") }},
	{"POST /v2/positions/A260821C00100000/do-not-exercise", "", func(ctx context.Context, c *alpaca.Client) error { return c.DoNotExercise(ctx, "A260821C00100000") }},
	{"GET /v2/assets?asset_class=us_equity&attributes=has_options&exchange=NYSE&status=active", "[]", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Assets(ctx, alpaca.AssetsQuery{Status: "active", Class: "us_equity", Exchange: "NYSE", Attributes: []string{"has_options"}})
		return err
	}},
	{"GET /v2/assets/BTC%2FUSD", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Asset(ctx, "BTC/USD"); return err }},
	{"GET /v2/options/contracts?expiration_date_gte=2026-06-03&limit=10&show_deliverables=true&strike_price_lte=7.5&type=put&underlying_symbols=A%2CB", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.OptionContracts(ctx, alpaca.ContractsQuery{Underlyings: []string{"A", "B"}, ExpirationFrom: june3, Type: "put", StrikeTo: dec("7.5"), Limit: 10, ShowDeliverables: true})
		return err
	}},
	{"GET /v2/options/contracts/A260821C00100000", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.OptionContract(ctx, "A260821C00100000")
		return err
	}},
	{"GET /v2/corporate_actions/announcements?ca_types=dividend%2Csplit&since=2026-06-03&symbol=A&until=2026-06-03", "[]", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Announcements(ctx, alpaca.AnnouncementsQuery{Types: []string{"dividend", "split"}, Since: june3, Until: june3, Symbol: "A"})
		return err
	}},
	{"GET /v2/calendar?end=2026-06-03&start=2026-06-03", "[]", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Calendar(ctx, june3, june3); return err }},
	{"GET /v2/clock", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Clock(ctx); return err }},
	{"GET /v2/watchlists", "[]", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Watchlists(ctx); return err }},
	{"GET /v2/watchlists/w-1", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Watchlist(ctx, "w-1"); return err }},
	{"GET /v2/assets/fixed_income/us_treasuries", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Treasuries(ctx); return err }},
	{"GET /v2/assets/fixed_income/us_corporates", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Corporates(ctx); return err }},

	{"GET /v2/stocks/bars?adjustment=split&end=2026-06-03T12%3A00%3A00Z&feed=iex&limit=10&sort=desc&symbols=A&timeframe=1Day", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Bars(ctx, alpaca.DataQuery{Symbols: []string{"A"}, Timeframe: "1Day", End: noon, Limit: 10, Adjustment: "split", Descending: true})
		return err
	}},
	{"GET /v1beta1/options/bars?symbols=A260821C00100000&timeframe=1Hour", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Bars(ctx, alpaca.DataQuery{Market: alpaca.OptionMarket, Symbols: []string{"A260821C00100000"}, Timeframe: "1Hour"})
		return err
	}},
	{"GET /v1beta3/crypto/us/bars?symbols=BTC%2FUSD&timeframe=1Min", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Bars(ctx, alpaca.DataQuery{Market: alpaca.CryptoMarket, Symbols: []string{"BTC/USD"}, Timeframe: "1Min"})
		return err
	}},
	{"GET /v2/stocks/trades?asof=2026-06-03&feed=iex&page_token=p&symbols=A", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Trades(ctx, alpaca.DataQuery{Symbols: []string{"A"}, AsOf: "2026-06-03", PageToken: "p"})
		return err
	}},
	{"GET /v1beta1/options/trades?symbols=X", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Trades(ctx, alpaca.DataQuery{Market: alpaca.OptionMarket, Symbols: []string{"X"}})
		return err
	}},
	{"GET /v2/stocks/quotes?feed=iex&symbols=A", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Quotes(ctx, alpaca.DataQuery{Symbols: []string{"A"}})
		return err
	}},
	{"GET /v2/stocks/auctions?symbols=A", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Auctions(ctx, alpaca.DataQuery{Symbols: []string{"A"}})
		return err
	}},
	{"GET /v2/stocks/bars/latest?feed=iex&symbols=A", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.LatestBars(ctx, alpaca.StockMarket, []string{"A"})
		return err
	}},
	{"GET /v1beta3/crypto/us/latest/bars?symbols=BTC%2FUSD", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.LatestBars(ctx, alpaca.CryptoMarket, []string{"BTC/USD"})
		return err
	}},
	{"GET /v1beta1/options/trades/latest?feed=indicative&symbols=X", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.LatestTrades(ctx, alpaca.OptionMarket, []string{"X"})
		return err
	}},
	{"GET /v1beta1/options/quotes/latest?feed=indicative&symbols=X", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.LatestQuotes(ctx, alpaca.OptionMarket, []string{"X"})
		return err
	}},
	{"GET /v2/stocks/snapshots?feed=iex&symbols=A%2CB", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Snapshots(ctx, alpaca.StockMarket, []string{"A", "B"})
		return err
	}},
	{"GET /v1beta1/options/snapshots?feed=indicative&symbols=X", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Snapshots(ctx, alpaca.OptionMarket, []string{"X"})
		return err
	}},
	{"GET /v1beta3/crypto/us/snapshots?symbols=BTC%2FUSD", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Snapshots(ctx, alpaca.CryptoMarket, []string{"BTC/USD"})
		return err
	}},
	{"GET /v1beta1/options/snapshots/A?expiration_date=2026-06-03&feed=indicative&limit=1000&strike_price_gte=5&type=call", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.Chain(ctx, "A", alpaca.ChainQuery{Type: "call", StrikeFrom: "5", Expiration: june3, Limit: 1000})
		return err
	}},
	{"GET /v1beta1/news?include_content=true&limit=5&symbols=A", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.News(ctx, alpaca.NewsQuery{Symbols: []string{"A"}, Limit: 5, Content: true})
		return err
	}},
	{"GET /v1/corporate-actions?end=2026-06-03&limit=10&start=2026-06-03&symbols=A&types=cash_dividend", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.CorporateActions(ctx, alpaca.CorporateActionsQuery{Symbols: []string{"A"}, Types: []string{"cash_dividend"}, From: june3, To: june3, Limit: 10})
		return err
	}},
	{"GET /v1beta1/screener/crypto/movers?top=3", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.Movers(ctx, true, 3); return err }},
	{"GET /v1beta1/screener/stocks/most-actives?by=volume&top=3", "", func(ctx context.Context, c *alpaca.Client) error { _, err := c.MostActives(ctx, "", 3); return err }},
	{"GET /v1beta1/fixed_income/latest/prices?isins=US0", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.BondPrices(ctx, []string{"US0"})
		return err
	}},
	{"GET /v1beta1/crypto-perps/global/latest/pricing?symbols=BTC-PERP", "", func(ctx context.Context, c *alpaca.Client) error {
		_, err := c.PerpetualPricing(ctx, []string{"BTC-PERP"})
		return err
	}},
}

func TestEachMethodSendsItsRequestSigned(t *testing.T) {
	var got, answer string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Method + " " + r.URL.RequestURI()
		assert.Equal(t, creds.KeyID, r.Header.Get("APCA-API-KEY-ID"))
		assert.Equal(t, creds.Secret, r.Header.Get("APCA-API-SECRET-KEY"))
		assert.NotEmpty(t, r.Header.Get("User-Agent"))
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	client, err := alpaca.NewClient(alpaca.ClientOptions{Credentials: alpaca.Static(creds), TradingURL: server.URL, DataURL: server.URL, TradingLimiter: quick{}, DataLimiter: quick{}})
	require.NoError(t, err)
	defer client.CloseIdle()
	for _, r := range routes {
		answer = r.answer
		if answer == "" {
			answer = "{}"
		}
		require.NoError(t, r.call(t.Context(), client), r.want)
		assert.Equal(t, r.want, got)
	}
}

// The page says of every route what it was checked against.
func TestThePageNamesEveryRoute(t *testing.T) {
	page, err := os.ReadFile("../../docs/alpaca.md")
	require.NoError(t, err)
	for _, r := range routes {
		_, uri, _ := strings.Cut(r.want, " ")
		path, _, _ := strings.Cut(uri, "?")
		method, _, _ := strings.Cut(r.want, " ")
		for from, to := range map[string]string{
			"/o-1": "/{id}", "/w-1": "/{id}", "positions/A260821C00100000": "positions/{symbol}", "contracts/A260821C00100000": "contracts/{symbol}",
			"positions/A": "positions/{symbol}", "assets/BTC%2FUSD": "assets/{symbol}", "snapshots/A": "snapshots/{underlying}", "screener/crypto": "screener/{market}",
		} {
			if strings.HasSuffix(path, from) || strings.Contains(path, from+"/") {
				path = strings.Replace(path, from, to, 1)
			}
		}
		assert.Contains(t, string(page), "| `"+method+" "+path+"` |", "docs/alpaca.md")
	}
}

func TestATokenIsSentInsteadOfAPair(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer tok", r.Header.Get("Authorization"))
		assert.Empty(t, r.Header.Get("APCA-API-KEY-ID"))
		_, _ = io.WriteString(w, "{}")
	}))
	defer server.Close()
	client, err := alpaca.NewClient(alpaca.ClientOptions{Credentials: alpaca.Static(alpaca.Credentials{Token: "tok", KeyID: "k", Secret: "s"}), TradingURL: server.URL})
	require.NoError(t, err)
	defer client.CloseIdle()
	_, err = client.Account(t.Context())
	require.NoError(t, err)
}

func TestOptionsAreCheckedAtOnce(t *testing.T) {
	ok := alpaca.Static(creds)
	for field, opts := range map[string]alpaca.ClientOptions{
		"Credentials": {},
		"Timeout":     {Credentials: ok, Timeout: -1},
		"BaseURL":     {Credentials: ok, TradingURL: "http://example.com"},
		"StreamURL":   {Credentials: ok, StreamURL: "ws://example.com"},
		"Live":        {Credentials: ok, TradingURL: alpaca.LiveURL},
	} {
		_, err := alpaca.NewClient(opts)
		assert.Equal(t, []string{field}, fields(err))
	}
	_, err := alpaca.NewClient(alpaca.ClientOptions{Credentials: ok, Live: true, TradingURL: alpaca.PaperURL})
	assert.Equal(t, []string{"Live"}, fields(err), "paper money is not taken for real money, nor the other way round")
	_, err = alpaca.New(nil)
	assert.Error(t, err)
	live, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{Credentials: ok, Live: true}})
	require.NoError(t, err)
	assert.True(t, live.Environment().Real())
	paper, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{Credentials: ok}})
	require.NoError(t, err)
	assert.False(t, paper.Environment().Real())
	_, err = paper.Client().ClosePosition(t.Context(), "A", decimal.NewFromInt(-1))
	assert.Equal(t, []string{"qty"}, fields(err))
	_, err = paper.Client().PlaceOrder(t.Context(), alpaca.OrderRequest{Symbol: "A"})
	assert.Equal(t, []string{"Notional"}, fields(err))
}
