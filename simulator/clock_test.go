package simulator_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

func TestAClockRunsStopsAndChangesItsSpeed(t *testing.T) {
	begin := time.Date(2026, 9, 16, 14, 0, 0, 0, time.UTC)
	wall := market.NewManualClock(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	c, err := simulator.NewClock(wall, begin, 60)
	require.NoError(t, err)
	wall.Advance(time.Second)
	assert.Equal(t, begin.Add(time.Minute), c.Now())
	c.Stop()
	wall.Advance(time.Hour)
	assert.Equal(t, begin.Add(time.Minute), c.Now())
	assert.True(t, c.Stopped())
	require.NoError(t, c.SetSpeed(2))
	c.Resume()
	wall.Advance(time.Second)
	assert.Equal(t, begin.Add(time.Minute+2*time.Second), c.Now())
	assert.Equal(t, 2.0, c.Speed())
	assert.Equal(t, begin, c.Start())
	for _, bad := range []float64{-1, 2e6} {
		_, err := simulator.NewClock(wall, begin, bad)
		assert.Error(t, err)
		assert.Error(t, c.SetSpeed(bad))
	}
}

func TestTimersFollowTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := simulator.NewClock(nil, time.Date(2026, 9, 16, 14, 0, 0, 0, time.UTC), 60)
		require.NoError(t, err)
		timer := c.NewTimer(time.Minute)
		time.Sleep(900 * time.Millisecond)
		synctest.Wait()
		select {
		case <-timer.C():
			t.Error("it fired too early")
		default:
		}
		c.Stop()
		time.Sleep(time.Hour)
		select {
		case <-timer.C():
			t.Error("it fired while the clock stood")
		default:
		}
		c.Resume()
		time.Sleep(101 * time.Millisecond)
		synctest.Wait()
		select {
		case at := <-timer.C():
			assert.WithinDuration(t, c.Start().Add(time.Minute), at, time.Second)
		default:
			t.Error("it did not fire")
		}
		assert.False(t, timer.Stop())
		assert.False(t, timer.Reset(time.Hour))
		assert.True(t, timer.Stop(), "it waited")
	})
}

const chainCSV = `time,underlying,expiry,strike,type,bid,ask,iv,delta,spot
2026-09-15 15:00,SPY,2026-10-16,650,C,15.00,15.20,0.15,0.60,655
2026-09-15 15:00,SPY,2026-10-16,650,P,8.00,8.20,0.15,-0.40,655
2026-09-16 10:00,SPY,2026-10-16,650,C,16.00,16.20,0.15,0.60,656
2026-09-16 10:00,SPY,2026-10-16,650,P,7.00,7.20,0.15,-0.40,656
2026-09-16 11:00,SPY,2026-10-16,650,C,17.00,17.20,0.15,0.62,657
`

func TestRecordedChainsAreReplayed(t *testing.T) {
	file, err := market.ReadChain(strings.NewReader(chainCSV), nil)
	require.NoError(t, err)
	require.Empty(t, file.Problems)
	clock, err := simulator.NewClock(nil, time.Date(2026, 9, 16, 14, 30, 0, 0, time.UTC), 1)
	require.NoError(t, err)
	clock.Stop()
	replay, err := simulator.NewReplay(simulator.ReplayOptions{Clock: clock, Chains: []*market.ChainFile{file}})
	require.NoError(t, err)
	c := start(t, func(o *simulator.Options) {
		o.Market, o.Clock, o.Accounts = replay, clock, []simulator.AccountState{{Number: simulator.DemoMargin, Margin: true, Cash: dollars(100_000)}}
	}).login()
	const call = "SPY   261016C00650000"
	quote := func() map[string]any {
		return c.items("/market-data/by-type?equity-option=" + strings.ReplaceAll(call, " ", "%20"))[0]
	}
	assert.Equal(t, "16.0", quote()["bid"])
	chain := c.items("/option-chains/SPY/nested")
	require.Len(t, chain, 1)
	expirations := chain[0]["expirations"].([]any)
	require.Len(t, expirations, 1, "those of the file alone")
	assert.NotEmpty(t, c.items("/option-chains/KO/nested"), "the rest is made")
	c.place(`{"order-type":"Limit","time-in-force":"Day","price":"17.20","price-effect":"Debit","legs":[
		{"action":"Buy to Open","instrument-type":"Equity Option","symbol":"` + call + `","quantity":1}]}`)
	c.step(time.Second)
	fill := c.items(margin + "/transactions")[0]
	assert.Equal(t, "16.2", fill["price"])
	c.step(time.Hour)
	assert.Equal(t, "17.0", quote()["bid"])
	status, _ := c.get("/instruments/equity-options/SPY%20%20%20261016C00655000")
	assert.Equal(t, 404, status, "not in the file")
	past, err := replay.ChainAt(market.ChainRequest{Underlying: "SPY"}, time.Date(2026, 9, 15, 20, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	assert.Equal(t, 15.0, past[0].Bid)
	_, err = replay.Quotes(context.Background(), []market.Symbol{call, "KO", "NOPE"})
	assert.Error(t, err)
	_, err = simulator.NewReplay(simulator.ReplayOptions{})
	assert.Error(t, err)
}

func TestNetLiquidatingValueFollowsTheTrades(t *testing.T) {
	c := start(t, func(o *simulator.Options) {
		o.Accounts = []simulator.AccountState{{Number: simulator.DemoMargin, Margin: true, Cash: dollars(100_000)}}
	}).login()
	c.step(time.Hour)
	c.place(`{"order-type":"Market","time-in-force":"Day","legs":[{"action":"Buy to Open","instrument-type":"Equity","symbol":"MSFT","quantity":100}]}`)
	c.step(2 * time.Hour)
	history := c.items(margin + "/net-liq/history?time-back=1d")
	require.NotEmpty(t, history)
	values := map[string]bool{}
	for _, point := range history {
		at, err := time.Parse("2006-01-02 15:04:05+00", point["time"].(string))
		require.NoError(t, err)
		if at.Before(c.market.Clock().Now().Add(-2 * time.Hour)) {
			assert.Equal(t, "100000.0", point["close"], "before the trade, at %v", at)
		} else {
			values[point["close"].(string)] = true
		}
	}
	assert.Greater(t, len(values), 5, "and then it moves with the shares")
	now := c.data(margin + "/net-liq")["net-liquidating-value"]
	assert.Equal(t, c.items(margin + "/balances")[0]["net-liquidating-value"], now)
}
