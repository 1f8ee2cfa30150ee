package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Sizes of the drawing, in its units.
const (
	defaultWidth = 960
	edge         = 16  // around everything
	titleHeight  = 34  // of the chart's title
	headHeight   = 26  // of a pane's title and legend
	axisHeight   = 34  // of the horizontal axis
	axisWidth    = 52  // of the vertical axis' labels
	slotWidth    = 2.6 // least width of a candle and its gap
	labelHeight  = 17  // of a level's label
	glyph        = 6.8 // mean width of a character of the labels
	rowHeight    = 104 // of a pane of weight 1, when the height is left open
)

// SVG writes the chart as an SVG image. It scales with its container, follows
// the reader's light or dark colours and carries a title and a description for
// screen readers. Text is escaped; there is no script and nothing is loaded.
func (c Chart) SVG(w io.Writer) error {
	d := &drawing{chart: c, width: float64(c.Width)}
	if c.Width <= 0 {
		d.width = defaultWidth
	}
	d.width = min(max(d.width, 320), 20_000)
	_, err := w.Write(d.draw())
	return err
}

type drawing struct {
	bytes.Buffer
	chart       Chart
	frame       frame
	width       float64
	height      float64
	left, right float64 // of the plot
}

func (d *drawing) draw() []byte {
	d.left = edge + axisWidth
	d.right = d.width - edge - d.labelWidth()
	d.frame = d.chart.prepare(int((d.right - d.left) / slotWidth))
	f := d.frame

	// Heights: what is left after titles and the axis, by weight.
	top := float64(edge)
	if clean(d.chart.Title) != "" {
		top += titleHeight
	}
	weights, total := weigh(f.panes)
	open := max(total, 3) // a lone small pane gets more than its due
	fixed := top + axisHeight + edge + headHeight*float64(len(f.panes))
	d.height = fixed + rowHeight*open
	if d.chart.Height > 0 {
		d.height = min(max(float64(d.chart.Height), fixed+40*total), 20_000)
	}
	unit := (d.height - fixed) / math.Max(total, 1)

	d.open()
	if t := clean(d.chart.Title); t != "" {
		d.text(edge, edge+18, "ct", "", cut(t, int((d.width-2*edge)/9)))
	}
	bottom := top
	for i, p := range f.panes {
		plotTop := bottom + headHeight
		bottom = plotTop + unit*weights[i]
		d.head(p, plotTop-9)
		d.pane(p, plotTop, bottom)
	}
	if len(f.panes) == 0 {
		bottom = d.height - axisHeight - edge
		d.text(d.width/2, (top+bottom)/2, "cm", "middle", nothing)
	} else {
		d.horizontal(top+headHeight, bottom)
	}
	if note := f.note(); note != "" {
		d.text(d.width-edge, d.height-8, "cn", "end", note)
	}
	d.WriteString("</svg>\n")
	return d.Bytes()
}

// weigh returns each pane's share of the height.
func weigh(panes []pane) (weights []float64, total float64) {
	for _, p := range panes {
		w := p.Weight
		if !(w > 0) || w > 100 {
			w = 1
			if len(p.Candles) > 0 {
				w = 3
			}
		}
		weights = append(weights, w)
		total += w
	}
	return weights, total
}

// labelWidth is the room for the names of levels, right of the axis.
func (d *drawing) labelWidth() float64 {
	longest := 0
	for _, p := range d.chart.Panes {
		for _, m := range p.Levels {
			longest = max(longest, min(len([]rune(clean(m.Name))), 22))
		}
	}
	if longest == 0 {
		return 0
	}
	return glyph*float64(longest+9) + 26
}

