package strategy_test

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A scene is a position opened at 100 on January 6 at 10:00, and the market in
// which a policy is asked about it.
type scene struct {
	name   string
	uses   string
	params map[string]any
	at     time.Time
	spot   float64
	vol    float64
	events []market.Event
	says   string   // the reason
	sent   []string // what the orders after the first contain, in order; none: it holds
}

func event(kind market.EventKind, date, timing string, value float64) []market.Event {
	return []market.Event{{Symbol: "XYZ", Kind: kind, Date: day(date), Timing: timing, Value: value}}
}

var policyScenes = []scene{
	{name: "holds when nothing happens", uses: "condor", at: ny("2026-01-07", 10, 0), spot: 100, vol: 0.25},
	{name: "takes profit at a part of the credit", uses: "condor", params: map[string]any{"take_profit": 0.4}, at: ny("2026-01-07", 10, 0), spot: 100, vol: 0.17,
		says: "close: profit", sent: []string{"BTC 1 0206 105C"}},
	{name: "leaves a smaller profit", uses: "condor", params: map[string]any{"take_profit": 0.4}, at: ny("2026-01-07", 10, 0), spot: 100, vol: 0.23},
	{name: "stops at a multiple of the credit", uses: "condor", params: map[string]any{"stop_loss": 0.5}, at: ny("2026-01-07", 10, 0), spot: 106, vol: 0.30,
		says: "close: stop: a loss", sent: []string{"BTC 1 0206 105C"}},
	{name: "leaves a smaller loss", uses: "condor", params: map[string]any{"stop_loss": 2}, at: ny("2026-01-07", 10, 0), spot: 106, vol: 0.30},
	{name: "stops at the delta of what is sold", uses: "condor", params: map[string]any{"stop_delta": 0.5}, at: ny("2026-01-07", 10, 0), spot: 106, vol: 0.25,
		says: "close: stop: a delta of 0.5", sent: []string{"BTC 1 0206 105C"}},
	{name: "stops at a multiple of the delta at entry", uses: "condor", params: map[string]any{"stop_delta_times": 2}, at: ny("2026-01-07", 10, 0), spot: 107, vol: 0.25,
		says: "close: stop: a delta", sent: []string{"BTC 1 0206 105C"}},
	{name: "stops at a net delta of the unit", uses: "condor", params: map[string]any{"stop_net_delta": 0.2}, at: ny("2026-01-07", 10, 0), spot: 107, vol: 0.25,
		says: "a unit", sent: []string{"BTC 1 0206 105C"}},
	{name: "stops at a volatility", uses: "condor", params: map[string]any{"stop_vol": 0.4}, at: ny("2026-01-07", 10, 0), spot: 100, vol: 0.45,
		says: "close: stop: a volatility of 4", sent: []string{"BTC 1 0206 105C"}},
	{name: "closes days before expiry", uses: "condor", params: map[string]any{"close_dte": 7}, at: ny("2026-01-30", 10, 0), spot: 100, vol: 0.25,
		says: "close: last day: 7 days", sent: []string{"BTC 1 0206 105C"}},
	{name: "does not close a day earlier", uses: "condor", params: map[string]any{"close_dte": 7}, at: ny("2026-01-29", 10, 0), spot: 100, vol: 0.25},
	{name: "closes minutes before expiry", uses: "condor", params: map[string]any{"close_before": "30m"}, at: ny("2026-02-06", 15, 31), spot: 104.5, vol: 0.60,
		says: "the last minutes", sent: []string{"BTC 1 0206 105C"}},
	{name: "lets it live until then", uses: "condor", params: map[string]any{"close_before": "30m"}, at: ny("2026-02-06", 15, 29), spot: 104.5, vol: 0.60},
	{name: "rolls at days to expiry into the next expiry for a credit", uses: "put", params: map[string]any{"roll_dte": 10}, at: ny("2026-01-27", 10, 0), spot: 99, vol: 0.25,
		says: "roll: roll: 10 days", sent: []string{"BTC 1 0206 95P, STO 1 0306 94P"}},
	{name: "rolls when a delta is reached", uses: "put", params: map[string]any{"roll_delta": 0.45, "roll_credit": false}, at: ny("2026-01-27", 10, 0), spot: 95, vol: 0.25,
		says: "roll: roll: a delta of 0.4", sent: []string{"BTC 1 0206 95P, STO 1 0306 90P"}},
	{name: "rolls when the strike is tested", uses: "put", params: map[string]any{"roll_tested": true, "roll_credit": false}, at: ny("2026-01-27", 10, 0), spot: 94.9, vol: 0.25,
		says: "is tested at 94.90", sent: []string{"BTC 1 0206 95P, STO 1 0306 90P"}},
	{name: "rolls no more often than allowed", uses: "put", params: map[string]any{"roll_tested": true, "max_rolls": 0}, at: ny("2026-01-27", 10, 0), spot: 94.9, vol: 0.25},
	{name: "does not pay for a roll", uses: "put", params: map[string]any{"roll_tested": true}, at: ny("2026-02-05", 10, 0), spot: 86, vol: 0.15,
		says: "not rolled: it would cost"},
	{name: "pays for a roll when it may", uses: "put", params: map[string]any{"roll_tested": true, "roll_credit": false}, at: ny("2026-02-05", 10, 0), spot: 86, vol: 0.15,
		sent: []string{"BTC 1 0206 95P, STO 1 0306 81P"}},
	{name: "rolls four legs in one order", uses: "spread", params: map[string]any{"roll_dte": 10}, at: ny("2026-01-27", 10, 0), spot: 99, vol: 0.35,
		sent: []string{"BTC 1 0206 95P, STC 1 0206 90P, BTO 1 0306 89P, STO 1 0306 94P"}},
	{name: "rolls eight legs in two orders", uses: "condor", params: map[string]any{"roll_dte": 14}, at: ny("2026-01-23", 10, 0), spot: 100, vol: 0.25,
		sent: []string{"BTC 1 0206 105C, BTC 1 0206 95P, STC 1 0206 110C, STC 1 0206 90P", "BTO 1 0306 110C, BTO 1 0306 90P, STO 1 0306 105C, STO 1 0306 95P"}},
	{name: "defends by rolling the untested side", uses: "condor", params: map[string]any{"defend_delta": 0.4}, at: ny("2026-01-07", 10, 0), spot: 104.5, vol: 0.25,
		says: "defend: defence: the call side is tested", sent: []string{"BTC 1 0206 95P, STC 1 0206 90P, BTO 1 0206 96P, STO 1 0206 101P"}},
	{name: "never defends across the tested strike", uses: "condor", params: map[string]any{"defend_delta": 0.4, "defend_to": 0.7}, at: ny("2026-01-07", 10, 0), spot: 104.5, vol: 0.25,
		sent: []string{"BTC 1 0206 95P, STC 1 0206 90P, BTO 1 0206 100P, STO 1 0206 105P"}},
	{name: "does not defend what is not tested", uses: "condor", params: map[string]any{"defend_delta": 0.4}, at: ny("2026-01-07", 10, 0), spot: 102, vol: 0.25},
	{name: "closes before earnings in the morning", uses: "condor", params: map[string]any{"before_earnings": 1}, at: ny("2026-01-14", 10, 0), spot: 100, vol: 0.25,
		events: event(market.Earnings, "2026-01-15", "before open", nan), says: "close: earnings: earnings on 2026-01-15", sent: []string{"BTC 1 0206 105C"}},
	{name: "holds through the day of earnings in the evening", uses: "condor", params: map[string]any{"before_earnings": 1}, at: ny("2026-01-14", 10, 0), spot: 100, vol: 0.25,
		events: event(market.Earnings, "2026-01-15", "after close", nan)},
	{name: "closes on the day of earnings in the evening", uses: "condor", params: map[string]any{"before_earnings": 1}, at: ny("2026-01-15", 10, 0), spot: 100, vol: 0.25,
		events: event(market.Earnings, "2026-01-15", "after close", nan), says: "close: earnings", sent: []string{"BTC 1 0206 105C"}},
	{name: "closes sessions before earnings of unknown time, over a weekend", uses: "condor", params: map[string]any{"before_earnings": 2}, at: ny("2026-01-15", 10, 0), spot: 100, vol: 0.25,
		events: event(market.Earnings, "2026-01-20", "", nan), says: "close: earnings", sent: []string{"BTC 1 0206 105C"}},
	{name: "closes a call before an ex-dividend date", uses: "calls", at: ny("2026-01-30", 10, 0), spot: 112, vol: 0.20,
		events: event(market.Dividend, "2026-02-02", "", 1.0), says: "close: dividend: ex-dividend 2026-02-02", sent: []string{"BTC 1 0206 105C"}},
	{name: "holds a call with more time value than the dividend", uses: "calls", at: ny("2026-01-30", 10, 0), spot: 105.5, vol: 0.30,
		events: event(market.Dividend, "2026-02-02", "", 0.2)},
	{name: "holds a call out of the money before a dividend", uses: "calls", at: ny("2026-01-30", 10, 0), spot: 104, vol: 0.20,
		events: event(market.Dividend, "2026-02-02", "", 1.0)},
	{name: "holds a call two sessions before the date", uses: "calls", at: ny("2026-01-29", 10, 0), spot: 112, vol: 0.20,
		events: event(market.Dividend, "2026-02-02", "", 1.0)},
	{name: "holds a call before a dividend when told to", uses: "calls", params: map[string]any{"before_dividend": false}, at: ny("2026-01-30", 10, 0), spot: 112, vol: 0.20,
		events: event(market.Dividend, "2026-02-02", "", 1.0)},
	{name: "rolls a call before a dividend when rolls are allowed", uses: "calls", params: map[string]any{"roll_dte": 3}, at: ny("2026-01-30", 10, 0), spot: 112, vol: 0.20,
		events: event(market.Dividend, "2026-02-02", "", 1.0), says: "not rolled: it would cost"},
}

