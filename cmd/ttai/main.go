// Command ttai prices options, computes indicators and levels, analyses a
// symbol, and runs the simulator, from the command line.
package main

import (
	"context"

	"github.com/ttai-go/ttai/cmd/internal/app"
)

const description = `Options, indicators, levels and analysis from the command line, and a simulated tastytrade to try them on.

Not affiliated with tastytrade. Nothing it prints is advice.`

// commands are the subcommands; each is a file of flags and one call.
type commands struct {
	Analyze    analyzeCommand    `cmd:"" help:"Evidence and a recommendation for a symbol, with a chart."`
	Price      priceCommand      `cmd:"" help:"Value and Greeks of an option."`
	IV         ivCommand         `cmd:"" name:"iv" help:"Implied volatility of an option's price."`
	Chain      chainCommand      `cmd:"" help:"A chain of option quotes: forwards, volatilities, surface, positioning."`
	Strategy   strategyCommand   `cmd:"" help:"An option structure: payoff, probabilities, Greeks, scenarios."`
	Backtest   backtestCommand   `cmd:"" help:"Run a strategy over past bars and option chains; search settings; walk forward."`
	Indicators indicatorsCommand `cmd:"" help:"A technical indicator of a CSV file of bars."`
	Eval       evalCommand       `cmd:"" help:"Judge the analysts, with or without a model, on markets with known traps."`
	Levels     levelsCommand     `cmd:"" help:"Support and resistance in a CSV file of bars."`
	Knowledge  knowledgeCommand  `cmd:"" help:"Documents that questions are answered from: add, search, list, remove, export."`
	Sim        simCommand        `cmd:"" help:"Run the simulated broker by itself."`
	Doctor     doctorCommand     `cmd:"" help:"Check settings, credentials and connections, in that order."`
	Login      loginCommand      `cmd:"" help:"Get a grant from tastytrade's page and keep it in the vault."`
	Init       initCommand       `cmd:"" help:"Set up: four questions, then the configuration and the MCP client's entry are written."`
	Record     recordCommand     `cmd:"" help:"Write a redacted recording of a broker's answers and streams."`
	Contract   contractCommand   `cmd:"" help:"Compare a recording with this program's client and simulator."`
	Approve    approveCommand    `cmd:"" help:"Show orders that wait for an approval, and ask you about them."`
	KillSwitch killSwitchCommand `cmd:"" help:"Whether trading is stopped; stop it, or let it go on."`
	Alerts     alertsCommand     `cmd:"" help:"What to be told of: prices, moves, levels, indicators, positions, news."`
	Jobs       jobsCommand       `cmd:"" help:"What ttai-scheduler does at which times: list, add, run, pause, history."`
	Notify     notifyCommand     `cmd:"" help:"Where you are told what happened: Discord, Slack, Telegram, webhook, email, web push."`
	Migrate    migrateCommand    `cmd:"" help:"The layout of the store: status, up, down."`
	Backup     backupCommand     `cmd:"" help:"Copy the store's files into one file, while programs go on."`
	Restore    restoreCommand    `cmd:"" help:"Put a backup in place of what the store holds."`
	Journal    journalCommand    `cmd:"" help:"Verify the journals, and send their signed heads elsewhere."`
	Completion completionCommand `cmd:"" help:"Print completions for bash, zsh or fish."`
	Man        manCommand        `cmd:"" help:"Print the manual page."`
}

func main() { app.Main(run) }

// session is what a subcommand gets besides its own flags.
type session struct {
	ctx     context.Context
	std     app.IO
	sources *app.Sources
}

// run answers one command line and returns the exit code.
func run(ctx context.Context, args []string, std app.IO) int {
	var cli commands
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, sources, code, done := app.Parse("ttai", description, &cli, args, std)
	if done {
		return code
	}
	err := parsed.Run(&session{ctx: ctx, std: std, sources: sources})
	return app.Report("ttai "+parsed.Selected().Name, err, std)
}
