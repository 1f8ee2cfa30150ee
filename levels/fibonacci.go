package levels

import (
	"fmt"
	"math"
	"strconv"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// FibonacciOptions says which swings end a leg and which ratios of it matter.
type FibonacciOptions struct {
	Swing SwingOptions

	// Retracements are the shares of the leg given back, measured from its end.
	// Nil means 0.236, 0.382, 0.5, 0.618 and 0.786.
	Retracements []float64
	// Extensions are multiples of the leg, measured from its start in its
	// direction. Nil means 1.272 and 1.618.
	Extensions []float64
}

func (o FibonacciOptions) resolve() (FibonacciOptions, error) {
	var err error
	if o.Swing, err = o.Swing.resolve(); err != nil {
		return o, err
	}
	if o.Retracements == nil {
		o.Retracements = []float64{0.236, 0.382, 0.5, 0.618, 0.786}
	}
	if o.Extensions == nil {
		o.Extensions = []float64{1.272, 1.618}
	}
	for _, r := range append(o.Retracements[:len(o.Retracements):len(o.Retracements)], o.Extensions...) {
		if !(r > 0) || r > 100 {
			return o, invalid.Field("fibonacci.ratio", r, "a number above 0, at most 100")
		}
	}
	return o, nil
}

// Fibonacci returns the ratios of the last leg, ascending by price: the move
// between the last two turning points of [Alternate] that are confirmed. None
// are returned before there are two. Prices at or below zero are left out.
func Fibonacci(s market.Series, opts *FibonacciOptions) ([]Level, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	found, err := finish(s, fibonacci(s, o), TouchOptions{})
	sortByPrice(found)
	return found, err
}

func fibonacci(s market.Series, o FibonacciOptions) []candidate {
	pool := swings(s, o.Swing)
	levels := make([]Level, len(pool))
	for i, c := range pool {
		levels[i] = c.Level
	}
	turns := alternate(levels)
	if len(turns) < 2 {
		return nil
	}
	start, end := pool[turns[len(turns)-2]], pool[turns[len(turns)-1]]
	move := end.Price - start.Price
	confirmed := max(start.confirmed, end.confirmed)
	var found []candidate
	add := func(price, ratio float64, what string) {
		if price <= 0 || math.IsInf(price, 0) {
			return
		}
		found = append(found, candidate{
			Level: Level{
				Price: price, Low: price, High: price, Kind: KindFibonacci,
				Source: fmt.Sprintf("%s %% %s of the leg from %s (%s) to %s (%s)", strconv.FormatFloat(100*ratio, 'g', 6, 64), what,
					stamp(s, start.born), short(start.Price), stamp(s, end.born), short(end.Price)),
				Born: end.Born, Confirmed: s.Time[confirmed],
			},
			born: end.born, confirmed: confirmed, touched: -1,
		})
	}
	for _, r := range o.Retracements {
		add(end.Price-r*move, r, "retracement")
	}
	for _, r := range o.Extensions {
		add(start.Price+r*move, r, "extension")
	}
	return found
}

// short writes a price with up to six significant digits, for people.
func short(x float64) string {
	if math.Abs(x) >= 1000 {
		return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', 6, 64)
}
