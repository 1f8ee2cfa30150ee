package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/ttai-go/ttai/cmd/internal/app"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/mcp"
)

// defaultAddr is where a terminal's server listens; any free port when it is taken.
const defaultAddr = "127.0.0.1:8765"

// shutdownTime bounds how long answers under way may take when the program ends.
const shutdownTime = 5 * time.Second

// serveHTTP serves MCP on loopback behind a bearer until ctx ends.
func serveHTTP(ctx context.Context, server *mcp.Server, addr, token string, opened *app.Opened, std app.IO) error {
	listener, err := listen(addr)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("/mcp", tokenFromQuery(server.Handler()))
	front := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}

	fmt.Fprintf(std.Err, "ttai-mcp: %s%s\n", opened.Environment, noticeLine(opened.Notice))
	fmt.Fprintf(std.Err, "Connect an MCP client to\n\n    http://%s/mcp?token=%s\n\nor send the token as 'Authorization: Bearer …'. Whoever has it can read what this server reads. Ctrl-C ends it.\n", listener.Addr(), token)

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
