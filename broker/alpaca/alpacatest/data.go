package alpacatest

import (
	"net/http"
	"strings"
	"time"
)

// A Bar is a bar of the fake's market data.
type Bar struct {
	Time                           time.Time
	Open, High, Low, Close, Volume float64
}

// SetBars sets the bars of a symbol at one of Alpaca's timeframes, such as "1Day",
// ascending.
func (s *Server) SetBars(symbol, timeframe string, bars []Bar) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bars[symbol+" "+timeframe] = bars
}

// SetDay sets the bar of a symbol's day and of the day before, which its snapshot
// has, and tells the streams.
func (s *Server) SetDay(symbol string, day, before Bar) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.days[symbol] = [2]Bar{day, before}
	s.publish("dailyBars", symbol, "d", wireBar(day))
}

func wireBar(b Bar) map[string]any {
	return map[string]any{
		"t": b.Time.UTC().Format(time.RFC3339), "o": b.Open, "h": b.High, "l": b.Low, "c": b.Close, "v": b.Volume, "n": 1, "vw": b.Close,
	}
}

// barsPerPage is small, so that tests of a few bars see several pages.
const barsPerPage = 5

// data answers market data.
func (s *Server) data(r *http.Request, path string) answer {
	q := r.URL.Query()
	symbols := strings.Split(q.Get("symbols"), ",")
	known := symbols[:0:0]
	for _, symbol := range symbols {
		if s.assets[symbol] != nil {
			known = append(known, symbol)
		}
	}
	switch path {
	case "v2/stocks/snapshots":
		out := map[string]any{}
		for _, symbol := range known {
			out[symbol] = s.snapshot(symbol)
		}
		return ok(out)
	case "v1beta1/options/snapshots", "v1beta3/crypto/us/snapshots":
		out := map[string]any{}
		for _, symbol := range known {
			out[symbol] = s.snapshot(symbol)
		}
		return ok(map[string]any{"snapshots": out, "next_page_token": nil})
	case "v2/stocks/bars", "v1beta1/options/bars", "v1beta3/crypto/us/bars":
		return s.barsPage(known, q.Get("timeframe"), parseTime(q.Get("start")), parseTime(q.Get("end")), q.Get("sort") == "desc", q.Get("page_token"))
	case "v2/stocks/quotes/latest", "v1beta1/options/quotes/latest", "v1beta3/crypto/us/latest/quotes":
		out := map[string]any{}
		for _, symbol := range known {
			if v := s.quotes[symbol]; v != nil {
				out[symbol] = s.wireQuote(*v)
			}
		}
		return ok(map[string]any{"quotes": out})
	case "v2/stocks/trades/latest", "v1beta1/options/trades/latest", "v1beta3/crypto/us/latest/trades":
		out := map[string]any{}
		for _, symbol := range known {
			if v := s.quotes[symbol]; v != nil && v.Last > 0 {
				out[symbol] = s.wireTrade(*v)
			}
		}
		return ok(map[string]any{"trades": out})
	case "v1beta1/news":
		return ok(map[string]any{"news": s.articles(q.Get("symbols"), parseTime(q.Get("start"))), "next_page_token": nil})
	case "v1/corporate-actions":
		return ok(map[string]any{"corporate_actions": map[string]any{}, "next_page_token": nil})
	}
	if underlying, found := strings.CutPrefix(path, "v1beta1/options/snapshots/"); found {
		out := map[string]any{}
		for symbol, a := range s.assets {
			if a.underlying != underlying {
				continue
			}
			c := a.contract()
			if want := q.Get("expiration_date"); want == "" || want == c["expiration_date"] {
				out[symbol] = s.snapshot(symbol)
			}
		}
		return ok(map[string]any{"snapshots": out, "next_page_token": nil})
	}
	return refuse(http.StatusNotFound, 40410000, "endpoint not found")
}

func (s *Server) wireQuote(q Quote) map[string]any {
	return map[string]any{"t": stamp(s.now), "bp": q.Bid, "bs": q.BidSize, "bx": "V", "ap": q.Ask, "as": q.AskSize, "ax": "V", "c": []string{"R"}, "z": "C"}
}

func (s *Server) wireTrade(q Quote) map[string]any {
	return map[string]any{"t": stamp(s.now), "p": q.Last, "s": 100, "x": "V", "c": []string{"@"}, "i": s.serial, "z": "C"}
}

func (s *Server) snapshot(symbol string) any {
	q := s.quotes[symbol]
	if q == nil {
		return map[string]any{}
	}
	out := map[string]any{"latestQuote": s.wireQuote(*q)}
	if q.Last > 0 {
		out["latestTrade"] = s.wireTrade(*q)
	}
	if days, found := s.days[symbol]; found {
		out["dailyBar"], out["prevDailyBar"] = wireBar(days[0]), wireBar(days[1])
	}
	if s.assets[symbol].class == "us_option" {
		out["impliedVolatility"] = 0.25
		out["greeks"] = map[string]any{"delta": 0.5, "gamma": 0.02, "theta": -0.03, "vega": 0.11, "rho": 0.04}
	}
	return out
}

func (s *Server) barsPage(symbols []string, timeframe string, start, end time.Time, descending bool, token string) answer {
	out, next := map[string]any{}, any(nil)
	for _, symbol := range symbols {
		bars := append([]Bar(nil), s.bars[symbol+" "+timeframe]...)
		if descending {
			for i, j := 0, len(bars)-1; i < j; i, j = i+1, j-1 {
				bars[i], bars[j] = bars[j], bars[i]
			}
		}
		page := []any{}
		passed := token == ""
		for _, b := range bars {
			name := b.Time.UTC().Format(time.RFC3339)
			switch {
			case !passed:
				passed = name == token
			case b.Time.Before(start), !end.IsZero() && b.Time.After(end):
			case len(page) == barsPerPage:
				next = page[barsPerPage-1].(map[string]any)["t"]
			default:
				page = append(page, wireBar(b))
			}
		}
		out[symbol] = page
	}
	return ok(map[string]any{"bars": out, "next_page_token": next})
}
