package agents

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"
)

// leastAnswer is the shortest answer, in tokens, that a request is sent for.
const leastAnswer = 64

// ask gets one answer, from whichever model has one. The answer is part of the
// conversation when it returns.
func (r *run) ask(ctx context.Context) (*Response, error) {
	for {
		response, err := r.insist(ctx)
		if err == nil {
			return response, nil
		}
		if failure, ok := errors.AsType[*ModelError](err); !ok || ctx.Err() != nil {
			return nil, err
		} else if len(r.models) == 1 {
			clean := *failure
			clean.Message = r.redact.text(failure.Message)
			return nil, &clean
		}
		r.models = r.models[1:]
		r.note(Entry{Kind: EntryFallback, Model: r.models[0].Name()})
	}
}

// insist asks the current model until it answers or fails for good.
func (r *run) insist(ctx context.Context) (*Response, error) {
	for attempt := 0; ; attempt++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		response, err := r.once(ctx)
		failure, ok := errors.AsType[*ModelError](err)
		if err == nil || !ok || !failure.Temporary || attempt >= r.limits.Retries {
			return response, err
		}
		delay := max(failure.RetryAfter, min(time.Second<<min(attempt, 5), 30*time.Second))
		if left := r.limits.Wall - r.now().Sub(r.start); delay >= left {
			return nil, err // a fallback may be sooner
		}
		r.note(Entry{Kind: EntryWait, Model: failure.Model, Took: delay})
		if err := r.wait(ctx, delay); err != nil {
			return nil, err
		}
	}
}

// once sends one request, if the budgets allow it, and charges them.
func (r *run) once(ctx context.Context) (*Response, error) {
	model := r.models[0]
	request := r.request
	bytes, tokens := r.estimate()
	var err error
	var held reserve
	if request.MaxTokens, held, err = r.room(model, tokens); err != nil {
		return nil, err
	}
	begin := r.now()
	response, err := Generate(ctx, model, &request)
	entry := Entry{Model: model.Name(), Took: r.now().Sub(begin)}
	estimated := false
	if response == nil {
		r.purse.settle(held, Usage{}, nil, false)
	} else {
		usage := Usage{Input: tokens, Output: int(math.Ceil(float64(r.bytes(response.Message)) * 0.4))}
		if response.Usage != nil {
			guess := usage.Output
			usage = *response.Usage
			if err != nil { // what was reported is from before the end
				usage.Output, estimated = max(usage.Output, guess), true
			}
			if read := usage.Total() - usage.Output; read > 0 && bytes > 0 {
				r.density = 1.1 * float64(read) / float64(bytes)
			}
		} else {
			estimated = true
		}
		r.charge(model, held, usage, estimated, &entry)
	}
	if err != nil {
		entry.Kind, entry.Text = EntryFailure, err.Error()
		r.note(entry)
		return nil, err
	}
	r.result.Steps++
	name(response.Message)
	r.add(r.redact.message(response.Message), entry)
	return response, nil
}

// name gives calls without an id of their own one, since results are paired by it.
// Ids and names keep only characters that all providers take back: otherwise one
// odd call would make every later request fail.
func name(m Message) {
	seen := map[string]bool{}
	for i, p := range m.Parts {
		if p.Call == nil {
			continue
		}
		p.Call.ID, p.Call.Name = word(p.Call.ID), word(p.Call.Name)
		if p.Call.Name == "" {
			p.Call.Name = "_"
		}
		if p.Call.ID == "" || seen[p.Call.ID] {
			p.Call.ID = fmt.Sprintf("call_%d", i)
		}
		seen[p.Call.ID] = true
	}
}

// word returns s with _ for all but letters, digits, _ and - of ASCII, and at most
// 64 characters.
func word(s string) string {
	return cut(strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, s), 64)
}

// charge adds what an attempt used.
func (r *run) charge(model Model, held reserve, usage Usage, estimated bool, entry *Entry) {
	entry.Usage = &usage
	if price, known := r.prices.At(model.Name(), r.start); known {
		cost := price.Cost(usage)
		entry.Cost = &cost
	}
	r.purse.settle(held, usage, entry.Cost, estimated)
}

// estimate returns the size of the next request in bytes and, about, in tokens.
func (r *run) estimate() (bytes, tokens int) {
	bytes = r.fixed
	for _, m := range r.request.Messages {
		bytes += r.bytes(m)
	}
	return bytes, int(math.Ceil(float64(bytes) * r.density))
}

func (r *run) bytes(m Message) int {
	n := 0
	for _, p := range m.Parts {
		n += len(p.Text)
		if p.Call != nil {
			n += len(p.Call.ID) + len(p.Call.Name) + len(p.Call.Arguments)
		}
		if p.Result != nil {
			n += len(p.Result.ID) + len(p.Result.Content)
		}
	}
	return n
}

// room returns how many tokens the answer to a request of that size may have, and
// sets them aside.
func (r *run) room(model Model, request int) (int, reserve, error) {
	if spent := r.now().Sub(r.start); spent >= r.limits.Wall {
		return 0, reserve{}, &BudgetError{Budget: "wall", Limit: r.limits.Wall.String(), Spent: spent.String()}
	}
	price, _ := r.prices.At(model.Name(), r.start) // known, if money counts: the run would not have begun
	return r.purse.hold(request, price)
}

// bare takes the fence off JSON that a model wrote as Markdown.
func bare(text string) []byte {
	text = strings.TrimSpace(text)
	if inner, ok := strings.CutPrefix(text, "```"); ok {
		if inner, ok = strings.CutSuffix(inner, "```"); ok {
			text = strings.TrimSpace(strings.TrimPrefix(inner, "json"))
		}
	}
	return []byte(text)
}
