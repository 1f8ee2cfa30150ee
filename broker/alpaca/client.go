package alpaca

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/internal/wsconn"
)

// Alpaca's hosts.
const (
	LiveURL   = "https://api.alpaca.markets"
	PaperURL  = "https://paper-api.alpaca.markets"
	DataURL   = "https://data.alpaca.markets"
	StreamURL = "wss://stream.data.alpaca.markets"
)

// The feeds of market data. Which of them a credential may use is a matter of its
// subscription.
const (
	FeedIEX        = "iex" // shares, one exchange: the free plan
	FeedSIP        = "sip" // shares, all exchanges
	FeedDelayedSIP = "delayed_sip"
	FeedIndicative = "indicative" // options, delayed and modified: the free plan
	FeedOPRA       = "opra"       // options
)

// ClientOptions configure a [Client]. Credentials are required; the zero value of
// the others works.
type ClientOptions struct {
	Credentials CredentialsFunc
	// Live trades with real money. The default is the paper account.
	Live bool
	// TradingURL, DataURL and StreamURL replace Alpaca's hosts, for a fake on
	// loopback: https, or http to this machine; wss or ws for StreamURL. Empty:
	// Alpaca's, the trading host by Live.
	TradingURL, DataURL, StreamURL string
	// StockFeed and OptionFeed are asked of routes that know several. Empty: IEX
	// and indicative, which every account has.
	StockFeed, OptionFeed string
	// TradingLimiter and DataLimiter space the requests to each API. Nil: one of
	// 200 a minute for each, of this client alone. Share them among the clients
	// of a credential.
	TradingLimiter, DataLimiter Limiter
	HTTPClient                  *http.Client  // nil: one of its own
	Logger                      *slog.Logger  // nil: silent
	UserAgent                   string        // empty: ttai
	Timeout                     time.Duration // of a call whose context has no deadline; 0: 30 s
	// Now is the wall clock of rate limits. Nil: time.Now.
	Now func() time.Time
}

// A Client calls Alpaca's Trading and Market Data APIs. Reads are retried within
// the deadline; writes are sent at most once. It is safe for concurrent use.
type Client struct {
	opts    ClientOptions
	trading *host
	data    *host
}

// A host is one of the two APIs.
type host struct {
	rest    *rest.Client
	limiter Limiter
}

// NewClient returns a client. It connects to nothing yet.
func NewClient(opts ClientOptions) (*Client, error) {
	if opts.Credentials == nil {
		return nil, invalid.Missing("Credentials", "a function that returns a key pair or a token")
	}
	if opts.Timeout < 0 {
		return nil, invalid.Field("Timeout", opts.Timeout, "a positive duration, or 0 for 30 s")
	}
	fallback := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	live := PaperURL
	if opts.Live {
		live = LiveURL
	}
	fallback(&opts.TradingURL, live)
	fallback(&opts.DataURL, DataURL)
	fallback(&opts.StreamURL, StreamURL)
	fallback(&opts.StockFeed, FeedIEX)
	fallback(&opts.OptionFeed, FeedIndicative)
	fallback(&opts.UserAgent, "ttai/1")
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Live && strings.Contains(opts.TradingURL, "paper-api") {
		return nil, invalid.Field("Live", true, "false for the paper host")
	}
	if !opts.Live && hostOf(opts.TradingURL) == hostOf(LiveURL) {
		return nil, invalid.Field("Live", false, "true for the live host")
	}
	c := &Client{opts: opts}
	var err error
	if c.trading, err = c.host(opts.TradingURL, opts.TradingLimiter); err != nil {
		return nil, err
	}
	if c.data, err = c.host(opts.DataURL, opts.DataLimiter); err != nil {
		return nil, err
	}
	if err := checkStreamURL(opts.StreamURL); err != nil {
		return nil, err
	}
	return c, nil
}

