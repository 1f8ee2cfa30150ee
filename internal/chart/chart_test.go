package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// bars are daily bars from 1 March 2024 on, weekends included, of rows open, high, low, close.
func bars(rows ...[4]float64) []market.Bar {
	out := make([]market.Bar, len(rows))
	for i, r := range rows {
		out[i] = market.Bar{Time: time.Date(2024, 3, 1+i, 0, 0, 0, 0, time.UTC), Open: r[0], High: r[1], Low: r[2], Close: r[3], Volume: 100}
	}
	return out
}

func wave(n int) []market.Bar {
	rows := make([][4]float64, n)
	for i := range rows {
		x := 100 + 10*math.Sin(float64(i)/9)
		y := 100 + 10*math.Sin(float64(i+1)/9)
		rows[i] = [4]float64{x, max(x, y) + 1, min(x, y) - 1, y}
	}
	return bars(rows...)
}

func svg(t testing.TB, c Chart) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, c.SVG(&b))
	wellFormed(t, b.String())
	return b.String()
}

func text(t testing.TB, c Chart, opts TerminalOptions) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, c.Terminal(&b, opts))
	return b.String()
}

// wellFormed fails unless s is XML without scripts, links and numbers that are none.
func wellFormed(t testing.TB, s string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(s))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		if e, ok := token.(xml.StartElement); ok {
			require.Contains(t, []string{"svg", "title", "desc", "style", "rect", "path", "text"}, e.Name.Local)
			for _, a := range e.Attr {
				require.NotContains(t, a.Value, "NaN")
				require.NotContains(t, a.Value, "Inf")
				require.NotContains(t, a.Name.Local, "href")
			}
		}
	}
}

func TestTerminalDrawsCandlesWithHalfCells(t *testing.T) {
	got := text(t, Chart{Title: "XYZ", Panes: []Pane{{
		Candles: bars([4]float64{10, 20, 0, 18}, [4]float64{18, 20, 0, 10}, [4]float64{math.NaN(), 1, 1, 1}, [4]float64{2, 2, 2, 2}),
		Levels:  []Mark{{Name: "floor", Price: 2}},
	}}}, TerminalOptions{Width: 40, Height: 9})
	// Slots are four columns apart, the newest at the right: a rising candle, a
	// falling one, a gap, and a dot. A row is a little over four dollars high.
	assert.Equal(t, strings.Join([]string{
		"XYZ",
		"           ╽   ▄        ┤  20",
		"           ┃   █        │",
		"           ┃   █        │",
		"           ╿   ▀        ┤  10",
		"           │   │        │",
		"┄  ┄  ┄  ┄ │┄  │  ┄  ┄ ╹├2.00 floor",
		"───────────┴───────────┴╯",
		"       1 Mar 2024    4 Mar",
		"",
	}, "\n"), got)
}

func TestTerminalKeepsItsWidth(t *testing.T) {
	n := 333
	x := make([]float64, n)
	for i := range x {
		x[i] = math.Cos(float64(i) / 20)
	}
	c := Chart{Title: strings.Repeat("long title ", 30), XLabel: strings.Repeat("label ", 50), Panes: []Pane{
		{Title: "Price", Candles: wave(n), Lines: []Line{{"one", x}, {strings.Repeat("name", 40), x}}, Levels: []Mark{{Name: strings.Repeat("level", 20), Price: 104}, {Name: "b", Price: 104.1}, {Name: "c", Price: 95}}},
		{Title: "Waves", Lines: []Line{{"x", x}}, Guides: []float64{0.5}},
		{Histogram: x},
	}}
	ansi := regexp.MustCompile("\x1b\\[[0-9]+m")
	for _, opts := range []TerminalOptions{{}, {Width: 40, Height: 8}, {Width: 133, Height: 50, Color: true}, {Width: 61, ASCII: true}, {Width: -1, Height: 1 << 40}, {Width: 1}} {
		got := text(t, c, opts)
		if !opts.Color {
			assert.NotContains(t, got, "\x1b")
		} else {
			assert.Contains(t, got, "\x1b[32m")
		}
		width := min(max(opts.Width, 40), 1000)
		if opts.Width <= 0 {
			width = 80
		}
		for _, line := range strings.Split(got, "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(ansi.ReplaceAllString(line, "")), width, "%q", line)
		}
		if opts.Height == 50 {
			assert.LessOrEqual(t, strings.Count(got, "\n"), 50)
		}
		if opts.ASCII {
			assert.Regexp(t, "^[\n -~]*$", got)
		}
	}
}

