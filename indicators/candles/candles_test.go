package candles_test

import (
	"bufio"
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/indicators/candles"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

// series reads a reference series: open, high, low and close.
func series(t testing.TB, file string) (columns [4][]float64) {
	t.Helper()
	f, err := os.Open(sharedtest.Path(t, "vectors", "ohlcv", file))
	require.NoError(t, err)
	defer f.Close()
	var r io.Reader = f
	if file[len(file)-3:] == ".gz" {
		r, err = gzip.NewReader(f)
		require.NoError(t, err)
	}
	rows, err := csv.NewReader(r).ReadAll()
	require.NoError(t, err)
	for _, row := range rows[1:] {
		for k := range columns {
			v, err := strconv.ParseFloat(row[k+1], 64)
			require.NoError(t, err)
			columns[k] = append(columns[k], v)
		}
	}
	return columns
}

func TestOnePassFindsExactlyTALibsEvents(t *testing.T) {
	for name, file := range map[string]string{"spy502": "spy502.csv", "btc1246": "btc1246.csv", "spx5285": "spx5285.csv",
		"synthcdl": "synthcdl.csv.gz", "candlezoo": "candlezoo.csv.gz"} {
		c := series(t, file)
		events, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
		require.NoError(t, err)
		got := map[string]map[int]int{}
		for _, e := range events {
			if e.Pattern.TALib() == "" {
				continue
			}
			if got[e.Pattern.TALib()] == nil {
				got[e.Pattern.TALib()] = map[int]int{}
			}
			got[e.Pattern.TALib()][e.Bar] = e.Value
			if e.Strength < 200 {
				require.Equal(t, e.Pattern.Bars(), e.Bars)
			}
		}
		f, err := os.Open(sharedtest.Path(t, "vectors", "talib", name+".jsonl.gz"))
		require.NoError(t, err)
		defer f.Close()
		r, err := gzip.NewReader(f)
		require.NoError(t, err)
		patterns, fired := 0, 0
		for lines := bufio.NewReader(r); ; {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				break
			}
			var record struct {
				Func   string
				Events [][2]int
			}
			require.NoError(t, json.Unmarshal(line, &record))
			if record.Func[:min(3, len(record.Func))] != "CDL" {
				continue
			}
			patterns++
			if len(record.Events) > 0 {
				fired++
			}
			want := map[int]int{}
			for _, e := range record.Events {
				want[e[0]] = e[1]
			}
			if len(want) > 0 || len(got[record.Func]) > 0 {
				require.Equal(t, want, got[record.Func], "%s %s", name, record.Func)
			}
		}
		require.Equal(t, 61, patterns)
		if name == "candlezoo" {
			require.Equal(t, 61, fired, "every pattern occurs")
		}
	}
}

func TestAScannerFindsWhatScanFindsAndPeekChangesNothing(t *testing.T) {
	c := series(t, "candlezoo.csv.gz")
	for k := range c {
		c[k] = c[k][:4000]
	}
	want, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(t, err)
	s, err := candles.NewScanner(nil)
	require.NoError(t, err)
	for i := range 30 {
		s.Update(c[0][i], c[1][i], c[2][i], c[3][i])
	}
	s.Reset()
	var got, peeked []candles.Event
	for i := range c[0] {
		peeked = append(peeked, s.Peek(c[0][i], c[1][i], c[2][i], c[3][i])...)
		s.Peek(c[3][i], c[1][i]*2, c[2][i]/2, c[0][i])
		got = append(got, s.Update(c[0][i], c[1][i], c[2][i], c[3][i])...)
	}
	require.Equal(t, want, got)
	require.Equal(t, want, peeked)
	require.NotEmpty(t, want)
}

// TestARestoredScannerGoesOnWhereItWas restores at every bar, those of the
// warm-up and those after a trap among them.
func TestARestoredScannerGoesOnWhereItWas(t *testing.T) {
	c := series(t, "candlezoo.csv.gz")
	c[3][7], c[0][300] = math.NaN(), math.Inf(1)
	whole, err := candles.NewScanner(nil)
	require.NoError(t, err)
	one, err := candles.NewScanner(nil)
	require.NoError(t, err)
	other, err := candles.NewScanner(nil)
	require.NoError(t, err)
	strengths := map[int]bool{}
	for i := range 1500 {
		kept := one.Snapshot()
		one.Peek(c[0][i], c[1][i]+1, c[2][i]-1, c[3][i])
		one.Peek(math.NaN(), 1, 1, 1)
		require.Equal(t, kept, one.Snapshot(), "Peek changes nothing")
		other.Update(1, 2, 1, 2)
		require.NoError(t, other.Restore(kept))
		one, other = other, one
		want := whole.Update(c[0][i], c[1][i], c[2][i], c[3][i])
		require.Equal(t, want, one.Update(c[0][i], c[1][i], c[2][i], c[3][i]), "bar %d", i)
		for _, e := range want {
			strengths[e.Strength] = true
		}
	}
	require.Len(t, strengths, 3, "a trap was set and confirmed on the way")

	var field *candles.FieldError
	kept := one.Snapshot()
	require.ErrorAs(t, one.Restore(kept[:len(kept)-8]), &field)
	deep, err := candles.NewScanner(&candles.Options{Penetration: 0.7})
	require.NoError(t, err)
	require.ErrorAs(t, deep.Restore(kept), &field)
	require.Equal(t, "data", field.Field)
	require.Equal(t, kept, one.Snapshot(), "a refused snapshot changes nothing")
	one.Reset()
	fresh, err := candles.NewScanner(nil)
	require.NoError(t, err)
	require.Equal(t, fresh.Snapshot(), one.Snapshot(), "Reset forgets all")
}

