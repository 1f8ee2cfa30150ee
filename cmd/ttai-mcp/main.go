// Command ttai-mcp is an MCP server that lets an AI assistant analyse markets
// and look at an account with tastytrade, or with an embedded simulator when
// there is no account. It previews orders, and sends one only after a person has
// approved it: on the simulator at once, elsewhere once trading.json allows it.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"time"

	"golang.org/x/term"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/mcp"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
)

const description = `MCP server for tastytrade: quotes, candles, option chains, metrics, portfolio and analysis.

Without credentials it runs on an embedded simulated broker. It previews orders, and sends one only after a person has approved it: on the simulator at once,
elsewhere once trading.json allows it (docs/trading-safety.md).
When standard input is a pipe it speaks MCP there; at a terminal it serves HTTP on loopback and prints the address.

Examples:
  ttai-mcp                                   (as an MCP client starts it)
  ttai-mcp --http 127.0.0.1:8765             (for clients that connect by URL)
  TTAI_ENV=sandbox TTAI_CLIENT_SECRET=… TTAI_REFRESH_TOKEN=… ttai-mcp --toolsets market,analytics

Not affiliated with tastytrade. Nothing it says is advice.`

type flags struct {
	app.Config
	app.StoreFlags
	app.ModelFlags
	HTTP     string   `name:"http" help:"Serve HTTP at this address instead of standard input and output." placeholder:"ADDR"`
	Toolsets []string `help:"Offer only these: account, market, analytics, trade, and research (backtest, find_trades) and alerts, which are off unless named." placeholder:"NAME,…"`
	ReadOnly bool     `help:"Offer nothing that writes."`
	Version  bool     `help:"Print the version."`

	Check      string `help:"Ask the server at this address whether it is well, and exit with 0 or 1." placeholder:"ADDR"`
	Completion string `help:"Print completions for a shell: bash, zsh or fish." enum:",bash,zsh,fish" default:"" placeholder:"SHELL"`
	Man        bool   `help:"Print the manual page."`
}

// maxCached bounds what is remembered of recent answers.
const maxCached = 10_000

func main() {
	// The protocol library allocates a 32 KB buffer for each message it
	// decodes; collecting less often halves the time of a call.
	debug.SetGCPercent(400)
	app.Main(run)
}

// run serves one process and returns its exit code.
func run(ctx context.Context, args []string, std app.IO) int {
	var cli flags
	parsed, sources, code, done := app.Parse("ttai-mcp", description, &cli, args, std)
	if done {
		return code
	}
	if cli.Version {
		fmt.Fprintln(std.Out, "ttai-mcp", app.Version())
		return app.ExitOK
	}
	if cli.Check != "" {
		return app.Report("ttai-mcp", checkHealth(ctx, cli.Check), std)
	}
	if cli.Completion != "" {
		return app.Report("ttai-mcp", app.WriteCompletion(std.Out, cli.Completion, parsed.Model), std)
	}
	if cli.Man {
		return app.Report("ttai-mcp", app.WriteManual(std.Out, parsed.Model), std)
	}
	return app.Report("ttai-mcp", serve(ctx, cli, sources, std), std)
}

