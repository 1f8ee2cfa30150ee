package simulator

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/market"
)

// A coin is a cryptocurrency as the service describes it. The market has no
// prices of them, and nothing can be traded: they are closing-only.
type coin struct {
	symbol, name string
	tick         string
	places       int // of quantities
}

var coins = [...]coin{
	{"BCH/USD", "Bitcoin Cash", "0.01", 8}, {"BTC/USD", "Bitcoin", "0.01", 8}, {"DOGE/USD", "Dogecoin", "0.00001", 3},
	{"ETH/USD", "Ethereum", "0.01", 8}, {"LTC/USD", "Litecoin", "0.01", 8}, {"SOL/USD", "Solana", "0.01", 6},
}

type wireVenue struct {
	DestinationVenue     string `json:"destination-venue"`
	ID                   int    `json:"id"`
	MaxPricePrecision    int    `json:"max-price-precision"`
	MaxQuantityPrecision int    `json:"max-quantity-precision"`
	Routable             bool   `json:"routable"`
	Symbol               string `json:"symbol"`
}

type wireCoin struct {
	Active           bool        `json:"active"`
	Description      string      `json:"description"`
	Venues           []wireVenue `json:"destination-venue-symbols"`
	ID               int         `json:"id"`
	InstrumentType   string      `json:"instrument-type"`
	IsClosingOnly    bool        `json:"is-closing-only"`
	ShortDescription string      `json:"short-description"`
	StreamerSymbol   string      `json:"streamer-symbol"`
	Symbol           string      `json:"symbol"`
	TickSize         string      `json:"tick-size"`
}

func wireCoinOf(c coin) wireCoin {
	_, decimals, _ := strings.Cut(c.tick, ".")
	return wireCoin{
		Active: true, Description: c.name + " to USD", ShortDescription: c.name, ID: identity(c.symbol), InstrumentType: "Cryptocurrency",
		IsClosingOnly: true, StreamerSymbol: c.symbol + ":CXTALP", Symbol: c.symbol, TickSize: c.tick,
		Venues: []wireVenue{{DestinationVenue: "SIMULATOR", ID: identity(c.symbol) + 1, MaxPricePrecision: len(decimals), MaxQuantityPrecision: c.places, Symbol: c.symbol}},
	}
}

func (s *Simulator) listCryptocurrencies(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	asked := append(query["symbol[]"], query["symbol"]...)
	list := []wireCoin{}
	for _, c := range coins {
		if len(asked) == 0 || slices.Contains(asked, c.symbol) {
			list = append(list, wireCoinOf(c))
		}
	}
	writeItems(w, r, list, nil)
}

func (s *Simulator) getCryptocurrency(w http.ResponseWriter, r *http.Request) {
	for _, c := range coins {
		if c.symbol == r.PathValue("symbol") {
			writeData(w, r, wireCoinOf(c))
			return
		}
	}
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find cryptocurrency "+r.PathValue("symbol"))
}

type wirePrecision struct {
	InstrumentType string `json:"instrument-type"`
	Increment      int    `json:"minimum-increment-precision"`
	Symbol         string `json:"symbol,omitempty"`
	Value          int    `json:"value"`
}

// listPrecisions serves GET /instruments/quantity-decimal-precisions.
func (s *Simulator) listPrecisions(w http.ResponseWriter, r *http.Request) {
	list := []wirePrecision{{InstrumentType: "Equity", Increment: 5, Value: 5}}
	for _, c := range coins {
		list = append(list, wirePrecision{InstrumentType: "Cryptocurrency", Increment: c.places, Symbol: c.symbol, Value: c.places})
	}
	writeItems(w, r, list, nil)
}

// listNothing serves what the market has none of: spreads of futures.
func (s *Simulator) listNothing(w http.ResponseWriter, r *http.Request) {
	writeItems(w, r, []struct{}{}, nil)
}

// listActiveEquities serves GET /instruments/equities/active.
func (s *Simulator) listActiveEquities(w http.ResponseWriter, r *http.Request) {
	all, err := s.everything(r.Context())
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	list := []wireEquity{}
	for _, i := range all {
		if i.Kind != market.KindEquity || !i.Active {
			continue
		}
		if e := wireEquityOf(i); r.URL.Query().Get("lendability") == "" || r.URL.Query().Get("lendability") == e.Lendability {
			list = append(list, e)
		}
	}
	list, p := page(r, list, 1000)
	writeItems(w, r, list, p)
}

type wireFound struct {
	Description    string `json:"description"`
	Exchange       string `json:"exchange,omitempty"`
	InstrumentType string `json:"instrument-type"`
	StopsTradingAt string `json:"stops-trading-at,omitempty"`
	Symbol         string `json:"symbol"`
}

// searchInstruments serves GET /instruments/search.
func (s *Simulator) searchInstruments(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	limit := 25
	if text := query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 100 {
			s.invalidParameter(w, "limit", "is not between 1 and 100")
			return
		}
		limit = n
	}
	found, err := s.market.Search(r.Context(), strings.TrimSpace(query.Get("query")), 1000)
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return
	}
	split := func(text string) []string {
		if text == "" {
			return nil
		}
		return strings.Split(text, ",")
	}
	types, exchanges := split(query.Get("type")), split(query.Get("exchange"))
	list := []wireFound{}
	for _, i := range found {
		f := wireFound{Description: i.Description, Exchange: i.Exchange, InstrumentType: instrumentType(i), Symbol: string(i.Symbol)}
		if i.Kind == market.KindFuture {
			c, all, err := s.contract(string(i.Symbol))
			if err != nil || len(all) == 0 {
				continue
			}
			f.Exchange, f.StopsTradingAt = futuresExchange, wireTime(c.Ends)
		}
		if len(types) > 0 && !slices.Contains(types, f.InstrumentType) || len(exchanges) > 0 && !slices.Contains(exchanges, f.Exchange) {
			continue
		}
		if list = append(list, f); len(list) == limit {
			break
		}
	}
	writeItems(w, r, list, nil)
}
