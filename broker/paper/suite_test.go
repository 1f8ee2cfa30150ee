package paper_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/brokertest"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// suiteExchange is an exchange with one empty margin account, on a Wednesday
// morning.
func suiteExchange(latency paper.Latency, fees *broker.FeeSchedule) brokertest.Factory {
	return func(t *testing.T) *brokertest.Harness {
		const account = "PAPER1"
		x, err := paper.New(&paper.Options{
			Start:    market.Date{Year: 2026, Month: time.September, Day: 16}.At(11, 0, market.NYSE().Location()),
			Accounts: []paper.Account{{Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(100_000)}},
			Latency:  latency,
			Fees:     fees,
		})
		require.NoError(t, err)
		return &brokertest.Harness{
			Broker: x.Broker(), Account: account, Stock: "ACME",
			Calls:  [2]market.Symbol{"ACME  261120C00100000", "ACME  261120C00105000"},
			Closed: "ACME  260821C00100000",
			Now:    x.Now,
			Quote: func(q market.Quote) {
				require.NoError(t, x.Quote(paper.Quote{Symbol: q.Symbol, Time: q.Time, Bid: q.Bid, Ask: q.Ask, BidSize: q.BidSize, AskSize: q.AskSize}))
				if q.Last > 0 {
					require.NoError(t, x.Trade(paper.Trade{Symbol: q.Symbol, Time: q.Time, Price: q.Last, Size: 1}))
				}
			},
			Advance: func(d time.Duration) { require.NoError(t, x.Advance(x.Now().Add(d))) },
			EndDay: func() {
				session, ok := market.NYSE().Session(market.DateOf(x.Now()))
				require.True(t, ok)
				require.NoError(t, x.Advance(session.Close.Add(time.Minute)))
			},
		}
	}
}

func TestSuite(t *testing.T) {
	brokertest.Test(t, suiteExchange(paper.Latency{}, &broker.FeeSchedule{}))
}

func TestSuiteWithLatency(t *testing.T) {
	brokertest.Test(t, suiteExchange(paper.Latency{
		Route: 10 * time.Millisecond, Live: 20 * time.Millisecond, Cancel: 30 * time.Millisecond, Replace: 30 * time.Millisecond, Jitter: 10 * time.Millisecond,
	}, &broker.FeeSchedule{}))
}

func TestSuiteWithFees(t *testing.T) {
	brokertest.Test(t, suiteExchange(paper.Latency{}, broker.TastytradeFees()))
}
