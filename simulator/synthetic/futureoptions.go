package synthetic

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A futureListing is the options on all contracts of a product on one date.
type futureListing struct {
	date        market.Date
	expirations []futureExpiry
}

type futureExpiry struct {
	expiry
	contract int    // of the underlying
	code     string // of the option contract: root, month and year, "EW3U6"
}

// options returns the expirations on a contract that are listed and not over
// at t, in order.
func (f *future) options(underlying market.Symbol, t time.Time) []futureExpiry {
	var out []futureExpiry
	for _, e := range f.listing(t).expirations {
		if e.Underlying == underlying && e.expires.After(t) {
			out = append(out, e)
		}
	}
	return out
}

// listing returns what is listed on the date of t in New York, expired or not.
func (f *future) listing(t time.Time) *futureListing {
	date := f.market.dateOf(t)
	if l := f.listed.Load(); l != nil && l.date == date {
		return l
	}
	l := &futureListing{date: date}
	taken := map[market.Date]bool{} // by the month ends and months, so that no week is listed twice
	for _, s := range f.series {
		l.expirations = append(l.expirations, f.expirations(s, date, taken)...)
	}
	k := f.strip().track
	last := max(0, k.onDate(date)-1) // the session before, so that nothing changes within a day
	for i := range l.expirations {
		f.setStrikes(&l.expirations[i], k, last)
	}
	slices.SortFunc(l.expirations, func(a, b futureExpiry) int {
		return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(a.Root, b.Root))
	})
	f.listed.Store(l)
	return l
}

// expirations lists those of one series that are open on date.
func (f *future) expirations(s series, date market.Date, taken map[market.Date]bool) []futureExpiry {
	m, all := f.market, f.contracts()
	var out []futureExpiry
	add := func(root string, month, day market.Date, underlying int) {
		if ahead := date.DaysUntil(day); ahead < 0 || ahead > s.ahead || underlying < 0 || all[underlying].listed.After(date) {
			return
		}
		settled, expires := market.SettledPM, day.At(s.hour, s.min, m.calendar.Location())
		if s.dates == withFuture {
			settled, expires = market.SettledAM, all[underlying].ends
		} else if session, ok := m.calendar.Session(day); ok && session.Early {
			expires = earlier(expires, session.Close)
		}
		out = append(out, futureExpiry{
			expiry: expiry{
				Expiration: market.Expiration{Underlying: all[underlying].symbol, Root: root, Date: day, Settlement: settled, Style: s.style},
				expires:    expires, window: s.ahead,
			},
			contract: underlying, code: root + monthCode(month),
		})
	}
	// after is the first contract that trades at the end of day.
	after := func(day market.Date) int {
		return slices.IndexFunc(all, func(c contract) bool { return c.ends.After(day.At(16, 0, m.calendar.Location())) })
	}
	of := func(month market.Date) int {
		return slices.IndexFunc(all, func(c contract) bool { return !c.month.Before(month) })
	}
	months := s.ahead/28 + 3
	for n := range months {
		month := market.DateOf(time.Date(date.Year, date.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC))
		end := m.back(market.DateOf(time.Date(month.Year, month.Month+1, 0, 0, 0, 0, 0, time.UTC)))
		before := m.sessionBefore(month, 1) // last session of the month before
		switch s.dates {
		case withFuture, crudeMonth, gasMonth:
			i := of(month)
			if i < 0 || all[i].month != month {
				continue
			}
			day := all[i].last
			switch s.dates {
			case crudeMonth:
				day = m.sessionBefore(day, 3)
			case gasMonth:
				day = m.sessionBefore(day, 1)
			}
			taken[day] = s.dates != withFuture
			add(s.root, month, day, i)
		case monthEnd:
			taken[end] = true
			add(s.root, month, end, after(end))
		case metalMonth:
			day := m.sessionBefore(before, 3)
			if day.Weekday() == time.Friday || !m.trades(day.AddDays(1)) {
				day = m.sessionBefore(day, 1)
			}
			taken[day] = true
			add(s.root, month, day, of(month))
		case bondMonth:
			day := m.sessionBefore(before, 2)
			for day.Weekday() != time.Friday {
				day = day.AddDays(-1)
			}
			day = m.back(day)
			taken[day] = true
			add(s.root, month, day, of(month))
		case currencyMon:
			day := m.back(weekday(month, time.Wednesday, 3).AddDays(-12))
			taken[day] = true
			add(s.root, month, day, after(day))
		case fridays:
			for week := 1; week <= 4; week++ {
				day := m.back(weekday(month, time.Friday, week))
				if taken[day] {
					continue
				}
				underlying := f.active(day)
				if f.ends == thirdFriday {
					taken[day] = true
					underlying = after(day)
				}
				add(s.root+strconv.Itoa(week), month, day, underlying)
			}
		case weekdays:
			for week := 1; week <= 5; week++ {
				for i := range 4 {
					day := weekday(month, time.Monday+time.Weekday(i), week)
					if day.Month == month.Month && m.trades(day) && !taken[day] {
						add(s.root+strconv.Itoa(week)+"ABCD"[i:i+1], month, day, after(day))
					}
				}
			}
		}
	}
	return out
}

