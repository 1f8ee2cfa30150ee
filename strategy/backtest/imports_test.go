package backtest_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"internal/chart", "internal/invalid", "internal/nearest", "internal/rooms", "internal/sums", "strategy", "broker", "broker/paper", "market", "options", "indicators"},
		Modules: []string{"github.com/shopspring/decimal"},
	})
}
