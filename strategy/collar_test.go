package strategy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestACollarIsOpenedAroundItsShares(t *testing.T) {
	sent, b := openingOrder(t, "collar", map[string]any{"dte": 30, "put_moneyness": 0.95, "call_moneyness": 1.05}, 100, plain(), nil)
	require.NotEmpty(t, sent, b.notes)
	assert.Equal(t, []string{"-1 0206 105C", "1 0206 95P", "100 XYZ"}, b.held())
	assert.Contains(t, sent, "BTO 100 XYZ, BTO 1 0206 95P, STO 1 0206 105C @ -99.")
}

func TestACollarRollsBothOptions(t *testing.T) {
	_, b := openingOrder(t, "collar", map[string]any{"dte": 30, "put_moneyness": 0.95, "call_moneyness": 1.05, "roll_dte": 10}, 100, plain(), nil)
	at := ny("2026-01-27", 10, 0)
	b.chain(at, 102, plain().live(at).at(at, 102))
	require.Len(t, b.sent, 2, b.notes)
	assert.Equal(t, []string{"-1 0306 108C", "1 0306 96P", "100 XYZ"}, b.held())
}

func TestACollarMayNotCostTooMuch(t *testing.T) {
	// The put on 98 costs about 1.60 more than the call on 110 brings.
	params := map[string]any{"dte": 30, "put_moneyness": 0.98, "call_moneyness": 1.10, "max_cost": 0.01}
	sent, b := openingOrder(t, "collar", params, 100, plain(), nil)
	assert.Empty(t, sent)
	assert.True(t, b.said("no put and call qualify"), b.notes)
	params["max_cost"] = 0.03
	sent, _ = openingOrder(t, "collar", params, 100, plain(), nil)
	assert.Contains(t, sent, "BTO 1 0206 98P")
}
