package synthetic

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/ttai-go/ttai/market"
)

// year is how many sessions a year of history has here.
const year = 252

// Metrics returns figures as of the clock's time. IVIndex is the implied
// volatility of thirty days; its rank and percentile are taken over the closes
// of the 252 sessions before. Historical volatilities are the deviations of
// 30, 60 and 90 daily log returns up to the last close, times √252; beta is
// over 252 of them and correlation over 63, both with SPY on the dates that
// both have. What a replayed file cannot say (dividends, earnings, size) is
// unknown.
func (m *Market) Metrics(ctx context.Context, symbols []market.Symbol) ([]market.Metrics, error) {
	now := m.clock.Now()
	return collect(ctx, symbols, func(s market.Symbol) (market.Metrics, error) {
		if s.Kind() == market.KindFuture {
			return m.futureMetrics(s, now)
		}
		k, err := m.track(s)
		if err != nil {
			return market.NewMetrics(s), err
		}
		return k.metrics(now)
	})
}

func (k *track) metrics(now time.Time) (market.Metrics, error) {
	out := market.NewMetrics(k.symbol)
	mo, ok := k.moment(now)
	if !ok || k.replayed && k.over(now) {
		return out, fmt.Errorf("synthetic: metrics of %s at %s: %w", k.symbol, now.Format(time.RFC3339), market.ErrNoData)
	}
	out.Time = mo.at
	last := k.closed(now)
	k.impliedMetrics(&out, mo, last)
	returns := k.returns(last-year, last)
	out.HV30, out.HV60, out.HV90 = deviation(returns, 30), deviation(returns, 60), deviation(returns, 90)
	out.Beta, out.Correlation = k.withSPY(last)
	live, err := k.live(now)
	if err != nil {
		return out, err
	}
	for i, e := range live {
		if i > 0 && e.Date == live[i-1].Date {
			continue
		}
		s := k.smileAt(mo, e.expires)
		out.Term = append(out.Term, market.TermVol{Expiration: e.Date, IV: math.Sqrt(s.theta / s.years)})
	}
	if k.profile != nil {
		out.LiquidityRating = k.profile.rating
		out.Liquidity = [...]float64{0.08, 0.24, 0.46, 0.71, 0.93}[k.profile.rating-1]
	}
	if !k.replayed {
		k.corporateMetrics(&out, mo, now)
	}
	return out, nil
}

// impliedMetrics sets the volatility index and where it stands in its year.
func (k *track) impliedMetrics(out *market.Metrics, mo moment, last int) {
	out.IVIndex = k.index30(mo)
	if last < 0 {
		return
	}
	past := make([]float64, 0, year)
	for i := max(0, last-year+1); i <= last; i++ {
		past = append(past, k.index30(moment{at: k.sessions[i].Close, session: i, fast: k.fast[i], slow: k.slow[i]}))
	}
	if len(past) > 5 {
		// At the close of day i itself, five sessions before is five entries back.
		back := len(past) - 5
		if !mo.open {
			back--
		}
		out.IVIndex5Day = out.IVIndex - past[back]
	}
	if len(past) < 20 {
		return
	}
	low, high := min(slices.Min(past), out.IVIndex), max(slices.Max(past), out.IVIndex)
	if high > low {
		out.IVRank = (out.IVIndex - low) / (high - low)
	}
	below := 0
	for _, v := range past {
		if v < out.IVIndex {
			below++
		}
	}
	out.IVPercentile = float64(below) / float64(len(past))
}

// returns are the daily log returns of sessions after from up to last.
func (k *track) returns(from, last int) []float64 {
	var out []float64
	for i := max(from, 0) + 1; i <= last; i++ {
		out = append(out, math.Log(k.bars[i].Close/k.previousClose(i)))
	}
	return out
}

