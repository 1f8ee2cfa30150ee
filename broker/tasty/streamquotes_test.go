package tasty_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/market"
)

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// nextOf returns the next quote of a symbol that fits.
func nextOf(t *testing.T, s market.QuoteStream, symbol market.Symbol, fits func(market.Quote) bool) market.Quote {
	t.Helper()
	for {
		u, err := s.Next(within(t))
		require.NoError(t, err)
		if u.Quote != nil && u.Quote.Symbol == symbol && (fits == nil || fits(*u.Quote)) {
			return *u.Quote
		}
	}
}

func TestQuotesAreStreamed(t *testing.T) {
	r := build(t, change{})
	s, err := r.StreamQuotes(t.Context(), "SPY")
	require.NoError(t, err)
	defer s.Close()
	want, err := r.market.Quotes(t.Context(), []market.Symbol{"SPY"})
	require.NoError(t, err)
	first := nextOf(t, s, "SPY", func(q market.Quote) bool { return market.Float(q.PrevClose).Known() })
	assert.InDelta(t, want[0].Bid, first.Bid, 1e-9, "the first is the present quote")
	assert.InDelta(t, want[0].Ask, first.Ask, 1e-9)
	assert.InDelta(t, want[0].Last, first.Last, 1e-9)
	assert.InDelta(t, want[0].PrevClose, first.PrevClose, 1e-9)

	moved := market.NewQuote("SPY")
	moved.Bid, moved.Ask, moved.Last = 700, 700.02, 700.01
	require.NoError(t, r.sim.SetQuote(moved))
	got := nextOf(t, s, "SPY", func(q market.Quote) bool { return q.Bid == 700 && q.Last == 700.01 })
	assert.InDelta(t, 700.02, got.Ask, 0)
	assert.InDelta(t, want[0].PrevClose, got.PrevClose, 1e-9, "what did not change is still known")

	chain, err := r.Chain(within(t), market.ChainRequest{Underlying: "SPY", Strikes: 1, Expirations: firstExpiration(t, r)})
	require.NoError(t, err)
	option := chain[0].Symbol
	require.NoError(t, s.Add(t.Context(), option, "AAPL"))
	nextOf(t, s, option, nil)
	require.NoError(t, s.Remove(t.Context(), "SPY"))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "twice does nothing")
	_, err = s.Next(within(t))
	require.Error(t, err)
}

func firstExpiration(t *testing.T, r *rig) []market.Date {
	t.Helper()
	all, err := r.Expirations(within(t), "SPY")
	require.NoError(t, err)
	return []market.Date{all[1].Date}
}

func TestALostConnectionIsAGapOfTheQuoteStream(t *testing.T) {
	r := build(t, change{})
	s, err := r.StreamQuotes(t.Context(), "SPY")
	require.NoError(t, err)
	defer s.Close()
	nextOf(t, s, "SPY", nil)
	r.sim.DropStreams()
	for {
		u, err := s.Next(within(t))
		require.NoError(t, err)
		if u.Gap != nil {
			assert.False(t, u.Gap.To.Before(u.Gap.From))
			break
		}
	}
	moved := market.NewQuote("SPY")
	moved.Bid, moved.Ask, moved.Last = 710, 710.02, 710.01
	require.NoError(t, r.sim.SetQuote(moved))
	nextOf(t, s, "SPY", func(q market.Quote) bool { return q.Bid == 710 })
}

func TestWhatHasNoNameInTheStreamIsRefused(t *testing.T) {
	r := build(t, change{})
	_, err := r.StreamQuotes(t.Context(), "SPY", "/ESZ6")
	require.ErrorIs(t, err, market.ErrUnsupported)
	_, err = r.StreamQuotes(t.Context())
	require.Error(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	s, err := r.StreamQuotes(ctx, "SPY")
	require.NoError(t, err)
	cancel()
	for err == nil {
		_, err = s.Next(within(t))
	}
	require.NoError(t, s.Close())
}
