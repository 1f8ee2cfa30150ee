package simulator

import (
	"math"
	"net/http"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

type wireMetrics struct {
	Symbol                           string         `json:"symbol"`
	ImpliedVolatilityIndex           string         `json:"implied-volatility-index,omitempty"`
	ImpliedVolatilityIndex5DayChange string         `json:"implied-volatility-index-5-day-change,omitempty"`
	ImpliedVolatilityIndexRank       string         `json:"implied-volatility-index-rank,omitempty"`
	TosRank                          string         `json:"tos-implied-volatility-index-rank,omitempty"`
	TwRank                           string         `json:"tw-implied-volatility-index-rank,omitempty"`
	TosRankUpdatedAt                 string         `json:"tos-implied-volatility-index-rank-updated-at,omitempty"`
	RankSource                       string         `json:"implied-volatility-index-rank-source,omitempty"`
	ImpliedVolatilityPercentile      string         `json:"implied-volatility-percentile,omitempty"`
	ImpliedVolatilityUpdatedAt       string         `json:"implied-volatility-updated-at,omitempty"`
	LiquidityRank                    string         `json:"liquidity-rank,omitempty"`
	LiquidityRating                  int            `json:"liquidity-rating,omitempty"`
	UpdatedAt                        string         `json:"updated-at"`
	Expirations                      []wireTermVol  `json:"option-expiration-implied-volatilities"`
	Beta                             string         `json:"beta,omitempty"`
	BetaUpdatedAt                    string         `json:"beta-updated-at,omitempty"`
	CorrSPY3Month                    string         `json:"corr-spy-3month,omitempty"`
	DividendRatePerShare             string         `json:"dividend-rate-per-share,omitempty"`
	AnnualDividendPerShare           string         `json:"annual-dividend-per-share,omitempty"`
	DividendYield                    string         `json:"dividend-yield,omitempty"`
	DividendExDate                   string         `json:"dividend-ex-date,omitempty"`
	DividendNextDate                 string         `json:"dividend-next-date,omitempty"`
	DividendUpdatedAt                string         `json:"dividend-updated-at,omitempty"`
	Earnings                         *wireEarnings  `json:"earnings,omitempty"`
	ListedMarket                     string         `json:"listed-market,omitempty"`
	Lendability                      string         `json:"lendability,omitempty"`
	BorrowRate                       string         `json:"borrow-rate,omitempty"`
	MarketCap                        *decimalNumber `json:"market-cap,omitempty"`
	ImpliedVolatility30Day           string         `json:"implied-volatility-30-day,omitempty"`
	HistoricalVolatility30Day        string         `json:"historical-volatility-30-day,omitempty"`
	HistoricalVolatility60Day        string         `json:"historical-volatility-60-day,omitempty"`
	HistoricalVolatility90Day        string         `json:"historical-volatility-90-day,omitempty"`
	IvHv30DayDifference              string         `json:"iv-hv-30-day-difference,omitempty"`
	PriceEarningsRatio               string         `json:"price-earnings-ratio,omitempty"`
	EarningsPerShare                 string         `json:"earnings-per-share,omitempty"`
}

// A decimalNumber is a JSON number: the market's value is not a string in this answer.
type decimalNumber decimal.Decimal

func (n decimalNumber) MarshalJSON() ([]byte, error) { return []byte(decimal.Decimal(n).String()), nil }

type wireTermVol struct {
	ExpirationDate    string `json:"expiration-date"`
	OptionChainType   string `json:"option-chain-type"`
	SettlementType    string `json:"settlement-type"`
	ImpliedVolatility string `json:"implied-volatility"`
}

type wireEarnings struct {
	Visible            bool   `json:"visible"`
	ExpectedReportDate string `json:"expected-report-date"`
	Estimated          bool   `json:"estimated"`
	LateFlag           int    `json:"late-flag"`
	TimeOfDay          string `json:"time-of-day,omitempty"`
	ActualEPS          string `json:"actual-eps,omitempty"`
	ConsensusEstimate  string `json:"consensus-estimate,omitempty"`
	UpdatedAt          string `json:"updated-at"`
}

// percent writes a decimal as per cent, exactly: 0.2002 is "20.02".
func percent(x float64) string {
	n := number(x)
	if !n.Valid {
		return ""
	}
	return decimalText(n.Decimal.Shift(2))
}

// listMetrics serves GET /market-metrics?symbols=A,B.
func (s *Simulator) listMetrics(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("symbols")
	if text == "" {
		s.invalidParameter(w, "symbols", "is missing")
		return
	}
	var wanted []market.Symbol
	for name := range strings.SplitSeq(text, ",") {
		if symbol := market.Symbol(strings.TrimSpace(name)); symbol != "" && !slices.Contains(wanted, symbol) {
			wanted = append(wanted, symbol)
		}
	}
	list := []wireMetrics{}
	if len(wanted) == 0 {
		writeItems(w, r, list, nil)
		return
	}
	found, err := s.market.Metrics(r.Context(), wanted)
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return
	}
	for _, m := range found {
		wire := s.wireMetrics(m)
		if i, ok := s.instrument(r.Context(), m.Symbol); ok {
			wire.ListedMarket = i.Exchange
			wire.Lendability = wireEquityOf(i).Lendability
		}
		today := s.today()
		past, err := s.market.Events(r.Context(), m.Symbol, today.AddDays(-200), today)
		if absence(err) == nil {
			for _, e := range past { // the last one stays
				if e.Kind == market.Dividend {
					wire.DividendExDate = e.Date.String()
				}
			}
		}
		list = append(list, wire)
	}
	writeItems(w, r, list, nil)
}

