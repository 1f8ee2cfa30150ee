package indicators

import (
	"encoding/binary"
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

// SessionVWAPStream is [SessionVWAP] one bar at a time. It is not safe for
// concurrent use; make it with [NewSessionVWAP].
type SessionVWAPStream struct {
	vwap     *VWAPStream
	spare    *bank // for Peek
	location *time.Location
	day      int // of the last bar, 0 before the first
}

// NewSessionVWAP returns a stream of [SessionVWAP], or a *[FieldError] for a
// parameter that is out of range.
func NewSessionVWAP(k float64, location *time.Location) (*SessionVWAPStream, error) {
	vwap, err := NewVWAP(k)
	if err != nil {
		return nil, err
	}
	if location == nil {
		location = time.UTC
	}
	return &SessionVWAPStream{vwap: vwap, spare: vwap.state.clone(), location: location}, nil
}

// Update takes the next bar, of which only the time and the prices with their
// volume count, and returns its result, NaN until something traded that day.
func (s *SessionVWAPStream) Update(b market.Bar) VWAPPoint {
	if day := dayOf(b.Time, s.location); day != s.day {
		s.begin()
		s.day = day
	}
	return s.vwap.Update(b.High, b.Low, b.Close, b.Volume)
}

// Peek returns what Update would, and leaves the stream as it is.
func (s *SessionVWAPStream) Peek(b market.Bar) VWAPPoint {
	day := s.day
	s.vwap.state.copyTo(s.spare)
	p := s.Update(b)
	s.spare.copyTo(s.vwap.state)
	s.day = day
	return p
}

// begin forgets the day's bars; the state of a VWAP is sums.
func (s *SessionVWAPStream) begin() {
	for _, sums := range s.vwap.state.floats {
		clear(sums)
	}
}

// Reset forgets every bar.
func (s *SessionVWAPStream) Reset() {
	s.begin()
	s.day = 0
}

// Warmup returns how many leading bars are NaN whatever trades: 0.
func (s *SessionVWAPStream) Warmup() int { return 0 }

// Snapshot returns the state, as [Snapshot] does.
func (s *SessionVWAPStream) Snapshot() []byte {
	data := binary.LittleEndian.AppendUint64(nil, uint64(s.day))
	sums, err := Snapshot(s.vwap)
	if err != nil {
		return nil // the state of a VWAP can be kept
	}
	return append(data, sums...)
}

// Restore sets the state to what Snapshot returned, as [Restore] does.
func (s *SessionVWAPStream) Restore(data []byte) error {
	if len(data) < 8 {
		return ErrSnapshot
	}
	if err := Restore(s.vwap, data[8:]); err != nil {
		return err
	}
	s.day = int(binary.LittleEndian.Uint64(data))
	return nil
}

func dayOf(t time.Time, location *time.Location) int {
	t = t.In(location)
	return t.Year()*366 + t.YearDay()
}
