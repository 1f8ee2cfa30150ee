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

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

type wireFutureOptionProduct struct {
	CashSettled             bool         `json:"cash-settled"`
	ClearingCode            string       `json:"clearing-code"`
	ClearingExchangeCode    string       `json:"clearing-exchange-code"`
	ClearingPriceMultiplier string       `json:"clearing-price-multiplier"`
	ClearportCode           string       `json:"clearport-code"`
	Code                    string       `json:"code"`
	DisplayFactor           string       `json:"display-factor"`
	Exchange                string       `json:"exchange"`
	ExpirationType          string       `json:"expiration-type"`
	CutoffTimes             []wireCutoff `json:"futures-trading-cutoff-times"`
	IsAMSettled             bool         `json:"is-am-settled"`
	IsRollover              bool         `json:"is-rollover"`
	LegacyCode              string       `json:"legacy-code"`
	MarketSector            string       `json:"market-sector"`
	ProductType             string       `json:"product-type"`
	RootSymbol              string       `json:"root-symbol"`
	SettlementDelayDays     int          `json:"settlement-delay-days"`
	Supported               bool         `json:"supported"`
}

// A futureSeries is the options on one future that expire together.
type futureSeries struct {
	market.Expiration
	future synthetic.FutureContract
	prefix string // of its symbols: "./ESZ6 EW3U6 260918"
	code   string // "EW3U6"
}

// symbol names one option.
func (f futureSeries) symbol(side string, strike float64) string {
	return f.prefix + side + strikeText(strike)
}

// streamer is its name on the stream: the contract with a year of two digits.
func (f futureSeries) streamer(side string, strike float64) string {
	return "./" + f.streamedCode() + side + strikeText(strike) + ":" + f.future.Exchange
}

// streamedCode is the contract with a year of two digits: "EW3U26".
func (f futureSeries) streamedCode() string {
	return f.code[:len(f.code)-1] + fmt.Sprintf("%02d", f.year()%100)
}

// year is that of the option's contract month: the one with its last digit that
// is nearest to the expiration.
func (f futureSeries) year() int {
	year := f.Date.Year - f.Date.Year%10 + int(f.code[len(f.code)-1]-'0')
	switch {
	case year-f.Date.Year > 5:
		return year - 10
	case f.Date.Year-year > 5:
		return year + 10
	}
	return year
}

// stops is when trading ends: with the future, or at the close of the last day.
func (f futureSeries) stops(calendar *market.Calendar) time.Time {
	if f.Settlement == market.SettledAM && f.Date == f.future.LastTrade {
		return f.future.Ends
	}
	return f.Date.At(16, 0, calendar.Location())
}

func (f futureSeries) expirationType() string {
	switch letter := f.Root[len(f.Root)-1]; {
	case letter >= '0' && letter <= '9', len(f.Root) == 3 && letter >= 'A' && letter <= 'D':
		return "Weekly"
	case f.Root == "EW", f.Root == "QNE":
		return "End-Of-Month"
	case f.Date.Month%3 == 0:
		return "Quarterly"
	}
	return "Regular"
}

// series lists the expirations of the options on contracts. The market names
// them by underlying and root; what their symbols begin with, one quote says.
func (s *Simulator) series(ctx context.Context, contracts []synthetic.FutureContract) ([]futureSeries, error) {
	var out []futureSeries
	for _, c := range contracts {
		if !c.Optionable {
			continue
		}
		expirations, err := s.market.Expirations(ctx, c.Symbol)
		if err = absence(err); err != nil {
			return nil, err
		}
		if len(expirations) == 0 {
			continue
		}
		quotes, err := s.market.Chain(ctx, market.ChainRequest{Underlying: c.Symbol, Strikes: 1})
		if err = absence(err); err != nil {
			return nil, err
		}
		prefixes := map[string]string{} // by root and date
		for _, q := range quotes {
			if len(q.Symbol) > 19 {
				prefixes[q.Root+q.Expiration.String()] = string(q.Symbol[:19])
			}
		}
		for _, e := range expirations {
			if prefix := prefixes[e.Root+e.Date.String()]; prefix != "" {
				out = append(out, futureSeries{Expiration: e, future: c, prefix: prefix, code: strings.TrimSpace(prefix[7:13])})
			}
		}
	}
	return out, nil
}