func TestTheNewestBarsAreDrawnWhenTheyDoNotFit(t *testing.T) {
	for _, test := range []struct{ n, most, per, slots, cut int }{
		{100, 100, 1, 100, 0},
		{110, 100, 1, 100, 10},  // a tenth of the bars against half of the resolution
		{130, 100, 2, 65, 0},    // the oldest slot is half full when n is odd
		{131, 100, 2, 66, 0},    //
		{250, 100, 2, 100, 50},  // a fifth
		{260, 100, 3, 87, 0},    //
		{5000, 100, 50, 100, 0}, //
	} {
		f := Chart{Panes: []Pane{{Candles: wave(test.n)}}}.prepare(test.most)
		assert.Equal(t, test.per, f.per, "%+v", test)
		assert.Equal(t, test.slots, f.n, "%+v", test)
		assert.Equal(t, test.cut, f.cut, "%+v", test)
		all := wave(test.n)
		assert.Equal(t, all[test.n-1].Close, f.panes[0].Candles[f.n-1].Close)
		assert.Equal(t, all[test.n-test.per].Open, f.panes[0].Candles[f.n-1].Open)
		from, _ := f.slot(0, test.n)
		assert.Equal(t, test.cut, from)
	}
	got := text(t, Chart{Panes: []Pane{{Candles: wave(260)}}}, TerminalOptions{Width: 110})
	assert.Contains(t, got, "each step is 2 bars; the oldest 50 bars are not shown")
}

func TestSlotsJoinBarsAndKeepExtremes(t *testing.T) {
	n := math.NaN()
	got := join(bars([4]float64{1, 5, 0.5, 2}, [4]float64{n, n, n, n}, [4]float64{2, 9, 1, 3}))
	assert.Equal(t, []float64{1, 9, 0.5, 3}, []float64{got.Open, got.High, got.Low, got.Close})
	assert.False(t, drawable(join(bars([4]float64{n, n, n, n}))))
	f := frame{n: 2, per: 2}
	assert.Equal(t, []float64{7, 2}, f.pick([]float64{1, 7, 2, math.Inf(1)}, 4, false))
	assert.Equal(t, []float64{-8, 2}, f.pick([]float64{-8, 7, 2, n}, 4, true))
}

func TestUnknownValuesLeaveGaps(t *testing.T) {
	n := math.NaN()
	got := svg(t, Chart{Panes: []Pane{{Lines: []Line{{"a", []float64{1, 2, n, math.Inf(1), 3, n, 4, 5}}}}}})
	line := regexp.MustCompile(`class="ln" style="stroke:var\(--l0\)" d="([^"]*)"`).FindAllStringSubmatch(got, -1)
	require.Len(t, line, 2, "the legend and the line")
	path := line[1][1]
	assert.Equal(t, 3, strings.Count(path, "M"), "three runs: %s", path)
	assert.Equal(t, 2, strings.Count(path, "L"), "two of them have two points: %s", path)
}

func TestNothingToShowIsSaid(t *testing.T) {
	n := math.NaN()
	for _, c := range []Chart{
		{},
		{Title: "T"},
		{Panes: []Pane{{}}},
		{Panes: []Pane{{Title: "P", Candles: bars([4]float64{n, n, n, n}), Levels: []Mark{{Name: "x", Price: 3}}, Guides: []float64{1}}}},
		{X: []float64{}, Panes: []Pane{{Lines: []Line{{"a", nil}}}}},
		{X: []float64{n, n}, Panes: []Pane{{Lines: []Line{{"a", []float64{n, n}}}}}},
	} {
		assert.Contains(t, svg(t, c), nothing)
		assert.Contains(t, text(t, c, TerminalOptions{}), nothing)
	}
}

func TestSVGIsAccessibleAndAdapts(t *testing.T) {
	got := svg(t, Chart{Title: "SPY & friends", Panes: []Pane{{
		Title: "Price", Candles: wave(40), Lines: []Line{{"SMA 20", []float64{99}}}, Levels: []Mark{{Name: "R1", Price: 105}, {Name: "far", Price: 1000}},
	}}})
	assert.Contains(t, got, `role="img"`)
	assert.Contains(t, got, "SPY &amp; friends</title>")
	assert.Contains(t, got, "Prices from 2024-03-01 to 2024-04-09: low 89.")
	assert.Contains(t, got, "Levels: R1 105.00.")
	assert.Contains(t, got, "prefers-color-scheme:dark")
	assert.Contains(t, got, `viewBox="0 0 960 `)
	assert.Contains(t, got, "1 level outside the range")
	assert.Equal(t, got, svg(t, Chart{Title: "SPY & friends", Panes: []Pane{{
		Title: "Price", Candles: wave(40), Lines: []Line{{"SMA 20", []float64{99}}}, Levels: []Mark{{Name: "R1", Price: 105}, {Name: "far", Price: 1000}},
	}}}), "the same chart gives the same bytes")
}

