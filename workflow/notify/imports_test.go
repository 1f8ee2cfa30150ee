package notify_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own: []string{"workflow", "storage", "storage/vault", "internal/invalid", "internal/rest", "internal/civil", "internal/chart"},
	})
}
