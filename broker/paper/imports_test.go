package paper_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{Own: []string{"internal/invalid", "internal/rooms", "internal/sums", "broker", "market", "options"}, Modules: []string{"github.com/shopspring/decimal"}})
}
