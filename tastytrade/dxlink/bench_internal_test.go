package dxlink

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"
)

// quoteMessage is a FEED_DATA message with n quotes of as many symbols, with all
// fields of a quote.
func quoteMessage(n int) []byte {
	var b strings.Builder
	b.WriteString(`{"type":"FEED_DATA","channel":1,"data":["Quote",[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"Quote","SYM` + strconv.Itoa(i) + `",0,0,0,1789000000` + strconv.Itoa(100+i) + `,"Q",` + strconv.FormatFloat(512.25+float64(i)/100, 'f', -1, 64) +
			`,300,1789000000123,"N",` + strconv.FormatFloat(512.27+float64(i)/100, 'f', -1, 64) + `,400`)
	}
	b.WriteString(`]]}`)
	return []byte(b.String())
}

// counting takes quotes and does nothing.
type counting struct{ n int }

func (c *counting) owner() sink            { return c }
func (c *counting) buffer() *buffer[Quote] { return nil }
func (c *counting) gap(Gap)                {}
func (c *counting) end(error)              {}
func (c *counting) refused(error)          {}
func (c *counting) offer(*Quote, place)    { c.n++ }

func quoteDecoder(n int, to receiver[Quote]) *decoder {
	t := newTable[Quote]()
	symbols := make([]string, n)
	for i := range symbols {
		symbols[i] = "SYM" + strconv.Itoa(i)
	}
	t.add(symbols, 0, "", func(string) receiver[Quote] { return to })
	return &decoder{tables: map[string]kindTable{"Quote": t}}
}

func decodeByHand(b *testing.B, d *decoder, message []byte) {
	_, at, ok := feedData(message)
	if !ok {
		b.Fatal("not the quick way")
	}
	if end, err := d.data(message, at); err != nil || !ends(message, end) {
		b.Fatal(err)
	}
	d.commit()
}

// decodeByJSON is the best that encoding/json does for the same structs without
// knowing in advance what a message holds: one pass over it. Reading the type of
// the message first, as a client must, costs half as much again.
func decodeByJSON(b *testing.B, message []byte, emit func(*Quote)) {
	var m struct {
		Type    string `json:"type"`
		Channel int    `json:"channel"`
		Data    []any  `json:"data"`
	}
	if err := json.Unmarshal(message, &m); err != nil || m.Type != "FEED_DATA" {
		b.Fatal(err)
	}
	data := m.Data
	at := func(v any) time.Time { return milliseconds(int64(v.(float64))) }
	for i := 0; i+1 < len(data); i += 2 {
		v := data[i+1].([]any)
		for ; len(v) >= 13; v = v[13:] {
			q := Quote{
				Symbol: v[1].(string), Time: at(v[2]), Sequence: int64(v[3].(float64)), TimeNanoPart: int64(v[4].(float64)),
				BidTime: at(v[5]), BidExchange: v[6].(string), Bid: v[7].(float64), BidSize: v[8].(float64),
				AskTime: at(v[9]), AskExchange: v[10].(string), Ask: v[11].(float64), AskSize: v[12].(float64),
			}
			emit(&q)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{20, 200} {
		message := quoteMessage(n)
		b.Run("scanner/"+strconv.Itoa(n), func(b *testing.B) {
			var c counting
			d := quoteDecoder(n, &c)
			b.ReportAllocs()
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				decodeByHand(b, d, message)
			}
			b.ReportMetric(float64(c.n)/b.Elapsed().Seconds(), "quotes/s")
		})
		b.Run("encoding-json/"+strconv.Itoa(n), func(b *testing.B) {
			c := 0
			b.ReportAllocs()
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				decodeByJSON(b, message, func(*Quote) { c++ })
			}
			b.ReportMetric(float64(c)/b.Elapsed().Seconds(), "quotes/s")
		})
	}
	// The ratio of the ways in turns, so that a busy machine slows all of them.
	b.Run("ratio/20", func(b *testing.B) {
		message := quoteMessage(20)
		var c counting
		d, p := quoteDecoder(20, &c), newPrepared(20)
		took := [3]time.Duration{}
		for b.Loop() {
			for i, way := range []func(){
				func() { decodeByHand(b, d, message) },
				func() { decodeByJSON(b, message, func(*Quote) { c.n++ }) },
				func() { p.decode(b, message, func(*Quote) { c.n++ }) },
			} {
				start := time.Now()
				for range 100 {
					way()
				}
				took[i] += time.Since(start)
			}
		}
		b.ReportMetric(float64(took[1])/float64(took[0]), "times-faster")
		b.ReportMetric(float64(took[2])/float64(took[0]), "times-faster-than-prepared")
	})
}

// A prepared has a place for every value of a message of n quotes, which
// encoding/json fills through pointers. It is faster than any client can be that
// uses encoding/json: it must know how many quotes come and in which order their
// fields are, and fails at the first "NaN".
type prepared struct {
	kind   string
	quotes []Quote
	kinds  []string
	times  [][3]int64
	values []any
}

func newPrepared(n int) *prepared {
	p := &prepared{quotes: make([]Quote, n), kinds: make([]string, n), times: make([][3]int64, n)}
	for i := range p.quotes {
		q, t := &p.quotes[i], &p.times[i]
		p.values = append(p.values, &p.kinds[i], &q.Symbol, &t[0], &q.Sequence, &q.TimeNanoPart,
			&t[1], &q.BidExchange, &q.Bid, &q.BidSize, &t[2], &q.AskExchange, &q.Ask, &q.AskSize)
	}
	return p
}

func (p *prepared) decode(b *testing.B, message []byte, emit func(*Quote)) {
	values := p.values
	m := struct {
		Type    string `json:"type"`
		Channel int    `json:"channel"`
		Data    [2]any `json:"data"`
	}{Data: [2]any{&p.kind, &values}}
	if err := json.Unmarshal(message, &m); err != nil || m.Type != "FEED_DATA" || p.quotes[0].Bid == 0 {
		b.Fatal(err)
	}
	for i := range p.quotes {
		q, t := &p.quotes[i], &p.times[i]
		q.Time, q.BidTime, q.AskTime = milliseconds(t[0]), milliseconds(t[1]), milliseconds(t[2])
		emit(q)
	}
}

func TestDecodingQuotesAllocatesNothing(t *testing.T) {
	message := quoteMessage(100)
	var c counting
	d := quoteDecoder(100, &c)
	got := testing.AllocsPerRun(100, func() {
		_, at, _ := feedData(message)
		if _, err := d.data(message, at); err != nil {
			t.Fatal(err)
		}
		d.commit()
	})
	if got != 0 || c.n != 101*100 {
		t.Errorf("%v allocations a message, %d quotes", got, c.n)
	}
}
