package levels

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// columns makes daily bars of low, high, close and volume.
func columns(rows ...[4]float64) market.Series {
	days := sessions(len(rows))
	bars := make([]market.Bar, len(rows))
	for i, r := range rows {
		bars[i] = market.Bar{Time: days[i], Open: r[2], Low: r[0], High: r[1], Close: r[2], Volume: r[3]}
	}
	return market.NewSeries("TEST", market.Day, bars)
}

func TestVolumeIsSpreadOverTheRangeOfItsBar(t *testing.T) {
	p, err := Profile(columns(
		[4]float64{10, 14, 12, 400},    // 100 in each of four bins
		[4]float64{11.5, 12.5, 12, 50}, // 25 in each of two
		[4]float64{13, 13, 13, 7},      // one price, the lower edge of a bin
		[4]float64{10, 14, 12, math.NaN()},
	), &ProfileOptions{Tick: 1})
	require.NoError(t, err)
	var volumes []float64
	for _, b := range p.Bins {
		volumes = append(volumes, b.Volume)
		assert.Equal(t, b.Low+0.5, b.Price)
	}
	assert.InDeltaSlice(t, []float64{100, 125, 125, 107}, volumes, 1e-9)
	assert.Equal(t, 457.0, p.Total)
	assert.Equal(t, 1, p.Skipped)
	assert.Equal(t, 11.5, p.POC, "of equal bins the nearer to the middle, then the lower")
	// 125, then the equal bin above, then 107 above rather than 100 below: 357 of 457.
	assert.Equal(t, 11.0, p.ValueAreaLow)
	assert.Equal(t, 14.0, p.ValueAreaHigh)
}

func TestTheValueAreaSkipsEmptyBinsAndStopsAtTheEnds(t *testing.T) {
	s := columns([4]float64{10, 10, 10, 100}, [4]float64{20, 20, 20, 60}, [4]float64{30, 30, 30, 10})
	p, err := Profile(s, &ProfileOptions{Tick: 1})
	require.NoError(t, err)
	assert.Len(t, p.Bins, 21)
	assert.Equal(t, []float64{10, 21}, []float64{p.ValueAreaLow, p.ValueAreaHigh}, "160 of 170")
	p, err = Profile(s, &ProfileOptions{Tick: 1, ValueArea: 1})
	require.NoError(t, err)
	assert.Equal(t, []float64{10, 31}, []float64{p.ValueAreaLow, p.ValueAreaHigh})
	assert.Equal(t, []float64{20.5, 30.5}, p.HighNodes, "peaks above the mean bin of 8.1, and not the POC")
	assert.Equal(t, []float64{15.5, 25.5}, p.LowNodes, "the middles of the holes")
}

func TestVolumeIsKeptWhateverTheBins(t *testing.T) {
	s := walk(4, 250, 0.07)
	total := 0.0
	for _, v := range s.Volume {
		total += v
	}
	for _, opts := range []ProfileOptions{{}, {Tick: 0.01}, {Tick: 0.3}, {Tick: 1000}, {Spread: SpreadClose}, {Tick: 0.05, Spread: SpreadClose}} {
		p, err := Profile(s, &opts)
		require.NoError(t, err)
		sum := 0.0
		for i, b := range p.Bins {
			sum += b.Volume
			if i > 0 && opts.Spread != SpreadClose {
				assert.Equal(t, p.Bins[i-1].High, b.Low)
			}
		}
		assert.InEpsilon(t, total, sum, 1e-12, "%+v", opts)
		assert.Equal(t, total, p.Total)
		assert.NotZero(t, p.Bins[0].Volume)
		assert.NotZero(t, p.Bins[len(p.Bins)-1].Volume)
		assert.True(t, p.ValueAreaLow <= p.POC && p.POC <= p.ValueAreaHigh)
	}
}

func TestStepsAreRound(t *testing.T) {
	for _, test := range []struct{ low, high, want float64 }{
		{100, 180, 1}, {100, 181, 2}, {400, 480.5, 2}, {10, 10.9, 0.02}, {0.9, 0.95, 0.001}, {30000, 50000, 250}, {42, 42, 0.00005}, {0, 0, 1},
	} {
		assert.InEpsilon(t, test.want, roundStep(test.low, test.high), 1e-12, "%v to %v", test.low, test.high)
	}
}
