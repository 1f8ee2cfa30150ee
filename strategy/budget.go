package strategy

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// What strategies branch on. In each case no order was sent.
var (
	// ErrBudget: the budget does not allow it. The error is a *[BudgetError].
	ErrBudget = errors.New("not within the strategy's budget")
	// ErrHalted: the session opens nothing any more. See [Session.Halt].
	ErrHalted = errors.New("the strategy is halted")
	// ErrHeld: working stops or targets are going to close what is to be closed:
	// cancel them first.
	ErrHeld = errors.New("working orders hold the position")
)

// A BudgetError says which limit of a [Budget] forbids an order. The strategy goes
// on.
type BudgetError struct {
	Limit  string // the budget's field: "Loss"
	Used   decimal.Decimal
	Most   decimal.Decimal
	Detail string
}

// Error names the limit and what would be used of it.
func (e *BudgetError) Error() string {
	return fmt.Sprintf("%v: %s: %s would be %s, at most %s", ErrBudget, e.Limit, e.Detail, e.Used, e.Most)
}

// Unwrap returns ErrBudget.
func (e *BudgetError) Unwrap() error { return ErrBudget }

// Validate checks a budget that somebody wrote. The error is a *FieldError.
func (b Budget) Validate() error {
	for _, c := range []struct {
		name   string
		amount decimal.Decimal
	}{{"Budget.Loss", b.Loss}, {"Budget.Capital", b.Capital}, {"Budget.Notional", b.Notional}} {
		if c.amount.Sign() < 0 {
			return invalid.Field(c.name, c.amount, "a positive amount, or 0 for no limit")
		}
	}
	if b.Contracts < 0 {
		return invalid.Field("Budget.Contracts", b.Contracts, "a positive number, or 0 for no limit")
	}
	if b.Orders < 0 {
		return invalid.Field("Budget.Orders", b.Orders, "a positive number, or 0 for no limit")
	}
	return nil
}

// allow checks a ticket that opens against the budget.
func (s *Session) allow(ticket *broker.Ticket) error {
	b := &s.opts.Budget
	if s.unlimited && s.halted == "" {
		return nil
	}
	orders := s.dayOrders
	if s.day != s.Date() {
		orders = 0
	}
	if b.Orders > 0 && orders+len(ticket.Orders) > b.Orders {
		return &BudgetError{"Orders", decimal.NewFromInt(int64(orders + len(ticket.Orders))), decimal.NewFromInt(int64(b.Orders)), "orders of the day"}
	}
	if s.halted != "" {
		return fmt.Errorf("%w: %s", ErrHalted, s.halted)
	}
	if b.Loss.Sign() > 0 {
		profit := s.Profit()
		if math.IsNaN(profit) {
			return &BudgetError{"Loss", decimal.Zero, b.Loss, "the loss is not known, as a price is missing; it"}
		}
		if loss := Amount(-profit); !loss.LessThan(b.Loss) {
			return &BudgetError{"Loss", loss, b.Loss, "the loss so far"}
		}
	}
	if b.Notional.Sign() > 0 {
		for i := range ticket.Orders {
			size := s.notional(&ticket.Orders[i])
			if math.IsNaN(size) {
				return &BudgetError{"Notional", decimal.Zero, b.Notional, "the notional is not known, as a price is missing; it"}
			}
			if amount := Amount(size); amount.GreaterThan(b.Notional) {
				return &BudgetError{"Notional", amount, b.Notional, "the notional of the order"}
			}
		}
	}
	if b.Contracts > 0 {
		if err := s.allowContracts(ticket); err != nil {
			return err
		}
	}
	if b.Capital.Sign() > 0 {
		return s.allowCapital(ticket)
	}
	return nil
}

// notional is the money that an order moves or controls: for shares their price,
// for options their strikes, of which only the larger of the bought and the sold
// side counts.
func (s *Session) notional(o *broker.Order) float64 {
	if o.Notional != nil {
		return o.Notional.InexactFloat64()
	}
	var shares, bought, sold float64
	for _, l := range o.Legs {
		size := l.Quantity.InexactFloat64() * s.multiplier(l.Symbol)
		if c, ok := l.Symbol.Contract(); ok {
			if l.Action.Sign() > 0 {
				bought += c.Strike * size
			} else {
				sold += c.Strike * size
			}
			continue
		}
		price := s.Price(l.Symbol)
		switch {
		case o.Limit != nil && len(o.Legs) == 1:
			price = o.Limit.Abs().InexactFloat64()
		case o.Stop != nil:
			price = math.Max(price, o.Stop.InexactFloat64())
		}
		shares += price * size
	}
	return shares + math.Max(bought, sold)
}