const style = `<style>
.ttai-chart{--bg:#fff;--ink:#1c2430;--mut:#566172;--grid:#e3e7ed;--up:#0a7350;--dn:#bd2c26;--l0:#1a5cb8;--l1:#a85400;--l2:#7438ad;--l3:#00696d;--l4:#a02a66;--lv:#6a7585;font:13px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
@media (prefers-color-scheme:dark){.ttai-chart{--bg:#12161c;--ink:#e8ecf2;--mut:#a3afbd;--grid:#2a323d;--up:#45d093;--dn:#ff7d73;--l0:#71b3ff;--l1:#ffb659;--l2:#cda3ff;--l3:#55d3d7;--l4:#ff95c6;--lv:#93a0b0}}
.ttai-chart .cb{fill:var(--bg)}
.ttai-chart text{fill:var(--mut)}
.ttai-chart .ct{font-size:17px;font-weight:600;fill:var(--ink)}
.ttai-chart .ch{font-weight:600;fill:var(--ink)}
.ttai-chart .ca,.ttai-chart .cl{font-size:12px;font-variant-numeric:tabular-nums}
.ttai-chart .cl{fill:var(--ink)}
.ttai-chart .cn{font-size:11px}
.ttai-chart .cg{stroke:var(--grid);fill:none}
.ttai-chart .cz{stroke:var(--mut);fill:none}
.ttai-chart .cd{stroke:var(--mut);stroke-dasharray:2 4;fill:none}
.ttai-chart .cv{stroke:var(--lv);stroke-dasharray:5 4;fill:none}
.ttai-chart .ck{stroke:var(--lv);fill:none;stroke-width:.8}
.ttai-chart .cu{stroke:var(--up);fill:var(--bg)}
.ttai-chart .cx{stroke:var(--dn);fill:var(--dn)}
.ttai-chart .hu{fill:var(--up)}
.ttai-chart .hd{fill:var(--dn)}
.ttai-chart .hn{fill:var(--lv);opacity:.75}
.ttai-chart .ln{fill:none;stroke-width:1.7;stroke-linejoin:round;stroke-linecap:round}
</style>
`

func (d *drawing) open() {
	title := clean(d.chart.Title)
	if title == "" {
		title = "Chart"
	}
	text := d.chart.describe(d.frame)
	h := fnv.New32a()
	fmt.Fprint(h, title, text, d.width, d.height)
	id := fmt.Sprintf("c%08x", h.Sum32())
	fmt.Fprintf(d, `<svg xmlns="http://www.w3.org/2000/svg" class="ttai-chart" viewBox="0 0 %s %s" width="100%%" role="img" aria-labelledby="%s-t %s-d">`+"\n", num(d.width), num(d.height), id, id)
	fmt.Fprintf(d, "<title id=\"%s-t\">%s</title>\n<desc id=\"%s-d\">%s</desc>\n", id, escape(title), id, escape(text))
	d.WriteString(style)
	fmt.Fprintf(d, `<rect class="cb" width="%s" height="%s"/>`+"\n", num(d.width), num(d.height))
}

// head writes a pane's title and the legend of its lines.
func (d *drawing) head(p pane, y float64) {
	x := float64(edge)
	if t := cut(clean(p.Title), 60); t != "" {
		d.text(x, y, "ch", "", t)
		x += 1.12*textWidth(t) + 18
	}
	for i, l := range p.Lines {
		label := cut(clean(l.Name), 40)
		if label == "" {
			continue
		}
		if v, ok := latest(l.Values); ok && d.frame.x == nil {
			label += " " + number(v, p.legendDecimals())
		}
		end := x + 24 + textWidth(label)
		if end > d.width-edge {
			break // no room; the description has them all
		}
		d.path("ln", color(i), fmt.Sprintf("M%s %sh16", num(x), num(y-4)))
		d.text(x+22, y, "ca", "", label)
		x = end + 16
	}
}

func color(line int) string { return fmt.Sprintf("stroke:var(--l%d)", line%5) }

