package dxlink

import (
	"math"
	"time"
)

// An Event is one of the kinds of market data. Unknown numbers are NaN, unknown
// times zero.
type Event interface {
	Quote | Trade | Summary | Greeks | Candle
}

// A Quote is the best bid and ask.
type Quote struct {
	Symbol                   string
	Time                     time.Time // of the event, when the server says
	Sequence                 int64
	BidTime, AskTime         time.Time
	BidExchange, AskExchange string
	Bid, Ask                 float64
	BidSize, AskSize         float64
}

// A Trade is the last trade and the totals of the day.
type Trade struct {
	Symbol        string
	Time          time.Time // of the trade
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

// A Summary is the prices of the day and of the day before.
type Summary struct {
	Symbol           string
	DayID            int64 // days since 1970-01-01
	DayOpen          float64
	DayHigh, DayLow  float64
	DayClose         float64
	DayCloseType     string
	PrevDayID        int64
	PrevDayClose     float64
	PrevDayCloseType string
	PrevDayVolume    float64
	OpenInterest     float64
}

// Greeks are an option's theoretical price, implied volatility and
// sensitivities as dxFeed computes them.
type Greeks struct {
	Symbol     string
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

// A Candle is a bar. Its Symbol has the period in braces: "SPY{=d}".
type Candle struct {
	Symbol                 string
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

// The names of the kinds on the wire, and the fields asked for.
var (
	quoteFields = []string{"eventType", "eventSymbol", "eventTime", "sequence", "bidTime", "bidExchangeCode", "bidPrice", "bidSize",
		"askTime", "askExchangeCode", "askPrice", "askSize"}
	tradeFields = []string{"eventType", "eventSymbol", "eventTime", "time", "sequence", "exchangeCode", "price", "change", "size",
		"dayId", "dayVolume", "dayTurnover", "tickDirection", "extendedTradingHours"}
	summaryFields = []string{"eventType", "eventSymbol", "eventTime", "dayId", "dayOpenPrice", "dayHighPrice", "dayLowPrice", "dayClosePrice",
		"dayClosePriceType", "prevDayId", "prevDayClosePrice", "prevDayClosePriceType", "prevDayVolume", "openInterest"}
	greeksFields = []string{"eventType", "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "price", "volatility",
		"delta", "gamma", "theta", "rho", "vega"}
	candleFields = []string{"eventType", "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "count", "open", "high",
		"low", "close", "volume", "VWAP", "bidVolume", "askVolume", "impVolatility", "openInterest"}
)

func wantedFields() map[string][]string {
	return map[string][]string{"Quote": quoteFields, "Trade": tradeFields, "Summary": summaryFields, "Greeks": greeksFields, "Candle": candleFields}
}

// kindOf returns the wire name of T.
func kindOf[T Event]() string {
	var zero T
	switch any(zero).(type) {
	case Quote:
		return "Quote"
	case Trade:
		return "Trade"
	case Summary:
		return "Summary"
	case Greeks:
		return "Greeks"
	}
	return "Candle"
}

// A record is an event being filled field by field.
type record interface {
	set(field string, v value)
	event() any
	symbol() string
}

// newRecord returns a record of the kind with every number unknown, nil for
// kinds this package does not know.
func newRecord(kind string) record {
	n := math.NaN()
	switch kind {
	case "Quote":
		return &Quote{Bid: n, Ask: n, BidSize: n, AskSize: n}
	case "Trade":
		return &Trade{Price: n, Change: n, Size: n, DayVolume: n, DayTurnover: n}
	case "Summary":
		return &Summary{DayOpen: n, DayHigh: n, DayLow: n, DayClose: n, PrevDayClose: n, PrevDayVolume: n, OpenInterest: n}
	case "Greeks":
		return &Greeks{Price: n, Volatility: n, Delta: n, Gamma: n, Theta: n, Rho: n, Vega: n}
	case "Candle":
		return &Candle{Count: n, Open: n, High: n, Low: n, Close: n, Volume: n, VWAP: n, BidVolume: n, AskVolume: n, ImpliedVolatility: n, OpenInterest: n}
	}
	return nil
}

func (e *Quote) symbol() string   { return e.Symbol }
func (e *Quote) event() any       { return *e }
func (e *Trade) symbol() string   { return e.Symbol }
func (e *Trade) event() any       { return *e }
func (e *Summary) symbol() string { return e.Symbol }
func (e *Summary) event() any     { return *e }
func (e *Greeks) symbol() string  { return e.Symbol }
func (e *Greeks) event() any      { return *e }
func (e *Candle) symbol() string  { return e.Symbol }
func (e *Candle) event() any      { return *e }

func (e *Quote) set(field string, v value) {
	switch field {
	case "eventSymbol":
		e.Symbol = v.text()
	case "eventTime":
		e.Time = v.time()
	case "sequence":
		e.Sequence = v.int()
	case "bidTime":
		e.BidTime = v.time()
	case "bidExchangeCode":
		e.BidExchange = v.code()
	case "bidPrice":
		e.Bid = v.float()
	case "bidSize":
		e.BidSize = v.float()
	case "askTime":
		e.AskTime = v.time()
	case "askExchangeCode":
		e.AskExchange = v.code()
	case "askPrice":
		e.Ask = v.float()
	case "askSize":
		e.AskSize = v.float()
	}
}

func (e *Trade) set(field string, v value) {
	switch field {
	case "eventSymbol":
		e.Symbol = v.text()
	case "time":
		e.Time = v.time()
	case "sequence":
		e.Sequence = v.int()
	case "exchangeCode":
		e.Exchange = v.code()
	case "price":
		e.Price = v.float()
	case "change":
		e.Change = v.float()
	case "size":
		e.Size = v.float()
	case "dayId":
		e.DayID = v.int()
	case "dayVolume":
		e.DayVolume = v.float()
	case "dayTurnover":
		e.DayTurnover = v.float()
	case "tickDirection":
		e.TickDirection = v.text()
	case "extendedTradingHours":
		e.ExtendedHours = v.bool()
	}
}

func (e *Summary) set(field string, v value) {
	switch field {
	case "eventSymbol":
		e.Symbol = v.text()
	case "dayId":
		e.DayID = v.int()
	case "dayOpenPrice":
		e.DayOpen = v.float()
	case "dayHighPrice":
		e.DayHigh = v.float()
	case "dayLowPrice":
		e.DayLow = v.float()
	case "dayClosePrice":
		e.DayClose = v.float()
	case "dayClosePriceType":
		e.DayCloseType = v.text()
	case "prevDayId":
		e.PrevDayID = v.int()
	case "prevDayClosePrice":
		e.PrevDayClose = v.float()
	case "prevDayClosePriceType":
		e.PrevDayCloseType = v.text()
	case "prevDayVolume":
		e.PrevDayVolume = v.float()
	case "openInterest":
		e.OpenInterest = v.float()
	}
}

func (e *Greeks) set(field string, v value) {
	switch field {
	case "eventSymbol":
		e.Symbol = v.text()
	case "eventFlags":
		e.Flags = EventFlags(v.int())
	case "index":
		e.Index = v.int()
	case "time":
		e.Time = v.time()
	case "sequence":
		e.Sequence = v.int()
	case "price":
		e.Price = v.float()
	case "volatility":
		e.Volatility = v.float()
	case "delta":
		e.Delta = v.float()
	case "gamma":
		e.Gamma = v.float()
	case "theta":
		e.Theta = v.float()
	case "rho":
		e.Rho = v.float()
	case "vega":
		e.Vega = v.float()
	}
}

func (e *Candle) set(field string, v value) {
	switch field {
	case "eventSymbol":
		e.Symbol = v.text()
	case "eventFlags":
		e.Flags = EventFlags(v.int())
	case "index":
		e.Index = v.int()
	case "time":
		e.Time = v.time()
	case "sequence":
		e.Sequence = v.int()
	case "count":
		e.Count = v.float()
	case "open":
		e.Open = v.float()
	case "high":
		e.High = v.float()
	case "low":
		e.Low = v.float()
	case "close":
		e.Close = v.float()
	case "volume":
		e.Volume = v.float()
	case "VWAP":
		e.VWAP = v.float()
	case "bidVolume":
		e.BidVolume = v.float()
	case "askVolume":
		e.AskVolume = v.float()
	case "impVolatility":
		e.ImpliedVolatility = v.float()
	case "openInterest":
		e.OpenInterest = v.float()
	}
}
