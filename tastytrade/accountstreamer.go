package tastytrade

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// The account streamers of the broker.
const (
	ProductionAccountStreamer = "wss://streamer.tastyworks.com"
	SandboxAccountStreamer    = "wss://streamer.cert.tastyworks.com"
)

// ErrStreamClosed is why a stream ends that its owner has closed.
var ErrStreamClosed = errors.New("tastytrade: the stream was closed")

// A StreamError is a request that the account streamer refused.
type StreamError struct {
	Action  string // "connect", "heartbeat" …
	Message string // the broker's: "connect-not-completed"
}

// Error returns one line.
func (e *StreamError) Error() string {
	return fmt.Sprintf("tastytrade: account streamer: %s was refused: %s", e.Action, clean(e.Message))
}

// AccountStreamerOptions configure an [AccountStreamer]. Accounts is required;
// the zero value of everything else works.
type AccountStreamerOptions struct {
	// Accounts are those whose notifications are wanted.
	Accounts []AccountNumber
	// PublicWatchlists and QuoteAlerts ask for those notifications too, and
	// UserMessages, the external id of the user, for messages to it. The last
	// is not documented.
	PublicWatchlists, QuoteAlerts bool
	UserMessages                  string

	// Rehydrate is called after every connection is made, the first included,
	// and before any notification of that connection is given out: the broker
	// sends no initial state and repeats nothing, so that this is the time to
	// read orders, positions and balances through the REST routes. gap says
	// what was missed; for the first connection it is nil. What is read may be
	// returned: notifications that are no newer are then dropped. An error
	// makes the stream drop the connection and begin again. It runs under
	// RehydrateTimeout on a goroutine of the stream and must return when its
	// context ends. Nil: nothing is called. See [Client.AccountSnapshot].
	Rehydrate        func(ctx context.Context, gap *AccountGap) (*AccountSnapshot, error)
	RehydrateTimeout time.Duration // 0: 30 s

	// Buffer is how many notifications wait for the reader; 0: 4096. When it is
	// full a notification takes the place of a waiting one about the same
	// object, which loses nothing but a state that is past; when there is none,
	// the oldest is dropped and an [AccountGap] with the number of those lost
	// stands where it was.
	Buffer int

	URL      string // empty: that of the client's environment
	Source   string // names the program to the broker; empty: the client's UserAgent
	RawToken bool   // send the token without "Bearer", as older servers want it
	// Heartbeat is how often the stream says that it lives, each time with the
	// token of the moment: 2 s to 1 min, 0: 20 s.
	Heartbeat time.Duration
	// AckTimeout is how long a request may go without an answer, and a
	// heartbeat without any message of the server; 0: 10 s.
	AckTimeout time.Duration
	Handshake  time.Duration // of connecting and subscribing; 0: 15 s
	// MinBackoff and MaxBackoff bound the waits between attempts to connect
	// again, which are jittered; 0: 500 ms and 30 s.
	MinBackoff, MaxBackoff time.Duration
	// MaxAttempts ends the stream after so many failed attempts in a row; 0: never.
	MaxAttempts int
}

// An AccountGap is a time of which notifications may be missing.
type AccountGap struct {
	Since time.Time // when the connection was lost, or the first notification dropped
	Until time.Time // when notifications flow again
	// Lost is how many connections were lost within it; more than one when the
	// reader had not come to the first yet. 0: the gap is the buffer's.
	Lost int
	// Dropped is how many notifications did not fit into the buffer.
	Dropped int
	Err     error // why the connection was lost, the latest time
}

// An AccountSnapshot is the state of accounts as the REST routes give it.
type AccountSnapshot struct {
	Orders    []Order // of today
	Positions []Position
	Balances  []Balance
}

// AccountSnapshot reads the orders of today, the positions and the balances of
// accounts, for the Rehydrate function of a stream:
//
//	Rehydrate: func(ctx context.Context, _ *tastytrade.AccountGap) (*tastytrade.AccountSnapshot, error) {
//		snapshot, err := client.AccountSnapshot(ctx, account)
//		if err == nil {
//			show(snapshot)
//		}
//		return snapshot, err
//	},
func (c *Client) AccountSnapshot(ctx context.Context, accounts ...AccountNumber) (*AccountSnapshot, error) {
	var out AccountSnapshot
	for _, account := range accounts {
		for order, err := range c.Orders.AllLive(ctx, account) {
			if err != nil {
				return nil, err
			}
			out.Orders = append(out.Orders, order)
		}
		positions, err := c.Positions.List(ctx, account, nil)
		if err != nil {
			return nil, err
		}
		balances, err := c.Balances.List(ctx, account)
		if err != nil {
			return nil, err
		}
		out.Positions = append(out.Positions, positions...)
		out.Balances = append(out.Balances, balances...)
	}
	return &out, nil
}

