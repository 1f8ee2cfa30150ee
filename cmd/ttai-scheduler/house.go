package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow"
	"github.com/ttai-go/ttai/workflow/monitor"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/report"
	"github.com/ttai-go/ttai/workflow/schedule"
)

// user is whose jobs, alerts and channels these are, within a tenant: this program
// serves one person of each.
const user = "local"

// A house is the scheduler with all that it is wired to.
type house struct {
	cli     flags
	std     app.IO
	logger  *slog.Logger
	metrics *app.Metrics
	jobs    app.Jobs
	sources *app.Sources

	// member is whom it is for; nil for the owner of the settings.
	member   *app.TenantSetting
	opened   *app.Opened
	account  broker.Reader
	store    *app.Store // nil in a dry look
	tenant   storage.Tenant
	records  *storage.Repositories
	clock    market.Clock
	dry      bool // nothing is kept, nobody is told
	workings workflow.Clock

	engine    workflow.Engine
	scheduler *schedule.Scheduler
	notify    *notify.Service
	monitor   *monitor.Engine
	reporter  *report.Reporter

	news []monitor.NewsSource // once they are opened

	closers []func() error
}

// open wires everything, and starts nothing but the workflow engine.
func open(ctx context.Context, cli flags, sources *app.Sources, std app.IO, started time.Time) (*house, error) {
	return openFor(ctx, nil, cli, sources, std, started)
}

