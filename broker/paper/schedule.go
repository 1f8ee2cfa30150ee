package paper

import (
	"context"
	"math"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// What happens by itself.
const (
	eventStage   = "stage"   // an order reaches its next stage
	eventCancel  = "cancel"  // a cancellation takes effect
	eventReplace = "replace" // a replacement takes effect
	eventVenue   = "venue"   // a venue opens or closes
	eventEnd     = "end"     // an order's time is over
	eventDay     = "day"     // the daily work of the clearing house
	eventMorning = "morning" // its work before a session's day
	eventOpened  = "opened"  // options that settle at the open
)

// The order of events at one instant.
const (
	rankStage = iota
	rankVenue
	rankEnd
	rankDay
)

// An event is something that will happen at a time.
type event struct {
	At    int64 // Unix nanoseconds
	Rank  int
	Seq   uint64
	Kind  string
	Order uint64 `json:",omitempty"` // the order's number
	Venue string `json:",omitempty"`
}

// An eventHeap is a binary heap: an event stands before those at twice its number
// and one or two more.
type eventHeap []event

func (e *event) before(f *event) bool {
	if e.At != f.At {
		return e.At < f.At
	}
	if e.Rank != f.Rank {
		return e.Rank < f.Rank
	}
	return e.Seq < f.Seq
}

// add puts an event in.
func (h *eventHeap) add(e event) {
	*h = append(*h, e)
	list := *h
	i := len(list) - 1
	for i > 0 {
		above := (i - 1) / 2
		if !e.before(&list[above]) {
			break
		}
		list[i] = list[above]
		i = above
	}
	list[i] = e
}

// drop takes the first event out.
func (h *eventHeap) drop() {
	n := len(*h) - 1
	list, last := (*h)[:n], (*h)[n]
	(*h)[n] = event{}
	*h = list
	if n == 0 {
		return
	}
	i := 0
	for {
		below := 2*i + 1
		if below >= n {
			break
		}
		if below+1 < n && list[below+1].before(&list[below]) {
			below++
		}
		if !list[below].before(&last) {
			break
		}
		list[i] = list[below]
		i = below
	}
	list[i] = last
}

func (x *Exchange) schedule(e event) {
	e.Seq = x.nextSeq()
	x.events.add(e)
	x.due = x.events[0].At
}

// advance runs what is due before t, and at t when inclusive, and then makes t
// the time. Time never goes back.
func (x *Exchange) advance(t int64, inclusive bool) {
	for len(x.events) > 0 {
		next := x.events[0]
		if next.At > t || (next.At == t && !inclusive) {
			break
		}
		x.events.drop()
		x.now = max(x.now, next.At)
		x.happen(next)
		x.drain()
	}
	x.now = max(x.now, t)
	x.due = math.MaxInt64
	if len(x.events) > 0 {
		x.due = x.events[0].At
	}
}

func (x *Exchange) happen(e event) {
	var o *order
	if e.Order != 0 {
		if o = x.numbered(e.Order); o == nil {
			return // it ended long ago
		}
	}
	switch e.Kind {
	case eventStage:
		x.stage(o)
	case eventCancel:
		x.cancelNow(o)
	case eventReplace:
		x.replaceNow(o)
	case eventVenue:
		x.turn(x.venues[e.Venue])
	case eventEnd:
		x.timeOver(o)
	case eventDay:
		x.daily()
	case eventMorning:
		x.morning()
	case eventOpened:
		x.settleExpired()
	}
}

// turn takes a venue into its next phase.
func (x *Exchange) turn(v *venue) {
	was := v.now
	next := v.hours.segment(x.time())
	if was.phase == regular && (next.phase != regular || next.date != was.date) {
		x.closing(v)
	}
	v.now, v.at = next, x.now
	if was.phase == closed && next.phase != closed {
		v.epoch++
	}
	x.scheduleVenue(v)
	x.regate()
}

// Advance moves the time on and lets everything happen that is due: orders become
// live, end, options expire. A time before Now is refused with a *FieldError. On an
// exchange with a Clock, use Run.
func (x *Exchange) Advance(to time.Time) error {
	x.lock()
	defer x.unlock()
	if to.UnixNano() < x.now {
		return invalid.Fieldf("to", to, "a time not before %s", x.time().Format(time.RFC3339Nano))
	}
	x.release()
	x.advance(to.UnixNano(), true)
	return nil
}

// Now returns the exchange's time.
func (x *Exchange) Now() time.Time {
	x.lock()
	defer x.unlock()
	return x.time()
}

// Next returns when the next thing happens by itself; false when nothing will.
func (x *Exchange) Next() (time.Time, bool) {
	x.lock()
	defer x.unlock()
	if x.due == math.MaxInt64 {
		return time.Time{}, false
	}
	return x.at(x.due), true
}

// Run lets a live exchange's time follow its Clock until ctx ends, whose error it
// returns. Without it, time moves with each call and quote. Stop it before the
// clock. The error is a *FieldError when there is no Clock.
func (x *Exchange) Run(ctx context.Context) error {
	clock := x.opts.Clock
	if clock == nil {
		return invalid.Missing("Clock", "a clock to run with")
	}
	for {
		next, ok := x.Next()
		wait := time.Minute
		if ok {
			wait = min(wait, max(next.Sub(clock.Now()), 0))
		}
		if wake, err := x.pause(ctx, clock, wait); err != nil || !wake {
			return err
		}
	}
}

// pause waits for the time given, for something new to wait for, or for the end.
func (x *Exchange) pause(ctx context.Context, clock market.Clock, wait time.Duration) (bool, error) {
	timer := clock.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-timer.C():
	case <-x.wake:
	}
	return true, nil
}

func (x *Exchange) at(t int64) time.Time { return time.Unix(0, t).In(x.location) }

// time is the present.
func (x *Exchange) time() time.Time {
	if x.shownAt != x.now || x.shown.IsZero() {
		x.shownAt, x.shown = x.now, x.at(x.now)
	}
	return x.shown
}
