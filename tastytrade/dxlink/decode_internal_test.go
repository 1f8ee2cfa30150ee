package dxlink

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A collector keeps every event of its kind.
type collector[T Event] struct{ to *[]string }

func (c *collector[T]) owner() sink        { return c }
func (c *collector[T]) buffer() *buffer[T] { return nil }
func (c *collector[T]) gap(Gap)            {}
func (c *collector[T]) refused(error)      {}
func (c *collector[T]) end(error)          {}
func (c *collector[T]) offer(e *T, _ place) {
	*c.to = append(*c.to, kindOf[T]()+fmt.Sprintf("%+v", *e))
}

func collecting[T Event](to *[]string) kindTable {
	t := newTable[T]()
	t.add([]string{"*"}, 0, "", func(string) receiver[T] { return &collector[T]{to} })
	return t
}

// everyKind returns a decoder of all kinds and all symbols.
func everyKind(to *[]string) *decoder {
	d := &decoder{tables: map[string]kindTable{}}
	for _, t := range []kindTable{
		collecting[Quote](to), collecting[Trade](to), collecting[TradeETH](to), collecting[Summary](to), collecting[Profile](to),
		collecting[Greeks](to), collecting[TheoPrice](to), collecting[Underlying](to), collecting[Series](to), collecting[TimeAndSale](to),
		collecting[Candle](to), collecting[OptionSale](to), collecting[Order](to), collecting[SpreadOrder](to), collecting[AnalyticOrder](to),
		collecting[Configuration](to), collecting[Message](to),
	} {
		d.tables[t.kind()] = t
	}
	return d
}

// read decodes the data of one message.
func (d *decoder) read(data string) error {
	end, err := d.data([]byte(data), 0)
	s := scanner{b: []byte(data), i: end}
	if err == nil && (s.next() != 0 || s.i < len(data)) {
		err = errors.New("more behind the data")
	}
	if err != nil {
		d.discard()
		return err
	}
	d.commit()
	return nil
}

// The reference decodes with encoding/json and reads its values in a way of its
// own.

type reference struct {
	kind string
	make func() (e any, fields []field)
}

func referenceOf[T Event]() reference {
	return reference{kindOf[T](), func() (any, []field) {
		e := new(T)
		fields := shapeOf(e).fields
		blank(fields)
		return e, fields
	}}
}

var references = []reference{
	referenceOf[Quote](), referenceOf[Trade](), referenceOf[TradeETH](), referenceOf[Summary](), referenceOf[Profile](), referenceOf[Greeks](),
	referenceOf[TheoPrice](), referenceOf[Underlying](), referenceOf[Series](), referenceOf[TimeAndSale](), referenceOf[Candle](),
	referenceOf[OptionSale](), referenceOf[Order](), referenceOf[SpreadOrder](), referenceOf[AnalyticOrder](), referenceOf[Configuration](),
	referenceOf[Message](),
}

func referenceDecode(data string, layout map[string][]string) (out []string, err error) {
	var elems []json.RawMessage
	if err := json.Unmarshal([]byte(data), &elems); err != nil {
		return nil, err
	}
	if elems == nil {
		return nil, errors.New("no array")
	}
	build := func(kind string, values map[string]json.RawMessage) {
		for _, r := range references {
			if r.kind != kind {
				continue
			}
			e, fields := r.make()
			for _, f := range fields {
				if v, ok := values[f.name]; ok {
					referenceAssign(f, v)
				}
			}
			out = append(out, kind+strings.TrimPrefix(fmt.Sprintf("%+v", e), "&"))
		}
	}
	for i := 0; i < len(elems); i++ {
		switch elems[i][0] {
		case '{':
			var values map[string]json.RawMessage
			if err := json.Unmarshal(elems[i], &values); err != nil {
				return nil, err
			}
			var kind any
			if v, ok := values["eventType"]; ok {
				_ = json.Unmarshal(v, &kind)
			}
			name, _ := kind.(string)
			build(name, values)
		case '"':
			var kind string
			_ = json.Unmarshal(elems[i], &kind)
			if i++; i == len(elems) || elems[i][0] != '[' {
				return nil, errors.New("no values")
			}
			var values []json.RawMessage
			_ = json.Unmarshal(elems[i], &values)
			names, known := layout[kind]
			if !known {
				continue
			}
			if len(names) == 0 || len(values)%len(names) != 0 {
				return nil, errors.New("no records")
			}
			for record := range slices.Chunk(values, len(names)) {
				m := map[string]json.RawMessage{}
				for n, v := range record {
					m[names[n]] = v
				}
				build(kind, m)
			}
		default:
			return nil, errors.New("neither")
		}
	}
	return out, nil
}

