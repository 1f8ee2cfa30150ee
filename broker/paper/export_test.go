package paper

import (
	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
)

// A Ledger is an account's own sums, for tests of their conservation.
type Ledger struct{ Cash, Realized, Fees, Cost, Transactions decimal.Decimal }

// LedgerOf returns the sums of an account. Cost is that of open positions, without
// futures, whose price nobody pays.
func LedgerOf(x *Exchange, id AccountID) Ledger {
	a := x.accounts[id]
	l := Ledger{Cash: a.cash.Decimal(), Realized: a.realized.Decimal(), Fees: a.fees.Decimal()}
	for _, p := range a.positions {
		if !p.book.terms.futures() {
			l.Cost = l.Cost.Add(p.cost.Decimal())
		}
	}
	for _, t := range a.transactions() {
		l.Transactions = l.Transactions.Add(t.Amount)
	}
	return l
}

// CallOf tells whether an account is known without counting to be far from a margin
// call, and what counting says.
func CallOf(x *Exchange, id AccountID) (far bool, call *broker.MarginCall) {
	a := x.accounts[id]
	m, err := x.requirement(a, nil)
	if err != nil {
		return x.farFromCall(a), nil
	}
	return x.farFromCall(a), m.Call(a.cash.Decimal().Add(x.openProfit(a)))
}

// TryNext is the next event of a stream that is there already.
func TryNext(s broker.EventStream) (broker.Event, bool) {
	e, ok, _ := s.(*stream).take()
	return e, ok
}

// WorkingLength is how many orders of an account are looked through for those that
// work.
func (x *Exchange) WorkingLength(id AccountID) int { return len(x.accounts[id].working) }
