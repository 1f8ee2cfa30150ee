package tastytrade_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/sharedtest"
)

// withoutMethod are the routes of the published descriptions that no method of
// the client calls, each with the reason.
var withoutMethod = map[string]string{}

var pathParameter = regexp.MustCompile(`\{[^}]*\}`)

// shapeOf is a route without the names of its parameters.
func shapeOf(route string) string { return pathParameter.ReplaceAllString(route, "{}") }

func TestEveryPublishedRouteHasAMethod(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "specs", "openapi"), "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	listed := map[string]bool{}
	for _, route := range tableOfEndpoints(t) {
		listed[shapeOf(route)] = true
		// "me" stands for a customer's number.
		listed[strings.Replace(shapeOf(route), "/customers/me", "/customers/{}", 1)] = true
	}
	n := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		var spec struct {
			Paths map[string]map[string]json.RawMessage `json:"paths"`
		}
		require.NoError(t, json.Unmarshal(data, &spec))
		for path, methods := range spec.Paths {
			for method := range methods {
				if !slices.Contains([]string{"get", "post", "put", "patch", "delete"}, method) {
					continue
				}
				n++
				route := strings.ToUpper(method) + " " + path
				if _, left := withoutMethod[route]; left {
					continue
				}
				assert.True(t, listed[shapeOf(route)], "%s of %s has no method", route, filepath.Base(file))
			}
		}
	}
	assert.Equal(t, 96, n, "routes in the published descriptions")
	assert.True(t, listed["POST /instruments/ai-search-token"], "the 97th is in the newest documentation only")
}
