package market

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A BarFile is the bars of one symbol from a CSV file.
type BarFile struct {
	Symbol   Symbol   // empty when neither the file nor the options say
	Interval Interval // given, or found from the spacing of the rows
	Bars     []Bar    // ascending by time, no time twice
	Problems []RowProblem
}

var barMeanings = []meaning{
	{"time", nil}, // see findTime
	{"symbol", []string{"symbol", "ticker", "sym", "instrument"}},
	{"open", []string{"open", "openprice", "o"}},
	{"high", []string{"high", "highprice", "h"}},
	{"low", []string{"low", "lowprice", "l"}},
	{"close", []string{"close", "closeprice", "closelast", "c"}},
	{"volume", []string{"volume", "totalvolume", "vol", "v"}},
}

// ReadBars reads bars from CSV text, plain or gzip, recognised by its content.
//
// The first row names the columns: a time, open, high, low, close and, if the
// file has them, volume and symbol, in any order and case and under common
// other names; further columns such as Adj Close are ignored. Times are RFC
// 3339, YYYY-MM-DD or M/D/YYYY with an optional time of day, or Unix times.
//
// A row is bad when a field is missing or cannot be read, a price is not
// positive, the high is below the low, the open or close is outside of them,
// its time is out of order, or its time occurred before with other values.
// Files in descending order are turned round. Rows that repeat an earlier one
// are dropped. Missing sessions, and missing bars within a regular session, are
// listed in Problems. An unknown volume is NaN.
//
// Daily bars get the midnight of their date in New York, weekly and monthly
// ones that of the period's first session. An error about the content is a
// *[FieldError]; a file without any bar is [ErrNoData].
func ReadBars(r io.Reader, options *CSVOptions) (*BarFile, error) {
	opts, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	t, err := openTable(r, opts)
	if err != nil {
		return nil, err
	}
	rows, symbol, err := t.readBarRows(opts)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		if len(t.problems) > 0 {
			return nil, fmt.Errorf("no usable row, first problem: %s: %w", t.problems[0], ErrNoData)
		}
		return nil, fmt.Errorf("no rows: %w", ErrNoData)
	}
	file := &BarFile{Symbol: symbol, Interval: opts.Interval}
	if file.Interval == "" {
		if file.Interval, err = inferInterval(rows); err != nil {
			return nil, err
		}
	}
	placeBars(rows, file.Interval, opts.Calendar)
	if rows, err = t.order(rows); err != nil {
		return nil, err
	}
	t.noteGaps(rows, file.Interval, opts.Calendar)
	slices.SortStableFunc(t.problems, func(a, b RowProblem) int { return cmp.Compare(a.Line, b.Line) })
	file.Problems = t.problems
	file.Bars = make([]Bar, len(rows))
	for i := range rows {
		file.Bars[i] = rows[i].bar
	}
	return file, nil
}

// A barRow is a bar with the line it came from.
type barRow struct {
	line  int
	bar   Bar
	date  Date // as written
	clock bool // with a time of day
}

// readBarRows reads the rows of one symbol, in the order of the file.
func (t *table) readBarRows(opts CSVOptions) ([]barRow, Symbol, error) {
	column, err := t.columns(barMeanings, opts.Map)
	if err != nil {
		return nil, "", err
	}
	when := t.findTime(column["time"], opts.Location)
	var missing []string
	if when.column < 0 {
		missing = append(missing, "time")
	}
	prices := [4]int{column["open"], column["high"], column["low"], column["close"]}
	for i, name := range barMeanings[2:6] {
		if prices[i] < 0 {
			missing = append(missing, name.ours)
		}
	}
	if missing != nil {
		return nil, "", t.missing("bars", missing)
	}
	var rows []barRow
	symbols := map[string]Symbol{}
	for {
		row, line, err := t.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", err
		}
		if column["symbol"] >= 0 {
			text := cell(row, column["symbol"])
			s, seen := symbols[text]
			if !seen {
				if s, err = ParseSymbol(text); err != nil {
					if err := t.bad(line, t.header[column["symbol"]], text, "a symbol"); err != nil {
						return nil, "", err
					}
					continue
				}
				symbols[strings.Clone(text)] = s
			}
			if opts.Symbol != "" && s != opts.Symbol {
				continue
			}
		}
		b, field, value, want := t.parseBar(row, prices, column["volume"], &when)
		if want != "" {
			if err := t.bad(line, field, strings.Clone(value), want); err != nil {
				return nil, "", err
			}
			continue
		}
		if math.IsNaN(b.bar.Volume) && column["volume"] >= 0 {
			t.note(line, t.header[column["volume"]], "", "empty: the volume is not known")
		}
		b.line = line
		rows = append(doubled(rows), b)
	}
	symbol, err := oneSymbol(symbols, opts.Symbol)
	return rows, symbol, err
}

