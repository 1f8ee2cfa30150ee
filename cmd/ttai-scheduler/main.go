// Command ttai-scheduler runs jobs at the exchange's times, watches alerts and
// portfolios on live streams, writes reports and tells people: with tastytrade, or
// with an embedded simulator when there is no account. It places no orders.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/cmd/internal/app"
)

const description = `Runs jobs at the exchange's times, watches alerts on live streams, writes reports and tells you.

Without credentials it runs on an embedded simulated broker, and keeps what it knows in a file. It places no orders.
Several may run on one store: they share the work, and go on with that of one that died.

Examples:
  ttai-scheduler                                     (all of it, until Ctrl-C)
  ttai-scheduler --list                              (the jobs and their next times)
  ttai-scheduler --once morning-briefing             (one job now, then end)
  ttai-scheduler --now 2026-11-27T13:00-05:00        (what would run around that time; nothing is done)
  TTAI_STORE=postgres://… ttai-scheduler --health 0.0.0.0:8767

Jobs stand in the section "jobs" of config.json; 'ttai jobs', 'ttai alerts' and 'ttai notify' add others while it runs.
News beside the broker's stand there too: "news": [{"url": "https://…"}] is a feed in RSS, Atom or JSON Feed, and
{"kind": "alpaca"} is Alpaca's news, with the key pair that 'ttai login --alpaca' puts into the vault.
"tenants" in config.json names several people to be served, each with a grant in a vault of their own.
See docs/scheduler.md. Not affiliated with tastytrade. Nothing it says is advice.`

type flags struct {
	app.Config
	app.StoreFlags
	app.ModelFlags
	Once     string        `help:"Run this job once, now, print what it made, and end." placeholder:"JOB"`
	Now      string        `help:"A dry look: what is due around this time, or with --once the job as of it. Nothing is kept, nobody is told." placeholder:"TIME"`
	List     bool          `help:"List the jobs with their next times, and end."`
	Health   string        `help:"Serve /healthz, /readyz and /metrics at this address; off: nowhere." default:"127.0.0.1:8767" placeholder:"ADDR"`
	Takeover time.Duration `help:"After how long others go on with what a scheduler that died had." default:"30s" placeholder:"DURATION"`
	JSON     bool          `name:"json" help:"Print JSON, and log as JSON."`
	Verbose  bool          `help:"Log more."`
	Version  bool          `help:"Print the version."`

	Tenant string `help:"With --once, --list or --now: of this one of the tenants in config.json." placeholder:"ID"`

	// Alpaca says where Alpaca's hosts are; tests name a fake.
	Alpaca alpaca.ClientOptions `kong:"-"`

	Check      string `help:"Ask the scheduler at this address whether it is ready, and exit with 0 or 1." placeholder:"ADDR"`
	Unit       string `help:"Print what runs it all the time: a unit for systemd, launchd or the Windows task scheduler." enum:",systemd,launchd,windows" default:"" placeholder:"SYSTEM"`
	Completion string `help:"Print completions for a shell: bash, zsh or fish." enum:",bash,zsh,fish" default:"" placeholder:"SHELL"`
	Man        bool   `help:"Print the manual page."`
}

func main() { app.Main(run) }

// run serves one process and returns its exit code.
func run(ctx context.Context, args []string, std app.IO) int {
	const name = "ttai-scheduler"
	var cli flags
	parsed, sources, code, done := app.Parse(name, description, &cli, args, std)
	if done {
		return code
	}
	switch {
	case cli.Version:
		fmt.Fprintln(std.Out, name, app.Version())
		return app.ExitOK
	case cli.Check != "":
		return app.Report(name, checkReady(ctx, cli.Check), std)
	case cli.Unit != "":
		return app.Report(name, writeUnit(std.Out, cli.Unit, std.Environment.Getenv("HOME")), std)
	case cli.Completion != "":
		return app.Report(name, app.WriteCompletion(std.Out, cli.Completion, parsed.Model), std)
	case cli.Man:
		return app.Report(name, app.WriteManual(std.Out, parsed.Model), std)
	}
	return app.Report(name, work(ctx, cli, sources, std), std)
}

// work does what the flags say.
func work(ctx context.Context, cli flags, sources *app.Sources, std app.IO) error {
	started := time.Now()
	members, err := sources.Tenants()
	if err != nil {
		return err
	}
	single := cli.Once != "" || cli.List || cli.Now != ""
	if len(members) > 0 && !single {
		return serveTenants(ctx, members, cli, sources, std, started)
	}
	member, err := chosen(members, cli.Tenant)
	if err != nil {
		return err
	}
	h, err := openFor(ctx, member, cli, sources, std, started)
	if err != nil {
		return err
	}
	defer h.close()
	switch {
	case cli.Once != "":
		return h.once(ctx, cli.Once)
	case cli.List, cli.Now != "":
		return h.list(ctx)
	}
	return h.serve(ctx)
}
