package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

// plainText is the content of a file, or of the same name with .gz.
func plainText(t *testing.T, elements ...string) []byte {
	t.Helper()
	path := sharedtest.Path(t, elements[:len(elements)-1]...) + "/" + elements[len(elements)-1]
	content, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		content, err = os.ReadFile(path + ".gz")
	}
	require.NoError(t, err)
	if bytes.HasPrefix(content, []byte{0x1f, 0x8b}) {
		r, err := gzip.NewReader(bytes.NewReader(content))
		require.NoError(t, err)
		content, err = io.ReadAll(r)
		require.NoError(t, err)
	}
	return content
}

// withUnitAndPeriods writes a reference series with two columns more, as the
// vectors of the math transforms and of MAVP define them.
func withUnitAndPeriods(t *testing.T, series string) string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(plainText(t, "vectors", "ohlcv", series+".csv"))).ReadAll()
	require.NoError(t, err)
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	for i, row := range rows {
		unit, periods := "unit", "periods"
		if i > 0 {
			var high, low, last float64
			for k, x := range []*float64{&high, &low, &last} {
				*x, err = strconv.ParseFloat(row[k+2], 64)
				require.NoError(t, err)
			}
			v := 0.5
			if high != low {
				v = min(max((last-low)/(high-low), 0.01), 0.99)
			}
			unit, periods = strconv.FormatFloat(v, 'g', -1, 64), strconv.Itoa(2+(i-1)%29)
		}
		require.NoError(t, w.Write(append(slices.Clone(row), unit, periods)))
	}
	w.Flush()
	path := filepath.Join(t.TempDir(), series+".csv")
	require.NoError(t, os.WriteFile(path, out.Bytes(), 0o600))
	return path
}

// printed runs the command and returns its columns; an empty cell is NaN.
func printed(t *testing.T, args ...string) map[string][]float64 {
	t.Helper()
	out, problems, code := ttai(t, "", nil, append([]string{"indicators"}, args...)...)
	require.Equal(t, app.ExitOK, code, "%v: %s", args, problems)
	return columnsOf(t, out)
}

func columnsOf(t *testing.T, text string) map[string][]float64 {
	t.Helper()
	r := csv.NewReader(strings.NewReader(text))
	r.ReuseRecord = true
	first, err := r.Read()
	require.NoError(t, err)
	header := slices.Clone(first)
	require.Equal(t, "time", header[0])
	columns := make([][]float64, len(header))
	for {
		row, err := r.Read()
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		for k, cell := range row[1:] {
			v := math.NaN()
			if cell != "" {
				v, err = strconv.ParseFloat(cell, 64)
				require.NoError(t, err)
			}
			columns[k+1] = append(columns[k+1], v)
		}
	}
	named := map[string][]float64{}
	for k, name := range header[1:] {
		named[name] = columns[k+1]
	}
	return named
}

type talibRecord struct {
	Func   string
	Params map[string]float64
	Inputs string
	Beg, N int
	Out    map[string][]any
	Events [][2]int
}

func talibRecords(t *testing.T, file string) (records []talibRecord) {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(plainText(t, "vectors", "talib", file+".jsonl")))
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var r talibRecord
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		records = append(records, r)
	}
	require.NoError(t, lines.Err())
	return records
}

// arguments are those of the command for a record. Moving averages are chosen by
// number, or by name if named.
func (r talibRecord) arguments(unstable string, named bool) []string {
	args := []string{"talib:" + r.Func}
	for name, v := range r.Params {
		value := strconv.FormatFloat(v, 'g', -1, 64)
		if named && strings.HasSuffix(name, "MAType") {
			value = []string{"SMA", "ema", "WMA", "DEMA", "Tema", "TRIMA", "KAMA", "MAMA", "T3"}[int(v)]
		}
		args = append(args, "--param", name+"="+value)
	}
	if unstable != "" && !strings.HasPrefix(r.Func, "CDL") {
		args = append(args, "--param", "UnstablePeriod="+unstable)
	}
	switch {
	case r.Inputs == "unit" && (r.Func == "ADD" || r.Func == "DIV" || r.Func == "MULT" || r.Func == "SUB"):
		args = append(args, "--input", "unit,unit")
	case !strings.Contains(r.Inputs, "ohlcv"):
		args = append(args, "--input", r.Inputs)
	}
	return args
}

