package indicators_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

var nan = math.NaN()

func requireAllNaN(t *testing.T, length int, what string, columns ...[]float64) {
	t.Helper()
	for _, column := range columns {
		require.Len(t, column, length, what)
		for _, v := range column {
			require.True(t, math.IsNaN(v), what)
		}
	}
}

func TestImpossibleParametersGiveNaNThroughout(t *testing.T) {
	s := readable(50)
	for _, n := range []int{0, -3, indicators.MaxPeriod + 1, math.MinInt, math.MaxInt} {
		requireAllNaN(t, 50, "SMA", indicators.SMA(nil, s.Close, n))
		requireAllNaN(t, 50, "EMA", indicators.EMA(nil, s.Close, n))
		requireAllNaN(t, 50, "RSI", indicators.RSI(nil, s.Close, n))
		requireAllNaN(t, 50, "ATR", indicators.ATR(nil, s.High, s.Low, s.Close, n))
		requireAllNaN(t, 50, "HV", indicators.HistoricalVolatility(nil, s.Close, n, 252))
		b := indicators.Bollinger(indicators.BollingerValues{}, s.Close, n, 2)
		requireAllNaN(t, 50, "Bollinger", b.Upper, b.Middle, b.Lower, b.PercentB, b.Bandwidth)
		a := indicators.ADX(indicators.ADXValues{}, s.High, s.Low, s.Close, n)
		requireAllNaN(t, 50, "ADX", a.ADX, a.PlusDI, a.MinusDI)
		m := indicators.MACD(indicators.MACDValues{}, s.Close, 12, 26, n)
		requireAllNaN(t, 50, "MACD", m.MACD, m.Signal, m.Histogram)
	}
	m := indicators.MACD(indicators.MACDValues{}, s.Close, 26, 12, 9)
	requireAllNaN(t, 50, "fast above slow", m.MACD, m.Signal, m.Histogram)
	requireAllNaN(t, 50, "one return has no sample deviation", indicators.HistoricalVolatility(nil, s.Close, 1, 252))
	requireAllNaN(t, 50, "periods per year", indicators.HistoricalVolatility(nil, s.Close, 10, -1))
	requireAllNaN(t, 50, "k", indicators.Bollinger(indicators.BollingerValues{}, s.Close, 10, nan).Upper)
	requireAllNaN(t, 50, "columns of different lengths", indicators.ATR(nil, s.High[1:], s.Low, s.Close, 5),
		indicators.ADX(indicators.ADXValues{}, s.High, s.Low[1:], s.Close, 5).PlusDI)
	requireAllNaN(t, 3, "a period longer than the series", indicators.SMA(nil, s.Close[:3], 4))
	require.Empty(t, indicators.RSI(nil, nil, 14))
}

func TestConstructorsNameTheParameterTheyRefuse(t *testing.T) {
	for want, err := range map[string]error{
		"n":              second(indicators.NewSMA(0)),
		"fast":           second(indicators.NewMACD(26, 12, 9)),
		"slow":           second(indicators.NewMACD(12, 0, 9)),
		"signal":         second(indicators.NewMACD(12, 26, -1)),
		"k":              second(indicators.NewBollinger(20, math.Inf(1))),
		"periodsPerYear": second(indicators.NewHistoricalVolatility(20, 0)),
	} {
		var refused *indicators.FieldError
		require.ErrorAs(t, err, &refused, want)
		assert.Equal(t, want, refused.Field)
	}
	for _, err := range []error{second(indicators.NewEMA(0)), second(indicators.NewRSI(-1)), second(indicators.NewATR(0)),
		second(indicators.NewADX(1 << 40)), second(indicators.NewBollinger(0, 2)), second(indicators.NewHistoricalVolatility(1, 252))} {
		var refused *indicators.FieldError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, "n", refused.Field)
	}
}

func second[T any](_ T, err error) error { return err }

