package tasty_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/sharedtest"
	"github.com/ttai-go/ttai/tastytrade"
)

const preflight = `{"error":{"code":"preflight_check_failure","message":"One or more preflight checks failed",
	"errors":[{"code":"margin_check_failed","message":"Not enough buying power"},{"code":"cant_buy_for_credit","message":"You can't buy for a credit"}]}}`

func TestRefusalsAreNotices(t *testing.T) {
	validation := `{"error":{"code":"validation_error","message":"Request validation failed","errors":[{"domain":"price","reason":"is not a multiple of 0.01"}]}}`
	rows := map[string]struct {
		status int
		body   string
		want   []broker.Notice
	}{
		"checks": {422, preflight, []broker.Notice{
			{Code: "margin_check_failed", Message: "Not enough buying power"}, {Code: "cant_buy_for_credit", Message: "You can't buy for a credit"}}},
		"the form": {400, validation, []broker.Notice{{Code: "validation_error", Message: "is not a multiple of 0.01", Field: "Orders[0].Limit"}}},
		"one word": {422, `{"error":{"code":"too_close_to_expiration","message":"too late for this contract"}}`,
			[]broker.Notice{{Code: "too_close_to_expiration", Message: "too late for this contract"}}},
		"an instrument": {404, `{"error":{"code":"record_not_found","message":"no such symbol"}}`, []broker.Notice{{Code: "record_not_found", Message: "no such symbol"}}},
		"in the answer": {201, `{"data":{"errors":[{"code":"closed","message":"The market is closed"}]}}`, []broker.Notice{{Code: "closed", Message: "The market is closed"}}},
	}
	for name, row := range rows {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			d.on(account("POST", "/orders"), row.status, row.body)
			d.on(account("POST", "/orders/dry-run"), row.status, row.body)
			p, err := d.trade.Preview(t.Context(), deskAccount, broker.NewTicket(limitOrder("t")))
			require.NoError(t, err, "a ticket that would be refused is no error")
			assert.Equal(t, row.want, p.Refusals)
			_, err = d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("t")))
			require.ErrorIs(t, err, broker.ErrRejected)
			var rejected *broker.RejectedError
			require.ErrorAs(t, err, &rejected)
			assert.Equal(t, row.want, rejected.Notices)
			assert.Equal(t, 1, d.writes())

			d.on(account("POST", "/orders"), 201, data(t, map[string]any{"order": wireOrder("1", "Received", nil)}))
			_, err = d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("t")))
			assert.ErrorIs(t, err, broker.ErrRejected, "the first answer once more")
			_, err = d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("t")))
			assert.NoError(t, err, "the tag of an order that does not exist is free")
		})
	}
}

func TestARejectedOrderInTheAnswerDoesNotExist(t *testing.T) {
	d := newDesk(t)
	d.on(account("POST", "/orders"), 201, data(t, map[string]any{"order": wireOrder("1", "Rejected", map[string]any{"reject-reason": "no locate"})}))
	_, err := d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("t")))
	var rejected *broker.RejectedError
	require.ErrorAs(t, err, &rejected)
	assert.Equal(t, "no locate", rejected.Notices[0].Message)
}

func TestFailuresSayWhetherSomethingHappened(t *testing.T) {
	rows := map[string]struct {
		status int
		code   string
		want   error
	}{
		"too many requests": {429, "too_many_requests", broker.ErrUnavailable},
		"the token":         {401, "token_invalid", broker.ErrUnauthorized},
		"the scope":         {403, "not_permitted", broker.ErrUnauthorized},
	}
	for name, row := range rows {
		d := newDesk(t)
		d.on(account("POST", "/orders"), row.status, `{"error":{"code":"`+row.code+`","message":"no"}}`)
		_, err := d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("t")))
		assert.ErrorIs(t, err, row.want, name)
		assert.NotErrorIs(t, err, broker.ErrUncertain, name)
		assert.Equal(t, 1, d.writes(), name)
	}
	for _, status := range []int{403, 404} {
		d := newDesk(t)
		d.on("POST /accounts/5WX99999/orders", status, `{"error":{"code":"not_permitted","message":"no"}}`)
		_, err := d.trade.Place(t.Context(), "5WX99999", broker.NewTicket(limitOrder("t")))
		assert.ErrorIs(t, err, broker.ErrUnknownAccount)
	}
}

