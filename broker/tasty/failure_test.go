package tasty_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/tastytrade"
)

// everything calls each method that reaches the broker.
func everything(ctx context.Context, r *rig) map[string]error {
	errs := map[string]error{}
	_, errs["Accounts"] = r.Accounts(ctx)
	_, errs["Balances"] = r.Balances(ctx, simulator.DemoMargin)
	_, errs["Positions"] = r.Positions(ctx, simulator.DemoMargin)
	_, errs["Quotes"] = r.Quotes(ctx, []market.Symbol{"SPY"})
	_, errs["Bars"] = r.Bars(ctx, market.BarsRequest{Symbol: "SPY", Interval: market.Day, Limit: 5})
	_, errs["Expirations"] = r.Expirations(ctx, "SPY")
	_, errs["Chain"] = r.Chain(ctx, market.ChainRequest{Underlying: "SPY", Strikes: 3})
	_, errs["Metrics"] = r.Metrics(ctx, []market.Symbol{"SPY"})
	_, errs["Events"] = r.Events(ctx, "AAPL", market.Date{}, market.Date{})
	_, errs["Instruments"] = r.Instruments(ctx, []market.Symbol{"SPY"})
	_, errs["Search"] = r.Search(ctx, "SP", 5)
	return errs
}

func TestATroubledBrokerGivesTypedErrorsInTime(t *testing.T) {
	tests := map[string]func(*http.Request) simulator.Fault{
		"answers HTML":            func(*http.Request) simulator.Fault { return simulator.Fault{Status: 502} },
		"answers HTML as success": func(*http.Request) simulator.Fault { return simulator.Fault{Status: 200} },
		"answers half": func(*http.Request) simulator.Fault {
			return simulator.Fault{Status: 200, Body: `{"data":`, ContentType: "application/json"}
		},
		"is down": func(*http.Request) simulator.Fault { return simulator.Fault{Drop: true} },
		"is slow": func(*http.Request) simulator.Fault { return simulator.Fault{Delay: time.Hour} },
		"gives tokens and then fails": func(r *http.Request) simulator.Fault {
			if r.URL.Path == "/oauth/token" {
				return simulator.Fault{}
			}
			return simulator.Fault{Status: 503}
		},
	}
	for name, fault := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := build(t, change{adapter: func(o *tasty.Options) { o.Timeout = 150 * time.Millisecond }})
			r.spoil(fault)
			began := time.Now()
			errs := everything(context.Background(), r) // no deadline of its own
			assert.Less(t, time.Since(began), 4*time.Second, "%d calls", len(errs))
			for method, err := range errs {
				assert.ErrorIs(t, err, broker.ErrUnavailable, method)
				if err != nil {
					assert.NotContains(t, err.Error(), "<html>", method)
					assert.NotContains(t, err.Error(), r.sim.Credentials().RefreshToken, method)
				}
			}
			r.spoil(nothing)
			_, err := r.Accounts(t.Context())
			require.NoError(t, err, "when it is well again, so is the adapter")
		})
	}
}

func nothing(*http.Request) simulator.Fault { return simulator.Fault{} }

func TestRefusedCredentials(t *testing.T) {
	r := build(t, change{oauth: func(c *tastytrade.OAuthConfig) { c.RefreshToken = "revoked" }})
	for method, err := range everything(t.Context(), r) {
		assert.ErrorIs(t, err, broker.ErrUnauthorized, method)
	}
}

// The sandbox has no metrics, search and quotes by type. They are absent there,
// and quotes come from the stream.
func TestTheSandboxLacksThingsWithoutFailing(t *testing.T) {
	r := build(t, change{adapter: func(o *tasty.Options) { o.Environment = broker.Sandbox }})
	r.spoil(func(req *http.Request) simulator.Fault {
		for _, prefix := range []string{"/market-metrics", "/market-data", "/symbols"} {
			if strings.HasPrefix(req.URL.Path, prefix) {
				return simulator.Fault{Status: 502}
			}
		}
		return simulator.Fault{}
	})
	for method, err := range everything(t.Context(), r) {
		switch method {
		case "Metrics", "Events", "Search":
			assert.ErrorIs(t, err, market.ErrUnsupported, method)
			assert.NotErrorIs(t, err, broker.ErrUnavailable, method)
		default:
			assert.NoError(t, err, method)
		}
	}
	symbols := []market.Symbol{"SPY", "SPY   261016C00660000"}
	want, err := r.market.Quotes(t.Context(), symbols)
	require.NoError(t, err)
	got, err := r.Quotes(t.Context(), symbols)
	require.NoError(t, err)
	equalFloats(t, quoteNumbers(want[0]), quoteNumbers(got[0]))
	assert.Equal(t, want[1].Bid, got[1].Bid)
}

