package paper

import (
	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// A lifecycle is what the clearing house remembers, as it stands in snapshots.
type lifecycle struct {
	Actions  []CorporateAction                 `json:",omitempty"` // to come, by date
	Payables []payable                         `json:",omitempty"`
	Declined map[AccountID][]market.Symbol     `json:",omitempty"` // not to be exercised
	Adjusted map[market.Symbol]decimal.Decimal `json:",omitempty"` // shares that a contract delivers after a split
	Accrued  map[AccountID]decimal.Decimal     `json:",omitempty"` // interest not yet posted
	Calls    map[AccountID][]MarginCall        `json:",omitempty"`
	// Liquidations counts the orders that margin calls sent.
	Liquidations int `json:",omitempty"`
}

func (l *lifecycle) declined(account AccountID, option market.Symbol) bool {
	for _, s := range l.Declined[account] {
		if s == option {
			return true
		}
	}
	return false
}

func (l *lifecycle) decline(account AccountID, option market.Symbol, decline bool) {
	var kept []market.Symbol
	for _, s := range l.Declined[account] {
		if s != option {
			kept = append(kept, s)
		}
	}
	if decline {
		kept = append(kept, option)
	}
	if l.Declined == nil {
		l.Declined = map[AccountID][]market.Symbol{}
	}
	if l.Declined[account] = kept; len(kept) == 0 {
		delete(l.Declined, account)
	}
}

func (l *lifecycle) adjust(option market.Symbol, shares decimal.Decimal) {
	if l.Adjusted == nil {
		l.Adjusted = map[market.Symbol]decimal.Decimal{}
	}
	l.Adjusted[option] = shares
}

func (l *lifecycle) accrued(account AccountID, amount decimal.Decimal) {
	if l.Accrued == nil {
		l.Accrued = map[AccountID]decimal.Decimal{}
	}
	if l.Accrued[account] = amount; amount.IsZero() {
		delete(l.Accrued, account)
	}
}

func (l *lifecycle) call(account AccountID, c MarginCall) {
	if l.Calls == nil {
		l.Calls = map[AccountID][]MarginCall{}
	}
	l.Calls[account] = []MarginCall{c}
}

// scheduleDay plans the clearing house's work of the next session that has not
// closed: before it trades, after its open, and after its close, when on-close
// orders have filled and day orders have ended.
func (x *Exchange) scheduleDay() {
	s, ok := market.NYSE().Session(x.today())
	if !ok || x.now >= s.Close.UnixNano() {
		s = market.NYSE().Next(x.time())
		for !s.Date.IsZero() && s.Close.UnixNano() <= x.now {
			s = market.NYSE().Next(s.Open)
		}
	}
	if s.Date.IsZero() {
		return
	}
	if at := s.Date.In(x.location).UnixNano(); at > x.now {
		x.schedule(event{At: at, Rank: rankVenue, Kind: eventMorning})
	}
	if at := s.Open.Add(opening).UnixNano(); at > x.now {
		x.schedule(event{At: at, Rank: rankDay, Kind: eventOpened})
	}
	x.schedule(event{At: s.Close.UnixNano(), Rank: rankDay, Kind: eventDay})
}

// morning is the work before a session's day.
func (x *Exchange) morning() { x.corporate(x.today()) }

// daily is the work after a session's close.
func (x *Exchange) daily() {
	today := x.today()
	x.settleExpired()
	if next := market.NYSE().Next(x.time()).Date; !next.IsZero() {
		x.earlyAssignments(next)
		x.accrue(today, next)
	}
	x.callMargin(today)
	for _, a := range x.accountList {
		x.listed(a)
	}
	x.scheduleDay()
}

var _ = broker.Interest
