package tastytrade_test

import (
	"testing"

	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{Own: []string{"tastytrade/dxlink", "internal/..."}, Modules: []string{"github.com/shopspring/decimal", "golang.org/x/oauth2"}})
}
