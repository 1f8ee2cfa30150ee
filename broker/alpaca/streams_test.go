package alpaca_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/market"
)

var fast = alpaca.StreamOptions{MinWait: time.Millisecond, MaxWait: 5 * time.Millisecond}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	t.Cleanup(cancel)
	return ctx
}

func openMarketData(t *testing.T, a *alpaca.Adapter, kind alpaca.StreamKind, opts alpaca.StreamOptions) *alpaca.MarketStream {
	t.Helper()
	s, err := a.Client().MarketData(t.Context(), kind, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// nextOf skips what is of another kind.
func nextOf(t *testing.T, s *alpaca.MarketStream, kind string) alpaca.Update {
	t.Helper()
	for {
		u, err := s.Next(within(t))
		require.NoError(t, err)
		if u.Kind == kind || kind == "gap" && u.Gap != nil {
			return u
		}
	}
}

func TestMarketDataArrivesAsJSONForSharesAndAsMessagePackForOptions(t *testing.T) {
	for kind, symbol := range map[alpaca.StreamKind]string{alpaca.StockStream: "ACME", alpaca.OptionStream: "ACME260821C00100000"} {
		t.Run(string(kind), func(t *testing.T) {
			fake := newFake(t, nil)
			fake.AddStock("ACME")
			require.NoError(t, fake.AddOption(string(call100)))
			s := openMarketData(t, newAdapter(t, fake, nil), kind, fast)
			require.NoError(t, s.Subscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelQuotes: {symbol}, alpaca.ChannelTrades: {symbol}}))
			fake.Quote("OTHER", alpacatest.Quote{Bid: 1, Ask: 2})
			fake.Quote(symbol, alpacatest.Quote{Bid: 9.5, Ask: 10.25, BidSize: 3, AskSize: 400, Last: 10})
			u := nextOf(t, s, "q")
			assert.Equal(t, symbol, u.Symbol)
			assert.Equal(t, "9.5 10.25 3 400", fmt.Sprint(u.Quote.BidPrice, u.Quote.AskPrice, u.Quote.BidSize, u.Quote.AskSize)[:len("9.5 10.25 3 400")])
			assert.Equal(t, symbol, u.Quote.Symbol)
			assert.True(t, u.Quote.Time.Equal(fake.Now()), "%s: the small t is the time and the large one the kind", u.Quote.Time)
			assert.Contains(t, string(u.Raw), `"bx"`)
			u = nextOf(t, s, "t")
			assert.Equal(t, 10.0, u.Trade.Price.Float())
			assert.Equal(t, 100.0, u.Trade.Size.Float())

			require.NoError(t, s.Unsubscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelQuotes: {symbol}}))
			fake.Quote(symbol, alpacatest.Quote{Bid: 9, Ask: 11, Last: 11})
			u, err := s.Next(within(t))
			require.NoError(t, err)
			assert.Equal(t, "t", u.Kind, "quotes come no more")
		})
	}
}

func TestABrokenStreamComesBackSubscribedAndTellsOfTheGap(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	var asked atomic.Int64
	a := newAdapter(t, fake, func(o *alpaca.Options) {
		o.Client.Credentials = func(context.Context) (alpaca.Credentials, error) { asked.Add(1); return creds, nil }
	})
	s := openMarketData(t, a, alpaca.StockStream, fast)
	require.NoError(t, s.Subscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelTrades: {"ACME"}}))
	fake.Quote("ACME", alpacatest.Quote{Last: 1})
	nextOf(t, s, "t")
	fake.Block(true)
	fake.Quote("ACME", alpacatest.Quote{Last: 2}) // lost
	fake.Block(false)
	require.Eventually(t, func() bool { return fake.Streams() == 1 }, deadline, tick)
	fake.Quote("ACME", alpacatest.Quote{Last: 3})
	gap := nextOf(t, s, "gap")
	assert.Contains(t, gap.Gap.Reason, "connection")
	assert.False(t, gap.Gap.Since.IsZero())
	assert.Equal(t, 3.0, nextOf(t, s, "t").Trade.Price.Float())
	assert.GreaterOrEqual(t, asked.Load(), int64(2), "new credentials for each connection")
}

