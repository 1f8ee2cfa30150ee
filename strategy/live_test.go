package strategy_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// A stage is a paper exchange, a market and a run on the fake time of a synctest
// bubble.
type stage struct {
	t      *testing.T
	x      *paper.Exchange
	source *quotedSource
	broker broker.Broker
	opts   strategy.RunOptions
	cancel context.CancelFunc
	ended  chan error

	mu     sync.Mutex
	events []strategy.Event
	notes  []string
}

// quotedSource gives the quotes and bars that a test sets.
type quotedSource struct {
	market.Source
	mu     sync.Mutex
	price  map[market.Symbol]float64
	bars   map[market.Symbol][]market.Bar
	late   time.Duration // how long after its end a bar is there
	chain  []market.OptionQuote
	failed error
}

func (s *quotedSource) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []market.Quote
	var missing []market.Symbol
	for _, symbol := range symbols {
		price, ok := s.price[symbol]
		if !ok {
			missing = append(missing, symbol)
			continue
		}
		q := market.NewQuote(symbol)
		q.Bid, q.Ask, q.Last, q.Time = price-0.01, price+0.01, price, time.Now()
		out = append(out, q)
	}
	if missing != nil {
		return out, &market.MissingError{Symbols: missing, Err: market.ErrUnknownSymbol}
	}
	return out, nil
}

func (s *quotedSource) Bars(_ context.Context, req market.BarsRequest) ([]market.Bar, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed != nil {
		return nil, s.failed
	}
	var out []market.Bar
	for _, b := range market.NYSE().Complete(s.bars[req.Symbol], req.Interval, time.Now().Add(-s.late)) {
		if !b.Time.Before(req.From) {
			out = append(out, b)
		}
	}
	if req.Limit > 0 {
		out = out[max(0, len(out)-req.Limit):]
	}
	return out, nil
}

func (s *quotedSource) Events(context.Context, market.Symbol, market.Date, market.Date) ([]market.Event, error) {
	return nil, market.ErrUnsupported
}

func (s *quotedSource) Expirations(context.Context, market.Symbol) ([]market.Expiration, error) {
	return []market.Expiration{{Underlying: "ACME", Date: market.Date{Year: 2000, Month: 1, Day: 21}}, {Underlying: "ACME", Date: market.Date{Year: 2000, Month: 6, Day: 16}}}, nil
}

func (s *quotedSource) Chain(_ context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []market.OptionQuote
	for _, q := range s.chain {
		for _, d := range req.Expirations {
			if q.Expiration == d && q.Strike >= req.MinStrike && (req.MaxStrike == 0 || q.Strike <= req.MaxStrike) {
				out = append(out, q)
			}
		}
	}
	return out, nil
}

// stageDay is a session of synctest's year.
func stageDay() market.Session {
	s, _ := market.NYSE().Session(market.Date{Year: 2000, Month: 1, Day: 3})
	return s
}

// newStage waits until the session has been open for half an hour.
func newStage(t *testing.T, change ...func(*stage)) *stage {
	t.Helper()
	time.Sleep(time.Until(stageDay().Open.Add(30 * time.Minute)))
	s := &stage{t: t, source: &quotedSource{price: map[market.Symbol]float64{"ACME": 100}, bars: map[market.Symbol][]market.Bar{}}}
	for at := stageDay().Open; at.Before(stageDay().Close); at = at.Add(5 * time.Minute) {
		p := 100 + math.Round(100*math.Sin(float64(at.Unix())/1500))/100
		s.source.bars["ACME"] = append(s.source.bars["ACME"], market.Bar{Time: at, Open: p, High: p + 1, Low: p - 1, Close: p, Volume: 1})
	}
	x, err := paper.New(&paper.Options{Clock: market.SystemClock(), IgnoreSizes: true, Accounts: []paper.Account{{
		Account: broker.Account{ID: account, Margin: true}, Cash: decimal.NewFromInt(100_000),
	}}})
	require.NoError(t, err)
	s.x, s.broker = x, x.Broker()
	s.quote(100)
	s.opts = strategy.RunOptions{
		Account: account, Source: s.source, Name: "live",
		Notes:    func(n strategy.Note) { s.mu.Lock(); s.notes = append(s.notes, n.Text); s.mu.Unlock() },
		Observer: func(e *strategy.Event) { s.mu.Lock(); s.events = append(s.events, *e); s.mu.Unlock() },
	}
	for _, f := range change {
		f(s)
	}
	return s
}

