// Package pdf reads the text of PDF documents, for searching it: no layout, no
// pictures, no forms.
//
// It reads damaged files as far as they go. Objects are found by looking for them,
// not by the table that says where they are, which is what is wrong in most damaged
// files. Every loop is bounded: by the file's size, by how much may be unpacked, by
// the depth of nesting, and by the context. It reads no encrypted documents, and
// text only that a font maps to characters.
//
// ISO 32000-1:2008, https://opensource.adobe.com/dc-acrobat-sdk-docs/pdfstandards/PDF32000_2008.pdf
package pdf

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// What callers branch on.
var (
	// ErrNotPDF: there is no object of a PDF in the file.
	ErrNotPDF = errors.New("this is no PDF, or nothing of it is left")
	// ErrEncrypted: the document needs a password, or says so.
	ErrEncrypted = errors.New("the PDF is encrypted: save a copy without protection")
	// ErrTooLarge: the document unpacks to more than Options allow.
	ErrTooLarge = errors.New("the PDF unpacks to more than is allowed")
)

// A Document is what a PDF says.
type Document struct {
	Title string   // of the document's information; may be empty
	Pages []string // the text of each page; a page without any is empty
}

// Options bound the work. Zero fields mean the defaults.
type Options struct {
	MaxPages  int // read of the document, the first ones; default 5,000
	MaxUnpack int // bytes that all streams may unpack to; default 256 MB
	MaxText   int // bytes of text; what follows is left out; default 8 MB
}

// Read reads the text of a PDF, page by page. Text that is drawn invisibly or
// beyond the page is left out, unless the document has no other: then it is what a
// scanner recognised. Opts may be nil. Read ends with ctx.
func Read(ctx context.Context, data []byte, opts *Options) (*Document, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	for _, d := range []struct {
		v         *int
		otherwise int
	}{{&o.MaxPages, 5000}, {&o.MaxUnpack, 256 << 20}, {&o.MaxText, 8 << 20}} {
		if *d.v <= 0 {
			*d.v = d.otherwise
		}
	}
	f := &file{ctx: ctx, data: data, room: o.MaxUnpack, work: 8*len(data) + 1<<20, objects: map[int]found{}, cache: map[int]any{}, fonts: map[int]*font{}}
	f.scan()
	if len(f.objects) == 0 {
		return nil, ErrNotPDF
	}
	if f.encrypted {
		return nil, ErrEncrypted
	}
	f.work += len(data) + 2*o.MaxUnpack
	f.unpackObjects()
	doc := &Document{Title: f.title()}
	pages := f.pages(o.MaxPages)
	var hidden []string
	text, seen := 0, false
	for _, p := range pages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if text >= o.MaxText {
			break
		}
		shown, unseen := f.text(p, o.MaxText-text)
		text += len(shown) + len(unseen)
		seen = seen || strings.TrimSpace(shown) != ""
		doc.Pages, hidden = append(doc.Pages, shown), append(hidden, unseen)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !seen {
		doc.Pages = hidden
	}
	if f.room <= 0 && !slices.ContainsFunc(doc.Pages, func(s string) bool { return strings.TrimSpace(s) != "" }) {
		return nil, ErrTooLarge
	}
	return doc, nil
}

const (
	maxObjects = 1 << 20
	maxNesting = 64 // of arrays and dictionaries
	maxChain   = 32 // of references to references
	maxForms   = 8  // of forms within forms
)

// found is where an object is.
type found struct {
	at     int // in the file, after "obj"; with a stream: in its unpacked bytes
	stream int // of the object stream it is in; 0: none
}

type file struct {
	ctx       context.Context
	data      []byte
	room      int // bytes that may still be unpacked
	objects   map[int]found
	cache     map[int]any
	packed    map[int][]byte // unpacked object streams
	trailers  []dict
	encrypted bool
	fonts     map[int]*font
	ends      finder // of streams
	work      int    // bytes that may still be read as objects and contents
}

// A finder finds a word again and again, each byte being looked at once.
type finder struct {
	data, word []byte
	next       int // of the word at or after the place asked for last; len(data): none
	asked      bool
}

func (w *finder) from(at int) int {
	if w.asked && w.next >= at {
		return w.next
	}
	w.asked, w.next = true, len(w.data)
	if i := bytes.Index(w.data[min(at, len(w.data)):], w.word); i >= 0 {
		w.next = at + i
	}
	return w.next
}

// parse reads the object at a place. How much is read in all is bounded: objects
// that do not end would each be read to the end of the file.
func (f *file) parse(data []byte, at int) (any, lexer) {
	l := lexer{data: data, at: at}
	if f.work <= 0 {
		return nil, l
	}
	v := l.value(0)
	f.work -= l.at - at
	return v, l
}

