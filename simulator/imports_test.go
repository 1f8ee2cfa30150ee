package simulator_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

// The client is not among them: both sides must not share a mistake.
func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"broker", "broker/paper", "internal/invalid", "internal/occ", "market", "options", "simulator/synthetic"},
		Modules: []string{"github.com/coder/websocket", "github.com/shopspring/decimal", "golang.org/x/time"},
	})
}
