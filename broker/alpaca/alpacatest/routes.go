package alpacatest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// route answers a request that was let in.
func (s *Server) route(r *http.Request, body []byte) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.Trim(r.URL.Path, "/")
	for prefix, handle := range map[string]func(*http.Request, []string, []byte) answer{
		"v2/orders": s.orderRoutes, "v2/positions": s.positionRoutes, "v2/account": s.accountRoutes,
	} {
		if path == prefix || strings.HasPrefix(path, prefix+"/") {
			return handle(r, tail(path, prefix), body)
		}
	}
	if path == "v2/orders:by_client_order_id" {
		return s.byClient(r.URL.Query().Get("client_order_id"))
	}
	if r.Method != http.MethodGet {
		return refuse(http.StatusMethodNotAllowed, 40510000, "method not allowed")
	}
	if a := s.reference(r, path); a.status != 0 {
		return a
	}
	return s.data(r, path)
}

func tail(path, prefix string) []string {
	rest := strings.Trim(strings.TrimPrefix(path, prefix), "/")
	if rest == "" {
		return nil
	}
	return strings.Split(rest, "/")
}

func (s *Server) accountRoutes(r *http.Request, rest []string, body []byte) answer {
	switch {
	case len(rest) == 0:
		equity, excess, long, short := s.worth()
		power := decimal.Max(excess, zero)
		return ok(map[string]any{
			"id": accountUUID, "account_number": AccountNumber, "status": "ACTIVE", "crypto_status": "ACTIVE", "currency": "USD",
			"buying_power": power.Mul(two).String(), "regt_buying_power": power.Mul(two).String(), "daytrading_buying_power": "0",
			"options_buying_power": power.String(), "non_marginable_buying_power": power.String(), "cash": s.money.cash.String(), "accrued_fees": "0",
			"pending_transfer_in": "0", "portfolio_value": equity.String(), "pattern_day_trader": false, "trading_blocked": false, "transfers_blocked": false,
			"account_blocked": false, "created_at": "2024-01-02T15:04:05.123456Z", "trade_suspended_by_user": false, "multiplier": "2", "shorting_enabled": true,
			"equity": equity.String(), "last_equity": s.money.start.String(), "long_market_value": long.String(), "short_market_value": short.String(),
			"initial_margin": long.Add(short.Abs()).Div(two).String(), "maintenance_margin": long.Add(short.Abs()).Mul(decimal.New(3, -1)).String(),
			"last_maintenance_margin": "0", "sma": "0", "daytrade_count": 0, "options_approved_level": 3, "options_trading_level": 3,
		})
	case rest[0] == "configurations" && r.Method == http.MethodPatch:
		var change map[string]any
		if json.Unmarshal(body, &change) != nil {
			return refuse(http.StatusBadRequest, 40010000, "request body format is invalid")
		}
		for key, value := range change {
			if _, known := s.settings[key]; !known {
				return refuse(http.StatusUnprocessableEntity, 42210000, "unknown setting "+key)
			}
			s.settings[key] = value
		}
		return ok(s.settings)
	case rest[0] == "configurations":
		return ok(s.settings)
	case rest[0] == "activities":
		return s.activities(r)
	case rest[0] == "portfolio":
		equity, _, _, _ := s.worth()
		return ok(map[string]any{
			"timestamp": []int64{s.now.Unix()}, "equity": []float64{equity.InexactFloat64()}, "profit_loss": []float64{equity.Sub(s.money.start).InexactFloat64()},
			"profit_loss_pct": []float64{equity.Sub(s.money.start).Div(s.money.start).InexactFloat64()}, "base_value": s.money.start.InexactFloat64(), "timeframe": "1D",
		})
	}
	return refuse(http.StatusNotFound, 40410000, "endpoint not found")
}

// parseTime reads a bound of a query; the zero time when it is absent.
func parseTime(text string) time.Time {
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		at, _ = time.Parse(time.DateOnly, text)
	}
	return at
}

func (s *Server) activities(r *http.Request) answer {
	q := r.URL.Query()
	after, until, token := parseTime(q.Get("after")), parseTime(q.Get("until")), q.Get("page_token")
	list := slices.Clone(s.past)
	if q.Get("direction") != "asc" {
		slices.Reverse(list)
	}
	out := []any{}
	passed := token == ""
	for _, a := range list {
		at := parseTime(a["transaction_time"].(string))
		switch {
		case !passed:
			passed = a["id"] == token
		case !after.IsZero() && !at.After(after), !until.IsZero() && !at.Before(until):
		case len(out) < 100:
			out = append(out, a)
		}
	}
	return ok(out)
}

func (s *Server) positionRoutes(r *http.Request, rest []string, _ []byte) answer {
	switch {
	case len(rest) == 0 && r.Method == http.MethodGet:
		out := []any{}
		for _, symbol := range sortedKeys(s.held) {
			out = append(out, s.renderPosition(symbol))
		}
		return ok(out)
	case len(rest) == 0:
		out := []any{}
		for _, symbol := range sortedKeys(s.held) {
			a := s.close(symbol)
			out = append(out, map[string]any{"symbol": symbol, "status": a.status, "body": a.body})
		}
		return answer{http.StatusMultiStatus, out}
	}
	symbol := rest[0]
	if s.held[symbol] == nil {
		return refuse(http.StatusNotFound, 40410000, "position does not exist")
	}
	switch {
	case len(rest) == 2:
		return answer{http.StatusOK, nil} // exercise and its opposite are taken note of, no more
	case r.Method == http.MethodDelete:
		return s.close(symbol)
	}
	return ok(s.renderPosition(symbol))
}

