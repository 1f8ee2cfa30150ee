package scaletest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/tasty"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/tastytrade"
	"github.com/ttai-go/ttai/workflow/monitor"
)

// A result is what an instance tells at the end.
type result struct {
	Tenants           []int // that it watched
	Rules             int
	Idle, Begin, End  usage
	Wall              time.Duration
	Ticks             int64
	Whole, Inside     []int64 // see meter
	Sockets           int64
	In, Out           int64 // bytes while it counted
	Fired, Delivered  uint64
	Left              int // firings not handed over in time
	Longest           time.Duration
	Behind            time.Duration // from the last quote until everything was handed over
	Checked, Wrong    int           // firings that witnesses counted; rules on which they differ
	Twice             int           // notices that came twice
	FirstDisagreement string
}

// An instance is a scheduler's part that watches: it takes tenants by locks in the
// store, and watches each with an engine and a quote token of its own, or all with
// one engine on one feed.
type member struct {
	setup
	meter    *meter
	store    storage.Store
	engines  []*monitor.Engine
	adapters []*tasty.Adapter
	idle     http.Client
	checks   map[int]*witnesses
}

func instance(s setup, in *json.Decoder, out *json.Encoder) (err error) {
	if s.Procs > 0 {
		runtime.GOMAXPROCS(s.Procs)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	clock, err := s.clock()
	if err != nil {
		return err
	}
	store, err := openStore(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	m := &member{setup: s, store: store, checks: map[int]*witnesses{},
		meter: &meter{clock: clock, factor: s.Factor, enough: make(chan struct{}), handling: make(chan struct{}, 16)}}
	m.idle.Transport = &http.Transport{DialContext: m.meter.dial, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Second}
	r := result{Idle: usageNow()}
	if r.Tenants, err = m.take(ctx); err != nil {
		return err
	}
	if err := m.build(clock, r.Tenants); err != nil {
		return err
	}
	var running sync.WaitGroup
	failed := make(chan error, len(m.engines))
	for _, e := range m.engines {
		running.Go(func() { failed <- e.Run(ctx) })
	}
	if err := m.until(5*time.Minute, func(s monitor.Status) bool { return s.Streaming && s.Quotes > 0 }); err != nil {
		return err
	}
	r.Rules = int(m.meter.rules.Load())
	runtime.GC()
	if err := out.Encode(r); err != nil {
		return err
	}
	if err := in.Decode(&struct{}{}); err != nil { // begin
		return err
	}
	r.Begin, r.In, r.Out = usageNow(), -m.meter.in.Load(), -m.meter.out.Load()
	began := time.Now()
	m.meter.on.Store(true)
	if err := in.Decode(&struct{}{}); err != nil { // end
		return err
	}
	m.meter.on.Store(false)
	r.End, r.Wall = usageNow(), time.Since(began)
	r.In, r.Out = r.In+m.meter.in.Load(), r.Out+m.meter.out.Load()
	close(m.meter.enough)
	drain := time.Now()
	// Waiting does not count the notice that is being handed over. What is left is told.
	_ = m.until(2*time.Minute, func(s monitor.Status) bool { return s.Waiting == 0 && s.Fired == s.Delivered })
	r.Behind = time.Since(drain)
	r.Ticks, r.Sockets = m.meter.ticks.Load(), m.meter.most.Load()
	r.Whole, r.Inside = m.meter.whole.list(), m.meter.inside.list()
	for _, e := range m.engines {
		status := e.Status()
		r.Fired, r.Delivered, r.Left = r.Fired+status.Fired, r.Delivered+status.Delivered, r.Left+status.Waiting
		r.Longest = max(r.Longest, status.Slowest)
	}
	cancel()
	running.Wait()
	close(failed)
	for e := range failed {
		err = errors.Join(err, e)
	}
	for _, a := range m.adapters {
		err = errors.Join(err, a.Close())
	}
	m.idle.CloseIdleConnections()
	err = errors.Join(err, m.check(context.Background(), &r))
	return errors.Join(err, out.Encode(r))
}

// until waits until all engines are so.
func (m *member) until(most time.Duration, so func(monitor.Status) bool) error {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var not *monitor.Engine
		for _, e := range m.engines {
			if !so(e.Status()) {
				not = e
				break
			}
		}
		if not == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("after %v an engine is at %+v", most, not.Status())
		}
	}
}

// take takes the locks of as many tenants as this instance may have.
func (m *member) take(ctx context.Context) ([]int, error) {
	house, err := m.store.For(storage.Local)
	if err != nil {
		return nil, err
	}
	locks, err := house.Locks()
	if err != nil {
		return nil, err
	}
	var mine []int
	for i := range m.Tenants {
		if len(mine) == m.Quota {
			break
		}
		_, err := locks.Acquire(ctx, fmt.Sprint("watch/", tenantName(i)), 20*time.Minute)
		switch {
		case errors.Is(err, storage.ErrHeld):
		case err != nil:
			return nil, err
		default:
			mine = append(mine, i)
		}
	}
	return mine, nil
}

