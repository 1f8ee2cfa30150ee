package backtest

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
	"github.com/ttai-go/ttai/strategy"
)

// OptionLegsParams are those of "option-legs".
type OptionLegsParams struct {
	Symbol   market.Symbol   `json:"symbol" doc:"the underlying"`
	Interval market.Interval `json:"interval" optional:"true" doc:"interval of the underlying's bars; empty: there are none, or daily ones"`
	Legs     string          `json:"legs" doc:"contracts to trade, such as '-1 put <=0.97S, +1 put 250 2025-12-19': quantity, kind, strike (a number; at most, at least or nearest to a part of the price: <=0.97S >=1.03S ~S) and expiry"`
	Shares   float64         `json:"shares" min:"-1e9" max:"1e9" doc:"shares traded beside them"`
	Entry    string          `json:"entry" optional:"true" doc:"the day, or day and time, of the first chain that may be traded on, such as 2025-11-25; empty: the first of all"`
	Expiry   string          `json:"expiry" optional:"true" doc:"expiry of legs that name none; empty: the first after the entry"`
	Band     float64         `json:"band" min:"0" max:"1e12" doc:"dollars of delta from which shares bring it to zero; 0: no hedging"`
	Rate     float64         `json:"rate" min:"-0.5" max:"1" doc:"interest rate of the deltas"`
}

// A legWanted is a contract as parameters describe it.
type legWanted struct {
	quantity float64
	kind     market.OptionKind
	relation string // "", "<=", ">=" or "~"
	strike   float64
	ofSpot   bool
	expiry   market.Date // zero: that of all
}

// optionLegs trades a list of contracts once and holds them until they expire.
type optionLegs struct {
	p      OptionLegsParams
	legs   []legWanted
	entry  market.Date
	minute int // of the entry's day
	expiry market.Date
	state  optionLegsState
}

type optionLegsState struct {
	Entered bool      `json:"entered"`
	Held    []heldLeg `json:"held,omitempty"`
}

type heldLeg struct {
	Symbol   market.Symbol `json:"symbol"`
	Quantity float64       `json:"quantity"`
}

func newOptionLegs(p OptionLegsParams) (strategy.Strategy, error) {
	o := &optionLegs{p: p}
	var err error
	if day, clock, timed := strings.Cut(strings.Replace(p.Entry, "T", " ", 1), " "); p.Entry != "" {
		if o.entry, err = market.ParseDate(day); err != nil {
			return nil, invalid.Field("entry", p.Entry, "a date such as 2025-11-25, or with a time 2025-11-25 10:30")
		}
		if timed {
			hour, minute, ok := strings.Cut(clock, ":")
			h, err1 := strconv.Atoi(hour)
			m, err2 := strconv.Atoi(minute)
			if !ok || err1 != nil || err2 != nil || h < 0 || h > 23 || m < 0 || m > 59 {
				return nil, invalid.Field("entry", p.Entry, "a time such as 2025-11-25 10:30")
			}
			o.minute = 60*h + m
		}
	}
	if p.Expiry != "" {
		if o.expiry, err = market.ParseDate(p.Expiry); err != nil {
			return nil, invalid.Field("expiry", p.Expiry, "a date such as 2025-12-05")
		}
	}
	for text := range strings.SplitSeq(p.Legs, ",") {
		if strings.TrimSpace(text) == "" {
			continue
		}
		leg, err := parseLeg(text)
		if err != nil {
			return nil, err
		}
		o.legs = append(o.legs, leg)
	}
	if len(o.legs) == 0 {
		return nil, invalid.Field("legs", p.Legs, "at least one, such as '-1 put <=0.97S'")
	}
	return o, nil
}

func parseLeg(text string) (legWanted, error) {
	const allowed = "quantity, call or put, strike and perhaps expiry, such as -1 put <=0.97S 2025-12-05"
	var out legWanted
	words := strings.Fields(text)
	if len(words) < 3 || len(words) > 4 {
		return out, invalid.Field("legs", text, allowed)
	}
	n, err := strconv.ParseFloat(words[0], 64)
	if err != nil || n == 0 || n != math.Trunc(n) || math.Abs(n) > 1e6 {
		return out, invalid.Field("legs", text, allowed)
	}
	out.quantity = n
	switch strings.ToLower(words[1]) {
	case "call", "c":
		out.kind = market.Call
	case "put", "p":
		out.kind = market.Put
	default:
		return out, invalid.Field("legs", text, allowed)
	}
	strike := words[2]
	for _, relation := range []string{"<=", ">=", "~"} {
		if rest, ok := strings.CutPrefix(strike, relation); ok {
			out.relation, strike = relation, rest
		}
	}
	if part, ok := strings.CutSuffix(strings.ToUpper(strike), "S"); ok {
		out.ofSpot, strike = true, part
		if strike == "" {
			strike = "1"
		}
	}
	if out.strike, err = strconv.ParseFloat(strike, 64); err != nil || !(out.strike > 0) || math.IsInf(out.strike, 1) || out.ofSpot && out.relation == "" {
		return out, invalid.Field("legs", text, "a strike such as 250, <=0.97S, >=1.03S or ~S")
	}
	if len(words) == 4 {
		if out.expiry, err = market.ParseDate(words[3]); err != nil {
			return out, invalid.Field("legs", text, allowed)
		}
	}
	return out, nil
}

