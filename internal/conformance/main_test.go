package main

import (
	"context"
	"net"
	"net/http/httptest"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/internal/conformance/fixtures"
	"github.com/ttai-go/ttai/internal/deptest"
)

func TestImports(t *testing.T) {
	deptest.Check(t, deptest.Allow{
		Own:     []string{"agents/tools", "broker", "mcp", "internal/..."},
		Modules: []string{"github.com/modelcontextprotocol/go-sdk"},
	})
}

// The suite itself needs Node and runs in CI; this holds what it stands on.
func TestTheFixturesSitBesideTheProductsOwnTools(t *testing.T) {
	for _, brought := range []bool{true, false} {
		server, err := newServer()
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		ts := httptest.NewUnstartedServer(server.Handler())
		if brought {
			ts.Config.BaseContext = func(net.Listener) context.Context { return fixtures.With(ctx, set(ctx)) }
		}
		ts.Start()
		client := sdk.NewClient(&sdk.Implementation{Name: "test", Version: "1"}, nil)
		session, err := client.Connect(ctx, &sdk.StreamableClientTransport{Endpoint: ts.URL, HTTPClient: ts.Client(), MaxRetries: -1}, nil)
		require.NoError(t, err)
		list, err := session.ListTools(ctx, nil)
		require.NoError(t, err)
		names := map[string]bool{}
		for _, tool := range list.Tools {
			names[tool.Name] = true
		}
		assert.True(t, names["price_option"])
		assert.Equal(t, brought, names["test_image_content"])
		assert.Equal(t, brought, names["test_input_required_result_multi_round"])
		session.Close()
		server.Close()
		cancel()
		ts.Close()
	}
}

func TestAStateOfSomebodyElseIsRefused(t *testing.T) {
	s := newSigner()
	value, err := s.value(s.state("named Ann"))
	require.NoError(t, err)
	assert.Equal(t, "named Ann", value)
	for _, state := range []string{"", ".", s.state("x") + "-TAMPERED", "x" + s.state("x"), newSigner().state("x")} {
		_, err := s.value(state)
		assert.Error(t, err, state)
	}
}
