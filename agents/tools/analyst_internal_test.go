package tools

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/analysts"
)

// evidence makes n pieces of a group, each of them about 100 bytes and a method.
func evidence(group analysts.Group, n int, absent bool) []analysts.Evidence {
	out := make([]analysts.Evidence, n)
	for i := range out {
		out[i] = analysts.Evidence{ID: fmt.Sprintf("%s.%d", group, i), Name: "name", Text: strings.Repeat("t", 20), Method: strings.Repeat("m", 50)}
		if absent {
			out[i].Absent = "not available"
		}
	}
	return out
}

func TestALongAnalysisIsCutInOrderOfWorth(t *testing.T) {
	analysis := &analysts.Analysis{Notice: "said already"}
	analysis.Verdict.Reasons = []analysts.Reason{{Text: "r", Evidence: []string{"options.7"}}}
	analysis.Evidence = append(evidence(analysts.GroupTrend, 200, false), evidence(analysts.GroupOptions, 350, false)...)
	analysis.Evidence = append(analysis.Evidence, evidence(analysts.GroupMarket, 100, true)...)
	before := len(analysis.Evidence)

	r := analystResult{Analysis: analysis}
	r.shorten()
	require.LessOrEqual(t, size(r.Analysis), longestAnalysis)
	require.Len(t, r.LeftOut, 3)
	assert.Contains(t, r.LeftOut[1], "100 pieces of evidence that could not be computed")
	assert.Contains(t, r.LeftOut[2], "349 pieces of evidence that no reason cites")
	assert.Len(t, r.Analysis.Evidence, 201, "prices, and what is cited")
	assert.Empty(t, r.Analysis.Notice)

	assert.Len(t, analysis.Evidence, before, "the analysis itself is not changed")
	assert.NotEmpty(t, analysis.Evidence[0].Method)
	assert.NotEmpty(t, analysis.Notice)
}

func TestAShortAnalysisIsLeftWhole(t *testing.T) {
	analysis := &analysts.Analysis{Evidence: evidence(analysts.GroupOptions, 20, true)}
	r := analystResult{Analysis: analysis}
	r.shorten()
	assert.Empty(t, r.LeftOut)
	assert.Equal(t, analysis.Evidence, r.Analysis.Evidence)
}
