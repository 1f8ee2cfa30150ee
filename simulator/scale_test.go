package simulator_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/simulator"
)

// A load is how hard the simulator is tried.
type load struct {
	streams  int           // market-data websockets
	accounts int           // account-streamer websockets
	speed    float64       // of the clock
	span     time.Duration // of the market's time
	orders   int           // placed meanwhile
}

// A strain is what was measured.
type strain struct {
	perClient float64         // bytes of memory for each websocket, client side included
	peak      uint64          // bytes of heap and stacks
	messages  int64           // that reached the clients
	lags      []time.Duration // of quotes, in the computer's time, ascending
	filled    int             // orders
	fills     int64           // told to the account streams
}

func (s *strain) lag(share float64) time.Duration {
	if len(s.lags) == 0 {
		return 0
	}
	return s.lags[min(len(s.lags)-1, int(share*float64(len(s.lags))))]
}

func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// try connects the clients, replays the market and measures. A quote's lag is how
// far the market had gone on when it reached the client, by the time that the
// quote carries.
func try(t testing.TB, l load) strain {
	sim, err := simulator.New(&simulator.Options{Speed: l.speed, Start: time.Date(2026, 9, 16, 13, 30, 0, 0, time.UTC)})
	require.NoError(t, err)
	require.NoError(t, sim.Pause())
	server, err := sim.Start("127.0.0.1:0")
	require.NoError(t, err)
	c := &client{t: t, sim: sim, server: server, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	defer func() {
		c.http.CloseIdleConnections()
		require.NoError(t, sim.Close())
	}()
	c.login()
	c.items(margin + "/positions") // the engine is there
	before := memory()

	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var readers sync.WaitGroup
	var messages, fills atomic.Int64
	var mu sync.Mutex
	var lags []time.Duration
	token := c.quoteToken()
	begin := sim.Clock().Now()
	symbols := []string{"SPY", "QQQ", "AAPL", "MSFT", "JPM", "KO", "IWM", "NVDA", "AMD", "XOM"}
	for i := range l.streams {
		conn := dialRaw(t, ctx, server.DXLinkURL())
		three := []string{symbols[i%10], symbols[(i+3)%10], symbols[(i+7)%10]}
		subscribeRaw(t, ctx, conn, token, three)
		readers.Go(func() {
			defer conn.CloseNow()
			for n := 0; ; n++ {
				_, data, err := conn.Read(ctx)
				if err != nil {
					return
				}
				messages.Add(1)
				if at, ok := quoteTime(data); ok && at.After(begin) && n%5 == 0 {
					lag := time.Duration(float64(sim.Clock().Now().Sub(at)) / l.speed)
					mu.Lock()
					lags = append(lags, lag)
					mu.Unlock()
				}
			}
		})
	}
	for range l.accounts {
		conn := dialRaw(t, ctx, server.AccountStreamerURL())
		require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte(fmt.Sprintf(`{"action":"connect","value":["%s"],"auth-token":"%s","request-id":1}`, simulator.DemoMargin, c.token))))
		readers.Go(func() {
			defer conn.CloseNow()
			for {
				_, data, err := conn.Read(ctx)
				if err != nil {
					return
				}
				messages.Add(1)
				if strings.Contains(string(data), `"status":"Filled"`) && strings.Contains(string(data), `"type":"Order"`) {
					fills.Add(1)
				}
			}
		})
	}
	connected := memory()
	require.NoError(t, sim.Resume())
	end := begin.Add(l.span)
	every := l.span / time.Duration(l.orders+1)
	next, placed := begin.Add(every), 0
	peak := connected
	for tick := time.NewTicker(10 * time.Millisecond); sim.Clock().Now().Before(end); <-tick.C {
		for placed < l.orders && !sim.Clock().Now().Before(next) {
			side, symbol := "Buy to Open", symbols[placed%10]
			c.place(fmt.Sprintf(`{"order-type":"Market","time-in-force":"Day","legs":[{"action":"%s","instrument-type":"Equity","symbol":"%s","quantity":1}]}`, side, symbol))
			next, placed = next.Add(every), placed+1
		}
	}
	require.NoError(t, sim.Pause())
	require.NoError(t, sim.Step(time.Second))
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	peak = max(peak, m.HeapInuse+m.StackInuse)
	filled := 0
	for _, o := range c.items(margin + "/orders?per-page=250") {
		if o["status"] == "Filled" {
			filled++
		}
	}
	want := int64(filled * l.accounts)
	for range 500 { // what was told is still on its way
		if fills.Load() >= want {
			break
		}
		runtime.Gosched()
		<-time.After(10 * time.Millisecond)
	}
	cancel()
	readers.Wait()
	slices.Sort(lags)
	return strain{perClient: float64(connected-before) / float64(l.streams+l.accounts), peak: peak, messages: messages.Load(), lags: lags, filled: filled, fills: fills.Load()}
}

