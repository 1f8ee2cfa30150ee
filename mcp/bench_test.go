package mcp_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/mcp"
)

// BenchmarkColdList is a server from nothing to the answer of tools/list.
func BenchmarkColdList(b *testing.B) {
	for b.Loop() {
		s, err := mcp.New(deps, nil)
		require.NoError(b, err)
		p := newPipe(b, s)
		p.initialize()
		p.ask("tools/list", `{}`)
		p.in.Close()
		<-p.ended
		s.Close()
	}
}

// BenchmarkCall is one tool call over streams.
func BenchmarkCall(b *testing.B) {
	p := newPipe(b, newServer(b, &mcp.Options{Limits: mcp.Limits{CallsPerMinute: -1}}))
	p.initialize()
	for b.Loop() {
		p.ask("tools/call", `{"name":"quote","arguments":{"symbols":["SPY"]}}`)
	}
}
