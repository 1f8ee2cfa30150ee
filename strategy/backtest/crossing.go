package backtest

import (
	"encoding/json"

	"github.com/shopspring/decimal"

	"github.com/ttai-go/ttai/broker"
	"github.com/ttai-go/ttai/indicators"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/strategy"
)

// ReferenceStrategies are strategies as other engines' examples write them, to
// compare results with theirs under their rules.
func ReferenceStrategies() []strategy.Definition {
	return []strategy.Definition{
		strategy.Define("sma-crossing", "Crossing averages", "On each crossing of two simple averages it closes what it holds and takes the other side: the example of backtesting.py and of backtrader.",
			CrossingParams{Interval: market.Day, Fast: 10, Slow: 30, Direction: "both"}, newCrossing),
		strategy.Define("every-bar", "Buy after every bar", "Buys so many units after each bar and holds them: zipline's example buyapple.",
			EveryBarParams{Interval: market.Day, Units: 10}, newEveryBar),
		strategy.Define("two-means", "Two means", "Holds so many units while the mean of the last closes is above that of more of them: zipline's example of a dual moving average.",
			TwoMeansParams{Interval: market.Day, Fast: 100, Slow: 300, Units: 100}, newTwoMeans),
		strategy.Define("option-legs", "Options until expiry", "Trades a list of contracts once and holds them until they expire, with shares beside them or against their delta: the examples of LEAN and of plain arithmetic.",
			OptionLegsParams{Legs: "+1 call ~S, +1 put ~S", Rate: 0.04}, newOptionLegs),
	}
}

// CrossingParams are those of "sma-crossing".
type CrossingParams struct {
	Symbol    market.Symbol   `json:"symbol" doc:"what is traded"`
	Interval  market.Interval `json:"interval" doc:"interval of the bars"`
	Fast      int             `json:"fast" min:"1" max:"100000" doc:"bars of the faster average; 1: the close itself"`
	Slow      int             `json:"slow" min:"2" max:"100000" doc:"bars of the slower average"`
	Direction string          `json:"direction" choices:"long,both,long-first" doc:"whether a crossing below opens a short position; long-first: only out of a long one"`
	Stake     float64         `json:"stake" min:"0" max:"1e9" doc:"units of a position; 0: all that the account has, decided when it fills where the rules do so"`
	StopLoss  float64         `json:"stop_loss" min:"0" max:"1" doc:"part of the close below (above) which a stop leaves; 0: none, or both"`
	Target    float64         `json:"take_profit" min:"0" max:"10" doc:"part of the close above (below) which a limit leaves; 0: none, or both"`
	Once      bool            `json:"once" doc:"takes the first crossing above and holds"`
}

// crossing is the strategy.
type crossing struct {
	p          CrossingParams
	fast, slow *indicators.SMAStream
	last       float64 // the latest difference of the averages that was not zero
	held       *strategy.Position
	entered    bool
	due        int // the crossing of a bar that was taken and is still to be acted on
}

var _ strategy.Skimmer = (*crossing)(nil)

func newCrossing(p CrossingParams) (strategy.Strategy, error) {
	if p.Fast >= p.Slow {
		return nil, invalid.Fieldf("fast", p.Fast, "less than slow, which is %d", p.Slow)
	}
	if (p.StopLoss == 0) != (p.Target == 0) {
		return nil, invalid.Field("take_profit", p.Target, "set together with stop_loss")
	}
	fast, err := indicators.NewSMA(p.Fast)
	if err != nil {
		return nil, err
	}
	slow, err := indicators.NewSMA(p.Slow)
	if err != nil {
		return nil, err
	}
	return &crossing{p: p, fast: fast, slow: slow}, nil
}

func (c *crossing) Needs() strategy.Needs {
	return strategy.Needs{Symbols: []market.Symbol{c.p.Symbol}, Interval: c.p.Interval, History: c.p.Slow}
}

func (c *crossing) Begin(s *strategy.Session) error {
	c.held = s.Watch(c.p.Symbol)
	past := s.Bars(c.p.Symbol, c.p.Slow)
	for i := range past {
		c.sign(past[i].Close)
	}
	return nil
}

