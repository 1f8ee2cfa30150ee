package simulator

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

type wireTransaction struct {
	ID                     int64  `json:"id"`
	AccountNumber          string `json:"account-number"`
	Symbol                 string `json:"symbol,omitempty"`
	InstrumentType         string `json:"instrument-type,omitempty"`
	UnderlyingSymbol       string `json:"underlying-symbol,omitempty"`
	Type                   string `json:"transaction-type"`
	SubType                string `json:"transaction-sub-type"`
	Description            string `json:"description"`
	Action                 string `json:"action,omitempty"`
	Quantity               string `json:"quantity,omitempty"`
	Price                  string `json:"price,omitempty"`
	ExecutedAt             string `json:"executed-at"`
	TransactionDate        string `json:"transaction-date"`
	Value                  string `json:"value"`
	ValueEffect            string `json:"value-effect"`
	RegulatoryFees         string `json:"regulatory-fees,omitempty"`
	RegulatoryFeesEffect   string `json:"regulatory-fees-effect,omitempty"`
	ClearingFees           string `json:"clearing-fees,omitempty"`
	ClearingFeesEffect     string `json:"clearing-fees-effect,omitempty"`
	NetValue               string `json:"net-value"`
	NetValueEffect         string `json:"net-value-effect"`
	Commission             string `json:"commission,omitempty"`
	CommissionEffect       string `json:"commission-effect,omitempty"`
	Proprietary            string `json:"proprietary-index-option-fees,omitempty"`
	ProprietaryEffect      string `json:"proprietary-index-option-fees-effect,omitempty"`
	IsEstimatedFee         bool   `json:"is-estimated-fee"`
	ExtExchangeOrderNumber string `json:"ext-exchange-order-number,omitempty"`
	ExtGlobalOrderNumber   int64  `json:"ext-global-order-number,omitempty"`
	ExtGroupID             string `json:"ext-group-id,omitempty"`
	ExtGroupFillID         string `json:"ext-group-fill-id,omitempty"`
	ExtExecID              string `json:"ext-exec-id,omitempty"`
	ExecID                 string `json:"exec-id,omitempty"`
	Exchange               string `json:"exchange,omitempty"`
	OrderID                int64  `json:"order-id,omitempty"`
	LegCount               int    `json:"leg-count,omitempty"`
	DestinationVenue       string `json:"destination-venue,omitempty"`
	Affiliation            string `json:"exchange-affiliation-identifier"`

	at time.Time
}

// The API's types of what happened, and its sub-types where no action tells.
var transactionTypes = map[broker.TransactionKind][2]string{
	broker.Trade:      {"Trade", ""},
	broker.Exercise:   {"Receive Deliver", "Exercise"},
	broker.Assignment: {"Receive Deliver", "Assignment"},
	broker.Expiration: {"Receive Deliver", "Expiration"},
	broker.Dividend:   {"Money Movement", "Dividend"},
	broker.Interest:   {"Money Movement", "Credit Interest"},
	broker.FeeCharge:  {"Money Movement", "Fee"},
	broker.Transfer:   {"Money Movement", "Deposit"},
	broker.Split:      {"Receive Deliver", "Forward Split"},
}

// transactions are those of an account, newest first.
func (t *trade) transactions(ctx context.Context, account string) ([]wireTransaction, error) {
	list, err := t.broker.Transactions(ctx, broker.AccountID(account), t.sim.start, t.exchange.Now().Add(time.Nanosecond))
	if err != nil {
		return nil, fmt.Errorf("simulator: %w", err)
	}
	out := make([]wireTransaction, 0, len(list))
	for i := range list {
		out = append(out, t.wireTransaction(ctx, &list[i], int64(i+1)))
	}
	slices.Reverse(out)
	return out, nil
}

func (t *trade) wireTransaction(ctx context.Context, tx *broker.Transaction, position int64) wireTransaction {
	s := t.sim
	names, known := transactionTypes[tx.Kind]
	if !known {
		names = [2]string{"Administrative Transfer", string(tx.Kind)}
	}
	if tx.Kind == broker.Interest && tx.Amount.IsNegative() {
		names[1] = "Debit Interest"
	}
	if tx.Kind == broker.Transfer && tx.Amount.IsNegative() {
		names[1] = "Withdrawal"
	}
	fees := broker.Fees{}
	if tx.Fees != nil {
		fees = *tx.Fees
	}
	value := tx.Amount.Sub(fees.Total())
	w := wireTransaction{
		ID: int64(s.accountIndex(string(tx.Account)))*1_000_000 + position, AccountNumber: string(tx.Account), Type: names[0], SubType: names[1], Description: tx.Text,
		ExecutedAt: wireTime(tx.Time), TransactionDate: market.DateOf(tx.Time.In(s.calendar.Location())).String(), IsEstimatedFee: true, at: tx.Time,
	}
	w.Value, w.ValueEffect = magnitude(value)
	w.NetValue, w.NetValueEffect = magnitude(tx.Amount)
	if tx.Symbol == "" {
		w.Description = otherwise(w.Description, w.SubType)
		return w
	}
	w.Symbol, w.InstrumentType = string(tx.Symbol), kindName(tx.Symbol)
	w.UnderlyingSymbol = string(tx.Symbol)
	if w.InstrumentType == "Equity Option" || w.InstrumentType == "Future Option" {
		w.UnderlyingSymbol = string(s.underlyingSymbol(tx.Symbol))
	}
	if !tx.Quantity.IsZero() {
		w.Quantity = decimalText(tx.Quantity.Abs())
	}
	if tx.Price != nil {
		w.Price = decimalText(*tx.Price)
	}
	if o := t.orders[t.byEngine[tx.Order]]; o != nil {
		t.ofOrder(&w, o, tx)
	}
	if w.Description == "" || names[0] == "Trade" {
		w.Description = describe(&w, tx)
	}
	if names[0] == "Trade" || tx.Fees != nil {
		w.RegulatoryFees, w.RegulatoryFeesEffect = magnitude(fees.Regulatory)
		w.ClearingFees, w.ClearingFeesEffect = magnitude(fees.Clearing)
		w.Commission, w.CommissionEffect = magnitude(fees.Commission)
		w.Proprietary, w.ProprietaryEffect = magnitude(fees.Exchange)
	}
	return w
}

