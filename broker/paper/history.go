package paper

import (
	"strconv"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sums"
)

// An entry is a line of an account's history. The line of a fill is written out
// when somebody asks for it: most are never read.
type entry struct {
	line *broker.Transaction // nil: that of a fill

	order    *order
	fill     int // of order
	sequence uint64
	amount   sums.Number
}

// post writes a line of history and moves its money. Time and ID are set here.
func (x *Exchange) post(a *account, t broker.Transaction) {
	x.transactionSeq++
	t.ID = x.transactionNames.Of(x.transactionSeq)
	t.Account = a.info.ID
	t.Time = x.time()
	amount := sums.Of(t.Amount)
	a.cash = a.cash.Plus(amount)
	x.remember(a, entry{line: &t, amount: amount})
	if x.heard() {
		told := t
		x.tell(broker.Event{Account: a.info.ID, Transaction: &told})
	}
}

// postFill is post for a fill of an order.
func (x *Exchange) postFill(o *order, fill int, amount sums.Number) {
	x.transactionSeq++
	e := entry{order: o, fill: fill, sequence: x.transactionSeq, amount: amount}
	o.acct.cash = o.acct.cash.Plus(amount)
	x.remember(o.acct, e)
	if x.heard() {
		told := x.unseen.transaction(x.brief())
		e.write(told)
		told.ID = x.transactionNames.Of(e.sequence)
		if !x.opts.Brief {
			told.Price, told.Fees = copyDecimal(told.Price), copyFees(told.Fees)
		}
		x.tell(broker.Event{Account: o.acct.info.ID, Transaction: told})
	}
}

// remember puts a line behind the others, of which the first may be forgotten.
func (x *Exchange) remember(a *account, e entry) {
	if most := x.opts.Remember; most > 0 && a.history.Len() >= 2*most+64 {
		a.history.Keep(most)
	}
	a.history.Add(e)
}

// transaction is the line. Its price and fees are those of the fill.
func (e *entry) transaction() broker.Transaction {
	if e.line != nil {
		return *e.line
	}
	var t broker.Transaction
	e.write(&t)
	t.ID = "T" + strconv.FormatUint(e.sequence, 10)
	return t
}

// write writes down the line of a fill, without its ID.
func (e *entry) write(t *broker.Transaction) {
	f := &e.order.fills[e.fill]
	*t = broker.Transaction{
		Account: f.Account, Time: f.Time, Kind: broker.Trade, Symbol: f.Symbol, Quantity: sums.Signed(f.Quantity, f.Action.Sign()),
		Price: &f.Price, Amount: e.amount.Decimal(), Fees: f.Fees, Order: f.Order, Text: string(f.Action),
	}
}

// transactions are all lines that are remembered.
func (a *account) transactions() []broker.Transaction {
	var out []broker.Transaction
	for _, e := range a.history.All() {
		out = append(out, e.transaction())
	}
	return out
}
