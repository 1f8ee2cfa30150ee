package simulator

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A chainMemory is a market that remembers its option chains.
type chainMemory interface {
	ChainAt(req market.ChainRequest, t time.Time) ([]market.OptionQuote, error)
}

// A backtestPlan tries a strategy on the past: once a session, a quarter of an
// hour before the close, at the middle of the quotes and without fees.
type backtestPlan struct {
	sim      *Simulator
	chains   chainMemory
	past     pastMarket
	symbol   market.Symbol
	from, to market.Date
	legs     []backtestLeg
	entry    entryConditions
	exit     exitConditions

	open   []*openTrial
	closed float64 // profit of the trials that have ended
}

type openTrial struct {
	opened     time.Time
	day        market.Date
	legs       []trialLeg
	cost       float64 // what opening it cost, negative when it was received
	expiration market.Date
	value      float64 // at the last look
}

type trialLeg struct {
	symbol     market.Symbol
	quantity   float64 // signed, times the multiplier
	kind       market.OptionKind
	strike     float64
	expiration market.Date
	price      float64 // at the last look
}

// beforeClose is when the strategy is looked at.
const beforeClose = 15 * time.Minute

// run tries the strategy session by session.
func (p *backtestPlan) run(ctx context.Context, b *backtest) {
	sessions := p.sim.calendar.Sessions(p.from, p.to)
	b.mu.Lock()
	b.wire.Status = "running"
	b.mu.Unlock()
	b.log("%s: %d sessions from %s to %s", p.symbol, len(sessions), p.from, p.to)
	var trials []backtestTrial
	var snapshots []backtestSnapshot
	for i, session := range sessions {
		b.mu.Lock()
		stop := b.cancelled || ctx.Err() != nil
		b.mu.Unlock()
		if stop {
			b.log("cancelled on %s", session.Date)
			break
		}
		ended, spot := p.session(session, b)
		trials = append(trials, ended...)
		open := 0.0
		for _, t := range p.open {
			open += t.value - t.cost
		}
		if !math.IsNaN(spot) {
			snapshots = append(snapshots, backtestSnapshot{wireTime(session.Close.Add(-beforeClose)), cents(p.closed + open), spot})
		}
		done := float64(i+1) / float64(len(sessions))
		b.mu.Lock()
		b.wire.Progress = done
		b.wire.ETA = p.sim.wall.Now().Sub(b.began).Seconds() * (1 - done) / done
		b.wire.Trials, b.wire.Snapshots = trials, snapshots
		b.mu.Unlock()
	}
	b.log("%d trials", len(trials))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cancelled {
		b.wire.Notices = append(b.wire.Notices, "The backtest was cancelled before its end.")
	}
	if len(p.open) > 0 {
		b.wire.Notices = append(b.wire.Notices, "Trials that were open at the end are in no figure but the snapshots.")
	}
	b.wire.Status, b.wire.Progress, b.wire.ETA = "completed", 1, 0
	b.wire.Statistics = figures(trials)
}

func cents(x float64) float64 { return math.Round(x*100) / 100 }

// session closes and opens the trials of one day.
func (p *backtestPlan) session(session market.Session, b *backtest) (ended []backtestTrial, spot float64) {
	at := session.Close.Add(-beforeClose)
	spot = p.price(p.symbol, at)
	vix := p.price("VIX", at)
	still := p.open[:0]
	for _, t := range p.open {
		p.value(t, at, session)
		if p.leaves(t, session.Date, vix) {
			ended = append(ended, p.end(t, at))
			continue
		}
		still = append(still, t)
	}
	p.open = still
	if math.IsNaN(spot) || !p.enters(session.Date, vix) {
		return ended, spot
	}
	if most := p.entry.MaximumActiveTrials; most != nil && len(p.open) >= *most {
		if p.entry.Behavior == nil || *p.entry.Behavior != "close oldest" || len(p.open) == 0 {
			return ended, spot
		}
		ended = append(ended, p.end(p.open[0], at))
		p.open = slices.Delete(p.open, 0, 1)
	}
	t, problem := p.enter(session.Date, at, spot)
	if problem != "" {
		b.log("%s: no trial: %s", session.Date, problem)
		return ended, spot
	}
	p.open = append(p.open, t)
	return ended, spot
}

// price is the middle of a past quote; NaN when there is none.
func (p *backtestPlan) price(symbol market.Symbol, at time.Time) float64 {
	q, err := p.past.QuoteAt(symbol, at)
	if err != nil {
		return math.NaN()
	}
	return q.Mid()
}

