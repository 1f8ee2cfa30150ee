package vault_test

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/storage"
)

// A shelf is storage.Records of one tenant whose rows lie open: the tests swap,
// shorten and steal them, and step in between two writes. It does what a vault
// asks of records and no more.
type shelf struct {
	tenant storage.TenantID
	// before is called before each operation, outside the lock; its error is the
	// operation's.
	before func(op string) error

	mu   sync.Mutex
	rows map[[2]string]row // collection and id
	last storage.Version
}

type row struct {
	storage.Record
	fields []storage.Field
}

func newShelf(tenant storage.TenantID) *shelf {
	return &shelf{tenant: tenant, rows: map[[2]string]row{}}
}

func (s *shelf) ID() storage.TenantID              { return s.tenant }
func (s *shelf) Records() (storage.Records, error) { return s, nil }

func (s *shelf) enter(ctx context.Context, op string) error {
	if s.before != nil {
		if err := s.before(op); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *shelf) Get(ctx context.Context, collection, id string) (storage.Record, error) {
	if err := s.enter(ctx, "get "+collection); err != nil {
		return storage.Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.rows[[2]string{collection, id}]
	if !ok {
		return storage.Record{}, storage.ErrNotFound
	}
	return r.Record, nil
}

func (s *shelf) List(ctx context.Context, collection string, q storage.RecordQuery) (storage.RecordPage, error) {
	if err := s.enter(ctx, "list "+collection); err != nil {
		return storage.RecordPage{}, err
	}
	q, cursor, err := q.Validated()
	if err != nil {
		return storage.RecordPage{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text := func(r row, name string) string {
		for _, f := range r.fields {
			if f.Name == name {
				return f.Text
			}
		}
		return ""
	}
	var found []row
	for key, r := range s.rows {
		matches := key[0] == collection
		for _, w := range q.Where {
			matches = matches && text(r, w.Name) == w.Text
		}
		if matches && (cursor == nil || cmp.Or(cmp.Compare(text(r, q.Order), cursor.Text), cmp.Compare(r.ID, cursor.ID)) > 0) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b row) int {
		return cmp.Or(cmp.Compare(text(a, q.Order), text(b, q.Order)), cmp.Compare(a.ID, b.ID))
	})
	var page storage.RecordPage
	for i, r := range found {
		if i == q.Limit {
			last := page.Records[i-1]
			page.Next = storage.RecordCursor{Text: text(found[i-1], q.Order), ID: last.ID}.String()
			break
		}
		page.Records = append(page.Records, r.Record)
	}
	return page, nil
}

func (s *shelf) Write(ctx context.Context, writes ...storage.RecordWrite) ([]storage.Version, error) {
	if err := s.enter(ctx, "write "+writes[len(writes)-1].Collection); err != nil {
		return nil, err
	}
	if err := storage.CheckWrites(writes); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rows, last := maps.Clone(s.rows), s.last
	versions := make([]storage.Version, len(writes))
	for i, w := range writes {
		key := [2]string{w.Collection, w.ID}
		old, there := rows[key]
		var ok bool
		switch w.Op {
		case storage.OpPut:
			ok = true
		case storage.OpCreate:
			ok = !there
		case storage.OpUpdate, storage.OpCheck:
			ok = old.Version == w.Version
		case storage.OpDelete:
			ok = w.Version == storage.NoVersion || old.Version == w.Version
		}
		if !ok {
			return nil, &storage.ConflictError{Collection: w.Collection, ID: w.ID}
		}
		switch w.Op {
		case storage.OpDelete:
			delete(rows, key)
		case storage.OpCheck:
			versions[i] = old.Version
		default:
			last++
			versions[i] = last
			rows[key] = row{storage.Record{ID: w.ID, Version: last, Data: slices.Clone(w.Data)}, w.Fields}
		}
	}
	s.rows, s.last = rows, last
	return versions, nil
}

// A place is a row of the shelf.
type place = [2]string

// secrets returns where the secrets lie, in the order of their users.
func (s *shelf) secrets() []place {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []place
	for key := range s.rows {
		if key[0] == "vault-secrets" {
			found = append(found, key)
		}
	}
	slices.SortFunc(found, func(a, b place) int {
		return strings.Compare(string(s.rows[a].Data), string(s.rows[b].Data))
	})
	return found
}

// keys is where the tenant's data keys lie.
var keys = place{"vault-keys", "keys"}

// binary returns the bytes that a row has in that field of its document.
func (s *shelf) binary(t testing.TB, at place, field string) []byte {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var d map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(s.rows[at].Data, &d))
	var b []byte
	require.NoError(t, json.Unmarshal(d[field], &b))
	return b
}

// overwrite puts other bytes into that field, as someone with the file could.
func (s *shelf) overwrite(t testing.TB, at place, field string, b []byte) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rows[at]
	d := map[string]any{}
	require.NoError(t, json.Unmarshal(r.Data, &d))
	d[field] = b
	var err error
	r.Data, err = json.Marshal(d)
	require.NoError(t, err)
	s.last++
	r.Version = s.last
	s.rows[at] = r
}

// copied returns another shelf with the same rows: a stolen file, a backup.
func (s *shelf) copied(tenant storage.TenantID) *shelf {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &shelf{tenant: tenant, rows: maps.Clone(s.rows), last: s.last}
}

// everything is all that is stored, as one text.
func (s *shelf) everything() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for key, r := range s.rows {
		b.WriteString(key[0] + key[1])
		b.Write(r.Data)
		for _, f := range r.fields {
			b.WriteString(f.Name + f.Text)
		}
	}
	return b.String()
}
