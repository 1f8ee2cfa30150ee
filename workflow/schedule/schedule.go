// Package schedule runs jobs at the times of an exchange: at the open and the
// close, before and after them, in every hour of the session, at the end of the
// day, the week and the month, on expirations, before earnings, and by cron
// expressions in a named zone.
//
// A [Trigger] says when, a [Job] what and what becomes of a run that was missed.
// A [Scheduler] starts each occurrence of a job as a run of a [workflow.Engine],
// under an id made of the job and the session, so that it happens once: however
// many schedulers share the store, whichever of them dies, and whatever the clock
// does. Who fires an occurrence holds the job's lease, and each write carries the
// lease's token: a scheduler that was stopped for too long and goes on has lost it
// and changes nothing.
//
// A [Board] is the same jobs without the engine: it lists them with their history
// and next times, pauses them, and asks for a run now, from any process on the
// store.
package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/workflow"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// ErrNoJob: there is no job of that name.
var ErrNoJob = errors.New("no such job")

// An Occurrence is one time at which a trigger fires.
type Occurrence struct {
	// At is when it is due, before jitter.
	At time.Time `json:"at"`
	// Session is what a job runs once for: "2026-03-09" for what fires once a day,
	// "2026-03-09T10:30" for what fires several times, and the instant with its
	// offset for cron expressions. Moving the trigger within the session keeps it.
	Session string `json:"session"`
	// Date is the date of the session; the zone's date for cron expressions.
	Date market.Date `json:"date"`
	// Symbols are the companies that report, of triggers before earnings.
	Symbols []market.Symbol `json:"symbols,omitempty"`
}

// Input is what the workflow of a job is started with.
type Input struct {
	Job string `json:"job"`
	Occurrence
	// Merged are the occurrences that were missed and that this run stands for too,
	// oldest first; of more than 100 the newest.
	Merged []Occurrence `json:"merged,omitempty"`
	// MergedCount is how many they were.
	MergedCount int `json:"merged_count,omitempty"`
	// Missed says that the run makes up for a missed time.
	Missed bool `json:"missed,omitempty"`
	// Manual says that somebody asked for the run; At is when.
	Manual bool `json:"manual,omitempty"`
	// Data is the job's.
	Data json.RawMessage `json:"data,omitempty"`
}

// Outcome says what became of an occurrence.
type Outcome string

const (
	// Started occurrences have a workflow run.
	Started Outcome = "started"
	// Skipped ones were missed and left out; one record counts a whole gap.
	Skipped Outcome = "skipped"
)

// A Run is one line of a job's history.
type Run struct {
	Job     string    `json:"job"`
	Session string    `json:"session"`
	Due     time.Time `json:"due"`
	Outcome Outcome   `json:"outcome"`
	// ID is the workflow run's.
	ID string `json:"id,omitempty"`
	// Claimed is when a scheduler took it, By which one, and Fence the token of its
	// lease, which grows with each taking.
	Claimed time.Time `json:"claimed"`
	By      string    `json:"by,omitempty"`
	Fence   uint64    `json:"fence"`
	// Count is how many missed occurrences a skipped record stands for, or a merged
	// run besides its own; First is the oldest of them.
	Count  int       `json:"count,omitempty"`
	First  time.Time `json:"first,omitzero"`
	Manual bool      `json:"manual,omitempty"`
	// State is how the workflow run stood when it was last looked at.
	State workflow.State `json:"state,omitempty"`
	Error string         `json:"error,omitempty"`
	Ended time.Time      `json:"ended,omitzero"`
	Input *Input         `json:"input,omitempty"`
	// Workflow is what was started.
	Workflow string `json:"workflow,omitempty"`
}

// An Entry is a job as it stands.
type Entry struct {
	Job Job `json:"job"`
	// Own says that the definition lies in the store rather than in a program.
	Own    bool      `json:"own,omitempty"`
	Paused bool      `json:"paused,omitempty"`
	Next   time.Time `json:"next,omitzero"` // zero: never, or not known
	// Last is the newest run that was started, LastSuccess when one last completed.
	Last        *Run      `json:"last,omitempty"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	// LastError is that of the newest run that failed, and stays when later ones
	// succeed; LastErrorAt says when.
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	// Trouble is why the next time cannot be told.
	Trouble string `json:"trouble,omitempty"`
	Running int    `json:"running,omitempty"`
	Started int    `json:"started"`
	Failed  int    `json:"failed"`
	Missed  int    `json:"missed"` // occurrences, whether made up for or not
}

// EventKind says what an [Event] tells.
type EventKind string

// The kinds of events.
const (
	RunStarted   EventKind = "started"
	RunEnded     EventKind = "ended"   // State and Error say how
	RunMissed    EventKind = "missed"  // Count occurrences; Missed says what becomes of them
	ClockForward EventKind = "forward" // the clock is By further than it waited: sleep, or it was set
	ClockBack    EventKind = "back"    // the clock was set back By
	Problem      EventKind = "problem" // Error says what failed; it is tried again
)

// An Event is something that a scheduler did or noticed.
type Event struct {
	Kind       EventKind
	Time       time.Time // by the scheduler's clock
	Job        string    // empty for the clock
	Occurrence Occurrence
	ID         string        // of the workflow run
	Lag        time.Duration // of a started run: how long after it was due, jitter included
	By         time.Duration // of the clock
	Count      int           // of missed occurrences
	First      time.Time     // of them
	Missed     Missed
	State      workflow.State
	Error      string
}

// Workflow returns the workflow of a job by the name of it: fn is given what the
// occurrence was. Steps, retries and results are those of package workflow.
func Workflow[Out any](name string, version int, fn func(ctx *workflow.Ctx, input Input) (Out, error)) workflow.Workflow {
	return workflow.Of(workflow.Definition[Input, Out]{Name: name, Version: version, Run: fn})
}

// Events tells the dates of companies' earnings; every market.Source does.
type Events interface {
	// Events returns events of a symbol dated in [from, to], ascending.
	Events(ctx context.Context, symbol market.Symbol, from, to market.Date) ([]market.Event, error)
}

// World is what triggers are told by.
type World struct {
	Calendar *market.Calendar // nil means market.NYSE
	Events   Events           // nil: triggers before earnings are an error
}

func (w World) calendar() *market.Calendar {
	if w.Calendar == nil {
		return market.NYSE()
	}
	return w.Calendar
}
