package strategy_test

import (
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/strategy"
)

// A moment of the made market.
type moment struct {
	at     time.Time
	spot   float64
	quotes []market.OptionQuote
}

const madeSymbol = market.Symbol("IWM")

// made are 21 sessions of the made market, three moments each, the last in the
// last minutes.
var made = sync.OnceValues(func() ([]moment, error) {
	start := ny("2026-09-01", 9, 0)
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: market.NewManualClock(start), Symbols: []market.Symbol{madeSymbol}})
	if err != nil {
		return nil, err
	}
	var out []moment
	session := market.NYSE().Next(start)
	for range 21 {
		for _, at := range []time.Time{session.Open.Add(30 * time.Minute), session.Open.Add(3 * time.Hour), session.Close.Add(-10 * time.Minute)} {
			spot, err := m.QuoteAt(madeSymbol, at)
			if err != nil {
				return nil, err
			}
			var dates []market.Date
			for d := session.Date; session.Date.DaysUntil(d) <= 66; d = d.AddDays(1) {
				if days := session.Date.DaysUntil(d); days < 3 || d.Weekday() == time.Friday {
					dates = append(dates, d)
				}
			}
			quotes, err := m.ChainAt(market.ChainRequest{Underlying: madeSymbol, Expirations: dates, MinStrike: 0.88 * spot.Mid(), MaxStrike: 1.12 * spot.Mid()}, at)
			if err != nil {
				return nil, err
			}
			out = append(out, moment{at, spot.Mid(), quotes})
		}
		session = market.NYSE().Next(session.Close.Add(time.Hour))
	}
	return out, nil
})

// Every strategy runs a month of the made market on its own defaults, and leaves
// nothing behind that was not paid for: what the account is worth is what the
// session says it has gained.
func TestEveryStrategysDefaultsRunAMadeMonth(t *testing.T) {
	moments, err := made()
	require.NoError(t, err)
	traded := 0
	for name := range optionStrategies {
		t.Run(name, func(t *testing.T) {
			b := newOptionBench(t, build(t, name, map[string]any{"symbol": madeSymbol}), ny("2026-09-01", 9, 0), benchOptions{Cash: 500_000}).start()
			for _, m := range moments {
				b.chain(m.at, m.spot, m.quotes)
			}
			b.until(moments[len(moments)-1].at.Add(8 * time.Hour))
			for _, n := range b.notes {
				assert.NotContains(t, n, "refused to", "%v", b.sent)
			}
			assert.InDelta(t, b.worth()-500_000, b.s.Profit(), 1e-6)
			if len(b.sent) > 0 {
				traded++
			} else {
				t.Log(b.notes[max(0, len(b.notes)-3):])
			}
		})
	}
	assert.GreaterOrEqual(t, traded, len(optionStrategies)-1, "the day's spread asks for a credit that is rarely paid")
}

// What a strategy tells before it starts is an order that can be placed.
func TestTheFirstOrderIsToldBeforehand(t *testing.T) {
	at := ny("2026-09-01", 11, 0)
	m, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: market.NewManualClock(at), Symbols: []market.Symbol{madeSymbol}})
	require.NoError(t, err)
	worth := decimal.NewFromInt(500_000)
	for name := range optionStrategies {
		t.Run(name, func(t *testing.T) {
			planner, ok := build(t, name, map[string]any{"symbol": madeSymbol, "open_interest": 0, "min_dte": 0, "dte": 20}).(strategy.Planner)
			switch name {
			case "zero-dte-put-spread":
				planner, ok = build(t, name, map[string]any{"symbol": madeSymbol}).(strategy.Planner)
			case "calendar":
				planner, ok = build(t, name, map[string]any{"symbol": madeSymbol, "open_interest": 0, "min_dte": 10, "back_min_dte": 30, "back_max_dte": 90}).(strategy.Planner)
			}
			require.True(t, ok)
			plan := planner.Plan()
			assert.NotZero(t, plan.Options)
			for _, ticket := range plan.Tickets {
				require.NoError(t, ticket.Validate())
			}
			ticket, err := plan.First(t.Context(), strategy.FirstInput{Source: m, Balances: &broker.Balances{NetLiquidatingValue: &worth}, Now: at})
			require.NoError(t, err)
			if name == "zero-dte-put-spread" {
				return // it may find none
			}
			require.Len(t, ticket.Orders, 1)
			ticket.Orders[0].Tag = "first"
			require.NoError(t, ticket.Validate())
			legs := []options.Leg(nil)
			for _, l := range ticket.Orders[0].Legs {
				c, option := l.Symbol.Contract()
				leg := options.Leg{Symbol: l.Symbol, Quantity: l.Quantity.InexactFloat64() * float64(l.Action.Sign()), Strike: c.Strike, Years: float64(c.Expiration.Month), Price: nan}
				if option {
					leg.Kind = c.Kind
				}
				legs = append(legs, leg)
			}
			shape, ok := options.Recognize(legs)
			assert.True(t, ok, "%v is no structure", ticket.Orders[0])
			assert.NotEmpty(t, shape)
		})
	}
}
