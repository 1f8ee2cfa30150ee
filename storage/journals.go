package storage

import (
	"context"
	"iter"
)

// A JournalLister tells which journals an engine keeps, over all tenants: it is
// for whoever runs the engine, to verify all of them. Stores whose journals
// outlive the process have it beside [Store].
type JournalLister interface {
	// Journals yields every journal that has an entry, by tenant and name in byte
	// order. The loop may use the store.
	Journals(ctx context.Context) iter.Seq2[JournalID, error]
}
