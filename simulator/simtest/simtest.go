// Package simtest starts simulators in tests, as net/http/httptest starts servers:
//
//	sim := simtest.New(t)
//	client := login(sim.URL, sim.ClientSecret, sim.RefreshToken)
//	sim.SetQuote("SPY", 660.10, 660.12)
//	sim.Step(time.Second)
//
// A simulator of this package has a market of its own in memory, two demo accounts
// with positions and credentials, and a clock that stands still until the test
// steps it, so that a test does not depend on the time of day or on the speed of
// the machine. It ends with the test. Only this package imports testing: a program
// that embeds a simulator uses package simulator.
package simtest

import (
	"net/http"
	"testing"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
)

// An Option changes the simulator's options before it is made.
type Option func(*simulator.Options)

// Running lets the clock run speed times as fast as the computer's instead of
// standing still.
func Running(speed float64) Option {
	return func(o *simulator.Options) { o.Speed = speed }
}

// At puts the clock to a time instead of the default day.
func At(start time.Time) Option {
	return func(o *simulator.Options) { o.Start = start }
}

// Accounts gives the customer these accounts instead of the demo accounts.
func Accounts(accounts ...simulator.AccountState) Option {
	return func(o *simulator.Options) { o.Accounts = accounts }
}

// Limited enforces the rate limits that are published.
func Limited() Option {
	return func(o *simulator.Options) { o.RateLimits = simulator.PublishedRateLimits() }
}

// With is for every other option.
func With(change func(*simulator.Options)) Option { return change }

// A Sim is a running simulator. Its methods that cannot do what they are asked
// fail the test; those with an error result leave that to the caller.
type Sim struct {
	// URL is the base URL of the REST API, BacktestURL that of the backtests.
	URL, BacktestURL string
	// AccountStreamerURL is where the account streamer is. The address of the
	// market-data stream comes from GET /api-quote-tokens.
	AccountStreamerURL string
	// ClientID, ClientSecret and RefreshToken are what an OAuth client needs.
	ClientID, ClientSecret, RefreshToken string
	// Accounts are the numbers of the customer's accounts.
	Accounts []string
	// Simulator is the simulator itself, for all that has no shorthand here.
	Simulator *simulator.Simulator

	t      testing.TB
	server *simulator.Server
}

// New starts a simulator on loopback that ends with the test. Every client of it
// should be closed before that: idle connections of http.DefaultClient are not.
func New(t testing.TB, options ...Option) *Sim {
	t.Helper()
	return begin(t, false, options)
}

// NewInMemory is New without a port: only clients that dial with Client or with
// Server().DialContext reach it.
func NewInMemory(t testing.TB, options ...Option) *Sim {
	t.Helper()
	return begin(t, true, options)
}

func begin(t testing.TB, memory bool, options []Option) *Sim {
	t.Helper()
	var opts simulator.Options
	for _, change := range options {
		change(&opts)
	}
	opts.Stopped = opts.Stopped || opts.Clock == nil && !opts.RealClock && opts.Speed == 0
	sim, err := simulator.New(&opts)
	if err != nil {
		t.Fatalf("simtest: %v", err)
	}
	s := &Sim{Simulator: sim, t: t}
	open := func() (*simulator.Server, error) { return sim.Start("127.0.0.1:0") }
	if memory {
		open = sim.Listen
	}
	if s.server, err = open(); err != nil {
		_ = sim.Close()
		t.Fatalf("simtest: %v", err)
	}
	c := sim.Credentials()
	s.URL, s.BacktestURL, s.AccountStreamerURL = s.server.URL(), s.server.URL(), s.server.AccountStreamerURL()
	s.ClientID, s.ClientSecret, s.RefreshToken, s.Accounts = c.ClientID, c.ClientSecret, c.RefreshToken, c.Accounts
	t.Cleanup(func() {
		if err := sim.Close(); err != nil {
			t.Errorf("simtest: closing: %v", err)
		}
	})
	return s
}

func (s *Sim) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("simtest: %v", err)
	}
}

// Server returns the door, whose DialContext reaches a simulator in memory.
func (s *Sim) Server() *simulator.Server { return s.server }

