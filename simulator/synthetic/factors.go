package synthetic

import (
	"math"

	"github.com/ttai-go/ttai/market"
)

// overnightShare is the part of a session's variance that comes before its open.
const overnightShare = 0.25

// A process is the daily returns of one source of risk.
type process struct {
	overnight, intraday []float64 // log returns by session
	vol                 []float64 // standard deviation of the whole day's return
}

// newProcess draws returns whose volatility clusters: the log of the day's
// volatility is the sum of a fast and a slow first-order autoregression, moved
// by the day's own return (weight leverage, which is negative when falls raise
// volatility) and by noise of its own.
//
//	h(t+1) = φ h(t) + s √(1-φ²) (leverage z(t) + √(1-leverage²) ε(t))
func newProcess(k key, sessions []market.Session, annual, leverage float64) *process {
	const (
		fastDecay, slowDecay = 0.85, 0.985 // half-lives of 4 and 46 sessions
		fastDev, slowDev     = 0.26, 0.42  // stationary deviations of the log volatility
	)
	n := len(sessions)
	columns := make([]float64, 3*n)
	p := &process{overnight: columns[:n], intraday: columns[n : 2*n], vol: columns[2*n:]}
	if annual == 0 {
		return p
	}
	// The mean of exp(2h) is exp(2 Var h) for a normal h; both parts share the
	// day's return, so they are correlated. Take that off, for a mean variance of annual².
	shared := fastDev * slowDev * leverage * leverage *
		math.Sqrt((1-fastDecay*fastDecay)*(1-slowDecay*slowDecay)) / (1 - fastDecay*slowDecay)
	level := annual / math.Sqrt(252) * math.Exp(-(fastDev*fastDev + slowDev*slowDev + 2*shared))
	nightKey, dayKey, varianceKey := k.with(streamOvernight), k.with(streamIntraday), k.with(streamVariance)
	other := math.Sqrt(1 - leverage*leverage)
	fast, slow := 0.0, 0.0
	for i, s := range sessions {
		day := dayNumber(s.Date)
		vol := level * math.Exp(max(-1.5, min(1.7, fast+slow)))
		night, intra := nightKey.with(day).student(), dayKey.with(day).student()
		p.vol[i] = vol
		p.overnight[i] = vol * math.Sqrt(overnightShare) * night
		p.intraday[i] = vol * math.Sqrt(1-overnightShare) * intra
		z := max(-3, min(3, (p.overnight[i]+p.intraday[i])/vol))
		e := varianceKey.with(day)
		fast = fastDecay*fast + fastDev*math.Sqrt(1-fastDecay*fastDecay)*(leverage*z+other*e.normal())
		slow = slowDecay*slow + slowDev*math.Sqrt(1-slowDecay*slowDecay)*(leverage*z+other*e.with(9).normal())
	}
	return p
}

// dayNumber is a date as a step of a key.
func dayNumber(d market.Date) uint64 { return uint64(d.Year*512 + int(d.Month)*32 + d.Day) }

// marketProcess returns the factor that moves everything.
func (m *Market) marketProcess() *process {
	m.marketOnce.Do(func() { m.marketFactor = newProcess(m.key.name("market"), m.sessions(), marketVol, -0.75) })
	return m.marketFactor
}

// sectorProcess returns the factor of a sector beside the market's; nil for broad.
func (m *Market) sectorProcess(s sector) *process {
	cell, ok := m.sectors[s]
	if !ok {
		return nil
	}
	cell.once.Do(func() {
		cell.process = newProcess(m.key.name("sector "+string(s)), m.sessions(), sectorVol[s], -0.2)
	})
	return cell.process
}
