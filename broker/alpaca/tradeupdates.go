package alpaca

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// A TradeUpdate is something that happened to an order: new, fill, partial_fill,
// canceled, expired, replaced, rejected and more. When Gap is set it is no update:
// updates may be missing before it.
type TradeUpdate struct {
	Object
	Event       string `json:"event"`
	EventID     string `json:"event_id"`
	ExecutionID string `json:"execution_id"`
	At          Time   `json:"at"`
	Timestamp   Time   `json:"timestamp"`
	Order       Order  `json:"order"`
	Price       Number `json:"price"`        // of a fill
	Qty         Number `json:"qty"`          // of a fill
	PositionQty Number `json:"position_qty"` // after a fill, signed

	Gap *broker.Gap `json:"-"`
}

// UnmarshalJSON reads what it can and keeps the rest in Raw.
func (v *TradeUpdate) UnmarshalJSON(data []byte) error {
	type plain TradeUpdate
	return decode(data, (*plain)(v), &v.raw)
}

// streamEnvelope is what the trading websocket says, about anything.
type streamEnvelope struct {
	Stream string          `json:"stream"`
	Data   json.RawMessage `json:"data"`
}

// A streamNotice is the answer to a client's message.
type streamNotice struct {
	Status  string   `json:"status"`
	Action  string   `json:"action"`
	Streams []string `json:"streams"`
	Error   string   `json:"error"`
	Message string   `json:"message"`
}

// openTradeUpdates connects, authenticates and asks for the stream.
func (c *Client) openTradeUpdates(ctx context.Context) (*wsconn.Conn, error) {
	creds, err := c.credentials(ctx)
	if err != nil {
		return nil, err
	}
	conn, err := c.dial(ctx, websocketURL(c.opts.TradingURL, "/stream"), nil)
	if err != nil {
		return nil, err
	}
	fail := func(err error) (*wsconn.Conn, error) {
		conn.Close()
		return nil, fmt.Errorf("alpaca: trade updates: %w", err)
	}
	say := func(message any, stream string) (streamNotice, error) {
		var notice streamNotice
		body, err := json.Marshal(message)
		if err != nil {
			return notice, err
		}
		if err := conn.Write(ctx, body); err != nil {
			return notice, err
		}
		for {
			data, err := conn.Read(ctx)
			if err != nil {
				return notice, err
			}
			var envelope streamEnvelope
			if err := json.Unmarshal(data, &envelope); err != nil {
				return notice, fmt.Errorf("%w: the answer to a greeting", ErrAnswer)
			}
			if envelope.Stream == stream {
				return notice, json.Unmarshal(envelope.Data, &notice)
			}
		}
	}
	notice, err := say(authMessage(creds), "authorization")
	if err != nil {
		return fail(err)
	}
	if notice.Status != "authorized" {
		return fail(fmt.Errorf("%w: %s", ErrUnauthorized, creds.redact([]byte(notice.Status+" "+notice.Message))))
	}
	notice, err = say(map[string]any{"action": "listen", "data": map[string]any{"streams": []string{"trade_updates"}}}, "listening")
	if err != nil {
		return fail(err)
	}
	if len(notice.Streams) == 0 {
		return fail(fmt.Errorf("%w: no trade updates for this account", ErrUnauthorized))
	}
	return conn, nil
}

// authMessage is the trading websocket's greeting.
func authMessage(c Credentials) any {
	if c.Token != "" {
		return map[string]any{"action": "authenticate", "data": map[string]string{"oauth_token": c.Token}}
	}
	return map[string]string{"action": "auth", "key": c.KeyID, "secret": c.Secret}
}

// A TradeStream yields trade updates. It is for one reader.
type TradeStream struct {
	queue  *queue[TradeUpdate]
	cancel context.CancelFunc
	done   chan struct{}
}

// TradeUpdates subscribes to what happens to the account's orders, from its return
// on until ctx ends or Close. It reconnects by itself and tells by Gap when
// updates may be missing.
//
// GET /stream
func (c *Client) TradeUpdates(ctx context.Context, opts StreamOptions) (*TradeStream, error) {
	opts, err := opts.complete()
	if err != nil {
		return nil, err
	}
	s := &TradeStream{done: make(chan struct{})}
	s.queue = newQueue(opts.Buffer, func(g broker.Gap) TradeUpdate { return TradeUpdate{Gap: &g} })
	l := &link{
		opts: opts, logger: c.opts.Logger, open: c.openTradeUpdates,
		receive: func(data []byte) error {
			update, ok, err := parseTradeUpdate(data)
			if ok {
				s.queue.put(update, c.opts.Now())
			}
			return err
		},
		again: func(_ context.Context, _ *wsconn.Conn, reason string) error {
			s.queue.miss(reason, c.opts.Now())
			return nil
		},
	}
	conn, err := l.connect(ctx)
	if err != nil {
		return nil, err
	}
	ctx, s.cancel = context.WithCancel(ctx)
	go func() {
		defer close(s.done)
		s.queue.end(l.run(ctx, conn))
	}()
	return s, nil
}

// parseTradeUpdate reads a message of the trading websocket; false for one that is
// no update. An error says that an update could not be read.
func parseTradeUpdate(data []byte) (TradeUpdate, bool, error) {
	var envelope streamEnvelope
	if err := json.Unmarshal(data, &envelope); err != nil {
		return TradeUpdate{}, false, fmt.Errorf("%w: a message that is no JSON", ErrAnswer)
	}
	if envelope.Stream != "trade_updates" {
		return TradeUpdate{}, false, nil
	}
	var update TradeUpdate
	if err := json.Unmarshal(envelope.Data, &update); err != nil || update.Order.ID == "" {
		return TradeUpdate{}, false, fmt.Errorf("%w: a trade update without an order", ErrAnswer)
	}
	return update, true, nil
}

// Next waits for the next update. It returns why the stream ended when it has.
func (s *TradeStream) Next(ctx context.Context) (TradeUpdate, error) { return s.queue.next(ctx) }

// Close ends the stream and waits for it.
func (s *TradeStream) Close() error {
	s.cancel()
	<-s.done
	return nil
}

// when is the time of an update.
func (v *TradeUpdate) when(otherwise time.Time) time.Time {
	if t := firstTime(v.Timestamp, v.At, v.Order.UpdatedAt); !t.IsZero() {
		return t
	}
	return otherwise
}
