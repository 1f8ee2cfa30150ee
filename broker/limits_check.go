package broker

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// proposal is an order with all that the limits look at.
type proposal struct {
	account AccountID
	kind    IntentKind // IntentPlace or IntentReplace
	ticket  Ticket
	weight  weight
	view    *view
	preview *Preview  // of the broker; nil when it has none to give
	asked   time.Time // when the broker was asked for it; zero: just now
	book    *book
	id      string // of the preview, whose own entry does not count
	now     time.Time
	phase   func(market.Symbol, time.Time) market.Phase
	budget  *namedBudget // of who approved; nil when that is no budget
}

type namedBudget struct {
	method string
	Budget
}

// violations returns every limit that a proposal breaks. It changes nothing but
// the book's note of what the account was worth.
func (l *Limits) violations(p *proposal) []Violation {
	c := &checker{Limits: l, proposal: p}
	c.checkAllowed()
	c.checkSize()
	c.checkHours()
	c.checkPrices()
	c.checkDuplicates()
	c.checkCount()
	if p.weight.opens {
		c.checkWeight()
		c.checkDay()
		c.checkRisk()
		c.checkBuyingPower()
	}
	if p.budget != nil {
		c.checkBudget()
	}
	return c.found
}

type checker struct {
	*Limits
	*proposal
	found []Violation
}

func (c *checker) broken(limit, format string, args ...any) {
	c.found = append(c.found, Violation{limit, fmt.Sprintf(format, args...)})
}

func (c *checker) legs(yield func(o *Order, l Leg) bool) {
	for i := range c.ticket.Orders {
		for _, leg := range c.ticket.Orders[i].Legs {
			if !yield(&c.ticket.Orders[i], leg) {
				return
			}
		}
	}
}

// allowsAccount tells whether an account is on the list.
func (l *Limits) allowsAccount(account AccountID) bool {
	return slices.Contains(l.Accounts, account) || slices.Contains(l.Accounts, "*")
}

func (c *checker) checkAllowed() {
	if !c.allowsAccount(c.account) {
		c.broken("accounts", "account %s is not on the list of accounts that may trade", c.account)
	}
	kinds := c.Kinds
	if len(kinds) == 0 {
		kinds = []market.InstrumentKind{market.KindEquity, market.KindOption}
	}
	day := market.DateOf(c.now.In(market.NYSE().Location()))
	for _, leg := range c.weight.openLegs {
		if u := contractUnderlying(leg.Symbol); !slices.Contains(c.Symbols, u) && !slices.Contains(c.Symbols, "*") {
			c.broken("symbols", "%s is not on the list of what may be traded", u)
		}
		if kind := leg.Symbol.Kind(); !slices.Contains(kinds, kind) {
			c.broken("kinds", "opening a %s is not allowed", kind)
		}
		if contract, ok := leg.Symbol.Contract(); ok && !c.ZeroDTE && !contract.Expiration.After(day) {
			c.broken("zero_dte", "%s expires today, and opening it on that day is not allowed", leg.Symbol)
		}
	}
	if c.weight.naked && !c.NakedShort {
		c.broken("naked_short", "it would leave something sold that nothing covers")
	}
}

func (c *checker) checkSize() {
	for o, leg := range c.legs {
		limit, most, quantity := "max_contracts", c.MaxContracts, leg.Quantity
		if kind := leg.Symbol.Kind(); kind == market.KindEquity || kind == market.KindCrypto {
			limit, most = "max_shares", c.MaxShares
		}
		size := &quantity
		if o.Notional != nil {
			size = nil
			if legs, ok := c.view.holdings(*o); ok {
				shares := legs[0].size.Abs()
				size = &shares
			}
		}
		if !most.Allows(size) {
			c.broken(limit, "%s of %s is more than the %s allowed in one leg", known(size), leg.Symbol, most)
		}
	}
}

func known(d *decimal.Decimal) string {
	if d == nil {
		return "an unknown amount"
	}
	return d.String()
}

func (c *checker) checkHours() {
	if c.Hours == HoursAny {
		return
	}
	said := map[market.Symbol]bool{}
	for _, leg := range c.legs {
		phase := c.phase(leg.Symbol, c.now)
		open := phase == market.PhaseRegular || c.Hours == HoursExtended && (phase == market.PhasePre || phase == market.PhasePost)
		if !open && !said[leg.Symbol] {
			said[leg.Symbol] = true
			c.broken("hours", "%s is not in its trading hours now: %s", leg.Symbol, phase)
		}
	}
}

