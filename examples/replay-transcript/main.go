// Command replay-transcript runs an agent, keeps its transcript as JSON, and goes
// through the run again from the file, without the model: for regressions of tools and
// instructions, and to show what happened.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/agentstest"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	agent := &agents.Agent{
		Instructions: "Use the tools.",
		Model: agentstest.NewModel("demo/script", // a provider's model, in earnest
			agentstest.Calls([2]string{"days_to_expiry", `{"expiration": "2026-12-18"}`}), agentstest.Say("32 days are left.")),
		Tools: []agents.Tool{agents.NewTool(agents.Spec{Name: "days_to_expiry", Description: "Calendar days to an expiration.", Annotations: agents.Annotations{ReadOnly: true}},
			func(context.Context, struct {
				Expiration string `json:"expiration" schema:"format=date"`
			}) (struct {
				Days int `json:"days"`
			}, error) {
				return struct {
					Days int `json:"days"`
				}{32}, nil
			})},
	}
	first, err := agent.Run(ctx, "How long does the December option live?")
	if err != nil {
		return err
	}
	kept, err := json.MarshalIndent(first.Transcript, "", " ")
	if err != nil {
		return err
	}

	var transcript []agents.Entry
	if err := json.Unmarshal(kept, &transcript); err != nil {
		return err
	}
	agent.Model = agentstest.FromTranscript(transcript)
	again, err := agent.Run(ctx, "How long does the December option live?")
	if err != nil {
		return err
	}
	for _, e := range again.Transcript {
		if e.Message == nil {
			continue
		}
		for _, p := range e.Message.Parts {
			switch {
			case p.Call != nil:
				fmt.Fprintf(out, "%-9s calls %s %s\n", e.Message.Role, p.Call.Name, p.Call.Arguments)
			case p.Result != nil:
				fmt.Fprintf(out, "%-9s %s\n", e.Message.Role, p.Result.Content)
			default:
				fmt.Fprintf(out, "%-9s %s\n", e.Message.Role, p.Text)
			}
		}
	}
	_, err = fmt.Fprintf(out, "the same: %v (%s)\n", first.Text == again.Text, again.Text)
	return err
}
