package dxlink_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/ttai-go/ttai/internal/rest/resttest"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// A message is what either side sends.
type message = map[string]any

// A fake is a dxLink server that is strict about the order of messages, as the
// real one is. Its hooks run on the goroutine of the connection.
type fake struct {
	tokens    []string                       // accepted; the n-th connection must use the n-th, the last one for the rest
	keepalive float64                        // seconds in SETUP; 0: 60
	silent    bool                           // send no KEEPALIVE
	hello     bool                           // do not say UNAUTHORIZED first
	accept    func(token string) bool        // in place of tokens
	upgrade   func(http.ResponseWriter) bool // whether to answer the handshake in another way
	opened    func(c *fakeConn, channel int, contract string)
	subscribe func(c *fakeConn, channel int, add []entry)
	depth     func(c *fakeConn, channel int, setup message)

	dial  dxlink.DialFunc
	t     testing.TB
	mu    sync.Mutex
	conns []*fakeConn
	all   []message // everything received, in order
	bad   []string  // violations of the protocol
}

type entry struct {
	Type, Symbol string
	FromTime     int64
}

type fakeConn struct {
	f        *fake
	ws       *websocket.Conn
	ctx      context.Context
	mu       sync.Mutex
	channels map[int]string // contracts
	subs     map[entry]bool // FromTime 0
}

func (f *fake) start(t testing.TB) *fake {
	f.t = t
	if f.keepalive == 0 {
		f.keepalive = 60
	}
	if f.tokens == nil {
		f.tokens = []string{"token"}
	}
	f.dial = resttest.Serve(t, http.HandlerFunc(f.serve))
	return f
}

// connect dials the fake and closes the connection when the test ends.
func (f *fake) connect(opts *dxlink.Options) *dxlink.Conn {
	f.t.Helper()
	c, err := f.dialWith(f.t.Context(), opts)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (f *fake) dialWith(ctx context.Context, opts *dxlink.Options) (*dxlink.Conn, error) {
	var o dxlink.Options
	if opts != nil {
		o = *opts
	}
	o.Dial = f.dial
	n := 0
	return dxlink.Dial(ctx, "ws://memory/realtime", func(context.Context) (string, error) {
		n++
		return f.tokens[min(n, len(f.tokens))-1], nil
	}, &o)
}

func (f *fake) violation(text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bad = append(f.bad, text)
}

// received returns the messages of a type in the order they came.
func (f *fake) received(kind string) []message {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []message
	for _, m := range f.all {
		if m["type"] == kind {
			out = append(out, m)
		}
	}
	return out
}

func (f *fake) violations() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.bad)
}

// conn returns the n-th connection, from 0; nil when it has not been made.
func (f *fake) conn(n int) *fakeConn {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n >= len(f.conns) {
		return nil
	}
	return f.conns[n]
}

