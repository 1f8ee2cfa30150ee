package market_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

// fieldError returns the *FieldError in err.
func fieldError(t testing.TB, err error) *FieldError {
	t.Helper()
	field, ok := errors.AsType[*FieldError](err)
	require.True(t, ok, "want a *FieldError, got %v", err)
	return field
}

const threeDays = `Date,Open,High,Low,Close,Adj Close,Volume
2026-09-14,10,12,9,11,5,100
2026-09-15,11,13,10,12,6,200
2026-09-16,12,14,11,13,7,300
`

func TestReadBarsReadsTheUsualDailyFile(t *testing.T) {
	file, err := ReadBars(strings.NewReader(threeDays), &CSVOptions{Symbol: "spy"})
	require.NoError(t, err)
	assert.Equal(t, Symbol("SPY"), file.Symbol)
	assert.Equal(t, Day, file.Interval)
	assert.Empty(t, file.Problems)
	require.Len(t, file.Bars, 3)
	assert.Equal(t, Bar{Time: at(t, "2026-09-15 00:00"), Open: 11, High: 13, Low: 10, Close: 12, Volume: 200}, file.Bars[1])
}

// The same three bars, however a file writes them.
func TestReadBarsFindsColumnsAndTimesOfEveryHabit(t *testing.T) {
	daily := []string{"2026-09-14 00:00", "2026-09-15 00:00", "2026-09-16 00:00"}
	hours := []string{"2026-09-16 09:30", "2026-09-16 10:30", "2026-09-16 11:30"}
	for name, row := range map[string]struct {
		text     string
		opts     CSVOptions
		times    []string
		interval Interval
	}{
		"other order and case":                   {"CLOSE,Low,hIGH,open,TIME\n11,9,12,10,2026-09-14\n12,10,13,11,2026-09-15\n13,11,14,12,2026-09-16\n", CSVOptions{}, daily, Day},
		"semicolons and byte order mark":         {"\ufeffdate;o;h;l;c\n2026-09-14;10;12;9;11\n2026-09-15;11;13;10;12\n2026-09-16;12;14;11;13\n", CSVOptions{}, daily, Day},
		"month first, dollars, newest first":     {"Date,Close/Last,Volume,Open,High,Low\n09/16/2026,$13,1,$12,$14,$11\n09/15/2026,$12,1,$11,$13,$10\n09/14/2026,$11,1,$10,$12,$9\n", CSVOptions{}, daily, Day},
		"compact dates":                          {"timestamp,open,high,low,close\n20260914,10,12,9,11\n20260915,11,13,10,12\n20260916,12,14,11,13\n", CSVOptions{}, daily, Day},
		"daily with UTC midnights":               {"date,open,high,low,close\n2026-09-14 00:00:00+00:00,10,12,9,11\n2026-09-15 00:00:00+00:00,11,13,10,12\n2026-09-16 00:00:00+00:00,12,14,11,13\n", CSVOptions{}, daily, Day},
		"daily Unix seconds of midnight UTC":     {"t,o,h,l,c\n1789344000,10,12,9,11\n1789430400,11,13,10,12\n1789516800,12,14,11,13\n", CSVOptions{}, daily, Day},
		"daily Unix milliseconds of the opening": {"t,o,h,l,c\n1789392600000,10,12,9,11\n1789479000000,11,13,10,12\n1789565400000,12,14,11,13\n", CSVOptions{}, daily, Day},
		"unnamed index of a data frame":          {",Open,High,Low,Close\n2026-09-14,10,12,9,11\n2026-09-15,11,13,10,12\n2026-09-16,12,14,11,13\n", CSVOptions{}, daily, Day},
		"New York without a zone":                {"datetime,open,high,low,close\n2026-09-16 09:30,10,12,9,11\n2026-09-16 10:30:00,11,13,10,12\n2026-09-16T11:30:00.000,12,14,11,13\n", CSVOptions{}, hours, Hour},
		"RFC 3339":                               {"time,open,high,low,close\n2026-09-16T13:30:00Z,10,12,9,11\n2026-09-16T10:30:00-04:00,11,13,10,12\n2026-09-16T11:30:00-0400,12,14,11,13\n", CSVOptions{}, hours, Hour},
		"Chicago in the column's name":           {"time_ct,open,high,low,close\n2026-09-16 08:30,10,12,9,11\n2026-09-16 09:30,11,13,10,12\n2026-09-16 10:30,12,14,11,13\n", CSVOptions{}, hours, Hour},
		"UTC by option":                          {"time,open,high,low,close\n2026-09-16 13:30,10,12,9,11\n2026-09-16 14:30,11,13,10,12\n2026-09-16 15:30,12,14,11,13\n", CSVOptions{Location: time.UTC}, hours, Hour},
		"date and clock apart, AM and PM":        {"Date,Time,Open,High,Low,Close\n9/16/2026,9:30 AM,10,12,9,11\n9/16/2026,10:30 AM,11,13,10,12\n9/16/2026,11:30 AM,12,14,11,13\n", CSVOptions{}, hours, Hour},
		"names of their own":                     {"wann,auf,hoch,tief,zu\n2026-09-14,10,12,9,11\n2026-09-15,11,13,10,12\n2026-09-16,12,14,11,13\n", CSVOptions{Map: map[string]string{"Wann": "time", "auf": "open", "hoch": "high", "tief": "low", "zu": "close"}}, daily, Day},
		"one symbol of several":                  {"symbol,date,open,high,low,close\nB,2026-09-14,1,1,1,1\na,2026-09-14,10,12,9,11\nA,2026-09-15,11,13,10,12\nB,2026-09-15,1,1,1,1\nA,2026-09-16,12,14,11,13\n", CSVOptions{Symbol: "A"}, daily, Day},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := ReadBars(strings.NewReader(row.text), &row.opts)
			require.NoError(t, err)
			assert.Equal(t, row.interval, file.Interval)
			require.Len(t, file.Bars, 3)
			for i, b := range file.Bars {
				x := float64(10 + i)
				assert.Equal(t, at(t, row.times[i]), b.Time)
				assert.Equal(t, []float64{x, x + 2, x - 1, x + 1}, []float64{b.Open, b.High, b.Low, b.Close})
			}
		})
	}
}

