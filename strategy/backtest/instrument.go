package backtest

import (
	"math"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/market"
)

// An instrument is what the run knows of a symbol now.
type instrument struct {
	name   market.Symbol
	kind   market.InstrumentKind
	feed   *feed // the first of its bars; nil without any
	quoted bool  // it has quotes of its own, or those of a chain

	// mark is what positions are valued at; NaN when it is not known, or no longer.
	mark   float64
	markAt int64
	quote  market.Quote // the latest; its time is zero before there was one
	multi  float64
	unit   decimal.Decimal // multi
	future bool
	held   []*holding // by the number of the account; nil where nothing is held

	// Of an option.
	option   bool
	contract market.Contract
	expires  int64
	chain    *chain
	inChain  uint32
	risks    map[*desk]heldRisk
}

// instrumentOf returns a symbol's instrument, made when it is the first time.
func (e *engine) instrumentOf(symbol market.Symbol) *instrument {
	if in := e.recent; in != nil && in.name == symbol {
		return in
	}
	if in := e.instruments[symbol]; in != nil {
		e.recent = in
		return in
	}
	in := &instrument{name: symbol, kind: symbol.Kind(), mark: math.NaN(), multi: e.multiplier(symbol), unit: unit}
	if in.multi != 1 {
		in.unit = decimal.NewFromFloat(in.multi)
	}
	in.future = in.kind == market.KindFuture
	if in.contract, in.option = symbol.Contract(); in.option && in.kind == market.KindOption {
		in.expires = expiryOf(in.contract)
		if c := e.chainOf(in.contract.Underlying()); c != nil {
			if number, ok := c.store.index[symbol]; ok {
				in.chain, in.inChain = c, number
			}
		}
	}
	e.instruments[symbol] = in
	return in
}

// bar is the number of the latest bar of an instrument; -1 without one.
func (in *instrument) bar() int64 {
	if in.feed == nil {
		return -1
	}
	return in.feed.count - 1
}
