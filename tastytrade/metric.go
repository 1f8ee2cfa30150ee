package tastytrade

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A MarketMetric has an underlying's volatility and liquidity figures. NaN and
// nil mean that the broker did not say. Fields whose comment says percent are in
// percent as the broker sends them; the others are decimals.
type MarketMetric struct {
	Object
	Symbol                                 string                 `json:"symbol" need:"true"`
	CreatedAt                              time.Time              `json:"created-at"`
	UpdatedAt                              time.Time              `json:"updated-at"`
	ImpliedVolatilityIndex                 float64                `json:"implied-volatility-index"` // per year
	ImpliedVolatilityIndex5DayChange       float64                `json:"implied-volatility-index-5-day-change"`
	ImpliedVolatilityIndexRank             float64                `json:"implied-volatility-index-rank"` // 0 to 1
	ImpliedVolatilityRank                  float64                `json:"implied-volatility-rank"`       // 0 to 1, in older answers
	ImpliedVolatilityPercentile            float64                `json:"implied-volatility-percentile"` // 0 to 1
	TOSImpliedVolatilityIndexRank          float64                `json:"tos-implied-volatility-index-rank"`
	TOSImpliedVolatilityIndexRankUpdatedAt time.Time              `json:"tos-implied-volatility-index-rank-updated-at"`
	TWImpliedVolatilityIndexRank           float64                `json:"tw-implied-volatility-index-rank"`
	ImpliedVolatilityIndexRankSource       string                 `json:"implied-volatility-index-rank-source"`
	ImpliedVolatilityUpdatedAt             time.Time              `json:"implied-volatility-updated-at"`
	ImpliedVolatility30Day                 float64                `json:"implied-volatility-30-day"`    // percent
	HistoricalVolatility30Day              float64                `json:"historical-volatility-30-day"` // percent
	HistoricalVolatility60Day              float64                `json:"historical-volatility-60-day"` // percent
	HistoricalVolatility90Day              float64                `json:"historical-volatility-90-day"` // percent
	IVHV30DayDifference                    float64                `json:"iv-hv-30-day-difference"`      // percent points
	Liquidity                              float64                `json:"liquidity"`
	LiquidityValue                         float64                `json:"liquidity-value"`
	LiquidityRank                          float64                `json:"liquidity-rank"`
	LiquidityRating                        float64                `json:"liquidity-rating"` // 1 to 5
	LiquidityRunningState                  json.RawMessage        `json:"liquidity-running-state"`
	Beta                                   float64                `json:"beta"`
	BetaUpdatedAt                          time.Time              `json:"beta-updated-at"`
	CorrelationSPY3Month                   float64                `json:"corr-spy-3month"`
	MarketCap                              *decimal.Decimal       `json:"market-cap"`
	PriceEarningsRatio                     float64                `json:"price-earnings-ratio"`
	EarningsPerShare                       *decimal.Decimal       `json:"earnings-per-share"`
	DividendRatePerShare                   *decimal.Decimal       `json:"dividend-rate-per-share"`
	AnnualDividendPerShare                 *decimal.Decimal       `json:"annual-dividend-per-share"`
	DividendYield                          float64                `json:"dividend-yield"`
	DividendExDate                         Date                   `json:"dividend-ex-date"`
	DividendNextDate                       Date                   `json:"dividend-next-date"` // may lie years back
	DividendPayDate                        Date                   `json:"dividend-pay-date"`
	DividendUpdatedAt                      time.Time              `json:"dividend-updated-at"`
	ListedMarket                           string                 `json:"listed-market"`
	Lendability                            string                 `json:"lendability"`
	BorrowRate                             float64                `json:"borrow-rate"`
	Earnings                               *EarningsReport        `json:"earnings"` // nil when none is known
	Expirations                            []ExpirationVolatility `json:"option-expiration-implied-volatilities"`
}

var marketMetricCodec = codecFor[MarketMetric]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarketMetric) UnmarshalJSON(data []byte) error { return marketMetricCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarketMetric) MarshalJSON() ([]byte, error) { return marketMetricCodec.marshal(m) }

// An ExpirationVolatility is the implied volatility of one expiration.
type ExpirationVolatility struct {
	Object
	ExpirationDate    Date           `json:"expiration-date"`
	SettlementType    SettlementType `json:"settlement-type"`
	OptionChainType   string         `json:"option-chain-type"`
	ImpliedVolatility float64        `json:"implied-volatility"` // per year
}

