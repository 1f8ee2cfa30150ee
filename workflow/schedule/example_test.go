package schedule_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/journal"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// A briefing before each open, on a store that several processes may share.
func Example() {
	ctx := context.Background()
	store, err := memory.New(nil)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	tenant, err := store.For("me")
	if err != nil {
		log.Fatal(err)
	}
	briefing := schedule.Workflow("briefing", 1, func(ctx *workflow.Ctx, in schedule.Input) (string, error) {
		return "briefing for " + in.Session, nil
	})
	engine, err := journal.New(ctx, tenant, []workflow.Workflow{briefing}, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer engine.Close()

	eve := time.Date(2026, 3, 8, 12, 0, 0, 0, time.UTC) // a Sunday on which clocks go forward
	clock := market.NewManualClock(eve)
	job := schedule.Job{Name: "briefing", Trigger: schedule.AtOpen(-45 * time.Minute), Missed: schedule.Skip}
	s, err := schedule.New(ctx, tenant, engine, []schedule.Job{job}, &schedule.Options{Clock: clock})
	if err != nil {
		log.Fatal(err)
	}
	next, err := s.Tick(ctx) // Run does this until its context ends
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("next:", next)

	clock.Set(next)
	if _, err := s.Tick(ctx); err != nil {
		log.Fatal(err)
	}
	text, err := workflow.Result[string](ctx, engine, "schedule/briefing/2026-03-09")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(text)
	// Output:
	// next: 2026-03-09 08:45:00 -0400 EDT
	// briefing for 2026-03-09
}

func ExampleParseTrigger() {
	for _, text := range []string{
		"15m after close",
		"every 1h of the session, 5m late",
		"close on the last session of the week",
		"30m before close on monthly expirations of SPX",
		"cron 30 8 * * 1-5 in America/New_York",
	} {
		trigger, err := schedule.ParseTrigger(text)
		if err != nil {
			log.Fatal(err)
		}
		thanksgiving := time.Date(2026, 11, 26, 17, 0, 0, 0, time.UTC)
		next, _, err := trigger.Next(context.Background(), schedule.World{}, thanksgiving)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(next.At.Format("Mon 2 Jan 15:04 MST"), " ", trigger)
	}
	// Output:
	// Fri 27 Nov 13:15 EST   15m after close
	// Fri 27 Nov 09:35 EST   every 1h, 5m late
	// Fri 27 Nov 13:00 EST   close on the last session of the week
	// Fri 18 Dec 15:30 EST   30m before close on monthly expirations of SPX
	// Fri 27 Nov 08:30 EST   cron 30 8 * * 1-5 in America/New_York
}

func ExampleTrigger_BeforeEarnings() {
	dates := earnings{"AAPL": market.Date{Year: 2026, Month: time.April, Day: 30}}
	trigger := schedule.AtClose(-30*time.Minute).BeforeEarnings(1, "AAPL")
	next, _, err := trigger.Next(context.Background(), schedule.World{Events: dates}, time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(next.At, next.Symbols)
	// Output: 2026-04-30 15:30:00 -0400 EDT [AAPL]
}

// earnings are reports after the close; a market.Source knows the real ones.
type earnings map[market.Symbol]market.Date

func (e earnings) Events(_ context.Context, s market.Symbol, from, to market.Date) ([]market.Event, error) {
	d, ok := e[s]
	if !ok || d.Before(from) || d.After(to) {
		return nil, nil
	}
	return []market.Event{{Symbol: s, Kind: market.Earnings, Date: d, Timing: "after close"}}, nil
}
