// Package river has the workflow engine for PostgreSQL. River (riverqueue.com) runs
// each workflow run as a job; what a run records goes into tables of our own, each
// step's result in the transaction that ends the step. Only that record counts:
// a job that River runs twice, or too late, finds the run taken or ended and does
// nothing.
//
// An engine says every few seconds that it lives. When it does not for the length of
// a lease, because its process died or was stopped, any other engine on the same
// tables takes its runs over. Each write names the epoch in which the run was taken,
// so that what an engine still writes for a run it lost is refused whole.
//
// Runs that sleep or await cost a goroutine each and no writes. An engine holds two
// connections of its own, for River's notices and for ours, besides those of its pool.
package river

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	queue "github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow"
)

var (
	_ workflow.Engine = (*Engine)(nil)
	_ workflow.Log    = (*runLog)(nil)
)

// Options are the settings of an [Engine]. The zero value works.
type Options struct {
	// Schema is where the tables are, River's among them; "" means "ttai_workflow".
	// It is made when it is not there. 1 to 40 of a-z, 0-9 and '_'.
	Schema string
	// Clock tells the time of runs: sleeps, timeouts, backoff; nil means the
	// computer's. Leases and polls go by the database's time.
	Clock workflow.Clock
	// Lease is after how long the runs of a process that died are taken over; 0
	// means 30 seconds. At least 100 ms and at most a day.
	Lease time.Duration
	// Poll is how often the engine looks for runs without an owner, and for what a
	// notice did not tell; 0 means 5 seconds. At least 10 ms.
	Poll time.Duration
	// Runs is how many runs the engine executes at once, those that wait included; 0
	// means 10,000, which is the most.
	Runs int
	// Logger hears of runs taken over, refused or interrupted, and River's warnings;
	// nil means nobody.
	Logger *slog.Logger
}

// An Engine executes one tenant's workflows. It is safe for concurrent use. Any
// number may share the tables, in one process or many.
type Engine struct {
	opts    Options
	id      string // of this engine, as an owner
	tenant  []byte
	queue   string
	channel string
	catalog *workflow.Catalog
	works   bool // it was given workflows
	config  *pgxpool.Config
	pool    *pgxpool.Pool
	client  *queue.Client[pgx.Tx]

	ctx   context.Context
	stop  context.CancelCauseFunc
	loops sync.WaitGroup

	mu      sync.Mutex
	closed  bool
	active  map[string]*active
	blocked map[string]bool // runs that this engine's code cannot go on with
	waiting map[string]chan struct{}
}

// active is a run that this engine executes.
type active struct {
	cancelled context.Context
	cancel    context.CancelFunc
}

// Open connects to the database at a URL such as
// postgres://user:password@host:5432/database?sslmode=verify-full, brings the tables
// up to date, and executes the workflows of a tenant, those first that no living
// engine has. Without workflows it executes nothing and can only ask and tell. Opts
// may be nil. Close must be called. The error is a *FieldError, or wraps
// storage.ErrNewer or storage.ErrUnavailable.
func Open(ctx context.Context, url string, tenant storage.TenantID, workflows []workflow.Workflow, opts *Options) (*Engine, error) {
	o, err := opts.validated()
	if err != nil {
		return nil, err
	}
	if err := tenant.Validate(); err != nil {
		return nil, err
	}
	catalog, err := workflow.NewCatalog(workflows...)
	if err != nil {
		return nil, err
	}
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, invalid.Field("url", "…", "postgres://user:password@host:5432/database") // what pgx says has the password
	}
	config.ConnConfig.RuntimeParams["search_path"] = pgx.Identifier{o.Schema}.Sanitize()
	config.ConnConfig.RuntimeParams["default_transaction_isolation"] = "read committed"
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60s"
	sum := sha256.Sum256([]byte(tenant))
	name := hex.EncodeToString(sum[:8])
	e := &Engine{
		opts: o, id: rand.Text(), tenant: []byte(tenant), queue: "runs-" + name, channel: o.Schema + "_" + name, catalog: catalog, works: len(workflows) > 0, config: config,
		active: map[string]*active{}, blocked: map[string]bool{}, waiting: map[string]chan struct{}{},
	}
	if err := migrate(ctx, config.ConnConfig, o); err != nil {
		return nil, failed(ctx, err)
	}
	if e.pool, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return nil, failed(ctx, err)
	}
	e.ctx, e.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	if err := e.begin(ctx); err != nil {
		e.stop(nil)
		e.loops.Wait()
		e.pool.Close()
		return nil, failed(ctx, err)
	}
	return e, nil
}

