package chart

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Terminal writes the chart as lines of text. Rising candles are thin, falling
// ones solid, so that colour is not needed to tell them apart. Every line has
// at most opts.Width columns and ends with a newline.
func (c Chart) Terminal(w io.Writer, opts TerminalOptions) error {
	t := terminal{chart: c, opts: opts}
	if t.opts.Width <= 0 {
		t.opts.Width = 80
	}
	if t.opts.Height <= 0 {
		t.opts.Height = 24
	}
	t.opts.Width = min(max(t.opts.Width, 40), 1000)
	t.opts.Height = min(max(t.opts.Height, 8), 1000)
	_, err := io.WriteString(w, t.draw())
	return err
}

type terminal struct {
	chart  Chart
	opts   TerminalOptions
	frame  frame
	out    strings.Builder
	cols   int // of the plot
	stride int // columns from one slot to the next
	gutter int // columns right of the plot
	digits int // columns of the axis' numbers
}

// The colours of a terminal, as ANSI codes.
const (
	plain  = ""
	dim    = "2"
	bold   = "1"
	green  = "32"
	red    = "31"
	yellow = "33"
)

func lineColor(i int) string { return []string{"36", "33", "35", "34", "92"}[i%5] }

// A cell is one character of the plot.
type cellRune struct {
	r     rune
	color string
}

type canvas struct {
	cells      [][]cellRune
	rows, cols int
}

func newCanvas(rows, cols int) *canvas {
	c := &canvas{rows: rows, cols: cols, cells: make([][]cellRune, rows)}
	for r := range c.cells {
		c.cells[r] = make([]cellRune, cols)
	}
	return c
}

// put sets a free cell.
func (c *canvas) put(row, col int, r rune, color string) {
	if row >= 0 && row < c.rows && col >= 0 && col < c.cols && c.cells[row][col].r == 0 {
		c.cells[row][col] = cellRune{r, color}
	}
}

// dot adds one of the eight dots of a braille cell; x and y count dots.
func (c *canvas) dot(x, y int, color string) {
	row, col := y/4, x/2
	if x < 0 || y < 0 || row >= c.rows || col >= c.cols {
		return
	}
	cell := &c.cells[row][col]
	if cell.r != 0 && (cell.r < 0x2800 || cell.r > 0x28ff) {
		return
	}
	if cell.r == 0 {
		cell.r = 0x2800
	}
	cell.r |= []rune{0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80}[y%4*2+x%2]
	cell.color = color
}

func (t *terminal) draw() string {
	t.measure()
	f := t.frame
	if title := clean(t.chart.Title); title != "" {
		t.line(t.paint(bold, cut(title, t.opts.Width)))
	}
	if len(f.panes) == 0 {
		t.line(nothing)
		return t.out.String()
	}
	heads := make([]string, len(f.panes))
	used := 2 // the axis
	if clean(t.chart.Title) != "" {
		used++
	}
	if f.note() != "" || clean(t.chart.XLabel) != "" {
		used++
	}
	for i, p := range f.panes {
		if heads[i] = t.head(p); heads[i] != "" {
			used++
		}
	}
	weights, total := weigh(f.panes)
	left := t.opts.Height - used
	for i, p := range f.panes {
		rows := max(3, int(float64(left)*weights[i]/total))
		left, total = left-rows, total-weights[i]
		if heads[i] != "" {
			t.line(heads[i])
		}
		t.pane(p, rows)
	}
	t.axis()
	t.line(t.paint(dim, cut(strings.Trim(clean(t.chart.XLabel)+"; "+f.note(), "; "), t.opts.Width)))
	return t.out.String()
}

// measure decides how many columns the axis takes, and so how many slots fit.
func (t *terminal) measure() {
	// The width of the numbers depends little on how many slots there are.
	names := 0
	for _, p := range t.chart.prepare(t.opts.Width).panes {
		if p.empty() {
			continue
		}
		ticks, width := valueTicks(p.low, p.high, 6)
		for _, x := range ticks {
			t.digits = max(t.digits, len([]rune(x.label)))
		}
		for _, g := range p.Guides {
			t.digits = max(t.digits, len([]rune(number(g, decimals(g)))))
		}
		for _, m := range p.Levels {
			names = max(names, len([]rune(clean(m.Name))))
			t.digits = max(t.digits, len([]rune(number(m.Price, p.priceDecimals(width)))))
		}
	}
	t.digits = min(t.digits, 14)
	t.gutter = 2 + t.digits
	if names > 0 {
		t.gutter += 1 + min(names, max(6, t.opts.Width/5))
	}
	t.cols = max(8, t.opts.Width-t.gutter)
	t.frame = t.chart.prepare(t.cols)
	t.stride = 1
	if t.frame.x == nil && t.frame.n > 0 {
		t.stride = min(4, max(1, t.cols/t.frame.n))
		// What the slots leave over goes to the names.
		t.cols = min(t.cols, max(24, t.frame.n*t.stride))
	}
	t.gutter = t.opts.Width - t.cols
}

