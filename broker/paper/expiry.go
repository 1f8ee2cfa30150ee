package paper

import (
	"math"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Lifecycle says what happens to positions while nobody trades. The zero value
// settles options at expiry, assigns short calls that are worth exercising for a
// dividend, and charges no interest.
//
// # Expiry
//
// An option that is a cent or more in the money when it expires is exercised,
// unless [Exchange.DoNotExercise] said otherwise, and a short one is assigned. In
// cash settlement the difference is paid; otherwise the shares change hands at the
// strike, whether the account has the money or not: a margin call may follow. The
// settlement is that of the underlying's last trade of the day, or its mark where
// there was none. An option whose underlying has no price stays until there is one.
//
// Options that settle at the open stop trading the day before and settle a minute
// after the open of their last day, at the underlying's price then, unless
// Settlement knows the special opening quotation. Options on futures are not
// settled: close them.
type Lifecycle struct {
	// Settlement gives the official settlement value of an option's underlying;
	// false leaves it to the exchange's own prices. Nil: always its own.
	Settlement func(option market.Symbol, expiration market.Date) (float64, bool)
	// Early says what happens to short calls before an ex-dividend date.
	Early EarlyAssignment
	// EarlyShare is the chance of each contract to be assigned by EarlyLottery,
	// from 0 to 1.
	EarlyShare float64
	// Interest is what cash costs and earns. Nil: nothing.
	Interest InterestTable
	// Liquidate closes positions of accounts whose margin call is not met.
	Liquidate bool
	// Grace is how many closes a maintenance call may stand before Liquidate acts:
	// 0 closes at the next open.
	Grace int
}

// An EarlyAssignment says which short calls are assigned at the close before an
// ex-dividend date. Only American calls that are in the money and whose time value
// is less than the dividend are worth exercising.
type EarlyAssignment int8

// The ways.
const (
	EarlyRational EarlyAssignment = iota // all that are worth it
	EarlyLottery                         // each contract with the chance of EarlyShare
	EarlyNever
)

func (l *Lifecycle) validate() error {
	switch {
	case l.Early < EarlyRational || l.Early > EarlyNever:
		return invalid.Field("Lifecycle.Early", int(l.Early), "one of the ways")
	case !(l.EarlyShare >= 0 && l.EarlyShare <= 1):
		return invalid.Field("Lifecycle.EarlyShare", l.EarlyShare, "a chance from 0 to 1")
	case l.Grace < 0:
		return invalid.Field("Lifecycle.Grace", l.Grace, "a number of closes, at least 0")
	}
	return l.Interest.validate()
}

// exerciseAt is what an option must be in the money to be exercised by itself
// (Options Clearing Corporation rule 805).
var exerciseAt = decimal.New(1, -2)

// settleExpired settles every option whose time is over and whose underlying has
// a price.
func (x *Exchange) settleExpired() {
	for _, a := range x.accountList {
		x.endExpiredOrders(a)
		for _, p := range x.listed(a) {
			if t := &p.book.terms; t.option && !x.time().Before(x.expiry(t)) {
				x.settleOption(a, p)
			}
		}
	}
}

func (x *Exchange) endExpiredOrders(a *account) {
	var over []*order // finishing them changes the list
	for _, o := range a.working {
		for i := range o.legs {
			if t := &o.legs[i].book.terms; t.option && !x.time().Before(x.expiry(t)) {
				over = append(over, o)
				break
			}
		}
	}
	for _, o := range over {
		x.finish(o, broker.Expired, "the option expired")
	}
}

func (x *Exchange) settleOption(a *account, p *position) {
	spot, ok := x.settlement(p.book)
	if !ok {
		return
	}
	intrinsic := x.intrinsic(p.book, spot)
	declined := p.quantity.Sign() > 0 && x.life.declined(a.info.ID, p.book.symbol)
	if intrinsic.LessThan(exerciseAt) || declined {
		b, quantity := p.book, p.quantity.Decimal()
		x.move(a, b, quantity.Neg(), decimal.Zero)
		x.post(a, broker.Transaction{Kind: broker.Expiration, Symbol: b.symbol, Quantity: quantity.Neg(), Text: expiredText(declined)})
		x.tellPosition(a, b)
		x.tellBalances(a)
		return
	}
	x.exercise(a, p.book, p.quantity.Decimal(), intrinsic)
}

func expiredText(declined bool) string {
	if declined {
		return "expired, not exercised as instructed"
	}
	return "expired worthless"
}

// settlement is the price that an option settles against.
func (x *Exchange) settlement(b *book) (decimal.Decimal, bool) {
	if official := x.opts.Lifecycle.Settlement; official != nil {
		if v, ok := official(b.symbol, b.terms.contract.Expiration); ok && v >= 0 && !math.IsInf(v, 0) {
			return decimal.NewFromFloat(v), true
		}
	}
	u := x.books[b.terms.underlying]
	if u == nil {
		return decimal.Zero, false
	}
	price := u.mark
	_, settles, _ := b.terms.contract.Terms()
	if settles != market.SettledAM && u.last > 0 && market.DateOf(x.at(u.lastAt)) == market.DateOf(x.expiry(&b.terms)) {
		price = u.last
	}
	if !(price >= 0) || math.IsInf(price, 0) {
		return decimal.Zero, false
	}
	return exact(price), true
}

// delivers is how many shares a contract delivers.
func (x *Exchange) delivers(b *book) decimal.Decimal {
	if shares, ok := x.life.Adjusted[b.symbol]; ok {
		return shares
	}
	return b.terms.multiplier
}

// intrinsic is what exercise is worth for one unit of the contract's multiplier,
// at least 0.
func (x *Exchange) intrinsic(b *book, spot decimal.Decimal) decimal.Decimal {
	strike := decimal.NewFromFloat(b.terms.contract.Strike)
	if shares, ok := x.life.Adjusted[b.symbol]; ok {
		spot = spot.Mul(shares).Div(b.terms.multiplier)
	}
	if b.terms.contract.Kind == market.Put {
		return decimal.Max(strike.Sub(spot), decimal.Zero)
	}
	return decimal.Max(spot.Sub(strike), decimal.Zero)
}

// exercise closes contracts by exercise when the quantity is positive and by
// assignment when it is negative.
func (x *Exchange) exercise(a *account, b *book, quantity, intrinsic decimal.Decimal) {
	kind, cause, text := broker.Exercise, broker.ForExercise, "exercised"
	if quantity.Sign() < 0 {
		kind, cause, text = broker.Assignment, broker.ForAssignment, "assigned"
	}
	fees := x.lifecycleFees(b, cause, quantity.Abs(), intrinsic)
	a.fees = a.fees.Plus(totalOf(&fees))
	_, _, cash := b.terms.contract.Terms()
	if cash {
		x.move(a, b, quantity.Neg(), intrinsic)
		x.post(a, broker.Transaction{
			Kind: kind, Symbol: b.symbol, Quantity: quantity.Neg(), Price: &intrinsic, Fees: &fees,
			Amount: quantity.Mul(intrinsic).Mul(b.terms.multiplier).Add(fees.Total()), Text: text + ", settled in cash",
		})
		x.tellPosition(a, b)
		x.tellBalances(a)
		return
	}
	x.move(a, b, quantity.Neg(), decimal.Zero)
	x.post(a, broker.Transaction{Kind: kind, Symbol: b.symbol, Quantity: quantity.Neg(), Fees: &fees, Amount: fees.Total(), Text: text})
	x.tellPosition(a, b)
	x.deliver(a, b, quantity, kind, text)
	x.tellBalances(a)
}

// deliver moves the shares of exercised or assigned contracts against the strike.
func (x *Exchange) deliver(a *account, b *book, quantity decimal.Decimal, kind broker.TransactionKind, text string) {
	shares := quantity.Mul(x.delivers(b))
	paid := quantity.Mul(decimal.NewFromFloat(b.terms.contract.Strike)).Mul(b.terms.multiplier)
	if b.terms.contract.Kind == market.Put {
		shares, paid = shares.Neg(), paid.Neg()
	}
	u, err := x.bookOf(b.terms.underlying)
	if err != nil || shares.IsZero() {
		// What is delivered cannot be held here: its value is paid.
		x.post(a, broker.Transaction{Kind: kind, Symbol: b.terms.underlying, Amount: paid.Neg(), Text: text})
		return
	}
	price := paid.Div(shares)
	x.move(a, u, shares, price)
	x.post(a, broker.Transaction{Kind: kind, Symbol: u.symbol, Quantity: shares, Price: &price, Amount: paid.Neg(), Text: text + ": " + string(b.symbol)})
	x.tellPosition(a, u)
}

// lifecycleFees are the fees of an exercise or assignment; none when they cannot
// be counted, because it happens all the same.
func (x *Exchange) lifecycleFees(b *book, cause broker.FeeCause, contracts, price decimal.Decimal) broker.Fees {
	if x.opts.Fees == nil {
		return broker.Fees{}
	}
	fees, err := x.opts.Fees.Fees(x.today(), broker.FeeEvent{Cause: cause, Symbol: b.symbol, Quantity: contracts, Price: price, Multiplier: b.terms.multiplier})
	if err != nil {
		return broker.Fees{}
	}
	return fees
}

// option returns an account and its position in a contract that still lives.
func (x *Exchange) liveOption(account AccountID, option market.Symbol) (*account, *position, error) {
	a := x.accounts[account]
	if a == nil {
		return nil, nil, broker.ErrUnknownAccount
	}
	p := a.positions[option]
	if p == nil || !p.book.terms.option || p.quantity.Sign() <= 0 {
		return nil, nil, invalid.Field("option", option, "an option that the account is long")
	}
	if !x.time().Before(x.expiry(&p.book.terms)) {
		return nil, nil, invalid.Field("option", option, "an option that has not expired")
	}
	return a, p, nil
}

// Exercise exercises long American options now. The shares change hands at the
// strike at once, whatever the option is worth; buying power is not asked for, as
// a broker asks after it. The error is broker.ErrUnknownAccount or a *FieldError.
func (x *Exchange) Exercise(account AccountID, option market.Symbol, contracts int) error {
	x.lock()
	defer x.unlock()
	a, p, err := x.liveOption(account, option)
	if err != nil {
		return err
	}
	quantity := decimal.NewFromInt(int64(contracts))
	if style, _, _ := p.book.terms.contract.Terms(); style != market.American {
		return invalid.Field("option", option, "an American option: a European one is exercised at its expiry")
	}
	if contracts <= 0 || quantity.GreaterThan(p.quantity.Decimal()) {
		return invalid.Fieldf("contracts", contracts, "1 to %s, the contracts that the account is long", p.quantity.Decimal())
	}
	spot, ok := x.settlement(p.book)
	if _, _, cash := p.book.terms.contract.Terms(); cash && !ok {
		return invalid.Field("option", option, "an option whose underlying has a price")
	}
	x.exercise(a, p.book, quantity, x.intrinsic(p.book, spot))
	x.freeCovered(a)
	return nil
}

// DoNotExercise says that a long option shall expire even if it is in the money,
// or takes that back. It ends with the contract. The error is
// broker.ErrUnknownAccount or a *FieldError.
func (x *Exchange) DoNotExercise(account AccountID, option market.Symbol, decline bool) error {
	x.lock()
	defer x.unlock()
	_, _, err := x.liveOption(account, option)
	if err != nil {
		return err
	}
	x.life.decline(account, option, decline)
	return nil
}

// An Assigned says how many contracts of an account were assigned.
type Assigned struct {
	Account   AccountID
	Contracts int
}

// Assign assigns short American options, as if holders elsewhere had exercised so
// many contracts. Which accounts are hit is drawn by lot among all short contracts,
// from the exchange's seed; the result is in the order of the accounts' opening.
// The error is a *FieldError when fewer contracts are short.
func (x *Exchange) Assign(option market.Symbol, contracts int) ([]Assigned, error) {
	x.lock()
	defer x.unlock()
	b := x.books[option]
	if b == nil || !b.terms.option {
		return nil, invalid.Field("option", option, "an option that an account is short")
	}
	if style, _, _ := b.terms.contract.Terms(); style != market.American || !x.time().Before(x.expiry(&b.terms)) {
		return nil, invalid.Field("option", option, "an American option that has not expired")
	}
	short, total := x.shortContracts(option)
	if contracts <= 0 || int64(contracts) > total {
		return nil, invalid.Fieldf("contracts", contracts, "1 to %d, the contracts that are short", total)
	}
	hits := x.draw(short, total, contracts)
	return x.assignEach(b, hits), nil
}

// shortContracts counts the short contracts of each account, in the order of the
// accounts.
func (x *Exchange) shortContracts(option market.Symbol) (each []int64, total int64) {
	each = make([]int64, len(x.accountList))
	for i, a := range x.accountList {
		if p := a.positions[option]; p != nil && p.quantity.Sign() < 0 {
			each[i] = p.quantity.Neg().Decimal().IntPart()
			total += each[i]
		}
	}
	return each, total
}

// draw takes contracts one by one, each with the same chance.
func (x *Exchange) draw(short []int64, total int64, contracts int) []int64 {
	hits := make([]int64, len(short))
	for range contracts {
		n := x.random.Int64N(total)
		for i := range short {
			if left := short[i] - hits[i]; n < left {
				hits[i]++
				break
			} else {
				n -= left
			}
		}
		total--
	}
	return hits
}

func (x *Exchange) assignEach(b *book, hits []int64) []Assigned {
	var all []Assigned
	spot, _ := x.settlement(b)
	for i, n := range hits {
		if n == 0 {
			continue
		}
		a := x.accountList[i]
		x.exercise(a, b, decimal.NewFromInt(-n), x.intrinsic(b, spot))
		x.freeCovered(a)
		all = append(all, Assigned{Account: a.info.ID, Contracts: int(n)})
	}
	return all
}

// freeCovered lets the working orders meet what is left to close: those that find
// nothing end when they are to fill.
func (x *Exchange) freeCovered(a *account) {
	a.tidy()
	x.drain()
}

// earlyAssignments assigns short calls at the close before an ex-dividend date.
func (x *Exchange) earlyAssignments(next market.Date) {
	if x.opts.Lifecycle.Early == EarlyNever {
		return
	}
	for _, action := range x.life.Actions {
		if action.Split() || action.Ex != next {
			continue
		}
		for _, symbol := range sortedKeys(x.books) {
			b := x.books[symbol]
			if x.worthExercising(b, action) {
				x.assignEarly(b)
			}
		}
	}
}

// worthExercising tells whether a call's holder gains by taking the dividend: its
// time value is less.
func (x *Exchange) worthExercising(b *book, action CorporateAction) bool {
	t := &b.terms
	if !t.option || t.kind != market.KindOption || t.underlying != action.Symbol || t.contract.Kind != market.Call || math.IsNaN(b.mark) || !x.time().Before(x.expiry(t)) {
		return false
	}
	style, _, cash := t.contract.Terms()
	u := x.books[t.underlying]
	if style != market.American || cash || u == nil || math.IsNaN(u.mark) {
		return false
	}
	intrinsic := x.intrinsic(b, exact(u.mark))
	return intrinsic.Sign() > 0 && decimal.NewFromFloat(b.mark).Sub(intrinsic).LessThan(action.Amount)
}

func (x *Exchange) assignEarly(b *book) {
	short, total := x.shortContracts(b.symbol)
	if total == 0 {
		return
	}
	if x.opts.Lifecycle.Early == EarlyRational {
		x.assignEach(b, short)
		return
	}
	n := 0
	for range total {
		if x.random.Float64() < x.opts.Lifecycle.EarlyShare {
			n++
		}
	}
	x.assignEach(b, x.draw(short, total, n))
}

// pinDistance is how near the strike an expiring option counts as pinned, as a
// fraction of the price.
const pinDistance = 0.005

// Notices warn of what the next days may bring to an account: options that expire
// today in or near the money, short calls that a dividend may have exercised,
// open margin calls. Codes: "expires_today", "pin_risk", "dividend_risk",
// "margin_call". The error is broker.ErrUnknownAccount.
func (x *Exchange) Notices(account AccountID) ([]broker.Notice, error) {
	x.lock()
	defer x.unlock()
	a := x.accounts[account]
	if a == nil {
		return nil, broker.ErrUnknownAccount
	}
	notices := []broker.Notice{}
	for _, p := range x.listed(a) {
		if p.book.terms.option {
			notices = append(notices, x.optionNotices(p)...)
		}
	}
	for _, c := range x.life.Calls[account] {
		notices = append(notices, broker.Notice{Code: "margin_call", Message: "a " + string(c.Kind) + " call of " + c.Amount.StringFixed(2) + " is open since " + c.Since.String()})
	}
	return notices, nil
}

func (x *Exchange) optionNotices(p *position) []broker.Notice {
	b := p.book
	u := x.books[b.terms.underlying]
	if u == nil || math.IsNaN(u.mark) {
		return nil
	}
	var out []broker.Notice
	tell := func(code, text string) {
		out = append(out, broker.Notice{Code: code, Message: text})
	}
	in := x.intrinsic(b, exact(u.mark)).GreaterThanOrEqual(exerciseAt)
	ends := x.expiry(&b.terms)
	_, _, cash := b.terms.contract.Terms()
	short := p.quantity.Sign() < 0
	if market.DateOf(ends) == x.today() && x.time().Before(ends) {
		switch {
		case math.Abs(u.mark-b.terms.contract.Strike) <= pinDistance*u.mark && !cash:
			tell("pin_risk", string(b.symbol)+" expires today near its strike: whether shares will change hands is open")
		case in && short:
			tell("expires_today", string(b.symbol)+" expires today in the money and will be assigned")
		case in:
			tell("expires_today", string(b.symbol)+" expires today in the money and will be exercised")
		}
	}
	if short {
		next := market.NYSE().Next(x.time()).Date
		for _, action := range x.life.Actions {
			if !action.Split() && action.Ex == next && x.worthExercising(b, action) {
				tell("dividend_risk", string(b.symbol)+" is worth exercising for the dividend of "+action.Amount.String()+" on "+action.Ex.String())
			}
		}
	}
	return out
}

// opening is the minute after the open, at which options settle that settle there.
const opening = time.Minute
