package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/notify"
	"github.com/ttai-go/ttai/workflow/notify/webpush"
)

type notifyCommand struct {
	Add    notifyAdd    `cmd:"" help:"Add a way to reach you, or change one: Discord, Slack, Telegram, webhook, email, webpush, terminal."`
	List   notifyList   `cmd:"" help:"The channels, the quiet hours, and how many notifications could not be sent."`
	Test   notifyTest   `cmd:"" help:"Send a test message to a channel now, and say what became of it."`
	Remove notifyRemove `cmd:"" help:"Remove a channel and its secret."`
	Quiet  notifyQuiet  `cmd:"" help:"Hours in which only what is urgent is sent."`
	Dead   notifyDead   `cmd:"" help:"Notifications that could not be sent; send them again, or forget them."`
	Key    notifyKey    `cmd:"" help:"The public key that a browser subscribes to web push with."`
}

// Help is shown below the commands.
func (notifyCommand) Help() string {
	return `Examples:
  ttai notify add team --kind discord                asks for the webhook's address, which is the secret
  ttai notify add me --kind telegram --chat 123456789 < token.txt
  ttai notify add mail --kind email --server smtp.example.com:587 --login ann --from ttai@example.com --to ann@example.com
  ttai notify add hook --kind webhook                asks for the address; makes and shows the key that signs
  ttai notify add desk --kind slack --least high --topics alerts,orders --digest 12:00,18:00 --limit 10/1h
  ttai notify test me
  ttai notify quiet 22:00-07:00 --zone America/New_York
  ttai notify dead --replay

Secrets are read from the terminal or standard input, never from the command line, and lie encrypted in the vault. What is
said here lies in the store: every ttai-scheduler with the same store sends to it. See docs/notifications.md.
Exit code: 0 done, 1 it failed, 2 what was asked is wrong.`
}

type notifyFlags struct {
	tenantCommand
	User string `help:"Whose channels." default:"local" placeholder:"NAME"`
}

// service opens the notifications of this user.
func (c notifyFlags) service(s *session, out io.Writer, f func(context.Context, *notify.Service, *notify.Options) error) error {
	return c.with(s, func(ctx context.Context, store *app.Store) error {
		tenant, err := store.For(storage.TenantID(c.Tenant))
		if err != nil {
			return err
		}
		opts, err := store.NotifyOptions(storage.TenantID(c.Tenant))
		if err != nil {
			return err
		}
		opts.Out = out
		service, err := notify.New(tenant, opts)
		if err != nil {
			return err
		}
		err = f(ctx, service, opts)
		switch _, bad := errors.AsType[*invalid.FieldError](err); {
		case bad:
			err = app.Usage(err)
		case errors.Is(err, storage.ErrNotFound):
			err = app.Usage(errors.New("there is no such channel; 'ttai notify list' shows those there are"))
		}
		return plainly(err)
	})
}

type notifyAdd struct {
	notifyFlags
	ID       string   `arg:"" help:"Its name: a-z, 0-9, '.', '_' and '-'."`
	Kind     string   `help:"discord, slack, telegram, webhook, email, webpush or terminal." required:"" placeholder:"NAME"`
	Chat     string   `help:"Telegram: the chat's number, or @name of a public channel." placeholder:"ID"`
	Thread   int64    `help:"Telegram: a topic of a group." placeholder:"NUMBER"`
	Server   string   `help:"Email: the mail server." placeholder:"HOST:PORT"`
	TLS      string   `name:"tls" help:"Email: starttls or tls. Default: tls for port 465 and starttls otherwise." placeholder:"NAME"`
	Login    string   `help:"Email: the login; its password is the secret." placeholder:"NAME"`
	From     string   `help:"Email: the sender's address." placeholder:"ADDRESS"`
	To       []string `help:"Email: whom to." placeholder:"ADDRESS,…"`
	Least    string   `help:"Only what is at least so urgent: low, normal, high or urgent." placeholder:"NAME"`
	Topics   []string `help:"Only these topics, such as alerts, news, reports, jobs." placeholder:"NAME,…"`
	Digest   []string `help:"Collect what is not urgent and send it together at these times of day." placeholder:"HH:MM,…"`
	Limit    string   `help:"At most so many in a time; what is more is sent together." placeholder:"N/TIME"`
	Attempts int      `help:"How often a message is tried. Default: 10." placeholder:"N"`
	Once     bool     `help:"Send at most once: what may have arrived is not repeated."`
	Keep     bool     `help:"Keep the secret that the channel has."`
}

