package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestItSpeaksWhenTheFeedIsOversold(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(&out, feed(500)))
	assert.Contains(t, out.String(), "tick 102: 96.63 is oversold (RSI 27.4)")
}