func (s *stage) quote(price float64) {
	s.source.mu.Lock()
	s.source.price["ACME"] = price
	s.source.mu.Unlock()
	require.NoError(s.t, s.x.Quote(paper.Quote{Symbol: "ACME", Time: time.Now(), Bid: price - 0.01, Ask: price + 0.01}))
}

func (s *stage) start(st strategy.Strategy) {
	ctx, cancel := context.WithCancel(s.t.Context())
	s.cancel, s.ended = cancel, make(chan error, 1)
	o := s.opts
	o.Strategy = st
	if o.Broker == nil {
		o.Broker = s.broker
	}
	go func() { s.ended <- strategy.Run(ctx, o) }()
	synctest.Wait()
}

func (s *stage) stop() error {
	s.cancel()
	return <-s.ended
}

func (s *stage) of(kind strategy.Kind) []strategy.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []strategy.Event
	for _, e := range s.events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func liveScript(handle func(*strategy.Session, *strategy.Event)) *script {
	return &script{needs: strategy.Needs{Symbols: []market.Symbol{"ACME"}, Interval: "5m", History: 3, Quotes: true}, handle: handle}
}

func TestBarsComeWhenTheCalendarSaysThatTheyHaveEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		var history []int
		st := liveScript(func(ss *strategy.Session, e *strategy.Event) {
			if e.Kind == strategy.BarEvent {
				history = append(history, len(ss.Bars("ACME", 3)))
				assert.Equal(t, e.Bar, ss.Bars("ACME", 1)[0])
			}
		})
		s.start(st)
		pass(12*time.Minute + time.Second)
		bars := s.of(strategy.BarEvent)
		require.Len(t, bars, 2)
		for i, e := range bars {
			end := stageDay().Open.Add(time.Duration(35+5*i) * time.Minute)
			assert.True(t, e.Time.Equal(end))
			assert.True(t, e.Bar.Time.Equal(end.Add(-5*time.Minute)))
		}
		pass(8 * time.Hour)
		assert.Len(t, s.of(strategy.BarEvent), 72, "all of the session and none after it")
		require.NoError(t, s.stop())
		assert.Equal(t, []int{3, 3}, history[:2], "with the history before")
		assert.Len(t, s.of(strategy.EndEvent), 1)
	})
}

func TestABarThatIsLateIsWaitedForAndNeverSkipped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.source.late = 8 * time.Second
		s.start(liveScript(nil))
		pass(5*time.Minute + 6*time.Second)
		require.Len(t, s.of(strategy.BarEvent), 1, "the bar that ended when the run began")
		pass(5 * time.Second)
		require.Len(t, s.of(strategy.BarEvent), 2)
		s.source.mu.Lock()
		s.source.failed = errors.New("down")
		s.source.mu.Unlock()
		pass(10 * time.Minute)
		require.Len(t, s.of(strategy.BarEvent), 2)
		s.source.mu.Lock()
		s.source.failed = nil
		s.source.mu.Unlock()
		pass(5 * time.Minute)
		got := s.of(strategy.BarEvent)
		require.Len(t, got, 5, "those that were missed come in their order")
		for i := range got[1:] {
			assert.Equal(t, 5*time.Minute, got[i+1].Bar.Time.Sub(got[i].Bar.Time))
		}
		require.NoError(t, s.stop())
	})
}

func TestQuotesArePolledAtABoundedRateAndOnlyInTheSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.start(liveScript(nil))
		pass(time.Minute)
		n := len(s.of(strategy.QuoteEvent))
		assert.InDelta(t, 13, n, 1, "one in five seconds")
		pass(time.Until(stageDay().Close.Add(time.Second)))
		n = len(s.of(strategy.QuoteEvent))
		pass(time.Hour)
		assert.Len(t, s.of(strategy.QuoteEvent), n)
		require.NoError(t, s.stop())
	})
}

