package strategy_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/strategy"
)

func TestEachStructureIsOpenedWithItsLegs(t *testing.T) {
	tests := []struct {
		strategy string
		params   map[string]any
		want     string
	}{
		{"bull-put-spread", map[string]any{"moneyness": 0.97, "far_moneyness": 0.93, "strike_range": 0}, "BTO 1 0206 93P, STO 1 0206 97P"},
		{"bear-call-spread", map[string]any{"moneyness": 1.03, "far_moneyness": 1.07, "strike_range": 0.1}, "BTO 1 0206 107C, STO 1 0206 103C"},
		{"bull-call-spread", map[string]any{"moneyness": 1.00, "width": 5, "far_delta": 0}, "BTO 1 0206 100C, STO 1 0206 105C"},
		{"bear-put-spread", map[string]any{"moneyness": 1.00, "width": 5, "far_delta": 0}, "BTO 1 0206 100P, STO 1 0206 95P"},
		{"iron-condor", map[string]any{"put_moneyness": 0.97, "call_moneyness": 1.03, "wing_delta": 0, "width": 4}, "BTO 1 0206 107C, BTO 1 0206 93P, STO 1 0206 103C, STO 1 0206 97P"},
		{"iron-butterfly", map[string]any{"wing_delta": 0, "width": 6}, "BTO 1 0206 106C, BTO 1 0206 94P, STO 1 0206 100C, STO 1 0206 100P"},
		{"long-straddle", nil, "BTO 1 0206 100C, BTO 1 0206 100P"},
		{"short-straddle", nil, "STO 1 0206 100C, STO 1 0206 100P"},
		{"long-strangle", map[string]any{"put_moneyness": 0.95, "call_moneyness": 1.05}, "BTO 1 0206 105C, BTO 1 0206 95P"},
		{"short-strangle", map[string]any{"put_moneyness": 0.95, "call_moneyness": 1.05}, "STO 1 0206 105C, STO 1 0206 95P"},
		{"calendar", nil, "BTO 1 0306 100C, STO 1 0206 100C"},
		{"calendar", map[string]any{"kind": "put", "delta": 0.3}, "BTO 1 0306 97P, STO 1 0206 97P"},
	}
	for _, tt := range tests {
		t.Run(tt.strategy, func(t *testing.T) {
			params := map[string]any{"dte": 31, "min_dte": 27}
			if tt.strategy == "calendar" {
				params["back_min_dte"] = 50
			}
			for k, v := range tt.params {
				params[k] = v
			}
			sent, b := openingOrder(t, tt.strategy, params, 100, plain(), nil)
			assert.Contains(t, sent, tt.want, b.notes)
			assert.Len(t, b.sent, 1, "one order")
		})
	}
}

func TestTheDefaultsAreThoseOfTheNotebooks(t *testing.T) {
	want := map[string]map[string]any{
		"iron-condor":         {"min_dte": 14, "max_dte": 35, "strike_range": 0.15, "open_interest": 100.0, "capital": 0.05, "rate": 0.01, "take_profit": 0.40},
		"bull-put-spread":     {"strike_range": 0.06, "open_interest": 50.0, "take_profit": 0.60, "stop_delta": 0.60, "stop_vol": 0.80},
		"iron-butterfly":      {"take_profit": 0.60, "stop_net_delta": 0.50, "stop_vol": 0.60},
		"zero-dte-put-spread": {"delta": 0.40, "within": 0.02, "far_delta": 0.20, "open_interest": 500.0, "min_credit": 0.33, "stop_delta_times": 2.0, "stop_loss": 0.5, "max_dte": 0},
		"calendar":            {"min_dte": 27, "max_dte": 40, "back_min_dte": 55, "back_max_dte": 65, "take_profit": 0.60},
		"cash-secured-put":    {"min_delta": 0.18, "max_delta": 0.42, "open_interest": 200.0, "capital": 0.10, "rate": 0.01, "band_days": 20, "band_widths": 2.0},
		"wheel":               {"max_risk": 80000.0, "min_delta": 0.15, "max_delta": 0.30, "min_yield": 0.04, "max_yield": 1.0, "min_dte": 0, "max_dte": 21, "open_interest": 100.0, "min_score": 0.05, "above_cost": true},
		"gamma-scalping":      {"band": 500.0, "rate": 0.045, "min_dte": 14, "max_dte": 60, "hedge_every": "2m0s"},
	}
	for name, params := range want {
		d, err := strategy.Lookup(name)
		require.NoError(t, err)
		got := map[string]any{}
		for _, p := range d.Params {
			got[p.Name] = p.Default
		}
		for param, value := range params {
			assert.Equal(t, value, got[param], "%s %s", name, param)
		}
	}
}
