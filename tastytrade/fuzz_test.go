package tastytrade_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/tastytrade"
)

// decoders decode one text into one type each and write it again.
var decoders = []func(data []byte) (written []byte, kept json.RawMessage, err error){
	through[tastytrade.Account], through[tastytrade.CustomerAccount], through[tastytrade.TradingStatus], through[tastytrade.Customer],
	through[tastytrade.Balance], through[tastytrade.Position], through[tastytrade.NetLiqBar], through[tastytrade.NetLiq],
	through[tastytrade.Equity], through[tastytrade.EquityOption], through[tastytrade.Future], through[tastytrade.FutureProduct],
	through[tastytrade.FutureOption], through[tastytrade.FutureOptionProduct], through[tastytrade.Cryptocurrency], through[tastytrade.Warrant],
	through[tastytrade.SearchedInstrument], through[tastytrade.QuantityDecimalPrecision], through[tastytrade.AISearchToken],
	through[tastytrade.NestedChain], through[tastytrade.CompactChain], through[tastytrade.FuturesChain],
	through[tastytrade.MarketData], through[tastytrade.MarketMetric], through[tastytrade.DividendEvent], through[tastytrade.EarningsEvent],
	through[tastytrade.Session], through[tastytrade.CurrentSession], through[tastytrade.MarketCalendar], through[tastytrade.SymbolData],
	through[tastytrade.QuoteToken], through[tastytrade.MarginReport], through[tastytrade.MarginEstimate], through[tastytrade.MarginRequirement],
	through[tastytrade.PositionLimit], through[tastytrade.MarginConfiguration], through[tastytrade.SPANRow], through[tastytrade.Transaction],
	through[tastytrade.TotalFees], through[tastytrade.Watchlist], through[tastytrade.PairsWatchlist], through[tastytrade.QuoteAlert],
	through[tastytrade.Backtest], through[tastytrade.AvailableDates], through[tastytrade.SimulatedPrice], through[tastytrade.Pagination],
	through[tastytrade.Order], through[tastytrade.ComplexOrder], through[tastytrade.OrderResult],
}

func through[T interface {
	json.Marshaler
	Raw() json.RawMessage
}](data []byte) ([]byte, json.RawMessage, error) {
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		return nil, nil, err
	}
	written, err := json.Marshal(v)
	return written, v.Raw(), err
}

// FuzzEveryType checks for each type that no text makes decoding panic, and
// that what can be decoded is written back as it came.
func FuzzEveryType(f *testing.F) {
	for _, seed := range []string{
		`{}`, `null`, `[]`, `"x"`, `{"symbol":"A","account-number":"5WX1","id":1,"code":"ES","token":"t","dxlink-url":"u","occurred-date":"2026-09-16","quantity":"1.0","quantity-direction":"Long"}`,
		`{"expirations":[{"expiration-date":"2026-09-18T00:00:00Z third Friday","strikes":[{"strike-price":"NaN"},{"strike-price":-0.0}]}],"symbols":"A B"}`,
		`{"marks":{"A":"1","B":{},"C":null},"groups":[{"groups":[{"groups":[]}]}],"order-ids":[1,"2",null]}`,
		`{"expiresAt":1788595114405,"expires_at":"1788595114","expires-at":-1,"totalOpen":"1","time":"2011-12-03T10:15:30+01:00[Europe/Paris]"}`,
		`{"watchlist-entries":{"symbol":"A"},"pairs-equations":"x","legs":[[]],"halt-start-time":1e400,"per-page":"1.5","total-items":99999999999999999999}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for i, decode := range decoders {
			written, kept, err := decode(data)
			if err != nil || kept == nil {
				continue
			}
			assert.Equal(t, exact(t, string(data)), exact(t, string(written)), "decoder %d", i)
		}
	})
}

// FuzzAnswers checks that whatever the broker answers, the client returns, with
// an error of its own where it cannot read it.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		`{"data":{"items":[{"symbol":"A"}]},"pagination":{"page-offset":0,"total-pages":"1"}}`, `{"error":{"code":406,"message":"x","errors":[{"domain":"d","reason":"r"},1,null]}}`,
		`{"error":"invalid_grant","error_description":"x"}`, `<html>`, ``, `[{"symbol":"A"},`, `{"data":null}`, `{"data":{"items":null}}`, `{"data":{"items":{"a":1}}}`, "\x00", `"text"`,
	} {
		f.Add(200, []byte(body))
		f.Add(422, []byte(body))
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		if status < 200 || status > 599 || status == 204 || status == 304 {
			return
		}
		server := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = w.Write(body)
		})
		c := client(t, server, func(o *tastytrade.ClientOptions) { o.HTTPClient = nil })
		_, listed := c.Instruments.Equities(t.Context(), nil)
		_, got := c.Instruments.Equity(t.Context(), "A")
		_, streamed := first(c.OptionChains.All(t.Context(), "A"))
		_, token := source(t, server, nil).Token(t.Context())
		for _, err := range []error{listed, got, streamed, token} {
			if err == nil {
				assert.Less(t, status, 300)
				continue
			}
			_, refused := errors.AsType[*tastytrade.APIError](err)
			_, lost := errors.AsType[*tastytrade.TransportError](err)
			assert.True(t, refused || lost, "%T", err)
			assert.True(t, utf8.ValidString(err.Error()))
			assert.NotErrorIs(t, err, io.EOF)
		}
	})
}