func TestAnOrderWithoutAnAnswerIsLookedForAndNeverSentAgain(t *testing.T) {
	lost := map[string]func(*desk, string){
		"cut":     func(d *desk, route string) { d.drops(route) },
		"gateway": func(d *desk, route string) { d.on(route, 504, "<html>gateway timeout</html>") },
		"unreadable": func(d *desk, route string) {
			d.on(route, 201, `{"data":{}}`)
		},
	}
	for name, lose := range lost {
		t.Run(name+", and it is there", func(t *testing.T) {
			d := newDesk(t)
			lose(d, account("POST", "/orders"))
			d.on(account("GET", "/orders/live"), 200, items(t)) // not listed yet
			d.on(account("GET", "/orders"), 200, items(t))
			d.on(account("GET", "/orders/live"), 200, items(t, wireOrder("8", "Live", map[string]any{"external-identifier": "other"}), wireOrder("9", "Live", nil)))
			states, err := d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("entry")))
			require.NoError(t, err)
			require.Len(t, states, 1)
			assert.Equal(t, broker.OrderID("9"), states[0].ID)
			assert.Equal(t, 1, d.writes())
		})
		t.Run(name+", and it is nowhere", func(t *testing.T) {
			d := newDesk(t)
			lose(d, account("POST", "/orders"))
			d.on(account("GET", "/orders/live"), 200, items(t))
			d.on(account("GET", "/orders"), 200, items(t))
			ticket := broker.NewTicket(limitOrder("entry"))
			_, err := d.trade.Place(t.Context(), deskAccount, ticket)
			var uncertain *broker.UncertainError
			require.ErrorAs(t, err, &uncertain)
			assert.ErrorIs(t, err, broker.ErrUncertain)
			assert.Equal(t, []string{"entry"}, uncertain.Tags)
			_, err = d.trade.Place(t.Context(), deskAccount, ticket)
			var field *broker.FieldError
			require.ErrorAs(t, err, &field, "it may still turn up")
			assert.Equal(t, "Tag", field.Field)
			assert.Equal(t, 1, d.writes())
		})
	}
}

func TestAnOrderFoundRejectedIsRejected(t *testing.T) {
	d := newDesk(t)
	d.drops(account("POST", "/orders"))
	d.on(account("GET", "/orders/live"), 200, items(t, wireOrder("9", "Rejected", map[string]any{"reject-reason": "halted"})))
	_, err := d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("entry")))
	assert.ErrorIs(t, err, broker.ErrRejected)
	assert.ErrorContains(t, err, "halted")
}

func TestAGroupWithoutAnAnswerIsLookedFor(t *testing.T) {
	d := newDesk(t)
	d.drops(account("POST", "/complex-orders"))
	exit := limitOrder("exit")
	exit.Legs[0].Action, exit.Limit = broker.SellToClose, dec("105")
	group := map[string]any{"id": 77, "type": "OTO", "trigger-order": wireOrder("1", "Live", nil),
		"orders": []any{wireOrder("2", "Contingent", map[string]any{"external-identifier": "exit"})}}
	d.on(account("GET", "/complex-orders/live"), 200, items(t, group))
	states, err := d.trade.Place(t.Context(), deskAccount, broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{limitOrder("entry"), exit}})
	require.NoError(t, err)
	require.Len(t, states, 2)
	assert.Equal(t, []broker.OrderID{"1", "2"}, []broker.OrderID{states[0].ID, states[1].ID})
	assert.Equal(t, "77", states[1].Group)
	assert.Equal(t, 1, d.writes())
}