func TestStreamsOfEachKindAnswerLikeTheFunctions(t *testing.T) {
	s := readable(80)
	sma, err := indicators.NewSMA(5)
	require.NoError(t, err)
	ema, err := indicators.NewEMA(5)
	require.NoError(t, err)
	rsi, err := indicators.NewRSI(5)
	require.NoError(t, err)
	macd, err := indicators.NewMACD(5, 9, 4)
	require.NoError(t, err)
	bb, err := indicators.NewBollinger(5, 2)
	require.NoError(t, err)
	atr, err := indicators.NewATR(5)
	require.NoError(t, err)
	adx, err := indicators.NewADX(5)
	require.NoError(t, err)
	hv, err := indicators.NewHistoricalVolatility(5, 252)
	require.NoError(t, err)
	var last []float64
	for i := range s.Len() {
		h, l, c := s.High[i], s.Low[i], s.Close[i]
		last = []float64{sma.Update(c), ema.Update(c), rsi.Update(c), macd.Update(c).Signal, bb.Update(c).Upper, atr.Update(h, l, c), adx.Update(h, l, c).ADX, hv.Update(c)}
	}
	for i, column := range [][]float64{
		indicators.SMA(nil, s.Close, 5), indicators.EMA(nil, s.Close, 5), indicators.RSI(nil, s.Close, 5),
		indicators.MACD(indicators.MACDValues{}, s.Close, 5, 9, 4).Signal,
		indicators.Bollinger(indicators.BollingerValues{}, s.Close, 5, 2).Upper,
		indicators.ATR(nil, s.High, s.Low, s.Close, 5),
		indicators.ADX(indicators.ADXValues{}, s.High, s.Low, s.Close, 5).ADX,
		indicators.HistoricalVolatility(nil, s.Close, 5, 252),
	} {
		assert.Equal(t, column[s.Len()-1], last[i], "stream %d", i)
	}
}

func TestFlatMarkets(t *testing.T) {
	flat := []float64{50.1, 50.1, 50.1, 50.1, 50.1, 50.1, 50.1, 50.1}
	assert.Equal(t, 100.0, indicators.RSI(nil, flat, 3)[7], "as on TradingView")
	assert.Equal(t, 50.1, indicators.EMA(nil, flat, 2)[7])
	b := indicators.Bollinger(indicators.BollingerValues{}, flat, 4, 2)
	assert.Equal(t, []float64{b.Middle[7], b.Middle[7], 0}, []float64{b.Upper[7], b.Lower[7], b.Bandwidth[7]})
	assert.True(t, math.IsNaN(b.PercentB[7]))
	a := indicators.ADX(indicators.ADXValues{}, flat, flat, flat, 2)
	assert.Equal(t, []float64{0, 0, 0}, []float64{a.ADX[7], a.PlusDI[7], a.MinusDI[7]})
	assert.Equal(t, 0.0, indicators.HistoricalVolatility(nil, flat, 3, 252)[7])
}

func TestDestinationsAreReusedWithoutAllocation(t *testing.T) {
	if racing {
		t.Skip("pools")
	}
	s := readable(300)
	one := make([]float64, 300)
	macd := indicators.MACD(indicators.MACDValues{}, s.Close, 12, 26, 9)
	bb := indicators.Bollinger(indicators.BollingerValues{}, s.Close, 20, 2)
	adx := indicators.ADX(indicators.ADXValues{}, s.High, s.Low, s.Close, 14)
	require.Zero(t, testing.AllocsPerRun(5, func() {
		one = indicators.SMA(one, s.Close, 200)
		one = indicators.EMA(one, s.Close, 20)
		one = indicators.RSI(one, s.Close, 14)
		one = indicators.ATR(one, s.High, s.Low, s.Close, 14)
		one = indicators.HistoricalVolatility(one, s.Close, 20, 252)
		macd = indicators.MACD(macd, s.Close, 12, 26, 9)
		bb = indicators.Bollinger(bb, s.Close, 20, 2)
		adx = indicators.ADX(adx, s.High, s.Low, s.Close, 14)
	}))
	sma, err := indicators.NewSMA(20)
	require.NoError(t, err)
	bands, err := indicators.NewBollinger(20, 2)
	require.NoError(t, err)
	require.Zero(t, testing.AllocsPerRun(100, func() { sma.Update(1); sma.Peek(2); bands.Update(1); bands.Peek(2) }))

	want := indicators.SMA(nil, s.Close, 5)
	inPlace := append([]float64(nil), s.Close...)
	got := indicators.SMA(inPlace, inPlace, 5)
	require.Equal(t, want[4:], got[4:])
	require.Same(t, &inPlace[0], &got[0])
}

