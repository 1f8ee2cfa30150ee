package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestATranscriptIsGoneThroughAgain(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), `user      {"days":32}`, "the tool was called again with the same arguments")
	assert.Contains(t, out.String(), "the same: true (32 days are left.)")
}
