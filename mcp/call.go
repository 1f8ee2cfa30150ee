package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/time/rate"

	"github.com/ttai-go/ttai/agents"
)

// addTools registers the exposed tools.
func (b *builder) addTools(server *sdk.Server) {
	for _, t := range b.tools {
		a := t.Annotations
		server.AddTool(&sdk.Tool{
			Name: t.Name, Title: t.Title, Description: t.Description,
			InputSchema: t.Input, OutputSchema: outline(t.Output, 0),
			Annotations: &sdk.ToolAnnotations{
				ReadOnlyHint: a.ReadOnly, IdempotentHint: a.Idempotent || a.ReadOnly,
				DestructiveHint: jsonschema.Ptr(a.Destructive && !a.ReadOnly), OpenWorldHint: jsonschema.Ptr(a.OpenWorld),
			},
		}, b.handler(t))
	}
}

// outlineDepth is how many levels of an output schema are listed. Clients
// validate results against it and models rarely need it, while every byte of it
// costs every conversation.
const outlineDepth = 1

// outline is an output schema cut down to what a client can check: types and
// names of what is always there. Descriptions, what may be missing, and the promise
// that nothing else will ever be added, are left out.
func outline(s *jsonschema.Schema, depth int) *jsonschema.Schema {
	out := &jsonschema.Schema{Type: s.Type, Types: s.Types}
	if s.Properties != nil && depth < outlineDepth {
		out.Properties = make(map[string]*jsonschema.Schema, len(s.Required))
		for _, name := range s.Required {
			out.Properties[name] = outline(s.Properties[name], depth+1)
		}
		out.PropertyOrder = slices.DeleteFunc(slices.Clone(s.PropertyOrder), func(name string) bool { return out.Properties[name] == nil })
		if depth == 0 {
			out.Required = s.Required
		}
	}
	if s.Items != nil && s.Items.Properties != nil && depth < outlineDepth {
		out.Items = outline(s.Items, depth+1)
	}
	return out
}

// handler calls t and turns what it returns into a result: structured, and the
// same JSON as text for clients that read only that.
func (b *builder) handler(t agents.Tool) sdk.ToolHandler {
	return func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		raw, err := b.call(b.withPerson(ctx, req), t, req.Params.Arguments)
		if result, asks := b.question(req, err); asks {
			return result, nil
		}
		if err != nil {
			return failure(err), nil
		}
		return &sdk.CallToolResult{
			Content:           []sdk.Content{&sdk.TextContent{Text: string(raw)}},
			StructuredContent: raw,
		}, nil
	}
}

// call runs a tool. Whatever goes wrong inside is logged here and described to
// the caller without the inside.
func (b *builder) call(ctx context.Context, t agents.Tool, arguments json.RawMessage) (raw json.RawMessage, err error) {
	began := time.Now()
	defer func() {
		if v := recover(); v != nil {
			err = &agents.PanicError{Tool: t.Name, Value: v, Stack: debug.Stack()}
		}
		took := time.Since(began)
		var defect *agents.PanicError
		switch {
		case errors.As(err, &defect):
			b.opts.Logger.ErrorContext(ctx, "tool panicked", "tool", t.Name, "panic", defect.Value, "stack", string(defect.Stack))
		case errors.Is(err, agents.ErrQuestion):
			b.opts.Logger.DebugContext(ctx, "tool asks a person", "tool", t.Name)
		case err != nil:
			b.opts.Logger.WarnContext(ctx, "tool failed", "tool", t.Name, "took", took, "error", err)
		default:
			b.opts.Logger.DebugContext(ctx, "tool called", "tool", t.Name, "took", took, "bytes", len(raw))
		}
	}()
	return t.Call(ctx, arguments)
}

// longestError is how many bytes of an error a model is shown.
const longestError = 2000

// failure tells the model what went wrong and what to do about it. It is a
// result and not a protocol error, which a model would never see.
func failure(err error) *sdk.CallToolResult {
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: message(err)}}}
}

// notReady is what a caller is told whose tenant cannot be opened. Why is for the
// log: it can name hosts and files of the server.
const notReady = "not ready: try again, or ask whoever runs this server"

func message(err error) string {
	var text string
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		text = fmt.Sprintf("%v. There was no answer in time: try again, or ask for less.", err)
	case errors.Is(err, context.Canceled):
		text = "the call was cancelled"
	default:
		text = err.Error()
	}
	if len(text) > longestError {
		text = text[:longestError] + "…"
	}
	return text
}

// guard limits how often a caller may ask for something that costs, and
// contains what panics outside of tools.
func (s *Server) guard(limiter *rate.Limiter) sdk.Middleware {
	return func(next sdk.MethodHandler) sdk.MethodHandler {
		return func(ctx context.Context, method string, req sdk.Request) (result sdk.Result, err error) {
			defer func() {
				if v := recover(); v != nil {
					s.opts.Logger.ErrorContext(ctx, "request panicked", "method", method, "panic", v, "stack", string(debug.Stack()))
					result, err = nil, &jsonrpc.Error{Code: jsonrpc.CodeInternalError, Message: "internal error"}
				}
			}()
			switch method {
			case "tools/call", "prompts/get", "resources/read", "completion/complete":
				if limiter == nil || limiter.AllowN(s.opts.Now(), 1) {
					break
				}
				text := fmt.Sprintf("too many calls: at most %d a minute are served. Wait a few seconds, and ask for several symbols at once.", s.opts.Limits.CallsPerMinute)
				if method == "tools/call" {
					return failure(errors.New(text)), nil
				}
				return nil, &jsonrpc.Error{Code: codeBusy, Message: text}
			}
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(s.life, cancel)()
			return next(ctx, method, req)
		}
	}
}

// codeBusy is the implementation-defined JSON-RPC code of a refusal that passes.
const codeBusy = -32001