// ofOrder fills in what the order of a trade says.
func (t *trade) ofOrder(w *wireTransaction, o *orderRecord, tx *broker.Transaction) {
	w.OrderID, w.LegCount = o.Wire.ID, len(o.Wire.Legs)
	w.ExtExchangeOrderNumber, w.ExtGlobalOrderNumber = o.Wire.ExtExchangeOrderNumber, o.Wire.ExtGlobalOrderNumber
	w.DestinationVenue, w.ExtGroupID, w.ExtGroupFillID = venue, "0", "0"
	for _, leg := range o.Wire.Legs {
		if leg.Symbol != string(tx.Symbol) {
			continue
		}
		w.Action = leg.Action
		for _, f := range leg.Fills {
			if f.FilledAt == w.ExecutedAt {
				w.ExecID, w.ExtExecID = f.FillID, f.ExtExecID
			}
		}
	}
	if w.Type == "Trade" {
		w.SubType = w.Action
	}
}

// describe says in words what was traded: "Sold 40 RIVN 06/23/23 Call 15.00 @ 0.47".
func describe(w *wireTransaction, tx *broker.Transaction) string {
	verb := "Bought"
	if tx.Quantity.IsNegative() {
		verb = "Sold"
	}
	what := w.Symbol
	if c, ok := tx.Symbol.Contract(); ok {
		side := "Call"
		if c.Kind == market.Put {
			side = "Put"
		}
		what = fmt.Sprintf("%s %02d/%02d/%02d %s %.2f", w.UnderlyingSymbol, int(c.Expiration.Month), c.Expiration.Day, c.Expiration.Year%100, side, c.Strike)
	}
	if w.Type != "Trade" {
		return fmt.Sprintf("%s of %s %s", w.SubType, tx.Quantity.Abs(), what)
	}
	text := fmt.Sprintf("%s %s %s", verb, tx.Quantity.Abs(), what)
	if tx.Price != nil {
		text += " @ " + tx.Price.StringFixed(2)
	}
	return text
}

// listTransactions serves GET /accounts/{account}/transactions.
func (s *Simulator) listTransactions(w http.ResponseWriter, r *http.Request, d *desk) {
	list, err := d.transactions(r.Context(), d.account)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	query := r.URL.Query()
	from, to, ok := s.span(w, r)
	if !ok {
		return
	}
	types := append(query["types[]"], query["type"]...)
	subTypes := append(query["sub-type[]"], query["sub-type"]...)
	list = slices.DeleteFunc(list, func(t wireTransaction) bool {
		differs := func(name, value string) bool { return query.Get(name) != "" && query.Get(name) != value }
		return len(types) > 0 && !slices.Contains(types, t.Type) || len(subTypes) > 0 && !slices.Contains(subTypes, t.SubType) ||
			differs("action", t.Action) || differs("symbol", t.Symbol) || differs("underlying-symbol", t.UnderlyingSymbol) ||
			differs("futures-symbol", t.UnderlyingSymbol) || differs("instrument-type", t.InstrumentType) || differs("currency", "USD") ||
			!from.IsZero() && t.at.Before(from) || !to.IsZero() && t.at.After(to)
	})
	if strings.EqualFold(query.Get("sort"), "Asc") {
		slices.SortStableFunc(list, func(a, b wireTransaction) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.ID, b.ID)) })
	}
	list, p := page(r, list, 2000)
	writeItems(w, r, list, p)
}

func (s *Simulator) getTransaction(w http.ResponseWriter, r *http.Request, d *desk) {
	list, err := d.transactions(r.Context(), d.account)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	id, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	for i := range list {
		if err == nil && list[i].ID == id {
			writeData(w, r, list[i])
			return
		}
	}
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find Transaction")
}

type wireTotalFees struct {
	TotalFees       string `json:"total-fees"`
	TotalFeesEffect string `json:"total-fees-effect"`
}

// totalFees serves GET /accounts/{account}/transactions/total-fees: of one day,
// today when none is named.
func (s *Simulator) totalFees(w http.ResponseWriter, r *http.Request, d *desk) {
	day, ok := s.dateParameter(w, r, "date")
	if !ok {
		return
	}
	loc := s.calendar.Location()
	list, err := d.broker.Transactions(r.Context(), broker.AccountID(d.account), day.In(loc), day.AddDays(1).In(loc))
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	total := decimal.Zero
	for i := range list {
		if f := list[i].Fees; f != nil {
			total = total.Add(f.Total())
		}
	}
	text, effect := magnitude(total)
	writeData(w, r, wireTotalFees{text, effect})
}