func hostOf(s string) string {
	u, err := url.Parse(s)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

func (c *Client) host(base string, limiter Limiter) (*host, error) {
	if limiter == nil {
		var err error
		if limiter, err = NewRateLimiter(0, c.opts.Now); err != nil {
			return nil, err
		}
	}
	hc, err := rest.HTTPClient(c.opts.HTTPClient, nil)
	if err != nil {
		return nil, err
	}
	hc.Transport = &observer{next: hc.Transport, limiter: limiter, now: c.opts.Now}
	r, err := rest.New(rest.Options{
		BaseURL: base, UserAgent: c.opts.UserAgent, HTTPClient: hc, Limiter: turns{limiter}, Now: c.opts.Now,
		Logger: c.opts.Logger, Timeout: c.opts.Timeout,
	})
	if err != nil {
		return nil, err
	}
	return &host{rest: r, limiter: limiter}, nil
}

// turns makes a Limiter fit the request sender.
type turns struct{ Limiter }

func (t turns) Wait(ctx context.Context, _, _ string) error { return t.Limiter.Wait(ctx) }

// An observer shows every answer, repeated attempts included, to the limiter, and
// says when a request never had a connection.
type observer struct {
	next    http.RoundTripper
	limiter Limiter
	now     func() time.Time
}

func (o *observer) RoundTrip(req *http.Request) (*http.Response, error) {
	var connected atomic.Bool
	connected.Store(true) // a transport that cannot say
	if _, ok := o.next.(*http.Transport); ok {
		connected.Store(false)
		trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
		req = req.WithContext(httptrace.WithClientTrace(req.Context(), trace))
	}
	resp, err := o.next.RoundTrip(req)
	if err != nil {
		if !connected.Load() {
			err = &net.OpError{Op: "dial", Err: err} // what the sender takes as certainly not sent
		}
		return nil, err
	}
	o.limiter.Observe(resp.StatusCode, resp.Header)
	if resp.StatusCode == http.StatusTooManyRequests && resp.Header.Get("Retry-After") == "" {
		if reset, ok := resetTime(resp.Header); ok {
			wait := min(max(reset.Sub(o.now()), 0), longestPause)
			resp.Header.Set("Retry-After", fmt.Sprint(wait.Seconds()))
		}
	}
	return resp, nil
}

// CloseIdleConnections closes connections that no call uses. Streams are closed
// each by itself.
func (o *observer) CloseIdleConnections() {
	if closer, ok := o.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// Live tells whether the client trades with real money.
func (c *Client) Live() bool { return c.opts.Live }

// CloseIdle closes connections that no call uses.
func (c *Client) CloseIdle() {
	c.trading.rest.CloseIdle()
	c.data.rest.CloseIdle()
}

// credentials asks the callback and checks what it returns.
func (c *Client) credentials(ctx context.Context) (Credentials, error) {
	creds, err := c.opts.Credentials(ctx)
	if err != nil {
		return Credentials{}, fmt.Errorf("alpaca: getting the credentials: %w: %w", errNotSent, err)
	}
	if !creds.usable() {
		return Credentials{}, fmt.Errorf("alpaca: %w: %w", errNotSent, invalid.Secret("Credentials", "a key id and a secret, or a token"))
	}
	return creds, nil
}

// errNotSent: the request certainly did not leave this machine.
var errNotSent = errors.New("nothing was sent")

// A call is one request to one of the APIs.
type call struct {
	method string
	op     string // the path with names in place of values, for messages
	path   []string
	query  url.Values
	body   any // encoded as JSON unless nil
}

// do sends a call and decodes the answer into out, unless out is nil. Errors are
// an *APIError, a *rest.TransportError, one that wraps ErrAnswer, or one that
// wraps errNotSent.
func (c *Client) do(ctx context.Context, h *host, req call, out any) error {
	op := req.method + " " + req.op
	creds, err := c.credentials(ctx)
	if err != nil {
		return err
	}
	r := &rest.Request{Method: req.method, Operation: op, Path: req.path, Query: req.query, Header: creds.header()}
	if req.body != nil {
		if r.Body, err = json.Marshal(req.body); err != nil {
			return fmt.Errorf("alpaca: %s: %w: %w", op, errNotSent, err)
		}
		r.Header.Set("Content-Type", "application/json")
	}
	resp, err := h.rest.Do(ctx, r)
	if err != nil {
		return fmt.Errorf("alpaca: %w", err)
	}
	if resp.Status < 200 || resp.Status > 299 {
		return apiError(op, resp.Status, resp.Body, creds)
	}
	if out == nil || resp.Status == http.StatusNoContent && len(resp.Body) == 0 {
		return nil
	}
	if err := json.Unmarshal(resp.Body, out); err != nil {
		return fmt.Errorf("%s: %w: %s", op, ErrAnswer, creds.redact([]byte(err.Error())))
	}
	return nil
}

// get is a read of something that is not a list.
func get[T any](ctx context.Context, c *Client, h *host, op string, path []string, query url.Values) (*T, error) {
	out := new(T)
	if err := c.do(ctx, h, call{method: http.MethodGet, op: op, path: path, query: query}, out); err != nil {
		return nil, err
	}
	return out, nil
}

// list is a read of a JSON array.
func list[T any](ctx context.Context, c *Client, h *host, op string, path []string, query url.Values) ([]T, error) {
	var out []T
	err := c.do(ctx, h, call{method: http.MethodGet, op: op, path: path, query: query}, &out)
	return out, err
}

// at splits a fixed path.
func at(path string, more ...string) []string {
	return append(strings.Split(strings.Trim(path, "/"), "/"), more...)
}

// query builds url.Values from pairs, leaving out empty values.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

func count(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprint(n)
}

// checkStreamURL refuses what no websocket could be opened to.
func checkStreamURL(address string) error {
	if _, err := wsconn.ParseURL(address, false); err != nil {
		return invalid.Field("StreamURL", hostOf(address), "a wss URL with a host, or ws to a loopback address")
	}
	return nil
}