// build makes the engines.
func (m *member) build(clock *market.ScaledClock, tenants []int) error {
	w := newWalk(clock, m.Shares, m.marketPeriod())
	scaled := func(d time.Duration) time.Duration { return time.Duration(float64(d) * m.Factor) }
	engine := func(source market.Source, stream market.Streamer, rules int, check *witnesses) (*monitor.Engine, error) {
		var e *monitor.Engine
		var counted sync.Once
		ready := func() bool {
			n := e.Status().Rules
			if n < rules {
				return false
			}
			counted.Do(func() { m.meter.rules.Add(int64(n)) })
			return true
		}
		// What a scheduler does now and then it does as often by the computer's time
		// as it would in a market that does not run fast.
		e, err := monitor.New(&monitor.Options{
			Market: source, Stream: &gated{Streamer: stream, m: m.meter, ready: ready, witness: check}, Clock: clock,
			Poll: scaled(5 * time.Second), NewsPoll: scaled(time.Minute), Metrics: scaled(5 * time.Minute), Positions: scaled(time.Minute),
			Resync: scaled(15 * time.Second), Checkpoint: scaled(10 * time.Second), Core: monitor.CoreOptions{Refresh: scaled(5 * time.Second)},
		})
		if err == nil {
			m.engines = append(m.engines, e)
		}
		return e, err
	}
	feed := func(i int) (market.Source, market.Streamer, error) {
		if m.Paced {
			return w, &maker{w: w}, nil
		}
		a, err := m.adapter(clock, m.Accounts[i])
		return a, a, err
	}
	for _, i := range tenants[:min(m.Sample, len(tenants))] {
		m.checks[i] = newWitnesses(i, m.Shares)
	}
	var shared *monitor.Engine
	if m.Shared {
		source, stream, err := feed(tenants[0])
		if err != nil {
			return err
		}
		all := &witnesses{all: map[market.Symbol][]*witness{}}
		for _, one := range m.checks {
			for s, list := range one.all {
				all.all[s] = append(all.all[s], list...)
			}
		}
		if shared, err = engine(source, stream, len(tenants)*perTenant, all); err != nil {
			return err
		}
	}
	for _, i := range tenants {
		e := shared
		if e == nil {
			source, stream, err := feed(i)
			if err != nil {
				return err
			}
			if e, err = engine(source, stream, perTenant, m.checks[i]); err != nil {
				return err
			}
		}
		tenant, err := m.store.For(tenantName(i))
		if err != nil {
			return err
		}
		var reader broker.Reader = accountOf(i, m.Shares)
		if err := e.AddTenant(monitor.Member{ID: tenantName(i), Store: tenant, Broker: reader}); err != nil {
			return err
		}
	}
	return nil
}

// adapter is one customer's way to the exchange.
func (m *member) adapter(clock market.Clock, k simulator.Credentials) (*tasty.Adapter, error) {
	tokens, err := tastytrade.RefreshTokenSource(tastytrade.OAuthConfig{
		BaseURL: m.Address, ClientID: k.ClientID, ClientSecret: k.ClientSecret, RefreshToken: k.RefreshToken, HTTPClient: &m.idle})
	if err != nil {
		return nil, err
	}
	client, err := tastytrade.NewClient(tokens, &tastytrade.ClientOptions{BaseURL: m.Address, HTTPClient: &m.idle, Limiter: tastytrade.NoLimit(), Timeout: time.Minute})
	if err != nil {
		return nil, err
	}
	a, err := tasty.New(client, &tasty.Options{Environment: broker.Simulator, Clock: clock, Timeout: time.Minute})
	if err == nil {
		m.adapters = append(m.adapters, a)
	}
	return a, err
}

// check compares what the sampled tenants were told with what the witnesses counted.
func (m *member) check(ctx context.Context, r *result) error {
	for i, w := range m.checks {
		tenant, err := m.store.For(tenantName(i))
		if err != nil {
			return err
		}
		queue, err := tenant.Queue(monitor.QueueName, nil)
		if err != nil {
			return err
		}
		known := map[string]bool{}
		for _, list := range w.all {
			for _, one := range list {
				known[one.id] = true
			}
		}
		told, keys := map[string]int{}, []string{}
		for {
			messages, err := queue.Receive(ctx, 100, time.Millisecond)
			if err != nil {
				return err
			}
			if len(messages) == 0 {
				break
			}
			for _, message := range messages {
				keys = append(keys, message.Key)
				parts := strings.Split(message.Key, "/") // alert/RULE/N
				if len(parts) != 3 {
					return fmt.Errorf("key %q", message.Key)
				}
				if known[parts[1]] {
					told[parts[1]]++
				}
			}
		}
		slices.Sort(keys)
		r.Twice += len(keys) - len(slices.Compact(keys))
		want := w.counts()
		for id := range known {
			r.Checked += want[id]
			if want[id] != told[id] {
				r.Wrong++
				r.FirstDisagreement = fmt.Sprintf("%s %s: the witness counted %d, told were %d", tenantName(i), id, want[id], told[id])
			}
		}
	}
	return nil
}
