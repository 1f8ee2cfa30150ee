package schedule

import (
	"encoding/json"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
)

// Missed says what becomes of occurrences that were missed, because no scheduler
// ran, the computer slept or the clock was set.
type Missed string

const (
	// Merge makes one run stand for all that were missed, and for one that is due:
	// it is the newest one's, and its Input lists the others.
	Merge Missed = "merge"
	// CatchUp makes a run for each, oldest first.
	CatchUp Missed = "catch-up"
	// Skip leaves them out; the history counts them.
	Skip Missed = "skip"
)

// A Job is something that is to be done at certain times. In JSON durations are
// texts such as "15m", and the trigger is its text form.
type Job struct {
	// Name is 1 to 64 of a-z, 0-9, '.', '_' and '-', and one of its kind per store.
	Name    string
	Trigger Trigger
	// Workflow is the name of the workflow that is started, with an Input; empty
	// means the job's Name.
	Workflow string
	// Data is any JSON for the workflow, at most 256 KB.
	Data json.RawMessage
	// Missed is what becomes of missed occurrences; empty means Merge.
	Missed Missed
	// Grace is how late a run may begin and still not count as missed; 0 means 5
	// minutes.
	Grace time.Duration
	// Within is how old a missed occurrence may be to be made up for; older ones
	// are skipped. 0 means 7 days.
	Within time.Duration
	// Most is how many missed occurrences CatchUp runs at once, the newest; 0 means
	// 10, and at most 100.
	Most int
	// Jitter spreads runs: each begins up to so much later, always less, by a share
	// that job, session and the scheduler's seed give. Below Every, and at most 24h.
	Jitter time.Duration
	// Paused is how the job begins its life in a store; later it is as somebody
	// wished last.
	Paused bool
}

// WorkflowName is the name of what is started.
func (j Job) WorkflowName() string {
	if j.Workflow == "" {
		return j.Name
	}
	return j.Workflow
}

const (
	defaultGrace  = 5 * time.Minute
	defaultWithin = 7 * 24 * time.Hour
	defaultMost   = 10
	mostData      = 256 << 10
)

func (j Job) grace() time.Duration {
	if j.Grace == 0 {
		return defaultGrace
	}
	return j.Grace
}

func (j Job) within() time.Duration {
	if j.Within == 0 {
		return defaultWithin
	}
	return j.Within
}

func (j Job) most() int {
	if j.Most == 0 {
		return defaultMost
	}
	return j.Most
}

func (j Job) missed() Missed {
	if j.Missed == "" {
		return Merge
	}
	return j.Missed
}

// Validate returns a *FieldError unless the job can be scheduled.
func (j Job) Validate() error {
	if err := storage.CheckName("name", j.Name); err != nil {
		return err
	}
	if err := storage.CheckName("workflow", j.WorkflowName()); err != nil {
		return err
	}
	if err := j.Trigger.Validate(); err != nil {
		return err
	}
	switch j.missed() {
	case Merge, CatchUp, Skip:
	default:
		return invalid.Field("missed", string(j.Missed), "merge, catch-up or skip")
	}
	const year = 366 * 24 * time.Hour
	switch {
	case j.Grace < 0 || j.Grace > 24*time.Hour:
		return invalid.Field("grace", j.Grace.String(), "0 for 5m, up to 24h")
	case j.Within < 0 || j.Within > year:
		return invalid.Field("within", j.Within.String(), "0 for 168h, up to 8784h")
	case j.Most < 0 || j.Most > 100:
		return invalid.Field("most", j.Most, "0 for 10, up to 100")
	case j.Jitter < 0 || j.Jitter > 24*time.Hour:
		return invalid.Field("jitter", j.Jitter.String(), "0 for none, up to 24h")
	case j.Trigger.Every > 0 && j.Jitter > j.Trigger.Every:
		return invalid.Field("jitter", j.Jitter.String(), "at most the trigger's interval")
	case len(j.Data) > mostData:
		return invalid.Field("data", len(j.Data), "at most 256 KB of JSON")
	case len(j.Data) > 0 && !json.Valid(j.Data):
		return invalid.Missing("data", "JSON")
	}
	return nil
}

// jobText is a Job in JSON.
type jobText struct {
	Name     string          `json:"name"`
	Trigger  Trigger         `json:"trigger"`
	Workflow string          `json:"workflow,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	Missed   Missed          `json:"missed,omitempty"`
	Grace    string          `json:"grace,omitempty"`
	Within   string          `json:"within,omitempty"`
	Most     int             `json:"most,omitempty"`
	Jitter   string          `json:"jitter,omitempty"`
	Paused   bool            `json:"paused,omitempty"`
}

func (j Job) text() jobText {
	span := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return short(d)
	}
	return jobText{j.Name, j.Trigger, j.Workflow, j.Data, j.Missed, span(j.Grace), span(j.Within), j.Most, span(j.Jitter), j.Paused}
}

// MarshalJSON writes the job.
func (j Job) MarshalJSON() ([]byte, error) { return json.Marshal(j.text()) }

// UnmarshalJSON reads a job; it need not be valid.
func (j *Job) UnmarshalJSON(data []byte) error {
	var t jobText
	if err := json.Unmarshal(data, &t); err != nil {
		return err
	}
	read := Job{Name: t.Name, Trigger: t.Trigger, Workflow: t.Workflow, Data: t.Data, Missed: t.Missed, Most: t.Most, Paused: t.Paused}
	for _, f := range []struct {
		name, text string
		to         *time.Duration
	}{{"grace", t.Grace, &read.Grace}, {"within", t.Within, &read.Within}, {"jitter", t.Jitter, &read.Jitter}} {
		if f.text == "" {
			continue
		}
		d, err := time.ParseDuration(f.text)
		if err != nil {
			return invalid.Field(f.name, f.text, "a duration such as 15m or 2h30m")
		}
		*f.to = d
	}
	*j = read
	return nil
}
