package monitor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/workflow/monitor"
)

func TestAnAlertMadeWhileTheEngineRunsFiresOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e, stop := b.start(nil)
		id := b.add(`{"name":"my alert","kind":"price","symbol":"SPY","op":"above","value":100}`)
		b.feed.push("SPY", 99)
		settle(1)
		require.Empty(t, b.inbox.keys())
		b.feed.push("SPY", 100.5)
		settle(1)
		require.Equal(t, []string{"alert/" + id + "/1"}, b.inbox.keys())
		n := b.inbox.got[0]
		assert.Equal(t, "u1", n.User)
		assert.Equal(t, "alerts", n.Topic)
		assert.Equal(t, "my alert: SPY above 100", n.Title)
		assert.Contains(t, n.Facts, monitor.Fact{Name: "value", Value: "100.5"})
		s, err := b.rules.Get(t.Context(), id)
		require.NoError(t, err)
		assert.False(t, s.Active)
		assert.True(t, s.State.Done)
		fired, err := b.rules.Fired(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, fired, 1)
		assert.True(t, fired[0].Sent)
		status := e.Status()
		assert.EqualValues(t, 1, status.Delivered)
		assert.Zero(t, status.Waiting)
		b.feed.push("SPY", 90)
		b.feed.push("SPY", 110)
		settle(20)
		require.Len(t, b.inbox.keys(), 1)
		stop()
	})
}

func TestWhenARepeatingRuleFiredIsKnownAfterItsStateWasSavedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, stop := b.start(nil)
		id := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100,"mode":"repeat"}`)
		b.feed.push("SPY", 99)
		settle(1)
		b.feed.push("SPY", 100.5)
		settle(1)
		at := time.Now()
		settle(300) // the marks are saved meanwhile
		stop()
		s, err := b.rules.Get(t.Context(), id)
		require.NoError(t, err)
		assert.WithinDuration(t, at, s.State.Fired, 2*time.Second)
		all, err := b.rules.List(t.Context(), "")
		require.NoError(t, err)
		assert.Equal(t, s.State.Fired, all[0].State.Fired)
		assert.EqualValues(t, 1, s.State.Fires)
	})
}

func TestAnAlertThatIsRemovedDoesNotFireAndTheStreamLetsItsSymbolGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, stop := b.start(nil)
		defer stop()
		kept := b.add(`{"kind":"price","symbol":"QQQ","op":"above","value":100}`)
		id := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100}`)
		require.Len(t, b.feed.streams, 1, "symbols are added to the stream there is")
		require.Equal(t, map[market.Symbol]bool{"SPY": true, "QQQ": true}, b.feed.streams[0].symbols)
		require.NoError(t, b.rules.Remove(t.Context(), id))
		settle(1)
		require.Equal(t, map[market.Symbol]bool{"QQQ": true}, b.feed.streams[0].symbols)
		require.ErrorIs(t, b.rules.Remove(t.Context(), id), storage.ErrNotFound)
		listed, err := b.rules.List(t.Context(), "u1")
		require.NoError(t, err)
		require.Len(t, listed, 1)
		require.Equal(t, kept, listed[0].ID)
	})
}

