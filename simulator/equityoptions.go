package simulator

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/occ"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

type wireEquityOption struct {
	Active                         bool   `json:"active"`
	DaysToExpiration               int    `json:"days-to-expiration"`
	ExerciseStyle                  string `json:"exercise-style"`
	ExpirationDate                 string `json:"expiration-date"`
	ExpirationType                 string `json:"expiration-type"`
	ExpiresAt                      string `json:"expires-at"`
	InstrumentType                 string `json:"instrument-type"`
	IsClosingOnly                  bool   `json:"is-closing-only"`
	MarketTimeInstrumentCollection string `json:"market-time-instrument-collection"`
	OptionChainType                string `json:"option-chain-type"`
	OptionType                     string `json:"option-type"`
	RootSymbol                     string `json:"root-symbol"`
	SettlementType                 string `json:"settlement-type"`
	SharesPerContract              int    `json:"shares-per-contract"`
	StopsTradingAt                 string `json:"stops-trading-at"`
	StreamerSymbol                 string `json:"streamer-symbol"`
	StrikePrice                    string `json:"strike-price"`
	Symbol                         string `json:"symbol"`
	UnderlyingSymbol               string `json:"underlying-symbol"`
}

// settlementOf is the market's, in the afternoon when it does not say.
func settlementOf(e market.Expiration) market.Settlement {
	if e.Settlement == "" {
		return market.SettledPM
	}
	return e.Settlement
}

// contractOf is the option of a strike.
func contractOf(e market.Expiration, strike float64, put bool) occ.Option {
	return occ.Option{Root: e.Root, Expiration: e.Date, StrikeMils: int64(math.Round(strike * 1000)), Put: put}
}

func (s *Simulator) wireEquityOption(underlying market.Symbol, e market.Expiration, o occ.Option) wireEquityOption {
	side := "C"
	if o.Put {
		side = "P"
	}
	settlement := settlementOf(e)
	expires := wireTime(options.ExpiryTime(e.Date, settlement, s.calendar))
	return wireEquityOption{
		Active: true, DaysToExpiration: s.today().DaysUntil(e.Date), ExerciseStyle: exerciseStyle(e.Style), ExpirationDate: e.Date.String(),
		ExpirationType: s.expirationType(e.Date), ExpiresAt: expires, StopsTradingAt: expires, InstrumentType: "Equity Option",
		MarketTimeInstrumentCollection: "Equity Option", OptionChainType: "Standard", OptionType: side, RootSymbol: e.Root,
		SettlementType: string(settlement), SharesPerContract: 100, StreamerSymbol: o.Streamer(), StrikePrice: floatText(o.Strike()),
		Symbol: o.String(), UnderlyingSymbol: string(underlying),
	}
}

// expirations returns what is listed on the path's symbol, or answers.
func (s *Simulator) expirations(w http.ResponseWriter, r *http.Request) (market.Instrument, []market.Expiration, bool) {
	symbol := market.Symbol(r.PathValue("symbol"))
	underlying, ok := s.instrument(r.Context(), symbol)
	if !ok || underlying.Kind != market.KindEquity {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find an option chain for "+string(symbol))
		return underlying, nil, false
	}
	list, err := s.market.Expirations(r.Context(), symbol)
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return underlying, nil, false
	}
	return underlying, list, true
}

// fullChain serves GET /option-chains/{symbol}: every option described in full.
func (s *Simulator) fullChain(w http.ResponseWriter, r *http.Request) {
	underlying, expirations, ok := s.expirations(w, r)
	if !ok {
		return
	}
	list := []wireEquityOption{}
	for _, e := range expirations {
		for _, strike := range e.Strikes {
			list = append(list, s.wireEquityOption(underlying.Symbol, e, contractOf(e, strike, false)),
				s.wireEquityOption(underlying.Symbol, e, contractOf(e, strike, true)))
		}
	}
	writeItems(w, r, list, nil)
}

type wireCompactChain struct {
	UnderlyingSymbol  string            `json:"underlying-symbol"`
	RootSymbol        string            `json:"root-symbol"`
	OptionChainType   string            `json:"option-chain-type"`
	SettlementType    string            `json:"settlement-type"`
	SharesPerContract int               `json:"shares-per-contract"`
	ExpirationType    string            `json:"expiration-type"`
	Deliverables      []wireDeliverable `json:"deliverables"`
	Symbols           []string          `json:"symbols"`
	StreamerSymbols   []string          `json:"streamer-symbols"`
}

// compactChain serves GET /option-chains/{symbol}/compact: one item per root,
// settlement and kind of expiration.
func (s *Simulator) compactChain(w http.ResponseWriter, r *http.Request) {
	underlying, expirations, ok := s.expirations(w, r)
	if !ok {
		return
	}
	list := []wireCompactChain{}
	for _, e := range expirations {
		kind, settlement := s.expirationType(e.Date), string(settlementOf(e))
		at := slices.IndexFunc(list, func(c wireCompactChain) bool {
			return c.RootSymbol == e.Root && c.ExpirationType == kind && c.SettlementType == settlement
		})
		if at < 0 {
			at = len(list)
			whole := newWireChain(underlying, e.Root)
			list = append(list, wireCompactChain{
				UnderlyingSymbol: whole.UnderlyingSymbol, RootSymbol: e.Root, OptionChainType: whole.OptionChainType, SettlementType: settlement,
				SharesPerContract: whole.SharesPerContract, ExpirationType: kind, Deliverables: whole.Deliverables,
			})
		}
		for _, strike := range e.Strikes {
			for _, o := range []occ.Option{contractOf(e, strike, false), contractOf(e, strike, true)} {
				list[at].Symbols = append(list[at].Symbols, o.String())
				list[at].StreamerSymbols = append(list[at].StreamerSymbols, o.Streamer())
			}
		}
	}
	writeItems(w, r, list, nil)
}

// getEquityOption serves GET /instruments/equity-options/{symbol}.
func (s *Simulator) getEquityOption(w http.ResponseWriter, r *http.Request) {
	text := r.PathValue("symbol")
	o, err := occ.Parse(text)
	if err == nil {
		underlying := s.underlyingOf(r.Context(), market.Symbol(o.String()))
		list, err := s.market.Expirations(r.Context(), underlying)
		if err = absence(err); err != nil {
			s.internalError(w, r, err)
			return
		}
		for _, e := range list {
			if e.Root == o.Root && e.Date == o.Expiration && slices.Contains(e.Strikes, o.Strike()) {
				writeData(w, r, s.wireEquityOption(underlying, e, o))
				return
			}
		}
	}
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find equity option "+text)
}

// decimalOf reads a number that this package has written.
func decimalOf(text string) decimal.Decimal {
	d, err := decimal.NewFromString(strings.TrimSpace(text))
	if err != nil {
		return decimal.Zero
	}
	return d
}
