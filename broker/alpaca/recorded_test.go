package alpaca_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

// A claim is a type that takes bodies with all of these members. Lists are
// claimed by what stands in them.
type claim struct {
	members []string
	into    func() any
}

func into[T any]() func() any { return func() any { return new(T) } }

// The first claim that fits a body takes it.
var claims = []claim{
	{[]string{"code", "message"}, into[errorBody]()},
	{[]string{"activity_type", "id"}, into[alpaca.Activity]()},
	{[]string{"portfolio_value", "cash"}, into[alpaca.Account]()},
	{[]string{"account_number", "crypto_status", "buying_power"}, into[alpaca.Account]()},
	{[]string{"account_number", "last_equity", "account_type"}, into[alpaca.BrokerAccount]()},
	{[]string{"no_shorting", "suspend_trade"}, into[alpaca.Configurations]()},
	{[]string{"document_type"}, into[alpaca.Document]()},
	{[]string{"sub_type", "date", "name"}, into[alpaca.Document]()},
	{[]string{"bank_account_type"}, into[alpaca.BankRelationship]()},
	{[]string{"bank_code"}, into[alpaca.BankRelationship]()},
	{[]string{"requested_amount", "direction"}, into[alpaca.BankTransfer]()},
	{[]string{"entry_type", "from_account"}, into[alpaca.Journal]()},
	{[]string{"date", "open", "close"}, into[alpaca.CalendarDay]()},
	{[]string{"is_open", "next_open"}, into[alpaca.MarketClock]()},
	{[]string{"cooldown_days", "weights"}, into[alpaca.RebalancingPortfolio]()},
	{[]string{"percent", "sub_type"}, into[alpaca.RebalanceCondition]()},
	{[]string{"portfolio_id", "last_rebalanced_at"}, into[alpaca.Subscription]()},
	{[]string{"subscriptions"}, into[alpaca.SubscriptionsPage]()},
	{[]string{"initiated_from"}, into[alpaca.RebalancingRun]()},
	{[]string{"runs"}, into[alpaca.RunsPage]()},
	{[]string{"as_of", "positions"}, into[alpaca.AllPositions]()},
	{[]string{"client_order_id"}, into[alpaca.Order]()},
	{[]string{"unrealized_pl"}, into[alpaca.Position]()},
	{[]string{"entry_price", "cost_basis"}, into[alpaca.Position]()},
	{[]string{"symbol", "status", "body"}, into[alpaca.ClosedPosition]()},
	{[]string{"base_value", "timeframe"}, into[alpaca.PortfolioHistory]()},
	{[]string{"ca_type"}, into[alpaca.Announcement]()},
	{[]string{"option_contracts"}, into[alpaca.OptionContractsPage]()},
	{[]string{"strike_price", "root_symbol"}, into[alpaca.OptionContract]()},
	{[]string{"corporate_actions"}, into[alpaca.CorporateActionsPage]()},
	{[]string{"news"}, into[alpaca.NewsPage]()},
	{[]string{"gainers", "losers"}, into[alpaca.Movers]()},
	{[]string{"most_actives"}, into[alpaca.MostActives]()},
	{[]string{"us_treasuries"}, into[alpaca.Bonds]()},
	{[]string{"us_corporates"}, into[alpaca.Bonds]()},
	{[]string{"auctions"}, into[alpaca.AuctionsPage]()},
	{[]string{"pricing"}, into[alpaca.PerpetualPricing]()},
	{[]string{"prices"}, into[alpaca.BondPrices]()},
	{[]string{"snapshots"}, into[alpaca.SnapshotsPage]()},
	{[]string{"latestTrade"}, into[alpaca.Snapshot]()},
	{[]string{"trade"}, into[alpaca.LatestOne]()},
	{[]string{"quote", "symbol"}, into[alpaca.LatestOne]()},
	{[]string{"account_id", "name", "updated_at"}, into[alpaca.Watchlist]()},
	{[]string{"exchange", "tradable"}, into[alpaca.Asset]()},
	{[]string{"id", "status"}, into[alpaca.OrderResult]()},
	{[]string{"id", "symbol"}, into[alpaca.Asset]()},
}

// series are told apart by what stands below the symbols: one value or a list.
var series = map[string][2]func() any{
	"bars":   {into[alpaca.LatestBars](), into[alpaca.BarsPage]()},
	"trades": {into[alpaca.LatestTrades](), into[alpaca.TradesPage]()},
	"quotes": {into[alpaca.LatestQuotes](), into[alpaca.QuotesPage]()},
}

// errorBody has the form of an APIError's body.
type errorBody struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Other   string `json:"other_field"`
}

// notAlpacas are collected bodies that no API of Alpaca sends or takes: two of a
// library's own calculations, a program's configuration, and the queries of two
// tests. They are held to be what they are called here.
var notAlpacas = map[string][]string{
	"an option snapshot of a third party":  {"as_of", "contract", "greeks", "quote", "underlying_price"},
	"an option position of a third party":  {"avg_cost", "leg_type", "snapshot"},
	"the configuration of another program": {"alpaca-paper-trading", "data-folder"},
	"a page token that was asked with":     {"page_token"},
}