func (s *Server) close(symbol string) answer {
	p := s.held[symbol]
	request := map[string]any{"symbol": symbol, "qty": p.qty.Abs().String(), "side": "sell", "type": "market", "time_in_force": "day"}
	if p.qty.IsNegative() {
		request["side"] = "buy"
	}
	return s.place(request)
}

func (s *Server) renderPosition(symbol string) map[string]any {
	p := s.held[symbol]
	side, mark := "long", s.price(symbol)
	if p.qty.IsNegative() {
		side = "short"
	}
	m := s.multiplier(symbol)
	value, cost := p.qty.Mul(mark).Mul(m), p.qty.Mul(p.average).Mul(m)
	class, id := "us_equity", ""
	if a := s.assets[symbol]; a != nil {
		class, id = a.class, a.id
	}
	return map[string]any{
		"asset_id": id, "symbol": strings.ReplaceAll(symbol, "/", ""), "exchange": "NASDAQ", "asset_class": class, "avg_entry_price": p.average.String(),
		"qty": p.qty.String(), "qty_available": p.qty.String(), "side": side, "market_value": value.String(), "cost_basis": cost.String(),
		"unrealized_pl": value.Sub(cost).String(), "current_price": mark.String(), "lastday_price": mark.String(), "change_today": "0",
	}
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// reference answers what is about instruments and time; a status of 0 for the rest.
func (s *Server) reference(r *http.Request, path string) answer {
	q := r.URL.Query()
	switch {
	case path == "v2/assets":
		out := []any{}
		for _, symbol := range sortedKeys(s.assets) {
			if a := s.assets[symbol]; a.class != "us_option" {
				out = append(out, a.render())
			}
		}
		return ok(out)
	case strings.HasPrefix(path, "v2/assets/"):
		name := strings.TrimPrefix(path, "v2/assets/")
		for _, a := range s.assets {
			if a.symbol == name || a.id == name {
				return ok(a.render())
			}
		}
		return refuse(http.StatusNotFound, 40410000, "asset not found for "+name)
	case path == "v2/options/contracts":
		out := []any{}
		for _, symbol := range sortedKeys(s.assets) {
			a := s.assets[symbol]
			if a.class != "us_option" || q.Get("underlying_symbols") != "" && !slices.Contains(strings.Split(q.Get("underlying_symbols"), ","), a.underlying) {
				continue
			}
			c := a.contract()
			if from := q.Get("expiration_date_gte"); from != "" && c["expiration_date"].(string) < from {
				continue
			}
			out = append(out, c)
		}
		return ok(map[string]any{"option_contracts": out, "next_page_token": nil})
	case strings.HasPrefix(path, "v2/options/contracts/"):
		if a := s.assets[strings.TrimPrefix(path, "v2/options/contracts/")]; a != nil && a.class == "us_option" {
			return ok(a.contract())
		}
		return refuse(http.StatusNotFound, 40410000, "option contract not found")
	case path == "v2/clock":
		session := s.session()
		open := !s.now.Before(session.Open) && s.now.Before(session.Close)
		next := session
		if !s.now.Before(session.Open) {
			next = market.NYSE().Next(session.Close)
		}
		return ok(map[string]any{"timestamp": s.now.Format(time.RFC3339Nano), "is_open": open, "next_open": next.Open, "next_close": session.Close})
	case path == "v2/calendar":
		from, _ := market.ParseDate(q.Get("start"))
		to, _ := market.ParseDate(q.Get("end"))
		out := []any{}
		for _, d := range market.NYSE().Sessions(from, to) {
			out = append(out, map[string]any{
				"date": d.Date.String(), "open": d.Open.Format("15:04"), "close": d.Close.Format("15:04"),
				"session_open": d.PreOpen.Format("1504"), "session_close": d.PostClose.Format("1504"),
			})
		}
		return ok(out)
	case path == "v2/watchlists", path == "v2/corporate_actions/announcements":
		return ok([]any{})
	}
	return answer{}
}

func (a *asset) render() map[string]any {
	status := "active"
	if !a.tradable {
		status = "inactive"
	}
	return map[string]any{
		"id": a.id, "class": a.class, "exchange": "NASDAQ", "symbol": a.symbol, "name": a.name, "status": status, "tradable": a.tradable,
		"marginable": a.class == "us_equity", "shortable": a.shortable, "easy_to_borrow": a.shortable, "fractionable": true, "attributes": []string{"options_enabled"},
	}
}

func (a *asset) contract() map[string]any {
	symbol, _ := market.ParseSymbol(a.symbol)
	c, _ := symbol.Contract()
	return map[string]any{
		"id": a.id, "symbol": a.symbol, "name": a.name, "status": "active", "tradable": a.tradable, "expiration_date": c.Expiration.String(),
		"root_symbol": c.Root, "underlying_symbol": a.underlying, "type": c.Kind.String(), "style": "american",
		"strike_price": decimal.NewFromFloat(c.Strike).String(), "multiplier": "100", "size": "100", "open_interest": "237", "close_price": nil,
	}
}
