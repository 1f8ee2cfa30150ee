package simulator_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// A simulator in memory: no port is opened, and the client reaches it through
// its dialer.
func ExampleSimulator_Listen() {
	sim, err := simulator.New(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()
	server, err := sim.Listen()
	if err != nil {
		fmt.Println(err)
		return
	}
	client := server.HTTPClient()
	defer client.CloseIdleConnections()
	resp, err := client.Get(server.URL() + "/simulator/clock")
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode)
	fmt.Println(sim.Note())
	fmt.Println(sim.Credentials())
	// Output:
	// 200
	// The market is synthetic (seed 1): no number is real. It runs on a clock of its own, which began at 10:30 EDT on Wednesday, September 16, 2026.
	// Credentials{Accounts: [5WS00001 5WS00002], secrets: [redacted]}
}

// The simulator as a handler in a server of one's own, over a market on a clock
// that a test moves.
func ExampleSimulator_Handler() {
	clock := market.NewManualClock(synthetic.DefaultStart())
	made, err := synthetic.New(7, &synthetic.Options{Clock: clock})
	if err != nil {
		fmt.Println(err)
		return
	}
	sim, err := simulator.New(&simulator.Options{Market: made, Clock: clock, Seed: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer sim.Close()
	clock.Advance(time.Hour)
	r := httptest.NewRequest(http.MethodGet, "/simulator/clock", nil)
	r.Header.Set("User-Agent", "example/1")
	w := httptest.NewRecorder()
	sim.Handler().ServeHTTP(w, r)
	body, _ := io.ReadAll(w.Body) // a recorder does not fail
	fmt.Print(string(body))
	// Output:
	// {"now":"2026-09-16T15:30:00Z","start":"2026-09-16T14:30:00Z","speed":0,"seed":7,"note":"The market is simulated: no number is real. It runs on a clock of its own, which began at 10:30 EDT on Wednesday, September 16, 2026."}
}
