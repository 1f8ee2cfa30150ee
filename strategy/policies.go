package strategy

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// What happens to shares of an assignment or exercise: see [Management.Assigned].
const (
	AssignedFlatten = "flatten"
	AssignedKeep    = "keep"
)

// Management are the policies by which an open position is adjusted, rolled and
// closed. They are asked in this order, and the first that applies acts:
// assignment, dividend, earnings, stop, profit, defence, roll, last day. A policy
// that needs a price which is missing, crossed or stale waits for it.
type Management struct {
	TakeProfit float64 `json:"take_profit" min:"0" max:"100" doc:"closes at this part of the credit, or of the debit, in profit at middle prices; 0: never"`
	StopLoss   float64 `json:"stop_loss" min:"0" max:"100" doc:"closes at a loss of this multiple of the credit or debit; 0: never"`

	StopDelta      float64 `json:"stop_delta" min:"0" max:"1" doc:"closes when the delta of a sold option is this large, without sign; 0: never"`
	StopDeltaTimes float64 `json:"stop_delta_times" min:"0" max:"100" doc:"closes when the delta of a sold option is this multiple of what it was at entry; 0: never"`
	StopNetDelta   float64 `json:"stop_net_delta" min:"0" max:"10" doc:"closes when the delta of one unit, per share and without sign, is this large; 0: never"`
	StopVol        float64 `json:"stop_vol" min:"0" max:"10" doc:"closes when the volatility of a sold option is this high (0.8 is 80 %); 0: never"`

	CloseDTE    int           `json:"close_dte" min:"-1" max:"1500" doc:"closes this many days before the first expiry; -1: never"`
	CloseBefore time.Duration `json:"close_before" min:"0" max:"24h" doc:"closes this long before the close of the first expiry's day; 0: lets it expire"`

	BeforeDividend bool `json:"before_dividend" doc:"closes, or rolls when rolls are allowed, on the session before an ex-dividend date when a sold call in the money has less time value than the dividend"`
	BeforeEarnings int  `json:"before_earnings" min:"0" max:"60" doc:"closes so many sessions before the price can react to earnings, and opens nothing from then on; 0: never"`

	Assigned string `json:"assigned" choices:"flatten,keep" doc:"whether shares of an assignment are sold at once or kept; what is left of a structure whose other options are gone is always closed"`

	RollDTE    int     `json:"roll_dte" min:"-1" max:"1500" doc:"rolls to a later expiry this many days before the first; -1: never"`
	RollDelta  float64 `json:"roll_delta" min:"0" max:"1" doc:"rolls to a later expiry when the delta of a sold option is this large, without sign; 0: never"`
	RollTested bool    `json:"roll_tested" doc:"rolls to a later expiry when the price is at a sold strike or beyond"`
	RollCredit bool    `json:"roll_credit" doc:"rolls only when the middle prices give a credit"`
	MaxRolls   int     `json:"max_rolls" min:"0" max:"1000" doc:"most rolls of one position"`

	DefendDelta float64 `json:"defend_delta" min:"0" max:"1" doc:"with options sold on both sides: when the delta of one is this large, rolls the other side to the strikes of defend_to; 0: never"`
	DefendTo    float64 `json:"defend_to" min:"0" max:"1" doc:"delta, without sign, of the option sold in defence"`
	MaxDefends  int     `json:"max_defends" min:"0" max:"100" doc:"most defences of one position"`
}

// defaultManagement holds to expiry, flattens assignments and leaves before
// dividends that would be lost.
func defaultManagement() Management {
	return Management{CloseDTE: -1, RollDTE: -1, Assigned: AssignedFlatten, BeforeDividend: true, RollCredit: true, MaxRolls: 3, DefendTo: 0.3, MaxDefends: 1}
}

func (m *Management) check() error {
	switch {
	case m.RollDTE >= 0 && m.CloseDTE > m.RollDTE:
		return invalid.Fieldf("roll_dte", m.RollDTE, "at least close_dte, %d, or -1: what is closed is not rolled", m.CloseDTE)
	case m.DefendDelta > 0 && m.DefendTo == 0:
		return invalid.Field("defend_to", m.DefendTo, "a delta above 0, for defend_delta")
	}
	return nil
}

// A verdict is what a policy wants.
type verdict int8

const (
	leaveIt verdict = iota
	closeIt
	rollIt
	defendIt
)

// A situation is what policies look at.
type situation struct {
	*view
	h      *holding
	m      *Management
	opened float64 // |delta| of the sold option at entry, NaN when it is not known
	vol    float64 // mean volatility at entry, NaN when it is not known
	rolls  int     // so far
	defs   int     // defences so far
	keeps  bool    // the strategy holds shares itself
	broken bool    // the options are no structure of the strategy's any more
	// gain is the profit that counts: of the open options, and where shares hedge
	// them of all since the entry. NaN when it is not known.
	gain float64
}

// A policy looks at a situation and says what it wants, and why.
type policy struct {
	name   string
	urgent bool // it pays the price that fills at once
	check  func(*situation) (verdict, string)
}

