package indicators_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/market"
)

func ExampleNewSet() {
	set, err := indicators.NewSet(indicators.SetEntry{Name: "SMA", Params: []float64{2}}, indicators.SetEntry{Name: "TrueRange"})
	if err != nil {
		fmt.Println(err)
		return
	}
	set.Update(market.Bar{High: 11, Low: 9, Close: 10})
	fmt.Println(set.Update(market.Bar{High: 13, Low: 11, Close: 12}))
	// Output: [11 3 25]
}

func ExampleSnapshot() {
	ema, err := indicators.NewEMA(2)
	if err != nil {
		fmt.Println(err)
		return
	}
	ema.Update(1)
	ema.Update(3)
	kept, err := indicators.Snapshot(ema)
	if err != nil {
		fmt.Println(err)
		return
	}
	ema.Update(1000)
	fmt.Println(indicators.Restore(ema, kept), ema.Update(5))
	// Output: <nil> 4
}

func ExampleRenko() {
	s := market.NewSeries("SPY", market.Day, []market.Bar{
		{High: 10, Low: 10, Close: 10}, {High: 12.5, Low: 10, Close: 12.2}, {High: 12, Low: 10.5, Close: 11.5}, {High: 11, Low: 9, Close: 9.9},
	})
	bricks, err := indicators.Renko(s, 1)
	for _, b := range bricks {
		fmt.Println(b.Bar, b.Open, b.Close)
	}
	fmt.Println(err)
	// Output:
	// 1 10 11
	// 1 11 12
	// 3 11 10
	// <nil>
}

func TestASetIsItsMembers(t *testing.T) {
	s := readBars(t, "spy502.csv")
	set, err := indicators.NewSet(indicators.SetEntry{Name: "RSI"}, indicators.SetEntry{Name: "Keltner", Params: []float64{10}}, indicators.SetEntry{Name: "OBV"})
	require.NoError(t, err)
	require.Equal(t, 14, set.Warmup())
	k := indicators.Keltner(indicators.KeltnerValues{}, s.High, s.Low, s.Close, 10, 2, 10)
	want := [][]float64{indicators.RSI(nil, s.Close, 14), k.Upper, k.Middle, k.Lower, k.Width, indicators.OBV(nil, s.Close, s.Volume)}
	for range 2 {
		for i := range s.Len() {
			peeked := bitsOf(set.Peek(s.Bar(i)))
			got := set.Update(s.Bar(i))
			require.Equal(t, peeked, bitsOf(got))
			for k := range want {
				require.Equal(t, bits(want[k][i]), bits(got[k]))
			}
		}
		set.Reset()
	}
	require.Zero(t, testing.AllocsPerRun(10, func() { set.Update(s.Bar(3)) }))
	_, err = indicators.NewSet(indicators.SetEntry{Name: "RSJ"})
	require.ErrorContains(t, err, "RSI")
	_, err = indicators.NewSet(indicators.SetEntry{Name: "RSI", Params: []float64{0}})
	require.Error(t, err)
}

func TestSessionVWAPBeginsAnewEachDay(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	at := time.Date(2026, 3, 5, 19, 0, 0, 0, newYork)
	var bars []market.Bar
	for i := range 10 { // one an hour, over midnight
		c := float64(100 + i)
		bars = append(bars, market.Bar{Time: at.Add(time.Duration(i) * time.Hour), High: c, Low: c, Close: c, Volume: 1})
	}
	s := market.NewSeries("SPY", market.Hour, bars)
	got := indicators.SessionVWAP(indicators.VWAPValues{}, s, 1, newYork)
	require.Equal(t, []float64{100, 100.5, 101, 101.5, 102, 105, 105.5, 106, 106.5, 107}, got.VWAP)
	again := indicators.SessionVWAP(got, s, 1, nil) // in UTC it is one day
	require.Same(t, &got.VWAP[0], &again.VWAP[0])
	require.Equal(t, 104.5, again.VWAP[9])
	requireAllNaN(t, 10, "k", indicators.SessionVWAP(indicators.VWAPValues{}, s, -1, nil).VWAP)
}

