package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/vault"
	"github.com/ttai-go/ttai/workflow"
)

// A Vault keeps the secrets of channels; *vault.Vault is one.
type Vault interface {
	Get(ctx context.Context, ref vault.Ref) (vault.Secret, error)
	Put(ctx context.Context, ref vault.Ref, secret vault.Secret, ttl time.Duration) error
	Delete(ctx context.Context, ref vault.Ref) error
}

// Options are the settings of a [Service]. The zero value works for channels that
// need no secret.
type Options struct {
	// Vault holds the channels' secrets; nil means that there are none.
	Vault Vault
	// Senders are kinds beside the built-in ones, such as webpush.New, or in their
	// place.
	Senders map[Kind]Sender
	// HTTP sends to Discord, Slack, Telegram and webhooks; nil means NewHTTP(nil).
	HTTP *HTTP
	// Telegram is the address of a bot API server; empty means api.telegram.org.
	Telegram string
	// MailRoots are the authorities of mail servers' certificates; nil means the
	// system's.
	MailRoots *x509.CertPool
	// Out is where channels of kind Terminal write; nil means that this program has
	// no terminal.
	Out io.Writer
	// Templates are those that notifications name; nil means [DefaultTemplates].
	Templates *Templates
	// Zone is the zone of users who name none; nil means America/New_York.
	Zone *time.Location
	// Clock tells quiet hours, digests and ages; nil means workflow.RealClock.
	Clock workflow.Clock
	// Window is how long a Notification.Key is remembered; 0 means 24 hours.
	Window time.Duration
	// MaxAge is how long a message is tried, from when it was due; 0 means 24 hours.
	MaxAge time.Duration
	// Timeout is for one send; 0 means 15 seconds.
	Timeout time.Duration
	// Batches is how the queue is worked off; the zero value means
	// workflow.Notifications, eight batches at a time.
	Batches workflow.Batches
	// Observer is told what became of each attempt, for metrics. It must not block.
	Observer func(Outcome)
	// Logger hears of channels that fail; nil means nobody.
	Logger *slog.Logger
}

// An Outcome is what became of one attempt to send.
type Outcome struct {
	User, Channel string
	Kind          Kind
	// State is "sent", "retry", "deferred" (not tried: the channel pauses, is limited,
	// or it is quiet), "collected" (it waits for a digest) or "dead".
	State   string
	Attempt int
	Took    time.Duration // of the send; 0 when nothing was sent
	Error   string        // empty when it was sent; holds no secret
}

// A Service notifies the users of one tenant. It is safe for concurrent use, also
// by several processes over one store.
type Service struct {
	o       Options
	store   storage.Tenant
	records storage.Records
	objects storage.Objects
	queue   storage.Queue
	limiter storage.Limiter
	senders map[Kind]Sender

	channels    *storage.Collection[Channel]
	preferences *storage.Collection[Preferences]
	seen        *storage.Collection[seen]
	states      *storage.Collection[state]
	collected   *storage.Collection[collected]

	mu    sync.Mutex
	lanes map[string]*lane
}

// QueueName is the name of the queue of notifications.
const QueueName = "notifications"

// Queue opens a tenant's queue of notifications, with its settings.
func Queue(tenant storage.Tenant) (storage.Queue, error) {
	// Attempts are counted here by channel; the queue's own are for processes that die
	// with a message, and carry what failed for good to the dead letters.
	return tenant.Queue(QueueName, &storage.QueueOptions{
		Lease: 30 * time.Second, Attempts: 3, MinBackoff: time.Second, MaxBackoff: 10 * time.Second, Window: 48 * time.Hour,
	})
}

// New returns the tenant's service, or a *FieldError, or what opening the store's
// parts says. Opts may be nil.
func New(tenant storage.Tenant, opts *Options) (*Service, error) {
	if tenant == nil {
		return nil, invalid.Missing("tenant", "a tenant of a store")
	}
	s := &Service{store: tenant, lanes: map[string]*lane{}}
	if opts != nil {
		s.o = *opts
	}
	if err := s.defaults(); err != nil {
		return nil, err
	}
	var errs [4]error
	s.records, errs[0] = tenant.Records()
	s.objects, errs[1] = tenant.Objects("notify")
	s.queue, errs[2] = Queue(tenant)
	s.limiter, errs[3] = tenant.Limiter()
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	s.channels, s.preferences = channels(s.records), preferences(s.records)
	s.seen, s.states, s.collected = seenKeys(s.records), states(s.records), collectedItems(s.records)
	return s, nil
}

