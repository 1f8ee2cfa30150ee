package dxlink

import (
	"encoding/json"
	"time"
)

// An Event is one of the kinds of market data. Unknown numbers are NaN, unknown
// times zero; sequences and indices that were not sent are 0.
type Event interface {
	Quote | Trade | TradeETH | Summary | Profile | Greeks | TheoPrice | Underlying | Series | TimeAndSale | Candle |
		OptionSale | Order | SpreadOrder | AnalyticOrder | Configuration | Message
}

// A Quote is the best bid and ask.
type Quote struct {
	Symbol                   string
	Time                     time.Time // of the event, when the server says
	Sequence                 int64
	TimeNanoPart             int64 // nanoseconds within the millisecond of the later of the two times
	BidTime, AskTime         time.Time
	BidExchange, AskExchange string
	Bid, Ask                 float64
	BidSize, AskSize         float64
}

// A Trade is the last trade of regular hours and the totals of the day.
type Trade struct {
	Symbol        string
	EventTime     time.Time // of the event, when the server says
	Time          time.Time // of the trade
	TimeNanoPart  int64     // nanoseconds within the millisecond of Time
	Sequence      int64
	Exchange      string
	Price         float64
	Change        float64 // from the previous trade
	Size          float64
	DayID         int64 // days since 1970-01-01
	DayVolume     float64
	DayTurnover   float64
	TickDirection string
	ExtendedHours bool
}

// A TradeETH is the last trade in extended hours, and the totals of those.
type TradeETH Trade

// A Summary is the prices of the day and of the day before.
type Summary struct {
	Symbol           string
	EventTime        time.Time
	DayID            int64 // days since 1970-01-01
	DayOpen          float64
	DayHigh, DayLow  float64
	DayClose         float64
	DayCloseType     string // REGULAR, INDICATIVE, PRELIMINARY, FINAL
	PrevDayID        int64
	PrevDayClose     float64
	PrevDayCloseType string
	PrevDayVolume    float64
	OpenInterest     float64
}

// A Profile describes an instrument and says whether it trades.
type Profile struct {
	Symbol                string
	EventTime             time.Time
	Description           string
	ShortSaleRestriction  string // ACTIVE, INACTIVE, UNDEFINED
	TradingStatus         string // ACTIVE, HALTED, UNDEFINED
	StatusReason          string
	HaltStart, HaltEnd    time.Time // zero when not halted
	HighLimit, LowLimit   float64   // prices beyond which trading halts
	High52Week, Low52Week float64
	Beta                  float64
	EarningsPerShare      float64
	DividendFrequency     float64 // payments a year
	ExDividendAmount      float64
	ExDividendDayID       int64 // days since 1970-01-01
	Shares, FreeFloat     float64
}

// Greeks are an option's theoretical price, implied volatility and
// sensitivities as dxFeed computes them.
type Greeks struct {
	Symbol     string
	EventTime  time.Time
	Flags      EventFlags
	Index      int64
	Time       time.Time
	Sequence   int64
	Price      float64
	Volatility float64 // decimal per year
	Delta      float64
	Gamma      float64
	Theta      float64 // per day
	Rho        float64
	Vega       float64
}

// A TheoPrice is an option's theoretical price and what it was computed from.
type TheoPrice struct {
	Symbol          string
	EventTime       time.Time
	Flags           EventFlags
	Index           int64
	Time            time.Time
	Sequence        int64
	Price           float64
	UnderlyingPrice float64
	Delta           float64
	Gamma           float64
	Dividend        float64 // implied simple yield
	Interest        float64 // implied simple rate
}

// An Underlying sums up the options of an underlying.
type Underlying struct {
	Symbol                          string
	EventTime                       time.Time
	Flags                           EventFlags
	Index                           int64
	Time                            time.Time
	Sequence                        int64
	Volatility                      float64 // implied, 30 days
	FrontVolatility, BackVolatility float64
	CallVolume, PutVolume           float64
	OptionVolume                    float64
	PutCallRatio                    float64 // of volumes
}

