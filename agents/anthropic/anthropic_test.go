package anthropic_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
	"github.com/ttai-go/ttai/agents/anthropic"
)

type m = map[string]any

// answer writes a step as the events of the messages interface: message_start,
// blocks, message_delta with the reason and the usage, message_stop.
func answer(step agentstest.Step, req *agents.Request) []string {
	var out []string
	event := func(name string, v m) {
		v["type"] = name
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		out = append(out, "event: "+name+"\ndata: "+string(data)+"\n\n")
	}
	start, end := m{}, m{}
	if u := step.Usage; u != nil {
		start = m{"usage": m{"input_tokens": u.Input, "cache_read_input_tokens": u.CacheRead, "cache_creation_input_tokens": u.CacheWrite, "output_tokens": 1}}
		end = m{"output_tokens": u.Output}
	}
	event("message_start", m{"message": start})
	event("ping", m{})
	index := 0
	block := func(content m, kind, member, text string) {
		event("content_block_start", m{"index": index, "content_block": content})
		for _, r := range text {
			event("content_block_delta", m{"index": index, "delta": m{"type": kind, member: string(r)}})
		}
		event("content_block_stop", m{"index": index})
		index++
	}
	stop := "end_turn"
	switch {
	case step.Text != "" && req.Output != nil:
		block(m{"type": "text", "text": ""}, "text_delta", "text", "Let me think.")
		block(m{"type": "tool_use", "id": "a1", "name": "final_answer", "input": m{}}, "input_json_delta", "partial_json", step.Text)
		stop = "tool_use"
	case step.Text != "":
		block(m{"type": "text", "text": ""}, "text_delta", "text", step.Text)
	}
	for _, c := range step.Calls {
		block(m{"type": "tool_use", "id": c.ID, "name": c.Name, "input": m{}}, "input_json_delta", "partial_json", string(c.Arguments))
		stop = "tool_use"
	}
	switch step.Stop {
	case agents.StopLength:
		stop = "max_tokens"
	case agents.StopRefused:
		stop = "refusal"
	}
	event("message_delta", m{"delta": m{"stop_reason": stop}, "usage": end})
	event("message_stop", m{})
	return out
}

type sent struct {
	MaxTokens int `json:"max_tokens"`
	System    []sentBlock
	Messages  []struct {
		Role    string
		Content []sentBlock
	}
	Tools []struct {
		Name  string
		Cache any `json:"cache_control"`
	}
	Choice struct{ Type string } `json:"tool_choice"`
	Stream bool
}

type sentBlock struct {
	Type, Text, ID, Content string
	Input                   map[string]any
	Cache                   any `json:"cache_control"`
}

func asked(body []byte) (agentstest.Asked, error) {
	var r sent
	if err := json.Unmarshal(body, &r); err != nil {
		return agentstest.Asked{}, err
	}
	a := agentstest.Asked{MaxTokens: r.MaxTokens, Streams: r.Stream, Structured: r.Choice.Type == "any"}
	for _, b := range r.System {
		a.Instructions += b.Text
	}
	for _, t := range r.Tools {
		a.Tools = append(a.Tools, t.Name)
	}
	for _, message := range r.Messages {
		for _, b := range message.Content {
			switch {
			case b.Type == "text" && message.Role == "user":
				a.User = append(a.User, b.Text)
			case b.Type == "tool_use":
				a.Calls = append(a.Calls, b.ID)
			case b.Type == "tool_result":
				a.Results = append(a.Results, b.Content)
			}
		}
	}
	return a, nil
}

func TestModel(t *testing.T) {
	agentstest.TestProvider(t, agentstest.Provider{
		New: func(base string, client *http.Client, stall time.Duration, key func(context.Context) (string, error)) (agents.Model, error) {
			return anthropic.New("anthropic/claude-sonnet-4-6", key, &anthropic.Options{BaseURL: base, HTTPClient: client, Stall: stall})
		},
		Answer: answer, Asked: asked,
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestThePrefixIsMarkedForTheCache(t *testing.T) {
	var got sent
	var header http.Header
	client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		header = r.Header
		assert.Equal(t, "https://api.anthropic.com/v1/messages", r.URL.String())
		got = sent{}
		require.NoError(t, json.NewDecoder(r.Body).Decode(&got))
		return &http.Response{StatusCode: 400, Body: http.NoBody, Request: r}, nil
	})}
	model, err := anthropic.New("anthropic/claude-sonnet-4-6", nil, &anthropic.Options{HTTPClient: client})
	require.NoError(t, err)
	tool := agents.NewTool(agents.Spec{Name: "final_answer"}, func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	req := &agents.Request{Instructions: "i", Tools: []agents.Tool{tool}, Output: agents.SchemaFor[struct{}](), Cache: true,
		Messages: []agents.Message{agents.UserText("a"), agents.UserText("b"), {Role: agents.Assistant}}}
	_, err = agents.Generate(t.Context(), model, req)
	require.Error(t, err)
	assert.Equal(t, "2023-06-01", header.Get("anthropic-version"))
	require.Len(t, got.Messages, 1, "roles alternate, and nothing is empty")
	require.Len(t, got.Messages[0].Content, 2)
	assert.Nil(t, got.Messages[0].Content[0].Cache)
	assert.NotNil(t, got.Messages[0].Content[1].Cache)
	assert.NotNil(t, got.System[0].Cache)
	require.Len(t, got.Tools, 2)
	assert.Equal(t, "final_answer_", got.Tools[1].Name, "no tool of the program is shadowed")
	assert.Positive(t, got.MaxTokens, "the interface demands one")

	req.Cache = false
	_, err = agents.Generate(t.Context(), model, req)
	require.Error(t, err)
	assert.Nil(t, got.System[0].Cache)
}