// policies are all of them in their order, with those of a strategy's own behind
// the stops. Before asking them it is known that there are options.
func policies(own ...policy) []policy {
	return slices.Concat([]policy{
		{"assignment", true, (*situation).assigned},
		{"dividend", true, (*situation).dividend},
		{"earnings", false, (*situation).earnings},
		{"stop", true, (*situation).stop},
	}, own, []policy{
		{"profit", false, (*situation).profitTaken},
		{"defence", false, (*situation).defend},
		{"roll", false, (*situation).roll},
		{"last day", true, (*situation).lastDay},
	})
}

// assigned: shares that no strategy of this kind holds, or options that are left
// of a structure when others were assigned or have expired.
func (s *situation) assigned() (verdict, string) {
	if s.h.shares != 0 && !s.keeps && s.m.Assigned == AssignedFlatten {
		return closeIt, fmt.Sprintf("%g shares were assigned", s.h.shares)
	}
	if s.broken {
		return closeIt, "what is left is no structure of its own"
	}
	return leaveIt, ""
}

// sessionsTo is how many sessions there are from today to a date, both included.
func (s *situation) sessionsTo(date market.Date) int {
	return len(s.s.Calendar().Sessions(s.today, date))
}

// lookahead is how far ahead announcements are read.
const lookahead = 100

func (s *situation) dividend() (verdict, string) {
	calls := s.h.short(options.Call)
	if !s.m.BeforeDividend || len(calls) == 0 {
		return leaveIt, ""
	}
	for _, e := range s.s.Events(s.p.Symbol, s.today.AddDays(1), s.today.AddDays(10)) {
		if e.Kind != market.Dividend || s.sessionsTo(e.Date.AddDays(-1)) != 1 {
			continue
		}
		for _, l := range calls {
			inside := s.spot - l.contract.Strike
			if l.contract.Expiration.Before(e.Date) || !(inside > 0) {
				continue
			}
			left := math.NaN()
			if l.quoted {
				left = l.quote.Mid() - inside
			}
			if left >= e.Value { // what is not known is taken for a risk
				continue
			}
			why := fmt.Sprintf("ex-dividend %s, %s is in the money with less time value than the dividend", e.Date, l.symbol)
			if s.mayRoll() {
				return rollIt, why
			}
			return closeIt, why
		}
	}
	return leaveIt, ""
}

// beforeEarnings returns the next earnings that leave no more sessions than asked
// for before the price can react.
func (v *view) beforeEarnings(sessions int) (market.Event, bool) {
	if sessions == 0 {
		return market.Event{}, false
	}
	for _, e := range v.s.Events(v.p.Symbol, v.today, v.today.AddDays(lookahead)) {
		if e.Kind != market.Earnings {
			continue
		}
		last := e.Date // the last session without the news
		if e.Timing != "after close" {
			last = last.AddDays(-1)
		}
		if n := len(v.s.Calendar().Sessions(v.today, last)); n >= 1 && n <= sessions {
			return e, true
		}
	}
	return market.Event{}, false
}

func (s *situation) earnings() (verdict, string) {
	if e, ok := s.beforeEarnings(s.m.BeforeEarnings); ok {
		return closeIt, "earnings on " + e.Date.String()
	}
	return leaveIt, ""
}

func (s *situation) stop() (verdict, string) {
	m := s.m
	if basis, profit := math.Abs(s.h.opening()), s.gain; m.StopLoss > 0 && basis > 0 && profit <= -m.StopLoss*basis {
		return closeIt, fmt.Sprintf("a loss of %.2f on %.2f", -profit, basis)
	}
	if m.StopNetDelta > 0 {
		alone := *s.h
		alone.shares = 0
		if g, ok := s.exposure(&alone); ok {
			if d := math.Abs(g.Delta) / (100 * float64(max(s.h.units(), 1))); d >= m.StopNetDelta {
				return closeIt, fmt.Sprintf("a delta of %.2f a unit", d)
			}
		}
	}
	if m.StopDelta == 0 && m.StopDeltaTimes == 0 && m.StopVol == 0 {
		return leaveIt, ""
	}
	for _, l := range s.h.short(0) {
		if !l.quoted {
			continue
		}
		delta := math.Abs(s.delta(l.quote))
		switch {
		case m.StopDelta > 0 && delta >= m.StopDelta:
			return closeIt, fmt.Sprintf("a delta of %.2f of %s", delta, l.symbol)
		case m.StopDeltaTimes > 0 && delta >= m.StopDeltaTimes*s.opened:
			return closeIt, fmt.Sprintf("a delta of %.2f of %s after %.2f", delta, l.symbol, s.opened)
		case m.StopVol > 0 && s.view.vol(l.quote) >= m.StopVol:
			return closeIt, fmt.Sprintf("a volatility of %.0f %% of %s", 100*s.view.vol(l.quote), l.symbol)
		}
	}
	return leaveIt, ""
}

func (s *situation) profitTaken() (verdict, string) {
	basis, profit := math.Abs(s.h.opening()), s.gain
	if s.m.TakeProfit > 0 && basis > 0 && profit >= s.m.TakeProfit*basis-1e-9 {
		return closeIt, fmt.Sprintf("a profit of %.2f on %.2f", profit, basis)
	}
	return leaveIt, ""
}

