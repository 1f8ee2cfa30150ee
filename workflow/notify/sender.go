package notify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/rest"
)

// A Message is what a channel shows: a notification, or a digest of several.
type Message struct {
	Title, Text string
	Facts       []Fact
	Link        string
	Topic       string
	Urgency     Urgency
	Time        time.Time
	User        string
	Attachments []Attachment
}

// A Delivery is one message to one channel.
type Delivery struct {
	// Key is the same each time the same message is sent to the same channel.
	Key     string
	Channel Channel
	// Secret is the channel's, nil when it has none. It must not be kept.
	Secret  []byte
	Message Message
}

// A Sender sends to channels of one kind. Implementations are safe for concurrent
// use. Errors hold no secret.
type Sender interface {
	// Check returns a *FieldError unless messages could be sent with these settings
	// and this secret. It does not use the network.
	Check(c Channel, secret []byte) error
	// Send sends once. An error other than a *SendError may help to try again.
	Send(ctx context.Context, d Delivery) error
}

// A SendError says why a message was not sent, or may not have been.
type SendError struct {
	Text   string
	Status int // of HTTP or SMTP; 0 when there was no answer
	// After is how long the service asks to be left alone; 0 when it says nothing.
	After time.Duration
	// Limited says that the service refused because of its rate, and not the message.
	Limited bool
	// Permanent: sending the same again cannot help.
	Permanent bool
	// Gone: the channel's address does not exist any more.
	Gone bool
	// Uncertain: the message may have arrived.
	Uncertain bool
}

func (e *SendError) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("%s (%d)", e.Text, e.Status)
	}
	return e.Text
}

// sendError is any error of a Sender as a *SendError.
func sendError(err error) *SendError {
	if e, ok := errors.AsType[*SendError](err); ok {
		return e
	}
	if _, refused := errors.AsType[*FieldError](err); refused {
		return &SendError{Text: err.Error(), Permanent: true}
	}
	return &SendError{Text: err.Error(), Uncertain: true}
}

// transport tells what an error of package rest means.
func transport(service string, err error) error {
	if t, ok := errors.AsType[*rest.TransportError](err); ok {
		return &SendError{Text: service + ": " + t.Err.Error(), Uncertain: t.Dispatched}
	}
	return &SendError{Text: service + ": the request could not be made", Permanent: true}
}

// refused tells what an answer that is not a success means. Detail is what the
// service says; secrets are taken out of it.
func refused(service string, r *rest.Response, now time.Time, detail string, secrets ...string) *SendError {
	detail = line(detail)
	for _, s := range secrets {
		if len(s) >= 4 {
			detail = strings.ReplaceAll(detail, s, "[redacted]")
		}
	}
	e := &SendError{Text: service, Status: r.Status, After: rest.RetryAfter(r.Header, now)}
	if detail != "" {
		e.Text += ": " + fit(detail, 200, asItIs, countRaw)
	}
	switch {
	case r.Status == 429:
		e.Limited = true
	case r.Status == 408 || r.Status >= 500:
		e.Uncertain = true
	default:
		e.Permanent = true
	}
	return e
}
