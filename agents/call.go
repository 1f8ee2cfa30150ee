package agents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/ttai-go/ttai/internal/nearest"
)

// maxError is how many bytes of a tool's error a model is told.
const maxError = 2 << 10

// callAll runs the calls of one answer and returns their results in order. Those
// that stand together and only read run side by side.
func (r *run) callAll(ctx context.Context, calls []Call, stop StopReason) ([]CallResult, error) {
	outcomes := make([]outcome, len(calls))
	for i := 0; i < len(calls); {
		end := i
		for end < len(calls) && r.tools[calls[end].Name].Annotations.ReadOnly {
			end++
		}
		end = max(end, i+1)
		slots := make(chan struct{}, r.limits.Parallel)
		var running sync.WaitGroup
		for j := i; j < end; j++ {
			if refusal := r.refuse(calls[j], stop); refusal != "" {
				outcomes[j] = outcome{content: refusal, failed: true}
				continue
			}
			r.calls++
			slots <- struct{}{}
			running.Go(func() {
				defer func() { <-slots }()
				outcomes[j] = r.call(ctx, r.tools[calls[j].Name], calls[j].Arguments)
			})
		}
		running.Wait()
		for j := i; j < end; j++ {
			if err := r.record(calls[j], outcomes[j]); err != nil {
				return nil, err
			}
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		i = end
	}
	results := make([]CallResult, len(calls))
	for i, o := range outcomes {
		results[i] = CallResult{ID: r.redact.text(calls[i].ID), Name: r.redact.text(cut(calls[i].Name, 100)), Content: r.bound(o.content), Failed: o.failed}
	}
	return results, nil
}

// refuse says why a call is not made; empty: it is.
func (r *run) refuse(c Call, stop StopReason) string {
	if _, known := r.tools[c.Name]; !known {
		names := make([]string, 0, len(r.agent.Tools))
		for _, t := range r.agent.Tools {
			names = append(names, t.Name)
		}
		asked := cut(c.Name, 100)
		if near := nearest.Of(asked, names); near != "" {
			return fmt.Sprintf("there is no tool %q; did you mean %s?", asked, near)
		}
		if len(names) == 0 {
			return fmt.Sprintf("there is no tool %q, nor any other: answer without", asked)
		}
		return fmt.Sprintf("there is no tool %q, only %s", asked, strings.Join(names, ", "))
	}
	if stop == StopLength {
		return "the answer was cut off at the limit of its length before this call was whole: call again, with less at a time"
	}
	if r.calls >= r.limits.Calls {
		return fmt.Sprintf("all %d calls of tools are used up: answer with what is known", r.limits.Calls)
	}
	return ""
}

// An outcome is what came of a call. Calls run beside each other, so it holds what
// the run shall note.
type outcome struct {
	content string
	failed  bool
	defect  *PanicError
	asked   string // the question that a person answered
	err     error  // ends the run
	inside  []Entry
}

// record notes what happened in a call, and returns what ends the run.
func (r *run) record(c Call, o outcome) error {
	if len(o.inside) > 0 {
		r.note(Entry{Kind: EntryDelegated, Text: c.Name, Delegated: r.clean(o.inside)})
	}
	if o.defect != nil {
		r.note(Entry{Kind: EntryDefect, Text: o.defect.Error()})
	}
	if o.asked != "" {
		r.note(Entry{Kind: EntryQuestion, Text: c.Name + ": " + o.asked})
	}
	return o.err
}

// clean returns the entries of a run inside a tool without this run's secrets.
func (r *run) clean(entries []Entry) []Entry {
	var out []Entry
	for _, e := range entries {
		e.Text = r.redact.text(e.Text)
		if e.Message != nil {
			m := r.redact.message(*e.Message)
			e.Message = &m
		}
		e.Delegated = r.clean(e.Delegated)
		out = append(out, e)
	}
	return out
}

// call runs a tool.
func (r *run) call(ctx context.Context, t Tool, arguments json.RawMessage) (o outcome) {
	person := PersonOf(ctx)
	// An answer belongs to the one call that asked, and a model's call is another.
	person.Answer = nil
	person.CanAnswer = person.CanAnswer || r.agent.Ask != nil
	inside := &task{purse: r.purse}
	ctx = inside.in(ctx)
	defer func() { o.inside = inside.all() }()
	raw, err := contained(WithPerson(ctx, person), t, arguments)
	var asked string
	if question, ok := errors.AsType[*QuestionError](err); ok && r.agent.Ask != nil {
		answer, askErr := r.agent.Ask(ctx, t.Name, question.Question)
		if askErr != nil {
			return outcome{err: fmt.Errorf("agents: asking for %s: %w", t.Name, askErr)}
		}
		asked = question.Question.Message
		person.Answer = &answer
		raw, err = contained(WithPerson(ctx, person), t, arguments)
	}
	if question, ok := errors.AsType[*QuestionError](err); ok {
		return outcome{err: question, asked: question.Question.Message}
	}
	if err == nil && !json.Valid(raw) {
		err = &PanicError{Tool: t.Name, Value: "the result is not JSON"}
	}
	if defect, ok := errors.AsType[*PanicError](err); ok {
		r.log.ErrorContext(ctx, "defect in a tool", "tool", t.Name, "value", r.redact.text(fmt.Sprint(defect.Value)), "stack", r.redact.text(string(defect.Stack)))
		return outcome{content: defect.Error(), failed: true, defect: defect, asked: asked}
	}
	if err != nil {
		return outcome{content: cut(r.redact.text(err.Error()), maxError), failed: true, asked: asked}
	}
	return outcome{content: r.redact.json(raw), asked: asked}
}

// contained calls a tool; its panics are errors.
func contained(ctx context.Context, t Tool, arguments json.RawMessage) (_ json.RawMessage, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Tool: t.Name, Value: v, Stack: debug.Stack()}
		}
	}()
	return t.Call(ctx, arguments)
}

// bound cuts a result that is too long. What remains is JSON and says how much is
// missing.
func (r *run) bound(content string) string {
	if len(content) <= r.limits.ResultBytes {
		return content
	}
	head := cut(content, r.limits.ResultBytes)
	for {
		data, err := encode(struct {
			Cut       bool   `json:"cut"`
			Bytes     int    `json:"bytes"`
			Beginning string `json:"beginning"`
		}{true, len(content), head})
		if err == nil && len(data) <= r.limits.ResultBytes || head == "" {
			return string(data)
		}
		head = cut(head, len(head)*9/10)
	}
}
