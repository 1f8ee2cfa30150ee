package alpaca_test

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/market"
)

func marketFake(t *testing.T) (*alpacatest.Server, *alpaca.Adapter) {
	t.Helper()
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	fake.AddStock("BRK.B")
	fake.AddStock("LOW")
	fake.AddCrypto("BTC/USD")
	for _, o := range []market.Symbol{call100, call105, "ACME  260918P00100000"} {
		require.NoError(t, fake.AddOption(string(o)))
	}
	fake.Quote("ACME", alpacatest.Quote{Bid: 99.9, Ask: 100.1, BidSize: 3, AskSize: 4, Last: 100})
	fake.Quote("BRK.B", alpacatest.Quote{Bid: 500, BidSize: 1})
	fake.Quote("LOW", alpacatest.Quote{Ask: 1, AskSize: 1})
	fake.Quote("BTC/USD", alpacatest.Quote{Bid: 60_000, Ask: 60_001, BidSize: 0.5, AskSize: 0.25})
	fake.Quote("ACME260821C00100000", alpacatest.Quote{Bid: 0, Ask: 0.05, AskSize: 10})
	return fake, newAdapter(t, fake, nil)
}

func TestQuotesComeFromAllMarketsInTheOrderAsked(t *testing.T) {
	fake, a := marketFake(t)
	quotes, err := a.Quotes(t.Context(), []market.Symbol{call100, "NOSUCH", "BTC/USD", "ACME", "BRK/B", "/ESZ6"})
	missing, ok := errors.AsType[*market.MissingError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []market.Symbol{"NOSUCH", "/ESZ6"}, missing.Symbols)
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	require.Len(t, quotes, 4)
	assert.Equal(t, call100, quotes[0].Symbol)
	assert.Equal(t, 0.0, quotes[0].Bid, "an option may be bid at nothing")
	assert.Equal(t, market.Symbol("BTC/USD"), quotes[1].Symbol)
	assert.Equal(t, 99.9, quotes[2].Bid)
	assert.Equal(t, 100.0, quotes[2].Last)
	assert.True(t, quotes[2].Time.Equal(fake.Now()))
	assert.Equal(t, market.Symbol("BRK/B"), quotes[3].Symbol)
	assert.True(t, math.IsNaN(quotes[3].Ask), "nobody offers: unknown, not free")
	assert.True(t, math.IsNaN(quotes[3].PrevClose))
	low, err := a.Quotes(t.Context(), []market.Symbol{"LOW"})
	require.NoError(t, err)
	assert.True(t, math.IsNaN(low[0].Bid), "nobody bids for a share: unknown")
	_, err = a.Quotes(t.Context(), nil)
	assert.Equal(t, []string{"symbols"}, fields(err))
	_, err = a.Quotes(t.Context(), []market.Symbol{"acme"})
	assert.Equal(t, []string{"symbols"}, fields(err))
}

func bar(at time.Time, close float64) alpacatest.Bar {
	return alpacatest.Bar{Time: at, Open: close - 1, High: close + 1, Low: close - 2, Close: close, Volume: 100}
}

func TestBarsAreReadPageByPageAndInTheSession(t *testing.T) {
	fake, a := marketFake(t)
	ny := market.NYSE().Location()
	var days, halves []alpacatest.Bar
	for d := range 12 { // 12 sessions; the fake's pages have five
		day := market.NYSE().Sessions(market.Date{Year: 2026, Month: 5, Day: 1}, june3)[d].Date
		days = append(days, bar(day.In(ny), float64(100+d)))
	}
	for i := range 18 { // from 8:00 to 17:00
		halves = append(halves, bar(time.Date(2026, 6, 2, 8, 30*i, 0, 0, ny), float64(i)))
	}
	fake.SetBars("ACME", "1Day", days)
	fake.SetBars("ACME", "30Min", halves)

	all, err := a.Bars(t.Context(), market.BarsRequest{Symbol: "ACME", Interval: market.Day})
	require.NoError(t, err)
	require.Len(t, all, 12)
	assert.Equal(t, market.Bar{Time: days[0].Time, Open: 99, High: 101, Low: 98, Close: 100, Volume: 100}, all[0])
	newest, err := a.Bars(t.Context(), market.BarsRequest{Symbol: "ACME", Interval: market.Day, Limit: 7})
	require.NoError(t, err)
	assert.Equal(t, all[5:], newest, "the newest, ascending")
	part, err := a.Bars(t.Context(), market.BarsRequest{Symbol: "ACME", Interval: market.Day, From: days[2].Time, To: days[4].Time})
	require.NoError(t, err)
	assert.Equal(t, all[2:4], part, "from is in and to is out")

	regular, err := a.Bars(t.Context(), market.BarsRequest{Symbol: "ACME", Interval: market.Minute30})
	require.NoError(t, err)
	require.Len(t, regular, 13)
	assert.Equal(t, time.Date(2026, 6, 2, 9, 30, 0, 0, ny), regular[0].Time)
	extended, err := a.Bars(t.Context(), market.BarsRequest{Symbol: "ACME", Interval: market.Minute30, Extended: true})
	require.NoError(t, err)
	assert.Len(t, extended, 18)
	hours, err := a.Bars(t.Context(), market.BarsRequest{Symbol: "ACME", Interval: market.Hour})
	require.NoError(t, err)
	require.Len(t, hours, 7, "counted from the opening, of half hours")
	assert.Equal(t, regular[0].Time, hours[0].Time)
	assert.Equal(t, regular[1].Close, hours[0].Close)
	assert.Equal(t, 200.0, hours[0].Volume)

	_, err = a.Bars(t.Context(), market.BarsRequest{Symbol: "NOSUCH", Interval: market.Day})
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	_, err = a.Bars(t.Context(), market.BarsRequest{Symbol: "BRK/B", Interval: market.Day})
	assert.ErrorIs(t, err, market.ErrNoData)
	for _, req := range []market.BarsRequest{{Symbol: "ACME", Interval: "5s"}, {Symbol: "/ESZ6", Interval: market.Day}} {
		_, err = a.Bars(t.Context(), req)
		assert.ErrorIs(t, err, market.ErrUnsupported)
	}
	for field, req := range map[string]market.BarsRequest{
		"interval": {Symbol: "ACME", Interval: "x"}, "limit": {Symbol: "ACME", Interval: market.Day, Limit: -1}, "symbol": {Symbol: "", Interval: market.Day},
		"to": {Symbol: "ACME", Interval: market.Day, From: noon, To: noon.Add(-1)},
	} {
		_, err = a.Bars(t.Context(), req)
		assert.Equal(t, []string{field}, fields(err))
	}
}

