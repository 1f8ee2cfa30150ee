package strategy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Severity says what a problem means.
type Severity string

// The severities.
const (
	Blocking Severity = "error"   // it could not do what it is for: [Run] does not start
	Warning  Severity = "warning" // it will run, and something is to be known before
)

// A Problem is something that stands against running a strategy in an account.
type Problem struct {
	Severity Severity
	Code     string // stable, for programs: "data", "option_level", "buying_power" …
	Message  string // for people
}

// String is the severity and the message.
func (p Problem) String() string { return string(p.Severity) + ": " + p.Message }

// A ProblemsError is what keeps a run from starting.
type ProblemsError struct{ Problems []Problem }

// Error lists the problems that block.
func (e *ProblemsError) Error() string {
	var texts []string
	for _, p := range e.Problems {
		if p.Severity == Blocking {
			texts = append(texts, p.Message)
		}
	}
	return "strategy: not started: " + strings.Join(texts, "; ")
}

// A Planner is a strategy that can tell beforehand what it will ask of an
// account. What a strategy does not tell cannot be checked.
type Planner interface{ Plan() Plan }

// A Plan is what a strategy may do.
type Plan struct {
	// Tickets are one of each form that it may send, as small as possible: they are
	// compared with the broker's capabilities, and previewed where Preview says so.
	Tickets []broker.Ticket
	// Options is what its option positions need: see [OptionsNeed].
	Options OptionsNeed
	// Margin: it borrows, or sells short, and needs a margin account.
	Margin bool
	// Short are the shares that it may sell short.
	Short []market.Symbol
	// First returns the ticket that would open first by the data now; nil, or an
	// empty ticket, when it cannot be known. It is previewed and never sent.
	First func(ctx context.Context, in FirstInput) (broker.Ticket, error)
}

// A FirstInput is what the first ticket is made from.
type FirstInput struct {
	Source   market.Source
	Balances *broker.Balances
	Now      time.Time
}

// price is the middle of the present quote.
func (in FirstInput) price(ctx context.Context, symbol market.Symbol) (float64, error) {
	quotes, err := in.Source.Quotes(ctx, []market.Symbol{symbol})
	if err != nil {
		return 0, err
	}
	if len(quotes) == 0 || !(quotes[0].Mid() > 0) {
		return 0, fmt.Errorf("%s has no price: %w", symbol, market.ErrNoData)
	}
	return quotes[0].Mid(), nil
}

// An OptionsNeed is how far an account must be approved for options. Each level
// includes those before it.
type OptionsNeed int

// The levels.
const (
	NoOptions      OptionsNeed = iota
	CoveredOptions             // covered calls and puts secured by cash
	LongOptions
	SpreadOptions // of limited risk
	NakedOptions
)

// String is what the level allows.
func (n OptionsNeed) String() string {
	names := []string{"no options", "covered calls and cash-secured puts", "long options", "spreads", "uncovered options"}
	if n < 0 || int(n) >= len(names) {
		return fmt.Sprintf("OptionsNeed(%d)", int(n))
	}
	return names[n]
}

// optionsLevel reads how brokers name the approval of an account; false when the
// name is not known.
func optionsLevel(name string) (OptionsNeed, bool) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "0", "disabled", "none", "no options":
		return NoOptions, true
	case "1", "covered and cash secured", "covered", "basic":
		return CoveredOptions, true
	case "2", "limited", "long":
		return LongOptions, true
	case "3", "defined risk spreads", "spreads", "the works - no naked":
		return SpreadOptions, true
	case "4", "no restrictions", "the works", "naked":
		return NakedOptions, true
	}
	return NoOptions, false
}

// ValidateOptions are what a strategy is validated against.
type ValidateOptions struct {
	Strategy Strategy
	Broker   broker.Broker
	Account  broker.AccountID
	// Source is the market data. Nil leaves its checks out.
	Source market.Source
	Budget Budget
	// Clock is the real one when nil, Calendar that of the New York Stock Exchange.
	Clock    market.Clock
	Calendar *market.Calendar
}

