package brokertest_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/brokertest"
	"github.com/ttai-go/ttai/market"
)

// A followed clock is at the time of something else.
type followed struct {
	market.Clock
	now func() time.Time
}

func (f followed) Now() time.Time { return f.now() }

// A guard that allows everything is a broker like the one behind it: what it adds
// is to be seen only when it refuses.
func TestAGuardThatAllowsEverythingIsLikeTheBrokerBehindIt(t *testing.T) {
	brokertest.Test(t, func(t *testing.T) *brokertest.Harness {
		h := frailExchange(t)
		clock := followed{market.SystemClock(), h.Now}
		policy, err := broker.NewPolicyApprover(broker.Budget{
			Words: "for a test", Until: h.Now().AddDate(1, 0, 0), Accounts: []broker.AccountID{"*"}, Symbols: []market.Symbol{"*"},
			OrderLoss: broker.NoCap(), OrderNotional: broker.NoCap(), DailyOrders: broker.NoCap(), DailyLoss: broker.NoCap(), DailyNotional: broker.NoCap(),
			CancelStops: true,
		}, clock)
		require.NoError(t, err)
		limits := broker.PaperLimits()
		limits.MaxOrderLoss, limits.MaxOrderNotional, limits.MaxShares = broker.NoCap(), broker.NoCap(), broker.NoCap()
		limits.MinBuyingPower, limits.NakedShort, limits.Hours = broker.NoCap(), true, broker.HoursAny
		guard, err := broker.NewGuard(h.Broker, broker.GuardOptions{Limits: limits, Approvers: []broker.Approver{policy}, Clock: clock})
		require.NoError(t, err)
		h.Broker = guard
		return h
	})
}
