package occ_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/civil"
	"github.com/ttai-go/ttai/internal/occ"
)

func day(y int, m time.Month, d int) civil.Date { return civil.Date{Year: y, Month: m, Day: d} }

func TestParseReadsBothForms(t *testing.T) {
	for symbol, want := range map[string]occ.Option{
		"SPY   261218C00500000": {Root: "SPY", Expiration: day(2026, 12, 18), StrikeMils: 500_000},
		"SPY261218C00500000":    {Root: "SPY", Expiration: day(2026, 12, 18), StrikeMils: 500_000},
		"AAPL1 240119P00022500": {Root: "AAPL1", Expiration: day(2024, 1, 19), Put: true, StrikeMils: 22_500},
		"SPXW  240229P05000005": {Root: "SPXW", Expiration: day(2024, 2, 29), Put: true, StrikeMils: 5_000_005},
		"ABCDEF991231C99999999": {Root: "ABCDEF", Expiration: day(2099, 12, 31), StrikeMils: 99_999_999},
		"F690101C00000001":      {Root: "F", Expiration: day(2069, 1, 1), StrikeMils: 1},
	} {
		got, err := occ.Parse(symbol)
		require.NoError(t, err, symbol)
		assert.Equal(t, want, got, symbol)
	}
}

func TestParseRefusesEverythingElse(t *testing.T) {
	for _, symbol := range []string{
		"", "SPY", "SPY261218C0050000", "261218C00500000", "      261218C00500000", "SPY261318C00500000", "SPY260230C00500000",
		"SPY261218X00500000", "SPY261218C00000000", "SPY261218C0050000x", "spy261218C00500000", "ABCDEFG261218C00500000", "S Y   261218C00500000", "SPÉ261218C00500000",
	} {
		_, err := occ.Parse(symbol)
		assert.ErrorIs(t, err, occ.ErrSyntax, symbol)
	}
}

func TestStreamerFormHasAPlainStrike(t *testing.T) {
	for streamer, symbol := range map[string]string{
		".SPY261218C500":      "SPY   261218C00500000",
		".IRBT260116C22.5":    "IRBT  260116C00022500",
		".SPXW240229P5000":    "SPXW  240229P05000000",
		".F690101P0.5":        "F     690101P00000500",
		".CCP261218P1.005":    "CCP   261218P00001005",
		".PC261218C12345.125": "PC    261218C12345125",
	} {
		o, err := occ.ParseStreamer(streamer)
		require.NoError(t, err, streamer)
		assert.Equal(t, symbol, o.String())
		assert.Equal(t, streamer, o.Streamer())
	}
	for _, bad := range []string{"", ".", "SPY261218C500", ".SPY261218C", ".SPY261218C1234567", ".SPY261218C1.0001", ".SPY261218C-5", ".SPY261218C+5", ".SPY261218C5 0", ".SPY261218C0"} {
		_, err := occ.ParseStreamer(bad)
		assert.ErrorIs(t, err, occ.ErrSyntax, bad)
	}
}

func TestStrikeIsInDollars(t *testing.T) {
	assert.Equal(t, 22.5, occ.Option{StrikeMils: 22_500}.Strike())
}

// What is read is written and read again as the same option, in both forms.
func FuzzParseStringIdentity(f *testing.F) {
	for _, seed := range []string{"SPY   261218C00500000", "SPY261218P00500000", ".SPY261218C500", ".IRBT260116C22.5", "AAPL1 240119P00022500", "F690101C00000001"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, symbol string) {
		o, err := occ.Parse(symbol)
		if err != nil {
			if o, err = occ.ParseStreamer(symbol); err != nil {
				require.ErrorIs(t, err, occ.ErrSyntax)
				return
			}
		}
		padded := o.String()
		require.Len(t, padded, 21)
		again, err := occ.Parse(padded)
		require.NoError(t, err)
		require.Equal(t, o, again)
		again, err = occ.ParseStreamer(o.Streamer())
		require.NoError(t, err)
		require.Equal(t, o, again)
	})
}