// checkPrices holds the first order of a ticket, and every limit, to the band
// around the middle of the quote. Orders that wait for another order or for a
// stop are held to the stop instead.
func (c *checker) checkPrices() {
	if c.PriceBand.Unlimited() {
		return
	}
	for i := range c.ticket.Orders {
		o := &c.ticket.Orders[i]
		waits := i > 0 && c.ticket.Kind != OCO
		switch {
		case o.Type == StopLimit:
			c.checkBand(o, o.Stop.Mul(decimal.NewFromInt(int64(-o.Legs[0].Action.Sign()))), *o.Limit)
		case o.Type == Limit:
			middle, ok := c.view.netPrice(*o, false)
			if !ok {
				c.broken("price_band", "there is no quote to compare the price of order %d with", i+1)
				continue
			}
			c.checkBand(o, middle, *o.Limit)
		case waits, o.Type == TrailingStop, o.Type == Stop && !c.triggers(o):
		default:
			middle, ok := c.view.netPrice(*o, false)
			price, quoted := c.view.netPrice(*o, true)
			if !ok || !quoted {
				c.broken("price_band", "there is no quote to compare the price of order %d with", i+1)
				continue
			}
			c.checkBand(o, middle, price)
		}
	}
}

// triggers tells whether a stop order would be a market order at once; a quote
// that is not known may be one that triggers it.
func (c *checker) triggers(o *Order) bool {
	price, ok := c.view.side(o.Legs[0].Symbol, o.Legs[0].Action.Sign())
	if o.Legs[0].Action.Sign() > 0 {
		return !ok || price.GreaterThanOrEqual(*o.Stop)
	}
	return !ok || price.LessThanOrEqual(*o.Stop)
}

// checkBand compares signed prices: credit positive, so that less is worse.
func (c *checker) checkBand(o *Order, middle, price decimal.Decimal) {
	allowed := decimal.Max(middle.Abs().Mul(c.PriceBand.Amount()), c.PriceBandAmount)
	if worse := middle.Sub(price); worse.GreaterThan(allowed) {
		c.broken("price_band", "the price %s is %s worse than the middle of the market, %s; %s is allowed", price, worse, middle, allowed)
	}
}

// fingerprint is what makes two orders look like one sent twice: the account and
// the legs, at whatever price.
func fingerprint(account AccountID, t Ticket) string {
	var legs []string
	for _, o := range t.Orders {
		for _, l := range o.Legs {
			quantity := l.Quantity
			if o.Notional != nil {
				quantity = *o.Notional
			}
			legs = append(legs, fmt.Sprintf("%s %d %s", l.Symbol, l.Action.Sign(), quantity.String()))
		}
	}
	slices.Sort(legs)
	return fmt.Sprintf("%s %q", account, legs)
}

func (c *checker) checkDuplicates() {
	if c.kind != IntentPlace || c.DuplicateWindow == 0 {
		return
	}
	print := fingerprint(c.account, c.ticket)
	for _, r := range c.book.Recent {
		if age := c.now.Sub(r.Time); r.Print == print && r.Preview != c.id && age <= time.Duration(c.DuplicateWindow) {
			c.broken("duplicate_window", "the same legs were ordered %s ago, less than %s", age.Round(time.Second), c.DuplicateWindow)
			return
		}
	}
}

func (c *checker) checkCount() {
	after := decimal.NewFromInt(int64(c.book.Sent + len(c.ticket.Orders)))
	if !c.MaxDailyOrders.Allows(&after) {
		c.broken("max_daily_orders", "it would be order %s of the day; %s are allowed", after, c.MaxDailyOrders)
	}
}

func (c *checker) checkWeight() {
	if !c.MaxOrderLoss.Allows(c.weight.loss.Amount) {
		c.broken("max_order_loss", "its worst-case loss is %s; %s is allowed", c.weight.loss, c.MaxOrderLoss)
	}
	if !c.MaxOrderNotional.Allows(c.weight.notional) {
		c.broken("max_order_notional", "it moves or controls %s; %s is allowed", known(c.weight.notional), c.MaxOrderNotional)
	}
	open := c.weight.notional
	for _, e := range c.pending() {
		open = addAmount(open, e.notional)
	}
	if !c.MaxOpenNotional.Allows(open) {
		c.broken("max_open_notional", "with all open orders it would be %s; %s is allowed", known(open), c.MaxOpenNotional)
	}
}

// String returns the amount, "unbounded" or "not known".
func (l Loss) String() string {
	switch {
	case l.Unbounded:
		return "unbounded"
	case l.Amount == nil:
		return "not known"
	}
	return l.Amount.String()
}