func TestSilentContractsAreNamedAtTheDeadline(t *testing.T) {
	r := build(t, change{
		simulator: func(o *simulator.Options) { o.Market = halfChain{o.Market} },
		adapter:   func(o *tasty.Options) { o.Settle = 100 * time.Millisecond },
	})
	req := market.ChainRequest{Underlying: "SPY", Expirations: []market.Date{{Year: 2026, Month: 10, Day: 16}}, Strikes: 6}
	began := time.Now()
	quotes, err := r.Chain(t.Context(), req)
	assert.Less(t, time.Since(began), 3*time.Second)
	var missing *market.MissingError
	require.ErrorAs(t, err, &missing)
	assert.ErrorIs(t, err, market.ErrNoData)
	assert.Len(t, quotes, 6)
	assert.Len(t, missing.Symbols, 6)
	for _, s := range missing.Symbols {
		c, _ := s.Contract()
		assert.Equal(t, market.Put, c.Kind)
	}
}

// halfChain is a market whose puts have no quotes.
type halfChain struct{ market.Source }

func (h halfChain) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	all, err := h.Source.Chain(ctx, req)
	var calls []market.OptionQuote
	for _, o := range all {
		if o.Kind == market.Call {
			calls = append(calls, o)
		}
	}
	return calls, err
}

func TestTheStreamIsFoundAgainAfterALoss(t *testing.T) {
	r := build(t, change{})
	req := market.ChainRequest{Underlying: "SPY", Strikes: 2, Expirations: []market.Date{{Year: 2026, Month: 10, Day: 16}}}
	for range 2 {
		quotes, err := r.Chain(t.Context(), req)
		require.NoError(t, err)
		require.Len(t, quotes, 4)
		r.sim.DropStreams()
	}
}

func TestManyCallersShareOneStream(t *testing.T) {
	var mu sync.Mutex
	opened := 0
	r := build(t, change{})
	r.spoil(func(req *http.Request) simulator.Fault {
		if req.URL.Path == "/dxlink" {
			mu.Lock()
			opened++
			mu.Unlock()
		}
		return simulator.Fault{}
	})
	var callers sync.WaitGroup
	for _, symbol := range []market.Symbol{"AAPL", "MSFT", "KO", "JPM", "XOM"} {
		callers.Go(func() {
			bars, err := r.Bars(t.Context(), market.BarsRequest{Symbol: symbol, Interval: market.Day, Limit: 50})
			assert.NoError(t, err)
			assert.Len(t, bars, 50)
			quotes, err := r.Chain(t.Context(), market.ChainRequest{Underlying: symbol, Strikes: 3})
			assert.NoError(t, err)
			assert.NotEmpty(t, quotes)
		})
	}
	callers.Wait()
	mu.Lock()
	defer mu.Unlock()
	assert.Equal(t, 1, opened)
}

func TestCloseEndsCallsInFlight(t *testing.T) {
	r := build(t, change{})
	started := make(chan struct{}, 16)
	r.spoil(func(req *http.Request) simulator.Fault {
		if req.URL.Path == "/oauth/token" {
			return simulator.Fault{}
		}
		started <- struct{}{}
		return simulator.Fault{Delay: time.Hour}
	})
	done := make(chan error)
	go func() {
		_, err := r.Bars(context.Background(), market.BarsRequest{Symbol: "SPY", Interval: market.Day, Limit: 5})
		done <- err
	}()
	<-started
	require.NoError(t, r.Close())
	assert.ErrorIs(t, <-done, broker.ErrUnavailable)
	r.spoil(nothing)
	for method, err := range everything(t.Context(), r) {
		assert.ErrorIs(t, err, broker.ErrUnavailable, method)
	}
}