func (o *optionLegs) Needs() strategy.Needs {
	return strategy.Needs{Symbols: []market.Symbol{o.p.Symbol}, Chains: []market.Symbol{o.p.Symbol}, Interval: o.p.Interval}
}

func (o *optionLegs) Begin(*strategy.Session) error { return nil }

func (o *optionLegs) Handle(s *strategy.Session, e *strategy.Event) error {
	if e.Kind != strategy.ChainEvent || e.Symbol != o.p.Symbol {
		return nil
	}
	if !o.state.Entered && o.due(s) {
		o.enter(s, e.Chain)
	}
	if o.state.Entered && o.p.Band > 0 {
		o.hedge(s, e.Chain)
	}
	return nil
}

// due tells whether the day and time of the entry have come.
func (o *optionLegs) due(s *strategy.Session) bool {
	if s.Date() != o.entry {
		return o.entry.Before(s.Date())
	}
	now := s.Now().In(s.Calendar().Location())
	return 60*now.Hour()+now.Minute() >= o.minute
}

// enter trades the legs, what is bought first: it pays for no margin. Where a
// contract is not in the chain it waits for the next.
func (o *optionLegs) enter(s *strategy.Session, chain []market.OptionQuote) {
	spot := s.Price(o.p.Symbol)
	expiry := o.expiry
	for i := 0; i < len(chain) && expiry == (market.Date{}); i++ {
		if s.Date().Before(chain[i].Expiration) {
			expiry = chain[i].Expiration
		}
	}
	var held []heldLeg
	for _, leg := range o.legs {
		if leg.expiry == (market.Date{}) {
			leg.expiry = expiry
		}
		q := leg.in(chain, spot)
		if q == nil {
			s.Log("no contract for %s %v of %s in the chain", leg.kind, leg.strike, leg.expiry)
			return
		}
		held = append(held, heldLeg{q.Symbol, leg.quantity})
	}
	o.state = optionLegsState{Entered: true, Held: held}
	trade := func(symbol market.Symbol, n float64) {
		if _, err := s.Trade(symbol, n); err != nil {
			s.Log("trading %s: %v", symbol, err)
		}
	}
	if o.p.Shares != 0 {
		trade(o.p.Symbol, o.p.Shares)
	}
	for _, sign := range []float64{1, -1} {
		for _, h := range held {
			if h.Quantity*sign > 0 {
				trade(h.Symbol, h.Quantity)
			}
		}
	}
}

// in finds the contract in a chain; nil when it is not there.
func (l legWanted) in(chain []market.OptionQuote, spot float64) *market.OptionQuote {
	strike := l.strike
	if l.ofSpot {
		strike *= spot
	}
	var found *market.OptionQuote
	for i := range chain {
		q := &chain[i]
		if q.Expiration != l.expiry || q.Kind != l.kind {
			continue
		}
		better := found == nil
		switch l.relation {
		case "<=":
			if q.Strike > strike {
				continue
			}
			better = better || q.Strike > found.Strike
		case ">=":
			if q.Strike < strike {
				continue
			}
			better = better || q.Strike < found.Strike
		case "~":
			if !bothBid(chain, q) {
				continue
			}
			better = better || math.Abs(q.Strike-strike) < math.Abs(found.Strike-strike)
		default:
			if q.Strike != strike {
				continue
			}
		}
		if better {
			found = q
		}
	}
	return found
}

// bothBid tells whether call and put of a strike have bids.
func bothBid(chain []market.OptionQuote, of *market.OptionQuote) bool {
	n := 0
	for i := range chain {
		if q := &chain[i]; q.Expiration == of.Expiration && q.Strike == of.Strike && q.Root == of.Root && q.Bid > 0 {
			n++
		}
	}
	return n == 2
}

// hedge brings the delta to zero with whole shares when it is worth more than the
// band: on days of trading before the expiry, and not when a leg has no quote. The
// deltas are those of the quotes' own volatilities and whole days.
func (o *optionLegs) hedge(s *strategy.Session, chain []market.OptionQuote) {
	if _, session := s.Calendar().Session(s.Date()); !session {
		return
	}
	spot := s.Price(o.p.Symbol)
	delta := s.Position(o.p.Symbol).Quantity
	for _, h := range o.state.Held {
		contract, _ := h.Symbol.Contract()
		days := s.Date().DaysUntil(contract.Expiration)
		if days <= 0 {
			return
		}
		found := false
		for i := range chain {
			if q := &chain[i]; q.Symbol == h.Symbol {
				found = true
				delta += h.Quantity * 100 * options.BSM{Spot: spot, Strike: q.Strike, Years: float64(days) / 365, Rate: o.p.Rate, Vol: q.IV}.Greeks(options.Kind(q.Kind)).Delta
			}
		}
		if !found {
			return
		}
	}
	if math.Abs(delta*spot) > o.p.Band { // false when the delta is not known
		if _, err := s.Trade(o.p.Symbol, math.Round(-delta)); err != nil {
			s.Log("hedging: %v", err)
		}
	}
}

func (o *optionLegs) Snapshot() (json.RawMessage, error) { return json.Marshal(o.state) }

func (o *optionLegs) Restore(data json.RawMessage) error {
	if err := json.Unmarshal(data, &o.state); err != nil {
		return invalid.Fieldf("state", string(data), "a snapshot of this strategy (%v)", err)
	}
	return nil
}
