package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/market"
)

type doctorCommand struct {
	app.Config
	app.StoreFlags
	Symbol  string        `help:"Symbol to ask for." default:"SPY"`
	Timeout time.Duration `help:"Longest time for each check." default:"15s"`
	JSON    bool          `name:"json" help:"Print JSON."`
}

// Help is shown below the flags.
func (doctorCommand) Help() string {
	return `Each check needs those before it. The output holds no secrets and no full account numbers, so it can be pasted into a report.
Exit code: 0 all is well, 1 a check failed, 2 the settings are wrong.`
}

// A check is one line of the doctor's report.
type check struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warning, failed or skipped
	Detail string `json:"detail"`
	Remedy string `json:"remedy,omitempty"`
}

// errUnwell makes the exit code 1 after a report that says why.
var errUnwell = errors.New("a check failed; the report above says what to do")

// Run works through the checks and prints what it found.
func (c doctorCommand) Run(s *session) error {
	report, err := c.examine(s)
	if c.JSON {
		if err := json.NewEncoder(s.std.Out).Encode(report); err != nil {
			return err
		}
	} else {
		for _, r := range report {
			fmt.Fprintf(s.std.Out, "%-8s %-12s %s\n", r.Status, r.Name, r.Detail)
			if r.Remedy != "" {
				fmt.Fprintf(s.std.Out, "%-8s %-12s → %s\n", "", "", r.Remedy)
			}
		}
	}
	return err
}

func (c doctorCommand) examine(s *session) ([]check, error) {
	var report []check
	add := func(name, status, detail, remedy string) {
		report = append(report, check{name, status, detail, remedy})
	}

	config, err := c.Complete(s.sources)
	if err != nil {
		add("settings", "failed", err.Error(), "see docs/configuration.md for every setting")
		return report, app.Usage(err)
	}
	where := "flags and environment"
	if dir := s.std.Environment.ConfigDir; dir != "" {
		where += ", then " + filepath.Join(dir, "config.json")
	}
	if config.FromVault {
		where += "; the grant from the vault"
	}
	add("settings", "ok", where, "")
	stored, storeErr := c.checkStore(s, config.Env)
	report = append(report, stored...)
	if app.IsUsage(storeErr) {
		return report, storeErr
	}
	opened, err := app.Open(config, nil)
	if err != nil {
		add("environment", "failed", err.Error(), "start a simulator with 'ttai sim', or leave --url out to use the embedded one")
		return report, errUnwell
	}
	defer opened.Close()
	detail := string(opened.Environment)
	if opened.Notice != "" {
		detail += ": " + opened.Notice
	}
	add("environment", "ok", detail, "")
	report = append(report, checkCalendar(opened))

	symbol, err := market.ParseSymbol(c.Symbol)
	if err != nil {
		return report, err
	}
	// Each check uses what the ones before it proved to work.
	steps := []struct {
		name, remedy string
		run          func(context.Context) (string, error)
	}{
		{"token", "make a new grant with 'ttai login', or as docs/getting-started.md, 3 says, and run 'ttai init'; a grant of the sandbox works in the sandbox only", func(ctx context.Context) (string, error) {
			token, err := opened.Tokens.Token(ctx)
			if err != nil {
				return "", err
			}
			return "expires " + token.Expiry.Format(time.RFC3339), nil
		}},
		{"accounts", "the token works, but it reaches no account: check its scopes", func(ctx context.Context) (string, error) {
			accounts, err := opened.Broker.Accounts(ctx)
			if err == nil && len(accounts) == 0 {
				err = errors.New("no account")
			}
			return fmt.Sprintf("%d", len(accounts)), err
		}},
		{"balances", "see the message", func(ctx context.Context) (string, error) {
			accounts, err := opened.Broker.Accounts(ctx)
			if err != nil {
				return "", err
			}
			_, err = opened.Broker.Balances(ctx, accounts[0].ID)
			return "answered", err
		}},
		{"quote", "the sandbox does not always serve quotes; try again in a minute", func(ctx context.Context) (string, error) {
			quotes, err := opened.Market.Quotes(ctx, []market.Symbol{symbol})
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s %.2f at %s", symbol, quotes[0].Mid(), quotes[0].Time.Format(time.RFC3339)), nil
		}},
		{"stream", "a firewall may block websockets; some accounts get market data only once they are funded", func(ctx context.Context) (string, error) {
			now := opened.Clock.Now()
			bars, err := opened.Market.Bars(ctx, market.BarsRequest{Symbol: symbol, Interval: market.Day, From: now.AddDate(0, 0, -14), To: now})
			if err == nil && len(bars) == 0 {
				err = market.ErrNoData
			}
			return fmt.Sprintf("%d daily candles", len(bars)), err
		}},
	}
	failed := false
	for _, step := range steps {
		if failed {
			add(step.name, "skipped", "needs the check before it", "")
			continue
		}
		ctx, cancel := context.WithTimeout(s.ctx, c.Timeout)
		detail, err := step.run(ctx)
		cancel()
		if err != nil {
			failed = true
			add(step.name, "failed", err.Error(), step.remedy)
			continue
		}
		add(step.name, "ok", detail, "")
	}
	if failed {
		return report, errUnwell
	}
	return report, storeErr
}

// checkCalendar warns when a dated table ends within a year.
func checkCalendar(opened *app.Opened) check {
	const name = "calendar"
	today := market.DateOf(opened.Clock.Now())
	ending := market.TablesEnding(today.AddDays(365))
	if len(ending) == 0 {
		_, last := opened.Calendar.Range()
		return check{name, "ok", fmt.Sprintf("every table reaches a year ahead; special closures are known until %s", last), ""}
	}
	var ends []string
	for _, t := range ending {
		ends = append(ends, fmt.Sprintf("%s ends %s, then %s answers", t.Name, t.To, t.After))
	}
	return check{name, "warning", strings.Join(ends, "; "), "update ttai when there is a newer release"}
}
