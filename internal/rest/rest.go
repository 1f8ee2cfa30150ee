// Package rest sends HTTP requests to one host: with a deadline, a size limit
// on answers, token buckets per family of routes, no redirect to another host,
// and retries for reads only. What an answer means is its caller's business.
package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-retryablehttp"

	"github.com/ttai-go/ttai/internal/invalid"
)

// ErrTooLarge is the cause when an answer is larger than Options.MaxBytes.
var ErrTooLarge = errors.New("the answer is larger than allowed")

// A Limiter delays requests so that the server's limits hold. Wait returns an
// error when ctx ends first or would end before the request's turn.
type Limiter interface {
	Wait(ctx context.Context, method, path string) error
}

// A Pauser is a [Limiter] that can be told what a 429 answer asks for: no
// request of that kind, whoever's, for a while.
type Pauser interface {
	Pause(method, path string, d time.Duration)
}

// DialFunc opens connections in place of the network, for in-memory servers.
type DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error)

// Options configure a [Client]. The zero value of each field but BaseURL and
// UserAgent works.
type Options struct {
	BaseURL    string // scheme and host, optionally a path prefix
	UserAgent  string
	HTTPClient *http.Client     // nil: a client of its own
	Dial       DialFunc         // nil: the network
	Limiter    Limiter          // nil: no limits
	Now        func() time.Time // nil: time.Now
	Logger     *slog.Logger     // nil: silent
	Timeout    time.Duration    // of a call whose context has no deadline; 0: 30 s
	Retries    int              // of a read, after the first attempt; 0: 3, negative: none
	MinWait    time.Duration    // before the first retry; 0: 250 ms
	MaxWait    time.Duration    // before any retry, unless the server asks for more; 0: 10 s
	MaxBytes   int64            // of an answer; 0: 32 MiB
}

// A Client sends requests. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	opts    Options
	plain   *http.Client
	retries *retryablehttp.Client
}

// A Request is one call.
type Request struct {
	Method    string
	Operation string   // how messages name the call, e.g. "GET /accounts/{account}/positions"
	Path      []string // segments, not escaped
	Query     url.Values
	Header    http.Header
	Body      []byte
}

// A Response is an answer of any status, read whole.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// A TransportError says that no whole answer arrived.
type TransportError struct {
	Operation string
	Err       error
	// Dispatched is false when the request certainly never left this machine.
	Dispatched bool
}

// Error names the operation and the cause, never the URL.
func (e *TransportError) Error() string { return e.Operation + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *TransportError) Unwrap() error { return e.Err }

// New returns a Client.
func New(opts Options) (*Client, error) {
	base, err := ParseBase(opts.BaseURL, opts.Dial != nil)
	if err != nil {
		return nil, err
	}
	if opts.UserAgent == "" || strings.ContainsAny(opts.UserAgent, "\r\n") {
		return nil, invalid.Field("UserAgent", opts.UserAgent, "<product>/<version>: the broker's gateway refuses requests without one")
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	opts.Timeout = positive(opts.Timeout, 30*time.Second)
	opts.MinWait = positive(opts.MinWait, 250*time.Millisecond)
	opts.MaxWait = max(opts.MinWait, positive(opts.MaxWait, 10*time.Second))
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = 32 << 20
	}
	if opts.Retries == 0 {
		opts.Retries = 3
	}
	plain, err := HTTPClient(opts.HTTPClient, opts.Dial)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, opts: opts, plain: plain}
	c.retries = &retryablehttp.Client{
		HTTPClient:   plain,
		RetryWaitMin: opts.MinWait,
		RetryWaitMax: opts.MaxWait,
		RetryMax:     max(opts.Retries, 0),
		CheckRetry:   c.check,
		Backoff:      c.backoff,
		ErrorHandler: retryablehttp.PassthroughErrorHandler,
		PrepareRetry: func(r *http.Request) error { return c.wait(r.Context(), r.Method, r.URL.Path) },
	}
	return c, nil
}

