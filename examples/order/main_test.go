package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestItFollowsAnOrderToItsFill(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `simulator, preview: fees -0.01, buying power -2497.91
received
routed
live
buy to open 10 SPY at 499.44
filled
`, out.String())
}
