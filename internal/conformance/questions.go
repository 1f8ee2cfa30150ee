//lint:file-ignore SA1019 sampling, roots and logging are deprecated, and the suite tests them

package main

import (
	"context"
	"encoding/json"
	"fmt"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// addQuestions adds tools that ask an older client back while they run.
func addQuestions(server *sdk.Server) {
	tool(server, "test_sampling", `{"type":"object","properties":{"prompt":{"type":"string"}},"required":["prompt"]}`,
		func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			var in struct{ Prompt string }
			if err := json.Unmarshal(req.Params.Arguments, &in); err != nil {
				return nil, err
			}
			answer, err := req.Session.CreateMessage(ctx, sampling(in.Prompt))
			if err != nil {
				return nil, fmt.Errorf("asking the client's model: %w", err)
			}
			said, ok := answer.Content.(*sdk.TextContent)
			if !ok {
				return nil, fmt.Errorf("the client's model answered with %T", answer.Content)
			}
			return content(text("The model said: %s", said.Text))
		})
	ask := func(name, schema, form string, message func(arguments json.RawMessage) string) {
		tool(server, name, schema, func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			answer, err := req.Session.Elicit(ctx, &sdk.ElicitParams{Message: message(req.Params.Arguments), RequestedSchema: json.RawMessage(form)})
			if err != nil {
				return nil, fmt.Errorf("asking the user: %w", err)
			}
			given, err := json.Marshal(answer.Content)
			if err != nil {
				return nil, err
			}
			return content(text("The user chose %s: %s", answer.Action, given))
		})
	}
	ask("test_elicitation", `{"type":"object","properties":{"message":{"type":"string"}},"required":["message"]}`,
		`{"type":"object","properties":{"username":{"type":"string","description":"your name here"},"email":{"type":"string","description":"your address"}},"required":["username","email"]}`,
		func(arguments json.RawMessage) string {
			var in struct{ Message string }
			if json.Unmarshal(arguments, &in) != nil || in.Message == "" {
				return "Who are you?"
			}
			return in.Message
		})
	fixed := func(json.RawMessage) string { return "Please review and accept." }
	ask("test_elicitation_sep1034_defaults", anything, `{"type":"object","properties":{
		"name":{"type":"string","default":"John Doe"},
		"age":{"type":"integer","default":30},
		"score":{"type":"number","default":95.5},
		"status":{"type":"string","enum":["active","inactive","pending"],"default":"active"},
		"verified":{"type":"boolean","default":true}},"required":[]}`, fixed)
	ask("test_elicitation_sep1330_enums", anything, `{"type":"object","properties":{
		"untitledSingle":{"type":"string","enum":["option1","option2","option3"]},
		"titledSingle":{"type":"string","oneOf":[{"const":"value1","title":"First Option"},{"const":"value2","title":"Second Option"},{"const":"value3","title":"Third Option"}]},
		"legacyEnum":{"type":"string","enum":["opt1","opt2","opt3"],"enumNames":["Option One","Option Two","Option Three"]},
		"untitledMulti":{"type":"array","items":{"type":"string","enum":["option1","option2","option3"]}},
		"titledMulti":{"type":"array","items":{"anyOf":[{"const":"value1","title":"First Choice"},{"const":"value2","title":"Second Choice"},{"const":"value3","title":"Third Choice"}]}}},
		"required":[]}`, fixed)
}

// sampling asks a client's model.
func sampling(prompt string) *sdk.CreateMessageParams {
	return &sdk.CreateMessageParams{Messages: []*sdk.SamplingMessage{{Role: "user", Content: text("%s", prompt)}}, MaxTokens: 100}
}
