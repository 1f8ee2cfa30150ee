package tasty_test

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/tastytrade"
)

const deskAccount = "5WX00042"

// A desk is an adapter over a client over a server that answers what the test says,
// and keeps what it was asked.
type desk struct {
	*tasty.Adapter
	trade broker.Broker

	mu      sync.Mutex
	answers map[string][]answer // by "POST /accounts/…"; the last one stays
	asked   []asked
	streams []*websocket.Conn
	refuse  bool // new streams
}

type answer struct {
	status int
	body   string
	drop   bool // cut the connection in place of an answer
}

type asked struct {
	route string
	query string
	body  string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{answers: map[string][]answer{}}
	server := httptest.NewServer(http.HandlerFunc(d.serve))
	client, err := tastytrade.NewClient(tastytrade.StaticTokenSource("a-token"), &tastytrade.ClientOptions{
		BaseURL: server.URL, Limiter: tastytrade.NoLimit(), Retries: 1, RetryWait: time.Millisecond,
	})
	require.NoError(t, err)
	d.Adapter, err = tasty.New(client, &tasty.Options{
		Environment: broker.Simulator, AccountStreamer: "ws" + strings.TrimPrefix(server.URL, "http") + "/streamer",
		Reconcile: tastytrade.ReconcileOptions{Attempts: 3, Wait: time.Millisecond},
	})
	require.NoError(t, err)
	d.trade = d.Adapter.Broker()
	d.on("GET /customers/me/accounts", 200, `{"data":{"items":[{"account":{"account-number":"`+deskAccount+`","margin-or-cash":"Margin"},"authority-level":"owner"}]}}`)
	t.Cleanup(func() {
		require.NoError(t, d.Adapter.Close())
		client.Close()
		d.cut()
		server.Close()
	})
	return d
}

// on sets what a route of the account answers, once for each call and then for ever.
func (d *desk) on(route string, status int, body string) {
	d.put(route, answer{status: status, body: body})
}

// drops has the next request of a route cut.
func (d *desk) drops(route string) { d.put(route, answer{drop: true}) }

// forget takes back what the account's routes answer.
func (d *desk) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.answers, func(route string, _ []answer) bool { return strings.Contains(route, "/accounts/"+deskAccount) })
}

func (d *desk) put(route string, a answer) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answers[route] = append(d.answers[route], a)
}

// account is a route of the account.
func account(method, rest string) string { return method + " /accounts/" + deskAccount + rest }

func (d *desk) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/streamer" {
		d.stream(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	route := r.Method + " " + r.URL.Path
	d.mu.Lock()
	d.asked = append(d.asked, asked{route: route, query: r.URL.RawQuery, body: string(body)})
	list := d.answers[route]
	a := answer{status: 404, body: `{"error":{"code":"record_not_found","message":"no such thing"}}`}
	if len(list) > 0 {
		a = list[0]
	}
	if len(list) > 1 {
		d.answers[route] = list[1:]
	}
	d.mu.Unlock()
	if a.drop {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body) // the client reads it or is gone
}

// sent returns the bodies of the requests of a route.
func (d *desk) sent(route string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var bodies []string
	for _, a := range d.asked {
		if a.route == route {
			bodies = append(bodies, a.body)
		}
	}
	return bodies
}

// writes counts the requests that could change something.
func (d *desk) writes() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := 0
	for _, a := range d.asked {
		if !strings.HasPrefix(a.route, "GET ") && !strings.HasSuffix(a.route, "/dry-run") {
			n++
		}
	}
	return n
}

// stream is the account streamer: it acknowledges and says nothing by itself.
func (d *desk) stream(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	d.mu.Lock()
	if d.refuse {
		d.mu.Unlock()
		_ = ws.CloseNow()
		return
	}
	d.streams = append(d.streams, ws)
	d.mu.Unlock()
	for {
		_, data, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		var request struct {
			Action string `json:"action"`
			ID     int    `json:"request-id"`
		}
		if json.Unmarshal(data, &request) != nil {
			return
		}
		ack, err := json.Marshal(map[string]any{"status": "ok", "action": request.Action, "request-id": request.ID, "web-socket-session-id": "1"})
		if err != nil || ws.Write(r.Context(), websocket.MessageText, ack) != nil {
			return
		}
	}
}

// push sends a message to every stream.
func (d *desk) push(t *testing.T, message string) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	require.NotEmpty(t, d.streams)
	for _, ws := range d.streams {
		require.NoError(t, ws.Write(context.Background(), websocket.MessageText, []byte(message)))
	}
}

// cut ends all streams.
func (d *desk) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, ws := range d.streams {
		_ = ws.CloseNow()
	}
	d.streams = nil
}

// wireOrder is an order of the account as the broker writes it.
func wireOrder(id, status string, more map[string]any) map[string]any {
	o := map[string]any{
		"id": json.Number(id), "account-number": deskAccount, "order-type": "Limit", "time-in-force": "Day", "status": status, "size": 10,
		"price": "99.0", "price-effect": "Debit", "external-identifier": "entry", "received-at": "2026-08-03T14:30:00.000+00:00", "updated-at": 1785767400000,
		"legs": []map[string]any{{"symbol": "SPY", "instrument-type": "Equity", "action": "Buy to Open", "quantity": 10, "remaining-quantity": 10, "fills": []any{}}},
	}
	for k, v := range more {
		o[k] = v
	}
	return o
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}

func data(t *testing.T, v any) string { return `{"data":` + text(t, v) + `}` }

func items(t *testing.T, list ...any) string {
	if list == nil {
		list = []any{}
	}
	return data(t, map[string]any{"items": list})
}

func unmarshal(data []byte, into any) error { return json.Unmarshal(data, into) }