// An AccountStreamer gives the notifications of accounts. It keeps itself
// connected: a connection that is lost, goes silent or sends what cannot be
// read is made anew with a new token, after a jittered wait, and subscribed
// again; the reader sees an [AccountGap]. A notification that is older than one
// already given, by its updated-at, or the same again, is dropped. Methods are
// safe for concurrent use, but one loop at a time may run over Notifications.
type AccountStreamer struct {
	client *Client
	opts   AccountStreamerOptions
	url    string
	log    *slog.Logger

	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
	queue  *notificationQueue

	mu       sync.Mutex
	accounts []AccountNumber
	session  *accountSession // nil while not connected
	err      error           // why the stream ended
	last     error           // the latest trouble that did not end it
}

// DialAccounts connects to the account streamer and returns a stream that lives
// until Close. ctx is for this first connection, which is attempted once.
func (c *Client) DialAccounts(ctx context.Context, opts *AccountStreamerOptions) (*AccountStreamer, error) {
	s := &AccountStreamer{client: c, done: make(chan struct{}), log: c.opts.Logger}
	if opts != nil {
		s.opts = *opts
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if err := s.defaults(); err != nil {
		return nil, err
	}
	s.queue = newNotificationQueue(s.opts.Buffer, c.opts.Now)
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.queue.hold(nil) // until the first rehydration
	session, err := s.connect(ctx)
	if err != nil {
		s.cancel()
		return nil, err
	}
	s.attach(session)
	go s.run(session)
	return s, nil
}

func (s *AccountStreamer) defaults() error {
	o := &s.opts
	if len(o.Accounts) == 0 || slices.Contains(o.Accounts, "") {
		return invalid.Field("Accounts", o.Accounts, "one account number or more, none of them empty")
	}
	s.accounts = slices.Clone(o.Accounts)
	if o.Buffer < 0 {
		return invalid.Field("Buffer", o.Buffer, "1 or more, or 0 for the default")
	}
	if o.Buffer == 0 {
		o.Buffer = 4096
	}
	if o.Heartbeat != 0 && (o.Heartbeat < 2*time.Second || o.Heartbeat > time.Minute) {
		return invalid.Field("Heartbeat", o.Heartbeat.String(), "2s to 1m, or 0 for the default")
	}
	if o.Source == "" {
		o.Source = s.client.opts.UserAgent
	}
	s.url = o.URL
	if s.url == "" {
		switch s.client.environment() {
		case Production:
			s.url = ProductionAccountStreamer
		case Sandbox:
			s.url = SandboxAccountStreamer
		default:
			return invalid.Missing("URL", "the address of the account streamer: this client's BaseURL is not one of the broker's")
		}
	}
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{
		{&o.Heartbeat, 20 * time.Second}, {&o.AckTimeout, 10 * time.Second}, {&o.Handshake, 15 * time.Second},
		{&o.RehydrateTimeout, 30 * time.Second}, {&o.MinBackoff, 500 * time.Millisecond}, {&o.MaxBackoff, 30 * time.Second},
	} {
		if *d.value <= 0 {
			*d.value = d.otherwise
		}
	}
	return s.client.streamURL(s.url)
}

// Notifications yields what the broker sends, and the gaps, in order. It waits
// for more until the stream ends, and then yields why: ErrStreamClosed after
// Close, at once; or, after the last notification, the error that made the
// stream give up. Leaving the loop does not end the stream.
func (s *AccountStreamer) Notifications() iter.Seq2[Notification, error] {
	return func(yield func(Notification, error) bool) {
		for {
			n, err := s.queue.next()
			if !yield(n, err) || err != nil {
				return
			}
		}
	}
}

// Close ends the stream and waits for its goroutines. A Rehydrate that is
// running has its context cancelled and is waited for. It must not be called
// from within Rehydrate.
func (s *AccountStreamer) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// Done is closed when the stream has ended.
func (s *AccountStreamer) Done() <-chan struct{} { return s.done }

// Err returns why the stream has ended, nil before.
func (s *AccountStreamer) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// LastError returns the latest trouble that did not end the stream; nil when
// there was none.
func (s *AccountStreamer) LastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}

// Connected reports whether there is a connection now.
func (s *AccountStreamer) Connected() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.session != nil
}

// Dropped returns how many notifications did not fit into the buffer.
func (s *AccountStreamer) Dropped() int { return s.queue.lost() }

// AddAccounts asks for the notifications of further accounts, now and after
// every reconnection. Without a connection it takes effect with the next.
func (s *AccountStreamer) AddAccounts(ctx context.Context, accounts ...AccountNumber) error {
	if len(accounts) == 0 || slices.Contains(accounts, "") {
		return invalid.Field("accounts", accounts, "one account number or more, none of them empty")
	}
	s.mu.Lock()
	if s.err != nil {
		defer s.mu.Unlock()
		return s.err
	}
	for _, a := range accounts {
		if !slices.Contains(s.accounts, a) {
			s.accounts = append(s.accounts, a)
		}
	}
	session, all := s.session, slices.Clone(s.accounts)
	s.mu.Unlock()
	if session == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.opts.AckTimeout)
	defer cancel()
	return s.request(ctx, session, "connect", all)
}

func (s *AccountStreamer) trouble(err error) {
	s.log.Warn("account streamer", "error", err)
	s.mu.Lock()
	s.last = err
	s.mu.Unlock()
}
