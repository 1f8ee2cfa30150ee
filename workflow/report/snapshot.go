package report

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/storage"
)

// A Snapshot is an account at one moment, as it is kept to be compared with later.
type Snapshot struct {
	Account     broker.AccountID   `json:"account"`
	Environment broker.Environment `json:"environment"`
	Time        time.Time          `json:"time"`
	Currency    string             `json:"currency,omitempty"`
	// Cash is the account's cash, nil when the broker does not say.
	Cash *decimal.Decimal `json:"cash"`
	// NetLiquidating is what the broker says the account is worth; reports count it
	// themselves from cash and marks and say when the two differ.
	NetLiquidating *decimal.Decimal `json:"net_liquidating"`
	Held           []Holding        `json:"held"`
	// Seen are the ids of the transactions of the hour before, which are in Cash.
	Seen []string `json:"seen,omitempty"`
	// Ends names the report whose period it ended, as "daily 2026-03-03": the next one
	// of that kind begins there.
	Ends string `json:"ends,omitempty"`
}

// A Holding is a position in a Snapshot. Greeks are those of the whole position,
// short ones with their sign, in the units of broker.Greeks; unknown is null.
type Holding struct {
	Symbol     market.Symbol         `json:"symbol"`
	Underlying market.Symbol         `json:"underlying"`
	Kind       market.InstrumentKind `json:"kind"`
	Quantity   decimal.Decimal       `json:"quantity"` // short is negative
	Multiplier decimal.Decimal       `json:"multiplier"`
	Mark       *decimal.Decimal      `json:"mark"`    // per unit; nil: no quote
	Average    *decimal.Decimal      `json:"average"` // opening price per unit; nil: unknown
	Spot       market.Float          `json:"spot"`    // the underlying's price
	Vol        market.Float          `json:"vol"`     // implied by the mark, decimal per year
	Delta      market.Float          `json:"delta"`   // shares
	Gamma      market.Float          `json:"gamma"`   // shares per dollar
	Theta      market.Float          `json:"theta"`   // dollars per calendar day
	Vega       market.Float          `json:"vega"`    // dollars per point of volatility
	Expires    market.Date           `json:"expires,omitzero"`
	// Shares say which strategies the position belongs to; they add up to it.
	Shares []Share `json:"shares,omitempty"`
}

// A Share is a strategy's part of a position.
type Share struct {
	Strategy string          `json:"strategy"` // empty: of no strategy
	Quantity decimal.Decimal `json:"quantity"`
	// Cost is what it was opened for, quantity × price × multiplier, negative for
	// short ones; nil when the opening price is unknown.
	Cost *decimal.Decimal `json:"cost"`
}

// future tells whether cash changes by the profit alone.
func (h *Holding) future() bool {
	return h.Kind == market.KindFuture
}

// worth is what the holding adds to the account's value: its market value, and of a
// future its open profit; nil when it is not known.
func (h *Holding) worth() *decimal.Decimal {
	if h.Quantity.IsZero() {
		return &decimal.Zero
	}
	if h.Mark == nil {
		return nil
	}
	if h.future() {
		return h.open()
	}
	v := h.Quantity.Mul(h.Multiplier).Mul(*h.Mark)
	return &v
}

// open is the unrealised profit; nil when it is not known.
func (h *Holding) open() *decimal.Decimal {
	if h.Quantity.IsZero() {
		return &decimal.Zero
	}
	if h.Mark == nil || h.Average == nil {
		return nil
	}
	v := h.Mark.Sub(*h.Average).Mul(h.Quantity).Mul(h.Multiplier)
	return &v
}

// Value is what the account is worth: cash and positions at their marks. It is nil
// when cash or a mark is unknown; Missing names the symbols.
func (s *Snapshot) Value() (value *decimal.Decimal, missing []market.Symbol) {
	sum := decimal.Zero
	for i := range s.Held {
		if w := s.Held[i].worth(); w != nil {
			sum = sum.Add(*w)
		} else {
			missing = append(missing, s.Held[i].Symbol)
		}
	}
	if s.Cash == nil || len(missing) > 0 {
		return nil, missing
	}
	sum = sum.Add(*s.Cash)
	return &sum, nil
}

func (s *Snapshot) find(symbol market.Symbol) *Holding {
	for i := range s.Held {
		if s.Held[i].Symbol == symbol {
			return &s.Held[i]
		}
	}
	return nil
}

