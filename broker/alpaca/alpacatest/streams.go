package alpacatest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"
	"github.com/shopspring/decimal"
)

// A stream is one websocket of a client.
type stream struct {
	conn     *websocket.Conn
	path     string
	out      chan []byte
	cancel   context.CancelFunc
	trading  bool
	packed   bool
	welcome  bool // authenticated
	listens  bool // to trade updates
	channels map[string]map[string]bool
}

// mostUnsent is how many messages wait for a slow client before it is dropped.
const mostUnsent = 65536

// Disconnect drops all websockets. New ones may connect.
func (s *Server) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for each := range s.streams {
		each.cancel()
		delete(s.streams, each)
	}
}

// Block keeps websockets from connecting, and drops those that are, until it is
// called with false.
func (s *Server) Block(blocked bool) {
	s.mu.Lock()
	s.blocked = blocked
	s.mu.Unlock()
	if blocked {
		s.Disconnect()
	}
}

// Streams is how many websockets are connected and ready: listening for trade
// updates, or subscribed to something.
func (s *Server) Streams() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for each := range s.streams {
		if each.listens || len(each.channels) > 0 {
			n++
		}
	}
	return n
}

// Subscribed is what all websockets together have asked for of a channel, such as
// "quotes".
func (s *Server) Subscribed(channel string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]bool{}
	for each := range s.streams {
		for symbol := range each.channels[channel] {
			all[symbol] = true
		}
	}
	return sortedKeys(all)
}

