package indicators

import (
	"math"

	"github.com/ttai-go/ttai/indicators/internal/kernel"
	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// A Brick is a Renko brick. Bricks have no bars of their own: one bar may make
// several, and most make none.
type Brick struct {
	Bar         int     // that made it
	Up          bool    // Close is above Open
	Open, Close float64 // Close - Open is ± the size
	High, Low   float64 // of the bars since the brick before
	Volume      float64 // of these bars, in equal parts when one bar made several bricks
}

// Renko returns the bricks of a size that closes make. The first brick starts at
// the first close, rounded to the decimals of size; the next one continues when a
// close is a whole size beyond it, and turns when one is a whole size beyond its
// open. Bars with an unknown price are left out. It returns a *[FieldError]
// unless size is positive.
func Renko(s market.Series, size float64) ([]Brick, error) {
	if !(size > 0) || !kernel.Finite(size) {
		return nil, invalid.Field("size", size, "a positive number")
	}
	var bricks []Brick
	var open, close float64 // of the last brick
	high, low, volume := math.Inf(-1), math.Inf(1), 0.0
	begun := false
	for i := range s.Len() {
		b := s.Bar(i)
		if !kernel.Finite3(b.High, b.Low, b.Close) {
			continue
		}
		if !begun {
			begun = true
			open = roundTo(b.Close, size)
			close = open
			continue
		}
		high, low = max(high, b.High), min(low, b.Low)
		if kernel.Finite(b.Volume) {
			volume += b.Volume
		}
		up, down := max(open, close), min(open, close)
		count, from, side := 0.0, up, 1.0
		if b.Close > up {
			count = math.Floor((b.Close - up) / size)
		} else if b.Close < down {
			count, from, side = math.Floor((down-b.Close)/size), down, -1
		}
		if count > maxBricks {
			return nil, invalid.Fieldf("size", size, "a size that makes at most %d bricks of a bar", maxBricks)
		}
		for k := range int(count) {
			open, close = from+float64(side*float64(k)*size), from+float64(side*float64(k+1)*size)
			bricks = append(bricks, Brick{Bar: i, Up: side > 0, Open: open, Close: close, High: high, Low: low, Volume: volume / count})
		}
		if count > 0 {
			high, low, volume = math.Inf(-1), math.Inf(1), 0
		}
	}
	return bricks, nil
}

// maxBricks bounds what one bar can make, so that a size given in the wrong unit
// does not fill the memory.
const maxBricks = 1_000_000

// roundTo rounds x to as many decimals as size has.
func roundTo(x, size float64) float64 {
	scale := 1.0
	for range 12 {
		if math.Abs(size*scale-math.Round(size*scale)) < 1e-9*size*scale {
			break
		}
		scale *= 10
	}
	return math.Round(x*scale) / scale
}
