package river_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"workflow", "storage", "internal/invalid"},
		Modules: []string{"github.com/jackc/pgx", "github.com/pressly/goose", "github.com/riverqueue/river"},
	})
}