func (s *Simulator) wireOptionProduct(f futureSeries) wireFutureOptionProduct {
	ends := f.stops(s.calendar).In(s.calendar.Location())
	kind := kindOfProduct(f.future.Product)
	return wireFutureOptionProduct{
		ClearingCode: f.Root, ClearingExchangeCode: "16", ClearingPriceMultiplier: "1.0", ClearportCode: f.Root, Code: f.Root, LegacyCode: f.Root,
		DisplayFactor: displayFactor(f.future), Exchange: futuresExchange, ExpirationType: f.expirationType(),
		CutoffTimes: []wireCutoff{{OffsetSeconds: (ends.Hour()-1)*3600 + ends.Minute()*60, Timezone: "Market Zone", Timing: "Default"}},
		IsAMSettled: f.Settlement == market.SettledAM, MarketSector: kind.sector, ProductType: "Physical", RootSymbol: f.Root, Supported: true,
	}
}

// optionProducts are the families of options on a product, by root.
func (s *Simulator) optionProducts(ctx context.Context, contracts []synthetic.FutureContract) ([]wireFutureOptionProduct, error) {
	series, err := s.series(ctx, contracts)
	if err != nil {
		return nil, err
	}
	var out []wireFutureOptionProduct
	for _, f := range series {
		if !slices.ContainsFunc(out, func(p wireFutureOptionProduct) bool { return p.RootSymbol == f.Root }) {
			out = append(out, s.wireOptionProduct(f))
		}
	}
	slices.SortFunc(out, func(a, b wireFutureOptionProduct) int { return cmp.Compare(a.RootSymbol, b.RootSymbol) })
	return out, nil
}