// Greeks are the sums over holdings in one underlying, or of one strategy; null
// when a part is unknown.
type Greeks struct {
	Delta market.Float `json:"delta"` // shares of the underlying
	// DeltaDollars is delta × the underlying's price: what a change of all prices by
	// 100 % would be worth, comparable across underlyings.
	DeltaDollars market.Float `json:"delta_dollars"`
	Gamma        market.Float `json:"gamma"` // shares per dollar
	Theta        market.Float `json:"theta"` // dollars per calendar day
	Vega         market.Float `json:"vega"`  // dollars per point of volatility
}

func (g *Greeks) add(h *Holding, part float64) {
	if part == 0 {
		return
	}
	g.Delta += h.Delta * market.Float(part)
	g.DeltaDollars += h.Delta * h.Spot * market.Float(part)
	g.Gamma += h.Gamma * market.Float(part)
	g.Theta += h.Theta * market.Float(part)
	g.Vega += h.Vega * market.Float(part)
}

func unknown() market.Float { return market.Float(math.NaN()) }

// hold is a position with its Greeks.
func (r *Reporter) hold(p broker.Position, spot float64, at time.Time) Holding {
	h := Holding{
		Symbol: p.Symbol, Underlying: p.Underlying, Kind: p.Kind, Quantity: p.Quantity, Multiplier: p.Multiplier, Mark: p.Mark,
		Average: p.AverageOpenPrice, Spot: market.Float(spot), Vol: unknown(), Delta: unknown(), Gamma: unknown(), Theta: unknown(), Vega: unknown(),
	}
	if h.Underlying == "" {
		h.Underlying = underlying(p.Symbol)
	}
	size := p.Quantity.Mul(p.Multiplier).InexactFloat64()
	contract, isOption := p.Symbol.Contract()
	switch {
	case isOption && p.Kind != market.KindFutureOption:
		h.Expires = contract.Expiration
		if p.Mark != nil {
			r.value(&h, contract, size, p.Mark.InexactFloat64(), spot, at)
		}
	case p.Kind == market.KindEquity, p.Kind == market.KindCrypto, p.Kind == market.KindFuture:
		// What is held itself moves with itself: its mark is its spot.
		if p.Mark != nil {
			h.Spot = market.Float(p.Mark.InexactFloat64())
		}
		h.Delta, h.Gamma, h.Theta, h.Vega = market.Float(size), 0, 0, 0
	}
	return h
}

// value computes an option's volatility and Greeks from its mark: by the American
// model for American options, by Black-Scholes-Merton for European ones.
func (r *Reporter) value(h *Holding, c market.Contract, size, mark, spot float64, at time.Time) {
	if !(spot > 0) || !(mark >= 0) {
		return
	}
	style, settlement, _ := c.Terms()
	years := options.YearsToExpiry(at, options.ExpiryTime(c.Expiration, settlement, market.CboeOptions()))
	if !(years > 0) {
		return
	}
	model := options.BSM{Spot: spot, Strike: c.Strike, Years: years, Rate: r.o.Rate, Yield: r.o.yield(h.Underlying)}
	var delta, gamma, theta, vega, vol float64
	var err error
	if style == market.European {
		if vol, err = model.ImpliedVol(c.Kind, mark); err == nil && vol > 0 {
			model.Vol = vol
			g := model.Greeks(c.Kind)
			delta, gamma, theta, vega = g.Delta, g.Gamma, g.Theta, g.Vega
		}
	} else if vol, err = model.AmericanImpliedVol(c.Kind, mark, options.Accuracy1e6); err == nil && vol > 0 {
		model.Vol = vol
		g := model.AmericanGreeks(c.Kind, options.Accuracy1e6)
		delta, gamma, theta, vega = g.Delta, g.Gamma, g.Theta, g.Vega
	}
	if err != nil || !(vol > 0) {
		// Worth what exercising brings, or less: it moves like the shares, and no
		// volatility tells its price.
		if exercise := float64(c.Kind) * (spot - c.Strike); exercise > 0 && mark <= exercise+0.01 {
			h.Delta, h.Gamma, h.Theta, h.Vega = market.Float(size*float64(c.Kind)), 0, 0, 0
		}
		return
	}
	h.Vol = market.Float(vol)
	h.Delta, h.Gamma = market.Float(size*delta), market.Float(size*gamma)
	h.Theta, h.Vega = market.Float(size*theta/365), market.Float(size*vega/100)
}

// underlying is what a symbol is on, as far as it tells.
func underlying(s market.Symbol) market.Symbol {
	if c, ok := s.Contract(); ok {
		return c.Underlying()
	}
	return s
}

