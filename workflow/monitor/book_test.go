package monitor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/workflow/monitor"
)

const (
	june500call = "SPY   260626C00500000"
	june500put  = "SPY   260626P00500000"
	spxPut      = "SPXW  260626P05000000"
)

// worth returns what a contract is worth at a spot and volatility at noon.
func worth(t *testing.T, symbol market.Symbol, spot, vol float64) float64 {
	t.Helper()
	c, ok := symbol.Contract()
	require.True(t, ok)
	expiry := options.ExpiryTime(c.Expiration, market.SettledPM, market.CboeOptions())
	return options.BSM{Spot: spot, Strike: c.Strike, Years: options.YearsToExpiry(noon, expiry), Vol: vol}.Price(c.Kind)
}

func mustSymbol(t *testing.T, text string) market.Symbol {
	t.Helper()
	s, err := market.ParseSymbol(text)
	require.NoError(t, err)
	return s
}

func TestGreeksAndProfitOfPositions(t *testing.T) {
	call := mustSymbol(t, june500call)
	mark := worth(t, call, 500, 0.2)
	held := []broker.Position{position("SPY", "SPY", 100, 490, 500), position(call, "SPY", -2, 9, mark)}
	want := held[0].Greeks(broker.Pricing{Time: noon, Spot: 500}).Plus(held[1].Greeks(broker.Pricing{Time: noon, Spot: 500}))
	pnl := 100*10.0 - 200*(mark-9)
	for metric, tt := range map[monitor.Metric]struct{ one, all float64 }{
		monitor.MetricDelta:      {want.Delta, want.Delta * 500},
		monitor.MetricGamma:      {want.Gamma, want.Gamma * 500 * 500 / 100},
		monitor.MetricTheta:      {want.Theta, want.Theta},
		monitor.MetricVega:       {want.Vega, want.Vega},
		monitor.MetricPnL:        {pnl, pnl},
		monitor.MetricPnLDay:     {pnl, pnl},
		monitor.MetricPnLPercent: {100 * pnl / (100*490 + 200*9), 100 * pnl / (100*490 + 200*9)},
	} {
		c := newCore(t, nil)
		for i, x := range []float64{tt.one, tt.one, tt.all, tt.all} {
			rule := fmt.Sprintf(`{"kind":"position","metric":%q,"symbol":"SPY","account":"A1","op":"above","value":%v}`, metric, x-1e-6)
			switch i {
			case 1:
				rule = fmt.Sprintf(`{"kind":"position","metric":%q,"symbol":"SPY","op":"above","value":%v}`, metric, x+1e-6)
			case 2:
				rule = fmt.Sprintf(`{"kind":"position","metric":%q,"op":"below","value":%v}`, metric, x+1e-6)
			case 3:
				rule = fmt.Sprintf(`{"kind":"position","metric":%q,"op":"below","value":%v}`, metric, x-1e-6)
			}
			add(t, c, fmt.Sprint(i), rule)
		}
		require.ElementsMatch(t, []market.Symbol{}, c.Symbols(), "nothing is held yet")
		c.Quote(last("SPY", 500), noon)
		fired := c.Positions("anna", "A1", held, noon)
		fired = append(slices.Clone(fired), c.Quote(last("SPY", 500), noon)...)
		var ids []string
		for _, f := range fired {
			ids = append(ids, f.Rule)
		}
		assert.ElementsMatch(t, []string{"0", "2"}, ids, "%s: within a millionth of %v and %v", metric, tt.one, tt.all)
		assert.ElementsMatch(t, []market.Symbol{"SPY", call}, c.Symbols(), "what is held needs quotes")
	}
}

