// Command analyst analyses a symbol with the rules alone, or with a model that
// explains the same evidence: set ANTHROPIC_API_KEY.
package main

import (
	"context"
	"io"
	"log"
	"os"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/agents/anthropic"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func main() {
	if err := run(context.Background(), os.Getenv("ANTHROPIC_API_KEY"), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, key string, out io.Writer) error {
	market, err := synthetic.New(synthetic.DefaultSeed, nil) // or a broker's adapter
	if err != nil {
		return err
	}
	deps := analysts.Deps{Market: market, Clock: market.Clock(), Rate: 0.04, Notice: "A synthetic market."}
	if key != "" {
		model, err := anthropic.New("anthropic/claude-sonnet-4-6", func(context.Context) (string, error) { return key, nil }, nil)
		if err != nil {
			return err
		}
		deps.Mind = &analysts.Mind{Model: model, Secrets: []string{key}}
	}
	analyst, err := analysts.New(deps)
	if err != nil {
		return err
	}
	analysis, err := analyst.Analyze(ctx, analysts.Request{Symbol: "SPY"})
	if err != nil {
		return err
	}
	return analysis.WriteText(out)
}