// Validate looks at all that can be known before a strategy starts, sends no order
// and returns every problem, those that block first; none when there is none.
func Validate(ctx context.Context, opts ValidateOptions) []Problem {
	v := &validation{ctx: ctx, opts: opts}
	if opts.Clock == nil {
		v.opts.Clock = market.SystemClock()
	}
	if opts.Calendar == nil {
		v.opts.Calendar = market.NYSE()
	}
	switch {
	case opts.Strategy == nil:
		v.block("parameters", "there is no strategy")
		return v.found
	case opts.Broker == nil:
		v.block("account", "there is no broker")
		return v.found
	}
	v.now, v.needs = v.opts.Clock.Now(), opts.Strategy.Needs()
	if planner, ok := opts.Strategy.(Planner); ok {
		v.plan = planner.Plan()
	}
	v.parameters()
	v.account()
	v.capabilities()
	v.guard()
	v.holdings()
	v.data()
	v.hours()
	v.previews()
	slices.SortStableFunc(v.found, func(a, b Problem) int {
		return strings.Compare(string(a.Severity), string(b.Severity))
	})
	return v.found
}

type validation struct {
	ctx     context.Context
	opts    ValidateOptions
	now     time.Time
	needs   Needs
	plan    Plan
	reached bool // the account is there
	holds   bool // something that the strategy takes for its own
	money   *broker.Balances
	found   []Problem
}

func (v *validation) block(code, format string, args ...any) {
	v.found = append(v.found, Problem{Blocking, code, fmt.Sprintf(format, args...)})
}

func (v *validation) warn(code, format string, args ...any) {
	v.found = append(v.found, Problem{Warning, code, fmt.Sprintf(format, args...)})
}

func (v *validation) symbols() []market.Symbol {
	out := slices.Concat(v.needs.Symbols, v.needs.Chains)
	slices.Sort(out)
	return slices.Compact(out)
}

func (v *validation) parameters() {
	if len(v.symbols()) == 0 {
		v.block("parameters", "it asks for no symbol")
	}
	for _, s := range v.symbols() {
		if normal, err := market.ParseSymbol(string(s)); err != nil || normal != s {
			v.block("parameters", "%q is no symbol in its normal form", s)
		}
	}
	if v.needs.Interval != "" {
		if _, err := market.ParseInterval(string(v.needs.Interval)); err != nil {
			v.block("parameters", "%q is no interval of bars", v.needs.Interval)
		}
	}
	if v.needs.Interval == "" && !v.needs.Quotes && len(v.needs.Chains) == 0 {
		v.block("parameters", "it asks for no bars, quotes or chains, and so is never told anything")
	}
	if v.needs.History < 0 {
		v.block("parameters", "it asks for %d bars of history", v.needs.History)
	}
	if err := v.opts.Budget.Validate(); err != nil {
		v.block("parameters", "%v", err)
	}
}

func (v *validation) account() {
	accounts, err := v.opts.Broker.Accounts(v.ctx)
	if err != nil {
		v.block("account", "the accounts cannot be read: %v", err)
		return
	}
	i := slices.IndexFunc(accounts, func(a broker.Account) bool { return a.ID == v.opts.Account })
	if i < 0 {
		v.block("account", "the credentials do not reach the account")
		return
	}
	v.reached = true
	a := accounts[i]
	if a.Closed {
		v.block("account", "the account is closed")
	}
	if !a.Margin && (v.plan.Margin || len(v.plan.Short) > 0) {
		v.block("margin", "it borrows or sells short, and the account is a cash account")
	}
	if v.plan.Options > NoOptions {
		level, known := optionsLevel(a.OptionsLevel)
		switch {
		case !known:
			v.warn("option_level", "it needs approval for %v, and whether the account's level (%q) has it is not known", v.plan.Options, a.OptionsLevel)
		case level < v.plan.Options:
			v.block("option_level", "it needs approval for %v, and the account's level (%q) allows %v", v.plan.Options, a.OptionsLevel, level)
		}
	}
	for _, s := range v.symbols() {
		if kind := s.Kind(); (kind == market.KindFuture || kind == market.KindFutureOption) && !a.Futures {
			v.block("futures", "the account is not approved for futures, and it trades %s", s)
		}
	}
	v.budget()
}

