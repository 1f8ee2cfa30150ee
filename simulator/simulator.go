// Package simulator is a tastytrade of one's own: the REST API, OAuth and the
// DXLink websocket, served over real HTTP from any [market.Source]. By default
// the source is a synthetic market on a simulated trading day, so that a client
// can be tried, tested and demonstrated without an account.
//
// It answers with the envelope, field names and number encodings that recorded
// answers of the real service have, from wire types of its own: it shares no
// code with the client, so that a mistake of one is not hidden by the other.
// It holds no order book: accounts are read, nothing can be traded. Watchlists
// and quote alerts are kept as long as the simulator lives; alerts never fire.
// Cryptocurrencies are described and have no prices; warrants, spreads of
// futures and SPAN files there are none; backtests are another service.
//
//	sim, err := simulator.New(nil)
//	if err != nil {
//		return err
//	}
//	defer sim.Close()
//	server, err := sim.Start("127.0.0.1:0")
//	if err != nil {
//		return err
//	}
//	fmt.Println(server.URL(), sim.Credentials().RefreshToken)
//
// # Time
//
// Market time comes from the simulator's clock, which may stand still or run
// fast. What belongs to the connection (the life of tokens, keepalives, the
// period of updates) runs on the computer's time, or on Options.Wall.
package simulator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// A FieldError says which option was refused and what is allowed.
type FieldError = invalid.FieldError

// Options of [New]. The zero value is a working simulator: a synthetic market
// with the default seed on its default day, two demo accounts and random
// credentials.
type Options struct {
	// Market is what is served. Nil: a synthetic market made from Seed.
	Market market.Source
	// Clock is the time of Market; the two must agree. Nil: a clock that starts
	// at Start and runs Speed times as fast as the computer's. With a Market of
	// one's own, Clock is required.
	Clock market.Clock
	// Seed makes the synthetic market. 0: synthetic.DefaultSeed. With a Market of
	// one's own it is only told to who asks.
	Seed uint64
	// Note says what the numbers of a Market of one's own are worth, as a
	// sentence: "SPY is replayed from a file." Empty: that they are simulated.
	Note string
	// Scenarios are extraordinary days of the synthetic market: a crash, a
	// squeeze, a halt. With a Market of one's own there can be none.
	Scenarios []synthetic.Scenario
	// Start is the time at which the clock begins. Zero: synthetic.DefaultStart.
	Start time.Time
	// Speed is how many times as fast as the computer's clock the day runs. 0: 1.
	Speed float64
	// RealClock shows the computer's time instead of a simulated day.
	RealClock bool

	// Calendar gives the sessions. Nil: market.NYSE.
	Calendar *market.Calendar
	// Accounts are what the customer holds. Nil: two demo accounts, a margin
	// account with shares, a covered call and a short put, and an IRA with shares
	// and a cash-secured put; empty but not nil: none.
	Accounts []AccountState
	// Credentials that are accepted. Empty fields are filled at random, and with
	// the numbers of Accounts.
	Credentials Credentials
	// RequestsPerSecond limits each access token; more is answered with 429.
	// 0: no limit.
	RequestsPerSecond float64
	// Candles is the most that one candle snapshot holds, newest first. 0: 8000.
	Candles int
	// Fault is asked before every request is answered, the websocket's opening
	// included, and may spoil it. Nil: nothing is spoiled.
	Fault func(*http.Request) Fault

	// Wall times tokens, keepalives and updates. Nil: market.SystemClock.
	Wall market.Clock
	// Rand is where secrets come from. Nil: crypto/rand.
	Rand io.Reader
	// Logger gets one line per request at debug level. Nil: nothing is logged.
	Logger *slog.Logger
}

// A Fault is what goes wrong with one request. The zero Fault is nothing.
type Fault struct {
	// Delay passes before the answer, in the computer's time.
	Delay time.Duration
	// Drop closes the connection without an answer.
	Drop bool
	// Status replaces the answer: 502, say. 0: the usual answer.
	Status int
	// Body and ContentType come with Status. Empty: an HTML page as a gateway
	// would write it.
	Body, ContentType string
	// DropAfter cuts a websocket that long after it was opened. 0: never.
	DropAfter time.Duration
}

// Credentials are what a client needs. Keep them like real ones when the
// simulator listens on anything but loopback: they are the only lock.
type Credentials struct {
	ClientID     string
	ClientSecret string
	RefreshToken string
	// Accounts are the numbers that the credentials reach, filled by New.
	Accounts []string
}

// String hides the secrets.
func (c Credentials) String() string {
	return fmt.Sprintf("Credentials{Accounts: %v, secrets: [redacted]}", c.Accounts)
}

// GoString hides the secrets.
func (c Credentials) GoString() string { return c.String() }

// A Simulator serves one customer. It is safe for concurrent use.
type Simulator struct {
	market   market.Source
	clock    market.Clock
	calendar *market.Calendar
	start    time.Time
	speed    float64
	seed     uint64
	note     string
	candles  int
	random   io.Reader
	fault    func(*http.Request) Fault
	wall     market.Clock
	logger   *slog.Logger

	credentials Credentials
	tokens      tokenBook
	limiter     *limiter
	book        accountBook
	facts       factCache
	lists       listBook
	handler     http.Handler

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	gate   gate // requests and websockets being served

	mu      sync.Mutex
	closed  bool
	servers map[*Server]struct{}
	streams map[*stream]struct{}
}

// Handler returns the whole service on one mux: REST, OAuth and the websocket
// at /dxlink. Mount it at the root of a host.
func (s *Simulator) Handler() http.Handler { return s.handler }

// Credentials returns what a client needs to reach the simulator.
func (s *Simulator) Credentials() Credentials {
	c := s.credentials
	c.Accounts = append([]string(nil), c.Accounts...)
	return c
}

// Market returns what is served.
func (s *Simulator) Market() market.Source { return s.market }

// Clock returns the time of the market.
func (s *Simulator) Clock() market.Clock { return s.clock }

// Note says in one sentence what the numbers are worth: that they are
// simulated, and of which day.
func (s *Simulator) Note() string { return s.note }

// DropStreams cuts every open websocket, as a network would: without a closing
// handshake. It is for trying a client's recovery.
func (s *Simulator) DropStreams() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for st := range s.streams {
		st.drop()
	}
}

// Close ends every server and websocket and waits for them. The simulator
// answers nothing afterwards.
func (s *Simulator) Close() error {
	s.mu.Lock()
	s.closed = true
	servers := make([]*Server, 0, len(s.servers))
	for server := range s.servers {
		servers = append(servers, server)
	}
	s.mu.Unlock()
	s.cancel()
	for _, server := range servers {
		server.Close()
	}
	s.gate.wait()
	return nil
}
