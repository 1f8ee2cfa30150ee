package indicators_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

var update = flag.Bool("update", false, "write docs/indicators.md anew")

// docs/indicators.md is written from the registry:
//
//	go test ./indicators -run Documentation -update
func TestDocumentationListsTheRegistry(t *testing.T) {
	var b strings.Builder
	b.WriteString(documentationHead)
	all := indicators.All()
	count := 0
	for _, d := range all {
		if strings.Contains(d.Name, ":") {
			continue
		}
		count++
	}
	fmt.Fprintf(&b, "## The %d indicators\n\nWarm-up is the number of leading bars with an unknown output, at the usual parameters. Outputs in *italics* are drawn over the price, "+
		"those in (parentheses) are unknown wherever there is nothing to report.\n\n"+
		"| name (others) | meaning | inputs | parameters: usual, range | outputs | warm-up |\n|---|---|---|---|---|---|\n", count)
	for _, d := range all {
		if strings.Contains(d.Name, ":") {
			continue
		}
		stream, err := d.Stream(nil)
		require.NoError(t, err)
		name := "**" + d.Name + "**"
		if len(d.Aliases) > 0 {
			name += " (" + strings.Join(d.Aliases, ", ") + ")"
		}
		var params, outputs []string
		for _, p := range d.Params {
			params = append(params, fmt.Sprintf("%s: %v, %v to %v", p.Name, p.Default, p.Min, p.Max))
		}
		for _, o := range d.Outputs {
			text := o.Name
			if o.Overlay {
				text = "*" + text + "*"
			}
			if o.Sparse {
				text = "(" + text + ")"
			}
			outputs = append(outputs, text)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %d |\n", name, d.Summary, strings.Join(d.Inputs, ", "), strings.Join(params, "; "), strings.Join(outputs, ", "), stream.Warmup())
	}
	const file = "../docs/indicators.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(got), "run: go test ./indicators -run Documentation -update")
}

const documentationHead = `# Indicators

Every indicator has a function over whole columns, a stream that takes one bar at a time and gives the same bits, and an entry in the registry that the command line and the tools use:

` + "```" + `go
keltner := indicators.Keltner(indicators.KeltnerValues{}, high, low, close, 20, 2, 10)

stream, err := indicators.NewKeltner(20, 2, 10)
point := stream.Update(high, low, close)  // Peek for a bar that is not finished

entry, err := indicators.Find("keltner")
columns, err := entry.Batch(nil, [][]float64{high, low, close}, nil)
` + "```" + `

` + "```" + `
ttai indicators Keltner --param n=20 --param atr=10 bars.csv
` + "```" + `

Results are as long as the input and unknown (NaN, empty in CSV) during warm-up. A bar with an unknown value has an unknown result and changes nothing. No value depends on a later bar: what other programs draw back in time
stands here at the bar that first knows it. ` + "`indicators.Snapshot` and `indicators.Restore`" + ` keep the state of any stream.

This page is written from the registry: ` + "`go test ./indicators -run Documentation -update`" + `.

## Why is my RSI not TradingView's?

Nearly always because there are too few bars before the one you compare. An average that remembers everything (EMA, RSI, ATR, ADX, MACD …) starts from a guess, and the guess fades: after n bars of an EMA over n, 13 % of it is left,
after 5n less than 0.01 %; Wilder's averages (RSI, ATR, ADX) need twice as many bars. Load some 250 bars before the first one you look at. The other causes are prices adjusted for dividends on one side only, and other trading hours.

The names above follow their books and the conventions of TradingView and Stock.Indicators. These are the differences that stay:

| indicator | here | elsewhere |
|---|---|---|
| EMA and all that use it | starts from the simple average of the first n | Tulip and pandas-ta: from the first value |
| MACD, PPO | both averages start at their own first n values | TA-Lib starts the fast one late, so that both end their start on one bar |
| DEMA, TEMA, TRIX | all averages start at bar n-1 (Stock.Indicators) | TA-Lib and Tulip start each where the one before has n values |
| T3, SMI | averages start from the first value | TA-Lib: from simple averages |
| RSI of a flat market | 100 (TradingView) | TA-Lib 0, others 50 |
| ATR | the first bar has no true range | Tulip counts high-low of the first bar |
| ADX, DX | averages of n values | TA-Lib's first sum has n-1; TA-Lib's ADXR looks back n-1 bars, not n |
| CMO | plain sums (Chande) | TA-Lib smooths them like the RSI and never agrees |
| Aroon | the earliest of equal extremes counts | TA-Lib: the latest |
| OBV | starts at 0 | TA-Lib: at the first volume |
| Bollinger, StdDev, ZScore | population deviation (divided by n) | pandas-ta: sample (n-1) |
| StochRSI | TradingView's: K is smoothed too | TA-Lib smooths D alone |
| Stochastic without range | 0 | others NaN or the value before |
| WilliamsR, IBS without range | NaN | TA-Lib 0 |
| Donchian | without the current bar; shift=0 for TradingView's | TradingView counts it |
| DPO, Fractal, ZigZag, Ichimoku's Chikou | at the bar that knows the value | drawn back in time |
| StdDevChannels | each bar its own line | Stock.Indicators redraws them back from the last bar |
| ParabolicSAR | from the second bar | Stock.Indicators leaves the first trend out; TA-Lib guesses the first direction from the movement |
| VolatilityStop | from bar n+1 | Stock.Indicators leaves out what is before the first stop |
| HilbertTrendline, MAMA | the book's start with zeros | TA-Lib starts later and differs for ever by up to 1 % |
| VWAP | from the first bar given | charts begin anew each session: give it one session's bars |
| HistoricalVolatility | sample deviation of logarithmic returns | Tulip: population deviation of simple returns |

`
