package postgres

import (
	"context"
	"errors"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

var _ storage.JournalLister = (*Store)(nil)

// Journals yields the journals of all tenants, also those that lost their entries
// or the row of their end.
func (s *Store) Journals(ctx context.Context) iter.Seq2[storage.JournalID, error] {
	return func(yield func(storage.JournalID, error) bool) {
		tenant, name := []byte{}, ""
		for {
			// One step along each index for each journal, however long it is.
			err := s.read(ctx, func(q querier) error {
				return q.QueryRow(ctx, `SELECT tenant, name FROM (
					(SELECT tenant, name FROM journal WHERE (tenant, name) > ($1, $2) ORDER BY tenant, name LIMIT 1) UNION
					(SELECT tenant, name FROM journal_head WHERE (tenant, name) > ($1, $2) AND seq > 0 ORDER BY tenant, name LIMIT 1)) j
					ORDER BY tenant, name LIMIT 1`, tenant, name).Scan(&tenant, &name)
			})
			if errors.Is(err, pgx.ErrNoRows) {
				return
			}
			if !yield(storage.JournalID{Tenant: storage.TenantID(tenant), Name: name}, err) || err != nil {
				return
			}
		}
	}
}
