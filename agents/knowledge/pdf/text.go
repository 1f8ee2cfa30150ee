package pdf

import (
	"math"
	"regexp"
	"strings"
)

// A matrix is an affine transformation: x' = a·x + c·y + e, y' = b·x + d·y + f.
type matrix [6]float64

func (m matrix) times(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

var unity = matrix{1, 0, 0, 1, 0, 0}

// A state is what text is drawn with.
type state struct {
	ctm                  matrix
	font                 *font
	size                 float64
	charSpace, wordSpace float64
	scale, leading, rise float64
	invisible            bool
}

// A drawing is the text of one page in the making.
type drawing struct {
	file       *file
	page       page
	state      state
	stack      []state
	text, line matrix
	shown      sheet
	hidden     sheet
	room       int
	ops        int
}

// A sheet is text with the place where it ended.
type sheet struct {
	strings.Builder
	x, y, size float64
	begun      bool
}

// text returns what a page shows, and what it holds invisibly; up to room bytes.
func (f *file) text(p page, room int) (shown, hidden string) {
	d := &drawing{file: f, page: p, room: room, text: unity, line: unity}
	d.state = state{ctm: unity, scale: 1}
	var contents []byte
	for _, c := range f.list(p.dict["Contents"]) {
		if s, ok := f.resolve(c).(stream); ok {
			contents = append(append(contents, f.unpack(s)...), '\n')
		}
	}
	d.run(contents, f.dict(p.resources), 0)
	return whole(d.shown.String()), whole(d.hidden.String())
}

// enough tells that the page has been read as far as it will be.
func (d *drawing) enough() bool {
	if d.ops++; d.ops%1024 == 0 && d.file.ctx.Err() != nil {
		return true
	}
	return d.file.work <= 0 || d.shown.Len()+d.hidden.Len() >= d.room
}

func (d *drawing) run(contents []byte, resources dict, depth int) {
	d.file.work -= len(contents)
	l := lexer{data: contents}
	var operands []any
	saved := len(d.stack)
	for !d.enough() {
		v := l.value(0)
		if _, over := v.(end); over {
			break
		}
		op, ok := v.(operator)
		if !ok {
			if len(operands) < 64 {
				operands = append(operands, v)
			}
			continue
		}
		switch op {
		case "BI":
			skipImage(&l)
		case "Do":
			d.form(operands, resources, depth)
		default:
			d.do(op, operands, resources)
		}
		operands = operands[:0]
	}
	if len(d.stack) > saved {
		d.state, d.stack = d.stack[saved], d.stack[:saved]
	}
}

// skipImage passes over a picture that stands in the contents.
func skipImage(l *lexer) {
	for l.at < len(l.data) {
		v := l.value(0)
		if _, over := v.(end); over {
			return
		}
		if v == operator("ID") {
			break
		}
	}
	for ; l.at+3 < len(l.data); l.at++ {
		if isSpace(l.data[l.at]) && l.data[l.at+1] == 'E' && l.data[l.at+2] == 'I' && isSpace(l.data[l.at+3]) {
			l.at += 3
			return
		}
	}
	l.at = len(l.data)
}

// form draws a part of the page that is kept by itself.
func (d *drawing) form(operands []any, resources dict, depth int) {
	if len(operands) == 0 || depth >= maxForms {
		return
	}
	n, _ := operands[0].(name)
	s, ok := d.file.resolve(d.file.dict(resources["XObject"])[string(n)]).(stream)
	if !ok || s.dict["Subtype"] != name("Form") {
		return
	}
	before, text, line := d.state, d.text, d.line
	d.state.ctm = d.matrix(d.file.array(s.dict["Matrix"])).times(d.state.ctm)
	own := d.file.dict(s.dict["Resources"])
	if own == nil {
		own = resources
	}
	d.run(d.file.unpack(s), own, depth+1)
	d.state, d.text, d.line = before, text, line
}

func (d *drawing) matrix(v []any) matrix {
	m := unity
	if len(v) < 6 {
		return m
	}
	for i := range m {
		m[i] = d.file.number(v[i], m[i])
	}
	return m
}

// do carries out one operator.
func (d *drawing) do(op operator, operands []any, resources dict) {
	number := func(i int) float64 {
		if i < len(operands) {
			if n, ok := operands[i].(float64); ok {
				return n
			}
		}
		return 0
	}
	last := func() text {
		if len(operands) == 0 {
			return ""
		}
		s, _ := operands[len(operands)-1].(text)
		return s
	}
	s := &d.state
	switch op {
	case "q":
		if len(d.stack) < 256 {
			d.stack = append(d.stack, *s)
		}
	case "Q":
		if n := len(d.stack); n > 0 {
			d.state, d.stack = d.stack[n-1], d.stack[:n-1]
		}
	case "cm":
		s.ctm = d.matrix(operands).times(s.ctm)
	case "BT":
		d.text, d.line = unity, unity
	case "Tf":
		if len(operands) >= 2 {
			n, _ := operands[0].(name)
			s.font, s.size = d.file.font(d.file.dict(resources["Font"])[string(n)]), number(1)
		}
	case "Tc":
		s.charSpace = number(0)
	case "Tw":
		s.wordSpace = number(0)
	case "Tz":
		s.scale = number(0) / 100
	case "TL":
		s.leading = number(0)
	case "Ts":
		s.rise = number(0)
	case "Tr":
		s.invisible = number(0) == 3 || number(0) == 7
	case "Td":
		d.move(number(0), number(1))
	case "TD":
		s.leading = -number(1)
		d.move(number(0), number(1))
	case "Tm":
		d.line = d.matrix(operands)
		d.text = d.line
	case "T*":
		d.move(0, -s.leading)
	case "Tj":
		d.show(last())
	case "'":
		d.move(0, -s.leading)
		d.show(last())
	case "\"":
		s.wordSpace, s.charSpace = number(0), number(1)
		d.move(0, -s.leading)
		d.show(last())
	case "TJ":
		if len(operands) == 0 {
			return
		}
		list, _ := operands[len(operands)-1].([]any)
		for _, v := range list {
			switch v := v.(type) {
			case float64:
				d.advance(-v / 1000 * s.size * s.scale)
			case text:
				d.show(v)
			}
		}
	}
}

func (d *drawing) move(x, y float64) {
	d.line = matrix{1, 0, 0, 1, x, y}.times(d.line)
	d.text = d.line
}

func (d *drawing) advance(x float64) {
	d.text = matrix{1, 0, 0, 1, x, 0}.times(d.text)
}

// show writes a string, and before it the space or the line end that its place
// stands for.
func (d *drawing) show(s text) {
	st := &d.state
	if st.font == nil || len(s) == 0 || d.enough() {
		return
	}
	at := d.text.times(st.ctm)
	x, y := at[4], at[5]+st.rise
	size := math.Abs(st.size) * math.Hypot(at[2], at[3])
	var out strings.Builder
	for len(s) > 0 {
		c, chars := st.font.next(s)
		s = s[c.length:]
		out.WriteString(chars)
		w := st.font.widthOf(c)/1000*st.size + st.charSpace
		if c.length == 1 && c.value == ' ' {
			w += st.wordSpace
		}
		d.advance(w * st.scale)
	}
	after := d.text.times(st.ctm)
	if math.IsNaN(x+y+after[4]) || math.IsInf(x+y+after[4], 0) || out.Len() == 0 {
		return
	}
	sheet := &d.shown
	if st.invisible || size < 1 || d.beyond(x, y, after[4]) {
		sheet = &d.hidden
	}
	sheet.write(out.String(), x, y, after[4], after[5], size)
}

// beyond tells that text lies beside the page.
func (d *drawing) beyond(x, y, until float64) bool {
	b := d.page.box
	if b == ([4]float64{}) {
		return false
	}
	const slack = 2
	return max(x, until) < b[0]-slack || min(x, until) > b[2]+slack || y < b[1]-slack || y > b[3]+slack
}

func (s *sheet) write(text string, x, y, endX, endY, size float64) {
	if s.begun {
		tall := max(size, s.size)
		switch dx, dy := x-s.x, s.y-y; {
		case math.Abs(dy) > 1.7*tall:
			s.WriteString("\n\n")
		case math.Abs(dy) > 0.5*tall || dx < -2*tall:
			s.WriteString("\n")
		case dx > 0.15*tall:
			s.WriteString(" ")
		}
	}
	s.WriteString(text)
	s.x, s.y, s.size, s.begun = endX, endY, size, true
}

var (
	runs   = regexp.MustCompile(`[ \t\x{00a0}]+`)
	broken = regexp.MustCompile(`(\p{L})[-\x{00ad}]\n(\p{Ll})`)
	breaks = regexp.MustCompile(`\n{3,}`)
)

// whole puts words together that were divided at the end of a line, and takes out
// needless space.
func whole(s string) string {
	s = strings.ToValidUTF8(strings.NewReplacer("\x00", "", "\r", "\n", "ﬁ", "fi", "ﬂ", "fl", "ﬀ", "ff", "ﬃ", "ffi", "ﬄ", "ffl").Replace(s), "")
	lines := strings.Split(runs.ReplaceAllString(s, " "), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	s = breaks.ReplaceAllString(strings.Join(lines, "\n"), "\n\n")
	return strings.TrimSpace(broken.ReplaceAllString(s, "$1$2"))
}
