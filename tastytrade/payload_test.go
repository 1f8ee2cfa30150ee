package tastytrade_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

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

// lossless decodes raw into T, writes it, and does so again.
func lossless[T json.Marshaler](t *testing.T, raw json.RawMessage) {
	t.Helper()
	var first, second T
	require.NoError(t, json.Unmarshal(raw, &first))
	written, err := json.Marshal(first)
	require.NoError(t, err)
	assert.JSONEq(t, string(raw), string(written))
	require.NoError(t, json.Unmarshal(written, &second))
	again, err := json.Marshal(second)
	require.NoError(t, err)
	assert.Equal(t, string(written), string(again))
}

var recorded = []struct {
	file  string
	check func(t *testing.T, raw json.RawMessage)
}{
	{"accounts.json", lossless[tastytrade.CustomerAccount]},
	{"trading_status.json", lossless[tastytrade.TradingStatus]},
	{"Get_Account_Balance.json", lossless[tastytrade.Balance]},
	{"equities.json", lossless[tastytrade.Equity]},
	{"nested-option-chain.json", lossless[tastytrade.NestedChain]},
	{"get_option_chain_nested.json", lossless[tastytrade.NestedChain]},
	{"market_data_by_type.json", lossless[tastytrade.MarketData]},
	{"market-session-current.json", lossless[tastytrade.CurrentSession]},
	{"Get_Api_Quote_Token.json", lossless[tastytrade.QuoteToken]},
}

func TestRecordedAnswersAreWrittenBackWithoutLoss(t *testing.T) {
	for _, r := range recorded {
		t.Run(r.file, func(t *testing.T) {
			data, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", r.file))
			require.NoError(t, err)
			all := objects(t, data)
			require.NotEmpty(t, all)
			for _, raw := range all {
				r.check(t, raw)
			}
		})
	}
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
		assert.Equal(t, 100, chains[0].SharesPerContract)
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