func TestReadBarsNamesTheLineOfABadRow(t *testing.T) {
	head := "time,open,high,low,close,volume\n2026-09-11,10,12,9,11,1\n2026-09-14,10,12,9,11,1\n"
	tail := "\n2026-09-16,12,14,11,13,1\n2026-09-17,12,14,11,13,1\n2026-09-18,12,14,11,13,1\n"
	for row, want := range map[string]struct{ field, allowed string }{
		"2026-09-15,11,9,10,10,1":    {"line 4, high", "at least the low 10"},
		"2026-09-15,14,13,10,12,1":   {"line 4, open", "between the low 10 and the high 13"},
		"2026-09-15,11,13,10,9,1":    {"line 4, close", "between the low 10 and the high 13"},
		"2026-09-15,,13,10,12,1":     {"line 4, open", "a price above 0"},
		"2026-09-15,null,13,10,12,1": {"line 4, open", "a price above 0"},
		"2026-09-15,11,13,x,12,1":    {"line 4, low", "a price above 0"},
		"2026-09-15,11,13,Inf,12,1":  {"line 4, low", "a price above 0"},
		"2026-09-15,11,13,0,12,1":    {"line 4, low", "a price above 0"},
		"2026-09-15,11,13,-10,12,1":  {"line 4, low", "a price above 0"},
		"2026-09-15,11,13,10,12,-1":  {"line 4, volume", "at least 0"},
		"2026-09-31,11,13,10,12,1":   {"line 4, time", "a time such as"},
		",11,13,10,12,1":             {"line 4, time", "a time such as"},
		"2026-09-15,11,13,10,12":     {"line 4, row", "6 fields as in the header, not 5"},
		"2026-09-15,11,13,10,12,1,1": {"line 4, row", "not 7"},
		"2026-09-15,11,13,10,\"12,1": {"line 4, row", "well-formed CSV"},
		"2026-09-14,11,13,10,12,1":   {"line 4, time", "line 3 has the same with other values"},
		"2026-09-10,11,13,10,12,1":   {"line 4, time", "order"},
		"2041-09-15,11,13,10,12,1":   {"line 4, time", "order"},
	} {
		t.Run(row, func(t *testing.T) {
			text := head + row + tail
			_, err := ReadBars(strings.NewReader(text), nil)
			field := fieldError(t, err)
			assert.Equal(t, want.field, field.Field)
			assert.Contains(t, field.Allowed, want.allowed)

			file, err := ReadBars(strings.NewReader(text), &CSVOptions{BadRows: SkipBadRows, Interval: Day})
			require.NoError(t, err)
			require.NotEmpty(t, file.Problems)
			assert.True(t, file.Problems[0].Dropped)
			assert.Contains(t, file.Problems[0].String(), strings.TrimSuffix(want.field, "row"))
			if !strings.Contains(row, `"`) { // an open quote takes the rest of the file with it
				assert.Len(t, file.Bars, 5)
			}
		})
	}
}