func TestAnOrderThatWasNotSentIsCertainlyNotThere(t *testing.T) {
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := d.trade.Place(ctx, deskAccount, broker.NewTicket(limitOrder("entry")))
	require.ErrorIs(t, err, context.Canceled)
	assert.NotErrorIs(t, err, broker.ErrUncertain)
	assert.Zero(t, d.writes())
	require.NoError(t, d.Adapter.Close())
	_, err = d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("entry")))
	assert.ErrorIs(t, err, broker.ErrUnavailable)
}

func TestCancelling(t *testing.T) {
	route := account("DELETE", "/orders/1")
	t.Run("asks", func(t *testing.T) {
		d := newDesk(t)
		d.on(route, 200, data(t, wireOrder("1", "Cancel Requested", nil)))
		s, err := d.trade.Cancel(t.Context(), deskAccount, "1")
		require.NoError(t, err)
		assert.Equal(t, broker.CancelRequested, s.Status)
	})
	t.Run("too late by the broker's word", func(t *testing.T) {
		d := newDesk(t)
		d.on(route, 422, `{"error":{"code":"cannot_update_order","message":"Order can't be changed"}}`)
		_, err := d.trade.Cancel(t.Context(), deskAccount, "1")
		assert.ErrorIs(t, err, broker.ErrTooLate)
	})
	t.Run("too late by the order's state", func(t *testing.T) {
		d := newDesk(t)
		d.on(route, 422, `{"error":{"code":"something_else","message":"no"}}`)
		d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", "Expired", nil)))
		_, err := d.trade.Cancel(t.Context(), deskAccount, "1")
		assert.ErrorIs(t, err, broker.ErrTooLate)
	})
	t.Run("refused for another reason", func(t *testing.T) {
		d := newDesk(t)
		d.on(route, 422, `{"error":{"code":"something_else","message":"no"}}`)
		d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", "Live", nil)))
		_, err := d.trade.Cancel(t.Context(), deskAccount, "1")
		assert.ErrorIs(t, err, broker.ErrRejected)
	})
	t.Run("unknown", func(t *testing.T) {
		d := newDesk(t)
		_, err := d.trade.Cancel(t.Context(), deskAccount, "1")
		assert.ErrorIs(t, err, broker.ErrUnknownOrder)
		_, err = d.trade.Cancel(t.Context(), deskAccount, "")
		var field *broker.FieldError
		assert.ErrorAs(t, err, &field)
	})
	for status, want := range map[string]error{"Cancel Requested": nil, "Filled": nil, "Live": broker.ErrUncertain} {
		t.Run("without an answer, and the order is "+status, func(t *testing.T) {
			d := newDesk(t)
			d.drops(route)
			d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", status, map[string]any{"legs": []any{}})))
			_, err := d.trade.Cancel(t.Context(), deskAccount, "1")
			assert.ErrorIs(t, err, want)
			if want != nil {
				var uncertain *broker.UncertainError
				require.ErrorAs(t, err, &uncertain)
				assert.Equal(t, broker.OrderID("1"), uncertain.Order)
			}
			assert.Equal(t, 1, d.writes())
		})
	}
}

