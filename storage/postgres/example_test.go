package postgres_test

import (
	"context"
	"fmt"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/files"
	"github.com/ttai-go/ttai/storage/postgres"
)

// One database for everything but objects, which go to a folder that all processes
// see.
func Example() {
	ctx := context.Background()
	base, err := postgres.Open(ctx, "postgres://ttai:secret@db.example.com:5432/ttai?sslmode=verify-full&pool_max_conns=20", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	objects, err := files.Open("/srv/ttai/objects", nil)
	if err != nil {
		fmt.Println(err, base.Close())
		return
	}
	store := storage.Combine(base, storage.Parts{Objects: objects})
	defer store.Close()
	// store.For(tenant) opens what is kept for one tenant.
}

// A program that may not change tables is given them by one that may, before it
// starts.
func ExampleNewMigrator() {
	m, err := postgres.NewMigrator("postgres://owner@db.example.com/ttai?sslmode=verify-full", &postgres.Options{Schema: "ttai"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := m.Up(context.Background()); err != nil {
		fmt.Println(err)
	}
}