func referenceAssign(f field, v json.RawMessage) {
	d := json.NewDecoder(bytes.NewReader(v))
	d.UseNumber()
	var x any
	_ = d.Decode(&x)
	word := ""
	switch x := x.(type) {
	case string:
		word = x
	case json.Number:
		word = x.String()
	}
	number := math.NaN()
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		number = n
	}
	whole, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		if whole = 0; math.Abs(number) < 1<<53 {
			whole = int64(number)
		}
	}
	switch f.op {
	case opFloat:
		*f.float = number
	case opInt:
		*f.int = whole
	case opFlags:
		*f.flags = EventFlags(whole)
	case opTime:
		if whole > 0 {
			*f.time = time.UnixMilli(whole).UTC()
		}
	case opText, opSymbol:
		*f.text = word
	case opCode:
		*f.text = strings.TrimPrefix(word, "\x00")
		if word != "\x00" {
			*f.text = word
		}
	case opBool:
		*f.bool = x == true || word == "true"
	case opRaw:
		if x != nil {
			*f.raw = v
		}
	}
}

// layouts are the orders of fields that the tests decode with.
func layouts(n byte) map[string][]string {
	out := map[string][]string{}
	for _, r := range references {
		_, fields := r.make()
		var names []string
		for _, f := range fields {
			names = append(names, f.name)
		}
		switch n % 4 {
		case 1:
			slices.Reverse(names)
		case 2:
			names = append(names[1:min(5, len(names))], "unknownField")
		case 3:
			names = []string{"eventSymbol"}
		}
		out[r.kind] = names
	}
	return out
}

var decodeSeeds = []string{
	`["Quote",["Quote","SPY",0,0,0,0,"Q",1.5,100,0,"Q",1.6,100]]`, `[{"eventType":"Trade","eventSymbol":"SPY","price":"NaN"}]`,
	`["Quote",[]]`, `["Quote"]`, `[["Quote"]]`, `[null]`, `{}`, `null`, `["Candle",[1,2]]`, `["X",[1]]`, `["X",1]`, `["X",[1,{"a":"]"}]]`,
	`[{"eventType":"Candle","index":9223372036854775807,"eventFlags":4}]`, `[{"eventType":"Candle","index":-9223372036854775808.0}]`,
	`[{"eventType":"Greeks","eventSymbol":"A","delta":-0,"gamma":-0.0,"theta":0.1234567890123456789,"rho":1e-3,"vega":"-Infinity","index":7300000000000000123}]`,
	`["Quote",["A",1,2,3,"unknown"] ]`, `["Quote",["A","B"],"Trade",["C"],"Quote",["D"]]`, ` [ "Quote" , [ "A" , "B" ] ] `,
	`["Quote",["\u0041\ud83d\ude00","é","\u0000",""]]`, `["Quote",[01]]`, `["Quote",[1.]]`, `["Quote",[-]]`, `["Quote",[1e400]]`, `["Quote",["a` + "\x01" + `"]]`,
	`[{"eventType":"TimeAndSale","eventSymbol":"A","exchangeCode":"\u0000","tradeThroughExempt":"\u0000","spreadLeg":true,"validTick":"true","type":"NEW","buyer":null}]`,
	`[{"eventType":"Message","eventSymbol":"A","attachment":{"x":[1,2,{"y":"}"}]}}]`, `[{"eventType":"Configuration","eventSymbol":"A","attachment":null,"version":2}]`,
	`[{"eventType":"Quote","eventType":"Trade","eventSymbol":"X","price":1}]`, `[{"eventType":"Quote","eventSymbol":{"a":1},"bidPrice":[1],"bidTime":true}]`,
	`["Quote",["A"]]x`, `["Quote",["A"],]`, `["Quote",["A",]]`, `["Quote",[12345678901234567890,0.000000000000000001,9007199254740993,99999999999999999]]`,
	"[\"Quote\",[\"\",0,0,0,\"\x18\"]]",
	`["Order",["0x1p-2","1_000","inf","+1","NaN"]]`,
}

