package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// jobsKey is the section of config.json that says what the scheduler does.
const jobsKey = "jobs"

// Jobs is the section "jobs" of config.json: what ttai-scheduler does beside what
// was added with 'ttai jobs', 'ttai alerts' and 'ttai notify', which lies in the
// store. Alerts and Channels are read by the packages that they belong to.
type Jobs struct {
	// Defaults is false when the default jobs are not wanted.
	Defaults *bool `json:"defaults,omitempty"`
	// Schedules are jobs, and changes of default jobs by their names.
	Schedules []ScheduleSetting `json:"schedules,omitempty"`
	// Screeners are run by the job hourly-screeners, or at times of their own.
	Screeners []ScreenerSetting `json:"screeners,omitempty"`
	// Alerts are rules of package monitor, each with an id and a user's name beside.
	Alerts []json.RawMessage `json:"alerts,omitempty"`
	// Reports says how reports are written and whom they go to.
	Reports []ReportSetting `json:"reports,omitempty"`
	// News are feeds that are watched beside the broker's news.
	News []NewsSetting `json:"news,omitempty"`
	// Channels are channels of package notify. Their secrets lie in the vault.
	Channels []json.RawMessage `json:"channels,omitempty"`
}

// A ScheduleSetting is a job. Of a default job only what is named is changed.
type ScheduleSetting struct {
	Name string `json:"name"`
	// Trigger is the text that schedule.ParseTrigger reads: "45m before open".
	Trigger string `json:"trigger,omitempty"`
	// Workflow is the name of what is started; empty means the job's.
	Workflow string          `json:"workflow,omitempty"`
	Data     json.RawMessage `json:"data,omitempty"`
	Missed   string          `json:"missed,omitempty"` // merge, catch-up or skip
	Grace    string          `json:"grace,omitempty"`
	Within   string          `json:"within,omitempty"`
	Most     int             `json:"most,omitempty"`
	Jitter   string          `json:"jitter,omitempty"`
	Paused   bool            `json:"paused,omitempty"`
	// Off leaves a default job out.
	Off bool `json:"off,omitempty"`
}

// A ScreenerSetting is a search for symbols.
type ScreenerSetting struct {
	Name string `json:"name"`
	// Trigger is when it runs; empty means with the job hourly-screeners.
	Trigger string `json:"trigger,omitempty"`
	// Symbols are those that are looked through, or Watchlist names a list of them.
	Symbols   []string `json:"symbols,omitempty"`
	Watchlist string   `json:"watchlist,omitempty"`
	// Request is the rest of what the screener workflow is given.
	Request json.RawMessage `json:"request,omitempty"`
}

// A ReportSetting says how one kind of report is made.
type ReportSetting struct {
	// Kind is the name of its job: morning-briefing, close-summary, daily-pnl or
	// weekly-summary.
	Kind string `json:"kind"`
	// Symbols are looked at beside those of the positions.
	Symbols []string `json:"symbols,omitempty"`
	// Accounts are reported on; none means all.
	Accounts []string `json:"accounts,omitempty"`
	// Quiet makes the report without telling anybody.
	Quiet bool `json:"quiet,omitempty"`
}

// NewsAlpaca is the kind of a news setting that is no feed.
const NewsAlpaca = "alpaca"

// A NewsSetting is a feed in RSS, Atom or JSON Feed, or Alpaca's news, by REST and
// stream, whose key pair lies in the vault or in variables: see [Sources.AlpacaGrant].
type NewsSetting struct {
	// Kind is feed, or empty for it, or alpaca, which has nothing else.
	Kind string `json:"kind,omitempty"`
	URL  string `json:"url,omitempty"`
	// Name is told as the stories' source; empty means the feed's title.
	Name string `json:"name,omitempty"`
	// Symbols are what every story is about: of a feed of one company.
	Symbols []string `json:"symbols,omitempty"`
}

// ScreenerJob is what the job of a screener with a trigger of its own is called.
func ScreenerJob(name string) string { return "screener." + name }

// reportKinds are the jobs that make reports.
var reportKinds = []string{schedule.MorningBriefing, schedule.CloseSummary, schedule.DailyPnL, schedule.WeeklySummary}

// Jobs reads the section. Without one it is the zero value, which has the default
// jobs and nothing else. A key that is not known is an error.
func (s *Sources) Jobs() (Jobs, error) { return readJobs(s.jobs, "config.json") }

// readJobs reads a section of jobs; where says whose it is.
func readJobs(section json.RawMessage, where string) (Jobs, error) {
	var j Jobs
	if len(section) == 0 {
		return j, nil
	}
	strict := json.NewDecoder(bytes.NewReader(section))
	strict.DisallowUnknownFields()
	if err := strict.Decode(&j); err != nil {
		return Jobs{}, Usage(fmt.Errorf("%s, jobs: %w", where, err))
	}
	if err := j.validate(); err != nil {
		return Jobs{}, Usage(fmt.Errorf("%s: %w", where, err))
	}
	return j, nil
}

