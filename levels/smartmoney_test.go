package levels

import (
	"math"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// The expected results are those of smart-money-concepts on EURUSD quarter hours.
func smartMoney(t *testing.T) (*SmartMoney, market.Series) {
	t.Helper()
	all := rows(t, "vectors", "levels", "eurusd15m.csv.gz")
	bars := make([]market.Bar, len(all))
	for i, r := range all {
		at, err := time.Parse("2006.01.02 15:04:05", r[0])
		require.NoError(t, err)
		bars[i] = market.Bar{Time: at, Open: number(t, r[1]), High: number(t, r[2]), Low: number(t, r[3]), Close: number(t, r[4]), Volume: number(t, r[6])}
	}
	s := market.NewSeries("EUR/USD", market.Minute15, bars)
	m, err := NewSmartMoney(s, 5)
	require.NoError(t, err)
	return m, s
}

// table reads a result: NaN for an empty cell.
func table(t *testing.T, name string) [][]float64 {
	t.Helper()
	all := rows(t, "vectors", "levels", "smc_"+name+".csv.gz")
	out := make([][]float64, len(all))
	for i, r := range all {
		for _, cell := range r {
			out[i] = append(out[i], number(t, cell))
		}
	}
	return out
}

// same compares rows that stand at bars with a table, whose cells are all
// missing where there is none. Prices of the original have single precision.
func same(t *testing.T, want [][]float64, got map[int][]float64, columns ...int) {
	t.Helper()
	differ, compared := 0, 0
	for i, w := range want {
		g, ok := got[i]
		present := false
		for k, c := range columns {
			if !math.IsNaN(w[c]) {
				present = true
			}
			if ok && !(math.IsNaN(w[c]) && math.IsNaN(g[k])) && float32(w[c]) != float32(g[k]) {
				differ++
				if differ < 8 {
					t.Errorf("bar %d column %d: got %v, want %v", i, c, g, w)
				}
			}
		}
		if present != ok {
			differ++
			if differ < 8 {
				t.Errorf("bar %d: got %v, want %v", i, g, w)
			}
		}
		if present {
			compared++
		}
	}
	assert.Zero(t, differ)
	assert.NotZero(t, compared)
	t.Logf("%s rows", strconv.Itoa(compared))
}

func side(up bool) float64 {
	if up {
		return 1
	}
	return -1
}

func TestSmartMoneyEqualsTheOriginal(t *testing.T) {
	m, s := smartMoney(t)
	n := math.NaN()

	t.Run("swings", func(t *testing.T) {
		got := map[int][]float64{}
		for _, x := range m.Swings() {
			got[x.Bar] = []float64{side(x.High), x.Price}
			assert.True(t, x.Confirmed >= x.Bar && x.Confirmed < s.Len())
			if !x.Invented {
				assert.Equal(t, x.Bar+5, x.Confirmed)
			}
		}
		same(t, table(t, "swing_highs_lows_result_data"), got, 0, 1)
	})
	for _, join := range []bool{false, true} {
		t.Run("fair value gaps, joined "+strconv.FormatBool(join), func(t *testing.T) {
			got := map[int][]float64{}
			for _, x := range m.FairValueGaps(join) {
				got[x.Bar] = []float64{float64(x.Side), x.Top, x.Bottom, float64(x.Mitigated)}
				assert.Equal(t, x.Bar+1, x.Confirmed)
			}
			name := "fvg"
			if join {
				name = "fvg_consecutive"
			}
			same(t, table(t, name+"_result_data"), got, 0, 1, 2, 3)
		})
	}
	t.Run("structure", func(t *testing.T) {
		got := map[int][]float64{}
		for _, x := range m.Structure(false) {
			row := []float64{float64(x.Side), n, x.Level, float64(x.Broken)}
			if x.Change {
				row[0], row[1] = n, row[0]
			}
			got[x.Bar] = row
			assert.GreaterOrEqual(t, x.Confirmed, x.Broken)
		}
		want := table(t, "bos_choch_result_data")
		for _, w := range want {
			if math.IsNaN(w[0]) && math.IsNaN(w[1]) {
				w[3] = n // a break that was dropped leaves its bar behind
			}
		}
		same(t, want, got, 0, 1, 2, 3)
	})
	t.Run("order blocks", func(t *testing.T) {
		got := map[int][]float64{}
		for _, x := range m.OrderBlocks(false) {
			got[x.Bar] = []float64{float64(x.Side), x.Top, x.Bottom, x.Volume, float64(x.Mitigated), x.Percentage}
		}
		same(t, table(t, "ob_result_data"), got, 0, 1, 2, 3, 4, 5)
	})
	t.Run("liquidity", func(t *testing.T) {
		got := map[int][]float64{}
		for _, x := range m.Liquidity(0.01) {
			got[x.Bar] = []float64{side(x.High), x.Level, float64(x.End), float64(x.Swept)}
		}
		same(t, table(t, "liquidity_result_data"), got, 0, 1, 2, 3)
	})
	for name, period := range map[string]market.Interval{"4h": "4h", "1D": "1d", "W": "1w"} {
		t.Run("previous high and low "+name, func(t *testing.T) {
			ranges, err := m.PreviousHighLow(period)
			require.NoError(t, err)
			got := map[int][]float64{}
			number := map[bool]float64{true: 1}
			for i, x := range ranges {
				got[i] = []float64{x.High, x.Low, number[x.BrokenHigh], number[x.BrokenLow]}
			}
			same(t, table(t, "previous_high_low_result_data_"+name), got, 0, 1, 2, 3)
		})
	}
	t.Run("session", func(t *testing.T) {
		sessions, err := m.Session(7*time.Hour, 16*time.Hour)
		require.NoError(t, err)
		got := map[int][]float64{}
		for i, x := range sessions {
			got[i] = []float64{map[bool]float64{true: 1}[x.Active], x.High, x.Low}
		}
		same(t, table(t, "sessions_result_data"), got, 0, 1, 2)
	})
	t.Run("retracements", func(t *testing.T) {
		got := map[int][]float64{}
		for i, x := range m.Retracements() {
			got[i] = []float64{float64(x.Side), x.Current, x.Deepest}
		}
		same(t, table(t, "retracements_result_data"), got, 0, 1, 2)
	})
}
