package strategy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACalendarIsClosedBeforeItsNearerExpiry(t *testing.T) {
	_, b := openingOrder(t, "calendar", map[string]any{"dte": 31, "back_min_dte": 50, "take_profit": 0, "stop_loss": 0}, 100, plain(), nil)
	require.Len(t, b.held(), 2)
	at := ny("2026-02-04", 10, 0)
	b.chain(at, 100, plain().live(at).at(at, 100))
	require.Len(t, b.held(), 2, "two days before")
	at = ny("2026-02-05", 10, 0)
	b.chain(at, 100, plain().live(at).at(at, 100))
	assert.Empty(t, b.held(), b.notes)
}

func TestACalendarRollsItsTwoExpiriesInOneOrder(t *testing.T) {
	m := plain()
	m.Expiries = append(m.Expiries, day("2026-04-03"))
	_, b := openingOrder(t, "calendar", map[string]any{"dte": 31, "max_dte": 45, "back_min_dte": 50, "back_max_dte": 75, "take_profit": 0, "stop_loss": 0, "roll_dte": 7, "close_dte": -1}, 100, m, nil)
	at := ny("2026-01-30", 10, 0)
	b.chain(at, 103, m.live(at).at(at, 103))
	require.Len(t, b.sent, 2, b.notes)
	assert.Contains(t, b.sent[1], "BTC 1 0206 100C, STC 1 0306 100C, BTO 1 0403 103C, STO 1 0306 103C")
}

func TestWhatIsLeftOfACalendarIsClosed(t *testing.T) {
	_, b := openingOrder(t, "calendar", map[string]any{"dte": 31, "back_min_dte": 50, "take_profit": 0, "stop_loss": 0, "close_dte": -1}, 100, plain(), nil)
	at := ny("2026-02-06", 15, 0)
	b.chain(at, 98, plain().live(at).at(at, 98))
	b.until(ny("2026-02-06", 22, 0))
	require.Equal(t, []string{"1 0306 100C"}, b.held(), "the nearer option has expired")
	at = ny("2026-02-09", 10, 0)
	b.chain(at, 98, plain().live(at).at(at, 98))
	assert.Empty(t, b.held(), b.notes)
	assert.True(t, b.said("no structure of its own"), b.notes)
}
