// Package openai speaks to models behind the chat completions interface, which
// OpenAI, Azure, Gemini, OpenRouter, Bedrock, Ollama, vLLM and others offer.
package openai

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/internal/wire"
	"github.com/ttai-go/ttai/internal/invalid"
)

// BaseURL is OpenAI's own server. Others end where /chat/completions would follow:
// http://localhost:11434/v1 is Ollama's.
const BaseURL = "https://api.openai.com/v1"

// Options configure a [Model]. The zero value works for OpenAI.
type Options struct {
	BaseURL    string        // https, or http to this machine; empty: [BaseURL]
	HTTPClient *http.Client  // nil: one of its own
	Stall      time.Duration // how long a server may be silent; 0: 90 s
	// KeyHeader carries the key in place of "Authorization: Bearer": "api-key" on
	// Azure.
	KeyHeader string
	// LegacyLimit sends the limit of an answer as max_tokens, which servers other
	// than OpenAI's and Azure's know, instead of max_completion_tokens.
	LegacyLimit bool
	// Strict asks the server to hold answers to their schema, for schemas that
	// OpenAI's strict mode takes: all members required, none beyond them.
	Strict bool
}

// A Model is one model of a server. It is safe for concurrent use.
type Model struct {
	name, id string
	opts     Options
	client   *wire.Client
}

