package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/mcp"
)

// defaultAddr is where a terminal's server listens; any free port when it is taken.
const defaultAddr = "127.0.0.1:8765"

// shutdownTime bounds how long answers under way may take when the program ends.
const shutdownTime = 5 * time.Second

// serveHTTP serves MCP on loopback behind a bearer until ctx ends.
func serveHTTP(ctx context.Context, server *mcp.Server, cli flags, token string, opened *app.Opened, desk *app.Desk, std app.IO) error {
	listener, err := listen(cli.HTTP)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("/mcp", tokenFromQuery(server.Handler()))
	mux.Handle("/api/v1/", http.StripPrefix("/api/v1", server.API()))
	key := rand.Text()
	approvals, err := server.Approvals(mcp.ApprovalsOptions{
		Guard: desk.Guard, Key: key, Button: desk.Page, Passkeys: desk.Passkeys, RPID: desk.RPID, PasskeyMethod: app.PasskeyMethod,
	})
	if err != nil {
		return err
	}
	mux.Handle("/approve/", http.StripPrefix("/approve", approvals))
	mux.Handle("/", server.Page(pageOptions(cli, opened.Environment)))
	front := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}

	fmt.Fprintf(std.Err, "ttai-mcp: %s%s\n", opened.Environment, noticeLine(opened.Notice))
	at := reachable(listener.Addr())
	fmt.Fprintf(std.Err, "Connect an MCP client to\n\n    http://%s/mcp?token=%s\n\nor send the token as 'Authorization: Bearer …'. For people there is a page:\n\n    http://%s/?token=%s\n\nWhoever has the token can read what this server reads, and propose orders. Ctrl-C ends it.\n", at, token, at, token)
	if desk.Guard.Limits().Mode == broker.ModeTrade && !cli.ReadOnly {
		fmt.Fprintf(std.Err, "\nOrders are approved, by you and never by a model, at\n\n    http://%s/approve/?key=%s\n", named(at), key)
	}

	ended := make(chan error, 1)
	go func() { ended <- front.Serve(listener) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving %s: %w", listener.Addr(), err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTime)
	defer cancel()
	if err := front.Shutdown(grace); err != nil {
		front.Close() // clients keep their event streams open for as long as they live
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// pageOptions are what the page needs to know to show how another server like
// this one is started: in the same environment, and with what narrows it.
// Credentials are not among it: a client's server finds them where this one
// did, or in the client's configuration.
func pageOptions(cli flags, environment broker.Environment) *mcp.PageOptions {
	o := &mcp.PageOptions{Endpoint: "/mcp", Command: []string{"ttai-mcp"}}
	add := func(flag, value string) {
		if value != "" {
			o.Command = append(o.Command, flag, value)
		}
	}
	add("--url", cli.URL)
	add("--accounts", strings.Join(cli.Accounts, ","))
	add("--toolsets", strings.Join(cli.Toolsets, ","))
	if cli.ReadOnly {
		o.Command = append(o.Command, "--read-only")
	}
	if environment != broker.Simulator {
		o.Env = map[string]string{"TTAI_ENV": string(environment)}
	}
	return o
}

// reachable is the address to print for a listener: one that listens at every
// address is reached at this machine's own.
func reachable(addr net.Addr) string {
	if tcp, ok := addr.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(tcp.Port))
	}
	return addr.String()
}

// named is an address of this machine by its name: passkeys are made for names, and
// not for numbers.
func named(address string) string {
	if host, port, err := net.SplitHostPort(address); err == nil && host == "127.0.0.1" {
		return net.JoinHostPort("localhost", port)
	}
	return address
}

func noticeLine(notice string) string {
	if notice == "" {
		return ""
	}
	return ": " + notice
}

// listen opens addr, which must name a loopback host unless it is spelled out.
func listen(addr string) (net.Listener, error) {
	chosen := addr != ""
	if !chosen {
		addr = defaultAddr
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, invalid.Field("http", addr, "HOST:PORT, such as "+defaultAddr)
	}
	if host == "" {
		return nil, invalid.Field("http", addr, "a host before the port: 127.0.0.1 for this machine only, 0.0.0.0 for everyone who can reach it")
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil && !chosen {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("cannot listen at %s: %w", addr, err)
	}
	return listener, nil
}

// tokenFromQuery lets clients that can only be given a URL present the bearer
// as the query parameter token.
func tokenFromQuery(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if query := r.URL.Query(); query.Has("token") && r.Header.Get("Authorization") == "" {
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+query.Get("token"))
			query.Del("token") // so that nothing behind this can log it
			r.URL.RawQuery = query.Encode()
			r.RequestURI = r.URL.RequestURI()
		}
		next.ServeHTTP(w, r)
	})
}
