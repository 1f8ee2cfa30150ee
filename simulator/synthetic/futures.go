package synthetic

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A FutureContract is one listed month of a future.
type FutureContract struct {
	market.Instrument
	Product string      // "ES"
	Month   market.Date // the first day of the contract's month
	// Active says that this is the month that most trade now; "/ES" stands for it.
	Active bool
	// Roll is the first trade date on which the next month is the active one.
	Roll market.Date
	// LastTrade is the last trade date, and Ends the moment at which trading ends.
	LastTrade market.Date
	Ends      time.Time
}

// Futures lists the contracts of a product ("ES") that trade at the clock's
// time, nearest first, and those of all products for "". The error wraps
// [market.ErrUnknownSymbol].
func (m *Market) Futures(product string) ([]FutureContract, error) {
	codes := m.codes
	if product != "" {
		codes = []string{strings.TrimPrefix(strings.ToUpper(product), "/")}
	}
	now := m.clock.Now()
	var out []FutureContract
	for _, code := range codes {
		f := m.futures[code]
		if f == nil || !m.listed["/"+market.Symbol(code)] {
			if product == "" {
				continue
			}
			return nil, fmt.Errorf("synthetic: futures of %q: %w", product, market.ErrUnknownSymbol)
		}
		if !f.ready(now) {
			continue
		}
		active := f.contracts()[f.active(f.tradeDate(now))].symbol
		for _, c := range f.live(now) {
			out = append(out, FutureContract{
				Instrument: f.instrument(c, now), Product: code, Month: c.month, Active: c.symbol == active,
				Roll: c.roll, LastTrade: c.last, Ends: c.ends,
			})
		}
	}
	return out, nil
}

// ready reports whether the product's history reaches to t.
func (f *future) ready(t time.Time) bool {
	s := f.strip()
	return s.begun(t) >= 0 && !f.market.outside(s.track, t)
}

// instrument describes a contract.
func (f *future) instrument(c contract, now time.Time) market.Instrument {
	in := market.Instrument{
		Symbol: c.symbol, Kind: market.KindFuture, Exchange: f.exchange, Multiplier: f.point,
		Description: fmt.Sprintf("%s %s %d (synthetic)", f.name, c.month.Month, c.month.Year),
		Active:      c.ends.After(now) && !c.listed.After(f.tradeDate(now)),
		Ticks:       []market.Tick{{Below: math.Inf(1), Increment: f.tick}},
	}
	if len(f.series) > 0 {
		in.Optionable, in.OptionTicks = true, slices.Clone(f.optionTick)
	}
	return in
}

// futureInstrument describes the contract that a symbol means, by that symbol.
func (m *Market) futureInstrument(s market.Symbol, now time.Time) (market.Instrument, error) {
	f, n, err := m.contractOf(s, now)
	if err != nil {
		return market.Instrument{}, err
	}
	in := f.instrument(f.contracts()[n], now)
	in.Symbol = s
	return in, nil
}

// searchFutures finds contracts that trade now by the start of their symbol.
func (m *Market) searchFutures(wanted string, limit int) []market.Instrument {
	all, _ := m.Futures("")
	var out []market.Instrument
	for _, c := range all {
		if strings.HasPrefix(string(c.Symbol), wanted) {
			out = append(out, c.Instrument)
		}
	}
	slices.SortStableFunc(out, func(a, b market.Instrument) int { // /ES before /MES; months stay in order
		return cmp.Compare(market.FutureRoot(a.Symbol), market.FutureRoot(b.Symbol))
	})
	return out[:min(limit, len(out))]
}

// factor turns the underlying's price on a trade date into a contract's: it
// grows by interest and shrinks by what holding the underlying brings,
//
//	F = S exp((r - q) T)
func (f *future) factor(n int, date market.Date) float64 {
	years := float64(date.DaysUntil(f.contracts()[n].last)) / 365
	return math.Exp((rate-f.strip().track.profile.yield)*years) / f.scale
}

// price puts a price on the contract's tick.
func (f *future) price(x float64) float64 { return max(f.tick, snap(math.Round(x/f.tick), f.tick)) }

// snap is n steps, as near as a float64 gets; step is the reciprocal of a whole number.
func snap(n, step float64) float64 { return n / math.Round(1/step) }

// A quoting turns one trade date's bars of the strip into those of a contract.
type quoting struct {
	future        *future
	factor, share float64
}

func (f *future) quoting(n int, date market.Date) quoting {
	return quoting{f, f.factor(n, date), f.share(n, date) * f.volume / f.from().volume}
}

func (q quoting) bar(b market.Bar) market.Bar {
	f := q.future
	b.Open, b.High, b.Low, b.Close = f.price(b.Open*q.factor), f.price(b.High*q.factor), f.price(b.Low*q.factor), f.price(b.Close*q.factor)
	b.Volume = math.Floor(b.Volume * q.share)
	return b
}

