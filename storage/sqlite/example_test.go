package sqlite_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/sqlite"
)

func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	store, err := sqlite.Open(ctx, filepath.Join(dir, "ttai.db"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		fmt.Println(err)
		return
	}
	journal, err := tenant.Journal("orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	entries, err := journal.Append(ctx, storage.NewEntry{Kind: "order.placed", Data: []byte(`{"symbol":"SPY"}`)})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("on disk as entry", entries[0].Seq)
	// Copies while the store is in use.
	fmt.Println(store.Backup(ctx, filepath.Join(dir, "ttai.backup.db")))
	// Output:
	// on disk as entry 1
	// <nil>
}
