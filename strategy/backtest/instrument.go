package backtest

import (
	"math"

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
	future bool

	// Of an option.
	option   bool
	contract market.Contract
	expires  int64
	chain    *chain
	inChain  uint32
	vegas    map[*desk]vegaPoint
}

// A vegaPoint is what of an option an account knew at the latest point of its
// Greeks.
type vegaPoint struct {
	at        int64
	vega, vol float64 // vega of all that was held
}

// vegaGain is what the change of the implied volatility since the point before
// brought; 0 for what was not held then, or when one of the two is not known. It
// keeps the present point.
func (in *instrument) vegaGain(d *desk, before, now int64, vega, vol float64) float64 {
	if in.vegas == nil {
		in.vegas = map[*desk]vegaPoint{}
	}
	last, held := in.vegas[d]
	in.vegas[d] = vegaPoint{now, vega, vol}
	gain := last.vega * (vol - last.vol)
	if !held || last.at != before || math.IsNaN(gain) {
		return 0
	}
	return gain
}

// instrumentOf returns a symbol's instrument, made when it is the first time.
func (e *engine) instrumentOf(symbol market.Symbol) *instrument {
	if in := e.instruments[symbol]; in != nil {
		return in
	}
	in := &instrument{name: symbol, kind: symbol.Kind(), mark: math.NaN(), multi: e.multiplier(symbol)}
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
