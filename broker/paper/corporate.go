package paper

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/sums"
	"github.com/ttai-go/ttai/market"
)

// A CorporateAction is a cash dividend or a split.
//
// Who holds shares at the end of the day before Ex receives the dividend, and who
// is short owes it; the money moves on Pay. A split changes holdings before trading
// on Ex: fractions of whole holdings are paid in cash. Options on the shares follow
// as the Options Clearing Corporation adjusts them: when one share becomes a whole
// number of shares, contracts are multiplied and strikes divided; after any other
// split the contract keeps its strike, delivers another number of shares and
// trades under a root with a digit behind. Working orders in what was split are
// cancelled. Prices are taken to be as traded: an exchange that is fed with bars
// adjusted for splits or dividends must not be told of them as well.
type CorporateAction struct {
	Symbol market.Symbol // of the shares
	Ex     market.Date
	// Pay is when a dividend is paid; zero: on Ex.
	Pay market.Date
	// Amount is the dividend per share, positive; zero for a split.
	Amount decimal.Decimal
	// New shares for Old ones: 4 and 1, or 1 and 8. Zero for a dividend.
	New, Old int
}

// Split tells that the action is a split.
func (c CorporateAction) Split() bool { return c.New != 0 || c.Old != 0 }

func (c CorporateAction) validate(today market.Date) error {
	switch {
	case c.Symbol == "" || c.Symbol.Kind() != market.KindEquity:
		return invalid.Field("Symbol", c.Symbol, "the symbol of shares")
	case c.Ex.IsZero() || !c.Ex.After(today):
		return invalid.Field("Ex", c.Ex, "a day after today, which is "+today.String())
	case !c.Pay.IsZero() && c.Pay.Before(c.Ex):
		return invalid.Field("Pay", c.Pay, "no day before Ex")
	case c.Split() && (c.New <= 0 || c.Old <= 0 || !c.Amount.IsZero()):
		return invalid.Field("New, Old", fmt.Sprintf("%d, %d", c.New, c.Old), "two positive numbers and no Amount, for a split")
	case !c.Split() && c.Amount.Sign() <= 0:
		return invalid.Field("Amount", c.Amount, "a positive amount per share, or New and Old for a split")
	}
	return nil
}

// Announce tells the exchange of corporate actions to come. The error is a
// *FieldError, and none was taken.
func (x *Exchange) Announce(actions ...CorporateAction) error {
	x.lock()
	defer x.unlock()
	for i, c := range actions {
		if err := c.validate(x.today()); err != nil {
			return fmt.Errorf("action %d: %w", i, err)
		}
	}
	for _, c := range actions {
		if c.Pay.IsZero() {
			c.Pay = c.Ex
		}
		x.life.Actions = append(x.life.Actions, c)
	}
	slices.SortStableFunc(x.life.Actions, func(a, b CorporateAction) int {
		return cmp.Or(a.Ex.Compare(b.Ex), cmp.Compare(a.Symbol, b.Symbol))
	})
	return nil
}

// AnnounceEvents announces dividends and splits as a market.Source tells them;
// other events, those of the past and those without a value are left out. A split
// becomes the nearest ratio of whole numbers up to 1000.
func (x *Exchange) AnnounceEvents(events []market.Event) error {
	today := market.DateOf(x.Now())
	var actions []CorporateAction
	for _, e := range events {
		if !e.Date.After(today) || !(e.Value > 0) || math.IsInf(e.Value, 0) {
			continue
		}
		switch e.Kind {
		case market.Dividend:
			actions = append(actions, CorporateAction{Symbol: e.Symbol, Ex: e.Date, Amount: decimal.NewFromFloat(e.Value)})
		case market.Split:
			newShares, old := ratio(e.Value)
			if newShares != old {
				actions = append(actions, CorporateAction{Symbol: e.Symbol, Ex: e.Date, New: newShares, Old: old})
			}
		}
	}
	return x.Announce(actions...)
}

// ratio is the first fraction of small numbers that a split's value stands for.
func ratio(value float64) (newShares, old int) {
	best := math.Inf(1)
	for d := 1; d <= 1000; d++ {
		n := math.Round(value * float64(d))
		if n < 1 {
			continue
		}
		if miss := math.Abs(n/float64(d) - value); miss < best-1e-12 {
			best, newShares, old = miss, int(n), d
		}
		if best <= 1e-9*value {
			break
		}
	}
	return newShares, old
}

