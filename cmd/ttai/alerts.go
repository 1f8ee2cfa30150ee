package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
	"github.com/ttai-go/ttai/workflow/notify"
)

type alertsCommand struct {
	Add    alertsAdd    `cmd:"" help:"Add an alert."`
	List   alertsList   `cmd:"" help:"The alerts and what became of them."`
	Test   alertsTest   `cmd:"" help:"Check an alert, and send what it would tell."`
	Remove alertsRemove `cmd:"" help:"Remove alerts."`
}

// Help is shown below the commands.
func (alertsCommand) Help() string {
	return `Examples:
  ttai alerts add price SPY above 700
  ttai alerts add price SPY cross 650 --repeat --hysteresis 1.5 --name "round number"
  ttai alerts add move AAPL 3 --from close
  ttai alerts add trailing NVDA 5
  ttai alerts add --rule '{"kind":"indicator","symbol":"SPY","interval":"1h","indicator":{"name":"RSI","params":[14]},"op":"below","value":30}'
  ttai alerts add --rule '{"kind":"short_strike","percent":1}'
  ttai alerts add news AAPL,MSFT --keywords "recall,merger"
  ttai alerts list
  ttai alerts test k3v9x2m4p1
  ttai alerts remove k3v9x2m4p1

What is said here lies in the store: every ttai-scheduler with the same store watches it, at once when it runs and otherwise
when it is started. The same alerts are added in a chat by the alerts tool of ttai-mcp. All kinds: see docs/monitors.md.
Exit code: 0 done, 1 it failed, 2 what was asked is wrong.`
}

type alertsFlags struct {
	tenantCommand
	User string `help:"Whose alerts." default:"local" placeholder:"NAME"`
}

// rules opens the alerts of this user.
func (c alertsFlags) rules(s *session, f func(context.Context, storage.Tenant, *monitor.Rules) error) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		tenant, err := store.For(storage.TenantID(c.Tenant))
		if err != nil {
			return err
		}
		rules, err := monitor.OpenRules(tenant)
		if err != nil {
			return err
		}
		err = f(ctx, tenant, rules)
		if errors.Is(err, storage.ErrNotFound) {
			err = app.Usage(fmt.Errorf("%w; 'ttai alerts list' shows those there are", err))
		}
		if _, bad := errors.AsType[*invalid.FieldError](err); bad {
			err = app.Usage(err)
		}
		return err
	})
}

type alertsRule struct {
	What       []string      `arg:"" optional:"" help:"price SYMBOL OP VALUE, move SYMBOL PERCENT, trailing SYMBOL PERCENT, or news SYMBOL,… ; nothing with --rule."`
	Rule       string        `help:"The rule as JSON: any kind." placeholder:"JSON"`
	Name       string        `help:"Your own words for it."`
	Repeat     bool          `help:"Fire again after the figure has gone back."`
	Hysteresis float64       `help:"How far it must go back before it fires again, in the figure's unit."`
	Expires    string        `help:"When it ends: an instant such as 2026-12-18T21:00:00Z, a date, or a duration such as 72h." placeholder:"WHEN"`
	Field      string        `help:"Of a price: last, mid, bid or ask." placeholder:"NAME"`
	From       string        `help:"Of a move: now, close, open or window." placeholder:"WHERE"`
	Window     time.Duration `help:"Of a move: its length." placeholder:"DURATION"`
	Side       string        `help:"Of a move: up or down; of trailing: high or low." placeholder:"SIDE"`
	Amount     bool          `help:"Of trailing: the number is dollars, not percent."`
	Keywords   string        `help:"Of news: words or phrases, separated by commas." placeholder:"WORDS"`
	Account    string        `help:"Of rules about positions: one account." placeholder:"NUMBER"`
}

