package simulator

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/simulator/synthetic"
)

// A futuresMarket is a market that lists futures. Other markets have none.
type futuresMarket interface {
	Futures(product string) ([]synthetic.FutureContract, error)
}

// futures lists the contracts of a product, of all for "".
func (s *Simulator) futures(product string) ([]synthetic.FutureContract, error) {
	m, ok := s.base.(futuresMarket)
	if !ok {
		return nil, nil
	}
	list, err := m.Futures(product)
	return list, absence(err)
}

// futuresExchange is where all futures of the market trade, by the service's
// name: it calls the exchanges of the group by one.
const futuresExchange = "CME"

// A productKind says what the market itself does not know of a product.
type productKind struct {
	sector, group, kind, roll string
	cash                      bool
}

func kindOfProduct(code string) productKind {
	switch code {
	case "ES", "MES", "NQ", "MNQ", "RTY", "YM":
		return productKind{"Equity Index", "CME_EQUITY", "Financial", "equity_index", true}
	case "CL", "MCL", "NG":
		return productKind{"Energy", "CME_COMMODITY", "Physical", "energies", false}
	case "GC", "MGC", "SI", "HG":
		return productKind{"Metals", "CME_COMMODITY", "Physical", "metals", false}
	case "ZB", "ZN":
		return productKind{"Interest Rate", "CME_INTEREST_RATE", "Physical", "interest_rates", false}
	}
	return productKind{"Currency", "CME_FX", "Physical", "currencies", false}
}

type wireCutoff struct {
	OffsetSeconds int    `json:"offset-seconds"`
	Timezone      string `json:"timezone"`
	Timing        string `json:"timing"`
}

type wireRoll struct {
	ActiveCount        int    `json:"active-count"`
	BusinessDaysOffset int    `json:"business-days-offset"`
	CashSettled        bool   `json:"cash-settled"`
	FirstNotice        bool   `json:"first-notice"`
	Name               string `json:"name"`
}

type wireFutureProduct struct {
	ActiveMonths                 []string                  `json:"active-months"`
	BackMonthFirstCalendarSymbol bool                      `json:"back-month-first-calendar-symbol"`
	CashSettled                  bool                      `json:"cash-settled"`
	ClearingCode                 string                    `json:"clearing-code"`
	ClearingExchangeCode         string                    `json:"clearing-exchange-code"`
	ClearportCode                string                    `json:"clearport-code"`
	Code                         string                    `json:"code"`
	Description                  string                    `json:"description"`
	DisplayFactor                string                    `json:"display-factor"`
	Exchange                     string                    `json:"exchange"`
	FirstNotice                  bool                      `json:"first-notice"`
	CutoffTimes                  []wireCutoff              `json:"futures-trading-cutoff-times"`
	LegacyCode                   string                    `json:"legacy-code"`
	LegacyExchangeCode           string                    `json:"legacy-exchange-code"`
	ListedMonths                 []string                  `json:"listed-months"`
	MarketSector                 string                    `json:"market-sector"`
	NotionalMultiplier           string                    `json:"notional-multiplier"`
	OptionProducts               []wireFutureOptionProduct `json:"option-products,omitempty"`
	ProductType                  string                    `json:"product-type"`
	Roll                         wireRoll                  `json:"roll"`
	RootSymbol                   string                    `json:"root-symbol"`
	SecurityGroup                string                    `json:"security-group"`
	SmallNotional                bool                      `json:"small-notional"`
	StreamerExchangeCode         string                    `json:"streamer-exchange-code"`
	Supported                    bool                      `json:"supported"`
	TickSize                     string                    `json:"tick-size"`
	UnderlyingDescription        string                    `json:"underlying-description,omitempty"`
	UnderlyingIdentifier         string                    `json:"underlying-identifier,omitempty"`
}

type wireFuture struct {
	Active                       bool              `json:"active"`
	ActiveMonth                  bool              `json:"active-month"`
	BackMonthFirstCalendarSymbol bool              `json:"back-month-first-calendar-symbol"`
	ClosingOnlyDate              string            `json:"closing-only-date"`
	ContractSize                 string            `json:"contract-size"`
	DisplayFactor                string            `json:"display-factor"`
	Exchange                     string            `json:"exchange"`
	ExchangeSymbol               string            `json:"exchange-symbol"`
	ExpirationDate               string            `json:"expiration-date"`
	ExpiresAt                    string            `json:"expires-at"`
	FirstNoticeDate              string            `json:"first-notice-date,omitempty"`
	FutureProduct                wireFutureProduct `json:"future-product"`
	IsClosingOnly                bool              `json:"is-closing-only"`
	IsTradeable                  bool              `json:"is-tradeable"`
	LastTradeDate                string            `json:"last-trade-date"`
	MainFraction                 string            `json:"main-fraction"`
	NextActiveMonth              bool              `json:"next-active-month"`
	NotionalMultiplier           string            `json:"notional-multiplier"`
	OptionTickSizes              []wireTick        `json:"option-tick-sizes,omitempty"`
	ProductCode                  string            `json:"product-code"`
	ProductGroup                 string            `json:"product-group"`
	RollTargetSymbol             string            `json:"roll-target-symbol,omitempty"`
	SecurityID                   string            `json:"security-id"`
	StopsTradingAt               string            `json:"stops-trading-at"`
	StreamerExchangeCode         string            `json:"streamer-exchange-code"`
	StreamerSymbol               string            `json:"streamer-symbol"`
	SubFraction                  string            `json:"sub-fraction"`
	Symbol                       string            `json:"symbol"`
	TickSize                     string            `json:"tick-size"`
	TickSizes                    []wireTick        `json:"tick-sizes"`
}

