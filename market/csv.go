package market

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// BadRows says what to do with a row that cannot be right.
type BadRows int

// What can be done with a bad row.
const (
	// RefuseBadRows ends reading with an error that names the line, the column
	// and what is wrong. It is the zero value.
	RefuseBadRows BadRows = iota
	// SkipBadRows leaves the row out and lists it in the file's Problems.
	SkipBadRows
)

// CSVOptions says how to read a CSV file of bars or of option chains. Nil and
// the zero value read every file whose columns say what they are.
type CSVOptions struct {
	// Location is where times without a zone are from. Nil means New York. A
	// column that names its zone (time_et, time_ct, timestamp_utc) overrules it.
	Location *time.Location

	// Map renames columns whose name does not say what they are: theirs → ours.
	// Ours are time, symbol, open, high, low, close, volume for bars, and time,
	// symbol (the OCC symbol), underlying, root, expiry, strike, kind, bid, ask,
	// bid_size, ask_size, last, volume, open_interest, iv, delta, gamma, theta,
	// vega, rho, spot for chains; "-" ignores a column.
	Map map[string]string

	// BadRows says whether a bad row ends reading or is left out.
	BadRows BadRows

	// Symbol is what the file is about: of a file with several symbols only
	// this one is read, a file without a symbol column gets it. For chains it
	// is the underlying or the option root (SPXW).
	Symbol Symbol

	// Interval is the length of the bars; empty means the usual spacing of the
	// rows. For chains it says that rows are bars labelled with their start, so
	// that their quotes are known only at the end; empty means that rows are
	// quotes of their time.
	Interval Interval

	// Calendar tells the sessions; nil means [NYSE].
	Calendar *Calendar
}

// A RowProblem is something wrong with a row of a CSV file, or a gap before it.
type RowProblem struct {
	Line    int    // in the file, from 1
	Field   string // the column, "row" for the whole of it
	Value   string // what it holds
	Reason  string // what is wrong or what was expected
	Dropped bool   // the row was left out; otherwise the problem is for information
}

// String returns one line that says everything.
func (p RowProblem) String() string {
	return fmt.Sprintf("line %d, %s %q: %s", p.Line, p.Field, p.Value, p.Reason)
}

// mostNotes is how many gaps, and how many bars outside of sessions, are
// listed one by one; a last problem counts the others.
const mostNotes = 100

// withDefaults checks the options and fills in what is left out.
func (o *CSVOptions) withDefaults() (CSVOptions, error) {
	var opts CSVOptions
	if o != nil {
		opts = *o
	}
	if opts.Location == nil {
		opts.Location = newYork()
	}
	if opts.Calendar == nil {
		opts.Calendar = NYSE()
	}
	if opts.BadRows != RefuseBadRows && opts.BadRows != SkipBadRows {
		return opts, invalid.Field("BadRows", int(opts.BadRows), "RefuseBadRows or SkipBadRows")
	}
	if opts.Symbol != "" {
		symbol, err := ParseSymbol(string(opts.Symbol))
		if err != nil {
			return opts, err
		}
		opts.Symbol = symbol
	}
	if opts.Interval != "" {
		interval, err := ParseInterval(string(opts.Interval))
		if err != nil {
			return opts, err
		}
		opts.Interval = interval
	}
	return opts, nil
}

// A table reads the rows of a CSV file, plain or gzip.
type table struct {
	header []string // as written
	keys   []string // letters and digits of the header, lower case
	csv    *csv.Reader
	skip   bool // bad rows are left out

	problems   []RowProblem
	notNumbers map[int]string // columns with a cell that is no number, and which
}