func (d *drawing) pane(p pane, top, bottom float64) {
	if p.empty() {
		fmt.Fprintf(d, `<rect class="cg" x="%s" y="%s" width="%s" height="%s"/>`+"\n", num(d.left), num(top), num(d.right-d.left), num(bottom-top))
		d.text((d.left+d.right)/2, (top+bottom)/2+4, "cm", "middle", nothing)
		return
	}
	y := func(v float64) float64 { return top + (p.high-v)/(p.high-p.low)*(bottom-top) }
	ticks, width := valueTicks(p.low, p.high, max(3, int((bottom-top)/46)))

	// A guide's number stands on the axis before a round one that would touch it.
	for _, g := range p.Guides {
		if finite(g) {
			ticks = append(ticks, tick{at: g, label: number(g, decimals(g)), rank: 1})
		}
	}
	ticks = spaced(ticks, func(t tick) (from, to float64) { return y(t.at) - 8, y(t.at) + 8 })
	var grid strings.Builder
	for _, t := range ticks {
		if t.rank == 0 {
			fmt.Fprintf(&grid, "M%s %sH%s", num(d.left), num(y(t.at)), num(d.right))
		}
		d.text(d.left-8, y(t.at)+4, "ca", "end", t.label)
	}
	fmt.Fprintf(&grid, "M%s %sV%s", num(d.left), num(top), num(bottom))
	d.path("cg", "", grid.String())
	if p.low < 0 && p.high > 0 && len(p.Candles) == 0 {
		d.path("cz", "", fmt.Sprintf("M%s %sH%s", num(d.left), num(y(0)), num(d.right)))
	}
	for _, g := range p.Guides {
		if finite(g) {
			d.path("cd", "", fmt.Sprintf("M%s %sH%s", num(d.left), num(y(g)), num(d.right)))
		}
	}
	d.histogram(p, y)
	d.levels(p, y, top, bottom, p.priceDecimals(width))
	d.candles(p, y)
	for i, l := range p.Lines {
		d.line(l, y, color(i))
	}
}

// at is the horizontal middle of a slot.
func (d *drawing) at(slot int) float64 {
	if x := d.frame.x; x != nil {
		low, high := span(x)
		if slot >= len(x) || !finite(x[slot]) || low == high {
			return math.NaN()
		}
		return d.left + (x[slot]-low)/(high-low)*(d.right-d.left)
	}
	return d.left + (float64(slot)+0.5)*(d.right-d.left)/float64(d.frame.n)
}

// span is the range of the known values.
func span(values []float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if finite(v) {
			low, high = min(low, v), max(high, v)
		}
	}
	if low > high {
		return 0, 0
	}
	return low, high
}

// candles draws rising bars hollow and falling ones filled, so that colour is
// not needed to tell them apart.
func (d *drawing) candles(p pane, y func(float64) float64) {
	if len(p.Candles) == 0 {
		return
	}
	half := max(0.4, 0.34*(d.right-d.left)/float64(d.frame.n))
	half = min(half, 9)
	var up, down strings.Builder
	for i, b := range p.Candles {
		if !drawable(b) {
			continue
		}
		out, top, bottom := &up, y(b.Close), y(b.Open)
		if b.Close < b.Open {
			out, top, bottom = &down, bottom, top
		}
		x := d.at(i)
		fmt.Fprintf(out, "M%s %sV%sM%s %sV%s", num(x), num(y(max(b.High, b.Open, b.Close))), num(top), num(x), num(bottom), num(y(min(b.Low, b.Open, b.Close))))
		fmt.Fprintf(out, "M%s %sh%sv%sh%sz", num(x-half), num(top), num(2*half), num(bottom-top), num(-2*half))
	}
	d.path("cu", "", up.String())
	d.path("cx", "", down.String())
}

func (d *drawing) line(l Line, y func(float64) float64, style string) {
	var out strings.Builder
	pen := false
	for i, v := range l.Values {
		x := d.at(i)
		if !finite(v) || math.IsNaN(x) {
			pen = false
			continue
		}
		if pen {
			fmt.Fprintf(&out, "L%s %s", num(x), num(y(v)))
		} else {
			// A point of no length shows as a dot when no other follows.
			fmt.Fprintf(&out, "M%s %sh0", num(x), num(y(v)))
		}
		pen = true
	}
	d.path("ln", style, out.String())
}

