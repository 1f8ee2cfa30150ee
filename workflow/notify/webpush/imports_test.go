package webpush_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"workflow/notify", "storage", "storage/vault", "internal/invalid", "internal/rest"},
		Modules: []string{"github.com/SherClockHolmes/webpush-go"},
	})
}
