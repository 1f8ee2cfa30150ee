// Command custom-tool gives a model a tool of one's own: a typed function. The schema
// of its arguments comes from the type, and arguments that do not fit never reach it.
// The model here follows a script; a provider's takes its place.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
	"github.com/ttai-go/ttai/options"
)

// A question is what the tool is asked.
type question struct {
	Spot   float64 `json:"spot" schema:"min=0.01" jsonschema:"price of the underlying"`
	Strike float64 `json:"strike" schema:"min=0.01"`
	Days   int     `json:"days" schema:"min=1,max=3650" jsonschema:"calendar days to expiry"`
	Vol    float64 `json:"vol" schema:"min=0.01,max=5" jsonschema:"per year: 0.2 is 20 %"`
}

type answer struct {
	Assigned float64 `json:"assigned" jsonschema:"risk-neutral probability"`
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	assigned := agents.NewTool(agents.Spec{
		Name: "assignment_odds", Description: "Odds that a short put is assigned at expiry.", Annotations: agents.Annotations{ReadOnly: true},
	}, func(_ context.Context, q question) (answer, error) {
		put := options.BSM{Spot: q.Spot, Strike: q.Strike, Years: float64(q.Days) / 365, Rate: 0.04, Vol: q.Vol}
		return answer{put.Greeks(options.Put).ProbITM}, nil
	})
	model := agentstest.NewModel("demo/script",
		agentstest.Calls([2]string{"assignment_odds", `{"spot": 100, "strike": 95, "days": -3, "vol": 0.25}`}), // refused by the schema
		agentstest.Calls([2]string{"assignment_odds", `{"spot": 100, "strike": 95, "days": 30, "vol": 0.25}`}),
		agentstest.Say("About one in four."))
	agent := &agents.Agent{Model: model, Instructions: "Answer with the tools you have.", Tools: []agents.Tool{assigned}}
	result, err := agent.Run(ctx, "How likely is it that the 95 put is assigned?")
	if err != nil {
		return err
	}
	for _, m := range result.Messages {
		for _, p := range m.Parts {
			switch {
			case p.Call != nil:
				fmt.Fprintf(out, "call   %s\n", p.Call.Arguments)
			case p.Result != nil:
				fmt.Fprintf(out, "result %.80s\n", p.Result.Content)
			}
		}
	}
	_, err = fmt.Fprintln(out, result.Text)
	return err
}
