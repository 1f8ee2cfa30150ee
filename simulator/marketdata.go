package simulator

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/ttai-go/ttai/market"
)

// mostByType is how many symbols one by-type request may name.
const mostByType = 100

type wireMarketData struct {
	Symbol             string `json:"symbol"`
	InstrumentType     string `json:"instrument-type"`
	UpdatedAt          string `json:"updated-at,omitempty"`
	Bid                string `json:"bid,omitempty"`
	BidSize            string `json:"bid-size,omitempty"`
	Ask                string `json:"ask,omitempty"`
	AskSize            string `json:"ask-size,omitempty"`
	Mid                string `json:"mid,omitempty"`
	Mark               string `json:"mark,omitempty"`
	Last               string `json:"last,omitempty"`
	LastMkt            string `json:"last-mkt,omitempty"`
	Beta               string `json:"beta,omitempty"`
	DividendAmount     string `json:"dividend-amount,omitempty"`
	DividendFrequency  string `json:"dividend-frequency,omitempty"`
	Open               string `json:"open,omitempty"`
	DayHighPrice       string `json:"day-high-price,omitempty"`
	DayLowPrice        string `json:"day-low-price,omitempty"`
	Close              string `json:"close,omitempty"`
	ClosePriceType     string `json:"close-price-type"`
	PrevClose          string `json:"prev-close,omitempty"`
	PrevClosePriceType string `json:"prev-close-price-type"`
	SummaryDate        string `json:"summary-date"`
	PrevCloseDate      string `json:"prev-close-date"`
	IsTradingHalted    bool   `json:"is-trading-halted"`
	HaltStartTime      int64  `json:"halt-start-time"`
	HaltEndTime        int64  `json:"halt-end-time"`
	YearLowPrice       string `json:"year-low-price,omitempty"`
	YearHighPrice      string `json:"year-high-price,omitempty"`
	Volume             string `json:"volume,omitempty"`
}

// The parameters of by-type and the instrument type each asks for, in the order
// of the answer.
var byTypeParameters = [...]struct{ name, kind string }{
	{"cryptocurrency", "Cryptocurrency"}, {"equity", "Equity"}, {"equity-option", "Equity Option"},
	{"index", "Index"}, {"future", "Future"}, {"future-option", "Future Option"},
}

// marketData serves GET /market-data/by-type. Keys are bare and repeated, or
// one comma list each; symbols that are unknown, or of another type, are left
// out of the answer.
func (s *Simulator) marketData(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	kinds := map[market.Symbol]string{}
	var wanted []market.Symbol
	for _, parameter := range byTypeParameters {
		for _, value := range query[parameter.name] {
			for text := range strings.SplitSeq(value, ",") {
				symbol := market.Symbol(text)
				if _, seen := kinds[symbol]; text == "" || seen {
					continue
				}
				kinds[symbol] = parameter.kind
				wanted = append(wanted, symbol)
			}
		}
	}
	if len(wanted) > mostByType {
		s.invalidParameter(w, "symbols", fmt.Sprintf("at most %d symbols are allowed", mostByType))
		return
	}
	list := []wireMarketData{}
	if len(wanted) == 0 {
		writeItems(w, r, list, nil)
		return
	}
	quotes, err := s.market.Quotes(r.Context(), wanted)
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return
	}
	var shares []market.Symbol
	for _, q := range quotes {
		if q.Symbol.Kind() == market.KindEquity {
			shares = append(shares, q.Symbol)
		}
	}
	metrics := s.dailyMetrics(r.Context(), shares)
	for _, q := range quotes {
		kind := kinds[q.Symbol]
		if !s.isOf(r.Context(), q.Symbol, kind) {
			continue
		}
		m, ok := metrics[q.Symbol]
		if !ok {
			m = market.NewMetrics(q.Symbol)
		}
		list = append(list, s.wireMarketData(r.Context(), q, kind, m))
	}
	writeItems(w, r, list, nil)
}

// isOf reports whether a symbol is an instrument of a type. An index passes for
// an equity too.
func (s *Simulator) isOf(ctx context.Context, symbol market.Symbol, kind string) bool {
	switch symbol.Kind() {
	case market.KindOption:
		return kind == "Equity Option"
	case market.KindFuture:
		return kind == "Future" && market.FutureRoot(symbol) != string(symbol[1:]) // "/ES" is no contract
	case market.KindFutureOption:
		return kind == "Future Option"
	case market.KindCrypto:
		return kind == "Cryptocurrency"
	}
	i, _ := s.instrument(ctx, symbol)
	return kind == "Equity" || kind == "Index" && i.Index
}

// oneMarketData serves GET /market-data/{type}/{symbol}, which is not documented.
func (s *Simulator) oneMarketData(w http.ResponseWriter, r *http.Request) {
	symbol, kind := market.Symbol(r.PathValue("symbol")), r.PathValue("type")
	quotes, err := s.market.Quotes(r.Context(), []market.Symbol{symbol})
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return
	}
	if len(quotes) != 1 || !s.isOf(r.Context(), symbol, kind) {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find market data for "+string(symbol))
		return
	}
	m, ok := s.dailyMetrics(r.Context(), []market.Symbol{symbol})[symbol]
	if !ok {
		m = market.NewMetrics(symbol)
	}
	writeData(w, r, s.wireMarketData(r.Context(), quotes[0], kind, m))
}

func (s *Simulator) wireMarketData(ctx context.Context, q market.Quote, kind string, m market.Metrics) wireMarketData {
	now := s.clock.Now()
	day, before := s.summaryDays()
	d := wireMarketData{
		Symbol: string(q.Symbol), InstrumentType: kind, UpdatedAt: wireTime(q.Time),
		Bid: floatText(q.Bid), BidSize: floatText(q.BidSize), Ask: floatText(q.Ask), AskSize: floatText(q.AskSize),
		Mid: nullText(mark(q)), Mark: nullText(mark(q)), Last: floatText(q.Last), LastMkt: floatText(q.Last),
		Beta: floatText(m.Beta),
		Open: floatText(q.Open), DayHighPrice: floatText(q.High), DayLowPrice: floatText(q.Low),
		ClosePriceType: "Unknown", PrevClose: floatText(q.PrevClose), PrevClosePriceType: "Final",
		SummaryDate: day.Date.String(), PrevCloseDate: before.Date.String(),
		IsTradingHalted: q.Halted, HaltStartTime: -1, HaltEndTime: -1, Volume: floatText(q.Volume),
	}
	if m.DividendPerShare > 0 {
		d.DividendAmount, d.DividendFrequency = floatText(m.DividendPerShare), "4.0"
	}
	if !strings.HasSuffix(kind, "Option") {
		low, high := s.yearRange(ctx, q)
		d.YearLowPrice, d.YearHighPrice = floatText(low), floatText(high)
		if !now.Before(day.Close) { // the session is over; the last trade may be one after it
			closing := floatText(s.closeOn(ctx, q.Symbol, day.Date))
			d.Close, d.LastMkt, d.ClosePriceType = closing, closing, "Final"
		}
	}
	return d
}

// summaryDays are the session that a quote's day fields speak of (today's once
// its pre-market has begun, the last one otherwise) and the one before.
func (s *Simulator) summaryDays() (day, before market.Session) {
	now := s.clock.Now()
	day, ok := s.calendar.Session(s.today())
	if !ok || now.Before(day.PreOpen) {
		day = s.calendar.Previous(now)
	}
	return day, s.calendar.Previous(day.Open)
}
