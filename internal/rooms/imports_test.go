package rooms_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) { deptest.Check(t, deptest.Allow{}) }
