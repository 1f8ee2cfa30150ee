package broker

import (
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FeeProduct is a class of instruments that a fee schedule charges alike.
type FeeProduct string

// The products. Micro futures are the contracts that their exchange calls so.
const (
	EquityProduct            FeeProduct = "equity"
	EquityOptionProduct      FeeProduct = "equity option"
	IndexOptionProduct       FeeProduct = "index option" // settled in cash
	FutureProduct            FeeProduct = "future"
	MicroFutureProduct       FeeProduct = "micro future"
	FutureOptionProduct      FeeProduct = "future option"
	MicroFutureOptionProduct FeeProduct = "micro future option"
	CryptoProduct            FeeProduct = "crypto"
)

// A FeePart says where a fee stands in [Fees].
type FeePart string

// The parts.
const (
	CommissionPart FeePart = "commission"
	ClearingPart   FeePart = "clearing"
	RegulatoryPart FeePart = "regulatory"
	ExchangePart   FeePart = "exchange" // proprietary index fees and the exchange's own
)

// A FeeCause is what a fee is charged for.
type FeeCause string

// The causes.
const (
	ForTrade      FeeCause = ""           // a fill
	ForExercise   FeeCause = "exercise"   // of a long option by its holder, or automatically
	ForAssignment FeeCause = "assignment" // of a short option
)

// A FeeSide limits a rule to some trades.
type FeeSide string

// The sides.
const (
	EverySide  FeeSide = ""
	BuySide    FeeSide = "buy"
	SellSide   FeeSide = "sell"
	OpenSide   FeeSide = "open"
	CloseSide  FeeSide = "close"
	WholeOnly  FeeSide = "whole"    // whole numbers of shares
	FractionOf FeeSide = "fraction" // quantities with a fraction of a share
)

// A FeeRule is one line of a schedule, valid for a span of dates. What a trade
// costs by it is
//
//	PerTrade + PerUnit · quantity + OfValue · value
//
// at least Least, at most Cap (per leg of an order) and rounded to Step. Zero
// values ask nothing: a rule that names no products is for all.
type FeeRule struct {
	// Name is the line's name in a breakdown: "brokerage", "clearing", "orf",
	// "sec", "taf", "cat", "nfa", "exchange", "proprietary", "spread".
	Name string
	Part FeePart
	// From is the first day and Until the first day on which it is no longer
	// valid; zero means always.
	From, Until market.Date
	Products    []FeeProduct
	// Roots limits it to these option or future roots, written like "SPXW" or "ES".
	Roots []string
	Side  FeeSide
	Cause FeeCause
	// Above and UpTo limit it to prices per unit p with Above < p ≤ UpTo.
	Above, UpTo decimal.Decimal
	// LegFrom and LegTo limit it to legs of this many units.
	LegFrom, LegTo decimal.Decimal

	PerTrade, PerUnit, OfValue decimal.Decimal
	Least, Cap                 decimal.Decimal
	// Step is the smallest amount, such as 0.01; zero keeps the exact amount. Up
	// rounds away from zero, otherwise to the nearest, halves away from zero.
	Step decimal.Decimal
	Up   bool

	// Source is where the numbers come from.
	Source string
	// Unverified: no statement or recorded answer of the broker was seen that
	// shows the amount.
	Unverified bool
}

// A FeeSchedule is what a broker charges, as data. The zero value charges
// nothing. It is safe for concurrent use while nobody changes it.
type FeeSchedule struct {
	Name  string
	Rules []FeeRule
}

// A FeeEvent describes a fill, an exercise or an assignment.
type FeeEvent struct {
	Cause  FeeCause
	Symbol market.Symbol
	// Product is told from the symbol when it is empty.
	Product FeeProduct
	// Action of a fill; for other causes it is not needed.
	Action Action
	// Quantity is positive: shares, contracts, coins.
	Quantity decimal.Decimal
	// Before is what the same leg of the same order has filled already: caps are
	// per leg.
	Before decimal.Decimal
	// Leg is the size of the whole leg; zero means Before + Quantity.
	Leg decimal.Decimal
	// Price per unit, not negative; needed by fees that are a part of the value.
	Price decimal.Decimal
	// Multiplier is 1 when zero, and 100 for options on shares and indices.
	Multiplier decimal.Decimal
}

// A FeeItem is one line of a breakdown.
type FeeItem struct {
	Name   string
	Part   FeePart
	Amount decimal.Decimal // negative when paid
	// Unverified is that of the rule.
	Unverified bool
}

// Fees returns what an event on a date costs, negative when paid. The error is a
// *FieldError.
func (s *FeeSchedule) Fees(date market.Date, e FeeEvent) (Fees, error) {
	items, err := s.Itemize(date, e)
	if err != nil {
		return Fees{}, err
	}
	var f Fees
	for _, item := range items {
		f = f.with(item)
	}
	return f, nil
}

// Plus returns the sum of two amounts of fees.
func (f Fees) Plus(g Fees) Fees {
	return Fees{
		Commission: f.Commission.Add(g.Commission), Clearing: f.Clearing.Add(g.Clearing),
		Regulatory: f.Regulatory.Add(g.Regulatory), Exchange: f.Exchange.Add(g.Exchange),
	}
}

func (f Fees) with(item FeeItem) Fees {
	switch item.Part {
	case ClearingPart:
		f.Clearing = f.Clearing.Add(item.Amount)
	case RegulatoryPart:
		f.Regulatory = f.Regulatory.Add(item.Amount)
	case ExchangePart:
		f.Exchange = f.Exchange.Add(item.Amount)
	default:
		f.Commission = f.Commission.Add(item.Amount)
	}
	return f
}

// Itemize returns the lines that make up [FeeSchedule.Fees], in the schedule's
// order; lines that cost nothing are left out.
func (s *FeeSchedule) Itemize(date market.Date, e FeeEvent) ([]FeeItem, error) {
	if s == nil || len(s.Rules) == 0 {
		return nil, nil
	}
	e, root, err := e.complete()
	if err != nil {
		return nil, err
	}
	var items []FeeItem
	for i := range s.Rules {
		r := &s.Rules[i]
		if !r.applies(date, &e, root) {
			continue
		}
		if amount := r.amount(&e); !amount.IsZero() {
			items = append(items, FeeItem{Name: r.Name, Part: r.Part, Amount: amount.Neg(), Unverified: r.Unverified})
		}
	}
	return items, nil
}

// OrderFees returns what an order costs when it fills at once, each leg at the
// price that prices has for its symbol. A leg without a price is a *FieldError.
func (s *FeeSchedule) OrderFees(date market.Date, o Order, prices map[market.Symbol]decimal.Decimal) (Fees, error) {
	var sum Fees
	for i, leg := range o.Legs {
		price, ok := prices[leg.Symbol]
		if !ok {
			return Fees{}, invalid.Field(fmt.Sprintf("prices[%s]", leg.Symbol), "nothing", "a price for each leg")
		}
		quantity := leg.Quantity
		if o.Notional != nil && price.Sign() > 0 {
			quantity = o.Notional.DivRound(price, 9)
		}
		f, err := s.Fees(date, FeeEvent{Symbol: leg.Symbol, Action: leg.Action, Quantity: quantity, Price: price})
		if err != nil {
			return Fees{}, fmt.Errorf("leg %d: %w", i, err)
		}
		sum = sum.Plus(f)
	}
	return sum, nil
}

func (e FeeEvent) complete() (FeeEvent, string, error) {
	switch {
	case e.Cause == ForTrade && e.Action.Sign() == 0:
		return e, "", invalid.Field("Action", string(e.Action), "buy to open, sell to open, buy to close or sell to close")
	case !slices.Contains([]FeeCause{ForTrade, ForExercise, ForAssignment}, e.Cause):
		return e, "", invalid.Field("Cause", string(e.Cause), "nothing for a trade, exercise or assignment")
	case e.Quantity.Sign() <= 0:
		return e, "", invalid.Field("Quantity", e.Quantity, "a positive quantity")
	case e.Before.Sign() < 0:
		return e, "", invalid.Field("Before", e.Before, "what the leg has filled before, at least 0")
	case e.Price.Sign() < 0:
		return e, "", invalid.Field("Price", e.Price, "a price per unit, at least 0")
	case e.Multiplier.Sign() < 0:
		return e, "", invalid.Field("Multiplier", e.Multiplier, "a positive multiplier")
	}
	product, root := feeProduct(e.Symbol)
	if e.Product == "" {
		e.Product = product
	}
	if e.Multiplier.IsZero() {
		e.Multiplier = decimal.NewFromInt(1)
		if e.Product == EquityOptionProduct || e.Product == IndexOptionProduct {
			e.Multiplier = hundred
		}
	}
	if e.Leg.IsZero() {
		e.Leg = e.Before.Add(e.Quantity)
	}
	return e, root, nil
}

var hundred = decimal.NewFromInt(100)

// microFutures are the futures that CME and its sister exchanges list as micro.
var microFutures = []string{"MES", "MNQ", "M2K", "MYM", "MCL", "MGC", "SIL", "MHG", "MNG", "MBT", "MET", "M6A", "M6B", "M6E", "MJY", "MCD", "MSF", "2YY", "5YY", "10Y", "30Y"}

func feeProduct(s market.Symbol) (FeeProduct, string) {
	switch s.Kind() {
	case market.KindOption:
		c, _ := s.Contract()
		if _, _, cash := c.Terms(); cash {
			return IndexOptionProduct, c.Root
		}
		return EquityOptionProduct, c.Root
	case market.KindFuture:
		root := market.FutureRoot(s)
		if slices.Contains(microFutures, root) {
			return MicroFutureProduct, root
		}
		return FutureProduct, root
	case market.KindFutureOption:
		root := market.FutureRoot(s)
		if slices.Contains(microFutures, root) {
			return MicroFutureOptionProduct, root
		}
		return FutureOptionProduct, root
	case market.KindCrypto:
		return CryptoProduct, string(s)
	}
	return EquityProduct, string(s)
}

func (r *FeeRule) applies(date market.Date, e *FeeEvent, root string) bool {
	switch {
	case r.Cause != e.Cause,
		!r.From.IsZero() && date.Before(r.From),
		!r.Until.IsZero() && !date.Before(r.Until),
		len(r.Products) > 0 && !slices.Contains(r.Products, e.Product),
		len(r.Roots) > 0 && !slices.Contains(r.Roots, root),
		!r.Above.IsZero() && !e.Price.GreaterThan(r.Above),
		!r.UpTo.IsZero() && e.Price.GreaterThan(r.UpTo),
		!r.LegFrom.IsZero() && e.Leg.LessThan(r.LegFrom),
		!r.LegTo.IsZero() && e.Leg.GreaterThan(r.LegTo):
		return false
	}
	switch r.Side {
	case BuySide:
		return e.Action.Sign() > 0
	case SellSide:
		return e.Action.Sign() < 0
	case OpenSide:
		return e.Action.Opens()
	case CloseSide:
		return !e.Action.Opens()
	case WholeOnly:
		return e.Quantity.IsInteger()
	case FractionOf:
		return !e.Quantity.IsInteger()
	}
	return true
}

func (r *FeeRule) amount(e *FeeEvent) decimal.Decimal {
	before, after := decimal.Zero, r.raw(e.Quantity, e)
	if !e.Before.IsZero() && r.perLeg() {
		// What the whole leg costs so far, less what its earlier fills cost.
		before, after = r.bounded(r.raw(e.Before, e)), r.raw(e.Before.Add(e.Quantity), e)
	}
	return r.bounded(after).Sub(before)
}

// perLeg: a cap or a minimum is counted over the fills of a leg, and so is what
// is charged once.
func (r *FeeRule) perLeg() bool {
	return !r.Cap.IsZero() || !r.Least.IsZero() || !r.PerTrade.IsZero()
}

func (r *FeeRule) raw(quantity decimal.Decimal, e *FeeEvent) decimal.Decimal {
	sum := r.PerTrade
	if !r.PerUnit.IsZero() {
		sum = sum.Add(r.PerUnit.Mul(quantity))
	}
	if !r.OfValue.IsZero() {
		sum = sum.Add(r.OfValue.Mul(quantity).Mul(e.Price).Mul(e.Multiplier))
	}
	return sum
}

func (r *FeeRule) bounded(x decimal.Decimal) decimal.Decimal {
	if !r.Least.IsZero() && x.LessThan(r.Least) {
		x = r.Least
	}
	if !r.Cap.IsZero() && x.GreaterThan(r.Cap) {
		x = r.Cap
	}
	if r.Step.IsZero() {
		return x
	}
	steps := x.Div(r.Step)
	if r.Up {
		return steps.RoundUp(0).Mul(r.Step)
	}
	return steps.Round(0).Mul(r.Step)
}

// FixedFees charges an amount for each order leg, however it fills.
func FixedFees(amount decimal.Decimal) *FeeSchedule {
	return &FeeSchedule{Name: "fixed", Rules: []FeeRule{{Name: "brokerage", Part: CommissionPart, PerTrade: amount, Source: "chosen"}}}
}

// UnitFees charges an amount for each share, contract or coin.
func UnitFees(amount decimal.Decimal) *FeeSchedule {
	return &FeeSchedule{Name: "per unit", Rules: []FeeRule{{Name: "brokerage", Part: CommissionPart, PerUnit: amount, Source: "chosen"}}}
}

// ValueFees charges a fraction of the value traded: 0.001 is 0.1 %.
func ValueFees(fraction decimal.Decimal) *FeeSchedule {
	return &FeeSchedule{Name: "of value", Rules: []FeeRule{{Name: "brokerage", Part: CommissionPart, OfValue: fraction, Source: "chosen"}}}
}

// Validate checks a schedule that somebody wrote. The error is a *FieldError.
func (s *FeeSchedule) Validate() error {
	parts := []FeePart{CommissionPart, ClearingPart, RegulatoryPart, ExchangePart}
	sides := []FeeSide{EverySide, BuySide, SellSide, OpenSide, CloseSide, WholeOnly, FractionOf}
	for i := range s.Rules {
		r := &s.Rules[i]
		at := fmt.Sprintf("Rules[%d].", i)
		switch {
		case r.Name == "":
			return invalid.Missing(at+"Name", "a name such as brokerage")
		case !slices.Contains(parts, r.Part):
			return invalid.Field(at+"Part", string(r.Part), "commission, clearing, regulatory or exchange")
		case !slices.Contains(sides, r.Side):
			return invalid.Field(at+"Side", string(r.Side), "nothing, buy, sell, open, close, whole or fraction")
		case !slices.Contains([]FeeCause{ForTrade, ForExercise, ForAssignment}, r.Cause):
			return invalid.Field(at+"Cause", string(r.Cause), "nothing, exercise or assignment")
		case r.Cap.Sign() < 0:
			return invalid.Field(at+"Cap", r.Cap, "an amount above 0, or 0 for none")
		case r.Step.Sign() < 0:
			return invalid.Field(at+"Step", r.Step, "a smallest amount such as 0.01, or 0 for exact")
		case !r.Until.IsZero() && !r.From.Before(r.Until):
			return invalid.Field(at+"Until", r.Until, "a date after From")
		}
	}
	return nil
}