func TestChainsHaveGreeksAndContracts(t *testing.T) {
	_, a := marketFake(t)
	expirations, err := a.Expirations(t.Context(), "ACME")
	require.NoError(t, err)
	require.Len(t, expirations, 2)
	assert.Equal(t, []float64{100, 105}, expirations[0].Strikes)
	assert.Equal(t, market.American, expirations[0].Style)
	chain, err := a.Chain(t.Context(), market.ChainRequest{Underlying: "ACME"})
	require.NoError(t, err)
	require.Len(t, chain, 3)
	assert.Equal(t, call100, chain[0].Symbol)
	assert.Equal(t, 0.25, chain[0].IV)
	assert.Equal(t, -0.03, chain[0].Theta, "per day")
	assert.InDelta(t, 11, chain[0].Vega, 1e-12, "per 1.00: Alpaca's is per percentage point")
	assert.InDelta(t, 4, chain[0].Rho, 1e-12)
	assert.Equal(t, 237.0, chain[0].OpenInterest)
	assert.Equal(t, 100.0, chain[0].Spot)
	assert.True(t, math.IsNaN(chain[1].Bid), "a contract without a quote")
	one, err := a.Chain(t.Context(), market.ChainRequest{Underlying: "ACME", Expirations: []market.Date{{Year: 2026, Month: 8, Day: 21}}, Strikes: 1})
	require.NoError(t, err)
	require.Len(t, one, 1)
	assert.Equal(t, 100.0, one[0].Strike, "the nearest to the price")
	above, err := a.Chain(t.Context(), market.ChainRequest{Underlying: "ACME", MinStrike: 101})
	require.NoError(t, err)
	assert.Len(t, above, 1)
	none, err := a.Expirations(t.Context(), "BRK/B")
	require.NoError(t, err)
	assert.Empty(t, none)
	_, err = a.Chain(t.Context(), market.ChainRequest{Underlying: "NOSUCH"})
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	_, err = a.Chain(t.Context(), market.ChainRequest{Underlying: "BRK/B"})
	assert.ErrorIs(t, err, market.ErrNoData)
	_, err = a.Chain(t.Context(), market.ChainRequest{Underlying: "ACME", Strikes: -1})
	assert.Equal(t, []string{"strikes"}, fields(err))
	_, err = a.Metrics(t.Context(), nil)
	assert.ErrorIs(t, err, market.ErrUnsupported)
}

func TestInstrumentsAreDescribedAndFound(t *testing.T) {
	_, a := marketFake(t)
	list, err := a.Instruments(t.Context(), []market.Symbol{"ACME", call100, "BTC/USD", "NOSUCH"})
	assert.ErrorIs(t, err, market.ErrUnknownSymbol)
	require.Len(t, list, 3)
	assert.Equal(t, "XNAS", list[0].Exchange)
	assert.Equal(t, 0.0001, market.Increment(list[0].Ticks, 0.5))
	assert.Equal(t, market.Symbol("ACME"), list[1].Underlying)
	assert.Equal(t, 100.0, list[1].Multiplier)
	assert.Equal(t, market.KindCrypto, list[2].Kind)
	found, err := a.Search(t.Context(), "acm", 0)
	require.NoError(t, err)
	require.Len(t, found, 1)
	assert.Equal(t, market.Symbol("ACME"), found[0].Symbol)
	found, err = a.Search(t.Context(), "common", 1)
	require.NoError(t, err)
	assert.Len(t, found, 1)
	_, err = a.Search(t.Context(), " ", 1)
	assert.Equal(t, []string{"text"}, fields(err))
}

