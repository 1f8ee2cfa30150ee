package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

type previewArgs struct {
	Account string    `json:"account,omitempty" jsonschema:"needed when there are several" schema:"maxLength=64"`
	Op      string    `json:"op,omitempty" schema:"enum=place|replace|cancel|close,default=\"place\""`
	Order   *orderArg `json:"order,omitempty" jsonschema:"to place, or in place of id"`
	Group   string    `json:"group,omitempty" schema:"enum=oto|oco|bracket"`
	Orders  orderArgs `json:"orders,omitempty"`
	ID      string    `json:"id,omitempty" jsonschema:"order to replace or cancel" schema:"maxLength=64"`
	Symbols []string  `json:"symbols,omitempty" jsonschema:"positions to close whole" schema:"maxItems=4,maxLength=40"`
}

// orderArgs are the orders of a group. Their schema does not repeat that of one:
// every conversation would pay for it.
type orderArgs []orderArg

// JSONSchema says so.
func (orderArgs) JSONSchema() *jsonschema.Schema {
	most := 4
	return &jsonschema.Schema{Type: "array", MaxItems: &most, Items: &jsonschema.Schema{Type: "object"}, Description: "of the group, each like order"}
}

// digits is a number that comes as text or as a number.
type digits string

// UnmarshalJSON takes both.
func (d *digits) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) != nil {
		text = string(data)
	}
	*d = digits(text)
	return nil
}

type orderArg struct {
	Type     string   `json:"type,omitempty" schema:"enum=market|limit|stop|stop limit|trailing stop,default=\"limit\""`
	Price    digits   `json:"price,omitempty" jsonschema:"limit: net per unit, positive" schema:"maxLength=20"`
	Effect   string   `json:"effect,omitempty" jsonschema:"of the price; needed for several legs" schema:"enum=debit|credit"`
	Stop     digits   `json:"stop,omitempty" schema:"maxLength=20"`
	Trail    digits   `json:"trail,omitempty" jsonschema:"2.5 or 3%" schema:"maxLength=20"`
	TIF      string   `json:"tif,omitempty" schema:"enum=day|gtc|gtd|ioc|cls|opg,default=\"day\""`
	GoodTill string   `json:"good_till,omitempty" schema:"maxLength=10"`
	Extended bool     `json:"extended,omitempty"`
	Legs     []legArg `json:"legs" schema:"maxItems=4"`
}

type legArg struct {
	Symbol string `json:"symbol" schema:"maxLength=40"`
	Action string `json:"action" schema:"enum=BTO|STO|BTC|STC"`
	Qty    digits `json:"qty" schema:"maxLength=20"`
}

type previewResult struct {
	stamp
	PreviewID string `json:"preview_id"`
	// Order is what would be sent, in words.
	Order            string           `json:"order"`
	Account          broker.AccountID `json:"account"`
	MaxLoss          *decimal.Decimal `json:"max_loss"`
	Unbounded        bool             `json:"unbounded_loss,omitempty"`
	Notional         *decimal.Decimal `json:"notional"`
	BuyingPower      *decimal.Decimal `json:"buying_power_change"`
	BuyingPowerAfter *decimal.Decimal `json:"buying_power_after"`
	Fees             *decimal.Decimal `json:"fees"`
	Warnings         []string         `json:"warnings,omitempty"`
	// Approval is the least grade of approval, and the ways that reach it.
	Approval string    `json:"approval"`
	Ways     []string  `json:"ways"`
	Expires  time.Time `json:"expires"`
}

func (t *trader) previewOrder() agents.Tool {
	return tool(t.kit, agents.Spec{
		Name: "preview_order", Title: "Preview order",
		Annotations: agents.Annotations{ReadOnly: true, OpenWorld: true},
		Description: "Check an order, replacement, cancel or close with the broker and the operator's limits; place_order sends it by its preview_id.",
	}, func(ctx context.Context, in previewArgs) (previewResult, error) {
		intent, err := intentOf(in)
		if err != nil {
			return previewResult{}, err
		}
		account, err := t.tradingAccount(ctx, in.Account)
		if err != nil {
			return previewResult{}, err
		}
		p, err := t.desk.Prepare(ctx, account, intent)
		if err != nil {
			return previewResult{}, t.explainTrade(err)
		}
		out := previewResult{
			stamp: t.stamp(), PreviewID: p.ID, Order: p.Words, Account: p.Account, MaxLoss: p.MaxLoss.Amount, Unbounded: p.MaxLoss.Unbounded,
			Notional: p.Notional, BuyingPower: p.BuyingPower, BuyingPowerAfter: p.BuyingPowerAfter,
			Approval: p.Grade.String(), Ways: append([]string{}, p.Methods...), Expires: t.local(p.Expires),
		}
		if p.Fees != nil {
			total := p.Fees.Total()
			out.Fees = &total
		}
		for _, w := range p.Warnings {
			out.Warnings = append(out.Warnings, w.Message)
		}
		return out, nil
	})
}

// tradingAccount is the account named, or the only one there is.
func (t *trader) tradingAccount(ctx context.Context, named string) (broker.AccountID, error) {
	accounts, err := t.accounts(ctx, named)
	if err != nil {
		return "", err
	}
	if len(accounts) == 1 {
		return accounts[0].ID, nil
	}
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = string(a.ID)
	}
	return "", invalid.Missing("account", "one of "+strings.Join(ids, ", "))
}

