package simulator

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A FaultRule spoils some of the requests of a route. Rules can be set when the
// simulator is made and while it runs.
type FaultRule struct {
	// Route is which requests: "POST /accounts/{account}/orders", "/dxlink", where
	// {account} is one segment of the path and {rest...} at the end any number.
	// Empty: every request. The simulator's own routes are never spoiled.
	Route string
	// Fault is what happens to them.
	Fault Fault
	// Probability that it happens, by Options.FaultSeed. 0: always.
	Probability float64
	// After is how many matching requests pass before the rule begins.
	After int
	// Times is how often it happens at most. 0: no limit.
	Times int
}

// A Fault is what goes wrong with one request. The zero Fault is nothing.
type Fault struct {
	// Delay passes before the answer, in the computer's time.
	Delay time.Duration
	// Drop closes the connection without an answer; nothing was done.
	Drop bool
	// Lose carries the request out and closes the connection without an answer:
	// the outcome of a write is unknown to its sender.
	Lose bool
	// Half carries the request out and closes the connection in the middle of the
	// answer.
	Half bool
	// Status replaces the answer: 502, say. 0: the usual answer.
	Status int
	// Body and ContentType come with Status. Empty: an HTML page as a gateway
	// would write it.
	Body, ContentType string
	// DropAfter cuts a websocket that long after it was opened. 0: never.
	DropAfter time.Duration
}

func (f Fault) validate(field string) error {
	switch {
	case f.Delay < 0:
		return invalid.Field(field+".Delay", f.Delay.String(), "0 or more")
	case f.DropAfter < 0:
		return invalid.Field(field+".DropAfter", f.DropAfter.String(), "0 or more")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return invalid.Field(field+".Status", f.Status, "200 to 599, or 0 for the usual answer")
	}
	return nil
}

// faultBook decides which requests are spoiled.
type faultBook struct {
	mu     sync.Mutex
	rules  []faultRule
	random *rand.Rand
	seed   uint64
}

type faultRule struct {
	FaultRule
	route         routePattern
	met, happened int
}

func newFaultBook(seed uint64) *faultBook {
	return &faultBook{seed: seed, random: rand.New(rand.NewPCG(seed, 0))}
}

// set replaces the rules and begins the sequence of chances anew.
func (b *faultBook) set(rules []FaultRule) error {
	made := make([]faultRule, 0, len(rules))
	for i, rule := range rules {
		field := fmt.Sprintf("Faults[%d]", i)
		route, err := parseRoute(field+".Route", rule.Route)
		if err != nil {
			return err
		}
		if err := rule.Fault.validate(field + ".Fault"); err != nil {
			return err
		}
		if !(rule.Probability >= 0 && rule.Probability <= 1) {
			return invalid.Field(field+".Probability", rule.Probability, "0 to 1; 0 means always")
		}
		if rule.After < 0 || rule.Times < 0 {
			return invalid.Field(field, rule.Route, "After and Times of 0 or more")
		}
		made = append(made, faultRule{FaultRule: rule, route: route})
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rules, b.random = made, rand.New(rand.NewPCG(b.seed, 0))
	return nil
}

func (b *faultBook) list() []FaultRule {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]FaultRule, 0, len(b.rules))
	for _, r := range b.rules {
		out = append(out, r.FaultRule)
	}
	return out
}

// fault returns what happens to a request: the fault of the first rule that
// applies.
func (b *faultBook) fault(r *http.Request) Fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.rules {
		rule := &b.rules[i]
		if !rule.route.matches(r) {
			continue
		}
		rule.met++
		if rule.met <= rule.After || rule.Times > 0 && rule.happened >= rule.Times {
			continue
		}
		if p := rule.Probability; p > 0 && b.random.Float64() >= p {
			continue
		}
		rule.happened++
		return rule.Fault
	}
	return Fault{}
}

// SetFaults replaces the rules by which requests are spoiled; none ends all
// faults. The sequence of chances begins anew, so that the same rules spoil the
// same requests.
func (s *Simulator) SetFaults(rules ...FaultRule) error { return s.faults.set(rules) }

// Faults returns the rules in force.
func (s *Simulator) Faults() []FaultRule { return s.faults.list() }

// A faultText is a FaultRule as JSON has it, with durations as texts: "250ms".
type faultText struct {
	Route       string  `json:"route"`
	Probability float64 `json:"probability,omitempty"`
	After       int     `json:"after,omitempty"`
	Times       int     `json:"times,omitempty"`
	Delay       string  `json:"delay,omitempty"`
	Drop        bool    `json:"drop,omitempty"`
	Lose        bool    `json:"lose,omitempty"`
	Half        bool    `json:"half,omitempty"`
	Status      int     `json:"status,omitempty"`
	Body        string  `json:"body,omitempty"`
	ContentType string  `json:"content-type,omitempty"`
	DropAfter   string  `json:"drop-after,omitempty"`
}

// MarshalJSON writes the rule as a flat object with the fields route,
// probability, after, times, delay, drop, lose, half, status, body, content-type
// and drop-after; durations are texts such as "250ms".
func (r FaultRule) MarshalJSON() ([]byte, error) {
	f := r.Fault
	t := faultText{Route: r.Route, Probability: r.Probability, After: r.After, Times: r.Times,
		Drop: f.Drop, Lose: f.Lose, Half: f.Half, Status: f.Status, Body: f.Body, ContentType: f.ContentType}
	if f.Delay != 0 {
		t.Delay = f.Delay.String()
	}
	if f.DropAfter != 0 {
		t.DropAfter = f.DropAfter.String()
	}
	return json.Marshal(t)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (r *FaultRule) UnmarshalJSON(data []byte) error {
	var t faultText
	if err := json.Unmarshal(data, &t); err != nil {
		return fmt.Errorf("simulator: fault: %w", err)
	}
	*r = FaultRule{Route: t.Route, Probability: t.Probability, After: t.After, Times: t.Times,
		Fault: Fault{Drop: t.Drop, Lose: t.Lose, Half: t.Half, Status: t.Status, Body: t.Body, ContentType: t.ContentType}}
	for _, d := range []struct {
		name, text string
		to         *time.Duration
	}{{"delay", t.Delay, &r.Fault.Delay}, {"drop-after", t.DropAfter, &r.Fault.DropAfter}} {
		if d.text == "" {
			continue
		}
		parsed, err := time.ParseDuration(d.text)
		if err != nil {
			return invalid.Field(d.name, d.text, `a duration such as "250ms"`)
		}
		*d.to = parsed
	}
	return nil
}

// A heldAnswer keeps an answer instead of sending it.
type heldAnswer struct {
	header http.Header
	status int
	body   []byte
}

func (h *heldAnswer) Header() http.Header { return h.header }

func (h *heldAnswer) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

func (h *heldAnswer) Write(p []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	h.body = append(h.body, p...)
	return len(p), nil
}

// cut carries a request out and sends nothing of the answer, or half of it, and
// then cuts the connection.
func cut(next http.Handler, w http.ResponseWriter, r *http.Request, half bool) {
	held := &heldAnswer{header: w.Header().Clone()}
	next.ServeHTTP(held, r)
	if half && len(held.body) > 1 {
		for name, values := range held.header {
			w.Header()[name] = values
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(held.body)))
		w.WriteHeader(max(held.status, http.StatusOK))
		_, _ = w.Write(held.body[:len(held.body)/2]) // the connection is cut either way
		_ = http.NewResponseController(w).Flush()
	}
	panic(http.ErrAbortHandler) // net/http's way to cut the connection
}
