package broker_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
)

var statuses = []broker.Status{broker.Contingent, broker.Received, broker.Routed, broker.Live, broker.CancelRequested, broker.ReplaceRequested,
	broker.Filled, broker.Cancelled, broker.Replaced, broker.Expired, broker.Rejected}

func TestWhatEndedStaysAsItIs(t *testing.T) {
	ended := map[broker.Status]bool{broker.Filled: true, broker.Cancelled: true, broker.Replaced: true, broker.Expired: true, broker.Rejected: true}
	for _, from := range statuses {
		require.True(t, from.Known())
		assert.Equal(t, ended[from], from.Terminal(), from)
		assert.True(t, from.CanBecome(from))
		for _, to := range statuses {
			switch {
			case from == to:
			case ended[from]:
				assert.False(t, from.CanBecome(to), "%s to %s", from, to)
			case ended[to]:
				assert.True(t, from.CanBecome(to), "%s to %s", from, to)
			}
		}
	}
	assert.False(t, broker.Live.CanBecome(broker.Received))
	assert.True(t, broker.CancelRequested.CanBecome(broker.Filled), "a fill may come before the cancel")
	assert.True(t, broker.CancelRequested.CanBecome(broker.Live), "the cancel may be refused")
	unknown := broker.Status("Dead")
	assert.False(t, unknown.Known())
	assert.False(t, unknown.Terminal(), "what is not understood is not taken for done")
	assert.True(t, unknown.CanFill())
}

// The steps beside those to the end, which all that work can take.
func TestTheStepsOfAnOrderThatWorks(t *testing.T) {
	steps := map[broker.Status][]broker.Status{
		broker.Contingent:       {broker.Received, broker.Routed, broker.Live, broker.CancelRequested, broker.ReplaceRequested},
		broker.Received:         {broker.Contingent, broker.Routed, broker.Live, broker.CancelRequested, broker.ReplaceRequested},
		broker.Routed:           {broker.Live, broker.CancelRequested, broker.ReplaceRequested},
		broker.Live:             {broker.CancelRequested, broker.ReplaceRequested},
		broker.CancelRequested:  {broker.Live},
		broker.ReplaceRequested: {broker.Live, broker.CancelRequested},
		"Dead":                  nil,
	}
	for from, can := range steps {
		for _, to := range append(statuses, "Dead") {
			if !to.Terminal() {
				assert.Equal(t, from == to || slices.Contains(can, to), from.CanBecome(to), "%s to %s", from, to)
			}
		}
	}
}

func TestAnOrderNeverGoesBack(t *testing.T) {
	state := func(s broker.Status, filled string) broker.OrderState {
		return broker.OrderState{ID: "7", Status: s, Legs: []broker.LegState{{Symbol: "SPY", Filled: *dec(filled)}}}
	}
	got, err := state(broker.Live, "2").Become(state(broker.Filled, "10"))
	require.NoError(t, err)
	assert.Equal(t, broker.Filled, got.Status)

	got, err = state(broker.Filled, "10").Become(state(broker.Live, "10"))
	step, ok := errors.AsType[*broker.TransitionError](err)
	require.True(t, ok)
	assert.Equal(t, broker.TransitionError{Order: "7", From: broker.Filled, To: broker.Live}, *step)
	assert.Equal(t, broker.Filled, got.Status, "the state before stands")

	for field, later := range map[string]broker.OrderState{
		"Legs[0].Filled": state(broker.Live, "1"),
		"Status":         state("Dead", "2"),
		"Legs":           {ID: "7", Status: broker.Live},
		"ID":             {ID: "8", Status: broker.Live},
	} {
		_, err = state(broker.Live, "2").Become(later)
		fe, ok := errors.AsType[*broker.FieldError](err)
		require.True(t, ok, field)
		assert.Equal(t, field, fe.Field)
	}
}

func TestAnUncertainOrderIsNotARejectedOne(t *testing.T) {
	cause := errors.New("connection reset")
	uncertain := error(&broker.UncertainError{Tags: []string{"a-1"}, Cause: cause})
	assert.ErrorIs(t, uncertain, broker.ErrUncertain)
	assert.ErrorIs(t, uncertain, cause)
	assert.NotErrorIs(t, uncertain, broker.ErrRejected)
	rejected := error(&broker.RejectedError{Notices: []broker.Notice{{Message: "too large"}, {Message: "closed"}}})
	assert.ErrorIs(t, rejected, broker.ErrRejected)
	assert.EqualError(t, rejected, "order rejected: too large; closed")
}