// Run adds a channel.
func (c notifyAdd) Run(s *session) error {
	channel := notify.Channel{
		ID: c.ID, User: c.User, Kind: notify.Kind(c.Kind), Least: notify.Urgency(c.Least), Topics: c.Topics, Digest: notify.Digest{At: c.Digest},
		Attempts: c.Attempts, Once: c.Once,
		Settings: notify.Settings{Chat: c.Chat, Thread: c.Thread, Server: c.Server, TLS: c.TLS, Login: c.Login, From: c.From, To: c.To},
	}
	var err error
	if channel.Limit, err = readLimit(c.Limit); err != nil {
		return app.Usage(err)
	}
	if err := channel.Validate(); err != nil {
		return app.Usage(err) // before anybody is asked for a secret
	}
	return c.service(s, s.std.Out, func(ctx context.Context, service *notify.Service, _ *notify.Options) error {
		var secret []byte
		var shown string
		if !c.Keep {
			if secret, shown, err = c.secret(s); err != nil {
				return err
			}
			defer clear(secret)
		}
		if err := service.Add(ctx, channel, secret); err != nil {
			return err
		}
		answer := struct {
			Channel notify.Channel `json:"channel"`
			Key     string         `json:"signing_key,omitempty"`
		}{channel, shown}
		return c.print(s, answer, func(out io.Writer) {
			if shown != "" {
				fmt.Fprintf(out, "the receiver verifies with this key, which is not shown again: %s\n", shown)
			}
			fmt.Fprintf(out, "added %s; 'ttai notify test %s' sends a message\n", plain(c.ID), plain(c.ID))
		})
	})
}

// readLimit reads "10/1h".
func readLimit(text string) (notify.Limit, error) {
	if text == "" {
		return notify.Limit{}, nil
	}
	most, per, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(strings.TrimSpace(most))
	d, err2 := time.ParseDuration(strings.TrimSpace(per))
	if err != nil || err2 != nil {
		return notify.Limit{}, invalid.Field("limit", text, "a number and a time, such as 10/1h")
	}
	return notify.Limit{Most: n, Per: d}, nil
}

// secret reads what the kind needs; nil when it needs nothing. Shown is a signing
// key that was made.
func (c notifyAdd) secret(s *session) (secret []byte, shown string, err error) {
	question := map[notify.Kind]string{
		notify.Discord:  "The webhook's address (Discord: channel settings, Integrations, Webhooks)",
		notify.Slack:    "The webhook's address (Slack: your app, Incoming Webhooks)",
		notify.Telegram: "The bot's token (Telegram: @BotFather)",
		notify.Webhook:  "The receiver's address, and behind a space its whsec_ key if it has one",
		notify.Email:    "The password of " + c.Login,
		notify.WebPush:  "The browser's subscription as JSON, on one line",
	}[notify.Kind(c.Kind)]
	if question == "" || notify.Kind(c.Kind) == notify.Email && c.Login == "" {
		return nil, "", nil
	}
	text, err := readSecret(s, question)
	if err != nil {
		return nil, "", err
	}
	if notify.Kind(c.Kind) != notify.Webhook {
		return []byte(text), "", nil
	}
	parts := strings.Fields(text)
	switch len(parts) {
	case 1:
		shown = notify.NewWebhookKey()
		parts = append(parts, shown)
	case 2:
	default:
		return nil, "", invalid.Secret("secret", "an address, and behind a space a key if there is one")
	}
	secret, err = notify.WebhookSecret(parts[0], parts[1])
	return secret, shown, err
}

// maxSecret bounds what is read from standard input.
const maxSecret = 16 << 10

// readSecret asks at the terminal, without showing what is typed, or reads standard
// input.
func readSecret(s *session, question string) (string, error) {
	if file, ok := s.std.In.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return asker{session: s, in: file, out: s.std.Err}.secret(question, "")
	}
	data, err := io.ReadAll(io.LimitReader(s.std.In, maxSecret+1))
	if err != nil {
		return "", err
	}
	defer clear(data)
	text := strings.TrimSpace(string(data))
	if text == "" || len(data) > maxSecret {
		return "", invalid.Secret("secret", "the channel's secret on standard input: "+question)
	}
	return text, nil
}

