package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"iter"

	"github.com/ttai-go/ttai/storage"
)

var _ storage.JournalLister = (*Store)(nil)

// Journals yields the journals of all tenants.
func (s *Store) Journals(ctx context.Context) iter.Seq2[storage.JournalID, error] {
	return func(yield func(storage.JournalID, error) bool) {
		tenant, name := []byte{}, ""
		for {
			// One step along the index for each journal, however long it is.
			err := s.read(ctx, func(tx *session) error {
				return tx.row(ctx, `SELECT tenant, name FROM journal WHERE (tenant, name) > (?, ?) ORDER BY tenant, name LIMIT 1`, tenant, name).Scan(&tenant, &name)
			})
			if errors.Is(err, sql.ErrNoRows) {
				return
			}
			if !yield(storage.JournalID{Tenant: storage.TenantID(tenant), Name: name}, err) || err != nil {
				return
			}
		}
	}
}
