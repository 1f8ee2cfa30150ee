package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAProviderOfOnesOwnAnswers(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, "parrot/grey: Premium is rich before earnings. (10 tokens)\n", out.String())
}
