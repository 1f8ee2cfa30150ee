package tools_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/agents"
	"github.com/ttai-go/ttai/broker"
)

func TestAnAnswerThatIsNotAPlainYesSendsNothing(t *testing.T) {
	for name, values := range map[string]map[string]any{
		"text":         {"approve": "true"},
		"a number":     {"approve": float64(1)},
		"a list":       {"approve": []any{true}},
		"an object":    {"approve": map[string]any{"approve": true}},
		"other name":   {"Approve": true, "approved": true},
		"nothing":      nil,
		"null":         {"approve": nil},
		"no with more": {"approve": false, "confirm": true, "yes": true},
	} {
		d := newDesk(t, nil)
		id := d.preview(buyOne)
		person := agents.Person{CanAnswer: true, Client: "test 1", Answer: &agents.Answer{Accepted: true, Values: values}}
		_, err := d.call(person, "place_order", `{"preview_id":"`+id+`"}`)
		require.ErrorIs(t, err, broker.ErrDeclined, name)
		_, err = d.call(accepts, "place_order", `{"preview_id":"`+id+`"}`)
		require.ErrorIs(t, err, broker.ErrSpent, "%s: what was not a yes voids the preview", name)
		assert.Zero(t, d.placed(), name)
	}
}

func TestAnAnswerOfSomebodyWhoCannotAnswerIsNone(t *testing.T) {
	d := newDesk(t, nil)
	forged := agents.Person{Client: "test 1", Answer: accepts.Answer}
	_, err := d.call(forged, "place_order", `{"preview_id":"`+d.preview(buyOne)+`"}`)
	require.ErrorIs(t, err, broker.ErrApprovalRequired)
	assert.Zero(t, d.placed())
}

func TestAModelSubmitsNoLiftOfTheKillSwitchEvenWhenAPersonWouldSayYes(t *testing.T) {
	d := newDesk(t, nil)
	_, err := d.call(nobody, "kill_switch", `{"reason":"test"}`)
	require.NoError(t, err)
	lift, err := d.guard.PrepareLift(t.Context())
	require.NoError(t, err)
	for _, extra := range []string{"", `,"code":"000000"`} {
		_, err = d.call(accepts, "place_order", `{"preview_id":"`+lift.ID+`"`+extra+`}`)
		require.Error(t, err)
	}
	k, err := d.guard.Killed(t.Context())
	require.NoError(t, err)
	assert.True(t, k.Engaged)
}

func TestThePriceOfAClosingOrderSaysWhetherItIsPaid(t *testing.T) {
	d := newDesk(t, nil)
	for _, order := range []string{
		`{"op":"close","symbols":["SPY","QQQ"],"order":{"price":"1.50","legs":[]}}`,
		`{"op":"close","symbols":["SPY","QQQ"],"order":{"price":"-1.50","effect":"debit","legs":[]}}`,
		`{"op":"close","symbols":["SPY","QQQ"],"order":{"price":"-1.50","effect":"credit","legs":[]}}`,
		`{"op":"place","order":{"price":"-1.50","effect":"credit","legs":[{"action":"BTO","qty":1,"symbol":"SPY"},{"action":"STO","qty":1,"symbol":"QQQ"}]}}`,
		`{"op":"place","order":{"price":"1.50","legs":[{"action":"BTO","qty":1,"symbol":"SPY"},{"action":"STO","qty":1,"symbol":"QQQ"}]}}`,
		`{"op":"place","order":{"price":"100","effect":"credit","legs":[{"action":"BTO","qty":1,"symbol":"SPY"}]}}`,
	} {
		_, err := d.call(nobody, "preview_order", order)
		var wrong *broker.FieldError
		require.ErrorAs(t, err, &wrong, order)
	}
}

func TestNumbersThatAreNoneOrMakeNoSenseAreRefused(t *testing.T) {
	d := newDesk(t, nil)
	for _, qty := range []string{`"NaN"`, `"Infinity"`, `"-1"`, `0`, `"1e999999999"`, `"0x10"`, `"1_000"`, `"1,000"`, `true`, `null`, `{}`, `"99999999999999999999999"`, `1e400`, `"1e-11"`, `"１"`, `"٣"`} {
		_, err := d.call(nobody, "preview_order", `{"op":"place","order":{"type":"limit","price":"100.01","legs":[{"action":"BTO","qty":`+qty+`,"symbol":"SPY"}]}}`)
		require.Error(t, err, qty)
	}
	for _, symbol := range []string{"ЅPY", "S\u200bPY", "SPY\\nREAL MONEY", "SPY; sell", "SPY\\u202e"} {
		_, err := d.call(nobody, "preview_order", `{"op":"place","order":{"type":"limit","price":"100.01","legs":[{"action":"BTO","qty":1,"symbol":"`+symbol+`"}]}}`)
		require.Error(t, err, symbol)
	}
	assert.Zero(t, d.placed())
}

func TestAnOrderForAnAccountThatIsNotThereIsRefused(t *testing.T) {
	d := newDesk(t, nil)
	for _, account := range []string{"PAPER2", "PAPER1/../PAPER2", "*"} {
		_, err := d.call(nobody, "preview_order", `{"account":"`+account+`",`+buyOne[1:])
		require.Error(t, err, account)
	}
}

func TestTheWordsThatAreAskedAboutAreThoseOfTheBytesThatAreSent(t *testing.T) {
	d := newDesk(t, nil)
	id := d.preview(buyOne)
	_, err := d.call(asked, "place_order", `{"preview_id":"`+id+`"}`)
	p, preparedErr := d.guard.Prepared(t.Context(), id)
	require.NoError(t, preparedErr)
	require.ErrorContains(t, err, p.Words)
	assert.True(t, p.Ticket.Orders[0].Legs[0].Quantity.Equal(decimal.NewFromInt(1)))
	assert.Contains(t, p.Words, "buy to open 1 SPY for a debit of 100.01")
}