func TestACrossingWithinACutOfTheStreamIsNotMissed(t *testing.T) {
	for name, cut := range map[string]func(b *bench, from time.Time){
		"a gap that the stream tells": func(b *bench, from time.Time) {
			settle(70)
			b.feed.gap(from, time.Now())
		},
		"a stream that ends": func(b *bench, from time.Time) {
			b.feed.mu.Lock()
			b.feed.streamErr = errors.New("no line")
			close(b.feed.streams[0].updates)
			b.feed.mu.Unlock()
			settle(70)
			b.feed.mu.Lock()
			b.feed.streamErr = nil
			b.feed.mu.Unlock()
			settle(60)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				_, stop := b.start(nil)
				defer stop()
				id := b.add(`{"kind":"price","symbol":"SPY","op":"cross_up","value":105}`)
				b.feed.push("SPY", 100)
				settle(30)
				from := time.Now()
				minute := from.Truncate(time.Minute).Add(time.Minute)
				b.feed.bars["SPY"] = []market.Bar{
					bar(minute.Add(-time.Minute), 100, 100.5, 99.5, 100), bar(minute, 100, 106, 99, 100.2), bar(minute.Add(time.Minute), 100.2, 100.4, 100, 100.1),
				}
				cut(b, from)
				b.feed.push("SPY", 100.1)
				settle(200)
				require.Equal(t, []string{"alert/" + id + "/1"}, b.inbox.keys())
				assert.Contains(t, b.inbox.got[0].Facts, monitor.Fact{Name: "bar", Value: fmt.Sprintf("%s: open 100, high 106, low 99, close 100.2", minute.UTC().Format(time.RFC3339))})
			})
		})
	}
}

func TestBarsOfAGapThatCannotBeReadAreAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e, stop := b.start(nil)
		defer stop()
		id := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":105}`)
		b.feed.push("SPY", 100)
		settle(1)
		from := time.Now()
		b.feed.barsErr = errors.New("busy")
		b.feed.bars["SPY"] = []market.Bar{bar(from.Truncate(time.Minute), 100, 106, 99, 100)}
		settle(70)
		b.feed.gap(from, from.Add(20*time.Second))
		settle(10)
		require.Empty(t, b.inbox.keys())
		require.Equal(t, 1, e.Status().Gaps)
		b.feed.mu.Lock()
		b.feed.barsErr = nil
		b.feed.mu.Unlock()
		settle(30)
		require.Equal(t, []string{"alert/" + id + "/1"}, b.inbox.keys())
		require.Zero(t, e.Status().Gaps)
	})
}

func TestWhatHappensWhileNoEngineRunsIsJudgedAtTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, stop := b.start(nil)
		crossed := b.add(`{"kind":"price","symbol":"SPY","op":"cross_up","value":105}`)
		trailing := b.add(`{"kind":"trailing","symbol":"SPY","percent":10}`)
		b.add(`{"kind":"price","symbol":"SPY","op":"cross_up","value":120}`)
		done := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":103}`)
		b.feed.push("SPY", 100)
		b.feed.push("SPY", 104) // the high so far
		settle(20)
		require.Equal(t, []string{"alert/" + done + "/1"}, b.inbox.keys())
		stop()
		start := time.Now().Truncate(time.Minute).Add(time.Minute)
		b.feed.bars["SPY"] = []market.Bar{bar(start, 104, 106, 103, 104), bar(start.Add(time.Minute), 104, 104, 95.3, 101)} // 106·0.9 = 95.4
		time.Sleep(10 * time.Minute)
		late := b.rules // an alert made while nobody watches has seen none of it
		s, err := late.Add(t.Context(), "u1", parse(t, `{"kind":"price","symbol":"SPY","op":"cross_up","value":105}`))
		require.NoError(t, err)
		time.Sleep(time.Minute)
		_, stop = b.start(nil)
		b.feed.push("SPY", 101)
		settle(70)
		got := b.inbox.keys()[1:]
		slices.Sort(got)
		want := []string{"alert/" + crossed + "/1", "alert/" + trailing + "/1"}
		slices.Sort(want)
		require.Equal(t, want, got)
		b.feed.push("SPY", 105)
		settle(1)
		require.Contains(t, b.inbox.keys(), "alert/"+s.ID+"/1")
		stop()
	})
}