func (f *fake) serve(w http.ResponseWriter, r *http.Request) {
	if f.upgrade != nil && f.upgrade(w) {
		return
	}
	ws, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	c := &fakeConn{f: f, ws: ws, ctx: r.Context(), channels: map[int]string{}, subs: map[entry]bool{}}
	f.mu.Lock()
	f.conns = append(f.conns, c)
	token := f.tokens[min(len(f.conns), len(f.tokens))-1]
	f.mu.Unlock()
	if !f.silent {
		ctx, stop := context.WithCancel(r.Context())
		var wg sync.WaitGroup
		defer wg.Wait()
		defer stop()
		wg.Go(func() {
			tick := time.NewTicker(20 * time.Second)
			defer tick.Stop()
			for {
				select {
				case <-tick.C:
					c.send(message{"type": "KEEPALIVE", "channel": 0})
				case <-ctx.Done():
					return
				}
			}
		})
	}
	stage := "SETUP"
	for {
		_, data, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(data, &m) != nil {
			f.violation("not JSON")
			return
		}
		f.mu.Lock()
		f.all = append(f.all, m)
		f.mu.Unlock()
		kind, _ := m["type"].(string)
		number, _ := m["channel"].(float64)
		channel := int(number)
		switch kind {
		case "KEEPALIVE":
		case "SETUP":
			if stage != "SETUP" || channel != 0 {
				f.violation("SETUP out of order")
			}
			stage = "AUTH"
			c.send(message{"type": "SETUP", "channel": 0, "version": "1.0-fake", "keepaliveTimeout": f.keepalive, "acceptKeepaliveTimeout": 60})
			if !f.hello {
				c.send(message{"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"})
			}
		case "AUTH":
			if stage != "AUTH" {
				f.violation("AUTH out of order")
			}
			given, _ := m["token"].(string)
			if f.accept == nil && given != token || f.accept != nil && !f.accept(given) {
				c.send(message{"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"})
				continue
			}
			stage = "READY"
			c.send(message{"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED", "userId": "u"})
		case "CHANNEL_REQUEST":
			service, _ := m["service"].(string)
			if stage != "READY" || channel%2 != 1 || service != "FEED" && service != "DOM" {
				f.violation("CHANNEL_REQUEST out of order")
			}
			contract, _ := m["parameters"].(message)["contract"].(string)
			c.mu.Lock()
			c.channels[channel] = contract
			c.mu.Unlock()
			c.send(message{"type": "CHANNEL_OPENED", "channel": channel, "service": service, "parameters": message{"contract": contract, "subFormat": "LIST"}})
			if f.opened != nil {
				f.opened(c, channel, contract)
			}
		case "FEED_SETUP", "FEED_SUBSCRIPTION", "CHANNEL_CANCEL", "DOM_SETUP":
			c.mu.Lock()
			_, open := c.channels[channel]
			c.mu.Unlock()
			if !open {
				f.violation(kind + " on a channel that is not open")
			}
			if kind == "CHANNEL_CANCEL" {
				c.mu.Lock()
				delete(c.channels, channel)
				c.mu.Unlock()
				c.send(message{"type": "CHANNEL_CLOSED", "channel": channel})
			}
			c.mu.Lock()
			for _, e := range entries(m, "add") {
				c.subs[entry{e.Type, e.Symbol, 0}] = true
			}
			for _, e := range entries(m, "remove") {
				if !c.subs[entry{e.Type, e.Symbol, 0}] {
					f.violation("removed and never added: " + e.Symbol)
				}
				delete(c.subs, entry{e.Type, e.Symbol, 0})
			}
			c.mu.Unlock()
			if kind == "DOM_SETUP" && f.depth != nil {
				f.depth(c, channel, m)
			}
			if add := entries(m, "add"); len(add) > 0 && f.subscribe != nil {
				f.subscribe(c, channel, add)
			}
		default:
			f.violation("unknown type " + kind)
		}
	}
}

func entries(m message, key string) []entry {
	data, _ := json.Marshal(m[key])
	var out []entry
	_ = json.Unmarshal(data, &out)
	return out
}

func (c *fakeConn) send(m message) {
	data, err := json.Marshal(m)
	if err != nil {
		c.f.violation(err.Error())
		return
	}
	ctx, cancel := context.WithTimeout(c.ctx, time.Minute)
	defer cancel()
	_ = c.ws.Write(ctx, websocket.MessageText, data)
}

// raw sends what need not be JSON.
func (c *fakeConn) raw(data []byte) error { return c.ws.Write(c.ctx, websocket.MessageText, data) }

func (c *fakeConn) config(channel int, fields map[string][]string) {
	c.send(message{"type": "FEED_CONFIG", "channel": channel, "aggregationPeriod": 0.1, "dataFormat": "COMPACT", "eventFields": fields})
}

func (c *fakeConn) data(channel int, data ...any) {
	c.send(message{"type": "FEED_DATA", "channel": channel, "data": data})
}

// drop ends the connection without a word.
func (c *fakeConn) drop() { _ = c.ws.CloseNow() }