func TestDeltaIsFollowedTickByTick(t *testing.T) {
	call := mustSymbol(t, june500call)
	c := newCore(t, &monitor.CoreOptions{Grain: -1})
	rng := rand.New(rand.NewPCG(5, 5))
	held := position(call, "SPY", 10, 9, worth(t, call, 500, 0.2))
	spot, vol := 500.0, 0.2
	add(t, c, "watch", `{"kind":"price","symbol":"SPY","op":"above","value":1e6}`)
	c.Quote(last("SPY", spot), noon)
	c.Positions("anna", "A1", []broker.Position{held}, noon)
	vol, err := options.BSM{Spot: spot, Strike: 500, Years: years(t, call)}.ImpliedVol(options.Call, held.Mark.InexactFloat64())
	require.NoError(t, err)
	delta := func() float64 {
		return 1000 * options.BSM{Spot: spot, Strike: 500, Years: years(t, call), Vol: vol}.Greeks(options.Call).Delta
	}
	fires := 0
	add(t, c, "r", `{"kind":"position","metric":"delta","symbol":"SPY","op":"cross","value":540,"mode":"repeat"}`)
	side := math.Copysign(1, delta()-540)
	for i := range 3000 {
		spot = math.Round((spot+0.4*rng.NormFloat64())*100) / 100
		want := 0
		if d := delta(); side < 0 && d >= 540 || side > 0 && d <= 540 {
			want, side = 1, -side
		}
		got := len(c.Quote(last("SPY", spot), noon.Add(time.Duration(i)*time.Millisecond)))
		require.Equal(t, want, got, "tick %d at %v: delta %v", i, spot, delta())
		fires += got
	}
	require.Greater(t, fires, 5)
}

func years(t *testing.T, s market.Symbol) float64 {
	t.Helper()
	c, _ := s.Contract()
	return options.YearsToExpiry(noon, options.ExpiryTime(c.Expiration, market.SettledPM, market.CboeOptions()))
}

func TestAMoveWithinTheGrainIsSeenAtTheNextRefresh(t *testing.T) {
	c := newCore(t, &monitor.CoreOptions{Grain: 0.01, Refresh: 3 * time.Second})
	add(t, c, "r", `{"kind":"position","metric":"pnl","op":"above","value":100}`)
	c.Positions("anna", "A1", []broker.Position{position("SPY", "SPY", 100, 500, 500)}, noon)
	c.Quote(last("SPY", 500), noon)
	require.Empty(t, c.Quote(last("SPY", 502), noon.Add(time.Second)), "four tenths of a percent")
	require.Empty(t, c.Advance(noon.Add(2*time.Second)))
	require.Len(t, c.Advance(noon.Add(3*time.Second)), 1)
}

func subjects(fired []monitor.Firing) []string {
	var out []string
	for _, f := range fired {
		out = append(out, f.Subject)
	}
	slices.Sort(out)
	return out
}

func TestBreachOfAShortStrike(t *testing.T) {
	call, put := mustSymbol(t, june500call), mustSymbol(t, june500put)
	c := newCore(t, nil)
	add(t, c, "at", `{"kind":"short_strike"}`)
	add(t, c, "near", `{"kind":"short_strike","symbol":"SPY","percent":1}`)
	long := mustSymbol(t, "SPY   260626C00490000")
	fired := c.Positions("anna", "A1", []broker.Position{position(call, "SPY", -1, 9, 9), position(put, "SPY", -1, 9, 9), position(long, "SPY", 1, 12, 12)}, noon)
	require.Empty(t, fired)
	fired = c.Quote(last("SPY", 480), noon)
	assert.Equal(t, []string{"A1 " + string(put), "A1 " + string(put)}, subjects(fired), "the put is in the money at once, long options do not count")
	fired = c.Quote(last("SPY", 495), noon.Add(time.Second))
	require.Len(t, fired, 1)
	assert.Equal(t, "near", fired[0].Rule)
	assert.Equal(t, "A1 "+string(call), fired[0].Subject)
	fired = c.Quote(last("SPY", 500), noon.Add(2*time.Second))
	require.Len(t, fired, 1)
	assert.InDelta(t, 500, fired[0].Threshold, 0)
	after(c, noon.Add(3*time.Second), 480, 505)
	require.Equal(t, 2, c.Len(), "the rules wait for other positions")
	require.Empty(t, after(c, noon.Add(9*time.Second), 480, 505), "once for each position")

	// the same positions again change nothing, a new one is watched
	again := []broker.Position{position(call, "SPY", -1, 9, 9), position(mustSymbol(t, "SPY   260626C00520000"), "SPY", -1, 5, 5)}
	require.Empty(t, c.Positions("anna", "A1", again, noon.Add(20*time.Second)))
	require.Len(t, c.Quote(last("SPY", 522), noon.Add(21*time.Second)), 2)
}

