package analysts

import (
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// What a workflow records says the same afterwards: not known stays not known, and an
// amount of zero stays zero.
func TestASnapshotKeepsWhatIsNotKnownApartFromZero(t *testing.T) {
	cal := market.NYSE()
	at := time.Date(2026, 9, 15, 12, 0, 0, 0, cal.Location())
	zero, nan := decimal.Zero, math.NaN()
	empty := decimal.Decimal{}
	quote := market.NewQuote("TEST")
	quote.Time, quote.Bid = at, 1.5
	metrics := market.NewMetrics("TEST")
	metrics.NextEarnings = &market.Event{Symbol: "TEST", Kind: market.Earnings, Date: market.Date{Year: 2026, Month: 10, Day: 1}, Value: nan}
	in := &inputs{
		at: at, from: at.AddDate(-3, 0, 0), bars: []market.Bar{{Time: at, Open: 1, High: 2, Low: 1, Close: 2, Volume: nan}}, noBars: "why", dropped: 3,
		benchmark: part[[]market.Bar]{absent: "none"}, quote: part[market.Quote]{value: quote}, metrics: part[market.Metrics]{value: metrics},
		events: part[[]market.Event]{value: []market.Event{*metrics.NextEarnings}}, instrument: part[market.Instrument]{absent: "gone"},
		portfolio: part[[]holding]{value: []holding{
			{account: "A", balances: &broker.Balances{Account: "A", Cash: &zero, NetLiquidatingValue: &empty}, positions: []broker.Position{{Symbol: "X", Quantity: decimal.NewFromInt(-1), Multiplier: decimal.NewFromInt(100), Mark: &zero, RealizedDay: nil}}},
			{account: "B", why: "the broker is away"},
		}},
		chain: part[[]market.OptionQuote]{absent: notAsked},
		held:  part[[]heldBars]{value: []heldBars{{symbol: "Y", exposure: 0, bars: []market.Bar{{Time: at, Close: nan}}}}},
		news:  part[[]market.Story]{value: []market.Story{{ID: "1", Time: at, Headline: "é"}}}, record: part[Scorecard]{value: Scorecard{Analyses: 1, HitRate: nan}},
		passages: part[[]Passage]{value: []Passage{{Text: "x", Score: nan}}}, expirations: part[[]market.Expiration]{value: []market.Expiration{{Underlying: "TEST", Strikes: []float64{1, 2}}}},
	}
	data, err := in.encode()
	require.NoError(t, err)
	back, err := decodeInputs(data, cal)
	require.NoError(t, err)

	first, second := back.portfolio.value[0], back.portfolio.value[1]
	require.NotNil(t, first.balances.Cash, "zero is an amount")
	assert.True(t, first.balances.Cash.IsZero())
	require.NotNil(t, first.balances.NetLiquidatingValue)
	assert.Nil(t, first.balances.PendingCash, "not known is not zero")
	require.NotNil(t, first.positions[0].Mark)
	assert.True(t, first.positions[0].Mark.IsZero())
	assert.Nil(t, first.positions[0].RealizedDay)
	assert.Nil(t, second.balances)
	assert.Equal(t, "the broker is away", second.why)
	assert.True(t, math.IsNaN(back.quote.value.Ask))
	assert.True(t, math.IsNaN(back.bars[0].Volume))
	assert.True(t, math.IsNaN(back.metrics.value.NextEarnings.Value))
	assert.Nil(t, back.metrics.value.NextDividend)
	assert.True(t, math.IsNaN(back.record.value.HitRate))
	assert.True(t, back.at.Equal(at) && back.at.Location() == cal.Location())

	// The rest field by field: recorded again it is the same bytes.
	again, err := back.encode()
	require.NoError(t, err)
	twice, err := decodeInputs(again, cal)
	require.NoError(t, err)
	thrice, err := twice.encode()
	require.NoError(t, err)
	assert.Equal(t, again, thrice)
	for _, p := range [][2]string{{in.noBars, back.noBars}, {in.benchmark.absent, back.benchmark.absent}, {in.instrument.absent, back.instrument.absent}, {in.chain.absent, back.chain.absent}, {in.news.value[0].Headline, back.news.value[0].Headline}} {
		assert.Equal(t, p[0], p[1])
	}
	_, err = decodeInputs([]byte("no snapshot"), cal)
	assert.ErrorContains(t, err, "cannot be read")
}
