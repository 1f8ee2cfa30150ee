package postgres_test

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/postgres"
)

// Every table has the tenant as the first column of its key and of every index. Two
// are exceptions: migrations are no tenant's, and logins tell whose a caller is.
func TestEveryKeyAndIndexBeginsWithTheTenant(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	open(t, url, postgres.Options{Schema: name})
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), `SELECT c.relname, coalesce(i.relname, ''), coalesce(a.attname, ''), coalesce(x.indisprimary, false)
		FROM pg_class c LEFT JOIN pg_index x ON x.indrelid = c.oid LEFT JOIN pg_class i ON i.oid = x.indexrelid
		LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = x.indkey[0]
		WHERE c.relnamespace = to_regnamespace($1) AND c.relkind IN ('r', 'p') ORDER BY 1, 2`, name)
	require.NoError(t, err)
	tables := map[string]bool{} // with a primary key?
	var table, index, first string
	var primary bool
	_, err = pgx.ForEachRow(rows, []any{&table, &index, &first, &primary}, func() error {
		if table != "migration" {
			tables[table] = tables[table] || primary
			if index != "login_pkey" {
				assert.Equal(t, "tenant", first, "table %s, index %s", table, index)
			}
		}
		return nil
	})
	require.NoError(t, err)
	for table, keyed := range tables {
		assert.True(t, keyed, "table %s has no primary key", table)
	}
	assert.Len(t, tables, 15, "tables")
}

func TestProcessesThatMigrateAtOnceAgree(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	var group sync.WaitGroup
	for range 6 {
		group.Go(func() {
			s, err := postgres.Open(t.Context(), url, &postgres.Options{Schema: name, Connections: 1})
			if assert.NoError(t, err) {
				assert.NoError(t, s.Close())
			}
		})
	}
	group.Wait()
	m, err := postgres.NewMigrator(url, &postgres.Options{Schema: name})
	require.NoError(t, err)
	status, err := m.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []storage.Migration{{Version: 1, Name: "00001_initial", Applied: true}, {Version: 2, Name: "00002_vectors", Applied: true}}, status)
}

func TestMigrationsGoDownAndUp(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	m, err := postgres.NewMigrator(url, &postgres.Options{Schema: name})
	require.NoError(t, err)
	require.ErrorIs(t, m.Down(t.Context()), storage.ErrNotFound)
	applied := func() (n int) {
		status, err := m.Status(t.Context())
		require.NoError(t, err)
		for _, s := range status {
			if s.Applied {
				n++
			}
		}
		return n
	}
	assert.Zero(t, applied())
	require.NoError(t, m.Up(t.Context()))
	require.NoError(t, m.Up(t.Context()))
	assert.Equal(t, 2, applied())
	s := open(t, url, postgres.Options{Schema: name})
	k, err := kitOf(s)
	require.NoError(t, err)
	require.NoError(t, k.kv.Put(t.Context(), "k", []byte("kept"), 0))
	require.NoError(t, m.Down(t.Context()))
	assert.Equal(t, 1, applied())
	require.NoError(t, m.Up(t.Context()))
	v, err := k.kv.Get(t.Context(), "k")
	require.NoError(t, err)
	assert.Equal(t, "kept", string(v.Data), "what the migration taken back did not hold")
	require.NoError(t, s.Close())
	require.NoError(t, m.Down(t.Context()))
	require.NoError(t, m.Down(t.Context()))
	left := ask[int](t, url, `SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'S', 'v') AND relname NOT LIKE 'migration%'`, name)
	assert.Zero(t, left, "everything is taken back")
}

