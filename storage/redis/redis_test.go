package redis_test

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	server "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/redis"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"internal/invalid", "storage", "storage/internal/events"},
		Modules: []string{"github.com/redis/go-redis/v9"},
	})
}

// address returns the server's URL, or skips the test.
func address(t testing.TB) string {
	t.Helper()
	url := os.Getenv("TTAI_TEST_REDIS")
	if url == "" {
		t.Skip("TTAI_TEST_REDIS is not set: it names a Redis server for tests, such as redis://127.0.0.1:6379")
	}
	return url
}

// namespace returns a prefix that is empty, and is emptied after the test.
func namespace(t testing.TB) string {
	t.Helper()
	url := address(t)
	prefix := "test-" + strings.ToLower(rand.Text())
	t.Cleanup(func() {
		opts, err := server.ParseURL(url)
		require.NoError(t, err)
		client := server.NewClient(opts)
		defer client.Close()
		keys := client.Scan(context.Background(), 0, prefix+":*", 1000).Iterator()
		pipe := client.Pipeline()
		for keys.Next(context.Background()) {
			pipe.Unlink(context.Background(), keys.Val())
		}
		require.NoError(t, keys.Err())
		_, err = pipe.Exec(context.Background())
		require.NoError(t, err)
	})
	return prefix
}

func open(t testing.TB, url, prefix string) *redis.Store {
	t.Helper()
	s, err := redis.Open(t.Context(), url, &redis.Options{Prefix: prefix, Timeout: 2 * time.Second})
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
		Unit: 60 * time.Millisecond,
	})
}

func tenantOf(t testing.TB, s storage.Store) storage.Tenant {
	t.Helper()
	tenant, err := s.For("alice")
	require.NoError(t, err)
	return tenant
}

func kvOf(t testing.TB, s storage.Store) storage.KV {
	t.Helper()
	kv, err := tenantOf(t, s).KV("space")
	require.NoError(t, err)
	return kv
}

func TestWhatRedisLacksIsUnsupported(t *testing.T) {
	s := open(t, address(t), namespace(t))
	tenant := tenantOf(t, s)
	_, err := tenant.Queue("x", nil)
	assert.ErrorIs(t, err, storage.ErrUnsupported)
	_, err = tenant.Records()
	assert.ErrorIs(t, err, storage.ErrUnsupported)
	_, err = s.Directory()
	assert.ErrorIs(t, err, storage.ErrUnsupported)
}

func TestBadOptionsAreNamedAndTheURLIsNotShown(t *testing.T) {
	for field, call := range map[string]func() error{
		"url": func() error {
			_, err := redis.Open(t.Context(), "http://user:hunter2@localhost", nil)
			return err
		},
		"Prefix": func() error {
			_, err := redis.Open(t.Context(), "redis://x", &redis.Options{Prefix: "a:b"})
			return err
		},
		"Timeout": func() error {
			_, err := redis.Open(t.Context(), "redis://x", &redis.Options{Timeout: -1})
			return err
		},
		"Connections": func() error {
			_, err := redis.Open(t.Context(), "redis://x", &redis.Options{Connections: -1})
			return err
		},
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
	_, err = redis.Open(t.Context(), "redis://user:hunter2@"+l.Addr().String(), nil)
	assert.ErrorIs(t, err, storage.ErrUnavailable)
	assert.NotContains(t, err.Error(), "hunter2")
}

// A wire stands between the store and the server and can be cut.
type wire struct {
	listener net.Listener
	target   string
	group    sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]bool
	cut   bool
}

func newWire(t testing.TB, target string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	w := &wire{listener: l, target: target, conns: map[net.Conn]bool{}}
	w.group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			w.join(c)
		}
	})
	t.Cleanup(func() { l.Close(); w.sever(); w.group.Wait() })
	return w
}

func (w *wire) join(c net.Conn) {
	d, err := net.Dial("tcp", w.target)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil || w.cut {
		c.Close()
		if err == nil {
			d.Close()
		}
		return
	}
	w.conns[c], w.conns[d] = true, true
	for _, pair := range [][2]net.Conn{{c, d}, {d, c}} {
		w.group.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			pair[0].Close()
			pair[1].Close()
		})
	}
}