func TestAStreamIsRefused(t *testing.T) {
	fake := newFake(t, nil)
	wrong := newAdapter(t, fake, func(o *alpaca.Options) {
		o.Client.Credentials = alpaca.Static(alpaca.Credentials{KeyID: "a", Secret: "b"})
	})
	_, err := wrong.Client().MarketData(within(t), alpaca.StockStream, fast)
	assert.ErrorIs(t, err, alpaca.ErrUnauthorized)
	_, err = wrong.Client().TradeUpdates(within(t), fast)
	assert.ErrorIs(t, err, alpaca.ErrUnauthorized)
	_, err = wrong.Broker().Events(within(t))
	assert.ErrorIs(t, err, broker.ErrUnauthorized)

	a := newAdapter(t, fake, nil)
	s := openMarketData(t, a, alpaca.StockStream, fast)
	many := make([]string, 31)
	for i := range many {
		many[i] = fmt.Sprint("S", i)
	}
	err = s.Subscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelQuotes: many})
	refusal, ok := errors.AsType[*alpaca.StreamError](err)
	require.True(t, ok, "%v", err)
	assert.Equal(t, 405, refusal.Code, "30 symbols are what the free plan allows")
	require.NoError(t, s.Subscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelQuotes: many[:30]}), "the stream lives on")
	for _, bad := range []map[alpaca.Channel][]string{nil, {alpaca.ChannelQuotes: nil}} {
		_, isField := errors.AsType[*alpaca.FieldError](s.Subscribe(within(t), bad))
		assert.True(t, isField)
	}
	_, err = a.Client().MarketData(within(t), "bonds", fast)
	_, isField := errors.AsType[*alpaca.FieldError](err)
	assert.True(t, isField)
	_, err = a.Client().MarketData(within(t), alpaca.StockStream, alpaca.StreamOptions{Buffer: -1})
	_, isField = errors.AsType[*alpaca.FieldError](err)
	assert.True(t, isField)
}

func TestASlowReaderLosesTheLatestAndIsTold(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	opts := fast
	opts.Buffer = 3
	s := openMarketData(t, newAdapter(t, fake, nil), alpaca.StockStream, opts)
	require.NoError(t, s.Subscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelTrades: {"ACME"}}))
	for i := range 10 {
		fake.Quote("ACME", alpacatest.Quote{Last: float64(i + 1)})
	}
	// The answer to another request comes after all of them.
	require.NoError(t, s.Subscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelTrades: {"NEXT"}}))
	for i := range 3 {
		assert.Equal(t, float64(i+1), nextOf(t, s, "t").Trade.Price.Float())
	}
	u, err := s.Next(within(t))
	require.NoError(t, err)
	require.NotNil(t, u.Gap)
	assert.Contains(t, u.Gap.Reason, "slow")
	fake.Quote("ACME", alpacatest.Quote{Last: 11})
	assert.Equal(t, 11.0, nextOf(t, s, "t").Trade.Price.Float())
}

func TestAClosedStreamSaysSo(t *testing.T) {
	fake := newFake(t, nil)
	a := newAdapter(t, fake, nil)
	s, err := a.Client().TradeUpdates(t.Context(), fast)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Next(ctx)
	assert.ErrorIs(t, err, context.Canceled)
	require.NoError(t, s.Close())
	for range 2 {
		_, err = s.Next(t.Context())
		assert.ErrorIs(t, err, alpaca.ErrClosed)
	}
	events, err := a.Broker().Events(t.Context())
	require.NoError(t, err)
	require.NoError(t, a.Close())
	_, err = events.Next(t.Context())
	assert.ErrorIs(t, err, alpaca.ErrClosed)
	require.NoError(t, events.Close())
	_, err = a.Broker().Events(t.Context())
	assert.ErrorIs(t, err, broker.ErrUnavailable)
	_, err = a.Balances(t.Context(), account)
	assert.ErrorIs(t, err, broker.ErrUnavailable)
}

// The live host sends text frames and the paper host binary ones.
func TestEventsTellStatesAndFillsOfEachLeg(t *testing.T) {
	for _, text := range []bool{false, true} {
		fake := newFake(t, &alpacatest.Options{Text: text})
		fake.AddStock("ACME")
		require.NoError(t, fake.AddOption(string(call100)))
		require.NoError(t, fake.AddOption(string(call105)))
		a := newAdapter(t, fake, nil)
		stream, err := a.Broker().Events(within(t), account)
		require.NoError(t, err)
		fake.Quote("ACME260821C00100000", alpacatest.Quote{Bid: 5, Ask: 5.2, BidSize: 1, AskSize: 1})
		fake.Quote("ACME260821C00105000", alpacatest.Quote{Bid: 2, Ask: 2.2, BidSize: 1, AskSize: 1})
		o := broker.Order{Tag: "t-1", Type: broker.Limit, Limit: dec("2.80"), Legs: legs("3", call100, broker.SellToOpen, call105, broker.BuyToOpen)}
		_, err = a.Place(within(t), account, broker.NewTicket(o))
		require.NoError(t, err)
		fake.Quote("ACME260821C00105000", alpacatest.Quote{Bid: 2, Ask: 2.1, BidSize: 9, AskSize: 9})
		fake.Quote("ACME260821C00100000", alpacatest.Quote{Bid: 5.1, Ask: 5.2, BidSize: 9, AskSize: 9})
		var fills []string
		ids := map[string]bool{}
		for {
			e, err := stream.Next(within(t))
			require.NoError(t, err)
			if f := e.Fill; f != nil {
				fills = append(fills, fmt.Sprint(f.Symbol, " ", f.Action, " ", f.Quantity, " at ", f.Price))
				assert.False(t, ids[f.ID], "told twice")
				ids[f.ID] = true
				assert.Equal(t, account, f.Account)
			}
			if e.Order != nil && e.Order.Status == broker.Filled {
				assert.Equal(t, "t-1", e.Order.Order.Tag)
				break
			}
		}
		assert.Equal(t, []string{
			fmt.Sprint(call100, " sell to open 1 at 5"), fmt.Sprint(call105, " buy to open 1 at 2.2"),
			fmt.Sprint(call100, " sell to open 2 at 5.1"), fmt.Sprint(call105, " buy to open 2 at 2.1"),
		}, fills, "each leg at its own price, each part once")
		require.NoError(t, stream.Close())
		_, err = a.Broker().Events(within(t), "nobody")
		assert.ErrorIs(t, err, broker.ErrUnknownAccount)
	}
}

