package agents

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/jsonschema-go/jsonschema"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A run is the state of one Agent.Run. Only its goroutine touches it.
type run struct {
	agent    *Agent
	limits   Limits
	now      func() time.Time
	wait     func(context.Context, time.Duration) error
	log      *slog.Logger
	redact   *redactor
	prices   Prices
	models   []Model // those left, the current one first
	tools    map[string]Tool
	output   *jsonschema.Resolved
	start    time.Time
	request  Request
	fixed    int     // bytes of instructions, tools and schema
	density  float64 // tokens per byte of a request
	calls    int
	repaired bool
	result   Result
	purse    *purse
}

func newRun(a *Agent, messages []Message, within *task) (*run, error) {
	limits, err := a.check()
	if err != nil {
		return nil, err
	}
	if len(messages) == 0 {
		return nil, invalid.Missing("messages", "at least one message")
	}
	r := &run{
		agent: a, limits: limits, now: time.Now, wait: a.Wait, log: a.Logger, redact: newRedactor(a.Secrets),
		prices: a.Prices, models: append([]Model{a.Model}, a.Fallbacks...), tools: map[string]Tool{},
		density: 0.4, // text of many numbers; English has less
	}
	r.purse = &purse{limits: limits}
	if within != nil {
		r.purse.up = within.purse
	}
	if a.Clock != nil {
		r.now = a.Clock.Now
	}
	if r.wait == nil {
		r.wait = pause
	}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	if r.prices == nil {
		r.prices = PublishedPrices()
	}
	r.start = r.now()
	for _, m := range r.models {
		if _, known := r.prices.At(m.Name(), r.start); !known && r.purse.priced() {
			return nil, invalid.Field("Limits.Money", limits.Money, "no limit while Prices has no row for "+m.Name())
		}
	}
	if a.Output != nil {
		if r.output, err = a.Output.CloneSchemas().Resolve(nil); err != nil {
			return nil, invalid.Fieldf("Output", nil, "a schema that can be resolved (%v)", err)
		}
	}
	instructions := dataRule
	if a.Instructions != "" {
		instructions = r.redact.text(a.Instructions) + "\n\n" + dataRule
	}
	r.request = Request{Instructions: instructions, Tools: a.Tools, Output: a.Output, Temperature: a.Temperature, Cache: true}
	r.fixed = len(instructions) + size(a.Output)
	for _, t := range a.Tools {
		r.tools[t.Name] = t
		r.fixed += len(t.Name) + len(t.Description) + size(t.Input)
	}
	r.note(Entry{Kind: EntryInstructions, Text: instructions})
	for _, m := range messages {
		r.add(r.redact.message(m), Entry{})
	}
	return r, nil
}

// pause waits by a timer.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// loop asks and calls until there is an answer.
func (r *run) loop(ctx context.Context) error {
	for {
		if r.result.Steps >= r.limits.Steps {
			return &BudgetError{Budget: "steps", Limit: fmt.Sprint(r.limits.Steps), Spent: fmt.Sprint(r.result.Steps)}
		}
		response, err := r.ask(ctx)
		if err != nil {
			return err
		}
		done, err := r.take(ctx, response)
		if done || err != nil {
			return err
		}
	}
}

// take deals with one answer: done means that the result has it.
func (r *run) take(ctx context.Context, response *Response) (done bool, err error) {
	if response.Stop == StopRefused {
		return false, ErrRefused
	}
	if calls := response.Message.Calls(); len(calls) > 0 {
		results, err := r.callAll(ctx, calls, response.Stop)
		if err != nil {
			return false, err
		}
		message := Message{Role: User}
		for i := range results {
			message.Parts = append(message.Parts, Part{Result: &results[i]})
		}
		r.add(message, Entry{})
		return false, nil
	}
	text := response.Message.Text()
	answer, problem := r.answer(text)
	if problem == nil {
		r.result.Text, r.result.Stop = r.redact.text(text), response.Stop
		if answer != nil {
			r.result.Answer = json.RawMessage(r.redact.json(answer))
		}
		return true, nil
	}
	if response.Stop == StopLength {
		problem = fmt.Errorf("it was cut off at the limit of its length; %w", problem)
	}
	reason := cut(r.redact.text(problem.Error()), maxError)
	if r.repaired {
		return false, fmt.Errorf("%w: %s", ErrAnswer, reason)
	}
	r.repaired = true
	r.note(Entry{Kind: EntryRepair, Text: reason})
	r.add(UserText("Your answer was refused: "+reason+". Answer again, in full and only with what is asked for."), Entry{})
	return false, nil
}

// answer checks a final answer and returns its JSON, nil for text.
func (r *run) answer(text string) (json.RawMessage, error) {
	if r.output == nil {
		if text == "" {
			return nil, errors.New("it was empty")
		}
		return nil, nil
	}
	raw := bare(text)
	value, err := parse(raw)
	if err != nil {
		return nil, errors.New("it is not one JSON object")
	}
	if err := r.output.Validate(plain(value)); err != nil {
		return nil, fmt.Errorf("it does not fit the schema (%w)", err)
	}
	return raw, nil
}

// add puts a message without secrets at the end of the conversation.
func (r *run) add(m Message, e Entry) {
	if len(m.Parts) == 0 {
		return // nothing to say, and providers refuse it
	}
	r.request.Messages = append(r.request.Messages, m)
	e.Kind, e.Message = EntryMessage, &m
	r.note(e)
}

// note adds an entry to the transcript.
func (r *run) note(e Entry) {
	e.At, e.Step, e.Text = r.now(), r.result.Steps, r.redact.text(e.Text)
	r.result.Transcript = append(r.result.Transcript, e)
}

func (r *run) finish() *Result {
	r.result.Model = r.models[0].Name()
	r.result.Messages = r.request.Messages
	usage, cost, unpriced, estimated := r.purse.spent()
	r.result.Usage, r.result.Estimated = usage, estimated
	if !unpriced {
		r.result.Cost = &cost
	}
	return &r.result
}

// size is how long a schema is on the wire.
func size(s *jsonschema.Schema) int {
	if s == nil {
		return 0
	}
	data, err := json.Marshal(s)
	if err != nil {
		return 0
	}
	return len(data)
}
