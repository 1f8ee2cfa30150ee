package redis_test

import (
	"context"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/redis"
)

// It takes a server, so it is compiled and not run.
func Example() {
	ctx := context.Background()
	store, err := redis.Open(ctx, "redis://127.0.0.1:6379/0", nil)
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
	limiter, err := tenant.Limiter()
	if err != nil {
		fmt.Println(err)
		return
	}
	decision, err := limiter.Take(ctx, "GET /quotes", storage.Limit{Rate: 120, Per: time.Minute}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	if !decision.Allowed {
		fmt.Println("try again in", decision.Wait)
	}
}
