package simulator_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

// shape lists every path of a JSON value with the type that stands there, the
// elements of a list being one path: "items[].tick-sizes[].value string".
func shape(value any) map[string]string {
	paths := map[string]string{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		kind := "null"
		switch x := v.(type) {
		case map[string]any:
			kind = "object"
			for key, inner := range x {
				walk(strings.TrimPrefix(path+"."+key, "."), inner)
			}
		case []any:
			kind = "list"
			for _, inner := range x {
				walk(path+"[]", inner)
			}
		case string:
			kind = "string"
		case json.Number:
			kind = "number"
		case bool:
			kind = "bool"
		}
		if path != "" && kind != "null" {
			paths[path] = kind
		}
	}
	walk("", value)
	return paths
}

// recorded reads a recorded answer, its envelope taken off.
func recorded(t *testing.T, name string) any {
	t.Helper()
	body, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", name))
	require.NoError(t, err)
	value := decode(t, body)
	if data, ok := value["data"]; ok {
		return data
	}
	return value
}

func TestAnswersHaveTheShapeOfRecordedOnes(t *testing.T) {
	c := start(t, nil).login()
	tests := []struct {
		file, path string
		item       bool // the recording is one element of the items
		// Deliberate differences, each a path of the recording that is left out.
		without []string
		// And paths that the recording lacks: it is older, or of another instrument.
		extra []string
	}{
		{file: "accounts.json", path: "/customers/me/accounts",
			extra: []string{"items[].account.external-id", "items[].account.funding-date"}}, // both in other recordings
		{file: "Get_Account_Balance.json", path: "/accounts/5WS00001/balances/USD"},
		{file: "Get_Account_Balance.json", path: "/accounts/5WS00001/balances", item: true},
		{file: "Get_Account_Balance.json", path: "/accounts/5WS00001/balance-snapshots?time-of-day=EOD", item: true,
			extra: []string{"time-of-day"}},
		{file: "trading_status.json", path: "/accounts/5WS00001/trading-status",
			extra: []string{"is-portfolio-margin-enabled"}}, // in the declared model
		{file: "Get_Api_Quote_Token.json", path: "/api-quote-tokens",
			extra: []string{"issued-at", "expires-at", "websocket-url"}}, // in the declared model
		{file: "equities.json", path: "/instruments/equities?symbol[]=AAPL&symbol[]=SPY",
			without: []string{"items[].cusip"}, // belongs to real securities
			extra: []string{"items[].option-tick-sizes", "items[].is-fractional-quantity-eligible", // the recorded ones have no options
				"items[].option-tick-sizes[]", "items[].option-tick-sizes[].threshold", "items[].option-tick-sizes[].value"}},
		{file: "get_option_chain_nested.json", path: "/option-chains/AAPL/nested"},
		{file: "nested-option-chain.json", path: "/option-chains/SPY/nested"},
		{file: "customer.json", path: "/customers/me"},
		{file: "get_option_chain_full.json", path: "/option-chains/KO"},
		{file: "futures.json", path: "/instruments/futures?product-code[]=GC"},
		{file: "future-products.json", path: "/instruments/future-products"},
		{file: "get_futures_option_chain_full.json", path: "/futures-option-chains/6E"},
		{file: "cryptocurrencies.json", path: "/instruments/cryptocurrencies"},
		{file: "quantity-decimal-precisions.json", path: "/instruments/quantity-decimal-precisions"},
		{file: "instrument-search.json", path: "/instruments/search?query=/CL"},
		{file: "get_margin_config.json", path: "/margin-requirements-public-configuration"},
		{file: "get_margin_requirements.json", path: "/accounts/5WS00001/margin-requirements/AAPL/effective"},
		{file: "market-session-current.json", path: "/market-time/equities/sessions/current"},
		{file: "market_data_by_type.json", path: "/market-data/by-type?equity=AAPL",
			without: []string{
				"items[].close",                                       // only after the close
				"items[].low-limit-price", "items[].high-limit-price", // the market has no limit bands
			}},
	}
	for _, tt := range tests {
		t.Run(tt.file+" "+tt.path, func(t *testing.T) {
			want := recorded(t, tt.file)
			var got any = c.in(t).object(tt.path)["data"]
			if tt.item {
				got = got.(map[string]any)["items"].([]any)[0]
			}
			wantShape, gotShape := shape(want), shape(got)
			for _, path := range tt.without {
				require.Contains(t, wantShape, path, "the exception is still needed")
				require.NotContains(t, gotShape, path)
				delete(wantShape, path)
			}
			for _, path := range tt.extra {
				require.Contains(t, gotShape, path, "the exception is still needed")
				delete(gotShape, path)
			}
			assert.Equal(t, wantShape, gotShape)
		})
	}
}

