package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestItListsPositionsAndAQuote(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Regexp(t, `(?s)Demo margin\): \d positions.*SPY \d+\.\d\d x \d+\.\d\d`, out.String())
}
