package simulator

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

// memoryURL is where an in-memory server pretends to be: a name that resolves
// nowhere but to this machine.
const memoryURL = "http://simulator.localhost"

// A Server is one door to a simulator.
type Server struct {
	sim    *Simulator
	http   *http.Server
	memory *memoryListener // nil for TCP
	url    string
	gate   gate
	done   chan struct{} // closed when the accept loop has ended
}

// Start serves the simulator on a TCP address such as "127.0.0.1:0" until the
// server or the simulator is closed.
func (s *Simulator) Start(addr string) (*Server, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	return s.serve(listener, nil, "http://"+listener.Addr().String())
}

// Listen serves the simulator in memory: no port is opened, and only this
// process can reach it, through the server's DialContext.
func (s *Simulator) Listen() (*Server, error) {
	listener := newMemoryListener()
	return s.serve(listener, listener, memoryURL)
}

func (s *Simulator) serve(listener net.Listener, memory *memoryListener, url string) (*Server, error) {
	server := &Server{sim: s, memory: memory, url: url, done: make(chan struct{})}
	server.http = &http.Server{
		Handler:           http.HandlerFunc(server.handle),
		ReadHeaderTimeout: 10 * time.Second,
		BaseContext:       func(net.Listener) context.Context { return s.ctx },
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		listener.Close()
		return nil, fmt.Errorf("simulator: %w", net.ErrClosed)
	}
	s.servers[server] = struct{}{}
	go func() {
		defer close(server.done)
		_ = server.http.Serve(listener) // always ends with http.ErrServerClosed
	}()
	return server, nil
}

type serverKey struct{}

func (s *Server) handle(w http.ResponseWriter, r *http.Request) {
	if !s.gate.enter() {
		panic(http.ErrAbortHandler) // net/http's way to cut the connection
	}
	defer s.gate.leave()
	s.sim.handler.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), serverKey{}, s)))
}

// DXLinkURL returns the address of the market-data websocket. Clients learn it
// from GET /api-quote-tokens.
func (s *Server) DXLinkURL() string { return "ws" + strings.TrimPrefix(s.url, "http") + "/dxlink" }

// AccountStreamerURL returns the address of the account streamer. The root of the
// host, at which the broker has it, is served too.
func (s *Server) AccountStreamerURL() string {
	return "ws" + strings.TrimPrefix(s.url, "http") + "/streamer"
}

// URL returns the base URL for clients, without a slash at the end.
func (s *Server) URL() string { return s.url }

// DialContext connects to the server, whatever addr says. It fits
// http.Transport.DialContext and carries websockets too.
func (s *Server) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if s.memory != nil {
		return s.memory.dial(ctx)
	}
	var d net.Dialer
	return d.DialContext(ctx, "tcp", strings.TrimPrefix(s.url, "http://"))
}

// HTTPClient returns a client whose every connection goes to the server. Close
// its idle connections when done with it.
func (s *Server) HTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: s.DialContext}}
}

// Close stops serving, cuts open connections, websockets included, and waits
// for what was being served. Other servers of the simulator go on.
func (s *Server) Close() error {
	s.gate.close()
	err := s.http.Close()
	<-s.done
	s.sim.mu.Lock()
	delete(s.sim.servers, s)
	for one := range s.sim.sockets {
		if one.at() == s {
			one.cut()
		}
	}
	s.sim.mu.Unlock()
	s.gate.wait()
	return err
}
