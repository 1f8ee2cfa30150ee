package strategy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/strategy"
)

// Whatever a state holds, it is refused with a *FieldError or the strategy goes on
// with it, and neither panics.
func FuzzRestore(f *testing.F) {
	at := ny("2026-01-06", 10, 0)
	quotes := plain().at(at, 100)
	f.Add(`{}`)
	f.Add(`null`)
	f.Add(`{"task":{"kind":"close","target":{"XYZ   260206C00105000":0}},"vols":null,"attribution":{"last":{"spot":0}}}`)
	f.Add(`{"task":{"kind":"roll","target":null},"hedge":{"kind":"hedge"},"open":true,"entry":{"delta":null,"vol":0}}`)
	f.Add(`{"foreign":{"XYZ":1e300},"ended":"not a date","pause":"2030-01-01T00:00:00Z"}`)
	f.Fuzz(func(t *testing.T, state string) {
		for _, name := range []string{"iron-condor", "gamma-scalping", "wheel"} {
			made := build(t, name, map[string]any{"symbol": "XYZ", "contracts": 1, "dte": 30, "min_dte": 10, "max_dte": 40})
			if err := made.Restore([]byte(state)); err != nil {
				var field *strategy.FieldError
				assert.ErrorAs(t, err, &field)
				continue
			}
			b := newOptionBench(t, made, ny("2026-01-06", 9, 0), benchOptions{}).start()
			b.chain(at, 100, quotes)
			_, err := made.Snapshot()
			assert.NoError(t, err)
		}
	})
}
