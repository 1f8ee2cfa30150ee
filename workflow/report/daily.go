package report

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A Daily is the profit and loss of one account on one day: from where the report of
// the session before ended, which is soon after its close, to the moment of this one.
type Daily struct {
	Date        market.Date        `json:"date"` // of the session
	Time        time.Time          `json:"time"`
	Account     broker.AccountID   `json:"account"`
	Environment broker.Environment `json:"environment"`
	Currency    string             `json:"currency,omitempty"`
	// NetLiquidating is cash and positions at their marks now; nil when unknown.
	// BrokerValue is what the broker says.
	NetLiquidating *decimal.Decimal `json:"net_liquidating"`
	BrokerValue    *decimal.Decimal `json:"broker_value"`
	Cash           *decimal.Decimal `json:"cash"`
	// Change is nil when there is no earlier snapshot to compare with.
	Change *Change `json:"change"`
	// Greeks are of the whole account; deltas and gammas of different underlyings are
	// not added, hence DeltaDollars, Theta and Vega only.
	Greeks Greeks `json:"greeks"`
	// Exposures are the Greeks of what is held in each underlying, and Strategies those
	// of each strategy, whose deltas are in dollars only.
	Exposures  []Exposure `json:"exposures"`
	Strategies []Exposure `json:"strategies"`
	Positions  []Holding  `json:"positions"`
	// History is the account's value at the end of earlier days, oldest first.
	History []Point  `json:"history,omitempty"`
	Notes   []string `json:"notes,omitempty"` // what is unknown, and why
}

// An Exposure is what a part of the account stands to gain and lose.
type Exposure struct {
	Name string `json:"name"` // of the underlying or the strategy; empty: of no strategy
	// Value is that of the positions at their marks; nil when one is unknown.
	Value  *decimal.Decimal `json:"value"`
	Greeks Greeks           `json:"greeks"`
}

// exposures divides what is held by underlying and by strategy.
func exposures(s *Snapshot) (byUnderlying, byStrategy []Exposure) {
	underlyings, strategies := map[string]*Exposure{}, map[string]*Exposure{}
	get := func(m map[string]*Exposure, name string) *Exposure {
		if m[name] == nil {
			m[name] = &Exposure{Name: name, Value: &decimal.Decimal{}}
		}
		return m[name]
	}
	for i := range s.Held {
		h := &s.Held[i]
		u := get(underlyings, string(h.Underlying))
		u.Value = sum(u.Value, h.worth())
		u.Greeks.add(h, 1)
		for _, share := range h.shares() {
			e := get(strategies, share.Strategy)
			part := share.Quantity.Div(h.Quantity)
			if w := h.worth(); w == nil {
				e.Value = nil
			} else {
				e.Value = sum(e.Value, of(w.Mul(part)))
			}
			e.Greeks.add(h, part.InexactFloat64())
		}
	}
	for _, name := range sorted(underlyings) {
		byUnderlying = append(byUnderlying, *underlyings[name])
	}
	for _, name := range sorted(strategies) {
		e := *strategies[name]
		e.Greeks.Delta, e.Greeks.Gamma = unknown(), unknown()
		byStrategy = append(byStrategy, e)
	}
	return byUnderlying, byStrategy
}

// A Point is an account's value at a time; null when it is unknown.
type Point struct {
	Time  time.Time        `json:"time"`
	Value *decimal.Decimal `json:"value"`
	// Profit is the change since the point before without transfers; nil for the first
	// and when unknown.
	Profit *decimal.Decimal `json:"profit"`
}

// Daily takes a snapshot of an account, keeps it, and compares it with that of the
// close before.
func (r *Reporter) Daily(ctx context.Context, account broker.AccountID) (*Daily, error) {
	if r.broker == nil {
		return nil, errNoDesk
	}
	started := r.o.Clock.Now()
	session := r.session(started)
	last := r.before(session)
	base, err := r.base(ctx, account, endsDaily, last, session.Open)
	if err != nil {
		return nil, err
	}
	now, change, err := r.since(ctx, account, base, endsDaily+" "+session.Date.String())
	if err != nil {
		return nil, err
	}
	d := &Daily{
		Date: session.Date, Time: now.Time, Account: account, Environment: now.Environment, Currency: now.Currency, Cash: now.Cash,
		BrokerValue: now.NetLiquidating, Positions: now.Held, Change: change,
	}
	var missing []market.Symbol
	d.NetLiquidating, missing = now.Value()
	for i := range now.Held {
		d.Greeks.add(&now.Held[i], 1)
	}
	d.Greeks.Delta, d.Greeks.Gamma = unknown(), unknown() // of different underlyings
	d.Exposures, d.Strategies = exposures(now)
	if d.History, err = r.history(ctx, account, now, 30); err != nil {
		return nil, err
	}
	d.Notes = notes(now, change, missing, last.Close, session.Open)
	return d, nil
}

