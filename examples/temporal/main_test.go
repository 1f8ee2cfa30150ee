package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheDefinitionRunsOnTemporal(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(&out))
	assert.Equal(t, "told [31 33 41]; bought two\ntold [31 33 41]; nobody answered\n", out.String())
}