// identity is a number that stays: the service's ids mean nothing but identity.
func identity(text string) int {
	id := 0
	for _, c := range []byte(text) {
		id = (id*37 + int(c)) % 10_000_000
	}
	return id
}

// streamerFuture is a contract's symbol on the stream: /ESZ26:XCME.
func streamerFuture(c synthetic.FutureContract) string {
	symbol := string(c.Symbol)
	return symbol[:len(symbol)-1] + fmt.Sprintf("%02d", c.Month.Year%100) + ":" + c.Exchange
}

// monthLetters are the codes of the months that contracts have, January's first.
func monthLetters(contracts []synthetic.FutureContract) []string {
	var letters []string
	for _, c := range contracts {
		if letter := "FGHJKMNQUVXZ"[c.Month.Month-1 : c.Month.Month]; !slices.Contains(letters, letter) {
			letters = append(letters, letter)
		}
	}
	slices.Sort(letters)
	return letters
}

// wireProduct describes the product of contracts, which are all of its.
func (s *Simulator) wireProduct(contracts []synthetic.FutureContract) wireFutureProduct {
	c := contracts[0]
	kind := kindOfProduct(c.Product)
	name, _, _ := strings.Cut(c.Description, " "+c.Month.Month.String())
	months := monthLetters(contracts)
	ends := c.Ends.In(s.calendar.Location())
	underlying := map[string]string{"ES": "SPX", "MES": "SPX", "NQ": "NDX", "MNQ": "NDX", "RTY": "RUT", "YM": "DJI"}[c.Product]
	description := ""
	if underlying != "" {
		description = underlying + " Index"
	}
	return wireFutureProduct{
		UnderlyingIdentifier: underlying, UnderlyingDescription: description,
		ActiveMonths: months, ListedMonths: months, BackMonthFirstCalendarSymbol: kind.cash, CashSettled: kind.cash, FirstNotice: !kind.cash,
		ClearingCode: c.Product, ClearingExchangeCode: "16", ClearportCode: c.Product, Code: c.Product, LegacyCode: c.Product,
		Description: name + " (synthetic)", DisplayFactor: displayFactor(c), Exchange: futuresExchange, LegacyExchangeCode: futuresExchange,
		// Market Zone is Chicago's.
		CutoffTimes:  []wireCutoff{{OffsetSeconds: (ends.Hour()-1)*3600 + ends.Minute()*60, Timezone: "Market Zone", Timing: "Default"}},
		MarketSector: kind.sector, NotionalMultiplier: floatText(c.Multiplier), ProductType: kind.kind,
		Roll:       wireRoll{ActiveCount: len(months), BusinessDaysOffset: 5, CashSettled: kind.cash, FirstNotice: !kind.cash, Name: kind.roll},
		RootSymbol: "/" + c.Product, SecurityGroup: c.Product, SmallNotional: len(c.Product) == 3 && c.Product[0] == 'M',
		StreamerExchangeCode: c.Exchange, Supported: true, TickSize: floatText(c.Ticks[0].Increment),
	}
}

// displayFactor is the service's name for the place of a price's last decimal.
func displayFactor(c synthetic.FutureContract) string {
	places := -decimal.NewFromFloat(c.Ticks[0].Increment).Exponent()
	return decimalText(decimal.New(1, -max(0, min(places, 9))))
}

func (s *Simulator) wireFuture(c synthetic.FutureContract, all []synthetic.FutureContract) wireFuture {
	product := s.wireProduct(all)
	at := slices.IndexFunc(all, func(x synthetic.FutureContract) bool { return x.Symbol == c.Symbol })
	active := slices.IndexFunc(all, func(x synthetic.FutureContract) bool { return x.Active })
	w := wireFuture{
		Active: c.Instrument.Active, ActiveMonth: c.Active, NextActiveMonth: active >= 0 && at == active+1,
		BackMonthFirstCalendarSymbol: product.BackMonthFirstCalendarSymbol, ClosingOnlyDate: c.LastTrade.String(),
		ContractSize: floatText(c.Multiplier), DisplayFactor: product.DisplayFactor, Exchange: futuresExchange,
		ExchangeSymbol: string(c.Symbol[1:]), ExpirationDate: c.LastTrade.String(), ExpiresAt: wireTime(c.Ends),
		FutureProduct: product, IsTradeable: true, LastTradeDate: c.LastTrade.String(), MainFraction: "0.0", SubFraction: "0.0",
		NotionalMultiplier: floatText(c.Multiplier), OptionTickSizes: wireTicks(c.OptionTicks), ProductCode: c.Product,
		ProductGroup: kindOfProduct(c.Product).group, SecurityID: strconv.Itoa(identity(string(c.Symbol))), StopsTradingAt: wireTime(c.Ends),
		StreamerExchangeCode: c.Exchange, StreamerSymbol: streamerFuture(c), Symbol: string(c.Symbol),
		TickSize: product.TickSize, TickSizes: wireTicks(c.Ticks),
	}
	if product.FirstNotice {
		w.FirstNoticeDate = c.LastTrade.String()
	}
	if at >= 0 && at+1 < len(all) {
		w.RollTargetSymbol = string(all[at+1].Symbol)
	}
	return w
}

