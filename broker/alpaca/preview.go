package alpaca

import (
	"context"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// Preview counts what a ticket would do, by its first order: Alpaca has no dry
// run. Prices are the limit of an order for one instrument, and otherwise the
// latest quotes.
//
// Buying power is counted as Alpaca says it does: shares and coins that are bought
// take their value, shares sold short the larger of the limit and 3 % above the
// ask, and options what Regulation T asks by the strategy rules of
// [broker.MarginRules] with the positions held. Margin is counted by the same
// rules and is no figure of Alpaca's. Fees are those of [broker.AlpacaFees].
// What cannot be counted is nil, with a warning that says why.
func (a *Adapter) Preview(ctx context.Context, account broker.AccountID, ticket broker.Ticket) (*broker.Preview, error) {
	if err := Validate(ticket); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	money, err := a.client.Account(ctx)
	if err != nil {
		return nil, a.failure("previewing an order", err)
	}
	positions, err := a.Positions(ctx, account)
	if err != nil {
		return nil, err
	}
	lead, _ := leader(&ticket)
	p := &broker.Preview{Ticket: normalised(ticket)}
	warn := func(code, format string, args ...any) {
		p.Warnings = append(p.Warnings, broker.Notice{Code: code, Message: fmt.Sprintf(format, args...)})
	}
	blocked(money, lead, p)
	quotes, _ := a.snapshots(ctx, priced(lead, positions)) // what failed is missing below
	prices, absent := legPrices(lead, quotes)
	for _, symbol := range absent {
		warn("no_quote", "no quote for %s: what the order costs is not known", symbol)
	}
	p.Cash = cash(lead, prices, len(absent) == 0)
	if lead.Limit == nil && lead.Notional == nil && p.Cash != nil {
		warn("price_from_quote", "not a limit order: amounts are counted from the quote now, or from the stop")
	}
	if len(absent) > 0 {
		return p, nil
	}
	if fees, err := broker.AlpacaFees().OrderFees(a.today(), *lead, prices); err == nil {
		p.Fees = &fees
	} else {
		warn("no_fees", "the fees are not known: %v", err)
	}
	margin, err := orderMargin(money, positions, quotes, ticket, lead, prices, a.today())
	if err != nil {
		warn("no_margin", "the margin is not known: %v", err)
	} else {
		change := margin.Change()
		p.Margin = &change
	}
	buyingPower(money, lead, quotes, prices, margin, p)
	return p, nil
}

// normalised is the ticket with its defaults written out.
func normalised(ticket broker.Ticket) broker.Ticket {
	ticket.Orders = slices.Clone(ticket.Orders)
	for i := range ticket.Orders {
		ticket.Orders[i].TimeInForce = ticket.Orders[i].Duration()
	}
	return ticket
}

// priced are the symbols whose quotes a preview needs.
func priced(o *broker.Order, positions []broker.Position) []market.Symbol {
	var symbols []market.Symbol
	for _, leg := range o.Legs {
		symbols = append(symbols, leg.Symbol, underlyingOf(leg.Symbol))
	}
	for _, p := range positions {
		if p.Kind == market.KindOption {
			symbols = append(symbols, p.Underlying)
		}
	}
	return symbols
}

// legPrices is what each leg is expected to trade at, and which legs have no quote.
func legPrices(o *broker.Order, quotes map[market.Symbol]*Snapshot) (prices map[market.Symbol]decimal.Decimal, absent []market.Symbol) {
	prices = map[market.Symbol]decimal.Decimal{}
	for _, leg := range o.Legs {
		switch {
		case len(o.Legs) == 1 && o.Limit != nil:
			prices[leg.Symbol] = o.Limit.Abs()
			continue
		case o.Stop != nil:
			prices[leg.Symbol] = *o.Stop
			continue
		}
		price := Number{}
		if s := quotes[leg.Symbol]; s != nil && s.LatestQuote != nil {
			price = s.LatestQuote.BidPrice
			if leg.Action.Sign() > 0 {
				price = s.LatestQuote.AskPrice
			} else if s.LatestQuote.AskPrice.Decimal().IsPositive() && leg.Symbol.Kind() == market.KindOption && price.Known() {
				prices[leg.Symbol] = price.Decimal() // an option may be bid at nothing
				continue
			}
		}
		if !price.Decimal().IsPositive() {
			absent = append(absent, leg.Symbol)
			continue
		}
		prices[leg.Symbol] = price.Decimal()
	}
	return prices, absent
}

// cash is the money that changes hands, without fees; nil when it is not known.
func cash(o *broker.Order, prices map[market.Symbol]decimal.Decimal, known bool) *decimal.Decimal {
	var total decimal.Decimal
	switch {
	case o.Notional != nil:
		total = o.Notional.Mul(decimal.NewFromInt(int64(-o.Legs[0].Action.Sign())))
	case o.Limit != nil:
		total = o.Limit.Mul(o.Units()).Mul(multiplier(o.Legs[0].Symbol))
	case !known:
		return nil
	default:
		for _, leg := range o.Legs {
			sign := decimal.NewFromInt(int64(leg.Action.Sign()))
			total = total.Sub(prices[leg.Symbol].Mul(leg.Quantity).Mul(multiplier(leg.Symbol)).Mul(sign))
		}
	}
	return &total
}

func orderMargin(money *Account, positions []broker.Position, quotes map[market.Symbol]*Snapshot, ticket broker.Ticket, lead *broker.Order,
	prices map[market.Symbol]decimal.Decimal, today market.Date,
) (*broker.OrderMargin, error) {
	held, err := broker.MarginPositions(positions)
	if err != nil {
		return nil, err
	}
	in := broker.MarginInput{Positions: held, Underlyings: map[market.Symbol]decimal.Decimal{}, Date: today}
	for symbol, s := range quotes {
		if mid := quoteOf(symbol, s).Mid(); symbol.Kind() != market.KindOption && mid > 0 {
			in.Underlyings[symbol] = decimal.NewFromFloat(mid)
		}
	}
	rules := &broker.MarginRules{}
	if !money.Multiplier.Decimal().GreaterThan(one) {
		rules.Account = broker.CashAccount
	}
	return rules.OrderMargin(in, broker.NewTicket(*lead), prices)
}

// buyingPower sets what the order takes of the buying power that its instrument
// draws on.
func buyingPower(money *Account, o *broker.Order, quotes map[market.Symbol]*Snapshot, prices map[market.Symbol]decimal.Decimal,
	margin *broker.OrderMargin, p *broker.Preview,
) {
	leg, available := o.Legs[0], money.BuyingPower
	var change *decimal.Decimal
	switch kind := leg.Symbol.Kind(); {
	case kind == market.KindOption:
		available = money.OptionsBuyingPower
		if margin != nil {
			change = &margin.BuyingPower
		}
	case leg.Action == broker.SellToOpen:
		price := prices[leg.Symbol]
		if s := quotes[leg.Symbol]; s != nil && s.LatestQuote != nil {
			price = decimal.Max(price, s.LatestQuote.AskPrice.Decimal().Mul(decimal.New(103, -2)))
		}
		value := price.Mul(leg.Quantity).Neg()
		change = &value
	case leg.Action == broker.BuyToClose:
		return // covering frees margin by a rule that Alpaca does not state
	default:
		if kind == market.KindCrypto {
			available = money.NonMarginableBuyingPower
		}
		change = p.Cash
	}
	if change == nil {
		return
	}
	value := *change
	p.BuyingPower = &value
	if !available.Known() {
		return
	}
	after := available.Decimal().Add(value)
	p.BuyingPowerAfter = &after
	if after.IsNegative() && value.IsNegative() {
		p.Refusals = append(p.Refusals, broker.Notice{
			Code: codeBuyingPower, Message: fmt.Sprintf("the order takes %s of %s buying power", value.Neg().StringFixed(2), available.Decimal().StringFixed(2)),
		})
	}
}

// blocked adds what the account's state forbids.
func blocked(money *Account, o *broker.Order, p *broker.Preview) {
	refuse := func(code, message string) {
		p.Refusals = append(p.Refusals, broker.Notice{Code: code, Message: message})
	}
	if money.TradingBlocked || money.AccountBlocked {
		refuse("account_blocked", "the account may not trade")
	}
	if money.TradeSuspendedByUser {
		refuse("trading_suspended", "trading is suspended by the account's own setting")
	}
	// Levels: 1 covered calls and cash-secured puts, 2 long options, 3 spreads.
	needed := int64(0)
	for _, leg := range o.Legs {
		switch {
		case leg.Symbol.Kind() == market.KindOption && leg.Action == broker.BuyToOpen:
			needed = max(needed, 2)
		case leg.Symbol.Kind() == market.KindOption && leg.Action == broker.SellToOpen:
			needed = max(needed, 1)
		case leg.Symbol.Kind() == market.KindEquity && leg.Action == broker.SellToOpen && !money.ShortingEnabled && money.ID != "":
			refuse(codeShort, "the account may not sell short")
		}
	}
	if len(o.Legs) > 1 && o.Opens() {
		needed = 3
	}
	if level := money.OptionsTradingLevel; level.Known() && level.Decimal().LessThan(decimal.NewFromInt(needed)) {
		refuse("options_level", fmt.Sprintf("the order needs options level %d, and the account has %s", needed, level))
	}
}
