package strategy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// The wheel turns once: a put is sold and assigned, a call is sold on the shares
// and they are called away, and it begins anew.
func TestTheWheelTurns(t *testing.T) {
	m := plain()
	m.Expiries = []market.Date{day("2026-01-09"), day("2026-01-16"), day("2026-01-23"), day("2026-01-30")}
	b := newOptionBench(t, build(t, "wheel", map[string]any{"symbol": "XYZ", "moneyness": 0.98, "call_moneyness": 1.02, "dte": 7, "min_dte": 2, "max_dte": 9,
		"pricing": "natural", "max_risk": 20000, "min_yield": 0}), ny("2026-01-02", 9, 0), benchOptions{}).start()
	at := func(date string, spot float64) {
		when := ny(date, 10, 0)
		b.chain(when, spot, m.live(when).at(when, spot))
	}
	close := func(date string, spot float64) {
		when := ny(date, 15, 59)
		b.chain(when, spot, m.live(when).at(when, spot))
		b.until(ny(date, 23, 0))
	}
	at("2026-01-02", 100)
	require.Equal(t, []string{"-2 0109 98P"}, b.held(), "20,000 dollars are two puts on 98")
	close("2026-01-09", 96)
	require.Equal(t, []string{"200 XYZ"}, b.held(), "assigned")
	at("2026-01-12", 95)
	require.Equal(t, []string{"-2 0116 98C", "200 XYZ"}, b.held(), "2 % above 95 is 97, but the shares cost 98")
	close("2026-01-16", 97)
	require.Equal(t, []string{"200 XYZ"}, b.held(), "the calls expire worthless")
	at("2026-01-20", 99)
	require.Equal(t, []string{"-2 0123 101C", "200 XYZ"}, b.held())
	close("2026-01-23", 104)
	require.Empty(t, b.held(), "called away")
	at("2026-01-26", 104)
	require.Equal(t, []string{"-1 0130 101P"}, b.held(), "and again: 20,000 dollars are one put on 101")
	assert.Len(t, b.sent, 4)
}

// By score: (1 - delta) × 250 / (days + 5) × bid / strike. Of the two nearest
// expiries the earlier has the better one.
func TestTheWheelSellsTheBestScore(t *testing.T) {
	sent, b := openingOrder(t, "wheel", map[string]any{"max_risk": 10000, "contracts": 0, "min_score": 0.05}, 100, plain(), nil)
	require.NotEmpty(t, sent, b.notes)
	assert.Contains(t, sent, "STO 1 0116 98P")
	_, b = openingOrder(t, "wheel", map[string]any{"min_score": 0.9}, 100, plain(), nil)
	assert.True(t, b.said("no put qualifies"), b.notes)
}

func TestSharesThatAreThereGetCallsAtOnce(t *testing.T) {
	b := newOptionBench(t, build(t, "wheel", map[string]any{"symbol": "XYZ", "moneyness": 0.98, "call_moneyness": 1.02, "dte": 9, "min_dte": 5, "pricing": "natural"}), ny("2026-01-06", 9, 0),
		benchOptions{Positions: shares(250, 90)}).start()
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 100, plain().at(at, 100))
	assert.Equal(t, []string{"-2 0116 102C", "250 XYZ"}, b.held(), "on whole hundreds")
}
