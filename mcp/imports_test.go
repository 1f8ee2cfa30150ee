package mcp_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own: []string{"agents", "agents/tools", "broker", "storage", "internal/..."},
		Modules: []string{
			"github.com/google/jsonschema-go/jsonschema", "github.com/modelcontextprotocol/go-sdk", "golang.org/x/time/rate",
		},
	})
}
