package mcp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/auth"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// sessionless is the first revision of the protocol without sessions.
const sessionless = "2026-07-28"

type serverKey struct{}

// handlers returns the handlers for old and for new clients. Both find the
// caller's server in the request.
func (s *Server) handlers() (stateful, stateless *sdk.StreamableHTTPHandler) {
	get := func(r *http.Request) *sdk.Server {
		server, _ := r.Context().Value(serverKey{}).(*sdk.Server)
		return server
	}
	options := sdk.StreamableHTTPOptions{
		Logger:                     s.opts.Logger,
		SessionTimeout:             max(0, s.opts.Limits.SessionTimeout),
		MaxRequestBodyBytes:        s.opts.Limits.MaxBody,
		DisableLocalhostProtection: true, // checkHost does it, and more
	}
	stateful = sdk.NewStreamableHTTPHandler(get, &options)
	options.Stateless, options.SessionTimeout, options.PropagateRequestCancellation = true, 0, true
	return stateful, sdk.NewStreamableHTTPHandler(get, &options)
}

// Handler returns the HTTP handler, to be mounted at any path of one's own mux.
func (s *Server) Handler() http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	for _, origin := range s.opts.AllowedOrigins {
		if err := crossOrigin.AddTrustedOrigin(origin); err != nil {
			panic(err) // New has checked them
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.checkHost(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if err := s.checkOrigin(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if r.Method == http.MethodOptions {
			w.Header().Set("Allow", "GET, POST, DELETE, OPTIONS")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if err := crossOrigin.Check(r); err != nil {
			http.Error(w, "requests from other websites are refused", http.StatusForbidden)
			return
		}
		principal, err := s.authenticate(r)
		if err != nil {
			s.refuse(w, err)
			return
		}
		s.serve(w, r, principal)
	})
}

// serve passes a request of an authenticated caller to the handler of its
// revision of the protocol.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, p Principal) {
	limit := s.opts.Limits.MaxBody
	if limit > 0 && r.Body != nil {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
	}
	modern, err := isModern(r)
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			http.Error(w, fmt.Sprintf("the body is larger than %d bytes", limit), http.StatusRequestEntityTooLarge)
			return
		}
		http.Error(w, "the body could not be read", http.StatusBadRequest)
		return
	}
	server, err := s.serverFor(r.Context(), p)
	if err != nil {
		s.opts.Logger.ErrorContext(r.Context(), "no server for a caller", "error", err)
		w.Header().Set("Retry-After", "5")
		http.Error(w, notReady, http.StatusServiceUnavailable)
		return
	}
	handler := http.Handler(s.stateless)
	if !modern {
		handler = s.stateful
		opens := r.Method == http.MethodPost && r.Header.Get("Mcp-Session-Id") == ""
		if most := s.opts.Limits.MaxSessions; opens && most > 0 && sessions(server) >= most {
			w.Header().Set("Retry-After", "60")
			http.Error(w, fmt.Sprintf("%d sessions are open, and more are not allowed: close some, or wait until they time out", most), http.StatusTooManyRequests)
			return
		}
	}
	r = r.WithContext(context.WithValue(r.Context(), serverKey{}, server))
	// The SDK ties a session to the user of this token, so that nobody else can
	// use it even when they learn its id.
	bound := auth.RequireBearerToken(func(context.Context, string, *http.Request) (*auth.TokenInfo, error) {
		return &auth.TokenInfo{UserID: p.key(), Scopes: p.Scopes}, nil
	}, &auth.RequireBearerTokenOptions{AllowMissingExpiration: true})
	if s.authenticates() {
		handler = bound(handler)
	}
	handler.ServeHTTP(w, r)
}

