package simulator

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/occ"
	"github.com/ttai-go/ttai/market"
)

type wireTick struct {
	Threshold string `json:"threshold,omitempty"`
	Value     string `json:"value"`
}

func wireTicks(ticks []market.Tick) []wireTick {
	var list []wireTick
	for _, t := range ticks {
		tick := wireTick{Value: floatText(t.Increment)}
		if !math.IsInf(t.Below, 1) {
			tick.Threshold = floatText(t.Below)
		}
		list = append(list, tick)
	}
	return list
}

type wireEquity struct {
	Active                         bool       `json:"active"`
	BorrowRate                     string     `json:"borrow-rate,omitempty"`
	BypassManualReview             bool       `json:"bypass-manual-review"`
	Description                    string     `json:"description"`
	ID                             int        `json:"id"`
	InstrumentType                 string     `json:"instrument-type"`
	IsClosingOnly                  bool       `json:"is-closing-only"`
	IsETF                          bool       `json:"is-etf"`
	IsFractionalQuantityEligible   bool       `json:"is-fractional-quantity-eligible"`
	IsFraudRisk                    bool       `json:"is-fraud-risk"`
	IsIlliquid                     bool       `json:"is-illiquid"`
	IsIndex                        bool       `json:"is-index"`
	IsOptionsClosingOnly           bool       `json:"is-options-closing-only"`
	Lendability                    string     `json:"lendability"`
	ListedMarket                   string     `json:"listed-market,omitempty"`
	MarketTimeInstrumentCollection string     `json:"market-time-instrument-collection"`
	OvernightTradingPermitted      bool       `json:"overnight-trading-permitted"`
	ShortDescription               string     `json:"short-description"`
	StreamerSymbol                 string     `json:"streamer-symbol"`
	Symbol                         string     `json:"symbol"`
	TickSizes                      []wireTick `json:"tick-sizes,omitempty"`
	OptionTickSizes                []wireTick `json:"option-tick-sizes,omitempty"`
}

func wireEquityOf(i market.Instrument) wireEquity {
	lendability := "Easy To Borrow"
	if i.Index {
		lendability = "Preborrow"
	}
	return wireEquity{
		Active: i.Active, Description: i.Description, ShortDescription: i.Description, ID: identity(string(i.Symbol)), InstrumentType: "Equity",
		IsETF: i.ETF, IsIndex: i.Index, IsFractionalQuantityEligible: !i.Index, Lendability: lendability, ListedMarket: i.Exchange,
		MarketTimeInstrumentCollection: "Equity", StreamerSymbol: string(i.Symbol), Symbol: string(i.Symbol),
		TickSizes: wireTicks(i.Ticks), OptionTickSizes: wireTicks(i.OptionTicks),
	}
}

// listEquities serves GET /instruments/equities: the symbols asked for, those
// unknown left out, or everything in pages.
func (s *Simulator) listEquities(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	var found []market.Instrument
	if asked := append(query["symbol[]"], query["symbol"]...); len(asked) > 0 {
		for _, text := range asked {
			if i, ok := s.instrument(r.Context(), market.Symbol(text)); ok && i.Kind == market.KindEquity {
				found = append(found, i)
			}
		}
	} else {
		all, err := s.everything(r.Context())
		if err != nil {
			s.internalError(w, r, err)
			return
		}
		found = slices.DeleteFunc(slices.Clone(all), func(i market.Instrument) bool { return i.Kind != market.KindEquity })
	}
	for name, is := range map[string]func(market.Instrument) bool{
		"is-etf":   func(i market.Instrument) bool { return i.ETF },
		"is-index": func(i market.Instrument) bool { return i.Index },
	} {
		if want, err := strconv.ParseBool(query.Get(name)); err == nil {
			found = slices.DeleteFunc(found, func(i market.Instrument) bool { return is(i) != want })
		}
	}
	list := make([]wireEquity, 0, len(found))
	for _, i := range found {
		list = append(list, wireEquityOf(i))
	}
	list, p := page(r, list, 1000)
	writeItems(w, r, list, p)
}

func (s *Simulator) getEquity(w http.ResponseWriter, r *http.Request) {
	i, ok := s.instrument(r.Context(), market.Symbol(r.PathValue("symbol")))
	if !ok || i.Kind != market.KindEquity {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find equity "+r.PathValue("symbol"))
		return
	}
	writeData(w, r, wireEquityOf(i))
}

type wireChain struct {
	UnderlyingSymbol  string            `json:"underlying-symbol"`
	RootSymbol        string            `json:"root-symbol"`
	OptionChainType   string            `json:"option-chain-type"`
	SharesPerContract int               `json:"shares-per-contract"`
	TickSizes         []wireTick        `json:"tick-sizes"`
	Deliverables      []wireDeliverable `json:"deliverables"`
	Expirations       []wireExpiration  `json:"expirations"`
}

type wireDeliverable struct {
	ID              int    `json:"id"`
	Amount          string `json:"amount"`
	DeliverableType string `json:"deliverable-type"`
	Description     string `json:"description"`
	InstrumentType  string `json:"instrument-type"`
	Percent         string `json:"percent"`
	RootSymbol      string `json:"root-symbol"`
	Symbol          string `json:"symbol"`
}

type wireExpiration struct {
	ExpirationType   string       `json:"expiration-type"`
	ExpirationDate   string       `json:"expiration-date"`
	DaysToExpiration int          `json:"days-to-expiration"`
	SettlementType   string       `json:"settlement-type"`
	Strikes          []wireStrike `json:"strikes"`
}