func (s *Service) defaults() (err error) {
	o := &s.o
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{{"Window", &o.Window, 24 * time.Hour}, {"MaxAge", &o.MaxAge, 24 * time.Hour}, {"Timeout", &o.Timeout, 15 * time.Second}} {
		if *d.value < 0 {
			return invalid.Field(d.name, *d.value, "0 for the default, or a positive duration")
		}
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	if o.Clock == nil {
		o.Clock = workflow.RealClock{}
	}
	if o.Zone == nil {
		if o.Zone, err = zone("America/New_York"); err != nil {
			return err
		}
	}
	if o.Templates == nil {
		if o.Templates, err = DefaultTemplates(); err != nil {
			return err
		}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Observer == nil {
		o.Observer = func(Outcome) {}
	}
	if o.Batches.Most == 0 {
		o.Batches.Most = workflow.Notifications().Most
	}
	if o.Batches.Wait == 0 {
		o.Batches.Wait = workflow.Notifications().Wait
	}
	if o.Batches.AtOnce == 0 {
		o.Batches.AtOnce = 8
	}
	if o.Batches.Logger == nil {
		o.Batches.Logger = o.Logger
	}
	if o.Batches, err = o.Batches.Validated(); err != nil {
		return err
	}
	if o.HTTP == nil {
		if o.HTTP, err = NewHTTP(&HTTPOptions{Timeout: o.Timeout}); err != nil {
			return err
		}
	}
	base, err := telegramBase(o.Telegram)
	if err != nil {
		return invalid.Secret("Telegram", "an https address, or http to this machine")
	}
	now := o.Clock.Now
	dial := (&net.Dialer{}).DialContext
	if o.HTTP.options.Dial != nil {
		dial = o.HTTP.options.Dial
	}
	s.senders = map[Kind]Sender{
		Discord: &discord{o.HTTP, now}, Slack: &slack{o.HTTP, now}, Telegram: &telegram{o.HTTP, now, base},
		Webhook: &webhook{o.HTTP, now}, Email: &email{now: now, timeout: o.Timeout, roots: o.MailRoots, dial: dial},
		Terminal: &terminal{out: o.Out, zone: func(m Message) string { return m.Time.In(o.Zone).Format("15:04:05") }},
	}
	for k, sender := range o.Senders {
		if sender == nil {
			return invalid.Field("Senders", string(k), "a sender for each kind")
		}
		s.senders[k] = sender
	}
	return nil
}

// Kinds returns the kinds that this service can send to, built-in ones and those of
// Options.Senders, except Terminal where there is none.
func (s *Service) Kinds() []Kind {
	var out []Kind
	for _, k := range []Kind{Discord, Slack, Telegram, Webhook, Email, WebPush, Terminal} {
		if s.senders[k] != nil && (k != Terminal || s.o.Out != nil) {
			out = append(out, k)
		}
	}
	return out
}

// Add stores a channel and its secret, in place of one of the same id. Secret is
// nil for kinds without one; for a channel that is there already, nil keeps the
// secret that it has. It is checked that messages could be sent, not that they
// arrive: see [Service.Test].
func (s *Service) Add(ctx context.Context, c Channel, secret []byte) error {
	if err := c.Validate(); err != nil {
		return err
	}
	sender := s.senders[c.Kind]
	if sender == nil {
		return invalid.Field("kind", string(c.Kind), "a kind that this program can send to")
	}
	if secret == nil {
		kept, err := s.secret(ctx, c)
		if err != nil {
			return err
		}
		defer clear(kept)
		if err := sender.Check(c, kept); err != nil {
			return err
		}
		_, err = s.channels.Put(ctx, c)
		return err
	}
	if err := sender.Check(c, secret); err != nil {
		return err
	}
	if s.o.Vault == nil {
		return invalid.Secret("secret", "none, as this program has no vault")
	}
	sealed := vault.NewSecret(append([]byte(nil), secret...))
	defer sealed.Destroy()
	if err := s.o.Vault.Put(ctx, c.Secret(), sealed, 0); err != nil {
		return err
	}
	_, err := s.channels.Put(ctx, c)
	return err
}

// secret returns a copy of the channel's secret, which the caller clears; nil when
// there is none.
func (s *Service) secret(ctx context.Context, c Channel) ([]byte, error) {
	if s.o.Vault == nil {
		return nil, nil
	}
	sealed, err := s.o.Vault.Get(ctx, c.Secret())
	if errors.Is(err, storage.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer sealed.Destroy()
	var out []byte
	err = sealed.Use(func(b []byte) error {
		out = append([]byte(nil), b...)
		return nil
	})
	return out, err
}

// Channels returns a user's channels, ordered by id; an empty user means those of
// all users, ordered by user.
func (s *Service) Channels(ctx context.Context, user string) ([]Channel, error) {
	q := storage.RecordQuery{Limit: 1000}
	if user != "" {
		q.Where = []storage.Field{storage.Text("user", user)}
	}
	var out []Channel
	for c, err := range s.channels.All(ctx, q) {
		if err != nil {
			return nil, err
		}
		out = append(out, c.Value)
	}
	return out, nil
}

// Remove deletes a channel and its secret. What waits for it becomes a dead letter.
// Removing what is not there is no error.
func (s *Service) Remove(ctx context.Context, user, id string) error {
	c := Channel{User: user, ID: id}
	if err := storage.CheckName("id", id); err != nil {
		return err
	}
	if err := s.channels.Delete(ctx, c.key()); err != nil {
		return err
	}
	if s.o.Vault == nil {
		return nil
	}
	return s.o.Vault.Delete(ctx, c.Secret())
}

// Test sends a test message to a channel now, past its digest, limits and quiet
// hours, and returns why it did not arrive as a *SendError. ErrNotFound: there is no
// such channel. A channel that was disabled and works again is enabled.
func (s *Service) Test(ctx context.Context, user, id string) error {
	if err := storage.CheckName("id", id); err != nil {
		return err
	}
	stored, err := s.channels.Get(ctx, Channel{User: user, ID: id}.key())
	if err != nil {
		return err
	}
	now := s.o.Clock.Now()
	err = s.send(ctx, Delivery{Key: "test-" + randomID(), Channel: stored.Value, Message: Message{
		Title: "ttai: a test", Text: "This channel works.", Topic: "test", Urgency: Normal, Time: now, User: user,
	}})
	if err != nil || !stored.Value.Disabled {
		return err
	}
	_, err = s.channels.Update(ctx, stored.Value.key(), func(c *Channel) error {
		c.Disabled, c.Reason = false, ""
		return nil
	})
	return err
}

// SetPreferences stores a user's preferences.
func (s *Service) SetPreferences(ctx context.Context, p Preferences) error {
	_, err := s.preferences.Put(ctx, p)
	return err
}

// Preferences returns a user's preferences; the zero ones when there are none.
func (s *Service) Preferences(ctx context.Context, user string) (Preferences, error) {
	p, err := s.preferences.Get(ctx, user)
	if errors.Is(err, storage.ErrNotFound) {
		return Preferences{User: user}, nil
	}
	return p.Value, err
}

// settled returns a user's preferences and the zone they hold in.
func (s *Service) settled(ctx context.Context, user string) (Preferences, *time.Location, error) {
	p, err := s.Preferences(ctx, user)
	if err != nil {
		return p, nil, err
	}
	name := p.Zone
	if name == "" {
		repositories, err := storage.Open(s.store)
		if err != nil {
			return p, nil, err
		}
		general, err := repositories.Preferences.Get(ctx, user)
		if err != nil && !errors.Is(err, storage.ErrNotFound) {
			return p, nil, err
		}
		name = general.Value.TimeZone
	}
	loc, err := zone(name)
	if err != nil || loc == nil {
		loc = s.o.Zone // a zone that this system does not know is no reason to lose a message
	}
	return p, loc, nil
}
