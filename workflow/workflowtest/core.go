package workflowtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ttai-go/ttai/workflow"
)

// TestCore checks what runs do while their engine lives.
func TestCore(t *testing.T, h Harness) { run(t, h, core()) }

// TestCoreLive is [TestCore] in real time.
func TestCoreLive(t *testing.T, h LiveHarness) { runLive(t, h, core()) }

func core() []claim {
	return []claim{
		{"a run returns its result, and its id is always the same run", testResult},
		{"a step that fails is tried again under the same key", testRetry},
		{"a step that cannot succeed fails its run", testFailures},
		{"timeouts and deadlines end attempts and steps", testDeadlines},
		{"a run sleeps for as long as it says", testSleep},
		{"signals are taken in order, early ones too, and awaiting ends in time", testSignals},
		{"signals sent at the same time are taken once each", testManySignals},
		{"branches run at the same time, in bounds, with results in order", testParallel},
		{"a child's result and failure come to its parent", testChild},
		{"a cancelled run puts things in order and its child is cancelled", testCancel},
		{"status shows progress, and history what happened", testHistory},
		{"runs are listed by state and page", testList},
		{"bad arguments and unknown runs are refused", testRefusals},
		{"a closed engine says so", testClosed},
	}
}

func testResult(r *rig) {
	n := newCounter()
	e := r.engine(
		of("greet", func(ctx *workflow.Ctx, name string) (string, error) {
			hello, err := n.step(ctx, "hello")
			return hello + " " + name, err
		}),
		of("other", func(*workflow.Ctx, string) (string, error) { return "", nil }))
	r.start(e, "g1", "greet", "Ada")
	got, err := workflow.Result[string](r.Context(), e, "g1")
	r.check(err)
	same(r, "result", got, "hello-1 Ada")
	s := r.start(e, "g1", "greet", "Bob")
	same(r, "result of the same id", string(s.Result), `"hello-1 Ada"`)
	same(r, "input of the same id", string(s.Input), `"Ada"`)
	same(r, "runs of the step", n.ran("hello"), 1)
	_, err = e.Start(r.Context(), "g1", "other", "Ada")
	r.is(err, workflow.ErrOtherRun)
	r.start(e, "g2", "greet", "Bob")
	r.ends(e, "g2", workflow.Completed)
	same(r, "runs of the step in two runs", n.ran("hello"), 2)
}

func testRetry(r *rig) {
	n := newCounter()
	policy := workflow.Policy{Attempts: 4, MinBackoff: 10 * time.Second, MaxBackoff: 15 * time.Second}
	e := r.engine(of("retry", func(ctx *workflow.Ctx, _ int) (int, error) {
		return workflow.Step(ctx, "flaky", policy, func(_ context.Context, call workflow.Call) (int, error) {
			if got := n.count("flaky", call); got != call.Attempt {
				return 0, workflow.Permanent(fmt.Errorf("attempt %d came as %d", got, call.Attempt))
			}
			if call.Attempt < 4 {
				return 0, errors.New("not yet")
			}
			return call.Attempt, nil
		})
	}))
	begun := r.clock.Now()
	r.start(e, "r", "retry", 0)
	same(r, "result", string(r.ends(e, "r", workflow.Completed).Result), "4")
	same(r, "key", n.keys["flaky"], workflow.Key("r", "0", "flaky"))
	// Backoffs of 10, 15 and 15 s, each between a half and all of it.
	r.took("three backoffs", begun, 20*time.Second, 42*time.Second)
}