// The answer is the collected one of Alpaca's own Go client's test.
func TestDividendsAndSplitsComeFromCorporateActions(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		page := `{"corporate_actions":{"forward_splits":[{"ex_date":"2024-03-13","new_rate":5,"old_rate":1,"symbol":"FBL"}]},"next_page_token":"n"}`
		if r.URL.Query().Get("page_token") == "n" {
			page = `{"corporate_actions":{"cash_dividends":[{"ex_date":"2024-02-01","rate":0.125,"symbol":"FBL"},{"ex_date":"2030-02-01","rate":1}],
				"reverse_splits":[{"ex_date":"2024-05-01","new_rate":1,"old_rate":50}],"name_changes":[{"process_date":"2024-03-01"}]},"next_page_token":null}`
		}
		_, _ = io.WriteString(w, page)
	}))
	defer server.Close()
	a, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{Credentials: alpaca.Static(creds), DataURL: server.URL}})
	require.NoError(t, err)
	defer a.Close()
	from, to := market.Date{Year: 2024, Month: 1, Day: 1}, market.Date{Year: 2024, Month: 12, Day: 31}
	events, err := a.Events(t.Context(), "FBL", from, to)
	require.NoError(t, err)
	var got []string
	for _, e := range events {
		got = append(got, fmt.Sprint(e.Date, " ", e.Kind, " ", e.Value))
	}
	assert.Equal(t, []string{"2024-02-01 dividend 0.125", "2024-03-13 split 5", "2024-05-01 split 0.02"}, got)
	_, err = a.Events(t.Context(), "FBL", to, from)
	assert.Equal(t, []string{"to"}, fields(err))
}

// The activities are the collected ones of alpaca-py's tests, and one of each of
// the other kinds in their form.
func TestActivitiesBecomeTransactions(t *testing.T) {
	body := `[{"id":"20220304135420903::a","activity_type":"FILL","transaction_time":"2022-03-04T18:54:20.903569Z","type":"partial_fill","price":"2907.15","qty":"1.792161878","side":"buy","symbol":"AMZN","order_id":"o-1"},
		{"id":"b","activity_type":"FILL","transaction_time":"2022-03-04T18:54:21Z","price":"1.25","qty":"2","side":"sell_short","symbol":"AAPL220418C00150000"},
		{"id":"c","activity_type":"FILL","transaction_time":"2022-03-04T18:54:22Z","price":"40000","qty":"0.5","side":"sell","symbol":"BTCUSD"},
		{"id":"d","activity_type":"CSD","date":"2022-03-04","net_amount":"33324.35","description":"wire","status":"executed"},
		{"id":"e","activity_type":"OPASN","date":"2022-03-05","net_amount":"0","qty":"1","symbol":"AAPL220418C00150000"},
		{"id":"f","activity_type":"DIVNRA","date":"2022-03-05","net_amount":"-1.5","symbol":"AAPL"},
		{"id":"g","activity_type":"NEWKIND","date":"2022-03-05","net_amount":"1"},
		{"id":"h","activity_type":"FEE","date":"2022-03-09","net_amount":"-1"}]`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/account") {
			_, _ = io.WriteString(w, `{"account_number":"`+alpacatest.AccountNumber+`"}`)
			return
		}
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	a, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{Credentials: alpaca.Static(creds), TradingURL: server.URL}})
	require.NoError(t, err)
	defer a.Close()
	list, err := a.Transactions(t.Context(), account, time.Date(2022, 3, 4, 0, 0, 0, 0, market.NYSE().Location()), time.Date(2022, 3, 6, 0, 0, 0, 0, market.NYSE().Location()))
	require.NoError(t, err)
	var got []string
	for _, v := range list {
		got = append(got, strings.TrimSpace(fmt.Sprint(v.ID, " ", v.Kind, " ", v.Quantity, " ", v.Symbol, " ", v.Amount)))
	}
	assert.Equal(t, []string{
		"d transfer 0  33324.35",
		"20220304135420903::a trade 1.792161878 AMZN -5210.0834036277",
		"b trade -2 AAPL  220418C00150000 250",
		"c trade -0.5 BTC/USD 20000",
		"e assignment 1 AAPL  220418C00150000 0",
		"f dividend 0 AAPL -1.5",
		"g newkind 0  1",
	}, got)
	assert.Equal(t, "o-1", string(list[1].Order))
	_, err = a.Transactions(t.Context(), account, noon, noon)
	assert.Equal(t, []string{"to"}, fields(err))
}
