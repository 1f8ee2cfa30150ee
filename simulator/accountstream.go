package simulator

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// An accountStream is one websocket of the account streamer. The handler's own
// goroutine reads, another writes what is queued.
type accountStream struct {
	sim    *Simulator
	server *Server
	conn   *websocket.Conn
	ctx    context.Context
	drop   context.CancelFunc
	id     string        // of the session, told in every answer
	ready  chan struct{} // room for one: the queue is not empty

	mu        sync.Mutex
	queue     [][]byte
	queued    int // bytes
	closing   string
	customer  *customer
	accounts  []string
	lists     bool // subscribed to public watchlists
	alerts    bool // to quote alerts
	messages  bool // to messages for the user
	sequence  int64
	lastHeard time.Time
}

// mostUnread is how many bytes wait for a client of the account streamer. One
// that does not read them is cut off: it has to ask for everything anew anyway.
const mostUnread = 8 << 20

// serveAccounts serves the account streamer.
func (s *Simulator) serveAccounts(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(largestMessage)
	id, err := newSecret(s.random, 4)
	if err != nil {
		_ = conn.Close(websocket.StatusInternalError, "no session") // there is no one else to tell
		return
	}
	ctx, cancel := context.WithCancel(s.ctx)
	server, _ := r.Context().Value(serverKey{}).(*Server)
	st := &accountStream{sim: s, server: server, conn: conn, ctx: ctx, drop: cancel, id: id,
		ready: make(chan struct{}, 1), lastHeard: s.wall.Now()}
	s.enter(st)
	s.hub.add(st)
	var workers sync.WaitGroup
	workers.Go(st.write)
	if after, ok := r.Context().Value(dropKey{}).(time.Duration); ok {
		workers.Go(func() {
			timer := s.wall.NewTimer(after)
			defer timer.Stop()
			select {
			case <-timer.C():
				cancel()
			case <-ctx.Done():
			}
		})
	}
	st.read()
	cancel()
	workers.Wait()
	_ = conn.CloseNow() // already closed in most cases
	s.hub.remove(st)
	s.leave(st)
}

func (st *accountStream) cut()        { st.drop() }
func (st *accountStream) at() *Server { return st.server }

func (st *accountStream) read() {
	for {
		kind, data, err := st.conn.Read(st.ctx)
		if err != nil {
			return
		}
		st.mu.Lock()
		st.lastHeard = st.sim.wall.Now()
		st.mu.Unlock()
		var m accountRequest
		if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil || m.Action == "" {
			st.answer(&m, "error", nil, "invalid-message")
			continue
		}
		st.handle(&m)
	}
}

