package strategy_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/alpaca"
	"github.com/ttai-go/ttai/broker/alpaca/alpacatest"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/simulator/synthetic"
	"github.com/ttai-go/ttai/strategy"
	"github.com/ttai-go/ttai/strategy/backtest"
	"github.com/ttai-go/ttai/tastytrade"
)

// A dayTrader follows the last two bars, halves its position with a limit order
// when it has gained, and is out before the close. It uses bars, fills and timers.
type dayTrader struct {
	symbol   market.Symbol
	Last     float64   `json:"last"`
	Entry    float64   `json:"entry"`
	Done     bool      `json:"done"`
	Fills    int       `json:"fills"`
	Deadline time.Time `json:"deadline"`
}

func (d *dayTrader) Needs() strategy.Needs {
	return strategy.Needs{Symbols: []market.Symbol{d.symbol}, Interval: "15m"}
}

func (d *dayTrader) Begin(s *strategy.Session) error {
	session, _ := s.Calendar().Session(s.Date())
	d.Deadline = session.Close.Add(-45 * time.Minute)
	s.Timer("out", d.Deadline)
	return nil
}

func (d *dayTrader) Handle(s *strategy.Session, e *strategy.Event) error {
	switch e.Kind {
	case strategy.TimerEvent:
		d.Done = true
		if _, err := s.Close(d.symbol); err != nil {
			return err
		}
	case strategy.FillEvent:
		d.Fills++
	case strategy.BarEvent:
		before := d.Last
		d.Last = e.Bar.Close
		if before == 0 || d.Done {
			return nil
		}
		want := 10.0
		if e.Bar.Close < before {
			want = -6
		}
		_, err := s.Target(d.symbol, want)
		return err
	}
	return nil
}

func (d *dayTrader) Snapshot() (json.RawMessage, error)  { return json.Marshal(d) }
func (d *dayTrader) Restore(state json.RawMessage) error { return json.Unmarshal(state, d) }

// A wireSpy notes the orders that go through a broker, and which have ended.
type wireSpy struct {
	broker.Broker
	now func() time.Time

	mu     sync.Mutex
	orders []sent
	open   map[broker.OrderID]bool
}

func (r *wireSpy) Place(ctx context.Context, a broker.AccountID, ticket broker.Ticket) ([]broker.OrderState, error) {
	r.mu.Lock()
	for _, o := range ticket.Orders {
		// By the bar: the second half of a reversal is sent when the first has filled.
		r.orders = append(r.orders, sentOf(r.now().Truncate(5*time.Minute), o)...)
	}
	r.mu.Unlock()
	states, err := r.Broker.Place(ctx, a, ticket)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range states {
		if !s.Status.Terminal() {
			r.open[s.ID] = true
		}
	}
	return states, err
}

func (r *wireSpy) saw(e *strategy.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Kind == strategy.OrderEvent && e.Order.Status.Terminal() {
		delete(r.open, e.Order.ID)
	}
}

func (r *wireSpy) working() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open)
}

// A venue is a broker with its market, whose time a test moves.
type venue struct {
	broker  broker.Broker
	source  market.Source
	account broker.AccountID
	clock   *market.ManualClock
	to      func(t time.Time, ended int) // moves the time; so many bars have ended
}

const paritySymbol = market.Symbol("SPY")

// parityDay is the day of the synthetic market and its bars.
func parityDay(t *testing.T) (market.Session, []market.Bar) {
	t.Helper()
	session, ok := market.NYSE().Session(market.DateOf(synthetic.DefaultStart().In(market.NYSE().Location())))
	require.True(t, ok)
	world, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: market.NewManualClock(session.Close.Add(time.Minute))})
	require.NoError(t, err)
	bars, err := world.Bars(t.Context(), market.BarsRequest{Symbol: paritySymbol, Interval: "15m", From: session.Open, To: session.Close})
	require.NoError(t, err)
	require.Len(t, bars, 26)
	return session, bars
}

func TestOneStrategySendsTheSameOrdersInReplayOnTheSimulatorAndToAlpaca(t *testing.T) {
	session, bars := parityDay(t)
	inReplay := parityReplay(t, session, bars)
	require.Greater(t, len(inReplay), 10)
	assert.Contains(t, inReplay[len(inReplay)-1].Time, "15:15", "the timer closes")
	t.Run("replay engine", func(t *testing.T) {
		assert.Equal(t, inReplay, parityBacktest(t, bars))
	})
	t.Run("simulator", func(t *testing.T) {
		assert.Equal(t, inReplay, parityLive(t, simulatorVenue(t, session), bars))
	})
	t.Run("Alpaca", func(t *testing.T) {
		assert.Equal(t, inReplay, parityLive(t, alpacaVenue(t, session, bars), bars))
	})
	t.Run("paper", func(t *testing.T) {
		assert.Equal(t, inReplay, parityLive(t, paperVenue(t, session, bars), bars))
	})
}

