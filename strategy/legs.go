package strategy

import (
	"math"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// A pick is one leg of a position to be opened, for one unit of it.
type pick struct {
	symbol market.Symbol
	ratio  int // contracts or shares, negative when sold
	quote  market.OptionQuote
}

func (p pick) shares() bool { return p.quote.Symbol == "" }

// sold and bought make picks of contracts.
func sold(q market.OptionQuote) pick   { return pick{symbol: q.Symbol, ratio: -1, quote: q} }
func bought(q market.OptionQuote) pick { return pick{symbol: q.Symbol, ratio: 1, quote: q} }

// tradable tells whether a contract may be opened: its quote is sound and it is
// as liquid as asked for. What is sold needs somebody who bids.
func (v *view) tradable(q market.OptionQuote, sell bool) bool {
	p := v.p
	switch {
	case !v.sound(q) || q.Multiplier != 0 && q.Multiplier != 100:
		return false
	case sell && (q.Bid <= 0 || q.Bid < p.MinBid):
		return false
	case p.OpenInterest > 0 && !(q.OpenInterest >= p.OpenInterest):
		return false
	case p.MaxSpread > 0 && q.Ask-q.Bid > p.MaxSpread*q.Mid():
		return false
	case p.StrikeRange > 0 && math.Abs(q.Strike/v.spot-1) > p.StrikeRange:
		return false
	}
	return true
}

// expiries returns the contracts of each expiry from min to max days away and
// after a date, the one nearest to aim first. Of several roots of a date that
// which settles at the close comes first.
func (v *view) expiries(aim, least, most int, after market.Date) [][]market.OptionQuote {
	var found [][]market.OptionQuote
	for i := 0; i < len(v.chain); {
		first, j := v.chain[i], i
		for j < len(v.chain) && v.chain[j].Expiration == first.Expiration && v.chain[j].Root == first.Root {
			j++
		}
		days := v.days(first.Expiration)
		if days >= least && days <= most && first.Expiration.After(after) && (v.p.Root == "" || v.p.Root == first.Root) {
			found = append(found, v.chain[i:j])
		}
		i = j
	}
	slices.SortStableFunc(found, func(a, b []market.OptionQuote) int {
		da, db := v.days(a[0].Expiration), v.days(b[0].Expiration)
		if d := abs(da-aim) - abs(db-aim); d != 0 {
			return d
		}
		if da != db {
			return da - db
		}
		return morning(a[0]) - morning(b[0])
	})
	return found
}

func morning(q market.OptionQuote) int {
	if q.Settlement == market.SettledAM {
		return 1
	}
	return 0
}

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// A strikeRule says which strike of an expiry is taken. The first of its parts
// that is set counts.
type strikeRule struct {
	kind options.Kind
	sell bool
	// moneyness is a part of the price: the highest put strike at or below it, the
	// lowest call strike at or above it.
	moneyness float64
	// delta is the size of the delta that comes nearest, and within the distance
	// that is allowed from it (0: any).
	delta, within float64
	// from and width ask for the strike nearest to that many dollars below (puts) or
	// above (calls) another.
	from, width float64
	// atMoney asks for the strike nearest to the price.
	atMoney bool
}

// choose returns the contract that a rule asks for among those of an expiry.
func (v *view) choose(expiry []market.OptionQuote, r strikeRule) (market.OptionQuote, bool) {
	best, found, distance := market.OptionQuote{}, false, math.Inf(1)
	for _, q := range expiry {
		if q.Kind != r.kind {
			continue
		}
		d := v.distance(q, r)
		if d < distance && v.tradable(q, r.sell) {
			best, found, distance = q, true, d
		}
	}
	return best, found
}

// distance is how far a contract is from what a rule asks for; +Inf or NaN when
// it is out of the question.
func (v *view) distance(q market.OptionQuote, r strikeRule) float64 {
	k := float64(q.Kind)
	switch {
	case r.moneyness > 0:
		if d := k * (q.Strike - r.moneyness*v.spot); d >= -1e-9*v.spot { // 1.1 × 100 is a little more than 110
			return d
		}
	case r.delta > 0:
		if !v.sound(q) {
			break
		}
		if r.from > 0 && !(k*(q.Strike-r.from) > 0) {
			break
		}
		if d := math.Abs(math.Abs(v.ownDelta(q)) - r.delta); r.within == 0 || d <= r.within+1e-12 {
			return d
		}
	case r.width > 0:
		if k*(q.Strike-r.from) > 0 {
			return math.Abs(k*(q.Strike-r.from) - r.width)
		}
	case r.atMoney:
		return math.Abs(q.Strike - v.spot)
	}
	return math.Inf(1)
}

// atMoney returns call and put of the strike nearest to the price at which both
// can be traded.
func (v *view) atMoney(expiry []market.OptionQuote, sell bool) (call, put market.OptionQuote, ok bool) {
	distance := math.Inf(1)
	for i := 0; i+1 < len(expiry); i++ {
		c, p := expiry[i], expiry[i+1]
		if c.Kind != options.Call || p.Kind != options.Put || c.Strike != p.Strike {
			continue
		}
		d := math.Abs(c.Strike - v.spot)
		if d < distance && c.Bid > 0 && p.Bid > 0 && v.tradable(c, sell) && v.tradable(p, sell) {
			call, put, ok, distance = c, p, true, d
		}
	}
	return call, put, ok
}

// cashOf is what picks bring per unit in dollars at their middle prices: negative
// when they cost.
func cashOf(picks []pick, spot float64) float64 {
	cash := 0.0
	for _, p := range picks {
		if p.shares() {
			cash -= float64(p.ratio) * spot
			continue
		}
		cash -= float64(p.ratio) * 100 * p.quote.Mid()
	}
	return cash
}

// worstLoss is the most that options of one expiry, and shares, can lose for one
// unit, positive; +Inf when there is no bound or expiries differ. The loss is
// reckoned from the middle prices.
func worstLoss(picks []pick, spot float64) float64 {
	cash := cashOf(picks, spot)
	corners := []float64{0}
	slope := 0.0 // above all strikes
	var expiry market.Date
	for _, p := range picks {
		switch {
		case p.shares():
			slope += float64(p.ratio)
			continue
		case expiry.IsZero():
			expiry = p.quote.Expiration
		case expiry != p.quote.Expiration:
			return math.Inf(1)
		}
		corners = append(corners, p.quote.Strike)
		if p.quote.Kind == options.Call {
			slope += float64(p.ratio) * 100
		}
	}
	if slope < 0 {
		return math.Inf(1)
	}
	worst := math.Inf(1)
	for _, at := range corners {
		value := cash
		for _, p := range picks {
			if p.shares() {
				value += float64(p.ratio) * at
			} else {
				value += float64(p.ratio) * 100 * max(float64(p.quote.Kind)*(at-p.quote.Strike), 0)
			}
		}
		worst = min(worst, value)
	}
	return max(-worst, 0)
}

// capitalOf is the money that one unit ties up: the most that it can lose, or
// where that has no bound what Regulation T asks for. NaN when it is not known.
func (v *view) capitalOf(picks []pick) float64 {
	if loss := worstLoss(picks, v.spot); !unknownNumber(loss) {
		return loss
	}
	order := broker.Order{Type: broker.Market}
	prices := map[market.Symbol]decimal.Decimal{}
	for _, p := range picks {
		price := v.spot
		if !p.shares() {
			price = p.quote.Mid()
		}
		if unknownNumber(price) || unknownNumber(v.spot) {
			return math.NaN()
		}
		action := broker.BuyToOpen
		if p.ratio < 0 {
			action = broker.SellToOpen
		}
		order.Legs = append(order.Legs, broker.Leg{Symbol: p.symbol, Action: action, Quantity: decimal.NewFromInt(int64(abs(p.ratio)))})
		prices[p.symbol] = decimal.NewFromFloat(price)
	}
	in := broker.MarginInput{Date: v.today, Underlyings: map[market.Symbol]decimal.Decimal{v.p.Symbol: decimal.NewFromFloat(v.spot)}}
	m, err := (&broker.MarginRules{}).OrderMargin(in, broker.NewTicket(order), prices)
	if err != nil {
		return math.NaN()
	}
	return m.BuyingPower.Neg().InexactFloat64()
}

// units is how many units of picks may be opened: the number given, or as many
// as capital and the most risk allow.
func (v *view) units(picks []pick) int {
	p := v.p
	if p.Contracts > 0 {
		return p.Contracts
	}
	most := math.Inf(1)
	if p.Capital > 0 {
		most = p.Capital * v.s.Equity()
	}
	if p.MaxRisk > 0 {
		most = min(most, p.MaxRisk)
	}
	unit := v.capitalOf(picks)
	if !(most > 0) || !(unit > 0) || math.IsInf(most, 1) {
		return 0
	}
	n := int(math.Floor(most/unit + 1e-9))
	if p.MaxContracts > 0 {
		n = min(n, p.MaxContracts)
	}
	return min(n, 10_000)
}
