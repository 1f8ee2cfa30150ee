package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
)

type killSwitchCommand struct {
	Do string `arg:"" optional:"" help:"status, engage or lift." enum:"status,engage,lift" default:"status"`
	app.Config
	app.StoreFlags
	Reason string `help:"Why it is engaged, for the journal." default:"the operator said so"`
}

// Help is shown below the flags.
func (killSwitchCommand) Help() string {
	return `Examples:
  ttai kill-switch                    is it engaged, by whom, and why
  ttai kill-switch engage             no order is sent any more, and those that open positions are cancelled
  ttai kill-switch lift               asks at this terminal

It holds for every program that uses the same store, and survives restarts. Everybody may engage it, models included; only you
lift it. For real money lifting needs an approval of the grade that orders need: see docs/trading-safety.md.
Exit code: 0 done, 1 it could not be done, 2 the settings are wrong.`
}

// Run does it.
func (c killSwitchCommand) Run(s *session) error {
	desk, end, err := openDesk(s, c.Config, c.StoreFlags)
	if err != nil {
		return err
	}
	switch c.Do {
	case "engage":
		err = c.engage(s, desk.Guard)
	case "lift":
		err = c.lift(s, desk)
	default:
		err = c.status(s, desk.Guard)
	}
	return errors.Join(plainly(err), end())
}

func (killSwitchCommand) status(s *session, guard *broker.Guard) error {
	k, err := guard.Killed(s.ctx)
	if err != nil {
		return err
	}
	if !k.Engaged {
		_, err = fmt.Fprintln(s.std.Out, "not engaged")
		return err
	}
	_, err = fmt.Fprintf(s.std.Out, "engaged by %s at %s: %s\n", plain(k.By), k.Time.Format(time.RFC3339), plain(k.Reason))
	return err
}

func (c killSwitchCommand) engage(s *session, guard *broker.Guard) error {
	accounts, unread := guard.Accounts(s.ctx) // blocking does not wait for the broker
	ids := make([]broker.AccountID, len(accounts))
	for i, a := range accounts {
		ids[i] = a.ID
	}
	stopped, err := guard.Stop(s.ctx, "operator", c.Reason, ids...)
	if stopped == nil {
		return err
	}
	fmt.Fprintf(s.std.Out, "engaged; %d orders were asked to end, %d that only close are left\n", len(stopped.Cancelled), len(stopped.Left))
	if errors.Is(err, broker.ErrTradingOff) {
		err = nil // nothing of this program's is there to be cancelled
	}
	return errors.Join(unread, err)
}

func (killSwitchCommand) lift(s *session, desk *app.Desk) error {
	input, ok := s.std.In.(*os.File)
	if !ok || !term.IsTerminal(int(input.Fd())) {
		return app.Usage(errors.New("standard input is no terminal: lifting needs a person's answer"))
	}
	return liftAsking(s, desk)
}

// liftAsking asks the person at standard input.
func liftAsking(s *session, desk *app.Desk) error {
	p, err := desk.Guard.PrepareLift(s.ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(s.std.Out, "%s\nLift it? Type yes: ", plain(p.Words))
	answers := bufio.NewScanner(s.std.In)
	if !answers.Scan() || strings.ToLower(strings.TrimSpace(answers.Text())) != "yes" {
		fmt.Fprintln(s.std.Out, "It stays engaged.")
		return errors.Join(answers.Err(), desk.Guard.Decline(s.ctx, p.ID, "a person at the terminal"))
	}
	evidence, err := desk.Terminal.Evidence(s.ctx, p, "a person at the terminal")
	if err != nil {
		return err
	}
	if _, err := desk.Guard.Submit(s.ctx, p.ID, evidence); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.std.Out, "Lifted: orders can be sent again.")
	return err
}