// scan finds the objects. A later one of the same number replaces an earlier one,
// as in files that were changed by appending.
func (f *file) scan() {
	objects, trailers := finder{data: f.data, word: []byte("obj")}, finder{data: f.data, word: []byte("trailer")}
	f.ends = finder{data: f.data, word: []byte("endstream")}
	for at := 0; len(f.objects) < maxObjects && f.ctx.Err() == nil; {
		i, t := objects.from(at), trailers.from(at)
		if t < i {
			at = t + len("trailer")
			if v, _ := f.parse(f.data, at); v != nil {
				f.trailer(v)
			}
			continue
		}
		if i == len(f.data) {
			return
		}
		at = i + len("obj")
		number, ok := headerBefore(f.data, i)
		if !ok {
			continue
		}
		f.objects[number] = found{at: at}
		v, l := f.parse(f.data, at)
		d, isDict := v.(dict)
		if !isDict {
			continue
		}
		if d["Type"] == name("XRef") {
			f.trailer(d)
		}
		// What stands in a stream is no object.
		if start, ok := l.streamStart(); ok {
			n, ok := d["Length"].(float64)
			if ok && n >= 0 && float64(start)+n <= float64(len(f.data)) && endsHere(f.data[start+int(n):]) {
				at = start + int(n)
			} else {
				at = f.ends.from(start)
			}
		}
	}
}

func (f *file) trailer(v any) {
	if d, ok := v.(dict); ok && len(f.trailers) < 1000 {
		f.trailers = append(f.trailers, d)
		f.encrypted = f.encrypted || d["Encrypt"] != nil
	}
}

// endsHere tells whether a stream ends where data begin.
func endsHere(data []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(data[:min(len(data), 32)], "\r\n \t"), []byte("endstream"))
}

// headerBefore reads the number of an object backwards from its "obj": 12 0 obj.
func headerBefore(data []byte, at int) (int, bool) {
	i := at - 1
	back := func(is func(byte) bool) string {
		end := i + 1
		for i >= 0 && end-i < 12 && is(data[i]) {
			i--
		}
		return string(data[i+1 : end])
	}
	back(isSpace) // programs exist that leave it out
	if back(isDigit) == "" || back(isSpace) == "" {
		return 0, false
	}
	digits := back(isDigit)
	if digits == "" || len(digits) > 9 {
		return 0, false
	}
	n := 0
	for _, c := range digits {
		n = 10*n + int(c-'0')
	}
	return n, n > 0
}

// unpackObjects finds the objects that lie in streams.
func (f *file) unpackObjects() {
	f.packed = map[int][]byte{}
	var numbers []int
	for n := range f.objects {
		numbers = append(numbers, n)
	}
	slices.SortFunc(numbers, func(a, b int) int { return f.objects[a].at - f.objects[b].at })
	for _, n := range numbers {
		s, ok := f.object(n).(stream)
		if !ok || s.dict["Type"] != name("ObjStm") || f.ctx.Err() != nil {
			continue
		}
		data := f.unpack(s)
		first, _ := f.resolve(s.dict["First"]).(float64)
		count, _ := f.resolve(s.dict["N"]).(float64)
		if first <= 0 || first > float64(len(data)) || count <= 0 {
			continue
		}
		f.packed[n] = data
		l := lexer{data: data[:int(first)]}
		for range min(int(min(count, maxObjects)), len(data)) {
			number, ok1 := l.value(0).(float64)
			offset, ok2 := l.value(0).(float64)
			if !ok1 || !ok2 || len(f.objects) >= maxObjects {
				break
			}
			at := first + offset
			if number <= 0 || number > 1e9 || offset < 0 || at >= float64(len(data)) {
				continue
			}
			if old, there := f.objects[int(number)]; there && old.stream == 0 && old.at > f.objects[n].at {
				continue // replaced by a later one outside
			}
			f.objects[int(number)] = found{at: int(at), stream: n}
			delete(f.cache, int(number))
		}
	}
}

// object returns an object by its number; nil when it is not there.
func (f *file) object(n int) any {
	if v, ok := f.cache[n]; ok {
		return v
	}
	where, ok := f.objects[n]
	if !ok {
		return nil
	}
	data := f.data
	if where.stream != 0 {
		data = f.packed[where.stream]
	}
	if where.at > len(data) {
		return nil
	}
	f.cache[n] = nil // a length that refers to its own stream
	v, l := f.parse(data, where.at)
	if d, ok := v.(dict); ok && where.stream == 0 {
		if start, ok := l.streamStart(); ok {
			v = stream{d, f.streamData(d, start)}
		}
	}
	f.cache[n] = v
	return v
}

