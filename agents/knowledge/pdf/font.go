package pdf

import (
	"strings"
	"unicode/utf8"
)

// A font maps codes to characters and widths.
type font struct {
	wide    bool            // codes of two bytes, unless the map says otherwise
	lengths [5]bool         // of codes that the map has, in bytes
	mapped  map[code]string // by the font's own map
	byCode  *[256]string    // by its encoding; nil: none
	width   map[int]float64 // in thousandths of the size
	missing float64
}

type code struct{ value, length int }

// maxMapped bounds the characters of a font's map.
const maxMapped = 1 << 17

// font reads a font. Unknown ones are read as the western code page.
func (f *file) font(v any) *font {
	r, isRef := v.(ref)
	if isRef {
		if known, ok := f.fonts[int(r)]; ok {
			return known
		}
	}
	d := f.dict(v)
	made := &font{mapped: map[code]string{}, width: map[int]float64{}, missing: 500}
	if d["Subtype"] == name("Type0") {
		made.wide, made.missing = true, 1000
		if below := f.array(d["DescendantFonts"]); len(below) > 0 {
			f.wideWidths(made, f.dict(below[0]))
		}
	} else {
		made.byCode = f.encoding(d)
		first := int(f.number(d["FirstChar"], 0))
		for i, w := range f.array(d["Widths"]) {
			if i < 256 {
				made.width[first+i] = f.number(w, 500)
			}
		}
		if d["Subtype"] == name("Type3") { // in units of its own
			scale := 1.0
			if m := f.array(d["FontMatrix"]); len(m) == 6 {
				scale = 1000 * f.number(m[0], 0.001)
			}
			for c := range made.width {
				made.width[c] *= scale
			}
		}
	}
	if s, ok := f.resolve(d["ToUnicode"]).(stream); ok {
		f.readMap(made, f.unpack(s))
	}
	if isRef {
		f.fonts[int(r)] = made
	}
	return made
}

// wideWidths reads the widths of a composite font: c [w w …] or from to w.
func (f *file) wideWidths(made *font, d dict) {
	made.missing = f.number(d["DW"], 1000)
	list := f.array(d["W"])
	for i := 0; i+1 < len(list) && len(made.width) < maxMapped; {
		first := int(f.number(list[i], 0))
		if each := f.array(list[i+1]); each != nil {
			for n, w := range each {
				made.width[first+n] = f.number(w, made.missing)
			}
			i += 2
			continue
		}
		if i+2 >= len(list) {
			return
		}
		last, w := int(f.number(list[i+1], 0)), f.number(list[i+2], made.missing)
		for c := first; c <= last && c-first < 1<<16 && len(made.width) < maxMapped; c++ {
			made.width[c] = w
		}
		i += 3
	}
}

// readMap reads a ToUnicode map.
//
// Adobe Technical Note 5411, "ToUnicode Mapping File Tutorial"
func (f *file) readMap(made *font, data []byte) {
	f.work -= len(data)
	l := lexer{data: data}
	var operands []any
	for n := 0; len(made.mapped) < maxMapped && n < 1<<22; n++ {
		v := l.value(0)
		if _, over := v.(end); over {
			return
		}
		op, ok := v.(operator)
		if !ok {
			if len(operands) < 1000 {
				operands = append(operands, v)
			}
			continue
		}
		switch op {
		case "endcodespacerange":
			for i := 0; i+1 < len(operands); i += 2 {
				if low, ok := operands[i].(text); ok && len(low) > 0 && len(low) <= 4 {
					made.lengths[len(low)] = true
				}
			}
		case "endbfchar":
			for i := 0; i+1 < len(operands); i += 2 {
				from, ok1 := operands[i].(text)
				to, ok2 := operands[i+1].(text)
				if ok1 && ok2 {
					made.mapped[codeOf(from)] = utf16BE([]byte(to))
				}
			}
		case "endbfrange":
			for i := 0; i+2 < len(operands); i += 3 {
				from, ok1 := operands[i].(text)
				to, ok2 := operands[i+1].(text)
				if ok1 && ok2 {
					made.mapRange(codeOf(from), codeOf(to).value, operands[i+2])
				}
			}
		}
		operands = operands[:0]
	}
}

