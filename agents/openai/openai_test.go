package openai_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
	"github.com/ttai-go/ttai/agents/openai"
)

// answer writes a step as chat.completion.chunk events, in the order in which
// OpenAI's reference has them: deltas, the reason for the end, usage, [DONE].
func answer(step agentstest.Step, _ *agents.Request) []string {
	var out []string
	event := func(v any) {
		data, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		out = append(out, "data: "+string(data)+"\n\n")
	}
	type m = map[string]any
	choice := func(delta m, finish any) m {
		return m{"id": "x", "object": "chat.completion.chunk", "choices": []m{{"index": 0, "delta": delta, "finish_reason": finish}}}
	}
	event(choice(m{"role": "assistant", "content": ""}, nil))
	for _, r := range step.Text {
		event(choice(m{"content": string(r)}, nil))
	}
	for i, c := range step.Calls {
		event(choice(m{"tool_calls": []m{{"index": i, "id": c.ID, "type": "function", "function": m{"name": c.Name, "arguments": ""}}}}, nil))
		for _, r := range string(c.Arguments) {
			event(choice(m{"tool_calls": []m{{"index": i, "function": m{"arguments": string(r)}}}}, nil))
		}
	}
	finish := map[agents.StopReason]string{agents.StopLength: "length", agents.StopRefused: "content_filter"}[step.Stop]
	if finish == "" {
		finish = "stop"
		if len(step.Calls) > 0 {
			finish = "tool_calls"
		}
	}
	event(choice(m{}, finish))
	if u := step.Usage; u != nil {
		event(m{"choices": []m{}, "usage": m{"prompt_tokens": u.Input + u.CacheRead, "completion_tokens": u.Output, "prompt_tokens_details": m{"cached_tokens": u.CacheRead}}})
	}
	return append(out, "data: [DONE]\n\n")
}

func asked(body []byte) (agentstest.Asked, error) {
	var r struct {
		Messages []struct {
			Role, Content string
			ToolCalls     []struct {
				ID       string
				Function struct{ Arguments string }
			} `json:"tool_calls"`
		}
		Tools  []struct{ Function struct{ Name string } }
		Max    int `json:"max_completion_tokens"`
		Stream bool
		Format *struct{ Type string } `json:"response_format"`
	}
	if err := json.Unmarshal(body, &r); err != nil {
		return agentstest.Asked{}, err
	}
	a := agentstest.Asked{MaxTokens: r.Max, Streams: r.Stream, Structured: r.Format != nil && r.Format.Type == "json_schema"}
	for _, t := range r.Tools {
		a.Tools = append(a.Tools, t.Function.Name)
	}
	for _, m := range r.Messages {
		switch m.Role {
		case "system":
			a.Instructions += m.Content
		case "user":
			a.User = append(a.User, m.Content)
		case "tool":
			a.Results = append(a.Results, m.Content)
		}
		for _, c := range m.ToolCalls {
			a.Calls = append(a.Calls, c.ID)
		}
	}
	return a, nil
}

func TestModel(t *testing.T) {
	agentstest.TestProvider(t, agentstest.Provider{
		New: func(base string, client *http.Client, stall time.Duration, key func(context.Context) (string, error)) (agents.Model, error) {
			return openai.New("openai/gpt-5", key, &openai.Options{BaseURL: base, HTTPClient: client, Stall: stall})
		},
		Answer: answer, Asked: asked,
	})
}

type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestOptionsChangeTheRequest(t *testing.T) {
	var header http.Header
	var url string
	var body map[string]any
	client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		header, url = r.Header, r.URL.String()
		require.NoError(t, json.NewDecoder(r.Body).Decode(&body))
		return &http.Response{StatusCode: 400, Body: http.NoBody, Request: r}, nil
	})}
	m, err := openai.New("azure/gpt-5", func(context.Context) (string, error) { return "key-1", nil },
		&openai.Options{BaseURL: "https://x.openai.azure.com/openai/v1/", HTTPClient: client, KeyHeader: "api-key", LegacyLimit: true, Strict: true})
	require.NoError(t, err)
	_, err = agents.Generate(t.Context(), m, &agents.Request{MaxTokens: 9, Output: agents.SchemaFor[struct{}](), Messages: []agents.Message{agents.UserText("x")}})
	require.Error(t, err)
	assert.Equal(t, "https://x.openai.azure.com/openai/v1/chat/completions", url)
	assert.Equal(t, "key-1", header.Get("api-key"))
	assert.Empty(t, header.Get("Authorization"))
	assert.EqualValues(t, 9, body["max_tokens"])
	assert.NotContains(t, body, "max_completion_tokens")
	assert.Equal(t, "gpt-5", body["model"])
	assert.Equal(t, true, body["response_format"].(map[string]any)["json_schema"].(map[string]any)["strict"])
}

func TestCachedTokensAreCountedOnce(t *testing.T) {
	body := strings.Join(answer(agentstest.Step{Text: "x", Usage: &agents.Usage{Input: 10, CacheRead: 90, Output: 5}}, nil), "")
	client := &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: readCloser{strings.NewReader(body)}, Request: r}, nil
	})}
	m, err := openai.New("openai/gpt-5", nil, &openai.Options{HTTPClient: client})
	require.NoError(t, err)
	r, err := agents.Generate(t.Context(), m, &agents.Request{Messages: []agents.Message{agents.UserText("x")}})
	require.NoError(t, err)
	assert.Equal(t, &agents.Usage{Input: 10, CacheRead: 90, Output: 5}, r.Usage)
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }
