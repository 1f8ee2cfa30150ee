package levels

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// py-market-profile, on the first 3,000 quarter hours of EURUSD, day by day.
func TestMarketProfileEqualsPyMarketProfile(t *testing.T) {
	s := series(t, "2006.01.02 15:04:05", market.Minute15, rows(t, "vectors", "levels", "eurusd15m.csv.gz")[:3000])
	for _, mode := range []string{"tpo", "vol"} {
		var file struct {
			Tick float64
			Rows []struct {
				Day                                string
				POC, VAL, VAH, Low, High, Balanced float64
				IBLow                              float64 `json:"ib_low"`
				IBHigh                             float64 `json:"ib_high"`
				ORLow                              float64 `json:"or_low"`
				ORHigh                             float64 `json:"or_high"`
				HVN, LVN                           []float64
			}
		}
		decode(t, &file, "vectors", "levels", "mp_eurusd15m_"+mode+".json")
		require.Len(t, file.Rows, 32)
		for _, want := range file.Rows {
			from, to := -1, 0
			for i, at := range s.Time {
				if at.Format(time.DateOnly) == want.Day {
					if from < 0 {
						from = i
					}
					to = i + 1
				}
			}
			require.GreaterOrEqual(t, from, 0, want.Day)
			p, err := MarketProfile(s.Slice(from, to), &TPOOptions{Tick: file.Tick, ByClose: true, ByVolume: mode == "vol"})
			require.NoError(t, err)
			got := []float64{p.POC, p.ValueAreaLow, p.ValueAreaHigh, p.InitialLow, p.InitialHigh, p.OpeningLow, p.OpeningHigh, p.Low, p.High, p.BalancedTarget}
			assert.InDeltaSlice(t, []float64{want.POC, want.VAL, want.VAH, want.IBLow, want.IBHigh, want.ORLow, want.ORHigh, want.Low, want.High, want.Balanced}, got, 1e-9, "%s %s", mode, want.Day)
			near := func(what string, want, got []float64) {
				if assert.Len(t, got, len(want), "%s %s %s", mode, p.From, what) && len(want) > 0 {
					assert.InDeltaSlice(t, want, got, 1e-9)
				}
			}
			near("low nodes", want.LVN, p.LowNodes)
			near("high nodes", want.HVN, p.HighNodes)
			if mode == "vol" {
				v, err := Profile(s.Slice(from, to), &ProfileOptions{Tick: file.Tick, Spread: SpreadClose})
				require.NoError(t, err)
				assert.InDeltaSlice(t, []float64{want.POC, want.VAL, want.VAH}, []float64{v.POC, v.ValueAreaLow, v.ValueAreaHigh}, 1e-9)
			}
		}
	}
}

// Stock.Indicators' fractal (two bars on each side) and pivots (the same) are swings
// without ties; theirs stand at the bar that turned.
func TestSwingsEqualStockIndicators(t *testing.T) {
	s := spy502(t)
	var fractals []struct{ FractalBear, FractalBull *float64 }
	decode(t, &fractals, "vectors", "stock_indicators", "fractal.standard.json.gz")
	var pivots []struct{ HighPoint, LowPoint *float64 }
	decode(t, &pivots, "vectors", "stock_indicators", "pivots.standard.json.gz")
	require.Len(t, fractals, s.Len())
	require.Len(t, pivots, s.Len())

	for _, test := range []struct {
		name string
		span int
		want func(i int) (high, low *float64)
	}{
		{"fractal", 2, func(i int) (high, low *float64) { return fractals[i].FractalBear, fractals[i].FractalBull }},
		{"pivots", 2, func(i int) (high, low *float64) { return pivots[i].HighPoint, pivots[i].LowPoint }},
	} {
		t.Run(test.name, func(t *testing.T) {
			found, err := Swings(s, &SwingOptions{Left: test.span, Right: test.span, Ties: TiesNone})
			require.NoError(t, err)
			got := map[time.Time]map[Kind]float64{}
			for _, l := range found {
				if got[l.Born] == nil {
					got[l.Born] = map[Kind]float64{}
				}
				got[l.Born][l.Kind] = l.Price
			}
			count := 0
			for i := range s.Time {
				high, low := test.want(i)
				want := map[Kind]float64{}
				if high != nil {
					want[KindSwingHigh] = *high
				}
				if low != nil {
					want[KindSwingLow] = *low
				}
				count += len(want)
				if len(want) == 0 {
					assert.Empty(t, got[s.Time[i]], "bar %d", i)
				} else {
					assert.Equal(t, want, got[s.Time[i]], "bar %d", i)
				}
			}
			assert.Greater(t, count, 50)
		})
	}
}

// Stock.Indicators' pivot points, standard ones: of the previous month, and of
// the twenty bars before each.
func TestPivotsEqualStockIndicators(t *testing.T) {
	type points struct{ PP, S1, S2, S3, S4, R1, R2, R3, R4 *float64 }
	s := spy502(t)
	same := func(t *testing.T, i int, want points, got PivotPoints) {
		t.Helper()
		for _, x := range []struct {
			name string
			want *float64
			got  float64
		}{
			{"PP", want.PP, got.P}, {"R1", want.R1, got.R1}, {"R2", want.R2, got.R2}, {"R3", want.R3, got.R3}, {"R4", want.R4, got.R4},
			{"S1", want.S1, got.S1}, {"S2", want.S2, got.S2}, {"S3", want.S3, got.S3}, {"S4", want.S4, got.S4},
		} {
			if x.want == nil {
				assert.True(t, math.IsNaN(x.got), "bar %d %s", i, x.name)
			} else {
				assert.InDelta(t, *x.want, x.got, 1e-9, "bar %d %s", i, x.name)
			}
		}
	}

	t.Run("monthly standard", func(t *testing.T) {
		var want []points
		decode(t, &want, "vectors", "stock_indicators", "pivot-points.standard.json.gz")
		require.Len(t, want, s.Len())
		compared := 0
		for i := range s.Time {
			if want[i].PP == nil || s.Time[i].Month() == s.Time[i-1].Month() {
				continue
			}
			// The month before, as a trader sees it at the close of the day before.
			found, err := Find(s.Slice(0, i), &Options{
				Kinds: []Kind{KindPivot, KindPivotResistance, KindPivotSupport}, PivotPeriods: []Period{PeriodMonth},
			})
			require.NoError(t, err)
			require.Len(t, found, 7)
			n := math.NaN()
			got := PivotPoints{S3: found[0].Price, S2: found[1].Price, S1: found[2].Price, P: found[3].Price, R1: found[4].Price, R2: found[5].Price, R3: found[6].Price, R4: n, S4: n}
			same(t, i, want[i], got)
			compared++
		}
		assert.Equal(t, 23, compared, "months of two years but the first")
	})

	t.Run("rolling standard", func(t *testing.T) {
		var want []points
		decode(t, &want, "vectors", "stock_indicators", "rolling-pivots.standard.json.gz")
		compared := 0
		for i := range s.Time {
			if want[i].PP == nil {
				continue
			}
			from, to := i-20, i
			bar := s.Bar(from)
			for j := from; j < to; j++ {
				bar.High, bar.Low, bar.Close = max(bar.High, s.High[j]), min(bar.Low, s.Low[j]), s.Close[j]
			}
			got, err := Pivots(bar, PivotStandard, math.NaN())
			require.NoError(t, err)
			same(t, i, want[i], got)
			compared++
		}
		assert.Equal(t, s.Len()-20, compared)
	})
}
