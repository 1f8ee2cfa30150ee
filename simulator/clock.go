package simulator

import (
	"sync"
	"time"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Clock is a market's time that can be stopped, stepped and made faster while
// it runs. It is safe for concurrent use. A simulator over a clock of this kind,
// or over a *market.ManualClock, can be stepped: see [Simulator.Step].
type Clock struct {
	wall  market.Clock
	start time.Time

	mu      sync.Mutex
	at      time.Time // what the clock showed when it was last changed
	wallAt  time.Time // the computer's time of that
	speed   float64
	stopped bool
	changed chan struct{} // closed and replaced by every change
}

// fastest is the highest speed of a clock.
const fastest = 1e6

// NewClock returns a clock that shows start now and runs speed times as fast as
// wall (0: as fast; nil: the computer's clock).
func NewClock(wall market.Clock, start time.Time, speed float64) (*Clock, error) {
	if speed == 0 {
		speed = 1
	}
	if !(speed > 0) || speed > fastest {
		return nil, invalid.Field("Speed", speed, "a number above 0, at most 1000000")
	}
	if wall == nil {
		wall = market.SystemClock()
	}
	return &Clock{wall: wall, start: start, at: start, wallAt: wall.Now(), speed: speed, changed: make(chan struct{})}, nil
}

// Now returns the time that the clock shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now()
}

func (c *Clock) now() time.Time {
	if c.stopped {
		return c.at
	}
	return c.at.Add(time.Duration(float64(c.wall.Now().Sub(c.wallAt)) * c.speed))
}

// change settles the time up to now, applies f and wakes the timers.
func (c *Clock) change(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at, c.wallAt = c.now(), c.wall.Now()
	f()
	close(c.changed)
	c.changed = make(chan struct{})
}

// Start returns the time that the clock showed when it was made.
func (c *Clock) Start() time.Time { return c.start }

// Speed returns how many times as fast as the computer's the clock runs, or
// would if it were not stopped.
func (c *Clock) Speed() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed
}

// Stopped reports whether the clock stands still.
func (c *Clock) Stopped() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stopped
}

// Stop makes the clock stand still.
func (c *Clock) Stop() { c.change(func() { c.stopped = true }) }

// Resume lets the clock run on.
func (c *Clock) Resume() { c.change(func() { c.stopped = false }) }

// SetSpeed changes how fast the clock runs, from now on.
func (c *Clock) SetSpeed(speed float64) error {
	if !(speed > 0) || speed > fastest {
		return invalid.Field("Speed", speed, "a number above 0, at most 1000000")
	}
	c.change(func() { c.speed = speed })
	return nil
}

// set puts the clock to a time, stopped or not.
func (c *Clock) set(t time.Time) { c.change(func() { c.at = t }) }

// NewTimer returns a timer in the clock's time. It does not fire while the clock
// stands, and does when the clock is stepped past its time.
func (c *Clock) NewTimer(d time.Duration) market.Timer {
	t := &clockTimer{clock: c, out: make(chan time.Time, 1)}
	t.begin(d)
	return t
}

// A clockTimer waits for its time in a goroutine that ends when it fires or is
// stopped.
type clockTimer struct {
	clock *Clock
	out   chan time.Time

	mu   sync.Mutex
	stop chan struct{} // closed to end the waiting; nil when nothing waits
	done chan bool     // gets, when the waiting has ended, whether the timer fired
}

func (t *clockTimer) C() <-chan time.Time { return t.out }

func (t *clockTimer) begin(d time.Duration) {
	at := t.clock.Now().Add(d)
	stop, done := make(chan struct{}), make(chan bool, 1)
	t.stop, t.done = stop, done
	go func() { done <- t.clock.wait(at, stop, t.out) }()
}

// wait sends the time when the clock has come to at, and reports whether it did
// before it was stopped.
func (c *Clock) wait(at time.Time, stop <-chan struct{}, out chan<- time.Time) bool {
	for {
		c.mu.Lock()
		now, changed, stopped, speed := c.now(), c.changed, c.stopped, c.speed
		c.mu.Unlock()
		if !now.Before(at) {
			out <- now
			return true
		}
		var due <-chan time.Time
		var timer market.Timer
		if !stopped {
			// One nanosecond more, so that rounding does not wake it too early for ever.
			timer = c.wall.NewTimer(time.Duration(float64(at.Sub(now))/speed) + 1)
			due = timer.C()
		}
		ended := false
		select {
		case <-due:
		case <-changed:
		case <-stop:
			ended = true
		}
		if timer != nil {
			timer.Stop()
		}
		if ended {
			return false
		}
	}
}

// halt ends the waiting and reports whether the timer had not fired yet.
func (t *clockTimer) halt() bool {
	if t.stop == nil {
		return false
	}
	close(t.stop)
	fired := <-t.done
	t.stop = nil
	return !fired
}

func (t *clockTimer) Stop() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	active := t.halt()
	select {
	case <-t.out: // it fired, and nobody looked
	default:
	}
	return active
}

func (t *clockTimer) Reset(d time.Duration) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	active := t.halt()
	select {
	case <-t.out: // it fired, and nobody looked
	default:
	}
	t.begin(d)
	return active
}