// sever cuts all connections and lets none through.
func (w *wire) sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	for c := range w.conns {
		c.Close()
	}
	clear(w.conns)
}

func (w *wire) mend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = false
}

func TestALostConnectionIsUnavailableUntilItIsBack(t *testing.T) {
	opts, err := server.ParseURL(address(t))
	require.NoError(t, err)
	w := newWire(t, opts.Addr)
	s := open(t, "redis://"+w.listener.Addr().String(), namespace(t))
	tenant, kv := tenantOf(t, s), kvOf(t, s)
	locks, err := tenant.Locks()
	require.NoError(t, err)
	limiter, err := tenant.Limiter()
	require.NoError(t, err)
	pubsub, err := tenant.PubSub()
	require.NoError(t, err)
	sub, err := pubsub.Subscribe(t.Context(), "a")
	require.NoError(t, err)
	require.NoError(t, kv.Put(t.Context(), "k", []byte("kept"), 0))

	w.sever()
	for name, call := range map[string]func() error{
		"get":     func() error { _, err := kv.Get(t.Context(), "k"); return err },
		"put":     func() error { return kv.Put(t.Context(), "k2", nil, 0) },
		"delete":  func() error { return kv.Delete(t.Context(), "k2") },
		"acquire": func() error { _, err := locks.Acquire(t.Context(), "l", time.Minute); return err },
		"take": func() error {
			_, err := limiter.Take(t.Context(), "l", storage.Limit{Rate: 1, Per: time.Second}, 1)
			return err
		},
		"publish":   func() error { return pubsub.Publish(t.Context(), "a", nil) },
		"subscribe": func() error { _, err := pubsub.Subscribe(t.Context(), "a"); return err },
		"keys": func() error {
			for _, err := range kv.Keys(t.Context(), "") {
				return err
			}
			return nil
		},
	} {
		assert.ErrorIs(t, call(), storage.ErrUnavailable, name)
	}

	w.mend()
	v, err := kv.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, "kept", string(v.Data))
	// The subscription connects again by itself, and says that there was a gap.
	heard := make(chan storage.Event, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		if e, err := sub.Receive(ctx); assert.NoError(t, err) {
			heard <- e
		}
	})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for done := false; !done; {
		select {
		case e := <-heard:
			assert.Equal(t, uint64(1), e.Missed)
			done = true
		case <-tick.C:
			require.NoError(t, pubsub.Publish(t.Context(), "a", []byte("back")))
		case <-ctx.Done():
			t.Fatal("the subscription did not come back")
		}
	}
}

// A stand-in answers every command with the same line.
func standIn(t testing.TB, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var group sync.WaitGroup
	t.Cleanup(func() { l.Close(); group.Wait() })
	group.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			group.Go(func() {
				defer c.Close()
				r := bufio.NewReader(c)
				for {
					line, err := r.ReadString('\n')
					if err != nil {
						return
					}
					var fields int
					if _, err := fmt.Sscanf(line, "*%d", &fields); err != nil {
						return
					}
					command := ""
					for i := range fields {
						var n int
						header, _ := r.ReadString('\n')
						_, _ = fmt.Sscanf(header, "$%d", &n)
						b := make([]byte, n+2)
						if _, err := io.ReadFull(r, b); err != nil {
							return
						}
						if i == 0 {
							command = strings.ToUpper(string(b[:n]))
						}
					}
					switch command {
					case "HELLO":
						fmt.Fprint(c, "-ERR unknown command\r\n")
					case "PING":
						fmt.Fprint(c, "+PONG\r\n")
					default:
						fmt.Fprint(c, answer+"\r\n")
					}
				}
			})
		}
	})
	return "redis://" + l.Addr().String()
}

