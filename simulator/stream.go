package simulator

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/ttai-go/ttai/market"
)

// Limits of one websocket.
const (
	largestMessage   = 96 << 10 // bytes; about 2,000 symbols in one subscription
	mostQueued       = 4 << 20  // bytes; beyond, updates wait until the client reads
	keepaliveTimeout = 60 * time.Second
	shortestPeriod   = 100 * time.Millisecond // between updates, whatever the client accepts
)

type dropKey struct{}

func withDropAfter(ctx context.Context, d time.Duration) context.Context {
	return context.WithValue(ctx, dropKey{}, d)
}

// A stream is one DXLink websocket. Three goroutines serve it: the handler's
// own reads, one writes the queue, one asks the market and fills the queue. So
// a client that does not read is never the reason that it is not heard.
type stream struct {
	sim    *Simulator
	server *Server // nil when the handler is mounted elsewhere
	conn   *websocket.Conn
	ctx    context.Context
	drop   context.CancelFunc // ends the stream without a closing handshake
	wake   chan struct{}      // room for one: there is something to do for the pump

	mu           sync.Mutex
	queue        [][]byte
	queued       int // bytes
	closing      string
	ready        chan struct{} // room for one: the queue is not empty
	channels     map[int]*feed
	setUp        bool
	authorized   bool
	lastReceived time.Time
	lastSent     time.Time
	keepalive    time.Duration // the client hears something at least this often
}

// serveStream serves GET /dxlink.
func (s *Simulator) serveStream(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(largestMessage)
	ctx, cancel := context.WithCancel(s.ctx)
	server, _ := r.Context().Value(serverKey{}).(*Server)
	now := s.wall.Now()
	st := &stream{
		sim: s, server: server, conn: conn, ctx: ctx, drop: cancel,
		wake: make(chan struct{}, 1), ready: make(chan struct{}, 1), channels: map[int]*feed{},
		lastReceived: now, lastSent: now, keepalive: keepaliveTimeout / 2,
	}
	s.enter(st)
	var workers sync.WaitGroup
	workers.Go(st.write)
	workers.Go(st.pump)
	if after, ok := r.Context().Value(dropKey{}).(time.Duration); ok {
		workers.Go(func() { st.dropAfter(after) })
	}
	st.read()
	cancel()
	workers.Wait()
	_ = conn.CloseNow() // already closed in most cases
	s.leave(st)
}

func (st *stream) cut()        { st.drop() }
func (st *stream) at() *Server { return st.server }

func (st *stream) dropAfter(d time.Duration) {
	timer := st.sim.wall.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		st.drop()
	case <-st.ctx.Done():
	}
}

// read handles what the client sends until the connection ends.
func (st *stream) read() {
	for {
		kind, data, err := st.conn.Read(st.ctx)
		if err != nil {
			return
		}
		st.mu.Lock()
		st.lastReceived = st.sim.wall.Now()
		st.mu.Unlock()
		if kind != websocket.MessageText {
			st.fail(0, "INVALID_MESSAGE", "The message is not text.")
			continue
		}
		st.handle(data)
	}
}

// write sends the queue until the stream ends or is to be closed.
func (st *stream) write() {
	defer st.drop()
	for {
		select {
		case <-st.ready:
		case <-st.ctx.Done():
			return
		}
		st.mu.Lock()
		batch, closing := st.queue, st.closing
		st.queue, st.queued = nil, 0
		st.mu.Unlock()
		for _, message := range batch {
			if st.conn.Write(st.ctx, websocket.MessageText, message) != nil {
				return
			}
		}
		if closing != "" {
			_ = st.conn.Close(websocket.StatusPolicyViolation, closing) // the stream ends either way
			return
		}
		st.poke() // there is room again
	}
}

// send queues messages for the client.
func (st *stream) send(messages ...[]byte) {
	st.mu.Lock()
	for _, m := range messages {
		st.queue = append(st.queue, m)
		st.queued += len(m)
	}
	st.lastSent = st.sim.wall.Now()
	st.mu.Unlock()
	st.ring()
}

