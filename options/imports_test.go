package options_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImportsOnlyWhatTheDesignAllows(t *testing.T) {
	deptest.Check(t, deptest.Allow{Own: []string{"market", "internal/..."}, Modules: []string{"gonum.org/v1/gonum"}})
}