// The positions and metrics that were recorded by others are not in the folder
// of payloads but among bodies collected from tests of another client.
func TestAnswersHaveTheShapeOfCollectedOnes(t *testing.T) {
	c := start(t, nil).login()
	lines, err := os.ReadFile(sharedtest.Path(t, "data", "rest", "tt_tastygo_test_bodies.jsonl"))
	require.NoError(t, err)
	collected := map[string]any{}
	for line := range strings.Lines(string(lines)) {
		entry := decode(t, []byte(line))
		if body, ok := entry["json"].(map[string]any); ok {
			collected[entry["name"].(string)] = body["data"]
		}
	}
	tests := []struct {
		name, path     string
		without, extra []string
	}{
		{name: "accountPositionsResp", path: "/accounts/5WS00001/positions?instrument-type=Equity+Option"},
		{name: "marketMetricsResp", path: "/market-metrics?symbols=AAPL,JPM",
			without: []string{
				"items[].liquidity-value", "items[].liquidity-running-state", "items[].liquidity-running-state.sum", // inner workings
				"items[].liquidity-running-state.count", "items[].liquidity-running-state.started-at", "items[].liquidity-running-state.updated-at",
				"items[].earnings.quarter-end-date", "items[].earnings.actual-eps", "items[].earnings.consensus-estimate", // nobody estimates
				"items[].dividend-pay-date", "items[].created-at",
			},
			extra: []string{"items[].earnings.time-of-day"}}, // in newer answers
		{name: "historicDividendsResp", path: "/market-metrics/historic-corporate-events/dividends/KO"},
		{name: "historicEarningsResp", path: "/market-metrics/historic-corporate-events/earnings-reports/AAPL?start-date=2025-01-01"},
		{name: "netLiqHistoryResp", path: "/accounts/5WS00001/net-liq/history?time-back=1m"},
		{name: "positionLimitResp", path: "/accounts/5WS00001/position-limit"},
		{name: "marginReqResp", path: "/margin/accounts/5WS00001/requirements"},
		{name: "effectiveMarginRequirementsResp", path: "/accounts/5WS00001/margin-requirements/AAPL/effective"},
		{name: "transactionFeesResp", path: "/accounts/5WS00001/transactions/total-fees"},
		{name: "equityOptionChainsCompactResp", path: "/option-chains/KO/compact"},
		{name: "equityOptionResp", path: "/instruments/equity-options/KO%20%20%20%20261016C00070000"},
		{name: "futuresOptionChainsNested", path: "/futures-option-chains/ES/nested"},
		{name: "getPairsWatchlistsResp", path: "/pairs-watchlists"},
		{name: "getPublicWatchlistsCountsResp", path: "/public-watchlists?counts-only=true"},
		{name: "getPublicWatchlistResp", path: "/public-watchlists/Funds"},
		{name: "equityResp", path: "/instruments/equities/AAPL",
			without: []string{"cusip", "borrow-rate"},
			extra:   []string{"bypass-manual-review", "is-fraud-risk", "overnight-trading-permitted"}}, // in newer answers
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Contains(t, collected, tt.name)
			want, got := shape(collected[tt.name]), shape(c.in(t).object(tt.path)["data"])
			for _, path := range tt.without {
				require.Contains(t, want, path, "the exception is still needed")
				require.NotContains(t, got, path)
				delete(want, path)
			}
			for _, path := range tt.extra {
				require.Contains(t, got, path, "the exception is still needed")
				delete(got, path)
			}
			assert.Equal(t, want, got)
		})
	}
}

