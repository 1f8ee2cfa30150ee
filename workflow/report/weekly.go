package report

import (
	"context"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A Weekly is the summary of one account's week: from where the report of the week
// before ended, or the close of its last session, to the moment of this one.
type Weekly struct {
	From           market.Date        `json:"from"` // the first session of the week
	To             market.Date        `json:"to"`   // the last one so far
	Time           time.Time          `json:"time"`
	Account        broker.AccountID   `json:"account"`
	Environment    broker.Environment `json:"environment"`
	Currency       string             `json:"currency,omitempty"`
	NetLiquidating *decimal.Decimal   `json:"net_liquidating"`
	Change         *Change            `json:"change"` // nil without an earlier snapshot
	// Days are the week's sessions that have a snapshot, with their profits.
	Days []Point `json:"days,omitempty"`
	// Best and Worst are the days of the greatest and the least known profit.
	Best  *Point `json:"best"`
	Worst *Point `json:"worst"`
	// Winners and Losers are the underlyings with a known profit above and below zero.
	Winners int        `json:"winners"`
	Losers  int        `json:"losers"`
	Ahead   []Upcoming `json:"ahead,omitempty"` // of the next week
	Notes   []string   `json:"notes,omitempty"`
}

// Weekly takes a snapshot of an account, keeps it, and compares it with that of the
// end of last week.
func (r *Reporter) Weekly(ctx context.Context, account broker.AccountID) (*Weekly, error) {
	return r.WeeklyAt(ctx, account, r.o.Clock.Now())
}

// WeeklyAt is Weekly of the week that it was at a time. When a later week has begun,
// it ends at the first snapshot after that week's last close; where none was taken
// before the next week opened, at one that is taken now, and a note says so.
func (r *Reporter) WeeklyAt(ctx context.Context, account broker.AccountID, at time.Time) (*Weekly, error) {
	if r.broker == nil {
		return nil, errNoDesk
	}
	clock := r.o.Clock.Now()
	if at.After(clock) {
		return nil, invalid.Field("at", at.Format(time.RFC3339), "a time that is not after "+clock.Format(time.RFC3339))
	}
	session, late := r.session(clock), false
	if then := r.session(at); week(then.Date) != week(session.Date) {
		session, late = then, true
		for next := r.calendar.Next(session.Close); week(next.Date) == week(session.Date); next = r.calendar.Next(session.Close) {
			session = next // the week went on after that time
		}
	}
	first := session
	for {
		earlier := r.before(first)
		if earlier.Date.IsZero() || week(earlier.Date) != week(session.Date) {
			break
		}
		first = earlier
	}
	last := r.before(first)
	base, err := r.base(ctx, account, endsWeekly, last, first.Open)
	if err != nil {
		return nil, err
	}
	now, change, missed, err := r.endOfWeek(ctx, account, base, session, late)
	if err != nil {
		return nil, err
	}
	if base != nil && !base.Time.Before(now.Time) {
		base = nil // all that is earlier was forgotten
	}
	w := &Weekly{
		From: first.Date, To: session.Date, Time: now.Time, Account: account, Environment: now.Environment, Currency: now.Currency, Change: change,
	}
	var missing []market.Symbol
	w.NetLiquidating, missing = now.Value()
	if base != nil {
		all, err := r.Snapshots(ctx, account, base.Time, now.Time)
		if err != nil {
			return nil, err
		}
		ends := []Snapshot{*base}
		for _, s := range r.ends(append(all, *now)) {
			if s.Time.After(base.Time) && !r.session(s.Time).Date.Before(first.Date) {
				ends = append(ends, s)
			}
		}
		points, err := r.points(ctx, ends)
		if err != nil {
			return nil, err
		}
		w.Days = points[1:]
	}
	w.judge()
	held := make([]market.Symbol, 0, len(now.Held))
	for _, h := range now.Held {
		held = append(held, h.Underlying)
	}
	var gaps []string
	w.Ahead, gaps = r.upcoming(ctx, unique(held), now.Held, session.Date, 9)
	w.Notes = append(notes(now, change, missing, last.Close, first.Open), gaps...)
	if missed {
		w.Notes = append(w.Notes, fmt.Sprintf("No snapshot was taken between the week's last close and the next open: this one goes on to %s, and the next week begins there.",
			now.Time.In(r.calendar.Location()).Format("Mon 2006-01-02 15:04 MST")))
	}
	if sessions := len(r.calendar.Sessions(first.Date, session.Date)); base != nil && len(w.Days) < sessions {
		w.Notes = append(w.Notes, fmt.Sprintf("%d of %d sessions have a snapshot; the profit of the others is part of the next one's.", len(w.Days), sessions))
	}
	return w, nil
}

// endOfWeek returns the snapshot at which a week ends, compared with base. Missed says
// that it was taken after the next week had begun.
func (r *Reporter) endOfWeek(ctx context.Context, account broker.AccountID, base *Snapshot, session market.Session, late bool) (now *Snapshot, change *Change, missed bool, err error) {
	ends := endsWeekly + " " + session.Date.String()
	if late {
		next := r.calendar.Next(session.Close).Open
		if now, err = r.one(ctx, storage.RecordQuery{Where: []storage.Field{storage.Text("ends", ends)}, Desc: true}, account); err != nil {
			return nil, nil, false, err
		}
		if now == nil {
			// The same as that from which the week after counts: see base.
			if now, err = r.first(ctx, account, session.Close, next); err != nil {
				return nil, nil, false, err
			}
		}
		if now != nil {
			if base != nil && base.Time.Before(now.Time) {
				change, err = r.compare(ctx, base, now)
			}
			return now, change, !now.Time.Before(next), err
		}
	}
	now, change, err = r.since(ctx, account, base, ends)
	return now, change, late, err
}

// week is a date's Monday.
func week(d market.Date) market.Date {
	return d.AddDays(-(int(d.Weekday()) + 6) % 7)
}

// judge finds the best and the worst, and who won.
func (w *Weekly) judge() {
	for i := range w.Days {
		p := &w.Days[i]
		if p.Profit == nil {
			continue
		}
		if w.Best == nil || p.Profit.GreaterThan(*w.Best.Profit) {
			w.Best = p
		}
		if w.Worst == nil || p.Profit.LessThan(*w.Worst.Profit) {
			w.Worst = p
		}
	}
	if w.Change == nil {
		return
	}
	for _, l := range w.Change.ByUnderlying {
		switch {
		case l.Total == nil || l.Name == "":
		case l.Total.Sign() > 0:
			w.Winners++
		case l.Total.Sign() < 0:
			w.Losers++
		}
	}
}

func unique(symbols []market.Symbol) []market.Symbol {
	seen := map[market.Symbol]bool{}
	var out []market.Symbol
	for _, s := range symbols {
		if s != "" && !seen[s] {
			seen[s], out = true, append(out, s)
		}
	}
	return out
}
