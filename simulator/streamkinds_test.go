package simulator_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func TestEveryKindThatTheMarketCanBackIsStreamed(t *testing.T) {
	c := start(t, nil).login()
	s := c.feed("AUTO")
	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Profile","symbol":"KO"},{"type":"TimeAndSale","symbol":"SPY"},{"type":"Underlying","symbol":"SPY"},
		{"type":"TheoPrice","symbol":".SPY261016C660"},{"type":"TradeETH","symbol":"SPY"},{"type":"TheoPrice","symbol":"SPY"},{"type":"Series","symbol":"SPY"}]}`)
	got := map[string]map[string]any{}
	config := s.until("FEED_CONFIG")
	for _, r := range records(t, config, s.until("FEED_DATA")) {
		got[r["eventType"].(string)] = r
	}
	require.Len(t, got, 4, "no extended trade within the session, no theoretical price of a share, no series")
	metrics, err := c.market.Metrics(t.Context(), []market.Symbol{"SPY", "KO"})
	require.NoError(t, err)
	quote, err := c.market.QuoteAt("SPY", c.clock.Now())
	require.NoError(t, err)
	chain, err := c.market.ChainAt(market.ChainRequest{Underlying: "SPY", Expirations: []market.Date{{Year: 2026, Month: 10, Day: 16}}, MinStrike: 660, MaxStrike: 660}, c.clock.Now())
	require.NoError(t, err)

	assert.Equal(t, metrics[0].IVIndex, double(t, got["Underlying"]["volatility"]))
	assert.Equal(t, metrics[0].Term[0].IV, double(t, got["Underlying"]["frontVolatility"]))
	assert.True(t, math.IsNaN(double(t, got["Underlying"]["putCallRatio"])), "unknown, not 0")
	assert.Equal(t, quote.Last, double(t, got["TimeAndSale"]["price"]))
	assert.Equal(t, "NEW", got["TimeAndSale"]["type"])
	assert.Equal(t, chain[0].Delta, double(t, got["TheoPrice"]["delta"]))
	assert.Equal(t, chain[0].Spot, double(t, got["TheoPrice"]["underlyingPrice"]))
	theoretical := double(t, got["TheoPrice"]["price"])
	assert.True(t, chain[0].Bid <= theoretical && theoretical <= chain[0].Ask)
	assert.Equal(t, "ACTIVE", got["Profile"]["tradingStatus"])
	assert.Equal(t, metrics[1].Beta, double(t, got["Profile"]["beta"]))
	assert.Greater(t, double(t, got["Profile"]["high52WeekPrice"]), double(t, got["Profile"]["low52WeekPrice"]))

	c.clock.Advance(7 * time.Hour) // 17:30
	for {
		for _, r := range records(t, config, s.until("FEED_DATA")) {
			if r["eventType"] == "TradeETH" {
				assert.Equal(t, true, r["extendedTradingHours"])
				return
			}
		}
	}
}

func TestFuturesAndTheirOptionsAreStreamed(t *testing.T) {
	c := start(t, nil).login()
	chain := c.data("/futures-option-chains/ES/nested")["option-chains"].([]any)[0].(map[string]any)
	strikes := chain["expirations"].([]any)[0].(map[string]any)["strikes"].([]any)
	strike := strikes[len(strikes)/2].(map[string]any)
	symbol, streamer := strike["call"].(string), strike["call-streamer-symbol"].(string)
	s := c.feed("HISTORY")
	s.send(strings.ReplaceAll(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Quote","symbol":"/ESZ26:XCME"},{"type":"Quote","symbol":"OPTION"},
		{"type":"Greeks","symbol":"OPTION"},{"type":"Quote","symbol":"./NOPE26C1:XCME"},{"type":"Quote","symbol":"/NOPE26:XCME"}]}`, "OPTION", streamer))
	config := s.until("FEED_CONFIG")
	got := records(t, config, s.until("FEED_DATA"))
	require.Len(t, got, 3)
	future, err := c.market.QuoteAt("/ESZ6", c.clock.Now())
	require.NoError(t, err)
	option, err := c.market.QuoteAt(market.Symbol(symbol), c.clock.Now())
	require.NoError(t, err)
	for _, r := range got {
		switch {
		case r["eventType"] == "Greeks":
			assert.Equal(t, streamer, r["eventSymbol"])
			assert.Positive(t, double(t, r["volatility"]))
		case r["eventSymbol"] == streamer:
			assert.Equal(t, option.Ask, double(t, r["askPrice"]))
		default:
			assert.Equal(t, "/ESZ26:XCME", r["eventSymbol"])
			assert.Equal(t, future.Bid, double(t, r["bidPrice"]))
		}
	}
	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"reset":true,"add":[{"type":"Candle","symbol":"/ESZ26:XCME{=1d}","fromTime":1788000000000}]}`)
	bars := s.candles(config)
	require.NotEmpty(t, bars)
	assert.Positive(t, double(t, bars[0]["close"]), "today's so far")
}
