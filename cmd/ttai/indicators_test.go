package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

// indicatorsOf runs the command on text from standard input.
func indicatorsOf(t *testing.T, text string, args ...string) string {
	t.Helper()
	out, problems, code := ttai(t, text, nil, append(append([]string{"indicators"}, args...), "-")...)
	require.Equal(t, app.ExitOK, code, problems)
	return out
}

func TestIndicatorsReadWhateverStandsInTheFile(t *testing.T) {
	for _, row := range []struct {
		claim, file, want string
		args              []string
	}{
		{"a series shorter than the lookback has no values", "time,close\n2024-01-02,1\n2024-01-03,2\n",
			"time,SMA\n2024-01-02,\n2024-01-03,\n", []string{"SMA", "--param", "n=3"}},
		{"one row", "time,open,high,low,close,volume\n2024-01-02,1,3,1,2,5\n",
			"time,OBV\n2024-01-02,0\n", []string{"OBV"}},
		{"a missing number is an empty cell, and the next row follows as if it had not been there",
			"date,close\n2024-01-02,1\n2024-01-03,\n2024-01-04,NaN\n2024-01-05,2\n",
			"time,SMA\n2024-01-02,\n2024-01-03,\n2024-01-04,\n2024-01-05,1.5\n", []string{"SMA(2)"}},
		{"rows without a time are counted from 0", "close\n1\n2\n3\n", "time,SMA\n0,\n1,1.5\n2,2.5\n", []string{"SMA(2)"}},
		{"a count in place of the time stays", "time,close\n0,1\n1,2\n", "time,SMA\n0,\n1,1.5\n", []string{"SMA(2)"}},
		{"the only column is the input, whatever its name", "day,temperature\n2024-01-02,-4\n2024-01-03,-2\n",
			"time,SMA\n2024-01-02,\n2024-01-03,-3\n", []string{"SMA(2)"}},
		{"any column can be an input", "time,close,open_interest\n2024-01-02,1,1000\n2024-01-03,2,1002\n",
			"time,SMA\n2024-01-02,\n2024-01-03,1001\n", []string{"SMA", "--input", "Open_Interest", "--param", "n=2"}},
		{"several columns, in the order of the inputs", "a,b\n1,10\n2,20\n", "time,Real\n0,-9\n1,-18\n", []string{"talib:sub", "--input", "a,b"}},
		{"columns may be separated by bars", "a,b\n1,10\n2,20\n", "time,Real\n0,9\n1,18\n", []string{"talib:SUB", "--input", "b|a"}},
		{"--input can be repeated", "a,b\n1,10\n2,20\n", "time,Real\n0,9\n1,18\n", []string{"talib:SUB", "--input", "b", "--input", "a"}},
		{"a column's name may have a comma", "\"a,b\",c\n1,10\n2,20\n", "time,Real\n0,-9\n1,-18\n", []string{"talib:SUB", "--input", "a,b", "--input", "c"}},
		{"a column of periods", "time,close,periods\n1,1,2\n2,3,2\n3,8,3\n",
			"time,Real\n1,\n2,\n3,4\n", []string{"talib:MAVP", "--param", "MinPeriod=2", "--param", "MaxPeriod=3"}},
		{"means of prices are inputs too", "time,high,low,close\n1,4,2,9\n2,8,2,9\n", "time,SMA\n1,3\n2,5\n", []string{"SMA(1)", "--input", "hl2"}},
		{"several indicators have their names before their outputs", "close\n1\n2\n",
			"time,SMA(1),SMA(2),PriceVolume.PVOL,PriceVolume.PVR\n0,1,,1,\n1,2,1.5,4,1\n", []string{"SMA(1),SMA(2),PriceVolume", "--input", "close"}},
		{"times with a clock are written with their zone", "time,close\n2024-01-02 09:30,1\n2024-01-02 09:31,2\n",
			"time,SMA\n2024-01-02T09:30:00-05:00,1\n2024-01-02T09:31:00-05:00,2\n", []string{"SMA(1)"}},
		{"the newest row may come first", "time,close\n2024-01-03,2\n2024-01-02,1\n", "time,Lag\n2024-01-02,\n2024-01-03,1\n", []string{"Lag(1)"}},
		{"digits are enough to read the same number back", "close\n0.1\n0.2\n", "time,Sum\n0,\n1,0.30000000000000004\n", []string{"Sum(2)"}},
		{"one symbol of several", "time,symbol,close\n2024-01-02,SPY,1\n2024-01-02,QQQ,7\n", "time,SMA\n2024-01-02,7\n", []string{"SMA(1)", "--symbol", "qqq"}},
		{"columns by other names", "time,last_price\n2024-01-02,4\n2024-01-03,6\n", "time,SMA\n2024-01-02,\n2024-01-03,5\n", []string{"SMA(2)", "--map", "last_price=close"}},
		{"a bad row can be skipped", "time,close\n2024-01-02,4\nnever,5\n2024-01-03,6\n", "time,SMA\n2024-01-02,4\n2024-01-03,6\n", []string{"SMA(1)", "--bad-rows", "skip"}},
	} {
		t.Run(row.claim, func(t *testing.T) {
			if strings.HasPrefix(row.claim, "several indicators") {
				row.file, row.args = "close,volume\n1,1\n2,2\n", row.args[:1]
			}
			assert.Equal(t, row.want, indicatorsOf(t, row.file, row.args...))
		})
	}
}

