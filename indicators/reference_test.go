package indicators_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

// readBars returns the bars of a reference series.
func readBars(t testing.TB, name string) market.Series {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "ohlcv", name))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	var bars []market.Bar
	for _, row := range rows[1:] {
		var v [5]float64
		for i := range v {
			v[i], err = strconv.ParseFloat(row[i+1], 64)
			require.NoError(t, err)
		}
		when, _ := time.Parse(time.DateOnly, row[0])
		bars = append(bars, market.Bar{Time: when, Open: v[0], High: v[1], Low: v[2], Close: v[3], Volume: v[4]})
	}
	return market.NewSeries("", market.Day, bars)
}

// stockIndicators returns one column of an expected result of the library
// Stock.Indicators, NaN for null.
func stockIndicators(t testing.TB, file, column string) []float64 {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "stock_indicators", file+".standard.json.gz"))
	require.NoError(t, err)
	defer f.Close()
	r, err := gzip.NewReader(f)
	require.NoError(t, err)
	var rows []map[string]any
	require.NoError(t, json.NewDecoder(r).Decode(&rows))
	values := make([]float64, len(rows))
	for i, row := range rows {
		require.Contains(t, row, column)
		switch v := row[column].(type) {
		case float64:
			values[i] = v
		case bool:
			if v {
				values[i] = 1
			}
		default:
			values[i] = math.NaN()
		}
	}
	return values
}

// pointTypes returns the kinds of turning points in an expected result, "" for none.
func pointTypes(t testing.TB, file string) []string {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "stock_indicators", file+".standard.json.gz"))
	require.NoError(t, err)
	defer f.Close()
	r, err := gzip.NewReader(f)
	require.NoError(t, err)
	var rows []struct{ PointType string }
	require.NoError(t, json.NewDecoder(r).Decode(&rows))
	kinds := make([]string, len(rows))
	for i, row := range rows {
		kinds[i] = row.PointType
	}
	return kinds
}

type talibRecord struct {
	Func   string
	Params map[string]float64
	Inputs string
	Beg    int
	Out    map[string][]float64
}

// talib returns TA-Lib's results of one function, all its parameter sets.
func talib(t testing.TB, file, name string) (records []talibRecord) {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "talib", file))
	require.NoError(t, err)
	defer f.Close()
	r, err := gzip.NewReader(f)
	require.NoError(t, err)
	prefix := fmt.Sprintf(`{"func":%q,`, name)
	for lines := bufio.NewReader(r); ; {
		line, err := lines.ReadString('\n')
		if strings.HasPrefix(line, prefix) {
			var record talibRecord
			require.NoError(t, json.Unmarshal([]byte(line), &record))
			records = append(records, record)
		}
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
			break
		}
	}
	require.NotEmpty(t, records)
	return records
}

// requireEqual compares columns to a relative tolerance; NaN equals NaN only.
func requireEqual(t testing.TB, want, got []float64, tolerance float64, what string) {
	t.Helper()
	require.Len(t, got, len(want), what)
	worst, known := 0.0, 0
	for i := range want {
		require.Equal(t, math.IsNaN(want[i]), math.IsNaN(got[i]), "%s at bar %d: want %v, got %v", what, i, want[i], got[i])
		if math.IsNaN(want[i]) {
			continue
		}
		known++
		e := math.Abs(got[i] - want[i])
		if scale := math.Abs(want[i]); scale > 1e-3 {
			e /= scale
		}
		worst = max(worst, e)
		require.LessOrEqual(t, e, tolerance, "%s at bar %d: want %v, got %v", what, i, want[i], got[i])
	}
	require.Positive(t, known, what)
	t.Logf("%s: %d values, worst error %.2g", what, known, worst)
}

func TestIndicatorsMatchStockIndicators(t *testing.T) {
	s := readBars(t, "spy502.csv")
	macd := indicators.MACD(indicators.MACDValues{}, s.Close, 12, 26, 9)
	bb := indicators.Bollinger(indicators.BollingerValues{}, s.Close, 20, 2)
	adx := indicators.ADX(indicators.ADXValues{}, s.High, s.Low, s.Close, 14)
	for _, row := range []struct {
		file, column string
		got          []float64
	}{
		{"sma", "sma", indicators.SMA(nil, s.Close, 20)},
		{"ema", "ema", indicators.EMA(nil, s.Close, 20)},
		{"rsi", "rsi", indicators.RSI(nil, s.Close, 14)},
		{"macd", "macd", macd.MACD},
		{"macd", "signal", macd.Signal},
		{"macd", "histogram", macd.Histogram},
		{"bb", "sma", bb.Middle},
		{"bb", "upperBand", bb.Upper},
		{"bb", "lowerBand", bb.Lower},
		{"bb", "percentB", bb.PercentB},
		{"bb", "width", bb.Bandwidth},
		{"atr", "atr", indicators.ATR(nil, s.High, s.Low, s.Close, 14)},
		{"adx", "adx", adx.ADX},
		{"adx", "pdi", adx.PlusDI},
		{"adx", "mdi", adx.MinusDI},
	} {
		requireEqual(t, stockIndicators(t, row.file, row.column), row.got, 1e-11, row.file+" "+row.column)
	}
}