// TestASingleDojiPointsNowhere: TA-Lib's manual says of each of these that its
// sign means no direction.
func TestASingleDojiPointsNowhere(t *testing.T) {
	c := series(t, "candlezoo.csv.gz")
	events, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(t, err)
	points := map[candles.Pattern]candles.Direction{}
	for _, e := range events {
		if e.Direction != candles.Neutral {
			require.Equal(t, e.Value > 0, e.Direction == candles.Up, "%v", e)
		}
		require.Equal(t, max(e.Value, -e.Value), e.Strength)
		if e.Strength < 200 {
			require.Equal(t, e.Pattern.Bars(), e.Bars)
		}
		points[e.Pattern] |= e.Direction
	}
	for _, p := range candles.All() {
		switch p {
		case candles.Doji, candles.DragonflyDoji, candles.GravestoneDoji, candles.LongLeggedDoji, candles.RickshawMan,
			candles.Takuri, candles.FourPriceDoji, candles.HighWave, candles.SpinningTop, candles.ShortLine:
			require.Equal(t, candles.Neutral, points[p], p.String())
		default:
			require.NotEqual(t, candles.Neutral, points[p], p.String())
		}
	}
}

// TestAConfirmedHikkakeCountsTheBarsSinceItsTrap: the bars that make it begin
// with those of the trap.
func TestAConfirmedHikkakeCountsTheBarsSinceItsTrap(t *testing.T) {
	c := series(t, "candlezoo.csv.gz")
	for _, p := range []candles.Pattern{candles.Hikkake, candles.HikkakeModified} {
		events, err := candles.Scan(nil, c[0], c[1], c[2], c[3], &candles.Options{Patterns: []candles.Pattern{p}})
		require.NoError(t, err)
		set, lengths := map[int]int{}, map[int]int{} // the bars and values of traps
		for _, e := range events {
			if e.Strength == 100 {
				set[e.Bar] = e.Value
				continue
			}
			trap := e.Bar - (e.Bars - p.Bars())
			require.Equal(t, 2*set[trap], e.Value, "%s at bar %d, of %d bars", p, e.Bar, e.Bars)
			lengths[e.Bars]++
		}
		require.Len(t, lengths, 3, "%s: after one bar, two and three", p)
	}
}

func TestLaterBarsChangeNoEvent(t *testing.T) {
	c := series(t, "candlezoo.csv.gz")
	all, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(t, err)
	for _, cut := range []int{0, 1, 11, 500, 9999} {
		part, err := candles.Scan(nil, c[0][:cut], c[1][:cut], c[2][:cut], c[3][:cut], nil)
		require.NoError(t, err)
		require.LessOrEqual(t, len(part), len(all))
		for i := range part {
			require.Equal(t, all[i], part[i])
		}
		if len(part) < len(all) {
			require.GreaterOrEqual(t, all[len(part)].Bar, cut)
		}
	}
}

func TestAnUnknownBarIsPassedOver(t *testing.T) {
	c := series(t, "spy502.csv")
	want, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(t, err)
	const hole = 200
	for k := range c {
		c[k] = append(append(append([]float64{}, c[k][:hole]...), math.NaN()), c[k][hole:]...)
	}
	got, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i, e := range want {
		if e.Bar >= hole {
			e.Bar++
		}
		require.Equal(t, e, got[i])
	}
}

func TestThePatternsBeyondTALib(t *testing.T) {
	s, err := candles.NewScanner(&candles.Options{Patterns: []candles.Pattern{candles.BigCandle, candles.Star, candles.FourPriceDoji}})
	require.NoError(t, err)
	require.Equal(t, 11, s.Warmup())
	for range 11 {
		require.Empty(t, s.Update(100, 103, 99, 102))
	}
	// Body 4 against an average of 2; then 0.5 above it; then nothing at all.
	require.Equal(t, []candles.Event{{Bar: 11, Bars: 1, Pattern: candles.BigCandle, Direction: candles.Up, Strength: 100, Value: 100}}, s.Update(102, 107, 101, 106))
	require.Equal(t, []candles.Event{{Bar: 12, Bars: 2, Pattern: candles.Star, Direction: candles.Down, Strength: 100, Value: -100}}, s.Update(107, 108, 106.5, 107.5))
	require.Equal(t, []candles.Event{{Bar: 13, Bars: 1, Pattern: candles.FourPriceDoji, Direction: candles.Neutral, Strength: 100, Value: 100}}, s.Update(107, 107, 107, 107))
}

