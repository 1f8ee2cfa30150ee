// Package alpacatest is a small Alpaca on loopback for tests: one account, orders
// that fill against the quotes a test sets, market data, and both websockets, with
// faults on demand. It has structures of its own and shares none with the client
// that it tests; it does not import testing.
//
//	fake, err := alpacatest.New(nil)
//	defer fake.Close()
//	fake.AddStock("ACME")
//	fake.Quote("ACME", alpacatest.Quote{Bid: 99.99, Ask: 100.01, BidSize: 500, AskSize: 500})
//	adapter, err := alpaca.New(&alpaca.Options{Client: alpaca.ClientOptions{
//		Credentials: alpaca.Static(alpaca.Credentials{KeyID: alpacatest.KeyID, Secret: alpacatest.Secret}),
//		TradingURL: fake.URL(), DataURL: fake.URL(), StreamURL: fake.StreamURL(),
//	}})
//
// Orders fill at the quote, as much as its sizes have, each size once. Everything
// takes no time: what was asked for is done when the answer comes. The account
// pays no fees.
package alpacatest

import (
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// The credentials that the fake knows.
const (
	KeyID  = "PKTEST0000000000FAKE"
	Secret = "fake-secret-of-the-fake-0123456789abcdef"
)

// AccountNumber is the fake's one account.
const AccountNumber = "PA3FAKE00001"

// Options of [New]. The zero value works.
type Options struct {
	// Start is the fake's time, which moves by [Server.Advance] alone. Zero:
	// 2026-06-03 11:00 in New York, within a session.
	Start time.Time
	// Cash is what the account has. Nil: 100,000.
	Cash *decimal.Decimal
	// PerMinute refuses more requests in a minute of the wall clock, and adds the
	// X-RateLimit headers. 0: no limit and no headers.
	PerMinute int
	// Text makes the trading websocket send text frames, as the live host does.
	// The paper host, and the fake by default, send binary ones.
	Text bool
	// OneStream refuses a second websocket of the same market data while there is
	// one, as most plans do.
	OneStream bool
}

// A Server is the fake. Its methods are safe for concurrent use.
type Server struct {
	opts     Options
	listener net.Listener
	http     *http.Server
	serving  sync.WaitGroup

	mu     sync.Mutex
	now    time.Time
	serial int
	money  account
	assets map[string]*asset
	list   []*order
	byID   map[string]*order
	held   map[string]*position
	past   []map[string]any // activities, oldest first
	quotes map[string]*Quote
	bars   map[string][]Bar
	days   map[string][2]Bar // the day and the one before, by symbol
	news   []map[string]any  // newest first

	faults []*Fault
	writes []Write
	window time.Time
	used   int

	streams  map[*stream]bool
	blocked  bool // no websocket may connect
	settings map[string]any
}

// A Write is a request that could change something, as it arrived.
type Write struct {
	Method, Path string
	Body         string
	Handled      bool // false when a fault kept it from the fake
}

// A Fault is what goes wrong with requests. The first that matches is used.
type Fault struct {
	Method string // empty: any
	Path   string // start of the path; empty: any
	Write  bool   // only requests that could change something
	Times  int    // how often; 0: once, negative: always

	CutBefore bool          // drop the connection before the request is handled
	CutAfter  bool          // handle it, and drop the connection instead of answering
	CutBody   bool          // handle it, and drop the connection within the answer
	Status    int           // answer this instead of handling it
	After     bool          // with Status: handle it first
	Body      string        // with Status; empty: an error of Alpaca's form
	Header    http.Header   // with Status
	Delay     time.Duration // wait first
}

// New starts a fake on a free port of the loopback interface.
func New(opts *Options) (*Server, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, time.June, 3, 11, 0, 0, 0, market.NYSE().Location())
	}
	if o.Cash == nil {
		cash := decimal.NewFromInt(100_000)
		o.Cash = &cash
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("alpacatest: %w", err)
	}
	s := &Server{
		opts: o, listener: listener, now: o.Start, money: account{cash: *o.Cash, start: *o.Cash}, assets: map[string]*asset{},
		byID: map[string]*order{}, held: map[string]*position{}, quotes: map[string]*Quote{}, bars: map[string][]Bar{}, days: map[string][2]Bar{}, streams: map[*stream]bool{},
		settings: map[string]any{
			"dtbp_check": "entry", "no_shorting": false, "suspend_trade": false, "fractional_trading": true, "max_margin_multiplier": "4",
			"pdt_check": "entry", "trade_confirm_email": "all", "ptp_no_exception_entry": false, "max_options_trading_level": 3,
		},
	}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve), ReadHeaderTimeout: 10 * time.Second}
	s.serving.Go(func() { _ = s.http.Serve(listener) }) // ends with Close
	return s, nil
}

