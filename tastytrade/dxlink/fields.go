package dxlink

import (
	"encoding/json"
	"math"
	"time"
)

// An op says how a value of the wire is read.
type op uint8

const (
	opSkip op = iota
	opKind
	opSymbol
	opFloat
	opInt
	opFlags
	opTime
	opText
	opCode // an exchange code: the NUL character stands for none
	opBool
	opRaw
)

// A field ties a name on the wire to a place in one particular event. A decoder
// makes its fields once, for an event that it fills again and again: then no
// value needs a look at names or types.
type field struct {
	op    op
	float *float64
	int   *int64
	flags *EventFlags
	time  *time.Time
	text  *string
	bool  *bool
	raw   *json.RawMessage
	name  string
}

func float(name string, p *float64) field       { return field{op: opFloat, name: name, float: p} }
func integer(name string, p *int64) field       { return field{op: opInt, name: name, int: p} }
func flagged(name string, p *EventFlags) field  { return field{op: opFlags, name: name, flags: p} }
func moment(name string, p *time.Time) field    { return field{op: opTime, name: name, time: p} }
func text(name string, p *string) field         { return field{op: opText, name: name, text: p} }
func code(name string, p *string) field         { return field{op: opCode, name: name, text: p} }
func boolean(name string, p *bool) field        { return field{op: opBool, name: name, bool: p} }
func raw(name string, p *json.RawMessage) field { return field{op: opRaw, name: name, raw: p} }

// head is what every event begins with.
func head(symbol *string, at *time.Time, more ...field) []field {
	return append([]field{{op: opKind, name: "eventType"}, {op: opSymbol, name: "eventSymbol", text: symbol}, moment("eventTime", at)}, more...)
}

// A shape is what the package knows of a kind of event.
type shape struct {
	kind   string
	fields []field
	// byIndex: events of a symbol stand beside each other, told apart by their
	// index, so that a later one does not replace an earlier one.
	byIndex bool
	// unique: no event replaces another.
	unique bool
	flags  *EventFlags // of the event that the fields point into; nil: it has none
	index  *int64
}

// shapeOf returns the shape of T whose fields point into e.
func shapeOf[T Event](e *T) shape {
	switch e := any(e).(type) {
	case *Quote:
		return shape{kind: "Quote", fields: e.fields()}
	case *Trade:
		return shape{kind: "Trade", fields: e.fields()}
	case *TradeETH:
		return shape{kind: "TradeETH", fields: (*Trade)(e).fields()}
	case *Summary:
		return shape{kind: "Summary", fields: e.fields()}
	case *Profile:
		return shape{kind: "Profile", fields: e.fields()}
	case *Greeks:
		return shape{kind: "Greeks", fields: e.fields(), flags: &e.Flags, index: &e.Index}
	case *TheoPrice:
		return shape{kind: "TheoPrice", fields: e.fields(), flags: &e.Flags, index: &e.Index}
	case *Underlying:
		return shape{kind: "Underlying", fields: e.fields(), flags: &e.Flags, index: &e.Index}
	case *Series:
		return shape{kind: "Series", fields: e.fields(), flags: &e.Flags, index: &e.Index, byIndex: true}
	case *TimeAndSale:
		return shape{kind: "TimeAndSale", fields: e.fields(), flags: &e.Flags, index: &e.Index, byIndex: true}
	case *Candle:
		return shape{kind: "Candle", fields: e.fields(), flags: &e.Flags, index: &e.Index, byIndex: true}
	case *OptionSale:
		return shape{kind: "OptionSale", fields: e.fields(), flags: &e.Flags, index: &e.Index, byIndex: true}
	case *Order:
		return shape{kind: "Order", fields: e.fields(), flags: &e.Flags, index: &e.Index, byIndex: true}
	case *SpreadOrder:
		return shape{kind: "SpreadOrder", fields: e.fields(), flags: &e.Flags, index: &e.Index, byIndex: true}
	case *AnalyticOrder:
		return shape{kind: "AnalyticOrder", fields: e.fields(), flags: &e.Flags, index: &e.Index, byIndex: true}
	case *Configuration:
		return shape{kind: "Configuration", fields: e.fields()}
	case *Message:
		return shape{kind: "Message", fields: e.fields(), unique: true}
	}
	return shape{} // the constraint leaves no other kind
}

