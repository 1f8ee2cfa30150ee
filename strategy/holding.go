package strategy

import (
	"math"
	"slices"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A holding is what an option strategy has in its account.
type holding struct {
	legs   []heldLeg // options, by symbol: expiry, then kind, then strike
	shares float64
	basis  float64 // average price of the shares; NaN without any
}

// A heldLeg is a position in one contract.
type heldLeg struct {
	symbol   market.Symbol
	contract market.Contract
	quantity float64 // contracts, negative when short
	price    float64 // at which it was opened; NaN when it is not known
	size     float64 // dollars per point
	quote    market.OptionQuote
	quoted   bool
}

// hold returns what of the account is the strategy's: foreign quantities were
// there before it and are not.
func (v *view) hold(foreign map[market.Symbol]float64) *holding {
	h := &holding{basis: math.NaN()}
	for _, p := range v.s.Positions() {
		quantity := p.Quantity - foreign[p.Symbol]
		if quantity == 0 {
			continue
		}
		if p.Symbol == v.p.Symbol {
			h.shares, h.basis = quantity, p.Average
			continue
		}
		c, ok := p.Symbol.Contract()
		if !ok || c.Underlying() != v.p.Symbol {
			continue
		}
		leg := heldLeg{symbol: p.Symbol, contract: c, quantity: quantity, price: p.Average, size: p.Multiplier}
		leg.quote, leg.quoted = v.quote(p.Symbol)
		h.legs = append(h.legs, leg)
	}
	return h
}

// units is how many units of a structure the options make up: what divides all
// of their quantities.
func (h *holding) units() int {
	n := 0
	for _, l := range h.legs {
		a, b := n, abs(int(math.Round(l.quantity)))
		for b != 0 {
			a, b = b, a%b
		}
		n = a
	}
	return n
}

// opening is what opening the options brought in dollars: a credit is positive, a
// debit negative. NaN when a price is not known.
func (h *holding) opening() float64 {
	cash := 0.0
	for _, l := range h.legs {
		cash -= l.quantity * l.size * l.price
	}
	return cash
}

// worth is what the options are worth at their middle prices, negative when
// closing them costs; NaN when one has none.
func (h *holding) worth() float64 {
	sum := 0.0
	for _, l := range h.legs {
		if !l.quoted {
			return math.NaN()
		}
		sum += l.quantity * l.size * l.quote.Mid()
	}
	return sum
}

// profit is what the open options have gained.
func (h *holding) profit() float64 { return h.opening() + h.worth() }

// expiry is the first on which an option of the holding expires.
func (h *holding) expiry() market.Date {
	var first market.Date
	for _, l := range h.legs {
		if first.IsZero() || l.contract.Expiration.Before(first) {
			first = l.contract.Expiration
		}
	}
	return first
}

// short returns the legs that are sold, of one kind when kind is not 0.
func (h *holding) short(kind options.Kind) []heldLeg {
	var out []heldLeg
	for _, l := range h.legs {
		if l.quantity < 0 && (kind == 0 || l.contract.Kind == kind) {
			out = append(out, l)
		}
	}
	return out
}

// structure returns the holding as legs of package options.
func (h *holding) structure(symbol market.Symbol, shares bool) []options.Leg {
	var legs []options.Leg
	var dates []market.Date
	for _, l := range h.legs {
		dates = append(dates, l.contract.Expiration)
	}
	slices.SortFunc(dates, market.Date.Compare)
	dates = slices.Compact(dates)
	for _, l := range h.legs {
		// Names go by the order of expiries, not by the time to them.
		years := float64(1 + slices.Index(dates, l.contract.Expiration))
		legs = append(legs, options.Leg{Symbol: l.symbol, Kind: l.contract.Kind, Quantity: l.quantity, Strike: l.contract.Strike,
			Expiration: l.contract.Expiration, Years: years, Price: l.price, Multiplier: l.size})
	}
	if shares && h.shares != 0 {
		legs = append(legs, options.Leg{Symbol: symbol, Quantity: h.shares, Price: h.basis})
	}
	return legs
}

// changes returns the signed quantities that turn the holding's options into
// units of picks: what is closed and what is opened, netted by contract.
func (h *holding) changes(picks []pick, units int) map[market.Symbol]float64 {
	by := map[market.Symbol]float64{}
	for _, l := range h.legs {
		by[l.symbol] -= l.quantity
	}
	for _, p := range picks {
		by[p.symbol] += float64(p.ratio * units)
	}
	return by
}

// exposure returns the Greeks of the whole holding with its shares; false when a
// leg has no volatility.
func (v *view) exposure(h *holding) (options.Greeks, bool) {
	sum := options.Greeks{Delta: h.shares}
	for _, l := range h.legs {
		if !l.quoted {
			return sum, false
		}
		g, ok := v.greeks(l.quote)
		if !ok {
			return sum, false
		}
		n := l.quantity * l.size
		sum.Delta += n * g.Delta
		sum.Gamma += n * g.Gamma
		sum.Theta += n * g.Theta
		sum.Vega += n * g.Vega
	}
	return sum, true
}