// sign takes a close and tells of a crossing: 1 above, -1 below.
func (c *crossing) sign(price float64) int {
	difference := c.fast.Update(price) - c.slow.Update(price)
	last := c.last
	switch {
	case difference > 0:
		c.last = difference
		if last < 0 {
			return 1
		}
	case difference < 0:
		c.last = difference
		if last > 0 {
			return -1
		}
	}
	return 0
}

func (c *crossing) Handle(s *strategy.Session, e *strategy.Event) error {
	if e.Kind != strategy.BarEvent || e.Symbol != c.p.Symbol || c.due == 0 && c.Skim(&e.Bar) {
		return nil
	}
	sign := c.due
	c.due = 0
	if c.p.Once {
		if sign > 0 && !c.entered {
			c.entered = true
			c.open(s, sign, e.Bar.Close)
		}
		return nil
	}
	if s.Busy() {
		if err := s.CancelAll(c.p.Symbol); err != nil {
			s.Log("cancelling: %v", err)
		}
	}
	was := c.held.Quantity
	if was != 0 {
		if _, err := s.Trade(c.p.Symbol, -c.held.Quantity); err != nil {
			s.Log("closing: %v", err)
		}
	}
	if sign > 0 || c.p.Direction == "both" || c.p.Direction == "long-first" && was > 0 {
		c.open(s, sign, e.Bar.Close)
	}
	return nil
}

// Skim is that of strategy.Skimmer: only a crossing is acted on.
func (c *crossing) Skim(b *market.Bar) bool {
	c.due = c.sign(b.Close)
	return c.due == 0
}

// open takes the side of a crossing.
func (c *crossing) open(s *strategy.Session, sign int, price float64) {
	enter, leave := broker.BuyToOpen, broker.SellToClose
	if sign < 0 {
		enter, leave = broker.SellToOpen, broker.BuyToClose
	}
	entry := strategy.MarketOrder(enter, c.p.Symbol, c.p.Stake)
	if c.p.Stake == 0 {
		equity := s.Equity()
		if !(equity > 0) {
			return
		}
		amount := decimal.NewFromFloat(equity)
		entry.Notional, entry.Legs[0].Quantity = &amount, decimal.Zero
	}
	ticket := broker.NewTicket(entry)
	if c.p.StopLoss > 0 {
		side := float64(sign)
		units := c.p.Stake
		if units == 0 {
			units = 1 // as many as the entry fills
		}
		target := strategy.LimitOrder(leave, c.p.Symbol, units, price*(1+side*c.p.Target))
		target.TimeInForce = broker.GTC
		stop := strategy.StopOrder(leave, c.p.Symbol, units, price*(1-side*c.p.StopLoss))
		ticket = broker.Ticket{Kind: broker.Bracket, Orders: []broker.Order{entry, target, stop}}
	}
	if _, err := s.Place(ticket); err != nil {
		s.Log("opening: %v", err)
	}
}

type crossingState struct {
	Last    market.Float `json:"last"`
	Entered bool         `json:"entered"`
	Fast    []byte       `json:"fast"`
	Slow    []byte       `json:"slow"`
}

func (c *crossing) Snapshot() (json.RawMessage, error) {
	fast, err := indicators.Snapshot(c.fast)
	if err != nil {
		return nil, err
	}
	slow, err := indicators.Snapshot(c.slow)
	if err != nil {
		return nil, err
	}
	return json.Marshal(crossingState{market.Float(c.last), c.entered, fast, slow})
}

func (c *crossing) Restore(data json.RawMessage) error {
	var in crossingState
	if err := json.Unmarshal(data, &in); err != nil {
		return invalid.Fieldf("state", string(data), "a snapshot of this strategy (%v)", err)
	}
	if err := indicators.Restore(c.fast, in.Fast); err != nil {
		return invalid.Fieldf("state.fast", len(in.Fast), "the state of the average (%v)", err)
	}
	if err := indicators.Restore(c.slow, in.Slow); err != nil {
		return invalid.Fieldf("state.slow", len(in.Slow), "the state of the average (%v)", err)
	}
	c.last, c.entered = float64(in.Last), in.Entered
	return nil
}
