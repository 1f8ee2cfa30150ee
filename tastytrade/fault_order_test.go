package tastytrade_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade"
)

// An orderBook is a broker that keeps what it was sent. It counts every request
// that it understood whole.
type orderBook struct {
	mu     sync.Mutex
	orders []map[string]any
	writes int
	before func(w http.ResponseWriter, r *http.Request) (done bool) // of a write, in place of taking it
	after  func(w http.ResponseWriter, r *http.Request) (done bool) // of a write, in place of answering
}

func (b *orderBook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		b.mu.Lock()
		defer b.mu.Unlock()
		items, _ := json.Marshal(b.orders)
		if b.orders == nil {
			items = []byte("[]")
		}
		fmt.Fprintf(w, `{"data":{"items":%s},"context":"/orders/live"}`, items)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // cut off: nothing was understood
	}
	b.mu.Lock()
	b.writes++
	b.mu.Unlock()
	if b.before != nil && b.before(w, r) {
		return
	}
	var order map[string]any
	if json.Unmarshal(body, &order) != nil {
		return
	}
	b.mu.Lock()
	order["id"], order["status"], order["account-number"] = len(b.orders)+1, "Routed", "5WX1"
	b.orders = append(b.orders, order)
	answer, _ := json.Marshal(order)
	b.mu.Unlock()
	if b.after != nil && b.after(w, r) {
		return
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprintf(w, `{"data":{"order":%s,"warnings":[]},"context":"/accounts/5WX1/orders"}`, answer)
}

func (b *orderBook) count() (orders, writes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.orders), b.writes
}

// A wire cuts one connection after so many bytes written or read by the client;
// negative: never. Later connections are whole.
type wire struct {
	net.Conn
	mu            sync.Mutex
	write, read   int
	written, seen int
}

func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	left := w.write - w.written
	w.written += len(p)
	cut := w.write >= 0 && left < len(p)
	w.mu.Unlock()
	if !cut {
		return w.Conn.Write(p)
	}
	n, _ := w.Conn.Write(p[:max(left, 0)])
	_ = w.Conn.Close()
	return n, errors.New("connection reset")
}

func (w *wire) Read(p []byte) (int, error) {
	w.mu.Lock()
	left := w.read - w.seen
	limited := w.read >= 0
	w.mu.Unlock()
	if limited && left <= 0 {
		_ = w.Conn.Close()
		return 0, errors.New("connection reset")
	}
	if limited && left < len(p) {
		p = p[:left]
	}
	n, err := w.Conn.Read(p)
	w.mu.Lock()
	w.seen += n
	w.mu.Unlock()
	return n, err
}

// settle does what a program does with an order: place it once, and look for it
// when the outcome is unknown. It returns whether the order exists, as far as
// the client can tell.
func settle(t *testing.T, c *tastytrade.Client, ctx context.Context) (exists bool, outcome tastytrade.Outcome) {
	t.Helper()
	result, err := c.Orders.Place(ctx, "5WX1", limitOrder())
	outcome = tastytrade.OutcomeOf(err)
	switch outcome {
	case tastytrade.Placed:
		assert.NotEmpty(t, result.Order.ID)
		return true, outcome
	case tastytrade.Unknown:
		var unknown *tastytrade.UnknownOutcomeError
		require.ErrorAs(t, err, &unknown)
		assert.Equal(t, "x-1", unknown.ExternalIdentifier)
		found, err := c.Orders.Reconcile(t.Context(), unknown.Account, unknown.ExternalIdentifier, nil)
		if err != nil {
			require.ErrorIs(t, err, tastytrade.ErrNotFound)
			return false, outcome
		}
		assert.Equal(t, "x-1", found.ExternalIdentifier)
		return true, outcome
	}
	return false, outcome
}

// The connection is cut after every single byte that the client writes, and
// after every single byte that it reads: whatever the client concludes is what
// the broker has, and the broker never has more than one order.
func TestAConnectionCutAnywhereNeitherDoublesNorLosesAnOrder(t *testing.T) {
	seen := map[tastytrade.Outcome]int{}
	try := func(t *testing.T, write, read int) (whole bool) {
		synctest.Test(t, func(t *testing.T) {
			book := &orderBook{}
			dial := resttest.Serve(t, book)
			first := true
			c := client(t, nil, func(o *tastytrade.ClientOptions) {
				o.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					conn, err := dial(ctx, network, addr)
					if err != nil || !first {
						return conn, err
					}
					first = false
					return &wire{Conn: conn, write: write, read: read}, nil
				}
			})
			exists, outcome := settle(t, c, t.Context())
			seen[outcome]++
			orders, writes := book.count()
			assert.LessOrEqual(t, writes, 1, "sent once")
			assert.Equal(t, exists, orders == 1, "cut at write %d, read %d: the client says %v (%v), the broker has %d", write, read, exists, outcome, orders)
			whole = outcome == tastytrade.Placed
			c.Close()
		})
		return whole
	}
	for _, reading := range []bool{false, true} {
		n := 0
		for ; n < 2000; n++ {
			write, read := n, -1
			if reading {
				write, read = -1, n
			}
			if try(t, write, read) {
				break
			}
		}
		assert.Greater(t, n, 150, "bytes tried before the exchange was whole")
		assert.Less(t, n, 2000)
	}
	assert.Greater(t, seen[tastytrade.Unknown], 300)
	assert.Equal(t, 2, seen[tastytrade.Placed])
}

