package app

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/tastytrade"
)

func TestProcessesOfAHomeKeepTheBrokersRatesTogether(t *testing.T) {
	p := newHome(t, nil)
	one, other := p.open(t, ""), p.open(t, "")  // two stores on one file, as two processes have them
	const path = "/accounts/5WT00001/positions" // one request a second
	limiters := []tastytrade.Limiter{one.limiter("refresh token"), other.limiter("refresh token")}
	start := time.Now()
	for i := range 3 {
		require.NoError(t, limiters[i%2].Wait(t.Context(), "GET", path))
	}
	assert.GreaterOrEqual(t, time.Since(start), 1990*time.Millisecond, "three requests of two processes, one a second")
}

func TestAStoreThatCannotBeOpenedLeavesTheRatesToTheProcess(t *testing.T) {
	broken := newHome(t, nil).open(t, "sqlite:///dev/null/nowhere.db")
	require.NoError(t, broken.limiter("refresh token").Wait(t.Context(), "GET", "/sessions"))
	require.NoError(t, (*Store)(nil).limiter("refresh token").Wait(t.Context(), "GET", "/sessions"))
}