// isModern tells the revision of a request: by its header, or by the metadata
// of its body, which is put back for the next reader.
func isModern(r *http.Request) (bool, error) {
	if version := r.Header.Get("Mcp-Protocol-Version"); version != "" {
		return version >= sessionless, nil // revisions are dates, and sort as text
	}
	if r.Method != http.MethodPost || r.Body == nil || r.Header.Get("Mcp-Session-Id") != "" {
		return false, nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return false, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	var request struct {
		Params struct {
			Meta struct {
				Version string `json:"io.modelcontextprotocol/protocolVersion"`
			} `json:"_meta"`
		} `json:"params"`
	}
	if json.Unmarshal(body, &request) != nil {
		return false, nil // a batch, or not JSON: the older handler answers
	}
	return request.Params.Meta.Version >= sessionless, nil
}

func (s *Server) authenticates() bool { return s.opts.Bearer != "" || s.opts.Verify != nil }

var (
	errNoToken  = errors.New("a bearer token is required")
	errBadToken = errors.New("the bearer token is not valid")
)

// authenticate tells who sent a request.
func (s *Server) authenticate(r *http.Request) (Principal, error) {
	if !s.authenticates() {
		return Local(), nil
	}
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" || strings.ContainsAny(token, " \t") {
		return Principal{}, errNoToken
	}
	if s.opts.Verify == nil {
		// Digests, so that not even the length shows in the time it takes.
		given, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(s.opts.Bearer))
		if subtle.ConstantTimeCompare(given[:], want[:]) != 1 {
			return Principal{}, errBadToken
		}
		return Local(), nil
	}
	p, err := s.opts.Verify(r.Context(), token)
	if err != nil {
		s.opts.Logger.InfoContext(r.Context(), "a token was refused", "error", err)
		return Principal{}, errBadToken
	}
	return p, nil
}

// refuse answers a caller without a valid token, and says how to get one (RFC
// 6750 section 3, RFC 9728 section 5.1).
func (s *Server) refuse(w http.ResponseWriter, err error) {
	s.challenge(w, err)
	http.Error(w, err.Error(), http.StatusUnauthorized)
}

// challenge sets the header of such an answer.
func (s *Server) challenge(w http.ResponseWriter, err error) {
	challenge := `Bearer realm="ttai"`
	if errors.Is(err, errBadToken) {
		challenge += `, error="invalid_token"`
	}
	if s.opts.ResourceMetadata != "" {
		challenge += fmt.Sprintf(`, resource_metadata=%q`, s.opts.ResourceMetadata)
	}
	w.Header().Set("WWW-Authenticate", challenge)
}

// checkHost refuses requests under a name that is not this server's, which is
// how a website reaches a server on its visitor's own computer (DNS rebinding).
func (s *Server) checkHost(r *http.Request) error {
	host := hostname(r.Host)
	if len(s.opts.AllowedHosts) > 0 {
		if slices.ContainsFunc(s.opts.AllowedHosts, func(a string) bool { return strings.EqualFold(a, host) }) {
			return nil
		}
		return fmt.Errorf("the host %q is not served here", host)
	}
	if s.authenticates() && !arrivedOverLoopback(r) || isLoopback(host) {
		return nil
	}
	return fmt.Errorf("the host %q is not a loopback name; a server under another name needs AllowedHosts", host)
}

// checkOrigin refuses requests of web pages of other origins, and lets the
// browser show the answer to those that are allowed.
func (s *Server) checkOrigin(w http.ResponseWriter, r *http.Request) error {
	origin := strings.ToLower(r.Header.Get("Origin"))
	if origin == "" {
		return nil
	}
	if slices.Contains(s.opts.AllowedOrigins, origin) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", r.Header.Get("Origin"))
		h.Set("Vary", "Origin")
		h.Set("Access-Control-Allow-Methods", "GET, POST, DELETE")
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, Last-Event-ID, Mcp-Session-Id, Mcp-Protocol-Version, Mcp-Method, Mcp-Name")
		h.Set("Access-Control-Expose-Headers", "Mcp-Session-Id, Mcp-Protocol-Version, WWW-Authenticate")
		return nil
	}
	if _, host, ok := strings.Cut(origin, "://"); ok && strings.EqualFold(host, r.Host) {
		return nil
	}
	return fmt.Errorf("the origin %q is refused", origin)
}

func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.TrimSuffix(strings.Trim(host, "[]"), ".")
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

func arrivedOverLoopback(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && isLoopback(hostname(local.String()))
}
