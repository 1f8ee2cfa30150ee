package tasty_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func BenchmarkQuote(b *testing.B) {
	r := build(b, change{})
	for b.Loop() {
		_, err := r.Quotes(b.Context(), []market.Symbol{"SPY"})
		require.NoError(b, err)
	}
}

func BenchmarkChainOfOneExpiration(b *testing.B) {
	r := build(b, change{})
	for b.Loop() {
		_, err := r.Chain(b.Context(), market.ChainRequest{Underlying: "SPY", Expirations: []market.Date{{Year: 2026, Month: 10, Day: 16}}})
		require.NoError(b, err)
	}
}

func BenchmarkYearOfDailyBars(b *testing.B) {
	r := build(b, change{})
	for b.Loop() {
		_, err := r.Bars(b.Context(), market.BarsRequest{Symbol: "SPY", Interval: market.Day, Limit: 252})
		require.NoError(b, err)
	}
}

func BenchmarkExpirationsOfSPX(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		r := build(b, change{})
		b.StartTimer()
		_, err := r.Expirations(b.Context(), "SPX")
		require.NoError(b, err)
	}
}