// openTable reads the header.
func openTable(r io.Reader, opts CSVOptions) (*table, error) {
	in := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := in.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("reading gzip: %w", err)
		}
		in = bufio.NewReaderSize(unzipped, 64<<10)
	}
	start, err := in.Peek(4096)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading CSV: %w", err)
	}
	if bytes.HasPrefix(start, []byte("\xef\xbb\xbf")) {
		_, _ = in.Discard(3)
		start = start[3:]
	}
	line, _, _ := bytes.Cut(start, []byte("\n"))
	switch text := bytes.TrimSpace(start); {
	case len(text) == 0:
		return nil, invalid.Missing("file", "CSV with a header row; it is empty")
	case text[0] == '{' || text[0] == '[':
		return nil, invalid.Missing("file", "CSV with a header row; this is JSON")
	case text[0] == '<':
		return nil, invalid.Missing("file", "CSV with a header row; this is HTML or XML")
	case bytes.IndexByte(start, 0) >= 0:
		return nil, invalid.Missing("file", "CSV text, plain or gzip; this is binary")
	}
	t := &table{csv: csv.NewReader(in), skip: opts.BadRows == SkipBadRows}
	t.csv.Comma = delimiter(line)
	t.csv.FieldsPerRecord = -1 // counted here, so that the problem can name the line
	t.csv.ReuseRecord = true
	t.csv.TrimLeadingSpace = true
	header, err := t.csv.Read()
	if err != nil {
		return nil, invalid.Field("header", string(line), "column names separated by commas")
	}
	for _, name := range header {
		t.header = append(t.header, strings.TrimSpace(name))
		t.keys = append(t.keys, columnKey(name))
	}
	return t, nil
}

