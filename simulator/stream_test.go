package simulator_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

const setup = `{"type":"SETUP","channel":0,"version":"0.1-test/1","keepaliveTimeout":60,"acceptKeepaliveTimeout":60}`

// ends reads the error that precedes the end, and the end.
func (s *socket) ends() (code string) {
	s.t.Helper()
	code = s.until("ERROR")["error"].(string)
	_, _, err := s.conn.Read(s.ctx)
	require.Equal(s.t, websocket.StatusPolicyViolation, websocket.CloseStatus(err), "%v", err)
	return code
}

func TestTheOrderOfTheConversationIsEnforced(t *testing.T) {
	c := start(t, nil).login()
	t.Run("SETUP comes first", func(t *testing.T) {
		for _, first := range []string{`{"type":"AUTH","channel":0,"token":"x"}`, `{"type":"CHANNEL_REQUEST","channel":1,"service":"FEED","parameters":{"contract":"AUTO"}}`} {
			s := c.in(t).dial()
			s.send(first)
			assert.Equal(t, "BAD_ACTION", s.ends())
		}
	})
	t.Run("SETUP has a version", func(t *testing.T) {
		s := c.in(t).dial()
		s.send(`{"type":"SETUP","channel":0}`)
		assert.Equal(t, "UNSUPPORTED_PROTOCOL", s.ends())
	})
	t.Run("channels need authorisation", func(t *testing.T) {
		s := c.in(t).dial()
		s.send(setup)
		s.send(`{"type":"CHANNEL_REQUEST","channel":1,"service":"FEED","parameters":{"contract":"AUTO"}}`)
		assert.Equal(t, "UNAUTHORIZED", s.ends())
	})
	t.Run("an access token is no quote token", func(t *testing.T) {
		s := c.in(t).dial()
		s.send(setup)
		s.until("AUTH_STATE")
		s.send(`{"type":"AUTH","channel":0,"token":"` + c.token + `"}`)
		assert.Equal(t, "UNAUTHORIZED", s.until("AUTH_STATE")["state"])
		assert.Equal(t, "UNAUTHORIZED", s.ends())
	})
	t.Run("what is wrong on a channel is told and survived", func(t *testing.T) {
		s := c.in(t).feed("AUTO")
		for _, tt := range []struct{ message, code string }{
			{`{"type":"CHANNEL_REQUEST","channel":2,"service":"FEED","parameters":{"contract":"AUTO"}}`, "BAD_ACTION"},
			{`{"type":"CHANNEL_REQUEST","channel":1,"service":"FEED","parameters":{"contract":"AUTO"}}`, "BAD_ACTION"},
			{`{"type":"CHANNEL_REQUEST","channel":3,"service":"DOM","parameters":{"symbol":"SPY"}}`, "BAD_ACTION"},
			{`{"type":"CHANNEL_REQUEST","channel":3,"service":"FEED","parameters":{"contract":"BEST"}}`, "INVALID_MESSAGE"},
			{`{"type":"FEED_SUBSCRIPTION","channel":5,"add":[{"type":"Quote","symbol":"SPY"}]}`, "BAD_ACTION"},
			{`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Rumour","symbol":"SPY"}]}`, "INVALID_MESSAGE"},
			{`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Quote","symbol":""}]}`, "INVALID_MESSAGE"},
			{`{"type":"GUESS","channel":1}`, "INVALID_MESSAGE"},
			{`{"type":"KEEPALIVE"}`, "INVALID_MESSAGE"},
			{`not JSON`, "INVALID_MESSAGE"},
		} {
			s.send(tt.message)
			assert.Equal(t, tt.code, s.until("ERROR")["error"], tt.message)
		}
		s.send(`{"type":"CHANNEL_CANCEL","channel":1}`)
		assert.Equal(t, json.Number("1"), s.until("CHANNEL_CLOSED")["channel"])
	})
	t.Run("a message that is too large ends it", func(t *testing.T) {
		s := c.in(t).feed("AUTO")
		large := `{"type":"FEED_SUBSCRIPTION","channel":1,"add":[` + strings.Repeat(`{"type":"Quote","symbol":"SPY261016C00600000"},`, 2500) + `{"type":"Quote","symbol":"SPY"}]}`
		cut := s.conn.Write(s.ctx, websocket.MessageText, []byte(large)) // may be cut before its end
		_, _, err := s.conn.Read(s.ctx)
		require.Error(t, err)
		require.NoError(t, s.ctx.Err(), "the server ended it")
		if cut == nil {
			assert.Equal(t, websocket.StatusMessageTooBig, websocket.CloseStatus(err))
		}
	})
}

