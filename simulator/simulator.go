// Package simulator is a tastytrade of one's own: the REST API, OAuth, the DXLink
// websocket, the account streamer and the backtesting host, served over real HTTP
// from any [market.Source]. By default the source is a synthetic market on a
// simulated trading day, so that a client can be tried, tested and demonstrated
// without an account. Tests of other packages use package simtest.
//
// It answers with the envelope, field names and number encodings that recorded
// answers of the real service have, from wire types of its own: it shares no
// code with the client, so that a mistake of one is not hidden by the other.
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
// # Trading
//
// Orders are filled by the matching engine of package broker/paper at the quotes of
// the market, with tastytrade's fees and Regulation T margin, and go the way that
// the broker's go: Received, Routed, In Flight, Live, Filled, within about a tenth
// of a second of the market's time (Options.Latency). Positions, balances,
// transactions, net liquidating value and margin are what came of it; options
// expire, are exercised and assigned; orders with conditions, OCO, OTO, OTOCO and
// PAIRS work. The account streamer tells an order's steps, then the positions, the
// balance and the order chain. Between two looks at the market, at most a second
// apart in a stepped or real-time clock, prices are not known.
//
// Cryptocurrencies and warrants are described and have no prices. Futures and their
// options are margined by a share of their value, as their exchanges' rules are
// not published here; the risk file of GET /span/rows is made the same way.
//
// # Time
//
// Market time comes from the simulator's clock, which may stand still, run fast, be
// stopped and stepped: see [Clock] and [Simulator.Step]. What belongs to the
// connection (the life of tokens, rate limits, keepalives, the period of updates)
// runs on the computer's time, or on Options.Wall.
//
// # Control
//
// What a test or a demonstration does to the simulator is a method, and for other
// processes a route under /simulator/ that needs the access token of a customer:
//
//	GET    /simulator/clock            the time; needs no token
//	POST   /simulator/clock            {"stopped":true} {"speed":60} {"step":"90s"}
//	GET    /simulator/faults           the rules of what goes wrong
//	PUT    /simulator/faults           [{"route":"POST /accounts/{account}/orders","probability":0.1,"status":502}]
//	PUT    /simulator/quotes           {"symbol":"SPY","bid":660.1,"ask":660.12}
//	DELETE /simulator/quotes           ?symbol=SPY, or all
//	POST   /simulator/tokens/expire    every access token ends now
//	POST   /simulator/streams/drop     every websocket is cut
//	POST   /simulator/messages         {"title":"…","message":"…"} to the customer's streams
//	GET    /simulator/news             ?symbols=AAPL,SPY&from=…&limit=20: stories as JSON
//	GET    /simulator/news.rss         the same as an RSS feed; needs no token
//	POST   /simulator/news             {"headline":"…","symbols":["AAPL"]} publishes a story
//	GET    /simulator/snapshot         the state of everything
//	PUT    /simulator/snapshot         back to such a state
package simulator

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
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
	// Stopped lets the clock stand at Start until [Simulator.Step] or
	// [Simulator.Resume].
	Stopped bool
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
	// Customers, when there are several. Nil: one, with Accounts and Credentials.
	Customers []Customer
	// AccessTokenLife is how long an access token is good. 0: 15 minutes.
	AccessTokenLife time.Duration
	// QuoteTokenLife is how long the token of a market-data stream is good. 0: 24
	// hours.
	QuoteTokenLife time.Duration
	// RequestsPerSecond limits each customer; more is answered with 429. 0: no
	// limit.
	RequestsPerSecond float64
	// RateLimits are limits by families of routes, for each customer by itself.
	// Nil: none; [PublishedRateLimits] are the broker's.
	RateLimits []RateLimit
	// Latency is how long orders take on their way, in the market's time. The zero
	// value: about a tenth of a second to be live, and a twentieth to be cancelled.
	Latency paper.Latency
	// Fees are what trading costs. Nil: tastytrade's.
	Fees *broker.FeeSchedule
	// Candles is the most that one candle snapshot holds, newest first. 0: 8000.
	Candles int
	// Faults spoil requests, the opening of websockets included; see
	// [Simulator.SetFaults].
	Faults []FaultRule
	// FaultSeed makes the chances of Faults.
	FaultSeed uint64
	// Fault is asked before every request is answered, and may spoil it by rules of
	// its own; Faults are asked when it spoils nothing. Nil: nothing is spoiled.
	Fault func(*http.Request) Fault
	// Before is shown every request that needs a customer's token, and that of the
	// public margin configuration, when nothing keeps it from being answered. It
	// returns true when it has answered; then the simulator does not. Nil: the
	// simulator answers everything.
	Before func(http.ResponseWriter, *http.Request) bool

	// Wall times tokens, keepalives and updates. Nil: market.SystemClock.
	Wall market.Clock
	// Rand is where secrets come from. Nil: crypto/rand.
	Rand io.Reader
	// Logger gets one line per request at debug level. Nil: nothing is logged.
	Logger *slog.Logger
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

