package simulator

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A toldPosition is a position as the account streamer tells it.
type toldPosition struct {
	wirePosition
	UpdateType string `json:"update-type"`
	OrderID    int64  `json:"order-id,omitempty"`
}

// tellPosition tells what an account holds of a symbol now; a position that was
// closed has the quantity 0.
func (s *Simulator) tellPosition(account string, symbol market.Symbol, order int64, at time.Time) {
	if !s.hub.listens(account) {
		return
	}
	a, err := s.accountHeld(s.ctx, account)
	if err != nil {
		s.log("position not told", "error", err)
		return
	}
	position := PositionState{Symbol: symbol, OpenedAt: at}
	if i := slices.IndexFunc(a.Positions, func(p PositionState) bool { return p.Symbol == symbol }); i >= 0 {
		position = a.Positions[i]
	}
	one := *a
	one.Positions = []PositionState{position}
	open, _, err := s.holdings(s.ctx, &one)
	if err != nil || len(open) == 0 {
		s.log("position not told", "error", err)
		return
	}
	told := toldPosition{wirePosition: s.wirePosition(a, &open[0], false), UpdateType: "Changed", OrderID: order}
	told.UpdatedAt = wireTime(at)
	if position.Quantity.IsZero() {
		told.QuantityDirection, told.CostEffect, told.UpdateType = "Zero", "None", "Closed"
	}
	s.tellAccount(account, "CurrentPosition", told)
}

// tellBalance tells the money of an account.
func (s *Simulator) tellBalance(account string) {
	if !s.hub.listens(account) {
		return
	}
	if b, err := s.balanceOf(account); err == nil {
		s.tellAccount(account, "AccountBalance", b)
	}
}

// balanceOf is the money of an account, with the heart locked.
func (s *Simulator) balanceOf(account string) (wireBalance, error) {
	a, err := s.accountHeld(s.ctx, account)
	if err != nil {
		return wireBalance{}, err
	}
	open, settled, err := s.holdings(s.ctx, a)
	if err != nil {
		return wireBalance{}, err
	}
	return s.wireBalance(a, s.measure(a, open, settled, s.clock.Now())), nil
}

// tellStatus tells the trading status of an account when it has changed.
func (s *Simulator) tellStatus(account string) {
	if !s.hub.listens(account) {
		return
	}
	status, ok := s.tradingStatus(account)
	if !ok {
		return
	}
	key, err := json.Marshal([]any{status.IsInMarginCall, status.IsClosingOnly, status.DayTradeCount, status.IsPatternDayTrader})
	if err != nil {
		return
	}
	t := &s.trade
	before, told := t.gains.statuses[account]
	if t.gains.statuses == nil {
		t.gains.statuses = map[string]string{}
	}
	t.gains.statuses[account] = string(key)
	if told && before != string(key) {
		s.tellAccount(account, "TradingStatus", status)
	}
}

// A gainBook adds up what was made of each underlying in a year, and counts the
// round trips of a day.
type gainBook struct {
	years    map[gainKey]*gain
	statuses map[string]string // what was told last of an account's trading status
}

type gainKey struct {
	account, symbol string
	year            int
}

type gain struct {
	fees, commissions, cash decimal.Decimal
}

func (g *gainBook) add(tx *broker.Transaction) {
	if tx.Symbol == "" {
		return
	}
	if g.years == nil {
		g.years = map[gainKey]*gain{}
	}
	key := gainKey{string(tx.Account), string(tx.Symbol), tx.Time.Year()}
	one := g.years[key]
	if one == nil {
		one = &gain{}
		g.years[key] = one
	}
	if tx.Fees != nil {
		one.commissions = one.commissions.Add(tx.Fees.Commission)
		one.fees = one.fees.Add(tx.Fees.Total().Sub(tx.Fees.Commission))
	}
	one.cash = one.cash.Add(tx.Amount)
}

type wireGain struct {
	Year              int    `json:"year"`
	AccountNumber     string `json:"account-number"`
	Symbol            string `json:"symbol"`
	InstrumentType    string `json:"instrument-type"`
	Fees              string `json:"fees"`
	FeesEffect        string `json:"fees-effect"`
	Commissions       string `json:"commissions"`
	CommissionsEffect string `json:"commissions-effect"`
	Gain              string `json:"yearly-realized-gain"`
	GainEffect        string `json:"yearly-realized-gain-effect"`
	LotGain           string `json:"realized-lot-gain"`
	LotGainEffect     string `json:"realized-lot-gain-effect"`
}

type wireOrderChain struct {
	ID        int64             `json:"id"`
	Account   string            `json:"account-number"`
	What      string            `json:"description"`
	Symbol    string            `json:"underlying-symbol"`
	Computed  wireChainComputed `json:"computed-data"`
	NodeCount int               `json:"lite-nodes-sizes"`
	Nodes     []wireChainNode   `json:"lite-nodes"`
	CreatedAt string            `json:"created-at"`
	UpdatedAt string            `json:"updated-at"`
}

