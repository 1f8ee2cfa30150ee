package mcp

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"
)

//go:embed page
var assets embed.FS

// PageOptions are the settings of [Server.Page]. The zero value works.
type PageOptions struct {
	// Endpoint is the path at which [Server.Handler] is mounted on the same
	// host, for the configuration to paste; default "/mcp".
	Endpoint string
	// Command starts this server over standard input and output, with its
	// arguments, and Env are the variables it needs, for the configuration to
	// paste; default "ttai-mcp" with none. They are shown: no secrets.
	Command []string
	Env     map[string]string
	// Symbol is shown when none is asked for; default "SPY".
	Symbol string
}

// Page returns the handler of a page for people: the environment, a chart of a
// symbol, the portfolio, the tools, and what to paste into a client. To mount
// it anywhere but at "/", use a path that ends with a slash and
// http.StripPrefix.
//
// It shows what the caller's tools return, counts against the same limits, and
// is guarded like [Server.Handler]: foreign hosts and origins are refused, and
// a token is required when the server requires one. A browser presents the
// token once, in the query parameter token or in a form; it is exchanged for a
// cookie that is sealed with a key of this handler, lasts twelve hours, opens
// the page and not the protocol, and cannot be read by scripts. A browser sends
// it to every port of the same host: what else listens there is trusted with
// the page.
//
// The page works without script, which only keeps it current. It loads nothing
// from elsewhere and contains no token.
func (s *Server) Page(opts *PageOptions) http.Handler {
	var o PageOptions
	if opts != nil {
		o = *opts
	}
	if o.Endpoint == "" {
		o.Endpoint = "/mcp"
	}
	if len(o.Command) == 0 {
		o.Command = []string{"ttai-mcp"}
	}
	if o.Symbol == "" {
		o.Symbol = "SPY"
	}
	p := &page{
		Server: s, opts: o, seal: newSeal(),
		html: template.Must(template.ParseFS(assets, "page/*.html")),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.show)
	mux.HandleFunc("POST /{$}", p.signIn)
	mux.HandleFunc("POST /signout", p.signOut)
	mux.HandleFunc("GET /chart.svg", p.chart)
	for name, kind := range map[string]string{"page.css": "text/css", "page.js": "text/javascript", "icon.svg": "image/svg+xml"} {
		mux.Handle("GET /"+name, asset(name, kind))
	}
	return s.guardedPage(mux)
}

// A page is the handler behind Page.
type page struct {
	*Server
	opts PageOptions
	seal seal
	html *template.Template
}

// policy lets the page load its own style, script and images, talk to its own
// origin, and nothing else.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guardedPage refuses foreign hosts and websites, and sets the headers of every answer.
func (s *Server) guardedPage(next http.Handler) http.Handler {
	crossOrigin := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // no-referrer would hide the origin of our own forms
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if err := s.checkHost(r); err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && !ownOrigin(r, origin) {
			http.Error(w, "requests from other websites are refused", http.StatusForbidden)
			return
		}
		if err := crossOrigin.Check(r); err != nil || embedded(r) {
			http.Error(w, "requests from other websites are refused", http.StatusForbidden)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		next.ServeHTTP(w, r)
	})
}

// ownOrigin reports whether origin is the page's. Those of AllowedOrigins may
// call the protocol, with a token of their own; the page has a cookie and is
// for nobody else.
func ownOrigin(r *http.Request, origin string) bool {
	_, host, ok := strings.Cut(origin, "://")
	return ok && strings.EqualFold(host, r.Host)
}

// embedded reports whether another website, or another port of this host,
// loads this for itself instead of sending its visitor here.
func embedded(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "none", "same-origin":
		return false
	}
	visits := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return !visits || r.Method != http.MethodGet || r.URL.Query().Has("token")
}

// asset serves an embedded file. It holds no secret, so that the page on which
// one signs in has its style.
func asset(name, kind string) http.Handler {
	data, err := assets.ReadFile("page/" + name)
	if err != nil {
		panic(err) // it is embedded
	}
	sum := sha256.Sum256(data)
	tag := `"` + hex.EncodeToString(sum[:8]) + `"`
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", kind+"; charset=utf-8")
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("ETag", tag)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	})
}

