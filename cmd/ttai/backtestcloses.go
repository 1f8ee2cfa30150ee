package main

import (
	"bytes"
	"compress/gzip"
	"encoding/csv"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// closesOf reads a CSV file of daily closes without opens, highs and lows, which
// are then taken to be the close: what happens within a day is not known. False:
// the file is none.
func closesOf(path string) (*market.BarFile, bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, false, err
	}
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		plain, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return nil, false, err
		}
		if data, err = io.ReadAll(plain); err != nil {
			return nil, false, err
		}
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil || len(rows) < 2 {
		return nil, false, nil // the reader of bars says what is wrong with it
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
