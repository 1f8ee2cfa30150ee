package workflowtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttai-go/ttai/workflow"
)

// TestDurability checks what survives the engine: runs go on in another one on the
// same data.
func TestDurability(t *testing.T, h Harness) { run(t, h, durability()) }

// TestDurabilityLive is [TestDurability] in real time.
func TestDurabilityLive(t *testing.T, h LiveHarness) { runLive(t, h, durability()) }

func durability() []claim {
	return []claim{
		{"a run goes on where it stopped, and ended steps do not run again", testResume},
		{"of many engines one executes a run, and all see its end", testMany},
		{"a changed order of steps is refused, and the right code goes on", testOrder},
		{"steps that the code no longer has are refused", testRemoved},
		{"a changed number of branches is refused", testBranches},
		{"a run stays with the version it began with", testVersions},
		{"a step that must run once does not run again", testOnce},
		{"a step that is cut off again and again is given up", testInterruptions},
		{"sleeps, timeouts and backoff count from when they began", testElapsed},
		{"signals and cancellations wait for an engine", testAbsent},
		{"a step's failure is the same after resuming", testFailureStays},
		{"a run that was cancelled goes the same way again", testCancelledAgain},
	}
}

func testResume(r *rig) {
	n, g := newCounter(), &gate{}
	w := of("long", func(ctx *workflow.Ctx, _ int) (string, error) {
		first, err := n.step(ctx, "first")
		if err != nil {
			return "", err
		}
		fan, err := workflow.Map(ctx, "fan", []string{"a", "b"}, 0, n.step)
		if err != nil {
			return "", err
		}
		child, err := workflow.Child[string](ctx, "child", "small", 0)
		if err != nil {
			return "", err
		}
		if err := g.step(ctx, "gate", workflow.Policy{}); err != nil {
			return "", err
		}
		last, err := n.step(ctx, "last")
		return fmt.Sprintln(first, fan, child, last), err
	})
	small := of("small", func(ctx *workflow.Ctx, _ int) (string, error) { return n.step(ctx, "small") })
	e := r.engine(w, small)
	r.start(e, "r", "long", 0)
	for g.entered.Load() == 0 {
		r.pause(time.Second)
	}
	r.check(e.Close())
	e = r.engine(w, small)
	s := r.ends(e, "r", workflow.Completed)
	same(r, "result", string(s.Result), `"first-1 [a-1 b-1] small-1 last-1\n"`)
	same(r, "owners", s.Epoch, 2)
	same(r, "attempts at the step that was interrupted", g.entered.Load(), 2)
	for _, name := range []string{"first", "a", "b", "small", "last"} {
		same(r, "runs of "+name, n.ran(name), 1)
	}
}

func testMany(r *rig) {
	n := newCounter()
	w := of("shared", func(ctx *workflow.Ctx, _ int) (string, error) {
		if err := workflow.Sleep(ctx, "nap", 3*time.Second); err != nil {
			return "", err
		}
		return n.step(ctx, ctx.Info().ID)
	})
	engines := []workflow.Engine{r.engine(w), r.engine(w), r.engine(w)}
	for i := range 12 {
		id := fmt.Sprintf("m%d", i)
		for j := range engines {
			r.start(engines[(i+j)%3], id, "shared", 0)
		}
	}
	r.check(engines[0].Close())
	for i := range 12 {
		id := fmt.Sprintf("m%d", i)
		for _, e := range engines[1:] {
			r.ends(e, id, workflow.Completed)
		}
		same(r, "runs of the step of "+id, n.ran(id), 1)
	}
}

// halfway runs w until its gate has begun and closes its engine.
func (r *rig) halfway(g *gate, id, name string, workflows ...workflow.Workflow) {
	r.Helper()
	e := r.engine(workflows...)
	r.start(e, id, name, 0)
	for g.entered.Load() == 0 {
		r.pause(100 * time.Millisecond)
	}
	r.check(e.Close())
}

// blocks waits until a run is blocked and returns why.
func (r *rig) blocks(e workflow.Engine, id string) string {
	r.Helper()
	for begun := r.clock.Now(); r.clock.Now().Sub(begun) < 30*time.Minute; r.pause(time.Second) {
		s, err := e.Status(r.Context(), id)
		r.check(err)
		if s.State == workflow.Blocked {
			return s.Error
		}
	}
	r.Fatalf("run %s is not blocked", id)
	return ""
}