type wireChainComputed struct {
	Open              bool             `json:"open"`
	Fees              string           `json:"total-fees"`
	FeesEffect        string           `json:"total-fees-effect"`
	Commissions       string           `json:"total-commissions"`
	CommissionsEffect string           `json:"total-commissions-effect"`
	Gain              string           `json:"realized-gain"`
	GainEffect        string           `json:"realized-gain-effect"`
	NetGain           string           `json:"realized-gain-with-fees"`
	NetGainEffect     string           `json:"realized-gain-with-fees-effect"`
	RollCount         int              `json:"roll-count"`
	OpenedAt          string           `json:"opened-at"`
	LastOccurredAt    string           `json:"last-occurred-at"`
	OpeningCost       string           `json:"total-opening-cost"`
	OpeningEffect     string           `json:"total-opening-cost-effect"`
	ClosingCost       string           `json:"total-closing-cost"`
	ClosingEffect     string           `json:"total-closing-cost-effect"`
	Cost              string           `json:"total-cost"`
	CostEffect        string           `json:"total-cost-effect"`
	OpenEntries       []wireChainEntry `json:"open-entries"`
}

type wireChainNode struct {
	Type        string         `json:"node-type"`
	ID          string         `json:"id"`
	Description string         `json:"description"`
	OccurredAt  string         `json:"occurred-at"`
	Fees        string         `json:"total-fees"`
	FeesEffect  string         `json:"total-fees-effect"`
	Cost        string         `json:"total-fill-cost"`
	CostEffect  string         `json:"total-fill-cost-effect"`
	Roll        bool           `json:"roll"`
	Legs        []wireChainLeg `json:"legs"`
}

type wireChainLeg struct {
	Symbol         string `json:"symbol"`
	InstrumentType string `json:"instrument-type"`
	Action         string `json:"action"`
	Filled         string `json:"fill-quantity"`
	Ordered        string `json:"order-quantity"`
}

type wireChainEntry struct {
	Symbol         string `json:"symbol"`
	InstrumentType string `json:"instrument-type"`
	Quantity       string `json:"quantity"`
	QuantityType   string `json:"quantity-type"`
	QuantityNumber string `json:"quantity-numeric"`
}

// tellChain tells the trades in a symbol since they were last flat, and once they
// are flat again what was made of the symbol this year.
func (s *Simulator) tellChain(account string, symbol market.Symbol, at time.Time) {
	if !s.hub.listens(account) {
		return
	}
	list, err := s.trade.broker.Transactions(s.ctx, broker.AccountID(account), s.start, at.Add(time.Nanosecond))
	if err != nil {
		s.log("order chain not told", "error", err)
		return
	}
	c := wireOrderChain{ID: int64(identity(account + string(symbol))), Account: account, Symbol: string(symbol), What: string(symbol)}
	if kind := symbol.Kind(); kind == market.KindOption || kind == market.KindFutureOption {
		c.Symbol = string(s.underlyingSymbol(symbol))
	}
	var held, fees, commissions, opening, closing decimal.Decimal
	if a := s.initial(account); a != nil {
		for _, p := range a.Positions {
			if p.Symbol == symbol {
				held = p.Quantity
			}
		}
	}
	for i := range list {
		tx := &list[i]
		if tx.Symbol != symbol || tx.Quantity.IsZero() {
			continue
		}
		if held.IsZero() { // a new chain begins
			c.Nodes, fees, commissions, opening, closing = nil, decimal.Zero, decimal.Zero, decimal.Zero, decimal.Zero
			c.CreatedAt = wireTime(tx.Time)
		}
		cost, paid := tx.Amount, decimal.Zero
		if tx.Fees != nil {
			paid = tx.Fees.Total()
			cost = cost.Sub(paid)
			fees, commissions = fees.Add(paid), commissions.Add(tx.Fees.Commission)
		}
		if held.Sign()*tx.Quantity.Sign() >= 0 {
			opening = opening.Add(cost)
		} else {
			closing = closing.Add(cost)
		}
		held = held.Add(tx.Quantity)
		c.Nodes = append(c.Nodes, s.chainNode(tx, cost, paid))
	}
	if len(c.Nodes) == 0 {
		return
	}
	c.NodeCount = len(c.Nodes)
	c.CreatedAt = otherwise(c.CreatedAt, c.Nodes[0].OccurredAt)
	c.UpdatedAt = wireTime(at)
	d := &c.Computed
	d.Open, d.OpenedAt, d.LastOccurredAt = !held.IsZero(), c.CreatedAt, c.Nodes[len(c.Nodes)-1].OccurredAt
	d.Fees, d.FeesEffect = magnitude(fees)
	d.Commissions, d.CommissionsEffect = magnitude(commissions)
	d.OpeningCost, d.OpeningEffect = magnitude(opening)
	d.ClosingCost, d.ClosingEffect = magnitude(closing)
	d.Cost, d.CostEffect = magnitude(opening.Add(closing))
	realized := decimal.Zero
	d.OpenEntries = []wireChainEntry{}
	if held.IsZero() {
		realized = opening.Add(closing)
	} else {
		direction := "Long"
		if held.IsNegative() {
			direction = "Short"
		}
		d.OpenEntries = append(d.OpenEntries, wireChainEntry{string(symbol), kindName(symbol), decimalText(held.Abs()), direction, decimalText(held)})
	}
	d.Gain, d.GainEffect = magnitude(realized)
	net := decimal.Zero
	if held.IsZero() {
		net = realized.Add(fees)
	}
	d.NetGain, d.NetGainEffect = magnitude(net)
	s.tellAccount(account, "OrderChain", c)
	if held.IsZero() {
		s.tellGain(account, symbol, at)
	}
}