// parityBacktest is the same in the replay engine.
func parityBacktest(t *testing.T, bars []market.Bar) []sent {
	result, err := backtest.Run(t.Context(), backtest.Options{
		Market:   &backtest.Market{Bars: []backtest.BarFeed{{Symbol: paritySymbol, Interval: "15m", Bars: bars}}},
		Accounts: []backtest.Account{{Strategy: &dayTrader{symbol: paritySymbol}, Cash: decimal.NewFromInt(100_000)}},
	})
	require.NoError(t, err)
	var out []sent
	for _, o := range result.Record.Accounts[0].Orders {
		if o.Order != nil {
			out = append(out, sentOf(o.Time, *o.Order)...)
		}
	}
	return out
}

func parityReplay(t *testing.T, session market.Session, bars []market.Bar) []sent {
	r := newReplay(t, &dayTrader{symbol: paritySymbol}, session.Open, func(o *paper.Options, _ *strategy.SessionOptions) {
		o.Continuous = false
	})
	r.interval = "15m"
	r.all([]market.Symbol{paritySymbol}, [][]market.Bar{bars})
	return r.orders
}

// parityLive runs the strategy live, moves the time from bar to bar, and lets
// what was ordered fill in between.
func parityLive(t *testing.T, v venue, bars []market.Bar) []sent {
	spy := &wireSpy{Broker: v.broker, now: v.clock.Now, open: map[broker.OrderID]bool{}}
	handled := make(chan time.Time, 100)
	started := make(chan struct{})
	var once sync.Once
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- strategy.Run(ctx, strategy.RunOptions{
			Strategy: startTeller{&dayTrader{symbol: paritySymbol}, func() { once.Do(func() { close(started) }) }},
			Broker:   spy, Account: v.account, Source: v.source, Clock: v.clock, Name: "parity",
			Observer: func(e *strategy.Event) {
				spy.saw(e)
				if e.Kind == strategy.BarEvent {
					handled <- e.Time
				}
			},
		})
	}()
	wait := func(what string, c <-chan struct{}) {
		select {
		case <-c:
		case err := <-ended:
			require.NoError(t, err, "it ended before %s", what)
		case <-time.After(20 * time.Second):
			require.Fail(t, "no "+what)
		}
	}
	wait("start", started)
	reach := func(to time.Time, bars int) {
		v.to(to, bars)
		for done := false; !done; {
			select {
			case at := <-handled:
				assert.False(t, at.After(to))
				done = at.Equal(to)
			case err := <-ended:
				require.NoError(t, err)
				require.Fail(t, "it ended")
			case <-time.After(20 * time.Second):
				require.Fail(t, "nothing happened", "at %v", to)
			}
		}
		for now := to; spy.working() > 0; {
			now = now.Add(time.Second)
			require.True(t, now.Before(to.Add(4*time.Minute)), "orders of %v do not end", to)
			v.to(now, bars)
			time.Sleep(2 * time.Millisecond) // what is told comes over a socket
		}
	}
	for i, b := range bars {
		end := market.NYSE().BarEnd(b.Time, "15m")
		reach(end, i+1)
	}
	cancel()
	require.NoError(t, <-ended)
	spy.mu.Lock()
	defer spy.mu.Unlock()
	return spy.orders
}

// A startTeller tells when the strategy has begun.
type startTeller struct {
	strategy.Strategy
	tell func()
}

func (s startTeller) Begin(session *strategy.Session) error {
	defer s.tell()
	return s.Strategy.Begin(session)
}