func TestQuotesThatArePushedAreHandedOnLatestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		stream := &pushed{updates: make(chan market.Update, 10), failed: make(chan error, 1)}
		s.opts.Streamer = stream
		s.start(liveScript(nil))
		q := market.NewQuote("ACME")
		for _, bid := range []float64{1, 2, 3} {
			q.Bid = bid
			stream.updates <- market.Update{Quote: new(q)}
		}
		synctest.Wait()
		got := s.of(strategy.QuoteEvent)
		require.NotEmpty(t, got)
		assert.Equal(t, 3.0, got[len(got)-1].Quote.Bid)
		stream.updates <- market.Update{Gap: &market.StreamGap{}}
		synctest.Wait()
		require.Len(t, s.of(strategy.GapEvent), 1)
		stream.failed <- errors.New("gone for good")
		synctest.Wait()
		assert.Len(t, s.of(strategy.GapEvent), 2)
		n := len(s.of(strategy.QuoteEvent))
		assert.Greater(t, n, len(got), "what has no stream is read")
		pass(6 * time.Second)
		assert.Equal(t, 2, stream.opened, "and the stream is opened again")
		require.NoError(t, s.stop())
	})
}

type pushed struct {
	updates chan market.Update
	failed  chan error
	opened  int
}

func (p *pushed) StreamQuotes(context.Context, ...market.Symbol) (market.QuoteStream, error) {
	p.opened++
	return p, nil
}

func (p *pushed) Next(ctx context.Context) (market.Update, error) {
	select {
	case u := <-p.updates:
		return u, nil
	case err := <-p.failed:
		return market.Update{}, err
	case <-ctx.Done():
		return market.Update{}, ctx.Err()
	}
}

func (p *pushed) Add(context.Context, ...market.Symbol) error    { return nil }
func (p *pushed) Remove(context.Context, ...market.Symbol) error { return nil }
func (p *pushed) Close() error                                   { return nil }

func TestChainsAreReadAsTheStrategyNeedsThem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		for _, c := range []struct {
			symbol market.Symbol
			strike float64
			date   market.Date
		}{
			{"ACME  000121C00100000", 100, market.Date{Year: 2000, Month: 1, Day: 21}},
			{"ACME  000121C00150000", 150, market.Date{Year: 2000, Month: 1, Day: 21}},
			{"ACME  000616C00100000", 100, market.Date{Year: 2000, Month: 6, Day: 16}},
		} {
			s.source.chain = append(s.source.chain, market.OptionQuote{Symbol: c.symbol, Underlying: "ACME", Strike: c.strike, Expiration: c.date, Bid: 2, Ask: 3})
		}
		st := liveScript(func(ss *strategy.Session, e *strategy.Event) {
			if e.Kind == strategy.ChainEvent {
				q, ok := ss.Quote("ACME  000121C00100000")
				assert.True(t, ok)
				assert.Equal(t, 2.5, q.Mid())
			}
		})
		st.needs.Chains, st.needs.ChainEvery = []market.Symbol{"ACME"}, 2*time.Minute
		st.needs.ChainDays, st.needs.ChainRange = 60, 0.2
		s.start(st)
		pass(5 * time.Minute)
		got := s.of(strategy.ChainEvent)
		require.Len(t, got, 3)
		require.Len(t, got[0].Chain, 1, "the far expiry and the far strike are left out")
		require.NoError(t, s.stop())
	})
}

func TestARunTradesAndIsToldOfItsFills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.start(liveScript(func(ss *strategy.Session, e *strategy.Event) {
			if e.Kind == strategy.BarEvent && ss.Position("ACME").Quantity == 0 {
				_, err := ss.Target("ACME", 7)
				assert.NoError(t, err)
			}
		}))
		pass(6 * time.Minute)
		fills := s.of(strategy.FillEvent)
		require.Len(t, fills, 1)
		assert.Equal(t, "7", fills[0].Fill.Quantity.String())
		assert.NotEmpty(t, s.of(strategy.OrderEvent))
		require.NoError(t, s.stop())
		positions, err := s.broker.Positions(t.Context(), account)
		require.NoError(t, err)
		assert.Len(t, positions, 1, "the run leaves what it has")
	})
}

// A shelf keeps states in memory.
type shelf struct {
	mu     sync.Mutex
	states map[string]json.RawMessage
	saves  int
}

func (s *shelf) Load(_ context.Context, name string) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.states[name], nil
}

func (s *shelf) Save(_ context.Context, name string, state json.RawMessage) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.states[name] = state
	s.saves++
	return nil
}

