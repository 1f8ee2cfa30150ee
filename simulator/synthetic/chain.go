package synthetic

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/internal/occ"
	"github.com/ttai-go/ttai/market"
	"github.com/ttai-go/ttai/options"
)

// Expirations lists the expirations of an underlying that have not expired at
// the clock's time: every session, week, month and quarter end of the index
// and the busiest funds, weeks and months of most, and January years ahead.
func (m *Market) Expirations(ctx context.Context, underlying market.Symbol) ([]market.Expiration, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := m.clock.Now()
	if underlying.Kind() == market.KindFuture {
		return m.futureExpirations(underlying, now)
	}
	k, err := m.track(underlying)
	if err != nil {
		return nil, err
	}
	live, err := k.live(now)
	if err != nil {
		return nil, err
	}
	out := make([]market.Expiration, len(live))
	for i, e := range live {
		out[i] = e.Expiration
		out[i].Strikes = slices.Clone(e.Strikes)
	}
	return out, nil
}

// live returns the expirations that are listed and not over at t.
func (k *track) live(t time.Time) ([]expiry, error) {
	if _, ok := k.moment(t); !ok || k.replayed && k.over(t) {
		return nil, fmt.Errorf("synthetic: options of %s at %s: %w", k.symbol, t.Format(time.RFC3339), market.ErrNoData)
	}
	all := k.listing(t).expirations
	i := 0
	live := make([]expiry, 0, len(all))
	for ; i < len(all); i++ {
		if all[i].expires.After(t) {
			live = append(live, all[i])
		}
	}
	return live, nil
}

// over reports whether a replayed history has ended more than a week before t.
func (k *track) over(t time.Time) bool {
	return t.Sub(k.sessions[len(k.sessions)-1].Close) > 7*24*time.Hour
}

// Chain returns option quotes at the clock's time; see [Market.ChainAt].
func (m *Market) Chain(ctx context.Context, req market.ChainRequest) ([]market.OptionQuote, error) {
	return m.chain(ctx, req, m.clock.Now())
}

// ChainAt returns quotes of an underlying's options as they stood at t.
// Outside regular trading they are those of the last close, with wider
// spreads. IV and the Greeks are those that the quotes were made from; the
// exact value lies between bid and ask. The error wraps
// [market.ErrUnknownSymbol], or [market.ErrNoData] when nothing of the request
// is listed at t; a bad filter is a *[FieldError].
//
// The underlying can be a future: "/ESZ6", or "/ES" for the active contract.
// Its options trade as long as it does, day and night.
func (m *Market) ChainAt(req market.ChainRequest, t time.Time) ([]market.OptionQuote, error) {
	return m.chain(context.Background(), req, t)
}

