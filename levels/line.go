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

// A look is what lines see of a bar.
type look struct {
	at               time.Time
	low, high, close float64
	tolerance        float64
	known            bool
}

// look is what lines see of the last bar.
func (e *Engine) look() look {
	return look{e.bar.Time, e.bar.Low, e.bar.High, e.bar.Close, e.o.Touch.Tolerance * e.touch.mean, e.known}
}

// begin starts the history of a line with the bar that confirms it.
func (l *line) begin(bar *look, price float64) {
	*l = line{state: StateFresh}
	if !bar.known || math.IsNaN(price) {
		return
	}
	switch {
	case bar.low > price+bar.tolerance:
		l.side = +1
	case bar.high < price-bar.tolerance:
		l.side = -1
	default:
		l.inside = true
	}
	l.closes(bar, price)
}

// step takes the next bar.
func (l *line) step(bar *look, price float64) {
	if !bar.known || math.IsNaN(price) {
		return
	}
	side := int8(0)
	switch {
	case bar.low > price+bar.tolerance:
		side = +1
	case bar.high < price-bar.tolerance:
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
		l.touchedAt = bar.at
		l.closes(bar, price)
		return
	}
	if l.inside && l.counted {
		l.visits++
		if side == l.from {
			l.held++
		}
	}
	l.inside, l.counted, l.side = false, false, side
	l.closes(bar, price)
	if l.state == StateBroken && l.home == side {
		l.state = StateFlipped
	}
}

func (l *line) closes(bar *look, price float64) {
	side := int8(0)
	switch {
	case bar.close > price:
		side = +1
	case bar.close < price:
		side = -1
	}
	if side == 0 || side == l.home {
		return
	}
	if l.home != 0 {
		if !l.broken {
			l.broken, l.brokenAt = true, bar.at
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
