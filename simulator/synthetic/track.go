package synthetic

import (
	"math"
	"sort"
	"sync/atomic"
	"time"

	"github.com/ttai-go/ttai/market"
)

// A track is the daily history of one symbol, made or replayed. Everything in
// it is fixed once built; the pointers at its end only remember recent work.
type track struct {
	market *Market
	symbol market.Symbol
	key    key
	// profile is nil for a replayed symbol that the universe does not have.
	profile  *profile
	replayed bool

	// sessions, one per bar, ascending; bars are as traded, of regular trading.
	sessions []market.Session
	bars     []market.Bar
	// fast and slow are the variances per year that implied volatility follows,
	// as known at the close of each session.
	fast, slow []float64
	leverage   float64 // how much falls raise fast

	// jolts, crowds and squeezed are what scenarios did. reference marks the
	// underlying of a future that borrows a fund's symbol, and unhalted one that
	// the stock exchange does not stop.
	jolts     []jolt
	crowds    []func(session int) float64
	squeezed  []int
	reference bool
	unhalted  bool

	splits    []splitAt
	dividends []dividend
	earnings  []report

	// intraday are a replayed file's own bars by session, nil otherwise.
	intraday [][]market.Bar
	interval time.Duration // of intraday

	minutes  atomic.Pointer[minuteDay]
	extended atomic.Pointer[extendedDay]
	ticks    atomic.Pointer[tickMinute]
	listed   atomic.Pointer[listing]
}

type splitAt struct {
	session int // first session at the new price
	ratio   float64
}

type dividend struct {
	session   int // ex-date
	announced int
	amount    float64 // dollars per share, as paid
}

type report struct {
	session int  // the date of the report
	morning bool // before the open of session; otherwise after its close
	at      time.Time
	jump    float64 // log return it causes
	eps     float64 // dollars, as reported
}

// night is the session whose opening price has the report in it.
func (r report) night() int {
	if r.morning {
		return r.session
	}
	return r.session + 1
}

// started returns the last session whose pre-market has begun at t, -1 before the first.
func (k *track) started(t time.Time) int {
	return sort.Search(len(k.sessions), func(i int) bool { return k.sessions[i].PreOpen.After(t) }) - 1
}

// opened returns the last session that has opened at t, -1 before the first.
func (k *track) opened(t time.Time) int {
	return sort.Search(len(k.sessions), func(i int) bool { return k.sessions[i].Open.After(t) }) - 1
}

// closed returns the last session that has closed at t, -1 before the first.
func (k *track) closed(t time.Time) int {
	return sort.Search(len(k.sessions), func(i int) bool { return k.sessions[i].Close.After(t) }) - 1
}

// onDate returns the first session on or after d.
func (k *track) onDate(d market.Date) int {
	return sort.Search(len(k.sessions), func(i int) bool { return !k.sessions[i].Date.Before(d) })
}

// ratio is the number of shares at session to for one share at session from.
func (k *track) ratio(from, to int) float64 {
	r := 1.0
	for _, s := range k.splits {
		if s.session > from && s.session <= to {
			r *= s.ratio
		}
	}
	return r
}

// adjusted returns bar as it is charted at session to: divided by the splits
// since session from. Prices get four decimals.
func (k *track) adjusted(bar market.Bar, from, to int) market.Bar {
	r := k.ratio(from, to)
	if r == 1 {
		return bar
	}
	bar.Open, bar.High, bar.Low, bar.Close = round4(bar.Open/r), round4(bar.High/r), round4(bar.Low/r), round4(bar.Close/r)
	bar.Volume = math.Round(bar.Volume * r)
	return bar
}

// previousClose is the close before session i in the shares of session i; NaN
// for the first.
func (k *track) previousClose(i int) float64 {
	if i < 1 {
		return math.NaN()
	}
	return k.adjusted(k.bars[i-1], i-1, i).Close
}

// prices returns the closes of sessions from to last in the shares of session now.
func (k *track) prices(from, last, now int) []float64 {
	closes := make([]float64, 0, max(0, last-from+1))
	for i := max(from, 0); i <= last; i++ {
		closes = append(closes, k.adjusted(k.bars[i], i, now).Close)
	}
	return closes
}

const cent = 0.01

func round2(x float64) float64 { return math.Floor(x*100+0.5) / 100 }
func round4(x float64) float64 { return math.Round(x*1e4) / 1e4 }

// Variances.

// decay and weight of the fast variance, decay of the slow one.
const (
	fastWeight = 0.06
	slowWeight = 0.006
)

// stepFast is the fast variance after the fraction u of a session has brought
// the log return r, which is z deviations:
//
//	fast' = fast (1 + w (z² - 2 c z - u))
//
// A fall raises it more than a rise of the same size,
// by the leverage c (R. Engle and V. Ng, "Measuring and testing the impact of news on
// volatility", Journal of Finance 48, 1993); a return beyond three deviations
// counts as three, so that one night does not rule a quarter.
func (k *track) stepFast(fast, r, u float64) float64 {
	z := max(-3, min(3, r*math.Sqrt(252/fast)))
	return clampVariance(fast * (1 + fastWeight*(z*z-2*k.leverage*z-u)))
}

func clampVariance(v float64) float64 { return max(0.04*0.04, min(2*2, v)) }

// buildVariances fills fast and slow. base is the variance per year to begin
// with; skip names sessions whose overnight move is an event of its own.
func (k *track) buildVariances(base float64, learn bool, skip map[int]float64) {
	n := len(k.bars)
	k.fast, k.slow = make([]float64, n), make([]float64, n)
	fast, slow := base, base
	for i := range k.bars {
		if i > 0 {
			r := math.Log(k.bars[i].Close/k.previousClose(i)) - skip[i]
			fast = k.joltBy(k.stepFast(fast, r, 1), i, math.Log(k.bars[i].Close/k.previousClose(i)))
			weight := slowWeight
			if learn {
				weight = max(weight, 1/float64(i+5)) // a file says nothing about before
			}
			limit := 9 * max(fast, slow) / 252
			slow = clampVariance(slow + weight*(252*min(r*r, limit)-slow))
		}
		k.fast[i], k.slow[i] = fast, slow
	}
}
