// Package report writes what a trader reads: the profit and loss of a day, the
// summary of a week, the briefing of a morning.
//
// Each report is a document first, a Go struct with a JSON form, made from the
// broker's accounts and the market's data by a [Reporter]; [Render] shows it as
// Markdown, as one self-contained HTML page with SVG charts, and as JSON, and
// [Reporter.Save] keeps all three as objects under a dated key.
//
// What an account looked like earlier is kept in [Snapshot]s in the store, so that
// "since yesterday" survives restarts. Amounts are exact decimals, and those of one
// document add up: see [Profit]. What is unknown is null and is said in the notes of
// the document; it is never zero.
package report

import (
	"context"
	"errors"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
)

// A FieldError says which argument was refused and what is allowed.
type FieldError = invalid.FieldError

// errBusy: balances and positions of one moment could not be read.
var errBusy = errors.New("report: the account's cash changed each time that it was read; try again")

// A Desk is the part of a broker that reports read; every broker.Broker is one.
type Desk interface {
	broker.Reader
	broker.OrderReader
	broker.HistoryReader
}

// Options are the settings of a [Reporter]. The zero value works.
type Options struct {
	// Strategy names the strategy of an order; nil means [StrategyOfTag] of its tag.
	// Empty text means none.
	Strategy func(broker.OrderState) string
	// Rate is the risk-free rate of Greeks, continuous, per year.
	Rate float64
	// Yield is the dividend yield of an underlying, continuous, per year; nil means 0.
	Yield func(market.Symbol) float64
	// Economic tells dated announcements; nil means market.FOMC.
	Economic market.EconomicSource
	// Clock tells the time; nil means market.SystemClock.
	Clock market.Clock
	// Near is how near a level must be to be in a briefing, in average true ranges of
	// a day; 0 means 1.
	Near float64
	// Ahead is how many calendar days a briefing looks forward to earnings, dividends
	// and expirations; 0 means 7.
	Ahead int
}

func (o *Options) yield(s market.Symbol) float64 {
	if o.Yield == nil {
		return 0
	}
	return o.Yield(s)
}

// A Reporter writes the reports of one tenant's accounts at one broker. It is safe
// for concurrent use.
type Reporter struct {
	o         Options
	broker    Desk
	market    market.Source
	objects   storage.Objects
	snapshots *storage.Collection[Snapshot]
	vols      *storage.Collection[volRecord]
	calendar  *market.Calendar
}

// New returns a reporter, or a *FieldError, or what opening the store's parts says.
// Desk may be nil for briefings about symbols alone, and source for accounts without
// options; opts may be nil.
func New(tenant storage.Tenant, desk Desk, source market.Source, opts *Options) (*Reporter, error) {
	if tenant == nil {
		return nil, invalid.Missing("tenant", "a tenant of a store")
	}
	r := &Reporter{broker: desk, market: source, calendar: market.NYSE()}
	if opts != nil {
		r.o = *opts
	}
	if r.o.Strategy == nil {
		r.o.Strategy = func(o broker.OrderState) string { return StrategyOfTag(o.Order.Tag) }
	}
	if r.o.Economic == nil {
		r.o.Economic = market.FOMC()
	}
	if r.o.Clock == nil {
		r.o.Clock = market.SystemClock()
	}
	if !(r.o.Near >= 0) || r.o.Near > 100 {
		return nil, invalid.Field("Near", r.o.Near, "0 for 1, or up to 100 average true ranges")
	}
	if r.o.Near == 0 {
		r.o.Near = 1
	}
	if r.o.Ahead < 0 || r.o.Ahead > 366 {
		return nil, invalid.Field("Ahead", r.o.Ahead, "0 for 7, or up to 366 days")
	}
	if r.o.Ahead == 0 {
		r.o.Ahead = 7
	}
	records, err := tenant.Records()
	if err != nil {
		return nil, err
	}
	if r.objects, err = tenant.Objects(Bucket); err != nil {
		return nil, err
	}
	r.snapshots, r.vols = snapshots(records), vols(records)
	return r, nil
}

// errNoDesk: the reporter was made without a broker.
var errNoDesk = invalid.Missing("desk", "a broker whose accounts can be read")

// session returns the session that a report of now is about: the one that is open,
// or the last that was.
func (r *Reporter) session(now time.Time) market.Session {
	date := market.DateOf(now.In(r.calendar.Location()))
	if s, ok := r.calendar.Session(date); ok && !now.Before(s.Open) {
		return s
	}
	return r.calendar.Previous(now)
}

// before returns the session before one.
func (r *Reporter) before(s market.Session) market.Session {
	return r.calendar.Previous(s.Open)
}

// The kinds of periods that snapshots end.
const (
	endsDaily  = "daily"
	endsWeekly = "weekly"
)

// base returns the snapshot that a report compares with: that at which the report of
// the period before ended, so that periods follow on each other; otherwise the first
// after the close of that period's last session, the last before it, and for want of
// all these the first there is; nil when there is none.
func (r *Reporter) base(ctx context.Context, account broker.AccountID, kind string, last market.Session, opens time.Time) (*Snapshot, error) {
	now := r.o.Clock.Now()
	to := storage.Time("time", now)
	s, err := r.one(ctx, storage.RecordQuery{Where: []storage.Field{storage.Text("ends", kind+" "+last.Date.String())}, To: &to, Desc: true}, account)
	if err != nil || s != nil {
		return s, err
	}
	if s, err = r.first(ctx, account, last.Close, opens); err != nil || s != nil {
		return s, err
	}
	if s, err = r.newest(ctx, account, last.Close); err != nil || s != nil {
		return s, err
	}
	return r.first(ctx, account, opens, now)
}
