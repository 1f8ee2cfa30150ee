package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheScreenerRanksAndNamesWhatItCouldNotLookAt(t *testing.T) {
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Contains(t, out.String(), "Screener puts: 3 symbols of 7")
	assert.Contains(t, out.String(), "NOBODY: not analysed")
	assert.Contains(t, out.String(), "looked at 6, best ")
}
