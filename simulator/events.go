package simulator

import (
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/market"
)

// The event types that are served, and their fields in the order of an event's
// values.
var eventFields = map[string][]string{
	"Quote": {"eventType", "eventSymbol", "eventTime", "sequence", "timeNanoPart", "bidTime", "bidExchangeCode", "bidPrice", "bidSize",
		"askTime", "askExchangeCode", "askPrice", "askSize"},
	"Trade": {"eventType", "eventSymbol", "eventTime", "time", "timeNanoPart", "sequence", "exchangeCode", "price", "change", "size",
		"dayId", "dayVolume", "dayTurnover", "tickDirection", "extendedTradingHours"},
	"TradeETH": {"eventType", "eventSymbol", "eventTime", "time", "timeNanoPart", "sequence", "exchangeCode", "price", "change", "size",
		"dayId", "dayVolume", "dayTurnover", "tickDirection", "extendedTradingHours"},
	"Profile": {"eventType", "eventSymbol", "eventTime", "description", "shortSaleRestriction", "tradingStatus", "statusReason",
		"haltStartTime", "haltEndTime", "highLimitPrice", "lowLimitPrice", "high52WeekPrice", "low52WeekPrice", "beta", "earningsPerShare",
		"dividendFrequency", "exDividendAmount", "exDividendDayId", "shares", "freeFloat"},
	"TheoPrice": {"eventType", "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "price", "underlyingPrice",
		"delta", "gamma", "dividend", "interest"},
	"TimeAndSale": {"eventType", "eventSymbol", "eventTime", "eventFlags", "index", "time", "timeNanoPart", "sequence", "exchangeCode",
		"price", "size", "bidPrice", "askPrice", "exchangeSaleConditions", "tradeThroughExempt", "aggressorSide", "spreadLeg",
		"extendedTradingHours", "validTick", "type", "buyer", "seller"},
	"Underlying": {"eventType", "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "volatility", "frontVolatility",
		"backVolatility", "callVolume", "putVolume", "putCallRatio"},
	"Summary": {"eventType", "eventSymbol", "eventTime", "dayId", "dayOpenPrice", "dayHighPrice", "dayLowPrice", "dayClosePrice",
		"dayClosePriceType", "prevDayId", "prevDayClosePrice", "prevDayClosePriceType", "prevDayVolume", "openInterest"},
	"Greeks": {"eventType", "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "price", "volatility",
		"delta", "gamma", "theta", "rho", "vega"},
	"Candle": {"eventType", "eventSymbol", "eventTime", "eventFlags", "index", "time", "sequence", "count", "open", "high", "low", "close",
		"volume", "VWAP", "bidVolume", "askVolume", "impVolatility", "openInterest"},
}

// Types that the protocol knows and the simulator never has events of.
var silentTypes = []string{"Series", "OptionSale", "Order", "SpreadOrder", "AnalyticOrder", "Configuration", "Message"}

// Event flags of snapshots.
const (
	flagRemove = 0x02
	flagBegin  = 0x04
	flagEnd    = 0x08
	flagSnip   = 0x10
)

// An event is one record: values in the order of eventFields[kind], each a
// string, an int, an int64, a float64 or a bool.
type event struct {
	kind   string
	values []any
}

const noExchange = "\x00"

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// dayID is the number of days since 1970.
func dayID(d market.Date) int { return market.Date{Year: 1970, Month: 1, Day: 1}.DaysUntil(d) }

// eventIndex is the position of an event in its series: seconds, milliseconds
// and sequence in one number, which is above what a float64 can hold.
func eventIndex(ms int64) int64 { return ms/1000<<32 | ms%1000<<22 }

// A ticker is what the market says about one symbol, share or option.
type ticker struct {
	quote        market.Quote
	openInterest float64
	greeks       *market.OptionQuote // of options only
}

func quoteEvent(symbol string, t *ticker) event {
	q := t.quote
	at := millis(q.Time)
	return event{"Quote", []any{"Quote", symbol, int64(0), 0, 0, at, noExchange, q.Bid, q.BidSize, at, noExchange, q.Ask, q.AskSize}}
}

func tradeEvent(kind, symbol string, t *ticker, day market.Session, extended bool) event {
	q := t.quote
	return event{kind, []any{kind, symbol, int64(0), millis(q.Time), 0, 0, noExchange, q.Last, q.Last - q.PrevClose, math.NaN(),
		dayID(day.Date), q.Volume, math.NaN(), "UNDEFINED", extended}}
}

// The closing price is NaN while the session lasts.
func summaryEvent(symbol string, t *ticker, day, before market.Session, closing float64) event {
	q := t.quote
	kind := "UNDEFINED"
	if !math.IsNaN(closing) {
		kind = "FINAL"
	}
	return event{"Summary", []any{"Summary", symbol, int64(0), dayID(day.Date), q.Open, q.High, q.Low, closing, kind,
		dayID(before.Date), q.PrevClose, "FINAL", math.NaN(), t.openInterest}}
}

