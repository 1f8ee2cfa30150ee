package dxlink_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// exampleStream stands in for dxFeed: every symbol is bid 100, asked 101.5, has
// three daily candles, and .SPY261218C500 is an option of delta 0.5.
func exampleStream() (url string, stop func()) {
	answer := func(c *fakeConn, channel int, add []entry) {
		for _, e := range add {
			switch {
			case e.Type == "Candle":
				c.config(channel, candleFields)
				c.data(channel, "Candle", append(bar(e.Symbol, begin, 2, 503), bar(e.Symbol, 0, 1, 502)...))
				c.data(channel, "Candle", bar(e.Symbol, end, 0, 501))
				c.data(channel, "Candle", bar(e.Symbol, 0, 2, 504))
			case e.Type == "Greeks" && e.Symbol == ".SPY261218C500":
				c.config(channel, map[string][]string{"Greeks": {"eventSymbol", "delta", "volatility"}})
				c.data(channel, "Greeks", []any{e.Symbol, 0.5, 0.21})
			}
		}
		quoting(c, channel, add)
	}
	book := func(c *fakeConn, channel int, _ message) {
		c.send(message{"type": "DOM_SNAPSHOT", "channel": channel, "time": 1710262466056,
			"bids": []message{{"price": 172.33, "size": 376}, {"price": 172.32, "size": 381}}, "asks": []message{{"price": 172.34, "size": 165}}})
	}
	f := &fake{tokens: []string{"token"}, keepalive: 60, silent: true, subscribe: answer, depth: book}
	server := httptest.NewServer(http.HandlerFunc(f.serve))
	return "ws" + strings.TrimPrefix(server.URL, "http"), server.Close
}

func ExampleSubscribe() {
	url, stop := exampleStream()
	defer stop()
	ctx := context.Background()
	conn, err := dxlink.Dial(ctx, url, func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	quotes, err := dxlink.Subscribe[dxlink.Quote](ctx, conn, "SPY")
	if err != nil {
		log.Fatal(err)
	}
	defer quotes.Close()
	for q, err := range quotes.Events() {
		if err != nil {
			log.Fatal(err) // why the stream ended
		}
		fmt.Println(q.Symbol, q.Bid, q.Ask)
		break
	}
	// Output: SPY 100 101.5
}

// A consumer that must see every trade keeps them all and watches for gaps.
func ExampleSubscribeWith() {
	url, stop := exampleStream()
	defer stop()
	ctx := context.Background()
	conn, err := dxlink.Dial(ctx, url, func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	quotes, err := dxlink.SubscribeWith[dxlink.Quote](ctx, conn, &dxlink.SubscriptionOptions{
		Policy: dxlink.KeepAll,
		Size:   100_000,
		OnGap:  func(g dxlink.Gap) { log.Printf("nothing is known from %v to %v", g.Since, g.Until) },
	}, "SPY")
	if err != nil {
		log.Fatal(err)
	}
	defer quotes.Close()
	if err := quotes.Add("QQQ"); err != nil {
		log.Fatal(err)
	}
	n := 0
	for q, err := range quotes.Events() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(q.Symbol, q.Bid)
		if n++; n == 2 {
			break
		}
	}
	fmt.Println("dropped:", quotes.Dropped())
	// Unordered output:
	// SPY 100
	// QQQ 100
	// dropped: 0
}

func ExampleConn_Greeks() {
	url, stop := exampleStream()
	defer stop()
	conn, err := dxlink.Dial(context.Background(), url, func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	greeks, missing, err := conn.Greeks(ctx, ".SPY261218C500", ".SPY261218C9999")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(greeks[".SPY261218C500"].Delta, missing)
	// Output: 0.5 [.SPY261218C9999]
}

func ExampleConn_CandleHistory() {
	url, stop := exampleStream()
	defer stop()
	ctx := context.Background()
	conn, err := dxlink.Dial(ctx, url, func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	history, err := conn.CandleHistory(ctx, dxlink.CandleRequest{Symbol: "SPY", Period: "1d", From: day})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(history.Symbol, history.State)
	for _, c := range history.Candles {
		fmt.Println(c.Time.Format(time.DateOnly), c.Close)
	}
	// Output:
	// SPY{=d} complete
	// 2026-09-14 501
	// 2026-09-15 502
	// 2026-09-16 503
}

// A chart takes the history as one piece and then one change after the other.
func ExampleChanges() {
	url, stop := exampleStream()
	defer stop()
	ctx := context.Background()
	conn, err := dxlink.Dial(ctx, url, func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	candles, err := dxlink.SubscribeWith[dxlink.Candle](ctx, conn, &dxlink.SubscriptionOptions{From: day}, "SPY{=d}")
	if err != nil {
		log.Fatal(err)
	}
	defer candles.Close()
	for change, err := range dxlink.Changes(candles) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(change.State, len(change.Events), change.Events[len(change.Events)-1].Close)
		if change.State == dxlink.Updated {
			break
		}
	}
	// Output:
	// complete 3 503
	// updated 1 504
}

func ExampleSubscribeDepth() {
	url, stop := exampleStream()
	defer stop()
	ctx := context.Background()
	conn, err := dxlink.Dial(ctx, url, func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	books, err := dxlink.SubscribeDepth(ctx, conn, "AAPL", &dxlink.DepthOptions{Sources: []string{"ntv"}, Levels: 5})
	if err != nil {
		log.Fatal(err)
	}
	defer books.Close()
	for book, err := range books.Events() {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(book.Bids[0].Price, book.Bids[0].Size, book.Asks[0].Price)
		break
	}
	// Output: 172.33 376 172.34
}

func ExampleLatest() {
	url, stop := exampleStream()
	defer stop()
	ctx := context.Background()
	conn, err := dxlink.Dial(ctx, url, func(context.Context) (string, error) { return "token", nil }, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer conn.Close()

	quotes, missing, err := dxlink.Latest[dxlink.Quote](ctx, conn, "SPY", "QQQ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(quotes), quotes["QQQ"].Ask, len(missing))
	// Output: 2 101.5 0
}
