package tasty_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/tastytrade"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is an adapter over a client over a simulator in memory, whose market
// stands still unless the clock is moved.
type rig struct {
	*tasty.Adapter
	sim    *simulator.Simulator
	market *synthetic.Market
	client *tastytrade.Client
	clock  *market.ManualClock
	fault  atomic.Pointer[func(*http.Request) simulator.Fault]
}

func (r *rig) spoil(f func(*http.Request) simulator.Fault) { r.fault.Store(&f) }

type change struct {
	simulator func(*simulator.Options)
	adapter   func(*tasty.Options)
	client    func(*tastytrade.ClientOptions)
	oauth     func(*tastytrade.OAuthConfig)
}

func build(t testing.TB, c change) *rig {
	t.Helper()
	return buildAt(t, c, nil, synthetic.DefaultStart())
}

func buildReplay(t testing.TB, files map[market.Symbol]*market.BarFile, at time.Time) *rig {
	t.Helper()
	return buildAt(t, change{}, files, at)
}

func buildAt(t testing.TB, c change, files map[market.Symbol]*market.BarFile, at time.Time) *rig {
	t.Helper()
	r := &rig{clock: market.NewManualClock(at)}
	var err error
	r.market, err = synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: r.clock, Replay: files})
	require.NoError(t, err)
	options := &simulator.Options{Market: r.market, Clock: r.clock, Fault: func(req *http.Request) simulator.Fault {
		if f := r.fault.Load(); f != nil {
			return (*f)(req)
		}
		return simulator.Fault{}
	}}
	if c.simulator != nil {
		c.simulator(options)
	}
	r.sim, err = simulator.New(options)
	require.NoError(t, err)
	server, err := r.sim.Listen()
	require.NoError(t, err)
	k := r.sim.Credentials()
	config := tastytrade.OAuthConfig{BaseURL: server.URL(), ClientID: k.ClientID, ClientSecret: k.ClientSecret, RefreshToken: k.RefreshToken, Dial: server.DialContext}
	if c.oauth != nil {
		c.oauth(&config)
	}
	tokens, err := tastytrade.RefreshTokenSource(config)
	require.NoError(t, err)
	clientOptions := &tastytrade.ClientOptions{
		BaseURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit(), RetryWait: time.Millisecond, Retries: 1}
	if c.client != nil {
		c.client(clientOptions)
	}
	client, err := tastytrade.NewClient(tokens, clientOptions)
	require.NoError(t, err)
	r.client = client
	adapterOptions := &tasty.Options{Environment: broker.Simulator, Clock: r.clock}
	if c.adapter != nil {
		c.adapter(adapterOptions)
	}
	r.Adapter, err = tasty.New(client, adapterOptions)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, r.Adapter.Close())
		client.Close()
		require.NoError(t, r.sim.Close())
	})
	return r
}
