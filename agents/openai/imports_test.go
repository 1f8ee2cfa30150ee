package openai_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"agents", "agents/internal/wire", "internal/..."},
		Modules: []string{"github.com/google/jsonschema-go/jsonschema"},
	})
}
