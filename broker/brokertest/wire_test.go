package brokertest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/brokertest"
)

// A frail broker loses requests and answers, and looks for nothing itself: what
// it does not know it says.
type frail struct {
	broker.Broker
	fault *atomic.Int32
}

var errLost = errors.New("the connection was cut")

// write does what a write does under the fault that is armed.
func write[T any](b frail, tags []string, id broker.OrderID, do func() (T, error)) (T, error) {
	var nothing T
	uncertain := &broker.UncertainError{Tags: tags, Order: id, Cause: errLost}
	switch brokertest.Fault(b.fault.Swap(0)) {
	case brokertest.LostRequest:
		return nothing, uncertain
	case brokertest.LostAnswer:
		_, _ = do() // nobody learns what it was
		return nothing, uncertain
	case brokertest.RateLimited:
		return nothing, broker.ErrUnavailable
	}
	return do()
}

func (b frail) Place(ctx context.Context, account broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	var tags []string
	for _, o := range ticket.Orders {
		tags = append(tags, o.Tag)
	}
	return write(b, tags, "", func() ([]broker.OrderState, error) { return b.Broker.Place(ctx, account, ticket) })
}

func (b frail) Replace(ctx context.Context, account broker.AccountID, id broker.OrderID, with broker.Order) (*broker.OrderState, error) {
	return write(b, []string{with.Tag}, id, func() (*broker.OrderState, error) { return b.Broker.Replace(ctx, account, id, with) })
}

func (b frail) Cancel(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	return write(b, nil, id, func() (*broker.OrderState, error) { return b.Broker.Cancel(ctx, account, id) })
}

// frailExchange is a harness over the exchange behind a wire that can fail.
func frailExchange(t *testing.T) *brokertest.Harness {
	var fault atomic.Int32
	h := exchange(t, func(b broker.Broker) broker.Broker { return frail{b, &fault} })
	h.Inject = func(f brokertest.Fault) { fault.Store(int32(f)) }
	return h
}

func TestABrokerThatSaysWhatItDoesNotKnowIsSound(t *testing.T) { brokertest.Test(t, frailExchange) }
