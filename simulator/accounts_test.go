package simulator_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

func symbolOf(s string) market.Symbol { return market.Symbol(s) }

func amount(t *testing.T, item map[string]any, name string) decimal.Decimal {
	t.Helper()
	text, ok := item[name].(string)
	require.True(t, ok, "%s is a string", name)
	d, err := decimal.NewFromString(text)
	require.NoError(t, err)
	return d
}

func TestDemoAccountsAddUp(t *testing.T) {
	c := start(t, nil).login()
	for _, account := range c.sim.Credentials().Accounts {
		balance := c.items("/accounts/" + account + "/balances")[0]
		total := amount(t, balance, "cash-balance")
		kinds := map[string]bool{}
		for _, p := range c.items("/accounts/" + account + "/positions?include-marks=true") {
			value := amount(t, p, "mark")
			quantity, err := p["quantity"].(json.Number).Int64()
			require.NoError(t, err)
			multiplier, err := p["multiplier"].(json.Number).Int64()
			require.NoError(t, err)
			assert.True(t, value.Equal(amount(t, p, "mark-price").Mul(decimal.NewFromInt(quantity*multiplier))), "mark is the whole value: %v", p)
			if p["quantity-direction"] == "Short" {
				value = value.Neg()
			}
			total = total.Add(value)
			kinds[p["instrument-type"].(string)+" "+p["quantity-direction"].(string)] = true
		}
		assert.True(t, total.Equal(amount(t, balance, "net-liquidating-value")), "%s: %s", account, total)
		assert.Equal(t, map[string]bool{"Equity Long": true, "Equity Option Short": true}, kinds)
		excess := amount(t, balance, "margin-equity").Sub(amount(t, balance, "maintenance-requirement"))
		assert.True(t, excess.Equal(amount(t, balance, "maintenance-excess")))
		assert.True(t, amount(t, balance, "derivative-buying-power").IsPositive(), "the demo accounts can trade")
	}
}

func TestPositionsWithoutMarksUnlessAskedFor(t *testing.T) {
	c := start(t, nil).login()
	for _, p := range c.items("/accounts/" + simulator.DemoMargin + "/positions") {
		assert.NotContains(t, p, "mark-price")
	}
	only := c.items("/accounts/" + simulator.DemoMargin + "/positions?underlying-symbol[]=SPY")
	require.Len(t, only, 1)
	assert.Equal(t, "SPY", only[0]["underlying-symbol"])
}

func TestDemoPositionsDoNotDependOnWhenTheyAreFirstAskedFor(t *testing.T) {
	early := start(t, nil).login()
	late := start(t, nil).login()
	late.clock.Advance(3 * time.Hour)
	for i, p := range early.items("/accounts/" + simulator.DemoMargin + "/positions") {
		q := late.items("/accounts/" + simulator.DemoMargin + "/positions")[i]
		for _, name := range []string{"symbol", "quantity", "average-open-price", "created-at"} {
			assert.Equal(t, p[name], q[name])
		}
	}
}

// A margin account by hand: 100 shares and a naked put on them. The
// requirements follow Regulation T and FINRA Rule 4210.
func TestMarginIsThatOfTheRules(t *testing.T) {
	put := market.Symbol("AAPL  261016P00220000")
	c := start(t, func(o *simulator.Options) {
		o.Accounts = []simulator.AccountState{{
			Number: "1", Margin: true, Cash: decimal.NewFromInt(50_000),
			Positions: []simulator.PositionState{
				{Symbol: "AAPL", Quantity: decimal.NewFromInt(100), AverageOpenPrice: decimal.NewFromInt(200)},
				{Symbol: put, Quantity: decimal.NewFromInt(-1), AverageOpenPrice: decimal.NewFromInt(5)},
			},
		}}
	}).login()
	balance := c.items("/accounts/1/balances")[0]
	quote := func(s market.Symbol) decimal.Decimal {
		q, err := c.market.QuoteAt(s, c.clock.Now())
		require.NoError(t, err)
		return decimal.NewFromFloat(q.Bid).Add(decimal.NewFromFloat(q.Ask)).Div(decimal.NewFromInt(2))
	}
	spot, premium := quote("AAPL"), quote(put)
	strike := decimal.NewFromInt(220)
	out := decimal.Max(spot.Sub(strike), decimal.Zero)
	naked := premium.Add(decimal.Max(spot.Mul(decimal.NewFromFloat(0.2)).Sub(out), strike.Mul(decimal.NewFromFloat(0.1))))
	hundred := decimal.NewFromInt(100)
	want := spot.Mul(hundred).Mul(decimal.NewFromFloat(0.25)).Add(naked.Mul(hundred))
	assert.True(t, want.Equal(amount(t, balance, "maintenance-requirement")), "want %s, got %s", want, balance["maintenance-requirement"])
	initial := spot.Mul(hundred).Mul(decimal.NewFromFloat(0.5)).Add(naked.Mul(hundred))
	free := decimal.NewFromInt(50_000).Add(spot.Mul(hundred)).Sub(initial)
	assert.True(t, free.Mul(decimal.NewFromInt(2)).Equal(amount(t, balance, "equity-buying-power")), "twice what is free")
}