func TestReadBarsDropsARepeatedRowAndSaysSo(t *testing.T) {
	file, err := ReadBars(strings.NewReader(threeDays+"2026-09-16,12,14,11,13,7,300\n"), nil)
	require.NoError(t, err)
	assert.Len(t, file.Bars, 3)
	assert.Equal(t, []RowProblem{{Line: 5, Field: "time", Value: "2026-09-16 00:00:00", Reason: "repeats line 4", Dropped: true}}, file.Problems)
}

func TestReadBarsReportsGapsAndKeepsTheRows(t *testing.T) {
	for name, row := range map[string]struct {
		text  string
		bars  int
		lines []int
		says  string
	}{
		"sessions of days":                        {"date,open,high,low,close\n2026-09-14,1,1,1,1\n2026-09-17,1,1,1,1\n2026-09-18,1,1,1,1\n2026-09-21,1,1,1,1\n", 4, []int{3}, "gap: 2 sessions missing before this line: 2026-09-15 to 2026-09-16"},
		"no gap over a holiday":                   {"date,open,high,low,close\n2026-11-25,1,1,1,1\n2026-11-27,1,1,1,1\n2026-11-30,1,1,1,1\n", 3, nil, ""},
		"a bar on a holiday":                      {"date,open,high,low,close\n2026-11-25,1,1,1,1\n2026-11-26,1,1,1,1\n2026-11-27,1,1,1,1\n", 3, []int{3}, "a bar on a day without a session"},
		"minutes of a session":                    {"time,open,high,low,close\n2026-09-16 15:55,1,1,1,1\n2026-09-16 15:56,1,1,1,1\n2026-09-16 15:59,1,1,1,1\n", 3, []int{4}, "gap: 2 bars missing before this line: 15:57:00 to 15:59:00"},
		"minutes outside of the session may lack": {"time,open,high,low,close\n2026-09-16 15:58,1,1,1,1\n2026-09-16 15:59,1,1,1,1\n2026-09-16 17:00,1,1,1,1\n2026-09-16 17:01,1,1,1,1\n", 4, nil, ""},
		"sessions between intraday bars":          {"time,open,high,low,close\n2026-09-15 15:00,1,1,1,1\n2026-09-15 15:30,1,1,1,1\n2026-09-17 09:30,1,1,1,1\n2026-09-17 10:00,1,1,1,1\n", 4, []int{4}, "1 session missing before this line: 2026-09-16"},
		"weeks":                                   {"date,open,high,low,close\n2026-09-04,1,1,1,1\n2026-09-11,1,1,1,1\n2026-09-25,1,1,1,1\n", 3, []int{4}, "gap: 1 week missing after 2026-09-08"},
		"an empty volume":                         {"date,open,high,low,close,volume\n2026-09-14,1,1,1,1,\n2026-09-15,1,1,1,1,5\n", 2, []int{2}, "the volume is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := ReadBars(strings.NewReader(row.text), nil)
			require.NoError(t, err)
			assert.Len(t, file.Bars, row.bars)
			var lines []int
			for _, p := range file.Problems {
				lines = append(lines, p.Line)
				assert.Contains(t, p.Reason, row.says)
				assert.False(t, p.Dropped)
			}
			assert.Equal(t, row.lines, lines)
		})
	}
}

