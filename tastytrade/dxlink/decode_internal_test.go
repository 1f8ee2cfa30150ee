package dxlink

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
)

// FuzzDecode checks that no message makes the decoder panic or invent records.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`["Quote",["Quote","SPY",0,0,0,"Q",1.5,100,0,"Q",1.6,100]]`, `[{"eventType":"Trade","eventSymbol":"SPY","price":"NaN"}]`,
		`["Quote",[]]`, `["Quote"]`, `[["Quote"]]`, `[null]`, `{}`, `["Candle",[1,2]]`, `["X",[1]]`, `[{"eventType":"Candle","index":9223372036854775807}]`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n := 0
		_ = decodeData(json.RawMessage(text), wantedFields(), func(kind string, r record) {
			n++
			if newRecord(kind) == nil || r.event() == nil {
				t.Errorf("a record of kind %q", kind)
			}
		})
		if n > strings.Count(text, "{")+strings.Count(text, ",")/len(quoteFields)+1 {
			t.Errorf("%d records from %d bytes", n, len(text))
		}
	})
}

func TestValuesThatAreNotWhatTheyShouldBeAreUnknown(t *testing.T) {
	for _, v := range []any{nil, true, "x", "", map[string]any{}, []any{1}} {
		x := value{v}
		if !math.IsNaN(x.float()) || x.int() != 0 || !x.time().IsZero() {
			t.Errorf("%v is read as %v, %v, %v", v, x.float(), x.int(), x.time())
		}
	}
	if got := (value{"\x00"}).code(); got != "" {
		t.Errorf("an empty exchange code is read as %q", got)
	}
	if got := (value{json.Number("1e3")}).int(); got != 1000 {
		t.Errorf("1e3 is read as %d", got)
	}
}

func BenchmarkDecodeCompact(b *testing.B) {
	var text strings.Builder
	text.WriteString(`["Quote",[`)
	for i := range 100 {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(`"Quote","SYM` + strconv.Itoa(i) + `",0,0,1789000000000,"Q",512.25,300,1789000000000,"N",512.27,400`)
	}
	text.WriteString(`]]`)
	data, fields := json.RawMessage(text.String()), wantedFields()
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		if err := decodeData(data, fields, func(string, record) { n++ }); err != nil || n != 100 {
			b.Fatal(n, err)
		}
	}
}