func TestAFiringThatWasWrittenIsToldAfterACrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.inbox.refuse = errors.New("the process dies here")
		_, stop := b.start(nil)
		id := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100}`)
		b.feed.push("SPY", 101)
		settle(5)
		stop()
		fired, err := b.rules.Fired(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, fired, 1)
		require.False(t, fired[0].Sent)
		b.inbox.refuse = nil
		for range 2 { // the second start finds nothing left to tell
			_, stop = b.start(nil)
			b.feed.push("SPY", 101)
			settle(5)
			stop()
		}
		require.Equal(t, []string{"alert/" + id + "/1"}, b.inbox.keys())
	})
}

// halting is a store whose records cannot be written for a while.
type halting struct {
	storage.Tenant
	mu   sync.Mutex
	fail bool
}

type haltingRecords struct {
	storage.Records
	h *halting
}

func (h *halting) Records() (storage.Records, error) {
	r, err := h.Tenant.Records()
	return haltingRecords{r, h}, err
}

func (r haltingRecords) Write(ctx context.Context, w ...storage.RecordWrite) ([]storage.Version, error) {
	r.h.mu.Lock()
	defer r.h.mu.Unlock()
	if r.h.fail {
		return nil, storage.ErrUnavailable
	}
	return r.Records.Write(ctx, w...)
}

func TestAFiringThatCouldNotBeWrittenIsFoundAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := &halting{Tenant: b.tenant}
		_, stop := b.start(func(_ *monitor.Options, m *monitor.Member) { m.Store = h })
		id := b.add(`{"kind":"price","symbol":"SPY","op":"cross_up","value":100}`)
		b.feed.push("SPY", 99)
		settle(20) // the marks say 99
		h.mu.Lock()
		h.fail = true
		h.mu.Unlock()
		now := time.Now()
		b.feed.push("SPY", 101)
		settle(2)
		b.feed.push("SPY", 99)
		settle(30)
		stop() // dies without having written
		require.Empty(t, b.inbox.keys())
		b.feed.bars["SPY"] = []market.Bar{bar(now.Truncate(time.Minute), 99, 101, 99, 99)}
		time.Sleep(2 * time.Minute)
		_, stop = b.start(nil)
		settle(5)
		stop()
		require.Equal(t, []string{"alert/" + id + "/1"}, b.inbox.keys())
	})
}

func TestWhatCannotBeWrittenForAWhileIsWrittenThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		h := &halting{Tenant: b.tenant}
		_, stop := b.start(func(_ *monitor.Options, m *monitor.Member) { m.Store = h })
		defer stop()
		b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100,"mode":"repeat"}`)
		h.mu.Lock()
		h.fail = true
		h.mu.Unlock()
		for _, p := range []float64{101, 99, 102} {
			b.feed.push("SPY", p)
			settle(1)
		}
		require.Empty(t, b.inbox.keys(), "nobody is told what is not written")
		h.mu.Lock()
		h.fail = false
		h.mu.Unlock()
		settle(30)
		require.Len(t, b.inbox.keys(), 2)
	})
}

func TestTwoEnginesTellAFiringOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		second := *b
		second.feed = &fake{bars: map[market.Symbol][]market.Bar{}}
		_, stop1 := b.start(nil)
		_, stop2 := second.start(nil)
		var want []string
		once := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100}`)
		again := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100,"mode":"repeat"}`)
		want = append(want, "alert/"+once+"/1")
		for i := range 5 {
			for _, p := range []float64{99, 101} {
				b.feed.push("SPY", p)
				second.feed.push("SPY", p)
				settle(1)
			}
			want = append(want, fmt.Sprintf("alert/%s/%d", again, i+1))
		}
		settle(5)
		got := b.inbox.keys()
		slices.Sort(got)
		slices.Sort(want)
		require.Equal(t, want, got)
		stop1() // the one that is left goes on
		second.feed.push("SPY", 99)
		second.feed.push("SPY", 101)
		settle(1)
		require.Len(t, b.inbox.keys(), len(want)+1)
		stop2()
	})
}

