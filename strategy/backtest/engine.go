package backtest

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
)

// An engine is one run.
type engine struct {
	ctx      context.Context
	opts     Options
	rules    Rules
	location *time.Location
	x        *paper.Exchange

	desks  []*desk
	byID   map[broker.AccountID]*desk
	feeds  []*feed
	due    []*feed // those that end now
	quotes []*quotes
	chains []*chain

	instruments map[market.Symbol]*instrument
	recent      *instrument // of instruments, the one that was asked for last
	adjusting   []int64     // midnights of the corporate actions to come

	from, to int64
	now      int64 // the present of the run
	clock    int64 // the exchange's time
	begun    bool
	begin    int64
	unsynced bool // the exchange does not know the latest bars
	closing  bool // at the close, a nanosecond before
	lastly   bool // nothing comes after the present instant

	shown   time.Time // now
	shownAt int64
	slow    bool // never glides, for tests

	closingOut bool // what is open at the end is being closed
	bars       int64
	scanned    int64 // quotes
	total      int64 // of both; -1 when it is not known
	working    int   // orders that may fill
	busy       bool  // something can happen without orders: interest, borrowing, liquidation

	shares map[string]float64 // by tag: the share of the equity that an order is for
	room   []paper.Bar
	failed error // of an observer, or of the exchange

	clockwork progressClock
}

// expiryOf is when an option ends.
func expiryOf(c market.Contract) int64 {
	_, settlement, _ := c.Terms()
	return options.ExpiryTime(c.Expiration, settlement, nil).UnixNano()
}

// Run replays a market to strategies and returns what happened. Cancelling ctx
// ends it: the result is then that of what was done, and the error is that of
// ctx. The same holds for an error of a strategy or an observer. A *FieldError
// about the options comes without a result.
func Run(ctx context.Context, opts Options) (*Result, error) {
	e, err := newEngine(ctx, opts)
	if err != nil {
		return nil, err
	}
	err = e.replay()
	record := e.record(err)
	return newResult(record).withMarket(opts.Market), err
}

// replay runs, and in the end shows the exchange the last bars, at which it then
// values what is held.
func (e *engine) replay() error {
	err := e.run()
	if e.unsynced {
		if late := e.sync(); err == nil {
			err = late
		}
	}
	return err
}

func newEngine(ctx context.Context, opts Options) (*engine, error) {
	e := &engine{
		ctx: ctx, opts: opts, rules: opts.Rules, location: market.NYSE().Location(), byID: map[broker.AccountID]*desk{},
		instruments: map[market.Symbol]*instrument{}, shares: map[string]float64{},
		from: math.MinInt64, to: math.MaxInt64,
	}
	if err := opts.validate(); err != nil {
		return nil, err
	}
	if !opts.From.IsZero() {
		e.from = opts.From.UnixNano()
	}
	if !opts.To.IsZero() {
		e.to = opts.To.UnixNano()
	}
	for i := range opts.Accounts {
		e.desks = append(e.desks, newDesk(e, i))
	}
	e.openChains()
	e.openQuotes()
	if err := e.openFeeds(); err != nil {
		return nil, err
	}
	if err := e.openExchange(); err != nil {
		return nil, err
	}
	e.length()
	for _, d := range e.desks {
		d.curve.reserve(e.instants(), opts.workspace)
		if err := d.open(); err != nil {
			return nil, err
		}
	}
	return e, nil
}

