package sqlite

import (
	"context"

	"github.com/ttai-go/ttai/storage"
)

var _ storage.Custodian = (*tenant)(nil)

// Inventory names what the tenant has, as it is at one moment.
func (t *tenant) Inventory(ctx context.Context) (storage.Inventory, error) {
	out := storage.Inventory{Collections: map[string]int{}}
	err := t.read(ctx, func(tx *session) (err error) {
		for _, list := range []struct {
			names *[]string
			query string
			args  []any
		}{
			{&out.Spaces, `SELECT DISTINCT space FROM kv WHERE tenant = ? AND (expires = 0 OR expires > ?) ORDER BY 1`, []any{t.tenant, t.now()}},
			{&out.Queues, `SELECT queue FROM message WHERE tenant = ? AND failed = 0 UNION SELECT queue FROM message WHERE tenant = ? AND failed > 0
				UNION SELECT queue FROM message_key WHERE tenant = ? ORDER BY 1`, []any{t.tenant, t.tenant, t.tenant}},
			{&out.Journals, `SELECT DISTINCT name FROM journal WHERE tenant = ? ORDER BY 1`, []any{t.tenant}},
			{&out.Records, `SELECT DISTINCT collection FROM record WHERE tenant = ? ORDER BY 1`, []any{t.tenant}},
		} {
			if *list.names, err = column[string](ctx, tx, list.query, list.args...); err != nil {
				return err
			}
		}
		rows, err := tx.query(ctx, `SELECT name, dims FROM collection WHERE tenant = ? AND EXISTS (SELECT 1 FROM document WHERE collection = collection.number)`, t.tenant)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			var dims int
			if err := rows.Scan(&name, &dims); err != nil {
				return err
			}
			out.Collections[name] = dims
		}
		return rows.Err()
	})
	if err != nil {
		return storage.Inventory{}, err
	}
	return out, nil
}

// Erase removes everything but journals, all or nothing. The file does not shrink:
// later writes use the room.
func (t *tenant) Erase(ctx context.Context) error {
	return t.write(ctx, true, func(tx *session) error {
		collections, err := column[int64](ctx, tx, `SELECT number FROM collection WHERE tenant = ?`, t.tenant)
		if err != nil {
			return err
		}
		for _, n := range collections {
			if _, err := tx.exec(ctx, `DROP TABLE `+(collection{number: n}).texts()); err != nil {
				return err
			}
			for _, query := range []string{`DELETE FROM metadata WHERE collection = ?`, `DELETE FROM document WHERE collection = ?`, `DELETE FROM collection WHERE number = ?`} {
				if _, err := tx.exec(ctx, query, n); err != nil {
					return err
				}
			}
		}
		for _, query := range []string{
			`DELETE FROM kv WHERE tenant = ?`,
			`DELETE FROM field WHERE tenant = ?`,
			`DELETE FROM record WHERE tenant = ?`,
			`DELETE FROM message WHERE tenant = ? AND failed = 0`,
			`DELETE FROM message WHERE tenant = ? AND failed > 0`,
			`DELETE FROM message_key WHERE tenant = ?`,
			`DELETE FROM event WHERE tenant = ?`,
			`DELETE FROM lock WHERE tenant = ?`,
			`DELETE FROM rate WHERE tenant = ?`,
		} {
			if _, err := tx.exec(ctx, query, t.tenant); err != nil {
				return err
			}
		}
		return nil
	})
}
