package alpaca

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Order returns one order, or [broker.ErrUnknownOrder].
func (a *Adapter) Order(ctx context.Context, account broker.AccountID, id broker.OrderID) (*broker.OrderState, error) {
	if err := checkOrderID(id); err != nil {
		return nil, err
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	order, err := a.client.Order(ctx, string(id))
	switch api, _ := errors.AsType[*APIError](err); {
	case api != nil && (api.Status == 404 || api.Status == 422): // 422: not the form of an id
		return nil, fmt.Errorf("alpaca: order %s: %w: %w", id, broker.ErrUnknownOrder, err)
	case err != nil:
		return nil, a.failure("reading an order", err)
	}
	group := ""
	if order.OrderClass != "mleg" && len(order.Legs) > 0 {
		group = order.ID
	}
	state := a.state(account, order, group)
	return &state, nil
}

// mostOrders is how many orders one page has.
const mostOrders = 500

// Orders returns the orders that the query selects, newest first. By tag it finds
// an order however old; the exits of a group by theirs as long as the adapter
// that placed it lives.
func (a *Adapter) Orders(ctx context.Context, account broker.AccountID, q broker.OrdersQuery) ([]broker.OrderState, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	var found []Order
	var err error
	if q.Tag != "" {
		var one *Order
		one, err = a.client.OrderByClientID(ctx, a.leaderTag(q.Tag))
		switch {
		case errors.Is(err, ErrNotFound):
			err = nil
		case err == nil:
			found = []Order{*one}
		}
	} else {
		found, err = a.ordersSince(ctx, q)
	}
	if err != nil {
		return nil, a.failure("listing orders", err)
	}
	states := []broker.OrderState{}
	for i := range found {
		for _, s := range a.states(account, &found[i]) {
			if wanted(&s, q) {
				states = append(states, s)
			}
		}
	}
	slices.SortStableFunc(states, func(x, y broker.OrderState) int { return y.Received.Compare(x.Received) })
	return states, nil
}

func wanted(s *broker.OrderState, q broker.OrdersQuery) bool {
	if q.Tag != "" && s.Order.Tag != q.Tag || q.Working && s.Status.Terminal() || s.Received.Before(q.Since) {
		return false
	}
	return q.Symbol == "" || slices.ContainsFunc(s.Order.Legs, func(l broker.Leg) bool {
		return l.Symbol == q.Symbol || underlyingOf(l.Symbol) == q.Symbol
	})
}

// ordersSince lists what was received since the query's time; without one, what
// works and what was received today.
func (a *Adapter) ordersSince(ctx context.Context, q broker.OrdersQuery) ([]Order, error) {
	seen := map[string]bool{}
	var all []Order
	add := func(page []Order) {
		for _, o := range page {
			if !seen[o.ID] {
				seen[o.ID] = true
				all = append(all, o)
			}
		}
	}
	since := q.Since
	if since.IsZero() || q.Working {
		if err := a.eachPage(ctx, ListOrdersQuery{Status: "open", Limit: mostOrders}, add); err != nil || q.Working {
			return all, err
		}
		since = a.today().In(a.opts.Calendar.Location())
	}
	err := a.eachPage(ctx, ListOrdersQuery{Status: "all", Limit: mostOrders, After: since.Add(-time.Microsecond)}, add)
	return all, err
}

// eachPage reads pages from the newest order to the oldest. Orders of one instant
// can stand on both sides of a page's end, so each page begins where the last one
// ended, and repeats what stood there.
func (a *Adapter) eachPage(ctx context.Context, q ListOrdersQuery, add func([]Order)) error {
	for {
		page, err := a.client.Orders(ctx, q)
		if err != nil {
			return err
		}
		add(page)
		if len(page) < q.Limit {
			return nil
		}
		next := page[len(page)-1].SubmittedAt.Time.Add(time.Microsecond)
		if next.IsZero() || !q.Until.IsZero() && !next.Before(q.Until) {
			return nil // no way forward: a page of one instant
		}
		q.Until = next
	}
}

// mostActivities is how many activities one page has.
const mostActivities = 100

// Transactions returns what happened from (included) to (excluded), oldest first.
// Fees of trades are activities of their own, which Alpaca books at the end of
// the day.
func (a *Adapter) Transactions(ctx context.Context, account broker.AccountID, from, to time.Time) ([]broker.Transaction, error) {
	if !to.After(from) {
		return nil, invalid.Field("to", to.Format(time.RFC3339), "a time after from")
	}
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	if err := a.check(ctx, account); err != nil {
		return nil, err
	}
	// What has only a date stands at midnight, which Alpaca may count in another
	// zone: a day more is asked for on both sides.
	q := ActivitiesQuery{After: from.AddDate(0, 0, -1), Until: to.AddDate(0, 0, 1), Ascending: true, PageSize: mostActivities}
	out := []broker.Transaction{}
	for {
		page, err := a.client.Activities(ctx, q)
		if err != nil {
			return nil, a.failure("listing transactions", err)
		}
		for i := range page {
			t := a.transaction(account, &page[i])
			if !t.Time.Before(from) && t.Time.Before(to) {
				out = append(out, t)
			}
		}
		if len(page) < q.PageSize || page[len(page)-1].ID == q.PageToken {
			break
		}
		q.PageToken = page[len(page)-1].ID
	}
	slices.SortStableFunc(out, func(x, y broker.Transaction) int { return x.Time.Compare(y.Time) })
	return out, nil
}

// transactionKinds by the start of an activity's type. The longest that fits
// counts.
var transactionKinds = map[string]broker.TransactionKind{
	"FILL": broker.Trade, "OPTRD": broker.Trade, "OPEXC": broker.Exercise, "OPASN": broker.Assignment, "OPCSH": broker.Exercise, "OPEXP": broker.Expiration,
	"DIV": broker.Dividend, "INT": broker.Interest, "FEE": broker.FeeCharge, "CFEE": broker.FeeCharge, "PTC": broker.FeeCharge,
	"CSD": broker.Transfer, "CSW": broker.Transfer, "CSR": broker.Transfer, "TRANS": broker.Transfer, "JNL": broker.Transfer, "ACAT": broker.Transfer,
	"SPLIT": broker.Split, "SSO": broker.Split, "SSP": broker.Split,
}

func kindOf(activity string) broker.TransactionKind {
	best := ""
	for prefix := range transactionKinds {
		if strings.HasPrefix(activity, prefix) && len(prefix) > len(best) {
			best = prefix
		}
	}
	return cmp.Or(transactionKinds[best], broker.TransactionKind(strings.ToLower(activity)))
}

func (a *Adapter) transaction(account broker.AccountID, v *Activity) broker.Transaction {
	t := broker.Transaction{
		ID: v.ID, Account: account, Time: v.TransactionTime.Time, Kind: kindOf(v.ActivityType), Quantity: v.Qty.Decimal(),
		Price: v.Price.Pointer(), Amount: v.NetAmount.Decimal(), Order: broker.OrderID(v.OrderID), Text: v.Description,
	}
	if v.Symbol != "" {
		class := ""
		if strings.HasSuffix(v.Symbol, "USD") && len(v.Symbol) >= 6 {
			class = "crypto" // pairs of six letters and more: no share ends like that
		}
		t.Symbol = symbolOf(v.Symbol, class)
	}
	if t.Time.IsZero() {
		t.Time = v.CreatedAt.Time
	}
	if t.Time.IsZero() && !v.Date.IsZero() {
		t.Time = v.Date.In(a.opts.Calendar.Location())
	}
	if v.ActivityType == "FILL" {
		if strings.HasPrefix(v.Side, "sell") {
			t.Quantity = t.Quantity.Abs().Neg()
		}
		if !v.NetAmount.Known() {
			t.Amount = t.Quantity.Mul(v.Price.Decimal()).Mul(multiplier(market.Symbol(t.Symbol))).Neg()
		}
	}
	if t.Quantity.IsZero() {
		t.Price = nil
	}
	return t
}
