package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestItsFillsAreThoseOfTheQuotes(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, `10:26:34 buy to open 60 KO at 71.21, fees -0.06
10:26:35 buy to open 40 KO at 71.21, fees -0.04
10:31:50 sell to close 60 KO at 71.93, fees -0.0717
10:31:51 sell to close 40 KO at 71.87, fees -0.0478
10:38:22 buy to open 60 KO at 72.48, fees -0.06
10:38:23 buy to open 40 KO at 72.46, fees -0.04
10:41:04 sell to close 60 KO at 73.19, fees -0.0717
10:41:05 sell to close 40 KO at 73.16, fees -0.0478
10:44:24 buy to open 60 KO at 72.47, fees -0.06
10:44:25 buy to open 40 KO at 72.44, fees -0.04
cash 17893.86
`, out.String())
}
