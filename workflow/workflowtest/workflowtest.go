// Package workflowtest has the suites that every workflow engine passes: TestCore
// for what runs do, TestDurability for what survives their engine, and TestKills
// for what survives the death of the process. TestCoreLive and TestDurabilityLive
// are the first two for engines over a network, whose time cannot be made up.
package workflowtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ttai-go/ttai/workflow"
)

// Open opens an engine over the data of one test. Called again it opens another
// engine on the same data, as another process would. The test closes it.
type Open func(workflows ...workflow.Workflow) workflow.Engine

// A Harness returns the Open of a test with data of its own. It runs inside a
// bubble of testing/synctest, and what it starts must end with t.Cleanup. Runs of
// an engine that was closed must be taken over within a minute.
type Harness func(t *testing.T) Open

// A LiveHarness is a [Harness] for engines over a network. It runs in real time, and
// its engines go by clock, which is fast: a minute of it is a second. Runs of an
// engine that was closed must be taken over within a second of real time.
type LiveHarness func(t *testing.T, clock workflow.Clock) Open

type claim struct {
	name string
	test func(*rig)
}

func run(t *testing.T, h Harness, claims []claim) {
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.test(&rig{T: t, open: h(t), clock: workflow.RealClock{}})
			})
		})
	}
}

func runLive(t *testing.T, h LiveHarness, claims []claim) {
	for _, c := range claims {
		t.Run(c.name, func(t *testing.T) {
			clock := fastClock{time.Now()}
			c.test(&rig{T: t, open: h(t, clock), clock: clock, live: true})
		})
	}
}

// fastClock makes a minute of a second.
type fastClock struct{ begun time.Time }

const faster = 60

func (c fastClock) Now() time.Time { return c.begun.Add(faster * time.Since(c.begun)) }

func (c fastClock) Sleep(ctx context.Context, d time.Duration) error {
	return workflow.RealClock{}.Sleep(ctx, (d+faster-1)/faster)
}

// A rig is one test's engine and what its claims need.
type rig struct {
	*testing.T
	open  Open
	clock workflow.Clock
	live  bool // nothing is known of how long work takes
}

// settle waits until the engines have done what they can, of which done is a sign.
func (r *rig) settle(done func() bool) {
	r.Helper()
	if !r.live {
		synctest.Wait()
		return
	}
	for begun := time.Now(); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			r.Fatal("nothing happens")
		}
	}
}

// recorded tells that a run has so many entries.
func (r *rig) recorded(e workflow.Engine, id string, n int) func() bool {
	return func() bool {
		r.Helper()
		history, err := e.History(r.Context(), id)
		r.check(err)
		return len(history) >= n
	}
}

// pause waits by the runs' time.
func (r *rig) pause(d time.Duration) { _ = r.clock.Sleep(r.Context(), d) }

// took fails unless as much time has passed as it should.
func (r *rig) took(what string, begun time.Time, least, most time.Duration) {
	r.Helper()
	if took := r.clock.Now().Sub(begun); took < least || took > most && !r.live {
		r.Fatalf("%s took %v, want %v to %v", what, took, least, most)
	}
}

func (r *rig) engine(workflows ...workflow.Workflow) workflow.Engine {
	e := r.open(workflows...)
	r.Cleanup(func() { r.check(e.Close()) })
	return e
}

func (r *rig) check(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) start(e workflow.Engine, id, name string, input any) workflow.Status {
	r.Helper()
	s, err := e.Start(r.Context(), id, name, input)
	r.check(err)
	return s
}

func (r *rig) wait(e workflow.Engine, id string) workflow.Status {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), time.Hour)
	defer cancel()
	s, err := e.Wait(ctx, id)
	r.check(err)
	return s
}

func (r *rig) ends(e workflow.Engine, id string, state workflow.State) workflow.Status {
	r.Helper()
	s := r.wait(e, id)
	same(r, "state of "+id+" ("+s.Error+")", s.State, state)
	return s
}

func same[T comparable](r *rig, what string, got, want T) {
	r.Helper()
	if got != want {
		r.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

func (r *rig) is(err, want error) {
	r.Helper()
	if !errors.Is(err, want) {
		r.Fatalf("got error %v, want %v", err, want)
	}
}

func (r *rig) refused(err error, field string) {
	r.Helper()
	e, ok := errors.AsType[*workflow.FieldError](err)
	if !ok || e.Field != field {
		r.Fatalf("got error %v, want a FieldError of %s", err, field)
	}
}

// of returns a workflow of version 1.
func of[In, Out any](name string, run func(*workflow.Ctx, In) (Out, error)) workflow.Workflow {
	return workflow.Of(workflow.Definition[In, Out]{Name: name, Version: 1, Run: run})
}

// A counter counts how often each step ran, and keeps their keys.
type counter struct {
	mu   sync.Mutex
	runs map[string]int
	keys map[string]string
}

func newCounter() *counter { return &counter{runs: map[string]int{}, keys: map[string]string{}} }

// step is a workflow step that returns its name and n, how often it ran.
func (c *counter) step(ctx *workflow.Ctx, name string) (string, error) {
	return workflow.Step(ctx, name, workflow.Policy{}, func(_ context.Context, call workflow.Call) (string, error) {
		return fmt.Sprintf("%s-%d", name, c.count(name, call)), nil
	})
}

func (c *counter) count(name string, call workflow.Call) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.runs[name]++
	if before, ok := c.keys[name]; ok && before != call.Key {
		c.keys[name] = before + " then " + call.Key
	} else {
		c.keys[name] = call.Key
	}
	return c.runs[name]
}

func (c *counter) ran(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.runs[name]
}

// gate blocks a step until its context ends.
type gate struct{ entered atomic.Int32 }

func (g *gate) step(ctx *workflow.Ctx, name string, policy workflow.Policy) error {
	_, err := workflow.Step(ctx, name, policy, func(ctx context.Context, _ workflow.Call) (int, error) {
		if g.entered.Add(1) > 1 {
			return 1, nil
		}
		<-ctx.Done()
		return 0, ctx.Err()
	})
	return err
}
