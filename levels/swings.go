package levels

import (
	"math"

	"github.com/ttai-go/ttai/internal/invalid"
	"github.com/ttai-go/ttai/market"
)

// Ties says whether equal highs (or lows) within a swing's window spoil it.
type Ties string

const (
	// TiesFirst lets the first of equal extremes be the swing: it is beyond every bar
	// before it and no bar after it is beyond it. It is the default.
	TiesFirst Ties = "first"
	// TiesNone asks for a bar strictly beyond all others, as Williams' fractal does.
	TiesNone Ties = "none"
	// TiesAll lets every one of equal extremes be a swing.
	TiesAll Ties = "all"
)

// SwingOptions says how many bars make a swing.
type SwingOptions struct {
	Left  int  // bars before that must lie within; 0 means 5
	Right int  // bars after that must lie within, and so the delay of confirmation; 0 means 5
	Ties  Ties // empty means TiesFirst
}

func (o SwingOptions) resolve() (SwingOptions, error) {
	var err error
	if o.Left, err = count("left", o.Left, 5, 100_000); err != nil {
		return o, err
	}
	if o.Right, err = count("right", o.Right, 5, 100_000); err != nil {
		return o, err
	}
	switch o.Ties {
	case "":
		o.Ties = TiesFirst
	case TiesFirst, TiesNone, TiesAll:
	default:
		return o, invalid.Field("ties", string(o.Ties), "first, none or all")
	}
	return o, nil
}

// Swings returns the swing highs and lows of s in the order they were born; of
// one bar that is both, the high comes first. A bar is a swing high when the
// highs of Left bars before it and Right bars after it stay below its own, with
// equal ones judged by Ties; swing lows mirror that. It is confirmed by the bar
// Right bars later, and none is reported before. Bars without Left bars before
// them are no swings.
//
// Touches are counted with the default TouchOptions; [Find] takes others.
func Swings(s market.Series, opts *SwingOptions) ([]Level, error) {
	o, err := options(opts).resolve()
	if err != nil {
		return nil, err
	}
	if err := check(s); err != nil {
		return nil, err
	}
	return finish(s, swings(s, o), TouchOptions{})
}

func options[T any](opts *T) T {
	if opts == nil {
		var zero T
		return zero
	}
	return *opts
}

// A candidate is a level with the indices of the bars it depends on.
type candidate struct {
	Level
	born, confirmed int
	touched         int // index of the latest touch; -1 when there is none
	home            int // side the market was on: +1 above, -1 below, 0 to be found
}

func swings(s market.Series, o SwingOptions) []candidate {
	up, down := make([]float64, s.Len()), make([]float64, s.Len())
	for i := range up {
		up[i], down[i] = s.High[i], -s.Low[i]
		if !known(s, i) {
			up[i], down[i] = math.NaN(), math.NaN()
		}
	}
	highs, lows := extremes(up, o), extremes(down, o)
	found := make([]candidate, 0, len(highs)+len(lows))
	add := func(i int, price float64, kind Kind, home int) {
		found = append(found, candidate{
			Level: Level{
				Price: price, Low: price, High: price, Kind: kind, Source: string(kind) + " of " + stamp(s, i),
				Born: s.Time[i], Confirmed: s.Time[i+o.Right], LastTouch: s.Time[i], Touches: 1,
			},
			born: i, confirmed: i + o.Right, touched: i, home: home,
		})
	}
	for len(highs) > 0 || len(lows) > 0 {
		if len(lows) == 0 || len(highs) > 0 && highs[0] <= lows[0] {
			add(highs[0], s.High[highs[0]], KindSwingHigh, -1)
			highs = highs[1:]
		} else {
			add(lows[0], s.Low[lows[0]], KindSwingLow, +1)
			lows = lows[1:]
		}
	}
	return found
}

// extremes returns the indices of the local maxima of v. An unknown value
// spoils every window it lies in. Each side is one pass with a stack of the
// values that nothing since has beaten.
func extremes(v []float64, o SwingOptions) []int {
	n := len(v)
	value := func(i int) float64 {
		if math.IsNaN(v[i]) {
			return math.Inf(1)
		}
		return v[i]
	}
	clear := make([]bool, n) // Left bars before i exist and none beats it
	stack := make([]int, 0, 64)
	for i := range n {
		x := value(i)
		for len(stack) > 0 {
			top := value(stack[len(stack)-1])
			if top > x || top == x && o.Ties != TiesAll {
				break
			}
			stack = stack[:len(stack)-1]
		}
		beaten := len(stack) > 0 && i-stack[len(stack)-1] <= o.Left
		clear[i] = !beaten && i >= o.Left
		stack = append(stack, i)
	}
	var found []int
	stack = stack[:0]
	for i := n - 1; i >= 0; i-- {
		x := value(i)
		for len(stack) > 0 {
			top := value(stack[len(stack)-1])
			if top > x || top == x && o.Ties == TiesNone {
				break
			}
			stack = stack[:len(stack)-1]
		}
		beaten := len(stack) > 0 && stack[len(stack)-1]-i <= o.Right
		// An infinite value stands for an unknown one.
		if clear[i] && !beaten && i+o.Right < n && !math.IsInf(x, 0) {
			found = append(found, i)
		}
		stack = append(stack, i)
	}
	for a, b := 0, len(found)-1; a < b; a, b = a+1, b-1 {
		found[a], found[b] = found[b], found[a]
	}
	return found
}

// Alternate reduces swings, in order of birth, to turning points that alternate
// between highs and lows: of several highs in a row the highest stays, of
// several lows the lowest, the earliest of equal ones. A bar that is both a high and a low
// counts first as the opposite of the turning point before it.
//
// The last turning point can still be replaced by a later, more extreme swing
// of its side: unlike the swings themselves, the result is not final.
func Alternate(swings []Level) []Level {
	var turns []Level
	for _, i := range alternate(swings) {
		turns = append(turns, swings[i])
	}
	return turns
}

// alternate returns the indices of the turning points among swings.
func alternate(swings []Level) []int {
	var turns []int
	add := func(i int) {
		if len(turns) == 0 || swings[turns[len(turns)-1]].Kind != swings[i].Kind {
			turns = append(turns, i)
			return
		}
		last := &turns[len(turns)-1]
		further := swings[i].Price > swings[*last].Price
		if swings[i].Kind == KindSwingLow {
			further = swings[i].Price < swings[*last].Price
		}
		if further {
			*last = i
		}
	}
	for i := 0; i < len(swings); i++ {
		both := i+1 < len(swings) && swings[i+1].Born.Equal(swings[i].Born)
		if both && len(turns) > 0 && swings[turns[len(turns)-1]].Kind == swings[i].Kind {
			add(i + 1)
			add(i)
			i++
			continue
		}
		add(i)
	}
	return turns
}