func positive(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

// ParseBase checks a base URL: https, or http to this machine. With an
// in-memory dialer any host will do.
func ParseBase(s string, inMemory bool) (*url.URL, error) {
	const allowed = "an https URL with a host, or http to a loopback address"
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, invalid.Secret("BaseURL", allowed+", without user, query or fragment") // it may hold a password
	}
	switch {
	case u.Scheme == "https", u.Scheme == "http" && (inMemory || Loopback(u.Hostname())):
	default:
		return nil, invalid.Field("BaseURL", s, allowed)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// Loopback reports whether host is this machine by name or address.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// HTTPClient returns a copy of hc that dials with dial and follows redirects
// within the same scheme and host only. Nil arguments mean the defaults.
func HTTPClient(hc *http.Client, dial DialFunc) (*http.Client, error) {
	var out http.Client
	if hc != nil {
		out = *hc
	}
	if dial != nil {
		transport, ok := out.Transport.(*http.Transport)
		if out.Transport != nil && !ok {
			return nil, invalid.Field("Dial", fmt.Sprintf("beside a %T", out.Transport), "no HTTPClient, or one whose Transport is an *http.Transport")
		}
		if transport == nil {
			transport = &http.Transport{MaxIdleConnsPerHost: 8, IdleConnTimeout: 90 * time.Second}
		} else {
			transport = transport.Clone()
		}
		transport.DialContext = dial
		transport.DialTLSContext = nil
		transport.Proxy = nil
		out.Transport = transport
	} else if out.Transport == nil {
		// A transport of its own, so that closing idle connections touches no one else.
		transport := http.DefaultTransport.(*http.Transport).Clone()
		transport.MaxIdleConnsPerHost = 8
		out.Transport = transport
	}
	previous := out.CheckRedirect
	out.CheckRedirect = func(req *http.Request, via []*http.Request) error {
		if first := via[0].URL; req.URL.Host != first.Host || req.URL.Scheme != first.Scheme || req.Method != via[0].Method {
			return http.ErrUseLastResponse
		}
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			return http.ErrUseLastResponse // a 307 or 308 would send a write again
		}
		if previous != nil {
			return previous(req, via)
		}
		if len(via) >= 3 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	out.Jar = nil
	return &out, nil
}

// Host returns the host that requests go to.
func (c *Client) Host() string { return c.base.Host }

// CloseIdle closes idle connections.
func (c *Client) CloseIdle() { c.plain.CloseIdleConnections() }

// Do sends req and reads the answer whole. GET and HEAD are retried; nothing
// else is ever sent twice. An answer of any status is a *Response; an error is
// a *TransportError, or a *invalid.FieldError for a path that cannot be sent.
func (c *Client) Do(ctx context.Context, req *Request) (*Response, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.opts.Timeout)
		defer cancel()
	}
	httpReq, err := c.build(ctx, req)
	if err != nil {
		return nil, err
	}
	if err := c.wait(ctx, req.Method, httpReq.URL.Path); err != nil {
		return nil, &TransportError{Operation: req.Operation, Err: err}
	}
	httpReq, connected := c.watch(httpReq)
	start := c.opts.Now()
	resp, body, err := c.send(httpReq)
	if err != nil {
		err = &TransportError{Operation: req.Operation, Err: cause(err), Dispatched: dispatched(err) && connected()}
		c.opts.Logger.DebugContext(ctx, "request failed", "operation", req.Operation, "took", c.opts.Now().Sub(start), "error", err)
		return nil, err
	}
	c.opts.Logger.DebugContext(ctx, "request", "operation", req.Operation, "status", resp.StatusCode, "bytes", len(body), "took", c.opts.Now().Sub(start))
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// build makes the request that goes out.
func (c *Client) build(ctx context.Context, req *Request) (*http.Request, error) {
	target, err := c.url(req)
	if err != nil {
		return nil, err
	}
	httpReq, err := http.NewRequestWithContext(ctx, req.Method, target.String(), bytes.NewReader(req.Body))
	if err != nil {
		return nil, &TransportError{Operation: req.Operation, Err: errors.New("the request cannot be built")}
	}
	httpReq.URL = target // String and Parse need not keep RawPath as it is
	if len(req.Body) == 0 {
		httpReq.Body, httpReq.GetBody, httpReq.ContentLength = http.NoBody, nil, 0
	}
	httpReq.Header.Set("Accept", "application/json")
	httpReq.Header.Set("User-Agent", c.opts.UserAgent)
	for key, values := range req.Header {
		httpReq.Header[key] = values
	}
	return httpReq, nil
}

// head sends a read and returns its answer with the body unread.
func (c *Client) head(req *http.Request) (*http.Response, error) {
	wrapped, err := retryablehttp.FromRequest(req)
	if err != nil {
		return nil, err
	}
	return c.retries.Do(wrapped)
}

// send sends req and reads the answer. Reads are repeated also when the
// connection is lost within the body.
func (c *Client) send(req *http.Request) (*http.Response, []byte, error) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		resp, err := c.plain.Do(req)
		if err != nil {
			return nil, nil, err
		}
		c.pause(req, resp)
		body, err := c.readAll(resp)
		return resp, body, err
	}
	wrapped, err := retryablehttp.FromRequest(req)
	if err != nil {
		return nil, nil, err
	}
	var body []byte
	var have bool
	wrapped.SetResponseHandler(func(resp *http.Response) (err error) {
		body, err = c.readAll(resp)
		have = err == nil
		return err
	})
	resp, err := c.retries.Do(wrapped)
	if err != nil {
		return nil, nil, err
	}
	if !have { // the last of several refusals
		body, err = c.readAll(resp)
	}
	return resp, body, err
}