func claimFor(t *testing.T, body any) (func() any, string) {
	t.Helper()
	if list, ok := body.([]any); ok {
		require.NotEmpty(t, list)
		body = list[0]
	}
	object, ok := body.(map[string]any)
	require.True(t, ok)
	has := func(members []string) bool {
		return !slices.ContainsFunc(members, func(m string) bool { _, ok := object[m]; return !ok })
	}
	for what, members := range notAlpacas {
		if has(members) {
			return nil, what
		}
	}
	if len(object) == 1 && has([]string{"trade"}) {
		return into[alpaca.LatestTrades](), ""
	}
	for _, c := range claims {
		if has(c.members) {
			return c.into, ""
		}
	}
	for name, kinds := range series {
		if symbols, ok := object[name].(map[string]any); ok {
			for _, value := range symbols {
				if _, isList := value.([]any); isList {
					return kinds[1], ""
				}
			}
			return kinds[0], ""
		}
	}
	for _, value := range object { // a map of snapshots by symbol
		if s, ok := value.(map[string]any); ok && s["latestTrade"] != nil {
			return into[map[string]*alpaca.Snapshot](), ""
		}
	}
	return nil, ""
}

type recorded struct {
	Repo, Path string
	JSON       json.RawMessage `json:"json"`
	Msg        json.RawMessage
}

func readRecorded(t *testing.T, path ...string) []recorded {
	t.Helper()
	file, err := os.Open(sharedtest.Path(t, path...))
	require.NoError(t, err)
	defer file.Close()
	var out []recorded
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var r recorded
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		out = append(out, r)
	}
	require.NoError(t, lines.Err())
	return out
}

func TestEveryRecordedBodyDecodesWithoutLoss(t *testing.T) {
	bodies := readRecorded(t, "data", "rest", "alpaca_rest_bodies_collected.jsonl")
	require.Len(t, bodies, 214)
	foreign := map[string]int{}
	unnamed := map[string]int{}
	types := map[string]int{}
	for i, r := range bodies {
		name := fmt.Sprintf("body %d of %s %s", i+1, r.Repo, r.Path)
		var body any
		require.NoError(t, json.Unmarshal(r.JSON, &body), name)
		target, other := claimFor(t, body)
		if other != "" {
			foreign[other]++
			continue
		}
		require.NotNil(t, target, "%s: no type claims %.200s", name, r.JSON)
		value := reflect.New(reflect.TypeOf(target()).Elem())
		if _, isList := body.([]any); isList {
			value = reflect.New(reflect.SliceOf(value.Elem().Type()))
		}
		require.NoError(t, json.Unmarshal(r.JSON, value.Interface()), name)
		types[value.Elem().Type().String()]++
		same(t, name, body, value.Elem(), unnamed)
	}
	assert.Equal(t, map[string]int{
		"an option snapshot of a third party": 1, "an option position of a third party": 1, "the configuration of another program": 1,
		"a page token that was asked with": 2,
	}, foreign, "everything else is claimed")
	t.Logf("%d types, e.g. %v", len(types), slices.Sorted(maps.Keys(types))[:5])
	// What Alpaca sends beside the named fields is a closed list too: these are
	// read from Raw.
	for name := range unnamed {
		assert.True(t, inRawOnly(name), "%s has no field and is on no list", name)
	}
}

// inRawOnly lists what has no field of its own.
func inRawOnly(name string) bool {
	kind, field, _ := strings.Cut(name, ".")
	switch kind {
	case "BrokerAccount": // about a person
		return slices.Contains([]string{"contact", "identity", "disclosures", "agreements", "documents", "trusted_contact", "kyc_results", "trading_configurations"}, field)
	case "Document":
		return slices.Contains([]string{"content", "content_data"}, field)
	case "BankRelationship": // numbers of bank accounts
		return slices.Contains([]string{"bank_account_number", "bank_routing_number", "account_number", "bank_code", "account_owner_name"}, field)
	case "Bond": // ratings, liquidity and terms of corporates
		return true
	case "APIBody":
		return slices.Contains([]string{"available", "existing_qty", "held_for_orders", "symbol"}, field)
	}
	return false
}

