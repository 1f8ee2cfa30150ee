// Command mcp-server mounts the library's MCP server in a mux of one's own,
// beside the routes that are already there, over a market of one's own choice.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/mcp"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	listener, err := net.Listen("tcp", "127.0.0.1:8767")
	if err != nil {
		log.Fatal(err)
	}
	if err := run(ctx, listener); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, listener net.Listener) error {
	handler, err := newHandler("a-long-secret-of-yours")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	fmt.Printf("MCP at http://%s/mcp\n", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func newHandler(bearer string) (http.Handler, error) {
	clock, err := market.NewScaledClock(nil, synthetic.DefaultStart(), 1)
	if err != nil {
		return nil, err
	}
	source, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	if err != nil {
		return nil, err
	}
	server, err := mcp.New(func(context.Context, mcp.Principal) (tools.Deps, error) {
		// What is left nil is absent: no broker, so no portfolio tool.
		return tools.Deps{Market: source, Clock: clock, Environment: broker.Simulator, Notice: "synthetic market"}, nil
	}, &mcp.Options{Environment: broker.Simulator, Notice: "synthetic market", Bearer: bearer})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/mcp", server.Handler())
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "the routes you already had") })
	return mux, nil
}