func snapshots(records storage.Records) *storage.Collection[Snapshot] {
	return storage.NewCollection(records, storage.Kind[Snapshot]{
		Collection: "report-snapshots",
		ID: func(s *Snapshot) string {
			return string(s.Account) + "/" + s.Time.UTC().Format("2006-01-02T15:04:05.000000000Z")
		},
		Fields: func(s *Snapshot) []storage.Field {
			f := []storage.Field{storage.Text("account", string(s.Account)), storage.Time("time", s.Time)}
			if s.Ends != "" {
				f = append(f, storage.Text("ends", s.Ends))
			}
			return f
		},
	})
}

// Snapshot reads an account and keeps what it found. Positions in the same order
// as the broker's.
func (r *Reporter) Snapshot(ctx context.Context, account broker.AccountID) (*Snapshot, error) {
	before, err := r.newest(ctx, account, r.o.Clock.Now())
	if err != nil {
		return nil, err
	}
	s, _, err := r.take(ctx, account, before)
	if err != nil {
		return nil, err
	}
	_, err = r.snapshots.Put(ctx, *s)
	return s, err
}

// take reads an account, and what happened in it since the snapshot before, which
// may be nil.
func (r *Reporter) take(ctx context.Context, account broker.AccountID, before *Snapshot) (*Snapshot, []broker.Transaction, error) {
	balances, positions, now, err := r.consistent(ctx, account)
	if err != nil {
		return nil, nil, err
	}
	s := &Snapshot{
		Account: account, Environment: r.broker.Environment(), Time: now, Currency: balances.Currency, Cash: balances.Cash,
		NetLiquidating: balances.NetLiquidatingValue, Held: []Holding{},
	}
	spots, err := r.spots(ctx, positions)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range positions {
		if p.Quantity.IsZero() {
			continue
		}
		u := p.Underlying
		if u == "" {
			u = underlying(p.Symbol)
		}
		spot, ok := spots[u]
		if !ok {
			spot = math.NaN()
		}
		s.Held = append(s.Held, r.hold(p, spot, now))
	}
	from := now.Add(-seenFor)
	if before != nil && before.Time.Before(now) {
		from = before.Time.Add(-seenFor)
	}
	all, err := r.broker.Transactions(ctx, account, from, now.Add(time.Second))
	if err != nil && !errors.Is(err, broker.ErrUnsupported) {
		return nil, nil, err
	}
	var since []broker.Transaction
	for _, t := range all {
		if t.Time.After(now.Add(-seenFor)) && t.ID != "" {
			s.Seen = append(s.Seen, t.ID)
		}
		if before != nil && !slices.Contains(before.Seen, t.ID) && t.Time.After(before.Time.Add(-seenFor)) {
			since = append(since, t)
		}
	}
	strategies, err := r.strategies(ctx, account, since)
	if err != nil {
		return nil, nil, err
	}
	settle(before, s, since, strategies)
	return s, since, nil
}

// seenFor is how long before a snapshot transactions are remembered by id: brokers
// list them later than they happened.
const seenFor = time.Hour

// consistent reads balances and positions of one moment: again when something was
// traded between.
func (r *Reporter) consistent(ctx context.Context, account broker.AccountID) (*broker.Balances, []broker.Position, time.Time, error) {
	balances, err := r.broker.Balances(ctx, account)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	for range 4 {
		positions, err := r.broker.Positions(ctx, account)
		if err != nil {
			return nil, nil, time.Time{}, err
		}
		now := r.o.Clock.Now()
		after, err := r.broker.Balances(ctx, account)
		if err != nil {
			return nil, nil, time.Time{}, err
		}
		if same(balances.Cash, after.Cash) {
			return after, positions, now, nil
		}
		balances = after
	}
	return nil, nil, time.Time{}, errBusy
}

func same(a, b *decimal.Decimal) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// spots are the prices of the underlyings of options.
func (r *Reporter) spots(ctx context.Context, positions []broker.Position) (map[market.Symbol]float64, error) {
	out := map[market.Symbol]float64{}
	var ask []market.Symbol
	for _, p := range positions {
		u := p.Underlying
		if u == "" {
			u = underlying(p.Symbol)
		}
		if _, isOption := p.Symbol.Contract(); isOption && !slices.Contains(ask, u) {
			ask = append(ask, u)
		}
	}
	if len(ask) == 0 || r.market == nil {
		return out, nil
	}
	quotes, err := r.market.Quotes(ctx, ask)
	if err != nil && !partial(err) {
		return nil, err
	}
	for _, q := range quotes {
		if mid := q.Mid(); mid > 0 {
			out[q.Symbol] = mid
		}
	}
	return out, nil
}

