package tasty_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
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

// The market of the simulator has futures and options on them. It has no prices of
// coins: these are set.
func TestFuturesTheirOptionsAndCoinsAreStreamed(t *testing.T) {
	r := build(t, change{})
	chain, err := r.client.OptionChains.NestedFutures(within(t), "ES")
	require.NoError(t, err)
	future := market.Symbol(chain.Futures[0].Symbol)
	strikes := chain.OptionChains[0].Expirations[0].Strikes
	option := market.Symbol(strikes[len(strikes)/2].Call)
	require.Equal(t, market.KindFuture, future.Kind())
	require.Equal(t, market.KindFutureOption, option.Kind())
	asked := 0
	r.spoil(func(req *http.Request) simulator.Fault {
		if req.URL.Path == "/instruments/futures" {
			asked++
		}
		return simulator.Fault{}
	})
	s, err := r.StreamQuotes(t.Context(), future)
	require.NoError(t, err)
	defer s.Close()
	want, err := r.Quotes(within(t), []market.Symbol{future})
	require.NoError(t, err)
	got := nextOf(t, s, future, nil)
	assert.InDelta(t, want[0].Bid, got.Bid, 1e-9, "the first is the present quote")
	assert.InDelta(t, want[0].Ask, got.Ask, 1e-9)
	assert.InDelta(t, want[0].Last, got.Last, 1e-9)

	require.NoError(t, s.Add(t.Context(), option, "BTC/USD"))
	assert.Equal(t, 1, asked, "the exchange of a product is asked for once")
	want, err = r.Quotes(within(t), []market.Symbol{option})
	require.NoError(t, err)
	got = nextOf(t, s, option, nil)
	assert.InDelta(t, want[0].Bid, got.Bid, 1e-9)
	assert.InDelta(t, want[0].Ask, got.Ask, 1e-9)
	for _, symbol := range []market.Symbol{future, option, "BTC/USD"} {
		moved := market.NewQuote(symbol)
		moved.Bid, moved.Ask, moved.Last = 7000, 7000.5, 7000.25
		require.NoError(t, r.sim.SetQuote(moved))
		got = nextOf(t, s, symbol, func(q market.Quote) bool { return q.Bid == 7000 && q.Last == 7000.25 })
		assert.Equal(t, 7000.5, got.Ask)
	}

	require.NoError(t, s.Remove(t.Context(), future, "BTC/USD"))
	for _, symbol := range []market.Symbol{future, "BTC/USD", option} {
		moved := market.NewQuote(symbol)
		moved.Bid, moved.Ask, moved.Last = 7100, 7100.5, 7100.25
		require.NoError(t, r.sim.SetQuote(moved))
	}
	for {
		u, err := s.Next(within(t))
		require.NoError(t, err)
		require.Equal(t, option, u.Quote.Symbol, "the others are told no more")
		if u.Quote.Bid == 7100 {
			break
		}
	}
}

func TestFuturesWhoseExchangeIsNotToldAreAskedForAgain(t *testing.T) {
	r := build(t, change{})
	chain, err := r.client.OptionChains.NestedFutures(within(t), "ES")
	require.NoError(t, err)
	r.spoil(func(req *http.Request) simulator.Fault {
		if req.URL.Path == "/instruments/futures" {
			return simulator.Fault{Status: http.StatusServiceUnavailable}
		}
		return simulator.Fault{}
	})
	future := market.Symbol(chain.Futures[0].Symbol)
	_, err = r.StreamQuotes(t.Context(), future)
	require.ErrorIs(t, err, broker.ErrUnavailable)
	require.NotErrorIs(t, err, market.ErrUnsupported, "it may be streamed later")
	r.spoil(func(*http.Request) simulator.Fault { return simulator.Fault{} })
	s, err := r.StreamQuotes(t.Context(), future)
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

func TestWhatHasNoNameInTheStreamIsRefused(t *testing.T) {
	r := build(t, change{})
	_, err := r.StreamQuotes(t.Context(), "SPY", "/QQQZ6", "./QQQZ6 QQQZ6  261218P100")
	require.ErrorIs(t, err, market.ErrUnsupported)
	lost, ok := errors.AsType[*market.MissingError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []market.Symbol{"/QQQZ6", "./QQQZ6 QQQZ6  261218P100"}, lost.Symbols, "the broker lists no such product")
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