func TestReplacing(t *testing.T) {
	route := account("PUT", "/orders/1")
	live := func(t *testing.T, d *desk) {
		d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", "Live", nil)))
	}
	with := limitOrder("second")
	with.Limit = dec("-98")
	t.Run("sends the new terms", func(t *testing.T) {
		d := newDesk(t)
		live(t, d)
		d.on(route, 200, data(t, wireOrder("2", "Contingent", map[string]any{"replaces-order-id": 1, "external-identifier": "second", "price": "98.0"})))
		s, err := d.trade.Replace(t.Context(), deskAccount, "1", with)
		require.NoError(t, err)
		assert.Equal(t, broker.OrderID("2"), s.ID)
		assert.Equal(t, broker.OrderID("1"), s.Replaces)
		assert.Equal(t, broker.Contingent, s.Status)
		assert.JSONEq(t, `{"order-type":"Limit","time-in-force":"Day","price":"98","price-effect":"Debit","external-identifier":"second"}`, d.sent(route)[0])
	})
	t.Run("keeps quantities and legs", func(t *testing.T) {
		d := newDesk(t)
		live(t, d)
		more := limitOrder("second")
		more.Legs[0].Quantity = *dec("11")
		_, err := d.trade.Replace(t.Context(), deskAccount, "1", more)
		assert.ErrorIs(t, err, broker.ErrUnsupported)
		other := limitOrder("second")
		other.Legs[0].Symbol = "QQQ"
		_, err = d.trade.Replace(t.Context(), deskAccount, "1", other)
		var field *broker.FieldError
		require.ErrorAs(t, err, &field)
		assert.Equal(t, "Legs[0].Symbol", field.Field)
		assert.Zero(t, d.writes())
	})
	t.Run("too late", func(t *testing.T) {
		d := newDesk(t)
		d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", "Cancelled", nil)))
		_, err := d.trade.Replace(t.Context(), deskAccount, "1", with)
		assert.ErrorIs(t, err, broker.ErrTooLate)
		assert.Zero(t, d.writes())
	})
	t.Run("without an answer it is looked for", func(t *testing.T) {
		d := newDesk(t)
		live(t, d)
		d.drops(route)
		d.on(account("GET", "/orders/live"), 200, items(t, wireOrder("1", "Cancelled", nil), wireOrder("2", "Live", map[string]any{"external-identifier": "second"})))
		s, err := d.trade.Replace(t.Context(), deskAccount, "1", with)
		require.NoError(t, err)
		assert.Equal(t, broker.OrderID("2"), s.ID)
		assert.Equal(t, 1, d.writes())
	})
}

func TestOrdersAreGatheredFromEveryList(t *testing.T) {
	at := func(minute string) map[string]any {
		return map[string]any{"received-at": "2026-08-03T14:" + minute + ":00.000+00:00", "external-identifier": "t" + minute}
	}
	d := newDesk(t)
	group := map[string]any{"id": 77, "trigger-order": wireOrder("4", "Live", at("34")), "orders": []any{wireOrder("5", "Contingent", at("35"))}}
	option := at("36")
	option["legs"] = []map[string]any{{"symbol": string(lowerCall), "instrument-type": "Equity Option", "action": "Buy to Open", "quantity": 1, "remaining-quantity": 1}}
	d.on(account("GET", "/complex-orders/live"), 200, items(t, group))
	d.on(account("GET", "/orders/live"), 200, items(t, wireOrder("2", "Cancelled", at("32")), wireOrder("4", "Live", at("34")), wireOrder("6", "Live", option)))
	d.on(account("GET", "/orders"), 200, items(t, wireOrder("1", "Live", at("31"))))
	for _, row := range []struct {
		query broker.OrdersQuery
		want  []broker.OrderID
	}{
		{broker.OrdersQuery{}, []broker.OrderID{"6", "5", "4", "2", "1"}},
		{broker.OrdersQuery{Working: true}, []broker.OrderID{"6", "5", "4", "1"}},
		{broker.OrdersQuery{Tag: "t32"}, []broker.OrderID{"2"}},
		{broker.OrdersQuery{Tag: "t31"}, []broker.OrderID{"1"}},
		{broker.OrdersQuery{Tag: "nobody"}, nil},
		{broker.OrdersQuery{Symbol: lowerCall}, []broker.OrderID{"6"}},
		{broker.OrdersQuery{Symbol: "SPY"}, []broker.OrderID{"6", "5", "4", "2", "1"}},
		{broker.OrdersQuery{Symbol: "QQQ"}, nil},
		{broker.OrdersQuery{Since: time.Date(2026, 8, 3, 14, 34, 0, 0, time.UTC)}, []broker.OrderID{"6", "5", "4"}},
	} {
		list, err := d.trade.Orders(t.Context(), deskAccount, row.query)
		require.NoError(t, err)
		var got []broker.OrderID
		for _, s := range list {
			got = append(got, s.ID)
		}
		assert.Equal(t, row.want, got, "%+v", row.query)
	}
	_, err := d.trade.Orders(t.Context(), "5WX99999", broker.OrdersQuery{})
	assert.ErrorIs(t, err, broker.ErrUnknownAccount)

	before := len(d.sent(account("GET", "/orders")))
	_, err = d.trade.Orders(t.Context(), deskAccount, broker.OrdersQuery{Tag: "t32"})
	require.NoError(t, err)
	assert.Len(t, d.sent(account("GET", "/orders")), before, "what is found today is not looked for in the past")
}

