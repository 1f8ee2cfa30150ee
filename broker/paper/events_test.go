package paper_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

func TestEventsTellEachStep(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	events, err := d.Events(t.Context(), account)
	require.NoError(t, err)
	defer events.Close()
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	var seen []string
	for {
		e, ok := paper.TryNext(events)
		if !ok {
			break
		}
		assert.Equal(t, account, e.Account)
		assert.Equal(t, clockAt(t, tuesday), e.Time)
		switch {
		case e.Order != nil:
			seen = append(seen, string(e.Order.Status))
		case e.Fill != nil:
			seen = append(seen, "fill "+e.Fill.ID)
		case e.Transaction != nil:
			seen = append(seen, "transaction "+e.Transaction.Amount.String())
		case e.Position != nil:
			seen = append(seen, "position "+e.Position.Quantity.String())
		case e.Balances != nil:
			seen = append(seen, "cash "+e.Balances.Cash.String())
		}
	}
	assert.Equal(t, []string{"received", "routed", "live", "fill F1", "transaction -5001", "filled", "position 10", "cash 94999"}, seen)
}

func TestASlowReaderIsToldOfTheGap(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	events, err := d.Events(t.Context())
	require.NoError(t, err)
	defer events.Close()
	for range 300 { // four events each
		o := d.place(d.order(broker.Limit, "400", leg("SPY", buyOpen, "1")))
		_, err := d.Cancel(t.Context(), account, o.ID)
		require.NoError(t, err)
	}
	e, err := events.Next(t.Context())
	require.NoError(t, err)
	require.NotNil(t, e.Gap)
	assert.True(t, e.Gap.Since.IsZero(), "none was read before")
	left := 0
	for {
		if _, ok := paper.TryNext(events); !ok {
			break
		}
		left++
	}
	assert.Equal(t, 300*4-1024, left, "what came after the gap")
}

func TestAStreamEndsWithItsContextOrClose(t *testing.T) {
	d := newDesk(t, tuesday)
	ctx, cancel := context.WithCancel(t.Context())
	events, err := d.Events(ctx, account)
	require.NoError(t, err)
	cancel()
	_, err = events.Next(t.Context())
	require.ErrorIs(t, err, context.Canceled)
	closed, err := d.Events(t.Context(), account)
	require.NoError(t, err)
	require.NoError(t, closed.Close())
	_, err = closed.Next(t.Context())
	require.Error(t, err)
	waiting, err := d.Events(t.Context(), account)
	require.NoError(t, err)
	defer waiting.Close()
	short, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	_, err = waiting.Next(short)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestTheObserverMayCallTheExchange(t *testing.T) {
	var d *desk
	var seen []broker.Status
	d = newDesk(t, tuesday, func(o *paper.Options) {
		o.Observer = func(e broker.Event) {
			if e.Order == nil {
				return
			}
			seen = append(seen, e.Order.Status)
			if e.Order.Status == broker.Filled && len(seen) == 4 {
				d.place(d.order(broker.Market, "", leg("SPY", sellClose, "10")))
			}
		}
	})
	d.quote("SPY", 500, 500.1)
	d.place(d.order(broker.Market, "", leg("SPY", buyOpen, "10")))
	assert.Equal(t, []broker.Status{"received", "routed", "live", "filled", "received", "routed", "live", "filled"}, seen)
	assert.Equal(t, "99999", d.cash())
}

func TestALiveExchangeFollowsItsClock(t *testing.T) {
	clock := market.NewManualClock(clockAt(t, "2026-03-03 15:59"))
	d := newDesk(t, tuesday, func(o *paper.Options) {
		o.Clock = clock
		o.Latency.Route = time.Second
	})
	events, err := d.Events(t.Context(), account)
	require.NoError(t, err)
	defer events.Close()
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { assert.ErrorIs(t, d.Run(ctx), context.Canceled) })
	d.quote("SPY", 500, 500.1)
	d.place(d.order(broker.Limit, "400", leg("SPY", buyOpen, "1")))
	for _, want := range []broker.Status{broker.Received, broker.Routed, broker.Live, broker.Expired} {
		for {
			e, err := events.Next(t.Context())
			require.NoError(t, err)
			if e.Order == nil {
				continue
			}
			assert.Equal(t, want, e.Order.Status)
			break
		}
		// Whatever Run waits for, a step of the clock wakes it.
		clock.Advance(30 * time.Second)
	}
	cancel()
	done.Wait()
	require.Error(t, newDesk(t, tuesday).Run(t.Context()), "without a clock there is nothing to follow")
}

func TestManyMayUseAnExchangeAtOnce(t *testing.T) {
	d := newDesk(t, tuesday)
	d.quote("SPY", 500, 500.1)
	var done sync.WaitGroup
	for i := range 4 {
		id := broker.AccountID("M" + string(rune('0'+i)))
		require.NoError(t, d.OpenAccount(paper.Account{Account: broker.Account{ID: id, Margin: true}, Cash: *dec("1000000")}))
		done.Go(func() {
			b := d.Exchange.Broker(id)
			for n := range 50 {
				_, err := b.Place(t.Context(), id, broker.NewTicket(broker.Order{Tag: "n" + string(rune('A'+n)) + "x", Type: broker.Market,
					Legs: []broker.Leg{leg("SPY", buyOpen, "1")}}))
				if err != nil { // a tag beyond the letters
					require.NotErrorIs(t, err, broker.ErrRejected)
				}
				assert.NoError(t, d.Quote(paper.Quote{Symbol: "SPY", Bid: 500, Ask: 500.1, BidSize: 100, AskSize: 100}))
				_, err = b.Balances(t.Context(), id)
				assert.NoError(t, err)
			}
		})
	}
	done.Wait()
	for i := range 4 {
		id := broker.AccountID("M" + string(rune('0'+i)))
		l := paper.LedgerOf(d.Exchange, id)
		assert.True(t, l.Cash.Sub(*dec("1000000")).Equal(l.Transactions))
	}
}