// ring wakes the writer.
func (st *stream) ring() {
	select {
	case st.ready <- struct{}{}:
	default:
	}
}

func (st *stream) sendJSON(value any) {
	data, err := json.Marshal(value)
	if err != nil {
		st.fail(0, "UNKNOWN", "The simulator could not encode its message.")
		return
	}
	st.send(data)
}

type wireMessage struct {
	Type    string `json:"type"`
	Channel int    `json:"channel"`
}

type wireFailure struct {
	wireMessage
	Error   string `json:"error"`
	Message string `json:"message"`
}

// fail tells the client what it did wrong.
func (st *stream) fail(channel int, code, message string) {
	st.sendJSON(wireFailure{wireMessage{"ERROR", channel}, code, message})
}

// refuse is fail, and the end of the connection.
func (st *stream) refuse(code, message string) {
	data, err := json.Marshal(wireFailure{wireMessage{"ERROR", 0}, code, message})
	if err != nil {
		st.drop()
		return
	}
	st.mu.Lock()
	st.queue = append(st.queue, data)
	st.closing = code
	st.mu.Unlock()
	st.ring()
}

// poke wakes the pump.
func (st *stream) poke() {
	select {
	case st.wake <- struct{}{}:
	default:
	}
}

// A request is any message of a client.
type request struct {
	Type             string  `json:"type"`
	Channel          *int    `json:"channel"`
	Version          string  `json:"version"`
	KeepaliveTimeout float64 `json:"keepaliveTimeout"`
	Token            string  `json:"token"`
	Service          string  `json:"service"`
	Parameters       struct {
		Contract string `json:"contract"`
	} `json:"parameters"`
	AcceptAggregationPeriod *float64            `json:"acceptAggregationPeriod"`
	AcceptDataFormat        string              `json:"acceptDataFormat"`
	AcceptEventFields       map[string][]string `json:"acceptEventFields"`
	Add                     []subscription      `json:"add"`
	Remove                  []subscription      `json:"remove"`
	Reset                   bool                `json:"reset"`
}

type subscription struct {
	Type     string  `json:"type"`
	Symbol   string  `json:"symbol"`
	FromTime float64 `json:"fromTime"` // milliseconds
}

// handle answers one message. The order SETUP, AUTH, channels is enforced, as
// the real server has done since 2026.
func (st *stream) handle(data []byte) {
	var m request
	if json.Unmarshal(data, &m) != nil || m.Type == "" || m.Channel == nil {
		st.fail(0, "INVALID_MESSAGE", "The message is not a JSON object with a type and a channel.")
		return
	}
	channel := *m.Channel
	switch m.Type {
	case "SETUP":
		st.setup(&m)
		return
	case "KEEPALIVE":
		return
	case "AUTH":
		st.auth(&m)
		return
	}
	if !st.setUp {
		st.refuse("BAD_ACTION", "The first message must be SETUP.")
		return
	}
	if !st.authorized {
		st.refuse("UNAUTHORIZED", "Authorize before "+m.Type+".")
		return
	}
	switch m.Type {
	case "CHANNEL_REQUEST":
		st.openChannel(channel, &m)
	case "CHANNEL_CANCEL":
		st.mu.Lock()
		_, open := st.channels[channel]
		delete(st.channels, channel)
		st.mu.Unlock()
		if open {
			st.sendJSON(wireMessage{"CHANNEL_CLOSED", channel})
		}
	case "FEED_SETUP", "FEED_SUBSCRIPTION":
		st.mu.Lock()
		f := st.channels[channel]
		if f != nil {
			if m.Type == "FEED_SETUP" {
				f.configure(&m)
			} else if code, problem := f.subscribe(&m); problem != "" {
				defer st.fail(channel, code, problem)
			}
		}
		st.mu.Unlock()
		if f == nil {
			st.fail(channel, "BAD_ACTION", fmt.Sprintf("Channel %d is not open.", channel))
			return
		}
		st.poke()
	default:
		st.fail(channel, "INVALID_MESSAGE", "Unknown message type.")
	}
}