func testFailures(r *rig) {
	var calls atomic.Int32
	step := func(name string, policy workflow.Policy, fail func() error) workflow.Workflow {
		return of(name, func(ctx *workflow.Ctx, _ int) (int, error) {
			return workflow.Step(ctx, "doomed", policy, func(context.Context, workflow.Call) (int, error) {
				calls.Add(1)
				return 0, fail()
			})
		})
	}
	boom := errors.New("boom")
	e := r.engine(
		step("often", workflow.Policy{Attempts: 3}, func() error { return boom }),
		step("permanent", workflow.Policy{}, func() error { return workflow.Permanent(boom) }),
		step("panics", workflow.Policy{}, func() error { panic("boom") }),
		step("once", workflow.Policy{Once: true}, func() error { return boom }),
		of("itself", func(*workflow.Ctx, int) (int, error) { panic("boom") }),
		of("huge", func(ctx *workflow.Ctx, _ int) (string, error) {
			return workflow.Step(ctx, "huge", workflow.Policy{}, func(context.Context, workflow.Call) (string, error) {
				return strings.Repeat("x", workflow.MaxDocument), nil
			})
		}))
	for name, want := range map[string]struct {
		calls int32
		text  string
	}{
		"often": {3, "step doomed, attempt 3: boom"}, "permanent": {1, "step doomed, attempt 1: boom"},
		"panics": {1, "step doomed, attempt 1: panic: boom"}, "once": {1, "step doomed, attempt 1: boom"},
		"itself": {0, "panic: boom"}, "huge": {0, "step huge, attempt 1: result: 4194306 is not allowed; want at most 4194304 bytes of JSON"},
	} {
		calls.Store(0)
		r.start(e, name, name, 0)
		s := r.ends(e, name, workflow.Failed)
		same(r, "error of "+name, s.Error, want.text)
		same(r, "calls of "+name, calls.Load(), want.calls)
		_, err := workflow.Result[int](r.Context(), e, name)
		if failed, ok := errors.AsType[*workflow.RunError](err); !ok || failed.State != workflow.Failed {
			r.Fatalf("result of a failed run: %v", err)
		}
	}
}

func testDeadlines(r *rig) {
	hang := func(name string, policy workflow.Policy) workflow.Workflow {
		return of(name, func(ctx *workflow.Ctx, _ int) (int, error) {
			return workflow.Step(ctx, "slow", policy, func(ctx context.Context, call workflow.Call) (int, error) {
				if call.Attempt == 3 {
					return 3, nil
				}
				<-ctx.Done()
				return 0, ctx.Err()
			})
		})
	}
	e := r.engine(
		hang("timeout", workflow.Policy{Timeout: 5 * time.Second, MinBackoff: 2 * time.Second, MaxBackoff: 2 * time.Second}),
		hang("deadline", workflow.Policy{Timeout: 5 * time.Second, MinBackoff: 2 * time.Second, Deadline: 9 * time.Second}))
	begun := r.clock.Now()
	r.start(e, "t", "timeout", 0)
	r.ends(e, "t", workflow.Completed)
	r.took("two timeouts of 5 s and backoffs of 1 to 2 s", begun, 11*time.Second, 15*time.Second)
	begun = r.clock.Now()
	r.start(e, "d", "deadline", 0)
	s := r.ends(e, "d", workflow.Failed)
	if !strings.Contains(s.Error, "deadline has passed; the last error was: context deadline exceeded") {
		r.Fatal(s.Error)
	}
	r.took("a step with a deadline of 9 s", begun, 0, 10*time.Second)
}

func testSleep(r *rig) {
	e := r.engine(of("nap", func(ctx *workflow.Ctx, d time.Duration) (int, error) {
		return 1, workflow.Sleep(ctx, "nap", d)
	}))
	begun := r.clock.Now()
	r.start(e, "s", "nap", 90*time.Second)
	r.ends(e, "s", workflow.Completed)
	r.took("a sleep of 90 s", begun, 90*time.Second, 100*time.Second)
}

func testSignals(r *rig) {
	e := r.engine(of("ask", func(ctx *workflow.Ctx, _ int) (string, error) {
		var all []string
		for range 3 {
			s, err := workflow.Await[string](ctx, "say", 0)
			if err != nil {
				return "", err
			}
			all = append(all, s)
		}
		_, err := workflow.Await[string](ctx, "never", 7*time.Second)
		return fmt.Sprint(all, err), nil
	}))
	r.start(e, "a", "ask", 0)
	r.settle(r.recorded(e, "a", 1))
	for _, word := range []string{"one", "two", "three"} {
		r.check(e.Signal(r.Context(), "a", "say", word))
	}
	s := r.ends(e, "a", workflow.Completed)
	same(r, "result", string(s.Result), `"[one two three] no signal came in time"`)
	r.is(e.Signal(r.Context(), "a", "say", "late"), workflow.ErrFinal)
}

