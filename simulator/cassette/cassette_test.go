package cassette_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/simulator/cassette"
)

func exchange(path, body string) cassette.Entry {
	return cassette.Entry{Exchange: &cassette.Exchange{Call: "c", Method: "GET", Path: path, Status: 200, Body: json.RawMessage(body)}}
}

// written is a cassette as its file.
func written(t *testing.T, c *cassette.Cassette) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, c.Write(&out))
	return out.String()
}

func TestNothingOfTheOwnerIsLeft(t *testing.T) {
	// Values that must not appear, planted where the broker is known to show them.
	planted := []string{
		"5XY98765", "QUIETSECRET-access", "dxtok-3141592653", "Margaret", "Featherstonehaugh", "meg@home.example", "+44 20 7946 0958",
		"078-05-1120", "1961-07-04", "12 Grimmauld Place", "mfeather", "U0001563702", "Rent money", "Wire from Barclays 20-00-00",
		"call the doctor", "987654321", "my-own-bot-7", "DE89370400440532013000", "Tante Erna",
	}
	entries := []cassette.Entry{
		exchange("/instruments/equities/SPY", `{"data":{"symbol":"SPY","description":"SPDR S&P 500 of account 5XY98765"}}`), // before the account is known to be one
		exchange("/customers/me", `{"data":{"id":"me","first-name":"Margaret","last-name":"Featherstonehaugh","email":"meg@home.example","mobile-phone-number":"+44 20 7946 0958",
			"tax-number":"078-05-1120","birth-date":"1961-07-04","address":{"street-one":"12 Grimmauld Place","city":"London"},"username":"mfeather","external-id":"U0001563702",
			"permitted-account-types":[{"name":"Individual"}],"is-professional":false,"has-family":null,"spouse-name":"Tante Erna"}}`),
		exchange("/customers/me/accounts", `{"data":{"items":[{"account":{"account-number":"5XY98765","nickname":"Rent money","account-type-name":"Individual","margin-or-cash":"Margin","opened-at":"2020-01-02T03:04:05.000+00:00"},"authority-level":"owner"}]}}`),
		exchange("/api-quote-tokens", `{"data":{"token":"dxtok-3141592653","dxlink-url":"wss://tasty.example/realtime","level":"api"}}`),
		exchange("/accounts/5XY98765/transactions", `{"data":{"items":[{"id":987654321,"account-number":"5XY98765","description":"Wire from Barclays 20-00-00","value":"125.50","value-effect":"Credit",
			"transaction-type":"Money Movement","executed-at":"2026-01-02T03:04:05.000+00:00","order-id":987654321,"ext-account":"DE89370400440532013000"}]},"context":"/accounts/5XY98765/transactions"}`),
		exchange("/accounts/5XY98765/orders", `{"data":{"items":[{"id":987654321,"external-identifier":"my-own-bot-7","status":"Live","legs":[{"symbol":"SPY   261218C00500000","action":"Buy to Open","quantity":1}],"user-id":"mfeather","price":"1.25"}]}}`),
		exchange("/watchlists", `{"data":{"items":[{"name":"call the doctor","watchlist-entries":[{"symbol":"KO","instrument-type":"Equity"}]}]}}`),
		{Frame: &cassette.Frame{Stream: "/realtime", Sent: true, Data: json.RawMessage(`{"type":"AUTH","channel":0,"token":"dxtok-3141592653"}`)}},
		{Frame: &cassette.Frame{Stream: "/", Sent: true, Data: json.RawMessage(`{"action":"connect","value":["5XY98765"],"auth-token":"Bearer QUIETSECRET-access","request-id":2}`)}},
		{Frame: &cassette.Frame{Stream: "/", Data: json.RawMessage(`{"type":"Order","data":{"id":987654321,"account-number":"5XY98765","status":"Filled","updated-at":1700000000000}}`)}},
	}
	c := cassette.Redact(cassette.Header{Environment: "production", Recorded: time.Unix(0, 0).UTC(), Note: "of 5XY98765"}, entries, "QUIETSECRET-access")
	file := written(t, c)
	for _, secret := range planted {
		assert.NotContains(t, file, secret)
	}
	for _, kept := range []string{`"125.50"`, `"1.25"`, `"SPY   261218C00500000"`, `"Buy to Open"`, `"Money Movement"`, `"Live"`, `"Margin"`, `"KO"`, `"2020-01-02T03:04:05.000+00:00"`, `"is-professional":false`, `"has-family":null`, "SPDR S\u0026P 500"} {
		assert.Contains(t, file, kept, "what says nothing of the owner is kept")
	}
	// The same value has the same substitute: paths, bodies and frames still fit.
	_, answers := c.Calls()
	require.NotEmpty(t, answers)
	bodies := answers["c"]
	require.Len(t, bodies, 7)
	assert.JSONEq(t, `{"data":{"items":[{"account":{"account-number":"5WT00001","nickname":"person-11","account-type-name":"Individual","margin-or-cash":"Margin","opened-at":"2020-01-02T03:04:05.000+00:00"},"authority-level":"owner"}]}}`, string(bodies[2]))
	assert.JSONEq(t, `{"data":{"items":[{"id":1000002,"account-number":"5WT00001","description":"text 2","value":"125.50","value-effect":"Credit",
		"transaction-type":"Money Movement","executed-at":"2026-01-02T03:04:05.000+00:00","order-id":1000002,"ext-account":"5WT00002"}]},"context":"/accounts/5WT00001/transactions"}`, string(bodies[4]))
	assert.Equal(t, "/accounts/5WT00001/orders", c.Entries[5].Exchange.Path)
	assert.JSONEq(t, `{"action":"connect","value":["5WT00001"],"auth-token":"token-2","request-id":2}`, string(c.Entries[8].Frame.Data))
	assert.JSONEq(t, `{"type":"Order","data":{"id":1000002,"account-number":"5WT00001","status":"Filled","updated-at":1700000000000}}`, string(c.Entries[9].Frame.Data))
	// Once more changes nothing of the form.
	again := cassette.Redact(c.Header, c.Entries)
	for i := range c.Entries {
		if x := c.Entries[i].Exchange; x != nil {
			assert.Empty(t, cassette.ShapeOf(x.Body).Compare(cassette.ShapeOf(again.Entries[i].Exchange.Body)))
		}
	}
}