func (t *font) mapRange(from code, last int, to any) {
	if last < from.value || last-from.value > 0xffff {
		return
	}
	switch to := to.(type) {
	case text:
		b := []byte(to)
		if len(b) == 0 {
			return
		}
		for c := from.value; c <= last && len(t.mapped) < maxMapped; c++ {
			t.mapped[code{c, from.length}] = utf16BE(b)
			for i := len(b) - 1; i >= 0; i-- { // the next character
				if b[i]++; b[i] != 0 {
					break
				}
			}
		}
	case []any:
		for i, v := range to {
			if s, ok := v.(text); ok && from.value+i <= last && len(t.mapped) < maxMapped {
				t.mapped[code{from.value + i, from.length}] = utf16BE([]byte(s))
			}
		}
	}
}

func codeOf(s text) code {
	c := code{length: min(len(s), 4)}
	for i := range c.length {
		c.value = c.value<<8 | int(s[i])
	}
	return c
}

// next reads one code of a string: the shortest that the map knows, else one or
// two bytes.
func (t *font) next(s text) (c code, chars string) {
	for n := 1; n <= min(4, len(s)); n++ {
		if !t.lengths[n] {
			continue
		}
		if chars, ok := t.mapped[codeOf(s[:n])]; ok {
			return codeOf(s[:n]), chars
		}
	}
	n := 1
	if t.wide && len(s) > 1 && (!t.lengths[1] || t.lengths[2]) {
		n = 2
	}
	c = codeOf(s[:n])
	if chars, ok := t.mapped[c]; ok {
		return c, chars
	}
	if t.byCode != nil {
		return c, t.byCode[c.value&0xff]
	}
	return c, ""
}

func (t *font) widthOf(c code) float64 {
	if w, ok := t.width[c.value]; ok {
		return w
	}
	return t.missing
}

// The upper half of Mac OS Roman.
const macRoman = "ÄÅÇÉÑÖÜáàâäãåçéèêëíìîïñóòôöõúùûü†°¢£§•¶ß®©™´¨≠ÆØ∞±≤≥¥µ∂∑∏π∫ªºΩæø¿¡¬√ƒ≈∆«»…\u00a0ÀÃÕŒœ–—“”‘’÷◊ÿŸ⁄€‹›ﬁﬂ‡·‚„‰ÂÊÁËÈÍÎÏÌÓÔ\uf8ffÒÚÛÙıˆ˜¯˘˙˚¸˝˛ˇ"

// encoding returns the characters of a simple font's codes.
func (f *file) encoding(d dict) *[256]string {
	var out [256]string
	base := f.resolve(d["Encoding"])
	var differences []any
	if e, ok := base.(dict); ok {
		base, differences = f.resolve(e["BaseEncoding"]), f.array(e["Differences"])
	}
	mac := []rune(macRoman)
	for c := range 256 {
		r := Windows1252(byte(c))
		if base == name("MacRomanEncoding") && c >= 128 && c-128 < len(mac) {
			r = mac[c-128]
		}
		if r >= ' ' && (r < 0x7f || r >= 0xa0) {
			out[c] = string(r)
		}
	}
	if base == nil { // the quotes of the standard encoding
		out['`'], out['\''] = "‘", "’"
		for c, s := range map[byte]string{0xa8: "¤", 0xa9: "'", 0xaa: "“", 0xae: "ﬁ", 0xaf: "ﬂ", 0xb1: "–", 0xb7: "•", 0xb9: "„", 0xba: "”", 0xbc: "…", 0xd0: "—"} {
			out[c] = s
		}
	}
	at := 0
	for _, v := range differences {
		switch v := f.resolve(v).(type) {
		case float64:
			at = int(max(0, min(v, 256)))
		case name:
			if at < 256 {
				out[at] = glyph(string(v))
				at++
			}
		}
	}
	return &out
}

