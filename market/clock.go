package market

import (
	"sync"
	"time"
)

// A Clock tells the time and makes timers, so that a simulation or a test can
// run on a time of its own. Implementations are safe for concurrent use.
type Clock interface {
	Now() time.Time
	// NewTimer returns a timer that fires once, d of the clock's time from now.
	NewTimer(d time.Duration) Timer
}

// A Timer is what time.Timer is, for a [Clock]. Its channel has room for one
// value; after Stop or Reset returns, no stale value is received.
type Timer interface {
	C() <-chan time.Time
	Stop() bool
	Reset(d time.Duration) bool
}

// SystemClock returns the computer's clock.
func SystemClock() Clock { return systemClock{} }

type systemClock struct{}

func (systemClock) Now() time.Time                 { return time.Now() }
func (systemClock) NewTimer(d time.Duration) Timer { return systemTimer{time.NewTimer(d)} }

type systemTimer struct{ *time.Timer }

func (t systemTimer) C() <-chan time.Time { return t.Timer.C }

// A ScaledClock starts at a given time and runs a given number of times as
// fast as another clock. Replays and the simulator's day run on one.
type ScaledClock struct {
	base   Clock
	origin time.Time // of the base
	start  time.Time
	speed  float64
}

// NewScaledClock returns a clock that shows start now and runs speed times as
// fast as base; nil means the system clock. Speed must be positive.
func NewScaledClock(base Clock, start time.Time, speed float64) (*ScaledClock, error) {
	if !(speed > 0) || speed > 1e6 {
		return nil, &FieldError{Field: "speed", Value: speed, Allowed: "a number above 0, at most 1000000"}
	}
	if base == nil {
		base = SystemClock()
	}
	return &ScaledClock{base: base, origin: base.Now(), start: start, speed: speed}, nil
}

// Now returns the scaled time.
func (c *ScaledClock) Now() time.Time {
	return c.start.Add(time.Duration(float64(c.base.Now().Sub(c.origin)) * c.speed))
}

// Start returns the time the clock showed when it was made.
func (c *ScaledClock) Start() time.Time { return c.start }

// Speed returns how many times as fast as its base the clock runs.
func (c *ScaledClock) Speed() float64 { return c.speed }

// NewTimer returns a timer in the clock's time.
func (c *ScaledClock) NewTimer(d time.Duration) Timer {
	t := &scaledTimer{clock: c, out: make(chan time.Time, 1)}
	t.inner = c.base.NewTimer(c.toBase(d))
	t.start()
	return t
}

func (c *ScaledClock) toBase(d time.Duration) time.Duration {
	return time.Duration(float64(d) / c.speed)
}

// A scaledTimer forwards its base timer's tick with the scaled time.
type scaledTimer struct {
	clock *ScaledClock
	inner Timer
	out   chan time.Time

	mu   sync.Mutex
	stop chan struct{} // closed to end the forwarder; nil when none runs
	done chan struct{} // closed by the forwarder
}

func (t *scaledTimer) C() <-chan time.Time { return t.out }

func (t *scaledTimer) start() {
	stop, done := make(chan struct{}), make(chan struct{})
	t.stop, t.done = stop, done
	go func() {
		defer close(done)
		select {
		case <-t.inner.C():
			t.out <- t.clock.Now()
		case <-stop:
		}
	}()
}

// halt ends the forwarder and reports whether the timer had not fired yet.
func (t *scaledTimer) halt() bool {
	close(t.stop)
	<-t.done
	active := t.inner.Stop()
	select {
	case <-t.out:
		active = false
	default:
	}
	return active
}

func (t *scaledTimer) Stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop == nil {
		return false
	}
	active := t.halt()
	t.stop = nil
	return active
}

func (t *scaledTimer) Reset(d time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	active := false
	if t.stop != nil {
		active = t.halt()
	}
	t.inner.Reset(t.clock.toBase(d))
	t.start()
	return active
}

// A ManualClock moves only when told to. Tests step it; the simulator can be
// stopped with it.
type ManualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*manualTimer]struct{}
}

// NewManualClock returns a clock that stands at now.
func NewManualClock(now time.Time) *ManualClock {
	return &ManualClock{now: now, timers: map[*manualTimer]struct{}{}}
}

// Now returns the time the clock stands at.
func (c *ManualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock by d and fires the timers that are due, earliest
// first. A negative d moves it back and fires nothing.
func (c *ManualClock) Advance(d time.Duration) { c.Set(c.Now().Add(d)) }

// Set moves the clock to now and fires the timers that are due, earliest first.
func (c *ManualClock) Set(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		var due *manualTimer
		for t := range c.timers {
			if !t.at.After(now) && (due == nil || t.at.Before(due.at)) {
				due = t
			}
		}
		if due == nil {
			c.now = now
			return
		}
		c.now = due.at
		delete(c.timers, due)
		due.out <- due.at
	}
}

// NewTimer returns a timer that fires when the clock is moved to its time.
func (c *ManualClock) NewTimer(d time.Duration) Timer {
	t := &manualTimer{clock: c, out: make(chan time.Time, 1)}
	t.Reset(d)
	return t
}

type manualTimer struct {
	clock *ManualClock
	out   chan time.Time
	at    time.Time
}

func (t *manualTimer) C() <-chan time.Time { return t.out }

func (t *manualTimer) Stop() bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	return t.remove()
}

// remove takes the timer off the clock, with the clock locked.
func (t *manualTimer) remove() bool {
	_, active := t.clock.timers[t]
	delete(t.clock.timers, t)
	select {
	case <-t.out:
	default:
	}
	return active
}

func (t *manualTimer) Reset(d time.Duration) bool {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	active := t.remove()
	t.at = t.clock.now.Add(d)
	if d <= 0 {
		t.out <- t.clock.now
		return active
	}
	t.clock.timers[t] = struct{}{}
	return active
}