func TestTheNextRunGoesOnWhereTheLastOneStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		kept := &shelf{states: map[string]json.RawMessage{}}
		s.opts.State = kept
		once := built(t, "ma-cross", `{"symbol":"ACME","interval":"5m","fast":2,"slow":4,"direction":"both","quantity":5}`)
		s.start(once)
		pass(90 * time.Minute)
		require.NoError(t, s.stop())
		first := len(s.of(strategy.FillEvent))
		require.NotZero(t, first)
		held, err := s.broker.Positions(t.Context(), account)
		require.NoError(t, err)
		pass(17 * time.Minute) // bars go by without it
		s.start(built(t, "ma-cross", `{"symbol":"ACME","interval":"5m","fast":2,"slow":4,"direction":"both","quantity":5}`))
		pass(time.Second)
		again, err := s.broker.Positions(t.Context(), account)
		require.NoError(t, err)
		assert.Equal(t, held, again, "it has what it had")
		pass(2 * time.Hour)
		require.NoError(t, s.stop())
		assert.Greater(t, len(s.of(strategy.FillEvent)), first)
		orders, err := s.broker.Orders(t.Context(), account, broker.OrdersQuery{})
		require.NoError(t, err)
		tags := map[string]bool{}
		for _, o := range orders {
			assert.False(t, tags[o.Order.Tag], "no tag twice")
			tags[o.Order.Tag] = true
		}
	})
}

func TestTheStopPolicySaysWhatBecomesOfOrdersAndPositions(t *testing.T) {
	for policy, want := range map[strategy.StopPolicy][2]int{strategy.LeaveOrders: {1, 1}, strategy.CancelOrders: {0, 1}, strategy.FlattenAll: {0, 0}} {
		t.Run("policy "+string(policy), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				s.opts.Stop = policy
				done := false
				s.start(liveScript(func(ss *strategy.Session, e *strategy.Event) {
					if e.Kind == strategy.QuoteEvent && !done {
						done = true
						_, err := ss.Trade("ACME", 10)
						assert.NoError(t, err)
						_, err = ss.TradeLimit("ACME", 5, 90)
						assert.NoError(t, err)
					}
				}))
				pass(time.Minute)
				require.NoError(t, s.stop())
				working, err := s.broker.Orders(t.Context(), account, broker.OrdersQuery{Working: true})
				require.NoError(t, err)
				held, err := s.broker.Positions(t.Context(), account)
				require.NoError(t, err)
				assert.Equal(t, want, [2]int{len(working), len(held)})
			})
		})
	}
}

// A patchy broker drops its events when told to, and tells of a gap.
type patchy struct {
	broker.Broker
	mu     sync.Mutex
	silent bool
	gap    chan struct{}
}

type patchyStream struct {
	broker.EventStream
	p *patchy
}

func (p *patchy) Events(ctx context.Context, accounts ...broker.AccountID) (broker.EventStream, error) {
	stream, err := p.Broker.Events(ctx, accounts...)
	return patchyStream{stream, p}, err
}

func (s patchyStream) Next(ctx context.Context) (broker.Event, error) {
	for {
		e, err := s.EventStream.Next(ctx)
		s.p.mu.Lock()
		silent := s.p.silent
		s.p.mu.Unlock()
		if err != nil || !silent {
			return e, err
		}
		select {
		case <-s.p.gap:
			s.p.mu.Lock()
			s.p.silent = false
			s.p.mu.Unlock()
			return broker.Event{Time: time.Now(), Gap: &broker.Gap{Reason: "the connection was down"}}, nil
		default:
		}
	}
}

func TestAfterAGapInTheEventsTheAccountIsReadAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		p := &patchy{Broker: s.broker, gap: make(chan struct{}, 1)}
		s.opts.Broker = p
		var known []float64
		s.start(liveScript(func(ss *strategy.Session, e *strategy.Event) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if e.Kind == strategy.GapEvent {
				known = append(known, ss.Position("ACME").Quantity)
			}
		}))
		p.mu.Lock()
		p.silent = true
		p.mu.Unlock()
		o := strategy.MarketOrder(broker.BuyToOpen, "ACME", 4)
		o.Tag = "by-hand"
		_, err := s.broker.Place(t.Context(), account, broker.NewTicket(o))
		require.NoError(t, err)
		synctest.Wait()
		p.gap <- struct{}{}
		o = strategy.MarketOrder(broker.BuyToOpen, "ACME", 3)
		o.Tag = "by-hand-2"
		_, err = s.broker.Place(t.Context(), account, broker.NewTicket(o))
		require.NoError(t, err)
		pass(time.Second)
		pass(time.Minute)
		require.NoError(t, s.stop())
		require.NotEmpty(t, known)
		assert.Equal(t, 7.0, known[0])
	})
}