// doubled returns s with room for one more. It grows by twice where append
// grows long slices by a quarter, which copies large files five times over.
func doubled[E any](s []E) []E {
	if len(s) < cap(s) {
		return s
	}
	return slices.Grow(s, max(1024, len(s)))
}

// oneSymbol says which of a file's symbols was read.
func oneSymbol(inFile map[string]Symbol, asked Symbol) (Symbol, error) {
	if len(inFile) == 0 {
		return asked, nil
	}
	var names []string
	for _, s := range inFile {
		if s == asked {
			return asked, nil
		}
		if !slices.Contains(names, string(s)) {
			names = append(names, string(s))
		}
	}
	slices.Sort(names)
	if asked == "" && len(names) == 1 {
		return Symbol(names[0]), nil
	}
	shown := strings.Join(names[:min(len(names), 30)], ", ")
	if asked == "" {
		return "", invalid.Missing("symbol", "one of the file's: "+shown)
	}
	return "", invalid.Field("symbol", string(asked), "one of the file's: "+shown)
}

// parseBar reads one row; want is empty when it is good.
func (t *table) parseBar(row []string, prices [4]int, volume int, when *timeColumn) (b barRow, field, value, want string) {
	at, ok := when.read(row)
	if !ok {
		return b, t.header[when.column], cell(row, when.column), allowedTimes
	}
	var x [4]float64
	for i, column := range prices {
		text := cell(row, column)
		if x[i], ok = parseNumber(text); !ok || !(x[i] > 0) {
			return b, t.header[column], text, "a price above 0"
		}
	}
	open, high, low, last := x[0], x[1], x[2], x[3]
	switch {
	case high < low:
		return b, t.header[prices[1]], cell(row, prices[1]), fmt.Sprintf("a price of at least the low %v", low)
	case open < low || open > high:
		return b, t.header[prices[0]], cell(row, prices[0]), fmt.Sprintf("a price between the low %v and the high %v", low, high)
	case last < low || last > high:
		return b, t.header[prices[3]], cell(row, prices[3]), fmt.Sprintf("a price between the low %v and the high %v", low, high)
	}
	size := math.NaN()
	if volume >= 0 {
		if size, ok = parseNumber(cell(row, volume)); !ok || size < 0 {
			return b, t.header[volume], cell(row, volume), "a number of at least 0"
		}
	}
	b = barRow{bar: Bar{Time: at.t, Open: open, High: high, Low: low, Close: last, Volume: size}, date: at.date, clock: at.clock}
	return b, "", "", ""
}

// inferInterval finds the length of bars from the usual spacing of the rows.
func inferInterval(rows []barRow) (Interval, error) {
	var days []int
	within := map[time.Duration]int{} // spacing of rows of the same day
	same := 0
	for i := 1; i < len(rows); i++ {
		a, b := &rows[i-1], &rows[i]
		if a.date != b.date {
			days = append(days, max(a.date.DaysUntil(b.date), b.date.DaysUntil(a.date)))
		} else if d := b.bar.Time.Sub(a.bar.Time).Abs(); d > 0 {
			within[d]++
			same++
		}
	}
	if 4*same > len(days) { // more than one bar a day as a rule
		var usual time.Duration
		for d, n := range within {
			if n > within[usual] || n == within[usual] && d < usual {
				usual = d
			}
		}
		switch {
		case usual%time.Hour == 0:
			return Interval(fmt.Sprintf("%dh", usual/time.Hour)), nil
		case usual%time.Minute == 0:
			return Interval(fmt.Sprintf("%dm", usual/time.Minute)), nil
		case usual%time.Second == 0:
			return Interval(fmt.Sprintf("%ds", usual/time.Second)), nil
		}
		return "", invalid.Field("interval", usual.String(), "rows that are whole seconds apart, or an interval that is given")
	}
	if len(days) == 0 {
		if rows[0].clock {
			return "", invalid.Missing("interval", "an interval that is given, since one bar with a time of day does not show it")
		}
		return Day, nil
	}
	slices.Sort(days)
	switch usual := days[(len(days)-1)/2]; {
	case usual <= 4:
		return Day, nil
	case usual >= 5 && usual <= 9:
		return Week, nil
	case usual >= 26 && usual <= 33:
		return Month, nil
	case usual >= 85 && usual <= 95:
		return "3mo", nil
	case usual >= 355 && usual <= 375:
		return "12mo", nil
	default:
		return "", invalid.Fieldf("interval", plural(usual, "day"), "rows a day, week, month, quarter or year apart, or an interval that is given")
	}
}

