package analysts

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// findings is the evidence with the values behind it that rules need in full.
type findings struct {
	*book
	in    *inputs
	rules Rules
	cal   *market.Calendar

	series    market.Series
	end       time.Time // when the last bar was complete
	lines     []ChartLine
	rsi       []float64
	supports  []namedLevel // nearest first
	resists   []namedLevel
	contracts []pricedContract // of the expirations for candidates
	today     market.Date
	chain     *options.Chain // nil: there is none
	// strategies are those that candidates are looked for.
	strategies []Strategy
	limit      float64       // the most that the vetoes allow, of 100
	earnings   *market.Event // the next one; nil when none is known
	dividend   *market.Event
}

// stale is how much regular trading time a quote may be old.
const stale = 30 * time.Minute

func (f *findings) addData() {
	in := f.in
	f.addBars()
	f.putAge("data.quote_age", in.quote.value.Time, in.quote.absent)
	var newest time.Time
	for _, q := range in.chain.value {
		if q.Time.After(newest) {
			newest = q.Time
		}
	}
	f.putAge("data.chain_age", newest, in.chain.absent)
}

func (f *findings) addBars() {
	in, bars := f.in, f.in.bars
	if len(bars) == 0 {
		f.lackAll(GroupData, in.noBars)
		return
	}
	first, last := market.DateOf(f.local(bars[0].Time)), market.DateOf(f.local(bars[len(bars)-1].Time))
	text := fmt.Sprintf("%s from %s to %s", plural(len(bars), "bar", "bars"), first, last)
	if in.dropped > 0 {
		text += fmt.Sprintf(", %d unusable left out", in.dropped)
	}
	f.put("data.bars", float64(len(bars)), f.end, text, "")

	if around := f.series.Symbol.Kind(); around != market.KindEquity {
		f.lack("data.last_bar", "its market does not follow the exchange calendar")
		f.lack("data.missing_bars", "its market does not follow the exchange calendar")
	} else {
		late := 0
		for _, s := range f.cal.Sessions(last.AddDays(1), market.DateOf(in.at)) {
			if !s.Close.After(in.at) {
				late++
			}
		}
		text = "of " + last.String()
		if late > 0 {
			text += ", " + plural(late, "session", "sessions") + " behind"
		}
		f.put("data.last_bar", float64(late), f.end, text, "")
		missing := max(0, len(f.cal.Sessions(first, last))-len(bars))
		f.put("data.missing_bars", float64(missing), f.end, plural(missing, "session", "sessions")+" without a bar", "")
	}
}

func (f *findings) putAge(id string, t time.Time, absent string) {
	switch {
	case absent != "":
		f.lack(id, absent)
	case t.IsZero():
		f.lack(id, "the source does not say when it was quoted")
	default:
		age := max(0, f.cal.TradingTime(t, f.in.at))
		text := "current"
		if minutes := math.Floor(age.Minutes()); minutes > 1 {
			text = thousands(minutes) + " minutes of trading"
		} else if minutes == 1 {
			text = "1 minute of trading"
		}
		f.put(id, age.Minutes(), f.local(t), text, "")
	}
}

func (f *findings) local(t time.Time) time.Time { return t.In(f.cal.Location()) }

func (f *findings) addQuote() {
	p := f.in.quote
	if p.absent != "" {
		f.lackAll(GroupQuote, p.absent)
		return
	}
	q := p.value
	at := f.in.at
	if !q.Time.IsZero() {
		at = f.local(q.Time)
	}
	mid := q.Mid()
	if !(mid > 0) {
		mid = math.NaN()
	}
	f.put("quote.price", mid, at, price(mid), "neither a bid and ask nor a last trade")
	change := mid/f.value("trend.close") - 1
	f.put("quote.change", change, at, percent(change), "needs quote.price and trend.close")
	spread := math.NaN()
	if q.Bid > 0 && q.Ask >= q.Bid {
		spread = (q.Ask - q.Bid) / ((q.Ask + q.Bid) / 2)
	}
	f.put("quote.spread", spread, at, fmt.Sprintf("%.3f%%, %s at %s", 100*spread, price(q.Bid), price(q.Ask)), "no bid and ask")
	halted, text := 0.0, "trading"
	if q.Halted {
		halted, text = 1, "halted"
	}
	f.put("quote.halted", halted, at, text, "")
}

