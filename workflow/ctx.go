package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// A Ctx is what a workflow's function is given. It is the context of the run: it
// ends when the run is cancelled or goes on elsewhere. Its steps are told by their
// order, so it must be used by one goroutine at a time; the branches of Parallel
// and Map get their own.
type Ctx struct {
	context.Context
	host Host
}

// NewCtx returns a Ctx on a host. Engines call it.
func NewCtx(ctx context.Context, host Host) *Ctx { return &Ctx{Context: ctx, host: host} }

// Info says which run this is.
type Info struct {
	ID      string
	Name    string
	Version int
	Parent  string
}

// A Call says which attempt of which step is under way.
type Call struct {
	// Key names the step's effect: the run's id, its place and its name. It is the
	// same in each attempt and process, and at most 256 bytes.
	Key string
	// Attempt counts from 1.
	Attempt int
}

// A Host does for one run, or one branch of it, what a Ctx asks. The functions of
// this package are the typed form of its methods, which have the contracts.
// [Execute] has one over a [Log]; an engine that records steps itself brings its own.
type Host interface {
	Info() Info
	// Base is the run's context without cancellation of the run.
	Base() context.Context
	Step(ctx context.Context, name string, policy Policy, fn func(context.Context, Call) (json.RawMessage, error)) (json.RawMessage, error)
	Sleep(ctx context.Context, name string, d time.Duration) error
	Await(ctx context.Context, name string, timeout time.Duration) (json.RawMessage, error)
	// Parallel calls branch for 0 to n-1, at most limit at once, and returns when
	// all have returned.
	Parallel(ctx context.Context, name string, n, limit int, branch func(ctx context.Context, h Host, i int)) error
	Child(ctx context.Context, name, workflow string, input json.RawMessage) (json.RawMessage, error)
	Progress(p Progress)
}

// Info says which run this is.
func (c *Ctx) Info() Info { return c.host.Info() }

// Progress says how far the run has come; Status shows it from the next step on.
func (c *Ctx) Progress(done, total int, text string) {
	c.host.Progress(Progress{Done: done, Total: total, Text: text})
}

// Step runs fn unless the run has its result already, and records the result
// before it returns. Name is 1 to 64 of a-z, 0-9, '.', '_' and '-'. An error is
// tried again as policy says, unless it is Permanent; then it is a *StepError. A
// panic of fn is a permanent error.
func Step[T any](c *Ctx, name string, policy Policy, fn func(ctx context.Context, call Call) (T, error)) (T, error) {
	data, err := c.host.Step(c.Context, name, policy, func(ctx context.Context, call Call) (json.RawMessage, error) {
		v, err := fn(ctx, call)
		if err != nil {
			return nil, err
		}
		data, err := Encode("result", v)
		return data, Permanent(err)
	})
	return decode[T](name, data, err)
}

// Sleep waits for d from when the run first came here, also across processes.
func Sleep(c *Ctx, name string, d time.Duration) error { return c.host.Sleep(c.Context, name, d) }

// Await waits for the next signal of a name and takes it. After timeout it is
// ErrTimeout; 0 means that it waits forever.
func Await[T any](c *Ctx, name string, timeout time.Duration) (T, error) {
	data, err := c.host.Await(c.Context, name, timeout)
	return decode[T](name, data, err)
}

// Parallel runs branches at the same time, each with a Ctx of its own, and waits
// for all. The errors of all that failed are joined.
func Parallel(c *Ctx, name string, branches ...func(*Ctx) error) error {
	_, err := Map(c, name, branches, 0, func(c *Ctx, branch func(*Ctx) error) (struct{}, error) {
		return struct{}{}, branch(c)
	})
	return err
}

// Map runs fn for each item, at most limit at the same time (0: all), each with a
// Ctx of its own, and returns the results in the items' order. The errors of all
// that failed are joined; their results are zero values.
func Map[In, Out any](c *Ctx, name string, items []In, limit int, fn func(*Ctx, In) (Out, error)) ([]Out, error) {
	out, errs := make([]Out, len(items)), make([]error, len(items))
	err := c.host.Parallel(c.Context, name, len(items), limit, func(ctx context.Context, h Host, i int) {
		defer func() {
			if p := recover(); p != nil {
				errs[i] = fmt.Errorf("branch %d of %s: panic: %v", i, name, p)
			}
		}()
		out[i], errs[i] = fn(NewCtx(ctx, h), items[i])
	})
	return out, errors.Join(append(errs, err)...)
}

// Child runs another workflow as a run of its own and waits for its result. It is
// cancelled with its parent. When it fails it is a *RunError.
func Child[Out any](c *Ctx, name, workflow string, input any) (Out, error) {
	data, err := Encode("input", input)
	if err == nil {
		data, err = c.host.Child(c.Context, name, workflow, data)
	}
	return decode[Out](name, data, err)
}

// Cleanup returns a Ctx that goes on when the run is cancelled, for steps that
// put things in order. It takes the place of c in the order of steps.
func Cleanup(c *Ctx) *Ctx { return NewCtx(c.host.Base(), c.host) }

func decode[T any](name string, data json.RawMessage, err error) (T, error) {
	var out T
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(data, &out); err != nil {
		return out, fmt.Errorf("%s: what was recorded does not fit: %w", name, err)
	}
	return out, nil
}
