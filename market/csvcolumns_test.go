package market_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
)

func TestColumnsHaveTheBarsOfTheFileAndWhateverStandsBesideThem(t *testing.T) {
	path := sharedtest.Path(t, "vectors", "ohlcv", "spy502.csv")
	bars, err := market.OpenBars(path, nil)
	require.NoError(t, err)
	file, err := market.OpenColumns(path, nil)
	require.NoError(t, err)
	require.Equal(t, len(bars.Bars), file.Len())
	assert.Equal(t, market.Day, file.Interval)
	last, err := file.Column("CLOSE")
	require.NoError(t, err)
	for i, b := range bars.Bars {
		require.Equal(t, b.Close, last[i])
		require.True(t, b.Time.Equal(file.Time[i]))
	}
	assert.Equal(t, "2017-01-03", file.Label[0])
}

func TestColumnsKeepEveryRow(t *testing.T) {
	file, err := market.ReadColumns(strings.NewReader("\"Adj, Close\";Close;Volume;Note\n-1;;\"1,000\";x\n2;5;n/a;\n"), nil)
	require.NoError(t, err)
	assert.Nil(t, file.Time)
	assert.Equal(t, []string{"0", "1"}, file.Label)
	adjusted, err := file.Column("adj, close")
	require.NoError(t, err)
	assert.Equal(t, []float64{-1, 2}, adjusted)
	last, err := file.Column("close")
	require.NoError(t, err)
	assert.True(t, math.IsNaN(last[0]) && last[1] == 5)
	size, err := file.Column("volume")
	require.NoError(t, err)
	assert.True(t, size[0] == 1000 && math.IsNaN(size[1]))
	assert.True(t, file.HasColumn("note"))
	assert.False(t, file.Has("note"))
	var refused *market.FieldError
	_, err = file.Column("note")
	require.ErrorAs(t, err, &refused)
	assert.Contains(t, refused.Allowed, `line 2 has "x"`)
	_, err = file.Column("open")
	require.ErrorAs(t, err, &refused)
}

func TestColumnsOfRowsOutOfOrder(t *testing.T) {
	const text = "time,x\n2024-01-02,1\n2024-01-04,2\n2024-01-03,3\n2024-01-05,4\n2024-01-05,5\n"
	_, err := market.ReadColumns(strings.NewReader(text), nil)
	var refused *market.FieldError
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "line 4, time", refused.Field)
	file, err := market.ReadColumns(strings.NewReader(text), &market.CSVOptions{BadRows: market.SkipBadRows})
	require.NoError(t, err)
	x, err := file.Column("x")
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 2, 4, 5}, x, "rows that are no bars may share a time")
	assert.Len(t, file.Problems, 1)

	bars := "time,open,high,low,close\n2024-01-02,1,1,1,1\n2024-01-02,1,1,1,1\n2024-01-03,1,1,1,1\n"
	file, err = market.ReadColumns(strings.NewReader(bars), nil)
	require.NoError(t, err)
	assert.Equal(t, 2, file.Len(), "a bar that repeats the one before is left out")
}

func FuzzReadColumns(f *testing.F) {
	f.Add("time,close\n2024-01-02,1\n2024-01-03,2\n")
	f.Add("a;b\n1;2\n;\n")
	f.Add("date,time,symbol,open,high,low,close\n2024-01-02,09:30,SPY,1,2,0,1\n2024-01-02,09:31,SPY,1,2,3,1\n")
	f.Add("time\n5\n")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := market.ReadColumns(strings.NewReader(text), &market.CSVOptions{BadRows: market.SkipBadRows})
		if err != nil {
			return
		}
		require.NotZero(t, file.Len())
		require.True(t, file.Time == nil || len(file.Time) == file.Len())
		for _, name := range file.Names {
			if column, err := file.Column(name); err == nil {
				require.Len(t, column, file.Len(), name)
			}
		}
	})
}