// placeBars puts daily and longer bars at midnight in New York of their first session.
func placeBars(rows []barRow, interval Interval, cal *Calendar) {
	n, unit := interval.Parts()
	if interval.Intraday() {
		for i := range rows {
			rows[i].bar.Time = rows[i].bar.Time.In(cal.loc)
		}
		return
	}
	for i := range rows {
		d := rows[i].date
		if n == 1 {
			d = cal.periodStart(d, unit)
		}
		rows[i].bar.Time = d.In(cal.loc)
	}
}

// order sorts the rows and removes those out of order and those that repeat a
// time. Which rows are out of order is decided so that the fewest are.
func (t *table) order(rows []barRow) ([]barRow, error) {
	up, down := 0, 0
	for i := 1; i < len(rows); i++ {
		switch rows[i].bar.Time.Compare(rows[i-1].bar.Time) {
		case 1:
			up++
		case -1:
			down++
		}
	}
	if down > up {
		slices.Reverse(rows)
		up, down = down, up
	}
	if down > 0 {
		in := longestAscent(rows)
		kept := rows[:0]
		for i, b := range rows {
			if in[i] {
				kept = append(kept, b)
			} else if err := t.bad(b.line, "time", b.bar.Time.Format(time.DateTime), "a time in the order of the other rows"); err != nil {
				return nil, err
			}
		}
		rows = kept
	}
	kept := rows[:0]
	for _, b := range rows {
		if len(kept) == 0 || !kept[len(kept)-1].bar.Time.Equal(b.bar.Time) {
			kept = append(kept, b)
			continue
		}
		first := kept[len(kept)-1]
		when := b.bar.Time.Format(time.DateTime)
		if sameBar(first.bar, b.bar) {
			t.problems = append(t.problems, RowProblem{Line: b.line, Field: "time", Value: when, Reason: fmt.Sprintf("repeats line %d", first.line), Dropped: true})
		} else if err := t.bad(b.line, "time", when, fmt.Sprintf("a time of its own; line %d has the same with other values", first.line)); err != nil {
			return nil, err
		}
	}
	return kept, nil
}

// longestAscent marks the rows of a longest subsequence that does not descend,
// by patience sorting.
func longestAscent(rows []barRow) []bool {
	var ends []int // ends[k]: index of the smallest last row of an ascent of k+1 rows
	before := make([]int, len(rows))
	for i := range rows {
		k, _ := slices.BinarySearchFunc(ends, rows[i].bar.Time, func(end int, at time.Time) int {
			if rows[end].bar.Time.After(at) {
				return 1
			}
			return -1
		})
		before[i] = -1
		if k > 0 {
			before[i] = ends[k-1]
		}
		if k == len(ends) {
			ends = append(ends, i)
		} else {
			ends[k] = i
		}
	}
	in := make([]bool, len(rows))
	for i := ends[len(ends)-1]; i >= 0; i = before[i] {
		in[i] = true
	}
	return in
}

// sameBar reports whether two bars hold the same, NaN being like NaN.
func sameBar(a, b Bar) bool {
	sameVolume := a.Volume == b.Volume || math.IsNaN(a.Volume) && math.IsNaN(b.Volume)
	return a.Time.Equal(b.Time) && a.Open == b.Open && a.High == b.High && a.Low == b.Low && a.Close == b.Close && sameVolume
}
