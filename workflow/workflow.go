// Package workflow has durable runs: functions whose steps are recorded as they
// end, so that a run whose process died goes on in another one where it stopped.
//
// A [Definition] names a function. [Engine.Start] makes a run of it under an id of
// the caller's choice: the same id is always the same run. The function does its
// outside work in [Step], waits with [Sleep] and [Await], and splits with
// [Parallel], [Map] and [Child]. Everything between must be the same each time it
// runs, because a resumed run begins from the top and gets the recorded results:
// no clock, no random number, no network outside a step.
//
// A step whose result was recorded does not run again. One whose process died
// before that does, so its effect outside must happen once by its key: [Call].Key
// is the same each time, and brokers, notifications and queues take it as theirs.
// A step that must not run twice whatever happens sets [Policy].Once.
//
// Code that changed is told by its order of steps: a run that meets another step
// than the one it recorded is refused with an [OrderError] and left as it is.
// Runs that began with earlier code go on with it while the engine is given that
// [Definition] under its own Version.
//
// Engines are in subpackages and pass workflowtest; [Consume] works off queues.
package workflow

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// MaxDocument is the longest input, result or signal in bytes of JSON. What is
// longer belongs into storage.Objects, with its key in the document.
const MaxDocument = 4 << 20

// A Definition is a durable function of one input.
type Definition[In, Out any] struct {
	// Name is what runs are started by: 1 to 64 of a-z, 0-9, '.', '_' and '-'.
	Name string
	// Version tells code whose order of steps differs, from 1. An engine that has
	// several starts the highest, and each run stays with the one it began with.
	Version int
	// Run does the work. An error fails the run for good; steps retry by themselves.
	Run func(ctx *Ctx, input In) (Out, error)
}

// A Workflow is a [Definition] without its types, as engines take it.
type Workflow struct {
	Name    string
	Version int
	run     func(*Ctx, json.RawMessage) (json.RawMessage, error)
}

// Of returns the definition as engines take it.
func Of[In, Out any](d Definition[In, Out]) Workflow {
	w := Workflow{Name: d.Name, Version: d.Version}
	if d.Run == nil {
		return w
	}
	w.run = func(ctx *Ctx, input json.RawMessage) (json.RawMessage, error) {
		var in In
		if err := json.Unmarshal(input, &in); err != nil {
			return nil, fmt.Errorf("workflow %s: the input does not fit: %w", d.Name, err)
		}
		out, err := d.Run(ctx, in)
		if err != nil {
			return nil, err
		}
		return Encode("result", out)
	}
	return w
}

// Validate returns a *FieldError unless an engine can run w.
func (w Workflow) Validate() error {
	if err := storage.CheckName("Name", w.Name); err != nil {
		return err
	}
	if w.Version < 1 {
		return invalid.Field("Version", w.Version, "1 or more")
	}
	if w.run == nil {
		return invalid.Missing("Run", "a function")
	}
	return nil
}

// A Catalog finds workflows by name and version. It does not change once made.
type Catalog struct {
	byVersion map[string]map[int]Workflow
	newest    map[string]Workflow
}

// NewCatalog returns the catalogue of workflows, or a *FieldError when one is not
// valid or two have one name and version.
func NewCatalog(workflows ...Workflow) (*Catalog, error) {
	c := &Catalog{byVersion: map[string]map[int]Workflow{}, newest: map[string]Workflow{}}
	for _, w := range workflows {
		if err := w.Validate(); err != nil {
			return nil, err
		}
		if c.byVersion[w.Name] == nil {
			c.byVersion[w.Name] = map[int]Workflow{}
		}
		if _, twice := c.byVersion[w.Name][w.Version]; twice {
			return nil, invalid.Fieldf("Version", w.Version, "a version of %s that no other definition has", w.Name)
		}
		c.byVersion[w.Name][w.Version] = w
		if w.Version > c.newest[w.Name].Version {
			c.newest[w.Name] = w
		}
	}
	return c, nil
}

// Newest returns the highest version of a workflow, or a *FieldError.
func (c *Catalog) Newest(name string) (Workflow, error) {
	w, ok := c.newest[name]
	if !ok {
		return w, invalid.Field("name", name, "a workflow that this engine was given")
	}
	return w, nil
}

// Version returns one version of a workflow; false when this program lacks it.
func (c *Catalog) Version(name string, version int) (Workflow, bool) {
	w, ok := c.byVersion[name][version]
	return w, ok
}

