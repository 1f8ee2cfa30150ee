package dxlink_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// exampleStream stands in for dxFeed: every symbol is bid 100, asked 101.5.
func exampleStream() (url string, stop func()) {
	f := &fake{tokens: []string{"token"}, keepalive: 60, silent: true, subscribe: quoting}
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