func testManySignals(r *rig) {
	const n = 20
	e := r.engine(of("sum", func(ctx *workflow.Ctx, _ int) (int, error) {
		got, err := workflow.Map(ctx, "takers", make([]struct{}, n), 4, func(ctx *workflow.Ctx, _ struct{}) (int, error) {
			return workflow.Await[int](ctx, "number", 0)
		})
		seen := map[int]bool{}
		for _, g := range got {
			seen[g] = true
		}
		return len(seen), err
	}))
	r.start(e, "m", "sum", 0)
	var all sync.WaitGroup
	failed := make([]error, n)
	for i := range n {
		all.Go(func() { failed[i] = e.Signal(r.Context(), "m", "number", i) })
	}
	all.Wait()
	r.check(errors.Join(failed...))
	same(r, "different numbers taken", string(r.ends(e, "m", workflow.Completed).Result), fmt.Sprint(n))
}

func testParallel(r *rig) {
	var now, most atomic.Int32
	e := r.engine(of("fan", func(ctx *workflow.Ctx, n int) (string, error) {
		items := make([]int, n)
		for i := range items {
			items[i] = i
		}
		squares, err := workflow.Map(ctx, "squares", items, 3, func(ctx *workflow.Ctx, i int) (int, error) {
			return workflow.Step(ctx, "square", workflow.Policy{}, func(context.Context, workflow.Call) (int, error) {
				most.Store(max(most.Load(), now.Add(1)))
				defer now.Add(-1)
				r.pause(30 * time.Second)
				return i * i, nil
			})
		})
		if err != nil {
			return "", err
		}
		failed := workflow.Parallel(ctx, "mixed",
			func(*workflow.Ctx) error { return errors.New("first") },
			func(*workflow.Ctx) error { return nil },
			func(*workflow.Ctx) error { panic("third") })
		return fmt.Sprint(squares, failed), nil
	}))
	r.start(e, "p", "fan", 7)
	s := r.ends(e, "p", workflow.Completed)
	same(r, "result", string(s.Result), `"[0 1 4 9 16 25 36] first\nbranch 2 of mixed: panic: third"`)
	same(r, "branches at once", most.Load(), 3)
}

func testChild(r *rig) {
	e := r.engine(
		of("double", func(_ *workflow.Ctx, n int) (int, error) {
			if n < 0 {
				return 0, errors.New("negative")
			}
			return 2 * n, nil
		}),
		of("parent", func(ctx *workflow.Ctx, n int) (string, error) {
			good, err := workflow.Child[int](ctx, "good", "double", n)
			if err != nil {
				return "", err
			}
			_, bad := workflow.Child[int](ctx, "bad", "double", -n)
			_, unknown := workflow.Child[int](ctx, "unknown", "nobody", n)
			failed, ok := errors.AsType[*workflow.RunError](bad)
			return fmt.Sprintln(good, ok, failed.Text, unknown != nil), nil
		}))
	r.start(e, "c", "parent", 21)
	same(r, "result", string(r.ends(e, "c", workflow.Completed).Result), `"42 true negative true\n"`)
	child, err := e.Status(r.Context(), workflow.Key("c", "0", "good"))
	r.check(err)
	same(r, "parent", child.Parent, "c")
}

func testCancel(r *rig) {
	n := newCounter()
	e := r.engine(
		of("forever", func(ctx *workflow.Ctx, _ int) (int, error) {
			return workflow.Await[int](ctx, "never", 0)
		}),
		of("parent", func(ctx *workflow.Ctx, _ int) (int, error) {
			_, err := workflow.Child[int](ctx, "child", "forever", 0)
			if errors.Is(err, workflow.ErrCancelled) {
				if _, err := n.step(workflow.Cleanup(ctx), "cleanup"); err != nil {
					return 0, err
				}
			}
			if _, late := n.step(ctx, "late"); !errors.Is(late, workflow.ErrCancelled) {
				return 0, fmt.Errorf("a step after cancelling: %w", late)
			}
			return 0, err
		}))
	r.start(e, "p", "parent", 0)
	r.settle(func() bool { _, err := e.Status(r.Context(), workflow.Key("p", "0", "child")); return err == nil })
	r.check(e.Cancel(r.Context(), "p", "not wanted any more"))
	same(r, "reason", r.ends(e, "p", workflow.Cancelled).Error, "not wanted any more")
	r.ends(e, workflow.Key("p", "0", "child"), workflow.Cancelled)
	same(r, "cleanups", n.ran("cleanup"), 1)
	same(r, "steps after cancelling", n.ran("late"), 0)
	r.check(e.Cancel(r.Context(), "p", "again"))
	same(r, "reason after cancelling again", r.wait(e, "p").Error, "not wanted any more")
}

