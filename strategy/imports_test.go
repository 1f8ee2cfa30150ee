package strategy_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"broker", "indicators", "internal/invalid", "internal/nearest", "internal/rooms", "internal/sums", "market", "options"},
		Modules: []string{"github.com/shopspring/decimal"},
	})
}