func TestAPriceWhoseDigitsHoldAPostalCodeStaysAPrice(t *testing.T) {
	c := cassette.Redact(cassette.Header{}, []cassette.Entry{
		exchange("/customers/me", `{"data":{"address":{"postal-code":"60601"}}}`),
		exchange("/market-metrics", `{"data":{"items":[{"implied-volatility":"0.3606012","volume":"60601000","zone":"at 60601"}]}}`),
	})
	file := written(t, c)
	assert.Contains(t, file, `"0.3606012"`)
	assert.Contains(t, file, `"60601000"`)
	assert.NotContains(t, file, "at 60601", "but inside a text it is the owner's")
}

func TestARecordingWithItsOwnersNameIsNotWritten(t *testing.T) {
	c := &cassette.Cassette{Entries: []cassette.Entry{exchange("/a", `{}`)}}
	assert.ErrorIs(t, c.Write(io.Discard), cassette.ErrNotRedacted)
}

func TestACassetteIsReadBackAsItWasWritten(t *testing.T) {
	c := cassette.Redact(cassette.Header{Environment: "simulator", Recorded: time.Unix(1, 0).UTC()}, []cassette.Entry{
		exchange("/a", `{"data":{"n":1.10,"list":[]}}`),
		{Exchange: &cassette.Exchange{Method: "GET", Path: "/html", Status: 502, Other: "text/html"}},
		{Frame: &cassette.Frame{Stream: "/dxlink", Data: json.RawMessage(`{"type":"KEEPALIVE","channel":0}`)}},
	})
	file := written(t, c)
	back, err := cassette.Read(strings.NewReader(file))
	require.NoError(t, err)
	assert.Equal(t, c, back)
	assert.Contains(t, file, "1.10", "numbers keep their digits")
}

func TestAFileThatIsNoCassetteIsRefusedByLine(t *testing.T) {
	for content, want := range map[string]string{
		"":                        "empty",
		"{}\n":                    "line 1",
		"not json":                "line 1",
		"{\"cassette\":99}\n":     "update",
		"{\"cassette\":1}\n{}\n":  "line 2",
		"{\"cassette\":1}\n[1]\n": "line 2",
	} {
		_, err := cassette.Read(strings.NewReader(content))
		require.Error(t, err, content)
		assert.Contains(t, err.Error(), want, content)
	}
}

