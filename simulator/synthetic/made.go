package synthetic

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// anchor is the session whose close is the profile's price: the one before the
// default day.
var anchor = market.Date{Year: 2026, Month: time.September, Day: 15}

// makeTrack draws the daily history of a symbol of the universe.
//
// The path is first drawn as log prices of no particular level, in the shares
// of the anchor day; then it is shifted so that the anchor day closes at the
// profile's price, turned into prices as traded and rounded to the cent.
func (m *Market) makeTrack(c *cell) *track {
	p := c.profile
	sessions := m.sessions()
	k := &track{market: m, symbol: p.symbol, key: m.key.name(string(p.symbol)), profile: p, sessions: sessions, reference: c.reference, unhalted: c.unhalted}
	n := len(sessions)
	for _, s := range p.splits {
		k.splits = append(k.splits, splitAt{k.onDate(s.date), s.ratio})
	}
	k.scheduleEarnings()
	jumps := map[int]float64{}
	for _, r := range k.earnings {
		jumps[r.night()] = r.jump
	}
	exDates := k.exDates()

	open, shut := make([]float64, n), make([]float64, n) // log prices
	intraVol := make([]float64, n)
	fundamental := make([]float64, n) // a slow average of the log price, which dividends and earnings follow
	k.walk(open, shut, intraVol, fundamental, exDates, jumps)

	at := min(k.onDate(anchor), n-1)
	shift := math.Log(p.price) - shut[at]
	k.jolted(open, shut, intraVol)
	k.bars = make([]market.Bar, n)
	for i, s := range sessions {
		shares := k.ratio(i, at) / k.ratio(at, i) // of the anchor day for one of session i
		scale := math.Exp(shift) * shares
		k.bars[i] = k.dayBar(s, math.Exp(open[i])*scale, math.Exp(shut[i])*scale, intraVol[i])
		k.bars[i].Volume = math.Floor(k.dayVolume(s, (shut[i]-open[i])/intraVol[i], shares) * k.crowd(i))
	}
	for i, ex := range exDates {
		shares := k.ratio(ex.session, at) / k.ratio(at, ex.session)
		amount := p.yield / 4 * math.Exp(fundamental[ex.announced]+shift) * shares
		if amount = round2(amount); amount > 0 {
			exDates[i].amount = amount
			k.dividends = append(k.dividends, exDates[i])
		}
	}
	for i := range k.earnings {
		r := &k.earnings[i]
		quarterly := math.Exp(fundamental[r.session]+shift) * k.ratio(r.session, at) / k.ratio(at, r.session) / p.pe / 4
		r.eps = round2(quarterly * (1 + 0.6*r.jump + 0.04*k.key.with(streamEarnings).with(dayNumber(sessions[r.session].Date)).with(7).normal()))
	}

	k.leverage = 0.4
	switch {
	case p.sector == bonds || p.sector == metals:
		k.leverage = 0
	case p.class == index || p.daily():
		k.leverage = 1
	}
	base := p.beta*p.beta*marketVol*marketVol + p.load*p.load*sectorVol[p.sector]*sectorVol[p.sector] + p.idio*p.idio
	k.buildVariances(base, false, jumps)
	return k
}

// walk draws the log prices at each open and close. Over the whole history
// they grow by the profile's drift: chance decides the way, not the end, so
// that no share of today's price has once cost a cent or a million.
func (k *track) walk(open, shut, intraVol, fundamental []float64, exDates []dividend, jumps map[int]float64) {
	p := k.profile
	all, own := k.market.marketProcess(), newProcess(k.key, k.sessions, p.idio, -0.25)
	group := k.market.sectorProcess(p.sector)
	sum := 0.0
	for i := range k.sessions {
		night := p.beta*all.overnight[i] + own.overnight[i] + jumps[i]
		day := p.beta*all.intraday[i] + own.intraday[i]
		variance := square(p.beta*all.vol[i]) + square(own.vol[i])
		if group != nil {
			night += p.load * group.overnight[i]
			day += p.load * group.intraday[i]
			variance += square(p.load * group.vol[i])
		}
		open[i], shut[i] = max(-0.6, min(0.6, night)), max(-0.5, min(0.5, day))
		intraVol[i] = math.Sqrt(variance * (1 - overnightShare))
		sum += open[i] + shut[i]
	}
	drift := p.drift / 252
	if p.class == index {
		drift -= p.yield / 252 // its shares pay dividends, the index does not
	}
	drift -= sum / float64(len(k.sessions))

	nextEx := 0
	price, slow := 0.0, 0.0
	for i := range k.sessions {
		night, day := open[i]+overnightShare*drift, shut[i]+(1-overnightShare)*drift
		if nextEx < len(exDates) && exDates[nextEx].session == i {
			paid := p.yield / 4 * math.Exp(fundamental[exDates[nextEx].announced]-price)
			night += math.Log1p(-min(paid, 0.2))
			nextEx++
		}
		open[i] = price + night
		price = open[i] + day
		shut[i] = price
		if i == 0 {
			slow = price
		}
		slow += (price - slow) / 120
		fundamental[i] = slow
	}
}

func square(x float64) float64 { return x * x }

// dayBar rounds a day to the cent and draws its high and low: the extremes of
// a Brownian bridge of deviation vol between the logs of open and close, whose
// distribution is known in closed form:
//
//	P(max > h) = exp(-2 h (h-x) / vol²), h ≥ max(0, x)
func (k *track) dayBar(s market.Session, open, shut, vol float64) market.Bar {
	day := dayNumber(s.Date)
	x := math.Log(shut / open)
	extreme := func(stream uint64) float64 {
		return math.Sqrt(x*x - 2*vol*vol*math.Log(k.key.with(stream).with(day).uniform()))
	}
	b := market.Bar{
		Time:  s.Date.In(s.Open.Location()),
		Open:  max(cent, round2(open)),
		Close: max(cent, round2(shut)),
		High:  round2(open * math.Exp((x+extreme(streamHigh))/2)),
		Low:   max(cent, round2(open*math.Exp((x-extreme(streamLow))/2))),
	}
	b.High = max(b.High, b.Open, b.Close)
	b.Low = min(b.Low, b.Open, b.Close)
	return b
}

// dayVolume draws the shares traded: more on days of large moves (z, in
// deviations), and in as many shares as there are for one of the anchor day.
func (k *track) dayVolume(s market.Session, z, shares float64) float64 {
	if k.profile.class == index {
		return math.NaN() // an index does not trade
	}
	day := dayNumber(s.Date)
	common := k.market.key.with(streamVolume).with(day).normal()
	own := k.key.with(streamVolume).with(day).normal()
	volume := k.profile.volume * 1e6 / shares * math.Exp(0.18*common+0.22*own-0.04) * (0.8 + 0.25*min(4, math.Abs(z)))
	if s.Early {
		volume *= 0.5
	}
	return math.Floor(volume)
}
