package synthetic

import "math"

// A bridge draws a price path through an open, a high, a low and a close.
type bridge struct {
	own, shared key       // noise of this symbol, and of the whole market
	weight      float64   // of the shared noise, from -1 to 1
	first       int       // number of the first step, which places it in the session
	shape       []float64 // how much the price moves in each step of the session; nil: alike
	tick        float64

	scale []float64 // working space
}

// draw sets points to the path: n+1 prices, the first open, the last shut, all
// within [low, high], which the path touches when n is 8 or more.
//
// It is a random walk tied down at both ends and stretched to about the right
// range; then it is moved, by amounts linear in time, so that its highest and
// lowest points lie exactly on high and low, and folded back where the move
// pushed it out.
func (b *bridge) draw(points []float64, open, high, low, shut float64) {
	n := len(points) - 1
	points[0] = open
	if n < 2 {
		points[n] = shut
		return
	}
	if cap(b.scale) < n+1 {
		b.scale = make([]float64, n+1)
	}
	clock := b.scale[:n+1] // variance so far
	other := math.Sqrt(1 - b.weight*b.weight)
	walk := 0.0
	points[0], clock[0] = 0, 0
	for j := range n {
		a := b.amplitude(b.first + j)
		e := other * b.own.at(b.first+j).rough()
		if b.weight != 0 {
			e += b.weight * b.shared.at(b.first+j).rough()
		}
		walk += a * e
		points[j+1] = walk
		clock[j+1] = clock[j] + a*a
	}
	total := clock[n]
	for j := range clock {
		clock[j] /= total
	}
	// The range of a Brownian bridge is 1.25 deviations on average.
	stretch := max(high-low-math.Abs(shut-open)/2, 0.3*(high-low)) / (1.25 * math.Sqrt(total))
	top, bottom := 1, 1
	for j := range points {
		points[j] = open + (shut-open)*clock[j] + stretch*(points[j]-walk*clock[j])
		if j > 0 && j < n {
			if points[j] > points[top] {
				top = j
			}
			if points[j] < points[bottom] {
				bottom = j
			}
		}
	}
	points[0], points[n] = open, shut
	b.pin(points, clock, open, high, low, shut, top, bottom)
}

// pin moves the path onto its extremes and rounds it.
func (b *bridge) pin(points, clock []float64, open, high, low, shut float64, top, bottom int) {
	n := len(points) - 1
	type mark struct {
		at    int
		shift float64
	}
	marks := make([]mark, 1, 4)
	touchHigh := n >= 8 && high > max(open, shut)
	touchLow := n >= 8 && low < min(open, shut)
	if touchHigh && touchLow && top == bottom {
		bottom = top%(n-1) + 1
	}
	add := func(at int, target float64) { marks = append(marks, mark{at, target - points[at]}) }
	if touchHigh && (!touchLow || top < bottom) {
		add(top, high)
	}
	if touchLow {
		add(bottom, low)
	}
	if touchHigh && touchLow && top > bottom {
		add(top, high)
	}
	marks = append(marks, mark{at: n})
	perTick := math.Round(1 / b.tick)
	for s := range len(marks) - 1 {
		from, to := marks[s], marks[s+1]
		span := clock[to.at] - clock[from.at]
		for j := from.at; j < to.at; j++ {
			x := points[j] + from.shift + (to.shift-from.shift)*(clock[j]-clock[from.at])/span
			if x > high {
				x = max(low, 2*high-x)
			} else if x < low {
				x = min(high, 2*low-x)
			}
			x = math.Floor(x*perTick+0.5) / perTick
			points[j] = max(low, min(high, x))
		}
	}
	points[0], points[n] = open, shut
	if touchHigh {
		points[top] = high
	}
	if touchLow {
		points[bottom] = low
	}
}

// amplitude is how much the price moves in one step.
func (b *bridge) amplitude(step int) float64 {
	if step >= len(b.shape) {
		return 1
	}
	return b.shape[step]
}

// sessionShape is the course of activity over a session of n steps, relative
// to its middle: most after the open and a little more before the close.
func sessionShape(n int) []float64 {
	shape := make([]float64, n)
	for j := range shape {
		x := float64(j) / float64(n)
		late := max(0, x-0.85) / 0.15
		shape[j] = 0.8 + 1.4*math.Exp(-x*14) + 0.35*late*late
	}
	return shape
}
