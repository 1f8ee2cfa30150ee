package rest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/internal/rest/resttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t testing.TB, handler http.HandlerFunc, change func(*rest.Options)) *rest.Client {
	t.Helper()
	opts := rest.Options{BaseURL: "http://memory", UserAgent: "test/1", Dial: resttest.Serve(t, handler)}
	if change != nil {
		change(&opts)
	}
	c, err := rest.New(opts)
	require.NoError(t, err)
	t.Cleanup(c.CloseIdle)
	return c
}

func read(path ...string) *rest.Request {
	return &rest.Request{Method: "GET", Operation: "GET /x", Path: path}
}

func TestReadsAreRepeatedAndWritesAreNot(t *testing.T) {
	for _, tt := range []struct {
		method string
		want   int64
	}{{"GET", 4}, {"HEAD", 4}, {"POST", 1}, {"PUT", 1}, {"PATCH", 1}, {"DELETE", 1}} {
		t.Run(tt.method, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				c := client(t, func(w http.ResponseWriter, r *http.Request) {
					calls.Add(1)
					w.WriteHeader(http.StatusBadGateway)
				}, nil)
				resp, err := c.Do(t.Context(), &rest.Request{Method: tt.method, Operation: "x", Path: []string{"x"}})
				require.NoError(t, err)
				assert.Equal(t, http.StatusBadGateway, resp.Status)
				assert.Equal(t, tt.want, calls.Load())
			})
		})
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var times []time.Time
		c := client(t, func(w http.ResponseWriter, r *http.Request) {
			if times = append(times, time.Now()); len(times) == 1 {
				w.Header().Set("Retry-After", "7")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}, nil)
		resp, err := c.Do(t.Context(), read("x"))
		require.NoError(t, err)
		assert.Equal(t, 200, resp.Status)
		require.Len(t, times, 2)
		wait := times[1].Sub(times[0])
		assert.GreaterOrEqual(t, wait, 7*time.Second)
		assert.Less(t, wait, 8*time.Second)
	})
}

func TestARetryThatMissesTheDeadlineIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		start := time.Now()
		resp, err := c.Do(ctx, read("x"))
		require.NoError(t, err)
		assert.Equal(t, http.StatusTooManyRequests, resp.Status)
		assert.Zero(t, time.Since(start))
	})
}

func TestASilentServerEndsWithTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := client(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, func(o *rest.Options) { o.Timeout = 3 * time.Second })
		start := time.Now()
		_, err := c.Do(t.Context(), read("x"))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 3*time.Second, time.Since(start))
	})
}

func TestRedirectsToOtherHostsAreNotFollowed(t *testing.T) {
	var elsewhere atomic.Bool
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Host != "memory" {
			elsewhere.Store(true)
		}
		http.Redirect(w, r, "http://evil.example/steal", http.StatusFound)
	}, nil)
	req := read("x")
	req.Header = http.Header{"Authorization": {"Bearer secret"}}
	resp, err := c.Do(t.Context(), req)
	require.NoError(t, err)
	assert.Equal(t, http.StatusFound, resp.Status)
	assert.False(t, elsewhere.Load())
}

func TestPathsAreEscapedOnce(t *testing.T) {
	var got, query string
	c := client(t, func(w http.ResponseWriter, r *http.Request) { got, query = r.RequestURI, r.URL.Query().Get("symbol[]") }, func(o *rest.Options) {
		o.BaseURL += "/prefix/"
	})
	req := read("instruments", "BRK/B", "SPY   261218C00500000", "a?b#c%2F")
	req.Query = url.Values{"symbol[]": {"A+B/C D"}}
	_, err := c.Do(t.Context(), req)
	require.NoError(t, err)
	path, _, _ := strings.Cut(got, "?")
	assert.Equal(t, "/prefix/instruments/BRK%2FB/SPY%20%20%20261218C00500000/a%3Fb%23c%252F", path)
	assert.Equal(t, "A+B/C D", query)
}

func TestTraversalIsRefused(t *testing.T) {
	c := client(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") }, nil)
	for _, segment := range []string{"", ".", ".."} {
		var field *invalid.FieldError
		_, err := c.Do(t.Context(), read("a", segment, "b"))
		require.ErrorAs(t, err, &field, "%q", segment)
	}
}

func TestLargeAnswersAreCut(t *testing.T) {
	c := client(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, strings.Repeat("x", 1000)) },
		func(o *rest.Options) { o.MaxBytes = 999 })
	_, err := c.Do(t.Context(), read("x"))
	require.ErrorIs(t, err, rest.ErrTooLarge)
}

func TestErrorsDoNotShowTheURL(t *testing.T) {
	c, err := rest.New(rest.Options{BaseURL: "http://memory", UserAgent: "test/1", Retries: -1,
		Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
		}})
	require.NoError(t, err)
	req := read("accounts", "5WX00042")
	req.Query = url.Values{"secret": {"hidden"}}
	_, err = c.Do(t.Context(), req)
	var transport *rest.TransportError
	require.ErrorAs(t, err, &transport)
	assert.False(t, transport.Dispatched, "a refused connection sends nothing")
	for _, hidden := range []string{"5WX00042", "hidden", "http://"} {
		assert.NotContains(t, err.Error(), hidden)
	}
}

func TestBaseURLs(t *testing.T) {
	for s, ok := range map[string]bool{
		"https://api.example.com": true, "http://127.0.0.1:8080": true, "http://localhost": true, "http://[::1]:1": true,
		"http://api.example.com": false, "ftp://x": false, "api.example.com": false, "": false,
		"https://user:hidden@x": false, "https://x?token=hidden": false,
	} {
		_, err := rest.ParseBase(s, false)
		assert.Equal(t, ok, err == nil, "%s: %v", s, err)
		if err != nil {
			assert.NotContains(t, err.Error(), "hidden")
		}
	}
}

func TestBucketsKeepEveryRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rest.NewBuckets(50, []rest.Family{{Pattern: "/option-chains/**", PerSecond: 2}, {Methods: []string{"POST"}, Pattern: "/orders/*/x", PerSecond: 1}})
		took := func(n int, method, path string) time.Duration {
			start := time.Now()
			for range n {
				require.NoError(t, b.Wait(t.Context(), method, path))
			}
			return time.Since(start).Round(time.Millisecond)
		}
		assert.Equal(t, 2*time.Second, took(5, "GET", "/option-chains/SPY/nested"), "two a second")
		time.Sleep(time.Minute)
		assert.Equal(t, 2*time.Second, took(3, "POST", "/orders/1/x"), "one a second")
		time.Sleep(time.Minute)
		assert.Equal(t, 2*time.Second, took(101, "GET", "/orders/1/x"), "fifty a second for the rest")
	})
}

func TestATurnAfterTheDeadlineFailsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rest.NewBuckets(1, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		start := time.Now()
		require.NoError(t, b.Wait(ctx, "GET", "/"))
		require.NoError(t, b.Wait(ctx, "GET", "/"))
		require.ErrorIs(t, b.Wait(ctx, "GET", "/"), rest.ErrBudget)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

func TestABodyThatBreaksOffIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := client(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 1 {
				w.Header().Set("Content-Length", "100")
				_, _ = io.WriteString(w, "half")
				panic(http.ErrAbortHandler)
			}
			_, _ = io.WriteString(w, "whole")
		}, nil)
		resp, err := c.Do(t.Context(), read("x"))
		require.NoError(t, err)
		assert.Equal(t, "whole", string(resp.Body))
		assert.Equal(t, 2, n)
	})
}

func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "0.5": 500 * time.Millisecond, "-1": 0, "soon": 0,
		now.Add(90 * time.Second).Format(http.TimeFormat): 90 * time.Second, now.Add(-time.Hour).Format(http.TimeFormat): 0,
	} {
		assert.Equal(t, want, rest.RetryAfter(http.Header{"Retry-After": {value}}, now), fmt.Sprintf("%q", value))
	}
}

func TestNoRetryWaitsBeyondTheDeadline(t *testing.T) {
	for _, after := range []string{"", "2"} {
		synctest.Test(t, func(t *testing.T) {
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", after)
				w.WriteHeader(http.StatusTooManyRequests)
			}, func(o *rest.Options) { o.Retries = 100 })
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for range 20 { // waits are random
				resp, err := c.Do(ctx, read("x"))
				if ctx.Err() != nil {
					break
				}
				require.NoError(t, err, "the last answer is better than a timeout")
				assert.Equal(t, http.StatusTooManyRequests, resp.Status)
			}
		})
	}
}

func TestTurnsAreGivenInOrderAndACallerThatGivesUpCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rest.NewBuckets(1, nil)
		require.NoError(t, b.Wait(t.Context(), "GET", "/"))
		start := time.Now()
		type turn struct {
			caller int
			at     time.Duration
		}
		turns := make(chan turn, 10)
		impatient, giveUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 6 {
			ctx := t.Context()
			if i%2 == 1 {
				ctx = impatient
			}
			wg.Go(func() {
				if b.Wait(ctx, "GET", "/") == nil {
					turns <- turn{i, time.Since(start)}
				}
			})
			synctest.Wait() // one after the other joins the queue
		}
		time.Sleep(500 * time.Millisecond)
		giveUp()
		wg.Wait()
		close(turns)
		var got []turn
		for t := range turns {
			got = append(got, t)
		}
		assert.Equal(t, []turn{{0, time.Second}, {2, 2 * time.Second}, {4, 3 * time.Second}}, got)
	})
}

func TestARestThatTheServerAsksForHoldsForEveryone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := rest.NewBuckets(50, []rest.Family{{Pattern: "/chains/**", PerSecond: 2}})
		n := 0
		handler := func(w http.ResponseWriter, r *http.Request) {
			if n++; n == 1 {
				w.Header().Set("Retry-After", "30")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}
		share := func(o *rest.Options) { o.Limiter, o.Retries = b, -1 }
		_, err := client(t, handler, share).Do(t.Context(), &rest.Request{Method: "POST", Operation: "x", Path: []string{"chains", "SPY"}})
		require.NoError(t, err)
		other := client(t, handler, share)
		start := time.Now()
		_, err = other.Do(t.Context(), read("elsewhere"))
		require.NoError(t, err)
		assert.Less(t, time.Since(start), time.Second, "other families go on")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = other.Do(ctx, read("chains", "QQQ"))
		require.NoError(t, err)
		assert.InDelta(t, 30, time.Since(start).Seconds(), 1)
	})
}

func TestAStreamIsReadAsItArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		c := client(t, func(w http.ResponseWriter, r *http.Request) {
			if n++; n < 3 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			_, _ = io.WriteString(w, "first")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}, nil)
		s, err := c.Open(t.Context(), read("x"))
		require.NoError(t, err)
		assert.Equal(t, 200, s.Status)
		assert.Equal(t, 3, n, "until the head arrives, attempts are repeated")
		buf := make([]byte, 10)
		m, err := s.Read(buf)
		require.NoError(t, err)
		assert.Equal(t, "first", string(buf[:m]))
		start := time.Now()
		_, err = s.Read(buf)
		var lost *rest.TransportError
		require.ErrorAs(t, err, &lost)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 30*time.Second, time.Since(start))
		require.NoError(t, s.Close())
	})
}