// records decodes a COMPACT message by the fields of the configuration.
func records(t testing.TB, config, message map[string]any) []map[string]any {
	t.Helper()
	fields := config["eventFields"].(map[string]any)
	var list []map[string]any
	data := message["data"].([]any)
	require.Zero(t, len(data)%2)
	for i := 0; i < len(data); i += 2 {
		names := fields[data[i].(string)].([]any)
		values := data[i+1].([]any)
		require.Zero(t, len(values)%len(names), "whole records")
		for len(values) > 0 {
			record := map[string]any{}
			for j, name := range names {
				record[name.(string)] = values[j]
			}
			list = append(list, record)
			values = values[len(names):]
		}
	}
	return list
}

func double(t testing.TB, value any) float64 {
	t.Helper()
	if text, ok := value.(string); ok {
		require.Equal(t, "NaN", text)
		return math.NaN()
	}
	x, err := value.(json.Number).Float64()
	require.NoError(t, err)
	return x
}

func TestEventsAreTheMarketsOwn(t *testing.T) {
	c := start(t, nil).login()
	option := market.Symbol("SPY   261016C00660000")
	chain, err := c.market.ChainAt(market.ChainRequest{Underlying: "SPY", Expirations: []market.Date{{Year: 2026, Month: 10, Day: 16}}, MinStrike: 660, MaxStrike: 660}, c.clock.Now())
	require.NoError(t, err)
	require.Equal(t, option, chain[0].Symbol)
	quote, err := c.market.QuoteAt("SPY", c.clock.Now())
	require.NoError(t, err)

	s := c.feed("AUTO")
	// Fields are sent in the order asked, and those unknown are left out.
	s.send(`{"type":"FEED_SETUP","channel":1,"acceptAggregationPeriod":0.5,"acceptDataFormat":"COMPACT","acceptEventFields":{
		"Quote":["askPrice","eventSymbol","bidPrice","mood"],"Greeks":["eventSymbol","volatility","delta","vega","theta","rho","price"],
		"Trade":["eventSymbol","price","dayVolume","dayId"],"Summary":["eventSymbol","prevDayClosePrice","openInterest","dayOpenPrice","dayClosePrice"]}}`)
	config := s.until("FEED_CONFIG")
	assert.Equal(t, []any{"askPrice", "eventSymbol", "bidPrice"}, config["eventFields"].(map[string]any)["Quote"])
	assert.Equal(t, json.Number("0.5"), config["aggregationPeriod"])
	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Quote","symbol":"SPY"},{"type":"Quote","symbol":".SPY261016C660"},
		{"type":"Greeks","symbol":".SPY261016C660"},{"type":"Trade","symbol":"SPY"},{"type":"Summary","symbol":"SPY"},{"type":"Summary","symbol":".SPY261016C660"},
		{"type":"Quote","symbol":"NOPE"},{"type":"Greeks","symbol":"SPY"},{"type":"Series","symbol":"SPY"}]}`)
	got := records(t, config, s.until("FEED_DATA"))
	require.Len(t, got, 6, "nothing for what is unknown, has no Greeks or is not served")

	greeks, o := got[0], chain[0]
	assert.Equal(t, ".SPY261016C660", greeks["eventSymbol"])
	assert.Equal(t, o.IV, double(t, greeks["volatility"]))
	assert.Equal(t, o.Delta, double(t, greeks["delta"]))
	assert.Equal(t, o.Theta, double(t, greeks["theta"]))
	assert.InEpsilon(t, o.Vega/100, double(t, greeks["vega"]), 1e-15, "per point on the wire")
	assert.InEpsilon(t, o.Rho/100, double(t, greeks["rho"]), 1e-15, "per point on the wire")
	assert.Equal(t, o.Bid, double(t, got[1]["bidPrice"]))
	assert.Equal(t, o.Ask, double(t, got[1]["askPrice"]))
	assert.Equal(t, quote.Bid, double(t, got[2]["bidPrice"]))
	assert.Equal(t, o.OpenInterest, double(t, got[3]["openInterest"]))
	assert.Equal(t, quote.PrevClose, double(t, got[4]["prevDayClosePrice"]))
	assert.True(t, math.IsNaN(double(t, got[4]["dayClosePrice"])), "the session is not over")
	assert.Equal(t, quote.Last, double(t, got[5]["price"]))
	assert.Equal(t, json.Number("20712"), got[5]["dayId"], "2026-09-16 is day 20712")
}

func TestFullFormatSendsObjects(t *testing.T) {
	c := start(t, nil).login()
	s := c.feed("TICKER")
	s.send(`{"type":"FEED_SETUP","channel":1,"acceptDataFormat":"FULL","acceptEventFields":{"Quote":["bidPrice"]}}`)
	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Quote","symbol":"SPY"},{"type":"Quote","symbol":"AAPL"}]}`)
	assert.Equal(t, "FULL", s.until("FEED_CONFIG")["dataFormat"])
	data := s.until("FEED_DATA")["data"].([]any)
	require.Len(t, data, 2)
	assert.Equal(t, map[string]string{"eventType": "string", "eventSymbol": "string", "bidPrice": "number"}, shape(data[0]))
}