// partial tells that an answer lacks something, and is an answer.
func partial(err error) bool {
	if _, ok := errors.AsType[*market.MissingError](err); ok {
		return true
	}
	return errors.Is(err, market.ErrUnsupported) || errors.Is(err, market.ErrNoData) || errors.Is(err, market.ErrUnknownSymbol)
}

// strategies tells which strategy's orders the transactions are of.
func (r *Reporter) strategies(ctx context.Context, account broker.AccountID, since []broker.Transaction) (map[broker.OrderID]string, error) {
	out := map[broker.OrderID]string{}
	var first time.Time
	for _, t := range since {
		if t.Order != "" {
			out[t.Order] = ""
			if first.IsZero() || t.Time.Before(first) {
				first = t.Time
			}
		}
	}
	if len(out) == 0 {
		return out, nil
	}
	// Orders rest for weeks before they fill: those that the list lacks are asked for
	// one by one.
	orders, err := r.broker.Orders(ctx, account, broker.OrdersQuery{Since: first.Add(-24 * time.Hour)})
	if err != nil && !errors.Is(err, broker.ErrUnsupported) {
		return nil, err
	}
	listed := map[broker.OrderID]bool{}
	for _, o := range orders {
		if _, ok := out[o.ID]; ok {
			out[o.ID], listed[o.ID] = r.o.Strategy(o), true
		}
	}
	for id := range out {
		if listed[id] {
			continue
		}
		o, err := r.broker.Order(ctx, account, id)
		if err != nil {
			if errors.Is(err, broker.ErrUnknownOrder) || errors.Is(err, broker.ErrUnsupported) {
				continue
			}
			return nil, err
		}
		out[id] = r.o.Strategy(*o)
	}
	return out, nil
}

// StrategyOfTag is the strategy that an order's tag names: what stands before the
// first underscore, as package strategy tags its orders. A tag without one names
// none.
func StrategyOfTag(tag string) string {
	name, _, ok := strings.Cut(tag, "_")
	if !ok {
		return ""
	}
	return name
}

// newest returns the newest snapshot at or before t; nil when there is none.
func (r *Reporter) newest(ctx context.Context, account broker.AccountID, t time.Time) (*Snapshot, error) {
	to := storage.Time("time", t.Add(time.Microsecond))
	return r.one(ctx, storage.RecordQuery{To: &to, Desc: true}, account)
}

// first returns the first snapshot in [from, to); nil when there is none.
func (r *Reporter) first(ctx context.Context, account broker.AccountID, from, to time.Time) (*Snapshot, error) {
	a, b := storage.Time("time", from), storage.Time("time", to)
	return r.one(ctx, storage.RecordQuery{From: &a, To: &b}, account)
}

func (r *Reporter) one(ctx context.Context, q storage.RecordQuery, account broker.AccountID) (*Snapshot, error) {
	q.Where = append(q.Where, storage.Text("account", string(account)))
	q.Order, q.Kind, q.Limit = "time", storage.NumberField, 1
	list, _, err := r.snapshots.List(ctx, q)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return &list[0].Value, nil
}

// Snapshots returns the snapshots of an account in [from, to), oldest first.
func (r *Reporter) Snapshots(ctx context.Context, account broker.AccountID, from, to time.Time) ([]Snapshot, error) {
	a, b := storage.Time("time", from), storage.Time("time", to)
	var out []Snapshot
	for s, err := range r.snapshots.All(ctx, storage.RecordQuery{
		Where: []storage.Field{storage.Text("account", string(account))}, Order: "time", Kind: storage.NumberField, From: &a, To: &b, Limit: 200,
	}) {
		if err != nil {
			return nil, err
		}
		out = append(out, s.Value)
	}
	return out, nil
}

// Prune forgets the snapshots of an account before t, but for the last of each day,
// and returns how many.
func (r *Reporter) Prune(ctx context.Context, account broker.AccountID, t time.Time) (int, error) {
	all, err := r.Snapshots(ctx, account, time.Unix(0, 0), t)
	if err != nil {
		return 0, err
	}
	n := 0
	for i := range all {
		day := market.DateOf(all[i].Time.In(market.NYSE().Location()))
		if i+1 < len(all) && market.DateOf(all[i+1].Time.In(market.NYSE().Location())) == day {
			if err := r.snapshots.Delete(ctx, string(account)+"/"+all[i].Time.UTC().Format("2006-01-02T15:04:05.000000000Z")); err != nil {
				return n, err
			}
			n++
		}
	}
	return n, nil
}