// rule makes the rule of the flags.
func (c alertsRule) rule(now time.Time) (monitor.Rule, error) {
	var r monitor.Rule
	if c.Rule != "" {
		if len(c.What) > 0 {
			return r, invalid.Field("rule", strings.Join(c.What, " "), "no words beside --rule")
		}
		var err error
		if r, err = monitor.ParseRule([]byte(c.Rule)); err != nil {
			return r, err
		}
	} else {
		if len(c.What) == 0 {
			return r, invalid.Missing("rule", "price SYMBOL OP VALUE, move SYMBOL PERCENT, trailing SYMBOL PERCENT, news SYMBOL,… or --rule")
		}
		if err := c.words(&r); err != nil {
			return r, err
		}
	}
	set := func(to *string, from string) {
		if from != "" {
			*to = from
		}
	}
	set(&r.Name, c.Name)
	set(&r.Field, c.Field)
	set(&r.From, c.From)
	set(&r.Side, c.Side)
	if c.Account != "" {
		r.Account = broker.AccountID(c.Account)
	}
	if c.Window != 0 {
		r.Window = monitor.Duration(c.Window)
	}
	if c.Repeat {
		r.Mode = monitor.Repeat
	}
	if c.Hysteresis != 0 {
		r.Hysteresis = c.Hysteresis
	}
	for word := range strings.SplitSeq(c.Keywords, ",") {
		if word = strings.TrimSpace(word); word != "" {
			r.Keywords = append(r.Keywords, word)
		}
	}
	if c.Expires != "" {
		at, err := expiry(c.Expires, now)
		if err != nil {
			return r, err
		}
		r.Expires = at
	}
	return r.Validated()
}

func expiry(text string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d).UTC(), nil
	}
	at, err := market.NYSE().ParseInstant("expires", text, nil)
	if err != nil {
		return at, err
	}
	return at.UTC(), nil
}

// words reads the short forms.
func (c alertsRule) words(r *monitor.Rule) error {
	r.Kind = monitor.Kind(c.What[0])
	rest := c.What[1:]
	want := map[monitor.Kind]struct {
		n    int
		form string
	}{
		monitor.KindPrice: {3, "price SYMBOL OP VALUE"}, monitor.KindMove: {2, "move SYMBOL PERCENT"},
		monitor.KindTrailing: {2, "trailing SYMBOL PERCENT"}, monitor.KindNews: {1, "news SYMBOL,…"},
	}
	form, known := want[r.Kind]
	if !known {
		return invalid.Field("kind", c.What[0], "price, move, trailing or news; other kinds with --rule")
	}
	if r.Kind == monitor.KindNews && len(rest) == 0 {
		return nil // keywords alone
	}
	if len(rest) != form.n {
		return invalid.Field(c.What[0], strings.Join(rest, " "), form.form)
	}
	if r.Kind == monitor.KindNews {
		for s := range strings.SplitSeq(rest[0], ",") {
			r.Symbols = append(r.Symbols, market.Symbol(strings.TrimSpace(s)))
		}
		return nil
	}
	r.Symbol = market.Symbol(rest[0])
	var x market.Float
	if err := json.Unmarshal([]byte(`"`+rest[len(rest)-1]+`"`), &x); err != nil || !x.Known() {
		return invalid.Field("value", rest[len(rest)-1], "a number")
	}
	v := float64(x)
	switch {
	case r.Kind == monitor.KindPrice:
		r.Op, r.Value = monitor.Op(rest[1]), &v
	case r.Kind == monitor.KindTrailing && c.Amount:
		r.Amount = v
	default:
		r.Percent = v
	}
	return nil
}

type alertsAdd struct {
	alertsFlags
	alertsRule
}

// Run adds it.
func (c alertsAdd) Run(s *session) error {
	rule, err := c.rule(time.Now())
	if err != nil {
		return app.Usage(err)
	}
	return c.rules(s, func(ctx context.Context, _ storage.Tenant, rules *monitor.Rules) error {
		added, err := rules.Add(ctx, c.User, rule)
		if err != nil {
			return err
		}
		return c.print(s, added, func(w io.Writer) {
			fmt.Fprintf(w, "%s  %s\n", added.ID, plain(added.Rule.String()))
		})
	})
}

type alertsList struct {
	alertsFlags
	Fired int `help:"Show the newest so many firings instead." placeholder:"N"`
}