// allOptionProducts are those of every product.
func (s *Simulator) allOptionProducts(ctx context.Context) ([]wireFutureOptionProduct, error) {
	products, err := s.products()
	if err != nil {
		return nil, err
	}
	list := []wireFutureOptionProduct{}
	for _, contracts := range products {
		part, err := s.optionProducts(ctx, contracts)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	return list, nil
}

func (s *Simulator) listFutureOptionProducts(w http.ResponseWriter, r *http.Request) {
	list, err := s.allOptionProducts(r.Context())
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	list, p := page(r, list, 1000)
	writeItems(w, r, list, p)
}

// getFutureOptionProduct serves both routes of one product, with and without
// the exchange.
func (s *Simulator) getFutureOptionProduct(w http.ResponseWriter, r *http.Request) {
	list, err := s.allOptionProducts(r.Context())
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	root, exchange := r.PathValue("root"), r.PathValue("exchange")
	at := slices.IndexFunc(list, func(p wireFutureOptionProduct) bool { return p.RootSymbol == root })
	if at < 0 || exchange != "" && exchange != futuresExchange {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find future option product "+root)
		return
	}
	writeData(w, r, list[at])
}

type wireFutureOption struct {
	Active               bool                    `json:"active"`
	DaysToExpiration     int                     `json:"days-to-expiration"`
	DisplayFactor        string                  `json:"display-factor"`
	Exchange             string                  `json:"exchange"`
	ExchangeSymbol       string                  `json:"exchange-symbol"`
	ExerciseStyle        string                  `json:"exercise-style"`
	ExpirationDate       string                  `json:"expiration-date"`
	ExpiresAt            string                  `json:"expires-at"`
	FuturePriceRatio     string                  `json:"future-price-ratio"`
	IsClosingOnly        bool                    `json:"is-closing-only"`
	IsConfirmed          bool                    `json:"is-confirmed"`
	IsExercisableWeekly  bool                    `json:"is-exercisable-weekly"`
	IsPrimaryDeliverable bool                    `json:"is-primary-deliverable"`
	IsVanilla            bool                    `json:"is-vanilla"`
	LastTradeTime        string                  `json:"last-trade-time"`
	MaturityDate         string                  `json:"maturity-date"`
	Multiplier           string                  `json:"multiplier"`
	NotionalValue        string                  `json:"notional-value"`
	OptionRootSymbol     string                  `json:"option-root-symbol"`
	OptionType           string                  `json:"option-type"`
	ProductCode          string                  `json:"product-code"`
	RootSymbol           string                  `json:"root-symbol"`
	SecurityExchange     string                  `json:"security-exchange"`
	SecurityID           string                  `json:"security-id"`
	SettlementType       string                  `json:"settlement-type"`
	StopsTradingAt       string                  `json:"stops-trading-at"`
	StreamerSymbol       string                  `json:"streamer-symbol,omitempty"`
	StrikeFactor         string                  `json:"strike-factor"`
	StrikePrice          string                  `json:"strike-price"`
	SxID                 string                  `json:"sx-id"`
	Symbol               string                  `json:"symbol"`
	UnderlyingCount      string                  `json:"underlying-count"`
	UnderlyingSymbol     string                  `json:"underlying-symbol"`
	Product              wireFutureOptionProduct `json:"future-option-product"`
}

// notionalValue is what a price of one is worth in units of the display factor.
func notionalValue(c synthetic.FutureContract) string {
	factor := number(c.Multiplier).Decimal
	return decimalText(factor.Mul(decimalOf(displayFactor(c))))
}

func exerciseStyle(style market.ExerciseStyle) string {
	if style == market.European {
		return "European"
	}
	return "American"
}

func (s *Simulator) wireFutureOption(f futureSeries, side string, strike float64) wireFutureOption {
	symbol, stops := f.symbol(side, strike), wireTime(f.stops(s.calendar))
	return wireFutureOption{
		Active: true, DaysToExpiration: s.today().DaysUntil(f.Date), DisplayFactor: displayFactor(f.future), Exchange: futuresExchange,
		ExchangeSymbol: f.code + " " + side + strikeText(strike), ExerciseStyle: exerciseStyle(f.Style), ExpirationDate: f.Date.String(),
		ExpiresAt: stops, StopsTradingAt: stops, FuturePriceRatio: "1.0", IsConfirmed: true, IsExercisableWeekly: true,
		IsPrimaryDeliverable: true, IsVanilla: true, LastTradeTime: "0", MaturityDate: f.Date.String(), Multiplier: "1.0",
		NotionalValue: notionalValue(f.future), OptionRootSymbol: f.Root, OptionType: side, ProductCode: f.future.Product,
		RootSymbol: "/" + f.future.Product, SecurityExchange: "2", SecurityID: strconv.Itoa(identity(symbol)), SettlementType: "Future",
		StreamerSymbol: f.streamer(side, strike), StrikeFactor: "1.0", StrikePrice: floatText(strike), SxID: "0", Symbol: symbol,
		UnderlyingCount: "1.0", UnderlyingSymbol: string(f.future.Symbol), Product: s.wireOptionProduct(f),
	}
}

// productSeries finds the options on a product, or answers.
func (s *Simulator) productSeries(w http.ResponseWriter, r *http.Request) ([]synthetic.FutureContract, []futureSeries, bool) {
	code := strings.TrimPrefix(r.PathValue("product"), "/")
	contracts, err := s.futures(code)
	if err != nil {
		s.internalError(w, r, err)
		return nil, nil, false
	}
	if code == "" || len(contracts) == 0 {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find a futures option chain for "+code)
		return nil, nil, false
	}
	series, err := s.series(r.Context(), contracts)
	if err != nil {
		s.internalError(w, r, err)
		return nil, nil, false
	}
	return contracts, series, true
}

// futuresChain serves GET /futures-option-chains/{product}, every option in full.
func (s *Simulator) futuresChain(w http.ResponseWriter, r *http.Request) {
	_, series, ok := s.productSeries(w, r)
	if !ok {
		return
	}
	list := []wireFutureOption{}
	for _, f := range series {
		for _, strike := range f.Strikes {
			list = append(list, s.wireFutureOption(f, "C", strike), s.wireFutureOption(f, "P", strike))
		}
	}
	writeItems(w, r, list, nil)
}

// futureOptionParts takes a symbol apart: "./ESZ6 EW3U6 260918P6600".
func futureOptionParts(s market.Symbol) (underlying market.Symbol, date market.Date, side string, strike float64, ok bool) {
	if len(s) < 21 || !strings.HasPrefix(string(s), "./") || s[19] != 'C' && s[19] != 'P' {
		return "", market.Date{}, "", 0, false
	}
	day, err := time.Parse("060102", string(s[13:19]))
	strike, bad := strconv.ParseFloat(string(s[20:]), 64)
	return market.Symbol(strings.TrimSpace(string(s[1:7]))), market.DateOf(day), string(s[19:20]), strike, err == nil && bad == nil
}

func (s *Simulator) getFutureOption(w http.ResponseWriter, r *http.Request) {
	symbol := r.PathValue("symbol")
	underlying, date, side, strike, ok := futureOptionParts(market.Symbol(symbol))
	if ok {
		c, all, err := s.contract(string(underlying))
		if err != nil {
			s.internalError(w, r, err)
			return
		}
		if len(all) > 0 {
			series, err := s.series(r.Context(), []synthetic.FutureContract{c})
			if err != nil {
				s.internalError(w, r, err)
				return
			}
			for _, f := range series {
				if f.Date == date && f.prefix == symbol[:19] && slices.Contains(f.Strikes, strike) {
					writeData(w, r, s.wireFutureOption(f, side, strike))
					return
				}
			}
		}
	}
	s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find future option "+symbol)
}

type wireChainFuture struct {
	ActiveMonth      bool   `json:"active-month"`
	DaysToExpiration int    `json:"days-to-expiration"`
	ExpirationDate   string `json:"expiration-date"`
	ExpiresAt        string `json:"expires-at"`
	NextActiveMonth  bool   `json:"next-active-month"`
	RootSymbol       string `json:"root-symbol"`
	StopsTradingAt   string `json:"stops-trading-at"`
	Symbol           string `json:"symbol"`
}

type wireFuturesExpiration struct {
	Asset                string       `json:"asset"`
	DaysToExpiration     int          `json:"days-to-expiration"`
	DisplayFactor        string       `json:"display-factor"`
	ExpirationDate       string       `json:"expiration-date"`
	ExpirationType       string       `json:"expiration-type"`
	ExpiresAt            string       `json:"expires-at"`
	NotionalValue        string       `json:"notional-value"`
	OptionContractSymbol string       `json:"option-contract-symbol"`
	OptionRootSymbol     string       `json:"option-root-symbol"`
	RootSymbol           string       `json:"root-symbol"`
	SettlementType       string       `json:"settlement-type"`
	StopsTradingAt       string       `json:"stops-trading-at"`
	StrikeFactor         string       `json:"strike-factor"`
	Strikes              []wireStrike `json:"strikes"`
	TickSizes            []wireTick   `json:"tick-sizes"`
	UnderlyingSymbol     string       `json:"underlying-symbol"`
}

type wireFuturesOptionChain struct {
	ExerciseStyle    string                  `json:"exercise-style"`
	Expirations      []wireFuturesExpiration `json:"expirations"`
	RootSymbol       string                  `json:"root-symbol"`
	UnderlyingSymbol string                  `json:"underlying-symbol"`
}

type wireFuturesChain struct {
	Futures      []wireChainFuture        `json:"futures"`
	OptionChains []wireFuturesOptionChain `json:"option-chains"`
}

// nestedFuturesChain serves GET /futures-option-chains/{product}/nested, which
// has no items.
func (s *Simulator) nestedFuturesChain(w http.ResponseWriter, r *http.Request) {
	contracts, series, ok := s.productSeries(w, r)
	if !ok {
		return
	}
	answer := wireFuturesChain{Futures: []wireChainFuture{}, OptionChains: []wireFuturesOptionChain{}}
	for _, c := range contracts {
		f := s.wireFuture(c, contracts)
		answer.Futures = append(answer.Futures, wireChainFuture{
			ActiveMonth: f.ActiveMonth, NextActiveMonth: f.NextActiveMonth, DaysToExpiration: s.today().DaysUntil(c.LastTrade),
			ExpirationDate: f.ExpirationDate, ExpiresAt: f.ExpiresAt, RootSymbol: "/" + c.Product,
			StopsTradingAt: f.StopsTradingAt, Symbol: f.Symbol,
		})
	}
	for _, f := range series {
		style := exerciseStyle(f.Style)
		at := slices.IndexFunc(answer.OptionChains, func(c wireFuturesOptionChain) bool { return c.ExerciseStyle == style })
		if at < 0 {
			at = len(answer.OptionChains)
			answer.OptionChains = append(answer.OptionChains, wireFuturesOptionChain{
				ExerciseStyle: style, RootSymbol: "/" + f.future.Product, UnderlyingSymbol: "/" + f.future.Product, Expirations: []wireFuturesExpiration{}})
		}
		stops := wireTime(f.stops(s.calendar))
		e := wireFuturesExpiration{
			Asset: f.Root, DaysToExpiration: s.today().DaysUntil(f.Date), DisplayFactor: displayFactor(f.future), ExpirationDate: f.Date.String(),
			ExpirationType: f.expirationType(), ExpiresAt: stops, StopsTradingAt: stops, NotionalValue: notionalValue(f.future),
			OptionContractSymbol: f.code, OptionRootSymbol: f.Root, RootSymbol: "/" + f.future.Product, SettlementType: string(f.Settlement),
			StrikeFactor: "1.0", TickSizes: wireTicks(f.future.OptionTicks), UnderlyingSymbol: string(f.future.Symbol), Strikes: []wireStrike{},
		}
		for _, strike := range f.Strikes {
			e.Strikes = append(e.Strikes, wireStrike{
				StrikePrice: floatText(strike), Call: f.symbol("C", strike), CallStreamerSymbol: f.streamer("C", strike),
				Put: f.symbol("P", strike), PutStreamerSymbol: f.streamer("P", strike),
			})
		}
		answer.OptionChains[at].Expirations = append(answer.OptionChains[at].Expirations, e)
	}
	writeData(w, r, answer)
}