func TestWhatBecameOfAnOrder(t *testing.T) {
	html := func(status int) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html>nginx</html>")
			return true
		}
	}
	says := func(status int, body string) func(w http.ResponseWriter, r *http.Request) bool {
		return func(w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return true
		}
	}
	hang := func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	type hook = func(w http.ResponseWriter, r *http.Request) bool
	for _, tt := range []struct {
		name          string
		before, after hook
		want          tastytrade.Outcome
		exists        bool
	}{
		{"taken", nil, nil, tastytrade.Placed, true},
		{"refused by a check", says(422, `{"error":{"code":"preflight_check_failure","message":"no","errors":[{"code":"margin_check_failed","message":"too small"}]}}`), nil, tastytrade.Rejected, false},
		{"an invalid token", says(401, `{"error":{"code":"token_invalid","message":"expired"}}`), nil, tastytrade.Rejected, false},
		{"too many requests", says(429, ""), nil, tastytrade.Rejected, false},
		{"rejected in the answer", says(201, `{"data":{"order":{"id":9,"status":"Rejected","reject-reason":"halted"}}}`), nil, tastytrade.Rejected, false},
		{"errors in the answer and no order", says(201, `{"data":{"errors":[{"code":"x","message":"no"}]}}`), nil, tastytrade.Rejected, false},
		{"502 before it was taken", html(502), nil, tastytrade.Unknown, false},
		{"502 after it was taken", nil, html(502), tastytrade.Unknown, true},
		{"500 after it was taken", nil, says(500, `{"error":{"code":"internal","message":"oops"}}`), tastytrade.Unknown, true},
		{"504 without a body", nil, says(504, ""), tastytrade.Unknown, true},
		{"a request timeout of the gateway", nil, says(408, ""), tastytrade.Unknown, true},
		{"a page in place of the answer", nil, html(201), tastytrade.Unknown, true},
		{"an answer that is cut", nil, says(201, `{"data":{"order":{"id":1`), tastytrade.Unknown, true},
		{"an answer without an order", nil, says(201, `{"data":{}}`), tastytrade.Unknown, true},
		{"garbage", nil, says(200, "\x00\xff\x01garbage"), tastytrade.Unknown, true},
		{"a redirect after it was taken", nil, func(w http.ResponseWriter, r *http.Request) bool {
			http.Redirect(w, r, "/accounts/5WX1/orders", http.StatusTemporaryRedirect)
			return true
		}, tastytrade.Unknown, true},
		{"stalled before it was taken", hang, nil, tastytrade.Unknown, false},
		{"stalled after it was taken", nil, hang, tastytrade.Unknown, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				book := &orderBook{before: tt.before, after: tt.after}
				c := client(t, book, nil)
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				exists, outcome := settle(t, c, ctx)
				assert.Equal(t, tt.want, outcome, outcome)
				assert.Equal(t, tt.exists, exists)
				orders, writes := book.count()
				assert.Equal(t, 1, writes, "a write is never sent again")
				assert.Equal(t, exists, orders == 1)
			})
		})
	}
}

func TestWhatIsNotSentIsKnownNotToExist(t *testing.T) {
	book := &orderBook{}
	refusedDial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no route to host") }
	for name, c := range map[string]*tastytrade.Client{
		"no connection": client(t, book, func(o *tastytrade.ClientOptions) { o.Dial = refusedDial }),
		"no turn":       client(t, book, func(o *tastytrade.ClientOptions) { o.Limiter = noTurn{} }),
	} {
		_, err := c.Orders.Place(t.Context(), "5WX1", limitOrder())
		require.Error(t, err, name)
		assert.Equal(t, tastytrade.NotSent, tastytrade.OutcomeOf(err), name)
		assert.NotContains(t, err.Error(), "may have happened")
	}
	invalid := limitOrder()
	invalid.Price = nil
	_, err := client(t, book, nil).Orders.Place(t.Context(), "5WX1", invalid)
	assert.Equal(t, tastytrade.NotSent, tastytrade.OutcomeOf(err))
	_, writes := book.count()
	assert.Zero(t, writes)
}

type noTurn struct{}

func (noTurn) Wait(context.Context, string, string) error { return context.DeadlineExceeded }

// A token that cannot be had is not a refusal of the order.
func TestAnOrderWithoutATokenIsNotSent(t *testing.T) {
	book := &orderBook{}
	tokens := source(t, answering(400, `{"error":"invalid_grant","error_description":"gone"}`), nil)
	c, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: "http://memory", Dial: resttest.Serve(t, book), Limiter: tastytrade.NoLimit()})
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Orders.Place(t.Context(), "5WX1", limitOrder())
	require.ErrorIs(t, err, tastytrade.ErrUnauthorized)
	assert.Equal(t, tastytrade.NotSent, tastytrade.OutcomeOf(err))
}