func (s *situation) defend() (verdict, string) {
	if s.m.DefendDelta == 0 || s.defs >= s.m.MaxDefends {
		return leaveIt, ""
	}
	if tested, _, ok := s.sides(); ok && s.sideDelta(tested) >= s.m.DefendDelta {
		return defendIt, fmt.Sprintf("the %s side is tested with a delta of %.2f", tested, s.sideDelta(tested))
	}
	return leaveIt, ""
}

// sides tells which of two sold sides is nearer to the money.
func (s *situation) sides() (tested, other options.Kind, ok bool) {
	if len(s.h.short(options.Call)) == 0 || len(s.h.short(options.Put)) == 0 {
		return 0, 0, false
	}
	calls, puts := s.sideDelta(options.Call), s.sideDelta(options.Put)
	switch {
	case math.IsNaN(calls) || math.IsNaN(puts):
		return 0, 0, false
	case calls >= puts:
		return options.Call, options.Put, true
	}
	return options.Put, options.Call, true
}

// sideDelta is the largest delta, without sign, of what is sold on a side.
func (s *situation) sideDelta(kind options.Kind) float64 {
	most := math.NaN()
	for _, l := range s.h.short(kind) {
		if !l.quoted {
			return math.NaN()
		}
		if d := math.Abs(s.delta(l.quote)); !(d < most) {
			most = d
		}
	}
	return most
}

// mayRoll tells whether the position may be rolled once more.
func (s *situation) mayRoll() bool {
	return s.rolls < s.m.MaxRolls && (s.m.RollDTE >= 0 || s.m.RollDelta > 0 || s.m.RollTested)
}

func (s *situation) roll() (verdict, string) {
	if !s.mayRoll() {
		return leaveIt, ""
	}
	if days := s.days(s.h.expiry()); s.m.RollDTE >= 0 && days <= s.m.RollDTE {
		return rollIt, fmt.Sprintf("%d days to expiry", days)
	}
	for _, l := range s.h.short(0) {
		if s.m.RollTested && float64(l.contract.Kind)*(s.spot-l.contract.Strike) >= 0 {
			return rollIt, fmt.Sprintf("%s is tested at %.2f", l.symbol, s.spot)
		}
		if s.m.RollDelta > 0 && l.quoted {
			if delta := math.Abs(s.delta(l.quote)); delta >= s.m.RollDelta {
				return rollIt, fmt.Sprintf("a delta of %.2f of %s", delta, l.symbol)
			}
		}
	}
	return leaveIt, ""
}

func (s *situation) lastDay() (verdict, string) {
	days := s.days(s.h.expiry())
	switch {
	case s.m.CloseDTE >= 0 && days <= s.m.CloseDTE:
		return closeIt, fmt.Sprintf("%d days to expiry", days)
	case s.m.CloseBefore > 0 && days == 0 && s.s.UntilClose() <= s.m.CloseBefore:
		return closeIt, "the last minutes before expiry"
	}
	return leaveIt, ""
}

// untested returns the picks that replace the untested side: an option of the
// delta asked for, and the wing at its old distance.
func (s *situation) untested() (side []heldLeg, picks []pick, why string) {
	tested, other, ok := s.sides()
	if !ok {
		return nil, nil, "the deltas of both sides are not known"
	}
	var short, long heldLeg
	for _, l := range s.h.legs {
		if l.contract.Kind != other {
			continue
		}
		side = append(side, l)
		if l.quantity < 0 {
			short = l
		} else {
			long = l
		}
	}
	if len(side) > 2 || short.symbol == "" {
		return nil, nil, "the untested side is no single option or spread"
	}
	limit := s.h.short(tested)[0].contract.Strike
	expiry := s.expiry(short.contract.Expiration)
	q, ok := s.choose(expiry, strikeRule{kind: other, sell: true, delta: s.m.DefendTo})
	k := float64(other)
	switch {
	case !ok:
		return nil, nil, "nothing to sell in defence"
	case k*(q.Strike-short.contract.Strike) >= 0:
		return nil, nil, "the untested side is near enough"
	case k*(q.Strike-limit) < 0: // never across the tested strike
		if q, ok = findStrike(expiry, other, limit); !ok || !s.tradable(q, true) {
			return nil, nil, "nothing to sell at the tested strike"
		}
	}
	picks = []pick{sold(q)}
	if long.symbol != "" {
		wing, ok := s.choose(expiry, strikeRule{kind: other, from: q.Strike, width: math.Abs(long.contract.Strike - short.contract.Strike)})
		if !ok {
			return nil, nil, "no wing for the option sold in defence"
		}
		picks = append(picks, bought(wing))
	}
	return side, picks, ""
}

func findStrike(expiry []market.OptionQuote, kind options.Kind, strike float64) (market.OptionQuote, bool) {
	for _, q := range expiry {
		if q.Kind == kind && q.Strike == strike {
			return q, true
		}
	}
	return market.OptionQuote{}, false
}
