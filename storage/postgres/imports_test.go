package postgres_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"storage", "storage/internal/events", "storage/internal/exact", "internal/invalid"},
		Modules: []string{"github.com/jackc/pgx/v5", "github.com/pressly/goose/v3"},
	})
}
