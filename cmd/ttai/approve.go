package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
)

type approveCommand struct {
	Preview string `arg:"" optional:"" help:"Id of one preview. Default: each that waits, in turn."`
	app.Config
	app.StoreFlags
	List     bool `help:"Only list what waits."`
	Settings bool `help:"Ask about the changed settings of trading.json, which hold for real money only once they are approved."`
}

// Help is shown below the flags.
func (approveCommand) Help() string {
	return `Examples:
  ttai approve               shows each order that waits for an approval, and asks
  ttai approve --list
  ttai approve --settings    after trading.json was changed, for an account with real money

It shows orders that an MCP server or another program prepared, in the words that the guard made of their exact bytes, and asks
at this terminal whether to approve them. It sends nothing: an approved order is sent when it is submitted. Changed settings, and
the lifting of the kill switch that another program prepared, hold at once. A program that runs as you can do the same, so this reaches the grade "loopback" and no more: see docs/trading-safety.md.
Exit code: 0 answered, 1 something could not be approved, 2 this is no terminal or the settings are wrong.`
}

// openDesk opens the guarded broker of the settings.
func openDesk(s *session, flags app.Config, where app.StoreFlags) (desk *app.Desk, end func() error, err error) {
	config, err := flags.Complete(s.sources)
	if err != nil {
		return nil, nil, err
	}
	store, err := where.OpenStore(config.Env, s.sources, s.std)
	if err != nil {
		return nil, nil, err
	}
	opened, err := app.Open(config, &app.OpenOptions{Store: store})
	if err != nil {
		return nil, nil, errors.Join(err, store.Close())
	}
	end = func() error { return errors.Join(opened.Close(), store.Close()) }
	desk, err = opened.Desk(s.std, store, slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, nil, errors.Join(err, end())
	}
	return desk, end, nil
}

// Run asks about each preview.
func (c approveCommand) Run(s *session) error {
	input, ok := s.std.In.(*os.File)
	if !c.List && (!ok || !term.IsTerminal(int(input.Fd()))) {
		return app.Usage(errors.New("standard input is no terminal: an approval is a person's answer"))
	}
	desk, end, err := openDesk(s, c.Config, c.StoreFlags)
	if err != nil {
		return err
	}
	return errors.Join(plainly(c.ask(s, desk)), end())
}

func (c approveCommand) ask(s *session, desk *app.Desk) error {
	waiting, err := c.waiting(s.ctx, desk.Guard)
	if err != nil {
		return err
	}
	if len(waiting) == 0 {
		_, err := fmt.Fprintln(s.std.Out, "Nothing waits for an approval.")
		return err
	}
	answers := bufio.NewScanner(s.std.In)
	for _, p := range waiting {
		fmt.Fprintf(s.std.Out, "%s (%s)\n%s\nNeeds an approval of grade %s until %s.\n", plain(p.ID), plain(string(p.Environment)), plain(p.Words), p.Grade, p.Expires.Format("15:04:05 MST"))
		if c.List {
			fmt.Fprintln(s.std.Out)
			continue
		}
		if desk.Terminal.Grade() < p.Grade {
			fmt.Fprintf(s.std.Out, "An answer at a terminal does not reach that.\n\n")
			continue
		}
		fmt.Fprint(s.std.Out, "Approve? Type yes, no (which voids it), or nothing to leave it: ")
		if !answers.Scan() {
			return answers.Err()
		}
		if err := answer(s, desk, p, strings.ToLower(strings.TrimSpace(answers.Text()))); err != nil {
			return err
		}
	}
	return nil
}

func (c approveCommand) waiting(ctx context.Context, guard *broker.Guard) ([]broker.Prepared, error) {
	if c.Settings {
		p, err := guard.PrepareSettings(ctx)
		if err != nil {
			return nil, err
		}
		return []broker.Prepared{*p}, nil
	}
	if c.Preview == "" {
		return guard.Pending(ctx)
	}
	p, err := guard.Prepared(ctx, c.Preview)
	if err != nil {
		return nil, err
	}
	return []broker.Prepared{*p}, nil
}

func answer(s *session, desk *app.Desk, p broker.Prepared, said string) error {
	switch said {
	case "yes":
		evidence, err := desk.Terminal.Evidence(s.ctx, &p, "a person at the terminal")
		if err != nil {
			return err
		}
		if p.Kind == broker.IntentSettings || p.Kind == broker.IntentLift { // no model submits these
			if _, err := desk.Guard.Submit(s.ctx, p.ID, evidence); err != nil {
				return err
			}
			said := "these settings hold now"
			if p.Kind == broker.IntentLift {
				said = "the kill switch is lifted"
			}
			fmt.Fprintf(s.std.Out, "Approved: %s.\n\n", said)
			return nil
		}
		if _, err := desk.Guard.Approve(s.ctx, p.ID, evidence); err != nil {
			return err
		}
		fmt.Fprintf(s.std.Out, "Approved: it is sent when it is submitted.\n\n")
	case "no":
		if err := desk.Guard.Decline(s.ctx, p.ID, "a person at the terminal"); err != nil {
			return err
		}
		fmt.Fprintf(s.std.Out, "Declined: it will not be sent.\n\n")
	default:
		fmt.Fprintf(s.std.Out, "Left as it is.\n\n")
	}
	return nil
}
