package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRulesAloneAnalyse(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), "", &out))
	assert.Contains(t, out.String(), "VERDICT")
	assert.Contains(t, out.String(), "Model: none (rule-based).")
}
