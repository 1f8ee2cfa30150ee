package strategy

import (
	"encoding/json"
	"math"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/market"
)

// SignalParams are those of every strategy that buys and sells on signals, with
// fastquant's meanings. One that stands for an amount is a part: 0.5 is half.
type SignalParams struct {
	Symbol   market.Symbol   `json:"symbol" doc:"what is traded"`
	Interval market.Interval `json:"interval" doc:"interval of the bars"`

	BuyProp    float64 `json:"buy_prop" min:"0" max:"1" doc:"part of what the cash affords that a signal buys"`
	SellProp   float64 `json:"sell_prop" min:"0" max:"1" doc:"part of what is held that a signal sells"`
	Commission float64 `json:"commission" min:"0" max:"1" doc:"part of the value that is kept back for commissions when sizes are counted"`
	Slippage   float64 `json:"slippage" min:"0" max:"1" doc:"part of the price that is kept back for slippage when sizes are counted"`
	Fractional bool    `json:"fractional" doc:"buys parts of shares, where the broker can"`
	Single     bool    `json:"single_position" doc:"buys and sells in turn, rather than again on every signal"`

	StopLoss   float64 `json:"stop_loss" min:"0" max:"1" doc:"part of the price below that of the signal at which a stop sells what was bought; 0: none"`
	StopTrail  float64 `json:"stop_trail" min:"0" max:"1" doc:"part of the best price by which a trailing stop follows it; 0: none"`
	TakeProfit float64 `json:"take_profit" min:"0" doc:"sells all when a bar closes this part above the price of the last signal to buy; 0: never"`

	AllowShort bool    `json:"allow_short" doc:"signals to sell open a short position"`
	ShortMax   float64 `json:"short_max" min:"0" max:"10" doc:"largest short position, as a multiple of the account's value"`
}

// A signalTrader buys and sells on the signals of a rule at the market, one order
// at a time: what is pending has to end first.
type signalTrader struct {
	p SignalParams
	reader
	pos *Position

	bought float64 // close of the bar of the last signal to buy, 0 before
	turn   signal  // the last signal that was followed, with single_position
	leave  float64 // what is to be sold once the stops are out of the way
	stops  float64 // what the working stops sell

	sign signal // of the latest bar
	due  bool   // that bar was taken, and is still to be acted on
}

var _ Skimmer = (*signalTrader)(nil)

func newSignalTrader(p SignalParams, r rule, column string) *signalTrader {
	return &signalTrader{p: p, reader: reader{rule: r, symbol: p.Symbol, column: column}}
}

func (t *signalTrader) Needs() Needs {
	return Needs{Symbols: []market.Symbol{t.p.Symbol}, Interval: t.p.Interval, History: t.history()}
}

func (t *signalTrader) Begin(s *Session) error {
	t.pos = s.Watch(t.p.Symbol)
	t.begin(s)
	return nil
}

func (t *signalTrader) Handle(s *Session, e *Event) error {
	switch e.Kind {
	case BarEvent:
		if e.Symbol != t.p.Symbol {
			return nil
		}
		sign := t.sign
		if !t.due {
			sign = t.take(s, &e.Bar)
		}
		t.due = false
		if sign == nothing && t.p.TakeProfit == 0 && t.leave == 0 {
			return nil
		}
		t.act(s, sign, e.Bar.Close)
	case OrderEvent, FillEvent, GapEvent:
		t.follow(s)
	}
	return nil
}

// Skim is that of [Skimmer]: without a signal, and nothing to look for at each bar,
// there is nothing to do. A rule that goes by a column has to ask for it.
func (t *signalTrader) Skim(b *market.Bar) bool {
	if t.column != "" {
		return false
	}
	t.sign = t.take(nil, b)
	t.due = t.sign != nothing || t.p.TakeProfit != 0 || t.leave != 0
	return !t.due
}

// act follows a signal at the end of a bar.
func (t *signalTrader) act(s *Session, sign signal, price float64) {
	if t.leave != 0 {
		t.follow(s)
	}
	if s.Pending(t.p.Symbol) != 0 || t.leave != 0 {
		return
	}
	held := t.pos.Quantity
	switch {
	case sign == buy && (!t.p.Single || t.turn != buy):
		t.buy(s, price, held)
	case sign == sell && (!t.p.Single || t.turn == buy || t.turn == nothing && t.p.AllowShort):
		t.turn = sell
		t.sell(s, price, held)
	case t.p.TakeProfit > 0 && held > 0 && price >= t.bought*(1+t.p.TakeProfit):
		t.turn = nothing
		t.out(s, held)
	}
}

func (t *signalTrader) buy(s *Session, price, held float64) {
	cash := s.Cash()
	if t.p.Fractional && !(cash >= 10) || !t.p.Fractional && !(cash >= price) {
		return
	}
	t.turn, t.bought = buy, price
	afforded := cash / ((price * (1 + t.p.Slippage)) * (1 + t.p.Commission))
	size := math.Min(math.Abs(held)+(afforded-math.Abs(held))*t.p.BuyProp, afforded)
	if t.p.Fractional {
		size = math.Floor(size*1e6) / 1e6
	} else {
		size = math.Trunc(size)
	}
	if !(size > 0) {
		return
	}
	t.trade(s, size)
}