// pendingOrder is what an order that may still fill puts at risk.
type pendingOrder struct {
	underlyings []market.Symbol
	loss        *decimal.Decimal // nil: unbounded or not known
	notional    *decimal.Decimal
}

// pending returns what the account's other orders may still do: those in the
// book, and those at the broker that came another way.
func (c *checker) pending() []pendingOrder {
	var out []pendingOrder
	booked := map[string]bool{}
	for _, e := range c.book.Entries {
		if e.Account != c.account || e.Preview == c.id {
			continue
		}
		if !e.Opens {
			continue // unless what it was to close is gone: then it is weighed below
		}
		for _, tag := range e.Tags {
			booked[tag] = true
		}
		out = append(out, pendingOrder{e.Underlyings, e.Loss, e.Notional})
	}
	for _, o := range c.view.working {
		if booked[o.Order.Tag] || o.Order.Validate() != nil && len(o.Order.Legs) == 0 {
			continue
		}
		alone := *c.view
		alone.working = nil
		if w := alone.weigh(NewTicket(o.Order), ""); w.opens {
			var underlyings []market.Symbol
			for _, l := range o.Order.Legs {
				underlyings = append(underlyings, contractUnderlying(l.Symbol))
			}
			out = append(out, pendingOrder{underlyings, w.loss.Amount, w.notional})
		}
	}
	return out
}

func (c *checker) checkDay() {
	lost := c.lostToday()
	all := addAmount(lost, c.weight.loss.Amount)
	for _, e := range c.pending() {
		all = addAmount(all, e.loss)
	}
	if !c.MaxDailyLoss.Allows(all) {
		c.broken("max_daily_loss", "%s lost today and the worst case of all open orders and this one make %s; %s is allowed",
			known(lost), known(all), c.MaxDailyLoss)
	}
}

// lostToday is what the account lost today, realised and open: by the fall of its
// value since the first look of the day, or by its positions' own numbers, the
// larger of the two. Zero when it gained; nil when neither is known.
func (c *checker) lostToday() *decimal.Decimal {
	value := c.view.balances.NetLiquidatingValue
	var lost *decimal.Decimal
	if opened := c.book.opened(c.account, value); opened != nil && value != nil {
		fall := opened.Sub(*value)
		lost = &fall
	}
	if sum := c.positionsLoss(); sum != nil && (lost == nil || sum.GreaterThan(*lost)) {
		lost = sum
	}
	if lost != nil && lost.Sign() < 0 {
		return &decimal.Decimal{}
	}
	return lost
}

// positionsLoss sums what the positions lost today; nil when one does not say.
func (c *checker) positionsLoss() *decimal.Decimal {
	profit := decimal.Zero
	day := market.DateOf(c.now.In(market.NYSE().Location()))
	for _, p := range c.view.positions {
		profit = profit.Add(amountOr(p.RealizedDay))
		if p.Quantity.IsZero() {
			continue
		}
		since := p.PrevClose
		openedToday := !p.OpenedAt.IsZero() && !market.DateOf(p.OpenedAt.In(market.NYSE().Location())).Before(day)
		if since == nil || openedToday {
			since = cmp.Or(p.AverageOpenPrice, since)
		}
		if p.Mark == nil || since == nil {
			return nil
		}
		profit = profit.Add(p.Mark.Sub(*since).Mul(p.Quantity).Mul(p.Multiplier))
	}
	loss := profit.Neg()
	return &loss
}

func (c *checker) checkRisk() {
	if c.MaxSymbolRisk.Unlimited() && c.MaxPortfolioRisk.Unlimited() {
		return
	}
	worth := c.view.balances.NetLiquidatingValue
	if worth == nil || worth.Sign() <= 0 {
		c.broken("max_symbol_risk", "the account's net liquidating value is not known or not positive, so that no fraction of it can be counted")
		return
	}
	risks := c.risks()
	total := &decimal.Decimal{}
	for _, r := range risks {
		total = addAmount(total, r)
	}
	var mine []market.Symbol
	for _, leg := range c.legs {
		mine = append(mine, contractUnderlying(leg.Symbol))
	}
	slices.Sort(mine)
	for _, u := range slices.Compact(mine) {
		if share := shareOf(risks[u], worth); !c.MaxSymbolRisk.Allows(share) {
			c.broken("max_symbol_risk", "all that is held and ordered in %s could lose %s of the account's value; %s is allowed", u, known(share), c.MaxSymbolRisk)
		}
	}
	if share := shareOf(total, worth); !c.MaxPortfolioRisk.Allows(share) {
		c.broken("max_portfolio_risk", "all that is held and ordered could lose %s of the account's value; %s is allowed", known(share), c.MaxPortfolioRisk)
	}
}