// settings are positions whose strikes are known: 95 and 105 sold, 90 and 110
// bought, all on February 6.
func (s scene) setting() (string, map[string]any) {
	p := map[string]any{"symbol": "XYZ", "dte": 30, "min_dte": 20, "max_dte": 45, "contracts": 1, "pricing": "natural", "take_profit": 0, "wait": 30}
	name := ""
	switch s.uses {
	case "condor":
		name, p = "iron-condor", condor(map[string]any{"pricing": "natural", "wait": 30, "max_dte": 45})
	case "put":
		name = "cash-secured-put"
		p["moneyness"], p["band_days"] = 0.95, 0
	case "spread":
		name = "bull-put-spread"
		p["moneyness"], p["width"], p["stop_delta"], p["stop_vol"], p["strike_range"] = 0.95, 5, 0, 0, 0
	case "calls":
		name = "bear-call-spread"
		p["moneyness"], p["width"], p["stop_delta"], p["stop_vol"], p["strike_range"] = 1.05, 5, 0, 0, 0
	}
	for k, v := range s.params {
		p[k] = v
	}
	return name, p
}

func TestPoliciesActWhenTheyShouldAndOnlyThen(t *testing.T) {
	for _, sc := range policyScenes {
		t.Run(sc.name, func(t *testing.T) {
			name, params := sc.setting()
			b := newOptionBench(t, build(t, name, params), ny("2026-01-06", 9, 0), benchOptions{}).start()
			b.data.events = sc.events
			at := ny("2026-01-06", 10, 0)
			b.chain(at, 100, plain().at(at, 100))
			require.Len(t, b.sent, 1, b.notes)
			now := plain()
			now.Vol = sc.vol
			b.chain(sc.at, sc.spot, now.live(sc.at).at(sc.at, sc.spot))
			require.Len(t, b.sent[1:], len(sc.sent), "%v\n%v", b.sent, b.notes)
			for i, want := range sc.sent {
				assert.Contains(t, b.sent[1+i], want)
			}
			if sc.says != "" {
				assert.True(t, b.said(sc.says), b.notes)
			}
		})
	}
}

