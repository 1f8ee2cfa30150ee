package storage

import (
	"context"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A PubSub tells events to whoever listens. Implementations are safe for
// concurrent use and pass storagetest.TestPubSub.
//
// Every subscription that existed when an event was published gets it, at most
// once, in whatever process it is; nobody gets it later. Events of one publisher
// on one topic come in order. What must not be lost belongs into a Queue.
type PubSub interface {
	// Publish tells data, at most MaxMessage bytes, to the subscribers of a topic,
	// a name of [CheckName]'s form. It does not wait for them. That there are none
	// is no error.
	Publish(ctx context.Context, topic string, data []byte) error
	// Subscribe listens to topics from its return on. The context is for
	// subscribing only; Close ends the subscription.
	Subscribe(ctx context.Context, topics ...string) (Subscription, error)
}

// A Subscription gets the events of some topics. It is safe for concurrent use;
// each event goes to one caller of Receive.
type Subscription interface {
	// Receive waits for the next event. ErrClosed: the subscription or its store
	// was closed. Another error, such as one that wraps ErrUnavailable, does not
	// end the subscription: receiving goes on once the cause is gone.
	Receive(ctx context.Context) (Event, error)
	// Close ends the subscription and waits for what it started.
	Close() error
}

// An Event is what was published.
type Event struct {
	Topic string
	Data  []byte
	// Missed is how many events came before this one and were dropped because
	// the subscriber did not keep up: EventBuffer of them wait, and the oldest
	// goes first. An engine that knows of a gap but not its size counts 1.
	Missed uint64
}

// EventBuffer is how many events wait for a subscriber that is busy.
const EventBuffer = 256

// CheckEvent returns a *FieldError unless data can be published. Adapters call it.
func CheckEvent(topic string, data []byte) error {
	if err := CheckName("topic", topic); err != nil {
		return err
	}
	if len(data) > MaxMessage {
		return invalid.Fieldf("data", len(data), "at most %d bytes", MaxMessage)
	}
	return nil
}

// CheckTopics returns a *FieldError unless topics can be subscribed to.
func CheckTopics(topics []string) error {
	if len(topics) == 0 || len(topics) > 64 {
		return invalid.Field("topics", len(topics), "1 to 64 topics")
	}
	for _, topic := range topics {
		if err := CheckName("topic", topic); err != nil {
			return err
		}
	}
	return nil
}