func (s *Session) allowContracts(ticket *broker.Ticket) error {
	for i := range ticket.Orders {
		for _, l := range ticket.Orders[i].Legs {
			if l.Symbol.Kind() != market.KindOption || !l.Action.Opens() {
				continue
			}
			size := math.Abs(s.Position(l.Symbol).Quantity+s.Pending(l.Symbol)) + l.Quantity.InexactFloat64()
			if size > float64(s.opts.Budget.Contracts) {
				return &BudgetError{"Contracts", decimal.NewFromFloat(size), decimal.NewFromInt(int64(s.opts.Budget.Contracts)), "contracts of " + string(l.Symbol)}
			}
		}
	}
	return nil
}

// allowCapital counts the buying power that the positions would use after all
// that works and the ticket have filled, by Regulation T.
func (s *Session) allowCapital(ticket *broker.Ticket) error {
	most := s.opts.Budget.Capital
	after := map[market.Symbol]decimal.Decimal{}
	for _, p := range s.book.list {
		after[p.Symbol] = p.Exact()
	}
	add := func(o *broker.Order) {
		for _, l := range o.Legs {
			after[l.Symbol] = after[l.Symbol].Add(l.Quantity.Mul(decimal.NewFromInt(int64(l.Action.Sign()))))
		}
	}
	for _, o := range s.orders.working {
		if o.nets() {
			add(&o.state.Order)
			for i, l := range o.state.Order.Legs { // what has filled is in the book
				after[l.Symbol] = after[l.Symbol].Sub(o.booked[i].Signed(l.Action.Sign()).Decimal())
			}
		}
	}
	switch ticket.Kind {
	case broker.OTO, broker.Bracket, broker.OCO:
		add(&ticket.Orders[0]) // the others only take back what it does
	default:
		for i := range ticket.Orders {
			add(&ticket.Orders[i])
		}
	}
	used, err := s.capital(after)
	if err != nil {
		return &BudgetError{"Capital", decimal.Zero, most, "the capital cannot be counted (" + err.Error() + "); it"}
	}
	if used.GreaterThan(most) {
		return &BudgetError{"Capital", used, most, "the buying power used"}
	}
	return nil
}

// capital is the buying power that positions use, by Regulation T: what was paid
// for them and what they require.
func (s *Session) capital(positions map[market.Symbol]decimal.Decimal) (decimal.Decimal, error) {
	in := broker.MarginInput{Underlyings: map[market.Symbol]decimal.Decimal{}, Date: s.Date()}
	cost := decimal.Zero
	for _, symbol := range slices.Sorted(maps.Keys(positions)) {
		quantity := positions[symbol]
		if quantity.IsZero() {
			continue
		}
		price := s.Price(symbol)
		if !(price >= 0) {
			return cost, fmt.Errorf("no price of %s", symbol)
		}
		p := broker.MarginPosition{
			Symbol: symbol, Quantity: quantity, Price: decimal.NewFromFloat(price), Underlying: underlyingOf(symbol), Multiplier: decimal.NewFromFloat(s.multiplier(symbol)),
		}
		if p.Underlying != symbol {
			if spot := s.Price(p.Underlying); spot > 0 {
				in.Underlyings[p.Underlying] = decimal.NewFromFloat(spot)
			}
		}
		in.Positions = append(in.Positions, p)
		cost = cost.Add(p.Quantity.Mul(p.Price).Mul(p.Multiplier))
	}
	rules := &broker.MarginRules{}
	before, err := rules.Requirement(broker.MarginInput{})
	if err != nil {
		return cost, err
	}
	margin, err := rules.Requirement(in)
	if err != nil {
		return cost, err
	}
	return broker.BuyingPowerEffect(before, margin, cost.Neg()).Neg(), nil
}