// column returns the column of a slot, and dots the horizontal place of it in dots.
func (t *terminal) column(slot int) int {
	return t.dots(slot) / 2
}

func (t *terminal) dots(slot int) int {
	if x := t.frame.x; x != nil {
		low, high := span(x)
		if slot >= len(x) || !finite(x[slot]) || low == high {
			return -1
		}
		return int(math.Round((x[slot] - low) / (high - low) * float64(2*t.cols-1)))
	}
	// The newest slot stands at the right edge.
	return 2*(t.cols-1-(t.frame.n-1-slot)*t.stride) + 1
}

func (t *terminal) head(p pane) string {
	var parts []string
	if title := clean(p.Title); title != "" {
		parts = append(parts, t.paint(bold, title))
	}
	length := len([]rune(clean(p.Title)))
	for i, l := range p.Lines {
		name := clean(l.Name)
		if name == "" {
			continue
		}
		if v, ok := latest(l.Values); ok && t.frame.x == nil {
			name += " " + number(v, p.legendDecimals())
		}
		if length += len([]rune(name)) + 5; length > t.opts.Width {
			break
		}
		parts = append(parts, t.paint(t.colorOf(i), t.marker(p, i))+" "+name)
	}
	return strings.Join(parts, "  ")
}

func (t *terminal) colorOf(line int) string { return lineColor(line) }

// marker is the sign of a line in the legend. Without colours every line of
// several has a sign of its own in the plot too.
func (t *terminal) marker(p pane, line int) string {
	if t.opts.ASCII {
		return string([]rune(".o*x~")[line%5])
	}
	if !t.opts.Color && len(p.Lines) > 1 {
		return string([]rune("•∘×◦·")[line%5])
	}
	return "⠒"
}

func (t *terminal) pane(p pane, rows int) {
	if p.empty() {
		for r := range rows {
			text := ""
			if r == rows/2 {
				text = strings.Repeat(" ", max(0, (t.cols-len(nothing))/2)) + nothing
			}
			t.line(pad(text, t.cols) + t.glyph('│', '|'))
		}
		return
	}
	c := newCanvas(rows, t.cols)
	t.candles(c, p)
	t.histogram(c, p)
	for i, l := range p.Lines {
		t.curve(c, p, l, i)
	}
	labels := t.labels(c, p)
	row := func(v float64) int { return min(rows-1, max(0, int((p.high-v)/(p.high-p.low)*float64(rows)))) }
	across := func(v float64, r rune, color string) {
		for col := range t.cols {
			if every := map[rune]int{'·': 2, '.': 2, '┄': 3, '-': 3}[r]; every == 0 || col%every == 0 {
				c.put(row(v), col, r, color)
			}
		}
	}
	for _, m := range p.Levels {
		across(m.Price, t.glyph2('┄', '-'), yellow)
	}
	if p.low < 0 && p.high > 0 && len(p.Candles) == 0 {
		across(0, t.glyph2('─', '-'), dim)
	}
	for _, g := range p.Guides {
		if finite(g) {
			across(g, t.glyph2('·', '.'), dim)
		}
	}
	for r := range rows {
		t.line(t.row(c.cells[r]) + labels[r])
	}
}

// row joins cells, with one colour code for a run of equal colours.
func (t *terminal) row(cells []cellRune) string {
	var b strings.Builder
	for i := 0; i < len(cells); {
		j := i
		var run strings.Builder
		for ; j < len(cells) && cells[j].color == cells[i].color; j++ {
			r := cells[j].r
			if r == 0 {
				r = ' '
			}
			run.WriteRune(r)
		}
		b.WriteString(t.paint(cells[i].color, run.String()))
		i = j
	}
	return b.String()
}

