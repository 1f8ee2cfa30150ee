package tastytrade_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

// Pairs printed in the broker's documentation and seen in its answers.
func TestEquityOptionSymbols(t *testing.T) {
	for broker, streamer := range map[string]string{
		"AAPL  260612C00110000": ".AAPL260612C110",
		"AAPL  260618P00005000": ".AAPL260618P5",
		"SPY   260804C00500000": ".SPY260804C500",
		"AAPL  260612C00257500": ".AAPL260612C257.5",
		"SPX   250919C05050000": ".SPX250919C5050",
		"SPXW  250718C03500000": ".SPXW250718C3500",
		"F     250620C00002020": ".F250620C2.02",
		"F     250620P00002170": ".F250620P2.17",
		"IRBT  260116C00022500": ".IRBT260116C22.5",
		"BRKB  250620C00200000": ".BRKB250620C200",
		"AAPL1 260116C00022500": ".AAPL1260116C22.5",
	} {
		a, err := tastytrade.ParseEquityOption(broker)
		require.NoError(t, err, broker)
		assert.Equal(t, streamer, a.Streamer())
		b, err := tastytrade.ParseEquityOption(streamer)
		require.NoError(t, err, streamer)
		assert.Equal(t, broker, b.String())
	}
	o, err := tastytrade.ParseEquityOption(".F250620P2.17")
	require.NoError(t, err)
	assert.Equal(t, "F 2025-06-20 true 2.17", o.Root+" "+o.Expiration.String()+" true "+o.Strike.String())
	assert.True(t, o.Put)
	assert.Equal(t, "BRKB", tastytrade.OptionRoot("BRK/B"))
}

func TestWhatIsNoEquityOptionIsRefused(t *testing.T) {
	for _, s := range []string{"", ".", "SPY", "/ESM6", "./ESZ6 ESZ6  261218C100", ".SPY261318C500", "SPY   261218X00500000", ".SPY261218C"} {
		var field *tastytrade.FieldError
		_, err := tastytrade.ParseEquityOption(s)
		require.ErrorAs(t, err, &field, s)
	}
}