// Names of glyphs that are not the character itself, with what they stand for.
const glyphs = `space= exclam=! quotedbl=" numbersign=# dollar=$ percent=% ampersand=& quotesingle=' parenleft=( parenright=) asterisk=* plus=+
comma=, hyphen=- minus=− period=. slash=/ zero=0 one=1 two=2 three=3 four=4 five=5 six=6 seven=7 eight=8 nine=9 colon=: semicolon=; less=<
equal== greater=> question=? at=@ bracketleft=[ backslash=\ bracketright=] asciicircum=^ underscore=_ grave=` + "`" + ` braceleft={ bar=| braceright=}
asciitilde=~ quoteleft=‘ quoteright=’ quotedblleft=“ quotedblright=” quotesinglbase=‚ quotedblbase=„ endash=– emdash=— bullet=• ellipsis=…
fi=fi fl=fl ff=ff ffi=ffi ffl=ffl dagger=† daggerdbl=‡ trademark=™ copyright=© registered=® degree=° section=§ paragraph=¶ periodcentered=·
guillemotleft=« guillemotright=» guilsinglleft=‹ guilsinglright=› cent=¢ sterling=£ yen=¥ Euro=€ currency=¤ multiply=× divide=÷ plusminus=±
mu=µ onehalf=½ onequarter=¼ threequarters=¾ onesuperior=¹ twosuperior=² threesuperior=³ AE=Æ ae=æ OE=Œ oe=œ Oslash=Ø oslash=ø germandbls=ß
dotlessi=ı Lslash=Ł lslash=ł Thorn=Þ thorn=þ Eth=Ð eth=ð nbspace= fraction=⁄ infinity=∞ notequal=≠ lessequal=≤ greaterequal=≥ summation=∑
product=∏ radical=√ integral=∫ partialdiff=∂ approxequal=≈ alpha=α beta=β gamma=γ delta=δ Delta=Δ epsilon=ε theta=θ Theta=Θ kappa=κ lambda=λ
pi=π rho=ρ sigma=σ Sigma=Σ tau=τ phi=φ Phi=Φ omega=ω Omega=Ω nu=ν chi=χ eta=η zeta=ζ xi=ξ arrowright=→ arrowleft=← arrowup=↑ arrowdown=↓`

var accents = map[string]string{"acute": "\u0301", "grave": "\u0300", "circumflex": "\u0302", "tilde": "\u0303", "dieresis": "\u0308", "cedilla": "\u0327", "ring": "\u030a", "caron": "\u030c"}

// glyph returns what a glyph's name stands for; empty when it is unknown.
//
// https://github.com/adobe-type-tools/agl-specification
func glyph(s string) string {
	s, _, _ = strings.Cut(s, ".")
	if len(s) == 1 {
		return s
	}
	for pair := range strings.FieldsSeq(glyphs) {
		if n, c, _ := strings.Cut(pair, "="); n == s {
			if c == "" {
				return " "
			}
			return c
		}
	}
	for accent, mark := range accents {
		if letter, ok := strings.CutSuffix(s, accent); ok && len(letter) == 1 {
			return compose(letter + mark)
		}
	}
	hex, ok := strings.CutPrefix(s, "uni")
	if !ok {
		if hex, ok = strings.CutPrefix(s, "u"); !ok || len(hex) > 6 {
			return ""
		}
	} else if len(hex) > 4 {
		hex = hex[:4]
	}
	if len(hex) < 4 {
		return ""
	}
	r := 0
	for i := range len(hex) {
		d := hexDigit(hex[i])
		if d < 0 {
			return ""
		}
		r = 16*r + d
	}
	if !utf8.ValidRune(rune(r)) {
		return ""
	}
	return string(rune(r))
}

// compose makes one character of a letter and a mark, for those of western Europe.
func compose(s string) string {
	const (
		apart = "àáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
		bases = "aaaaaaceeeeiiiinooooouuuuyy"
		marks = "\u0300\u0301\u0302\u0303\u0308\u030a\u0327\u0300\u0301\u0302\u0308\u0300\u0301\u0302\u0308\u0303\u0300\u0301\u0302\u0303\u0308\u0300\u0301\u0302\u0308\u0301\u0308"
	)
	runes, lower := []rune(s), []rune(strings.ToLower(s))
	m := []rune(marks)
	for i, c := range []rune(apart) {
		if rune(bases[i]) == lower[0] && m[i] == runes[1] {
			if runes[0] != lower[0] {
				return strings.ToUpper(string(c))
			}
			return string(c)
		}
	}
	return s
}
