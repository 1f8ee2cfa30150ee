// Command conformance serves package mcp with what the protocol's conformance
// suite asks of a server: tools that return every kind of content, ask the
// client back and fail, prompts, resources and subscriptions. They sit behind
// the product's own handler chain, so that the suite tests that chain: routing
// by revision, sessions, host and origin checks, limits and guards. It is a
// test command; nothing of it is in the product.
//
//	conformance ADDRESS
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/conformance/fixtures"
	"github.com/ttai-go/ttai/mcp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("want one argument, the address to listen at")
	}
	server, err := newServer()
	if err != nil {
		return err
	}
	defer server.Close()
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	front := &http.Server{
		Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second,
		BaseContext: func(net.Listener) context.Context { return fixtures.With(ctx, set(ctx)) },
	}
	ended := make(chan error, 1)
	go func() { ended <- front.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	server.Close() // ends open streams
	front.Close()
	<-ended
	return nil
}

// newServer is the product's server, with the tools that need no market.
func newServer() (*mcp.Server, error) {
	return mcp.New(func(context.Context, mcp.Principal) (tools.Deps, error) {
		return tools.Deps{Environment: broker.Simulator, Notice: "A server for the conformance suite."}, nil
	}, &mcp.Options{Name: "ttai-conformance"})
}