func TestReadBarsCountsGapsInsteadOfListingThousands(t *testing.T) {
	var text strings.Builder
	text.WriteString("date,open,high,low,close\n")
	for d := date(t, "1990-01-01"); d.Year < 2020; d = d.AddDays(3) {
		fmt.Fprintf(&text, "%s,1,1,1,1\n", d)
	}
	file, err := ReadBars(strings.NewReader(text.String()), nil)
	require.NoError(t, err)
	assert.Len(t, file.Problems, 202) // a hundred gaps, a hundred weekends, two counts
}

func TestReadBarsPutsLongBarsAtTheirFirstSession(t *testing.T) {
	week, err := ReadBars(strings.NewReader("date,open,high,low,close\n2026-09-04,1,1,1,1\n2026-09-11,1,1,1,1\n2026-09-18,1,1,1,1\n"), nil)
	require.NoError(t, err)
	assert.Equal(t, Week, week.Interval)
	assert.Equal(t, at(t, "2026-09-08 00:00"), week.Bars[1].Time) // Monday was Labor Day
	month, err := ReadBars(strings.NewReader("date,open,high,low,close\n2025-12-31,1,1,1,1\n2026-01-31,1,1,1,1\n2026-02-28,1,1,1,1\n"), nil)
	require.NoError(t, err)
	assert.Equal(t, Month, month.Interval)
	assert.Equal(t, at(t, "2026-01-02 00:00"), month.Bars[1].Time)
}

