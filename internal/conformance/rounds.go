//lint:file-ignore SA1019 sampling, roots and logging are deprecated, and the suite tests them

package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// A signer makes the state that a client carries from one round to the next,
// and knows its own again.
type signer struct{ key []byte }

func newSigner() signer {
	key := make([]byte, 32)
	rand.Read(key)
	return signer{key}
}

func (s signer) mac(value string) string {
	h := hmac.New(sha256.New, s.key)
	h.Write([]byte(value))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func (s signer) state(value string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(value)) + "." + s.mac(value)
}

// value returns what state was made of; a state of somebody else is refused.
func (s signer) value(state string) (string, error) {
	body, mac, _ := strings.Cut(state, ".")
	value, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || !hmac.Equal([]byte(mac), []byte(s.mac(string(value)))) {
		return "", &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "requestState was not made by this server"}
	}
	return string(value), nil
}

// form asks the user for one field.
func form(message, field, kind string) *sdk.ElicitParams {
	schema, err := json.Marshal(map[string]any{
		"type": "object", "properties": map[string]any{field: map[string]any{"type": kind}}, "required": []string{field},
	})
	if err != nil {
		panic(err) // maps of text do not fail
	}
	return &sdk.ElicitParams{Message: message, RequestedSchema: json.RawMessage(schema)}
}

// accepted returns a field of a form that the user has filled in.
func accepted(answers sdk.InputResponseMap, name, field string) (value any, ok bool) {
	answer, ok := answers[name].(*sdk.ElicitResult)
	if !ok || answer.Action != "accept" {
		return nil, false
	}
	value, ok = answer.Content[field]
	return value, ok
}

// sampled returns what a client's model has said.
func sampled(answers sdk.InputResponseMap, name string) (said string, ok bool) {
	answer, ok := answers[name].(*sdk.CreateMessageWithToolsResult)
	if !ok {
		return "", false
	}
	for _, part := range answer.Content {
		if t, ok := part.(*sdk.TextContent); ok {
			said += t.Text
		}
	}
	return said, true
}

// need answers a call with questions.
func need(requests sdk.InputRequestMap, state string) (*sdk.CallToolResult, error) {
	return &sdk.CallToolResult{InputRequests: requests, RequestState: state}, nil
}

// addRounds adds tools that answer a newer client with questions, and are
// called again with its answers.
func addRounds(server *sdk.Server, s signer) {
	add := func(name string, handler func(*sdk.CallToolRequest, sdk.InputResponseMap) (*sdk.CallToolResult, error)) {
		tool(server, "test_input_required_result_"+name, anything, func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
			return handler(req, req.Params.InputResponses)
		})
	}
	add("elicitation", func(_ *sdk.CallToolRequest, answers sdk.InputResponseMap) (*sdk.CallToolResult, error) {
		if name, ok := accepted(answers, "user_name", "name"); ok && name != "" {
			return content(text("Hello, %v!", name))
		}
		return need(sdk.InputRequestMap{"user_name": form("What is your name?", "name", "string")}, "")
	})
	add("sampling", func(_ *sdk.CallToolRequest, answers sdk.InputResponseMap) (*sdk.CallToolResult, error) {
		if said, ok := sampled(answers, "capital_question"); ok {
			return content(text("The model said: %s", said))
		}
		return need(sdk.InputRequestMap{"capital_question": sampling("What is the capital of France?")}, "")
	})
	add("list_roots", func(_ *sdk.CallToolRequest, answers sdk.InputResponseMap) (*sdk.CallToolResult, error) {
		if roots, ok := answers["client_roots"].(*sdk.ListRootsResult); ok {
			return content(text("The client has %d roots.", len(roots.Roots)))
		}
		return need(sdk.InputRequestMap{"client_roots": &sdk.ListRootsParams{}}, "")
	})
	confirmed := func(req *sdk.CallToolRequest, answers sdk.InputResponseMap) (*sdk.CallToolResult, error) {
		if req.Params.RequestState != "" {
			if _, err := s.value(req.Params.RequestState); err != nil {
				return nil, err
			}
			if _, ok := accepted(answers, "confirm", "ok"); ok {
				return content(text("state-ok: the state came back as it was sent."))
			}
		}
		return need(sdk.InputRequestMap{"confirm": form("Do you confirm?", "ok", "boolean")}, s.state("to be confirmed"))
	}
	add("request_state", confirmed)
	add("tampered_state", confirmed)
	add("multiple_inputs", func(_ *sdk.CallToolRequest, answers sdk.InputResponseMap) (*sdk.CallToolResult, error) {
		name, named := accepted(answers, "user_name", "name")
		greeting, greeted := sampled(answers, "greeting")
		roots, rooted := answers["client_roots"].(*sdk.ListRootsResult)
		if named && greeted && rooted {
			return content(text("%s %v, of %d roots", greeting, name, len(roots.Roots)))
		}
		return need(sdk.InputRequestMap{
			"user_name": form("What is your name?", "name", "string"), "greeting": sampling("Write a greeting."),
			"client_roots": &sdk.ListRootsParams{},
		}, s.state("all at once"))
	})
	add("multi_round", func(req *sdk.CallToolRequest, answers sdk.InputResponseMap) (*sdk.CallToolResult, error) {
		if req.Params.RequestState == "" {
			return need(sdk.InputRequestMap{"step1": form("First: what is your name?", "name", "string")}, s.state("asked for the name"))
		}
		state, err := s.value(req.Params.RequestState)
		if err != nil {
			return nil, err
		}
		name, second := strings.CutPrefix(state, "named ")
		if !second {
			name, _ := accepted(answers, "step1", "name")
			given, _ := name.(string)
			return need(sdk.InputRequestMap{"step2": form("Second: which colour do you like?", "color", "string")}, s.state("named "+given))
		}
		colour, _ := accepted(answers, "step2", "color")
		return content(text("%s likes %v.", name, colour))
	})
	add("capabilities", func(req *sdk.CallToolRequest, answers sdk.InputResponseMap) (*sdk.CallToolResult, error) {
		if len(answers) > 0 {
			return content(text("The client has answered what it can."))
		}
		requests := sdk.InputRequestMap{}
		if caps := req.ClientCapabilities(); caps != nil {
			if caps.Elicitation != nil {
				requests["user_name"] = form("What is your name?", "name", "string")
			}
			if caps.Sampling != nil {
				requests["greeting"] = sampling("Write a greeting.")
			}
			if caps.RootsV2 != nil {
				requests["client_roots"] = &sdk.ListRootsParams{}
			}
		}
		if len(requests) == 0 {
			return content(text("The client can be asked nothing."))
		}
		return need(requests, "")
	})
	server.AddPrompt(&sdk.Prompt{Name: "test_input_required_result_prompt", Description: suite}, func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		if given, ok := accepted(req.Params.InputResponses, "user_context", "context"); ok {
			return &sdk.GetPromptResult{Messages: []*sdk.PromptMessage{{Role: "user", Content: text("In the context of %v.", given)}}}, nil
		}
		return &sdk.GetPromptResult{InputRequests: sdk.InputRequestMap{"user_context": form("In which context?", "context", "string")}}, nil
	})
}