// FuzzDecode holds the scanner to encoding/json: both refuse a message, or both
// find the same events in it.
func FuzzDecode(f *testing.F) {
	for i, seed := range decodeSeeds {
		f.Add(seed, byte(i))
		f.Add(seed, byte(0))
		f.Add(seed, byte(3))
	}
	f.Fuzz(func(t *testing.T, text string, layout byte) {
		if len(text) > 4096 {
			return // encoding/json has a limit on nesting that messages never come near
		}
		var got []string
		d := everyKind(&got)
		names := layouts(layout)
		for kind, table := range d.tables {
			table.configure(names[kind])
		}
		err := d.read(text)
		want, wantErr := referenceDecode(text, names)
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%q: the scanner says %v, encoding/json %v", text, err, wantErr)
		}
		byKind := func(a, b string) int { // the order holds within a kind
			return strings.Compare(a[:strings.Index(a, "{")], b[:strings.Index(b, "{")])
		}
		slices.SortStableFunc(got, byKind)
		slices.SortStableFunc(want, byKind)
		if err == nil && !slices.Equal(got, want) {
			t.Fatalf("%q:\n%q\n%q", text, got, want)
		}
		if err != nil && len(got) > 0 {
			t.Fatalf("%q is refused and gives %q", text, got)
		}
	})
}