func TestTenantsOfOneEngineDoNotMeet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e, stop := b.start(nil)
		other, err := b.store.For("bert")
		require.NoError(t, err)
		require.NoError(t, e.AddTenant(monitor.Member{ID: "bert", Store: other}), "also while it runs")
		rules, err := monitor.OpenRules(other)
		require.NoError(t, err)
		s, err := rules.Add(t.Context(), "u9", parse(t, `{"kind":"price","symbol":"SPY","op":"above","value":100}`))
		require.NoError(t, err)
		settle(1)
		b.feed.push("SPY", 101)
		settle(1)
		require.Equal(t, []string{"alert/" + s.ID + "/1"}, b.inbox.keys())
		require.Equal(t, []storage.TenantID{"bert"}, b.inbox.owners)
		listed, err := b.rules.List(t.Context(), "")
		require.NoError(t, err)
		require.Empty(t, listed)
		fired, err := b.rules.Fired(t.Context(), 10)
		require.NoError(t, err)
		require.Empty(t, fired)
		stop()
	})
}

func TestNoticesGoIntoAQueueUnderTheirKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, stop := b.start(func(o *monitor.Options, _ *monitor.Member) { o.Notify = nil })
		id := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100}`)
		b.feed.push("SPY", 101)
		settle(1)
		stop()
		queue, err := b.tenant.Queue(monitor.QueueName, nil)
		require.NoError(t, err)
		messages, err := queue.Receive(t.Context(), 10, 0)
		require.NoError(t, err)
		require.Len(t, messages, 1)
		assert.Equal(t, "alert/"+id+"/1", messages[0].Key)
		var n monitor.Notice
		require.NoError(t, json.Unmarshal(messages[0].Body, &n))
		assert.Equal(t, "SPY above 100", n.Title)
	})
}

func TestWithoutAStreamQuotesArePolledAndBarsTellWhatIsBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, stop := b.start(func(o *monitor.Options, _ *monitor.Member) { o.Stream = nil })
		defer stop()
		polled := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100}`)
		between := b.add(`{"kind":"price","symbol":"SPY","op":"below","value":90}`)
		b.feed.push("SPY", 101)
		settle(6)
		require.Equal(t, []string{"alert/" + polled + "/1"}, b.inbox.keys())
		minute := time.Now().Truncate(time.Minute).Add(time.Minute)
		b.feed.mu.Lock()
		b.feed.bars["SPY"] = []market.Bar{bar(minute, 101, 101, 89, 101)}
		b.feed.mu.Unlock()
		settle(190)
		require.Equal(t, []string{"alert/" + polled + "/1", "alert/" + between + "/1"}, b.inbox.keys())
	})
}

// desk is a broker with one account.
type desk struct {
	broker.Reader
	mu        sync.Mutex
	positions []broker.Position
	balances  broker.Balances
	events    chan broker.Event
}

func (d *desk) Accounts(context.Context) ([]broker.Account, error) {
	return []broker.Account{{ID: "A1"}}, nil
}

func (d *desk) Positions(context.Context, broker.AccountID) ([]broker.Position, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.positions), nil
}

func (d *desk) Balances(context.Context, broker.AccountID) (*broker.Balances, error) {
	return &d.balances, nil
}

func (d *desk) Events(context.Context, ...broker.AccountID) (broker.EventStream, error) {
	return d, nil
}

func (d *desk) Next(ctx context.Context) (broker.Event, error) {
	select {
	case e := <-d.events:
		return e, nil
	case <-ctx.Done():
		return broker.Event{}, ctx.Err()
	}
}

func (d *desk) Close() error { return nil }

func TestPositionsAreFollowedByTheAccountsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		d := &desk{events: make(chan broker.Event, 10)}
		_, stop := b.start(func(_ *monitor.Options, m *monitor.Member) { m.Broker = d })
		defer stop()
		loss := b.add(`{"kind":"position","metric":"pnl","op":"below","value":-500}`)
		power := b.add(`{"kind":"buying_power","op":"below","value":1000}`)
		p := position("SPY", "SPY", 100, 500, 500)
		d.events <- broker.Event{Account: "A1", Position: &p}
		settle(1)
		require.Equal(t, map[market.Symbol]bool{"SPY": true}, b.feed.streams[0].symbols, "what is held is quoted")
		b.feed.push("SPY", 496)
		settle(1)
		require.Empty(t, b.inbox.keys())
		b.feed.push("SPY", 494)
		settle(1)
		require.Equal(t, []string{"alert/" + loss + "/1"}, b.inbox.keys())
		low := broker.Balances{Account: "A1", DerivativeBuyingPower: p.Mark}
		d.events <- broker.Event{Account: "A1", Balances: &low}
		settle(1)
		require.Contains(t, b.inbox.keys(), "alert/"+power+"/1")
	})
}