func TestAShortStrikeBreachedInAGap(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "r", `{"kind":"short_strike"}`)
	c.Positions("anna", "A1", []broker.Position{position(mustSymbol(t, june500call), "SPY", -1, 9, 9)}, noon)
	c.Quote(last("SPY", 490), noon)
	gap := market.StreamGap{From: noon.Add(time.Second), To: noon.Add(2 * time.Minute)}
	fired := c.Gap("SPY", market.Minute, []market.Bar{bar(noon.Add(time.Minute), 490, 501, 489, 490)}, gap, gap.To)
	require.Len(t, fired, 1)
	require.NotNil(t, fired[0].Bar)
}

func TestDaysAndTimeToExpiration(t *testing.T) {
	call := mustSymbol(t, june500call) // expires Friday 26 June 2026 at 16:00 New York
	c := newCore(t, nil)
	add(t, c, "21", `{"kind":"dte","days":21}`)
	add(t, c, "0", `{"kind":"dte","days":0,"symbol":"SPY"}`)
	add(t, c, "near", `{"kind":"expiry","within":"3h"}`)
	require.Empty(t, c.Positions("anna", "A1", []broker.Position{position(call, "SPY", 1, 9, 9), position("SPY", "SPY", 1, 9, 9)}, noon))
	ny := market.NYSE().Location()
	for _, tt := range []struct {
		rule string
		at   time.Time
	}{
		{"21", time.Date(2026, 6, 5, 0, 0, 0, 0, ny)},
		{"0", time.Date(2026, 6, 26, 0, 0, 0, 0, ny)},
		{"near", time.Date(2026, 6, 26, 13, 0, 0, 0, ny)},
	} {
		require.Empty(t, c.Advance(tt.at.Add(-time.Second)), tt.rule)
		fired := c.Advance(tt.at)
		require.Len(t, fired, 1, tt.rule)
		assert.Equal(t, tt.rule, fired[0].Rule)
		assert.Equal(t, "A1 "+string(call), fired[0].Subject)
	}
	c = newCore(t, nil)
	add(t, c, "r", `{"kind":"dte","days":30}`)
	require.Len(t, c.Positions("anna", "A1", []broker.Position{position(call, "SPY", 1, 9, 9)}, noon), 1, "it holds already")
}

func TestEarlyAssignment(t *testing.T) {
	call, put, index := mustSymbol(t, june500call), mustSymbol(t, june500put), mustSymbol(t, spxPut)
	for name, tt := range map[string]struct {
		symbol     market.Symbol
		quantity   float64
		spot, mark float64
		dividend   float64 // with its ex-date in two days
		rate       float64
		want       bool
	}{
		"call with time value":                      {call, -1, 520, 22, 0, 0, false},
		"call at its intrinsic value":               {call, -1, 520, 20, 0, 0, true},
		"call whose time value is below a dividend": {call, -1, 520, 21, 1.8, 0, true},
		"call out of the money before a dividend":   {call, -1, 495, 1, 1.8, 0, false},
		"long call": {call, 1, 520, 20, 1.8, 0, false},
		"put with time value beyond its interest": {put, -1, 480, 22, 0, 0.04, false},
		"put whose interest is worth more":        {put, -1, 440, 60.5, 0, 0.04, true}, // 500·(1−e^(−0.04·23/365)) = 1.26
		"European index option":                   {index, -1, 4000, 1000, 0, 0.04, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCore(t, &monitor.CoreOptions{Rate: tt.rate})
			contract, _ := tt.symbol.Contract()
			u := contract.Underlying()
			add(t, c, "r", `{"kind":"assignment"}`)
			c.Quote(last(u, tt.spot), noon)
			fired := slices.Clone(c.Positions("anna", "A1", []broker.Position{position(tt.symbol, u, tt.quantity, 9, tt.mark)}, noon))
			if tt.quantity < 0 {
				require.Equal(t, []market.Symbol{u}, c.EventSymbols())
			}
			if tt.dividend > 0 {
				e := market.Event{Symbol: u, Kind: market.Dividend, Date: market.Date{Year: 2026, Month: 6, Day: 5}, Value: tt.dividend}
				fired = append(fired, c.Events(u, []market.Event{e}, noon)...)
			}
			fired = append(fired, c.Quote(last(u, tt.spot), noon.Add(time.Second))...)
			assert.Equal(t, tt.want, len(fired) == 1, "%v", fired)
		})
	}
}

