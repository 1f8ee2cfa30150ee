package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheStrategyRunsOverPastBars(t *testing.T) {
	var out, again bytes.Buffer
	require.NoError(t, run(t.Context(), &out, false, 0))
	assert.Regexp(t, `^78 bars, [1-9][0-9]* fills, value 2[45]\d{3}\.\d\d\n$`, out.String())
	require.NoError(t, run(t.Context(), &again, false, 0))
	assert.Equal(t, out.String(), again.String())
}

func TestTheSameStrategyRunsLiveOnTheSimulator(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out, true, 3000))
	assert.Regexp(t, `(?m)^1[0-2]:\d\d buy to open 10 SPY at \d+`, out.String())
	assert.Contains(t, out.String(), "sell to close")
}
