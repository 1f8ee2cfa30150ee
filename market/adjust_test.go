package market_test

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

func number(t testing.TB, s string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(s, 64)
	require.NoError(t, err)
	return x
}

// leanFactors reads a factor file of LEAN: date, dividend factor, split factor,
// close of that day.
func leanFactors(t testing.TB, name string) (factors Factors, closes []float64) {
	t.Helper()
	data, err := os.ReadFile(sharedtest.Path(t, "data", "daily", "lean_"+name+"_factors.csv"))
	require.NoError(t, err)
	for _, line := range strings.Fields(string(data)) {
		fields := strings.Split(line, ",")
		day, err := time.Parse("20060102", fields[0])
		require.NoError(t, err)
		factors = append(factors, Factor{Last: DateOf(day), Dividend: number(t, fields[1]), Split: number(t, fields[2])})
		closes = append(closes, number(t, fields[3]))
	}
	return factors, closes
}

// leanEvents recovers the announced splits and dividends from a factor file:
// its seven digits give dividends to a hundredth of a cent.
func leanEvents(t testing.TB, name string) []Event {
	t.Helper()
	factors, closes := leanFactors(t, name)
	var events []Event
	for i := range len(factors) - 1 {
		now, next := factors[i], factors[i+1]
		first := now.Last.AddDays(1)
		if ratio := next.Split / now.Split; math.Abs(ratio-1) > 1e-9 {
			events = append(events, Event{Kind: Split, Date: first, Value: math.Round(ratio*1e4) / 1e4})
		}
		if next.Dividend != now.Dividend {
			paid := closes[i] * (1 - now.Dividend/next.Dividend)
			events = append(events, Event{Kind: Dividend, Date: first, Value: math.Round(paid*1e4) / 1e4})
		}
	}
	return events
}

func leanBars(t testing.TB, name string) []Bar {
	t.Helper()
	file, err := OpenBars(sharedtest.Path(t, "data", "daily", "lean_"+name+"_raw.csv.gz"), &CSVOptions{Symbol: Symbol(strings.ToUpper(name))})
	require.NoError(t, err)
	return file.Bars
}

func relative(a, b float64) float64 { return math.Abs(a-b) / math.Abs(b) }

// From the traded bars and the events alone come the factors of LEAN's files,
// to their seven digits. BAC's first rows give closes of another bank, before
// the merger of September 1998.
func TestFactorsEqualLEANs(t *testing.T) {
	for name, splits := range map[string]int{"aapl": 4, "aig": 4, "bac": 1, "goog": 1, "ibm": 1, "spy": 0, "uso": 1} {
		bars, events := leanBars(t, name), leanEvents(t, name)
		factors, err := AdjustmentFactors(bars, events)
		require.NoError(t, err)
		assert.Len(t, factors, len(events), name)
		want, _ := leanFactors(t, name)
		for _, row := range want {
			got := factors.On(row.Last)
			assert.InEpsilon(t, row.Split, got.Split, 4e-6, "%s %s", name, row.Last)
			if name == "bac" && row.Last.Before(date(t, "1998-10-01")) {
				continue
			}
			assert.InEpsilon(t, row.Dividend, got.Dividend, 5e-7, "%s %s", name, row.Last)
		}
		n := 0
		for _, e := range events {
			if e.Kind == Split {
				n++
			}
		}
		assert.Equal(t, splits, n, name)
	}
}

// There and back, with LEAN's factors and with our own, bars come out as they
// went in.
func TestUnadjustReversesAdjust(t *testing.T) {
	for _, name := range []string{"aapl", "aig", "bac", "goog", "ibm", "spy", "uso"} {
		bars, events := leanBars(t, name), leanEvents(t, name)
		lean, _ := leanFactors(t, name)
		for _, a := range []Adjustment{ForSplits, ForDividends, ForSplitsAndDividends} {
			adjusted, err := lean.Adjust(bars, a)
			require.NoError(t, err)
			back, err := lean.Unadjust(adjusted, a)
			require.NoError(t, err)
			sameBars(t, bars, back, 1e-14)

			adjusted, err = AdjustBars(bars, events, a)
			require.NoError(t, err)
			assert.Equal(t, bars[len(bars)-1], adjusted[len(adjusted)-1], "the last bar stays")
			back, err = UnadjustBars(adjusted, events, a)
			require.NoError(t, err)
			sameBars(t, bars, back, 1e-11)
		}
	}
}

