package tastytrade_test

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// futureOptionJSON is one row of a full futures-option chain, in the shape and
// of the size that the broker sends: about 1.8 kB.
func futureOptionJSON(i int) string {
	return fmt.Sprintf(`{"active":true,"days-to-expiration":189,"display-factor":"0.01","exchange":"CME","exchange-symbol":"ESZ6 P%[1]d","exercise-style":"American",
"expiration-date":"2026-12-18","expires-at":"2026-12-18T14:30:00.000+00:00","future-price-ratio":"1.0","is-closing-only":false,"is-confirmed":true,"is-exercisable-weekly":true,
"is-primary-deliverable":true,"is-vanilla":true,"last-trade-time":"0","maturity-date":"2026-12-18","multiplier":"1.0","notional-value":"0.5","option-root-symbol":"ES",
"option-type":"P","product-code":"ES","root-symbol":"/ES","security-exchange":"2","security-id":"%[1]d","settlement-type":"Future","stops-trading-at":"2026-12-18T14:30:00.000+00:00",
"streamer-symbol":"./ESZ26P%[1]d:XCME","strike-factor":"1.0","strike-price":"%[1]d.0","sx-id":"0","symbol":"./ESZ6 ESZ6  261218P%[1]d","underlying-count":"1.0","underlying-symbol":"/ESZ6",
"future-option-product":{"cash-settled":false,"clearing-code":"ES","clearing-exchange-code":"16","clearing-price-multiplier":"1.0","clearport-code":"ES","code":"ES","display-factor":"0.01",
"exchange":"CME","expiration-type":"Regular","futures-trading-cutoff-times":[{"offset-seconds":34200,"timezone":"Market Zone","timing":"Default"}],"is-am-settled":true,"is-rollover":false,
"legacy-code":"ES","market-sector":"Equity Index","product-type":"Physical","root-symbol":"ES","settlement-delay-days":0,"supported":true},"padding":"%[2]s"}`, 1000+i, strings.Repeat("x", 425))
}

// hugeChain answers with a chain of rows options, written as it goes, and
// counts the bytes.
func hugeChain(rows int, size *int) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n, _ := io.WriteString(w, `{"context":"/futures-option-chains/ES","data":{"items":[`)
		for i := range rows {
			if i > 0 {
				n++
				_, _ = io.WriteString(w, ",")
			}
			m, err := io.WriteString(w, futureOptionJSON(i))
			if n += m; err != nil {
				break
			}
		}
		m, _ := io.WriteString(w, `]},"pagination":null}`)
		*size = n + m
	})
}

// The full chain of /ES has been seen with 20,404 rows in 37 MB.
func TestAHugeChainIsWalkedInLittleMemory(t *testing.T) {
	const rows, limit = 20404, 16 << 20
	size, n := 0, 0
	c := client(t, hugeChain(rows, &size), nil)
	live := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most := live(), uint64(0)
	for o, err := range c.OptionChains.AllFutureOptions(t.Context(), "ES") {
		require.NoError(t, err)
		if n++; n%1000 == 0 {
			most = max(most, live())
		}
		if n == 777 {
			assert.Equal(t, "1776", o.StrikePrice.String())
			assert.Equal(t, "16", o.Product.ClearingExchangeCode)
		}
	}
	assert.Equal(t, rows, n)
	assert.InDelta(t, 37e6, size, 2e6, "the size that has been seen")
	assert.Less(t, most, uint64(limit))
	t.Logf("%d rows, %.1f MB: at most %.1f MB of live heap, %.1f MB before", n, float64(size)/1e6, float64(most)/1e6, float64(before)/1e6)

	_, err := c.OptionChains.FutureOptions(t.Context(), "ES")
	require.ErrorIs(t, err, tastytrade.ErrTooLarge, "as one answer it is too large")
	assert.NotErrorIs(t, err, tastytrade.ErrUnavailable)
}

func symbols(t *testing.T, server http.Handler, change func(*tastytrade.ClientOptions)) (got []string, err error) {
	t.Helper()
	for o, err := range client(t, server, change).OptionChains.All(t.Context(), "SPY") {
		if err != nil {
			return got, err
		}
		got = append(got, o.Symbol)
	}
	return got, nil
}