// setStrikes lists the strikes around all settlements since the expiration was
// listed, in fine steps near them and coarse ones further out.
func (f *future) setStrikes(e *futureExpiry, k *track, last int) {
	from := min(max(0, k.onDate(e.Date.AddDays(-e.window))-1), last)
	low, high := math.Inf(1), math.Inf(-1)
	for i := from; i <= last; i++ {
		price := k.bars[i].Close * f.factor(e.contract, k.sessions[i].Date)
		low, high = min(low, price), max(high, price)
	}
	deviation := math.Sqrt(max(k.slow[from], k.fast[from]) * float64(e.window) / 365)
	wide := max(0.04, min(0.6, 3.5*deviation))
	near := min(wide, max(0.02, 1.2*deviation))
	for _, reach := range []struct{ share, step float64 }{{wide, f.coarse}, {near, f.fine}} {
		for n := math.Ceil(low * (1 - reach.share) / reach.step); n*reach.step <= high*(1+reach.share); n++ {
			if n > 0 {
				e.Strikes = append(e.Strikes, math.Round(n*reach.step*1e6)/1e6)
			}
		}
	}
	slices.Sort(e.Strikes)
	e.Strikes = slices.Compact(e.Strikes)
}

// futureExpirations is Expirations for a future; "/ES" means the options on
// the active contract.
func (m *Market) futureExpirations(underlying market.Symbol, t time.Time) ([]market.Expiration, error) {
	f, n, err := m.optionable(underlying, t)
	if err != nil {
		return nil, err
	}
	var out []market.Expiration
	for _, e := range f.options(f.contracts()[n].symbol, t) {
		e.Strikes = slices.Clone(e.Strikes)
		out = append(out, e.Expiration)
	}
	return out, nil
}

// optionable is contractOf with the reasons why there may be no options.
func (m *Market) optionable(underlying market.Symbol, t time.Time) (*future, int, error) {
	f, n, err := m.contractOf(underlying, t)
	if err != nil {
		return nil, 0, err
	}
	k := f.strip().track
	if _, ok := k.moment(t); !ok || !f.ready(t) || len(f.series) == 0 || !t.Before(f.contracts()[n].ends) || k.replayed && k.over(t) {
		return nil, 0, fmt.Errorf("synthetic: options of %s at %s: %w", underlying, t.Format(time.RFC3339), market.ErrNoData)
	}
	return f, n, nil
}

func (m *Market) futureChain(ctx context.Context, req market.ChainRequest, t time.Time) ([]market.OptionQuote, error) {
	f, n, err := m.optionable(req.Underlying, t)
	if err != nil {
		return nil, err
	}
	var out []market.OptionQuote
	for _, e := range f.options(f.contracts()[n].symbol, t) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(req.Expirations) > 0 && !slices.Contains(req.Expirations, e.Date) {
			continue
		}
		w, ok := f.writer(e, t)
		if !ok {
			continue
		}
		for _, strike := range chosen(e.Strikes, req, w.smile.spot) {
			option := w.smile.option(strike)
			out = append(out, w.quote(market.Call, option), w.quote(market.Put, option))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("synthetic: no listed option of %s fits the request: %w", req.Underlying, market.ErrNoData)
	}
	return out, nil
}