// value looks at what a trial is worth. Options that have expired are worth what
// they were worth at the close of their last day.
func (p *backtestPlan) value(t *openTrial, at time.Time, session market.Session) {
	t.value = 0
	for i := range t.legs {
		leg := &t.legs[i]
		switch {
		case leg.kind != 0 && leg.expiration.Before(session.Date):
			last := p.sim.calendar.Sessions(leg.expiration, leg.expiration)
			if len(last) == 1 {
				if close := p.price(p.symbol, last[0].Close); !math.IsNaN(close) {
					leg.price = max(0, float64(leg.kind)*(close-leg.strike))
				}
			}
		default:
			if price := p.price(leg.symbol, at); !math.IsNaN(price) {
				leg.price = price
			}
		}
		t.value += leg.quantity * leg.price
	}
}

func (p *backtestPlan) end(t *openTrial, at time.Time) backtestTrial {
	p.closed += t.value - t.cost
	return backtestTrial{wireTime(t.opened), wireTime(at), cents(t.value - t.cost)}
}

// leaves reports whether a trial ends today.
func (p *backtestPlan) leaves(t *openTrial, day market.Date, vix float64) bool {
	x := &p.exit
	profit, basis := t.value-t.cost, math.Abs(t.cost)
	switch {
	case !t.expiration.IsZero() && !day.Before(t.expiration):
		return true
	case x.TakeProfit != nil && profit >= basis*float64(*x.TakeProfit)/100:
		return true
	case x.StopLoss != nil && -profit >= basis*float64(*x.StopLoss)/100:
		return true
	case x.DaysInTrade != nil && t.day.DaysUntil(day) >= *x.DaysInTrade:
		return true
	case x.DaysToExpiry != nil && !t.expiration.IsZero() && day.DaysUntil(t.expiration) <= *x.DaysToExpiry:
		return true
	}
	return x.MinimumVIX != nil && vix >= float64(*x.MinimumVIX)
}

// enters reports whether a trial may begin on a day.
func (p *backtestPlan) enters(day market.Date, vix float64) bool {
	e := &p.entry
	if e.MinimumVIX != nil && !(vix >= float64(*e.MinimumVIX)) || e.MaximumVIX != nil && !(vix <= float64(*e.MaximumVIX)) {
		return false
	}
	if e.Frequency != nil && *e.Frequency == "on specific days of the week" {
		return slices.Contains(e.SpecificDays, int(day.In(time.UTC).Weekday()))
	}
	return true
}

// enter opens a trial, or says why there is none.
func (p *backtestPlan) enter(day market.Date, at time.Time, spot float64) (*openTrial, string) {
	exact := p.entry.Frequency != nil && *p.entry.Frequency == "on exact days to expiration match"
	t := &openTrial{opened: at, day: day}
	strikes := make([]float64, len(p.legs))
	for i, leg := range p.legs {
		sign := 1.0
		if leg.Direction == "short" {
			sign = -1
		}
		if leg.Type == "equity" {
			strikes[i] = spot
			t.legs = append(t.legs, trialLeg{symbol: p.symbol, quantity: sign * float64(leg.Quantity), price: spot})
			t.cost += sign * float64(leg.Quantity) * spot
			continue
		}
		quotes, err := p.chains.ChainAt(market.ChainRequest{Underlying: p.symbol, Expirations: p.dates(day, leg.DaysUntilExpiration, exact, at)}, at)
		if err != nil || len(quotes) == 0 {
			return nil, "no chain"
		}
		q := leg.choose(quotes, spot, strikes)
		if q == nil {
			return nil, "no strike"
		}
		strikes[i] = q.Strike
		price := (q.Bid + q.Ask) / 2
		if math.IsNaN(price) {
			return nil, "no quote"
		}
		quantity := sign * float64(leg.Quantity) * 100
		t.legs = append(t.legs, trialLeg{q.Symbol, quantity, q.Kind, q.Strike, q.Expiration, price})
		t.cost += quantity * price
		if t.expiration.IsZero() || q.Expiration.Before(t.expiration) {
			t.expiration = q.Expiration
		}
	}
	t.value = t.cost
	return t, ""
}

// dates is the expiration that is nearest to so many days ahead, or exactly so
// many.
func (p *backtestPlan) dates(day market.Date, days int, exact bool, at time.Time) []market.Date {
	if exact {
		return []market.Date{day.AddDays(days)}
	}
	for off := range 30 {
		for _, date := range [...]market.Date{day.AddDays(days + off), day.AddDays(days - off)} {
			if !day.Before(date) {
				continue
			}
			if quotes, err := p.chains.ChainAt(market.ChainRequest{Underlying: p.symbol, Expirations: []market.Date{date}, Strikes: 1}, at); err == nil && len(quotes) > 0 {
				return []market.Date{date}
			}
		}
	}
	return []market.Date{day.AddDays(days)}
}