func dialRaw(t testing.TB, ctx context.Context, url string) *websocket.Conn {
	conn, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"test/1"}}})
	require.NoError(t, err)
	conn.SetReadLimit(1 << 20)
	return conn
}

func subscribeRaw(t testing.TB, ctx context.Context, conn *websocket.Conn, token string, symbols []string) {
	var add []string
	for _, symbol := range symbols {
		add = append(add, `{"type":"Quote","symbol":"`+symbol+`"}`)
	}
	for _, text := range []string{
		`{"type":"SETUP","channel":0,"version":"0.1-test/1","keepaliveTimeout":60,"acceptKeepaliveTimeout":60}`,
		`{"type":"AUTH","channel":0,"token":"` + token + `"}`,
		`{"type":"CHANNEL_REQUEST","channel":1,"service":"FEED","parameters":{"contract":"AUTO"}}`,
		`{"type":"FEED_SETUP","channel":1,"acceptAggregationPeriod":0.1,"acceptDataFormat":"COMPACT","acceptEventFields":{"Quote":["eventType","eventSymbol","bidTime","bidPrice","askPrice"]}}`,
		`{"type":"FEED_SUBSCRIPTION","channel":1,"add":[` + strings.Join(add, ",") + `]}`,
	} {
		require.NoError(t, conn.Write(ctx, websocket.MessageText, []byte(text)))
	}
}

// quoteTime is the time of the newest quote in a message of compact quotes.
func quoteTime(data []byte) (newest time.Time, ok bool) {
	var m struct {
		Type string `json:"type"`
		Data []any  `json:"data"`
	}
	if json.Unmarshal(data, &m) != nil || m.Type != "FEED_DATA" || len(m.Data) < 2 {
		return newest, false
	}
	values, _ := m.Data[1].([]any)
	for i := 2; i < len(values); i += 5 {
		if ms, isNumber := values[i].(float64); isNumber && ms > 0 {
			if at := time.UnixMilli(int64(ms)); at.After(newest) {
				newest, ok = at, true
			}
		}
	}
	return newest, ok
}

// At a small size, always; at the full size with TTAI_SCALE=full: two thousand
// websockets while a whole session is replayed a thousand times as fast.
func TestManyClientsAndAFastDay(t *testing.T) {
	l := load{streams: 40, accounts: 10, speed: 1000, span: 10 * time.Minute, orders: 5}
	if os.Getenv("TTAI_SCALE") == "full" {
		l = load{streams: 1800, accounts: 200, speed: 1000, span: 6*time.Hour + 30*time.Minute, orders: 100}
	}
	s := try(t, l)
	t.Logf("%d websockets, %v at %v×: %.0f kB each, %d MB in all; %d messages; lag median %v, 99 %% %v, most %v; %d of %d orders filled, %d fills told",
		l.streams+l.accounts, l.span, l.speed, s.perClient/1000, s.peak>>20, s.messages, s.lag(0.5), s.lag(0.99), s.lag(1), s.filled, l.orders, s.fills)
	assert.NotEmpty(t, s.lags)
	assert.NotZero(t, s.filled)
	assert.Equal(t, int64(s.filled*l.accounts), s.fills, "every account stream heard of every fill once")
	assert.Less(t, s.lag(0.5), 2*time.Second)
	assert.Less(t, s.perClient, 400e3)
}
