package schedule

import (
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/internal/deptest"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(folderVariable); folder != "" {
		child(folder)
		return
	}
	sharedtest.FixSeeds()
	goleak.VerifyTestMain(m)
}

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"internal/invalid", "market", "storage", "workflow"},
		Modules: []string{"github.com/netresearch/go-cron"},
	})
}
