package alpaca_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/broker/brokertest"
	"github.com/ttai-go/ttai/market"
)

func TestTheSuiteOfAllBrokers(t *testing.T) {
	brokertest.Test(t, func(t *testing.T) *brokertest.Harness {
		fake := newFake(t, nil)
		fake.AddStock("ACME")
		fake.AddStock("GONE")
		fake.Halt("GONE")
		calls := [2]market.Symbol{"ACME  260821C00100000", "ACME  260821C00105000"}
		for _, call := range calls {
			require.NoError(t, fake.AddOption(string(call)))
		}
		adapter := newAdapter(t, fake, nil)
		return &brokertest.Harness{
			Broker: adapter.Broker(), Account: account, Stock: "ACME", Calls: calls, Closed: "GONE",
			Now: fake.Now, Advance: fake.Advance, EndDay: fake.EndDay,
			Quote:  func(q market.Quote) { fake.Quote(strings.ReplaceAll(string(q.Symbol), " ", ""), fakeQuote(q)) },
			Inject: func(f brokertest.Fault) { fake.Inject(suiteFault(f)) },
			Disconnect: func(while func()) {
				fake.Block(true)
				while()
				fake.Block(false)
				assert.Eventually(t, func() bool { return fake.Streams() > 0 }, deadline, tick)
			},
		}
	})
}

func fakeQuote(q market.Quote) alpacatest.Quote {
	known := func(v float64) float64 {
		if math.IsNaN(v) {
			return 0
		}
		return v
	}
	return alpacatest.Quote{Bid: known(q.Bid), Ask: known(q.Ask), BidSize: known(q.BidSize), AskSize: known(q.AskSize), Last: known(q.Last)}
}

// suiteFault arms a fault for the next write of an order.
func suiteFault(f brokertest.Fault) alpacatest.Fault {
	fault := alpacatest.Fault{Path: "/v2/orders", Write: true}
	switch f {
	case brokertest.LostRequest:
		fault.CutBefore = true
	case brokertest.LostAnswer:
		fault.CutAfter = true
	case brokertest.RateLimited:
		fault.Status = 429
	}
	return fault
}