func (d *drawing) histogram(p pane, y func(float64) float64) {
	if len(p.Histogram) == 0 {
		return
	}
	signed := slices.ContainsFunc(p.Histogram, func(v float64) bool { return v < 0 })
	half := max(0.4, 0.36*(d.right-d.left)/float64(d.frame.n))
	var up, down strings.Builder
	for i, v := range p.Histogram {
		x := d.at(i)
		if !finite(v) || math.IsNaN(x) {
			continue
		}
		out := &up
		if v < 0 {
			out = &down
		}
		fmt.Fprintf(out, "M%s %sh%sV%sh%sz", num(x-half), num(y(0)), num(2*half), num(y(v)), num(-2*half))
	}
	if signed {
		d.path("hu", "", up.String())
	} else {
		d.path("hn", "", up.String())
	}
	d.path("hd", "", down.String())
}

// levels draws named prices as dashed lines, and their labels at the right,
// moved apart where they would overlap.
func (d *drawing) levels(p pane, y func(float64) float64, top, bottom float64, digits int) {
	marks := slices.Clone(p.Levels)
	slices.SortStableFunc(marks, func(a, b Mark) int {
		switch {
		case a.Price > b.Price:
			return -1
		case a.Price < b.Price:
			return +1
		}
		return 0
	})
	room := int((bottom - top + labelHeight) / labelHeight)
	more := 0
	if len(marks) > room {
		marks, more = nearest(marks, p, room-1)
	}
	places := make([]float64, len(marks))
	for i, m := range marks {
		places[i] = y(m.Price)
	}
	spread(places, top, bottom)
	x := d.right + 26
	var lines, leaders strings.Builder
	for i, m := range marks {
		if finite(m.Low) && finite(m.High) && m.Low < m.High {
			from, to := min(max(y(m.High), top), bottom), min(max(y(m.Low), top), bottom)
			fmt.Fprintf(d, `<rect x="%s" y="%s" width="%s" height="%s" fill="var(--lv)" opacity=".16"/>`+"\n", num(d.left), num(from), num(d.right-d.left), num(to-from))
		}
		fmt.Fprintf(&lines, "M%s %sH%s", num(d.left), num(y(m.Price)), num(d.right))
		fmt.Fprintf(&leaders, "M%s %sH%sL%s %sh6", num(d.right), num(y(m.Price)), num(d.right+3), num(x-8), num(places[i]))
		d.text(x, places[i]+4, "cl", "", number(m.Price, digits)+" "+cut(clean(m.Name), 22))
	}
	d.path("cv", "", lines.String())
	d.path("ck", "", leaders.String())
	if more > 0 {
		d.text(x, top-13, "cn", "", fmt.Sprintf("and %d more", more))
	}
}

// nearest keeps the n marks, sorted by price, that are nearest to the last price.
func nearest(marks []Mark, p pane, n int) (kept []Mark, dropped int) {
	last := (p.low + p.high) / 2
	for _, b := range p.Candles {
		if drawable(b) {
			last = b.Close
		}
	}
	kept = slices.Clone(marks)
	slices.SortStableFunc(kept, func(a, b Mark) int {
		x, y := math.Abs(a.Price-last), math.Abs(b.Price-last)
		switch {
		case x < y:
			return -1
		case x > y:
			return +1
		}
		return 0
	})
	kept = kept[:max(0, min(n, len(kept)))]
	slices.SortStableFunc(kept, func(a, b Mark) int {
		switch {
		case a.Price > b.Price:
			return -1
		case a.Price < b.Price:
			return +1
		}
		return 0
	})
	return kept, len(marks) - len(kept)
}

