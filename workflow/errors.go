package workflow

import (
	"errors"
	"fmt"
)

// What callers branch on; compare with errors.Is.
var (
	// ErrNoRun: there is no run of that id.
	ErrNoRun = errors.New("no such workflow run")
	// ErrOtherRun: the id belongs to a run of another workflow.
	ErrOtherRun = errors.New("the id belongs to a run of another workflow")
	// ErrFinal: the run has ended.
	ErrFinal = errors.New("the workflow run has ended")
	// ErrCancelled: the run was cancelled. What waits or begins then returns it,
	// except under a Ctx of Cleanup.
	ErrCancelled = errors.New("the workflow run was cancelled")
	// ErrTimeout: Await waited as long as it was told to.
	ErrTimeout = errors.New("no signal came in time")
	// ErrClosed: the engine was closed.
	ErrClosed = errors.New("the workflow engine is closed")
	// ErrStopped: the run goes on in another process; what this one does for it
	// has no effect any more.
	ErrStopped = errors.New("the workflow run is no longer executed here")
)

// An OrderError says that the code asks for another step than the run recorded
// at the same place. The run is left as it is, and Blocked.
type OrderError struct {
	Run      string
	Path     string // the place: 0 is the first; 2.1.0 the first of the second branch of the third
	Recorded string // "step fetch"
	Asked    string // "step save"; "the end" when the function returned before it
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("workflow run %s: at place %s it recorded %s and the code now asks for %s: give the changed code a higher Version and keep the earlier definition for this run",
		e.Run, e.Path, e.Recorded, e.Asked)
}

// A StepError is what a step that failed for good returns, the same each time a
// resumed run comes by: it has the text of the cause and not the cause.
type StepError struct {
	Step     string
	Attempts int
	Text     string
	// Interrupted says that the process died in a step of Policy.Once, or more often
	// than Policy.Interruptions: whether its effect happened must be asked by its key.
	Interrupted bool
}

func (e *StepError) Error() string {
	return fmt.Sprintf("step %s, attempt %d: %s", e.Step, e.Attempts, e.Text)
}

// A RunError is what [Result] and [Child] return for a run that has no result.
type RunError struct {
	ID    string
	State State
	Text  string
}

func (e *RunError) Error() string {
	return fmt.Sprintf("workflow run %s %s: %s", e.ID, e.State, e.Text)
}

// Permanent marks an error of a step that trying again cannot help. Nil stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanent{err}
}

type permanent struct{ error }

func (p *permanent) Unwrap() error { return p.error }
