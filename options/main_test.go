package options_test

import (
	"os"
	"testing"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

func TestMain(m *testing.M) {
	sharedtest.FixSeeds()
	os.Exit(m.Run())
}
