package market

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A ColumnFile is the numbers of a CSV file, column by column and row by row:
// bars with whatever else stands beside them, or no bars at all.
type ColumnFile struct {
	Symbol   Symbol   // empty when neither the file nor the options say
	Interval Interval // of the rows; empty when their times do not tell
	Names    []string // the columns of the file, as written

	// Time are the times of the rows; nil when the file has no column with
	// times, or one that holds something else, such as a count.
	Time []time.Time
	// Label is the time of each row as text: the date of daily and longer rows,
	// RFC 3339 of others, the cell as written where it is no time, and the count
	// of rows before it, from 0, in a file without any.
	Label []string

	Problems []RowProblem

	table   *table
	ours    map[string]int
	columns [][]float64
}

// ReadColumns reads the numbers of a CSV file, plain or gzip, whatever its
// columns are. Every row is kept as it stands, its missing numbers (an empty
// cell, "null", "NaN", "n/a", "-") as NaN; prices may be negative.
//
// Columns with the meanings that [ReadBars] knows are found under the same other
// names and by the options' Map. A row is bad when it has another number of
// fields than the header, its time cannot be read while that of the first row
// can, or is out of order, or when a bar has the time of the one before and other
// values. Files in descending order are turned round; a bar that repeats the one
// before is left out. A cell that is no number is found by [ColumnFile.Column],
// in a column that is used. Options' Calendar and Interval have no part in it.
// An error about the content is a *[FieldError]; a file without any row is
// [ErrNoData].
func ReadColumns(r io.Reader, options *CSVOptions) (*ColumnFile, error) {
	opts, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	t, err := openTable(r, opts)
	if err != nil {
		return nil, err
	}
	reader := columnReader{table: t, opts: opts, symbols: map[string]Symbol{}}
	if reader.ours, err = t.columns(barMeanings, opts.Map); err != nil {
		return nil, err
	}
	reader.when = t.findTime(reader.ours["time"], opts.Location)
	for i := range t.header {
		reader.numeric = append(reader.numeric, i != reader.when.column && i != reader.when.clock && i != reader.ours["symbol"])
	}
	if err := reader.rows(); err != nil {
		return nil, err
	}
	symbol, err := oneSymbol(reader.symbols, opts.Symbol)
	if err != nil {
		return nil, err
	}
	if len(reader.lines) == 0 {
		if len(t.problems) > 0 {
			return nil, fmt.Errorf("no usable row, first problem: %s: %w", t.problems[0], ErrNoData)
		}
		return nil, fmt.Errorf("no rows: %w", ErrNoData)
	}
	if err := reader.order(); err != nil {
		return nil, err
	}
	return reader.file(symbol), nil
}

// OpenColumns reads the numbers of a CSV file, plain or gzip. See [ReadColumns].
func OpenColumns(path string, opts *CSVOptions) (*ColumnFile, error) {
	return open(path, opts, ReadColumns)
}

// Len returns the number of rows.
func (f *ColumnFile) Len() int { return len(f.Label) }

// Column returns the numbers of a column: one of the file's names in any case,
// or open, high, low, close or volume for the column of that meaning. The slice
// is the file's own. An unknown name, or a cell that is no number, is a
// *[FieldError]; there is none of a cell that was skipped as part of a bad row.
func (f *ColumnFile) Column(name string) ([]float64, error) {
	i := f.table.index(name)
	if meant, ok := f.ours[strings.ToLower(strings.TrimSpace(name))]; ok && meant >= 0 {
		i = meant
	}
	if i < 0 {
		return nil, invalid.Fieldf("column", name, "a column of the file: %s", strings.Join(f.Names, ", "))
	}
	if f.columns[i] == nil {
		return nil, invalid.Fieldf("column", name, "a column of numbers; %s", f.table.notNumbers[i])
	}
	return f.columns[i], nil
}

// Has reports whether the file has numbers in a column of that name or meaning.
func (f *ColumnFile) Has(name string) bool {
	_, err := f.Column(name)
	return err == nil
}

// HasColumn reports whether the file has a column of that name, of numbers or not.
func (f *ColumnFile) HasColumn(name string) bool { return f.table.index(name) >= 0 }

type columnReader struct {
	table   *table
	opts    CSVOptions
	ours    map[string]int
	when    timeColumn
	numeric []bool
	symbols map[string]Symbol

	lines   []int
	stamps  []stamp // empty when the file has no times
	labels  []string
	columns [][]float64
	timed   bool // the first row has a time
}

func (c *columnReader) rows() error {
	t := c.table
	c.columns = make([][]float64, len(t.header))
	t.notNumbers = make(map[int]string)
	for {
		row, line, err := t.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		skip, err := c.otherSymbol(row, line)
		if err != nil {
			return err
		}
		if skip {
			continue
		}
		if c.when.column >= 0 {
			at, ok := c.when.read(row)
			if len(c.lines) == 0 {
				c.timed = ok
			}
			if c.timed && !ok {
				if err := t.bad(line, t.header[c.when.column], strings.Clone(cell(row, c.when.column)), allowedTimes); err != nil {
					return err
				}
				continue
			}
			c.stamps = append(doubled(c.stamps), at)
			if !c.timed {
				c.labels = append(doubled(c.labels), strings.Clone(cell(row, c.when.column)))
			}
		}
		c.lines = append(doubled(c.lines), line)
		for i, isNumeric := range c.numeric {
			if !isNumeric {
				continue
			}
			v, ok := parseNumber(cell(row, i))
			if !ok && t.notNumbers[i] == "" {
				t.notNumbers[i] = fmt.Sprintf("line %d has %q", line, cell(row, i))
			}
			c.columns[i] = append(doubled(c.columns[i]), v)
		}
	}
}

