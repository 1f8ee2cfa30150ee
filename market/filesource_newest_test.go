package market_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

// Bars that end years before the chain do not tell where the underlying is.
func TestTheQuoteOfAnUnderlyingIsItsNewestKnownPrice(t *testing.T) {
	day := func(y int, m time.Month, d int) market.Date { return market.Date{Year: y, Month: m, Day: d} }
	calendar := market.NYSE()
	bars := &market.BarFile{Symbol: "SPY", Interval: market.Day, Bars: []market.Bar{{Time: day(2021, 3, 31).In(calendar.Location()), Open: 100, High: 101, Low: 99, Close: 100}}}
	quoted := day(2025, 12, 5).At(15, 0, calendar.Location())
	chain := &market.ChainFile{}
	for _, strike := range []float64{100, 280} {
		c := market.Contract{Root: "SPY", Expiration: day(2026, 1, 16), Kind: market.Call, Strike: strike}
		symbol, err := market.NewOptionSymbol(c)
		require.NoError(t, err)
		chain.Quotes = append(chain.Quotes, market.OptionQuote{Symbol: symbol, Underlying: "SPY", Root: "SPY", Kind: market.Call, Strike: strike, Expiration: c.Expiration, Time: quoted, Bid: 1, Ask: 2, Spot: 278})
	}
	at := func(now time.Time) *market.FileSource {
		source, err := market.NewFileSource(market.FileSourceOptions{Bars: []*market.BarFile{bars}, Chains: []*market.ChainFile{chain}, Clock: market.NewManualClock(now)})
		require.NoError(t, err)
		return source
	}
	quotes, err := at(quoted).Quotes(t.Context(), []market.Symbol{"SPY"})
	require.NoError(t, err)
	assert.Equal(t, 278.0, quotes[0].Last)
	assert.True(t, quotes[0].Time.Equal(quoted))

	quotes, err = at(day(2022, 1, 3).In(calendar.Location())).Quotes(t.Context(), []market.Symbol{"SPY"})
	require.NoError(t, err)
	assert.Equal(t, 100.0, quotes[0].Last, "before the chain was known, the bars' close")
}
