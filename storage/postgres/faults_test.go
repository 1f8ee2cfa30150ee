package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/postgres"
)

// named adds an application name to a URL, by which a store's connections are found.
func named(url, name string) string {
	return url + map[bool]string{true: "&", false: "?"}[strings.Contains(url, "?")] + "application_name=" + name
}

// sever ends a store's connections from the server's side.
func sever(t *testing.T, url, name string) {
	t.Helper()
	n := ask[int](t, url, `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1`, name)
	require.Positive(t, n, "no connection was there to be ended")
}

func TestABrokenConnectionIsToldAndMadeAnew(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	s := open(t, named(url, name), postgres.Options{Schema: name})
	k, err := kitOf(s)
	require.NoError(t, err)
	put := func() error {
		_, err := k.records.Write(t.Context(), storage.RecordWrite{Collection: "things", ID: "a", Data: []byte("1")})
		return err
	}
	require.NoError(t, put())
	failed := 0
	for range 5 {
		sever(t, url, name)
		if err := put(); err != nil {
			require.ErrorIs(t, err, storage.ErrUnavailable)
			failed++
		}
		require.NoError(t, put(), "the next call has a new connection")
		sever(t, url, name)
		_, err := k.records.Get(t.Context(), "things", "a")
		require.NoError(t, err, "a read is tried again by itself")
	}
	require.Positive(t, failed, "no write met the broken connection")
}

func TestAWriteUnderWayWhenTheConnectionBreaksIsWholeOrNot(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	s := open(t, named(url, name), postgres.Options{Schema: name})
	k, err := kitOf(s)
	require.NoError(t, err)
	// Somebody else holds the journal, so that the append waits within its transaction.
	_, err = k.journal.Append(t.Context(), storage.NewEntry{Kind: "first"})
	require.NoError(t, err)
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.Background())
	tx, err := c.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `SELECT FROM `+pgx.Identifier{name, "journal_head"}.Sanitize()+` FOR UPDATE`)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := k.journal.Append(t.Context(), storage.NewEntry{Kind: "a"}, storage.NewEntry{Kind: "b"})
		done <- err
	}()
	require.Eventually(t, func() bool {
		return ask[int](t, url, `SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`, name) == 1
	}, 10*time.Second, 5*time.Millisecond)
	sever(t, url, name)
	require.ErrorIs(t, <-done, storage.ErrUnavailable)
	require.NoError(t, tx.Rollback(t.Context()))
	head, err := storage.VerifyJournal(t.Context(), storage.JournalID{Tenant: "alice", Name: "orders"}, k.journal)
	require.NoError(t, err)
	assert.EqualValues(t, 1, head.Seq)
}

func TestASubscriberIsToldOfTheGapWhenTheConnectionBroke(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	s := open(t, named(url, name), postgres.Options{Schema: name})
	tenant, err := s.For("alice")
	require.NoError(t, err)
	p, err := tenant.PubSub()
	require.NoError(t, err)
	sub, err := p.Subscribe(t.Context(), "fills")
	require.NoError(t, err)
	defer sub.Close()
	require.NoError(t, p.Publish(t.Context(), "fills", []byte("before")))
	e, err := sub.Receive(t.Context())
	require.NoError(t, err)
	assert.Zero(t, e.Missed)
	sever(t, url, name)
	// What is told while nobody listens is missed; once it is heard again, so is the gap.
	heard := make(chan storage.Event, 1)
	go func() {
		if e, err := sub.Receive(t.Context()); err == nil {
			heard <- e
		}
	}()
	for {
		if err := p.Publish(t.Context(), "fills", []byte("after")); err != nil {
			require.ErrorIs(t, err, storage.ErrUnavailable)
		}
		select {
		case e := <-heard:
			assert.EqualValues(t, 1, e.Missed)
			assert.Equal(t, "after", string(e.Data))
			return
		case <-time.After(20 * time.Millisecond):
		case <-t.Context().Done():
			t.Fatal("nothing was heard")
		}
	}
}

