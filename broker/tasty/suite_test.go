package tasty_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/brokertest"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/tastytrade"
)

// suiteAccount has cash and nothing else.
const suiteAccount = "5WX10001"

// simulated is a harness over the whole way: adapter, client, HTTP, simulator.
func simulated(t *testing.T) *brokertest.Harness {
	var armed atomic.Int32 // the fault of the next write
	var down atomic.Bool   // the account streamer takes no connections
	clock := market.NewManualClock(synthetic.DefaultStart())
	world, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	sim, err := simulator.New(&simulator.Options{
		Market: world, Clock: clock,
		Accounts: []simulator.AccountState{{Number: suiteAccount, Nickname: "Suite", Margin: true, Cash: decimal.NewFromInt(100_000)}},
		Fault: func(r *http.Request) simulator.Fault {
			if down.Load() && strings.HasSuffix(r.URL.Path, "/streamer") {
				return simulator.Fault{Drop: true}
			}
			if r.Method == http.MethodGet || !strings.Contains(r.URL.Path, "orders") || strings.HasSuffix(r.URL.Path, "/dry-run") {
				return simulator.Fault{}
			}
			switch brokertest.Fault(armed.Swap(0)) {
			case brokertest.LostRequest:
				return simulator.Fault{Drop: true}
			case brokertest.LostAnswer:
				return simulator.Fault{Lose: true}
			case brokertest.RateLimited:
				return simulator.Fault{Status: http.StatusTooManyRequests, ContentType: "application/json", Body: `{"error":{"code":"too_many_requests","message":"slow down"}}`}
			}
			return simulator.Fault{}
		},
	})
	require.NoError(t, err)
	server, err := sim.Listen()
	require.NoError(t, err)
	k := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), ClientID: k.ClientID, ClientSecret: k.ClientSecret, RefreshToken: k.RefreshToken, Dial: server.DialContext,
	})
	require.NoError(t, err)
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit(), RetryWait: time.Millisecond})
	require.NoError(t, err)
	adapter, err := tasty.New(client, &tasty.Options{
		Environment: broker.Simulator, Clock: clock, AccountStreamer: server.AccountStreamerURL(),
		Reconcile: tastytrade.ReconcileOptions{Attempts: 3, Wait: time.Millisecond},
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, adapter.Close())
		client.Close()
		require.NoError(t, sim.Close())
	})
	return &brokertest.Harness{
		Broker: adapter.Broker(), Account: suiteAccount, Stock: "SPY",
		Calls:  [2]market.Symbol{"SPY   261120C00600000", "SPY   261120C00605000"},
		Closed: "SPY   260821C00100000",
		Now:    clock.Now,
		Quote: func(q market.Quote) {
			if !(q.Last > 0) {
				q.Last = q.Ask // in place of the market's own, which is far away
			}
			require.NoError(t, sim.SetQuote(q))
		},
		Advance: func(d time.Duration) { require.NoError(t, sim.Step(d)) },
		EndDay: func() {
			session, ok := market.NYSE().Session(market.DateOf(clock.Now().In(market.NYSE().Location())))
			require.True(t, ok)
			require.NoError(t, sim.Step(session.Close.Add(time.Minute).Sub(clock.Now())))
		},
		Inject: func(f brokertest.Fault) { armed.Store(int32(f)) },
		Disconnect: func(while func()) {
			down.Store(true)
			sim.DropStreams()
			while()
			down.Store(false)
		},
	}
}

func TestSuite(t *testing.T) { brokertest.Test(t, simulated) }