// URL is the base of the REST routes of both APIs.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() }

// StreamURL is the base of the market data websockets.
func (s *Server) StreamURL() string { return "ws://" + s.listener.Addr().String() }

// Close ends the fake and its connections, and waits for them.
func (s *Server) Close() {
	s.Block(true)
	_ = s.http.Close()
	s.serving.Wait()
}

// Now is the fake's time.
func (s *Server) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Advance moves the fake's time.
func (s *Server) Advance(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

// Inject adds a fault.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f.Times == 0 {
		f.Times = 1
	}
	s.faults = append(s.faults, &f)
}

// ClearFaults forgets the faults that were not used.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// Writes are the requests that could have changed something, in their order.
func (s *Server) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Write(nil), s.writes...)
}

func (s *Server) fault(r *http.Request) *Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if f.Method != "" && f.Method != r.Method || f.Write && r.Method == http.MethodGet || !strings.HasPrefix(r.URL.Path, f.Path) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = append(s.faults[:i:i], s.faults[i+1:]...)
			}
		}
		return f
	}
	return nil
}

// An answer is what a route says.
type answer struct {
	status int
	body   any // nil: none
}

func ok(body any) answer { return answer{http.StatusOK, body} }

// refuse is an error of Alpaca's form. Extra fields come in pairs.
func refuse(status, code int, message string, extra ...any) answer {
	body := map[string]any{"code": code, "message": message}
	for i := 0; i+1 < len(extra); i += 2 {
		body[fmt.Sprint(extra[i])] = extra[i+1]
	}
	return answer{status, body}
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		s.serveStream(w, r)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	f := s.fault(r)
	if f == nil {
		f = &Fault{}
	}
	if f.Delay > 0 {
		timer := time.NewTimer(f.Delay)
		select {
		case <-timer.C:
		case <-r.Context().Done():
			timer.Stop()
		}
	}
	handled := !f.CutBefore && (f.Status == 0 || f.After)
	if r.Method != http.MethodGet {
		s.mu.Lock()
		s.writes = append(s.writes, Write{r.Method, r.URL.Path, string(body), handled})
		s.mu.Unlock()
	}
	var a answer
	if handled {
		if a = s.admit(w, r); a.status == 0 {
			a = s.route(r, body)
		}
	}
	if f.Status != 0 {
		for key, values := range f.Header {
			w.Header()[key] = values
		}
		text := f.Body
		if text == "" {
			text = fmt.Sprintf(`{"code":%d0000,"message":%q}`, f.Status*100, http.StatusText(f.Status))
		}
		w.WriteHeader(f.Status)
		_, _ = io.WriteString(w, text)
		return
	}
	if f.CutBefore || f.CutAfter || f.CutBody {
		cut(w, f.CutBody)
		return
	}
	if a.body == nil {
		w.WriteHeader(a.status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(a.status)
	_ = json.NewEncoder(w).Encode(a.body) // the client may be gone
}

// cut drops the connection, after half an answer when that is asked for.
func cut(w http.ResponseWriter, within bool) {
	conn, buffered, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if within {
		_, _ = buffered.WriteString("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{\"id\":")
		_ = buffered.Flush()
	}
	_ = conn.Close()
}

// admit checks the credentials and the rate; a status of 0 lets the request in.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) answer {
	if !same(r.Header.Get("APCA-API-KEY-ID"), KeyID) || !same(r.Header.Get("APCA-API-SECRET-KEY"), Secret) {
		return answer{http.StatusUnauthorized, map[string]any{"message": "unauthorized."}}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opts.PerMinute == 0 {
		return answer{}
	}
	if now := time.Now(); now.Sub(s.window) >= time.Minute {
		s.window, s.used = now, 0
	}
	s.used++
	w.Header().Set("X-RateLimit-Limit", fmt.Sprint(s.opts.PerMinute))
	w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(max(0, s.opts.PerMinute-s.used)))
	w.Header().Set("X-RateLimit-Reset", fmt.Sprint(s.window.Add(time.Minute).Unix()))
	if s.used > s.opts.PerMinute {
		return refuse(http.StatusTooManyRequests, 42910000, "rate limit exceeded")
	}
	return answer{}
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// id makes an identifier of the form that Alpaca's have.
func (s *Server) id() string {
	s.serial++
	return fmt.Sprintf("%08x-0000-4000-8000-%012x", s.serial, s.serial)
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func amount(d *decimal.Decimal) any {
	if d == nil {
		return nil
	}
	return d.String()
}
