package tools

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// codeMethod is the approver whose codes a person may read out to the model.
const codeMethod = "code"

// A trader is what the trading tools work with. It has a guard's desk, which can
// approve nothing, and one way to send what a person accepted.
type trader struct {
	*kit
	desk *broker.Desk
	mode broker.Mode
	// guard is for looking back only: see audit.
	guard interface {
		broker.Reader
		broker.OrderReader
	}
	audits   func(ctx context.Context, from uint64) ([]broker.AuditEntry, error)
	accepted func(ctx context.Context, previewID, client string) (*broker.Outcome, error) // nil: nobody can be asked
}

// trader returns the trading half, when the broker is guarded.
func (k *kit) trader() (*trader, bool) {
	guard, ok := k.Broker.(*broker.Guard)
	if !ok {
		return nil, false
	}
	t := &trader{kit: k, desk: guard.Desk(codeMethod), mode: guard.Limits().Mode, guard: guard, audits: func(ctx context.Context, from uint64) ([]broker.AuditEntry, error) {
		var out []broker.AuditEntry
		for e, err := range guard.Audit(ctx, from) {
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}}
	if e := k.Elicitation; e != nil {
		t.accepted = func(ctx context.Context, previewID, client string) (*broker.Outcome, error) {
			prepared, err := guard.Prepared(ctx, previewID)
			if err != nil {
				return nil, err
			}
			evidence, err := e.Evidence(ctx, prepared, "the user of "+client)
			if err != nil {
				return nil, err
			}
			return guard.Submit(ctx, previewID, evidence)
		}
	}
	return t, true
}

type placeArgs struct {
	PreviewID string `json:"preview_id" schema:"maxLength=64"`
	Code      string `json:"code,omitempty" jsonschema:"only what the user read out" schema:"maxLength=32"`
}

type placeResult struct {
	stamp
	PreviewID string              `json:"preview_id"`
	State     broker.OutcomeState `json:"state"`
	Account   broker.AccountID    `json:"account"`
	Orders    []orderRow          `json:"orders"`
	Approved  string              `json:"approved_by,omitempty"` // the kind of approval
	Reason    string              `json:"reason,omitempty"`
}

// placing are the annotations of what moves money: a second equal call sends
// nothing more.
var placing = agents.Annotations{Destructive: true, Idempotent: true, OpenWorld: true}

func (t *trader) placeOrder() agents.Tool {
	return tool(t.kit, agents.Spec{
		Name: "place_order", Title: "Place order", Annotations: placing,
		Description: "Send what preview_order prepared, once a person has approved it; you cannot approve it yourself.",
	}, func(ctx context.Context, in placeArgs) (placeResult, error) {
		out, err := t.submit(ctx, in)
		if out == nil {
			return placeResult{}, t.explainTrade(err)
		}
		if err != nil && !errors.Is(err, broker.ErrSpent) && !errors.Is(err, broker.ErrUncertain) && !errors.Is(err, broker.ErrJournal) {
			return placeResult{}, t.explainTrade(err)
		}
		result := placeResult{stamp: t.stamp(), PreviewID: out.PreviewID, State: out.State, Account: out.Account, Orders: t.orderRows(out.Orders), Reason: out.Reason}
		if out.Approval != nil {
			result.Approved = out.Approval.Method
		}
		if errors.Is(err, broker.ErrSpent) {
			return placeResult{}, advice{fmt.Errorf("%w; its outcome is %q%s, and nothing was sent now: see the orders tool", err, out.State, because(out.Reason))}
		}
		return result, nil
	})
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// submit sends a preview, after the person behind the call was asked if that is
// how it is to be approved.
func (t *trader) submit(ctx context.Context, in placeArgs) (*broker.Outcome, error) {
	if in.Code != "" {
		return t.desk.SubmitCode(ctx, in.PreviewID, in.Code)
	}
	out, err := t.desk.Submit(ctx, in.PreviewID)
	required, needs := errors.AsType[*broker.ApprovalRequiredError](err)
	person := agents.PersonOf(ctx)
	if !needs || t.accepted == nil || !person.CanAnswer || !slices.Contains(required.Methods, t.Elicitation.Method()) {
		return out, err
	}
	if person.Answer == nil {
		prepared, err := t.desk.Prepared(ctx, in.PreviewID)
		if err != nil {
			return nil, err
		}
		return nil, &agents.QuestionError{Question: agents.Question{Message: prepared.Words, Schema: agents.SchemaFor[approvalForm]()}}
	}
	if yes, _ := person.Answer.Values["approve"].(bool); !person.Answer.Accepted || !yes {
		if err := t.desk.Decline(ctx, in.PreviewID, "the user of "+person.Client); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("%w: the user said no; the preview is void. Do not prepare the same order again unless the user asks for it", broker.ErrDeclined)
	}
	return t.accepted(ctx, in.PreviewID, person.Client)
}

// An approvalForm is what a person fills in to approve an order.
type approvalForm struct {
	Approve bool `json:"approve" jsonschema:"yes sends exactly this order"`
}

// explainTrade adds to an error of the guard what can be done about it.
func (t *trader) explainTrade(err error) error {
	switch {
	case errors.Is(err, agents.ErrQuestion), errors.Is(err, broker.ErrDeclined):
		return err
	case errors.Is(err, broker.ErrApprovalRequired):
		required, ok := errors.AsType[*broker.ApprovalRequiredError](err)
		if !ok || len(required.Methods) == 0 {
			return fmt.Errorf("%w; the operator has to configure one, see docs/trading-safety.md", err)
		}
		return advice{fmt.Errorf("%w. Ask the user to approve preview %s: on this server's page under /approve, with 'ttai approve' in a terminal, or by reading out the code that was shown; then call place_order again", err, required.PreviewID)}
	case errors.Is(err, broker.ErrUnknownPreview):
		return advice{fmt.Errorf("%w: call preview_order again", err)}
	case errors.Is(err, broker.ErrTradingOff):
		return advice{fmt.Errorf("%w. Only the operator can turn it on, in trading.json: see docs/trading-safety.md", err)}
	case errors.Is(err, broker.ErrKilled):
		return advice{fmt.Errorf("%w. Only the operator can lift it, with 'ttai kill-switch lift'", err)}
	case errors.Is(err, broker.ErrRefused):
		return advice{fmt.Errorf("%w. Change the order, or ask the operator to change the limit", err)}
	case errors.Is(err, broker.ErrRejected):
		return advice{fmt.Errorf("%w. Nothing was placed", err)}
	case errors.Is(err, broker.ErrUncertain):
		return advice{fmt.Errorf("%w. Do not place it again: look for it with the orders tool", err)}
	}
	return err
}

// advice is an error that says what to do already.
type advice struct{ error }

func (a advice) Unwrap() error { return a.error }

type killArgs struct {
	Reason string `json:"reason" jsonschema:"for the journal" schema:"maxLength=200"`
}

type killResult struct {
	stamp
	Engaged   bool             `json:"engaged"`
	Cancelled []orderRow       `json:"cancelled"`
	Left      []orderRow       `json:"left"` // orders that only close
	Failed    []broker.OrderID `json:"failed,omitempty"`
	Problem   string           `json:"problem,omitempty"`
}

func (t *trader) killSwitch() agents.Tool {
	return tool(t.kit, agents.Spec{
		Name: "kill_switch", Title: "Kill switch", Annotations: agents.Annotations{Destructive: true, Idempotent: true, OpenWorld: true},
		Description: "Block all new orders and cancel those that open positions, in every account; only the operator can lift it.",
	}, func(ctx context.Context, in killArgs) (killResult, error) {
		if strings.TrimSpace(in.Reason) == "" {
			return killResult{}, invalid.Missing("reason", "why, for the journal")
		}
		accounts, err := t.Broker.Accounts(ctx)
		if err != nil { // blocking does not wait for the broker
			accounts = nil
		}
		ids := make([]broker.AccountID, len(accounts))
		for i, a := range accounts {
			ids[i] = a.ID
		}
		stopped, problem := t.desk.Stop(ctx, "model", in.Reason, ids...)
		if stopped == nil {
			return killResult{}, problem
		}
		out := killResult{stamp: t.stamp(), Engaged: true, Cancelled: t.orderRows(stopped.Cancelled), Left: t.orderRows(stopped.Left), Failed: stopped.Failed}
		if problem = errors.Join(err, problem); problem != nil {
			out.Problem = problem.Error()
		}
		return out, nil
	})
}

type auditArgs struct {
	From  int `json:"from,omitempty" jsonschema:"number of the first entry; default the newest ones" schema:"min=1"`
	Count int `json:"count,omitempty" schema:"min=1,max=200,default=50"`
}

type auditResult struct {
	stamp
	Entries []auditRow `json:"entries"`
	Last    uint64     `json:"last"` // number of the journal's last entry
}

type auditRow struct {
	Seq  uint64          `json:"seq"`
	Time time.Time       `json:"time"`
	What string          `json:"what"`
	Data json.RawMessage `json:"data"`
}

func (t *trader) audit() agents.Tool {
	return tool(t.kit, agents.Spec{
		Name: "audit", Title: "Audit", Annotations: agents.Annotations{ReadOnly: true, Idempotent: true},
		Description: "The journal of previews, approvals, orders, refusals and the kill switch, oldest first.",
	}, func(ctx context.Context, in auditArgs) (auditResult, error) {
		entries, err := t.audits(ctx, uint64(max(in.From, 1)))
		if err != nil {
			return auditResult{}, err
		}
		out := auditResult{stamp: t.stamp(), Entries: []auditRow{}}
		if n := len(entries); n > 0 {
			out.Last = entries[n-1].Seq
		}
		if in.From == 0 && len(entries) > in.Count {
			entries = entries[len(entries)-in.Count:]
		}
		entries = entries[:min(len(entries), in.Count)]
		for _, e := range entries {
			data, err := json.Marshal(e.Entry)
			if err != nil {
				return auditResult{}, err
			}
			out.Entries = append(out.Entries, auditRow{e.Seq, t.local(e.Time), e.What, data})
		}
		if n := fit(out.Entries, rowBudget); n < len(out.Entries) {
			out.omit("%d entries, to keep the result short: ask from %d", len(out.Entries)-n, out.Entries[n].Seq)
			out.Entries = out.Entries[:n]
		}
		return out, nil
	})
}

type ordersArgs struct {
	Account string `json:"account,omitempty" jsonschema:"account number; default all" schema:"maxLength=64"`
	ID      string `json:"id,omitempty" jsonschema:"one order" schema:"maxLength=64"`
	Symbol  string `json:"symbol,omitempty" jsonschema:"underlying or instrument" schema:"maxLength=40"`
	Working bool   `json:"working,omitempty" jsonschema:"only what can still fill"`
	Since   string `json:"since,omitempty" jsonschema:"time or date; default today's" schema:"maxLength=40"`
}

type ordersResult struct {
	stamp
	Orders []orderRow `json:"orders"`
}

type orderRow struct {
	ID       broker.OrderID     `json:"id"`
	Account  broker.AccountID   `json:"account"`
	Group    string             `json:"group,omitempty"`
	Status   broker.Status      `json:"status"`
	Reason   string             `json:"reason,omitempty"`
	Type     broker.OrderType   `json:"type"`
	Price    *decimal.Decimal   `json:"price,omitempty"` // net per unit, credit positive
	Stop     *decimal.Decimal   `json:"stop,omitempty"`
	TIF      broker.TimeInForce `json:"tif"`
	Legs     []legRow           `json:"legs"`
	Tag      string             `json:"tag,omitempty"`
	Received time.Time          `json:"received,omitzero"`
	Ended    time.Time          `json:"ended,omitzero"`
}

type legRow struct {
	Symbol   market.Symbol    `json:"symbol"`
	Action   broker.Action    `json:"action"`
	Quantity decimal.Decimal  `json:"qty"`
	Filled   decimal.Decimal  `json:"filled"`
	Average  *decimal.Decimal `json:"average_price,omitempty"`
}

func (t *trader) orders() agents.Tool {
	return tool(t.kit, agents.Spec{
		Name: "orders", Title: "Orders", Annotations: reads,
		Description: "Working and recent orders, or one, with fills and why any was rejected.",
	}, func(ctx context.Context, in ordersArgs) (ordersResult, error) {
		since, err := t.parseTime("since", in.Since)
		if err != nil {
			return ordersResult{}, err
		}
		query := broker.OrdersQuery{Working: in.Working, Since: since}
		if in.Symbol != "" {
			if query.Symbol, err = parseSymbol("symbol", in.Symbol); err != nil {
				return ordersResult{}, err
			}
		}
		accounts, err := t.accounts(ctx, in.Account)
		if err != nil {
			return ordersResult{}, err
		}
		out := ordersResult{stamp: t.stamp(), Orders: []orderRow{}}
		var found []broker.OrderState
		for _, a := range accounts {
			switch {
			case in.ID == "":
				list, err := t.guard.Orders(ctx, a.ID, query)
				if err != nil {
					return ordersResult{}, err
				}
				found = append(found, list...)
			default:
				one, err := t.guard.Order(ctx, a.ID, broker.OrderID(in.ID))
				if errors.Is(err, broker.ErrUnknownOrder) {
					continue
				}
				if err != nil {
					return ordersResult{}, err
				}
				found = append(found, *one)
			}
		}
		if in.ID != "" && len(found) == 0 {
			return ordersResult{}, advice{fmt.Errorf("%w %s: call orders without an id to see them", broker.ErrUnknownOrder, in.ID)}
		}
		out.Orders = t.orderRows(found)
		if n := fit(out.Orders, rowBudget); n < len(out.Orders) {
			out.omit("%d orders, to keep the result short: ask for one account, symbol, or working ones", len(out.Orders)-n)
			out.Orders = out.Orders[:n]
		}
		return out, nil
	})
}

func (t *trader) orderRows(list []broker.OrderState) []orderRow {
	out := make([]orderRow, 0, len(list))
	for _, o := range list {
		row := orderRow{
			ID: o.ID, Account: o.Account, Group: o.Group, Status: o.Status, Reason: o.Reason, Type: o.Order.Type, Price: o.Order.Limit,
			Stop: o.Order.Stop, TIF: o.Order.Duration(), Tag: o.Order.Tag, Received: t.local(o.Received), Ended: t.local(o.Ended), Legs: []legRow{},
		}
		for i, leg := range o.Order.Legs {
			r := legRow{Symbol: leg.Symbol, Action: leg.Action, Quantity: leg.Quantity}
			if i < len(o.Legs) {
				r.Filled, r.Average = o.Legs[i].Filled, o.Legs[i].Average
			}
			row.Legs = append(row.Legs, r)
		}
		out = append(out, row)
	}
	return out
}