// kindOf returns the wire name of T.
func kindOf[T Event]() string { return shapeOf(new(T)).kind }

// symbolOf returns the symbol of an event.
func symbolOf[T Event](e T) string {
	for _, f := range shapeOf(&e).fields {
		if f.op == opSymbol {
			return *f.text
		}
	}
	return ""
}

// blank makes every number of the event behind fields unknown.
func blank(fields []field) {
	for _, f := range fields {
		if f.op == opFloat {
			*f.float = math.NaN()
		}
	}
}

func (e *Quote) fields() []field {
	return head(&e.Symbol, &e.Time,
		integer("sequence", &e.Sequence), integer("timeNanoPart", &e.TimeNanoPart),
		moment("bidTime", &e.BidTime), code("bidExchangeCode", &e.BidExchange), float("bidPrice", &e.Bid), float("bidSize", &e.BidSize),
		moment("askTime", &e.AskTime), code("askExchangeCode", &e.AskExchange), float("askPrice", &e.Ask), float("askSize", &e.AskSize))
}

func (e *Trade) fields() []field {
	return head(&e.Symbol, &e.EventTime,
		moment("time", &e.Time), integer("timeNanoPart", &e.TimeNanoPart), integer("sequence", &e.Sequence), code("exchangeCode", &e.Exchange),
		float("price", &e.Price), float("change", &e.Change), float("size", &e.Size), integer("dayId", &e.DayID),
		float("dayVolume", &e.DayVolume), float("dayTurnover", &e.DayTurnover), text("tickDirection", &e.TickDirection),
		boolean("extendedTradingHours", &e.ExtendedHours))
}

func (e *Summary) fields() []field {
	return head(&e.Symbol, &e.EventTime,
		integer("dayId", &e.DayID), float("dayOpenPrice", &e.DayOpen), float("dayHighPrice", &e.DayHigh), float("dayLowPrice", &e.DayLow),
		float("dayClosePrice", &e.DayClose), text("dayClosePriceType", &e.DayCloseType), integer("prevDayId", &e.PrevDayID),
		float("prevDayClosePrice", &e.PrevDayClose), text("prevDayClosePriceType", &e.PrevDayCloseType),
		float("prevDayVolume", &e.PrevDayVolume), float("openInterest", &e.OpenInterest))
}

func (e *Profile) fields() []field {
	return head(&e.Symbol, &e.EventTime,
		text("description", &e.Description), text("shortSaleRestriction", &e.ShortSaleRestriction), text("tradingStatus", &e.TradingStatus),
		text("statusReason", &e.StatusReason), moment("haltStartTime", &e.HaltStart), moment("haltEndTime", &e.HaltEnd),
		float("highLimitPrice", &e.HighLimit), float("lowLimitPrice", &e.LowLimit), float("high52WeekPrice", &e.High52Week),
		float("low52WeekPrice", &e.Low52Week), float("beta", &e.Beta), float("earningsPerShare", &e.EarningsPerShare),
		float("dividendFrequency", &e.DividendFrequency), float("exDividendAmount", &e.ExDividendAmount),
		integer("exDividendDayId", &e.ExDividendDayID), float("shares", &e.Shares), float("freeFloat", &e.FreeFloat))
}

// series is the head of events that have an index.
func series(symbol *string, eventTime *time.Time, flags *EventFlags, index *int64, at *time.Time, sequence *int64, more ...field) []field {
	return head(symbol, eventTime, append([]field{
		flagged("eventFlags", flags), integer("index", index), moment("time", at), integer("sequence", sequence),
	}, more...)...)
}

func (e *Greeks) fields() []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence,
		float("price", &e.Price), float("volatility", &e.Volatility), float("delta", &e.Delta), float("gamma", &e.Gamma),
		float("theta", &e.Theta), float("rho", &e.Rho), float("vega", &e.Vega))
}

func (e *TheoPrice) fields() []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence,
		float("price", &e.Price), float("underlyingPrice", &e.UnderlyingPrice), float("delta", &e.Delta), float("gamma", &e.Gamma),
		float("dividend", &e.Dividend), float("interest", &e.Interest))
}