func TestRegistryFindsByNameAndAlias(t *testing.T) {
	var names []string
	for _, d := range indicators.All() {
		names = append(names, d.Name)
		require.NotEmpty(t, d.Summary)
		require.NotEmpty(t, d.Inputs)
		require.NotEmpty(t, d.Outputs)
		for _, p := range d.Params {
			require.True(t, p.Min <= p.Default && p.Default <= p.Max, "%s %s", d.Name, p.Name)
		}
		found, ok := indicators.Lookup(d.Name)
		require.True(t, ok)
		require.Equal(t, d.Name, found.Name)
	}
	require.Subset(t, names, []string{"ADX", "ATR", "Bollinger", "EMA", "HistoricalVolatility", "MACD", "RSI", "SMA"})
	seen := map[string]string{}
	for _, d := range indicators.All() {
		for _, name := range append([]string{d.Name}, d.Aliases...) {
			require.Empty(t, seen[strings.ToLower(name)], "%s is both %s and", name, d.Name)
			seen[strings.ToLower(name)] = d.Name
		}
	}
	for asked, want := range map[string]string{" rsi ": "RSI", "bb": "Bollinger", "Hv": "HistoricalVolatility"} {
		d, ok := indicators.Lookup(asked)
		require.True(t, ok, asked)
		require.Equal(t, want, d.Name)
	}
	_, ok := indicators.Lookup("moonphase")
	require.False(t, ok)
	_, err := indicators.Find("macdd")
	require.EqualError(t, err, `indicator: "macdd" is not allowed; want the name of an indicator; did you mean MACD?`)
	_, err = indicators.Find("bolinger band")
	require.ErrorContains(t, err, "did you mean BollingerBands?")
	_, err = indicators.Find("moonphase")
	require.ErrorContains(t, err, "such as RSI")
}

func TestRegistryRefusesWhatItCannotCompute(t *testing.T) {
	s := readable(40)
	macd, err := indicators.Find("MACD")
	require.NoError(t, err)
	atr, err := indicators.Find("ATR")
	require.NoError(t, err)
	for name, row := range map[string]struct {
		d      indicators.Indicator
		in     [][]float64
		params []float64
		field  string
	}{
		"fraction of a bar": {macd, [][]float64{s.Close}, []float64{1.5}, "fast"},
		"unknown period":    {macd, [][]float64{s.Close}, []float64{12, nan}, "slow"},
		"fast above slow":   {macd, [][]float64{s.Close}, []float64{30, 26}, "fast"},
		"too many":          {macd, [][]float64{s.Close}, []float64{12, 26, 9, 1}, "params"},
		"too few columns":   {atr, [][]float64{s.Close}, nil, "in"},
		"uneven columns":    {atr, [][]float64{s.High, s.Low[1:], s.Close}, nil, "low"},
		"period too long":   {atr, [][]float64{s.High, s.Low, s.Close}, []float64{1e9}, "n"},
	} {
		_, err := row.d.Batch(nil, row.in, row.params)
		var refused *indicators.FieldError
		require.ErrorAs(t, err, &refused, name)
		assert.Equal(t, row.field, refused.Field, name)
	}
	_, err = macd.Stream([]float64{0})
	require.Error(t, err)
	_, err = indicators.Columns(s, []string{"close", "vwap"})
	require.ErrorContains(t, err, "vwap")
}

func TestRegistryBatchReusesItsDestination(t *testing.T) {
	s := readable(100)
	d, err := indicators.Find("MACD")
	require.NoError(t, err)
	in, err := indicators.Columns(s, d.Inputs)
	require.NoError(t, err)
	dst, err := d.Batch(nil, in, nil)
	require.NoError(t, err)
	require.Equal(t, bitsOf(indicators.MACD(indicators.MACDValues{}, s.Close, 12, 26, 9).Signal), bitsOf(dst[1]), "defaults are 12, 26 and 9")
	params := []float64{12, 26, 9}
	if !racing {
		require.Zero(t, testing.AllocsPerRun(10, func() { dst, err = d.Batch(dst, in, params) }))
	}

	all, err := indicators.Columns(market.NewSeries("", market.Day, []market.Bar{{Open: 1, High: 2, Low: 3, Close: 4, Volume: 5}}),
		[]string{"open", "High", "low", "close", "VOLUME"})
	require.NoError(t, err)
	require.Equal(t, [][]float64{{1}, {2}, {3}, {4}, {5}}, all)
}

func bitsOf(values []float64) []uint64 {
	b := make([]uint64, len(values))
	for i, v := range values {
		b[i] = bits(v)
	}
	return b
}
