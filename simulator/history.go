package simulator

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A pastMarket can say what something cost at a time.
type pastMarket interface {
	QuoteAt(s market.Symbol, t time.Time) (market.Quote, error)
}

// quotesAt looks up quotes of the past. Those that the market does not have are
// left out.
func quotesAt(past pastMarket, t time.Time) func(context.Context, []market.Symbol) ([]market.Quote, error) {
	return func(ctx context.Context, symbols []market.Symbol) ([]market.Quote, error) {
		var out []market.Quote
		for _, symbol := range symbols {
			q, err := past.QuoteAt(symbol, t)
			if err = absence(err); err != nil {
				return nil, err
			}
			if q.Symbol != "" {
				out = append(out, q)
			}
		}
		return out, ctx.Err()
	}
}

// asOf is the account as it was at t. Since the clock began, its transactions
// tell; before, it is what it began with, without what that opened later and with
// the cash that this cost. Positions that were closed before are not known.
func (s *Simulator) asOf(ctx context.Context, a *AccountState, t time.Time) (*AccountState, error) {
	then := s.initial(a.Number)
	if !t.Before(s.start) {
		return then, s.replayed(ctx, then, t)
	}
	all := then.Positions
	then.Positions = nil
	for _, p := range all {
		opened := p.OpenedAt
		if opened.IsZero() {
			opened = s.start
		}
		if !opened.After(t) {
			then.Positions = append(then.Positions, p)
			continue
		}
		h := s.holding(ctx, p)
		if h.kind != "Future" { // nothing is paid for it
			then.Cash = then.Cash.Add(p.Quantity.Mul(h.multiplier).Mul(p.AverageOpenPrice))
		}
	}
	return then, nil
}

// replayed applies to an account what happened in it from the clock's beginning
// to t.
func (s *Simulator) replayed(ctx context.Context, a *AccountState, t time.Time) error {
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	list, err := s.trade.broker.Transactions(ctx, broker.AccountID(a.Number), s.start, t.Add(time.Nanosecond))
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	a.money = &broker.Balances{} // what expires is among the transactions
	a.Positions = slices.Clone(a.Positions)
	for i := range list {
		tx := &list[i]
		a.Cash = a.Cash.Add(tx.Amount)
		if tx.Symbol == "" || tx.Quantity.IsZero() {
			continue
		}
		at := slices.IndexFunc(a.Positions, func(p PositionState) bool { return p.Symbol == tx.Symbol })
		if at < 0 {
			p := PositionState{Symbol: tx.Symbol, Quantity: tx.Quantity, OpenedAt: tx.Time}
			if tx.Price != nil {
				p.AverageOpenPrice = *tx.Price
			}
			a.Positions = append(a.Positions, p)
			continue
		}
		p := &a.Positions[at]
		if p.Quantity.Sign() == tx.Quantity.Sign() && tx.Price != nil {
			cost := p.AverageOpenPrice.Mul(p.Quantity).Add(tx.Price.Mul(tx.Quantity))
			p.AverageOpenPrice = cost.DivRound(p.Quantity.Add(tx.Quantity), 8)
		}
		if p.Quantity = p.Quantity.Add(tx.Quantity); p.Quantity.IsZero() {
			a.Positions = slices.Delete(a.Positions, at, at+1)
		}
	}
	return nil
}

// reportAt is the money of an account at t, with what was not quoted then at the
// price it was opened at. Without a market that remembers, only now is known.
func (s *Simulator) reportAt(ctx context.Context, a *AccountState, t time.Time) (report, bool, error) {
	then, err := s.asOf(ctx, a, t)
	if err != nil {
		return report{}, false, err
	}
	quotes := s.market.Quotes
	if now := s.clock.Now(); t.Before(now) {
		past, ok := s.base.(pastMarket)
		if !ok {
			return report{}, false, nil
		}
		quotes = quotesAt(past, t)
	}
	open, settled, err := s.holdingsAt(ctx, then, t, quotes)
	if err != nil {
		return report{}, false, err
	}
	for i := range open {
		if h := &open[i]; !h.mark.Valid {
			h.mark = decimal.NewNullDecimal(h.AverageOpenPrice)
		}
	}
	return s.measure(then, open, settled, t), true, nil
}

type wireNetLiq struct {
	Open             string `json:"open"`
	High             string `json:"high"`
	Low              string `json:"low"`
	Close            string `json:"close"`
	PendingCashOpen  string `json:"pending-cash-open"`
	PendingCashHigh  string `json:"pending-cash-high"`
	PendingCashLow   string `json:"pending-cash-low"`
	PendingCashClose string `json:"pending-cash-close"`
	TotalOpen        string `json:"total-open"`
	TotalHigh        string `json:"total-high"`
	TotalLow         string `json:"total-low"`
	TotalClose       string `json:"total-close"`
	Time             string `json:"time"`
}

// mostPoints is how many values one history has.
const mostPoints = 400

