package synthetic_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func BenchmarkYearOfMinutes(b *testing.B) {
	m := at(b, synthetic.DefaultStart())
	req := market.BarsRequest{Symbol: "AAPL", Interval: market.Minute, From: synthetic.DefaultStart().AddDate(-1, 0, 0)}
	n := 0
	for b.Loop() {
		n = len(bars(b, m, req))
	}
	b.ReportMetric(float64(n), "bars")
}

func BenchmarkTenYearsOfDaysInANewMarket(b *testing.B) {
	for b.Loop() {
		bars(b, at(b, synthetic.DefaultStart()), market.BarsRequest{Symbol: "AAPL", Interval: market.Day, From: synthetic.DefaultStart().AddDate(-10, 0, 0)})
	}
}

func BenchmarkWholeChainOfSPX(b *testing.B) {
	m := at(b, synthetic.DefaultStart())
	n := 0
	for b.Loop() {
		n = len(chain(b, m, market.ChainRequest{Underlying: "SPX"}, synthetic.DefaultStart()))
	}
	b.ReportMetric(float64(n), "contracts")
}

func BenchmarkQuotesOfThirtySymbols(b *testing.B) {
	m, clock := clocked(b, synthetic.DefaultStart())
	var symbols []market.Symbol
	for _, in := range m.Symbols()[:30] {
		symbols = append(symbols, in.Symbol)
	}
	for b.Loop() {
		clock.Advance(250 * time.Millisecond)
		_, err := m.Quotes(b.Context(), symbols)
		require.NoError(b, err)
	}
}

func BenchmarkMetrics(b *testing.B) {
	m := at(b, synthetic.DefaultStart())
	for b.Loop() {
		_, err := m.Metrics(b.Context(), []market.Symbol{"AAPL"})
		require.NoError(b, err)
	}
}

func BenchmarkQuoteOfAnOption(b *testing.B) {
	m, clock := clocked(b, synthetic.DefaultStart())
	for b.Loop() {
		clock.Advance(250 * time.Millisecond)
		_, err := m.QuoteAt("SPY   261218C00660000", clock.Now())
		require.NoError(b, err)
	}
}

func BenchmarkQuotesOfActiveFutures(b *testing.B) {
	m, clock := clocked(b, synthetic.DefaultStart())
	symbols := []market.Symbol{"/ES", "/NQ", "/CL", "/GC", "/ZB"}
	for b.Loop() {
		clock.Advance(250 * time.Millisecond)
		_, err := m.Quotes(b.Context(), symbols)
		require.NoError(b, err)
	}
}

func BenchmarkWholeChainOfES(b *testing.B) {
	m := at(b, synthetic.DefaultStart())
	n := 0
	for b.Loop() {
		n = len(chain(b, m, market.ChainRequest{Underlying: "/ES"}, synthetic.DefaultStart()))
	}
	b.ReportMetric(float64(n), "contracts")
}