// requireTALib compares an output with a record's, bar by bar.
func requireTALib(t *testing.T, r talibRecord, output string, want []any, got []float64) {
	t.Helper()
	tolerance := 1e-9
	if slices.Contains([]string{"STDDEV", "VAR", "BBANDS", "CORREL", "BETA"}, r.Func) {
		tolerance = 1e-6
	}
	require.Len(t, got, r.Beg+r.N, "%s %s", r.Func, output)
	for i, v := range got {
		if i < r.Beg {
			require.True(t, math.IsNaN(v), "%s %s at bar %d: %v in the warm-up", r.Func, output, i, v)
			continue
		}
		x, ok := want[i-r.Beg].(float64)
		if !ok {
			continue // no number in TA-Lib either
		}
		if !(math.Abs(v-x) <= tolerance*math.Max(1, math.Abs(x))) {
			require.FailNow(t, "different", "%s %v %s at bar %d: %v, TA-Lib has %v", r.Func, r.Params, output, i, v, x)
		}
	}
}

// Every record of TA-Lib's output is what the command prints.
func TestTheCommandPrintsTALibsValues(t *testing.T) {
	t.Parallel()
	for _, file := range []struct{ records, series, unstable string }{
		{"spy502", "spy502", ""}, {"btc1246", "btc1246", ""}, {"spy502_unstable30", "spy502", "30"},
	} {
		path := withUnitAndPeriods(t, file.series)
		for k, r := range talibRecords(t, file.records) {
			got := printed(t, append(r.arguments(file.unstable, k%2 == 1), path)...)
			if r.Events != nil || strings.HasPrefix(r.Func, "CDL") {
				require.Len(t, got, 1)
				for _, values := range got {
					requireEvents(t, r, values)
				}
				continue
			}
			require.Len(t, got, len(r.Out), "%s", r.Func)
			for output, want := range r.Out {
				require.Contains(t, got, output, "%s", r.Func)
				requireTALib(t, r, output, want, got[output])
			}
		}
	}
}

func requireEvents(t *testing.T, r talibRecord, got []float64) {
	t.Helper()
	want := make([]float64, r.Beg+r.N)
	for i := range r.Beg {
		want[i] = math.NaN()
	}
	for _, e := range r.Events {
		want[e[0]] = float64(e[1])
	}
	require.Len(t, got, len(want), r.Func)
	for i := range want {
		if want[i] != got[i] && !(math.IsNaN(want[i]) && math.IsNaN(got[i])) {
			require.FailNow(t, "different", "%s at bar %d: %v, TA-Lib has %v", r.Func, i, got[i], want[i])
		}
	}
}

// The candlestick records of the long series, all patterns in one command.
func TestTheCommandPrintsTALibsCandlestickEvents(t *testing.T) {
	t.Parallel()
	for _, series := range []string{"candlezoo", "spx5285", "synthcdl"} {
		records := talibRecords(t, series)
		if series == "synthcdl" {
			records = slices.DeleteFunc(records, func(r talibRecord) bool { return len(r.Func)%3 != 0 }) // a third: it is long
		}
		names := make([]string, len(records))
		for i, r := range records {
			names[i] = "talib:" + r.Func
			var params []string
			for name, v := range r.Params {
				params = append(params, fmt.Sprintf("%s=%v", name, v))
			}
			if params != nil {
				names[i] += "(" + strings.Join(params, ",") + ")"
			}
		}
		path := filepath.Join(t.TempDir(), series+".csv")
		require.NoError(t, os.WriteFile(path, plainText(t, "vectors", "ohlcv", series+".csv"), 0o600))
		got := printed(t, strings.Join(names, ","), path)
		require.Len(t, got, len(records))
		for i, r := range records {
			require.Contains(t, got, names[i])
			requireEvents(t, r, got[names[i]])
		}
	}
}

