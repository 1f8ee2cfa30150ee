package synthetic_test

import (
	"testing"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// Whatever a symbol looks like, the answer is a quote of it or an error.
func FuzzSymbols(f *testing.F) {
	for _, s := range []string{
		"SPY", "/ES", "/ESZ6", "/ESZ26", "/6EZ6", "/M2K", "./ESZ6 EW3U6 260918P6600", "./ESZ6 EW3U6 260918PNaN", "./ESZ6 EW3U6 260918P1e309",
		"./", "/", "//", "/Z6", "./MNQZ6MNQZ6 261218C25000", "SPY   260916C00660000", "BTC/USD", "",
	} {
		f.Add(s)
	}
	m := at(f, synthetic.DefaultStart())
	f.Fuzz(func(t *testing.T, s string) {
		symbol := market.Symbol(s)
		q, err := m.QuoteAt(symbol, synthetic.DefaultStart())
		if err == nil && (q.Symbol != symbol || !(q.Ask >= q.Bid) && !(q.Last > 0)) {
			t.Errorf("%q: %+v", s, q)
		}
		_, _ = m.Instruments(t.Context(), []market.Symbol{symbol})
		_, _ = m.Expirations(t.Context(), symbol)
		_, _ = m.Bars(t.Context(), market.BarsRequest{Symbol: symbol, Interval: market.Day, Limit: 2})
	})
}
