package talib_test

import (
	"math"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/talib"
)

func TestTheFunctionOfEachNameComputesWhatLookupDoes(t *testing.T) {
	functions := map[string]any{
		"ACCBANDS":            talib.ACCBANDS,
		"BBANDS":              talib.BBANDS,
		"DEMA":                talib.DEMA,
		"EMA":                 talib.EMA,
		"HT_TRENDLINE":        talib.HT_TRENDLINE,
		"KAMA":                talib.KAMA,
		"MA":                  talib.MA,
		"MAMA":                talib.MAMA,
		"MAVP":                talib.MAVP,
		"MIDPOINT":            talib.MIDPOINT,
		"MIDPRICE":            talib.MIDPRICE,
		"SAR":                 talib.SAR,
		"SAREXT":              talib.SAREXT,
		"SMA":                 talib.SMA,
		"T3":                  talib.T3,
		"TEMA":                talib.TEMA,
		"TRIMA":               talib.TRIMA,
		"WMA":                 talib.WMA,
		"ADX":                 talib.ADX,
		"ADXR":                talib.ADXR,
		"APO":                 talib.APO,
		"AROON":               talib.AROON,
		"AROONOSC":            talib.AROONOSC,
		"BOP":                 talib.BOP,
		"CCI":                 talib.CCI,
		"CMO":                 talib.CMO,
		"DX":                  talib.DX,
		"IMI":                 talib.IMI,
		"MACD":                talib.MACD,
		"MACDEXT":             talib.MACDEXT,
		"MACDFIX":             talib.MACDFIX,
		"MFI":                 talib.MFI,
		"MINUS_DI":            talib.MINUS_DI,
		"MINUS_DM":            talib.MINUS_DM,
		"MOM":                 talib.MOM,
		"PLUS_DI":             talib.PLUS_DI,
		"PLUS_DM":             talib.PLUS_DM,
		"PPO":                 talib.PPO,
		"ROC":                 talib.ROC,
		"ROCP":                talib.ROCP,
		"ROCR":                talib.ROCR,
		"ROCR100":             talib.ROCR100,
		"RSI":                 talib.RSI,
		"STOCH":               talib.STOCH,
		"STOCHF":              talib.STOCHF,
		"STOCHRSI":            talib.STOCHRSI,
		"TRIX":                talib.TRIX,
		"ULTOSC":              talib.ULTOSC,
		"WILLR":               talib.WILLR,
		"AD":                  talib.AD,
		"ADOSC":               talib.ADOSC,
		"OBV":                 talib.OBV,
		"ATR":                 talib.ATR,
		"NATR":                talib.NATR,
		"TRANGE":              talib.TRANGE,
		"HT_DCPERIOD":         talib.HT_DCPERIOD,
		"HT_DCPHASE":          talib.HT_DCPHASE,
		"HT_PHASOR":           talib.HT_PHASOR,
		"HT_SINE":             talib.HT_SINE,
		"HT_TRENDMODE":        talib.HT_TRENDMODE,
		"AVGPRICE":            talib.AVGPRICE,
		"MEDPRICE":            talib.MEDPRICE,
		"TYPPRICE":            talib.TYPPRICE,
		"WCLPRICE":            talib.WCLPRICE,
		"AVGDEV":              talib.AVGDEV,
		"BETA":                talib.BETA,
		"CORREL":              talib.CORREL,
		"LINEARREG":           talib.LINEARREG,
		"LINEARREG_ANGLE":     talib.LINEARREG_ANGLE,
		"LINEARREG_INTERCEPT": talib.LINEARREG_INTERCEPT,
		"LINEARREG_SLOPE":     talib.LINEARREG_SLOPE,
		"STDDEV":              talib.STDDEV,
		"TSF":                 talib.TSF,
		"VAR":                 talib.VAR,
		"ADD":                 talib.ADD,
		"DIV":                 talib.DIV,
		"MULT":                talib.MULT,
		"SUB":                 talib.SUB,
		"MAX":                 talib.MAX,
		"MAXINDEX":            talib.MAXINDEX,
		"MIN":                 talib.MIN,
		"MININDEX":            talib.MININDEX,
		"MINMAX":              talib.MINMAX,
		"MINMAXINDEX":         talib.MINMAXINDEX,
		"SUM":                 talib.SUM,
		"ACOS":                talib.ACOS,
		"ASIN":                talib.ASIN,
		"ATAN":                talib.ATAN,
		"CEIL":                talib.CEIL,
		"COS":                 talib.COS,
		"COSH":                talib.COSH,
		"EXP":                 talib.EXP,
		"FLOOR":               talib.FLOOR,
		"LN":                  talib.LN,
		"LOG10":               talib.LOG10,
		"SIN":                 talib.SIN,
		"SINH":                talib.SINH,
		"SQRT":                talib.SQRT,
		"TAN":                 talib.TAN,
		"TANH":                talib.TANH,
		"CDL2CROWS":           talib.CDL2CROWS,
		"CDL3BLACKCROWS":      talib.CDL3BLACKCROWS,
		"CDL3INSIDE":          talib.CDL3INSIDE,
		"CDL3LINESTRIKE":      talib.CDL3LINESTRIKE,
		"CDL3OUTSIDE":         talib.CDL3OUTSIDE,
		"CDL3STARSINSOUTH":    talib.CDL3STARSINSOUTH,
		"CDL3WHITESOLDIERS":   talib.CDL3WHITESOLDIERS,
		"CDLABANDONEDBABY":    talib.CDLABANDONEDBABY,
		"CDLADVANCEBLOCK":     talib.CDLADVANCEBLOCK,
		"CDLBELTHOLD":         talib.CDLBELTHOLD,
		"CDLBREAKAWAY":        talib.CDLBREAKAWAY,
		"CDLCLOSINGMARUBOZU":  talib.CDLCLOSINGMARUBOZU,
		"CDLCONCEALBABYSWALL": talib.CDLCONCEALBABYSWALL,
		"CDLCOUNTERATTACK":    talib.CDLCOUNTERATTACK,
		"CDLDARKCLOUDCOVER":   talib.CDLDARKCLOUDCOVER,
		"CDLDOJI":             talib.CDLDOJI,
		"CDLDOJISTAR":         talib.CDLDOJISTAR,
		"CDLDRAGONFLYDOJI":    talib.CDLDRAGONFLYDOJI,
		"CDLENGULFING":        talib.CDLENGULFING,
		"CDLEVENINGDOJISTAR":  talib.CDLEVENINGDOJISTAR,
		"CDLEVENINGSTAR":      talib.CDLEVENINGSTAR,
		"CDLGAPSIDESIDEWHITE": talib.CDLGAPSIDESIDEWHITE,
		"CDLGRAVESTONEDOJI":   talib.CDLGRAVESTONEDOJI,
		"CDLHAMMER":           talib.CDLHAMMER,
		"CDLHANGINGMAN":       talib.CDLHANGINGMAN,
		"CDLHARAMI":           talib.CDLHARAMI,
		"CDLHARAMICROSS":      talib.CDLHARAMICROSS,
		"CDLHIGHWAVE":         talib.CDLHIGHWAVE,
		"CDLHIKKAKE":          talib.CDLHIKKAKE,
		"CDLHIKKAKEMOD":       talib.CDLHIKKAKEMOD,
		"CDLHOMINGPIGEON":     talib.CDLHOMINGPIGEON,
		"CDLIDENTICAL3CROWS":  talib.CDLIDENTICAL3CROWS,
		"CDLINNECK":           talib.CDLINNECK,
		"CDLINVERTEDHAMMER":   talib.CDLINVERTEDHAMMER,
		"CDLKICKING":          talib.CDLKICKING,
		"CDLKICKINGBYLENGTH":  talib.CDLKICKINGBYLENGTH,
		"CDLLADDERBOTTOM":     talib.CDLLADDERBOTTOM,
		"CDLLONGLEGGEDDOJI":   talib.CDLLONGLEGGEDDOJI,
		"CDLLONGLINE":         talib.CDLLONGLINE,
		"CDLMARUBOZU":         talib.CDLMARUBOZU,
		"CDLMATCHINGLOW":      talib.CDLMATCHINGLOW,
		"CDLMATHOLD":          talib.CDLMATHOLD,
		"CDLMORNINGDOJISTAR":  talib.CDLMORNINGDOJISTAR,
		"CDLMORNINGSTAR":      talib.CDLMORNINGSTAR,
		"CDLONNECK":           talib.CDLONNECK,
		"CDLPIERCING":         talib.CDLPIERCING,
		"CDLRICKSHAWMAN":      talib.CDLRICKSHAWMAN,
		"CDLRISEFALL3METHODS": talib.CDLRISEFALL3METHODS,
		"CDLSEPARATINGLINES":  talib.CDLSEPARATINGLINES,
		"CDLSHOOTINGSTAR":     talib.CDLSHOOTINGSTAR,
		"CDLSHORTLINE":        talib.CDLSHORTLINE,
		"CDLSPINNINGTOP":      talib.CDLSPINNINGTOP,
		"CDLSTALLEDPATTERN":   talib.CDLSTALLEDPATTERN,
		"CDLSTICKSANDWICH":    talib.CDLSTICKSANDWICH,
		"CDLTAKURI":           talib.CDLTAKURI,
		"CDLTASUKIGAP":        talib.CDLTASUKIGAP,
		"CDLTHRUSTING":        talib.CDLTHRUSTING,
		"CDLTRISTAR":          talib.CDLTRISTAR,
		"CDLUNIQUE3RIVER":     talib.CDLUNIQUE3RIVER,
		"CDLUPSIDEGAP2CROWS":  talib.CDLUPSIDEGAP2CROWS,
		"CDLXSIDEGAP3METHODS": talib.CDLXSIDEGAP3METHODS,
	}
	require.Len(t, functions, 161)
	columns := columnsOf(t, "spy502")
	for name, f := range functions {
		d, ok := talib.Lookup(name)
		require.True(t, ok, name)
		in := inputsOf(columns, d, false)
		want, err := d.Batch(nil, in, nil)
		require.NoError(t, err)
		got := results(f, in, func(i int) float64 { return d.Params[i].Default })
		require.Len(t, got, len(want), name)
		for k := range want {
			require.Len(t, got[k], len(want[k]), name)
			for i := range want[k] {
				require.True(t, same(want[k][i], got[k][i]), "%s output %d at bar %d", name, k, i)
			}
		}
		// Inputs of different lengths, and a parameter out of range, give NaN.
		if len(in) > 1 {
			short := append([][]float64{}, in...)
			short[1] = short[1][1:]
			requireUnknown(t, results(f, short, func(i int) float64 { return d.Params[i].Default }), name)
		}
		if reflect.TypeOf(f).NumIn() > 1+len(in) {
			requireUnknown(t, results(f, in, func(int) float64 { return -1e300 }), name)
		}
	}
}

// results calls a function with no destination, in and the values of param.
func results(f any, in [][]float64, param func(i int) float64) (columns [][]float64) {
	call := reflect.ValueOf(f)
	kind := call.Type()
	args := []reflect.Value{reflect.Zero(kind.In(0))}
	for _, column := range in {
		args = append(args, reflect.ValueOf(column))
	}
	for i := len(args); i < kind.NumIn(); i++ {
		v := param(i - 1 - len(in))
		if kind.In(i).Kind() == reflect.Int {
			args = append(args, reflect.ValueOf(int(max(v, -5))))
		} else {
			args = append(args, reflect.ValueOf(v))
		}
	}
	out := call.Call(args)[0]
	if out.Kind() == reflect.Slice {
		return [][]float64{out.Interface().([]float64)}
	}
	for i := range out.NumField() {
		columns = append(columns, out.Field(i).Interface().([]float64))
	}
	return columns
}

func requireUnknown(t *testing.T, columns [][]float64, name string) {
	t.Helper()
	for _, column := range columns {
		require.Len(t, column, 502, name)
		for _, v := range column {
			require.True(t, math.IsNaN(v), name)
		}
	}
}