func TestNothingIsOpenedBeforeEarnings(t *testing.T) {
	at := ny("2026-01-06", 10, 0)
	b := newOptionBench(t, build(t, "iron-condor", condor(map[string]any{"before_earnings": 3})), ny("2026-01-06", 9, 0), benchOptions{}).start()
	b.data.events = event(market.Earnings, "2026-01-08", "after close", nan)
	b.chain(at, 100, plain().at(at, 100))
	assert.Empty(t, b.sent)
	assert.True(t, b.said("nothing is opened before earnings on 2026-01-08"), b.notes)
	b.chain(ny("2026-01-09", 10, 0), 100, plain().at(ny("2026-01-09", 10, 0), 100))
	assert.Len(t, b.sent, 1, "the day after")
}

func TestAssignedSharesOfASpreadAreSoldWithWhatIsLeft(t *testing.T) {
	name, params := scene{uses: "spread"}.setting()
	b := newOptionBench(t, build(t, name, params), ny("2026-01-06", 9, 0), benchOptions{}).start()
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 100, plain().at(at, 100))
	require.Equal(t, []string{"-1 0206 95P", "1 0206 90P"}, b.held())
	b.until(ny("2026-01-07", 8, 0))
	_, err := b.x.Assign("XYZ   260206P00095000", 1)
	require.NoError(t, err)
	b.drain()
	require.Equal(t, []string{"1 0206 90P", "100 XYZ"}, b.held())
	assert.Len(t, b.sent, 1, "the market is closed")
	b.chain(ny("2026-01-07", 10, 0), 92, plain().at(ny("2026-01-07", 10, 0), 92))
	assert.Empty(t, b.held(), b.sent)
	assert.True(t, b.said("100 shares were assigned"), b.notes)
}

