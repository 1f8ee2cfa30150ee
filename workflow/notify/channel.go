package notify

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
)

// A Kind is the service behind a channel. It is an open set: Options.Senders adds
// others.
type Kind string

// The kinds. Each says what its secret in the vault is.
const (
	// Discord is a webhook of a Discord channel. Secret: the webhook's URL.
	Discord Kind = "discord"
	// Slack is an incoming webhook. Secret: the webhook's URL.
	Slack Kind = "slack"
	// Telegram is a bot. Secret: its token. Settings.Chat says to whom.
	Telegram Kind = "telegram"
	// Webhook is a program's own address. Secret: what [WebhookSecret] makes.
	Webhook Kind = "webhook"
	// Email is SMTP. Secret: the password of Settings.Login; none without Login.
	Email Kind = "email"
	// WebPush is a browser's subscription, sent to by package webpush. Secret: the
	// subscription as the browser's JSON.
	WebPush Kind = "webpush"
	// Terminal is Options.Out of the process that runs the service. No secret.
	Terminal Kind = "terminal"
)

// A Channel is one way to reach a user. It holds no secret: that lies in the vault
// under [Channel.Secret].
type Channel struct {
	// ID names it among the user's channels: of [storage.CheckName]'s form.
	ID   string `json:"id"`
	User string `json:"user"`
	Kind Kind   `json:"kind"`
	// Settings are what the kind needs beside its secret.
	Settings Settings `json:"settings,omitzero"`
	// Least is the least urgency that it takes; empty means Low.
	Least Urgency `json:"least,omitempty"`
	// Topics are what it takes; empty means all.
	Topics []string `json:"topics,omitempty"`
	// Digest collects what is not urgent; the zero value sends at once.
	Digest Digest `json:"digest,omitzero"`
	// Limit is how many are sent in how long, urgent ones apart; what is more is
	// collected and sent together when there is room. The zero value is no limit.
	Limit Limit `json:"limit,omitzero"`
	// Attempts is how often a message is tried; 0 means 10.
	Attempts int `json:"attempts,omitempty"`
	// Once demands that a message is sent at most once: one that may have arrived is
	// a dead letter instead of being sent again.
	Once bool `json:"once,omitempty"`
	// Disabled channels get nothing. The service disables a channel whose address is
	// gone, and says why in Reason.
	Disabled bool   `json:"disabled,omitempty"`
	Reason   string `json:"reason,omitempty"`
}

// Settings are the parts of a channel that are not secret. Each kind takes its own
// and refuses the others.
type Settings struct {
	// Chat is Telegram's chat: a number, or @name of a public channel. Thread is a
	// topic in a group, 0 for none.
	Chat   string `json:"chat,omitempty"`
	Thread int64  `json:"thread,omitempty"`
	// Server is the mail server as host:port. TLS is "starttls", "tls" from the first
	// byte, or "none" to this machine only; empty means tls for port 465 and
	// starttls otherwise.
	Server string   `json:"server,omitempty"`
	TLS    string   `json:"tls,omitempty"`
	Login  string   `json:"login,omitempty"`
	From   string   `json:"from,omitempty"`
	To     []string `json:"to,omitempty"` // at most 20
}

// A Digest says when collected notifications are sent together.
type Digest struct {
	// At are times of day in the user's zone, as "18:00"; empty means no digest.
	At []string `json:"at,omitempty"`
	// Days are the days of the week, 0 is Sunday; empty means all.
	Days []time.Weekday `json:"days,omitempty"`
}

// A Limit is so many messages in a time.
type Limit struct {
	Most int           `json:"most"`
	Per  time.Duration `json:"per"` // in nanoseconds in JSON
}

// Secret names the channel's secret in the vault.
func (c Channel) Secret() vault.Ref {
	return vault.Ref{User: c.User, Provider: "notify", Name: c.ID}
}

// key is the channel's name within the tenant: ids have no slash.
func (c Channel) key() string { return c.User + "/" + c.ID }

// wants tells whether the channel takes a notification.
func (c Channel) wants(n *Notification) bool {
	if c.Disabled || n.Urgency.rank() < max(0, c.leastRank()) {
		return false
	}
	if n.Channels != nil && !slices.Contains(n.Channels, c.ID) {
		return false
	}
	return len(c.Topics) == 0 || n.Topic == "" || slices.Contains(c.Topics, n.Topic)
}

func (c Channel) leastRank() int {
	if c.Least == "" {
		return 0
	}
	return c.Least.rank()
}

func (c Channel) attempts() int {
	if c.Attempts == 0 {
		return 10
	}
	return c.Attempts
}