func (o *Options) validate() error {
	switch {
	case o.Market == nil:
		return invalid.Missing("Market", "a market to replay")
	case len(o.Market.Bars)+len(o.Market.Quotes)+len(o.Market.Chains) == 0:
		return invalid.Field("Market", "empty", "bars, quotes or chains")
	case len(o.Accounts) == 0:
		return invalid.Missing("Accounts", "an account with a strategy")
	case !o.From.IsZero() && !o.To.IsZero() && !o.From.Before(o.To):
		return invalid.Field("To", o.To, "a time after From")
	case o.Curve.Every < 0:
		return invalid.Field("Curve.Every", o.Curve.Every, "a duration of at least 0")
	case o.Curve.Most != 0 && o.Curve.Most < 16:
		return invalid.Field("Curve.Most", o.Curve.Most, "0 for no limit, or at least 16")
	case o.Curve.Records < 0:
		return invalid.Field("Curve.Records", o.Curve.Records, "0 for no limit, or a positive number")
	case o.Rules.Finish < KeepOpen || o.Rules.Finish > CloseAtPreviousClose:
		return invalid.Field("Rules.Finish", int(o.Rules.Finish), "one of the ways")
	case o.Rules.Missing.Policy < HoldLast || o.Rules.Missing.Policy > LeaveAbsent:
		return invalid.Field("Rules.Missing.Policy", int(o.Rules.Missing.Policy), "one of the policies")
	}
	for i := range o.Accounts {
		a := &o.Accounts[i]
		if a.Strategy == nil {
			return invalid.Missing(fmt.Sprintf("Accounts[%d].Strategy", i), "a strategy")
		}
		if a.Cash.Sign() <= 0 {
			return invalid.Field(fmt.Sprintf("Accounts[%d].Cash", i), a.Cash, "a positive amount")
		}
		if err := a.Budget.Validate(); err != nil {
			return err
		}
	}
	for i, b := range o.Market.Bars {
		at := fmt.Sprintf("Market.Bars[%d].", i)
		if normal, err := market.ParseSymbol(string(b.Symbol)); err != nil || normal != b.Symbol {
			return invalid.Field(at+"Symbol", b.Symbol, "a symbol in its normal form, such as SPY")
		}
		if (b.Source == nil) == (b.Bars == nil) {
			return invalid.Field(at+"Bars", len(b.Bars), "bars or a source of bars, one of the two")
		}
		for name, column := range b.Columns {
			if len(column) != len(b.Bars) {
				return invalid.Fieldf(at+"Columns", name, "%d numbers, one for each of Bars", len(b.Bars))
			}
		}
		for _, other := range o.Market.Bars[:i] {
			if other.Symbol == b.Symbol && intervalOf(other.Interval) == intervalOf(b.Interval) {
				return invalid.Field(at+"Symbol", b.Symbol, "each symbol and interval once")
			}
		}
	}
	for i, c := range o.Market.Chains {
		if c == nil {
			return invalid.Missing(fmt.Sprintf("Market.Chains[%d]", i), "a chain store")
		}
		for _, other := range o.Market.Chains[:i] {
			if other.underlying == c.underlying {
				return invalid.Field(fmt.Sprintf("Market.Chains[%d]", i), c.underlying, "each underlying once")
			}
		}
	}
	for i, q := range o.Market.Quotes {
		if normal, err := market.ParseSymbol(string(q.Symbol)); err != nil || normal != q.Symbol {
			return invalid.Field(fmt.Sprintf("Market.Quotes[%d].Symbol", i), q.Symbol, "a symbol in its normal form, such as SPY")
		}
		if !slices.IsSortedFunc(q.Quotes, func(a, b market.Quote) int { return a.Time.Compare(b.Time) }) {
			return invalid.Field(fmt.Sprintf("Market.Quotes[%d].Quotes", i), q.Symbol, "quotes ascending by time")
		}
	}
	return nil
}

func intervalOf(i market.Interval) market.Interval {
	if i == "" {
		return market.Day
	}
	return i
}

// openFeeds opens the bars, and winds them forward to the start of the run.
func (e *engine) openFeeds() error {
	keep := 1
	for _, d := range e.desks {
		keep = max(keep, d.needs.History)
	}
	for i := range e.opts.Market.Bars {
		b := &e.opts.Market.Bars[i]
		f := &feed{number: i, symbol: e.instrumentOf(b.Symbol), interval: intervalOf(b.Interval), name: cmp.Or(b.Name, string(b.Symbol)), from: e.from, to: e.to}
		if f.symbol.feed == nil {
			f.symbol.feed = f
		}
		var err error
		if f.spans, err = newSpans(f.interval, e.rules.Continuous); err != nil {
			return err
		}
		if err := f.open(b, max(keep, 2*chunk)); err != nil {
			return err
		}
		for f.end != math.MaxInt64 && f.start < e.from {
			bar := f.take()
			f.symbol.mark, f.symbol.markAt = bar.Close, f.end
			f.warm++
			if err := f.look(); err != nil {
				return err
			}
		}
		f.pushed = f.count
		e.feeds = append(e.feeds, f)
	}
	for _, d := range e.desks {
		for _, s := range d.needs.Symbols {
			if d.needs.Interval == "" {
				continue
			}
			if f := e.feedOf(s, d.needs.Interval); f != nil {
				f.readers = append(f.readers, d)
				d.feeds = append(d.feeds, f)
			} else {
				return invalid.Field("Market.Bars", string(s)+" "+string(d.needs.Interval), "bars of the symbol and interval that the strategy needs: "+e.intervals(s))
			}
		}
	}
	return nil
}

// feedOf returns the bars of a symbol and interval; nil when there are none.
func (e *engine) feedOf(s market.Symbol, i market.Interval) *feed {
	for _, f := range e.feeds {
		if f.symbol.name == s && (f.interval == i || f.interval.Duration() > 0 && f.interval.Intraday() && i.Intraday() && f.interval.Duration() == i.Duration()) {
			return f
		}
	}
	return nil
}

func (e *engine) intervals(s market.Symbol) string {
	var there []string
	for _, f := range e.feeds {
		if f.symbol.name == s {
			there = append(there, string(f.interval))
		}
	}
	if there == nil {
		return "there are none of " + string(s)
	}
	return "there are those of " + strings.Join(there, ", ")
}

