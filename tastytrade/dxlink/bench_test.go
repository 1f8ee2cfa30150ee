package dxlink_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// perMessage is how many quotes one message of the benchmarks has: about 16 KB.
const perMessage = 200

// quoteBatch is a message with the quotes of 200 symbols, with all fields.
func quoteBatch(channel int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, `{"type":"FEED_DATA","channel":%d,"data":["Quote",[`, channel)
	for i := range perMessage {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `"Quote","SYM%d",0,0,0,%d,"Q",%v,300,1789000000123,"N",%v,400`, i, 1789000000100+i, 512.25+float64(i)/100, 512.27+float64(i)/100)
	}
	b.WriteString(`]]}`)
	return []byte(b.String())
}

// overTCP dials a server on loopback that runs send for each subscription, and
// subscribes to all symbols.
func overTCP(b *testing.B, policy dxlink.Policy, send func(c *fakeConn, message []byte)) *dxlink.Subscription[dxlink.Quote] {
	f := &fake{tokens: []string{"token"}, keepalive: 60, silent: true, subscribe: func(c *fakeConn, channel int, add []entry) {
		if len(add) > 0 && add[0].Symbol == "SYM0" {
			send(c, quoteBatch(channel))
		}
	}}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	conn, err := dxlink.Dial(b.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		b.Fatal(err)
	}
	symbols := make([]string, perMessage)
	for i := range symbols {
		symbols[i] = "SYM" + strconv.Itoa(i)
	}
	quotes, err := dxlink.SubscribeWith[dxlink.Quote](b.Context(), conn, &dxlink.SubscriptionOptions{Policy: policy}, symbols...)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = quotes.Close()
		_ = conn.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return quotes
}

// BenchmarkSocketToHandler is the way of every quote from a loopback socket to
// the loop over Events, the sender on the same cores; -cpu 1 gives what one core
// does for both.
func BenchmarkSocketToHandler(b *testing.B) {
	quotes := overTCP(b, dxlink.Block, func(c *fakeConn, message []byte) {
		for c.raw(message) == nil {
		}
	})
	b.ReportAllocs()
	b.ResetTimer()
	n, sum := 0, 0.0
	for q, err := range quotes.Events() {
		if err != nil {
			b.Fatal(err)
		}
		sum += q.Bid
		if n++; n >= b.N {
			break
		}
	}
	b.StopTimer()
	if sum == 0 {
		b.Fatal("no prices")
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkBurst measures the delay of each of 10,000 quotes that come at once,
// from before the first is written until the handler has it.
func BenchmarkBurst(b *testing.B) {
	const messages = 50
	bursts := make(chan struct{})
	defer close(bursts)
	quotes := overTCP(b, dxlink.KeepAll, func(c *fakeConn, message []byte) {
		for range bursts {
			for range messages {
				if c.raw(message) != nil {
					return
				}
			}
		}
	})
	delays := make([]time.Duration, 0, b.N*messages*perMessage)
	n := 0
	b.ResetTimer()
	start := time.Now()
	bursts <- struct{}{}
	for _, err := range quotes.Events() {
		if err != nil {
			b.Fatal(err)
		}
		delays = append(delays, time.Since(start))
		if len(delays)%(messages*perMessage) == 0 {
			if n++; n >= b.N {
				break
			}
			start = time.Now()
			bursts <- struct{}{}
		}
	}
	b.StopTimer()
	slices.Sort(delays)
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(delays[len(delays)*p/100].Microseconds()), fmt.Sprintf("p%d-us", p))
	}
	b.ReportMetric(0, "ns/op")
	if d := quotes.Dropped(); d > 0 {
		b.Fatal("dropped", d)
	}
}
