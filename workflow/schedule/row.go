package schedule

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ttai-go/ttai/storage"
)

// The collections of records.
const (
	jobsCollection = "schedule-jobs"
	runsCollection = "schedule-runs"
)

// A row is what the store knows of a job. Definitions given by programs are kept
// too, so that any process can list all jobs.
type row struct {
	Name  string `json:"name"`
	Given *Job   `json:"given,omitempty"` // by a program
	Own   *Job   `json:"own,omitempty"`   // added through a Board; goes before Given
	// Through is up to when occurrences were dealt with; zero before the first look.
	Through time.Time `json:"through,omitzero"`
	Paused  bool      `json:"paused,omitempty"`
	// Fresh asks the next scheduler to begin now: what lay in a pause was not missed.
	Fresh bool `json:"fresh,omitempty"`
	// Asked are wishes for a run now that nobody took yet.
	Asked []ask `json:"asked,omitempty"`
	// Pending are the sessions whose runs were claimed and have not ended.
	Pending []string `json:"pending,omitempty"`
	// Fence is the greatest token of a lease under which the row was written.
	Fence uint64 `json:"fence"`

	Last        *Run      `json:"last,omitempty"`
	LastSuccess time.Time `json:"last_success,omitzero"`
	LastError   string    `json:"last_error,omitempty"`
	LastErrorAt time.Time `json:"last_error_at,omitzero"`
	Started     int       `json:"started"`
	Failed      int       `json:"failed"`
	Missed      int       `json:"missed"`

	version storage.Version
}

// An ask is a wish for a run now.
type ask struct {
	Key string `json:"key"`
}

// mostAsked bounds the wishes that wait.
const mostAsked = 100

// job returns the definition that holds; false when there is none.
func (r *row) job() (Job, bool) {
	switch {
	case r.Own != nil:
		return *r.Own, true
	case r.Given != nil:
		return *r.Given, true
	}
	return Job{}, false
}

// write is the record of the row.
func (r *row) write() (storage.RecordWrite, error) {
	data, err := json.Marshal(r)
	op := storage.OpUpdate
	if r.version == storage.NoVersion {
		op = storage.OpCreate
	}
	return storage.RecordWrite{Op: op, Collection: jobsCollection, ID: r.Name, Version: r.version, Data: data}, err
}

func readRow(record storage.Record) (*row, error) {
	r := &row{}
	if err := json.Unmarshal(record.Data, r); err != nil {
		return nil, fmt.Errorf("schedule: job %q: %w: %w", record.ID, storage.ErrCorrupt, err)
	}
	r.version = record.Version
	return r, nil
}

// rows returns all rows by name. One that is damaged does not hide the others:
// the error tells of it.
func (b *Board) rows(ctx context.Context) (map[string]*row, error) {
	all := map[string]*row{}
	var damaged []error
	q := storage.RecordQuery{Limit: 1000}
	for {
		page, err := b.records.List(ctx, jobsCollection, q)
		if err != nil {
			return nil, err
		}
		for _, record := range page.Records {
			r, err := readRow(record)
			if err != nil {
				damaged = append(damaged, err)
				continue
			}
			all[r.Name] = r
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return all, errors.Join(damaged...)
		}
	}
}

// row returns one row; a new one when there is none.
func (b *Board) row(ctx context.Context, name string) (*row, error) {
	record, err := b.records.Get(ctx, jobsCollection, name)
	if errors.Is(err, storage.ErrNotFound) {
		return &row{Name: name}, nil
	}
	if err != nil {
		return nil, err
	}
	return readRow(record)
}

// change reads a row, has it changed and stores it, again when somebody else was
// faster. Change returns false to leave it.
func (b *Board) change(ctx context.Context, name string, change func(*row) (bool, error)) error {
	for {
		r, err := b.row(ctx, name)
		if err != nil {
			return err
		}
		write, err := change(r)
		if err != nil || !write {
			return err
		}
		err = b.save(ctx, r)
		if !errors.Is(err, storage.ErrConflict) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// save writes a row with some runs, all or nothing, and gives it its version.
func (b *Board) save(ctx context.Context, r *row, runs ...storage.RecordWrite) error {
	w, err := r.write()
	if err != nil {
		return err
	}
	versions, err := b.records.Write(ctx, append([]storage.RecordWrite{w}, runs...)...)
	if err == nil {
		r.version = versions[0]
	}
	return err
}

// runID is the id of the workflow run of a job's session, the same for ever and in
// every process.
func runID(job, session string) string {
	id := "schedule/" + job + "/" + session
	if len(id) <= 128 {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "schedule/" + job + "/" + hex.EncodeToString(sum[:16])
}

// recordID is the id of a run in the history.
func recordID(job, session string) string { return job + "/" + session }

// record is the record of a run.
func (r *Run) record(op storage.Op, version storage.Version) (storage.RecordWrite, error) {
	data, err := json.Marshal(r)
	return storage.RecordWrite{
		Op: op, Collection: runsCollection, ID: recordID(r.Job, r.Session), Version: version, Data: data,
		Fields: []storage.Field{storage.Text("job", r.Job), storage.Time("due", r.Due)},
	}, err
}

// run returns a run of the history with its version, or storage.ErrNotFound.
func (b *Board) run(ctx context.Context, job, session string) (Run, storage.Version, error) {
	record, err := b.records.Get(ctx, runsCollection, recordID(job, session))
	if err != nil {
		return Run{}, 0, err
	}
	var r Run
	if err := json.Unmarshal(record.Data, &r); err != nil {
		return Run{}, 0, fmt.Errorf("schedule: run %q: %w: %w", record.ID, storage.ErrCorrupt, err)
	}
	return r, record.Version, nil
}

// sameJob compares definitions by what is stored of them.
func sameJob(a, b *Job) bool {
	if a == nil || b == nil {
		return a == b
	}
	x, err := json.Marshal(a)
	y, other := json.Marshal(b)
	return err == nil && other == nil && bytes.Equal(x, y)
}

// without returns the list without one of its texts.
func without(list []string, text string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == text })
}