// An Engine keeps and executes runs. Implementations are safe for concurrent use
// and pass workflowtest.TestCore; those that are durable pass
// workflowtest.TestDurability too. Inputs, results and signals are JSON.
type Engine interface {
	// Start makes a run of the newest version of a workflow and executes it. Id is
	// 1 to 128 bytes of UTF-8 text without control characters. When there is a
	// run of that id already, its status is returned and the input is not looked
	// at; under another name it is ErrOtherRun.
	Start(ctx context.Context, id, name string, input any) (Status, error)
	// Status returns where a run stands, or ErrNoRun.
	Status(ctx context.Context, id string) (Status, error)
	// Wait returns the status of a run once it is final, or ErrNoRun.
	Wait(ctx context.Context, id string) (Status, error)
	// History returns what a run recorded, in the order it began, or ErrNoRun.
	History(ctx context.Context, id string) ([]Entry, error)
	// List returns the runs in a state, oldest id first; empty means all states. It
	// lists at most limit, 1 to 1000, of ids greater than after.
	List(ctx context.Context, state State, after string, limit int) ([]Status, error)
	// Signal sends a payload to a run, where Await of that name takes it; signals
	// of one name are taken in the order they were sent, each once. They may come
	// before the run awaits them. ErrNoRun; ErrFinal when the run has ended.
	Signal(ctx context.Context, id, name string, payload any) error
	// Cancel ends the context of a run and its children. The run is cancelled when
	// its function has returned; one that has ended already stays as it is.
	Cancel(ctx context.Context, id, reason string) error
	// Close stops executing and waits for the steps under way, whose contexts end.
	// Runs go on in another engine on the same data. Closing twice is no error.
	Close() error
}

// A State is where a run stands.
type State string

// The states of a run.
const (
	// Running runs are executed, or wait for a process that does.
	Running State = "running"
	// Blocked runs cannot go on with the code that there is: see OrderError. An
	// engine with the right code goes on with them when it is opened.
	Blocked State = "blocked"
	// Completed runs returned a result.
	Completed State = "completed"
	// Failed runs returned an error.
	Failed State = "failed"
	// Cancelled runs were cancelled, and their function returned an error.
	Cancelled State = "cancelled"
)

// Final tells whether a run in that state never changes again.
func (s State) Final() bool { return s == Completed || s == Failed || s == Cancelled }

// A Status is where a run stands.
type Status struct {
	ID       string          `json:"id"`
	Name     string          `json:"name"`
	Version  int             `json:"version"`
	State    State           `json:"state"`
	Input    json.RawMessage `json:"input"`
	Result   json.RawMessage `json:"result,omitempty"` // of a completed run
	Error    string          `json:"error,omitempty"`  // why it failed, is blocked or was cancelled
	Progress Progress        `json:"progress,omitzero"`
	Parent   string          `json:"parent,omitempty"` // the run that started it
	Started  time.Time       `json:"started"`
	Ended    time.Time       `json:"ended,omitzero"` // zero until it is final
	// Epoch counts the processes that took the run, from 1.
	Epoch int `json:"epoch"`
}

// Progress is how far a run says it has come. The zero value means it says nothing.
type Progress struct {
	Done  int    `json:"done"`
	Total int    `json:"total"` // 0: not known
	Text  string `json:"text,omitempty"`
}

// Result waits for a run and returns what it returned. A run that failed or was
// cancelled is a *RunError.
func Result[T any](ctx context.Context, e Engine, id string) (T, error) {
	var out T
	s, err := e.Wait(ctx, id)
	if err != nil {
		return out, err
	}
	if s.State != Completed {
		return out, &RunError{ID: id, State: s.State, Text: s.Error}
	}
	if err := json.Unmarshal(s.Result, &out); err != nil {
		return out, fmt.Errorf("workflow run %s: the result does not fit: %w", id, err)
	}
	return out, nil
}

// Encode returns v as JSON, or a *FieldError of that field when it cannot be or is
// longer than MaxDocument. Engines call it.
func Encode(field string, v any) (json.RawMessage, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, invalid.Fieldf(field, fmt.Sprintf("%T", v), "a value that has a JSON form (%v)", err)
	}
	if len(data) > MaxDocument {
		return nil, invalid.Fieldf(field, len(data), "at most %d bytes of JSON", MaxDocument)
	}
	return data, nil
}

// CheckID returns a *FieldError unless a run can have that id. Engines call it.
func CheckID(id string) error { return storage.CheckText("id", id, 128) }