// A Series sums up the options of one expiration. Its Index tells the series of
// an underlying apart.
type Series struct {
	Symbol                string
	EventTime             time.Time
	Flags                 EventFlags
	Index                 int64
	Time                  time.Time
	Sequence              int64
	Expiration            int64 // days since 1970-01-01
	Volatility            float64
	CallVolume, PutVolume float64
	PutCallRatio          float64
	ForwardPrice          float64
	Dividend, Interest    float64 // implied, simple
}

// A TimeAndSale is one trade, or another market event with a price.
type TimeAndSale struct {
	Symbol             string
	EventTime          time.Time
	Flags              EventFlags
	Index              int64
	Time               time.Time
	TimeNanoPart       int64
	Sequence           int64
	Exchange           string
	Price, Size        float64
	Bid, Ask           float64 // at the time of the sale
	SaleConditions     string
	TradeThroughExempt string
	AggressorSide      string // BUY, SELL, UNDEFINED
	SpreadLeg          bool
	ExtendedHours      bool
	ValidTick          bool
	Type               string // NEW, CORRECTION, CANCEL
	Buyer, Seller      string
}

// A Candle is a bar. Its Symbol has the period in braces: "SPY{=d}".
type Candle struct {
	Symbol                 string
	EventTime              time.Time
	Flags                  EventFlags
	Index                  int64 // unique within the symbol, ascending in time
	Time                   time.Time
	Sequence               int64
	Count                  float64 // trades
	Open, High, Low, Close float64
	Volume                 float64
	VWAP                   float64
	BidVolume, AskVolume   float64
	ImpliedVolatility      float64
	OpenInterest           float64
}

// An OptionSale is one trade in an option, sent to those who ask for its
// underlying.
type OptionSale struct {
	Symbol             string // the underlying's
	OptionSymbol       string
	EventTime          time.Time
	Flags              EventFlags
	Index              int64
	Time               time.Time
	TimeNanoPart       int64
	Sequence           int64
	Exchange           string
	Price, Size        float64
	Bid, Ask           float64
	SaleConditions     string
	TradeThroughExempt string
	AggressorSide      string
	SpreadLeg          bool
	ExtendedHours      bool
	ValidTick          bool
	Type               string
	UnderlyingPrice    float64
	Volatility, Delta  float64
}

// An Order is an order, or a price level, in the book of an exchange.
type Order struct {
	Symbol                string
	EventTime             time.Time
	Flags                 EventFlags
	Index                 int64
	Time                  time.Time
	TimeNanoPart          int64
	Sequence              int64
	Source                string // of the book, such as "NTV"
	Action                string
	ActionTime            time.Time
	OrderID, AuxOrderID   int64
	Price, Size           float64
	ExecutedSize          float64
	Count                 int64 // orders at this price, when it is a level
	Exchange              string
	Side                  string // BUY, SELL, UNDEFINED
	Scope                 string // COMPOSITE, REGIONAL, AGGREGATE, ORDER
	TradeID               int64
	TradePrice, TradeSize float64
	MarketMaker           string
}

// A SpreadOrder is an order for a spread; it has no MarketMaker.
type SpreadOrder struct {
	Order
	SpreadSymbol string
}

// An AnalyticOrder is an order with an estimate of what it hides.
type AnalyticOrder struct {
	Order
	IcebergPeakSize     float64
	IcebergHiddenSize   float64
	IcebergExecutedSize float64
	IcebergType         string
}

// A Configuration is a document that the feed keeps under a symbol.
type Configuration struct {
	Symbol     string
	EventTime  time.Time
	Version    int64
	Attachment json.RawMessage // nil when there is none
}

// A Message is a document sent to all who ask for its symbol.
type Message struct {
	Symbol     string
	EventTime  time.Time
	Attachment json.RawMessage // nil when there is none
}

// EventFlags say where an event belongs in a snapshot or a transaction.
type EventFlags int64

// The event flags.
const (
	TxPending     EventFlags = 0x01 // more events of the same change follow
	RemoveEvent   EventFlags = 0x02 // the event with this index is gone
	SnapshotBegin EventFlags = 0x04
	SnapshotEnd   EventFlags = 0x08
	SnapshotSnip  EventFlags = 0x10 // the end, and the server had more
	SnapshotMode  EventFlags = 0x40
)

// Has reports whether all of the given flags are set.
func (f EventFlags) Has(flags EventFlags) bool { return f&flags == flags }
