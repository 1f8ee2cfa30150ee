package paper

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A view is the exchange as the customer of some accounts sees it.
type view struct {
	exchange *Exchange
	accounts []AccountID // nil: all
}

var _ broker.Broker = (*view)(nil)

// Broker returns the exchange as a broker.Broker that reaches the accounts named,
// or all of them, also those opened later, when none is named.
//
// Cancel and Replace act at once when there is no latency. A replacement trades its
// own quantity on top of what the order it replaces had filled when Replace was
// called; its Tag may be that order's or a new one.
func (x *Exchange) Broker(accounts ...AccountID) broker.Broker {
	return &view{exchange: x, accounts: slices.Clone(accounts)}
}

func capabilities() broker.Capabilities {
	return broker.Capabilities{
		Instruments:  []market.InstrumentKind{market.KindEquity, market.KindOption, market.KindFuture, market.KindFutureOption, market.KindCrypto},
		Types:        []broker.OrderType{broker.Market, broker.Limit, broker.Stop, broker.StopLimit, broker.TrailingStop},
		TimesInForce: []broker.TimeInForce{broker.Day, broker.GTC, broker.GTD, broker.IOC, broker.OnClose, broker.OnOpen},
		Groups:       []broker.GroupKind{broker.Single, broker.OTO, broker.OCO, broker.Bracket},
		MaxLegs:      broker.MaxLegs, Mixed: true, Fractional: true, Notional: true, ExtendedHours: true, DryRun: true, Replace: true, Events: true,
	}
}

func (v *view) Capabilities() broker.Capabilities { return capabilities() }

func (v *view) Environment() broker.Environment { return v.exchange.opts.Environment }

func (v *view) reaches(id AccountID) bool {
	return len(v.accounts) == 0 || slices.Contains(v.accounts, id)
}

// enter locks the exchange and returns an account; on an error it is not locked.
func (v *view) enter(ctx context.Context, id AccountID) (*account, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := v.exchange
	x.lock()
	a := x.accounts[id]
	if a == nil || !v.reaches(id) {
		x.unlock()
		return nil, broker.ErrUnknownAccount
	}
	return a, nil
}

func (v *view) Accounts(ctx context.Context) ([]broker.Account, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x := v.exchange
	x.lock()
	defer x.unlock()
	out := []broker.Account{}
	for _, a := range x.accountList {
		if v.reaches(a.info.ID) {
			out = append(out, a.info)
		}
	}
	return out, nil
}

func (v *view) Balances(ctx context.Context, id broker.AccountID) (*broker.Balances, error) {
	a, err := v.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	defer v.exchange.unlock()
	return v.exchange.balances(a), nil
}

func (x *Exchange) balances(a *account) *broker.Balances {
	cash := a.cash.Decimal()
	b := &broker.Balances{Account: a.info.ID, Time: x.time(), Currency: "USD", Cash: &cash}
	if equity, ok := x.equity(a); ok {
		b.NetLiquidatingValue = &equity
	}
	m, err := x.requirement(a, nil)
	if err != nil {
		return b
	}
	open := x.openProfit(a)
	free := m.BuyingPower(cash).Add(open).Sub(a.reserved(nil))
	excess := m.Excess(cash).Add(open)
	maintenance := m.Maintenance
	equityPower := free
	if a.info.Margin && x.modelOf(a) != &x.retirementRules {
		equityPower = free.Mul(decimal.NewFromInt(2))
	}
	b.EquityBuyingPower, b.DerivativeBuyingPower = &equityPower, &free
	b.MaintenanceMargin, b.MaintenanceExcess = &maintenance, &excess
	return b
}

func (v *view) Positions(ctx context.Context, id broker.AccountID) ([]broker.Position, error) {
	a, err := v.enter(ctx, id)
	if err != nil {
		return nil, err
	}
	x := v.exchange
	defer x.unlock()
	out := []broker.Position{}
	for _, p := range x.listed(a) {
		out = append(out, x.see(a, p))
	}
	return out, nil
}

// find returns an account's order, or nil.
func (a *account) find(id broker.OrderID) *order {
	seq, err := strconv.ParseUint(string(id), 10, 64)
	if err != nil {
		return nil
	}
	i, ok := slices.BinarySearchFunc(a.orders, seq, func(o *order, seq uint64) int {
		switch {
		case o.seq < seq:
			return -1
		case o.seq > seq:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return a.orders[i]
}

func (v *view) Order(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	a, err := v.enter(ctx, account)
	if err != nil {
		return nil, err
	}
	defer v.exchange.unlock()
	o := a.find(id)
	if o == nil {
		return nil, broker.ErrUnknownOrder
	}
	s := v.exchange.state(o)
	return &s, nil
}

func (v *view) Orders(ctx context.Context, account broker.AccountID, query broker.OrdersQuery) ([]broker.OrderState, error) {
	a, err := v.enter(ctx, account)
	if err != nil {
		return nil, err
	}
	x := v.exchange
	defer x.unlock()
	out := []broker.OrderState{}
	for i := len(a.orders) - 1; i >= 0; i-- {
		if o := a.orders[i]; x.selects(query, o) {
			out = append(out, x.state(o))
		}
	}
	return out, nil
}

func (x *Exchange) selects(q broker.OrdersQuery, o *order) bool {
	if q.Working && o.status.Terminal() {
		return false
	}
	if q.Symbol != "" && !slices.ContainsFunc(o.legs, func(l leg) bool {
		return l.book.symbol == q.Symbol || l.book.terms.underlying == q.Symbol
	}) {
		return false
	}
	if q.Tag != "" {
		return o.spec.Tag == q.Tag
	}
	if q.Since.IsZero() {
		return !o.status.Terminal() || market.DateOf(x.at(o.received)) == x.today()
	}
	return o.received >= q.Since.UnixNano()
}

func (v *view) Transactions(ctx context.Context, account broker.AccountID, from, to time.Time) ([]broker.Transaction, error) {
	a, err := v.enter(ctx, account)
	if err != nil {
		return nil, err
	}
	defer v.exchange.unlock()
	out := []broker.Transaction{}
	for _, t := range a.transactions() {
		if t.Time.Before(from) || !t.Time.Before(to) {
			continue
		}
		t.Price = copyDecimal(t.Price)
		if t.Fees != nil {
			fees := *t.Fees
			t.Fees = &fees
		}
		out = append(out, t)
	}
	return out, nil
}

func (v *view) Events(ctx context.Context, accounts ...broker.AccountID) (broker.EventStream, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, id := range accounts {
		if _, err := v.enter(ctx, id); err != nil {
			return nil, err
		}
		v.exchange.unlock()
	}
	if len(accounts) == 0 {
		accounts = v.accounts
	}
	return v.exchange.subscribe(ctx, slices.Clone(accounts)), nil
}
