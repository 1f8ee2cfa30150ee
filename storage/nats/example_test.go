package nats_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/nats"
)

// It takes a server, so it is compiled and not run.
func Example() {
	ctx := context.Background()
	store, err := nats.Open(ctx, "nats://127.0.0.1:4222", nil)
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
	tasks, err := tenant.Queue("tasks", &storage.QueueOptions{Attempts: 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := tasks.Send(ctx, storage.NewMessage{Body: []byte("analyse SPY"), Key: "SPY 2026-11-20", Delay: time.Minute}); err != nil {
		fmt.Println(err)
		return
	}
	// Ten at once, or what there is after thirty seconds.
	batch, err := tasks.Receive(ctx, 10, 30*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := tasks.Ack(ctx, batch...); err != nil {
		fmt.Println(err)
	}
}