func TestIndicatorsReadGzipFromAPipe(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte("close\n1\n3\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	assert.Equal(t, "time,SMA\n0,\n1,2\n", indicatorsOf(t, packed.String(), "SMA(2)"))
}

func TestIndicatorsPrintJSONLinesWithNullWhereNothingIsKnown(t *testing.T) {
	out := indicatorsOf(t, "time,close\n2024-01-02,1\n2024-01-03,4\n", "Returns", "--jsonl")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, 2)
	assert.Equal(t, `{"time":"2024-01-02","Return":null,"LogReturn":null}`, lines[0])
	var row map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &row))
	assert.Equal(t, 3.0, row["Return"])
	assert.Equal(t, math.Log(4), row["LogReturn"])
}

func TestWrongIndicatorArgumentsAreExplained(t *testing.T) {
	bars := "time,open,high,low,close\n2024-01-02,1,2,1,2\n"
	for _, row := range []struct {
		file string
		args []string
		want []string
	}{
		{bars, []string{"BOLINGER"}, []string{"did you mean Bollinger?"}},
		{bars, []string{"talib:STOCHRSII"}, []string{"did you mean talib:STOCHRSI?"}},
		{bars, []string{"SMA", "--param", "m=3"}, []string{`"m"`, "one of n"}},
		{bars, []string{"SMA", "--param", "n=0"}, []string{"SMA n", "from 1"}},
		{bars, []string{"SMA", "--param", "n=two"}, []string{"SMA n", `"two"`}},
		{bars, []string{"SMA(2"}, []string{"parentheses"}},
		{bars, []string{"GMMA(2)"}, []string{"no parameters"}},
		{bars, []string{"talib:MA", "--param", "MAType=XMA"}, []string{"SMA, EMA, WMA"}},
		{bars, []string{"talib:BBANDS", "--param", "NbDevUpp=3"}, []string{"did you mean NbDevUp?"}},
		{bars, []string{"RSI,ATR", "--param", "q=3"}, []string{`"q"`}},
		{bars, []string{"RSI,ATR", "--param", "ADX.n=3"}, []string{"ADX.n=3"}},
		{bars, []string{"OBV"}, []string{`"volume"`, "time, open, high, low, close", "--input"}},
		{bars, []string{"ATR", "--input", "close"}, []string{"3 columns for ATR"}},
		{bars, []string{"SMA", "--input", "closed"}, []string{`"closed"`, "a column of the file"}},
		{"time,close\n2024-01-02,one\n", []string{"SMA"}, []string{`line 2 has "one"`}},
		{"time,close\n2024-01-02,1\nyesterday,2\n", []string{"SMA"}, []string{"line 3, time", "--bad-rows=skip"}},
		{"time,open,high,low,close\n2024-01-02,1,2,1,2\n2024-01-02,1,2,1,1\n", []string{"SMA"}, []string{"line 3, time", "other values"}},
		{"", []string{"SMA"}, []string{"empty"}},
	} {
		out, problems, code := ttai(t, row.file, nil, append(append([]string{"indicators"}, row.args...), "-")...)
		assert.Equal(t, app.ExitUsage, code, "%v %s", row.args, problems)
		assert.Empty(t, out, row.args)
		for _, want := range row.want {
			assert.Contains(t, problems, want, row.args)
		}
	}
	_, problems, code := ttai(t, "time,close\n", nil, "indicators", "SMA", "-")
	assert.NotEqual(t, app.ExitOK, code)
	assert.Contains(t, problems, "no rows")
}