func TestEveryShapeOfAListIsStreamed(t *testing.T) {
	for _, body := range []string{
		`{"data":{"items":[{"symbol":"A"},{"symbol":"B"}]},"context":"/x"}`,
		`{"context":"/x","pagination":null,"data":{"x":{"items":[1]},"items":[{"symbol":"A"}, {"symbol":"B"} ],"y":1}}`,
		`{"items":[{"symbol":"A"},{"symbol":"B"}]}`, `[{"symbol":"A"},{"symbol":"B"}]`, `{"data":[{"symbol":"A"},{"symbol":"B"}]}`,
	} {
		got, err := symbols(t, answering(200, body), nil)
		require.NoError(t, err, body)
		assert.Equal(t, []string{"A", "B"}, got, body)
	}
	got, err := symbols(t, answering(200, `{"data":{"items":[]}}`), nil)
	require.NoError(t, err)
	assert.Empty(t, got)
}

func TestAStreamThatGoesWrongSaysWhy(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   error
		rows   int
	}{
		{"cut between rows", 200, `{"data":{"items":[{"symbol":"A"},`, tastytrade.ErrUnavailable, 1},
		{"cut within a row", 200, `{"data":{"items":[{"symbol":"A"},{"symb`, tastytrade.ErrUnavailable, 1},
		{"cut behind a row", 200, `{"data":{"items":[{"symbol":"A"}`, tastytrade.ErrUnavailable, 1},
		{"garbage", 200, `{"data":{"items":[{"symbol":"A"},?]}}`, tastytrade.ErrUnavailable, 1},
		{"a row without its symbol", 200, `{"data":{"items":[{"symbol":"A"},{}]}}`, tastytrade.ErrUnavailable, 1},
		{"no list", 200, `{"data":{"symbol":"A"}}`, tastytrade.ErrUnavailable, 0},
		{"nothing", 200, ``, tastytrade.ErrUnavailable, 0},
		{"a web page", 200, `<html>`, tastytrade.ErrUnavailable, 0},
		{"refused", 404, `{"error":{"code":"record_not_found"}}`, tastytrade.ErrNotFound, 0},
		{"failed", 502, `<html>`, tastytrade.ErrUnavailable, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := symbols(t, answering(tt.status, tt.body), nil)
			require.ErrorIs(t, err, tt.want)
			assert.Len(t, got, tt.rows, "what came before is not lost")
		})
	}
	_, err := symbols(t, answering(200, `{"data":{"items":[{"symbol":"`+strings.Repeat("A", 100_000)+`"}]}}`), func(o *tastytrade.ClientOptions) { o.MaxResponseBytes = 10_000 })
	require.ErrorIs(t, err, tastytrade.ErrTooLarge, "one row is larger than an answer may be")
}

func TestAStreamEndsWhenNothingArrivesForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"data":{"items":[{"symbol":"A"},`)
			w.(http.Flusher).Flush()
			time.Sleep(20 * time.Second)
			_, _ = io.WriteString(w, `{"symbol":"B"},`)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		})
		start := time.Now()
		var got []string
		for o, err := range client(t, server, nil).OptionChains.All(t.Context(), "SPY") {
			if err != nil {
				require.ErrorIs(t, err, tastytrade.ErrUnavailable)
				break
			}
			got = append(got, o.Symbol)
			time.Sleep(time.Minute) // a slow reader is not a silent broker
		}
		assert.Equal(t, []string{"A", "B"}, got)
		assert.Equal(t, 2*time.Minute+30*time.Second, time.Since(start))
	})
}

func TestALoopThatStopsClosesItsStream(t *testing.T) {
	closed := make(chan struct{})
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, `{"data":{"items":[{"symbol":"A"},`)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(closed)
	})
	for o, err := range client(t, server, nil).OptionChains.All(t.Context(), "SPY") {
		require.NoError(t, err)
		assert.Equal(t, "A", o.Symbol)
		break
	}
	<-closed
}

func TestAStreamWithAnExpiredTokenIsAskedForAgain(t *testing.T) {
	tokens := tokenServer()
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/oauth/token":
			tokens.ServeHTTP(w, r)
		case r.Header.Get("Authorization") != "Bearer access-2":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, `{"error":{"code":"token_invalid"}}`)
		default:
			_, _ = io.WriteString(w, `{"data":{"items":[{"symbol":"A"}]}}`)
		}
	})
	c, err := tastytrade.NewClient(source(t, tokens, nil), clientOptions(t, server))
	require.NoError(t, err)
	defer c.Close()
	got, err := first(c.OptionChains.All(t.Context(), "SPY"))
	require.NoError(t, err)
	assert.Equal(t, "A", got.(tastytrade.EquityOption).Symbol)
}
