package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/options"
)

// 2026-10-20 means that day's close, 16:00; shares go ex at 9:30: 16 days and 18.5 hours
// later by the clock of New York, an hour more of time, since it is set back between.
func TestPriceAndVolatilityTakeCashDividends(t *testing.T) {
	model := options.BSM{Spot: 101, Strike: 95, Years: 60.0 / 365, Rate: 0.04, Vol: 0.2}
	due := []options.Dividend{{Years: (16 + 18.5/24) / 365, Cash: 0.76}}
	european, err := model.PriceDividends(options.Call, due, options.Escrowed)
	require.NoError(t, err)
	american, err := model.AmericanDividends(options.Call, due, options.Escrowed)
	require.NoError(t, err)
	require.Greater(t, american, european+0.01, "worth exercising before the ex-date")
	flags := []string{"--spot", "101", "--strike", "95", "--days", "60", "--rate", "0.04", "--at", "2026-10-20", "--dividend", "2026-11-06=0.76", "--json"}
	for style, want := range map[string]float64{"european": european, "american": american} {
		out, problems, code := ttai(t, "", nil, append([]string{"price", "--style", style, "--vol", "0.2"}, flags...)...)
		require.Equal(t, app.ExitOK, code, problems)
		var answer struct{ Price, Delta float64 }
		require.NoError(t, json.Unmarshal([]byte(out), &answer))
		assert.InDelta(t, want, answer.Price, 2e-4)
		assert.InDelta(t, 0.79, answer.Delta, 0.01)

		out, problems, code = ttai(t, "", nil, append([]string{"iv", "--style", style, "--price", fmt.Sprint(answer.Price)}, flags...)...)
		require.Equal(t, app.ExitOK, code, problems)
		var vol struct{ IV float64 }
		require.NoError(t, json.Unmarshal([]byte(out), &vol))
		assert.InDelta(t, 0.2, vol.IV, 1e-6)
	}
}

func TestLinesTakeCashDividends(t *testing.T) {
	line := `{"style":"american","spot":101,"strike":95,"days":60,"rate":0.04,"vol":0.2,"at":"2026-10-20","dividends":[{"ex_date":"2026-11-06","cash":0.76}]}`
	out, _, code := ttai(t, strings.Join([]string{line, strings.Replace(line, "0.76", "120", 1), strings.Replace(line, `"ex_date":"2026-11-06",`, "", 1), line}, "\n"), nil, "price", "--jsonl")
	require.Equal(t, app.ExitOK, code)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 4)
	assert.Equal(t, lines[0], lines[3])
	assert.Contains(t, lines[0], `"price":6.94`)
	for _, bad := range lines[1:3] {
		assert.Contains(t, bad, `"field":"dividends"`)
	}
	_, problems, code := ttai(t, "", nil, "price", "--spot", "1", "--strike", "1", "--years", "1", "--vol", "0.2", "--dividend", "soon=1")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "dividend")
}
