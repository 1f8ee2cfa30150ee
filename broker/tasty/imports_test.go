package tasty_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"broker", "internal/conflate", "internal/invalid", "internal/occ", "market", "tastytrade", "tastytrade/dxlink"},
		Modules: []string{"github.com/shopspring/decimal"},
	})
}
