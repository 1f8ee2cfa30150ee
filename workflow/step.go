package workflow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

func (p *place) Step(ctx context.Context, name string, policy Policy, fn func(context.Context, Call) (json.RawMessage, error)) (json.RawMessage, error) {
	policy, invalidPolicy := policy.Validated()
	e, found, err := p.begin(ctx, Entry{Kind: KindStep, Name: name})
	switch {
	case err != nil:
		return nil, err
	case e.Phase == Ended:
		return e.Result, nil
	case e.Phase == Broken:
		return nil, failed(e)
	case invalidPolicy != nil:
		return nil, invalidPolicy
	}
	if !found {
		e.Attempt = 1
	}
	waiting := !e.Until.IsZero() // its last attempt failed, in this process or another
	if found && !waiting && policy.Once {
		e.Interrupted = true
		return nil, p.fail(e, "it began and its process died: whether its effect happened is unknown")
	}
	if found && !waiting {
		// Recorded before it begins again, so that a step that kills its process is not
		// begun for ever.
		if e.Cut++; e.Cut > policy.Interruptions {
			e.Interrupted = true
			return nil, p.fail(e, fmt.Sprintf("it was cut off %d times, by its process ending or its run being given up: it is not begun again", e.Cut))
		}
		if err := p.record(e); err != nil {
			return nil, err
		}
	}
	s := &step{place: p, entry: e, policy: policy, fn: fn, key: Key(p.x.Info.ID, e.Path, name)}
	if policy.Deadline > 0 {
		s.deadline = e.Began.Add(policy.Deadline)
	}
	return s.run(ctx, found && !waiting)
}

// A step is one that has not ended.
type step struct {
	*place
	entry    *Entry
	policy   Policy
	fn       func(context.Context, Call) (json.RawMessage, error)
	key      string
	deadline time.Time // zero: none
}

// run tries until the step ends. Begun says that the present attempt is recorded.
func (s *step) run(ctx context.Context, begun bool) (json.RawMessage, error) {
	e, clock := s.entry, s.x.Clock
	for {
		if !e.Until.IsZero() {
			if err := s.until(ctx, e.Until, nil); err != nil {
				return nil, err
			}
			e.Until = time.Time{}
			e.Attempt++
		}
		if !s.deadline.IsZero() && !clock.Now().Before(s.deadline) {
			return nil, s.fail(e, late(e.Error))
		}
		if !begun {
			if err := s.record(e); err != nil {
				return nil, err
			}
		}
		begun = false
		result, err := s.try(ctx)
		if err == nil {
			if err := s.end(e, result, ""); err != nil {
				return nil, err
			}
			return result, nil
		}
		if stopped := ended(ctx); stopped != nil {
			return nil, stopped // what the attempt did is not known: it is not a failure
		}
		_, hopeless := errors.AsType[*permanent](err)
		if hopeless || e.Attempt >= s.policy.Attempts {
			return nil, s.fail(e, text(err))
		}
		e.Error = text(err)
		e.Until = clock.Now().Add(s.policy.Backoff(s.key, e.Attempt))
		if !s.deadline.IsZero() && !e.Until.Before(s.deadline) {
			return nil, s.fail(e, late(e.Error))
		}
		if err := s.record(e); err != nil {
			return nil, err
		}
	}
}

// longestError bounds the text of an error that is recorded, in bytes.
const longestError = 4096

func text(err error) string {
	s := err.Error()
	if s == "" {
		return fmt.Sprintf("%T", err)
	}
	return strings.ToValidUTF8(s[:min(len(s), longestError)], "")
}

func late(last string) string {
	if last == "" {
		return "its deadline has passed"
	}
	return "its deadline has passed; the last error was: " + last
}

func (p *place) fail(e *Entry, why string) error {
	if err := p.end(e, nil, why); err != nil {
		return err
	}
	return failed(e)
}

func failed(e *Entry) error {
	return &StepError{Step: e.Name, Attempts: e.Attempt, Text: e.Error, Interrupted: e.Interrupted}
}

// try runs one attempt under its timeout.
func (s *step) try(ctx context.Context) (result json.RawMessage, err error) {
	limit := s.policy.Timeout
	if !s.deadline.IsZero() {
		left := s.deadline.Sub(s.x.Clock.Now())
		if limit == 0 || left < limit {
			limit = left
		}
	}
	if limit > 0 {
		timed, cancel := context.WithCancelCause(ctx)
		sleeping, stop := context.WithCancel(ctx)
		over := make(chan struct{})
		go func() {
			defer close(over)
			if s.x.Clock.Sleep(sleeping, limit) == nil {
				cancel(context.DeadlineExceeded)
			}
		}()
		defer func() {
			stop()
			<-over
			cancel(nil)
		}()
		ctx = timed
	}
	defer func() {
		if p := recover(); p != nil {
			result, err = nil, Permanent(fmt.Errorf("panic: %v", p))
		}
	}()
	result, err = s.fn(ctx, Call{Key: s.key, Attempt: s.entry.Attempt})
	if err != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) && errors.Is(err, context.Canceled) {
		err = context.DeadlineExceeded
	}
	return result, err
}