func TestWhatTheServerRefusesHasAType(t *testing.T) {
	for answer, kind := range map[string]error{
		"-OOM command not allowed when used memory > 'maxmemory'.": storage.ErrFull,
		"-READONLY You can't write against a read only replica.":   storage.ErrReadOnly,
		"-MISCONF Redis is configured to save RDB snapshots":       storage.ErrReadOnly,
		"-BUSY Redis is busy running a script.":                    storage.ErrBusy,
		"-LOADING Redis is loading the dataset in memory":          storage.ErrUnavailable,
		"-CLUSTERDOWN The cluster is down":                         storage.ErrUnavailable,
		"$5\r\nhello":                                              storage.ErrCorrupt,
	} {
		s := open(t, standIn(t, answer), "p")
		err := kvOf(t, s).Put(t.Context(), "k", nil, 0)
		assert.ErrorIs(t, err, kind, answer)
		require.NoError(t, s.Close())
	}
	err := kvOf(t, open(t, standIn(t, "-NOAUTH Authentication required."), "p")).Put(t.Context(), "k", nil, 0)
	assert.ErrorContains(t, err, "NOAUTH")
	assert.NotErrorIs(t, err, storage.ErrUnavailable, "trying again does not help")
}

func TestVersionsAndTokensGrowThoughTheServerForgotThem(t *testing.T) {
	url, prefix := address(t), namespace(t)
	s := open(t, url, prefix)
	kv := kvOf(t, s)
	locks, err := tenantOf(t, s).Locks()
	require.NoError(t, err)
	first, err := kv.CompareAndSet(t.Context(), "k", storage.NoVersion, nil, 0)
	require.NoError(t, err)
	lease, err := locks.Acquire(t.Context(), "l", time.Minute)
	require.NoError(t, err)

	opts, err := server.ParseURL(url)
	require.NoError(t, err)
	client := server.NewClient(opts)
	defer client.Close()
	keys, err := client.Keys(t.Context(), prefix+":*").Result()
	require.NoError(t, err)
	require.NoError(t, client.Del(t.Context(), keys...).Err())

	second, err := kv.CompareAndSet(t.Context(), "k", storage.NoVersion, nil, 0)
	require.NoError(t, err)
	assert.Greater(t, second, first)
	again, err := locks.Acquire(t.Context(), "l", time.Minute)
	require.NoError(t, err)
	assert.Greater(t, again.Token, lease.Token)
}

func TestExpiredKeysLeaveTheIndex(t *testing.T) {
	url, prefix := address(t), namespace(t)
	kv := kvOf(t, open(t, url, prefix))
	for i := range 50 {
		require.NoError(t, kv.Put(t.Context(), fmt.Sprint(i), nil, time.Millisecond))
	}
	opts, err := server.ParseURL(url)
	require.NoError(t, err)
	client := server.NewClient(opts)
	defer client.Close()
	index := prefix + ":{YWxpY2U}:kv:space:i"
	require.Eventually(t, func() bool {
		require.NoError(t, kv.Put(t.Context(), "other", nil, 0))
		n, err := client.ZCard(t.Context(), index).Result()
		require.NoError(t, err)
		return n == 1
	}, 10*time.Second, time.Millisecond)
	keys, err := client.Keys(t.Context(), prefix+":*").Result()
	require.NoError(t, err)
	assert.Len(t, keys, 3, "the value, the index and the last version")
}

func BenchmarkGet(b *testing.B) {
	kv := kvOf(b, open(b, address(b), namespace(b)))
	require.NoError(b, kv.Put(b.Context(), "k", make([]byte, 100), 0))
	for b.Loop() {
		if _, err := kv.Get(b.Context(), "k"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	kv := kvOf(b, open(b, address(b), namespace(b)))
	data := make([]byte, 100)
	for i := 0; b.Loop(); i++ {
		if err := kv.Put(b.Context(), fmt.Sprint(i%1000), data, time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetParallel(b *testing.B) {
	kv := kvOf(b, open(b, address(b), namespace(b)))
	require.NoError(b, kv.Put(b.Context(), "k", make([]byte, 100), 0))
	b.SetParallelism(8)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := kv.Get(b.Context(), "k"); err != nil {
				b.Error(err)
				return
			}
		}
	})
}

func BenchmarkTake(b *testing.B) {
	l, err := tenantOf(b, open(b, address(b), namespace(b))).Limiter()
	require.NoError(b, err)
	limit := storage.Limit{Rate: 1_000_000, Per: time.Second}
	for b.Loop() {
		if _, err := l.Take(b.Context(), "n", limit, 1); err != nil {
			b.Fatal(err)
		}
	}
}