// What Stock.Indicators publishes for the same bars, as: its file, the request,
// and our outputs with its columns.
var stockIndicatorsRequests = []struct{ file, request, outputs string }{
	{"adl", "ADL", "ADL=adl Multiplier=moneyFlowMultiplier MoneyFlow=moneyFlowVolume"},
	{"alligator", "Alligator", "Jaw=jaw Teeth=teeth Lips=lips"},
	{"alma", "ALMA(9,0.85,6)", "ALMA=alma"},
	{"aroon", "Aroon(25)", "Up=aroonUp Down=aroonDown Oscillator=oscillator"},
	{"atr-stop", "ATRStop(21,3)", "Stop=atrStop Buy=buyStop Sell=sellStop ATR=atr"},
	{"atr", "TrueRange", "TR=tr"},
	{"atr", "ATR(14)", "ATR=atr"},
	{"atr", "NATR(14)", "NATR=atrp"},
	{"tr", "TrueRange", "TR=tr"},
	{"awesome", "Awesome", "AO=oscillator Normalized=normalized"},
	{"bb", "ZScore(20)", "ZScore=zScore"},
	{"bop", "BOP(14)", "BOP=bop"},
	{"cci", "CCI(20)", "CCI=cci"},
	{"chaikin-osc", "ChaikinOscillator", "Oscillator=oscillator"},
	{"chexit", "Chandelier(22,3)", "Long=chandelierExit"},
	{"chop", "Choppiness(14)", "CHOP=chop"},
	{"cmf", "CMF(20)", "CMF=cmf"},
	{"cmo", "CMO(14)", "CMO=cmo"},
	{"crsi", "ConnorsRSI(3,2,100)", "RSI=rsi ConnorsRSI=connorsRsi"},
	{"dema", "DEMA(14)", "DEMA=dema"},
	{"donchian", "Donchian(20)", "Upper=upperBand Middle=centerline Lower=lowerBand Width=width"},
	{"dynamic", "McGinley(14)", "McGinley=dynamic"},
	{"elder-ray", "ElderRay(13)", "EMA=ema Bull=bullPower Bear=bearPower"},
	{"epma", "LinearRegression(10)", "LinReg=epma"},
	{"fcb", "FractalChaosBands(2)", "Upper=upperBand Lower=lowerBand"},
	{"fisher", "Fisher(10)", "Fisher=fisher"},
	{"force", "ForceIndex(2)", "Force=forceIndex"},
	{"gator", "Gator", "Upper=upper Lower=lower UpperExpanding=upperIsExpanding LowerExpanding=lowerIsExpanding"},
	{"heikinashi", "HeikinAshi", "Open=open High=high Low=low Close=close"},
	{"hma", "HMA(14)", "HMA=hma"},
	{"htl", "HilbertTrendline", "Trendline=trendline SmoothPrice=smoothPrice Period=dcPeriods"},
	{"hurst", "Hurst(100)", "Hurst=hurstExponent AnisLloyd=hurstExponentAL"},
	{"ichimoku", "Ichimoku", "Tenkan=tenkanSen Kijun=kijunSen SenkouA=senkouSpanA SenkouB=senkouSpanB"},
	{"kama", "KAMA(10,2,30)", "KAMA=kama"},
	{"kama", "EfficiencyRatio(10)", "ER=er"},
	{"keltner", "Keltner(20,2,10)", "Upper=upperBand Middle=centerline Lower=lowerBand Width=width"},
	{"kvo", "Klinger(34,55,13)", "Oscillator=oscillator Signal=signal"},
	{"ma-env", "MAEnvelopes(20,2.5)", "Middle=centerline Upper=upperEnvelope Lower=lowerEnvelope"},
	{"macd", "EMA(12)", "EMA=fastEma"},
	{"macd", "EMA(26)", "EMA=slowEma"},
	{"mama", "MAMA", "MAMA=mama FAMA=fama"},
	{"mfi", "MFI(14)", "MFI=mfi"},
	{"obv", "OBV", "OBV=obv"},
	{"pmo", "PMO(35,20,10)", "PMO=pmo Signal=signal"},
	{"pvo", "PVO", "PVO=pvo Signal=signal Histogram=histogram"},
	{"roc-wb", "ROCBands(20,5,5)", "ROC=roc EMA=rocEma Upper=upperBand Lower=lowerBand"},
	{"roc", "ROC(14)", "ROC=roc Momentum=momentum"},
	{"rolling-pivots", "RollingPivots(20,0)", "PP=pp S1=s1 S2=s2 S3=s3 R1=r1 R2=r2 R3=r3"},
	{"slope", "Slope(14)", "Slope=slope StdDev=stdDev RSquared=rSquared"},
	{"sma-analysis", "MeanDeviation(20)", "MAD=mad MSE=mse MAPE=mape"},
	{"sma-analysis", "SMA(20)", "SMA=sma"},
	{"smi", "SMI(13,25,2,3)", "SMI=smi Signal=signal"},
	{"smma", "SMMA(20)", "SMMA=smma"},
	{"starc", "STARC(5,2,10)", "Upper=upperBand Middle=centerline Lower=lowerBand"},
	{"stc", "STC(10,23,50)", "STC=stc"},
	{"stdev", "StdDev(14)", "StdDev=stdDev Mean=mean"},
	{"stdev", "ZScore(14)", "ZScore=zScore"},
	{"stoch-rsi", "StochRSI(14,14,1,3)", "K=stochRsi D=signal"},
	{"stoch", "Stochastic(14,3,3)", "K=oscillator D=signal J=percentJ"},
	{"supertrend", "SuperTrend(10,3)", "SuperTrend=superTrend Upper=upperBand Lower=lowerBand"},
	{"t3", "T3(5,0.7)", "T3=t3"},
	{"tema", "TEMA(20)", "TEMA=tema"},
	{"trix", "TRIX(14)", "TRIX=trix"},
	{"tsi", "TSI(25,13,7)", "TSI=tsi Signal=signal"},
	{"ulcer", "Ulcer(14)", "Ulcer=ulcerIndex"},
	{"uo", "Ultimate(7,14,28)", "UO=ultimate"},
	{"vortex", "Vortex(14)", "Plus=pvi Minus=nvi"},
	{"vwap", "VWAP", "VWAP=vwap"},
	{"vwma", "VWMA(14)", "VWMA=vwma"},
	{"willr", "WilliamsR(14)", "WilliamsR=williamsR"},
	{"wma", "WMA(14)", "WMA=wma"},
	{"rsi", "RSI(14)", "RSI=rsi"},
	{"ema", "EMA(20)", "EMA=ema"},
	{"sma", "SMA(20)", "SMA=sma"},
	{"macd", "MACD(12,26,9)", "MACD=macd Signal=signal Histogram=histogram"},
	{"bb", "Bollinger(20,2)", "Middle=sma Upper=upperBand Lower=lowerBand PercentB=percentB Bandwidth=width"},
	{"adx", "ADX(14)", "ADX=adx PlusDI=pdi MinusDI=mdi"},
	{"adx", "DX(14)", "DX=dx"},
	{"adx", "ADXR(14)", "ADXR=adxr"},
}