func (s *Simulator) chainNode(tx *broker.Transaction, cost, fees decimal.Decimal) wireChainNode {
	w := s.trade.wireTransaction(s.ctx, tx, 0)
	n := wireChainNode{Type: "order", ID: string(tx.Order), Description: w.Description, OccurredAt: w.ExecutedAt}
	if id := s.trade.byEngine[tx.Order]; id != 0 {
		n.ID = strconv.FormatInt(id, 10)
	}
	if w.Type != "Trade" {
		n.Type = "event"
	}
	n.Fees, n.FeesEffect = magnitude(fees)
	n.Cost, n.CostEffect = magnitude(cost)
	n.Legs = []wireChainLeg{{w.Symbol, w.InstrumentType, w.Action, w.Quantity, w.Quantity}}
	return n
}

func (s *Simulator) tellGain(account string, symbol market.Symbol, at time.Time) {
	one := s.trade.gains.years[gainKey{account, string(symbol), at.Year()}]
	if one == nil {
		return
	}
	w := wireGain{Year: at.Year(), AccountNumber: account, Symbol: string(symbol), InstrumentType: kindName(symbol)}
	w.Fees, w.FeesEffect = magnitude(one.fees)
	w.Commissions, w.CommissionsEffect = magnitude(one.commissions)
	w.Gain, w.GainEffect = magnitude(one.cash.Sub(one.fees).Sub(one.commissions))
	w.LotGain, w.LotGainEffect = w.Gain, w.GainEffect
	s.tellAccount(account, "UnderlyingYearGainSummary", w)
}

type wireTransfer struct {
	ID            int64  `json:"id"`
	AccountNumber string `json:"account-number"`
	Amount        string `json:"amount"`
	Direction     string `json:"direction"`
	BankType      string `json:"bank-account-type"`
	BankingDate   string `json:"banking-date"`
	Disbursement  string `json:"disbursement-type"`
	ExtTransferID string `json:"ext-transfer-id"`
	Available     string `json:"funds-available-date"`
	IsCancelable  bool   `json:"is-cancelable"`
	IsAccepted    bool   `json:"is-clearing-accepted"`
	State         string `json:"state"`
	Method        string `json:"transfer-method"`
	CreatedAt     string `json:"created-at"`
	UpdatedAt     string `json:"updated-at"`
}

// Transfer moves money into an account from a bank, or out of it when the amount
// is negative.
func (s *Simulator) Transfer(account string, amount decimal.Decimal) error {
	s.heart.mu.Lock()
	defer s.heart.mu.Unlock()
	if err := s.ready(s.ctx); err != nil {
		return err
	}
	now := s.clock.Now()
	s.beatTo(s.ctx, now)
	t := &s.trade
	if err := t.exchange.Transfer(broker.AccountID(account), amount, "ACH "+map[bool]string{true: "WITHDRAWAL", false: "DEPOSIT"}[amount.IsNegative()]); err != nil {
		return err
	}
	t.lastID++
	w := wireTransfer{ID: t.lastID, AccountNumber: account, Amount: decimalText(amount.Abs()), Direction: "Incoming", BankType: "Checking",
		BankingDate: s.today().String(), Disbursement: "PARTIAL_BALANCE", ExtTransferID: strconv.FormatInt(t.lastID, 10), Available: s.today().String(),
		IsAccepted: true, State: "Completed", Method: "ACH", CreatedAt: wireTime(now), UpdatedAt: wireTime(now)}
	if amount.IsNegative() {
		w.Direction = "Outgoing"
	}
	s.tellAccount(account, "ExternalTransaction", w)
	t.drain(now)
	return nil
}

// restore takes what a snapshot has.
func (g *gainBook) restore(snap *snapshot) error {
	g.years, g.statuses = map[gainKey]*gain{}, snap.Statuses
	for _, one := range snap.Gains {
		numbers := [3]decimal.Decimal{}
		for i, text := range [...]string{one.Fees, one.Commissions, one.Cash} {
			d, err := decimal.NewFromString(text)
			if err != nil {
				return invalid.Field("gains", text, "decimal numbers")
			}
			numbers[i] = d
		}
		g.years[gainKey{one.Account, one.Symbol, one.Year}] = &gain{numbers[0], numbers[1], numbers[2]}
	}
	return nil
}
