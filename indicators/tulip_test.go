package indicators_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

// tulip returns the outputs of Tulip Indicators by name, from bar beg on.
func tulip(t *testing.T, file string) map[string]struct {
	Beg int
	Out map[string][]float64
} {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "tulip", file))
	require.NoError(t, err)
	defer f.Close()
	r, err := gzip.NewReader(f)
	require.NoError(t, err)
	all := map[string]struct {
		Beg int
		Out map[string][]float64
	}{}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var record struct {
			Func string
			Beg  int
			Out  map[string][]any
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &record))
		out := map[string][]float64{}
		for name, values := range record.Out {
			for _, v := range values {
				x, ok := v.(float64)
				if !ok {
					x = math.NaN()
				}
				out[name] = append(out[name], x)
			}
		}
		all[record.Func] = struct {
			Beg int
			Out map[string][]float64
		}{record.Beg, out}
	}
	require.NoError(t, lines.Err())
	return all
}

// Tulip agrees with the book on these from its first value on, or from `from` on
// where its averages start differently and forget it.
func TestBookDefinitionsMatchTulip(t *testing.T) {
	for file, bars := range map[string]string{"spy502.jsonl.gz": "spy502.csv", "btc1246.jsonl.gz": "btc1246.csv"} {
		s := readBars(t, bars)
		all := tulip(t, file)
		for column, output := range map[string]string{"msw_sine": "Sine", "msw_lead": "Lead"} { // its π has seven digits
			got := compute(t, s, "MSW", output, 10)
			for k, want := range all["msw"].Out[column] {
				require.InDelta(t, want, got[all["msw"].Beg+k], 1e-4)
			}
		}
		for _, row := range []struct {
			tulip, column, name, output string
			params                      p
			scale                       float64
			from                        int
		}{
			{"ad", "ad", "ADL", "ADL", nil, 1, 0},
			{"ao", "ao", "Awesome", "AO", nil, 1, 0},
			{"apo", "apo", "APO", "APO", nil, 1, 400},
			{"atr", "atr", "ATR", "ATR", p{14}, 1, 400},
			{"avgprice", "avgprice", "PriceForms", "OHLC4", nil, 1, 0},
			{"bbands", "bbands_upper", "Bollinger", "Upper", p{20, 2}, 1, 0},
			{"bop", "bop", "BOP", "BOP", p{1}, 1, 0},
			{"cci", "cci", "CCI", "CCI", p{20}, 1, 0},
			{"cmo", "cmo", "CMO", "CMO", p{14}, 1, 0},
			{"cvi", "cvi", "CVI", "CVI", p{10}, 1, 0},
			{"decay", "decay", "Decay", "Decay", p{5}, 1, 0},
			{"dema", "dema", "DEMA", "DEMA", p{20}, 1, 450},
			{"dpo", "dpo", "DPO", "DPO", p{20}, 1, 0},
			{"edecay", "edecay", "EDecay", "EDecay", p{5}, 1, 0},
			{"ema", "ema", "EMA", "EMA", p{20}, 1, 400},
			{"emv", "emv", "EaseOfMovement", "EMV", p{14, 10000}, 1, 0},
			{"fosc", "fosc", "FOSC", "FOSC", p{14}, 1, 0},
			{"hma", "hma", "HMA", "HMA", p{16}, 1, 0},
			{"kama", "kama", "KAMA", "KAMA", p{10, 2, 30}, 1, 0},
			{"lag", "lag", "Lag", "Lag", p{5}, 1, 0},
			{"linreg", "linreg", "LinearRegression", "LinReg", p{14}, 1, 0},
			{"linregslope", "linregslope", "LinearRegression", "Slope", p{14}, 1, 0},
			{"marketfi", "marketfi", "MarketFacilitation", "MFI", nil, 1, 0},
			{"mass", "mass", "MassIndex", "Mass", p{25, 9}, 1, 400},
			{"max", "max", "Extremes", "Max", p{20}, 1, 0},
			{"md", "md", "MeanDeviation", "MAD", p{20}, 1, 0},
			{"medprice", "medprice", "PriceForms", "HL2", nil, 1, 0},
			{"mfi", "mfi", "MFI", "MFI", p{14}, 1, 0},
			{"min", "min", "Extremes", "Min", p{20}, 1, 0},
			{"mom", "mom", "Momentum", "Momentum", p{10}, 1, 0},
			{"natr", "natr", "NATR", "NATR", p{14}, 1, 400},
			{"nvi", "nvi", "NVI", "NVI", nil, 1, 0},
			{"obv", "obv", "OBV", "OBV", nil, 1, 0},
			{"ppo", "ppo", "PPO", "PPO", nil, 1, 400},
			{"pvi", "pvi", "PVI", "PVI", nil, 1, 0},
			{"qstick", "qstick", "QStick", "QStick", p{10}, 1, 0},
			{"roc", "roc", "ROC", "ROC", p{10}, 0.01, 0},
			{"rsi", "rsi", "RSI", "RSI", p{14}, 1, 0},
			{"sma", "sma", "SMA", "SMA", p{20}, 1, 0},
			{"stddev", "stddev", "StdDev", "StdDev", p{20}, 1, 0},
			{"stderr", "stderr", "StdDev", "StdErr", p{20}, 1, 0},
			{"stoch", "stoch_k", "Stochastic", "K", p{14, 3, 3}, 1, 0},
			{"stoch", "stoch_d", "Stochastic", "D", p{14, 3, 3}, 1, 0},
			{"stochrsi", "stochrsi", "StochRSI", "K", p{14, 14, 1, 1}, 0.01, 0},
			{"sum", "sum", "Sum", "Sum", p{20}, 1, 0},
			{"tema", "tema", "TEMA", "TEMA", p{20}, 1, 450},
			{"tr", "tr", "TrueRange", "TR", nil, 1, 1},
			{"trima", "trima", "TRIMA", "TRIMA", p{20}, 1, 0},
			{"tsf", "tsf", "LinearRegression", "Forecast", p{14}, 1, 0},
			{"typprice", "typprice", "PriceForms", "HLC3", nil, 1, 0},
			{"ultosc", "ultosc", "Ultimate", "UO", nil, 1, 0},
			{"var", "var", "StdDev", "Variance", p{20}, 1, 0},
			{"vhf", "vhf", "VHF", "VHF", p{28}, 1, 0},
			{"vosc", "vosc", "VOSC", "VOSC", nil, 1, 0},
			{"vwma", "vwma", "VWMA", "VWMA", p{20}, 1, 0},
			{"wad", "wad", "WAD", "WAD", nil, 1, 0},
			{"wcprice", "wcprice", "PriceForms", "HLCC4", nil, 1, 0},
			{"wilders", "wilders", "SMMA", "SMMA", p{14}, 1, 0},
			{"willr", "willr", "WilliamsR", "WilliamsR", p{14}, 1, 0},
			{"wma", "wma", "WMA", "WMA", p{20}, 1, 0},
			{"zlema", "zlema", "ZLEMA", "ZLEMA", p{20}, 1, 400},
		} {
			t.Run(file+" "+row.column, func(t *testing.T) {
				record := all[row.tulip]
				got := compute(t, s, row.name, row.output, row.params...)
				require.NotEmpty(t, record.Out[row.column])
				for k, want := range record.Out[row.column] {
					if i := record.Beg + k; i >= row.from && !math.IsNaN(want) && !math.IsInf(want, 0) {
						require.InDelta(t, want, got[i]*row.scale, 1e-7*max(1, math.Abs(want)), "bar %d", i)
					}
				}
			})
		}
	}
}
