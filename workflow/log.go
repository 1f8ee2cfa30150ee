package workflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Kind is what an [Entry] records.
type Kind string

// The kinds of entries.
const (
	KindStep     Kind = "step"
	KindSleep    Kind = "sleep"
	KindAwait    Kind = "await"
	KindParallel Kind = "parallel"
	KindChild    Kind = "child"
)

// Phase is how far the thing that an [Entry] records has come.
type Phase string

// The phases of an entry. Ended and Broken never change again.
const (
	Begun  Phase = "begun"
	Ended  Phase = "ended"
	Broken Phase = "failed"
)

// An Entry is what a run recorded at one place.
type Entry struct {
	// Path is the place: 2 is the third thing the function did, 2.1.0 the first of
	// the second branch of it.
	Path     string          `json:"path"`
	Seq      int             `json:"seq"` // the order in which entries began, from 1
	Kind     Kind            `json:"kind"`
	Name     string          `json:"name"`
	Phase    Phase           `json:"phase"`
	Attempt  int             `json:"attempt,omitempty"` // of a step: the last one that began
	Result   json.RawMessage `json:"result,omitempty"`
	Error    string          `json:"error,omitempty"` // of the last attempt that failed
	Branches int             `json:"branches,omitempty"`
	Child    string          `json:"child,omitempty"` // the id of a child run
	// Outcome is how a child run ended.
	Outcome     State     `json:"outcome,omitempty"`
	Interrupted bool      `json:"interrupted,omitempty"` // see StepError
	Cut         int       `json:"cut,omitempty"`         // how often an attempt of a step was cut off: see Policy.Interruptions
	Began       time.Time `json:"began"`
	Finished    time.Time `json:"finished,omitzero"`
	// Until is when a sleep or an await is over, or a failed step tries again.
	Until time.Time `json:"until,omitzero"`
}

// what names the entry in an OrderError.
func (e *Entry) what() string {
	if e.Kind == KindParallel {
		return fmt.Sprintf("%s %s of %d", e.Kind, e.Name, e.Branches)
	}
	return fmt.Sprintf("%s %s", e.Kind, e.Name)
}

func (e *Entry) final() bool { return e.Phase == Ended || e.Phase == Broken }

// A Log keeps what one run records, for [Execute]. It is safe for concurrent use.
// An error of Record, Take, Start or Status ends the execution, not the run; when
// the run was taken over by somebody else it wraps ErrStopped and nothing was
// written.
type Log interface {
	// Entries returns all that was recorded.
	Entries(ctx context.Context) ([]Entry, error)
	// Record stores an entry over that of the same Path. When it returns, the entry
	// survives the death of the process. Progress is the run's, nil when it has not
	// changed.
	Record(ctx context.Context, e Entry, progress *Progress) error
	// Take removes the oldest signal of the entry's Name and records the entry with
	// its payload as Result, both or neither; false when there is no signal.
	Take(ctx context.Context, e Entry, progress *Progress) (Entry, bool, error)
	// Changed returns a channel that is closed when the run of that id may have got
	// a signal or ended. It may be closed without cause.
	Changed(id string) <-chan struct{}
	// Start starts a child run, which may be there already. A *FieldError fails the
	// child.
	Start(ctx context.Context, id, workflow string, input json.RawMessage) error
	// Status returns where a child stands.
	Status(ctx context.Context, id string) (Status, error)
	// Cancel cancels a child.
	Cancel(ctx context.Context, id, reason string) error
}

// Key returns the idempotency key of a run's step: both and the place between,
// or a hash of them when they are longer than 256 bytes.
func Key(run, path, name string) string {
	return short(run+"/"+path+"/"+name, 256)
}

func short(s string, longest int) string {
	if len(s) <= longest {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}
