package sqlite_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"storage", "storage/internal/events", "internal/invalid"},
		Modules: []string{"modernc.org/sqlite", "github.com/pressly/goose/v3", "gonum.org/v1/gonum"},
	})
}
