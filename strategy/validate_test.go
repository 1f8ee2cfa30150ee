package strategy_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A counterfeit is a broker that answers as a test says.
type counterfeit struct {
	broker.Broker
	account  broker.Account
	balances *broker.Balances
	can      *broker.Capabilities
	preview  *broker.Preview
	previews []broker.Ticket
}

func (c *counterfeit) Accounts(context.Context) ([]broker.Account, error) {
	return []broker.Account{c.account}, nil
}

func (c *counterfeit) Balances(ctx context.Context, a broker.AccountID) (*broker.Balances, error) {
	if c.balances != nil {
		return c.balances, nil
	}
	return c.Broker.Balances(ctx, a)
}

func (c *counterfeit) Capabilities() broker.Capabilities {
	if c.can != nil {
		return *c.can
	}
	return c.Broker.Capabilities()
}

func (c *counterfeit) Preview(ctx context.Context, a broker.AccountID, ticket broker.Ticket) (*broker.Preview, error) {
	c.previews = append(c.previews, ticket)
	if c.preview != nil {
		return c.preview, nil
	}
	return c.Broker.Preview(ctx, a, ticket)
}

func (*counterfeit) Place(context.Context, broker.AccountID, broker.Ticket) ([]broker.OrderState, error) {
	panic("a validation places nothing")
}

// planned is a strategy with a plan.
type planned struct {
	script
	plan strategy.Plan
}

func (p *planned) Plan() strategy.Plan { return p.plan }

func validation(t *testing.T) (*counterfeit, strategy.ValidateOptions) {
	t.Helper()
	clock := market.NewManualClock(tuesdayAt10)
	x, err := paper.New(&paper.Options{Clock: clock, Accounts: []paper.Account{{
		Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(10_000),
	}}})
	require.NoError(t, err)
	require.NoError(t, x.Quote(paper.Quote{Symbol: "ACME", Time: tuesdayAt10, Bid: 99.99, Ask: 100.01, BidSize: 1e6, AskSize: 1e6}))
	c := &counterfeit{Broker: x.Broker(), account: broker.Account{ID: account, Margin: true, OptionsLevel: "No Restrictions"}}
	source := &quotedSource{price: map[market.Symbol]float64{"ACME": 100}, bars: map[market.Symbol][]market.Bar{}}
	return c, strategy.ValidateOptions{Strategy: scripted("ACME"), Broker: c, Account: account, Source: withoutBars{source}, Clock: clock}
}

// withoutBars is a source that has had no bars yet.
type withoutBars struct{ *quotedSource }

func (withoutBars) Bars(context.Context, market.BarsRequest) ([]market.Bar, error) {
	return nil, market.ErrNoData
}

func codes(problems []strategy.Problem) []string {
	var out []string
	for _, p := range problems {
		out = append(out, string(p.Severity)+" "+p.Code)
	}
	return out
}

