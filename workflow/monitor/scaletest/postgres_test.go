package scaletest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// sizeOfSchema is how many bytes the tables and indexes of a schema have.
func sizeOfSchema(t *testing.T, s setup) (total int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), s.Store)
	require.NoError(t, err)
	defer func() { require.NoError(t, conn.Close(t.Context())) }()
	const query = `select coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relkind in ('r', 'p')`
	require.NoError(t, conn.QueryRow(t.Context(), query, s.Schema).Scan(&total))
	return total
}

func dropSchema(t *testing.T, s setup) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, s.Store)
	require.NoError(t, err)
	_, err = conn.Exec(ctx, "drop schema if exists "+pgx.Identifier{s.Schema}.Sanitize()+" cascade")
	require.NoError(t, err)
	require.NoError(t, conn.Close(ctx))
}