func (s *Server) serveStream(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	blocked := s.blocked
	s.mu.Unlock()
	if blocked {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	each := &stream{
		conn: conn, path: r.URL.Path, out: make(chan []byte, mostUnsent), cancel: cancel, trading: r.URL.Path == "/stream", channels: map[string]map[string]bool{},
		packed: strings.HasPrefix(r.URL.Path, "/v1beta1/") && !strings.HasSuffix(r.URL.Path, "/news"),
	}
	s.mu.Lock()
	if s.blocked {
		s.mu.Unlock()
		cancel()
		_ = conn.CloseNow()
		return
	}
	s.streams[each] = true
	s.serving.Add(2)
	s.mu.Unlock()
	go func() {
		defer s.serving.Done()
		s.send(ctx, each)
	}()
	go func() {
		defer s.serving.Done()
		defer cancel()
		s.receive(ctx, each)
		s.mu.Lock()
		delete(s.streams, each)
		s.mu.Unlock()
	}()
}

func (s *Server) send(ctx context.Context, each *stream) {
	defer func() { _ = each.conn.CloseNow() }()
	kind := websocket.MessageBinary
	if !each.packed && !(each.trading && !s.opts.Text) {
		kind = websocket.MessageText
	}
	for {
		select {
		case message := <-each.out:
			if each.conn.Write(ctx, kind, message) != nil {
				each.cancel()
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// tell queues a message. The mutex is held.
func (each *stream) tell(value any) {
	var message []byte
	if each.packed {
		message = pack(nil, value)
	} else {
		message, _ = json.Marshal(value)
	}
	select {
	case each.out <- message:
	default:
		each.cancel()
	}
}

func (s *Server) receive(ctx context.Context, each *stream) {
	if !each.trading {
		s.mu.Lock()
		each.tell([]any{map[string]any{"T": "success", "msg": "connected"}})
		s.mu.Unlock()
	}
	for {
		_, data, err := each.conn.Read(ctx)
		if err != nil {
			return
		}
		var message map[string]any
		if each.packed {
			message, err = unpackMessage(data)
		} else {
			err = json.Unmarshal(data, &message)
		}
		if err != nil {
			return
		}
		s.mu.Lock()
		if each.trading {
			s.tradingMessage(each, message)
		} else {
			s.dataMessage(each, message)
		}
		s.mu.Unlock()
	}
}

func (s *Server) tradingMessage(each *stream, message map[string]any) {
	switch message["action"] {
	case "auth", "authenticate":
		key, secret := word(message, "key"), word(message, "secret")
		if inner, found := message["data"].(map[string]any); found {
			key, secret = word(inner, "key_id"), word(inner, "secret_key")
		}
		each.welcome = same(key, KeyID) && same(secret, Secret)
		status := "unauthorized"
		if each.welcome {
			status = "authorized"
		}
		each.tell(map[string]any{"stream": "authorization", "data": map[string]any{"status": status, "action": "authenticate"}})
	case "listen":
		streams := []any{}
		if inner, found := message["data"].(map[string]any); found && each.welcome {
			streams, _ = inner["streams"].([]any)
		}
		each.listens = slices.Contains(streams, any("trade_updates"))
		each.tell(map[string]any{"stream": "listening", "data": map[string]any{"streams": streams}})
	}
}

// mostSymbols is how many symbols one websocket may subscribe to in a channel, as
// the free plan allows.
const mostSymbols = 30

func (s *Server) dataMessage(each *stream, message map[string]any) {
	refuse := func(code int, text string) {
		each.tell([]any{map[string]any{"T": "error", "code": code, "msg": text}})
	}
	switch action := word(message, "action"); action {
	case "auth":
		if each.welcome = same(word(message, "key"), KeyID) && same(word(message, "secret"), Secret); !each.welcome {
			refuse(402, "auth failed")
			return
		}
		for other := range s.streams {
			if s.opts.OneStream && other != each && other.path == each.path {
				refuse(406, "connection limit exceeded")
				return
			}
		}
		each.tell([]any{map[string]any{"T": "success", "msg": "authenticated"}})
	case "subscribe", "unsubscribe":
		if !each.welcome {
			refuse(401, "not authenticated")
			return
		}
		for channel, value := range message {
			list, found := value.([]any)
			if !found {
				continue
			}
			if action == "subscribe" && len(each.channels[channel])+len(list) > mostSymbols {
				refuse(405, "symbol limit exceeded")
				return
			}
			for _, symbol := range list {
				name, _ := symbol.(string)
				if each.channels[channel] == nil {
					each.channels[channel] = map[string]bool{}
				}
				if action == "subscribe" {
					each.channels[channel][name] = true
				} else {
					delete(each.channels[channel], name)
				}
			}
		}
		subscription := map[string]any{"T": "subscription"}
		for channel, symbols := range each.channels {
			subscription[channel] = sortedKeys(symbols)
		}
		each.tell([]any{subscription})
	default:
		refuse(400, "invalid syntax")
	}
}

// publish sends a message to those who subscribed to it. The mutex is held.
func (s *Server) publish(channel, symbol, kind string, fields map[string]any) {
	fields["T"], fields["S"] = kind, symbol
	for each := range s.streams {
		if symbols := each.channels[channel]; symbols[symbol] || symbols["*"] {
			each.tell([]any{fields})
		}
	}
}

func (s *Server) tellQuote(symbol string, q Quote) {
	fields := s.wireQuote(q)
	if a := s.assets[symbol]; a != nil && a.class == "us_option" {
		fields["c"] = "A"
	}
	s.publish("quotes", symbol, "q", fields)
}

func (s *Server) tellTrade(symbol string, q Quote) {
	fields := s.wireTrade(q)
	if a := s.assets[symbol]; a != nil && a.class == "us_option" {
		fields["c"] = "S"
	}
	s.publish("trades", symbol, "t", fields)
}

func (s *Server) tellOrder(o *order, event string) {
	s.update(map[string]any{"event": event, "execution_id": s.id(), "timestamp": stamp(s.now), "order": s.render(o)})
}

func (s *Server) tellFill(o *order, event, execution string, qty, price decimal.Decimal) {
	held := zero
	if p := s.held[o.symbol]; p != nil {
		held = p.qty
	}
	s.update(map[string]any{
		"event": event, "execution_id": execution, "timestamp": stamp(s.now), "order": s.render(o),
		"price": price.String(), "qty": qty.String(), "position_qty": held.String(),
	})
}

func (s *Server) update(data map[string]any) {
	for each := range s.streams {
		if each.trading && each.listens {
			each.tell(map[string]any{"stream": "trade_updates", "data": data})
		}
	}
}