type wireSetup struct {
	wireMessage
	KeepaliveTimeout       float64 `json:"keepaliveTimeout"`
	AcceptKeepaliveTimeout float64 `json:"acceptKeepaliveTimeout"`
	Version                string  `json:"version"`
}

type wireAuthState struct {
	wireMessage
	State  string `json:"state"`
	UserID string `json:"userId,omitempty"`
}

func (st *stream) setup(m *request) {
	if m.Version == "" {
		st.refuse("UNSUPPORTED_PROTOCOL", "SETUP has no version.")
		return
	}
	timeout := keepaliveTimeout.Seconds()
	st.mu.Lock()
	if m.KeepaliveTimeout >= 0.001 && m.KeepaliveTimeout < 86400 {
		st.keepalive = time.Duration(m.KeepaliveTimeout * float64(time.Second) / 2)
	}
	first := !st.setUp
	st.setUp = true
	st.mu.Unlock()
	st.sendJSON(wireSetup{wireMessage{"SETUP", 0}, timeout, timeout, "1.0-ttai-simulator"})
	if first {
		st.sendJSON(wireAuthState{wireMessage{"AUTH_STATE", 0}, "UNAUTHORIZED", ""})
	}
	st.poke()
}

func (st *stream) auth(m *request) {
	if !st.setUp {
		st.refuse("BAD_ACTION", "The first message must be SETUP.")
		return
	}
	from, expired := st.sim.tokens.check(&st.sim.tokens.quote, m.Token, st.sim.wall.Now())
	if from == nil || expired {
		st.sendJSON(wireAuthState{wireMessage{"AUTH_STATE", 0}, "UNAUTHORIZED", ""})
		st.refuse("UNAUTHORIZED", "The token is not valid.")
		return
	}
	st.authorized = true
	st.sendJSON(wireAuthState{wireMessage{"AUTH_STATE", 0}, "AUTHORIZED", "simulator"})
}

type wireOpened struct {
	wireMessage
	Service    string            `json:"service"`
	Parameters map[string]string `json:"parameters"`
}

func (st *stream) openChannel(channel int, m *request) {
	contract := m.Parameters.Contract
	if contract == "" {
		contract = "AUTO"
	}
	st.mu.Lock()
	_, taken := st.channels[channel]
	st.mu.Unlock()
	switch {
	case channel < 1 || channel%2 == 0:
		st.fail(channel, "BAD_ACTION", "Channels of clients have odd numbers.")
	case taken:
		st.fail(channel, "BAD_ACTION", fmt.Sprintf("Channel %d is already open.", channel))
	case m.Service != "FEED":
		st.fail(channel, "BAD_ACTION", "The service is not available.")
	case !slices.Contains([]string{"AUTO", "TICKER", "HISTORY", "STREAM"}, contract):
		st.fail(channel, "INVALID_MESSAGE", "The contract is unknown.")
	default:
		st.mu.Lock()
		st.channels[channel] = newFeed(channel, contract)
		st.mu.Unlock()
		st.sendJSON(wireOpened{wireMessage{"CHANNEL_OPENED", channel}, "FEED", map[string]string{"contract": contract, "subFormat": "LIST"}})
	}
}

// pump sends what is due: keepalives, configurations, events. It ends a stream
// whose client has been silent for too long.
func (st *stream) pump() {
	timer := st.sim.wall.NewTimer(st.keepalivePeriod())
	defer timer.Stop()
	for {
		select {
		case <-st.ctx.Done():
			return
		case <-st.wake:
		case <-timer.C():
		}
		timer.Reset(st.work())
	}
}