func testHistory(r *rig) {
	n := newCounter()
	e := r.engine(of("tell", func(ctx *workflow.Ctx, _ int) (int, error) {
		ctx.Progress(1, 3, "first")
		if _, err := n.step(ctx, "first"); err != nil {
			return 0, err
		}
		ctx.Progress(2, 3, "waiting")
		if _, err := workflow.Await[int](ctx, "go", 0); err != nil {
			return 0, err
		}
		ctx.Progress(3, 3, "done")
		return 0, nil
	}))
	r.start(e, "h", "tell", 0)
	r.settle(r.recorded(e, "h", 2))
	s, err := e.Status(r.Context(), "h")
	r.check(err)
	same(r, "state", s.State, workflow.Running)
	same(r, "progress", s.Progress, workflow.Progress{Done: 2, Total: 3, Text: "waiting"})
	r.check(e.Signal(r.Context(), "h", "go", 5))
	same(r, "last progress", r.ends(e, "h", workflow.Completed).Progress, workflow.Progress{Done: 3, Total: 3, Text: "done"})
	history, err := e.History(r.Context(), "h")
	r.check(err)
	var got []string
	for _, h := range history {
		got = append(got, fmt.Sprintf("%s %s %s %s %s", h.Path, h.Kind, h.Name, h.Phase, h.Result))
	}
	same(r, "history", strings.Join(got, "; "), `0 step first ended "first-1"; 1 await go ended 5`)
}

func testList(r *rig) {
	e := r.engine(of("fail", func(_ *workflow.Ctx, fail bool) (int, error) {
		if fail {
			return 0, errors.New("as told")
		}
		return 0, nil
	}))
	for i := range 7 {
		id := fmt.Sprintf("l%d", i)
		r.start(e, id, "fail", i%2 == 0)
		r.wait(e, id)
	}
	ids := func(state workflow.State, after string, limit int) string {
		list, err := e.List(r.Context(), state, after, limit)
		r.check(err)
		out := ""
		for _, s := range list {
			out += s.ID + " "
		}
		return out
	}
	same(r, "failed", ids(workflow.Failed, "", 100), "l0 l2 l4 l6 ")
	same(r, "first page", ids("", "", 3), "l0 l1 l2 ")
	same(r, "second page", ids("", "l2", 3), "l3 l4 l5 ")
	same(r, "running", ids(workflow.Running, "", 3), "")
}

func testRefusals(r *rig) {
	e := r.engine(
		of("fine", func(*workflow.Ctx, int) (int, error) { return 0, nil }),
		of("names", func(ctx *workflow.Ctx, _ int) (int, error) { return 0, workflow.Sleep(ctx, "Not A Name", 1) }))
	_, err := e.Start(r.Context(), "", "fine", 0)
	r.refused(err, "id")
	_, err = e.Start(r.Context(), "x", "nobody", 0)
	r.refused(err, "name")
	_, err = e.Start(r.Context(), "x", "fine", func() {})
	r.refused(err, "input")
	_, err = e.List(r.Context(), "", "", 0)
	r.refused(err, "limit")
	_, err = e.Status(r.Context(), "x")
	r.is(err, workflow.ErrNoRun)
	_, err = e.Wait(r.Context(), "x")
	r.is(err, workflow.ErrNoRun)
	_, err = e.History(r.Context(), "x")
	r.is(err, workflow.ErrNoRun)
	r.is(e.Signal(r.Context(), "x", "s", 0), workflow.ErrNoRun)
	r.is(e.Cancel(r.Context(), "x", ""), workflow.ErrNoRun)
	r.start(e, "n", "names", 0)
	if s := r.ends(e, "n", workflow.Failed); !strings.HasPrefix(s.Error, "name: ") {
		r.Fatal(s.Error)
	}
}

func testClosed(r *rig) {
	e := r.engine(of("fine", func(*workflow.Ctx, int) (int, error) { return 0, nil }))
	r.check(e.Close())
	r.check(e.Close())
	_, err := e.Start(r.Context(), "x", "fine", 0)
	r.is(err, workflow.ErrClosed)
}
