package market_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
	. "github.com/ttai-go/ttai/market"
)

// 40,832 hourly bars, gzip.
func BenchmarkReadBarsHourly40k(b *testing.B) {
	data, err := os.ReadFile(sharedtest.Path(b, "data", "intraday", "lean_spy_hour_raw.csv.gz"))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		file, err := ReadBars(bytes.NewReader(data), nil)
		require.NoError(b, err)
		require.Len(b, file.Bars, 40832)
	}
}

// 48,911 option quotes of ten days, gzip.
func BenchmarkReadChain49k(b *testing.B) {
	data, err := os.ReadFile(sharedtest.Path(b, "data", "options", "yahoo_chain_nvda_20251124_20251205.csv.gz"))
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		file, err := ReadChain(bytes.NewReader(data), nil)
		require.NoError(b, err)
		require.Len(b, file.Quotes, 48911)
	}
}
