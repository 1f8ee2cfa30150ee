package wsconn_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/internal/wsconn"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func echo(w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	for {
		kind, data, err := ws.Read(r.Context())
		if err != nil || ws.Write(r.Context(), kind, data) != nil {
			return
		}
	}
}

func TestMessagesGoThroughMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := resttest.Serve(t, http.HandlerFunc(echo))
		c, err := wsconn.Dial(t.Context(), "ws://anywhere/x", &wsconn.Options{Dial: dial})
		require.NoError(t, err)
		defer c.Close()
		require.NoError(t, c.Write(t.Context(), []byte("hello")))
		data, err := c.Read(t.Context())
		require.NoError(t, err)
		assert.Equal(t, "hello", string(data))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = c.Read(ctx)
		require.Error(t, err, "a read ends with its context")
	})
}

func TestABufferIsUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial := resttest.Serve(t, http.HandlerFunc(echo))
		c, err := wsconn.Dial(t.Context(), "ws://anywhere/x", &wsconn.Options{Dial: dial, MaxMessage: 100_000})
		require.NoError(t, err)
		defer c.Close()
		var buf []byte
		for _, n := range []int{0, 1, 4095, 4096, 4097, 30_000, 5} {
			want := bytes.Repeat([]byte("x"), n)
			require.NoError(t, c.Write(t.Context(), want))
			before := cap(buf)
			buf, err = c.ReadInto(t.Context(), buf)
			require.NoError(t, err)
			assert.True(t, bytes.Equal(want, buf), "%d bytes", n)
			assert.GreaterOrEqual(t, cap(buf), before, "the buffer is kept")
		}
		c.Close()
		_, err = c.ReadInto(t.Context(), buf)
		require.Error(t, err)
	})
}

func TestAHandshakeThatIsRefusedSaysTheStatus(t *testing.T) {
	dial := resttest.Serve(t, http.NotFoundHandler())
	_, err := wsconn.Dial(t.Context(), "ws://secret-host/path", &wsconn.Options{Dial: dial})
	require.ErrorContains(t, err, "404")
	assert.NotContains(t, err.Error(), "secret-host")
}

func TestAddresses(t *testing.T) {
	for address, ok := range map[string]bool{
		"wss://example.com/x": true, "ws://127.0.0.1:1/x": true, "ws://localhost/x": true,
		"ws://example.com/x": false, "https://example.com": false, "": false, "wss://user:pw@example.com": false,
	} {
		_, err := wsconn.ParseURL(address, false)
		assert.Equal(t, ok, err == nil, address)
	}
}

func TestWaitsGrowAndAreJittered(t *testing.T) {
	b := &wsconn.Backoff{Min: time.Second, Max: 30 * time.Second}
	for range 3 {
		for _, whole := range []time.Duration{1, 2, 4, 8, 16, 30, 30} {
			wait := b.Next()
			assert.GreaterOrEqual(t, wait, whole*time.Second/2)
			assert.LessOrEqual(t, wait, whole*time.Second)
		}
		b.Reset()
	}
	different := map[time.Duration]bool{}
	for range 20 {
		different[b.Next()] = true
		b.Reset()
	}
	assert.Greater(t, len(different), 10)
}
