// Command custom-provider connects a model that no package here knows. A provider is
// two methods: a name, and a stream of pieces. This one thinks by itself; another would
// send the request to a server, and pass agentstest.TestProvider.
package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"log"
	"os"
	"strings"

	"github.com/ttai-go/ttai/agents"
)

// parrot answers with the last thing that it was told, word by word.
type parrot struct{}

func (parrot) Name() string { return "parrot/grey" }

func (parrot) Stream(ctx context.Context, req *agents.Request) iter.Seq2[agents.Delta, error] {
	return func(yield func(agents.Delta, error) bool) {
		said := strings.Fields(req.Messages[len(req.Messages)-1].Text())
		for _, word := range said {
			if err := ctx.Err(); err != nil {
				yield(agents.Delta{}, err)
				return
			}
			if !yield(agents.Delta{Text: word + " "}, nil) {
				return // nobody listens any more
			}
		}
		if yield(agents.Delta{Usage: &agents.Usage{Input: len(said), Output: len(said)}}, nil) {
			yield(agents.Delta{Stop: agents.StopEnd}, nil)
		}
	}
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	agent := &agents.Agent{Model: parrot{}, Instructions: "Be brief."}
	result, err := agent.Run(ctx, "Premium is rich before earnings.")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s(%d tokens)\n", result.Model, result.Text, result.Usage.Total())
	return err
}