// spread moves ascending places apart to a label's height, within [top, bottom]
// where they fit, and as little as possible: labels that would touch form a block around the
// mean of their places.
func spread(places []float64, top, bottom float64) {
	type group struct {
		sum  float64 // of the places, each less the height of the labels above it
		n    int
		from int
	}
	var groups []group
	for i, y := range places {
		groups = append(groups, group{y - float64(i)*labelHeight, 1, i})
		for k := len(groups) - 1; k > 0 && groups[k].sum/float64(groups[k].n) <= groups[k-1].sum/float64(groups[k-1].n); k-- {
			groups[k-1].sum += groups[k].sum
			groups[k-1].n += groups[k].n
			groups = groups[:k]
		}
	}
	lowest := max(top, bottom-float64(len(places)-1)*labelHeight) // of the first label
	for _, g := range groups {
		first := min(max(g.sum/float64(g.n), top), lowest)
		for i := g.from; i < g.from+g.n; i++ {
			places[i] = first + float64(i)*labelHeight
		}
	}
}

// horizontal draws the shared axis below the lowest pane.
func (d *drawing) horizontal(top, bottom float64) {
	d.path("cg", "", fmt.Sprintf("M%s %sH%s", num(d.left), num(bottom), num(d.right)))
	var ticks []tick
	place := func(t tick) float64 { return d.at(int(t.at)) }
	if x := d.frame.x; x != nil {
		low, high := span(x)
		if low == high {
			return
		}
		ticks, _ = valueTicks(low, high, int((d.right-d.left)/90))
		place = func(t tick) float64 { return d.left + (t.at-low)/(high-low)*(d.right-d.left) }
	} else {
		ticks = timeTicks(d.frame.times, int((d.right-d.left)/56))
	}
	ticks = spaced(ticks, func(t tick) (from, to float64) {
		half := textWidth(t.label)/2 + 8
		return place(t) - half, place(t) + half
	})
	var marks strings.Builder
	for _, t := range ticks {
		x := place(t)
		fmt.Fprintf(&marks, "M%s %sv5", num(x), num(bottom))
		anchor, class := "middle", "ca"
		if half := textWidth(t.label) / 2; x-half < edge {
			anchor, x = "", edge
		} else if x+half > d.width-edge {
			anchor, x = "end", d.width-edge
		}
		d.text(x, bottom+20, class, anchor, t.label)
	}
	d.path("cz", "", marks.String())
	if label := clean(d.chart.XLabel); label != "" {
		d.text(d.left, bottom+36, "cn", "", cut(label, 100))
	}
}

func (d *drawing) path(class, style, data string) {
	if data == "" {
		return
	}
	if style != "" {
		style = ` style="` + style + `"`
	}
	fmt.Fprintf(d, `<path class="%s"%s d="%s"/>`+"\n", class, style, data)
}

func (d *drawing) text(x, y float64, class, anchor, s string) {
	if s == "" {
		return
	}
	if anchor != "" {
		anchor = ` text-anchor="` + anchor + `"`
	}
	fmt.Fprintf(d, `<text class="%s" x="%s" y="%s"%s>%s</text>`+"\n", class, num(x), num(y), anchor, escape(s))
}

// textWidth estimates how wide a label is; fonts differ.
func textWidth(s string) (width float64) {
	for _, r := range s {
		switch {
		case strings.ContainsRune(" .,:;|'il", r):
			width += 4.2
		case r >= 'A' && r <= 'Z' || r > 0x2fff:
			width += 9.4
		default:
			width += 7.4
		}
	}
	return width
}

// num writes a coordinate with at most two digits after the point.
func num(x float64) string {
	s := strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64)
	if s == "-0" {
		return "0"
	}
	return s
}

// escape makes text safe in XML, with characters that XML forbids replaced.
func escape(s string) string {
	var b bytes.Buffer
	if err := xml.EscapeText(&b, []byte(s)); err != nil {
		return "" // a bytes.Buffer does not fail
	}
	return b.String()
}
