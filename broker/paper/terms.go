package paper

import (
	"fmt"
	"math"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Terms returns the usual terms of an instrument: shares with a multiplier of 1,
// a tick of a cent from one dollar on and of a hundredth of a cent below; options
// on shares and indices with a multiplier of 100 and a tick of a cent; coins
// without a tick. Futures and their options have no usual terms, and the error is
// a *FieldError: Options.Instrument has to describe them.
func Terms(symbol market.Symbol) (market.Instrument, error) {
	in := market.Instrument{Symbol: symbol, Kind: symbol.Kind(), Active: true, Multiplier: 1}
	switch in.Kind {
	case market.KindEquity:
		in.Ticks = []market.Tick{{Below: 1, Increment: 0.0001}, {Below: math.Inf(1), Increment: 0.01}}
	case market.KindOption:
		in.Multiplier = 100
		in.Ticks = []market.Tick{{Below: math.Inf(1), Increment: 0.01}}
		if c, ok := symbol.Contract(); ok {
			in.Underlying = c.Underlying()
		}
	case market.KindCrypto:
	default:
		return in, invalid.Field("Symbol", symbol, "an instrument whose multiplier Options.Instrument tells")
	}
	return in, nil
}

// terms are what the engine needs to know of an instrument.
type terms struct {
	kind       market.InstrumentKind
	underlying market.Symbol
	multiplier decimal.Decimal
	mult       float64
	ticks      []market.Tick
	contract   market.Contract // of an option
	option     bool
	whole      bool // trades in whole units alone
}

func (x *Exchange) termsOf(symbol market.Symbol) (terms, error) {
	if normal, err := market.ParseSymbol(string(symbol)); err != nil || normal != symbol {
		return terms{}, invalid.Field("Symbol", symbol, "a symbol in its normal form, such as SPY")
	}
	var in market.Instrument
	known := false
	if x.opts.Instrument != nil {
		in, known = x.opts.Instrument(symbol)
	}
	if !known {
		var err error
		if in, err = Terms(symbol); err != nil {
			return terms{}, err
		}
	}
	if !(in.Multiplier > 0) || math.IsInf(in.Multiplier, 0) {
		return terms{}, invalid.Field("Multiplier", in.Multiplier, fmt.Sprintf("a positive number for %s", symbol))
	}
	t := terms{
		kind: symbol.Kind(), underlying: in.Underlying, multiplier: decimal.NewFromFloat(in.Multiplier),
		mult: in.Multiplier, ticks: in.Ticks,
	}
	t.contract, t.option = symbol.Contract()
	if t.underlying == "" {
		t.underlying = symbol
		if t.option {
			t.underlying = t.contract.Underlying()
		}
	}
	t.whole = t.kind != market.KindEquity && t.kind != market.KindCrypto
	return t, nil
}

// futures tells whether profit alone changes hands, and never the whole price.
func (t *terms) futures() bool { return t.kind == market.KindFuture }

// tick is the price increment at a price; 0 when any price will do.
func (t *terms) tick(price float64) float64 { return market.Increment(t.ticks, price) }

// onTick tells whether an order may have the price, which is positive.
func (t *terms) onTick(price decimal.Decimal) bool {
	tick := t.tick(price.InexactFloat64())
	return tick == 0 || price.Mod(decimal.NewFromFloat(tick)).IsZero()
}
