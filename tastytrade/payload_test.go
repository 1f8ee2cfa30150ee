package tastytrade_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/tastytrade"
)

// objects returns the objects of a recorded answer, whether or not it still
// has its envelope.
func objects(t testing.TB, data []byte) []json.RawMessage {
	t.Helper()
	var envelope struct {
		Data  json.RawMessage
		Items []json.RawMessage
	}
	require.NoError(t, json.Unmarshal(data, &envelope))
	if envelope.Data != nil {
		return objects(t, envelope.Data)
	}
	if envelope.Items != nil {
		return envelope.Items
	}
	return []json.RawMessage{data}
}

// lossless decodes raw into T and writes it, in two ways. With the JSON that
// was kept, what is written is what arrived. Without it, all that is written
// comes from typed fields, and must still say what arrived: a name that no
// field has, or a value that a field does not hold, fails.
func lossless[T json.Marshaler](t *testing.T, raw json.RawMessage) {
	t.Helper()
	var kept, typed T
	require.NoError(t, json.Unmarshal(raw, &kept))
	written, err := json.Marshal(kept)
	require.NoError(t, err)
	assert.JSONEq(t, string(raw), string(written))

	forget(reflect.ValueOf(&kept).Elem())
	fromFields, err := json.Marshal(kept)
	require.NoError(t, err)
	sameMeaning(t, reflect.TypeFor[T]().Name(), value(t, raw), value(t, fromFields))
	require.NoError(t, json.Unmarshal(fromFields, &typed))
	again, err := json.Marshal(typed)
	require.NoError(t, err)
	sameMeaning(t, reflect.TypeFor[T]().Name(), value(t, raw), value(t, again))
}

// forget drops the JSON that v and everything in it keep.
func forget(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			forget(v.Elem())
		}
	case reflect.Slice:
		for i := range v.Len() {
			forget(v.Index(i))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[tastytrade.Object]() {
			v.SetZero()
			return
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				forget(v.Field(i))
			}
		}
	}
}

func value(t testing.TB, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	require.NoError(t, d.Decode(&v))
	return v
}

// sameMeaning requires got to say all that want says: numbers by their value,
// whether they are written as numbers or as strings, times by their instant,
// and unknown by its absence.
func sameMeaning(t *testing.T, at string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !assert.True(t, ok, "%s: %v became %v", at, want, got) {
			return
		}
		for name, v := range want {
			other, there := have[name]
			if !there && meansUnknown(v) {
				continue
			}
			if amount, effect := strings.CutSuffix(name, "-effect"); effect && (meansUnknown(want[amount]) || sameScalar(want[amount], "0")) {
				continue // nothing and zero have no sign; the JSON that was kept has their effect
			}
			if assert.True(t, there, "%s.%s is lost: no field has it", at, name) {
				sameMeaning(t, at+"."+name, v, other)
			}
		}
	case []any:
		have, ok := got.([]any)
		if !assert.True(t, ok && len(have) == len(want), "%s: %v became %v", at, want, got) {
			return
		}
		for i := range want {
			sameMeaning(t, fmt.Sprintf("%s[%d]", at, i), want[i], have[i])
		}
	default:
		assert.True(t, sameScalar(want, got), "%s: %v became %v", at, want, got)
	}
}

// meansUnknown are the ways in which the broker says that there is no value.
func meansUnknown(v any) bool {
	switch fmt.Sprint(v) {
	case "", "NaN", "-1", "0", "<nil>", "[]":
		return true
	}
	return false
}

func sameScalar(want, got any) bool {
	a, b := fmt.Sprint(want), fmt.Sprint(got)
	if a == b {
		return true
	}
	if x, err := decimal.NewFromString(a); err == nil {
		y, err := decimal.NewFromString(b)
		if err == nil && x.Equal(y) {
			return true
		}
		at, err := time.Parse(time.RFC3339Nano, b)
		return err == nil && at.Equal(time.UnixMilli(x.IntPart()))
	}
	if x, err := time.Parse(time.RFC3339Nano, a); err == nil {
		y, err := time.Parse(time.RFC3339Nano, b)
		return err == nil && x.Equal(y)
	}
	return strings.HasPrefix(a, b) && len(b) == len(time.DateOnly) // a date with text behind it
}