func (j Jobs) validate() error {
	if _, err := j.Scheduled(); err != nil {
		return err
	}
	for i, s := range j.Screeners {
		field := fmt.Sprintf("jobs.screeners[%d]", i)
		if err := storage.CheckName(field+".name", s.Name); err != nil {
			return err
		}
		if len(s.Symbols) > 0 && s.Watchlist != "" {
			return invalid.Field(field, s.Name, "symbols or a watchlist, not both")
		}
		if slices.ContainsFunc(j.Screeners[:i], func(o ScreenerSetting) bool { return o.Name == s.Name }) {
			return invalid.Field(field+".name", s.Name, "each name once")
		}
	}
	for i, r := range j.Reports {
		if !slices.Contains(reportKinds, r.Kind) {
			return invalid.Field(fmt.Sprintf("jobs.reports[%d].kind", i), r.Kind, strings.Join(reportKinds, ", "))
		}
	}
	for i, n := range j.News {
		field := fmt.Sprintf("jobs.news[%d]", i)
		switch {
		case n.Kind == "" || n.Kind == "feed":
		case n.Kind != NewsAlpaca:
			return invalid.Field(field+".kind", n.Kind, "feed or alpaca")
		case n.URL != "" || n.Name != "" || len(n.Symbols) > 0:
			return invalid.Field(field, n.URL, "no url, name or symbols beside the kind alpaca: its key goes to Alpaca's own hosts only")
		case slices.ContainsFunc(j.News[:i], func(o NewsSetting) bool { return o.Kind == NewsAlpaca }):
			return invalid.Field(field+".kind", n.Kind, "alpaca once")
		}
	}
	return nil
}

// Report returns the setting of a kind; the zero one when there is none.
func (j Jobs) Report(kind string) ReportSetting {
	for _, r := range j.Reports {
		if r.Kind == kind {
			return r
		}
	}
	return ReportSetting{Kind: kind}
}

// Scheduled returns the jobs that the settings stand for: the default ones with
// their changes, those of screeners with a trigger, and others.
func (j Jobs) Scheduled() ([]schedule.Job, error) {
	var all []schedule.Job
	if j.Defaults == nil || *j.Defaults {
		all = schedule.DefaultJobs()
	}
	for i, s := range j.Schedules {
		field := fmt.Sprintf("jobs.schedules[%d]", i)
		if slices.ContainsFunc(j.Schedules[:i], func(o ScheduleSetting) bool { return o.Name == s.Name }) {
			return nil, invalid.Field(field+".name", s.Name, "each name once")
		}
		at := slices.IndexFunc(all, func(o schedule.Job) bool { return o.Name == s.Name })
		if s.Off {
			if at < 0 {
				return nil, invalid.Field(field+".off", s.Name, "the name of a default job")
			}
			all = slices.Delete(all, at, at+1)
			continue
		}
		base := schedule.Job{Name: s.Name}
		if at >= 0 {
			base = all[at]
		}
		job, err := s.over(base)
		if err != nil {
			return nil, fmt.Errorf("%s (%s): %w", field, s.Name, err)
		}
		if !slices.Contains(JobWorkflows(), job.WorkflowName()) {
			return nil, invalid.Field(field+".workflow", job.WorkflowName(), "one of "+strings.Join(JobWorkflows(), ", "))
		}
		if at >= 0 {
			all[at] = job
		} else {
			all = append(all, job)
		}
	}
	for i, s := range j.Screeners {
		if s.Trigger == "" {
			continue
		}
		trigger, err := schedule.ParseTrigger(s.Trigger)
		if err != nil {
			return nil, fmt.Errorf("jobs.screeners[%d] (%s): %w", i, s.Name, err)
		}
		data, err := json.Marshal(map[string]string{"screener": s.Name})
		if err != nil {
			return nil, err
		}
		job := schedule.Job{Name: ScreenerJob(s.Name), Workflow: schedule.HourlyScreeners, Trigger: trigger, Missed: schedule.Skip, Data: data}
		if err := job.Validate(); err != nil {
			return nil, fmt.Errorf("jobs.screeners[%d] (%s): %w", i, s.Name, err)
		}
		all = append(all, job)
	}
	return all, nil
}

// over returns a job with what the setting names.
func (s ScheduleSetting) over(base schedule.Job) (schedule.Job, error) {
	if s.Trigger == "" && base.Trigger.Validate() != nil {
		return base, invalid.Missing("trigger", `a text such as "45m before open"`)
	}
	data, err := json.Marshal(base)
	if base.Trigger.Validate() != nil { // a new job
		data, err = []byte(`{}`), nil
	}
	if err != nil {
		return base, err
	}
	// What the setting names goes over what is there, and nothing else does.
	change, err := json.Marshal(s)
	if err != nil {
		return base, err
	}
	fields := map[string]json.RawMessage{}
	if err := errors.Join(json.Unmarshal(data, &fields), json.Unmarshal(change, &fields)); err != nil {
		return base, err
	}
	if data, err = json.Marshal(fields); err != nil {
		return base, err
	}
	var job schedule.Job
	if err := json.Unmarshal(data, &job); err != nil {
		return base, err
	}
	return job, job.Validate()
}
