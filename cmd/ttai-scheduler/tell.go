package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// The topics of what is told. Channels may take some only.
const (
	topicReports = "reports"
	topicJobs    = "jobs"
)

// openNotify opens the service that tells people.
func (h *house) openNotify(kept *app.Store) error {
	opts := &notify.Options{}
	if !h.dry {
		var err error
		if opts, err = kept.NotifyOptions(h.tenant.ID()); err != nil {
			return err
		}
	}
	opts.Clock, opts.Logger = workflow.ClockOf(h.clock), h.logger
	opts.Observer = func(o notify.Outcome) { h.metrics.Add("ttai_notify_outcomes_total", 1, string(o.Kind), o.State) }
	if h.telling() && h.member == nil { // the terminal is the owner's
		opts.Out = h.std.Out
	}
	var err error
	h.notify, err = notify.New(h.tenant, opts)
	return err
}

// telling tells whether this process tells people: one that was asked for one job
// or for a look prints instead.
func (h *house) telling() bool { return !h.dry && h.cli.Once == "" && !h.cli.List }

// tell hands a notification over; with the key of a workflow step it happens once.
func (h *house) tell(ctx context.Context, n notify.Notification) error {
	if !h.telling() {
		return nil
	}
	if n.User == "" {
		n.User = user
	}
	_, err := h.notify.Notify(ctx, n)
	return err
}

// tellTime bounds how long handing over what a scheduler noticed may take.
const tellTime = 10 * time.Second

// newMetrics declares what the scheduler counts.
func newMetrics(started time.Time) *app.Metrics {
	m := app.NewMetrics(started)
	m.Counter("ttai_job_runs_started_total", "Runs of jobs that this process started.", "job")
	m.Counter("ttai_job_runs_ended_total", "Runs of jobs whose end this process recorded.", "job", "state")
	m.Counter("ttai_job_occurrences_missed_total", "Times at which a job should have run and no scheduler did.", "job", "policy")
	m.Gauge("ttai_job_lag_seconds", "How long after it was due the newest run of a job was started.", "job")
	m.Gauge("ttai_job_next_seconds", "When a job is due next, in seconds since 1970 of the market's clock.", "job")
	m.Gauge("ttai_job_paused", "1 when a job is paused.", "job")
	m.Counter("ttai_clock_jumps_total", "How often the clock went forward or back by more than a minute.", "direction")
	m.Counter("ttai_scheduler_problems_total", "What failed and is tried again.")
	m.Gauge("ttai_scheduler_looked_seconds", "When the scheduler last dealt with all jobs, in seconds since 1970.")
	m.Gauge("ttai_monitor_rules", "Rules that are watched.")
	m.Gauge("ttai_monitor_symbols", "Symbols that are watched.")
	m.Gauge("ttai_monitor_streaming", "1 while quotes come from a stream that is up.")
	m.Counter("ttai_monitor_quotes_total", "Quotes taken.")
	m.Counter("ttai_monitor_fired_total", "Firings of rules.")
	m.Counter("ttai_monitor_delivered_total", "Firings that were handed over.")
	m.Gauge("ttai_monitor_waiting", "Firings not yet written or handed over.")
	m.Gauge("ttai_monitor_gaps", "Gaps of the stream that are not yet judged.")
	m.Gauge("ttai_monitor_slowest_seconds", "The longest way of a quote to its decision.")
	m.Counter("ttai_tasks_total", "Tasks of the queue that were handled, by what became of them.", "kind", "state")
	m.Counter("ttai_notify_outcomes_total", "What became of attempts to send notifications.", "kind", "state")
	return m
}

// watchMetrics has the gauges that the store knows set at each look.
func (h *house) watchMetrics() {
	h.metrics.Collect(func(ctx context.Context, set func(string, float64, ...string)) {
		if looked := h.scheduler.Looked(); !looked.IsZero() {
			set("ttai_scheduler_looked_seconds", float64(looked.UnixMilli())/1000)
		}
		s := h.monitor.Status()
		streaming := 0.0
		if s.Streaming {
			streaming = 1
		}
		for name, value := range map[string]float64{
			"rules": float64(s.Rules), "symbols": float64(s.Symbols), "streaming": streaming, "quotes_total": float64(s.Quotes),
			"fired_total": float64(s.Fired), "delivered_total": float64(s.Delivered), "waiting": float64(s.Waiting), "gaps": float64(s.Gaps),
			"slowest_seconds": s.Slowest.Seconds(),
		} {
			set("ttai_monitor_"+name, value)
		}
		jobs, err := h.scheduler.Jobs(ctx)
		if err != nil {
			return // /readyz tells
		}
		for _, j := range jobs {
			paused := 0.0
			if j.Paused {
				paused = 1
			}
			set("ttai_job_paused", paused, j.Job.Name)
			if !j.Next.IsZero() {
				set("ttai_job_next_seconds", float64(j.Next.Unix()), j.Job.Name)
			}
		}
	})
}