// recorded says which type each recorded answer is.
var recorded = map[string]func(t *testing.T, raw json.RawMessage){
	"accounts.json":                      lossless[tastytrade.CustomerAccount],
	"cryptocurrencies.json":              lossless[tastytrade.Cryptocurrency],
	"customer.json":                      lossless[tastytrade.Customer],
	"equities.json":                      lossless[tastytrade.Equity],
	"future-products.json":               lossless[tastytrade.FutureProduct],
	"futures.json":                       lossless[tastytrade.Future],
	"futures_nested_options_chain.json":  describes(reflect.TypeFor[tastytrade.FuturesChain]()),
	"get_futures_option_chain_full.json": lossless[tastytrade.FutureOption],
	"get_margin_config.json":             lossless[tastytrade.MarginConfiguration],
	"get_margin_requirements.json":       lossless[tastytrade.MarginRequirement],
	"get_option_chain_full.json":         lossless[tastytrade.EquityOption],
	"get_option_chain_nested.json":       lossless[tastytrade.NestedChain],
	"Get_Account_Balance.json":           lossless[tastytrade.Balance],
	"Get_Api_Quote_Token.json":           lossless[tastytrade.QuoteToken],
	"instrument-search.json":             lossless[tastytrade.SearchedInstrument],
	"margin_dry_run.json":                lossless[tastytrade.MarginEstimate],
	"market-session-current.json":        lossless[tastytrade.CurrentSession],
	"market_data_by_type.json":           lossless[tastytrade.MarketData],
	"nested-option-chain.json":           lossless[tastytrade.NestedChain],
	"order_dry_run.json":                 lossless[tastytrade.OrderResult],
	"Post_Submit_Order_Response.json":    lossless[tastytrade.OrderResult],
	"quantity-decimal-precisions.json":   lossless[tastytrade.QuantityDecimalPrecision],
	"trading_status.json":                lossless[tastytrade.TradingStatus],
	"transactions_listing.json":          lossless[tastytrade.Transaction],
}

func TestRecordedAnswersAreWrittenBackWithoutLoss(t *testing.T) {
	files, err := os.ReadDir(sharedtest.Path(t, "payloads", "rest"))
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		t.Run(file.Name(), func(t *testing.T) {
			check, claimed := recorded[file.Name()]
			require.True(t, claimed, "no type claims this answer")
			data, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", file.Name()))
			require.NoError(t, err)
			all := objects(t, data)
			require.NotEmpty(t, all)
			for _, raw := range all {
				check(t, raw)
			}
			seen++
		})
	}
	assert.Len(t, recorded, seen, "answers that are claimed and not there")
}

// describes checks a type against a description that was recorded in place of
// an answer: every property has a field.
func describes(typ reflect.Type) func(t *testing.T, raw json.RawMessage) {
	return func(t *testing.T, raw json.RawMessage) {
		var models map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(raw, &models))
		require.Len(t, models, 1)
		for _, model := range models {
			hasProperties(t, typ, model)
		}
	}
}

func hasProperties(t *testing.T, typ reflect.Type, model json.RawMessage) {
	t.Helper()
	var described struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	require.NoError(t, json.Unmarshal(model, &described))
	for typ.Kind() == reflect.Slice || typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	for name, property := range described.Properties {
		field, found := reflect.StructField{}, false
		for i := range typ.NumField() {
			if typ.Field(i).Tag.Get("json") == name {
				field, found = typ.Field(i), true
			}
		}
		if assert.True(t, found, "%s has no field for %s", typ.Name(), name) && bytes.Contains(property, []byte(`"properties"`)) {
			hasProperties(t, field.Type, property)
		}
	}
}