func TestExDividendRisk(t *testing.T) {
	call := mustSymbol(t, june500call)
	ex := market.Event{Symbol: "SPY", Kind: market.Dividend, Date: market.Date{Year: 2026, Month: 6, Day: 10}, Value: 1.8}
	c := newCore(t, nil)
	add(t, c, "r", `{"kind":"ex_dividend","days":5,"mode":"repeat"}`)
	c.Quote(last("SPY", 490), noon)
	c.Positions("anna", "A1", []broker.Position{position(call, "SPY", -1, 9, 12)}, noon)
	require.Empty(t, c.Events("SPY", []market.Event{ex}, noon))
	require.Empty(t, c.Quote(last("SPY", 510), noon.Add(time.Minute)), "a week is too far ahead")
	fifth := time.Date(2026, 6, 5, 14, 0, 0, 0, time.UTC)
	fired := c.Advance(fifth)
	require.Len(t, fired, 1)
	assert.InDelta(t, 5, fired[0].Value, 0, "days")
	require.Empty(t, c.Quote(last("SPY", 495), fifth.Add(time.Minute)), "out of the money there is no risk")
	require.Len(t, c.Quote(last("SPY", 505), fifth.Add(2*time.Minute)), 1, "and in the money there is again")
}

func TestBuyingPower(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "bp", `{"kind":"buying_power","op":"below","value":5000}`)
	add(t, c, "cash", `{"kind":"buying_power","metric":"cash","account":"B2","op":"below","value":0}`)
	money := func(account broker.AccountID, power, cash float64) broker.Balances {
		p, m := decimal.NewFromFloat(power), decimal.NewFromFloat(cash)
		return broker.Balances{Account: account, DerivativeBuyingPower: &p, Cash: &m}
	}
	require.Empty(t, c.Balances("anna", money("A1", 6000, -10), noon))
	require.Empty(t, c.Balances("anna", broker.Balances{Account: "A1"}, noon), "unknown is not zero")
	assert.Equal(t, []string{"A1"}, subjects(c.Balances("anna", money("A1", 4000, 10), noon)))
	assert.Equal(t, []string{"B2", "B2"}, subjects(c.Balances("anna", money("B2", 4000, -1), noon)), "each account by itself")
}

func TestOncePerPositionSurvivesARestart(t *testing.T) {
	call := mustSymbol(t, june500call)
	held := []broker.Position{position(call, "SPY", -1, 9, 9)}
	rule := parse(t, `{"kind":"short_strike"}`)
	first := newCore(t, nil)
	_, err := first.Add("anna", "r", rule, noon, nil, noon)
	require.NoError(t, err)
	require.Empty(t, first.Positions("anna", "A1", held, noon))
	fired := first.Quote(last("SPY", 505), noon)
	require.Len(t, fired, 1)
	state := fired[0].State
	require.False(t, state.Done)

	second := newCore(t, nil)
	_, err = second.Add("anna", "r", rule, noon, &state, noon)
	require.NoError(t, err)
	kept, ok := second.State("anna", "r")
	require.True(t, ok)
	require.Equal(t, state.Watches, kept.Watches, "also before the positions are known")
	require.Empty(t, second.Positions("anna", "A1", held, noon))
	require.Empty(t, second.Quote(last("SPY", 507), noon))
}

func TestPositionsThatAreGoneAreNotWatched(t *testing.T) {
	c := newCore(t, nil)
	add(t, c, "r", `{"kind":"short_strike","mode":"repeat"}`)
	p := position(mustSymbol(t, june500call), "SPY", -1, 9, 9)
	c.Positions("anna", "A1", []broker.Position{p}, noon)
	c.Quote(last("SPY", 490), noon)
	p.Quantity = decimal.Zero
	require.Empty(t, c.Position("anna", p, noon))
	require.Empty(t, c.Quote(last("SPY", 505), noon))
	require.Empty(t, c.Symbols())
	c.Quote(last("SPY", 505), noon)
	p.Quantity = decimal.NewFromInt(-3)
	require.Len(t, c.Position("anna", p, noon), 1)
}