func TestAssignmentCanBeKept(t *testing.T) {
	name, params := scene{uses: "put"}.setting()
	params["assigned"] = "keep"
	b := newOptionBench(t, build(t, name, params), ny("2026-01-06", 9, 0), benchOptions{}).start()
	at := ny("2026-01-06", 10, 0)
	b.chain(at, 100, plain().at(at, 100))
	_, err := b.x.Assign("XYZ   260206P00095000", 1)
	require.NoError(t, err)
	b.drain()
	b.chain(ny("2026-01-07", 10, 0), 92, plain().at(ny("2026-01-07", 10, 0), 92))
	assert.Equal(t, []string{"100 XYZ"}, b.held())
}

func TestAnAssignmentEndsWhatWasUnderWay(t *testing.T) {
	name, params := scene{uses: "put"}.setting()
	params["pricing"], params["take_profit"], params["reprice"] = "mid", 0.5, "0s"
	b := newOptionBench(t, build(t, name, params), ny("2026-01-06", 9, 0), benchOptions{
		Positions: []paper.Position{{Symbol: "XYZ   260206P00095000", Quantity: decimal.NewFromInt(-1), AverageOpenPrice: decimal.RequireFromString("1.20")}}}).start()
	at := ny("2026-01-06", 10, 0)
	calm := plain()
	calm.Vol = 0.15
	b.chain(at, 100, calm.at(at, 100))
	require.Len(t, b.sent, 1)
	require.True(t, b.s.Busy(), "a limit to buy it back works")
	_, err := b.x.Assign("XYZ   260206P00095000", 1)
	require.NoError(t, err)
	b.drain()
	b.chain(at.Add(time.Minute), 100, calm.at(at.Add(time.Minute), 100))
	b.until(at.Add(time.Hour))
	assert.Empty(t, b.held(), "the limit is withdrawn and the shares are sold: %v", b.sent)
}

func TestTheEndOfAPositionIsFollowedByAWait(t *testing.T) {
	name, params := scene{uses: "put"}.setting()
	params["take_profit"], params["wait"] = 0.5, 2
	b := newOptionBench(t, build(t, name, params), ny("2026-01-06", 9, 0), benchOptions{}).start()
	calm := plain()
	calm.Vol = 0.15
	var lens []int
	for _, date := range []string{"2026-01-06", "2026-01-07", "2026-01-08", "2026-01-09"} {
		at := ny(date, 10, 0)
		if date == "2026-01-06" {
			b.chain(at, 100, plain().at(at, 100))
		} else {
			b.chain(at, 100, calm.at(at, 100))
		}
		lens = append(lens, len(b.sent))
	}
	assert.Equal(t, []int{1, 2, 2, 3}, lens, "opened, closed, waiting, opened")
}