// openFor is open for a tenant; nil is the owner.
func openFor(ctx context.Context, member *app.TenantSetting, cli flags, sources *app.Sources, std app.IO, started time.Time) (*house, error) {
	h := &house{cli: cli, std: std, sources: sources, logger: newLogger(cli, std.Err), metrics: newMetrics(started), member: member}
	if member != nil {
		h.logger = h.logger.With("tenant", string(member.ID))
	}
	if err := h.open(ctx, sources); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func newLogger(cli flags, out io.Writer) *slog.Logger {
	level := slog.LevelInfo
	if cli.Verbose {
		level = slog.LevelDebug
	}
	if cli.Once != "" || cli.List || cli.Now != "" {
		level = slog.LevelWarn
	}
	opts := &slog.HandlerOptions{Level: level}
	if cli.JSON {
		return slog.New(slog.NewJSONHandler(out, opts))
	}
	return slog.New(slog.NewTextHandler(out, opts))
}

func (h *house) open(ctx context.Context, sources *app.Sources) error {
	config, err := h.settings(sources)
	if err != nil {
		return err
	}
	jobs, err := h.jobs.Scheduled()
	if err != nil {
		return err
	}
	if err := h.checkScreeners(); err != nil {
		return err
	}
	at, err := h.at()
	if err != nil {
		return err
	}
	h.dry = h.cli.Now != ""
	kept, err := h.cli.OpenStore(config.Env, sources, h.std)
	if err != nil && !(h.dry && errors.Is(err, app.ErrNoStore)) {
		return err
	}
	h.closing(kept.Close)
	if h.opened, err = app.Open(config, &app.OpenOptions{Store: kept}); err != nil {
		return err
	}
	h.closing(h.opened.Close)
	h.clock = h.opened.Clock
	if h.dry {
		if at.IsZero() {
			at = h.clock.Now()
		}
		if h.clock, err = market.NewScaledClock(nil, at, 1); err != nil {
			return err
		}
	}
	if err := h.openTenant(ctx, kept); err != nil {
		return err
	}
	if h.dry {
		if err := h.copyJobs(ctx, kept); err != nil {
			return err
		}
	}
	desk, err := h.desk(kept)
	if err != nil {
		return err
	}
	h.account = desk
	if err := h.openNotify(kept); err != nil {
		return err
	}
	if err := h.openMonitor(); err != nil {
		return err
	}
	if err := h.openReports(desk); err != nil {
		return err
	}
	h.workings = workflow.ClockOf(h.clock)
	if scaled, ok := h.clock.(interface{ Speed() float64 }); ok && scaled.Speed() != 1 {
		// The limits of steps are about networks, which do not get faster with the day.
		h.workings = workflow.RealClock{}
	}
	if h.engine, err = h.openEngine(ctx, kept); err != nil {
		return err
	}
	h.closing(h.engine.Close)
	seed, err := app.JitterSeed(ctx, h.tenant)
	if err != nil {
		return err
	}
	h.scheduler, err = schedule.New(ctx, h.tenant, h.engine, jobs, &schedule.Options{
		Clock: h.clock, Calendar: h.opened.Calendar, Events: h.opened.Market, Logger: h.logger, Observe: h.observe,
		Seed: seed, Name: instance(), Lease: h.cli.Takeover,
	})
	return err
}

// settings are the broker and the jobs of whom it is for.
func (h *house) settings(sources *app.Sources) (config app.Config, err error) {
	if h.member == nil {
		if config, err = h.cli.Complete(sources); err == nil {
			h.jobs, err = sources.Jobs()
		}
		return config, err
	}
	if config, err = h.member.Complete(h.cli.Config, h.cli.StoreFlags, sources); err == nil {
		h.jobs, err = h.member.ReadJobs()
	}
	return config, err
}

// id is the tenant whose data it works on.
func (h *house) id() storage.TenantID {
	if h.member == nil {
		return storage.Local
	}
	return h.member.ID
}

// desk is what accounts are read through. Nothing here trades; the guard is what every
// program of the owner reads through, and its limits and book are the owner's.
func (h *house) desk(kept *app.Store) (report.Desk, error) {
	if h.member != nil {
		return h.opened.Broker, nil
	}
	desk, err := h.opened.Desk(h.std, kept, h.logger)
	if err != nil {
		return nil, err
	}
	return desk.Guard, nil
}

// at is the time of a dry look.
func (h *house) at() (time.Time, error) {
	if h.cli.Now == "" {
		return time.Time{}, nil
	}
	at, err := market.NYSE().ParseInstant("now", h.cli.Now, market.NYSE().Location())
	if err != nil {
		return at, app.Usage(err)
	}
	return at, nil
}

// openTenant opens what the data of this program's user are kept in: in a dry look
// a store that ends with the process, so that nothing is left behind.
func (h *house) openTenant(ctx context.Context, kept *app.Store) error {
	var store storage.Store = kept
	if h.dry {
		throwaway, err := memory.New(nil)
		if err != nil {
			return err
		}
		h.closing(throwaway.Close)
		store = throwaway
	} else if err := kept.Ready(ctx); err != nil {
		return err
	} else {
		h.store = kept
	}
	var err error
	if h.tenant, err = store.For(h.id()); err != nil {
		return err
	}
	h.records, err = storage.Open(h.tenant)
	return err
}

// copyJobs lets a dry look see the jobs that were added to the store. It makes no
// file.
func (h *house) copyJobs(ctx context.Context, kept *app.Store) error {
	if kept == nil {
		return nil
	}
	engines, err := kept.Engines(ctx)
	if err != nil {
		return err
	}
	for _, e := range engines {
		if e.Absent && slices.Contains(e.Parts, "records") {
			return nil
		}
	}
	tenant, err := kept.For(h.id())
	if err != nil {
		return err
	}
	from, err := schedule.OpenBoard(tenant, nil)
	if err != nil {
		return err
	}
	to, err := schedule.OpenBoard(h.tenant, nil)
	if err != nil {
		return err
	}
	jobs, err := from.Jobs(ctx)
	for _, j := range jobs {
		if j.Own {
			err = errors.Join(err, to.Add(ctx, j.Job))
		}
	}
	return err
}

// instance tells this process from others in the history.
func instance() string {
	host, err := os.Hostname()
	if err != nil || host == "" || storage.CheckText("host", host, 64) != nil {
		host = "scheduler"
	}
	return host + "/" + strconv.Itoa(os.Getpid())
}

func (h *house) closing(f func() error) { h.closers = append(h.closers, f) }

// close ends what was opened, the newest first.
func (h *house) close() {
	for _, end := range slices.Backward(h.closers) {
		if err := end(); err != nil {
			h.logger.Warn("closing", "error", err)
		}
	}
	h.closers = nil
}

// notice is what every result has to say about simulated data.
func (h *house) notice() string { return h.opened.Notice }

// serve runs everything until ctx ends, then stops in order: no new jobs, no new
// firings, the messages under way, the steps under way.
func (h *house) serve(ctx context.Context) error {
	if err := h.configure(ctx); err != nil {
		return err
	}
	addr, endHealth, err := serveHealth(ctx, h.cli, h.logger, h.ready, h.metrics, nil)
	if err != nil {
		return err
	}
	defer endHealth()
	h.greet(ctx, addr)
	return h.work(ctx)
}

// work is the part of serve that lasts.
func (h *house) work(ctx context.Context) error {
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended := make(chan error)
	parts := h.parts()
	for _, p := range parts {
		go func() {
			err := p.run(running)
			if err != nil {
				err = fmt.Errorf("%s: %w", p.name, err)
				stop(err)
			}
			ended <- err
		}()
	}
	if err := h.firstMinute(running); err != nil {
		h.logger.Warn("the first briefing was not asked for", "error", err)
	}
	var failed []error
	for i := range parts {
		err := <-ended
		if err == nil && running.Err() == nil {
			err = errors.New("a part ended before it was told to")
		}
		if i == 0 {
			stop(err)
			if err == nil {
				fmt.Fprintln(h.std.Err, "ttai-scheduler: stopping; what is under way is finished or goes on at the next start.")
			}
		}
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// A part is what runs beside the others until its context ends.
type part struct {
	name string
	run  func(context.Context) error
}

func (h *house) parts() []part {
	return []part{
		{"jobs", h.scheduler.Run},
		{"alerts", h.monitor.Run},
		{"notifications", h.notify.Run},
		{"tasks", h.doTasks},
	}
}

// greet says what runs, on what, and what comes next.
func (h *house) greet(ctx context.Context, addr string) {
	out := h.std.Err
	notice := h.notice()
	if notice != "" {
		notice = ": " + notice
	}
	whose := ""
	if h.member != nil {
		whose = "tenant " + string(h.member.ID) + ", "
	}
	fmt.Fprintf(out, "ttai-scheduler: %s%s%s\n", whose, h.opened.Environment, notice)
	if addr != "" {
		fmt.Fprintf(out, "Checks and metrics: http://%s/readyz and /metrics. Ctrl-C ends it.\n", addr)
	}
	fmt.Fprintf(out, "It is %s for the market. Jobs:\n\n", show(h.clock.Now()))
	jobs, err := h.scheduler.Jobs(ctx)
	if err != nil {
		fmt.Fprintf(out, "  they cannot be listed: %v\n", err)
		return
	}
	writeJobs(out, jobs)
	fmt.Fprintln(out)
}

// show writes a time as a trader reads it.
func show(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(market.NYSE().Location()).Format("Mon 2006-01-02 15:04 MST")
}

// find returns a job by its name, or an error that lists those there are.
func (h *house) find(ctx context.Context, name string) (schedule.Entry, error) {
	jobs, err := h.scheduler.Jobs(ctx)
	if err != nil {
		return schedule.Entry{}, err
	}
	names := make([]string, len(jobs))
	for i, j := range jobs {
		if j.Job.Name == name {
			return j, nil
		}
		names[i] = j.Job.Name
	}
	return schedule.Entry{}, app.Usage(invalid.Fieldf("once", name, "one of %v", names))
}