// New returns the model called name, provider/model: the provider is for prices and
// transcripts, the model is what the server calls it. The key is asked for before
// each request and kept nowhere; nil: the server wants none.
func New(name string, key func(context.Context) (string, error), opts *Options) (*Model, error) {
	m := &Model{name: name}
	var err error
	if _, m.id, err = agents.SplitName(name); err != nil {
		return nil, err
	}
	if opts != nil {
		m.opts = *opts
	}
	if strings.ContainsAny(m.opts.KeyHeader, " \t\r\n:") {
		return nil, invalid.Field("KeyHeader", m.opts.KeyHeader, "the name of a header")
	}
	if m.opts.BaseURL == "" {
		m.opts.BaseURL = BaseURL
	}
	m.client, err = wire.New(wire.Options{Model: name, BaseURL: m.opts.BaseURL, HTTPClient: m.opts.HTTPClient, Stall: m.opts.Stall, Key: key, Sign: m.sign})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Name returns provider/model.
func (m *Model) Name() string { return m.name }

func (m *Model) sign(h http.Header, key string) {
	if m.opts.KeyHeader != "" {
		h.Set(m.opts.KeyHeader, key)
		return
	}
	h.Set("Authorization", "Bearer "+key)
}

// Stream sends one request. Servers remember prefixes by themselves, so that
// Request.Cache changes nothing.
//
// POST /chat/completions
func (m *Model) Stream(ctx context.Context, req *agents.Request) iter.Seq2[agents.Delta, error] {
	return func(yield func(agents.Delta, error) bool) {
		var r reader // of this stream alone: the sequence may be run again
		m.client.Run(ctx, []string{"chat", "completions"}, m.request(req), r.read)(yield)
	}
}

var _ agents.Model = (*Model)(nil)

type request struct {
	Model         string         `json:"model"`
	Messages      []message      `json:"messages"`
	Tools         []tool         `json:"tools,omitempty"`
	Format        *format        `json:"response_format,omitempty"`
	MaxTokens     int            `json:"max_tokens,omitempty"`
	MaxCompletion int            `json:"max_completion_tokens,omitempty"`
	Temperature   *float64       `json:"temperature,omitempty"`
	Stream        bool           `json:"stream"`
	StreamOptions *streamOptions `json:"stream_options"`
}

type streamOptions struct {
	Usage bool `json:"include_usage"`
}

type message struct {
	Role    string  `json:"role"`
	Content *string `json:"content"`
	Calls   []call  `json:"tool_calls,omitempty"`
	CallID  string  `json:"tool_call_id,omitempty"`
}

type call struct {
	Index    int      `json:"index,omitempty"`
	ID       string   `json:"id,omitempty"`
	Type     string   `json:"type,omitempty"`
	Function function `json:"function"`
}

type function struct {
	Name      string `json:"name,omitempty"`
	Arguments string `json:"arguments"`
}

type tool struct {
	Type     string       `json:"type"`
	Function toolFunction `json:"function"`
}

type toolFunction struct {
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Parameters  *jsonschema.Schema `json:"parameters"`
}

type format struct {
	Type   string       `json:"type"`
	Schema formatSchema `json:"json_schema"`
}

type formatSchema struct {
	Name   string             `json:"name"`
	Schema *jsonschema.Schema `json:"schema"`
	Strict bool               `json:"strict"`
}

func (m *Model) request(req *agents.Request) *request {
	out := &request{Model: m.id, Temperature: req.Temperature, Stream: true, StreamOptions: &streamOptions{Usage: true}}
	if m.opts.LegacyLimit {
		out.MaxTokens = req.MaxTokens
	} else {
		out.MaxCompletion = req.MaxTokens
	}
	if req.Instructions != "" {
		out.Messages = append(out.Messages, message{Role: "system", Content: &req.Instructions})
	}
	for _, given := range req.Messages {
		out.Messages = append(out.Messages, messages(given)...)
	}
	for _, t := range req.Tools {
		out.Tools = append(out.Tools, tool{"function", toolFunction{t.Name, t.Description, t.Input}})
	}
	if req.Output != nil {
		out.Format = &format{"json_schema", formatSchema{"answer", req.Output, m.opts.Strict}}
	}
	return out
}

// messages writes one message, whose results are messages of their own here and
// have to come first.
func messages(given agents.Message) []message {
	var results []message
	text, own := given.Text(), message{Role: string(given.Role)}
	for _, p := range given.Parts {
		if p.Result != nil {
			content := p.Result.Content
			if p.Result.Failed {
				content = "error: " + content
			}
			results = append(results, message{Role: "tool", CallID: p.Result.ID, Content: &content})
		}
		if p.Call != nil {
			own.Calls = append(own.Calls, call{ID: p.Call.ID, Type: "function", Function: function{p.Call.Name, string(wire.Object(p.Call.Arguments))}})
		}
	}
	if text != "" {
		own.Content = &text
	}
	if own.Content == nil && own.Calls == nil {
		return results
	}
	return append(results, own)
}

type chunk struct {
	Choices []struct {
		Delta struct {
			Content string `json:"content"`
			Refusal string `json:"refusal"`
			Calls   []call `json:"tool_calls"`
		} `json:"delta"`
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int `json:"prompt_tokens"`
		Completion int `json:"completion_tokens"`
		Details    struct {
			Cached int `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
	Error *struct {
		Message string          `json:"message"`
		Code    json.RawMessage `json:"code"`
	} `json:"error"`
}

// A reader makes deltas of the events of one answer. The usage comes after the
// reason for the end, so that the reason is kept until [DONE].
type reader struct {
	stop    agents.StopReason
	refused bool
	calls   bool
}

func (r *reader) read(e wire.Event) ([]agents.Delta, error) {
	if strings.TrimSpace(e.Data) == "[DONE]" {
		switch {
		case r.stop == "":
			return nil, &agents.ModelError{Temporary: true, Message: agents.ErrCutOff.Error(), Err: agents.ErrCutOff}
		case r.refused:
			r.stop = agents.StopRefused
		case r.calls && r.stop == agents.StopEnd: // some servers say "stop" after calls
			r.stop = agents.StopCalls
		}
		return []agents.Delta{{Stop: r.stop}}, nil
	}
	var c chunk
	if err := json.Unmarshal([]byte(e.Data), &c); err != nil {
		return nil, wire.Malformed(err)
	}
	if c.Error != nil {
		return nil, &agents.ModelError{Temporary: true, Message: c.Error.Message}
	}
	var out []agents.Delta
	for _, choice := range c.Choices[:min(len(c.Choices), 1)] {
		if choice.Delta.Refusal != "" {
			r.refused = true
		}
		if text := choice.Delta.Content + choice.Delta.Refusal; text != "" {
			out = append(out, agents.Delta{Text: text})
		}
		for _, call := range choice.Delta.Calls {
			r.calls = true
			out = append(out, agents.Delta{Call: &agents.CallDelta{Index: call.Index, ID: call.ID, Name: call.Function.Name, Arguments: call.Function.Arguments}})
		}
		switch choice.Finish {
		case "":
		case "tool_calls", "function_call":
			r.stop = agents.StopCalls
		case "length":
			r.stop = agents.StopLength
		case "content_filter":
			r.stop = agents.StopRefused
		default:
			r.stop = agents.StopEnd
		}
	}
	if u := c.Usage; u != nil {
		cached := min(max(u.Details.Cached, 0), u.Prompt)
		out = append(out, agents.Delta{Usage: &agents.Usage{Input: u.Prompt - cached, CacheRead: cached, Output: u.Completion}})
	}
	return out, nil
}