// candles draws with half cells: each half of a cell is body, wick or empty.
func (t *terminal) candles(c *canvas, p pane) {
	half := func(v float64) int {
		return min(2*c.rows-1, max(0, int((p.high-v)/(p.high-p.low)*float64(2*c.rows))))
	}
	for i, b := range p.Candles {
		if !drawable(b) {
			continue
		}
		rising := b.Close >= b.Open
		color := green
		if !rising {
			color = red
		}
		top, bottom := half(max(b.Open, b.Close)), half(min(b.Open, b.Close))
		high, low := half(max(b.High, b.Open, b.Close)), half(min(b.Low, b.Open, b.Close))
		for row := high / 2; row <= low/2; row++ {
			part := func(y int) int {
				switch {
				case y >= top && y <= bottom:
					return 2
				case y >= high && y <= low:
					return 1
				}
				return 0
			}
			c.put(row, t.column(i), t.candleRune(part(2*row), part(2*row+1), rising), color)
		}
	}
}

// candleRune is the character for an upper and a lower half that are empty (0),
// wick (1) or body (2).
func (t *terminal) candleRune(upper, lower int, rising bool) rune {
	if t.opts.ASCII {
		switch {
		case upper < 2 && lower < 2:
			return '|'
		case rising:
			return 'o'
		}
		return '#'
	}
	if rising {
		return [][]rune{{' ', '╷', '╻'}, {'╵', '│', '╽'}, {'╹', '╿', '┃'}}[upper][lower]
	}
	return [][]rune{{' ', '╷', '▄'}, {'╵', '│', '▄'}, {'▀', '▀', '█'}}[upper][lower]
}

// histogram draws bars from zero in eighths of a cell upwards and halves downwards.
func (t *terminal) histogram(c *canvas, p pane) {
	signed := slices.ContainsFunc(p.Histogram, func(v float64) bool { return v < 0 })
	y := func(v float64) float64 { return (p.high - v) / (p.high - p.low) * float64(c.rows) }
	for i, v := range p.Histogram {
		if !finite(v) {
			continue
		}
		top, bottom, color := y(max(v, 0)), y(min(v, 0)), dim
		if signed {
			color = green
			if v < 0 {
				color = red
			}
		}
		for row := max(0, int(top)); row < c.rows && float64(row) < bottom; row++ {
			from, to := max(top, float64(row))-float64(row), min(bottom, float64(row+1))-float64(row)
			r := t.barRune(from, to, v < 0)
			if r != 0 {
				c.put(row, t.column(i), r, color)
			}
		}
	}
}

// barRune is the character for a cell that is filled between two fractions of its height.
func (t *terminal) barRune(from, to float64, below bool) rune {
	if t.opts.ASCII {
		if to-from < 0.5 {
			return 0
		}
		return '#'
	}
	if below {
		switch {
		case to-from >= 0.75:
			return '█'
		case to-from >= 0.25:
			return '▀'
		}
		return 0
	}
	eighths := int(math.Round((to - from) * 8))
	if eighths <= 0 {
		return 0
	}
	return []rune("▁▂▃▄▅▆▇█")[min(eighths, 8)-1]
}

func (t *terminal) curve(c *canvas, p pane, l Line, index int) {
	color := t.colorOf(index)
	if t.opts.ASCII || !t.opts.Color && len(p.Lines) > 1 {
		mark := []rune(t.marker(p, index))[0]
		for i, v := range l.Values {
			if finite(v) && v >= p.low && v <= p.high {
				c.put(min(c.rows-1, int((p.high-v)/(p.high-p.low)*float64(c.rows))), t.column(i), mark, color)
			}
		}
		return
	}
	y := func(v float64) int { return int(math.Round((p.high - v) / (p.high - p.low) * float64(4*c.rows-1))) }
	before := -1
	for i, v := range l.Values {
		if !finite(v) || t.dots(i) < 0 {
			before = -1
			continue
		}
		if before < 0 {
			c.dot(t.dots(i), y(v), color)
		} else {
			c.stroke(t.dots(before), y(l.Values[before]), t.dots(i), y(v), color)
		}
		before = i
	}
}

// stroke draws a straight line of dots.
func (c *canvas) stroke(x0, y0, x1, y1 int, color string) {
	steps := max(1, max(x1-x0, x0-x1), max(y1-y0, y0-y1))
	for i := range steps + 1 {
		part := float64(i) / float64(steps)
		c.dot(x0+int(math.Round(part*float64(x1-x0))), y0+int(math.Round(part*float64(y1-y0))), color)
	}
}

// labels returns what stands right of each row: the axis, and the names of
// levels, which take precedence. Levels that fall in one row share it.
func (t *terminal) labels(c *canvas, p pane) []string {
	ticks, width := valueTicks(p.low, p.high, max(3, c.rows/3))
	row := func(v float64) int { return min(c.rows-1, max(0, int((p.high-v)/(p.high-p.low)*float64(c.rows)))) }
	out := make([]string, c.rows)
	marks := slices.Clone(p.Levels)
	slices.SortStableFunc(marks, func(a, b Mark) int { return -cmp.Compare(a.Price, b.Price) })
	for i := 0; i < len(marks); {
		r, j := row(marks[i].Price), i
		var names []string
		for ; j < len(marks) && row(marks[j].Price) == r; j++ {
			names = append(names, clean(marks[j].Name))
		}
		price := number(marks[i].Price, p.priceDecimals(width))
		if j-i > 1 {
			// One price for several would be wrong by up to a row: say the middle one's.
			price = number(marks[(i+j)/2].Price, p.priceDecimals(width))
		}
		text := fmt.Sprintf("%*s %s", t.digits, price, strings.Join(names, ", "))
		if len([]rune(text)) > t.gutter-2 && len(names) > 1 {
			more := fmt.Sprintf(" +%d", len(names)-1)
			text = cut(fmt.Sprintf("%*s %s", t.digits, price, names[len(names)/2]), t.gutter-2-len(more)) + more
		}
		out[r] = t.glyph('├', '+') + t.paint(yellow, cut(text, t.gutter-2))
		i = j
	}
	for _, g := range p.Guides {
		if finite(g) {
			ticks = append([]tick{{at: g, label: number(g, decimals(g))}}, ticks...)
		}
	}
	for _, x := range ticks {
		if r := row(x.at); out[r] == "" {
			out[r] = t.glyph('┤', '+') + fmt.Sprintf("%*s", t.digits, cut(x.label, t.digits))
		}
	}
	for r := range out {
		if out[r] == "" {
			out[r] = t.glyph('│', '|')
		}
	}
	return out
}

// axis draws the horizontal axis and its labels.
func (t *terminal) axis() {
	line := []rune(strings.Repeat(string(t.glyph2('─', '-')), t.cols) + string(t.glyph2('╯', '+')))
	labels := []rune(strings.Repeat(" ", t.opts.Width))
	var ticks []tick
	place := func(x tick) int { return t.column(int(x.at)) }
	if x := t.frame.x; x != nil {
		low, high := span(x)
		if low < high {
			ticks, _ = valueTicks(low, high, max(2, t.cols/14))
		}
		place = func(x tick) int { return int(math.Round((x.at - low) / (high - low) * float64(t.cols-1))) }
	} else {
		ticks = timeTicks(t.frame.times, max(2, t.cols/9))
	}
	begin := func(x tick) int {
		return min(max(0, place(x)-(len(x.label)-1)/2), max(0, t.opts.Width-len(x.label)))
	}
	ticks = spaced(ticks, func(x tick) (from, to float64) {
		return float64(begin(x) - 1), float64(begin(x) + len(x.label) + 1)
	})
	for _, x := range ticks {
		if col := place(x); col >= 0 && col < t.cols {
			line[col] = t.glyph2('┴', '+')
			copy(labels[begin(x):], []rune(x.label))
		}
	}
	t.line(t.paint(dim, string(line)))
	t.line(strings.TrimRight(string(labels), " "))
}

func (t *terminal) glyph(unicode, ascii rune) string {
	return t.paint(dim, string(t.glyph2(unicode, ascii)))
}

func (t *terminal) glyph2(unicode, ascii rune) rune {
	if t.opts.ASCII {
		return ascii
	}
	return unicode
}

func (t *terminal) paint(color, s string) string {
	if !t.opts.Color || color == plain || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

// line writes one line without trailing space, and nothing for an empty one.
func (t *terminal) line(s string) {
	if t.opts.ASCII {
		s = strings.NewReplacer("…", ".", "–", "-").Replace(s)
	}
	if s = strings.TrimRight(s, " "); s != "" {
		t.out.WriteString(s + "\n")
	}
}

func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-len([]rune(s))))
}
