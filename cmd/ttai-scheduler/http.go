package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

const (
	defaultHealth = "127.0.0.1:8767"
	// readyTime bounds how long the store may take to answer a check.
	readyTime = 3 * time.Second
	// stale is how old the scheduler's last look may be while it is ready.
	stale = 30 * time.Second
)

// serveHealth serves checks and metrics, and those of each tenant unless that is nil,
// until the result is called. It returns the address, which is another one when the
// default is taken by a second scheduler.
func serveHealth(ctx context.Context, cli flags, logger *slog.Logger, ready func(context.Context) error, metrics, each http.Handler) (addr string, end func(), err error) {
	if cli.Health == "off" {
		return "", func() {}, nil
	}
	host, _, err := net.SplitHostPort(cli.Health)
	if err != nil || host == "" {
		return "", nil, invalid.Field("health", cli.Health, "HOST:PORT, such as "+defaultHealth+", or off")
	}
	listener, err := net.Listen("tcp", cli.Health)
	if err != nil && cli.Health == defaultHealth {
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return "", nil, fmt.Errorf("cannot listen at %s: %w", cli.Health, err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := ready(ctx); err != nil {
			logger.WarnContext(ctx, "not ready", "error", err)
			http.Error(w, "not ready: "+err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.Handle("GET /metrics", metrics)
	if each != nil {
		mux.Handle("GET /metrics/{tenant}", each)
	}
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, BaseContext: func(net.Listener) context.Context { return ctx }}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return listener.Addr().String(), func() {
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if server.Shutdown(grace) != nil {
			server.Close()
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			logger.Warn("serving checks ended", "error", err)
		}
	}, nil
}

// ready tells whether jobs are started: the scheduler has looked a moment ago, and
// the store answers. The texts hold no secret.
func (h *house) ready(ctx context.Context) error {
	if looked := h.scheduler.Looked(); looked.IsZero() || time.Since(looked) > stale {
		return errors.New("the scheduler has not looked at its jobs lately")
	}
	if jobs, err := h.scheduler.Jobs(ctx); err != nil && jobs == nil { // one that cannot be read does not count
		return errors.New("the store does not answer")
	}
	return nil
}

// checkReady asks the scheduler at addr whether it is ready. Containers have no
// other program to ask with.
func checkReady(ctx context.Context, addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return invalid.Field("check", addr, "HOST:PORT, such as "+defaultHealth)
	}
	ctx, cancel := context.WithTimeout(ctx, readyTime+time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
	if err != nil {
		return invalid.Field("check", addr, "HOST:PORT, such as "+defaultHealth)
	}
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		return fmt.Errorf("no scheduler answers at %s: %w", addr, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the scheduler at %s is not ready: it answers %s", addr, resp.Status)
	}
	return nil
}
