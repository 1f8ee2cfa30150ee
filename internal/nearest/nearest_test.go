package nearest_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/internal/nearest"
)

func TestOfSuggestsOnlyWhatIsClose(t *testing.T) {
	names := []string{"symbols", "interval", "from", "to", "RSI"}
	for name, want := range map[string]string{
		"symbol":   "symbols",
		"Symbols":  "symbols",
		"intervel": "interval",
		"frm":      "from",
		"rsi":      "RSI",
		"quantity": "",
		"":         "",
		"zz":       "",
	} {
		assert.Equal(t, want, nearest.Of(name, names), "%q", name)
	}
}
