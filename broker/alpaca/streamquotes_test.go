package alpaca_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/market"
)

func streamQuotes(t *testing.T, a *alpaca.Adapter, symbols ...market.Symbol) market.QuoteStream {
	t.Helper()
	s, err := a.StreamQuotes(t.Context(), symbols...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// quoteThat returns the next quote of a symbol that fits, and fails when there is a
// gap before it.
func quoteThat(t *testing.T, s market.QuoteStream, symbol market.Symbol, fits func(market.Quote) bool) market.Quote {
	t.Helper()
	for {
		u, err := s.Next(within(t))
		require.NoError(t, err)
		require.Nil(t, u.Gap)
		if u.Quote.Symbol == symbol && (fits == nil || fits(*u.Quote)) {
			return *u.Quote
		}
	}
}

func bid(want float64) func(market.Quote) bool {
	return func(q market.Quote) bool { return q.Bid == want }
}

func at(fake *alpacatest.Server, days int) time.Time {
	y, m, d := fake.Now().Date()
	return time.Date(y, m, d+days, 0, 0, 0, 0, fake.Now().Location())
}

func oneOfEach(t *testing.T) (*alpacatest.Server, map[market.Symbol]string) {
	fake := newFake(t, &alpacatest.Options{OneStream: true})
	fake.AddStock("ACME")
	fake.AddCrypto("BTC/USD")
	require.NoError(t, fake.AddOption(string(call100)))
	return fake, map[market.Symbol]string{"ACME": "ACME", "BTC/USD": "BTC/USD", market.Symbol(call100): "ACME260821C00100000"}
}

func TestTheFirstQuoteIsThePresentOneAndTheOthersFollow(t *testing.T) {
	fake, symbols := oneOfEach(t)
	a := newAdapter(t, fake, nil)
	for symbol, wire := range symbols {
		t.Run(string(symbol.Kind()), func(t *testing.T) {
			fake.Quote(wire, alpacatest.Quote{Bid: 9.5, Ask: 10.5, BidSize: 3, AskSize: 4, Last: 10})
			fake.SetDay(wire, alpacatest.Bar{Time: at(fake, 0), Open: 8, High: 11, Low: 7, Close: 10, Volume: 500},
				alpacatest.Bar{Time: at(fake, -1), Open: 1, High: 1, Low: 1, Close: 7.75, Volume: 1})
			s := streamQuotes(t, a, symbol)
			q := quoteThat(t, s, symbol, nil)
			want, err := a.Quotes(t.Context(), []market.Symbol{symbol})
			require.NoError(t, err)
			assert.Equal(t, want[0], q)
			assert.Equal(t, 7.75, q.PrevClose)

			fake.Advance(time.Second)
			fake.Quote(wire, alpacatest.Quote{Bid: 11.5, Ask: 12.5, BidSize: 5, AskSize: 6, Last: 12})
			q = quoteThat(t, s, symbol, func(q market.Quote) bool { return q.Bid == 11.5 && q.Last == 12 })
			assert.Equal(t, []float64{12.5, 5, 6, 7.75, 8}, []float64{q.Ask, q.BidSize, q.AskSize, q.PrevClose, q.Open}, "what did not change is still known")
			assert.True(t, q.Time.Equal(fake.Now()))
			if symbol.Kind() == market.KindOption {
				assert.Equal(t, []float64{12, 7, 600}, []float64{q.High, q.Low, q.Volume}, "the day's are counted from the trades: the fake's have size 100")
				return
			}
			fake.SetDay(wire, alpacatest.Bar{Time: at(fake, 0), Open: 8, High: 13, Low: 6, Close: 12, Volume: 900}, alpacatest.Bar{Time: at(fake, -1), Close: 7.75})
			q = quoteThat(t, s, symbol, func(q market.Quote) bool { return q.Volume == 900 })
			assert.Equal(t, []float64{8, 13, 6, 12}, []float64{q.Open, q.High, q.Low, q.Last})
		})
	}
}

func TestANewDayHasFiguresOfItsOwn(t *testing.T) {
	fake, symbols := oneOfEach(t)
	a := newAdapter(t, fake, nil)
	for _, symbol := range []market.Symbol{"ACME", market.Symbol(call100)} {
		wire := symbols[symbol]
		fake.Quote(wire, alpacatest.Quote{Bid: 9.5, Ask: 10.5, Last: 10})
		fake.SetDay(wire, alpacatest.Bar{Time: at(fake, 0), Open: 8, High: 11, Low: 7, Close: 10, Volume: 500}, alpacatest.Bar{Time: at(fake, -1), Close: 7.75})
	}
	s := streamQuotes(t, a, "ACME")
	quoteThat(t, s, "ACME", nil)
	require.NoError(t, s.Add(t.Context(), market.Symbol(call100)))
	quoteThat(t, s, market.Symbol(call100), nil)
	fake.Advance(24 * time.Hour)
	fake.SetDay("ACME", alpacatest.Bar{Time: at(fake, 0), Open: 20, High: 21, Low: 19, Close: 20, Volume: 5}, alpacatest.Bar{Time: at(fake, -1), Close: 10.25})
	q := quoteThat(t, s, "ACME", func(q market.Quote) bool { return q.PrevClose == 10.25 })
	assert.Equal(t, []float64{20, 21, 19, 5}, []float64{q.Open, q.High, q.Low, q.Volume})

	// The broker's bar of the option's new day is not there yet.
	option := market.Symbol(call100)
	fake.Quote(symbols[option], alpacatest.Quote{Bid: 12, Ask: 13, Last: 12.5})
	q = quoteThat(t, s, option, func(q market.Quote) bool { return q.PrevClose == 10 })
	assert.Equal(t, []float64{12.5, 12.5, 12.5, 100}, []float64{q.Open, q.High, q.Low, q.Volume}, "of its first trade")
}

func TestStreamsOfAnAdapterShareAConnection(t *testing.T) {
	fake := newFake(t, &alpacatest.Options{OneStream: true})
	for _, name := range []string{"A", "B", "C"} {
		fake.AddStock(name)
		fake.Quote(name, alpacatest.Quote{Bid: 1, Ask: 2})
	}
	a := newAdapter(t, fake, nil)
	one, two := streamQuotes(t, a, "A", "B"), streamQuotes(t, a, "B", "C")
	assert.Equal(t, 1, fake.Streams())
	assert.Equal(t, []string{"A", "B", "C"}, fake.Subscribed("quotes"))
	quoteThat(t, two, "B", bid(1))
	fake.Advance(time.Second)
	fake.Quote("B", alpacatest.Quote{Bid: 1.5, Ask: 2})
	quoteThat(t, one, "B", bid(1.5))
	quoteThat(t, two, "B", bid(1.5))

	other := newAdapter(t, fake, nil)
	_, err := other.StreamQuotes(within(t), "A")
	refusal, ok := errors.AsType[*alpaca.StreamError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 406, refusal.Code, "another adapter has another connection, which the broker refuses")
	assert.ErrorIs(t, err, broker.ErrUnavailable)

	require.NoError(t, one.Close())
	require.Eventually(t, func() bool { return fmt.Sprint(fake.Subscribed("trades")) == "[B C]" }, deadline, tick)
	fake.Quote("C", alpacatest.Quote{Bid: 1.75, Ask: 2})
	quoteThat(t, two, "C", bid(1.75))
	require.NoError(t, two.Close())
	require.Eventually(t, func() bool { return fake.Streams() == 0 }, deadline, tick)
	streamQuotes(t, other, "A")
}

func TestSymbolsAreAddedAndRemovedWhileItRuns(t *testing.T) {
	fake, symbols := oneOfEach(t)
	fake.AddStock("NEXT")
	symbols["NEXT"] = "NEXT"
	for _, wire := range symbols {
		fake.Quote(wire, alpacatest.Quote{Bid: 1, Ask: 2})
	}
	s := streamQuotes(t, newAdapter(t, fake, nil), "ACME")
	quoteThat(t, s, "ACME", nil)
	require.NoError(t, s.Add(t.Context(), "NEXT", "ACME", market.Symbol(call100), "BTC/USD"))
	require.NoError(t, s.Add(t.Context()))
	seen := map[market.Symbol]int{}
	for len(seen) < 3 {
		u, err := s.Next(within(t))
		require.NoError(t, err)
		seen[u.Quote.Symbol]++
	}
	assert.Equal(t, map[market.Symbol]int{"NEXT": 1, market.Symbol(call100): 1, "BTC/USD": 1}, seen, "what was there is not told again")
	require.NoError(t, s.Remove(t.Context(), "ACME", "MISSING", "BTC/USD"))
	require.Eventually(t, func() bool { return fmt.Sprint(fake.Subscribed("quotes")) == "[ACME260821C00100000 NEXT]" }, deadline, tick)
	fake.Quote("ACME", alpacatest.Quote{Bid: 3, Ask: 4})
	fake.Quote("NEXT", alpacatest.Quote{Bid: 3, Ask: 4})
	u, err := s.Next(within(t))
	require.NoError(t, err)
	assert.Equal(t, market.Symbol("NEXT"), u.Quote.Symbol)
}

func TestABrokenQuoteStreamComesBackAndTellsOfTheGap(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	fake.Quote("ACME", alpacatest.Quote{Bid: 1, Ask: 2})
	s := streamQuotes(t, newAdapter(t, fake, nil), "ACME")
	quoteThat(t, s, "ACME", bid(1))
	fake.Block(true)
	fake.Advance(time.Minute)
	fake.Quote("ACME", alpacatest.Quote{Bid: 3, Ask: 4}) // lost
	fake.Block(false)
	u, err := s.Next(within(t))
	require.NoError(t, err)
	require.NotNil(t, u.Gap)
	assert.False(t, u.Gap.To.Before(u.Gap.From))
	assert.True(t, u.Gap.To.Equal(fake.Now()))
	quoteThat(t, s, "ACME", bid(3)) // the present quote, though nothing is told of it
	fake.Quote("ACME", alpacatest.Quote{Bid: 5, Ask: 6})
	quoteThat(t, s, "ACME", bid(5))

	// What is removed and closed without a connection needs none.
	fake.Block(true)
	require.NoError(t, s.Remove(t.Context(), "ACME"))
	require.NoError(t, s.Close())
}

func TestSymbolsBeyondThePlansLimitAreNamed(t *testing.T) {
	fake := newFake(t, nil)
	a := newAdapter(t, fake, nil)
	var all []market.Symbol
	for i := range 37 {
		name := fmt.Sprintf("S%c%c", 'A'+i/26, 'A'+i%26)
		fake.AddStock(name)
		fake.Quote(name, alpacatest.Quote{Bid: 1, Ask: 2})
		all = append(all, market.Symbol(name))
	}
	refused := func(err error, want []market.Symbol) {
		t.Helper()
		missing, ok := errors.AsType[*market.MissingError](err)
		require.True(t, ok, "%v", err)
		assert.Equal(t, want, missing.Symbols)
		assert.ErrorIs(t, err, market.ErrUnsupported)
		refusal, ok := errors.AsType[*alpaca.StreamError](err)
		require.True(t, ok)
		assert.Equal(t, 405, refusal.Code)
	}
	_, err := a.StreamQuotes(t.Context(), all...)
	refused(err, all[30:]) // the fake allows 30, as the free plan does
	s := streamQuotes(t, a, all[:28]...)
	require.Eventually(t, func() bool { return len(fake.Subscribed("quotes")) == 28 }, deadline/5, tick, "what was refused is unsubscribed")
	refused(s.Add(t.Context(), append([]market.Symbol{"AAA"}, all[28:33]...)...), all[29:33])
	require.Eventually(t, func() bool { return len(fake.Subscribed("quotes")) == 28 }, deadline/5, tick, "nothing is left of it: %v", fake.Subscribed("quotes"))
	require.NoError(t, s.Remove(t.Context(), all[:5]...))
	require.NoError(t, s.Add(t.Context(), all[28:35]...), "there is room again")
	quoteThat(t, s, all[34], nil)
	require.NoError(t, s.Close())

	_, err = a.StreamQuotes(t.Context(), "ACME", "/ESZ6", "./ESZ6 ESZ6  261218P100")
	missing, ok := errors.AsType[*market.MissingError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, []market.Symbol{"/ESZ6", "./ESZ6 ESZ6  261218P100"}, missing.Symbols, "Alpaca has no futures")
	assert.ErrorIs(t, err, market.ErrUnsupported)
	for _, bad := range [][]market.Symbol{nil, {"acme "}} {
		_, err = a.StreamQuotes(t.Context(), bad...)
		_, isField := errors.AsType[*alpaca.FieldError](err)
		assert.True(t, isField)
	}
}

func TestASlowReaderGetsTheLatestOfEachSymbol(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	fake.AddStock("LAST")
	fake.Quote("ACME", alpacatest.Quote{Bid: 1, Ask: 9999})
	fake.Quote("LAST", alpacatest.Quote{Bid: 1, Ask: 2})
	a := newAdapter(t, fake, nil)
	slow, quick := streamQuotes(t, a, "ACME"), streamQuotes(t, a, "ACME", "LAST")
	quoteThat(t, slow, "ACME", bid(1))
	for i := range 500 {
		fake.Quote("ACME", alpacatest.Quote{Bid: float64(i + 2), Ask: 9999})
	}
	quoteThat(t, quick, "ACME", bid(501)) // the last has come
	quoteThat(t, slow, "ACME", bid(501))
	require.NoError(t, slow.Add(t.Context(), "LAST"))
	u, err := slow.Next(within(t))
	require.NoError(t, err)
	assert.Equal(t, market.Symbol("LAST"), u.Quote.Symbol, "there was but one of the other")
}

func TestWhereSnapshotsFailTheStreamIsShownAlone(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	fake.Quote("ACME", alpacatest.Quote{Bid: 1, Ask: 2, Last: 1.5})
	fake.Inject(alpacatest.Fault{Path: "/v2/stocks/snapshots", Times: -1, Status: 500})
	s := streamQuotes(t, newAdapter(t, fake, nil), "ACME")
	fake.Quote("ACME", alpacatest.Quote{Bid: 3, Ask: 4})
	q := quoteThat(t, s, "ACME", bid(3))
	assert.True(t, math.IsNaN(q.Last))
	fake.ClearFaults()
	q = quoteThat(t, s, "ACME", func(q market.Quote) bool { return q.Bid == 3 || q.Last == 1.5 })
	assert.Equal(t, 3.0, q.Bid)
}

func TestAQuoteStreamEndsOnceAndSaysWhy(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	var mu sync.Mutex
	current := creds
	a := newAdapter(t, fake, func(o *alpaca.Options) {
		o.Client.Credentials = func(context.Context) (alpaca.Credentials, error) {
			mu.Lock()
			defer mu.Unlock()
			return current, nil
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	s, err := a.StreamQuotes(ctx, "ACME")
	require.NoError(t, err)
	kept := streamQuotes(t, a, "ACME")
	cancel()
	for range 2 {
		_, err = s.Next(within(t))
		assert.ErrorIs(t, err, context.Canceled)
	}
	assert.Error(t, s.Add(t.Context(), "ACME"))
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "twice does nothing")
	fake.Quote("ACME", alpacatest.Quote{Bid: 1, Ask: 2})
	quoteThat(t, kept, "ACME", nil)

	mu.Lock()
	current = alpaca.Credentials{KeyID: "a", Secret: "b"}
	mu.Unlock()
	fake.Disconnect()
	for err = nil; err == nil; {
		_, err = kept.Next(within(t))
	}
	assert.ErrorIs(t, err, broker.ErrUnauthorized)
	_, err = a.StreamQuotes(t.Context(), "ACME")
	assert.ErrorIs(t, err, broker.ErrUnauthorized)

	mu.Lock()
	current = creds
	mu.Unlock()
	again := streamQuotes(t, a, "ACME")
	quoteThat(t, again, "ACME", nil)
	require.NoError(t, a.Close())
	_, err = again.Next(within(t))
	assert.ErrorIs(t, err, broker.ErrUnavailable)
	_, err = a.StreamQuotes(t.Context(), "ACME")
	assert.ErrorIs(t, err, broker.ErrUnavailable)
}

func TestManyOpenAndCloseAtOnce(t *testing.T) {
	fake := newFake(t, &alpacatest.Options{OneStream: true})
	names := []market.Symbol{"A", "B", "C", "D"}
	for _, name := range names {
		fake.AddStock(string(name))
		fake.Quote(string(name), alpacatest.Quote{Bid: 1, Ask: 2})
	}
	a := newAdapter(t, fake, nil)
	keep := streamQuotes(t, a, "A")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 5 {
				s, err := a.StreamQuotes(within(t), names[(i+j)%4])
				if !assert.NoError(t, err) {
					return
				}
				_, err = s.Next(within(t))
				assert.NoError(t, err)
				assert.NoError(t, s.Add(within(t), names...))
				assert.NoError(t, s.Remove(within(t), names[j%4]))
				assert.NoError(t, s.Close())
			}
		})
	}
	all.Wait()
	require.Eventually(t, func() bool { return fmt.Sprint(fake.Subscribed("quotes")) == "[A]" }, deadline, tick)
	quoteThat(t, keep, "A", nil)
}