// Validate returns a *FieldError unless the channel is complete but for its secret.
func (c *Channel) Validate() error {
	if err := storage.CheckName("id", c.ID); err != nil {
		return err
	}
	if err := storage.CheckText("user", c.User, 128); err != nil {
		return err
	}
	if err := storage.CheckName("kind", string(c.Kind)); err != nil {
		return err
	}
	if c.Least != "" && c.Least.rank() < 0 {
		return invalid.Field("least", string(c.Least), "low, normal, high or urgent")
	}
	if len(c.Topics) > 32 {
		return invalid.Field("topics", len(c.Topics), "at most 32")
	}
	for _, t := range c.Topics {
		if err := storage.CheckName("topics", t); err != nil {
			return err
		}
	}
	if len(c.Digest.At) > 24 {
		return invalid.Field("digest.at", len(c.Digest.At), "at most 24 times of day")
	}
	for _, at := range c.Digest.At {
		if _, err := clockTime("digest.at", at); err != nil {
			return err
		}
	}
	if err := checkDays("digest.days", c.Digest.Days); err != nil {
		return err
	}
	if c.Limit != (Limit{}) && (c.Limit.Most < 1 || c.Limit.Most > 10000 || c.Limit.Per < time.Second || c.Limit.Per > 31*24*time.Hour) {
		return invalid.Field("limit", fmt.Sprintf("%d in %s", c.Limit.Most, c.Limit.Per), "1 to 10000 in 1 second to 31 days")
	}
	if c.Attempts < 0 || c.Attempts > 100 {
		return invalid.Field("attempts", c.Attempts, "1 to 100, or 0 for 10")
	}
	return c.Settings.validate(c.Kind)
}

func (s *Settings) validate(kind Kind) error {
	given := map[string]bool{
		"chat": s.Chat != "", "thread": s.Thread != 0, "server": s.Server != "", "tls": s.TLS != "",
		"login": s.Login != "", "from": s.From != "", "to": len(s.To) > 0,
	}
	takes := map[Kind][]string{Telegram: {"chat", "thread"}, Email: {"server", "tls", "login", "from", "to"}}[kind]
	for _, name := range []string{"chat", "thread", "server", "tls", "login", "from", "to"} {
		if given[name] && !slices.Contains(takes, name) {
			return invalid.Fieldf("settings."+name, "given", "none for a channel of kind %s", kind)
		}
	}
	switch kind {
	case Telegram:
		return s.validateTelegram()
	case Email:
		return s.validateEmail()
	}
	return nil
}

func (s *Settings) validateTelegram() error {
	name, public := strings.CutPrefix(s.Chat, "@")
	digits := strings.TrimPrefix(name, "-")
	ok := name != "" && len(s.Chat) <= 64
	for i := range len(digits) {
		c := digits[i]
		ok = ok && (c >= '0' && c <= '9' || public && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'))
	}
	if !ok || digits == "" {
		return invalid.Field("settings.chat", s.Chat, "a chat's number, or @name of a public channel")
	}
	if s.Thread < 0 {
		return invalid.Field("settings.thread", s.Thread, "0 or a topic's number")
	}
	return nil
}

func (s *Settings) validateEmail() error {
	host, port, err := net.SplitHostPort(s.Server)
	if err != nil || host == "" || port == "" || strings.ContainsAny(s.Server, "\r\n @/") {
		return invalid.Field("settings.server", s.Server, "host:port")
	}
	switch s.tls() {
	case "starttls", "tls":
	case "none":
		if !rest.Loopback(host) {
			return invalid.Field("settings.tls", s.TLS, "starttls or tls; none is for this machine only")
		}
	default:
		return invalid.Field("settings.tls", s.TLS, "starttls, tls or none")
	}
	if s.Login != "" {
		if err := storage.CheckText("settings.login", s.Login, 256); err != nil {
			return err
		}
	}
	if _, err := mailAddress("settings.from", s.From); err != nil {
		return err
	}
	if len(s.To) == 0 || len(s.To) > 20 {
		return invalid.Field("settings.to", len(s.To), "1 to 20 addresses")
	}
	for _, to := range s.To {
		if _, err := mailAddress("settings.to", to); err != nil {
			return err
		}
	}
	return nil
}

func (s *Settings) tls() string {
	if s.TLS != "" {
		return s.TLS
	}
	if strings.HasSuffix(s.Server, ":465") {
		return "tls"
	}
	return "starttls"
}

func mailAddress(field, s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || strings.ContainsAny(s, "\r\n") || len(s) > 320 || !strings.Contains(a.Address, "@") {
		return nil, invalid.Field(field, s, "a mail address, such as ann@example.com")
	}
	return a, nil
}

// secureURL reads an https address, or an http one of this machine, without
// credentials. Errors show nothing of it: it may be a capability.
func secureURL(field, s string) (*url.URL, error) {
	const allowed = "an https address without user and password, at most 2048 bytes"
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Opaque != "" || len(s) > 2048 {
		return nil, invalid.Secret(field, allowed)
	}
	for _, r := range s {
		if r <= ' ' || r == 0x7f || r == '"' || r == '<' || r == '>' || r == '\\' {
			return nil, invalid.Secret(field, allowed)
		}
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && rest.Loopback(u.Hostname())) {
		return nil, invalid.Secret(field, allowed)
	}
	return u, nil
}

func channels(records storage.Records) *storage.Collection[Channel] {
	return storage.NewCollection(records, storage.Kind[Channel]{
		Collection: "notify-channels",
		ID:         func(c *Channel) string { return c.key() },
		Fields:     func(c *Channel) []storage.Field { return []storage.Field{storage.Text("user", c.User)} },
		Check:      (*Channel).Validate,
	})
}
