package paper_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
)

// What an order for shares binds is what Preview counted for it, whether it can be
// paid for many times over, and is counted late, or only just.
func TestOrdersBindWhatTheirPreviewSays(t *testing.T) {
	start := time.Date(2026, 3, 3, 14, 0, 0, 0, time.UTC) // before the open
	for name, a := range map[string]struct {
		account broker.Account
		cash    int64
	}{
		"margin, rich":     {broker.Account{ID: "A", Margin: true}, 1_000_000},
		"margin, just":     {broker.Account{ID: "A", Margin: true}, 5_500},
		"cash, rich":       {broker.Account{ID: "A"}, 1_000_000},
		"retirement, rich": {broker.Account{ID: "A", Margin: true, Type: "Roth IRA"}, 1_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			x, err := paper.New(&paper.Options{Start: start, Accounts: []paper.Account{{Account: a.account, Cash: decimal.NewFromInt(a.cash)}}})
			require.NoError(t, err)
			require.NoError(t, x.Quote(paper.Quote{Symbol: "SPY", Bid: 100.04, Ask: 100.07, BidSize: 1000, AskSize: 1000}))
			b := x.Broker("A")
			ticket := broker.NewTicket(broker.Order{Tag: "one", Type: broker.Market, Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen, Quantity: decimal.NewFromInt(100)}}})
			preview, err := b.Preview(t.Context(), "A", ticket)
			require.NoError(t, err)
			if a.cash < 6_000 && preview.Refusals != nil {
				_, err = b.Place(t.Context(), "A", ticket)
				require.ErrorIs(t, err, broker.ErrRejected)
				return
			}
			before, err := b.Balances(t.Context(), "A")
			require.NoError(t, err)
			_, err = b.Place(t.Context(), "A", ticket)
			require.NoError(t, err)
			snapshot, err := x.Snapshot()
			require.NoError(t, err)
			require.Contains(t, string(snapshot), preview.BuyingPower.Neg().String())
			after, err := b.Balances(t.Context(), "A")
			require.NoError(t, err)
			bound := before.DerivativeBuyingPower.Sub(*after.DerivativeBuyingPower)
			require.Equal(t, preview.BuyingPower.Neg().String(), bound.String())
			require.Positive(t, bound.Sign())
		})
	}
}