// addEvents records what is announced, from the source's calendar or, without
// one, its metrics.
func (f *findings) addEvents() {
	metrics := f.in.metrics
	if f.in.events.absent != "" && metrics.absent != "" {
		f.lackAll(GroupEvents, f.in.events.absent)
		return
	}
	f.earnings = f.next(market.Earnings, metrics.value.NextEarnings)
	f.dividend = f.next(market.Dividend, metrics.value.NextDividend)

	none := fmt.Sprintf("none announced for the next %d days", eventHorizon)
	if f.in.events.absent != "" {
		none = f.in.events.absent
	}
	switch e := f.earnings; {
	case e != nil:
		text := e.Date.String()
		if e.Timing != "" {
			text += " " + bounded(e.Timing, 20) // a source wrote it
		}
		if e.Estimated {
			text += " (estimated)"
		}
		f.put("events.earnings", float64(f.today.DaysUntil(e.Date)), f.in.at, text, "")
	case !f.isCompany():
		f.lack("events.earnings", "a fund or index reports none")
	default:
		f.lack("events.earnings", none)
	}
	if e := f.dividend; e != nil {
		text := "ex-date " + e.Date.String()
		if e.Estimated {
			text += " (estimated)"
		}
		f.put("events.dividend", float64(f.today.DaysUntil(e.Date)), f.in.at, text, "")
		f.put("events.dividend_amount", e.Value, f.in.at, price(e.Value)+" per share", "the amount is not announced")
		return
	}
	f.lack("events.dividend", none)
	f.lack("events.dividend_amount", none)
}

// next returns the first event of a kind that is still to come.
func (f *findings) next(kind market.EventKind, fallback *market.Event) *market.Event {
	events := f.in.events.value
	if fallback != nil {
		events = append(slices.Clone(events), *fallback)
	}
	var found *market.Event
	for _, e := range events {
		if e.Kind != kind || e.Date.Before(f.today) || e.Date == f.today && f.isOver(e) {
			continue
		}
		if found == nil || e.Date.Before(found.Date) {
			found = &e
		}
	}
	return found
}

// isOver tells whether an event dated today lies behind the analysis: a report
// before the open once the session has opened, an ex-date at any time, for its
// shares already trade without the dividend.
func (f *findings) isOver(e market.Event) bool {
	session, ok := f.cal.Session(e.Date)
	return ok && f.in.at.After(session.Open) && (e.Kind == market.Dividend || e.Timing == "before open")
}

func (f *findings) addFundamentals() {
	p := f.in.metrics
	if p.absent != "" {
		f.lackAll(GroupFundamentals, p.absent)
		return
	}
	m, at := p.value, f.metricsTime()
	f.put("fundamentals.market_cap", m.MarketCap, at, thousands(m.MarketCap/1e6)+" million", noData)
	f.put("fundamentals.pe", m.PriceEarnings, at, fmt.Sprintf("%.1f", m.PriceEarnings), noData)
	f.put("fundamentals.dividend_yield", m.DividendYield, at, share(m.DividendYield), noData)
	f.put("fundamentals.beta", m.Beta, at, fmt.Sprintf("%.2f", m.Beta), noData)
	rating := float64(m.LiquidityRating)
	if m.LiquidityRating == 0 {
		rating = math.NaN()
	}
	f.put("fundamentals.liquidity", rating, at, fmt.Sprintf("%d of 5", m.LiquidityRating), noData)
}

func (f *findings) metricsTime() time.Time {
	if t := f.in.metrics.value.Time; !t.IsZero() {
		return f.local(t)
	}
	return f.in.at
}

func (f *findings) addMarket(benchmark market.Symbol, rate float64) {
	f.put("market.rate", rate, f.in.at, share(rate), "")
	p := f.in.benchmark
	if p.absent != "" {
		f.lackAll(GroupMarket, p.absent)
		return
	}
	closes := market.NewSeries(benchmark, market.Day, p.value).Close
	at := f.cal.BarEnd(p.value[len(p.value)-1].Time, market.Day)
	distance := smaDistance(closes, 200)
	f.put("market.trend", distance, at, fmt.Sprintf("%s %s its 200-day average", benchmark, away(distance, "below", "above")), fewBars)
	change := rateOfChange(closes, 21)
	f.put("market.roc21", change, at, string(benchmark)+" "+percent(change), fewBars)
}
