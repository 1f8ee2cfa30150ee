package tools_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/agents/tools"
	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/broker/paper"
	"github.com/ttai-go/ttai/market"
)

// A desk is trading tools before a paper exchange.
type desk struct {
	t        *testing.T
	exchange *paper.Exchange
	guard    *broker.Guard
	tools    map[string]agents.Tool
}

// newDesk opens an account with 100,000 dollars while SPY is quoted 99.99 to 100.01.
func newDesk(t *testing.T, change func(*broker.Limits)) *desk {
	t.Helper()
	clock := market.NewManualClock(time.Date(2026, 9, 16, 15, 0, 0, 0, time.UTC)) // a Wednesday, 11:00 in New York
	exchange, err := paper.New(&paper.Options{Start: clock.Now(), Accounts: []paper.Account{{Account: broker.Account{ID: "PAPER1", Margin: true}, Cash: decimal.NewFromInt(100_000)}}})
	require.NoError(t, err)
	require.NoError(t, exchange.Quote(paper.Quote{Symbol: "SPY", Time: clock.Now(), Bid: 99.99, Ask: 100.01, BidSize: 1000, AskSize: 1000}))
	limits := broker.PaperLimits()
	limits.Approval.Grade = broker.GradeElicitation
	if change != nil {
		change(&limits)
	}
	witness, err := broker.NewWitness("elicitation", broker.GradeElicitation, nil)
	require.NoError(t, err)
	guard, err := broker.NewGuard(exchange.Broker(), broker.GuardOptions{Limits: limits, Approvers: []broker.Approver{witness}, Clock: clock})
	require.NoError(t, err)
	d := &desk{t: t, exchange: exchange, guard: guard, tools: map[string]agents.Tool{}}
	for _, tool := range tools.New(tools.Deps{Broker: guard, Elicitation: witness, Clock: clock}) {
		d.tools[tool.Name] = tool
	}
	return d
}

// call runs a tool as somebody's.
func (d *desk) call(person agents.Person, name, arguments string) (map[string]any, error) {
	d.t.Helper()
	require.Contains(d.t, d.tools, name)
	raw, err := d.tools[name].Call(agents.WithPerson(d.t.Context(), person), json.RawMessage(arguments))
	if err != nil {
		return nil, err
	}
	var out map[string]any
	require.NoError(d.t, json.Unmarshal(raw, &out))
	return out, nil
}

func (d *desk) preview(order string) string {
	d.t.Helper()
	out, err := d.call(agents.Person{}, "preview_order", order)
	require.NoError(d.t, err)
	return out["preview_id"].(string)
}

// placed counts the orders that the exchange has ever had.
func (d *desk) placed() int {
	d.t.Helper()
	orders, err := d.exchange.Broker().Orders(d.t.Context(), "PAPER1", broker.OrdersQuery{Since: time.Unix(0, 0)})
	require.NoError(d.t, err)
	return len(orders)
}

const buyOne = `{"op":"place","order":{"type":"limit","price":"100.01","legs":[{"action":"BTO","qty":1,"symbol":"SPY"}]}}`

var (
	nobody   = agents.Person{}
	asked    = agents.Person{CanAnswer: true, Client: "test 1"}
	accepts  = agents.Person{CanAnswer: true, Client: "test 1", Answer: &agents.Answer{Accepted: true, Values: map[string]any{"approve": true}}}
	declines = agents.Person{CanAnswer: true, Client: "test 1", Answer: &agents.Answer{}}
	hesitant = agents.Person{CanAnswer: true, Client: "test 1", Answer: &agents.Answer{Accepted: true, Values: map[string]any{"approve": false}}}
)