func sameBars(t testing.TB, want, got []Bar, tolerance float64) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, b := range want {
		for k, pair := range [][2]float64{{b.Open, got[i].Open}, {b.High, got[i].High}, {b.Low, got[i].Low}, {b.Close, got[i].Close}, {b.Volume, got[i].Volume}} {
			if same := math.Abs(pair[0]-pair[1]) <= tolerance*pair[0]; !same { // a million of them: no call for each
				require.InEpsilon(t, pair[0], pair[1], tolerance, "bar %s, column %d", b.Time, k)
			}
		}
	}
}

// The biggest moves of the traded prices are splits; adjusted, none is left.
func TestAdjustedBarsHaveNoSplits(t *testing.T) {
	for name, want := range map[string]float64{"aapl": -0.8551, "aig": 15.0, "ibm": -0.5066, "uso": 7.451} {
		bars := leanBars(t, name)
		adjusted, err := AdjustBars(bars, leanEvents(t, name), ForSplitsAndDividends)
		require.NoError(t, err)
		biggest, after := 0.0, 0.0
		for i := 1; i < len(bars); i++ {
			if move := bars[i].Close/bars[i-1].Close - 1; math.Abs(move) > math.Abs(biggest) {
				biggest, after = move, adjusted[i].Close/adjusted[i-1].Close-1
			}
		}
		assert.InDelta(t, want, biggest, 0.001*math.Abs(want)+0.001, name)
		assert.Less(t, math.Abs(after), 0.2, name)
	}
}

// A year of bars with announced dividends, and the vendors' own adjusted
// closes: both differ only by the dividends paid after the file's end. Tiingo
// reinvests at the ex-date's close instead of the one before.
func TestAdjustedClosesEqualVendors(t *testing.T) {
	for _, row := range []struct {
		file, symbol, date, close, adjusted, dividend string
		dividends                                     int
		tolerance                                     float64
	}{
		{"lumibot_spy_2019.csv.gz", "", "Date", "Close", "Adj Close", "Dividends", 4, 1e-6},
		{"lumibot_tlt_2019.csv.gz", "", "Date", "Close", "Adj Close", "Dividends", 12, 1e-6},
		{"tiingo_spy_2021.csv.gz", "SPY", "date", "close", "adjClose", "divCash", 4, 2e-4},
		{"tiingo_etfs_2017h1.csv.gz", "VOO", "date", "close", "adjClose", "divCash", 1, 2e-5},
	} {
		rows := records(t, "daily", row.file)
		column := map[string]int{}
		for i, name := range rows[0] {
			column[name] = i
		}
		var bars []Bar
		var events []Event
		var want []float64
		for _, r := range rows[1:] {
			if row.symbol != "" && r[column["symbol"]] != row.symbol {
				continue
			}
			d := date(t, r[column[row.date]])
			bars = append(bars, Bar{Time: d.In(NYSE().Location()), Close: number(t, r[column[row.close]])})
			want = append(want, number(t, r[column[row.adjusted]]))
			if paid := number(t, r[column[row.dividend]]); paid > 0 {
				events = append(events, Event{Kind: Dividend, Date: d, Value: paid})
			}
		}
		require.Len(t, events, row.dividends, row.file)
		got, err := AdjustBars(bars, events, ForSplitsAndDividends)
		require.NoError(t, err)
		level := want[len(want)-1] / got[len(got)-1].Close
		for i := range got {
			assert.InEpsilon(t, want[i], got[i].Close*level, row.tolerance, "%s %s", row.file, bars[i].Time)
		}
	}
}

