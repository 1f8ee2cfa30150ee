package tastytrade

import (
	"context"
	"net/url"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A ClosePriceType says how final a closing price is: "Regular", "Indicative",
// "Preliminary", "Final" or "Unknown".
type ClosePriceType string

// MarketData is a snapshot of one instrument's prices. Nil means that the broker
// did not say.
type MarketData struct {
	Object
	Symbol             string           `json:"symbol" need:"true"`
	InstrumentType     InstrumentType   `json:"instrument-type"`
	UpdatedAt          time.Time        `json:"updated-at"`
	Bid                *decimal.Decimal `json:"bid"`
	Ask                *decimal.Decimal `json:"ask"`
	BidSize            *decimal.Decimal `json:"bid-size"`
	AskSize            *decimal.Decimal `json:"ask-size"`
	Mid                *decimal.Decimal `json:"mid"`
	Mark               *decimal.Decimal `json:"mark"`
	Last               *decimal.Decimal `json:"last"`     // last trade, extended hours included
	LastMkt            *decimal.Decimal `json:"last-mkt"` // last trade of the regular session
	LastExt            *decimal.Decimal `json:"last-ext"`
	Open               *decimal.Decimal `json:"open"`
	DayHighPrice       *decimal.Decimal `json:"day-high-price"`
	DayLowPrice        *decimal.Decimal `json:"day-low-price"`
	Close              *decimal.Decimal `json:"close"`
	ClosePriceType     ClosePriceType   `json:"close-price-type"`
	PrevClose          *decimal.Decimal `json:"prev-close"`
	PrevClosePriceType ClosePriceType   `json:"prev-close-price-type"`
	SummaryDate        Date             `json:"summary-date"`
	PrevCloseDate      Date             `json:"prev-close-date"`
	Volume             *decimal.Decimal `json:"volume"`
	VolumeExt          *decimal.Decimal `json:"volume-ext"`
	OpenInterest       *decimal.Decimal `json:"open-interest"`
	YearHighPrice      *decimal.Decimal `json:"year-high-price"`
	YearLowPrice       *decimal.Decimal `json:"year-low-price"`
	HighLimitPrice     *decimal.Decimal `json:"high-limit-price"`
	LowLimitPrice      *decimal.Decimal `json:"low-limit-price"`
	Beta               *decimal.Decimal `json:"beta"`
	DividendAmount     *decimal.Decimal `json:"dividend-amount"`
	DividendFrequency  *decimal.Decimal `json:"dividend-frequency"` // payments per year

	// Of options, when the broker sends them.
	ImpliedVolatility float64 `json:"implied-volatility"`
	Delta             float64 `json:"delta"`
	Gamma             float64 `json:"gamma"`
	Theta             float64 `json:"theta"`
	Vega              float64 `json:"vega"`
	Rho               float64 `json:"rho"`

	IsTradingHalted     bool      `json:"is-trading-halted" alt:"trading-halted"`
	TradingHaltedReason string    `json:"trading-halted-reason"`
	HaltStartTime       time.Time `json:"halt-start-time"` // zero: none
	HaltEndTime         time.Time `json:"halt-end-time"`   // zero: none
	LastTradeTime       time.Time `json:"last-trade-time"`

	// Of the current and the previous day, in answers that follow the
	// specification's names.
	DayOpen      *decimal.Decimal `json:"day-open"`
	DayHigh      *decimal.Decimal `json:"day-high"`
	DayLow       *decimal.Decimal `json:"day-low"`
	DayClose     *decimal.Decimal `json:"day-close"`
	PrevDayClose *decimal.Decimal `json:"prev-day-close"`

	Instrument *MarketDataInstrument `json:"instrument"` // only with IncludeInstrument
}

var marketDataCodec = codecFor[MarketData]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarketData) UnmarshalJSON(data []byte) error { return marketDataCodec.unmarshal(data, m) }

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarketData) MarshalJSON() ([]byte, error) { return marketDataCodec.marshal(m) }

// A MarketDataInstrument is what the prices are of.
type MarketDataInstrument struct {
	Object
	Symbol               string                `json:"symbol"`
	InstrumentType       InstrumentType        `json:"instrument-type"`
	InstrumentKey        *InstrumentKey        `json:"instrument-key"`
	UnderlyingInstrument *MarketDataInstrument `json:"underlying-instrument"`
	RootSymbol           string                `json:"root-symbol"`
	Exchange             string                `json:"exchange"`
}

var marketDataInstrumentCodec = codecFor[MarketDataInstrument]()

// UnmarshalJSON keeps the JSON; see [Object].
func (m *MarketDataInstrument) UnmarshalJSON(data []byte) error {
	return marketDataInstrumentCodec.unmarshal(data, m)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (m MarketDataInstrument) MarshalJSON() ([]byte, error) {
	return marketDataInstrumentCodec.marshal(m)
}

// An InstrumentKey is a symbol and what kind of symbol it is.
type InstrumentKey struct {
	Object
	Symbol         string         `json:"symbol"`
	InstrumentType InstrumentType `json:"instrument-type"`
}

var instrumentKeyCodec = codecFor[InstrumentKey]()

// UnmarshalJSON keeps the JSON; see [Object].
func (i *InstrumentKey) UnmarshalJSON(data []byte) error {
	return instrumentKeyCodec.unmarshal(data, i)
}

// MarshalJSON merges changed fields into the JSON that was decoded; see [Object].
func (i InstrumentKey) MarshalJSON() ([]byte, error) { return instrumentKeyCodec.marshal(i) }

// MarketDataService reads prices without a stream.
type MarketDataService struct{ client *Client }

// MaxByType is how many symbols one ByType request may name in all.
const MaxByType = 100

// ByTypeRequest names instruments by type, at most [MaxByType] in all. Symbols
// are the broker's, options in OCC form. SPX is an equity and VIX an index to
// the broker.
type ByTypeRequest struct {
	Indices          []string
	Equities         []string
	EquityOptions    []string
	Futures          []string
	FutureOptions    []string
	Cryptocurrencies []string
	// IncludeInstrument asks for the instruments too. The broker does not
	// document it.
	IncludeInstrument bool
}

// ByType returns the latest prices of instruments. Those that do not exist are
// left out, and the order is the broker's.
//
// GET /market-data/by-type
func (s *MarketDataService) ByType(ctx context.Context, req ByTypeRequest) ([]MarketData, error) {
	q, n := url.Values{}, 0
	for _, group := range []struct {
		key     string
		symbols []string
	}{
		{"index", req.Indices}, {"equity", req.Equities}, {"equity-option", req.EquityOptions},
		{"future", req.Futures}, {"future-option", req.FutureOptions}, {"cryptocurrency", req.Cryptocurrencies},
	} {
		if len(group.symbols) > 0 {
			q[group.key] = group.symbols // keys repeat bare here, without brackets
			n += len(group.symbols)
		}
	}
	if n < 1 || n > MaxByType {
		return nil, invalid.Field("symbols", n, "1 to 100 symbols in all")
	}
	flag(q, "include-instrument", req.IncludeInstrument)
	out, _, err := many[MarketData](ctx, s.client, get("/market-data/by-type").with(q), marketDataCodec)
	return out, err
}

// Get returns the latest prices of one instrument. The broker does not document
// this route, and may change it or take it away.
//
// GET /market-data/{type}/{symbol}
func (s *MarketDataService) Get(ctx context.Context, instrument InstrumentType, symbol string) (*MarketData, error) {
	return one[MarketData](ctx, s.client, get("/market-data/{type}/{symbol}", string(instrument), symbol), marketDataCodec)
}