func TestAnOrderIsSentOnceAfterAPersonAccepted(t *testing.T) {
	d := newDesk(t, nil)
	out, err := d.call(nobody, "preview_order", buyOne)
	require.NoError(t, err)
	assert.Equal(t, "paper", out["environment"])
	assert.Equal(t, "PAPER1", out["account"])
	assert.Equal(t, "100.01", out["max_loss"])
	assert.Equal(t, "elicitation", out["approval"])
	assert.Contains(t, out["order"], "SPY")
	id := out["preview_id"].(string)
	assert.Zero(t, d.placed(), "a preview sends nothing")
	place := `{"preview_id":"` + id + `"}`

	_, err = d.call(asked, "place_order", place)
	question, ok := errors.AsType[*agents.QuestionError](err)
	require.True(t, ok, "%v", err)
	assert.Contains(t, question.Question.Message, "SPY")
	assert.Contains(t, question.Question.Schema.Properties, "approve")
	assert.Zero(t, d.placed(), "a question sends nothing")

	out, err = d.call(accepts, "place_order", place)
	require.NoError(t, err)
	assert.Equal(t, "done", out["state"])
	assert.Equal(t, "elicitation", out["approved_by"])
	order := object(t, list(t, out["orders"])[0])
	assert.Equal(t, "filled", order["status"])
	assert.Equal(t, 1, d.placed())

	_, err = d.call(accepts, "place_order", place)
	require.ErrorIs(t, err, broker.ErrSpent)
	assert.Equal(t, 1, d.placed(), "a second call sends nothing")

	out, err = d.call(nobody, "orders", `{}`)
	require.NoError(t, err)
	assert.Equal(t, order["id"], object(t, list(t, out["orders"])[0])["id"])
	out, err = d.call(nobody, "orders", `{"id":"`+order["id"].(string)+`"}`)
	require.NoError(t, err)
	assert.Len(t, list(t, out["orders"]), 1)

	out, err = d.call(nobody, "audit", `{}`)
	require.NoError(t, err)
	var what []string
	for _, e := range list(t, out["entries"]) {
		what = append(what, object(t, e)["what"].(string))
	}
	assert.Equal(t, []string{broker.EntryPreviewed, broker.EntryApproved, broker.EntryClaimed, broker.EntrySending, broker.EntryAnswered}, what)
}

func TestNobodyButAPersonApproves(t *testing.T) {
	for name, row := range map[string]struct {
		person agents.Person
		args   string // added to the arguments
		is     error
		void   bool
	}{
		"no one to ask":        {nobody, ``, broker.ErrApprovalRequired, false},
		"declined":             {declines, ``, broker.ErrDeclined, true},
		"accepted without yes": {hesitant, ``, broker.ErrDeclined, true},
		"a made-up code":       {nobody, `,"code":"123456"`, broker.ErrApprovalRequired, false},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, nil)
			id := d.preview(buyOne)
			_, err := d.call(row.person, "place_order", `{"preview_id":"`+id+`"`+row.args+`}`)
			require.ErrorIs(t, err, row.is)
			assert.Zero(t, d.placed())
			_, err = d.call(accepts, "place_order", `{"preview_id":"`+id+`"}`)
			if row.void {
				require.ErrorIs(t, err, broker.ErrSpent, "a preview that was declined is void")
				assert.Zero(t, d.placed())
			} else {
				assert.NoError(t, err)
			}
		})
	}
}

func TestAnApprovalIsOfOneOrderOnly(t *testing.T) {
	d := newDesk(t, nil)
	first, second := d.preview(buyOne), d.preview(strings.Replace(buyOne, `"qty":1`, `"qty":50`, 1))
	_, err := d.call(accepts, "place_order", `{"preview_id":"`+first+`"}`)
	require.NoError(t, err)
	_, err = d.call(nobody, "place_order", `{"preview_id":"`+second+`"}`)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	assert.Contains(t, err.Error(), second, "it says what is to be approved")
	assert.Equal(t, 1, d.placed())
	_, err = d.call(accepts, "place_order", `{"preview_id":"nonsense"}`)
	require.ErrorIs(t, err, broker.ErrUnknownPreview)
}

