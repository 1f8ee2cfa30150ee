// Package mcp serves the trading tools of agents/tools to the clients of the
// Model Context Protocol, over standard input and output and over HTTP.
//
// A [Server] exposes, for each caller, the tools that this caller's
// dependencies allow, a prompt that asks for a briefing, and resources: the
// portfolio, the analysis of a symbol, and the documents of the knowledge base. What is listed depends on who calls
// and on the options, never on earlier calls, and is always in the same order.
//
// # HTTP
//
// [Server.Handler] answers every revision of the protocol on one URL: requests
// of revision 2026-07-28 and later are self-contained, older clients get a
// session. The handler refuses foreign Host and Origin headers, bodies that are
// too large and callers without a valid bearer token. It sets no timeouts of
// its own: the http.Server around it should, at least ReadHeaderTimeout.
//
// [Server.Page] is a page for people beside it: the environment, a chart, the
// portfolio, the tools, and what to paste into a client.
package mcp

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/nearest"
	"github.com/ttai-go/ttai/storage"
)

// A FieldError says which option was refused and what is allowed.
type FieldError = invalid.FieldError

// A Principal is who calls: the user of a token, or the one person who started
// the process.
type Principal struct {
	Subject string           // the user, as the token's issuer names it
	Tenant  storage.TenantID // whose data the caller may see
	Scopes  []string         // what the token allows
}

// Local is the caller over standard input and output, and over HTTP when no
// Verify is set: whoever can start the process or knows the bearer.
func Local() Principal { return Principal{Subject: "local", Tenant: storage.Local} }

// key is equal for principals that may share a server and a session.
func (p Principal) key() string {
	return fmt.Sprintf("%q %q %q", p.Tenant, p.Subject, p.Scopes)
}

// Options are the settings of a [Server]. The zero value works: every tool,
// no authentication, loopback hosts only.
type Options struct {
	Name    string // of the server, as clients show it; default "ttai"
	Version string // default "devel"
	// Instructions are added to the server's own, which name the environment
	// and say how the tools belong together.
	Instructions string

	// Environment and Notice replace what the dependencies say, when not empty.
	Environment broker.Environment
	Notice      string

	// Toolsets are the sets to expose: account, market, analytics, trade, research.
	// Empty means all but research, whose tools (backtest, find_trades) are long to
	// list and seldom needed.
	Toolsets []string
	// Tools, when not empty, are the only tools to expose, whatever their set.
	Tools []string
	// ExcludeTools are left out in any case.
	ExcludeTools []string
	// ReadOnly leaves out every tool that may change something.
	ReadOnly bool

	// Bearer, when not empty, is the token that HTTP callers must present.
	Bearer string
	// Verify tells who presents a token; an error refuses it. It is for tokens
	// of an issuer, and excludes Bearer. It must check that the token was
	// issued for this server, and be safe for concurrent use.
	Verify func(ctx context.Context, token string) (Principal, error)
	// ResourceMetadata is the URL of the OAuth protected-resource metadata
	// (RFC 9728) that a refused caller is pointed to. Optional.
	ResourceMetadata string
	// AllowedHosts are the values of the Host header to answer, without port.
	// Empty means loopback names for requests that arrive over loopback, or when
	// there is no authentication; and any otherwise.
	AllowedHosts []string
	// AllowedOrigins are web origins, such as https://app.example.com, whose
	// pages may call. The server's own origin always may; none else.
	AllowedOrigins []string

	Limits Limits
	Logger *slog.Logger     // nil: nothing is logged
	Now    func() time.Time // nil: time.Now; for limits only
}

// Limits bound what one caller may use. Zero fields mean the default, negative
// ones no limit.
type Limits struct {
	CallsPerMinute int           // of tools, prompts and resources per principal, a quarter of them at once; default 600
	MaxBody        int64         // bytes of one request; default 1 MiB
	MaxSessions    int           // open sessions of older clients per principal; default 100
	SessionTimeout time.Duration // a session that is idle this long is closed; default 30 minutes
	MaxPrincipals  int           // callers served at the same time; default 10,000
}