func TestLabelsOfLevelsDoNotOverlap(t *testing.T) {
	places := []float64{100, 101, 102, 300, 301, 302}
	spread(places, 100, 303)
	for i := 1; i < len(places); i++ {
		assert.GreaterOrEqual(t, places[i]-places[i-1], labelHeight-1e-9)
	}
	assert.GreaterOrEqual(t, places[0], 100.0)
	assert.LessOrEqual(t, places[5], 303.0)
	apart := []float64{110, 200, 290}
	spread(apart, 100, 300)
	assert.Equal(t, []float64{110, 200, 290}, apart, "what does not touch stays")
	around := []float64{200, 200}
	spread(around, 100, 300)
	assert.Equal(t, []float64{200 - labelHeight/2., 200 + labelHeight/2.}, around)

	var many []Mark
	for i := range 200 {
		many = append(many, Mark{Name: "m", Price: 95 + float64(i)/20})
	}
	got := svg(t, Chart{Panes: []Pane{{Candles: wave(40), Levels: many}}})
	assert.Regexp(t, `and \d+ more`, got)
}

func TestValueTicksAreRound(t *testing.T) {
	for _, test := range []struct {
		low, high float64
		count     int
		want      string
	}{
		{0, 10, 5, "0 2 4 6 8 10"},
		{99.2, 100.7, 3, "99.5 100.0 100.5"},
		{-0.3, 0.3, 3, "-0.2 0.0 0.2"},
		{1.0712, 1.0743, 4, "1.072 1.073 1.074"},
		{0, 4e6, 4, "0 1M 2M 3M 4M"},
		{0, 2.5e9, 5, "0 500M 1B 1.5B 2B 2.5B"},
	} {
		ticks, _ := valueTicks(test.low, test.high, test.count)
		var labels []string
		for _, x := range ticks {
			labels = append(labels, x.label)
		}
		assert.Equal(t, test.want, strings.Join(labels, " "))
	}
}

func TestTimeTicksStandWhereTheCalendarTurns(t *testing.T) {
	every := func(start time.Time, d time.Duration, n int) (times []time.Time) {
		for i := range n {
			times = append(times, start.Add(time.Duration(i)*d))
		}
		return times
	}
	at := func(y, m, d, h, min int) time.Time { return time.Date(y, time.Month(m), d, h, min, 0, 0, time.UTC) }
	for _, test := range []struct {
		times []time.Time
		most  int
		want  string
	}{
		{every(at(2024, 3, 1, 0, 0), 24*time.Hour, 120), 5, "Apr 2024|May|Jun"},
		{every(at(2023, 11, 20, 0, 0), 24*time.Hour, 90), 5, "Dec|2024|Feb"},
		{every(at(2000, 6, 1, 0, 0), 30*24*time.Hour, 150), 5, "2005|2010"},
		{every(at(2024, 3, 4, 9, 30), time.Minute, 100), 5, "4 Mar 2024 10:00|10:30|11:00"},
		{every(at(2024, 3, 4, 9, 30), time.Minute, 3), 5, "4 Mar 2024 09:31|09:32"},
		{every(at(2024, 3, 4, 12, 0), 6*time.Hour, 12), 4, "5 Mar 2024|6 Mar|7 Mar"},
		{every(at(2024, 3, 4, 0, 0), time.Hour, 1), 4, "4 Mar 2024"},
	} {
		var labels []string
		for _, x := range timeTicks(test.times, test.most) {
			labels = append(labels, x.label)
		}
		assert.Equal(t, test.want, strings.Join(labels, "|"))
	}
}

func TestAPayoffHasANumericAxis(t *testing.T) {
	var x, y []float64
	for p := 80.0; p <= 120; p++ {
		x, y = append(x, p), append(y, 100*math.Max(p-100, 0)-300)
	}
	c := Chart{Title: "Long call", XLabel: "price at expiration", X: x, Panes: []Pane{{Lines: []Line{{"Profit", y}}}}}
	got := svg(t, c)
	for _, label := range []string{">80<", ">100<", ">120<", ">price at expiration<", ">0<", ">1500<"} {
		assert.Contains(t, got, label)
	}
	drawn := text(t, c, TerminalOptions{Width: 60, Height: 14})
	assert.Contains(t, drawn, "price at expiration")
	assert.Regexp(t, `80 +100 +120`, strings.ReplaceAll(drawn, "\n", " "))
	assert.Contains(t, drawn, "⠤⠤⠤⠤")
}

