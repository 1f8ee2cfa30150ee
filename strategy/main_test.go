package strategy_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

func TestMain(m *testing.M) {
	sharedtest.FixSeeds()
	goleak.VerifyTestMain(m)
}