// since takes a snapshot that ends a period, keeps it, and compares it with base; the
// change is nil without one.
func (r *Reporter) since(ctx context.Context, account broker.AccountID, base *Snapshot, ends string) (*Snapshot, *Change, error) {
	// Strategies' shares are carried from snapshot to snapshot, so the newest one is
	// where they are carried from, whatever is compared with.
	newest, err := r.newest(ctx, account, r.o.Clock.Now())
	if err != nil {
		return nil, nil, err
	}
	now, _, err := r.take(ctx, account, newest)
	if err != nil {
		return nil, nil, err
	}
	now.Ends = ends
	if _, err := r.snapshots.Put(ctx, *now); err != nil {
		return nil, nil, err
	}
	if base == nil {
		return now, nil, nil
	}
	change, err := r.compare(ctx, base, now)
	return now, change, err
}

// compare is [Compare] with what the broker says happened between.
func (r *Reporter) compare(ctx context.Context, a, b *Snapshot) (*Change, error) {
	since, err := r.between(ctx, a, b)
	if err != nil {
		return nil, err
	}
	strategies, err := r.strategies(ctx, a.Account, since)
	if err != nil {
		return nil, err
	}
	return Compare(a, b, since, strategies), nil
}

// between returns the transactions that are in the later snapshot and not in the
// earlier.
func (r *Reporter) between(ctx context.Context, a, b *Snapshot) ([]broker.Transaction, error) {
	all, err := r.broker.Transactions(ctx, a.Account, a.Time.Add(-seenFor), b.Time.Add(time.Second))
	if err != nil {
		return nil, err
	}
	in := func(s *Snapshot, t broker.Transaction) bool {
		if !t.Time.After(s.Time.Add(-seenFor)) {
			return true
		}
		for _, id := range s.Seen {
			if id == t.ID {
				return true
			}
		}
		return false
	}
	var out []broker.Transaction
	for _, t := range all {
		if in(b, t) && !in(a, t) {
			out = append(out, t)
		}
	}
	return out, nil
}

// history is the account's value at the end of each of the last days, now included.
func (r *Reporter) history(ctx context.Context, account broker.AccountID, now *Snapshot, days int) ([]Point, error) {
	all, err := r.Snapshots(ctx, account, now.Time.AddDate(0, 0, -days), now.Time)
	if err != nil {
		return nil, err
	}
	all = append(all, *now)
	ends := r.ends(all)
	if len(ends) < 2 {
		return nil, nil
	}
	return r.points(ctx, ends)
}

// ends are the last snapshot of each session's day, in order. What was taken before
// a session opened belongs to the day before.
func (r *Reporter) ends(all []Snapshot) []Snapshot {
	var out []Snapshot
	var last market.Date
	for _, s := range all {
		day := r.session(s.Time).Date
		if len(out) > 0 && day == last {
			out[len(out)-1] = s
		} else {
			out, last = append(out, s), day
		}
	}
	return out
}

func (r *Reporter) points(ctx context.Context, ends []Snapshot) ([]Point, error) {
	var out []Point
	for i := range ends {
		p := Point{Time: ends[i].Time}
		p.Value, _ = ends[i].Value()
		if i > 0 {
			since, err := r.between(ctx, &ends[i-1], &ends[i])
			if err != nil {
				return nil, err
			}
			p.Profit = minus(p.Value, out[i-1].Value)
			for _, t := range since {
				if t.Kind == broker.Transfer {
					p.Profit = minus(p.Profit, of(t.Amount))
				}
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// notes say what is not known.
func notes(now *Snapshot, c *Change, missing []market.Symbol, closed, opens time.Time) []string {
	var out []string
	say := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if c == nil {
		say("There is no earlier snapshot of this account, so its change is not known. From the next report on it is.")
	} else {
		if c.From.Before(closed) || !c.From.Before(opens) {
			say("There is no snapshot of the close before; the change is counted since %s.", c.From.In(market.NYSE().Location()).Format("Mon 2006-01-02 15:04 MST"))
		}
		if c.Total == nil {
			say("The profit is not known: cash or a mark is missing.")
		}
		if len(c.Unpriced) > 0 {
			say("No price at one end of the period: %s. What they are part of is not known.", join(c.Unpriced))
		}
		if len(c.Unmeasured) > 0 {
			say("No Greeks: %s. Their change is in Unexplained.", join(c.Unmeasured))
		}
		if !c.Unbooked.IsZero() {
			say("Cash changed by %s more than the broker's list of transactions explains.", c.Unbooked.StringFixed(2))
		}
	}
	if len(missing) > 0 {
		say("No price now: %s. The account's value is not known.", join(missing))
	}
	if now.Cash == nil {
		say("The broker does not say the account's cash.")
	}
	if v, _ := now.Value(); v != nil && now.NetLiquidating != nil && !v.Round(2).Equal(now.NetLiquidating.Round(2)) {
		say("The broker values the account at %s, by other marks or with money that is under way.", now.NetLiquidating.StringFixed(2))
	}
	return out
}

func join(symbols []market.Symbol) string {
	text := ""
	for i, s := range symbols {
		if i == 12 {
			return text + fmt.Sprintf(" and %d more", len(symbols)-i)
		}
		if i > 0 {
			text += ", "
		}
		text += name(s)
	}
	return text
}