func TestIndicatorAndVolatilityRulesAreFed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		now := time.Now()
		for i := range 30 {
			x := 100.0
			if i >= 25 {
				x = 110
			}
			b.feed.bars["SPY"] = append(b.feed.bars["SPY"], bar(now.Add(time.Duration(i-25)*time.Minute), x, x, x, x))
		}
		m := market.NewMetrics("SPY")
		m.IVRank = 0.7
		b.feed.metrics = []market.Metrics{m}
		_, stop := b.start(nil)
		defer stop()
		ind := b.add(`{"kind":"indicator","symbol":"SPY","interval":"1m","indicator":{"name":"SMA","params":[5]},"op":"cross_up","value":105}`)
		iv := b.add(`{"kind":"volatility","symbol":"SPY","op":"above","value":0.6}`)
		require.Equal(t, []string{"alert/" + iv + "/1"}, b.inbox.keys())
		settle(200) // SMA(5) passes 105 with the third bar of 110, which ends after three minutes
		require.Equal(t, []string{"alert/" + iv + "/1", "alert/" + ind + "/1"}, b.inbox.keys())
		assert.Less(t, b.inbox.got[1].Time.Sub(now), 3*time.Minute+time.Second)
	})
}

// partly is a stream that has no futures.
type partly struct{ *fake }

func (p partly) StreamQuotes(ctx context.Context, symbols ...market.Symbol) (market.QuoteStream, error) {
	if slices.Contains(symbols, "/ESZ6") {
		return nil, &market.MissingError{Symbols: []market.Symbol{"/ESZ6"}, Err: market.ErrUnsupported}
	}
	return p.fake.StreamQuotes(ctx, symbols...)
}

func TestWhatTheStreamCannotCarryIsPolled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		e, stop := b.start(func(o *monitor.Options, _ *monitor.Member) { o.Stream = partly{b.feed} })
		defer stop()
		future := b.add(`{"kind":"price","symbol":"/ESZ6","op":"above","value":100}`)
		share := b.add(`{"kind":"price","symbol":"SPY","op":"above","value":100}`)
		settle(1)
		require.Equal(t, map[market.Symbol]bool{"SPY": true}, b.feed.streams[0].symbols)
		require.True(t, e.Status().Streaming)
		b.feed.push("/ESZ6", 101)
		settle(6)
		require.Equal(t, []string{"alert/" + future + "/1"}, b.inbox.keys())
		b.feed.push("SPY", 101)
		settle(1)
		require.Equal(t, []string{"alert/" + future + "/1", "alert/" + share + "/1"}, b.inbox.keys())
	})
}

func TestEveryKindOfInstrumentIsTakenFromTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, stop := b.start(func(o *monitor.Options, _ *monitor.Member) { o.Poll = time.Hour })
		defer stop()
		want, keys := map[market.Symbol]bool{}, []string{}
		for _, symbol := range []market.Symbol{"SPY", "SPY   261218C00500000", "/ESZ6", "./ESZ6 ESZ6  261218P6000", "BTC/USD"} {
			want[symbol] = true
			keys = append(keys, "alert/"+b.add(fmt.Sprintf(`{"kind":"price","symbol":%q,"op":"above","value":100}`, symbol))+"/1")
		}
		settle(1)
		require.Equal(t, want, b.feed.streams[0].symbols)
		for symbol := range want {
			b.feed.push(symbol, 101)
		}
		settle(1) // long before a poll
		require.ElementsMatch(t, keys, b.inbox.keys())
	})
}
