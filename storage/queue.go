package storage

import (
	"context"
	"iter"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Queue hands each message to one of its receivers, at least once, until one of
// them says that it is done. Implementations are safe for concurrent use and pass
// storagetest.TestQueue.
//
// A message that was sent is kept until it is acknowledged or dropped from the
// dead letters. Leases, delays and windows are told by the engine's clock.
type Queue interface {
	Sender
	Receiver
	// DeadLetters returns the messages that failed for good.
	DeadLetters() DeadLetters
}

// A Sender puts messages into a queue.
type Sender interface {
	// Send stores messages and returns their ids, in order. Each is stored whole
	// or not at all; after an error any of them may have been stored, and with a
	// Key sending again is safe.
	Send(ctx context.Context, messages ...NewMessage) ([]string, error)
}

// A Receiver takes messages out of a queue.
type Receiver interface {
	// Receive leases messages to the caller: as soon as max (1 to 1000) are ready
	// it returns them, and after wait, in real time, as many as there are, which
	// may be none. With one receiver, messages come in the order they were sent,
	// those sent with a delay or tried again when they become ready. No message is
	// given to another receiver until its lease ends.
	Receive(ctx context.Context, max int, wait time.Duration) ([]Message, error)
	// Ack says that messages are done; they never come again. ErrLeaseLost: the
	// lease of at least one had ended and it was given to somebody else, or is
	// done; the others are acknowledged. An engine that cannot tell returns nil.
	Ack(ctx context.Context, messages ...Message) error
	// Retry says that a message failed. It becomes ready again after the queue's
	// backoff, or goes to the dead letters with the cause, which must not hold
	// secrets, when it was tried often enough. ErrLeaseLost as for Ack.
	Retry(ctx context.Context, m Message, cause string) error
	// Extend renews the lease of a message to the queue's whole lease from now,
	// and returns the message that is to be acknowledged. ErrLeaseLost as for Ack.
	Extend(ctx context.Context, m Message) (Message, error)
}

// DeadLetters are the messages of a queue that were tried as often as it allows.
type DeadLetters interface {
	// List yields dead letters, the one that failed longest ago first. The loop
	// may use the store.
	List(ctx context.Context) iter.Seq2[DeadLetter, error]
	// Replay makes messages ready again as if they had just been sent.
	// ErrNotFound: at least one is no dead letter; the others are replayed.
	Replay(ctx context.Context, ids ...string) error
	// Drop forgets messages. An id that is no dead letter is no error.
	Drop(ctx context.Context, ids ...string) error
}

// MaxMessage is the longest body of a message or event in bytes. What is longer
// belongs into Objects, with its key in the message.
const MaxMessage = 256 << 10

// A NewMessage is what is sent.
type NewMessage struct {
	Body []byte // at most MaxMessage bytes
	// Key makes sending idempotent: of messages with one key sent within the
	// queue's window the first is stored, the others are not and get its id. Empty
	// means no key; otherwise 1 to 256 bytes of UTF-8 text without control
	// characters.
	Key string
	// Delay is how long the message is not ready; at most a year.
	Delay time.Duration
}

// A Message is what is received.
type Message struct {
	ID      string
	Body    []byte
	Key     string    // as it was sent
	Attempt int       // 1 the first time
	Sent    time.Time // when it was sent
	Expires time.Time // when the lease ends
	Receipt string    // the engine's mark of this lease
}

// A DeadLetter is a message that failed for good.
type DeadLetter struct {
	ID       string
	Body     []byte
	Key      string
	Attempts int
	Sent     time.Time
	Failed   time.Time
	Cause    string // what the last Retry said, or "lease ended"
}

// LeaseEnded is the cause of a dead letter whose last receiver said nothing.
const LeaseEnded = "lease ended"

// QueueOptions are the settings of a queue. The zero value works.
type QueueOptions struct {
	// Lease is how long a receiver has for a message; 0 means 30 seconds.
	Lease time.Duration
	// Attempts is how often a message is tried; 0 means 5.
	Attempts int
	// MinBackoff and MaxBackoff bound the time after which a failed message is
	// ready again: after attempt n it is MinBackoff·2ⁿ⁻¹, at most MaxBackoff. 0
	// means 1 second and 5 minutes.
	MinBackoff, MaxBackoff time.Duration
	// Window is how long a message's Key is remembered; 0 means 24 hours.
	Window time.Duration
}

// Validated returns the options with their defaults, or a *FieldError. Adapters
// call it; o may be nil.
func (o *QueueOptions) Validated() (QueueOptions, error) {
	var out QueueOptions
	if o != nil {
		out = *o
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		zero  time.Duration
	}{
		{"Lease", &out.Lease, 30 * time.Second}, {"MinBackoff", &out.MinBackoff, time.Second},
		{"MaxBackoff", &out.MaxBackoff, 5 * time.Minute}, {"Window", &out.Window, 24 * time.Hour},
	} {
		if *d.value < 0 {
			return out, invalid.Field(d.name, *d.value, "0 for the default, or a positive duration")
		}
		if *d.value == 0 {
			*d.value = d.zero
		}
	}
	if out.Attempts < 0 || out.Attempts > 1000 {
		return out, invalid.Field("Attempts", out.Attempts, "1 to 1000, or 0 for 5")
	}
	if out.Attempts == 0 {
		out.Attempts = 5
	}
	return out, nil
}

// Backoff returns after how long a message that failed at that attempt, counted
// from 1, is ready again. The options must be validated.
func (o QueueOptions) Backoff(attempt int) time.Duration {
	d := o.MinBackoff
	for range attempt - 1 {
		if d >= o.MaxBackoff/2 {
			return o.MaxBackoff
		}
		d *= 2
	}
	return min(d, o.MaxBackoff)
}

// Validate returns a *FieldError unless the message can be sent. Adapters call it.
func (m *NewMessage) Validate() error {
	if len(m.Body) > MaxMessage {
		return invalid.Fieldf("Body", len(m.Body), "at most %d bytes", MaxMessage)
	}
	if m.Delay < 0 || m.Delay > 366*24*time.Hour {
		return invalid.Field("Delay", m.Delay, "0 to a year")
	}
	if m.Key != "" {
		return CheckText("Key", m.Key, 256)
	}
	return nil
}

// CheckReceive returns a *FieldError unless Receive can be called so. Adapters
// call it.
func CheckReceive(max int, wait time.Duration) error {
	if max < 1 || max > 1000 {
		return invalid.Field("max", max, "1 to 1000")
	}
	if wait < 0 {
		return invalid.Field("wait", wait, "0 or a positive duration")
	}
	return nil
}
