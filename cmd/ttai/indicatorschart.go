package main

import (
	"math"
	"path"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/indicators/talib"
	"github.com/ttai-go/ttai/internal/chart"
	"github.com/ttai-go/ttai/market"
)

// indicatorsChart draws the prices with what lies over them, and the rest in
// panes below.
func indicatorsChart(file *market.ColumnFile, results []indicatorResult) chart.Chart {
	prices := pricePane(file)
	var below []chart.Pane
	var titles []string
	for _, r := range results {
		titles = append(titles, r.label)
		host := &prices
		if !ofPrices(r, file) {
			// What is drawn over the inputs stands in a pane with them.
			below = append(below, chart.Pane{Title: strings.Join(r.inputs, ", "), Lines: []chart.Line{{Name: r.inputs[0], Values: r.in[0]}}})
			host = &below[len(below)-1]
		}
		for k, o := range r.Outputs {
			if o.Overlay {
				host.Lines = append(host.Lines, chart.Line{Name: r.seriesName(k), Values: r.values[k]})
			}
		}
		below = append(below, r.panes()...)
	}
	title := strings.Join(titles, ", ")
	if file.Symbol != "" {
		title = string(file.Symbol) + ": " + title
	}
	c := chart.Chart{Title: title, Times: file.Time}
	if len(prices.Candles) > 0 || len(prices.Lines) > 0 {
		c.Panes = append(c.Panes, prices)
	}
	c.Panes = append(c.Panes, below...)
	return c
}

// pricePane has candles where the file has bars with times, the close where it
// has no more than that.
func pricePane(file *market.ColumnFile) chart.Pane {
	var columns [4][]float64
	for i, name := range []string{"open", "high", "low", "close"} {
		if column, err := file.Column(name); err == nil {
			columns[i] = column
		}
	}
	pane := chart.Pane{Title: "Price", Weight: 3}
	switch {
	case columns[3] == nil:
	case file.Time == nil || columns[0] == nil || columns[1] == nil || columns[2] == nil:
		pane.Lines = []chart.Line{{Name: "close", Values: columns[3]}}
	default:
		for i, t := range file.Time {
			pane.Candles = append(pane.Candles, market.Bar{Time: t, Open: columns[0][i], High: columns[1][i], Low: columns[2][i], Close: columns[3][i]})
		}
	}
	return pane
}

// ofPrices reports whether the indicator took only prices, so that what it
// draws over its inputs lies over the candles.
func ofPrices(r indicatorResult, file *market.ColumnFile) bool {
	overlays := false
	for _, o := range r.Outputs {
		overlays = overlays || o.Overlay
	}
	if !overlays {
		return true
	}
	if !file.Has("close") {
		return false
	}
	return slices.Contains([]string{"open", "high", "low", "close", "hl2", "hlc3", "ohlc4", "hlcc4"}, strings.ToLower(r.inputs[0]))
}

func (r indicatorResult) seriesName(output int) string {
	if len(r.Outputs) == 1 {
		return r.label
	}
	return r.Outputs[output].Name
}

// panes are those of the outputs that are not drawn over the prices. Outputs of
// one size share a pane.
func (r indicatorResult) panes() []chart.Pane {
	var panes []chart.Pane
	var reach float64 // of the outputs in the last pane
	for k, o := range r.Outputs {
		if o.Overlay {
			continue
		}
		size := 0.0
		for _, v := range r.values[k] {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				size = max(size, math.Abs(v))
			}
		}
		if n := len(panes); n == 0 || size > 20*reach && reach > 0 || size < reach/20 && size > 0 {
			panes = append(panes, chart.Pane{Title: r.label, Guides: guidesOf(r.Name)})
			reach = 0
		}
		reach = max(reach, size)
		p := &panes[len(panes)-1]
		if p.Histogram == nil && (o.Name == "Histogram" || o.Name == "MACDHist" || strings.HasPrefix(r.Name, talib.Prefix+"CDL")) {
			p.Histogram = r.values[k]
			continue
		}
		p.Lines = append(p.Lines, chart.Line{Name: r.seriesName(k), Values: r.values[k]})
	}
	return panes
}

// guidesOf are the values at which people look in an oscillator.
func guidesOf(name string) []float64 {
	for _, known := range []struct {
		pattern string
		guides  []float64
	}{
		{"RSI", []float64{30, 70}}, {"StochRSI", []float64{20, 80}}, {"STOCH*", []float64{20, 80}}, {"Stochastic", []float64{20, 80}},
		{"KDJ", []float64{20, 80}}, {"MFI", []float64{20, 80}}, {"WilliamsR", []float64{-80, -20}}, {"WILLR", []float64{-80, -20}},
		{"CCI", []float64{-100, 100}}, {"ConnorsRSI", []float64{10, 90}}, {"RSX", []float64{30, 70}}, {"ULTOSC", []float64{30, 70}},
		{"Ultimate", []float64{30, 70}}, {"ADX*", []float64{25}}, {"DX", []float64{25}}, {"Choppiness", []float64{38.2, 61.8}},
		{"CMO", []float64{-50, 50}}, {"SMI", []float64{-40, 40}}, {"STC", []float64{25, 75}},
	} {
		if ok, err := path.Match(known.pattern, strings.TrimPrefix(name, talib.Prefix)); err == nil && ok {
			return known.guides
		}
	}
	return nil
}