func TestOnlyChangesAreSent(t *testing.T) {
	c := start(t, nil).login()
	s := c.feed("AUTO")
	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Quote","symbol":"SPY"}]}`)
	config := s.until("FEED_CONFIG")
	first := records(t, config, s.until("FEED_DATA"))[0]
	c.clock.Advance(time.Minute)
	second := records(t, config, s.until("FEED_DATA"))[0]
	assert.NotEqual(t, first, second)
	q, err := c.market.QuoteAt("SPY", c.clock.Now())
	require.NoError(t, err)
	assert.Equal(t, q.Bid, double(t, second["bidPrice"]))

	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"reset":true,"add":[{"type":"Quote","symbol":"AAPL"}]}`)
	third := records(t, config, s.until("FEED_DATA"))
	require.Len(t, third, 1)
	assert.Equal(t, "AAPL", third[0]["eventSymbol"], "a reset forgets the rest")
}

// candles reads a snapshot up to its end.
func (s *socket) candles(config map[string]any) []map[string]any {
	s.t.Helper()
	var list []map[string]any
	for {
		for _, r := range records(s.t, config, s.until("FEED_DATA")) {
			list = append(list, r)
			if flags, err := strconv.Atoi(string(r["eventFlags"].(json.Number))); err == nil && flags&0x18 != 0 {
				return list
			}
		}
	}
}

func TestCandleSnapshotsComeNewestFirst(t *testing.T) {
	c := start(t, nil).login()
	loc := market.NYSE().Location()
	tests := []struct {
		symbol string
		from   time.Time
		req    market.BarsRequest
		daily  bool
	}{
		{"SPY{=d}", time.Date(2016, 9, 16, 0, 0, 0, 0, time.UTC), market.BarsRequest{Symbol: "SPY", Interval: market.Day, From: market.Date{Year: 2016, Month: 9, Day: 16}.In(loc)}, true},
		{"SPY{=d,tho=true}", time.Date(2026, 9, 1, 4, 0, 0, 0, time.UTC), market.BarsRequest{Symbol: "SPY", Interval: market.Day, From: market.Date{Year: 2026, Month: 9, Day: 2}.In(loc)}, true},
		{"AAPL{=w}", time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), market.BarsRequest{Symbol: "AAPL", Interval: market.Week, From: market.Date{Year: 2026, Month: 1, Day: 1}.In(loc)}, true},
		{"AAPL{=5m,tho=true}", time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC), market.BarsRequest{Symbol: "AAPL", Interval: market.Minute5, From: time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)}, false},
		{"AAPL{=30m}", time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC), market.BarsRequest{Symbol: "AAPL", Interval: market.Minute30, Extended: true, From: time.Date(2026, 9, 14, 13, 0, 0, 0, time.UTC)}, false},
	}
	for _, tt := range tests {
		t.Run(tt.symbol, func(t *testing.T) {
			want, err := c.market.Bars(t.Context(), tt.req)
			require.NoError(t, err)
			s := c.in(t).feed("HISTORY")
			s.send(fmt.Sprintf(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Candle","symbol":%q,"fromTime":%d}]}`, tt.symbol, tt.from.UnixMilli()))
			got := s.candles(s.until("FEED_CONFIG"))
			require.Len(t, got, len(want))
			var last int64 = math.MaxInt64
			for i, r := range got {
				b := want[len(want)-1-i]
				flags := map[bool]int{true: 4}[i == 0] | map[bool]int{true: 8}[i == len(got)-1]
				assert.Equal(t, json.Number(strconv.Itoa(flags)), r["eventFlags"])
				at, err := r["time"].(json.Number).Int64()
				require.NoError(t, err)
				when := b.Time.UTC()
				if tt.daily { // midnight UTC of the day in New York
					when = market.DateOf(b.Time.In(loc)).In(time.UTC)
				}
				require.Equal(t, when, time.UnixMilli(at).UTC())
				index, err := r["index"].(json.Number).Int64()
				require.NoError(t, err)
				require.Less(t, index, last, "descending, and above what a double holds")
				last = index
				require.Equal(t, []float64{b.Open, b.High, b.Low, b.Close, b.Volume},
					[]float64{double(t, r["open"]), double(t, r["high"]), double(t, r["low"]), double(t, r["close"]), double(t, r["volume"])})
			}
		})
	}
}