func TestValidationNamesEachProblem(t *testing.T) {
	unfit := func(p strategy.Plan) strategy.Strategy {
		st := &planned{script: *scripted("ACME"), plan: p}
		return st
	}
	oco := func() broker.Ticket {
		a, b := strategy.StopOrder(broker.SellToClose, "ACME", 1, 90), strategy.LimitOrder(broker.SellToClose, "ACME", 1, 120)
		return broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{a, b}}
	}
	first := func(size float64) func(context.Context, strategy.FirstInput) (broker.Ticket, error) {
		return func(context.Context, strategy.FirstInput) (broker.Ticket, error) {
			return broker.NewTicket(strategy.MarketOrder(broker.BuyToOpen, "ACME", size)), nil
		}
	}
	for name, c := range map[string]struct {
		change func(*counterfeit, *strategy.ValidateOptions)
		want   []string
		text   string
	}{
		"nothing":    {func(*counterfeit, *strategy.ValidateOptions) {}, nil, ""},
		"no account": {func(_ *counterfeit, o *strategy.ValidateOptions) { o.Account = "X" }, []string{"error account"}, "do not reach"},
		"closed":     {func(c *counterfeit, _ *strategy.ValidateOptions) { c.account.Closed = true }, []string{"error account"}, "closed"},
		"cash account": {func(c *counterfeit, o *strategy.ValidateOptions) {
			c.account.Margin = false
			o.Strategy = unfit(strategy.Plan{Margin: true})
		}, []string{"error margin"}, "cash account"},
		"option level": {func(c *counterfeit, o *strategy.ValidateOptions) {
			c.account.OptionsLevel = "Covered And Cash Secured"
			o.Strategy = unfit(strategy.Plan{Options: strategy.SpreadOptions})
		}, []string{"error option_level"}, "it needs approval for spreads"},
		"option level of Alpaca": {func(c *counterfeit, o *strategy.ValidateOptions) {
			c.account.OptionsLevel = "2"
			o.Strategy = unfit(strategy.Plan{Options: strategy.SpreadOptions})
		}, []string{"error option_level"}, "allows long options"},
		"unknown option level": {func(c *counterfeit, o *strategy.ValidateOptions) {
			c.account.OptionsLevel = "Gold"
			o.Strategy = unfit(strategy.Plan{Options: strategy.LongOptions})
		}, []string{"warning option_level"}, "not known"},
		"capabilities": {func(c *counterfeit, o *strategy.ValidateOptions) {
			can := c.Broker.Capabilities()
			can.Groups, can.Events = []broker.GroupKind{broker.Single}, false
			c.can = &can
			o.Strategy = unfit(strategy.Plan{Tickets: []broker.Ticket{oco()}})
		}, []string{"error capabilities", "warning capabilities"}, `does not take "oco" groups`},
		"no options": {func(c *counterfeit, o *strategy.ValidateOptions) {
			c.can = &broker.Capabilities{Instruments: []market.InstrumentKind{market.KindEquity}, Events: true}
			st := scripted("ACME")
			st.needs.Chains = []market.Symbol{"ACME"}
			o.Strategy = st
		}, []string{"error capabilities"}, "trades no options"},
		"no buying power": {func(c *counterfeit, _ *strategy.ValidateOptions) {
			c.balances = &broker.Balances{EquityBuyingPower: new(decimal.Decimal)}
		}, []string{"error buying_power"}, "no buying power"},
		"budget above the account": {func(_ *counterfeit, o *strategy.ValidateOptions) {
			o.Budget.Capital = decimal.NewFromInt(1_000_000)
		}, []string{"warning buying_power"}, "more than the account's"},
		"budget": {func(_ *counterfeit, o *strategy.ValidateOptions) { o.Budget.Orders = -1 }, []string{"error parameters"}, "Budget.Orders"},
		"first order too large": {func(_ *counterfeit, o *strategy.ValidateOptions) {
			o.Strategy = unfit(strategy.Plan{First: first(100_000)})
		}, []string{"error buying_power"}, "its first order would be refused"},
		"not shortable": {func(c *counterfeit, o *strategy.ValidateOptions) {
			o.Strategy = unfit(strategy.Plan{Short: []market.Symbol{"ACME"}})
			c.preview = &broker.Preview{Refusals: []broker.Notice{{Message: "hard to borrow"}}}
		}, []string{"error shortable"}, "selling ACME short would be refused: hard to borrow"},
		"no quote": {func(_ *counterfeit, o *strategy.ValidateOptions) { o.Strategy = scripted("ACME", "NOSUCH") }, []string{"error data"}, "no quote of NOSUCH"},
		"short history": {func(_ *counterfeit, o *strategy.ValidateOptions) {
			st := scripted("ACME")
			st.needs.History = 50
			o.Strategy = st
		}, []string{"warning data"}, "50 bars"},
		"closed market": {func(_ *counterfeit, o *strategy.ValidateOptions) {
			o.Clock = market.NewManualClock(tuesdayAt10.AddDate(0, 0, 4))
		}, []string{"warning hours"}, "closed until 2026-03-09 09:30"},
		"no symbol": {func(_ *counterfeit, o *strategy.ValidateOptions) { o.Strategy = scripted() }, []string{"error parameters"}, "no symbol"},
		"no data asked for": {func(_ *counterfeit, o *strategy.ValidateOptions) {
			o.Strategy = &script{needs: strategy.Needs{Symbols: []market.Symbol{"ACME"}}}
		}, []string{"error parameters"}, "never told anything"},
		"no strategy": {func(_ *counterfeit, o *strategy.ValidateOptions) { o.Strategy = nil }, []string{"error parameters"}, "no strategy"},
	} {
		t.Run(name, func(t *testing.T) {
			fake, opts := validation(t)
			c.change(fake, &opts)
			problems := strategy.Validate(t.Context(), opts)
			assert.Equal(t, c.want, codes(problems), "%v", problems)
			if c.text != "" {
				assert.Contains(t, (&strategy.ProblemsError{Problems: blocked(problems)}).Error(), c.text)
			}
		})
	}
}

func blocked(problems []strategy.Problem) []strategy.Problem {
	var out []strategy.Problem
	for _, p := range problems {
		p.Severity = strategy.Blocking
		out = append(out, p)
	}
	return out
}

func TestValidationReturnsAllProblemsAndThoseThatBlockFirst(t *testing.T) {
	fake, opts := validation(t)
	fake.account.Margin, fake.account.Closed, fake.account.OptionsLevel = false, true, "0"
	opts.Clock = market.NewManualClock(tuesdayAt10.AddDate(0, 0, 4))
	opts.Budget.Capital = decimal.NewFromInt(1_000_000)
	opts.Strategy = &planned{script: *scripted("ACME", "NOSUCH"), plan: strategy.Plan{Margin: true, Options: strategy.NakedOptions}}
	got := codes(strategy.Validate(t.Context(), opts))
	assert.Equal(t, []string{"error account", "error margin", "error option_level", "error data", "warning buying_power", "warning hours"}, got)
}

func TestPositionsAndOrdersThatAreThereAreWarnedOf(t *testing.T) {
	fake, opts := validation(t)
	for i, o := range []broker.Order{strategy.MarketOrder(broker.BuyToOpen, "ACME", 3), strategy.LimitOrder(broker.BuyToOpen, "ACME", 3, 90)} {
		o.Tag = strings.Repeat("x", i+1)
		_, err := fake.Broker.Place(t.Context(), account, broker.NewTicket(o))
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"warning positions", "warning orders"}, codes(strategy.Validate(t.Context(), opts)))
}

func TestEveryPriceStrategyTellsItsPlan(t *testing.T) {
	for name, params := range sample {
		t.Run(name, func(t *testing.T) {
			fake, opts := validation(t)
			opts.Source = withoutBars{&quotedSource{price: map[market.Symbol]float64{"ACME": 100, "BOLT": 50}}}
			d, err := strategy.Lookup(name)
			require.NoError(t, err)
			opts.Strategy, err = d.New(json.RawMessage(params))
			require.NoError(t, err)
			planner, ok := opts.Strategy.(strategy.Planner)
			require.True(t, ok)
			plan := planner.Plan()
			require.NotEmpty(t, plan.Tickets)
			for _, ticket := range plan.Tickets {
				assert.NoError(t, ticket.Validate())
			}
			strategy.Validate(t.Context(), opts)
			if !strings.Contains("bbands pairs", name) {
				assert.NotEmpty(t, fake.previews, "its first order is previewed")
			}
		})
	}
}