func (t *signalTrader) sell(s *Session, price, held float64) {
	if t.p.AllowShort {
		size := math.Trunc(s.Equity()*t.p.ShortMax*t.p.SellProp/price) + held
		if size > 0 {
			t.out(s, size)
		}
		return
	}
	if held <= 0 {
		return
	}
	size := held
	if t.p.SellProp < 1 {
		size = held * t.p.SellProp
		if !t.p.Fractional {
			size = math.Trunc(size)
		}
	}
	t.out(s, size)
}

// out sells once no stop stands in the way.
func (t *signalTrader) out(s *Session, size float64) {
	t.leave = size
	t.follow(s)
}

func (t *signalTrader) trade(s *Session, quantity float64) {
	if _, err := s.Trade(t.p.Symbol, quantity); err != nil {
		s.Log("order for %v %s: %v", quantity, t.p.Symbol, err)
	}
}

// follow brings the stops in line with what is held, and sells what waits for
// them to end.
func (t *signalTrader) follow(s *Session) {
	stops := t.protecting(s)
	if t.leave != 0 {
		for _, o := range stops {
			if err := s.Cancel(o.ID); err != nil {
				s.Log("cancelling the stop of %s: %v", t.p.Symbol, err)
			}
		}
		if len(t.protecting(s)) > 0 {
			return // its end will be told
		}
		size := t.leave
		t.leave, t.stops = 0, 0
		if !t.p.AllowShort {
			size = math.Min(size, t.pos.Quantity)
		}
		t.trade(s, -size)
		return
	}
	if t.p.StopLoss == 0 && t.p.StopTrail == 0 || s.Pending(t.p.Symbol) != 0 {
		return
	}
	held := math.Max(t.pos.Quantity, 0)
	if len(stops) > 0 && held == t.stops {
		return
	}
	for _, o := range stops {
		if err := s.Cancel(o.ID); err != nil {
			s.Log("cancelling the stop of %s: %v", t.p.Symbol, err)
		}
	}
	if held > 0 && len(t.protecting(s)) == 0 {
		t.protect(s, held)
	}
}

// protecting are the working stops.
func (t *signalTrader) protecting(s *Session) []broker.OrderState {
	if !s.Busy() {
		return nil
	}
	var out []broker.OrderState
	for _, o := range s.Working() {
		if (o.Order.Type == broker.Stop || o.Order.Type == broker.TrailingStop) && o.Order.Legs[0].Symbol == t.p.Symbol {
			out = append(out, o)
		}
	}
	return out
}

// protect places the stops of a long position: as one that cancels the other
// when there are two.
func (t *signalTrader) protect(s *Session, held float64) {
	var stops []broker.Order
	if t.p.StopLoss > 0 && t.bought > 0 {
		stops = append(stops, StopOrder(broker.SellToClose, t.p.Symbol, held, cents(t.bought*(1-t.p.StopLoss))))
	}
	if t.p.StopTrail > 0 {
		percent := Amount(t.p.StopTrail * 100)
		if percent.LessThan(decimal.NewFromInt(100)) {
			stops = append(stops, broker.Order{
				Type: broker.TrailingStop, Trail: &broker.Trail{Percent: &percent}, TimeInForce: broker.GTC,
				Legs: []broker.Leg{NewLeg(broker.SellToClose, t.p.Symbol, held)},
			})
		}
	}
	ticket := broker.Ticket{Orders: stops}
	switch len(stops) {
	case 0:
		return
	case 2:
		ticket.Kind = broker.OCO
	}
	t.stops = held
	if _, err := s.Place(ticket); err != nil {
		t.stops = 0
		s.Log("stop of %s: %v", t.p.Symbol, err)
	}
}

// cents rounds a price of a share to what can be quoted.
func cents(price float64) float64 {
	if price < 1 {
		return math.Round(price*1e4) / 1e4
	}
	return math.Round(price*100) / 100
}

type signalState struct {
	Reader readerState  `json:"reader"`
	Bought market.Float `json:"bought"`
	Turn   signal       `json:"turn"`
	Leave  float64      `json:"leave"`
	Stops  float64      `json:"stops"`
}

func (t *signalTrader) Snapshot() (json.RawMessage, error) {
	state, err := t.state()
	if err != nil {
		return nil, err
	}
	return json.Marshal(signalState{state, market.Float(t.bought), t.turn, t.leave, t.stops})
}

func (t *signalTrader) Restore(data json.RawMessage) error {
	var in signalState
	if err := readState(data, &in); err != nil {
		return err
	}
	if err := t.restore(in.Reader); err != nil {
		return err
	}
	t.bought, t.turn, t.leave, t.stops = float64(in.Bought), in.Turn, in.Leave, in.Stops
	return nil
}