// writer makes the quotes of one expiration. A future costs nothing to hold,
// so its options are worth what Black's formula says: spot is the future's
// price and the yield is the rate.
func (f *future) writer(e futureExpiry, t time.Time) (*writer, bool) {
	now, ok := f.standing(e.contract, t)
	if !ok {
		return nil, false
	}
	s := f.strip()
	mo, ok := s.track.moment(t)
	if !ok {
		return nil, false
	}
	mo.at, mo.spot, mo.open = now.at, now.spot, now.trading
	smile := s.track.smileWith(mo, e.expires, f.skew)
	smile.yield, smile.forward = rate, now.spot
	w := &writer{
		track: s.track, moment: mo, expiry: e.expiry, smile: smile, ticks: f.optionTick,
		underlying: f.contracts()[e.contract].symbol, multiplier: f.point, rating: f.rating, grain: 0.3 * f.optionTick[0].Increment, busy: f.coarse,
		date: s.track.sessions[now.day].Date,
	}
	w.key = f.key.with(streamOption).name(e.code).with(dayNumber(e.Date))
	w.tick = w.key.with(uint64(mo.at.UnixMilli() / 500))
	day := &s.days[now.day]
	w.day = min(1, float64(mo.at.Sub(day.open))/float64(day.shut.Sub(day.open)))
	w.prefix = fmt.Sprintf("./%-5s%-6s%s", w.underlying[1:], e.code, e.Date.In(time.UTC).Format("060102"))
	left := float64(w.date.DaysUntil(e.Date))
	w.age = max(0, min(1, 1-left/float64(e.window+1)))
	return w, true
}

// futureOption finds a listed option on a future by tastytrade's symbol,
// "./ESZ6 EW3U6 260918P6600".
func (m *Market) futureOption(s market.Symbol, t time.Time) (*future, futureExpiry, market.Contract, error) {
	fail := func(why error) (*future, futureExpiry, market.Contract, error) {
		return nil, futureExpiry{}, market.Contract{}, fmt.Errorf("synthetic: option %q: %w", string(s), why)
	}
	if len(s) < 21 || s[19] != 'C' && s[19] != 'P' {
		return fail(market.ErrUnknownSymbol)
	}
	strike, err := strconv.ParseFloat(string(s[20:]), 64)
	day, dateErr := time.Parse("060102", string(s[13:19]))
	if err != nil || dateErr != nil {
		return fail(market.ErrUnknownSymbol)
	}
	underlying, code := market.Symbol(strings.TrimSpace(string(s[1:7]))), strings.TrimSpace(string(s[7:13]))
	f, n, err := m.contractOf(underlying, day)
	if err != nil {
		return fail(market.ErrUnknownSymbol)
	}
	date := market.DateOf(day)
	if date.Before(m.dateOf(t)) {
		return fail(market.ErrNoData) // expired
	}
	if _, _, err := m.optionable(underlying, t); err != nil {
		return fail(market.ErrNoData)
	}
	c := market.Contract{Root: code, Expiration: date, Kind: market.Call, Strike: strike}
	if s[19] == 'P' {
		c.Kind = market.Put
	}
	for _, e := range f.listing(t).expirations {
		if e.contract != n || e.code != code || e.Date != date {
			continue
		}
		if _, found := slices.BinarySearch(e.Strikes, strike); !found {
			break
		}
		if !e.expires.After(t) {
			return fail(market.ErrNoData)
		}
		return f, e, c, nil
	}
	return fail(market.ErrUnknownSymbol)
}

func (m *Market) futureOptionQuoteAt(s market.Symbol, t time.Time) (market.Quote, error) {
	q := market.NewQuote(s)
	f, e, c, err := m.futureOption(s, t)
	if err != nil {
		return q, err
	}
	at := func(t time.Time) (market.OptionQuote, bool) {
		w, ok := f.writer(e, t)
		if !ok {
			return market.OptionQuote{}, false
		}
		return w.quote(c.Kind, w.smile.option(c.Strike)), true
	}
	o, ok := at(t)
	if !ok {
		return q, fmt.Errorf("synthetic: option %q: %w", string(s), market.ErrNoData)
	}
	q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume = o.Time, o.Bid, o.Ask, o.BidSize, o.AskSize, o.Last, o.Volume
	strip := f.strip()
	if i := strip.begun(t); i > 0 {
		before := strip.days[i-1].shut
		if before.After(e.expires.AddDate(0, 0, -e.window)) {
			if o, ok := at(before); ok {
				q.PrevClose = roundTick(f.optionTick, (o.Bid+o.Ask)/2)
			}
		}
	}
	return q, nil
}

// futureOptionInstrument describes an option on a future.
func (m *Market) futureOptionInstrument(s market.Symbol, t time.Time) (market.Instrument, error) {
	f, e, c, err := m.futureOption(s, t)
	if err != nil {
		return market.Instrument{}, err
	}
	text := strings.Join([]string{string(e.Underlying), e.code, e.Date.String(), c.Kind.String(), strconv.FormatFloat(c.Strike, 'f', -1, 64), "(synthetic)"}, " ")
	return market.Instrument{
		Symbol: s, Kind: market.KindFutureOption, Description: text, Exchange: f.exchange, Active: true,
		Multiplier: f.point, Ticks: slices.Clone(f.optionTick), Underlying: e.Underlying,
	}, nil
}