func TestTheKillSwitchStopsOrdersAndOnlyTheOperatorLiftsIt(t *testing.T) {
	d := newDesk(t, nil)
	resting := d.preview(`{"order":{"price":"90","legs":[{"action":"BTO","qty":"1","symbol":"SPY"}]}}`)
	_, err := d.call(accepts, "place_order", `{"preview_id":"`+resting+`"}`)
	require.NoError(t, err)
	waiting := d.preview(buyOne)

	out, err := d.call(nobody, "kill_switch", `{"reason":"the user said stop"}`)
	require.NoError(t, err)
	assert.Equal(t, true, out["engaged"])
	assert.Len(t, list(t, out["cancelled"]), 1)
	_, err = d.call(accepts, "place_order", `{"preview_id":"`+waiting+`"}`)
	require.ErrorIs(t, err, broker.ErrKilled)
	_, err = d.call(nobody, "preview_order", buyOne)
	require.ErrorIs(t, err, broker.ErrKilled)
	assert.Equal(t, 1, d.placed())
	for name := range d.tools {
		assert.NotContains(t, name, "lift")
	}
	_, err = d.call(nobody, "kill_switch", `{"reason":" "}`)
	assert.ErrorContains(t, err, "reason")
}

func TestTradingToolsAppearAsFarAsTheModeGoes(t *testing.T) {
	all := func(d *desk) (names []string) {
		for name := range d.tools {
			if tools.SetOf(name) == "trade" {
				names = append(names, name)
			}
		}
		return names
	}
	assert.ElementsMatch(t, []string{"orders", "preview_order", "place_order", "kill_switch"}, all(newDesk(t, nil)))
	assert.ElementsMatch(t, []string{"orders", "preview_order", "kill_switch"}, all(newDesk(t, func(l *broker.Limits) { l.Mode = broker.ModePreview })))
	assert.ElementsMatch(t, []string{"orders"}, all(newDesk(t, func(l *broker.Limits) { l.Mode = broker.ModeOff })))
	unguarded := tools.New(tools.Deps{Broker: newDesk(t, nil).exchange.Broker()})
	for _, tool := range unguarded {
		assert.NotEqual(t, "trade", tools.SetOf(tool.Name), "a broker without a guard is not traded with")
	}
}

func TestOrdersAreReadAsTheyAreMeant(t *testing.T) {
	d := newDesk(t, nil)
	for name, row := range map[string]struct{ args, want string }{
		"no quantity":         {`{"order":{"price":"1","legs":[{"action":"BTO","qty":"","symbol":"SPY"}]}}`, "order.legs[0].qty"},
		"negative price":      {`{"order":{"price":"-1","legs":[{"action":"BTO","qty":"1","symbol":"SPY"}]}}`, "order.price"},
		"effect contradicts":  {`{"order":{"price":"1","effect":"credit","legs":[{"action":"BTO","qty":"1","symbol":"SPY"}]}}`, "order.effect"},
		"effect missing":      {`{"order":{"price":"1","legs":[{"action":"BTO","qty":"1","symbol":"SPY   261218C00100000"},{"action":"STO","qty":"1","symbol":"SPY   261218C00105000"}]}}`, "order.effect"},
		"nothing to place":    {`{}`, "order"},
		"nothing to cancel":   {`{"op":"cancel"}`, "id"},
		"nothing to close":    {`{"op":"close"}`, "symbols"},
		"unknown action":      {`{"order":{"price":"1","legs":[{"action":"BUY","qty":"1","symbol":"SPY"}]}}`, "action"},
		"unknown account":     {`{"account":"X","order":{"price":"1","legs":[{"action":"BTO","qty":"1","symbol":"SPY"}]}}`, "one of PAPER1"},
		"refused by a limit":  {`{"order":{"price":"100","legs":[{"action":"BTO","qty":"2000","symbol":"SPY"}]}}`, "refused by the guard"},
		"order beside orders": {`{"group":"oco","order":{"price":"1","legs":[]},"orders":[]}`, "orders alone"},
	} {
		_, err := d.call(nobody, "preview_order", row.args)
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), row.want, name)
	}
	id := d.preview(`{"order":{"type":"stop limit","stop":"101","price":"101.5","tif":"gtc","legs":[{"action":"BTO","qty":"1","symbol":"SPY"}]},"account":"PAPER1"}`)
	assert.NotEmpty(t, id)
}