// intentOf reads what a model asked for.
func intentOf(in previewArgs) (broker.Intent, error) {
	intent := broker.Intent{Kind: broker.IntentKind(in.Op), Order: broker.OrderID(in.ID)}
	switch in.Op {
	case "", "place":
		intent.Kind = broker.IntentPlace
		return intent, ticketOf(in, &intent.Ticket)
	case "cancel", "replace":
		if in.ID == "" {
			return intent, invalid.Missing("id", "the order to "+in.Op+", from the orders tool")
		}
		if in.Op == "cancel" {
			return intent, nil
		}
		if in.Order == nil {
			return intent, invalid.Missing("order", "what takes the place of order "+in.ID)
		}
		with, err := orderOf("order", *in.Order)
		intent.With = with
		return intent, err
	case "close":
		if len(in.Symbols) == 0 {
			return intent, invalid.Missing("symbols", "the positions to close, from the portfolio tool")
		}
		for i, text := range in.Symbols {
			s, err := parseSymbol(fmt.Sprintf("symbols[%d]", i), text)
			if err != nil {
				return intent, err
			}
			intent.Close.Symbols = append(intent.Close.Symbols, string(s))
		}
		if in.Order == nil {
			return intent, nil
		}
		limit, err := amount("order.price", in.Order.Price)
		if err != nil {
			return intent, err
		}
		switch {
		case limit == nil:
		case limit.Sign() < 0:
			return intent, invalid.Field("order.price", limit, "a positive price, with debit or credit as its effect")
		case in.Order.Effect == "debit":
			*limit = limit.Neg()
		case in.Order.Effect == "" && len(in.Symbols) > 1:
			return intent, invalid.Missing("order.effect", "debit or credit: whether closing is paid for or brings money")
		}
		intent.Close.Limit = limit
		intent.Close.Type, intent.Close.TimeInForce = broker.OrderType(in.Order.Type), broker.TimeInForce(in.Order.TIF)
		return intent, nil
	}
	return intent, invalid.Field("op", in.Op, "place, replace, cancel or close")
}

func ticketOf(in previewArgs, ticket *broker.Ticket) error {
	list, field := in.Orders, "orders"
	switch {
	case in.Group == "" && in.Order != nil && len(in.Orders) == 0:
		o, err := orderOf("order", *in.Order)
		*ticket = broker.NewTicket(o)
		return err
	case in.Group == "":
		return invalid.Missing("order", "the order to place; several need a group")
	case in.Order != nil:
		return invalid.Field("order", "an order", "orders alone, for a group")
	}
	ticket.Kind = broker.GroupKind(in.Group)
	for i, arg := range list {
		o, err := orderOf(fmt.Sprintf("%s[%d]", field, i), arg)
		if err != nil {
			return err
		}
		ticket.Orders = append(ticket.Orders, o)
	}
	return nil
}

var legActions = map[string]broker.Action{
	"BTO": broker.BuyToOpen, "STO": broker.SellToOpen, "BTC": broker.BuyToClose, "STC": broker.SellToClose,
}

// orderOf reads one order. The guard and the broker check what it means.
func orderOf(field string, in orderArg) (broker.Order, error) {
	o := broker.Order{Type: broker.OrderType(in.Type), TimeInForce: broker.TimeInForce(in.TIF), ExtendedHours: in.Extended}
	var err error
	if o.Limit, err = amount(field+".price", in.Price); err != nil {
		return o, err
	}
	if o.Stop, err = amount(field+".stop", in.Stop); err != nil {
		return o, err
	}
	if in.Trail != "" {
		text, percent := strings.CutSuffix(strings.TrimSpace(string(in.Trail)), "%")
		distance, err := amount(field+".trail", digits(text))
		if err != nil {
			return o, err
		}
		if o.Trail = (&broker.Trail{Amount: distance}); percent {
			o.Trail = &broker.Trail{Percent: distance}
		}
	}
	if in.GoodTill != "" {
		if o.GoodTill, err = parseDate(field+".good_till", in.GoodTill); err != nil {
			return o, err
		}
	}
	for i, leg := range in.Legs {
		at := fmt.Sprintf("%s.legs[%d]", field, i)
		symbol, err := parseSymbol(at+".symbol", leg.Symbol)
		if err != nil {
			return o, err
		}
		quantity, err := amount(at+".qty", leg.Qty)
		if err != nil {
			return o, err
		}
		if quantity == nil {
			return o, invalid.Missing(at+".qty", "a positive quantity")
		}
		o.Legs = append(o.Legs, broker.Leg{Symbol: market.Symbol(symbol), Action: legActions[leg.Action], Quantity: *quantity})
	}
	return o, signed(field, in.Effect, &o)
}

// signed gives the limit its sign: by its effect, or for one leg by what the leg
// does. What was said twice must agree.
func signed(field, effect string, o *broker.Order) error {
	if o.Limit == nil {
		return nil
	}
	if o.Limit.Sign() < 0 {
		return invalid.Field(field+".price", o.Limit, "a positive price, with debit or credit as its effect")
	}
	if len(o.Legs) == 1 {
		natural := "credit"
		if o.Legs[0].Action.Sign() > 0 {
			natural = "debit"
		}
		if effect == "" {
			effect = natural
		}
		if effect != natural {
			return invalid.Field(field+".effect", effect, natural+", by what the leg does")
		}
	}
	switch effect {
	case "debit":
		*o.Limit = o.Limit.Neg()
	case "":
		return invalid.Missing(field+".effect", "debit or credit: whether the price is paid or received")
	}
	return nil
}

// amount reads an amount of money or a quantity; nil for no text.
func amount(field string, given digits) (*decimal.Decimal, error) {
	text := strings.TrimPrefix(strings.TrimSpace(string(given)), "$")
	if text == "" {
		return nil, nil
	}
	d, err := decimal.NewFromString(text)
	if err != nil || len(text) > 20 || d.Exponent() < -10 || d.Exponent() > 10 {
		return nil, invalid.Field(field, text, "a number such as 1.25")
	}
	return &d, nil
}
