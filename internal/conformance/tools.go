//lint:file-ignore SA1019 sampling, roots and logging are deprecated, and the suite tests them

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ttai-go/ttai/internal/conformance/fixtures"
)

// set is what the suite asks for; what it starts ends with ctx.
func set(ctx context.Context) fixtures.Set {
	return fixtures.Set{
		Options: func(o *sdk.ServerOptions) {
			o.Capabilities.Logging = &sdk.LoggingCapabilities{}
			o.Capabilities.Tools.ListChanged = true
			o.Capabilities.Prompts.ListChanged = true
			o.Capabilities.Resources.Subscribe = true
			o.SubscribeHandler = func(context.Context, *sdk.SubscribeRequest) error { return nil }
			o.UnsubscribeHandler = func(context.Context, *sdk.UnsubscribeRequest) error { return nil }
		},
		Server: func(server *sdk.Server) {
			addContent(server)
			addSignals(server)
			addQuestions(server)
			addRounds(server, newSigner())
			addResources(ctx, server)
			addPrompts(server)
		},
	}
}

// suite is the description of everything here.
const suite = "For the conformance suite."

// anything is the schema of a tool whose arguments do not matter.
const anything = `{"type":"object"}`

// tool adds a tool with a schema that is sent as it is written here.
func tool(server *sdk.Server, name, schema string, handler sdk.ToolHandler) {
	server.AddTool(&sdk.Tool{Name: name, Description: suite, InputSchema: json.RawMessage(schema)}, handler)
}

// content is a result that is these parts.
func content(parts ...sdk.Content) (*sdk.CallToolResult, error) {
	return &sdk.CallToolResult{Content: parts}, nil
}

func text(format string, args ...any) sdk.Content {
	return &sdk.TextContent{Text: fmt.Sprintf(format, args...)}
}

// addContent adds a tool for every kind of content.
func addContent(server *sdk.Server) {
	embedded := func(uri string) sdk.Content {
		return &sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: uri, MIMEType: "text/plain", Text: "An embedded resource."}}
	}
	for name, parts := range map[string][]sdk.Content{
		"test_simple_text":            {text("Some simple text.")},
		"test_image_content":          {picture()},
		"test_audio_content":          {sound()},
		"test_embedded_resource":      {embedded("test://embedded-resource")},
		"test_multiple_content_types": {text("Text beside an image and a resource."), picture(), embedded("test://embedded-beside")},
		"test_streaming_elicitation":  {text("Nothing is asked.")},
	} {
		tool(server, name, anything, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) { return content(parts...) })
	}
	tool(server, "test_error_handling", anything, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{text("This tool always fails.")}}, nil
	})
	tool(server, "json_schema_2020_12_tool", wideSchema, func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		return content(text("%s", req.Params.Arguments))
	})
	tool(server, "test_x_mcp_header", `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"level":{"type":"integer"}}}`,
		func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return content(text("%s", req.Params.Arguments))
		})
}

// wideSchema uses the keywords that have to reach the client as they are.
const wideSchema = `{
	"$schema": "https://json-schema.org/draft/2020-12/schema",
	"type": "object",
	"$defs": {"address": {"$anchor": "addressDef", "type": "object", "properties": {"street": {"type": "string"}, "city": {"type": "string"}}}},
	"properties": {
		"name": {"type": "string"}, "address": {"$ref": "#/$defs/address"},
		"contactMethod": {"type": "string", "enum": ["phone", "email"]}, "phone": {"type": "string"}, "email": {"type": "string"}
	},
	"allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
	"if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
	"then": {"required": ["phone"]},
	"else": {"required": ["email"]},
	"additionalProperties": false
}`

// pause lies between signals, so that a client can tell them apart.
const pause = 50 * time.Millisecond

// wait returns when d is over or the call is.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// addSignals adds tools that send something besides their result.
func addSignals(server *sdk.Server) {
	log := func(ctx context.Context, req *sdk.CallToolRequest, message string) error {
		return req.Session.Log(ctx, &sdk.LoggingMessageParams{Level: "info", Data: message})
	}
	tool(server, "test_tool_with_logging", anything, func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		for _, message := range []string{"began", "goes on", "ended"} {
			if err := errors.Join(log(ctx, req, message), wait(ctx, pause)); err != nil {
				return nil, err
			}
		}
		return content(text("Three messages were logged."))
	})
	tool(server, "test_logging_tool", anything, func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if err := log(ctx, req, "only for those who asked"); err != nil {
			return nil, err
		}
		return content(text("One message was logged."))
	})
	tool(server, "test_tool_with_progress", anything, func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		token := req.Params.GetProgressToken()
		for _, done := range []float64{0, 50, 100} {
			err := req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: done, Total: 100})
			if err := errors.Join(err, wait(ctx, pause)); err != nil {
				return nil, err
			}
		}
		return content(text("%v", token))
	})
	tool(server, "test_reconnection", anything, func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if req.Extra != nil && req.Extra.CloseSSEStream != nil {
			req.Extra.CloseSSEStream(sdk.CloseSSEStreamArgs{RetryAfter: 10 * time.Millisecond})
		}
		if err := wait(ctx, 2*pause); err != nil {
			return nil, err
		}
		return content(text("The answer came after the stream was closed."))
	})
	tool(server, "test_trigger_tool_change", anything, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		tool(server, "test_added_later", anything, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) { return content() })
		return content(text("The list of tools has changed."))
	})
	tool(server, "test_trigger_prompt_change", anything, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		server.AddPrompt(&sdk.Prompt{Name: "test_added_later", Description: suite}, prompt(text("Added later.")))
		return content(text("The list of prompts has changed."))
	})
	tool(server, "test_missing_capability", anything, func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if caps := req.ClientCapabilities(); caps != nil && caps.Sampling != nil {
			return content(text("The client can sample."))
		}
		data, err := json.Marshal(sdk.MissingRequiredClientCapabilityData{RequiredCapabilities: &sdk.ClientCapabilities{Sampling: &sdk.SamplingCapabilities{}}})
		if err != nil {
			return nil, err
		}
		return nil, &jsonrpc.Error{Code: sdk.CodeMissingRequiredClientCapabilities, Message: "this tool needs a client that can sample", Data: data}
	})
}
