package levels

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// An engine put down at any bar and picked up again says after every later bar
// what one that was never put down says.
func TestARestoredEngineGoesOnBitForBit(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	unknown := walk(6, 300, 0.5)
	for i := 90; i < 130; i++ {
		unknown.Close[i] = unknown.High[i] / 0 * 0 // not a number
	}
	minutes := market.NewSeries("BTC/USD", market.Minute, minutes(900))
	for i := range minutes.Time {
		minutes.Time[i] = minutes.Time[i].In(time.FixedZone("EST", 3600)) // a name that means another zone
	}
	for _, s := range []market.Series{walk(5, 300, 0.25), unknown, halfHours(3, 16), minutes} {
		for k, swing := range []SwingOptions{{Left: 3, Right: 3}, {Left: 40, Right: 50}, {Method: SwingSigma, Reversal: 2}, {Method: SwingATR}} {
			opts := *everyKind([]int{0, 60, -1, 30}[k])
			opts.Symbol, opts.Interval, opts.Swing, opts.Limit = s.Symbol, s.Interval, swing, []int{0, 40, 0, 0}[k]
			plain, err := NewEngine(&opts)
			require.NoError(t, err)
			kept, err := NewEngine(&opts)
			require.NoError(t, err)
			for i := range s.Time {
				require.NoError(t, plain.Update(s.Bar(i)))
				require.NoError(t, kept.Update(s.Bar(i)))
				if i == 100 {
					for _, e := range []*Engine{plain, kept} {
						require.NoError(t, e.Add("chain", []Level{{Price: s.Close[50], Low: s.Close[50], High: s.Close[50], Kind: KindCallWall, Source: "wall"}}))
					}
				}
				if r.IntN(70) == 0 || i == 0 {
					snapshot := kept.Snapshot()
					assert.Equal(t, snapshot, kept.Snapshot(), "a snapshot changes nothing")
					kept, err = RestoreEngine(&opts, snapshot)
					require.NoError(t, err)
					require.Equal(t, snapshot, kept.Snapshot(), "bar %d", i)
				}
				if i%41 == 0 || i > s.Len()-5 {
					require.Equal(t, plain.Levels(nil), kept.Levels(nil), "after bar %d", i)
				}
			}
			assert.NotEmpty(t, kept.Levels(nil))
			for _, e := range []*Engine{plain, kept} { // the levels from outside are still theirs
				require.NoError(t, e.Add("chain", nil))
			}
			require.Equal(t, plain.Levels(nil), kept.Levels(nil))
		}
	}
}

func TestASnapshotOfAnotherEngineIsRefused(t *testing.T) {
	opts := Options{Interval: market.Day, VWAP: VWAPOptions{Anchors: []Anchor{{Name: "a", At: time.Date(2020, 3, 2, 0, 0, 0, 0, newYork)}}}}
	e, err := NewEngine(&opts)
	require.NoError(t, err)
	empty := e.Snapshot()
	restored, err := RestoreEngine(&opts, empty)
	require.NoError(t, err)
	assert.Equal(t, 0, restored.Bars())
	s := walk(1, 60, 0.25)
	for i := range s.Time {
		require.NoError(t, e.Update(s.Bar(i)))
	}
	data := e.Snapshot()
	_, err = RestoreEngine(&opts, data)
	require.NoError(t, err)

	other := opts
	other.Lookback = 100
	_, err = RestoreEngine(&other, data)
	require.ErrorIs(t, err, ErrSnapshot)
	for _, n := range []int{0, 5, 40, len(data) / 2, len(data) - 1} {
		_, err = RestoreEngine(&opts, data[:n])
		require.ErrorIs(t, err, ErrSnapshot)
	}
	data[len(data)/2]++
	_, err = RestoreEngine(&opts, data)
	require.ErrorIs(t, err, ErrSnapshot)
	var field *FieldError
	_, err = RestoreEngine(nil, data)
	require.ErrorAs(t, err, &field)
}