type wireStrike struct {
	StrikePrice        string `json:"strike-price"`
	Call               string `json:"call"`
	CallStreamerSymbol string `json:"call-streamer-symbol"`
	Put                string `json:"put"`
	PutStreamerSymbol  string `json:"put-streamer-symbol"`
}

// nestedChain serves GET /option-chains/{symbol}/nested, one item per root.
func (s *Simulator) nestedChain(w http.ResponseWriter, r *http.Request) {
	symbol := market.Symbol(r.PathValue("symbol"))
	underlying, ok := s.instrument(r.Context(), symbol)
	if !ok {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find an option chain for "+string(symbol))
		return
	}
	expirations, err := s.market.Expirations(r.Context(), symbol)
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return
	}
	today := s.today()
	chains := []wireChain{}
	for _, e := range expirations {
		at := slices.IndexFunc(chains, func(c wireChain) bool { return c.RootSymbol == e.Root })
		if at < 0 {
			at = len(chains)
			chains = append(chains, newWireChain(underlying, e.Root))
		}
		settlement := e.Settlement
		if settlement == "" {
			settlement = market.SettledPM
		}
		chains[at].Expirations = append(chains[at].Expirations, wireExpiration{
			ExpirationType: s.expirationType(e.Date), ExpirationDate: e.Date.String(), DaysToExpiration: today.DaysUntil(e.Date),
			SettlementType: string(settlement), Strikes: wireStrikes(e),
		})
	}
	writeItems(w, r, chains, nil)
}

func newWireChain(underlying market.Instrument, root string) wireChain {
	chain := wireChain{
		UnderlyingSymbol: string(underlying.Symbol), RootSymbol: root, OptionChainType: "Standard", SharesPerContract: 100,
		TickSizes: wireTicks(underlying.OptionTicks), Deliverables: []wireDeliverable{}, Expirations: []wireExpiration{},
	}
	if chain.TickSizes == nil {
		chain.TickSizes = []wireTick{{Threshold: "3.0", Value: "0.01"}, {Value: "0.05"}}
	}
	if !underlying.Index { // index options deliver cash
		chain.Deliverables = append(chain.Deliverables, wireDeliverable{
			ID: wireEquityOf(underlying).ID, Amount: "100.0", DeliverableType: "Shares", Description: "100 shares of " + string(underlying.Symbol),
			InstrumentType: "Equity", Percent: "100", RootSymbol: root, Symbol: string(underlying.Symbol),
		})
	}
	return chain
}

func wireStrikes(e market.Expiration) []wireStrike {
	list := make([]wireStrike, 0, len(e.Strikes))
	for _, strike := range e.Strikes {
		call := occ.Option{Root: e.Root, Expiration: e.Date, StrikeMils: int64(math.Round(strike * 1000))}
		put := call
		put.Put = true
		list = append(list, wireStrike{
			StrikePrice: floatText(strike),
			Call:        call.String(), CallStreamerSymbol: call.Streamer(),
			Put: put.String(), PutStreamerSymbol: put.Streamer(),
		})
	}
	return list
}

// expirationType names an expiration by its place in the calendar: the third
// Friday (or the session before it when that is a holiday) is the regular one.
func (s *Simulator) expirationType(d market.Date) string {
	first := market.Date{Year: d.Year, Month: d.Month, Day: 1}
	third := first.AddDays((int(time.Friday-first.Weekday())+7)%7 + 14)
	if _, open := s.calendar.Session(third); !open {
		third = third.AddDays(-1)
	}
	if d == third {
		return "Regular"
	}
	lastDay := market.Date{Year: d.Year, Month: d.Month + 1, Day: 1}.AddDays(-1)
	if later := s.calendar.Sessions(d.AddDays(1), lastDay); len(later) == 0 {
		if d.Month%3 == 0 {
			return "Quarterly"
		}
		return "End-Of-Month"
	}
	return "Weekly"
}

type wireSymbol struct {
	Symbol          string `json:"symbol"`
	Description     string `json:"description"`
	ListedMarket    string `json:"listed-market,omitempty"`
	PriceIncrements string `json:"price-increments,omitempty"`
	TradingHours    string `json:"trading-hours,omitempty"`
	Options         bool   `json:"options"`
	InstrumentType  string `json:"instrument-type"`
}

// searchSymbols serves GET /symbols/search/{text}.
func (s *Simulator) searchSymbols(w http.ResponseWriter, r *http.Request) {
	text := strings.TrimSpace(r.PathValue("text"))
	if text == "" || len(text) > 64 {
		writeItems(w, r, []wireSymbol{}, nil)
		return
	}
	found, err := s.market.Search(r.Context(), text, 50)
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return
	}
	list := []wireSymbol{}
	for _, i := range found {
		list = append(list, wireSymbol{
			Symbol: string(i.Symbol), Description: i.Description, ListedMarket: i.Exchange, Options: i.Optionable, InstrumentType: instrumentType(i),
		})
	}
	writeItems(w, r, list, nil)
}

func instrumentType(i market.Instrument) string {
	switch {
	case i.Index:
		return "Index"
	case i.Kind == market.KindOption:
		return "Equity Option"
	case i.Kind == market.KindFuture:
		return "Future"
	case i.Kind == market.KindFutureOption:
		return "Future Option"
	}
	return "Equity"
}