// FuzzMessage checks that no message makes a connection panic, and that the
// quick way to the data is the way of encoding/json.
func FuzzMessage(f *testing.F) {
	for _, seed := range []string{
		`{"type":"FEED_DATA","channel":1,"data":["Quote",["A"]]}`, `{"channel":1,"type":"FEED_DATA","data":[]}`, `{"type":"FEED_DATA","channel":1,"data":[],"x":1}`,
		`{"type":"FEED_DATA","channel":1,"channel":3,"data":[]}`, `{"type":"FEED_DATA","channel":1e1,"data":[]}`, `{"type":"FEED_DATA","data":[],"channel":1}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		channel, at, ok := feedData([]byte(text))
		var m inbound
		if json.Unmarshal([]byte(text), &m) != nil || !ok {
			return
		}
		s := scanner{b: []byte(text), i: at}
		if v, err := s.token(); err != nil || !ends(s.b, s.i) {
			return
		} else if m.Type != "FEED_DATA" || m.Channel != channel || !bytes.Equal(v.raw, m.Data) {
			t.Fatalf("%q: channel %d, data %q", text, channel, v.raw)
		}
	})
}

func TestAMessageCountsAsAWholeOrNotAtAll(t *testing.T) {
	var got []string
	d := everyKind(&got)
	d.tables["Quote"].configure([]string{"eventSymbol", "bidPrice"})
	require.Error(t, d.read(`["Quote",["A",1,"B",2],"Quote",["C"]]`))
	require.Error(t, d.read(`["Quote",["A",1,"B",2]`))
	assert.Empty(t, got)
	require.NoError(t, d.read(`["Quote",["A",1,"B",2]]`))
	assert.Len(t, got, 2)
}

func TestEveryFieldOfEveryKindIsRead(t *testing.T) {
	for _, r := range references {
		_, fields := r.make()
		values, object := make([]string, len(fields)), make([]string, len(fields))
		for i, f := range fields {
			switch f.op {
			case opKind:
				values[i] = `"` + r.kind + `"`
			case opSymbol:
				values[i] = `"SYM"`
			case opCode:
				values[i] = `"Q"`
			case opText:
				values[i] = `"text ` + strconv.Itoa(i) + `"`
			case opBool:
				values[i] = "true"
			case opRaw:
				values[i] = `{"n":1}`
			case opFlags:
				values[i] = "5"
			case opTime, opInt:
				values[i] = strconv.Itoa(1_789_000_000_000 + i)
			case opFloat:
				values[i] = strconv.Itoa(i) + ".25"
			}
			object[i] = `"` + f.name + `":` + values[i]
		}
		var compact, full []string
		require.NoError(t, everyKind(&compact).read(`["`+r.kind+`",[`+strings.Join(values, ",")+`]]`))
		require.NoError(t, everyKind(&full).read(`[{`+strings.Join(object, ",")+`}]`))
		require.Len(t, compact, 1)
		assert.Equal(t, compact, full, "both formats say the same")
		// Every value of the wire has its own place: nothing of a blank event is left.
		assert.NotContains(t, compact[0], "NaN", r.kind)
		for i, f := range fields {
			if f.op == opFloat {
				assert.Contains(t, compact[0], strconv.Itoa(i)+".25", "%s.%s", r.kind, f.name)
			}
			if f.op == opText {
				assert.Contains(t, compact[0], "text "+strconv.Itoa(i), "%s.%s", r.kind, f.name)
			}
		}
	}
}

func TestNumbersOfAllKinds(t *testing.T) {
	// Values whose decimal form does not fit the quick way, from Go's own tests of
	// strconv.ParseFloat and the limits of the types.
	for _, tt := range []struct {
		wire string
		want float64
	}{
		{"0", 0}, {"-1.5", -1.5}, {"512.25", 512.25}, {"0.1", 0.1}, {"123456789.123456789", 123456789.123456789},
		{"9007199254740993", 9007199254740992}, {"9007199254740992.5", 9007199254740992}, {"1e23", 1e23}, {"1E-7", 1e-7}, {"5e-324", 5e-324},
		{"1.7976931348623157e308", math.MaxFloat64}, {`"12.5"`, 12.5}, {`"Infinity"`, math.Inf(1)}, {`"-Infinity"`, math.Inf(-1)},
		{"0.000000000000000001", 1e-18}, {"1090544134637867.6", 1090544134637867.6},
	} {
		var v float64
		f := float("x", &v)
		s := scanner{b: []byte(tt.wire + ",")}
		require.NoError(t, s.value(&f))
		assert.Equal(t, tt.want, v, tt.wire)
		assert.Equal(t, len(tt.wire), s.i)
	}
	for _, wire := range []string{`"NaN"`, `"x"`, `""`, "null", "true", "{}", "[1]", "1e999"} {
		var v float64
		var n int64 = 7
		f, g := float("x", &v), integer("x", &n)
		s := scanner{b: []byte(wire + ",")}
		require.NoError(t, s.value(&f))
		assert.True(t, math.IsNaN(v), "%s is unknown, not %v", wire, v)
		s.i = 0
		require.NoError(t, s.value(&g))
		assert.Zero(t, n, wire)
	}
	for wire, want := range map[string]int64{"9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "7300000000000000123": 7300000000000000123, "1e3": 1000, `"42"`: 42} {
		var n int64
		f := integer("x", &n)
		s := scanner{b: []byte(wire + ",")}
		require.NoError(t, s.value(&f))
		assert.Equal(t, want, n, "beyond what a float64 holds")
	}
}

func TestAServerThatInventsStringsDoesNotFillTheMemory(t *testing.T) {
	tab := newTable[Trade]()
	tab.configure([]string{"eventSymbol", "tickDirection"})
	tab.add([]string{"SPY{=d}"}, 0, "", func(string) receiver[Trade] { return &collector[Trade]{new([]string)} })
	d := &decoder{tables: map[string]kindTable{"Trade": tab}}
	for i := range 10_000 {
		require.NoError(t, d.read(fmt.Sprintf(`["Trade",["SPY{=d,,%d}","text %d","X%d","y"]]`, i, i, i)))
	}
	assert.LessOrEqual(t, len(d.scanner.texts), mostTexts)
	assert.LessOrEqual(t, len(tab.wire), 32)
}

func TestEightDigitsAtOnce(t *testing.T) {
	for _, n := range []int{0, 1, 12345678, 99999999, 90000009, 10000000} {
		got, length := eight(binary.LittleEndian.Uint64(fmt.Appendf(nil, "%08d", n)))
		assert.Equal(t, 8, length)
		assert.Equal(t, uint64(n), got)
	}
	for at := range 8 { // every other byte in every place
		for c := range 256 {
			if c >= '0' && c <= '9' {
				continue
			}
			for _, rest := range []string{"99999999", "00000000", "\xff\xff\xff\xff\xff\xff\xff\xff", "////////"} {
				w := []byte("12345678"[:at] + string([]byte{byte(c)}) + rest)
				want, _ := strconv.Atoi("12345678"[:at])
				got, length := eight(binary.LittleEndian.Uint64(w))
				assert.Equal(t, at, length, "%q", w)
				assert.Equal(t, uint64(want), got, "%q", w)
			}
		}
	}
}

func TestStringsEndWhereTheyEnd(t *testing.T) {
	for n := range 20 {
		for c := range 256 {
			for at := range n + 1 {
				b := []byte(`"` + strings.Repeat("x", n) + `",0,0,0`)
				b[1+at] = byte(c)
				from, to := quickString(b, 0)
				wantFrom, wantTo := 0, 0
				for i := 1; i < len(b); i++ {
					if b[i] == '"' {
						wantFrom, wantTo = 1, i
						break
					}
					if b[i] < ' ' || b[i] >= 0x80 || b[i] == '\\' {
						break
					}
				}
				require.Equal(t, []int{wantFrom, wantTo}, []int{from, to}, "%q", b)
			}
		}
	}
	for c := range 128 {
		assert.Equal(t, string(rune(c)), ascii[c:c+1])
	}
}