// A payable is a dividend that somebody is entitled to, or owes.
type payable struct {
	Account AccountID
	Symbol  market.Symbol
	Pay     market.Date
	Amount  decimal.Decimal
	Text    string
}

// corporate does the actions of a day before it trades, and pays what is due.
func (x *Exchange) corporate(today market.Date) {
	actions := x.life.Actions
	n := 0
	for n < len(actions) && !actions[n].Ex.After(today) {
		n++
	}
	x.life.Actions = slices.Clone(actions[n:])
	for _, c := range actions[:n] {
		if c.Split() {
			x.split(c)
		} else {
			x.entitle(c)
		}
	}
	kept := x.life.Payables[:0]
	for _, p := range x.life.Payables {
		if p.Pay.After(today) {
			kept = append(kept, p)
			continue
		}
		if a := x.accounts[p.Account]; a != nil {
			x.post(a, broker.Transaction{Kind: broker.Dividend, Symbol: p.Symbol, Amount: p.Amount, Text: p.Text})
			x.tellBalances(a)
		}
	}
	x.life.Payables = kept
}

func (x *Exchange) entitle(c CorporateAction) {
	for _, a := range x.accountList {
		p := a.positions[c.Symbol]
		if p == nil || p.quantity.IsZero() {
			continue
		}
		held := p.quantity.Decimal()
		text := fmt.Sprintf("dividend of %s on %s shares", c.Amount, held)
		x.life.Payables = append(x.life.Payables, payable{a.info.ID, c.Symbol, c.Pay, held.Mul(c.Amount).Round(2), text})
	}
}

func (x *Exchange) split(c CorporateAction) {
	x.endSplitOrders(c)
	by := decimal.NewFromInt(int64(c.New)).Div(decimal.NewFromInt(int64(c.Old)))
	if b := x.books[c.Symbol]; b != nil {
		b.rescale(float64(c.New) / float64(c.Old))
	}
	// A successor can be a contract that is listed already and is split as well:
	// what all were worth is noted before any of them changes.
	before := map[market.Symbol]worths{}
	for symbol, b := range x.books {
		before[symbol] = worths{b.mark, b.prevClose}
	}
	for _, a := range x.accountList {
		for _, p := range x.listed(a) {
			t := &p.book.terms
			switch {
			case p.book.symbol == c.Symbol:
				x.splitShares(a, p, c)
			case t.option && t.kind == market.KindOption && t.underlying == c.Symbol:
				x.splitOption(a, p, c, by, before[p.book.symbol])
			}
		}
		x.tellBalances(a)
	}
}

type worths struct{ mark, prevClose float64 }

func (x *Exchange) endSplitOrders(c CorporateAction) {
	symbol := c.Symbol
	for _, a := range x.accountList {
		for _, o := range append([]*order(nil), a.working...) {
			if x.opts.SplitOrders && x.splitOrder(o, c) {
				continue
			}
			if slices.ContainsFunc(o.legs, func(l leg) bool { return l.book.symbol == symbol || l.book.terms.underlying == symbol }) {
				x.finish(o, broker.Cancelled, "the shares were split")
			}
		}
	}
}

// splitOrder turns a working order in shares into one in the new shares, and tells
// whether it could.
func (x *Exchange) splitOrder(o *order, c CorporateAction) bool {
	if !o.single() || o.legs[0].book.symbol != c.Symbol || o.status.Terminal() || !o.done.IsZero() || o.spec.Notional != nil || o.trailing() {
		return false
	}
	by := decimal.NewFromInt(int64(c.New)).Div(decimal.NewFromInt(int64(c.Old)))
	after := o.total.Mul(decimal.NewFromInt(int64(c.New))).Div(decimal.NewFromInt(int64(c.Old)))
	if !o.allowed.Equal(o.total) || !after.IsInteger() {
		return false
	}
	working := o.place != nowhere
	x.pull(o)
	o.total, o.allowed = after, after
	o.spec.Legs = slices.Clone(o.spec.Legs) // others may have seen the old ones
	o.spec.Legs[0].Quantity = after
	if o.spec.Limit != nil {
		limit := o.spec.Limit.DivRound(by, 9)
		o.spec.Limit, o.limit = &limit, limit.Abs().InexactFloat64()
	}
	if o.spec.Stop != nil {
		stop := o.spec.Stop.DivRound(by, 9)
		o.spec.Stop, o.stop = &stop, stop.InexactFloat64()
	}
	if working {
		x.insert(o)
	}
	x.tellOrder(o)
	return true
}

