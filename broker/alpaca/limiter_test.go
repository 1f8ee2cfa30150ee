package alpaca_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
)

func headers(limit, remaining int, reset time.Time) http.Header {
	h := http.Header{}
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(remaining))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(reset.Unix(), 10))
	return h
}

// 200 requests a minute is Alpaca's published limit.
func TestNoMinuteSeesMoreThanTheLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := alpaca.NewRateLimiter(0, nil)
		require.NoError(t, err)
		assert.Equal(t, alpaca.RequestsPerMinute, l.PerMinute())
		var mu sync.Mutex
		var times []time.Time
		var wait sync.WaitGroup
		for range 4 { // several clients of one credential share it
			wait.Go(func() {
				for range 200 {
					require.NoError(t, l.Wait(t.Context()))
					mu.Lock()
					times = append(times, time.Now())
					mu.Unlock()
				}
			})
		}
		wait.Wait()
		most := 0
		for i := range times {
			n := 0
			for _, at := range times[i:] {
				if at.Sub(times[i]) < time.Minute {
					n++
				}
			}
			most = max(most, n)
		}
		assert.LessOrEqual(t, most, 200)
		assert.Greater(t, most, 190, "and it is used")
	})
}

func TestTheLimiterLearnsFromHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := alpaca.NewRateLimiter(200, nil)
		require.NoError(t, err)
		l.Observe(200, headers(10_000, 9_999, time.Now().Add(time.Minute)))
		assert.Equal(t, 10_000, l.PerMinute())
		start := time.Now()
		for range 500 {
			require.NoError(t, l.Wait(t.Context()))
		}
		assert.Less(t, time.Since(start), 4*time.Second, "20 at once, the others 150 a second")

		l.Observe(200, headers(10_000, 0, time.Now().Add(20*time.Second)))
		start = time.Now()
		require.NoError(t, l.Wait(t.Context()))
		assert.InDelta(t, 20, time.Since(start).Seconds(), 1.01, "nothing remains until the reset")

		l.Observe(429, http.Header{})
		start = time.Now()
		require.NoError(t, l.Wait(t.Context()))
		assert.Equal(t, time.Second, time.Since(start))

		l.Observe(429, headers(10_000, 0, time.Now().Add(24*time.Hour)))
		start = time.Now()
		require.NoError(t, l.Wait(t.Context()))
		assert.Equal(t, 2*time.Minute, time.Since(start), "a header cannot stop everything")
	})
}

func TestAWaiterEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, err := alpaca.NewRateLimiter(1, nil)
		require.NoError(t, err)
		require.NoError(t, l.Wait(t.Context()))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		assert.ErrorIs(t, l.Wait(ctx), context.DeadlineExceeded)
		assert.Zero(t, time.Since(start), "what cannot be in time fails at once")
		other, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		assert.ErrorIs(t, l.Wait(other), context.Canceled)
	})
	for _, bad := range []int{-1, 2_000_000} {
		_, err := alpaca.NewRateLimiter(bad, nil)
		field, ok := errors.AsType[*alpaca.FieldError](err)
		require.True(t, ok)
		assert.Equal(t, "perMinute", field.Field)
	}
}

// A watch counts what a client asks and shows of a limiter.
type watch struct {
	mu       sync.Mutex
	waits    int
	statuses []int
	last     http.Header
}

func (w *watch) Wait(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waits++
	return nil
}

func (w *watch) Observe(status int, header http.Header) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.statuses, w.last = append(w.statuses, status), header
}

func TestEveryAttemptTakesATurnAndEveryAnswerIsShown(t *testing.T) {
	fake := newFake(t, &alpacatest.Options{PerMinute: 1000})
	trading, data := &watch{}, &watch{}
	a := newAdapter(t, fake, func(o *alpaca.Options) { o.Client.TradingLimiter, o.Client.DataLimiter = trading, data })
	fake.AddStock("ACME")
	fake.Inject(alpacatest.Fault{Path: "/v2/account", Status: 429, Header: headers(200, 0, time.Now().Add(time.Second))})
	_, err := a.Client().Account(t.Context())
	require.NoError(t, err)
	_, err = a.Client().Snapshots(t.Context(), alpaca.StockMarket, []string{"ACME"})
	require.NoError(t, err)
	assert.Equal(t, 2, trading.waits)
	assert.Equal(t, []int{429, 200}, trading.statuses)
	assert.Equal(t, 1, data.waits)
	assert.Equal(t, "1000", data.last.Get("X-RateLimit-Limit"))
}

func TestAWriteThatHasNoTurnIsNotSent(t *testing.T) {
	fake := newFake(t, &alpacatest.Options{PerMinute: 2})
	fake.AddStock("ACME")
	a := newAdapter(t, fake, nil)
	for range 2 {
		_, err := a.Client().Clock(t.Context())
		require.NoError(t, err)
	}
	_, err := a.Client().PlaceOrder(t.Context(), alpaca.OrderRequest{Symbol: "ACME", Qty: dec("1"), Side: "buy", Type: "market", TimeInForce: "day"})
	assert.ErrorIs(t, err, alpaca.ErrRateLimited)
	arrived, _ := sent(fake)
	assert.Equal(t, 1, arrived, "not repeated")
	assert.Empty(t, fake.Orders())

	slow, err := alpaca.NewRateLimiter(1, nil)
	require.NoError(t, err)
	other := newFake(t, nil)
	b := newAdapter(t, other, func(o *alpaca.Options) { o.Client.TradingLimiter = slow })
	_, err = b.Accounts(t.Context()) // takes the only turn for a minute
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err = b.Place(ctx, account, broker.NewTicket(limit("a-1", "ACME", 1, "10")))
	assert.ErrorIs(t, err, broker.ErrUnavailable)
	arrived, _ = sent(other)
	assert.Zero(t, arrived)
}
