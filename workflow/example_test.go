package workflow_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
)

func Example() {
	report := workflow.Of(workflow.Definition[string, string]{
		Name: "report", Version: 1,
		Run: func(ctx *workflow.Ctx, symbol string) (string, error) {
			price, err := workflow.Step(ctx, "price", workflow.Policy{Timeout: 10 * time.Second},
				func(context.Context, workflow.Call) (float64, error) { return 601.25, nil })
			if err != nil {
				return "", err
			}
			text := fmt.Sprintf("%s stands at %.2f", symbol, price)
			_, err = workflow.Step(ctx, "notify", workflow.Policy{},
				func(_ context.Context, call workflow.Call) (bool, error) {
					fmt.Printf("sent under the key %s\n", call.Key)
					return true, nil
				})
			return text, err
		},
	})
	store, err := memory.New(nil) // sqlite.Open for runs that survive
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	engine, err := journal.New(ctx, tenant, []workflow.Workflow{report}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer engine.Close()
	for range 2 { // the second time it is the same run
		if _, err := engine.Start(ctx, "report-2026-03-02", "report", "SPY"); err != nil {
			fmt.Println(err)
			return
		}
		text, err := workflow.Result[string](ctx, engine, "report-2026-03-02")
		fmt.Println(text, err)
	}
	// Output:
	// sent under the key report-2026-03-02/1/notify
	// SPY stands at 601.25 <nil>
	// SPY stands at 601.25 <nil>
}

func ExampleConsume() {
	store, err := memory.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer store.Close()
	tenant, err := store.For(storage.Local)
	if err != nil {
		fmt.Println(err)
		return
	}
	queue, err := tenant.Queue("notifications", &storage.QueueOptions{Attempts: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if _, err := queue.Send(ctx, storage.NewMessage{Body: []byte("SPY above 600")}, storage.NewMessage{Body: []byte("?")}); err != nil {
		fmt.Println(err)
		return
	}
	batches := workflow.Notifications()
	batches.Most = 2
	err = workflow.Consume(ctx, queue, batches, func(_ context.Context, batch *workflow.Batch) error {
		stop() // one batch is enough here
		for _, m := range batch.Messages {
			if string(m.Body) == "?" {
				batch.Fail(m.ID, errors.New("nobody understands it"))
				continue
			}
			fmt.Println(string(m.Body))
		}
		return nil
	})
	fmt.Println(err)
	for letter, err := range queue.DeadLetters().List(context.Background()) {
		fmt.Println(letter.Cause, err)
	}
	n, err := workflow.Replay(context.Background(), queue.DeadLetters(), nil)
	fmt.Println(n, "replayed", err)
	// Output:
	// SPY above 600
	// <nil>
	// nobody understands it <nil>
	// 1 replayed <nil>
}
