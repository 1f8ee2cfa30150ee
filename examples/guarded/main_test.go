package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOnlyWhatTheLimitsAndTheBudgetAllowReachesTheExchange(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `first: filled
too-many: refused by the guard: 11 of SPY is more than the 10 allowed in one leg
another: a person would have to approve it
stopped: refused by the guard: the kill switch was engaged by the operator: enough for today
the exchange saw orders: 1
`, out.String())
}