func TestTablesOfANewerProgramAreLeftAlone(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	open(t, url, postgres.Options{Schema: name})
	admin(t, url, `INSERT INTO `+pgx.Identifier{name, "migration"}.Sanitize()+` (version_id, is_applied) VALUES (99, true)`)
	_, err := postgres.Open(t.Context(), url, &postgres.Options{Schema: name})
	require.ErrorIs(t, err, storage.ErrNewer)
	var newer *storage.NewerError
	require.ErrorAs(t, err, &newer)
	assert.Equal(t, storage.NewerError{Stored: 99, Known: 2}, *newer)
	m, err := postgres.NewMigrator(url, &postgres.Options{Schema: name})
	require.NoError(t, err)
	require.ErrorIs(t, m.Up(t.Context()), storage.ErrNewer)
	require.ErrorIs(t, m.Down(t.Context()), storage.ErrNewer)
}

func TestTheSearchPathOfTheURLIsTheSchema(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	separator := "?"
	if strings.Contains(url, "?") {
		separator = "&"
	}
	open(t, url+separator+"search_path="+name, postgres.Options{})
	assert.True(t, ask[bool](t, url, `SELECT to_regclass($1) IS NOT NULL`, name+".journal"))
}

func TestTheJournalCannotBeChangedByAccident(t *testing.T) {
	url := server(t)
	name := schema(t, url)
	s := open(t, url, postgres.Options{Schema: name})
	k, err := kitOf(s)
	require.NoError(t, err)
	id := storage.JournalID{Tenant: "alice", Name: "orders"}
	for range 3 {
		_, err = k.journal.Append(t.Context(), storage.NewEntry{Kind: "note", Data: []byte("x")})
		require.NoError(t, err)
	}
	c, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	defer c.Close(t.Context())
	table := pgx.Identifier{name, "journal"}.Sanitize()
	for _, statement := range []string{`UPDATE ` + table + ` SET data = ''`, `DELETE FROM ` + table, `TRUNCATE ` + table} {
		_, err := c.Exec(t.Context(), statement)
		assert.ErrorContains(t, err, "append-only", statement)
	}
	head, err := storage.VerifyJournal(t.Context(), id, k.journal)
	require.NoError(t, err)
	assert.EqualValues(t, 3, head.Seq)

	// Whoever owns the database can, and is found out.
	for i, statement := range []string{`UPDATE ` + table + ` SET data = 'y' WHERE seq = 2`, `DELETE FROM ` + table + ` WHERE seq = 3`} {
		_, err = c.Exec(t.Context(), `ALTER TABLE `+table+` DISABLE TRIGGER USER`)
		require.NoError(t, err)
		_, err = c.Exec(t.Context(), statement)
		require.NoError(t, err)
		_, err = storage.VerifyJournal(t.Context(), id, k.journal)
		var broken *storage.BrokenChainError
		require.ErrorAs(t, err, &broken, statement)
		assert.EqualValues(t, 2+i, broken.Seq)
		if i == 0 {
			_, err = c.Exec(t.Context(), `UPDATE `+table+` SET data = 'x' WHERE seq = 2`)
			require.NoError(t, err)
		}
	}
	var journals []storage.JournalID
	for id, err := range s.Journals(t.Context()) {
		require.NoError(t, err)
		journals = append(journals, id)
	}
	assert.Equal(t, []storage.JournalID{id}, journals)
}

func TestJournalsAreListedInOrder(t *testing.T) {
	url := server(t)
	s := open(t, url, postgres.Options{Schema: schema(t, url)})
	var want []storage.JournalID
	for _, tenant := range []storage.TenantID{"a\x00", "b", "é"} {
		for _, name := range []string{"limits", "orders"} {
			h, err := s.For(tenant)
			require.NoError(t, err)
			j, err := h.Journal(name)
			require.NoError(t, err)
			_, err = j.Append(t.Context(), storage.NewEntry{Kind: "a"}, storage.NewEntry{Kind: "b"})
			require.NoError(t, err)
			want = append(want, storage.JournalID{Tenant: tenant, Name: name})
		}
	}
	var got []storage.JournalID
	for id, err := range s.Journals(t.Context()) {
		require.NoError(t, err)
		got = append(got, id)
	}
	assert.Equal(t, want, got)
	assert.True(t, slices.IsSortedFunc(got, func(a, b storage.JournalID) int { return strings.Compare(string(a.Tenant), string(b.Tenant)) }))
}