func TestEmptySnapshotsAreOneRecord(t *testing.T) {
	c := start(t, nil).login()
	for contract, symbols := range map[string][]string{
		"AUTO":    {"SPY{=d}"}, // since September 2026 only HISTORY gets candles
		"HISTORY": {"NOPE{=d}", "SPY{=10t}", "SPY{=d,price=bid}", "SPY"},
	} {
		for _, symbol := range symbols {
			s := c.feed(contract)
			s.send(fmt.Sprintf(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Candle","symbol":%q,"fromTime":1}]}`, symbol))
			got := s.candles(s.until("FEED_CONFIG"))
			require.Len(t, got, 1, symbol)
			assert.Equal(t, json.Number("14"), got[0]["eventFlags"], "begin, end and remove")
			assert.Equal(t, "NaN", got[0]["open"])
		}
	}
}

func TestLongHistoriesAreSnipped(t *testing.T) {
	c := start(t, func(o *simulator.Options) { o.Candles = 100 }).login()
	s := c.feed("HISTORY")
	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Candle","symbol":"SPY{=d}","fromTime":1}]}`)
	got := s.candles(s.until("FEED_CONFIG"))
	require.Len(t, got, 100)
	assert.Equal(t, json.Number("16"), got[99]["eventFlags"], "there is more")
}

func TestCandlesGoOnAfterTheirSnapshot(t *testing.T) {
	c := start(t, nil).login()
	s := c.feed("HISTORY")
	s.send(fmt.Sprintf(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Candle","symbol":"SPY{=1m,tho=true}","fromTime":%d}]}`, c.clock.Now().Add(-2*time.Minute).UnixMilli()))
	config := s.until("FEED_CONFIG")
	newest := s.candles(config)[0]
	c.clock.Advance(time.Minute)
	var live []map[string]any
	for len(live) < 2 {
		live = append(live, records(t, config, s.until("FEED_DATA"))...)
	}
	assert.Equal(t, newest["time"], live[0]["time"], "the last candle of the snapshot was not finished")
	assert.Equal(t, json.Number("0"), live[0]["eventFlags"])
	assert.NotEqual(t, newest["time"], live[1]["time"])
}

// Timers run on the bubble's clock, so that the minutes below take no time.
func TestKeepalives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, nil).login()
		ctx := t.Context()
		conn, _, err := websocket.Dial(ctx, "ws://simulator.localhost/dxlink", &websocket.DialOptions{HTTPClient: c.http})
		require.NoError(t, err)
		defer conn.CloseNow()
		s := &socket{t, conn, ctx}
		s.send(setup)
		s.until("AUTH_STATE")
		began := time.Now()
		s.until("KEEPALIVE")
		assert.Equal(t, 30*time.Second, time.Since(began).Round(time.Second), "half of what the client allows")
		time.Sleep(25 * time.Second)
		s.send(`{"type":"KEEPALIVE","channel":0}`)
		heard := time.Now()
		assert.Equal(t, "TIMEOUT", s.ends())
		assert.Equal(t, 60*time.Second, time.Since(heard).Round(time.Second), "a silent client is given up")
	})
}