// A Server serves the tools. It is safe for concurrent use. Close it to end
// its sessions.
type Server struct {
	deps func(context.Context, Principal) (tools.Deps, error)
	opts Options

	stateful, stateless *sdk.StreamableHTTPHandler

	mu      sync.Mutex
	callers map[string]*caller
	closed  bool

	life context.Context // ends with Close, and every call with it
	end  context.CancelFunc
}

// New returns a server of tools.New(deps(principal)).
//
// Deps is called when a principal is seen for the first time and again when it
// comes back after an absence longer than the session timeout; what it returns
// serves all of that principal's requests, many at once. Its context is that of
// the request and must not be kept. It stays the owner of what it returns. An
// error refuses the request, and is tried again with the next one.
//
// An option that is not allowed is a *[FieldError].
func New(deps func(context.Context, Principal) (tools.Deps, error), opts *Options) (*Server, error) {
	if deps == nil {
		return nil, invalid.Missing("deps", "a function that returns the dependencies of a caller")
	}
	var o Options
	if opts != nil {
		o = *opts
	}
	if err := o.complete(); err != nil {
		return nil, err
	}
	s := &Server{deps: deps, opts: o, callers: map[string]*caller{}}
	s.life, s.end = context.WithCancel(context.Background())
	s.stateful, s.stateless = s.handlers()
	return s, nil
}

// complete fills in defaults and refuses what is not allowed.
func (o *Options) complete() error {
	if o.Name == "" {
		o.Name = "ttai"
	}
	if o.Version == "" {
		o.Version = "devel"
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Toolsets, o.Tools, o.ExcludeTools = slices.Clone(o.Toolsets), slices.Clone(o.Tools), slices.Clone(o.ExcludeTools)
	o.AllowedHosts, o.AllowedOrigins = slices.Clone(o.AllowedHosts), slices.Clone(o.AllowedOrigins)
	for _, list := range []struct {
		option        string
		given, exists []string
	}{
		{"Toolsets", o.Toolsets, tools.Sets()},
		{"Tools", o.Tools, tools.Names()},
		{"ExcludeTools", o.ExcludeTools, tools.Names()},
	} {
		for _, name := range list.given {
			if !slices.Contains(list.exists, name) {
				return invalid.Field(list.option, name, oneOf(list.exists, name))
			}
		}
	}
	if o.Bearer != "" && o.Verify != nil {
		return invalid.Secret("Bearer", "nothing when Verify is set: one of the two decides who may call")
	}
	if o.Bearer != "" && (len(o.Bearer) < 16 || strings.ContainsAny(o.Bearer, " \t\r\n")) {
		return invalid.Secret("Bearer", "at least 16 characters without spaces, from a random source")
	}
	for i, origin := range o.AllowedOrigins {
		u, err := url.Parse(origin)
		if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" && u.Path != "/" {
			return invalid.Field("AllowedOrigins", origin, "an origin such as https://app.example.com")
		}
		o.AllowedOrigins[i] = strings.ToLower(u.Scheme + "://" + u.Host)
	}
	l := &o.Limits
	l.CallsPerMinute = orDefault(l.CallsPerMinute, 600)
	l.MaxBody = orDefault(l.MaxBody, 1<<20)
	l.MaxSessions = orDefault(l.MaxSessions, 100)
	l.SessionTimeout = orDefault(l.SessionTimeout, 30*time.Minute)
	l.MaxPrincipals = orDefault(l.MaxPrincipals, 10_000)
	return nil
}

func orDefault[T ~int | ~int64](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

func oneOf(names []string, given string) string {
	allowed := "one of " + strings.Join(names, ", ")
	if near := nearest.Of(given, names); near != "" {
		allowed += fmt.Sprintf("; did you mean %s?", near)
	}
	return allowed
}

// Close cancels the calls in flight, ends every session and refuses new ones.
// Closing twice is no error.
func (s *Server) Close() error {
	s.end() // closing a session waits for its calls
	s.mu.Lock()
	s.closed = true
	var open []*sdk.Server
	for _, c := range s.callers {
		if c.server != nil {
			open = append(open, c.server)
		}
	}
	clear(s.callers)
	s.mu.Unlock()
	for _, server := range open {
		for session := range server.Sessions() {
			session.Close()
		}
	}
	return nil
}
