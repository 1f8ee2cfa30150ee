package tastytrade_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// nestedChainJSON is a chain of the size of AAPL's: 20 expirations, 1,852 strikes.
func nestedChainJSON() []byte {
	var b strings.Builder
	b.WriteString(`{"underlying-symbol":"AAPL","root-symbol":"AAPL","option-chain-type":"Standard","shares-per-contract":100,"tick-sizes":[{"value":"0.01","threshold":"3.0"},{"value":"0.05"}],"deliverables":[],"expirations":[`)
	for e := range 20 {
		if e > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, `{"expiration-type":"Weekly","expiration-date":"2026-07-%02d","days-to-expiration":%d,"settlement-type":"PM","strikes":[`, e+1, e)
		for s := range 93 {
			if s > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, `{"strike-price":"%[1]d.0","call":"AAPL  2607%02[2]dC%05[1]d000","call-streamer-symbol":".AAPL2607%02[2]dC%[1]d","put":"AAPL  2607%02[2]dP%05[1]d000","put-streamer-symbol":".AAPL2607%02[2]dP%[1]d"}`, 100+s, e+1)
		}
		b.WriteString("]}")
	}
	b.WriteString("]}")
	return []byte(b.String())
}

// plainChain is the same data for encoding/json: no kept JSON, no tolerance.
type plainChain struct {
	UnderlyingSymbol  string `json:"underlying-symbol"`
	RootSymbol        string `json:"root-symbol"`
	OptionChainType   string `json:"option-chain-type"`
	SharesPerContract int    `json:"shares-per-contract"`
	Expirations       []struct {
		ExpirationDate   tastytrade.Date `json:"expiration-date"`
		DaysToExpiration int             `json:"days-to-expiration"`
		ExpirationType   string          `json:"expiration-type"`
		SettlementType   string          `json:"settlement-type"`
		Strikes          []struct {
			Price              decimal.Decimal `json:"strike-price"`
			Call               string          `json:"call"`
			Put                string          `json:"put"`
			CallStreamerSymbol string          `json:"call-streamer-symbol"`
			PutStreamerSymbol  string          `json:"put-streamer-symbol"`
		} `json:"strikes"`
	} `json:"expirations"`
}

// canned answers every request with the same body, without a network.
type canned []byte

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(c)), Request: r}, nil
}

// BenchmarkNestedChain is a chain from the answer's bytes to typed values, by
// the client and by a bare http.Client with encoding/json into plain structs,
// which keep no JSON and forgive nothing.
func BenchmarkNestedChain(b *testing.B) {
	data := fmt.Appendf(nil, `{"data":{"items":[%s]},"context":"/option-chains/AAPL/nested"}`, nestedChainJSON())
	bare := &http.Client{Transport: canned(data)}
	c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), &tastytrade.ClientOptions{HTTPClient: bare, Limiter: tastytrade.NoLimit()})
	require.NoError(b, err)
	byClient := func(b *testing.B) {
		_, err := c.OptionChains.Nested(b.Context(), "AAPL")
		require.NoError(b, err)
	}
	byHand := func(b *testing.B) {
		resp, err := bare.Get("https://api.tastyworks.com/option-chains/AAPL/nested")
		require.NoError(b, err)
		text, err := io.ReadAll(resp.Body)
		require.NoError(b, err)
		var answer struct {
			Data struct{ Items []plainChain }
		}
		require.NoError(b, json.Unmarshal(text, &answer))
	}
	for _, way := range []struct {
		name   string
		decode func(*testing.B)
	}{{"client", byClient}, {"bare with encoding-json", byHand}} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				way.decode(b)
			}
		})
	}
	// The two in turns, so that a busy machine slows both.
	b.Run("ratio", func(b *testing.B) {
		var client, hand time.Duration
		for b.Loop() {
			start := time.Now()
			byClient(b)
			middle := time.Now()
			byHand(b)
			client, hand = client+middle.Sub(start), hand+time.Since(middle)
		}
		b.ReportMetric(float64(hand)/float64(client), "times-faster")
	})
}

// BenchmarkRequest is what a call costs beyond the same request of a bare
// http.Client that reads and decodes the same answer.
func BenchmarkRequest(b *testing.B) {
	const body = `{"data":{"items":[{"account":{"account-number":"5WX1"},"authority-level":"owner"}]},"context":"/customers/me/accounts"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer server.Close()
	b.Run("bare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, server.URL+"/customers/me/accounts", nil)
			require.NoError(b, err)
			req.Header.Set("Authorization", "Bearer x")
			resp, err := server.Client().Do(req)
			require.NoError(b, err)
			var answer struct {
				Data struct{ Items []json.RawMessage }
			}
			require.NoError(b, json.NewDecoder(resp.Body).Decode(&answer))
			_, _ = io.Copy(io.Discard, resp.Body)
			require.NoError(b, resp.Body.Close())
		}
	})
	b.Run("client", func(b *testing.B) {
		c, err := tastytrade.NewClient(tastytrade.StaticTokenSource("x"), &tastytrade.ClientOptions{BaseURL: server.URL, Limiter: tastytrade.NoLimit()})
		require.NoError(b, err)
		defer c.Close()
		b.ReportAllocs()
		for b.Loop() {
			_, err := c.Accounts.List(b.Context())
			require.NoError(b, err)
		}
	})
}
