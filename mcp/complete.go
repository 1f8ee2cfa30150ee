package mcp

import (
	"context"
	"strings"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// completions are how many values are offered, and completing is how long a
// person who is typing is kept waiting.
const (
	completions = 10
	completing  = 2 * time.Second
)

// complete offers symbols and account numbers for the arguments of the prompt
// and of the resource template. What cannot be found out offers nothing.
func (b *builder) complete(ctx context.Context, req *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
	ctx, cancel := context.WithTimeout(ctx, completing)
	defer cancel()
	values := []string{} // an empty list, not null
	argument := req.Params.Argument
	switch argument.Name {
	case "symbol", "symbols":
		values = append(values, b.symbols(ctx, argument.Value)...)
	case "account":
		values = append(values, b.accounts(ctx, argument.Value)...)
	}
	return &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{Values: values, Total: len(values)}}, nil
}

// symbols completes the last of a list of symbols separated by commas.
func (b *builder) symbols(ctx context.Context, typed string) []string {
	before, last := "", typed
	if i := strings.LastIndexByte(typed, ','); i >= 0 {
		before, last = typed[:i+1], typed[i+1:]
	}
	last = strings.TrimSpace(last)
	if last == "" || b.deps.Market == nil {
		return nil
	}
	found, err := b.deps.Market.Search(ctx, last, completions)
	if err != nil {
		b.opts.Logger.DebugContext(ctx, "completing a symbol", "error", err)
		return nil
	}
	var out []string
	for _, i := range found[:min(len(found), completions)] {
		out = append(out, before+string(i.Symbol))
	}
	return out
}

func (b *builder) accounts(ctx context.Context, typed string) []string {
	if _, exposed := b.tool("portfolio"); !exposed || b.deps.Broker == nil {
		return nil
	}
	list, err := b.deps.Broker.Accounts(ctx)
	if err != nil {
		b.opts.Logger.DebugContext(ctx, "completing an account", "error", err)
		return nil
	}
	var out []string
	for _, a := range list {
		if id := string(a.ID); strings.HasPrefix(strings.ToUpper(id), strings.ToUpper(typed)) && len(out) < completions {
			out = append(out, id)
		}
	}
	return out
}
