package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/ttai-go/ttai/storage"
)

type directory struct{ *Store }

func (d *directory) Claim(ctx context.Context, e storage.DirectoryEntry) error {
	if err := e.Validate(); err != nil {
		return err
	}
	return d.write(ctx, func(q querier) error {
		tag, err := q.Exec(ctx, `INSERT INTO login (login, tenant, account) VALUES ($1, $2, $3) ON CONFLICT (login) DO UPDATE SET account = excluded.account
			WHERE login.tenant = excluded.tenant AND login.account = excluded.account`, e.Login, []byte(e.Tenant), e.User)
		if err := changed(tag, err, storage.ErrConflict); err != nil {
			return fmt.Errorf("login: %w", err)
		}
		return nil
	})
}

func (d *directory) Find(ctx context.Context, login string) (storage.DirectoryEntry, error) {
	if err := storage.CheckText("login", login, 512); err != nil {
		return storage.DirectoryEntry{}, errors.Join(err, storage.ErrNotFound)
	}
	e := storage.DirectoryEntry{Login: login}
	err := d.read(ctx, func(q querier) error {
		var tenant []byte
		err := q.QueryRow(ctx, `SELECT tenant, account FROM login WHERE login = $1`, login).Scan(&tenant, &e.User)
		if errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("login: %w", storage.ErrNotFound)
		}
		e.Tenant = storage.TenantID(tenant)
		return err
	})
	if err != nil {
		return storage.DirectoryEntry{}, err
	}
	return e, nil
}

func (d *directory) Release(ctx context.Context, tenant storage.TenantID, login string) error {
	if storage.CheckText("login", login, 512) != nil {
		return d.enter(ctx) // nobody can have it
	}
	return d.write(ctx, func(q querier) error {
		_, err := q.Exec(ctx, `DELETE FROM login WHERE login = $1 AND tenant = $2`, login, []byte(tenant))
		return err
	})
}

func (d *directory) Tenants(ctx context.Context) iter.Seq2[storage.TenantID, error] {
	return func(yield func(storage.TenantID, error) bool) {
		after := []byte{}
		for {
			var ids [][]byte
			err := d.read(ctx, func(q querier) error {
				var err error
				ids, err = column[[]byte](ctx, q, `SELECT DISTINCT tenant FROM login WHERE tenant > $1 ORDER BY tenant LIMIT $2`, after, page)
				return err
			})
			if err != nil {
				yield("", err)
				return
			}
			for _, id := range ids {
				if !yield(storage.TenantID(id), nil) {
					return
				}
				after = id
			}
			if len(ids) < page {
				return
			}
		}
	}
}
