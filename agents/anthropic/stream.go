package anthropic

import (
	"encoding/json"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/internal/wire"
)

type event struct {
	Type    string `json:"type"`
	Index   int    `json:"index"`
	Message struct {
		Usage *usage `json:"usage"`
	} `json:"message"`
	Block struct {
		Type  string          `json:"type"`
		ID    string          `json:"id"`
		Name  string          `json:"name"`
		Text  string          `json:"text"`
		Input json.RawMessage `json:"input"`
	} `json:"content_block"`
	Delta struct {
		Type    string `json:"type"`
		Text    string `json:"text"`
		Partial string `json:"partial_json"`
		Stop    string `json:"stop_reason"`
	} `json:"delta"`
	Usage *usage `json:"usage"`
	Error *struct {
		Type    string `json:"type"`
		Message string `json:"message"`
	} `json:"error"`
}

// usage is absent where an event does not repeat a number.
type usage struct {
	Input      *int `json:"input_tokens"`
	CacheWrite *int `json:"cache_creation_input_tokens"`
	CacheRead  *int `json:"cache_read_input_tokens"`
	Output     *int `json:"output_tokens"`
}

// A reader makes deltas of the events of one answer.
type reader struct {
	answer string         // the tool that stands for a structured answer
	blocks map[int]string // the tools that blocks call
	calls  bool           // a real one was called
	used   agents.Usage
	stop   agents.StopReason
}

func (r *reader) read(e wire.Event) ([]agents.Delta, error) {
	var ev event
	if err := json.Unmarshal([]byte(e.Data), &ev); err != nil {
		return nil, wire.Malformed(err)
	}
	switch ev.Type {
	case "message_start":
		return r.usage(ev.Message.Usage), nil
	case "content_block_start":
		return r.begin(ev), nil
	case "content_block_delta":
		return r.more(ev), nil
	case "message_delta":
		r.stop = r.reason(ev.Delta.Stop)
		return r.usage(ev.Usage), nil
	case "message_stop":
		if r.stop == "" {
			return nil, &agents.ModelError{Temporary: true, Message: agents.ErrCutOff.Error(), Err: agents.ErrCutOff}
		}
		return []agents.Delta{{Stop: r.stop}}, nil
	case "error":
		failure := &agents.ModelError{Message: "the server gave up"}
		if ev.Error != nil {
			failure.Message = ev.Error.Message
			switch ev.Error.Type {
			case "overloaded_error", "api_error", "rate_limit_error", "timeout_error":
				failure.Temporary = true
			}
		}
		return nil, failure
	}
	return nil, nil // pings, ends of blocks, and what is not known yet
}

func (r *reader) begin(ev event) []agents.Delta {
	switch ev.Block.Type {
	case "text":
		if ev.Block.Text != "" && r.answer == "" {
			return []agents.Delta{{Text: ev.Block.Text}}
		}
	case "tool_use":
		r.blocks[ev.Index] = ev.Block.Name
		if r.answer != "" && ev.Block.Name == r.answer {
			return nil
		}
		r.calls = true
		return []agents.Delta{{Call: &agents.CallDelta{Index: ev.Index, ID: ev.Block.ID, Name: ev.Block.Name}}}
	}
	return nil
}

func (r *reader) more(ev event) []agents.Delta {
	switch ev.Delta.Type {
	case "text_delta":
		// Beside a structured answer, text is thinking aloud and would spoil its JSON.
		if r.answer == "" {
			return []agents.Delta{{Text: ev.Delta.Text}}
		}
	case "input_json_delta":
		name, ok := r.blocks[ev.Index]
		switch {
		case !ok:
			return nil
		case r.answer != "" && name == r.answer:
			return []agents.Delta{{Text: ev.Delta.Partial}}
		}
		return []agents.Delta{{Call: &agents.CallDelta{Index: ev.Index, Arguments: ev.Delta.Partial}}}
	}
	return nil
}

func (r *reader) reason(stop string) agents.StopReason {
	switch stop {
	case "":
		return r.stop
	case "tool_use":
		if !r.calls {
			return agents.StopEnd // the answer's own tool
		}
		return agents.StopCalls
	case "max_tokens", "model_context_window_exceeded":
		return agents.StopLength
	case "refusal":
		return agents.StopRefused
	}
	return agents.StopEnd
}

// usage takes over the numbers that an event has.
func (r *reader) usage(u *usage) []agents.Delta {
	if u == nil {
		return nil
	}
	for _, n := range []struct {
		to   *int
		from *int
	}{{&r.used.Input, u.Input}, {&r.used.CacheWrite, u.CacheWrite}, {&r.used.CacheRead, u.CacheRead}, {&r.used.Output, u.Output}} {
		if n.from != nil && *n.from >= 0 {
			*n.to = *n.from
		}
	}
	used := r.used
	return []agents.Delta{{Usage: &used}}
}