// The amounts are those of the recorded history.
func TestRecordedHistoryIsRead(t *testing.T) {
	file, err := os.ReadFile(sharedtest.Path(t, "payloads", "rest", "transactions_listing.json"))
	require.NoError(t, err)
	var page struct {
		Data struct {
			Items []tastytrade.Transaction `json:"items"`
		} `json:"data"`
	}
	require.NoError(t, unmarshal(file, &page))
	d := newDesk(t)
	list := make([]any, len(page.Data.Items))
	for i := range page.Data.Items {
		list[i] = page.Data.Items[i]
	}
	d.on(account("GET", "/transactions"), 200, items(t, list...))
	got, err := d.trade.Transactions(t.Context(), deskAccount, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	require.Len(t, got, len(list))
	byID := map[string]broker.Transaction{}
	for _, tr := range got {
		byID[tr.ID] = tr
	}
	money := byID["252634233"]
	assert.Equal(t, broker.Dividend, money.Kind)
	assert.Equal(t, "27.74", money.Amount.String())
	assert.True(t, money.Quantity.IsZero())
	shares := byID["252640963"]
	assert.Equal(t, "1.68074", shares.Quantity.String(), "the dividend was reinvested")
	assert.Equal(t, "16.46", shares.Price.String())
	assert.True(t, shares.Amount.IsZero())
	none, err := d.trade.Transactions(t.Context(), deskAccount, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC))
	require.NoError(t, err)
	assert.Empty(t, none, "the bounds hold whatever the broker sends")
}

func TestTransactionsHaveTheirKindSignAndFees(t *testing.T) {
	row := func(id int, kind, sub, action string, more map[string]any) map[string]any {
		out := map[string]any{"id": id, "account-number": deskAccount, "transaction-type": kind, "transaction-sub-type": sub, "action": action,
			"executed-at": "2026-08-03T14:30:00.000+00:00", "symbol": "SPY", "quantity": "10", "price": "99"}
		for k, v := range more {
			out[k] = v
		}
		return out
	}
	d := newDesk(t)
	d.on(account("GET", "/transactions"), 200, items(t,
		row(1, "Trade", "Sell to Close", "Sell to Close", map[string]any{"value": "990", "value-effect": "Credit", "net-value": "989.87", "net-value-effect": "Credit",
			"commission": "0.1", "commission-effect": "Debit", "regulatory-fees": "0.02", "regulatory-fees-effect": "Debit", "clearing-fees": "0.01", "clearing-fees-effect": "Debit", "order-id": 9}),
		row(2, "Receive Deliver", "Assignment", "Buy to Close", nil),
		row(3, "Receive Deliver", "Sell to Open", "Sell to Open", nil),
		row(4, "Receive Deliver", "Expiration", "Sell to Close", nil),
		row(5, "Money Movement", "Debit Interest", "", map[string]any{"value": "1.5", "value-effect": "Debit"}),
		row(6, "Money Movement", "Mark to Market", "", nil),
		row(7, "Receive Deliver", "Forward Split", "Buy to Open", nil),
		row(8, "Money Movement", "Withdrawal", "", nil),
	))
	from := time.Date(2026, 8, 3, 0, 0, 0, 0, time.UTC)
	got, err := d.trade.Transactions(t.Context(), deskAccount, from, from.AddDate(0, 0, 1))
	require.NoError(t, err)
	var kinds []broker.TransactionKind
	for _, tr := range got {
		kinds = append(kinds, tr.Kind)
	}
	assert.Equal(t, []broker.TransactionKind{broker.Trade, broker.Assignment, "receive deliver", broker.Expiration, broker.Interest, "mark to market", broker.Split, broker.Transfer}, kinds)
	assert.Equal(t, "-10", got[0].Quantity.String())
	assert.Equal(t, "989.87", got[0].Amount.String())
	assert.Equal(t, "-0.13", got[0].Fees.Total().String())
	assert.Equal(t, broker.OrderID("9"), got[0].Order)
	assert.Equal(t, "10", got[1].Quantity.String())
	assert.Equal(t, "-1.5", got[4].Amount.String())
	_, err = d.trade.Transactions(t.Context(), deskAccount, from, from)
	var field *broker.FieldError
	assert.ErrorAs(t, err, &field)
}