var expirationVolatilityCodec = codecFor[ExpirationVolatility]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *ExpirationVolatility) UnmarshalJSON(data []byte) error {
	return expirationVolatilityCodec.unmarshal(data, e)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e ExpirationVolatility) MarshalJSON() ([]byte, error) {
	return expirationVolatilityCodec.marshal(e)
}

// An EarningsReport is the next or last earnings announcement of a company.
type EarningsReport struct {
	Object
	Visible            bool             `json:"visible"`
	ExpectedReportDate Date             `json:"expected-report-date"`
	Estimated          bool             `json:"estimated"` // the date is not confirmed
	LateFlag           ID               `json:"late-flag"`
	QuarterEndDate     Date             `json:"quarter-end-date"`
	TimeOfDay          string           `json:"time-of-day"` // "BTO" before the open, "AMC" after the close, or empty
	ActualEPS          *decimal.Decimal `json:"actual-eps"`
	ConsensusEstimate  *decimal.Decimal `json:"consensus-estimate"`
	UpdatedAt          time.Time        `json:"updated-at"`
}

var earningsReportCodec = codecFor[EarningsReport]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *EarningsReport) UnmarshalJSON(data []byte) error {
	return earningsReportCodec.unmarshal(data, e)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e EarningsReport) MarshalJSON() ([]byte, error) { return earningsReportCodec.marshal(e) }

// A DividendEvent is a dividend of the past.
type DividendEvent struct {
	Object
	Date   Date             `json:"occurred-date" need:"true"`
	Amount *decimal.Decimal `json:"amount"` // per share
}

var dividendEventCodec = codecFor[DividendEvent]()

// UnmarshalJSON keeps the JSON; see [Object].
func (d *DividendEvent) UnmarshalJSON(data []byte) error {
	return dividendEventCodec.unmarshal(data, d)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (d DividendEvent) MarshalJSON() ([]byte, error) { return dividendEventCodec.marshal(d) }

// An EarningsEvent is an earnings announcement of the past.
type EarningsEvent struct {
	Object
	Date Date             `json:"occurred-date" need:"true"`
	EPS  *decimal.Decimal `json:"eps"` // per share
}

var earningsEventCodec = codecFor[EarningsEvent]()

// UnmarshalJSON keeps the JSON; see [Object].
func (e *EarningsEvent) UnmarshalJSON(data []byte) error {
	return earningsEventCodec.unmarshal(data, e)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (e EarningsEvent) MarshalJSON() ([]byte, error) { return earningsEventCodec.marshal(e) }

// MarketMetricsService reads volatility figures and corporate events.
type MarketMetricsService struct{ client *Client }

// List returns the figures of underlyings. Those that do not exist are left out.
//
// GET /market-metrics
func (s *MarketMetricsService) List(ctx context.Context, symbols ...string) ([]MarketMetric, error) {
	if len(symbols) == 0 {
		return nil, invalid.Missing("symbols", "at least one symbol")
	}
	for _, symbol := range symbols {
		if strings.ContainsAny(symbol, ", ") || symbol == "" {
			return nil, invalid.Field("symbols", symbol, "symbols of underlyings, without commas and spaces")
		}
	}
	q := url.Values{"symbols": {strings.Join(symbols, ",")}}
	out, _, err := many[MarketMetric](ctx, s.client, get("/market-metrics").with(q), marketMetricCodec)
	return out, err
}

// Dividends returns the dividends of a company.
//
// GET /market-metrics/historic-corporate-events/dividends/{symbol}
func (s *MarketMetricsService) Dividends(ctx context.Context, symbol string) ([]DividendEvent, error) {
	out, _, err := many[DividendEvent](ctx, s.client, get("/market-metrics/historic-corporate-events/dividends/{symbol}", symbol), dividendEventCodec)
	return out, err
}

// Earnings returns the earnings announcements of a company from start to end; a
// zero end is now.
//
// GET /market-metrics/historic-corporate-events/earnings-reports/{symbol}
func (s *MarketMetricsService) Earnings(ctx context.Context, symbol string, start, end Date) ([]EarningsEvent, error) {
	if start.IsZero() {
		return nil, invalid.Missing("start", "the first day to look at")
	}
	q := url.Values{"start-date": {start.String()}}
	set(q, "end-date", end.String())
	out, _, err := many[EarningsEvent](ctx, s.client, get("/market-metrics/historic-corporate-events/earnings-reports/{symbol}", symbol).with(q), earningsEventCodec)
	return out, err
}