func testOrder(r *rig) {
	n, g := newCounter(), &gate{}
	with := func(order ...string) workflow.Workflow {
		return of("ordered", func(ctx *workflow.Ctx, _ int) (int, error) {
			for _, name := range order {
				if _, err := n.step(ctx, name); err != nil {
					return 0, err
				}
			}
			return 7, g.step(ctx, "gate", workflow.Policy{})
		})
	}
	r.halfway(g, "o", "ordered", with("fetch", "save"))
	e := r.engine(with("save", "fetch"))
	same(r, "refusal", r.blocks(e, "o"), "workflow run o: at place 0 it recorded step fetch and the code now asks for step save: give the changed code a higher Version and keep the earlier definition for this run")
	r.check(e.Close())
	e = r.engine(with("fetch", "save"))
	same(r, "result", string(r.ends(e, "o", workflow.Completed).Result), "7")
	same(r, "runs of fetch", n.ran("fetch"), 1)
	same(r, "runs of save", n.ran("save"), 1)
}

func testRemoved(r *rig) {
	n, g := newCounter(), &gate{}
	with := func(all bool) workflow.Workflow {
		return of("shrunk", func(ctx *workflow.Ctx, _ int) (int, error) {
			if _, err := n.step(ctx, "fetch"); err != nil || !all {
				return 0, err
			}
			return 7, g.step(ctx, "gate", workflow.Policy{})
		})
	}
	r.halfway(g, "s", "shrunk", with(true))
	e := r.engine(with(false))
	if why := r.blocks(e, "s"); !strings.Contains(why, "recorded step gate and the code now asks for the end") {
		r.Fatal(why)
	}
}

func testBranches(r *rig) {
	g := &gate{}
	with := func(n int) workflow.Workflow {
		return of("fan", func(ctx *workflow.Ctx, _ int) (int, error) {
			_, err := workflow.Map(ctx, "fan", make([]int, n), 0, func(*workflow.Ctx, int) (int, error) { return 0, nil })
			if err != nil {
				return 0, err
			}
			return 0, g.step(ctx, "gate", workflow.Policy{})
		})
	}
	r.halfway(g, "f", "fan", with(3))
	e := r.engine(with(2))
	if why := r.blocks(e, "f"); !strings.Contains(why, "recorded parallel fan of 3 and the code now asks for parallel fan of 2") {
		r.Fatal(why)
	}
}

func testVersions(r *rig) {
	g := &gate{}
	v1 := of("v", func(ctx *workflow.Ctx, _ int) (int, error) { return 1, g.step(ctx, "gate", workflow.Policy{}) })
	v2 := workflow.Of(workflow.Definition[int, int]{Name: "v", Version: 2, Run: func(ctx *workflow.Ctx, _ int) (int, error) {
		return 2, workflow.Sleep(ctx, "nap", time.Second)
	}})
	r.halfway(g, "old", "v", v1)
	only := r.engine(v2)
	r.start(only, "new", "v", 0)
	same(r, "new run", string(r.ends(only, "new", workflow.Completed).Result), "2")
	r.pause(2 * time.Minute)
	s, err := only.Status(r.Context(), "old")
	r.check(err)
	same(r, "a run whose version is nowhere", s.State, workflow.Running)
	both := r.engine(v1, v2)
	same(r, "old run", string(r.ends(both, "old", workflow.Completed).Result), "1")
}

func testOnce(r *rig) {
	g := &gate{}
	w := of("order", func(ctx *workflow.Ctx, _ int) (string, error) {
		err := g.step(ctx, "place", workflow.Policy{Once: true})
		failed, ok := errors.AsType[*workflow.StepError](err)
		return fmt.Sprint(ok && failed.Interrupted), ctx.Err()
	})
	r.halfway(g, "o", "order", w)
	e := r.engine(w)
	same(r, "result", string(r.ends(e, "o", workflow.Completed).Result), `"true"`)
	same(r, "attempts", g.entered.Load(), 1)
}