func TestEntriesAreCountedAndKeptToTheirHours(t *testing.T) {
	name, params := scene{uses: "put"}.setting()
	params["take_profit"], params["wait"], params["entries"], params["enter_after"], params["enter_until"] = 0.5, 0, 1, "1h", "2h"
	b := newOptionBench(t, build(t, name, params), ny("2026-01-06", 9, 0), benchOptions{}).start()
	calm := plain()
	calm.Vol = 0.15
	b.chain(ny("2026-01-06", 10, 29), 100, plain().at(ny("2026-01-06", 10, 29), 100))
	assert.Empty(t, b.sent, "too early")
	b.chain(ny("2026-01-06", 11, 31), 100, plain().at(ny("2026-01-06", 11, 31), 100))
	assert.Empty(t, b.sent, "too late")
	b.chain(ny("2026-01-07", 10, 30), 100, plain().at(ny("2026-01-07", 10, 30), 100))
	assert.Len(t, b.sent, 1)
	b.chain(ny("2026-01-07", 10, 40), 100, calm.at(ny("2026-01-07", 10, 40), 100))
	assert.Len(t, b.sent, 2, "closed with a profit")
	b.chain(ny("2026-01-08", 10, 40), 100, calm.at(ny("2026-01-08", 10, 40), 100))
	assert.Len(t, b.sent, 2, "it was the only entry")
}

func TestParametersThatContradictEachOtherAreRefused(t *testing.T) {
	tests := []struct{ name, params, field string }{
		{"iron-condor", `{"min_dte": 40, "max_dte": 30}`, "min_dte"},
		{"iron-condor", `{"contracts": 0, "capital": 0, "max_risk": 0}`, "contracts"},
		{"iron-condor", `{"put_moneyness": 1.1, "call_moneyness": 1.05}`, "put_moneyness"},
		{"iron-condor", `{"wing_delta": 0, "width": 0}`, "width"},
		{"iron-condor", `{"roll_dte": 3, "close_dte": 5}`, "roll_dte"},
		{"iron-condor", `{"defend_delta": 0.4, "defend_to": 0}`, "defend_to"},
		{"iron-condor", `{"symbol": "BTC/USD"}`, "symbol"},
		{"iron-condor", `{"enter_after": "2h", "enter_until": "1h"}`, "enter_until"},
		{"bull-put-spread", `{"moneyness": 0.95, "far_moneyness": 0.97}`, "far_moneyness"},
		{"bear-call-spread", `{"moneyness": 1.05, "far_moneyness": 1.03}`, "far_moneyness"},
		{"bull-put-spread", `{"delta": 0.2, "far_delta": 0.3}`, "far_delta"},
		{"bull-put-spread", `{"width": 0}`, "width"},
		{"calendar", `{"back_min_dte": 70, "back_max_dte": 60}`, "back_min_dte"},
		{"calendar", `{"back_min_dte": 10, "back_max_dte": 20}`, "back_max_dte"},
		{"gamma-scalping", `{"structure": "calls", "call_moneyness": 0}`, "call_moneyness"},
		{"cash-secured-put", `{"min_delta": 0.5, "max_delta": 0.3}`, "min_delta"},
		{"wheel", `{"min_yield": 2, "max_yield": 1}`, "min_yield"},
		{"collar", `{"put_moneyness": 1.1, "call_moneyness": 1.0}`, "put_moneyness"},
		{"short-strangle", `{"put_moneyness": 1.1, "call_moneyness": 1.0}`, "put_moneyness"},
	}
	for _, tt := range tests {
		d, err := strategy.Lookup(tt.name)
		require.NoError(t, err)
		_, err = d.New([]byte(tt.params))
		var field *strategy.FieldError
		require.ErrorAs(t, err, &field, "%s %s", tt.name, tt.params)
		assert.Equal(t, tt.field, field.Field, "%s %s", tt.name, tt.params)
	}
}
