// Package tools has the trading tools, each defined once: a name, one sentence
// for the model, typed input and output. Agents call them in-process and
// package mcp exposes them to other programs.
//
// All tools read, but place_order and kill_switch. Those two and preview_order,
// orders and audit are there only when the broker is guarded: see [broker.Guard].
// A model can prepare an order and submit it by its id; it can approve none.
//
// Prices in results are numbers, null when unknown;
// money is text with a decimal point; volatilities, yields and shares are
// decimals (0.2 is 20 %); times are RFC 3339 in New York. Every result says as
// of when and in which environment it holds, and carries the notice of
// simulated data when there is one. Results are cut to about 8,000 tokens, and
// say under left_out what is missing and how to get it.
//
// An argument that is not allowed is a *[FieldError]. Other errors wrap what
// the source or the broker said and add what to do about it.
package tools

import (
	"context"
	"log/slog"
	"time"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/knowledge"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// Deps is what the tools work with. Nil means absent, and the tools that need
// it are left out.
type Deps struct {
	Market market.Source
	// Broker reads accounts. One that is a *broker.Guard also trades, as far as its
	// limits' mode goes and through its desk alone: no other broker gets trading tools.
	Broker broker.Broker
	// Elicitation is the guard's approver for what the users of clients answer, of
	// grade broker.GradeElicitation. Nil: nobody is asked through the client.
	Elicitation *broker.Witness
	// Store keeps quotes for a second and metrics for a minute, so that a model
	// that asks twice costs one request. Nil means nothing is kept.
	Store storage.Tenant
	// Knowledge is the caller's knowledge base. With it the last analyses of each
	// symbol are kept in Store and found again by the knowledge tool.
	Knowledge *knowledge.Base
	// Mind judges the evidence of an analysis in words, with passages of Knowledge
	// before it. Nil: rules alone do.
	Mind *analysts.Mind
	// News tells what is written about a symbol. Nil: analyses have no news.
	News market.NewsSource
	// Record says how earlier analyses turned out. Nil: not known.
	Record func(ctx context.Context, symbol market.Symbol) (*analysts.Scorecard, error)
	Clock  market.Clock // nil: the system's
	// Calendar is the exchange's; nil means market.NYSE().
	Calendar *market.Calendar
	// Backtests are the caller's runs. Nil: the backtest tool is left out.
	Backtests *backtest.Jobs
	// History returns what a strategy is to be run over. Nil: bars of Market, and no
	// option chains.
	History func(ctx context.Context, needs strategy.Needs, from, to time.Time) (*backtest.Market, error)
	// Alerts are the caller's alerts. Nil: the alerts tool is left out.
	Alerts Alerts
	// Environment is named in every result. Empty means the broker's, and
	// production when there is no broker either: what is not known to be a
	// simulation is taken to be real.
	Environment broker.Environment
	// Notice is added to every result, to say that the data is simulated. Empty
	// means that there is nothing to say.
	Notice string
	Rate   float64 // risk-free, continuous per year, decimal; for option maths
	// Timeout bounds each call; 0 means 20 seconds.
	Timeout time.Duration
	Logger  *slog.Logger // nil: nothing is logged
}

// New returns the tools that d has the means for, by toolset, then name. It
// does no I/O.
func New(d Deps) []agents.Tool {
	k := newKit(d)
	all := map[string]agents.Tool{}
	add := func(t agents.Tool) { all[t.Name] = t }
	add(k.marketStatus())
	add(k.priceOption())
	if d.Market != nil {
		add(k.quote())
		add(k.candles())
		add(k.optionChain())
		add(k.metrics())
		add(k.instrument())
		if t, ok := k.analyst(); ok {
			add(t)
		}
		add(k.findTrades())
		if d.Backtests != nil {
			add(k.backtest())
		}
	}
	if d.Broker != nil {
		add(k.portfolio())
	}
	if d.Knowledge != nil {
		add(k.knowledge())
	}
	if d.Alerts != nil {
		add(k.alerts())
	}
	if t, ok := k.trader(); ok {
		add(t.orders())
		add(t.audit())
		switch t.mode {
		case broker.ModeTrade:
			add(t.placeOrder())
			fallthrough
		case broker.ModePreview:
			add(t.previewOrder())
			add(t.killSwitch())
		}
	}
	var out []agents.Tool
	for _, entry := range catalog() {
		if t, ok := all[entry.name]; ok {
			out = append(out, t)
		}
	}
	return out
}

// EnvironmentOf returns the environment that the results of d's tools name.
func EnvironmentOf(d Deps) broker.Environment {
	switch {
	case d.Environment != "":
		return d.Environment
	case d.Broker != nil:
		return d.Broker.Environment()
	}
	return broker.Production
}