func TestReadBarsRefusesWhatIsNoBarFile(t *testing.T) {
	zipped := func(text string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		_, _ = w.Write([]byte(text))
		_ = w.Close()
		return b.String()
	}
	for name, row := range map[string]struct {
		text  string
		opts  *CSVOptions
		field string
	}{
		"empty":                     {"", nil, "file"},
		"blank":                     {"\n\n \n", nil, "file"},
		"JSON":                      {`{"a": 1}`, nil, "file"},
		"JSON in gzip":              {zipped(`[1]`), nil, "file"},
		"HTML":                      {"<html>", nil, "file"},
		"binary":                    {"PK\x03\x04\x00\x00", nil, "file"},
		"no header":                 {"19980102,0.86,0.0089,1\n", nil, "header"},
		"prices without open":       {"time,price\n2026-09-14,1\n", nil, "header"},
		"several symbols":           {"symbol,date,open,high,low,close\nA,2026-09-14,1,1,1,1\nB,2026-09-14,1,1,1,1\n", nil, "symbol"},
		"another symbol":            {"symbol,date,open,high,low,close\nA,2026-09-14,1,1,1,1\n", &CSVOptions{Symbol: "B"}, "symbol"},
		"one intraday bar":          {"time,open,high,low,close\n2026-09-14 10:00,1,1,1,1\n", nil, "interval"},
		"no usual spacing":          {"date,open,high,low,close\n2026-01-05,1,1,1,1\n2026-02-23,1,1,1,1\n", nil, "interval"},
		"mapping an absent column":  {threeDays, &CSVOptions{Map: map[string]string{"price": "close"}}, "map"},
		"mapping to an absent name": {threeDays, &CSVOptions{Map: map[string]string{"Open": "opening"}}, "map"},
		"ignoring what is needed":   {threeDays, &CSVOptions{Map: map[string]string{"Open": "-"}}, "header"},
		"absurd interval":           {threeDays, &CSVOptions{Interval: "5 parsecs"}, "interval"},
		"absurd symbol":             {threeDays, &CSVOptions{Symbol: "%%%"}, "symbol"},
		"absurd choice":             {threeDays, &CSVOptions{BadRows: 7}, "BadRows"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ReadBars(strings.NewReader(row.text), row.opts)
			assert.Equal(t, row.field, fieldError(t, err).Field, err)
		})
	}
	_, err := ReadBars(strings.NewReader("time,open,high,low,close\n"), nil)
	assert.ErrorIs(t, err, ErrNoData)
	_, err = ReadBars(strings.NewReader("time,open,high,low,close\n2026-09-14,0,0,0,0\n"), &CSVOptions{BadRows: SkipBadRows})
	assert.ErrorIs(t, err, ErrNoData)
	assert.ErrorContains(t, err, "line 2")
	cut := zipped(threeDays)
	_, err = ReadBars(strings.NewReader(cut[:len(cut)-12]), &CSVOptions{BadRows: SkipBadRows})
	assert.ErrorContains(t, err, "reading")
	_, err = OpenBars(filepath.Join(t.TempDir(), "absent.csv"), nil)
	assert.ErrorIs(t, err, os.ErrNotExist)
}

func TestReadBarsLeavesTheCallersOptionsAlone(t *testing.T) {
	opts := CSVOptions{Symbol: " spy "}
	_, err := ReadBars(strings.NewReader(threeDays), &opts)
	require.NoError(t, err)
	assert.Equal(t, CSVOptions{Symbol: " spy "}, opts)
}

// manifest returns the line of a file in the reference data's list.
func manifest(t *testing.T) map[string]string {
	text, err := os.ReadFile(sharedtest.Path(t, "data", "MANIFEST.md"))
	require.NoError(t, err)
	lines := map[string]string{}
	for _, line := range strings.Split(string(text), "\n") {
		if part := strings.Split(line, "|"); len(part) > 3 {
			lines[strings.TrimSpace(part[1])] = line
		}
	}
	return lines
}

var checked = regexp.MustCompile(`Check: (\d+) OHLC violations, (\d+) NaN, (\d+) dup`)

// Every daily and intraday file with prices loads, with as many bars as its
// list says it has rows, less those the list says are wrong.
func TestEveryListedBarFileLoads(t *testing.T) {
	lines := manifest(t)
	several := map[string]bool{"tiingo_etfs_2017h1.csv.gz": true, "tiingo_ivy_201412_201503.csv.gz": true, "hourly_2023_multi_public.csv.gz": true}
	loaded := 0
	for _, folder := range []string{"daily", "intraday"} {
		entries, err := os.ReadDir(sharedtest.Path(t, "data", folder))
		require.NoError(t, err)
		for _, entry := range entries {
			if tooLarge(t, entry) {
				continue
			}
			t.Run(entry.Name(), func(t *testing.T) {
				path := sharedtest.Path(t, "data", folder, entry.Name())
				line := lines[folder+"/"+entry.Name()]
				require.NotEmpty(t, line)
				want, err := strconv.Atoi(strings.TrimSpace(strings.Split(line, "|")[2]))
				require.NoError(t, err)
				if strings.HasPrefix(entry.Name(), "backtrader_") {
					want-- // the list counts its header
				}
				wrong := 0
				if m := checked.FindStringSubmatch(line); m != nil {
					for _, n := range m[1:] {
						n, _ := strconv.Atoi(n)
						wrong += n
					}
				}
				if !hasPrices(t, folder, entry.Name()) {
					_, err := OpenBars(path, nil)
					assert.Equal(t, "header", fieldError(t, err).Field)
					return
				}
				loaded++
				if several[entry.Name()] {
					assert.Equal(t, want, barsOfAllSymbols(t, path))
					return
				}
				_, err = OpenBars(path, nil)
				assert.Equal(t, wrong > 0, err != nil, err)
				file, err := OpenBars(path, &CSVOptions{BadRows: SkipBadRows})
				require.NoError(t, err)
				assert.Len(t, file.Bars, want-wrong)
				dropped := 0
				for _, p := range file.Problems {
					if p.Dropped {
						dropped++
					}
				}
				assert.Equal(t, wrong, dropped)
				switch {
				case folder == "daily":
					assert.Equal(t, Day, file.Interval)
				case strings.Contains(entry.Name(), "hour"):
					assert.Equal(t, Hour, file.Interval)
				default:
					assert.Equal(t, Minute, file.Interval)
				}
			})
		}
	}
	if !raced {
		assert.GreaterOrEqual(t, loaded, 40)
	}
}

