package market

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
)

// A Resampler joins bars into longer ones as [Resample] does, one bar at a time,
// and says when a longer bar is complete: with the last shorter bar of its
// period, which the calendar knows, or with the first one after it. It never
// uses a bar that it has not been given. It is not safe for concurrent use; make
// it with [NewResampler]. A copy goes on by itself.
//
// Other than Resample it passes over bars whose prices are not known. A bar of a
// day without a session shows a market that the calendar does not know: from then
// on days, weeks and months end with the first bar after them, and what came
// after an end too early is left out.
type Resampler struct {
	from, to period
	cal      *Calendar

	running Bar
	open    bool      // there is a running bar
	end     time.Time // when it is complete
	last    Date      // of its period, of days and longer
	odd     bool      // there was a bar of a day without a session

	day      Date // of session
	session  Session
	sessions bool // the day has one

	closed [2]Bar
	n      int
}

// A period is an interval taken apart.
type period struct {
	n      int
	unit   Unit
	length time.Duration // 0 for days and longer
}

func periodOf(i Interval) period {
	n, unit := i.Parts()
	return period{n, unit, i.Duration()}
}

// NewResampler returns a resampler of bars of the interval from into bars of the
// interval to, which must be made of whole froms and longer. Nil means the
// calendar [NYSE]. Errors are *[FieldError].
func NewResampler(from, to Interval, cal *Calendar) (*Resampler, error) {
	if cal == nil {
		cal = NYSE()
	}
	short, err := ParseInterval(string(from))
	if err != nil {
		return nil, invalid.Field("from", string(from), allowedIntervals)
	}
	long, err := ParseInterval(string(to))
	if err != nil {
		return nil, invalid.Field("to", string(to), allowedIntervals)
	}
	if short == long || !nests(short, long) {
		return nil, invalid.Fieldf("to", string(to), "a longer interval made of whole bars of %s", short)
	}
	return &Resampler{from: periodOf(short), to: periodOf(long), cal: cal}, nil
}

// Push takes the next bar and returns the longer bars that are complete now: none
// as a rule, one at the end of a period, two when the bar also shows that the
// period before it had ended. The slice is the resampler's: the next call
// overwrites it. Bars must come in ascending order.
func (r *Resampler) Push(b Bar) []Bar {
	r.n = 0
	at := b.Time
	known := b.Open-b.Open == 0 && b.High-b.High == 0 && b.Low-b.Low == 0 && b.Close-b.Close == 0
	d := DateOf(at.In(r.cal.loc))
	if d != r.day {
		r.day = d
		r.session, r.sessions = r.cal.Session(d)
		r.odd = r.odd || !r.sessions
	}
	var start time.Time
	if r.to.length > 0 {
		start = bucket(at, r.from.length, r.to.length, ownGrid, r.session, r.sessions, d.In(r.cal.loc))
		if r.open && !start.Equal(r.running.Time) {
			r.close()
		}
	} else {
		if r.from.length > 0 && r.sessions && (!at.Add(r.from.length).After(r.session.Open) || !at.Before(r.session.Close)) {
			return r.closed[:0] // before the opening or after the close
		}
		if r.open && d.After(r.last) {
			r.close()
		}
		if !r.open && !d.After(r.last) {
			return r.closed[:r.n] // its period has been closed
		}
		if !r.open {
			from := r.cal.periodStart(d, r.to.unit)
			r.last = r.cal.periodEnd(from, r.to.n, r.to.unit)
			start = from.In(r.cal.loc)
		}
	}
	switch {
	case !known:
	case r.open:
		r.running.join(b)
	default:
		b.Time = start
		r.running, r.open, r.end = b, true, r.cal.barEnd(start, r.to.n, r.to.unit, r.to.length)
	}
	if r.open && !(r.odd && r.to.length == 0) && !r.cal.barEnd(at, r.from.n, r.from.unit, r.from.length).Before(r.end) {
		r.close()
	}
	return r.closed[:r.n]
}

func (r *Resampler) close() {
	r.closed[r.n] = r.running
	r.n++
	r.open = false
}

// Running returns the longer bar as far as it is known; ok is false when none has begun.
func (r *Resampler) Running() (b Bar, ok bool) { return r.running, r.open }

// Reset forgets every bar.
func (r *Resampler) Reset() { *r = Resampler{from: r.from, to: r.to, cal: r.cal} }

// resamplerSize is how many bytes a resampler's state takes.
const resamplerSize = 10 * 8

// MarshalBinary returns the running bar, for [Resampler.UnmarshalBinary] of a
// resampler with the same intervals and calendar.
func (r *Resampler) MarshalBinary() ([]byte, error) {
	var data []byte
	put := func(v uint64) { data = binary.LittleEndian.AppendUint64(data, v) }
	flags := uint64(0)
	if r.open {
		flags |= 1
	}
	if r.odd {
		flags |= 2
	}
	put(flags)
	put(uint64(r.last.Year)<<16 | uint64(r.last.Month)<<8 | uint64(r.last.Day))
	put(uint64(r.running.Time.Unix()))
	put(uint64(r.running.Time.Nanosecond()))
	put(uint64(r.end.Unix()))
	for _, v := range []float64{r.running.Open, r.running.High, r.running.Low, r.running.Close, r.running.Volume} {
		put(math.Float64bits(v))
	}
	return data, nil
}

// UnmarshalBinary puts the resampler where another one was at its MarshalBinary.
func (r *Resampler) UnmarshalBinary(data []byte) error {
	if len(data) != resamplerSize {
		return errors.New("market: the state is of no resampler")
	}
	r.Reset()
	var v [resamplerSize / 8]uint64
	for i := range v {
		v[i] = binary.LittleEndian.Uint64(data[8*i:])
	}
	price := func(i int) float64 { return math.Float64frombits(v[i]) }
	r.open, r.odd = v[0]&1 != 0, v[0]&2 != 0
	r.last = Date{Year: int(v[1] >> 16), Month: time.Month(v[1] >> 8 & 0xff), Day: int(v[1] & 0xff)}
	r.running = Bar{Time: time.Unix(int64(v[2]), int64(v[3])).In(r.cal.loc), Open: price(5), High: price(6), Low: price(7), Close: price(8), Volume: price(9)}
	r.end = time.Unix(int64(v[4]), 0).In(r.cal.loc)
	return nil
}
