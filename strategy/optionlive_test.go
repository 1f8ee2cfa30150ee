package strategy_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
)

// An optionRun is a live run of an option strategy at a venue whose time a test
// moves.
type optionRun struct {
	t      *testing.T
	v      venue
	spy    *wireSpy
	cancel context.CancelFunc
	chains chan time.Time
	ended  chan error
}

func runOptions(t *testing.T, v venue, made strategy.Strategy) *optionRun {
	t.Helper()
	r := &optionRun{t: t, v: v, chains: make(chan time.Time, 100), ended: make(chan error, 1)}
	r.spy = &wireSpy{Broker: v.broker, now: v.clock.Now, open: map[broker.OrderID]bool{}}
	ctx, cancel := context.WithCancel(t.Context())
	r.cancel = cancel
	started := make(chan struct{})
	var once sync.Once
	go func() {
		r.ended <- strategy.Run(ctx, strategy.RunOptions{
			Strategy: startTeller{made, func() { once.Do(func() { close(started) }) }},
			Broker:   r.spy, Account: v.account, Source: v.source, Clock: v.clock, Name: "options",
			Observer: func(e *strategy.Event) {
				r.spy.saw(e)
				if e.Kind == strategy.ChainEvent {
					r.chains <- e.Time
				}
			},
		})
	}()
	select {
	case <-started:
	case err := <-r.ended:
		require.NoError(t, err, "it ended at once")
	case <-time.After(20 * time.Second):
		require.Fail(t, "it did not begin")
	}
	return r
}

// until moves the time on, waits for the chain and lets what was ordered fill.
func (r *optionRun) until(to time.Time) {
	r.t.Helper()
	r.v.to(to, 0)
	for {
		select {
		case at := <-r.chains:
			if at.Before(to) {
				continue
			}
		case err := <-r.ended:
			require.NoError(r.t, err)
			require.Fail(r.t, "it ended")
		case <-time.After(20 * time.Second):
			require.Fail(r.t, "no chain", "at %v", to)
		}
		break
	}
	for now := to; r.spy.working() > 0; {
		now = now.Add(time.Second)
		require.True(r.t, now.Before(to.Add(4*time.Minute)), "orders do not end")
		r.v.to(now, 0)
		time.Sleep(2 * time.Millisecond) // what is told comes over a socket
	}
}

func (r *optionRun) stop() {
	r.t.Helper()
	r.cancel()
	require.NoError(r.t, <-r.ended)
}

func (r *optionRun) orders() []string {
	r.spy.mu.Lock()
	defer r.spy.mu.Unlock()
	var out []string
	for _, o := range r.spy.orders {
		out = append(out, fmt.Sprint(o))
	}
	return out
}

// Gamma scalping over tastytrade's wire: a straddle, hedges, and after a restart
// without a snapshot the same position hedged on.
func TestGammaScalpingRunsOnTheSimulator(t *testing.T) {
	session, _ := parityDay(t)
	v := simulatorVenue(t, session)
	made := func() strategy.Strategy {
		return build(t, "gamma-scalping", map[string]any{"symbol": paritySymbol, "dte": 21, "min_dte": 14, "max_dte": 28, "open_interest": 0, "chain_range": 0.02,
			"every": "5m", "hedge_every": "0s", "pricing": "natural", "contracts": 3, "stop_theta": 0, "stop_vol_fall": 0, "band": 300})
	}
	r := runOptions(t, v, made())
	for i := 1; i <= 8; i++ {
		r.until(session.Open.Add(time.Duration(i) * 10 * time.Minute))
	}
	r.stop()
	first := r.orders()
	require.NotEmpty(t, first)
	held := func() (contracts, shares float64) {
		positions, err := v.broker.Positions(t.Context(), v.account)
		require.NoError(t, err)
		var legs []options.Leg
		for _, p := range positions {
			n := p.Quantity.InexactFloat64()
			if c, ok := p.Symbol.Contract(); ok {
				contracts += n
				legs = append(legs, options.Leg{Kind: c.Kind, Quantity: n, Strike: c.Strike, Years: 1})
				continue
			}
			shares = n
		}
		name, _ := options.Recognize(legs)
		assert.Equal(t, "long straddle", name)
		return contracts, shares
	}
	contracts, shares := held()
	assert.Equal(t, 6.0, contracts)
	assert.NotZero(t, shares, "hedged: %v", first)
	again := runOptions(t, v, made())
	for i := 9; i <= 16; i++ {
		again.until(session.Open.Add(time.Duration(i) * 10 * time.Minute))
	}
	again.stop()
	contracts, _ = held()
	assert.Equal(t, 6.0, contracts, "nothing was bought again: %v", again.orders())
	for _, o := range again.orders() {
		assert.NotContains(t, strings.ToUpper(o), "SPY   ", "only shares are traded: %v", again.orders())
	}
}
