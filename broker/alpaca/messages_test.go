package alpaca_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/alpaca"
)

// sentByTradeStream is what the client says when it asks for trade updates.
func sentByTradeStream(t *testing.T) []string {
	t.Helper()
	var mu sync.Mutex
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		for {
			_, data, err := conn.Read(context.Background())
			if err != nil {
				return
			}
			mu.Lock()
			sent = append(sent, string(data))
			mu.Unlock()
			answer := `{"stream":"authorization","data":{"status":"authorized","action":"authenticate"}}`
			if strings.Contains(string(data), "listen") {
				answer = `{"stream":"listening","data":{"streams":["trade_updates"]}}`
			}
			if conn.Write(context.Background(), websocket.MessageBinary, []byte(answer)) != nil {
				return
			}
		}
	}))
	defer server.Close()
	client, err := alpaca.NewClient(alpaca.ClientOptions{Credentials: alpaca.Static(creds), TradingURL: server.URL, DataURL: server.URL})
	require.NoError(t, err)
	stream, err := client.TradeUpdates(t.Context(), alpaca.StreamOptions{})
	require.NoError(t, err)
	require.NoError(t, stream.Close())
	mu.Lock()
	defer mu.Unlock()
	return sent
}