// tooLarge reports whether a file is left to the run without race detector.
func tooLarge(t *testing.T, entry os.DirEntry) bool {
	info, err := entry.Info()
	require.NoError(t, err)
	return raced && info.Size() > 60_000
}

func hasPrices(t *testing.T, folder, name string) bool {
	file, err := os.Open(sharedtest.Path(t, "data", folder, name))
	require.NoError(t, err)
	defer file.Close()
	var r io.Reader = file
	if strings.HasSuffix(name, ".gz") {
		r, err = gzip.NewReader(file)
		require.NoError(t, err)
	}
	header, _ := bufio.NewReader(r).ReadString('\n')
	return strings.Contains(","+strings.ToLower(header), ",open,")
}

// barsOfAllSymbols reads a file once per symbol that its refusal lists.
func barsOfAllSymbols(t *testing.T, path string) int {
	_, err := OpenBars(path, nil)
	field := fieldError(t, err)
	require.Equal(t, "symbol", field.Field)
	_, list, _ := strings.Cut(field.Allowed, ": ")
	n := 0
	for _, s := range strings.Split(list, ", ") {
		file, err := OpenBars(path, &CSVOptions{Symbol: Symbol(s)})
		require.NoError(t, err)
		assert.Equal(t, Symbol(s), file.Symbol)
		n += len(file.Bars)
	}
	return n
}

// The rows that a person finds wrong in the file by looking.
func TestDirtyRowsOfARealFileAreNamed(t *testing.T) {
	path := sharedtest.Path(t, "data", "daily", "djia_jpm_2006_2018.csv.gz")
	_, err := OpenBars(path, nil)
	assert.EqualError(t, err, `djia_jpm_2006_2018.csv.gz: line 301, open: "48.84" is not allowed; want a price between the low 45.91 and the high 47.55`)
	file, err := OpenBars(path, &CSVOptions{BadRows: SkipBadRows})
	require.NoError(t, err)
	var lines []int
	for _, p := range file.Problems {
		if p.Dropped {
			lines = append(lines, p.Line)
		}
	}
	assert.Equal(t, []int{301, 311, 312, 2915}, lines)
	for _, b := range file.Bars {
		require.False(t, math.IsNaN(b.Open+b.High+b.Low+b.Close))
	}
}

func TestChicagoMinutesStartAtTheNewYorkOpening(t *testing.T) {
	file, err := OpenBars(sharedtest.Path(t, "data", "intraday", "lean_spx_1min_20230626.csv.gz"), nil)
	require.NoError(t, err)
	assert.Equal(t, at(t, "2023-06-26 09:30"), file.Bars[0].Time)
	assert.Equal(t, at(t, "2023-06-26 15:59"), file.Bars[len(file.Bars)-1].Time)
}
