package tools_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// syntheticDeps are tools over a whole made-up market at its default time.
func syntheticDeps(t testing.TB) tools.Deps {
	t.Helper()
	clock := market.NewManualClock(synthetic.DefaultStart())
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	return tools.Deps{Market: m, Clock: clock, Rate: m.Rate(), Environment: broker.Simulator, Notice: "Simulated data."}
}

func TestEveryToolWorksOverAWholeMarketWithinItsBudget(t *testing.T) {
	d := syntheticDeps(t)
	for _, test := range []struct{ tool, arguments string }{
		{"quote", `{"symbols":["SPY","QQQ","AAPL","SPX"]}`},
		{"candles", `{"symbol":"SPY"}`},
		{"candles", `{"symbol":"SPY","count":500,"interval":"1m","indicators":["RSI","MACD","Bollinger"]}`},
		{"candles", `{"symbol":"AAPL","interval":"1w","from":"2020-01-01","indicators":["ADX"]}`},
		{"option_chain", `{"symbol":"SPY"}`},
		{"option_chain", `{"symbol":"SPX","min_days":0,"max_days":60,"strikes":100}`},
		{"option_chain", `{"symbol":"AAPL","min_days":25,"max_days":50}`},
		{"metrics", `{"symbols":["SPY","AAPL"],"term":true}`},
		{"instrument", `{"symbols":["SPY","AAPL"]}`},
		{"instrument", `{"search":"s","limit":50}`},
		{"market_status", `{}`},
		{"analyst", `{"symbol":"SPY"}`},
		{"analyst", `{"symbol":"AAPL"}`},
		{"analyst", `{"symbol":"AAPL","at":"2026-06-01"}`},
	} {
		t.Run(test.tool+" "+test.arguments, func(t *testing.T) {
			out := call(t, d, test.tool, test.arguments)
			data, err := json.Marshal(out)
			require.NoError(t, err)
			t.Logf("%d bytes, left out: %v", len(data), out["left_out"])
		})
	}
}

func TestTheChainOfAWholeMarketHasVolatilitiesAndDeltas(t *testing.T) {
	out := call(t, syntheticDeps(t), "option_chain", `{"symbol":"SPY","min_days":20,"max_days":60,"strikes":6}`)
	for _, e := range list(t, out["expirations"]) {
		contracts := list(t, object(t, e)["contracts"])
		require.NotEmpty(t, contracts)
		for _, c := range contracts {
			iv, ok := cell(t, out, c, "iv").(float64)
			require.True(t, ok, fmt.Sprint(c))
			assert.Greater(t, iv, 0.03)
			delta := cell(t, out, c, "delta").(float64)
			if cell(t, out, c, "kind") == "p" {
				delta = -delta
			}
			assert.True(t, delta > 0 && delta < 1, fmt.Sprint(c))
		}
	}
}