// Yahoo's closes are adjusted for the splits and its adjusted closes for the
// dividends too: LEAN's traded bars, cut at the same day, come out alike, and
// Yahoo's closes go back to LEAN's traded ones.
func TestYahooAndLEANAgreeThroughAdjustment(t *testing.T) {
	for _, row := range []struct {
		file, lean string
		days, off  int     // closes that differ by more than 0.5 %
		dividends  float64 // of the dividend factor
	}{
		{"mplfinance_aapl-20040819-20180120.csv.gz", "aapl", 3379, 7, 3e-6},
		{"mplfinance_spy-20080101-20180101.csv.gz", "spy", 2519, 26, 5e-4},
	} {
		var yahoo []Bar
		adjusted := map[Date]float64{}
		for _, r := range records(t, "daily", row.file)[1:] {
			d := date(t, r[0])
			yahoo = append(yahoo, Bar{Time: d.In(NYSE().Location()), Close: number(t, r[4])})
			adjusted[d] = number(t, r[5])
		}
		last := yahoo[len(yahoo)-1].Time
		var lean []Bar
		traded := map[Date]float64{}
		for _, b := range leanBars(t, row.lean) {
			if !b.Time.After(last) {
				lean = append(lean, b)
				traded[DateOf(b.Time)] = b.Close
			}
		}
		events := leanEvents(t, row.lean)
		factors, err := AdjustmentFactors(lean, events)
		require.NoError(t, err)
		back, err := UnadjustBars(yahoo, events, ForSplits)
		require.NoError(t, err)
		days, off := 0, 0
		for i, b := range yahoo {
			d := DateOf(b.Time)
			if traded[d] == 0 {
				continue
			}
			days++
			if relative(back[i].Close, traded[d]) > 0.005 {
				off++
			}
			assert.InEpsilon(t, adjusted[d]/b.Close, factors.On(d).Dividend, row.dividends, "%s %s", row.lean, d)
		}
		assert.Equal(t, row.days, days)
		assert.Equal(t, row.off, off)
	}
}

// Minutes around Apple's 7:1 split, adjusted with the factors of its days.
func TestFactorsOfDaysAdjustMinutes(t *testing.T) {
	file, err := OpenBars(sharedtest.Path(t, "data", "intraday", "lean_aapl_1min_20140605_06_09_split.csv.gz"), nil)
	require.NoError(t, err)
	factors := Factors{{Last: date(t, "2014-06-06"), Split: 1. / 7, Dividend: 1}}
	got, err := factors.Adjust(file.Bars, ForSplits)
	require.NoError(t, err)
	for i := 1; i < len(got); i++ {
		require.Less(t, relative(got[i].Close, got[i-1].Close), 0.02, got[i].Time)
	}
	assert.Greater(t, file.Bars[0].Close, 600.0)
	assert.Equal(t, 7*file.Bars[0].Volume, got[0].Volume)
	assert.Equal(t, file.Bars[len(got)-1], got[len(got)-1])
}

func days(closes ...float64) []Bar {
	var bars []Bar
	for i, s := range NYSE().Sessions(Date{Year: 2026, Month: 9, Day: 14}, Date{Year: 2026, Month: 9, Day: 30})[:len(closes)] {
		c := closes[i]
		bars = append(bars, Bar{Time: s.Date.In(NYSE().Location()), Open: c, High: c, Low: c, Close: c, Volume: 100})
	}
	return bars
}

// A split 2:1 and a dividend of 1 dollar per new share on the same day: an old
// share at 100 becomes two at 50, less a dollar each.
func TestSplitAndDividendOnOneDay(t *testing.T) {
	bars := days(100, 49, 49)
	events := []Event{
		{Symbol: "X", Kind: Dividend, Date: date(t, "2026-09-15"), Value: 1},
		{Symbol: "X", Kind: Split, Date: date(t, "2026-09-15"), Value: 2},
		{Symbol: "X", Kind: Earnings, Date: date(t, "2026-09-15"), Value: math.NaN()},
		{Symbol: "X", Kind: Dividend, Date: date(t, "2026-09-16"), Value: 9, Estimated: true},
		{Symbol: "X", Kind: Dividend, Date: date(t, "2026-09-14"), Value: 9},  // nothing before it
		{Symbol: "X", Kind: Dividend, Date: date(t, "2026-12-15"), Value: 90}, // after the last bar
	}
	got, err := AdjustBars(bars, events, ForSplitsAndDividends)
	require.NoError(t, err)
	assert.InDelta(t, 49, got[0].Close, 1e-12)
	assert.InDelta(t, 200, got[0].Volume, 1e-12)
	assert.Equal(t, bars[1:], got[1:])
	assert.Equal(t, 100.0, bars[0].Close, "the caller's bars stay")
	for a, want := range map[Adjustment]float64{ForSplits: 50, ForDividends: 98, ForSplitsAndDividends: 49} {
		got, err := AdjustBars(bars, events, a)
		require.NoError(t, err)
		assert.InDelta(t, want, got[0].Close, 1e-12)
		back, err := UnadjustBars(got, events, a)
		require.NoError(t, err)
		sameBars(t, bars, back, 1e-14)
	}
}