// choose finds the contract of a leg.
func (l *backtestLeg) choose(quotes []market.OptionQuote, spot float64, strikes []float64) *market.OptionQuote {
	kind := market.Call
	if l.Side == "put" {
		kind = market.Put
	}
	outward := float64(kind) // out of the money is up for calls
	target := math.NaN()
	switch l.StrikeSelection {
	case "percentageOTM":
		target = spot * (1 + outward**l.PercentageOTM)
	case "percentageOTMRelative":
		target = strikes[*l.StrikeRelativeLeg] * (1 + outward**l.PercentageOTM)
	case "currentPriceOffset":
		target = spot + *l.CurrentPriceOffset
	case "currentPriceOffsetRelative", "currentPriceExactOffsetRelative":
		target = strikes[*l.StrikeRelativeLeg] + *l.CurrentPriceOffset
	}
	best, distance := -1, math.Inf(1)
	for i := range quotes {
		q := &quotes[i]
		if q.Kind != kind {
			continue
		}
		d := math.Abs(q.Strike - target)
		switch l.StrikeSelection {
		case "delta":
			d = math.Abs(math.Abs(q.Delta)*100 - *l.Delta)
		case "premium":
			d = math.Abs((q.Bid+q.Ask)/2*100 - *l.Premium)
		}
		if d < distance {
			best, distance = i, d
		}
	}
	if best < 0 || l.StrikeSelection == "currentPriceExactOffsetRelative" && distance > 1e-9 {
		return nil
	}
	return &quotes[best]
}

// figures are the statistics of a backtest.
func figures(trials []backtestTrial) []backtestFigure {
	total, wins, best, worst := 0.0, 0, math.Inf(-1), math.Inf(1)
	for _, t := range trials {
		total += t.ProfitLoss
		best, worst = max(best, t.ProfitLoss), min(worst, t.ProfitLoss)
		if t.ProfitLoss > 0 {
			wins++
		}
	}
	list := []backtestFigure{{"Number of trades", float64(len(trials))}, {"Total profit/loss", cents(total)}}
	if n := float64(len(trials)); n > 0 {
		list = append(list, backtestFigure{"Win percentage", cents(100 * float64(wins) / n)}, backtestFigure{"Average profit/loss", cents(total / n)},
			backtestFigure{"Highest profit", best}, backtestFigure{"Highest loss", worst})
	}
	return list
}

// A pricedTrade is a combination whose past prices are asked for.
type pricedTrade struct {
	past       pastMarket
	chains     chainMemory
	underlying market.Symbol
	legs       []pricedLeg
}

type pricedLeg struct {
	symbol   market.Symbol
	quantity float64 // signed
}

// at is what the trade cost at a time; not ok when it could not be priced.
func (p *pricedTrade) at(t time.Time) (simulatedPrice, bool) {
	spot, err := p.past.QuoteAt(p.underlying, t)
	if err != nil || math.IsNaN(spot.Mid()) {
		return simulatedPrice{}, false
	}
	price, delta := 0.0, 0.0
	for _, leg := range p.legs {
		if leg.symbol == p.underlying {
			price += leg.quantity * spot.Mid() / 100 // options are quoted per share, of which a contract has 100
			delta += leg.quantity / 100
			continue
		}
		c, ok := leg.symbol.Contract()
		if !ok {
			return simulatedPrice{}, false
		}
		quotes, err := p.chains.ChainAt(market.ChainRequest{Underlying: p.underlying, Expirations: []market.Date{c.Expiration}, MinStrike: c.Strike, MaxStrike: c.Strike}, t)
		at := slices.IndexFunc(quotes, func(q market.OptionQuote) bool { return q.Symbol == leg.symbol })
		if err != nil || at < 0 || math.IsNaN(quotes[at].Bid+quotes[at].Ask) {
			return simulatedPrice{}, false
		}
		price += leg.quantity * (quotes[at].Bid + quotes[at].Ask) / 2
		if d := quotes[at].Delta; !math.IsNaN(d) {
			delta += leg.quantity * d
		}
	}
	effect := "debit"
	if price < 0 {
		effect = "credit"
	}
	return simulatedPrice{wireTime(t), math.Round(math.Abs(price)*1e4) / 1e4, effect, spot.Mid(), math.Round(delta*1e6) / 1e6}, true
}
