package strategy

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// How an order is priced: see [OptionParams.Pricing].
const (
	PriceAtMid     = "mid"
	PriceAtNatural = "natural"
	PriceAtMarket  = "market"
)

// Where volatilities, rates and times come from: see [OptionParams].
const (
	VolImplied  = "implied"
	VolQuoted   = "quoted"
	RateOfData  = "data"
	RateFixed   = "fixed"
	YearsToTime = "minutes"
	YearsToDate = "days"
)

// OptionParams are what every built-in strategy with options asks for. The
// defaults differ: see [Lookup].
type OptionParams struct {
	Symbol market.Symbol `json:"symbol" doc:"the underlying"`

	DTE    int    `json:"dte" min:"0" max:"1500" doc:"days to expiry aimed at; of two expiries equally near, the earlier"`
	MinDTE int    `json:"min_dte" min:"0" max:"1500" doc:"fewest days to expiry of what is opened"`
	MaxDTE int    `json:"max_dte" min:"0" max:"1500" doc:"most days to expiry of what is opened"`
	Root   string `json:"root" optional:"true" doc:"root of the options, such as SPXW; empty: any, and of one date that which settles at the close"`

	StrikeRange  float64 `json:"strike_range" min:"0" max:"1" doc:"strikes looked at, as a part of the price on either side; 0: all"`
	OpenInterest float64 `json:"open_interest" min:"0" doc:"least open interest of a contract that is opened; 0: any, also an unknown one"`
	MinBid       float64 `json:"min_bid" min:"0" doc:"least bid of a contract that is sold to open, which always needs one"`
	MaxSpread    float64 `json:"max_spread" min:"0" doc:"widest spread of a contract that is opened, as a part of its middle; 0: any"`

	MaxAge time.Duration `json:"max_age" min:"0" doc:"quotes older than this are stale and not traded on; 0: those of the latest chain are good"`

	Contracts    int     `json:"contracts" min:"0" max:"10000" doc:"contracts of each leg; 0: as many as capital allows"`
	Capital      float64 `json:"capital" min:"0" max:"1" doc:"part of the account's value that may be at risk, when contracts is 0"`
	MaxRisk      float64 `json:"max_risk" min:"0" doc:"dollars that may be at risk, when contracts is 0; 0: no limit"`
	MaxContracts int     `json:"max_contracts" min:"0" max:"10000" doc:"most contracts of each leg, when contracts is 0; 0: no limit"`

	Pricing    string        `json:"pricing" choices:"mid,natural,market" doc:"limit orders that begin at the middle of the net quote, limit orders at the price that fills at once, or market orders"`
	Concession float64       `json:"concession" min:"0" max:"1" doc:"part of the way from the middle to the price that fills at once which each new limit gives up"`
	Steps      int           `json:"steps" min:"0" max:"1000" doc:"new limits after the first before an order to open is given up for a quarter of an hour; orders to close go on at the price that fills at once"`
	Reprice    time.Duration `json:"reprice" min:"0" doc:"time that a limit is left to fill; with less than that left of the session, limits are at the price that fills at once; 0: until the session's end"`
	Tick       float64       `json:"tick" min:"0.0001" max:"1" doc:"increment of limits"`

	Rate     float64 `json:"rate" min:"-1" max:"1" doc:"risk-free rate, continuous, when rate_from is fixed"`
	RateFrom string  `json:"rate_from" choices:"data,fixed" doc:"whether the rate is that of the market data or the one given"`
	VolFrom  string  `json:"vol_from" choices:"implied,quoted" doc:"whether deltas use the volatility implied by the middle price or the one that comes with the quote; when there is none, the other"`
	Years    string  `json:"years" choices:"minutes,days" doc:"time to expiry to the minute, or in whole days, over 365 days"`

	Every      time.Duration `json:"every" min:"1s" doc:"how often the chain is read when trading live; a replay gives those it has"`
	ChainRange float64       `json:"chain_range" min:"0" max:"1" doc:"strikes that are read when trading live, as a part of the price on either side; 0: all"`

	Entries    int           `json:"entries" min:"0" doc:"how many positions are opened in all, rolls not counted; 0: no limit"`
	Wait       int           `json:"wait" min:"0" max:"1000" doc:"days from the end of a position to the next entry"`
	EnterAfter time.Duration `json:"enter_after" min:"0" doc:"time after the session's open before which nothing is opened"`
	EnterUntil time.Duration `json:"enter_until" min:"0" doc:"time after the session's open after which nothing is opened; 0: its end"`
}

// defaultOptionParams are those that no notebook gives another value.
func defaultOptionParams() OptionParams {
	return OptionParams{
		Symbol: "SPY", DTE: 45, MinDTE: 30, MaxDTE: 60,
		Capital: 0.05, Pricing: PriceAtMid, Concession: 0.25, Steps: 4, Reprice: time.Minute, Tick: 0.01,
		RateFrom: RateOfData, Rate: 0.04, VolFrom: VolImplied, Years: YearsToTime, Wait: 1, MaxAge: time.Hour, Every: time.Minute, ChainRange: 0.2,
	}
}

// check refuses what no single range can: the error is a *FieldError.
func (p *OptionParams) check() error {
	switch {
	case p.Symbol == "":
		return invalid.Missing("symbol", "the symbol of the underlying, such as SPY")
	case p.MinDTE > p.MaxDTE:
		return invalid.Fieldf("min_dte", p.MinDTE, "at most max_dte, %d", p.MaxDTE)
	case p.Contracts == 0 && p.Capital == 0 && p.MaxRisk == 0:
		return invalid.Field("contracts", 0, "a number of contracts, unless capital or max_risk is above 0")
	case p.EnterUntil > 0 && p.EnterUntil < p.EnterAfter:
		return invalid.Fieldf("enter_until", p.EnterUntil, "at least enter_after, %s", p.EnterAfter)
	}
	normal, err := market.ParseSymbol(string(p.Symbol))
	if err != nil || normal.Kind() != market.KindEquity {
		return invalid.Field("symbol", string(p.Symbol), "a share, fund or index with options, such as SPY")
	}
	p.Symbol = normal
	return nil
}

// mayEnter tells whether the present lies in the hours of entries.
func (p *OptionParams) mayEnter(s *Session) bool {
	session, ok := s.Calendar().Session(s.Date())
	if !ok {
		return false
	}
	since := s.Now().Sub(session.Open)
	return since >= p.EnterAfter && (p.EnterUntil == 0 || since <= p.EnterUntil)
}

// unknownNumber tells whether x cannot be reckoned with.
func unknownNumber(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
