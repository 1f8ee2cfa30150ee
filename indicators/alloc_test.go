package indicators_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
)

// The rows of the typed tests start from empty destinations: what they allocate
// is results, one column for each output and the rows' own list of them.
func TestTheFunctionsAllocateNothingButTheirResults(t *testing.T) {
	if racing {
		t.Skip("pools")
	}
	s := readable(300)
	for _, row := range slices.Concat(typedAToC, typedDToL, typedMToR, typedSToZ) {
		outputs := len(row.batch(s))
		least := testing.AllocsPerRun(5, func() { row.batch(s) })
		require.LessOrEqual(t, least, float64(outputs+1), row.name)
	}
}

func TestAReusedDestinationCostsNoAllocation(t *testing.T) {
	if racing {
		t.Skip("pools")
	}
	s := readable(300)
	one := make([]float64, 300)
	bands := indicators.Donchian(indicators.DonchianValues{}, s.High, s.Low, 20, 0)
	cloud := indicators.Ichimoku(indicators.IchimokuValues{}, s.High, s.Low, s.Close, 9, 26, 52)
	for name, f := range map[string]func(){
		"WMA":      func() { one = indicators.WMA(one, s.Close, 20) },
		"CCI":      func() { one = indicators.CCI(one, s.High, s.Low, s.Close, 20) },
		"KAMA":     func() { one = indicators.KAMA(one, s.Close, 10, 2, 30) },
		"Donchian": func() { bands = indicators.Donchian(bands, s.High, s.Low, 20, 0) },
		"Ichimoku": func() { cloud = indicators.Ichimoku(cloud, s.High, s.Low, s.Close, 9, 26, 52) },
	} {
		f()
		require.Zero(t, testing.AllocsPerRun(5, f), name)
	}
}

func TestABatchOfTheDefaultsAllocatesNothing(t *testing.T) {
	if racing {
		t.Skip("pools")
	}
	s := readable(300)
	for _, d := range indicators.All() {
		in := columns(t, s, d)
		dst, err := d.Batch(nil, in, nil)
		require.NoError(t, err)
		require.Zero(t, testing.AllocsPerRun(3, func() { dst, err = d.Batch(dst, in, nil) }), d.Name)
	}
}