// budget compares what the strategy may use with what there is.
func (v *validation) budget() {
	b, err := v.opts.Broker.Balances(v.ctx, v.opts.Account)
	if err != nil {
		v.block("account", "the balances cannot be read: %v", err)
		return
	}
	v.money = b
	power := b.DerivativeBuyingPower
	if b.EquityBuyingPower != nil && (power == nil || b.EquityBuyingPower.GreaterThan(*power)) {
		power = b.EquityBuyingPower
	}
	switch {
	case power == nil:
		v.warn("buying_power", "the broker does not tell the account's buying power")
	case power.Sign() <= 0:
		v.block("buying_power", "the account has no buying power (%s)", power)
	case v.opts.Budget.Capital.GreaterThan(*power):
		v.warn("buying_power", "the budget's capital (%s) is more than the account's buying power (%s)", v.opts.Budget.Capital, power)
	}
}

func (v *validation) capabilities() {
	can := v.opts.Broker.Capabilities()
	for _, s := range v.needs.Symbols {
		if !slices.Contains(can.Instruments, s.Kind()) {
			v.block("capabilities", "the broker does not trade %s, a kind of %s", s, s.Kind())
		}
	}
	if len(v.needs.Chains) > 0 && !slices.Contains(can.Instruments, market.KindOption) {
		v.block("capabilities", "the broker trades no options")
	}
	for _, ticket := range v.plan.Tickets {
		if err := can.Check(ticket); err != nil {
			for _, lack := range unsupported(err) {
				v.block("capabilities", "the broker does not take %s", lack.What)
			}
		}
	}
	if !can.Events {
		v.warn("capabilities", "the broker does not push fills: they are read from time to time")
	}
}

// unsupported takes an error of Capabilities.Check apart.
func unsupported(err error) []*broker.UnsupportedError {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*broker.UnsupportedError
		for _, e := range joined.Unwrap() {
			out = append(out, unsupported(e)...)
		}
		return out
	}
	if lack, ok := errors.AsType[*broker.UnsupportedError](err); ok {
		return []*broker.UnsupportedError{lack}
	}
	return nil
}

// guard asks a guard, when the broker is one, whether it would let anything
// through.
func (v *validation) guard() {
	if g, ok := v.opts.Broker.(interface {
		Killed(context.Context) (broker.Kill, error)
	}); ok {
		switch kill, err := g.Killed(v.ctx); {
		case err != nil:
			v.block("guard", "the kill switch cannot be read: %v", err)
		case kill.Engaged:
			v.block("guard", "the kill switch is engaged: %s", kill.Reason)
		}
	}
	if g, ok := v.opts.Broker.(interface{ Limits() broker.Limits }); ok {
		if mode := g.Limits().Mode; mode != broker.ModeTrade {
			v.block("guard", "trading is off: the guard's mode is %v", mode)
		}
	}
	if v.opts.Broker.Environment().Real() {
		v.warn("environment", "the account holds real money")
	}
}

func (v *validation) holdings() {
	if !v.reached {
		return
	}
	mine := func(s market.Symbol) bool {
		return slices.Contains(v.symbols(), underlyingOf(s)) || slices.Contains(v.symbols(), s)
	}
	positions, err := v.opts.Broker.Positions(v.ctx, v.opts.Account)
	if err != nil {
		v.block("account", "the positions cannot be read: %v", err)
	}
	for _, p := range positions {
		if mine(p.Symbol) {
			v.holds = true
			v.warn("positions", "the account holds %s %s, which it will take for its own", p.Quantity, p.Symbol)
		}
	}
	working, err := v.opts.Broker.Orders(v.ctx, v.opts.Account, broker.OrdersQuery{Working: true})
	if err != nil {
		v.block("account", "the orders cannot be read: %v", err)
	}
	for _, o := range working {
		if slices.ContainsFunc(o.Order.Legs, func(l broker.Leg) bool { return mine(l.Symbol) }) {
			v.warn("orders", "order %s works in %s", o.ID, o.Order.Legs[0].Symbol)
		}
	}
}