func greeksEvent(symbol string, t *ticker) event {
	o := t.greeks
	at := millis(o.Time)
	price := nan()
	if m := mark(t.quote); m.Valid {
		price = m.Decimal.InexactFloat64()
	}
	return event{"Greeks", []any{"Greeks", symbol, int64(0), 0, eventIndex(at), at, 0, price, o.IV, o.Delta, o.Gamma, o.Theta,
		hundredth(o.Rho), hundredth(o.Vega)}}
}

// hundredth turns a sensitivity to 100 % into one to a percentage point, the
// unit of rho and vega on the wire. Shifting the decimal point is exact where
// dividing is not.
func hundredth(x float64) float64 {
	n := number(x)
	if !n.Valid {
		return x
	}
	return n.Decimal.Shift(-2).InexactFloat64()
}

func candleEvent(symbol string, ms int64, flags int, b market.Bar) event {
	n := math.NaN()
	return event{"Candle", []any{"Candle", symbol, int64(0), flags, eventIndex(ms), ms, 0, 0, b.Open, b.High, b.Low, b.Close, b.Volume, n, n, n, n, n}}
}

// emptySnapshot is what a series without events consists of.
func emptySnapshot(symbol string, ms int64) event {
	n := math.NaN()
	return candleEvent(symbol, ms, flagBegin|flagEnd|flagRemove, market.Bar{Open: n, High: n, Low: n, Close: n, Volume: n})
}

// appendValue writes a value as JSON; what JSON lacks becomes the strings
// "NaN", "Infinity" and "-Infinity".
func appendValue(b []byte, value any) []byte {
	switch v := value.(type) {
	case string:
		if v == noExchange {
			return append(b, `"\u0000"`...)
		}
		return strconv.AppendQuote(b, v) // symbols and enums: plain ASCII
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case bool:
		return strconv.AppendBool(b, v)
	case float64:
		switch {
		case math.IsNaN(v):
			return append(b, `"NaN"`...)
		case math.IsInf(v, 1):
			return append(b, `"Infinity"`...)
		case math.IsInf(v, -1):
			return append(b, `"-Infinity"`...)
		}
		return strconv.AppendFloat(b, v, 'f', -1, 64)
	}
	return append(b, "null"...)
}

// A layout says which values of an event are sent, in which order.
type layout struct {
	names []string
	at    []int // index into an event's values
}

// newLayout keeps those of the names asked for that the type has.
func newLayout(kind string, asked []string) layout {
	all := eventFields[kind]
	if len(asked) == 0 {
		asked = all
	}
	var l layout
	for _, name := range asked {
		if i := slices.Index(all, name); i >= 0 {
			l.names, l.at = append(l.names, name), append(l.at, i)
		}
	}
	return l
}

// dataMessages encodes events as FEED_DATA messages of a reasonable size.
func dataMessages(channel int, compact bool, layouts map[string]layout, events []event) [][]byte {
	const enough = 24 << 10 // bytes; clients may refuse frames above 32 KiB
	var messages [][]byte
	var b []byte
	kind := "" // of the array being written
	start := func() {
		b = append(make([]byte, 0, enough+1024), `{"type":"FEED_DATA","channel":`...)
		b = strconv.AppendInt(b, int64(channel), 10)
		b = append(b, `,"data":[`...)
		kind = ""
	}
	finish := func() {
		if compact && kind != "" {
			b = append(b, ']')
		}
		messages = append(messages, append(b, "]}"...))
		b = nil
	}
	for _, e := range events {
		l := layouts[e.kind]
		if len(l.at) == 0 {
			continue
		}
		if b == nil {
			start()
		}
		if compact {
			b, kind = appendCompact(b, kind, e, l)
		} else {
			b, kind = appendFull(b, kind, e, l), e.kind
		}
		if len(b) > enough {
			finish()
		}
	}
	if b != nil {
		finish()
	}
	return messages
}

// appendCompact adds a record to the flat array of its type, which it opens
// when the last one was of another.
func appendCompact(b []byte, last string, e event, l layout) ([]byte, string) {
	switch {
	case last == e.kind:
		b = append(b, ',')
	case last != "":
		b = append(b, `],"`+e.kind+`",[`...)
	default:
		b = append(b, `"`+e.kind+`",[`...)
	}
	for i, at := range l.at {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendValue(b, e.values[at])
	}
	return b, e.kind
}

// appendFull adds a record as an object. It always says its type and symbol,
// without which it would mean nothing.
func appendFull(b []byte, last string, e event, l layout) []byte {
	if last != "" {
		b = append(b, ',')
	}
	b = append(b, `{"eventType":`...)
	b = appendValue(b, e.values[0])
	b = append(b, `,"eventSymbol":`...)
	b = appendValue(b, e.values[1])
	for i, at := range l.at {
		if at < 2 {
			continue
		}
		b = append(b, `,"`+l.names[i]+`":`...)
		b = appendValue(b, e.values[at])
	}
	return append(b, '}')
}
