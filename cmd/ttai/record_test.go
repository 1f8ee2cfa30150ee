package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/simulator/cassette"
)

// record runs one command line and returns its exit code and what it printed.
func record(t *testing.T, args ...string) (code int, out, problems string) {
	t.Helper()
	out, problems, code = ttai(t, "", nil, args...)
	return code, out, problems
}

// recorded runs 'ttai record' on the simulator, listening to its streams for a
// while; 0s: not at all.
func recorded(t *testing.T, stream time.Duration) (*cassette.Cassette, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tape.jsonl.gz")
	code, out, errs := record(t, "record", path, "--stream", stream.String())
	require.Equal(t, app.ExitOK, code, errs)
	assert.Contains(t, out, "redacted")
	tape, err := cassette.ReadFile(path)
	require.NoError(t, err)
	return tape, path
}

func TestTheSimulatorsOwnRecordingHasNothingOfItsOwnerAndDiffersInNothing(t *testing.T) {
	tape, path := recorded(t, 0)
	var all bytes.Buffer
	require.NoError(t, tape.Write(&all))
	assert.NotContains(t, all.String(), "Bearer ")
	assert.Contains(t, all.String(), `"5WT00001"`)
	names, _ := tape.Calls()
	for _, call := range brokerCalls {
		if call.name != "Orders.Get" { // there is no order yet
			assert.Contains(t, names, call.name, "it was answered")
		}
	}

	code, out, errs := record(t, "contract", path, "--stream", "0s")
	assert.Equal(t, app.ExitOK, code, out+errs)
	assert.Contains(t, out, "Nothing differs")

	code, _, errs = record(t, "record", path)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, errs, "--force")
}

func TestEveryKindOfDifferenceIsNamed(t *testing.T) {
	var ours *cassette.Cassette
	var text bytes.Buffer
	for stream := time.Second; !strings.Contains(text.String(), "FEED_CONFIG"); stream *= 2 { // a busy machine takes longer
		text.Reset()
		ours, _ = recorded(t, stream)
		require.NoError(t, ours.Write(&text))
	}
	changed := text.String()
	for _, change := range [][2]string{
		{`"margin-or-cash":`, `"margin-or-cash-v2":`},                                // a member renamed: one missing, one new
		{`"is-closed":false`, `"is-closed":"no"`},                                    // another type
		{`"type":"FEED_CONFIG"`, `"brandNew":1,"type":"FEED_CONFIG"`},                // in a stream's message
		{`"call":"QuoteAlerts.List"`, `"call":"Brand.New"`},                          // a call nobody knows
		{`"call":"Risk.PositionLimit","method"`, `"call":"Margin.Nothing","method"`}, // and one that vanished
	} {
		require.Contains(t, changed, change[0])
		changed = strings.ReplaceAll(changed, change[0], change[1])
	}
	theirs, err := cassette.Read(strings.NewReader(changed))
	require.NoError(t, err)
	report := compareCassettes(t.Context(), theirs, ours)
	var lines []string
	for _, f := range report.Findings {
		lines = append(lines, f.With+" | "+f.Call+" | "+f.Finds)
	}
	said := strings.Join(lines, "\n")
	for _, want := range []string{
		"client | Accounts.List | [].account.margin-or-cash-v2: no field of the client has it",
		"simulator | Accounts.List | data.items[].account.margin-or-cash: only here (string)",
		"simulator | Accounts.List | data.items[].account.margin-or-cash-v2: missing here (string there)",
		"is-closed: bool here, string there",
		"client | Brand.New | this program has no such call",
		"simulator | market data FEED_CONFIG | brandNew: missing here (number there)",
	} {
		assert.Contains(t, said, want)
	}
}

func TestAnAnswerThatTheClientCannotReadIsNamed(t *testing.T) {
	body := `{"data":{"items":[{"account":{"nickname":"n"}}]}}`
	tape := &cassette.Cassette{Entries: []cassette.Entry{{Exchange: &cassette.Exchange{Call: "Accounts.List", Method: "GET", Path: "/x", Status: 200, Body: json.RawMessage(body)}}}}
	report := compareCassettes(t.Context(), tape, &cassette.Cassette{})
	require.NotEmpty(t, report.Findings)
	assert.Contains(t, report.Findings[0].Finds, "cannot be read")
}

func TestAFileThatIsNoCassetteIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl")
	require.NoError(t, os.WriteFile(path, []byte("{}\n"), 0o600))
	code, _, errs := record(t, "contract", path)
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, errs, "ttai record")
}

// recordedCalls says which call the answers belong to that others recorded.
var recordedCalls = map[string]string{
	"Get_Account_Balance.json": "Balances.GetCurrency", "Get_Api_Quote_Token.json": "QuoteTokens.Get", "accounts.json": "Accounts.List",
	"cryptocurrencies.json": "Instruments.Cryptocurrencies", "customer.json": "Customers.Get", "equities.json": "Instruments.Equities",
	"future-products.json": "Instruments.FutureProducts", "futures.json": "Instruments.Futures", "get_margin_config.json": "Risk.Configuration",
	"get_margin_requirements.json": "Risk.MarginRequirement", "get_option_chain_nested.json": "OptionChains.Nested",
	"instrument-search.json": "Instruments.Search", "market-session-current.json": "MarketSessions.EquitiesCurrent",
	"market_data_by_type.json": "MarketData.ByType", "nested-option-chain.json": "OptionChains.Nested",
	"quantity-decimal-precisions.json": "Instruments.QuantityDecimalPrecisions", "trading_status.json": "Accounts.TradingStatus",
	"transactions_listing.json": "Transactions.List",
}

// ofOthers is a cassette of answers that others recorded, as a user's own
// recording would have them.
func ofOthers(t *testing.T) *cassette.Cassette {
	t.Helper()
	var entries []cassette.Entry
	for _, file := range slices.Sorted(maps.Keys(recordedCalls)) {
		body, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", file))
		require.NoError(t, err)
		var whole struct{ Data json.RawMessage }
		require.NoError(t, json.Unmarshal(body, &whole), file)
		if whole.Data == nil { // it was taken out of its envelope
			body = slices.Concat([]byte(`{"data":`), body, []byte(`}`))
		}
		entries = append(entries, cassette.Entry{Exchange: &cassette.Exchange{
			Call: recordedCalls[file], Method: "GET", Path: "/accounts/5WT00001", Status: 200, Body: body,
		}})
	}
	frames, err := filepath.Glob(sharedtest.Path(t, "payloads", "account-streamer") + "/*.json")
	require.NoError(t, err)
	for _, file := range frames {
		body, err := os.ReadFile(file)
		require.NoError(t, err)
		entries = append(entries, cassette.Entry{Frame: &cassette.Frame{Stream: "/", Data: body}})
	}
	return cassette.Redact(cassette.Header{Environment: "sandbox", Recorded: time.Date(2026, 8, 4, 15, 0, 0, 0, time.UTC)}, entries)
}

func TestAnswersThatOthersRecordedAreReadByTheClientWhole(t *testing.T) {
	theirs := ofOthers(t)
	ours, _ := recorded(t, 0)
	report := compareCassettes(t.Context(), theirs, ours)
	assert.Greater(t, report.Calls, 15)
	assert.Equal(t, 6, report.Messages)
	for _, f := range report.Findings {
		if f.With == "client" {
			t.Errorf("%s: %s", f.Call, f.Finds)
		} else {
			t.Logf("%s: %s", f.Call, f.Finds)
		}
	}
}

