package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// openBars reads a file of bars, with the column that the strategy asks for.
func (c backtestCommand) openBars(path string, symbol market.Symbol, column string, warnings io.Writer) (backtest.BarFeed, error) {
	if c.BarsTZ != "" {
		c.TZ = c.BarsTZ
	}
	rows, err := rowsOf(path)
	if err != nil {
		return backtest.BarFeed{}, err
	}
	file, closes, err := closesOf(path, rows)
	switch {
	case err != nil:
	case closes:
		file.Symbol = symbol
		fmt.Fprintf(warnings, "%s has closes alone: opens, highs and lows are taken to be the same\n", path)
	case nameTime(rows):
		file, err = c.readRows(path, rows, symbol)
	default:
		file, err = c.OpenBars(path, symbol, warnings)
	}
	if err != nil {
		return backtest.BarFeed{}, err
	}
	if file.Symbol == "" {
		file.Symbol = "BARS"
	}
	feed := backtest.BarFeed{Symbol: file.Symbol, Interval: file.Interval, Bars: file.Bars, Name: path}
	if column == "" {
		return feed, nil
	}
	numbers, err := numbersOf(path, rows, column)
	if err != nil {
		return feed, err
	}
	if len(numbers) != len(file.Bars) {
		return feed, invalid.Fieldf("bars", path, "a row for each bar, to know what %s was: %d rows are %d bars", column, len(numbers), len(file.Bars))
	}
	feed.Columns = map[string][]float64{column: numbers}
	return feed, nil
}

// columnOf is the column of the data that the strategy goes by; empty without one.
func (c backtestCommand) columnOf(r *backtest.Request) string {
	d, err := r.Definition()
	if err != nil {
		return ""
	}
	for _, p := range d.Params {
		if p.Name != "column" && p.Name != "custom_column" {
			continue
		}
		if given := c.Param[p.Name]; given != "" {
			return given
		}
		name, _ := p.Default.(string)
		return name
	}
	return ""
}

// since leaves out the bars before a time.
func since(f backtest.BarFeed, from time.Time) backtest.BarFeed {
	i := 0
	for i < len(f.Bars) && f.Bars[i].Time.Before(from) {
		i++
	}
	f.Bars = f.Bars[i:]
	for name, numbers := range f.Columns {
		f.Columns[name] = numbers[i:]
	}
	return f
}

// rowsOf reads the rows of a CSV file, plain or gzip; none when it is no such file,
// as the reader of bars then says better.
func rowsOf(path string) ([][]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		plain, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		if data, err = io.ReadAll(plain); err != nil {
			return nil, err
		}
	}
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	in.FieldsPerRecord = -1
	rows, err := in.ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, nil
	}
	return rows, nil
}

// nameTime names the second column of a file whose rows begin with a date and a
// time of day where the header has one name for both.
func nameTime(rows [][]string) bool {
	if len(rows) < 2 || len(rows[1]) != len(rows[0])+1 {
		return false
	}
	for _, row := range rows[1:] {
		if _, err := market.ParseDate(row[0]); err != nil || len(row) != len(rows[0])+1 || strings.Count(row[1], ":") == 0 {
			return false
		}
	}
	rows[0] = slices.Insert(slices.Clone(rows[0]), 1, "Time")
	return true
}

// readRows reads bars from rows.
func (c backtestCommand) readRows(path string, rows [][]string, symbol market.Symbol) (*market.BarFile, error) {
	options, err := c.Options(symbol)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	out := csv.NewWriter(&text)
	if err := out.WriteAll(rows); err != nil {
		return nil, err
	}
	file, err := market.ReadBars(&text, options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if file.Symbol == "" {
		file.Symbol = symbol
	}
	return file, nil
}

// numbersOf are those of a column, by the rows' times; NaN where a row has none.
func numbersOf(path string, rows [][]string, column string) ([]float64, error) {
	if len(rows) == 0 {
		return nil, invalid.Fieldf("bars", path, "a CSV file with a column %s", column)
	}
	i := slices.IndexFunc(rows[0], func(name string) bool { return strings.EqualFold(strings.TrimSpace(name), column) })
	if i < 0 {
		return nil, invalid.Fieldf("bars", path, "a file with a column %s, which the strategy goes by; it has %s", column, strings.Join(rows[0], ", "))
	}
	out := make([]float64, 0, len(rows)-1)
	for n, row := range rows[1:] {
		x := math.NaN()
		if text := strings.TrimSpace(row[min(i, len(row)-1)]); i < len(row) && text != "" && !strings.EqualFold(text, "nan") {
			var err error
			if x, err = strconv.ParseFloat(text, 64); err != nil {
				return nil, invalid.Fieldf(column, text, "a number in line %d of %s, or nothing", n+2, path)
			}
		}
		out = append(out, x)
	}
	if first, last := rows[1][0], rows[len(rows)-1][0]; len(first) == len(last) && first > last {
		slices.Reverse(out)
	}
	return out, nil
}

// closesOf reads a CSV file of daily closes without opens, highs and lows, which
// are then taken to be the close: what happens within a day is not known. False:
// the file is none.
func closesOf(path string, rows [][]string) (*market.BarFile, bool, error) {
	if len(rows) == 0 {
		return nil, false, nil
	}
	at := func(names ...string) int {
		return slices.IndexFunc(rows[0], func(s string) bool { return slices.Contains(names, strings.ToLower(strings.TrimSpace(s))) })
	}
	date, price, volume := at("dt", "date", "time", "day"), at("close", "price"), at("volume")
	if date < 0 || price < 0 || at("open") >= 0 || at("high") >= 0 || at("low") >= 0 {
		return nil, false, nil
	}
	out := &market.BarFile{Interval: market.Day}
	zone := market.NYSE().Location()
	for i, row := range rows[1:] {
		if len(row) != len(rows[0]) {
			return nil, true, invalid.Fieldf("bars", path, "%d fields in line %d as in the header, not %d", len(rows[0]), i+2, len(row))
		}
		day, err := market.ParseDate(strings.TrimSpace(row[date])[:min(10, len(strings.TrimSpace(row[date])))])
		if err != nil {
			return nil, true, invalid.Fieldf(path, row[date], "a date in line %d", i+2)
		}
		c, err := strconv.ParseFloat(strings.TrimSpace(row[price]), 64)
		if err != nil || !(c > 0) {
			return nil, true, invalid.Fieldf(path, row[price], "a positive price in line %d", i+2)
		}
		v := math.NaN()
		if volume >= 0 {
			if x, err := strconv.ParseFloat(strings.TrimSpace(row[volume]), 64); err == nil {
				v = x
			}
		}
		b := market.Bar{Time: day.In(zone), Open: c, High: c, Low: c, Close: c, Volume: v}
		if n := len(out.Bars); n > 0 && !out.Bars[n-1].Time.Before(b.Time) {
			return nil, true, invalid.Fieldf(path, row[date], "ascending dates in line %d", i+2)
		}
		out.Bars = append(out.Bars, b)
	}
	return out, true, nil
}
