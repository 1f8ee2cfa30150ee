package strategy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// half has half-dollar strikes and this day's expiry.
func half(date string) smile {
	return smile{Vol: 0.25, Step: 0.5, Strikes: 20, Expiries: []market.Date{day(date)}, Half: 0.01}
}

func zero(changes map[string]any) map[string]any {
	p := map[string]any{"symbol": "XYZ", "contracts": 1, "pricing": "natural", "within": 0.12, "min_credit": 0.1}
	for k, v := range changes {
		p[k] = v
	}
	return p
}

func TestTheSpreadOfADayLivesADay(t *testing.T) {
	at := ny("2026-01-09", 10, 0)
	b := newOptionBench(t, build(t, "zero-dte-put-spread", zero(nil)), ny("2026-01-09", 9, 0), benchOptions{}).start()
	b.chain(at, 100, half("2026-01-09").at(at, 100))
	require.Len(t, b.held(), 2, b.notes)
	at = ny("2026-01-09", 15, 30)
	b.chain(at, 100.4, half("2026-01-09").at(at, 100.4))
	require.Len(t, b.held(), 2, "until a quarter of an hour before the close: %v", b.notes)
	at = ny("2026-01-09", 15, 46)
	b.chain(at, 100.4, half("2026-01-09").at(at, 100.4))
	assert.NotContains(t, b.held(), "-1", "nothing sold is left: %v", b.held())
	assert.True(t, b.said("the last minutes"), b.notes)
	assert.Len(t, b.sent, 2)
	at = ny("2026-01-09", 15, 47)
	b.chain(at, 100.4, half("2026-01-09").at(at, 100.4))
	assert.Len(t, b.sent, 2, "and nothing new so late")
}

func TestTheSpreadOfADayStops(t *testing.T) {
	at := ny("2026-01-09", 10, 0)
	b := newOptionBench(t, build(t, "zero-dte-put-spread", zero(map[string]any{"stop_loss": 0})), ny("2026-01-09", 9, 0), benchOptions{}).start()
	b.chain(at, 100.15, half("2026-01-09").at(at, 100.15))
	require.Len(t, b.held(), 2, b.notes)
	at = at.Add(time.Hour)
	b.chain(at, 99.2, half("2026-01-09").at(at, 99.2))
	assert.Empty(t, b.held(), b.notes)
	assert.True(t, b.said("stop: a delta"), b.notes)
}
