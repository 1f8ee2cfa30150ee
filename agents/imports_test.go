package agents_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"internal/..."},
		Modules: []string{"github.com/google/jsonschema-go/jsonschema", "github.com/shopspring/decimal"},
	})
}
