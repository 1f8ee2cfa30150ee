package talib_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImportsOnlyWhatTheDesignAllows(t *testing.T) {
	deptest.Check(t, deptest.Allow{Own: []string{"indicators/internal/...", "internal/invalid"}})
}