// The moves of adjusted bars do not change when later bars are cut off.
func TestAdjustedMovesDoNotLookAhead(t *testing.T) {
	bars, events := leanBars(t, "aapl"), leanEvents(t, "aapl")
	whole, err := AdjustBars(bars, events, ForSplitsAndDividends)
	require.NoError(t, err)
	for _, n := range []int{700, 2000, 4200, 5700} {
		cut, err := AdjustBars(bars[:n], events, ForSplitsAndDividends)
		require.NoError(t, err)
		for i := 1; i < n; i++ {
			require.InEpsilon(t, whole[i].Close/whole[i-1].Close, cut[i].Close/cut[i-1].Close, 1e-12)
		}
	}
}

func TestAdjustmentKeepsUnknownsAndEmpties(t *testing.T) {
	bars := days(10, 10, 5)
	bars[0].Volume, bars[0].Open = math.NaN(), math.NaN()
	got, err := AdjustBars(bars, []Event{{Kind: Split, Date: date(t, "2026-09-16"), Value: 2}}, ForSplits)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(got[0].Volume) && math.IsNaN(got[0].Open))
	assert.Equal(t, 5.0, got[1].Close)
	for _, none := range [][]Bar{nil, {}, days(10)} {
		got, err := AdjustBars(none, []Event{{Kind: Split, Date: date(t, "2026-09-16"), Value: 2}}, ForSplits)
		require.NoError(t, err)
		assert.Equal(t, none, got)
	}
	assert.Equal(t, Factor{Split: 1, Dividend: 1}, Factors(nil).On(date(t, "2026-09-16")))
}

func TestAdjustmentRefusesBadInput(t *testing.T) {
	bars, day := days(10, 10, 10), date(t, "2026-09-15")
	for _, row := range []struct {
		field  string
		bars   []Bar
		events []Event
	}{
		{"split", bars, []Event{{Kind: Split, Date: day}}},
		{"split", bars, []Event{{Kind: Split, Date: day, Value: math.Inf(1)}}},
		{"dividend", bars, []Event{{Kind: Dividend, Date: day, Value: math.NaN()}}},
		{"dividend", bars, []Event{{Kind: Dividend, Date: day, Value: 10}}},
		{"dividend", days(math.NaN(), 10), []Event{{Kind: Dividend, Date: day, Value: 1}}},
		{"events", bars, []Event{{Symbol: "A", Kind: Split, Date: day, Value: 2}, {Symbol: "B", Kind: Split, Date: day, Value: 2}}},
		{"bars", []Bar{bars[1], bars[0]}, nil},
	} {
		_, err := AdjustBars(row.bars, row.events, ForSplitsAndDividends)
		assert.Equal(t, row.field, fieldError(t, err).Field)
	}
	for _, a := range []Adjustment{0, -1, 4} {
		_, err := AdjustBars(bars, nil, a)
		assert.Equal(t, "adjustment", fieldError(t, err).Field)
		_, err = UnadjustBars(bars, nil, a)
		assert.Equal(t, "adjustment", fieldError(t, err).Field)
		_, err = Factors{}.Adjust(bars, a)
		assert.Equal(t, "adjustment", fieldError(t, err).Field)
	}
	for field, factors := range map[string]Factors{
		"split factor":    {{Last: day, Dividend: 1}},
		"dividend factor": {{Last: day, Split: 1, Dividend: math.NaN()}},
		"factors":         {{Last: day, Split: 1, Dividend: 1}, {Last: day, Split: 1, Dividend: 1}},
	} {
		_, err := factors.Unadjust(bars, ForSplits)
		assert.Equal(t, field, fieldError(t, err).Field)
	}
}

func BenchmarkAdjustBars23Years(b *testing.B) {
	bars, events := leanBars(b, "aapl"), leanEvents(b, "aapl")
	for b.Loop() {
		if _, err := AdjustBars(bars, events, ForSplitsAndDividends); err != nil {
			b.Fatal(err)
		}
	}
}