// shareOf rounds up, so that a share just above a cap is above it.
func shareOf(risk *decimal.Decimal, worth *decimal.Decimal) *decimal.Decimal {
	if risk == nil {
		return nil
	}
	share := risk.DivRound(*worth, 12).RoundUp(9)
	return &share
}

// risks returns the worst-case loss by underlying of all that is held and ordered,
// this proposal included; nil where it is unbounded or not known.
func (c *checker) risks() map[market.Symbol]*decimal.Decimal {
	risks := map[market.Symbol]*decimal.Decimal{}
	add := func(u market.Symbol, loss *decimal.Decimal) {
		if _, ok := risks[u]; !ok {
			risks[u] = &decimal.Decimal{}
		}
		risks[u] = addAmount(risks[u], loss)
	}
	values := map[market.Symbol]*decimal.Decimal{}
	for _, p := range c.view.positions {
		u := contractUnderlying(p.Symbol)
		if _, ok := values[u]; !ok {
			values[u] = &decimal.Decimal{}
		}
		value := p.Value()
		if value == nil && p.AverageOpenPrice != nil {
			v := p.Quantity.Mul(p.Multiplier).Mul(*p.AverageOpenPrice)
			value = &v
		}
		values[u] = addAmount(values[u], value)
	}
	for u, part := range byUnderlying(c.view.held()) {
		least := leastValue(part)
		if values[u] == nil || math.IsInf(least, -1) {
			add(u, nil)
			continue
		}
		loss := decimal.Max(values[u].Sub(decimal.NewFromFloat(least).Round(4)), decimal.Zero)
		add(u, &loss)
	}
	for _, e := range c.pending() {
		for _, u := range e.underlyings {
			add(u, e.loss)
		}
	}
	for _, u := range underlyingsOf(c.weight.legs) {
		add(u, c.weight.loss.Amount)
	}
	return risks
}

func (c *checker) checkBuyingPower() {
	if c.MinBuyingPower.Unlimited() {
		return
	}
	after := c.buyingPowerAfter()
	if after == nil {
		c.broken("min_buying_power", "the buying power after the order is not known")
		return
	}
	for _, e := range c.book.Entries {
		// What the broker had answered before it was asked is in its numbers already.
		counted := e.Stage == entryWorking && (c.asked.IsZero() || !e.Answered.After(c.asked))
		if e.Account == c.account && e.Preview != c.id && e.Opens && !counted {
			after = addAmount(after, e.BuyingPower)
		}
	}
	if after == nil || after.LessThan(c.MinBuyingPower.Amount()) {
		c.broken("min_buying_power", "%s of buying power would be left; at least %s must be", known(after), c.MinBuyingPower)
	}
}

func (c *checker) buyingPowerAfter() *decimal.Decimal {
	switch {
	case c.preview == nil:
		return nil
	case c.preview.BuyingPowerAfter != nil:
		return c.preview.BuyingPowerAfter
	}
	now := c.view.balances.DerivativeBuyingPower
	if now == nil {
		now = c.view.balances.EquityBuyingPower
	}
	return addAmount(now, c.preview.BuyingPower)
}

func (c *checker) checkBudget() {
	var used budgetTally
	if t := c.book.tally(c.budget.method); t != nil {
		used = *t
	}
	if !c.budget.OrderLoss.Allows(c.weight.loss.Amount) {
		c.broken("budget", "its worst-case loss is %s; the budget allows %s in one order", c.weight.loss, c.budget.OrderLoss)
	}
	if !c.budget.OrderNotional.Allows(c.weight.notional) {
		c.broken("budget", "it moves or controls %s; the budget allows %s in one order", known(c.weight.notional), c.budget.OrderNotional)
	}
	orders := decimal.NewFromInt(int64(used.Orders + len(c.ticket.Orders)))
	if !c.budget.DailyOrders.Allows(&orders) {
		c.broken("budget", "it would be order %s of the day by the budget; %s are allowed", orders, c.budget.DailyOrders)
	}
	notional, loss := addAmount(&used.Notional, c.weight.notional), addAmount(&used.Loss, c.weight.loss.Amount)
	if !c.budget.DailyNotional.Allows(notional) {
		c.broken("budget", "the budget's orders of the day would move %s; %s is allowed", known(notional), c.budget.DailyNotional)
	}
	if !c.budget.DailyLoss.Allows(loss) {
		c.broken("budget", "the budget's orders of the day could lose %s; %s is allowed", known(loss), c.budget.DailyLoss)
	}
}
