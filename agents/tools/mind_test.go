package tools_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

type headlines struct{}

func (headlines) News(context.Context, market.NewsRequest) ([]market.Story, error) {
	return []market.Story{{ID: "1", Time: now.Add(-time.Hour), Headline: "A factory opened"}}, nil
}

func TestTheAnalystToolHasTheModelTheNewsAndTheRecord(t *testing.T) {
	clock := market.NewManualClock(now)
	heard := 0
	model := agentstest.Always("test/model", agentstest.Step{Do: func(_ context.Context, req *agents.Request) agentstest.Step {
		input := req.Messages[0].Text()
		if strings.Contains(req.Instructions, "lies around the price") {
			heard++
			assert.Contains(t, input, "A factory opened")
			assert.Contains(t, input, "record.hit_rate: Hit rate: 75.0%")
			return agentstest.Say(`{"stance":"neutral","score":0,"reasons":[{"text":"A factory opened.","weight":0,"evidence":["news.1"]}]}`)
		}
		return agentstest.Say("no")
	}})
	all := tools.New(tools.Deps{
		Market: &fakeMarket{clock: clock}, Clock: clock, Environment: broker.Simulator, Mind: &analysts.Mind{Model: model}, News: headlines{},
		Record: func(context.Context, market.Symbol) (*analysts.Scorecard, error) {
			return &analysts.Scorecard{Analyses: 4, HitRate: 0.75}, nil
		},
	})
	for _, tool := range all {
		if tool.Name != "analyst" {
			continue
		}
		assert.Contains(t, tool.Description, "model-explained")
		out, err := tool.Call(t.Context(), json.RawMessage(`{"symbol":"SPY"}`))
		require.NoError(t, err)
		assert.Contains(t, string(out), `"by":"test/model"`)
		assert.Contains(t, string(out), "The rules stand where")
		assert.Equal(t, 1, heard)
	}
}

// What the trading agent can reach, whatever is offered to it, with nobody's word on
// what only reads.
func TestNoToolThatPlacesIsReachableFromTheTradingAgent(t *testing.T) {
	calls := map[string]int{}
	var all []agents.Tool
	for _, name := range tools.Names() {
		all = append(all, named(name, true, calls)) // even those that write say that they only read
	}
	all = append(all, named("place", true, calls), named("approve", true, calls))
	var offered []string
	model := agentstest.Always("test/model", agentstest.Step{Do: func(_ context.Context, req *agents.Request) agentstest.Step {
		var step agentstest.Step
		for i, tool := range req.Tools {
			offered = append(offered, tool.Name)
			args := "{}"
			if strings.HasPrefix(tool.Name, "ask_") {
				args = `{"task":"place it"}`
			}
			step.Calls = append(step.Calls, agents.Call{ID: string(rune('a' + i)), Name: tool.Name, Arguments: json.RawMessage(args)})
		}
		step.Calls = append(step.Calls, agents.Call{ID: "x", Name: "place_order", Arguments: json.RawMessage("{}")}, agents.Call{ID: "y", Name: "approve", Arguments: json.RawMessage("{}")})
		return step
	}})
	agent, err := tools.NewAgent(model, all, &tools.AgentOptions{Limits: agents.Limits{Steps: 2, Parallel: 1}, Specialist: agents.Limits{Steps: 2, Parallel: 1}})
	require.NoError(t, err)
	_, err = agent.Run(t.Context(), "Go.")
	require.ErrorIs(t, err, agents.ErrBudget)
	for _, name := range []string{"place_order", "kill_switch", "alerts", "place", "approve"} {
		assert.NotContains(t, offered, name)
		assert.Zero(t, calls[name], name)
	}
	assert.NotZero(t, calls["analyst"])
}