// TA-Lib agrees with the book on these; its MACD and ADX start differently. Its
// Bollinger bands keep sums of squares, good to 1e-6.
func TestIndicatorsMatchTALib(t *testing.T) {
	for file, bars := range map[string]string{"spy502.jsonl.gz": "spy502.csv", "btc1246.jsonl.gz": "btc1246.csv"} {
		s := readBars(t, bars)
		compare := func(name, output string, tolerance float64, run func(n int, r talibRecord) []float64) {
			for _, r := range talib(t, file, name) {
				if r.Params["MAType"] != 0 {
					continue
				}
				n := int(r.Params["TimePeriod"])
				want := make([]float64, s.Len())
				for i := range want {
					want[i] = math.NaN()
				}
				copy(want[r.Beg:], r.Out[output])
				requireEqual(t, want, run(n, r), tolerance, file+" "+name+" "+output)
			}
		}
		compare("SMA", "Real", 1e-11, func(n int, _ talibRecord) []float64 { return indicators.SMA(nil, s.Close, n) })
		compare("EMA", "Real", 1e-11, func(n int, _ talibRecord) []float64 { return indicators.EMA(nil, s.Close, n) })
		compare("RSI", "Real", 1e-11, func(n int, _ talibRecord) []float64 { return indicators.RSI(nil, s.Close, n) })
		compare("ATR", "Real", 1e-11, func(n int, _ talibRecord) []float64 { return indicators.ATR(nil, s.High, s.Low, s.Close, n) })
		compare("BBANDS", "RealUpperBand", 1e-6, func(n int, r talibRecord) []float64 {
			return indicators.Bollinger(indicators.BollingerValues{}, s.Close, n, r.Params["NbDevUp"]).Upper
		})
		compare("BBANDS", "RealLowerBand", 1e-6, func(n int, r talibRecord) []float64 {
			return indicators.Bollinger(indicators.BollingerValues{}, s.Close, n, r.Params["NbDevDn"]).Lower
		})
	}
}

// The definition, in plain loops over the window.
func TestHistoricalVolatilityIsTheDeviationOfReturns(t *testing.T) {
	s := readBars(t, "spy502.csv")
	const n = 30
	got := indicators.HistoricalVolatility(nil, s.Close, n, 252)
	for i := range got {
		if i < n {
			require.True(t, math.IsNaN(got[i]), "bar %d", i)
			continue
		}
		var mean, squares float64
		for j := i - n + 1; j <= i; j++ {
			mean += math.Log(s.Close[j]/s.Close[j-1]) / n
		}
		for j := i - n + 1; j <= i; j++ {
			r := math.Log(s.Close[j]/s.Close[j-1]) - mean
			squares += r * r
		}
		require.InEpsilon(t, math.Sqrt(squares/(n-1)*252), got[i], 1e-12, "bar %d", i)
	}
}

// TA-Lib's sums of squares lose 18 % of the deviation at such prices, and
// everything after an outlier.
func TestBollingerKeepsItsDigitsAtHighPricesAndAfterASpike(t *testing.T) {
	const n = 20
	x := make([]float64, 5000)
	for i := range x {
		x[i] = 60_000 + 0.1*math.Sin(float64(i*i))
	}
	x[1000] = 1e12
	got := indicators.Bollinger(indicators.BollingerValues{}, x, n, 1)
	for i := n - 1; i < len(x); i++ {
		// Exact to the last place but two: deviations from the window's first value.
		var sum, squares float64
		for j := i - n + 1; j <= i; j++ {
			sum += x[j] - x[i-n+1]
		}
		for j := i - n + 1; j <= i; j++ {
			d := x[j] - x[i-n+1] - sum/n
			squares += d * d
		}
		deviation := math.Sqrt(squares / n)
		// The bands themselves are rounded at the price, not at the deviation.
		assert.InDelta(t, deviation, (got.Upper[i]-got.Lower[i])/2, 1e-12*deviation+2e-11, "bar %d", i)
	}
}

func TestSMADoesNotDrift(t *testing.T) {
	x := make([]float64, 300_000)
	seed := uint64(1)
	for i := range x {
		seed = seed*6364136223846793005 + 1442695040888963407
		x[i] = float64(seed>>11) / (1 << 53) * 1e6
	}
	x[5] = 1e15
	got := indicators.SMA(nil, x, 20)
	for i := len(x) - 1000; i < len(x); i++ {
		sum := 0.0
		for _, v := range x[i-19 : i+1] {
			sum += v
		}
		require.InEpsilon(t, sum/20, got[i], 1e-14)
	}
}
