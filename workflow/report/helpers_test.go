package report_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/storage"
	"github.com/ttai-go/ttai/storage/memory"
	"github.com/ttai-go/ttai/workflow/report"
)

func TestMain(m *testing.M) {
	sharedtest.FixSeeds()
	goleak.VerifyTestMain(m)
}

const account = broker.AccountID("PAPER1234")

func dec(s string) *decimal.Decimal {
	d := decimal.RequireFromString(s)
	return &d
}

func newYork(t testing.TB, text string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", text, market.NYSE().Location())
	require.NoError(t, err)
	return at
}

func newTenant(t testing.TB) storage.Tenant {
	t.Helper()
	store, err := memory.New(nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	tenant, err := store.For(storage.Local)
	require.NoError(t, err)
	return tenant
}

// source is market data that a test sets.
type source struct {
	market.Source
	quotes  map[market.Symbol]market.Quote
	events  map[market.Symbol][]market.Event
	metrics map[market.Symbol]market.Metrics
	bars    map[market.Symbol][]market.Bar
}

func (s *source) Quotes(_ context.Context, symbols []market.Symbol) ([]market.Quote, error) {
	var out []market.Quote
	var missing []market.Symbol
	for _, x := range symbols {
		if q, ok := s.quotes[x]; ok {
			out = append(out, q)
		} else {
			missing = append(missing, x)
		}
	}
	if missing != nil {
		return out, &market.MissingError{Symbols: missing, Err: market.ErrNoData}
	}
	return out, nil
}

func (s *source) Events(_ context.Context, x market.Symbol, from, to market.Date) ([]market.Event, error) {
	if s.events == nil {
		return nil, market.ErrUnsupported
	}
	var out []market.Event
	for _, e := range s.events[x] {
		if !e.Date.Before(from) && !e.Date.After(to) {
			out = append(out, e)
		}
	}
	return out, nil
}

func (s *source) Metrics(_ context.Context, symbols []market.Symbol) ([]market.Metrics, error) {
	var out []market.Metrics
	var missing []market.Symbol
	for _, x := range symbols {
		if m, ok := s.metrics[x]; ok {
			out = append(out, m)
		} else {
			missing = append(missing, x)
		}
	}
	if missing != nil {
		return out, &market.MissingError{Symbols: missing, Err: market.ErrNoData}
	}
	return out, nil
}

func (s *source) Bars(_ context.Context, r market.BarsRequest) ([]market.Bar, error) {
	if b := s.bars[r.Symbol]; b != nil {
		return b, nil
	}
	return nil, market.ErrNoData
}

func quoteAt(symbol market.Symbol, price, before float64) market.Quote {
	q := market.NewQuote(symbol)
	q.Bid, q.Ask, q.PrevClose = price, price, before
	return q
}

// desk is a paper account with a reporter on its time.
type desk struct {
	t testing.TB
	*paper.Exchange
	broker.Broker
	*report.Reporter
	source *source
	tenant storage.Tenant
	clock  *market.ManualClock
	tags   map[string]int
}

func newDesk(t testing.TB, start string, change ...func(*paper.Options)) *desk {
	t.Helper()
	opts := &paper.Options{Start: newYork(t, start), Fees: broker.TastytradeFees(), Accounts: []paper.Account{{
		Account: broker.Account{ID: account, Margin: true, Futures: true}, Cash: *dec("250000"),
	}}}
	for _, f := range change {
		f(opts)
	}
	x, err := paper.New(opts)
	require.NoError(t, err)
	d := &desk{
		t: t, Exchange: x, Broker: x.Broker(), source: &source{quotes: map[market.Symbol]market.Quote{}}, tenant: newTenant(t),
		clock: market.NewManualClock(opts.Start), tags: map[string]int{},
	}
	d.again()
	return d
}

// again is another process over the same store.
func (d *desk) again() {
	r, err := report.New(d.tenant, d.Broker, d.source, &report.Options{Clock: d.clock})
	require.NoError(d.t, err)
	d.Reporter = r
}

func (d *desk) to(text string) {
	d.t.Helper()
	d.clock.Set(newYork(d.t, text))
	require.NoError(d.t, d.Advance(d.clock.Now()))
}

// quote sets the price of a symbol, at the exchange and as its source has it.
func (d *desk) quote(symbol market.Symbol, price float64) {
	d.t.Helper()
	require.NoError(d.t, d.Quote(paper.Quote{Symbol: symbol, Bid: price, Ask: price, BidSize: math.NaN(), AskSize: math.NaN()}))
	d.source.quotes[symbol] = quoteAt(symbol, price, math.NaN())
}

// trade fills a market order of a strategy now.
func (d *desk) trade(strategy string, symbol market.Symbol, action broker.Action, quantity string) {
	d.t.Helper()
	require.NoError(d.t, d.try(strategy, symbol, action, quantity))
}

func (d *desk) try(strategy string, symbol market.Symbol, action broker.Action, quantity string) error {
	d.tags[strategy]++
	tag := "manual-" + string(rune('a'+d.tags[strategy]%26)) + decimal.NewFromInt(int64(d.tags[strategy])).String()
	if strategy != "" {
		tag = strategy + "_run_" + decimal.NewFromInt(int64(d.tags[strategy])).String()
	}
	states, err := d.Place(d.t.Context(), account, broker.NewTicket(broker.Order{
		Tag: tag, Type: broker.Market, Legs: []broker.Leg{{Symbol: symbol, Action: action, Quantity: *dec(quantity)}},
	}))
	if err != nil {
		return err
	}
	if states[0].Status != broker.Filled {
		return errors.New("not filled: " + string(states[0].Status) + " " + states[0].Reason)
	}
	return nil
}

func (d *desk) daily() *report.Daily {
	d.t.Helper()
	r, err := d.Daily(d.t.Context(), account)
	require.NoError(d.t, err)
	if r.Change != nil {
		adds(d.t, r.Change)
	}
	return r
}

// adds holds a change against the laws that all of them keep.
func adds(t testing.TB, c *report.Change) {
	t.Helper()
	sum := func(parts ...*decimal.Decimal) decimal.Decimal {
		out := decimal.Zero
		for _, p := range parts {
			require.NotNil(t, p)
			out = out.Add(*p)
		}
		return out
	}
	equal := func(want, got decimal.Decimal, what string) {
		t.Helper()
		assert.True(t, want.Sub(got).Abs().LessThan(decimal.New(1, -6)), "%s: want %s, got %s", what, want, got)
	}
	require.NotNil(t, c.Total)
	require.NotNil(t, c.Before)
	require.NotNil(t, c.After)
	equal(c.After.Sub(*c.Before).Sub(c.Transfers), *c.Total, "the account's cash and marks")
	lines := func(all []report.Line, what string) {
		total, realized, unrealized, fees, income, delta, trading := decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero
		for _, l := range all {
			total, realized, unrealized = total.Add(*l.Total), realized.Add(*l.Realized), unrealized.Add(*l.Unrealized)
			fees, income, trading = fees.Add(l.Fees), income.Add(l.Income), trading.Add(*l.Explained.Trading)
			delta = delta.Add(*l.Explained.Delta)
			equal(*l.Total, sum(l.Realized, l.Unrealized, &l.Income, &l.Fees), what+" "+l.Name)
			e := l.Explained
			equal(*l.Total, sum(e.Delta, e.Gamma, e.Theta, e.Vega, e.Unexplained, e.Trading, &l.Income, &l.Fees), what+" "+l.Name+" explained")
		}
		equal(*c.Total, total, what)
		// Strategies count by costs of their own.
		equal(c.Realized.Add(*c.Unrealized), realized.Add(unrealized), what+" realized and unrealized")
		if what == "by underlying" {
			equal(*c.Realized, realized, what+" realized")
			equal(*c.Unrealized, unrealized, what+" unrealized")
		}
		equal(c.Fees, fees, what+" fees")
		equal(c.Income, income, what+" income")
	}
	equal(*c.Total, sum(c.Realized, c.Unrealized, &c.Income, &c.Fees), "realized and unrealized")
	e := c.Explained
	equal(*c.Total, sum(e.Delta, e.Gamma, e.Theta, e.Vega, e.Unexplained, e.Trading, &c.Income, &c.Fees), "explained")
	lines(c.ByUnderlying, "by underlying")
	lines(c.ByStrategy, "by strategy")
}

func line(t testing.TB, lines []report.Line, name string) report.Line {
	t.Helper()
	for _, l := range lines {
		if l.Name == name {
			return l
		}
	}
	require.Fail(t, "no line "+name)
	return report.Line{}
}

// book is an account of which a test says everything.
type book struct {
	positions    []broker.Position
	transactions []broker.Transaction
	cash         *decimal.Decimal
	unknownCash  bool
	net          *decimal.Decimal
}

func (b *book) Environment() broker.Environment { return broker.Paper }
func (b *book) Accounts(context.Context) ([]broker.Account, error) {
	return []broker.Account{{ID: account}}, nil
}
func (b *book) Balances(context.Context, broker.AccountID) (*broker.Balances, error) {
	cash := b.cash
	if cash == nil && !b.unknownCash {
		cash = dec("100000")
	}
	return &broker.Balances{Account: account, Currency: "USD", Cash: cash, NetLiquidatingValue: b.net}, nil
}
func (b *book) Positions(context.Context, broker.AccountID) ([]broker.Position, error) {
	return b.positions, nil
}
func (b *book) Order(context.Context, broker.AccountID, broker.OrderID) (*broker.OrderState, error) {
	return nil, broker.ErrUnknownOrder
}
func (b *book) Orders(context.Context, broker.AccountID, broker.OrdersQuery) ([]broker.OrderState, error) {
	return nil, nil
}
func (b *book) Transactions(_ context.Context, _ broker.AccountID, from, to time.Time) ([]broker.Transaction, error) {
	var out []broker.Transaction
	for _, t := range b.transactions {
		if !t.Time.Before(from) && t.Time.Before(to) {
			out = append(out, t)
		}
	}
	return out, nil
}
