package simulator_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/simulator"
)

func TestBeforeAnswersInPlaceOfTheSimulatorAndOnlyToWhoHasAToken(t *testing.T) {
	var seen []string
	c := start(t, func(o *simulator.Options) {
		o.Before = func(w http.ResponseWriter, r *http.Request) bool {
			seen = append(seen, r.URL.Path)
			if !strings.HasPrefix(r.URL.Path, "/instruments/") && !strings.HasPrefix(r.URL.Path, "/margin-") {
				return false
			}
			w.WriteHeader(http.StatusTeapot)
			return true
		}
	})
	status, _ := c.get("/instruments/equities/SPY")
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.Empty(t, seen)
	c.login()
	assert.Empty(t, seen, "a login is the simulator's")

	for path, want := range map[string]int{
		"/instruments/equities/SPY":                 http.StatusTeapot,
		"/instruments/nothing":                      http.StatusTeapot, // nor is a route of the simulator needed
		"/margin-requirements-public-configuration": http.StatusTeapot,
		"/customers/me/accounts":                    http.StatusOK,
	} {
		status, _ := c.get(path)
		assert.Equal(t, want, status, path)
	}
	assert.Len(t, seen, 4)

	require.NoError(t, c.sim.SetFaults(simulator.FaultRule{Fault: simulator.Fault{Status: http.StatusBadGateway}}))
	status, _ = c.get("/instruments/equities/SPY")
	assert.Equal(t, http.StatusBadGateway, status, "faults come first")
	assert.Len(t, seen, 4)
}
