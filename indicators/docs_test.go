package indicators_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/doc/comment"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	ta "github.com/ttai-go/ttai/indicators/talib"
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
	writeTALib(t, &b)
	writeFormulas(t, &b, all)
	const file = "../docs/indicators.md"
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	got, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, b.String(), string(got), "run: go test ./indicators -run Documentation -update")
}

// writeTALib lists TA-Lib's functions as the registry has them.
func writeTALib(t *testing.T, b *strings.Builder) {
	all := ta.All()
	fmt.Fprintf(b, "\n## TA-Lib's functions\n\nAll %d, with TA-Lib's parameters, outputs, first bars and values; those that are no candlestick pattern also take UnstablePeriod (usually 0) and Compatibility (0, or 1 for Metastock's start of averages). "+
		"MAType is a number or a name: 0 SMA, 1 EMA, 2 WMA, 3 DEMA, 4 TEMA, 5 TRIMA, 6 KAMA, 7 MAMA, 8 T3. Values agree with TA-Lib 0.6.0 to 1e-9, those made from squares (STDDEV, VAR, BBANDS, CORREL, BETA) to 1e-6, and candlestick events exactly.\n\n"+
		"| name | meaning | inputs | parameters: usual | outputs | warm-up |\n|---|---|---|---|---|---|\n", len(all))
	for _, d := range all {
		stream, err := d.Stream(nil)
		require.NoError(t, err)
		var params, outputs []string
		for _, p := range d.Params {
			if p.Name != "UnstablePeriod" && p.Name != "Compatibility" {
				params = append(params, fmt.Sprintf("%s: %v", p.Name, p.Default))
			}
		}
		for _, o := range d.Outputs {
			text := o.Name
			if o.Overlay {
				text = "*" + text + "*"
			}
			outputs = append(outputs, text)
		}
		fmt.Fprintf(b, "| **%s** | %s | %s | %s | %s | %d |\n", d.Name, d.Summary, strings.Join(d.Inputs, ", "), strings.Join(params, "; "), strings.Join(outputs, ", "), stream.Warmup())
	}
}

// writeFormulas copies what the function of each name says about itself.
func writeFormulas(t *testing.T, b *strings.Builder, all []indicators.Indicator) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	said := map[string]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		require.NoError(t, err)
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Doc != nil {
				said[f.Name.Name] = f.Doc.Text()
			}
		}
	}
	b.WriteString("\n## Formulas and sources\n\nWhat the Go function of each name says. Unknown bars are stepped over by all of them.\n")
	printer := comment.Printer{HeadingLevel: 4, DocLinkURL: func(link *comment.DocLink) string {
		if link.ImportPath == "" && link.Recv == "" {
			return "#" + strings.ToLower(link.Name)
		}
		return "https://pkg.go.dev/github.com/ttai-go/ttai/indicators#" + link.Name
	}}
	known := func(recv, name string) bool { return recv == "" && said[name] != "" }
	for _, d := range all {
		require.NotEmpty(t, said[d.Name], "%s has no function that says what it is", d.Name)
		p := comment.Parser{LookupSym: known}
		fmt.Fprintf(b, "\n### %s\n\n%s", d.Name, printer.Markdown(p.Parse(said[d.Name])))
	}
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
ttai indicators 'SMA(20),SMA(50),talib:MACD' --svg picture.svg bars.csv.gz
` + "```" + `

Results are as long as the input and unknown (NaN, empty in CSV) during warm-up. A bar with an unknown value has an unknown result and changes nothing. No value depends on a later bar: what other programs draw back in time
stands here at the bar that first knows it. ` + "`indicators.Snapshot` and `indicators.Restore`" + ` keep the state of any stream.

Names are found in any case, with or without spaces, hyphens and underscores, and under those of other libraries. ` + "`talib:NAME`" + ` is [TA-Lib's function](#ta-libs-functions), with TA-Lib's values; a name that only TA-Lib has needs no
prefix. ` + "`indicators.Set`" + ` updates many on the same bars, over longer ones too (the RSI of weeks on bars of days, at the bar that ends the week), one of another, and does common work once; ` + "`indicators.Chain`" + ` passes one stream's result to
the next; ` + "`Crosses`, `Thresholds`, `Slopes`, `Inside`, `Divergences`, `Changes`, `Both`, `Either`, `Within` and `Since`" + ` make signals of results. What a bar costs in each is in [speed.md](../indicators/speed.md).

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
| DM, DX, ADX | a bar that moved as far up as down counts for neither (Wilder, TA-Lib) | Tulip: for both |
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
| Crosses | lines that only touch have not crossed | Tulip: leaving a touch is a cross too |
| MACD 12, 26 | factors 2/(n+1), as for every EMA | Tulip: 0.15 and 0.075, which never agree |
| SMI | Blau's stochastic momentum index; SMIErgodic is the other one | pandas-ta calls SMIErgodic smi |
| Klinger, VIDYA | their authors' definitions | Tulip and pandas-ta have variants of VIDYA and the Klinger oscillator |
| Choppiness | true ranges, with the close before | pandas-ta: highs and lows alone |
| EBSW, Entropy, GannHiLo, HWC, Inertia, PGO, PSL, Squeeze, SuperSmoother | their authors' definitions | pandas-ta has variants |
| HistoricalVolatility | sample deviation of logarithmic returns | Tulip: population deviation of simple returns |

`