// openExchange makes the exchange, at a time before everything.
func (e *engine) openExchange() error {
	r := &e.rules
	start := e.next()
	if start == math.MaxInt64 {
		return market.ErrNoData
	}
	for _, f := range e.feeds {
		if f.end != math.MaxInt64 {
			start = min(start, f.start)
		}
	}
	e.clock = start - int64(time.Second)
	e.now = e.clock
	opts := &paper.Options{
		Environment: broker.Paper, Start: time.Unix(0, e.clock), Seed: e.opts.Seed, Instrument: e.instrument,
		Fees: r.Fees, Margin: r.Margin, Slippage: r.Slippage, Latency: r.Latency, Path: r.Path, Trigger: r.Trigger,
		CheatOnClose: r.CheatOnClose, IgnoreSizes: r.IgnoreSizes, NoImprovement: r.NoImprovement, FreePrices: r.FreePrices,
		Continuous: r.Continuous, RecheckAtFill: r.RecheckAtFill, CheckAtFill: r.CheckAtFill, Unchecked: r.Unchecked, Shortable: r.Shortable,
		BorrowRate: r.BorrowRate, Lifecycle: r.Lifecycle, Lasting: r.Lasting, SplitOrders: r.SplitOrders,
		Observer: e.hear, Brief: true, Remember: e.opts.Curve.Records,
	}
	if r.Size != nil {
		opts.Units = e.units
	}
	for i := range e.opts.Accounts {
		a := &e.opts.Accounts[i]
		opts.Accounts = append(opts.Accounts, paper.Account{
			Account: broker.Account{ID: e.desks[i].id, Type: a.Type, Margin: !a.CashAccount, Futures: !a.CashAccount}, Cash: a.Cash, Positions: a.Positions,
		})
	}
	x, err := paper.New(opts)
	if err != nil {
		return err
	}
	e.x = x
	e.busy = r.Lifecycle.Interest != nil || r.BorrowRate != nil || r.Lifecycle.Liquidate || r.Latency != (paper.Latency{})
	if r.Adjusted {
		return nil
	}
	if err := x.AnnounceEvents(e.opts.Market.Events); err != nil {
		return err
	}
	today := market.DateOf(time.Unix(0, e.clock).In(e.location))
	for _, ev := range e.opts.Market.Events {
		if (ev.Kind == market.Dividend || ev.Kind == market.Split) && ev.Date.After(today) {
			e.adjusting = append(e.adjusting, ev.Date.In(e.location).UnixNano())
		}
	}
	slices.Sort(e.adjusting)
	return nil
}

func (e *engine) instrument(s market.Symbol) (market.Instrument, bool) {
	in, ok := e.opts.Market.Instruments[s]
	return in, ok
}

func (e *engine) multiplier(s market.Symbol) float64 {
	if in, ok := e.opts.Market.Instruments[s]; ok && in.Multiplier > 0 {
		return in.Multiplier
	}
	if terms, err := paper.Terms(s); err == nil {
		return terms.Multiplier
	}
	return 1
}

// length counts what there is to replay.
func (e *engine) length() {
	for _, f := range e.feeds {
		if f.reader != nil {
			e.total = -1
			return
		}
		e.total += int64(len(f.bars) - f.done)
	}
	for _, q := range e.quotes {
		e.total += int64(len(q.feed.Quotes) - q.done)
	}
	for _, c := range e.chains {
		e.total += int64(c.store.Len() - c.store.first[c.done])
	}
}

// instants are how many there can be; 0 when it is not known.
func (e *engine) instants() int64 {
	n := int64(2)
	for _, f := range e.feeds {
		if f.reader != nil {
			return 0
		}
		n += int64(len(f.bars) - f.done)
	}
	for _, q := range e.quotes {
		n += int64(q.end - q.done)
	}
	for _, c := range e.chains {
		n += int64(c.end - c.done)
	}
	return n
}

// version is that of the build, when nothing else is said.
func version(named string) string {
	if named != "" {
		return named
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && s.Value != "" {
			v += " " + s.Value
		}
	}
	return cmp.Or(v, "unknown")
}

// tagName is what a strategy's tags begin with: what they can hold of its name.
func tagName(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' {
			b.WriteByte(c)
		}
	}
	text := b.String()
	return cmp.Or(text[:min(len(text), 16)], "strategy")
}

func accountID(i int, id broker.AccountID) broker.AccountID {
	if id != "" {
		return id
	}
	if i == 0 {
		return "BACKTEST"
	}
	return broker.AccountID("BACKTEST" + strconv.Itoa(i+1))
}

// units decides the size of an order that is for a share of the equity.
func (e *engine) units(in paper.UnitsInput) (decimal.Decimal, bool) {
	share, ok := e.shares[in.Order.Tag]
	if !ok {
		return decimal.Zero, false
	}
	s := SizeInput{Share: share, Price: in.Price, Buy: in.Order.Legs[0].Action.Sign() > 0, Cash: in.Cash.InexactFloat64(), Used: in.Used.InexactFloat64(), Equity: math.NaN()}
	if in.Equity != nil {
		s.Equity = in.Equity.InexactFloat64()
	}
	n := e.rules.Size(s)
	if !(n >= 1) || n > 1e15 {
		return decimal.Zero, true
	}
	return decimal.NewFromFloat(math.Floor(n)), true
}

var (
	_ strategy.Data    = (*deskData)(nil)
	_ strategy.Columns = (*deskData)(nil)
)