func TestStreamsEndWithTheirServer(t *testing.T) {
	c := start(t, nil).login()
	other, err := c.sim.Listen()
	require.NoError(t, err)
	s := c.feed("AUTO")
	require.NoError(t, other.Close(), "another door")
	s.send(`{"type":"CHANNEL_CANCEL","channel":1}`)
	s.until("CHANNEL_CLOSED")
	require.NoError(t, c.server.Close())
	_, _, err = s.conn.Read(s.ctx)
	assert.Error(t, err)
	_, err = c.http.Get(c.server.URL() + "/simulator/clock")
	assert.Error(t, err)
}

func TestDropStreamsCutsWithoutAHandshake(t *testing.T) {
	c := start(t, nil).login()
	s := c.feed("AUTO")
	c.sim.DropStreams()
	_, _, err := s.conn.Read(s.ctx)
	assert.Equal(t, websocket.StatusCode(-1), websocket.CloseStatus(err))
	c.feed("AUTO") // and the next connection works
}

func TestTCPServesRESTAndStreams(t *testing.T) {
	sim, err := simulator.New(nil)
	require.NoError(t, err)
	defer sim.Close()
	server, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	c := &client{t: t, sim: sim, server: server, http: server.HTTPClient()}
	defer c.http.CloseIdleConnections()
	c.login()
	token := c.object("/api-quote-tokens")["data"].(map[string]any)
	assert.Equal(t, strings.Replace(server.URL(), "http", "ws", 1)+"/dxlink", token["dxlink-url"])
	s := c.feed("AUTO")
	s.send(`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Quote","symbol":"SPY"}]}`)
	s.until("FEED_DATA")
	s.until("FEED_DATA") // the default day runs by itself
	_, err = sim.Start("nowhere:99999")
	assert.Error(t, err)
	require.NoError(t, sim.Close())
	_, err = sim.Listen()
	assert.Error(t, err)
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		sim, err := simulator.New(nil)
		if err != nil {
			b.Fatal(err)
		}
		server, err := sim.Listen()
		if err != nil {
			b.Fatal(err)
		}
		_ = server
		sim.Close()
	}
}
