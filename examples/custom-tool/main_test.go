package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAToolIsCalledWithArgumentsThatFit(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), "days")
	assert.Contains(t, out.String(), `{"assigned":0.23`)
	assert.Contains(t, out.String(), "About one in four.")
}
