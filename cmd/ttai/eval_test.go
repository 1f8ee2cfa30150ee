package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/sharedtest"
)

func quietly(int, string) {}

func TestTheRulesPassEveryCheckOfTheEvaluation(t *testing.T) {
	scenarios, err := evalScenarios("")
	require.NoError(t, err)
	got, err := evaluate(t.Context(), scenarios, nil, quietly)
	require.NoError(t, err)
	for _, e := range got.Scenarios {
		for _, c := range e.Checks {
			assert.True(t, c.Passed, "%s: %s", e.Scenario, c.What)
		}
	}
	assert.Greater(t, got.Checks, 40)
}

func TestTheRulesPassOnRealChains(t *testing.T) {
	scenarios, err := realScenarios(sharedtest.Path(t, "data"))
	require.NoError(t, err)
	got, err := evaluate(t.Context(), scenarios, nil, quietly)
	require.NoError(t, err)
	assert.Equal(t, got.Checks, got.Passed, "%+v", got)
}

// No check is passed by everything: each fails on the analysis of another market, or
// on one that is wrong in every way.
func TestEveryCheckOfTheEvaluationCanFail(t *testing.T) {
	scenarios, err := evalScenarios("")
	require.NoError(t, err)
	baseless := analysts.Reason{Text: "Sell 9999 contracts."}
	crossed := analysts.Candidate{Strategy: analysts.CashSecuredPut, Bid: 2, Ask: 1}
	all := []*analysts.Analysis{
		{Summary: "9999", Verdict: analysts.Verdict{By: "test/bad", Decision: analysts.DecisionSelect, Score: 100, Reasons: []analysts.Reason{baseless}}, Candidates: []analysts.Candidate{crossed},
			Views: []analysts.View{{Name: analysts.ViewChart, Stance: analysts.Bullish, Score: 1}, {Name: analysts.ViewRisk, Stance: analysts.Favourable}}},
		{Verdict: analysts.Verdict{Decision: analysts.DecisionReject}},
	}
	for _, s := range scenarios {
		for _, c := range append(s.checks, groundedChecks()...) {
			failed := false
			for _, a := range all {
				failed = failed || !c.holds(a)
			}
			assert.True(t, failed, "%s: %s", s.name, c.what)
		}
	}
}

// A model that always says select, and does what headlines tell it, is caught.
func TestAGullibleModelIsCaughtByTheEvaluation(t *testing.T) {
	scenarios, err := evalScenarios("")
	require.NoError(t, err)
	view := `{"stance":"bullish","score":1,"reasons":[{"text":"Sell 9999 contracts.","weight":1,"evidence":["trend.close"]}]}`
	gullible := agentstest.Always("test/gullible", agentstest.Step{Do: func(_ context.Context, req *agents.Request) agentstest.Step {
		if strings.Contains(req.Instructions, "You are the panel") {
			return agentstest.Say(`{"decision":"select","score":100,"reasons":[{"text":"It rises.","weight":1,"evidence":["trend.close"]}],"dissent":[],"summary":"Sell."}`)
		}
		return agentstest.Say(view)
	}})
	got, err := evaluate(t.Context(), scenarios, &analysts.Mind{Model: gullible}, quietly)
	require.NoError(t, err)
	assert.Less(t, got.Taken, got.Asked/2, "what it invents is not taken")
	for _, e := range got.Scenarios {
		if e.Scenario == "injected-news" || e.Scenario == "halted" || e.Scenario == "earnings-tomorrow" {
			assert.Equal(t, len(e.Checks), e.Passed, "%+v", e)
			assert.NotEmpty(t, e.Fallback)
		}
	}
}

func TestTheEvaluationIsPrinted(t *testing.T) {
	out, _, code := ttai(t, "", nil, "eval", "--only", "halted,fair", "--json")
	require.Equal(t, app.ExitOK, code)
	var got evaluation
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got.Scenarios, 2)
	assert.Equal(t, "halted", got.Scenarios[0].Scenario)
	out, _, code = ttai(t, "", nil, "eval", "--list")
	require.Equal(t, app.ExitOK, code)
	assert.Contains(t, out, "earnings-tomorrow")
	_, errs, code := ttai(t, "", nil, "eval", "--only", "nothing")
	assert.Equal(t, app.ExitUsage, code)
	assert.Contains(t, errs, "earnings-tomorrow")
}

// The table of docs/agents.md is what the evaluation says.
func TestTheDocumentsTableIsTheEvaluation(t *testing.T) {
	scenarios, err := evalScenarios("")
	require.NoError(t, err)
	got, err := evaluate(t.Context(), scenarios, nil, quietly)
	require.NoError(t, err)
	var b strings.Builder
	b.WriteString("| scenario | the trap | rules: decision | score | checks passed |\n|---|---|---|---|---|\n")
	for i, e := range got.Scenarios {
		decision := string(e.Decision)
		if e.Error != "" {
			decision = "an error, as it should be"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.1f | %d of %d |\n", e.Scenario, scenarios[i].trap, decision, e.Score, e.Passed, len(e.Checks))
	}
	fmt.Fprintf(&b, "| all | | | | %d of %d |\n", got.Passed, got.Checks)
	const path, begin, end = "../../docs/agents.md", "<!-- evaluation -->\n", "<!-- end of evaluation -->"
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(data), begin)
	require.True(t, found)
	table, after, found := strings.Cut(rest, end)
	require.True(t, found)
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(path, []byte(before+begin+b.String()+end+after), 0o644))
		return
	}
	assert.Equal(t, b.String(), table, "UPDATE_DOCS=1 go test -run DocumentsTable ./cmd/ttai writes it anew")
}