// rescale brings a book's prices to the new shares. The quote is gone.
func (b *book) rescale(by float64) {
	b.bid, b.ask = math.NaN(), math.NaN()
	b.last, b.mark, b.prevClose = b.last/by, b.mark/by, b.prevClose/by
	b.measure()
}

// splitShares multiplies a holding of shares; its cost stays.
func (x *Exchange) splitShares(a *account, p *position, c CorporateAction) {
	before := p.quantity.Decimal()
	after := before.Mul(decimal.NewFromInt(int64(c.New))).Div(decimal.NewFromInt(int64(c.Old)))
	p.quantity = sums.Of(after)
	text := fmt.Sprintf("split %d for %d", c.New, c.Old)
	amount := decimal.Zero
	if whole := after.Truncate(0); before.IsInteger() && !whole.Equal(after) {
		price := p.cost.Decimal().Div(after).Abs() // without a market the fraction is worth what it cost
		if !math.IsNaN(p.book.mark) {
			price = exact(p.book.mark)
		}
		fraction := after.Sub(whole)
		x.move(a, p.book, fraction.Neg(), price)
		amount = fraction.Mul(price).Round(2)
		after = whole
		text += ", the fraction in cash"
	}
	x.post(a, broker.Transaction{Kind: broker.Split, Symbol: p.book.symbol, Quantity: after.Sub(before), Amount: amount, Text: text})
	x.tellPosition(a, p.book)
}

// splitOption exchanges a contract for its successor.
func (x *Exchange) splitOption(a *account, p *position, c CorporateAction, by decimal.Decimal, worth worths) {
	old := p.book
	contract, factor := old.terms.contract, 1
	shares := x.delivers(old)
	if c.Old == 1 {
		contract.Strike, factor = math.Round(contract.Strike/float64(c.New)*1000)/1000, c.New
	} else {
		contract.Root = nextRoot(contract.Root)
		shares = shares.Mul(by)
	}
	symbol, err := market.NewOptionSymbol(contract)
	if err != nil {
		return // no root is left: the contract stays as it is
	}
	b, err := x.bookOf(symbol)
	if err != nil {
		return
	}
	if c.Old != 1 || !shares.Equal(b.terms.multiplier) {
		x.life.adjust(symbol, shares)
	}
	b.mark, b.prevClose = worth.mark/float64(factor), worth.prevClose/float64(factor)
	n := decimal.NewFromInt(int64(factor))
	before := p.quantity.Decimal()
	after := before.Mul(n)
	a.drop(old.symbol)
	to := &position{book: b, quantity: sums.Of(after), cost: p.cost, realized: p.realized, day: p.day, opened: p.opened}
	if held := a.position(b); held != nil {
		to.quantity, to.cost = to.quantity.Plus(held.quantity), to.cost.Plus(held.cost)
	}
	a.hold(to)
	text := fmt.Sprintf("split %d for %d", c.New, c.Old)
	x.post(a, broker.Transaction{Kind: broker.Split, Symbol: old.symbol, Quantity: before.Neg(), Text: text + ": now " + string(symbol)})
	x.post(a, broker.Transaction{Kind: broker.Split, Symbol: symbol, Quantity: after, Text: text + ": before " + string(old.symbol)})
	if x.heard() {
		gone := broker.Position{Account: a.info.ID, Symbol: old.symbol, Underlying: old.terms.underlying, Kind: old.terms.kind, Multiplier: old.terms.multiplier}
		x.tell(broker.Event{Account: a.info.ID, Position: &gone})
	}
	x.tellPosition(a, b)
}

// nextRoot is the root of contracts that a split changed: AAPL1 after AAPL, AAPL2
// after AAPL1.
func nextRoot(root string) string {
	last := root[len(root)-1]
	if last >= '1' && last < '9' && len(root) > 1 {
		return root[:len(root)-1] + strconv.Itoa(int(last-'0')+1)
	}
	return root + "1"
}