// Client returns an HTTP client whose every connection goes to the simulator. Its
// idle connections are closed with the test.
func (s *Sim) Client() *http.Client {
	c := s.server.HTTPClient()
	s.t.Cleanup(c.CloseIdleConnections)
	return c
}

// Now is the market's time.
func (s *Sim) Now() time.Time { return s.Simulator.Clock().Now() }

// Step moves the clock and lets happen what happens in that time: orders fill,
// options expire, alerts fire, and the streams tell.
func (s *Sim) Step(d time.Duration) {
	s.t.Helper()
	s.check(s.Simulator.Step(d))
}

// StepTo moves the clock to a time that is not in its past.
func (s *Sim) StepTo(t time.Time) {
	s.t.Helper()
	s.Step(t.Sub(s.Now()))
}

// Pause stops a clock that runs, Resume lets it run.
func (s *Sim) Pause() {
	s.t.Helper()
	s.check(s.Simulator.Pause())
}

// Resume lets the clock run.
func (s *Sim) Resume() {
	s.t.Helper()
	s.check(s.Simulator.Resume())
}

// SetQuote sets the bid and ask of a symbol, and the middle of them as its last
// trade, until ClearQuotes. Orders that it touches fill at once if they are live.
func (s *Sim) SetQuote(symbol market.Symbol, bid, ask float64) {
	s.t.Helper()
	q := market.NewQuote(symbol)
	q.Bid, q.Ask, q.Last = bid, ask, (bid+ask)/2
	s.check(s.Simulator.SetQuote(q))
}

// SetSizes sets how much is offered at the quote.
func (s *Sim) SetSizes(symbol market.Symbol, bid, ask, bidSize, askSize float64) {
	s.t.Helper()
	q := market.NewQuote(symbol)
	q.Bid, q.Ask, q.Last, q.BidSize, q.AskSize = bid, ask, (bid+ask)/2, bidSize, askSize
	s.check(s.Simulator.SetQuote(q))
}

// Halt stops trading in a symbol until ClearQuotes.
func (s *Sim) Halt(symbol market.Symbol) {
	s.t.Helper()
	q := market.NewQuote(symbol)
	q.Halted = true
	s.check(s.Simulator.SetQuote(q))
}

// ClearQuotes gives symbols back to the market; all, when none is named.
func (s *Sim) ClearQuotes(symbols ...market.Symbol) { s.Simulator.ClearQuotes(symbols...) }

// Fail makes every request of a route fail with a status until ClearFaults: the
// gateway's HTML, not the API's error. The route is written like
// "POST /accounts/{account}/orders"; "" is every route.
func (s *Sim) Fail(route string, status int) {
	s.t.Helper()
	s.SetFaults(simulator.FaultRule{Route: route, Fault: simulator.Fault{Status: status}})
}

// LoseAnswers carries requests of a route out and closes the connection without an
// answer: the outcome of a write is unknown to its sender. Times 0 is until
// ClearFaults.
func (s *Sim) LoseAnswers(route string, times int) {
	s.t.Helper()
	s.SetFaults(simulator.FaultRule{Route: route, Times: times, Fault: simulator.Fault{Lose: true}})
}

// SetFaults replaces all rules of what goes wrong.
func (s *Sim) SetFaults(rules ...simulator.FaultRule) {
	s.t.Helper()
	s.check(s.Simulator.SetFaults(rules...))
}

// ClearFaults ends what SetFaults, Fail and LoseAnswers began.
func (s *Sim) ClearFaults() {
	s.t.Helper()
	s.SetFaults()
}

// ExpireTokens ends the life of every access token and quote token now.
func (s *Sim) ExpireTokens() { s.Simulator.ExpireTokens() }

// DropStreams cuts every websocket without a closing handshake.
func (s *Sim) DropStreams() { s.Simulator.DropStreams() }

// Snapshot returns the state of everything, for Restore.
func (s *Sim) Snapshot() []byte {
	s.t.Helper()
	data, err := s.Simulator.Snapshot()
	s.check(err)
	return data
}

// Restore puts everything back to where a snapshot was taken, the clock included.
func (s *Sim) Restore(snapshot []byte) {
	s.t.Helper()
	s.check(s.Simulator.Restore(snapshot))
}
