package nats_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	server "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/nats"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"internal/invalid", "storage", "storage/internal/events"},
		Modules: []string{"github.com/nats-io/nats.go", "github.com/nats-io/nuid"},
	})
}

// address returns the server's URL, or skips the test.
func address(t testing.TB) string {
	t.Helper()
	url := os.Getenv("TTAI_TEST_NATS")
	if url == "" {
		t.Skip("TTAI_TEST_NATS is not set: it names a NATS server with JetStream for tests, such as nats://127.0.0.1:4222")
	}
	return url
}

// namespace returns a prefix without streams, which are deleted after the test.
func namespace(t testing.TB) string {
	t.Helper()
	url := address(t)
	prefix := "test-" + strings.ToLower(rand.Text())[:12]
	t.Cleanup(func() {
		conn, err := server.Connect(url)
		require.NoError(t, err)
		defer conn.Close()
		js, err := jetstream.New(conn)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		var mine []string
		names := js.StreamNames(ctx)
		for name := range names.Name() {
			if strings.HasPrefix(name, prefix) {
				mine = append(mine, name)
			}
		}
		require.NoError(t, names.Err())
		for _, name := range mine {
			require.NoError(t, js.DeleteStream(ctx, name))
		}
	})
	return prefix
}

func open(t testing.TB, url, prefix string) *nats.Store {
	t.Helper()
	s, err := nats.Open(t.Context(), url, &nats.Options{Prefix: prefix})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

func TestStore(t *testing.T) {
	url := address(t)
	prefixes := map[storage.Store]string{}
	again := func(t *testing.T, s storage.Store) storage.Store {
		opened := open(t, url, prefixes[s])
		prefixes[opened] = prefixes[s]
		return opened
	}
	storagetest.TestStore(t, storagetest.Harness{
		Open: func(t *testing.T, _ func() time.Time) storage.Store {
			prefix := namespace(t)
			s := open(t, url, prefix)
			prefixes[s] = prefix
			return s
		},
		Second: again,
		Reopen: func(t *testing.T, s storage.Store) storage.Store {
			require.NoError(t, s.Close())
			return again(t, s)
		},
		Unit:        100 * time.Millisecond,
		MaxValue:    1<<20 - 4<<10,
		LaxReceipts: true,
	})
}

func tenantOf(t testing.TB, s storage.Store) storage.Tenant {
	t.Helper()
	tenant, err := s.For("alice")
	require.NoError(t, err)
	return tenant
}

func TestWhatNATSLacksIsUnsupported(t *testing.T) {
	s := open(t, address(t), namespace(t))
	tenant := tenantOf(t, s)
	_, err := tenant.Locks()
	assert.ErrorIs(t, err, storage.ErrUnsupported)
	_, err = tenant.Records()
	assert.ErrorIs(t, err, storage.ErrUnsupported)
	_, err = s.Directory()
	assert.ErrorIs(t, err, storage.ErrUnsupported)
}

func TestBadOptionsAreNamedAndTheURLIsNotShown(t *testing.T) {
	for field, call := range map[string]func() error{
		"url":      func() error { _, err := nats.Open(t.Context(), "http://user:hunter2@localhost", nil); return err },
		"Prefix":   func() error { _, err := nats.Open(t.Context(), "nats://x", &nats.Options{Prefix: "a.b"}); return err },
		"Replicas": func() error { _, err := nats.Open(t.Context(), "nats://x", &nats.Options{Replicas: 9}); return err },
		"Timeout":  func() error { _, err := nats.Open(t.Context(), "nats://x", &nats.Options{Timeout: -1}); return err },
	} {
		err := call()
		var invalid *storage.FieldError
		require.ErrorAs(t, err, &invalid, field)
		assert.Equal(t, field, invalid.Field)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestAServerThatIsNotThereIsUnavailable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	_, err = nats.Open(t.Context(), "nats://user:hunter2@"+l.Addr().String(), nil)
	assert.ErrorIs(t, err, storage.ErrUnavailable)
	assert.NotContains(t, err.Error(), "hunter2")
}

func BenchmarkSend10(b *testing.B) {
	q, err := tenantOf(b, open(b, address(b), namespace(b))).Queue("bench", nil)
	require.NoError(b, err)
	batch := make([]storage.NewMessage, 10)
	for i := range batch {
		batch[i].Body = make([]byte, 100)
	}
	for b.Loop() {
		if _, err := q.Send(b.Context(), batch...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*10/b.Elapsed().Seconds(), "msg/s")
}

func BenchmarkReceiveAck10(b *testing.B) {
	q, err := tenantOf(b, open(b, address(b), namespace(b))).Queue("bench", nil)
	require.NoError(b, err)
	batch := make([]storage.NewMessage, 1000)
	for i := range batch {
		batch[i].Body = make([]byte, 100)
	}
	left := 0
	for b.Loop() {
		if left < 10 {
			b.StopTimer()
			_, err := q.Send(b.Context(), batch...)
			require.NoError(b, err)
			left += len(batch)
			b.StartTimer()
		}
		got, err := q.Receive(b.Context(), 10, time.Minute)
		if err != nil || len(got) != 10 {
			b.Fatal(len(got), err)
		}
		if err := q.Ack(b.Context(), got...); err != nil {
			b.Fatal(err)
		}
		left -= 10
	}
	b.ReportMetric(float64(b.N)*10/b.Elapsed().Seconds(), "msg/s")
}

func BenchmarkGet(b *testing.B) {
	kv, err := tenantOf(b, open(b, address(b), namespace(b))).KV("bench")
	require.NoError(b, err)
	require.NoError(b, kv.Put(b.Context(), "k", make([]byte, 100), 0))
	for b.Loop() {
		if _, err := kv.Get(b.Context(), "k"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	kv, err := tenantOf(b, open(b, address(b), namespace(b))).KV("bench")
	require.NoError(b, err)
	for i := 0; b.Loop(); i++ {
		if err := kv.Put(b.Context(), fmt.Sprint(i%1000), make([]byte, 100), time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}