func (e *Underlying) fields() []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence,
		float("volatility", &e.Volatility), float("frontVolatility", &e.FrontVolatility), float("backVolatility", &e.BackVolatility),
		float("callVolume", &e.CallVolume), float("putVolume", &e.PutVolume), float("optionVolume", &e.OptionVolume),
		float("putCallRatio", &e.PutCallRatio))
}

func (e *Series) fields() []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence,
		integer("expiration", &e.Expiration), float("volatility", &e.Volatility), float("callVolume", &e.CallVolume),
		float("putVolume", &e.PutVolume), float("putCallRatio", &e.PutCallRatio), float("forwardPrice", &e.ForwardPrice),
		float("dividend", &e.Dividend), float("interest", &e.Interest))
}

func (e *TimeAndSale) fields() []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence,
		integer("timeNanoPart", &e.TimeNanoPart), code("exchangeCode", &e.Exchange), float("price", &e.Price), float("size", &e.Size),
		float("bidPrice", &e.Bid), float("askPrice", &e.Ask), text("exchangeSaleConditions", &e.SaleConditions),
		code("tradeThroughExempt", &e.TradeThroughExempt), text("aggressorSide", &e.AggressorSide), boolean("spreadLeg", &e.SpreadLeg),
		boolean("extendedTradingHours", &e.ExtendedHours), boolean("validTick", &e.ValidTick), text("type", &e.Type),
		text("buyer", &e.Buyer), text("seller", &e.Seller))
}

func (e *Candle) fields() []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence,
		float("count", &e.Count), float("open", &e.Open), float("high", &e.High), float("low", &e.Low), float("close", &e.Close),
		float("volume", &e.Volume), float("VWAP", &e.VWAP), float("bidVolume", &e.BidVolume), float("askVolume", &e.AskVolume),
		float("impVolatility", &e.ImpliedVolatility), float("openInterest", &e.OpenInterest))
}

func (e *OptionSale) fields() []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence,
		integer("timeNanoPart", &e.TimeNanoPart), code("exchangeCode", &e.Exchange), float("price", &e.Price), float("size", &e.Size),
		float("bidPrice", &e.Bid), float("askPrice", &e.Ask), text("exchangeSaleConditions", &e.SaleConditions),
		code("tradeThroughExempt", &e.TradeThroughExempt), text("aggressorSide", &e.AggressorSide), boolean("spreadLeg", &e.SpreadLeg),
		boolean("extendedTradingHours", &e.ExtendedHours), boolean("validTick", &e.ValidTick), text("type", &e.Type),
		float("underlyingPrice", &e.UnderlyingPrice), float("volatility", &e.Volatility), float("delta", &e.Delta),
		text("optionSymbol", &e.OptionSymbol))
}

// book is the fields that all orders share.
func (e *Order) book(more ...field) []field {
	return series(&e.Symbol, &e.EventTime, &e.Flags, &e.Index, &e.Time, &e.Sequence, append([]field{
		integer("timeNanoPart", &e.TimeNanoPart), text("source", &e.Source), text("action", &e.Action), moment("actionTime", &e.ActionTime),
		integer("orderId", &e.OrderID), integer("auxOrderId", &e.AuxOrderID), float("price", &e.Price), float("size", &e.Size),
		float("executedSize", &e.ExecutedSize), integer("count", &e.Count), code("exchangeCode", &e.Exchange), text("orderSide", &e.Side),
		text("scope", &e.Scope), integer("tradeId", &e.TradeID), float("tradePrice", &e.TradePrice), float("tradeSize", &e.TradeSize),
	}, more...)...)
}

func (e *Order) fields() []field { return e.book(text("marketMaker", &e.MarketMaker)) }

func (e *SpreadOrder) fields() []field { return e.book(text("spreadSymbol", &e.SpreadSymbol)) }

func (e *AnalyticOrder) fields() []field {
	return e.book(text("marketMaker", &e.MarketMaker), float("icebergPeakSize", &e.IcebergPeakSize),
		float("icebergHiddenSize", &e.IcebergHiddenSize), float("icebergExecutedSize", &e.IcebergExecutedSize), text("icebergType", &e.IcebergType))
}

func (e *Configuration) fields() []field {
	return head(&e.Symbol, &e.EventTime, integer("version", &e.Version), raw("attachment", &e.Attachment))
}

func (e *Message) fields() []field {
	return head(&e.Symbol, &e.EventTime, raw("attachment", &e.Attachment))
}