func TestExpiredOptionsAreDelivered(t *testing.T) {
	call := market.Symbol("SPY   260918C00600000") // two days after the default day, deep in the money
	put := market.Symbol("SPY   260918P00500000")  // far out of it
	c := start(t, func(o *simulator.Options) {
		o.Accounts = []simulator.AccountState{{
			Number: "1", Margin: true, Cash: decimal.NewFromInt(60_000),
			Positions: []simulator.PositionState{
				{Symbol: call, Quantity: decimal.NewFromInt(-1), AverageOpenPrice: decimal.NewFromInt(50)},
				{Symbol: put, Quantity: decimal.NewFromInt(1), AverageOpenPrice: decimal.NewFromInt(1)},
			},
		}}
	}).login()
	require.Len(t, c.items("/accounts/1/positions"), 2)
	c.clock.Advance(5 * 24 * time.Hour)
	c.token = "" // the access token's life is the computer's time, not the market's: it must still do
	c.login()
	positions := c.items("/accounts/1/positions")
	require.Len(t, positions, 1, "the call was assigned, the put is worthless")
	assert.Equal(t, "SPY", positions[0]["symbol"])
	assert.Equal(t, "Short", positions[0]["quantity-direction"])
	assert.Equal(t, json.Number("100"), positions[0]["quantity"])
	types, sum := map[string]decimal.Decimal{}, decimal.NewFromInt(60_000)
	for _, tx := range c.items("/accounts/1/transactions") {
		value := amount(t, tx, "net-value")
		if tx["net-value-effect"] == "Debit" {
			value = value.Neg()
		}
		types[tx["transaction-sub-type"].(string)] = value
		sum = sum.Add(value)
	}
	assert.Contains(t, types, "Assignment")
	assert.Contains(t, types, "Expiration")
	assert.Contains(t, types, "Dividend", "SPY paid one, which the short shares owe")
	assert.True(t, types["Dividend"].IsNegative())
	cash := amount(t, c.items("/accounts/1/balances")[0], "cash-balance")
	assert.True(t, cash.Equal(sum), "the cash is what the transactions say: %s, %s", cash, sum)
	assert.True(t, cash.Sub(types["Dividend"]).Sub(decimal.NewFromInt(120_000)).Abs().LessThan(decimal.NewFromInt(10)), "100 shares were sold at 600, less fees: %s", cash)
}

func TestBadOptionsAreNamed(t *testing.T) {
	one := decimal.NewFromInt(1)
	tests := []struct {
		name    string
		options simulator.Options
		field   string
	}{
		{"a market without its clock", simulator.Options{Market: struct{ market.Source }{}}, "Clock"},
		{"two times at once", simulator.Options{RealClock: true, Speed: 2}, "RealClock"},
		{"a clock and a speed", simulator.Options{Clock: market.SystemClock(), Speed: 2}, "Clock"},
		{"a negative speed", simulator.Options{Speed: -1}, "Speed"},
		{"a negative rate", simulator.Options{RequestsPerSecond: -1}, "RequestsPerSecond"},
		{"negative candles", simulator.Options{Candles: -1}, "Candles"},
		{"an account without a number", simulator.Options{Accounts: []simulator.AccountState{{}}}, "Accounts[0].Number"},
		{"a number that is a path", simulator.Options{Accounts: []simulator.AccountState{{Number: "a/b"}}}, "Accounts[0].Number"},
		{"two accounts of one number", simulator.Options{Accounts: []simulator.AccountState{{Number: "1"}, {Number: "1"}}}, "Accounts[1].Number"},
		{"a position of nothing", simulator.Options{Accounts: []simulator.AccountState{{Number: "1", Positions: []simulator.PositionState{{Symbol: "SPY"}}}}}, "Accounts[0].Positions[0].Quantity"},
		{"a position without a symbol", simulator.Options{Accounts: []simulator.AccountState{{Number: "1", Positions: []simulator.PositionState{{Quantity: one}}}}}, "symbol"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := simulator.New(&tt.options)
			var field *simulator.FieldError
			require.ErrorAs(t, err, &field)
			assert.Equal(t, tt.field, field.Field)
		})
	}
}

func dollars(n int64) decimal.Decimal { return decimal.NewFromInt(n) }
