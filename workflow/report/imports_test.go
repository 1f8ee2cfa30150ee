package report_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"storage", "broker", "market", "options", "levels", "internal/invalid", "internal/chart"},
		Modules: []string{"github.com/shopspring/decimal"},
	})
}
