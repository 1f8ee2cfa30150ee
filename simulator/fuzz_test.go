package simulator_test

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/simulator"
)

// Whatever is sent, an order is taken or refused, and the simulator goes on.
func FuzzOrders(f *testing.F) {
	for _, seed := range []string{
		limit("Buy to Open", "SPY", 1, "600.00", "Debit"),
		`{"order-type":"Notional Market","time-in-force":"Day","value":"50","value-effect":"Debit","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"SPY"}]}`,
		`{"order-type":"Stop Limit","time-in-force":"GTD","gtc-date":"2026-10-01","stop-trigger":1e3,"price":1,"price-effect":"Debit","legs":[{"action":"Buy","instrument-type":"Future","symbol":"/ESZ6","quantity":"1"}]}`,
		`{"order-type":"Limit","time-in-force":"IOC","price":"0","legs":[{"action":"Buy to Close","instrument-type":"Equity Option","symbol":"SPY   261016C00660000","quantity":1e9},{"action":"Sell to Open","instrument-type":"Equity","symbol":"SPY","quantity":0.5}],"rules":{"route-after":"2026-09-16T15:00:00Z","conditions":[{"action":"cancel","indicator":"nat","comparator":"gte","threshold":-1,"price-components":[{"symbol":"SPY","quantity":1,"quantity-direction":"Short"}]}]}}`,
		`{"type":"OTOCO","trigger-order":{},"orders":[{},{}]}`, `null`, `[]`, `{"legs":null}`,
	} {
		f.Add(seed)
	}
	sim, err := simulator.New(&simulator.Options{Stopped: true, Credentials: simulator.Credentials{ClientSecret: "s", RefreshToken: "r"}})
	require.NoError(f, err)
	f.Cleanup(func() { require.NoError(f, sim.Close()) })
	ask := func(path, body, token string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("User-Agent", "fuzz/1")
		r.Header.Set("Content-Type", asJSON)
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		w := httptest.NewRecorder()
		sim.Handler().ServeHTTP(w, r)
		return w
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(f, json.Unmarshal(ask("/oauth/token", `{"grant_type":"refresh_token","refresh_token":"r","client_secret":"s"}`, "").Body.Bytes(), &answer))
	f.Fuzz(func(t *testing.T, body string) {
		for _, path := range []string{"/orders/dry-run", "/orders", "/complex-orders"} {
			w := ask(margin+path, body, answer.AccessToken)
			if w.Code != 201 && w.Code != 400 && w.Code != 422 {
				t.Errorf("%s: %d %s", path, w.Code, w.Body)
			}
			if !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: no JSON: %s", path, w.Body)
			}
		}
	})
}