func TestPenetrationDecidesADarkCloudCover(t *testing.T) {
	find := func(share float64) int {
		s, err := candles.NewScanner(&candles.Options{Patterns: []candles.Pattern{candles.DarkCloudCover}, Penetration: share})
		require.NoError(t, err)
		for range 11 {
			s.Update(100, 103, 99, 102)
		}
		s.Update(102, 106.5, 101, 106)
		return len(s.Update(107, 107.5, 104.5, 104.8)) // 1.2 of 4 into the body
	}
	require.Equal(t, 1, find(0.25))
	require.Zero(t, find(0), "0.5 by default")
	require.Zero(t, find(0.35))
}

func TestNamesAreFoundAndSurviveText(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range candles.All() {
		require.False(t, seen[p.String()], p.String())
		seen[p.String()] = true
		data, err := json.Marshal(p)
		require.NoError(t, err)
		var back candles.Pattern
		require.NoError(t, json.Unmarshal(data, &back))
		require.Equal(t, p, back)
		if p.TALib() != "" {
			found, err := candles.Parse(p.TALib())
			require.NoError(t, err)
			require.Equal(t, p, found)
		}
	}
	require.Len(t, seen, 64)
	_, err := candles.Parse("Engulfin")
	require.ErrorContains(t, err, "Engulfing")
}

func TestBadArgumentsAreRefusedByName(t *testing.T) {
	var field *candles.FieldError
	_, err := candles.Scan(nil, make([]float64, 3), make([]float64, 3), make([]float64, 2), make([]float64, 3), nil)
	require.ErrorAs(t, err, &field)
	require.Equal(t, "low", field.Field)
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1)} {
		_, err = candles.NewScanner(&candles.Options{Penetration: bad})
		require.ErrorAs(t, err, &field)
		require.Equal(t, "Penetration", field.Field)
	}
	_, err = candles.NewScanner(&candles.Options{Patterns: []candles.Pattern{200}})
	require.ErrorAs(t, err, &field)
	require.Equal(t, "Patterns", field.Field)
	require.Equal(t, "unknown pattern", candles.Pattern(200).String())
}

func TestUpdateAllocatesNothing(t *testing.T) {
	c := series(t, "candlezoo.csv.gz")
	s, err := candles.NewScanner(nil)
	require.NoError(t, err)
	i := 0
	require.Zero(t, testing.AllocsPerRun(5000, func() {
		s.Update(c[0][i], c[1][i], c[2][i], c[3][i])
		i++
	}))
}

// walk makes bars of a random walk in ticks.
func walk(n int) (columns [4][]float64) {
	seed, price := uint64(1), 1000.0
	random := func(k int) float64 {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return float64(seed % uint64(k))
	}
	for range n {
		open := price + random(5) - 2
		price = max(open+random(41)-20, 100)
		for k, v := range []float64{open, max(open, price) + random(9), min(open, price) - random(9), price} {
			columns[k] = append(columns[k], v)
		}
	}
	return columns
}

var sink float64

// BenchmarkScan tells the time per bar, and as a multiple of a dependent
// multiplication and addition in the same run.
func BenchmarkScan(b *testing.B) {
	const bars = 100_000
	c := walk(bars)
	events, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(b, err)
	least, floor := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		events, _ = candles.Scan(events[:0], c[0], c[1], c[2], c[3], nil)
		least = min(least, time.Since(start))
		start = time.Now()
		v := 0.0
		for _, x := range c[3] {
			v = float64(v*0.999) + x
		}
		sink = v
		floor = min(floor, time.Since(start))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(least.Nanoseconds())/bars, "ns/bar")
	b.ReportMetric(float64(least)/float64(floor), "x-chain")
	b.ReportMetric(float64(len(events))/bars, "events/bar")
}

func TestAScanIntoALargeEnoughSliceAllocatesNothing(t *testing.T) {
	if racing {
		t.Skip("pools")
	}
	c := walk(2000)
	events, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(t, err)
	want := len(events)
	require.Zero(t, testing.AllocsPerRun(3, func() {
		events, err = candles.Scan(events[:0], c[0], c[1], c[2], c[3], nil)
	}))
	require.Len(t, events, want)
	some, err := candles.Scan(nil, c[0], c[1], c[2], c[3], &candles.Options{Patterns: []candles.Pattern{candles.Doji}, Penetration: 0.9})
	require.NoError(t, err)
	require.Less(t, len(some), want)
	again, err := candles.Scan(nil, c[0], c[1], c[2], c[3], nil)
	require.NoError(t, err)
	require.Equal(t, events, again, "options of one scan are not those of the next")
}
