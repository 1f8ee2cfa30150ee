// Package agentstest has what tests of agents need: a [Model] that follows a
// script, a suite that every provider passes ([TestProvider]), and [Recorder] and
// [Replayer], which keep the traffic of a provider so that tests run without keys.
package agentstest

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"sync"

	"github.com/ttai-go/ttai/agents"
)

// A Step is one answer of a [Model]. It is sent in small pieces.
type Step struct {
	Text  string
	Calls []agents.Call
	Usage *agents.Usage     // nil: not reported
	Stop  agents.StopReason // empty: StopCalls with calls, StopEnd without
	Err   error             // ends the stream after what stands above
	// Do, when set, decides on the step when it is asked for; the rest is ignored.
	Do func(ctx context.Context, req *agents.Request) Step
}

// Say is a step of text alone.
func Say(text string) Step { return Step{Text: text} }

// Calls is a step that calls tools. Each pair is a tool's name and its arguments.
func Calls(pairs ...[2]string) Step {
	var s Step
	for i, p := range pairs {
		s.Calls = append(s.Calls, agents.Call{ID: fmt.Sprintf("id%d", i), Name: p[0], Arguments: json.RawMessage(p[1])})
	}
	return s
}

// Fail is a step that fails.
func Fail(err error) Step { return Step{Err: err} }

// A Model answers with the steps of its script, one for each request. It is safe
// for concurrent use.
type Model struct {
	name   string
	mu     sync.Mutex
	steps  []Step
	always bool
	seen   []agents.Request
}

// NewModel returns a model of that name, provider/model. When the script is over
// it fails, for good.
func NewModel(name string, script ...Step) *Model { return &Model{name: name, steps: script} }

// Always returns a model that takes the same step each time.
func Always(name string, step Step) *Model {
	return &Model{name: name, steps: []Step{step}, always: true}
}

// Name returns the model's name.
func (m *Model) Name() string { return m.name }

// Requests returns the requests so far.
func (m *Model) Requests() []agents.Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]agents.Request(nil), m.seen...)
}

func (m *Model) next(req *agents.Request) (Step, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	copied := *req
	copied.Messages = append([]agents.Message(nil), req.Messages...)
	m.seen = append(m.seen, copied)
	if len(m.steps) == 0 {
		return Step{}, &agents.ModelError{Model: m.name, Message: "the script is over"}
	}
	step := m.steps[0]
	if !m.always {
		m.steps = m.steps[1:]
	}
	return step, nil
}

// piece is how many bytes of text or arguments come at once.
const piece = 5

// Stream takes the next step.
func (m *Model) Stream(ctx context.Context, req *agents.Request) iter.Seq2[agents.Delta, error] {
	return func(yield func(agents.Delta, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(agents.Delta{}, err)
			return
		}
		step, err := m.next(req)
		if err != nil {
			yield(agents.Delta{}, err)
			return
		}
		if step.Do != nil {
			step = step.Do(ctx, req)
		}
		for text := step.Text; text != ""; {
			n := min(piece, len(text))
			if !yield(agents.Delta{Text: text[:n]}, nil) {
				return
			}
			text = text[n:]
		}
		for i, call := range step.Calls {
			if !yield(agents.Delta{Call: &agents.CallDelta{Index: i, ID: call.ID, Name: call.Name}}, nil) {
				return
			}
			for rest := string(call.Arguments); rest != ""; {
				n := min(piece, len(rest))
				if !yield(agents.Delta{Call: &agents.CallDelta{Index: i, Arguments: rest[:n]}}, nil) {
					return
				}
				rest = rest[n:]
			}
		}
		if step.Usage != nil && !yield(agents.Delta{Usage: step.Usage}, nil) {
			return
		}
		if step.Err != nil {
			yield(agents.Delta{}, step.Err)
			return
		}
		stop := step.Stop
		switch {
		case stop != "":
		case len(step.Calls) > 0:
			stop = agents.StopCalls
		default:
			stop = agents.StopEnd
		}
		yield(agents.Delta{Stop: stop}, nil)
	}
}

var _ agents.Model = (*Model)(nil)

// FromTranscript returns a model that answers as the model of a recorded run did, one
// answer for each request, so that the run can be gone through again without it.
func FromTranscript(transcript []agents.Entry) *Model {
	m := &Model{name: "replay/transcript"}
	for _, e := range transcript {
		if e.Kind != agents.EntryMessage || e.Message == nil || e.Message.Role != agents.Assistant {
			continue
		}
		if e.Model != "" {
			m.name = e.Model
		}
		m.steps = append(m.steps, Step{Text: e.Message.Text(), Calls: e.Message.Calls(), Usage: e.Usage})
	}
	return m
}