// ofProduct keeps the contracts of one product.
func ofProduct(all []synthetic.FutureContract, product string) []synthetic.FutureContract {
	var out []synthetic.FutureContract
	for _, c := range all {
		if c.Product == product {
			out = append(out, c)
		}
	}
	return out
}

// listFutures serves GET /instruments/futures: the symbols or products asked
// for, or everything in pages.
func (s *Simulator) listFutures(w http.ResponseWriter, r *http.Request) {
	all, err := s.futures("")
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	query := r.URL.Query()
	symbols := append(query["symbol[]"], query["symbol"]...)
	products := append(query["product-code[]"], query["product-code"]...)
	ids := append(query["security-id[]"], query["security-id"]...)
	list := []wireFuture{}
	for _, c := range all {
		switch {
		case len(symbols) > 0 && !slices.Contains(symbols, string(c.Symbol)):
		case len(products) > 0 && !slices.Contains(products, c.Product):
		case query.Get("exchange") != "" && query.Get("exchange") != futuresExchange:
		case len(ids) > 0 && !slices.Contains(ids, strconv.Itoa(identity(string(c.Symbol)))):
		case query.Get("only-active-futures") == "true" && !c.Active:
		default:
			list = append(list, s.wireFuture(c, ofProduct(all, c.Product)))
		}
	}
	list, p := page(r, list, 1000)
	writeItems(w, r, list, p)
}

// contract finds a listed contract by its symbol.
func (s *Simulator) contract(symbol string) (c synthetic.FutureContract, all []synthetic.FutureContract, err error) {
	root := market.FutureRoot(market.Symbol(symbol))
	if all, err = s.futures(root); err != nil || root == "" {
		return c, nil, err
	}
	for _, c := range all {
		if string(c.Symbol) == symbol {
			return c, all, nil
		}
	}
	return c, nil, nil
}

func (s *Simulator) getFuture(w http.ResponseWriter, r *http.Request) {
	symbol := r.PathValue("symbol")
	c, all, err := s.contract("/" + strings.TrimPrefix(symbol, "/"))
	switch {
	case err != nil:
		s.internalError(w, r, err)
	case len(all) == 0:
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find future "+symbol)
	default:
		writeData(w, r, s.wireFuture(c, all))
	}
}

// products returns the contracts of every product, by code.
func (s *Simulator) products() ([][]synthetic.FutureContract, error) {
	all, err := s.futures("")
	if err != nil {
		return nil, err
	}
	var out [][]synthetic.FutureContract
	for _, c := range all {
		if n := len(out); n > 0 && out[n-1][0].Product == c.Product {
			out[n-1] = append(out[n-1], c)
		} else {
			out = append(out, []synthetic.FutureContract{c})
		}
	}
	slices.SortFunc(out, func(a, b []synthetic.FutureContract) int { return cmp.Compare(a[0].Product, b[0].Product) })
	return out, nil
}

func (s *Simulator) listFutureProducts(w http.ResponseWriter, r *http.Request) {
	products, err := s.products()
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	list := []wireFutureProduct{}
	for _, contracts := range products {
		product, err := s.productWithOptions(r.Context(), contracts)
		if err != nil {
			s.internalError(w, r, err)
			return
		}
		list = append(list, product)
	}
	list, p := page(r, list, 1000)
	writeItems(w, r, list, p)
}

func (s *Simulator) productWithOptions(ctx context.Context, contracts []synthetic.FutureContract) (wireFutureProduct, error) {
	product := s.wireProduct(contracts)
	options, err := s.optionProducts(ctx, contracts)
	product.OptionProducts = options
	return product, err
}

func (s *Simulator) getFutureProduct(w http.ResponseWriter, r *http.Request) {
	code := r.PathValue("code")
	contracts, err := s.futures(code)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	if len(contracts) == 0 || code == "" || r.PathValue("exchange") != futuresExchange {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find future product "+code)
		return
	}
	product, err := s.productWithOptions(r.Context(), contracts)
	if err != nil {
		s.internalError(w, r, err)
		return
	}
	writeData(w, r, product)
}

// strikeText is a strike as symbols have it: without zeros behind.
func strikeText(x float64) string {
	return strconv.FormatFloat(math.Round(x*1e9)/1e9, 'f', -1, 64)
}
