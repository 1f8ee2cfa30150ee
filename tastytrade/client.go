package tastytrade

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/rest"
	"github.com/ttai-go/ttai/tastytrade/dxlink"
)

// The base URLs of the broker. Production is real money; the sandbox has users
// and OAuth applications of its own and forgets everything but those every day.
const (
	Production = "https://api.tastyworks.com"
	Sandbox    = "https://api.cert.tastyworks.com"
)

const defaultUserAgent = "ttai/0.1"

// A DialFunc opens connections in place of the network, for servers in memory.
type DialFunc = rest.DialFunc

// ClientOptions configure a [Client]. The zero value works.
type ClientOptions struct {
	// BaseURL is Production when empty. It must be https, or http to this
	// machine; with Dial any host will do.
	BaseURL string
	// UserAgent is "<product>/<version>"; the broker refuses requests without
	// one. Empty: ttai and its version.
	UserAgent string
	// HTTPClient is copied; redirects to other hosts are refused whatever it
	// says, and its cookies are not used. Nil: one of its own.
	HTTPClient *http.Client
	// Dial opens connections in place of the network, also for the stream.
	Dial DialFunc
	// Limiter is shared by every client of a credential. Nil: NewLimiter().
	Limiter Limiter
	Now     func() time.Time // nil: time.Now
	Logger  *slog.Logger     // debug lines: operation, status, time taken; nil: silent
	// Timeout is for calls whose context has no deadline; 0: 30 s.
	Timeout time.Duration
	// Retries is how often a failed read is repeated; 0: 3, negative: never.
	Retries int
	// RetryWait is the wait before the first of them, doubled for each
	// further one; 0: 250 ms.
	RetryWait time.Duration
	// MaxResponseBytes is the largest answer read; 0: 32 MiB.
	MaxResponseBytes int64
	// AcceptVersion pins the API to its state of a day, YYYYMMDD; empty: the
	// newest.
	AcceptVersion string
}

// A Client calls the API on behalf of one credential. It is safe for
// concurrent use.
type Client struct {
	Accounts       *AccountsService
	Balances       *BalancesService
	Positions      *PositionsService
	Instruments    *InstrumentsService
	OptionChains   *OptionChainsService
	MarketData     *MarketDataService
	MarketMetrics  *MarketMetricsService
	MarketSessions *MarketSessionsService
	Symbols        *SymbolsService
	QuoteTokens    *QuoteTokensService

	rest   *rest.Client
	tokens TokenSource
	opts   ClientOptions
}