// minutes returns a contract's minutes that begin before end, volumes in whole
// contracts that add up to those of the day.
func (q quoting) minutes(dst []market.Bar, d *minuteDay, end time.Time) []market.Bar {
	for j, b := range d.bars {
		if !b.Time.Before(end) {
			break
		}
		before := d.volumeSoFar[j]
		bar := q.bar(b)
		bar.Volume = math.Floor((before+b.Volume)*q.share) - math.Floor(before*q.share)
		dst = append(dst, bar)
	}
	return dst
}

// A standing is a contract at one moment.
type standing struct {
	day     int       // trade date, as an index
	at      time.Time // the moment, or the end of the last trading before it
	trading bool
	bar     market.Bar // of the trade date so far
	spot    float64    // the contract's price, not rounded to a tick
	prev    float64    // settlement of the trade date before; NaN for the first
}

// standing returns the state of contract n at t; false before its first trade.
func (f *future) standing(n int, t time.Time) (standing, bool) {
	s := f.strip()
	i := s.begun(t)
	if i < 0 || f.market.outside(s.track, t) || f.contracts()[n].listed.After(s.track.sessions[i].Date) {
		return standing{}, false
	}
	d := f.day(i)
	j := d.at(t)
	if j < 0 {
		return standing{}, false
	}
	date := s.track.sessions[i].Date
	q := f.quoting(n, date)
	now := s.track.soFar(d.bars[j], t)
	whole := market.Bar{
		Time: date.In(t.Location()), Open: d.bars[0].Open, Close: now.Close,
		High: max(d.highSoFar[j], now.High), Low: min(d.lowSoFar[j], now.Low), Volume: d.volumeSoFar[j] + now.Volume,
	}
	out := standing{day: i, at: t, trading: t.Before(d.bars[j].Time.Add(time.Minute)), bar: q.bar(whole), spot: now.Close * q.factor, prev: math.NaN()}
	if !out.trading {
		out.at = d.bars[j].Time.Add(time.Minute)
	}
	if i > 0 && !f.contracts()[n].listed.After(s.track.sessions[i-1].Date) {
		out.prev = f.price(s.bar(i-1).Close * f.factor(n, s.track.sessions[i-1].Date))
	}
	return out, true
}

// futureQuoteAt is QuoteAt for a future. Unlike a share's, its quote is the
// same by day and by night; only when nothing trades the spread is wider.
func (m *Market) futureQuoteAt(s market.Symbol, t time.Time) (market.Quote, error) {
	q := market.NewQuote(s)
	f, n, err := m.contractOf(s, t)
	if err != nil {
		return q, err
	}
	none := fmt.Errorf("synthetic: a quote of %s at %s: %w", s, t.Format(time.RFC3339), market.ErrNoData)
	c := f.contracts()[n]
	if !t.Before(c.ends) {
		return q, none
	}
	now, ok := f.standing(n, t)
	if !ok {
		return q, none
	}
	q.Time = now.at.Truncate(tickLength)
	q.Last, q.Open, q.High, q.Low, q.Volume, q.PrevClose = now.bar.Close, now.bar.Open, now.bar.High, now.bar.Low, now.bar.Volume, now.prev
	q.Halted = !now.trading && f.strip().track.halted(now.day, t)

	src := f.key.name(string(c.symbol)).with(streamQuote).with(uint64(q.Time.UnixMilli()))
	away := max(0, n-f.active(f.tradeDate(t)))
	ticks := 1 + math.Floor(float64(away)*src.between(0.5, 2)+float64(5-f.rating)*src.with(5).uniform())
	if !now.trading {
		ticks += 3
	}
	below := math.Floor(src.with(1).uniform() * (ticks + 1))
	q.Bid = max(f.tick, f.price(q.Last-below*f.tick))
	q.Ask = f.price(q.Bid + ticks*f.tick)
	lots := [...]float64{2, 5, 12, 40, 90}[f.rating-1] / float64(1+3*away)
	q.BidSize = 1 + math.Floor(lots*square(src.with(2).uniform()))
	q.AskSize = 1 + math.Floor(lots*square(src.with(3).uniform()))
	return q, nil
}

