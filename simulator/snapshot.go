package simulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// snapshotVersion is the form of a snapshot.
const snapshotVersion = 1

// A snapshot is everything that a simulator has become. Credentials and tokens are
// not in it.
type snapshot struct {
	Version   int                           `json:"version"`
	Now       time.Time                     `json:"now"`
	Seed      uint64                        `json:"seed"`
	Engine    json.RawMessage               `json:"engine,omitempty"` // absent when no account was looked at yet
	LastID    int64                         `json:"last-id"`
	Orders    []*orderRecord                `json:"orders"`
	Complex   []*complexRecord              `json:"complex-orders"`
	Customers []snapshotCustomer            `json:"customers"`
	Faults    []FaultRule                   `json:"faults"`
	Quotes    []snapshotQuote               `json:"quotes"`
	Told      map[market.Symbol]market.Date `json:"told,omitempty"` // until when dividends are known
	Gains     []snapshotGain                `json:"gains"`
	Statuses  map[string]string             `json:"statuses,omitempty"`
}

type snapshotCustomer struct {
	ID         string          `json:"id"`
	Accounts   []string        `json:"accounts"`
	Revoked    bool            `json:"revoked,omitempty"`
	Watchlists []wireWatchlist `json:"watchlists"`
	Alerts     []wireAlert     `json:"alerts"`
	AlertsMade int             `json:"alerts-made"`
	Backtests  []wireBacktest  `json:"backtests"`
}

// A snapshotQuote is a quote that was set by hand. NaN stands as null.
type snapshotQuote struct {
	Symbol  market.Symbol  `json:"symbol"`
	Since   time.Time      `json:"since"`
	Time    time.Time      `json:"time"`
	Halted  bool           `json:"halted,omitempty"`
	Numbers []market.Float `json:"numbers"` // in the order of quoteNumbers
}

type snapshotGain struct {
	Account     string `json:"account"`
	Symbol      string `json:"symbol"`
	Year        int    `json:"year"`
	Fees        string `json:"fees"`
	Commissions string `json:"commissions"`
	Cash        string `json:"cash"`
}

func quoteNumbers(q *market.Quote) [10]*float64 {
	return [...]*float64{&q.Bid, &q.Ask, &q.Last, &q.BidSize, &q.AskSize, &q.Open, &q.High, &q.Low, &q.PrevClose, &q.Volume}
}

// Snapshot returns everything that the simulator has become, as JSON: accounts,
// orders, transactions, watchlists, alerts, finished backtests, faults, quotes set
// by hand, and the time. A simulator that was made with the same options continues
// from it with [Simulator.Restore]. Credentials and tokens are not in it; the
// market is made anew from its seed.
func (s *Simulator) Snapshot() ([]byte, error) {
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	now := s.clock.Now()
	s.beatTo(s.ctx, now)
	t := &s.trade
	snap := snapshot{Version: snapshotVersion, Now: s.heart.at, Seed: s.seed, LastID: t.lastID, Faults: s.Faults(), Statuses: t.gains.statuses, Told: t.told}
	if t.exchange != nil {
		engine, err := t.exchange.Snapshot()
		if err != nil {
			return nil, fmt.Errorf("simulator: %w", err)
		}
		snap.Engine = engine
	}
	for _, id := range slices.Sorted(maps.Keys(t.orders)) {
		snap.Orders = append(snap.Orders, t.orders[id])
	}
	for _, id := range slices.Sorted(maps.Keys(t.complex)) {
		snap.Complex = append(snap.Complex, t.complex[id])
	}
	for _, c := range s.customers {
		snap.Customers = append(snap.Customers, c.snapshot())
	}
	s.market.mu.RLock()
	for _, symbol := range slices.Sorted(maps.Keys(s.market.quotes)) {
		set := s.market.quotes[symbol]
		one := snapshotQuote{Symbol: symbol, Since: set.since, Time: set.quote.Time, Halted: set.quote.Halted}
		for _, x := range quoteNumbers(&set.quote) {
			one.Numbers = append(one.Numbers, market.Float(*x))
		}
		snap.Quotes = append(snap.Quotes, one)
	}
	s.market.mu.RUnlock()
	for key, g := range t.gains.years {
		snap.Gains = append(snap.Gains, snapshotGain{key.account, key.symbol, key.year, g.fees.String(), g.commissions.String(), g.cash.String()})
	}
	slices.SortFunc(snap.Gains, func(a, b snapshotGain) int { return compareGains(a, b) })
	return json.Marshal(snap)
}

func compareGains(a, b snapshotGain) int {
	for _, pair := range [...][2]string{{a.Account, b.Account}, {a.Symbol, b.Symbol}} {
		if pair[0] != pair[1] {
			if pair[0] < pair[1] {
				return -1
			}
			return 1
		}
	}
	return a.Year - b.Year
}

func (c *customer) snapshot() snapshotCustomer {
	out := snapshotCustomer{ID: c.id, Accounts: c.credentials.Accounts, Revoked: c.revoked()}
	c.lists.mu.Lock()
	out.Watchlists, out.Alerts, out.AlertsMade = slices.Clone(c.lists.watchlists), slices.Clone(c.lists.alerts), c.lists.made
	c.lists.mu.Unlock()
	c.backtests.mu.Lock()
	defer c.backtests.mu.Unlock()
	for _, b := range c.backtests.tests {
		if w := b.shown(); w.Status == "completed" {
			out.Backtests = append(out.Backtests, w)
		}
	}
	return out
}