// delimiter returns the separator that the header has most of.
func delimiter(line []byte) rune {
	best, most := ',', bytes.Count(line, []byte(","))
	for _, c := range ";\t" {
		if n := bytes.Count(line, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// next returns the next row and its line; io.EOF at the end. The row is valid
// until the next call. Rows that are not CSV, or have another number of fields
// than the header, are bad rows.
func (t *table) next() (row []string, line int, err error) {
	for {
		row, err = t.csv.Read()
		var syntax *csv.ParseError
		switch {
		case err == nil:
			line, _ = t.csv.FieldPos(0)
			if len(row) == len(t.header) {
				return row, line, nil
			}
			err = t.bad(line, "row", strings.Join(row, ","), fmt.Sprintf("%d fields as in the header, not %d", len(t.header), len(row)))
		case errors.As(err, &syntax):
			err = t.bad(syntax.StartLine, "row", "", "well-formed CSV ("+syntax.Err.Error()+")")
		case !errors.Is(err, io.EOF):
			err = fmt.Errorf("reading CSV: %w", err)
		}
		if err != nil {
			return nil, 0, err
		}
	}
}

// bad reports a bad row: an error, or nil when bad rows are left out. want is a
// phrase for what would be right.
func (t *table) bad(line int, field, value, want string) error {
	if !t.skip {
		return invalid.Field(fmt.Sprintf("line %d, %s", line, field), value, want)
	}
	t.problems = append(t.problems, RowProblem{Line: line, Field: field, Value: value, Reason: "want " + want, Dropped: true})
	return nil
}

// note reports something that drops no row.
func (t *table) note(line int, field, value, reason string) {
	t.problems = append(t.problems, RowProblem{Line: line, Field: field, Value: value, Reason: reason})
}

// A meaning is one of our columns and the names others give it, as column
// keys, the most telling first.
type meaning struct {
	ours  string
	names []string
}

// columns finds the column of each meaning by name; -1 where there is none.
// An entry of renamed goes before every name.
func (t *table) columns(meanings []meaning, renamed map[string]string) (map[string]int, error) {
	taken := make([]bool, len(t.keys))
	found := make(map[string]int, len(meanings))
	for _, m := range meanings {
		found[m.ours] = -1
	}
	for theirs, ours := range renamed {
		i := t.index(theirs)
		if i < 0 {
			return nil, invalid.Field("map", theirs, "a column of the file: "+strings.Join(t.header, ", "))
		}
		taken[i] = true
		if ours == "-" {
			continue
		}
		if _, ok := found[ours]; !ok {
			return nil, invalid.Field("map", theirs+"="+ours, "one of "+oursOf(meanings)+", or - to ignore the column")
		}
		found[ours] = i
	}
	for _, m := range meanings {
		for _, name := range m.names {
			for i, key := range t.keys {
				if found[m.ours] < 0 && !taken[i] && key == name {
					found[m.ours], taken[i] = i, true
				}
			}
		}
	}
	return found, nil
}

// index finds a column by the name a person gives it.
func (t *table) index(name string) int {
	for i := range t.header {
		if strings.EqualFold(t.header[i], strings.TrimSpace(name)) {
			return i
		}
	}
	for i := range t.keys {
		if t.keys[i] == columnKey(name) {
			return i
		}
	}
	return -1
}

// missing is the error for a file whose columns do not say enough.
func (t *table) missing(what string, names []string) error {
	return invalid.Fieldf("header", strings.Join(t.header, ","), "the columns of %s; missing: %s (a column of another name can be mapped)", what, strings.Join(names, ", "))
}

// columnKey returns the lower-case letters and digits of a column's name.
func columnKey(name string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(name) {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteRune(c)
		}
	}
	return b.String()
}

func oursOf(meanings []meaning) string {
	names := make([]string, len(meanings))
	for i, m := range meanings {
		names[i] = m.ours
	}
	return strings.Join(names, ", ")
}

// cell returns a row's field, trimmed; "" for a column that is not there.
func cell(row []string, column int) string {
	if column < 0 {
		return ""
	}
	return strings.TrimSpace(row[column])
}

// A timeColumn reads the time of rows from one column, or from a date and a
// clock column.
type timeColumn struct {
	column, clock int // clock is -1 when column holds everything
	loc           *time.Location
}

// timeKeys are the names of a column that holds a row's time, without a zone.
var timeKeys = []string{"datetime", "timestamp", "quotedatetime", "quotetime", "quotedate", "date", "time", "ts", "t", "dt", "day", "bartime", "starttime", "tradedate", "datadate", "asof", "epoch", "unixtime", "unix", "localtime"}

// zones are the endings of a time column's name that say where its times are from.
var zones = map[string]string{"et": "America/New_York", "est": "America/New_York", "ny": "America/New_York", "ct": "America/Chicago", "utc": "UTC", "gmt": "UTC"}

// findTime finds the column with the time; its column is -1 when there is none.
func (t *table) findTime(mapped int, loc *time.Location) timeColumn {
	found := timeColumn{column: mapped, clock: -1, loc: loc}
	if mapped >= 0 {
		return found
	}
	date, clock := -1, -1
	for _, key := range timeKeys {
		for i, name := range t.keys {
			zone := ""
			for ending, where := range zones {
				if name == key+ending {
					zone = where
				}
			}
			if name != key && zone == "" {
				continue
			}
			if found.column < 0 {
				found.column = i
				if zone != "" {
					if named, err := time.LoadLocation(zone); err == nil {
						found.loc = named
					}
				}
			}
			switch key {
			case "date", "quotedate", "tradedate", "day":
				date = i
			case "time", "quotetime":
				clock = i
			}
		}
	}
	if found.column < 0 && len(t.keys) > 0 && t.keys[0] == "" {
		found.column = 0 // the unnamed index that data frames write
	}
	if found.column == date && clock >= 0 || found.column == clock && date >= 0 {
		found.column, found.clock = date, clock
	}
	return found
}

// read returns the time of a row.
func (c *timeColumn) read(row []string) (stamp, bool) {
	text := cell(row, c.column)
	if c.clock >= 0 {
		if clock := cell(row, c.clock); strings.Contains(clock, ":") && len(clock) <= len("15:04:05.000000") {
			text += " " + clock
		} else if clock != "" {
			text = clock
		}
	}
	return parseStamp(text, c.loc)
}

// OpenBars reads a CSV file of bars, plain or gzip. See [ReadBars].
func OpenBars(path string, opts *CSVOptions) (*BarFile, error) {
	return open(path, opts, ReadBars)
}

// OpenChain reads a CSV file of option chains, plain or gzip. See [ReadChain].
func OpenChain(path string, opts *CSVOptions) (*ChainFile, error) {
	return open(path, opts, ReadChain)
}

func open[F any](path string, opts *CSVOptions, read func(io.Reader, *CSVOptions) (*F, error)) (*F, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := read(file, opts)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return content, nil
}

// plural returns "1 session", "2 sessions".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