// otherSymbol reports whether the row is about another symbol than the one asked for.
func (c *columnReader) otherSymbol(row []string, line int) (bool, error) {
	column := c.ours["symbol"]
	if column < 0 {
		return false, nil
	}
	text := cell(row, column)
	s, seen := c.symbols[text]
	if !seen {
		var err error
		if s, err = ParseSymbol(text); err != nil {
			return true, c.table.bad(line, c.table.header[column], strings.Clone(text), "a symbol")
		}
		c.symbols[strings.Clone(text)] = s
	}
	return c.opts.Symbol != "" && s != c.opts.Symbol, nil
}

// order turns descending rows round, and finds rows that are out of order or
// have the time of the one before.
func (c *columnReader) order() error {
	if !c.timed {
		return nil
	}
	up, down := 0, 0
	for i := 1; i < len(c.stamps); i++ {
		switch c.stamps[i].t.Compare(c.stamps[i-1].t) {
		case 1:
			up++
		case -1:
			down++
		}
	}
	if down > up {
		slices.Reverse(c.lines)
		slices.Reverse(c.stamps)
		for _, column := range c.columns {
			slices.Reverse(column)
		}
	}
	bars := true
	for _, name := range []string{"open", "high", "low", "close"} {
		bars = bars && c.ours[name] >= 0
	}
	kept := 1
	for i := 1; i < len(c.stamps); i++ {
		before, now := c.stamps[kept-1].t, c.stamps[i].t
		problem := ""
		switch {
		case now.Before(before):
			problem = "a time in the order of the other rows"
		case bars && now.Equal(before) && c.same(kept-1, i):
			c.table.problems = append(c.table.problems, RowProblem{Line: c.lines[i], Field: "time", Value: now.Format(time.DateTime),
				Reason: fmt.Sprintf("repeats line %d", c.lines[kept-1]), Dropped: true})
			continue
		case bars && now.Equal(before):
			problem = fmt.Sprintf("a time of its own; line %d has the same with other values", c.lines[kept-1])
		}
		if problem != "" {
			if err := c.table.bad(c.lines[i], "time", now.Format(time.DateTime), problem); err != nil {
				return err
			}
			continue
		}
		c.move(i, kept)
		kept++
	}
	c.lines, c.stamps = c.lines[:kept], c.stamps[:kept]
	for k := range c.columns {
		c.columns[k] = c.columns[k][:min(kept, len(c.columns[k]))]
	}
	return nil
}

func (c *columnReader) same(i, j int) bool {
	for _, column := range c.columns {
		if len(column) > 0 && column[i] != column[j] && !(math.IsNaN(column[i]) && math.IsNaN(column[j])) {
			return false
		}
	}
	return true
}

func (c *columnReader) move(from, to int) {
	c.lines[to], c.stamps[to] = c.lines[from], c.stamps[from]
	for _, column := range c.columns {
		if len(column) > 0 {
			column[to] = column[from]
		}
	}
}

func (c *columnReader) file(symbol Symbol) *ColumnFile {
	t := c.table
	f := &ColumnFile{Symbol: symbol, Names: t.header, table: t, ours: c.ours, columns: c.columns}
	for i := range c.columns {
		if t.notNumbers[i] != "" {
			f.columns[i] = nil
		} else if !c.numeric[i] {
			t.notNumbers[i] = "it says when or of what each row is"
		}
	}
	c.checkBars(f)
	slices.SortStableFunc(t.problems, func(a, b RowProblem) int { return cmp.Compare(a.Line, b.Line) })
	f.Problems = t.problems
	switch {
	case c.timed:
		f.Time, f.Interval = make([]time.Time, len(c.stamps)), intervalOf(c.stamps)
		f.Label = make([]string, len(c.stamps))
		for i, at := range c.stamps {
			f.Time[i] = at.t.In(c.opts.Location)
			if f.Interval != "" && !f.Interval.Intraday() {
				f.Label[i] = at.date.String()
				f.Time[i] = at.date.In(c.opts.Calendar.loc)
			} else {
				f.Label[i] = f.Time[i].Format(time.RFC3339Nano)
			}
		}
	case c.labels != nil:
		f.Label = c.labels
	default:
		f.Label = make([]string, len(c.lines))
		for i := range f.Label {
			f.Label[i] = strconv.Itoa(i)
		}
	}
	return f
}

// checkBars notes bars that cannot be: nothing is dropped for it.
func (c *columnReader) checkBars(f *ColumnFile) {
	high, low := c.ours["high"], c.ours["low"]
	if high < 0 || low < 0 || f.columns[high] == nil || f.columns[low] == nil {
		return
	}
	for i, v := range f.columns[high] {
		if v < f.columns[low][i] {
			c.table.note(c.lines[i], c.table.header[high], strconv.FormatFloat(v, 'g', -1, 64), "the high is below the low")
		}
	}
}

// intervalOf is the length of the rows, as ReadBars finds it, "" when their
// times do not tell.
func intervalOf(stamps []stamp) Interval {
	rows := make([]barRow, len(stamps))
	clock := false
	for i, at := range stamps {
		rows[i] = barRow{date: at.date, clock: at.clock, bar: Bar{Time: at.t}}
		clock = clock || at.clock
	}
	interval, err := inferInterval(rows)
	switch {
	case err == nil:
		return interval
	case clock:
		return ""
	}
	return Day // dates, however far apart
}
