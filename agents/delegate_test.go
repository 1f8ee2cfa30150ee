package agents_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
)

// A burner calls its own tool forever; each of its answers takes 1,000 tokens.
func burner(t *testing.T) (agents.Tool, *agentstest.Model) {
	step := agentstest.Calls([2]string{"quote", `{"symbol":"SPY"}`})
	step.Usage = &agents.Usage{Input: 900, Output: 100}
	model := agentstest.Always("fake/one", step)
	return agents.Delegate(agents.Spec{Name: "ask", Description: "Asks."}, &agents.Agent{Model: model, Tools: []agents.Tool{quoteTool(nil)}, Prices: burnt, Limits: agents.Limits{Steps: 1000, Calls: 1000}}), model
}

var burnt = agents.Prices{{Model: "fake/one", From: "2000-01-01", Input: decimal.NewFromInt(1000), Output: decimal.NewFromInt(1000)}}

func TestDelegatesSpendFromTheCallersBudget(t *testing.T) {
	for name, limits := range map[string]agents.Limits{
		"tokens": {Tokens: 20_000, AnswerTokens: 200, Calls: 1000, Steps: 1000},
		"money":  {Money: decimal.NewFromInt(20), AnswerTokens: 200, Calls: 1000, Steps: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			delegate, below := burner(t)
			calls := make([][2]string, 4) // side by side
			for i := range calls {
				calls[i] = [2]string{"ask", `{"task":"burn"}`}
			}
			step := agentstest.Calls(calls...)
			step.Usage = &agents.Usage{Input: 100, Output: 10}
			agent := agents.Agent{Model: agentstest.Always("fake/one", step), Tools: []agents.Tool{delegate}, Limits: limits, Prices: burnt}
			result, err := agent.Run(t.Context(), "Go.")
			require.ErrorIs(t, err, agents.ErrBudget)
			assert.LessOrEqual(t, result.Usage.Total(), 22_000)
			assert.True(t, result.Cost.LessThanOrEqual(decimal.NewFromInt(22)), result.Cost.String())
			assert.Greater(t, len(below.Requests()), 5, "they did spend")
			assert.LessOrEqual(t, len(below.Requests()), 20)
		})
	}
}

func TestADelegatesRunIsPartOfTheCallersTranscriptWithoutItsSecrets(t *testing.T) {
	below := agentstest.NewModel("fake/below", agentstest.Step{Text: "The word is opensesame.", Usage: &agents.Usage{Input: 5, Output: 5}})
	delegate := agents.Delegate(agents.Spec{Name: "ask", Description: "Asks."}, &agents.Agent{Model: below})
	above := agentstest.NewModel("fake/above", agentstest.Calls([2]string{"ask", `{"task":"the word?"}`}), agentstest.Say("I heard opensesame."))
	result, err := (&agents.Agent{Model: above, Tools: []agents.Tool{delegate}, Secrets: []string{"opensesame"}}).Run(t.Context(), "Go.")
	require.NoError(t, err)
	assert.Equal(t, "I heard [redacted].", result.Text, "an answer keeps no secret either")
	data, err := json.Marshal(result.Transcript)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "opensesame")
	var inside []agents.Entry
	for _, e := range result.Transcript {
		if e.Kind == agents.EntryDelegated {
			assert.Equal(t, "ask", e.Text)
			inside = e.Delegated
		}
	}
	require.NotEmpty(t, inside)
	assert.Equal(t, "The word is [redacted].", inside[len(inside)-1].Message.Text())
}

func TestAStructuredAnswerKeepsNoSecret(t *testing.T) {
	type said struct {
		Word string `json:"word"`
	}
	agent := agents.Agent{Model: agentstest.NewModel("fake/one", agentstest.Say(`{"word":"it is opensesame"}`)), Output: agents.SchemaFor[said](), Secrets: []string{"opensesame"}}
	result, err := agent.Run(t.Context(), "Go.")
	require.NoError(t, err)
	assert.NotContains(t, result.Text+string(result.Answer), "opensesame")
	got, err := agents.Decode[said](result)
	require.NoError(t, err)
	assert.Equal(t, "it is [redacted]", got.Word)
}

// A delegate whose model has no price may not spend money that is bounded above it.
func TestADelegateWithoutAPriceIsRefusedWhereMoneyIsBounded(t *testing.T) {
	below := agentstest.Always("free/lunch", agentstest.Say("spent"))
	delegate := agents.Delegate(agents.Spec{Name: "ask", Description: "Asks."}, &agents.Agent{Model: below})
	heard := ""
	above := agentstest.Always("fake/one", agentstest.Step{Do: func(_ context.Context, req *agents.Request) agentstest.Step {
		last := req.Messages[len(req.Messages)-1]
		if last.Parts[0].Result == nil {
			return agentstest.Calls([2]string{"ask", `{"task":"spend"}`})
		}
		heard = last.Parts[0].Result.Content
		return agentstest.Say("so be it")
	}})
	_, err := (&agents.Agent{Model: above, Tools: []agents.Tool{delegate}, Prices: burnt, Limits: agents.Limits{Money: decimal.NewFromInt(100)}}).Run(t.Context(), "Go.")
	require.NoError(t, err)
	assert.Empty(t, below.Requests())
	assert.Contains(t, heard, "free/lunch")
	assert.False(t, strings.Contains(heard, "spent"))
}