func TestAnImpossibleBarIsComputedAndTold(t *testing.T) {
	out, problems, code := ttai(t, "time,high,low,close\n2024-01-02,1,2,1\n", nil, "indicators", "SMA(1)", "-")
	assert.Equal(t, app.ExitOK, code)
	assert.Contains(t, problems, "line 2: the high is below the low")
	assert.Equal(t, "time,SMA\n2024-01-02,1\n", out)
}

func TestAMovingAverageIsChosenByNumberOrName(t *testing.T) {
	file := "close\n1\n5\n2\n8\n"
	byNumber := indicatorsOf(t, file, "talib:MA", "--param", "TimePeriod=2", "--param", "MAType=1")
	assert.Equal(t, byNumber, indicatorsOf(t, file, "talib:MA(TimePeriod=2,MAType=ema)"))
	assert.Equal(t, byNumber, indicatorsOf(t, file, "talib:MA", "--param", "timeperiod=2;matype=EMA"))
	assert.NotEqual(t, byNumber, indicatorsOf(t, file, "talib:MA", "--param", "TimePeriod=2"))
	metastock := indicatorsOf(t, file, "talib:EMA", "--param", "TimePeriod=2", "--param", "Compatibility=metastock")
	assert.Equal(t, metastock, indicatorsOf(t, file, "talib:EMA(2,0,1)"))
	assert.NotEqual(t, metastock, indicatorsOf(t, file, "talib:EMA(2)"))
}

func TestAParameterMayBeThatOfOneIndicatorOfSeveral(t *testing.T) {
	file := "close\n1\n2\n3\n4\n5\n"
	assert.Equal(t, columnsOf(t, indicatorsOf(t, file, "SMA(2)"))["SMA"][1:], columnsOf(t, indicatorsOf(t, file, "SMA,WMA", "--param", "SMA.n=2"))["SMA"][1:])
	both := columnsOf(t, indicatorsOf(t, file, "SMA,WMA", "--param", "n=2"))
	assert.Equal(t, columnsOf(t, indicatorsOf(t, file, "WMA(2)"))["WMA"][1:], both["WMA"][1:])
	assert.Equal(t, 4.5, both["SMA"][4])
}

func TestTheListHasEveryNameAndCanBeSearched(t *testing.T) {
	out, _, code := ttai(t, "", nil, "indicators", "--list")
	require.Equal(t, app.ExitOK, code)
	for _, name := range []string{"RSI ", "Bollinger (BB", "talib:RSI ", "talib:CDLDOJI ", "TimePeriod=14"} {
		assert.Contains(t, out, name)
	}
	out, _, code = ttai(t, "", nil, "indicators", "--list", "keltner")
	require.Equal(t, app.ExitOK, code)
	assert.Contains(t, out, "Keltner")
	assert.NotContains(t, out, "RSI")
	_, problems, code := ttai(t, "", nil, "indicators", "--list", "keltnar")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, problems, "Keltner")
}

func TestIndicatorsAreDrawnOverThePriceOrInPanesOfTheirOwn(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("time,open,high,low,close,volume\n")
	for i := range 28 {
		v := 10 + math.Sin(float64(i))
		fmt.Fprintf(&rows, "2024-02-%02d,%g,%g,%g,%g,100\n", i+1, v, v+1, v-1, v)
	}
	out := indicatorsOf(t, rows.String(), "SMA(5),RSI(5),MACD(3,6,2),talib:CDLDOJI", "--plot", "--width", "90")
	for _, want := range []string{"Price", "SMA(5)", "RSI(5)", "70", "MACD(3,6,2)", "Signal", "talib:CDLDOJI"} {
		assert.Contains(t, out, want)
	}
	assert.NotContains(t, out, "time,", "the picture takes the place of the table")

	path := filepath.Join(t.TempDir(), "picture.svg")
	out, problems, code := ttai(t, rows.String(), nil, "indicators", "Bollinger(5),SMA(3)", "--svg", path, "-")
	require.Equal(t, app.ExitOK, code, problems)
	assert.Empty(t, out)
	assert.Contains(t, problems, "picture.svg")
	svg, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, want := range []string{"<svg", "Upper", "PercentB", "SMA(3)"} {
		assert.Contains(t, string(svg), want)
	}

	out = indicatorsOf(t, rows.String(), "SMA(5)", "--input", "volume", "--plot")
	assert.Contains(t, out, "volume", "an average of volumes lies over the volumes")
	out = indicatorsOf(t, "a\n1\n2\n3\n", "SMA(2)", "--plot")
	assert.Contains(t, out, "SMA(2)", "without prices and times")
	out = indicatorsOf(t, "close\n1\n2\n3\n", "RSI", "--plot")
	assert.Contains(t, out, "No data to show", "nothing but warm-up")
}