// TestASessionVWAPStreamIsTheFunctionOneBarAtATime goes over midnights and the
// night that the clocks change in.
func TestASessionVWAPStreamIsTheFunctionOneBarAtATime(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	require.NoError(t, err)
	at := time.Date(2026, 3, 6, 15, 0, 0, 0, newYork)
	list := bars(readable(300))
	for i := range list {
		list[i].Time = at.Add(time.Duration(i) * 20 * time.Minute).UTC()
		if i%41 == 7 {
			list[i].High = nan
		}
	}
	s := market.NewSeries("SPY", "20m", list)
	for _, location := range []*time.Location{newYork, nil} {
		want := indicators.SessionVWAP(indicators.VWAPValues{}, s, 2, location)
		stream, err := indicators.NewSessionVWAP(2, location)
		require.NoError(t, err)
		require.Zero(t, stream.Warmup())
		for round := range 2 {
			for i, b := range list {
				stream.Peek(list[(i+150)%300]) // of another day
				peeked := stream.Peek(b)
				if i%29 == 3 {
					kept, err := indicators.Snapshot(stream)
					require.NoError(t, err)
					stream.Reset()
					stream.Update(list[0])
					require.NoError(t, indicators.Restore(stream, kept))
					require.ErrorIs(t, indicators.Restore(stream, kept[:len(kept)-8]), indicators.ErrSnapshot)
					require.ErrorIs(t, indicators.Restore(stream, kept[:3]), indicators.ErrSnapshot)
				}
				got := stream.Update(b)
				require.Equal(t, bitsOf([]float64{want.VWAP[i], want.Upper[i], want.Lower[i]}), bitsOf([]float64{got.VWAP, got.Upper, got.Lower}), "round %d bar %d", round, i)
				require.Equal(t, bitsOf([]float64{got.VWAP, got.Upper, got.Lower}), bitsOf([]float64{peeked.VWAP, peeked.Upper, peeked.Lower}))
			}
			stream.Reset()
		}
		i := 0
		require.Zero(t, testing.AllocsPerRun(200, func() { stream.Peek(list[i]); stream.Update(list[i]); i++ }))
	}
	_, err = indicators.NewSessionVWAP(-1, nil)
	require.Error(t, err)
}

func TestSnapshotsReachWhatIsInsideAndRefuseWhatIsNoStream(t *testing.T) {
	s := readBars(t, "spy502.csv")
	entries := []indicators.SetEntry{{Name: "MACD"}, {Name: "Bollinger"}, {Name: "ATR"}, {Name: "ADX"}, {Name: "HV"}, {Name: "SuperTrend"}, {Name: "talib:RSI"}}
	one, err := indicators.NewSet(entries...)
	require.NoError(t, err)
	two, err := indicators.NewSet(entries...)
	require.NoError(t, err)
	for i := range 200 {
		one.Update(s.Bar(i))
	}
	kept, err := indicators.Snapshot(one)
	require.NoError(t, err)
	require.NoError(t, indicators.Restore(two, kept))
	for i := 200; i < s.Len(); i++ {
		require.Equal(t, bitsOf(one.Update(s.Bar(i))), bitsOf(two.Update(s.Bar(i))))
	}

	require.ErrorIs(t, indicators.Restore(two, kept[:len(kept)-1]), indicators.ErrSnapshot)
	require.Equal(t, bitsOf(one.Update(s.Bar(0))), bitsOf(two.Update(s.Bar(0))), "as it was")

	d, err := indicators.Find("talib:RSI")
	require.NoError(t, err)
	stream, err := d.Stream(nil)
	require.NoError(t, err)
	kept, err = indicators.Snapshot(stream)
	require.NoError(t, err)
	require.NoError(t, indicators.Restore(stream, kept))
	require.Error(t, indicators.Restore(stream, kept[1:]))

	_, err = indicators.Snapshot(nil)
	require.Error(t, err)
	_, err = indicators.Snapshot(7)
	require.Error(t, err)
	require.Error(t, indicators.Restore(func() {}, nil))
}