// An order that the broker lists late is found within the polls, and one that
// it never lists is reported as such in bounded time.
func TestReconcilePollsWithinBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		polls := 0
		server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if polls++; polls == 2 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			if polls < 4 {
				_, _ = io.WriteString(w, `{"data":{"items":[{"id":1,"external-identifier":"other"}]}}`)
				return
			}
			_, _ = io.WriteString(w, `{"data":{"items":[{"id":1,"external-identifier":"other"},{"id":2,"external-identifier":"mine","received-at":"2026-09-16T10:00:00Z"},
				{"id":3,"external-identifier":"mine","received-at":"2026-09-16T10:00:01Z","replaces-order-id":2}]}}`)
		})
		c := client(t, server, nil)
		start := time.Now()
		o, err := c.Orders.Reconcile(t.Context(), "5WX1", "mine", nil)
		require.NoError(t, err)
		assert.Equal(t, tastytrade.OrderID("3"), o.ID, "the order that took the other's place")
		assert.Equal(t, 3500*time.Millisecond, time.Since(start), "0.5 s, 1 s and 2 s between the polls")

		start, polls = time.Now(), -1000
		_, err = c.Orders.Reconcile(t.Context(), "5WX1", "lost", &tastytrade.ReconcileOptions{Attempts: 3, Wait: time.Second})
		require.ErrorIs(t, err, tastytrade.ErrNotFound)
		assert.Equal(t, 3*time.Second, time.Since(start))
		assert.Equal(t, -997, polls)

		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err = c.Orders.Reconcile(ctx, "5WX1", "lost", nil)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.NotErrorIs(t, err, tastytrade.ErrNotFound, "who could not look to the end does not know")
	})
	synctest.Test(t, func(t *testing.T) {
		_, err := client(t, answering(503, ""), nil).Orders.Reconcile(t.Context(), "5WX1", "x", nil)
		require.ErrorIs(t, err, tastytrade.ErrUnavailable)
		assert.NotErrorIs(t, err, tastytrade.ErrNotFound)
	})
}

// A storm of 429 answers makes reads wait and ends with the deadline; a write
// in it is refused at once.
func TestAStormOfRefusalsEndsWithTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &recorder{answer: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "2")
			w.WriteHeader(http.StatusTooManyRequests)
		}}
		c := client(t, server, func(o *tastytrade.ClientOptions) { o.Retries = 100 })
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		start := time.Now()
		_, err := c.Orders.Get(ctx, "5WX1", "1")
		require.ErrorIs(t, err, tastytrade.ErrRateLimited)
		assert.LessOrEqual(t, time.Since(start), 20*time.Second)
		assert.InDelta(t, 9, server.count(), 3, "one attempt each two seconds or a little more")
		before := server.count()
		_, err = c.Orders.Cancel(t.Context(), "5WX1", "1")
		require.ErrorIs(t, err, tastytrade.ErrRateLimited)
		assert.Equal(t, tastytrade.Rejected, tastytrade.OutcomeOf(err))
		assert.Equal(t, before+1, server.count())
	})
}

// Reads survive connections that drop, stop half way, or answer twice.
func TestReadsSurviveABadWire(t *testing.T) {
	const answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 41\r\n\r\n{\"data\":{\"id\":1,\"account-number\":\"5WX1\"}}"
	require.Len(t, answer[strings.Index(answer, "\r\n\r\n")+4:], 41)
	faults := map[string]func(conn net.Conn, n int){
		"drop":       func(conn net.Conn, _ int) {},
		"truncate":   func(conn net.Conn, _ int) { _, _ = io.WriteString(conn, answer[:len(answer)-10]) },
		"garbage":    func(conn net.Conn, _ int) { _, _ = io.WriteString(conn, strings.Repeat("\x00\xff", 40)) },
		"half-close": func(conn net.Conn, _ int) { _, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n") },
		"bad gateway": func(conn net.Conn, _ int) {
			_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\nContent-Length: 6\r\n\r\n<html>")
		},
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var wg sync.WaitGroup
				n := 0
				c := client(t, nil, func(o *tastytrade.ClientOptions) {
					o.Retries = 5
					o.Dial = func(context.Context, string, string) (net.Conn, error) {
						ours, theirs := net.Pipe()
						n++
						bad := n <= 3
						wg.Go(func() {
							defer theirs.Close()
							if _, err := http.ReadRequest(bufio.NewReader(theirs)); err != nil {
								return
							}
							if bad {
								fault(theirs, n)
								return
							}
							_, _ = io.WriteString(theirs, answer)
						})
						return ours, nil
					}
				})
				o, err := c.Orders.Get(t.Context(), "5WX1", "1")
				require.NoError(t, err)
				assert.Equal(t, tastytrade.OrderID("1"), o.ID)
				c.Close()
				wg.Wait()
			})
		})
	}
}
