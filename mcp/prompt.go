package mcp

import (
	"context"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

func (b *builder) addPrompts(server *sdk.Server) {
	server.AddPrompt(&sdk.Prompt{
		Name: "briefing", Title: "Market and portfolio briefing",
		Description: "A short briefing before or during the session: market, portfolio, and the symbols that matter today.",
		Arguments: []*sdk.PromptArgument{
			{Name: "symbols", Description: "symbols to look at, separated by commas; without them, those of the portfolio"},
			{Name: "account", Description: "account number; without it, all accounts"},
		},
	}, b.briefing)
}

// briefing asks for a briefing in steps, and names only tools that are there.
func (b *builder) briefing(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
	symbols, account := strings.TrimSpace(req.Params.Arguments["symbols"]), strings.TrimSpace(req.Params.Arguments["account"])
	if len(symbols) > 1000 || len(account) > 64 || strings.ContainsAny(symbols+account, "\r\n\x00") {
		return nil, &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "symbols: want at most 1000 characters on one line, account at most 64"}
	}
	subject := "the underlyings of the open positions, or SPY when there are none"
	if symbols != "" {
		subject = symbols
	}
	whose := "all accounts"
	if account != "" {
		whose = "account " + account
	}
	steps := []struct{ tool, step string }{
		{"market_status", "Call market_status: is the market open, and what is the time of the data?"},
		{"portfolio", fmt.Sprintf("Call portfolio for %s: value, day and open profit, largest risks, what expires within two weeks.", whose)},
		{"quote", fmt.Sprintf("Call quote once for all of: %s.", subject)},
		{"metrics", "Call metrics for the same symbols: rank of implied volatility, next earnings and dividends."},
		{"analyst", "Call analyst for at most three of them, those with the largest moves or positions."},
	}
	var w strings.Builder
	fmt.Fprintf(&w, "Write a briefing for a trader, at most one page. Subject: %s. Environment: %s.\n", subject, b.environment)
	n := 0
	for _, s := range steps {
		if _, ok := b.tool(s.tool); ok {
			n++
			fmt.Fprintf(&w, "%d. %s\n", n, s.step)
		}
	}
	w.WriteString("Begin with the environment and the time of the data. Then: market, portfolio, symbols, dates to watch. " +
		"Every number comes from a result; say what is missing. Do not recommend a trade that the evidence does not name.")
	return &sdk.GetPromptResult{
		Description: "Briefing on " + subject,
		Messages:    []*sdk.PromptMessage{{Role: "user", Content: &sdk.TextContent{Text: w.String()}}},
	}, nil
}
