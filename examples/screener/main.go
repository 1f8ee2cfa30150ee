// Command screener ranks symbols by durable steps: killed and started again with the
// same store, it goes on where it stopped. The store here is in memory; sqlite.Open
// takes its place.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/ttai-go/ttai/agents/analysts"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, out io.Writer) error {
	clock := market.NewManualClock(synthetic.DefaultStart())
	source, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	if err != nil {
		return err
	}
	analyst, err := analysts.New(analysts.Deps{Market: source, Clock: clock, Rate: 0.04})
	if err != nil {
		return err
	}
	definitions, err := analysts.Workflows{
		Analyst: analyst, Pause: 10 * time.Millisecond,
		Notify: func(_ context.Context, _ string, m analysts.Message) error {
			_, err := fmt.Fprintf(out, "%s\n%s\n", m.Title, m.Text)
			return err
		},
	}.Definitions()
	if err != nil {
		return err
	}
	store, err := memory.New(nil)
	if err != nil {
		return err
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		return err
	}
	engine, err := journal.New(ctx, tenant, definitions, nil)
	if err != nil {
		return err
	}
	defer engine.Close()
	job := analysts.ScreenerJob{
		Name: "puts", Symbols: []market.Symbol{"SPY", "QQQ", "IWM", "AAPL", "MSFT", "XOM", "NOBODY"}, Top: 3,
		Strategies: []analysts.Strategy{analysts.CashSecuredPut, analysts.BullPut},
	}
	if _, err := engine.Start(ctx, "puts-2026-09-16", analysts.ScreenerWorkflow, job); err != nil {
		return err
	}
	result, err := workflow.Result[analysts.Screening](ctx, engine, "puts-2026-09-16")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "looked at %d, best %s\n", result.Looked, result.Top[0].Symbol)
	return err
}