type notifyList struct{ notifyFlags }

// Run lists the channels.
func (c notifyList) Run(s *session) error {
	return c.service(s, s.std.Out, func(ctx context.Context, service *notify.Service, _ *notify.Options) error {
		channels, err := service.Channels(ctx, c.User)
		if err != nil {
			return err
		}
		preferences, err := service.Preferences(ctx, c.User)
		if err != nil {
			return err
		}
		dead, err := service.DeadLetters(ctx)
		if err != nil {
			return err
		}
		answer := struct {
			Channels    []notify.Channel   `json:"channels"`
			Preferences notify.Preferences `json:"preferences"`
			Dead        int                `json:"dead"`
		}{append([]notify.Channel{}, channels...), preferences, len(dead)}
		return c.print(s, answer, func(out io.Writer) {
			if len(channels) == 0 {
				fmt.Fprintln(out, "there is no channel yet; 'ttai notify add' makes one")
			}
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			for _, ch := range channels {
				fmt.Fprintf(table, "%s\t%s\t%s\n", plain(ch.ID), ch.Kind, plain(describe(ch)))
			}
			_ = table.Flush() // what it writes to is checked by whoever reads it
			for _, q := range preferences.Quiet {
				fmt.Fprintf(out, "quiet from %s to %s %s%s\n", q.From, q.To, plain(preferences.Zone), days(q.Days))
			}
			if len(dead) > 0 {
				fmt.Fprintf(out, "%d could not be sent: 'ttai notify dead' shows them\n", len(dead))
			}
		})
	})
}

// describe is a channel without its name.
func describe(c notify.Channel) string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if c.Disabled {
		add("DISABLED: %s", c.Reason)
	}
	if c.Settings.Chat != "" {
		add("chat %s", c.Settings.Chat)
	}
	if len(c.Settings.To) > 0 {
		add("to %s by %s", strings.Join(c.Settings.To, ", "), c.Settings.Server)
	}
	if c.Least != "" {
		add("from %s on", c.Least)
	}
	if len(c.Topics) > 0 {
		add("only %s", strings.Join(c.Topics, ", "))
	}
	if len(c.Digest.At) > 0 {
		add("together at %s%s", strings.Join(c.Digest.At, ", "), days(c.Digest.Days))
	}
	if c.Limit.Most > 0 {
		add("at most %d in %s", c.Limit.Most, c.Limit.Per)
	}
	if c.Once {
		add("at most once")
	}
	return strings.Join(parts, "; ")
}

func days(all []time.Weekday) string {
	var names []string
	for _, d := range all {
		names = append(names, d.String()[:3])
	}
	if len(names) == 0 {
		return ""
	}
	return " on " + strings.Join(names, ", ")
}

type notifyTest struct {
	notifyFlags
	ID string `arg:"" help:"The channel."`
}

// Run sends a message.
func (c notifyTest) Run(s *session) error {
	return c.service(s, s.std.Out, func(ctx context.Context, service *notify.Service, _ *notify.Options) error {
		if err := service.Test(ctx, c.User, c.ID); err != nil {
			return err
		}
		return c.print(s, map[string]any{"sent": true, "channel": c.ID}, func(out io.Writer) {
			fmt.Fprintf(out, "sent to %s\n", plain(c.ID))
		})
	})
}

type notifyRemove struct {
	notifyFlags
	ID string `arg:"" help:"The channel."`
}

// Run removes a channel.
func (c notifyRemove) Run(s *session) error {
	return c.service(s, s.std.Out, func(ctx context.Context, service *notify.Service, _ *notify.Options) error {
		channels, err := service.Channels(ctx, c.User)
		if err != nil {
			return err
		}
		found := false
		for _, ch := range channels {
			found = found || ch.ID == c.ID
		}
		if !found {
			return storage.ErrNotFound
		}
		if err := service.Remove(ctx, c.User, c.ID); err != nil {
			return err
		}
		return c.print(s, map[string]any{"removed": true, "channel": c.ID}, func(out io.Writer) {
			fmt.Fprintf(out, "removed %s and its secret\n", plain(c.ID))
		})
	})
}

type notifyQuiet struct {
	notifyFlags
	Hours []string `arg:"" help:"Hours such as 22:00-07:00, each day or with days in front: sat,sun@00:00-00:00. 'off' takes them back."`
	Zone  string   `help:"Your time zone. Default: the one you have set, or America/New_York." placeholder:"NAME"`
}

