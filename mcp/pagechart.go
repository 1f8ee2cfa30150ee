package mcp

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/chart"
)

// An interval is a length of bars that the page offers.
type interval struct{ Code, Name string }

func intervals() []interval {
	return []interval{
		{"1m", "1 minute"}, {"5m", "5 minutes"}, {"15m", "15 minutes"}, {"1h", "1 hour"}, {"1d", "1 day"}, {"1w", "1 week"},
	}
}

// intervalOf is the interval with a code, or a day.
func intervalOf(code string) interval {
	all := intervals()
	if i := slices.IndexFunc(all, func(x interval) bool { return x.Code == code }); i >= 0 {
		return all[i]
	}
	return all[slices.IndexFunc(all, func(x interval) bool { return x.Code == "1d" })]
}

const (
	chartBars = 120 // drawn
	tableBars = 20  // as text
)

// studies are the indicators drawn over the bars.
var studies = []string{"SMA(20)", "SMA(50)"}

// A chartView is the chart for those who see it and in words for those who do not.
type chartView struct {
	Wide, Small string // addresses of the drawing
	Text        string
	Columns     []string
	Rows        [][]cell
}

// history is the answer of the candles tool.
type history struct {
	AsOf    time.Time `json:"as_of"`
	Symbol  string
	Columns []string
	Rows    [][]any
}

func (b *builder) history(ctx context.Context, symbol string, i interval, bars int) (history, error) {
	var h history
	err := b.ask(ctx, "candles", map[string]any{"symbol": symbol, "interval": i.Code, "count": bars, "indicators": studies}, &h)
	return h, err
}

// number is a value of a row; ok is false when it is not known.
func (h history) number(row []any, column string) (x float64, ok bool) {
	i := slices.Index(h.Columns, column)
	if i < 0 || i >= len(row) {
		return 0, false
	}
	x, ok = row[i].(float64)
	return x, ok
}

// when is the time of a row: a date, or a time of New York.
func (h history) when(row []any) (t time.Time, text string) {
	text, _ = row[0].(string)
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04Z07:00", time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			if layout != time.DateOnly {
				text = t.Format("2006-01-02 15:04")
			}
			return t, text
		}
	}
	return time.Time{}, text
}

func (b *builder) chartView(ctx context.Context, symbol string, i interval) (*chartView, string) {
	h, err := b.history(ctx, symbol, i, chartBars)
	if err != nil {
		return nil, err.Error()
	}
	if len(h.Rows) == 0 {
		return nil, "there are no bars of " + symbol
	}
	query := url.Values{"symbol": {h.Symbol}, "interval": {i.Code}, "at": {h.AsOf.UTC().Format(time.RFC3339)}}
	v := &chartView{Wide: "chart.svg?" + query.Encode(), Text: h.words(i)}
	query.Set("size", "small")
	v.Small = "chart.svg?" + query.Encode()
	v.Columns = []string{"Time", "Open", "High", "Low", "Close", "Volume"}
	for k := len(h.Rows) - 1; k >= max(0, len(h.Rows)-tableBars); k-- {
		row := h.Rows[k]
		_, at := h.when(row)
		cells := []cell{{Text: at, Row: true}}
		for _, column := range h.Columns[1:6] {
			text := unknown
			if x, ok := h.number(row, column); ok && column == "volume" {
				text = fixed(x, 0)
			} else if ok {
				text = priceText(x)
			}
			cells = append(cells, cell{Text: text, Numeric: true})
		}
		v.Rows = append(v.Rows, cells)
	}
	return v, ""
}

// words say what the chart shows.
func (h history) words(i interval) string {
	_, first := h.when(h.Rows[0])
	_, last := h.when(h.Rows[len(h.Rows)-1])
	text := fmt.Sprintf("Candles of %s, %d bars of %s from %s to %s", h.Symbol, len(h.Rows), i.Name, first, last)
	var low, high float64
	known := false
	for _, row := range h.Rows {
		l, okLow := h.number(row, "low")
		u, okHigh := h.number(row, "high")
		if okLow && okHigh {
			if !known {
				low, high, known = l, u, true
			}
			low, high = min(low, l), max(high, u)
		}
	}
	if known {
		text += fmt.Sprintf(": between %s and %s", priceText(low), priceText(high))
	}
	latest := h.Rows[len(h.Rows)-1]
	if x, ok := h.number(latest, "close"); ok {
		text += ", last " + priceText(x)
	}
	for _, s := range studies {
		if x, ok := h.number(latest, s); ok {
			text += fmt.Sprintf(", average of %s bars %s", strings.Trim(s, "SMA()"), priceText(x))
		}
	}
	return text + "."
}

// draw is the chart of the bars, sized for a wide screen or for a phone.
func (h history) draw(i interval, small bool) chart.Chart {
	n := len(h.Rows)
	values := func(column string) []float64 {
		out := make([]float64, n)
		for k, row := range h.Rows {
			x, ok := h.number(row, column)
			if !ok {
				x = math.NaN()
			}
			out[k] = x
		}
		return out
	}
	prices := chart.Pane{Title: h.Symbol + ", " + i.Name}
	prices.Candles = slices.Grow(prices.Candles, n)[:n]
	open, high, low, last, volume := values("open"), values("high"), values("low"), values("close"), values("volume")
	for k, row := range h.Rows {
		c := &prices.Candles[k]
		c.Time, _ = h.when(row)
		c.Open, c.High, c.Low, c.Close, c.Volume = open[k], high[k], low[k], last[k], volume[k]
	}
	out := chart.Chart{Description: h.words(i), Width: 400, Height: 380}
	for _, s := range studies {
		prices.Lines = append(prices.Lines, chart.Line{Name: s, Values: values(s)})
	}
	if !small {
		out.Width, out.Height = 960, 480
		if x := last[n-1]; !math.IsNaN(x) {
			prices.Levels = []chart.Mark{{Name: "last", Price: x}}
		}
	}
	out.Panes = []chart.Pane{prices, {Title: "Volume", Histogram: volume}}
	return out
}

// chart answers with the drawing. It is loaded as an image, which the browser
// keeps apart from the page: its own style needs no exception in the page's policy.
func (p *page) chart(w http.ResponseWriter, r *http.Request) {
	who, _, err := p.enter(r)
	if err != nil {
		p.refuse(w, err)
		return
	}
	_, b, err := p.open(r.Context(), who)
	if err != nil {
		p.Server.opts.Logger.ErrorContext(r.Context(), "no chart for a caller", "error", err)
		http.Error(w, notReady, http.StatusServiceUnavailable)
		return
	}
	if !b.has("candles") {
		http.NotFound(w, r)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), pageTime)
	defer cancel()
	symbol, chosen := p.asked(r)
	h, err := b.history(ctx, symbol, chosen, chartBars)
	if err != nil || len(h.Rows) == 0 {
		http.Error(w, "there is no chart of this symbol", http.StatusNotFound)
		return
	}
	var drawing bytes.Buffer
	if err := h.draw(chosen, r.URL.Query().Get("size") == "small").SVG(&drawing); err != nil {
		http.Error(w, "the chart could not be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox")
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Write(drawing.Bytes())
}
