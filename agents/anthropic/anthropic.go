// Package anthropic speaks to Claude through Anthropic's messages interface.
package anthropic

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/internal/wire"
)

// BaseURL is Anthropic's own server.
const BaseURL = "https://api.anthropic.com"

// version is the interface's, a date.
const version = "2023-06-01"

// defaultMaxTokens is the limit of an answer when a request has none: the
// interface demands one.
const defaultMaxTokens = 4096

// Options configure a [Model]. The zero value works.
type Options struct {
	BaseURL    string        // https, or http to this machine; empty: [BaseURL]
	HTTPClient *http.Client  // nil: one of its own
	Stall      time.Duration // how long the server may be silent; 0: 90 s
}

// A Model is one of the Claude models. It is safe for concurrent use.
type Model struct {
	name, id string
	client   *wire.Client
}

// New returns the model called name, such as "anthropic/claude-sonnet-4-6". The key
// is asked for before each request and kept nowhere; nil: the server wants none.
func New(name string, key func(context.Context) (string, error), opts *Options) (*Model, error) {
	m := &Model{name: name}
	var err error
	if _, m.id, err = agents.SplitName(name); err != nil {
		return nil, err
	}
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.BaseURL == "" {
		o.BaseURL = BaseURL
	}
	m.client, err = wire.New(wire.Options{Model: name, BaseURL: o.BaseURL, HTTPClient: o.HTTPClient, Stall: o.Stall, Key: key, Sign: sign, Header: http.Header{"Anthropic-Version": {version}}})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Name returns provider/model.
func (m *Model) Name() string { return m.name }

func sign(h http.Header, key string) { h.Set("X-Api-Key", key) }

// Stream sends one request. With Request.Cache the server is asked to remember
// tools and instructions, and the conversation so far. A structured answer is
// asked for as the call of a tool that exists only here; its arguments are the
// text of the answer.
//
// POST /v1/messages
func (m *Model) Stream(ctx context.Context, req *agents.Request) iter.Seq2[agents.Delta, error] {
	return func(yield func(agents.Delta, error) bool) {
		body, answer := m.request(req)
		r := reader{answer: answer, blocks: map[int]string{}} // of this stream alone
		m.client.Run(ctx, []string{"v1", "messages"}, body, r.read)(yield)
	}
}

var _ agents.Model = (*Model)(nil)

type request struct {
	Model       string      `json:"model"`
	MaxTokens   int         `json:"max_tokens"`
	System      []block     `json:"system,omitempty"`
	Messages    []message   `json:"messages"`
	Tools       []tool      `json:"tools,omitempty"`
	ToolChoice  *toolChoice `json:"tool_choice,omitempty"`
	Temperature *float64    `json:"temperature,omitempty"`
	Stream      bool        `json:"stream"`
}

type toolChoice struct {
	Type string `json:"type"`
}

type cacheControl struct {
	Type string `json:"type"`
}

type tool struct {
	Name        string             `json:"name"`
	Description string             `json:"description,omitempty"`
	Input       *jsonschema.Schema `json:"input_schema"`
	Cache       *cacheControl      `json:"cache_control,omitempty"`
}

type message struct {
	Role    string  `json:"role"`
	Content []block `json:"content"`
}

// A block is a piece of content; which members are set depends on its type.
type block struct {
	Type    string          `json:"type"`
	Text    string          `json:"text,omitempty"`        // text
	ID      string          `json:"id,omitempty"`          // tool_use
	Name    string          `json:"name,omitempty"`        // tool_use
	Input   json.RawMessage `json:"input,omitempty"`       // tool_use
	UseID   string          `json:"tool_use_id,omitempty"` // tool_result
	Content string          `json:"content,omitempty"`     // tool_result
	Failed  bool            `json:"is_error,omitempty"`    // tool_result
	Cache   *cacheControl   `json:"cache_control,omitempty"`
}

// request writes req, and returns the name of the tool that stands for a structured
// answer, if there is one.
func (m *Model) request(req *agents.Request) (*request, string) {
	out := &request{Model: m.id, MaxTokens: req.MaxTokens, Temperature: req.Temperature, Stream: true}
	if out.MaxTokens == 0 {
		out.MaxTokens = defaultMaxTokens
	}
	if req.Instructions != "" {
		out.System = []block{{Type: "text", Text: req.Instructions}}
	}
	for _, t := range req.Tools {
		out.Tools = append(out.Tools, tool{Name: t.Name, Description: t.Description, Input: t.Input})
	}
	answer := ""
	if req.Output != nil {
		answer = "final_answer"
		for slices.ContainsFunc(req.Tools, func(t agents.Tool) bool { return t.Name == answer }) {
			answer += "_"
		}
		out.Tools = append(out.Tools, tool{Name: answer, Description: "Gives the final answer, once nothing more has to be found out. Not to be called beside other tools.", Input: req.Output})
		out.ToolChoice = &toolChoice{"any"}
	}
	for _, given := range req.Messages {
		content := blocks(given)
		if len(content) == 0 {
			continue // which the server would refuse
		}
		// Roles have to alternate.
		if last := len(out.Messages) - 1; last >= 0 && out.Messages[last].Role == string(given.Role) {
			out.Messages[last].Content = append(out.Messages[last].Content, content...)
			continue
		}
		out.Messages = append(out.Messages, message{string(given.Role), content})
	}
	if req.Cache {
		mark := &cacheControl{"ephemeral"}
		// What is remembered runs from the tools over the instructions to the mark.
		if len(out.System) > 0 {
			out.System[len(out.System)-1].Cache = mark
		} else if len(out.Tools) > 0 {
			out.Tools[len(out.Tools)-1].Cache = mark
		}
		if n := len(out.Messages); n > 0 {
			content := out.Messages[n-1].Content
			content[len(content)-1].Cache = mark
		}
	}
	return out, answer
}

// blocks writes the parts of a message, results first, as the server wants them.
func blocks(given agents.Message) []block {
	var results, out []block
	for _, p := range given.Parts {
		switch {
		case p.Result != nil:
			results = append(results, block{Type: "tool_result", UseID: p.Result.ID, Content: p.Result.Content, Failed: p.Result.Failed})
		case p.Call != nil:
			out = append(out, block{Type: "tool_use", ID: p.Call.ID, Name: p.Call.Name, Input: wire.Object(p.Call.Arguments)})
		case p.Text != "":
			out = append(out, block{Type: "text", Text: p.Text})
		}
	}
	return append(results, out...)
}