func TestAStreamStartedLateTellsOnlyWhatIsNew(t *testing.T) {
	fake := newFake(t, nil)
	fake.AddStock("ACME")
	require.NoError(t, fake.AddOption(string(call100)))
	require.NoError(t, fake.AddOption(string(call105)))
	a := newAdapter(t, fake, nil)
	quote := func(size float64) {
		fake.Quote("ACME260821C00105000", alpacatest.Quote{Bid: 2, Ask: 2.2, BidSize: size, AskSize: size})
		fake.Quote("ACME260821C00100000", alpacatest.Quote{Bid: 5, Ask: 5.2, BidSize: size, AskSize: size})
	}
	quote(1)
	o := broker.Order{Tag: "t-1", Type: broker.Limit, Limit: dec("2.80"), Legs: legs("3", call100, broker.SellToOpen, call105, broker.BuyToOpen)}
	_, err := a.Place(within(t), account, broker.NewTicket(o))
	require.NoError(t, err)
	stream, err := a.AccountEvents(within(t))
	require.NoError(t, err)
	defer stream.Close()
	quote(9)
	e, err := stream.Next(within(t))
	require.NoError(t, err)
	require.NotNil(t, e.Fill)
	assert.Equal(t, market.Symbol(call100), e.Fill.Symbol)
	assert.True(t, e.Fill.Quantity.Equal(*dec("2")), "%s", e.Fill.Quantity)
}

func TestAStreamWhoseCredentialsAreWithdrawnEnds(t *testing.T) {
	fake := newFake(t, nil)
	var withdrawn atomic.Bool
	a := newAdapter(t, fake, func(o *alpaca.Options) {
		o.Client.Credentials = func(context.Context) (alpaca.Credentials, error) {
			if withdrawn.Load() {
				return alpaca.Credentials{KeyID: "a", Secret: "b"}, nil
			}
			return creds, nil
		}
	})
	events, err := a.AccountEvents(within(t))
	require.NoError(t, err)
	defer events.Close()
	s := openMarketData(t, a, alpaca.StockStream, fast)
	withdrawn.Store(true)
	fake.Disconnect()
	_, err = events.Next(within(t))
	assert.ErrorIs(t, err, broker.ErrUnauthorized)
	_, err = s.Next(within(t))
	assert.ErrorIs(t, err, alpaca.ErrUnauthorized)
	assert.ErrorIs(t, s.Subscribe(within(t), map[alpaca.Channel][]string{alpaca.ChannelBars: {"A"}}), alpaca.ErrClosed)
}

// A server that has stopped answering looks like one that has nothing to say,
// until it is asked.
func TestAConnectionThatAnswersNoPingIsReplaced(t *testing.T) {
	var connections atomic.Int64
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer conn.CloseNow()
		first := connections.Add(1) == 1
		for _, answer := range []string{`{"stream":"authorization","data":{"status":"authorized"}}`, `{"stream":"listening","data":{"streams":["trade_updates"]}}`} {
			if _, _, err := conn.Read(r.Context()); err != nil {
				return
			}
			if conn.Write(r.Context(), websocket.MessageText, []byte(answer)) != nil {
				return
			}
		}
		if first {
			<-stop
			return
		}
		_ = conn.Write(r.Context(), websocket.MessageText, []byte(`{"stream":"trade_updates","data":{"event":"new","order":{"id":"o-1"}}}`))
		_, _, _ = conn.Read(r.Context())
	}))
	defer server.Close()
	defer close(stop)
	client, err := alpaca.NewClient(alpaca.ClientOptions{Credentials: alpaca.Static(creds), TradingURL: server.URL})
	require.NoError(t, err)
	opts := fast
	opts.Ping = 30 * time.Millisecond
	s, err := client.TradeUpdates(t.Context(), opts)
	require.NoError(t, err)
	defer s.Close()
	gap, err := s.Next(within(t))
	require.NoError(t, err)
	require.NotNil(t, gap.Gap)
	assert.Contains(t, gap.Gap.Reason, "ping")
	update, err := s.Next(within(t))
	require.NoError(t, err)
	assert.Equal(t, "o-1", update.Order.ID)
}
