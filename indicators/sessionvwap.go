package indicators

import (
	"time"

	"github.com/ttai-go/ttai/market"
)

// SessionVWAP writes [VWAP] that begins anew with each day of location into dst
// and returns it: the one that intraday charts draw. For United States stocks the
// location is America/New_York; nil is UTC. It is NaN throughout when k is out of
// range.
func SessionVWAP(dst VWAPValues, s market.Series, k float64, location *time.Location) VWAPValues {
	if location == nil {
		location = time.UTC
	}
	n := s.Len()
	dst.VWAP, dst.Upper, dst.Lower = resize(dst.VWAP, n), resize(dst.Upper, n), resize(dst.Lower, n)
	for from := 0; from < n; {
		to := from + 1
		day := dayOf(s.Bar(from).Time, location)
		for to < n && dayOf(s.Bar(to).Time, location) == day {
			to++
		}
		VWAP(VWAPValues{VWAP: dst.VWAP[from:to:to], Upper: dst.Upper[from:to:to], Lower: dst.Lower[from:to:to]},
			s.High[from:to], s.Low[from:to], s.Close[from:to], s.Volume[from:to], k)
		from = to
	}
	return dst
}

func dayOf(t time.Time, location *time.Location) int {
	t = t.In(location)
	return t.Year()*366 + t.YearDay()
}