func simulatorVenue(t *testing.T, session market.Session) venue {
	clock := market.NewManualClock(session.Open)
	world, err := synthetic.New(synthetic.DefaultSeed, &synthetic.Options{Clock: clock})
	require.NoError(t, err)
	sim, err := simulator.New(&simulator.Options{
		Market: world, Clock: clock,
		Accounts: []simulator.AccountState{{Number: "5WX10001", Margin: true, Cash: decimal.NewFromInt(100_000)}},
	})
	require.NoError(t, err)
	server, err := sim.Listen()
	require.NoError(t, err)
	k := sim.Credentials()
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: server.URL(), ClientID: k.ClientID, ClientSecret: k.ClientSecret, RefreshToken: k.RefreshToken, Dial: server.DialContext,
	})
	require.NoError(t, err)
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: server.URL(), Dial: server.DialContext, Limiter: tastytrade.NoLimit()})
	require.NoError(t, err)
	adapter, err := tasty.New(client, &tasty.Options{Environment: broker.Simulator, Clock: clock, AccountStreamer: server.AccountStreamerURL()})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, adapter.Close())
		client.Close()
		require.NoError(t, sim.Close())
	})
	return venue{adapter.Broker(), adapter, "5WX10001", clock, func(to time.Time, _ int) {
		require.NoError(t, sim.Step(to.Sub(clock.Now())))
	}}
}

func alpacaVenue(t *testing.T, session market.Session, bars []market.Bar) venue {
	clock := market.NewManualClock(session.Open)
	fake, err := alpacatest.New(&alpacatest.Options{Start: session.Open})
	require.NoError(t, err)
	fake.AddStock(string(paritySymbol))
	fast, err := alpaca.NewRateLimiter(1_000_000, nil)
	require.NoError(t, err)
	adapter, err := alpaca.New(&alpaca.Options{Clock: clock, Client: alpaca.ClientOptions{
		TradingLimiter: fast, DataLimiter: fast,
		Credentials: alpaca.Static(alpaca.Credentials{KeyID: alpacatest.KeyID, Secret: alpacatest.Secret}),
		TradingURL:  fake.URL(), DataURL: fake.URL(), StreamURL: fake.StreamURL(),
	}})
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, adapter.Close())
		fake.Close()
	})
	quote := func(price float64) {
		fake.Quote(string(paritySymbol), alpacatest.Quote{Bid: price - 0.01, Ask: price + 0.01, BidSize: 10_000, AskSize: 10_000, Last: price})
	}
	quote(bars[0].Open)
	return venue{adapter.Broker(), adapter, alpacatest.AccountNumber, clock, func(to time.Time, ended int) {
		var known []alpacatest.Bar
		for _, b := range bars[:ended] {
			known = append(known, alpacatest.Bar{Time: b.Time, Open: b.Open, High: b.High, Low: b.Low, Close: b.Close, Volume: b.Volume})
		}
		fake.SetBars(string(paritySymbol), "15Min", known)
		fake.Advance(to.Sub(fake.Now()))
		quote(bars[ended-1].Close)
		clock.Set(to)
	}}
}

// endedBars is a source of bars that have ended.
type endedBars struct {
	market.Source
	clock market.Clock
	bars  []market.Bar
}

func (s endedBars) Bars(_ context.Context, req market.BarsRequest) ([]market.Bar, error) {
	var out []market.Bar
	for _, b := range market.NYSE().Complete(s.bars, req.Interval, s.clock.Now()) {
		if !b.Time.Before(req.From) {
			out = append(out, b)
		}
	}
	return out, nil
}

func (s endedBars) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	var out []market.Quote
	price := s.bars[0].Open
	if known := market.NYSE().Complete(s.bars, "15m", s.clock.Now()); len(known) > 0 {
		price = known[len(known)-1].Close
	}
	for _, symbol := range symbols {
		q := market.NewQuote(symbol)
		q.Time, q.Bid, q.Ask, q.Last = s.clock.Now(), price-0.01, price+0.01, price
		out = append(out, q)
	}
	return out, nil
}

func (endedBars) Events(context.Context, market.Symbol, market.Date, market.Date) ([]market.Event, error) {
	return nil, market.ErrUnsupported
}

func paperVenue(t *testing.T, session market.Session, bars []market.Bar) venue {
	clock := market.NewManualClock(session.Open)
	x, err := paper.New(&paper.Options{Clock: clock, IgnoreSizes: true, Accounts: []paper.Account{{
		Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(100_000),
	}}})
	require.NoError(t, err)
	source := endedBars{clock: clock, bars: bars}
	return venue{x.Broker(), source, account, clock, func(to time.Time, ended int) {
		price := bars[ended-1].Close
		require.NoError(t, x.Quote(paper.Quote{Symbol: paritySymbol, Time: to, Bid: price - 0.01, Ask: price + 0.01}))
		clock.Set(to)
	}}
}