// observe counts what the scheduler does, and tells what a person should know.
func (h *house) observe(e schedule.Event) {
	var n notify.Notification
	switch e.Kind {
	case schedule.RunStarted:
		h.metrics.Add("ttai_job_runs_started_total", 1, e.Job)
		h.metrics.Set("ttai_job_lag_seconds", e.Lag.Seconds(), e.Job)
	case schedule.RunEnded:
		h.metrics.Add("ttai_job_runs_ended_total", 1, e.Job, string(e.State))
		if e.State == workflow.Completed {
			return
		}
		n = notify.Notification{
			Key: e.ID, Topic: topicJobs, Urgency: notify.High, Template: "job",
			Data: map[string]any{"Job": e.Job, "State": string(e.State), "Note": notify.Shorten(e.Error, 400)},
		}
	case schedule.RunMissed:
		h.metrics.Add("ttai_job_occurrences_missed_total", float64(e.Count), e.Job, string(e.Missed))
		if e.Job == schedule.TokenRefresh || e.Job == schedule.PortfolioSync {
			return // it does not matter to anybody
		}
		n = notify.Notification{
			Key: "missed/" + e.Job + "/" + e.Occurrence.Session, Topic: topicJobs, Urgency: notify.Low, Template: "job",
			Data: map[string]any{"Job": e.Job, "State": "missed", "Note": missedNote(e)},
		}
	case schedule.ClockForward:
		h.metrics.Add("ttai_clock_jumps_total", 1, "forward")
	case schedule.ClockBack:
		h.metrics.Add("ttai_clock_jumps_total", 1, "back")
	case schedule.Problem:
		h.metrics.Add("ttai_scheduler_problems_total", 1)
	}
	if n.Template == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), tellTime)
	defer cancel()
	if err := h.tell(ctx, n); err != nil {
		h.logger.Warn("not told", "job", e.Job, "error", err)
	}
}

// missedNote says what was missed and what becomes of it.
func missedNote(e schedule.Event) string {
	what := map[schedule.Missed]string{
		schedule.Merge:   "one run stands for what was missed",
		schedule.CatchUp: "it is made up for",
		schedule.Skip:    "it is skipped",
	}[e.Missed]
	if e.Count == 1 {
		return fmt.Sprintf("The run of %s was missed; %s.", show(e.First), what)
	}
	return fmt.Sprintf("%d runs were missed from %s to %s; %s.", e.Count, show(e.First), show(e.Occurrence.At), what)
}

// terminalID is the channel that a user without any gets.
const terminalID = "terminal"

// configure brings what the settings name into the store: channels, and a terminal
// for who has none.
func (h *house) configure(ctx context.Context) error {
	if err := h.configureChannels(ctx); err != nil {
		return err
	}
	if err := h.configureAlerts(ctx); err != nil {
		return err
	}
	h.watchMetrics()
	return nil
}

func (h *house) configureChannels(ctx context.Context) error {
	wanted, err := h.wantedChannels()
	if err != nil {
		return err
	}
	for i, c := range wanted {
		if err := h.notify.Add(ctx, c, nil); err != nil {
			return fmt.Errorf("config.json, jobs.channels[%d] (%s): %w; its secret is set with 'ttai notify add'", i, c.ID, err)
		}
	}
	if !h.telling() || h.member != nil {
		return nil
	}
	channels, err := h.notify.Channels(ctx, user)
	if err != nil || len(channels) > 0 {
		return err
	}
	return h.notify.Add(ctx, notify.Channel{ID: terminalID, User: user, Kind: notify.Terminal}, nil)
}

// wantedChannels reads the channels of the settings.
func (h *house) wantedChannels() ([]notify.Channel, error) {
	var all []notify.Channel
	for i, raw := range h.jobs.Channels {
		c, err := readChannel(raw)
		if err != nil {
			return nil, app.Usage(fmt.Errorf("config.json, jobs.channels[%d]: %w", i, err))
		}
		if c.User == "" {
			c.User = user
		}
		if err := c.Validate(); err != nil {
			return nil, app.Usage(fmt.Errorf("config.json, jobs.channels[%d] (%s): %w", i, c.ID, err))
		}
		all = append(all, c)
	}
	return all, nil
}

// readChannel reads a channel of the settings. A field that no channel has is an
// error; the rest is judged when the channel is added.
func readChannel(raw json.RawMessage) (notify.Channel, error) {
	var c notify.Channel
	err := strictly(raw, &c)
	return c, err
}