// write sends the queue until the stream ends, and ends it when the client has
// been silent for too long.
func (st *accountStream) write() {
	defer st.drop()
	timer := st.sim.wall.NewTimer(keepaliveTimeout)
	defer timer.Stop()
	for {
		select {
		case <-st.ready:
		case <-timer.C():
			st.mu.Lock()
			left := keepaliveTimeout - st.sim.wall.Now().Sub(st.lastHeard)
			st.mu.Unlock()
			if left <= 0 {
				_ = st.conn.Close(websocket.StatusPolicyViolation, "no heartbeat") // the stream ends either way
				return
			}
			timer.Reset(left)
			continue
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
	}
}

// push queues a message with the stream locked.
func (st *accountStream) push(data []byte) {
	if st.queued += len(data); st.queued > mostUnread {
		st.drop()
		return
	}
	st.queue = append(st.queue, data)
	select {
	case st.ready <- struct{}{}:
	default:
	}
}

// An accountRequest is what a client sends.
type accountRequest struct {
	Action    string          `json:"action"`
	Value     json.RawMessage `json:"value"`
	AuthToken string          `json:"auth-token"`
	RequestID json.RawMessage `json:"request-id"`
}

type accountAnswer struct {
	Status    string          `json:"status"`
	Action    string          `json:"action"`
	SessionID string          `json:"web-socket-session-id"`
	Value     any             `json:"value,omitempty"`
	RequestID json.RawMessage `json:"request-id,omitempty"`
	Message   string          `json:"message,omitempty"`
}

func (st *accountStream) answer(m *accountRequest, status string, value any, message string) {
	id := m.RequestID
	if string(id) == "null" {
		id = nil
	}
	data, err := json.Marshal(accountAnswer{status, m.Action, st.id, value, id, message})
	if err != nil {
		st.drop()
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.push(data)
}

// refuse answers with an error and ends the stream.
func (st *accountStream) refuse(m *accountRequest, message string) {
	st.mu.Lock()
	st.closing = message
	st.mu.Unlock()
	st.answer(m, "error", nil, message)
}

// handle answers one request. Each carries the token; connect comes first.
func (st *accountStream) handle(m *accountRequest) {
	token := m.AuthToken
	if scheme, rest, ok := strings.Cut(token, " "); ok && strings.EqualFold(scheme, "Bearer") {
		token = rest
	}
	from, expired := st.sim.tokens.check(&st.sim.tokens.access, token, st.sim.wall.Now())
	if from == nil || expired {
		st.refuse(m, "not authorized")
		return
	}
	st.mu.Lock()
	connected := st.customer
	st.mu.Unlock()
	switch m.Action {
	case "heartbeat":
		st.answer(m, "ok", nil, "")
		return
	case "connect", "account-subscribe":
		st.connect(m, from)
		return
	}
	if connected == nil {
		st.answer(m, "error", nil, "connect-not-completed")
		return
	}
	st.mu.Lock()
	known := true
	switch m.Action {
	case "public-watchlists-subscribe":
		st.lists = true
	case "quote-alerts-subscribe":
		st.alerts = true
	case "user-message-subscribe":
		st.messages = true
	default:
		known = false
	}
	st.mu.Unlock()
	if !known {
		st.answer(m, "error", nil, "not implemented")
		return
	}
	st.answer(m, "ok", nil, "")
	if m.Action == "public-watchlists-subscribe" {
		st.sendPublicLists()
	}
}

// connect subscribes accounts: a list of their numbers, or one.
func (st *accountStream) connect(m *accountRequest, from *customer) {
	var accounts []string
	if json.Unmarshal(m.Value, &accounts) != nil {
		var one string
		if json.Unmarshal(m.Value, &one) != nil || one == "" {
			st.answer(m, "error", nil, "value is not a list of account numbers")
			return
		}
		accounts = []string{one}
	}
	for _, account := range accounts {
		if !slices.Contains(from.credentials.Accounts, account) {
			st.answer(m, "error", nil, "not permitted: "+account)
			return
		}
	}
	st.mu.Lock()
	if st.customer != nil && st.customer != from {
		st.accounts = nil // what one customer subscribed is not another's
	}
	st.customer = from
	for _, account := range accounts {
		if !slices.Contains(st.accounts, account) {
			st.accounts = append(st.accounts, account)
		}
	}
	st.mu.Unlock()
	st.answer(m, "ok", accounts, "")
}

// sendPublicLists tells the lists that everybody can see, each as a message.
func (st *accountStream) sendPublicLists() {
	lists, err := st.sim.publicWatchlists(st.ctx)
	if err != nil {
		st.sim.log("public watchlists failed", "error", err)
		return
	}
	for _, l := range lists {
		st.tell("PublicWatchlists", l)
	}
}

type wireNotification struct {
	Type      string `json:"type"`
	Data      any    `json:"data"`
	Timestamp int64  `json:"timestamp"`
	Sequence  int64  `json:"ws-sequence"`
}

// tell queues a notification. Data must not change afterwards.
func (st *accountStream) tell(kind string, data any) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.sequence++
	message, err := json.Marshal(wireNotification{kind, data, st.sim.clock.Now().UnixMilli(), st.sequence})
	if err != nil {
		st.drop()
		return
	}
	st.push(message)
}

// A hub knows who listens to the account streamer.
type hub struct {
	mu      sync.Mutex
	streams map[*accountStream]struct{}
}

func (h *hub) add(st *accountStream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams == nil {
		h.streams = map[*accountStream]struct{}{}
	}
	h.streams[st] = struct{}{}
}

func (h *hub) remove(st *accountStream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, st)
}

// find returns the streams for which want is true.
func (h *hub) find(want func(*accountStream) bool) []*accountStream {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []*accountStream
	for st := range h.streams {
		st.mu.Lock()
		if want(st) {
			out = append(out, st)
		}
		st.mu.Unlock()
	}
	return out
}

// listens reports whether anybody has subscribed an account.
func (h *hub) listens(account string) bool {
	return len(h.find(func(st *accountStream) bool { return slices.Contains(st.accounts, account) })) > 0
}

// tellAccount sends a notification to those who subscribed the account.
func (s *Simulator) tellAccount(account, kind string, data any) {
	for _, st := range s.hub.find(func(st *accountStream) bool { return slices.Contains(st.accounts, account) }) {
		st.tell(kind, data)
	}
}

// SendMessage sends a message to the streams of a customer that subscribed
// messages for the user.
func (s *Simulator) SendMessage(customerID, title, text string) {
	id, err := newSecret(s.random, 8)
	if err != nil {
		s.log("message not sent", "error", err)
		return
	}
	for _, st := range s.hub.find(func(st *accountStream) bool { return st.messages && st.customer.id == customerID }) {
		st.tell("UserMessage", wireUserMessage{id, title, text})
	}
}

type wireUserMessage struct {
	ID      string `json:"id"`
	Title   string `json:"title"`
	Message string `json:"message"`
}