func (m *Market) chain(ctx context.Context, req market.ChainRequest, t time.Time) ([]market.OptionQuote, error) {
	switch {
	case !(req.MinStrike >= 0):
		return nil, invalid.Field("min_strike", req.MinStrike, "0 for no limit, or a price above 0")
	case !(req.MaxStrike >= 0) || req.MaxStrike > 0 && req.MaxStrike < req.MinStrike:
		return nil, invalid.Field("max_strike", req.MaxStrike, "0 for no limit, or a price not below min_strike")
	case req.Strikes < 0:
		return nil, invalid.Field("strikes", req.Strikes, "0 for all, or a positive number of strikes")
	}
	if req.Underlying.Kind() == market.KindFuture {
		return m.futureChain(ctx, req, t)
	}
	k, err := m.track(req.Underlying)
	if err != nil {
		return nil, err
	}
	live, err := k.live(t)
	if err != nil {
		return nil, err
	}
	mo, _ := k.moment(t)
	var out []market.OptionQuote
	for _, e := range live {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if len(req.Expirations) > 0 && !slices.Contains(req.Expirations, e.Date) {
			continue
		}
		strikes := chosen(e.Strikes, req, mo.spot)
		out = slices.Grow(out, 2*len(strikes))
		w := k.writer(mo, e, t)
		for _, strike := range strikes {
			option := w.smile.option(strike)
			out = append(out, w.quote(market.Call, option), w.quote(market.Put, option))
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("synthetic: no listed option of %s fits the request: %w", req.Underlying, market.ErrNoData)
	}
	return out, nil
}

// chosen returns the strikes that the request wants.
func chosen(strikes []float64, req market.ChainRequest, spot float64) []float64 {
	from, _ := slices.BinarySearch(strikes, req.MinStrike)
	to := len(strikes)
	if req.MaxStrike > 0 {
		if i, found := slices.BinarySearch(strikes, req.MaxStrike); found {
			to = i + 1
		} else {
			to = i
		}
	}
	strikes = strikes[from:max(from, to)]
	for n := req.Strikes; n > 0 && len(strikes) > n; {
		if spot-strikes[0] > strikes[len(strikes)-1]-spot {
			strikes = strikes[1:]
		} else {
			strikes = strikes[:len(strikes)-1]
		}
	}
	return strikes
}

// A writer makes the quotes of one expiration at one moment.
type writer struct {
	track  *track
	moment moment
	expiry expiry
	smile  smile
	key    key // of the contracts
	tick   key // of the moment
	day    float64
	ticks  []market.Tick
	prefix string  // of the symbols: all that comes before the kind
	age    float64 // of the expiration: 0 when just listed, 1 at its end

	underlying market.Symbol
	multiplier float64
	rating     int
	grain      float64     // the part of half a spread that does not depend on the option
	busy       float64     // strikes that are multiples of it attract more interest
	date       market.Date // of the trading
}

func (k *track) writer(mo moment, e expiry, t time.Time) *writer {
	w := &writer{track: k, moment: mo, expiry: e, smile: k.smileAt(mo, e.expires), ticks: k.optionTicks(),
		underlying: k.symbol, multiplier: 100, rating: k.rating(), grain: 0.003, busy: 5, date: k.sessions[mo.session].Date}
	w.key = k.key.with(streamOption).name(e.Root).with(dayNumber(e.Date))
	w.tick = w.key.with(uint64(mo.at.UnixMilli() / 500))
	s := k.sessions[mo.session]
	w.day = float64(mo.at.Sub(s.Open)) / float64(s.Close.Sub(s.Open))
	w.prefix = occ.Option{Root: e.Root, Expiration: e.Date}.String()[:12]
	left := float64(s.Date.DaysUntil(e.Date))
	w.age = max(0, min(1, 1-left/float64(e.window+1)))
	return w
}

// optionTicks are the price increments of a symbol's options.
func (k *track) optionTicks() []market.Tick {
	inf := math.Inf(1)
	switch {
	case k.isIndex():
		return []market.Tick{{Below: 3, Increment: 0.05}, {Below: inf, Increment: 0.10}}
	case k.class() == bigFund:
		return []market.Tick{{Below: inf, Increment: 0.01}}
	case k.rating() >= 4:
		return []market.Tick{{Below: 3, Increment: 0.01}, {Below: inf, Increment: 0.05}}
	}
	return []market.Tick{{Below: 3, Increment: 0.05}, {Below: inf, Increment: 0.10}}
}

// quote makes one contract's quote around its value. Bid and ask are on the
// tick, and the value lies between them.
func (w *writer) quote(kind market.OptionKind, option options.BSM) market.OptionQuote {
	g := option.Greeks(kind)
	value := max(0, g.Price)
	rating := w.rating
	mils := int(math.Round(option.Strike * 1000))
	src := w.key.at(2*mils + int(kind))
	now := w.tick.at(2*mils + int(kind))

	half := [...]float64{0.008, 0.004, 0.002, 0.001, 0.0004}[rating-1]*g.Vega + 0.002*value + w.grain
	half *= now.between(0.7, 1.3)
	if !w.moment.open {
		half *= 2.5
	}
	bid := floorTick(w.ticks, value-half)
	ask := ceilTick(w.ticks, value+half)
	if w.expiry.Style == market.American {
		// Nobody sells for less than exercising at once brings.
		ask = max(ask, ceilTick(w.ticks, float64(kind)*(w.smile.spot-option.Strike)+market.Increment(w.ticks, value)))
	}
	q := market.OptionQuote{
		Symbol:     w.symbol(kind, option.Strike),
		Underlying: w.underlying, Root: w.expiry.Root, Kind: kind, Strike: option.Strike,
		Expiration: w.expiry.Date, Style: w.expiry.Style, Settlement: w.expiry.Settlement, Multiplier: w.multiplier,
		Time: w.moment.at.Truncate(500 * time.Millisecond), Bid: bid, Ask: ask,
		IV: option.Vol, Delta: g.Delta, Gamma: g.Gamma, Theta: g.Theta / 365, Vega: g.Vega, Rho: g.Rho, Spot: w.moment.spot,
	}
	q.BidSize = math.Floor(now.with(1).between(1, 15*float64(rating)))
	q.AskSize = math.Floor(now.with(2).between(1, 15*float64(rating)))
	if bid == 0 {
		q.BidSize = 0
	}
	w.activity(&q, src)
	if q.Volume > 0 {
		q.Last = max(bid, roundTick(w.ticks, value), w.ticks[0].Increment)
	} else {
		q.Last = math.NaN()
	}
	return q
}

// symbol writes an OCC symbol, or that of an option on a future, whose strike is
// written plainly; a chain has tens of thousands.
func (w *writer) symbol(kind market.OptionKind, strike float64) market.Symbol {
	text := append(make([]byte, 0, 21), w.prefix...)
	if kind == market.Put {
		text = append(text, 'P')
	} else {
		text = append(text, 'C')
	}
	if w.underlying[0] == '/' {
		return market.Symbol(strconv.AppendFloat(text, strike, 'f', -1, 64))
	}
	mils := int(math.Round(strike * 1000))
	for unit := 10_000_000; unit > 0; unit /= 10 {
		text = append(text, byte('0'+mils/unit%10))
	}
	return market.Symbol(text)
}

// activity sets open interest, which grows towards the expiration and is
// largest near the money, and the volume of the day so far.
func (w *writer) activity(q *market.OptionQuote, src key) {
	distance := math.Log(q.Strike/w.smile.forward) / math.Sqrt(w.smile.theta)
	base := [...]float64{40, 120, 500, 2500, 9000}[w.rating-1]
	crowd := math.Exp(-0.5*square(distance/1.6)) * math.Exp(0.8*src.normal())
	if math.Mod(q.Strike, w.busy) == 0 {
		crowd *= 1.8
	}
	if w.expiry.window < weeklyWindow {
		crowd *= 0.5
	}
	q.OpenInterest = math.Floor(base * crowd * (0.1 + 0.9*w.age))
	today := src.with(dayNumber(w.date))
	turnover := 0.25 * math.Exp(0.7*today.normal()) * (0.4 + 1.6*w.age*w.age)
	q.Volume = math.Floor(base * crowd * 0.5 * turnover * w.day)
}

func floorTick(ticks []market.Tick, x float64) float64 {
	if x <= 0 {
		return 0
	}
	step := market.Increment(ticks, x)
	return snap(math.Floor(x/step+1e-9), step)
}

func ceilTick(ticks []market.Tick, x float64) float64 {
	if x <= 0 {
		return ticks[0].Increment
	}
	step := market.Increment(ticks, x)
	return snap(math.Ceil(x/step-1e-9), step)
}

func roundTick(ticks []market.Tick, x float64) float64 {
	step := market.Increment(ticks, x)
	return snap(math.Round(x/step), step)
}

// optionQuoteAt is QuoteAt for an option.
func (m *Market) optionQuoteAt(s market.Symbol, t time.Time) (market.Quote, error) {
	q := market.NewQuote(s)
	k, e, contract, err := m.contract(s, t)
	if err != nil {
		return q, err
	}
	mo, _ := k.moment(t)
	q.Halted = mo.open && k.halted(mo.session, t)
	o := optionAt(k, mo, e, contract, t)
	q.Time, q.Bid, q.Ask, q.BidSize, q.AskSize, q.Last, q.Volume = o.Time, o.Bid, o.Ask, o.BidSize, o.AskSize, o.Last, o.Volume
	if mo.session > 0 {
		// As it stood when the session before closed, if it was listed then.
		before := k.sessions[mo.session-1].Close
		if mo, ok := k.moment(before); ok && k.ratio(mo.session, k.sharesAt(t)) == 1 && before.After(e.expires.AddDate(0, 0, -e.window)) {
			o := optionAt(k, mo, e, contract, before)
			q.PrevClose = roundTick(k.optionTicks(), (o.Bid+o.Ask)/2)
		}
	}
	return q, nil
}

func optionAt(k *track, mo moment, e expiry, c market.Contract, t time.Time) market.OptionQuote {
	w := k.writer(mo, e, t)
	return w.quote(c.Kind, w.smile.option(c.Strike))
}

// contract finds a listed option.
func (m *Market) contract(s market.Symbol, t time.Time) (*track, expiry, market.Contract, error) {
	unknown := func(why error) (*track, expiry, market.Contract, error) {
		return nil, expiry{}, market.Contract{}, fmt.Errorf("synthetic: option %q: %w", string(s), why)
	}
	c, ok := s.Contract()
	if !ok {
		return unknown(market.ErrUnknownSymbol)
	}
	underlying, ok := m.roots[c.Root]
	if !ok {
		return unknown(market.ErrUnknownSymbol)
	}
	k, err := m.track(underlying)
	if err != nil {
		return unknown(err)
	}
	if c.Expiration.Before(m.dateOf(t)) {
		return unknown(market.ErrNoData) // expired
	}
	if _, err := k.live(t); err != nil {
		return unknown(market.ErrNoData)
	}
	for _, e := range k.listing(t).expirations {
		if e.Date == c.Expiration && e.Root == c.Root {
			if _, found := slices.BinarySearch(e.Strikes, c.Strike); !found {
				break
			}
			if !e.expires.After(t) {
				return unknown(market.ErrNoData)
			}
			return k, e, c, nil
		}
	}
	return unknown(market.ErrUnknownSymbol)
}