func TestNotesOfADryRunAreWarnings(t *testing.T) {
	d := newDesk(t)
	d.on(account("POST", "/orders/dry-run"), 201, data(t, map[string]any{
		"order":    wireOrder("1", "Received", nil),
		"warnings": []map[string]any{{"code": "tif_next_valid_sesssion", "message": "Your order will begin working during next valid session."}},
		"notes":    []map[string]any{{"code": "note", "message": "read this", "preflight-id": "0"}},
	}))
	order := limitOrder("t")
	p, err := d.trade.Preview(t.Context(), deskAccount, broker.NewTicket(order))
	require.NoError(t, err)
	require.Len(t, p.Warnings, 2)
	assert.Equal(t, "tif_next_valid_sesssion", p.Warnings[0].Code)
	assert.Equal(t, "Orders[0]", p.Warnings[1].Field)
	assert.Nil(t, p.BuyingPower, "what the broker does not say is not known")
	assert.Nil(t, p.Fees)
	assert.Equal(t, "-990", p.Cash.String())
}

func TestAGroupWhoseAnswerHasNoOrdersIsRead(t *testing.T) {
	exit := limitOrder("exit")
	exit.Legs[0].Action, exit.Limit = broker.SellToClose, dec("105")
	ticket := broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{limitOrder("entry"), exit}}
	d := newDesk(t)
	d.on(account("POST", "/complex-orders"), 201, `{"data":{"complex-order":{"id":77,"type":"OTO"}}}`)
	_, err := d.trade.Place(t.Context(), deskAccount, ticket)
	assert.ErrorIs(t, err, broker.ErrUncertain, "it is there, and cannot be shown")

	d = newDesk(t)
	d.on(account("POST", "/complex-orders"), 201, `{"data":{"complex-order":{"id":77,"type":"OTO"}}}`)
	d.on(account("GET", "/complex-orders/77"), 200, data(t, map[string]any{"id": 77, "trigger-order": wireOrder("1", "Live", nil),
		"orders": []any{wireOrder("2", "Contingent", map[string]any{"external-identifier": "exit"})}}))
	states, err := d.trade.Place(t.Context(), deskAccount, ticket)
	require.NoError(t, err)
	assert.Equal(t, broker.OrderID("2"), states[1].ID)
}

func TestAnOrderOfYesterdayIsFoundInTheHistory(t *testing.T) {
	d := newDesk(t)
	d.drops(account("POST", "/orders"))
	d.on(account("GET", "/orders/live"), 200, items(t)) // midnight has passed
	d.on(account("GET", "/orders"), 200, items(t, wireOrder("9", "Expired", nil)))
	states, err := d.trade.Place(t.Context(), deskAccount, broker.NewTicket(limitOrder("entry")))
	require.NoError(t, err)
	assert.Equal(t, broker.OrderID("9"), states[0].ID)
}