// work does what is due now and returns how long nothing more is.
func (st *stream) work() time.Duration {
	now := st.sim.wall.Now()
	st.mu.Lock()
	silent := now.Sub(st.lastReceived)
	quiet := now.Sub(st.lastSent)
	full := st.queued > mostQueued
	ended := st.closing != ""
	st.mu.Unlock()
	if silent >= 2*keepaliveTimeout {
		st.drop() // it does not even read the refusal
	}
	if silent >= keepaliveTimeout && !ended {
		st.refuse("TIMEOUT", fmt.Sprintf("The timeout has been reached. The message was last received %d seconds ago.", int(silent.Seconds())))
	}
	if quiet >= st.keepalivePeriod() {
		st.sendJSON(wireMessage{"KEEPALIVE", 0})
	}
	if !full {
		st.feedAll(now)
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	wait := min(st.keepalive-st.sim.wall.Now().Sub(st.lastSent), keepaliveTimeout-st.sim.wall.Now().Sub(st.lastReceived))
	if ended {
		wait = keepaliveTimeout
	}
	for _, f := range st.channels {
		if len(f.subs) > 0 && !full { // when it is full, the writer wakes the pump
			wait = min(wait, f.due.Sub(now))
		}
	}
	return max(wait, time.Millisecond)
}

func (st *stream) keepalivePeriod() time.Duration {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.keepalive
}

// feedAll serves every channel that is due.
func (st *stream) feedAll(now time.Time) {
	st.mu.Lock()
	var due []*feed
	for _, f := range st.channels {
		if f.configDue || f.fresh || len(f.subs) > 0 && !f.due.After(now) {
			due = append(due, f)
		}
	}
	slices.SortFunc(due, func(a, b *feed) int { return a.channel - b.channel })
	st.mu.Unlock()
	for _, f := range due {
		st.serveFeed(f, now)
	}
}

// tickers asks the market about symbols, shares and options alike. Those it has
// nothing about are absent.
func (s *Simulator) tickers(ctx context.Context, symbols []market.Symbol) map[market.Symbol]*ticker {
	result := make(map[market.Symbol]*ticker, len(symbols))
	var shares []market.Symbol
	chains := map[chainKey]*market.ChainRequest{}
	for _, symbol := range symbols {
		key, strike, ok := s.chainOf(ctx, symbol)
		if !ok {
			shares = append(shares, symbol)
			continue
		}
		req := chains[key]
		if req == nil {
			req = &market.ChainRequest{Underlying: key.underlying, Expirations: []market.Date{key.expiration}, MinStrike: strike, MaxStrike: strike}
			chains[key] = req
		}
		req.MinStrike, req.MaxStrike = min(req.MinStrike, strike), max(req.MaxStrike, strike)
		result[symbol] = nil // wanted
	}
	if len(shares) > 0 {
		quotes, err := s.market.Quotes(ctx, shares)
		if absence(err) != nil {
			s.log("quotes failed", "error", err)
		}
		for _, q := range quotes {
			result[q.Symbol] = &ticker{quote: q, openInterest: nan()}
		}
	}
	for _, req := range chains {
		quotes, err := s.market.Chain(ctx, *req)
		if absence(err) != nil {
			s.log("chain failed", "error", err)
		}
		for i := range quotes {
			o := &quotes[i]
			if _, wanted := result[o.Symbol]; wanted {
				result[o.Symbol] = optionTicker(o)
			}
		}
	}
	return result
}

type chainKey struct {
	underlying market.Symbol
	expiration market.Date
}

// chainOf says in which chain an option stands; not ok for what is no option.
func (s *Simulator) chainOf(ctx context.Context, symbol market.Symbol) (key chainKey, strike float64, ok bool) {
	if c, ok := symbol.Contract(); ok {
		return chainKey{s.underlyingOf(ctx, symbol), c.Expiration}, c.Strike, true
	}
	underlying, date, _, strike, ok := futureOptionParts(symbol)
	return chainKey{underlying, date}, strike, ok
}

func optionTicker(o *market.OptionQuote) *ticker {
	q := market.NewQuote(o.Symbol)
	q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume = o.Time, o.Bid, o.Ask, o.BidSize, o.AskSize, o.Last, o.Volume
	return &ticker{quote: q, openInterest: o.OpenInterest, greeks: o}
}
