package brokertest

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A scenario is one story that every broker has to tell alike.
type scenario struct {
	name string
	// needs are what the broker or the harness must be capable of. Without one of
	// them the scenario is skipped, and says which.
	needs []need
	run   func(*bench)
	// want is what is to be seen afterwards, in the words of bench.observe: a line
	// for each order by its tag, for each position, and for the cash that trades
	// moved without their fees. "nothing" is an account as it was.
	want string
}

// A need is something that not every broker or harness has.
type need struct {
	what string
	met  func(*Harness, broker.Capabilities) bool
}

func (s scenario) play(t *testing.T, factory Factory) {
	h := factory(t)
	can := h.Broker.Capabilities()
	for _, n := range s.needs {
		if !n.met(h, can) {
			t.Skipf("needs %s", n.what)
		}
	}
	b := begin(t, h)
	s.run(b)
	if t.Failed() {
		return
	}
	b.settle()
	assert.Equal(t, strings.TrimSpace(strings.ReplaceAll(s.want, "\t", "")), b.observe(), "what is to be seen afterwards")
	b.laws()
}

// The needs.
func orderType(t broker.OrderType) need {
	return need{string(t) + " orders", func(_ *Harness, c broker.Capabilities) bool { return slices.Contains(c.Types, t) }}
}

func inForce(t broker.TimeInForce) need {
	return need{string(t) + " orders", func(_ *Harness, c broker.Capabilities) bool { return slices.Contains(c.TimesInForce, t) }}
}

func group(k broker.GroupKind) need {
	return need{string(k) + " groups", func(_ *Harness, c broker.Capabilities) bool { return slices.Contains(c.Groups, k) }}
}

var (
	options = need{"options in orders of two legs", func(h *Harness, c broker.Capabilities) bool {
		return h.Calls[0] != "" && c.MaxLegs >= 2 && slices.Contains(c.Instruments, market.KindOption)
	}}
	replacing = need{"replacing orders", func(_ *Harness, c broker.Capabilities) bool { return c.Replace }}
	wire      = need{"a wire to lose requests on", func(h *Harness, _ broker.Capabilities) bool { return h.Inject != nil }}
	cutting   = need{"a connection to cut, and events that are pushed", func(h *Harness, c broker.Capabilities) bool { return h.Disconnect != nil && c.Events }}
	closed    = need{"an instrument that takes no orders", func(h *Harness, _ broker.Capabilities) bool { return h.Closed != "" }}
	dayEnds   = need{"a day that ends", func(h *Harness, _ broker.Capabilities) bool { return h.EndDay != nil }}
)