// Run lists them.
func (c alertsList) Run(s *session) error {
	if c.Fired < 0 || c.Fired > 1000 {
		return app.Usage(invalid.Field("fired", c.Fired, "1 to 1000"))
	}
	return c.rules(s, func(ctx context.Context, _ storage.Tenant, rules *monitor.Rules) error {
		if c.Fired > 0 {
			return c.firings(ctx, s, rules)
		}
		all, unread := rules.List(ctx, c.User)
		if unread != nil && all == nil {
			return unread
		}
		if all == nil {
			all = []monitor.Stored{}
		}
		return errors.Join(c.print(s, all, func(out io.Writer) {
			if len(all) == 0 {
				fmt.Fprintln(out, "There are no alerts. 'ttai alerts add price SPY above 700' adds one.")
				return
			}
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			fmt.Fprintln(w, "ID\tSTATE\tMODE\tFIRED\tLATEST\tRULE")
			for _, a := range all {
				state := "active"
				if !a.Active {
					state = "done"
				} else if !a.Rule.Expires.IsZero() {
					state = "until " + a.Rule.Expires.Format("2006-01-02 15:04Z")
				}
				latest := "-"
				if !a.State.Fired.IsZero() {
					latest = a.State.Fired.UTC().Format("2006-01-02 15:04:05Z")
				}
				text := a.Rule.String()
				if a.Rule.Name != "" {
					text = a.Rule.Name + ": " + text
				}
				fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%s\n", a.ID, state, a.Rule.Mode, a.State.Fires, latest, plain(text))
			}
			_ = w.Flush() // as any other write to standard output
		}), unread)
	})
}

func (c alertsList) firings(ctx context.Context, s *session, rules *monitor.Rules) error {
	fired, err := rules.Fired(ctx, c.Fired)
	if err != nil {
		return err
	}
	return c.print(s, fired, func(out io.Writer) {
		for _, f := range fired {
			state := "told"
			if !f.Sent {
				state = "waits to be told"
			}
			fmt.Fprintf(out, "%s  %s  %s (%s)\n", f.Time.UTC().Format("2006-01-02 15:04:05Z"), f.Rule, plain(f.Notice.Title), state)
		}
	})
}

type alertsTest struct {
	alertsFlags
	alertsRule
	DryRun bool `help:"Check and show it only; nobody is told."`
}

// Run shows what an alert would tell, and hands it over.
func (c alertsTest) Run(s *session) error {
	now := time.Now()
	return c.rules(s, func(ctx context.Context, tenant storage.Tenant, rules *monitor.Rules) error {
		stored := monitor.Stored{ID: "test", User: c.User}
		var err error
		if len(c.What) == 1 && c.Rule == "" {
			stored, err = rules.Get(ctx, c.What[0])
		} else {
			stored.Rule, err = c.rule(now)
		}
		if err != nil {
			return err
		}
		n := monitor.TestNotice(stored, now)
		if !c.DryRun {
			service, err := notify.New(tenant, &notify.Options{})
			if err != nil {
				return err
			}
			result, err := service.Notify(ctx, notificationOf(n))
			if err != nil {
				return err
			}
			if len(result.Planned) == 0 {
				fmt.Fprintln(s.std.Err, "No channel takes it yet: 'ttai notify add' adds one; a running ttai-scheduler shows alerts on its terminal.")
			}
		}
		return c.print(s, n, func(w io.Writer) {
			fmt.Fprintln(w, plain(n.Title))
			for _, f := range n.Facts {
				fmt.Fprintf(w, "  %s: %s\n", f.Name, plain(f.Value))
			}
			if !c.DryRun {
				fmt.Fprintln(w, "Handed over: ttai-scheduler sends it when it runs.")
			}
		})
	})
}

// notificationOf is a notice of the monitor as people are told it.
func notificationOf(n monitor.Notice) notify.Notification {
	out := notify.Notification{User: n.User, Key: n.Key, Topic: n.Topic, Time: n.Time, Title: n.Title, Text: n.Text, Link: n.Link}
	for _, f := range n.Facts {
		out.Facts = append(out.Facts, notify.Fact{Name: f.Name, Value: f.Value})
	}
	return out
}

type alertsRemove struct {
	alertsFlags
	IDs []string `arg:"" name:"id" help:"The alerts, as list shows them."`
}

// Run removes them.
func (c alertsRemove) Run(s *session) error {
	return c.rules(s, func(ctx context.Context, _ storage.Tenant, rules *monitor.Rules) error {
		mine, err := rules.Of(c.User)
		if err != nil {
			return err
		}
		for _, id := range c.IDs {
			if err := mine.Remove(ctx, id); err != nil {
				return err
			}
		}
		return c.print(s, map[string][]string{"removed": c.IDs}, func(w io.Writer) {
			fmt.Fprintf(w, "removed %s\n", strings.Join(c.IDs, ", "))
		})
	})
}