// The declared models of the specification: every property has a field in the
// type that stands for it.
func TestEveryDeclaredPropertyHasAField(t *testing.T) {
	for model, typ := range map[string]reflect.Type{
		"account-status.json#TradingStatus":                          reflect.TypeFor[tastytrade.TradingStatus](),
		"accounts-and-customers.json#Account":                        reflect.TypeFor[tastytrade.Account](),
		"accounts-and-customers.json#Customer":                       reflect.TypeFor[tastytrade.Customer](),
		"balances-and-positions.json#AccountBalance":                 reflect.TypeFor[tastytrade.Balance](),
		"balances-and-positions.json#AccountBalanceSnapshot":         reflect.TypeFor[tastytrade.Balance](),
		"balances-and-positions.json#CurrentPosition":                reflect.TypeFor[tastytrade.Position](),
		"instruments.json#CompactOptionChainSerializer":              reflect.TypeFor[tastytrade.CompactChain](),
		"instruments.json#Cryptocurrency":                            reflect.TypeFor[tastytrade.Cryptocurrency](),
		"instruments.json#Equity":                                    reflect.TypeFor[tastytrade.Equity](),
		"instruments.json#EquityOption":                              reflect.TypeFor[tastytrade.EquityOption](),
		"instruments.json#Future":                                    reflect.TypeFor[tastytrade.Future](),
		"instruments.json#FutureOption":                              reflect.TypeFor[tastytrade.FutureOption](),
		"instruments.json#FutureOptionProduct":                       reflect.TypeFor[tastytrade.FutureOptionProduct](),
		"instruments.json#FutureProduct":                             reflect.TypeFor[tastytrade.FutureProduct](),
		"instruments.json#FuturesNestedOptionChainSerializer":        reflect.TypeFor[tastytrade.FuturesChain](),
		"instruments.json#NestedOptionChainSerializer":               reflect.TypeFor[tastytrade.NestedChain](),
		"instruments.json#QuantityDecimalPrecision":                  reflect.TypeFor[tastytrade.QuantityDecimalPrecision](),
		"instruments.json#SearchableInstrumentDeserializer":          reflect.TypeFor[tastytrade.SearchedInstrument](),
		"instruments.json#Warrant":                                   reflect.TypeFor[tastytrade.Warrant](),
		"market-metrics.json#DividendInfo":                           reflect.TypeFor[tastytrade.DividendEvent](),
		"market-metrics.json#EarningsInfo":                           reflect.TypeFor[tastytrade.EarningsEvent](),
		"market-metrics.json#MarketMetricInfo":                       reflect.TypeFor[tastytrade.MarketMetric](),
		"market-sessions.json#CurrentSession":                        reflect.TypeFor[tastytrade.CurrentSession](),
		"market-sessions.json#MarketCalendarDeserializer":            reflect.TypeFor[tastytrade.MarketCalendar](),
		"market-sessions.json#NextSession":                           reflect.TypeFor[tastytrade.Session](),
		"orders.json#Order":                                          reflect.TypeFor[tastytrade.Order](),
		"quote-alerts.json#QuoteAlertDeserializer":                   reflect.TypeFor[tastytrade.QuoteAlert](),
		"risk-parameters.json#MarginRequirement":                     reflect.TypeFor[tastytrade.MarginRequirement](),
		"risk-parameters.json#MarginRequirementsGlobalConfiguration": reflect.TypeFor[tastytrade.MarginConfiguration](),
		"risk-parameters.json#PositionLimit":                         reflect.TypeFor[tastytrade.PositionLimit](),
		"risk-parameters.json#Row":                                   reflect.TypeFor[tastytrade.SPANRow](),
		"symbol-search.json#SymbolData":                              reflect.TypeFor[tastytrade.SymbolData](),
		"transactions.json#Transaction":                              reflect.TypeFor[tastytrade.Transaction](),
		"watchlists.json#PairsWatchlist":                             reflect.TypeFor[tastytrade.PairsWatchlist](),
		"watchlists.json#Watchlist":                                  reflect.TypeFor[tastytrade.Watchlist](),
		"backtesting.json#BacktestGet":                               reflect.TypeFor[tastytrade.Backtest](),
		"backtesting.json#Leg":                                       reflect.TypeFor[tastytrade.BacktestLeg](),
		"backtesting.json#EntryConditions":                           reflect.TypeFor[tastytrade.EntryConditions](),
		"backtesting.json#ExitConditions":                            reflect.TypeFor[tastytrade.ExitConditions](),
		"backtesting.json#Trial":                                     reflect.TypeFor[tastytrade.Trial](),
		"backtesting.json#Snapshot":                                  reflect.TypeFor[tastytrade.TrialSnapshot](),
		"backtesting.json#AvailableSymbolDates":                      reflect.TypeFor[tastytrade.AvailableDates](),
		"net-liquidating-value-history.json#NetLiqOhlc":              reflect.TypeFor[tastytrade.NetLiqBar](),
		"market-data.json#MarketData":                                reflect.TypeFor[tastytrade.MarketData](),
	} {
		file, name, _ := strings.Cut(model, "#")
		data, err := os.ReadFile(filepath.Join(sharedtest.Path(t, "specs", "openapi"), file))
		require.NoError(t, err)
		var spec struct {
			Definitions map[string]json.RawMessage `json:"definitions"`
			Components  struct {
				Schemas map[string]json.RawMessage `json:"schemas"`
			} `json:"components"`
		}
		require.NoError(t, json.Unmarshal(data, &spec))
		raw := spec.Definitions[name]
		if raw == nil {
			raw = spec.Components.Schemas[name]
		}
		require.NotNil(t, raw, model)
		var described struct {
			Properties map[string]json.RawMessage `json:"properties"`
		}
		require.NoError(t, json.Unmarshal(raw, &described))
		known := wireNames(typ)
		for property := range described.Properties {
			assert.True(t, known[plainName(property)], "%s: %s has no field for %s", model, typ.Name(), property)
		}
	}
}