func TestAReplacementOnTheOtherSideIsNotSent(t *testing.T) {
	d := newDesk(t)
	d.on(account("GET", "/orders/1"), 200, data(t, wireOrder("1", "Live", nil)))
	other := limitOrder("second")
	other.Legs[0].Action = broker.BuyToClose
	_, err := d.trade.Replace(t.Context(), deskAccount, "1", other)
	var field *broker.FieldError
	require.ErrorAs(t, err, &field)
	assert.Equal(t, "Legs[0].Action", field.Field)
	assert.Zero(t, d.writes())
}

func TestWhatAPreviewCannotKnowIsNil(t *testing.T) {
	exit := func(tag string, price string) broker.Order {
		o := limitOrder(tag)
		o.Legs[0].Action, o.Limit = broker.SellToClose, dec(price)
		return o
	}
	d := newDesk(t)
	d.on(account("POST", "/complex-orders/dry-run"), 201, `{"data":{}}`)
	d.on(account("POST", "/orders/dry-run"), 201, `{"data":{}}`)
	oco := broker.Ticket{Kind: broker.OCO, Orders: []broker.Order{exit("a", "105"), exit("b", "106")}}
	p, err := d.trade.Preview(t.Context(), deskAccount, oco)
	require.NoError(t, err)
	assert.Nil(t, p.Cash, "which of the two fills is not known")
	oto := broker.Ticket{Kind: broker.OTO, Orders: []broker.Order{limitOrder("a"), exit("b", "106")}}
	p, err = d.trade.Preview(t.Context(), deskAccount, oto)
	require.NoError(t, err)
	assert.Equal(t, "-990", p.Cash.String(), "that of the first")
	for name, order := range map[string]broker.Order{
		"a future": {Tag: "t", Type: broker.Limit, Limit: dec("-6000"), Legs: []broker.Leg{leg("/ESZ6", broker.BuyToOpen, "1")}},
		"shares beside an option": {Tag: "t", Type: broker.Limit, Limit: dec("-495"),
			Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "100"), leg(lowerCall, broker.SellToOpen, "1")}},
		"a market without a quote": {Tag: "t", Type: broker.Market, Legs: []broker.Leg{leg("SPY", broker.BuyToOpen, "1")}},
	} {
		p, err := d.trade.Preview(t.Context(), deskAccount, broker.NewTicket(order))
		require.NoError(t, err)
		assert.Nil(t, p.Cash, name)
	}
	stop := broker.Order{Tag: "t", Type: broker.Stop, Stop: dec("95"), Legs: []broker.Leg{leg("SPY", broker.SellToClose, "10")}}
	p, err = d.trade.Preview(t.Context(), deskAccount, broker.NewTicket(stop))
	require.NoError(t, err)
	assert.Equal(t, "950", p.Cash.String(), "a stop, at its trigger")
	money := broker.Order{Tag: "t", Type: broker.Market, Notional: dec("250"), Legs: []broker.Leg{{Symbol: "SPY", Action: broker.BuyToOpen}}}
	p, err = d.trade.Preview(t.Context(), deskAccount, broker.NewTicket(money))
	require.NoError(t, err)
	assert.Equal(t, "-250", p.Cash.String())
}

func TestFeesAddUpToTheBrokersTotal(t *testing.T) {
	d := newDesk(t)
	d.on(account("POST", "/orders/dry-run"), 201, `{"data":{"fee-calculation":{"commission":"1","commission-effect":"Debit","proprietary-index-option-fees":"0.5",
		"proprietary-index-option-fees-effect":"Debit","rebates":"0.2","rebates-effect":"Credit","total-fees":"1.75","total-fees-effect":"Debit"}}}`)
	p, err := d.trade.Preview(t.Context(), deskAccount, broker.NewTicket(limitOrder("t")))
	require.NoError(t, err)
	assert.Equal(t, "-1.75", p.Fees.Total().String())
	assert.Equal(t, "-1", p.Fees.Commission.String())
	assert.Equal(t, "-0.75", p.Fees.Exchange.String(), "0.5 less 0.2, and 0.45 without a name")
}