// streamData returns the bytes of a stream, packed: as long as it says, if that is
// where it ends, and up to its end otherwise.
func (f *file) streamData(d dict, start int) []byte {
	rest := f.data[start:]
	if n, ok := f.resolve(d["Length"]).(float64); ok && n >= 0 && n <= float64(len(rest)) {
		if endsHere(rest[int(n):]) {
			return rest[:int(n)]
		}
	}
	ends := finder{data: f.data, word: f.ends.word}
	if f.work -= len(rest) / 16; f.work > 0 {
		return f.data[start:ends.from(start)]
	}
	return nil
}

// resolve follows references.
func (f *file) resolve(v any) any {
	for range maxChain {
		r, ok := v.(ref)
		if !ok {
			return v
		}
		v = f.object(int(r))
	}
	return nil
}

func (f *file) dict(v any) dict {
	switch v := f.resolve(v).(type) {
	case dict:
		return v
	case stream:
		return v.dict
	}
	return nil
}

func (f *file) array(v any) []any {
	a, _ := f.resolve(v).([]any)
	return a
}

func (f *file) number(v any, otherwise float64) float64 {
	if n, ok := f.resolve(v).(float64); ok {
		return n
	}
	return otherwise
}

func (f *file) title() string {
	for _, t := range slices.Backward(f.trailers) {
		if s, ok := f.resolve(f.dict(t["Info"])["Title"]).(text); ok {
			if title := strings.Join(strings.Fields(decodeText([]byte(s))), " "); title != "" {
				return title
			}
		}
	}
	return ""
}

// decodeText reads a text string: UTF-16 with its mark, UTF-8 with its mark, or
// nearly the western code page.
func decodeText(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte{0xfe, 0xff}):
		return utf16BE(b[2:])
	case bytes.HasPrefix(b, []byte{0xef, 0xbb, 0xbf}):
		return strings.ToValidUTF8(string(b[3:]), "")
	}
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(Windows1252(c))
	}
	return s.String()
}

func utf16BE(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(units))
}

// A page is a page with what it inherits.
type page struct {
	dict      dict
	resources any
	box       [4]float64 // left, bottom, right, top; all 0: unknown
}

// pages returns the pages in order: by the tree, or, when that is damaged, by the
// numbers of the objects.
func (f *file) pages(most int) []page {
	var out []page
	visited := map[int]bool{}
	var walk func(v any, above page, depth int)
	walk = func(v any, above page, depth int) {
		if depth > maxNesting || len(out) >= most || f.ctx.Err() != nil {
			return
		}
		if r, ok := v.(ref); ok {
			if visited[int(r)] {
				return
			}
			visited[int(r)] = true
		}
		d := f.dict(v)
		if d == nil {
			return
		}
		p := f.inherit(d, above)
		if kids := f.array(d["Kids"]); kids != nil && d["Type"] != name("Page") {
			for _, k := range kids {
				walk(k, p, depth+1)
			}
			return
		}
		out = append(out, p)
	}
	for _, t := range slices.Backward(f.trailers) {
		if root := f.dict(t["Root"]); root["Pages"] != nil {
			walk(root["Pages"], page{}, 0)
			break
		}
	}
	if len(out) > 0 {
		return out
	}
	var numbers []int
	for n := range f.objects {
		numbers = append(numbers, n)
	}
	slices.Sort(numbers)
	for _, n := range numbers {
		if d, ok := f.object(n).(dict); ok && d["Type"] == name("Page") && len(out) < most {
			out = append(out, f.inherit(d, f.inherit(f.dict(d["Parent"]), page{})))
		}
	}
	return out
}

func (f *file) inherit(d dict, above page) page {
	p := page{dict: d, resources: above.resources, box: above.box}
	if d["Resources"] != nil {
		p.resources = d["Resources"]
	}
	for _, key := range []string{"MediaBox", "CropBox"} {
		if box := f.array(d[key]); len(box) == 4 {
			a, b, c, e := f.number(box[0], 0), f.number(box[1], 0), f.number(box[2], 0), f.number(box[3], 0)
			p.box = [4]float64{min(a, c), min(b, e), max(a, c), max(b, e)}
		}
	}
	return p
}

// Windows1252 returns the character of a byte in the western code page of Windows.
func Windows1252(c byte) rune {
	if c < 0x80 || c >= 0xa0 {
		return rune(c)
	}
	if r := []rune("€\x81‚ƒ„…†‡ˆ‰Š‹Œ\x8dŽ\x8f\x90‘’“”•–—˜™š›œ\x9džŸ")[c-0x80]; r != utf8.RuneError {
		return r
	}
	return rune(c)
}
