package main

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	temporalio "go.temporal.io/sdk/workflow"

	"github.com/ttai-go/ttai/workflow"
)

// onTemporal makes a Temporal workflow of a definition.
func onTemporal[In, Out any](d workflow.Definition[In, Out]) func(temporalio.Context, In) (Out, error) {
	return func(tc temporalio.Context, in In) (Out, error) {
		base, end := context.WithCancelCause(context.Background())
		defer end(nil)
		ctx, cancel := context.WithCancelCause(base)
		temporalio.Go(tc, func(tc temporalio.Context) {
			_ = tc.Done().Receive(tc, nil) // an error of the context is why it is done
			cancel(workflow.ErrCancelled)
		})
		return d.Run(workflow.NewCtx(ctx, &host{tc: tc, base: base}), in)
	}
}

// A host does on Temporal what a run asks for. Temporal records, retries and resumes:
// steps are local activities, children are child workflows.
type host struct {
	tc     temporalio.Context
	base   context.Context
	prefix string // of the branch
	next   int
	done   workflow.Progress
}

func (h *host) Info() workflow.Info {
	i := temporalio.GetInfo(h.tc)
	info := workflow.Info{ID: i.WorkflowExecution.ID, Name: i.WorkflowType.Name, Version: 1}
	if i.ParentWorkflowExecution != nil {
		info.Parent = i.ParentWorkflowExecution.ID
	}
	return info
}

func (h *host) Base() context.Context        { return h.base }
func (h *host) Progress(p workflow.Progress) { h.done = p }
func (h *host) place() string                { h.next++; return h.prefix + strconv.Itoa(h.next-1) }
func (h *host) context(ctx context.Context) temporalio.Context {
	if ctx == h.base { // of Cleanup: it goes on when the run is cancelled
		free, _ := temporalio.NewDisconnectedContext(h.tc)
		return free
	}
	return h.tc
}

func (h *host) Step(ctx context.Context, name string, policy workflow.Policy, fn func(context.Context, workflow.Call) (json.RawMessage, error)) (json.RawMessage, error) {
	policy, err := policy.Validated()
	if err != nil {
		return nil, err
	}
	key := workflow.Key(h.Info().ID, h.place(), name)
	options := temporalio.LocalActivityOptions{
		StartToCloseTimeout: policy.Timeout, ScheduleToCloseTimeout: policy.Deadline,
		RetryPolicy: &temporal.RetryPolicy{InitialInterval: policy.MinBackoff, BackoffCoefficient: 2, MaximumInterval: policy.MaxBackoff, MaximumAttempts: int32(policy.Attempts)},
	}
	if policy.Timeout == 0 && policy.Deadline == 0 {
		options.ScheduleToCloseTimeout = 24 * time.Hour // Temporal wants a bound
	}
	attempts := 0
	var data []byte
	err = temporalio.ExecuteLocalActivity(temporalio.WithLocalActivityOptions(h.context(ctx), options), func(ctx context.Context) ([]byte, error) {
		attempts = int(activity.GetInfo(ctx).Attempt)
		return fn(ctx, workflow.Call{Key: key, Attempt: attempts})
	}).Get(h.context(ctx), &data)
	if err != nil {
		return nil, h.failure(err, &workflow.StepError{Step: name, Attempts: attempts, Text: errors.Unwrap(err).Error()})
	}
	return data, nil
}

func (h *host) failure(err, otherwise error) error {
	if temporal.IsCanceledError(err) {
		return workflow.ErrCancelled
	}
	return otherwise
}

func (h *host) Sleep(ctx context.Context, _ string, d time.Duration) error {
	h.place()
	err := temporalio.Sleep(h.context(ctx), d)
	return h.failure(err, err)
}

func (h *host) Await(ctx context.Context, name string, timeout time.Duration) (data json.RawMessage, err error) {
	h.place()
	err = workflow.ErrTimeout
	tc := h.context(ctx)
	s := temporalio.NewSelector(tc)
	s.AddReceive(temporalio.GetSignalChannel(tc, name), func(c temporalio.ReceiveChannel, _ bool) { c.Receive(tc, &data); err = nil })
	s.AddReceive(tc.Done(), func(temporalio.ReceiveChannel, bool) { err = workflow.ErrCancelled })
	if timeout > 0 {
		timed, stop := temporalio.WithCancel(tc)
		defer stop()
		s.AddFuture(temporalio.NewTimer(timed, timeout), func(temporalio.Future) {})
	}
	s.Select(tc)
	return data, err
}

func (h *host) Parallel(ctx context.Context, _ string, n, limit int, branch func(context.Context, workflow.Host, int)) error {
	prefix := h.place() + "."
	if limit == 0 {
		limit = max(n, 1)
	}
	turns, all := temporalio.NewSemaphore(h.tc, int64(limit)), temporalio.NewWaitGroup(h.tc)
	all.Add(n)
	for i := range n {
		if err := turns.Acquire(h.tc, 1); err != nil {
			return h.failure(err, err)
		}
		temporalio.Go(h.tc, func(tc temporalio.Context) {
			defer all.Done()
			defer turns.Release(1)
			branch(ctx, &host{tc: tc, base: h.base, prefix: prefix + strconv.Itoa(i) + "."}, i)
		})
	}
	all.Wait(h.tc)
	return nil
}

func (h *host) Child(ctx context.Context, name, child string, input json.RawMessage) (data json.RawMessage, err error) {
	id := workflow.Key(h.Info().ID, h.place(), name)
	tc := temporalio.WithChildOptions(h.context(ctx), temporalio.ChildWorkflowOptions{WorkflowID: id})
	err = temporalio.ExecuteChildWorkflow(tc, child, input).Get(tc, &data)
	if err != nil {
		return nil, h.failure(err, &workflow.RunError{ID: id, State: workflow.Failed, Text: err.Error()})
	}
	return data, nil
}
