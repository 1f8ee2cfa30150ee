package options

import (
	"math"
	"time"

	"github.com/ttai-go/ttai/market"
)

// minutesPerYear is 365 days of 24 hours: the Actual/365 convention.
const minutesPerYear = 365 * 24 * 60

// YearsToExpiry returns the time from now to expiry in years, Actual/365, to
// the minute: seconds are dropped from both instants. It is 0 when expiry is
// not after now, and NaN when either is the zero time.
func YearsToExpiry(now, expiry time.Time) float64 {
	if now.IsZero() || expiry.IsZero() {
		return math.NaN()
	}
	minutes := floorDiv(expiry.Unix(), 60) - floorDiv(now.Unix(), 60)
	return float64(max(minutes, 0)) / minutesPerYear
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ExpiryTime returns the instant an option that expires on d stops having time
// value: the close of that day's session, or its open when it settles AM. When
// d has no session (old options expired on a Saturday; Good Friday), it is the
// last session before d. A nil calendar means [market.CboeOptions]; the zero
// date gives the zero time.
func ExpiryTime(d market.Date, s market.Settlement, cal *market.Calendar) time.Time {
	if d.IsZero() {
		return time.Time{}
	}
	if cal == nil {
		cal = market.CboeOptions()
	}
	session, ok := cal.Session(d)
	if !ok {
		session = cal.Previous(d.At(23, 59, cal.Location()))
	}
	if s == market.SettledAM {
		return session.Open
	}
	return session.Close
}
