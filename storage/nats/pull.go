package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// connectionCheck is how often a waiting receiver looks whether the connection
// it waits on is still the one that it asked through.
const connectionCheck = 200 * time.Millisecond

// pull asks the consumer for messages and returns what came until there were
// most, the server said that the wait is over, or the context ended. With an
// error there may be messages too, which somebody must put back.
//
// The library's own fetch gives up by the client's clock: messages that are on
// their way just then are leased to nobody until their lease ends, which for a
// queue of few attempts is a loss.
func (q *queue) pull(ctx context.Context, most int, wait time.Duration) ([]*nats.Msg, error) {
	request := map[string]any{"batch": most}
	if wait < time.Millisecond {
		request["no_wait"] = true
	} else {
		request["expires"] = wait.Nanoseconds()
	}
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	conn := q.store.conn
	inbox := conn.NewInbox()
	arrived := make(chan *nats.Msg, most+8)
	sub, err := conn.ChanSubscribe(inbox, arrived)
	if err != nil {
		return nil, err
	}
	reconnects := conn.Stats().Reconnects
	err = conn.PublishRequest("$JS.API.CONSUMER.MSG.NEXT."+q.stream+"."+consumerName, inbox, body)
	giveUp := time.NewTimer(wait + q.store.timeout)
	defer giveUp.Stop()
	check := time.NewTicker(connectionCheck)
	defer check.Stop()
	var got []*nats.Msg
	for ended := false; err == nil && !ended && len(got) < most; {
		select {
		case m := <-arrived:
			ended, err = statusOf(m)
			if !ended && err == nil && len(m.Reply) > 0 {
				got = append(got, m)
			}
		case <-check.C:
			if !conn.IsConnected() || conn.Stats().Reconnects != reconnects {
				err = errors.New("the connection was lost while waiting for messages")
			}
		case <-giveUp.C:
			err = errors.New("the server did not say that the wait is over")
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	_ = sub.Unsubscribe()
	for {
		select {
		case m := <-arrived:
			if ended, _ := statusOf(m); !ended && len(m.Reply) > 0 {
				got = append(got, m)
			}
		default:
			return got, err
		}
	}
}

// statusOf tells whether m is the server's word that no more comes, rather than
// a message. A message has no status.
func statusOf(m *nats.Msg) (ended bool, err error) {
	switch status := m.Header.Get("Status"); status {
	case "":
		return false, nil
	case "100": // the server is alive
		return false, nil
	case "404", "408":
		return true, nil
	default:
		return true, fmt.Errorf("the server answered %s %s", status, m.Header.Get("Description"))
	}
}