func serve(ctx context.Context, cli flags, sources *app.Sources, std app.IO) error {
	config, err := cli.Complete(sources)
	if err != nil {
		return err
	}
	kept, err := cli.OpenStore(config.Env, sources, std)
	switch {
	case err == nil:
		defer kept.Close()
	case !errors.Is(err, app.ErrNoStore):
		return err
	}
	opened, err := app.Open(config, &app.OpenOptions{Store: kept})
	if err != nil {
		return err
	}
	defer opened.Close()
	logger := slog.New(slog.NewTextHandler(std.Err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	cache, err := memory.New(&memory.Options{Now: opened.Clock.Now, MaxValues: maxCached})
	if err != nil {
		return err
	}
	defer cache.Close()
	var store storage.Store = cache
	if kept != nil {
		store = kept.Serving(cache)
	}

	desk, err := opened.Desk(std, kept, logger)
	if err != nil {
		return err
	}
	if opened.Environment != broker.Simulator {
		defer reconcile(ctx, desk.Guard, logger)()
	}

	overHTTP := cli.HTTP != "" || isTerminal(std.In)
	bearer := ""
	if overHTTP {
		if bearer = sources.Lookup("http-token"); bearer == "" {
			bearer = rand.Text()
		}
	}
	mind, err := cli.Mind(sources)
	if err != nil {
		return err
	}
	runs := &app.Backtests{}
	defer runs.Close()
	server, err := mcp.New(func(_ context.Context, who mcp.Principal) (tools.Deps, error) {
		tenant, err := store.For(who.Tenant)
		if err != nil {
			return tools.Deps{}, err
		}
		library, err := app.OpenKnowledge(store, who.Tenant, sources)
		if err != nil {
			return tools.Deps{}, err
		}
		return tools.Deps{
			Knowledge: library, Mind: mind, News: opened.NewsSource(), Record: app.RecordOf(tenant),
			Alerts: alertsOf(kept, who.Tenant),
			Market: opened.Market, Broker: desk.Guard, Elicitation: desk.Elicitation, Store: tenant, Clock: opened.Clock, Calendar: opened.Calendar,
			Environment: opened.Environment, Notice: opened.Notice, Rate: opened.Rate, Logger: logger,
			Backtests: runs.For(who.Tenant), History: opened.History,
		}, nil
	}, &mcp.Options{
		Version: app.Version(), Environment: opened.Environment, Notice: opened.Notice,
		Toolsets: cli.Toolsets, ReadOnly: cli.ReadOnly, Bearer: bearer, Logger: logger,
	})
	if err != nil {
		return err
	}
	defer server.Close()
	cli.Orient(std.Err, "ttai-mcp", sources, "Ask your assistant to analyse SPY; 'ttai init' connects an account.")
	if overHTTP {
		return serveHTTP(ctx, server, cli, bearer, opened, desk, std)
	}
	return serveStdio(ctx, server, std)
}

// reconcile finds out in the background, now and every minute, what became of
// orders that this or an earlier process sent and did not hear of. The result waits
// for it to end.
func reconcile(ctx context.Context, guard *broker.Guard, logger *slog.Logger) (wait func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		again := time.NewTicker(time.Minute)
		defer again.Stop()
		for ctx.Err() == nil {
			looking, stop := context.WithTimeout(ctx, time.Minute)
			if _, err := guard.Reconcile(looking); err != nil && ctx.Err() == nil {
				logger.WarnContext(ctx, "orders without an answer could not be looked up", "error", err)
			}
			stop()
			select {
			case <-again.C:
			case <-ctx.Done():
			}
		}
	}()
	return func() { cancel(); <-done }
}

// serveStdio speaks MCP on standard input and output until the input closes.
func serveStdio(ctx context.Context, server *mcp.Server, std app.IO) error {
	start := time.Now()
	counted := &countingReader{Reader: std.In}
	err := server.Serve(ctx, counted, outCloser{std.Out})
	if counted.n == 0 && time.Since(start) < time.Second && ctx.Err() == nil {
		fmt.Fprintln(std.Err, "ttai-mcp: standard input closed before a message came. An MCP client starts this program and speaks to it through pipes;\n"+
			"to use it from a browser or by URL, run it at a terminal or with --http 127.0.0.1:8765.")
	}
	return err
}

// countingReader is the input with a count of what came.
type countingReader struct {
	io.Reader
	n int
}

// Close closes the input when it can be closed, which ends a pending read.
func (r *countingReader) Close() error {
	if closer, ok := r.Reader.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

// outCloser is an output that stays open: it belongs to the process.
type outCloser struct{ io.Writer }

func (outCloser) Close() error { return nil }

func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	r.n += n
	return n, err
}

func isTerminal(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