// historyTimes are the times of a history: every five minutes of one session,
// half hours of a week, closes of longer ones.
func (s *Simulator) historyTimes(from, to time.Time) []time.Time {
	loc := s.calendar.Location()
	step := time.Duration(0)
	switch span := to.Sub(from); {
	case span <= 4*24*time.Hour:
		step = 5 * time.Minute
	case span <= 8*24*time.Hour:
		step = 30 * time.Minute
	}
	var out []time.Time
	for _, session := range s.calendar.Sessions(market.DateOf(from.In(loc)), market.DateOf(to.In(loc))) {
		if step == 0 {
			out = append(out, session.Close)
			continue
		}
		for t := session.Open; !t.After(session.Close); t = t.Add(step) {
			out = append(out, t)
		}
	}
	out = slices.DeleteFunc(out, func(t time.Time) bool { return t.Before(from) || t.After(to) })
	return out[max(0, len(out)-mostPoints):]
}

// netLiqHistory serves GET /accounts/{account}/net-liq/history from the marks of
// what the account holds.
func (s *Simulator) netLiqHistory(w http.ResponseWriter, r *http.Request) {
	a, ok := s.account(w, r)
	if !ok {
		return
	}
	query, now := r.URL.Query(), s.clock.Now()
	from, to := now, now
	switch back := query.Get("time-back"); back {
	case "1d":
		from = now.AddDate(0, 0, -1)
		if session := s.calendar.Previous(now); session.Open.Before(from) {
			from = session.Open
		}
	case "1w":
		from = now.AddDate(0, 0, -7)
	case "1m":
		from = now.AddDate(0, -1, 0)
	case "3m":
		from = now.AddDate(0, -3, 0)
	case "6m":
		from = now.AddDate(0, -6, 0)
	case "1y", "all":
		from = now.AddDate(-1, 0, 0)
	case "":
		for name, at := range map[string]*time.Time{"start-time": &from, "end-time": &to} {
			text := query.Get(name)
			if text == "" && name == "end-time" {
				continue
			}
			t, err := time.Parse(time.RFC3339, text)
			if err != nil {
				s.invalidParameter(w, name, "is missing or not an ISO 8601 time, and there is no time-back")
				return
			}
			*at = t
		}
	default:
		s.invalidParameter(w, "time-back", "is not 1d, 1w, 1m, 3m, 6m, 1y or all")
		return
	}
	if from.Before(a.OpenedAt) {
		from = a.OpenedAt
	}
	if to.After(now) {
		to = now
	}
	list := []wireNetLiq{}
	for _, t := range s.historyTimes(from, to) {
		money, known, err := s.reportAt(r.Context(), a, t)
		if err != nil {
			s.internalError(w, r, err)
			return
		}
		if !known {
			continue
		}
		v := decimalText(money.netLiq)
		const none = "0.0"
		list = append(list, wireNetLiq{v, v, v, v, none, none, none, none, v, v, v, v, t.UTC().Format("2006-01-02 15:04:05+00")})
	}
	writeItems(w, r, list, nil)
}

type wireCurrentNetLiq struct {
	AccountNumber       string `json:"account-number"`
	NetLiquidatingValue string `json:"net-liquidating-value"`
}

// getNetLiq serves GET /accounts/{account}/net-liq, which is not documented.
func (s *Simulator) getNetLiq(w http.ResponseWriter, r *http.Request) {
	if balance, ok := s.balance(w, r); ok {
		writeData(w, r, wireCurrentNetLiq{balance.AccountNumber, balance.NetLiquidatingValue})
	}
}

type wireSnapshot struct {
	wireBalance
	SnapshotDate string `json:"snapshot-date"`
	TimeOfDay    string `json:"time-of-day"`
}

// mostSnapshots is how many days one answer goes back.
const mostSnapshots = 250

// listSnapshots serves GET /accounts/{account}/balance-snapshots: the balance at
// the beginning or end of past sessions, the newest first.
func (s *Simulator) listSnapshots(w http.ResponseWriter, r *http.Request) {
	a, ok := s.account(w, r)
	if !ok {
		return
	}
	query := r.URL.Query()
	when := query.Get("time-of-day")
	if when != "BOD" && when != "EOD" && when != "Intraday" {
		s.invalidParameter(w, "time-of-day", "is not BOD, EOD or Intraday")
		return
	}
	to := s.today()
	from := to.AddDays(-30)
	for name, at := range map[string][]*market.Date{"snapshot-date": {&from, &to}, "start-date": {&from}, "end-date": {&to}} {
		if query.Get(name) == "" {
			continue
		}
		d, ok := s.dateParameter(w, r, name)
		if !ok {
			return
		}
		for _, x := range at {
			*x = d
		}
	}
	list := []wireSnapshot{}
	sessions := s.calendar.Sessions(from, to)
	if currency := query.Get("currency"); currency != "" && currency != "USD" {
		sessions = nil
	}
	for _, session := range slices.Backward(sessions[max(0, len(sessions)-mostSnapshots):]) {
		at := session.Open
		switch when {
		case "EOD":
			at = session.Close
		case "Intraday":
			at = s.clock.Now()
			if session.Date != s.today() {
				continue
			}
		}
		if at.After(s.clock.Now()) || at.Before(a.OpenedAt) {
			continue
		}
		money, known, err := s.reportAt(r.Context(), a, at)
		if err != nil {
			s.internalError(w, r, err)
			return
		}
		if known {
			balance := s.wireBalance(a, money)
			balance.UpdatedAt = wireTime(at)
			list = append(list, wireSnapshot{balance, session.Date.String(), when})
		}
	}
	list, p := page(r, list, mostSnapshots)
	writeItems(w, r, list, p)
}
