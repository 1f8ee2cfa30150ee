package simulator

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

type wireAlert struct {
	ID               string `json:"alert-external-id"`
	UserExternalID   string `json:"user-external-id"`
	Symbol           string `json:"symbol"`
	DXSymbol         string `json:"dx-symbol,omitempty"`
	InstrumentType   string `json:"instrument-type,omitempty"`
	Field            string `json:"field"`
	Operator         string `json:"operator"`
	Threshold        string `json:"threshold"`
	ThresholdNumeric string `json:"threshold-numeric"`
	Provider         string `json:"provider"`
	CreatedAt        string `json:"created-at"`
	TriggeredAt      string `json:"triggered-at,omitempty"`
	CompletedAt      string `json:"completed-at,omitempty"`
	ExpiresAt        any    `json:"expires-at,omitempty"` // as it came: a text or a number
}

// expiry is when an alert ends: milliseconds, as a number or as text. Not ok when
// it never does.
func (a *wireAlert) expiry() (time.Time, bool) {
	text := fmt.Sprint(a.ExpiresAt)
	if ms, err := decimal.NewFromString(text); err == nil {
		return time.UnixMilli(ms.IntPart()), true
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// done reports whether an alert has fired or ended.
func (a *wireAlert) done(now time.Time) bool {
	end, ends := a.expiry()
	return a.TriggeredAt != "" || ends && !now.Before(end)
}

// alertSymbols lists what the alerts that may still fire are about.
func (s *Simulator) alertSymbols(now time.Time) []market.Symbol {
	var symbols []market.Symbol
	for _, c := range s.customers {
		c.lists.mu.Lock()
		for i := range c.lists.alerts {
			if a := &c.lists.alerts[i]; !a.done(now) {
				symbols = append(symbols, market.Symbol(a.Symbol))
			}
		}
		c.lists.mu.Unlock()
	}
	return symbols
}

// checkAlerts fires the alerts whose threshold the quotes have passed, each once,
// and tells their customers' streams.
func (s *Simulator) checkAlerts(ctx context.Context, now time.Time, quotes map[market.Symbol]market.Quote) {
	for _, c := range s.customers {
		c.lists.mu.Lock()
		open := slices.Clone(c.lists.alerts)
		c.lists.mu.Unlock()
		for i := range open {
			a := &open[i]
			if a.done(now) {
				continue
			}
			value := s.alertValue(ctx, a, quotes)
			threshold := decimal.RequireFromString(a.ThresholdNumeric).InexactFloat64() // made by decimalText
			if !(a.Operator == ">" && value > threshold || a.Operator == "<" && value < threshold) {
				continue // NaN passes nothing
			}
			s.fire(c, a.ID, now)
		}
	}
}

func (s *Simulator) fire(c *customer, id string, now time.Time) {
	var fired *wireAlert
	c.lists.mu.Lock()
	for i := range c.lists.alerts {
		if a := &c.lists.alerts[i]; a.ID == id {
			a.TriggeredAt, a.CompletedAt = wireTime(now), wireTime(now)
			copied := *a
			fired = &copied
		}
	}
	c.lists.mu.Unlock()
	if fired == nil {
		return // deleted meanwhile
	}
	for _, st := range s.hub.find(func(st *accountStream) bool { return st.alerts && st.customer == c }) {
		st.tell("QuoteAlert", fired)
	}
}

// alertValue is what an alert watches: a price, or for IV the volatility of the
// option or the index of its underlying.
func (s *Simulator) alertValue(ctx context.Context, a *wireAlert, quotes map[market.Symbol]market.Quote) float64 {
	symbol := market.Symbol(a.Symbol)
	if a.Field == "IV" {
		if t := s.tickers(ctx, []market.Symbol{symbol})[symbol]; t != nil && t.greeks != nil {
			return t.greeks.IV
		}
		if m, ok := s.dailyMetrics(ctx, []market.Symbol{symbol})[symbol]; ok {
			return m.IVIndex
		}
		return math.NaN()
	}
	q, ok := quotes[symbol]
	switch {
	case !ok:
		return math.NaN()
	case a.Field == "Bid":
		return q.Bid
	case a.Field == "Ask":
		return q.Ask
	}
	return q.Last
}

func (s *Simulator) listAlerts(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	book.mu.Lock()
	list := slices.Clone(book.alerts)
	book.mu.Unlock()
	writeItems(w, r, list, nil)
}

func (s *Simulator) createAlert(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	var a wireAlert
	if !s.body(w, r, &a) {
		return
	}
	threshold, err := decimal.NewFromString(a.Threshold)
	switch {
	case a.Symbol == "":
		s.invalidParameter(w, "symbol", "is missing")
		return
	case !slices.Contains([]string{"Last", "Bid", "Ask", "IV"}, a.Field):
		s.invalidParameter(w, "field", "is not Last, Bid, Ask or IV")
		return
	case a.Operator != ">" && a.Operator != "<":
		s.invalidParameter(w, "operator", "is not > or <")
		return
	case err != nil || len(a.Threshold) > 40:
		s.invalidParameter(w, "threshold", "is not a number")
		return
	}
	if symbol, err := market.ParseSymbol(a.Symbol); err == nil {
		a.Symbol = string(symbol)
	}
	a.TriggeredAt, a.CompletedAt = "", "" // not the client's to say
	a.UserExternalID, a.Provider, a.CreatedAt = "U-"+caller(r).id, "DXFEED", wireTime(s.clock.Now())
	a.ThresholdNumeric = decimalText(threshold)
	if a.DXSymbol == "" {
		a.DXSymbol = a.Symbol
	}
	book.mu.Lock()
	full := len(book.alerts) >= mostAlerts
	if !full {
		book.made++
		a.ID = "A-" + strconv.Itoa(book.made)
		book.alerts = append(book.alerts, a)
	}
	book.mu.Unlock()
	if full {
		s.refuse(w, http.StatusUnprocessableEntity, "too_many_alerts", "There are too many alerts")
		return
	}
	s.live()
	writeJSON(w, http.StatusCreated, envelope{Data: a, Context: r.URL.EscapedPath()})
}

// deleteAlert answers without content.
func (s *Simulator) deleteAlert(w http.ResponseWriter, r *http.Request) {
	book := &caller(r).lists
	book.mu.Lock()
	before := len(book.alerts)
	book.alerts = slices.DeleteFunc(book.alerts, func(a wireAlert) bool { return a.ID == r.PathValue("alert") })
	gone := len(book.alerts) < before
	book.mu.Unlock()
	if !gone {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find QuoteAlert")
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