// enter tells who asks: by the Authorization header, or by the cookie.
func (p *page) enter(r *http.Request) (who Principal, signedIn bool, err error) {
	if r.Header.Get("Authorization") == "" && p.authenticates() {
		cookie, err := r.Cookie(cookieName(r))
		if err != nil {
			return Principal{}, false, errNoToken
		}
		token, ok := p.seal.open(cookie.Value, p.Server.opts.Now())
		if !ok {
			return Principal{}, false, errNoToken
		}
		r = withToken(r, token)
		signedIn = true
	}
	who, err = p.authenticate(r)
	return who, signedIn, err
}

// withToken is r with a bearer.
func withToken(r *http.Request, token string) *http.Request {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return r
}

// show writes the page, or exchanges the token of the link for a cookie.
func (p *page) show(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Has("token") {
		token := query.Get("token")
		query.Del("token")
		to := "./"
		if len(query) > 0 {
			to += "?" + query.Encode()
		}
		p.exchange(w, r, token, to)
		return
	}
	who, signedIn, err := p.enter(r)
	if err != nil {
		p.turnAway(w, r, err)
		return
	}
	_, b, err := p.open(r.Context(), who)
	if err != nil {
		p.Server.opts.Logger.ErrorContext(r.Context(), "no page for a caller", "error", err)
		w.Header().Set("Retry-After", "5")
		p.write(w, http.StatusServiceUnavailable, "door.html", door{Title: "Not ready", Problem: notReady})
		return
	}
	view := p.view(r, b)
	view.SignedIn = signedIn
	p.write(w, http.StatusOK, "page.html", view)
}

// signIn takes the token of the form.
func (p *page) signIn(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		p.write(w, http.StatusBadRequest, "door.html", door{Title: "Sign in", Form: true, Problem: "the form could not be read"})
		return
	}
	p.exchange(w, r, strings.TrimSpace(r.PostForm.Get("token")), "./")
}

// exchange answers a valid token with a cookie, and goes to a place without
// the token in its address. The place is relative, and stays so: the page may
// be mounted anywhere.
func (p *page) exchange(w http.ResponseWriter, r *http.Request, token, to string) {
	if p.authenticates() {
		if _, err := p.authenticate(withToken(r, token)); err != nil {
			p.turnAway(w, r, err)
			return
		}
		value, err := p.seal.close(token, p.Server.opts.Now(), cookieLife)
		if err != nil {
			p.write(w, http.StatusBadRequest, "door.html", door{Title: "Sign in", Form: true, Problem: err.Error()})
			return
		}
		http.SetCookie(w, cookie(r, value, int(cookieLife/time.Second)))
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
}

// signOut makes the browser forget the cookie.
func (p *page) signOut(w http.ResponseWriter, r *http.Request) {
	http.SetCookie(w, cookie(r, "", -1))
	w.Header().Set("Location", "./")
	w.WriteHeader(http.StatusSeeOther)
}

// A door is the page of one who may not come in, or not yet.
type door struct {
	Title, Problem string
	Form, Again    bool
}

// turnAway asks for a token, as the protocol's handler would and in words.
func (p *page) turnAway(w http.ResponseWriter, r *http.Request, err error) {
	p.challenge(w, err)
	d := door{Title: "Sign in", Form: true}
	if errors.Is(err, errBadToken) {
		d.Problem = "This token is not valid. A server that was started again has a new one."
	}
	// A browser that comes from another website brings no cookie the first time.
	site := r.Header.Get("Sec-Fetch-Site")
	d.Again = site == "cross-site" || site == "same-site"
	p.write(w, http.StatusUnauthorized, "door.html", d)
}

// write fills a template in completely before it is sent.
func (p *page) write(w http.ResponseWriter, status int, name string, data any) {
	var b bytes.Buffer
	if err := p.html.ExecuteTemplate(&b, name, data); err != nil {
		p.Server.opts.Logger.Error("writing the page", "error", err)
		http.Error(w, "the page could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	w.Write(b.Bytes())
}