func (o *Options) validated() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Schema == "" {
		out.Schema = "ttai_workflow"
	}
	if out.Clock == nil {
		out.Clock = workflow.RealClock{}
	}
	if out.Logger == nil {
		out.Logger = slog.New(slog.DiscardHandler)
	}
	if out.Lease == 0 {
		out.Lease = 30 * time.Second
	}
	if out.Poll == 0 {
		out.Poll = 5 * time.Second
	}
	if out.Runs == 0 {
		out.Runs = queue.QueueNumWorkersMax
	}
	switch {
	case !isSchema(out.Schema):
		return out, invalid.Field("Schema", out.Schema, "1 to 40 of a-z, 0-9 and '_', a letter first")
	case out.Lease < 100*time.Millisecond || out.Lease > 24*time.Hour:
		return out, invalid.Field("Lease", out.Lease, "0 for 30 s, or 100 ms to 24 h")
	case out.Poll < 10*time.Millisecond:
		return out, invalid.Field("Poll", out.Poll, "0 for 5 s, or 10 ms and more")
	case out.Runs < 1 || out.Runs > queue.QueueNumWorkersMax:
		return out, invalid.Fieldf("Runs", out.Runs, "0, or 1 to %d", queue.QueueNumWorkersMax)
	}
	return out, nil
}

func isSchema(s string) bool {
	if s == "" || len(s) > 40 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range s {
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_') {
			return false
		}
	}
	return true
}

// begin makes River's client, says that this engine lives, and starts to work.
func (e *Engine) begin(ctx context.Context) error {
	config := &queue.Config{
		ID: e.id, Schema: e.opts.Schema, Logger: e.opts.Logger,
		JobTimeout:  -1, // a run takes as long as it takes
		MaxAttempts: 1000, FetchCooldown: 5 * time.Millisecond, FetchPollInterval: max(e.opts.Poll, 5*time.Millisecond),
		CompletedJobRetentionPeriod: time.Hour,
	}
	if e.works {
		config.Workers = queue.NewWorkers()
		config.Queues = map[string]queue.QueueConfig{e.queue: {MaxWorkers: e.opts.Runs}}
		if err := queue.AddWorkerSafely(config.Workers, &worker{engine: e}); err != nil {
			return err
		}
	}
	client, err := queue.NewClient(riverpgxv5.New(e.pool), config)
	if err != nil {
		return err
	}
	e.client = client
	if e.works {
		if err := e.alive(ctx); err != nil {
			return err
		}
		if err := e.queueBlocked(ctx); err != nil {
			return err
		}
		// Stopping River by its context would leave its jobs as they are: Close stops it.
		if err := client.Start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		e.loops.Go(e.keep)
	}
	e.loops.Go(e.listen)
	return nil
}

// Close stops executing and waits for the steps under way, whose contexts end. Other
// engines go on with the runs.
func (e *Engine) Close() error {
	e.mu.Lock()
	again := e.closed
	e.closed = true
	e.mu.Unlock()
	if again {
		return nil
	}
	e.stop(workflow.ErrStopped)
	var err error
	if e.works {
		err = e.client.StopAndCancel(context.Background())
	}
	e.loops.Wait()
	if e.works {
		_, gone := e.pool.Exec(context.Background(), `DELETE FROM owner WHERE id = $1`, e.id)
		if gone != nil {
			e.opts.Logger.Warn("the lease of a workflow engine was not given back", "error", gone) // it ends by itself
		}
	}
	e.pool.Close()
	e.mu.Lock()
	defer e.mu.Unlock()
	for id, changed := range e.waiting {
		close(changed)
		delete(e.waiting, id)
	}
	return err
}

func (e *Engine) open() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return workflow.ErrClosed
	}
	return nil
}

// failed tells a database that cannot be reached from what it says.
func failed(ctx context.Context, err error) error {
	switch {
	case err == nil || errors.Is(err, storage.ErrNewer) || errors.Is(err, workflow.ErrNoRun):
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	}
	if _, refused := errors.AsType[*workflow.FieldError](err); refused {
		return err
	}
	return fmt.Errorf("workflow engine: %w: %w", storage.ErrUnavailable, err)
}