func TestChangesThatNobodyToldOfAreFoundByComparing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		p := &patchy{Broker: s.broker, silent: true, gap: make(chan struct{})}
		s.opts.Broker = p
		s.opts.SyncEvery = time.Minute
		s.start(liveScript(nil))
		pass(3 * time.Minute)
		assert.Empty(t, s.of(strategy.GapEvent), "nothing changed")
		o := strategy.MarketOrder(broker.BuyToOpen, "ACME", 4)
		o.Tag = "by-hand"
		_, err := s.broker.Place(t.Context(), account, broker.NewTicket(o))
		require.NoError(t, err)
		pass(2 * time.Minute)
		assert.Len(t, s.of(strategy.GapEvent), 1)
		require.NoError(t, s.stop())
	})
}

func TestALiveOrderWithoutAnAnswerIsFoundAndSentOnce(t *testing.T) {
	for name, arrives := range map[string]bool{"it arrived": true, "it did not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStage(t)
				line := &losing{Broker: &patchy{Broker: s.broker, silent: true, gap: make(chan struct{})}, before: !arrives, after: arrives}
				s.opts.Broker = line
				var pending atomic.Int64
				s.start(liveScript(func(ss *strategy.Session, e *strategy.Event) {
					if e.Kind == strategy.BarEvent {
						if _, err := ss.Target("ACME", 7); err != nil {
							assert.ErrorIs(t, err, broker.ErrUncertain)
						}
						pending.Store(int64(ss.Position("ACME").Quantity + ss.Pending("ACME")))
					}
				}))
				pass(9 * time.Minute)
				assert.EqualValues(t, 1, line.places.Load())
				assert.EqualValues(t, 7, pending.Load())
				pass(30 * time.Second)
				positions, err := s.broker.Positions(t.Context(), account)
				require.NoError(t, err)
				assert.Len(t, positions, map[bool]int{true: 1, false: 0}[arrives])
				pass(15 * time.Minute)
				if arrives {
					assert.EqualValues(t, 1, line.places.Load(), "found, and never sent again")
				} else {
					assert.Greater(t, line.places.Load(), int64(1), "given up after a long search: then the strategy may decide anew")
				}
				require.NoError(t, s.stop())
			})
		})
	}
}

// partial streams some symbols, and names the others.
type partial struct {
	pushed
	lacks  market.Symbol
	opened [][]market.Symbol
}

func (p *partial) StreamQuotes(_ context.Context, symbols ...market.Symbol) (market.QuoteStream, error) {
	p.opened = append(p.opened, symbols)
	if slices.Contains(symbols, p.lacks) {
		return nil, &market.MissingError{Symbols: []market.Symbol{p.lacks}, Err: market.ErrUnsupported}
	}
	return &p.pushed, nil
}

func TestWhatTheStreamLacksIsPolledAndTheRestIsPushed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		stream := &partial{lacks: "ACME", pushed: pushed{updates: make(chan market.Update, 10), failed: make(chan error, 1)}}
		s.opts.Streamer = stream
		script := liveScript(nil)
		script.needs.Symbols = append(script.needs.Symbols, "OTHER")
		s.source.price["OTHER"], s.source.bars["OTHER"] = 50, s.source.bars["ACME"]
		s.start(script)
		pass(time.Minute)
		require.Len(t, stream.opened, 2)
		assert.Equal(t, []market.Symbol{"OTHER"}, stream.opened[1], "one that is lacking does not end the stream of the others")
		polled := 0
		for _, e := range s.of(strategy.QuoteEvent) {
			if e.Symbol == "ACME" {
				polled++
			}
		}
		assert.InDelta(t, 13, polled, 1)
		q := market.NewQuote("OTHER")
		q.Bid = 7
		stream.updates <- market.Update{Quote: new(q)}
		synctest.Wait()
		got := s.of(strategy.QuoteEvent)
		assert.Equal(t, market.Symbol("OTHER"), got[len(got)-1].Symbol)
		require.NoError(t, s.stop())
	})
}
