package notify

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/rest"
)

// userAgent is what services see; Discord refuses requests without one.
const userAgent = "ttai-notify/1 (+https://github.com/ttai-go/ttai)"

// HTTP sends requests to the hosts of channels, one client for each. It is for
// senders of other packages too; make it with [NewHTTP].
type HTTP struct {
	options rest.Options
	mu      sync.Mutex
	clients map[string]*rest.Client
}

// HTTPOptions are the settings of [NewHTTP]. The zero value works.
type HTTPOptions struct {
	// Client is copied; nil means one of its own.
	Client *http.Client
	// Public refuses to connect to addresses that are not public, of this machine and
	// of private networks: for services whose users name the addresses.
	Public bool
	// Now is the clock of certificates and Retry-After; nil means time.Now.
	Now func() time.Time
	// Timeout is for one send; 0 means 15 seconds.
	Timeout time.Duration
}

// NewHTTP returns an HTTP, or a *FieldError.
func NewHTTP(opts *HTTPOptions) (*HTTP, error) {
	var o HTTPOptions
	if opts != nil {
		o = *opts
	}
	if o.Timeout == 0 {
		o.Timeout = 15 * time.Second
	}
	h := &HTTP{clients: map[string]*rest.Client{}, options: rest.Options{
		UserAgent: userAgent, HTTPClient: o.Client, Now: o.Now, Timeout: o.Timeout, Retries: -1, MaxBytes: 1 << 20,
	}}
	if o.Public {
		h.options.Dial = dialPublic
	}
	return h, nil
}

// maxHosts bounds the clients that are kept.
const maxHosts = 256

// Do sends one request to u, and never twice. Operation names it in errors, in
// which neither u nor anything of it appears. An answer of any status is a
// response.
func (h *HTTP) Do(ctx context.Context, operation, method string, u *url.URL, header http.Header, body []byte) (*rest.Response, error) {
	client, err := h.client(u)
	if err != nil {
		return nil, err
	}
	var path []string
	if p := strings.Trim(u.EscapedPath(), "/"); p != "" {
		for _, segment := range strings.Split(p, "/") {
			plain, err := url.PathUnescape(segment)
			if err != nil {
				return nil, errAddress
			}
			path = append(path, plain)
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errAddress
	}
	return client.Do(ctx, &rest.Request{Method: method, Operation: operation, Path: path, Query: query, Header: header, Body: body})
}

// CloseIdle closes the connections that nobody uses.
func (h *HTTP) CloseIdle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.clients {
		c.CloseIdle()
	}
}

var errAddress = errors.New("the channel's address cannot be read")

func (h *HTTP) client(u *url.URL) (*rest.Client, error) {
	base := u.Scheme + "://" + u.Host
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.clients[base]; c != nil {
		return c, nil
	}
	if len(h.clients) >= maxHosts {
		for k, c := range h.clients {
			c.CloseIdle()
			delete(h.clients, k)
			break
		}
	}
	o := h.options
	o.BaseURL = base
	c, err := rest.New(o)
	if err != nil {
		return nil, errAddress
	}
	h.clients[base] = c
	return c, nil
}

// errPrivate is told without the address, which may be a secret.
var errPrivate = errors.New("the channel's address is not a public one")

// dialPublic connects to public addresses only. It looks at the address that is
// connected to, so that a name which changes its address gains nothing.
func dialPublic(ctx context.Context, network, addr string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, errors.New("the channel's host has no address")
	}
	err = errPrivate
	for _, ip := range found {
		if !public(ip.Unmap()) {
			continue
		}
		var d net.Dialer
		var conn net.Conn
		if conn, err = d.DialContext(ctx, network, net.JoinHostPort(ip.Unmap().String(), port)); err == nil {
			return conn, nil
		}
	}
	return nil, err
}

// shared are networks that are not private by name and still nobody's website:
// carriers' inner networks, benchmarks, documentation, and the translations of
// IPv4 in IPv6, behind which any address can be.
var shared = []string{
	"100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4", "0.0.0.0/8",
	"64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "2002::/16", "2001::/32",
}

func public(ip netip.Addr) bool {
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return false
	}
	for _, s := range shared {
		if netip.MustParsePrefix(s).Contains(ip) {
			return false
		}
	}
	return true
}

// hosted checks the URL of a service's webhook: its host must be one of the
// service's, or this machine.
func hosted(service string, secret []byte, path string, hosts ...string) (*url.URL, error) {
	u, err := secureURL("secret", strings.TrimSpace(string(secret)))
	if err != nil {
		return nil, err
	}
	ok := rest.Loopback(u.Hostname())
	for _, h := range hosts {
		ok = ok || strings.EqualFold(u.Host, h)
	}
	if !ok || !strings.Contains(u.Path, path) {
		return nil, secretError(fmt.Sprintf("the %s webhook's whole address, such as https://%s%s…", service, hosts[0], path))
	}
	return u, nil
}
