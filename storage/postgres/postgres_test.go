package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/postgres"
	"github.com/ttai-go/ttai/storage/storagetest"
)

func TestMain(m *testing.M) {
	if act := os.Getenv(actVariable); act != "" {
		child(act)
		return
	}
	goleak.VerifyTestMain(m)
}

// server is the URL of the PostgreSQL under test, or skips it.
func server(t testing.TB) string { return variable(t, "TTAI_TEST_POSTGRES") }

func variable(t testing.TB, name string) string {
	t.Helper()
	url := os.Getenv(name)
	if url == "" {
		t.Skipf("%s is not set: it is the URL of a database that the tests may use", name)
	}
	return url
}

// schema names a new schema, which is dropped when the test ends.
func schema(t testing.TB, url string) string {
	t.Helper()
	name := fmt.Sprintf("test_%x", time.Now().UnixNano())
	t.Cleanup(func() {
		admin(t, url, `DROP SCHEMA IF EXISTS `+pgx.Identifier{name}.Sanitize()+` CASCADE`)
	})
	return name
}

// admin runs a statement beside the store.
func admin(t testing.TB, url, statement string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	require.NoError(t, err)
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement, args...)
	require.NoError(t, err)
}

// ask reads one value beside the store.
func ask[T any](t testing.TB, url, query string, args ...any) T {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.Background())
	var out T
	require.NoError(t, c.QueryRow(t.Context(), query, args...).Scan(&out))
	return out
}

func open(t testing.TB, url string, opts postgres.Options) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, &opts)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Close()) })
	return s
}

// harness opens stores in schemas of their own, with these options.
func harness(url string, base postgres.Options, unit time.Duration) storagetest.Harness {
	var used sync.Map // store → its options
	begin := func(t *testing.T, o postgres.Options) storage.Store {
		s := open(t, url, o)
		used.Store(storage.Store(s), o)
		return s
	}
	again := func(t *testing.T, s storage.Store) storage.Store {
		o, _ := used.Load(s)
		return begin(t, o.(postgres.Options))
	}
	return storagetest.Harness{
		Open: func(t *testing.T, now func() time.Time) storage.Store {
			o := base
			o.Schema = schema(t, url)
			if o.Now = now; unit > 0 {
				o.Now = nil
			}
			return begin(t, o)
		},
		Second: again,
		Reopen: again, // the first one stays open, as a process that hangs would leave it
		Unit:   unit,
	}
}

func TestStore(t *testing.T) {
	storagetest.TestStore(t, harness(server(t), postgres.Options{Connections: 8}, 0))
}

// What depends on time, once more by the server's clock. It has to be waited for, so
// the suites wait together.
func TestStoresTellTimeByTheServersClock(t *testing.T) {
	h := harness(server(t), postgres.Options{Connections: 4}, 200*time.Millisecond)
	for name, suite := range map[string]func(*testing.T, storagetest.Harness){
		"Locks": storagetest.TestLocks, "Limiter": storagetest.TestLimiter,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, h)
		})
	}
}

func TestEverythingElseGoesByTheServersClockToo(t *testing.T) {
	url := server(t)
	s := open(t, url, postgres.Options{Schema: schema(t, url)})
	k, err := kitOf(s)
	require.NoError(t, err)
	const span = 300 * time.Millisecond
	tenant, err := s.For("alice")
	require.NoError(t, err)
	q, err := tenant.Queue("timed", &storage.QueueOptions{Lease: span, MinBackoff: span, MaxBackoff: span})
	require.NoError(t, err)
	require.NoError(t, k.kv.Put(t.Context(), "k", []byte("x"), span))
	_, err = k.kv.Get(t.Context(), "k")
	require.NoError(t, err)
	begun := time.Now()
	_, err = q.Send(t.Context(), storage.NewMessage{Body: []byte("x"), Delay: span})
	require.NoError(t, err)
	for attempt, what := range []string{"the delay", "the lease", "the backoff"} {
		got, err := q.Receive(t.Context(), 1, 20*time.Second)
		require.NoError(t, err)
		require.Len(t, got, 1, what)
		assert.Equal(t, attempt+1, got[0].Attempt)
		assert.GreaterOrEqual(t, time.Since(begun), span, what)
		begun = time.Now()
		if attempt == 1 {
			require.NoError(t, q.Retry(t.Context(), got[0], "no"))
		}
	}
	_, err = k.kv.Get(t.Context(), "k")
	require.ErrorIs(t, err, storage.ErrNotFound)
	entries, err := k.journal.Append(t.Context(), storage.NewEntry{Kind: "note"})
	require.NoError(t, err)
	now := ask[time.Time](t, url, `SELECT clock_timestamp()`)
	assert.WithinDuration(t, now, entries[0].Time, 10*time.Second)
}

func TestVectorsWithPgvector(t *testing.T) {
	url := variable(t, "TTAI_TEST_PGVECTOR")
	url += map[bool]string{true: "&", false: "?"}[strings.Contains(url, "?")] + "default_query_exec_mode=exec"
	require.True(t, open(t, url, postgres.Options{Schema: schema(t, url)}).Pgvector(), "the database has no pgvector")
	storagetest.TestVectors(t, harness(url, postgres.Options{Connections: 2}, 0))
}