func TestAServerThatIsNotThereIsUnavailable(t *testing.T) {
	for _, url := range []string{"postgres://nobody@127.0.0.1:1/none?sslmode=disable", "postgres://nobody:hunter2@127.0.0.1:1/none"} {
		_, err := postgres.Open(t.Context(), url, nil)
		require.ErrorIs(t, err, storage.ErrUnavailable)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}

func TestBadOptionsAreRefusedByName(t *testing.T) {
	good := "postgres://nobody@127.0.0.1:1/none"
	for name, test := range map[string]struct {
		field, url string
		opts       postgres.Options
	}{
		"no URL":           {"url", "", postgres.Options{}},
		"another engine's": {"url", "redis://127.0.0.1", postgres.Options{}},
		"no port":          {"url", "postgres://user:hunter2@host:port/x", postgres.Options{}},
		"schema":           {"Schema", good, postgres.Options{Schema: `a"; DROP SCHEMA public; --`}},
		"reserved schema":  {"Schema", good, postgres.Options{Schema: "pg_catalog"}},
		"search path":      {"Schema", good + "?search_path=a,b", postgres.Options{}},
		"connections":      {"Connections", good, postgres.Options{Connections: -1}},
		"busy":             {"Busy", good, postgres.Options{Busy: -1}},
		"poll":             {"Poll", good, postgres.Options{Poll: -1}},
		"memory":           {"VectorMemory", good, postgres.Options{VectorMemory: -1}},
	} {
		_, err := postgres.Open(t.Context(), test.url, &test.opts)
		fe, ok := errors.AsType[*storage.FieldError](err)
		require.True(t, ok, "%s: %v", name, err)
		assert.Equal(t, test.field, fe.Field, name)
		assert.NotContains(t, err.Error(), "hunter2")
		_, err = postgres.NewMigrator(test.url, &test.opts)
		assert.Error(t, err, name)
	}
}

// What the server refuses has a type that callers branch on, and once the cause is
// gone the same call succeeds.
func TestRefusalsOfTheServerAreTypedAndPass(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	table := func(what string) string { return pgx.Identifier{name, what}.Sanitize() }
	s := open(t, url, postgres.Options{Schema: name, Busy: 50 * time.Millisecond})
	k, err := kitOf(s)
	require.NoError(t, err)
	write := func() error {
		_, err := k.records.Write(t.Context(), storage.RecordWrite{Collection: "things", ID: "a", Data: []byte("1")})
		return err
	}
	require.NoError(t, write())

	// A trigger raises what a full disk does, since no test may fill one.
	for code, want := range map[string]error{"53100": storage.ErrFull, "XX001": storage.ErrCorrupt, "57014": storage.ErrBusy, "08006": storage.ErrUnavailable} {
		admin(t, url, fmt.Sprintf(`CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = '%s'; END $f$`, table("refuse"), code))
		admin(t, url, fmt.Sprintf(`CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION %s()`, table("record"), table("refuse")))
		assert.ErrorIs(t, write(), want, code)
		admin(t, url, fmt.Sprintf(`DROP TRIGGER refuse ON %s`, table("record")))
		admin(t, url, fmt.Sprintf(`DROP FUNCTION %s`, table("refuse")))
		assert.NoError(t, write(), "after %s", code)
	}

	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(context.Background())
	tx, err := c.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `LOCK TABLE `+table("record")+` IN EXCLUSIVE MODE`)
	require.NoError(t, err)
	assert.ErrorIs(t, write(), storage.ErrBusy)
	_, err = k.records.Get(t.Context(), "things", "a")
	assert.NoError(t, err, "reads go on")
	require.NoError(t, tx.Rollback(t.Context()))
	assert.NoError(t, write())

	// A standby takes no writes; nor does a session that is told to.
	readOnly := url + map[bool]string{true: "&", false: "?"}[strings.Contains(url, "?")] + "default_transaction_read_only=on"
	standby := open(t, readOnly, postgres.Options{Schema: name})
	k, err = kitOf(standby)
	require.NoError(t, err)
	assert.ErrorIs(t, write(), storage.ErrReadOnly)
	assert.ErrorIs(t, k.kv.Put(t.Context(), "k", nil, 0), storage.ErrReadOnly)
	_, err = k.records.Get(t.Context(), "things", "a")
	assert.NoError(t, err, "reads go on")
}

func TestACancelledWriteIsWholeOrNotAndTheStoreGoesOn(t *testing.T) {
	url := server(t)
	s := open(t, url, postgres.Options{Schema: schema(t, url)})
	k, err := kitOf(s)
	require.NoError(t, err)
	cancelledOnce := false
	for i := range 40 {
		data := fmt.Appendf(nil, "%d", i)
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*100)*time.Microsecond)
		_, err := k.records.Write(ctx,
			storage.RecordWrite{Collection: "things", ID: "a", Data: data}, storage.RecordWrite{Collection: "things", ID: "b", Data: data})
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			cancelledOnce = true
		}
		n, err2 := stored(t.Context(), k.records)
		require.NoError(t, err2)
		if err == nil {
			require.Equal(t, i, n)
		}
	}
	require.True(t, cancelledOnce)
}