// collectedCalls says which call the bodies belong to that other clients' tests
// have.
var collectedCalls = map[string]string{
	"myAccountsResp": "Accounts.List", "accountTradingStatusResp": "Accounts.TradingStatus", "accountBalancesResp": "Balances.GetCurrency",
	"accountPositionsResp": "Positions.List", "balanceSnapshotsResp": "Balances.Snapshots", "netLiqHistoryResp": "NetLiq.History",
	"positionLimitResp": "Risk.PositionLimit", "cryptocurrenciesResp": "Instruments.Cryptocurrencies", "getCustomerResp": "Customers.Get",
	"equitiesResp": "Instruments.Equities", "equityResp": "Instruments.Equity", "equityOptionResp": "Instruments.EquityOption",
	"futuresResp": "Instruments.Futures", "futureResp": "Instruments.Future", "futureOptionResp": "Instruments.FutureOption",
	"futureProductsResp": "Instruments.FutureProducts", "quantityDecimalPrecisionsResp": "Instruments.QuantityDecimalPrecisions",
	"marginReqResp": "Margin.Requirements", "effectiveMarginRequirementsResp": "Risk.MarginRequirement", "marginPublicConfigResp": "Risk.Configuration",
	"marketMetricsResp": "MarketMetrics.List", "historicDividendsResp": "MarketMetrics.Dividends", "historicEarningsResp": "MarketMetrics.Earnings",
	"futuresOptionChainsNested": "OptionChains.NestedFutures", "equityOptionChainsNestedResp": "OptionChains.Nested",
	"equityOptionChainsCompactResp": "OptionChains.Compact", "liveOrdersResp": "Orders.Live", "getOrderResp": "Orders.Get", "accountOrdersResp": "Orders.List",
	"quoteStreamerTokensResp": "QuoteTokens.Get", "symbolSearchResp": "Symbols.Search", "transactionsResp": "Transactions.List",
	"transactionFeesResp": "Transactions.TotalFees", "getWatchlistsResp": "Watchlists.List", "getPairsWatchlistsResp": "Watchlists.ListPairs",
	"getPublicWatchlistsResp": "Watchlists.ListPublic",
}

// lines reads a file of JSON objects, one a line.
func lines[T any](t *testing.T, parts ...string) []T {
	t.Helper()
	text, err := os.ReadFile(sharedtest.Path(t, parts...))
	require.NoError(t, err)
	var out []T
	for line := range bytes.Lines(text) {
		var v T
		require.NoError(t, json.Unmarshal(line, &v))
		out = append(out, v)
	}
	return out
}

func TestWhatOtherClientsCollectedIsReadByTheClientWhole(t *testing.T) {
	var entries []cassette.Entry
	for _, body := range lines[struct {
		Name string
		JSON json.RawMessage
	}](t, "data", "rest", "tt_tastygo_test_bodies.jsonl") {
		if call := collectedCalls[body.Name]; call != "" {
			entries = append(entries, cassette.Entry{Exchange: &cassette.Exchange{Call: call, Method: "GET", Path: "/accounts/5YZ55555", Status: 200, Body: body.JSON}})
		}
	}
	require.Len(t, entries, len(collectedCalls))
	for stream, file := range map[string]string{"/": "tastytrade_account_streamer_collected.jsonl", "/dxlink": "dxlink_messages_collected.jsonl"} {
		for _, message := range lines[struct{ Msg json.RawMessage }](t, "data", "streams", file) {
			entries = append(entries, cassette.Entry{Frame: &cassette.Frame{Stream: stream, Data: message.Msg}})
		}
	}
	theirs := cassette.Redact(cassette.Header{Environment: "production", Recorded: time.Date(2023, 6, 14, 15, 0, 0, 0, time.UTC)}, entries)
	var text bytes.Buffer
	require.NoError(t, theirs.Write(&text))
	assert.NotContains(t, text.String(), "5YZ55555")
	assert.NotContains(t, text.String(), "Spencer", "the customer's name")

	ours, _ := recorded(t, 0)
	report := compareCassettes(t.Context(), theirs, ours)
	assert.Equal(t, len(collectedCalls), report.Calls)
	var found []string
	for _, f := range report.Findings {
		if f.With == "client" {
			found = append(found, f.Call+": "+f.Finds)
		}
	}
	// One message was made up by its collector, and says so by what it lacks.
	assert.Equal(t, []string{"account AccountBalance: cannot be read: tastytrade: notification: Balance: account-number is missing"}, found)
}