// futureBars is Bars for a future.
func (m *Market) futureBars(ctx context.Context, req market.BarsRequest, interval market.Interval, now time.Time) ([]market.Bar, error) {
	f, n, err := m.contractOf(req.Symbol, now)
	if err != nil {
		return nil, err
	}
	joined := market.FutureRoot(req.Symbol) == string(req.Symbol[1:])
	s, all := f.strip(), f.contracts()
	last := s.begun(now)
	if last < 0 || m.outside(s.track, now) {
		return nil, fmt.Errorf("synthetic: bars of %s at %s: %w", req.Symbol, now.Format(time.RFC3339), market.ErrNoData)
	}
	first := 0
	if !joined {
		first = s.track.onDate(all[n].listed)
		last = min(last, s.track.onDate(all[n].last.AddDays(1))-1)
	}
	if last < first {
		return nil, fmt.Errorf("synthetic: bars of %s, listed on %s: %w", req.Symbol, all[n].listed, market.ErrNoData)
	}
	step := interval.Duration()
	if interval.Intraday() {
		if !req.To.IsZero() && req.To.Before(now) {
			last = min(last, max(s.begun(req.To), first))
		}
		if !req.From.IsZero() {
			first = max(first, sort.Search(len(s.days), func(i int) bool { return s.days[i].shut.After(req.From) }))
		}
		if req.Limit > 0 && req.Limit < len(s.days)*1440 {
			perDay := max(1, int(20*time.Hour/step)) // fewer than there are
			first = max(first, last-req.Limit/perDay-2)
		}
	}
	var bars []market.Bar
	for i := first; i <= last; i++ {
		if i%64 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		}
		date := s.track.sessions[i].Date
		if joined {
			n = f.active(date)
		}
		q := f.quoting(n, date)
		end := earlier(now.Add(1), all[n].ends) // minutes begin at now at the latest
		if whole := !end.Before(s.days[i].shut); !interval.Intraday() && whole {
			bars = append(bars, q.bar(s.bar(i)))
			continue
		}
		minutes := f.minutesUntil(q, i, end, now)
		if !interval.Intraday() {
			if len(minutes) > 0 {
				bars = append(bars, joinBars(date.In(m.calendar.Location()), minutes))
			}
			continue
		}
		for len(minutes) > 0 {
			slot := minutes[0].Time.Sub(s.days[i].open) / step
			until := 1
			for until < len(minutes) && minutes[until].Time.Sub(s.days[i].open)/step == slot {
				until++
			}
			bars = append(bars, joinBars(s.days[i].open.Add(slot*step), minutes[:until]))
			minutes = minutes[until:]
		}
	}
	if !interval.Intraday() && interval != market.Day {
		if bars, err = market.Resample(bars, market.Day, interval, m.calendar); err != nil {
			return nil, err
		}
	}
	return cut(bars, req), nil
}

// minutesUntil returns the minutes of a trade date that begin before end, the
// one in progress as it stands at now.
func (f *future) minutesUntil(q quoting, i int, end, now time.Time) []market.Bar {
	d := f.day(i)
	minutes := q.minutes(nil, d, end)
	if j := len(minutes) - 1; j >= 0 && minutes[j].Time.Add(time.Minute).After(now) {
		before := d.volumeSoFar[j]
		part := f.strip().track.soFar(d.bars[j], now)
		minutes[j] = q.bar(part)
		minutes[j].Volume = math.Floor((before+part.Volume)*q.share) - math.Floor(before*q.share)
	}
	return minutes
}

// joinBars joins minutes into one bar that starts at start.
func joinBars(start time.Time, minutes []market.Bar) market.Bar {
	b := minutes[0]
	b.Time = start
	for _, next := range minutes[1:] {
		b.High, b.Low, b.Close, b.Volume = max(b.High, next.High), min(b.Low, next.Low), next.Close, b.Volume+next.Volume
	}
	return b
}

// futureMetrics are the volatility figures of what a future is on.
func (m *Market) futureMetrics(s market.Symbol, now time.Time) (market.Metrics, error) {
	out := market.NewMetrics(s)
	f, n, err := m.contractOf(s, now)
	if err != nil {
		return out, err
	}
	k := f.strip().track
	mo, ok := k.moment(now)
	if !ok || !f.ready(now) || !now.Before(f.contracts()[n].ends) {
		return out, fmt.Errorf("synthetic: metrics of %s at %s: %w", s, now.Format(time.RFC3339), market.ErrNoData)
	}
	out.Time = mo.at
	last := k.closed(now)
	k.impliedMetrics(&out, mo, last)
	returns := k.returns(last-year, last)
	out.HV30, out.HV60, out.HV90 = deviation(returns, 30), deviation(returns, 60), deviation(returns, 90)
	out.Beta, out.Correlation = k.withSPY(last)
	out.LiquidityRating = f.rating
	for _, e := range f.options(f.contracts()[n].symbol, now) {
		if l := len(out.Term); l > 0 && out.Term[l-1].Expiration == e.Date {
			continue
		}
		smile := k.smileAt(mo, e.expires)
		out.Term = append(out.Term, market.TermVol{Expiration: e.Date, IV: math.Sqrt(smile.theta / smile.years)})
	}
	return out, nil
}

// checkDates refuses a range that ends before it begins.
func checkDates(from, to market.Date) error {
	if !from.IsZero() && !to.IsZero() && to.Before(from) {
		return invalid.Field("to", to.String(), "a date not before from")
	}
	return nil
}
