package levels

import (
	"math"
	"time"
)

// A line is a level that moves: it is compared with each bar at the value that
// was known before the bar.
type line struct {
	touches, visits, held   int
	home, side, from        int8
	inside, counted, broken bool
	state                   State
	touchedAt, brokenAt     time.Time
}

// begin starts the history of a line with the bar that confirms it.
func (l *line) begin(e *Engine, price float64) {
	*l = line{state: StateFresh}
	if !e.known || math.IsNaN(price) {
		return
	}
	tolerance := e.o.Touch.Tolerance * e.touch.mean
	switch {
	case e.bar.Low > price+tolerance:
		l.side = +1
	case e.bar.High < price-tolerance:
		l.side = -1
	default:
		l.inside = true
	}
	l.close(e, price)
}

// step takes the engine's last bar.
func (l *line) step(e *Engine, price float64) {
	if !e.known || math.IsNaN(price) {
		return
	}
	tolerance := e.o.Touch.Tolerance * e.touch.mean
	side := int8(0)
	switch {
	case e.bar.Low > price+tolerance:
		side = +1
	case e.bar.High < price-tolerance:
		side = -1
	}
	if side == 0 {
		if !l.inside {
			l.inside, l.counted, l.from = true, true, l.side
			l.touches++
			switch l.state {
			case StateFresh:
				l.state = StateTested
			case StateFlipped:
				l.state = StateRetested
			}
		}
		l.touchedAt = e.bar.Time
		l.close(e, price)
		return
	}
	if l.inside && l.counted {
		l.visits++
		if side == l.from {
			l.held++
		}
	}
	l.inside, l.counted, l.side = false, false, side
	l.close(e, price)
	if l.state == StateBroken && l.home == side {
		l.state = StateFlipped
	}
}

func (l *line) close(e *Engine, price float64) {
	side := int8(0)
	switch {
	case e.bar.Close > price:
		side = +1
	case e.bar.Close < price:
		side = -1
	}
	if side == 0 || side == l.home {
		return
	}
	if l.home != 0 {
		if !l.broken {
			l.broken, l.brokenAt = true, e.bar.Time
		}
		l.state = StateBroken
	}
	l.home = side
}

// level adds the history to a level.
func (l *line) level(x Level) Level {
	x.Low, x.High = x.Price, x.Price
	x.Touches, x.LastTouch, x.Broken, x.BrokenAt, x.State, x.Side = l.touches, l.touchedAt, l.broken, l.brokenAt, l.state, int(l.home)
	x.Visits, x.Held = l.visits, l.held
	return x
}