func (s *Simulator) wireMetrics(m market.Metrics) wireMetrics {
	at := m.Time
	if at.IsZero() {
		at = s.clock.Now()
	}
	when := wireTime(at)
	difference := math.NaN()
	if iv, hv := number(m.IVIndex), number(m.HV30); iv.Valid && hv.Valid {
		difference = iv.Decimal.Sub(hv.Decimal).Round(4).InexactFloat64()
	}
	wire := wireMetrics{
		Symbol: string(m.Symbol), UpdatedAt: when, Expirations: []wireTermVol{},
		ImpliedVolatilityIndex: floatText(m.IVIndex), ImpliedVolatilityIndex5DayChange: floatText(m.IVIndex5Day),
		ImpliedVolatilityIndexRank: floatText(m.IVRank), TosRank: floatText(m.IVRank), TwRank: floatText(m.IVRank),
		TosRankUpdatedAt: when, RankSource: "tos", ImpliedVolatilityPercentile: floatText(m.IVPercentile), ImpliedVolatilityUpdatedAt: when,
		LiquidityRank: floatText(m.Liquidity), LiquidityRating: m.LiquidityRating,
		Beta: floatText(m.Beta), BetaUpdatedAt: when, CorrSPY3Month: floatText(m.Correlation),
		DividendRatePerShare: floatText(m.DividendPerShare), DividendYield: floatText(m.DividendYield), DividendUpdatedAt: when,
		AnnualDividendPerShare: floatText(m.DividendPerShare * 4), BorrowRate: floatText(m.BorrowRate),
		ImpliedVolatility30Day: percent(m.IVIndex), HistoricalVolatility30Day: percent(m.HV30),
		HistoricalVolatility60Day: percent(m.HV60), HistoricalVolatility90Day: percent(m.HV90), IvHv30DayDifference: percent(difference),
		PriceEarningsRatio: floatText(m.PriceEarnings), EarningsPerShare: floatText(m.EarningsPerShare),
	}
	if value := number(m.MarketCap); value.Valid {
		n := decimalNumber(value.Decimal)
		wire.MarketCap = &n
	}
	for _, t := range m.Term {
		wire.Expirations = append(wire.Expirations, wireTermVol{
			ExpirationDate: t.Expiration.String(), OptionChainType: "Standard", SettlementType: "PM", ImpliedVolatility: floatText(t.IV)})
	}
	if e := m.NextEarnings; e != nil {
		wire.Earnings = &wireEarnings{
			Visible: true, ExpectedReportDate: e.Date.String(), Estimated: e.Estimated, UpdatedAt: when,
			TimeOfDay: map[string]string{"before open": "BTO", "after close": "AMC"}[e.Timing],
		}
	}
	if e := m.NextDividend; e != nil {
		wire.DividendNextDate = e.Date.String()
	}
	return wire
}

type wireDividend struct {
	OccurredDate string `json:"occurred-date"`
	Amount       string `json:"amount"`
}

// listDividends serves past dividends, the newest first.
func (s *Simulator) listDividends(w http.ResponseWriter, r *http.Request) {
	events, ok := s.pastEvents(w, r, market.Date{Year: 1900, Month: 1, Day: 1}, s.today())
	if !ok {
		return
	}
	list := []wireDividend{}
	for _, e := range events {
		if e.Kind == market.Dividend && !math.IsNaN(e.Value) {
			list = append(list, wireDividend{OccurredDate: e.Date.String(), Amount: floatText(e.Value)})
		}
	}
	slices.Reverse(list)
	writeItems(w, r, list, nil)
}

type wireReport struct {
	OccurredDate string `json:"occurred-date"`
	EPS          string `json:"eps,omitempty"`
}

// listEarnings serves past earnings from start-date on, the oldest first.
func (s *Simulator) listEarnings(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	from, err := market.ParseDate(query.Get("start-date"))
	if err != nil {
		s.invalidParameter(w, "start-date", "is missing or not YYYY-MM-DD")
		return
	}
	to := s.today()
	if text := query.Get("end-date"); text != "" {
		end, err := market.ParseDate(text)
		if err != nil {
			s.invalidParameter(w, "end-date", "is not YYYY-MM-DD")
			return
		}
		if end.Before(to) {
			to = end
		}
	}
	events, ok := s.pastEvents(w, r, from, to)
	if !ok {
		return
	}
	list := []wireReport{}
	for _, e := range events {
		if e.Kind == market.Earnings {
			list = append(list, wireReport{OccurredDate: e.Date.String(), EPS: floatText(e.Value)})
		}
	}
	writeItems(w, r, list, nil)
}

// pastEvents returns the events of the path's symbol that have happened, or answers.
func (s *Simulator) pastEvents(w http.ResponseWriter, r *http.Request, from, to market.Date) ([]market.Event, bool) {
	symbol := market.Symbol(r.PathValue("symbol"))
	if _, ok := s.instrument(r.Context(), symbol); !ok {
		s.refuse(w, http.StatusNotFound, "record_not_found", "Couldn't find "+string(symbol))
		return nil, false
	}
	events, err := s.market.Events(r.Context(), symbol, from, to)
	if err = absence(err); err != nil {
		s.internalError(w, r, err)
		return nil, false
	}
	return slices.DeleteFunc(slices.Clone(events), func(e market.Event) bool { return e.Estimated }), true
}