// NewClient returns a Client that gets its access tokens from tokens. Nil
// options are the zero value; they are copied.
func NewClient(tokens TokenSource, opts *ClientOptions) (*Client, error) {
	var o ClientOptions
	if opts != nil {
		o = *opts
	}
	if tokens == nil {
		return nil, invalid.Missing("tokens", "a token source, such as that of RefreshTokenSource")
	}
	if o.BaseURL == "" {
		o.BaseURL = Production
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.Limiter == nil {
		o.Limiter = NewLimiter()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if v := o.AcceptVersion; v != "" {
		if _, err := time.Parse("20060102", v); err != nil {
			return nil, invalid.Field("AcceptVersion", v, "a day as YYYYMMDD")
		}
	}
	r, err := rest.New(rest.Options{
		BaseURL: o.BaseURL, UserAgent: o.UserAgent, HTTPClient: o.HTTPClient, Dial: o.Dial, Limiter: o.Limiter,
		Now: o.Now, Logger: o.Logger, Timeout: o.Timeout, Retries: o.Retries, MinWait: o.RetryWait, MaxBytes: o.MaxResponseBytes,
	})
	if err != nil {
		return nil, err
	}
	c := &Client{rest: r, tokens: tokens, opts: o}
	c.Accounts = &AccountsService{c}
	c.Balances = &BalancesService{c}
	c.Positions = &PositionsService{c}
	c.Instruments = &InstrumentsService{c}
	c.OptionChains = &OptionChainsService{c}
	c.MarketData = &MarketDataService{c}
	c.MarketMetrics = &MarketMetricsService{c}
	c.MarketSessions = &MarketSessionsService{c}
	c.Symbols = &SymbolsService{c}
	c.QuoteTokens = &QuoteTokensService{c}
	return c, nil
}

// Close closes idle connections. Calls in flight and later calls still work.
func (c *Client) Close() { c.rest.CloseIdle() }

// DialMarketData opens the market-data stream, with a new quote token for
// every connection it makes. Dial and HTTPClient of opts are the client's own
// when nil.
func (c *Client) DialMarketData(ctx context.Context, opts *dxlink.Options) (*dxlink.Conn, error) {
	var o dxlink.Options
	if opts != nil {
		o = *opts
	}
	if o.Dial == nil && o.HTTPClient == nil {
		o.Dial, o.HTTPClient = c.opts.Dial, c.opts.HTTPClient
	}
	if o.Logger == nil {
		o.Logger = c.opts.Logger
	}
	if o.UserAgent == "" {
		o.UserAgent = c.opts.UserAgent
	}
	first, err := c.QuoteTokens.Get(ctx)
	if err != nil {
		return nil, err
	}
	// The token in hand is for the first connection; later ones need their own.
	unused := make(chan string, 1)
	unused <- first.Token
	return dxlink.Dial(ctx, first.DXLinkURL, func(ctx context.Context) (string, error) {
		select {
		case token := <-unused:
			return token, nil
		default:
		}
		t, err := c.QuoteTokens.Get(ctx)
		if errors.Is(err, ErrUnauthorized) || errors.Is(err, ErrForbidden) {
			return "", fmt.Errorf("%w: %w", dxlink.ErrUnauthorized, err) // asking for ever would not help
		}
		if err != nil {
			return "", err
		}
		return t.Token, nil
	}, &o)
}

// A call is one request of a service. Its operation is the route as
// endpoints.md lists it, with the names of the path's parameters.
type call struct {
	method string
	route  string   // "/accounts/{account}/positions"
	args   []string // for the parameters of route, in order
	query  url.Values
}

func get(route string, args ...string) *call {
	return &call{method: http.MethodGet, route: route, args: args}
}

func (r *call) with(query url.Values) *call { r.query = query; return r }

func (r *call) path() []string {
	segments := strings.Split(strings.Trim(r.route, "/"), "/")
	args := r.args
	for i, s := range segments {
		if strings.HasPrefix(s, "{") {
			segments[i], args = args[0], args[1:]
		}
	}
	return segments
}

// do sends a call and returns the answer's data: the envelope is taken off.
func (c *Client) do(ctx context.Context, r *call) (data []byte, page *Pagination, err error) {
	op := r.method + " " + r.route
	for i, s := range strings.FieldsFunc(r.route, func(r rune) bool { return r == '/' }) {
		if name, ok := strings.CutPrefix(s, "{"); ok {
			if seg := r.path()[i]; strings.TrimSpace(seg) == "" || seg == "." || seg == ".." || len(seg) > 64 || strings.ContainsFunc(seg, isControl) {
				return nil, nil, invalid.Field(strings.TrimSuffix(name, "}"), seg, "1 to 64 printable characters, not \".\" or \"..\"")
			}
		}
	}
	resp, err := c.attempt(ctx, r, op)
	if err != nil {
		return nil, nil, err
	}
	if resp.Status < 200 || resp.Status > 299 {
		return nil, nil, answerError(op, r.method, resp, c.opts.Now())
	}
	return c.unwrap(op, resp)
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// attempt sends a call with a token, and a read that the token is refused for
// once more with a new one.
func (c *Client) attempt(ctx context.Context, r *call, op string) (*rest.Response, error) {
	for again := false; ; again = true {
		token, err := c.tokens.Token(ctx)
		if err != nil {
			return nil, err
		}
		header := http.Header{"Authorization": {"Bearer " + token.AccessToken}}
		if c.opts.AcceptVersion != "" {
			header.Set("Accept-Version", c.opts.AcceptVersion)
		}
		resp, err := c.rest.Do(ctx, &rest.Request{Method: r.method, Operation: op, Path: r.path(), Query: r.query, Header: header})
		if err != nil {
			return nil, transportError(err, r.method)
		}
		refused := resp.Status == http.StatusUnauthorized && !bytes.HasPrefix(bytes.TrimSpace(resp.Body), []byte("<"))
		forget, can := c.tokens.(invalidator)
		if !refused || !can {
			return resp, nil
		}
		forget.Invalidate(token.AccessToken)
		if again || r.method != http.MethodGet {
			return resp, nil
		}
	}
}

// unwrap checks an answer and takes off its envelope.
func (c *Client) unwrap(op string, resp *rest.Response) ([]byte, *Pagination, error) {
	body := bytes.TrimSpace(resp.Body)
	malformed := &APIError{Operation: op, Status: resp.Status, Code: "malformed", Message: "the answer is not the JSON that the route gives"}
	switch {
	case len(body) > 0 && body[0] == '<':
		malformed.Code, malformed.Message = "html", "a web page came instead of an answer"
		return nil, nil, malformed
	case !json.Valid(body) || body[0] != '{' && body[0] != '[':
		return nil, nil, malformed
	case body[0] == '[':
		return body, nil, nil
	}
	members, err := splitObject(body)
	if err != nil {
		return nil, nil, malformed
	}
	data := lookup(members, "data")
	if data == nil || string(data) == "null" {
		return nil, nil, malformed
	}
	var page *Pagination
	if raw := lookup(members, "pagination"); raw != nil && raw[0] == '{' {
		page = new(Pagination)
		if paginationCodec.decode(raw, reflect.ValueOf(page).Elem()) != nil {
			page = nil
		}
	}
	return data, page, nil
}

// one decodes a single object.
func one[T any](ctx context.Context, c *Client, r *call, codec *codec) (*T, error) {
	data, _, err := c.do(ctx, r)
	if err != nil {
		return nil, err
	}
	out := new(T)
	if err := codec.decode(data, reflect.ValueOf(out).Elem()); err != nil || data[0] != '{' {
		return nil, malformed(r, err)
	}
	return out, nil
}

// many decodes the items of a list. An object where a list was expected is a
// list of one: older versions of some routes answer so.
func many[T any](ctx context.Context, c *Client, r *call, codec *codec) ([]T, *Pagination, error) {
	data, page, err := c.do(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	elems := [][]byte{data}
	if data[0] == '{' {
		members, err := splitObject(data)
		if err != nil {
			return nil, nil, malformed(r, err)
		}
		if items := lookup(members, "items"); items != nil {
			data = items
		}
	}
	if data[0] == '[' {
		if elems, err = splitArray(data); err != nil {
			return nil, nil, malformed(r, err)
		}
	}
	out := make([]T, len(elems))
	for i, e := range elems {
		if err := codec.decode(e, reflect.ValueOf(&out[i]).Elem()); err != nil {
			return nil, nil, malformed(r, err)
		}
	}
	return out, page, nil
}

func malformed(r *call, err error) error {
	e := &APIError{Operation: r.method + " " + r.route, Status: http.StatusOK, Code: "malformed", Message: "the answer cannot be read"}
	if err != nil {
		e.Message += ": " + clean(err.Error())
	}
	return e
}
