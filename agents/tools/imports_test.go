package tools_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own: []string{
			"agents", "agents/analysts", "agents/knowledge", "broker", "indicators", "market", "options", "storage", "strategy", "strategy/backtest", "internal/...",
		},
		Modules: []string{"github.com/google/jsonschema-go", "github.com/shopspring/decimal"},
	})
}