// stockIndicators returns the columns of one of that library's files; null is NaN.
func stockIndicators(t *testing.T, file string) map[string][]float64 {
	t.Helper()
	var rows []map[string]any
	require.NoError(t, json.Unmarshal(plainText(t, "vectors", "stock_indicators", file+".standard.json"), &rows))
	columns := map[string][]float64{}
	for _, row := range rows {
		for name, value := range row {
			v := math.NaN()
			switch value := value.(type) {
			case float64:
				v = value
			case bool:
				v = 0
				if value {
					v = 1
				}
			}
			columns[name] = append(columns[name], v)
		}
	}
	return columns
}

func TestTheCommandPrintsStockIndicatorsValues(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "spy502.csv")
	require.NoError(t, os.WriteFile(path, plainText(t, "vectors", "ohlcv", "spy502.csv"), 0o600))
	for _, row := range stockIndicatorsRequests {
		want, got := stockIndicators(t, row.file), printed(t, row.request, path)
		for pair := range strings.FieldsSeq(row.outputs) {
			output, column, _ := strings.Cut(pair, "=")
			require.Contains(t, got, output, row.request)
			require.Len(t, got[output], len(want[column]), "%s %s", row.file, column)
			known := 0
			for i, w := range want[column] {
				g := got[output][i]
				if math.IsNaN(w) || math.IsNaN(g) {
					require.Equal(t, math.IsNaN(w), math.IsNaN(g), "%s %s at bar %d: %v, want %v", row.request, output, i, g, w)
					continue
				}
				known++
				if !(math.Abs(g-w) <= 1e-9*math.Max(1, math.Abs(w))) {
					require.FailNow(t, "different", "%s %s at bar %d: %v, want %v", row.request, output, i, g, w)
				}
			}
			require.Positive(t, known, pair)
		}
	}
}
