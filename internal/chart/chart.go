// Package chart draws candles, lines, levels and histograms in a terminal and
// as SVG, and writes self-contained HTML pages of text, tables and charts.
//
// Unknown values (NaN) leave gaps; a chart without data says so. Drawing is a
// pure function of the values: the same chart gives the same bytes.
package chart

import (
	"time"

	"github.com/ttai-go/ttai/market"
)

// A Chart is one or more panes above each other on a shared horizontal axis.
type Chart struct {
	Title       string
	Description string // one sentence for those who cannot see the chart; made from the data when empty

	// Width and Height are the drawing's size in SVG units (pixels at full
	// size); 0 means 960 wide and a height that suits the panes. The terminal has its own
	// sizes in TerminalOptions.
	Width, Height int

	Panes []Pane

	// Times are the times of the values, when no pane has candles.
	Times []time.Time
	// X are the horizontal positions of the values of a plain line chart,
	// ascending, and XLabel what they are, such as "price at expiration".
	X      []float64
	XLabel string
	// Location is where dates are shown; nil means that of the times.
	Location *time.Location
}

// A Pane is one coordinate system. Values belong to the candle, time or X of
// the same index.
type Pane struct {
	Title     string
	Candles   []market.Bar
	Lines     []Line
	Histogram []float64 // bars from zero
	Levels    []Mark    // horizontal lines with a name
	Guides    []float64 // thin horizontal lines, such as 30 and 70
	Weight    float64   // share of the height; 0 means 3 with candles and 1 without
}

// A Line is a named curve.
type Line struct {
	Name   string
	Values []float64
}

// A Mark is a named price. Low and High, when they differ, are a band around it, which
// SVG shades and the terminal leaves out.
type Mark struct {
	Name      string
	Price     float64
	Low, High float64
}

// TerminalOptions says how a chart is drawn with text.
type TerminalOptions struct {
	Width  int  // columns; 0 means 80, at least 40
	Height int  // rows of all panes together; 0 means 24, at least 8
	Color  bool // ANSI colours; off, the chart uses shapes alone
	ASCII  bool // plain ASCII characters, for terminals without Unicode
}
