package agents

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Model answers requests. Implementations are safe for concurrent use and pass
// agentstest.TestProvider when they speak to a server.
type Model interface {
	// Name is provider/model, such as "anthropic/claude-sonnet-4-6".
	Name() string
	// Stream sends one request, once, and yields the answer as it arrives. The
	// last delta of a whole answer has a Stop. An error ends the stream; a
	// *[ModelError] says whether another attempt makes sense. Leaving the loop
	// ends the request.
	Stream(ctx context.Context, req *Request) iter.Seq2[Delta, error]
}

// A Request is what a model is asked. Models must not change it.
type Request struct {
	Instructions string // what the program demands, above anything in Messages
	Messages     []Message
	// Tools may be called; only their name, description and input schema matter.
	Tools []Tool
	// Output is the schema, of type object, of an answer in JSON; nil: text.
	Output *jsonschema.Schema
	// MaxTokens bounds the answer; 0 leaves it to the provider.
	MaxTokens int
	// Temperature is nil for the provider's own.
	Temperature *float64
	// Cache hints that this request is the beginning of the next one, so that a
	// provider that can remember a prefix should.
	Cache bool
}

// A Delta is a piece of an answer.
type Delta struct {
	Text  string     // more text; when Request.Output is set, more of the JSON
	Call  *CallDelta // more of a call
	Usage *Usage     // what has been used so far, in place of any earlier one
	Stop  StopReason // set on the last delta
}

// A CallDelta is a piece of a [Call]. Pieces with the same Index belong together.
type CallDelta struct {
	Index     int
	ID, Name  string // whole, on the first piece
	Arguments string // more of the JSON
}

// A StopReason says why an answer ended.
type StopReason string

// Why answers end.
const (
	StopEnd     StopReason = "end"     // the model was done
	StopCalls   StopReason = "calls"   // it waits for tools
	StopLength  StopReason = "length"  // MaxTokens or the context were full
	StopRefused StopReason = "refused" // it, or its provider's filter, declined
)

// Usage counts tokens. The four numbers do not overlap.
type Usage struct {
	Input      int `json:"input"`                 // read, at the full price
	CacheRead  int `json:"cache_read,omitempty"`  // remembered from an earlier request
	CacheWrite int `json:"cache_write,omitempty"` // read and remembered
	Output     int `json:"output"`
}

// Total is the sum of all tokens.
func (u Usage) Total() int { return u.Input + u.CacheRead + u.CacheWrite + u.Output }

func (u Usage) plus(v Usage) Usage {
	return Usage{u.Input + v.Input, u.CacheRead + v.CacheRead, u.CacheWrite + v.CacheWrite, u.Output + v.Output}
}

// A Response is a whole answer.
type Response struct {
	Message Message
	Stop    StopReason
	Usage   *Usage // nil: the provider did not say
}

// A ModelError is a failure of a model or of the way to it.
type ModelError struct {
	Model  string // provider/model
	Status int    // of HTTP; 0 when there was no answer
	// Temporary: the same request may succeed later.
	Temporary bool
	// RetryAfter is how long the server asks to wait; 0: it does not say.
	RetryAfter time.Duration
	// Message is one line, without keys or addresses.
	Message string
	Err     error // the cause; may be nil
}

// Error says which model failed and how.
func (e *ModelError) Error() string {
	s := "agents: " + e.Model + ": " + e.Message
	if e.Status != 0 {
		s += fmt.Sprintf(" (HTTP %d)", e.Status)
	}
	return s
}

// Unwrap returns the cause.
func (e *ModelError) Unwrap() error { return e.Err }

// ErrCutOff: an answer ended before it was whole.
var ErrCutOff = errors.New("the answer was cut off")

// maxAnswer is how many bytes of an answer are taken: far above any model's
// longest, far below what hurts.
const maxAnswer = 8 << 20

// Generate sends req to m and returns the whole answer. With an error the
// response is nil, unless some of the answer had arrived: then it holds that.
func Generate(ctx context.Context, m Model, req *Request) (*Response, error) {
	var a assembler
	for delta, err := range m.Stream(ctx, req) {
		if err != nil {
			return a.partial(), err
		}
		if err := a.add(delta); err != nil {
			return a.partial(), &ModelError{Model: m.Name(), Message: err.Error(), Err: err}
		}
		if delta.Stop != "" {
			return a.whole(), nil
		}
	}
	if err := ctx.Err(); err != nil {
		return a.partial(), err
	}
	return a.partial(), &ModelError{Model: m.Name(), Temporary: true, Message: ErrCutOff.Error(), Err: ErrCutOff}
}

// An assembler puts deltas together.
type assembler struct {
	text  strings.Builder
	calls []*Call
	at    map[int]*Call
	usage *Usage
	stop  StopReason
	bytes int
}

// maxCalls is how many calls one answer may have before it is nonsense.
const maxCalls = 1000

func (a *assembler) add(d Delta) error {
	a.text.WriteString(d.Text)
	a.bytes += len(d.Text)
	if d.Usage != nil {
		u := *d.Usage
		a.usage = &u
	}
	if d.Call != nil {
		a.bytes += len(d.Call.Arguments)
		call := a.at[d.Call.Index]
		if call == nil {
			if len(a.calls) >= maxCalls {
				return fmt.Errorf("more than %d calls in one answer", maxCalls)
			}
			call = &Call{}
			if a.at == nil {
				a.at = map[int]*Call{}
			}
			a.at[d.Call.Index] = call
			a.calls = append(a.calls, call)
		}
		call.ID += d.Call.ID
		call.Name += d.Call.Name
		call.Arguments = append(call.Arguments, d.Call.Arguments...)
	}
	if a.bytes > maxAnswer {
		return fmt.Errorf("an answer of more than %d bytes", maxAnswer)
	}
	a.stop = d.Stop
	return nil
}

func (a *assembler) whole() *Response {
	r := &Response{Message: Message{Role: Assistant}, Stop: a.stop, Usage: a.usage}
	if a.text.Len() > 0 {
		r.Message.Parts = append(r.Message.Parts, Part{Text: a.text.String()})
	}
	for _, call := range a.calls {
		r.Message.Parts = append(r.Message.Parts, Part{Call: call})
	}
	return r
}

func (a *assembler) partial() *Response {
	if a.bytes == 0 && a.usage == nil && len(a.calls) == 0 {
		return nil
	}
	return a.whole()
}

// SplitName splits a model's name, provider/model. What follows the first slash
// belongs to the model: "openrouter/meta/llama".
func SplitName(name string) (provider, model string, err error) {
	provider, model, ok := strings.Cut(name, "/")
	if !ok || provider == "" || model == "" || strings.ContainsAny(name, " \t\r\n") {
		return "", "", invalid.Field("model", name, "provider/model, such as anthropic/claude-sonnet-4-6")
	}
	return provider, model, nil
}
