// Command temporal runs a workflow of this library on Temporal: the definition is the
// same that the embedded engine and the one on PostgreSQL run, and host.go does for it
// what they do. Here it is Temporal's own environment for tests, which needs no
// server and skips over waiting; a worker registers the same function.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"time"

	temporallog "go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"
	temporalio "go.temporal.io/sdk/workflow"

	"github.com/ttai-go/ttai/workflow"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// scan looks at symbols two at a time, waits for the close, and asks before it tells.
var scan = workflow.Definition[[]string, string]{
	Name: "scan", Version: 1,
	Run: func(ctx *workflow.Ctx, symbols []string) (string, error) {
		scores, err := workflow.Map(ctx, "look", symbols, 2, func(ctx *workflow.Ctx, symbol string) (int, error) {
			return workflow.Step(ctx, "score", workflow.Policy{Attempts: 3}, func(_ context.Context, call workflow.Call) (int, error) {
				if symbol == "QQQ" && call.Attempt < 3 {
					return 0, errors.New("no quote yet")
				}
				return 10*len(symbol) + call.Attempt, nil
			})
		})
		if err != nil {
			return "", err
		}
		if err := workflow.Sleep(ctx, "until-close", 6*time.Hour); err != nil {
			return "", err
		}
		told, err := workflow.Child[string](ctx, "telling", "tell", scores)
		if err != nil {
			return "", err
		}
		answer, err := workflow.Await[string](ctx, "answer", time.Hour)
		if errors.Is(err, workflow.ErrTimeout) {
			return told + "; nobody answered", nil
		}
		return told + "; " + answer, err
	},
}

var tell = workflow.Definition[[]int, string]{
	Name: "tell", Version: 1,
	Run: func(ctx *workflow.Ctx, scores []int) (string, error) {
		return workflow.Step(ctx, "send", workflow.Policy{}, func(_ context.Context, call workflow.Call) (string, error) {
			return fmt.Sprintf("told %v", scores), nil
		})
	},
}

func run(out io.Writer) error {
	for _, answer := range []string{"bought two", ""} {
		var suite testsuite.WorkflowTestSuite
		suite.SetLogger(temporallog.NewStructuredLogger(slog.New(slog.DiscardHandler)))
		env := suite.NewTestWorkflowEnvironment()
		env.RegisterWorkflowWithOptions(onTemporal(scan), temporalio.RegisterOptions{Name: scan.Name})
		env.RegisterWorkflowWithOptions(onTemporal(tell), temporalio.RegisterOptions{Name: tell.Name})
		if answer != "" {
			env.RegisterDelayedCallback(func() { env.SignalWorkflow("answer", answer) }, 6*time.Hour+time.Minute)
		}
		env.ExecuteWorkflow(scan.Name, []string{"SPY", "QQQ", "AAPL"})
		if err := env.GetWorkflowError(); err != nil {
			return err
		}
		var said string
		if err := env.GetWorkflowResult(&said); err != nil {
			return err
		}
		fmt.Fprintln(out, said)
	}
	return nil
}
