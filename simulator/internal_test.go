package simulator

import (
	"encoding/json"
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// Whatever a client sends, the answer is JSON and nothing panics.
func FuzzMessages(f *testing.F) {
	for _, seed := range []string{
		`{"type":"SETUP","channel":0,"version":"0.1"}`, `{"type":"CHANNEL_REQUEST","channel":3,"service":"FEED","parameters":{"contract":"AUTO"}}`,
		`{"type":"FEED_SETUP","channel":1,"acceptAggregationPeriod":-1e300,"acceptEventFields":{"Quote":[]}}`,
		`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Candle","symbol":"A&Q{=5m,tho=true,a=s}","fromTime":1e18}],"reset":true}`,
		`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[{"type":"Quote","symbol":".SPY261016C600"}]}`, `[]`, `{"type":1}`, "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, message string) {
		sim := &Simulator{wall: market.NewManualClock(time.Unix(0, 0)), calendar: market.NYSE(), candles: 10}
		st := &stream{sim: sim, drop: func() {}, wake: make(chan struct{}, 1), ready: make(chan struct{}, 1), channels: map[int]*feed{}, setUp: true, authorized: true}
		st.channels[1] = newFeed(1, "HISTORY")
		st.handle([]byte(message))
		if f := st.channels[1]; f != nil {
			st.sendJSON(f.config())
		}
		for _, m := range st.queue {
			assert.True(t, json.Valid(m), "%s", m)
		}
	})
}

func TestCandleSymbolsAreRead(t *testing.T) {
	tests := map[string]candleSymbol{
		"SPY{=d}":                       {"SPY", market.Day, false},
		"SPY{=1d,tho=true}":             {"SPY", market.Day, true},
		"BRK/B{=5m,a=s,tho=true}":       {"BRK/B", market.Minute5, true},
		"AAPL&Q{=mo}":                   {"AAPL", market.Month, false},
		".SPY261218C500.5{=1h}":         {"SPY   261218C00500500", market.Hour, false},
		"SPX{tho=true,=30m,price=last}": {"SPX", market.Minute30, true},
	}
	for text, want := range tests {
		got, ok := parseCandleSymbol(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", "SPY", "SPY{}", "SPY{=d", "SPY{=5t}", "SPY{=1v}", "SPY{=d,price=bid}", "SPY{=d,pl=1}", "{=d}", "SPY{tho=true}", ".SPY{=d}"} {
		_, ok := parseCandleSymbol(text)
		assert.False(t, ok, text)
	}
}

func TestExpirationTypesFollowTheCalendar(t *testing.T) {
	s := &Simulator{calendar: market.NYSE()}
	for text, want := range map[string]string{
		"2026-09-18": "Regular", // third Friday
		"2019-04-18": "Regular", // Thursday before Good Friday
		"2026-09-25": "Weekly",
		"2026-09-30": "Quarterly",    // last session of a quarter
		"2026-10-30": "End-Of-Month", // a Friday, and the last session of its month
		"2026-10-16": "Regular",
	} {
		d, err := market.ParseDate(text)
		require.NoError(t, err)
		assert.Equal(t, want, s.expirationType(d), text)
	}
}

func TestMemoryConnectionsHoldWhatIsWritten(t *testing.T) {
	a, b := newMemoryPipe()
	n, err := a.Write([]byte("hello"))
	require.NoError(t, err, "nobody reads yet")
	require.Equal(t, 5, n)
	require.NoError(t, a.Close())
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	assert.Equal(t, "hello", string(got), "what was written before the close arrives")
	_, err = b.Write([]byte("x"))
	assert.Error(t, err)
	_, err = a.Read(make([]byte, 1))
	assert.ErrorIs(t, err, net.ErrClosed)
}

func TestMemoryConnectionsRespectDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newMemoryPipe()
		require.NoError(t, b.SetReadDeadline(time.Now().Add(time.Second)))
		began := time.Now()
		_, err := b.Read(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(began))
		require.NoError(t, b.SetReadDeadline(time.Time{}))
		go func() {
			time.Sleep(time.Minute)
			a.Write([]byte("x"))
		}()
		_, err = b.Read(make([]byte, 1))
		assert.NoError(t, err, "a deadline that is taken back does not count")

		require.NoError(t, a.SetWriteDeadline(time.Now().Add(time.Second)))
		n, err := a.Write(make([]byte, 2*memoryBuffer))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, memoryBuffer, n, "a full buffer makes a writer wait")
		a.Close()
		b.Close()
	})
}

func TestDecimalsHaveAPoint(t *testing.T) {
	for x, want := range map[float64]string{0: "0.0", 3: "3.0", 0.1: "0.1", 1234567.25: "1234567.25", -2: "-2.0", 0.000166: "0.000166", 1e15: "1000000000000000.0"} {
		assert.Equal(t, want, floatText(x))
	}
	assert.Empty(t, floatText(nan()))
}