func (v *validation) data() {
	if v.opts.Source == nil {
		return
	}
	symbols := v.symbols()
	if len(symbols) == 0 {
		return
	}
	quotes, err := v.opts.Source.Quotes(v.ctx, symbols)
	if missing, ok := errors.AsType[*market.MissingError](err); ok {
		for _, s := range missing.Symbols {
			v.block("data", "there is no quote of %s: %v", s, missing.Err)
		}
	} else if err != nil {
		v.block("data", "quotes cannot be read: %v", err)
	}
	for _, q := range quotes {
		if q.Halted {
			v.warn("data", "trading of %s is halted", q.Symbol)
		}
	}
	if v.needs.Interval != "" {
		for _, s := range v.needs.Symbols {
			v.bars(s)
		}
	}
	for _, s := range v.needs.Chains {
		switch expirations, err := v.opts.Source.Expirations(v.ctx, s); {
		case err != nil:
			v.block("data", "the option chain of %s cannot be read: %v", s, err)
		case len(expirations) == 0:
			v.block("data", "%s has no options", s)
		}
	}
}

func (v *validation) bars(s market.Symbol) {
	n := max(v.needs.History, 1)
	bars, err := v.opts.Source.Bars(v.ctx, market.BarsRequest{Symbol: s, Interval: v.needs.Interval, To: v.now, Limit: n + 1})
	if err != nil && !errors.Is(err, market.ErrNoData) {
		v.block("data", "bars of %s cannot be read: %v", s, err)
		return
	}
	bars = v.opts.Calendar.Complete(bars, v.needs.Interval, v.now)
	if len(bars) < v.needs.History {
		v.warn("data", "it asks for %d bars of %s before it starts, and there are %d", v.needs.History, s, len(bars))
	}
	if len(bars) > 0 {
		end := v.opts.Calendar.BarEnd(bars[len(bars)-1].Time, v.needs.Interval)
		if late := v.opts.Calendar.TradingTime(end, v.now); late > 26*time.Hour {
			v.warn("data", "the latest bar of %s ended on %s", s, end.Format(time.DateOnly))
		}
	}
}

func (v *validation) hours() {
	if !v.opts.Calendar.IsOpen(v.now) {
		v.warn("hours", "the market is closed until %s", v.opts.Calendar.Next(v.now).Open.In(v.opts.Calendar.Location()).Format("2006-01-02 15:04 MST"))
	}
}

// previews asks the broker what it would say about the first order, and about
// selling short.
func (v *validation) previews() {
	if !v.reached || v.holds { // with positions already, its next order is no first one
		return
	}
	for _, s := range v.plan.Short {
		o := MarketOrder(broker.SellToOpen, s, 1)
		o.Tag = "validate-short"
		v.preview(broker.NewTicket(o), "shortable", "selling "+string(s)+" short")
	}
	if v.plan.First == nil || v.opts.Source == nil || v.money == nil {
		return
	}
	ticket, err := v.plan.First(v.ctx, FirstInput{v.opts.Source, v.money, v.now})
	if err != nil {
		v.warn("first_order", "what it would open first cannot be told: %v", err)
		return
	}
	if len(ticket.Orders) == 0 {
		return
	}
	ticket.Orders = slices.Clone(ticket.Orders)
	for i := range ticket.Orders {
		if ticket.Orders[i].Tag == "" {
			ticket.Orders[i].Tag = fmt.Sprintf("validate-%d", i)
		}
	}
	v.preview(ticket, "buying_power", "its first order")
}

func (v *validation) preview(ticket broker.Ticket, code, what string) {
	p, err := v.opts.Broker.Preview(v.ctx, v.opts.Account, ticket)
	switch {
	case errors.Is(err, broker.ErrUnsupported):
		v.block("capabilities", "%s: %v", what, err)
		return
	case err != nil:
		if field, ok := errors.AsType[*invalid.FieldError](err); ok {
			v.block(code, "%s: %v", what, field)
			return
		}
		v.warn(code, "%s could not be previewed: %v", what, err)
		return
	}
	for _, n := range p.Refusals {
		v.block(code, "%s would be refused: %s", what, n.Message)
	}
	for _, n := range p.Warnings {
		v.warn(code, "%s: %s", what, n.Message)
	}
	if len(p.Refusals) == 0 && p.BuyingPowerAfter != nil && p.BuyingPowerAfter.LessThan(decimal.Zero) {
		v.block(code, "%s would leave a buying power of %s", what, p.BuyingPowerAfter)
	}
}