func TestPagesAreSelfContained(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, HTML(&b, Page{
		Title: `A "<b>" page`, Subtitle: "sub", Notice: "simulated", Footer: "foot",
		Sections: []Section{
			{Heading: "One", Paragraphs: []string{"<script>alert(1)</script>"}, Facts: []Fact{{"Close", "1 < 2"}}, Charts: []Chart{{Title: "</title><script>", Panes: []Pane{{Candles: wave(9)}}}}},
			{Items: []string{"item"}, Tables: []Table{{Caption: "cap", Head: []string{"Name", "Price", "Move"}, Rows: [][]string{{"A1", "$1,234.50", "-3 %"}, {"B2", "–"}, {"C3", "7", "+2.1 %", "extra"}}}}},
		},
	}))
	got := b.String()
	assert.NotContains(t, got, "<script")
	assert.NotContains(t, strings.NewReplacer(xmlns, "", "http-equiv", "").Replace(got), "http", "nothing is loaded")
	assert.Contains(t, got, "default-src 'none'")
	assert.Contains(t, got, `<h2 id="s1">One</h2>`)
	assert.Contains(t, got, "&lt;script&gt;alert(1)&lt;/script&gt;")
	assert.Contains(t, got, "<dd>1 &lt; 2</dd>")
	assert.Contains(t, got, `<td>A1</td><td class="n">$1,234.50</td><td class="n">-3 %</td><td></td>`)
	assert.Contains(t, got, `<td>B2</td><td class="n">–</td><td class="n"></td><td></td>`)
	assert.Contains(t, got, "<td>extra</td>")
	assert.Contains(t, got, "<caption>cap</caption>")
	assert.Contains(t, got, "<li>item</li>")
}

const xmlns = `xmlns="http://www.w3.org/2000/svg"`

func TestWritersReportTheirErrors(t *testing.T) {
	full := errors.New("disk full")
	w := failing{full}
	assert.ErrorIs(t, Chart{}.SVG(w), full)
	assert.ErrorIs(t, Chart{}.Terminal(w, TerminalOptions{}), full)
	assert.ErrorIs(t, HTML(w, Page{}), full)
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func FuzzDrawing(f *testing.F) {
	f.Add("SPY", "SMA 20", 100.0, 101.0, 99.0, 100.5, 80, 30)
	f.Add("</title><script>alert(1)</script>", "\x1b[2J\u202e\x00\xff&#", math.NaN(), math.Inf(1), -1e300, 1e300, 0, 0)
	f.Add("]]>", "'\" onload=x", 0.0, 0.0, 0.0, 0.0, 1, 1)
	f.Add("1e308", "", 1e308, 1e308, -1e308, 5e-324, 41, 9)
	f.Fuzz(func(t *testing.T, title, name string, a, b, c, d float64, width, height int) {
		chart := Chart{Title: title, Description: name, XLabel: name, Width: width, Height: height, Panes: []Pane{
			{Title: name, Candles: bars([4]float64{a, b, c, d}, [4]float64{d, c, b, a}, [4]float64{1, 2, 0.5, 1.5}), Levels: []Mark{{Name: name, Price: a}, {Name: title, Price: b}}, Lines: []Line{{name, []float64{a, b, c}}}, Guides: []float64{c}},
			{Title: title, Histogram: []float64{a, b, c, d}, Lines: []Line{{title, []float64{d}}}},
		}}
		numeric := Chart{Title: title, X: []float64{a, b, c, d}, Panes: []Pane{{Lines: []Line{{name, []float64{d, c, b, a}}}, Guides: []float64{a}}}}
		for _, x := range []Chart{chart, numeric} {
			svg(t, x)
			for _, opts := range []TerminalOptions{{Width: width, Height: height}, {ASCII: true, Width: 40}} {
				for _, r := range text(t, x, opts) {
					if r != '\n' && r < ' ' || r == 0x7f || r == 0x202e {
						t.Fatalf("control character %q", r)
					}
				}
			}
		}
		var page bytes.Buffer
		require.NoError(t, HTML(&page, Page{Title: title, Notice: name, Sections: []Section{{Heading: name, Charts: []Chart{chart}, Tables: []Table{{Rows: [][]string{{title, name}}}}}}}))
		if strings.Contains(page.String(), "<script") || strings.Contains(page.String(), "onload=x\"") {
			t.Fatal("unescaped text")
		}
	})
}

func TestABandIsShadedWithinThePlot(t *testing.T) {
	c := Chart{Panes: []Pane{{Candles: wave(40), Levels: []Mark{{Name: "zone", Price: 100, Low: 99, High: 101}}}}}
	assert.Contains(t, svg(t, c), `opacity=".16"`)
	c.Panes[0].Levels[0].Low, c.Panes[0].Levels[0].High = 0, 0
	assert.NotContains(t, svg(t, c), `opacity=".16"`)
}
