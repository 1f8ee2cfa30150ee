package mcp_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/mcp"
)

var update = flag.Bool("update", false, "write the surface as it is to testdata")

// A pipe is a server over streams, spoken to line by line as a client would.
type pipe struct {
	t     testing.TB
	in    *io.PipeWriter
	out   *bufio.Reader
	ended chan error
}

func newPipe(t testing.TB, s *mcp.Server) *pipe {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	inReader, inWriter := io.Pipe()
	outReader, outWriter := io.Pipe()
	p := &pipe{t: t, in: inWriter, out: bufio.NewReader(outReader), ended: make(chan error, 1)}
	go func() { p.ended <- s.Serve(ctx, inReader, outWriter) }()
	t.Cleanup(func() {
		cancel()
		inWriter.Close()
		outReader.Close()
		outWriter.Close()
	})
	return p
}

func (p *pipe) send(line string) {
	p.t.Helper()
	_, err := io.WriteString(p.in, line+"\n")
	require.NoError(p.t, err)
}

func (p *pipe) read() []byte {
	p.t.Helper()
	line, err := p.out.ReadBytes('\n')
	require.NoError(p.t, err)
	return bytes.TrimSpace(line)
}

// ask sends a request and returns the bytes of the answer's line.
func (p *pipe) ask(method, params string) []byte {
	p.t.Helper()
	p.send(fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":%q,"params":%s}`, method, params))
	return p.read()
}

func (p *pipe) initialize() json.RawMessage {
	p.t.Helper()
	answer := p.ask("initialize", `{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}`)
	p.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return answer
}

// longestList is how large the answer to tools/list may be: every conversation
// of every client pays for it.
const longestList = 16 << 10

func TestTheWholeSurface(t *testing.T) {
	p := newPipe(t, newFloor(t, &mcp.Options{Version: "test"}, nil).server)
	var surface bytes.Buffer
	surface.WriteString("{")
	for i, part := range []struct {
		name   string
		answer []byte
	}{
		{"initialize", p.initialize()},
		{"tools/list", p.ask("tools/list", `{}`)},
		{"prompts/list", p.ask("prompts/list", `{}`)},
		{"resources/list", p.ask("resources/list", `{}`)},
		{"resources/templates/list", p.ask("resources/templates/list", `{}`)},
	} {
		if i > 0 {
			surface.WriteString(",")
		}
		if part.name == "tools/list" {
			t.Logf("tools/list: %d bytes", len(part.answer))
			assert.LessOrEqual(t, len(part.answer), longestList, "tools/list has outgrown its budget")
		}
		var answer struct {
			Result json.RawMessage `json:"result"`
		}
		require.NoError(t, json.Unmarshal(part.answer, &answer), "%s", part.answer)
		require.NotEmpty(t, answer.Result, "%s", part.answer)
		fmt.Fprintf(&surface, "%q:%s", part.name, answer.Result)
	}
	surface.WriteString("}")
	var got bytes.Buffer
	require.NoError(t, json.Indent(&got, surface.Bytes(), "", "  "))
	got.WriteString("\n")

	golden := filepath.Join("testdata", "surface.json")
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	assert.Equal(t, string(want), got.String(), "what clients see has changed; when that is meant: go test ./mcp -run TestTheWholeSurface -update")
}

func TestListedOutputSchemasAcceptWhatToolsReturn(t *testing.T) {
	p := newPipe(t, newFloor(t, nil, nil).server)
	p.initialize()
	var list struct {
		Result struct {
			Tools []struct {
				Name         string             `json:"name"`
				InputSchema  *jsonschema.Schema `json:"inputSchema"`
				OutputSchema *jsonschema.Schema `json:"outputSchema"`
			} `json:"tools"`
		} `json:"result"`
	}
	require.NoError(t, json.Unmarshal(p.ask("tools/list", `{}`), &list))
	require.Len(t, list.Result.Tools, len(tools.Usual()))
	arguments := map[string]string{
		"quote": `{"symbols":["SPY"]}`, "candles": `{"symbol":"SPY","indicators":["RSI"]}`, "analyst": `{"symbol":"SPY"}`, "portfolio": `{}`,
		"knowledge": `{"query":"how fast do options decay"}`,
		"orders":    `{}`, "audit": `{}`, "preview_order": string(buyOne),
		"market_status": `{}`, "price_option": `{"kind":"put","spot":1,"strike":1,"days":1,"vol":0.1}`,
	}
	for _, tool := range list.Result.Tools {
		if arguments[tool.Name] == "" {
			continue
		}
		_, err := tool.InputSchema.Resolve(nil)
		require.NoError(t, err, tool.Name)
		output, err := tool.OutputSchema.Resolve(nil)
		require.NoError(t, err, tool.Name)
		var answer struct {
			Result struct {
				StructuredContent any  `json:"structuredContent"`
				IsError           bool `json:"isError"`
			} `json:"result"`
		}
		raw := p.ask("tools/call", fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool.Name, arguments[tool.Name]))
		require.NoError(t, json.Unmarshal(raw, &answer))
		require.False(t, answer.Result.IsError, "%s", raw)
		assert.NoError(t, output.Validate(answer.Result.StructuredContent), "%s: %s", tool.Name, raw)
		delete(arguments, tool.Name)
	}
	assert.Empty(t, arguments, "every tool was called")
}