// wireNames are the names that a type reads, effects of signed amounts included.
func wireNames(typ reflect.Type) map[string]bool {
	names := map[string]bool{}
	for i := range typ.NumField() {
		tag := typ.Field(i).Tag
		names[plainName(tag.Get("json"))] = true
		names[plainName(tag.Get("sign"))] = true
		names[plainName(tag.Get("alt"))] = true
	}
	return names
}

// plainName is a name in any of its spellings.
func plainName(name string) string {
	return strings.ToLower(strings.NewReplacer("-", "", "_", "").Replace(name))
}

// The same answers, taken through the client with their envelope.
func TestRecordedAnswersGoThroughTheClient(t *testing.T) {
	serve := func(t *testing.T, file string) *tastytrade.Client {
		data, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", file))
		require.NoError(t, err)
		if !bytes.Contains(data, []byte(`"data"`)) {
			data = []byte(`{"data":` + string(data) + `,"context":"/x"}`)
		}
		return client(t, answering(200, string(data)), nil)
	}
	t.Run("balance, an object where newer versions have a list", func(t *testing.T) {
		b, err := serve(t, "Get_Account_Balance.json").Balances.Get(t.Context(), "5WZ81257")
		require.NoError(t, err)
		assert.Equal(t, "USD", b.Currency)
		require.NotNil(t, b.PendingCash)
		assert.True(t, b.PendingCash.IsZero())
		assert.Nil(t, b.IntradayEquitiesCashAmount, "absent is not zero")
		assert.Equal(t, 2025, b.UpdatedAt.Year())
	})
	t.Run("market data", func(t *testing.T) {
		all, err := serve(t, "market_data_by_type.json").MarketData.ByType(t.Context(), tastytrade.ByTypeRequest{Equities: []string{"AAPL"}})
		require.NoError(t, err)
		require.Len(t, all, 3)
		aapl := all[1]
		assert.Equal(t, "210.55", aapl.Bid.String())
		assert.Equal(t, tastytrade.TypeEquity, aapl.InstrumentType)
		assert.True(t, aapl.HaltStartTime.IsZero(), "-1 means none")
		assert.Nil(t, all[0].Volume)
		assert.Equal(t, tastytrade.Date{Year: 2025, Month: 4, Day: 28}, aapl.PrevCloseDate)
	})
	t.Run("nested chain", func(t *testing.T) {
		chains, err := serve(t, "get_option_chain_nested.json").OptionChains.Nested(t.Context(), "AAPL")
		require.NoError(t, err)
		require.Len(t, chains, 1)
		e := chains[0].Expirations[0]
		assert.Equal(t, "2026-06-12", e.ExpirationDate.String())
		assert.Equal(t, tastytrade.SettlementPM, e.SettlementType)
		assert.Equal(t, "110", e.Strikes[0].Price.String())
		require.NotNil(t, chains[0].SharesPerContract)
		assert.Equal(t, 100, *chains[0].SharesPerContract)
		require.Len(t, chains[0].TickSizes, 2)
		assert.Nil(t, chains[0].TickSizes[1].Threshold, "the last tick holds for the rest")
		for _, e := range chains[0].Expirations {
			for _, s := range e.Strikes {
				for symbol, streamer := range map[string]string{s.Call: s.CallStreamerSymbol, s.Put: s.PutStreamerSymbol} {
					o, err := tastytrade.ParseEquityOption(symbol)
					require.NoError(t, err)
					assert.Equal(t, streamer, o.Streamer())
				}
			}
		}
	})
	t.Run("session", func(t *testing.T) {
		s, err := serve(t, "market-session-current.json").MarketSessions.EquitiesCurrent(t.Context(), time.Time{})
		require.NoError(t, err)
		assert.Equal(t, tastytrade.SessionClosed, s.State)
		require.NotNil(t, s.Previous)
		assert.Equal(t, "2026-08-03", s.Previous.SessionDate.String())
	})
	t.Run("quote token", func(t *testing.T) {
		q, err := serve(t, "Get_Api_Quote_Token.json").QuoteTokens.Get(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "wss://tasty-demo-ws.dxfeed.com/delayed", q.DXLinkURL)
		assert.NotContains(t, q.String(), q.Token)
	})
}