// same walks a decoded value beside the JSON it came from: each object keeps its
// raw form, and each member is either a field with the same content or unnamed.
func same(t *testing.T, at string, body any, value reflect.Value, unnamed map[string]int) {
	t.Helper()
	for value.Kind() == reflect.Pointer {
		if value.IsNil() {
			require.Nil(t, body, at)
			return
		}
		value = value.Elem()
	}
	switch v := value.Interface().(type) {
	case alpaca.Number:
		if body == nil || body == "" || body == "string" { // "string" is what examples of documentation say
			assert.False(t, v.Known(), at)
			return
		}
		want, err := decimal.NewFromString(strings.Trim(text(t, body), `"`))
		require.NoError(t, err, at)
		assert.True(t, v.Known() && v.Decimal().Equal(want), "%s: %s, want %s", at, v, want)
		return
	case alpaca.Time:
		assert.Equal(t, body == nil || body == "", v.IsZero(), "%s: %v", at, body)
		return
	case alpaca.Day:
		if body != nil && body != "" {
			assert.Equal(t, body, v.String(), at)
		}
		return
	case alpaca.Token:
		want := ""
		if body != nil {
			want = strings.Trim(text(t, body), `"`)
		}
		assert.Equal(t, want, string(v), at)
		return
	case alpaca.Conditions:
		if s, ok := body.(string); ok {
			assert.Equal(t, alpaca.Conditions{s}, v, at)
			return
		}
	case alpaca.ClosedBody:
		object := body.(map[string]any)
		if _, order := object["client_order_id"]; order {
			same(t, at, body, reflect.ValueOf(v.Order), unnamed)
		} else {
			same(t, at, body, reflect.ValueOf(v.Failure), unnamed)
		}
		return
	}
	switch value.Kind() {
	case reflect.Slice:
		list, _ := body.([]any)
		require.Equal(t, len(list), value.Len(), at)
		for i := range list {
			same(t, fmt.Sprintf("%s[%d]", at, i), list[i], value.Index(i), unnamed)
		}
	case reflect.Map:
		object, _ := body.(map[string]any)
		require.Equal(t, len(object), value.Len(), at)
		for key, item := range object {
			same(t, at+"."+key, item, value.MapIndex(reflect.ValueOf(key)), unnamed)
		}
	case reflect.Struct:
		object, ok := body.(map[string]any)
		require.True(t, ok, at)
		if keeper, ok := value.Interface().(interface{ Raw() json.RawMessage }); ok {
			var kept any
			require.NoError(t, json.Unmarshal(keeper.Raw(), &kept), at)
			assert.Equal(t, body, kept, "%s: Raw", at)
		}
		fields := map[string]reflect.Value{}
		for i := range value.NumField() {
			if tag, named := value.Type().Field(i).Tag.Lookup("json"); named {
				fields[strings.Split(tag, ",")[0]] = value.Field(i)
			}
		}
		for key, item := range object {
			if field, named := fields[key]; named {
				same(t, at+"."+key, item, field, unnamed)
			} else {
				unnamed[value.Type().Name()+"."+key]++
			}
		}
	default:
		if body == nil || body == "" {
			assert.True(t, value.IsZero(), at)
			return
		}
		assert.Equal(t, text(t, body), text(t, value.Interface()), at)
	}
}

func text(t *testing.T, v any) string {
	t.Helper()
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(v))
	return strings.TrimSpace(out.String())
}

// The seven collected messages are what clients send, and two tables of what the
// letters of a trade and a quote meant in an early version.
func TestEveryRecordedMessageIsOneThatWeSendOrUnderstand(t *testing.T) {
	messages := readRecorded(t, "data", "streams", "alpaca_ws_messages_collected.jsonl")
	require.Len(t, messages, 7)
	for i, r := range messages {
		var m map[string]any
		require.NoError(t, json.Unmarshal(r.Msg, &m))
		name := fmt.Sprintf("message %d: %s", i+1, r.Msg)
		switch m["action"] {
		case "listen":
			assert.JSONEq(t, `{"action":"listen","data":{"streams":["trade_updates"]}}`, string(r.Msg), name)
			assert.Contains(t, sentByTradeStream(t), text(t, m), name)
		case "auth":
			assert.ElementsMatch(t, []string{"action", "key", "secret"}, slices.Collect(maps.Keys(m)), name)
			assert.Contains(t, strings.Join(sentByTradeStream(t), "\n"), `"action":"auth"`, name)
		case "subscribe", "unsubscribe":
			var channels map[string][]string
			delete(m, "action")
			require.NoError(t, json.Unmarshal([]byte(text(t, m)), &channels), name)
			for channel, symbols := range channels {
				assert.Contains(t, []alpaca.Channel{alpaca.ChannelTrades, alpaca.ChannelQuotes, alpaca.ChannelBars}, alpaca.Channel(channel), name)
				assert.NotEmpty(t, symbols, name)
			}
		case nil:
			if _, quote := m["X"]; quote {
				var q alpaca.Quote
				require.NoError(t, json.Unmarshal(r.Msg, &q), name)
				assert.JSONEq(t, string(r.Msg), string(q.Raw()), name)
			} else {
				var v alpaca.Trade
				require.NoError(t, json.Unmarshal(r.Msg, &v), name)
				assert.JSONEq(t, string(r.Msg), string(v.Raw()), name)
				assert.Equal(t, "exchange", v.Exchange, name)
			}
		default:
			t.Errorf("nothing claims %s", name)
		}
	}
}