func testInterruptions(r *rig) {
	var entered atomic.Int32
	w := of("poison", func(ctx *workflow.Ctx, _ int) (string, error) {
		_, err := workflow.Step(ctx, "dies", workflow.Policy{Interruptions: 2}, func(ctx context.Context, _ workflow.Call) (int, error) {
			entered.Add(1)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		failed, ok := errors.AsType[*workflow.StepError](err)
		return fmt.Sprint(ok && failed.Interrupted && strings.Contains(failed.Text, "cut off 3 times")), ctx.Err()
	})
	for n := range int32(3) { // the first time and two more
		e := r.engine(w)
		if n == 0 {
			r.start(e, "p", "poison", 0)
		}
		for entered.Load() <= n {
			r.pause(100 * time.Millisecond)
		}
		r.check(e.Close())
	}
	e := r.engine(w)
	same(r, "result", string(r.ends(e, "p", workflow.Completed).Result), `"true"`)
	same(r, "attempts", entered.Load(), 3)
}

func testElapsed(r *rig) {
	var calls atomic.Int32
	w := of("wait", func(ctx *workflow.Ctx, _ int) (int, error) {
		return 0, workflow.Parallel(ctx, "all",
			func(ctx *workflow.Ctx) error { return workflow.Sleep(ctx, "nap", 10*time.Minute) },
			func(ctx *workflow.Ctx) error {
				if _, err := workflow.Await[int](ctx, "never", 10*time.Minute); !errors.Is(err, workflow.ErrTimeout) {
					return fmt.Errorf("awaiting: %w", err)
				}
				return nil
			},
			func(ctx *workflow.Ctx) error {
				policy := workflow.Policy{Attempts: 2, MinBackoff: 15 * time.Minute}
				_, err := workflow.Step(ctx, "flaky", policy, func(context.Context, workflow.Call) (int, error) {
					if calls.Add(1) == 1 {
						return 0, errors.New("not yet")
					}
					return 0, nil
				})
				return err
			})
	})
	begun := r.clock.Now()
	e := r.engine(w)
	r.start(e, "w", "wait", 0)
	r.pause(5 * time.Minute)
	r.check(e.Close())
	r.pause(time.Minute)
	e = r.engine(w)
	r.ends(e, "w", workflow.Completed)
	r.took("it", begun, 10*time.Minute, 16*time.Minute)
	same(r, "calls", calls.Load(), 2)
}

func testAbsent(r *rig) {
	w := of("ask", func(ctx *workflow.Ctx, _ int) (int, error) { return workflow.Await[int](ctx, "answer", 0) })
	e := r.engine(w)
	r.start(e, "answered", "ask", 0)
	r.start(e, "cancelled", "ask", 0)
	r.settle(r.recorded(e, "answered", 1))
	r.settle(r.recorded(e, "cancelled", 1))
	r.check(e.Close())
	sender := r.engine() // it has no code, and executes nothing
	r.check(sender.Signal(r.Context(), "answered", "answer", 42))
	r.check(sender.Cancel(r.Context(), "cancelled", "enough"))
	e = r.engine(w)
	same(r, "result", string(r.ends(e, "answered", workflow.Completed).Result), "42")
	same(r, "reason", r.ends(sender, "cancelled", workflow.Cancelled).Error, "enough")
}

func testFailureStays(r *rig) {
	g := &gate{}
	var calls atomic.Int32
	w := of("fail", func(ctx *workflow.Ctx, _ int) (string, error) {
		_, err := workflow.Step(ctx, "bad", workflow.Policy{}, func(context.Context, workflow.Call) (int, error) {
			calls.Add(1)
			return 0, workflow.Permanent(errors.New("no such symbol"))
		})
		return err.Error(), g.step(ctx, "gate", workflow.Policy{})
	})
	r.halfway(g, "f", "fail", w)
	e := r.engine(w)
	same(r, "result", string(r.ends(e, "f", workflow.Completed).Result), `"step bad, attempt 1: no such symbol"`)
	same(r, "calls", calls.Load(), 1)
}

func testCancelledAgain(r *rig) {
	n, g := newCounter(), &gate{}
	w := of("tidy", func(ctx *workflow.Ctx, _ int) (int, error) {
		_, err := workflow.Await[int](ctx, "never", 0)
		tidy := workflow.Cleanup(ctx)
		if _, failed := n.step(tidy, "tidy"); failed != nil {
			return 0, failed
		}
		if failed := g.step(tidy, "gate", workflow.Policy{}); failed != nil {
			return 0, failed
		}
		return 0, err
	})
	e := r.engine(w)
	r.start(e, "c", "tidy", 0)
	r.settle(r.recorded(e, "c", 1))
	r.check(e.Cancel(r.Context(), "c", "enough"))
	for g.entered.Load() == 0 {
		r.pause(time.Second)
	}
	r.check(e.Close())
	e = r.engine(w)
	same(r, "reason", r.ends(e, "c", workflow.Cancelled).Error, "enough")
	same(r, "runs of the step", n.ran("tidy"), 1)
}