func (c Credentials) set() bool {
	return c.ClientID != "" || c.ClientSecret != "" || c.RefreshToken != ""
}

// A Simulator serves one customer or several. It is safe for concurrent use.
type Simulator struct {
	base     market.Source
	market   *overlay // base, with the quotes that were set by hand
	clock    market.Clock
	calendar *market.Calendar
	start    time.Time
	speed    float64
	seed     uint64
	note     string
	candles  int
	random   io.Reader
	fault    func(*http.Request) Fault
	before   func(http.ResponseWriter, *http.Request) bool
	wall     market.Clock
	logger   *slog.Logger

	customers  []*customer // at least one
	tokens     tokenBook
	accessLife time.Duration
	quoteLife  time.Duration
	limits     *limits
	faults     *faultBook
	news       newsBook
	book       accountBook
	facts      factCache
	hub        hub
	ticking    sync.Mutex // guards tick
	tick       *tick
	heart      heart
	trade      trade
	fees       *broker.FeeSchedule
	latency    paper.Latency
	handler    http.Handler

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	gate   gate // requests and websockets being served

	mu      sync.Mutex
	closed  bool
	servers map[*Server]struct{}
	sockets map[socket]struct{}
}

// A socket is a websocket being served.
type socket interface {
	cut()        // ends it without a closing handshake
	at() *Server // the door it came through; nil when the handler is mounted elsewhere
}

// enter adds a socket, and cuts it when the simulator is closed already.
func (s *Simulator) enter(one socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		one.cut()
	}
	s.sockets[one] = struct{}{}
}

func (s *Simulator) leave(one socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, one)
}

// Handler returns the whole service on one mux: REST, OAuth and the websockets at
// /dxlink and /streamer. Mount it at the root of a host, and close the simulator
// when done with it.
func (s *Simulator) Handler() http.Handler { return s.handler }

// Credentials returns what a client of the first customer needs to reach the
// simulator.
func (s *Simulator) Credentials() Credentials { return s.customers[0].given() }

// CredentialsOf returns what a client of a customer needs; not ok when there is
// no such customer.
func (s *Simulator) CredentialsOf(customerID string) (c Credentials, ok bool) {
	for _, one := range s.customers {
		if one.id == customerID {
			return one.given(), true
		}
	}
	return Credentials{}, false
}

// Customers returns the numbers of the customers.
func (s *Simulator) Customers() []string {
	var ids []string
	for _, one := range s.customers {
		ids = append(ids, one.id)
	}
	return ids
}

func (c *customer) given() Credentials {
	k := c.credentials
	k.Accounts = slices.Clone(k.Accounts)
	return k
}

// Market returns what is served, without the quotes that were set by hand.
func (s *Simulator) Market() market.Source { return s.base }

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
	for one := range s.sockets {
		one.cut()
	}
}

// Close ends every server and websocket and waits for them. The simulator
// answers nothing afterwards.
func (s *Simulator) Close() error {
	s.mu.Lock()
	s.closed = true
	beating := s.heart.done
	servers := make([]*Server, 0, len(s.servers))
	for server := range s.servers {
		servers = append(servers, server)
	}
	s.mu.Unlock()
	s.cancel()
	for _, server := range servers {
		server.Close()
	}
	if beating != nil {
		<-beating
	}
	s.gate.wait()
	return nil
}