func TestTheRecorderTakesDownAnswersAndMessagesAndChangesNothing(t *testing.T) {
	big := strings.Repeat("x", 70_000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/ws":
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				return
			}
			conn.SetReadLimit(1 << 20)
			for range 2 {
				kind, message, err := conn.Read(r.Context())
				if err != nil {
					return
				}
				_ = conn.Write(r.Context(), kind, message)
			}
			_ = conn.Close(websocket.StatusNormalClosure, "")
		case "/oauth/token":
			_, _ = io.WriteString(w, `{"access_token":"secret"}`)
		case "/html":
			w.Header().Set("Content-Type", "text/html")
			_, _ = io.WriteString(w, "<html>")
		default:
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = io.WriteString(w, `{"error":{"code":"x"}}`)
		}
	}))
	defer server.Close()
	recorder := cassette.NewRecorder(server.Client().Transport)
	defer recorder.CloseIdleConnections()
	client := &http.Client{Transport: recorder}
	get := func(path string) string {
		resp, err := client.Get(server.URL + path)
		require.NoError(t, err)
		body, err := io.ReadAll(resp.Body)
		require.NoError(t, errors.Join(err, resp.Body.Close()))
		return string(body)
	}
	recorder.Call("Things.Get")
	assert.Equal(t, `{"error":{"code":"x"}}`, get("/things?b=2&a=1"))
	assert.Equal(t, "<html>", get("/html"))
	get("/oauth/token")

	conn, _, err := websocket.Dial(t.Context(), server.URL+"/ws", &websocket.DialOptions{HTTPClient: client})
	require.NoError(t, err)
	conn.SetReadLimit(1 << 20)
	for _, message := range []string{`{"small":1}`, `{"big":"` + big + `"}`} {
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(message)))
		_, back, err := conn.Read(t.Context())
		require.NoError(t, err)
		assert.Equal(t, message, string(back))
	}
	_, _, err = conn.Read(t.Context())
	require.Error(t, err)

	got := recorder.Entries()
	require.Len(t, got, 6)
	assert.Equal(t, &cassette.Exchange{Call: "Things.Get", Method: "GET", Path: "/things", Query: "b=2&a=1", Status: 422, Body: json.RawMessage(`{"error":{"code":"x"}}`)}, got[0].Exchange)
	assert.Equal(t, "text/html", got[1].Exchange.Other)
	for i, want := range []struct {
		sent bool
		data string
	}{{true, `{"small":1}`}, {false, `{"small":1}`}, {true, `{"big":"` + big + `"}`}, {false, `{"big":"` + big + `"}`}} {
		f := got[2+i].Frame
		assert.Equal(t, want.sent, f.Sent)
		assert.Equal(t, "/ws", f.Stream)
		assert.Equal(t, want.data, string(f.Data))
	}
}

func TestThePlayerAnswersAsItWasAnswered(t *testing.T) {
	first, second := exchange("/a", `{"n":1}`), exchange("/a", `{"n":2}`)
	first.Exchange.Query, second.Exchange.Query = "x=1&y=2", "y=2&x=1"
	player := cassette.NewPlayer(&cassette.Cassette{Entries: []cassette.Entry{first, second}})
	ask := func(target string) (int, string) {
		w := httptest.NewRecorder()
		player.ServeHTTP(w, httptest.NewRequest("GET", target, nil))
		return w.Code, w.Body.String()
	}
	for _, want := range []string{`{"n":1}`, `{"n":2}`, `{"n":2}`} {
		code, body := ask("/a?x=1&y=2")
		assert.Equal(t, 200, code)
		assert.Equal(t, want, body)
	}
	code, _ := ask("/a")
	assert.Equal(t, 404, code)

	assert.True(t, player.Has("GET", "/a", "y=2&x=1"))
	assert.False(t, player.Has("GET", "/a", ""))
	assert.False(t, player.Has("POST", "/a", "x=1&y=2"))
}

func TestShapesDifferWhereTheirMembersAndTypesDo(t *testing.T) {
	theirs := cassette.ShapeOf(
		json.RawMessage(`{"data":{"price":"1.25","count":3,"when":"2026-01-02","name":"n","gone":1,"maybe":null,"list":[{"a":1},{"a":2,"b":"x"}],"none":[],"deep":{"x":1}}}`))
	ours := cassette.ShapeOf(
		json.RawMessage(`{"data":{"price":1.25,"count":3,"when":"2027-01-02T00:00:00Z","name":"m","more":true,"maybe":"now","list":[{"a":1}],"none":[{"z":1}],"deep":null}}`))
	var got []string
	for _, d := range theirs.Compare(ours) {
		got = append(got, d.String())
	}
	assert.Equal(t, []string{
		"data.gone: missing here (number there)",
		"data.list[].b: missing here (string there)",
		"data.more: only here (bool)",
		"data.price: number here, number in a string there",
		"data.when: time here, date there",
	}, got)
	assert.Empty(t, theirs.Compare(theirs))
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("{\"cassette\":1}\n{\"frame\":{\"stream\":\"/\",\"data\":{}}}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := cassette.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		r := cassette.Redact(c.Header, c.Entries)
		var out bytes.Buffer
		if r.Write(&out) == nil {
			if _, err := cassette.Read(&out); err != nil {
				t.Fatalf("what was written cannot be read: %v", err)
			}
		}
	})
}