// Run sets the quiet hours.
func (c notifyQuiet) Run(s *session) error {
	var quiet []notify.Quiet
	for _, text := range c.Hours {
		if text == "off" && len(c.Hours) == 1 {
			break
		}
		q, err := readQuiet(text)
		if err != nil {
			return app.Usage(err)
		}
		quiet = append(quiet, q)
	}
	return c.service(s, s.std.Out, func(ctx context.Context, service *notify.Service, _ *notify.Options) error {
		p, err := service.Preferences(ctx, c.User)
		if err != nil {
			return err
		}
		p.Quiet = quiet
		if c.Zone != "" {
			p.Zone = c.Zone
		}
		if err := service.SetPreferences(ctx, p); err != nil {
			return err
		}
		return c.print(s, p, func(out io.Writer) {
			if len(quiet) == 0 {
				fmt.Fprintln(out, "no quiet hours")
			}
			for _, q := range quiet {
				fmt.Fprintf(out, "quiet from %s to %s%s\n", q.From, q.To, days(q.Days))
			}
		})
	})
}

// readQuiet reads "sat,sun@22:00-07:00".
func readQuiet(text string) (notify.Quiet, error) {
	refused := invalid.Field("hours", text, "hours such as 22:00-07:00 or sat,sun@00:00-00:00, or off")
	var q notify.Quiet
	names, hours, ok := strings.Cut(text, "@")
	if !ok {
		names, hours = "", text
	}
	for _, name := range strings.FieldsFunc(names, func(r rune) bool { return r == ',' }) {
		found := false
		for d := time.Sunday; d <= time.Saturday; d++ {
			if strings.EqualFold(name, d.String()[:3]) || strings.EqualFold(name, d.String()) {
				q.Days, found = append(q.Days, d), true
			}
		}
		if !found {
			return q, refused
		}
	}
	if q.From, q.To, ok = strings.Cut(hours, "-"); !ok {
		return q, refused
	}
	return q, nil
}

type notifyDead struct {
	notifyFlags
	IDs    []string `arg:"" optional:"" name:"ids" help:"Only these."`
	Replay bool     `help:"Send them again." xor:"what"`
	Drop   bool     `help:"Forget them." xor:"what"`
}

// Run lists, replays or drops.
func (c notifyDead) Run(s *session) error {
	return c.service(s, s.std.Out, func(ctx context.Context, service *notify.Service, _ *notify.Options) error {
		all, err := service.DeadLetters(ctx)
		if err != nil {
			return err
		}
		wanted := map[string]bool{}
		for _, id := range c.IDs {
			wanted[id] = true
		}
		dead, ids := []notify.Dead{}, []string{}
		for _, d := range all {
			if len(wanted) == 0 || wanted[d.ID] {
				dead, ids = append(dead, d), append(ids, d.ID)
			}
		}
		if len(wanted) > 0 && len(dead) < len(wanted) {
			return app.Usage(errors.New("not all of these are there; 'ttai notify dead' shows those that are"))
		}
		what := ""
		switch {
		case len(ids) == 0:
		case c.Replay:
			what, err = "sent again when the scheduler runs", service.Replay(ctx, ids...)
		case c.Drop:
			what, err = "forgotten", service.Drop(ctx, ids...)
		}
		if err != nil {
			return err
		}
		return c.print(s, map[string]any{"dead": dead, "done": what}, func(out io.Writer) {
			if len(dead) == 0 {
				fmt.Fprintln(out, "none")
			}
			table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
			for _, d := range dead {
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", d.ID, d.Failed.Format(time.RFC3339), plain(d.Channel), plain(d.Title), plain(d.Cause))
			}
			_ = table.Flush() // what it writes to is checked by whoever reads it
			if what != "" {
				fmt.Fprintf(out, "%d %s\n", len(ids), what)
			}
		})
	})
}

type notifyKey struct{ notifyFlags }

// Run shows the key.
func (c notifyKey) Run(s *session) error {
	return c.service(s, s.std.Out, func(ctx context.Context, _ *notify.Service, opts *notify.Options) error {
		public, err := webpush.VaultKeys(ctx, opts.Vault)
		if err != nil {
			return err
		}
		return c.print(s, map[string]string{"public_key": public}, func(out io.Writer) { fmt.Fprintln(out, public) })
	})
}