// Restore puts the simulator where Snapshot was taken, the clock included. The
// customers and accounts must be those of the simulator that wrote it, and its
// clock one that can be set: a [Clock] or a *market.ManualClock. Websockets stay
// open and are told nothing: like after a lost connection, a client has to read
// anew. On an error nothing has changed.
func (s *Simulator) Restore(data []byte) error {
	var snap snapshot
	if err := json.Unmarshal(data, &snap); err != nil {
		return fmt.Errorf("simulator: reading the snapshot: %w", err)
	}
	set, err := s.setter()
	if err != nil {
		return err
	}
	if err := s.suits(&snap); err != nil {
		return err
	}
	restored := trade{sim: s, lastID: snap.LastID}
	restored.init()
	maps.Copy(restored.told, snap.Told)
	for _, o := range snap.Orders {
		restored.orders[o.Wire.ID] = o
		if !o.ended() {
			restored.working[o.Wire.ID] = struct{}{}
		}
		if o.Engine != "" {
			restored.byEngine[o.Engine] = o.Wire.ID
		}
	}
	for _, c := range snap.Complex {
		restored.complex[c.ID] = c
	}
	if err := restored.gains.restore(&snap); err != nil {
		return err
	}
	var exchange *paper.Exchange
	if snap.Engine != nil {
		if exchange, err = paper.Restore(snap.Engine, s.engineOptions()); err != nil {
			return fmt.Errorf("simulator: %w", err)
		}
	}
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	if err := s.faults.set(snap.Faults); err != nil {
		return err
	}
	set(snap.Now)
	s.heart.at = snap.Now
	t := &s.trade
	t.lastID, t.orders, t.complex, t.byEngine, t.working, t.gains = restored.lastID, restored.orders, restored.complex, restored.byEngine, restored.working, restored.gains
	t.told = restored.told
	t.take()
	t.exchange, t.broker = nil, nil
	if exchange != nil {
		t.use(exchange)
	}
	for i := range snap.Customers {
		s.customers[i].restore(&snap.Customers[i])
	}
	s.restoreQuotes(snap.Quotes)
	s.facts.forget()
	s.live()
	return nil
}

// suits checks that a snapshot is of a simulator like this one.
func (s *Simulator) suits(snap *snapshot) error {
	if snap.Version != snapshotVersion {
		return invalid.Field("version", snap.Version, fmt.Sprintf("%d", snapshotVersion))
	}
	if snap.Seed != s.seed {
		return invalid.Field("seed", snap.Seed, fmt.Sprintf("%d, the seed of this simulator", s.seed))
	}
	if len(snap.Customers) != len(s.customers) {
		return invalid.Field("customers", len(snap.Customers), fmt.Sprintf("%d customers, as this simulator has", len(s.customers)))
	}
	for i, c := range snap.Customers {
		if c.ID != s.customers[i].id || !slices.Equal(c.Accounts, s.customers[i].credentials.Accounts) {
			return invalid.Field("customers", c.ID, "the customers and accounts of this simulator")
		}
	}
	for _, o := range snap.Orders {
		if o == nil {
			return invalid.Field("orders", nil, "orders")
		}
	}
	for _, c := range snap.Complex {
		if c == nil {
			return invalid.Field("complex-orders", nil, "complex orders")
		}
		for _, id := range append(c.members(), c.Related...) {
			if !slices.ContainsFunc(snap.Orders, func(o *orderRecord) bool { return o.Wire.ID == id }) {
				return invalid.Field("complex-orders", c.ID, "complex orders whose orders are in the snapshot")
			}
		}
	}
	return nil
}

func (c *customer) restore(from *snapshotCustomer) {
	c.grant.mu.Lock()
	c.grant.revoked = from.Revoked
	c.grant.mu.Unlock()
	c.lists.mu.Lock()
	c.lists.watchlists, c.lists.alerts, c.lists.made = from.Watchlists, from.Alerts, from.AlertsMade
	c.lists.mu.Unlock()
	c.backtests.mu.Lock()
	defer c.backtests.mu.Unlock()
	c.backtests.tests = nil
	for _, w := range from.Backtests {
		c.backtests.tests = append(c.backtests.tests, &backtest{wire: w})
	}
}

func (s *Simulator) restoreQuotes(list []snapshotQuote) {
	o := s.market
	o.mu.Lock()
	defer o.mu.Unlock()
	o.quotes = map[market.Symbol]setQuote{}
	o.version++
	for _, one := range list {
		q := market.NewQuote(one.Symbol)
		q.Time, q.Halted = one.Time, one.Halted
		numbers := quoteNumbers(&q)
		for i := range min(len(numbers), len(one.Numbers)) {
			*numbers[i] = float64(one.Numbers[i])
		}
		o.quotes[one.Symbol] = setQuote{q, one.Since}
	}
}

// init makes the maps.
func (t *trade) init() {
	t.orders, t.byEngine = map[int64]*orderRecord{}, map[broker.OrderID]int64{}
	t.told = map[market.Symbol]market.Date{}
	t.complex, t.working = map[int64]*complexRecord{}, map[int64]struct{}{}
}
