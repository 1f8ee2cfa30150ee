package broker

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/shopspring/decimal"
)

// words is the order for people, made from the message that would be sent.
func (m *message) words(s *shown) string {
	var b strings.Builder
	if m.Environment.Real() {
		fmt.Fprintf(&b, "REAL MONEY (%s)", m.Environment)
	} else {
		fmt.Fprintf(&b, "No real money (%s)", m.Environment)
	}
	if m.Account != "" {
		fmt.Fprintf(&b, ", account %s", m.Account)
	}
	b.WriteString(". ")
	switch m.Kind {
	case IntentCancel:
		fmt.Fprintf(&b, "Cancel order %s: %s.", m.Order, m.Subject)
	case IntentLift:
		fmt.Fprintf(&b, "Lift the kill switch: %s. Orders can be sent again.", m.Subject)
	case IntentSettings:
		fmt.Fprintf(&b, "Let the present settings hold for real money: %s.", m.Subject)
	default:
		m.writeOrders(&b)
	}
	if m.Kind == IntentPlace || m.Kind == IntentReplace || m.Kind == IntentClose {
		fmt.Fprintf(&b, " Worst-case loss: %s.", Loss{s.Loss, s.Unbounded})
		if s.Notional != nil {
			fmt.Fprintf(&b, " Notional: %s.", s.Notional.StringFixed(2))
		}
		if s.BuyingPower != nil {
			fmt.Fprintf(&b, " Change of buying power: %s.", s.BuyingPower.StringFixed(2))
		}
		if s.Fees != nil {
			fmt.Fprintf(&b, " Fees: %s.", s.Fees.Total().Neg().StringFixed(2))
		}
	}
	if s.RiskIncreasing && m.Kind == IntentCancel {
		b.WriteString(" This order protects a position: cancelling it raises the risk.")
	}
	if m.Protects {
		b.WriteString(" The order that it replaces protects a position.")
	}
	return plain(b.String())
}

// plain writes out what would change how a text is read: control characters, which
// a terminal obeys, marks that turn the direction of writing, and what is not seen.
func plain(text string) string {
	var b strings.Builder
	for _, c := range text {
		if unicode.IsPrint(c) {
			b.WriteRune(c)
		} else {
			fmt.Fprintf(&b, "\\u{%x}", c)
		}
	}
	return b.String()
}

var groupWords = map[GroupKind]string{
	OTO:     "In this sequence, the first, once filled, sending the others",
	OCO:     "One of these, the first that fills cancelling the others",
	Bracket: "The first, and once it is filled the other two, of which one cancels the other",
}

func (m *message) writeOrders(b *strings.Builder) {
	if m.Kind == IntentReplace {
		fmt.Fprintf(b, "Replace order %s (%s) with: ", m.Order, m.Subject)
	}
	if m.Group != Single {
		fmt.Fprintf(b, "%s: ", groupWords[m.Group])
	}
	for i, w := range m.Orders {
		if i > 0 {
			b.WriteString("; ")
		}
		o := w.order()
		b.WriteString(orderWords(&o))
	}
	b.WriteString(".")
}

// orderWords says an order in one clause.
func orderWords(o *Order) string {
	var b strings.Builder
	for i, l := range o.Legs {
		if i > 0 {
			b.WriteString(" and ")
		}
		if o.Notional != nil {
			fmt.Fprintf(&b, "%s %s worth of %s", l.Action, o.Notional.StringFixed(2), l.Symbol)
			continue
		}
		fmt.Fprintf(&b, "%s %s %s", l.Action, l.Quantity, instrumentWords(l))
	}
	switch o.Type {
	case Market:
		b.WriteString(" at the market")
	case Limit:
		fmt.Fprintf(&b, " for %s or better", priceWords(*o.Limit))
	case Stop:
		fmt.Fprintf(&b, " at the market once %s is touched", o.Stop)
	case StopLimit:
		fmt.Fprintf(&b, " for %s or better once %s is touched", priceWords(*o.Limit), o.Stop)
	case TrailingStop:
		fmt.Fprintf(&b, " at the market once the price turns by %s", o.Trail)
	}
	fmt.Fprintf(&b, ", %s", durationWords[o.Duration()])
	if o.Duration() == GTD {
		fmt.Fprintf(&b, " %s", o.GoodTill)
	}
	if o.ExtendedHours {
		b.WriteString(", also outside the regular session")
	}
	return b.String()
}

var durationWords = map[TimeInForce]string{
	Day: "today only", GTC: "until cancelled", GTD: "until", IOC: "at once or not at all",
	OnClose: "in the closing auction", OnOpen: "in the opening auction",
}

func instrumentWords(l Leg) string {
	c, ok := l.Symbol.Contract()
	if !ok {
		return string(l.Symbol)
	}
	return fmt.Sprintf("%s %s %s %s", c.Root, c.Expiration, decimal.NewFromFloat(c.Strike), c.Kind)
}

func priceWords(limit decimal.Decimal) string {
	switch limit.Sign() {
	case 1:
		return "a credit of " + limit.String()
	case -1:
		return "a debit of " + limit.Neg().String()
	}
	return "nothing"
}