func TestQuotesAreTheMarketsOwnWithoutDrift(t *testing.T) {
	c := start(t, nil).login()
	for _, item := range c.items("/market-data/by-type?equity=AAPL&equity=SPY&index=SPX&equity-option=SPY%20%20%20261016C00660000") {
		symbol := item["symbol"].(string)
		q, err := c.market.QuoteAt(symbolOf(symbol), c.clock.Now())
		require.NoError(t, err)
		for name, value := range map[string]float64{"bid": q.Bid, "ask": q.Ask, "last": q.Last, "open": q.Open, "day-high-price": q.High,
			"day-low-price": q.Low, "prev-close": q.PrevClose, "volume": q.Volume, "bid-size": q.BidSize} {
			text, present := item[name].(string)
			if value != value { // NaN
				assert.False(t, present, "%s of %s is unknown and left out", name, symbol)
				continue
			}
			var got float64
			require.NoError(t, json.Unmarshal([]byte(text), &got), "%s of %s", name, symbol)
			assert.Equal(t, value, got, "%s of %s", name, symbol)
			assert.Contains(t, text, ".", "decimals have a point: %s of %s", name, symbol)
		}
	}
}

func TestByTypeLeavesOutWhatIsUnknownOrOfAnotherType(t *testing.T) {
	c := start(t, nil).login()
	symbols := func(path string) []string {
		var list []string
		for _, item := range c.items(path) {
			list = append(list, item["symbol"].(string))
		}
		slices.Sort(list)
		return list
	}
	assert.Equal(t, []string{"AAPL", "SPY"}, symbols("/market-data/by-type?equity=AAPL,SPY,NOPE&index=QQQ"), "comma list; QQQ is not an index")
	assert.Empty(t, symbols("/market-data/by-type"))
	many := make([]string, 101)
	for i := range many {
		many[i] = fmt.Sprintf("equity=A%d", i)
	}
	status, body := c.get("/market-data/by-type?" + strings.Join(many, "&"))
	assert.Equal(t, 400, status)
	assert.Contains(t, string(body), `"validation_error"`)
}

func TestEquitiesComeInPages(t *testing.T) {
	c := start(t, nil).login()
	all := c.items("/instruments/equities")
	var paged []map[string]any
	for page := 0; ; page++ {
		answer := c.object(fmt.Sprintf("/instruments/equities?per-page=7&page-offset=%d", page))
		p := answer["pagination"].(map[string]any)
		assert.Equal(t, json.Number(fmt.Sprint(page)), p["page-offset"])
		assert.Equal(t, json.Number(fmt.Sprint(len(all))), p["total-items"])
		assert.Contains(t, p, "next-link")
		assert.Nil(t, p["next-link"])
		for _, item := range answer["data"].(map[string]any)["items"].([]any) {
			paged = append(paged, item.(map[string]any))
		}
		if total := fmt.Sprint(p["total-pages"]); total == fmt.Sprint(page+1) {
			break
		}
		require.Less(t, page, 20)
	}
	assert.Equal(t, all, paged)
	beyond := c.object("/instruments/equities?per-page=7&page-offset=9223372036854775807")
	assert.Empty(t, beyond["data"].(map[string]any)["items"])
}

func TestIndexChainHasMorningAndAfternoonRoots(t *testing.T) {
	c := start(t, nil).login()
	settlements := map[string]map[string]bool{}
	for _, chain := range c.items("/option-chains/SPX/nested") {
		root := chain["root-symbol"].(string)
		settlements[root] = map[string]bool{}
		assert.Empty(t, chain["deliverables"], "index options deliver cash")
		for _, e := range chain["expirations"].([]any) {
			expiration := e.(map[string]any)
			settlements[root][expiration["settlement-type"].(string)] = true
			if root == "SPX" {
				assert.Equal(t, "Regular", expiration["expiration-type"], expiration["expiration-date"])
			}
		}
	}
	assert.Equal(t, map[string]map[string]bool{"SPX": {"AM": true}, "SPXW": {"PM": true}}, settlements)
}
