package mcp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/mcp"
)

// A server for one person, mounted in one's own mux behind a bearer.
func ExampleNew() {
	deps := func(context.Context, mcp.Principal) (tools.Deps, error) {
		return tools.Deps{Environment: broker.Simulator, Notice: "Simulated data."}, nil
	}
	server, err := mcp.New(deps, &mcp.Options{Bearer: "change-me-to-something-random"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	mux := http.NewServeMux()
	mux.Handle("/mcp", server.Handler())

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "http://localhost/mcp", nil))
	fmt.Println(answer.Code, answer.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer realm="ttai"
}

// A page for people beside the protocol, in one's own mux. A browser that
// brings the token in the address is sent on without it.
func ExampleServer_Page() {
	deps := func(context.Context, mcp.Principal) (tools.Deps, error) {
		return tools.Deps{Environment: broker.Simulator, Notice: "Simulated data."}, nil
	}
	server, err := mcp.New(deps, &mcp.Options{Bearer: "change-me-to-something-random"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	mux := http.NewServeMux()
	mux.Handle("/mcp", server.Handler())
	mux.Handle("/", server.Page(nil))

	answer := httptest.NewRecorder()
	mux.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://localhost/?token=change-me-to-something-random", nil))
	fmt.Println(answer.Code, answer.Header().Get("Location"))
	// Output: 303 ./
}