func (c *Client) readAll(resp *http.Response) ([]byte, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.opts.MaxBytes+1))
	if err == nil && int64(len(body)) > c.opts.MaxBytes {
		err = fmt.Errorf("%w: more than %d bytes", ErrTooLarge, c.opts.MaxBytes)
	}
	return body, err
}

func (c *Client) wait(ctx context.Context, method, path string) error {
	if c.opts.Limiter == nil {
		return nil
	}
	return c.opts.Limiter.Wait(ctx, method, path)
}

// pause tells the limiter that the server asked for a rest.
func (c *Client) pause(req *http.Request, resp *http.Response) {
	limiter, can := c.opts.Limiter.(Pauser)
	if !can || req == nil || resp.StatusCode != http.StatusTooManyRequests {
		return
	}
	if after := RetryAfter(resp.Header, c.opts.Now()); after > 0 {
		limiter.Pause(req.Method, req.URL.Path, after)
	}
}

func (c *Client) url(req *Request) (*url.URL, error) {
	u := *c.base
	var path, raw strings.Builder
	path.WriteString(u.Path)
	raw.WriteString(u.EscapedPath())
	for _, segment := range req.Path {
		if segment == "" || segment == "." || segment == ".." {
			return nil, invalid.Field("path", segment, "a symbol, number or name that is not empty, \".\" or \"..\"")
		}
		path.WriteString("/" + segment)
		raw.WriteString("/" + url.PathEscape(segment))
	}
	u.Path, u.RawPath = path.String(), raw.String()
	u.RawQuery = req.Query.Encode()
	return &u, nil
}

// check is the retry policy: lost connections, 429 and 5xx answers of a read,
// as long as the wait fits into the deadline.
func (c *Client) check(ctx context.Context, resp *http.Response, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, nil // returning the error here would leave resp's body open
	}
	if err != nil {
		return !permanent(err), nil
	}
	c.pause(resp.Request, resp)
	switch resp.StatusCode {
	case http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return false, nil
	}
	after := RetryAfter(resp.Header, c.opts.Now())
	least := max(after+after/4, c.opts.MinWait/2)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < least {
		return false, nil // the answer in hand is better than a timeout
	}
	return true, nil
}

// backoff is exponential with full jitter above the half, or what the server asks for.
func (c *Client) backoff(least, most time.Duration, attempt int, resp *http.Response) time.Duration {
	wait := min(least<<min(attempt, 20), most)
	wait = wait/2 + rand.N(wait/2+1)
	if resp != nil {
		if after := RetryAfter(resp.Header, c.opts.Now()); after > 0 {
			return after + rand.N(min(wait, after)/4+1)
		}
		// A wait beyond the deadline would lose the answer: the last attempt is now.
		if deadline, ok := resp.Request.Context().Deadline(); ok && time.Until(deadline) <= wait {
			return 0
		}
	}
	return wait
}

// RetryAfter reads the header of that name: seconds or a date; 0 when absent,
// unreadable or past.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		if seconds > 0 && seconds < 1e6 {
			return time.Duration(seconds * float64(time.Second))
		}
		return 0
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// permanent reports errors that another attempt cannot cure.
func permanent(err error) bool {
	if errors.Is(err, ErrTooLarge) {
		return true
	}
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return true
	}
	text := err.Error()
	return strings.Contains(text, "unsupported protocol scheme") || strings.Contains(text, "certificate") || strings.Contains(text, "invalid header")
}

// watch returns a request that says afterwards whether there was a connection
// that it could be sent on. Transports that may not say so count as connected.
func (c *Client) watch(req *http.Request) (*http.Request, func() bool) {
	if _, ok := c.plain.Transport.(*http.Transport); !ok {
		return req, func() bool { return true }
	}
	var got atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }}
	return req.WithContext(httptrace.WithClientTrace(req.Context(), trace)), got.Load
}

// dispatched reports whether the request may have reached the server.
func dispatched(err error) bool {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return false
	}
	var dns *net.DNSError
	return !errors.As(err, &dns)
}

// cause strips the URL that net/http puts around errors.
func cause(err error) error {
	var wrapped *url.Error
	for errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return err
}