// deviation is the sample deviation of the last n returns, per year; NaN when
// there are fewer.
func deviation(returns []float64, n int) float64 {
	if len(returns) < n {
		return math.NaN()
	}
	returns = returns[len(returns)-n:]
	mean := 0.0
	for _, r := range returns {
		mean += r / float64(n)
	}
	sum := 0.0
	for _, r := range returns {
		sum += square(r - mean)
	}
	return math.Sqrt(sum / float64(n-1) * year)
}

// withSPY returns beta and correlation with SPY up to session last.
func (k *track) withSPY(last int) (beta, correlation float64) {
	beta, correlation = math.NaN(), math.NaN()
	spy := k.market.cells["SPY"].get(k.market)
	var own, other []float64
	for i := max(1, last-year+1); i <= last; i++ {
		j := spy.onDate(k.sessions[i].Date)
		if j < 1 || j >= len(spy.sessions) || spy.sessions[j].Date != k.sessions[i].Date || spy.sessions[j-1].Date != k.sessions[i-1].Date {
			continue
		}
		own = append(own, math.Log(k.bars[i].Close/k.previousClose(i)))
		other = append(other, math.Log(spy.bars[j].Close/spy.previousClose(j)))
	}
	if len(own) >= 63 {
		covariance, _, variance := moments(own, other)
		if variance > 0 {
			beta = covariance / variance
		}
		n := len(own) - 63
		covariance, variance, others := moments(own[n:], other[n:])
		if variance > 0 && others > 0 {
			correlation = max(-1, min(1, covariance/math.Sqrt(variance*others)))
		}
	}
	return beta, correlation
}

// moments returns the covariance of x and y and their variances.
func moments(x, y []float64) (xy, xx, yy float64) {
	n := float64(len(x))
	var mx, my float64
	for i := range x {
		mx, my = mx+x[i]/n, my+y[i]/n
	}
	for i := range x {
		xy += (x[i] - mx) * (y[i] - my) / n
		xx += square(x[i]-mx) / n
		yy += square(y[i]-my) / n
	}
	return xy, xx, yy
}

// corporateMetrics sets what the made company says about itself.
func (k *track) corporateMetrics(out *market.Metrics, mo moment, now time.Time) {
	p := k.profile
	if p.class == index {
		out.DividendYield = p.yield
		return
	}
	at := k.onDate(anchor)
	price := mo.spot
	out.MarketCap = p.shares * 1e6 * price * k.ratio(at, mo.shares) / k.ratio(mo.shares, at)
	out.BorrowRate = [...]float64{0.03, 0.015, 0.006, 0.0035, 0.0025}[p.rating-1]
	for _, i := range k.squeezed {
		if since := mo.session - i; since >= 0 {
			out.BorrowRate = max(out.BorrowRate, 0.9*math.Exp(-float64(since)/15))
		}
	}
	out.DividendYield = 0
	var paid []float64 // ex-dates up to now, in today's shares
	for _, d := range k.dividends {
		if d.session <= mo.session {
			paid = append(paid, d.amount/k.ratio(d.session, mo.shares))
		}
	}
	if n := len(paid); n > 0 {
		out.DividendPerShare = paid[n-1]
		for _, amount := range paid[max(0, n-4):] {
			out.DividendYield += amount / price
		}
	}
	var earned []float64
	for _, r := range k.earnings {
		if !r.at.After(now) {
			earned = append(earned, r.eps/k.ratio(r.session, mo.shares))
		}
	}
	if n := len(earned); n >= 4 {
		out.EarningsPerShare = earned[n-1] + earned[n-2] + earned[n-3] + earned[n-4]
		if out.EarningsPerShare > 0 {
			out.PriceEarnings = price / out.EarningsPerShare
		}
	}
	today := k.market.dateOf(now)
	for _, e := range k.events(now) {
		switch {
		case e.Kind == market.Earnings && out.NextEarnings == nil && !e.Date.Before(today) && math.IsNaN(e.Value):
			out.NextEarnings = &e
		case e.Kind == market.Dividend && out.NextDividend == nil && e.Date.After(today):
			out.NextDividend = &e
		}
	}
}
